"""Prices as they are remembered from audit to audit: those of a region together, each with the time of its reading."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from msgspec import Struct
from msgspec.structs import asdict

from chalicelib.inventory.remembered import Answer, Memory
from chalicelib.money.prices import Component, Price, Use

#: For how long a price is taken from memory, and for how long that there is none.
KEPT, KEPT_MISS = timedelta(days=7), timedelta(days=1)
#: Prices are the same for every account of a partition.
_ACCOUNT, _SUBJECT = "all", "prices"


class Kept(Struct, frozen=True):
    """What is known of a use: its price, or the reason why there is none. ``read_at`` is when that was read; None: just
    now."""

    price: Price | None = None
    reason: str = ""
    read_at: datetime | None = None


@dataclass
class Shelf:
    """What is known of the prices of a region at ``now``. A memory that is broken is an empty one."""

    region: str
    now: datetime
    known: dict[Use, Kept] = field(default_factory=dict)
    _whole_at: dict[Component, datetime] = field(default_factory=dict)

    @classmethod
    def of(cls, memory: Memory, region: str, now: datetime) -> "Shelf":
        """What is remembered of a region, as far as it is fresh."""
        shelf = cls(region, now)
        answer = memory.recall_answer(_ACCOUNT, region, _SUBJECT)
        for entry in answer.records if answer is not None else ():
            try:
                shelf._take(entry)
            except (KeyError, TypeError, ValueError):
                continue
        return shelf

    def keep(self, memory: Memory) -> None:
        """Remembers what is known now."""
        entries: list[Mapping[str, Any]] = [
            {"whole": component.value, "read_at": read_at.isoformat()} for component, read_at in self._whole_at.items()
        ]
        for use, kept in self.known.items():
            entries.append(
                {
                    "type": use.instance_type,
                    "component": use.component.value,
                    "read_at": (kept.read_at or self.now).isoformat(),
                    **({"price": asdict(kept.price)} if kept.price is not None else {"reason": kept.reason}),
                }
            )
        memory.keep_answer(_ACCOUNT, self.region, _SUBJECT, Answer(self.now, entries))

    def _take(self, entry: Mapping[str, Any]) -> None:
        read_at = datetime.fromisoformat(entry["read_at"])
        fresh = KEPT if "reason" not in entry else KEPT_MISS
        if not timedelta(0) <= self.now - read_at < fresh:
            return
        if "whole" in entry:
            self._whole_at[Component(entry["whole"])] = read_at
            return
        price = Price(**entry["price"]) if "price" in entry else None
        use = Use(entry["type"], Component(entry["component"]))
        self.known[use] = Kept(price, entry.get("reason", ""), read_at)

    @property
    def whole(self) -> frozenset[Component]:
        """The components of which every type was read."""
        return frozenset(self._whole_at)

    def lacking(
        self, uses: Iterable[Use], components: frozenset[Component]
    ) -> tuple[list[Use], frozenset[Component]] | None:
        """The uses and the whole components that are not known; None where all are."""
        unknown = [use for use in uses if use not in self.known]
        unread = components - self.whole
        return (unknown, unread) if unknown or unread else None

    def put(self, entries: Mapping[Use, Kept]) -> None:
        """Takes what was read just now."""
        self.known |= entries

    def put_whole(self, component: Component, entries: Mapping[Use, Kept]) -> None:
        """Takes every use of a component, as it was read just now: a type that is not among them has no price."""
        self.known = {use: kept for use, kept in self.known.items() if use.component is not component} | dict(entries)
        self._whole_at[component] = self.now

    def prices(self, uses: Iterable[Use], components: Iterable[Component]) -> dict[Use, Price]:
        """The prices of these uses and of these components, as far as there are any."""
        wanted, whole = set(uses), set(components)
        return {
            use: kept.price
            for use, kept in self.known.items()
            if kept.price is not None and (use in wanted or use.component in whole)
        }

    def notes(self, uses: Iterable[Use]) -> tuple[str, ...]:
        """A line for each reason why uses have no price."""
        by_reason: dict[str, list[str]] = {}
        for use in uses:
            kept = self.known.get(use)
            if kept is not None and kept.price is None:
                by_reason.setdefault(kept.reason, []).append(str(use))
        return tuple(
            f"no price of {', '.join(names)} in {self.region}: {reason}" for reason, names in by_reason.items()
        )
