"""What a notice in Slack says before anything else: its headline, emoji and colour."""

from chalicelib.notices.mrkdwn import counts, number_of, width, words
from chalicelib.notices.notice import WORDS, Notice
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
BLIND = ":warning:"


def headline(notice: Notice) -> str:
    """One line that says what happened, with the emoji of its severity, as long as a header may be."""
    start, rest = news(notice)
    return start + words(rest, HEADER - width(start))


def news(notice: Notice) -> tuple[str, str]:
    """The start of the headline, which is ours, and the rest of it, which is not."""
    if notice.single:
        kind, finding = notice.only.change, notice.only.finding
        if kind == "resolved":
            return f"{WELL} {WORDS[kind]} · ", finding.title
        severity = finding.severity
        return f"{EMOJI[severity]} {WORDS[kind]} · {severity.value} · ", finding.title
    if notice.kind == "run":
        return f"{BLIND} SageMaker auditor: ", notice.health
    if notice.about:
        return f"{_mood(notice)} ", f"{notice.about}: {tally(notice)}"
    return f"{_mood(notice)} SageMaker audit: ", tally(notice) or _quiet(notice)


def _quiet(notice: Notice) -> str:
    if sum(notice.still_open.values()):
        return f"nothing new, still open: {counts(notice.still_open)}"
    return "all clean" if notice.complete else "nothing found, with blind spots"


def _is_open(notice: Notice) -> bool:
    """True where anything is open, told now or before."""
    return notice.tells_open or sum(notice.still_open.values()) > 0


def _mood(notice: Notice) -> str:
    if _is_open(notice):
        return EMOJI[notice.severity]
    return WELL if notice.complete else BLIND


def colour_of(notice: Notice) -> str:
    """The colour of the bar beside the blocks."""
    if _is_open(notice):
        return COLOURS[notice.severity]
    return WELL_COLOUR if notice.complete or notice.kind == "resolved" else COLOURS[Severity.INFO]


def announced(notice: Notice) -> str:
    """What a notification shows, where blocks cannot be seen."""
    if notice.single:
        finding = notice.only.finding
        return f"{headline(notice)}: {words(finding.resource.name, 100)} ({words(finding.region, 40)})"
    return f"{headline(notice)} ({words(notice.account, 60)} {words(notice.region, 60)})"


def tally(notice: Notice) -> str:
    """How many changes are told, by severity; empty without any. Totals count what was left out as well."""
    resolved, left = notice.resolved, notice.omitted if notice.totals is None else 0
    listed = ", ".join(filter(None, [counts(notice.by_severity), f"{resolved:,} resolved" if resolved > 0 else ""]))
    if not left:
        return listed
    return f"{listed} and {left:,} more" if listed else number_of(left, "change")
