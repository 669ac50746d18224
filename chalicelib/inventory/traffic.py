"""Reading the minutes of a variant: what it was asked in each, and what its instances measured.

Minutes are kept for fifteen days; a period of 60 seconds with an older start answers nothing at all. The average of
``InvocationsPerInstance`` is 1 ÷ the active instances, as each request counts as that. Source: SageMaker developer
guide, "Monitor SageMaker AI with Amazon CloudWatch"; CloudWatch user guide, "Metrics retention".
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from chalicelib.inventory.answers import CallFailed, moment, text, unreadable
from chalicelib.inventory.metrics import OPERATION

if TYPE_CHECKING:  # whoever judges a template needs no SDK
    from chalicelib.inventory.aws import Aws

MOST_DAYS = 14
MINUTE = timedelta(minutes=1)
_HOSTING, _INSTANCES = "AWS/SageMaker", "/aws/sagemaker/Endpoints"


class MinuteMetric(NamedTuple):
    """A metric of a variant, by minutes."""

    name: str
    namespace: str
    statistic: str


INVOCATIONS = MinuteMetric("Invocations", _HOSTING, "Sum")
FAILURES = MinuteMetric("Invocation5XXErrors", _HOSTING, "Sum")
SHARES = MinuteMetric("InvocationsPerInstance", _HOSTING, "Average")


def measured_on_instances(name: str) -> MinuteMetric:
    """An average over the instances."""
    return MinuteMetric(name, _HOSTING if name.startswith("ConcurrentRequests") else _INSTANCES, "Average")


Minutes = dict[datetime, float]


def minutes_of_variant(
    aws: "Aws", endpoint: str, variant: str, wanted: Sequence[MinuteMetric], begin: datetime, end: datetime
) -> dict[MinuteMetric, Minutes]:
    """The values of each metric by the beginning of their minute. Raises CallFailed where CloudWatch does not give all
    of them."""
    answer = minutes_of_variants(aws, {(endpoint, variant): wanted}, begin, end)[endpoint, variant]
    if isinstance(answer, CallFailed):
        raise answer
    return answer


#: A variant, by its endpoint's name and its own.
Place = tuple[str, str]


def minutes_of_variants(
    aws: "Aws", wanted: Mapping[Place, Sequence[MinuteMetric]], begin: datetime, end: datetime
) -> dict[Place, dict[MinuteMetric, Minutes] | CallFailed]:
    """The values of the metrics of each variant, read together; a failure for one whose CloudWatch does not give all.
    Raises CallFailed where the call fails."""
    series = [(place, metric) for place, metrics in wanted.items() for metric in metrics]
    by_id = {f"m{number}": key for number, key in enumerate(series)}
    pages = aws.pages(
        "cloudwatch",
        "GetMetricData",
        "MetricDataResults",
        MetricDataQueries=[_query(id, metric, _dimensions(place)) for id, (place, metric) in by_id.items()],
        StartTime=begin,
        EndTime=end,
        ScanBy="TimestampAscending",
    )
    values: dict[tuple[Place, MinuteMetric], Minutes] = {key: {} for key in series}
    statuses = dict.fromkeys(series, "")
    for result in (result for page in pages for result in page):
        key = by_id.get(text(result, "Id"))
        if key is not None:
            statuses[key] = text(result, "StatusCode")
            values[key] |= _points(result)
    answers: dict[Place, dict[MinuteMetric, Minutes] | CallFailed] = {}
    for place, metrics in wanted.items():
        lacking = next((metric for metric in metrics if statuses[place, metric] != "Complete"), None)
        if lacking is None:
            answers[place] = {metric: values[place, metric] for metric in metrics}
        else:
            status = statuses[place, lacking] or "Incomplete"
            answers[place] = CallFailed(OPERATION, status, f"CloudWatch has not given all of {lacking.name}")
    return answers


def _dimensions(place: Place) -> list[dict[str, str]]:
    endpoint, variant = place
    return [{"Name": "EndpointName", "Value": endpoint}, {"Name": "VariantName", "Value": variant}]


def instances(shares: Mapping[datetime, float]) -> Minutes:
    """How many instances were active in each minute, from the averages of :data:`SHARES`."""
    return {minute: float(round(1 / share)) for minute, share in shares.items() if 0 < share <= 1}


def _points(result: Mapping[str, Any]) -> Minutes:
    try:
        pairs = list(zip(result["Timestamps"], result["Values"], strict=True))
        return {moment(start): float(value) for start, value in pairs}
    except (LookupError, TypeError, ValueError) as error:
        raise unreadable(OPERATION, f"datapoints cannot be understood ({type(error).__name__})") from None


def _query(id: str, metric: MinuteMetric, dimensions: list[dict[str, str]]) -> dict[str, Any]:
    return {
        "Id": id,
        "MetricStat": {
            "Metric": {"Namespace": metric.namespace, "MetricName": metric.name, "Dimensions": dimensions},
            "Period": 60,
            "Stat": metric.statistic,
        },
        "ReturnData": True,
    }
