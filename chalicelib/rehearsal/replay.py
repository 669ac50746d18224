"""Replays a load through a setting of automatic scaling, minute by minute."""

import math
from collections.abc import Sequence

from chalicelib.rehearsal.book import Book, Replay
from chalicelib.rehearsal.control import Control
from chalicelib.rehearsal.scan import scan, scannable
from chalicelib.rehearsal.settings import Behaviour, Setting

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
    if not scannable(setting, behaviour):
        return replay_any(loads, setting, behaviour, start)
    book = Book(setting.beginning(start))
    scan(loads[0], setting, behaviour, start, book=book)
    return book.close(len(loads[0]))


def replay_any(
    loads: Sequence[Sequence[float]],
    setting: Setting,
    behaviour: Behaviour,
    start: int | None = None,
    max_short: float = math.inf,
) -> Replay:
    """The same by the loop that is for every setting. It ends as soon as more than ``max_short`` minutes are short."""
    control = Control(setting, behaviour, start)
    book = control.book
    missing = behaviour.gaps == "missing"
    carried = behaviour.carried
    followed = followed_by(setting, loads)
    serving = control.serving
    room = serving * carried
    for minute, load in enumerate(loads[0]):
        control.begin(minute)
        if control.serving != serving:
            serving = control.serving
            room = serving * carried
            book.note_serving(minute, serving)
        if load > room:
            book.note_short(minute)
            if book.minutes_short > max_short:
                return book.close(minute + 1)
        control.end(minute, measured(followed, minute, serving, missing))
    return book.close(len(loads[0]))
