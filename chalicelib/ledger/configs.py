"""Endpoint configs remembered in the ledger's table, across cold starts: one blob an account and region, in pieces."""

import logging
import uuid
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from chalicelib.inventory.cached import packed, unpacked
from chalicelib.inventory.remembered import Configs
from chalicelib.ledger.table import Expression, ItemTable, LedgerFailed, utc_now, whole

log = logging.getLogger(__name__)

#: DynamoDB takes 400 kB an item; a blob is stored as it is.
PIECE = 350_000
KEPT_DAYS = 90


@dataclass
class TableMemory:
    """The memory in ``table``. Pieces carry the id of their writing, so that two writers never mix."""

    table: str
    client: Any

    def __post_init__(self) -> None:
        self._table = ItemTable(self.table, self.client)

    def recall(self, account: str, region: str) -> Configs:
        """What the table holds; nothing while its pieces are of different writings."""
        try:
            items = list(self._table.query(Expression("pk = :pk", pk=_key(account, region))))
            bodies = whole(items, "writing") if items else None
            return unpacked(b"".join(bodies)) if bodies else {}
        except (LedgerFailed, KeyError, TypeError, ValueError) as error:
            log.warning("nothing is remembered of %s in %s: %s", region, account, error)
            return {}

    def keep(self, account: str, region: str, configs: Configs) -> None:
        """Writes the pieces; those left over from a longer writing before are not looked at."""
        blob, expires = packed(configs), int((utc_now() + timedelta(days=KEPT_DAYS)).timestamp())
        bodies = [blob[start : start + PIECE] for start in range(0, len(blob), PIECE)]
        try:
            self._table.put_pieces(_key(account, region), "", bodies, writing=uuid.uuid4().hex, expires=expires)
        except LedgerFailed as error:
            log.warning("the endpoint configs of %s in %s are not remembered: %s", region, account, error)


def _key(account: str, region: str) -> str:
    return f"remembered#{account}#{region}"
