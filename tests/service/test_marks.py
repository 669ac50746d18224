"""A slower audit and a quicker one: who began later knows better, also where it found nothing."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from chalicelib.ledger.ledger import Ledger
from chalicelib.notices.notice import Notice
from chalicelib.notices.publisher import Audited
from chalicelib.report.findings import Severity
from chalicelib.report.known import Resolution
from chalicelib.scope import Scope
from chalicelib.service import Service
from chalicelib.settings import Settings
from emulator import seed
from emulator.server import DEFAULT_ACCOUNT as ACCOUNT
from emulator.server import DEFAULT_REGION as REGION
from emulator.server import Emulator
from tests.scenario import ENDPOINT, Story, on_churn
from tests.service.test_audit import an_endpoint
from tests.service.test_events import endpoint_event
from tests.service.test_ledger import words
from tests.unit.test_notices import NOW

ARN = on_churn().resource.arn


@pytest.fixture
def story(emulator: Emulator) -> Iterator[Story]:
    yield Story(emulator.client("dynamodb"))


def judged(story: Story, *, undecided: frozenset[str] = frozenset()) -> None:
    """An audit of the endpoint that found nothing."""
    scope = Scope(ACCOUNT, REGION, resources=(ENDPOINT,))
    proof = Resolution(settled=frozenset({ARN}), undecided=undecided)
    story.publisher.event(Audited(story.report(), scope, proof))


def began_before(story: Story, **time: float) -> list[Any]:
    """What an event's audit tells that began earlier than now and ends now."""
    return story.event(on_churn(), started_at=story.now - timedelta(**time))


def test_a_slower_audit_tells_nothing_that_is_fixed_by_now(story: Story) -> None:
    judged(story)
    assert words(began_before(story, minutes=5)) == []
    assert story.ledger.unresolved(ACCOUNT, REGION) == {}
    assert words(story.later(minutes=1).event(on_churn())) == [("finding", "new")]


def test_a_slower_sweep_tells_nothing_that_is_fixed_by_now(story: Story) -> None:
    judged(story)
    assert story.sweep(on_churn(), started_at=story.now - timedelta(minutes=5)).told == []
    assert story.ledger.unresolved(ACCOUNT, REGION) == {}


def test_what_the_later_audit_could_not_decide_is_told(story: Story) -> None:
    judged(story, undecided=frozenset({"endpoint-single-instance"}))
    assert words(began_before(story, minutes=5)) == [("finding", "new")]


def test_a_later_audit_of_something_else_silences_nothing(story: Story) -> None:
    scope = Scope(ACCOUNT, REGION, resources=(ENDPOINT,))
    proof = Resolution(settled=frozenset({f"{ARN}-other"}))
    story.publisher.event(Audited(story.report(), scope, proof))
    assert words(began_before(story, minutes=5)) == [("finding", "new")]


def test_a_slower_audit_resolves_nothing_that_was_judged_since(story: Story) -> None:
    story.event(on_churn())
    judged(story.later(hours=1), undecided=frozenset())
    assert words(story.event(passed=(on_churn(),), started_at=story.now - timedelta(minutes=5))) == []


@pytest.mark.parametrize("minutes", [3, 60])
def test_a_clock_that_goes_ahead_hides_nothing_and_resolves_nothing(story: Story, minutes: int) -> None:
    """An audit by the clock ahead passes, the endpoint breaks, and an audit by the right clock sees it."""
    judged(story.later(minutes=minutes), undecided=frozenset())
    story.now -= timedelta(minutes=minutes)
    assert words(story.event(on_churn())) == [("finding", "new")]
    story.later(minutes=minutes).event(on_churn())
    story.now -= timedelta(minutes=minutes)
    assert words(story.event(passed=(on_churn(),))) == []
    assert words(story.event(on_churn(Severity.CRITICAL))) == [("finding", "worse")]


def test_marks_are_kept_for_a_day_and_those_of_two_audits_are_joined(story: Story) -> None:
    ledger: Ledger = story.ledger
    both = frozenset({"a", "b"})
    ledger.note_judged(ACCOUNT, REGION, Resolution(settled=frozenset({ARN}), undecided=both), NOW)
    later = Resolution(settled=frozenset({ARN}), undecided=frozenset({"b", "c"}))
    ledger.note_judged(ACCOUNT, REGION, later, NOW + timedelta(seconds=1))
    story.later(seconds=1)
    assert ledger.judged_since(ACCOUNT, REGION, NOW - timedelta(seconds=1)) == {ARN: frozenset({"b"})}
    assert ledger.judged_since(ACCOUNT, REGION, NOW) == {ARN: frozenset({"b", "c"})}
    assert ledger.judged_since(ACCOUNT, REGION, NOW + timedelta(seconds=1)) == {}
    expires = {int(item["expires"]["N"]) for item in story.client.scan(TableName=story.table)["Items"]}
    assert expires == {int((NOW + timedelta(days=1)).timestamp())}


def test_a_sweep_that_began_before_an_endpoint_was_mended_is_silent_about_it(emulator: Emulator) -> None:
    from chalicelib.ledger.table import TABLE

    emulator.client("dynamodb").create_table(TableName="auditor-ledger", **TABLE)
    an_endpoint(emulator, "alone", count=1)
    slow, quick = (Service(Settings(table="auditor-ledger"), emulator.session()) for _ in range(2))
    sweep = slow.audited(slow.scope(), "schedule")
    assert "endpoint-single-instance" in {finding.rule for finding in sweep.report.findings}
    seed.endpoint(ACCOUNT, REGION, "alone", status="InService", counts={"AllTraffic": (2, 2)})
    quick.on_event({**endpoint_event("alone"), "time": datetime.now().isoformat()})
    notices: list[Notice] = []
    publisher = replace(slow.publisher, channels={"sns": lambda notice, report: notices.append(notice)})
    publisher.sweep([sweep], sweep.report)
    (notice,) = notices
    assert "endpoint-single-instance" not in {change.finding.rule for change in notice.told}
    known = slow.ledger.unresolved(ACCOUNT, REGION) if slow.ledger else {}
    assert "endpoint-single-instance" not in {entry.finding.rule for entry in known.values()}
