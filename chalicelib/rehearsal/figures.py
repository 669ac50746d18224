"""What people see of a replay: minutes, hours, and the buckets of a chart."""

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from msgspec import Struct

from chalicelib.rehearsal.book import Replay, Run, spans, timeline
from chalicelib.rehearsal.settings import Behaviour, upward

DAY = 1440
#: Two opposite changes within this many minutes are a reversal: the policy runs to and fro.
REVERSAL = 30


class Worst(NamedTuple):
    """The minute in which the load passed what the instances carry by the most."""

    minute: int
    load: float
    capacity: float


class Figures(Struct, frozen=True):
    """A replay in numbers. Hours are hours of instances; ``needed_hours`` what the load takes with every instance at
    the target and never fewer than ``lowest`` of them, ``fixed_at_peak_hours`` what a constant number that carries
    the peak would take. ``mean_shortfall_percent`` is over the minutes short."""

    minutes: int
    gap_minutes: int
    minutes_short: int
    longest_short_minutes: int
    worst: Worst | None
    mean_shortfall_percent: float
    held_minutes: int
    instance_hours: float
    needed_instance_hours: float | None
    fixed_at_peak_hours: float
    changes_per_day: float
    reversals: int


def figures(load: Sequence[float], replay: Replay, behaviour: Behaviour, target: float | None, lowest: int) -> Figures:
    """The figures of a replay of this load. Without a ``target`` there is no telling how many hours were needed."""
    capacity = behaviour.capacity
    counts = timeline(replay.serving, replay.minutes)
    shortages = [
        Worst(minute, load[minute], counts[minute] * capacity)
        for stretch in replay.short
        for minute in range(stretch.begin, stretch.end)
    ]
    peak = max((value for value in load if value == value), default=0.0)
    needed = None if target is None else sum(needed_minutes(load, target, lowest)) / 60
    return Figures(
        minutes=replay.minutes,
        gap_minutes=sum(value != value for value in load),
        minutes_short=replay.minutes_short,
        longest_short_minutes=max((stretch.minutes for stretch in replay.short), default=0),
        worst=max(shortages, key=lambda worst: worst.load - worst.capacity, default=None),
        mean_shortfall_percent=_mean([100 * (1 - worst.capacity / worst.load) for worst in shortages if worst.load]),
        held_minutes=replay.held,
        instance_hours=replay.instance_minutes / 60,
        needed_instance_hours=needed,
        fixed_at_peak_hours=max(1, upward(peak / behaviour.carried)) * replay.minutes / 60,
        changes_per_day=len(replay.decisions) * DAY / replay.minutes if replay.minutes else 0.0,
        reversals=sum(
            earlier.outward != later.outward and later.minute - earlier.minute <= REVERSAL
            for earlier, later in pairwise(replay.decisions)
        ),
    )


def needed_minutes(load: Sequence[float], target: float, lowest: int) -> Iterator[int]:
    """The instances that each minute takes, with each at the target; a gap takes the ``lowest`` number."""
    enough = lowest * target
    for value in load:
        yield upward(value / target) if value > enough else lowest


def overloaded_without_a_zone(load: Sequence[float], replay: Replay, behaviour: Behaviour, zones: int) -> int:
    """The minutes whose load is more than what is left carries when one of so many zones is lost, the fullest."""
    minutes = 0
    for stretch, count in spans(replay.serving, replay.minutes):
        room = (count - -(-count // zones)) * behaviour.carried
        minutes += sum(value > room for value in load[stretch.begin : stretch.end])
    return minutes


class Bucket(NamedTuple):
    """Some minutes of a chart: the largest load and the smallest counts among them, so that no shortage is averaged
    away. ``load`` is None in a gap; ``short`` are the minutes short."""

    minute: int
    load: float | None
    serving: int
    desired: int
    short: int


def buckets(load: Sequence[float], replay: Replay, width: int) -> list[Bucket]:
    """The replay in buckets of ``width`` minutes, the last one shorter."""
    serving = _by_bucket(replay.serving, replay.minutes, width, min)
    desired = _by_bucket(replay.desired, replay.minutes, width, min)
    short = [0] * len(serving)
    for stretch in replay.short:
        for minute in range(stretch.begin, stretch.end):
            short[minute // width] += 1
    filled = []
    for number, (served, wanted, minutes) in enumerate(zip(serving, desired, short, strict=True)):
        values = [value for value in load[number * width : (number + 1) * width] if value == value]
        filled.append(Bucket(number * width, max(values, default=None), served, wanted, minutes))
    return filled


def _by_bucket(runs: Sequence[Run], minutes: int, width: int, choose: Callable[[Sequence[int]], int]) -> list[int]:
    counts = timeline(runs, minutes)
    return [choose(counts[begin : begin + width]) for begin in range(0, minutes, width)]


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0
