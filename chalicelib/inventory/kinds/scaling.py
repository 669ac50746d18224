"""Application Auto Scaling: the facts, and how they are read."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any, ClassVar, NamedTuple

from pydantic import Field

from chalicelib.inventory.facts import Amount, Count, Fact, Present, Stated, States, Tags, Time, at, states
from chalicelib.inventory.parts import Part
from chalicelib.inventory.reader import Reader
from chalicelib.inventory.schedules import over

INSTANCE_DIMENSION = "sagemaker:variant:DesiredInstanceCount"
COPY_DIMENSION = "sagemaker:inference-component:DesiredCopyCount"
PROVISIONED_DIMENSION = "sagemaker:variant:DesiredProvisionedConcurrency"

#: The predefined metric whose target value only a load test can tell.
INVOCATIONS_PER_INSTANCE = "SageMakerVariantInvocationsPerInstance"


class SuspendedState(Fact):
    """Which kinds of scaling somebody has switched off."""

    dynamic_in: bool = at("DynamicScalingInSuspended", default=False)
    dynamic_out: bool = at("DynamicScalingOutSuspended", default=False)
    scheduled: bool = at("ScheduledScalingSuspended", default=False)

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
    essential: ClassVar[tuple[str, ...]] = ("ScalableDimension", "MinCapacity", "MaxCapacity")
    resource_id: str = at("ResourceId", required=True)
    dimension: str = at("ScalableDimension", default=INSTANCE_DIMENSION)
    target_arn: str | None = at("ScalableTargetARN")
    min_capacity: Count | None = at("MinCapacity")
    max_capacity: Count | None = at("MaxCapacity")
    created: Time | None = at("CreationTime")
    suspended: SuspendedState = at("SuspendedState", default=SuspendedState.model_construct())
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
    def scales_component(self) -> bool:
        """True for an inference component, by whatever dimension."""
        return self.scales_copies or self.resource_id.startswith("inference-component/")

    @property
    def scales_copies(self) -> bool:
        return self.dimension == COPY_DIMENSION


class ScheduledAction(Fact):
    """``DescribeScheduledActions``."""

    essential: ClassVar[tuple[str, ...]] = ("Schedule",)
    name: str = at("ScheduledActionName", required=True)
    resource_id: str = at("ResourceId", required=True)
    dimension: str = at("ScalableDimension", default=INSTANCE_DIMENSION)
    schedule: str = at("Schedule", default="")
    timezone: str | None = at("Timezone")
    start: Time | None = at("StartTime")
    end: Time | None = at("EndTime")
    min_capacity: Count | None = at("ScalableTargetAction.MinCapacity")
    max_capacity: Count | None = at("ScalableTargetAction.MaxCapacity")

    def lives(self, now: datetime) -> bool:
        """False for an action that is over. Raises Unread where its time zone is not known and that decides."""
        return not (self.end is not None and self.end <= now) and not over(self.schedule, self.timezone, now)


class Bounds(NamedTuple):
    """The limits between which a target scales."""

    minimum: int
    maximum: int

    def changed(self, action: ScheduledAction) -> "Bounds":
        """The limits that a scheduled action leaves behind: those that it does not name stay as they are."""
        minimum, maximum = action.min_capacity, action.max_capacity
        return Bounds(
            self.minimum if minimum is None else minimum,
            self.maximum if maximum is None else maximum,
        )


class AlarmRef(Fact):
    """An alarm that a scaling policy names."""

    name: str = at("AlarmName", default="")
    arn: str = at("AlarmARN", default="")


class Dimension(Fact):
    """One dimension of a CloudWatch metric."""

    name: str = at("Name", default="")
    value: str = at("Value", default="")


class MetricRef(Fact):
    """A CloudWatch metric by name and dimensions."""

    name: str | None = at("MetricName")
    namespace: str | None = at("Namespace")
    dimensions: tuple[Dimension, ...] = at("Dimensions", default=())

    def dimension(self, name: str) -> str | None:
        """The value of the named dimension, or None without it."""
        return next((dimension.value for dimension in self.dimensions if dimension.name == name), None)


_TRACKING = "TargetTrackingScalingPolicyConfiguration"


def _metrics(specification: Any) -> Any:
    """The metrics that AWS's customized specification reads, whether named directly or inside metric math."""
    if not isinstance(specification, Mapping):
        return specification
    if specification.get("Metrics"):
        stats = (query.get("MetricStat") or {} for query in specification["Metrics"])
        return tuple(stat["Metric"] for stat in stats if stat.get("Metric"))
    return (specification,) if specification.get("MetricName") else ()


def _steps_in(configuration: Any) -> Any:
    """Whether AWS's step scaling configuration can take capacity away."""
    if not isinstance(configuration, Mapping):
        return configuration
    exact = configuration.get("AdjustmentType") == "ExactCapacity"
    return exact or any(change < 0 for change in _adjustments(configuration))


def _steps_out(configuration: Any) -> Any:
    """Whether AWS's step scaling configuration can add capacity."""
    if not isinstance(configuration, Mapping):
        return configuration
    return any(change > 0 for change in _adjustments(configuration))


def _adjustments(configuration: Mapping[str, Any]) -> list[int]:
    return [step.get("ScalingAdjustment") or 0 for step in configuration.get("StepAdjustments") or ()]


class StepAdjustment(Fact):
    """What a step policy does while its metric lies between two distances from the alarm's threshold."""

    lower: float | None = at("MetricIntervalLowerBound")
    upper: float | None = at("MetricIntervalUpperBound")
    adjustment: int = at("ScalingAdjustment", default=0)


class ScalingPolicy(Stated):
    """``DescribeScalingPolicies``. Cooldowns are in seconds; ``custom_metrics`` is empty for a predefined metric;
    ``steps_in`` and ``steps_out`` say that a step policy can take capacity away, and add some."""

    kind: ClassVar[str] = "scaling-policy"
    essential: ClassVar[tuple[str, ...]] = ("ScalableDimension", "PolicyType")
    known_states: ClassVar[States] = {
        "policy_type": states("StepScaling", "TargetTrackingScaling", "PredictiveScaling")
    }
    policy_name: str = at("PolicyName", required=True)
    arn: str = at("PolicyARN", default="")
    resource_id: str = at("ResourceId", required=True)
    dimension: str = at("ScalableDimension", default=INSTANCE_DIMENSION)
    policy_type: str = at("PolicyType", default="")
    created: Time | None = at("CreationTime")
    alarms: tuple[AlarmRef, ...] = at("Alarms", default=())
    target_value: Amount | None = at(f"{_TRACKING}.TargetValue")
    predefined_metric: str | None = at(f"{_TRACKING}.PredefinedMetricSpecification.PredefinedMetricType")
    custom_metrics: tuple[MetricRef, ...] = at(
        f"{_TRACKING}.CustomizedMetricSpecification", default=(), convert=_metrics
    )
    custom_statistic: str | None = at(f"{_TRACKING}.CustomizedMetricSpecification.Statistic")
    metric_math: Present = at(f"{_TRACKING}.CustomizedMetricSpecification.Metrics", default=False)
    expressions: tuple[str, ...] = at(f"{_TRACKING}.CustomizedMetricSpecification.Metrics[].Expression", default=())
    scale_in_cooldown: Count | None = at(f"{_TRACKING}.ScaleInCooldown")
    scale_out_cooldown: Count | None = at(f"{_TRACKING}.ScaleOutCooldown")
    disable_scale_in: bool = at(f"{_TRACKING}.DisableScaleIn", default=False)
    steps_in: bool = at("StepScalingPolicyConfiguration", default=False, convert=_steps_in)
    steps_out: bool = at("StepScalingPolicyConfiguration", default=False, convert=_steps_out)
    step_cooldown: Count | None = at("StepScalingPolicyConfiguration.Cooldown")
    steps: tuple[StepAdjustment, ...] = at("StepScalingPolicyConfiguration.StepAdjustments", default=())
    adjustment_type: str | None = at("StepScalingPolicyConfiguration.AdjustmentType")
    least_adjustment: Count | None = at("StepScalingPolicyConfiguration.MinAdjustmentMagnitude")
    tags: Tags | None = Field(None, description="tags of what it scales")

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


class ScalingActivity(Stated):
    """``DescribeScalingActivities`` with the activities that were not scaled."""

    essential: ClassVar[tuple[str, ...]] = ("ScalableDimension", "StatusCode")
    known_states: ClassVar[States] = {
        "status": states("Pending", "InProgress", "Successful", "Overridden", "Unfulfilled", "Failed")
    }
    resource_id: str = at("ResourceId", required=True)
    dimension: str = at("ScalableDimension", default=INSTANCE_DIMENSION)
    status: str = at("StatusCode", default="")
    message: str | None = at("StatusMessage")
    description: str | None = at("Description")
    cause: str | None = at("Cause")
    started: Time | None = at("StartTime")
    ended: Time | None = at("EndTime")
    not_scaled_reasons: tuple[str, ...] = at("NotScaledReasons[].Code", default=())
    maxima: tuple[int, ...] = at("NotScaledReasons[].MaxCapacity", default=(), description="MaxCapacity at its time")


class Alarm(Stated):
    """``DescribeAlarms``. The period is in seconds; metric math has none here. Actions are ARNs."""

    known_states: ClassVar[States] = {"state": states("OK", "ALARM", "INSUFFICIENT_DATA")}
    name: str = at("AlarmName", required=True)
    arn: str = at("AlarmArn", default="")
    actions_enabled: bool = at("ActionsEnabled", default=True)
    state: str | None = at("StateValue")
    state_since: Time | None = at("StateUpdatedTimestamp")
    metric_name: str | None = at("MetricName")
    namespace: str | None = at("Namespace")
    dimensions: tuple[Dimension, ...] = at("Dimensions", default=())
    queried_metrics: tuple[MetricRef, ...] = at("Metrics[].MetricStat.Metric", default=())
    alarm_actions: tuple[str, ...] = at("AlarmActions", default=())
    ok_actions: tuple[str, ...] = at("OKActions", default=())
    insufficient_data_actions: tuple[str, ...] = at("InsufficientDataActions", default=())
    period: Count | None = at("Period")
    evaluation_periods: Count | None = at("EvaluationPeriods")
    datapoints_to_alarm: Count | None = at("DatapointsToAlarm")
    threshold: float | None = at("Threshold")
    comparison: str | None = at("ComparisonOperator")
    rule: str | None = at("AlarmRule", description="AlarmRule, which a composite alarm has")
    expressions: tuple[str, ...] = at("Metrics[].Expression", default=())
    query: str | None = at("EvaluationCriteria.PromQLCriteria.Query")

    @property
    def metrics(self) -> tuple[MetricRef, ...]:
        """The metrics that it watches, whether named directly or inside metric math."""
        if self.queried_metrics or self.metric_name is None:
            return self.queried_metrics
        return (MetricRef(name=self.metric_name, namespace=self.namespace, dimensions=self.dimensions),)

    def acts_on(self, policy: ScalingPolicy) -> bool:
        """True where the policy is among the alarm's actions; AWS writes ``:createdBy/…`` behind a policy's ARN."""
        actions = (*self.alarm_actions, *self.ok_actions, *self.insufficient_data_actions)
        return any(action == policy.arn or action.startswith(f"{policy.arn}:") for action in actions)

    @property
    def unclear(self) -> str:
        """Why it is not known what the alarm watches, or an empty text."""
        if self.rule is not None:
            return "is a composite alarm"
        return "" if self.metrics else "watches a query that is not read"


def display_name(resource_id: str) -> str:
    """How people name what scales: ``endpoint/E/variant/V`` as ``E/V``, ``inference-component/C`` as ``C``."""
    parts = resource_id.split("/")
    if len(parts) == 4 and parts[0] == "endpoint" and parts[2] == "variant":
        return f"{parts[1]}/{parts[3]}"
    return parts[1] if len(parts) == 2 and parts[0] == "inference-component" else resource_id


_SERVICE = "application-autoscaling"
#: Pages of 50 scaling activities that are read where a window goes further back than a day.
PAGES_BACK_OF_A_SWEEP, PAGES_BACK = 20, 1
#: ``DescribeScalableTargets`` takes this many resource ids.
MOST_IDS = 50
_NAMESPACE = {"ServiceNamespace": "sagemaker"}


def targets(reader: Reader, resource_ids: Sequence[str] = ()) -> list[ScalableTarget]:
    """The scalable targets of the region, or those of the named resources."""
    slices = [resource_ids[start : start + MOST_IDS] for start in range(0, len(resource_ids), MOST_IDS)]
    asked = [{"ResourceIds": list(ids)} for ids in slices] or [{}]
    read = partial(reader.aws.listing, _SERVICE, "DescribeScalableTargets", "ScalableTargets", **_NAMESPACE)
    raw = [record for named in asked for record in read(**named)]
    scope = reader.scope
    stem = f"arn:{scope.partition}:sagemaker:{scope.region}:{scope.account}"
    targets = {}
    for target in reader.typed(Part.TARGETS, ScalableTarget, raw):
        parts = target.resource_id.split("/")
        arn = target.target_arn or f"{stem}:{'/'.join(parts[:2])}"
        targets[target.resource_id, target.dimension] = target.model_copy(update={"arn": arn})
    return list(targets.values())


def policies(reader: Reader, resource_ids: Sequence[str] = ()) -> list[ScalingPolicy]:
    """The scaling policies of the region, or those of the named resources."""
    raw = _of_each(reader, "DescribeScalingPolicies", "ScalingPolicies", resource_ids)
    return list(
        {policy.arn or policy.name: policy for policy in reader.typed(Part.POLICIES, ScalingPolicy, raw)}.values()
    )


def schedules(reader: Reader, resource_ids: Sequence[str] = ()) -> list[ScheduledAction]:
    """The scheduled actions of the region, or those of the named resources."""
    raw = _of_each(reader, "DescribeScheduledActions", "ScheduledActions", resource_ids)
    return reader.typed(Part.SCHEDULES, ScheduledAction, raw)


def activities(reader: Reader, resource_ids: Sequence[str] = ()) -> list[ScalingActivity]:
    """The scaling activities of the window, the refused ones too. AWS gives the newest first: older pages are left. Of
    what lies further back than a day the first pages alone are read."""
    most = reader.needs.activity_pages or (PAGES_BACK_OF_A_SWEEP if reader.scope.whole else PAGES_BACK)
    oldest = reader.now - timedelta(hours=reader.needs.activity_hours)
    activities: list[ScalingActivity] = []
    for named in [{"ResourceId": id} for id in resource_ids] or [{}]:
        pages = reader.aws.pages(
            _SERVICE,
            "DescribeScalingActivities",
            "ScalingActivities",
            IncludeNotScaledActivities=True,
            **_NAMESPACE,
            **named,
        )
        for number, page in enumerate(pages, 1):
            parsed = reader.typed(Part.ACTIVITIES, ScalingActivity, page)
            recent = [activity for activity in parsed if activity.started is None or activity.started >= oldest]
            activities += recent
            far = any(activity.started and reader.now - activity.started > timedelta(days=1) for activity in parsed)
            if len(recent) < len(parsed) or (far and number >= most):
                break
    return activities


def _of_each(reader: Reader, operation: str, key: str, resource_ids: Sequence[str]) -> Iterable[dict[str, Any]]:
    """These operations take one resource id at most, so named resources are asked one by one."""
    if not resource_ids:
        return reader.aws.listing(_SERVICE, operation, key, **_NAMESPACE)
    answers = reader.each(
        lambda resource_id: reader.aws.listing(_SERVICE, operation, key, ResourceId=resource_id, **_NAMESPACE),
        resource_ids,
    )
    return [item for answer in answers for item in answer]
