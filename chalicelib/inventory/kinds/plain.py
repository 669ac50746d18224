"""Kinds that stand for themselves, notebook instances and transform jobs: the facts, and how they are read."""

from collections.abc import Iterable
from datetime import datetime
from typing import ClassVar

from chalicelib.inventory.facts import Fact, Tags, at, filled
from chalicelib.inventory.parts import Part
from chalicelib.inventory.reader import Reader


class NotebookInstance(Fact):
    """``DescribeNotebookInstance``."""

    kind: ClassVar[str] = "notebook-instance"
    name: str = at("NotebookInstanceName", required=True)
    arn: str = at("NotebookInstanceArn", default="")
    status: str = at("NotebookInstanceStatus", default="")
    instance_type: str | None = at("InstanceType")
    accelerator_types: tuple[str, ...] = at("AcceleratorTypes", default=())
    tags: Tags | None = at("Tags")


def notebooks(reader: Reader) -> dict[str, NotebookInstance]:
    """Every notebook instance of the region."""
    listed = reader.aws.listing("sagemaker", "ListNotebookInstances", "NotebookInstances", MaxResults=100)
    return described_notebooks(reader, [one["NotebookInstanceName"] for one in listed])


def described_notebooks(reader: Reader, names: Iterable[str]) -> dict[str, NotebookInstance]:
    """The named notebook instances that exist."""
    answers = reader.describe_each(Part.NOTEBOOKS, "DescribeNotebookInstance", "NotebookInstanceName", names)
    found = reader.typed(Part.NOTEBOOKS, NotebookInstance, answers, "NotebookInstanceName")
    return {one.name: one for one in found}


class TransformJob(Fact):
    """``DescribeTransformJob``."""

    kind: ClassVar[str] = "transform-job"
    name: str = at("TransformJobName", required=True)
    arn: str = at("TransformJobArn", default="")
    status: str = at("TransformJobStatus", default="")
    model_name: str | None = at("ModelName")
    instance_type: str | None = at("TransformResources.InstanceType")
    instance_count: int | None = at("TransformResources.InstanceCount")
    created: datetime | None = at("CreationTime")
    auto_ml_job_arn: str | None = at("AutoMLJobArn", convert=filled)
    labeling_job_arn: str | None = at("LabelingJobArn", convert=filled)
    tags: Tags | None = at("Tags")


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
