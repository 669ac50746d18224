"""What follows from what has been read so far: who uses what, and what is still to be asked."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from chalicelib.inventory.estate import Inventory
from chalicelib.inventory.facts import Unread
from chalicelib.inventory.kinds.configs import VariantSettings
from chalicelib.inventory.kinds.endpoints import Variant
from chalicelib.inventory.kinds.plain import TransformJob
from chalicelib.inventory.kinds.scaling import INVOCATIONS_PER_INSTANCE, ScalableTarget, ScalingPolicy


def variants(estate: Inventory) -> list[Variant]:
    """The variants of the endpoints that are known by now."""
    return [variant for endpoint in estate.endpoints.values() for variant in endpoint.variants]


def models_named(estate: Inventory) -> list[str]:
    """The models that variants, components and transform jobs name, each once."""
    names: list[str | None] = [name for variant in variants(estate) for name in models_of(variant)]
    names += [part.model_name for component in estate.components.values() for part in component.specifications]
    names += [job.model_name for job in estate.plain(TransformJob).values()]
    return list(dict.fromkeys(name for name in names if name))


def models_of(variant: Variant) -> tuple[str, ...]:
    """The models that a variant names, as far as its config is known."""
    configured: VariantSettings | None = variant.known("configured")
    return configured.model_names if configured else ()


def pipelines(estate: Inventory) -> dict[str, tuple[str, ...]]:
    """The container names of each serial pipeline of more than one container, by the model's name."""
    return {
        name: model.container_names
        for name, model in estate.models.items()
        if model.serial_pipeline and len(model.pipeline) > 1
    }


def scaled_by_invocations(estate: Inventory) -> list[Variant]:
    """The variants whose target-tracking policy follows invocations per instance."""
    ids = {policy.resource_id for policy in estate.policies if policy.predefined_metric == INVOCATIONS_PER_INSTANCE}
    return [variant for variant in variants(estate) if variant.resource_id in ids]


def with_use(estate: Inventory, *, seen: bool) -> Inventory:
    """The same, with models and configs that say what uses them.

    A model is in use where instances of a settled endpoint serve it: its next event brings an endpoint in the middle of
    a change back, and neither a serverless nor a shadow variant stands in a VPC for a caller. ``seen``: endpoints and
    configs could be read.
    """
    in_use = {endpoint.config_name for endpoint in estate.endpoints.values()}
    users, run = _users(estate), _run_by_components(estate)
    models = {}
    for name, model in estate.models.items():
        used = tuple(sorted(users.get(name, ()))) or (model.used_by or () if seen and estate.whole else model.used_by)
        models[name] = model.model_copy(update={"used_by": used, **run.get(name, {})})
    configs = {}
    for name, config in estate.configs.items():
        known = name in in_use or (False if estate.whole else None)
        configs[name] = config.model_copy(update={"in_use": known})
    return replace(estate, models=models, configs=configs)


def _run_by_components(estate: Inventory) -> Mapping[str, dict[str, tuple[str, ...]]]:
    """By the model's name: the inference components that run it, and the endpoints that it serves in no other way."""
    components: dict[str, set[str]] = {}
    hosts: dict[str, set[str]] = {}
    for component in estate.components.values():
        for part in component.specifications:
            if part.model_name:
                components.setdefault(part.model_name, set()).add(component.name)
                hosts.setdefault(part.model_name, set()).add(component.endpoint_name)
    for variant in variants(estate):
        for name in models_of(variant):
            hosts.get(name, set()).discard(variant.endpoint_name)
    return {
        name: {"components": tuple(sorted(names)), "hosts": tuple(sorted(hosts[name]))}
        for name, names in components.items()
    }


def _users(estate: Inventory) -> Mapping[str, set[str]]:
    users: dict[str, set[str]] = {}
    for variant in variants(estate):
        if not variant.settled or variant.shadow or not has_instances(variant):
            continue
        for name in models_of(variant):
            users.setdefault(name, set()).add(variant.endpoint_name)
    unsettled = {variant.endpoint_name for variant in variants(estate) if not variant.settled}
    for component in estate.components.values():
        if component.endpoint_name in unsettled:
            continue
        for part in component.specifications:
            if part.model_name:
                users.setdefault(part.model_name, set()).add(component.endpoint_name)
    return users


def scales_components(scaling: Iterable[ScalableTarget | ScalingPolicy]) -> bool:
    """True where one of these targets or policies scales an inference component."""
    return any(member.resource_id.startswith("inference-component/") for member in scaling)


def hosts_components(variant: Variant) -> bool:
    """True where the variant is known to have no model of its own."""
    try:
        return variant.hosts_components
    except Unread:
        return False


def may_scale(variant: Variant) -> bool:
    """False only where the variant is known to be serverless without provisioned concurrency."""
    try:
        return not variant.serverless or bool(variant.concurrency)
    except Unread:
        return True


def has_instances(variant: Variant) -> bool:
    """False only where the variant is known to be serverless."""
    try:
        return not variant.serverless
    except Unread:
        return True
