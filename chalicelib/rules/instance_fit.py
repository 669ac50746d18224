"""Instance fit: accelerators that nothing uses, endpoints that nobody calls, families that are on their way out."""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import NamedTuple

from pydantic import NonNegativeFloat, PositiveInt

from chalicelib.inventory.estate import Inventory
from chalicelib.inventory.facts import Unread
from chalicelib.inventory.images import Algorithm, recognise, reserves_memory
from chalicelib.inventory.instances import InstanceType
from chalicelib.inventory.kinds.components import InferenceComponent
from chalicelib.inventory.kinds.endpoints import Variant
from chalicelib.inventory.kinds.plain import NotebookInstance, TransformJob
from chalicelib.inventory.kinds.training import TrainingJob
from chalicelib.inventory.kinds.tuning import TuningJob
from chalicelib.inventory.metrics import Datapoint, no_datapoints
from chalicelib.inventory.parts import Part
from chalicelib.report.concern import Concern
from chalicelib.report.findings import Severity
from chalicelib.report.outcomes import Confidence, Facts, Outcome, Verdict, failed, not_applicable, passed
from chalicelib.rules.guards import (
    component_in_service,
    deployed,
    older_than,
    own_job,
    own_training_job,
    variant_with_instances,
    younger_than,
)
from chalicelib.rules.registry import Params, Window, rule

TOPIC = "instance-fit"


def accelerated(types: Iterable[InstanceType]) -> list[str]:
    """The names of those types that carry an accelerator."""
    return [instance.name for instance in types if instance.accelerated]


def total(points: list[Datapoint]) -> float:
    """The sum of the datapoints."""
    return sum(point.value for point in points)


def calls_of(variant: Variant, estate: Inventory, days: int) -> list[Datapoint]:
    """Datapoints of how often a variant was used: its invocations, those that an asynchronous endpoint processed, or
    those of the inference components on it."""
    if variant.hosts_components:
        components = estate.components_of(variant)
        points = [
            point for component in components for point in estate.metric("ComponentInvocations", component, days=days)
        ]
        return points or estate.metric("Invocations", variant, days=days)
    if variant.is_async:
        return [
            *estate.metric("InvocationsProcessed", variant, days=days),
            *estate.metric("InvocationsProcesssed", variant, days=days),
        ]
    return estate.metric("Invocations", variant, days=days)


def calls_in_window(variant: Variant, estate: Inventory, days: int) -> float:
    """How often a variant was used. Raises Unread for an asynchronous one of which CloudWatch tells nothing: AWS writes
    its metric under two names, and may write neither."""
    points = calls_of(variant, estate, days)
    if not points and not variant.hosts_components and variant.is_async:
        raise no_datapoints("CloudWatch has no InvocationsProcessed datapoints for it")
    return total(points)


class GpuUse(Params):
    gpu_percent: NonNegativeFloat = 20
    memory_percent: NonNegativeFloat = 30
    window_days: PositiveInt = 7
    min_age_days: NonNegativeFloat = 7


@rule(
    "endpoint-gpu-underutilized",
    topic=TOPIC,
    kinds=["endpoint-variant"],
    severity=Severity.MEDIUM,
    concern=Concern.COSTS,
    params=GpuUse,
    reads=[Part.ENDPOINTS, Part.CONFIGS, Part.MODELS, Part.COMPONENTS, Part.TARGETS, Part.METRICS],
    metrics=[
        Window("Invocations", "window_days"),
        Window("InvocationsProcessed", "window_days"),
        Window("InvocationsProcesssed", "window_days"),
        Window("ComponentInvocations", "window_days"),
        Window("GPUUtilization", "window_days"),
        Window("GPUMemoryUtilization", "window_days"),
        Window("GPUUtilizationP99", "window_days"),
        Window("GPUMemoryUtilizationP99", "window_days"),
    ],
    guards=[variant_with_instances],
    merges_into=["endpoint-idle", "endpoint-gpu-unneeded-by-algorithm"],
)
def endpoint_gpu_underutilized(variant: Variant, estate: Inventory, params: GpuUse) -> Outcome:
    """A variant on GPUs was used in the window, and the 99th percentiles (else the maxima) of the use of its GPUs and
    of their memory stayed below the thresholds (percent of all its GPUs). The memory of servers that reserve it at
    their start is not asked (confidence medium)."""
    types = variant.instance_types
    if not any(instance.accelerated for instance in types):
        return not_applicable("runs on CPU instances")
    if not all(instance.accelerated for instance in types):
        return not_applicable("some of its instance pools are CPU instances")
    if not all(instance.has_gpu for instance in types):
        return not_applicable("Inferentia and Trainium report no GPU metrics")
    if variant.instance_count == 0:
        return not_applicable("scaled to zero")
    age = timedelta(days=params.min_age_days)
    if younger_than(deployed(variant, estate, age), age, estate):
        return not_applicable(f"deployed less than {params.min_age_days:g} days ago").passing()
    if not (calls := calls_in_window(variant, estate, params.window_days)):
        return not_applicable("not called in the window; endpoint-idle tells it")
    gpus = min(instance.gpu_count or 1 for instance in types)
    busiest = utilization("GPUUtilization", variant, estate, params.window_days)
    memory = utilization("GPUMemoryUtilization", variant, estate, params.window_days)
    if busiest is None:
        raise no_datapoints("CloudWatch has no GPUUtilization datapoints for it")
    facts: Facts = {
        "instance_type": ", ".join(instance.name for instance in types),
        "gpu_count": gpus,
        "statistic": busiest.statistic,
        "gpu_utilization": round(busiest.value, 2),
        "gpu_memory_utilization": None if memory is None else round(memory.value, 2),
        "invocations": int(calls),
        "window_days": params.window_days,
        "gpu_threshold": params.gpu_percent * gpus,
        "memory_threshold": params.memory_percent * gpus,
    }
    if busiest.value >= params.gpu_percent * gpus:
        return passed("its GPUs are used", **facts)
    if memory is not None and memory.value < params.memory_percent * gpus:
        return failed(**facts, memory_reserved_by=None)
    if reserving := _reserving(variant, estate):
        return failed(confidence=Confidence.MEDIUM, **facts, memory_reserved_by=", ".join(reserving))
    if memory is None:
        raise no_datapoints("CloudWatch has no GPUMemoryUtilization datapoints for it")
    return passed("the memory of its GPUs is used", **facts)


def _reserving(variant: Variant, estate: Inventory) -> list[str]:
    """The servers on a variant that are known to reserve GPU memory at their start.

    Raises Unread where its models could not be read; a model that is gone or that a model package hides is not known.
    """
    models = list(variant.settings.model_names)
    if variant.hosts_components:
        components = estate.components_of(variant)
        models += [part.model_name for component in components for part in component.specifications if part.model_name]
    estate.gaps.demand(Part.MODELS)
    for model in models:
        estate.gaps.demand(Part.MODELS, model)
    try:
        titles = {reserves_memory(image) for image in estate.images_of(variant)}
    except Unread:
        return []
    return sorted(title for title in titles if title)


class Utilization(NamedTuple):
    """How much of an instance is used, in percent of one GPU or vCPU each, by which statistic of the window."""

    statistic: str
    value: float


def utilization(name: str, variant: Variant, estate: Inventory, days: int) -> Utilization | None:
    """The 99th percentile of a metric in the window, else its maximum; None without datapoints."""
    for statistic, points in (
        ("p99", estate.metric(f"{name}P99", variant, days=days)),
        ("Maximum", estate.metric(name, variant, days=days)),
    ):
        if points:
            return Utilization(statistic, max(point.value for point in points))
    return None


@rule(
    "endpoint-gpu-unneeded-by-algorithm",
    topic=TOPIC,
    kinds=["endpoint-variant", "transform-job"],
    severity=Severity.MEDIUM,
    concern=Concern.COSTS,
    reads=[Part.ENDPOINTS, Part.CONFIGS, Part.MODELS, Part.COMPONENTS, Part.TRANSFORM_JOBS],
    merges_into=["endpoint-idle"],
)
def endpoint_gpu_unneeded_by_algorithm(subject: Variant | TransformJob, estate: Inventory, params: Params) -> Outcome:
    """An accelerated instance serves containers all of whose algorithms infer on the CPU; the types of instance pools
    are judged one by one, each by its own model."""
    if isinstance(subject, TransformJob):
        if (outcome := own_job(subject, estate)) is not None:
            return outcome
        if subject.instance_type is None:
            raise Unread("DescribeTransformJob gave no instance type")
        if not accelerated([InstanceType.parse(subject.instance_type)]):
            return not_applicable("runs on CPU instances")
        images = {subject.instance_type: estate.images_of_model(estate.model(subject.model_name))}
        return _inferring(images, {subject.instance_type: subject.model_name})
    if (outcome := variant_with_instances(subject, estate)) is not None:
        return outcome
    if not (types := accelerated(subject.instance_types)):
        return not_applicable("runs on CPU instances")
    images = {}
    doubt: Unread | None = None
    for name in types:
        try:
            images[name] = estate.images_on(subject, name)
        except Unread as unread:
            doubt = unread
    outcome = _inferring(images, subject.settings.models_by_type)
    if doubt is not None and outcome.verdict is not Verdict.FAIL:
        raise doubt
    return outcome


def _inferring(images: Mapping[str, list[str]], models: Mapping[str, str | None]) -> Outcome:
    """Whether all images on one of these accelerated types infer on the CPU."""
    wasted: dict[str, list[Algorithm]] = {}
    for name, on_type in images.items():
        known = [algorithm for image in on_type if (algorithm := recognise(image)) is not None]
        if on_type and len(known) == len(on_type) and all(algorithm.cpu_inference for algorithm in known):
            wasted[name] = known
    served = list(dict.fromkeys(image for name in wasted or images for image in images[name]))
    if not wasted:
        return passed("not every container holds an algorithm that is known to infer on the CPU", images=served)
    return failed(
        instance_type=", ".join(wasted),
        algorithms=sorted({algorithm.title for known in wasted.values() for algorithm in known}),
        images=served,
        model=", ".join(dict.fromkeys(str(models[name]) for name in wasted if models[name])) or None,
    )


class IdleWindow(Params):
    window_days: PositiveInt = 14


@rule(
    "endpoint-idle",
    topic=TOPIC,
    kinds=["endpoint-variant", "inference-component"],
    severity=Severity.MEDIUM,
    concern=Concern.COSTS,
    params=IdleWindow,
    reads=[Part.ENDPOINTS, Part.CONFIGS, Part.COMPONENTS, Part.TARGETS, Part.METRICS],
    metrics=[
        Window("Invocations", "window_days"),
        Window("InvocationsProcessed", "window_days"),
        Window("InvocationsProcesssed", "window_days"),
        Window("ApproximateBacklogSize", "window_days"),
        Window("ComponentInvocations", "window_days"),
    ],
)
def endpoint_idle(subject: Variant | InferenceComponent, estate: Inventory, params: IdleWindow) -> Outcome:
    """Instances or copies run, deployed before the window, and nothing used them in it: no invocation (without any
    datapoint the confidence is medium, as SageMaker may write none in a minute without calls); of an asynchronous
    endpoint none was processed and none waited, each by datapoints; or no inference component runs on its host."""
    if isinstance(subject, InferenceComponent):
        return component_in_service(subject, estate) or _idle_component(subject, estate, params)
    if (outcome := variant_with_instances(subject, estate)) is not None:
        return outcome
    if subject.instance_count == 0:
        return not_applicable("scaled to zero")
    age = timedelta(days=params.window_days)
    if not older_than(deployed(subject, estate, age), age, estate):
        return not_applicable(f"deployed in the last {params.window_days} days").passing()
    facts: Facts = {
        "window_days": params.window_days,
        "desired_instance_count": subject.instance_count,
        "instance_type": ", ".join(subject.settings.instance_types),
        "other_variants": _other_variants(subject, estate),
    }
    if subject.hosts_components:
        if estate.components_of(subject):
            return not_applicable("its inference components are judged one by one")
        return failed(**facts, without_components=True, invocations=0, datapoints=0)
    facts["without_components"] = False
    points = calls_of(subject, estate, params.window_days)
    if calls := total(points):
        return passed("it is called", **facts, invocations=int(calls))
    facts |= {"invocations": 0, "datapoints": len(points)}
    if subject.is_async:
        backlog = estate.metric("ApproximateBacklogSize", subject, days=params.window_days)
        if any(point.value for point in backlog):
            return passed("requests wait for it", **facts)
        if not points or not backlog:
            lacking = "InvocationsProcessed" if not points else "ApproximateBacklogSize"
            raise no_datapoints(f"CloudWatch has no {lacking} datapoints for it")
        return failed(**facts)
    return failed(confidence=Confidence.HIGH if points else Confidence.MEDIUM, **facts)


def _idle_component(component: InferenceComponent, estate: Inventory, params: IdleWindow) -> Outcome:
    if component.desired_copy_count is None:
        raise Unread("DescribeInferenceComponent gave no copy count")
    if component.desired_copy_count == 0:
        return not_applicable("scaled to zero")
    age = timedelta(days=params.window_days)
    moments = [component.created] if component.created else []
    modified = component.modified
    if modified is not None and estate.now - modified <= age and estate.target_of(component) is None:
        moments.append(modified)
    if not older_than(max(moments, default=None), age, estate):
        return not_applicable(f"deployed in the last {params.window_days} days").passing()
    points = estate.metric("ComponentInvocations", component, days=params.window_days)
    facts: Facts = {"window_days": params.window_days, "desired_copy_count": component.desired_copy_count}
    if calls := total(points):
        return passed("it is called", **facts, invocations=int(calls))
    host = estate.variants.get(f"endpoint/{component.endpoint_name}/variant/{component.variant_name}")
    if not points and host is not None and _counted_on_host_only(host, estate, params.window_days):
        raise no_datapoints("CloudWatch counts calls of its endpoint and has datapoints of none of its components")
    return failed(
        confidence=Confidence.HIGH if points else Confidence.MEDIUM, **facts, invocations=0, datapoints=len(points)
    )


def _counted_on_host_only(host: Variant, estate: Inventory, days: int) -> bool:
    beside = estate.components_of(host)
    counted = any(estate.metric("ComponentInvocations", component, days=days) for component in beside)
    return not counted and total(estate.metric("Invocations", host, days=days)) > 0


def _other_variants(variant: Variant, estate: Inventory) -> list[str]:
    """The production variants beside this one: an endpoint that they need must not be deleted."""
    endpoint = estate.endpoints.get(variant.endpoint_name)
    beside = endpoint.variants if endpoint is not None else ()
    return [other.name for other in beside if other.name != variant.name and not other.shadow]


class Generations(Params):
    high: tuple[str, ...] = ("p2", "p3", "p3dn")
    medium: tuple[str, ...] = ("inf1", "dl1")
    low: tuple[str, ...] = ("m4", "c4", "t2")


@rule(
    "instance-previous-generation",
    topic=TOPIC,
    kinds=["endpoint-variant", "training-job", "tuning-job", "transform-job", "notebook-instance"],
    severity=Severity.LOW,
    params=Generations,
    reads=[
        Part.ENDPOINTS,
        Part.CONFIGS,
        Part.TRAINING_JOBS,
        Part.TUNING_JOBS,
        Part.TRANSFORM_JOBS,
        Part.NOTEBOOKS,
    ],
    merges_into=["endpoint-idle", "endpoint-gpu-unneeded-by-algorithm"],
)
def instance_previous_generation(
    subject: Variant | TrainingJob | TuningJob | TransformJob | NotebookInstance,
    estate: Inventory,
    params: Generations,
) -> Outcome:
    """The instance type is of a previous generation: high for p2, p3 and p3dn under an endpoint, which EC2 lists no
    longer, medium elsewhere; medium for inf1 and dl1; low for m4, c4 and t2."""
    if isinstance(subject, Variant) and (outcome := variant_with_instances(subject, estate)) is not None:
        return outcome
    if isinstance(subject, TrainingJob) and (outcome := own_training_job(subject, estate)) is not None:
        return outcome
    if isinstance(subject, TransformJob) and (outcome := own_job(subject, estate)) is not None:
        return outcome
    if isinstance(subject, TrainingJob) and subject.is_serverless:
        return not_applicable("a serverless job has no instances to choose")
    types = _types(subject)
    if not types:
        raise Unread("no instance type was told")
    families = {type.family for type in types}
    facts: Facts = {
        "instance_type": ", ".join(sorted({type.name for type in types})),
        "family": ", ".join(sorted(families)),
    }
    if families & set(params.high):
        serves = isinstance(subject, Variant)
        return failed(severity=Severity.HIGH if serves else Severity.MEDIUM, withdrawn=True, **facts)
    facts["withdrawn"] = False
    if families & set(params.medium):
        return failed(severity=Severity.MEDIUM, **facts)
    if families & set(params.low):
        return failed(**facts)
    return passed("of a current generation", **facts)


def _types(subject: Variant | TrainingJob | TuningJob | TransformJob | NotebookInstance) -> list[InstanceType]:
    if isinstance(subject, Variant):
        return list(subject.instance_types)
    if isinstance(subject, TrainingJob):
        names = list(subject.instance_types)
    elif isinstance(subject, TuningJob):
        names = [name for definition in subject.definitions for name in definition.instance_types]
    else:
        names = [subject.instance_type] if subject.instance_type else []
    return [InstanceType.parse(name) for name in names]
