"""Replays a load through a setting of automatic scaling, minute by minute."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from chalicelib.rehearsal.control import Control, Decision
from chalicelib.rehearsal.settings import Behaviour, Setting


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


@dataclass(frozen=True, slots=True)
class Replay:
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
    """What is written down of a replay while it goes on."""

    __slots__ = ("desired", "serving", "short", "until")

    def __init__(self) -> None:
        self.serving: list[Run] = []
        self.desired: list[Run] = []
        self.short: list[Stretch] = []
        self.until = -1  # the minute after the last one that was short

    def note_short(self, minute: int) -> None:
        """Writes down that a minute was short."""
        if minute == self.until:
            self.short[-1] = Stretch(self.short[-1].begin, minute + 1)
        else:
            self.short.append(Stretch(minute, minute + 1))
        self.until = minute + 1

    def note_serving(self, minute: int, count: int) -> None:
        """Writes down how many serve from this minute on."""
        self.serving.append(Run(minute, count))

    def close(self, control: Control, start: int, minutes: int) -> Replay:
        """The replay, when all minutes are over."""
        desired = [Run(0, start)]
        for decision in control.decisions:
            # At the end of each minute: a decision counts in its own one.
            if decision.minute == desired[-1].minute:
                desired[-1] = Run(decision.minute, decision.after)
            else:
                desired.append(Run(decision.minute, decision.after))
        return Replay(
            minutes,
            tuple(control.decisions),
            tuple(self.serving),
            tuple(desired),
            tuple(self.short),
            control.held,
            tuple(control.crossed),
        )


#: The series that each policy follows, and whether it is divided by the instances.
Followed = list[tuple[Sequence[float], bool]]


def followed_by(setting: Setting, loads: Sequence[Sequence[float]]) -> Followed:
    """What the policies of a setting follow."""
    return [(loads[policy.load], policy.per_instance) for policy in setting.policies]


def measured(followed: Followed, minute: int, serving: int, missing: bool) -> list[float | None]:
    """The value of each policy's metric in a minute; None where there is no datapoint."""
    values: list[float | None] = []
    for series, per_instance in followed:
        value = series[minute]
        if value != value:
            values.append(None if missing or not serving else 0.0)
        elif not per_instance:
            values.append(value)
        else:
            values.append(value / serving if serving else None)
    return values


def replay(
    loads: Sequence[Sequence[float]], setting: Setting, behaviour: Behaviour, start: int | None = None
) -> Replay:
    """What would have happened to these loads. Each has a value for every minute, NaN where there is none; the first is
    what the instances carry. It starts with ``start`` instances brought inside the bounds, else with the minimum."""
    control = Control(setting, behaviour, start)
    first, book = control.desired, Book()
    missing = behaviour.gaps == "missing"
    carried = behaviour.carried
    followed = followed_by(setting, loads)
    serving, room = -1, 0.0
    for minute, load in enumerate(loads[0]):
        control.begin(minute)
        if control.serving != serving:
            serving = control.serving
            room = serving * carried
            book.note_serving(minute, serving)
        if load > room:
            book.note_short(minute)
        control.end(minute, measured(followed, minute, serving, missing))
    return book.close(control, first, len(loads[0]))
