"""On which terms the audits' rules have variants rehearsed, and what is kept of a rehearsal: what a rule needs to know
of the replay without the replay itself."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from msgspec import Struct, field

from chalicelib.errors import AuditorError
from chalicelib.inventory.parts import Part
from chalicelib.report.charts import RehearsalChart

WARMUP, MAX_SHORT, ZONES, DAYS, LOAD_TEST_DAYS = 5, 15, 2, 7, 180
#: A replay that explains a smaller share of the recorded steps than this does not judge.
MIN_EXPLAINED = 0.6
#: A target leaves an instance this share of what it carries, as AWS advises for the first load test.
SAFETY_FACTOR = 0.5
#: The instances below which nothing is needless, and the excess of instance-hours that is too much.
LOWEST, EXCESS = 2, 2.0
#: What a rehearsal can do without, and what it then takes.
SPARED = {
    Part.ALARMS: "alarms are taken to ring as AWS makes them",
    Part.ACTIVITIES: "how much the replay explains is not known, and the warm-up is assumed",
    Part.RECOMMENDATIONS: "no job tells of a load test",
    Part.TAGS: "no tag tells of a load test",
}


class Unrehearsable(AuditorError):
    """A variant cannot be rehearsed; the text says why."""


class Assumptions(Struct, frozen=True):
    """What is taken where nothing was read or measured, and where the bounds lie between enough and not: the minutes of
    warm-up, the share of what it carries that a target leaves an instance, the share of recorded steps that must be
    explained, the instances below which nothing is needless, the excess of instance-hours that is too much, and how old
    a job that measured the model may be."""

    warmup: int = WARMUP
    safety_factor: float = SAFETY_FACTOR
    min_explained: float = MIN_EXPLAINED
    lowest: int = LOWEST
    max_excess: float = EXCESS
    load_test_days: int = LOAD_TEST_DAYS


ASSUMED = Assumptions()


class Terms(Struct, frozen=True):
    """Under which terms a rule has the last ``days`` rehearsed: how many minutes may be short, over how many zones the
    instances are spread, and what is assumed."""

    days: int = DAYS
    max_short: int = MAX_SHORT
    zones: int = ZONES
    assumed: Assumptions = field(default_factory=Assumptions)


class Unjudged(NamedTuple):
    """Why the traffic of a variant says nothing; ``idle`` where there is none."""

    reason: str
    idle: bool = False


class Rehearsed(Struct, frozen=True):
    """What is kept of a rehearsal: the facts in evidence, the minutes short, those with a zone lost, the instance-hours
    used and needed, the highest load of a minute, the fewest instances, and how many of two grounds to trust it are
    there: a capacity that was measured, and a record that is well explained. A ``doubt`` is why it does not judge. The
    ``chart`` shows it."""

    evidence: Mapping[str, Any]
    minutes_short: int
    zone_minutes: int
    used: float
    needed: float
    peak: float
    fewest: int
    grounds: int
    chart: RehearsalChart
    doubt: str = ""
