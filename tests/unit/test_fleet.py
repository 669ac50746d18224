"""The parts of a run as the queue gives them: what is dropped, what is given again and when, what is said of each."""

import json
import logging
import re
from collections.abc import Iterable
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError
from msgspec.structs import replace

from chalicelib.errors import AccessFailed, InvalidInput
from chalicelib.fleet.fleet import Fleet
from chalicelib.fleet.queue import Queue
from chalicelib.ledger.results import Result, RunPart
from chalicelib.ledger.runs import Attempts, Run
from chalicelib.policy.policy import load_policy
from chalicelib.report.findings import Trigger
from chalicelib.report.known import Resolution
from chalicelib.scope import Scope
from chalicelib.settings import Settings
from tests.unit.test_accounts import CREDENTIALS, ROLE, Session, refused
from tests.unit.test_notices import a_finding, a_report
from tests.unit.test_telemetry import lines_of

PART = {"kind": "audit-part", "run": "a-1", "account": "222222222222", "region": "eu-west-1"}
QUEUE = "https://sqs/parts"


def auditing(scope: Scope, trigger: str, session: Any) -> Any:
    """Has nothing to say of a scope, but with which credentials it was asked."""
    report = a_report(a_finding(), trigger=trigger, accounts=[scope.account], regions=[scope.region])
    return SimpleNamespace(report=report, resolution=Resolution(), stands={"credentials": session.credentials})


class Unknown:
    """Runs of which none is known; ``failing`` is raised instead."""

    def __init__(self, failing: Exception | None = None) -> None:
        self.failing = failing
        self.asked: list[str] = []

    def get(self, id: str) -> None:
        self.asked.append(id)
        if self.failing is not None:
            raise self.failing


class Book:
    """The runs in memory: one, with its open parts, and what is kept of them."""

    def __init__(self) -> None:
        self.run: Run | None = None
        self.kept: dict[RunPart, Result] = {}
        self.noted: list[tuple[RunPart, str]] = []
        self.attempts = Attempts(1, 0)
        self.results = self

    def sizes(self) -> dict[tuple[str, str], int]:
        return {("222222222222", "us-east-1"): 500_001, ("222222222222", "eu-west-1"): 500_000}

    def start(self, id: str, parts: Iterable[RunPart], trigger: Trigger, *, notify: bool, rules: Iterable[str]) -> Run:
        named = frozenset(parts)
        accounts = tuple(sorted({part.account for part in named}))
        self.run = Run(id, "queued", trigger, len(named), named, accounts, "", notify=notify, rules=tuple(rules))
        return self.run

    def get(self, id: str) -> Run | None:
        return self.run if self.run is not None and self.run.id == id else None

    def begun(self, id: str, part: RunPart) -> Attempts:
        return self.attempts

    def failed(self, id: str, part: RunPart) -> None:
        self.noted.append((part, "failed once"))

    def keep(self, id: str, part: RunPart, result: Result) -> None:
        self.kept[part] = result

    def finish(self, id: str, part: RunPart, outcome: str) -> Run:
        assert self.run is not None and self.run.id == id
        self.noted.append((part, outcome))
        self.run = replace(self.run, open=self.run.open - {part})
        return self.run


def fleet(runs: Any, session: Any = None, **settings: Any) -> Fleet:
    nothing: Any = None
    named = Settings(**{"queue_url": QUEUE, "role_name": "reader", "external_id": "a-secret", **settings})
    own: Any = session or Session({})
    queue = Queue(own, "eu-west-1", named.queue_url) if named.queue_url else None
    return Fleet(named, own, queue, "111111111111", "eu-west-1", load_policy(), runs, nothing, auditing)


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


def test_a_failed_part_without_an_id_fails_its_batch_as_sqs_reads_an_empty_id() -> None:
    nameless = {name: value for name, value in record().items() if name != "messageId"}
    assert fleet(Unknown(RuntimeError())).work({"Records": [nameless]}) == {
        "batchItemFailures": [{"itemIdentifier": ""}]
    }


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
    assert "a message that failed waits for its full timeout" in kept_log.text


# ---- beginning a run, and working its parts


def begun(session: Any = None, **asked: Any) -> tuple[Fleet, Book, list[list[dict[str, Any]]]]:
    """A fleet with a run over a member's regions; its book, and the messages of each call of the queue."""
    book, session = Book(), session or Session({})
    working = fleet(book, session, accounts=("222222222222",), regions=("eu-west-1", "us-east-1", "eu-central-1"))
    working.start("http", **{"notify": False, "id": "a-1", **asked})
    calls = [parameters for operation, parameters in session.sts.asked if operation == "send_message_batch"]
    assert {call["QueueUrl"] for call in calls} <= {QUEUE}
    return working, book, [[json.loads(entry["MessageBody"]) for entry in call["Entries"]] for call in calls]


def test_a_run_has_a_part_for_each_region_and_two_for_a_very_large_one() -> None:
    session = Session({})
    _, book, (messages,) = begun(session, rules=["endpoint-idle"])
    assert session.clients == [("sqs", "eu-west-1")]
    assert messages == [
        {**PART, "region": "eu-central-1"},
        PART,
        {**PART, "region": "us-east-1", "group": "hosting"},
        {**PART, "region": "us-east-1", "group": "jobs"},
    ]
    assert book.run is not None
    assert (book.run.trigger, book.run.notify, book.run.rules) == ("http", False, ("endpoint-idle",))


def test_the_queue_takes_ten_messages_a_call() -> None:
    session = Session({})
    _, _, calls = begun(session, regions=[f"eu-west-{number}" for number in range(1, 22)])
    assert [len(messages) for messages in calls] == [10, 10, 1]
    assert [entry["Id"] for entry in session.sts.asked[0][1]["Entries"]] == [str(number) for number in range(10)]


def test_a_queue_that_cannot_be_used_ends_the_beginning() -> None:
    for failure in (refused("AccessDenied"), EndpointConnectionError(endpoint_url="AccessDenied")):
        with pytest.raises(AccessFailed, match=r"^the queue of the parts cannot be used: .*AccessDenied"):
            begun(Session(failure))


def test_a_part_that_the_queue_refuses_is_unread() -> None:
    _, book, _ = begun(Session({"Failed": [{"Id": "1", "Message": "too large"}]}))
    part = RunPart("222222222222", "eu-west-1")
    assert book.noted == [(part, "failed")]
    (spot,) = book.kept[part].report.blind_spots
    assert (spot.operation, spot.error, spot.account, spot.region) == ("sqs:SendMessage", "too large", *part[:2])


@pytest.mark.parametrize(
    ("settings", "asked", "says"),
    [
        ({"queue_url": None}, {}, "several accounts or regions need AUDITOR_QUEUE_URL"),
        ({"role_name": None, "accounts": ("222222222222",)}, {}, "other accounts need AUDITOR_ROLE_NAME"),
        ({}, {"accounts": ["333333333333"]}, r"333333333333 is not audited .*111111111111 and .*ACCOUNTS \(none\)"),
    ],
)
def test_what_a_run_needs_is_said_before_it_begins(settings: Any, asked: Any, says: str) -> None:
    book = Book()
    with pytest.raises(InvalidInput, match=says):
        fleet(book, **settings).start("http", **asked)
    assert book.run is None


def test_without_settings_a_run_is_of_the_own_account_and_region_and_has_an_id_of_its_own() -> None:
    run = fleet(Book()).start("http", notify=False)
    assert run.open == {RunPart("111111111111", "eu-west-1")}
    assert re.fullmatch("a-[0-9a-f]{20}", run.id)


def test_a_part_is_audited_with_the_credentials_of_its_account() -> None:
    session = Session({"Credentials": CREDENTIALS})
    working, book, _ = begun(session)
    assert working.work({"Records": [record()]}) == {"batchItemFailures": []}
    asked = {"RoleArn": ROLE, "RoleSessionName": "sagemaker-auditor", "ExternalId": "a-secret"}
    assert session.sts.asked[-1] == ("assume_role", asked)
    assert session.clients == [("sqs", "eu-west-1"), ("sts", "eu-west-1")]
    part = RunPart("222222222222", "eu-west-1")
    assert book.noted == [(part, "done")]
    kept = book.kept[part]
    assert (kept.report.trigger, kept.report.regions) == ("http", ["eu-west-1"])
    assert kept.stands == {
        "credentials": {"aws_access_key_id": "key", "aws_secret_access_key": "secret", "aws_session_token": "token"}
    }
    own, book = fleet(Book(), regions=("eu-west-1", "us-east-1")), Book()
    own = replace(own, runs=book)
    own.start("http", notify=False, id="a-1")
    own.work({"Records": [record({**PART, "account": "111111111111"})]})
    assert book.kept[RunPart("111111111111", "eu-west-1")].stands == {"credentials": {}}


def test_a_member_that_lets_nobody_in_is_a_blind_spot() -> None:
    working, book, _ = begun()
    working = replace(working, session=Session(refused("AccessDenied")))
    assert working.work({"Records": [record()]}) == {"batchItemFailures": []}
    part = RunPart("222222222222", "eu-west-1")
    (spot,) = book.kept[part].report.blind_spots
    assert (spot.operation, spot.error) == ("sts:AssumeRole", f"the role {ROLE} cannot be assumed (AccessDenied)")
    assert book.noted == [(part, "done")]


@pytest.mark.parametrize(
    ("attempt", "attempts", "noted", "says"),
    [
        ("1", Attempts(1, 0), "failed once", None),
        ("2", Attempts(2, 1), "failed once", None),
        ("3", Attempts(3, 2), "failed", "RuntimeError: away"),
        ("3", Attempts(3, 1), "failed", "RuntimeError: away"),
        ("3", Attempts(3, 0), "failed", "2 attempts died without a word: their time or their memory was not enough"),
    ],
)
def test_the_last_attempt_that_fails_leaves_a_blind_spot(
    attempt: str, attempts: Attempts, noted: str, says: str | None
) -> None:
    def failing(*_: Any) -> Any:
        raise RuntimeError("away")

    working, book, _ = begun(Session({"Credentials": CREDENTIALS}))
    working, book.attempts = replace(working, audit_part=failing), attempts
    assert working.work({"Records": [record(attempt=attempt)]}) == {"batchItemFailures": [{"itemIdentifier": "m-1"}]}
    part = RunPart("222222222222", "eu-west-1")
    assert book.noted == [(part, noted)]
    errors = [spot.error for result in book.kept.values() for spot in result.report.blind_spots]
    assert errors == ([says] if says else [])
