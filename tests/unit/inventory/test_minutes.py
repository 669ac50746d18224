"""The minutes of many variants: read in pages, reduced at once, and unread one by one."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest

from chalicelib.inventory.allowance import BoundedDoor
from chalicelib.inventory.answers import CallFailed
from chalicelib.inventory.aws import Aws
from chalicelib.inventory.estate import Inventory
from chalicelib.inventory.facts import Unread
from chalicelib.inventory.kinds.endpoints import Variant
from chalicelib.inventory.minutes import read_minutes
from chalicelib.inventory.parts import Part
from chalicelib.inventory.reader import Needs, Reader
from chalicelib.inventory.traffic import FAILURES, INVOCATIONS, SHARES, MinuteMetric, Minutes
from chalicelib.scope import Scope
from samples.builders import ACCOUNT, NOW, REGION, a_variant, an_inventory

TEN = [a_variant(endpoint=f"e{number}") for number in range(10)]
ELEVEN = [*TEN, a_variant(endpoint="e10")]


class Counting:
    """A reduction that keeps how many datapoints there are of each metric."""

    def __init__(self, days: int = 7, more: Mapping[str, Sequence[MinuteMetric]] | None = None) -> None:
        self.days, self._more = days, more or {}

    def wanted(self, variant: Variant, estate: Inventory) -> Sequence[MinuteMetric]:
        if variant.endpoint_name == "unread":
            raise Unread("its policies could not be read")
        return self._more.get(variant.endpoint_name, [INVOCATIONS])

    def reduced(self, variant: Variant, estate: Inventory, minutes: Mapping[MinuteMetric, Minutes]) -> dict[str, int]:
        return {metric.name: len(values) for metric, values in minutes.items()}


class Door:
    """Gives one datapoint of each metric; fails for endpoints as it is told, by the whole call or the status."""

    def __init__(self, calls: Mapping[str, str] | None = None, statuses: Mapping[str, str] | None = None) -> None:
        self.asked: list[list[str]] = []
        self.since: set[datetime] = set()
        self._calls, self._statuses = calls or {}, statuses or {}

    def pages(self, service: str, operation: str, key: str, **asked: Any) -> Iterator[list[dict[str, Any]]]:
        endpoints = [query["MetricStat"]["Metric"]["Dimensions"][0]["Value"] for query in asked["MetricDataQueries"]]
        self.asked.append(endpoints)
        self.since.add(asked["StartTime"])
        for endpoint in endpoints:
            if endpoint in self._calls:
                raise CallFailed("cloudwatch:GetMetricData", self._calls[endpoint], "")
        yield [
            {
                "Id": query["Id"],
                "StatusCode": self._statuses.get(endpoint, "Complete"),
                "Timestamps": [NOW - timedelta(minutes=1)],
                "Values": [1.0],
            }
            for query, endpoint in zip(asked["MetricDataQueries"], endpoints, strict=True)
        ]


def read(door: Door, reduction: Counting, *variants: Variant) -> tuple[Reader, Inventory]:
    """A sweep that rehearses these variants."""
    needs = Needs.of([Part.MINUTES], reduction=reduction)
    reader = Reader(cast(Aws, door), Scope(ACCOUNT, REGION), needs, NOW)
    estate = an_inventory(*variants)
    read_minutes(reader, estate, keep=0)
    reader.close()
    return reader, estate


def test_ten_variants_of_a_week_are_a_page() -> None:
    door = Door()
    _, estate = read(door, Counting(), *ELEVEN)
    assert sorted(len(endpoints) for endpoints in door.asked) == [1, 10]
    assert door.since == {NOW - timedelta(days=7)}
    assert estate.rehearsals == {variant.resource_id: {"Invocations": 1} for variant in ELEVEN}


def test_five_variants_of_two_weeks_are_a_page() -> None:
    door = Door()
    read(door, Counting(days=14), *TEN)
    assert [len(endpoints) for endpoints in door.asked] == [5, 5]


def test_all_series_of_a_variant_are_on_one_page() -> None:
    door = Door()
    more = [INVOCATIONS, FAILURES, SHARES]
    _, estate = read(door, Counting(more={"e8": more, "e9": more}), *TEN)
    assert door.asked == [[f"e{number}" for number in range(8)], ["e8"] * 3 + ["e9"] * 3]
    assert set(estate.rehearsals[TEN[9].resource_id]) == {
        "Invocations",
        "Invocation5XXErrors",
        "InvocationsPerInstance",
    }


def test_a_variant_that_is_not_rehearsed_costs_no_call() -> None:
    door = Door()
    _, estate = read(door, Counting(more={"idle": []}), a_variant(endpoint="idle"), a_variant(endpoint="unread"))
    assert door.asked == [] and estate.rehearsals == {}


def test_less_than_all_of_a_variant_leaves_it_alone_unread() -> None:
    reader, estate = read(Door(statuses={"e3": "InternalError"}), Counting(), *TEN)
    assert set(estate.rehearsals) == {variant.resource_id for variant in TEN} - {TEN[3].resource_id}
    with pytest.raises(Unread, match="CloudWatch has not given all of Invocations"):
        reader.gaps.demand(Part.MINUTES, TEN[3].resource_id)
    reader.gaps.demand(Part.MINUTES, TEN[4].resource_id)


def test_a_page_that_fails_leaves_its_variants_unread_and_no_others() -> None:
    reader, estate = read(Door(calls={"e10": "ThrottlingException"}), Counting(), *ELEVEN)
    assert set(estate.rehearsals) == {variant.resource_id for variant in TEN}
    with pytest.raises(Unread, match="ThrottlingException"):
        reader.gaps.demand(Part.MINUTES, ELEVEN[10].resource_id)


def test_without_the_permission_all_of_it_is_unread_once() -> None:
    reader, estate = read(Door(calls={"e0": "AccessDenied", "e10": "AccessDenied"}), Counting(), *ELEVEN)
    assert estate.rehearsals == {}
    assert [failure.resource for failure in reader.gaps if failure.blinds] == [None]


def test_what_the_calls_of_an_event_do_not_reach_is_left_to_the_sweep() -> None:
    door = Door()
    needs = Needs.of([Part.MINUTES], reduction=Counting())
    reader = Reader(cast(Aws, door), Scope(ACCOUNT, REGION), needs, NOW)
    reader.bound = cast(BoundedDoor, SimpleNamespace(calls_left=3, most=16))
    estate = an_inventory(*TEN)
    read_minutes(reader, estate, keep=2)
    reader.close()
    assert list(estate.rehearsals) == [TEN[0].resource_id]
    with pytest.raises(Unread, match="left to the next sweep, as an audit for this event makes 16 calls at most"):
        reader.gaps.demand(Part.MINUTES, TEN[1].resource_id)


def test_nothing_is_read_where_no_rule_rehearses() -> None:
    door = Door()
    reader = Reader(cast(Aws, door), Scope(ACCOUNT, REGION), Needs.of([Part.POLICIES]), NOW)
    read_minutes(reader, an_inventory(*TEN), keep=0)
    reader.close()
    assert door.asked == []
