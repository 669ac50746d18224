"""The cheapest setting with which the requests of an asynchronous endpoint would not have waited too long.

As with :mod:`chalicelib.rehearsal.proposals`, every setting of the grid is replayed, and the winner must carry more.
"""

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from msgspec.structs import replace

from chalicelib.rehearsal.proposals import Limits, NoProposal, Proposal, retargeted, tracked
from chalicelib.rehearsal.queue import replay_queue, wakes, waking
from chalicelib.rehearsal.settings import Behaviour, Setting

TARGET_SHARES = (1.0, 0.5, 0.25)
MAXIMUM_FACTORS = (1, 2, 4)
#: How far the minimum is raised.
STEPS_UP = 3
#: Minutes that a search replays at most: of a long load fewer settings are tried, evenly chosen out of the grid.
MOST_REPLAYED = 4_000_000


class _Candidate(NamedTuple):
    setting: Setting
    changed: tuple[str, ...]


def cheapest_queue(
    arrivals: Sequence[float],
    present: Setting,
    behaviour: Behaviour,
    limits: Limits,
    max_wait: int,
    start: int | None = None,
) -> Proposal | NoProposal:
    """The setting with the fewest instance-minutes of those that leave at most ``limits.max_short`` minutes short, for
    these arrivals and for the margin's; of equal ones that which changes least."""
    more = [arrived * limits.margin for arrived in arrivals]
    best: tuple[tuple[int, int], Proposal] | None = None
    grid = list(_candidates(present, limits))
    step = -(-len(grid) * len(arrivals) // MOST_REPLAYED) or 1
    for setting, changed in grid[::step]:
        if best and setting.minimum * len(arrivals) > best[0][0]:
            continue
        result = replay_queue(arrivals, setting, behaviour, max_wait, start).replay
        rank = (result.instance_minutes, len(changed))
        if result.minutes_short > limits.max_short or (best and rank >= best[0]):
            continue
        if replay_queue(more, setting, behaviour, max_wait, start).replay.minutes_short <= limits.max_short:
            best = rank, Proposal(setting, changed, result.minutes_short, result.instance_minutes)
    if best is None:
        return NoProposal(
            f"none of the {len(grid[::step])} settings tried leaves at most {limits.max_short} minutes short"
        )
    return best[1]


def _candidates(present: Setting, limits: Limits) -> Iterator[_Candidate]:
    policy = tracked(present)
    highest = max(limits.highest, present.maximum)
    for minimum in range(present.minimum, min(present.minimum + STEPS_UP, highest) + 1):
        for share in TARGET_SHARES if policy else (1.0,):
            for maximum in sorted({max(minimum, min(highest, present.maximum * factor)) for factor in MAXIMUM_FACTORS}):
                policies = tuple(
                    retargeted(other, share, None) if other is policy else other for other in present.policies
                )
                setting = replace(present, minimum=minimum, maximum=maximum, policies=policies)
                changed = [
                    name
                    for name, differs in (
                        ("minimum", minimum != present.minimum),
                        ("maximum", maximum != present.maximum),
                        ("target", not math.isclose(share, 1)),
                    )
                    if differs
                ]
                yield _Candidate(setting, tuple(changed))
                if not wakes(setting):
                    yield _Candidate(waking(setting), (*changed, "wake_up"))
