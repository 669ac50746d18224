"""What an event finds in the middle of a change is asked about again, once at a time, until it is over or six times."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from chalice.test import Client

import app as handlers
from chalicelib.fleet.again import AskingAgain
from chalicelib.fleet.asked import MOST_ATTEMPTS, asked_in
from chalicelib.fleet.queue import Queue as PartsQueue
from chalicelib.ledger.again import Pending
from chalicelib.ledger.table import TABLE
from chalicelib.scope import ResourceRef, Scope
from emulator import seed
from emulator.front import Front
from emulator.server import DEFAULT_ACCOUNT as ACCOUNT
from emulator.server import DEFAULT_REGION as REGION
from emulator.server import Emulator
from tests.service.test_audit import an_endpoint
from tests.service.test_triggers import Subscriber, sent, subscriber  # noqa: F401  # the fixture
from tests.unit.test_events import an_event

NOW = datetime.now(UTC)
ARN = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:endpoint/moving"
COMPONENT = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:inference-component/churn"
CHANGED = an_event("SageMaker Endpoint State Change", {"EndpointName": "moving"})
NATIVE = "audit_on_sagemaker_event"
pytestmark = pytest.mark.usefixtures("subscriber")


class Queue:
    """The queue of the parts, and what was sent to it; its delays are looked at, and not waited for."""

    def __init__(self, emulator: Emulator, front: Front) -> None:
        self._sqs, self._front = emulator.client("sqs"), front
        self.url = self._sqs.create_queue(QueueName="auditor-parts")["QueueUrl"]

    @property
    def sent(self) -> list[dict[str, Any]]:
        """The messages sent so far, with their delays in seconds."""
        calls = [call.params for call in self._front.history if call.name == "sqs:SendMessage"]
        return [{**json.loads(call["MessageBody"]), "delay": call["DelaySeconds"]} for call in calls]

    @property
    def attempts(self) -> list[int]:
        return [message["attempt"] for message in self.sent]


@pytest.fixture
def queue(emulator: Emulator, front: Front, monkeypatch: pytest.MonkeyPatch) -> Queue:
    queue = Queue(emulator, front)
    monkeypatch.setenv("AUDITOR_QUEUE_URL", queue.url)
    return queue


@pytest.fixture
def table(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    emulator.client("dynamodb").create_table(TableName="auditor-ledger", **TABLE)
    monkeypatch.setenv("AUDITOR_TABLE", "auditor-ledger")


@pytest.fixture
def client(emulator: Emulator, queue: Queue) -> Iterator[Client]:
    an_endpoint(emulator, "moving", count=1)
    state("Updating")
    handlers.service.cache_clear()
    with Client(handlers.app) as client:
        yield client
    handlers.service.cache_clear()


def state(status: str) -> None:
    seed.endpoint(ACCOUNT, REGION, "moving", status=status, modified=NOW - timedelta(minutes=3))


def record(attempt: Any, arn: Any = ARN, **body: Any) -> dict[str, Any]:
    """A delayed message as SQS hands it over."""
    message = {"kind": "audit-again", "account": ACCOUNT, "region": REGION, "resource": arn, "attempt": attempt, **body}
    return {"messageId": "m", "body": json.dumps(message), "attributes": {"ApproximateReceiveCount": "1"}}


def received(client: Client, *records: dict[str, Any]) -> Any:
    return sent(client, "audit_part", {"Records": list(records)})


def test_an_endpoint_in_the_middle_of_a_change_is_asked_about_again(client: Client, queue: Queue) -> None:
    answer = sent(client, NATIVE, CHANGED)
    assert answer["again"] == 1
    (message,) = queue.sent
    assert (message["resource"], message["attempt"], message["delay"]) == (ARN, 1, 600)


@pytest.mark.parametrize("status", ["InService", "Failed", "OutOfService"])
def test_one_at_rest_is_not(client: Client, queue: Queue, status: str) -> None:
    state(status)
    assert sent(client, NATIVE, CHANGED)["again"] == 0
    assert queue.sent == []


def test_without_a_queue_or_with_zero_minutes_nothing_is_asked_again(
    client: Client, queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUDITOR_RECHECK_MINUTES", "0")
    assert sent(client, NATIVE, CHANGED)["again"] == 0
    handlers.service.cache_clear()
    monkeypatch.delenv("AUDITOR_RECHECK_MINUTES")
    monkeypatch.delenv("AUDITOR_QUEUE_URL")
    assert sent(client, NATIVE, CHANGED)["again"] == 0
    assert queue.sent == []


def test_what_has_come_to_rest_is_judged_and_told_by_the_message(client: Client, queue: Queue) -> None:
    sent(client, NATIVE, CHANGED)
    state("InService")
    before = len(queue.sent)
    assert received(client, record(1)) == {"batchItemFailures": []}
    assert len(queue.sent) == before


def test_it_is_asked_six_times_at_most(client: Client, queue: Queue) -> None:
    for attempt in range(1, MOST_ATTEMPTS + 1):
        assert received(client, record(attempt)) == {"batchItemFailures": []}
    assert queue.attempts == [2, 3, 4, 5, 6]


@pytest.mark.usefixtures("table")
def test_an_event_delivered_twice_and_others_about_the_same_send_one_message(client: Client, queue: Queue) -> None:
    assert [sent(client, NATIVE, CHANGED)["again"] for _ in range(2)] == [1, 0]
    call = {"eventSource": "sagemaker.amazonaws.com", "eventName": "UpdateEndpointWeightsAndCapacities"}
    detail = {**call, "requestParameters": {"endpointName": "moving"}}
    sent(client, "audit_on_api_call", an_event("AWS API Call via CloudTrail", detail))
    assert queue.attempts == [1]


@pytest.mark.usefixtures("table")
def test_a_message_delivered_twice_asks_once_more_and_no_oftener(
    client: Client, queue: Queue, emulator: Emulator
) -> None:
    pending = Pending("auditor-ledger", emulator.client("dynamodb"))
    assert pending.claim(ARN, NOW - timedelta(seconds=1))  # the message under way has arrived
    received(client, record(1))
    received(client, record(1))
    assert queue.attempts == [2]


def test_nobody_is_asked_again_while_the_table_cannot_tell_who_asks(
    client: Client, queue: Queue, emulator: Emulator, front: Front
) -> None:
    pending = Pending("auditor-ledger", emulator.client("dynamodb"))
    front.deny("dynamodb:*")
    asking = AskingAgain(PartsQueue(emulator.session(), REGION, queue.url), 10, pending)
    assert asking.ask(Scope(ACCOUNT, REGION), [ResourceRef("endpoint", "moving")], 1) == 0
    assert queue.sent == []


@pytest.mark.usefixtures("table")
def test_a_message_that_cannot_be_sent_leaves_the_next_event_free_to_ask(
    client: Client, queue: Queue, front: Front
) -> None:
    front.fail("sqs:SendMessage", status=400, code="AccessDenied")
    assert sent(client, NATIVE, CHANGED)["again"] == 0
    front.clear()
    assert sent(client, NATIVE, CHANGED)["again"] == 1
    assert queue.attempts == [1]


def test_a_new_component_on_one_copy_is_told_by_the_message(
    client: Client,
    emulator: Emulator,
    subscriber: Subscriber,  # noqa: F811  # the fixture
) -> None:
    sagemaker = emulator.client("sagemaker")
    variant = {"VariantName": "main", "InstanceType": "ml.g5.xlarge", "InitialInstanceCount": 2}
    role = f"arn:aws:iam::{ACCOUNT}:role/sagemaker"
    sagemaker.create_endpoint_config(EndpointConfigName="host", ProductionVariants=[variant], ExecutionRoleArn=role)
    sagemaker.create_endpoint(EndpointName="host", EndpointConfigName="host")
    seed.endpoint(ACCOUNT, REGION, "host", created=NOW - timedelta(days=2), modified=NOW - timedelta(days=2))
    requirements = {"NumberOfAcceleratorDevicesRequired": 1, "MinMemoryRequiredInMb": 1024}
    sagemaker.create_inference_component(
        InferenceComponentName="churn",
        EndpointName="host",
        VariantName="main",
        Specification={"ModelName": "moving", "ComputeResourceRequirements": requirements},
        RuntimeConfig={"CopyCount": 1},
    )
    seed.inference_component(ACCOUNT, REGION, "churn", status="Creating", created=NOW, modified=NOW)
    call = {"eventSource": "sagemaker.amazonaws.com", "eventName": "CreateInferenceComponent"}
    detail = {**call, "requestParameters": {"inferenceComponentName": "churn"}}
    answer = sent(client, "audit_on_api_call", an_event("AWS API Call via CloudTrail", detail))
    assert (answer["findings"], answer["notices"], answer["again"]) == (0, 0, 1)
    seed.inference_component(ACCOUNT, REGION, "churn", status="InService", copies=(1, 1), modified=NOW)
    subscriber.received()
    assert received(client, record(1, COMPONENT)) == {"batchItemFailures": []}
    rules = [json.loads(message["Message"])["finding"]["rule"] for message in subscriber.received()]
    assert "inference-component-single-copy" in rules


@pytest.mark.parametrize(
    "message",
    [
        record(0),
        record(7),
        record(True),
        record("1"),
        record(1, None),
        record(1, "arn:aws:s3:::bucket"),
        record(1, account="999999999999"),
        record(1, account="999999999999", arn=ARN.replace(ACCOUNT, "999999999999")),
    ],
)
def test_a_message_that_asks_for_nothing_is_dropped_for_good(
    client: Client, front: Front, message: dict[str, Any]
) -> None:
    front.calls.clear()
    assert received(client, message) == {"batchItemFailures": []}
    assert not [call for call in front.calls if call.startswith("sagemaker:")]


@pytest.mark.usefixtures("table")
def test_a_message_whose_audit_fails_is_given_again(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError("the table is away")

    monkeypatch.setattr("chalicelib.notices.publisher.Publisher.event", broken)
    assert received(client, record(1)) == {"batchItemFailures": [{"itemIdentifier": "m"}]}


def test_a_message_names_one_resource_and_an_attempt() -> None:
    asked = asked_in(record(3))
    assert (asked.attempt, [ref.name for ref in asked.scope.resources]) == (3, ["moving"])
