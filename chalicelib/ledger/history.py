"""The posture of an account through time, in the ledger's table: a point for each sweep, and the last sweep of each
region without its findings, compressed and in pieces small enough for DynamoDB.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from msgspec import Struct

from chalicelib.ledger.pieces import joined, pieces, whole
from chalicelib.ledger.table import Expression, Item, ItemTable, utc_now
from chalicelib.report.findings import Report, Severity, utc_text
from chalicelib.report.posture import Point, posture, tally

#: Days that the points of the trend are kept, and the last sweep of a region that nobody audits any more.
KEPT_DAYS, LAST_DAYS = 400, 40
#: Points that a trend shows.
POINTS = 60
#: The definition of the score: points of an older one have a score that cannot be compared.
SCORED_BY = 2


class Past(Struct, frozen=True):
    """The last sweep of each region without its findings, their open findings by rule and severity, how many are
    exempt, and the trend, oldest first."""

    reports: tuple[Report, ...] = ()
    counted: dict[str, Counter[Severity]] = {}
    exempt: int = 0
    trend: tuple[Point, ...] = ()


@dataclass
class History:
    """The history in ``table``. Every method raises LedgerFailed when the table cannot be used."""

    table: str
    client: Any
    clock: Callable[[], datetime] = utc_now

    def __post_init__(self) -> None:
        self._table = ItemTable(self.table, self.client)

    def note(self, reports: Sequence[Report], merged: Report) -> None:
        """Keeps a sweep: the reports of its regions, and the point that they make together. An audit by some rules
        only is no sweep."""
        if merged.scope.rules or merged.scope.resources:
            return
        regions: dict[tuple[str, str], list[Report]] = {}
        for report in reports:
            regions.setdefault((report.accounts[0], report.regions[0]), []).append(report)
        for (account, region), parts in regions.items():
            self._keep(account, region, parts, merged.audit_id)
        stands = posture(merged)
        point = {
            "at": utc_text(merged.finished_at),
            "score": stands.score,
            "scored_by": SCORED_BY,
            "open": {severity.value: number for severity, number in stands.open.items()},
            "resources": sum(merged.resources.values()),
            "blind_spots": len(merged.blind_spots),
            "regions": sorted(merged.regions),
        }
        for account in merged.accounts:
            key = {"pk": _partition(account), "sk": f"point#{point['at']}#{merged.audit_id}"}
            self._table.put({**key, "body": json.dumps(point), "expires": self._expiry(KEPT_DAYS)})

    def _keep(self, account: str, region: str, reports: Sequence[Report], audit: str) -> None:
        """The reports of one region (two where it was split); those kept later take their place."""
        kept = [report.model_copy(update={"findings": []}) for report in reports]
        content = {
            "reports": [report.model_dump(mode="json") for report in kept],
            "open": tally(finding for report in reports for finding in report.findings),
            "exempt": sum(finding.status == "exempt" for report in reports for finding in report.findings),
        }
        expires = self._expiry(LAST_DAYS)
        self._table.put_pieces(_partition(account), f"last#{region}#", pieces(content), audit=audit, expires=expires)

    def of(self, account: str) -> Past:
        """What is kept of an account."""
        regions: dict[str, list[Item]] = {}
        for item in self._items(account, "last#"):
            regions.setdefault(item["sk"].rsplit("#", 1)[0], []).append(item)
        reports: list[Report] = []
        counted: dict[str, Counter[Severity]] = {}
        exempt = 0
        for items in regions.values():
            bodies = whole(items, "audit")
            if bodies is None:
                continue  # another sweep is writing it just now
            content = joined(bodies)
            reports += [Report.model_validate(report) for report in content["reports"]]
            exempt += content.get("exempt", 0)
            for rule, severities in content["open"].items():
                counted.setdefault(rule, Counter()).update(_by_severity(severities))
        return Past(tuple(reports), counted, exempt, self.trend(account))

    def trend(self, account: str) -> tuple[Point, ...]:
        """The points of an account's sweeps, oldest first."""
        newest = self._items(account, "point#", newest_first=True, limit=POINTS)
        points = [_point(json.loads(item["body"])) for _, item in zip(range(POINTS), newest, strict=False)]
        return tuple(reversed(points))

    def _items(
        self, account: str, prefix: str, *, newest_first: bool = False, limit: int | None = None
    ) -> Iterator[Item]:
        where = Expression("pk = :pk AND begins_with(sk, :prefix)", pk=_partition(account), prefix=prefix)
        return self._table.query(where, newest_first=newest_first, limit=limit)

    def _expiry(self, days: int) -> int:
        return int((self.clock() + timedelta(days=days)).timestamp())


def _partition(account: str) -> str:
    return f"history#{account}"


def _by_severity(numbers: dict[str, int]) -> dict[Severity, int]:
    return {Severity(severity): number for severity, number in numbers.items()}


def _point(body: dict[str, Any]) -> Point:
    return Point(
        at=datetime.fromisoformat(body["at"]),
        score=body["score"] if body.get("scored_by") == SCORED_BY else None,
        open=_by_severity(body["open"]),
        resources=body["resources"],
        blind_spots=body["blind_spots"],
        regions=tuple(body["regions"]),
    )
