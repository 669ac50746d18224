"""The calendar for calendar programs: iCalendar (RFC 5545), an all-day event for each end.

Written here, as three rules (escaped text, folded lines, stable ids) need no package in the zip; tests read it back
with an independent parser.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from chalicelib import __version__
from chalicelib.input.marks import escaped
from chalicelib.report.calendar import CalendarEntry

#: Octets of a line, its end left out (RFC 5545, 3.1).
LINE = 75


def icalendar(entries: Iterable[CalendarEntry], made: datetime) -> str:
    """The entries as one ``VCALENDAR``; ``made`` is when they were found. An entry keeps its ``UID`` from audit to
    audit, so that a program that subscribes moves an event instead of doubling it."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", f"PRODID:-//SageMaker auditor//{__version__}//EN", "METHOD:PUBLISH"]
    stamp = made.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    numbers: Counter[str] = Counter()
    for entry in entries:
        identity = "\n".join((entry.kind, entry.resource, entry.rule or "", entry.place))
        numbers[identity] += 1
        about = "\n".join(filter(None, (entry.resource, entry.place, f"Rule {entry.rule}" if entry.rule else "")))
        lines += [
            "BEGIN:VEVENT",
            f"UID:{_uid(identity, numbers[identity])}@sagemaker-auditor",
            f"DTSTAMP:{stamp}",
            f"DTSTART;VALUE=DATE:{entry.day:%Y%m%d}",
            f"DTEND;VALUE=DATE:{entry.day + timedelta(days=1):%Y%m%d}",
            f"SUMMARY:{_text(entry.says)}",
            f"DESCRIPTION:{_text(about + (f'{chr(10)}Owner {entry.owner}' if entry.owner else ''))}",
            f"CATEGORIES:{_text(entry.kind)}",
            "TRANSP:TRANSPARENT",
            "END:VEVENT",
        ]
    return "".join(f"{_folded(line)}\r\n" for line in [*lines, "END:VCALENDAR"])


def _uid(identity: str, number: int) -> str:
    """The id of an entry: of what it is about, and which of its ends it is, whatever the day."""
    return hashlib.sha256(f"{identity}\n{number}".encode()).hexdigest()[:32]


def _text(text: str) -> str:
    """A value of type TEXT (RFC 5545, 3.3.11), what steers a terminal made visible."""
    shown = "\\n".join(escaped(line) for line in text.replace("\\", "\\\\").splitlines())
    return shown.replace(";", "\\;").replace(",", "\\,")


def _folded(line: str) -> str:
    """The line in pieces of at most :data:`LINE` octets, none of which ends within a character."""
    pieces, piece, size = [], "", 0
    for character in line:
        octets = len(character.encode())
        if size + octets > LINE:
            pieces.append(piece)
            piece, size = "", 1  # the space that begins a piece after the first
        piece, size = piece + character, size + octets
    return "\r\n ".join([*pieces, piece])
