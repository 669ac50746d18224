"""What people answered in Slack: exemptions of single findings, as items of the ledger's table, and which requests of
Slack were answered already.

``pk`` is ``answers#account#region`` and ``sk`` the finding's id; an item stays for a month after its end, so that the
audits which come then say that it ended.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from chalicelib.ledger.table import Expression, ItemTable, utc_now
from chalicelib.report.findings import Exemption

#: How long an exemption is kept after its last day, and a request after it was answered.
KEPT = timedelta(days=31)
REQUESTS, REQUEST_KEPT = "slack-requests", timedelta(hours=1)


@dataclass
class Answers:
    """The answers in ``table``. ``client`` is a DynamoDB client; ``clock`` is there to be replaced."""

    table: str
    client: Any
    clock: Callable[[], datetime] = utc_now

    def __post_init__(self) -> None:
        self._table = ItemTable(self.table, self.client)

    def of(self, account: str, region: str) -> Mapping[str, Exemption]:
        """The exemptions of an account and region by the finding's id, those included whose day has passed lately."""
        items = self._table.query(Expression("pk = :pk", pk=_partition(account, region)))
        return {item["sk"]: Exemption.model_validate_json(item["body"]) for item in items}

    def keep(self, account: str, region: str, finding: str, exemption: Exemption) -> None:
        """Writes the exemption of a finding in the place of the one before. It needs an end."""
        assert exemption.expires is not None
        last = datetime.combine(exemption.expires, datetime.min.time(), UTC)
        item = {"body": exemption.model_dump_json(), "expires": int((last + KEPT).timestamp())}
        self._table.put({"pk": _partition(account, region), "sk": finding, **item})

    def first_time(self, request: str) -> bool:
        """True for a request that was not answered before, which is noted; False for one that is replayed."""
        until = int((self.clock() + REQUEST_KEPT).timestamp())
        item = {"pk": REQUESTS, "sk": request, "expires": until}
        return self._table.put(item, Expression("attribute_not_exists(sk)"))


def _partition(account: str, region: str) -> str:
    return f"answers#{account}#{region}"
