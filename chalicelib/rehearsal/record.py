"""What AWS recorded of its scaling, and how much of it the replay explains.

A replay that cannot explain the past does not judge the future: the fleet follows the recorded steps, and before each
of them the replay is asked what it would have done.
"""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from msgspec import Struct

from chalicelib.inventory.facts import plain
from chalicelib.inventory.kinds.scaling import ScalingActivity
from chalicelib.inventory.traffic import number_of
from chalicelib.rehearsal.book import Decision
from chalicelib.rehearsal.control import Control
from chalicelib.rehearsal.replay import followed_by, measured
from chalicelib.rehearsal.settings import Behaviour, Setting

#: How many minutes apart, and how many instances, a step of the replay may be to explain a recorded one.
MINUTES_APART, INSTANCES_APART = 3, 1
#: Of so many changes at least a percentile is worth something.
FEWEST_CHANGES = 3
#: From how many steps on the explained share says something.
FEWEST_STEPS = 5
SUCCESSFUL = plain("Successful")
_COUNT = re.compile(r"desired (?:instance|copy) count to (\d+)", re.IGNORECASE)


class Recorded(NamedTuple):
    """A step that AWS has made: when, what stood before and after it, when it was complete, and whether an alarm of a
    policy caused it. ``before`` is None where no step before it is known."""

    started: datetime
    ended: datetime | None
    before: int | None
    after: int
    outward: bool | None
    by_policy: bool


def recorded_steps(activities: Iterable[ScalingActivity]) -> list[Recorded]:
    """The steps that came about, oldest first. Failed and unfulfilled activities are none, nor are those under way."""
    steps: list[Recorded] = []
    dated = [(activity.started, activity) for activity in activities if activity.started is not None]
    for started, activity in sorted(dated, key=lambda pair: pair[0]):
        count = _COUNT.search(activity.description or "")
        if plain(activity.known("status") or "") != SUCCESSFUL or count is None:
            continue
        before, after = steps[-1].after if steps else None, int(count.group(1))
        if before == after:
            continue
        cause = activity.cause or ""
        outward = True if "AlarmHigh" in cause else False if "AlarmLow" in cause else None
        if before is not None:
            outward = after > before
        steps.append(Recorded(started, activity.ended, before, after, outward, "alarm" in cause.lower() or not cause))
    return steps


def minutes_taken(steps: Iterable[Recorded], outward: bool) -> int | None:
    """How many minutes changes in this direction take: the 90th percentile, in whole minutes upward; None of fewer than
    three."""
    taken = sorted(
        (step.ended - step.started) / timedelta(minutes=1)
        for step in steps
        if step.outward is outward and step.ended is not None and step.ended >= step.started
    )
    if len(taken) < FEWEST_CHANGES:
        return None
    return math.ceil(taken[math.ceil(0.9 * len(taken)) - 1])


def recorded_counts(steps: Sequence[Recorded], begin: datetime, end: datetime, current: int | None) -> dict[int, float]:
    """How many served in each minute, by its number, as the steps tell: what a step adds serves when it is complete,
    what it takes is gone at its beginning. Without any step it was the ``current`` number all along; before the first
    one it is not known unless that tells."""
    changes = [(number_of(step.ended or step.started if step.outward else step.started), step.after) for step in steps]
    changes.sort()
    count = steps[0].before if steps else current
    counts: dict[int, float] = {}
    place = 0
    for minute in range(number_of(begin), number_of(end)):
        while place < len(changes) and changes[place][0] <= minute:
            count = changes[place][1]
            place += 1
        if count is not None:
            counts[minute] = float(count)
    return counts


def proven_capacity(load: Mapping[int, float], counts: Mapping[int, float], failing: Iterable[int]) -> float | None:
    """What an instance has carried: the 99th percentile of load by recorded instance, in minutes without an answer of
    the kind 5xx; None without any such minute."""
    if not counts:
        return None
    bad = set(failing)
    carried = sorted(
        value / counts[minute]
        for minute, value in load.items()
        if value > 0 and minute not in bad and counts.get(minute, 0) > 0
    )
    return carried[math.ceil(0.99 * len(carried)) - 1] if carried else None


class Explained(Struct, frozen=True):
    """How many of the recorded steps of policies the replay explains; ``lone`` are the changes that it would have made
    and AWS did not."""

    explained: int
    recorded: int
    lone: int

    @property
    def enough(self) -> bool:
        """Whether there are enough steps to tell."""
        return self.recorded >= FEWEST_STEPS

    @property
    def share(self) -> float | None:
        """The explained share, or None of too few steps."""
        return self.explained / self.recorded if self.enough else None

    def __str__(self) -> str:
        if not self.enough:
            return f"too few steps to check ({self.recorded})"
        return f"the replay explains {self.explained} of the {self.recorded} scaling steps that AWS recorded"


class _Follower(Control):
    """A fleet that takes the recorded steps instead of its own, and is never brought inside today's bounds: they may
    have been others at the time."""

    __slots__ = ()

    def _bring_inside(self, minute: int) -> None:
        return

    def follow(self, minute: int, after: int) -> None:
        """Takes a step that was recorded in this minute; what follows from it is the replay's."""
        self.take(Decision(minute, self.desired, after, "recorded"))


def explained(
    loads: Sequence[Sequence[float]],
    setting: Setting,
    behaviour: Behaviour,
    steps: Sequence[Recorded],
    begin: datetime,
    start: int | None = None,
) -> Explained:
    """How much of the record the replay explains.

    A step is explained when the first change that the replay wishes since the last step points the same way, lies
    within :data:`MINUTES_APART` and ends within :data:`INSTANCES_APART`. ``begin`` is when the loads begin; ``start``
    how many instances there were. Steps outside the window are left out, those that no policy made are followed, not
    judged.
    """
    minutes = len(loads[0])
    inside = [(_minute(step, begin), step) for step in steps if 0 <= _minute(step, begin) < minutes]
    if not inside:
        return Explained(0, 0, 0)
    first = inside[0][1]
    fleet = _Follower(setting, behaviour)
    before = start if start is not None else first.before
    fleet.desired = fleet.serving = fleet.base = before or max(1, first.after - (1 if first.outward else -1))
    followed, missing = followed_by(setting, loads), behaviour.gaps == "missing"
    right = judged = lone = 0
    wish: Decision | None = None
    upcoming = 0
    for minute in range(minutes):
        fleet.begin(minute)
        decision = fleet.wish(minute, measured(followed, minute, fleet.serving, missing))
        wish = wish or decision
        while upcoming < len(inside) and inside[upcoming][0] <= minute:
            at, step = inside[upcoming]
            near = wish is not None and abs(wish.minute - at) <= MINUTES_APART
            if step.by_policy and wish is None and minute < at + MINUTES_APART and minute + 1 < minutes:
                break  # the replay may yet wish it
            if step.by_policy:
                judged += 1
                alike = near and wish is not None and _alike(wish, step, fleet.desired)
                right += alike
            lone += wish is not None and not near
            fleet.follow(minute, step.after)
            wish = None
            upcoming += 1
    return Explained(right, judged, lone + (wish is not None))


def _alike(wish: Decision, step: Recorded, before: int) -> bool:
    return wish.outward == (step.after > before) and abs(wish.after - step.after) <= INSTANCES_APART


def _minute(step: Recorded, begin: datetime) -> int:
    return int((step.started - begin) // timedelta(minutes=1))
