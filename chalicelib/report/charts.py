"""The picture of a rehearsal: what a report holds of it, its shapes in an SVG, and its lines in block characters.

Every form shows the same numbers: of each bucket of minutes the largest load and the fewest instances, so that no
shortage is averaged away. Pure.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import groupby, pairwise
from typing import Annotated, Literal, NamedTuple, TypeVar

from pydantic import BaseModel, ConfigDict, Field

#: Buckets that a report holds of a rehearsal (an hour each for a week), and those of a chart of its own (a quarter).
STORED_BUCKETS, MOST_BUCKETS = 168, 672
DAY = 1440
#: The width of a day's name below a chart, in units of its view box, and of one of its characters.
NAME, CHARACTER = 42, 7
_BLOCKS = "▁▂▃▄▅▆▇█"

T = TypeVar("T")
_Counts = Annotated[list[int], Field(max_length=MOST_BUCKETS)]


class RehearsalChart(BaseModel):
    """Load and capacity of a rehearsal over time, in buckets of ``bucket_minutes`` minutes since ``begin``, which is
    None for a load without dates; the last bucket may be shorter. A report holds at most 168 buckets.

    Of each bucket, ``load`` is the largest number of requests in a minute, None in a gap; ``serving`` are the fewest
    instances (or copies) that served, ``short`` the minutes in which the load was more than they carry. ``desired`` are
    the fewest that were ordered; a report leaves them out. ``proposed`` and ``proposed_short`` are ``serving`` and
    ``short`` with the proposal, empty without one. ``capacity`` is what an instance carries in a minute. What counts
    is the ``unit``. Of a queue, ``load`` is what came, and short are the minutes in which requests waited too long.
    """

    begin: datetime | None = None
    minutes: Annotated[int, Field(gt=0)]
    bucket_minutes: Annotated[int, Field(gt=0)]
    capacity: Annotated[float, Field(gt=0)]
    load: Annotated[list[float | None], Field(max_length=MOST_BUCKETS, min_length=1)]
    serving: _Counts
    short: _Counts
    unit: Annotated[Literal["instance", "copy"], Field(exclude_if=lambda unit: unit == "instance")] = "instance"
    desired: Annotated[_Counts, Field(exclude_if=lambda counts: not counts)] = []
    proposed: Annotated[_Counts, Field(exclude_if=lambda counts: not counts)] = []
    proposed_short: Annotated[_Counts, Field(exclude_if=lambda counts: not counts)] = []

    model_config = ConfigDict(frozen=True, defer_build=True, extra="forbid")

    @property
    def minutes_short(self) -> int:
        return sum(self.short)

    @property
    def peak(self) -> float:
        return max((load for load in self.load if load is not None), default=0.0)

    @property
    def highest(self) -> float:
        """The upper end of the scale, on which load and capacity of all settings stand."""
        return max(self.peak, self.capacity * max([*self.serving, *self.proposed], default=0)) or 1.0


# ---- shapes


class Mark(NamedTuple):
    """A label at a place of the axis of time."""

    at: float
    text: str


class Panel(NamedTuple):
    """The chart of one setting, as paths in units of its view box, y downward: ``load`` is an area, ``capacity`` and
    ``desired`` (empty where it is not known) lines in steps; ``short`` the begin and width of each stretch of buckets
    with minutes short. ``says`` tells it to those who cannot see it."""

    load: str
    capacity: str
    desired: str
    short: Sequence[tuple[float, float]]
    says: str


class Drawing(NamedTuple):
    """The panels of a chart on one scale: today's setting, and the proposal where there is one."""

    width: int
    height: int
    today: Panel
    proposal: Panel | None
    highest: float
    days: Sequence[Mark]


def drawing(chart: RehearsalChart, width: int, height: int) -> Drawing:
    """The chart as shapes in a view box of this size."""
    column = width * chart.bucket_minutes / chart.minutes
    edges = [f"H{min(width, number * column):.1f}" for number in range(1, len(chart.load) + 1)]
    scale = height / chart.highest

    def steps(values: Iterable[float]) -> str:
        return _steps([height - round(value * scale) for value in values], edges)

    load = f"M0 {height}{steps(load or 0.0 for load in chart.load)}V{height}Z"

    def panel(serving: Sequence[int], short: Sequence[int], desired: Sequence[int]) -> Panel:
        capacity, ordered = (
            "M0 " + steps(count * chart.capacity for count in counts).removeprefix("V") if counts else ""
            for counts in (serving, desired)
        )
        says = f"load up to {chart.peak:,.0f} a minute, {_range(chart, serving)}, {_counted(sum(short))} short"
        return Panel(load, capacity, ordered, _stretches(short, column, width), says)

    return Drawing(
        width,
        height,
        panel(chart.serving, chart.short, chart.desired),
        panel(chart.proposed, chart.proposed_short, ()) if chart.proposed else None,
        chart.highest,
        _days(chart, column, width),
    )


def _steps(levels: Sequence[int], edges: Sequence[str]) -> str:
    """A path up or down to each of these heights and along to the edge of its column; equal ones in a row are one line.
    Whole units are as fine as a screen."""
    path = []
    for number, level in enumerate(levels):
        if number + 1 == len(levels) or levels[number + 1] != level:
            path += ["V", str(level), edges[number]]
    return "".join(path)


def _stretches(short: Sequence[int], column: float, width: float) -> list[tuple[float, float]]:
    stretches = []
    end = 0
    for is_short, buckets in groupby(short, key=bool):
        begin, end = end, end + len(list(buckets))
        if is_short:
            stretches.append((round(begin * column, 1), round(min(width, end * column) - begin * column, 1)))
    return stretches


def _days(chart: RehearsalChart, column: float, width: float) -> list[Mark]:
    """The beginnings of days, evenly chosen where there are many; named where there is room to the end."""
    starts = _midnights(chart)
    every = max(1, -(-len(starts) * NAME // int(width)))
    marks = []
    for start in starts[::every]:
        at, name = round(start / chart.bucket_minutes * column, 1), _day(chart, start)
        marks.append(Mark(at, name if at + len(name) * CHARACTER <= width else ""))
    return marks


def _midnights(chart: RehearsalChart) -> range:
    """The minutes with which days begin."""
    first = -(chart.begin.hour * 60 + chart.begin.minute) % DAY if chart.begin else 0
    return range(first, chart.minutes, DAY)


def _day(chart: RehearsalChart, minute: int) -> str:
    """The day of a minute: ``Mon 2``, or ``day 1`` of a load without dates."""
    at = chart.begin + timedelta(minutes=minute) if chart.begin else None
    return f"{at:%a} {at.day}" if at else f"day {minute // DAY + 1}"


# ---- words


class Row(NamedTuple):
    """A day of the table beside a chart."""

    day: str
    load: float | None
    serving: str
    short: int
    proposed: str
    proposed_short: int


def outcome(chart: RehearsalChart) -> str:
    """What came of a rehearsal in a sentence."""
    short, left = chart.minutes_short, sum(chart.proposed_short)
    text = f"Short for {_counted(short)}" if short else "Never short"
    text += f" on {_range(chart, chart.serving)}"
    if chart.proposed:
        then = f"with the proposal for {_counted(left)}" if left else "with the proposal never"
        text += f"; {then if short or left else 'nor with the proposal'}, on {_range(chart, chart.proposed)}"
    return f"{text}."


def rows(chart: RehearsalChart) -> list[Row]:
    """The chart by days, for those who cannot see it."""
    begins = [0, *(-(-midnight // chart.bucket_minutes) for midnight in _midnights(chart) if midnight), len(chart.load)]
    spans = [range(begin, end) for begin, end in pairwise(begins) if begin < end]
    return [_row(chart, _day(chart, buckets[0] * chart.bucket_minutes), buckets) for buckets in spans]


def _row(chart: RehearsalChart, day: str, buckets: Sequence[int]) -> Row:
    loads = [load for bucket in buckets if (load := chart.load[bucket]) is not None]
    proposed = [chart.proposed[bucket] for bucket in buckets] if chart.proposed else []
    return Row(
        day,
        max(loads, default=None),
        _span([chart.serving[bucket] for bucket in buckets]),
        sum(chart.short[bucket] for bucket in buckets),
        _span(proposed) if proposed else "",
        sum(chart.proposed_short[bucket] for bucket in buckets) if proposed else 0,
    )


def _span(counts: Sequence[int]) -> str:
    low, high = min(counts), max(counts)
    return f"{low}" if low == high else f"{low} to {high}"


def _range(chart: RehearsalChart, counts: Sequence[int]) -> str:
    unit = chart.unit if set(counts) == {1} else "copies" if chart.unit == "copy" else "instances"
    return f"{_span(counts)} {unit}"


def _counted(minutes: int) -> str:
    return f"{minutes:,} minute" + ("" if minutes == 1 else "s")


# ---- block characters


class Line(NamedTuple):
    """A line of block characters, with what it shows in a word and in some more."""

    name: str
    says: str
    text: str


def lines(chart: RehearsalChart, columns: int, *, monospaced: bool = False) -> list[Line]:
    """The chart in at most so many columns. Unless the font is ``monospaced``, all characters of a line are blocks,
    which are equally wide in any font."""
    shown = regrouped(chart, columns)
    empty, calm = (" ", "·") if monospaced else ("▁", "▁")

    def levels(values: Iterable[float]) -> str:
        return "".join(_level(value / shown.highest, empty) for value in values)

    def filled(short: Iterable[int]) -> str:
        return "".join("█" if minutes else calm for minutes in short)

    chart_lines = [
        Line("load", f"load, up to {shown.peak:,.0f} a minute", levels(load or 0.0 for load in shown.load)),
        Line(
            "capacity",
            f"what {_range(chart, chart.serving)} carry",
            levels(count * shown.capacity for count in shown.serving),
        ),
        Line("short", f"short: {_counted(chart.minutes_short)}", filled(shown.short)),
    ]
    if shown.proposed:
        left = _counted(sum(shown.proposed_short))
        chart_lines += [
            Line(
                "proposal",
                f"with the proposal {_range(chart, chart.proposed)}",
                levels(count * shown.capacity for count in shown.proposed),
            ),
            Line("short", f"short with the proposal: {left}", filled(shown.proposed_short)),
        ]
    return chart_lines


def _level(share: float, empty: str) -> str:
    """A share of the scale as a height; what is above zero is seen."""
    return _BLOCKS[max(0, min(7, int(share * 8 + 0.5) - 1))] if share > 0 else empty


def axis(chart: RehearsalChart, columns: int) -> str:
    """The days below lines of so many columns, each where it begins; those without room are left out."""
    shown = regrouped(chart, columns)
    text = ""
    for start in _midnights(shown):
        column, name = round(start / shown.bucket_minutes), _day(shown, start)
        if (not text or column > len(text)) and column + len(name) <= len(shown.load):
            text = text.ljust(column) + name
    return text


def regrouped(chart: RehearsalChart, most: int) -> RehearsalChart:
    """The same in at most so many buckets, of equal length."""
    size = -(-len(chart.load) // max(1, most))
    if size == 1:
        return chart
    return chart.model_copy(
        update={
            "bucket_minutes": chart.bucket_minutes * size,
            "load": [_largest(group) for group in _groups(chart.load, size)],
            "serving": [min(group) for group in _groups(chart.serving, size)],
            "short": [sum(group) for group in _groups(chart.short, size)],
            "desired": [min(group) for group in _groups(chart.desired, size)],
            "proposed": [min(group) for group in _groups(chart.proposed, size)],
            "proposed_short": [sum(group) for group in _groups(chart.proposed_short, size)],
        }
    )


def _groups(values: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    return (values[begin : begin + size] for begin in range(0, len(values), size))


def _largest(loads: Iterable[float | None]) -> float | None:
    return max((load for load in loads if load is not None), default=None)
