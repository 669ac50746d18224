"""Every end that is known, in one list: on which day what capacity, support or exemption is over."""

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Literal

from pydantic import BaseModel, ConfigDict

#: A digest names what ends within this many days.
SOON_DAYS = 30

#: What ends: the time of a training plan or of a block of it, the support of a platform, an exemption, or the room
#: under a quota, where a schedule will ask for more.
CalendarKind = Literal["training-plan", "platform", "exemption", "quota"]


class CalendarEntry(BaseModel):
    """One end. ``day`` is the first day (UTC) on which what ends is no longer there, or for an exemption its last.

    ``resource`` is the ARN or the name, for an exemption of the policy its pattern. ``account`` and ``region`` are None
    for what the policy says of all. ``says`` is a sentence without a full stop; ``rule`` the rule that judges it, for
    an exemption the one from which it exempts.
    """

    day: date
    kind: CalendarKind
    resource: str
    says: str
    account: str | None = None
    region: str | None = None
    rule: str | None = None
    owner: str | None = None

    model_config = ConfigDict(frozen=True, defer_build=True, extra="forbid")

    @property
    def place(self) -> str:
        """Account and region, or nothing for what holds everywhere."""
        return " ".join(filter(None, (self.account, self.region)))


def in_order(entries: Iterable[CalendarEntry]) -> list[CalendarEntry]:
    """Each entry once, the next end first."""
    return sorted(dict.fromkeys(entries), key=lambda entry: (entry.day, entry.kind, entry.resource, entry.place))


def soon(entries: Iterable[CalendarEntry], today: date, days: int = SOON_DAYS) -> list[CalendarEntry]:
    """The entries from ``today`` on whose day is at most so many days ahead."""
    return [entry for entry in entries if today <= entry.day <= today + timedelta(days=days)]
