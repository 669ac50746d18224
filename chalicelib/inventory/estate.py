"""The inventory of one account and region, with the questions that rules ask of it.

Every question answers from facts that were read, or raises :class:`Unread` with what stood in the way. A rule therefore
never mistakes "could not see" for "is not there".
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property

from chalicelib.inventory.facts import Fact, Gaps, Unread
from chalicelib.inventory.kinds.components import InferenceComponent
from chalicelib.inventory.kinds.endpoints import Endpoint, EndpointConfig, Variant
from chalicelib.inventory.kinds.models import Model
from chalicelib.inventory.kinds.network import Subnet, Vpc
from chalicelib.inventory.kinds.plain import NotebookInstance, TransformJob
from chalicelib.inventory.kinds.scaling import (
    COPY_DIMENSION,
    INSTANCE_DIMENSION,
    Alarm,
    RecommendationJob,
    ScalableTarget,
    ScalingActivity,
    ScalingPolicy,
    ScheduledAction,
)
from chalicelib.inventory.kinds.tuning import TuningJob
from chalicelib.inventory.metrics import Datapoint, MetricKey
from chalicelib.inventory.parts import Part


@dataclass
class Inventory:
    """What one account and region contains, as read at ``now``."""

    account: str
    region: str
    now: datetime
    partition: str = "aws"
    whole: bool = True
    endpoints: Mapping[str, Endpoint] = field(default_factory=dict)
    configs: Mapping[str, EndpointConfig] = field(default_factory=dict)
    models: Mapping[str, Model] = field(default_factory=dict)
    components: Mapping[str, InferenceComponent] = field(default_factory=dict)
    targets: Sequence[ScalableTarget] = ()
    policies: Sequence[ScalingPolicy] = ()
    schedules: Sequence[ScheduledAction] = ()
    activities: Sequence[ScalingActivity] = ()
    alarms: Mapping[str, Alarm] = field(default_factory=dict)
    subnets: Mapping[str, Subnet] = field(default_factory=dict)
    vpcs: Mapping[str, Vpc] = field(default_factory=dict)
    metrics: Mapping[MetricKey, Sequence[Datapoint]] = field(default_factory=dict)
    tuning_jobs: Mapping[str, TuningJob] = field(default_factory=dict)
    transform_jobs: Mapping[str, TransformJob] = field(default_factory=dict)
    notebooks: Mapping[str, NotebookInstance] = field(default_factory=dict)
    recommendations: Sequence[RecommendationJob] = ()
    hints: frozenset[tuple[str, str]] = frozenset()
    gaps: Gaps = field(default_factory=Gaps)

    @property
    def subjects(self) -> Iterator[Fact]:
        """Every resource that rules judge, but training jobs, which are streamed."""
        for endpoint in self.endpoints.values():
            yield endpoint
            yield from endpoint.variants
        for group in (
            self.configs.values(),
            self.models.values(),
            self.components.values(),
            self.targets,
            self.policies,
            self.vpcs.values(),
            self.tuning_jobs.values(),
            self.transform_jobs.values(),
            self.notebooks.values(),
        ):
            yield from group

    # ---- endpoints, configs, models

    @cached_property
    def variants(self) -> Mapping[str, Variant]:
        """Every variant, by the resource id that Application Auto Scaling uses."""
        return {variant.resource_id: variant for one in self.endpoints.values() for variant in one.variants}

    def config(self, name: str | None) -> EndpointConfig:
        """The named endpoint config."""
        self.gaps.demand(Part.CONFIGS, name)
        if name is None or name not in self.configs:
            raise Unread(f"endpoint config {name} was not found")
        return self.configs[name]

    def model(self, name: str | None) -> Model:
        """The named model."""
        self.gaps.demand(Part.MODELS, name)
        if name is None or name not in self.models:
            raise Unread(f"model {name} was not found")
        return self.models[name]

    def components_of(self, variant: Variant) -> list[InferenceComponent]:
        """The inference components that run on a variant."""
        self.gaps.demand(Part.COMPONENTS)
        return self._components_by_variant.get((variant.endpoint_name, variant.name), [])

    @cached_property
    def _components_by_variant(self) -> Mapping[tuple[str, str | None], list[InferenceComponent]]:
        grouped: dict[tuple[str, str | None], list[InferenceComponent]] = {}
        for component in self.components.values():
            grouped.setdefault((component.endpoint_name, component.variant_name), []).append(component)
        return grouped

    def images_of(self, variant: Variant) -> list[str]:
        """The container images that serve a variant, its model's or its components'.

        Raises Unread when a model is unread or is a model package, whose image is not in the model.
        """
        if not variant.hosts_components:
            return self.images_of_model(self.model(variant.settings.model_name))
        images: list[str] = []
        for component in self.components_of(variant):
            if component.base_component:
                continue
            images += [component.image] if component.image else self.images_of_model(self.model(component.model_name))
        return images

    def images_of_model(self, model: Model) -> list[str]:
        """The images of a model's containers; raises Unread when one is hidden in a model package."""
        images = [container.image for container in model.containers]
        named = [image for image in images if image]
        if not named or len(named) < len(images):
            raise Unread(f"model {model.name} does not name the image of every container (a model package hides it)")
        return named

    # ---- automatic scaling

    @cached_property
    def _targets_by_id(self) -> Mapping[tuple[str, str], ScalableTarget]:
        return {(target.resource_id, target.dimension): target for target in self.targets}

    def target_of(self, scaled: Variant | InferenceComponent) -> ScalableTarget | None:
        """The scalable target of a variant's instances or of a component's copies, or None without one."""
        self.gaps.demand(Part.TARGETS)
        dimension = INSTANCE_DIMENSION if isinstance(scaled, Variant) else COPY_DIMENSION
        return self._targets_by_id.get((scaled.resource_id, dimension))

    def scaled_by(self, target: ScalableTarget | ScalingPolicy) -> Variant | InferenceComponent | None:
        """What a target or policy scales, or None when it does not exist."""
        kind, _, rest = target.resource_id.partition("/")
        name = rest.split("/")[0]
        if kind == "inference-component":
            self.gaps.demand(Part.COMPONENTS, name)
            return self.components.get(name)
        self.gaps.demand(Part.ENDPOINTS, name)
        return self.variants.get(target.resource_id)

    @cached_property
    def _policies_by_id(self) -> Mapping[tuple[str, str], list[ScalingPolicy]]:
        grouped: dict[tuple[str, str], list[ScalingPolicy]] = {}
        for policy in self.policies:
            grouped.setdefault((policy.resource_id, policy.dimension), []).append(policy)
        return grouped

    def policies_of(self, target: ScalableTarget) -> list[ScalingPolicy]:
        """The scaling policies of a target."""
        self.gaps.demand(Part.POLICIES)
        return self._policies_by_id.get((target.resource_id, target.dimension), [])

    def policies_beside(self, policy: ScalingPolicy) -> list[ScalingPolicy]:
        """All scaling policies of what a policy scales, itself among them."""
        return self._policies_by_id.get((policy.resource_id, policy.dimension), [])

    def schedules_of(self, target: ScalableTarget) -> list[ScheduledAction]:
        """The scheduled actions of a target."""
        self.gaps.demand(Part.SCHEDULES)
        key = (target.resource_id, target.dimension)
        return [action for action in self.schedules if (action.resource_id, action.dimension) == key]

    def activities_of(self, target: ScalableTarget) -> list[ScalingActivity]:
        """The recent scaling activities of a target, newest first."""
        self.gaps.demand(Part.ACTIVITIES)
        return self._activities_by_id.get((target.resource_id, target.dimension), [])

    @cached_property
    def _activities_by_id(self) -> Mapping[tuple[str, str], list[ScalingActivity]]:
        grouped: dict[tuple[str, str], list[ScalingActivity]] = {}
        for activity in self.activities:
            grouped.setdefault((activity.resource_id, activity.dimension), []).append(activity)
        for several in grouped.values():
            several.sort(key=lambda one: (one.started is not None, one.started), reverse=True)
        return grouped

    def alarm(self, name: str) -> Alarm | None:
        """The named alarm, or None when it is gone."""
        self.gaps.demand(Part.ALARMS)
        return self.alarms.get(name)

    def load_tests_of(self, model: str | None) -> list[RecommendationJob]:
        """The finished Inference Recommender jobs of a model."""
        self.gaps.demand(Part.RECOMMENDATIONS)
        return [job for job in self.recommendations if model is not None and job.model_name == model]

    def variants_serving(self, model: Model) -> list[Variant]:
        """The variants whose instances run a model."""
        self.gaps.demand(Part.ENDPOINTS)
        self.gaps.demand_each(Part.CONFIGS)
        return self._variants_by_model.get(model.name, [])

    @cached_property
    def _variants_by_model(self) -> Mapping[str | None, list[Variant]]:
        grouped: dict[str | None, list[Variant]] = {}
        for variant in self.variants.values():
            if variant.configured is not None:
                grouped.setdefault(variant.configured.model_name, []).append(variant)
        return grouped

    # ---- network

    def subnets_of(self, ids: Iterable[str]) -> tuple[list[Subnet], list[str]]:
        """The subnets with these ids, and the ids that are gone."""
        self.gaps.demand(Part.SUBNETS)
        found: list[Subnet] = []
        missing: list[str] = []
        for one in ids:
            if one in self.subnets:
                found.append(self.subnets[one])
            else:
                missing.append(one)
        return found, missing

    def zones_of(self, ids: Iterable[str], *, enough: int = 2) -> tuple[str, ...]:
        """The distinct Availability Zones of these subnets, sorted; subnets that are gone have none.

        A subnet whose zone is in doubt raises Unread only where fewer than ``enough`` zones are certain.
        """
        found, _ = self.subnets_of(ids)
        zones: set[str] = set()
        doubt: Unread | None = None
        for subnet in found:
            try:
                if (zone := subnet.zone) is not None:
                    zones.add(zone)
            except Unread as unread:
                doubt = unread
        if doubt is not None and len(zones) < enough:
            raise doubt
        return tuple(sorted(zones))

    # ---- metrics

    def metric(self, name: str, variant: Variant, *, days: int, container: str = "") -> list[Datapoint]:
        """The datapoints of a variant's metric over the last ``days`` days, oldest first; empty when there are none.

        The window is widened to whole days (UTC), as CloudWatch keeps them.
        """
        self.gaps.demand(Part.METRICS)
        since = (self.now - timedelta(days=days)).replace(hour=0, minute=0, second=0, microsecond=0)
        points = self.metrics.get(MetricKey(name, variant.endpoint_name, variant.name, container), ())
        return [point for point in points if point.start >= since]
