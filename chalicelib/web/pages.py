"""The report of a run, page by page: whatever the run has found, each page is an answer that Lambda and API Gateway let
through.

A page is a report of its own: the head and the counts are those of the whole run; its lists hold one stretch of
everything that the parts of the run hold, part after part, and ``shown`` counts the findings that stand on other pages.
"""

import json
import re
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any, NamedTuple, TypeVar

from pydantic import BaseModel

from chalicelib.ledger.cursors import decoded, encoded, foreign_cursor
from chalicelib.ledger.results import Head, RunPart
from chalicelib.report.calendar import CalendarEntry
from chalicelib.report.findings import Report
from chalicelib.report.shown import Shown

#: Bytes of an answer. Lambda takes 6 MB, with the body as a text that is escaped once more
#: (https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html); the rest is for its headers.
ANSWER_BYTES = 5_500_000
#: Bytes of a report within an answer.
REPORT_BYTES = 5_000_000
#: What a part holds, in the order in which pages show it; and what only the whole run can say.
LISTS, OF_THE_WHOLE = ("blind_spots", "deferred", "findings", "calendar", "endpoints"), ("exemptions", "calendar")
#: The rules on jobs have a part of their own where a region is very large: its endpoints are those of the other.
JOBS = "jobs"
PART = re.compile(r"[0-9]{12}#[a-z0-9-]{1,30}(/[a-z]{1,10})?")


T = TypeVar("T", bound=BaseModel)


class Place(NamedTuple):
    """Where a page begins: the entry with this number of a part, by its key; with an empty one, of the whole run."""

    part: str = ""
    entry: int = 0


class Entry(NamedTuple):
    """One thing that a page holds, and the list that it stands in."""

    place: Place
    field: str
    content: BaseModel


#: Gives the reports of the parts of a run, in the order of their keys, from this key on.
PartsFrom = Callable[[str], Iterator[tuple[RunPart, Report]]]


class RunPage(NamedTuple):
    """A page, and the cursor for the one after it (None: it is the last)."""

    report: Report
    cursor: str | None


def page_of(parts: PartsFrom, head: Head, run: str, cursor: str | None = None, most: int | None = None) -> RunPage:
    """The page of a run's report that begins at the cursor, or the first one, of so many bytes (default: as many as an
    answer may have). Raises InvalidInput for a cursor that no page of this run gave."""
    start = _place(cursor, run) if cursor is not None else Place()
    frame = head.report.model_copy(update={field: [] for field in OF_THE_WHOLE})
    lists: dict[str, list[Any]] = {field: [] for field in (*OF_THE_WHOLE, *LISTS)}
    room, more = (REPORT_BYTES if most is None else most) - size(frame), None
    for entry in _entries(parts, head, start):
        needed = size(entry.content)
        if needed > room and any(lists.values()):
            more = encoded({"run": run, **entry.place._asdict()})
            break
        lists[entry.field].append(entry.content)
        room -= needed
    report = frame.model_copy(update=lists)
    if cursor is not None or more is not None:
        report = report.model_copy(update={"shown": _shown(head, len(report.findings))})
    return RunPage(report, more)


def size(content: BaseModel) -> int:
    """The bytes that something takes in an answer: JSON in ASCII, as a text within JSON."""
    return size_of(content.model_dump(mode="json"))


def fitting(contents: Sequence[T], most: int) -> list[T]:
    """The first of them that together take at most so many bytes in an answer."""
    kept: list[T] = []
    for content in contents:
        most -= size(content)
        if most < 0:
            break
        kept.append(content)
    return kept


def size_of(body: Any) -> int:
    """The bytes that the body of an answer takes: a text, or what becomes JSON."""
    return len(json.dumps(body if isinstance(body, str) else json.dumps(body)))


def _place(cursor: str, run: str) -> Place:
    """The place in a cursor. Raises InvalidInput for any text that no page of this run gave."""
    values = decoded(cursor, ("run", *Place._fields))
    part, entry = values["part"], values["entry"]
    if values["run"] != run or not isinstance(part, str) or (part and not PART.fullmatch(part)):
        raise foreign_cursor()
    if type(entry) is not int or entry < 0:
        raise foreign_cursor()
    return Place(part, entry)


def _entries(parts: PartsFrom, head: Head, start: Place) -> Iterator[Entry]:
    """Everything that the pages hold from a place on. Raises InvalidInput where there is no such place."""
    if not start.part:
        of_the_whole = [(field, content) for field in OF_THE_WHOLE for content in getattr(head.report, field)]
        yield from _after(start, "", of_the_whole)
    sought = start.part
    for part, report in parts(start.part):
        if sought and part.key != sought:
            break
        sought = ""
        fields = [field for field in LISTS if field != "endpoints" or part.group != JOBS]
        contents = [(field, content) for field in fields for content in getattr(report, field) if _of_part(content)]
        yield from _after(start, part.key, contents)
    if sought:
        raise foreign_cursor()


def _of_part(content: BaseModel) -> bool:
    """False for an end that holds everywhere, which the whole run names."""
    return not isinstance(content, CalendarEntry) or content.account is not None


def _after(start: Place, part: str, contents: list[tuple[str, BaseModel]]) -> Iterator[Entry]:
    """The entries of a part, from the one on that a page begins with, if it begins here."""
    first = start.entry if part == start.part else 0
    if first and first >= len(contents):
        raise foreign_cursor()
    for number, (field, content) in enumerate(islice(contents, first, None), first):
        yield Entry(Place(part, number), field, content)


def _shown(head: Head, listed: int) -> Shown:
    """How a page is narrowed: as the run is, and by what stands on the other pages."""
    shown = head.report.shown or Shown()
    left_out = None if shown.left_out is None else shown.left_out + head.findings - listed
    return shown.model_copy(update={"findings": listed, "left_out": left_out})
