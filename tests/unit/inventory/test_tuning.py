"""The instance-hours of a tuning job, reckoned from the list of its training jobs."""

from typing import Any

from chalicelib.inventory.kinds.tuning import children_hours
from chalicelib.inventory.reader import Needs, Reader
from chalicelib.scope import Scope
from samples.builders import NOW, a_tuning_job, ago
from tests.accounts.door import State, StateDoor
from tests.accounts.shapes import ACCOUNT


class Children(StateDoor):
    """A door that lists children with these starts and ends, in hours ago."""

    def __init__(self, *runs: tuple[float | None, float | None]) -> None:
        super().__init__(State(), "eu-west-1")
        self.runs = runs

    def _ListTrainingJobsForHyperParameterTuningJob(self, parameters: Any) -> dict[str, Any]:
        times = [{"TrainingStartTime": began, "TrainingEndTime": ended} for began, ended in self.runs]
        present = [{name: ago(hours=hours) for name, hours in run.items() if hours is not None} for run in times]
        return {"TrainingJobSummaries": present}


def hours_of(*runs: tuple[float | None, float | None]) -> tuple[float | None, int | None, int | None]:
    reader = Reader(Children(*runs), Scope(ACCOUNT, "eu-west-1"), Needs(frozenset()), NOW)
    try:
        job = children_hours(reader, a_tuning_job())
    finally:
        reader.close()
    return job.child_hours, job.children, job.longest_child_seconds


def test_the_runs_of_the_children_are_added_up() -> None:
    assert hours_of((3, 2), (5, 3)) == (3, 2, 7_200)


def test_a_child_that_has_not_begun_or_ends_before_it_starts_adds_nothing() -> None:
    assert hours_of((3, 2), (4, None), (None, None), (2, 400)) == (1, 4, 3_600)
