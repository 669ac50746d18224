"""Instance fit."""

from typing import Any

from chalicelib.inventory.parts import Part
from chalicelib.report.findings import Severity
from chalicelib.report.outcomes import Confidence
from samples.builders import (
    ACCOUNT,
    COPIED_LDA,
    DEEPAR,
    LDA,
    OWN_IMAGE,
    RANDOM_CUT_FOREST,
    SCIKIT_LEARN,
    SPARKML,
    STEM,
    XGBOOST,
    Series,
    a_component,
    a_definition,
    a_host_of_components,
    a_model,
    a_notebook,
    a_series,
    a_serverless_variant,
    a_target,
    a_training_job,
    a_transform_job,
    a_tuning_job,
    a_variant,
    ago,
    an_image,
    managed_scaling,
)
from samples.cases.case import Case, InDemo, does_not_apply, fails, is_unknown, passes
from samples.cases.instances import IN_TRANSITION, NOT_SERVING

GPU_USE = "endpoint-gpu-underutilized"
UNNEEDED = "endpoint-gpu-unneeded-by-algorithm"
IDLE = "endpoint-idle"
GENERATION = "instance-previous-generation"

ONE_GPU, FOUR_GPUS = a_variant(instance_type="ml.g5.xlarge"), a_variant(instance_type="ml.g5.12xlarge")
CALLS = a_series("Invocations", {1: 400.0, 2: 100.0})

#: Whose jobs nobody chose the instances of.
NOT_OWN_JOBS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("a child of a tuning job", {"TuningJobArn": f"{STEM}:hyper-parameter-tuning-job/churn-tuning"}),
    ("a job of AutoML", {"AutoMLJobArn": f"{STEM}:automl-job/churn"}),
    ("a job of Ground Truth", {"LabelingJobArn": f"{STEM}:labeling-job/churn"}),
)


def use(gpu: float, memory: float) -> tuple[Series, Series]:
    """A day's highest utilization of the GPUs and of their memory, in percent of one GPU each."""
    return a_series("GPUUtilization", {1: gpu, 2: 0.0}), a_series("GPUMemoryUtilization", {1: memory, 2: 0.0})


def p99(gpu: float, memory: float) -> tuple[Series, Series]:
    """The 99th percentile of the window."""
    return a_series("GPUUtilizationP99", {7: gpu}), a_series("GPUMemoryUtilizationP99", {7: memory})


def pools(*types: str, **overrides: str) -> dict[str, Any]:
    """``settings`` of a variant with these instance pools; ``overrides`` are their models, by family."""
    members: list[dict[str, Any]] = []
    for priority, name in enumerate(types, 1):
        model = overrides.get(name.split(".")[1])
        members.append({"InstanceType": name, "Priority": priority, **({"ModelNameOverride": model} if model else {})})
    return {"InstancePools": members}


SCALED_GPU = a_variant(instance_type="ml.g5.xlarge", modified=ago(hours=1))
GPU_POOLS = a_variant(instance_type=None, settings=pools("ml.g5.xlarge", "ml.g6.xlarge"))
PROCESSED = ("InvocationsProcessed", "InvocationsProcesssed")
VLLM = an_image("vllm", account="763104351884", tag="0.11.0-gpu-py312-cu128-ubuntu22.04-sagemaker")
LARGE_MODEL_INFERENCE = an_image("djl-inference", account="763104351884", tag="0.32.0-lmi14.0.0-cu126")
RESERVING = (
    ("vLLM", VLLM),
    ("vLLM", "vllm/vllm-openai:v0.11.0"),
    ("SGLang", an_image("sglang", account=ACCOUNT)),
    (
        "Text Generation Inference",
        an_image("huggingface-pytorch-tgi-inference", account="763104351884", tag="2.4.0-tgi3.0.1-gpu-py311-cu124"),
    ),
    ("Large Model Inference (DJL Serving with vLLM or TensorRT-LLM)", LARGE_MODEL_INFERENCE),
)


GPU_UNDERUTILIZED: list[Case] = [
    fails(
        GPU_USE,
        "one GPU, little used",
        ONE_GPU,
        CALLS,
        *use(12.3456, 10.9876),
        severity=Severity.MEDIUM,
        evidence={
            "instance_type": "ml.g5.xlarge",
            "gpu_count": 1,
            "gpu_utilization": 12.35,
            "gpu_memory_utilization": 10.99,
            "statistic": "Maximum",
            "memory_reserved_by": None,
            "invocations": 500,
            "window_days": 7,
            "gpu_threshold": 20,
            "memory_threshold": 30,
        },
        in_demo=[
            InDemo("endpoint-variant sentiment-analysis/AllTraffic"),
            InDemo("endpoint-variant avatar-moderation/AllTraffic"),
            InDemo("endpoint-variant ticket-routing/AllTraffic", told_with="endpoint-gpu-unneeded-by-algorithm"),
        ],
    ),
    fails(
        GPU_USE,
        "GPUs just below the threshold",
        ONE_GPU,
        CALLS,
        *use(19.99, 10),
        severity=Severity.MEDIUM,
        boundary="gpu_percent",
    ),
    passes(GPU_USE, "GPUs at the threshold", ONE_GPU, CALLS, *use(20, 10), boundary="gpu_percent"),
    fails(
        GPU_USE,
        "memory just below the threshold",
        ONE_GPU,
        CALLS,
        *use(10, 29.99),
        severity=Severity.MEDIUM,
        boundary="memory_percent",
    ),
    passes(GPU_USE, "memory at the threshold", ONE_GPU, CALLS, *use(10, 30), boundary="memory_percent"),
    fails(
        GPU_USE,
        "four GPUs just below the threshold of all four",
        FOUR_GPUS,
        CALLS,
        *use(79.9, 119.9),
        severity=Severity.MEDIUM,
        evidence={"gpu_count": 4, "gpu_threshold": 80, "memory_threshold": 120},
        boundary="gpu_percent",
    ),
    passes(GPU_USE, "four GPUs at the threshold of all four", FOUR_GPUS, CALLS, *use(80, 10), boundary="gpu_percent"),
    passes(
        GPU_USE,
        "the memory of four GPUs at the threshold of all four",
        FOUR_GPUS,
        CALLS,
        *use(10, 120),
        boundary="memory_percent",
    ),
    passes(
        GPU_USE,
        "more than the policy asks for",
        ONE_GPU,
        CALLS,
        *use(10, 3),
        params={"gpu_percent": 10, "memory_percent": 5},
    ),
    passes(
        GPU_USE,
        "as much memory as the policy asks for",
        ONE_GPU,
        CALLS,
        *use(3, 5),
        params={"gpu_percent": 10, "memory_percent": 5},
    ),
    passes(
        GPU_USE,
        "a number of GPUs that is not known counts as one",
        a_variant(instance_type="ml.p9.48xlarge"),
        CALLS,
        *use(20, 10),
    ),
    fails(
        GPU_USE,
        "called on the first day of the window",
        ONE_GPU,
        a_series("Invocations", {7: 1.0}),
        *use(5, 5),
        severity=Severity.MEDIUM,
        evidence={"invocations": 1},
        boundary="window_days",
    ),
    does_not_apply(
        GPU_USE,
        "last called on the day before the window",
        ONE_GPU,
        a_series("Invocations", {8: 1.0}),
        *use(5, 5),
        boundary="window_days",
    ),
    fails(
        GPU_USE,
        "busy on the day before the window",
        ONE_GPU,
        CALLS,
        a_series("GPUUtilization", {1: 5.0, 8: 90.0}),
        a_series("GPUMemoryUtilization", {1: 5.0, 8: 90.0}),
        severity=Severity.MEDIUM,
        evidence={"gpu_utilization": 5},
        boundary="window_days",
    ),
    passes(
        GPU_USE,
        "busy in the window of the policy",
        ONE_GPU,
        CALLS,
        a_series("GPUUtilization", {1: 5.0, 8: 90.0}),
        a_series("GPUMemoryUtilization", {1: 5.0}),
        params={"window_days": 8},
    ),
    fails(
        GPU_USE,
        "as old as asked for",
        a_variant(instance_type="ml.g5.xlarge", modified=ago(days=7)),
        CALLS,
        *use(5, 5),
        severity=Severity.MEDIUM,
        boundary="min_age_days",
    ),
    does_not_apply(
        GPU_USE,
        "a second younger than asked for",
        a_variant(instance_type="ml.g5.xlarge", modified=ago(days=6, hours=23, minutes=59, seconds=59)),
        CALLS,
        *use(5, 5),
        boundary="min_age_days",
    ),
    does_not_apply(
        GPU_USE,
        "younger than the policy asks for",
        a_variant(instance_type="ml.g5.xlarge", modified=ago(days=29)),
        CALLS,
        *use(5, 5),
        params={"min_age_days": 30},
    ),
    fails(
        GPU_USE,
        "a minute at its busiest, and hardly used in 99 % of the time",
        ONE_GPU,
        CALLS,
        *use(95, 95),
        *p99(5, 8),
        severity=Severity.MEDIUM,
        evidence={"statistic": "p99", "gpu_utilization": 5, "gpu_memory_utilization": 8},
    ),
    passes(GPU_USE, "used in more than 1 % of the time", ONE_GPU, CALLS, *use(95, 95), *p99(20, 8)),
    *[
        fails(
            GPU_USE,
            f"memory that {title} reserves at its start, {image.split('/')[-1]}",
            ONE_GPU,
            a_model(image),
            CALLS,
            *use(5, 92),
            severity=Severity.MEDIUM,
            confidence=Confidence.MEDIUM,
            evidence={"memory_reserved_by": title},
            in_demo=[InDemo("endpoint-variant support-drafts/AllTraffic")] if image == LARGE_MODEL_INFERENCE else [],
        )
        for title, image in RESERVING
    ],
    passes(GPU_USE, "memory that a model of one's own fills", ONE_GPU, a_model(OWN_IMAGE), CALLS, *use(5, 92)),
    passes(GPU_USE, "a GPU that a server of language models uses", ONE_GPU, a_model(VLLM), CALLS, *use(60, 92)),
    fails(
        GPU_USE,
        "no datapoints of memory that is not asked",
        ONE_GPU,
        a_model(VLLM),
        CALLS,
        a_series("GPUUtilization", {1: 5.0}),
        severity=Severity.MEDIUM,
        confidence=Confidence.MEDIUM,
        evidence={"gpu_memory_utilization": None},
    ),
    # "Alarms and logs for tracking metrics from asynchronous endpoints": no Invocations, and it is spelled both ways
    *[
        fails(
            GPU_USE,
            f"an asynchronous endpoint that processed requests, by {metric}",
            a_variant(instance_type="ml.g5.xlarge", asynchronous=True),
            a_series(metric, {1: 12.0}),
            *use(5, 5),
            severity=Severity.MEDIUM,
            evidence={"invocations": 12},
        )
        for metric in PROCESSED
    ],
    does_not_apply(
        GPU_USE,
        "an asynchronous endpoint that processed nothing",
        a_variant(instance_type="ml.g5.xlarge", asynchronous=True),
        a_series("InvocationsProcessed", {1: 0.0}),
        *use(0, 0),
    ),
    is_unknown(
        GPU_USE,
        "no datapoints of what an asynchronous endpoint processed",
        a_variant(instance_type="ml.g5.xlarge", asynchronous=True),
        CALLS,
        *use(5, 5),
    ),
    fails(
        GPU_USE,
        "a host whose components are called",
        a_host_of_components(instance_type="ml.g5.xlarge"),
        a_component(),
        a_series("ComponentInvocations", {1: 7.0}, component="churn-component"),
        *use(5, 5),
        severity=Severity.MEDIUM,
        evidence={"invocations": 7},
    ),
    does_not_apply(
        GPU_USE,
        "a host whose components nobody calls",
        a_host_of_components(instance_type="ml.g5.xlarge"),
        a_component(),
        *use(5, 5),
    ),
    # every step of automatic scaling moves LastModifiedTime (UpdateEndpointWeightsAndCapacities)
    fails(
        GPU_USE,
        "scaled an hour ago, and deployed long before",
        SCALED_GPU,
        a_target(SCALED_GPU),
        CALLS,
        *use(5, 5),
        severity=Severity.MEDIUM,
    ),
    does_not_apply(
        GPU_USE,
        "scaled an hour ago, and moved to its config a day ago",
        a_variant(instance_type="ml.g5.xlarge", modified=ago(hours=1), config_created=ago(days=1)),
        a_target(SCALED_GPU),
        CALLS,
        *use(5, 5),
    ),
    fails(
        GPU_USE,
        "a host that managed scaling changed an hour ago",
        a_host_of_components(instance_type="ml.g5.xlarge", modified=ago(hours=1), running=managed_scaling(2)),
        a_component(),
        a_series("ComponentInvocations", {1: 7.0}, component="churn-component"),
        *use(5, 5),
        severity=Severity.MEDIUM,
    ),
    does_not_apply(
        GPU_USE,
        "changed an hour ago, and managed scaling has no effect on a variant with a model",
        a_variant(instance_type="ml.g5.xlarge", modified=ago(hours=1), running=managed_scaling(2)),
        CALLS,
        *use(5, 5),
    ),
    is_unknown(
        GPU_USE,
        "changed an hour ago, and what scales it could not be read",
        SCALED_GPU,
        CALLS,
        *use(5, 5),
        unread=[Part.TARGETS],
    ),
    # InstancePools: whether the pair of endpoint and variant keeps a series of its own is not documented
    fails(
        GPU_USE,
        "instance pools whose datapoints carry the instance type",
        GPU_POOLS,
        *[a_series("Invocations", {1: 50.0}, instance_type=name) for name in ("ml.g5.xlarge", "ml.g6.xlarge")],
        *[a_series("GPUUtilization", {1: 5.0}, instance_type=name) for name in ("ml.g5.xlarge", "ml.g6.xlarge")],
        a_series("GPUMemoryUtilization", {1: 5.0}, instance_type="ml.g6.xlarge"),
        severity=Severity.MEDIUM,
        evidence={"invocations": 100, "instance_type": "ml.g5.xlarge, ml.g6.xlarge"},
    ),
    passes(
        GPU_USE,
        "one of two instance pools is used",
        GPU_POOLS,
        CALLS,
        a_series("GPUUtilization", {1: 5.0}, instance_type="ml.g5.xlarge"),
        a_series("GPUUtilization", {1: 50.0}, instance_type="ml.g6.xlarge"),
        a_series("GPUMemoryUtilization", {1: 5.0}, instance_type="ml.g6.xlarge"),
    ),
    does_not_apply(
        GPU_USE,
        "one of two instance pools has no GPU",
        a_variant(instance_type=None, settings=pools("ml.g5.xlarge", "ml.c5.xlarge")),
        CALLS,
        *use(5, 5),
    ),
    is_unknown(
        GPU_USE,
        "an instance pool that names no type",
        a_variant(instance_type=None, settings={"InstancePools": [{"InstanceType": "ml.g5.xlarge"}, {"Priority": 2}]}),
        CALLS,
        *use(5, 5),
    ),
    does_not_apply(GPU_USE, "not called", ONE_GPU, a_series("Invocations", {1: 0.0}), *use(0, 0)),
    does_not_apply(GPU_USE, "no datapoints of calls", ONE_GPU, *use(0, 0)),
    does_not_apply(GPU_USE, "CPU instances", a_variant(), CALLS),
    does_not_apply(GPU_USE, "Graviton", a_variant(instance_type="ml.c6g.xlarge"), CALLS),
    does_not_apply(GPU_USE, "Inferentia reports no GPUs", a_variant(instance_type="ml.inf2.xlarge"), CALLS),
    does_not_apply(GPU_USE, "scaled to zero", a_variant(instance_type="ml.g5.xlarge", count=0), CALLS),
    does_not_apply(GPU_USE, "a serverless variant", a_serverless_variant(), CALLS),
    does_not_apply(
        GPU_USE, "a shadow variant", a_variant(instance_type="ml.g5.xlarge", shadow=True), CALLS, *use(5, 5)
    ),
    *[
        does_not_apply(
            GPU_USE,
            f"an endpoint that is {status}",
            a_variant(instance_type="ml.g5.xlarge", status=status),
            CALLS,
            *use(5, 5),
        )
        for status in (*IN_TRANSITION, *NOT_SERVING)
    ],
    is_unknown(GPU_USE, "no datapoints of GPUs", ONE_GPU, CALLS, a_series("GPUMemoryUtilization", {1: 5.0})),
    is_unknown(GPU_USE, "no datapoints of the GPUs' memory", ONE_GPU, CALLS, a_series("GPUUtilization", {1: 5.0})),
    is_unknown(GPU_USE, "the metrics could not be read", ONE_GPU, unread=[Part.METRICS]),
    is_unknown(
        GPU_USE,
        "the config could not be read",
        a_variant(config_read=False),
        CALLS,
        *use(5, 5),
        unread=[(Part.CONFIGS, "churn-config")],
    ),
    is_unknown(
        GPU_USE,
        "AWS gave no time",
        a_variant(instance_type="ml.g5.xlarge", created=None, modified=None),
        CALLS,
        *use(5, 5),
    ),
]

GPU_UNNEEDED: list[Case] = [
    fails(
        UNNEEDED,
        "an algorithm that infers on CPUs",
        ONE_GPU,
        a_model(LDA),
        severity=Severity.MEDIUM,
        evidence={
            "instance_type": "ml.g5.xlarge",
            "algorithms": ["Latent Dirichlet Allocation"],
            "images": [LDA],
            "model": "churn-model",
        },
        in_demo=[InDemo("endpoint-variant document-layout/AllTraffic")],
    ),
    *[
        fails(UNNEEDED, f"{image.split('/')[1]} infers on CPUs", ONE_GPU, a_model(image), severity=Severity.MEDIUM)
        for image in (RANDOM_CUT_FOREST, DEEPAR, SCIKIT_LEARN, SPARKML)
    ],
    fails(
        UNNEEDED,
        "a pipeline of algorithms that infer on CPUs",
        ONE_GPU,
        a_model(SPARKML, SCIKIT_LEARN),
        severity=Severity.MEDIUM,
        evidence={"algorithms": ["SparkML Serving", "scikit-learn"]},
        in_demo=[
            InDemo(
                "endpoint-variant ticket-routing/AllTraffic", remark="That its GPUs are hardly used is told with it."
            )
        ],
    ),
    fails(
        UNNEEDED,
        "Inferentia",
        a_variant(instance_type="ml.inf1.xlarge"),
        a_model(LDA),
        severity=Severity.MEDIUM,
    ),
    fails(
        UNNEEDED,
        "a component whose algorithm infers on CPUs",
        a_host_of_components(instance_type="ml.g5.xlarge"),
        a_component(),
        a_model(LDA),
        severity=Severity.MEDIUM,
        evidence={"images": [LDA]},
    ),
    fails(
        UNNEEDED,
        "a component that names its image",
        a_host_of_components(instance_type="ml.g5.xlarge"),
        a_component(model=None, specification={"Container": {"Image": LDA}}),
        severity=Severity.MEDIUM,
    ),
    fails(
        UNNEEDED,
        "a transform job of an algorithm that infers on CPUs",
        a_transform_job(instance_type="ml.p3.2xlarge"),
        a_model(RANDOM_CUT_FOREST),
        severity=Severity.MEDIUM,
        evidence={"instance_type": "ml.p3.2xlarge", "model": "churn-model"},
        in_demo=[InDemo("transform-job anomaly-batch-gpu")],
    ),
    fails(
        UNNEEDED,
        "the model of an instance pool infers on CPUs",
        a_variant(instance_type=None, settings=pools("ml.c5.xlarge", "ml.g5.xlarge", g5="other")),
        a_model(XGBOOST),
        a_model(LDA, name="other"),
        severity=Severity.MEDIUM,
        evidence={"instance_type": "ml.g5.xlarge", "images": [LDA], "model": "other"},
    ),
    passes(
        UNNEEDED,
        "the model of an instance pool needs the GPU, and that of the variant infers on CPUs",
        a_variant(instance_type=None, settings=pools("ml.c5.xlarge", "ml.g5.xlarge", g5="other")),
        a_model(LDA),
        a_model(OWN_IMAGE, name="other"),
        evidence={"images": [OWN_IMAGE]},
    ),
    fails(
        UNNEEDED,
        "every instance pool brings a model of its own",
        a_variant(model=None, instance_type=None, settings=pools("ml.g5.xlarge", g5="other")),
        a_model(LDA, name="other"),
        severity=Severity.MEDIUM,
    ),
    fails(
        UNNEEDED,
        "the model of one of two instance pools infers on CPUs, and that of the other was not found",
        a_variant(instance_type=None, settings=pools("ml.g5.xlarge", "ml.g6.xlarge", g6="other")),
        a_model(LDA),
        severity=Severity.MEDIUM,
        evidence={"instance_type": "ml.g5.xlarge"},
    ),
    is_unknown(
        UNNEEDED,
        "the model of an instance pool was not found",
        a_variant(instance_type=None, settings=pools("ml.g5.xlarge", "ml.g6.xlarge", g6="other")),
        a_model(XGBOOST),
    ),
    passes(UNNEEDED, "an algorithm that infers on either", ONE_GPU, a_model(XGBOOST), evidence={"images": [XGBOOST]}),
    passes(UNNEEDED, "an image of one's own", ONE_GPU, a_model(OWN_IMAGE)),
    passes(UNNEEDED, "instances on which no component runs", a_host_of_components(instance_type="ml.g5.xlarge")),
    passes(UNNEEDED, "a private copy of a built-in image", ONE_GPU, a_model(COPIED_LDA)),
    passes(UNNEEDED, "a pipeline with an image of one's own", ONE_GPU, a_model(SPARKML, OWN_IMAGE)),
    passes(
        UNNEEDED,
        "one component of two infers on either",
        a_host_of_components(instance_type="ml.g5.xlarge"),
        a_component("one"),
        a_component("two", model="other"),
        a_model(LDA),
        a_model(XGBOOST, name="other"),
    ),
    passes(
        UNNEEDED,
        "a transform job of an image of one's own",
        a_transform_job(instance_type="ml.p3.2xlarge"),
        a_model(),
    ),
    does_not_apply(UNNEEDED, "CPU instances", a_variant(), a_model(LDA)),
    does_not_apply(UNNEEDED, "Graviton", a_variant(instance_type="ml.c6g.xlarge"), a_model(LDA)),
    does_not_apply(UNNEEDED, "a transform job on CPUs", a_transform_job(), a_model(LDA)),
    does_not_apply(UNNEEDED, "a serverless variant", a_serverless_variant(), a_model(LDA)),
    does_not_apply(
        UNNEEDED,
        "a shadow variant",
        a_variant(instance_type="ml.g5.xlarge", shadow=True),
        a_model(LDA),
    ),
    *[
        does_not_apply(
            UNNEEDED,
            f"transform: {name}",
            a_transform_job(instance_type="ml.p3.2xlarge", **started_by),
            a_model(LDA),
        )
        for name, started_by in NOT_OWN_JOBS[1:]
    ],
    *[
        does_not_apply(
            UNNEEDED,
            f"an endpoint that is {status}",
            a_variant(instance_type="ml.g5.xlarge", status=status),
            a_model(LDA),
        )
        for status in (*IN_TRANSITION, *NOT_SERVING)
    ],
    is_unknown(UNNEEDED, "the model was not found", ONE_GPU),
    is_unknown(UNNEEDED, "the models could not be read", ONE_GPU, unread=[Part.MODELS]),
    is_unknown(UNNEEDED, "the model could not be read", ONE_GPU, unread=[(Part.MODELS, "churn-model")]),
    is_unknown(UNNEEDED, "a model package hides the image", ONE_GPU, a_model(None)),
    is_unknown(UNNEEDED, "a model package hides one image of two", ONE_GPU, a_model(LDA, None)),
    is_unknown(
        UNNEEDED,
        "the components could not be read",
        a_host_of_components(instance_type="ml.g5.xlarge"),
        unread=[Part.COMPONENTS],
    ),
    is_unknown(
        UNNEEDED,
        "the config could not be read",
        a_variant(config_read=False),
        a_model(LDA),
        unread=[(Part.CONFIGS, "churn-config")],
    ),
    is_unknown(
        UNNEEDED, "a transform job of an unknown instance type", a_transform_job(instance_type=None), a_model(LDA)
    ),
    is_unknown(UNNEEDED, "the model of a transform job was not found", a_transform_job(instance_type="ml.p3.2xlarge")),
]

ENDPOINT_IDLE: list[Case] = [
    fails(
        IDLE,
        "every datapoint says that nobody called",
        a_variant(),
        a_series("Invocations", {1: 0.0, 2: 0.0}),
        severity=Severity.MEDIUM,
        confidence=Confidence.HIGH,
        evidence={
            "invocations": 0,
            "datapoints": 2,
            "window_days": 14,
            "desired_instance_count": 2,
            "instance_type": "ml.m5.large",
        },
    ),
    fails(
        IDLE,
        "no datapoints at all",
        a_variant(),
        severity=Severity.MEDIUM,
        confidence=Confidence.MEDIUM,
        evidence={"invocations": 0, "datapoints": 0},
        in_demo=[
            InDemo("endpoint-variant returns-forecast/AllTraffic"),
            InDemo(
                "endpoint-variant face-matching/AllTraffic",
                remark=(
                    "Never called, so that endpoint-gpu-underutilized has nothing to say, and what would make it "
                    "better is told with it."
                ),
            ),
        ],
    ),
    fails(
        IDLE,
        "a variant beside one that has just scaled, which changed their endpoint",
        a_variant(modified=ago(hours=1)),
        a_variant("green", modified=ago(hours=1)),
        a_target(a_variant("green")),
        severity=Severity.MEDIUM,
        confidence=Confidence.MEDIUM,
    ),
    # "Alarms and logs for tracking metrics from asynchronous endpoints": Invocations is not published
    *[
        passes(
            IDLE,
            f"an asynchronous endpoint that processed requests, by {metric}",
            a_variant(asynchronous=True),
            a_series(metric, {1: 3.0}),
            evidence={"invocations": 3},
        )
        for metric in PROCESSED
    ],
    *[
        fails(
            IDLE,
            f"an asynchronous endpoint that processed nothing, and for which nothing waited, by {metric}",
            a_variant(asynchronous=True),
            a_series(metric, {1: 0.0}),
            a_series("ApproximateBacklogSize", {1: 0.0, 2: 0.0}),
            severity=Severity.MEDIUM,
            evidence={"invocations": 0, "datapoints": 1},
        )
        for metric in PROCESSED
    ],
    passes(
        IDLE,
        "an asynchronous endpoint for which requests wait",
        a_variant(asynchronous=True),
        a_series("ApproximateBacklogSize", {1: 0.0, 2: 4.0}),
    ),
    is_unknown(IDLE, "an asynchronous endpoint without datapoints", a_variant(asynchronous=True)),
    is_unknown(
        IDLE,
        "an asynchronous endpoint without datapoints of its backlog",
        a_variant(asynchronous=True),
        a_series("InvocationsProcessed", {1: 0.0}),
    ),
    is_unknown(
        IDLE,
        "an asynchronous endpoint without datapoints of what it processed",
        a_variant(asynchronous=True),
        a_series("Invocations", {1: 0.0}),
        a_series("ApproximateBacklogSize", {1: 0.0}),
    ),
    fails(
        IDLE,
        "scaled an hour ago, deployed long before, and not called",
        a_variant(modified=ago(hours=1)),
        a_target(a_variant()),
        severity=Severity.MEDIUM,
        confidence=Confidence.MEDIUM,
    ),
    does_not_apply(
        IDLE,
        "moved to its config within the window",
        a_variant(config_created=ago(days=13), modified=ago(days=12)),
        a_target(a_variant()),
    ),
    fails(
        IDLE,
        "the config was made again under its name after the last change",
        a_variant(config_created=ago(days=13)),
        severity=Severity.MEDIUM,
        confidence=Confidence.MEDIUM,
    ),
    fails(
        IDLE,
        "a host on which no inference component runs",
        a_host_of_components(),
        severity=Severity.MEDIUM,
        evidence={"without_components": True, "desired_instance_count": 2},
        in_demo=[InDemo("endpoint-variant llm-staging/AllTraffic")],
    ),
    does_not_apply(IDLE, "a host of components, which are judged one by one", a_host_of_components(), a_component()),
    fails(
        IDLE,
        "a component that nobody calls",
        a_component(),
        a_host_of_components(),
        a_series("ComponentInvocations", {1: 0.0}, component="churn-component"),
        severity=Severity.MEDIUM,
        evidence={"desired_copy_count": 2, "invocations": 0, "datapoints": 1},
    ),
    fails(
        IDLE,
        "a component without datapoints",
        a_component(),
        a_host_of_components(),
        severity=Severity.MEDIUM,
        confidence=Confidence.MEDIUM,
    ),
    fails(
        IDLE,
        "a component without datapoints beside one that is called",
        a_component(),
        a_component("other"),
        a_host_of_components(),
        a_series("ComponentInvocations", {1: 5.0}, component="other"),
        a_series("Invocations", {1: 5.0}),
        severity=Severity.MEDIUM,
        confidence=Confidence.MEDIUM,
    ),
    is_unknown(
        IDLE,
        "calls that are counted on the host only",
        a_component(),
        a_host_of_components(),
        a_series("Invocations", {1: 5.0}),
    ),
    passes(
        IDLE,
        "a component that is called",
        a_component(),
        a_host_of_components(),
        a_series("ComponentInvocations", {1: 5.0}, component="churn-component"),
        evidence={"invocations": 5},
    ),
    does_not_apply(IDLE, "a component of the window", a_component(created=ago(days=3)), a_host_of_components()),
    does_not_apply(
        IDLE, "a component that was changed in the window", a_component(modified=ago(days=3)), a_host_of_components()
    ),
    fails(
        IDLE,
        "a component that was scaled in the window",
        a_component(modified=ago(days=3)),
        a_host_of_components(),
        a_target(a_component()),
        severity=Severity.MEDIUM,
        confidence=Confidence.MEDIUM,
    ),
    does_not_apply(IDLE, "a component without copies", a_component(copies=0), a_host_of_components()),
    does_not_apply(IDLE, "an adapter", a_component(base="other"), a_host_of_components()),
    does_not_apply(IDLE, "a component that failed", a_component(status="Failed"), a_host_of_components()),
    is_unknown(IDLE, "no copy count was told", a_component(copies=None), a_host_of_components()),
    fails(
        IDLE,
        "nobody calls a variant without traffic",
        a_variant(weight=0),
        severity=Severity.MEDIUM,
        confidence=Confidence.MEDIUM,
        in_demo=[
            InDemo(
                "endpoint-variant recommendations-ab/challenger",
                remark="Its weight of 0 spares it from endpoint-single-instance only.",
            )
        ],
    ),
    fails(
        IDLE,
        "calls of another variant",
        a_variant("A"),
        a_variant("B"),
        a_series("Invocations", {1: 100.0}, variant="B"),
        severity=Severity.MEDIUM,
        confidence=Confidence.MEDIUM,
    ),
    passes(
        IDLE,
        "a single call",
        a_variant(),
        a_series("Invocations", {1: 0.0, 5: 1.0}),
        evidence={"invocations": 1, "window_days": 14},
    ),
    passes(
        IDLE,
        "called on the first day of the window",
        a_variant(),
        a_series("Invocations", {14: 1.0}),
        boundary="window_days",
    ),
    fails(
        IDLE,
        "last called on the day before the window",
        a_variant(),
        a_series("Invocations", {15: 100.0}),
        severity=Severity.MEDIUM,
        confidence=Confidence.MEDIUM,
        boundary="window_days",
    ),
    fails(
        IDLE,
        "a second older than the window",
        a_variant(modified=ago(days=14, seconds=1)),
        severity=Severity.MEDIUM,
        confidence=Confidence.MEDIUM,
        boundary="window_days",
    ),
    does_not_apply(
        IDLE,
        "a second younger than the window",
        a_variant(modified=ago(days=13, hours=23, minutes=59, seconds=59)),
        boundary="window_days",
    ),
    does_not_apply(IDLE, "just as old as the window", a_variant(modified=ago(days=14)), boundary="window_days"),
    does_not_apply(
        IDLE,
        "created within the window, and no later change was told",
        a_variant(created=ago(days=2), modified=None),
    ),
    fails(
        IDLE,
        "older than the window of the policy",
        a_variant(modified=ago(days=3)),
        params={"window_days": 2},
        severity=Severity.MEDIUM,
        confidence=Confidence.MEDIUM,
        evidence={"window_days": 2},
    ),
    does_not_apply(IDLE, "scaled to zero", a_variant(count=0)),
    does_not_apply(IDLE, "a serverless variant", a_serverless_variant()),
    does_not_apply(IDLE, "a shadow variant", a_variant(shadow=True)),
    *[
        does_not_apply(IDLE, f"an endpoint that is {status}", a_variant(status=status))
        for status in (*IN_TRANSITION, *NOT_SERVING)
    ],
    is_unknown(IDLE, "the metrics could not be read", a_variant(), unread=[Part.METRICS]),
    is_unknown(IDLE, "no count was told", a_variant(count=None)),
    is_unknown(IDLE, "AWS gave no time", a_variant(created=None, modified=None)),
    is_unknown(
        IDLE,
        "the config could not be read",
        a_variant(config_read=False),
        unread=[(Part.CONFIGS, "churn-config")],
    ),
]

BURSTABLE_IN_DEMO = [
    InDemo("endpoint-variant thumbnail-quality/AllTraffic"),
    InDemo(
        "endpoint-variant basket-analysis/AllTraffic",
        remark='AWS registers no burstable instances for scaling ("Configure model auto scaling with the console").',
    ),
]
PREVIOUS_GENERATION: list[Case] = [
    *[
        fails(
            GENERATION,
            f"an endpoint on {instance_type}",
            a_variant(instance_type=instance_type),
            severity=severity,
            evidence={"instance_type": instance_type, "family": instance_type.split(".")[1]},
            in_demo=in_demo,
        )
        for instance_type, severity, in_demo in (
            ("ml.p2.xlarge", Severity.HIGH, []),
            ("ml.p3.2xlarge", Severity.HIGH, [InDemo("endpoint-variant visual-search/AllTraffic")]),
            ("ml.p3dn.24xlarge", Severity.HIGH, []),
            ("ml.inf1.xlarge", Severity.MEDIUM, []),
            ("ml.m4.xlarge", Severity.LOW, []),
            ("ml.c4.xlarge", Severity.LOW, []),
            ("ml.t2.medium", Severity.LOW, BURSTABLE_IN_DEMO),
        )
    ],
    *[
        passes(GENERATION, f"an endpoint on {instance_type}", a_variant(instance_type=instance_type))
        for instance_type in ("ml.m5.large", "ml.c5.large", "ml.t3.medium", "ml.p4d.24xlarge", "ml.m4x.large")
    ],
    fails(
        GENERATION,
        "one pool of a previous generation",
        a_variant(
            instance_type=None,
            settings={"InstancePools": [{"InstanceType": "ml.m5.large"}, {"InstanceType": "ml.m4.xlarge"}]},
        ),
        severity=Severity.LOW,
        evidence={"instance_type": "ml.m4.xlarge, ml.m5.large"},
    ),
    fails(
        GENERATION,
        "the worse of two generations counts",
        a_variant(
            instance_type=None,
            settings={"InstancePools": [{"InstanceType": "ml.m4.xlarge"}, {"InstanceType": "ml.p3.2xlarge"}]},
        ),
        severity=Severity.HIGH,
    ),
    fails(
        GENERATION,
        "a training job",
        a_training_job(instance_type="ml.p3.2xlarge"),
        severity=Severity.MEDIUM,
        evidence={"withdrawn": True},
        in_demo=[InDemo("training-job topics-lda-gpu"), InDemo("training-job defects-image-classification-p3")],
    ),
    fails(
        GENERATION,
        "a training job on Gaudi",
        a_training_job(instance_type="ml.dl1.24xlarge"),
        severity=Severity.MEDIUM,
        evidence={"withdrawn": False},
    ),
    fails(
        GENERATION,
        "a transform job on a GPU that EC2 lists no longer",
        a_transform_job(instance_type="ml.p2.xlarge"),
        severity=Severity.MEDIUM,
        in_demo=[InDemo("transform-job archive-embeddings-p2")],
    ),
    fails(
        GENERATION,
        "a family that the policy lists as high",
        a_variant(instance_type="ml.g4dn.xlarge"),
        params={"high": ["g4dn"]},
        severity=Severity.HIGH,
    ),
    does_not_apply(
        GENERATION,
        "a serverless training job as Search tells it",
        a_training_job(instance_type=None, instances=None, ResourceConfig=None),
    ),
    fails(
        GENERATION,
        "one group of a heterogeneous cluster",
        a_training_job(
            instance_type=None,
            resources={
                "InstanceGroups": [
                    {"InstanceType": "ml.g5.xlarge", "InstanceCount": 1, "InstanceGroupName": "gpu"},
                    {"InstanceType": "ml.c4.xlarge", "InstanceCount": 2, "InstanceGroupName": "cpu"},
                ]
            },
        ),
        severity=Severity.LOW,
        in_demo=[InDemo("training-job basket-linear-learner-c4")],
    ),
    fails(
        GENERATION,
        "the type that was selected from several",
        a_training_job(
            instance_type=None,
            instances=None,
            resources={
                "InstancePreferences": [{"InstanceType": "ml.m5.large"}, {"InstanceType": "ml.m4.xlarge"}],
                "SelectedInstanceType": "ml.m4.xlarge",
                "SelectedInstanceCount": 1,
            },
        ),
        severity=Severity.LOW,
    ),
    fails(GENERATION, "a tuning job", a_tuning_job(a_definition(instance_type="ml.m4.xlarge")), severity=Severity.LOW),
    fails(
        GENERATION,
        "one definition of a tuning job",
        a_tuning_job(a_definition(name="one"), a_definition(name="two", instance_type="ml.p2.xlarge")),
        severity=Severity.MEDIUM,
    ),
    fails(GENERATION, "a transform job", a_transform_job(instance_type="ml.c4.xlarge"), severity=Severity.LOW),
    fails(
        GENERATION,
        "a notebook",
        a_notebook(instance_type="ml.t2.medium"),
        severity=Severity.LOW,
        in_demo=[InDemo("notebook-instance reporting-old")],
    ),
    fails(
        GENERATION,
        "a family that the policy lists as medium",
        a_variant(instance_type="ml.m5.large"),
        params={"medium": ["m5"]},
        severity=Severity.MEDIUM,
    ),
    fails(
        GENERATION,
        "a family that the policy lists as low",
        a_variant(instance_type="ml.g4dn.xlarge"),
        params={"low": ["g4dn"]},
        severity=Severity.LOW,
    ),
    passes(
        GENERATION,
        "a family that the policy no longer lists",
        a_variant(instance_type="ml.p3.2xlarge"),
        params={"high": ["p2"]},
    ),
    passes(GENERATION, "a training job of today", a_training_job()),
    passes(GENERATION, "a tuning job of today", a_tuning_job()),
    passes(GENERATION, "a transform job of today", a_transform_job()),
    passes(GENERATION, "a notebook of today", a_notebook()),
    does_not_apply(GENERATION, "a serverless variant", a_serverless_variant()),
    does_not_apply(GENERATION, "a shadow variant", a_variant(instance_type="ml.p3.2xlarge", shadow=True)),
    does_not_apply(
        GENERATION,
        "a serverless training job",
        a_training_job(instance_type=None, instances=None, ServerlessJobConfig={"JobType": "FineTuning"}),
    ),
    *[
        does_not_apply(
            GENERATION, f"an endpoint that is {status}", a_variant(instance_type="ml.p3.2xlarge", status=status)
        )
        for status in (*IN_TRANSITION, *NOT_SERVING)
    ],
    *[
        does_not_apply(GENERATION, f"training: {name}", a_training_job(instance_type="ml.p3.2xlarge", **started_by))
        for name, started_by in NOT_OWN_JOBS
    ],
    *[
        does_not_apply(GENERATION, f"transform: {name}", a_transform_job(instance_type="ml.p3.2xlarge", **started_by))
        for name, started_by in NOT_OWN_JOBS[1:]
    ],
    is_unknown(GENERATION, "an endpoint of an unknown type", a_variant(instance_type=None)),
    is_unknown(
        GENERATION,
        "the config could not be read",
        a_variant(config_read=False),
        unread=[(Part.CONFIGS, "churn-config")],
    ),
    is_unknown(GENERATION, "a training job of an unknown type", a_training_job(instance_type=None)),
    is_unknown(GENERATION, "a tuning job of an unknown type", a_tuning_job(a_definition(instance_type=None))),
    is_unknown(GENERATION, "a transform job of an unknown type", a_transform_job(instance_type=None)),
    is_unknown(GENERATION, "a notebook of an unknown type", a_notebook(instance_type=None)),
]

CASES: list[Case] = [
    *GPU_UNDERUTILIZED,
    *GPU_UNNEEDED,
    *ENDPOINT_IDLE,
    *PREVIOUS_GENERATION,
]
