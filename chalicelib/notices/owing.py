"""What each channel is to hear: pure. A decision, and what the channels were still owed, become changes by channel."""

from collections.abc import Collection, Mapping

from msgspec import Struct
from msgspec.structs import replace

from chalicelib.notices.decide import Decision, tells
from chalicelib.notices.notice import Change
from chalicelib.policy.policy import Policy
from chalicelib.report.findings import ChangeKind
from chalicelib.report.known import Known


class Owing(Struct, frozen=True):
    """A finding as it is to be written, what each channel is to hear of it, and the channels that were owed something
    before."""

    known: Known
    changes: Mapping[str, Change]
    late: frozenset[str] = frozenset()

    def differs(self, stored: Known | None) -> bool:
        """True where there is more to write than that it was seen again."""
        if stored is None:
            return True
        before, now = stored.finding, self.known.finding
        return (now.status, now.severity, self.known.owed) != (before.status, before.severity, stored.owed)


def owings(
    decision: Decision, known: Mapping[str, Known], channels: Collection[str], policy: Policy
) -> dict[str, Owing]:
    """By the finding's id, everything that is to be written: what was decided, and of what else a channel is owed
    something."""
    changes = {change.finding.id: change for change in decision.changes}
    current = {entry.finding.id: entry for entry in decision.remember}
    debts = {id: entry for id, entry in known.items() if id not in current and entry.owed}
    return {
        id: _owing(entry, known.get(id), changes.get(id), channels, policy)
        for id, entry in {**debts, **current}.items()
    }


def _owing(
    entry: Known, before: Known | None, change: Change | None, channels: Collection[str], policy: Policy
) -> Owing:
    owed_before = before.owed if before is not None else {}
    heard: dict[str, Change] = {}
    for channel in channels:
        kind = _owed(owed_before.get(channel), change.change if change is not None else None, entry, policy)
        if change is not None and kind == change.change:
            heard[channel] = change
        elif kind is not None:
            heard[channel] = Change(change=kind, finding=entry.finding)
    return Owing(
        replace(
            entry,
            owed={channel: change.change for channel, change in heard.items()},
            claimed_until=None,
            version=before.version if before is not None else None,
        ),
        heard,
        frozenset(owed_before),
    )


def _owed(before: ChangeKind | None, change: ChangeKind | None, entry: Known, policy: Policy) -> ChangeKind | None:
    """What a channel is to hear that is owed ``before``, when ``change`` was decided now."""
    finding = entry.finding
    if change == "resolved":
        return change
    over = finding.status == "resolved"
    if before is not None and not over and not tells(finding, policy):
        return change
    if change is None:
        return before if (before == "resolved") == over else None
    if before in ("new", "back") or (before is not None and change == "reminder"):
        return before  # the channel does not know of it, or has heard less of it than a reminder would say
    return change
