"""The inventory of what will be deployed: what a template does not hold may exist elsewhere, and is never "gone"."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from chalicelib.inventory.estate import Inventory
from chalicelib.inventory.facts import Fact, Unread
from chalicelib.inventory.kinds.components import InferenceComponent
from chalicelib.inventory.kinds.configs import EndpointConfig
from chalicelib.inventory.kinds.dependencies import Standing
from chalicelib.inventory.kinds.endpoints import Endpoint, Variant
from chalicelib.inventory.kinds.models import Model
from chalicelib.inventory.kinds.scaling import ScalableTarget, ScalingPolicy, ScheduledAction
from chalicelib.inventory.parts import Part
from chalicelib.plan.unknown import LATER, unread

_NAME = re.compile(r"[a-z]{2,}(-[a-z]+)+-\d+[a-z]")
#: The zone of a subnet whose zone is not known.
ONE_ZONE = f"({LATER})"
_ID = re.compile(r"[a-z]+\d+-az\d+")


@dataclass
class Planned(Inventory):
    """An inventory built from a template.

    ``loose`` are resources that nothing can be tied to, as what they belong to or whether they are made is not known;
    ``doubts`` say why something may belong to a resource id (None: to any), by ``target``, ``policy``, ``schedule`` or
    ``component``. ``absent`` says why a named resource is not among the others; ``unnamed`` are the resource ids whose
    real names are not known. ``partial`` says why an endpoint may have more variants than are known.
    """

    loose: Sequence[Fact] = ()
    doubts: Mapping[tuple[str, str | None], str] = field(default_factory=dict)
    absent: Mapping[tuple[str, str], str] = field(default_factory=dict)
    unnamed: frozenset[str] = frozenset()
    partial: Mapping[str, str] = field(default_factory=dict)
    standing: Standing = field(default_factory=lambda: Standing(asked=False))

    @property
    def subjects(self) -> Iterator[Fact]:
        yield from super().subjects
        yield from self.loose

    def _doubt(self, what: str, resource_id: str) -> str | None:
        return self.doubts.get((what, resource_id)) or self.doubts.get((what, None))

    def _elsewhere(self, kind: str, name: str | None) -> Unread:
        return unread(self.absent.get((kind, name or "")) or f"the {kind} {name} is not in the template")

    def config(self, name: str | None) -> EndpointConfig:
        if name not in self.configs:
            raise self._elsewhere("endpoint config", name)
        return super().config(name)

    def model(self, name: str | None) -> Model:
        if name not in self.models:
            raise self._elsewhere("model", name)
        return super().model(name)

    def stands(self, part: Part, name: str) -> bool | None:
        if part is Part.CONFIGS and name not in self.configs:
            raise self._elsewhere("endpoint config", name)
        if part is Part.MODELS and name not in self.models:
            raise self._elsewhere("model", name)
        return True

    def components_of(self, variant: Variant) -> list[InferenceComponent]:
        if doubt := self._doubt("component", variant.endpoint_name):
            raise unread(doubt)
        components = super().components_of(variant)
        if not components:
            raise unread(f"the template holds no inference component of {variant.endpoint_name}")
        return components

    def target_of(self, scaled: Variant | InferenceComponent) -> ScalableTarget | None:
        target = super().target_of(scaled)
        if target is None and (doubt := self._doubt("target", scaled.resource_id)):
            raise unread(doubt)
        if target is None and scaled.resource_id in self.unnamed and (strays := self._strays()):
            raise unread(f"whether {strays[0]} is that of {scaled.resource_id} is not known, as its name is not")
        return target

    def _strays(self) -> list[str]:
        """The resource ids of targets that scale nothing of the template, or of which not all is known."""
        scaled = {*self.variants, *(component.resource_id for component in self.components.values())}
        doubted = [id for what, id in self.doubts if what == "target" and id is not None]
        return [id for id in (*(target.resource_id for target in self.targets), *doubted) if id not in scaled]

    def _unsure_of(self, what: str, resource_id: str) -> None:
        """Raises Unread when something that is tied to another name may yet be that of a resource id."""
        if doubt := self._doubt(what, resource_id):
            raise unread(doubt)
        tied = self.policies if what == "policy" else self.schedules
        targets = {target.resource_id for target in self.targets}
        others = [declared.resource_id for declared in tied] + [
            id for kind, id in self.doubts if kind == what and id is not None
        ]
        if resource_id in self.unnamed and (strays := [id for id in others if id not in targets]):
            raise unread(f"whether {strays[0]} is {resource_id} is not known, as its name is not")

    def scaled_by(self, target: ScalableTarget | ScalingPolicy) -> Variant | InferenceComponent | None:
        kind, _, rest = target.resource_id.partition("/")
        name = rest.split("/")[0]
        if kind == "inference-component":
            if name not in self.components:
                raise self._elsewhere("inference component", name)
            return self.components[name]
        endpoint: Endpoint | None = self.endpoints.get(name)
        if endpoint is None:
            raise self._elsewhere("endpoint", name)
        variant = self.variants.get(target.resource_id)
        if variant is None and name in self.partial:
            raise unread(self.partial[name])
        if variant is None and (
            not endpoint.variants or any(member.resource_id in self.unnamed for member in endpoint.variants)
        ):
            raise unread(f"the variants of the endpoint {name} are not known by name")
        return variant

    def starting_count(self, variant: Variant) -> int | None:
        return variant.settings.initial_instance_count

    def policies_of(self, target: ScalableTarget) -> list[ScalingPolicy]:
        self._unsure_of("policy", target.resource_id)
        return super().policies_of(target)

    def policies_beside(self, policy: ScalingPolicy) -> list[ScalingPolicy]:
        self._unsure_of("policy", policy.resource_id)
        return super().policies_beside(policy)

    def schedules_of(self, target: ScalableTarget) -> list[ScheduledAction]:
        self._unsure_of("schedule", target.resource_id)
        return super().schedules_of(target)

    def zones_of(self, ids: Iterable[str], *, enough: int = 2) -> tuple[str, ...]:
        """As :meth:`Inventory.zones_of`. A zone by name, by id and by its place in the region may be the same one: only
        those told in the same way are certain to differ. One subnet lies in one zone, whichever it is."""
        subnets, _ = self.subnets_of(dict.fromkeys(ids))
        ways: dict[str, set[str]] = {}
        doubt: Unread | None = None
        for subnet in subnets:
            try:
                zone = subnet.zone
                if zone is not None:
                    ways.setdefault(way_of(zone), set()).add(zone)
            except Unread as reason:
                doubt = reason
        most = max(ways.values(), key=len, default=set())
        if len(most) >= enough:
            return tuple(sorted(most))
        if doubt is not None and len(subnets) == 1 and not {"zone_type", "outpost_arn"} & set(subnets[0].unknown):
            return (ONE_ZONE,)
        if doubt is not None:
            raise doubt
        every = {zone for zones in ways.values() for zone in zones}
        if len(ways) > 1 and len(every) >= enough:
            raise unread(f"whether {' and '.join(sorted(every))} are different Availability Zones is not known")
        return tuple(sorted(every if len(ways) == 1 else {min(every)} if every else ()))


def way_of(zone: str) -> str:
    """How a zone is told: those of one way are different where their texts are.

    >>> way_of("eu-west-1a"), way_of("zone 0 of eu-west-1"), way_of("use1-az4")
    ('name in eu-west-1', 'place in eu-west-1', 'id')
    """
    if zone.startswith("zone "):
        return f"place in {zone.rsplit(' ', 1)[1]}"
    if _ID.fullmatch(zone):
        return "id"
    return f"name in {zone[:-1]}"


def is_availability_zone(zone: str) -> bool:
    """True where the text shows an Availability Zone; Local Zones, Wavelength Zones and others are told differently."""
    return zone.startswith("zone ") or bool(_NAME.fullmatch(zone) or _ID.fullmatch(zone))
