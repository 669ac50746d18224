"""An AWS of its own, simpler than the product's replay and sharing no code with it: it steps in tens of seconds, rings
its alarms by looking back over the last minutes, and writes down its activities as Application Auto Scaling does."""

import math
import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from chalicelib.inventory.kinds.scaling import ScalingActivity

BEGIN = datetime(2026, 3, 2, tzinfo=UTC)
TICK = 10
TICKS_A_MINUTE = 60 // TICK


@dataclass
class SyntheticAws:
    """Target tracking of one variant: ``delay`` is how many minutes late its alarms see the metric; warm-up and
    cooldown in seconds."""

    target: float = 100.0
    minimum: int = 1
    maximum: int = 30
    warmup: int = 290
    cooldown: int = 300
    delay: int = 0
    quiet: int = 15
    begin: datetime = BEGIN
    activities: list[ScalingActivity] = field(default_factory=list)
    counts: list[int] = field(default_factory=list)

    def run(self, load: list[float]) -> None:
        """Lives through a load, given for each minute."""
        count, ordered, busy_until, free_from = self.minimum, self.minimum, 0, 0
        outward_allowed = inward_allowed = 0
        metric: list[float] = []
        change = False
        for tick in range(len(load) * TICKS_A_MINUTE):
            second = tick * TICK
            if change and second >= busy_until:
                count, change, free_from = ordered, False, busy_until
                outward_allowed = free_from + self.cooldown
            minute, within = divmod(tick, TICKS_A_MINUTE)
            if within == 0:
                self.counts.append(count)
            if within != TICKS_A_MINUTE - 1:
                continue
            metric.append(load[minute] / count)
            seen = metric[: len(metric) - self.delay]
            if change or len(seen) < 3:
                continue
            now = second + TICK
            if min(seen[-3:]) > self.target:
                wanted = min(self.maximum, math.ceil(count * seen[-1] / self.target))
                if wanted > count and now >= outward_allowed:
                    ordered, change, busy_until = wanted, True, now + self.warmup
                    self._write(now, busy_until, wanted, "AlarmHigh")
            elif len(seen) >= self.quiet and max(seen[-self.quiet :]) < 0.9 * self.target:
                wanted = max(self.minimum, math.ceil(count * seen[-1] / self.target))
                if wanted < count and now >= inward_allowed:
                    count = ordered = wanted
                    inward_allowed = now + self.cooldown
                    self._write(now, now + 20, wanted, "AlarmLow")

    def _write(self, begin: int, end: int, count: int, alarm: str) -> None:
        started = self.begin + timedelta(seconds=begin - TICK)
        self.activities.append(
            ScalingActivity.model_validate(
                {
                    "ResourceId": "endpoint/orders/variant/main",
                    "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
                    "StatusCode": "Successful",
                    "Description": f"Setting desired instance count to {count}.",
                    "Cause": f"monitor alarm TargetTracking-endpoint/orders/variant/main-{alarm}-1 in state ALARM "
                    "triggered policy orders",
                    "StartTime": started,
                    "EndTime": self.begin + timedelta(seconds=end),
                }
            )
        )


def week(seed: int, days: int = 7) -> list[float]:
    """A load with days, a quieter weekend, noise and sudden steps, by minutes."""
    chance = random.Random(seed)
    values: list[float] = []
    surge, left = 1.0, 0
    for minute in range(days * 1440):
        if left == 0 and chance.random() < 1 / 240:
            surge, left = chance.uniform(1.2, 2.5), chance.randint(20, 90)
        left = max(0, left - 1)
        day = 0.4 if minute // 1440 % 7 >= 5 else 1.0
        wave = 1 + math.sin((minute % 1440) / 1440 * 2 * math.pi - 1.5)
        values.append(day * (100 + 450 * wave) * (surge if left else 1.0) * chance.uniform(0.97, 1.03))
    return values


def climbs(seed: int, days: int = 7) -> list[float]:
    """A load that climbs for five hours of every day without a rest, and ends at once: one scale-out after the
    other."""
    chance = random.Random(seed)
    return [
        chance.uniform(0.99, 1.01) * (60 + 2400 * min(1.0, minute / 300) if minute < 600 else 60)
        for _ in range(days)
        for minute in range(1440)
    ]
