"""No answer is larger than what Lambda lets through, and nothing is left out without a word."""

import csv
import io
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest

from chalicelib.audit.auditor import Auditor
from chalicelib.ledger.history import History, Past
from chalicelib.ledger.table import TABLE
from chalicelib.report.calendar import CalendarEntry
from chalicelib.report.findings import Finding, PolicyUsed, Report
from chalicelib.report.known import Known
from chalicelib.report.merging import report_of
from chalicelib.service import Service
from chalicelib.settings import Settings
from chalicelib.web import calendar, pages, routes
from emulator.server import DEFAULT_ACCOUNT as ACCOUNT
from emulator.server import DEFAULT_REGION as REGION
from emulator.server import Emulator
from tests.unit.test_notices import NOW, a_finding

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("direct_calls")]

#: What a function of Lambda may answer.
LAMBDA_BYTES = 6 * 1024 * 1024
JSON, HTML, CSV = "application/json", "text/html", "text/csv"
NUMBER = 60


def a_wide_finding(number: int) -> Finding:
    """A finding of some 100 kB, much of it marks that grow when they are escaped."""
    evidence = {f"fact {index}": '"\\é' * 100 for index in range(100)}
    return a_finding(number, name=f"e-{number:04}").model_copy(update={"evidence": evidence})


@pytest.fixture
def service(emulator: Emulator) -> Service:
    """A ledger with some 6 MB of findings, which are more in an answer."""
    emulator.client("dynamodb").create_table(TableName="ledger", **TABLE)
    service = Service(Settings(table="ledger"), boto3.Session(region_name=REGION))
    assert service.ledger is not None
    service.ledger.write([Known(a_wide_finding(number)) for number in range(NUMBER)])
    return service


def fits(answer: routes.HttpResponse) -> bool:
    return pages.size_of(answer.body) <= pages.ANSWER_BYTES < LAMBDA_BYTES


def cursor_of(answer: routes.HttpResponse) -> str | None:
    held = answer.body["cursor"] if isinstance(answer.body, dict) else answer.headers.get("X-Next-Cursor")
    return None if held is None else str(held)


def names_in(answer: routes.HttpResponse) -> list[str]:
    if isinstance(answer.body, dict):
        return [finding["resource"]["name"] for finding in answer.body["findings"]]
    return [row["resource"] for row in csv.DictReader(io.StringIO(answer.body.removeprefix("\ufeff")))]


@pytest.mark.parametrize("accept", [JSON, CSV])
def test_pages_of_the_ledger_end_where_an_answer_is_full_and_hold_everything(service: Service, accept: str) -> None:
    names: list[str] = []
    sizes, cursor = [], None
    while True:
        answer = routes.get_audit(service, {"cursor": cursor} if cursor else {}, accept)
        assert fits(answer)
        sizes.append(len(names_in(answer)))
        names += names_in(answer)
        cursor = cursor_of(answer)
        if cursor is None:
            break
    assert names == [a_wide_finding(number).resource.name for number in range(NUMBER)]
    assert len(sizes) > 1
    assert min(sizes[:-1]) > 1


def test_the_page_for_people_says_where_the_others_are(service: Service) -> None:
    answer = routes.get_audit(service, {}, HTML)
    assert fits(answer)
    assert '"more":{"query":"limit=500","cursor":' in answer.body


def test_one_finding_is_answered_whatever_fits(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(routes, "ANSWER_BYTES", 1_000)
    answer = routes.get_audit(service, {}, JSON)
    assert len(names_in(answer)) == 1
    assert cursor_of(answer) is not None


@pytest.mark.parametrize("accept", [JSON, CSV, HTML])
def test_without_a_ledger_what_is_left_out_is_counted(
    emulator: Emulator, monkeypatch: pytest.MonkeyPatch, accept: str
) -> None:
    def large(*_: Any, **__: Any) -> Report:
        findings = [a_wide_finding(number) for number in range(NUMBER)]
        used = PolicyUsed(name="baseline", digest="d")
        return report_of(ACCOUNT, REGION, trigger="http", policy=used, started=NOW, findings=findings)

    monkeypatch.setattr(Auditor, "audit", large)
    answer = routes.get_audit(Service(Settings(), boto3.Session(region_name=REGION)), {}, accept)
    assert fits(answer)
    if isinstance(answer.body, dict):
        shown = answer.body["shown"]
        assert 1 < shown["findings"] < NUMBER
        assert shown["findings"] + shown["left_out"] == NUMBER


@pytest.mark.parametrize("accept", [JSON, "text/calendar"])
def test_a_calendar_holds_the_next_ends_and_counts_the_others(
    service: Service, monkeypatch: pytest.MonkeyPatch, accept: str
) -> None:
    today = datetime.now(UTC).date()
    number = 20_000
    entries = [
        CalendarEntry(
            day=today + timedelta(days=index // 20),
            kind="training-plan",
            resource=f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:training-plan/research-{index:05}",
            says=f"the plan research-{index:05} ends, of which é, ; and \\ are marks",
            account=ACCOUNT,
            region=REGION,
            rule="reservation-ends",
        )
        for index in range(number)
    ]
    used = PolicyUsed(name="baseline", digest="d")
    swept = report_of(ACCOUNT, REGION, trigger="schedule", policy=used, started=NOW, calendar=entries)
    monkeypatch.setattr(History, "of", lambda *_: Past((swept,)))
    answer = calendar.get_calendar(service, {}, accept)
    assert fits(answer)
    if isinstance(answer.body, dict):
        shown = answer.body["entries"]
        assert [entry["resource"] for entry in shown] == [entry.resource for entry in entries[: len(shown)]]
        assert 1_000 < len(shown) == number - answer.body["left_out"]
    else:
        assert answer.body.count("BEGIN:VEVENT") > 1_000


def test_the_catalogue_and_the_description_are_far_from_it(service: Service) -> None:
    assert pages.size_of(routes.get_rules(service).body) < LAMBDA_BYTES / 4
