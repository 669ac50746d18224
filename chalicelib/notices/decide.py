"""What changed since it was told last: pure. The ledger's knowledge and the audit come in, decisions go out."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from chalicelib.notices.notice import Change, Notice, Told, counted
from chalicelib.policy.policy import Policy
from chalicelib.report.findings import Finding, Judged, Known, Report, Severity, Verdict

#: An event sends at most this many notices; beyond that one digest.
NOTICES_OF_AN_EVENT = 5
SECONDS_A_DAY = 86_400


@dataclass(frozen=True, slots=True)
class Changes:
    """What to tell, worst first, and what to remember once it has been told."""

    told: tuple[Told, ...]
    remember: tuple[Known, ...]


def decide(report: Report, known: Mapping[str, Known], judged: Judged, policy: Policy) -> Changes:
    """Compares an audit with what is known. The moment of the audit is the report's start: nothing that was seen later
    is changed by it."""
    now = report.started_at
    told: list[Told] = []
    remember: list[Known] = []
    reported = {one.id for one in report.findings}
    for finding in report.findings:
        before = known.get(finding.id)
        if before is not None and before.judged_at > now:
            continue
        change = _change(finding, before, policy, now)
        telling = change is not None and tells(finding, policy)
        if change is not None and telling:
            told.append(_told(change, finding, before, now))
        remember.append(_remembered(finding, before, now, told=telling))
    for id, before in known.items():
        if id in reported or before.finding.status == "resolved" or before.judged_at > now:
            continue
        if (resolution := _resolution(id, judged)) is None:
            continue
        resolved = before.finding.model_copy(update={"status": "resolved", "resolved_at": now})
        remember.append(Known(resolved, before.last_told, before.severity_told))
        if (
            resolution
            and before.last_told is not None
            and before.finding.status == "open"
            and _notifies(resolved, policy)
        ):
            told.append(Told(change="resolved", finding=resolved))
    return Changes(tuple(sorted(told, key=_worst_first)), tuple(remember))


def _worst_first(one: Told) -> tuple[bool, int, str, str]:
    return (one.change == "resolved", -one.finding.severity.rank, one.finding.rule, one.finding.resource.name)


def tells(finding: Finding, policy: Policy) -> bool:
    """True for a finding that people are told: open, at or above ``notify_at``, of a rule that is not only observed."""
    return finding.status == "open" and finding.severity.rank >= policy.notify_at.rank and _notifies(finding, policy)


def _notifies(finding: Finding, policy: Policy) -> bool:
    setting = policy.rules.get(finding.rule)
    return setting is None or setting.mode == "notify"


def _change(finding: Finding, before: Known | None, policy: Policy, now: datetime) -> Change | None:
    if finding.status != "open":
        return None
    if before is None or before.last_told is None or before.severity_told is None:
        return "new"
    if before.finding.status in ("resolved", "exempt"):
        return "back"
    if finding.severity.rank > before.severity_told.rank:
        return "worse"
    return "reminder" if now - before.last_told >= timedelta(days=policy.remind_after_days) else None


def _told(change: Change, finding: Finding, before: Known | None, now: datetime) -> Told:
    away = before.finding.resolved_at if before is not None else None
    first = before.finding.first_seen if before is not None else finding.first_seen
    return Told(
        change=change,
        finding=finding.model_copy(update={"first_seen": first}),
        before=before.severity_told if before is not None and change == "worse" else None,
        away_days=round((now - away).total_seconds() / SECONDS_A_DAY, 1) if change == "back" and away else None,
    )


def _remembered(finding: Finding, before: Known | None, now: datetime, *, told: bool) -> Known:
    """The finding as it is now. A severity that fell is remembered, so that its rise is told again."""
    first = before.finding.first_seen if before is not None else finding.first_seen
    current = finding.model_copy(update={"first_seen": first, "last_seen": now})
    if told:
        return Known(current, now, finding.severity)
    severity = before.severity_told if before is not None else None
    if severity is not None and finding.severity.rank < severity.rank:
        severity = finding.severity
    return Known(current, before.last_told if before is not None else None, severity)


def _resolution(id: str, judged: Judged) -> bool | None:
    """True where a finding is resolved, False where another finding tells it now, None where nobody can say."""
    if id in judged.gone:
        return True
    verdict = judged.verdicts.get(id)
    if verdict in (Verdict.PASS, Verdict.NOT_APPLICABLE):
        return True
    return False if verdict is Verdict.FAIL else None


# ---- notices


def notices_of_event(changes: Changes, report: Report, policy: Policy, url: str | None = None) -> list[Notice]:
    """One notice for each change, or one digest beyond five; none when nothing changed."""
    if not changes.told:
        return []
    if len(changes.told) > NOTICES_OF_AN_EVENT:
        return [digest(changes, report, policy, url)]
    return [
        _notice(report, [one], policy, kind="resolved" if one.change == "resolved" else "finding", url=url)
        for one in changes.told
    ]


def digest(changes: Changes, report: Report, policy: Policy, url: str | None = None) -> Notice:
    """The one digest of a sweep, even when all is clean."""
    return _notice(report, list(changes.told), policy, kind="digest", url=url)


def _notice(report: Report, told: list[Told], policy: Policy, *, kind: str, url: str | None) -> Notice:
    now_told = {one.finding.id for one in told}
    still = [one for one in report.open_findings() if one.id not in now_told and tells(one, policy)]
    worst = max(
        (one.finding.severity for one in told if one.change != "resolved"), key=lambda one: one.rank, default=None
    )
    if worst is None and kind == "resolved":
        worst = told[0].finding.severity
    return Notice.model_validate(
        {
            "kind": kind,
            "audit_id": report.audit_id,
            "trigger": report.trigger,
            "account": ",".join(report.accounts),
            "region": ",".join(report.regions),
            "severity": worst or Severity.INFO,
            "complete": report.complete,
            "finished_at": report.finished_at,
            "health": health(report),
            "told": told,
            "still_open": counted(one.severity for one in still) if kind == "digest" else {},
            "exempt": sum(1 for one in report.findings if one.status == "exempt"),
            "observed": sum(1 for one in report.open_findings() if not _notifies(one, policy)),
            "blind_spots": report.blind_spots,
            "exemptions": report.exemptions,
            "report_url": url,
        }
    )


def health(report: Report) -> str:
    """One line that shows the auditor alive: ``412 resources, 47 rules, 0 blind spots``."""
    counts: Iterable[tuple[int, str]] = (
        (sum(report.resources.values()), "resource"),
        (len(report.rules), "rule"),
        (len(report.blind_spots), "blind spot"),
    )
    return ", ".join(f"{number} {word}{'' if number == 1 else 's'}" for number, word in counts)
