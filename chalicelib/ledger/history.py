"""The posture of an account through time, in the ledger's table: a point for each sweep, and the last sweep of each
region without its findings, compressed and in pieces small enough for DynamoDB.
"""

import base64
import json
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.ledger.ledger import LedgerFailed
from chalicelib.report.findings import Report, Severity, utc_text
from chalicelib.report.posture import Point, posture, tally, without_exempt

#: DynamoDB takes 400 kB an item; base64 and the other attributes need room.
PIECE = 250_000
#: Days that the points of the trend are kept, and the last sweep of a region that nobody audits any more.
KEPT_DAYS, LAST_DAYS = 400, 40
#: Points that a trend shows.
POINTS = 60


@dataclass(frozen=True, slots=True)
class Past:
    """The last sweep of each region without its findings, their open findings by rule and severity, and the trend,
    oldest first."""

    reports: tuple[Report, ...] = ()
    counted: dict[str, Counter[Severity]] = field(default_factory=dict)
    trend: tuple[Point, ...] = ()


def pieces(told: Any) -> list[str]:
    """JSON, compressed, in pieces that fit into an item."""
    packed = base64.b64encode(zlib.compress(json.dumps(told, separators=(",", ":")).encode(), 6)).decode()
    return [packed[start : start + PIECE] for start in range(0, len(packed), PIECE)]


def joined(several: Sequence[str]) -> Any:
    """The JSON of which these are the pieces, in their order."""
    return json.loads(zlib.decompress(base64.b64decode("".join(several))))


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass
class History:
    """The history in ``table``. Every method raises LedgerFailed when the table cannot be used."""

    table: str
    client: Any
    clock: Callable[[], datetime] = utc_now

    def note(self, reports: Sequence[Report], merged: Report) -> None:
        """Keeps a sweep: the reports of its regions, and the point that they make together. An audit by some rules
        only is no sweep."""
        if merged.scope.rules or merged.scope.resources:
            return
        regions: dict[tuple[str, str], list[Report]] = {}
        for report in reports:
            regions.setdefault((report.accounts[0], report.regions[0]), []).append(report)
        for (account, region), several in regions.items():
            self._keep(account, region, several, merged.audit_id)
        stands = posture(merged)
        point = {
            "at": utc_text(merged.finished_at),
            "score": stands.score,
            "open": {severity.value: number for severity, number in stands.open.items()},
            "resources": sum(merged.resources.values()),
            "blind_spots": len(merged.blind_spots),
            "regions": sorted(merged.regions),
        }
        for account in merged.accounts:
            self._put(account, f"point#{point['at']}#{merged.audit_id}", json.dumps(point))

    def _keep(self, account: str, region: str, reports: Sequence[Report], audit: str) -> None:
        """The reports of one region (two where it was split); those kept later take their place."""
        kept = [without_exempt(one).model_copy(update={"findings": []}) for one in reports]
        several = pieces(
            {
                "reports": [one.model_dump(mode="json") for one in kept],
                "open": tally(finding for one in reports for finding in one.findings),
            }
        )
        for number, piece in enumerate(several):
            more = {"audit": {"S": audit}, "pieces": {"N": str(len(several))}}
            self._put(account, f"last#{region}#{number:04}", piece, days=LAST_DAYS, **more)

    def of(self, account: str) -> Past:
        """What is kept of an account."""
        regions: dict[str, list[dict[str, Any]]] = {}
        for item in self._items(account, "last#"):
            regions.setdefault(item["sk"]["S"].rsplit("#", 1)[0], []).append(item)
        reports: list[Report] = []
        counted: dict[str, Counter[Severity]] = {}
        for several in regions.values():
            number, audit = int(several[0]["pieces"]["N"]), several[0]["audit"]["S"]
            current = [one["body"]["S"] for one in several[:number] if one["audit"]["S"] == audit]
            if len(current) < number:
                continue  # another sweep is writing it just now
            told = joined(current)
            reports += [Report.model_validate(one) for one in told["reports"]]
            for rule, severities in told["open"].items():
                counted.setdefault(rule, Counter()).update({Severity(one): n for one, n in severities.items()})
        newest = self._items(account, "point#", ScanIndexForward=False, Limit=POINTS)
        points = [_point(json.loads(item["body"]["S"])) for _, item in zip(range(POINTS), newest, strict=False)]
        return Past(tuple(reports), counted, tuple(reversed(points)))

    def _put(self, account: str, key: str, body: str, *, days: int = KEPT_DAYS, **more: Any) -> None:
        expires = int((self.clock() + timedelta(days=days)).timestamp())
        item = {"pk": {"S": f"history#{account}"}, "sk": {"S": key}, "body": {"S": body}, **more}
        self._call("put_item", Item={**item, "expires": {"N": str(expires)}})

    def _items(self, account: str, prefix: str, **asked: Any) -> Iterator[dict[str, Any]]:
        start: Any = None
        while True:
            following = {"ExclusiveStartKey": start} if start else {}
            answer = self._call(
                "query",
                KeyConditionExpression="pk = :pk AND begins_with(sk, :prefix)",
                ExpressionAttributeValues={":pk": {"S": f"history#{account}"}, ":prefix": {"S": prefix}},
                **asked,
                **following,
            )
            yield from answer["Items"]
            start = answer.get("LastEvaluatedKey")
            if start is None:
                return

    def _call(self, operation: str, **asked: Any) -> dict[str, Any]:
        try:
            answer: dict[str, Any] = getattr(self.client, operation)(TableName=self.table, **asked)
        except (ClientError, BotoCoreError) as error:
            raise LedgerFailed(f"the table {self.table} cannot be used: {error}; AUDITOR_TABLE names it") from error
        return answer


def _point(told: dict[str, Any]) -> Point:
    return Point(
        at=datetime.fromisoformat(told["at"]),
        score=told["score"],
        open={Severity(one): number for one, number in told["open"].items()},
        resources=told["resources"],
        blind_spots=told["blind_spots"],
        regions=tuple(told["regions"]),
    )
