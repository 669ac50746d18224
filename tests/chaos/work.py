"""The trials of one group, as a process of its own is given them."""

from dataclasses import dataclass

from tests.chaos.outcome import Outcome
from tests.chaos.trials import groups


@dataclass(frozen=True)
class Work:
    """One group of trials of a draw, by its kind and name: another process finds it among its own groups."""

    kind: str
    name: str
    share: float
    seed: int


def tried(work: Work) -> tuple[Work, list[tuple[str, Outcome]]]:
    """A share of a group, in a process of its own."""
    for group, share in groups(work.share, work.seed):
        if (group.kind, group.name) == (work.kind, work.name):
            return work, list(group.tried(share, work.seed))
    raise LookupError(f"no group {work.kind}, {work.name}")
