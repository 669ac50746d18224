"""Availability Zones: can what runs here live in more than one?"""

from pydantic import PositiveInt

from chalicelib.findings import Facts, Outcome, Severity, failed, not_applicable, passed
from chalicelib.inventory.estate import Inventory
from chalicelib.inventory.models import EndpointConfig, Model, Unread, Vpc
from chalicelib.inventory.parts import Part
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
    return None if model.used_by else not_applicable("no endpoint in service uses it")


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
    zones = estate.zones_of(subnets)
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
    """All subnets of a VPC that SageMaker uses lie in one Availability Zone."""
    if params.used_only and not vpc.used_by and estate.whole:
        for part in (Part.ENDPOINTS, Part.CONFIGS, Part.MODELS, Part.TRAINING_JOBS):
            estate.gaps.demand(part)
        return not_applicable("nothing of SageMaker stands on it")
    zones = estate.zones_of(subnet.id for subnet in vpc.subnets)
    facts: Facts = {"availability_zones": list(zones), "subnets": [subnet.id for subnet in vpc.subnets]}
    if not zones:
        return not_applicable("none of its subnets lies in an Availability Zone", **facts)
    if len(zones) > 1:
        return passed(f"its subnets lie in {len(zones)} Availability Zones", **facts)
    return failed(**facts, used_by=list(vpc.used_by)[:20])
