"""Instance fit: accelerators that nothing uses, endpoints that nobody calls, families that are on their way out."""

from collections.abc import Iterable
from datetime import timedelta

from pydantic import NonNegativeFloat, PositiveInt

from chalicelib.inventory.estate import Inventory
from chalicelib.inventory.facts import Unread
from chalicelib.inventory.images import recognise
from chalicelib.inventory.instances import InstanceType
from chalicelib.inventory.kinds.endpoints import Variant
from chalicelib.inventory.kinds.plain import NotebookInstance, TransformJob
from chalicelib.inventory.kinds.training import TrainingJob
from chalicelib.inventory.kinds.tuning import TuningJob
from chalicelib.inventory.metrics import Datapoint
from chalicelib.inventory.parts import Part
from chalicelib.report.findings import Confidence, Facts, Outcome, Severity, failed, not_applicable, passed
from chalicelib.rules.guards import changed, older_than, own_job, own_training_job, variant_with_instances, younger_than
from chalicelib.rules.registry import Params, rule

TOPIC = "instance-fit"


def accelerated(types: Iterable[InstanceType]) -> list[str]:
    """The names of those types that carry an accelerator."""
    return [instance.name for instance in types if instance.accelerated]


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
    params=GpuUse,
    reads=[Part.ENDPOINTS, Part.CONFIGS, Part.METRICS],
    metrics=["Invocations", "GPUUtilization", "GPUMemoryUtilization"],
    guards=[variant_with_instances],
)
def endpoint_gpu_underutilized(variant: Variant, estate: Inventory, params: GpuUse) -> Outcome:
    """A variant on GPUs was called in the window, and neither its GPUs nor their memory ever rose above the
    thresholds (percent of all its GPUs)."""
    types = variant.instance_types
    if not all(one.accelerated for one in types):
        return not_applicable("runs on CPU instances")
    if not all(one.has_gpu for one in types):
        return not_applicable("Inferentia and Trainium report no GPU metrics")
    if variant.instance_count == 0:
        return not_applicable("scaled to zero")
    if younger_than(changed(variant), timedelta(days=params.min_age_days), estate):
        return not_applicable(f"changed less than {params.min_age_days:g} days ago")
    calls = total(estate.metric("Invocations", variant, days=params.window_days))
    if not calls:
        return not_applicable("not called in the window; endpoint-idle tells it")
    gpus = min(one.gpu_count or 1 for one in types)
    busiest = peak(estate.metric("GPUUtilization", variant, days=params.window_days), "GPUUtilization")
    memory = peak(estate.metric("GPUMemoryUtilization", variant, days=params.window_days), "GPUMemoryUtilization")
    facts: Facts = {
        "instance_type": ", ".join(one.name for one in types),
        "gpu_count": gpus,
        "max_gpu_utilization": round(busiest, 2),
        "max_gpu_memory_utilization": round(memory, 2),
        "invocations": int(calls),
        "window_days": params.window_days,
        "gpu_threshold": params.gpu_percent * gpus,
        "memory_threshold": params.memory_percent * gpus,
    }
    if busiest < params.gpu_percent * gpus and memory < params.memory_percent * gpus:
        return failed(**facts)
    return passed("its GPUs are used", **facts)


def total(points: list[Datapoint]) -> float:
    return sum(point.value for point in points)


def peak(points: list[Datapoint], name: str) -> float:
    """The highest datapoint; raises Unread without any, as missing is not zero."""
    if not points:
        raise Unread(f"CloudWatch has no {name} datapoints for it", "cloudwatch:GetMetricData")
    return max(point.value for point in points)


@rule(
    "endpoint-gpu-unneeded-by-algorithm",
    topic=TOPIC,
    kinds=["endpoint-variant", "transform-job"],
    severity=Severity.MEDIUM,
    reads=[Part.ENDPOINTS, Part.CONFIGS, Part.MODELS, Part.COMPONENTS, Part.TRANSFORM_JOBS],
)
def endpoint_gpu_unneeded_by_algorithm(subject: Variant | TransformJob, estate: Inventory, params: Params) -> Outcome:
    """An accelerated instance serves containers all of whose algorithms infer on the CPU."""
    if isinstance(subject, Variant):
        if (outcome := variant_with_instances(subject, estate)) is not None:
            return outcome
        types = subject.instance_types
    else:
        if (outcome := own_job(subject, estate)) is not None:
            return outcome
        if subject.instance_type is None:
            raise Unread("DescribeTransformJob gave no instance type")
        types = (InstanceType.parse(subject.instance_type),)
    if not (on := accelerated(types)):
        return not_applicable("runs on CPU instances")
    if isinstance(subject, Variant):
        images = estate.images_of(subject)
    else:
        images = estate.images_of_model(estate.model(subject.model_name))
    algorithms = [recognise(image) for image in images]
    known = [one for one in algorithms if one is not None and one.cpu_inference]
    if not images or len(known) < len(images):
        return passed("not every container holds an algorithm that is known to infer on the CPU", images=images)
    return failed(
        instance_type=", ".join(on),
        algorithms=sorted({one.title for one in known}),
        images=images,
        model=subject.model_name if isinstance(subject, TransformJob) else subject.settings.model_name,
    )


class IdleWindow(Params):
    window_days: PositiveInt = 14


@rule(
    "endpoint-idle",
    topic=TOPIC,
    kinds=["endpoint-variant"],
    severity=Severity.MEDIUM,
    params=IdleWindow,
    reads=[Part.ENDPOINTS, Part.CONFIGS, Part.METRICS],
    metrics=["Invocations"],
    guards=[variant_with_instances],
)
def endpoint_idle(variant: Variant, estate: Inventory, params: IdleWindow) -> Outcome:
    """Instances run, and nobody called them in the window. The endpoint is older than the window; without any datapoint
    the confidence is medium, as SageMaker writes none in a minute without calls."""
    if variant.instance_count == 0:
        return not_applicable("scaled to zero")
    if not older_than(changed(variant), timedelta(days=params.window_days), estate):
        return not_applicable(f"created or changed in the last {params.window_days} days")
    points = estate.metric("Invocations", variant, days=params.window_days)
    calls = total(points)
    if calls:
        return passed("it is called", invocations=int(calls), window_days=params.window_days)
    if variant.hosts_components:
        return not_applicable("calls of inference components are counted on the components")
    return failed(
        confidence=Confidence.HIGH if points else Confidence.MEDIUM,
        invocations=0,
        datapoints=len(points),
        window_days=params.window_days,
        desired_instance_count=variant.instance_count,
        instance_type=", ".join(variant.settings.instance_types),
    )


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
    families = {one.family for one in types}
    facts: Facts = {
        "instance_type": ", ".join(sorted({one.name for one in types})),
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
