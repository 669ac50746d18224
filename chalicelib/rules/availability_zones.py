"""Availability Zones: can what runs here live in more than one?"""

from pydantic import PositiveInt

from chalicelib.inventory.estate import Inventory
from chalicelib.inventory.facts import Unread, VpcConfig
from chalicelib.inventory.instances import InstanceType
from chalicelib.inventory.kinds.configs import EndpointConfig
from chalicelib.inventory.kinds.models import Model
from chalicelib.inventory.kinds.network import Subnet, Vpc
from chalicelib.inventory.kinds.training import TrainingJob
from chalicelib.inventory.parts import Part
from chalicelib.report.cause import Cause
from chalicelib.report.findings import Severity
from chalicelib.report.outcomes import Confidence, Facts, Outcome, failed, not_applicable, not_now, passed
from chalicelib.rules.guards import own_training_job
from chalicelib.rules.registry import Params, rule

TOPIC = "availability-zones"
#: How many names of what uses a resource stand in the evidence.
SHOWN = 20


class MinZones(Params):
    min_azs: PositiveInt = 2
    only_in_use: bool = True
    transform_severity: Severity = Severity.MEDIUM


OF_MODELS = [Part.ENDPOINTS, Part.CONFIGS, Part.MODELS, Part.COMPONENTS, Part.SUBNETS]


def in_a_vpc_and_used(subject: Model | EndpointConfig, estate: Inventory) -> Outcome | None:
    """A model or endpoint config with a VpcConfig of its own under which instances serve."""
    if subject.vpc_config is None:
        return not_applicable("runs in no VPC of the account")
    return _config_used(subject, estate) if isinstance(subject, EndpointConfig) else _model_used(subject, estate)


def _config_used(config: EndpointConfig, estate: Inventory) -> Outcome | None:
    if config.in_use is not False:
        return None
    estate.gaps.demand_each(Part.ENDPOINTS)
    return not_applicable("no endpoint uses it")


def _model_used(model: Model, estate: Inventory) -> Outcome | None:
    if model.used_by:
        return None
    if estate.whole:
        _know_all_users(estate)
    if estate.waiting.may_run(model.name):
        return not_now("only endpoints that are not in service may use it")
    if model.used_by is None:
        raise Unread(
            "which endpoints use the model is told by Search or a sweep only, and neither was read", cause=Cause.FAILED
        )
    return not_applicable("no endpoint uses it")


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
    reads=[*OF_MODELS, Part.TRANSFORM_JOBS],
)
def model_vpc_single_az(subject: Model | EndpointConfig, estate: Inventory, params: MinZones) -> Outcome:
    """The subnets of the ``VpcConfig`` lie in fewer than ``min_azs`` Availability Zones (``transform_severity`` where
    only batch transform uses the model). Local Zones, Wavelength Zones and Outposts do not count."""
    if subject.vpc_config is None:
        return not_applicable("runs in no VPC of the account")
    jobs = estate.transform_jobs_of(subject) if isinstance(subject, Model) else []
    unused = in_a_vpc_and_used(subject, estate) if params.only_in_use and not jobs else None
    if unused is not None:
        return unused
    subnets = subject.vpc_config.subnets
    existing, _ = estate.subnets_of(subnets)
    if not existing:
        return not_applicable("all its subnets are gone; model-vpc-subnet-missing tells it")
    zones = estate.zones_of(subnets, enough=params.min_azs)
    facts: Facts = {"availability_zones": list(zones), "subnets": list(subnets), "min_azs": params.min_azs}
    if len(zones) >= params.min_azs:
        return passed(f"its subnets lie in {len(zones)} Availability Zones", **facts)
    endpoints = _endpoints(subject, estate)
    return failed(
        **facts,
        endpoints=endpoints,
        transform_jobs=[job.name for job in jobs][:SHOWN],
        security_groups=list(subject.vpc_config.security_group_ids),
        vpc=existing[0].shown("vpc_id"),
        severity=params.transform_severity if jobs and not endpoints else None,
    )


def _endpoints(subject: Model | EndpointConfig, estate: Inventory) -> list[str]:
    if isinstance(subject, Model):
        return list(subject.used_by or ())
    return sorted(endpoint.name for endpoint in estate.endpoints.values() if endpoint.config_name == subject.name)


@rule(
    "model-vpc-subnet-missing",
    topic=TOPIC,
    kinds=["model", "endpoint-config"],
    severity=Severity.HIGH,
    reads=OF_MODELS,
    guards=[in_a_vpc_and_used],
)
def model_vpc_subnet_missing(subject: Model | EndpointConfig, estate: Inventory, params: Params) -> Outcome:
    """A subnet of the ``VpcConfig`` is gone or not available: new instances cannot start there."""
    vpc_config = _vpc_config(subject)
    subnets, missing = estate.subnets_of(vpc_config.subnets)
    unavailable = [subnet.id for subnet in subnets if subnet.state not in (None, "available")]
    if not missing and not unavailable:
        if untold := [subnet.id for subnet in subnets if subnet.state is None]:
            raise Unread(f"DescribeSubnets gave no state of {', '.join(untold)}")
        return passed("all its subnets are available", subnets=list(vpc_config.subnets))
    return failed(
        missing_subnets=missing,
        unavailable_subnets=unavailable,
        subnets=list(vpc_config.subnets),
        security_groups=list(vpc_config.security_group_ids),
        endpoints=_endpoints(subject, estate),
    )


def _vpc_config(subject: Model | EndpointConfig) -> VpcConfig:
    return subject.vpc_config or VpcConfig()


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
            estate.gaps.demand_each(part)
        if estate.waiting.may_stand_on(subnet.id for subnet in vpc.subnets):
            return not_now("only endpoints that are not in service may stand on it")
        return not_applicable("nothing of SageMaker stands on it")
    zones = estate.zones_of(subnet.id for subnet in vpc.subnets)
    facts: Facts = {"availability_zones": list(zones), "subnets": [subnet.id for subnet in vpc.subnets]}
    if not zones:
        return not_applicable("none of its subnets lies in an Availability Zone", **facts)
    if len(zones) > 1:
        return passed(f"its subnets lie in {len(zones)} Availability Zones", **facts)
    if vpc.used_by is None:
        return failed(confidence=Confidence.MEDIUM, **facts, used_by=None)
    return failed(**facts, used_by=list(vpc.used_by)[:SHOWN])


class FreeAddresses(Params):
    ips_per_instance: PositiveInt = 2
    for_update: bool = True


@rule(
    "model-vpc-low-free-ips",
    topic=TOPIC,
    kinds=["model", "endpoint-config"],
    severity=Severity.MEDIUM,
    params=FreeAddresses,
    reads=[*OF_MODELS, Part.TARGETS, Part.SCHEDULES],
    guards=[in_a_vpc_and_used],
)
def model_vpc_low_free_ips(subject: Model | EndpointConfig, estate: Inventory, params: FreeAddresses) -> Outcome:
    """The subnets have no room for what may come: fewer than two Availability Zones have ``ips_per_instance`` free
    addresses (none where the subnets lie in one zone only, which model-vpc-single-az tells), or all subnets together
    have too few for the instances up to the maximum or, ``for_update``, for the second fleet of a blue/green update
    (the batch of a rolling one), the larger, of every variant that can only stand on these subnets."""
    subnets, _ = estate.subnets_of(_vpc_config(subject).subnets)
    zoned = [(subnet, zone) for subnet in subnets if (zone := subnet.zone) is not None]
    if not zoned:
        return not_applicable("none of its subnets lies in an Availability Zone; model-vpc-subnet-missing tells it")
    by_zone: dict[str, int] = {}
    for subnet, zone in zoned:
        by_zone[zone] = max(by_zone.get(zone, 0), _free(subnet))
    with_room = sorted(zone for zone, addresses in by_zone.items() if addresses >= params.ips_per_instance)
    free = sum(_free(subnet) for subnet, _ in zoned)
    for part in (Part.ENDPOINTS, Part.CONFIGS, Part.MODELS):
        estate.gaps.demand_each(part)
    coming = estate.crowding.coming(estate, _vpc_config(subject).subnets, for_update=params.for_update)
    growth, update = coming.growth, coming.update
    needed = coming.most * params.ips_per_instance
    facts: Facts = {
        "free_addresses": {subnet.id: subnet.free_addresses for subnet, _ in zoned},
        "availability_zones_with_room": with_room,
        "ips_per_instance": params.ips_per_instance,
        "instances_to_grow": growth,
        "instances_of_update": update,
        "addresses_needed": needed,
    }
    short_of_zones = len(with_room) < min(2, len(by_zone))
    if not short_of_zones and free >= needed:
        if not estate.whole:
            return not_now("others that stand on the same subnets are seen by a sweep only", **facts)
        roomy = passed("its subnets have room to grow and to be updated", **facts)
        return roomy.passing() if estate.waiting.may_stand_on(_vpc_config(subject).subnets) else roomy
    short_of = ["a second Availability Zone with room"] if short_of_zones else []
    short_of += ["growth to the maximum"] if free < growth * params.ips_per_instance else []
    short_of += ["an update beside the present instances"] if free < update * params.ips_per_instance else []
    return failed(
        **facts,
        short_of=short_of or ["growth of some variants and an update of the others"],
        endpoints=_endpoints(subject, estate),
    )


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
    on spot instances, which run short zone by zone). Jobs that are bound to one zone by nature are left out: a training
    plan, a Lustre file system, several instances that speak EFA."""
    if job.vpc_config is None or not job.vpc_config.subnets:
        return not_applicable("runs in no VPC of the account")
    if (bound := _bound_to_a_zone(job)) is not None:
        return not_applicable(bound)
    _, missing = estate.subnets_of(job.vpc_config.subnets)
    zones = estate.zones_of(job.vpc_config.subnets)
    facts: Facts = {"availability_zones": list(zones), "subnets": list(job.vpc_config.subnets), "spot": job.spot}
    if len(zones) >= 2:
        return passed(f"its subnets lie in {len(zones)} Availability Zones", **facts)
    if missing:
        return not_applicable("a subnet of it is gone, so that nothing tells where it lay", **facts)
    if "EFS" in job.file_systems:
        raise Unread("whether its EFS file system lies in one Availability Zone is not read")
    return failed(severity=params.spot_severity if job.spot else None, **facts)


def _bound_to_a_zone(job: TrainingJob) -> str | None:
    """Why a job can run in one Availability Zone only, or None."""
    if job.training_plan_arn:
        return "the reserved capacity of its training plan lies in one Availability Zone"
    if "FSxLustre" in job.file_systems:
        return "its FSx for Lustre file system lies in one Availability Zone"
    types = [InstanceType.parse(name) for name in job.instance_types]
    if (job.instances or 0) > 1 and types and all(kind.has_efa for kind in types):
        return "several instances that speak EFA want one Availability Zone"
    return None
