"""Random loads and settings for the properties of the replay: jumpy, with gaps, with numbers that meet exactly."""

import math
from array import array

from hypothesis import strategies as st

from chalicelib.rehearsal.settings import (
    Alarm,
    Behaviour,
    Scheduled,
    Setting,
    Step,
    StepScaling,
    TargetTracking,
)

#: Multiples of a quarter of the target meet thresholds exactly; the others do not.
AMOUNTS = st.one_of(st.integers(0, 80).map(lambda number: number * 25.0), st.floats(0, 2000))


@st.composite
def loads(draw: st.DrawFn, gaps: bool = False, most: int = 14) -> "array[float]":
    """Up to ``most`` plateaus of up to 40 minutes, some of them gaps."""
    pieces = draw(st.lists(st.tuples(AMOUNTS, st.integers(1, 40), st.integers(0, 9)), min_size=1, max_size=most))
    values = array("d")
    for amount, minutes, chance in pieces:
        values.extend([math.nan if gaps and chance == 0 else amount] * minutes)
    return values


@st.composite
def trackings(draw: st.DrawFn, plain: bool = False, load: int = 0) -> TargetTracking:
    """Target tracking policies; ``plain`` ones have alarms that want all of their periods."""
    target = draw(st.sampled_from([50.0, 70.0, 90.0, 100.0, 120.0]))
    periods = draw(st.integers(1, 5))
    datapoints = periods if plain else draw(st.integers(1, periods))
    quiet = draw(st.integers(2, 20))
    low = Alarm(quiet if plain else draw(st.integers(1, quiet)), quiet, 0.9 * target, above=False)
    cooldowns = st.sampled_from([0, 30, 60, 300, 301, 900])
    return TargetTracking(
        target,
        Alarm(datapoints, periods, target, above=True),
        draw(st.one_of(st.just(low), st.just(low), st.none())),
        draw(cooldowns),
        draw(cooldowns),
        load,
    )


STEPS = st.builds(
    StepScaling,
    st.builds(Alarm, st.just(1), st.just(1), st.sampled_from([100.0, 400.0]), st.booleans(), st.booleans()),
    st.sampled_from(
        [
            (Step(0, 100, 1), Step(100, None, 3)),
            (Step(None, 0, -1),),
            (Step(0, None, 50),),
            (Step(None, None, 4),),
        ]
    ),
    st.sampled_from(["ChangeInCapacity", "PercentChangeInCapacity", "ExactCapacity"]),
    st.integers(0, 3),
    st.sampled_from([0, 300]),
    st.booleans(),
)


@st.composite
def settings_of(draw: st.DrawFn, plain: bool = False, scheduled: bool = True) -> Setting:
    """Settings; ``plain`` ones are those that can be scanned."""
    minimum = draw(st.integers(1, 5))
    maximum = draw(st.integers(minimum, 25))
    if plain:
        return Setting(minimum, maximum, (draw(trackings(plain=True)),))
    policies = draw(st.lists(st.one_of(trackings(), STEPS), min_size=1, max_size=3))
    actions = st.builds(
        Scheduled,
        st.integers(0, 200),
        st.one_of(st.none(), st.integers(1, 9)),
        st.one_of(st.none(), st.integers(1, 25)),
    )
    schedule = tuple(draw(st.lists(actions, max_size=3))) if scheduled else ()
    flags = st.sampled_from([False, False, False, True])
    return Setting(minimum, maximum, tuple(policies), schedule, draw(flags), draw(flags), draw(flags))


@st.composite
def behaviours(draw: st.DrawFn, gapless: bool = False) -> Behaviour:
    """How the service behaves."""
    return Behaviour(
        draw(st.sampled_from([100.0, 150.0, 200.0, 333.3])),
        draw(st.integers(0, 15)),
        draw(st.integers(0, 5)),
        "zero" if gapless else draw(st.sampled_from(["zero", "missing"])),
    )


STARTS = st.one_of(st.none(), st.integers(0, 30))
