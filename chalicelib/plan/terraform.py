"""The JSON of a Terraform plan (``terraform show -json``) in CloudFormation's words.

Follows "JSON Output Format" of Terraform's internals: ``planned_values`` hold what is known, ``after_unknown`` of the
``resource_changes`` says what is not, ``configuration`` which resources an unknown value refers to.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import Struct

from chalicelib.errors import InvalidInput
from chalicelib.plan.intrinsics import ALARM, NAMES, SUBNET, VPC
from chalicelib.plan.references import Link, Links, References, index_of, plain
from chalicelib.plan.scaling import ANY_VARIANT
from chalicelib.plan.terraform_types import TYPES, Spec
from chalicelib.plan.unknown import Declared, Template, Unknown
from chalicelib.scope import Scope

#: What an attribute names, by Terraform's type, where it names nothing else.
_NAMED = {
    "endpoint_config_name": "aws_sagemaker_endpoint_configuration",
    "model_name": "aws_sagemaker_model",
    "endpoint_name": "aws_sagemaker_endpoint",
}
_ENDPOINT, _COMPONENT, _TARGET = (
    "aws_sagemaker_endpoint",
    "aws_sagemaker_inference_component",
    "aws_appautoscaling_target",
)
_CONFIG = "aws_sagemaker_endpoint_configuration"
#: Attributes that AWS gives a value where the configuration has none.
_COMPUTED = {"name", "variant_name", "availability_zone", "availability_zone_id", "policy_type"}
_LISTS = ("subnets", "alarm_actions")
_ITSELF = {"id", "name", "arn"}


class _Planned(Struct, frozen=True):
    """One resource of the plan: where it stands, what of it is known, what is not, and how it is configured."""

    address: str
    type: str
    values: Mapping[str, Any]
    unknown: Mapping[str, Any]
    expressions: Mapping[str, Any]
    module: str


def is_plan(data: Any) -> bool:
    return isinstance(data, Mapping) and "planned_values" in data


def declared(source: str, data: Mapping[str, Any], scope: Scope, home: str = "") -> Template:
    """The resources of a plan that are there after it is applied; ``home`` stands before their addresses, to tell them
    from those of another plan.

    Raises InvalidInput for a plan of another major version, and for one that is not as Terraform writes it.
    """
    version = str(data.get("format_version", ""))
    if version.split(".")[0] not in ("0", "1"):
        raise InvalidInput(
            f"{source}: the Terraform plan has format version {version or 'none'}; accepted are 0 and 1",
            field="TEMPLATE",
        )
    try:
        return Template((source,), _Plan(source, data, scope, home).resources(), plans=frozenset({source}))
    except (AttributeError, TypeError, ValueError, KeyError, IndexError, RecursionError) as error:
        raise InvalidInput(
            f"{source}: the plan is not as `terraform show -json` writes it ({type(error).__name__}: {error})",
            field="TEMPLATE",
        ) from None


class _Plan:
    def __init__(self, source: str, data: Mapping[str, Any], scope: Scope, home: str) -> None:
        self._source, self._scope, self._home = source, scope, home
        self._unknown = {change["address"]: _after_unknown(change) for change in data.get("resource_changes") or ()}
        configuration = (data.get("configuration") or {}).get("root_module") or {}
        self._references = References(configuration)
        planned = list(self._planned((data.get("planned_values") or {}).get("root_module") or {}, ""))
        before = ((data.get("prior_state") or {}).get("values") or {}).get("root_module") or {}
        read = [resource for resource in self._planned(before, "", mode="data") if resource.type == "aws_subnet"]
        self._by_address = {resource.address: resource for resource in [*read, *planned]}

    def _planned(self, module: Mapping[str, Any], path: str, mode: str = "managed") -> Iterator[_Planned]:
        for resource in module.get("resources") or ():
            if resource.get("mode", "managed") == mode and resource.get("type") in TYPES:
                address = resource["address"]
                unknown = self._unknown.get(address) or {}
                yield _Planned(
                    address,
                    resource["type"],
                    resource.get("values") or {},
                    unknown,
                    self._references.expressions(address),
                    path,
                )
        for child in module.get("child_modules") or ():
            yield from self._planned(child, f"{child['address']}.", mode)

    def resources(self) -> list[Declared]:
        return [self._declared(resource) for resource in self._by_address.values()]

    def _declared(self, planned: _Planned) -> Declared:
        type, spec = TYPES[planned.type]
        properties = self._block(planned, spec, planned.values, planned.unknown, planned.expressions, planned.address)
        known = planned.values.get("dimensions")
        if type == ALARM and isinstance(known, Mapping):
            properties["Dimensions"] = [{"Name": name, "Value": value} for name, value in known.items()]
        properties |= _tags(planned)
        name = self._name(planned)
        unnamed = planned.unknown.get("name") is True and "name" in planned.expressions
        return Declared(
            type, self._id(planned), properties, name, self._arn(planned, type, name), unnamed, source=self._source
        )

    def _name(self, planned: _Planned) -> str:
        return str(planned.values.get("name") or self._home + planned.address)

    def _id(self, planned: _Planned) -> str:
        address = self._home + planned.address
        return str(planned.values.get("id") or address) if TYPES[planned.type][0] in (SUBNET, VPC) else address

    def _arn(self, planned: _Planned, type: str, name: str) -> str:
        if type in NAMES:
            stem = f"arn:{self._scope.partition}:sagemaker:{self._scope.region}:{self._scope.account}"
            return f"{stem}:{NAMES[type][1]}/{name}"
        return str(planned.values.get("arn") or f"arn:{self._scope.partition}:{self._home}{planned.address}")

    # ---- values

    def _block(
        self, planned: _Planned, spec: Spec, values: Any, unknown: Any, expressions: Any, where: str
    ) -> dict[str, Any]:
        nested: dict[str, Any] = {}
        for key, target in spec.items():
            value = values.get(key) if isinstance(values, Mapping) else None
            lacking = unknown.get(key) if isinstance(unknown, Mapping) else None
            expression = expressions.get(key) if isinstance(expressions, Mapping) else None
            place = f"{where}.{key}"
            if isinstance(target, str):
                result = self._scalar(planned, value, lacking, expression, place)
                name = target
            else:
                name, inner = target
                listed = isinstance(inner, list)
                result = self._blocks(planned, inner[0] if listed else inner, value, lacking, expression, place)
                if not listed and isinstance(result, list):
                    result = result[0] if result else None
            if result not in (None, ""):
                nested[name] = result
        return nested

    def _blocks(
        self, planned: _Planned, spec: Spec, values: Any, unknown: Any, expressions: Any, where: str
    ) -> list[Any] | Unknown | None:
        if unknown is True:
            return Unknown(f"{where} is known after apply only", optional=True)
        if not isinstance(values, list):
            values = [values] if isinstance(values, Mapping) else []
        made: list[Any] = []
        for index, value in enumerate(values):
            lacking = unknown[index] if isinstance(unknown, list) and index < len(unknown) else unknown
            written = expressions[index] if isinstance(expressions, list) and len(expressions) == len(values) else {}
            made.append(self._block(planned, spec, value, lacking, written, where))
        return made

    def _scalar(self, planned: _Planned, value: Any, unknown: Any, expression: Any, where: str) -> Any:
        if unknown is True or (isinstance(unknown, list) and any(unknown)):
            key = where.rsplit(".", 1)[-1]
            optional = expression is None and key in _COMPUTED
            lacking = Unknown(f"{where} is known after apply only", optional=optional)
            if key == "resource_id":
                return self._scaled(planned, lacking)
            referred = self._referred(planned, expression, key, lacking)
            single = key in _LISTS and isinstance(unknown, list) and len(unknown) == 1
            return [Unknown(lacking.reason, f"${{{where}}}")] if referred is lacking and single else referred
        return value

    def _referred(self, planned: _Planned, expression: Any, key: str, lacking: Unknown) -> Any:
        """What an unknown value refers to, where that is certain."""
        links = self._references.links(planned.address, planned.module, expression)
        if key in _LISTS:
            return self._listed(planned, links, lacking)
        named = _NAMED.get(key)
        pairs = [pair for link in links.resources if (pair := self._target(planned, link, links)) is not None]
        if named is not None:
            pairs = [pair for pair in pairs if pair[0].type == named]
            if not pairs:
                target = self._only(named, planned, expression)
                return lacking if target is None else self._name(target)
        elif len(links.resources) != 1 or links.opaque or links.inputs:
            return lacking
        if len(pairs) != 1:
            return lacking
        target, attribute = pairs[0]
        return self._value_of(target, attribute or ("name" if named else "")) or lacking

    def _target(self, planned: _Planned, link: Link, links: Links) -> tuple[_Planned, str | None] | None:
        """The resource behind a link where it is certain which of several it is, with the attribute."""
        targets = self._instances(link.address)
        if len(targets) > 1 and links.keyed:
            targets = [target for target in targets if index_of(target.address) == index_of(planned.address)]
        return (targets[0], link.attribute) if len(targets) == 1 else None

    def _only(self, type: str, planned: _Planned, expression: Any) -> _Planned | None:
        """The resource that an unknown name must be that of: no other of its type has a name that is not known yet, or
        none whose name is written by the same references."""
        candidates = [other for other in self._by_address.values() if other.type == type and _nameless(other)]
        if len(candidates) > 1 and (index := index_of(planned.address)):
            candidates = [other for other in candidates if index_of(other.address) == index]
        if len(candidates) > 1 and isinstance(expression, Mapping):
            wanted = expression.get("references")
            alike = [other for other in candidates if _references_of(other.expressions.get("name")) == wanted]
            candidates = alike if wanted else []
        return candidates[0] if len(candidates) == 1 else None

    def _listed(self, planned: _Planned, links: Links, lacking: Unknown) -> Any:
        if links.opaque or links.inputs or links.keyed or not links.resources:
            return lacking
        ids: list[str] = []
        for link in links.resources:
            targets = self._instances(link.address)
            if not targets:
                return lacking
            ids += [self._value_of(target, link.attribute or "id") for target in targets]
        narrowed = any(link.attribute is None for link in links.resources)
        if narrowed and len({self._zone(id) for id in ids}) != 1:
            return lacking
        return ids

    def _scaled(self, planned: _Planned, lacking: Unknown) -> Unknown | str:
        """What a scalable target or policy scales: the text of its id is not in the plan, but what it refers to is."""
        expression = planned.expressions.get("resource_id")
        links = self._references.links(planned.address, planned.module, expression)
        targets = [pair[0] for link in links.resources if (pair := self._target(planned, link, links)) is not None]
        for target in targets:
            if target.type == _TARGET and target is not planned:
                known = target.values.get("resource_id")
                return str(known) if known else self._scaled(target, lacking)
        copies = "inference-component" in str(planned.values.get("scalable_dimension"))
        kind = _COMPONENT if copies else _ENDPOINT
        scaled = [target for target in targets if target.type == kind]
        named = self._only(kind, planned, expression) if not scaled else scaled[0] if len(scaled) == 1 else None
        if named is None:
            return lacking
        if copies:
            return f"inference-component/{self._name(named)}"
        variant = next((name for link in links.resources if (name := self._variant_of(link))), ANY_VARIANT)
        id = f"endpoint/{self._name(named)}/variant/{variant}"
        return Unknown(lacking.reason, id) if variant == ANY_VARIANT else id

    def _variant_of(self, link: Link) -> str:
        """The name of the variant that a link points to, as ``production_variants[0].variant_name``."""
        configs = self._instances(link.address) if link.attribute == "production_variants" else []
        place = re.match(r"\[(\d+)\]", link.rest)
        if len(configs) != 1 or configs[0].type != _CONFIG or place is None:
            return ""
        variants = configs[0].values.get("production_variants") or []
        index = int(place[1])
        return str(variants[index].get("variant_name") or "") if index < len(variants) else ""

    def _instances(self, address: str) -> list[_Planned]:
        """The resources of an address that may lack its index, or that of a module around it."""
        if address in self._by_address:
            return [self._by_address[address]]
        every = self._by_address.values()
        indexed = [other for other in every if other.address.startswith(f"{address}[")]
        if indexed or not address.startswith("module."):
            return indexed
        index = index_of(address) if address.endswith("]") else ""
        fitting = [other for other in every if plain(other.address) == plain(address)]
        within = [other for other in fitting if not index or index_of(other.address) == index]
        return within if plain(address) == address or index else []

    def _value_of(self, target: _Planned, attribute: str) -> str:
        """The value of an attribute; empty where it is not known."""
        type = TYPES[target.type][0]
        if attribute not in _ITSELF:
            return str(target.values.get(attribute) or "")
        if type in (SUBNET, VPC):
            return self._id(target)
        return self._arn(target, type, self._name(target)) if attribute == "arn" else self._name(target)

    def _zone(self, id: str) -> str | None:
        """The zone of a subnet; one that is not known equals no other."""
        subnet = next((resource for resource in self._by_address.values() if self._id(resource) == id), None)
        zone = subnet.values.get("availability_zone") if subnet else None
        return str(zone) if zone else f"that of {id}"


def _tags(planned: _Planned) -> dict[str, Any]:
    for key in ("tags_all", "tags"):
        if planned.unknown.get(key) is True:
            continue
        if isinstance(tags := planned.values.get(key), Mapping):
            listed = [{"Key": name, "Value": value} for name, value in tags.items() if value is not None]
            return {"Tags": listed, "own_tags": key == "tags_all"}
    return {}


def _after_unknown(change: Mapping[str, Any]) -> Mapping[str, Any]:
    unknown = (change.get("change") or {}).get("after_unknown")
    return unknown if isinstance(unknown, Mapping) else {}


def _nameless(planned: _Planned) -> bool:
    return planned.unknown.get("name") is True


def _references_of(expression: Any) -> Any:
    return expression.get("references") if isinstance(expression, Mapping) else None
