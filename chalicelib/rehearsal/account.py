"""A question about a variant of an account: its policy as AWS has it, its own minutes, and what AWS has recorded."""

from array import array
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from msgspec.structs import replace

from chalicelib.errors import AuditorError, InvalidInput
from chalicelib.inventory.answers import CallFailed
from chalicelib.inventory.collect import Reading
from chalicelib.inventory.facts import Unread
from chalicelib.inventory.kinds.endpoints import Variant
from chalicelib.inventory.kinds.scaling import INVOCATIONS_PER_INSTANCE, ScalableTarget
from chalicelib.inventory.parts import Part
from chalicelib.inventory.reader import Needs
from chalicelib.inventory.traffic import (
    FAILURES,
    INVOCATIONS,
    MINUTE,
    MOST_DAYS,
    SHARES,
    Minutes,
    instances,
    measured_on_instances,
    minutes_of_variant,
)
from chalicelib.rehearsal.policies import Replayable, Signal, Unreplayable, replayable
from chalicelib.rehearsal.questions import WARMUP, Known, Wishes, question
from chalicelib.rehearsal.record import explained, minutes_taken, proven_capacity, recorded_steps
from chalicelib.rehearsal.rehearsal import Question
from chalicelib.rehearsal.series import Load, UnsoundSeries, of_points, per_instance
from chalicelib.rehearsal.settings import Behaviour
from chalicelib.scope import ResourceRef, Scope

if TYPE_CHECKING:
    from chalicelib.inventory.aws import Aws
    from chalicelib.inventory.estate import Inventory

#: What is read of the endpoint beside its minutes.
PARTS = (
    Part.ENDPOINTS,
    Part.CONFIGS,
    Part.TARGETS,
    Part.POLICIES,
    Part.SCHEDULES,
    Part.ALARMS,
    Part.ACTIVITIES,
)
#: What a rehearsal can do without, and what it then takes.
SPARED = {
    Part.ALARMS: "alarms are taken to ring as AWS makes them",
    Part.ACTIVITIES: "how much the replay explains is not known, and the warm-up is assumed",
}
#: How far back Application Auto Scaling tells its activities.
ACTIVITY_HOURS, ACTIVITY_PAGES = 42 * 24, 40
_BACK = {"activity_hours": ACTIVITY_HOURS, "activity_pages": ACTIVITY_PAGES}
#: Less traffic than this says nothing of days.
FEWEST_MINUTES = 24 * 60


class Unrehearsable(AuditorError):
    """A variant cannot be rehearsed; the text says why."""


def question_of(
    aws: "Aws",
    scope: Scope,
    endpoint: str,
    variant: str | None,
    days: int,
    wishes: Wishes,
    now: datetime,
    series: tuple[Load, str] | None = None,
) -> Question:
    """The question about a variant and its traffic of the last ``days``, or about another ``series`` and its name.

    Raises InvalidInput for what does not exist or cannot be asked, Unrehearsable where AWS does not tell enough.
    """
    wishes.check()
    if not 1 <= days <= MOST_DAYS:
        raise InvalidInput(
            f"a window of {days} days; accepted is a number from 1 to {MOST_DAYS}, as minutes are kept no longer",
            field="days",
        )
    estate, unread = _read(aws, scope, endpoint, now)
    if endpoint not in estate.endpoints:
        raise InvalidInput(f"there is no endpoint {endpoint} in {scope.region}", field="endpoint")
    try:
        target, scaled = _chosen(estate, endpoint, variant)
        return _question(aws, estate, unread, target, scaled, days, wishes, now, series)
    except Unread as unread:
        raise Unrehearsable(f"what the rehearsal needs is not known: {unread}") from None
    except CallFailed as failure:
        raise Unrehearsable(f"{failure.operation} failed: {failure.message}") from None
    except UnsoundSeries as problem:
        raise Unrehearsable(f"the traffic of {endpoint} cannot be replayed: {problem}") from None


def _read(aws: "Aws", scope: Scope, endpoint: str, now: datetime) -> "tuple[Inventory, dict[Part, str]]":
    """The endpoint and what scales it; of what a rehearsal can do without, why it could not be read. Raises
    Unrehearsable where any other part cannot."""
    named = replace(scope, resources=(ResourceRef("endpoint", endpoint),))
    with Reading(aws, named, Needs.of(PARTS, **_BACK), now) as reading:
        estate = reading.inventory()
        failures = reading.failures
    unread: dict[Part, str] = {}
    for failure in failures:
        reason = f"{failure.operation} failed: {failure.message}"
        if failure.part not in SPARED:
            raise Unrehearsable(reason)
        unread[failure.part] = f"{reason}; {SPARED[failure.part]}"
    return estate, unread


def _chosen(estate: "Inventory", endpoint: str, variant: str | None) -> tuple[ScalableTarget, Variant]:
    found = [
        (target, scaled)
        for scaled in estate.endpoints[endpoint].variants
        if (variant is None or scaled.name == variant) and (target := estate.target_of(scaled)) is not None
    ]
    if len(found) != 1:
        names = ", ".join(scaled.name for scaled in estate.endpoints[endpoint].variants)
        raise InvalidInput(
            f"{len(found)} variants of {endpoint} with a scalable target are meant; its variants are {names}",
            field="variant",
        )
    if found[0][1].is_async:
        raise InvalidInput(f"{endpoint} is asynchronous; accepted are endpoints that answer at once", field="endpoint")
    return found[0]


def _question(
    aws: "Aws",
    estate: "Inventory",
    unread: Mapping[Part, str],
    target: ScalableTarget,
    scaled: Variant,
    days: int,
    wishes: Wishes,
    now: datetime,
    series: tuple[Load, str] | None,
) -> Question:
    end = now.replace(second=0, microsecond=0)
    begin = end - timedelta(days=days)
    answer = _replayable(estate, unread, target, begin, days * 1440)
    followed = [measured_on_instances(signal) for signal in answer.signals[1:]]
    wanted = [INVOCATIONS, FAILURES, SHARES, *followed]
    minutes = minutes_of_variant(aws, scaled.endpoint_name, scaled.name, wanted, begin, end)
    load = of_points(minutes[INVOCATIONS].items(), begin, end)
    if load.minutes < FEWEST_MINUTES:
        raise UnsoundSeries(f"{load.minutes} minutes are there; accepted is a day at least")
    assert load.begin is not None
    # Minutes, and so the schedule in them, count from the first datapoint.
    answer = _replayable(estate, unread, target, load.begin, load.minutes)
    counts = instances(minutes[SHARES])
    others = tuple(_load_of(minutes[metric], counts, load) for metric in followed)
    steps = [] if Part.ACTIVITIES in unread else recorded_steps(estate.activities_of(target))
    since = max((policy.created for policy in estate.policies_of(target) if policy.created), default=load.begin)
    warmup = minutes_taken(steps, outward=True)
    removal = minutes_taken(steps, outward=False)
    start = int(counts.get(load.begin, scaled.known("current_instance_count") or answer.setting.minimum))
    behaviour = Behaviour(1.0, WARMUP if warmup is None else warmup, removal or 0)
    loads = [load.values, *others]
    inside = [step for step in steps if step.started >= since]
    failing = [minute for minute, number in minutes[FAILURES].items() if number > 0]
    policies = estate.policies_of(target)
    alone = policies[0] if len(policies) == 1 else None
    known = Known(
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
        else explained(loads, answer.setting, behaviour, inside, load.begin, start),
        notes=tuple(unread.values()),
        start=start,
        others=others,
    )
    if series is None:
        return question(target.name, load, f"Invocations of the last {days} days, by minute", wishes, known)
    given, name = series
    read = _replayable(estate, unread, target, given.begin, given.minutes)
    return question(target.name, given, name, wishes, replace(known, replayable=read, start=None, others=()))


def _replayable(
    estate: "Inventory", unread: Mapping[Part, str], target: ScalableTarget, begin: datetime | None, minutes: int
) -> Replayable:
    policies = estate.policies_of(target)
    names = {alarm.name for policy in policies for alarm in policy.alarms}
    alarms = {} if Part.ALARMS in unread else {name: estate.alarm(name) for name in names}
    answer = replayable(target, policies, alarms, estate.schedules_of(target), begin, minutes)
    if isinstance(answer, Unreplayable):
        raise Unrehearsable(f"{target.name} cannot be rehearsed: {answer.reason}")
    if answer.signals[0] is not Signal.INVOCATIONS:
        raise Unrehearsable(f"{target.name} follows {answer.signals[0]}")
    return answer


def _load_of(values: Minutes, counts: Mapping[datetime, float], load: Load) -> Sequence[float]:
    """What all instances measured together, in the minutes of the load; NaN where nothing is known."""
    whole = per_instance(values, counts)
    assert load.begin is not None
    return array("d", (whole.get(load.begin + minute * MINUTE, float("nan")) for minute in range(load.minutes)))
