"""A long history of training jobs, read by several chains of pages: every job once, in whatever order they come."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import Any

import pytest

from chalicelib.inventory.answers import CallFailed
from chalicelib.inventory.kinds import training
from chalicelib.inventory.kinds.training import TrainingJob
from chalicelib.inventory.parts import Part

pytestmark = pytest.mark.thorough

NOW = datetime(2026, 11, 24, 6, tzinfo=UTC)


class Searched:
    """A reader whose search answers records in an order of its own, a page of ``SEARCH_PAGE`` at a time."""

    SEARCH_PAGE = 100

    def __init__(self, records: list[dict[str, Any]], order: str) -> None:
        self.records = records
        self.order = order
        self.now, self.cutoff = NOW, NOW - timedelta(days=30)
        self.searches = 0
        self._lock = Lock()

    def search(self, part: Part, resource: str, filters: list[dict[str, str]]) -> Iterator[list[dict[str, Any]]]:
        with self._lock:
            self.searches += 1
            held = [dict(record) for record in self.records if all(self._fits(record, rule) for rule in filters)]
        if self.order == "shuffled":
            random.Random(7).shuffle(held)
        else:
            held.sort(key=lambda record: record["LastModifiedTime"], reverse=self.order == "newest first")
        for start in range(0, max(1, len(held)), self.SEARCH_PAGE):
            yield held[start : start + self.SEARCH_PAGE]

    def _fits(self, record: dict[str, Any], rule: dict[str, str]) -> bool:
        bound = datetime.fromisoformat(rule["Value"]).timestamp()
        moment: float = record["LastModifiedTime"]
        return moment >= bound if rule["Operator"] == "GreaterThanOrEqualTo" else moment < bound

    def typed(self, part: Part, model: Any, records: list[dict[str, Any]], name: str) -> list[TrainingJob]:
        return [TrainingJob.model_validate(record) for record in records]


def a_history(number: int, status: str = "Completed") -> list[dict[str, Any]]:
    """So many jobs over the last days, two in each second here and there."""
    spread = timedelta(days=29) / number
    return [
        {
            "TrainingJobName": f"job-{index}",
            "TrainingJobArn": f"arn:{index}",
            "TrainingJobStatus": status,
            "LastModifiedTime": (NOW - spread * (index // 2 * 2)).timestamp(),
        }
        for index in range(number)
    ]


def read(reader: Searched) -> list[str]:
    names: list[str] = []
    lock = Lock()

    def take(page: list[TrainingJob]) -> bool:
        with lock:
            names.extend(job.name for job in page)
        return True

    training.training_jobs(reader, take)  # type: ignore[arg-type]  # what of a reader it needs
    return names


@pytest.mark.parametrize("order", ["newest first", "oldest first", "shuffled"])
@pytest.mark.parametrize("number", [1, 99, 100, 101, 1000, 5000])
def test_every_job_is_read_once_in_whatever_order_they_come(number: int, order: str) -> None:
    names = read(Searched(a_history(number), order))
    assert sorted(names) == sorted(f"job-{index}" for index in range(number))


def test_a_long_history_is_read_by_several_chains_and_a_short_one_by_one() -> None:
    long, short = Searched(a_history(5000), "newest first"), Searched(a_history(500), "newest first")
    read(long)
    read(short)
    assert (long.searches, short.searches) == (1 + training.MOST_CHAINS, 1)


@pytest.mark.parametrize("moment", ["2026-11-23T06:00:00Z", "nonsense", {}])
def test_times_of_another_form_are_read_by_some_chain(moment: Any) -> None:
    records = a_history(300)
    reader = Searched(records, "newest first")
    first = [{**record, "LastModifiedTime": moment} for record in records[:100]]
    assert isinstance(training._windows(reader, first), list)  # type: ignore[arg-type]  # what of a reader it needs


def test_where_two_bounds_are_refused_one_chain_reads_all() -> None:
    class Strict(Searched):
        def search(self, part: Part, resource: str, filters: list[dict[str, str]]) -> Iterator[list[dict[str, Any]]]:
            if len(filters) > 1:
                raise CallFailed("sagemaker:Search", "ValidationException", "two filters of one name")
            yield from super().search(part, resource, filters)

    names = read(Strict(a_history(5000), "newest first"))
    assert sorted(names) == sorted(f"job-{index}" for index in range(5000))


def test_a_job_that_moves_to_the_newest_window_meanwhile_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The chains are made to run one after the other, the oldest window first, and a job ends between them."""

    class InTurn:
        def __init__(self, *_: Any, **__: Any) -> None: ...
        def __enter__(self) -> "InTurn":
            return self

        def __exit__(self, *_: Any) -> None: ...
        def map(self, work: Any, windows: list[Any]) -> Iterator[None]:
            for window in reversed(windows):
                work(window)
                moving.update(LastModifiedTime=(NOW + timedelta(minutes=1)).timestamp(), TrainingJobStatus="Completed")
                yield

    records = a_history(5000)
    moving = records[-1]
    moving["TrainingJobStatus"] = "InProgress"
    monkeypatch.setattr(training, "ThreadPoolExecutor", InTurn)
    names = read(Searched(records, "newest first"))
    assert names.count(moving["TrainingJobName"]) == 1
    assert len(names) == 5000
