"""``GET /calendar``: what ends, as JSON and for calendar programs."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import icalendar
import pytest
from chalice.test import Client

import app as handlers
from chalicelib.ledger.table import TABLE
from emulator.front import Front
from emulator.server import Emulator
from tests.events import payload
from tests.service.test_audit import an_endpoint

ENDS = datetime.now(UTC).date() + timedelta(days=9)
POLICY = f"""
extends: baseline
exemptions:
  - {{rule: endpoint-idle, resource: alone, reason: a trial, owner: ml, expires: {ENDS}}}
  - {{rule: endpoint-idle, resource: pair, reason: over, owner: ml, expires: 2026-01-01}}
"""


@pytest.fixture
def client(emulator: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    an_endpoint(emulator, "alone", count=1)
    (tmp_path / "own.yaml").write_text(POLICY)
    monkeypatch.setenv("AUDITOR_POLICY", str(tmp_path / "own.yaml"))
    handlers.service.cache_clear()
    with Client(handlers.app) as client:
        yield client
    handlers.service.cache_clear()


def asked(client: Client, path: str = "/calendar", accept: str = "application/json") -> Any:
    return client.http.get(path, headers={"Accept": accept})


def days(answer: Any) -> list[str]:
    return [entry["day"] for entry in answer.json_body["entries"]]


def test_without_a_ledger_it_is_read_now_for_the_rules_that_look_at_ends_alone(client: Client, front: Front) -> None:
    front.calls.clear()
    answer = asked(client)
    assert answer.status_code == 200
    assert days(answer) == [str(ENDS)]
    assert answer.json_body["last_audit"] is None
    assert "cloudwatch:GetMetricData" not in front.calls


def test_with_a_ledger_it_is_what_the_last_sweep_saw(
    client: Client, emulator: Emulator, front: Front, monkeypatch: pytest.MonkeyPatch
) -> None:
    emulator.client("dynamodb").create_table(TableName="auditor-ledger", **TABLE)
    monkeypatch.setenv("AUDITOR_TABLE", "auditor-ledger")
    handlers.service.cache_clear()
    assert days(asked(client)) == []
    client.lambda_.invoke("audit_on_schedule", payload("schedule"))
    front.calls.clear()
    answer = asked(client)
    assert days(answer) == [str(ENDS)]
    assert answer.json_body["last_audit"] is not None
    assert not [call for call in front.calls if call.startswith("sagemaker:")]
    assert days(asked(client, "/calendar?region=us-east-1")) == []


def test_a_calendar_program_gets_events(client: Client) -> None:
    answer = asked(client, accept="text/calendar")
    assert answer.headers["Content-Type"] == "text/calendar; charset=utf-8"
    (event,) = icalendar.Calendar.from_ical(answer.body).walk("VEVENT")
    assert event.decoded("DTSTART") == ENDS


@pytest.mark.parametrize(
    ("query", "field"), [("region=nowhere", "region"), ("account=1", "account"), ("colour=red", "colour")]
)
def test_what_is_wrong_is_told(client: Client, query: str, field: str) -> None:
    answer = asked(client, f"/calendar?{query}")
    assert answer.status_code == 400
    assert field in json.dumps(answer.json_body)


def test_another_account_has_no_calendar_without_a_ledger(client: Client) -> None:
    assert asked(client, "/calendar?account=999999999999").json_body["error"]["field"] == "account"
