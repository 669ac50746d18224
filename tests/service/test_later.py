"""What another invocation audits: what is in the middle of a change, and members' events where a queue is at hand."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from chalice.test import Client
from moto.sqs.models import sqs_backends

import app as handlers
from chalicelib.fleet.later import MOST_TRIES
from emulator import seed
from emulator.front import Front
from emulator.server import DEFAULT_ACCOUNT as ACCOUNT
from emulator.server import DEFAULT_REGION as REGION
from emulator.server import Emulator
from tests.service.test_events import an_api_call, endpoint_event, told
from tests.service.test_fleet import MEMBERS, Account
from tests.service.test_triggers import Subscriber, sent

Bodies = list[dict[str, Any]]


@pytest.fixture
def account(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> Account:
    account = Account(emulator)
    monkeypatch.setenv("AUDITOR_TOPIC_ARN", account.subscriber.topic)
    monkeypatch.setenv("AUDITOR_TABLE", "auditor-ledger")
    monkeypatch.setenv("AUDITOR_QUEUE_URL", account.queue)
    return account


@pytest.fixture
def subscriber(account: Account) -> Subscriber:
    return account.subscriber


@pytest.fixture
def client(account: Account) -> Iterator[Client]:
    handlers.service.cache_clear()
    with Client(handlers.app) as client:
        yield client
    handlers.service.cache_clear()


def put_off() -> Bodies:
    """The messages on the queue with the seconds for which each is kept back, taken off it."""
    queue = sqs_backends[ACCOUNT][REGION].queues["auditor-parts"]
    messages, queue._messages = list(queue._messages), []
    return [
        {**json.loads(message.body), "seconds": max(0, round((message.delayed_until - message.sent_timestamp) / 1000))}
        for message in messages
    ]


def worked(client: Client, body: Any, times: int = 1) -> Any:
    """What the function of parts answers to a message."""
    record = {"messageId": "m-1", "body": json.dumps(body), "attributes": {"ApproximateReceiveCount": str(times)}}
    return client.lambda_.invoke("audit_part", {"Records": [record]}).payload


def changing(name: str) -> None:
    seed.endpoint(ACCOUNT, REGION, name, status="Updating", modified=datetime.now(UTC) - timedelta(minutes=5))


def test_what_is_in_the_middle_of_a_change_is_looked_at_again_until_it_is_settled(
    client: Client, account: Account, subscriber: Subscriber
) -> None:
    changing("endpoint-0")
    sent(client, "audit_on_sagemaker_event", endpoint_event("endpoint-0"))
    (asked,) = put_off()
    assert (asked["resources"], asked["tries"], asked["seconds"]) == ([["endpoint", "endpoint-0"]], 1, 600)
    assert told(subscriber) == []
    assert worked(client, asked) == {"batchItemFailures": []}
    (again,) = put_off()
    assert again["tries"] == 2
    seed.endpoint(ACCOUNT, REGION, "endpoint-0", status="InService")
    assert worked(client, again) == {"batchItemFailures": []}
    assert put_off() == []
    assert ("new", "endpoint-single-instance", "endpoint-0/AllTraffic") in told(subscriber)
    assert worked(client, again) == {"batchItemFailures": []}
    assert told(subscriber) == []


def test_it_is_not_looked_at_for_ever(client: Client, account: Account) -> None:
    changing("endpoint-0")
    sent(client, "audit_on_sagemaker_event", endpoint_event("endpoint-0"))
    tries = 0
    while asked := put_off():
        tries += 1
        worked(client, asked[0])
    assert tries == MOST_TRIES


def test_what_is_settled_is_not_looked_at_again(client: Client, account: Account) -> None:
    sent(client, "audit_on_sagemaker_event", endpoint_event("endpoint-0"))
    assert put_off() == []


def test_it_can_be_switched_off(client: Client, account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUDITOR_RECHECK_MINUTES", "0")
    changing("endpoint-0")
    sent(client, "audit_on_sagemaker_event", endpoint_event("endpoint-0"))
    assert put_off() == []


def test_a_new_component_of_one_copy_is_told_in_minutes(
    client: Client, account: Account, subscriber: Subscriber, emulator: Emulator
) -> None:
    emulator.client("sagemaker").create_inference_component(
        InferenceComponentName="embed",
        EndpointName="endpoint-0",
        VariantName="AllTraffic",
        Specification={"ModelName": "endpoint-0", "ComputeResourceRequirements": {"MinMemoryRequiredInMb": 1024}},
        RuntimeConfig={"CopyCount": 1},
    )
    seed.inference_component(ACCOUNT, REGION, "embed", status="Creating")
    event = an_api_call("sagemaker.amazonaws.com", "CreateInferenceComponent", {"inferenceComponentName": "embed"})
    sent(client, "audit_on_api_call", event)
    (asked,) = put_off()
    assert ["inference-component", "embed"] in asked["resources"]
    told(subscriber)
    seed.inference_component(ACCOUNT, REGION, "embed", status="InService")
    worked(client, asked)
    assert ("new", "inference-component-single-copy", "embed") in told(subscriber)


def test_a_failure_gives_the_message_back(client: Client, account: Account, front: Front) -> None:
    changing("endpoint-0")
    sent(client, "audit_on_sagemaker_event", endpoint_event("endpoint-0"))
    (asked,) = put_off()
    front.fail("dynamodb:Query", 500, "InternalServerError")
    assert worked(client, asked) == {"batchItemFailures": [{"itemIdentifier": "m-1"}]}


def test_the_event_of_a_member_is_handed_to_the_function_that_may_enter_its_account(
    client: Client, account: Account, subscriber: Subscriber, front: Front, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUDITOR_ACCOUNTS", ",".join([ACCOUNT, *MEMBERS]))
    monkeypatch.setenv("AUDITOR_ROLE_NAME", "auditor-member")
    front.calls.clear()
    event = {**endpoint_event("endpoint-1"), "account": MEMBERS[0]}
    assert sent(client, "audit_on_sagemaker_event", event) == {"queued": MEMBERS[0]}
    assert front.calls["sts:AssumeRole"] == 0
    (asked,) = put_off()
    assert (asked["account"], asked["tries"], asked["seconds"]) == (MEMBERS[0], 0, 0)
    assert worked(client, asked) == {"batchItemFailures": []}
    assert ("new", "endpoint-single-instance", "endpoint-1/V") in told(subscriber)


def test_a_message_about_an_account_that_is_not_audited_is_dropped(
    client: Client, account: Account, caplog: pytest.LogCaptureFixture
) -> None:
    body = {"kind": "audit-event", "account": "999999999999", "region": REGION, "hints": [], "tries": 0}
    assert worked(client, {**body, "resources": [["endpoint", "x"]]}) == {"batchItemFailures": []}
    assert "event dropped, id m-1" in caplog.text


@pytest.mark.parametrize(
    "changes", [{"resources": []}, {"resources": [["tea", "x"]]}, {"resources": "x"}, {"tries": "many"}, {"hints": 3}]
)
def test_a_message_that_cannot_be_understood_is_dropped(
    client: Client, account: Account, caplog: pytest.LogCaptureFixture, changes: dict[str, Any]
) -> None:
    body = {"kind": "audit-event", "account": ACCOUNT, "region": REGION, "hints": [], "tries": 0}
    assert worked(client, {**body, "resources": [["endpoint", "x"]], **changes}) == {"batchItemFailures": []}
    assert "event dropped, id m-1" in caplog.text
