"""From a scope to an inventory: the sections of a sweep side by side, or the named resources and what they rest on."""

import math
import queue
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime
from functools import partial
from types import TracebackType
from typing import Any, Self, TypeVar

from chalicelib.inventory import absence, dependencies, images, metrics, narrow, shares, supply, tested, uses
from chalicelib.inventory.absence import Lacking
from chalicelib.inventory.alarms import read_alarms
from chalicelib.inventory.allowance import BoundedDoor
from chalicelib.inventory.aws import Aws
from chalicelib.inventory.buckets import Buckets
from chalicelib.inventory.estate import Inventory
from chalicelib.inventory.facts import Fact
from chalicelib.inventory.failures import NOT_READ, Failure
from chalicelib.inventory.families import Families
from chalicelib.inventory.kinds import (
    components,
    configs,
    endpoints,
    models,
    mutes,
    network,
    scaling,
    studio,
    training,
    tuning,
)
from chalicelib.inventory.kinds.components import InferenceComponent
from chalicelib.inventory.kinds.configs import EndpointConfig
from chalicelib.inventory.kinds.endpoints import Endpoint
from chalicelib.inventory.kinds.plain import PLAIN
from chalicelib.inventory.kinds.studio import StudioApp
from chalicelib.inventory.kinds.training import TrainingJob
from chalicelib.inventory.kinds.tuning import TuningJob
from chalicelib.inventory.minutes import read_minutes
from chalicelib.inventory.parts import Part
from chalicelib.inventory.reader import Needs, Progress, Reader, no_progress
from chalicelib.inventory.remembered import Memory
from chalicelib.inventory.uses import may_show_components
from chalicelib.kinds import KINDS, Kind
from chalicelib.scope import Scope

R = TypeVar("R")

#: Pages of training jobs that may wait to be judged: history is streamed, never kept whole.
WAITING_PAGES = 8


class Reading:
    """One reading of a scope, begun at once and used as a context manager.

    First :meth:`training_jobs` to its end, then :meth:`inventory`; :attr:`failures` is complete after both. A reading
    of named resources that may make ``most_calls`` leaves what goes beyond to the next sweep (:attr:`deferred`).
    """

    def __init__(
        self,
        aws: Aws,
        scope: Scope,
        needs: Needs,
        now: datetime,
        progress: Progress = no_progress,
        memory: Memory | None = None,
        most_calls: int | None = None,
    ) -> None:
        self.scope = scope
        bound = BoundedDoor(aws, most_calls) if most_calls is not None else None
        self._reader = Reader(aws, scope, needs, now, progress, memory, bound)
        self._sections = ThreadPoolExecutor(16 + len(PLAIN), thread_name_prefix="section")
        self._pages: queue.Queue[list[TrainingJob] | None] = queue.Queue(WAITING_PAGES)
        self._families = Families()
        self._on_plans: dict[str, list[str]] = {}  # the jobs in progress on each training plan
        self._buckets = Buckets(self._reader)
        self._job_subnets: dict[tuple[str, ...], str] = {}
        self._stopped = threading.Event()
        self._counting = threading.Lock()
        self._jobs_read = 0
        self._named_jobs: list[TrainingJob] = []
        for part in Part:
            if part not in needs:
                reason = f"{part} were not read, as no enabled rule declares to read them"
                self._reader.gaps.note(Failure(NOT_READ, "", reason, part=part))
        if scope.whole:
            # The longest chains of pages first; ec2's client, which takes the longest to make, after those.
            self._policies = self._start(Part.POLICIES, lambda: scaling.policies(self._reader))
            self._jobs = self._sections.submit(self._stream)
            self._network = self._start(Part.SUBNETS, lambda: network.all_subnets(self._reader))
            self._everything = self._sections.submit(self._sweep)
        else:
            self._everything = self._sections.submit(self._named)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopped.set()
        self._reader.close()
        self._sections.shutdown(wait=True, cancel_futures=True)

    @property
    def failures(self) -> list[Failure]:
        """The calls that failed."""
        return [failure for failure in self._reader.gaps if failure.blinds]

    @property
    def deferred(self) -> list[Failure]:
        """What is left to the next sweep."""
        return self._reader.gaps.deferred

    def tags(self, arns: list[str]) -> dict[str, dict[str, str]]:
        """The tags of resources that came without them, by ARN; those that cannot be read are absent."""
        if self._reader.bound is not None:
            self._reader.bound.reserved = 0
        arns = self._reader.afforded(Part.TAGS, arns)
        answers = zip(arns, self._reader.each(self._reader.tags, arns), strict=True)
        return {arn: tags for arn, tags in answers if tags is not None}

    def gone(self, lacking: Iterable[Lacking]) -> frozenset[Lacking]:
        """Those of these resources of which AWS, asked for each by its name, says that they are not there."""
        return absence.gone(self._reader, lacking)

    # ---- training jobs, as a stream

    def training_jobs(self) -> Iterator[TrainingJob]:
        """The training jobs in scope, each once, as their pages arrive; those that are compared with their family come
        last."""
        if not self.scope.whole:
            self._everything.result()
            yield from self._noted(self._named_jobs)
            return
        waiting: list[TrainingJob] = []
        while (page := self._pages.get()) is not None:
            for job in self._noted(page):
                if self._families.compares(job):
                    waiting.append(job)
                else:
                    yield job
        self._jobs.result()
        self._buckets.read_checkpoints(waiting)
        unread = self._reader.gaps.hidden(Part.TRAINING_JOBS)
        for job in waiting:
            yield self._families.compared(job, unread)

    def _noted(self, page: Iterable[TrainingJob]) -> Iterator[TrainingJob]:
        for job in page:
            self._families.note(job)
            if job.vpc_config:
                self._job_subnets.setdefault(job.vpc_config.subnets, job.arn)
            if job.training_plan_arn and job.known("status") == "InProgress":
                self._on_plans.setdefault(job.training_plan_arn, []).append(job.arn)
            yield job

    def _stream(self) -> None:
        reader = self._reader
        try:
            if Part.TRAINING_JOBS in reader.needs:
                reader.whole(Part.TRAINING_JOBS, lambda: training.training_jobs(reader, self._take))
        finally:
            self._put(None)

    def _take(self, page: list[TrainingJob]) -> bool:
        """A page for the judge; False when nobody judges any more."""
        with self._counting:
            self._jobs_read += len(page)
            self._reader.progress(Part.TRAINING_JOBS, self._jobs_read, None)
        if not self._stopped.is_set():
            self._buckets.read_regions(page)
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
        return replace(self._blank(), subnets=subnets)

    # ---- everything else

    def inventory(self) -> Inventory:
        """Everything but training jobs, once it has been read."""
        gaps = self._reader.gaps
        seen = gaps.of(Part.ENDPOINTS) is None and gaps.of(Part.CONFIGS) is None
        estate = uses.with_use(self._everything.result(), seen=seen)
        users = uses.subnets_in_use(estate) | {arn: ids for ids, arn in self._job_subnets.items()}
        return replace(
            estate,
            tuning_jobs={name: self._with_children(job) for name, job in estate.tuning_jobs.items()},
            others=supply.with_running_jobs(estate.others, self._on_plans),
            vpcs=network.vpcs_of(self._reader, estate.subnets, users, uses.subnets_in_doubt(estate)),
        )

    def _blank(self) -> Inventory:
        """An inventory of the scope in which nothing has been read."""
        scope = self.scope
        return Inventory(
            account=scope.account,
            region=scope.region,
            partition=scope.partition,
            now=self._reader.now,
            whole=scope.whole,
            hints=scope.hints,
            gaps=self._reader.gaps,
            storage=self._buckets.storage,
        )

    def _start(self, part: Part, read: Callable[[], R]) -> "Future[R | None]":
        """The part read in its own section; None when it is not needed or a call fails."""
        if part not in self._reader.needs:
            done: Future[R | None] = Future()
            done.set_result(None)
            return done
        return self._sections.submit(self._reader.whole, part, read)

    def _sweep(self) -> Inventory:
        reader, estate = self._reader, self._blank()
        hosting_read = self._sections.submit(self._sweep_hosting)
        targets = self._start(Part.TARGETS, lambda: scaling.targets(reader))
        models_read = self._start(Part.MODELS, lambda: models.all_models(reader))
        tuning_read = self._start(Part.TUNING_JOBS, lambda: tuning.tuning_jobs(reader))
        others = {kind: self._start_all(KINDS[kind], model) for kind, model in PLAIN.items()}
        schedules = self._start(Part.SCHEDULES, lambda: scaling.schedules(reader))
        apps = self._start(Part.STUDIO_APPS, lambda: studio.studio_apps(reader))
        supplied = supply.begin(reader, self._start)
        scaled = targets.result() or []
        activities = self._start(Part.ACTIVITIES, lambda: scaling.activities(reader)) if scaled else None
        estate.endpoints, estate.configs = hosting_read.result()
        estate.targets = scaled
        self._read_components(estate, lambda: components.components(reader))
        estate.models = models_read.result() or {}
        estate.others = {kind: read.result() or {} for kind, read in {**others, StudioApp.kind: apps}.items()}
        self._read_lacking_models(estate)
        supplied_read = self._sections.submit(supplied, estate)
        metrics_read = self._sections.submit(self._read_metrics, estate)
        standing_read = self._sections.submit(dependencies.read, reader, estate)
        estate.policies, estate.schedules = self._policies.result() or [], schedules.result() or []
        estate.activities = (activities.result() if activities else None) or []
        if uses.scales_components(estate.policies) and not self._components_asked:
            reason = "inference components were not read, as neither a variant nor a target shows that there are any"
            reader.gaps.note(Failure(NOT_READ, "", reason, part=Part.COMPONENTS))
        supplied_read.result()  # the quotas, which bound what a rehearsal may propose
        self._read_what_rests_on_policies(estate)
        if Part.UNUSED_CONFIGS in reader.needs:
            used = {endpoint.config_name for endpoint in estate.endpoints.values() if endpoint.config_name}
            unused = reader.whole(Part.UNUSED_CONFIGS, lambda: configs.unused_configs(reader, used)) or {}
            estate.configs = {**estate.configs, **unused}
        estate.tuning_jobs = tuning_read.result() or {}
        estate.subnets = self._network.result() or {}
        metrics_read.result()
        estate.standing = standing_read.result()
        return estate

    def _start_all(self, kind: Kind, model: type[Fact]) -> "Future[dict[str, Fact] | None]":
        return self._start(Part(kind.part), lambda: self._reader.all(kind, model))

    def _sweep_hosting(self) -> tuple[dict[str, Endpoint], dict[str, EndpointConfig]]:
        """Every endpoint, and the configs that they name."""
        reader = self._reader
        records = self._start(Part.ENDPOINTS, lambda: endpoints.all_endpoints(reader)).result() or []
        reader.progress(Part.ENDPOINTS, len(records), len(records))
        used = self._configs_of(records)
        return endpoints.assembled(reader, records, used), used

    def _configs_of(self, records: list[dict[str, Any]]) -> dict[str, EndpointConfig]:
        reader = self._reader
        if Part.CONFIGS not in reader.needs:
            return {}
        return reader.whole(Part.CONFIGS, lambda: configs.configs_of(reader, records)) or {}

    def _read_lacking_models(self, estate: Inventory) -> None:
        """Models that something names and that the bulk reading did not bring."""
        reader = self._reader
        if Part.MODELS in reader.needs and reader.gaps.of(Part.MODELS) is None:
            lacking = [name for name in uses.models_named(estate) if name not in estate.models]
            estate.models = {**estate.models, **models.named_models(reader, lacking, keep=shares.AFTER_MODELS)}

    def _read_components(self, estate: Inventory, read: Callable[[], dict[str, InferenceComponent]]) -> None:
        """Inference components, asked for only where a variant without a model or a target shows that there are any, or
        something unread hides whether there are, as does an endpoint that shows no variant at all: those that nobody
        asks for would count as gone, and what they run as unused."""
        shown = any(map(may_show_components, estate.endpoints.values()))
        shown |= uses.scales_components(estate.targets)
        hidden = any(failure.part in (Part.ENDPOINTS, Part.TARGETS) for failure in self.failures)
        self._components_asked = shown or hidden
        if Part.COMPONENTS in self._reader.needs and self._components_asked:
            estate.components = {**estate.components, **(self._reader.whole(Part.COMPONENTS, read) or {})}

    def _read_metrics(self, estate: Inventory) -> None:
        """Metrics of the variants and of the components."""
        reader = self._reader
        if Part.METRICS in reader.needs and reader.needs.metric_days:
            days, hosting = reader.needs.metric_days, uses.variants(estate)
            keys = metrics.asked(hosting, estate.components.values(), days, uses.pipelines(estate))
            estate.metrics = metrics.datapoints(reader, keys, days) if keys else {}

    def _read_what_rests_on_policies(self, estate: Inventory) -> None:
        """Alarms of the policies, load tests of the models behind them."""
        reader = self._reader
        read_alarms(reader, estate)
        if Part.MUTES in reader.needs:
            alarms = list(estate.alarms.values())
            keep = narrow.network_calls(estate, self._named_jobs)
            estate.mutes = reader.whole(Part.MUTES, lambda: mutes.mute_rules(reader, alarms, keep))
        if Part.RECOMMENDATIONS in reader.needs and (scaled := uses.scaled_by_invocations(estate)):
            tested.read_load_tests(reader, estate, scaled, narrow.network_calls(estate, self._named_jobs))
        read_minutes(reader, estate, narrow.network_calls(estate, self._named_jobs))

    def _with_children(self, job: TuningJob) -> TuningJob:
        """The tuning job with its children's instance-hours as the stream showed them."""
        unread = self._reader.gaps.hidden(Part.TRAINING_JOBS)
        if unread is not None and self.scope.whole:
            return job.with_unknown(dict.fromkeys(("child_hours", "children", "longest_child_seconds"), unread))
        hours = self._families.hours_of_children(job.arn)
        if hours is None:
            return job
        known = [count for count in hours if count is not None]
        return job.model_copy(
            update={
                "child_hours": sum(known) if known else None,
                "children": len(hours),
                "longest_child_seconds": self._families.longest_child(job.arn),
            }
        )

    # ---- a narrow scope

    def _named(self) -> Inventory:
        """The named resources and what they rest on. Never lists the account."""
        reader = self._reader
        named: dict[str, list[str]] = {}
        for ref in self.scope.resources:
            named.setdefault(ref.kind, []).append(ref.name)
        estate = self._blank()
        self._named_jobs = [
            self._with_tags(job) for job in training.described_training_jobs(reader, named.get("training-job", ()))
        ]
        records = reader.describe_each(Part.ENDPOINTS, "DescribeEndpoint", "EndpointName", named.get("endpoint", ()))
        used = self._configs_of(records)
        models_named = named.get("model", [])
        keep = shares.FOR_NETWORK + math.ceil(len(models_named) / models.SEARCH_FILTERS)
        configs_named = reader.afforded(Part.CONFIGS, named.get("endpoint-config", ()), cost=2, keep=keep)
        reader.reserve(max(0, len(configs_named) - 1))
        estate.configs = {**used, **configs.described_configs(reader, configs_named)}
        estate.endpoints = endpoints.assembled(reader, records, estate.configs)
        estate.components = components.described_components(reader, named.get("inference-component", ()))
        for endpoint in estate.endpoints.values():
            if may_show_components(endpoint):
                read = partial(
                    components.components, reader, keep=shares.AFTER_COMPONENTS, EndpointNameEquals=endpoint.name
                )
                self._read_components(estate, read)
        estate.others = {kind: reader.named(KINDS[kind], model, named.get(kind, ())) for kind, model in PLAIN.items()}
        tuned = tuning.described_tuning_jobs(reader, named.get("tuning-job", ()))
        for name, job in tuned.items():
            whole = reader.whole(Part.TUNING_JOBS, partial(tuning.children_hours, reader, job)) or job
            estate.tuning_jobs = {**estate.tuning_jobs, name: whole}
        self._named_models(estate, models_named)
        narrow.read_scaling(reader, estate, self._named_jobs)
        self._read_metrics(estate)
        self._read_what_rests_on_policies(estate)
        narrow.read_network(reader, estate, self._named_jobs, named)
        self._buckets.read_checkpoints(self._named_jobs)
        self._buckets.read_regions(self._named_jobs)
        estate.standing = dependencies.read(reader, estate)
        return estate

    def _named_models(self, estate: Inventory, names: Iterable[str]) -> None:
        reader = self._reader
        searched = models.searched_models(reader, names)
        lacking = reader.afforded(
            Part.MODELS, [name for name in names if name not in searched], keep=shares.FOR_NETWORK
        )
        estate.models = {**estate.models, **searched, **models.described_models(reader, lacking)}
        self._read_lacking_models(estate)
