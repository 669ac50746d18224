"""What a replay leaves behind: decisions, the counts over time, and the minutes that were short."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from msgspec import Struct

#: Why the number of instances changes.
HIGH, LOW, SCHEDULE = "alarm high", "alarm low", "schedule"


class Decision(NamedTuple):
    """A change of the number of instances, at the end of a minute or, where a schedule made it, at its beginning."""

    minute: int
    before: int
    after: int
    why: str

    @property
    def outward(self) -> bool:
        return self.after > self.before


class Run(NamedTuple):
    """A number of instances from a minute on."""

    minute: int
    instances: int


class Stretch(NamedTuple):
    """Minutes in a row, ``end`` not among them."""

    begin: int
    end: int

    @property
    def minutes(self) -> int:
        return self.end - self.begin


class Replay(Struct, frozen=True):
    """What would have happened.

    ``serving`` and ``desired`` are the counts, each from a minute on; ``short`` the stretches in which the load was
    more than the serving instances carry (of a queue: in which requests waited longer than allowed); ``held`` the
    minutes in which only the maximum stood in the way of more; ``crossed`` those at which a schedule left the minimum
    above the maximum, which then counts.
    """

    minutes: int
    decisions: tuple[Decision, ...]
    serving: tuple[Run, ...]
    desired: tuple[Run, ...]
    short: tuple[Stretch, ...]
    held: int
    crossed: tuple[int, ...] = ()

    @property
    def minutes_short(self) -> int:
        return sum(stretch.minutes for stretch in self.short)

    @property
    def instance_minutes(self) -> int:
        return sum(count * stretch.minutes for stretch, count in spans(self.serving, self.minutes))


def spans(runs: Sequence[Run], minutes: int) -> Iterator[tuple[Stretch, int]]:
    """The stretches of a timeline with the count of each, up to the minute ``minutes``."""
    for run, following in pairwise((*runs, Run(minutes, 0))):
        yield Stretch(run.minute, following.minute), run.instances


def timeline(runs: Sequence[Run], minutes: int) -> list[int]:
    """The count of every minute."""
    return [count for stretch, count in spans(runs, minutes) for _ in range(stretch.minutes)]


class Book:
    """What is written down of a replay while it goes on, which began with ``start`` instances."""

    __slots__ = ("crossed", "decisions", "held", "minutes_short", "serving", "short", "start", "until")

    def __init__(self, start: int) -> None:
        self.start = start
        self.decisions: list[Decision] = []
        self.serving = [Run(0, start)]
        self.short: list[Stretch] = []
        self.minutes_short = 0
        self.until = -1  # the minute after the last one that was short
        self.held = 0
        self.crossed: list[int] = []

    def note_short(self, minute: int) -> None:
        """Writes down that a minute was short."""
        if minute == self.until:
            self.short[-1] = Stretch(self.short[-1].begin, minute + 1)
        else:
            self.short.append(Stretch(minute, minute + 1))
        self.until = minute + 1
        self.minutes_short += 1

    def note_serving(self, minute: int, instances: int) -> None:
        """Writes down how many serve from this minute on."""
        _note(self.serving, minute, instances)

    def close(self, minutes: int) -> Replay:
        """The replay, when all minutes are over."""
        desired = [Run(0, self.start)]
        for decision in self.decisions:
            # At the end of each minute: a decision counts in its own one.
            _note(desired, decision.minute, decision.after)
        return Replay(
            minutes,
            tuple(self.decisions),
            tuple(self.serving),
            tuple(desired),
            tuple(self.short),
            self.held,
            tuple(self.crossed),
        )


def _note(runs: list[Run], minute: int, instances: int) -> None:
    if minute == runs[-1].minute:
        runs[-1] = Run(minute, instances)
    elif instances != runs[-1].instances:
        runs.append(Run(minute, instances))
