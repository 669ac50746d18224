"""What audits remember in the ledger's table, across cold starts: endpoint configs and answers that seldom change, a
blob an account and region each, in pieces."""

import logging
import uuid
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from chalicelib.inventory.cached import packed, packed_answer, unpacked, unpacked_answer
from chalicelib.inventory.remembered import Answer, Configs
from chalicelib.ledger.pieces import whole
from chalicelib.ledger.table import Expression, ItemTable, LedgerFailed, utc_now

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
        blob = self._read(_key(account, region))
        try:
            return unpacked(blob) if blob else {}
        except ValueError as error:
            log.warning("nothing is remembered of %s in %s: %s", region, account, error)
            return {}

    def keep(self, account: str, region: str, configs: Configs) -> None:
        """Writes the pieces; those left over from a longer writing before are not looked at."""
        self._write(_key(account, region), packed(configs))

    def recall_answer(self, account: str, region: str, subject: str) -> Answer | None:
        """What the table holds of a subject."""
        blob = self._read(_key(account, region, subject))
        try:
            return unpacked_answer(blob) if blob else None
        except ValueError as error:
            log.warning("nothing is remembered of %s of %s in %s: %s", subject, region, account, error)
            return None

    def keep_answer(self, account: str, region: str, subject: str, answer: Answer) -> None:
        """Writes the pieces of a subject."""
        self._write(_key(account, region, subject), packed_answer(answer))

    def _read(self, key: str) -> bytes:
        """The blob under a key; empty where there is none."""
        try:
            items = list(self._table.query(Expression("pk = :pk", pk=key)))
            return b"".join(whole(items, "writing") or ()) if items else b""
        except (LedgerFailed, KeyError, TypeError, ValueError) as error:
            log.warning("nothing is remembered under %s: %s", key, error)
            return b""

    def _write(self, key: str, blob: bytes) -> None:
        expires = int((utc_now() + timedelta(days=KEPT_DAYS)).timestamp())
        bodies = [blob[start : start + PIECE] for start in range(0, len(blob), PIECE)]
        try:
            self._table.put_pieces(key, "", bodies, writing=uuid.uuid4().hex, expires=expires)
        except LedgerFailed as error:
            log.warning("nothing is remembered under %s: %s", key, error)


def _key(account: str, region: str, subject: str = "") -> str:
    return "#".join(("remembered", account, region, *([subject] if subject else [])))
