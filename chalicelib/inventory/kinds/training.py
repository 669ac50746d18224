"""Training jobs: the facts, and how they are read, as a stream."""

import itertools
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from threading import Lock
from typing import Any, ClassVar

from pydantic import Field, model_validator

from chalicelib.inventory.aws import CallFailed, moment
from chalicelib.inventory.facts import Fact, Tags, VpcConfig
from chalicelib.inventory.parts import Part
from chalicelib.inventory.reader import Reader, before, since

log = logging.getLogger(__name__)


class InstanceGroup(Fact):
    """One group of a heterogeneous cluster."""

    instance_type: str = Field("", alias="InstanceType")
    instance_count: int = Field(1, alias="InstanceCount")


def _flat_training(given: Any) -> Any:
    """A training description with the nested settings that rules read lifted to one level."""
    if not isinstance(given, dict) or not (
        {
            "AlgorithmSpecification",
            "ResourceConfig",
            "StoppingCondition",
            "HyperParameterTuningResourceConfig",
            "ServerlessJobConfig",
        }
        & given.keys()
    ):
        return given
    algorithm: Mapping[str, Any] = given.get("AlgorithmSpecification") or {}
    resources: Mapping[str, Any] = given.get("ResourceConfig") or given.get("HyperParameterTuningResourceConfig") or {}
    stopping: Mapping[str, Any] = given.get("StoppingCondition") or {}
    transitions = given.get("SecondaryStatusTransitions")
    return {
        **given,
        "image": algorithm.get("TrainingImage"),
        "algorithm_name": algorithm.get("AlgorithmName"),
        "instance_type": resources.get("SelectedInstanceType") or resources.get("InstanceType"),
        "instance_count": resources.get("SelectedInstanceCount") or resources.get("InstanceCount"),
        "instance_groups": resources.get("InstanceGroups") or (),
        "instance_preferences": bool(resources.get("InstancePreferences") or resources.get("InstanceConfigs")),
        "keep_alive_seconds": resources.get("KeepAlivePeriodInSeconds") or 0,
        "training_plan_arn": resources.get("TrainingPlanArn"),
        "serverless": bool(given.get("ServerlessJobConfig")),
        "max_runtime_seconds": stopping.get("MaxRuntimeInSeconds"),
        "max_wait_seconds": stopping.get("MaxWaitTimeInSeconds"),
        "checkpoint_s3_uri": (given.get("CheckpointConfig") or {}).get("S3Uri"),
        "interruptions": None
        if transitions is None
        else sum(1 for one in transitions if one.get("Status") == "Interrupted"),
    }


class Training(Fact):
    """What a training job and a tuning job's definition have in common. Times are in seconds."""

    image: str | None = Field(None, description="AlgorithmSpecification.TrainingImage")
    algorithm_name: str | None = Field(None, description="AlgorithmSpecification.AlgorithmName")
    hyperparameters: dict[str, str] = Field(default_factory=dict, alias="HyperParameters")
    instance_type: str | None = Field(None, description="ResourceConfig.InstanceType")
    instance_count: int | None = Field(None, description="ResourceConfig.InstanceCount")
    instance_groups: tuple[InstanceGroup, ...] = Field((), description="ResourceConfig.InstanceGroups")
    instance_preferences: bool = Field(False, description="ResourceConfig.InstancePreferences")
    keep_alive_seconds: int = Field(0, description="ResourceConfig.KeepAlivePeriodInSeconds")
    training_plan_arn: str | None = Field(None, description="ResourceConfig.TrainingPlanArn")
    serverless: bool = Field(False, description="ServerlessJobConfig")
    spot: bool = Field(False, alias="EnableManagedSpotTraining")
    checkpoint_s3_uri: str | None = Field(None, description="CheckpointConfig.S3Uri")
    max_runtime_seconds: int | None = Field(None, description="StoppingCondition.MaxRuntimeInSeconds")
    max_wait_seconds: int | None = Field(None, description="StoppingCondition.MaxWaitTimeInSeconds")
    vpc_config: VpcConfig | None = Field(None, alias="VpcConfig")

    _flatten = model_validator(mode="before")(_flat_training)

    @property
    def instance_types(self) -> tuple[str, ...]:
        """The type, or those of the groups of a heterogeneous cluster."""
        if self.instance_groups:
            return tuple(group.instance_type for group in self.instance_groups)
        return (self.instance_type,) if self.instance_type else ()

    @property
    def instances(self) -> int | None:
        """How many instances it runs on; None when the description does not say."""
        if self.instance_groups:
            return sum(group.instance_count for group in self.instance_groups)
        return self.instance_count


class TrainingJob(Training):
    """``DescribeTrainingJob``, or the same record from ``Search``."""

    kind: ClassVar[str] = "training-job"
    name: str = Field(alias="TrainingJobName")
    arn: str = Field("", alias="TrainingJobArn")
    status: str = Field("", alias="TrainingJobStatus")
    secondary_status: str = Field("", alias="SecondaryStatus")
    created: datetime | None = Field(None, alias="CreationTime")
    modified: datetime | None = Field(None, alias="LastModifiedTime")
    tuning_job_arn: str | None = Field(None, alias="TuningJobArn")
    auto_ml_job_arn: str | None = Field(None, alias="AutoMLJobArn")
    labeling_job_arn: str | None = Field(None, alias="LabelingJobArn")
    training_seconds: int | None = Field(None, alias="TrainingTimeInSeconds")
    billable_seconds: int | None = Field(None, alias="BillableTimeInSeconds")
    started: datetime | None = Field(None, alias="TrainingStartTime")
    ended: datetime | None = Field(None, alias="TrainingEndTime")
    interruptions: int | None = Field(None, description="SecondaryStatusTransitions[].Status")
    tags: Tags | None = Field(None, alias="Tags")

    @property
    def run_seconds(self) -> int | None:
        """How long it trained: ``TrainingTimeInSeconds``, else the time between start and end, else None."""
        if self.training_seconds is not None:
            return self.training_seconds
        if self.started and self.ended:
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
    pages = reader.search("TrainingJob", since(reader.cutoff))
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
    *newer, oldest = (reader.search("TrainingJob", window) for window in windows)
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
            news = [one for one in page if one.get("TrainingJobArn") not in self._known]
            self._known |= {one.get("TrainingJobArn") for one in news if one.get("TrainingJobStatus") in _MOVING}
        return news


def _windows(reader: Reader, first: list[dict[str, Any]]) -> list[list[dict[str, str]]]:
    """Search filters that part the time from the cutoff on, the newest first, which has no end; none when one chain
    will do. Together they hold every job in whatever order a search answers."""
    try:
        times = [moment(one["LastModifiedTime"]) for one in first if one.get("LastModifiedTime") is not None]
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
        yield described_training_jobs(reader, [one["TrainingJobName"] for one in page])


def described_training_jobs(reader: Reader, names: Iterable[str]) -> list[TrainingJob]:
    """The named training jobs that exist."""
    return _typed(reader, reader.describe_each(Part.TRAINING_JOBS, "DescribeTrainingJob", "TrainingJobName", names))


def _typed(reader: Reader, records: Iterable[dict[str, Any]]) -> list[TrainingJob]:
    named = [record for record in records if record.get("TrainingJobName")]
    return reader.typed(Part.TRAINING_JOBS, TrainingJob, named, "TrainingJobName")
