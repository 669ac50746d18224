"""A record of the price list is taken only where nothing about it has to be guessed."""

import json
from typing import Any

import pytest

from chalicelib.money.catalogue import _priced
from chalicelib.money.prices import Component, Price, Unpriced, Use, agreed, positive
from chalicelib.money.records import record
from samples.price_records import GOVCLOUD, MISLEADING, REGION, a_record, a_term

USE = Use("ml.m5.xlarge", Component.HOSTING)


def price_of(*records: dict[str, Any]) -> Price | None:
    """What these records say of ml.m5.xlarge in Hosting, in this region."""
    rows = [row for item in records if (row := record(json.dumps(item))) is not None]
    kept = _priced(rows, REGION, name=USE.instance_type).get(USE)
    return kept.price if kept is not None else None


def test_a_plain_record_is_a_price() -> None:
    assert price_of(a_record()) == Price(0.23, "2026-11-20", vcpus=4, memory_gib=16, current=True)


@pytest.mark.parametrize("name", MISLEADING)
def test_a_record_that_misleads_is_no_price(name: str) -> None:
    assert price_of(MISLEADING[name]) is None


@pytest.mark.parametrize("name", MISLEADING)
def test_a_record_that_misleads_hides_no_price(name: str) -> None:
    price = price_of(MISLEADING[name], a_record())
    assert price is not None
    assert price.usd_per_hour == 0.23


def test_rows_that_agree_are_one_price() -> None:
    assert price_of(a_record(), a_record(usd="0.23")) == price_of(a_record())


def test_rows_that_contradict_each_other_are_no_price() -> None:
    assert price_of(a_record(), a_record(usd="0.25")) is None
    with pytest.raises(Unpriced, match=r"contradict each other: 0\.23 and 0\.25 USD"):
        agreed([Price(0.25), Price(0.23)])


def test_the_use_is_told_by_the_component_whatever_the_usage_type_says() -> None:
    row = record(GOVCLOUD)
    assert row is not None
    assert (row.use, row.region, row.price().usd_per_hour) == (USE, "us-gov-west-1", 0.23)
    assert price_of(a_record(component="Training", usagetype="EU-Host:ml.m5.xlarge")) is None


@pytest.mark.parametrize(
    ("terms", "reason"),
    [
        ({}, "0 on-demand terms"),
        ({"A": a_term(), "B": a_term()}, "2 on-demand terms"),
        ({"A": a_term(dimensions=2)}, "2 dimensions"),
        ({"A": {"priceDimensions": {"D": None}}}, "by None, not by the hour"),
        ({"A": {"priceDimensions": None}}, "0 dimensions"),
        ({"A": a_term(unit="Hours")}, "by Hours, not by the hour"),
        ({"A": a_term(currency="CNY")}, "in CNY, and amounts are in USD"),
        ({"A": a_term("0.0")}, "its price is 0 USD an hour"),
        ({"A": a_term("-1")}, "its price is -1 USD an hour"),
    ],
)
def test_why_there_is_no_price_is_told(terms: dict[str, Any], reason: str) -> None:
    row = record(a_record(terms=terms))
    assert row is not None
    with pytest.raises(Unpriced, match=reason):
        row.price()


@pytest.mark.parametrize("item", ["{", "[]", "null", 7, None])
def test_what_is_no_record_is_told(item: Any) -> None:
    with pytest.raises(Unpriced, match="AWS's answer holds an item"):
        record(item)


@pytest.mark.parametrize(
    "body", [{}, {"product": None}, {"product": {"attributes": []}}, {"product": {"attributes": {"component": 3}}}]
)
def test_a_record_of_something_else_prices_nothing(body: dict[str, Any]) -> None:
    assert record(body) is None


@pytest.mark.parametrize("name", ["m5.xlarge", "ml.m5", "ml.m5.xlarge-Hosting", ""])
def test_a_record_of_no_instance_type_of_sagemaker_prices_nothing(name: str) -> None:
    assert record(a_record(name=name)) is None


def test_a_record_in_plain_json_is_read_like_its_text() -> None:
    row = record(a_record())
    assert row is not None
    assert row.use == USE


def test_size_and_generation_may_be_missing() -> None:
    price = price_of(a_record(vCpu="N/A", memory="N/A", currentGeneration=None))
    assert price == Price(0.23, "2026-11-20")
    assert price_of(a_record(memory="1,024 GiB", currentGeneration="No")) == Price(0.23, "2026-11-20", 4, 1024, False)


@pytest.mark.parametrize("amount", [0, -0.01, float("nan"), float("inf")])
def test_no_hour_costs_that(amount: float) -> None:
    with pytest.raises(Unpriced):
        positive(amount)
