"""Prices over HTTP: what is asked, in which of two ways, for how long it is remembered, and what harm does."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from chalicelib.inventory.aws import Aws
from chalicelib.inventory.cached import FileMemory
from chalicelib.inventory.remembered import Answer, Memory, ProcessMemory
from chalicelib.money import catalogue
from chalicelib.money.catalogue import PriceList
from chalicelib.money.kept import KEPT, KEPT_MISS
from chalicelib.money.prices import Component, Unpriced, Use
from samples.price_records import MISLEADING, REGION, a_record
from tests.price_list import PriceListServer, serving

NOW = datetime(2026, 11, 26, 6, tzinfo=UTC)
USE = Use("ml.m5.xlarge", Component.HOSTING)
MANY = [Use(f"ml.m5.{size}xlarge", Component.HOSTING) for size in range(2, 9)]


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[PriceListServer]:
    with serving(
        PriceListServer([*MISLEADING.values(), a_record(), a_record(component="Training", usd="0.27")])
    ) as made:
        monkeypatch.setenv("AWS_ENDPOINT_URL_PRICING", made.url)
        yield made


def price_list(server: PriceListServer, memory: Memory | None = None, now: datetime = NOW) -> PriceList:
    return PriceList(server.door, memory or ProcessMemory(), lambda: now)


def test_the_price_of_a_use_among_records_that_mislead(server: PriceListServer) -> None:
    market = price_list(server).market(REGION, [USE])
    assert market.price(*USE).usd_per_hour == 0.23
    assert (market.notes, market.source, dict(market.calls)) == ((), "AWS Price List", {"pricing:GetProducts": 1})
    assert server.asked == [{"productFamily": "ML Instance", "regionCode": REGION, "instanceName": "ml.m5.xlarge"}]


def test_one_call_tells_all_uses_of_a_type(server: PriceListServer) -> None:
    server.records = [a_record(), a_record(component="Training", usd="0.27")]
    market = price_list(server).market(REGION, [USE, Use("ml.m5.xlarge", Component.TRAINING)])
    assert {use.component: price.usd_per_hour for use, price in market.prices.items()} == {
        Component.HOSTING: 0.23,
        Component.TRAINING: 0.27,
    }
    assert len(server.asked) == 1


def test_six_types_are_asked_one_by_one_and_seven_by_their_use(server: PriceListServer) -> None:
    server.records = [a_record(use.instance_type, usd="0.5") for use in MANY]
    assert len(price_list(server).market(REGION, MANY[:6]).prices) == 6
    assert [filters["instanceName"] for filters in server.asked] == [use.instance_type for use in MANY[:6]]
    server.asked.clear()
    server.page = 2
    market = price_list(server).market(REGION, MANY)
    assert len(market.prices) == 7
    assert server.asked == [{"productFamily": "ML Instance", "regionCode": REGION, "component": "Hosting"}] * 4


def test_every_type_of_a_use_is_read_where_it_is_asked_for(server: PriceListServer) -> None:
    server.records = [a_record(use.instance_type, usd="0.5") for use in MANY]
    market = price_list(server).market(REGION, [], [Component.HOSTING])
    assert market.types(Component.HOSTING).keys() == {use.instance_type for use in MANY}
    with pytest.raises(Unpriced, match="the prices of Training in eu-west-1 are not all known"):
        market.types(Component.TRAINING)


def test_the_client_is_pinned_to_where_the_list_is(server: PriceListServer) -> None:
    server.records = [a_record(region="cn-north-1", terms=None), a_record()]
    price_list(server).market(REGION, [USE])
    price_list(server).market("cn-north-1", [USE])
    assert server.regions == ["us-east-1", "cn-northwest-1"]


def test_prices_of_china_are_in_another_currency_and_no_number(server: PriceListServer) -> None:
    server.records = [a_record(region="cn-north-1")]
    server.records[0]["terms"]["OnDemand"]["SKU.JRTCKXETXF"]["priceDimensions"]["SKU.JRTCKXETXF.0"]["pricePerUnit"] = {
        "CNY": "1.5"
    }
    market = price_list(server).market("cn-north-1", [USE])
    assert (market.prices, market.notes) == (
        {},
        ("no price of ml.m5.xlarge (Hosting) in cn-north-1: its price is in CNY, and amounts are in USD",),
    )


@pytest.mark.parametrize("region", ["us-gov-west-1", "us-iso-east-1"])
def test_a_partition_without_a_price_list_is_not_asked(server: PriceListServer, region: str) -> None:
    market = price_list(server).market(region, [USE])
    assert (server.asked, dict(market.calls)) == ([], {})
    assert "AWS has no price list in aws-" in market.notes[0]


def test_nothing_wanted_is_nothing_asked(server: PriceListServer) -> None:
    assert price_list(server).market(REGION, []).notes == ()
    assert server.asked == []


def test_a_type_never_seen_has_no_price_and_a_line_that_says_so(server: PriceListServer) -> None:
    market = price_list(server).market(REGION, [Use("ml.z9.xlarge", Component.HOSTING), USE])
    assert market.notes == ("no price of ml.z9.xlarge (Hosting) in eu-west-1: AWS lists none",)
    assert market.price(*USE).usd_per_hour == 0.23
    with pytest.raises(Unpriced, match=r"no price of ml.z9.xlarge \(Hosting\) in eu-west-1"):
        market.price("ml.z9.xlarge", Component.HOSTING)


def test_prices_that_contradict_each_other_are_none(server: PriceListServer) -> None:
    server.records.append(a_record(usd="0.25"))
    market = price_list(server).market(REGION, [USE])
    assert market.prices == {}
    assert "its prices contradict each other: 0.23 and 0.25 USD" in market.notes[0]


# ---- remembered


@pytest.mark.parametrize("kind", ["file", "process"])
def test_a_price_is_asked_once_a_week(server: PriceListServer, tmp_path: Path, kind: str) -> None:
    memory = FileMemory(tmp_path) if kind == "file" else ProcessMemory()
    for age in (timedelta(0), KEPT - timedelta(seconds=1)):
        market = price_list(server, memory, NOW + age).market(REGION, [USE])
        assert market.price(*USE).published == "2026-11-20"
    assert len(server.asked) == 1
    price_list(server, memory, NOW + KEPT).market(REGION, [USE])
    assert len(server.asked) == 2


def test_that_there_is_no_price_is_remembered_for_a_day(server: PriceListServer) -> None:
    memory, strange = ProcessMemory(), Use("ml.z9.xlarge", Component.HOSTING)
    for age in (timedelta(0), KEPT_MISS - timedelta(seconds=1)):
        assert price_list(server, memory, NOW + age).market(REGION, [strange]).notes != ()
    assert len(server.asked) == 1
    server.records = [a_record("ml.z9.xlarge")]
    assert price_list(server, memory, NOW + KEPT_MISS).market(REGION, [strange]).notes == ()


def test_a_week_holds_for_each_price_from_its_own_reading(server: PriceListServer) -> None:
    memory, other = ProcessMemory(), Use("ml.m5.xlarge", Component.TRAINING)
    server.records.append(a_record("ml.c5.xlarge", usd="0.2"))
    price_list(server, memory).market(REGION, [USE])
    price_list(server, memory, NOW + timedelta(days=6)).market(REGION, [USE, Use("ml.c5.xlarge", Component.HOSTING)])
    assert len(server.asked) == 2
    price_list(server, memory, NOW + timedelta(days=8)).market(REGION, [USE, other])
    assert [filters["instanceName"] for filters in server.asked[2:]] == ["ml.m5.xlarge"]


def test_a_whole_use_is_asked_once_a_week(server: PriceListServer) -> None:
    memory = ProcessMemory()
    for age in (timedelta(0), KEPT - timedelta(seconds=1), KEPT):
        market = price_list(server, memory, NOW + age).market(REGION, [], [Component.HOSTING])
        assert "ml.m5.xlarge" in market.types(Component.HOSTING)
    assert len(server.asked) == 2


def test_a_memory_of_something_else_is_none(server: PriceListServer) -> None:
    memory = ProcessMemory()
    good = {"type": "ml.m5.xlarge", "component": "Hosting", "read_at": NOW.isoformat()}
    for broken in ({}, {**good, "component": "Toast"}, {**good, "price": {"usd": 1}}, {**good, "read_at": "soon"}):
        memory.keep_answer("all", REGION, "prices", Answer(NOW, [broken]))
        assert price_list(server, memory).market(REGION, [USE]).price(*USE).usd_per_hour == 0.23
    assert len(server.asked) == 4


# ---- harm


@pytest.mark.parametrize(
    ("failure", "words"),
    [
        ((400, "AccessDeniedException"), "pricing:GetProducts: AccessDeniedException"),
        ((500, "InternalErrorException"), "pricing:GetProducts: InternalErrorException"),
        ((400, "InvalidParameterException"), "pricing:GetProducts: InvalidParameterException"),
    ],
)
def test_prices_that_are_refused_are_one_line(
    server: PriceListServer, monkeypatch: pytest.MonkeyPatch, failure: tuple[int, str], words: str
) -> None:
    monkeypatch.setattr("chalicelib.inventory.aws.time.sleep", lambda _: None)
    server.failure = failure
    market = price_list(server).market(REGION, [USE, Use("ml.c5.xlarge", Component.HOSTING)])
    assert (market.prices, market.notes) == ({}, (f"prices unavailable: {words}",))


def test_a_refusal_is_asked_again_by_the_next_audit(server: PriceListServer) -> None:
    memory = ProcessMemory()
    server.failure = (400, "AccessDeniedException")
    assert price_list(server, memory).market(REGION, [USE]).notes != ()
    server.failure = None
    assert price_list(server, memory).market(REGION, [USE]).price(*USE).usd_per_hour == 0.23


@pytest.mark.parametrize(
    "raw", [b"", b"{}", b"<html/>", b'{"PriceList": "none"}', b'{"PriceList": ["{"]}', b'{"PriceList": [[1]]}']
)
def test_an_answer_that_is_none_is_one_line(
    server: PriceListServer, monkeypatch: pytest.MonkeyPatch, raw: bytes
) -> None:
    monkeypatch.setattr("chalicelib.inventory.aws.time.sleep", lambda _: None)
    server.raw = raw
    market = price_list(server).market(REGION, [USE])
    assert market.prices == {}
    assert len(market.notes) == 1
    assert market.notes[0].startswith("prices unavailable: ")


def test_an_empty_list_is_no_price(server: PriceListServer) -> None:
    server.raw = b'{"PriceList": []}'
    market = price_list(server).market(REGION, [USE])
    assert market.notes == ("no price of ml.m5.xlarge (Hosting) in eu-west-1: AWS lists none",)


def test_a_list_whose_pages_never_end_tells_no_price(server: PriceListServer) -> None:
    server.raw = b'{"PriceList": [], "NextToken": "again"}'
    assert "RepeatedToken" in price_list(server).market(REGION, [USE]).notes[0]


def test_prices_are_given_up_after_their_time(server: PriceListServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalogue, "SECONDS", 0.0)
    market = price_list(server).market(REGION, [USE])
    assert (server.asked, market.notes) == ([], ("prices unavailable: pricing:GetProducts: OutOfTime",))


def test_the_door_for_prices_gives_up_early(server: PriceListServer) -> None:
    door: Aws = server.door("us-east-1")
    config = door.client("pricing").meta.config
    assert (config.connect_timeout, config.read_timeout, door._attempts) == (3, 10, 2)
