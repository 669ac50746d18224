"""What the rehearsal of scaling costs on one core, without any reading: CPU seconds and memory. Asserts nothing."""

import math
import random
import resource
import time
from array import array
from collections.abc import Iterator

from benchmarks.table import Table
from chalicelib.rehearsal.figures import figures
from chalicelib.rehearsal.proposals import Limits, cheapest
from chalicelib.rehearsal.questions import MAX_WAIT
from chalicelib.rehearsal.queue_proposals import cheapest_queue
from chalicelib.rehearsal.replay import replay
from chalicelib.rehearsal.settings import Behaviour, Setting, tracking

DAY = 1440
VARIANTS, DAYS = 500, 7
#: Enough for most of the traffic and too slow for every surge of it, so that each variant fails and is searched for.
SETTING = Setting(1, 20, (tracking(100),))
BEHAVIOUR = Behaviour(capacity=200)
LIMITS = Limits(max_short=15)


def traffic(days: int, seed: int) -> "array[float]":
    """A load by minutes with days, quieter weekends, noise, and a surge every few hours."""
    chance = random.Random(seed)
    values = array("d")
    surge = left = 0.0
    for minute in range(days * DAY):
        if left <= 0 and chance.random() < 1 / 300:
            surge, left = chance.uniform(1.5, 4), chance.randint(10, 60)
        left -= 1
        level = (0.4 if minute // DAY % 7 >= 5 else 1.0) * (surge if left > 0 else 1.0)
        wave = 1 + math.sin(minute % DAY / DAY * 2 * math.pi - 1.5)
        values.append(level * (60 + 300 * wave) * chance.uniform(0.9, 1.1))
    return values


def loads() -> Iterator["array[float]"]:
    """The loads of the variants, one after the other: a sweep holds one at a time, too."""
    for seed in range(VARIANTS):
        yield traffic(DAYS, seed)


def rows(table: Table) -> None:
    """Measures everything and adds the rows."""
    year = traffic(365, 0)
    start = time.process_time()
    replay([year], SETTING, BEHAVIOUR)
    seconds = time.process_time() - start
    table.row("CPU seconds, a year of one variant", [seconds], "< 1", seconds < 1)
    del year

    replayed = searched = 0.0
    short = 0
    before = _peak_mb()
    for load in loads():
        start = time.process_time()
        result = replay([load], SETTING, BEHAVIOUR)
        replayed += time.process_time() - start
        figures(load, result, BEHAVIOUR, 100, 2)
        short += result.minutes_short > LIMITS.max_short
        start = time.process_time()
        cheapest([load], SETTING, BEHAVIOUR, LIMITS)
        searched += time.process_time() - start
    name = f"{VARIANTS} variants × {DAYS} days"
    table.row(f"CPU seconds, {name}", [replayed], "< 5", replayed < 5)
    table.row(f"CPU seconds, search, {short} of them short", [searched], "< 60", searched < 60)
    grown = _peak_mb() - before
    table.row("MB more for all of them than for a year", [grown], "< 5", grown < 5)

    queue = Setting(0, 20, (tracking(5),))
    start = time.process_time()
    cheapest_queue(traffic(DAYS, 0), queue, Behaviour(capacity=200), LIMITS, MAX_WAIT)
    table.row(f"CPU seconds, search for a queue of {DAYS} days", [time.process_time() - start])


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
