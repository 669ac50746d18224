"""The inventory of one account and region, with the questions that rules ask of it.

Every question answers from facts that were read, or raises :class:`Unread` with what stood in the way. A rule therefore
never mistakes "could not see" for "is not there".
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, TypeVar, cast

from chalicelib.inventory.buckets import Storage
from chalicelib.inventory.crowding import Crowding, grouped
from chalicelib.inventory.facts import Fact, Unread
from chalicelib.inventory.failures import Failures
from chalicelib.inventory.kinds.components import InferenceComponent
from chalicelib.inventory.kinds.configs import EndpointConfig
from chalicelib.inventory.kinds.dependencies import Standing
from chalicelib.inventory.kinds.endpoints import Endpoint, Variant
from chalicelib.inventory.kinds.load_tests import BenchmarkJob, RecommendationJob
from chalicelib.inventory.kinds.models import Model
from chalicelib.inventory.kinds.mutes import MuteRule
from chalicelib.inventory.kinds.network import Subnet, Vpc, zones_in
from chalicelib.inventory.kinds.plain import TransformJob
from chalicelib.inventory.kinds.scaling import (
    COPY_DIMENSION,
    INSTANCE_DIMENSION,
    PROVISIONED_DIMENSION,
    Alarm,
    Bounds,
    ScalableTarget,
    ScalingActivity,
    ScalingPolicy,
    ScheduledAction,
)
from chalicelib.inventory.kinds.tuning import TuningJob
from chalicelib.inventory.metrics import METRICS, Datapoint, MetricKey, Whose, keys_of
from chalicelib.inventory.parts import Part
from chalicelib.inventory.supplied import Supplied
from chalicelib.inventory.types_in_use import TypesInUse
from chalicelib.inventory.waiting import Waiting
from chalicelib.report.cause import Cause

F = TypeVar("F", bound=Fact)


@dataclass
class Inventory:
    """What one account and region contains, as read at ``now``; ``others`` are the plain kinds, by kind and name."""

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
    all_alarms: Mapping[str, Alarm] | None = None
    rollback_alarms: Mapping[str, Alarm] = field(default_factory=dict)
    mutes: Sequence[MuteRule] | None = None
    standing: Standing = field(default_factory=Standing)
    subnets: Mapping[str, Subnet] = field(default_factory=dict)
    vpcs: Mapping[str, Vpc] = field(default_factory=dict)
    supplied: Supplied = field(default_factory=Supplied)
    metrics: Mapping[MetricKey, Sequence[Datapoint]] = field(default_factory=dict)
    rehearsals: Mapping[str, Any] = field(default_factory=dict)  # by resource id
    tuning_jobs: Mapping[str, TuningJob] = field(default_factory=dict)
    storage: Storage = field(default_factory=Storage)
    others: Mapping[str, Mapping[str, Fact]] = field(default_factory=dict)
    recommendations: Sequence[RecommendationJob] = ()
    benchmarks: Sequence[BenchmarkJob] | None = ()
    hints: frozenset[tuple[str, str]] = frozenset()
    gaps: Failures = field(default_factory=Failures)
    #: Since when audits have seen a rule's condition on a resource, by the rule and the ARN; None without a ledger.
    first_seen: Mapping[tuple[str, str], datetime] | None = None

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
            *(self.others[kind].values() for kind in self.others),
        ):
            yield from group

    @property
    def remembers(self) -> bool:
        """True where a ledger tells since when something has been seen."""
        return self.first_seen is not None

    def seen_for(self, rule: str, arn: str, age: timedelta) -> bool | None:
        """True where audits have seen a rule's condition on a resource for longer than ``age``, False where not yet,
        None where no ledger remembers."""
        if self.first_seen is None:
            return None
        first = self.first_seen.get((rule, arn))
        return first is not None and self.now - first > age

    def plain(self, model: type[F]) -> Mapping[str, F]:
        """The resources of a plain kind by name, as the facts that ``model`` holds."""
        return cast(Mapping[str, F], self.others.get(model.kind, {}))

    # ---- endpoints, configs, models

    @cached_property
    def variants(self) -> Mapping[str, Variant]:
        """Every variant, by the resource id that Application Auto Scaling uses."""
        return {variant.resource_id: variant for endpoint in self.endpoints.values() for variant in endpoint.variants}

    def variants_beside(self, variant: Variant) -> Sequence[Variant]:
        """The variants of a variant's endpoint, itself first."""
        endpoint = self.endpoints.get(variant.endpoint_name)
        others = endpoint.variants if endpoint is not None else ()
        return [variant, *(other for other in others if other.name != variant.name)]

    def config(self, name: str | None) -> EndpointConfig:
        """The named endpoint config."""
        self.gaps.demand(Part.CONFIGS, name)
        if name is None or name not in self.configs:
            raise Unread(f"endpoint config {name} was not found", cause=Cause.FAILED)
        return self.configs[name]

    def model(self, name: str | None) -> Model:
        """The named model."""
        self.gaps.demand(Part.MODELS, name)
        if name is None or name not in self.models:
            raise Unread(f"model {name} was not found", cause=Cause.FAILED)
        return self.models[name]

    def stands(self, part: Part, name: str) -> bool | None:
        """True where a named thing of a part was read, False where AWS said that there is none, None where neither."""
        if part is Part.CONFIGS:
            read = name in self._configs_of_variants
        else:
            read = name in self.models if part is Part.MODELS else self.standing.holds(part, name)
        return True if read else False if self.gaps.gone(part, name) else None

    @cached_property
    def _configs_of_variants(self) -> frozenset[str | None]:
        return frozenset(variant.config_name for variant in self.variants.values() if variant.known("configured"))

    def components_of(self, variant: Variant) -> list[InferenceComponent]:
        """The inference components that run on a variant. Raises Unread where one of all could not be read: it may
        run there."""
        self.gaps.demand_each(Part.COMPONENTS)
        return self._components_by_variant.get((variant.endpoint_name, variant.name), [])

    @cached_property
    def _components_by_variant(self) -> Mapping[tuple[str, str | None], list[InferenceComponent]]:
        return grouped(self.components.values(), lambda component: (component.endpoint_name, component.variant_name))

    @cached_property
    def crowding(self) -> Crowding:
        """Who stands on which subnets, and what may come to them."""
        return Crowding.of(self)

    @cached_property
    def waiting(self) -> Waiting:
        """What endpoints that do not serve at the moment may run and stand on."""
        return Waiting.of(self.endpoints, self.configs, self.models, self.components, self.gaps)

    @cached_property
    def types_in_use(self) -> TypesInUse:
        """Which variants have instances of which type."""
        return TypesInUse.of(self.variants.values(), self.gaps)

    def images_of(self, variant: Variant) -> list[str]:
        """The container images that serve a variant, its model's or its components'.

        Raises Unread when a model is unread or is a model package, whose image is not in the model.
        """
        if not variant.hosts_components:
            return [image for name in variant.settings.model_names for image in self.images_of_model(self.model(name))]
        images: list[str] = []
        for component in self.components_of(variant):
            if component.base_component:
                continue
            images += [component.image] if component.image else self.images_of_model(self.model(component.model_name))
        return images

    def images_on(self, variant: Variant, instance_type: str) -> list[str]:
        """The container images that serve a variant on one of its instance types: a pool may have a model of its own.

        Raises Unread as :meth:`images_of` does.
        """
        if variant.hosts_components:
            return self.images_of(variant)
        return self.images_of_model(self.model(variant.settings.models_by_type[instance_type]))

    def images_of_model(self, model: Model) -> list[str]:
        """The images of a model's containers; raises Unread when one is hidden in a model package."""
        images = [container.image for container in model.containers]
        named = [image for image in images if image]
        if not named or len(named) < len(images):
            raise Unread(f"model {model.name} does not name the image of every container (a model package hides it)")
        return named

    def starting_count(self, variant: Variant) -> int | None:
        """On how many instances a variant starts that is yet to be deployed; None where it runs already."""
        return None

    # ---- automatic scaling

    @cached_property
    def _targets_by_id(self) -> Mapping[tuple[str, str], ScalableTarget]:
        return {(target.resource_id, target.dimension): target for target in self.targets}

    def target_of(self, scaled: Variant | InferenceComponent) -> ScalableTarget | None:
        """The scalable target of a variant's instances (or provisioned concurrency), or of a component's copies; None
        without one."""
        self.gaps.demand(Part.TARGETS)
        dimension = COPY_DIMENSION
        if isinstance(scaled, Variant):
            dimension = PROVISIONED_DIMENSION if scaled.serverless else INSTANCE_DIMENSION
        return self._targets_by_id.get((scaled.resource_id, dimension))

    def scaled_by(self, target: ScalableTarget | ScalingPolicy) -> Variant | InferenceComponent | None:
        """What a target or policy scales, or None when it does not exist."""
        kind, _, rest = target.resource_id.partition("/")
        name = rest.split("/")[0]
        part = Part.COMPONENTS if kind == "inference-component" else Part.ENDPOINTS
        if self.gaps.gone(part, name):
            return None
        self.gaps.demand(part, name)
        if kind == "inference-component":
            return self.components.get(name)
        if name not in self.endpoints:
            self.gaps.demand_each(part)
        return self.variants.get(target.resource_id)

    @cached_property
    def _policies_by_id(self) -> Mapping[tuple[str, str], list[ScalingPolicy]]:
        return grouped(self.policies, lambda policy: (policy.resource_id, policy.dimension))

    def policies_of(self, target: ScalableTarget) -> list[ScalingPolicy]:
        """The scaling policies of a target."""
        self.gaps.demand(Part.POLICIES, target.resource_id)
        return self._policies_by_id.get((target.resource_id, target.dimension), [])

    def policies_beside(self, policy: ScalingPolicy) -> list[ScalingPolicy]:
        """All scaling policies of what a policy scales, itself among them."""
        self.gaps.demand(Part.POLICIES)
        return self._policies_by_id.get((policy.resource_id, policy.dimension), [])

    @cached_property
    def _schedules_by_id(self) -> Mapping[tuple[str, str], list[ScheduledAction]]:
        return grouped(self.schedules, lambda action: (action.resource_id, action.dimension))

    def schedules_of(self, target: ScalableTarget) -> list[ScheduledAction]:
        """The scheduled actions of a target."""
        self.gaps.demand(Part.SCHEDULES, target.resource_id)
        return self._schedules_by_id.get((target.resource_id, target.dimension), [])

    def live_schedules_of(self, target: ScalableTarget) -> list[ScheduledAction]:
        """The scheduled actions of a target that are not over."""
        return [action for action in self.schedules_of(target) if action.lives(self.now)]

    def bounds_of(self, target: ScalableTarget) -> list[Bounds]:
        """The limits of a target as they are now, then as each of its live scheduled actions sets them."""
        if target.min_capacity is None or target.max_capacity is None:
            raise Unread("DescribeScalableTargets gave no capacity limits")
        now = Bounds(target.min_capacity, target.max_capacity)
        return [now, *(now.changed(action) for action in self.live_schedules_of(target))]

    def held_by_schedule(self, scaled: Variant | InferenceComponent, count: int) -> bool:
        """True where a live scheduled action sets the minimum, or the maximum, of a variant or component to at most
        ``count`` (but not to zero), and its limits are so now."""
        target = self.target_of(scaled)
        if target is None or target.min_capacity is None or not 0 < target.min_capacity <= count:
            return False
        return any(
            limit is not None and 0 < limit <= count
            for action in self.live_schedules_of(target)
            for limit in (action.min_capacity, action.max_capacity)
        )

    def activities_of(self, target: ScalableTarget) -> list[ScalingActivity]:
        """The recent scaling activities of a target, newest first."""
        self.gaps.demand(Part.ACTIVITIES, target.resource_id)
        return self._activities_by_id.get((target.resource_id, target.dimension), [])

    @cached_property
    def _activities_by_id(self) -> Mapping[tuple[str, str], list[ScalingActivity]]:
        grouped: dict[tuple[str, str], list[ScalingActivity]] = {}
        for activity in self.activities:
            grouped.setdefault((activity.resource_id, activity.dimension), []).append(activity)
        for activities in grouped.values():
            activities.sort(key=lambda activity: (activity.started is not None, activity.started), reverse=True)
        return grouped

    def alarm(self, name: str) -> Alarm | None:
        """The named alarm, or None when it is gone."""
        self.gaps.demand(Part.ALARMS)
        return self.alarms.get(name)

    def mutes_of(self, alarm: str) -> list[MuteRule]:
        """The mute rules that hold an alarm's actions back; none where this boto3 does not know mute rules yet."""
        self.gaps.demand(Part.MUTES)
        return [mute for mute in self.mutes or () if alarm in mute.alarm_names]

    @property
    def mutes_told(self) -> bool:
        """False where mute rules were not read."""
        return self.mutes is not None and self.gaps.of(Part.MUTES) is None

    def load_tests_of(self, model: str | None) -> list[RecommendationJob]:
        """The finished Inference Recommender jobs of a model."""
        self.gaps.demand(Part.RECOMMENDATIONS, model)
        return [job for job in self.recommendations if model is not None and job.model_name == model]

    def transform_jobs_of(self, model: Model) -> list[TransformJob]:
        """The batch transform jobs of the look-back window that ran a model; none after an audit of named resources,
        which reads no jobs of a model."""
        if not self.whole:
            return []
        self.gaps.demand_each(Part.TRANSFORM_JOBS)
        return [job for job in self.plain(TransformJob).values() if job.model_name == model.name]

    def benchmarks_of(self, endpoint: str) -> list[BenchmarkJob]:
        """The completed AI benchmark jobs of an endpoint; none where this boto3 does not know such jobs yet."""
        self.gaps.demand_each(Part.BENCHMARKS)
        return [job for job in self.benchmarks or () if job.endpoint_name == endpoint]

    def variants_serving(self, model: Model) -> list[Variant]:
        """The variants whose instances run a model."""
        self.gaps.demand_each(Part.ENDPOINTS)
        self.gaps.demand_each(Part.CONFIGS)
        return self._variants_by_model.get(model.name, [])

    @cached_property
    def _variants_by_model(self) -> Mapping[str | None, list[Variant]]:
        configured = [variant for variant in self.variants.values() if variant.known("configured") is not None]
        return grouped(configured, lambda variant: variant.settings.model_name)

    # ---- network

    def subnets_of(self, ids: Iterable[str]) -> tuple[list[Subnet], list[str]]:
        """The subnets with these ids, and the ids that are gone."""
        self.gaps.demand(Part.SUBNETS)
        ids = list(ids)
        return [self.subnets[id] for id in ids if id in self.subnets], [id for id in ids if id not in self.subnets]

    def zones_of(self, ids: Iterable[str], *, enough: int = 2) -> tuple[str, ...]:
        """The distinct Availability Zones of these subnets, sorted; subnets that are gone have none.

        A subnet whose zone is in doubt raises Unread only where fewer than ``enough`` zones are certain.
        """
        return zones_in(self.subnets_of(ids)[0], enough)

    # ---- metrics

    def metric(
        self, name: str, subject: Variant | InferenceComponent, *, days: int, container: str = ""
    ) -> list[Datapoint]:
        """The datapoints of a metric of a variant or component over the last ``days`` days, oldest first; empty when
        there are none.

        The window is widened to whole days (UTC), as CloudWatch keeps them. Datapoints of a variant with instance pools
        are those of all its instances, or else those of each instance type.
        """
        metric = METRICS[name]
        if isinstance(subject, InferenceComponent):
            keys = [MetricKey(name, "", "", component=subject.name)]
        elif metric.whose is Whose.ENDPOINT:
            keys = [MetricKey(name, subject.endpoint_name, "")]
        elif container:
            keys = [MetricKey(name, subject.endpoint_name, subject.name, container)]
        else:
            keys = keys_of(name, subject)
        self.gaps.demand(Part.METRICS)
        for key in keys:
            self.gaps.demand(Part.METRICS, str(key))
        own, *by_type = (self.metrics.get(key, ()) for key in keys)
        points = own or sorted(point for points in by_type for point in points)
        if metric.over_window:
            return list(points)
        since = (self.now - timedelta(days=days)).replace(hour=0, minute=0, second=0, microsecond=0)
        return [point for point in points if point.start >= since]
