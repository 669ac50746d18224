"""The posture through time, in the ledger's table, and the page that is made of it."""

from collections.abc import Iterator
from datetime import timedelta
from hashlib import sha256
from typing import Any

import pytest
from chalice.test import Client, HTTPResponse

import app as handlers
from chalicelib.ledger.history import History
from chalicelib.ledger.table import TABLE
from chalicelib.report.findings import EndpointCapacity, Exemption, RuleCounts, RuleInForce, Severity
from emulator.server import DEFAULT_ACCOUNT as ACCOUNT
from emulator.server import Emulator
from tests.service.test_audit import an_endpoint
from tests.unit.test_notices import NOW, a_finding, a_report
from tests.unit.test_page import Reader

JUDGED: dict[str, Any] = {
    "rules": {"endpoint-single-instance": RuleCounts(passed=3, fail=1)},
    "catalogue": {"endpoint-single-instance": RuleInForce(severity=Severity.HIGH, topic="instances")},
}


@pytest.fixture
def history(emulator: Emulator) -> History:
    client = emulator.client("dynamodb")
    client.create_table(TableName="auditor", **TABLE)
    return History("auditor", client)


def test_a_sweep_is_a_point_and_the_last_of_each_region_is_kept(history: History) -> None:
    for day in range(3):
        moment = NOW + timedelta(days=day)
        exempt = a_finding(2, status="exempt", exemption=Exemption(reason="on purpose"))
        west = a_report(a_finding(1), exempt, finished_at=moment, **JUDGED)
        east = a_report(regions=["us-east-1"], finished_at=moment, **JUDGED)
        both = west.model_copy(update={"regions": ["eu-west-1", "us-east-1"], "audit_id": f"a-{day}"})
        history.note([west, east], both)
    past = history.of(ACCOUNT)
    assert [(point.at, point.score, point.open[Severity.HIGH]) for point in past.trend] == [
        (NOW + timedelta(days=day), 75.0, 1) for day in range(3)
    ]
    assert sorted(report.regions[0] for report in past.reports) == ["eu-west-1", "us-east-1"]
    assert all(report.findings == [] and report.finished_at == NOW + timedelta(days=2) for report in past.reports)
    assert past.counted == {"endpoint-single-instance": {Severity.HIGH: 1}}
    assert past.exempt == 1


def test_an_audit_by_some_rules_or_of_named_resources_is_no_sweep(history: History) -> None:
    for part in ({"rules": ["endpoint-idle"]}, {"resources": ["arn:x"]}):
        report = a_report(a_finding(1), **JUDGED)
        history.note([report], report.model_copy(update={"scope": report.scope.model_copy(update=part)}))
    assert history.of(ACCOUNT).trend == () and history.of(ACCOUNT).reports == ()


def test_a_large_region_is_kept_in_pieces_and_a_smaller_one_takes_its_place(history: History) -> None:
    def an_estate(number: int) -> Any:
        noise = [
            EndpointCapacity(
                account=ACCOUNT,
                region="eu-west-1",
                name=sha256(str(i).encode()).hexdigest(),
                arn=f"{i}",
                status="s",
                variants=[],
            )
            for i in range(number)
        ]
        return a_report(endpoints=noise, **JUDGED)

    large, small = an_estate(15_000), an_estate(3)
    history.note([large], large)
    assert len(history.of(ACCOUNT).reports[0].endpoints) == 15_000
    assert len(list(history._items(ACCOUNT, "last#"))) > 1
    history.note([small], small.model_copy(update={"audit_id": "a-2"}))
    assert len(history.of(ACCOUNT).reports[0].endpoints) == 3


def test_the_trend_holds_the_newest_sixty(history: History) -> None:
    for day in range(70):
        report = a_report(finished_at=NOW + timedelta(days=day), **JUDGED)
        history.note([report], report)
    trend = history.of(ACCOUNT).trend
    assert len(trend) == 60
    assert (trend[0].at, trend[-1].at) == (NOW + timedelta(days=10), NOW + timedelta(days=69))


@pytest.fixture
def client(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    """The routes of an account with two endpoints and a ledger."""
    emulator.client("dynamodb").create_table(TableName="auditor", **TABLE)
    an_endpoint(emulator, "alone", count=1)
    an_endpoint(emulator, "pair")
    monkeypatch.setenv("AUDITOR_TABLE", "auditor")
    handlers.service.cache_clear()
    with Client(handlers.app) as client:
        yield client
    handlers.service.cache_clear()


def asked(client: Client, path: str = "/audit", accept: str = "text/html") -> HTTPResponse:
    answer = client.http.get(path, headers={"Accept": accept})
    assert answer.status_code == 200, answer.body
    return answer


def test_the_page_before_the_first_sweep_says_that_nothing_was_judged(client: Client) -> None:
    read = Reader(asked(client).body.decode())
    assert read.data["findings"] == []
    assert "Nothing was judged" in read.text


def test_the_page_of_the_ledger_has_findings_posture_map_and_trend(client: Client) -> None:
    for _ in range(2):
        handlers.service().on_schedule({})
    answer = asked(client, accept="text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8")
    assert answer.headers["Content-Type"].startswith("text/html")
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
    read = Reader(answer.body.decode())
    assert {finding["resource"]["name"] for finding in read.data["findings"]} >= {"alone/AllTraffic"}
    assert [endpoint["name"] for endpoint in read.data["endpoints"]] == ["alone", "pair"]
    assert "2 sweeps as a table" in read.text


def test_the_page_loads_the_rest_by_its_cursor(client: Client) -> None:
    handlers.service().on_schedule({})
    whole = asked(client, accept="application/json").json_body["findings"]
    assert len(whole) > 2
    read = Reader(asked(client, "/audit?limit=1&severity=medium").body.decode())
    more = read.data["more"]
    assert len(read.data["findings"]) == 1 and "severity=medium" in more["query"]
    rest = asked(client, f"/audit?{more['query']}&cursor={more['cursor']}", "application/json").json_body["findings"]
    assert [finding["id"] for finding in [*read.data["findings"], *rest]] == [
        finding["id"] for finding in whole if finding["severity"] in ("critical", "high", "medium")
    ]


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("", "application/json"),
        ("*/*", "application/json"),
        ("application/json", "application/json"),
        ("text/html", "text/html"),
        ("text/csv", "text/csv"),
        ("text/*;q=0.5, application/json;q=0.4", "text/html"),
        ("text/csv;q=0.9, text/html;q=0.8, */*;q=0.1", "text/csv"),
        ("image/png", "application/json"),
        ("text/html;q=nonsense", "text/html"),
    ],
)
def test_the_accept_header_chooses_the_form(client: Client, accept: str, kind: str) -> None:
    assert asked(client, accept=accept).headers["Content-Type"].startswith(kind)
