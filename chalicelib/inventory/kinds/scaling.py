"""Application Auto Scaling, and the load tests behind it: the facts, and how they are read."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any, ClassVar, NamedTuple

from pydantic import BeforeValidator, Field, model_validator

from chalicelib.inventory.aws import moment
from chalicelib.inventory.facts import Fact, Tags
from chalicelib.inventory.parts import Part
from chalicelib.inventory.reader import Reader

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


_SERVICE = "application-autoscaling"
_NAMESPACE = {"ServiceNamespace": "sagemaker"}


def targets(reader: Reader, resource_ids: Sequence[str] = ()) -> list[ScalableTarget]:
    """The scalable targets of the region, or those of the named resources."""
    named = {"ResourceIds": list(resource_ids)} if resource_ids else {}
    raw = reader.aws.listing(_SERVICE, "DescribeScalableTargets", "ScalableTargets", **_NAMESPACE, **named)
    scope = reader.scope
    stem = f"arn:{scope.partition}:sagemaker:{scope.region}:{scope.account}"
    found = {}
    for target in reader.typed(Part.TARGETS, ScalableTarget, raw):
        parts = target.resource_id.split("/")
        arn = target.target_arn or f"{stem}:{'/'.join(parts[:2])}"
        found[target.resource_id, target.dimension] = target.model_copy(update={"arn": arn})
    return list(found.values())


def policies(reader: Reader, resource_ids: Sequence[str] = ()) -> list[ScalingPolicy]:
    """The scaling policies of the region, or those of the named resources."""
    raw = _of_each(reader, "DescribeScalingPolicies", "ScalingPolicies", resource_ids)
    return list({one.arn or one.name: one for one in reader.typed(Part.POLICIES, ScalingPolicy, raw)}.values())


def schedules(reader: Reader, resource_ids: Sequence[str] = ()) -> list[ScheduledAction]:
    """The scheduled actions of the region, or those of the named resources."""
    raw = _of_each(reader, "DescribeScheduledActions", "ScheduledActions", resource_ids)
    return reader.typed(Part.SCHEDULES, ScheduledAction, raw)


def activities(reader: Reader, resource_ids: Sequence[str] = ()) -> list[ScalingActivity]:
    """The scaling activities of the window, the refused ones too. AWS gives the newest first: older pages are left."""
    oldest = reader.now - timedelta(hours=reader.needs.activity_hours)
    found: list[ScalingActivity] = []
    for named in [{"ResourceId": one} for one in resource_ids] or [{}]:
        pages = reader.aws.pages(
            _SERVICE,
            "DescribeScalingActivities",
            "ScalingActivities",
            IncludeNotScaledActivities=True,
            **_NAMESPACE,
            **named,
        )
        for page in pages:
            parsed = reader.typed(Part.ACTIVITIES, ScalingActivity, page)
            recent = [one for one in parsed if one.started is None or one.started >= oldest]
            found += recent
            if len(recent) < len(parsed):
                break
    return found


def _of_each(reader: Reader, operation: str, key: str, resource_ids: Sequence[str]) -> Iterable[dict[str, Any]]:
    """These operations take one resource id at most, so named resources are asked one by one."""
    if not resource_ids:
        return reader.aws.listing(_SERVICE, operation, key, **_NAMESPACE)
    answers = reader.each(
        lambda one: reader.aws.listing(_SERVICE, operation, key, ResourceId=one, **_NAMESPACE), resource_ids
    )
    return [item for answer in answers for item in answer]


def alarms(reader: Reader, of: Iterable[ScalingPolicy]) -> dict[str, Alarm]:
    """The alarms that these policies name, 100 a call. A name without an answer is an alarm that is gone."""
    names = sorted({alarm.name for policy in of for alarm in policy.alarms if alarm.name})
    slices = [names[start : start + 100] for start in range(0, len(names), 100)]
    answers = reader.each(
        lambda some: reader.aws.listing(
            "cloudwatch", "DescribeAlarms", "MetricAlarms", AlarmNames=some, MaxRecords=100
        ),
        slices,
    )
    found = reader.typed(Part.ALARMS, Alarm, [one for answer in answers for one in answer])
    return {one.name: one for one in found}


class RecommendationJob(NamedTuple):
    """A finished Inference Recommender job, the model that it measured, and when it completed."""

    name: str
    model_name: str | None
    completed: datetime | None


def recommendation_jobs(reader: Reader, models: Sequence[str] | None) -> list[RecommendationJob]:
    """The Inference Recommender jobs that completed in the window, all of them or those of the named models."""
    after = reader.now - timedelta(days=reader.needs.recommendation_days)
    found: list[RecommendationJob] = []
    for named in [{}] if models is None else [{"ModelNameEquals": name} for name in models]:
        listed = reader.aws.listing(
            "sagemaker",
            "ListInferenceRecommendationsJobs",
            "InferenceRecommendationsJobs",
            StatusEquals="COMPLETED",
            LastModifiedTimeAfter=after,
            MaxResults=100,
            **named,
        )
        for one in listed:
            completed = one.get("CompletionTime")
            completed = moment(completed) if completed is not None else None
            found.append(RecommendationJob(one["JobName"], one.get("ModelName"), completed))
    return found
