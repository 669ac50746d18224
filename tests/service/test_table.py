"""The one door to the ledger's table: plain values, conditions, pages, pieces, and items that were written before."""

import json
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import boto3
import pytest

from chalicelib.inventory.cached import packed
from chalicelib.inventory.kinds.configs import EndpointConfig
from chalicelib.ledger.again import Pending
from chalicelib.ledger.configs import TableMemory
from chalicelib.ledger.digests import Digest
from chalicelib.ledger.history import History
from chalicelib.ledger.ledger import Ledger
from chalicelib.ledger.pieces import joined, lines_of, pieces, pieces_of, whole
from chalicelib.ledger.results import Result, RunPart, head_of
from chalicelib.ledger.runs import Runs
from chalicelib.ledger.table import (
    TABLE,
    WRITTEN_AT_ONCE,
    Expression,
    ItemTable,
    LedgerFailed,
    Write,
    Written,
    client_of,
)
from chalicelib.report.findings import Severity
from chalicelib.report.known import Resolution
from chalicelib.report.outcomes import Verdict
from emulator.front import Front
from emulator.server import Emulator
from tests.unit.test_notices import NOW, a_finding, a_report

ACCOUNT, REGION = "123456789012", "eu-west-1"
BEFORE = Path(__file__).parents[1] / "fixtures" / "ledger" / "items.json"
ABSENT = Expression("attribute_not_exists(pk)")


@pytest.fixture
def table(emulator: Emulator) -> ItemTable:
    client = emulator.client("dynamodb")
    client.create_table(TableName="ledger", **TABLE)
    return ItemTable("ledger", client)


def test_values_come_back_as_python_has_them(table: ItemTable) -> None:
    item = {
        "pk": "a",
        "sk": "b",
        "number": 7,
        "fraction": Decimal("7.5"),
        "blob": b"\x00\xff",
        "set": {"x", "y"},
        "numbers": {1, 2},
        "flag": False,
        "nothing": None,
        "list": [1, "two", {"three": 3}],
        "map": {"blob": b"z", "number": 10**20},
    }
    assert table.put(item)
    read = table.get("a", "b")
    assert read == item
    assert [type(read[name]) for name in ("number", "fraction", "blob", "set")] == [int, Decimal, bytes, set]
    assert table.get("a", "c") is None


def test_a_write_whose_condition_does_not_hold_says_so_and_changes_nothing(table: ItemTable) -> None:
    assert table.put({"pk": "a", "sk": "b", "owner": "first"}, only_if=ABSENT)
    assert not table.put({"pk": "a", "sk": "b", "owner": "second"}, only_if=ABSENT)
    other = Expression("#owner = :me", me="second")
    assert table.update("a", "b", Expression("SET #owner = :new", new="third"), only_if=other) is None
    assert table.get("a", "b") == {"pk": "a", "sk": "b", "owner": "first"}
    assert table.update("a", "b", Expression("SET #owner = :new", new="third")) == {
        "pk": "a",
        "sk": "b",
        "owner": "third",
    }


def test_of_many_writes_those_that_lose_stop_no_other(table: ItemTable) -> None:
    table.put({"pk": "a", "sk": "0007", "text": "first"})
    numbers = range(WRITTEN_AT_ONCE + 10)
    outcomes = table.put_all([Write({"pk": "a", "sk": f"{number:04}", "text": "second"}, ABSENT) for number in numbers])
    assert [number for number, outcome in enumerate(outcomes) if outcome is not Written.DONE] == [7]
    assert outcomes[7] is Written.LOST
    items = {item["sk"]: item["text"] for item in table.get_all("a", [f"{number:04}" for number in numbers])}
    assert len(items) == len(numbers)
    assert {sk for sk, text in items.items() if text == "first"} == {"0007"}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("status", "code"),
    [(400, "AccessDeniedException"), (400, "ValidationException"), (400, "TransactionInProgressException")],
)
def test_what_no_transaction_takes_is_written_item_by_item(
    table: ItemTable, front: Front, status: int, code: str
) -> None:
    front.fail("dynamodb:TransactWriteItems", status, code)
    table.put({"pk": "a", "sk": "1", "text": "first"})
    writes = [Write({"pk": "a", "sk": f"{number}", "text": "second"}, ABSENT) for number in range(3)]
    assert table.put_all(writes) == [Written.DONE, Written.LOST, Written.DONE]
    assert [item["text"] for item in table.query(Expression("pk = :pk", pk="a"))] == ["second", "first", "second"]


def test_an_item_that_no_table_takes_stops_no_other(table: ItemTable, caplog: pytest.LogCaptureFixture) -> None:
    large = Write({"pk": "a", "sk": "large", "text": "x" * 410_000}, ABSENT)
    assert table.put_all([large, Write({"pk": "a", "sk": "small"}, ABSENT)]) == [Written.REFUSED, Written.DONE]
    assert table.get("a", "small") is not None and table.get("a", "large") is None
    assert "an item is not written" in caplog.text


def test_a_table_that_refuses_everything_is_asked_once_a_transaction_and_once_an_item(
    table: ItemTable, front: Front
) -> None:
    front.calls.clear()
    front.deny("dynamodb:*")
    with pytest.raises(LedgerFailed, match="the table ledger cannot be used"):
        table.put_all([Write({"pk": "a", "sk": f"{number}"}, ABSENT) for number in range(200)])
    assert front.calls == {"dynamodb:TransactWriteItems": 1, "dynamodb:PutItem": 1}


def test_a_write_whose_answer_was_lost_is_known_as_the_own_one(table: ItemTable) -> None:
    item = {"pk": "a", "sk": "b", "version": "mine", "owed": {"x", "y"}}
    assert table.put_all([Write(item, ABSENT)]) == [Written.DONE]
    assert table.put_all([Write(item, ABSENT)]) == [Written.DONE]
    assert table.put_all([Write({**item, "version": "another"}, ABSENT)]) == [Written.LOST]
    assert table.get("a", "b") == item


def test_a_write_waits_for_the_transaction_of_another(table: ItemTable, front: Front) -> None:
    slept: list[float] = []
    patient = ItemTable(table.name, table.client, slept.append)
    front.fail("dynamodb:PutItem", 400, "TransactionConflictException", times=2)
    assert patient.put({"pk": "a", "sk": "b"}, only_if=ABSENT)
    assert slept == [0.05, 0.1]
    front.fail("dynamodb:PutItem", 400, "TransactionConflictException")
    with pytest.raises(LedgerFailed, match="TransactionConflictException"):
        patient.put({"pk": "a", "sk": "c"})


def test_a_query_gives_every_page(table: ItemTable) -> None:
    for number in range(7):
        table.put({"pk": "a", "sk": f"{number}", "even": number % 2 == 0, "body": "x" * 300_000})
    everything = Expression("pk = :pk", pk="a")
    assert [item["sk"] for item in table.query(everything)] == list("0123456")
    assert [item["sk"] for item in table.query(everything, newest_first=True, limit=2)] == list("6543210")
    assert [item["sk"] for item in table.query(everything, only=Expression("even = :yes", yes=True))] == list("0246")
    first = table.page(everything, limit=3)
    assert first.last == {"pk": "a", "sk": "2"}
    second = table.page(everything, limit=3, start=first.last)
    assert [item["sk"] for item in [*first.items, *second.items]] == list("012345")


def test_a_page_that_leads_to_itself_is_a_failure_and_no_end(table: ItemTable) -> None:
    table.put({"pk": "a", "sk": "b"})

    def repeat(parsed: dict[str, Any], **_: Any) -> None:
        parsed["LastEvaluatedKey"] = {"pk": {"S": "a"}, "sk": {"S": "b"}}

    client = boto3.client("dynamodb", region_name=REGION)
    client.meta.events.register("after-call.dynamodb.Query", repeat)
    with pytest.raises(LedgerFailed, match="gave the key of its next page twice"):
        list(ItemTable("ledger", client).query(Expression("pk = :pk", pk="a")))


def test_items_that_a_read_of_many_left_out_are_asked_for_again(table: ItemTable) -> None:
    for sk in "abc":
        table.put({"pk": "p", "sk": sk})
    asked: list[list[str]] = []

    def left_out(params: dict[str, Any], **_: Any) -> None:
        keys = params["RequestItems"]["ledger"]["Keys"]
        asked.append([key["sk"] for key in keys])
        left.append(keys[1:])
        params["RequestItems"]["ledger"]["Keys"] = keys[:1]

    def unprocessed(parsed: dict[str, Any], **_: Any) -> None:
        parsed.pop("UnprocessedKeys", None)
        if keys := left.pop():
            parsed["UnprocessedKeys"] = {"ledger": {"Keys": keys, "ConsistentRead": True}}

    left: list[list[dict[str, Any]]] = []
    client = boto3.client("dynamodb", region_name=REGION)
    client.meta.events.register_first("provide-client-params.dynamodb.BatchGetItem", left_out)
    client.meta.events.register("after-call.dynamodb.BatchGetItem", unprocessed)
    items = list(ItemTable("ledger", client).get_all("p", ["a", "b", "c", "d", "a"]))
    assert [item["sk"] for item in items] == ["a", "b", "c"]
    assert [len(keys) for keys in asked] == [4, 3, 2, 1]


@pytest.mark.parametrize("operation", ["PutItem", "GetItem", "UpdateItem", "Query", "BatchGetItem"])
def test_a_refused_call_is_a_failure_that_names_the_table(table: ItemTable, front: Front, operation: str) -> None:
    front.deny(f"dynamodb:{operation}")
    calls: dict[str, Any] = {
        "PutItem": lambda: table.put({"pk": "a", "sk": "b"}, only_if=ABSENT),
        "GetItem": lambda: table.get("a", "b"),
        "UpdateItem": lambda: table.update("a", "b", Expression("SET flag = :yes", yes=True)),
        "Query": lambda: list(table.query(Expression("pk = :pk", pk="a"))),
        "BatchGetItem": lambda: list(table.get_all("a", ["b"])),
    }
    with pytest.raises(LedgerFailed, match=r"the table ledger cannot be used: .*AccessDenied.*AUDITOR_TABLE names it"):
        calls[operation]()


def test_pieces_are_whole_or_nothing(table: ItemTable) -> None:
    bodies = [letter for letter in "abcd"]
    table.put_pieces("a", "x#", bodies, writing="first")
    table.put_pieces("a", "x#", bodies[:2], writing="second")
    items = list(table.query(Expression("pk = :pk AND begins_with(sk, :prefix)", pk="a", prefix="x#")))
    assert [item["sk"] for item in items] == ["x#0000", "x#0001", "x#0002", "x#0003"]
    assert whole(items, "writing") == ["a", "b"]
    assert whole(items[:1], "writing") is None
    assert whole([items[0], items[3]], "writing") is None
    assert whole([items[0], items[3]]) == ["a", "d"]


def test_content_is_split_and_joined(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chalicelib.ledger.pieces.PIECE", 10)
    content = {"list": [1, None, "ü"], "map": {"a": 1.5}}
    assert len(pieces(content)) > 1
    assert joined(pieces(content)) == content


def test_lines_are_split_and_joined_one_after_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chalicelib.ledger.pieces.PIECE", 16)
    lines = ["", "first", "zweite ü", "", "x" * 300, str(list(range(50)))]
    bodies = pieces_of(lines)
    assert len(bodies) > 1
    assert all(len(body) <= 16 for body in bodies)
    assert [line.decode() for line in lines_of(bodies)] == lines
    assert list(lines_of(pieces_of([]))) == [b""]


@pytest.fixture
def before(table: ItemTable) -> Any:
    """The client of a table with the items that were written before."""
    for item in json.loads(BEFORE.read_text(encoding="utf-8")):
        table.client.put_item(TableName="ledger", Item=item)
    return table.client


def test_a_ledger_written_before_is_read(before: Any) -> None:
    ledger = Ledger("ledger", before, clock=lambda: NOW + timedelta(minutes=1))
    (known,) = ledger.unresolved(ACCOUNT, REGION).values()
    assert (known.finding.id, known.finding.owner) == ("f-00000000000000000001", "team")
    assert (known.last_told, known.severity_told) == (NOW, Severity.HIGH)
    assert ledger.known(ACCOUNT, REGION, [known.finding.id]) == {known.finding.id: known}
    assert ledger.of_resource("arn:1") == {known.finding.id: known}
    assert ledger.users_of(ACCOUNT, REGION, ["subnet-1", "subnet-2"]) == ["arn:a", "arn:b"]
    assert ledger.last_complete(ACCOUNT) == "2026-11-22T06:00:00Z"
    assert (known.owed, known.claimed_until, known.version) == ({}, None, None)
    ((written, outcome),) = ledger.write([known])
    assert outcome is Written.DONE
    assert ledger.known(ACCOUNT, REGION, [known.finding.id]) == {known.finding.id: written}


def test_a_history_written_before_is_read(before: Any) -> None:
    past = History("ledger", before).of(ACCOUNT)
    (report,) = past.reports
    assert (report.regions, report.finished_at) == ([REGION], NOW)
    assert past.counted == {"endpoint-single-instance": {Severity.HIGH: 1}}
    (point,) = past.trend
    assert (point.at, point.resources, point.open[Severity.HIGH]) == (NOW, 412, 1)
    assert point.score is None  # by an older definition, which none of today can be compared with


def test_a_run_written_before_is_read_and_worked_to_its_end(before: Any) -> None:
    runs = Runs("ledger", before, clock=lambda: NOW + timedelta(hours=7))
    run = runs.get("a-1")
    assert run is not None
    assert (run.state, run.trigger, run.parts, run.done, run.notify) == ("stuck", "schedule", 2, 1, False)
    assert run.rules == ("endpoint-idle", "endpoint-single-instance")
    assert run.open == {RunPart(ACCOUNT, "us-east-1", "jobs")}
    assert run.accounts == (ACCOUNT,)
    assert runs.stale() == [run]
    ((part, result),) = runs.results.of_account("a-1", ACCOUNT).items()
    assert part == RunPart(ACCOUNT, REGION)
    assert [finding.id for finding in result.report.findings] == ["f-00000000000000000001"]
    assert result.judged == Resolution({"f-1": Verdict.PASS}, frozenset({"f-2"}))
    assert result.stands == {"subnet-1": ["arn:a"]}
    assert runs.sizes() == {(ACCOUNT, REGION): 412}
    done = runs.finish("a-1", RunPart(ACCOUNT, "us-east-1", "jobs"))
    assert done is not None and done.open == frozenset()
    runs.close("a-1", "done")
    assert runs.stale() == []


def test_what_was_remembered_before_is_read(table: ItemTable) -> None:
    config = EndpointConfig.model_validate(
        {
            "EndpointConfigName": "churn",
            "EndpointConfigArn": f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:endpoint-config/churn",
            "CreationTime": NOW.timestamp(),
            "ProductionVariants": [{"VariantName": "V", "ModelName": "m"}],
        }
    )
    blob = packed({config.name: config})
    for number, body in enumerate([blob[:20], blob[20:]]):
        item = {
            "pk": {"S": f"remembered#{ACCOUNT}#{REGION}"},
            "sk": {"S": f"{number:04}"},
            "pieces": {"N": "2"},
            "writing": {"S": "an-id"},
            "body": {"B": body},
            "expires": {"N": "1797919200"},
        }
        table.client.put_item(TableName="ledger", Item=item)
    assert TableMemory("ledger", table.client).recall(ACCOUNT, REGION) == {config.name: config}


def test_a_part_whose_pieces_are_not_all_there_is_a_failure_that_names_it(before: Any) -> None:
    key = {"pk": "run#a-1", "sk": f"part#{ACCOUNT}#{REGION}#0000"}
    table = ItemTable("ledger", before)
    table.put({**(table.get(key["pk"], key["sk"]) or {}), "pieces": 2})
    results = Runs("ledger", before).results
    for read in (lambda: results.of_account("a-1", ACCOUNT), lambda: list(results.after("a-1"))):
        with pytest.raises(LedgerFailed, match=rf"the part {ACCOUNT}#{REGION} of the run a-1 found is being written"):
            read()


#: How many days each kind of item outlives the moment of which it speaks, by what its key begins with.
KEPT = {
    ("again#", "again"): 1,
    ("channels", "slack"): 30,
    ("digest#", "a-1"): 30,
    ("history#", "last#"): 40,
    ("history#", "point#"): 400,
    ("judged#", "2026"): 1,
    ("run#a-1", "attempts#"): 30,
    ("run#a-1", "part#"): 30,
    ("run#a-1", "run"): 30,
    ("run#a-1", "told#"): 30,
    ("run#a-1", "whole#"): 30,
    ("sightings#", "rule"): 30,
    ("sizes", ACCOUNT): 30,
    ("subnet#", "subnet-1"): 30,
}


def test_whatever_is_of_use_for_a_time_ends_with_it(table: ItemTable) -> None:
    client, now, part, arn = table.client, lambda: NOW, RunPart(ACCOUNT, REGION), "arn:1"
    report = a_report(a_finding(1))
    Pending("ledger", client, now).claim(arn, NOW)
    ledger = Ledger("ledger", client, lookback_days=30, clock=now)
    ledger.write([Digest(ACCOUNT, "a-1", frozenset({"slack"}))])
    ledger.broken("slack", "gone")
    ledger.note_judged(ACCOUNT, REGION, Resolution(settled=frozenset({arn})), NOW)
    ledger.stands(ACCOUNT, REGION, {"subnet-1": [arn]})
    ledger.note_sightings(ACCOUNT, REGION, {("rule", arn): NOW})
    History("ledger", client, now).note([report], report)
    runs = Runs("ledger", client, now)
    runs.begun("a-1", part)
    runs.keep_ended("a-1", {part: Result(report, Resolution(), {})}, "http", head_of(report))
    runs.note_informed("a-1", ACCOUNT)
    runs.grown(ACCOUNT, REGION, 7)
    items = client.scan(TableName="ledger")["Items"]
    days = {
        (item["pk"]["S"], item["sk"]["S"]): (int(item["expires"]["N"]) - NOW.timestamp()) / 86_400 for item in items
    }
    assert len(items) == len(KEPT)
    for (pk, sk), number in KEPT.items():
        assert [days[key] for key in days if key[0].startswith(pk) and key[1].startswith(sk)] == [number], (pk, sk)


@pytest.mark.parametrize("body", [b'{"Item": {"pk"', b"<html>welcome</html>", b"[]", b"null", b""])
def test_an_answer_that_is_cut_or_something_else_is_no_empty_one(emulator: Emulator, body: bytes) -> None:
    emulator.client("dynamodb").create_table(TableName="ledger", **TABLE)
    client = client_of(boto3.Session(), REGION)
    table = ItemTable("ledger", client)
    assert table.put({"pk": "a", "sk": "b"})
    assert table.get("a", "c") is None

    def changed(response_dict: dict[str, Any], **_: Any) -> None:
        response_dict["body"] = body

    client.meta.events.register_first("before-parse", changed)
    for use in (
        lambda: table.get("a", "b"),
        lambda: list(table.get_all("a", ["b"])),
        lambda: list(table.query(Expression("pk = :pk", pk="a"))),
        lambda: table.put({"pk": "a", "sk": "b"}, only_if=ABSENT),
        lambda: table.update("a", "b", Expression("SET x = :x", x=1)),
    ):
        with pytest.raises(LedgerFailed, match="the table ledger cannot be used"):
            use()
