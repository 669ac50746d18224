"""What all parts of the lifelike account share: where and when it is, its images, its traffic, its scaling."""

from __future__ import annotations

import math
import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache, lru_cache
from itertools import chain
from pathlib import Path
from typing import Any

import yaml

from emulator import seed
from emulator.extension import autoscaling
from emulator.extension.registry import backend_of, handle
from emulator.extension.series import Point

REGISTRIES = Path(__file__).resolve().parents[1] / "policies" / "data" / "registries.yaml"
TRAFFIC_DAYS = 16
#: Of the last week there is every minute, and some more: an audit begins when the account has been made.
MINUTES_OF_TRAFFIC = 7 * 1440 + 60
OWN = "own"
ROLE = "sagemaker-execution"
DEEP_LEARNING = "dlc"


@dataclass(frozen=True, slots=True)
class Account:
    """The account id, the region and the moment at which everything is seeded."""

    id: str
    region: str
    now: datetime

    @property
    def role(self) -> str:
        return self.role_of(ROLE)

    def role_of(self, name: str) -> str:
        """The ARN of the role of this name."""
        return f"arn:aws:iam::{self.id}:role/{name}"

    def ago(self, *, days: float = 0, hours: float = 0, minutes: float = 0) -> datetime:
        """The moment that long before now."""
        return self.now - timedelta(days=days, hours=hours, minutes=minutes)

    def sagemaker(self, operation: str, **params: Any) -> None:
        """One call of a SageMaker operation, without HTTP. Raises AwsError as AWS refuses."""
        handle("sagemaker", operation, self.id, self.region, params)

    def image(self, short: str) -> str:
        """The URI of an image named by its registry and repository.

        The registry is a group of registries.yaml (`B/linear-learner:1`), `dlc` for AWS's Deep Learning Containers, or
        `own` for this account. Raises KeyError where AWS does not publish the group in the region.
        """
        registry, _, repository = short.partition("/")
        return f"{self._registry(registry)}.dkr.ecr.{self.region}.amazonaws.com/{repository}"

    def _registry(self, name: str) -> str:
        if name == OWN:
            return self.id
        facts = _registries()
        accounts: Mapping[str, str] = (
            facts["deep_learning_containers"] if name == DEEP_LEARNING else facts["groups"][name]
        )
        return accounts[self.region]


@cache
def _registries() -> dict[str, Any]:
    facts: dict[str, Any] = yaml.safe_load(REGISTRIES.read_text(encoding="utf-8"))
    return facts


# ---- traffic


#: One hour in so many is called of what is called rarely.
RARE_HOURS = 72


def calls(
    account: Account,
    dimensions: Mapping[str, str],
    peak: float,
    metric: str = "Invocations",
    *,
    rare: bool = False,
    by_minute: bool = False,
    jump: float = 0,
) -> None:
    """Sixteen days of Invocations, or of the metric in their place, up to `peak` a minute at noon of a working day;
    `rare` leaves one hour in three days of them. `by_minute` says that the last days have a datapoint for every minute,
    with noise, of which `jump` are asked from nine to eleven on working days."""
    hours = _hours(account.now)[:: RARE_HOURS if rare else 1]
    if by_minute and not rare:
        points = _points_by_minute(account.now.replace(second=0, microsecond=0), peak, jump)
    else:
        points = _points((hour, round(60 * peak * load)) for hour, load in hours)
    seed.metric_points(account.id, account.region, metric, dimensions, points, unit="None")


def _points(counted: Iterable[tuple[float, int]]) -> list[Point]:
    """One sample of value 1 for each request, as SageMaker writes it."""
    return [(moment, float(number), float(number), 1.0, 1.0) for moment, number in counted if number]


@lru_cache(maxsize=64)
def _points_by_minute(now: datetime, peak: float, jump: float) -> list[Point]:
    """The points of variants with the same traffic, which are many: the hours before the days that are rehearsed, and
    every minute of these."""
    minutes = _minutes_before(now)
    since = minutes[-1][0]
    earlier = ((hour, round(60 * peak * load)) for hour, load in _hours(now) if hour < since)
    later = (
        (minute, round(jump if jump and _in_the_morning(minute) else peak * load)) for minute, load in reversed(minutes)
    )
    return _points(chain(earlier, later))


@lru_cache(maxsize=4)
def _minutes_before(now: datetime) -> tuple[tuple[float, float], ...]:
    """Every minute of the days that are rehearsed, the newest first, in seconds since 1970, with its load: between
    those of the hours."""
    by_hour = dict(_hours(now))
    noise = random.Random(7)
    loads = []
    for back in range(MINUTES_OF_TRAFFIC):
        at = (now - timedelta(minutes=back)).timestamp()
        hour = at // 3600 * 3600
        share = (at - hour) / 3600
        load = by_hour[hour] * (1 - share) + by_hour.get(hour + 3600, by_hour[hour]) * share
        loads.append((at, load * noise.uniform(0.95, 1)))
    return tuple(loads)


def _in_the_morning(at: float) -> bool:
    moment = datetime.fromtimestamp(at, UTC)
    return moment.weekday() < 5 and 9 <= moment.hour < 11


def latency(account: Account, dimensions: Mapping[str, str], peak: float, milliseconds: float) -> None:
    """Sixteen days of ContainerLatency, in microseconds, of as many calls."""
    each = 1_000 * milliseconds
    counted = [(hour, round(60 * peak * load)) for hour, load in _hours(account.now)]
    points = [(hour, number * each, number, each, each) for hour, number in counted if number]
    seed.metric_statistics(account.id, account.region, "ContainerLatency", dimensions, points, unit="Microseconds")


def backlog(account: Account, endpoint: str, peak: float) -> None:
    """Sixteen days of the backlog of an asynchronous endpoint, which stands under EndpointName alone."""
    points = [(hour, 60 * peak * load / 2, 60, 0, peak * load) for hour, load in _hours(account.now)]
    dimensions = {"EndpointName": endpoint}
    seed.metric_statistics(account.id, account.region, "ApproximateBacklogSize", dimensions, points, unit="Count")


def gpu_use(account: Account, dimensions: Mapping[str, str], gpu: float, memory: float) -> None:
    """Sixteen days of GPU metrics that rise to these percentages (100 for each GPU) with the traffic."""
    _use(account, dimensions, {"GPUUtilization": gpu, "GPUMemoryUtilization": memory})


def cpu_use(account: Account, dimensions: Mapping[str, str], cpu: float, memory: float) -> None:
    """The same of CPU (100 for each vCPU) and memory."""
    _use(account, dimensions, {"CPUUtilization": cpu, "MemoryUtilization": memory})


def _use(account: Account, dimensions: Mapping[str, str], highest: Mapping[str, float]) -> None:
    for name, percent in highest.items():
        points = _points_of_use(account.now.replace(minute=0, second=0, microsecond=0), percent)
        seed.metric_points(
            account.id,
            account.region,
            name,
            dimensions,
            points,
            namespace="/aws/sagemaker/Endpoints",
            unit="Percent",
        )


@lru_cache(maxsize=256)
def _points_of_use(newest: datetime, percent: float) -> list[Point]:
    """A sample a minute of what rises to ``percent`` with the traffic: the same for many variants."""
    return [(hour, 60 * percent * load * 0.7, 60.0, 0.0, percent * load) for hour, load in _hours_before(newest)]


def _hours(now: datetime) -> tuple[tuple[float, float], ...]:
    """Every hour of the last days, in seconds since 1970, with its load between 0 and 1."""
    return _hours_before(now.replace(minute=0, second=0, microsecond=0))


@cache
def _hours_before(newest: datetime) -> tuple[tuple[float, float], ...]:
    """Quiet nights, a noon peak, calm weekends: the same for every variant, so made once."""
    loads = []
    for back in range(TRAFFIC_DAYS * 24):
        hour = newest - timedelta(hours=back)
        day = max(0.0, math.sin(math.pi * (hour.hour - 5) / 16))
        weekend = 0.5 if hour.weekday() >= 5 else 1.0
        loads.append((hour.timestamp(), (0.1 + 0.9 * day) * weekend))
    return tuple(loads)


# ---- automatic scaling


@dataclass(frozen=True, slots=True)
class Scaling:
    """A scalable target. tracking is the target value of its target-tracking policy, None for no policy.

    cooldowns are (in, out) in seconds; follows names an endpoint whose CPUUtilization is tracked; alarms says whether
    the alarms of the policy are still there; wakes adds a step policy that starts an asynchronous endpoint or component
    from zero, whose alarm watches it or what watches names; night is the minimum that a scheduled action sets
    every evening, until another one sets it back in the morning.
    """

    minimum: int = 2
    maximum: int = 6
    tracking: float | None = 800
    suspended: Sequence[str] = ()
    scheduled: bool = False
    cooldowns: tuple[int, int] = (600, 120)
    scale_in: bool = True
    follows: str | None = None
    alarms: bool = True
    wakes: bool = False
    watches: str | None = None
    night: int | None = None


_METRICS = {
    autoscaling.VARIANT: "SageMakerVariantInvocationsPerInstance",
    autoscaling.COMPONENT: "SageMakerInferenceComponentInvocationsPerCopy",
    autoscaling.CONCURRENCY: "SageMakerVariantProvisionedConcurrencyUtilization",
}


def scale(
    account: Account,
    resource_id: str,
    scaling: Scaling,
    *,
    since: datetime,
    dimension: str = autoscaling.VARIANT,
    backlog_of: str | None = None,
) -> None:
    """Makes a scalable target with its policy. backlog_of names an asynchronous endpoint whose queue is tracked."""
    seed.scalable_target(
        account.id,
        account.region,
        resource_id,
        minimum=scaling.minimum,
        maximum=scaling.maximum,
        suspended=scaling.suspended,
        dimension=dimension,
        created=since,
    )
    if scaling.tracking is not None:
        metric = _predefined(dimension)
        if scaling.follows or backlog_of:
            metric = _processor(scaling.follows) if scaling.follows else _backlog(str(backlog_of))
        missing: dict[str, Any] = {} if scaling.alarms else {"Alarms": []}
        seed.scaling_policy(
            account.id,
            account.region,
            "target-tracking",
            resource_id,
            dimension=dimension,
            PolicyType="TargetTrackingScaling",
            TargetTrackingScalingPolicyConfiguration={
                "TargetValue": scaling.tracking,
                "ScaleInCooldown": scaling.cooldowns[0],
                "ScaleOutCooldown": scaling.cooldowns[1],
                "DisableScaleIn": not scaling.scale_in,
                **metric,
            },
            CreationTime=since,
            **missing,
        )
    if scaling.wakes and backlog_of:
        watched = {"EndpointName": scaling.watches or backlog_of}
        _wake_up(account, resource_id, dimension, f"{backlog_of}-wake-up", "HasBacklogWithoutCapacity", watched)
    if scaling.wakes and dimension == autoscaling.COMPONENT:
        name = resource_id.partition("/")[2]
        watched = {"InferenceComponentName": scaling.watches or name}
        _wake_up(account, resource_id, dimension, f"{name}-wake-up", "NoCapacityInvocationFailures", watched)
    if scaling.scheduled:
        busy = {"MinCapacity": scaling.maximum, "MaxCapacity": scaling.maximum}
        _schedule(account, resource_id, dimension, "weekday-morning", "cron(0 6 ? * MON-FRI *)", busy)
    if scaling.night is not None:
        _schedule(account, resource_id, dimension, "night", "cron(0 20 * * ? *)", {"MinCapacity": scaling.night})
        _schedule(account, resource_id, dimension, "day", "cron(0 6 * * ? *)", {"MinCapacity": scaling.minimum})


def _predefined(dimension: str) -> dict[str, Any]:
    return {"PredefinedMetricSpecification": {"PredefinedMetricType": _METRICS[dimension]}}


def _backlog(endpoint: str) -> dict[str, Any]:
    return {
        "CustomizedMetricSpecification": {
            "Namespace": "AWS/SageMaker",
            "MetricName": "ApproximateBacklogSizePerInstance",
            "Dimensions": [{"Name": "EndpointName", "Value": endpoint}],
            "Statistic": "Average",
        }
    }


def _processor(endpoint: str) -> dict[str, Any]:
    return {
        "CustomizedMetricSpecification": {
            "Namespace": "/aws/sagemaker/Endpoints",
            "MetricName": "CPUUtilization",
            "Dimensions": [
                {"Name": "EndpointName", "Value": endpoint},
                {"Name": "VariantName", "Value": "AllTraffic"},
            ],
            "Statistic": "Average",
        }
    }


def _wake_up(
    account: Account, resource_id: str, dimension: str, alarm: str, metric: str, watched: Mapping[str, str]
) -> None:
    """A step policy that adds the first instance or copy, and the alarm on requests that find none, which calls it."""
    step = {"MetricIntervalLowerBound": 0, "ScalingAdjustment": 1}
    request = {
        "ServiceNamespace": "sagemaker",
        "PolicyName": "wake-up",
        "PolicyType": "StepScaling",
        "ResourceId": resource_id,
        "ScalableDimension": dimension,
        "StepScalingPolicyConfiguration": {"AdjustmentType": "ChangeInCapacity", "StepAdjustments": [step]},
    }
    made = handle(autoscaling.SERVICE, "PutScalingPolicy", account.id, account.region, request)
    assert made is not None
    backend_of("cloudwatch", account.id, account.region).put_metric_alarm(
        name=alarm,
        description="Requests come and no capacity runs",
        namespace="AWS/SageMaker",
        metric_name=metric,
        dimensions=[{"Name": name, "Value": value} for name, value in watched.items()],
        statistic="Average" if metric == "HasBacklogWithoutCapacity" else "Sum",
        period=60,
        evaluation_periods=1,
        threshold=1,
        comparison_operator="GreaterThanOrEqualToThreshold",
        alarm_actions=[made["PolicyARN"]],
        actions_enabled=True,
    )


def _schedule(
    account: Account, resource_id: str, dimension: str, name: str, schedule: str, limits: Mapping[str, int]
) -> None:
    request = {
        "ServiceNamespace": "sagemaker",
        "ScheduledActionName": name,
        "ResourceId": resource_id,
        "ScalableDimension": dimension,
        "Schedule": schedule,
        "Timezone": "Europe/Dublin",
        "ScalableTargetAction": dict(limits),
    }
    handle(autoscaling.SERVICE, "PutScheduledAction", account.id, account.region, request)


def error_alarm(account: Account, name: str, endpoint: str) -> None:
    """An alarm on the errors of an endpoint's variant, which tells the on-call topic."""
    watched = {"EndpointName": endpoint, "VariantName": "AllTraffic"}
    backend_of("cloudwatch", account.id, account.region).put_metric_alarm(
        name=name,
        description="Calls fail",
        namespace="AWS/SageMaker",
        metric_name="Invocation5XXErrors",
        dimensions=[{"Name": key, "Value": value} for key, value in watched.items()],
        statistic="Sum",
        period=300,
        evaluation_periods=1,
        threshold=5,
        comparison_operator="GreaterThanOrEqualToThreshold",
        alarm_actions=[f"arn:aws:sns:{account.region}:{account.id}:on-call"],
        actions_enabled=True,
    )


def settle_alarms(account: Account, since: datetime) -> None:
    """All alarms have seen enough data to say OK."""
    for name in list(backend_of("cloudwatch", account.id, account.region).alarms):
        seed.alarm(account.id, account.region, name, state="OK", updated=since)
