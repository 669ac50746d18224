"""Who tells: whoever has written that a finding is owed to its channels and is being told.

The claim on a finding, or on the digest of a run, is a write of its item in the place of the one that was read; of two
who claim the same only one succeeds. What a channel takes is noted at once, for it alone. A claim runs out by itself:
what is still owed then is told by whoever comes next.
"""

import logging
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeVar

from msgspec.structs import replace

from chalicelib.ledger.digests import Digest
from chalicelib.ledger.ledger import Entry, Ledger
from chalicelib.ledger.table import LedgerFailed, Written
from chalicelib.report.known import Known

log = logging.getLogger(__name__)

#: How long a claim holds. Lambda gives an event whose invocation died again after one minute, and after two more.
CLAIM_SECONDS = 120
#: How long the claims of others are waited for; longer than one holds.
PATIENCE_SECONDS = 150
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 2.0


HeldEntry = TypeVar("HeldEntry", Known, Digest)


class LedgerBusy(LedgerFailed):
    """Somebody else is telling the same; the next try will find it done."""


@dataclass
class Claim:
    """The right to tell ``entries``, by the finding's id, and ``digest``, until it runs out."""

    ledger: Ledger
    entries: dict[str, Known] = field(default_factory=dict)
    digest: Digest | None = None
    _unwritten: dict[str, Entry] = field(default_factory=dict)
    _waited: float = 0.0
    _pause: float = FIRST_PAUSE

    # ---- waiting for others

    def held(self, entries: Iterable[HeldEntry]) -> list[HeldEntry]:
        """Those of them that somebody is telling."""
        now = self.ledger.clock()
        return [entry for entry in entries if entry.claimed_until is not None and entry.claimed_until > now]

    def wait(self, subject: str) -> None:
        """Waits, longer each time. Raises LedgerBusy when that has taken longer than a claim holds."""
        if self._waited >= PATIENCE_SECONDS:
            raise LedgerBusy(f"another audit is telling {subject}; the next try will find it done")
        self.ledger.sleep(self._pause)
        self._waited += self._pause
        self._pause = min(self._pause * 2, LONGEST_PAUSE)

    # ---- claiming

    def of_digest(self, digest: Digest) -> bool:
        """Claims a digest. False when somebody else was quicker."""
        ((written, outcome),) = self.ledger.write([replace(digest, claimed_until=self._until())])
        if outcome is Written.DONE and isinstance(written, Digest):
            self.digest = written
        return self.digest is not None

    def of_findings(self, entries: Iterable[Known]) -> dict[str, Written]:
        """Writes these findings, and claims those of which something is owed. Says of each how it went."""
        until = self._until()
        wanted: list[Entry] = [replace(known, claimed_until=until if known.owed else None) for known in entries]
        outcomes: dict[str, Written] = {}
        for written, outcome in self.ledger.write(wanted):
            if isinstance(written, Known):
                outcomes[written.finding.id] = outcome
                if outcome is Written.DONE:
                    self.entries[written.finding.id] = written
        return outcomes

    def _until(self) -> datetime:
        return self.ledger.clock() + timedelta(seconds=CLAIM_SECONDS)

    # ---- what was told

    def taken(self, channel: str, ids: Collection[str]) -> None:
        """Notes what a channel took: these findings, and the digest, if there is one. A table that does not take the
        note is asked again by :meth:`release`."""
        if self.digest is not None:
            owed = self.digest.owed - {channel}
            self._change(replace(self.digest, owed=owed, claimed_until=self.digest.claimed_until if owed else None))
        for id in sorted(self.entries.keys() & set(ids)):
            known = self.entries[id]
            left = {name: change for name, change in known.owed.items() if name != channel}
            self._change(replace(known, owed=left, claimed_until=known.claimed_until if left else None))
        try:
            self._write()
        except LedgerFailed as error:
            log.warning("what %s took is noted later: %s", channel, error)

    def release(self) -> None:
        """Notes what could not be noted before, and gives up the claim on what a channel did not take, so that the next
        attempt need not wait. Raises LedgerFailed."""
        claimed: list[Entry] = [*self.entries.values(), *([self.digest] if self.digest is not None else [])]
        for entry in claimed:
            if entry.claimed_until is not None:
                self._change(replace(entry, claimed_until=None))
        self._write()
        self.entries.clear()
        self.digest = None

    def _change(self, entry: Entry) -> None:
        if isinstance(entry, Digest):
            self.digest = entry
        else:
            self.entries[entry.finding.id] = entry
        self._unwritten[_key(entry)] = entry

    def _write(self) -> None:
        """Writes the claim as it is now, the digest with its findings; what somebody else has taken over is theirs."""
        for written, outcome in self.ledger.write(list(self._unwritten.values())):
            del self._unwritten[_key(written)]
            if isinstance(written, Digest):
                self.digest = written if outcome is Written.DONE else None
            elif outcome is Written.DONE:
                self.entries[written.finding.id] = written
            else:
                del self.entries[written.finding.id]


def _key(entry: Entry) -> str:
    return entry.run if isinstance(entry, Digest) else entry.finding.id
