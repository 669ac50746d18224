"""The cheapest setting of automatic scaling that would have been enough, out of a grid around the present one.

Every setting of the grid is replayed. Halving intervals would be wrong: a higher minimum, a lower target or a shorter
cooldown can each leave *more* minutes short, as it shifts the moment at which the alarm rings.
"""

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence

from msgspec import Struct
from msgspec.structs import replace

from chalicelib.rehearsal.replay import replay, replay_any
from chalicelib.rehearsal.scan import Totals, scan, scannable
from chalicelib.rehearsal.settings import Behaviour, Policy, Scheduled, Setting, TargetTracking, upward
from chalicelib.rehearsal.terms import EXCESS, LOWEST

TARGET_SHARES = (1.0, 0.9, 0.8, 0.7, 0.6, 0.5)
#: Only a load test tells that an instance carries more than it has been asked to.
TESTED_SHARES = (1.1, 1.2)
SHORT_COOLDOWN = 60
#: How far the minimum is raised step by step, before the peak itself is tried.
STEPS_UP = 8
MOST_SETTINGS, FEWEST_SETTINGS = 400, 40
#: Minutes that a search replays at most in all, by the fast loop and by that for every setting: long loads are tried
#: with fewer settings.
MOST_SCANNED, MOST_REPLAYED = 60_000_000, 8_000_000
DAY, SLOT, DAYS_ALIKE = 1440, 30, 3


class Limits(Struct, frozen=True):
    """What a proposal must keep to.

    ``lowest`` is the minimum below which none is proposed, ``highest`` the count that the account allows, or that is
    taken for too many where its quota is not known; ``begin`` the minute of the day with which the load begins;
    ``tested`` says that the capacity comes from a load test. So many times the traffic must be carried, too, as the
    ``margin`` says: else a setting tuned to last week's numbers would win. More than ``max_excess`` times the
    instance-hours that are needed are worth a proposal for fewer.
    """

    max_short: int
    lowest: int = LOWEST
    highest: int = 100
    begin: int = 0
    tested: bool = False
    margin: float = 1.1
    max_excess: float = EXCESS


class Proposal(Struct, frozen=True):
    """The setting, the names of what differs from the present one, and what it would have led to."""

    setting: Setting
    changed: tuple[str, ...]
    minutes_short: int
    instance_minutes: int


class NoProposal(Struct, frozen=True):
    """Why there is none."""

    reason: str


class _Candidate(Struct, frozen=True):
    setting: Setting
    changed: tuple[str, ...]
    distance: float
    varied: tuple[object, ...] = ()  # all that differs but the maximum

    def rank(self, instance_minutes: int) -> tuple[int, int, float]:
        """The order of choice: fewest instance-minutes, fewest changes, nearest to the present setting."""
        return instance_minutes, len(self.changed), self.distance


def cheapest(
    loads: Sequence[Sequence[float]],
    present: Setting,
    behaviour: Behaviour,
    limits: Limits,
    start: int | None = None,
    downward: bool = False,
) -> Proposal | NoProposal:
    """The cheapest setting with at most ``limits.max_short`` minutes short, for this load and for the margin's.

    ``downward`` looks for savings: from the present minimum down, instead of up.
    """
    peak = _peak(loads[0])
    needed = upward(peak / behaviour.carried)
    if needed > limits.highest:
        return NoProposal(
            f"peak of {peak:,.0f} a minute needs {needed:,} instances of {behaviour.capacity:,.10g}, and "
            f"{limits.highest:,} are allowed"
        )
    more = [[value * limits.margin for value in series] for series in loads]
    best: tuple[tuple[int, int, float], Proposal] | None = None
    tried, uncapped = 0, None
    for candidate in candidates(loads, present, behaviour, limits, start, downward):
        setting = candidate.setting
        tried += 1
        if candidate.varied and candidate.varied == uncapped:
            continue  # it never came near the lower maximum: a higher one changes nothing
        most = best[0][0] if best else math.inf
        totals = _totals(loads, setting, behaviour, start, limits.max_short, most)
        uncapped = None if totals.capped else candidate.varied
        rank = candidate.rank(totals.instance_minutes)
        if not totals.within or (best and rank >= best[0]):
            continue
        if _totals(more, setting, behaviour, start, limits.max_short, math.inf).within:
            best = rank, Proposal(setting, candidate.changed, totals.minutes_short, totals.instance_minutes)
    if best is None:
        return NoProposal(f"none of the {tried} settings tried leaves at most {limits.max_short} minutes short")
    return best[1]


def _totals(
    loads: Sequence[Sequence[float]],
    setting: Setting,
    behaviour: Behaviour,
    start: int | None,
    max_short: float,
    max_used: float,
) -> Totals:
    if scannable(setting, behaviour):
        return scan(loads[0], setting, behaviour, start, max_short, max_used)
    result = replay_any(loads, setting, behaviour, start, max_short)
    short, used = result.minutes_short, result.instance_minutes
    return Totals(short, used, capped=True, within=short <= max_short and used <= max_used)


def candidates(
    loads: Sequence[Sequence[float]],
    present: Setting,
    behaviour: Behaviour,
    limits: Limits,
    start: int | None = None,
    downward: bool = False,
) -> Iterator[_Candidate]:
    """The settings of the grid, and that with a schedule. Of a grid with more than :data:`MOST_SETTINGS`, or more than
    a long load allows, settings are left out evenly; the first and the last stay."""
    peak = _peak(loads[0])
    # Those that carry the peak, and those that carry the margin beyond it.
    enough = [upward(peak * factor / behaviour.carried) for factor in (1.0, limits.margin)]
    grid = [
        (minimum, share, cooldown, maximum)
        for minimum in _minima(present, limits, enough, downward)
        for share in _shares(present, limits)
        for cooldown in _cooldowns(present)
        for maximum in _maxima(present, limits, minimum, share, peak)
    ]
    budget = (MOST_SCANNED if scannable(present, behaviour) else MOST_REPLAYED) // max(1, len(loads[0]))
    step = -(-len(grid) // min(MOST_SETTINGS, max(FEWEST_SETTINGS, budget)))
    for minimum, share, cooldown, maximum in dict.fromkeys([*grid[::step], grid[-1]]):
        setting = _changed(present, minimum, maximum, share, cooldown)
        yield replace(_candidate(present, setting), varied=(minimum, share, cooldown))
    if not downward:
        yield from _before_the_rise(loads, present, behaviour, limits, start)


def _peak(load: Sequence[float]) -> float:
    return max((value for value in load if value == value), default=0.0)


def _minima(present: Setting, limits: Limits, enough: Sequence[int], downward: bool) -> list[int]:
    current = present.minimum
    if downward:
        return sorted({*range(min(limits.lowest, current), current + 1)})
    peaks = [max(current, min(limits.highest, count)) for count in enough]
    return sorted({*range(current, min(peaks[0], current + STEPS_UP) + 1), *peaks})


def _shares(present: Setting, limits: Limits) -> tuple[float, ...]:
    if tracked(present) is None:
        return (1.0,)
    return (*TARGET_SHARES, *(TESTED_SHARES if limits.tested else ()))


def _maxima(present: Setting, limits: Limits, minimum: int, share: float, peak: float) -> list[int]:
    """The present maximum, or what the load at the target takes, and a quarter more where that can matter. Never less:
    a lower maximum saves hours by taking the headroom away."""
    policy = tracked(present)
    allowed = max(limits.highest, present.maximum)
    if policy is None:
        return sorted({max(minimum, present.maximum), max(minimum, min(allowed, upward(present.maximum * 1.25)))})
    first = max(minimum, min(allowed, max(present.maximum, upward(peak / policy.target))))
    if upward(peak / (policy.target * share)) <= first:
        return [first]
    return sorted({first, min(allowed, upward(first * 1.25))})


def _cooldowns(present: Setting) -> tuple[int | None, ...]:
    """None for the present one."""
    policy = tracked(present)
    return (None, SHORT_COOLDOWN) if policy is not None and policy.out_cooldown > SHORT_COOLDOWN else (None,)


def tracked(setting: Setting) -> TargetTracking | None:
    """The first target tracking policy of a setting that follows the load itself: the one whose numbers are varied."""
    for policy in setting.policies:
        if isinstance(policy, TargetTracking) and not policy.load:
            return policy
    return None


def _changed(present: Setting, minimum: int, maximum: int, share: float, cooldown: int | None) -> Setting:
    varied = tracked(present)
    policies = tuple(retargeted(policy, share, cooldown) if policy is varied else policy for policy in present.policies)
    return replace(present, minimum=minimum, maximum=maximum, policies=policies)


def retargeted(policy: Policy, share: float, cooldown: int | None) -> Policy:
    """The policy with this share of its target, for its alarms, too, and with this cooldown for scale-out."""
    assert isinstance(policy, TargetTracking)
    return replace(
        policy,
        target=policy.target * share,
        high=replace(policy.high, threshold=policy.high.threshold * share),
        low=policy.low and replace(policy.low, threshold=policy.low.threshold * share),
        out_cooldown=policy.out_cooldown if cooldown is None else cooldown,
    )


def _candidate(present: Setting, setting: Setting) -> _Candidate:
    before, after = tracked(present), tracked(setting)
    changed = []
    distance = 0.0
    if setting.minimum != present.minimum:
        changed.append("minimum")
        distance += abs(setting.minimum - present.minimum)
    if setting.maximum != present.maximum:
        changed.append("maximum")
        distance += abs(setting.maximum - present.maximum)
    if before and after and after.target != before.target:
        changed.append("target")
        distance += 10 * abs(1 - after.target / before.target)
    if before and after and after.out_cooldown != before.out_cooldown:
        changed.append("out_cooldown")
        distance += 1
    if setting.scheduled != present.scheduled:
        changed.append("schedule")
    return _Candidate(setting, tuple(changed), distance)


def _before_the_rise(
    loads: Sequence[Sequence[float]], present: Setting, behaviour: Behaviour, limits: Limits, start: int | None
) -> Iterator[_Candidate]:
    """A higher minimum from an hour before the half hour of the day that was short on the most days, if on three or
    more, to its end: enough for what came in it. Nothing without such a half hour, or beside other schedules."""
    days_short: dict[int, set[int]] = defaultdict(set)
    for stretch in replay(loads, present, behaviour, start).short:
        for minute in range(stretch.begin + limits.begin, stretch.end + limits.begin):
            days_short[minute % DAY // SLOT].add(minute // DAY)
    slot, days = max(days_short.items(), key=lambda item: (len(item[1]), -item[0]), default=(0, set[int]()))
    if len(days) < DAYS_ALIKE or present.scheduled:
        return
    minutes = len(loads[0])
    begins = range(slot * SLOT - limits.begin, minutes, DAY)
    peak = max(
        (value for begin in begins for value in loads[0][max(0, begin) : max(0, begin + SLOT)] if value == value),
        default=0.0,
    )
    minimum = upward(peak * limits.margin / behaviour.carried)
    actions = [
        action
        for begin in begins
        for action in (
            Scheduled(begin - 2 * SLOT, minimum, None),
            Scheduled(begin + SLOT, present.minimum, None),
        )
        if 0 <= action.minute < minutes
    ]
    setting = replace(present, maximum=max(present.maximum, minimum), scheduled=tuple(actions))
    yield _candidate(present, setting)
