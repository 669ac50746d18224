"""The triggers of app.py, with events as EventBridge delivers them, and the notice as a subscriber receives it."""

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from chalice.local import LambdaContext
from chalice.test import Client

import app as handlers
from chalicelib.notices.publisher import NotDelivered
from chalicelib.report import telemetry
from chalicelib.report.findings import Severity
from emulator.front import Front
from emulator.server import DEFAULT_ACCOUNT as ACCOUNT
from emulator.server import DEFAULT_REGION as REGION
from emulator.server import Emulator
from tests.service.test_audit import an_endpoint
from tests.unit.test_events import an_event


class Subscriber:
    """An SQS queue on the findings topic."""

    def __init__(self, emulator: Emulator) -> None:
        self._sqs = emulator.client("sqs")
        sns = emulator.client("sns")
        self.topic = sns.create_topic(Name="auditor-findings")["TopicArn"]
        self._queue = self._sqs.create_queue(QueueName="subscriber")["QueueUrl"]
        arn = f"arn:aws:sqs:{REGION}:{ACCOUNT}:subscriber"
        sns.subscribe(TopicArn=self.topic, Protocol="sqs", Endpoint=arn)

    def received(self) -> list[dict[str, Any]]:
        messages = self._sqs.receive_message(QueueUrl=self._queue, MaxNumberOfMessages=10).get("Messages", [])
        for message in messages:  # else it comes again after 30 seconds
            self._sqs.delete_message(QueueUrl=self._queue, ReceiptHandle=message["ReceiptHandle"])
        return [json.loads(message["Body"]) for message in messages]


@pytest.fixture
def subscriber(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> Subscriber:
    subscriber = Subscriber(emulator)
    monkeypatch.setenv("AUDITOR_TOPIC_ARN", subscriber.topic)
    return subscriber


@pytest.fixture
def client(subscriber: Subscriber, emulator: Emulator) -> Iterator[Client]:
    an_endpoint(emulator, "alone", count=1)
    an_endpoint(emulator, "pair")
    handlers.service.cache_clear()
    with Client(handlers.app) as client:
        yield client
    handlers.service.cache_clear()


@pytest.fixture
def in_lambda(monkeypatch: pytest.MonkeyPatch) -> None:
    """The functions run under their ARN, as in Lambda."""

    class Context(LambdaContext):
        def __init__(self, function_name: str, **rest: Any) -> None:
            super().__init__(function_name, **rest)
            self.invoked_function_arn = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{function_name}"

    monkeypatch.setattr("chalice.test.LambdaContext", Context)


def sent(client: Client, function: str, event: dict[str, Any]) -> Any:
    return client.lambda_.invoke(function, event).payload


SCHEDULE = an_event("Scheduled Event", {}, source="aws.events", resources=[], time="2026-11-22T06:00:00Z", version="0")


def test_the_schedule_audits_everything_and_sends_one_digest(client: Client, subscriber: Subscriber) -> None:
    answer = sent(client, "audit_on_schedule", SCHEDULE)
    (notice,) = subscriber.received()
    body = json.loads(notice["Message"])
    assert body["kind"] == "digest"
    assert body["audit_id"] == answer["audit_id"]
    names = {change["finding"]["resource"]["name"] for change in body["told"]}
    assert names >= {"alone/AllTraffic", "pair/AllTraffic"}
    assert {name: attribute["Value"] for name, attribute in notice["MessageAttributes"].items()} == {
        "severity": "high",
        "new_severity": "high",
        "rule": "digest",
        "status": '["new", "open"]',
        "account": ACCOUNT,
        "region": REGION,
        "part": "1",
    }
    assert notice["Subject"].startswith(f"SageMaker audit {ACCOUNT} {REGION}: ")


def test_a_sweep_leaves_a_line_for_its_audit_each_notice_and_its_completeness(
    client: Client, subscriber: Subscriber, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUDITOR_EXTERNAL_ID", "not-for-any-log")
    caplog.set_level(logging.INFO, "chalicelib")
    answer = sent(client, "audit_on_schedule", SCHEDULE)
    lines = [vars(record) for record in caplog.records if record.name == telemetry.log.name]
    assert [line["kind"] for line in lines] == ["audit", "notice", "complete"]
    assert {line["audit_id"] for line in lines} == {answer["audit_id"]}
    audit, notice, complete = lines
    assert sum(audit[f"Open{severity.capitalize()}"] for severity in Severity) == answer["findings"]
    assert audit["complete"] is True
    assert (notice["channel"], notice["NoticesSent"], complete["CompleteAudits"]) == ("sns", 1, 1)
    assert "not-for-any-log" not in json.dumps(lines, default=str)


def test_a_schedule_without_findings_still_sends_its_health(subscriber: Subscriber, emulator: Emulator) -> None:
    handlers.service.cache_clear()
    with Client(handlers.app) as client:
        sent(client, "audit_on_schedule", SCHEDULE)
    (notice,) = subscriber.received()
    assert json.loads(notice["Message"])["told"] == []
    assert "all clean" in notice["Subject"]


def test_an_endpoint_event_audits_that_endpoint_alone(
    client: Client, subscriber: Subscriber, front: Front, in_lambda: None
) -> None:
    front.calls.clear()
    detail = {"EndpointName": "alone", "EndpointStatus": "IN_SERVICE", "Tags": {}}
    sent(client, "audit_on_sagemaker_event", an_event("SageMaker Endpoint State Change", detail))
    bodies = [json.loads(notice["Message"]) for notice in subscriber.received()]
    assert {(body["kind"], body["change"]) for body in bodies} == {("finding", "new")}
    assert {body["finding"]["resource"]["name"] for body in bodies} == {"alone/AllTraffic"}
    assert {body["finding"]["rule"] for body in bodies} >= {"endpoint-single-instance", "variant-no-autoscaling"}
    (first, *others) = bodies
    assert {change["finding"]["id"] for change in first["together"]} == {body["finding"]["id"] for body in others}
    assert {body["told_with"] for body in others} == {first["finding"]["id"]}
    assert sum(number for name, number in front.calls.items() if not name.startswith(("sns:", "sqs:"))) <= 12
    assert "sts:GetCallerIdentity" not in front.calls


def test_an_event_without_findings_sends_nothing(client: Client, subscriber: Subscriber) -> None:
    detail = {"EndpointName": "gone-by-now", "EndpointStatus": "DELETING"}
    answer = sent(client, "audit_on_sagemaker_event", an_event("SageMaker Endpoint State Change", detail))
    assert answer["findings"] == 0
    assert subscriber.received() == []


def test_an_event_that_cannot_be_understood_is_dropped_and_does_not_fail(
    client: Client, subscriber: Subscriber, caplog: pytest.LogCaptureFixture
) -> None:
    event = an_event("SageMaker Endpoint State Change", {})
    answer = sent(client, "audit_on_sagemaker_event", event)
    assert "EndpointName" in answer["dropped"]
    assert f"event dropped, id {event.get('id')}: " in caplog.text
    assert subscriber.received() == []


def test_an_event_that_rightly_asks_for_nothing_is_no_warning(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    call = {"eventSource": "sagemaker.amazonaws.com", "eventName": "CreateEndpoint", "errorCode": "AccessDenied"}
    with caplog.at_level(logging.INFO, "chalicelib"):
        answer = sent(client, "audit_on_api_call", an_event("AWS API Call via CloudTrail", call))
    assert "changed nothing" in answer["dropped"]
    assert "asks for nothing" in caplog.text and "event dropped" not in caplog.text
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


def test_a_failed_publish_fails_the_function_so_that_lambda_tries_again(
    client: Client, subscriber: Subscriber, front: Front
) -> None:
    front.fail("sns:Publish", 400, "InvalidParameter", times=10)
    with pytest.raises(NotDelivered):
        sent(client, "audit_on_schedule", SCHEDULE)


def test_several_regions_are_one_digest(
    client: Client, subscriber: Subscriber, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUDITOR_REGIONS", f"{REGION},us-east-1")
    handlers.service.cache_clear()
    sent(client, "audit_on_schedule", SCHEDULE)
    (notice,) = subscriber.received()
    assert json.loads(notice["Message"])["region"] == f"{REGION},us-east-1"


def test_a_function_whose_time_is_nearly_over_tells_what_it_read_and_names_the_rest(
    client: Client, subscriber: Subscriber, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "auditor-prod-audit_on_schedule")
    monkeypatch.setattr(LambdaContext, "get_remaining_time_in_millis", lambda context: 0)
    answer = sent(client, "audit_on_schedule", SCHEDULE)
    assert (answer["complete"], answer["findings"]) == (False, 0)
    (message,) = subscriber.received()
    assert "OutOfTime" in message["Message"]
