"""Instance fit of training."""

from typing import Any

from chalicelib.inventory.kinds.training import TrainingJob
from chalicelib.inventory.parts import Part
from chalicelib.report.findings import Severity
from samples.builders import (
    BLAZINGTEXT,
    COPIED_LDA,
    DEEP_LEARNING_CONTAINER,
    DEEPAR,
    IMAGE_CLASSIFICATION,
    IP_INSIGHTS,
    K_MEANS,
    LDA,
    LINEAR_LEARNER,
    NEURAL_TOPIC_MODEL,
    OBJECT2VEC,
    OLD_XGBOOST,
    RANDOM_CUT_FOREST,
    SCIKIT_LEARN,
    SEMANTIC_SEGMENTATION,
    STEM,
    XGBOOST,
    XGBOOST_1_3,
    XGBOOST_WITHOUT_VERSION,
    a_training_job,
)
from samples.cases.case import Case, InDemo, does_not_apply, fails, is_unknown, passes
from samples.cases.instance_fit import NOT_OWN_JOBS

TRAINING = "training-gpu-for-cpu-algorithm"
CPU_TRAINING = "training-cpu-for-gpu-algorithm"
SEVERAL = "training-multi-instance-unsupported"

#: ``Search`` has no ServerlessJobConfig: nothing but the absence of instances tells.
SERVERLESS_SEARCHED: dict[str, Any] = {
    "image": LDA,
    "instance_type": None,
    "instances": None,
    "ResourceConfig": None,
}

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
        in_demo=[InDemo("training-job topics-lda-gpu")],
    ),
    *[
        fails(
            TRAINING,
            f"{image.split('/')[1]} trains on CPUs only",
            a_training_job(image=image, instance_type="ml.g5.xlarge"),
            severity=Severity.MEDIUM,
            in_demo=[in_demo],
        )
        for image, in_demo in (
            (RANDOM_CUT_FOREST, InDemo("training-job anomaly-rcf-gpu-spot")),
            (SCIKIT_LEARN, InDemo("training-job credit-scikit-gpu")),
            (OLD_XGBOOST, InDemo("training-job churn-xgboost-old-gpu")),
        )
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
        in_demo=[InDemo("training-job uplift-lightgbm-gpu")],
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
    does_not_apply(TRAINING, "a serverless job as Search tells it", a_training_job(**SERVERLESS_SEARCHED)),
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
        in_demo=[InDemo("training-job survey-ntm")],
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
            in_demo=in_demo,
        )
        for image, in_demo in ((DEEPAR, [InDemo("training-job demand-deepar-long")]), (OBJECT2VEC, []))
    ],
    fails(
        CPU_TRAINING,
        "BlazingText in a mode that a GPU speeds up",
        a_training_job(image=BLAZINGTEXT, HyperParameters={"mode": "skipgram"}),
        severity=Severity.LOW,
    ),
    # "BlazingText algorithm", EC2 instance recommendation: C5 below 2 GB of data
    passes(
        CPU_TRAINING,
        "BlazingText that learns to sort texts",
        a_training_job(image=BLAZINGTEXT, HyperParameters={"mode": "supervised"}),
        evidence={"trains_on": "either"},
    ),
    *[
        passes(
            CPU_TRAINING,
            f"several CPU instances are another way to train {image.split('/')[1]}",
            a_training_job(image=image, instances=2),
            evidence={"trains_on": "gpu-recommended"},
        )
        for image in (NEURAL_TOPIC_MODEL, IP_INSIGHTS)
    ],
    fails(
        CPU_TRAINING,
        "IP Insights on one CPU instance",
        a_training_job(image=IP_INSIGHTS),
        severity=Severity.LOW,
        evidence={"algorithm": "IP Insights"},
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
            image=IMAGE_CLASSIFICATION,
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
    does_not_apply(CPU_TRAINING, "a serverless job as Search tells it", a_training_job(**SERVERLESS_SEARCHED)),
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
        in_demo=[InDemo("training-job topics-lda-two-machines")],
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
    fails(
        SEVERAL,
        "XGBoost before 1.5 on an instance of four GPUs",
        a_training_job(image=XGBOOST_1_3, instance_type="ml.g5.12xlarge"),
        severity=Severity.MEDIUM,
        evidence={"instance_count": 1, "gpu_count": 4, "uses_one": "GPU", "algorithm": "XGBoost"},
    ),
    fails(
        SEVERAL,
        "XGBoost before 1.5 on two instances of one GPU",
        a_training_job(image=XGBOOST_1_3, instance_type="ml.g5.xlarge", instances=2),
        severity=Severity.MEDIUM,
        evidence={"instance_count": 2, "gpu_count": 2},
    ),
    passes(SEVERAL, "XGBoost before 1.5 on several CPU instances", a_training_job(image=XGBOOST_1_3, instances=2)),
    passes(
        SEVERAL,
        "XGBoost before 1.2, which uses no GPU, on several instances",
        a_training_job(image=OLD_XGBOOST, instance_type="ml.g5.xlarge", instances=2),
    ),
    passes(
        SEVERAL,
        "XGBoost from 1.5 on on several GPUs",
        a_training_job(image=XGBOOST, instance_type="ml.g5.12xlarge", instances=2),
        evidence={"gpu_count": 8},
    ),
    passes(
        SEVERAL,
        "a script in the image of XGBoost before 1.5",
        a_training_job(
            image=XGBOOST_1_3,
            instance_type="ml.g5.xlarge",
            instances=2,
            HyperParameters={"sagemaker_program": "train.py"},
        ),
    ),
    does_not_apply(
        SEVERAL, "XGBoost before 1.5 on one GPU", a_training_job(image=XGBOOST_1_3, instance_type="ml.g5.xlarge")
    ),
    does_not_apply(
        SEVERAL,
        "XGBoost from 1.5 on on an instance of four GPUs",
        a_training_job(image=XGBOOST, instance_type="ml.g5.12xlarge"),
    ),
    does_not_apply(SEVERAL, "a serverless job as Search tells it", a_training_job(**SERVERLESS_SEARCHED)),
    is_unknown(
        SEVERAL,
        "several GPUs, and the image does not tell the version",
        a_training_job(image=XGBOOST_WITHOUT_VERSION, instance_type="ml.g5.12xlarge"),
    ),
    is_unknown(SEVERAL, "the instance count was not told", a_training_job(image=LDA, instances=None)),
    is_unknown(
        SEVERAL,
        "the tags that would tell a JumpStart algorithm could not be read",
        a_training_job(image=DEEP_LEARNING_CONTAINER, instances=2, Tags=None),
        unread=TAGS_UNREAD,
    ),
]

CASES: list[Case] = [
    *GPU_FOR_CPU_ALGORITHM,
    *CPU_FOR_GPU_ALGORITHM,
    *MULTI_INSTANCE_UNSUPPORTED,
]
