"""What endpoints that do not serve at the moment may run and stand on once they do: nobody can call it unused."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple, Self

from chalicelib.inventory.failures import Failures
from chalicelib.inventory.kinds.components import InferenceComponent
from chalicelib.inventory.kinds.configs import EndpointConfig
from chalicelib.inventory.kinds.endpoints import Endpoint
from chalicelib.inventory.kinds.models import Model
from chalicelib.inventory.parts import Part


class Waiting(NamedTuple):
    """Names of models and ids of subnets; ``unread``: the config of such an endpoint is, so that it may be any."""

    models: frozenset[str]
    subnets: frozenset[str]
    unread: bool

    @classmethod
    def of(
        cls,
        endpoints: Mapping[str, Endpoint],
        configs: Mapping[str, EndpointConfig],
        models: Mapping[str, Model],
        components: Mapping[str, InferenceComponent],
        gaps: Failures,
    ) -> Self:
        """By the configs of these endpoints, and by the components on them."""
        unsettled = {name: endpoint for name, endpoint in endpoints.items() if not endpoint.settled}
        names = {endpoint.config_name for endpoint in unsettled.values() if endpoint.config_name}
        here = [component for component in components.values() if component.endpoint_name in unsettled]
        running = {part.model_name for component in here for part in component.specifications if part.model_name}
        for name in names & configs.keys():
            running |= {model for variant in configs[name].variants for model in variant.model_names}
        placed = [configs[name].vpc_config for name in names & configs.keys()]
        placed += [models[name].vpc_config for name in running if name in models]
        return cls(
            models=frozenset(running),
            subnets=frozenset(subnet for config in placed if config for subnet in config.subnets),
            unread=any(name not in configs and not gaps.gone(Part.CONFIGS, name) for name in names),
        )

    def may_run(self, model: str) -> bool:
        """True where one of these endpoints may run a model."""
        return self.unread or model in self.models

    def may_stand_on(self, subnets: Iterable[str]) -> bool:
        """True where one of these endpoints may stand on one of these subnets."""
        return self.unread or not self.subnets.isdisjoint(subnets)
