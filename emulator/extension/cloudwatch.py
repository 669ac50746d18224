"""CloudWatch: metric data that scales, aligns to the period and pages; alarms that page."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from typing import Any

from moto.cloudwatch.models import CloudWatchBackend

from emulator.cbor import Doubles, Timestamp, Timestamps
from emulator.extension.registry import AwsError, epoch, operation, page, read_token, write_token
from emulator.extension.series import Point, Series, SeriesKey

Request = dict[str, Any]
SERVICE = "cloudwatch"
_MAXIMUM_DATAPOINTS = 100_800
_MAXIMUM_QUERIES = 500
_METRICS_PAGE = 500
_ALARMS_DEFAULT_PAGE = 50
_ALARMS_MAXIMUM_PAGE = 100
_STATISTIC = re.compile(r"^(Sum|Average|Minimum|Maximum|SampleCount|p\d{1,3}(\.\d{1,10})?)$")


def metrics_of(backend: Any) -> dict[SeriesKey, Series]:
    """All series of a backend; a reset of the backend drops them."""
    store: dict[SeriesKey, Series] = vars(backend).setdefault("_series", {})
    return store


def series_of(backend: Any, namespace: str, name: str, dimensions: Mapping[str, str]) -> Series:
    """The series of a metric, made when it is not there yet."""
    return metrics_of(backend).setdefault((namespace, name, frozenset(dimensions.items())), Series())


def _dimensions(members: list[Request] | None) -> dict[str, str]:
    return {member["Name"]: member["Value"] for member in members or []}


@operation(SERVICE, "PutMetricData")
def put_metric_data(backend: Any, request: Request) -> None:
    for datum in request.get("MetricData") or []:
        series = series_of(backend, request["Namespace"], datum["MetricName"], _dimensions(datum.get("Dimensions")))
        series.unit = datum.get("Unit", series.unit)
        series.add(_points(datum))


def _points(datum: Request) -> list[Point]:
    moment = epoch(datum["Timestamp"]) if datum.get("Timestamp") is not None else time.time()
    if statistics := datum.get("StatisticValues"):
        members = ("Sum", "SampleCount", "Minimum", "Maximum")
        total, count, minimum, maximum = (float(statistics[member]) for member in members)
        return [(moment, total, count, minimum, maximum)]
    values = datum.get("Values") or [datum.get("Value", 0.0)]
    counts = datum.get("Counts") or [1.0] * len(values)
    return [
        (moment, float(value) * float(count), float(count), float(value), float(value))
        for value, count in zip(values, counts, strict=True)
    ]


@operation(SERVICE, "GetMetricData")
def get_metric_data(backend: Any, request: Request) -> Request:
    """Pages by datapoints: a page ends within a series, and the next one goes on with it."""
    start, end = epoch(request["StartTime"]), epoch(request["EndTime"])
    queries = request["MetricDataQueries"]
    _validate(queries, start, end)
    budget = request.get("MaxDatapoints") or _MAXIMUM_DATAPOINTS
    if budget > _MAXIMUM_DATAPOINTS:
        raise AwsError("ValidationError", f"MaxDatapoints must be at most {_MAXIMUM_DATAPOINTS}.")
    position, offset = read_token(request.get("NextToken"), "InvalidNextToken") or (0, 0)
    descending = request.get("ScanBy", "TimestampDescending") == "TimestampDescending"
    results: list[Request] = []
    token: str | None = None
    for index in range(position, len(queries)):
        query = queries[index]
        if query.get("ReturnData") is False:
            continue
        if budget == 0:
            token = write_token([index, 0])
            break
        timestamps, values = _query(backend, query, start, end)
        if descending:
            timestamps, values = timestamps[::-1], values[::-1]
        first = offset if index == position else 0
        complete = len(values) - first <= budget
        last = len(values) if complete else first + budget
        results.append(_result(query, timestamps[first:last], values[first:last], complete))
        budget -= last - first
        if not complete:
            token = write_token([index, last])
            break
    answer: Request = {"MetricDataResults": results, "Messages": []}
    if token:
        answer["NextToken"] = token
    return answer


def _validate(queries: list[Request], start: float, end: float) -> None:
    if start >= end:
        raise AwsError("ValidationError", "The parameter StartTime must be less than the parameter EndTime.")
    if len(queries) > _MAXIMUM_QUERIES:
        raise AwsError(
            "ValidationError", f"The collection MetricDataQueries must not have a size greater than {_MAXIMUM_QUERIES}."
        )
    identifiers = [query["Id"] for query in queries]
    if len(set(identifiers)) < len(identifiers):
        raise AwsError("ValidationError", "The values for parameter id in MetricDataQueries are not unique.")
    for query in queries:
        if "MetricStat" not in query:
            # An empty answer would look like a metric without data.
            raise AwsError("ValidationError", f"The emulator evaluates no expressions: {query.get('Expression')}")
        stat, period = query["MetricStat"]["Stat"], query["MetricStat"]["Period"]
        if not _STATISTIC.match(stat):
            raise AwsError("ValidationError", f"The value {stat} for parameter MetricStat.Stat is not supported.")
        if period not in (1, 5, 10, 20, 30) and period % 60:
            raise AwsError("ValidationError", f"The value {period} for parameter Period must be a multiple of 60.")


def _query(backend: Any, query: Request, start: float, end: float) -> tuple[list[float], list[float]]:
    stat = query["MetricStat"]
    metric = stat["Metric"]
    key = (metric["Namespace"], metric["MetricName"], frozenset(_dimensions(metric.get("Dimensions")).items()))
    series = metrics_of(backend).get(key)
    if series is None:
        return [], []
    return series.statistic(stat["Stat"], stat["Period"], start, end, stat.get("Unit"))


def _result(query: Request, timestamps: list[float], values: list[float], complete: bool) -> Request:
    return {
        "Id": query["Id"],
        "Label": query.get("Label") or query["MetricStat"]["Metric"]["MetricName"],
        "Timestamps": Timestamps(timestamps),
        "Values": Doubles(values),
        "StatusCode": "Complete" if complete else "PartialData",
    }


@operation(SERVICE, "GetMetricStatistics")
def get_metric_statistics(backend: Any, request: Request) -> Request:
    start, end, period = epoch(request["StartTime"]), epoch(request["EndTime"]), int(request["Period"])
    if start >= end:
        raise AwsError("InvalidParameterValue", "The parameter StartTime must be less than the parameter EndTime.")
    key = (request["Namespace"], request["MetricName"], frozenset(_dimensions(request.get("Dimensions")).items()))
    series = metrics_of(backend).get(key, Series())
    points: dict[float, Request] = {}
    for stat in [*(request.get("Statistics") or []), *(request.get("ExtendedStatistics") or [])]:
        for moment, value in zip(*series.statistic(stat, period, start, end, request.get("Unit")), strict=True):
            point = points.setdefault(moment, {"Timestamp": Timestamp(moment), "Unit": series.unit or "None"})
            if stat.startswith("p"):
                point.setdefault("ExtendedStatistics", {})[stat] = value
            else:
                point[stat] = value
    return {"Label": request["MetricName"], "Datapoints": list(points.values())}


@operation(SERVICE, "ListMetrics")
def list_metrics(backend: Any, request: Request) -> Request:
    """One entry for each series; a dimension filter without a value asks only for the name."""
    wanted = [(member["Name"], member.get("Value")) for member in request.get("Dimensions") or []]
    metrics = [
        {
            "Namespace": namespace,
            "MetricName": name,
            "Dimensions": [{"Name": key, "Value": value} for key, value in sorted(dimensions)],
        }
        for namespace, name, dimensions in metrics_of(backend)
        if request.get("Namespace") in (None, namespace)
        and request.get("MetricName") in (None, name)
        and all(any(key == asked and value in (None, own) for key, own in dimensions) for asked, value in wanted)
    ]
    shown, token = page(metrics, request, default=_METRICS_PAGE, maximum=_METRICS_PAGE)
    return {"Metrics": shown, **({"NextToken": token} if token else {})}


@operation(SERVICE, "DescribeAlarms")
def describe_alarms(backend: Any, request: Request) -> Request:
    """Metric alarms unless other types are asked for, 50 a page, at most 100."""
    types = request.get("AlarmTypes") or ["MetricAlarm"]
    alarms = sorted(backend.alarms.values(), key=lambda alarm: alarm.name)
    alarms = [alarm for alarm in alarms if _matches(alarm, request)]
    alarms = [alarm for alarm in alarms if ("CompositeAlarm" if alarm.rule else "MetricAlarm") in types]
    shown, token = page(
        alarms, request, _ALARMS_DEFAULT_PAGE, _ALARMS_MAXIMUM_PAGE, size_member="MaxRecords",
        invalid_token="InvalidNextToken",
    )  # fmt: skip
    answer: Request = {
        "MetricAlarms": [_alarm(alarm) for alarm in shown if not alarm.rule],
        "CompositeAlarms": [_alarm(alarm) for alarm in shown if alarm.rule],
    }
    return {**answer, "NextToken": token} if token else answer


def _matches(alarm: Any, request: Request) -> bool:
    names, prefix = request.get("AlarmNames"), request.get("AlarmNamePrefix")
    state, action = request.get("StateValue"), request.get("ActionPrefix")
    return (
        (not names or alarm.name in names)
        and (not prefix or alarm.name.startswith(prefix))
        and (not state or alarm.state_value == state)
        and (not action or any(own.startswith(action) for own in alarm.alarm_actions or []))
    )


def _alarm(alarm: Any) -> Request:
    described = {
        "AlarmName": alarm.name,
        "AlarmArn": alarm.alarm_arn,
        "AlarmDescription": alarm.description,
        "AlarmConfigurationUpdatedTimestamp": Timestamp(epoch(alarm.configuration_updated_timestamp)),
        "ActionsEnabled": alarm.actions_enabled,
        "OKActions": list(alarm.ok_actions or []),
        "AlarmActions": list(alarm.alarm_actions or []),
        "InsufficientDataActions": list(alarm.insufficient_data_actions or []),
        "StateValue": alarm.state_value,
        "StateReason": alarm.state_reason,
        "StateReasonData": alarm.state_reason_data,
        "StateUpdatedTimestamp": Timestamp(epoch(alarm.state_updated_timestamp)),
        "StateTransitionedTimestamp": Timestamp(epoch(alarm.state_updated_timestamp)),
    }
    if alarm.rule:
        return _set({**described, "AlarmRule": alarm.rule})
    return _set(
        {
            **described,
            "MetricName": alarm.metric_name,
            "Namespace": alarm.namespace,
            "Statistic": alarm.statistic,
            "ExtendedStatistic": alarm.extended_statistic,
            "Dimensions": [{"Name": own.name, "Value": own.value} for own in alarm.dimensions],
            "Period": alarm.period,
            "Unit": alarm.unit,
            "EvaluationPeriods": alarm.evaluation_periods,
            "DatapointsToAlarm": alarm.datapoints_to_alarm,
            "Threshold": None if alarm.threshold is None else float(alarm.threshold),
            "ComparisonOperator": alarm.comparison_operator,
            "TreatMissingData": alarm.treat_missing_data,
            "EvaluateLowSampleCountPercentile": alarm.evaluate_low_sample_count_percentile,
            "ThresholdMetricId": alarm.threshold_metric_id,
            "Metrics": [_query_of(query) for query in alarm.metric_data_queries] or None,
        }
    )


def _query_of(query: Any) -> Request:
    described = {
        "Id": query.id,
        "Label": query.label,
        "Period": query.period,
        "ReturnData": query.return_data,
        "Expression": query.expression,
    }
    if stat := query.metric_stat:
        dimensions = [{"Name": own.name, "Value": own.value} for own in stat.metric.dimensions]
        metric = {"Namespace": stat.metric.namespace, "MetricName": stat.metric.metric_name, "Dimensions": dimensions}
        described["MetricStat"] = _set({"Metric": metric, "Period": stat.period, "Stat": stat.stat, "Unit": stat.unit})
    return _set(described)


def _set(members: Request) -> Request:
    return {name: value for name, value in members.items() if value is not None}


def _start_alarms_without_data() -> None:
    """A new alarm has too little data to say OK: AWS starts it as INSUFFICIENT_DATA, moto as OK."""
    original = CloudWatchBackend.put_metric_alarm

    def put_metric_alarm(self: Any, *args: Any, **kwargs: Any) -> Any:
        old = self.alarms.get(kwargs.get("name"))
        alarm = original(self, *args, **kwargs)
        alarm.state_value = old.state_value if old else "INSUFFICIENT_DATA"
        return alarm

    CloudWatchBackend.put_metric_alarm = put_metric_alarm  # type: ignore[method-assign]


def _keep_metrics_of_other_services() -> None:
    """moto's own services report metrics to the backend, not through the API."""

    def put(self: Any, namespace: str, metric_data: list[Request]) -> None:
        put_metric_data(self, {"Namespace": namespace, "MetricData": metric_data})

    CloudWatchBackend.put_metric_data = put  # type: ignore[method-assign]


def install() -> None:
    """Changes moto's backend where no operation of the API is involved."""
    _start_alarms_without_data()
    _keep_metrics_of_other_services()
