"""Kinds that are read by their list and descriptions alone: the facts of each."""

from datetime import datetime
from typing import ClassVar

from chalicelib.inventory.facts import Fact, Tags, at, filled


class NotebookInstance(Fact):
    """``DescribeNotebookInstance``."""

    kind: ClassVar[str] = "notebook-instance"
    name: str = at("NotebookInstanceName", required=True)
    arn: str = at("NotebookInstanceArn", default="")
    status: str = at("NotebookInstanceStatus", default="")
    instance_type: str | None = at("InstanceType")
    accelerator_types: tuple[str, ...] = at("AcceleratorTypes", default=())
    tags: Tags | None = at("Tags")


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


class Cluster(Fact):
    """``DescribeCluster``: a HyperPod cluster."""

    kind: ClassVar[str] = "cluster"
    name: str = at("ClusterName", required=True)
    arn: str = at("ClusterArn", default="")
    status: str = at("ClusterStatus", default="")
    created: datetime | None = at("CreationTime")
    node_recovery: str | None = at("NodeRecovery")
    tags: Tags | None = at("Tags")


#: The facts of each plain kind.
PLAIN: dict[str, type[Fact]] = {model.kind: model for model in (TransformJob, NotebookInstance, Cluster)}
