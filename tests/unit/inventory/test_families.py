"""Training jobs of one family: the same job, run again under another name."""

from typing import Any

import pytest

from chalicelib.inventory.facts import Unread
from chalicelib.inventory.families import Families
from chalicelib.inventory.kinds.training import TrainingJob
from samples.builders import a_training_job, ago


@pytest.mark.parametrize(
    ("name", "family"),
    [
        ("churn", "churn"),
        ("churn-2026-11-20-06-00-00-123", "churn"),  # SageMaker Python SDK
        ("churn-weekly-20261120", "churn-weekly"),
        ("churn-17", "churn"),
        ("churn-0e6f2a34-7c1d-4b6e-9f00-aa11bb22cc33", "churn"),  # Step Functions: a UUID
        ("pipelines-ab12cd34ef56-TrainChurn-Ab3dEf6hIj", "TrainChurn"),  # SageMaker Pipelines
        ("resnet50-2026-11-20", "resnet50"),
        ("churn-v2-2026-11-20", "churn-v2"),
        ("2026-11-20", "2026"),
    ],
)
def test_the_family_is_the_name_without_what_a_run_adds(name: str, family: str) -> None:
    assert a_training_job(TrainingJobName=name).family == family


def a_job(number: int, **described: Any) -> TrainingJob:
    return a_training_job(TrainingJobName=f"churn-2026-11-{number}", **described)


def cut_off(number: int, **described: Any) -> TrainingJob:
    model = {"S3ModelArtifacts": "s3://churn/model.tar.gz"}
    return a_job(
        number, **{"status": "Stopped", "secondary": "MaxRuntimeExceeded", "ModelArtifacts": model, **described}
    )


def told_by(*jobs: TrainingJob) -> Families:
    families = Families()
    for job in jobs:
        families.note(job)
    return families


def test_how_often_one_limit_ended_a_family_with_a_model() -> None:
    counted = [cut_off(10), cut_off(11), cut_off(12)]
    others = [cut_off(13, max_runtime=60), cut_off(14, ModelArtifacts=None), a_job(15)]
    families = told_by(*counted, *others)
    assert [families.compared(job, None).times_at_limit for job in (*counted, *others)] == [3, 3, 3, 1, 3, 3]


def test_the_warm_pools_that_nobody_used() -> None:
    kept = {"Status": "Terminated", "ResourceRetainedBillableTimeInSeconds": 600}
    jobs = [
        a_job(10, WarmPoolStatus=kept),
        a_job(11, WarmPoolStatus=kept, instances=4, seconds=60),
        a_job(12, WarmPoolStatus={**kept, "Status": "Reused", "ReusedByJob": "churn-2026-11-13"}),
        a_job(13),
    ]
    pools = told_by(*jobs).compared(jobs[0], None).unused_pools or ()
    assert [(pool.run_seconds, pool.retained_seconds, pool.instances) for pool in pools] == [
        (3600, 600, 1),
        (60, 600, 4),
    ]


def test_a_job_that_ends_before_it_starts_tells_nothing_of_its_pool() -> None:
    kept = {"Status": "Terminated", "ResourceRetainedBillableTimeInSeconds": 600}
    ended = {"TrainingStartTime": ago(days=1), "TrainingEndTime": ago(days=20)}
    job = a_job(10, WarmPoolStatus=kept, TrainingTimeInSeconds=None, **ended)
    assert (job.run_seconds, job.instance_hours, job.unused_pool) == (None, None, None)
    assert told_by(job).compared(job, None).unused_pools == ()


def test_only_what_is_compared_waits_for_the_end_of_the_stream() -> None:
    families = Families()
    assert families.compares(cut_off(10))
    assert families.compares(a_job(11, status="InProgress", secondary="Training"))
    assert not families.compares(a_job(12))
    assert not families.compares(a_job(13, WarmPoolStatus={"Status": "Available"}))


def test_a_family_of_which_not_all_could_be_read_is_not_known() -> None:
    compared = Families().compared(cut_off(10), Unread("throttled"))
    for name in ("longest_run_seconds", "times_at_limit", "unused_pools"):
        with pytest.raises(Unread, match="throttled"):
            getattr(compared, name)


def test_a_run_that_was_interrupted_does_not_count_the_waits() -> None:
    history = [
        {"Status": "Starting", "StartTime": ago(hours=11), "EndTime": ago(hours=10)},
        {"Status": "Training", "StartTime": ago(hours=10), "EndTime": ago(hours=8)},
        {"Status": "Interrupted", "StartTime": ago(hours=8), "EndTime": ago(hours=7)},
        {"Status": "Starting", "StartTime": ago(hours=7), "EndTime": ago(hours=5)},
        {"Status": "Training", "StartTime": ago(hours=5)},
    ]
    job = a_job(10, interruptions=None, SecondaryStatusTransitions=history, TrainingStartTime=ago(hours=10))
    assert job.ran_by(ago(hours=0)) == 7 * 3_600
    assert job.state_since == job.modified, "the state of its last transition is another one"


@pytest.mark.parametrize("history", [[None], [{"Status": None}], [{}], ["Training"], {}, []])
def test_an_odd_history_is_no_reason_to_give_up(history: Any) -> None:
    job = TrainingJob.model_validate(
        {"TrainingJobName": "churn", "TrainingJobStatus": "InProgress", "SecondaryStatusTransitions": history}
        if history != {}
        else {"TrainingJobName": "churn", "TrainingJobStatus": "InProgress"}
    )
    assert job.waits == () and job.last_transition_began is None
