"""Who tells, and what each channel has taken: channels that fail, tables that fail, many at once, and claims."""

import logging
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from chalicelib.audit.resolution import Resolutions
from chalicelib.ledger.claims import CLAIM_SECONDS, Claim, LedgerBusy
from chalicelib.ledger.history import History
from chalicelib.ledger.ledger import Query
from chalicelib.ledger.table import LedgerFailed
from chalicelib.notices.notice import Kept
from chalicelib.notices.publisher import Audited, NotDelivered
from chalicelib.policy.policy import load_policy
from chalicelib.report.findings import Exemption, Resource, Severity
from chalicelib.report.known import Known
from chalicelib.scope import ResourceRef, Scope
from chalicelib.storage import StoreFailed
from emulator.front import Front
from emulator.server import Emulator
from tests.scenario import ACCOUNT, REGION, Ear, Story, on_churn
from tests.unit.test_notices import NOW, a_finding

CHURN = on_churn().id


@pytest.fixture
def story(emulator: Emulator) -> Story:
    return Story(emulator.client("dynamodb"), others={"security-hub": Ear(), "email": Ear()})


def heard(story: Story, name: str) -> list[tuple[str, str]]:
    """The changes that a channel took, with the finding's id."""
    if name == "sns":
        return [(change.change, change.finding.id) for notice in story.sent for change in notice.told]
    return story.others[name].changes


# ---- channels stand alone


@pytest.mark.parametrize("broken", ["security-hub", "email"])
def test_a_broken_channel_silences_no_other_and_is_told_in_them(
    story: Story, broken: str, caplog: pytest.LogCaptureFixture
) -> None:
    (healthy,) = story.others.keys() - {broken}
    story.others[broken].broken = True
    for _ in range(3):  # Lambda's attempts
        with pytest.raises(NotDelivered, match=f"asks these channels alone: {broken}: nobody listens"):
            story.event(on_churn())
        story.later(minutes=1)
    second = a_finding(8)
    story.later(days=1).sweep(on_churn(), second)
    story.later(days=1).sweep(on_churn(), second)
    for name in ("sns", healthy):
        assert heard(story, name) == [("new", CHURN), ("new", second.id)]
    assert heard(story, broken) == []
    assert "broken channel" in caplog.text
    operation = {"security-hub": "securityhub:BatchImportFindings", "email": "ses:SendEmail"}[broken]
    (spot,) = story.sent[-1].blind_spots
    assert spot.operation == operation
    assert spot.error.startswith(f"{broken} did not take notices since 2026-11-22T06:00:00Z, last at 2026-11-2")
    assert story.sent[-1].complete

    story.others[broken].broken = False
    story.later(days=1).sweep(on_churn(), second)
    assert sorted(heard(story, broken)) == sorted([("new", CHURN), ("new", second.id)])
    story.later(days=1).sweep(on_churn(), second)
    assert story.sent[-1].blind_spots == []
    assert [len(heard(story, name)) for name in ("sns", healthy, broken)] == [2, 2, 2]


def test_the_topic_that_is_broken_silences_no_other(story: Story) -> None:
    story.failures = 2
    with pytest.raises(NotDelivered):
        story.event(on_churn())
    assert heard(story, "email") == heard(story, "security-hub") == [("new", CHURN)]
    with pytest.raises(NotDelivered):
        story.later(minutes=1).event(on_churn())
    story.later(minutes=2).event(on_churn())
    assert heard(story, "email") == heard(story, "security-hub") == heard(story, "sns") == [("new", CHURN)]


def test_a_fault_in_a_channel_is_its_own(story: Story) -> None:
    publisher = story.publisher

    def faulty(notice: Any, report: Any) -> None:
        raise IndexError("shortened(0)")

    broken = replace(publisher, channels={"slack": faulty, **publisher.channels})
    with pytest.raises(NotDelivered, match="slack: IndexError"):
        broken.event(an_audit(story, on_churn()))
    assert heard(story, "sns") == heard(story, "email") == [("new", CHURN)]


def test_a_notice_that_never_leaves_stops_no_other(story: Story) -> None:
    poisoned, healthy = a_finding(1), a_finding(2)

    def picky(notice: Any, report: Any) -> None:
        if notice.told[0].finding.id == poisoned.id:
            raise ValueError("too large")
        story.sent.append(notice)

    publisher = replace(story.publisher, channels={"sns": picky})
    for _ in range(3):
        with pytest.raises(NotDelivered):
            publisher.event(an_audit(story.later(minutes=1), poisoned, healthy))
    assert heard(story, "sns") == [("new", healthy.id)]


def test_what_was_to_be_told_with_a_notice_that_never_leaves_is_told_by_itself(story: Story) -> None:
    poisoned = a_finding(1)
    healthy = a_finding(2, resource=poisoned.resource)
    heard_by_people: list[Any] = []

    def picky(notice: Any, report: Any) -> None:
        if notice.told[0].finding.id == poisoned.id:
            raise ValueError("too large")
        heard_by_people.append(notice.for_people)

    publisher = replace(story.publisher, channels={"sns": picky})
    for _ in range(3):
        with pytest.raises(NotDelivered):
            publisher.event(an_audit(story.later(minutes=1), poisoned, healthy))
    assert [notice.only.finding.id for notice in heard_by_people] == [healthy.id]


def test_what_a_channel_missed_it_hears_as_it_is_then(story: Story) -> None:
    story.others["email"].broken = True
    with pytest.raises(NotDelivered):
        story.event(on_churn(Severity.MEDIUM))
    story.later(days=1)
    story.event(on_churn(Severity.HIGH))
    assert heard(story, "sns") == [("new", CHURN), ("worse", CHURN)]
    story.others["email"].broken = False
    story.later(minutes=1).event(on_churn(Severity.HIGH))
    assert heard(story, "email") == [("new", CHURN)]
    assert story.others["email"].heard[0].only.finding.severity is Severity.HIGH
    assert heard(story, "sns") == [("new", CHURN), ("worse", CHURN)]


def test_a_channel_that_missed_the_end_hears_of_it_from_the_next_sweep(story: Story) -> None:
    story.event(on_churn())
    story.others["email"].broken = True
    with pytest.raises(NotDelivered):
        story.later(hours=1).event(passed=(on_churn(),))
    assert story.ledger.unresolved(ACCOUNT, REGION) == {}
    story.others["email"].broken = False
    story.later(hours=1).sweep()
    assert heard(story, "email") == heard(story, "sns") == [("new", CHURN), ("resolved", CHURN)]
    story.later(days=1).sweep()
    assert len(heard(story, "email")) == 2


def test_what_is_exempt_by_now_is_owed_to_nobody(story: Story) -> None:
    story.others["email"].broken = True
    with pytest.raises(NotDelivered):
        story.event(on_churn())
    story.others["email"].broken = False
    exemption = Exemption(reason="a trial", expires=date(2026, 12, 31))
    story.later(minutes=1).event(on_churn(status="exempt", exemption=exemption))
    story.later(minutes=1).sweep(on_churn(status="exempt", exemption=exemption))
    assert heard(story, "email") == []
    assert story.ledger.unresolved(ACCOUNT, REGION)[CHURN].owed == {}


def test_a_channel_that_is_switched_off_is_owed_nothing(story: Story) -> None:
    story.others["email"].broken = True
    with pytest.raises(NotDelivered):
        story.event(on_churn())
    del story.others["email"]
    story.later(minutes=1).event(on_churn())
    assert story.ledger.unresolved(ACCOUNT, REGION)[CHURN].owed == {}


def test_a_channel_that_works_again_is_forgotten_as_broken(story: Story) -> None:
    story.others["email"].broken = True
    with pytest.raises(NotDelivered):
        story.event(on_churn())
    assert story.ledger.broken_channels().keys() == {"email"}
    story.others["email"].broken = False
    story.later(minutes=1).event(on_churn())
    assert story.ledger.broken_channels() == {}


def test_a_report_that_cannot_be_stored_is_told_without_its_address(story: Story) -> None:
    def stored(report: Any) -> Kept:
        raise StoreFailed("the report cannot be stored in auditor-reports: NoSuchBucket")

    publisher = replace(story.publisher, keep=stored)
    publisher.event(an_audit(story, on_churn()))
    publisher.sweep([sweep := an_audit(story.later(minutes=1), on_churn(), whole=True)], sweep.report)
    assert [notice.kind for notice in story.sent] == ["finding", "digest"]
    for notice in story.sent:
        assert notice.report_url is None
        assert [spot.operation for spot in notice.blind_spots] == ["s3:PutObject"]


def an_audit(story: Story, *findings: Any, whole: bool = False, name: str = "churn") -> Audited:
    scope = Scope(ACCOUNT, REGION, resources=() if whole else (ResourceRef("endpoint", name),))
    return Audited.by(story.report(*findings), Resolutions(scope, frozenset(story.policy.rules)))


# ---- a table in trouble


def test_what_follows_a_digest_raises_nothing_and_repeats_nothing(
    story: Story, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(*_: Any, **__: Any) -> None:
        raise LedgerFailed("the table ledger cannot be used")

    for owner, name in ((type(story.ledger), "stands"), (type(story.ledger), "completed"), (History, "note")):
        monkeypatch.setattr(owner, name, fails)
    publisher = replace(story.publisher, history=History("ledger", story.client))
    publisher.sweep([sweep := an_audit(story, on_churn(), whole=True)], sweep.report)
    assert caplog.text.count("not remembered") == 3
    publisher.sweep([sweep], sweep.report)
    assert len(story.sent) == 1


@pytest.mark.parametrize("operation", ["TransactWriteItems", "UpdateItem"])
def test_a_table_without_one_operation_repeats_no_notice(story: Story, front: Front, operation: str) -> None:
    front.fail(f"dynamodb:{operation}", 400, "AccessDeniedException")
    findings = [on_churn(), a_finding(8)]
    for _ in range(3):
        story.event(*findings)
        story.later(minutes=1)
    story.sweep(*findings)
    for name in ("sns", "security-hub", "email"):
        assert sorted(heard(story, name)) == sorted([("new", CHURN), ("new", findings[1].id)])


def test_a_table_that_refuses_the_last_write_is_asked_again(story: Story, front: Front) -> None:
    story.others.clear()
    publisher = story.publisher

    def told_and_then_refused(notice: Any, report: Any) -> None:
        story.sent.append(notice)
        front.fail("dynamodb:*", 400, "ProvisionedThroughputExceededException", times=3)  # those of one write

    replace(publisher, channels={"sns": told_and_then_refused}).event(an_audit(story, on_churn()))
    story.later(minutes=1).event(on_churn())
    assert heard(story, "sns") == [("new", CHURN)]


def test_a_table_that_takes_no_claim_lets_nothing_be_told_twice(story: Story, front: Front) -> None:
    front.fail("dynamodb:PutItem", 400, "AccessDeniedException", times=3)
    for _ in range(3):
        with pytest.raises(LedgerFailed):
            story.later(minutes=1).event(on_churn())
    story.later(minutes=1).event(on_churn())
    assert heard(story, "sns") == heard(story, "email") == [("new", CHURN)]


# ---- digests


def test_a_digest_is_sent_once_for_a_run_and_anew_for_the_next(story: Story) -> None:
    for _ in range(2):
        sweep = an_audit(story, whole=True)
        story.publisher.sweep([sweep], sweep.report)
        story.publisher.sweep([sweep], sweep.report)
        story.later(days=1)
    assert [notice.status for notice in story.sent] == [["clean"], ["clean"]]


def test_a_clean_digest_is_sent_after_one_whose_invocation_died(story: Story) -> None:
    class Death(BaseException):
        pass

    def dies(notice: Any, report: Any) -> None:
        raise Death

    publisher, sweep = story.publisher, an_audit(story, whole=True)
    with pytest.raises(Death):
        replace(publisher, channels={**publisher.channels, "security-hub": dies}).sweep([sweep], sweep.report)
    story.later(days=1).sweep()
    assert [len(story.sent), *(len(ear.heard) for ear in story.others.values())] == [2, 1, 1]


def test_the_channel_alone_that_did_not_take_the_digest_gets_it_from_the_retry(story: Story) -> None:
    story.others["email"].broken = True
    with pytest.raises(NotDelivered):
        story.sweep(on_churn())
    story.others["email"].broken = False
    story.sweep(on_churn(), started_at=story.now + timedelta(minutes=1))
    assert [len(story.sent), *(len(ear.heard) for ear in story.others.values())] == [1, 1, 1]
    assert heard(story, "email") == [("new", CHURN)]


def test_an_incomplete_audit_is_not_noted_as_complete(story: Story, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    story.sweep(complete=False)
    assert story.ledger.last_complete(ACCOUNT) is None
    assert "complete audit of" not in caplog.text
    story.later(days=1).sweep()
    assert story.ledger.last_complete(ACCOUNT) == "2026-11-23T06:00:00Z"
    assert caplog.text.count("complete audit of") == 1


# ---- claims


def test_what_somebody_else_tells_is_waited_for_and_not_told(story: Story) -> None:
    other = Claim(story.ledger)
    other.of_findings([Known(on_churn(first_seen=NOW, last_seen=NOW), NOW, Severity.HIGH, {"sns": "new"})])
    waits: list[float] = []

    def told_meanwhile(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 3:
            other.taken("sns", [CHURN])

    story.ledger.sleep = told_meanwhile
    story.event(on_churn())
    assert waits == [0.1, 0.2, 0.4]
    assert heard(story, "sns") == []


def test_what_somebody_else_never_told_is_told_when_their_claim_has_run_out(story: Story) -> None:
    owed = dict.fromkeys(["sns", "security-hub", "email"], "new")
    Claim(story.ledger).of_findings([Known(on_churn(), NOW, Severity.HIGH, owed)])  # type: ignore[arg-type]

    def sleep(seconds: float) -> None:
        story.later(seconds=seconds)

    story.ledger.sleep = sleep
    story.event(on_churn())
    assert NOW + timedelta(seconds=CLAIM_SECONDS) <= story.now < NOW + timedelta(seconds=CLAIM_SECONDS + 3)
    assert heard(story, "sns") == heard(story, "email") == [("new", CHURN)]


def test_who_waits_longer_than_a_claim_holds_gives_up(story: Story) -> None:
    Claim(story.ledger).of_findings([Known(on_churn(), NOW, Severity.HIGH, {"sns": "new"})])
    with pytest.raises(LedgerBusy, match="another audit is telling findings of 123456789012 in eu-west-1"):
        story.event(on_churn())
    assert story.sent == []


def test_a_claim_that_was_taken_over_notes_nothing(story: Story) -> None:
    slow = Claim(story.ledger)
    slow.of_findings([Known(on_churn(), NOW, Severity.HIGH, {"sns": "new", "email": "new"})])
    story.later(minutes=3)
    story.others["email"].broken = True
    with pytest.raises(NotDelivered):
        story.event(on_churn())
    slow.taken("email", [CHURN])
    slow.release()
    assert story.ledger.known(ACCOUNT, REGION, [CHURN])[CHURN].owed == {"email": "new"}


def test_a_finding_is_written_in_the_place_of_the_one_that_was_read(story: Story) -> None:
    story.event(on_churn())
    (read,) = story.ledger.unresolved(ACCOUNT, REGION).values()
    story.later(hours=1).event(passed=(on_churn(),))
    ((_, outcome),) = story.ledger.write([read])
    assert outcome.name == "LOST"
    assert story.ledger.unresolved(ACCOUNT, REGION) == {}


def test_an_event_costs_two_writes_for_one_notice_and_one_without(story: Story, front: Front) -> None:
    story.others.clear()
    front.calls.clear()
    story.event(on_churn())
    assert front.calls == {"dynamodb:BatchGetItem": 1, "dynamodb:Query": 2, "dynamodb:PutItem": 2}
    front.calls.clear()
    story.later(hours=1).event(on_churn())
    assert front.calls == {"dynamodb:BatchGetItem": 1, "dynamodb:Query": 2, "dynamodb:PutItem": 1}
    front.calls.clear()
    story.later(hours=1).event()
    assert front.calls == {"dynamodb:Query": 2}


# ---- many at once


@pytest.mark.slow
def test_a_burst_of_events_ends_without_an_error_and_tells_each_thing_once(story: Story) -> None:
    story.ledger.sleep = lambda seconds: time.sleep(seconds / 10)
    shared = on_churn()  # every fifth endpoint stands on it
    findings = {f"endpoint-{number}": a_finding(100 + number) for number in range(150)}
    lock = threading.Lock()
    counts: Counter[str] = Counter()

    def counted(notice: Any, report: Any) -> None:
        with lock:
            counts.update(change.finding.id for change in notice.told)

    publisher = replace(story.publisher, channels={"sns": counted})
    with ThreadPoolExecutor(48) as pool:
        audits = [
            an_audit(story, finding, *([shared] if number % 5 == 0 else []), name=name)
            for number, (name, finding) in enumerate(findings.items())
        ]
        notices = list(pool.map(publisher.event, audits))
    assert sum(len(sent) for sent in notices) == 151
    assert counts == {id: 1 for id in (shared.id, *(finding.id for finding in findings.values()))}
    assert all(known.owed == {} for known in story.ledger.unresolved(ACCOUNT, REGION).values())


def test_the_same_sweep_eight_times_at_once_is_one_digest(story: Story) -> None:
    story.ledger.sleep = lambda seconds: time.sleep(seconds / 10)
    sweep = an_audit(story, on_churn(), a_finding(8), whole=True)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: story.publisher.sweep([sweep], sweep.report), range(8)))
    assert [len(story.sent), *(len(ear.heard) for ear in story.others.values())] == [1, 1, 1]


# ---- what is told


def test_finished_jobs_are_not_reminded(story: Story) -> None:
    job = Resource(kind="training-job", arn=f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:training-job/j", name="j")
    finding = a_finding(9, resource=job)
    story.sweep(finding, on_churn())
    story.later(days=8).sweep(finding, on_churn())
    assert heard(story, "sns")[2:] == [("reminder", CHURN)]


def test_what_was_observed_or_exempt_is_not_told_as_resolved(story: Story, tmp_path: Any) -> None:
    exempt = a_finding(8)
    story.event(on_churn(), exempt)
    path = tmp_path / "own.yaml"
    path.write_text("rules:\n  endpoint-single-instance: {mode: observe}\n")
    notifying, story.policy = story.policy, load_policy(str(path))
    story.later(hours=1).event(passed=(on_churn(),))
    story.policy = notifying
    exemption = Exemption(reason="a trial", expires=date(2026, 12, 31))
    story.later(hours=1).event(exempt.model_copy(update={"status": "exempt", "exemption": exemption}))
    story.later(hours=1).event(passed=(exempt,))
    assert {change for change, _ in heard(story, "sns")} == {"new"}
    assert story.ledger.unresolved(ACCOUNT, REGION) == {}


def test_the_last_page_has_no_cursor(story: Story) -> None:
    story.ledger.write([Known(a_finding(number)) for number in range(20)])
    first = story.ledger.listed(Query(ACCOUNT), 10)
    assert first.cursor is not None
    last = story.ledger.listed(Query(ACCOUNT), 10, first.cursor)
    assert (len(first.findings), len(last.findings), last.cursor) == (10, 10, None)
