"""Kinds that are read by their list and descriptions alone: the facts of each."""

from datetime import datetime
from typing import Annotated, Any, ClassVar

from pydantic import BeforeValidator, Field, model_validator

from chalicelib.inventory.facts import Fact, Tags


class NotebookInstance(Fact):
    """``DescribeNotebookInstance``."""

    kind: ClassVar[str] = "notebook-instance"
    name: str = Field(alias="NotebookInstanceName")
    arn: str = Field("", alias="NotebookInstanceArn")
    status: str = Field("", alias="NotebookInstanceStatus")
    instance_type: str | None = Field(None, alias="InstanceType")
    accelerator_types: tuple[str, ...] = Field((), alias="AcceleratorTypes")
    tags: Tags | None = Field(None, alias="Tags")


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


class Cluster(Fact):
    """``DescribeCluster``: a HyperPod cluster."""

    kind: ClassVar[str] = "cluster"
    name: str = Field(alias="ClusterName")
    arn: str = Field("", alias="ClusterArn")
    status: str = Field("", alias="ClusterStatus")
    created: datetime | None = Field(None, alias="CreationTime")
    node_recovery: str | None = Field(None, alias="NodeRecovery")
    tags: Tags | None = Field(None, alias="Tags")


#: The facts of each plain kind.
PLAIN: dict[str, type[Fact]] = {model.kind: model for model in (TransformJob, NotebookInstance, Cluster)}
