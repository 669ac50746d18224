"""Parts of a run that fail, or come to their end twice."""

from datetime import timedelta
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from chalicelib.ledger.results import Result, RunPart, head_of
from chalicelib.ledger.runs import Runs
from chalicelib.ledger.table import TABLE, LedgerFailed
from chalicelib.report.findings import utc_text
from chalicelib.report.known import Resolution
from emulator.front import Front
from emulator.server import DEFAULT_ACCOUNT as ACCOUNT
from emulator.server import DEFAULT_REGION as REGION
from emulator.server import Emulator
from tests.service.test_fleet import SCHEDULE, Account, a_record, report_of, worked
from tests.unit.test_notices import NOW, a_finding, a_report


def test_a_part_that_failed_is_given_again_after_15_seconds_and_after_30(emulator: Emulator, front: Front) -> None:
    account = Account(emulator)
    service = account.service()
    service.on_schedule(SCHEDULE)
    (part, *_) = [record for record in account.queued() if '"222222222222"' in record["body"]]
    front.fail("sts:AssumeRole", status=400, code="Throttling")
    for attempt in (1, 2):
        record = {**part, "attributes": a_record({}, attempt=attempt)["attributes"], "receiptHandle": f"h-{attempt}"}
        assert worked(service, record) == [part["messageId"]]
    waits = [call.params for call in front.history if call.name == "sqs:ChangeMessageVisibility"]
    assert [(wait["ReceiptHandle"], int(wait["VisibilityTimeout"])) for wait in waits] == [("h-1", 15), ("h-2", 30)]


def test_a_run_that_is_closed_stays_closed_when_a_part_ends_once_more(emulator: Emulator) -> None:
    emulator.client("dynamodb").create_table(TableName="ledger", **TABLE)
    runs = Runs("ledger", boto3.client("dynamodb", region_name=REGION))
    part = RunPart("222222222222", REGION)
    runs.start("a-1", [part], "schedule")
    runs.finish("a-1", part)
    runs.close("a-1", "done")
    assert runs.finish("a-1", part, "failed") is None
    run = runs.get("a-1")
    assert run is not None
    assert (run.state, run.closed, run.open, run.failed) == ("done", True, frozenset(), frozenset())


def test_a_run_that_is_begun_twice_goes_on_as_it_is(emulator: Emulator) -> None:
    emulator.client("dynamodb").create_table(TableName="ledger", **TABLE)
    runs = Runs("ledger", boto3.client("dynamodb", region_name=REGION))
    first, second = RunPart("222222222222", REGION), RunPart("333333333333", REGION, "jobs")
    runs.start("a-1", [first, second], "schedule", rules=["endpoint-idle", "endpoint-degraded"])
    runs.finish("a-1", first)
    run = runs.start("a-1", [first, second], "schedule")
    assert (run.state, run.parts, run.open) == ("running", 2, frozenset({second}))
    assert (run.accounts, run.rules) == (("222222222222", "333333333333"), ("endpoint-degraded", "endpoint-idle"))
    assert run.notify and not run.closed


def test_a_run_whose_beginning_was_cut_short_is_among_the_open_ones_when_it_is_begun_again(emulator: Emulator) -> None:
    client = emulator.client("dynamodb")
    client.create_table(TableName="ledger", **TABLE)
    runs = Runs("ledger", boto3.client("dynamodb", region_name=REGION), lambda: NOW)
    runs.start("a-1", [RunPart("222222222222", REGION)], "schedule")
    client.delete_item(TableName="ledger", Key={"pk": {"S": "runs"}, "sk": {"S": "open"}})  # the second write is lost
    runs.start("a-1", [RunPart("222222222222", REGION)], "schedule")
    late = Runs("ledger", boto3.client("dynamodb", region_name=REGION), lambda: NOW + timedelta(days=1))
    assert [run.id for run in late.stale()] == ["a-1"]


def test_a_table_that_contradicts_itself_begins_no_run(emulator: Emulator) -> None:
    emulator.client("dynamodb").create_table(TableName="ledger", **TABLE)
    client = boto3.client("dynamodb", region_name=REGION)
    refused = ClientError({"Error": {"Code": "ConditionalCheckFailedException", "Message": ""}}, "PutItem")

    def refuse(**_: Any) -> None:
        raise refused

    client.meta.events.register("before-call.dynamodb.PutItem", refuse)
    with pytest.raises(LedgerFailed, match="says that it holds the run a-1, and does not give it"):
        Runs("ledger", client).start("a-1", [RunPart("222222222222", REGION)], "schedule")


def test_what_an_audit_found_at_once_is_a_run_that_is_over_and_told_nobody(emulator: Emulator) -> None:
    emulator.client("dynamodb").create_table(TableName="ledger", **TABLE)
    runs = Runs("ledger", boto3.client("dynamodb", region_name=REGION), lambda: NOW)
    here, there = RunPart(ACCOUNT, REGION), RunPart(ACCOUNT, "us-east-1")
    report = a_report(a_finding(1), scope=a_report().scope.model_copy(update={"rules": ["endpoint-idle"]}))
    results = {here: Result(report, Resolution(), {}), there: Result(a_report(), Resolution(), {})}
    runs.keep_ended("a-1", results, "http", head_of(report))
    run = runs.get("a-1")
    assert run is not None
    assert (run.state, run.closed, run.trigger, run.parts, run.open) == ("done", True, "http", 2, frozenset())
    assert (run.accounts, run.rules, run.notify) == ((ACCOUNT,), ("endpoint-idle",), False)
    assert run.started_at == utc_text(NOW)
    assert dict(runs.results.after("a-1")) == results
    assert runs.results.whole("a-1") == head_of(report)
    assert runs.results.whole("a-2") is None
    assert runs.stale() == []


def test_a_run_that_was_given_up_stays_so_when_its_last_part_comes_after_all(emulator: Emulator) -> None:
    emulator.client("dynamodb").create_table(TableName="ledger", **TABLE)
    runs = Runs("ledger", boto3.client("dynamodb", region_name=REGION))
    first, late = RunPart("222222222222", REGION), RunPart("333333333333", REGION)
    runs.start("a-1", [first, late], "schedule")
    runs.finish("a-1", first)
    runs.close("a-1", "failed")
    runs.finish("a-1", late)
    run = runs.get("a-1")
    assert run is not None
    assert (run.state, run.closed, run.open) == ("failed", True, frozenset())


def test_a_part_of_which_no_rule_is_asked_is_complete_and_found_nothing(emulator: Emulator) -> None:
    account = Account(emulator)
    service = account.service(accounts=(ACCOUNT,), regions=(REGION,))
    service.runs.grown(ACCOUNT, REGION, 500_001)
    run = service.fleet.start("http", rules=["endpoint-single-instance"], notify=False)
    assert worked(service, *account.queued()) == []
    results = service.runs.results.of_account(run.id, ACCOUNT)
    hosting, jobs = (results[RunPart(ACCOUNT, REGION, group)].report for group in ("hosting", "jobs"))
    assert {finding.rule for finding in hosting.findings} == {"endpoint-single-instance"}
    assert (jobs.complete, jobs.rules, jobs.blind_spots, jobs.findings, jobs.api_calls) == (True, {}, [], [], {})
    whole = report_of(service, run.id)
    assert (whole.complete, whole.blind_spots, list(whole.rules)) == (True, [], ["endpoint-single-instance"])
    assert [finding.id for finding in whole.findings] == [finding.id for finding in hosting.findings]
    item = emulator.client("dynamodb").get_item(
        TableName="auditor-ledger", Key={"pk": {"S": f"run#{run.id}"}, "sk": {"S": "run"}}
    )["Item"]
    assert sorted(item) == [
        "accounts",
        "closed",
        "expires",
        "finished",
        "notify",
        "number",
        "pk",
        "rules",
        "sk",
        "started",
        "state",
        "trigger",
    ]
