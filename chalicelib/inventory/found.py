"""What a reading has found so far, and what follows from it: who uses what, and what is still to be asked."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from chalicelib.inventory.facts import Unread
from chalicelib.inventory.kinds.components import InferenceComponent
from chalicelib.inventory.kinds.endpoints import Endpoint, EndpointConfig, Variant
from chalicelib.inventory.kinds.models import Model
from chalicelib.inventory.kinds.network import Subnet
from chalicelib.inventory.kinds.plain import NotebookInstance, TransformJob
from chalicelib.inventory.kinds.scaling import (
    Alarm,
    RecommendationJob,
    ScalableTarget,
    ScalingActivity,
    ScalingPolicy,
    ScheduledAction,
)
from chalicelib.inventory.kinds.tuning import TuningJob
from chalicelib.inventory.metrics import Datapoint, MetricKey

#: The predefined metric whose target value only a load test can tell.
INVOCATIONS_PER_INSTANCE = "SageMakerVariantInvocationsPerInstance"


@dataclass
class Found:
    """What has been read so far."""

    endpoints: dict[str, Endpoint] = field(default_factory=dict)
    configs: dict[str, EndpointConfig] = field(default_factory=dict)
    models: dict[str, Model] = field(default_factory=dict)
    components: dict[str, InferenceComponent] = field(default_factory=dict)
    targets: list[ScalableTarget] = field(default_factory=list)
    tuning_jobs: dict[str, TuningJob] = field(default_factory=dict)
    transform_jobs: dict[str, TransformJob] = field(default_factory=dict)
    notebooks: dict[str, NotebookInstance] = field(default_factory=dict)
    subnets: dict[str, Subnet] = field(default_factory=dict)
    policies: list[ScalingPolicy] = field(default_factory=list)
    schedules: list[ScheduledAction] = field(default_factory=list)
    activities: list[ScalingActivity] = field(default_factory=list)
    alarms: dict[str, Alarm] = field(default_factory=dict)
    metrics: dict[MetricKey, list[Datapoint]] = field(default_factory=dict)
    recommendations: list[RecommendationJob] = field(default_factory=list)

    @property
    def variants(self) -> list[Variant]:
        return [variant for endpoint in self.endpoints.values() for variant in endpoint.variants]

    def models_named(self) -> list[str]:
        """The models that variants, components and transform jobs name, each once."""
        names = [variant.configured.model_name for variant in self.variants if variant.configured]
        names += [component.model_name for component in self.components.values()]
        names += [job.model_name for job in self.transform_jobs.values()]
        return list(dict.fromkeys(name for name in names if name))

    def pipelines(self) -> dict[str, tuple[str, ...]]:
        """The container names of each serial pipeline of more than one container, by the model's name."""
        return {
            name: model.container_names
            for name, model in self.models.items()
            if model.serial_pipeline and len(model.pipeline) > 1
        }

    def scaled_by_invocations(self) -> list[Variant]:
        """The variants whose target-tracking policy follows invocations per instance."""
        ids = {one.resource_id for one in self.policies if one.predefined_metric == INVOCATIONS_PER_INSTANCE}
        return [variant for variant in self.variants if variant.resource_id in ids]

    def count_use(self, *, whole: bool, seen: bool) -> None:
        """Marks models and configs with what uses them, in place.

        A model is in use where instances of a settled endpoint serve it: its next event brings an endpoint in the
        middle of a change back, and neither a serverless nor a shadow variant stands in a VPC for a caller. ``whole``:
        every endpoint was asked for; ``seen``: endpoints and configs could be read.
        """
        in_use = {one.config_name for one in self.endpoints.values()}
        users = self._users()
        for name, model in self.models.items():
            used = tuple(sorted(users.get(name, ()))) or (model.used_by or () if seen and whole else model.used_by)
            self.models[name] = model.model_copy(update={"used_by": used})
        for name, config in self.configs.items():
            known = name in in_use or (False if whole else None)
            self.configs[name] = config.model_copy(update={"in_use": known})

    def _users(self) -> Mapping[str, set[str]]:
        users: dict[str, set[str]] = {}
        for variant in self.variants:
            if not variant.settled or variant.shadow or not has_instances(variant):
                continue
            if variant.configured and variant.configured.model_name:
                users.setdefault(variant.configured.model_name, set()).add(variant.endpoint_name)
        unsettled = {variant.endpoint_name for variant in self.variants if not variant.settled}
        for component in self.components.values():
            if component.model_name and component.endpoint_name not in unsettled:
                users.setdefault(component.model_name, set()).add(component.endpoint_name)
        return users


def hosts_components(variant: Variant) -> bool:
    """True where the variant is known to have no model of its own."""
    try:
        return variant.hosts_components
    except Unread:
        return False


def has_instances(variant: Variant) -> bool:
    """False only where the variant is known to be serverless."""
    try:
        return not variant.serverless
    except Unread:
        return True
