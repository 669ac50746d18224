"""The picture of a rehearsal: load, capacity and minutes short, in block characters and as shapes of an SVG."""

from collections.abc import Sequence
from typing import NamedTuple

from msgspec import Struct

from chalicelib.rehearsal.figures import Bucket, buckets
from chalicelib.rehearsal.rehearsal import Rehearsal

#: Columns of the chart in a terminal, and buckets of a drawn one: a quarter of an hour each for a week.
COLUMNS, MOST_BUCKETS = 96, 672
WIDTH, HEIGHT, STRIP = 960, 240, 72
_BLOCKS = " ▁▂▃▄▅▆▇█"


class Mark(NamedTuple):
    """A label at a place of an axis."""

    at: float
    text: str


class Chart(Struct, frozen=True):
    """The shapes of the chart, in units of its view box, y downward.

    ``load`` is the outline of an area; ``capacity`` and ``desired`` are lines in steps; ``short`` the begin and width
    of each stretch of buckets with minutes short. ``today`` and ``proposed`` are the counts, in the strip below.
    """

    load: str
    capacity: str
    desired: str
    short: Sequence[tuple[float, float]]
    today: str
    proposed: str
    highest: float
    most: int
    days: Sequence[Mark]


def chart(answer: Rehearsal) -> Chart:
    """The chart of a rehearsal: of each bucket the largest load and the smallest capacity."""
    width = max(1, -(-answer.replay.minutes // MOST_BUCKETS))
    load = answer.question.load
    today = buckets(load.values, answer.replay, width)
    proposed = buckets(load.values, answer.proposed, width) if answer.proposed else []
    capacity = answer.question.behaviour.capacity
    highest = max([load.peak, *(bucket.serving * capacity for bucket in today)]) or 1.0
    most = max(bucket.desired for bucket in [*today, *proposed]) or 1
    column = WIDTH / len(today)
    loads = _steps([(bucket.load or 0.0) / highest for bucket in today], column, HEIGHT)
    return Chart(
        load=f"0,{HEIGHT} {loads} {WIDTH},{HEIGHT}",
        capacity=_steps([bucket.serving * capacity / highest for bucket in today], column, HEIGHT),
        desired=_steps([min(1.0, bucket.desired * capacity / highest) for bucket in today], column, HEIGHT),
        short=_stretches(today, column),
        today=_steps([bucket.serving / most for bucket in today], column, STRIP),
        proposed=_steps([bucket.serving / most for bucket in proposed], column, STRIP) if proposed else "",
        highest=highest,
        most=most,
        days=_days(answer, column / width),
    )


def _steps(shares: Sequence[float], column: float, height: int) -> str:
    """A line in steps through these shares of the height."""
    points = []
    for number, share in enumerate(shares):
        level = f"{height * (1 - share):.1f}"
        points += [f"{number * column:.1f},{level}", f"{(number + 1) * column:.1f},{level}"]
    return " ".join(points)


def _stretches(filled: Sequence[Bucket], column: float) -> list[tuple[float, float]]:
    stretches: list[tuple[float, float]] = []
    for number, bucket in enumerate(filled):
        if not bucket.short:
            continue
        begin = number * column
        if stretches and abs(sum(stretches[-1]) - begin) < column / 2:
            stretches[-1] = stretches[-1][0], stretches[-1][1] + column
        else:
            stretches.append((begin, column))
    return [(round(begin, 1), round(width, 1)) for begin, width in stretches]


def _days(answer: Rehearsal, minute: float) -> list[Mark]:
    """The beginnings of days, at most fourteen of them."""
    load = answer.question.load
    first = -load.minute_of_day % 1440
    starts = range(first, answer.replay.minutes, 1440)
    every = max(1, -(-len(starts) // 14))
    marks = []
    for start in starts[::every]:
        at = load.at(start)
        marks.append(Mark(round(start * minute, 1), f"day {start // 1440 + 1}" if at is None else f"{at:%a} {at.day}"))
    return marks


def blocks(answer: Rehearsal, columns: int = COLUMNS) -> list[tuple[str, str]]:
    """The chart in block characters, each line with its name."""
    width = max(1, -(-answer.replay.minutes // columns))
    filled = buckets(answer.question.load.values, answer.replay, width)
    capacity = answer.question.behaviour.capacity
    highest = max([answer.question.load.peak, *(bucket.serving * capacity for bucket in filled)]) or 1.0
    lines = [
        ("load", _blocks([(bucket.load or 0.0) / highest for bucket in filled])),
        ("capacity", _blocks([bucket.serving * capacity / highest for bucket in filled])),
        ("short", "".join("█" if bucket.short else "·" for bucket in filled)),
    ]
    if answer.proposed:
        proposed = buckets(answer.question.load.values, answer.proposed, width)
        lines.append(("proposal", _blocks([min(1.0, bucket.serving * capacity / highest) for bucket in proposed])))
        lines.append(("short", "".join("█" if bucket.short else "·" for bucket in proposed)))
    return lines


def _blocks(shares: Sequence[float]) -> str:
    """Shares as heights; what is above zero is seen."""
    return "".join(_BLOCKS[max(1 if share > 0 else 0, min(8, int(share * 8 + 0.5)))] for share in shares)
