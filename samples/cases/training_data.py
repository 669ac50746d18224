"""Checkpoints that do not come, and buckets in another region."""

from datetime import datetime
from typing import Any

from chalicelib.inventory.buckets import Checkpoints
from chalicelib.inventory.kinds.training import TrainingJob
from chalicelib.inventory.parts import Part
from chalicelib.report.findings import Severity
from samples.builders import REGION, a_training_job, ago
from samples.cases.case import Case, does_not_apply, fails, is_unknown, passes
from samples.cases.instance_fit import NOT_OWN_JOBS
from samples.cases.spot_training import CHECKPOINTS

NOT_WRITTEN = "training-checkpoint-not-written"
ELSEWHERE = "training-data-in-other-region"


TEN_HOURS_AGO = ago(hours=10)


def running(started: datetime | None = TEN_HOURS_AGO, **job: Any) -> TrainingJob:
    """A job on demand with a checkpoint path that trains since then."""
    in_progress = {"status": "InProgress", "secondary": "Training", "seconds": None, "checkpoint": CHECKPOINTS}
    return a_training_job(TrainingStartTime=started, **{**in_progress, **job})


def wrote(newest: datetime | None, objects: int = 3, whole: bool = True) -> dict[str, Any]:
    """What lies under the checkpoint path."""
    return {"checkpoints": {CHECKPOINTS: Checkpoints(newest, objects, whole)}}


CHECKPOINT_NOT_WRITTEN: list[Case] = [
    fails(
        NOT_WRITTEN,
        "nothing was written",
        running(),
        **wrote(None, 0),
        severity=Severity.MEDIUM,
        evidence={"newest": None, "objects": 0, "run_hours": 10.0, "since_start": False, "spot": False},
    ),
    fails(
        NOT_WRITTEN,
        "nothing was written on spot instances",
        running(spot=True),
        **wrote(None, 0),
        severity=Severity.HIGH,
        evidence={"spot": True},
    ),
    fails(
        NOT_WRITTEN,
        "what lies there is of the job before",
        running(),
        **wrote(ago(hours=10)),
        severity=Severity.MEDIUM,
        evidence={"since_start": False},
    ),
    fails(
        NOT_WRITTEN,
        "a second longer ago than may be",
        running(),
        **wrote(ago(hours=3, seconds=1)),
        severity=Severity.MEDIUM,
        evidence={"since_start": True, "max_age_hours": 3},
        boundary="max_age_hours",
    ),
    passes(NOT_WRITTEN, "just as long ago as may be", running(), **wrote(ago(hours=3)), boundary="max_age_hours"),
    passes(
        NOT_WRITTEN, "as long ago as the policy lets be", running(), **wrote(ago(hours=8)), params={"max_age_hours": 9}
    ),
    fails(
        NOT_WRITTEN,
        "has run a second longer than it may without",
        running(ago(hours=2, seconds=1)),
        **wrote(None, 0),
        severity=Severity.MEDIUM,
        boundary="min_hours",
    ),
    passes(NOT_WRITTEN, "has run just as long as it may without", running(ago(hours=2)), boundary="min_hours"),
    passes(NOT_WRITTEN, "has run as long as the policy lets go without", running(), params={"min_hours": 12}),
    passes(NOT_WRITTEN, "a new one among more than are read", running(), **wrote(ago(hours=1), 5_000, False)),
    passes(NOT_WRITTEN, "has not begun to run", running(None, secondary="Starting")),
    does_not_apply(NOT_WRITTEN, "waits for instances", running(secondary="Interrupted"), **wrote(None, 0)),
    does_not_apply(NOT_WRITTEN, "has no checkpoint path", running(checkpoint=None)),
    does_not_apply(NOT_WRITTEN, "has ended", a_training_job(checkpoint=CHECKPOINTS)),
    *[does_not_apply(NOT_WRITTEN, name, running(**by), **wrote(None, 0)) for name, by in NOT_OWN_JOBS],
    is_unknown(NOT_WRITTEN, "more objects than are read, none of them new", running(), **wrote(None, 5_000, False)),
    is_unknown(NOT_WRITTEN, "the path was not read", running()),
    is_unknown(NOT_WRITTEN, "the path could not be read", running(), unread=[(Part.CHECKPOINTS, CHECKPOINTS)]),
    is_unknown(NOT_WRITTEN, "no path could be read", running(), unread=[Part.CHECKPOINTS]),
    is_unknown(NOT_WRITTEN, "spot instances without a history", running(spot=True, interruptions=None)),
]


def stored(
    *inputs: str, output: str | None = "s3://churn/output/", checkpoint: str | None = None, **job: Any
) -> TrainingJob:
    """A job that reads and writes there."""
    channels = [
        {"ChannelName": f"c{number}", "DataSource": {"S3DataSource": {"S3Uri": uri}}}
        for number, uri in enumerate(inputs, 1)
    ]
    members = {"InputDataConfig": channels or None, "OutputDataConfig": {"S3OutputPath": output} if output else None}
    return a_training_job(checkpoint=checkpoint, **{**members, **job})


HERE = {"churn": REGION, "churn-data": REGION}
FAR = {"churn": REGION, "churn-data": "us-east-1"}
ACCESS_POINT = "s3://arn:aws:s3:{}:123456789012:accesspoint/data/train/"

DATA_IN_OTHER_REGION: list[Case] = [
    fails(
        ELSEWHERE,
        "an input",
        stored("s3://churn-data/train/"),
        regions=FAR,
        severity=Severity.LOW,
        evidence={
            "elsewhere": {"input 1": "churn-data in us-east-1"},
            "job_region": REGION,
            "checkpoints_elsewhere": False,
        },
    ),
    fails(
        ELSEWHERE,
        "one of several inputs, and the output",
        stored("s3://churn/train", "s3://churn-data/test", output="s3://churn-data"),
        regions=FAR,
        severity=Severity.LOW,
        evidence={"elsewhere": {"input 2": "churn-data in us-east-1", "output": "churn-data in us-east-1"}},
    ),
    fails(
        ELSEWHERE,
        "the checkpoints",
        stored(checkpoint="s3://churn-data/checkpoints/"),
        regions=FAR,
        severity=Severity.LOW,
        evidence={"checkpoints_elsewhere": True},
    ),
    fails(
        ELSEWHERE,
        "one is known to, and of another nothing is known",
        stored("s3://churn-data/train/", "s3://hidden/x"),
        regions=FAR,
        severity=Severity.LOW,
    ),
    fails(
        ELSEWHERE,
        "an access point names its region",
        stored(ACCESS_POINT.format("us-west-2")),
        regions=HERE,
        severity=Severity.LOW,
    ),
    passes(ELSEWHERE, "all lie in its region", stored("s3://churn-data/train/"), regions=HERE),
    passes(ELSEWHERE, "an access point of its region", stored(ACCESS_POINT.format(REGION)), regions=HERE),
    passes(ELSEWHERE, "a directory bucket", stored("s3://fast--euw1-az1--x-s3/train/"), regions=HERE),
    passes(ELSEWHERE, "a bucket that is gone", stored("s3://gone/train/"), regions={**HERE, "gone": ""}),
    does_not_apply(ELSEWHERE, "no bucket is named", stored(output=None)),
    *[does_not_apply(ELSEWHERE, name, stored(**by), regions=HERE) for name, by in NOT_OWN_JOBS],
    is_unknown(ELSEWHERE, "the region was not read", stored()),
    is_unknown(ELSEWHERE, "the region could not be read", stored(), unread=[(Part.BUCKETS, "churn")]),
    is_unknown(ELSEWHERE, "no region could be read", stored(), unread=[Part.BUCKETS]),
]

CASES: list[Case] = [*CHECKPOINT_NOT_WRITTEN, *DATA_IN_OTHER_REGION]
