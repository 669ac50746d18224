"""What a report says in money: totals, what spot training saved, what AWS estimates itself, and which prices lie under
all of it."""

from typing import Literal

from pydantic import BaseModel, ConfigDict


class _Contract(BaseModel):
    model_config = ConfigDict(frozen=True, defer_build=True, extra="forbid")


class Amount(_Contract):
    """What one owner, topic or account could save a month, in how many places, and what the safety costs that is
    missing there. ``name`` is empty for what has no owner."""

    name: str
    saving_usd: float = 0.0
    places: int = 0
    cost_usd: float = 0.0
    cost_places: int = 0


class Totals(_Contract):
    """What the open findings come to, a month: of each resource the largest saving only, and the largest cost, so that
    none saves more than it costs. ``places`` are resources with a saving. The parts add up to the whole."""

    saving_usd: float = 0.0
    places: int = 0
    cost_usd: float = 0.0
    cost_places: int = 0
    by_owner: list[Amount] = []
    by_topic: list[Amount] = []
    by_account: list[Amount] = []


class SpotMonth(_Contract):
    """What finished spot training of one instance type came to in one month (``2026-11``), in the account and region.

    Hours are instance-hours. ``saved_usd`` is None where the price is not known. ``waiting_hours`` are hours of jobs
    between their creation and their end in which they did not train.
    """

    account: str
    region: str
    instance_type: str
    month: str
    jobs: int
    training_hours: float
    billable_hours: float
    saved_percent: float
    saved_usd: float | None = None
    interruptions: int = 0
    waiting_hours: float = 0.0


class Estimate(_Contract):
    """What AWS estimates itself (Cost Optimization Hub), beside the auditor's own amounts: it decides nothing.
    ``action`` is AWS's word for what it would do."""

    account: str
    region: str
    arn: str
    action: str
    monthly_usd: float
    summary: str = ""


class Money(_Contract):
    """Amounts in US dollars, by on-demand list prices of compute alone: no volumes, no data, no discounts.

    ``sources`` say where prices are from; ``sample``: they are made up. ``notes`` say which are not known and why.
    """

    currency: Literal["USD"] = "USD"
    totals: Totals = Totals()
    sources: list[str] = []
    sample: bool = False
    notes: list[str] = []
    spot: list[SpotMonth] = []
    estimates: list[Estimate] = []
