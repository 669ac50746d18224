"""Capacity that is reserved for a time: does it end under what stands on it, and is there enough of it?"""

from datetime import timedelta

from pydantic import PositiveInt

from chalicelib.inventory.estate import Inventory
from chalicelib.inventory.facts import Unread
from chalicelib.inventory.kinds.endpoints import Variant
from chalicelib.inventory.kinds.plain import Cluster
from chalicelib.inventory.kinds.plans import TrainingPlan
from chalicelib.inventory.parts import Part
from chalicelib.report.findings import Severity
from chalicelib.report.outcomes import Facts, Outcome, failed, not_applicable, not_now, passed
from chalicelib.rules.autoscaling import RESERVED_ONLY
from chalicelib.rules.guards import variant_with_instances
from chalicelib.rules.registry import Params, rule

TOPIC = "reservations"
READ_FOR_USERS = (Part.ENDPOINTS, Part.CONFIGS, Part.CLUSTERS, Part.TRAINING_JOBS)


class Ends(Params):
    high_days: PositiveInt = 7
    medium_days: PositiveInt = 30


@rule(
    "reservation-ends",
    topic=TOPIC,
    kinds=["training-plan"],
    severity=Severity.HIGH,
    params=Ends,
    reads=[Part.PLANS, *READ_FOR_USERS],
)
def reservation_ends(plan: TrainingPlan, estate: Inventory, params: Ends) -> Outcome:
    """A training plan that gives capacity, and on which an endpoint, an instance group of a cluster or a running
    training job stands, ends within ``high_days`` (medium: within ``medium_days``) and no later block follows; or has a
    gap right now (high)."""
    if plan.status in ("Expired", "Failed"):
        return not_applicable(f"the plan is {plan.status} and gives nothing", status=plan.status)
    users, doubt = _users(plan, estate)
    if not any(users.values()):
        if doubt is not None:
            raise doubt
        if not estate.whole:
            return not_now("what stands on it is seen by a sweep only")
        return not_applicable("nothing stands on it", status=plan.status)
    end, back = plan.last_end, plan.gap_at(estate.now)
    if end is None:
        raise Unread(f"DescribeTrainingPlan gave no end of {plan.name}")
    left = end - estate.now
    facts: Facts = {
        "status": plan.status,
        "ends": f"{end:%Y-%m-%d %H:%M} UTC",
        "days_left": max(0, left.days),
        "capacity_back": f"{back:%Y-%m-%d %H:%M} UTC" if back is not None else None,
        "instances": plan.instances,
        **users,
        "high_days": params.high_days,
        "medium_days": params.medium_days,
    }
    if back is not None or left <= timedelta(days=params.high_days):
        return failed(**facts)
    if left <= timedelta(days=params.medium_days):
        return failed(severity=Severity.MEDIUM, **facts)
    return passed("the reserved capacity lasts", **facts)


def _users(plan: TrainingPlan, estate: Inventory) -> tuple[dict[str, list[str]], Unread | None]:
    """What stands on a plan, and why others may that were not read."""
    variants = [variant for variant in estate.variants.values() if variant.known("configured") is not None]
    clusters = estate.plain(Cluster).values()
    users = {
        "endpoints": sorted(
            {variant.endpoint_name for variant in variants if plan.holds(variant.settings.reservation_arn)}
        ),
        "cluster_groups": sorted(
            f"{cluster.name}/{group.name}"
            for cluster in clusters
            for group in cluster.groups
            if plan.holds(group.training_plan_arn)
        ),
        "training_jobs": sorted(arn.rsplit("/", 1)[-1] for arn in plan.running_jobs or ()),
    }
    doubts = (estate.gaps.hidden(part) for part in READ_FOR_USERS)
    return users, next((doubt for doubt in doubts if doubt is not None), None)


@rule(
    "reservation-too-small",
    topic=TOPIC,
    kinds=["endpoint-variant"],
    severity=Severity.MEDIUM,
    reads=[Part.ENDPOINTS, Part.CONFIGS, Part.TARGETS, Part.SCHEDULES, Part.PLANS],
    guards=[variant_with_instances],
)
def reservation_too_small(variant: Variant, estate: Inventory, params: Params) -> Outcome:
    """A variant that runs on reserved capacity only may scale beyond the instances of its reservation: steps above it
    fail, as nothing else is tried."""
    if variant.settings.reservation_preference != RESERVED_ONLY:
        return not_applicable("does not run on reserved capacity only")
    maximum = _maximum(variant, estate)
    if maximum is None:
        return not_applicable("nothing scales it")
    reserved = _reserved(variant, estate)
    facts: Facts = {
        "reserved_instances": reserved,
        "max_capacity": maximum,
        "reservation": variant.settings.reservation_arn,
        "resource_id": variant.resource_id,
        "managed": estate.target_of(variant) is None,
    }
    return failed(**facts) if maximum > reserved else passed("its reservation holds its maximum", **facts)


def _maximum(variant: Variant, estate: Inventory) -> int | None:
    """The most instances that its target, now or as a live schedule sets it, or managed scaling allows."""
    if (target := estate.target_of(variant)) is not None:
        return max(bounds.maximum for bounds in estate.bounds_of(target))
    managed = variant.managed_scaling
    return managed.max_instance_count if managed is not None else None


def _reserved(variant: Variant, estate: Inventory) -> int:
    """The instances of a variant's reservation, as its endpoint tells them, else its training plan."""
    if variant.reserved_instances is not None:
        return variant.reserved_instances
    for plan in estate.plain(TrainingPlan).values():
        if plan.holds(variant.settings.reservation_arn) and plan.instances is not None:
            return plan.instances
    estate.gaps.demand_each(Part.PLANS)
    raise Unread(
        f"neither DescribeEndpoint nor a training plan told the instances of {variant.settings.reservation_arn}"
    )
