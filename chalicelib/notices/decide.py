"""What changed since it was told last: pure. The ledger's knowledge and the audit come in, decisions go out."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

from msgspec import Struct

from chalicelib.audit.resolution import Ending, ending
from chalicelib.kinds import PASSING
from chalicelib.notices.first_page import OWNERS, by_owner, most_important
from chalicelib.notices.notice import NOWHERE, Change, ChangeKind, Kept, Notice, counted
from chalicelib.policy.policy import Policy
from chalicelib.report.bounds import narrowed, short_entry, short_note, short_spot
from chalicelib.report.calendar import soon
from chalicelib.report.findings import AWS_HEALTH, Finding, Report, Severity, root_arn
from chalicelib.report.known import Known, Resolution
from chalicelib.report.order import sort_key
from chalicelib.report.savings import in_words

#: An event sends at most this many notices; beyond that one digest.
NOTICES_OF_AN_EVENT = 5
#: Characters of the JSON of changes up to which they are told in one message, which holds it for two protocols.
TOGETHER = 60_000
SECONDS_A_DAY = 86_400


class Decision(Struct, frozen=True):
    """What to tell, worst first, and what to remember once it has been told.

    ``unseen`` are findings that were told before and that this audit says nothing of: they are still open.
    """

    changes: tuple[Change, ...]
    remember: tuple[Known, ...]
    unseen: tuple[Finding, ...] = ()


def decide(
    report: Report,
    known: Mapping[str, Known],
    resolution: Resolution,
    policy: Policy,
    judged_later: Mapping[str, frozenset[str]] = MappingProxyType({}),
    clock: datetime | None = None,
) -> Decision:
    """Compares an audit with what is known. The moment of the audit is the report's start: nothing that was seen later
    is changed by it, nor anything on the resources that were ``judged_later``, by ARN, but for the rules that stayed
    undecided there. What was seen later than now by the own ``clock`` was seen by a clock that goes ahead: it resolves
    nothing, and hides nothing."""
    now = report.started_at
    changes: list[Change] = []
    remember: list[Known] = []
    unseen: list[Finding] = []
    reported = {finding.id for finding in report.findings}
    for finding in report.findings:
        before = known.get(finding.id)
        if before is not None and before.judged_at > now and (clock is None or before.judged_at <= clock):
            continue
        if _superseded(finding, judged_later):
            continue
        kind = _kind(finding, before, policy, now)
        telling = kind is not None and tells(finding, policy)
        if kind is not None and telling:
            changes.append(_changed(kind, finding, before, now))
        remember.append(_remembered(finding, before, now, notified=telling))
    for id, before in known.items():
        if id in reported or before.finding.status == "resolved" or before.judged_at > now:
            continue
        if _superseded(before.finding, judged_later):
            continue
        if (end := ending(id, resolution)) is None:
            if before.last_told is not None and _stays(before.finding, policy):
                unseen.append(before.finding)
            continue
        resolved = narrowed(before.finding).model_copy(update={"status": "resolved", "resolved_at": now})
        remember.append(Known(resolved, before.last_told, before.severity_told))
        if (
            end is Ending.RESOLVED
            and before.last_told is not None
            and before.finding.status == "open"
            and _notifies(resolved, policy)
        ):
            changes.append(Change(change="resolved", finding=resolved))
    return Decision(tuple(sorted(changes, key=_in_order)), tuple(remember), tuple(unseen))


def together(decisions: Iterable[Decision]) -> Decision:
    """What several regions or accounts have to tell, as one."""
    decisions = list(decisions)
    return Decision(
        tuple(sorted((change for decision in decisions for change in decision.changes), key=_in_order)),
        tuple(known for decision in decisions for known in decision.remember),
        tuple(finding for decision in decisions for finding in decision.unseen),
    )


def _stays(finding: Finding, policy: Policy) -> bool:
    """True for a finding that is still open though this audit says nothing of it: its rule is in force, and it is of no
    job, which leaves the look-back window."""
    setting = policy.rules.get(finding.rule)
    return setting is not None and setting.enabled and finding.resource.kind not in PASSING and tells(finding, policy)


def _superseded(finding: Finding, judged_later: Mapping[str, frozenset[str]]) -> bool:
    """True for a finding on a resource of which a later audit knows better."""
    undecided = judged_later.get(root_arn(finding))
    return undecided is not None and finding.rule not in undecided


def _in_order(change: Change) -> tuple[bool, str]:
    return change.change == "resolved", sort_key(change.finding)


def tells(finding: Finding, policy: Policy) -> bool:
    """True for a finding that people are told: open, at or above ``notify_at``, of a rule that is not only observed."""
    return finding.status == "open" and finding.severity.rank >= policy.notify_at.rank and _notifies(finding, policy)


def _notifies(finding: Finding, policy: Policy) -> bool:
    setting = policy.rules.get(finding.rule)
    return setting is None or setting.mode == "notify"


def _kind(finding: Finding, before: Known | None, policy: Policy, now: datetime) -> ChangeKind | None:
    if finding.status != "open":
        return None
    if before is not None and before.finding.status == "exempt":
        return "back"  # told before or not: its exemption has ended
    if before is None or before.last_told is None or before.severity_told is None:
        return "new"
    if before.finding.status == "resolved":
        return "back"
    if finding.severity.rank > before.severity_told.rank:
        return "worse"
    if finding.resource.kind in PASSING:
        return None  # nothing of a job can be mended any more
    return "reminder" if now - before.last_told >= timedelta(days=policy.remind_after_days) else None


def _changed(kind: ChangeKind, finding: Finding, before: Known | None, now: datetime) -> Change:
    away = before.finding.resolved_at if before is not None else None
    first = before.finding.first_seen if before is not None else finding.first_seen
    return Change(
        change=kind,
        finding=finding.model_copy(update={"first_seen": first}),
        before=before.severity_told if before is not None and kind == "worse" else None,
        away_days=round(max(0.0, (now - away).total_seconds()) / SECONDS_A_DAY, 1) if kind == "back" and away else None,
    )


def _remembered(finding: Finding, before: Known | None, now: datetime, *, notified: bool) -> Known:
    """The finding as it is now. A severity that fell is remembered, so that its rise is told again."""
    first = before.finding.first_seen if before is not None else finding.first_seen
    current = finding.model_copy(update={"first_seen": first, "last_seen": now})
    if notified:
        return Known(current, now, finding.severity)
    severity = before.severity_told if before is not None else None
    if severity is not None and finding.severity.rank < severity.rank:
        severity = finding.severity
    return Known(current, before.last_told if before is not None else None, severity)


# ---- notices


def preview(report: Report, policy: Policy, *, whole: bool) -> list[Notice]:
    """The notices of a report as if nothing had been told before: one digest of a ``whole`` account and region, or
    those of an event about named resources."""
    decision = decide(report, {}, Resolution(), policy)
    return [digest(decision, report, policy)] if whole else notices_of_event(decision, report, policy)


def notices_of_event(decision: Decision, report: Report, policy: Policy, kept: Kept = NOWHERE) -> list[Notice]:
    """One notice for each change, or one digest beyond five; none when nothing changed. Of those on one resource the
    first holds the other changes, too, so that people read them as one."""
    if len(decision.changes) > NOTICES_OF_AN_EVENT:
        return [digest(decision, report, policy, kept)]
    by_resource: dict[str, list[Change]] = {}
    for change in decision.changes:
        own = change.finding.rule == AWS_HEALTH or not root_arn(change.finding)
        by_resource.setdefault(change.finding.id if own else root_arn(change.finding), []).append(change)
    return [notice for changes in by_resource.values() for notice in _of_resource(report, changes, policy, kept)]


def _of_resource(report: Report, changes: list[Change], policy: Policy, kept: Kept) -> list[Notice]:
    """A notice for each change of one resource, tied together unless they are too large to be one message."""
    notices = [_notice(report, [change], policy, kind=_kind_of(change), kept=kept) for change in changes]
    if len(notices) == 1 or sum(len(change.model_dump_json()) for change in changes) > TOGETHER:
        return notices
    first, *others = notices
    told_with = {"told_with": changes[0].finding.id}
    return [
        first.model_copy(update={"together": changes[1:]}),
        *(notice.model_copy(update=told_with) for notice in others),
    ]


def _kind_of(change: Change) -> str:
    if change.change == "resolved":
        return "resolved"
    return "health" if change.finding.rule == AWS_HEALTH else "finding"


def digest(decision: Decision, report: Report, policy: Policy, kept: Kept = NOWHERE) -> Notice:
    """The one digest of a sweep, even when all is clean."""
    changed = {change.finding.id for change in decision.changes}
    still = [finding for finding in report.open_findings() if finding.id not in changed and tells(finding, policy)]
    # What one part of a region did not see, another may have reported or found resolved.
    judged = changed | {finding.id for finding in report.findings} | {known.finding.id for known in decision.remember}
    still += {finding.id: finding for finding in decision.unseen if finding.id not in judged}.values()
    notice = _notice(report, list(decision.changes), policy, kind="digest", kept=kept, still=still)
    return notice.model_copy(update={"headline": _headline(report, decision, still), **_first_page(decision, still)})


def _headline(report: Report, decision: Decision, still: Sequence[Finding]) -> str:
    """What the report comes to, and how much changed since it was told last, in a sentence. Where all that is open is
    new, it was never told before."""
    from chalicelib.report.headline import headline  # read for digests alone

    first = not still and all(change.change == "new" for change in decision.changes)
    number = 0 if first else len(decision.changes)
    changed = f", {number:,} thing{'' if number == 1 else 's'} changed since it was told last" if number else ""
    return f"{headline(report).removesuffix('.')}{changed}."


def _first_page(decision: Decision, still: Sequence[Finding]) -> dict[str, Any]:
    """What a sweep's digest names and counts before its details, of all that is open."""
    change_of = {change.finding.id: change.change for change in decision.changes if change.change != "resolved"}
    now = [change.finding for change in decision.changes if change.finding.id in change_of]
    open_findings = sorted([*now, *still], key=sort_key)
    owners = by_owner(open_findings)
    return {
        "most_important": most_important(open_findings, change_of),
        "by_owner": owners[:OWNERS],
        "omitted_owners": max(0, len(owners) - OWNERS),
    }


def _notice(
    report: Report,
    changes: list[Change],
    policy: Policy,
    *,
    kind: str,
    kept: Kept,
    still: Sequence[Finding] = (),
) -> Notice:
    severities = [change.finding.severity for change in changes if change.change != "resolved" or kind == "resolved"]
    severities += [finding.severity for finding in still]
    return Notice.model_validate(
        {
            "kind": kind,
            "audit_id": report.audit_id,
            "trigger": report.trigger,
            "account": ",".join(report.accounts),
            "region": ",".join(report.regions),
            "severity": max(severities, key=lambda severity: severity.rank, default=Severity.INFO),
            "complete": report.complete,
            "finished_at": report.finished_at,
            "health": health(report),
            **(_money(report) if kind == "digest" else {}),
            "told": changes,
            "still_open": counted(finding.severity for finding in still),
            "exempt": sum(1 for finding in report.findings if finding.status == "exempt"),
            "observed": sum(1 for finding in report.open_findings() if not _notifies(finding, policy)),
            "blind_spots": [short_spot(spot) for spot in report.blind_spots],
            "exemptions": [short_note(note) for note in report.exemptions],
            "calendar": [short_entry(entry) for entry in soon(report.calendar, report.finished_at.date())],
            "report_url": kept.url,
            "report_note": kept.note,
        }
    )


def _money(report: Report) -> dict[str, Any]:
    """What a digest says in money; nothing where there are no amounts."""
    words = in_words(report.money)
    if report.money is None or not words:
        return {}
    totals = report.money.totals.model_copy(update={"by_owner": [], "by_topic": [], "by_account": []})
    return {"savings": words, "money": totals}


def health(report: Report) -> str:
    """One line that shows the auditor alive, and what would not come back: ``412 resources, 47 rules, 0 blind spots,
    3 endpoints would not come back``."""
    counts: Iterable[tuple[int, str]] = (
        (sum(report.resources.values()), "resource"),
        (len(report.rules), "rule"),
        (len(report.blind_spots), "blind spot"),
    )
    said = [f"{number} {word}{'' if number == 1 else 's'}" for number, word in counts]
    if lost := sum(1 for endpoint in report.endpoints if endpoint.lost):
        said.append(f"{lost} endpoint{'' if lost == 1 else 's'} would not come back")
    return ", ".join(said)
