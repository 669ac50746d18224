"""What a rehearsal replays: bounds, policies and schedules of automatic scaling, and how the service behaves.

Values alone: no clock, no client. Minutes are counted from the first of the load, which is 0.
"""

import math
from typing import Literal

from msgspec import Struct

#: Numbers that differ by less than this share are the same: 0.9 × 5 is no floating point number.
TOLERANCE = 1e-9
#: A change that the policy asks for, in instances: the smallest whole number that is enough.
ChangeKind = Literal["ChangeInCapacity", "PercentChangeInCapacity", "ExactCapacity"]
Gaps = Literal["zero", "missing"]


def upward(value: float) -> int:
    """The smallest whole number that is not below ``value``, which may be a rounding error too high."""
    return math.ceil(value - TOLERANCE)


class Alarm(Struct, frozen=True):
    """When an alarm rings: ``datapoints`` of the last ``periods`` beyond the threshold, which ``strict`` ones may not
    equal."""

    datapoints: int
    periods: int
    threshold: float
    above: bool
    strict: bool = True

    @property
    def limit(self) -> float:
        """Strictly beyond this number, in the alarm's direction, lie the datapoints that count."""
        further = 1 if self.above == self.strict else -1
        limit = self.threshold * (1 + further * TOLERANCE)
        if self.strict:
            return limit
        return math.nextafter(limit, -math.inf if self.above else math.inf)


def high(target: float, datapoints: int = 3, periods: int = 3) -> Alarm:
    """The alarm that target tracking makes for more capacity."""
    return Alarm(datapoints, periods, target, above=True)


def low(target: float, datapoints: int = 15, periods: int = 15) -> Alarm:
    """The alarm that target tracking makes for less capacity: nine tenths of the target."""
    return Alarm(datapoints, periods, 0.9 * target, above=False)


class TargetTracking(Struct, frozen=True):
    """A target tracking policy. Cooldowns in seconds; ``low`` is None where scale-in is disabled; ``load`` is the
    number of the series that it follows, divided by the instances where it is ``per_instance``."""

    target: float
    high: Alarm
    low: Alarm | None
    out_cooldown: int = 300
    in_cooldown: int = 300
    load: int = 0
    per_instance: bool = True


def tracking(target: float, out_cooldown: int = 300, in_cooldown: int = 300, load: int = 0) -> TargetTracking:
    """Target tracking with the alarms that AWS makes where nobody has changed them."""
    return TargetTracking(target, high(target), low(target), out_cooldown, in_cooldown, load)


class Step(Struct, frozen=True):
    """What a step policy does while its metric lies between two distances from the threshold; None is without end."""

    lower: float | None
    upper: float | None
    adjustment: int


class StepScaling(Struct, frozen=True):
    """A step scaling policy with the alarm that sets it off. The cooldown is in seconds; ``magnitude`` is the least
    change of a percentage, in instances."""

    alarm: Alarm
    steps: tuple[Step, ...]
    adjustment: ChangeKind = "ChangeInCapacity"
    magnitude: int = 0
    cooldown: int = 300
    per_instance: bool = True
    load: int = 0

    def wanted(self, value: float, capacity: int) -> int:
        """How many instances the policy wants of ``capacity``, at this value of its metric."""
        step = self._step(value - self.alarm.threshold)
        if step is None:
            return capacity
        if self.adjustment == "ExactCapacity":
            return step.adjustment
        if self.adjustment == "ChangeInCapacity":
            return max(0, capacity + step.adjustment)
        if step.adjustment == 0:
            return capacity
        least = max(1, self.magnitude)
        change = max(least, math.floor(capacity * abs(step.adjustment) / 100 + TOLERANCE))
        return max(0, capacity + change if step.adjustment > 0 else capacity - change)

    def _step(self, distance: float) -> Step | None:
        for step in self.steps:
            lower = -math.inf if step.lower is None else step.lower
            upper = math.inf if step.upper is None else step.upper
            if (lower <= distance < upper) if self.alarm.above else (lower < distance <= upper):
                return step
        return None


Policy = TargetTracking | StepScaling


class Scheduled(Struct, frozen=True):
    """A scheduled action at the beginning of a minute of the window; it leaves a bound that is None as it is."""

    minute: int
    minimum: int | None
    maximum: int | None


class Setting(Struct, frozen=True):
    """All that decides how many instances there are."""

    minimum: int
    maximum: int
    policies: tuple[Policy, ...]
    scheduled: tuple[Scheduled, ...] = ()
    out_suspended: bool = False
    in_suspended: bool = False
    scheduled_suspended: bool = False

    def beginning(self, start: int | None) -> int:
        """With how many instances it begins: ``start`` brought inside the bounds, or the minimum."""
        minimum = min(self.minimum, self.maximum)
        return minimum if start is None else max(minimum, min(self.maximum, start))


class Behaviour(Struct, frozen=True):
    """How the service and its instances behave.

    ``capacity`` is what one instance carries in a minute, in units of the first load; ``warmup`` the minutes from a
    decision until the new instances serve, ``removal`` those that a scale-in keeps the endpoint ``Updating``.
    """

    capacity: float
    warmup: int = 5
    removal: int = 0
    gaps: Gaps = "zero"

    @property
    def carried(self) -> float:
        """What one instance carries, and a rounding error more."""
        return self.capacity * (1 + TOLERANCE)
