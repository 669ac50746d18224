"""The door to AWS: what it takes for gone, what it gives up, and where the time of an audit ends."""

from typing import Any
from unittest import mock

import pytest

from chalicelib.audit.auditor import Auditor
from chalicelib.inventory import aws, pacing
from chalicelib.inventory.answers import CallFailed, Gone
from chalicelib.inventory.aws import Aws
from chalicelib.report.cause import Cause
from tests.accounts.shapes import NOW
from tests.faults.account import REGION, account
from tests.faults.matrix import FAULTS, SWEEP, every_rule
from tests.faults.wire import Answers, Reply, Wire, laid

DESCRIBE = "sagemaker:DescribeEndpoint"


def door(fault: Any, operation: str = DESCRIBE) -> Aws:
    """The door to an account in which one operation answers by a fault."""
    opened = laid(Wire(Answers(account(), REGION), operation, fault))
    opened.begin()
    return opened


def says(code: str, message: str, status: int = 400) -> Any:
    def change(reply: Reply) -> None:
        reply.answer, reply.status = {"__type": code, "message": message}, status

    return change


@pytest.mark.parametrize(
    ("kind", "code", "message"),
    [
        ("Endpoint", "ValidationException", f'Could not find endpoint "arn:aws:sagemaker:{REGION}:1:endpoint/churn".'),
        ("TrainingJob", "ValidationException", "Requested resource not found."),
        ("NotebookInstance", "ValidationException", "RecordNotFound"),
        ("TransformJob", "ResourceNotFound", "no such thing"),
    ],
)
def test_a_resource_is_gone_where_aws_says_so_in_the_words_of_its_operation(kind: str, code: str, message: str) -> None:
    opened = door(says(code, message), f"sagemaker:Describe{kind}")
    with pytest.raises(Gone):
        opened.call("sagemaker", f"Describe{kind}", **{f"{kind}Name": "churn"})


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("ValidationException", "1 validation error detected: Value at 'endpointName' failed to satisfy constraint"),
        ("ValidationException", "RecordNotFound"),
        ("ValidationException", "The role arn:aws:iam::123456789012:role/churn does not exist"),
        ("ValidationException", "Token not found"),
        ("AccessDeniedException", "Could not find churn"),
    ],
)
def test_any_other_refusal_leaves_a_resource_unread_and_not_gone(code: str, message: str) -> None:
    with pytest.raises(CallFailed) as refused:
        door(says(code, message)).call("sagemaker", "DescribeEndpoint", EndpointName="churn")
    assert not isinstance(refused.value, Gone)


def test_what_is_given_up_is_not_asked_again_in_this_audit_and_asked_in_the_next() -> None:
    opened = door(FAULTS["throttled for good"].answer)
    with mock.patch.object(pacing, "PATIENCE_SECONDS", 0.0):
        for _ in range(3):
            sent = opened.calls[DESCRIBE]
            with pytest.raises(CallFailed) as refused:
                opened.call("sagemaker", "DescribeEndpoint", EndpointName="alone")
            assert refused.value.code == "ThrottlingException"
    assert opened.calls[DESCRIBE] == sent
    opened.begin()
    with mock.patch.object(pacing, "PATIENCE_SECONDS", 0.0), pytest.raises(CallFailed):
        opened.call("sagemaker", "DescribeEndpoint", EndpointName="alone")
    assert opened.calls[DESCRIBE] == sent + 1


@pytest.mark.thorough
def test_what_an_audit_has_no_time_for_is_a_blind_spot() -> None:
    opened = laid(Wire(Answers(account(), REGION)))
    report = Auditor(opened, every_rule(), clock=lambda: NOW, reading_seconds=0.0).audit(SWEEP, "cli")
    assert report.api_calls == {}
    assert not report.complete
    assert {(spot.cause, "OutOfTime" in spot.error) for spot in report.blind_spots if spot.effect} == {
        (Cause.FAILED, True)
    }


def test_an_answer_that_cannot_be_read_is_asked_for_again() -> None:
    def first_odd(reply: Reply) -> None:
        if reply.page == 1:
            reply.body = b"<html>"

    opened = laid(Wire(Answers(account(), REGION), DESCRIBE, body_fault=first_odd))
    opened.begin()
    with mock.patch.object(aws, "backoff", lambda attempt: 0.0):
        answer = opened.call("sagemaker", "DescribeEndpoint", EndpointName="alone")
    assert answer["EndpointName"] == "alone"


@pytest.mark.parametrize(
    ("bound", "value", "says"),
    [("MOST_PAGES", 3, "3 pages"), ("MOST_BYTES", 10, "10 bytes"), ("MOST_SECONDS", 0.0, "0 seconds")],
)
def test_a_list_without_end_is_bounded(monkeypatch: pytest.MonkeyPatch, bound: str, value: float, says: str) -> None:
    monkeypatch.setattr(aws, bound, value)
    opened = door(FAULTS["ever new tokens"].answer, "sagemaker:ListEndpoints")
    with pytest.raises(CallFailed, match=f"EndlessList: .*more than {says}"):
        opened.listing("sagemaker", "ListEndpoints", "Endpoints")


def test_a_huge_answer_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aws, "MOST_BYTES_OF_AN_ANSWER", 100)
    monkeypatch.setattr(aws, "backoff", lambda attempt: 0.0)
    with pytest.raises(CallFailed, match="100 are read"):
        door(lambda reply: None).call("sagemaker", "DescribeEndpoint", EndpointName="alone")
