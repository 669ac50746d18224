"""The replay of :mod:`chalicelib.rehearsal.replay` for the usual case, several times as fast and with early ends: one
target tracking policy, no gaps that count as missing, no schedule.

A sweep replays hundreds of variants, and the search tries hundreds of settings. That both loops decide the same is what
``tests/unit/rehearsal/test_agreement.py`` is for.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

from chalicelib.rehearsal.book import HIGH, LOW, Book, Decision
from chalicelib.rehearsal.settings import TOLERANCE, Behaviour, Setting, TargetTracking


class Totals(NamedTuple):
    """What the search wants to know of a replay. ``capped`` is True where the maximum cut a change, or stood in its
    way; ``within`` is False where the replay passed a limit and ended there."""

    minutes_short: int
    instance_minutes: int
    capped: bool
    within: bool = True


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
    book: Book | None = None,
) -> Totals:
    """The totals of a replay, which ends as soon as more than ``max_short`` minutes are short, or it is certain that
    more than ``max_used`` instance-minutes will be used. The setting must be :func:`scannable`; a gap is NaN. What
    happens is written down in the ``book``."""
    policy = setting.policies[0]
    assert isinstance(policy, TargetTracking)
    target, minimum, maximum, carried = policy.target, setting.minimum, setting.maximum, behaviour.carried
    warmup, removal = behaviour.warmup, behaviour.removal
    # A cooldown of c seconds that began with minute r is over at the end of r + ceil(c ÷ 60) − 1.
    out_minutes, in_minutes = math.ceil(policy.out_cooldown / 60), math.ceil(policy.in_cooldown / 60)
    high_limit, high_needed = policy.high.limit, policy.high.periods
    low_limit, low_needed = (policy.low.limit, policy.low.periods) if policy.low else (-math.inf, math.inf)
    serving = base = desired = setting.beginning(start)
    # ``spent`` are the instance-minutes beyond those of the minimum, up to the minute ``since``; ``spare`` may be.
    since, spent, short, high, low = 0, 0, 0, 0, 0
    least = minimum * len(loads)
    spare = max_used - least
    if spare < 0:
        return Totals(0, least, capped=False, within=False)
    ready = math.inf  # when the change under way is over
    cool = calm = 0  # from when cooldowns hinder no more
    outward = capped = False
    event = -1.0  # the next minute at which anything but the load matters; the first works out what follows below
    for minute, load in enumerate(loads):
        if minute >= event:
            if minute == ready:
                ready = math.inf
                if outward:
                    spent += (serving - minimum) * (minute - since)
                    since, serving = minute, desired
                    cool = minute + out_minutes - 1
                    if book is not None:
                        book.note_serving(minute, serving)
            beyond = serving - minimum
            last = since + (spare - spent) / beyond if beyond else math.inf
            if minute > last:
                return Totals(short, least + spent, capped, within=False)
            event = min(ready, math.floor(last) + 1 if last < math.inf else last)
            room, above, below = serving * carried, serving * high_limit, serving * low_limit
            watched = min(room, above)
        if load > watched:
            if load > room:
                short += 1
                if short > max_short:
                    return Totals(short, least + spent, capped, within=False)
                if book is not None:
                    book.note_short(minute)
            if load > above:
                high, low = high + 1, 0
                if high < high_needed or ready < math.inf:
                    continue
                if minute >= cool:
                    wanted = math.ceil(load / target - TOLERANCE)
                else:
                    wanted = math.ceil(base * load / (serving * target) - TOLERANCE)
                if wanted > maximum:
                    if book is not None and desired == maximum:
                        book.held += 1
                    capped, wanted = True, maximum
                if wanted > desired:
                    if book is not None:
                        book.decisions.append(Decision(minute, desired, wanted, HIGH))
                    base, desired, outward = desired, wanted, True
                    event = ready = minute + 1 + warmup
                    calm = 0
                continue
        if load >= below:
            high = low = 0
            continue
        high, low = 0, low + 1
        if low < low_needed or desired == minimum or ready < math.inf or minute < calm:
            continue
        wanted = max(minimum, math.ceil((load if load == load else 0.0) / target - TOLERANCE))
        if wanted < desired:
            if book is not None:
                book.decisions.append(Decision(minute, desired, wanted, LOW))
                if minute + 1 < len(loads):
                    book.note_serving(minute + 1, wanted)
            spent += (serving - minimum) * (minute + 1 - since)
            since, outward = minute + 1, False
            serving = desired = wanted
            event, ready = minute + 1, minute + 1 + removal
            calm = ready + in_minutes - 1
    used = least + spent + (serving - minimum) * (len(loads) - since)
    return Totals(short, used, capped, within=used <= max_used)
