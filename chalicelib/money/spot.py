"""What the training jobs of a sweep tell of money: what spot instances saved, and what families of jobs take a month.

Jobs are a stream: what is kept are sums by instance type and month, and by family. Pure.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass, field

from chalicelib.inventory.kinds.configs import plain
from chalicelib.inventory.kinds.training import TrainingJob
from chalicelib.money.prices import Component, Market, Unpriced, Use
from chalicelib.report.money import SpotMonth

#: From so many finished spot jobs on, their saving says something of the next one.
ENOUGH_JOBS = 3


@dataclass
class Sum:
    """Finished spot jobs of one type in one month. Times are in instance-seconds, waiting in seconds of jobs."""

    jobs: int = 0
    training: int = 0
    billable: int = 0
    interruptions: int = 0
    waiting: float = 0.0


@dataclass
class Runs:
    """Completed on-demand jobs of one family on one type: how many, and their instance-seconds."""

    jobs: int = 0
    seconds: int = 0


@dataclass
class TrainingSums:
    """Takes every training job of a sweep; jobs on several types, on a training plan or without instances of their own
    are left out, as no one price is theirs."""

    spot: dict[tuple[str, str], Sum] = field(default_factory=dict)
    families: dict[tuple[str, str], Runs] = field(default_factory=dict)

    def take(self, job: TrainingJob) -> None:
        """Takes one job."""
        if len(job.instance_types) != 1 or not job.instances or job.training_plan_arn or job.is_serverless:
            return
        name = job.instance_types[0]
        if job.spot:
            self._take_spot(job, name, job.instances)
        elif plain(job.known("status") or "") == "completed" and job.run_seconds and not job.tuning_job_arn:
            runs = self.families.setdefault((job.family, name), Runs())
            runs.jobs += 1
            runs.seconds += job.run_seconds * job.instances

    def _take_spot(self, job: TrainingJob, name: str, instances: int) -> None:
        if job.ended is None or not job.training_seconds or job.billable_seconds is None:
            return
        month = self.spot.setdefault((name, f"{job.ended:%Y-%m}"), Sum())
        month.jobs += 1
        month.training += job.training_seconds * instances
        month.billable += job.billable_seconds * instances
        month.interruptions += job.interruptions or 0
        if job.created is not None:
            month.waiting += max(0.0, (job.ended - job.created).total_seconds() - job.training_seconds)

    @property
    def uses(self) -> set[Use]:
        """The prices that its amounts take."""
        return {Use(name, Component.TRAINING) for name, _ in self.spot}

    def months(self, account: str, region: str, market: Market) -> list[SpotMonth]:
        """What spot training came to, by type and month, the newest month first."""
        ordered = sorted(self.spot.items(), key=lambda entry: entry[0][0])
        ordered.sort(key=lambda entry: entry[0][1], reverse=True)
        return [
            SpotMonth(
                account=account,
                region=region,
                instance_type=name,
                month=month,
                jobs=total.jobs,
                training_hours=round(total.training / 3600, 2),
                billable_hours=round(total.billable / 3600, 2),
                saved_percent=round(100 * (total.training - total.billable) / total.training, 1),
                saved_usd=_saved(total, name, market),
                interruptions=total.interruptions,
                waiting_hours=round(total.waiting / 3600, 2),
            )
            for (name, month), total in ordered
        ]

    def share(self, market: Market) -> tuple[float, int]:
        """Which share of their cost this account's own spot jobs saved, weighted by cost, and how many jobs tell it.
        Raises Unpriced where fewer than three of known price do, or nothing was saved."""
        priced = [(total, price) for total, price in _priced(self.spot.items(), market) if total.training > 0]
        jobs = sum(total.jobs for total, _ in priced)
        if jobs < ENOUGH_JOBS:
            raise Unpriced(f"{jobs} spot jobs of this account have finished, and {ENOUGH_JOBS} would tell a saving")
        cost = math.fsum(total.training * price for total, price in priced)
        share = math.fsum((total.training - total.billable) * price for total, price in priced) / cost
        if share <= 0:
            raise Unpriced("this account's spot jobs saved nothing")
        return share, jobs


def saved_usd(training_seconds: float, billable_seconds: float, instances: int, usd_per_hour: float) -> float:
    """What a finished spot job saved, in US dollars.

    >>> round(saved_usd(10_800, 3_600, 2, 1.634), 2)
    6.54
    """
    return (training_seconds - billable_seconds) / 3600 * instances * usd_per_hour


def _saved(total: Sum, name: str, market: Market) -> float | None:
    price = market.prices.get(Use(name, Component.TRAINING))
    return None if price is None else round(saved_usd(total.training, total.billable, 1, price.usd_per_hour), 2)


def _priced(sums: Iterable[tuple[tuple[str, str], Sum]], market: Market) -> Iterable[tuple[Sum, float]]:
    """The sums of types whose price is known, with that."""
    for (name, _), total in sums:
        price = market.prices.get(Use(name, Component.TRAINING))
        if price is not None:
            yield total, price.usd_per_hour
