"""Inference components: does anything survive the loss of one copy?"""

from datetime import timedelta

from pydantic import NonNegativeInt, PositiveFloat, PositiveInt

from chalicelib.inventory.estate import Inventory
from chalicelib.inventory.facts import Unread
from chalicelib.inventory.kinds.components import InferenceComponent
from chalicelib.inventory.kinds.configs import plain
from chalicelib.inventory.kinds.scaling import Bounds
from chalicelib.inventory.parts import Part
from chalicelib.report.concern import Concern
from chalicelib.report.findings import Severity
from chalicelib.report.outcomes import Confidence, Facts, Outcome, failed, not_applicable, not_now, passed
from chalicelib.rules.guards import component_in_service, held_by_schedule, older_than
from chalicelib.rules.instances import TOPIC
from chalicelib.rules.registry import Params, rule


class MinCopies(Params):
    min_copies: PositiveInt = 2


@rule(
    "inference-component-single-copy",
    topic=TOPIC,
    kinds=["inference-component"],
    severity=Severity.HIGH,
    params=MinCopies,
    reads=[Part.ENDPOINTS, Part.COMPONENTS, Part.TARGETS, Part.SCHEDULES],
    guards=[component_in_service],
    merges_into=["endpoint-idle"],
)
def inference_component_single_copy(component: InferenceComponent, estate: Inventory, params: MinCopies) -> Outcome:
    """An inference component that is no adapter runs on fewer than ``min_copies`` copies (zero is meant; low where it
    scales down to zero on purpose)."""
    copies = _copies(component)
    if copies == 0:
        return not_applicable("scaled to zero")
    facts: Facts = {"desired_copy_count": copies, "min_copies": params.min_copies}
    if copies >= params.min_copies:
        return passed(f"runs on {copies} copies", **facts)
    held = held_by_schedule(component, params.min_copies - 1, estate)
    if held:
        return not_applicable("a scheduled action holds it there; autoscaling-min-below-two tells it, day and night")
    target = estate.target_of(component)
    to_zero = target is not None and target.min_capacity == 0
    return failed(
        **facts,
        endpoint=component.endpoint_name,
        variant=component.variant_name,
        scales_to_zero=to_zero,
        severity=Severity.LOW if to_zero else None,
        confidence=Confidence.MEDIUM if held is None else Confidence.HIGH,
    )


class ComponentGrace(Params):
    grace_minutes: NonNegativeInt = 30
    max_hours: PositiveFloat = 1


@rule(
    "inference-component-degraded",
    topic=TOPIC,
    kinds=["inference-component"],
    severity=Severity.HIGH,
    concern=Concern.BROKEN,
    params=ComponentGrace,
    reads=[Part.ENDPOINTS, Part.COMPONENTS],
)
def inference_component_degraded(component: InferenceComponent, estate: Inventory, params: ComponentGrace) -> Outcome:
    """The inference component is Failed (critical); or (medium) runs on fewer copies than desired for longer than
    ``grace_minutes``, or is Creating or Updating for longer than ``max_hours``."""
    status = plain(component.status)
    facts: Facts = {"status": component.status, "endpoint": component.endpoint_name}
    if status == "failed":
        return failed(severity=Severity.CRITICAL, **facts, failure_reason=component.failure_reason)
    if status == "deleting":
        return not_now("the inference component is Deleting")
    counts: Facts = {"current_copies": component.current_copy_count, "desired_copies": component.desired_copy_count}
    if status in ("creating", "updating"):
        limit, kept = (
            timedelta(hours=params.max_hours),
            f"{component.status} for no longer than {params.max_hours:g} hours",
        )
    elif component.base_component:
        return not_applicable("an adapter is served by the copies of its base component")
    elif component.current_copy_count is None or component.desired_copy_count is None:
        raise Unread("DescribeInferenceComponent gave no copy counts")
    elif component.current_copy_count >= component.desired_copy_count:
        return passed("runs on the copies that it wants", **facts, **counts)
    else:
        limit, kept = (
            timedelta(minutes=params.grace_minutes),
            f"short of copies for less than {params.grace_minutes} minutes",
        )
    if not older_than(component.modified or component.created, limit, estate):
        return passed(kept, **facts, **counts).passing()
    return failed(severity=Severity.MEDIUM, **facts, **counts, failure_reason=component.failure_reason)


@rule(
    "inference-component-no-az-balance",
    topic=TOPIC,
    kinds=["inference-component"],
    severity=Severity.LOW,
    reads=[Part.ENDPOINTS, Part.COMPONENTS, Part.TARGETS, Part.SCHEDULES],
    guards=[component_in_service],
    enabled=False,
)
def inference_component_no_az_balance(component: InferenceComponent, estate: Inventory, params: Params) -> Outcome:
    """An inference component has two or more copies, now or once a scheduled action has come, and, in one of its
    specifications, asks for no balance between Availability Zones, or packs its copies onto as few instances as it
    can."""
    copies = _copies(component)
    if copies < 2:
        bounds = _bounds(component, estate)
        copies = max((copies, *(pair.minimum for pair in bounds[1:])))
        if copies < 2 and any(pair.maximum >= 2 for pair in bounds):
            return not_now("fewer than two copies cannot be balanced; load may bring more")
    if copies < 2:
        return not_applicable("fewer than two copies cannot be balanced")
    unbalanced = [part for part in component.specifications if not part.az_balance]
    packed = [part for part in component.specifications if part.placement_strategy == "BINPACK"]
    if component.specifications and not unbalanced and not packed:
        return passed("asks for a balance between Availability Zones", desired_copy_count=copies)
    return failed(desired_copy_count=copies, endpoint=component.endpoint_name, packed=bool(packed))


def _bounds(component: InferenceComponent, estate: Inventory) -> list[Bounds]:
    """Between which numbers of copies it scales, now and once each scheduled action has come; none without a target."""
    target = estate.target_of(component)
    return estate.bounds_of(target) if target is not None else []


def _copies(component: InferenceComponent) -> int:
    if component.desired_copy_count is None:
        raise Unread("DescribeInferenceComponent gave no copy count")
    return component.desired_copy_count
