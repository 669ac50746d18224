"""Reading CloudWatch: one batched ``GetMetricData`` for every variant that an enabled rule asks about.

Endpoint metrics exist only under EndpointName and VariantName together, but for the backlog of asynchronous endpoints,
which stands under EndpointName alone; those of inference components stand under their name. Asynchronous endpoints
publish no Invocations. Invocations live in ``AWS/SageMaker``, what the instances measure in
``/aws/sagemaker/Endpoints``. GPU percentages run to 100 × number of GPUs.

Sources: SageMaker developer guide, "Monitor SageMaker AI with Amazon CloudWatch" and "Alarms and logs for tracking
metrics from asynchronous endpoints".
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, NamedTuple

from msgspec import Struct

from chalicelib.inventory.answers import CallFailed, moment, text, unreadable
from chalicelib.inventory.facts import Unread
from chalicelib.inventory.instances import InstanceType
from chalicelib.inventory.kinds.components import InferenceComponent
from chalicelib.inventory.kinds.endpoints import Variant
from chalicelib.inventory.parts import Part
from chalicelib.inventory.reader import Reader
from chalicelib.report.cause import Cause


class Datapoint(NamedTuple):
    """A metric's value over the period that starts at ``start``."""

    start: datetime
    value: float


class MetricKey(NamedTuple):
    """A metric of one variant, and for ContainerLatency of one ``container``.

    A metric of an endpoint has no ``variant``, one of an inference component only a ``component``. Variants with
    instance pools are asked about by ``instance_type``, too.
    """

    metric: str
    endpoint: str
    variant: str
    container: str = ""
    component: str = ""
    instance_type: str = ""

    def __str__(self) -> str:
        whose = self.component or "/".join(name for name in (self.endpoint, self.variant, self.container) if name)
        return f"{self.metric} of {whose}" + (f" on {self.instance_type}" if self.instance_type else "")


QUERIES_A_CALL = 500
#: How often a metric is asked for that CloudWatch did not finish.
ATTEMPTS = 3
OPERATION = "cloudwatch:GetMetricData"


class Whose(StrEnum):
    """What a metric belongs to, and so by which dimensions it is asked for."""

    VARIANT = "variant"
    CONTAINER = "container"
    ENDPOINT = "endpoint"
    COMPONENT = "component"


class Metric(Struct, frozen=True):
    """How to ask CloudWatch for one metric: namespace, statistic, period in seconds, and whose it is.

    ``gpus_only``: asked for only where there are GPUs; ``cpus_only``: only where there is no accelerator.

    ``of_async``: whether asynchronous endpoints publish it, and whether others do. ``over_window``: the statistic is
    that of the whole window, whatever the period.
    """

    name: str
    namespace: str
    statistic: str
    period: int = 86_400
    gpus_only: bool = False
    cpus_only: bool = False
    whose: Whose = Whose.VARIANT
    of_async: tuple[bool, bool] = (True, True)
    over_window: bool = False


_ASYNC_ONLY, _NEVER_ASYNC = (True, False), (False, True)
_INSTANCES = "/aws/sagemaker/Endpoints"

METRICS = {
    "Invocations": Metric("Invocations", "AWS/SageMaker", "Sum", of_async=_NEVER_ASYNC),
    "InvocationsPerHour": Metric("Invocations", "AWS/SageMaker", "Sum", period=3_600, of_async=_NEVER_ASYNC),
    "InvocationsPerMinute": Metric("Invocations", "AWS/SageMaker", "Sum", period=60, of_async=_NEVER_ASYNC),
    "ComponentInvocations": Metric("Invocations", "AWS/SageMaker", "Sum", whose=Whose.COMPONENT),
    # The guide spells it both ways; whichever is published counts.
    "InvocationsProcessed": Metric("InvocationsProcessed", "AWS/SageMaker", "Sum", of_async=_ASYNC_ONLY),
    "InvocationsProcesssed": Metric("InvocationsProcesssed", "AWS/SageMaker", "Sum", of_async=_ASYNC_ONLY),
    "ApproximateBacklogSize": Metric(
        "ApproximateBacklogSize", "AWS/SageMaker", "Maximum", whose=Whose.ENDPOINT, of_async=_ASYNC_ONLY
    ),
    "InvocationFailures": Metric("InvocationFailures", "AWS/SageMaker", "Sum", of_async=_ASYNC_ONLY),
    "ExpiredRequests": Metric("ExpiredRequests", "AWS/SageMaker", "Sum", of_async=_ASYNC_ONLY),
    "ContainerLatency": Metric("ContainerLatency", "AWS/SageMaker", "Sum", whose=Whose.CONTAINER),
    "GPUUtilization": Metric("GPUUtilization", _INSTANCES, "Maximum", gpus_only=True),
    "GPUMemoryUtilization": Metric("GPUMemoryUtilization", _INSTANCES, "Maximum", gpus_only=True),
    "GPUUtilizationP99": Metric("GPUUtilization", _INSTANCES, "p99", gpus_only=True, over_window=True),
    "GPUMemoryUtilizationP99": Metric("GPUMemoryUtilization", _INSTANCES, "p99", gpus_only=True, over_window=True),
    "CPUUtilization": Metric("CPUUtilization", _INSTANCES, "Maximum", cpus_only=True),
    "MemoryUtilization": Metric("MemoryUtilization", _INSTANCES, "Maximum", cpus_only=True),
    "CPUUtilizationP99": Metric("CPUUtilization", _INSTANCES, "p99", cpus_only=True, over_window=True),
    "MemoryUtilizationP99": Metric("MemoryUtilization", _INSTANCES, "p99", cpus_only=True, over_window=True),
}


def no_datapoints(reason: str) -> Unread:
    """What to raise where CloudWatch has answered, and has no datapoints that tell."""
    return Unread(reason, OPERATION, cause=Cause.NOT_TOLD)


def asked(
    variants: Iterable[Variant],
    components: Iterable[InferenceComponent],
    days: Mapping[str, int],
    pipelines: Mapping[str, Sequence[str]],
) -> list[MetricKey]:
    """Which metrics to read: those that instance-backed variants in service publish, GPU metrics only where there are
    GPUs, those of containers only where ``pipelines`` (by the name of the model) names them, those of components."""
    keys = [key for variant in variants for key in _asked_of(variant, days, pipelines)]
    keys += [
        MetricKey(name, "", "", component=component.name)
        for name in days
        if METRICS[name].whose is Whose.COMPONENT
        for component in components
    ]
    return list(dict.fromkeys(keys))


def _asked_of(variant: Variant, days: Mapping[str, int], pipelines: Mapping[str, Sequence[str]]) -> list[MetricKey]:
    try:
        if not variant.settled or variant.shadow:
            return []
        if variant.serverless or variant.instance_count == 0:
            return []
        types = variant.instance_types
    except Unread:
        return []
    keys = []
    for name in days:
        metric = METRICS[name]
        if not _published(metric, variant.asynchronous) or _on_others_only(metric, types):
            continue
        if metric.whose is Whose.CONTAINER:
            configured = variant.known("configured")
            containers = pipelines.get((configured and configured.model_name) or "", ())
            keys += [MetricKey(name, variant.endpoint_name, variant.name, container) for container in containers]
        elif metric.whose is Whose.ENDPOINT:
            keys.append(MetricKey(name, variant.endpoint_name, ""))
        elif metric.whose is Whose.VARIANT:
            keys += keys_of(name, variant)
    return keys


def _on_others_only(metric: Metric, types: Sequence[InstanceType]) -> bool:
    """True for a metric that is asked for on other instance types than these alone."""
    if metric.gpus_only:
        return not any(instance.has_gpu for instance in types)
    return metric.cpus_only and any(instance.accelerated for instance in types)


def _published(metric: Metric, asynchronous: bool | None) -> bool:
    """Whether an endpoint of this kind publishes a metric; where the kind is not known, it may."""
    by_async, by_others = metric.of_async
    return (by_async or by_others) if asynchronous is None else by_async if asynchronous else by_others


def keys_of(name: str, variant: Variant) -> list[MetricKey]:
    """Under which keys a metric of a variant may stand: with instance pools its datapoints carry the instance type, and
    whether there is a series of all of them is not documented."""
    own = MetricKey(name, variant.endpoint_name, variant.name)
    configured = variant.known("configured")
    pools = configured.instance_pools if configured else ()
    types = dict.fromkeys(pool.instance_type for pool in pools if pool.instance_type)
    return [own, *(own._replace(instance_type=name) for name in types)]


def datapoints(reader: Reader, keys: list[MetricKey], days: Mapping[str, int]) -> dict[MetricKey, list[Datapoint]]:
    """The datapoints of each metric over the window asked for, oldest first; a metric without any is absent.

    Metrics by period are read over the longest window of all, those over their window each over its own.
    """
    windows: dict[int, list[MetricKey]] = {}
    longest = max(days.values())
    for key in keys:
        windows.setdefault(days[key.metric] if METRICS[key.metric].over_window else longest, []).append(key)
    batches = [
        (window, some[start : start + QUERIES_A_CALL])
        for window, some in windows.items()
        for start in range(0, len(some), QUERIES_A_CALL)
    ]

    def read(batch: tuple[int, list[MetricKey]]) -> dict[MetricKey, list[Datapoint]]:
        try:
            return _read(reader, batch[1], batch[0])
        except CallFailed as failure:
            reader.blind_to(failure, Part.METRICS)
            return {}

    return {key: points for answer in reader.each(read, batches) for key, points in answer.items()}


def _read(reader: Reader, keys: list[MetricKey], days: int) -> dict[MetricKey, list[Datapoint]]:
    """The datapoints of each metric of which CloudWatch has all; the others are noted as unread, one by one."""
    series: dict[MetricKey, list[Datapoint]] = {}
    waiting = keys
    for attempt in range(ATTEMPTS):
        answers = _answered(reader, waiting, days)
        series |= {key: sorted(answer.points) for key, answer in answers.items() if answer.points and answer.whole}
        unread = {key: answer for key, answer in answers.items() if not answer.whole}
        waiting = [key for key, answer in unread.items() if answer.may_pass]
        if attempt + 1 == ATTEMPTS:
            waiting = []
        for key in unread.keys() - set(waiting):
            reader.blind_to(unread[key].failure, Part.METRICS, str(key))
        if not waiting:
            break
    return series


@dataclass
class _Answer:
    """What the pages of an answer tell of one metric; ``status`` is the last that came with it."""

    points: list[Datapoint] = field(default_factory=list)
    status: str = ""
    problem: str = ""

    @property
    def whole(self) -> bool:
        return self.status == "Complete" and not self.problem

    @property
    def may_pass(self) -> bool:
        """True where the next try may bring it."""
        return self.status != "Forbidden"

    @property
    def failure(self) -> CallFailed:
        if self.status == "Forbidden":
            return CallFailed(OPERATION, "Forbidden", "CloudWatch does not give it")
        if self.problem or self.status not in ("InternalError", "PartialData"):
            return unreadable(OPERATION, self.problem or "a metric has no status")
        return CallFailed(OPERATION, self.status, "CloudWatch has not given all of it")

    def take(self, result: Mapping[str, Any], begin: datetime, end: datetime) -> None:
        """Adds what a page has of it. What lies outside the window that was asked for, and the whole periods that
        CloudWatch aligns it with, is no answer."""
        self.status = text(result, "StatusCode")
        try:
            pairs = zip(result["Timestamps"], result["Values"], strict=True)
            points = [Datapoint(moment(start), _value(value)) for start, value in pairs]
            if not all(begin <= point.start <= end for point in points):
                raise ValueError("a time outside the window")
            self.points += points
        except (LookupError, TypeError, ValueError) as error:
            self.problem = f"datapoints cannot be understood ({type(error).__name__})"


def _value(value: Any) -> float:
    """A value of a metric; none that is asked for is ever below zero. Raises ValueError for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < math.inf:
        raise ValueError(f"no value of a metric: {value!r}")
    return float(value)


def _answered(reader: Reader, keys: list[MetricKey], days: int) -> dict[MetricKey, _Answer]:
    """What CloudWatch answers about each of the metrics. A result says by its ``StatusCode`` whether that is all:
    ``PartialData`` goes on with the next page, and without one it is missing data, as is ``InternalError``."""
    begin = (reader.now - timedelta(days=days)).replace(hour=0, minute=0, second=0, microsecond=0)
    by_id = {f"m{number}": key for number, key in enumerate(keys)}
    answers = {key: _Answer() for key in keys}
    pages = reader.aws.pages(
        "cloudwatch",
        "GetMetricData",
        "MetricDataResults",
        MetricDataQueries=[_query(query_id, key, days) for query_id, key in by_id.items()],
        StartTime=begin,
        EndTime=reader.now,
        ScanBy="TimestampAscending",
    )
    for result in (result for page in pages for result in page):
        key = by_id.get(text(result, "Id"))
        if key is not None:
            room = timedelta(seconds=max(86_400, _period(METRICS[key.metric], days)))
            answers[key].take(result, begin - room, reader.now + room)
    return answers


def _period(metric: Metric, days: int) -> int:
    """Seconds of one datapoint; of the window the whole, which begins at midnight, and today is part of it."""
    return (days + 1) * 86_400 if metric.over_window else metric.period


def _query(query_id: str, key: MetricKey, days: int) -> dict[str, Any]:
    metric = METRICS[key.metric]
    dimensions = {
        "EndpointName": key.endpoint,
        "VariantName": key.variant,
        "ContainerName": key.container,
        "InferenceComponentName": key.component,
        "InstanceType": key.instance_type,
    }
    return {
        "Id": query_id,
        "MetricStat": {
            "Metric": {
                "Namespace": metric.namespace,
                "MetricName": metric.name,
                "Dimensions": [{"Name": name, "Value": value} for name, value in dimensions.items() if value],
            },
            "Period": _period(metric, days),
            "Stat": metric.statistic,
        },
        "ReturnData": True,
    }
