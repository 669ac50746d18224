"""Automatic scaling: is there any, does it work, and has it room?"""

from datetime import datetime, timedelta

from pydantic import NonNegativeFloat, NonNegativeInt, PositiveInt

from chalicelib.inventory.estate import Inventory
from chalicelib.inventory.facts import Unread
from chalicelib.inventory.kinds.components import InferenceComponent
from chalicelib.inventory.kinds.endpoints import Variant
from chalicelib.inventory.kinds.scaling import ScalableTarget
from chalicelib.inventory.parts import Part
from chalicelib.report.findings import Facts, Outcome, Severity, failed, not_applicable, passed
from chalicelib.rules.guards import component_in_service, scaled, variant_with_instances, younger_than
from chalicelib.rules.registry import Params, rule

TOPIC = "autoscaling"
HOSTING = (Part.ENDPOINTS, Part.CONFIGS, Part.COMPONENTS)
ALREADY_AT_MAX = "AlreadyAtMaxCapacity"


class MinAge(Params):
    min_age_hours: NonNegativeFloat = 1


def scales_itself(subject: Variant | InferenceComponent, estate: Inventory) -> Outcome | None:
    """A variant with instances, or a component, that automatic scaling could concern."""
    if isinstance(subject, InferenceComponent):
        return component_in_service(subject, estate)
    if (outcome := variant_with_instances(subject, estate)) is not None:
        return outcome
    return not_applicable("told on its inference components") if subject.hosts_components else None


@rule(
    "variant-no-autoscaling",
    topic=TOPIC,
    kinds=["endpoint-variant", "inference-component"],
    severity=Severity.MEDIUM,
    params=MinAge,
    reads=[*HOSTING, Part.TARGETS],
    guards=[scales_itself],
)
def variant_no_autoscaling(subject: Variant | InferenceComponent, estate: Inventory, params: MinAge) -> Outcome:
    """The variant has neither a scalable target nor managed instance scaling; an inference component has no target."""
    target = estate.target_of(subject)
    if target is not None:
        return passed("has a scalable target", min_capacity=target.min_capacity, max_capacity=target.max_capacity)
    if isinstance(subject, Variant) and subject.managed_scaling:
        return passed("managed instance scaling is enabled")
    created = subject.endpoint_created if isinstance(subject, Variant) else subject.created
    if younger_than(created, timedelta(hours=params.min_age_hours), estate):
        return not_applicable(f"younger than {params.min_age_hours:g} hours")
    if isinstance(subject, Variant):
        return failed(resource_id=subject.resource_id, desired_instance_count=subject.instance_count)
    return failed(resource_id=subject.resource_id, desired_copy_count=subject.desired_copy_count)


@rule(
    "autoscaling-target-without-policy",
    topic=TOPIC,
    kinds=["scalable-target"],
    severity=Severity.MEDIUM,
    reads=[*HOSTING, Part.TARGETS, Part.POLICIES, Part.SCHEDULES],
    guards=[scaled],
)
def autoscaling_target_without_policy(target: ScalableTarget, estate: Inventory, params: Params) -> Outcome:
    """A scalable target has no scaling policy and no scheduled action, so that nothing ever changes its capacity."""
    policies, schedules = len(estate.policies_of(target)), 0
    if not policies:
        schedules = len(estate.schedules_of(target))
    if policies or schedules:
        return passed("something scales it", policies=policies, scheduled_actions=schedules)
    return failed(**_capacity(target))


class MinCapacity(Params):
    min_capacity: PositiveInt = 2


def instances_scaled(subject: ScalableTarget | Variant, estate: Inventory) -> Outcome | None:
    """Something that scales instances of a production variant in service."""
    if isinstance(subject, Variant):
        return variant_with_instances(subject, estate)
    if not subject.scales_instances:
        return not_applicable("it does not scale instances")
    return scaled(subject, estate)


@rule(
    "autoscaling-min-below-two",
    topic=TOPIC,
    kinds=["scalable-target", "endpoint-variant"],
    severity=Severity.MEDIUM,
    params=MinCapacity,
    reads=[*HOSTING, Part.TARGETS],
    guards=[instances_scaled],
    merges_into="endpoint-single-instance",
)
def autoscaling_min_below_two(subject: ScalableTarget | Variant, estate: Inventory, params: MinCapacity) -> Outcome:
    """Automatic scaling may take the instances of a variant that is not asynchronous below ``min_capacity`` (zero is
    meant)."""
    if isinstance(subject, Variant):
        if subject.managed_scaling is None:
            return not_applicable("managed instance scaling is not enabled; a scalable target is judged by itself")
        minimum, maximum = subject.managed_scaling.min_instance_count, subject.managed_scaling.max_instance_count
        variant = subject
    else:
        minimum, maximum = subject.min_capacity, subject.max_capacity
        scaled_by = estate.scaled_by(subject)
        if not isinstance(scaled_by, Variant):
            return not_applicable("it does not scale a variant")
        variant = scaled_by
    if variant.is_async:
        return not_applicable("an asynchronous endpoint keeps its requests in a queue")
    if minimum is None:
        raise Unread("the minimum capacity was not told")
    facts: Facts = {"min_capacity": minimum, "max_capacity": maximum, "resource_id": variant.resource_id}
    if minimum == 0:
        return passed("scales to zero on purpose", **facts)
    if minimum >= params.min_capacity:
        return passed(f"never scales below {minimum} instances", **facts)
    return failed(**facts, wanted_min_capacity=params.min_capacity, managed=isinstance(subject, Variant))


@rule(
    "autoscaling-no-headroom",
    topic=TOPIC,
    kinds=["scalable-target"],
    severity=Severity.MEDIUM,
    reads=[*HOSTING, Part.TARGETS],
    guards=[scaled],
)
def autoscaling_no_headroom(target: ScalableTarget, estate: Inventory, params: Params) -> Outcome:
    """``MinCapacity`` equals ``MaxCapacity``: the target can never scale."""
    minimum, maximum = _limits(target)
    if minimum < maximum:
        return passed(f"scales from {minimum} to {maximum}", **_capacity(target))
    return failed(**_capacity(target))


class Hold(Params):
    hold_minutes: NonNegativeInt = 15


@rule(
    "autoscaling-at-max",
    topic=TOPIC,
    kinds=["scalable-target"],
    severity=Severity.MEDIUM,
    params=Hold,
    reads=[*HOSTING, Part.TARGETS, Part.ACTIVITIES],
    guards=[scaled],
)
def autoscaling_at_max(target: ScalableTarget, estate: Inventory, params: Hold) -> Outcome:
    """The desired count has stood at ``MaxCapacity`` for ``hold_minutes``, or Application Auto Scaling says that it
    wanted to go beyond."""
    minimum, maximum = _limits(target)
    if maximum <= minimum:
        return not_applicable("has no room to scale; autoscaling-no-headroom tells it")
    if ("scaled-to-max", target.resource_id) in estate.hints:
        return failed(**_capacity(target), told_by="scaled-to-max event")
    desired, since = _desired(target, estate)
    facts: Facts = {**_capacity(target), "desired": desired}
    at_max = desired >= maximum
    if at_max and not younger_than(since, timedelta(minutes=params.hold_minutes), estate):
        return failed(**facts, told_by="desired count", hold_minutes=params.hold_minutes)
    newest = next(iter(estate.activities_of(target)), None)
    if newest is not None and ALREADY_AT_MAX in newest.not_scaled_reasons:
        return failed(**facts, told_by="scaling activity not scaled: AlreadyAtMaxCapacity")
    if at_max:
        return passed(f"at its maximum for less than {params.hold_minutes} minutes", **facts)
    return passed("below its maximum", **facts)


def _desired(target: ScalableTarget, estate: Inventory) -> tuple[int, datetime | None]:
    what = estate.scaled_by(target)
    if isinstance(what, Variant):
        return what.instance_count, what.endpoint_modified
    if what is None or what.desired_copy_count is None:
        raise Unread("DescribeInferenceComponent gave no copy count")
    return what.desired_copy_count, what.modified


class Suspended(Params):
    grace_hours: NonNegativeFloat = 4


@rule(
    "autoscaling-suspended",
    topic=TOPIC,
    kinds=["scalable-target"],
    severity=Severity.MEDIUM,
    params=Suspended,
    reads=[*HOSTING, Part.TARGETS],
    guards=[scaled],
)
def autoscaling_suspended(target: ScalableTarget, estate: Inventory, params: Suspended) -> Outcome:
    """Scaling is suspended. No API tells since when, so only a target younger than ``grace_hours`` has grace."""
    flags = target.suspended.flags
    if not flags:
        return passed("nothing is suspended", **_capacity(target))
    if younger_than(target.created, timedelta(hours=params.grace_hours), estate):
        return passed(f"suspended for less than {params.grace_hours:g} hours", suspended=list(flags))
    return failed(**_capacity(target), suspended=list(flags))


def _limits(target: ScalableTarget) -> tuple[int, int]:
    if target.min_capacity is None or target.max_capacity is None:
        raise Unread("DescribeScalableTargets gave no capacity limits")
    return target.min_capacity, target.max_capacity


def _capacity(target: ScalableTarget) -> Facts:
    return {
        "min_capacity": target.min_capacity,
        "max_capacity": target.max_capacity,
        "resource_id": target.resource_id,
        "scalable_dimension": target.dimension,
    }
