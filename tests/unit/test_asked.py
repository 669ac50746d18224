"""Messages that ask for named resources to be audited: which are understood, dropped, or given again."""

import json
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from chalicelib.errors import AccessFailed, InvalidInput
from chalicelib.fleet.again import AskingAgain
from chalicelib.fleet.asked import Asked, asked_in, failures, hand_over, told_apart
from chalicelib.fleet.queue import Queue
from chalicelib.scope import ResourceRef, Scope
from tests.unit.test_accounts import Session, refused
from tests.unit.test_telemetry import lines_of

MEMBER, REGION = "222222222222", "eu-west-1"
CHURN = f"arn:aws:sagemaker:{REGION}:{MEMBER}:endpoint/churn"
PLACE = {"account": MEMBER, "region": REGION}
AGAIN = {"kind": "audit-again", **PLACE, "resource": CHURN, "attempt": 1}
EVENT = {
    "kind": "audit-event",
    "event": "e-1",
    **PLACE,
    "resources": [["endpoint", "churn"], ["model", "tree"]],
    "hints": [["scaled-to-max", "endpoint/churn/variant/A"]],
}
REFS = (ResourceRef("endpoint", "churn"), ResourceRef("model", "tree"))


def record(body: Any, **more: Any) -> dict[str, Any]:
    return {"messageId": "m-1", "body": json.dumps(body), **more}


@pytest.mark.parametrize("attempt", [1, 6])
def test_a_resource_is_asked_about_again_by_its_arn(attempt: int) -> None:
    asked = asked_in(record({**AGAIN, "attempt": attempt}))
    assert asked == Asked(Scope(MEMBER, REGION, "aws", resources=REFS[:1]), attempt)


def test_what_an_event_names_is_asked_with_its_hints() -> None:
    hints = frozenset({("scaled-to-max", "endpoint/churn/variant/A")})
    assert asked_in(record(EVENT)) == Asked(Scope(MEMBER, REGION, "aws", resources=REFS, hints=hints), 0, "e-1")
    china = {**EVENT, "region": "cn-north-1", "hints": []}
    assert asked_in(record(china)) == Asked(Scope(MEMBER, "cn-north-1", "aws-cn", resources=REFS), 0, "e-1")


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({**AGAIN, "account": 2}, "the message names no resource; accepted is .*audit-again"),
        ({**AGAIN, "region": None}, "the message names no resource"),
        ({**AGAIN, "resource": ["arn"]}, "the message names no resource"),
        ({**AGAIN, "attempt": 0}, "the message tells no attempt; accepted is .*audit-again"),
        ({**AGAIN, "attempt": 7}, "the message tells no attempt"),
        ({**AGAIN, "attempt": True}, "the message tells no attempt"),
        ({**AGAIN, "attempt": "1"}, "the message tells no attempt"),
        ({**AGAIN, "resource": CHURN.replace(MEMBER, "333333333333")}, "333333333333"),
        ({**AGAIN, "resource": CHURN.replace(REGION, "us-east-1")}, "us-east-1"),
        ({**EVENT, "account": 2}, "the message names no account; accepted is .*audit-event"),
        ({**EVENT, "region": 2}, "the message names no account"),
        ({**EVENT, "event": None}, "the message names no account"),
        ({**EVENT, "resources": []}, "the message names no resource that can be audited; accepted is .*audit-event"),
        ({**EVENT, "resources": [["endpoint", "churn"], ["bucket", "b"]]}, "no resource that can be audited"),
        ({**EVENT, "resources": [["endpoint"]]}, "the message holds no list of pairs; accepted is .*audit-event"),
        ({**EVENT, "resources": [["endpoint", ""]]}, "the message holds no list of pairs"),
        ({**EVENT, "resources": [["endpoint", 7]]}, "the message holds no list of pairs"),
        ({**EVENT, "resources": {"endpoint": "churn"}}, "the message holds no list of pairs"),
        ({**EVENT, "hints": None}, "the message holds no list of pairs"),
        ({**EVENT, "hints": [["a", "b", "c"]]}, "the message holds no list of pairs"),
        ([AGAIN], "the message names no resource"),
    ],
)
def test_what_cannot_be_understood_says_what_is_accepted(body: Any, says: str) -> None:
    with pytest.raises(InvalidInput, match=says):
        asked_in(record(body))


@pytest.mark.parametrize("broken", [None, {}, {"body": None}, {"body": "{"}, {"body": 7}])
def test_what_is_no_message_names_no_resource(broken: Any) -> None:
    with pytest.raises(InvalidInput, match="the message names no resource"):
        asked_in(broken)


def test_messages_are_told_apart_from_parts_of_runs() -> None:
    again, event, part = record(AGAIN), record(EVENT, messageId="m-2"), record({"kind": "audit-part"})
    assert told_apart({"Records": [again, part, None, event]}) == ([again, event], {"Records": [part, None]})
    nothings: tuple[Any, ...] = (None, [], {}, {"Records": None}, {"Records": {"a": again}})
    for nothing in nothings:
        assert told_apart(nothing) == ([], {"Records": []})


def test_messages_that_fail_are_given_again_and_those_that_mean_nothing_are_dropped(
    caplog: pytest.LogCaptureFixture,
) -> None:
    audited: list[Asked] = []
    soon: list[Any] = []

    def audit(asked: Asked) -> None:
        audited.append(asked)
        if asked.attempt == 2:
            raise RuntimeError("the table is away")

    failing = record({**AGAIN, "attempt": 2}, messageId="m-2")
    messages = [
        record({**AGAIN, "attempt": 9}),
        record({**EVENT, "hints": None}, messageId="m-3"),
        failing,
        {"body": failing["body"]},
        record(EVENT),
    ]
    # Without an id of its own a message counts as failed for its whole batch, as SQS reads an empty id.
    assert failures(messages, audit, soon.append) == [{"itemIdentifier": "m-2"}, {"itemIdentifier": ""}]
    assert [asked.attempt for asked in audited] == [2, 2, 0]
    assert soon == [failing, messages[3]]
    assert [line["id"] for line in lines_of(caplog)] == ["m-1", "e-1"]
    assert "what was asked is not audited, message m-2" in caplog.text


def test_an_event_is_handed_over_as_it_is_understood() -> None:
    session: Any = Session({})
    hints = frozenset({("b", "2"), ("a", "1")})
    scope = Scope(MEMBER, "us-east-1", resources=REFS, hints=hints)
    hand_over(Queue(session, REGION, "https://queue"), "e-1", scope)
    ((operation, call),) = session.sts.asked
    assert (operation, call["QueueUrl"], session.clients) == ("send_message", "https://queue", [("sqs", REGION)])
    assert asked_in({"body": call["MessageBody"]}) == Asked(scope, 0, "e-1")
    assert json.loads(call["MessageBody"])["hints"] == [["a", "1"], ["b", "2"]]


@pytest.mark.parametrize("failure", [refused("AccessDenied"), EndpointConnectionError(endpoint_url="AccessDenied")])
def test_a_queue_that_does_not_take_it_fails_the_event(failure: Exception) -> None:
    session: Any = Session(failure)
    with pytest.raises(AccessFailed, match=f"^an event of {MEMBER} cannot be handed over: .*AccessDenied"):
        hand_over(Queue(session, REGION, "https://queue"), "e-1", Scope(MEMBER, REGION, resources=REFS))


def test_asking_again_is_a_delayed_message_by_a_client_that_does_not_wait_for_minutes() -> None:
    session: Any = Session({})
    asking = AskingAgain(Queue(session, REGION, "https://queue"), 10)
    assert asking.ask(Scope(MEMBER, REGION), REFS, 2) == 2
    assert session.clients == [("sqs", REGION)] * 2
    assert session.config.read_timeout <= 10 and session.config.connect_timeout <= 10
    (_, first), (_, second) = session.sts.asked
    assert (first["QueueUrl"], first["DelaySeconds"]) == ("https://queue", 600)
    assert [asked_in({"body": call["MessageBody"]}).scope.resources for call in (first, second)] == [REFS[:1], REFS[1:]]
    assert asked_in({"body": first["MessageBody"]}).attempt == 2
    assert asking.ask(Scope(MEMBER, REGION), REFS, 7) == 0
    assert len(session.sts.asked) == 2


def test_a_message_that_is_not_sent_is_not_counted(caplog: pytest.LogCaptureFixture) -> None:
    session: Any = Session(refused("AccessDenied"))
    assert AskingAgain(Queue(session, REGION, "https://queue"), 10).ask(Scope(MEMBER, REGION), REFS, 1) == 0
    assert f"{CHURN} is not asked about again: " in caplog.text
