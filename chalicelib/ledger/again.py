"""Which resources somebody will ask about again, in the ledger's table: one at a time for each."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from chalicelib.ledger.table import Expression, ItemTable, stamp, utc_now

#: How long a claim is kept that nobody looks at any more.
KEPT = timedelta(days=1)


@dataclass
class Pending:
    """The claims in ``table``. Both methods raise LedgerFailed when the table cannot be used."""

    table: str
    client: Any
    clock: Callable[[], datetime] = utc_now

    def __post_init__(self) -> None:
        self._table = ItemTable(self.table, self.client)

    def claim(self, arn: str, until: datetime) -> bool:
        """True for whoever is first to ask about a resource again, until that moment has come."""
        item = {"pk": _partition(arn), "sk": "again", "until": stamp(until), "expires": int((until + KEPT).timestamp())}
        free = Expression("attribute_not_exists(#until) OR #until <= :now", now=stamp(self.clock()))
        return self._table.put(item, free)

    def release(self, arn: str, until: datetime) -> None:
        """Gives up the claim that was taken until that moment."""
        own = Expression("#until = :until", until=stamp(until))
        self._table.update(_partition(arn), "again", Expression("REMOVE #until"), own)


def _partition(arn: str) -> str:
    return f"again#{arn}"
