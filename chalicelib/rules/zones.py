"""The Availability Zones under a variant: do they offer its instance types, and do its instances use them?"""

from datetime import timedelta

from pydantic import Field, PositiveInt

from chalicelib.inventory.estate import Inventory
from chalicelib.inventory.facts import Unread, VpcConfig
from chalicelib.inventory.kinds.endpoints import Variant
from chalicelib.inventory.kinds.placements import WINDOW_MINUTES
from chalicelib.inventory.parts import Part
from chalicelib.report.findings import Severity
from chalicelib.report.outcomes import Facts, Outcome, failed, not_applicable, not_now, passed
from chalicelib.rules.autoscaling import RESERVED_ONLY
from chalicelib.rules.availability_zones import TOPIC
from chalicelib.rules.guards import variant_with_instances, younger_than
from chalicelib.rules.registry import Params, rule


class OfferingZones(Params):
    min_azs: PositiveInt = 2


@rule(
    "model-vpc-az-without-instance-type",
    topic=TOPIC,
    kinds=["endpoint-variant"],
    severity=Severity.HIGH,
    params=OfferingZones,
    reads=[Part.ENDPOINTS, Part.CONFIGS, Part.MODELS, Part.SUBNETS, Part.OFFERINGS],
    guards=[variant_with_instances],
)
def model_vpc_az_without_instance_type(variant: Variant, estate: Inventory, params: OfferingZones) -> Outcome:
    """Of the Availability Zones of a variant's subnets fewer than ``min_azs`` offer its instance type, as EC2 lists it;
    with instance pools none of the types is offered in so many. Subnets in one zone that offers the type are told by
    model-vpc-single-az; a type that EC2 does not list in the region is unknown."""
    under = _subnets_by_type(variant, estate)
    if not under:
        return not_applicable("runs in no VPC of the account")
    estate.gaps.demand(Part.OFFERINGS)
    stands = {name: _zones(subnets, estate, params.min_azs) for name, subnets in under.items()}
    offered: dict[str, list[str]] = {}
    doubt: Unread | None = None
    for name, zones in stands.items():
        try:
            offered[name] = sorted(set(zones) & _offering(name, estate))
        except Unread as unread:
            doubt = unread
    subnets = tuple(dict.fromkeys(id for ids in under.values() for id in ids))
    facts: Facts = {
        "availability_zones": sorted({zone for zones in stands.values() for zone in zones}),
        "offered": offered,
        "offering_zones": {name: sorted(_offering(name, estate)) for name in offered},
        "subnets": list(subnets),
        "min_azs": params.min_azs,
    }
    if any(len(zones) >= params.min_azs for zones in offered.values()):
        return passed("its subnets' zones offer the type", **facts)
    if doubt is not None:
        raise doubt
    if any(zones and len(stands[name]) == 1 for name, zones in offered.items()):
        return not_applicable(
            "its subnets lie in one zone, which offers the type; model-vpc-single-az tells it", **facts
        )
    if not facts["availability_zones"]:
        return not_applicable("none of its subnets lies in an Availability Zone; model-vpc-subnet-missing tells it")
    return failed(
        **facts, security_groups=_security_groups(variant, estate), vpc=estate.subnets_of(subnets)[0][0].shown("vpc_id")
    )


def _subnets_by_type(variant: Variant, estate: Inventory) -> dict[str, tuple[str, ...]]:
    """The subnets under each instance type of a variant: the config's, else those of the model that serves on it."""
    config = estate.config(variant.config_name).vpc_config
    under: dict[str, tuple[str, ...]] = {}
    for name, model in variant.settings.models_by_type.items():
        vpc: VpcConfig | None = config or (estate.model(model).vpc_config if model is not None else None)
        if vpc is not None and vpc.subnets:
            under[name] = vpc.subnets
    return under


def _security_groups(variant: Variant, estate: Inventory) -> list[str]:
    """The security groups under a variant's instances."""
    config = estate.config(variant.config_name).vpc_config
    models = (estate.models.get(name) for name in variant.settings.model_names)
    vpcs = [config] if config is not None else [model.vpc_config for model in models if model is not None]
    return list(dict.fromkeys(group for vpc in vpcs if vpc is not None for group in vpc.security_group_ids))


def _zones(ids: tuple[str, ...], estate: Inventory, enough: int) -> tuple[str, ...]:
    """The ids of the zones of these subnets. Raises Unread where AWS gave a zone's name alone: offerings are by id."""
    subnets, _ = estate.subnets_of(ids)
    if untold := [subnet.id for subnet in subnets if subnet.zone_id is None and subnet.zone is not None]:
        raise Unread(f"DescribeSubnets gave no AvailabilityZoneId of {', '.join(untold)}")
    return estate.zones_of(ids, enough=enough)


def _offering(instance_type: str, estate: Inventory) -> frozenset[str]:
    """The zones that offer a type. Raises Unread for one that EC2 does not list: SageMaker may have it all the same."""
    estate.gaps.demand(Part.OFFERINGS)
    offering = estate.supplied.offerings.get(instance_type)
    if offering is None:
        raise Unread(f"where EC2 offers {instance_type} was not read", "ec2:DescribeInstanceTypeOfferings")
    if not offering.zones:
        raise Unread(f"EC2 lists {instance_type} in no Availability Zone of the region")
    return frozenset(offering.zones)


class Minutes(Params):
    minutes: int = Field(60, ge=1, le=WINDOW_MINUTES)


@rule(
    "endpoint-instances-in-one-zone",
    topic=TOPIC,
    kinds=["endpoint-variant"],
    severity=Severity.HIGH,
    params=Minutes,
    reads=[Part.ENDPOINTS, Part.CONFIGS, Part.PLACEMENTS],
    guards=[variant_with_instances],
    enabled=False,
)
def endpoint_instances_in_one_zone(variant: Variant, estate: Inventory, params: Minutes) -> Outcome:
    """All instances of a variant with two or more, seen over the last hour by its detailed observability, ran in one
    Availability Zone (medium on reserved capacity, which lies in one). A deployment younger than ``minutes`` is left.
    Where detailed observability is off or tells nothing, it is unknown."""
    if variant.instance_count < 2:
        return not_applicable("runs on one instance, or none; endpoint-single-instance tells it")
    if not variant.observed:
        estate.gaps.demand(Part.PLACEMENTS)
        raise Unread("detailed observability is off, and nothing else tells in which zones instances run")
    if younger_than(variant.config_created or variant.endpoint_created, timedelta(minutes=params.minutes), estate):
        return not_now(f"deployed less than {params.minutes} minutes ago")
    placement = estate.supplied.placements.get(variant.resource_id)
    if placement is None:
        estate.gaps.demand(Part.PLACEMENTS)
    if placement is None or placement.count < 2:
        raise Unread("its detailed observability shows fewer than two instances")
    reserved = variant.settings.reservation_preference == RESERVED_ONLY
    facts: Facts = {
        "availability_zones": list(placement.zones),
        "instances": placement.count,
        "hosts": {zone: list(hosts) for zone, hosts in placement.hosts.items()},
        "desired_instance_count": variant.instance_count,
        "reserved": reserved,
        "minutes": params.minutes,
    }
    if len(placement.zones) > 1:
        return passed(f"its instances run in {len(placement.zones)} Availability Zones", **facts)
    return failed(severity=Severity.MEDIUM if reserved else None, **facts)
