"""Application Auto Scaling as AWS describes it: targets, policies, scheduled actions, activities, alarms."""

from datetime import datetime
from typing import Annotated, Any, ClassVar

from pydantic import BeforeValidator, Field, model_validator

from chalicelib.inventory.models import Fact, Tags

INSTANCE_DIMENSION = "sagemaker:variant:DesiredInstanceCount"
COPY_DIMENSION = "sagemaker:inference-component:DesiredCopyCount"
PROVISIONED_DIMENSION = "sagemaker:variant:DesiredProvisionedConcurrency"


class SuspendedState(Fact):
    """Which kinds of scaling somebody has switched off."""

    dynamic_in: bool = Field(False, alias="DynamicScalingInSuspended")
    dynamic_out: bool = Field(False, alias="DynamicScalingOutSuspended")
    scheduled: bool = Field(False, alias="ScheduledScalingSuspended")

    @property
    def flags(self) -> tuple[str, ...]:
        """The names of the flags that are true, as AWS spells them."""
        named = (
            ("DynamicScalingInSuspended", self.dynamic_in),
            ("DynamicScalingOutSuspended", self.dynamic_out),
            ("ScheduledScalingSuspended", self.scheduled),
        )
        return tuple(name for name, suspended in named if suspended)


class ScalableTarget(Fact):
    """``DescribeScalableTargets``."""

    kind: ClassVar[str] = "scalable-target"
    resource_id: str = Field(alias="ResourceId")
    dimension: str = Field(INSTANCE_DIMENSION, alias="ScalableDimension")
    target_arn: str | None = Field(None, alias="ScalableTargetARN")
    min_capacity: int | None = Field(None, alias="MinCapacity")
    max_capacity: int | None = Field(None, alias="MaxCapacity")
    created: datetime | None = Field(None, alias="CreationTime")
    suspended: SuspendedState = Field(SuspendedState(), alias="SuspendedState")
    arn: str = Field("", description="ScalableTargetARN, or what it scales")
    tags: Tags | None = Field(None, description="tags of what it scales")

    @property
    def name(self) -> str:
        """``endpoint/variant``, or the component's name."""
        return display_name(self.resource_id)

    @property
    def scales_instances(self) -> bool:
        return self.dimension == INSTANCE_DIMENSION

    @property
    def scales_copies(self) -> bool:
        return self.dimension == COPY_DIMENSION


class ScheduledAction(Fact):
    """``DescribeScheduledActions``."""

    name: str = Field(alias="ScheduledActionName")
    resource_id: str = Field(alias="ResourceId")
    dimension: str = Field(INSTANCE_DIMENSION, alias="ScalableDimension")


class AlarmRef(Fact):
    """An alarm that a scaling policy names."""

    name: str = Field("", alias="AlarmName")
    arn: str = Field("", alias="AlarmARN")


class Dimension(Fact):
    """One dimension of a CloudWatch metric."""

    name: str = Field("", alias="Name")
    value: str = Field("", alias="Value")


class MetricRef(Fact):
    """A CloudWatch metric by name and dimensions."""

    name: str | None = Field(None, alias="MetricName")
    namespace: str | None = Field(None, alias="Namespace")
    dimensions: tuple[Dimension, ...] = Field((), alias="Dimensions")

    def dimension(self, name: str) -> str | None:
        """The value of the named dimension, or None without it."""
        return next((one.value for one in self.dimensions if one.name == name), None)


def _metrics(specification: Any) -> tuple[dict[str, Any], ...]:
    """The metrics that a customized specification reads, whether named directly or inside metric math."""
    if not specification:
        return ()
    if specification.get("Metrics"):
        stats = (query.get("MetricStat") or {} for query in specification["Metrics"])
        return tuple(stat["Metric"] for stat in stats if stat.get("Metric"))
    return (specification,) if specification.get("MetricName") else ()


class ScalingPolicy(Fact):
    """``DescribeScalingPolicies``. Cooldowns are in seconds; ``custom_metrics`` is empty for a predefined metric;
    ``steps_in`` says that a step policy can take capacity away."""

    kind: ClassVar[str] = "scaling-policy"
    policy_name: str = Field(alias="PolicyName")
    arn: str = Field("", alias="PolicyARN")
    resource_id: str = Field(alias="ResourceId")
    dimension: str = Field(INSTANCE_DIMENSION, alias="ScalableDimension")
    policy_type: str = Field("", alias="PolicyType")
    created: datetime | None = Field(None, alias="CreationTime")
    alarms: tuple[AlarmRef, ...] = Field((), alias="Alarms")
    target_value: float | None = Field(None, description="TargetTrackingScalingPolicyConfiguration.TargetValue")
    predefined_metric: str | None = Field(
        None, description="TargetTrackingScalingPolicyConfiguration.PredefinedMetricSpecification.PredefinedMetricType"
    )
    custom_metrics: tuple[MetricRef, ...] = Field(
        (), description="TargetTrackingScalingPolicyConfiguration.CustomizedMetricSpecification"
    )
    scale_in_cooldown: int | None = Field(None, description="TargetTrackingScalingPolicyConfiguration.ScaleInCooldown")
    scale_out_cooldown: int | None = Field(
        None, description="TargetTrackingScalingPolicyConfiguration.ScaleOutCooldown"
    )
    disable_scale_in: bool = Field(False, description="TargetTrackingScalingPolicyConfiguration.DisableScaleIn")
    steps_in: bool = Field(False, description="StepScalingPolicyConfiguration.StepAdjustments[].ScalingAdjustment")
    tags: Tags | None = Field(None, description="tags of what it scales")

    @model_validator(mode="before")
    @classmethod
    def _flatten(cls, given: Any) -> Any:
        if not isinstance(given, dict):
            return given
        if steps := given.get("StepScalingPolicyConfiguration"):
            adjustments = (one.get("ScalingAdjustment") or 0 for one in steps.get("StepAdjustments") or ())
            exact = steps.get("AdjustmentType") == "ExactCapacity"
            return {**given, "steps_in": exact or any(one < 0 for one in adjustments)}
        tracking = given.get("TargetTrackingScalingPolicyConfiguration")
        if not tracking:
            return given
        predefined = tracking.get("PredefinedMetricSpecification") or {}
        return {
            **given,
            "target_value": tracking.get("TargetValue"),
            "predefined_metric": predefined.get("PredefinedMetricType"),
            "custom_metrics": _metrics(tracking.get("CustomizedMetricSpecification")),
            "scale_in_cooldown": tracking.get("ScaleInCooldown"),
            "scale_out_cooldown": tracking.get("ScaleOutCooldown"),
            "disable_scale_in": bool(tracking.get("DisableScaleIn")),
        }

    @property
    def name(self) -> str:
        """``endpoint/variant/policy``, or ``component/policy``."""
        return f"{display_name(self.resource_id)}/{self.policy_name}"

    @property
    def target_tracking(self) -> bool:
        return self.policy_type == "TargetTrackingScaling"

    @property
    def step_scaling(self) -> bool:
        return self.policy_type == "StepScaling"


def _reasons(given: Any) -> Any:
    return tuple(one.get("Code", "") for one in given or () if isinstance(one, dict))


class ScalingActivity(Fact):
    """``DescribeScalingActivities`` with the activities that were not scaled."""

    resource_id: str = Field(alias="ResourceId")
    dimension: str = Field(INSTANCE_DIMENSION, alias="ScalableDimension")
    status: str = Field("", alias="StatusCode")
    message: str | None = Field(None, alias="StatusMessage")
    description: str | None = Field(None, alias="Description")
    cause: str | None = Field(None, alias="Cause")
    started: datetime | None = Field(None, alias="StartTime")
    ended: datetime | None = Field(None, alias="EndTime")
    not_scaled_reasons: Annotated[tuple[str, ...], BeforeValidator(_reasons)] = Field((), alias="NotScaledReasons")


class Alarm(Fact):
    """``DescribeAlarms``."""

    name: str = Field(alias="AlarmName")
    arn: str = Field("", alias="AlarmArn")
    actions_enabled: bool = Field(True, alias="ActionsEnabled")
    state: str | None = Field(None, alias="StateValue")
    state_since: datetime | None = Field(None, alias="StateUpdatedTimestamp")
    metrics: tuple[MetricRef, ...] = Field((), description="MetricName, Namespace, Dimensions, Metrics")

    @model_validator(mode="before")
    @classmethod
    def _named_metrics(cls, given: Any) -> Any:
        return {**given, "metrics": _metrics(given)} if isinstance(given, dict) and "metrics" not in given else given


def display_name(resource_id: str) -> str:
    """How people name what scales: ``endpoint/E/variant/V`` as ``E/V``, ``inference-component/C`` as ``C``."""
    parts = resource_id.split("/")
    if len(parts) == 4 and parts[0] == "endpoint" and parts[2] == "variant":
        return f"{parts[1]}/{parts[3]}"
    return parts[1] if len(parts) == 2 and parts[0] == "inference-component" else resource_id
