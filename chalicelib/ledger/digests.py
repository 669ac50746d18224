"""The digest of one account and run, as an item of the ledger's table: the channels to which it is still owed."""

from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from chalicelib.ledger.table import Item, parsed, stamp


class Digest(Struct, frozen=True):
    """``owed``, ``claimed_until`` and ``version`` as those of a finding (:class:`chalicelib.report.findings.Known`)."""

    account: str
    run: str
    owed: frozenset[str]
    claimed_until: datetime | None = None
    version: str | None = None

    @property
    def key(self) -> tuple[str, str]:
        """Partition and sort key of its item."""
        return f"digest#{self.account}", self.run

    def as_in(self, item: Item) -> "Digest":
        """The same digest as its item has it; a channel that is not configured any more is owed nothing."""
        claimed, owed = item.get("claimed"), self.owed & set(item.get("owed", ()))
        return replace(self, owed=owed, claimed_until=parsed(claimed) if claimed else None, version=item["version"])


def digest_item(digest: Digest, expires: datetime) -> Item:
    """The item of a digest. DynamoDB has no empty sets."""
    pk, sk = digest.key
    owed = {"owed": set(digest.owed)} if digest.owed else {}
    claimed = {"claimed": stamp(digest.claimed_until)} if digest.claimed_until is not None else {}
    return {"pk": pk, "sk": sk, "version": digest.version, "expires": int(expires.timestamp()), **owed, **claimed}
