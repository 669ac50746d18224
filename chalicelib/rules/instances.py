"""Endpoints and their instances: does anything survive the loss of one instance?"""

from datetime import timedelta

from pydantic import NonNegativeInt, PositiveFloat, PositiveInt

from chalicelib.inventory.estate import Inventory
from chalicelib.inventory.facts import Unread
from chalicelib.inventory.kinds.configs import IN_TRANSITION, NOT_SERVING, EndpointConfig, VariantSettings, plain
from chalicelib.inventory.kinds.endpoints import Endpoint, Variant
from chalicelib.inventory.parts import Part
from chalicelib.report.concern import Concern
from chalicelib.report.findings import Severity, utc_text
from chalicelib.report.outcomes import Confidence, Facts, Outcome, failed, not_applicable, passed
from chalicelib.rules.guards import held_by_schedule, older_than, variant_with_instances
from chalicelib.rules.registry import Params, rule

TOPIC = "instances"
BROKEN = NOT_SERVING | {"updaterollbackfailed"}


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
    reads=[Part.ENDPOINTS, Part.CONFIGS, Part.TARGETS, Part.SCHEDULES],
    guards=[variant_with_instances],
    merges_into=["endpoint-idle"],
)
def endpoint_single_instance(variant: Variant, estate: Inventory, params: MinInstances) -> Outcome:
    """A variant that takes traffic runs on fewer than ``min_instances`` instances (low when asynchronous, under
    components that may release them all, or where it only starts on fewer, as a template tells), and no scheduled
    action holds it there."""
    count = variant.instance_count
    if count == 0:
        return not_applicable("scaled to zero")
    if variant.weight == 0 and not params.include_zero_weight:
        return not_applicable("takes no traffic")
    facts: Facts = {"desired_instance_count": count, "min_instances": params.min_instances}
    enough = count >= params.min_instances
    start = estate.starting_count(variant) if enough else None
    if enough and (start is None or start >= params.min_instances):
        return passed(f"runs on {count} instances", **facts)
    held = False if enough else held_by_schedule(variant, params.min_instances - 1, estate)
    if held:
        return not_applicable("a scheduled action holds it there; autoscaling-min-below-two tells it, day and night")
    asynchronous = variant.is_async
    # Under inference components the instances may be released down to zero: then one instance is meant.
    to_zero = not asynchronous and not enough and _may_release_all(variant)
    severity = params.async_severity if asynchronous or to_zero else None
    if enough:
        facts["starts_on"], severity = start, Severity.LOW
    return failed(
        **facts,
        instance_type=configured.shown("type_names") if (configured := variant.known("configured")) else None,
        asynchronous=asynchronous,
        scales_to_zero=to_zero,
        severity=severity,
        confidence=Confidence.MEDIUM if held is None else Confidence.HIGH,
    )


def _may_release_all(variant: Variant) -> bool:
    """True under inference components where managed instance scaling may go down to no instance."""
    managed = variant.managed_scaling if variant.hosts_components else None
    return managed is not None and managed.min_instance_count == 0


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
    """A new endpoint config (or, with ``judge_unused``, one that no endpoint uses) starts a variant on one instance
    (low when asynchronous), and managed instance scaling keeps no second one."""
    if config.in_use:
        return not_applicable("in use: the running endpoint is judged instead")
    if config.in_use is False:
        estate.gaps.demand_each(Part.ENDPOINTS)
        if not params.judge_unused:
            return not_applicable("no endpoint uses it")
    with_instances = [variant for variant in config.variants if not variant.serverless]
    if not with_instances:
        return not_applicable("serverless variants have no instances")
    counts = {variant.name: variant.initial_instance_count for variant in with_instances}
    single = sorted(variant.name for variant in with_instances if _starts_and_stays_single(variant))
    if not single:
        if untold := [name for name, count in counts.items() if count is None]:
            raise Unread(f"DescribeEndpointConfig gave no initial instance count of {', '.join(untold)}")
        return passed("every variant starts on more than one instance", initial_instance_counts=counts)
    return failed(
        variants=single,
        initial_instance_counts=counts,
        asynchronous=config.asynchronous,
        severity=Severity.LOW if config.asynchronous else None,
    )


def _starts_and_stays_single(variant: VariantSettings) -> bool:
    """True for one initial instance. Managed instance scaling with a higher minimum adds the second, but works only
    under inference components, where the variant has no model of its own."""
    managed = variant.managed_instance_scaling if variant.model_name is None else None
    kept = managed.min_instance_count or 0 if managed is not None and managed.enabled else 0
    return variant.initial_instance_count == 1 and kept < 2


class Grace(Params):
    grace_minutes: NonNegativeInt = 30


@rule(
    "endpoint-degraded",
    topic=TOPIC,
    kinds=["endpoint"],
    severity=Severity.HIGH,
    concern=Concern.BROKEN,
    params=Grace,
    reads=[Part.ENDPOINTS],
)
def endpoint_degraded(endpoint: Endpoint, estate: Inventory, params: Grace) -> Outcome:
    """The endpoint is Failed or OutOfService (critical), or UpdateRollbackFailed; or (medium) in service with fewer
    instances than desired for longer than ``grace_minutes``, seen so before where a ledger remembers it; or (medium) in
    service with the reason of an update that failed and went back."""
    status = plain(endpoint.status)
    if status in BROKEN:
        severity = Severity.CRITICAL if status in NOT_SERVING else None
        return failed(endpoint_status=endpoint.status, failure_reason=endpoint.failure_reason, severity=severity)
    if status != "inservice":
        reason = f"the endpoint is {endpoint.status}; endpoint-stuck-in-transition tells it where that lasts"
        return passed(reason, endpoint_status=endpoint.status).passing()
    short = {
        variant.name: {"current": variant.current_instance_count, "desired": variant.desired_instance_count}
        for variant in endpoint.variants
        if variant.current_instance_count is not None
        and variant.desired_instance_count is not None
        and variant.current_instance_count < variant.desired_instance_count
    }
    if short:
        return _short_of_instances(endpoint, short, estate, params)
    if endpoint.failure_reason:
        return failed(
            severity=Severity.MEDIUM,
            confidence=Confidence.LOW,
            endpoint_status=endpoint.status,
            failure_reason=endpoint.failure_reason,
        )
    _know_counts(endpoint)
    return passed("in service with the instances that it wants", endpoint_status=endpoint.status)


def _short_of_instances(endpoint: Endpoint, short: Facts, estate: Inventory, params: Grace) -> Outcome:
    """LastModifiedTime tells when the wish changed, not since when instances are lacking: what an audit before saw
    tells that, where a ledger keeps it."""
    grace = timedelta(minutes=params.grace_minutes)
    changed_lately = not older_than(endpoint.modified, grace, estate)
    if changed_lately or estate.seen_for("endpoint-degraded", endpoint.arn, grace) is False:
        return (
            passed(f"short of instances for less than {params.grace_minutes} minutes", variants=short).passing().seen()
        )
    return failed(
        severity=Severity.MEDIUM,
        confidence=Confidence.HIGH if estate.remembers else Confidence.LOW,
        endpoint_status=endpoint.status,
        variants=short,
        grace_minutes=params.grace_minutes,
    ).seen()


def _know_counts(endpoint: Endpoint) -> None:
    if not endpoint.variants:
        raise Unread("DescribeEndpoint gave no variants of an endpoint in service")
    for variant in endpoint.variants:
        if not variant.serverless and variant.current_instance_count is None:
            raise Unread("DescribeEndpoint gave no current instance count of a variant")


class LongestTransition(Params):
    max_hours: PositiveFloat = 2
    system_hours: PositiveFloat = 24


@rule(
    "endpoint-stuck-in-transition",
    topic=TOPIC,
    kinds=["endpoint"],
    severity=Severity.HIGH,
    concern=Concern.BROKEN,
    params=LongestTransition,
    reads=[Part.ENDPOINTS],
)
def endpoint_stuck_in_transition(endpoint: Endpoint, estate: Inventory, params: LongestTransition) -> Outcome:
    """The endpoint has been Creating, Updating, RollingBack or Deleting for longer than ``max_hours``, and than its own
    deployment may take; or (medium) SystemUpdating for longer than ``system_hours``."""
    status = plain(endpoint.status)
    if status not in IN_TRANSITION:
        return passed(f"the endpoint is {endpoint.status or 'in no known state'}, which is no transition")
    system = status == "systemupdating"
    hours = params.system_hours if system else max(params.max_hours, (endpoint.deployment_seconds or 0) / 3600)
    since = endpoint.in_transition_since
    facts: Facts = {"endpoint_status": endpoint.status, "since": since and utc_text(since), "max_hours": hours}
    if not older_than(since, timedelta(hours=hours), estate):
        return passed(f"{endpoint.status} for no longer than {hours:g} hours", **facts).passing()
    return failed(**facts, failure_reason=endpoint.failure_reason, severity=Severity.MEDIUM if system else None)
