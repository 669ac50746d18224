"""Reading jobs inside the look-back window: training as a stream, tuning and batch transform as lists."""

from collections.abc import Iterable, Iterator
from typing import Any

from chalicelib.inventory.aws import CallFailed, moment
from chalicelib.inventory.jobs import TrainingJob, TransformJob, TuningJob
from chalicelib.inventory.parts import Part
from chalicelib.inventory.reading import Reader, since


def training_jobs(reader: Reader) -> Iterator[list[TrainingJob]]:
    """The training jobs that changed since the cutoff, page by page.

    An empty ``Search`` is confirmed by a list: its index lags, and a silent loss would look like a clean account.
    """
    found = False
    try:
        for page in reader.search("TrainingJob", since(reader.cutoff)):
            found = found or bool(page)
            yield _typed(reader, page)
    except CallFailed as failure:
        if found:
            raise
        reader.search_failed(failure)
    if not found:
        yield from _listed_training_jobs(reader)


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


def tuning_jobs(reader: Reader) -> dict[str, TuningJob]:
    """The tuning jobs that changed since the cutoff."""
    records: list[dict[str, Any]] = []
    try:
        for page in reader.search("HyperParameterTuningJob", since(reader.cutoff)):
            records += page
    except CallFailed as failure:
        reader.search_failed(failure)
        records = []
    if records:
        found = reader.typed(Part.TUNING_JOBS, TuningJob, records, "HyperParameterTuningJobName")
        return {job.name: job for job in found}
    listed = reader.aws.listing(
        "sagemaker",
        "ListHyperParameterTuningJobs",
        "HyperParameterTuningJobSummaries",
        MaxResults=100,
        LastModifiedTimeAfter=reader.cutoff,
    )
    return described_tuning_jobs(reader, [one["HyperParameterTuningJobName"] for one in listed])


def described_tuning_jobs(reader: Reader, names: Iterable[str]) -> dict[str, TuningJob]:
    """The named tuning jobs that exist."""
    answers = reader.describe_each(
        Part.TUNING_JOBS, "DescribeHyperParameterTuningJob", "HyperParameterTuningJobName", names
    )
    found = reader.typed(Part.TUNING_JOBS, TuningJob, answers, "HyperParameterTuningJobName")
    return {one.name: one for one in found}


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
    for child in children:
        count = instances.get(child.get("TrainingJobDefinitionName"), alone)
        begun, ended = child.get("TrainingStartTime"), child.get("TrainingEndTime")
        if begun is None or ended is None:
            continue
        seconds = (moment(ended) - moment(begun)).total_seconds()
        hours = hours + seconds * count / 3600 if hours is not None and count else None
    return job.model_copy(update={"child_hours": hours, "children": len(children)})


def transform_jobs(reader: Reader) -> dict[str, TransformJob]:
    """The batch transform jobs that changed since the cutoff."""
    listed = reader.aws.listing(
        "sagemaker",
        "ListTransformJobs",
        "TransformJobSummaries",
        MaxResults=100,
        LastModifiedTimeAfter=reader.cutoff,
    )
    return described_transform_jobs(reader, [one["TransformJobName"] for one in listed])


def described_transform_jobs(reader: Reader, names: Iterable[str]) -> dict[str, TransformJob]:
    """The named transform jobs that exist."""
    answers = reader.describe_each(Part.TRANSFORM_JOBS, "DescribeTransformJob", "TransformJobName", names)
    found = reader.typed(Part.TRANSFORM_JOBS, TransformJob, answers, "TransformJobName")
    return {one.name: one for one in found}
