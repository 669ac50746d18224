"""What the training jobs of a stream tell of each other: those of a family, and the children of a tuning job.

A family are the jobs that run under one name, time after time. What is kept of a job are numbers; only jobs that are
compared with their family wait for the end of the stream.
"""

from chalicelib.inventory.facts import Unread, plain
from chalicelib.inventory.kinds.training import TrainingJob, UnusedPool

#: The secondary status of a job that its ``MaxRuntimeInSeconds`` ended.
AT_LIMIT = "maxruntimeexceeded"


class Families:
    """The families of one stream, filled by :meth:`note` and complete at its end."""

    def __init__(self) -> None:
        self._child_hours: dict[str, list[float | None]] = {}
        self._longest_runs: dict[str, int] = {}  # seconds, by family or by the ARN of the tuning job
        self._at_limit: dict[tuple[str, int | None], int] = {}
        self._unused_pools: dict[str, list[UnusedPool]] = {}

    def note(self, job: TrainingJob) -> None:
        """Takes what a job tells of its family."""
        if job.tuning_job_arn:
            self._child_hours.setdefault(job.tuning_job_arn, []).append(job.instance_hours)
        run, family = job.run_seconds, job.tuning_job_arn or job.family
        if run is not None and job.ended is not None:
            self._longest_runs[family] = max(run, self._longest_runs.get(family, 0))
        if plain(job.secondary_status) == AT_LIMIT and job.model_artifacts:
            limit = family, job.max_runtime_seconds
            self._at_limit[limit] = self._at_limit.get(limit, 0) + 1
        if job.unused_pool is not None:
            self._unused_pools.setdefault(family, []).append(job.unused_pool)

    def compares(self, job: TrainingJob) -> bool:
        """True for a job that is judged after the others: one in progress, one that its limit ended, or one whose warm
        pool nobody used."""
        in_progress = job.known("status") == "InProgress"
        return in_progress or plain(job.secondary_status) == AT_LIMIT or job.unused_pool is not None

    def compared(self, job: TrainingJob, unread: Unread | None) -> TrainingJob:
        """The job with what its family tells; ``unread``: why not all jobs could be read."""
        family = job.tuning_job_arn or job.family
        comparison = {
            "longest_run_seconds": self._longest_runs.get(family),
            "times_at_limit": self._at_limit.get((family, job.max_runtime_seconds), 0),
            "unused_pools": tuple(self._unused_pools.get(family, ())),
        }
        compared = job.model_copy(update=comparison)
        return compared.with_unknown(dict.fromkeys(comparison, unread)) if unread is not None else compared

    def hours_of_children(self, tuning_job: str) -> list[float | None] | None:
        """The instance-hours of the training jobs of a tuning job, by its ARN; None where the stream had none."""
        return self._child_hours.get(tuning_job)

    def longest_child(self, tuning_job: str) -> int | None:
        """The longest run of the training jobs of a tuning job, in seconds."""
        return self._longest_runs.get(tuning_job)
