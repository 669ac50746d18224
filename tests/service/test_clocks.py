"""The times that events and messages claim: they decide nothing, as everything is read anew by the own clock."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from chalice.test import Client

import app as handlers
from emulator import seed
from emulator.server import DEFAULT_ACCOUNT as ACCOUNT
from emulator.server import DEFAULT_REGION as REGION
from emulator.server import Emulator
from tests.service.test_events import endpoint_event
from tests.service.test_fleet import Account
from tests.service.test_triggers import sent

OFFSETS = [timedelta(days=-3), timedelta(minutes=-10), timedelta(minutes=10), timedelta(days=3)]


@pytest.fixture
def account(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> Account:
    account = Account(emulator)
    monkeypatch.setenv("AUDITOR_TOPIC_ARN", account.subscriber.topic)
    monkeypatch.setenv("AUDITOR_TABLE", "auditor-ledger")
    monkeypatch.setenv("AUDITOR_QUEUE_URL", account.queue)
    return account


@pytest.fixture
def client(account: Account) -> Iterator[Client]:
    handlers.service.cache_clear()
    with Client(handlers.app) as client:
        yield client
    handlers.service.cache_clear()


def stamped(offset: timedelta) -> dict[str, Any]:
    """An event of an endpoint that lies so far from now by all of its times."""
    moment = datetime.now(UTC) + offset
    event = endpoint_event("endpoint-0")
    times = {"CreationTime": moment.timestamp() * 1000, "LastModifiedTime": moment.timestamp() * 1000}
    return {**event, "time": f"{moment:%Y-%m-%dT%H:%M:%SZ}", "detail": {**event["detail"], **times}}


def notices_of(account: Account) -> list[tuple[str, str]]:
    return [(notice["finding"]["rule"], notice["kind"]) for notice in account.notices()]


@pytest.mark.parametrize("offset", OFFSETS)
def test_the_times_of_an_event_resolve_nothing_and_hide_nothing(
    client: Client, account: Account, offset: timedelta
) -> None:
    sent(client, "audit_on_sagemaker_event", stamped(offset))
    first = notices_of(account)
    assert ("endpoint-single-instance", "finding") in first
    sent(client, "audit_on_sagemaker_event", stamped(-offset))
    assert notices_of(account) == []
    seed.endpoint(ACCOUNT, REGION, "endpoint-0", status="Failed")
    sent(client, "audit_on_sagemaker_event", stamped(offset))
    assert ("endpoint-degraded", "finding") in notices_of(account)


@pytest.mark.parametrize("offset", OFFSETS)
def test_the_times_of_a_message_do_neither(client: Client, account: Account, offset: timedelta) -> None:
    arn = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:endpoint/endpoint-0"
    body = {"kind": "audit-again", "account": ACCOUNT, "region": REGION, "resource": arn, "attempt": 1}
    moment = f"{(datetime.now(UTC) + offset).timestamp() * 1000:.0f}"
    times = {"SentTimestamp": moment, "ApproximateFirstReceiveTimestamp": moment, "ApproximateReceiveCount": "1"}
    record = {"messageId": "m", "body": json.dumps(body), "attributes": times}
    assert sent(client, "audit_part", {"Records": [record]}) == {"batchItemFailures": []}
    assert ("endpoint-single-instance", "finding") in notices_of(account)
    assert sent(client, "audit_part", {"Records": [record]}) == {"batchItemFailures": []}
    assert notices_of(account) == []
