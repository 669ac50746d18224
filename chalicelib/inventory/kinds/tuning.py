"""Hyperparameter tuning jobs: the facts, and how they are read."""

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from pydantic import Field

from chalicelib.inventory.answers import CallFailed
from chalicelib.inventory.facts import Amount, Count, Fact, Present, Stated, States, Tags, Time, at, many, states
from chalicelib.inventory.kinds.training import Training
from chalicelib.inventory.parts import Part
from chalicelib.inventory.reader import Reader, since


class TrainingDefinition(Training):
    """One training definition of a tuning job."""

    name: str | None = at("DefinitionName")
    hyperparameters: dict[str, str] = at("StaticHyperParameters", default={})
    instance_type: str | None = at("HyperParameterTuningResourceConfig.InstanceType", "ResourceConfig.InstanceType")
    instance_count: Count | None = at(
        "HyperParameterTuningResourceConfig.InstanceCount", "ResourceConfig.InstanceCount"
    )
    instance_preferences: Present = at(
        "HyperParameterTuningResourceConfig.InstanceConfigs", "ResourceConfig.InstancePreferences", default=False
    )


class TuningJob(Stated):
    """``DescribeHyperParameterTuningJob``. ``child_hours``: instance-hours of its training jobs (None: unread)."""

    kind: ClassVar[str] = "tuning-job"
    null_is_unread: ClassVar[Mapping[str, str]] = {
        **Fact.null_is_unread,
        "child_hours": "sagemaker:ListTrainingJobsForHyperParameterTuningJob",
        "longest_child_seconds": "sagemaker:ListTrainingJobsForHyperParameterTuningJob",
    }
    essential: ClassVar[tuple[str, ...]] = ("HyperParameterTuningJobStatus",)
    known_states: ClassVar[States] = {
        "status": states("Completed", "InProgress", "Failed", "Stopped", "Stopping", "Deleting", "DeleteFailed")
    }
    name: str = at("HyperParameterTuningJobName", required=True)
    arn: str = at("HyperParameterTuningJobArn", default="")
    status: str = at("HyperParameterTuningJobStatus", default="")
    created: Time | None = at("CreationTime")
    modified: Time | None = at("LastModifiedTime")
    definitions: tuple[TrainingDefinition, ...] = at(
        "TrainingJobDefinitions", "TrainingJobDefinition", default=(), convert=many
    )
    strategy: str | None = at("HyperParameterTuningJobConfig.Strategy")
    early_stopping: str | None = at("HyperParameterTuningJobConfig.TrainingJobEarlyStoppingType")
    most_jobs: Count | None = at("HyperParameterTuningJobConfig.ResourceLimits.MaxNumberOfTrainingJobs")
    child_hours: Amount | None = Field(None, description="times of its training jobs")
    children: Count = Field(0, description="number of its training jobs")
    tags: Tags | None = at("Tags")
    longest_child_seconds: Count | None = Field(None, description="longest run of its training jobs")


class Child(Fact):
    """A training job in the list of those of its tuning job."""

    definition_name: str | None = at("TrainingJobDefinitionName")
    started: Time | None = at("TrainingStartTime")
    ended: Time | None = at("TrainingEndTime")


def tuning_jobs(reader: Reader) -> dict[str, TuningJob]:
    """The tuning jobs that changed since the cutoff."""
    records: list[dict[str, Any]] = []
    try:
        for page in reader.search(Part.TUNING_JOBS, "HyperParameterTuningJob", since(reader.cutoff)):
            records += page
    except CallFailed as failure:
        reader.search_failed(failure)
        records = []
    if records:
        jobs = reader.typed(Part.TUNING_JOBS, TuningJob, records, "HyperParameterTuningJobName")
        return {job.name: job for job in jobs}
    names = reader.names(
        Part.TUNING_JOBS,
        "ListHyperParameterTuningJobs",
        "HyperParameterTuningJobSummaries",
        "HyperParameterTuningJobName",
        MaxResults=100,
        LastModifiedTimeAfter=reader.cutoff,
    )
    return described_tuning_jobs(reader, names)


def described_tuning_jobs(reader: Reader, names: Iterable[str]) -> dict[str, TuningJob]:
    """The named tuning jobs that exist."""
    answers = reader.describe_each(
        Part.TUNING_JOBS, "DescribeHyperParameterTuningJob", "HyperParameterTuningJobName", names
    )
    jobs = reader.typed(Part.TUNING_JOBS, TuningJob, answers, "HyperParameterTuningJobName")
    return {job.name: job for job in jobs}


def children_hours(reader: Reader, job: TuningJob) -> TuningJob:
    """The tuning job with the instance-hours of its children, reckoned from their run times in its list."""
    children = reader.aws.listing(
        "sagemaker",
        "ListTrainingJobsForHyperParameterTuningJob",
        "TrainingJobSummaries",
        HyperParameterTuningJobName=job.name,
        MaxResults=100,
    )
    instances = {definition.name: definition.instances for definition in job.definitions}
    alone = next(iter(instances.values())) if len(instances) == 1 else None
    hours: float | None = 0.0
    longest = 0
    for child in reader.typed(Part.TUNING_JOBS, Child, children):
        count = instances.get(child.definition_name, alone)
        if child.started is None or child.ended is None or child.ended < child.started:
            continue
        seconds = (child.ended - child.started).total_seconds()
        longest = max(longest, int(seconds))
        hours = hours + seconds * count / 3600 if hours is not None and count else None
    return job.model_copy(update={"child_hours": hours, "children": len(children), "longest_child_seconds": longest})
