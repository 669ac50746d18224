"""Training that can be lost or wasted: waits, limits, states that last, warm pools, tuning without an early end."""

from datetime import datetime
from typing import Any

from chalicelib.inventory.kinds.training import TrainingJob, UnusedPool
from chalicelib.report.findings import Severity
from chalicelib.report.outcomes import Confidence
from samples.builders import a_training_job, a_tuning_job, ago
from samples.cases.case import Case, InDemo, does_not_apply, fails, is_unknown, passes
from samples.cases.instance_fit import NOT_OWN_JOBS
from samples.cases.spot_training import CHECKPOINTS, waiting

WAITS = "training-spot-waiting"
AT_LIMIT = "training-stopped-at-limit"
STUCK = "training-stuck"
POOL = "training-warm-pool-unused"
EARLY_STOPPING = "tuning-without-early-stopping"
DAY = 86_400


def waits(asked: datetime | None, secondary: str = "Starting", wait: int | None = 172_800, **job: Any) -> TrainingJob:
    """A job on spot instances in progress that was asked for then, and may wait two days."""
    in_progress = {"status": "InProgress", "secondary": secondary, "seconds": None}
    return waiting(DAY, wait, CreationTime=asked, **{**in_progress, **job})


SPOT_WAITING: list[Case] = [
    fails(
        WAITS,
        "46 of its 48 hours in Starting",
        waits(ago(hours=46)),
        severity=Severity.MEDIUM,
        evidence={"max_wait_seconds": 172_800, "secondary_status": "Starting", "percent": 80, "interruptions": 0},
        in_demo=[InDemo("training-job translation-weekly-20260107")],
    ),
    fails(
        WAITS,
        "a second more than four fifths",
        waits(ago(seconds=138_241)),
        severity=Severity.MEDIUM,
        boundary="percent",
    ),
    passes(WAITS, "just four fifths", waits(ago(seconds=138_240)), boundary="percent"),
    fails(
        WAITS,
        "more than the policy lets pass",
        waits(ago(hours=25)),
        severity=Severity.MEDIUM,
        params={"percent": 50},
        boundary="percent",
    ),
    fails(
        WAITS,
        "interrupted, without checkpoints",
        waits(ago(hours=46), "Interrupted", interruptions=1),
        severity=Severity.MEDIUM,
        evidence={"interruptions": 1, "checkpoint_s3_uri": None},
    ),
    fails(
        WAITS,
        "interrupted twice, with checkpoints",
        waits(ago(hours=46), "Interrupted", interruptions=2, checkpoint=CHECKPOINTS),
        severity=Severity.MEDIUM,
        evidence={"checkpoint_s3_uri": CHECKPOINTS},
    ),
    *[
        fails(WAITS, f"in {secondary} for as long", waits(ago(hours=46), secondary), severity=Severity.MEDIUM)
        for secondary in ("Pending", "LaunchingMLInstances", "PreparingTrainingStack")
    ],
    *[
        passes(WAITS, f"it has its instances, in {secondary}", waits(ago(hours=46), secondary))
        for secondary in ("Downloading", "Training", "Uploading")
    ],
    *[
        does_not_apply(WAITS, f"a job that is {status}", waits(ago(hours=46), status, status=status))
        for status in ("Completed", "Failed", "Stopping", "Stopped")
    ],
    does_not_apply(WAITS, "on demand", a_training_job(status="InProgress", secondary="Starting")),
    *[does_not_apply(WAITS, name, waits(ago(hours=46), **started_by)) for name, started_by in NOT_OWN_JOBS],
    is_unknown(WAITS, "the waiting time was not told", waits(ago(hours=46), wait=None)),
    is_unknown(WAITS, "AWS gave no time for it", waits(None)),
]


def cut_off(seconds: int | None = DAY, times: int | None = 1, limit: int | None = DAY, **job: Any) -> TrainingJob:
    """A job on demand on a machine with four GPUs that its limit ended; ``times``: so many of its family, so far."""
    ended = {"status": "Stopped", "secondary": "MaxRuntimeExceeded", "instance_type": "ml.g5.12xlarge"}
    members = {"ModelArtifacts": {"S3ModelArtifacts": "s3://churn/model.tar.gz"}, "times_at_limit": times}
    return a_training_job(seconds=seconds, max_runtime=limit, **{**ended, **members, **job})


def runs(started: datetime | None, limit: int | None = DAY, **job: Any) -> TrainingJob:
    """A job on demand in progress that has trained since then."""
    in_progress = {"status": "InProgress", "secondary": "Training", "seconds": None, "times_at_limit": 0}
    return a_training_job(max_runtime=limit, TrainingStartTime=started, **{**in_progress, **job})


def interrupted_run(**waited: float) -> dict[str, Any]:
    """A history that trained for ten hours, waited from then on for so long, and trains again."""
    began, back = ago(hours=20), ago(hours=20) + (ago(hours=0) - ago(**waited))
    return {
        "interruptions": None,
        "SecondaryStatusTransitions": [
            {"Status": "Starting", "StartTime": ago(hours=31), "EndTime": ago(hours=30)},
            {"Status": "Training", "StartTime": ago(hours=30), "EndTime": began},
            {"Status": "Interrupted", "StartTime": began, "EndTime": began},
            {"Status": "Starting", "StartTime": began, "EndTime": back},
            {"Status": "Training", "StartTime": back},
        ],
    }


STOPPED_AT_LIMIT: list[Case] = [
    fails(
        AT_LIMIT,
        "on demand, ended by its limit, no checkpoints",
        cut_off(),
        severity=Severity.HIGH,
        evidence={
            "max_runtime_seconds": DAY,
            "accelerator_hours": 96.0,
            "checkpoint_s3_uri": None,
            "time_boxed": False,
            "secondary_status": "MaxRuntimeExceeded",
        },
        in_demo=[InDemo("training-job summaries-cut-off")],
    ),
    fails(
        AT_LIMIT,
        "just as many accelerator-hours as may be lost",
        cut_off(7_200, limit=7_200),
        severity=Severity.MEDIUM,
        evidence={"accelerator_hours": 8.0},
        boundary="high_hours",
    ),
    fails(
        AT_LIMIT,
        "four seconds of an accelerator more",
        cut_off(7_201, limit=7_200),
        severity=Severity.HIGH,
        boundary="high_hours",
    ),
    fails(
        AT_LIMIT,
        "as many as the policy lets be lost",
        cut_off(),
        params={"high_hours": 96},
        severity=Severity.MEDIUM,
    ),
    fails(
        AT_LIMIT,
        "with checkpoints, from which the next job goes on",
        cut_off(checkpoint=CHECKPOINTS),
        severity=Severity.MEDIUM,
        evidence={"checkpoint_s3_uri": CHECKPOINTS},
    ),
    fails(
        AT_LIMIT,
        "on CPUs, however many",
        cut_off(instance_type="ml.m5.24xlarge", instances=8),
        severity=Severity.MEDIUM,
        evidence={"accelerator_hours": 0.0},
    ),
    fails(
        AT_LIMIT,
        "Trainium counts one for an instance, where the number is not known",
        cut_off(32_401, instance_type="ml.trn1.32xlarge"),
        severity=Severity.HIGH,
        evidence={"accelerator_hours": 9.0},
    ),
    fails(
        AT_LIMIT,
        "the groups of a heterogeneous cluster",
        cut_off(
            3_600,
            resources={
                "InstanceGroups": [
                    {"InstanceGroupName": "gpu", "InstanceType": "ml.p4d.24xlarge", "InstanceCount": 2},
                    {"InstanceGroupName": "cpu", "InstanceType": "ml.c5.18xlarge", "InstanceCount": 4},
                ]
            },
        ),
        severity=Severity.HIGH,
        evidence={"accelerator_hours": 16.0},
    ),
    fails(
        AT_LIMIT,
        "the time that it ran was not told: its limit is",
        cut_off(None),
        severity=Severity.HIGH,
        evidence={"accelerator_hours": 96.0, "run_seconds": None},
    ),
    fails(
        AT_LIMIT,
        "no limit is told, which is a day",
        cut_off(None, limit=None),
        severity=Severity.HIGH,
        evidence={"max_runtime_seconds": DAY},
    ),
    fails(
        AT_LIMIT,
        "with a RetryStrategy the limit holds over all attempts",
        cut_off(
            3_600,
            RetryStrategy={"MaximumRetryAttempts": 2},
            TrainingStartTime=ago(hours=5),
            TrainingEndTime=ago(hours=2),
        ),
        severity=Severity.HIGH,
        evidence={"accelerator_hours": 12.0, "retry_attempts": 2},
    ),
    fails(
        AT_LIMIT,
        "its event tells nothing of its family",
        cut_off(times=None),
        severity=Severity.HIGH,
        confidence=Confidence.MEDIUM,
        whole=False,
    ),
    fails(
        AT_LIMIT,
        "the same limit has ended three of its family, each with a model",
        cut_off(times=3),
        severity=Severity.INFO,
        evidence={"time_boxed": True, "times_at_limit": 3},
        in_demo=[InDemo(f"training-job search-policy-budget-{number}") for number in (1, 2, 3)],
    ),
    fails(AT_LIMIT, "the same limit has ended two of its family", cut_off(times=2), severity=Severity.HIGH),
    fails(
        AT_LIMIT,
        "the same limit has ended three others with a model, and this one without",
        cut_off(times=3, ModelArtifacts={"S3ModelArtifacts": ""}),
        severity=Severity.HIGH,
    ),
    fails(
        AT_LIMIT,
        "in progress, and a second more than nine tenths is over",
        runs(ago(seconds=77_761)),
        severity=Severity.MEDIUM,
        evidence={"time_boxed": False},
        in_demo=[InDemo("training-job embeddings-nearly-out")],
    ),
    passes(AT_LIMIT, "in progress, and just nine tenths are over", runs(ago(seconds=77_760))),
    fails(
        AT_LIMIT,
        "in progress near a limit that is meant",
        runs(ago(hours=23), times_at_limit=3),
        severity=Severity.INFO,
        evidence={"time_boxed": True},
    ),
    fails(
        AT_LIMIT,
        "in progress on spot instances, interrupted for an hour of thirty",
        runs(ago(hours=30), spot=True, **interrupted_run(hours=8)),
        severity=Severity.MEDIUM,
    ),
    passes(
        AT_LIMIT,
        "in progress on spot instances: the wait for new ones is no run",
        runs(ago(hours=30), spot=True, **interrupted_run(hours=9)),
    ),
    passes(AT_LIMIT, "in progress, and has not begun to run", runs(None)),
    passes(AT_LIMIT, "completed", a_training_job()),
    passes(AT_LIMIT, "stopped by somebody", a_training_job(status="Stopped", secondary="Stopped")),
    does_not_apply(AT_LIMIT, "is being stopped", a_training_job(status="Stopping", secondary="Stopping")),
    *[does_not_apply(AT_LIMIT, name, cut_off(**started_by)) for name, started_by in NOT_OWN_JOBS],
    is_unknown(
        AT_LIMIT,
        "in progress on spot instances without a history",
        runs(ago(hours=23), spot=True, interruptions=None),
    ),
]


def is_in(state: str, since: datetime | None, status: str = "InProgress", **job: Any) -> TrainingJob:
    """A job that has been in a state since then; None leaves its history out."""
    history = [{"Status": "Starting", "StartTime": ago(days=5)}, {"Status": state, "StartTime": since}]
    members = {"SecondaryStatusTransitions": history if since is not None else None}
    return a_training_job(status=status, secondary=state, seconds=None, **{**members, **job})


STUCK_CASES: list[Case] = [
    *[
        fails(
            STUCK,
            f"in {state} for a second more than half a day",
            is_in(state, ago(hours=12, seconds=1), status),
            severity=Severity.MEDIUM,
            evidence={"secondary_status": state, "hours": 12.0},
            boundary="hours",
            in_demo=[InDemo("training-job catalog-stuck-uploading")] if state == "Uploading" else (),
        )
        for state, status in (
            ("Uploading", "InProgress"),
            ("Downloading", "InProgress"),
            ("Pending", "InProgress"),
            ("Stopping", "Stopping"),
        )
    ],
    *[
        passes(STUCK, f"in {state} for half a day", is_in(state, ago(hours=12), status), boundary="hours")
        for state, status in (("Uploading", "InProgress"), ("Stopping", "Stopping"))
    ],
    fails(
        STUCK,
        "for longer than the policy lets be",
        is_in("Uploading", ago(hours=2)),
        params={"hours": 1},
        severity=Severity.MEDIUM,
        evidence={"hours": 1.0},
    ),
    fails(
        STUCK,
        "without a history, since its last change",
        is_in("Stopping", None, "Stopping", LastModifiedTime=ago(hours=13)),
        severity=Severity.MEDIUM,
    ),
    fails(
        STUCK,
        "a state that its history does not have yet counts from the last change",
        is_in("Training", ago(days=3), "Stopping", LastModifiedTime=ago(hours=13), SecondaryStatus="Stopping"),
        severity=Severity.MEDIUM,
    ),
    passes(
        STUCK,
        "stopped a minute ago, after three days of training",
        is_in("Training", ago(days=3), "Stopping", LastModifiedTime=ago(minutes=1), SecondaryStatus="Stopping"),
    ),
    passes(
        STUCK,
        "pending for less than it may be, by its own limit",
        is_in(
            "Pending",
            ago(hours=30),
            StoppingCondition={"MaxRuntimeInSeconds": DAY, "MaxPendingTimeInSeconds": 2 * DAY},
        ),
    ),
    fails(
        STUCK,
        "pending for longer than half a day, though its own limit is shorter",
        is_in(
            "Pending",
            ago(hours=13),
            StoppingCondition={"MaxRuntimeInSeconds": DAY, "MaxPendingTimeInSeconds": 7_200},
        ),
        severity=Severity.MEDIUM,
    ),
    passes(STUCK, "it trains", is_in("Training", ago(days=3))),
    *[
        does_not_apply(STUCK, f"a job that is {status}", a_training_job(status=status, secondary=status))
        for status in ("Completed", "Failed", "Stopped")
    ],
    *[does_not_apply(STUCK, name, is_in("Uploading", ago(days=1), **by)) for name, by in NOT_OWN_JOBS],
    is_unknown(STUCK, "AWS gave no time", is_in("Uploading", None, LastModifiedTime=None)),
]


def pooled(
    retained: int | None = 3_600,
    pools: int | None = 3,
    state: str | None = "Terminated",
    reused_by: str | None = None,
    keep: int = 3_600,
    **job: Any,
) -> TrainingJob:
    """A job of an hour on two instances whose warm pool was kept for so long, one of so many like it."""
    pool = {"Status": state, "ResourceRetainedBillableTimeInSeconds": retained, "ReusedByJob": reused_by}
    like_it = UnusedPool(run_seconds=3_600, retained_seconds=retained or 0, instances=2)
    members = {
        "WarmPoolStatus": pool if state else None,
        "unused_pools": (like_it,) * pools if pools is not None else None,
        "resources": {"KeepAlivePeriodInSeconds": keep} if keep else {},
        "instances": 2,
    }
    return a_training_job(**{**members, **job})


WARM_POOL_UNUSED: list[Case] = [
    fails(
        POOL,
        "kept as long as the job ran, in three jobs",
        pooled(),
        severity=Severity.LOW,
        evidence={
            "instance_hours": 2.0,
            "family_instance_hours": 6.0,
            "jobs": 3,
            "family": "churn",
            "retained_seconds": 3_600,
            "run_seconds": 3_600,
        },
        boundary="ratio",
        in_demo=[InDemo(f"training-job ads-ranking-warm-{number}") for number in (1, 2, 3)],
    ),
    passes(POOL, "kept a second less", pooled(3_599), boundary="ratio"),
    fails(
        POOL,
        "kept for half of its run, where the policy lets be less",
        pooled(1_800),
        params={"ratio": 0.5},
        severity=Severity.LOW,
        evidence={"instance_hours": 1.0},
    ),
    passes(POOL, "only twice", pooled(pools=2), boundary="jobs"),
    fails(POOL, "once, where the policy lets be none", pooled(pools=1), params={"jobs": 1}, severity=Severity.LOW),
    fails(POOL, "four times", pooled(pools=4), severity=Severity.LOW, evidence={"jobs": 4}, boundary="jobs"),
    passes(
        POOL,
        "others of its family were kept for a moment only",
        pooled(unused_pools=(UnusedPool(run_seconds=3_600, retained_seconds=60, instances=2),) * 9),
    ),
    passes(POOL, "another job used it", pooled(60, state="Reused", reused_by="churn-2026-11-21")),
    passes(POOL, "another job used it before it ended", pooled(3_600, reused_by="churn-2026-11-21")),
    does_not_apply(POOL, "keeps no warm pool", a_training_job()),
    *[does_not_apply(POOL, f"its pool is {state}", pooled(None, state=state)) for state in ("Available", "InUse")],
    does_not_apply(POOL, "AWS tells of no pool", pooled(state=None)),
    does_not_apply(POOL, "its pool begins when it ends", pooled(state=None, status="InProgress", secondary="Training")),
    does_not_apply(POOL, "an audit of the job alone sees no family", pooled(pools=None), whole=False),
    *[does_not_apply(POOL, name, pooled(**started_by)) for name, started_by in NOT_OWN_JOBS],
    is_unknown(POOL, "a status that is not known", pooled(state="Frozen")),
    is_unknown(POOL, "AWS gave no time of its pool", pooled(None)),
]


def planned(jobs: int | None, early: str | None = "Off", strategy: str | None = "Bayesian", **job: Any) -> Any:
    """A tuning job that plans so many training jobs."""
    config = {
        "Strategy": strategy,
        "TrainingJobEarlyStoppingType": early,
        "ResourceLimits": {"MaxNumberOfTrainingJobs": jobs, "MaxParallelTrainingJobs": 2},
    }
    return a_tuning_job(HyperParameterTuningJobConfig=config if strategy else None, **job)


WITHOUT_EARLY_STOPPING: list[Case] = [
    fails(
        EARLY_STOPPING,
        "a job more than may be planned",
        planned(21),
        severity=Severity.INFO,
        evidence={"planned_jobs": 21, "early_stopping": "Off", "strategy": "Bayesian", "max_jobs": 20},
        boundary="max_jobs",
        in_demo=[InDemo("tuning-job churn-tuning")],
    ),
    passes(EARLY_STOPPING, "just as many as may be planned", planned(20), boundary="max_jobs"),
    passes(EARLY_STOPPING, "as many as the policy lets be planned", planned(100), params={"max_jobs": 100}),
    fails(EARLY_STOPPING, "AWS leaves the default out", planned(50, None), severity=Severity.INFO),
    fails(EARLY_STOPPING, "at random", planned(50, strategy="Random"), severity=Severity.INFO),
    fails(
        EARLY_STOPPING,
        "no number is planned, and more have been started",
        planned(None, children=21),
        severity=Severity.INFO,
        evidence={"planned_jobs": None, "started_jobs": 21},
    ),
    passes(EARLY_STOPPING, "with early stopping", planned(100, "Auto")),
    does_not_apply(EARLY_STOPPING, "Hyperband stops jobs by itself", planned(100, strategy="Hyperband")),
    is_unknown(EARLY_STOPPING, "AWS gave no configuration", planned(100, strategy=None)),
    is_unknown(EARLY_STOPPING, "AWS gave no number of planned jobs", planned(None)),
]

CASES: list[Case] = [
    *SPOT_WAITING,
    *STOPPED_AT_LIMIT,
    *STUCK_CASES,
    *WARM_POOL_UNUSED,
    *WITHOUT_EARLY_STOPPING,
]
