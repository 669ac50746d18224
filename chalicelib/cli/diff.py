"""``auditor diff OLD NEW``: what changed between two reports, as a table, as JSON or as Markdown."""

import textwrap
from functools import partial
from json import dumps
from pathlib import Path

from rich.console import Console
from rich.text import Text

from chalicelib.cli import show, table
from chalicelib.cli.options import DiffFormat
from chalicelib.errors import InvalidInput
from chalicelib.report.difference import Changed, Difference, DifferenceKind, difference
from chalicelib.report.file import STDIN, report_in
from chalicelib.report.findings import BlindSpot, Severity, utc_text
from chalicelib.report.formats.markdown import table_cell
from chalicelib.rules.registry import may_read
from chalicelib.templating import clean

TITLES = {
    DifferenceKind.NEW: "New",
    DifferenceKind.WORSE: "Worse",
    DifferenceKind.UNEXEMPTED: "No longer exempt",
    DifferenceKind.BETTER: "Better",
    DifferenceKind.EXEMPTED: "Exempt now",
    DifferenceKind.RESOLVED: "Resolved",
    DifferenceKind.NOT_SEEN: "Not seen by the new audit",
}
COUNTED = {DifferenceKind.STILL_OPEN: "Still open", DifferenceKind.STILL_EXEMPT: "Still exempt"}
#: Columns that a line takes at most, and those before its text.
PROSE, MARGIN = 110, 11


def run_diff(old: str, new: str, *, format: DiffFormat, to: Path | None) -> Difference:
    """Holds two reports against each other, and shows what changed on stdout or in a file."""
    if old == new == STDIN:
        raise InvalidInput("only one of the two reports can come from stdin; accepted is a path for the other")
    changes = difference(report_in(old, field="OLD"), report_in(new, field="NEW"), may_read)
    if format is DiffFormat.JSON:
        show.text(as_json(changes), to=to)
    elif format is DiffFormat.MARKDOWN:
        show.text(as_markdown(changes), to=to)
    else:
        show.prose(partial(_print, changes), to=to, width=PROSE)
    return changes


def alarms(difference: Difference, fail_on: Severity | None) -> bool:
    """True when an open finding that is new, worse or no longer exempt is at least this severe."""
    worst = difference.worst()
    return fail_on is not None and worst is not None and worst.rank >= fail_on.rank


def as_json(difference: Difference) -> str:
    """The difference as JSON; of findings that are still there only the ids."""
    shown = difference.model_dump(mode="json", exclude={"changes"})
    for kind in DifferenceKind:
        listed = difference.of(kind)
        shown[kind.value.replace("-", "_")] = (
            [change.finding.id for change in listed]
            if kind in COUNTED
            else [change.model_dump(mode="json", exclude={"change"}) for change in listed]
        )
    return dumps(shown, indent=2) + "\n"


def as_markdown(difference: Difference) -> str:
    """The difference for a pull request: counts, then a table of all that is not as it was."""
    lines = ["## SageMaker audit: what changed", "", summary(difference)]
    lines += [f"\n> {table_cell(remark)}" for remark in difference.remarks]
    listed = [change for change in difference.changes if change.change in TITLES]
    if listed:
        lines += ["", "| change | severity | rule | resource | finding |", "|---|---|---|---|---|"]
        for change in listed:
            cells = (
                TITLES[change.change],
                _severity(change),
                change.finding.rule,
                change.finding.resource.name,
                _what(change),
            )
            lines.append("| " + " | ".join(table_cell(cell) for cell in cells) + " |")
    for title, spots in _spots(difference):
        lines += [f"\n{title}: {table_cell(_spot(spot))}" for spot in spots]
    return "\n".join(lines) + "\n"


def _print(difference: Difference, console: Console) -> None:
    """What changed, class by class and worst first; then blind spots and counts."""
    for word, side in (("old", difference.old), ("new", difference.new)):
        _prose(console, f"{word}  {utc_text(side.started_at)}  {side.audit_id}")
    for remark in difference.remarks:
        _prose(console, remark, "yellow")
    console.print()
    for kind, title in TITLES.items():
        listed = difference.of(kind)
        if not listed:
            continue
        console.print(Text(f"{title} ({len(listed)})", "bold"))
        for change in listed:
            style = table.STYLES[change.finding.severity]
            _line(console, change.finding.severity.value, style, f"{change.finding.rule}{_was(change)}")
            _line(console, "", "", f"{change.finding.resource.kind} {change.finding.resource.name}")
            _line(console, "", "", _what(change))
        console.print()
    for title, spots in _spots(difference):
        for spot in spots:
            _prose(console, f"{title}: {_spot(spot)}", "magenta")
    _prose(console, summary(difference))


def summary(difference: Difference) -> str:
    """One line of counts."""
    parts = [
        f"{difference.counts[change]} {title.lower()}" for change, title in TITLES.items() if difference.counts[change]
    ]
    parts = parts or ["nothing changed"]
    parts += [
        f"{difference.counts[change]} {title.lower()}" for change, title in COUNTED.items() if difference.counts[change]
    ]
    open_now, open_before = difference.new.open_findings, difference.old.open_findings
    return f"{', '.join(parts)}; {open_now} open findings, {open_before} before."


def _severity(change: Changed) -> str:
    return f"{change.finding.severity.value}{_was(change)}"


def _was(change: Changed) -> str:
    return f" (was {change.before.value})" if change.before else ""


def _what(change: Changed) -> str:
    """The finding in a sentence; of one that is no longer listed, what became of it."""
    if change.change is DifferenceKind.RESOLVED:
        return f"{change.note[:1].upper()}{change.note[1:]}."
    if change.change is DifferenceKind.NOT_SEEN:
        return f"Unknown, as {change.note}."
    exempt = " (exempt)" if change.change is DifferenceKind.NEW and change.finding.status == "exempt" else ""
    note = f" — {change.note}" if change.note else ""
    return f"{change.finding.summary}{exempt}{note}"


def _spots(difference: Difference) -> list[tuple[str, list[BlindSpot]]]:
    return [("New blind spot", difference.blind_spots_appeared), ("No longer blind", difference.blind_spots_gone)]


def _spot(spot: BlindSpot) -> str:
    effect = f"; unknown: {', '.join(spot.effect)}" if spot.effect else ""
    return f"{spot.operation} in {spot.account}, {spot.region}{effect}"


def _line(console: Console, word: str, style: str, text: str) -> None:
    """A line under its severity; what does not fit goes on below, under the text."""
    room = max(MARGIN + 20, min(console.width, PROSE)) - MARGIN
    for number, line in enumerate(textwrap.wrap(clean(text), room, break_on_hyphens=False) or [""]):
        first = f"{word if number == 0 else '':<{MARGIN - 2}}"
        console.print(Text.assemble("  ", (first, style), line), soft_wrap=True)


def _prose(console: Console, text: str, style: str = "") -> None:
    room = max(20, min(console.width, PROSE))
    for line in textwrap.wrap(clean(text), room, break_long_words=False, break_on_hyphens=False):
        console.print(Text(line, style), soft_wrap=True)
