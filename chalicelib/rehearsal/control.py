"""Application Auto Scaling as it is documented: alarms, cooldowns and schedules that change a number of instances.

A cooldown begins when the new instances serve; while it runs, only a larger scale-out passes; an endpoint that is
``Updating`` cannot be scaled. Source: Application Auto Scaling user guide, "How target tracking scaling works" and
"Step scaling policies"; SageMaker developer guide, "Automatic scaling of models".
"""

from collections import deque
from collections.abc import Sequence

from chalicelib.rehearsal.book import HIGH, LOW, SCHEDULE, Book, Decision
from chalicelib.rehearsal.settings import (
    Alarm,
    Behaviour,
    Policy,
    Scheduled,
    Setting,
    StepScaling,
    TargetTracking,
    upward,
)

#: Minutes beyond its periods in which an alarm looks for datapoints that are late or missing.
LATE = 2
#: The cooldown of a change that has not been: over since ever.
NEVER = -(10**9)


class Counter:
    """An alarm that wants all of its periods, of a metric without gaps: datapoints beyond the limit, in a row."""

    __slots__ = ("above", "count", "limit", "needed")

    def __init__(self, alarm: Alarm) -> None:
        self.limit, self.above, self.needed, self.count = alarm.limit, alarm.above, alarm.periods, 0

    def rings(self, minute: int, value: float | None) -> bool:
        """Takes the datapoint of a minute; True while the alarm rings."""
        if value is not None and (value > self.limit if self.above else value < self.limit):
            self.count += 1
            return self.count >= self.needed
        self.count = 0
        return False


class Window:
    """An alarm that wants some of its periods, or of a metric with gaps: the last datapoints that there are."""

    __slots__ = ("above", "alarm", "beyond", "limit", "points")

    def __init__(self, alarm: Alarm) -> None:
        self.alarm, self.limit, self.above = alarm, alarm.limit, alarm.above
        self.points: deque[tuple[int, bool]] = deque()
        self.beyond = 0

    def rings(self, minute: int, value: float | None) -> bool:
        """Takes the datapoint of a minute, or None where there is none; True while the alarm rings."""
        if value is not None:
            beyond = value > self.limit if self.above else value < self.limit
            self.points.append((minute, beyond))
            self.beyond += beyond
        oldest = minute - self.alarm.periods - LATE
        while self.points and (self.points[0][0] <= oldest or len(self.points) > self.alarm.periods):
            self.beyond -= self.points.popleft()[1]
        return len(self.points) == self.alarm.periods and self.beyond >= self.alarm.datapoints


class Gauge:
    """A policy with the state of its alarms."""

    __slots__ = ("high", "inward", "low", "outward", "policy")

    def __init__(self, policy: Policy, gapless: bool) -> None:
        self.policy = policy
        if isinstance(policy, TargetTracking):
            self.high = _watch(policy.high, gapless).rings
            self.low = _watch(policy.low, gapless).rings if policy.low else _never
        else:
            self.high, self.low = _watch(policy.alarm, gapless).rings, _never
        self.outward = self.inward = False

    def rings(self, minute: int, value: float | None) -> bool:
        """Takes the datapoint of a minute; True where one of the alarms rings, and there is a value to act upon."""
        self.outward = outward = self.high(minute, value) and value is not None
        self.inward = inward = self.low(minute, value) and value is not None
        return outward or inward


def _never(minute: int, value: float | None) -> bool:
    """The alarm for less capacity that a policy does not have."""
    return False


def _watch(alarm: Alarm, gapless: bool) -> Counter | Window:
    return Counter(alarm) if gapless and alarm.datapoints == alarm.periods else Window(alarm)


class Control:
    """The number of instances, and all that is remembered to change it.

    For every minute, in this order: :meth:`begin`, then the load is served by ``serving`` instances, then :meth:`end`
    with the value of each policy's metric. ``desired`` are those ordered.
    """

    __slots__ = (
        "base",
        "behaviour",
        "book",
        "desired",
        "gauges",
        "in_since",
        "maximum",
        "minimum",
        "opens_cooldown",
        "out_since",
        "ready",
        "schedule",
        "serving",
        "setting",
        "wanted_minimum",
    )

    def __init__(self, setting: Setting, behaviour: Behaviour, start: int | None = None) -> None:
        self.setting, self.behaviour = setting, behaviour
        self.wanted_minimum, self.maximum = setting.minimum, setting.maximum
        self.minimum = min(setting.minimum, setting.maximum)
        self.desired = setting.beginning(start)
        self.book = Book(self.desired)
        self.serving = self.base = self.desired
        self.ready: int | None = None  # the first minute after the change under way
        self.opens_cooldown = False
        self.out_since = self.in_since = NEVER  # the minutes at which the cooldowns began
        gapless = behaviour.gaps == "zero" and _never_zero(setting)
        self.gauges = [Gauge(policy, gapless) for policy in setting.policies]
        self.schedule: dict[int, list[Scheduled]] = {}
        for action in () if setting.scheduled_suspended else setting.scheduled:
            self.schedule.setdefault(action.minute, []).append(action)

    def begin(self, minute: int) -> None:
        """What happens at the beginning of a minute: instances that were ordered serve, scheduled actions are done."""
        if minute != self.ready and minute not in self.schedule:
            return
        if minute == self.ready:
            self._complete(minute)
        if minute in self.schedule:
            self._reschedule(minute)
        if self.ready is None and not self.minimum <= self.desired <= self.maximum:
            self._bring_inside(minute)

    def end(self, minute: int, values: Sequence[float | None]) -> Decision | None:
        """What is decided at the end of a minute, and does it."""
        decision = self.wish(minute, values)
        if decision is not None:
            self.take(decision)
        return decision

    def wish(self, minute: int, values: Sequence[float | None]) -> Decision | None:
        """What the policies decide at the end of a minute, given the value of each one's metric; nothing is changed."""
        ringing = False
        for number, gauge in enumerate(self.gauges):
            if gauge.rings(minute, values[number]):
                ringing = True
        if not ringing or self.ready is not None:
            return None
        wanted = 0 if self.setting.out_suspended else self._outward(minute, values)
        if wanted > self.desired:
            if self.maximum > self.desired:
                return Decision(minute, self.desired, min(wanted, self.maximum), HIGH)
            self.book.held += 1
            return None
        if self.setting.in_suspended or self.desired <= self.minimum:
            return None
        wanted = self._inward(minute, values)
        return Decision(minute, self.desired, wanted, LOW) if wanted < self.desired else None

    def take(self, decision: Decision) -> None:
        """Makes a change that was decided at the end of a minute."""
        self.book.decisions.append(decision)
        if decision.outward:
            self.base, self.ready = self.desired, decision.minute + 1 + self.behaviour.warmup
            self.in_since = NEVER
        else:
            self.serving, self.ready = decision.after, decision.minute + 1 + self.behaviour.removal
            self.in_since = self.ready
        self.desired, self.opens_cooldown = decision.after, decision.outward

    def _complete(self, minute: int) -> None:
        self.serving, self.ready = self.desired, None
        if self.opens_cooldown:
            self.out_since = minute

    def _reschedule(self, minute: int) -> None:
        for action in self.schedule[minute]:
            if action.minimum is not None:
                self.wanted_minimum = action.minimum
            if action.maximum is not None:
                self.maximum = action.maximum
        self.minimum = min(self.wanted_minimum, self.maximum)
        if self.wanted_minimum > self.maximum:
            self.book.crossed.append(minute)

    def _bring_inside(self, minute: int) -> None:
        """Brings what a schedule has left outside the bounds inside again; opens no cooldown, and waits for none."""
        after = max(self.minimum, min(self.maximum, self.desired))
        decision = Decision(minute, self.desired, after, SCHEDULE)
        self.book.decisions.append(decision)
        busy = self.behaviour.warmup if decision.outward else self.behaviour.removal
        self.desired, self.opens_cooldown = after, False
        if busy:
            self.ready = minute + busy
        if not decision.outward or not busy:
            self.serving = after

    def _outward(self, minute: int, values: Sequence[float | None]) -> int:
        """The most that a policy wants; while its cooldown runs it counts from before the last scale-out."""
        wanted = 0
        for gauge, value in zip(self.gauges, values, strict=True):
            if gauge.outward and value is not None:
                cooldown = _out_cooldown(gauge.policy)
                cooling = (minute + 1 - self.out_since) * 60 < cooldown
                wanted = max(wanted, _wanted(gauge.policy, value, self.base if cooling else self.desired))
        return wanted

    def _inward(self, minute: int, values: Sequence[float | None]) -> int:
        """The least that the policies agree upon, inside the bounds. Target tracking policies must all want less; step
        policies ask nobody."""
        wishes = []
        agreed = []
        elapsed = (minute + 1 - self.in_since) * 60
        for gauge, value in zip(self.gauges, values, strict=True):
            policy = gauge.policy
            if isinstance(policy, StepScaling):
                if gauge.outward and value is not None and elapsed >= policy.cooldown:
                    wishes.append(policy.wanted(value, self.desired))
            elif policy.low is not None:
                ready = gauge.inward and value is not None and elapsed >= policy.in_cooldown
                agreed.append(_wanted(policy, value, self.desired) if ready and value is not None else self.desired)
        if agreed:
            wishes.append(max(agreed))
        smaller = [wish for wish in wishes if wish < self.desired]
        return max(self.minimum, *smaller) if smaller else self.desired


def _never_zero(setting: Setting) -> bool:
    """True where there is always an instance, and so a datapoint."""
    return setting.minimum > 0 and all(action.minimum != 0 and action.maximum != 0 for action in setting.scheduled)


def _out_cooldown(policy: Policy) -> int:
    return policy.cooldown if isinstance(policy, StepScaling) else policy.out_cooldown


def _wanted(policy: Policy, value: float, capacity: int) -> int:
    if isinstance(policy, StepScaling):
        return policy.wanted(value, capacity)
    # With no instance, the metric is that of all requests that wait.
    return upward((capacity or 1) * value / policy.target)
