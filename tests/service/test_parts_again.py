"""Parts of a run that fail, or come to their end twice."""

import boto3

from chalicelib.ledger.results import RunPart
from chalicelib.ledger.runs import Runs
from chalicelib.ledger.table import TABLE
from emulator.front import Front
from emulator.server import DEFAULT_REGION as REGION
from emulator.server import Emulator
from tests.service.test_fleet import SCHEDULE, Account, a_record, worked


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
