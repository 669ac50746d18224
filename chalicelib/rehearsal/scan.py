"""The replay of :mod:`chalicelib.rehearsal.replay` for the usual case, several times as fast and with early ends: one
target tracking policy, no gaps that count as missing, no schedule.

It is there for the search alone, which tries hundreds of settings. That both decide the same is what
``tests/unit/rehearsal/test_agreement.py`` is for.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

from chalicelib.rehearsal.settings import TOLERANCE, Behaviour, Setting, TargetTracking


class Totals(NamedTuple):
    """What the search wants to know of a replay. ``capped`` is True where the maximum cut a change, or stood in its
    way."""

    minutes_short: int
    instance_minutes: int
    capped: bool


def scannable(setting: Setting, behaviour: Behaviour) -> bool:
    """Whether a setting is the usual case."""
    if len(setting.policies) != 1 or setting.scheduled or not 0 < setting.minimum <= setting.maximum:
        return False
    policy = setting.policies[0]
    if not isinstance(policy, TargetTracking) or not policy.per_instance or policy.load:
        return False
    alarms = [alarm for alarm in (policy.high, policy.low) if alarm]
    plain = all(alarm.datapoints == alarm.periods and alarm.threshold > 0 for alarm in alarms)
    return plain and behaviour.gaps == "zero" and not (setting.out_suspended or setting.in_suspended)


def scan(
    loads: Sequence[float],
    setting: Setting,
    behaviour: Behaviour,
    start: int | None = None,
    max_short: float = math.inf,
    max_used: float = math.inf,
) -> Totals | None:
    """The totals of a replay; None as soon as more than ``max_short`` minutes are short, or more than ``max_used``
    instance-minutes are used. The setting must be :func:`scannable`; a gap is NaN."""
    policy = setting.policies[0]
    assert isinstance(policy, TargetTracking)
    target, minimum, maximum, carried = policy.target, setting.minimum, setting.maximum, behaviour.carried
    warmup, removal = behaviour.warmup, behaviour.removal
    # A cooldown of c seconds that began with minute r is over at the end of r + ceil(c ÷ 60) − 1.
    out_minutes, in_minutes = math.ceil(policy.out_cooldown / 60), math.ceil(policy.in_cooldown / 60)
    high_limit, high_needed = policy.high.limit, policy.high.periods
    low_limit = policy.low.limit if policy.low else -math.inf
    low_needed = policy.low.periods if policy.low else 0
    desired = minimum if start is None else max(minimum, min(maximum, start))
    serving = base = desired
    room, above, below = serving * carried, serving * high_limit, serving * low_limit
    since, used, short, high, low = 0, 0, 0, 0, 0  # ``used`` up to the minute ``since``
    ready, cool, calm = -1, 0, 0  # when the change under way is over, and from when cooldowns hinder no more
    outward = capped = False
    # More minutes than this with the serving instances are more than may be used.
    last = max_used / (serving or 1)
    for minute, load in enumerate(loads):
        if minute == ready:
            ready = -1
            used += serving * (minute - since)
            since, serving = minute, desired
            room, above, below = serving * carried, serving * high_limit, serving * low_limit
            last = since + (max_used - used) / serving
            if outward:
                cool = minute + out_minutes - 1
        if load > room:
            short += 1
            if short > max_short:
                return None
        if load > above:
            high, low = high + 1, 0
            if high < high_needed or ready >= 0:
                continue
            if minute >= cool:
                wanted = math.ceil(load / target - TOLERANCE)
            else:
                wanted = math.ceil(base * load / (serving * target) - TOLERANCE)
            if wanted > maximum:
                capped, wanted = True, maximum
            if wanted > desired:
                base, desired, outward = desired, wanted, True
                ready, calm = minute + 1 + warmup, 0
        elif load < below or load != load:
            high, low = 0, low + 1
            if low < low_needed or ready >= 0 or desired == minimum or minute < calm or not low_needed:
                continue
            wanted = max(minimum, math.ceil((0.0 if load != load else load) / target - TOLERANCE))
            if wanted < desired:
                used += serving * (minute + 1 - since)
                since, desired, outward = minute + 1, wanted, False
                ready = minute + 1 + removal
                serving = desired
                room, above, below = serving * carried, serving * high_limit, serving * low_limit
                last = since + (max_used - used) / serving
                calm = ready + in_minutes - 1
        else:
            high = low = 0
        if minute >= last:
            return None
    used += serving * (len(loads) - since)
    return None if used > max_used else Totals(short, used, capped)
