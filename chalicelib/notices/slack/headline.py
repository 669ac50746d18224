"""What a notice in Slack says before anything else: its headline, emoji and colour, and why a finding is told now."""

from datetime import timedelta

from chalicelib.notices.notice import WORDS, Change, Notice
from chalicelib.notices.slack.mrkdwn import counts, lasted, number_of, width, words
from chalicelib.report.findings import Severity

#: Characters of a header.
HEADER = 150

EMOJI = {
    Severity.CRITICAL: ":red_circle:",
    Severity.HIGH: ":large_orange_circle:",
    Severity.MEDIUM: ":large_yellow_circle:",
    Severity.LOW: ":large_blue_circle:",
    Severity.INFO: ":white_circle:",
}
COLOURS = {
    Severity.CRITICAL: "#b3001e",
    Severity.HIGH: "#e8590c",
    Severity.MEDIUM: "#f2b705",
    Severity.LOW: "#3b82c4",
    Severity.INFO: "#8a8f98",
}
WELL, WELL_COLOUR = ":white_check_mark:", "#2e9e5b"
BLIND, QUIET = ":warning:", ":white_circle:"


def headline(notice: Notice) -> str:
    """One line that says what happened, with the emoji of its severity, as long as a header may be."""
    start, rest = news(notice)
    return start + words(rest, HEADER - width(start))


def news(notice: Notice) -> tuple[str, str]:
    """The start of the headline, which is ours, and the rest of it, which is not."""
    if notice.kind in ("finding", "resolved"):
        kind, finding = notice.only.change, notice.only.finding
        if kind == "resolved":
            return f"{WELL} {WORDS[kind]} · ", finding.title
        severity = finding.severity
        return f"{EMOJI[severity]} {WORDS[kind]} · {severity.value} · ", finding.title
    return f"{_mood(notice)} SageMaker audit: ", tally(notice) or _quiet(notice)


def _quiet(notice: Notice) -> str:
    if sum(notice.still_open.values()):
        return "nothing new"
    return "all clean" if notice.complete else "nothing found, with blind spots"


def _tells_of_open_findings(notice: Notice) -> bool:
    uncounted = notice.omitted > 0 and notice.totals is None
    return notice.status == "open" or uncounted or sum(notice.by_severity.values()) > 0


def _mood(notice: Notice) -> str:
    if _tells_of_open_findings(notice):
        return EMOJI[notice.severity]
    if not notice.complete:
        return BLIND
    return QUIET if sum(notice.still_open.values()) else WELL


def colour_of(notice: Notice) -> str:
    """The colour of the bar beside the blocks."""
    if _tells_of_open_findings(notice):
        return COLOURS[notice.severity]
    well = notice.complete and not sum(notice.still_open.values())
    return WELL_COLOUR if well or notice.kind == "resolved" else COLOURS[Severity.INFO]


def announced(notice: Notice) -> str:
    """What a notification shows, where blocks cannot be seen."""
    if notice.kind in ("finding", "resolved"):
        finding = notice.only.finding
        return f"{headline(notice)}: {words(finding.resource.name, 100)} ({words(finding.region, 40)})"
    return f"{headline(notice)} ({words(notice.account, 60)} {words(notice.region, 60)})"


def tally(notice: Notice) -> str:
    """How many changes are told, by severity; empty without any. Totals count what was left out as well."""
    if notice.totals is None:
        resolved, left = sum(1 for change in notice.told if change.change == "resolved"), notice.omitted
    else:
        resolved, left = len(notice.told) + notice.omitted - sum(notice.totals.values()), 0
    listed = ", ".join(filter(None, [counts(notice.by_severity), f"{resolved:,} resolved" if resolved > 0 else ""]))
    if not left:
        return listed
    return f"{listed} and {left:,} more" if listed else number_of(left, "change")


def change_note(change: Change, notice: Notice) -> str:
    """Why a finding is told now, in words; empty for a new one."""
    finding = change.finding
    if change.change == "worse":
        return f"was {change.before.value}, is {finding.severity.value}" if change.before else ""
    if change.change == "back":
        ended = finding.exemption
        if ended is not None:
            when = f" on {ended.expires}" if ended.expires else ""
            owner = f", {ended.owner}" if ended.owner else ""
            return f"its exemption ended{when} ({ended.reason}{owner})"
        return "" if change.away_days is None else f"back after {lasted(timedelta(days=change.away_days))}"
    if change.change == "reminder":
        since = finding.first_seen
        return f"open since {since:%Y-%m-%d}, for {lasted(notice.finished_at - since)}"
    if change.change == "resolved":
        ended_at = finding.resolved_at or notice.finished_at
        return f"was open for {lasted(ended_at - finding.first_seen)}"
    return ""
