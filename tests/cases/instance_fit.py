"""Instance fit."""

from typing import Any

from chalicelib.inventory.kinds.training import TrainingJob
from chalicelib.inventory.parts import Part
from chalicelib.report.findings import Confidence, Severity
from tests.builders import (
    BLAZINGTEXT,
    COPIED_LDA,
    DEEP_LEARNING_CONTAINER,
    DEEPAR,
    IMAGE_CLASSIFICATION,
    K_MEANS,
    LDA,
    LINEAR_LEARNER,
    NEURAL_TOPIC_MODEL,
    OBJECT2VEC,
    OLD_XGBOOST,
    OWN_IMAGE,
    RANDOM_CUT_FOREST,
    SCIKIT_LEARN,
    SEMANTIC_SEGMENTATION,
    SPARKML,
    STEM,
    XGBOOST,
    XGBOOST_WITHOUT_VERSION,
    Series,
    a_component,
    a_definition,
    a_host_of_components,
    a_model,
    a_notebook,
    a_series,
    a_serverless_variant,
    a_training_job,
    a_transform_job,
    a_tuning_job,
    a_variant,
    ago,
)
from tests.cases.case import Case, does_not_apply, fails, is_unknown, passes
from tests.cases.instances import IN_TRANSITION, NOT_SERVING

GPU_USE = "endpoint-gpu-underutilized"
UNNEEDED = "endpoint-gpu-unneeded-by-algorithm"
IDLE = "endpoint-idle"
GENERATION = "instance-previous-generation"
TRAINING = "training-gpu-for-cpu-algorithm"
CPU_TRAINING = "training-cpu-for-gpu-algorithm"
SEVERAL = "training-multi-instance-unsupported"

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
            "max_gpu_utilization": 12.35,
            "max_gpu_memory_utilization": 10.99,
            "invocations": 500,
            "window_days": 7,
            "gpu_threshold": 20,
            "memory_threshold": 30,
        },
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
        evidence={"max_gpu_utilization": 5},
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
    ),
    fails(
        IDLE,
        "an asynchronous endpoint that keeps its instances",
        a_variant(asynchronous=True),
        severity=Severity.MEDIUM,
        confidence=Confidence.MEDIUM,
    ),
    fails(
        IDLE,
        "nobody calls a variant without traffic",
        a_variant(weight=0),
        severity=Severity.MEDIUM,
        confidence=Confidence.MEDIUM,
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
    does_not_apply(IDLE, "calls of components are counted on the components", a_host_of_components()),
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

PREVIOUS_GENERATION: list[Case] = [
    *[
        fails(
            GENERATION,
            f"an endpoint on {instance_type}",
            a_variant(instance_type=instance_type),
            severity=severity,
            evidence={"instance_type": instance_type, "family": instance_type.split(".")[1]},
        )
        for instance_type, severity in (
            ("ml.p2.xlarge", Severity.MEDIUM),
            ("ml.p3.2xlarge", Severity.MEDIUM),
            ("ml.p3dn.24xlarge", Severity.MEDIUM),
            ("ml.m4.xlarge", Severity.LOW),
            ("ml.c4.xlarge", Severity.LOW),
            ("ml.t2.medium", Severity.LOW),
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
        severity=Severity.MEDIUM,
    ),
    fails(GENERATION, "a training job", a_training_job(instance_type="ml.p3.2xlarge"), severity=Severity.MEDIUM),
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
    fails(GENERATION, "a notebook", a_notebook(instance_type="ml.t2.medium"), severity=Severity.LOW),
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
        params={"medium": ["p2"]},
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

GPU_FOR_CPU_ALGORITHM: list[Case] = [
    fails(
        TRAINING,
        "an algorithm that trains on CPUs only",
        a_training_job(image=LDA, instance_type="ml.p3.2xlarge"),
        severity=Severity.MEDIUM,
        evidence={
            "instance_type": "ml.p3.2xlarge",
            "algorithm": "Latent Dirichlet Allocation",
            "image": LDA,
        },
    ),
    *[
        fails(
            TRAINING,
            f"{image.split('/')[1]} trains on CPUs only",
            a_training_job(image=image, instance_type="ml.g5.xlarge"),
            severity=Severity.MEDIUM,
        )
        for image in (RANDOM_CUT_FOREST, SCIKIT_LEARN, OLD_XGBOOST)
    ],
    fails(
        TRAINING,
        "Trainium",
        a_training_job(image=LDA, instance_type="ml.trn1.2xlarge"),
        severity=Severity.MEDIUM,
    ),
    fails(
        TRAINING,
        "one group of a heterogeneous cluster is accelerated",
        a_training_job(
            image=LDA,
            instance_type=None,
            resources={"InstanceGroups": [{"InstanceType": "ml.m5.large"}, {"InstanceType": "ml.g5.xlarge"}]},
        ),
        severity=Severity.MEDIUM,
        evidence={"instance_type": "ml.g5.xlarge"},
    ),
    fails(
        TRAINING,
        "a JumpStart algorithm that trains on CPUs only",
        a_training_job(
            image=DEEP_LEARNING_CONTAINER,
            instance_type="ml.g5.xlarge",
            Tags=[{"Key": "sagemaker-sdk:jumpstart-model-id", "Value": "lightgbm-classification-model"}],
        ),
        severity=Severity.MEDIUM,
        evidence={"algorithm": "LightGBM"},
    ),
    fails(
        TRAINING,
        "a script in an image that cannot use a GPU",
        a_training_job(
            image=SCIKIT_LEARN, instance_type="ml.g5.xlarge", HyperParameters={"sagemaker_program": "train.py"}
        ),
        severity=Severity.MEDIUM,
    ),
    *[
        passes(
            TRAINING,
            f"{image.split('/')[1]} can use a GPU",
            a_training_job(image=image, instance_type="ml.g5.xlarge"),
            evidence={"image": image},
        )
        for image in (IMAGE_CLASSIFICATION, XGBOOST, LINEAR_LEARNER)
    ],
    does_not_apply(TRAINING, "CPU instances", a_training_job(image=LDA)),
    does_not_apply(TRAINING, "Graviton", a_training_job(image=LDA, instance_type="ml.c6g.xlarge")),
    does_not_apply(TRAINING, "an image of one's own", a_training_job(instance_type="ml.g5.xlarge")),
    does_not_apply(
        TRAINING,
        "a private copy of a built-in image",
        a_training_job(image=COPIED_LDA, instance_type="ml.g5.xlarge"),
    ),
    does_not_apply(
        TRAINING,
        "an algorithm of AWS Marketplace",
        a_training_job(
            image=None,
            instance_type="ml.g5.xlarge",
            AlgorithmSpecification={"AlgorithmName": "arn:aws:sagemaker:eu-west-1:865070037744:algorithm/other"},
        ),
    ),
    does_not_apply(
        TRAINING,
        "a shared image without a JumpStart tag",
        a_training_job(image=DEEP_LEARNING_CONTAINER, instance_type="ml.g5.xlarge", Tags=[]),
    ),
    does_not_apply(
        TRAINING,
        "a serverless job",
        a_training_job(image=LDA, instance_type=None, instances=None, ServerlessJobConfig={"JobType": "FineTuning"}),
    ),
    *[
        does_not_apply(TRAINING, name, a_training_job(image=LDA, instance_type="ml.p3.2xlarge", **started_by))
        for name, started_by in NOT_OWN_JOBS
    ],
    is_unknown(
        TRAINING,
        "the image does not tell the version",
        a_training_job(image=XGBOOST_WITHOUT_VERSION, instance_type="ml.g5.xlarge"),
    ),
    is_unknown(TRAINING, "the instance type was not told", a_training_job(image=LDA, instance_type=None)),
    is_unknown(
        TRAINING,
        "the tags that would tell a JumpStart algorithm could not be read",
        a_training_job(image=DEEP_LEARNING_CONTAINER, instance_type="ml.g5.xlarge", Tags=None),
        unread=[(Part.TAGS, f"{STEM}:training-job/churn-2026-11-20")],
    ),
]


def jumpstart(model_id: str, **job: Any) -> TrainingJob:
    """A training job of a built-in algorithm in a shared image, which only a tag of the job tells."""
    tags = [{"Key": "sagemaker-sdk:jumpstart-model-id", "Value": model_id}]
    return a_training_job(image=DEEP_LEARNING_CONTAINER, Tags=tags, **job)


#: The one mode of BlazingText that needs neither a GPU nor a single machine, as written by hand and by the SDK.
DISTRIBUTED, DISTRIBUTED_AS_JSON = {"mode": "batch_skipgram"}, {"mode": '"batch_skipgram"'}
MARKETPLACE = {"AlgorithmName": "arn:aws:sagemaker:eu-west-1:865070037744:algorithm/other"}
SERVERLESS: dict[str, Any] = {
    "instance_type": None,
    "instances": None,
    "ServerlessJobConfig": {"JobType": "FineTuning"},
}
TAGS_UNREAD = [(Part.TAGS, f"{STEM}:training-job/churn-2026-11-20")]

CPU_FOR_GPU_ALGORITHM: list[Case] = [
    fails(
        CPU_TRAINING,
        "an algorithm for which GPUs are advised",
        a_training_job(image=NEURAL_TOPIC_MODEL, instance_type="ml.m5.xlarge"),
        severity=Severity.LOW,
        evidence={
            "instance_type": "ml.m5.xlarge",
            "algorithm": "Neural Topic Model",
            "trains_on": "gpu-recommended",
        },
    ),
    *[
        fails(
            CPU_TRAINING,
            f"{image.split('/')[1]} trains on GPUs only",
            a_training_job(image=image),
            severity=Severity.LOW,
            evidence={"trains_on": "gpu-only"},
        )
        for image in (IMAGE_CLASSIFICATION, SEMANTIC_SEGMENTATION)
    ],
    *[
        fails(
            CPU_TRAINING,
            f"a GPU is optional to {image.split('/')[1]}",
            a_training_job(image=image),
            severity=Severity.INFO,
            evidence={"trains_on": "gpu-optional"},
        )
        for image in (DEEPAR, OBJECT2VEC)
    ],
    fails(
        CPU_TRAINING,
        "BlazingText in a mode that a GPU speeds up",
        a_training_job(image=BLAZINGTEXT, HyperParameters={"mode": "supervised"}),
        severity=Severity.LOW,
    ),
    fails(
        CPU_TRAINING,
        "Graviton is no GPU",
        a_training_job(image=NEURAL_TOPIC_MODEL, instance_type="ml.c6g.xlarge"),
        severity=Severity.LOW,
        evidence={"instance_type": "ml.c6g.xlarge"},
    ),
    fails(
        CPU_TRAINING,
        "the groups of a heterogeneous cluster have no GPU",
        a_training_job(
            image=NEURAL_TOPIC_MODEL,
            instance_type=None,
            resources={"InstanceGroups": [{"InstanceType": "ml.m5.large"}, {"InstanceType": "ml.c5.large"}]},
        ),
        severity=Severity.LOW,
        evidence={"instance_type": "ml.m5.large, ml.c5.large"},
    ),
    fails(
        CPU_TRAINING,
        "a JumpStart algorithm for which GPUs are advised",
        jumpstart("tensorflow-od1-ssd-resnet50"),
        severity=Severity.LOW,
        evidence={"algorithm": "Object Detection (TensorFlow)"},
    ),
    *[
        passes(
            CPU_TRAINING,
            f"{image.split('/')[1]} trains well on CPUs",
            a_training_job(image=image),
        )
        for image in (LDA, RANDOM_CUT_FOREST, LINEAR_LEARNER, XGBOOST, OLD_XGBOOST, SCIKIT_LEARN)
    ],
    *[
        passes(
            CPU_TRAINING,
            f"BlazingText in a mode for CPUs, {written}",
            a_training_job(image=BLAZINGTEXT, HyperParameters=mode),
            evidence={"trains_on": "either"},
        )
        for written, mode in (("written plainly", DISTRIBUTED), ("written as JSON", DISTRIBUTED_AS_JSON))
    ],
    passes(CPU_TRAINING, "a JumpStart algorithm for either", jumpstart("pytorch-tabtransformerclassification-model")),
    *[
        does_not_apply(
            CPU_TRAINING, f"trains on {name}", a_training_job(image=IMAGE_CLASSIFICATION, instance_type=name)
        )
        for name in ("ml.g5.xlarge", "ml.p3.2xlarge", "ml.trn1.2xlarge")
    ],
    does_not_apply(
        CPU_TRAINING,
        "one group of a heterogeneous cluster is accelerated",
        a_training_job(
            image=IMAGE_CLASSIFICATION,
            instance_type=None,
            resources={"InstanceGroups": [{"InstanceType": "ml.m5.large"}, {"InstanceType": "ml.g5.xlarge"}]},
        ),
    ),
    does_not_apply(CPU_TRAINING, "an image of one's own", a_training_job()),
    does_not_apply(
        CPU_TRAINING,
        "an image of the same name in another account",
        a_training_job(image=NEURAL_TOPIC_MODEL.replace("438346466558", "123456789012")),
    ),
    does_not_apply(
        CPU_TRAINING,
        "an algorithm of AWS Marketplace",
        a_training_job(image=None, AlgorithmSpecification=MARKETPLACE),
    ),
    does_not_apply(
        CPU_TRAINING,
        "a shared image without a JumpStart tag",
        a_training_job(image=DEEP_LEARNING_CONTAINER, Tags=[]),
    ),
    does_not_apply(CPU_TRAINING, "a serverless job", a_training_job(image=NEURAL_TOPIC_MODEL, **SERVERLESS)),
    *[
        does_not_apply(CPU_TRAINING, name, a_training_job(image=NEURAL_TOPIC_MODEL, **started_by))
        for name, started_by in NOT_OWN_JOBS
    ],
    is_unknown(CPU_TRAINING, "the image does not tell the version", a_training_job(image=XGBOOST_WITHOUT_VERSION)),
    is_unknown(
        CPU_TRAINING, "the instance type was not told", a_training_job(image=NEURAL_TOPIC_MODEL, instance_type=None)
    ),
    is_unknown(
        CPU_TRAINING,
        "the tags that would tell a JumpStart algorithm could not be read",
        a_training_job(image=DEEP_LEARNING_CONTAINER, Tags=None),
        unread=TAGS_UNREAD,
    ),
]

MULTI_INSTANCE_UNSUPPORTED: list[Case] = [
    fails(
        SEVERAL,
        "two instances for an algorithm that uses one",
        a_training_job(image=LDA, instances=2),
        severity=Severity.MEDIUM,
        evidence={
            "instance_count": 2,
            "algorithm": "Latent Dirichlet Allocation",
            "instance_type": "ml.m5.xlarge",
        },
    ),
    *[
        fails(
            SEVERAL,
            f"{image.split('/')[1]} uses one machine",
            a_training_job(image=image, instances=8, instance_type="ml.g5.xlarge"),
            severity=Severity.MEDIUM,
            evidence={"instance_count": 8},
        )
        for image in (OBJECT2VEC, SEMANTIC_SEGMENTATION, BLAZINGTEXT)
    ],
    fails(
        SEVERAL,
        "the groups of a heterogeneous cluster add up",
        a_training_job(
            image=LDA,
            instance_type=None,
            instances=None,
            resources={
                "InstanceGroups": [
                    {"InstanceType": "ml.m5.large", "InstanceCount": 1},
                    {"InstanceType": "ml.c5.large", "InstanceCount": 1},
                ]
            },
        ),
        severity=Severity.MEDIUM,
        evidence={"instance_count": 2, "instance_type": "ml.m5.large, ml.c5.large"},
    ),
    fails(
        SEVERAL,
        "a JumpStart algorithm that uses one machine",
        jumpstart("catboost-classification-model", instances=2),
        severity=Severity.MEDIUM,
        evidence={"algorithm": "CatBoost"},
    ),
    fails(
        SEVERAL,
        "BlazingText in a mode that uses one machine",
        a_training_job(image=BLAZINGTEXT, instances=2, HyperParameters={"mode": "skipgram"}),
        severity=Severity.MEDIUM,
    ),
    *[
        passes(
            SEVERAL,
            f"BlazingText in its distributed mode, {written}",
            a_training_job(image=BLAZINGTEXT, instances=2, HyperParameters=mode),
        )
        for written, mode in (("written plainly", DISTRIBUTED), ("written as JSON", DISTRIBUTED_AS_JSON))
    ],
    *[
        passes(
            SEVERAL,
            f"{image.split('/')[1]} uses several machines",
            a_training_job(image=image, instances=2),
            evidence={"instance_count": 2},
        )
        for image in (LINEAR_LEARNER, RANDOM_CUT_FOREST, XGBOOST, XGBOOST_WITHOUT_VERSION)
    ],
    passes(SEVERAL, "an algorithm of which AWS says both is not told", a_training_job(image=K_MEANS, instances=2)),
    passes(
        SEVERAL, "a JumpStart algorithm that uses several machines", jumpstart("lightgbm-regression-model", instances=2)
    ),
    does_not_apply(SEVERAL, "one instance", a_training_job(image=LDA, instances=1)),
    does_not_apply(SEVERAL, "an image of one's own", a_training_job(instances=2)),
    does_not_apply(SEVERAL, "a private copy of a built-in image", a_training_job(image=COPIED_LDA, instances=2)),
    does_not_apply(
        SEVERAL,
        "an algorithm of AWS Marketplace",
        a_training_job(image=None, instances=2, AlgorithmSpecification=MARKETPLACE),
    ),
    does_not_apply(
        SEVERAL,
        "a shared image without a JumpStart tag",
        a_training_job(image=DEEP_LEARNING_CONTAINER, instances=2, Tags=[]),
    ),
    does_not_apply(SEVERAL, "a serverless job", a_training_job(image=LDA, **SERVERLESS)),
    *[
        does_not_apply(SEVERAL, name, a_training_job(image=LDA, instances=2, **started_by))
        for name, started_by in NOT_OWN_JOBS
    ],
    is_unknown(SEVERAL, "the instance count was not told", a_training_job(image=LDA, instances=None)),
    is_unknown(
        SEVERAL,
        "the tags that would tell a JumpStart algorithm could not be read",
        a_training_job(image=DEEP_LEARNING_CONTAINER, instances=2, Tags=None),
        unread=TAGS_UNREAD,
    ),
]

CASES: list[Case] = [
    *GPU_UNDERUTILIZED,
    *GPU_UNNEEDED,
    *ENDPOINT_IDLE,
    *PREVIOUS_GENERATION,
    *GPU_FOR_CPU_ALGORITHM,
    *CPU_FOR_GPU_ALGORITHM,
    *MULTI_INSTANCE_UNSUPPORTED,
]
