"""From what AWS or a template says of automatic scaling to a setting that can be replayed, or the reason why not."""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import cast, get_args

from msgspec import Struct

from chalicelib.inventory.kinds import scaling
from chalicelib.inventory.kinds.scaling import (
    COPY_DIMENSION,
    INSTANCE_DIMENSION,
    MetricRef,
    ScalableTarget,
    ScalingPolicy,
    ScheduledAction,
)
from chalicelib.rehearsal.schedule import UnreadSchedule, minutes_of
from chalicelib.rehearsal.settings import (
    Alarm,
    ChangeKind,
    Policy,
    Scheduled,
    Setting,
    Step,
    StepScaling,
    TargetTracking,
    high,
    low,
)

#: The cooldown of a policy that names none, in seconds.
COOLDOWN = 300
#: How far back schedules are looked at for the bounds with which the window begins.
BEFORE = timedelta(days=8)
_FILL = re.compile(r"FILL\(\s*\w+\s*,\s*(0|0\.0)\s*\)")


class Signal(StrEnum):
    """A series that policies follow; those by instance are averages over the instances, of each minute."""

    INVOCATIONS = "Invocations"
    BACKLOG = "ApproximateBacklogSize"
    WITHOUT_CAPACITY = "HasBacklogWithoutCapacity"
    CPU = "CPUUtilization"
    MEMORY = "MemoryUtilization"
    DISK = "DiskUtilization"
    GPU = "GPUUtilization"
    GPU_MEMORY = "GPUMemoryUtilization"
    CONCURRENT_BY_MODEL = "ConcurrentRequestsPerModel"
    CONCURRENT_BY_COPY = "ConcurrentRequestsPerCopy"


_BY_INSTANCE = {
    Signal.CPU,
    Signal.MEMORY,
    Signal.DISK,
    Signal.GPU,
    Signal.GPU_MEMORY,
    Signal.CONCURRENT_BY_MODEL,
    Signal.CONCURRENT_BY_COPY,
}
_PREDEFINED = {
    scaling.INVOCATIONS_PER_INSTANCE: Signal.INVOCATIONS,
    "SageMakerInferenceComponentInvocationsPerCopy": Signal.INVOCATIONS,
    "SageMakerVariantConcurrentRequestsPerModelHighResolution": Signal.CONCURRENT_BY_MODEL,
    "SageMakerInferenceComponentConcurrentRequestsPerCopyHighResolution": Signal.CONCURRENT_BY_COPY,
}
#: By metric: which series, and whether it is divided by the instances.
_COUNTED = {
    "InvocationsPerInstance": (Signal.INVOCATIONS, True),
    "InvocationsPerCopy": (Signal.INVOCATIONS, True),
    "Invocations": (Signal.INVOCATIONS, False),
}
_QUEUED = {
    "ApproximateBacklogSizePerInstance": (Signal.BACKLOG, True),
    "ApproximateBacklogSize": (Signal.BACKLOG, False),
    "HasBacklogWithoutCapacity": (Signal.WITHOUT_CAPACITY, False),
}
#: In the order of :data:`chalicelib.rehearsal.queue.BACKLOG` and ``WITHOUT_CAPACITY``.
_QUEUE = (Signal.BACKLOG, Signal.WITHOUT_CAPACITY)
_HIGH_RESOLUTION = "HighResolution"


class Unreplayable(Struct, frozen=True):
    """Why scaling cannot be replayed."""

    reason: str


class _Refused(Exception):
    """The same, on its way."""


class Replayable(Struct, frozen=True):
    """A setting with the series that its policies follow, the load of the instances first.

    ``assumed_alarms`` is True where the alarms of a policy are those that AWS makes, as its own could not be read;
    ``high_resolution`` where a policy looks at the metric every ten seconds, and the replay every minute.
    """

    setting: Setting
    signals: tuple[Signal, ...]
    assumed_alarms: bool = False
    high_resolution: bool = False


def replayable(
    target: ScalableTarget,
    policies: Sequence[ScalingPolicy],
    alarms: Mapping[str, scaling.Alarm | None],
    schedules: Iterable[ScheduledAction],
    begin: datetime | None,
    minutes: int,
    *,
    asynchronous: bool = False,
) -> Replayable | Unreplayable:
    """The setting of a scalable target, for a window of so many minutes since ``begin``.

    ``alarms`` are those that were read, by name, None for those that do not exist. Without a ``begin`` no schedule
    can be placed. Raises Unread for facts that are not known.
    """
    try:
        return _replayable(target, policies, alarms, list(schedules), begin, minutes, asynchronous)
    except _Refused as refused:
        return Unreplayable(str(refused))


def _replayable(
    target: ScalableTarget,
    policies: Sequence[ScalingPolicy],
    alarms: Mapping[str, scaling.Alarm | None],
    schedules: Sequence[ScheduledAction],
    begin: datetime | None,
    minutes: int,
    asynchronous: bool,
) -> Replayable:
    if target.dimension not in (INSTANCE_DIMENSION, COPY_DIMENSION):
        raise _Refused(f"{target.dimension} is not replayed")
    if target.min_capacity is None or target.max_capacity is None:
        raise _Refused("MinCapacity or MaxCapacity is missing")
    if not policies:
        raise _Refused("no scaling policy")
    signals = [*_QUEUE] if asynchronous else [Signal.INVOCATIONS]
    converted = [_converted(policy, alarms, signals, asynchronous) for policy in policies]
    earlier, inside = _placed(schedules, begin, minutes)
    minimum, maximum = target.min_capacity, target.max_capacity
    for action in earlier:
        minimum = minimum if action.minimum is None else action.minimum
        maximum = maximum if action.maximum is None else action.maximum
    suspended = target.suspended
    setting = Setting(
        minimum,
        maximum,
        tuple(converted),
        tuple(inside),
        out_suspended=suspended.dynamic_out,
        in_suspended=suspended.dynamic_in,
        scheduled_suspended=suspended.scheduled,
    )
    return Replayable(
        setting,
        tuple(signals),
        assumed_alarms=any(policy.target_tracking and not _own_alarms(policy, alarms) for policy in policies),
        high_resolution=any((policy.predefined_metric or "").endswith(_HIGH_RESOLUTION) for policy in policies),
    )


def _converted(
    policy: ScalingPolicy,
    alarms: Mapping[str, scaling.Alarm | None],
    signals: list[Signal],
    asynchronous: bool,
) -> Policy:
    if policy.target_tracking:
        return _tracking(policy, alarms, signals, asynchronous)
    if policy.step_scaling:
        return _step(policy, alarms, signals, asynchronous)
    raise _Refused(f"{policy.policy_name} is of the type {policy.policy_type}, which is not replayed")


def _tracking(
    policy: ScalingPolicy,
    alarms: Mapping[str, scaling.Alarm | None],
    signals: list[Signal],
    asynchronous: bool,
) -> TargetTracking:
    if not policy.target_value:
        shown = "missing" if policy.target_value is None else f"{policy.target_value:g}"
        raise _Refused(f"TargetValue of {policy.policy_name} is {shown}; accepted is a number above 0")
    target = policy.target_value
    load, per_instance = _followed(policy, signals, asynchronous)
    outward, inward = high(target), low(target)
    for alarm in _own_alarms(policy, alarms):
        ringing = _alarm(alarm, alarm.threshold if alarm.threshold is not None else math.nan)
        if ringing.threshold != ringing.threshold:
            continue  # metric math: its threshold is not that of the metric
        if ringing.above:
            outward = ringing
        else:
            inward = ringing
    return TargetTracking(
        target,
        outward,
        None if policy.disable_scale_in else inward,
        COOLDOWN if policy.scale_out_cooldown is None else policy.scale_out_cooldown,
        COOLDOWN if policy.scale_in_cooldown is None else policy.scale_in_cooldown,
        load,
        per_instance,
    )


def _own_alarms(policy: ScalingPolicy, alarms: Mapping[str, scaling.Alarm | None]) -> list[scaling.Alarm]:
    """The alarms of a policy of which is known when they ring; those of templates AWS makes later. One that is gone or
    does not act sets nothing off."""
    named = [alarm.name for alarm in policy.known("alarms") or ()]
    for name in named:
        alarm = alarms.get(name)
        if name in alarms and alarm is None:
            raise _Refused(f"the alarm {name} of {policy.policy_name} does not exist")
        if alarm is not None and not alarm.actions_enabled:
            raise _Refused(f"the alarm {name} of {policy.policy_name} has its actions disabled")
    read = [alarms.get(name) for name in named]
    return [alarm for alarm in read if alarm is not None and alarm.evaluation_periods and alarm.comparison]


def _alarm(alarm: scaling.Alarm, threshold: float) -> Alarm:
    """An alarm in periods of a minute."""
    length = (alarm.period or 60) / 60
    periods = alarm.evaluation_periods or 1
    datapoints = alarm.datapoints_to_alarm or periods
    comparison = alarm.comparison or ""
    return Alarm(
        max(1, math.ceil(datapoints * length)),
        max(1, math.ceil(periods * length)),
        threshold,
        above=comparison.startswith("Greater"),
        strict=not comparison.endswith("OrEqualToThreshold"),
    )


def _step(
    policy: ScalingPolicy,
    alarms: Mapping[str, scaling.Alarm | None],
    signals: list[Signal],
    asynchronous: bool,
) -> StepScaling:
    own = _own_alarms(policy, alarms)
    if len(own) != 1:
        raise _Refused(f"{policy.policy_name} hangs on {len(own)} alarms that are known; accepted is 1")
    alarm = own[0]
    if alarm.threshold is None or len(alarm.metrics) != 1 or alarm.metric_name is None:
        raise _Refused(f"when the alarm {alarm.name} rings is not known")
    if alarm.period != 60:
        raise _Refused(f"the alarm {alarm.name} looks at periods of {alarm.period} seconds; accepted are 60")
    if policy.adjustment_type not in get_args(ChangeKind):
        raise _Refused(f"the AdjustmentType {policy.adjustment_type} of {policy.policy_name} is not known")
    load, per_instance = _metric(alarm.metrics[0], None, policy, signals, asynchronous)
    return StepScaling(
        _alarm(alarm, alarm.threshold),
        tuple(Step(step.lower, step.upper, step.adjustment) for step in policy.steps),
        cast(ChangeKind, policy.adjustment_type),
        policy.least_adjustment or 0,
        COOLDOWN if policy.step_cooldown is None else policy.step_cooldown,
        per_instance,
        load,
    )


def _followed(policy: ScalingPolicy, signals: list[Signal], asynchronous: bool) -> tuple[int, bool]:
    """The number of the series that a target tracking policy follows, and whether it is divided by the instances."""
    if policy.predefined_metric is not None:
        signal = _PREDEFINED.get(policy.predefined_metric)
        if signal is None or asynchronous:
            raise _Refused(f"{policy.policy_name} follows {policy.predefined_metric}, which is not replayed")
        return _number(signal, signals), True
    metrics = policy.custom_metrics
    math_alone = policy.metric_math and not (len(policy.expressions) == 1 and _FILL.fullmatch(policy.expressions[0]))
    if len(metrics) != 1 or math_alone:
        raise _Refused(f"{policy.policy_name} follows metric math; accepted is FILL(…, 0) of a single metric")
    return _metric(metrics[0], policy.custom_statistic, policy, signals, asynchronous)


def _metric(
    metric: MetricRef, statistic: str | None, policy: ScalingPolicy, signals: list[Signal], asynchronous: bool
) -> tuple[int, bool]:
    name = metric.name or ""
    counted = _QUEUED if asynchronous else _COUNTED
    if name in counted:
        if name in _COUNTED and statistic not in (None, "Sum"):
            raise _Refused(f"{policy.policy_name} follows the {statistic} of {name}; accepted is the Sum")
        signal, per_instance = counted[name]
        return _number(signal, signals), per_instance
    if asynchronous or name not in _BY_INSTANCE:
        raise _Refused(f"{policy.policy_name} follows {name or 'a metric without a name'}, which is not replayed")
    if statistic not in (None, "Average"):
        raise _Refused(f"{policy.policy_name} follows the {statistic} of {name}; accepted is the Average")
    return _number(Signal(name), signals), True


def _number(signal: Signal, signals: list[Signal]) -> int:
    if signal not in signals:
        signals.append(signal)
    return signals.index(signal)


def _placed(
    schedules: Sequence[ScheduledAction], begin: datetime | None, minutes: int
) -> tuple[list[Scheduled], list[Scheduled]]:
    """What scheduled actions do before the window and in it, in their order."""
    bounding = [action for action in schedules if (action.min_capacity, action.max_capacity) != (None, None)]
    if not bounding:
        return [], []
    if begin is None:
        raise _Refused(f"when the scheduled action {bounding[0].name} comes is not known of a load without dates")
    lead = int(BEFORE / timedelta(minutes=1))
    placed: list[Scheduled] = []
    for action in bounding:
        try:
            moments = minutes_of(action, begin - BEFORE, minutes + lead)
        except UnreadSchedule as problem:
            raise _Refused(f"the scheduled action {action.name} cannot be placed: {problem}") from None
        placed += [Scheduled(minute - lead, action.min_capacity, action.max_capacity) for minute in moments]
    placed.sort(key=lambda scheduled: scheduled.minute)
    return [action for action in placed if action.minute < 0], [action for action in placed if action.minute >= 0]
