"""Realized savings in the ledger: from sweep to sweep on an account that changes."""

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from chalice.test import Client

import app as handlers
from chalicelib.ledger.realized import RealizedSavings
from chalicelib.ledger.results import Result, Results, RunPart
from chalicelib.ledger.table import TABLE, ItemTable
from chalicelib.money.prices import Component, Market, Price, Use
from chalicelib.report.findings import Finding, Resource, Saving
from chalicelib.report.known import Resolution
from emulator.account import build
from emulator.server import DEFAULT_ACCOUNT as ACCOUNT
from emulator.server import Emulator
from samples.notices import a_finding
from samples.price_records import a_record
from tests.price_list import PriceListServer, serving
from tests.unit.test_notices import a_report

pytestmark = pytest.mark.slow


PRICES = Path(__file__).resolve().parents[2] / "emulator" / "prices.json"
NOW = datetime(2026, 3, 4, 6, tzinfo=UTC)
MONEY = {"instance_type": "ml.g5.xlarge", "component": "Hosting", "instance_count": 2, "usd_per_hour": 1.0}


class FixedPrices:
    def market(self, region: str, uses: Any, whole: Any = ()) -> Market:
        known = {Use("ml.m5.xlarge", Component.HOSTING): Price(0.25)}
        return Market(region, {use: known[use] for use in uses if use in known})


@pytest.fixture
def savings(emulator: Emulator) -> RealizedSavings:
    client = emulator.client("dynamodb")
    client.create_table(TableName="auditor", **TABLE)
    return RealizedSavings("auditor", client, FixedPrices())


def finding(name: str = "churn/AllTraffic", status: str = "resolved", kind: str = "endpoint-variant") -> Finding:
    resource = Resource(kind=kind, arn=f"arn:{name}", name=name)
    saving = Saving(monthly_usd=1_460.0, basis="b")
    return a_finding(resource, rule="endpoint-idle", saving=saving, evidence={"money": MONEY}, status=status)


def noted(savings: RealizedSavings, day: int, resolved: list[Finding], reported: list[Finding], **proof: Any) -> None:
    facts = {"standing": {}, "gone": frozenset[str](), **proof}
    savings.note(ACCOUNT, NOW + timedelta(days=day), resolved, reported, **facts)


def test_a_change_of_type_is_seen_by_its_price(savings: RealizedSavings) -> None:
    over = finding()
    standing = {over.id: {"instance_type": "ml.m5.xlarge", "instance_count": 2}}
    noted(savings, 0, [over], [], standing=standing)
    total = savings.of(ACCOUNT)
    assert (total.since, total.findings, total.estimated_usd, total.seen_usd) == (date(2026, 3, 4), 1, 1_460.0, 1_095.0)
    assert total.changes[0].changed == "ml.g5.xlarge to ml.m5.xlarge"


def test_noted_twice_it_counts_once(savings: RealizedSavings) -> None:
    for _ in range(2):
        noted(savings, 0, [finding()], [], gone=frozenset({finding().id}))
    total = savings.of(ACCOUNT)
    assert (total.findings, total.seen_usd, total.changes[0].changed) == (1, 1_460.0, "deleted")


def test_what_comes_back_takes_its_amount_off(savings: RealizedSavings) -> None:
    noted(savings, 0, [finding()], [], gone=frozenset({finding().id}))
    noted(savings, 1, [], [finding("other/AllTraffic", "open")])
    assert savings.of(ACCOUNT).findings == 1
    noted(savings, 2, [], [finding(status="open")])
    total = savings.of(ACCOUNT)
    assert (total.findings, total.estimated_usd) == (0, 0.0)
    assert [point.estimated_usd for point in total.curve] == [1_460.0, 0.0]
    noted(savings, 3, [finding()], [], gone=frozenset({finding().id}))
    assert [point.estimated_usd for point in savings.of(ACCOUNT).curve] == [1_460.0, 0.0, 1_460.0]


def test_jobs_that_pass_save_nothing(savings: RealizedSavings) -> None:
    noted(savings, 0, [finding("ranking-1", kind="training-job")], [])
    assert savings.of(ACCOUNT).since is None


def test_an_entry_of_something_else_is_passed_over(savings: RealizedSavings, caplog: pytest.LogCaptureFixture) -> None:
    noted(savings, 0, [finding()], [])
    savings._table.put({"pk": f"realized#{ACCOUNT}", "sk": "broken", "body": "{}"})
    assert savings.of(ACCOUNT).findings == 1
    assert "cannot be read" in caplog.text


# ---- from sweep to sweep


@pytest.fixture
def client(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    """The demo account with a ledger, and prices of AWS."""
    rows = json.loads(PRICES.read_text())["prices"]
    records = [
        a_record(row["instance_type"], row["component"], str(row["per_hour"]), region=row["region"]) for row in rows
    ]
    build(now=datetime.now(UTC))
    emulator.client("dynamodb").create_table(TableName="auditor", **TABLE)
    with serving(PriceListServer(records)) as server:
        for name, value in {
            "AWS_ENDPOINT_URL_PRICING": server.url,
            "AUDITOR_TABLE": "auditor",
            "AUDITOR_PRICES": "on",
            "AUDITOR_POLICY": "strict",
        }.items():
            monkeypatch.setenv(name, value)
        handlers.service.cache_clear()
        with Client(handlers.app) as made:
            yield made
        handlers.service.cache_clear()


def swept(client: Client, id: str) -> None:
    event = client.events.generate_cw_event("aws.events", "Scheduled Event", {}, [], "eu-west-1")
    answer = client.lambda_.invoke("audit_on_schedule", event | {"id": id, "account": ACCOUNT})
    assert answer.payload["complete"] in (True, False)


def test_what_the_next_sweep_sees_is_told_over_http_and_on_the_page(emulator: Emulator, client: Client) -> None:
    swept(client, "11111111-1111-1111-1111-111111111111")
    before = client.http.get("/audit", headers={"Accept": "application/json"}).json_body
    assert before["realized"]["findings"] == 0
    sagemaker = emulator.client("sagemaker")
    sagemaker.stop_notebook_instance(NotebookInstanceName="llm-experiments")
    sagemaker.delete_endpoint(EndpointName="returns-forecast")
    swept(client, "22222222-2222-2222-2222-222222222222")
    total = client.http.get("/audit", headers={"Accept": "application/json"}).json_body["realized"]
    changes = {change["name"]: change for change in total["changes"]}
    notebook, endpoint = changes["llm-experiments"], changes["returns-forecast/AllTraffic"]
    assert (notebook["estimated_usd"], notebook["seen_usd"]) == (1171.65, 1171.65)
    assert notebook["changed"] == "1 to 0 instances"
    assert (endpoint["estimated_usd"], endpoint["seen_usd"], endpoint["changed"]) == (335.8, 335.8, "deleted")
    assert total["seen_usd"] == total["estimated_usd"] == 1507.45
    html = client.http.get("/audit", headers={"Accept": "text/html"}).body.decode()
    assert "2 findings resolved, $1,507 a month (USD) less, of which $1,507 seen in the configuration" in html


def test_what_a_part_of_a_run_saw_is_kept_with_its_result(emulator: Emulator) -> None:
    client = emulator.client("dynamodb")
    client.create_table(TableName="auditor", **TABLE)
    results = Results(ItemTable("auditor", client), expires=2_000_000_000)
    part = RunPart(ACCOUNT, "eu-west-1")
    proof = Resolution(standing={"f-1": {"instance_type": "ml.m5.xlarge", "instance_count": 2}})
    results.keep("r-1", part, Result(a_report(), proof, {}))
    (kept,) = results.of_account("r-1", ACCOUNT).values()
    assert kept.judged.standing == proof.standing
