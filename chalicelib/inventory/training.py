"""Reading jobs inside the look-back window: training as a stream, tuning and batch transform as lists."""

import itertools
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import Any

from chalicelib.inventory.aws import CallFailed, moment
from chalicelib.inventory.jobs import TrainingJob, TransformJob, TuningJob
from chalicelib.inventory.parts import Part
from chalicelib.inventory.reading import Reader, before, since

log = logging.getLogger(__name__)

#: In these states a job is changed without anybody's doing.
_MOVING = frozenset({"InProgress", "Stopping"})

#: What takes a page of jobs; False asks for no more.
Taker = Callable[[list[TrainingJob]], bool]

#: A chain of pages reads about this many jobs; more are read by several chains at once, each of its own days.
JOBS_A_CHAIN = 1_000
MOST_CHAINS = 4


def training_jobs(reader: Reader, take: Taker) -> None:
    """Gives the training jobs that changed since the cutoff to ``take``, page by page, from several threads at once.

    Each page of a ``Search`` names the one after it, so that a long history is a long chain: how close together the
    jobs of the first page are tells how many there are, and into how many windows of time the others are parted. An
    empty ``Search`` is confirmed by a list: its index lags, and a silent loss would look like a clean account.
    """
    pages = reader.search("TrainingJob", since(reader.cutoff))
    try:
        first = next(pages)
    except CallFailed as failure:
        reader.search_failed(failure)
        first = []
    if not first:
        for page in _listed_training_jobs(reader):
            if not take(page):
                return
        return
    more = take(_typed(reader, first))
    windows = _windows(reader, first) if more else []
    if len(windows) < 2:
        if more:
            _taken(reader, pages, take)
        return
    *newer, oldest = (reader.search("TrainingJob", window) for window in windows)
    try:
        head = next(oldest, [])
    except CallFailed as failure:  # two bounds on one time are within the API's grammar, but no promise of its manual
        log.info("training jobs are read by one chain of pages: %s", failure)
        _taken(reader, pages, take)
        return
    news = _News(first)
    with ThreadPoolExecutor(len(windows), thread_name_prefix="chain") as chains:
        list(
            chains.map(lambda read: _taken(reader, map(news.of, read), take), [*newer, itertools.chain([head], oldest)])
        )


def _taken(reader: Reader, pages: Iterable[list[dict[str, Any]]], take: Taker) -> None:
    for page in pages:
        if not take(_typed(reader, page)):
            return


class _News:
    """What no chain has given yet: neither the jobs of the first page, nor those that moved from one window of time to
    another while they were read, as a running job does."""

    def __init__(self, first: Iterable[Mapping[str, Any]]) -> None:
        self._known = {record.get("TrainingJobArn") for record in first}
        self._lock = Lock()

    def of(self, page: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
        """The records of a page that are news."""
        with self._lock:
            news = [one for one in page if one.get("TrainingJobArn") not in self._known]
            self._known |= {one.get("TrainingJobArn") for one in news if one.get("TrainingJobStatus") in _MOVING}
        return news


def _windows(reader: Reader, first: list[dict[str, Any]]) -> list[list[dict[str, str]]]:
    """Search filters that part the time from the cutoff on, the newest first, which has no end; none when one chain
    will do. Together they hold every job in whatever order a search answers."""
    try:
        times = [moment(one["LastModifiedTime"]) for one in first if one.get("LastModifiedTime") is not None]
    except (TypeError, ValueError):
        return []  # the record itself is told as unreadable
    if len(first) < reader.SEARCH_PAGE or not times:
        return []
    oldest, begin = min(times), reader.cutoff
    seconds = max(1.0, (reader.now - oldest).total_seconds())
    expected = len(first) * (reader.now - begin).total_seconds() / seconds
    number = min(MOST_CHAINS, int(expected // JOBS_A_CHAIN) + 1)
    # Filters are in whole seconds.
    edges = [(begin + (reader.now - begin) * part / number).replace(microsecond=0) for part in range(1, number)]
    bounds = itertools.pairwise([begin, *edges])
    return [since(edges[-1]), *[since(start) + before(stop) for start, stop in bounds][::-1]] if edges else []


def _listed_training_jobs(reader: Reader) -> Iterator[list[TrainingJob]]:
    pages = reader.aws.pages(
        "sagemaker", "ListTrainingJobs", "TrainingJobSummaries", MaxResults=100, LastModifiedTimeAfter=reader.cutoff
    )
    for page in pages:
        yield described_training_jobs(reader, [one["TrainingJobName"] for one in page])


def described_training_jobs(reader: Reader, names: Iterable[str]) -> list[TrainingJob]:
    """The named training jobs that exist."""
    return _typed(reader, reader.describe_each(Part.TRAINING_JOBS, "DescribeTrainingJob", "TrainingJobName", names))


def _typed(reader: Reader, records: Iterable[dict[str, Any]]) -> list[TrainingJob]:
    named = [record for record in records if record.get("TrainingJobName")]
    return reader.typed(Part.TRAINING_JOBS, TrainingJob, named, "TrainingJobName")


def tuning_jobs(reader: Reader) -> dict[str, TuningJob]:
    """The tuning jobs that changed since the cutoff."""
    records: list[dict[str, Any]] = []
    try:
        for page in reader.search("HyperParameterTuningJob", since(reader.cutoff)):
            records += page
    except CallFailed as failure:
        reader.search_failed(failure)
        records = []
    if records:
        found = reader.typed(Part.TUNING_JOBS, TuningJob, records, "HyperParameterTuningJobName")
        return {job.name: job for job in found}
    listed = reader.aws.listing(
        "sagemaker",
        "ListHyperParameterTuningJobs",
        "HyperParameterTuningJobSummaries",
        MaxResults=100,
        LastModifiedTimeAfter=reader.cutoff,
    )
    return described_tuning_jobs(reader, [one["HyperParameterTuningJobName"] for one in listed])


def described_tuning_jobs(reader: Reader, names: Iterable[str]) -> dict[str, TuningJob]:
    """The named tuning jobs that exist."""
    answers = reader.describe_each(
        Part.TUNING_JOBS, "DescribeHyperParameterTuningJob", "HyperParameterTuningJobName", names
    )
    found = reader.typed(Part.TUNING_JOBS, TuningJob, answers, "HyperParameterTuningJobName")
    return {one.name: one for one in found}


def children_hours(reader: Reader, job: TuningJob) -> TuningJob:
    """The tuning job with the instance-hours of its children, reckoned from their run times in its list."""
    children = reader.aws.listing(
        "sagemaker",
        "ListTrainingJobsForHyperParameterTuningJob",
        "TrainingJobSummaries",
        HyperParameterTuningJobName=job.name,
        MaxResults=100,
    )
    instances = {definition.name: definition.instances for definition in job.definitions}
    alone = next(iter(instances.values())) if len(instances) == 1 else None
    hours: float | None = 0.0
    for child in children:
        count = instances.get(child.get("TrainingJobDefinitionName"), alone)
        begun, ended = child.get("TrainingStartTime"), child.get("TrainingEndTime")
        if begun is None or ended is None:
            continue
        seconds = (moment(ended) - moment(begun)).total_seconds()
        hours = hours + seconds * count / 3600 if hours is not None and count else None
    return job.model_copy(update={"child_hours": hours, "children": len(children)})


def transform_jobs(reader: Reader) -> dict[str, TransformJob]:
    """The batch transform jobs that changed since the cutoff."""
    listed = reader.aws.listing(
        "sagemaker",
        "ListTransformJobs",
        "TransformJobSummaries",
        MaxResults=100,
        LastModifiedTimeAfter=reader.cutoff,
    )
    return described_transform_jobs(reader, [one["TransformJobName"] for one in listed])


def described_transform_jobs(reader: Reader, names: Iterable[str]) -> dict[str, TransformJob]:
    """The named transform jobs that exist."""
    answers = reader.describe_each(Part.TRANSFORM_JOBS, "DescribeTransformJob", "TransformJobName", names)
    found = reader.typed(Part.TRANSFORM_JOBS, TransformJob, answers, "TransformJobName")
    return {one.name: one for one in found}
