"""``auditor calendar``: what ends, and when, as a table, as JSON or for a calendar program."""

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from json import dumps
from pathlib import Path

from rich.console import Console
from rich.text import Text

from chalicelib.cli import show
from chalicelib.cli.options import CalendarFormat
from chalicelib.cli.progress import shown_progress
from chalicelib.cli.sessions import new_service
from chalicelib.report.calendar import CalendarEntry, in_order
from chalicelib.report.file import report_in
from chalicelib.report.formats.icalendar import icalendar
from chalicelib.templating import clean

#: Columns of a line in a file.
PAGE = 140


def run_calendar(
    *,
    report: str | None,
    profile: str | None,
    regions: Sequence[str],
    policy: str | None,
    format: CalendarFormat,
    to: Path | None,
    progress: bool,
) -> None:
    """Shows what ends from today on: as a stored report has it, or read now for the rules that look at ends alone."""
    made = datetime.now(UTC)
    entries = _of_report(report, made) if report is not None else _read(profile, regions, policy, progress=progress)
    if format is CalendarFormat.ICS:
        show.text(icalendar(entries, made), to=to)
    elif format is CalendarFormat.JSON:
        show.text(dumps([entry.model_dump(mode="json") for entry in entries], indent=2) + "\n", to=to)
    else:
        show.prose(partial(_print, entries), to=to)


def _of_report(path: str, now: datetime) -> list[CalendarEntry]:
    return [entry for entry in report_in(path, field="--report").calendar if entry.day >= now.date()]


def _read(profile: str | None, regions: Sequence[str], policy: str | None, *, progress: bool) -> list[CalendarEntry]:
    entries: list[CalendarEntry] = []
    with shown_progress(enabled=progress) as shown:
        service = new_service(profile, regions[0] if regions else None, policy, shown)
        for region in regions or (None,):
            entries += service.calendar(region, "cli")
    return in_order(entries)


def _print(entries: Sequence[CalendarEntry], console: Console) -> None:
    if not entries:
        console.print("Nothing that is known ends.")
    for entry in entries:
        owner = f" · {clean(entry.owner)}" if entry.owner else ""
        place = f" · {clean(entry.place)}" if entry.place else ""
        line = Text.assemble((f"{entry.day}  ", "bold"), clean(entry.says), (f"{place}{owner}", "dim"))
        console.print(line, soft_wrap=True)
