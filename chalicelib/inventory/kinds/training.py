"""Training jobs: the facts, and how they are read, as a stream."""

import itertools
import logging
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from threading import Lock
from typing import Any, ClassVar

from pydantic import Field

from chalicelib.inventory.answers import CallFailed, moment, text
from chalicelib.inventory.facts import (
    Count,
    Fact,
    Present,
    Stated,
    States,
    Tags,
    Time,
    VpcConfig,
    at,
    filled,
    plain,
    states,
)
from chalicelib.inventory.parts import Part
from chalicelib.inventory.reader import Reader, before, since

log = logging.getLogger(__name__)

#: What a run adds to the name of its job: numbers, times and random parts that hold a digit, one after the other.
_RUN = re.compile(r"(?:-(?:\d+|(?=[0-9A-Za-z]*\d)[0-9A-Za-z]{4,}))+$")
#: A job of SageMaker Pipelines: its execution, the step, and a random part.
_PIPELINE_STEP = re.compile(r"pipelines-[0-9a-z]{12}-(?P<step>.+)-[0-9A-Za-z]{10}")


class InstanceGroup(Fact):
    """One group of a heterogeneous cluster."""

    instance_type: str = at("InstanceType", default="")
    instance_count: Count = at("InstanceCount", default=1)


class Training(Fact):
    """What a training job and a tuning job's definition have in common. Times are in seconds."""

    image: str | None = at("AlgorithmSpecification.TrainingImage")
    algorithm_name: str | None = at("AlgorithmSpecification.AlgorithmName")
    hyperparameters: dict[str, str] = at("HyperParameters", default={})
    instance_type: str | None = at("ResourceConfig.SelectedInstanceType", "ResourceConfig.InstanceType")
    instance_count: Count | None = at("ResourceConfig.SelectedInstanceCount", "ResourceConfig.InstanceCount")
    instance_groups: tuple[InstanceGroup, ...] = at("ResourceConfig.InstanceGroups", default=())
    instance_preferences: Present = at("ResourceConfig.InstancePreferences", default=False)
    keep_alive_seconds: Count = at("ResourceConfig.KeepAlivePeriodInSeconds", default=0)
    training_plan_arn: str | None = at("ResourceConfig.TrainingPlanArn")
    serverless: Present = at("ServerlessJobConfig", default=False)
    spot: bool = at("EnableManagedSpotTraining", default=False)
    checkpoint_s3_uri: str | None = at("CheckpointConfig.S3Uri")
    max_runtime_seconds: Count | None = at("StoppingCondition.MaxRuntimeInSeconds")
    max_wait_seconds: Count | None = at("StoppingCondition.MaxWaitTimeInSeconds")
    max_pending_seconds: Count | None = at("StoppingCondition.MaxPendingTimeInSeconds")
    vpc_config: VpcConfig | None = at("VpcConfig")
    retry_attempts: Count | None = at("RetryStrategy.MaximumRetryAttempts")

    @property
    def instance_types(self) -> tuple[str, ...]:
        """The type, or those of the groups of a heterogeneous cluster."""
        if self.instance_groups:
            return tuple(group.instance_type for group in self.instance_groups)
        return (self.instance_type,) if self.instance_type else ()

    @property
    def is_serverless(self) -> bool:
        """True where AWS chooses the instances."""
        return self.serverless

    @property
    def instances(self) -> int | None:
        """How many instances it runs on; None when the description does not say."""
        if self.instance_groups:
            return sum(group.instance_count for group in self.instance_groups)
        return self.instance_count


#: While a job is in one of these states after an interruption, its run stands still.
_WAITING = frozenset({"Starting", "Interrupted", "Pending", "Restarting"})
#: What interrupts a run.
_BREAKS = ("Interrupted", "Restarting")


class Wait(Fact):
    """A time in which a job that had begun to run did not."""

    began: Time | None = at("StartTime")
    ended: Time | None = at("EndTime")


class UnusedPool(Fact):
    """A warm pool that was kept and then ended without another job. Times are in seconds."""

    run_seconds: Count = Field(0, description="how long the job of the pool ran")
    retained_seconds: Count = Field(0, description="how long the pool was kept, and paid for, after it")
    instances: Count = Field(0, description="instances of the pool")

    @property
    def hours(self) -> float:
        """Instance-hours that were kept for nothing."""
        return self.retained_seconds * self.instances / 3600


def _interruptions(statuses: Any) -> Any:
    """How many of the statuses that a job went through are interruptions."""
    return statuses.count("Interrupted") if isinstance(statuses, list | tuple) else statuses


def _waits(transitions: Any) -> Any:
    """The transitions of AWS's list, from the first interruption on, in which nothing ran."""
    if not isinstance(transitions, list):
        return transitions
    statuses = [text(transition, "Status") for transition in transitions]
    first = min((statuses.index(status) for status in _BREAKS if status in statuses), default=len(statuses))
    return [
        transition
        for transition, status in zip(transitions[first:], statuses[first:], strict=True)
        if status in _WAITING
    ]


def _last_status(transitions: Any) -> Any:
    """The status of the last of AWS's transitions."""
    return text(transitions[-1], "Status") if isinstance(transitions, list) and transitions else None


def _last_start(transitions: Any) -> Any:
    """When the last of AWS's transitions began."""
    last = transitions[-1] if isinstance(transitions, list) and transitions else None
    return last.get("StartTime") if isinstance(last, Mapping) else None


class TrainingJob(Training, Stated):
    """``DescribeTrainingJob``, or the same record from ``Search``."""

    kind: ClassVar[str] = "training-job"
    essential: ClassVar[tuple[str, ...]] = ("TrainingJobStatus",)
    known_states: ClassVar[States] = {
        "status": states("InProgress", "Completed", "Failed", "Stopping", "Stopped", "Deleting")
    }
    name: str = at("TrainingJobName", required=True)
    arn: str = at("TrainingJobArn", default="")
    status: str = at("TrainingJobStatus", default="")
    secondary_status: str = at("SecondaryStatus", default="")
    created: Time | None = at("CreationTime")
    modified: Time | None = at("LastModifiedTime")
    tuning_job_arn: str | None = at("TuningJobArn")
    auto_ml_job_arn: str | None = at("AutoMLJobArn")
    labeling_job_arn: str | None = at("LabelingJobArn")
    training_seconds: Count | None = at("TrainingTimeInSeconds")
    billable_seconds: Count | None = at("BillableTimeInSeconds")
    started: Time | None = at("TrainingStartTime")
    ended: Time | None = at("TrainingEndTime")
    interruptions: Count | None = at("SecondaryStatusTransitions[].Status", convert=_interruptions)
    waits: tuple[Wait, ...] = at(
        "SecondaryStatusTransitions",
        default=(),
        convert=_waits,
        description="times without a run since its first interruption, of `SecondaryStatusTransitions`",
    )
    last_transition: str | None = at(
        "SecondaryStatusTransitions", convert=_last_status, description="status of the last of the transitions"
    )
    last_transition_began: Time | None = at(
        "SecondaryStatusTransitions", convert=_last_start, description="start of the last of the transitions"
    )
    model_artifacts: str | None = at("ModelArtifacts.S3ModelArtifacts", convert=filled)
    warm_pool_status: str | None = at("WarmPoolStatus.Status")
    warm_pool_seconds: Count | None = at("WarmPoolStatus.ResourceRetainedBillableTimeInSeconds")
    warm_pool_reused_by: str | None = at("WarmPoolStatus.ReusedByJob", convert=filled)
    tags: Tags | None = at("Tags")
    input_uris: tuple[str, ...] = at("InputDataConfig[].DataSource.S3DataSource.S3Uri", default=())
    output_uri: str | None = at("OutputDataConfig.S3OutputPath")
    file_systems: tuple[str, ...] = at("InputDataConfig[].DataSource.FileSystemDataSource.FileSystemType", default=())
    longest_run_seconds: Count | None = Field(None, description="longest run of the jobs of its family")
    times_at_limit: Count | None = Field(
        None, description="jobs of its family that this limit of the runtime ended with a model"
    )
    unused_pools: tuple[UnusedPool, ...] | None = Field(
        None, description="warm pools of its family that ended without another job"
    )

    @property
    def family(self) -> str:
        """The name without what is new in each run: a time, a number, a random part, the execution of a pipeline."""
        step = _PIPELINE_STEP.fullmatch(self.name)
        return step["step"] if step else _RUN.sub("", self.name)

    @property
    def s3_uris(self) -> dict[str, str]:
        """Where it reads and writes in Amazon S3, by what lies there."""
        outputs = {"output": self.output_uri, "checkpoints": self.checkpoint_s3_uri}
        inputs = {f"input {number}": uri for number, uri in enumerate(self.input_uris, 1)}
        return inputs | {what: uri for what, uri in outputs.items() if uri}

    @property
    def attempts_seconds(self) -> int | None:
        """How long it trained in all its attempts together, as the limits of a job with a RetryStrategy hold: the
        longer of :attr:`run_seconds` and the time from its first start to its end."""
        if self.retry_attempts is None or self.started is None or self.ended is None:
            return self.run_seconds
        return max(self.run_seconds or 0, int((self.ended - self.started).total_seconds()))

    def ran_by(self, now: datetime) -> int | None:
        """For how many seconds it has run at ``now``, without the waits for instances after interruptions; None where
        AWS tells no start, or no history of a job on spot instances."""
        if self.started is None or (self.spot and self.interruptions is None):
            return None
        stood = timedelta()
        for wait in self.waits:
            if wait.began is None:
                return None
            stood += max(timedelta(), (wait.ended or now) - max(wait.began, self.started))
        return max(0, int((now - self.started - stood).total_seconds()))

    @property
    def state_since(self) -> datetime | None:
        """Since when it has been in its state: the start of that transition, else its last change; None: not told."""
        state = self.secondary_status or self.status
        if self.last_transition_began is not None and plain(self.last_transition or "") == plain(state):
            return self.last_transition_began
        return self.modified

    @property
    def unused_pool(self) -> UnusedPool | None:
        """Its warm pool, where that ended without another job and AWS told for how long it was kept; else None."""
        ended = plain(self.warm_pool_status or "") == "terminated" and not self.warm_pool_reused_by
        if not ended or not self.warm_pool_seconds or self.run_seconds is None or self.instances is None:
            return None
        return UnusedPool(
            run_seconds=self.run_seconds, retained_seconds=self.warm_pool_seconds, instances=self.instances
        )

    @property
    def is_serverless(self) -> bool:
        """True where AWS chooses the instances. ``Search`` does not say so: there a serverless job is one that names
        neither an instance type nor a count."""
        chosen = self.instance_types or self.instances is not None or self.instance_preferences
        return self.serverless or not chosen

    @property
    def run_seconds(self) -> int | None:
        """How long it trained: ``TrainingTimeInSeconds``, else the time between start and end, else None: also where it
        ends before it starts."""
        if self.training_seconds is not None:
            return self.training_seconds
        if self.started and self.ended and self.started <= self.ended:
            return int((self.ended - self.started).total_seconds())
        return None

    @property
    def instance_hours(self) -> float | None:
        """Training time × instances, in hours; None when either is not told."""
        if self.run_seconds is None or self.instances is None:
            return None
        return self.run_seconds * self.instances / 3600

    @property
    def saving_percent(self) -> float | None:
        """What spot saved: ``(1 − BillableTimeInSeconds / TrainingTimeInSeconds) × 100``; None before it is known."""
        if self.billable_seconds is None or not self.training_seconds:
            return None
        return 100 * (self.training_seconds - self.billable_seconds) / self.training_seconds


#: In these states a job is changed without anybody's doing.
_MOVING = frozenset({"InProgress", "Stopping"})

#: What takes a page of jobs; False asks for no more.
Taker = Callable[[list[TrainingJob]], bool]

#: A chain of pages reads about this many jobs; more are read by several chains at once, each of its own days.
JOBS_A_CHAIN = 1_000
MOST_CHAINS = 4


def training_jobs(reader: Reader, take: Taker) -> None:
    """Gives the training jobs that changed since the cutoff to ``take``, page by page, from several threads at once.

    Each page of a ``Search`` names the one after it, so that a long history is a long chain: how close together the
    jobs of the first page are tells how many there are, and into how many windows of time the others are parted. An
    empty ``Search`` is confirmed by a list: its index lags, and a silent loss would look like a clean account.
    """
    pages = reader.search(Part.TRAINING_JOBS, "TrainingJob", since(reader.cutoff))
    try:
        first = next(pages)
    except CallFailed as failure:
        reader.search_failed(failure)
        first = []
    if not first:
        for page in _listed_training_jobs(reader):
            if not take(page):
                return
        return
    more = take(_typed(reader, first))
    windows = _windows(reader, first) if more else []
    if len(windows) < 2:
        if more:
            _taken(reader, pages, take)
        return
    *newer, oldest = (reader.search(Part.TRAINING_JOBS, "TrainingJob", window) for window in windows)
    try:
        head = next(oldest, [])
    except CallFailed as failure:  # two bounds on one time are within the API's grammar, but no promise of its manual
        log.info("training jobs are read by one chain of pages: %s", failure)
        _taken(reader, pages, take)
        return
    news = _News(first)
    with ThreadPoolExecutor(len(windows), thread_name_prefix="chain") as chains:
        list(
            chains.map(lambda read: _taken(reader, map(news.of, read), take), [*newer, itertools.chain([head], oldest)])
        )


def _taken(reader: Reader, pages: Iterable[list[dict[str, Any]]], take: Taker) -> None:
    for page in pages:
        if not take(_typed(reader, page)):
            return


class _News:
    """What no chain has given yet: neither the jobs of the first page, nor those that moved from one window of time to
    another while they were read, as a running job does."""

    def __init__(self, first: Iterable[Mapping[str, Any]]) -> None:
        self._known = {record.get("TrainingJobArn") for record in first}
        self._lock = Lock()

    def of(self, page: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
        """The records of a page that are news."""
        with self._lock:
            news = [record for record in page if record.get("TrainingJobArn") not in self._known]
            self._known |= {
                record.get("TrainingJobArn") for record in news if record.get("TrainingJobStatus") in _MOVING
            }
        return news


def _windows(reader: Reader, first: list[dict[str, Any]]) -> list[list[dict[str, str]]]:
    """Search filters that part the time from the cutoff on, the newest first, which has no end; none when one chain
    will do. Together they hold every job in whatever order a search answers."""
    try:
        times = [moment(record["LastModifiedTime"]) for record in first if record.get("LastModifiedTime") is not None]
    except (TypeError, ValueError):
        return []  # the record itself is told as unreadable
    if len(first) < reader.SEARCH_PAGE or not times:
        return []
    oldest, begin = min(times), reader.cutoff
    seconds = max(1.0, (reader.now - oldest).total_seconds())
    expected = len(first) * (reader.now - begin).total_seconds() / seconds
    number = min(MOST_CHAINS, int(expected // JOBS_A_CHAIN) + 1)
    # Filters are in whole seconds.
    edges = [(begin + (reader.now - begin) * part / number).replace(microsecond=0) for part in range(1, number)]
    bounds = itertools.pairwise([begin, *edges])
    return [since(edges[-1]), *[since(start) + before(stop) for start, stop in bounds][::-1]] if edges else []


def _listed_training_jobs(reader: Reader) -> Iterator[list[TrainingJob]]:
    pages = reader.aws.pages(
        "sagemaker", "ListTrainingJobs", "TrainingJobSummaries", MaxResults=100, LastModifiedTimeAfter=reader.cutoff
    )
    for page in pages:
        names = reader.named_in(Part.TRAINING_JOBS, "ListTrainingJobs", page, "TrainingJobName")
        yield described_training_jobs(reader, names)


def described_training_jobs(reader: Reader, names: Iterable[str]) -> list[TrainingJob]:
    """The named training jobs that exist."""
    return _typed(reader, reader.describe_each(Part.TRAINING_JOBS, "DescribeTrainingJob", "TrainingJobName", names))


def _typed(reader: Reader, records: Iterable[dict[str, Any]]) -> list[TrainingJob]:
    return reader.typed(Part.TRAINING_JOBS, TrainingJob, records, "TrainingJobName")
