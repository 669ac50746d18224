"""A price file: read whole or not at all, and judged like any other price."""

import json
from pathlib import Path
from typing import Any

import pytest

from chalicelib.errors import InvalidInput
from chalicelib.money.price_file import FilePrices, PriceFile, file_of
from chalicelib.money.prices import Component, Price, Use

REGION = "eu-west-1"
USE = Use("ml.m5.xlarge", Component.HOSTING)


def a_row(**changes: Any) -> dict[str, Any]:
    row = {"region": REGION, "component": "Hosting", "instance_type": "ml.m5.xlarge", "per_hour": 0.23}
    return {**row, **changes}


def prices(*rows: dict[str, Any], **top: Any) -> FilePrices:
    return FilePrices(PriceFile.model_validate({"prices": list(rows), **top}), "prices.json")


def test_the_price_of_a_use() -> None:
    row = a_row(vcpus=4, memory_gib=16, current_generation=True)
    market = prices(row, published="2026-11-20").market(REGION, [USE])
    assert market.prices == {USE: Price(0.23, "2026-11-20", 4, 16, True)}
    assert (market.source, market.sample, market.notes) == ("price file prices.json, 2026-11-20", False, ())


def test_sample_prices_are_marked() -> None:
    assert prices(a_row(), sample=True).market(REGION, [USE]).sample


@pytest.mark.parametrize(
    ("file", "note"),
    [
        (prices(a_row(region="us-east-1")), "the price file has none of eu-west-1; it is of us-east-1"),
        (prices(), "the price file has none of eu-west-1; it is of nowhere"),
        (prices(a_row(), currency="EUR"), "the price file is in EUR, and amounts are in USD"),
        (
            prices(a_row(per_hour=-0.23)),
            "no price of ml.m5.xlarge (Hosting) in eu-west-1: its price is -0.23 USD an hour",
        ),
        (prices(a_row(per_hour=0)), "its price is 0 USD an hour"),
        (prices(a_row(), a_row(per_hour=0.25)), "its prices contradict each other: 0.23 and 0.25 USD"),
        (prices(a_row(component="Training")), "the price file has none"),
        (prices(a_row(instance_type="ml.m5.large")), "the price file has none"),
    ],
)
def test_no_number_and_a_line_that_says_why(file: FilePrices, note: str) -> None:
    market = file.market(REGION, [USE])
    assert market.prices == {}
    assert len(market.notes) == 1
    assert note in market.notes[0]


def test_a_wrong_price_leaves_the_others() -> None:
    other = Use("ml.c5.xlarge", Component.HOSTING)
    market = prices(a_row(per_hour=-1), a_row(instance_type="ml.c5.xlarge")).market(REGION, [USE, other])
    assert market.prices.keys() == {other}


def test_a_whole_use_is_what_the_file_holds() -> None:
    market = prices(a_row(), a_row(instance_type="ml.c5.xlarge", per_hour=-1)).market(REGION, [], [Component.HOSTING])
    assert market.types(Component.HOSTING).keys() == {"ml.m5.xlarge"}
    assert market.notes == ()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "is no price file"),
        ("[]", "the file: Input should be"),
        ("{}", "prices: Field required"),
        (json.dumps({"prices": [a_row(per_hour="much")]}), "prices.0.per_hour"),
        (json.dumps({"prices": [a_row(component="Toast")]}), "prices.0.component"),
        (json.dumps({"prices": [a_row(instance_type="m5.xlarge")]}), "prices.0.instance_type"),
        (json.dumps({"prices": [], "currency": "dollars"}), "currency"),
        (json.dumps({"prices": [], "schema_version": 2}), "schema_version"),
        (json.dumps({"prices": [], "usagetype": "x"}), "usagetype"),
    ],
)
def test_a_file_that_is_none_is_refused(tmp_path: Path, text: str, words: str) -> None:
    file = tmp_path / "prices.json"
    file.write_text(text)
    with pytest.raises(InvalidInput) as refused:
        PriceFile.read(str(file))
    assert words in str(refused.value)
    assert refused.value.field == "--prices"


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="cannot be read: No such file"):
        PriceFile.read(str(tmp_path / "none.json"))


def test_what_is_known_becomes_a_file_that_tells_the_same(tmp_path: Path) -> None:
    known = {USE: Price(0.23, "2026-11-20", 4, 16, True), Use("ml.m5.xlarge", Component.TRAINING): Price(0.27)}
    path = tmp_path / "prices.json"
    path.write_text(file_of({REGION: known}).model_dump_json())
    market = FilePrices(PriceFile.read(str(path)), path.name).market(REGION, known)
    assert {use: price.usd_per_hour for use, price in market.prices.items()} == {
        use: price.usd_per_hour for use, price in known.items()
    }
    assert market.price(*USE) == known[USE]
