"""From the resources of a template to an inventory that rules can judge: named things resolved, unknown ones marked.

An endpoint runs as its endpoint config says: that is what would be deployed.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, TypeVar

from chalicelib.errors import InvalidInput
from chalicelib.inventory.facts import Fact, Unread
from chalicelib.inventory.failures import Failure, Failures
from chalicelib.inventory.kinds.components import InferenceComponent
from chalicelib.inventory.kinds.configs import EndpointConfig, VariantSettings
from chalicelib.inventory.kinds.endpoints import Endpoint, Variant
from chalicelib.inventory.kinds.models import Model
from chalicelib.inventory.kinds.plain import PLAIN
from chalicelib.inventory.kinds.scaling import ScalableTarget
from chalicelib.inventory.parts import Part
from chalicelib.kinds import DESCRIBED, Kind
from chalicelib.plan.bounds import greater
from chalicelib.plan.inventory import Planned
from chalicelib.plan.network import Network
from chalicelib.plan.scaling import Scaling
from chalicelib.plan.unknown import (
    DEPLOYMENT,
    LATER,
    LONG_AGO,
    UNTOLD,
    USERS_LATER,
    Declared,
    Place,
    Template,
    Unknown,
    at,
    each,
    items,
    read,
    resolved_name,
    unread,
    where,
    with_counts,
)
from chalicelib.scope import Scope

F = TypeVar("F", bound=Fact)

ENDPOINT, CONFIG = "AWS::SageMaker::Endpoint", "AWS::SageMaker::EndpointConfig"
MODEL, COMPONENT = "AWS::SageMaker::Model", "AWS::SageMaker::InferenceComponent"
#: Parts of an inventory that no template can tell.
NEVER_TOLD = (
    Part.METRICS,
    Part.MINUTES,
    Part.ACTIVITIES,
    Part.RECOMMENDATIONS,
    Part.QUOTAS,
    Part.STUDIO_APPS,
    Part.STUDIO_SETTINGS,
    Part.OFFERINGS,
    Part.PLACEMENTS,
    Part.PLANS,
    *(Part(row.part) for row in DESCRIBED if row.passing),
)


class Builder:
    """Builds the inventory of one template."""

    def __init__(self, template: Template, scope: Scope, now: datetime) -> None:
        self.template, self.scope, self.now = template, scope, now
        self.gaps = Failures(
            Failure(DEPLOYMENT, "", f"{part} are {LATER}".replace("-", " ", 1), part=part) for part in NEVER_TOLD
        )
        self.network = Network(template, scope)
        self.loose: list[Fact] = []
        self.absent: dict[tuple[str, str], str] = {}
        self.unnamed: set[str] = set()
        self.partial: dict[str, str] = {}
        self.places: dict[tuple[str, str], Place] = {}
        self.names = {
            type: {declared.name for declared in template.of(type)} for type in (ENDPOINT, CONFIG, MODEL, COMPONENT)
        }

    def inventory(self) -> Planned:
        models = self._kept("model", MODEL, self._model)
        raw_configs = {declared.name: declared for declared in self.template.of(CONFIG) if not declared.maybe}
        configs = self._kept("endpoint config", CONFIG, self._config)
        endpoints = self._kept("endpoint", ENDPOINT, lambda resource: self._endpoint(resource, raw_configs))
        configs, models = self._uses(endpoints, configs, models)
        components, component_doubts = self._components()
        others = {row.name: self._plain(row) for row in DESCRIBED if row.plain and row.declared}
        ids = {variant.resource_id for endpoint in endpoints.values() for variant in endpoint.variants}
        scaling = Scaling(self.template, self.scope, ids | {component.resource_id for component in components.values()})
        endpoints = self._settled(endpoints, scaling.targets)
        vpcs = self.network.vpcs([*models.values(), *configs.values()])
        self.places |= scaling.places | self.network.places
        doubts = scaling.doubts | component_doubts
        if self.template.open:
            doubts |= {(what, None): self.template.open for what in ("target", "policy", "schedule", "component")}
        return Planned(
            account=self.scope.account,
            region=self.scope.region,
            partition=self.scope.partition,
            now=self.now,
            whole=False,
            endpoints=endpoints,
            configs=configs,
            models=models,
            components=components,
            targets=scaling.targets,
            policies=scaling.policies,
            schedules=scaling.schedules,
            alarms=scaling.alarms,
            subnets=self.network.subnets,
            vpcs=vpcs,
            others=others,
            gaps=self.gaps,
            loose=[*self.loose, *scaling.loose, *self.network.loose],
            doubts=doubts,
            absent=self.absent,
            unnamed=frozenset(self.unnamed),
            partial=self.partial,
        )

    def _kept(self, what: str, type: str, make: Any) -> dict[str, Any]:
        """The resources of a type by name; those that may not be made are loose, and absent with the reason."""
        kept = {}
        for declared in self.template.of(type):
            fact = make(declared)
            self.places[fact.kind, declared.name] = declared.place()
            if declared.maybe:
                self.absent[what, declared.name] = declared.maybe
                self.loose.append(fact.with_only(unread(declared.maybe), "name", "arn"))
                for variant in getattr(fact, "variants", ()) if type == ENDPOINT else ():
                    self.loose.append(
                        variant.with_only(unread(declared.maybe), "name", "endpoint_name", "endpoint_arn")
                    )
            else:
                kept[declared.name] = fact
        return kept

    # ---- what serves

    def _model(self, resource: Declared) -> Model:
        raw, place = resource.properties, where(resource)
        return read(
            Model,
            raw,
            place,
            name=resource.name,
            arn=resource.arn,
            vpc_config=self.network.vpc_config(raw, place),
            execution_role_arn=Unknown(UNTOLD),
            created=Unknown(UNTOLD),
            used_by=(),
        )

    def _config(self, resource: Declared) -> EndpointConfig:
        raw, place = resource.properties, where(resource)
        variants, shadows = (
            each(at(raw, key), place, key, lambda item, index: self._settings(item, index, place))
            for key in ("ProductionVariants", "ShadowProductionVariants")
        )
        return read(
            EndpointConfig,
            raw,
            place,
            name=resource.name,
            arn=resource.arn,
            created=Unknown(UNTOLD),
            variants=variants,
            shadow_variants=shadows,
            vpc_config=self.network.vpc_config(raw, place),
        )

    def _settings(self, raw: Any, index: int, place: str) -> VariantSettings:
        named = resolved_name(at(raw, "ModelName"), self.names[MODEL])
        settings = read(VariantSettings, raw, place, name=_variant_name(raw, index)[0], model_name=named)
        if not isinstance(named, Unknown) or named.optional:
            return settings
        # That there is a model is certain, and often all that matters: its name stands for itself.
        symbol = named.symbol or f"({named.reason})"
        self.absent.setdefault(("model", symbol), named.reason)
        return _changed(settings, model_name=symbol).with_unknown({}, {"model_name": unread(named.reason)})

    def _endpoint(self, resource: Declared, declared_configs: Mapping[str, Declared]) -> Endpoint:
        named = resolved_name(at(resource.properties, "EndpointConfigName"), self.names[CONFIG])
        config = declared_configs.get(named) if isinstance(named, str) else None
        lacking: Unknown | None = None
        variants: list[Variant] = []
        if isinstance(named, Unknown):
            lacking = named
        elif config is None:
            elsewhere = f"its endpoint config {named} is not in the template"
            lacking = Unknown(self.absent.get(("endpoint config", named or ""), elsewhere))
        else:
            for key, shadow in (("ProductionVariants", False), ("ShadowProductionVariants", True)):
                listed = at(config.properties, key)
                if isinstance(listed, Unknown):
                    self._perhaps(resource, listed)
                    continue
                for index, raw in enumerate(items(listed, where(config), key)):
                    if isinstance(raw, Unknown):
                        self._perhaps(resource, raw)
                        continue
                    variants.append(self._variant(resource, config, raw, index, shadow=shadow))
                    place = config.place("Properties", key, index)
                    self.places["endpoint-variant", f"{resource.name}/{variants[-1].name}"] = place
        if lacking is not None:
            self._perhaps(resource, lacking)
        elif not variants and resource.name in self.partial:
            lacking = Unknown(self.partial[resource.name])
        return read(
            Endpoint,
            resource.properties,
            where(resource),
            name=resource.name,
            arn=resource.arn,
            config_name=named,
            status=lacking or "InService",
            created=LONG_AGO,
            modified=Unknown(UNTOLD),
            variants=tuple(variants),
        )

    def _perhaps(self, resource: Declared, lacking: Unknown) -> None:
        """Variants that the endpoint may have, of which nothing is known: every rule of a variant is blind to them."""
        self.partial[resource.name] = lacking.reason
        variant = Variant(name="unknown", endpoint_name=resource.name, endpoint_arn=resource.arn)
        self.loose.append(variant.with_only(unread(lacking.reason), "endpoint_name", "endpoint_arn"))

    def _variant(self, resource: Declared, config: Declared, raw: Any, index: int, *, shadow: bool) -> Variant:
        place = where(config)
        if not isinstance(raw, Mapping):
            raise InvalidInput(f"{place}: each of ProductionVariants must be a mapping", field="TEMPLATE")
        name, certain = _variant_name(raw, index)
        queue = at(config.properties, "AsyncInferenceConfig")
        if resource.unnamed or not certain:
            self.unnamed.add(f"endpoint/{resource.name}/variant/{name}")
        return read(
            Variant,
            {**raw, "Tags": at(resource.properties, "Tags"), "own_tags": at(resource.properties, "own_tags")},
            place,
            name=name,
            endpoint_name=resource.name,
            endpoint_arn=resource.arn,
            endpoint_status="InService",
            config_name=config.name,
            endpoint_created=LONG_AGO,
            endpoint_modified=Unknown(UNTOLD),
            current_instance_count=Unknown(UNTOLD),
            desired_instance_count=at(raw, "InitialInstanceCount"),
            desired_weight=at(raw, "InitialVariantWeight"),
            serverless_config=at(raw, "ServerlessConfig"),
            asynchronous=queue if isinstance(queue, Unknown) else bool(queue),
            shadow=shadow,
            configured=self._settings(raw, index, place),
        )

    def _settled(self, endpoints: Mapping[str, Endpoint], targets: Iterable[ScalableTarget]) -> dict[str, Endpoint]:
        """The endpoints as they stand once Application Auto Scaling has raised their variants to its minimum."""
        least = {target.resource_id: _count(target, "min_capacity") for target in targets if target.scales_instances}
        return {
            name: _changed(endpoint, variants=tuple(_raised(variant, least) for variant in endpoint.variants))
            for name, endpoint in endpoints.items()
        }

    def _uses(
        self, endpoints: Mapping[str, Endpoint], configs: dict[str, EndpointConfig], models: dict[str, Model]
    ) -> tuple[dict[str, EndpointConfig], dict[str, Model]]:
        """Which configs and models the endpoints use; where that is not certain, it is unknown."""
        named = {endpoint.name: endpoint.known("config_name") for endpoint in endpoints.values()}
        loose = [name for name, config in named.items() if config not in configs]
        reason = f"which endpoint config {loose[0]} will use is not in the template" if loose else ""
        used = {config for config in named.values() if config}
        doubtful = bool(loose) or any(declared.maybe for declared in self.template.of(ENDPOINT))
        reason = reason or next((declared.maybe for declared in self.template.of(ENDPOINT) if declared.maybe), "")
        judged = {}
        for name, config in configs.items():
            if name in used:
                judged[name] = _changed(config, in_use=True)
            else:
                judged[name] = config.with_unknown({"in_use": unread(reason)}) if doubtful else config
        users: dict[str, list[str]] = {}
        for endpoint in endpoints.values():
            for variant in endpoint.variants:
                users.setdefault(variant.settings.known("model_name") or "", []).append(endpoint.name)
        for component in self.template.of(COMPONENT):
            model = resolved_name(at(component.properties, "Specification", "ModelName"), self.names[MODEL])
            endpoint_name = resolved_name(at(component.properties, "EndpointName"), self.names[ENDPOINT])
            if isinstance(model, str) and endpoint_name in endpoints and not component.maybe:
                users.setdefault(model, []).append(str(endpoint_name))
        kept = {}
        for name, model_fact in models.items():
            by = tuple(sorted(set(users.get(name, ()))))
            kept[name] = (
                _changed(model_fact, used_by=by) if by else model_fact.with_unknown({"used_by": unread(USERS_LATER)})
            )
        return judged, kept

    def _components(self) -> tuple[dict[str, InferenceComponent], dict[tuple[str, str | None], str]]:
        kept: dict[str, InferenceComponent] = {}
        doubts: dict[tuple[str, str | None], str] = {}
        for declared in self.template.of(COMPONENT):
            fact = self._component(declared)
            self.places[fact.kind, declared.name] = declared.place()
            if declared.unnamed:
                self.unnamed.add(f"inference-component/{declared.name}")
            place = [fact.known("endpoint_name"), "variant_name" not in fact.unknown]
            if declared.maybe or not all(place):
                reason = declared.maybe or f"which variant {declared.id} runs on is not known"
                doubts["component", fact.known("endpoint_name")] = reason
                self.absent["inference component", declared.name] = reason
                self.loose.append(fact.with_only(unread(reason), "name", "arn") if declared.maybe else fact)
            else:
                kept[declared.name] = fact
        return kept, doubts

    def _component(self, resource: Declared) -> InferenceComponent:
        raw = resource.properties
        endpoint = at(raw, "EndpointName") or at(raw, "EndpointArn")
        model = at(raw, "Specifications", 0, "ModelName") or at(raw, "Specification", "ModelName")
        return read(
            InferenceComponent,
            raw,
            where(resource),
            name=resource.name,
            arn=resource.arn,
            endpoint_name=resolved_name(endpoint, self.names[ENDPOINT]),
            model_name=resolved_name(model, self.names[MODEL]),
            desired_copy_count=at(raw, "RuntimeConfig", "CopyCount"),
            created=LONG_AGO,
            modified=Unknown(UNTOLD),
            current_copy_count=Unknown(UNTOLD),
        )

    def _plain(self, row: Kind) -> dict[str, Any]:
        """The resources of a kind of which a template says all in their properties."""

        def declared(resource: Declared) -> Fact:
            return read(PLAIN[row.name], resource.properties, where(resource), name=resource.name, arn=resource.arn)

        return self._kept(row.name.replace("-", " "), f"AWS::SageMaker::{row.word}", declared)


def _variant_name(raw: Any, index: int) -> tuple[str, bool]:
    """The name of a variant, and whether it is certain."""
    name = at(raw, "VariantName")
    if isinstance(name, Unknown):
        return name.symbol or f"variant-{index + 1}", False
    return (str(name), True) if name is not None else (f"variant-{index + 1}", False)


def _count(fact: Fact, name: str) -> int | Unread | None:
    count: int | None = fact.known(name)
    return fact.unknown.get(name) if count is None else count


def _raised(variant: Variant, least: Mapping[str, int | Unread | None]) -> Variant:
    if variant.resource_id not in least or least[variant.resource_id] is None:
        return variant
    count = greater(_count(variant, "desired_instance_count"), least[variant.resource_id])
    return with_counts(variant, {"desired_instance_count": count})


def _changed(fact: F, **values: Any) -> F:
    return fact.model_copy(update=values)
