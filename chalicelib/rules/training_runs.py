"""Training that can be lost or wasted: waits and limits that end it, states that last, warm pools that nobody uses."""

from datetime import timedelta

from pydantic import Field, NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt

from chalicelib.inventory.estate import Inventory
from chalicelib.inventory.facts import Unread
from chalicelib.inventory.families import AT_LIMIT
from chalicelib.inventory.instances import InstanceType
from chalicelib.inventory.kinds.configs import plain
from chalicelib.inventory.kinds.training import TrainingJob
from chalicelib.inventory.kinds.tuning import TuningJob
from chalicelib.inventory.parts import Part
from chalicelib.report.concern import Concern
from chalicelib.report.findings import Severity
from chalicelib.report.outcomes import Confidence, Facts, Outcome, failed, not_applicable, not_now, passed
from chalicelib.rules.guards import own_training_job
from chalicelib.rules.registry import Params, rule
from chalicelib.rules.spot_training import DEFAULT_MAX_RUNTIME, TOPIC, spot, spot_facts

#: The secondary statuses of a job that has no instances yet, or no more; the last two are of older jobs.
_WITHOUT_INSTANCES = frozenset({"starting", "interrupted", "pending", "launchingmlinstances", "preparingtrainingstack"})
#: What a job in progress goes through, and should not stay in.
_PASSED_THROUGH = frozenset({"uploading", "downloading", "pending"})
#: The share of the runtime, in percent, that a job in progress may have used.
NEAR_LIMIT = 90
#: A family whose limit ended that many jobs, each with a model, is bounded in time on purpose.
TIME_BOXED = 3


class Waited(Params):
    percent: PositiveFloat = Field(80, le=100)


@rule(
    "training-spot-waiting",
    topic=TOPIC,
    kinds=["training-job"],
    severity=Severity.MEDIUM,
    params=Waited,
    reads=[Part.TRAINING_JOBS],
    guards=[spot],
)
def training_spot_waiting(job: TrainingJob, estate: Inventory, params: Waited) -> Outcome:
    """Spot training waits for instances (``SecondaryStatus`` Starting or Interrupted), and more than ``percent`` of its
    ``MaxWaitTimeInSeconds`` is over."""
    if plain(job.status) != "inprogress":
        return not_applicable(f"{job.status or 'not'}, not in progress")
    if plain(job.secondary_status) not in _WITHOUT_INSTANCES:
        return passed(f"it has its instances ({job.secondary_status or 'in progress'})")
    if job.max_wait_seconds is None:
        raise Unread("AWS gave no MaxWaitTimeInSeconds")
    if job.created is None:
        raise Unread("AWS gave no time for it")
    asked = int((estate.now - job.created).total_seconds())
    facts: Facts = {
        **spot_facts(job),
        "asked_at": f"{job.created:%Y-%m-%d %H:%M} UTC",
        "ends_at": f"{job.created + timedelta(seconds=job.max_wait_seconds):%Y-%m-%d %H:%M} UTC",
        "secondary_status": job.secondary_status,
        "interruptions": job.interruptions,
        "percent": params.percent,
        "checkpoint_s3_uri": job.checkpoint_s3_uri,
    }
    if asked * 100 > params.percent * job.max_wait_seconds:
        return failed(**facts)
    return passed(f"{job.max_wait_seconds - asked} seconds are left of its waiting time", **facts)


class HighHours(Params):
    high_hours: NonNegativeFloat = 8


@rule(
    "training-stopped-at-limit",
    topic=TOPIC,
    kinds=["training-job"],
    severity=Severity.MEDIUM,
    params=HighHours,
    reads=[Part.TRAINING_JOBS],
    guards=[own_training_job],
)
def training_stopped_at_limit(job: TrainingJob, estate: Inventory, params: HighHours) -> Outcome:
    """``MaxRuntimeInSeconds`` ended the job (high without checkpoints, after more than ``high_hours``
    accelerator-hours); or it is in progress and has used more than 90 % of it. Info where the same limit has ended
    three jobs of its family, each with a model: they are bounded in time on purpose."""
    if plain(job.status) == "stopping":
        return not_now("the job is being stopped")
    limit = job.max_runtime_seconds if job.max_runtime_seconds is not None else DEFAULT_MAX_RUNTIME
    facts: Facts = {
        "secondary_status": job.secondary_status,
        "max_runtime_seconds": limit,
        "retry_attempts": job.retry_attempts,
        "checkpoint_s3_uri": job.checkpoint_s3_uri,
        "instance_type": ", ".join(job.instance_types) or None,
        "times_at_limit": job.times_at_limit,
    }
    boxed = job.times_at_limit is not None and job.times_at_limit >= TIME_BOXED
    if plain(job.status) == "inprogress":
        return _near_limit(job, estate, limit, boxed, facts)
    if plain(job.secondary_status) != AT_LIMIT:
        return passed(f"{job.secondary_status or job.status}: its limit did not end it")
    hours = _accelerator_hours(job, job.attempts_seconds or limit)
    facts |= {"run_seconds": job.attempts_seconds, "accelerator_hours": round(hours, 1)}
    if boxed and job.model_artifacts:
        return failed(severity=Severity.INFO, **facts, time_boxed=True)
    lost = not job.checkpoint_s3_uri and hours > params.high_hours
    # An event does not see the family, which may be bounded in time on purpose.
    confidence = Confidence.HIGH if job.times_at_limit is not None else Confidence.MEDIUM
    return failed(severity=Severity.HIGH if lost else None, confidence=confidence, **facts, time_boxed=False)


def _near_limit(job: TrainingJob, estate: Inventory, limit: int, boxed: bool, facts: Facts) -> Outcome:
    """Whether a job in progress is about to be ended."""
    if job.started is None:
        return passed("it has not begun to run")
    ran = job.ran_by(estate.now)
    if ran is None:
        raise Unread("AWS gave no status transitions, which tell how long it has run between interruptions")
    facts |= {"ends_at": f"{estate.now + timedelta(seconds=limit - ran):%Y-%m-%d %H:%M} UTC"}
    if ran * 100 > NEAR_LIMIT * limit:
        return failed(severity=Severity.INFO if boxed else Severity.MEDIUM, **facts, time_boxed=boxed)
    return passed(f"{limit - ran} seconds are left of its runtime", **facts)


def _accelerator_hours(job: TrainingJob, seconds: int) -> float:
    """Hours × accelerators of all instances; one for an instance whose number is not known, none on CPUs."""
    groups = [(group.instance_type, group.instance_count) for group in job.instance_groups]
    types = [(InstanceType.parse(name), count) for name, count in groups]
    types = types or [(InstanceType.parse(name), job.instances or 1) for name in job.instance_types]
    accelerators = sum((kind.gpu_count or 1) * count for kind, count in types if kind.accelerated)
    return accelerators * seconds / 3600


class StuckHours(Params):
    hours: PositiveFloat = 12


@rule(
    "training-stuck",
    topic=TOPIC,
    kinds=["training-job"],
    severity=Severity.MEDIUM,
    concern=Concern.BROKEN,
    params=StuckHours,
    reads=[Part.TRAINING_JOBS],
    guards=[own_training_job],
)
def training_stuck(job: TrainingJob, estate: Inventory, params: StuckHours) -> Outcome:
    """The job has been Stopping, Uploading, Downloading or Pending for longer than ``hours``; Pending for longer than
    its own ``MaxPendingTimeInSeconds``, where that is more."""
    if plain(job.status) not in ("inprogress", "stopping"):
        return not_applicable(f"{job.status or 'not'}, not in progress")
    state = plain(job.secondary_status) if plain(job.status) == "inprogress" else "stopping"
    if state != "stopping" and state not in _PASSED_THROUGH:
        return passed(f"it is {job.secondary_status or job.status}")
    longest = timedelta(hours=params.hours)
    if state == "pending" and job.max_pending_seconds is not None:
        longest = max(longest, timedelta(seconds=job.max_pending_seconds))
    since = job.state_since
    if since is None:
        raise Unread("AWS gave no time since when it is so")
    facts: Facts = {
        "status": job.status,
        "secondary_status": job.secondary_status or job.status,
        "since": f"{since:%Y-%m-%d %H:%M} UTC",
        "hours": round(longest.total_seconds() / 3600, 1),
        "instance_type": ", ".join(job.instance_types) or None,
        "instance_count": job.instances,
    }
    if estate.now - since > longest:
        return failed(**facts)
    return passed(f"{facts['secondary_status']} since {facts['since']}", **facts)


class WarmPool(Params):
    ratio: PositiveFloat = 1
    jobs: PositiveInt = 3


@rule(
    "training-warm-pool-unused",
    topic=TOPIC,
    kinds=["training-job"],
    severity=Severity.LOW,
    concern=Concern.COSTS,
    params=WarmPool,
    reads=[Part.TRAINING_JOBS],
    guards=[own_training_job],
)
def training_warm_pool_unused(job: TrainingJob, estate: Inventory, params: WarmPool) -> Outcome:
    """The warm pool of the job ended without another job, after it had been kept for ``ratio`` times the run or longer;
    and so did those of ``jobs`` or more jobs of its family."""
    state = plain(job.warm_pool_status or "")
    if not state:
        if job.keep_alive_seconds == 0:
            return not_applicable("keeps no warm pool")
        if plain(job.status) in ("inprogress", "stopping"):
            return not_now("its warm pool begins when it ends")
        return not_applicable("AWS tells of no warm pool")
    if state in ("available", "inuse"):
        return not_now(f"its warm pool is {job.warm_pool_status}")
    if state == "reused" or job.warm_pool_reused_by:
        return passed("another job used its warm pool", reused_by=job.warm_pool_reused_by)
    if state != "terminated":
        raise Unread(f"the status {job.warm_pool_status} of its warm pool is not known to this version")
    if job.warm_pool_seconds is None or job.run_seconds is None or job.instances is None:
        raise Unread("AWS gave no times or instance count of its warm pool")
    facts: Facts = {
        "retained_seconds": job.warm_pool_seconds,
        "run_seconds": job.run_seconds,
        "keep_alive_seconds": job.keep_alive_seconds,
        "instance_type": ", ".join(job.instance_types) or None,
        "ratio": params.ratio,
    }
    if job.warm_pool_seconds < params.ratio * job.run_seconds:
        return passed("its warm pool was kept for less than its run", **facts)
    if job.unused_pools is None:
        return not_now("a sweep compares it with the other jobs of its family")
    unused = [pool for pool in job.unused_pools if pool.retained_seconds >= params.ratio * pool.run_seconds]
    facts |= {"jobs": len(unused), "family": job.family}
    if len(unused) < params.jobs:
        return passed(f"no other pool of its family was unused {params.jobs} times", **facts)
    hours = round(job.warm_pool_seconds * job.instances / 3600, 2)
    return failed(**facts, instance_hours=hours, family_instance_hours=round(sum(pool.hours for pool in unused), 2))


class MostJobs(Params):
    max_jobs: NonNegativeInt = 20


@rule(
    "tuning-without-early-stopping",
    topic=TOPIC,
    kinds=["tuning-job"],
    severity=Severity.INFO,
    concern=Concern.COSTS,
    params=MostJobs,
    reads=[Part.TUNING_JOBS],
)
def tuning_without_early_stopping(job: TuningJob, estate: Inventory, params: MostJobs) -> Outcome:
    """``TrainingJobEarlyStoppingType`` is Off and more than ``max_jobs`` training jobs are planned; not with Hyperband,
    which stops jobs by itself."""
    if job.strategy is None:
        raise Unread("AWS gave no configuration of the tuning job")
    if job.strategy == "Hyperband":
        return not_applicable("Hyperband stops jobs by itself")
    facts: Facts = {
        "strategy": job.strategy,
        "early_stopping": job.early_stopping or "Off",
        "planned_jobs": job.most_jobs,
        "max_jobs": params.max_jobs,
    }
    if facts["early_stopping"] != "Off":
        return passed(f"early stopping is {job.early_stopping}", **facts)
    if job.most_jobs is not None and job.most_jobs <= params.max_jobs:
        return passed(f"{job.most_jobs} jobs are planned", **facts)
    if job.most_jobs is None and (job.known("children") or 0) <= params.max_jobs:
        raise Unread("AWS gave no number of planned jobs")
    return failed(**facts, started_jobs=job.known("children"))
