"""Endpoints and their instances: does anything survive the loss of one instance?"""

import math
from datetime import timedelta

from pydantic import Field, NonNegativeInt, PositiveFloat, PositiveInt

from chalicelib.inventory.estate import Inventory
from chalicelib.inventory.facts import Unread
from chalicelib.inventory.found import INVOCATIONS_PER_INSTANCE
from chalicelib.inventory.kinds.components import InferenceComponent
from chalicelib.inventory.kinds.endpoints import Endpoint, EndpointConfig, Variant, plain
from chalicelib.inventory.parts import Part
from chalicelib.report.findings import Facts, Outcome, Severity, failed, not_applicable, passed
from chalicelib.rules.guards import component_in_service, older_than, variant_with_instances
from chalicelib.rules.registry import Params, rule

TOPIC = "instances"
BROKEN = ("failed", "outofservice", "updaterollbackfailed")


class MinInstances(Params):
    min_instances: PositiveInt = 2
    include_zero_weight: bool = False
    async_severity: Severity = Severity.LOW


@rule(
    "endpoint-single-instance",
    topic=TOPIC,
    kinds=["endpoint-variant"],
    severity=Severity.HIGH,
    params=MinInstances,
    reads=[Part.ENDPOINTS, Part.CONFIGS],
    guards=[variant_with_instances],
)
def endpoint_single_instance(variant: Variant, estate: Inventory, params: MinInstances) -> Outcome:
    """A variant that takes traffic runs on fewer than ``min_instances`` instances (low when asynchronous)."""
    count = variant.instance_count
    if count == 0:
        return not_applicable("scaled to zero")
    if variant.weight == 0 and not params.include_zero_weight:
        return not_applicable("takes no traffic")
    facts: Facts = {"desired_instance_count": count, "min_instances": params.min_instances}
    if count >= params.min_instances:
        return passed(f"runs on {count} instances", **facts)
    types = list(variant.configured.instance_types) if variant.configured else []
    asynchronous = variant.is_async
    return failed(
        **facts,
        instance_type=", ".join(types) or None,
        asynchronous=asynchronous,
        severity=params.async_severity if asynchronous else None,
    )


class UnusedConfigs(Params):
    judge_unused: bool = False


@rule(
    "endpoint-config-single-instance",
    topic=TOPIC,
    kinds=["endpoint-config"],
    severity=Severity.MEDIUM,
    params=UnusedConfigs,
    reads=[Part.ENDPOINTS, Part.CONFIGS],
    reads_when={"judge_unused": Part.UNUSED_CONFIGS},
)
def endpoint_config_single_instance(config: EndpointConfig, estate: Inventory, params: UnusedConfigs) -> Outcome:
    """A new endpoint config (or, with ``judge_unused``, one that no endpoint uses) starts a variant on one instance."""
    if config.in_use:
        return not_applicable("in use: the running endpoint is judged instead")
    if config.in_use is False and not params.judge_unused:
        return not_applicable("no endpoint uses it")
    if config.in_use is False:
        estate.gaps.demand(Part.ENDPOINTS)
    with_instances = [variant for variant in config.variants if not variant.serverless]
    if not with_instances:
        return not_applicable("serverless variants have no instances")
    counts = {variant.name: variant.initial_instance_count for variant in with_instances}
    single = sorted(name for name, count in counts.items() if count == 1)
    if not single:
        if untold := [name for name, count in counts.items() if count is None]:
            raise Unread(f"DescribeEndpointConfig gave no initial instance count of {', '.join(untold)}")
        return passed("every variant starts on more than one instance", initial_instance_counts=counts)
    return failed(variants=single, initial_instance_counts=counts)


class Grace(Params):
    grace_minutes: NonNegativeInt = 30


@rule(
    "endpoint-degraded",
    topic=TOPIC,
    kinds=["endpoint"],
    severity=Severity.HIGH,
    params=Grace,
    reads=[Part.ENDPOINTS],
)
def endpoint_degraded(endpoint: Endpoint, estate: Inventory, params: Grace) -> Outcome:
    """The endpoint is Failed, OutOfService or UpdateRollbackFailed; or (medium) in service with fewer instances than
    desired for longer than ``grace_minutes``."""
    if plain(endpoint.status) in BROKEN:
        return failed(endpoint_status=endpoint.status, failure_reason=endpoint.failure_reason)
    if plain(endpoint.status) != "inservice":
        return passed(f"the endpoint is {endpoint.status}")
    short = {
        variant.name: {"current": variant.current_instance_count, "desired": variant.desired_instance_count}
        for variant in endpoint.variants
        if variant.current_instance_count is not None
        and variant.desired_instance_count is not None
        and variant.current_instance_count < variant.desired_instance_count
    }
    if not short:
        _know_counts(endpoint)
        return passed("in service with the instances that it wants", endpoint_status=endpoint.status)
    if not older_than(endpoint.modified, timedelta(minutes=params.grace_minutes), estate):
        return passed(f"short of instances for less than {params.grace_minutes} minutes", variants=short)
    return failed(
        severity=Severity.MEDIUM, endpoint_status=endpoint.status, variants=short, grace_minutes=params.grace_minutes
    )


def _know_counts(endpoint: Endpoint) -> None:
    if not endpoint.variants:
        raise Unread("DescribeEndpoint gave no variants of an endpoint in service")
    for variant in endpoint.variants:
        if not variant.serverless and variant.current_instance_count is None:
            raise Unread("DescribeEndpoint gave no current instance count of a variant")


class MinCopies(Params):
    min_copies: PositiveInt = 2


@rule(
    "inference-component-single-copy",
    topic=TOPIC,
    kinds=["inference-component"],
    severity=Severity.HIGH,
    params=MinCopies,
    reads=[Part.ENDPOINTS, Part.COMPONENTS],
    guards=[component_in_service],
)
def inference_component_single_copy(component: InferenceComponent, estate: Inventory, params: MinCopies) -> Outcome:
    """An inference component that is no adapter runs on fewer than ``min_copies`` copies (zero is meant)."""
    copies = _copies(component)
    if copies == 0:
        return not_applicable("scaled to zero")
    facts: Facts = {"desired_copy_count": copies, "min_copies": params.min_copies}
    if copies >= params.min_copies:
        return passed(f"runs on {copies} copies", **facts)
    return failed(**facts, endpoint=component.endpoint_name, variant=component.variant_name)


@rule(
    "inference-component-no-az-balance",
    topic=TOPIC,
    kinds=["inference-component"],
    severity=Severity.LOW,
    reads=[Part.ENDPOINTS, Part.COMPONENTS],
    guards=[component_in_service],
    enabled=False,
)
def inference_component_no_az_balance(component: InferenceComponent, estate: Inventory, params: Params) -> Outcome:
    """An inference component has two or more copies and asks for no balance between Availability Zones."""
    copies = _copies(component)
    if copies < 2:
        return not_applicable("fewer than two copies cannot be balanced")
    if component.az_balance:
        return passed("asks for a balance between Availability Zones", desired_copy_count=copies)
    return failed(desired_copy_count=copies, endpoint=component.endpoint_name)


def _copies(component: InferenceComponent) -> int:
    if component.desired_copy_count is None:
        raise Unread("DescribeInferenceComponent gave no copy count")
    return component.desired_copy_count


class ZoneLoss(Params):
    window_days: PositiveInt = 14
    safety_factor: PositiveFloat = Field(0.5, le=1)
    assumed_azs: PositiveInt = Field(2, ge=2)


@rule(
    "endpoint-az-loss-overload",
    topic=TOPIC,
    kinds=["endpoint-variant"],
    severity=Severity.INFO,
    params=ZoneLoss,
    reads=[Part.ENDPOINTS, Part.CONFIGS, Part.TARGETS, Part.POLICIES, Part.METRICS],
    metrics=["InvocationsPerMinute"],
    guards=[variant_with_instances],
    enabled=False,
)
def endpoint_az_loss_overload(variant: Variant, estate: Inventory, params: ZoneLoss) -> Outcome:
    """At the busiest minute of the window, the instances that the loss of one of ``assumed_azs`` Availability Zones
    leaves would each have had more calls than ``TargetValue`` ÷ ``safety_factor``."""
    target = estate.target_of(variant)
    values = [
        one.target_value
        for one in (estate.policies_of(target) if target else ())
        if one.predefined_metric == INVOCATIONS_PER_INSTANCE and one.target_value is not None
    ]
    if not values:
        return not_applicable("no policy says how many invocations an instance carries")
    count = variant.instance_count
    left = count - math.ceil(count / params.assumed_azs)
    if left < 1:
        return not_applicable("the loss of a zone may leave no instance; endpoint-single-instance tells it")
    points = estate.metric("InvocationsPerMinute", variant, days=params.window_days)
    busiest = max((point.value for point in points), default=0.0)
    carries = min(values) / params.safety_factor
    facts: Facts = {
        "desired_instance_count": count,
        "instances_left": left,
        "peak_invocations_per_minute": busiest,
        "peak_per_instance_left": round(busiest / left, 2),
        "carries_per_instance": round(carries, 2),
        "window_days": params.window_days,
    }
    if busiest / left > carries:
        return failed(**facts)
    return passed("what the loss of a zone leaves would have carried the busiest minute", **facts)
