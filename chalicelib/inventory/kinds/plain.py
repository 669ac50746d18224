"""Kinds that are read by their list and descriptions alone: the facts of each."""

from typing import ClassVar

from chalicelib.inventory.facts import Count, Fact, Stated, States, Tags, Time, at, filled, states


class NotebookInstance(Stated):
    """``DescribeNotebookInstance``."""

    kind: ClassVar[str] = "notebook-instance"
    essential: ClassVar[tuple[str, ...]] = ("NotebookInstanceStatus",)
    known_states: ClassVar[States] = {
        "status": states(
            "Pending",
            "InService",
            "Stopping",
            "Stopped",
            "Failed",
            "Deleting",
            "Updating",
            "PendingMaintenance",
            "InMaintenance",
        )
    }
    name: str = at("NotebookInstanceName", required=True)
    arn: str = at("NotebookInstanceArn", default="")
    status: str = at("NotebookInstanceStatus", default="")
    instance_type: str | None = at("InstanceType")
    accelerator_types: tuple[str, ...] = at("AcceleratorTypes", default=())
    tags: Tags | None = at("Tags")


class TransformJob(Stated):
    """``DescribeTransformJob``."""

    kind: ClassVar[str] = "transform-job"
    essential: ClassVar[tuple[str, ...]] = ("TransformJobStatus",)
    known_states: ClassVar[States] = {"status": states("InProgress", "Completed", "Failed", "Stopping", "Stopped")}
    name: str = at("TransformJobName", required=True)
    arn: str = at("TransformJobArn", default="")
    status: str = at("TransformJobStatus", default="")
    model_name: str | None = at("ModelName")
    instance_type: str | None = at("TransformResources.InstanceType")
    instance_count: Count | None = at("TransformResources.InstanceCount")
    created: Time | None = at("CreationTime")
    auto_ml_job_arn: str | None = at("AutoMLJobArn", convert=filled)
    labeling_job_arn: str | None = at("LabelingJobArn", convert=filled)
    tags: Tags | None = at("Tags")


class Cluster(Stated):
    """``DescribeCluster``: a HyperPod cluster."""

    kind: ClassVar[str] = "cluster"
    essential: ClassVar[tuple[str, ...]] = ("ClusterStatus",)
    known_states: ClassVar[States] = {
        "status": states("Creating", "Deleting", "Failed", "InService", "RollingBack", "SystemUpdating", "Updating")
    }
    name: str = at("ClusterName", required=True)
    arn: str = at("ClusterArn", default="")
    status: str = at("ClusterStatus", default="")
    created: Time | None = at("CreationTime")
    node_recovery: str | None = at("NodeRecovery")
    tags: Tags | None = at("Tags")


#: The facts of each plain kind.
PLAIN: dict[str, type[Fact]] = {model.kind: model for model in (TransformJob, NotebookInstance, Cluster)}
