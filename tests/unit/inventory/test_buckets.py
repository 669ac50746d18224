"""Where buckets lie and what running jobs have written there: asked once, bounded, and told by refusals, too."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSResponse

from chalicelib.inventory.answers import CallFailed, Gone
from chalicelib.inventory.aws import Aws
from chalicelib.inventory.buckets import MOST_PAGES, Buckets, bucket_of, region_by_name
from chalicelib.inventory.kinds.training import TrainingJob
from chalicelib.inventory.parts import Part
from chalicelib.inventory.reader import Needs, Reader
from chalicelib.inventory.remembered import ProcessMemory
from chalicelib.report.cause import Cause
from chalicelib.scope import Scope
from samples.builders import a_training_job
from tests.accounts.door import State, StateDoor
from tests.accounts.shapes import ACCOUNT, NOW

CHECKPOINTS = "s3://data/checkpoints"


class Door(StateDoor):
    """A door that answers Amazon S3 by what a test gives, and notes what it was asked."""

    def __init__(self, *pages: Mapping[str, Any], failure: Exception | None = None) -> None:
        super().__init__(State(), "eu-west-1")
        self.pages_of_objects = list(pages)
        self.failure = failure
        self.asked: list[dict[str, Any]] = []

    def call(self, service: str, operation: str, **parameters: Any) -> dict[str, Any]:
        self.asked.append(parameters)
        if self.failure is not None:
            raise self.failure
        if operation == "ListObjectsV2" and self.pages_of_objects:
            return dict(self.pages_of_objects[min(len(self.asked), len(self.pages_of_objects)) - 1])
        return super().call(service, operation, **parameters)


def read(door: Aws, *jobs: TrainingJob, memory: ProcessMemory | None = None) -> tuple[Buckets, Reader]:
    reader = Reader(door, Scope(ACCOUNT, "eu-west-1"), Needs.of([Part.BUCKETS, Part.CHECKPOINTS]), NOW, memory=memory)
    buckets = Buckets(reader)
    try:
        buckets.read_regions(jobs)
        buckets.read_regions(jobs)
        door_asked = list(getattr(door, "asked", []))
        buckets.read_checkpoints(jobs)
        assert len(door_asked) <= len({bucket_of(uri) for job in jobs for uri in job.s3_uris.values()})
    finally:
        reader.close()
    return buckets, reader


def running(**job: Any) -> TrainingJob:
    started = NOW - timedelta(hours=5)
    return a_training_job(
        status="InProgress", secondary="Training", checkpoint=CHECKPOINTS, TrainingStartTime=started, **job
    )


def test_each_bucket_is_asked_about_once_and_remembered_by_the_process() -> None:
    memory, door = ProcessMemory(), Door()
    job = a_training_job(OutputDataConfig={"S3OutputPath": "s3://data/out"}, checkpoint=CHECKPOINTS)
    buckets, _ = read(door, job, job, memory=memory)
    assert buckets.storage.regions == {"data": "eu-west-1"}
    assert door.asked == [{"Bucket": "data"}]
    again = Door()
    assert read(again, job, memory=memory)[0].storage.regions == {"data": "eu-west-1"}
    assert again.asked == []


def test_a_bucket_that_is_gone_has_no_region_and_one_that_is_not_told_is_a_blind_spot() -> None:
    job = a_training_job(checkpoint=CHECKPOINTS)
    assert read(Door(failure=Gone("s3:HeadBucket", "404", "")), job)[0].storage.regions == {"data": ""}
    buckets, reader = read(Door(failure=CallFailed("s3:HeadBucket", "403", "Forbidden")), job)
    assert buckets.storage.regions == {}
    assert [(gap.part, gap.resource, gap.cause) for gap in reader.gaps] == [(Part.BUCKETS, "data", Cause.DENIED)]


@pytest.mark.parametrize("status", [200, 301, 403])
def test_every_answer_tells_the_region_a_refusal_included(status: int) -> None:
    session = boto3.Session("none", "none", region_name="eu-west-1")
    aws = Aws(session, "eu-west-1", attempts=1)
    headers = {"x-amz-bucket-region": "us-west-2"}
    answer = AWSResponse("https://data.s3.amazonaws.com/", status, headers, None)
    answer._content = b""
    aws.client("s3").meta.events.register("before-send.s3.HeadBucket", lambda **_: answer)
    assert aws.region_of_bucket("data") == "us-west-2"


@pytest.mark.parametrize(("status", "failure"), [(403, CallFailed), (404, Gone)])
def test_an_answer_without_a_region_tells_none(status: int, failure: type[CallFailed]) -> None:
    aws = Aws(boto3.Session("none", "none", region_name="eu-west-1"), "eu-west-1", attempts=1)
    answer = AWSResponse("https://data.s3.amazonaws.com/", status, {}, None)
    answer._content = b""
    aws.client("s3").meta.events.register("before-send.s3.HeadBucket", lambda **_: answer)
    with pytest.raises(failure):
        aws.region_of_bucket("data")


def a_page(hours: float, token: str = "") -> dict[str, Any]:
    page: dict[str, Any] = {"Contents": [{"Key": "checkpoints/1", "LastModified": NOW - timedelta(hours=hours)}]}
    return page | ({"IsTruncated": True, "NextContinuationToken": token} if token else {})


def test_the_newest_of_all_pages_counts_and_only_those_below_the_path() -> None:
    door = Door(a_page(5, "a"), a_page(1, "b"), a_page(9))
    buckets, _ = read_checkpoints(door, running())
    summary = buckets.storage.checkpoints[CHECKPOINTS]
    assert (summary.newest, summary.objects, summary.whole) == (NOW - timedelta(hours=1), 3, True)
    assert {asked["Prefix"] for asked in door.asked} == {"checkpoints/"}
    assert [asked.get("ContinuationToken") for asked in door.asked] == [None, "a", "b"]


def test_pages_are_bounded() -> None:
    door = Door(a_page(5, "again"))
    buckets, _ = read_checkpoints(door, running())
    assert len(door.asked) == MOST_PAGES
    assert not buckets.storage.checkpoints[CHECKPOINTS].whole


@pytest.mark.parametrize("contents", [[{"Key": "a"}], [{"Key": "a", "LastModified": "soon"}]])
def test_an_odd_answer_leaves_the_path_unread(contents: list[Any]) -> None:
    buckets, reader = read_checkpoints(Door({"Contents": contents}), running())
    assert buckets.storage.checkpoints == {}
    assert [gap.cause for gap in reader.gaps] == [Cause.MALFORMED]


def test_nothing_is_asked_of_jobs_that_have_ended_or_write_none() -> None:
    door = Door()
    read_checkpoints(
        door, a_training_job(checkpoint=CHECKPOINTS), running().model_copy(update={"checkpoint_s3_uri": None})
    )
    assert door.asked == []


def read_checkpoints(door: Door, *jobs: TrainingJob) -> tuple[Buckets, Reader]:
    reader = Reader(door, Scope(ACCOUNT, "eu-west-1"), Needs.of([Part.CHECKPOINTS]), NOW)
    buckets = Buckets(reader)
    try:
        buckets.read_checkpoints(jobs)
    finally:
        reader.close()
    return buckets, reader


@pytest.mark.parametrize(
    ("uri", "bucket", "region"),
    [
        ("s3://data", "data", None),
        ("s3://data/a/b", "data", None),
        ("s3://arn:aws:s3:us-west-2:123456789012:accesspoint/own/a", None, "us-west-2"),
        ("s3://fast--euw1-az1--x-s3/a", "fast--euw1-az1--x-s3", ""),
        ("file:///tmp", "", None),
    ],
)
def test_what_a_uri_tells(uri: str, bucket: str | None, region: str | None) -> None:
    if bucket is not None:
        assert bucket_of(uri) == bucket
    assert region_by_name(bucket_of(uri)) == region
