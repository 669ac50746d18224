"""The alarms that scaling policies hang on: do they act, and does one wake what has scaled to zero?"""

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta

from pydantic import NonNegativeFloat

from chalicelib.inventory.estate import Inventory
from chalicelib.inventory.facts import Unread
from chalicelib.inventory.kinds.endpoints import Variant
from chalicelib.inventory.kinds.scaling import Alarm, MetricRef, ScalableTarget, ScalingPolicy
from chalicelib.inventory.parts import Part
from chalicelib.report.findings import Severity
from chalicelib.report.outcomes import Facts, Outcome, failed, not_applicable, passed
from chalicelib.rules.autoscaling import HOSTING, TOPIC
from chalicelib.rules.guards import older_than, scaled
from chalicelib.rules.registry import Params, rule
from chalicelib.rules.scaling_metrics import BACKLOG, OF_THE_ENDPOINT, WAKE_UP_ASYNC, Scaled, foreign

WAKE_UP_COMPONENT = "NoCapacityInvocationFailures"
#: A mute that is no longer than this is taken for planned maintenance.
PLANNED = timedelta(hours=4)
#: Within how many seconds of the first request that fails a sleeping component should be woken.
WAKE_WITHIN = 900
#: How many requests may fail before: a threshold "above 1" is common.
MOST_FAILURES = 2


class InsufficientData(Params):
    insufficient_data_hours: NonNegativeFloat = 24


@rule(
    "autoscaling-alarm-broken",
    topic=TOPIC,
    kinds=["scaling-policy"],
    severity=Severity.MEDIUM,
    params=InsufficientData,
    reads=[*HOSTING, Part.POLICIES, Part.ALARMS, Part.MUTES],
    guards=[scaled],
)
def autoscaling_alarm_broken(policy: ScalingPolicy, estate: Inventory, params: InsufficientData) -> Outcome:
    """A scaling policy has no alarm, or one of its alarms is gone, has its actions disabled, does not name the policy
    among them, watches another resource, is muted (for more than four hours, now or every day), or (of a custom metric)
    has lacked data for ``insufficient_data_hours``."""
    if not policy.target_tracking and not policy.step_scaling:
        return not_applicable(f"a policy of type {policy.policy_type} hangs on no alarm")
    names = [alarm.name for alarm in policy.alarms]
    facts: Facts = {"alarms": names, "mute_rules_read": estate.mutes_told}
    if not names:
        return failed(**facts, broken={}, no_alarms=True)
    scaling = estate.scaled_by(policy)
    assert scaling is not None, "the guard leaves out policies of what does not exist"
    alarms = {name: estate.alarm(name) for name in names}
    problems = {name: _problem(alarm, policy, scaling, params, estate) for name, alarm in alarms.items()}
    broken = {name: problem for name, problem in problems.items() if problem is not None}
    if broken:
        return failed(**facts, broken=broken, no_alarms=False)
    for alarm in alarms.values():
        if alarm is not None and alarm.unclear:
            raise Unread(f"the alarm {alarm.name} {alarm.unclear}")
    muted = {name: problem for name in names if (problem := _muted(name, estate)) is not None}
    if muted:
        return failed(**facts, broken=muted, no_alarms=False)
    return passed("its alarms are there and act", **facts)


def _problem(
    alarm: Alarm | None, policy: ScalingPolicy, scaling: Scaled, params: InsufficientData, estate: Inventory
) -> str | None:
    if alarm is None:
        return "does not exist"
    if (problem := deaf(alarm, policy, scaling)) is not None:
        return problem
    if not policy.custom_metrics or alarm.state != "INSUFFICIENT_DATA":
        return None
    if any(metric.name in OF_THE_ENDPOINT for metric in alarm.metrics):
        return None  # the backlog of an endpoint at zero instances has no datapoints
    if not older_than(alarm.state_since, timedelta(hours=params.insufficient_data_hours), estate):
        return None
    return f"has lacked data for more than {params.insufficient_data_hours:g} hours"


def deaf(alarm: Alarm, policy: ScalingPolicy, scaling: Scaled) -> str | None:
    """Why an alarm never sets off its policy for what the policy scales, or None."""
    if not alarm.actions_enabled:
        return "has its actions disabled"
    if policy.arn and not alarm.acts_on(policy):
        return "does not name the policy among its actions"
    if _foreign(policy.custom_metrics, scaling) is not None:
        return None  # its alarms watch what the policy follows: autoscaling-metric-mismatch tells it
    other = _foreign(alarm.metrics, scaling)
    return f"watches {other}" if other is not None else None


def _foreign(metrics: Iterable[MetricRef], scaling: Scaled) -> str | None:
    others = (foreign(metric, scaling) for metric in metrics)
    return next((other for other in others if other is not None), None)


def _muted(name: str, estate: Inventory) -> str | None:
    """Why the actions of an alarm are held back for long, or None."""
    for mute in estate.mutes_of(name):
        if (mute.active or mute.daily) and mute.length > PLANNED:
            return f"is muted {'every day' if mute.daily else 'now'} by {mute.name}"
    return None


@dataclass
class Search:
    """What the search for an alarm that wakes has shown: why each alarm does not, and what could not be told."""

    silent: dict[str, str] = field(default_factory=dict)
    doubts: list[str] = field(default_factory=list)


@rule(
    "autoscaling-zero-without-wakeup",
    topic=TOPIC,
    kinds=["scalable-target"],
    severity=Severity.MEDIUM,
    reads=[*HOSTING, Part.TARGETS, Part.POLICIES, Part.ALARMS, Part.SCHEDULES, Part.MUTES],
    guards=[scaled],
)
def autoscaling_zero_without_wakeup(target: ScalableTarget, estate: Inventory, params: Params) -> Outcome:
    """A component may go down to zero, and no step policy has an alarm that wakes it within a quarter of an hour when a
    request comes; an asynchronous endpoint may (low), and no policy wakes it for the first request that waits; or a
    real-time variant with a model of its own should, which it cannot."""
    lowest = min(bounds.minimum for bounds in estate.bounds_of(target))
    if lowest > 0:
        return not_applicable(f"never goes below {lowest}")
    scaling = estate.scaled_by(target)
    assert scaling is not None, "the guard leaves out targets of what does not exist"
    facts: Facts = {"min_capacity": 0, "resource_id": target.resource_id, "scalable_dimension": target.dimension}
    if isinstance(scaling, Variant):
        if scaling.serverless:
            return not_applicable("a serverless variant answers without provisioned concurrency, too")
        if not scaling.is_async and scaling.hosts_components:
            return not_applicable("its inference components, not requests, call for instances")
        if not scaling.is_async:
            return failed(**facts, problem="cannot reach zero", wake_up_metric=None)
        return _async_wake_up(target, scaling, estate, facts)
    return _component_wake_up(target, scaling, estate, facts)


def _component_wake_up(target: ScalableTarget, scaling: Scaled, estate: Inventory, facts: Facts) -> Outcome:
    facts = {**facts, "wake_up_metric": WAKE_UP_COMPONENT}
    search = Search()
    for policy in _steps_out(target, estate):
        for alarm in _alarms(policy, search, estate):
            if _hears(alarm, policy, scaling, frozenset({WAKE_UP_COMPONENT}), MOST_FAILURES, search, estate):
                return passed("a step policy wakes it", policy=policy.policy_name, failures=_needed(alarm), **facts)
    if search.doubts:
        raise Unread(search.doubts[0])
    return failed(**facts, problem="nothing wakes it", silent=search.silent)


def _async_wake_up(target: ScalableTarget, variant: Variant, estate: Inventory, facts: Facts) -> Outcome:
    facts = {**facts, "wake_up_metric": WAKE_UP_ASYNC}
    search = Search()
    for policy in _steps_out(target, estate):
        for alarm in _alarms(policy, search, estate):
            if _hears(alarm, policy, variant, frozenset({WAKE_UP_ASYNC}), 1, search, estate):
                return passed("a step policy wakes it", policy=policy.policy_name, **facts)
            if _hears(alarm, policy, variant, BACKLOG, math.inf, search, estate):
                return passed("a step policy wakes it", policy=policy.policy_name, **facts)
    followed = False
    for policy in estate.policies_of(target):
        names = {metric.name for metric in policy.custom_metrics if foreign(metric, variant) is None}
        if WAKE_UP_ASYNC in names and policy.target_value is not None and policy.target_value < 1:
            return passed("a policy follows it", policy=policy.policy_name, **facts)
        followed = followed or bool(names & BACKLOG)
    if search.doubts:
        raise Unread(search.doubts[0])
    problem = "wakes late" if followed else "nothing wakes it"
    return failed(severity=Severity.LOW, **facts, problem=problem, silent=search.silent)


def _steps_out(target: ScalableTarget, estate: Inventory) -> list[ScalingPolicy]:
    return [policy for policy in estate.policies_of(target) if policy.step_scaling and policy.steps_out]


def _alarms(policy: ScalingPolicy, search: Search, estate: Inventory) -> list[Alarm]:
    """The alarms of a policy that are there; those that are gone are noted."""
    alarms: list[Alarm] = []
    for named in policy.alarms:
        alarm = estate.alarm(named.name)
        if alarm is None:
            search.silent[named.name] = "does not exist"
        else:
            alarms.append(alarm)
    return alarms


def _hears(
    alarm: Alarm,
    policy: ScalingPolicy,
    scaling: Scaled,
    wanted: frozenset[str],
    most: float,
    search: Search,
    estate: Inventory,
) -> bool:
    """True where the alarm sets off the policy soon after at most so many requests in vain; else it is noted why not,
    where it watches what is wanted at all."""
    if alarm.unclear:
        search.doubts.append(f"the alarm {alarm.name} {alarm.unclear}")
        return False
    if not any(metric.name in wanted for metric in alarm.metrics):
        return False
    problem = deaf(alarm, policy, scaling) or _muted(alarm.name, estate)
    if problem is None and alarm.metric_name is None:
        search.doubts.append(f"when the metric math of the alarm {alarm.name} rings is not known")
        return False
    if problem is None and (None in (alarm.period, alarm.evaluation_periods, alarm.threshold, alarm.comparison)):
        search.doubts.append(f"DescribeAlarms did not tell when the alarm {alarm.name} rings")
        return False
    problem = problem or _late(alarm, most)
    if problem is not None:
        search.silent[alarm.name] = problem
    return problem is None


def _late(alarm: Alarm, most: float) -> str | None:
    """Why an alarm does not ring soon enough, or None."""
    needed = _needed(alarm)
    if needed is None:
        return "does not ring when its metric rises"
    if needed > most:
        return f"rings at {needed} only"
    seconds = (alarm.period or 0) * (alarm.datapoints_to_alarm or alarm.evaluation_periods or 1)
    return f"rings after {seconds} seconds only" if seconds > WAKE_WITHIN else None


def _needed(alarm: Alarm) -> int | None:
    """The smallest count at which an alarm rings; None where it does not ring for a high one."""
    threshold = alarm.threshold or 0.0
    if alarm.comparison == "GreaterThanOrEqualToThreshold":
        return max(1, math.ceil(threshold))
    if alarm.comparison == "GreaterThanThreshold":
        return max(1, math.floor(threshold) + 1)
    return None
