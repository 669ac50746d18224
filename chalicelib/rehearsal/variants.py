"""A variant of an account as it is rehearsed: its setting, the minutes that this takes, and what AWS has recorded."""

import math
from array import array
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from msgspec import Struct

from chalicelib.inventory.estate import Inventory
from chalicelib.inventory.kinds.endpoints import Variant
from chalicelib.inventory.kinds.quotas import ServiceQuota, quota_name
from chalicelib.inventory.kinds.scaling import INVOCATIONS_PER_INSTANCE, ScalableTarget, ScalingPolicy
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
from chalicelib.rehearsal.bounds import LEAST, MOST
from chalicelib.rehearsal.policies import Replayable, Signal, Unreplayable, replayable
from chalicelib.rehearsal.proposals import tracked
from chalicelib.rehearsal.questions import CAPACITY_TAG, Known
from chalicelib.rehearsal.record import Explained, Recorded, explained, minutes_taken, proven_capacity, recorded_steps
from chalicelib.rehearsal.series import Load, UnsoundSeries, of_points, per_instance
from chalicelib.rehearsal.settings import Behaviour, Setting
from chalicelib.rehearsal.terms import LOAD_TEST_DAYS, SPARED, WARMUP, Unrehearsable

#: The tag of an endpoint whose targets rest on a load test, as autoscaling-untested-target takes it.
LOAD_TESTED_TAG = "load-tested"
#: Less traffic than this says nothing of days.
FEWEST_MINUTES = 24 * 60


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


class Past(Struct, frozen=True):
    """What AWS has recorded of a target's scaling (``read``: whether that could be read): the ``steps``, the moment
    ``since`` which the policies are as they are, and how many minutes steps outward and inward took, None where too few
    are recorded."""

    read: bool
    steps: Sequence[Recorded]
    since: datetime
    warmup: int | None
    removal: int | None

    def explained(
        self, loads: Sequence[Sequence[float]], setting: Setting, begin: datetime, start: int
    ) -> Explained | None:
        """How much of it a replay explains; None where nothing was read."""
        if not self.read:
            return None
        behaviour = Behaviour(1.0, WARMUP if self.warmup is None else self.warmup, self.removal or 0)
        inside = [step for step in self.steps if step.started >= self.since]
        return explained(loads, setting, behaviour, inside, begin, start)


def past_of(estate: Inventory, unread: Mapping[Part, str], target: ScalableTarget, begin: datetime) -> Past:
    """The record of a target; policies of which nothing tells when they were made are as they are since ``begin``."""
    read = Part.ACTIVITIES not in unread
    steps = recorded_steps(estate.activities_of(target)) if read else []
    made = [policy.created for policy in estate.policies_of(target) if policy.created]
    taken = minutes_taken(steps, outward=True), minutes_taken(steps, outward=False)
    return Past(read, steps, max(made, default=begin), *taken)


def enough_of(points: Minutes, begin: datetime, end: datetime) -> Load:
    """The load of a window. Raises UnsoundSeries for less than a day, or what cannot be trusted."""
    load = of_points(points, begin, end)
    if load.minutes < FEWEST_MINUTES:
        raise UnsoundSeries(f"{load.minutes} minutes are there; accepted is a day at least")
    return load


def replayable_of(
    estate: Inventory,
    unread: Mapping[Part, str],
    target: ScalableTarget,
    begin: datetime | None,
    minutes: int,
    *,
    queue: bool = False,
) -> Replayable:
    """The setting of a target over so many minutes from ``begin``; ``queue``: of an asynchronous endpoint. Raises
    Unrehearsable, and Unread."""
    policies = estate.policies_of(target)
    names = {alarm.name for policy in policies for alarm in policy.alarms}
    alarms = {} if Part.ALARMS in unread else {name: estate.alarm(name) for name in names}
    schedules = estate.schedules_of(target)
    answer = replayable(target, policies, alarms, schedules, begin, minutes, asynchronous=queue)
    if isinstance(answer, Unreplayable):
        raise Unrehearsable(f"{target.name} cannot be rehearsed: {answer.reason}")
    if not queue and answer.signals[0] is not Signal.INVOCATIONS:
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
    load_test_days: int = LOAD_TEST_DAYS,
) -> tuple[Load, Known]:
    """The load of a variant in a window, and what is known of its scaling. Without the minutes of :data:`SHARES` and
    :data:`FAILURES` nothing is known of what instances have carried.

    Raises UnsoundSeries for too little or unsound traffic, Unrehearsable, and Unread.
    """
    load = enough_of(minutes[INVOCATIONS], begin, end)
    assert load.begin is not None
    # Minutes, and so the schedule in them, count from the first datapoint.
    answer = replayable_of(estate, unread, target, load.begin, load.minutes)
    counts = instances(minutes.get(SHARES, {}))
    others = tuple(_load_of(minutes[metric], counts, load) for metric in followed(answer))
    past = past_of(estate, unread, target, load.begin)
    start = int(counts.get(number_of(load.begin), scaled.known("current_instance_count") or answer.setting.minimum))
    failing = [minute for minute, number in minutes.get(FAILURES, {}).items() if number > 0]
    return load, Known(
        answer,
        f"as Application Auto Scaling has it in {estate.region}",
        target.resource_id,
        _varied_name(estate.policies_of(target), answer.setting),
        region=estate.region,
        warmup=past.warmup,
        removal=past.removal,
        proven=proven_capacity(minutes[INVOCATIONS], counts, failing),
        explained=past.explained([load.values, *others], answer.setting, load.begin, start),
        stated=_stated(scaled),
        load_test=_load_test(estate, scaled, estate.now - timedelta(days=load_test_days)),
        quota=_quota(estate, scaled),
        notes=tuple(unread.values()),
        start=start,
        others=others,
    )


def _varied_name(policies: Sequence[ScalingPolicy], setting: Setting) -> str | None:
    """The name of the policy whose numbers a proposal varies; None where it follows a metric of its own, which commands
    would have to hold."""
    varied = tracked(setting)
    for policy, replayed in zip(policies, setting.policies, strict=True):
        if replayed is varied:
            return policy.policy_name if policy.predefined_metric == INVOCATIONS_PER_INSTANCE else None
    return None


def _stated(scaled: Variant) -> float | None:
    """What an instance carries in a minute, as the endpoint's tag says. Raises Unrehearsable for what is none."""
    written = (scaled.tags or {}).get(CAPACITY_TAG)
    if written is None:
        return None
    try:
        capacity = float(written)
    except ValueError:
        capacity = math.nan
    if not LEAST <= capacity <= MOST:
        raise Unrehearsable(f"the tag {CAPACITY_TAG} says {written[:40]!r}; accepted is a number above 0")
    return capacity


def _load_test(estate: Inventory, scaled: Variant, oldest: datetime) -> str:
    """What tells of a load test behind the target, as far as it was read; an empty text where nothing does, or where a
    job is older than ``oldest``."""
    if LOAD_TESTED_TAG in (scaled.tags or {}):
        return f"the endpoint is tagged {LOAD_TESTED_TAG}"
    configured = scaled.known("configured")
    model = configured.model_name if configured else None
    jobs = [
        job.name
        for job in estate.recommendations
        if model is not None and job.model_name == model and (job.completed is None or job.completed >= oldest)
    ]
    return f"the Inference Recommender job {min(jobs)} measured the model" if jobs else ""


def _quota(estate: Inventory, scaled: Variant) -> int | None:
    """How many instances of its type the account may have under endpoints, as far as that was read."""
    configured = scaled.known("configured")
    types = configured.instance_types if configured else ()
    quotas = [estate.plain(ServiceQuota).get(quota_name(instance_type)) for instance_type in types]
    values = [quota.known("value") for quota in quotas if quota is not None]
    known = [int(value) for value in values if value is not None]
    return max(known, default=None)


def _load_of(values: Minutes, counts: Minutes, load: Load) -> Sequence[float]:
    """What all instances measured together, in the minutes of the load; NaN where nothing is known."""
    whole = per_instance(values, counts)
    assert load.begin is not None
    begin = number_of(load.begin)
    return array("d", (whole.get(begin + minute, math.nan) for minute in range(load.minutes)))
