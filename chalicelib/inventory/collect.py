"""From a scope to an inventory: the sections of a sweep side by side, or the named resources and what they rest on."""

import gc
import queue
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from types import TracebackType
from typing import Any, Self, TypeVar

from chalicelib.inventory import autoscaling, hosting, images, metrics, network, training
from chalicelib.inventory.aws import Aws, CallFailed
from chalicelib.inventory.estate import Datapoint, Inventory, MetricKey
from chalicelib.inventory.jobs import TrainingJob, TransformJob, TuningJob
from chalicelib.inventory.models import (
    Endpoint,
    EndpointConfig,
    InferenceComponent,
    Model,
    NotebookInstance,
    Subnet,
    Unread,
    Variant,
    VpcConfig,
)
from chalicelib.inventory.parts import Part
from chalicelib.inventory.reading import Blind, Needs, Progress, Reader, no_progress
from chalicelib.inventory.scaling import Alarm, ScalableTarget, ScalingActivity, ScalingPolicy, ScheduledAction
from chalicelib.scope import Scope

R = TypeVar("R")

#: Pages of training jobs that may wait to be judged: history is streamed, never kept whole.
WAITING_PAGES = 20


@dataclass
class _Found:
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

    @property
    def variants(self) -> list[Variant]:
        return [variant for endpoint in self.endpoints.values() for variant in endpoint.variants]


class Reading:
    """One reading of a scope, begun at once and used as a context manager.

    First :meth:`training_jobs` to its end, then :meth:`inventory`; :attr:`blind` is complete after both.
    """

    def __init__(self, aws: Aws, scope: Scope, needs: Needs, now: datetime, progress: Progress = no_progress) -> None:
        self.scope = scope
        self._reader = Reader(aws, scope, needs, now, progress)
        self._sections = ThreadPoolExecutor(14, thread_name_prefix="section")
        self._pages: queue.Queue[list[TrainingJob] | None] = queue.Queue(WAITING_PAGES)
        self._child_hours: dict[str, list[float | None]] = {}
        self._job_subnets: dict[tuple[str, ...], str] = {}
        self._stopped = threading.Event()
        for part in Part:
            if part not in needs:
                self._reader.gaps.parts[part] = f"{part} were not read, as no enabled rule declares to read them"
        if scope.whole:
            self._network = self._start(Part.SUBNETS, lambda: network.all_subnets(self._reader))
            self._everything = self._sections.submit(self._sweep)
            self._jobs = self._sections.submit(self._stream)
        else:
            self._everything = self._sections.submit(self._named)

    def __enter__(self) -> Self:
        self._collector_was_on = gc.isenabled()
        gc.disable()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopped.set()
        self._reader.close()
        self._sections.shutdown(wait=True, cancel_futures=True)
        if self._collector_was_on:
            gc.enable()

    @property
    def blind(self) -> list[Blind]:
        """What could not be read."""
        return self._reader.blind

    def tags(self, arns: list[str]) -> dict[str, dict[str, str]]:
        """The tags of resources that came without them, by ARN; those that cannot be read are absent."""
        answers = zip(arns, self._reader.each(self._reader.tags, arns), strict=True)
        return {arn: tags for arn, tags in answers if tags is not None}

    # ---- training jobs, as a stream

    def training_jobs(self) -> Iterator[TrainingJob]:
        """The training jobs in scope, each once, as their pages arrive."""
        if not self.scope.whole:
            self._everything.result()
        else:
            while (page := self._pages.get()) is not None:
                yield from self._noted(page)
            self._jobs.result()
            return
        yield from self._noted(self._named_jobs)

    def _noted(self, page: Iterable[TrainingJob]) -> Iterator[TrainingJob]:
        for job in page:
            if job.tuning_job_arn:
                self._child_hours.setdefault(job.tuning_job_arn, []).append(job.instance_hours)
            if job.vpc_config:
                self._job_subnets.setdefault(job.vpc_config.subnets, job.arn)
            yield job

    def _stream(self) -> None:
        reader = self._reader
        read = 0
        try:
            if Part.TRAINING_JOBS in reader.needs:
                for page in training.training_jobs(reader):
                    read += len(page)
                    reader.progress(Part.TRAINING_JOBS, read, None)
                    self._put([self._with_tags(job) for job in page])
        except CallFailed as failure:
            reader.blind_to(failure, Part.TRAINING_JOBS)
        finally:
            self._put(None)

    def _put(self, page: list[TrainingJob] | None) -> None:
        while not self._stopped.is_set():
            try:
                return self._pages.put(page, timeout=0.2)
            except queue.Full:
                continue

    def _with_tags(self, job: TrainingJob) -> TrainingJob:
        """The job with its tags, where only they can tell the algorithm: a JumpStart model in a shared image."""
        if job.tags is None and Part.TAGS in self._reader.needs and job.image and images.may_be_jumpstart(job.image):
            return job.model_copy(update={"tags": self._reader.tags(job.arn)})
        return job

    def network_of_jobs(self) -> Inventory:
        """An inventory that holds subnets only: all that judging a training job needs beside the job."""
        whole = self.scope.whole
        subnets = self._network.result() or {} if whole else self._everything.result().subnets
        return self._inventory(subnets=subnets)

    # ---- everything else

    def inventory(self) -> Inventory:
        """Everything but training jobs, once it has been read."""
        found: _Found = self._everything.result()
        self._count_use(found)
        users: dict[str, Iterable[str]] = {
            model.arn: model.vpc_config.subnets for model in found.models.values() if model.vpc_config and model.used_by
        }
        users |= {
            config.arn: config.vpc_config.subnets
            for config in found.configs.values()
            if config.vpc_config and config.in_use
        }
        users |= {arn: ids for ids, arn in self._job_subnets.items()}
        vpcs = network.vpcs_of(self._reader, found.subnets, users)
        return self._inventory(
            endpoints=found.endpoints,
            configs=found.configs,
            models=found.models,
            components=found.components,
            targets=found.targets,
            tuning_jobs={name: self._with_children(job) for name, job in found.tuning_jobs.items()},
            transform_jobs=found.transform_jobs,
            notebooks=found.notebooks,
            subnets=found.subnets,
            vpcs=vpcs,
            policies=found.policies,
            schedules=found.schedules,
            activities=found.activities,
            alarms=found.alarms,
            metrics=found.metrics,
        )

    def _inventory(self, **parts: Any) -> Inventory:
        scope = self.scope
        return Inventory(
            account=scope.account,
            region=scope.region,
            partition=scope.partition,
            now=self._reader.now,
            whole=scope.whole,
            hints=scope.hints,
            gaps=self._reader.gaps,
            **parts,
        )

    def _start(self, part: Part, read: Callable[[], R]) -> "Future[R | None]":
        """The part read in its own section; None when it is not needed or a call fails."""
        if part not in self._reader.needs:
            done: Future[R | None] = Future()
            done.set_result(None)
            return done
        return self._sections.submit(self._reader.whole, part, read)

    def _sweep(self) -> _Found:
        reader = self._reader
        models = self._start(Part.MODELS, lambda: hosting.all_models(reader))
        notebooks = self._start(Part.NOTEBOOKS, lambda: hosting.notebooks(reader))
        tuning = self._start(Part.TUNING_JOBS, lambda: training.tuning_jobs(reader))
        transforms = self._start(Part.TRANSFORM_JOBS, lambda: training.transform_jobs(reader))
        targets = self._start(Part.TARGETS, lambda: autoscaling.targets(reader))
        policies = self._start(Part.POLICIES, lambda: autoscaling.policies(reader))
        schedules = self._start(Part.SCHEDULES, lambda: autoscaling.schedules(reader))
        found = _Found(targets=targets.result() or [])
        activities = self._start(Part.ACTIVITIES, lambda: autoscaling.activities(reader)) if found.targets else None
        records = self._start(Part.ENDPOINTS, lambda: hosting.all_endpoints(reader)).result() or []
        reader.progress(Part.ENDPOINTS, len(records), len(records))
        if Part.CONFIGS in reader.needs:
            found.configs = hosting.configs_of(reader, records)
        found.endpoints = hosting.assembled(reader, records, found.configs)
        self._read_components(found, lambda: hosting.components(reader))
        found.policies, found.schedules = policies.result() or [], schedules.result() or []
        found.activities = (activities.result() if activities else None) or []
        self._read_metrics_and_alarms(found)
        if Part.UNUSED_CONFIGS in reader.needs:
            used = {one.config_name for one in found.endpoints.values() if one.config_name}
            found.configs |= reader.whole(Part.UNUSED_CONFIGS, lambda: hosting.unused_configs(reader, used)) or {}
        found.models = models.result() or {}
        found.notebooks, found.tuning_jobs = notebooks.result() or {}, tuning.result() or {}
        found.transform_jobs, found.subnets = transforms.result() or {}, self._network.result() or {}
        if Part.MODELS in reader.needs and Part.MODELS not in reader.gaps.parts:
            lacking = [name for name in _models_named(found) if name not in found.models]
            found.models |= hosting.described_models(reader, lacking)
        return found

    def _read_components(self, found: _Found, read: Callable[[], dict[str, InferenceComponent]]) -> None:
        """Inference components, asked for only where a variant without a model or a target shows that there are any."""
        hosts = any(_hosts_components(variant) for variant in found.variants)
        scaled = any(target.scales_copies for target in found.targets)
        if Part.COMPONENTS in self._reader.needs and (hosts or scaled):
            found.components |= self._reader.whole(Part.COMPONENTS, read) or {}

    def _read_metrics_and_alarms(self, found: _Found) -> None:
        reader = self._reader
        if Part.METRICS in reader.needs and reader.needs.metric_days:
            keys = metrics.asked(found.variants, reader.needs.metric_days)
            found.metrics = metrics.datapoints(reader, keys, reader.needs.metric_days)
        if Part.ALARMS in reader.needs:
            found.alarms = reader.whole(Part.ALARMS, lambda: autoscaling.alarms(reader, found.policies)) or {}

    def _with_children(self, job: TuningJob) -> TuningJob:
        """The tuning job with its children's instance-hours as the stream showed them."""
        hours = self._child_hours.get(job.arn)
        if hours is None:
            return job
        known = [one for one in hours if one is not None]
        return job.model_copy(update={"child_hours": sum(known) if known else None, "children": len(hours)})

    def _count_use(self, found: _Found) -> None:
        """Marks models and configs with what uses them, in place.

        A model is in use where instances of a settled endpoint serve it: its next event brings an endpoint in the
        middle of a change back, and neither a serverless nor a shadow variant stands in a VPC for a caller.
        """
        in_use = {one.config_name for one in found.endpoints.values()}
        users: dict[str, set[str]] = {}
        for variant in found.variants:
            if not variant.settled or variant.shadow or not _has_instances(variant):
                continue
            if variant.configured and variant.configured.model_name:
                users.setdefault(variant.configured.model_name, set()).add(variant.endpoint_name)
        unsettled = {variant.endpoint_name for variant in found.variants if not variant.settled}
        for component in found.components.values():
            if component.model_name and component.endpoint_name not in unsettled:
                users.setdefault(component.model_name, set()).add(component.endpoint_name)
        seen = Part.ENDPOINTS not in self._reader.gaps.parts and Part.CONFIGS not in self._reader.gaps.parts
        for name, model in found.models.items():
            used = tuple(sorted(users.get(name, ()))) or (
                model.used_by or () if seen and self.scope.whole else model.used_by
            )
            found.models[name] = model.model_copy(update={"used_by": used})
        for name, config in found.configs.items():
            known = name in in_use or (False if self.scope.whole else None)
            found.configs[name] = config.model_copy(update={"in_use": known})

    # ---- a narrow scope

    def _named(self) -> _Found:
        """The named resources and what they rest on. Never lists the account."""
        reader, needs = self._reader, self._reader.needs
        named: dict[str, list[str]] = {}
        for ref in self.scope.resources:
            named.setdefault(ref.kind, []).append(ref.name)
        found = _Found()
        self._named_jobs = [
            self._with_tags(job) for job in training.described_training_jobs(reader, named.get("training-job", ()))
        ]
        records = reader.describe_each(Part.ENDPOINTS, "DescribeEndpoint", "EndpointName", named.get("endpoint", ()))
        found.configs = hosting.configs_of(reader, records) if Part.CONFIGS in needs else {}
        found.configs |= hosting.described_configs(reader, named.get("endpoint-config", ()))
        found.endpoints = hosting.assembled(reader, records, found.configs)
        found.components = hosting.described_components(reader, named.get("inference-component", ()))
        for endpoint in found.endpoints.values():
            if any(_hosts_components(variant) for variant in endpoint.variants):
                self._read_components(found, partial(hosting.components, reader, EndpointNameEquals=endpoint.name))
        found.notebooks = hosting.described_notebooks(reader, named.get("notebook-instance", ()))
        found.transform_jobs = training.described_transform_jobs(reader, named.get("transform-job", ()))
        tuning = training.described_tuning_jobs(reader, named.get("tuning-job", ()))
        for name, job in tuning.items():
            found.tuning_jobs[name] = (
                reader.whole(Part.TUNING_JOBS, partial(training.children_hours, reader, job)) or job
            )
        self._named_models(found, named.get("model", ()))
        self._named_scaling(found)
        self._read_metrics_and_alarms(found)
        self._named_network(found, named)
        return found

    def _named_models(self, found: _Found, names: Iterable[str]) -> None:
        reader = self._reader
        for name in names:
            model = hosting.searched_model(reader, name)
            found.models |= {name: model} if model else hosting.described_models(reader, [name])
        if Part.MODELS in reader.needs:
            lacking = [name for name in _models_named(found) if name not in found.models]
            found.models |= hosting.described_models(reader, lacking)

    def _named_scaling(self, found: _Found) -> None:
        reader, needs = self._reader, self._reader.needs
        scaled = [variant.resource_id for variant in found.variants if _has_instances(variant)]
        scaled += [component.resource_id for component in found.components.values()]
        if not scaled or Part.TARGETS not in needs:
            return
        found.targets = reader.whole(Part.TARGETS, lambda: autoscaling.targets(reader, scaled)) or []
        ids = list(dict.fromkeys(target.resource_id for target in found.targets))
        if not ids:
            return
        if Part.POLICIES in needs:
            found.policies = reader.whole(Part.POLICIES, lambda: autoscaling.policies(reader, ids)) or []
        if Part.SCHEDULES in needs:
            found.schedules = reader.whole(Part.SCHEDULES, lambda: autoscaling.schedules(reader, ids)) or []
        if Part.ACTIVITIES in needs:
            found.activities = reader.whole(Part.ACTIVITIES, lambda: autoscaling.activities(reader, ids)) or []

    def _named_network(self, found: _Found, named: Mapping[str, list[str]]) -> None:
        reader = self._reader
        configs: list[VpcConfig | None] = [one.vpc_config for one in found.models.values()]
        configs += [one.vpc_config for one in found.configs.values()]
        configs += [job.vpc_config for job in self._named_jobs]
        ids = {subnet for config in configs if config for subnet in config.subnets} | set(named.get("subnet", ()))
        if Part.SUBNETS not in reader.needs:
            return
        if ids:
            found.subnets |= reader.whole(Part.SUBNETS, lambda: network.named_subnets(reader, ids)) or {}
        if vpcs := named.get("vpc"):
            found.subnets |= reader.whole(Part.SUBNETS, lambda: network.subnets_in(reader, vpcs)) or {}


def _hosts_components(variant: Variant) -> bool:
    try:
        return variant.hosts_components
    except Unread:
        return False


def _has_instances(variant: Variant) -> bool:
    try:
        return not variant.serverless
    except Unread:
        return True


def _models_named(found: _Found) -> list[str]:
    """The models that variants, components and transform jobs name, each once."""
    names = [variant.configured.model_name for variant in found.variants if variant.configured]
    names += [component.model_name for component in found.components.values()]
    names += [job.model_name for job in found.transform_jobs.values()]
    return list(dict.fromkeys(name for name in names if name))
