"""From a scope to an inventory: the sections of a sweep side by side, or the named resources and what they rest on."""

import gc
import queue
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime
from functools import partial
from types import TracebackType
from typing import Any, Self, TypeVar

from chalicelib.inventory import images, metrics
from chalicelib.inventory.aws import Aws, CallFailed
from chalicelib.inventory.estate import Inventory
from chalicelib.inventory.facts import VpcConfig
from chalicelib.inventory.found import Found, has_instances, hosts_components
from chalicelib.inventory.kinds import components, endpoints, models, network, plain, scaling, training, tuning
from chalicelib.inventory.kinds.components import InferenceComponent
from chalicelib.inventory.kinds.endpoints import Variant
from chalicelib.inventory.kinds.training import TrainingJob
from chalicelib.inventory.kinds.tuning import TuningJob
from chalicelib.inventory.parts import Part
from chalicelib.inventory.reader import Blind, Needs, Progress, Reader, no_progress
from chalicelib.inventory.remembered import Memory
from chalicelib.scope import Scope

R = TypeVar("R")

#: Pages of training jobs that may wait to be judged: history is streamed, never kept whole.
WAITING_PAGES = 8


class Reading:
    """One reading of a scope, begun at once and used as a context manager.

    First :meth:`training_jobs` to its end, then :meth:`inventory`; :attr:`blind` is complete after both.
    """

    def __init__(
        self,
        aws: Aws,
        scope: Scope,
        needs: Needs,
        now: datetime,
        progress: Progress = no_progress,
        memory: Memory | None = None,
    ) -> None:
        self.scope = scope
        self._reader = Reader(aws, scope, needs, now, progress, memory)
        self._sections = ThreadPoolExecutor(14, thread_name_prefix="section")
        self._pages: queue.Queue[list[TrainingJob] | None] = queue.Queue(WAITING_PAGES)
        self._child_hours: dict[str, list[float | None]] = {}
        self._job_subnets: dict[tuple[str, ...], str] = {}
        self._stopped = threading.Event()
        self._counting = threading.Lock()
        self._jobs_read = 0
        for part in Part:
            if part not in needs:
                self._reader.gaps.parts[part] = f"{part} were not read, as no enabled rule declares to read them"
        if scope.whole:
            # The longest chains of pages first; ec2's client, which takes the longest to make, after those.
            self._policies = self._start(Part.POLICIES, lambda: scaling.policies(self._reader))
            self._jobs = self._sections.submit(self._stream)
            self._network = self._start(Part.SUBNETS, lambda: network.all_subnets(self._reader))
            self._everything = self._sections.submit(self._sweep)
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
        try:
            if Part.TRAINING_JOBS in reader.needs:
                training.training_jobs(reader, self._take)
        except CallFailed as failure:
            reader.blind_to(failure, Part.TRAINING_JOBS)
        finally:
            self._put(None)

    def _take(self, page: list[TrainingJob]) -> bool:
        """A page for the judge; False when nobody judges any more."""
        with self._counting:
            self._jobs_read += len(page)
            self._reader.progress(Part.TRAINING_JOBS, self._jobs_read, None)
        return self._put([self._with_tags(job) for job in page])

    def _put(self, page: list[TrainingJob] | None) -> bool:
        while not self._stopped.is_set():
            try:
                self._pages.put(page, timeout=0.2)
            except queue.Full:
                continue
            return True
        return False

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
        found: Found = self._everything.result()
        unread = self._reader.gaps.parts
        seen = Part.ENDPOINTS not in unread and Part.CONFIGS not in unread
        found.count_use(whole=self.scope.whole, seen=seen)
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
            recommendations=found.recommendations,
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

    def _sweep(self) -> Found:
        reader = self._reader
        hosting_read = self._sections.submit(self._sweep_hosting)
        targets = self._start(Part.TARGETS, lambda: scaling.targets(reader))
        models_read = self._start(Part.MODELS, lambda: models.all_models(reader))
        notebooks = self._start(Part.NOTEBOOKS, lambda: plain.notebooks(reader))
        tuning_read = self._start(Part.TUNING_JOBS, lambda: tuning.tuning_jobs(reader))
        transforms = self._start(Part.TRANSFORM_JOBS, lambda: plain.transform_jobs(reader))
        schedules = self._start(Part.SCHEDULES, lambda: scaling.schedules(reader))
        scaled = targets.result() or []
        activities = self._start(Part.ACTIVITIES, lambda: scaling.activities(reader)) if scaled else None
        found = hosting_read.result()
        found.targets = scaled
        self._read_components(found, lambda: components.components(reader))
        found.models = models_read.result() or {}
        found.transform_jobs = transforms.result() or {}
        self._read_lacking_models(found)
        metrics_read = self._sections.submit(self._read_metrics, found)
        found.policies, found.schedules = self._policies.result() or [], schedules.result() or []
        found.activities = (activities.result() if activities else None) or []
        self._read_what_rests_on_policies(found)
        if Part.UNUSED_CONFIGS in reader.needs:
            used = {one.config_name for one in found.endpoints.values() if one.config_name}
            found.configs |= reader.whole(Part.UNUSED_CONFIGS, lambda: endpoints.unused_configs(reader, used)) or {}
        found.notebooks, found.tuning_jobs = notebooks.result() or {}, tuning_read.result() or {}
        found.subnets = self._network.result() or {}
        metrics_read.result()
        return found

    def _sweep_hosting(self) -> Found:
        """Every endpoint with its config."""
        reader = self._reader
        found = Found()
        records = self._start(Part.ENDPOINTS, lambda: endpoints.all_endpoints(reader)).result() or []
        reader.progress(Part.ENDPOINTS, len(records), len(records))
        if Part.CONFIGS in reader.needs:
            found.configs = endpoints.configs_of(reader, records)
        found.endpoints = endpoints.assembled(reader, records, found.configs)
        return found

    def _read_lacking_models(self, found: Found) -> None:
        """Models that something names and that the bulk reading did not bring."""
        reader = self._reader
        if Part.MODELS in reader.needs and Part.MODELS not in reader.gaps.parts:
            lacking = [name for name in found.models_named() if name not in found.models]
            found.models |= models.described_models(reader, lacking)

    def _read_components(self, found: Found, read: Callable[[], dict[str, InferenceComponent]]) -> None:
        """Inference components, asked for only where a variant without a model or a target shows that there are any."""
        hosts = any(hosts_components(variant) for variant in found.variants)
        scaled = any(target.scales_copies for target in found.targets)
        if Part.COMPONENTS in self._reader.needs and (hosts or scaled):
            found.components |= self._reader.whole(Part.COMPONENTS, read) or {}

    def _read_metrics(self, found: Found) -> None:
        """Metrics of the variants."""
        reader = self._reader
        if Part.METRICS in reader.needs and reader.needs.metric_days:
            keys = metrics.asked(found.variants, reader.needs.metric_days, found.pipelines())
            found.metrics = metrics.datapoints(reader, keys, reader.needs.metric_days)

    def _read_what_rests_on_policies(self, found: Found) -> None:
        """Alarms of the policies, load tests of the models behind them."""
        reader = self._reader
        if Part.ALARMS in reader.needs:
            found.alarms = reader.whole(Part.ALARMS, lambda: scaling.alarms(reader, found.policies)) or {}
        if Part.RECOMMENDATIONS in reader.needs and (scaled := found.scaled_by_invocations()):
            self._read_load_tests(found, scaled)

    def _read_load_tests(self, found: Found, scaled: list[Variant]) -> None:
        """Inference Recommender jobs, and the tags of endpoints that came without: either tells of a load test."""
        reader = self._reader
        names = {one.configured.model_name for one in scaled if one.configured and one.configured.model_name}
        only = None if self.scope.whole else sorted(names)
        jobs = reader.whole(Part.RECOMMENDATIONS, lambda: scaling.recommendation_jobs(reader, only))
        found.recommendations = jobs or []
        tested = {job.model_name for job in found.recommendations}
        for name in {
            one.endpoint_name for one in scaled if not (one.configured and one.configured.model_name in tested)
        }:
            endpoint = found.endpoints[name]
            if endpoint.tags is None:
                tags = reader.tags(endpoint.arn)
                found.endpoints[name] = endpoint.with_tags(tags)

    def _with_children(self, job: TuningJob) -> TuningJob:
        """The tuning job with its children's instance-hours as the stream showed them."""
        hours = self._child_hours.get(job.arn)
        if hours is None:
            return job
        known = [one for one in hours if one is not None]
        return job.model_copy(update={"child_hours": sum(known) if known else None, "children": len(hours)})

    # ---- a narrow scope

    def _named(self) -> Found:
        """The named resources and what they rest on. Never lists the account."""
        reader, needs = self._reader, self._reader.needs
        named: dict[str, list[str]] = {}
        for ref in self.scope.resources:
            named.setdefault(ref.kind, []).append(ref.name)
        found = Found()
        self._named_jobs = [
            self._with_tags(job) for job in training.described_training_jobs(reader, named.get("training-job", ()))
        ]
        records = reader.describe_each(Part.ENDPOINTS, "DescribeEndpoint", "EndpointName", named.get("endpoint", ()))
        found.configs = endpoints.configs_of(reader, records) if Part.CONFIGS in needs else {}
        found.configs |= endpoints.described_configs(reader, named.get("endpoint-config", ()))
        found.endpoints = endpoints.assembled(reader, records, found.configs)
        found.components = components.described_components(reader, named.get("inference-component", ()))
        for endpoint in found.endpoints.values():
            if any(hosts_components(variant) for variant in endpoint.variants):
                self._read_components(found, partial(components.components, reader, EndpointNameEquals=endpoint.name))
        found.notebooks = plain.described_notebooks(reader, named.get("notebook-instance", ()))
        found.transform_jobs = plain.described_transform_jobs(reader, named.get("transform-job", ()))
        tuned = tuning.described_tuning_jobs(reader, named.get("tuning-job", ()))
        for name, job in tuned.items():
            found.tuning_jobs[name] = reader.whole(Part.TUNING_JOBS, partial(tuning.children_hours, reader, job)) or job
        self._named_models(found, named.get("model", ()))
        self._named_scaling(found)
        self._read_metrics(found)
        self._read_what_rests_on_policies(found)
        self._named_network(found, named)
        return found

    def _named_models(self, found: Found, names: Iterable[str]) -> None:
        reader = self._reader
        for name in names:
            model = models.searched_model(reader, name)
            found.models |= {name: model} if model else models.described_models(reader, [name])
        self._read_lacking_models(found)

    def _named_scaling(self, found: Found) -> None:
        reader, needs = self._reader, self._reader.needs
        scaled = [variant.resource_id for variant in found.variants if has_instances(variant)]
        scaled += [component.resource_id for component in found.components.values()]
        if not scaled or Part.TARGETS not in needs:
            return
        found.targets = reader.whole(Part.TARGETS, lambda: scaling.targets(reader, scaled)) or []
        ids = list(dict.fromkeys(target.resource_id for target in found.targets))
        if not ids:
            return
        if Part.POLICIES in needs:
            found.policies = reader.whole(Part.POLICIES, lambda: scaling.policies(reader, ids)) or []
        policed = {one.resource_id for one in found.policies}
        unpoliced = [one for one in ids if one not in policed]  # only there does a schedule make a difference
        if Part.SCHEDULES in needs and unpoliced:
            found.schedules = reader.whole(Part.SCHEDULES, lambda: scaling.schedules(reader, unpoliced)) or []
        if Part.ACTIVITIES in needs:
            found.activities = reader.whole(Part.ACTIVITIES, lambda: scaling.activities(reader, ids)) or []

    def _named_network(self, found: Found, named: Mapping[str, list[str]]) -> None:
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
