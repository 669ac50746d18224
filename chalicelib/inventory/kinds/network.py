"""Subnets and VPCs: the facts, and how they are read."""

import re
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from pydantic import Field

from chalicelib.inventory.answers import CallFailed, mappings, text, unreadable
from chalicelib.inventory.facts import Count, Fact, Stated, States, Tags, Unread, at, states
from chalicelib.inventory.parts import Part
from chalicelib.inventory.reader import Reader
from chalicelib.report.cause import Cause


class Subnet(Stated):
    """``DescribeSubnets``. ``zone_type`` is None where the zone's name already shows an Availability Zone."""

    essential: ClassVar[tuple[str, ...]] = ("VpcId",)
    known_states: ClassVar[States] = {
        "state": states("pending", "available", "unavailable", "failed", "failed-insufficient-capacity")
    }
    id: str = at("SubnetId", required=True)
    vpc_id: str = at("VpcId", default="")
    zone_id: str | None = at("AvailabilityZoneId")
    zone_name: str | None = at("AvailabilityZone")
    state: str | None = at("State")
    free_addresses: Count | None = at("AvailableIpAddressCount")
    outpost_arn: str | None = at("OutpostArn")
    zone_type: str | None = Field(None, description="DescribeAvailabilityZones.ZoneType")

    @property
    def zone(self) -> str | None:
        """The Availability Zone, by id (names differ between accounts); None in a Local Zone, Wavelength or Outpost."""
        if self.zone_type == "unknown":
            raise Unread(f"the type of the zone {self.zone_name} could not be read", "ec2:DescribeAvailabilityZones")
        if self.outpost_arn or self.zone_type not in (None, "availability-zone"):
            return None
        zone = self.zone_id or self.zone_name
        if zone is None:
            raise Unread(f"DescribeSubnets gave no Availability Zone for {self.id}")
        return zone


def zones_in(subnets: Iterable[Subnet], enough: int) -> tuple[str, ...]:
    """The distinct Availability Zones of these subnets, sorted. Raises Unread where a zone is in doubt and fewer than
    ``enough`` are certain."""
    zones: set[str] = set()
    doubt: Unread | None = None
    for subnet in subnets:
        try:
            if (zone := subnet.zone) is not None:
                zones.add(zone)
        except Unread as unread:
            doubt = unread
    if doubt is not None and len(zones) < enough:
        raise doubt
    return tuple(sorted(zones))


class Vpc(Fact):
    """A VPC with all its subnets and what of SageMaker uses it (None: nobody looked)."""

    kind: ClassVar[str] = "vpc"
    null_is_unread: ClassVar[Mapping[str, str]] = {**Fact.null_is_unread, "used_by": "sagemaker:Search"}
    id: str = Field(..., description="VpcId")
    arn: str = Field("", description="built from VpcId")
    subnets: tuple[Subnet, ...] = Field((), description="DescribeSubnets")
    used_by: tuple[str, ...] | None = Field(
        None, description="models, configs and training jobs with a VpcConfig in it"
    )
    tags: Tags | None = Field(None, description="not read")

    @property
    def name(self) -> str:
        return self.id


#: ``ec2:DescribeSubnets`` takes this many values in one filter.
FILTER_VALUES = 200


def all_subnets(reader: Reader) -> dict[str, Subnet]:
    """Every subnet of the region: one call for most accounts, and all of a VPC's subnets come with it."""
    return _typed(reader, reader.aws.listing("ec2", "DescribeSubnets", "Subnets", MaxResults=1000))


def named_subnets(reader: Reader, ids: Iterable[str]) -> dict[str, Subnet]:
    """These subnets and their siblings in the same VPCs. An id without an answer is gone.

    Filters, not ``SubnetIds``: with those one missing subnet fails the whole call.
    """
    subnets = _filtered(reader, "subnet-id", ids)
    siblings = _filtered(reader, "vpc-id", {vpc for subnet in subnets if (vpc := text(subnet, "VpcId"))})
    return _typed(reader, [*subnets, *siblings])


def subnets_in(reader: Reader, vpc_ids: Iterable[str]) -> dict[str, Subnet]:
    """All subnets of these VPCs."""
    return _typed(reader, _filtered(reader, "vpc-id", vpc_ids))


def _filtered(reader: Reader, name: str, values: Iterable[str]) -> list[Any]:
    wanted = sorted(set(values))
    slices = [wanted[start : start + FILTER_VALUES] for start in range(0, len(wanted), FILTER_VALUES)]
    answers = reader.each(
        lambda some: reader.aws.listing("ec2", "DescribeSubnets", "Subnets", Filters=[{"Name": name, "Values": some}]),
        slices,
    )
    return [subnet for answer in answers for subnet in answer]


def _typed(reader: Reader, raw: Iterable[Mapping[str, object]]) -> dict[str, Subnet]:
    """Subnets by id. Zones are asked for their type only where the name is not that of an Availability Zone.

    An Availability Zone is named by its region and one letter (``eu-west-1a``); Local Zones and Wavelength Zones have
    longer names (``us-west-2-lax-1a``, ``us-east-1-wl1-bos-wlz-1``).
    """
    subnets = {subnet.id: subnet for subnet in reader.typed(Part.SUBNETS, Subnet, raw)}
    plain = re.compile(rf"^{re.escape(reader.scope.region)}[a-z]$")
    doubtful = {
        subnet.zone_name for subnet in subnets.values() if subnet.zone_name and not plain.match(subnet.zone_name)
    }
    if not doubtful:
        return subnets
    types = zone_types(reader)
    return {
        subnet.id: subnet.model_copy(update={"zone_type": types.get(subnet.zone_name or "", "unknown")})
        if subnet.zone_name in doubtful
        else subnet
        for subnet in subnets.values()
    }


def zone_types(reader: Reader) -> dict[str, str]:
    """``availability-zone``, ``local-zone`` or ``wavelength-zone`` by the zone's name; empty when it cannot be read."""
    try:
        answer = reader.aws.call("ec2", "DescribeAvailabilityZones", AllAvailabilityZones=True)
    except CallFailed as failure:
        reader.blind_to(failure, Part.SUBNETS, "zone types")
        return {}
    zones = mappings(answer.get("AvailabilityZones"))
    types = {text(zone, "ZoneName"): text(zone, "ZoneType") or "availability-zone" for zone in zones}
    if not all(types) or len(zones) < len(answer.get("AvailabilityZones") or (None,)):
        odd = unreadable("ec2:DescribeAvailabilityZones", "a zone cannot be understood")
        reader.blind_to(odd, Part.SUBNETS, "zone types")
    return types


def vpcs_of(
    reader: Reader, subnets: Mapping[str, Subnet], users: Mapping[str, Iterable[str]], doubtful: Iterable[str] = ()
) -> dict[str, Vpc]:
    """Every VPC among the subnets, with who uses it. ``users`` are the subnet ids of each user, by the user's ARN;
    ``doubtful`` those on which something stands of which nobody knows whether it is used.

    A VPC that the scope names came without its users.
    """
    named = {ref.name for ref in reader.scope.resources if ref.kind == "vpc"}
    members: dict[str, list[Subnet]] = {}
    for subnet in subnets.values():
        members.setdefault(subnet.vpc_id, []).append(subnet)
    used_by: dict[str, list[str]] = {}
    for user, ids in users.items():
        for vpc in {subnets[id].vpc_id for id in ids if id in subnets}:
            used_by.setdefault(vpc, []).append(user)
    scope = reader.scope
    vpcs = {
        vpc: Vpc(
            id=vpc,
            arn=f"arn:{scope.partition}:ec2:{scope.region}:{scope.account}:vpc/{vpc}",
            subnets=tuple(sorted(subnets_of_vpc, key=lambda subnet: subnet.id)),
            used_by=None if vpc in named and vpc not in used_by else tuple(sorted(used_by.get(vpc, ()))),
        )
        for vpc, subnets_of_vpc in members.items()
    }
    unread = Unread("whether what stands on it is in use is not known", cause=Cause.MALFORMED)
    for vpc in {subnets[id].vpc_id for id in doubtful if id in subnets} - used_by.keys():
        vpcs[vpc] = vpcs[vpc].with_unknown({"used_by": unread})
    return vpcs
