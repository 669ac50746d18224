"""Instance fit: accelerators that nothing uses, endpoints that nobody calls, families that are on their way out."""

from collections.abc import Iterable
from datetime import timedelta

from pydantic import NonNegativeFloat, PositiveInt

from chalicelib.inventory.estate import Inventory
from chalicelib.inventory.facts import Unread
from chalicelib.inventory.images import Algorithm, may_be_jumpstart, recognise
from chalicelib.inventory.images import Training as TrainsOn
from chalicelib.inventory.instances import InstanceType
from chalicelib.inventory.kinds.endpoints import Variant
from chalicelib.inventory.kinds.plain import NotebookInstance, TransformJob
from chalicelib.inventory.kinds.training import Training, TrainingJob
from chalicelib.inventory.kinds.tuning import TuningJob
from chalicelib.inventory.metrics import Datapoint
from chalicelib.inventory.parts import Part
from chalicelib.report.findings import Confidence, Facts, Outcome, Severity, failed, not_applicable, passed
from chalicelib.rules.guards import changed, older_than, own_job, own_training_job, variant_with_instances, younger_than
from chalicelib.rules.registry import Params, Window, rule

TOPIC = "instance-fit"


def algorithm_of(job: Training) -> Algorithm | None:
    """The built-in algorithm that a training runs, or None for an unknown one."""
    tags = job.tags if isinstance(job, TrainingJob) else None
    return recognise(job.image, hyperparameters=job.hyperparameters, tags=tags) if job.image else None


def accelerated(types: Iterable[InstanceType]) -> list[str]:
    """The names of those types that carry an accelerator."""
    return [one.name for one in types if one.accelerated]


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
    metrics=[
        Window("Invocations", "window_days"),
        Window("GPUUtilization", "window_days"),
        Window("GPUMemoryUtilization", "window_days"),
    ],
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
    metrics=[Window("Invocations", "window_days")],
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
        other_variants=_other_variants(variant, estate),
    )


def _other_variants(variant: Variant, estate: Inventory) -> list[str]:
    """The production variants beside this one: an endpoint that they need must not be deleted."""
    endpoint = estate.endpoints.get(variant.endpoint_name)
    beside = endpoint.variants if endpoint is not None else ()
    return [other.name for other in beside if other.name != variant.name and not other.shadow]


class Generations(Params):
    medium: tuple[str, ...] = ("p2", "p3", "p3dn")
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
    """The instance type is of a previous generation: medium for p2, p3 and p3dn, low for m4, c4 and t2."""
    if isinstance(subject, Variant) and (outcome := variant_with_instances(subject, estate)) is not None:
        return outcome
    if isinstance(subject, TrainingJob) and (outcome := own_training_job(subject, estate)) is not None:
        return outcome
    if isinstance(subject, TransformJob) and (outcome := own_job(subject, estate)) is not None:
        return outcome
    if isinstance(subject, TrainingJob) and subject.serverless:
        return not_applicable("a serverless job has no instances to choose")
    types = _types(subject)
    if not types:
        raise Unread("no instance type was told")
    families = {one.family for one in types}
    facts: Facts = {
        "instance_type": ", ".join(sorted({one.name for one in types})),
        "family": ", ".join(sorted(families)),
    }
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


def trained_on_instances(job: TrainingJob, estate: Inventory) -> Outcome | None:
    """A training job of somebody's own on instances that were told."""
    if (outcome := own_training_job(job, estate)) is not None:
        return outcome
    if job.serverless:
        return not_applicable("a serverless job has no instances to choose")
    if not job.instance_types:
        raise Unread("no instance type was told")
    return None


def tagged_algorithm_of(job: TrainingJob) -> Algorithm | None:
    """As :func:`algorithm_of`, but raises Unread where only tags tell the algorithm and they were not read."""
    if job.tags is None and job.image and may_be_jumpstart(job.image):
        raise Unread("the tags of the job, which tell the algorithm in a shared image, were not read")
    return algorithm_of(job)


@rule(
    "training-gpu-for-cpu-algorithm",
    topic=TOPIC,
    kinds=["training-job"],
    severity=Severity.MEDIUM,
    reads=[Part.TRAINING_JOBS, Part.TAGS],
    guards=[trained_on_instances],
)
def training_gpu_for_cpu_algorithm(job: TrainingJob, estate: Inventory, params: Params) -> Outcome:
    """An accelerated instance trains an algorithm that trains on the CPU only."""
    if not (on := accelerated(InstanceType.parse(name) for name in job.instance_types)):
        return not_applicable("trains on CPU instances")
    algorithm = tagged_algorithm_of(job)
    if algorithm is None:
        return not_applicable("not a known built-in algorithm")
    if algorithm.training is None:
        raise Unread(f"the image does not tell the version of {algorithm.title}")
    facts: Facts = {"instance_type": ", ".join(on), "algorithm": algorithm.title, "image": job.image}
    if algorithm.training is TrainsOn.CPU_ONLY:
        return failed(**facts)
    return passed(f"{algorithm.title} can use an accelerator", **facts)


@rule(
    "training-cpu-for-gpu-algorithm",
    topic=TOPIC,
    kinds=["training-job"],
    severity=Severity.LOW,
    reads=[Part.TRAINING_JOBS, Part.TAGS],
    guards=[trained_on_instances],
)
def training_cpu_for_gpu_algorithm(job: TrainingJob, estate: Inventory, params: Params) -> Outcome:
    """A CPU instance trains an algorithm for which AWS advises GPUs (info where a GPU is optional)."""
    if accelerated(InstanceType.parse(name) for name in job.instance_types):
        return not_applicable("trains on accelerated instances")
    algorithm = tagged_algorithm_of(job)
    if algorithm is None:
        return not_applicable("not a known built-in algorithm")
    if algorithm.training is None:
        raise Unread(f"the image does not tell the version of {algorithm.title}")
    facts: Facts = {
        "instance_type": ", ".join(job.instance_types),
        "algorithm": algorithm.title,
        "trains_on": algorithm.training.value,
    }
    if algorithm.training in (TrainsOn.GPU_ONLY, TrainsOn.GPU_RECOMMENDED):
        return failed(**facts)
    if algorithm.training is TrainsOn.GPU_OPTIONAL:
        return failed(severity=Severity.INFO, **facts)
    return passed(f"{algorithm.title} trains well on CPUs", **facts)


@rule(
    "training-multi-instance-unsupported",
    topic=TOPIC,
    kinds=["training-job"],
    severity=Severity.MEDIUM,
    reads=[Part.TRAINING_JOBS, Part.TAGS],
    guards=[trained_on_instances],
)
def training_multi_instance_unsupported(job: TrainingJob, estate: Inventory, params: Params) -> Outcome:
    """More than one instance trains an algorithm that uses one machine only."""
    if job.instances is None:
        raise Unread("no instance count was told")
    if job.instances < 2:
        return not_applicable("trains on one instance")
    algorithm = tagged_algorithm_of(job)
    if algorithm is None:
        return not_applicable("not a known built-in algorithm")
    facts: Facts = {"instance_count": job.instances, "algorithm": algorithm.title}
    if algorithm.single_machine:
        return failed(**facts, instance_type=", ".join(job.instance_types) or None)
    return passed(f"{algorithm.title} is not limited to one machine", **facts)
