"""At which minutes of a window scheduled actions are done: ``at``, ``rate`` and ``cron`` with their time zones.

Source: Application Auto Scaling user guide, "Schedule recurring scaling actions using cron expressions".
"""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, tzinfo

from chalicelib.inventory.kinds.scaling import ScheduledAction
from chalicelib.inventory.schedules import AT, CRON, clock

MINUTE = timedelta(minutes=1)
_RATE = re.compile(r"rate\((\d+) (minute|hour|day)s?\)")
_MONTHS = dict(JAN=1, FEB=2, MAR=3, APR=4, MAY=5, JUN=6, JUL=7, AUG=8, SEP=9, OCT=10, NOV=11, DEC=12)
#: AWS counts the days of the week from Sunday.
_WEEKDAYS = dict(SUN=1, MON=2, TUE=3, WED=4, THU=5, FRI=6, SAT=7)
_ITEM = re.compile(r"(?:(\*|\?)|(\d+)(?:-(\d+))?)(?:/(\d+))?")


class UnreadSchedule(ValueError):
    """A schedule of which the minutes are not known; the text says why."""


def minutes_of(action: ScheduledAction, begin: datetime, minutes: int) -> list[int]:
    """The minutes since ``begin`` at which the action is done, in a window of so many. Raises UnreadSchedule."""
    zone = clock(action.timezone)
    if zone is None:
        raise UnreadSchedule(f"the time zone {action.timezone} is not known")
    end = begin + minutes * MINUTE
    first = max(begin, action.start) if action.start else begin
    last = min(end, action.end) if action.end else end
    try:
        moments = [moment for moment in _moments(action, zone, first, last) if first <= moment < last]
    except OverflowError:
        raise UnreadSchedule(f"{action.schedule!r} lies beyond the calendar") from None
    return sorted({int((moment - begin) // MINUTE) for moment in moments})


def _moments(action: ScheduledAction, zone: tzinfo, first: datetime, last: datetime) -> Iterator[datetime]:
    expression = action.schedule.strip()
    if (once := AT.fullmatch(expression)) is not None:
        yield _local(once.group(1), zone)
    elif (rate := _RATE.fullmatch(expression)) is not None:
        yield from _every(rate, action, first, last)
    elif (cron := CRON.fullmatch(expression)) is not None:
        yield from _by_cron(cron.group(1), zone, first, last)
    else:
        raise UnreadSchedule(f"{expression!r} is not understood")


def _local(written: str, zone: tzinfo) -> datetime:
    try:
        return datetime.fromisoformat(written).replace(tzinfo=zone).astimezone(UTC)
    except ValueError:
        raise UnreadSchedule(f"at({written}) is no time") from None


def _every(rate: re.Match[str], action: ScheduledAction, first: datetime, last: datetime) -> Iterator[datetime]:
    if action.start is None:
        raise UnreadSchedule(f"{action.schedule} has no start, so that nobody knows its minutes")
    step = timedelta(**{f"{rate.group(2)}s": int(rate.group(1))})
    if not step:
        raise UnreadSchedule(f"{action.schedule} never comes")
    moment = action.start + max(0, -(-(first - action.start) // step)) * step
    while moment < last:
        yield moment
        moment += step


def _by_cron(fields: str, zone: tzinfo, first: datetime, last: datetime) -> Iterator[datetime]:
    parts = fields.split()
    if len(parts) != 6:
        raise UnreadSchedule(f"cron({fields}) has {len(parts)} fields; accepted are 6")
    minutes, hours = _numbers(parts[0], 0, 59), _numbers(parts[1], 0, 23)
    days, months = _numbers(parts[2], 1, 31), _numbers(parts[3], 1, 12, _MONTHS)
    weekdays, years = _numbers(parts[4], 1, 7, _WEEKDAYS), _numbers(parts[5], 1970, 2199)
    day: date = (first.astimezone(zone) - timedelta(days=1)).date()
    while day <= last.astimezone(zone).date():
        if day.year in years and day.month in months and day.day in days and day.isoweekday() % 7 + 1 in weekdays:
            for hour in sorted(hours):
                for minute in sorted(minutes):
                    yield datetime(day.year, day.month, day.day, hour, minute, tzinfo=zone).astimezone(UTC)
        day += timedelta(days=1)


def _numbers(field: str, lowest: int, highest: int, names: dict[str, int] | None = None) -> set[int]:
    """The numbers that a field of a cron expression stands for. Raises UnreadSchedule for what is not understood, such
    as ``L``, ``W`` and ``#``."""
    written = field.upper()
    for name, number in (names or {}).items():
        written = written.replace(name, str(number))
    numbers: set[int] = set()
    for item in written.split(","):
        match = _ITEM.fullmatch(item)
        if match is None:
            raise UnreadSchedule(f"the field {field} of a cron expression is not understood")
        every, begin, end, step = match.groups()
        low = lowest if every else int(begin)
        high = highest if every or (step and not end) else int(end or begin)
        if not lowest <= low <= high <= highest or step == "0":
            raise UnreadSchedule(f"the field {field} of a cron expression is not understood")
        numbers |= set(range(low, high + 1, int(step or 1)))
    return numbers
