"""Managed spot training: is the saving taken, and does an interruption cost more than it saves?"""

from pydantic import NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt

from chalicelib.inventory.estate import Inventory
from chalicelib.inventory.facts import Unread
from chalicelib.inventory.kinds.configs import plain
from chalicelib.inventory.kinds.training import Training, TrainingJob
from chalicelib.inventory.kinds.tuning import TuningJob
from chalicelib.inventory.parts import Part
from chalicelib.report.concern import Concern
from chalicelib.report.findings import Severity
from chalicelib.report.outcomes import Facts, Outcome, failed, not_applicable, not_now, passed
from chalicelib.rules.guards import own_training_job
from chalicelib.rules.registry import Params, rule
from chalicelib.rules.training_fit import algorithm_of
from chalicelib.scope import ARN

TOPIC = "spot-training"

#: ``StoppingCondition.MaxRuntimeInSeconds`` when nobody sets it.
DEFAULT_MAX_RUNTIME = 86_400
#: The longest ``MaxWaitTimeInSeconds`` for a built-in algorithm without checkpoints (managed spot training guide).
MAX_WAIT_WITHOUT_CHECKPOINT = 3_600


def spot_facts(job: Training) -> Facts:
    """What every spot finding shows; a finished job carries the saving that it really made."""
    facts: Facts = {
        "instance_type": ", ".join(job.instance_types) or None,
        "instance_count": job.instances,
        "max_runtime_seconds": job.max_runtime_seconds,
        "max_wait_seconds": job.max_wait_seconds,
    }
    if isinstance(job, TrainingJob) and job.saving_percent is not None:
        facts["saving_percent"] = round(job.saving_percent, 1)
    return facts


class MinRuntime(Params):
    min_runtime_seconds: NonNegativeInt = 900


@rule(
    "training-spot-no-checkpoint",
    topic=TOPIC,
    kinds=["training-job", "tuning-job"],
    severity=Severity.HIGH,
    params=MinRuntime,
    reads=[Part.TRAINING_JOBS, Part.TUNING_JOBS],
)
def training_spot_no_checkpoint(subject: TrainingJob | TuningJob, estate: Inventory, params: MinRuntime) -> Outcome:
    """Spot training that may run longer than ``min_runtime_seconds`` writes no checkpoints, though its algorithm could
    or is unknown."""
    if isinstance(subject, TrainingJob):
        if (outcome := own_training_job(subject, estate)) is not None:
            return outcome
        return _checkpointing(subject, estate, params)
    outcomes = [_checkpointing(definition, estate, params) for definition in _definitions(subject)]
    return next((outcome for outcome in outcomes if outcome.verdict == "fail"), outcomes[0])


def _checkpointing(job: Training, estate: Inventory, params: MinRuntime) -> Outcome:
    if not job.spot:
        return not_applicable("does not train on spot instances")
    if job.checkpoint_s3_uri:
        return passed("writes checkpoints", checkpoint_s3_uri=job.checkpoint_s3_uri, **spot_facts(job))
    algorithm = algorithm_of(job)
    if algorithm is not None and algorithm.checkpoints is False:
        return not_applicable(f"{algorithm.title} cannot write checkpoints; training-spot-cannot-checkpoint tells it")
    if _limited_marketplace_algorithm(job, estate):
        return not_applicable("AWS limits the waiting time of Marketplace algorithms that write no checkpoints")
    runtime = job.max_runtime_seconds if job.max_runtime_seconds is not None else DEFAULT_MAX_RUNTIME
    if runtime <= params.min_runtime_seconds:
        return passed(f"runs for {runtime} seconds at most", **spot_facts(job))
    return failed(
        **spot_facts(job),
        min_runtime_seconds=params.min_runtime_seconds,
        algorithm=algorithm.title if algorithm else None,
        image=job.image,
    )


def _limited_marketplace_algorithm(job: Training, estate: Inventory) -> bool:
    """True for an algorithm of AWS Marketplace, which is one of another account, that may wait no longer than AWS lets
    those wait that write no checkpoints."""
    arn = ARN.match(job.algorithm_name or "")
    short = job.max_wait_seconds is not None and job.max_wait_seconds <= MAX_WAIT_WITHOUT_CHECKPOINT
    return short and arn is not None and arn["account"] not in ("", estate.account)


class MediumRuntime(Params):
    medium_runtime_seconds: NonNegativeInt = 1_800


def spot(job: TrainingJob, estate: Inventory) -> Outcome | None:
    """A training job of somebody's own on spot instances."""
    if (outcome := own_training_job(job, estate)) is not None:
        return outcome
    return None if job.spot else not_applicable("does not train on spot instances")


@rule(
    "training-spot-cannot-checkpoint",
    topic=TOPIC,
    kinds=["training-job"],
    severity=Severity.LOW,
    params=MediumRuntime,
    reads=[Part.TRAINING_JOBS],
    guards=[spot],
)
def training_spot_cannot_checkpoint(job: TrainingJob, estate: Inventory, params: MediumRuntime) -> Outcome:
    """Spot training of a built-in algorithm that cannot write checkpoints: any interruption starts over (medium from
    ``medium_runtime_seconds``)."""
    algorithm = algorithm_of(job)
    if algorithm is None:
        return not_applicable("not a known built-in algorithm")
    if algorithm.checkpoints is None and algorithm.training is None and not algorithm.script_mode:
        raise Unread(f"the image does not tell the version of {algorithm.title}")
    if algorithm.checkpoints is not False:
        return passed(f"{algorithm.title} can write checkpoints", **spot_facts(job))
    runtime = job.max_runtime_seconds if job.max_runtime_seconds is not None else DEFAULT_MAX_RUNTIME
    long = runtime >= params.medium_runtime_seconds
    return failed(severity=Severity.MEDIUM if long else None, algorithm=algorithm.title, **spot_facts(job))


class MinHours(Params):
    min_instance_hours: PositiveFloat = 4


@rule(
    "training-spot-not-used",
    topic=TOPIC,
    kinds=["training-job", "tuning-job"],
    severity=Severity.LOW,
    concern=Concern.COSTS,
    params=MinHours,
    reads=[Part.TRAINING_JOBS, Part.TUNING_JOBS],
)
def training_spot_not_used(subject: TrainingJob | TuningJob, estate: Inventory, params: MinHours) -> Outcome:
    """Training on demand completed after ``min_instance_hours`` or more, and nothing kept it from spot instances."""
    if isinstance(subject, TrainingJob):
        if (outcome := own_training_job(subject, estate)) is not None:
            return outcome
        trainings: list[Training] = [subject]
        hours = subject.instance_hours
    else:
        trainings = list(_definitions(subject))
        hours = subject.child_hours
    if all(training.spot for training in trainings):
        return not_applicable("trains on spot instances")
    if plain(subject.status) != "completed":
        return not_applicable(f"{subject.status or 'not'}, not completed")
    if reason := next((why for training in trainings if (why := _kept_from_spot(training))), None):
        return not_applicable(reason)
    if hours is None:
        raise Unread("AWS gave no training time or instance count")
    facts: Facts = {
        "instance_hours": round(hours, 2),
        "min_instance_hours": params.min_instance_hours,
        "instance_type": ", ".join(sorted({name for training in trainings for name in training.instance_types})),
    }
    if hours < params.min_instance_hours:
        return passed(f"took {hours:.1f} instance-hours", **facts)
    algorithms = [algorithm_of(training) for training in trainings if not training.spot]
    limited = [algorithm.title for algorithm in algorithms if algorithm is not None and algorithm.checkpoints is False]
    if len(limited) == len(algorithms) and _longest_run(subject) > MAX_WAIT_WITHOUT_CHECKPOINT:
        return not_applicable(f"spot limits {limited[0]}, which has no checkpoints, to one hour")
    return failed(**facts, max_runtime_seconds=trainings[0].max_runtime_seconds)


def _longest_run(subject: TrainingJob | TuningJob) -> int:
    """How long the job, or the longest training job of a tuning job, ran, in seconds; raises Unread when not told."""
    seconds = subject.run_seconds if isinstance(subject, TrainingJob) else subject.longest_child_seconds
    if seconds is None:
        raise Unread("AWS gave no training time")
    return seconds


def _kept_from_spot(job: Training) -> str | None:
    """Why spot advice would be wrong, or None."""
    if job.keep_alive_seconds > 0:
        return "a warm pool cannot be on spot instances"
    if job.instance_preferences:
        return "it names several instance types to choose from"
    if job.training_plan_arn:
        return "it runs on a training plan"
    if job.is_serverless:
        return "a serverless job has no instances to choose"
    return None


class Interruptions(Params):
    interruptions: PositiveInt = 2


@rule(
    "training-spot-interrupted",
    topic=TOPIC,
    kinds=["training-job"],
    severity=Severity.MEDIUM,
    params=Interruptions,
    reads=[Part.TRAINING_JOBS],
    guards=[spot],
)
def training_spot_interrupted(job: TrainingJob, estate: Inventory, params: Interruptions) -> Outcome:
    """Spot training was interrupted ``interruptions`` times or more, or ran out of its waiting time."""
    out_of_time = plain(job.secondary_status) == "maxwaittimeexceeded"
    facts: Facts = {"interruptions": job.interruptions, "secondary_status": job.secondary_status, **spot_facts(job)}
    if out_of_time or (job.interruptions or 0) >= params.interruptions:
        return failed(**facts, max_wait_exceeded=out_of_time, checkpoint_s3_uri=job.checkpoint_s3_uri)
    if job.interruptions is None:
        raise Unread("DescribeTrainingJob gave no status transitions")
    return passed(f"interrupted {job.interruptions} times", **facts)


def _definitions(job: TuningJob) -> tuple[Training, ...]:
    if not job.definitions:
        raise Unread("DescribeHyperParameterTuningJob gave no training definition")
    return job.definitions


class Slack(Params):
    min_slack_seconds: NonNegativeInt = 3_600


@rule(
    "training-spot-wait-too-short",
    topic=TOPIC,
    kinds=["training-job"],
    severity=Severity.LOW,
    params=Slack,
    reads=[Part.TRAINING_JOBS],
    guards=[spot],
)
def training_spot_wait_too_short(job: TrainingJob, estate: Inventory, params: Slack) -> Outcome:
    """Spot training ended by MaxWaitTimeExceeded, or finished with less than ``min_slack_seconds`` of
    ``MaxWaitTimeInSeconds``, which holds the run and the wait, to spare; or it runs, and the rest of its
    ``MaxWaitTimeInSeconds`` is shorter than the rest of the longest run of its family, or it is below
    ``MaxRuntimeInSeconds``."""
    algorithm = algorithm_of(job)
    if algorithm is not None and algorithm.checkpoints is False:
        return not_applicable(f"AWS limits the waiting time of {algorithm.title}, which cannot write checkpoints")
    if _limited_marketplace_algorithm(job, estate):
        return not_applicable("AWS limits the waiting time of Marketplace algorithms that write no checkpoints")
    if job.max_wait_seconds is None:
        raise Unread("DescribeTrainingJob gave no MaxWaitTimeInSeconds")
    facts: Facts = {
        **spot_facts(job),
        "min_slack_seconds": params.min_slack_seconds,
        "retry_attempts": job.retry_attempts,
        "secondary_status": job.secondary_status,
    }
    if plain(job.status) == "stopping":
        return not_now("the job is being stopped")
    if plain(job.status) == "inprogress":
        return _wait_of_running(job, job.max_wait_seconds, estate, facts)
    ran = job.attempts_seconds
    out_of_time = plain(job.secondary_status) == "maxwaittimeexceeded"
    if ran is None and plain(job.status) == "completed":
        raise Unread("AWS gave no training time")
    if ran is None and not out_of_time:
        return not_applicable("it ended before it ran")
    slack = job.max_wait_seconds - (ran or 0)
    facts |= {"run_seconds": ran or 0, "slack_seconds": slack}
    if out_of_time:
        return failed(**facts, because="ended")
    if slack < params.min_slack_seconds:
        return failed(**facts, because="finished")
    return passed(f"had {slack} seconds to wait beside its run", **facts)


def _wait_of_running(job: TrainingJob, max_wait: int, estate: Inventory, facts: Facts) -> Outcome:
    """Whether what is left of the waiting time of a job in progress holds the rest of its family's longest run."""
    runtime = job.max_runtime_seconds if job.max_runtime_seconds is not None else DEFAULT_MAX_RUNTIME
    if max_wait < runtime:
        return failed(**facts, because="limits", slack_seconds=max_wait - runtime)
    if job.longest_run_seconds is None:
        if not estate.whole:
            return not_now("the job is in progress; a sweep compares it with earlier runs of its family")
        return passed("no earlier run of its family tells how long it takes", **facts)
    if job.created is None:
        raise Unread("AWS gave no time for it")
    left = max_wait - int((estate.now - job.created).total_seconds())
    ran = int((estate.now - job.started).total_seconds()) if job.started else 0
    needed = max(0, job.longest_run_seconds - ran)
    facts |= {
        "asked_at": f"{job.created:%Y-%m-%d %H:%M} UTC",
        "slack_seconds": left - needed,
        "longest_run_seconds": job.longest_run_seconds,
        "left_seconds": left,
    }
    if left < needed:
        return failed(**facts, because="family")
    return passed(f"{left} seconds are left of its waiting time", **facts)


class MinSavings(Params):
    min_savings_percent: NonNegativeFloat = 20


@rule(
    "training-spot-no-savings",
    topic=TOPIC,
    kinds=["training-job"],
    severity=Severity.INFO,
    concern=Concern.COSTS,
    params=MinSavings,
    reads=[Part.TRAINING_JOBS],
    guards=[spot],
)
def training_spot_no_savings(job: TrainingJob, estate: Inventory, params: MinSavings) -> Outcome:
    """Spot training completed and saved less than ``min_savings_percent``."""
    if plain(job.status) != "completed":
        return not_applicable(f"{job.status or 'not'}, not completed")
    if job.saving_percent is None:
        raise Unread("AWS gave no billable and training time")
    facts: Facts = {**spot_facts(job), "min_savings_percent": params.min_savings_percent}
    if job.saving_percent < params.min_savings_percent:
        return failed(**facts, training_seconds=job.training_seconds, billable_seconds=job.billable_seconds)
    return passed(f"saved {job.saving_percent:g} %", **facts)
