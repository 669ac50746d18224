"""When a schedule is over: ``at``, ``rate`` and ``cron`` expressions as Application Auto Scaling writes them."""

import re
from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

from chalicelib.inventory.facts import Unread

AT = re.compile(r"at\((\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2})?)\)")
CRON = re.compile(r"cron\((.+)\)")
_YEARS = re.compile(r"\d{4}(-\d{4})?(,\d{4}(-\d{4})?)*")
#: How far a place's clock may stand behind UTC, and before it.
_BEHIND, _BEFORE = timedelta(hours=12), timedelta(hours=14)


def over(expression: str, zone: str | None, now: datetime) -> bool:
    """True where the schedule will never come again.

    An ``at`` expression is read in its time zone (an IANA name, UTC without one). Raises Unread where that zone is not
    known and the moment lies so near that it decides. An expression that is not understood is taken to go on.

    >>> over("at(2024-05-01T20:00:00)", "Europe/Dublin", datetime(2026, 1, 1, tzinfo=UTC))
    True
    """
    if (once := AT.fullmatch(expression.strip())) is not None:
        return _passed(once.group(1), zone, now)
    fields = cron.group(1).split() if (cron := CRON.fullmatch(expression.strip())) is not None else []
    if len(fields) == 6 and _YEARS.fullmatch(fields[5]):
        last = max(int(year) for year in re.findall(r"\d{4}", fields[5]))
        return (now - _BEHIND).year > last
    return False


def _passed(written: str, zone: str | None, now: datetime) -> bool:
    try:
        local = datetime.fromisoformat(written)
    except ValueError:
        return False  # no day of the calendar: it never came, and AWS will say so
    known = clock(zone)
    if known is not None:
        return local.replace(tzinfo=known) <= now
    moment = local.replace(tzinfo=UTC)
    if moment + _BEHIND <= now:
        return True
    if moment - _BEFORE > now:
        return False
    raise Unread(f"the time zone {zone} of a scheduled action is not known")


def clock(zone: str | None) -> tzinfo | None:
    """The clock of a time zone, or None where its name is not known here."""
    if zone is None or zone in ("", "UTC", "Etc/UTC", "GMT"):
        return UTC
    try:
        return ZoneInfo(zone)
    except (ValueError, OSError, KeyError):  # ZoneInfoNotFoundError is a KeyError; a path or a folder is one of others
        return None
