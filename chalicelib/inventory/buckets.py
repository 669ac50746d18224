"""What training jobs stand on in Amazon S3: where their buckets lie, and what running ones have written as checkpoints.

Regions are told by ``HeadBucket``: every answer of it has the region in a header, a refusal included, so that buckets
of other accounts are told, too. They are remembered for the life of the process.
"""

import re
import threading
from collections.abc import Iterable
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import datetime

from msgspec import Struct

from chalicelib.inventory.answers import CallFailed, Gone, mappings, moment, text
from chalicelib.inventory.kinds.training import TrainingJob
from chalicelib.inventory.parts import Part
from chalicelib.inventory.reader import ODD, Reader
from chalicelib.inventory.remembered import ProcessMemory

#: Objects a page, and the most pages that are read under one path.
OBJECTS_A_PAGE, MOST_PAGES = 1_000, 5
_URI = re.compile(r"s3://(?P<bucket>arn:[^/]+/[^/]+/[^/]+|[^/]+)/?(?P<key>.*)")
_ARN = re.compile(r"arn:[^:]*:s3:(?P<region>[^:]*):")
#: A directory bucket lies in one zone of the region of its jobs.
_DIRECTORY = "--x-s3"


class Checkpoints(Struct, frozen=True):
    """The objects under a path: when the newest was written (None: there is none), how many were read, and whether that
    are all of them."""

    newest: datetime | None
    objects: int
    whole: bool


@dataclass
class Storage:
    """What is known of Amazon S3: regions by bucket (empty for one that is gone), checkpoints by URI."""

    regions: dict[str, str] = field(default_factory=dict)
    checkpoints: dict[str, Checkpoints] = field(default_factory=dict)


def bucket_of(uri: str) -> str:
    """The bucket of a URI, or the ARN of an access point; empty for what is no URI of Amazon S3."""
    match = _URI.fullmatch(uri)
    return match["bucket"] if match else ""


def region_by_name(bucket: str) -> str | None:
    """The region that an access point names by itself, empty for a bucket whose region needs no question; else None."""
    if match := _ARN.match(bucket):
        return match["region"]
    return "" if bucket.endswith(_DIRECTORY) else None


class Buckets:
    """Reads regions and checkpoints into ``storage``. Safe for several threads; each bucket is asked about once."""

    def __init__(self, reader: Reader) -> None:
        self.storage = Storage()
        self._reader = reader
        self._asked: dict[str, Future[None]] = {}
        self._lock = threading.Lock()

    def read_regions(self, jobs: Iterable[TrainingJob], keep: int = 0) -> None:
        """The regions of the buckets that these jobs name; ``keep`` calls stay for others."""
        if Part.BUCKETS not in self._reader.needs:
            return
        named = {bucket_of(uri) for job in jobs for uri in job.s3_uris.values()} - {""}
        names = sorted(name for name in named if region_by_name(name) is None)
        with self._lock:
            news = [name for name in names if name not in self._asked]
            for name in self._reader.afforded(Part.BUCKETS, news, keep=keep):
                self._asked[name] = self._reader.later(self._read_region, name)
            answers = [self._asked[name] for name in names if name in self._asked]
        for answer in answers:
            answer.result()

    def _read_region(self, bucket: str) -> None:
        memory = self._reader.memory
        known = memory.regions if isinstance(memory, ProcessMemory) else {}
        key = self._reader.scope.partition, bucket
        try:
            region = known.get(key) or self._reader.aws.region_of_bucket(bucket)
        except Gone:
            region = ""
        except CallFailed as failure:
            self._reader.blind_to(failure, Part.BUCKETS, bucket)
            return
        if region:
            known[key] = region
        self.storage.regions[bucket] = region

    def read_checkpoints(self, jobs: Iterable[TrainingJob], keep: int = 0) -> None:
        """What those of these jobs that are in progress have written under their checkpoint paths, side by side."""
        if Part.CHECKPOINTS not in self._reader.needs:
            return
        running = [job for job in jobs if job.known("status") == "InProgress" and job.started is not None]
        uris = dict.fromkeys(job.checkpoint_s3_uri for job in running if job.checkpoint_s3_uri)
        wanted = self._reader.afforded(Part.CHECKPOINTS, uris, keep=keep)
        self._reader.each(self._read_checkpoints, wanted)

    def _read_checkpoints(self, uri: str) -> None:
        try:
            self.storage.checkpoints[uri] = _listed(self._reader, uri)
        except Gone:
            self.storage.checkpoints[uri] = Checkpoints(None, 0, whole=True)
        except CallFailed as failure:
            self._reader.blind_to(failure, Part.CHECKPOINTS, uri)
        except ODD as error:
            self._reader.record_unread(Part.CHECKPOINTS, type(error).__name__, uri)


def _listed(reader: Reader, uri: str) -> Checkpoints:
    """The objects under a URI, of the first pages. Raises ValueError for what is no URI."""
    match = _URI.fullmatch(uri)
    if match is None:
        raise ValueError(f"no URI of Amazon S3: {uri}")
    prefix = match["key"] if match["key"].endswith("/") or not match["key"] else f"{match['key']}/"
    newest: datetime | None = None
    objects = 0
    following: dict[str, str] = {}
    for _ in range(MOST_PAGES):
        answer = reader.aws.call(
            "s3", "ListObjectsV2", Bucket=match["bucket"], Prefix=prefix, MaxKeys=OBJECTS_A_PAGE, **following
        )
        written = [moment(record["LastModified"]) for record in mappings(answer.get("Contents"))]
        objects += len(written)
        newest = max([*written, *([newest] if newest else [])], default=None)
        if not answer.get("IsTruncated"):
            return Checkpoints(newest, objects, whole=True)
        following = {"ContinuationToken": text(answer, "NextContinuationToken")}
    return Checkpoints(newest, objects, whole=False)
