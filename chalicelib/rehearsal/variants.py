"""A variant of an account as it is rehearsed: its setting, the minutes that this takes, and what AWS has recorded."""

import math
from array import array
from collections.abc import Mapping, Sequence
from datetime import datetime

from chalicelib.errors import AuditorError
from chalicelib.inventory.estate import Inventory
from chalicelib.inventory.kinds.endpoints import Variant
from chalicelib.inventory.kinds.scaling import INVOCATIONS_PER_INSTANCE, ScalableTarget
from chalicelib.inventory.parts import Part
from chalicelib.inventory.traffic import (
    FAILURES,
    INVOCATIONS,
    SHARES,
    MinuteMetric,
    Minutes,
    instances,
    measured_on_instances,
    number_of,
)
from chalicelib.rehearsal.policies import Replayable, Signal, Unreplayable, replayable
from chalicelib.rehearsal.questions import WARMUP, Known
from chalicelib.rehearsal.record import explained, minutes_taken, proven_capacity, recorded_steps
from chalicelib.rehearsal.series import Load, UnsoundSeries, of_points, per_instance
from chalicelib.rehearsal.settings import Behaviour

#: What a rehearsal can do without, and what it then takes.
SPARED = {
    Part.ALARMS: "alarms are taken to ring as AWS makes them",
    Part.ACTIVITIES: "how much the replay explains is not known, and the warm-up is assumed",
}
#: Less traffic than this says nothing of days.
FEWEST_MINUTES = 24 * 60


class Unrehearsable(AuditorError):
    """A variant cannot be rehearsed; the text says why."""


def spared(estate: Inventory, target: ScalableTarget) -> dict[Part, str]:
    """What a rehearsal of a target does without, as it could not be read, and why. Raises Unread for what is left to
    the next sweep, which will have it."""
    unread: dict[Part, str] = {}
    for part, words in SPARED.items():
        failure = estate.gaps.of(part) or estate.gaps.of(part, target.resource_id)
        if failure is None:
            continue
        if failure.deferred:
            raise failure.unread
        unread[part] = f"{failure.reason}; {words}"
    return unread


def replayable_of(
    estate: Inventory, unread: Mapping[Part, str], target: ScalableTarget, begin: datetime | None, minutes: int
) -> Replayable:
    """The setting of a target over so many minutes from ``begin``. Raises Unrehearsable, and Unread."""
    policies = estate.policies_of(target)
    names = {alarm.name for policy in policies for alarm in policy.alarms}
    alarms = {} if Part.ALARMS in unread else {name: estate.alarm(name) for name in names}
    answer = replayable(target, policies, alarms, estate.schedules_of(target), begin, minutes)
    if isinstance(answer, Unreplayable):
        raise Unrehearsable(f"{target.name} cannot be rehearsed: {answer.reason}")
    if answer.signals[0] is not Signal.INVOCATIONS:
        raise Unrehearsable(f"{target.name} follows {answer.signals[0]}")
    return answer


def followed(answer: Replayable) -> list[MinuteMetric]:
    """The metrics beside the requests that policies follow."""
    return [measured_on_instances(signal) for signal in answer.signals[1:]]


def known_of(
    estate: Inventory,
    unread: Mapping[Part, str],
    target: ScalableTarget,
    scaled: Variant,
    minutes: Mapping[MinuteMetric, Minutes],
    begin: datetime,
    end: datetime,
) -> tuple[Load, Known]:
    """The load of a variant in a window, and what is known of its scaling. Without the minutes of :data:`SHARES` and
    :data:`FAILURES` nothing is known of what instances have carried.

    Raises UnsoundSeries for too little or unsound traffic, Unrehearsable, and Unread.
    """
    load = of_points(minutes[INVOCATIONS], begin, end)
    if load.minutes < FEWEST_MINUTES:
        raise UnsoundSeries(f"{load.minutes} minutes are there; accepted is a day at least")
    assert load.begin is not None
    # Minutes, and so the schedule in them, count from the first datapoint.
    answer = replayable_of(estate, unread, target, load.begin, load.minutes)
    counts = instances(minutes.get(SHARES, {}))
    others = tuple(_load_of(minutes[metric], counts, load) for metric in followed(answer))
    steps = [] if Part.ACTIVITIES in unread else recorded_steps(estate.activities_of(target))
    policies = estate.policies_of(target)
    since = max((policy.created for policy in policies if policy.created), default=load.begin)
    warmup = minutes_taken(steps, outward=True)
    removal = minutes_taken(steps, outward=False)
    start = int(counts.get(number_of(load.begin), scaled.known("current_instance_count") or answer.setting.minimum))
    behaviour = Behaviour(1.0, WARMUP if warmup is None else warmup, removal or 0)
    inside = [step for step in steps if step.started >= since]
    failing = [minute for minute, number in minutes.get(FAILURES, {}).items() if number > 0]
    alone = policies[0] if len(policies) == 1 else None
    return load, Known(
        answer,
        f"as Application Auto Scaling has it in {estate.region}",
        target.resource_id,
        alone.policy_name if alone and alone.predefined_metric == INVOCATIONS_PER_INSTANCE else None,
        region=estate.region,
        warmup=warmup,
        removal=removal,
        proven=proven_capacity(minutes[INVOCATIONS], counts, failing),
        explained=None
        if Part.ACTIVITIES in unread
        else explained([load.values, *others], answer.setting, behaviour, inside, load.begin, start),
        notes=tuple(unread.values()),
        start=start,
        others=others,
    )


def _load_of(values: Minutes, counts: Minutes, load: Load) -> Sequence[float]:
    """What all instances measured together, in the minutes of the load; NaN where nothing is known."""
    whole = per_instance(values, counts)
    assert load.begin is not None
    begin = number_of(load.begin)
    return array("d", (whole.get(begin + minute, math.nan) for minute in range(load.minutes)))
