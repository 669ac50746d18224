"""Instance fit of training: built-in algorithms on what they cannot use, or without what speeds them up."""

from chalicelib.inventory.estate import Inventory
from chalicelib.inventory.facts import Unread
from chalicelib.inventory.images import Algorithm, may_be_jumpstart, recognise
from chalicelib.inventory.images import Training as TrainsOn
from chalicelib.inventory.instances import InstanceType
from chalicelib.inventory.kinds.training import Training, TrainingJob
from chalicelib.inventory.parts import Part
from chalicelib.report.cause import Cause
from chalicelib.report.concern import Concern
from chalicelib.report.findings import Severity
from chalicelib.report.outcomes import Facts, Outcome, failed, not_applicable, passed
from chalicelib.rules.guards import own_training_job
from chalicelib.rules.instance_fit import accelerated
from chalicelib.rules.registry import Params, rule

TOPIC = "instance-fit"


def algorithm_of(job: Training) -> Algorithm | None:
    """The built-in algorithm that a training runs, or None for an unknown one."""
    tags = job.tags if isinstance(job, TrainingJob) else None
    return recognise(job.image, hyperparameters=job.hyperparameters, tags=tags) if job.image else None


def trained_on_instances(job: TrainingJob, estate: Inventory) -> Outcome | None:
    """A training job of somebody's own on instances that were told."""
    if (outcome := own_training_job(job, estate)) is not None:
        return outcome
    if job.is_serverless:
        return not_applicable("a serverless job has no instances to choose")
    if not job.instance_types:
        raise Unread("no instance type was told")
    return None


def tagged_algorithm_of(job: TrainingJob) -> Algorithm | None:
    """As :func:`algorithm_of`, but raises Unread where only tags tell the algorithm and they were not read."""
    if job.tags is None and job.image and may_be_jumpstart(job.image):
        raise Unread(
            "the tags of the job, which tell the algorithm in a shared image, were not read", cause=Cause.FAILED
        )
    return algorithm_of(job)


@rule(
    "training-gpu-for-cpu-algorithm",
    topic=TOPIC,
    kinds=["training-job"],
    severity=Severity.MEDIUM,
    concern=Concern.COSTS,
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
    concern=Concern.COSTS,
    reads=[Part.TRAINING_JOBS, Part.TAGS],
    guards=[trained_on_instances],
)
def training_cpu_for_gpu_algorithm(job: TrainingJob, estate: Inventory, params: Params) -> Outcome:
    """A CPU instance trains an algorithm for which AWS advises GPUs (info where a GPU is optional); of IP Insights and
    NTM a single one only, as AWS names several CPU instances as another way to train these."""
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
    if algorithm.cpu_cluster and _instances(job) > 1:
        return passed(f"several CPU instances are another way to train {algorithm.title}", **facts)
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
    concern=Concern.COSTS,
    reads=[Part.TRAINING_JOBS, Part.TAGS],
    guards=[trained_on_instances],
)
def training_multi_instance_unsupported(job: TrainingJob, estate: Inventory, params: Params) -> Outcome:
    """More than one instance trains an algorithm that uses one machine only, or more than one GPU XGBoost from 1.2 to
    below 1.5, which uses one GPU."""
    instances = _instances(job)
    gpus = _gpus(job)
    several_gpus = gpus is not None and gpus > 1
    if instances < 2 and not several_gpus:
        return not_applicable("trains on one instance")
    algorithm = tagged_algorithm_of(job)
    if algorithm is None:
        return not_applicable("not a known built-in algorithm")
    facts: Facts = {
        "instance_count": instances,
        "algorithm": algorithm.title,
        "instance_type": ", ".join(job.instance_types),
        "gpu_count": gpus,
    }
    if algorithm.single_machine and instances > 1:
        return failed(**facts, uses_one="machine")
    # What a script makes of several GPUs is its own affair, and on an image without GPU support none is used.
    if several_gpus and not algorithm.script_mode and algorithm.training is not TrainsOn.CPU_ONLY:
        if algorithm.single_gpu is None:
            raise Unread(f"the image does not tell the version of {algorithm.title}")
        if algorithm.single_gpu:
            return failed(**facts, uses_one="GPU")
    if instances < 2:
        return not_applicable("trains on one instance")
    return passed(f"{algorithm.title} is not limited to one machine", **facts)


def _instances(job: TrainingJob) -> int:
    """How many instances a job has; raises Unread where nothing tells."""
    if job.instances is None:
        raise Unread("no instance count was told")
    return job.instances


def _gpus(job: TrainingJob) -> int | None:
    """How many GPUs a job has at least, over all its instances; None where it has none."""
    counts = [(group.instance_type, group.instance_count) for group in job.instance_groups]
    parsed = [(InstanceType.parse(name), count) for name, count in counts or [(job.instance_types[0], _instances(job))]]
    with_gpus = [(instance.gpu_count or 1) * count for instance, count in parsed if instance.has_gpu]
    return sum(with_gpus) if with_gpus else None
