"""Kinds that are read by their list and descriptions alone: the facts of each."""

from typing import ClassVar

from chalicelib.inventory.facts import Count, Fact, Stated, States, Tags, Time, VpcConfig, at, filled, states
from chalicelib.inventory.kinds.plans import TrainingPlan


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
    platform: str | None = at("PlatformIdentifier")
    lifecycle_config: str | None = at("NotebookInstanceLifecycleConfigName", convert=filled)
    created: Time | None = at("CreationTime")
    modified: Time | None = at("LastModifiedTime")
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


class ClusterGroup(Fact):
    """An instance group of a HyperPod cluster, restricted ones included."""

    name: str = at("InstanceGroupName", default="")
    status: str = at("Status", default="")
    instance_type: str | None = at("InstanceType")
    instance_types: tuple[str, ...] = at("InstanceRequirements.CurrentInstanceTypes", default=())
    current_count: Count | None = at("CurrentCount")
    target_count: Count | None = at("TargetCount")
    deep_health_checks: tuple[str, ...] = at("OnStartDeepHealthChecks", default=())
    training_plan_arn: str | None = at("TrainingPlanArn", convert=filled)
    image_version_status: str | None = at("ImageVersionStatus")
    vpc_config: VpcConfig | None = at("OverrideVpcConfig")

    @property
    def types(self) -> tuple[str, ...]:
        """The instance types that it runs on; several where it names requirements in the place of one."""
        return self.instance_types or ((self.instance_type,) if self.instance_type else ())


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
    failure_message: str | None = at("FailureMessage", convert=filled)
    node_recovery: str | None = at("NodeRecovery")
    instance_groups: tuple[ClusterGroup, ...] = at("InstanceGroups", default=())
    restricted_groups: tuple[ClusterGroup, ...] = at("RestrictedInstanceGroups", default=())
    vpc_config: VpcConfig | None = at("VpcConfig")
    tags: Tags | None = at("Tags")

    @property
    def groups(self) -> tuple[ClusterGroup, ...]:
        """All instance groups, the restricted ones last."""
        return (*self.instance_groups, *self.restricted_groups)

    @property
    def subnets(self) -> tuple[str, ...]:
        """The subnets of its nodes: those of each group, else of the cluster; none where it runs in the VPC of AWS."""
        own = self.vpc_config.subnets if self.vpc_config else ()
        ids = [id for group in self.groups for id in (group.vpc_config.subnets if group.vpc_config else own)]
        return tuple(dict.fromkeys(ids or own))


#: The facts of each plain kind.
PLAIN: dict[str, type[Fact]] = {model.kind: model for model in (TransformJob, NotebookInstance, Cluster, TrainingPlan)}
