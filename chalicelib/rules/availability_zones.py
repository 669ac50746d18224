"""Availability Zones: can what runs here live in more than one?"""

from pydantic import PositiveInt

from chalicelib.inventory.estate import Inventory
from chalicelib.inventory.facts import Unread
from chalicelib.inventory.kinds.endpoints import EndpointConfig
from chalicelib.inventory.kinds.models import Model
from chalicelib.inventory.kinds.network import Subnet, Vpc
from chalicelib.inventory.kinds.training import TrainingJob
from chalicelib.inventory.parts import Part
from chalicelib.report.findings import Confidence, Facts, Outcome, Severity, failed, not_applicable, passed
from chalicelib.rules.guards import own_training_job
from chalicelib.rules.registry import Params, rule

TOPIC = "availability-zones"


class MinZones(Params):
    min_azs: PositiveInt = 2
    only_in_use: bool = True


def model_in_use(model: Model, estate: Inventory) -> Outcome | None:
    """A model with a VpcConfig that instances serve."""
    if model.vpc_config is None:
        return not_applicable("runs in no VPC of the account")
    if model.used_by is None:
        raise Unread("which endpoints use the model is told by Search or a sweep only, and neither was read")
    if model.used_by:
        return None
    if estate.whole:
        _know_all_users(estate)
    return not_applicable("no endpoint in service uses it")


def _know_all_users(estate: Inventory) -> None:
    """Raises Unread when something that could use a model or a VPC could not be read."""
    for part in (Part.ENDPOINTS, Part.CONFIGS, Part.COMPONENTS):
        estate.gaps.demand_each(part)


@rule(
    "model-vpc-single-az",
    topic=TOPIC,
    kinds=["model", "endpoint-config"],
    severity=Severity.HIGH,
    params=MinZones,
    reads=[Part.ENDPOINTS, Part.CONFIGS, Part.MODELS, Part.COMPONENTS, Part.SUBNETS],
)
def model_vpc_single_az(subject: Model | EndpointConfig, estate: Inventory, params: MinZones) -> Outcome:
    """The subnets of the ``VpcConfig`` lie in fewer than ``min_azs`` Availability Zones. Local Zones, Wavelength Zones
    and Outposts do not count."""
    if subject.vpc_config is None:
        return not_applicable("runs in no VPC of the account")
    if params.only_in_use and (outcome := _in_use(subject, estate)) is not None:
        return outcome
    subnets = subject.vpc_config.subnets
    found, _ = estate.subnets_of(subnets)
    if not found:
        return not_applicable("all its subnets are gone; model-vpc-subnet-missing tells it")
    zones = estate.zones_of(subnets, enough=params.min_azs)
    facts: Facts = {"availability_zones": list(zones), "subnets": list(subnets), "min_azs": params.min_azs}
    if len(zones) >= params.min_azs:
        return passed(f"its subnets lie in {len(zones)} Availability Zones", **facts)
    return failed(
        **facts,
        endpoints=_endpoints(subject, estate),
        security_groups=list(subject.vpc_config.security_group_ids),
        vpc=found[0].vpc_id,
    )


def _in_use(subject: Model | EndpointConfig, estate: Inventory) -> Outcome | None:
    if isinstance(subject, Model):
        return model_in_use(subject, estate)
    return not_applicable("no endpoint uses it") if subject.in_use is False else None


def _endpoints(subject: Model | EndpointConfig, estate: Inventory) -> list[str]:
    if isinstance(subject, Model):
        return list(subject.used_by or ())
    return sorted(one.name for one in estate.endpoints.values() if one.config_name == subject.name)


@rule(
    "model-vpc-subnet-missing",
    topic=TOPIC,
    kinds=["model"],
    severity=Severity.HIGH,
    reads=[Part.ENDPOINTS, Part.CONFIGS, Part.MODELS, Part.COMPONENTS, Part.SUBNETS],
    guards=[model_in_use],
)
def model_vpc_subnet_missing(model: Model, estate: Inventory, params: Params) -> Outcome:
    """A subnet of the ``VpcConfig`` is gone or not available: new instances cannot start there."""
    subnets = model.vpc_config.subnets if model.vpc_config else ()
    found, missing = estate.subnets_of(subnets)
    unavailable = [one.id for one in found if one.state not in (None, "available")]
    if not missing and not unavailable:
        if untold := [one.id for one in found if one.state is None]:
            raise Unread(f"DescribeSubnets gave no state of {', '.join(untold)}")
        return passed("all its subnets are available", subnets=list(subnets))
    return failed(
        missing_subnets=missing,
        unavailable_subnets=unavailable,
        subnets=list(subnets),
        security_groups=list(model.vpc_config.security_group_ids) if model.vpc_config else [],
        endpoints=list(model.used_by or ()),
    )


class UsedOnly(Params):
    used_only: bool = True


@rule(
    "vpc-single-az",
    topic=TOPIC,
    kinds=["vpc"],
    severity=Severity.MEDIUM,
    params=UsedOnly,
    reads=[Part.ENDPOINTS, Part.CONFIGS, Part.MODELS, Part.COMPONENTS, Part.TRAINING_JOBS, Part.SUBNETS],
)
def vpc_single_az(vpc: Vpc, estate: Inventory, params: UsedOnly) -> Outcome:
    """All subnets of a VPC that SageMaker uses lie in one Availability Zone. (A VPC audited by its name is judged
    though nothing tells who uses it, with medium confidence.)"""
    if params.used_only and vpc.used_by == ():
        if not estate.whole:
            return not_applicable("nothing in the scope of this audit stands on it")
        _know_all_users(estate)
        for part in (Part.MODELS, Part.TRAINING_JOBS):
            estate.gaps.demand(part)
        return not_applicable("nothing of SageMaker stands on it")
    zones = estate.zones_of(subnet.id for subnet in vpc.subnets)
    facts: Facts = {"availability_zones": list(zones), "subnets": [subnet.id for subnet in vpc.subnets]}
    if not zones:
        return not_applicable("none of its subnets lies in an Availability Zone", **facts)
    if len(zones) > 1:
        return passed(f"its subnets lie in {len(zones)} Availability Zones", **facts)
    if vpc.used_by is None:
        return failed(confidence=Confidence.MEDIUM, **facts, used_by=None)
    return failed(**facts, used_by=list(vpc.used_by)[:20])


class FreeAddresses(Params):
    ips_per_instance: PositiveInt = 2


@rule(
    "model-vpc-low-free-ips",
    topic=TOPIC,
    kinds=["model"],
    severity=Severity.MEDIUM,
    params=FreeAddresses,
    reads=[Part.ENDPOINTS, Part.CONFIGS, Part.MODELS, Part.COMPONENTS, Part.SUBNETS, Part.TARGETS],
    guards=[model_in_use],
)
def model_vpc_low_free_ips(model: Model, estate: Inventory, params: FreeAddresses) -> Outcome:
    """The subnets have no room to grow: fewer than two Availability Zones have ``ips_per_instance`` free addresses
    (none where the model has one zone only, which model-vpc-single-az tells), or all subnets together have too few for
    the instances up to ``MaxCapacity``."""
    found, _ = estate.subnets_of(model.vpc_config.subnets if model.vpc_config else ())
    if not found:
        return not_applicable("all its subnets are gone; model-vpc-subnet-missing tells it")
    by_zone: dict[str, int] = {}
    for subnet in found:
        if (zone := subnet.zone) is not None:
            by_zone[zone] = max(by_zone.get(zone, 0), _free(subnet))
    with_room = sorted(zone for zone, addresses in by_zone.items() if addresses >= params.ips_per_instance)
    free = sum(_free(subnet) for subnet in found)
    growth = 0
    for variant in estate.variants_serving(model):
        target = estate.target_of(variant) if variant.settled else None
        if target is not None:
            if target.max_capacity is None:
                raise Unread("DescribeScalableTargets gave no capacity limits")
            growth += max(0, target.max_capacity - variant.instance_count)
    facts: Facts = {
        "free_addresses": {subnet.id: subnet.free_addresses for subnet in found},
        "availability_zones_with_room": with_room,
        "ips_per_instance": params.ips_per_instance,
        "instances_to_grow": growth,
        "addresses_needed": growth * params.ips_per_instance,
    }
    if len(with_room) < min(2, len(by_zone)) or free < growth * params.ips_per_instance:
        return failed(**facts, endpoints=list(model.used_by or ()))
    return passed("its subnets have room to grow", **facts)


def _free(subnet: Subnet) -> int:
    if subnet.free_addresses is None:
        raise Unread(f"DescribeSubnets gave no number of free addresses for {subnet.id}")
    return subnet.free_addresses


class SpotSeverity(Params):
    spot_severity: Severity = Severity.MEDIUM


@rule(
    "training-vpc-single-az",
    topic=TOPIC,
    kinds=["training-job"],
    severity=Severity.LOW,
    params=SpotSeverity,
    reads=[Part.TRAINING_JOBS, Part.SUBNETS],
    guards=[own_training_job],
)
def training_vpc_single_az(job: TrainingJob, estate: Inventory, params: SpotSeverity) -> Outcome:
    """The subnets of a training job lie in one Availability Zone, so that it finds capacity in that zone only (medium
    on spot instances, which run short zone by zone)."""
    if job.vpc_config is None or not job.vpc_config.subnets:
        return not_applicable("runs in no VPC of the account")
    _, missing = estate.subnets_of(job.vpc_config.subnets)
    zones = estate.zones_of(job.vpc_config.subnets)
    facts: Facts = {"availability_zones": list(zones), "subnets": list(job.vpc_config.subnets), "spot": job.spot}
    if len(zones) >= 2:
        return passed(f"its subnets lie in {len(zones)} Availability Zones", **facts)
    if missing:
        return not_applicable("a subnet of it is gone, so that nothing tells where it lay", **facts)
    return failed(severity=params.spot_severity if job.spot else None, **facts)
