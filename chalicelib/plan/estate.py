"""From the resources of a template to an inventory that rules can judge: named things resolved, unknown ones marked.

An endpoint runs as its endpoint config says: that is what would be deployed.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, TypeVar

from chalicelib.errors import InvalidInput
from chalicelib.inventory.estate import Gaps
from chalicelib.inventory.models import (
    Container,
    Endpoint,
    EndpointConfig,
    Fact,
    InferenceComponent,
    ManagedInstanceScaling,
    Model,
    NotebookInstance,
    Subnet,
    Variant,
    VariantSettings,
    Vpc,
    VpcConfig,
)
from chalicelib.inventory.parts import Part
from chalicelib.plan.intrinsics import SUBNET, VPC
from chalicelib.plan.inventory import Planned, is_availability_zone
from chalicelib.plan.partial import hidden, partial
from chalicelib.plan.reading import LONG_AGO, STAND_IN, UNTOLD, read, resolved_name
from chalicelib.plan.scaling import Scaling
from chalicelib.plan.values import LATER, Declared, Template, Unknown, at, lack
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
        self.loose: list[Fact] = []
        self.absent: dict[tuple[str, str], str] = {}
        self.unnamed: set[str] = set()
        self.lines: dict[tuple[str, str], int] = {}
        self.names = {type: {one.name for one in template.of(type)} for type in (ENDPOINT, CONFIG, MODEL, COMPONENT)}

    def inventory(self) -> Planned:
        subnets = {one.id: self._subnet(one) for one in self.template.of(SUBNET) if not one.maybe}
        self.subnets = subnets
        models = self._kept("model", MODEL, self._model)
        raw_configs = {one.name: one for one in self.template.of(CONFIG) if not one.maybe}
        configs = self._kept("endpoint config", CONFIG, self._config)
        endpoints = self._kept("endpoint", ENDPOINT, lambda one: self._endpoint(one, raw_configs, configs))
        configs, models = self._uses(endpoints, configs, models)
        components, component_doubts = self._components()
        notebooks = self._kept("notebook instance", NOTEBOOK, self._notebook)
        known = {one.resource_id for endpoint in endpoints.values() for one in endpoint.variants}
        scaling = Scaling(self.template, self.scope, known | {one.resource_id for one in components.values()})
        self.lines |= scaling.lines
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
            subnets=subnets,
            vpcs=self._vpcs(endpoints, configs, models),
            notebooks=notebooks,
            gaps=self.gaps,
            loose=[*self.loose, *scaling.loose],
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

    def _where(self, one: Declared) -> str:
        return f"{self.template.source}:{one.line}: {one.id}" if one.line else f"{self.template.source}: {one.id}"

    # ---- what serves

    def _model(self, one: Declared) -> Model:
        raw, where = one.properties, self._where(one)
        listed = at(raw, "Containers")
        return read(
            Model,
            raw,
            {"execution_mode": ("InferenceExecutionConfig", "Mode")},
            where,
            name=one.name,
            arn=one.arn,
            primary_container=self._container(at(raw, "PrimaryContainer"), where),
            pipeline=self._each(listed, where, "Containers", lambda item, _: self._container(item, where)),
            vpc_config=self._vpc_config(raw, where),
            execution_role_arn=Unknown(UNTOLD),
            created=Unknown(UNTOLD),
            used_by=(),
        )

    def _container(self, raw: Any, where: str) -> Any:
        if raw is None or isinstance(raw, Unknown):
            return raw
        fields = {"image": ("Image",), "hostname": ("ContainerHostname",), "mode": ("Mode",)}
        return read(Container, raw, {**fields, "model_package": ("ModelPackageName",)}, where)

    def _each(self, listed: Any, where: str, name: str, make: Any) -> Any:
        """A list of things as a tuple; unknown where its length is."""
        if listed is None or isinstance(listed, Unknown):
            return listed
        if not isinstance(listed, list):
            raise InvalidInput(f"{where}: {name} must be a list", field="TEMPLATE")
        for item in listed:
            if isinstance(item, Unknown):
                return item
            if not isinstance(item, Mapping):
                raise InvalidInput(f"{where}: each of {name} must be a mapping", field="TEMPLATE")
        return tuple(make(item, index) for index, item in enumerate(listed))

    def _vpc_config(self, raw: Any, where: str) -> Any:
        given = at(raw, "VpcConfig")
        if given is None or isinstance(given, Unknown):
            return given
        subnets = at(given, "Subnets")
        if subnets is None or subnets == []:
            return None
        groups = at(given, "SecurityGroupIds") or []
        if isinstance(groups, Unknown):
            groups = [groups]
        names = tuple(_id(one) for one in groups if isinstance(one, str | Unknown))
        if isinstance(subnets, str):
            subnets = [subnets]
        unclear = subnets if isinstance(subnets, Unknown) else next((one for one in subnets if _unclear(one)), None)
        if unclear is None:
            ids = tuple(_id(one) for one in subnets)
            for id, one in zip(ids, subnets, strict=True):
                self._foreign_subnet(id, one)
            return VpcConfig(security_group_ids=names, subnets=ids)
        return read(VpcConfig, {}, {}, where, security_group_ids=names, subnets=unclear)

    def _foreign_subnet(self, id: str, given: Any) -> None:
        """A subnet that the template does not make, of which nothing can be told."""
        if id in self.subnets:
            return
        maybe = next((one.maybe for one in self.template.of(SUBNET) if one.id == id), "")
        reason = given.reason if isinstance(given, Unknown) else maybe or f"the zone of the subnet {id} is {LATER}"
        self.subnets[id] = hidden(Subnet(id=id), reason, "id")

    def _config(self, one: Declared) -> EndpointConfig:
        raw, where = one.properties, self._where(one)
        variants, shadows = (
            self._each(at(raw, key), where, key, lambda item, index: self._settings(item, index, where))
            for key in ("ProductionVariants", "ShadowProductionVariants")
        )
        return read(
            EndpointConfig,
            raw,
            {"asynchronous": ("AsyncInferenceConfig",)},
            where,
            name=one.name,
            arn=one.arn,
            created=Unknown(UNTOLD),
            variants=variants,
            shadow_variants=shadows,
            vpc_config=self._vpc_config(raw, where),
        )

    def _settings(self, raw: Any, index: int, where: str) -> VariantSettings:
        scaling = at(raw, "ManagedInstanceScaling")
        if isinstance(scaling, Mapping):
            fields = {"min_instance_count": ("MinInstanceCount",), "max_instance_count": ("MaxInstanceCount",)}
            scaling = read(ManagedInstanceScaling, scaling, {"status": ("Status",), **fields}, where)
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
            where,
            name=_variant_name(raw, index)[0],
            model_name=resolved_name(at(raw, "ModelName"), self.names[MODEL]),
            instance_pools=pools,
            managed_instance_scaling=scaling,
        )

    def _endpoint(
        self, one: Declared, raw_configs: Mapping[str, Declared], configs: Mapping[str, EndpointConfig]
    ) -> Endpoint:
        where = self._where(one)
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
                settings = config.__dict__.get("shadow_variants" if shadow else "variants")
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
            where,
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
            {**raw, "Tags": at(one.properties, "Tags"), "own_tags": one.own_tags},
            {
                "desired_instance_count": ("InitialInstanceCount",),
                "desired_weight": ("InitialVariantWeight",),
                "serverless_config": ("ServerlessConfig",),
            },
            self._where(config),
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
        named = {one.name: one.__dict__.get("config_name") for one in endpoints.values()}
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
                users.setdefault(variant.settings.__dict__.get("model_name", ""), []).append(endpoint.name)
        for component in self.template.of(COMPONENT):
            model = resolved_name(at(component.properties, "Specification", "ModelName"), self.names[MODEL])
            endpoint_name = resolved_name(at(component.properties, "EndpointName"), self.names[ENDPOINT])
            if isinstance(model, str) and endpoint_name in endpoints and not component.maybe:
                users.setdefault(model, []).append(str(endpoint_name))
        unused = "no endpoint of the template is certain to use it; what else does is not known before deployment"
        kept = {}
        for name, model_fact in models.items():
            by = tuple(sorted(set(users.get(name, ()))))
            kept[name] = _with(model_fact, used_by=by) if by else _without(model_fact, "used_by", unused)
        return judged, kept

    def _components(self) -> tuple[dict[str, InferenceComponent], dict[tuple[str, str | None], str]]:
        kept: dict[str, InferenceComponent] = {}
        doubts: dict[tuple[str, str | None], str] = {}
        for one in self.template.of(COMPONENT):
            fact = self._component(one)
            self.lines[fact.kind, one.name] = one.line
            if one.unnamed:
                self.unnamed.add(f"inference-component/{one.name}")
            place = [fact.__dict__.get("endpoint_name"), "variant_name" in fact.__dict__]
            if one.maybe or not all(place):
                reason = one.maybe or f"which variant {one.id} runs on is not known"
                doubts["component", fact.__dict__.get("endpoint_name") or None] = reason
                self.absent["inference component", one.name] = reason
                self.loose.append(hidden(fact, reason, "name", "arn") if one.maybe else fact)
            else:
                kept[one.name] = fact
        return kept, doubts

    def _component(self, one: Declared) -> InferenceComponent:
        raw = one.properties
        endpoint = at(raw, "EndpointName")
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
            self._where(one),
            name=one.name,
            arn=one.arn,
            endpoint_name=resolved_name(
                endpoint if endpoint is not None else at(raw, "EndpointArn"), self.names[ENDPOINT]
            ),
            model_name=resolved_name(at(specification, "ModelName"), self.names[MODEL]),
            created=LONG_AGO,
            modified=Unknown(UNTOLD),
            current_copy_count=Unknown(UNTOLD),
        )

    def _notebook(self, one: Declared) -> NotebookInstance:
        fields = {"instance_type": ("InstanceType",), "accelerator_types": ("AcceleratorTypes",)}
        return read(NotebookInstance, one.properties, fields, self._where(one), name=one.name, arn=one.arn)

    # ---- network

    def _subnet(self, one: Declared) -> Subnet:
        raw = one.properties
        zone, zone_id = at(raw, "AvailabilityZone"), at(raw, "AvailabilityZoneId")
        if zone is None and zone_id is None:
            zone = Unknown(f"the zone of {one.id} is {LATER}, as the template gives none")
        told = zone_id if zone_id is not None else zone
        local = isinstance(told, str) and not is_availability_zone(told)
        return read(
            Subnet,
            raw,
            {"outpost_arn": ("OutpostArn",)},
            self._where(one),
            id=one.id,
            vpc_id=_id(vpc) if (vpc := at(raw, "VpcId")) is not None else "",
            zone_name=zone,
            zone_id=zone_id,
            zone_type=Unknown(f"the type of the zone {told} is {LATER}") if local else None,
            state="available",
            free_addresses=Unknown(UNTOLD),
        )

    def _vpcs(
        self, endpoints: Mapping[str, Endpoint], configs: Mapping[str, EndpointConfig], models: Mapping[str, Model]
    ) -> dict[str, Vpc]:
        """The VPCs that the template makes, with its subnets and what of it stands on them."""
        kept: dict[str, Vpc] = {}
        strays = [
            one for one in self.template.of(SUBNET) if one.maybe or isinstance(at(one.properties, "VpcId"), Unknown)
        ]
        lacking = strays[0].maybe or f"the VPC of {strays[0].id} is {LATER}" if strays else ""
        users: dict[str, list[str]] = {}
        unsure = ""
        for fact in (*models.values(), *configs.values()):
            values = fact.__dict__
            certain = values.get("used_by") or values.get("in_use")
            config = values.get("vpc_config", STAND_IN)
            ids = getattr(config, "__dict__", {}).get("subnets") if config is not None else ()
            if (
                ids is None
                or (ids and not certain)
                or any(self.subnets[id].__dict__.get("zone_type", "") == "" for id in ids)
            ):
                unsure = f"whether {fact.kind} {values.get('name')} uses it is not known"
            for vpc in {self.subnets[id].__dict__.get("vpc_id") for id in ids or ()} if certain else ():
                if vpc:
                    users.setdefault(vpc, []).append(values["arn"])
        for one in self.template.of(VPC):
            arn = f"arn:{self.scope.partition}:ec2:{self.scope.region}:{self.scope.account}:vpc/{one.id}"
            subnets = tuple(subnet for subnet in self.subnets.values() if subnet.__dict__.get("vpc_id") == one.id)
            by = tuple(sorted(users.get(one.id, ())))
            fact = Vpc(id=one.id, arn=arn, subnets=subnets, used_by=by, tags={})
            unknown = {"subnets": lacking} if lacking else {}
            if not by and (unsure or self.template.open):
                unknown["used_by"] = unsure or self.template.open
            self.lines["vpc", one.id] = one.line
            if one.maybe:
                self.loose.append(hidden(fact, one.maybe, "id", "arn"))
            else:
                kept[one.id] = partial(fact, unknown)
        return kept


def _unclear(subnet: Any) -> Unknown | None:
    """The reason that a subnet of a list cannot even be pointed at: it may be missing, or be any number of them."""
    if isinstance(subnet, Unknown):
        return subnet if subnet.optional or not subnet.symbol else None
    return None if isinstance(subnet, str) else Unknown("a list of subnets cannot be resolved as it is written")


def _id(value: Any) -> str:
    return value.symbol or "unknown" if isinstance(value, Unknown) else str(value)


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
