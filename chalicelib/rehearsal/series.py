"""The load: a number for every minute, and what it means where there is none."""

import csv
import math
from array import array
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime

from msgspec import Struct

from chalicelib.inventory.traffic import MINUTE, Minutes, number_of
from chalicelib.rehearsal.bounds import MOST

#: A share of datapoints that are no numbers beyond which the others are not trusted, either.
MOST_UNSOUND = 0.01
#: The longest load that a file may hold: two years.
MOST_MINUTES = 2 * 366 * 1440


class UnsoundSeries(ValueError):
    """A load that cannot be replayed; the text says why."""


class NoTraffic(UnsoundSeries):
    """Nothing has come in the window."""


class Load(Struct, frozen=True):
    """Requests, or whatever is followed, of each minute since ``begin`` (UTC); NaN where there is no datapoint.

    ``unsound`` counts the datapoints that were negative, infinite or no number, which are gaps; ``asked`` the minutes
    of the window that was asked for, which begins before the load where the variant is newer.
    """

    values: "array[float]"
    begin: datetime | None = None
    unsound: int = 0
    asked: int = 0

    @property
    def minutes(self) -> int:
        return len(self.values)

    @property
    def gaps(self) -> int:
        return sum(value != value for value in self.values)

    @property
    def peak(self) -> float:
        return max((value for value in self.values if value == value), default=0.0)

    @property
    def minute_of_day(self) -> int:
        """The minute of the day, in UTC, with which it begins."""
        return self.begin.hour * 60 + self.begin.minute if self.begin else 0

    def at(self, minute: int) -> datetime | None:
        """When a minute was."""
        return self.begin + minute * MINUTE if self.begin else None

    def times(self, factor: float) -> "Load":
        """The same with so many times the traffic. Raises ValueError for a factor that is not above zero."""
        if not 0 < factor < math.inf:
            raise ValueError(f"a multiplier of {factor:g}; accepted is a number above 0")
        scaled = array("d", (value * factor for value in self.values))
        return Load(scaled, self.begin, self.unsound, self.asked)


def of_points(points: Mapping[int, float], begin: datetime, end: datetime) -> Load:
    """The load of a window from datapoints by the number of their minute, from the first datapoint on: before it there
    was no variant. Raises NoTraffic without any, UnsoundSeries where more than a hundredth of the window is unsound."""
    minutes, beginning = (end - begin) // MINUTE, number_of(begin)
    values = array("d", [math.nan]) * minutes
    unsound, first = 0, minutes
    for number, value in points.items():
        minute = number - beginning
        if not 0 <= minute < minutes:
            continue
        if 0 <= value <= MOST:
            values[minute] = value
        else:
            unsound += 1
        if minute < first:
            first = minute
    if first == minutes:
        raise NoTraffic("no datapoint in the window")
    _trusted(unsound, minutes)
    return Load(values[first:], begin + first * MINUTE, unsound, minutes)


def _trusted(unsound: int, minutes: int) -> None:
    if unsound > MOST_UNSOUND * minutes:
        raise UnsoundSeries(f"{unsound} datapoints of {minutes} minutes are negative, infinite or no numbers")


def of_file(lines: Iterable[str]) -> Load:
    """The load of a CSV file with a minute and a value in each line.

    The minute is a number (any first one) or a time in ISO 8601, without a zone in UTC. A first line that begins with
    neither is a heading; minutes left out are gaps. Raises UnsoundSeries with the number of the line.
    """
    points = dict(_points(lines))
    if not points:
        raise UnsoundSeries("the file holds no minute with a value")
    moments = list(points)
    first, last = min(moments), max(moments)
    span = int((last - first) / MINUTE) + 1
    if span > MOST_MINUTES:
        raise UnsoundSeries(f"the file spans {span:,} minutes; accepted are {MOST_MINUTES:,} at most")
    load = of_points({number_of(at): value for at, value in points.items()}, first, last + MINUTE)
    return load if first.year > LAST_NUMBERED_YEAR else Load(load.values, None, load.unsound, load.asked)


#: Where minutes that are plain numbers are counted from; no file with dates reaches back so far.
_EPOCH = datetime(1, 1, 1, tzinfo=UTC)
LAST_NUMBERED_YEAR = 1000


def _points(lines: Iterable[str]) -> Iterator[tuple[datetime, float]]:
    seen: dict[datetime, int] = {}
    kinds: set[bool] = set()
    for number, row in enumerate(csv.reader(lines), 1):
        if not row or row[0].lstrip().startswith("#"):
            continue
        moment = _moment(row[0].strip())
        if moment is None and number == 1:
            continue
        if moment is None or len(row) < 2:
            raise UnsoundSeries(f"line {number}: {','.join(row)[:60]!r}; accepted is a minute, a comma and a value")
        kinds.add(moment.year > LAST_NUMBERED_YEAR)
        if len(kinds) > 1:
            raise UnsoundSeries(f"line {number}: a number of a minute among times, or the other way round")
        if moment in seen:
            raise UnsoundSeries(f"line {number}: the minute of line {seen[moment]} a second time")
        seen[moment] = number
        value = _value(row[1].strip(), number)
        if value is not None:
            yield moment, value


def _moment(written: str) -> datetime | None:
    if written.isdigit():
        minute = int(written)
        return _EPOCH + minute * MINUTE if minute < MOST_MINUTES else None
    try:
        moment = datetime.fromisoformat(written)
    except ValueError:
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return moment.astimezone(UTC).replace(second=0, microsecond=0)


def _value(written: str, number: int) -> float | None:
    """The value of a line; None for an empty one, which is a gap."""
    if not written:
        return None
    try:
        return float(written)
    except ValueError:
        raise UnsoundSeries(f"line {number}: {written[:40]!r} is no number") from None


def per_instance(values: Mapping[int, float], counts: Mapping[int, float]) -> Minutes:
    """What all instances together had, from a metric that is an average over them and the count of each minute; where
    the count of a minute is not recorded, that of the last minute that has it."""
    whole: Minutes = {}
    count: float | None = None
    for minute in sorted({*values, *counts}):
        count = counts.get(minute, count)
        if minute in values and count is not None:
            whole[minute] = values[minute] * count
    return whole
