"""What is told and what is remembered, from one audit and what was known before it: a table of every turn."""

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from chalicelib.notices.decide import Decision, decide, digest, health, notices_of_event, preview, together
from chalicelib.notices.notice import Change, Kept
from chalicelib.policy.policy import Policy, load_policy
from chalicelib.report.calendar import CalendarEntry
from chalicelib.report.findings import (
    AWS_HEALTH,
    BlindSpot,
    Exemption,
    Finding,
    Resource,
    RuleCounts,
    Severity,
)
from chalicelib.report.known import Known, Resolution
from chalicelib.report.outcomes import Verdict
from tests.unit.test_notices import NOW, a_finding, a_report

DAY = timedelta(days=1)
POLICY = replace(load_policy(), notify_at=Severity.MEDIUM, remind_after_days=7)
RULE = a_finding().rule
JOB = Resource(kind="training-job", arn="arn:job", name="job")
#: The moment of the audit; what was known before it was seen a day earlier.
AT = NOW + 20 * DAY
EXEMPT: dict[str, Any] = {"status": "exempt", "exemption": Exemption(reason="a trial")}


def observing() -> Policy:
    setting = replace(POLICY.rules[RULE], mode="observe")
    return replace(POLICY, rules={**POLICY.rules, RULE: setting})


def switched_off() -> Policy:
    setting = replace(POLICY.rules[RULE], enabled=False)
    return replace(POLICY, rules={**POLICY.rules, RULE: setting})


def before(finding: Finding, *, days_ago: int | None = 1, at: Severity | None = Severity.HIGH) -> Known:
    """What is known of a finding that was seen a day before the audit, and told so many days before, as that severe."""
    seen = finding.model_copy(update={"last_seen": AT - DAY})
    return Known(seen, None if days_ago is None else AT - days_ago * DAY, at if days_ago is not None else None)


def decided(finding: Finding | None, known: Known | None, policy: Policy = POLICY, **proof: Any) -> Decision:
    report = a_report(*([finding] if finding is not None else []), started_at=AT)
    entries = {known.finding.id: known} if known is not None else {}
    return decide(report, entries, Resolution(**proof), policy)


#: A finding as it was known and as it is now, the policy, and what is told of it.
TURNS: list[tuple[Known | None, Finding, Policy, list[str]]] = [
    (None, a_finding(), POLICY, ["new"]),
    (None, a_finding(severity=Severity.MEDIUM), POLICY, ["new"]),
    (None, a_finding(severity=Severity.LOW), POLICY, []),
    (None, a_finding(**EXEMPT), POLICY, []),
    (None, a_finding(), observing(), []),
    (None, a_finding(rule="no-rule-of-the-policy"), POLICY, ["new"]),
    (before(a_finding(), days_ago=None), a_finding(), POLICY, ["new"]),
    (before(a_finding(), at=None), a_finding(), POLICY, ["new"]),
    (before(a_finding()), a_finding(), POLICY, []),
    (before(a_finding()), a_finding(severity=Severity.CRITICAL), POLICY, ["worse"]),
    (before(a_finding()), a_finding(severity=Severity.MEDIUM), POLICY, []),
    (before(a_finding(), days_ago=7), a_finding(), POLICY, ["reminder"]),
    (before(a_finding(), days_ago=6), a_finding(), POLICY, []),
    (before(a_finding(), days_ago=8), a_finding(), POLICY, ["reminder"]),
    (before(a_finding(resource=JOB), days_ago=8), a_finding(resource=JOB), POLICY, []),
    (before(a_finding(resource=JOB)), a_finding(resource=JOB, severity=Severity.CRITICAL), POLICY, ["worse"]),
    (before(a_finding(**EXEMPT)), a_finding(), POLICY, ["back"]),
    (before(a_finding(**EXEMPT), days_ago=None), a_finding(), POLICY, ["back"]),
    (before(a_finding(status="resolved", resolved_at=AT - 3 * DAY)), a_finding(), POLICY, ["back"]),
    (before(a_finding(status="resolved", resolved_at=AT - 3 * DAY), days_ago=None), a_finding(), POLICY, ["new"]),
]


@pytest.mark.parametrize(("known", "finding", "policy", "kinds"), TURNS)
def test_a_finding_is_told_when_it_is_new_worse_back_or_long_ago(
    known: Known | None, finding: Finding, policy: Policy, kinds: list[str]
) -> None:
    decision = decided(finding, known, policy)
    assert [change.change for change in decision.changes] == kinds
    (remembered,) = decision.remember
    assert remembered.finding.last_seen == AT
    if kinds:
        assert (remembered.last_told, remembered.severity_told) == (AT, finding.severity)
    else:
        assert remembered.last_told == (known.last_told if known is not None else None)
    assert decision.unseen == ()


def test_a_severity_that_fell_is_remembered_so_that_its_rise_is_told() -> None:
    fell = decided(a_finding(severity=Severity.MEDIUM), before(a_finding())).remember[0]
    assert fell.severity_told is Severity.MEDIUM
    same = decided(a_finding(), before(a_finding())).remember[0]
    assert same.severity_told is Severity.HIGH
    quiet = decided(a_finding(severity=Severity.CRITICAL), before(a_finding()), observing()).remember[0]
    assert quiet.severity_told is Severity.HIGH
    assert decided(a_finding(severity=Severity.LOW), None).remember[0].severity_told is None


def test_what_gets_worse_says_from_what_and_what_is_back_how_long_it_was_away() -> None:
    (worse,) = decided(a_finding(severity=Severity.CRITICAL), before(a_finding())).changes
    assert (worse.before, worse.away_days) == (Severity.HIGH, None)
    away = a_finding(status="resolved", resolved_at=AT - timedelta(days=3, hours=6))
    (back,) = decided(a_finding(first_seen=AT), before(away)).changes
    assert (back.before, back.away_days) == (None, 3.2)
    assert back.finding.first_seen == NOW
    (exempt,) = decided(a_finding(first_seen=AT), before(a_finding(**EXEMPT))).changes
    assert (exempt.before, exempt.away_days) == (None, None)


def test_since_when_a_finding_is_known_stays() -> None:
    assert decided(a_finding(first_seen=AT), before(a_finding())).remember[0].finding.first_seen == NOW
    (new,) = decided(a_finding(first_seen=AT), None).changes
    assert new.finding.first_seen == AT
    assert decided(a_finding(first_seen=AT), None).remember[0].finding.first_seen == AT


# ---- what is not reported any more


#: What was known of a finding that is not reported, the policy, and whether it is told that it is resolved.
ENDS: list[tuple[Known, Policy, list[str]]] = [
    (before(a_finding()), POLICY, ["resolved"]),
    (before(a_finding(severity=Severity.LOW)), POLICY, ["resolved"]),
    (before(a_finding(), days_ago=None), POLICY, []),
    (before(a_finding(**EXEMPT)), POLICY, []),
    (before(a_finding()), observing(), []),
    (before(a_finding()), switched_off(), ["resolved"]),
]


@pytest.mark.parametrize("proof", [{"verdicts": {a_finding().id: Verdict.PASS}}, {"gone": frozenset({a_finding().id})}])
@pytest.mark.parametrize(("known", "policy", "kinds"), ENDS)
def test_what_is_over_is_told_to_whoever_heard_of_it(
    known: Known, policy: Policy, kinds: list[str], proof: dict[str, Any]
) -> None:
    decision = decided(None, known, policy, **proof)
    assert [change.change for change in decision.changes] == kinds
    (remembered,) = decision.remember
    assert (remembered.finding.status, remembered.finding.resolved_at) == ("resolved", AT)
    assert (remembered.last_told, remembered.severity_told) == (known.last_told, known.severity_told)
    assert all(change.finding == remembered.finding for change in decision.changes)


def test_what_another_finding_tells_now_ends_without_a_word() -> None:
    decision = decided(None, before(a_finding()), verdicts={a_finding().id: Verdict.FAIL})
    assert (decision.changes, decision.unseen) == ((), ())
    assert [entry.finding.status for entry in decision.remember] == ["resolved"]


@pytest.mark.parametrize(
    ("known", "policy", "open_still"),
    [
        (before(a_finding()), POLICY, True),
        (before(a_finding(severity=Severity.MEDIUM)), POLICY, True),
        (before(a_finding(severity=Severity.LOW)), POLICY, False),
        (before(a_finding(), days_ago=None), POLICY, False),
        (before(a_finding(**EXEMPT)), POLICY, False),
        (before(a_finding(resource=JOB)), POLICY, False),
        (before(a_finding()), observing(), False),
        (before(a_finding()), switched_off(), False),
        (before(a_finding(rule="no-rule-of-the-policy")), POLICY, False),
    ],
)
def test_what_was_told_and_of_which_nothing_is_known_now_is_still_open(
    known: Known, policy: Policy, open_still: bool
) -> None:
    decision = decided(None, known, policy)
    assert (decision.changes, decision.remember) == ((), ())
    assert decision.unseen == ((known.finding,) if open_still else ())


def test_what_is_resolved_stays_so_without_a_word() -> None:
    known = before(a_finding(status="resolved", resolved_at=AT - DAY))
    assert decided(None, known, verdicts={a_finding().id: Verdict.PASS}) == Decision((), ())


# ---- audits that overtake each other


def test_nothing_that_was_seen_later_is_changed() -> None:
    later = replace(before(a_finding()), finding=a_finding(last_seen=AT + timedelta(seconds=1)))
    other = replace(before(a_finding(2)), finding=a_finding(2, last_seen=AT + timedelta(seconds=1)))
    report = a_report(a_finding(severity=Severity.CRITICAL), started_at=AT)
    known = {entry.finding.id: entry for entry in (later, other)}
    gone = Resolution(gone=frozenset({other.finding.id}))
    assert decide(report, known, gone, POLICY) == Decision((), ())
    same = replace(later, finding=a_finding(last_seen=AT))
    assert [change.change for change in decided(a_finding(severity=Severity.CRITICAL), same).changes] == ["worse"]


def test_what_a_clock_ahead_has_seen_resolves_nothing_and_hides_nothing() -> None:
    ahead = AT + timedelta(minutes=5)
    seen = replace(before(a_finding()), finding=a_finding(last_seen=ahead))
    worse = a_report(a_finding(severity=Severity.CRITICAL), started_at=AT)
    known = {seen.finding.id: seen}
    decisions = [decide(worse, known, Resolution(), POLICY, clock=clock) for clock in (AT, ahead)]
    assert [[change.change for change in decision.changes] for decision in decisions] == [["worse"], []]
    over = replace(seen, finding=a_finding(status="resolved", resolved_at=ahead))
    (change,) = decide(worse, {over.finding.id: over}, Resolution(), POLICY, clock=AT).changes
    assert (change.change, change.away_days) == ("back", 0.0)
    gone = Resolution(gone=frozenset(known))
    assert decide(a_report(started_at=AT), known, gone, POLICY, clock=AT) == Decision((), ())


@pytest.mark.parametrize(
    ("judged_later", "counts"),
    [({}, True), ({"arn:0": frozenset()}, False), ({"arn:0": frozenset({RULE})}, True), ({"arn:9": frozenset()}, True)],
)
def test_of_a_resource_that_was_judged_later_only_what_stayed_undecided_there_counts(
    judged_later: dict[str, frozenset[str]], counts: bool
) -> None:
    finding, entry = a_finding(), before(a_finding())
    new = decide(a_report(finding, started_at=AT), {}, Resolution(), POLICY, judged_later)
    assert [change.change for change in new.changes] == (["new"] if counts else [])
    assert len(new.remember) == counts
    gone = Resolution(gone=frozenset({finding.id}))
    over = decide(a_report(started_at=AT), {finding.id: entry}, gone, POLICY, judged_later)
    assert [change.change for change in over.changes] == (["resolved"] if counts else [])


def test_one_that_is_passed_over_keeps_none_of_the_others_from_being_told() -> None:
    findings = [a_finding(number) for number in range(3)]
    later = {"arn:0": frozenset[str]()}
    decision = decide(a_report(*findings, started_at=AT), {}, Resolution(), POLICY, later)
    assert [change.finding.id for change in decision.changes] == [finding.id for finding in findings[1:]]
    entries = {finding.id: before(finding) for finding in findings}
    entries[findings[1].id] = before(findings[1].model_copy(update={"status": "resolved"}))
    gone = Resolution(gone=frozenset(entries))
    over = decide(a_report(started_at=AT), entries, gone, POLICY, later)
    assert [change.finding.id for change in over.changes] == [findings[2].id]
    unseen = decide(a_report(started_at=AT), entries, Resolution(), POLICY, later)
    assert [finding.id for finding in unseen.unseen] == [findings[2].id]


# ---- notices


def test_regions_are_told_together_and_the_worst_first() -> None:
    west = decided(a_finding(1), None)
    east = decided(a_finding(2, severity=Severity.CRITICAL), None)
    over = decided(None, before(a_finding(3)), gone=frozenset({a_finding(3).id}))
    unseen = decided(None, before(a_finding(4)))
    both = together(iter([west, over, east, unseen]))
    assert [change.finding.id for change in both.changes] == [a_finding(number).id for number in (2, 1, 3)]
    assert both.remember == (*west.remember, *over.remember, *east.remember)
    assert both.unseen == unseen.unseen


def test_an_event_sends_a_notice_for_each_change_up_to_five() -> None:
    def kinds(number: int) -> list[str]:
        report = a_report(*(a_finding(index) for index in range(number)))
        notices = notices_of_event(decide(report, {}, Resolution(), POLICY), report, POLICY, Kept("https://report"))
        assert {notice.report_url for notice in notices} <= {"https://report"}
        return [notice.kind for notice in notices]

    assert kinds(0) == []
    assert kinds(1) == ["finding"]
    assert kinds(5) == ["finding"] * 5
    assert kinds(6) == ["digest"]


def test_a_notice_is_of_a_finding_of_its_end_or_of_what_aws_health_says() -> None:
    changes = [
        Change(change="new", finding=a_finding()),
        Change(change="resolved", finding=a_finding(1, status="resolved", severity=Severity.LOW)),
        Change(change="new", finding=a_finding(2, rule=AWS_HEALTH, severity=Severity.INFO)),
        Change(change="resolved", finding=a_finding(3, rule=AWS_HEALTH, status="resolved")),
    ]
    report = a_report()
    notices = notices_of_event(Decision(tuple(changes), ()), report, POLICY)
    assert [notice.kind for notice in notices] == ["finding", "resolved", "health", "resolved"]
    assert [notice.severity for notice in notices] == [Severity.HIGH, Severity.LOW, Severity.INFO, Severity.HIGH]
    assert [notice.told for notice in notices] == [[change] for change in changes]


def test_what_changed_on_one_resource_is_one_message_to_people_and_a_notice_each_to_programs() -> None:
    first, second, third = a_finding(1), a_finding(2, rule="endpoint-degraded"), a_finding(3)
    resource = first.resource
    changes = [
        Change(change="new", finding=finding.model_copy(update={"resource": resource})) for finding in (first, second)
    ]
    changes += [Change(change="new", finding=third)]
    carrier, carried, alone = notices = notices_of_event(Decision(tuple(changes), ()), a_report(), POLICY)
    assert [(notice.kind, notice.told, notice.rule) for notice in notices] == [
        ("finding", [change], change.finding.rule) for change in changes
    ]
    assert (carrier.together, carried.told_with) == (changes[1:2], first.id)
    assert carried.for_people is None and alone.for_people is alone
    read = carrier.for_people
    assert read is not None
    assert (read.kind, read.about, read.told, read.together) == ("digest", resource.name, changes[:2], [])
    assert read.subject == f"[2 changes] {resource.name}: 2 high"


def test_changes_too_large_for_one_message_are_told_apart() -> None:
    resource = a_finding().resource
    findings = [a_finding(number, why="x" * 40_000).model_copy(update={"resource": resource}) for number in range(2)]
    changes = tuple(Change(change="new", finding=finding) for finding in findings)
    notices = notices_of_event(Decision(changes, ()), a_report(), POLICY)
    assert [(notice.together, notice.told_with, notice.for_people) for notice in notices] == [
        ([], "", notice) for notice in notices
    ]


def test_a_digest_names_the_ten_most_important_and_counts_by_owner() -> None:
    report = a_report(
        *(a_finding(number, owner=f"team-{number % 12}") for number in range(20)),
        a_finding(30, severity=Severity.CRITICAL),
    )
    notice = digest(decide(report, {}, Resolution(), POLICY), report, POLICY)
    assert len(notice.most_important) == 10
    assert (notice.most_important[0].severity, notice.most_important[0].change) == (Severity.CRITICAL, "new")
    assert notice.by_owner[0].model_dump() == {"owner": None, "findings": 1, "by_severity": {"critical": 1}}
    assert sum(count.findings for count in notice.by_owner) == 1 + 8 * 2 + 1
    assert (len(notice.by_owner), notice.omitted_owners) == (10, 3)
    later = notice.model_copy(update={"told": [], "still_open": {"high": 1}})
    assert (notice.changed, later.changed) == ("21 new", "")


def test_a_digest_counts_what_changed_unless_nothing_was_told_before() -> None:
    first, second = a_finding(1), a_finding(2)
    report = a_report(first, second)
    assert "changed since" not in digest(decide(report, {}, Resolution(), POLICY), report, POLICY).headline
    later = decide(report, {first.id: before(first)}, Resolution(), POLICY)
    assert digest(later, report, POLICY).headline.endswith(", 1 thing changed since it was told last.")


def test_a_preview_is_one_digest_of_a_region_or_the_notices_of_an_event() -> None:
    report = a_report(a_finding(1), a_finding(2))
    assert [notice.kind for notice in preview(report, POLICY, whole=True)] == ["digest"]
    assert [notice.kind for notice in preview(report, POLICY, whole=False)] == ["finding", "finding"]
    assert [notice.kind for notice in preview(a_report(), POLICY, whole=True)] == ["digest"]
    assert preview(a_report(), POLICY, whole=False) == []


def test_a_digest_counts_what_is_still_open_once() -> None:
    news, quiet, exempt = a_finding(1), a_finding(2, severity=Severity.LOW), a_finding(3, **EXEMPT)
    unseen, reported = a_finding(4, severity=Severity.CRITICAL), a_finding(5, severity=Severity.MEDIUM)
    over = Known(a_finding(6, status="resolved"))
    report = a_report(news, quiet, exempt, reported, accounts=["1", "2"], regions=["a", "b"])
    decision = Decision(
        (Change(change="new", finding=news),), (Known(news), over), (unseen, unseen, reported, news, a_finding(6))
    )
    notice = digest(decision, report, POLICY, Kept("https://report"))
    assert (notice.kind, notice.told) == ("digest", [Change(change="new", finding=news)])
    assert notice.still_open == {"critical": 1, "medium": 1}
    assert (notice.severity, notice.exempt, notice.observed) == (Severity.CRITICAL, 1, 0)
    assert (notice.account, notice.region, notice.report_url) == ("1,2", "a,b", "https://report")
    assert (notice.audit_id, notice.trigger, notice.complete) == ("a-1", "schedule", True)
    assert digest(Decision((), ()), report, observing()).observed == 3


def test_the_severity_of_a_digest_is_not_that_of_what_is_over() -> None:
    over = Change(change="resolved", finding=a_finding(status="resolved", severity=Severity.CRITICAL))
    assert digest(Decision((over,), ()), a_report(), POLICY).severity is Severity.INFO
    new = Change(change="new", finding=a_finding(severity=Severity.MEDIUM))
    assert digest(Decision((over, new), ()), a_report(), POLICY).severity is Severity.MEDIUM


def test_one_line_shows_the_auditor_alive() -> None:
    spot = BlindSpot(account="1", region="r", operation="ec2:DescribeSubnets", error="no")
    assert health(a_report(resources={})) == "0 resources, 0 rules, 0 blind spots"
    report = a_report(resources={"endpoint": 1}, rules={"a": RuleCounts()}, blind_spots=[spot], complete=False)
    assert health(report) == "1 resource, 1 rule, 1 blind spot"
    rules = {"a": RuleCounts(), "b": RuleCounts()}
    assert health(a_report(resources={"endpoint": 1, "model": 2}, rules=rules)) == "3 resources, 2 rules, 0 blind spots"


def test_a_digest_names_what_ends_within_thirty_days_of_the_audit() -> None:
    ends = [
        CalendarEntry(day=(NOW + days * DAY).date(), kind="quota", resource=f"in {days} days", says="it ends")
        for days in (-1, 0, 30, 31)
    ]
    notice = digest(Decision((), ()), a_report(calendar=ends), POLICY)
    assert [entry.resource for entry in notice.calendar] == ["in 0 days", "in 30 days"]
