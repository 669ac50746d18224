"""Managed spot training."""

from typing import Any

from chalicelib.inventory.kinds.training import TrainingJob
from chalicelib.report.findings import Severity
from samples.builders import (
    COPIED_LDA,
    IMAGE_CLASSIFICATION,
    LDA,
    LINEAR_LEARNER,
    OWN_IMAGE,
    STEM,
    XGBOOST,
    XGBOOST_WITHOUT_VERSION,
    a_definition,
    a_training_job,
    a_tuning_job,
    ago,
)
from samples.cases.case import Case, InDemo, does_not_apply, fails, is_unknown, passes
from samples.cases.instance_fit import NOT_OWN_JOBS
from samples.cases.training_fit import MARKETPLACE

NO_CHECKPOINT = "training-spot-no-checkpoint"
CANNOT_CHECKPOINT = "training-spot-cannot-checkpoint"
NOT_USED = "training-spot-not-used"
INTERRUPTED = "training-spot-interrupted"
WAIT = "training-spot-wait-too-short"
SAVINGS = "training-spot-no-savings"

CHECKPOINTS = "s3://churn/checkpoints/"


def a_spot_job(**job: Any) -> TrainingJob:
    """A training job on spot instances."""
    return a_training_job(**{"spot": True, **job})


def waiting(runtime: int | None, wait: int | None, **job: Any) -> TrainingJob:
    """A training job on spot instances with these limits in seconds; None leaves one out."""
    limits = {"MaxRuntimeInSeconds": runtime, "MaxWaitTimeInSeconds": wait}
    return a_spot_job(StoppingCondition={name: limit for name, limit in limits.items() if limit is not None}, **job)


SPOT_NO_CHECKPOINT: list[Case] = [
    fails(
        NO_CHECKPOINT,
        "an image of one's own without checkpoints",
        a_spot_job(instances=3),
        severity=Severity.HIGH,
        evidence={
            "instance_type": "ml.m5.xlarge",
            "instance_count": 3,
            "max_runtime_seconds": 86_400,
            "max_wait_seconds": 172_800,
            "min_runtime_seconds": 900,
            "algorithm": None,
            "image": OWN_IMAGE,
        },
        in_demo=[
            InDemo("training-job fraud-transformer-spot"),
            InDemo("training-job chatbot-running-spot"),
            InDemo("training-job vision-pretrain-max-wait"),
        ],
    ),
    fails(
        NO_CHECKPOINT,
        "a built-in algorithm that could write checkpoints",
        a_spot_job(image=XGBOOST),
        severity=Severity.HIGH,
        evidence={"algorithm": "XGBoost", "image": XGBOOST},
        in_demo=[
            InDemo("training-job churn-xgboost-spot"),
            InDemo("training-job shelf-object-detection"),
            InDemo("training-job credit-features-script"),
        ],
    ),
    fails(
        NO_CHECKPOINT,
        "a private copy of an image whose algorithm has no checkpoints is an unknown algorithm",
        a_spot_job(image=COPIED_LDA),
        severity=Severity.HIGH,
        evidence={"algorithm": None},
        in_demo=[InDemo("training-job returns-own-lda-spot")],
    ),
    fails(
        NO_CHECKPOINT,
        "a version that is not told is an unknown algorithm",
        a_spot_job(image=XGBOOST_WITHOUT_VERSION),
        severity=Severity.HIGH,
    ),
    fails(
        NO_CHECKPOINT,
        "an algorithm of AWS Marketplace",
        a_spot_job(image=None),
        severity=Severity.HIGH,
        evidence={"image": None},
    ),
    # "Managed Spot Training": a limit of an hour for built-in and Marketplace algorithms that write no checkpoints
    does_not_apply(
        NO_CHECKPOINT,
        "an algorithm of AWS Marketplace that waits an hour at most",
        waiting(1_800, 3_600, AlgorithmSpecification=MARKETPLACE),
    ),
    fails(
        NO_CHECKPOINT,
        "an algorithm of AWS Marketplace that may wait longer, as those may that write checkpoints",
        waiting(1_800, 3_601, AlgorithmSpecification=MARKETPLACE),
        severity=Severity.HIGH,
    ),
    fails(
        NO_CHECKPOINT,
        "an algorithm of one's own account",
        waiting(1_800, 3_600, AlgorithmSpecification={"AlgorithmName": f"{STEM}:algorithm/own"}),
        severity=Severity.HIGH,
    ),
    does_not_apply(
        NO_CHECKPOINT,
        "a tuning job of an algorithm of AWS Marketplace that waits an hour at most",
        a_tuning_job(
            a_definition(
                spot=True,
                AlgorithmSpecification=MARKETPLACE,
                StoppingCondition={"MaxRuntimeInSeconds": 1_800, "MaxWaitTimeInSeconds": 3_600},
            )
        ),
    ),
    fails(
        NO_CHECKPOINT,
        "a checkpoint configuration without a place in S3",
        a_spot_job(CheckpointConfig={"LocalPath": "/opt/ml/checkpoints"}),
        severity=Severity.HIGH,
    ),
    fails(
        NO_CHECKPOINT,
        "a finished job shows what it really saved",
        a_spot_job(seconds=3_600, billable=1_200),
        severity=Severity.HIGH,
        evidence={"saving_percent": 66.7},
    ),
    fails(
        NO_CHECKPOINT,
        "a second longer than may go without",
        a_spot_job(max_runtime=901),
        severity=Severity.HIGH,
        boundary="min_runtime_seconds",
    ),
    passes(
        NO_CHECKPOINT,
        "just as long as may go without",
        a_spot_job(max_runtime=900),
        evidence={"max_runtime_seconds": 900},
        boundary="min_runtime_seconds",
    ),
    passes(
        NO_CHECKPOINT,
        "as long as the policy lets go without",
        a_spot_job(max_runtime=3_600),
        params={"min_runtime_seconds": 3_600},
    ),
    fails(
        NO_CHECKPOINT,
        "no limit is told, which is a day",
        a_spot_job(max_runtime=None),
        severity=Severity.HIGH,
    ),
    fails(
        NO_CHECKPOINT,
        "a day is a second longer than the policy lets go without",
        a_spot_job(max_runtime=None),
        params={"min_runtime_seconds": 86_399},
        severity=Severity.HIGH,
    ),
    passes(
        NO_CHECKPOINT,
        "a day is as long as the policy lets go without",
        a_spot_job(max_runtime=None),
        params={"min_runtime_seconds": 86_400},
    ),
    fails(
        NO_CHECKPOINT,
        "no instance type is told",
        a_spot_job(instance_type=None),
        severity=Severity.HIGH,
        evidence={"instance_type": None},
    ),
    passes(
        NO_CHECKPOINT,
        "checkpoints",
        a_spot_job(checkpoint=CHECKPOINTS),
        evidence={"checkpoint_s3_uri": CHECKPOINTS},
    ),
    fails(
        NO_CHECKPOINT,
        "a tuning job without checkpoints",
        a_tuning_job(a_definition(spot=True)),
        severity=Severity.HIGH,
        evidence={"max_runtime_seconds": 86_400, "image": OWN_IMAGE},
        in_demo=[InDemo("tuning-job ranking-tuning-spot")],
    ),
    fails(
        NO_CHECKPOINT,
        "one definition of a tuning job without checkpoints",
        a_tuning_job(
            a_definition(name="one", spot=True, checkpoint=CHECKPOINTS),
            a_definition(name="two", spot=True, image=XGBOOST),
        ),
        severity=Severity.HIGH,
        evidence={"algorithm": "XGBoost"},
    ),
    passes(
        NO_CHECKPOINT, "a tuning job with checkpoints", a_tuning_job(a_definition(spot=True, checkpoint=CHECKPOINTS))
    ),
    does_not_apply(NO_CHECKPOINT, "on demand", a_training_job()),
    does_not_apply(NO_CHECKPOINT, "a tuning job on demand", a_tuning_job()),
    does_not_apply(NO_CHECKPOINT, "an algorithm that has no checkpoints", a_spot_job(image=LDA)),
    *[does_not_apply(NO_CHECKPOINT, name, a_spot_job(**started_by)) for name, started_by in NOT_OWN_JOBS],
    is_unknown(NO_CHECKPOINT, "a tuning job whose definition was not told", a_tuning_job(TrainingJobDefinition=None)),
]

SPOT_CANNOT_CHECKPOINT: list[Case] = [
    fails(
        CANNOT_CHECKPOINT,
        "a built-in algorithm without checkpoints",
        a_spot_job(image=LDA, max_runtime=600, seconds=500, billable=250),
        severity=Severity.LOW,
        evidence={
            "algorithm": "Latent Dirichlet Allocation",
            "max_runtime_seconds": 600,
            "max_wait_seconds": 1_200,
            "saving_percent": 50.0,
        },
        in_demo=[InDemo("training-job stores-kmeans-spot"), InDemo("training-job anomaly-rcf-gpu-spot")],
    ),
    fails(
        CANNOT_CHECKPOINT,
        "a second shorter than what is worse",
        a_spot_job(image=LINEAR_LEARNER, max_runtime=1_799),
        severity=Severity.LOW,
        boundary="medium_runtime_seconds",
    ),
    fails(
        CANNOT_CHECKPOINT,
        "just as long as what is worse",
        a_spot_job(image=LINEAR_LEARNER, max_runtime=1_800),
        severity=Severity.MEDIUM,
        boundary="medium_runtime_seconds",
        in_demo=[InDemo("training-job segments-linear-learner-spot")],
    ),
    fails(
        CANNOT_CHECKPOINT,
        "shorter than what is worse to the policy",
        a_spot_job(image=LINEAR_LEARNER, max_runtime=1_800),
        params={"medium_runtime_seconds": 3_600},
        severity=Severity.LOW,
    ),
    fails(
        CANNOT_CHECKPOINT,
        "no limit is told, which is a day",
        a_spot_job(image=LDA, max_runtime=None),
        severity=Severity.MEDIUM,
    ),
    fails(
        CANNOT_CHECKPOINT,
        "a place for checkpoints that the algorithm never writes",
        a_spot_job(image=LDA, max_runtime=600, checkpoint=CHECKPOINTS),
        severity=Severity.LOW,
    ),
    passes(CANNOT_CHECKPOINT, "XGBoost writes checkpoints", a_spot_job(image=XGBOOST)),
    passes(CANNOT_CHECKPOINT, "image classification writes checkpoints", a_spot_job(image=IMAGE_CLASSIFICATION)),
    does_not_apply(CANNOT_CHECKPOINT, "on demand", a_training_job(image=LDA)),
    does_not_apply(CANNOT_CHECKPOINT, "an image of one's own", a_spot_job()),
    does_not_apply(CANNOT_CHECKPOINT, "a private copy of a built-in image", a_spot_job(image=COPIED_LDA)),
    does_not_apply(CANNOT_CHECKPOINT, "an algorithm of AWS Marketplace", a_spot_job(image=None)),
    *[
        does_not_apply(CANNOT_CHECKPOINT, name, a_spot_job(image=LDA, **started_by))
        for name, started_by in NOT_OWN_JOBS
    ],
    is_unknown(
        CANNOT_CHECKPOINT,
        "the image does not tell the version, which tells whether there are checkpoints",
        a_spot_job(image=XGBOOST_WITHOUT_VERSION),
    ),
]

LONG: dict[str, Any] = {"seconds": 4 * 3_600}

SPOT_NOT_USED: list[Case] = [
    fails(
        NOT_USED,
        "ten hours on demand",
        a_training_job(seconds=36_000),
        severity=Severity.LOW,
        evidence={
            "instance_hours": 10.0,
            "min_instance_hours": 4,
            "instance_type": "ml.m5.xlarge",
            "max_runtime_seconds": 86_400,
        },
        in_demo=[InDemo("training-job embeddings-full"), InDemo("training-job pricing-factorization-machines")],
    ),
    fails(
        NOT_USED,
        "exactly as many instance-hours as asked for",
        a_training_job(seconds=7_200, instances=2),
        severity=Severity.LOW,
        evidence={"instance_hours": 4.0},
        boundary="min_instance_hours",
        in_demo=[
            InDemo(
                "training-job embeddings-two-instances",
                remark="Two instances for two hours are the four instance-hours from which it counts.",
            )
        ],
    ),
    passes(
        NOT_USED,
        "a second less than asked for",
        a_training_job(seconds=14_399),
        evidence={"instance_hours": 4.0},
        boundary="min_instance_hours",
    ),
    passes(
        NOT_USED,
        "less than the policy asks for",
        a_training_job(seconds=36_000),
        params={"min_instance_hours": 24},
        evidence={"instance_hours": 10.0, "min_instance_hours": 24},
    ),
    fails(
        NOT_USED,
        "the groups of a heterogeneous cluster add up",
        a_training_job(
            seconds=3_600,
            instance_type=None,
            instances=None,
            resources={
                "InstanceGroups": [
                    {"InstanceType": "ml.g5.xlarge", "InstanceCount": 1},
                    {"InstanceType": "ml.m5.xlarge", "InstanceCount": 3},
                ]
            },
        ),
        severity=Severity.LOW,
        evidence={"instance_hours": 4.0, "instance_type": "ml.g5.xlarge, ml.m5.xlarge"},
    ),
    fails(
        NOT_USED,
        "no training time is told, but its start and end",
        a_training_job(seconds=None, TrainingStartTime=ago(hours=6), TrainingEndTime=ago(hours=1)),
        severity=Severity.LOW,
        evidence={"instance_hours": 5.0},
    ),
    fails(
        NOT_USED,
        "an algorithm without checkpoints on many instances for an hour",
        a_training_job(image=LINEAR_LEARNER, seconds=3_600, instances=4),
        severity=Severity.LOW,
    ),
    fails(
        NOT_USED,
        "an algorithm with checkpoints for hours",
        a_training_job(image=XGBOOST, **LONG),
        severity=Severity.LOW,
    ),
    fails(
        NOT_USED,
        "a tuning job whose children add up",
        a_tuning_job(hours=4.0),
        severity=Severity.LOW,
        evidence={"instance_hours": 4.0, "instance_type": "ml.m5.xlarge"},
        in_demo=[InDemo("tuning-job churn-tuning")],
    ),
    fails(
        NOT_USED,
        "one definition of a tuning job on demand",
        a_tuning_job(a_definition(name="one", spot=True), a_definition(name="two"), hours=4.0),
        severity=Severity.LOW,
    ),
    does_not_apply(
        NOT_USED,
        "a tuning job of an algorithm without checkpoints for longer than spot waits for it",
        a_tuning_job(a_definition(image=LINEAR_LEARNER), hours=8, longest_child_seconds=3_601),
    ),
    fails(
        NOT_USED,
        "a tuning job of an algorithm without checkpoints, and no run took longer than an hour",
        a_tuning_job(a_definition(image=LINEAR_LEARNER), hours=8, longest_child_seconds=3_600),
        severity=Severity.LOW,
    ),
    fails(
        NOT_USED,
        "one definition of a tuning job writes checkpoints",
        a_tuning_job(
            a_definition(name="one", image=LINEAR_LEARNER),
            a_definition(name="two", image=XGBOOST),
            hours=8,
            longest_child_seconds=7_200,
        ),
        severity=Severity.LOW,
    ),
    is_unknown(
        NOT_USED,
        "how long the runs of a tuning job without checkpoints took could not be read",
        a_tuning_job(a_definition(image=LINEAR_LEARNER), hours=8),
    ),
    does_not_apply(
        NOT_USED,
        "a serverless job as Search tells it",
        a_training_job(instance_type=None, instances=None, ResourceConfig=None, **LONG),
    ),
    passes(NOT_USED, "a short tuning job", a_tuning_job(hours=3.99)),
    does_not_apply(NOT_USED, "on spot instances", a_spot_job(**LONG)),
    does_not_apply(NOT_USED, "a tuning job on spot instances", a_tuning_job(a_definition(spot=True), hours=10)),
    *[
        does_not_apply(NOT_USED, f"a job that is {status}", a_training_job(status=status, **LONG))
        for status in ("InProgress", "Failed", "Stopping", "Stopped")
    ],
    *[
        does_not_apply(NOT_USED, f"a tuning job that is {status}", a_tuning_job(hours=10, status=status))
        for status in ("InProgress", "Failed", "Stopped")
    ],
    does_not_apply(NOT_USED, "a warm pool", a_training_job(resources={"KeepAlivePeriodInSeconds": 60}, **LONG)),
    fails(
        NOT_USED,
        "no warm pool, as it is kept for no second",
        a_training_job(resources={"KeepAlivePeriodInSeconds": 0}, **LONG),
        severity=Severity.LOW,
    ),
    does_not_apply(
        NOT_USED,
        "several instance types to choose from",
        a_training_job(
            instance_type=None,
            instances=None,
            resources={
                "InstancePreferences": [{"InstanceType": "ml.m5.xlarge"}, {"InstanceType": "ml.m6i.xlarge"}],
                "SelectedInstanceType": "ml.m5.xlarge",
                "SelectedInstanceCount": 1,
            },
            **LONG,
        ),
    ),
    does_not_apply(
        NOT_USED,
        "a training plan",
        a_training_job(resources={"TrainingPlanArn": "arn:aws:sagemaker:eu-west-1:1:training-plan/p"}, **LONG),
    ),
    does_not_apply(
        NOT_USED,
        "a serverless job",
        a_training_job(instance_type=None, instances=None, ServerlessJobConfig={"JobType": "FineTuning"}, **LONG),
    ),
    does_not_apply(
        NOT_USED,
        "a tuning job on a training plan",
        a_tuning_job(
            a_definition(resources={"TrainingPlanArn": "arn:aws:sagemaker:eu-west-1:1:training-plan/p"}), hours=10
        ),
    ),
    does_not_apply(
        NOT_USED,
        "an algorithm without checkpoints for longer than spot waits for it",
        a_training_job(image=LINEAR_LEARNER, seconds=3_601, instances=4),
    ),
    *[does_not_apply(NOT_USED, name, a_training_job(**LONG, **started_by)) for name, started_by in NOT_OWN_JOBS],
    is_unknown(NOT_USED, "no training time was told", a_training_job(seconds=None)),
    is_unknown(NOT_USED, "no instance count was told", a_training_job(instances=None, **LONG)),
    is_unknown(NOT_USED, "the children of a tuning job could not be read", a_tuning_job(hours=None)),
    is_unknown(NOT_USED, "a tuning job whose definition was not told", a_tuning_job(TrainingJobDefinition=None)),
]

SPOT_INTERRUPTED: list[Case] = [
    fails(
        INTERRUPTED,
        "interrupted twice",
        a_spot_job(interruptions=2, checkpoint=CHECKPOINTS, seconds=3_600, billable=900),
        severity=Severity.MEDIUM,
        evidence={
            "interruptions": 2,
            "secondary_status": "Completed",
            "max_wait_exceeded": False,
            "checkpoint_s3_uri": CHECKPOINTS,
            "saving_percent": 75.0,
        },
        boundary="interruptions",
        in_demo=[InDemo("training-job llm-finetune-interrupted")],
    ),
    passes(
        INTERRUPTED,
        "interrupted once",
        a_spot_job(interruptions=1),
        evidence={"interruptions": 1},
        boundary="interruptions",
    ),
    passes(INTERRUPTED, "never interrupted", a_spot_job(), evidence={"interruptions": 0}),
    fails(
        INTERRUPTED,
        "interrupted once where the policy takes none",
        a_spot_job(interruptions=1),
        params={"interruptions": 1},
        severity=Severity.MEDIUM,
        boundary="interruptions",
    ),
    passes(
        INTERRUPTED,
        "interrupted twice where the policy takes two",
        a_spot_job(interruptions=2),
        params={"interruptions": 3},
        boundary="interruptions",
    ),
    fails(
        INTERRUPTED,
        "ran out of its waiting time",
        a_spot_job(status="Stopped", secondary="MaxWaitTimeExceeded"),
        severity=Severity.MEDIUM,
        evidence={"interruptions": 0, "max_wait_exceeded": True, "secondary_status": "MaxWaitTimeExceeded"},
        in_demo=[InDemo("training-job speech-model-max-wait"), InDemo("training-job vision-pretrain-max-wait")],
    ),
    fails(
        INTERRUPTED,
        "interrupted twice and still running",
        a_spot_job(interruptions=2, status="InProgress", secondary="Training", seconds=None),
        severity=Severity.MEDIUM,
    ),
    passes(
        INTERRUPTED,
        "ran out of its run time",
        a_spot_job(status="Stopped", secondary="MaxRuntimeExceeded"),
    ),
    does_not_apply(INTERRUPTED, "on demand", a_training_job(interruptions=2)),
    *[
        does_not_apply(INTERRUPTED, name, a_spot_job(interruptions=2, **started_by))
        for name, started_by in NOT_OWN_JOBS
    ],
    is_unknown(INTERRUPTED, "the transitions were not told", a_spot_job(interruptions=None)),
]


def running(runtime: int | None, wait: int | None, *, family: int | None = None, **job: Any) -> TrainingJob:
    """A training job on spot instances in progress; ``family`` is the longest run of its family in seconds."""
    state = {"status": "InProgress", "secondary": "Training", "seconds": None, **job}
    return waiting(runtime, wait, **state).model_copy(update={"longest_run_seconds": family})


SPOT_WAIT_TOO_SHORT: list[Case] = [
    fails(
        WAIT,
        "finished with a second less than needed",
        waiting(7_200, 10_800, seconds=7_201, billable=2_400),
        severity=Severity.LOW,
        evidence={
            "max_runtime_seconds": 7_200,
            "max_wait_seconds": 10_800,
            "run_seconds": 7_201,
            "slack_seconds": 3_599,
            "min_slack_seconds": 3_600,
            "instance_type": "ml.m5.xlarge",
            "because": "finished",
        },
        boundary="min_slack_seconds",
        in_demo=[
            InDemo(
                "training-job labels-quick-spot",
                remark=(
                    "Of twenty minutes to wait and run the run took six: the rest to wait for capacity is little, "
                    "however short the job."
                ),
            )
        ],
    ),
    passes(
        WAIT,
        "finished with just as much as needed",
        waiting(7_200, 10_800, seconds=7_200),
        evidence={"slack_seconds": 3_600},
        boundary="min_slack_seconds",
    ),
    fails(
        WAIT,
        "a second less than the policy needs",
        waiting(7_200, 10_800, seconds=3_601),
        params={"min_slack_seconds": 7_200},
        severity=Severity.LOW,
        evidence={"min_slack_seconds": 7_200},
        boundary="min_slack_seconds",
    ),
    passes(
        WAIT,
        "just as long as the policy needs",
        waiting(7_200, 10_800, seconds=3_600),
        params={"min_slack_seconds": 7_200},
        boundary="min_slack_seconds",
    ),
    # StoppingCondition.MaxWaitTimeInSeconds: waiting plus running, and the SDK's users set both limits alike
    passes(
        WAIT,
        "ran one hour of the day that both limits give",
        waiting(86_400, 86_400, seconds=3_600),
        evidence={"run_seconds": 3_600, "slack_seconds": 82_800},
    ),
    fails(
        WAIT,
        "stopped at its limit, which is all that it may wait",
        waiting(7_200, 7_200, status="Stopped", secondary="MaxRuntimeExceeded", seconds=7_200),
        severity=Severity.LOW,
        evidence={"slack_seconds": 0},
    ),
    passes(
        WAIT,
        "no time to wait where the policy needs none",
        waiting(7_200, 7_200, seconds=7_200),
        params={"min_slack_seconds": 0},
    ),
    fails(
        WAIT,
        "ended when its waiting time was over, long before it would have been through",
        waiting(7_200, 86_400, status="Stopped", secondary="MaxWaitTimeExceeded", seconds=600),
        severity=Severity.LOW,
        evidence={"because": "ended", "run_seconds": 600},
        in_demo=[InDemo("training-job speech-model-max-wait"), InDemo("training-job vision-pretrain-max-wait")],
    ),
    fails(
        WAIT,
        "ended when its waiting time was over, without having run",
        waiting(7_200, 86_400, status="Stopped", secondary="MaxWaitTimeExceeded", seconds=None),
        severity=Severity.LOW,
        evidence={"because": "ended", "run_seconds": 0},
    ),
    fails(
        WAIT,
        "with a RetryStrategy the limits hold over all attempts",
        waiting(
            7_200,
            14_400,
            seconds=3_600,
            RetryStrategy={"MaximumRetryAttempts": 3},
            TrainingStartTime=ago(hours=5),
            TrainingEndTime=ago(hours=1, minutes=30),
        ),
        severity=Severity.LOW,
        evidence={"run_seconds": 12_600, "slack_seconds": 1_800, "retry_attempts": 3},
    ),
    passes(
        WAIT,
        "with a RetryStrategy and one attempt",
        waiting(7_200, 14_400, seconds=3_600, RetryStrategy={"MaximumRetryAttempts": 3}),
        evidence={"run_seconds": 3_600},
    ),
    fails(
        WAIT,
        "a built-in algorithm that writes checkpoints",
        waiting(7_200, 7_200, seconds=7_000, image=XGBOOST, checkpoint=CHECKPOINTS),
        severity=Severity.LOW,
    ),
    fails(
        WAIT,
        "a private copy of an image whose algorithm has no checkpoints is an unknown algorithm",
        waiting(3_600, 3_600, image=COPIED_LDA),
        severity=Severity.LOW,
    ),
    fails(
        WAIT,
        "in progress, and may wait less than it may run",
        running(7_200, 7_199),
        severity=Severity.LOW,
        evidence={"because": "limits", "slack_seconds": -1},
    ),
    fails(
        WAIT,
        "in progress, and may wait less than the day that it may run where no limit is told",
        running(None, 86_399),
        severity=Severity.LOW,
        evidence={"max_runtime_seconds": None},
    ),
    fails(
        WAIT,
        "still waits, and a second less is left than its family's longest run took",
        running(7_200, 86_400, family=7_200, secondary="Starting", CreationTime=ago(hours=22, seconds=1)),
        severity=Severity.LOW,
        evidence={"because": "family", "left_seconds": 7_199, "longest_run_seconds": 7_200, "slack_seconds": -1},
        in_demo=[InDemo("training-job ranker-weekly-20260108")],
    ),
    passes(
        WAIT,
        "still waits, and as much is left as its family's longest run took",
        running(7_200, 86_400, family=7_200, secondary="Starting", CreationTime=ago(hours=22)),
        evidence={"slack_seconds": 0},
    ),
    passes(
        WAIT,
        "trains for all but an hour of its family's longest run, and two hours are left",
        running(86_400, 86_400, family=23 * 3_600, CreationTime=ago(hours=22), TrainingStartTime=ago(hours=22)),
        evidence={"left_seconds": 7_200, "slack_seconds": 3_600},
    ),
    passes(
        WAIT,
        "in progress, and its family has no earlier run",
        running(7_200, 7_200, secondary="Starting"),
    ),
    does_not_apply(
        WAIT,
        "in progress, and its event tells nothing of its family",
        running(7_200, 7_200, secondary="Starting"),
        whole=False,
    ),
    does_not_apply(WAIT, "is being stopped", waiting(7_200, 7_200, status="Stopping", secondary="Stopping")),
    does_not_apply(
        WAIT, "failed before it ran", waiting(7_200, 7_200, status="Failed", secondary="Failed", seconds=None)
    ),
    *[
        does_not_apply(WAIT, f"AWS limits how long {image.split('/')[1]} may wait", waiting(3_600, 3_600, image=image))
        for image in (LDA, LINEAR_LEARNER)
    ],
    does_not_apply(
        WAIT,
        "AWS limits how long an algorithm of AWS Marketplace may wait",
        waiting(3_600, 3_600, AlgorithmSpecification=MARKETPLACE),
    ),
    does_not_apply(WAIT, "on demand", a_training_job(max_runtime=7_200)),
    *[does_not_apply(WAIT, name, waiting(7_200, 7_200, **started_by)) for name, started_by in NOT_OWN_JOBS],
    is_unknown(WAIT, "the waiting time was not told", waiting(7_200, None)),
    is_unknown(WAIT, "the time that it ran was not told", waiting(7_200, 7_200, seconds=None)),
    is_unknown(WAIT, "AWS gave no time for a job in progress", running(7_200, 7_200, family=600, CreationTime=None)),
]


def saving(training: int | None, billable: int | None, **job: Any) -> TrainingJob:
    """A training job on spot instances that trained so many seconds, of which so many are billed."""
    return a_spot_job(seconds=training, BillableTimeInSeconds=billable, **job)


SPOT_NO_SAVINGS: list[Case] = [
    fails(
        SAVINGS,
        "a thousandth less than asked for",
        saving(1_000, 801),
        severity=Severity.INFO,
        evidence={
            "saving_percent": 19.9,
            "min_savings_percent": 20,
            "training_seconds": 1_000,
            "billable_seconds": 801,
            "instance_type": "ml.m5.xlarge",
        },
        boundary="min_savings_percent",
        in_demo=[InDemo("training-job segments-nightly-dear")],
    ),
    passes(
        SAVINGS,
        "as much as asked for",
        saving(1_000, 800),
        evidence={"saving_percent": 20.0},
        boundary="min_savings_percent",
    ),
    fails(
        SAVINGS,
        "a second less than asked for in a long training",
        saving(100_000, 80_001),
        severity=Severity.INFO,
        boundary="min_savings_percent",
    ),
    passes(
        SAVINGS,
        "a second more than asked for in a long training",
        saving(100_000, 79_999),
        boundary="min_savings_percent",
    ),
    fails(
        SAVINGS,
        "less than the policy asks for",
        saving(1_000, 501),
        params={"min_savings_percent": 50},
        severity=Severity.INFO,
        evidence={"saving_percent": 49.9, "min_savings_percent": 50},
        boundary="min_savings_percent",
    ),
    passes(
        SAVINGS,
        "as much as the policy asks for",
        saving(1_000, 500),
        params={"min_savings_percent": 50},
        boundary="min_savings_percent",
    ),
    fails(
        SAVINGS,
        "nothing saved",
        saving(1_000, 1_000),
        severity=Severity.INFO,
        evidence={"saving_percent": 0.0},
    ),
    passes(
        SAVINGS,
        "nothing saved where the policy asks for nothing",
        saving(1_000, 1_000),
        params={"min_savings_percent": 0},
    ),
    fails(
        SAVINGS,
        "more billed than trained",
        saving(1_000, 1_100),
        severity=Severity.INFO,
        evidence={"saving_percent": -10.0},
    ),
    passes(SAVINGS, "two of three saved", saving(3_600, 1_200), evidence={"saving_percent": 66.7}),
    passes(SAVINGS, "not billed at all", saving(3_600, 0), evidence={"saving_percent": 100.0}),
    *[
        does_not_apply(SAVINGS, f"a job that is {status}", saving(1_000, 1_000, status=status))
        for status in ("InProgress", "Failed", "Stopping", "Stopped")
    ],
    does_not_apply(SAVINGS, "on demand", a_training_job(seconds=1_000, billable=1_000)),
    *[does_not_apply(SAVINGS, name, saving(1_000, 1_000, **started_by)) for name, started_by in NOT_OWN_JOBS],
    is_unknown(SAVINGS, "no billable time was told", saving(1_000, None)),
    is_unknown(SAVINGS, "no training time was told", saving(None, 1_000)),
]

CASES: list[Case] = [
    *SPOT_NO_CHECKPOINT,
    *SPOT_CANNOT_CHECKPOINT,
    *SPOT_NOT_USED,
    *SPOT_INTERRUPTED,
    *SPOT_WAIT_TOO_SHORT,
    *SPOT_NO_SAVINGS,
]
