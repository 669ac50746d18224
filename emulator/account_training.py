"""The jobs and notebooks of the lifelike account: training, tuning, batch transform, of the last month and before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from emulator import account_storage, seed
from emulator.account_base import Account
from emulator.account_endpoints import Model, make_model
from emulator.account_network import MAIN_A, MAIN_B, MAIN_C, RESEARCH_1, RESEARCH_2, SECURITY_GROUP
from emulator.extension import records

XGBOOST = "E/sagemaker-xgboost:1.7-1"
OLD_XGBOOST = "E/sagemaker-xgboost:1.0-1-cpu-py3"
SCIKIT_LEARN = "E/sagemaker-scikit-learn:1.2-1-cpu-py3"
PYTORCH = "dlc/pytorch-training:2.3.0-gpu-py311-cu121-ubuntu20.04-sagemaker"
LINEAR_LEARNER, LDA, RANDOM_CUT_FOREST = "B/linear-learner:1", "D/lda:1", "B/randomcutforest:1"
IMAGE_CLASSIFICATION, OBJECT_DETECTION = "A/image-classification:1", "A/object-detection:1"
SCRIPT = {"sagemaker_program": "train.py", "sagemaker_submit_directory": "s3://code/train.tar.gz"}
LIGHTGBM = {"sagemaker-sdk:jumpstart-model-id": "lightgbm-classification-model"}
DAY = 86_400


@dataclass(frozen=True)
class Job:
    """A training job. hours it trained, days ago it was created, saved the share of it that spot saved.

    reads begins the name of a bucket that it reads. limit is MaxRuntimeInSeconds, wait MaxWaitTimeInSeconds (for spot,
    twice the limit unless given).
    """

    name: str
    image: str
    type: str = "ml.m5.2xlarge"
    count: int = 1
    hours: float = 1
    days: float = 5
    spot: bool = False
    checkpoints: bool = False
    limit: int = DAY
    wait: int | None = None
    saved: float = 0.68
    interruptions: int = 0
    status: str = "Completed"
    secondary: str | None = None
    hyperparameters: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    subnets: Sequence[str] = ()
    resources: Mapping[str, Any] = field(default_factory=dict)
    parents: Mapping[str, str] = field(default_factory=dict)
    serverless: bool = False
    described: Mapping[str, Any] = field(default_factory=dict)
    reads: str | None = None


def _pool(status: str, seconds: int = 0, **rest: str) -> dict[str, Any]:
    """The status of a warm pool that was kept for so long after its job."""
    return {"WarmPoolStatus": {"Status": status, "ResourceRetainedBillableTimeInSeconds": seconds, **rest}}


def _spot(name: str, image: str, **rest: Any) -> Job:
    return Job(name, image, spot=True, **rest)


def _safe(name: str, image: str, **rest: Any) -> Job:
    """A job on spot instances that writes checkpoints."""
    return _spot(name, image, checkpoints=True, **rest)


# What runs every night, and is well.
NIGHTLY = (
    *(_safe(f"churn-xgboost-nightly-{day:02}", XGBOOST, hours=0.7, days=day) for day in range(1, 15)),
    *(Job(f"fraud-features-daily-{day:02}", "own/fraud-features:5.1", hours=0.35, days=day) for day in range(1, 11)),
)

ONCE = (
    # Spot without checkpoints
    _spot("fraud-transformer-spot", "own/fraud-transformer:2.0", type="ml.g5.12xlarge", hours=7, days=3),
    _spot("churn-xgboost-spot", XGBOOST, hours=1.4, days=6, limit=7200),
    _spot("shelf-object-detection", OBJECT_DETECTION, type="ml.g5.2xlarge", hours=5, days=9),
    _spot("credit-features-script", SCIKIT_LEARN, hours=0.8, days=11, limit=7200, hyperparameters=SCRIPT),
    _spot("chatbot-running-spot", PYTORCH, type="ml.g5.24xlarge", days=0.2, status="InProgress"),
    # A private image under the name of a built-in one: unknown, whatever its name
    _spot("returns-own-lda-spot", "own/lda:1", type="ml.g4dn.xlarge", days=8),
    # Spot without checkpoints, for minutes
    _spot("labels-quick-spot", "own/label-check:1.1", hours=0.1, days=2, limit=600),
    # Built-in algorithms that cannot write checkpoints
    _spot("segments-linear-learner-spot", LINEAR_LEARNER, hours=0.6, days=4, limit=3000, wait=3600),
    _spot("stores-kmeans-spot", "B/kmeans:1", hours=0.2, days=7, limit=900, wait=3600),
    _spot("anomaly-rcf-gpu-spot", RANDOM_CUT_FOREST, type="ml.g4dn.xlarge", hours=0.3, limit=1200, wait=3600),
    # Interrupted
    _safe("llm-finetune-interrupted", PYTORCH, type="ml.g5.48xlarge", hours=11, days=10, interruptions=3),
    _safe(
        "speech-model-max-wait",
        "own/speech:4.2",
        type="ml.g5.12xlarge",
        hours=9,
        days=13,
        status="Stopped",
        secondary="MaxWaitTimeExceeded",
    ),
    _spot(
        "vision-pretrain-max-wait",
        "own/vision:0.9",
        type="ml.g6.12xlarge",
        hours=20,
        days=16,
        status="Stopped",
        secondary="MaxWaitTimeExceeded",
    ),
    _safe("segments-nightly-dear", "own/segments:2.2", type="ml.g5.xlarge", hours=2.5, days=6, saved=0.08),
    Job("topics-lda-two-machines", LDA, "ml.m5.4xlarge", 2, hours=0.6, days=8),
    _safe("ranking-interrupted-once", PYTORCH, type="ml.g5.2xlarge", hours=3, days=12, interruptions=1),
    # Waits for capacity, and the run of last week took longer than what is left of its waiting time
    _safe("ranker-weekly-20260101", PYTORCH, type="ml.g5.12xlarge", hours=14, days=7, limit=DAY, wait=DAY),
    _safe(
        "ranker-weekly-20260108",
        PYTORCH,
        type="ml.g5.12xlarge",
        days=0.5,
        limit=DAY,
        wait=DAY,
        status="InProgress",
        secondary="Starting",
    ),
    # AWS chooses the instances, and Search does not say so
    Job("assistant-finetune-serverless", PYTORCH, hours=6, days=5, serverless=True),
    # On demand, and long
    Job("embeddings-full", PYTORCH, "ml.g5.12xlarge", hours=9, days=15),
    Job("embeddings-two-instances", PYTORCH, "ml.g5.2xlarge", 2, hours=2, days=18),
    Job("pricing-factorization-machines", "B/factorization-machines:1", "ml.c5.2xlarge", 8, hours=0.75, days=20),
    # On demand for a reason, not long, or not completed
    Job("embeddings-short", PYTORCH, "ml.g5.2xlarge", hours=3.9, days=19),
    Job(
        "recommender-warm-pool-1",
        PYTORCH,
        "ml.g5.2xlarge",
        hours=6,
        resources={"KeepAlivePeriodInSeconds": 1800},
        described=_pool("Reused", 240, ReusedByJob="recommender-warm-pool-2"),
    ),
    Job(
        "recommender-warm-pool-2",
        PYTORCH,
        "ml.g5.2xlarge",
        hours=5,
        resources={"KeepAlivePeriodInSeconds": 1800},
        described=_pool("Terminated", 1800),
    ),
    Job(
        "llm-pretrain-reserved",
        PYTORCH,
        "ml.p5.48xlarge",
        hours=20,
        days=21,
        resources={"TrainingPlanArn": "arn:aws:sagemaker:{region}:{account}:training-plan/llm-q4"},
    ),
    Job("gan-failed", PYTORCH, "ml.g5.2xlarge", hours=10, days=22, status="Failed"),
    Job("uplift-stopped", "own/uplift:1.0", "ml.c5.9xlarge", hours=6, days=23, status="Stopped"),
    Job("forecast-transformer-running", PYTORCH, "ml.p4d.24xlarge", days=0.5, status="InProgress"),
    # Spot would end it after an hour: the algorithm has no checkpoints, so MaxWaitTimeInSeconds is 3,600 at most
    Job("demand-deepar-long", "C/forecasting-deepar:1", "ml.c5.4xlarge", hours=6, days=24),
    # Accelerators
    Job("topics-lda-gpu", LDA, "ml.p3.2xlarge", hours=0.5, days=25),
    Job("uplift-lightgbm-gpu", PYTORCH, "ml.g4dn.xlarge", hours=0.9, days=17, hyperparameters=SCRIPT, tags=LIGHTGBM),
    Job("credit-scikit-gpu", SCIKIT_LEARN, "ml.g5.xlarge", hours=0.4, days=14, hyperparameters=SCRIPT),
    Job("churn-xgboost-old-gpu", OLD_XGBOOST, "ml.g4dn.2xlarge", hours=1.1, days=26),
    Job("churn-xgboost-gpu", XGBOOST, "ml.g5.2xlarge", hours=1, days=4, hyperparameters={"tree_method": "gpu_hist"}),
    Job("returns-own-xgboost-gpu", "own/sagemaker-xgboost:1.0-1-cpu-py3", "ml.g4dn.xlarge", hours=0.5, days=6),
    _safe("defects-image-classification", IMAGE_CLASSIFICATION, type="ml.g4dn.2xlarge", hours=4, days=8),
    Job("defects-image-classification-p3", IMAGE_CLASSIFICATION, "ml.p3.8xlarge", hours=3, days=27),
    Job("basket-linear-learner-c4", LINEAR_LEARNER, "ml.c4.4xlarge", hours=0.8, days=28),
    Job("survey-ntm", "B/ntm:1", "ml.m5.4xlarge", hours=0.9, days=20),
    # The network
    Job("genomics-research", "own/genomics:0.3", "ml.r5.8xlarge", hours=2, days=3, subnets=(RESEARCH_1, RESEARCH_2)),
    Job("credit-risk-private", "own/credit-risk:2.2", hours=2, days=9, subnets=(MAIN_A, MAIN_B, MAIN_C)),
    # Cut off by their limit, or about to be; three of them on purpose
    Job(
        "summaries-cut-off",
        PYTORCH,
        "ml.g5.12xlarge",
        hours=24,
        days=6,
        status="Stopped",
        secondary="MaxRuntimeExceeded",
    ),
    *(
        Job(
            f"search-policy-budget-{number}",
            "own/search-policy:1.4",
            hours=2,
            days=4 * number,
            limit=7200,
            status="Stopped",
            secondary="MaxRuntimeExceeded",
        )
        for number in (1, 2, 3)
    ),
    Job("embeddings-nearly-out", PYTORCH, "ml.g5.2xlarge", days=0.95, status="InProgress"),
    # Waits for the last hours of its two days
    _safe(
        "translation-weekly-20260107",
        PYTORCH,
        type="ml.g5.12xlarge",
        days=46 / 24,
        status="InProgress",
        secondary="Starting",
    ),
    # Has been uploading since the night before last
    Job(
        "catalog-stuck-uploading", "own/catalog:3.0", days=2, limit=10 * DAY, status="InProgress", secondary="Uploading"
    ),
    # Trains, and its checkpoints have stopped; and one that reads from across the sea
    _safe("voice-pretraining", PYTORCH, type="ml.p4d.24xlarge", days=0.6, limit=5 * DAY, status="InProgress"),
    Job("clicks-from-abroad", "own/clicks:1.0", hours=1, days=5, reads="clicks-archive"),
    # Kept warm for nobody
    *(
        Job(
            f"ads-ranking-warm-{number}",
            "own/ads-ranking:2.1",
            hours=0.5,
            days=3 * number,
            resources={"KeepAlivePeriodInSeconds": 3600},
            described=_pool("Terminated", 3600),
        )
        for number in (1, 2, 3)
    ),
    # What AWS started on somebody's behalf
    Job(
        "automl-credit-dpp0-1-4f7a2c",
        XGBOOST,
        "ml.m4.4xlarge",
        hours=6,
        days=7,
        parents={"AutoMLJobArn": "arn:aws:sagemaker:{region}:{account}:automl-job/automl-credit"},
    ),
    Job(
        "receipts-labeling-iteration-2",
        IMAGE_CLASSIFICATION,
        "ml.p3.2xlarge",
        hours=5,
        days=12,
        parents={"LabelingJobArn": "arn:aws:sagemaker:{region}:{account}:labeling-job/receipts"},
    ),
)

# Before the look-back window: nobody is told of these any more.
LONG_AGO = (
    _spot("fraud-transformer-spot-spring", "own/fraud-transformer:1.2", type="ml.p3.8xlarge", hours=7, days=48),
    Job("topics-lda-gpu-spring", LDA, "ml.p3.2xlarge", hours=6, days=62),
    Job("embeddings-full-spring", PYTORCH, "ml.g5.12xlarge", hours=12, days=75),
    _spot("stores-kmeans-spot-spring", "B/kmeans:1", hours=0.9, days=95, limit=3000, wait=3600),
)

# The hours of the training jobs of each tuning job; none of them is told by itself.
TUNED = Job("churn-tuning", XGBOOST, "ml.m5.4xlarge", hours=0.8, days=4, limit=7200)
TUNED_ON_SPOT = _spot("ranking-tuning-spot", "own/ranking:3.3", type="ml.g5.2xlarge", hours=1.2, days=10, limit=14_400)
#: With how many training jobs each has run, and how many it planned.
TUNING = ((TUNED, 10, 40), (TUNED_ON_SPOT, 4, 4))

BATCH_MODELS = (
    Model("anomaly-batch-v2", [RANDOM_CUT_FOREST]),
    Model("archive-embeddings-v1", ["own/archive-embeddings:1.0"]),
    Model("scoring-batch-v5", [SCIKIT_LEARN, XGBOOST]),
)


def make(account: Account) -> None:
    """Makes all jobs with their buckets, notebooks and clusters."""
    account_storage.make_bucket(account, f"training-output-{account.id}")
    account_storage.make_bucket(account, f"checkpoints-{account.id}")
    account_storage.make_bucket(account, f"clicks-archive-{account.id}", region="us-east-1")
    stopped = f"s3://checkpoints-{account.id}/voice-pretraining/epoch-18.pt"
    account_storage.keep_object(account, stopped, written=account.ago(hours=9))
    for job in (*NIGHTLY, *ONCE, *LONG_AGO):
        _make_job(account, job)
    for job, children, planned in TUNING:
        _make_tuning_job(account, job, children, planned)
    _make_transform_jobs(account)
    _make_notebooks(account)
    _make_clusters(account)


def _make_job(account: Account, job: Job) -> None:
    created = account.ago(days=job.days)
    started = created + timedelta(minutes=4)
    ended = None if job.status == "InProgress" else started + timedelta(hours=job.hours)
    members = _definition(account, job)
    members |= {member: _arn(account, arn) for member, arn in job.parents.items()}
    members["HyperParameters"] = dict(job.hyperparameters)
    if job.spot and ended is not None:
        members["BillableTimeInSeconds"] = round(job.hours * 3600 * (1 - job.saved))
    if job.secondary:
        members["SecondaryStatus"] = job.secondary
    if job.secondary == "Starting":
        members["TrainingStartTime"] = None
    if job.serverless:
        members |= {"ServerlessJobConfig": {"JobType": "FineTuning"}, "ResourceConfig": None}
    if job.secondary == "Uploading":
        members["SecondaryStatusTransitions"] = [
            {"Status": "Training", "StartTime": started, "EndTime": account.ago(hours=30), "StatusMessage": "Training"},
            {"Status": "Uploading", "StartTime": account.ago(hours=30), "StatusMessage": "Uploading the model"},
        ]
    if job.interruptions:
        members["SecondaryStatusTransitions"] = _interrupted(account, job)
    if job.status == "Failed":
        members["FailureReason"] = "AlgorithmError: CUDA out of memory, exit code: 1"
    members |= job.described
    tags = {"owner": job.name.partition("-")[0], "env": "research", **job.tags}
    seed.training_job(
        account.id,
        account.region,
        job.name,
        status=job.status,
        created=created,
        started=started,
        ended=ended,
        tags=tags,
        **members,
    )


def _arn(account: Account, arn: str) -> str:
    return arn.format(region=account.region, account=account.id)


def _definition(account: Account, job: Job) -> dict[str, Any]:
    """What a training job and the definition of a tuning job have in common."""
    stopping = {"MaxRuntimeInSeconds": job.limit}
    members: dict[str, Any] = {
        "AlgorithmSpecification": {"TrainingImage": account.image(job.image), "TrainingInputMode": "File"},
        "RoleArn": account.role,
        "OutputDataConfig": {"S3OutputPath": f"s3://training-output-{account.id}/"},
        "ResourceConfig": {
            "InstanceType": job.type,
            "InstanceCount": job.count,
            "VolumeSizeInGB": 100,
            **{
                member: _arn(account, value) if isinstance(value, str) else value
                for member, value in job.resources.items()
            },
        },
        "StoppingCondition": stopping,
        "EnableManagedSpotTraining": job.spot,
    }
    if job.spot:
        stopping["MaxWaitTimeInSeconds"] = job.wait or 2 * job.limit
    if job.reads:
        source = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{job.reads}-{account.id}/"}
        members["InputDataConfig"] = [{"ChannelName": "train", "DataSource": {"S3DataSource": source}}]
    if job.checkpoints:
        members["CheckpointConfig"] = {"S3Uri": f"s3://checkpoints-{account.id}/{job.name}/"}
    if job.subnets:
        members["VpcConfig"] = {"SecurityGroupIds": [SECURITY_GROUP], "Subnets": list(job.subnets)}
    return members


def _interrupted(account: Account, job: Job) -> list[dict[str, Any]]:
    """The job starts, trains and is interrupted, over and over, until it gets to its end."""
    slice_ = timedelta(hours=job.hours / (2 * job.interruptions + 2))
    steps = ["Starting", "Training", *(["Interrupted", "Training"] * job.interruptions), "Completed"]
    moments = [account.ago(days=job.days) + slice_ * number for number in range(len(steps) + 1)]
    messages = {"Interrupted": "Spot instances were interrupted; waiting for capacity"}
    return [
        {
            "Status": status,
            "StartTime": begin,
            "EndTime": end,
            "StatusMessage": messages.get(status, f"Training job: {status.lower()}"),
        }
        for status, begin, end in zip(steps, moments, moments[1:], strict=False)
    ]


def _make_tuning_job(account: Account, job: Job, children: int, planned: int) -> None:
    created = account.ago(days=job.days)
    definition = {**_definition(account, job), "StaticHyperParameters": {"objective": "binary:logistic"}}
    ended = created + timedelta(hours=job.hours * children / 2)
    seed.tuning_job(
        account.id,
        account.region,
        job.name,
        children=0,
        created=created,
        modified=ended,
        definition=definition,
        tags={"owner": job.name.partition("-")[0], "env": "research"},
        HyperParameterTuningEndTime=ended,
        HyperParameterTuningJobConfig={
            "Strategy": "Bayesian",
            "ResourceLimits": {"MaxNumberOfTrainingJobs": planned, "MaxParallelTrainingJobs": 2},
        },
    )
    parent = f"arn:aws:sagemaker:{account.region}:{account.id}:hyper-parameter-tuning-job/{job.name}"
    for number in range(1, children + 1):
        started = created + timedelta(hours=job.hours * ((number - 1) // 2))
        share = 1 - job.saved if job.spot else 1
        seed.training_job(
            account.id,
            account.region,
            f"{job.name}-{number:03}-{number * 48_271 % 0xFFFFFFFF:08x}",
            created=started,
            started=started,
            ended=started + timedelta(hours=job.hours),
            BillableTimeInSeconds=round(job.hours * 3600 * share),
            HyperParameters={"objective": "binary:logistic", "max_depth": str(3 + number)},
            TuningJobArn=parent,
            **_definition(account, job),
        )


def _make_transform_jobs(account: Account) -> None:
    for model in BATCH_MODELS:
        make_model(account, model, age=120, tags={"owner": model.name.partition("-")[0]})
    _make_transform_job(account, "anomaly-batch-gpu", "anomaly-batch-v2", "ml.g4dn.xlarge", days=2)
    _make_transform_job(account, "archive-embeddings-p2", "archive-embeddings-v1", "ml.p2.xlarge", days=12)
    _make_transform_job(account, "scoring-batch-weekly", "scoring-batch-v5", "ml.m5.4xlarge", days=6)
    labeling = f"arn:aws:sagemaker:{account.region}:{account.id}:labeling-job/receipts"
    _make_transform_job(
        account,
        "receipts-labeling-inference-2",
        "archive-embeddings-v1",
        "ml.p2.xlarge",
        days=11,
        LabelingJobArn=labeling,
    )


def _make_transform_job(account: Account, name: str, model: str, type: str, *, days: float, **fields: Any) -> None:
    account.sagemaker(
        "CreateTransformJob",
        TransformJobName=name,
        ModelName=model,
        TransformInput={"DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://batch/{name}/"}}},
        TransformOutput={"S3OutputPath": f"s3://batch-results-{account.id}/{name}/"},
        TransformResources={"InstanceType": type, "InstanceCount": 2},
    )
    created = account.ago(days=days)
    ended = created + timedelta(hours=1)
    fields |= {"TransformStartTime": created, "TransformEndTime": ended, "LastModifiedTime": ended}
    seed.transform_job(account.id, account.region, name, created=created, **fields)


def _make_clusters(account: Account) -> None:
    # Its subnets lie in one zone, a node lacks, and nodes start unchecked.
    _make_cluster(
        account,
        "research-pretraining",
        "ml.p5.48xlarge",
        8,
        "None",
        {"CurrentCount": 7, "ImageVersionStatus": "UpToDate"},
        VpcConfig={"SecurityGroupIds": [SECURITY_GROUP], "Subnets": [RESEARCH_1, RESEARCH_2]},
    )
    # Nothing but an older image.
    checks = ["InstanceStress", "InstanceConnectivity"]
    described = {"CurrentCount": 2, "ImageVersionStatus": "UpdateAvailable", "OnStartDeepHealthChecks": checks}
    vpc = {"SecurityGroupIds": [SECURITY_GROUP], "Subnets": [MAIN_A, MAIN_B]}
    _make_cluster(account, "llm-finetuning", "ml.g5.12xlarge", 2, "Automatic", described, VpcConfig=vpc)


def _make_cluster(
    account: Account, name: str, type: str, count: int, recovery: str, described: dict[str, Any], **fields: Any
) -> None:
    group = {
        "InstanceGroupName": "workers",
        "InstanceType": type,
        "InstanceCount": count,
        "LifeCycleConfig": {"SourceS3Uri": f"s3://sagemaker-{name}", "OnCreate": "on_create.sh"},
        "ExecutionRole": account.role,
    }
    account.sagemaker("CreateCluster", ClusterName=name, InstanceGroups=[group], NodeRecovery=recovery, Tags=[])
    group = {**group, "TargetCount": count, "Status": "InService", **described}
    fields |= {"InstanceGroups": [{member: value for member, value in group.items() if member != "InstanceCount"}]}
    seed.record(account.id, account.region, records.CLUSTER, name, created=account.ago(days=120), **fields)


def _make_notebooks(account: Account) -> None:
    _make_notebook(account, "exploration-accelerated", "ml.m5.xlarge", age=800, AcceleratorTypes=["ml.eia2.medium"])
    _make_notebook(account, "reporting-old", "ml.t2.medium", age=1100, PlatformIdentifier="notebook-al2-v2")
    _make_notebook(account, "churn-analysis", "ml.t3.large", age=70)
    _make_notebook(account, "llm-experiments", "ml.g5.2xlarge", age=20)
    _make_notebook(account, "pricing-archive", "ml.m5.large", age=260, status="Stopped")


def _make_notebook(
    account: Account, name: str, type: str, *, age: float, status: str = "InService", **fields: Any
) -> None:
    account.sagemaker(
        "CreateNotebookInstance", NotebookInstanceName=name, InstanceType=type, RoleArn=account.role, Tags=[]
    )
    created = account.ago(days=age)
    fields = {"PlatformIdentifier": "notebook-al2023-v1", **fields}
    seed.notebook_instance(
        account.id, account.region, name, status=status, created=created, LastModifiedTime=created, **fields
    )
