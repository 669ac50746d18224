"""What follows from what has been read so far: who uses what, and what is still to be asked."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from chalicelib.inventory.estate import Inventory
from chalicelib.inventory.facts import Unread
from chalicelib.inventory.kinds.configs import VariantSettings
from chalicelib.inventory.kinds.endpoints import Endpoint, Variant
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


def types_of(variant: Variant) -> tuple[str, ...]:
    """The instance types that a variant names, as far as its config is known."""
    configured: VariantSettings | None = variant.known("configured")
    return configured.instance_types if configured else ()


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
    (users, doubtful), run = _users(estate), _run_by_components(estate)
    models = {}
    for name, model in estate.models.items():
        untold = None if name in doubtful else () if seen and estate.whole else model.used_by
        used = tuple(sorted(users.get(name, ()))) or model.used_by or untold
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


def _users(estate: Inventory) -> tuple[Mapping[str, set[str]], set[str]]:
    """The endpoints that serve each model, and the models that those may serve of whose state nothing is known."""
    users: dict[str, set[str]] = {}
    doubtful: set[str] = set()

    def note(models: Iterable[str], endpoint: str, *, certain: bool) -> None:
        for name in models:
            if certain:
                users.setdefault(name, set()).add(endpoint)
            else:
                doubtful.add(name)

    state = {variant.endpoint_name: settled(variant) for variant in variants(estate)}
    for variant in variants(estate):
        stands = state[variant.endpoint_name]
        if stands is not False and not variant.shadow and has_instances(variant):
            models = models_of(variant)
            note(models, variant.endpoint_name, certain=stands is True)
    for component in estate.components.values():
        stands = state.get(component.endpoint_name, True)
        if stands is not False:
            models = tuple(part.model_name for part in component.specifications if part.model_name)
            note(models, component.endpoint_name, certain=stands is True)
    return users, doubtful


def subnets_in_use(estate: Inventory) -> dict[str, Sequence[str]]:
    """The subnets of each model and config that is in use, by its ARN."""
    used = [(model.arn, model.vpc_config) for model in estate.models.values() if model.used_by]
    used += [(config.arn, config.vpc_config) for config in estate.configs.values() if config.in_use]
    return {arn: vpc_config.subnets for arn, vpc_config in used if vpc_config}


def subnets_in_doubt(estate: Inventory) -> set[str]:
    """The subnets of models in a sweep of which nobody knows whether an endpoint uses them."""
    doubtful = (model for model in estate.models.values() if model.used_by is None and estate.whole)
    return {subnet for model in doubtful if model.vpc_config for subnet in model.vpc_config.subnets}


def settled(variant: Variant) -> bool | None:
    """Whether the variant's endpoint serves and is not in the middle of a change; None where nobody knows what its
    state means."""
    try:
        return variant.settled
    except Unread:
        return None


def scales_components(scaling: Iterable[ScalableTarget | ScalingPolicy]) -> bool:
    """True where one of these targets or policies scales an inference component."""
    return any(member.resource_id.startswith("inference-component/") for member in scaling)


def may_host_components(variant: Variant) -> bool:
    """False only where the variant is known to have a model of its own or to be serverless: components that nobody asks
    for would count as gone."""
    try:
        return variant.hosts_components
    except Unread:
        return True


def may_show_components(endpoint: Endpoint) -> bool:
    """True for an endpoint on which components may stand: one that shows no variant at all hides whether they do."""
    return not endpoint.variants or any(map(may_host_components, endpoint.variants))


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
