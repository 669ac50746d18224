"""The minutes of a variant: all of them, or a failure that says which metric is missing."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from chalicelib.inventory.answers import CallFailed
from chalicelib.inventory.aws import Aws
from chalicelib.inventory.minutes import minutes_of_variant
from chalicelib.inventory.traffic import INVOCATIONS, SHARES, Minutes, instances, measured_on_instances, number_of

BEGIN = datetime(2026, 3, 2, tzinfo=UTC)
MINUTES = [BEGIN + timedelta(minutes=minute) for minute in range(3)]


class Door:
    """Answers with these pages, and keeps what it was asked."""

    def __init__(self, *pages: list[dict[str, Any]]) -> None:
        self.given, self.asked = pages, dict[str, Any]()

    def pages(self, service: str, operation: str, key: str, **asked: Any) -> Iterator[list[dict[str, Any]]]:
        self.asked = asked
        yield from self.given


def result(id: str, values: list[Any], status: str = "Complete", start: int = 0) -> dict[str, Any]:
    """A result of GetMetricData."""
    return {"Id": id, "StatusCode": status, "Timestamps": MINUTES[start : start + len(values)], "Values": values}


def read(door: Door) -> dict[Any, Minutes]:
    """Requests and shares of a variant."""
    return minutes_of_variant(
        cast(Aws, door), "orders", "main", [INVOCATIONS, SHARES], BEGIN, BEGIN + timedelta(minutes=3)
    )


def test_a_metric_comes_in_several_pages() -> None:
    door = Door([result("m0", [1.0, 2.0], "PartialData"), result("m1", [0.5])], [result("m0", [3.0], start=2)])
    answers = read(door)
    assert list(answers[INVOCATIONS].values()) == [1, 2, 3]
    assert list(answers[SHARES].values()) == [0.5]
    statistics = [query["MetricStat"]["Stat"] for query in door.asked["MetricDataQueries"]]
    assert statistics == ["Sum", "Average"]
    assert {query["MetricStat"]["Period"] for query in door.asked["MetricDataQueries"]} == {60}


@pytest.mark.parametrize("status", ["PartialData", "InternalError", "Forbidden", ""])
def test_less_than_all_is_a_failure(status: str) -> None:
    with pytest.raises(CallFailed, match="CloudWatch has not given all of InvocationsPerInstance"):
        read(Door([result("m0", [1.0]), result("m1", [0.5], status)]))


@pytest.mark.parametrize("values", [["many"], [None]])
def test_an_answer_that_is_none_is_a_failure(values: list[Any]) -> None:
    with pytest.raises(CallFailed, match="datapoints cannot be understood"):
        read(Door([result("m0", values), result("m1", [])]))


@pytest.mark.parametrize("seconds", [True, False])
def test_a_minute_is_told_by_its_number(seconds: bool) -> None:
    moments = [at.timestamp() + 59.9 if seconds else at for at in MINUTES]
    door = Door([{**result("m0", [1.0, 2.0, 3.0]), "Timestamps": moments}, result("m1", [])])
    assert read(door)[INVOCATIONS] == {number_of(BEGIN) + minute: 1.0 + minute for minute in range(3)}


@pytest.mark.parametrize("start", [float("inf"), float("nan"), "yesterday", True, None])
def test_a_time_that_is_none_is_a_failure(start: Any) -> None:
    with pytest.raises(CallFailed, match="datapoints cannot be understood"):
        read(Door([{**result("m0", [1.0]), "Timestamps": [start]}, result("m1", [])]))


def test_no_traffic_is_an_answer() -> None:
    assert read(Door([result("m0", []), result("m1", [])])) == {INVOCATIONS: {}, SHARES: {}}


def test_the_share_of_a_request_tells_the_instances() -> None:
    shares = dict(enumerate([1.0, 0.2501, 0.0]))
    assert list(instances(shares).values()) == [1, 4]


def test_where_a_metric_stands() -> None:
    assert measured_on_instances("CPUUtilization").namespace == "/aws/sagemaker/Endpoints"
    assert measured_on_instances("ConcurrentRequestsPerModel").namespace == "AWS/SageMaker"
