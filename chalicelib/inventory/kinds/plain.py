"""Kinds that stand for themselves, notebook instances and transform jobs: the facts, and how they are read."""

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Any, ClassVar

from pydantic import BeforeValidator, Field, model_validator

from chalicelib.inventory.facts import Fact, Tags
from chalicelib.inventory.parts import Part
from chalicelib.inventory.reader import Reader


class NotebookInstance(Fact):
    """``DescribeNotebookInstance``."""

    kind: ClassVar[str] = "notebook-instance"
    name: str = Field(alias="NotebookInstanceName")
    arn: str = Field("", alias="NotebookInstanceArn")
    status: str = Field("", alias="NotebookInstanceStatus")
    instance_type: str | None = Field(None, alias="InstanceType")
    accelerator_types: tuple[str, ...] = Field((), alias="AcceleratorTypes")
    tags: Tags | None = Field(None, alias="Tags")


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
    name: str = Field(alias="TransformJobName")
    arn: str = Field("", alias="TransformJobArn")
    status: str = Field("", alias="TransformJobStatus")
    model_name: str | None = Field(None, alias="ModelName")
    instance_type: str | None = Field(None, description="TransformResources.InstanceType")
    instance_count: int | None = Field(None, description="TransformResources.InstanceCount")
    created: datetime | None = Field(None, alias="CreationTime")
    auto_ml_job_arn: Annotated[str | None, BeforeValidator(lambda arn: arn or None)] = Field(None, alias="AutoMLJobArn")
    labeling_job_arn: Annotated[str | None, BeforeValidator(lambda arn: arn or None)] = Field(
        None, alias="LabelingJobArn"
    )
    tags: Tags | None = Field(None, alias="Tags")

    @model_validator(mode="before")
    @classmethod
    def _flatten(cls, given: Any) -> Any:
        resources = given.get("TransformResources") if isinstance(given, dict) else None
        if not resources:
            return given
        return {
            **given,
            "instance_type": resources.get("InstanceType"),
            "instance_count": resources.get("InstanceCount"),
        }


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
