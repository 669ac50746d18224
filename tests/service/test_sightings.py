"""Since when something has been seen: what one audit notes, the next one judges by."""

from datetime import datetime, timedelta

import pytest

from chalicelib.audit.auditor import Auditor
from chalicelib.audit.resolution import Resolutions
from chalicelib.ledger.ledger import Ledger
from chalicelib.ledger.table import TABLE
from chalicelib.policy.policy import load_policy
from chalicelib.report.findings import Report
from chalicelib.scope import Scope
from emulator.server import Emulator
from tests.accounts.door import State, StateDoor
from tests.accounts.shapes import ACCOUNT, NOW

SCOPE = Scope(ACCOUNT, "eu-west-1")
POLICY = load_policy()
ARN = f"arn:aws:sagemaker:eu-west-1:{ACCOUNT}:endpoint/churn"


@pytest.fixture
def ledger(emulator: Emulator) -> Ledger:
    client = emulator.client("dynamodb")
    client.create_table(TableName="ledger", **TABLE)
    return Ledger("ledger", client)


def an_account(current: int, *, status: str = "InService") -> State:
    """One endpoint that wants two instances and was modified long ago."""
    variant = {"VariantName": "AllTraffic", "CurrentInstanceCount": current, "DesiredInstanceCount": 2}
    endpoint = {
        "EndpointName": "churn",
        "EndpointArn": ARN,
        "EndpointConfigName": "churn-config",
        "EndpointStatus": status,
        "CreationTime": NOW - timedelta(days=90),
        "LastModifiedTime": NOW - timedelta(days=60),
        "ProductionVariants": [variant],
    }
    return State(endpoints=[endpoint])


def audited(ledger: Ledger, state: State, now: datetime) -> Report:
    """An audit as a trigger makes it: it knows what was seen before, and notes what it sees."""
    resolutions = Resolutions(
        SCOPE,
        frozenset(POLICY.enabled(())),
        known=ledger.unresolved(ACCOUNT, SCOPE.region),
        first_seen=ledger.sightings(ACCOUNT, SCOPE.region),
    )
    auditor = Auditor(StateDoor(state, SCOPE.region), POLICY, clock=lambda: now)
    report = auditor.audit(SCOPE, "cli", resolutions=resolutions)
    ledger.note_sightings(ACCOUNT, SCOPE.region, resolutions.sightings(now), resolutions.first_seen or {})
    return report


def degraded(report: Report) -> bool:
    return any(finding.rule == "endpoint-degraded" for finding in report.findings)


def test_an_instance_that_is_lost_gets_its_grace_from_when_it_was_first_missed(ledger: Ledger) -> None:
    assert not degraded(audited(ledger, an_account(1), NOW))
    assert ledger.sightings(ACCOUNT, SCOPE.region) == {("endpoint-degraded", ARN): NOW}
    assert not degraded(audited(ledger, an_account(1), NOW + timedelta(minutes=30)))
    assert degraded(audited(ledger, an_account(1), NOW + timedelta(minutes=31)))
    assert ledger.sightings(ACCOUNT, SCOPE.region) == {("endpoint-degraded", ARN): NOW}


def test_an_endpoint_that_has_its_instances_again_begins_anew(ledger: Ledger) -> None:
    audited(ledger, an_account(1), NOW)
    audited(ledger, an_account(2), NOW + timedelta(hours=1))
    assert ledger.sightings(ACCOUNT, SCOPE.region) == {}
    assert not degraded(audited(ledger, an_account(1), NOW + timedelta(hours=2)))


def test_an_endpoint_in_the_middle_of_a_change_keeps_what_was_seen(ledger: Ledger) -> None:
    audited(ledger, an_account(1), NOW)
    audited(ledger, an_account(1, status="Updating"), NOW + timedelta(hours=1))
    assert ledger.sightings(ACCOUNT, SCOPE.region) == {("endpoint-degraded", ARN): NOW}


def test_two_audits_that_note_at_the_same_time_keep_what_the_other_has_noted(ledger: Ledger) -> None:
    ours, theirs = ("endpoint-degraded", ARN), ("endpoint-degraded", f"{ARN}-2")
    over, before = ("cluster-degraded", ARN), NOW - timedelta(hours=1)
    ledger.note_sightings(ACCOUNT, SCOPE.region, {over: before})
    known = ledger.sightings(ACCOUNT, SCOPE.region)  # both audits have read this much
    assert known == {over: before}
    ledger.note_sightings(ACCOUNT, SCOPE.region, {theirs: NOW, **known}, known)
    ledger.note_sightings(ACCOUNT, SCOPE.region, {ours: NOW}, known)
    assert ledger.sightings(ACCOUNT, SCOPE.region) == {ours: NOW, theirs: NOW}


def test_what_is_seen_first_by_two_audits_at_once_keeps_the_moment_noted_first(ledger: Ledger) -> None:
    sighting = ("endpoint-degraded", ARN)
    ledger.note_sightings(ACCOUNT, SCOPE.region, {sighting: NOW})
    ledger.note_sightings(ACCOUNT, SCOPE.region, {sighting: NOW + timedelta(minutes=3)})
    assert ledger.sightings(ACCOUNT, SCOPE.region) == {sighting: NOW}
    ledger.note_sightings(ACCOUNT, SCOPE.region, {}, [sighting])
    assert ledger.sightings(ACCOUNT, SCOPE.region) == {}
    ledger.note_sightings(ACCOUNT, SCOPE.region, {sighting: NOW + timedelta(hours=3)})
    assert ledger.sightings(ACCOUNT, SCOPE.region) == {sighting: NOW + timedelta(hours=3)}


def test_without_a_ledger_the_last_change_alone_tells_and_confidence_is_low() -> None:
    report = Auditor(StateDoor(an_account(1), SCOPE.region), POLICY, clock=lambda: NOW).audit(SCOPE, "cli")
    (finding,) = [finding for finding in report.findings if finding.rule == "endpoint-degraded"]
    assert (finding.severity, finding.confidence) == ("medium", "low")
