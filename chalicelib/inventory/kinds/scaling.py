"""Application Auto Scaling, and the load tests behind it: the facts, and how they are read."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any, ClassVar, NamedTuple

from pydantic import Field

from chalicelib.inventory.answers import moment
from chalicelib.inventory.facts import Fact, Tags, at
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
    resource_id: str = at("ResourceId", required=True)
    dimension: str = at("ScalableDimension", default=INSTANCE_DIMENSION)
    target_arn: str | None = at("ScalableTargetARN")
    min_capacity: int | None = at("MinCapacity")
    max_capacity: int | None = at("MaxCapacity")
    created: datetime | None = at("CreationTime")
    suspended: SuspendedState = at("SuspendedState", default=SuspendedState())
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

    name: str = at("ScheduledActionName", required=True)
    resource_id: str = at("ResourceId", required=True)
    dimension: str = at("ScalableDimension", default=INSTANCE_DIMENSION)
    schedule: str = at("Schedule", default="")
    timezone: str | None = at("Timezone")
    start: datetime | None = at("StartTime")
    end: datetime | None = at("EndTime")
    min_capacity: int | None = at("ScalableTargetAction.MinCapacity")
    max_capacity: int | None = at("ScalableTargetAction.MaxCapacity")

    def lives(self, now: datetime) -> bool:
        """False for an action that is over. Raises Unread where its time zone is not known and that decides."""
        return not (self.end is not None and self.end <= now) and not over(self.schedule, self.timezone, now)


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


class ScalingPolicy(Fact):
    """``DescribeScalingPolicies``. Cooldowns are in seconds; ``custom_metrics`` is empty for a predefined metric;
    ``steps_in`` and ``steps_out`` say that a step policy can take capacity away, and add some."""

    kind: ClassVar[str] = "scaling-policy"
    policy_name: str = at("PolicyName", required=True)
    arn: str = at("PolicyARN", default="")
    resource_id: str = at("ResourceId", required=True)
    dimension: str = at("ScalableDimension", default=INSTANCE_DIMENSION)
    policy_type: str = at("PolicyType", default="")
    created: datetime | None = at("CreationTime")
    alarms: tuple[AlarmRef, ...] = at("Alarms", default=())
    target_value: float | None = at(f"{_TRACKING}.TargetValue")
    predefined_metric: str | None = at(f"{_TRACKING}.PredefinedMetricSpecification.PredefinedMetricType")
    custom_metrics: tuple[MetricRef, ...] = at(
        f"{_TRACKING}.CustomizedMetricSpecification", default=(), convert=_metrics
    )
    scale_in_cooldown: int | None = at(f"{_TRACKING}.ScaleInCooldown")
    scale_out_cooldown: int | None = at(f"{_TRACKING}.ScaleOutCooldown")
    disable_scale_in: bool = at(f"{_TRACKING}.DisableScaleIn", default=False)
    steps_in: bool = at("StepScalingPolicyConfiguration", default=False, convert=_steps_in)
    steps_out: bool = at("StepScalingPolicyConfiguration", default=False, convert=_steps_out)
    step_cooldown: int | None = at("StepScalingPolicyConfiguration.Cooldown")
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


class ScalingActivity(Fact):
    """``DescribeScalingActivities`` with the activities that were not scaled."""

    resource_id: str = at("ResourceId", required=True)
    dimension: str = at("ScalableDimension", default=INSTANCE_DIMENSION)
    status: str = at("StatusCode", default="")
    message: str | None = at("StatusMessage")
    description: str | None = at("Description")
    cause: str | None = at("Cause")
    started: datetime | None = at("StartTime")
    ended: datetime | None = at("EndTime")
    not_scaled_reasons: tuple[str, ...] = at("NotScaledReasons[].Code", default=())
    maxima: tuple[int, ...] = at("NotScaledReasons[].MaxCapacity", default=(), description="MaxCapacity at its time")


class Alarm(Fact):
    """``DescribeAlarms``. The period is in seconds; metric math has none here. Actions are ARNs."""

    name: str = at("AlarmName", required=True)
    arn: str = at("AlarmArn", default="")
    actions_enabled: bool = at("ActionsEnabled", default=True)
    state: str | None = at("StateValue")
    state_since: datetime | None = at("StateUpdatedTimestamp")
    metric_name: str | None = at("MetricName")
    namespace: str | None = at("Namespace")
    dimensions: tuple[Dimension, ...] = at("Dimensions", default=())
    queried_metrics: tuple[MetricRef, ...] = at("Metrics[].MetricStat.Metric", default=())
    alarm_actions: tuple[str, ...] = at("AlarmActions", default=())
    ok_actions: tuple[str, ...] = at("OKActions", default=())
    insufficient_data_actions: tuple[str, ...] = at("InsufficientDataActions", default=())
    period: int | None = at("Period")
    evaluation_periods: int | None = at("EvaluationPeriods")
    datapoints_to_alarm: int | None = at("DatapointsToAlarm")
    threshold: float | None = at("Threshold")
    comparison: str | None = at("ComparisonOperator")
    rule: str | None = at("AlarmRule", description="AlarmRule, which a composite alarm has")

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
    """The scaling activities of the window, the refused ones too. AWS gives the newest first: older pages are left."""
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
        for page in pages:
            parsed = reader.typed(Part.ACTIVITIES, ScalingActivity, page)
            recent = [activity for activity in parsed if activity.started is None or activity.started >= oldest]
            activities += recent
            if len(recent) < len(parsed):
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


def alarms(reader: Reader, of: Iterable[ScalingPolicy]) -> dict[str, Alarm]:
    """The alarms that these policies name, 100 a call. A name without an answer is an alarm that is gone."""
    names = sorted({alarm.name for policy in of for alarm in policy.alarms if alarm.name})
    slices = [names[start : start + 100] for start in range(0, len(names), 100)]
    answers = reader.each(partial(_alarms_named, reader), slices)
    alarms = reader.typed(Part.ALARMS, Alarm, [alarm for answer in answers for alarm in answer])
    return {alarm.name: alarm for alarm in alarms}


def _alarms_named(reader: Reader, names: list[str]) -> list[dict[str, Any]]:
    """The alarms of these names, composite ones among them: at most 100, which is one page."""
    answer = reader.aws.call(
        "cloudwatch", "DescribeAlarms", AlarmNames=names, AlarmTypes=["MetricAlarm", "CompositeAlarm"], MaxRecords=100
    )
    return [*(answer.get("MetricAlarms") or ()), *(answer.get("CompositeAlarms") or ())]


class RecommendationJob(NamedTuple):
    """A finished Inference Recommender job, the model that it measured, and when it completed."""

    name: str
    model_name: str | None
    completed: datetime | None


class BenchmarkJob(NamedTuple):
    """A completed AI benchmark job, the name of the endpoint that it measured, and when it ended."""

    name: str
    endpoint_name: str
    completed: datetime | None


def benchmark_jobs(reader: Reader) -> list[BenchmarkJob] | None:
    """The AI benchmark jobs that completed in the window; None where this boto3 does not know them yet."""
    if not reader.aws.knows("sagemaker", "ListAIBenchmarkJobs"):
        return None
    listed = reader.aws.listing(
        "sagemaker",
        "ListAIBenchmarkJobs",
        "AIBenchmarkJobs",
        StatusEquals="Completed",
        CreationTimeAfter=reader.now - timedelta(days=reader.needs.recommendation_days),
        MaxResults=100,
    )
    described = reader.describe_each(
        Part.BENCHMARKS,
        "DescribeAIBenchmarkJob",
        "AIBenchmarkJobName",
        [summary["AIBenchmarkJobName"] for summary in listed],
    )
    jobs: list[BenchmarkJob] = []
    for job in described:
        measured = ((job.get("BenchmarkTarget") or {}).get("Endpoint") or {}).get("Identifier") or ""
        ended = job.get("EndTime")
        moment_of_end = moment(ended) if ended is not None else None
        jobs.append(BenchmarkJob(job["AIBenchmarkJobName"], measured.rsplit("/", 1)[-1], moment_of_end))
    return jobs


def recommendation_jobs(reader: Reader, models: Sequence[str] | None, keep: int = 0) -> list[RecommendationJob]:
    """The Inference Recommender jobs that completed in the window, all of them or those of the named models, asked for
    one by one while ``keep`` calls stay."""
    if models is not None:
        models = reader.afforded(Part.RECOMMENDATIONS, models, keep=keep)
    after = reader.now - timedelta(days=reader.needs.recommendation_days)
    jobs: list[RecommendationJob] = []
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
        for listed_job in listed:
            completed = listed_job.get("CompletionTime")
            completed = moment(completed) if completed is not None else None
            jobs.append(RecommendationJob(listed_job["JobName"], listed_job.get("ModelName"), completed))
    return jobs
