"""Reading CloudWatch: one batched ``GetMetricData`` for every variant that an enabled rule asks about.

Endpoint metrics exist only under EndpointName and VariantName together. Invocations live in ``AWS/SageMaker``, what the
instances measure in ``/aws/sagemaker/Endpoints``. GPU percentages run to 100 × number of GPUs.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from chalicelib.inventory.answers import CallFailed, moment
from chalicelib.inventory.facts import Unread
from chalicelib.inventory.kinds.endpoints import Variant
from chalicelib.inventory.parts import Part
from chalicelib.inventory.reader import Reader


class Datapoint(NamedTuple):
    """A metric's value over the period that starts at ``start``."""

    start: datetime
    value: float


class MetricKey(NamedTuple):
    """A metric of one variant, and for ContainerLatency of one ``container``."""

    metric: str
    endpoint: str
    variant: str
    container: str = ""


QUERIES_A_CALL = 500


@dataclass(frozen=True, slots=True)
class Metric:
    """How to ask CloudWatch for one metric: namespace, statistic, period in seconds, and whose it is."""

    name: str
    namespace: str
    statistic: str
    period: int = 86_400
    gpus_only: bool = False
    by_container: bool = False


METRICS = {
    "Invocations": Metric("Invocations", "AWS/SageMaker", "Sum"),
    "InvocationsPerMinute": Metric("Invocations", "AWS/SageMaker", "Sum", period=60),
    "ContainerLatency": Metric("ContainerLatency", "AWS/SageMaker", "Sum", by_container=True),
    "GPUUtilization": Metric("GPUUtilization", "/aws/sagemaker/Endpoints", "Maximum", gpus_only=True),
    "GPUMemoryUtilization": Metric("GPUMemoryUtilization", "/aws/sagemaker/Endpoints", "Maximum", gpus_only=True),
}


def asked(
    variants: Iterable[Variant], days: Mapping[str, int], pipelines: Mapping[str, Sequence[str]]
) -> list[MetricKey]:
    """Which metrics to read: those of instance-backed variants in service, GPU metrics only where there are GPUs, and
    those of containers only where ``pipelines`` (by the name of the model) names them."""
    keys = []
    for variant in variants:
        if not variant.settled or variant.shadow:
            continue
        try:
            if variant.serverless or variant.instance_count == 0:
                continue
            has_gpu = any(one.has_gpu for one in variant.instance_types)
        except Unread:
            continue
        for name in days:
            metric = METRICS[name]
            if metric.by_container:
                containers = pipelines.get((variant.configured and variant.configured.model_name) or "", ())
                keys += [MetricKey(name, variant.endpoint_name, variant.name, one) for one in containers]
            elif has_gpu or not metric.gpus_only:
                keys.append(MetricKey(name, variant.endpoint_name, variant.name))
    return keys


def datapoints(reader: Reader, keys: list[MetricKey], days: Mapping[str, int]) -> dict[MetricKey, list[Datapoint]]:
    """The datapoints of each metric over the longest window asked for, oldest first; a metric without any is absent."""
    slices = [keys[start : start + QUERIES_A_CALL] for start in range(0, len(keys), QUERIES_A_CALL)]

    def read(some: list[MetricKey]) -> dict[MetricKey, list[Datapoint]]:
        try:
            return _read(reader, some, max(days.values()))
        except CallFailed as failure:
            reader.blind_to(failure, Part.METRICS)
            return {}

    return {key: points for answer in reader.each(read, slices) for key, points in answer.items()}


def _read(reader: Reader, keys: list[MetricKey], days: int) -> dict[MetricKey, list[Datapoint]]:
    begin = (reader.now - timedelta(days=days)).replace(hour=0, minute=0, second=0, microsecond=0)
    by_id = {f"m{number}": key for number, key in enumerate(keys)}
    found: dict[MetricKey, list[Datapoint]] = {}
    pages = reader.aws.pages(
        "cloudwatch",
        "GetMetricData",
        "MetricDataResults",
        MetricDataQueries=[_query(one, key) for one, key in by_id.items()],
        StartTime=begin,
        EndTime=reader.now,
        ScanBy="TimestampAscending",
    )
    for page in pages:
        for result in page:
            pairs = zip(result["Timestamps"], result["Values"], strict=True)
            points = [Datapoint(moment(start), value) for start, value in pairs]
            if points:
                found.setdefault(by_id[result["Id"]], []).extend(points)
    return {key: sorted(points) for key, points in found.items()}


def _query(query_id: str, key: MetricKey) -> dict[str, Any]:
    metric = METRICS[key.metric]
    dimensions = [
        {"Name": "EndpointName", "Value": key.endpoint},
        {"Name": "VariantName", "Value": key.variant},
        *([{"Name": "ContainerName", "Value": key.container}] if key.container else []),
    ]
    return {
        "Id": query_id,
        "MetricStat": {
            "Metric": {"Namespace": metric.namespace, "MetricName": metric.name, "Dimensions": dimensions},
            "Period": metric.period,
            "Stat": metric.statistic,
        },
        "ReturnData": True,
    }
