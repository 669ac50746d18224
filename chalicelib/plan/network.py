"""Subnets and VPCs of a template, and those that it only names."""

from collections.abc import Iterable
from typing import Any

from chalicelib.inventory.facts import Fact, VpcConfig
from chalicelib.inventory.kinds.configs import EndpointConfig
from chalicelib.inventory.kinds.models import Model
from chalicelib.inventory.kinds.network import Subnet, Vpc
from chalicelib.plan.intrinsics import SUBNET, VPC
from chalicelib.plan.inventory import is_availability_zone
from chalicelib.plan.unknown import LATER, UNTOLD, Declared, Place, Template, Unknown, at, items, read, unread, where
from chalicelib.scope import Scope


class Network:
    """The subnets of one template by id, with those that something of it names and that exist elsewhere."""

    def __init__(self, template: Template, scope: Scope) -> None:
        self.template, self.scope = template, scope
        self.subnets = {declared.id: self._subnet(declared) for declared in template.of(SUBNET) if not declared.maybe}
        self.loose: list[Fact] = []
        self.places: dict[tuple[str, str], Place] = {}

    def vpc_config(self, raw: Any, place: str) -> Any:
        vpc = at(raw, "VpcConfig")
        if vpc is None or isinstance(vpc, Unknown):
            return vpc
        subnets = at(vpc, "Subnets")
        if subnets is None or subnets == []:
            return None
        groups = at(vpc, "SecurityGroupIds")
        groups = [groups] if isinstance(groups, Unknown | str) else items(groups, place, "SecurityGroupIds")
        names = tuple(_id(group) for group in groups if isinstance(group, str | Unknown))
        if not isinstance(subnets, Unknown):
            subnets = [subnets] if isinstance(subnets, str) else items(subnets, place, "Subnets")
        unclear = subnets if isinstance(subnets, Unknown) else next(filter(None, map(_unclear, subnets)), None)
        if unclear is None:
            ids = tuple(_id(subnet) for subnet in subnets)
            for id, subnet in zip(ids, subnets, strict=True):
                self._foreign_subnet(id, subnet)
            return VpcConfig(security_group_ids=names, subnets=ids)
        return read(VpcConfig, {}, place, security_group_ids=names, subnets=unclear)

    def _foreign_subnet(self, id: str, declared: Any) -> None:
        """A subnet that the template does not make, of which nothing can be told."""
        if id in self.subnets:
            return
        maybe = next((declared.maybe for declared in self.template.of(SUBNET) if declared.id == id), "")
        reason = (
            declared.reason if isinstance(declared, Unknown) else maybe or f"the zone of the subnet {id} is {LATER}"
        )
        self.subnets[id] = Subnet(id=id).with_only(unread(reason, shown=True), "id", "zone_type", "outpost_arn")

    def _subnet(self, resource: Declared) -> Subnet:
        raw = resource.properties
        zone, zone_id = at(raw, "AvailabilityZone"), at(raw, "AvailabilityZoneId")
        if zone is None and zone_id is None:
            zone = Unknown(f"the zone of {resource.id} is {LATER}, as the template gives none")
        if isinstance(zone_id, Unknown) and isinstance(zone, str):
            zone_id = None
        place = zone_id if zone_id is not None else zone
        local = isinstance(place, str) and not is_availability_zone(place)
        return read(
            Subnet,
            raw,
            where(resource),
            id=resource.id,
            vpc_id=_id(vpc) if (vpc := at(raw, "VpcId")) is not None else "",
            zone_name=zone,
            zone_id=zone_id,
            zone_type=Unknown(f"the type of the zone {place} is {LATER}") if local else None,
            state="available",
            free_addresses=Unknown(UNTOLD),
        )

    def vpcs(self, users: Iterable[Model | EndpointConfig]) -> dict[str, Vpc]:
        """The VPCs that the template makes, with its subnets and what of ``users`` stands on them."""
        used_by, unsure = self._used(users)
        strays = [
            declared
            for declared in self.template.of(SUBNET)
            if declared.maybe or isinstance(at(declared.properties, "VpcId"), Unknown)
        ]
        lacking = strays[0].maybe or f"the VPC of {strays[0].id} is {LATER}" if strays else ""
        kept: dict[str, Vpc] = {}
        for declared in self.template.of(VPC):
            arn = f"arn:{self.scope.partition}:ec2:{self.scope.region}:{self.scope.account}:vpc/{declared.id}"
            subnets = tuple(subnet for subnet in self.subnets.values() if subnet.known("vpc_id") == declared.id)
            by = tuple(sorted(used_by.get(declared.id, ())))
            fact = Vpc(id=declared.id, arn=arn, subnets=subnets, used_by=by, tags={})
            unknown = {"subnets": unread(lacking)} if lacking else {}
            if not by and (unsure or self.template.open):
                unknown["used_by"] = unread(unsure or self.template.open)
            self.places["vpc", declared.id] = declared.place()
            if declared.maybe:
                self.loose.append(fact.with_only(unread(declared.maybe), "id", "arn"))
            else:
                kept[declared.id] = fact.with_unknown(unknown)
        return kept

    def _used(self, users: Iterable[Model | EndpointConfig]) -> tuple[dict[str, list[str]], str]:
        """Who uses each VPC, by its id, and why there may be more users."""
        used_by: dict[str, list[str]] = {}
        unsure = ""
        for fact in users:
            config = fact.known("vpc_config")
            if config is None and "vpc_config" not in fact.unknown:
                continue
            ids = config.known("subnets") if config is not None else None
            vpcs = {self.subnets[id].known("vpc_id") for id in ids or ()}
            certain = fact.known("used_by" if isinstance(fact, Model) else "in_use")
            if ids is None or None in vpcs or not certain:
                unsure = f"whether {fact.kind} {fact.name} uses it is not known"
            for vpc in vpcs if certain else ():
                used_by.setdefault(vpc or "", []).append(fact.arn)
        return used_by, unsure


def _unclear(subnet: Any) -> Unknown | None:
    """The reason that a subnet of a list cannot even be pointed at: it may be missing, or be any number of them."""
    if isinstance(subnet, Unknown):
        return subnet if subnet.optional or not subnet.symbol else None
    return None if isinstance(subnet, str) else Unknown("a list of subnets cannot be resolved as it is written")


def _id(value: Any) -> str:
    return value.symbol or "unknown" if isinstance(value, Unknown) else str(value)
