"""The parts of a run as the queue gives them: what is dropped, what is given again and when, what is said of each."""

import json
import logging
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from chalicelib.fleet.fleet import Fleet
from chalicelib.settings import Settings
from tests.unit.test_accounts import Session, refused
from tests.unit.test_telemetry import lines_of

PART = {"kind": "audit-part", "run": "a-1", "account": "222222222222", "region": "eu-west-1"}
QUEUE = "https://sqs/parts"


class Unknown:
    """Runs of which none is known; ``failing`` is raised instead."""

    def __init__(self, failing: Exception | None = None) -> None:
        self.failing = failing
        self.asked: list[str] = []

    def get(self, id: str) -> None:
        self.asked.append(id)
        if self.failing is not None:
            raise self.failing


def fleet(runs: Unknown, session: Any = None, **settings: Any) -> Fleet:
    nothing: Any = None
    named = Settings(**{"queue_url": QUEUE, **settings})
    known: Any = runs
    return Fleet(named, session or Session(), "111111111111", "eu-west-1", nothing, known, nothing, nothing)


def record(body: Any = PART, attempt: Any = "1", **more: Any) -> dict[str, Any]:
    return {"messageId": "m-1", "body": json.dumps(body), "attributes": {"ApproximateReceiveCount": attempt}, **more}


@pytest.fixture
def kept_log(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.INFO, "chalicelib")
    return caplog


@pytest.mark.parametrize("event", [None, [], "text", {}, {"Records": 3}, {"Records": None}, {"Records": {"a": 1}}])
def test_what_holds_no_records_is_worked_without_a_word(event: Any) -> None:
    assert fleet(Unknown()).work(event) == {"batchItemFailures": []}


@pytest.mark.parametrize(
    "message",
    [
        record({**PART, "kind": "other"}),
        record({**PART, "run": ""}),
        record({**PART, "run": 7}),
        record({**PART, "account": "2#2"}),
        record({**PART, "region": None}),
        record({**PART, "group": "others"}),
        record({name: value for name, value in PART.items() if name != "region"}),
        record([PART]),
        record("text"),
        {"messageId": "m-1", "body": "{"},
        {"messageId": "m-1", "body": None},
        {"messageId": "m-1"},
    ],
)
def test_a_message_that_is_no_part_is_dropped_by_its_id_and_holds_up_no_other(
    message: dict[str, Any], kept_log: pytest.LogCaptureFixture
) -> None:
    runs = Unknown()
    assert fleet(runs).work({"Records": [3, message, record()]}) == {"batchItemFailures": []}
    assert runs.asked == ["a-1"]
    dropped = [line["id"] for line in lines_of(kept_log) if line["kind"] == "dropped"]
    assert dropped == ["", "m-1"]


@pytest.mark.parametrize(("group", "named"), [("", {}), ("hosting", {"group": "hosting"}), ("jobs", {"group": "jobs"})])
def test_what_came_of_a_part_is_a_line(group: str, named: dict[str, str], kept_log: pytest.LogCaptureFixture) -> None:
    fleet(Unknown()).work({"Records": [record({**PART, "group": group}, "2")]})
    (line,) = [line for line in lines_of(kept_log) if line["kind"] == "part"]
    said = {name: line.get(name) for name in ("run", "account", "region", "attempt", "outcome", "group")}
    assert said == {"run": "a-1", "account": "222222222222", "region": "eu-west-1", "attempt": 2, "outcome": "done"} | {
        "group": named.get("group")
    }
    assert 0 <= line["seconds"] < 60
    assert "part 222222222222#eu-west-1" in kept_log.text and "there is no run a-1" in kept_log.text


@pytest.mark.parametrize(
    ("attempt", "number", "seconds"), [("1", 1, 15), ("2", 2, 30), ("3", 3, 45), ("?", 1, 15), (None, 1, 15)]
)
def test_a_part_that_fails_is_given_again_soon(
    attempt: Any, number: int, seconds: int, kept_log: pytest.LogCaptureFixture
) -> None:
    session = Session()
    working = fleet(Unknown(RuntimeError("the table is away")), session)
    answer = working.work({"Records": [record(attempt=attempt, receiptHandle="h-1")]})
    assert answer == {"batchItemFailures": [{"itemIdentifier": "m-1"}]}
    asked = {"QueueUrl": QUEUE, "ReceiptHandle": "h-1", "VisibilityTimeout": seconds}
    assert session.sts.asked == [("change_message_visibility", asked)]
    assert session.clients == [("sqs", "eu-west-1")]
    (line,) = [line for line in lines_of(kept_log) if line["kind"] == "part"]
    assert (line["outcome"], line["attempt"]) == ("failed", number)
    assert f"part 222222222222#eu-west-1 of run a-1 failed, attempt {number}" in kept_log.text


@pytest.mark.parametrize(
    ("settings", "more"), [({}, {}), ({}, {"receiptHandle": 7}), ({"queue_url": None}, {"receiptHandle": "h-1"})]
)
def test_where_the_queue_cannot_be_told_the_part_waits_for_its_time(
    settings: dict[str, Any], more: dict[str, Any]
) -> None:
    session = Session()
    working = fleet(Unknown(RuntimeError()), session, **settings)
    assert working.work({"Records": [record(**more)]}) == {"batchItemFailures": [{"itemIdentifier": "m-1"}]}
    assert session.clients == []


@pytest.mark.parametrize("failure", [refused("AccessDenied"), EndpointConnectionError(endpoint_url="https://sqs")])
def test_a_queue_that_refuses_to_give_it_soon_is_a_warning(
    failure: Exception, kept_log: pytest.LogCaptureFixture
) -> None:
    working = fleet(Unknown(RuntimeError()), Session(failure))
    answer = working.work({"Records": [record(receiptHandle="h-1"), record(messageId="m-2")]})
    assert answer == {"batchItemFailures": [{"itemIdentifier": "m-1"}, {"itemIdentifier": "m-2"}]}
    assert "a failed part waits for its full timeout" in kept_log.text
