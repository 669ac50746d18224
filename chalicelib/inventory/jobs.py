"""Jobs as AWS describes them: training, hyperparameter tuning, batch transform."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, ClassVar

from pydantic import BeforeValidator, Field, model_validator

from chalicelib.inventory.models import Fact, Tags, VpcConfig


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


class TrainingDefinition(Training):
    """One training definition of a tuning job."""

    name: str | None = Field(None, alias="DefinitionName")
    hyperparameters: dict[str, str] = Field(default_factory=dict, alias="StaticHyperParameters")


class TuningJob(Fact):
    """``DescribeHyperParameterTuningJob``. ``child_hours``: instance-hours of its training jobs (None: unread)."""

    kind: ClassVar[str] = "tuning-job"
    name: str = Field(alias="HyperParameterTuningJobName")
    arn: str = Field("", alias="HyperParameterTuningJobArn")
    status: str = Field("", alias="HyperParameterTuningJobStatus")
    created: datetime | None = Field(None, alias="CreationTime")
    modified: datetime | None = Field(None, alias="LastModifiedTime")
    definitions: tuple[TrainingDefinition, ...] = Field((), description="TrainingJobDefinition(s)")
    child_hours: float | None = Field(None, description="times of its training jobs")
    children: int = Field(0, description="number of its training jobs")
    tags: Tags | None = Field(None, alias="Tags")

    @model_validator(mode="before")
    @classmethod
    def _definitions(cls, given: Any) -> Any:
        if not isinstance(given, dict) or "definitions" in given:
            return given
        single = given.get("TrainingJobDefinition")
        return {**given, "definitions": given.get("TrainingJobDefinitions") or ([single] if single else [])}


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
