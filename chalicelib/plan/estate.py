"""From the resources of a template to an inventory that rules can judge: named things resolved, unknown ones marked.

An endpoint runs as its endpoint config says: that is what would be deployed.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, TypeVar

from chalicelib.errors import InvalidInput
from chalicelib.inventory.facts import Fact, Gaps
from chalicelib.inventory.kinds.components import InferenceComponent
from chalicelib.inventory.kinds.endpoints import (
    Endpoint,
    EndpointConfig,
    ManagedInstanceScaling,
    Variant,
    VariantSettings,
)
from chalicelib.inventory.kinds.models import Container, Model
from chalicelib.inventory.kinds.plain import NotebookInstance
from chalicelib.inventory.parts import Part
from chalicelib.plan.inventory import Planned
from chalicelib.plan.network import Network
from chalicelib.plan.partial import hidden, known, partial
from chalicelib.plan.reading import LONG_AGO, read, resolved_name
from chalicelib.plan.scaling import Scaling
from chalicelib.plan.values import LATER, UNTOLD, USERS_LATER, Declared, Template, Unknown, at, lack, where
from chalicelib.scope import Scope

F = TypeVar("F", bound=Fact)

ENDPOINT, CONFIG = "AWS::SageMaker::Endpoint", "AWS::SageMaker::EndpointConfig"
MODEL, COMPONENT = "AWS::SageMaker::Model", "AWS::SageMaker::InferenceComponent"
NOTEBOOK = "AWS::SageMaker::NotebookInstance"
#: Parts of an inventory that no template can tell.
NEVER_TOLD = (
    Part.METRICS,
    Part.ACTIVITIES,
    Part.RECOMMENDATIONS,
    Part.TRAINING_JOBS,
    Part.TUNING_JOBS,
    Part.TRANSFORM_JOBS,
)


class Builder:
    """Builds the inventory of one template."""

    def __init__(self, template: Template, scope: Scope, now: datetime) -> None:
        self.template, self.scope, self.now = template, scope, now
        self.gaps = Gaps(parts={part: f"{part} are {LATER}".replace("-", " ", 1) for part in NEVER_TOLD})
        self.network = Network(template, scope)
        self.loose: list[Fact] = []
        self.absent: dict[tuple[str, str], str] = {}
        self.unnamed: set[str] = set()
        self.lines: dict[tuple[str, str], int] = {}
        self.names = {type: {one.name for one in template.of(type)} for type in (ENDPOINT, CONFIG, MODEL, COMPONENT)}

    def inventory(self) -> Planned:
        models = self._kept("model", MODEL, self._model)
        raw_configs = {one.name: one for one in self.template.of(CONFIG) if not one.maybe}
        configs = self._kept("endpoint config", CONFIG, self._config)
        endpoints = self._kept("endpoint", ENDPOINT, lambda one: self._endpoint(one, raw_configs, configs))
        configs, models = self._uses(endpoints, configs, models)
        components, component_doubts = self._components()
        notebooks = self._kept("notebook instance", NOTEBOOK, self._notebook)
        ids = {one.resource_id for endpoint in endpoints.values() for one in endpoint.variants}
        scaling = Scaling(self.template, self.scope, ids | {one.resource_id for one in components.values()})
        vpcs = self.network.vpcs([*models.values(), *configs.values()])
        self.lines |= scaling.lines | self.network.lines
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
            notebooks=notebooks,
            gaps=self.gaps,
            loose=[*self.loose, *scaling.loose, *self.network.loose],
            doubts=doubts,
            absent=self.absent,
            unnamed=frozenset(self.unnamed),
        )

    def _kept(self, what: str, type: str, make: Any) -> dict[str, Any]:
        """The resources of a type by name; those that may not be made are loose, and absent with the reason."""
        kept = {}
        for one in self.template.of(type):
            fact = make(one)
            self.lines[fact.kind, one.name] = one.line
            if one.maybe:
                self.absent[what, one.name] = one.maybe
                self.loose.append(hidden(fact, one.maybe, "name", "arn"))
                for variant in getattr(fact, "variants", ()) if type == ENDPOINT else ():
                    self.loose.append(hidden(variant, one.maybe, "name", "endpoint_name", "endpoint_arn"))
            else:
                kept[one.name] = fact
        return kept

    # ---- what serves

    def _model(self, one: Declared) -> Model:
        raw, place = one.properties, where(self.template, one)
        listed = at(raw, "Containers")
        return read(
            Model,
            raw,
            {"execution_mode": ("InferenceExecutionConfig", "Mode")},
            place,
            name=one.name,
            arn=one.arn,
            primary_container=self._container(at(raw, "PrimaryContainer"), place),
            pipeline=self._each(listed, place, "Containers", lambda item, _: self._container(item, place)),
            vpc_config=self.network.vpc_config(raw, place),
            execution_role_arn=Unknown(UNTOLD),
            created=Unknown(UNTOLD),
            used_by=(),
        )

    def _container(self, raw: Any, place: str) -> Any:
        if raw is None or isinstance(raw, Unknown):
            return raw
        fields = {"image": ("Image",), "hostname": ("ContainerHostname",), "mode": ("Mode",)}
        return read(Container, raw, {**fields, "model_package": ("ModelPackageName",)}, place)

    def _each(self, listed: Any, place: str, name: str, make: Any) -> Any:
        """A list of things as a tuple; unknown where its length is."""
        if listed is None or isinstance(listed, Unknown):
            return listed
        if not isinstance(listed, list):
            raise InvalidInput(f"{place}: {name} must be a list", field="TEMPLATE")
        for item in listed:
            if isinstance(item, Unknown):
                return item
            if not isinstance(item, Mapping):
                raise InvalidInput(f"{place}: each of {name} must be a mapping", field="TEMPLATE")
        return tuple(make(item, index) for index, item in enumerate(listed))

    def _config(self, one: Declared) -> EndpointConfig:
        raw, place = one.properties, where(self.template, one)
        variants, shadows = (
            self._each(at(raw, key), place, key, lambda item, index: self._settings(item, index, place))
            for key in ("ProductionVariants", "ShadowProductionVariants")
        )
        return read(
            EndpointConfig,
            raw,
            {"asynchronous": ("AsyncInferenceConfig",)},
            place,
            name=one.name,
            arn=one.arn,
            created=Unknown(UNTOLD),
            variants=variants,
            shadow_variants=shadows,
            vpc_config=self.network.vpc_config(raw, place),
        )

    def _settings(self, raw: Any, index: int, place: str) -> VariantSettings:
        scaling = at(raw, "ManagedInstanceScaling")
        if isinstance(scaling, Mapping):
            fields = {"min_instance_count": ("MinInstanceCount",), "max_instance_count": ("MaxInstanceCount",)}
            scaling = read(ManagedInstanceScaling, scaling, {"status": ("Status",), **fields}, place)
        pools = at(raw, "InstancePools")
        if isinstance(pools, list):
            pools = [kind for one in pools if (kind := at(one, "InstanceType")) is not None]
        return read(
            VariantSettings,
            raw,
            {
                "initial_instance_count": ("InitialInstanceCount",),
                "initial_weight": ("InitialVariantWeight",),
                "instance_type": ("InstanceType",),
                "accelerator_type": ("AcceleratorType",),
                "serverless": ("ServerlessConfig",),
            },
            place,
            name=_variant_name(raw, index)[0],
            model_name=resolved_name(at(raw, "ModelName"), self.names[MODEL]),
            instance_pools=pools,
            managed_instance_scaling=scaling,
        )

    def _endpoint(
        self, one: Declared, raw_configs: Mapping[str, Declared], configs: Mapping[str, EndpointConfig]
    ) -> Endpoint:
        place = where(self.template, one)
        named = resolved_name(at(one.properties, "EndpointConfigName"), self.names[CONFIG])
        given = raw_configs.get(named) if isinstance(named, str) else None
        lacking: Any = None
        variants: list[Variant] = []
        if isinstance(named, Unknown):
            lacking = named
        elif given is None:
            reason = self.absent.get(
                ("endpoint config", named or ""), f"its endpoint config {named} is not in the template"
            )
            lacking = Unknown(reason)
        else:
            config = configs[given.name]
            for key, shadow in (("ProductionVariants", False), ("ShadowProductionVariants", True)):
                listed = at(given.properties, key)
                settings = known(config, "shadow_variants" if shadow else "variants")
                if isinstance(listed, Unknown) or (listed and settings is None):
                    lacking = lack(listed)
                    continue
                for index, raw in enumerate(listed or ()):
                    variants.append(self._variant(one, given, raw, settings[index], index, shadow=shadow))
                    line = self.template.line("Resources", given.id, "Properties", key, index)
                    self.lines["endpoint-variant", f"{one.name}/{variants[-1].name}"] = line or one.line
        fact = read(
            Endpoint,
            one.properties,
            {},
            place,
            name=one.name,
            arn=one.arn,
            config_name=named,
            status=lacking or "InService",
            created=LONG_AGO,
            modified=Unknown(UNTOLD),
            variants=() if lacking else tuple(variants),
        )
        return fact

    def _variant(
        self, one: Declared, config: Declared, raw: Any, settings: VariantSettings, index: int, *, shadow: bool
    ) -> Variant:
        name, certain = _variant_name(raw, index)
        if one.unnamed or not certain:
            self.unnamed.add(f"endpoint/{one.name}/variant/{name}")
        return read(
            Variant,
            {**raw, "Tags": at(one.properties, "Tags"), "own_tags": at(one.properties, "own_tags")},
            {
                "desired_instance_count": ("InitialInstanceCount",),
                "desired_weight": ("InitialVariantWeight",),
                "serverless_config": ("ServerlessConfig",),
            },
            where(self.template, config),
            name=name,
            endpoint_name=one.name,
            endpoint_arn=one.arn,
            endpoint_status="InService",
            config_name=config.name,
            endpoint_created=LONG_AGO,
            endpoint_modified=Unknown(UNTOLD),
            current_instance_count=Unknown(UNTOLD),
            current_weight=None,
            asynchronous=at(config.properties, "AsyncInferenceConfig"),
            shadow=shadow,
            configured=settings,
        )

    def _uses(
        self, endpoints: Mapping[str, Endpoint], configs: dict[str, EndpointConfig], models: dict[str, Model]
    ) -> tuple[dict[str, EndpointConfig], dict[str, Model]]:
        """Which configs and models the endpoints use; where that is not certain, it is unknown."""
        named = {one.name: known(one, "config_name") for one in endpoints.values()}
        loose = [name for name, config in named.items() if config not in configs]
        reason = f"which endpoint config {loose[0]} will use is not in the template" if loose else ""
        used = {config for config in named.values() if config}
        doubtful = bool(loose) or any(one.maybe for one in self.template.of(ENDPOINT))
        reason = reason or next((one.maybe for one in self.template.of(ENDPOINT) if one.maybe), "")
        judged = {}
        for name, config in configs.items():
            if name in used:
                judged[name] = _with(config, in_use=True)
            else:
                judged[name] = _without(config, "in_use", reason) if doubtful else config
        users: dict[str, list[str]] = {}
        for endpoint in endpoints.values():
            for variant in endpoint.variants:
                users.setdefault(known(variant.settings, "model_name") or "", []).append(endpoint.name)
        for component in self.template.of(COMPONENT):
            model = resolved_name(at(component.properties, "Specification", "ModelName"), self.names[MODEL])
            endpoint_name = resolved_name(at(component.properties, "EndpointName"), self.names[ENDPOINT])
            if isinstance(model, str) and endpoint_name in endpoints and not component.maybe:
                users.setdefault(model, []).append(str(endpoint_name))
        kept = {}
        for name, model_fact in models.items():
            by = tuple(sorted(set(users.get(name, ()))))
            kept[name] = _with(model_fact, used_by=by) if by else _without(model_fact, "used_by", USERS_LATER)
        return judged, kept

    def _components(self) -> tuple[dict[str, InferenceComponent], dict[tuple[str, str | None], str]]:
        kept: dict[str, InferenceComponent] = {}
        doubts: dict[tuple[str, str | None], str] = {}
        for one in self.template.of(COMPONENT):
            fact = self._component(one)
            self.lines[fact.kind, one.name] = one.line
            if one.unnamed:
                self.unnamed.add(f"inference-component/{one.name}")
            place = [known(fact, "endpoint_name"), "variant_name" in fact.__dict__]
            if one.maybe or not all(place):
                reason = one.maybe or f"which variant {one.id} runs on is not known"
                doubts["component", known(fact, "endpoint_name")] = reason
                self.absent["inference component", one.name] = reason
                self.loose.append(hidden(fact, reason, "name", "arn") if one.maybe else fact)
            else:
                kept[one.name] = fact
        return kept, doubts

    def _component(self, one: Declared) -> InferenceComponent:
        raw = one.properties
        endpoint = at(raw, "EndpointName") or at(raw, "EndpointArn")
        several = at(raw, "Specifications")
        specification = at(raw, "Specification") or (several[0] if isinstance(several, list) and several else several)
        return read(
            InferenceComponent,
            {"Specification": specification, **(raw if isinstance(raw, Mapping) else {})},
            {
                "variant_name": ("VariantName",),
                "desired_copy_count": ("RuntimeConfig", "CopyCount"),
                "image": ("Specification", "Container", "Image"),
                "base_component": ("Specification", "BaseInferenceComponentName"),
                "az_balance": ("Specification", "SchedulingConfig", "AvailabilityZoneBalance"),
            },
            where(self.template, one),
            name=one.name,
            arn=one.arn,
            endpoint_name=resolved_name(endpoint, self.names[ENDPOINT]),
            model_name=resolved_name(at(specification, "ModelName"), self.names[MODEL]),
            created=LONG_AGO,
            modified=Unknown(UNTOLD),
            current_copy_count=Unknown(UNTOLD),
        )

    def _notebook(self, one: Declared) -> NotebookInstance:
        fields = {"instance_type": ("InstanceType",), "accelerator_types": ("AcceleratorTypes",)}
        return read(NotebookInstance, one.properties, fields, where(self.template, one), name=one.name, arn=one.arn)


def _variant_name(raw: Any, index: int) -> tuple[str, bool]:
    """The name of a variant, and whether it is certain."""
    given = at(raw, "VariantName")
    if isinstance(given, Unknown):
        return given.symbol or f"variant-{index + 1}", False
    return (str(given), True) if given is not None else (f"variant-{index + 1}", False)


def _with(fact: F, **values: Any) -> F:
    return fact.model_copy(update=values)


def _without(fact: F, name: str, reason: str) -> F:
    """The fact with one more field that is not known."""
    known = fact.__dict__
    return partial(
        fact.model_copy(), {**known["_unknown_fields"], name: reason}, {}, known["_faces"], known.get("_tags_rest", "")
    )
