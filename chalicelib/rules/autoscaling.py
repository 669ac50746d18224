"""Automatic scaling: is there any, does it work, and has it room?"""

from datetime import datetime, timedelta

from pydantic import NonNegativeFloat, NonNegativeInt, PositiveInt

from chalicelib.inventory.estate import Inventory
from chalicelib.inventory.facts import Unread
from chalicelib.inventory.instances import InstanceType
from chalicelib.inventory.kinds.components import InferenceComponent
from chalicelib.inventory.kinds.endpoints import Variant
from chalicelib.inventory.kinds.scaling import INSTANCE_DIMENSION, ScalableTarget, ScalingActivity
from chalicelib.inventory.parts import Part
from chalicelib.report.findings import Severity
from chalicelib.report.outcomes import Facts, Outcome, failed, not_applicable, not_now, passed
from chalicelib.rules.guards import (
    component_in_service,
    scaled,
    variant_in_service,
    variant_with_instances,
    younger_than,
)
from chalicelib.rules.registry import Params, rule

TOPIC = "autoscaling"
HOSTING = (Part.ENDPOINTS, Part.CONFIGS, Part.COMPONENTS)
ALREADY_AT_MAX = "AlreadyAtMaxCapacity"
RESERVED_ONLY = "capacity-reservations-only"


class MinAge(Params):
    min_age_hours: NonNegativeFloat = 1


def scales_itself(subject: Variant | InferenceComponent, estate: Inventory) -> Outcome | None:
    """A variant with instances or provisioned concurrency, or a component, that automatic scaling could concern."""
    if isinstance(subject, InferenceComponent):
        return component_in_service(subject, estate)
    if (outcome := variant_in_service(subject, estate)) is not None:
        return outcome
    if subject.serverless:
        return None if subject.concurrency else not_applicable("a serverless variant without provisioned concurrency")
    return not_applicable("told on its inference components") if subject.hosts_components else None


@rule(
    "variant-no-autoscaling",
    topic=TOPIC,
    kinds=["endpoint-variant", "inference-component"],
    severity=Severity.MEDIUM,
    params=MinAge,
    reads=[*HOSTING, Part.TARGETS],
    guards=[scales_itself],
    merges_into=["endpoint-idle"],
)
def variant_no_autoscaling(subject: Variant | InferenceComponent, estate: Inventory, params: MinAge) -> Outcome:
    """Nothing scales a variant or an inference component: it has no scalable target. Low for the provisioned
    concurrency of a serverless variant."""
    target = estate.target_of(subject)
    if target is not None:
        limits = {name: target.shown(name) for name in ("min_capacity", "max_capacity")}
        return passed("has a scalable target", **limits)
    if isinstance(subject, Variant) and (outcome := _cannot_scale(subject)) is not None:
        return outcome
    created = subject.endpoint_created if isinstance(subject, Variant) else subject.created
    if younger_than(created, timedelta(hours=params.min_age_hours), estate):
        return not_now(f"younger than {params.min_age_hours:g} hours")
    if isinstance(subject, InferenceComponent):
        return failed(resource_id=subject.resource_id, desired_copy_count=subject.shown("desired_copy_count"))
    if subject.serverless:
        return failed(
            severity=Severity.LOW, resource_id=subject.resource_id, provisioned_concurrency=subject.concurrency
        )
    return failed(
        resource_id=subject.resource_id,
        desired_instance_count=subject.shown("instance_count"),
        asynchronous=subject.is_async,
        managed_without_effect=_managed_without_effect(subject),
    )


def _cannot_scale(variant: Variant) -> Outcome | None:
    """AWS refuses to register burstable instances; those of a capacity reservation are as many as are reserved."""
    if variant.serverless:
        return None
    if variant.settings.reservation_preference == RESERVED_ONLY:
        return not_applicable("runs on reserved capacity only, which is of a fixed size")
    types = variant.settings.instance_types
    if any(InstanceType.parse(name).burstable for name in types):
        return not_applicable("burstable instances cannot be registered; instance-previous-generation tells more")
    return None


def _managed_without_effect(variant: Variant) -> bool:
    """True where managed instance scaling is switched on for a variant with a model, which it does not scale."""
    managed = variant.managed_instance_scaling or variant.settings.managed_instance_scaling
    return managed is not None and managed.enabled


@rule(
    "autoscaling-target-without-policy",
    topic=TOPIC,
    kinds=["scalable-target"],
    severity=Severity.MEDIUM,
    reads=[*HOSTING, Part.TARGETS, Part.POLICIES, Part.SCHEDULES],
    guards=[scaled],
)
def autoscaling_target_without_policy(target: ScalableTarget, estate: Inventory, params: Params) -> Outcome:
    """A scalable target has no scaling policy and no scheduled action that is not over, so that nothing ever changes
    its capacity."""
    policies = len(estate.policies_of(target))
    if policies:
        return passed("something scales it", policies=policies, scheduled_actions=0)
    actions = estate.schedules_of(target)
    live = len(estate.live_schedules_of(target))
    if live:
        return passed("something scales it", policies=policies, scheduled_actions=live)
    scaled_subject = estate.scaled_by(target)
    return failed(
        **_capacity(target),
        scheduled_actions_over=[action.name for action in actions],
        asynchronous=isinstance(scaled_subject, Variant) and scaled_subject.known("asynchronous") is True,
    )


class MinCapacity(Params):
    min_capacity: PositiveInt = 2


def keeps_some(subject: ScalableTarget | Variant, estate: Inventory) -> Outcome | None:
    """What scales the instances of a production variant, or the copies of a component, in service."""
    if isinstance(subject, Variant):
        return managed(subject, estate)
    if not (subject.scales_instances or subject.scales_copies):
        return not_applicable("provisioned concurrency keeps nothing alive: a serverless variant answers without it")
    return scaled(subject, estate)


def managed(variant: Variant, estate: Inventory) -> Outcome | None:
    """A variant in service whose instances SageMaker itself scales."""
    if (outcome := variant_with_instances(variant, estate)) is not None:
        return outcome
    if variant.managed_scaling is None:
        return not_applicable("no managed instance scaling that works; a scalable target is judged by itself")
    return None


@rule(
    "autoscaling-min-below-two",
    topic=TOPIC,
    kinds=["scalable-target", "endpoint-variant"],
    severity=Severity.MEDIUM,
    params=MinCapacity,
    reads=[*HOSTING, Part.TARGETS, Part.SCHEDULES],
    guards=[keeps_some],
    merges_into=["endpoint-single-instance", "inference-component-single-copy"],
)
def autoscaling_min_below_two(subject: ScalableTarget | Variant, estate: Inventory, params: MinCapacity) -> Outcome:
    """Automatic scaling, now or once a scheduled action has come, may take the instances of a variant that is not
    asynchronous, or the copies of a component, below ``min_capacity`` (zero is meant)."""
    judged = subject if isinstance(subject, Variant) else estate.scaled_by(subject)
    if isinstance(judged, Variant) and judged.is_async:
        return not_applicable("an asynchronous endpoint keeps its requests in a queue")
    if isinstance(subject, Variant):
        lowest, highest = managed_bounds(subject)
    else:
        bounds = estate.bounds_of(subject)
        lowest, highest = min(pair.minimum for pair in bounds), bounds[0].maximum
    facts: Facts = {
        "min_capacity": lowest,
        "max_capacity": highest,
        "resource_id": subject.resource_id,
        "scheduled_actions": _actions(subject, estate),
    }
    if lowest == 0:
        return passed("scales to zero on purpose", **facts)
    if lowest >= params.min_capacity:
        return passed(f"never scales below {lowest}", **facts)
    return failed(**facts, wanted_min_capacity=params.min_capacity, managed=isinstance(subject, Variant))


def _actions(subject: ScalableTarget | Variant, estate: Inventory) -> list[str]:
    """The names of the scheduled actions that still come."""
    if isinstance(subject, Variant):
        return []
    return [action.name for action in estate.live_schedules_of(subject)]


def managed_bounds(variant: Variant) -> tuple[int, int]:
    """Between which numbers of instances SageMaker scales a variant. Raises Unread where it was not told."""
    scaling = variant.managed_scaling
    if scaling is None or scaling.min_instance_count is None or scaling.max_instance_count is None:
        raise Unread("the limits of managed instance scaling were not told")
    return scaling.min_instance_count, scaling.max_instance_count


def scales(subject: ScalableTarget | Variant, estate: Inventory) -> Outcome | None:
    """A target of something in service, or a variant that SageMaker itself scales."""
    return managed(subject, estate) if isinstance(subject, Variant) else scaled(subject, estate)


@rule(
    "autoscaling-no-headroom",
    topic=TOPIC,
    kinds=["scalable-target", "endpoint-variant"],
    severity=Severity.MEDIUM,
    reads=[*HOSTING, Part.TARGETS, Part.SCHEDULES],
    guards=[scales],
    merges_into=["inference-component-host-fixed"],
)
def autoscaling_no_headroom(subject: ScalableTarget | Variant, estate: Inventory, params: Params) -> Outcome:
    """The minimum equals the maximum, now and once any scheduled action has come: no load changes the capacity."""
    minimum, maximum = managed_bounds(subject) if isinstance(subject, Variant) else _limits(subject)
    facts = _capacity(subject)
    if minimum < maximum:
        return passed(f"scales from {minimum} to {maximum}", **facts)
    if isinstance(subject, ScalableTarget):
        if any(pair.minimum < pair.maximum for pair in estate.bounds_of(subject)):
            return passed("a scheduled action gives it room", **facts, scheduled_actions=_actions(subject, estate))
        facts["scheduled_actions"] = _actions(subject, estate)
    return failed(**facts)


class Hold(Params):
    hold_minutes: NonNegativeInt = 15


@rule(
    "autoscaling-at-max",
    topic=TOPIC,
    kinds=["scalable-target", "endpoint-variant"],
    severity=Severity.MEDIUM,
    params=Hold,
    reads=[*HOSTING, Part.TARGETS, Part.ACTIVITIES, Part.SCHEDULES],
    guards=[scales],
)
def autoscaling_at_max(subject: ScalableTarget | Variant, estate: Inventory, params: Hold) -> Outcome:
    """The desired count has stood at the maximum for ``hold_minutes``, or Application Auto Scaling says that it wanted
    to go beyond. Low where it scales between zero and one."""
    minimum, maximum = managed_bounds(subject) if isinstance(subject, Variant) else _limits(subject)
    if maximum <= minimum:
        return _held(subject, estate)
    # One that scales between zero and one is at its maximum whenever it is awake.
    severity = Severity.LOW if (minimum, maximum) == (0, 1) else None
    facts = _capacity(subject)
    if ("scaled-to-max", subject.resource_id) in estate.hints:
        return failed(severity=severity, **facts, told_by="scaled-to-max event")
    desired, since = _desired(subject if isinstance(subject, Variant) else estate.scaled_by(subject))
    facts |= {"desired": desired}
    at_max = desired >= maximum
    if at_max and not younger_than(since, timedelta(minutes=params.hold_minutes), estate):
        return failed(severity=severity, **facts, told_by="desired count", hold_minutes=params.hold_minutes)
    newest = next(iter(estate.activities_of(subject)), None) if isinstance(subject, ScalableTarget) else None
    if newest is not None and _of_today(newest, estate.now) and _refused_at(newest, maximum):
        return failed(severity=severity, **facts, told_by="scaling activity not scaled: AlreadyAtMaxCapacity")
    if at_max:
        return passed(f"at its maximum for less than {params.hold_minutes} minutes", **facts).passing()
    return passed("below its maximum", **facts)


def _of_today(activity: ScalingActivity, now: datetime) -> bool:
    return activity.started is None or now - activity.started <= timedelta(days=1)


def _refused_at(activity: ScalingActivity, maximum: int) -> bool:
    """True where Application Auto Scaling wanted to go beyond a maximum that has not been raised since. An activity
    tells the maximum of its time; without it, the activity is taken to speak of the present one."""
    return ALREADY_AT_MAX in activity.not_scaled_reasons and max(activity.maxima, default=maximum) >= maximum


def _held(subject: ScalableTarget | Variant, estate: Inventory) -> Outcome:
    """Why something whose minimum is its maximum is not judged; where a schedule has made it so, for the moment."""
    bounds = [] if isinstance(subject, Variant) else estate.bounds_of(subject)
    if any(pair.minimum == pair.maximum for pair in bounds[1:]):
        return not_now("a scheduled action has set the minimum to the maximum")
    return not_applicable("has no room to scale; autoscaling-no-headroom tells it")


def _desired(scaling: Variant | InferenceComponent | None) -> tuple[int, datetime | None]:
    """How many are wanted, and since when."""
    if isinstance(scaling, Variant):
        count = scaling.concurrency if scaling.serverless else scaling.instance_count
        if count is None:
            raise Unread("DescribeEndpoint gave no provisioned concurrency")
        return count, scaling.endpoint_modified
    if scaling is None or scaling.desired_copy_count is None:
        raise Unread("DescribeInferenceComponent gave no copy count")
    return scaling.desired_copy_count, scaling.modified


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
        return passed(f"suspended for less than {params.grace_hours:g} hours", suspended=list(flags)).passing()
    return failed(**_capacity(target), suspended=list(flags))


def _limits(target: ScalableTarget) -> tuple[int, int]:
    if target.min_capacity is None or target.max_capacity is None:
        raise Unread("DescribeScalableTargets gave no capacity limits")
    return target.min_capacity, target.max_capacity


def _capacity(subject: ScalableTarget | Variant) -> Facts:
    if isinstance(subject, ScalableTarget):
        minimum, maximum = subject.shown("min_capacity"), subject.shown("max_capacity")
    else:
        minimum, maximum = managed_bounds(subject)
    return {
        "min_capacity": minimum,
        "max_capacity": maximum,
        "resource_id": subject.resource_id,
        "scalable_dimension": subject.dimension if isinstance(subject, ScalableTarget) else INSTANCE_DIMENSION,
        "managed": isinstance(subject, Variant),
    }
