"""What resolved findings really saved: by the estimate at the time, and by the configuration seen afterwards. Pure."""

import math
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Literal

from pydantic import BaseModel, ConfigDict

#: Changes that an answer names, the newest first.
NAMED = 50


class _Contract(BaseModel):
    model_config = ConfigDict(frozen=True, defer_build=True, extra="forbid")


class Realization(_Contract):
    """A finding with a saving that resolved on a ``day``. ``estimated_usd`` is what its fix was to save a month;
    ``seen_usd`` what the configuration of the next audit costs less, None where that does not tell; ``changed`` says
    what that audit saw. Since ``back`` the finding is there again, and the amounts count no more. Of one ``place`` and
    day the largest amounts count."""

    id: str
    rule: str
    account: str
    region: str
    kind: str
    name: str
    place: str
    day: date
    estimated_usd: float
    seen_usd: float | None = None
    changed: str
    back: date | None = None

    def counts(self, day: date) -> bool:
        """True where its amounts count on a day."""
        return self.day <= day and (self.back is None or self.back > day)


class CurvePoint(_Contract):
    """What was saved a month by a day."""

    day: date
    estimated_usd: float
    seen_usd: float


class Realized(_Contract):
    """What resolved findings save a month: ``findings`` of them since ``since``, ``estimated_usd`` in all, of which
    ``seen_usd`` were seen in the configuration. ``curve`` has a point for each day on which that changed; ``changes``
    are the newest."""

    currency: Literal["USD"] = "USD"
    since: date | None = None
    findings: int = 0
    estimated_usd: float = 0.0
    seen_usd: float = 0.0
    curve: list[CurvePoint] = []
    changes: list[Realization] = []

    @property
    def words(self) -> str:
        """The whole in a sentence; empty before the first."""
        if self.since is None:
            return ""
        number = f"{self.findings:,} finding{'' if self.findings == 1 else 's'} resolved"
        return (
            f"since {self.since:%B %Y}: {number}, ${self.estimated_usd:,.0f} a month (USD) less, "
            f"of which ${self.seen_usd:,.0f} seen in the configuration"
        )


def realized(entries: Iterable[Realization]) -> Realized:
    """The sums of these, in whatever order they come."""
    known = sorted(entries, key=lambda entry: (entry.day, entry.id))
    if not known:
        return Realized()
    days = sorted({day for entry in known for day in (entry.day, entry.back) if day is not None})
    curve = [_point(known, day) for day in days]
    last = curve[-1]
    return Realized(
        since=known[0].day,
        findings=sum(1 for entry in known if entry.back is None),
        estimated_usd=last.estimated_usd,
        seen_usd=last.seen_usd,
        curve=curve,
        changes=known[::-1][:NAMED],
    )


def _point(entries: Sequence[Realization], day: date) -> CurvePoint:
    groups: dict[tuple[str, date], list[Realization]] = {}
    for entry in entries:
        if entry.counts(day):
            groups.setdefault((entry.place, entry.day), []).append(entry)
    estimated = math.fsum(max(entry.estimated_usd for entry in group) for group in groups.values())
    seen = math.fsum(max((entry.seen_usd or 0.0 for entry in group), key=abs) for group in groups.values())
    return CurvePoint(day=day, estimated_usd=round(estimated, 2), seen_usd=round(seen, 2))
