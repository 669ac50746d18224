"""Whose account an event is of: the own one, one with a role, or none that is audited here."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from chalice.test import Client

import app as handlers
from chalicelib.cli import run
from chalicelib.fleet.accounts import accounts_of_organization
from chalicelib.ledger.ledger import Ledger
from chalicelib.report.known import Known
from emulator.front import Front
from emulator.server import DEFAULT_ACCOUNT as ACCOUNT
from emulator.server import DEFAULT_REGION as REGION
from emulator.server import Emulator
from tests.events import payload
from tests.service.test_events import endpoint_event
from tests.service.test_fleet import MEMBERS, Account
from tests.service.test_triggers import sent
from tests.unit.test_notices import a_finding

FOREIGN = "999999999999"


@pytest.fixture
def account(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> Account:
    account = Account(emulator)
    monkeypatch.setenv("AUDITOR_TOPIC_ARN", account.subscriber.topic)
    monkeypatch.setenv("AUDITOR_TABLE", "auditor-ledger")
    return account


@pytest.fixture
def client(account: Account) -> Iterator[Client]:
    handlers.service.cache_clear()
    with Client(handlers.app) as client:
        yield client
    handlers.service.cache_clear()


def of(event: dict[str, Any], account: str = ACCOUNT, region: str = REGION) -> dict[str, Any]:
    return {**event, "account": account, "region": region}


def asked(front: Front) -> list[str]:
    return [name for name in front.calls if not name.startswith(("sns:", "sqs:", "dynamodb:", "sts:"))]


@pytest.mark.parametrize("place", [(FOREIGN, REGION), (ACCOUNT, "us-east-1"), (ACCOUNT, "nowhere-1"), ("*", "x" * 64)])
def test_e2_an_event_of_another_account_or_region_is_dropped_counted_and_told(
    client: Client, account: Account, front: Front, caplog: pytest.LogCaptureFixture, place: tuple[str, str]
) -> None:
    ledger = Ledger("auditor-ledger", account.emulator.client("dynamodb"))
    theirs = a_finding(7, name="endpoint-0/AllTraffic", account=place[0], region=place[1])
    ledger.write([Known(theirs, theirs.first_seen, theirs.severity)])
    front.calls.clear()
    event = of(endpoint_event("endpoint-0"), *place)
    answer = sent(client, "audit_on_sagemaker_event", event)
    assert "is not audited here" in answer["dropped"]
    assert f"event dropped, id {event['id']}: " in caplog.text
    assert asked(front) == []
    assert account.subscriber.received() == []
    assert list(ledger.unresolved(*place)) == [theirs.id]


def test_an_event_of_a_member_is_read_with_its_role(
    client: Client, account: Account, front: Front, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUDITOR_ACCOUNTS", ",".join([ACCOUNT, *MEMBERS]))
    monkeypatch.setenv("AUDITOR_ROLE_NAME", "auditor-member")
    front.calls.clear()
    sent(client, "audit_on_sagemaker_event", of(endpoint_event("endpoint-1"), MEMBERS[0]))
    bodies = [json.loads(notice["Message"]) for notice in account.subscriber.received()]
    assert {body["account"] for body in bodies} == {MEMBERS[0]}
    assert {body["finding"]["resource"]["name"].split("/")[0] for body in bodies} == {"endpoint-1"}
    assert front.calls["sts:AssumeRole"] == 1
    answer = sent(client, "audit_on_sagemaker_event", of(endpoint_event("endpoint-0"), MEMBERS[0]))
    assert (answer["findings"], answer["notices"]) == (0, 0)
    assert front.calls["sts:AssumeRole"] == 1
    assert "dropped" in sent(client, "audit_on_sagemaker_event", of(endpoint_event("endpoint-1"), FOREIGN))


def test_a_role_that_refuses_drops_the_event(
    client: Client, account: Account, front: Front, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("AUDITOR_ACCOUNTS", ",".join([ACCOUNT, *MEMBERS]))
    monkeypatch.setenv("AUDITOR_ROLE_NAME", "auditor-member")
    front.fail("sts:AssumeRole", 403, "AccessDenied")
    answer = sent(client, "audit_on_sagemaker_event", of(endpoint_event("endpoint-1"), MEMBERS[0]))
    assert "cannot be assumed" in answer["dropped"]
    assert "event dropped, id " in caplog.text


def test_a_region_of_the_settings_is_audited(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUDITOR_REGIONS", f"{REGION},us-east-1")
    answer = sent(client, "audit_on_sagemaker_event", of(endpoint_event("nothing"), region="us-east-1"))
    assert "dropped" not in answer


def test_a_schedule_of_another_account_begins_nothing(client: Client, account: Account, front: Front) -> None:
    front.calls.clear()
    answer = sent(client, "audit_on_schedule", of(payload("schedule"), FOREIGN))
    assert "is not audited here" in answer["dropped"]
    assert asked(front) == []


@pytest.mark.parametrize("event", [None, [], "text", 3, {"Records": 3}, {"Records": [3, None, {"body": 3}]}])
def test_what_is_no_event_is_dropped_and_does_not_fail(client: Client, event: Any) -> None:
    assert "dropped" in handlers.service().on_event(event)
    assert handlers.service().on_parts(event) == {"batchItemFailures": []}


def test_replay_reads_no_account_but_the_own_one(
    account: Account, front: Front, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "event.json"
    file.write_text(json.dumps(of(endpoint_event("endpoint-0"), FOREIGN)))
    front.calls.clear()
    assert run(["replay", str(file)]) == 2
    assert FOREIGN in capsys.readouterr().err
    assert asked(front) == []
    file.write_text(json.dumps(endpoint_event("endpoint-0")))
    assert run(["replay", str(file)]) == 0


class Organization:
    """The session of a management account with these accounts, by id and status, in two pages."""

    def __init__(self, **accounts: str) -> None:
        self.listed = [{"Id": id.removeprefix("a"), "Status": status} for id, status in accounts.items()]

    def client(self, *_: Any, **__: Any) -> "Organization":
        return self

    def get_paginator(self, _: str) -> "Organization":
        return self

    def paginate(self) -> list[dict[str, Any]]:
        return [{"Accounts": self.listed[:1]}, {"Accounts": self.listed[1:]}]


def test_suspended_accounts_of_the_organization_are_left_out() -> None:
    organization: Any = Organization(a111111111111="ACTIVE", a222222222222="SUSPENDED", a333333333333="PENDING_CLOSURE")
    assert accounts_of_organization(organization) == ["111111111111"]
