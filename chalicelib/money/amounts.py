"""The arithmetic of each rule: what the fix saves a month, or what more safety costs. Pure.

Everything is worked out from what the rule read, a list price and a month of 730 hours, and rounded to cents at the end
only. Where an input is missing, or has to be guessed, there is no amount.
"""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from enum import Enum
from typing import Any, NamedTuple

from msgspec import Struct, field

from chalicelib.inventory.instances import InstanceType
from chalicelib.inventory.kinds.configs import plain
from chalicelib.inventory.kinds.endpoints import Variant
from chalicelib.inventory.kinds.plain import NotebookInstance
from chalicelib.inventory.kinds.training import TrainingJob
from chalicelib.inventory.kinds.tuning import TuningJob
from chalicelib.money.cases import Basis, Priced
from chalicelib.money.prices import MONTH_HOURS, Price, Unpriced, Use
from chalicelib.money.spot import saved_usd

#: Graviton: the same container does not run there.
_ARM = re.compile(r"ml\.[a-z]+\d+g[a-z]*\.")
_MONTH = f"{MONTH_HOURS} hours a month"


class Amount(Struct, frozen=True):
    """Dollars a month, how they are worked out, the inputs, and what the resource costs a month as it is. ``group``:
    the family of jobs that the amount is about."""

    monthly_usd: float
    basis: str
    inputs: Mapping[str, Any] = field(default_factory=dict)
    monthly_cost_usd: float | None = None
    group: str | None = None


class Means(Enum):
    """What an amount means: what the fix saves, what it costs as it buys safety, or what was saved already."""

    SAVES = "saves"
    COSTS = "costs"
    SAVED = "saved"


class Arithmetic(NamedTuple):
    """How a rule's findings are told in money, and what the amount means. ``alternatives``: the prices of all
    types in the use are compared."""

    work_out: Callable[[Basis], Amount]
    means: Means = Means.SAVES
    alternatives: bool = False


def _whole(basis: Basis, count: int, otherwise: str) -> Amount:
    """All that instances cost that run all month."""
    priced = basis.priced
    cost = count * priced.hourly * MONTH_HOURS
    words = f"{otherwise}: {count} × {priced} for {_MONTH}"
    return Amount(cost, words, priced.facts(count), cost)


def idle(basis: Basis) -> Amount:
    """An endpoint that nobody calls: all that it costs."""
    return _whole(basis, basis.variant.instance_count, "if it is deleted")


def mostly_unused(basis: Basis) -> Amount:
    """The hours in which nobody called."""
    priced, count = basis.priced, basis.variant.instance_count
    busy, hours = basis.evidence["busy_hours"], basis.evidence["hours"]
    cost = count * priced.hourly * MONTH_HOURS
    words = f"if it ran only in the {busy} of {hours} hours in which it was called: {count} × {priced} for {_MONTH}"
    return Amount(cost * (1 - busy / hours), words, priced.facts(count) | {"busy_hours": busy, "hours": hours}, cost)


def excess(basis: Basis) -> Amount:
    """The instance-hours that the rehearsed proposal would not have used."""
    return _of_proposal(basis, sign=1)


def shortfall(basis: Basis) -> Amount:
    """The instance-hours that the rehearsed proposal would have used more."""
    return _of_proposal(basis, sign=-1)


def _of_proposal(basis: Basis, sign: int) -> Amount:
    proposal = basis.evidence.get("proposal")
    if not proposal:
        raise Unpriced("the rehearsal has no proposal")
    used, proposed = basis.evidence["instance_hours"], proposal["instance_hours"]
    window, priced = basis.evidence["covered_minutes"] / 60, basis.priced
    monthly = of_hours(sign * (used - proposed), window, priced.hourly)
    words = (
        f"in the replayed {window:,.0f} hours: {used:,.1f} instance-hours against {proposed:,.1f} of the proposal, "
        f"{priced}, for {_MONTH}"
    )
    inputs = {
        **priced.facts(basis.variant.instance_count),
        "instance_hours": used,
        "proposed_hours": proposed,
        "window_hours": round(window, 2),
    }
    return Amount(monthly, words, inputs, of_hours(used, window, priced.hourly))


def of_hours(instance_hours: float, window_hours: float, usd_per_hour: float) -> float:
    """What instance-hours of a window cost in a month.

    >>> round(of_hours(60 - 20, 10, 0.23), 2)
    671.6
    """
    return instance_hours / window_hours * MONTH_HOURS * usd_per_hour


# ---- another type


def fit(basis: Basis) -> Amount:
    """The cheapest current type without an accelerator that is no smaller, in the place of the present one."""
    priced = basis.priced
    if basis.case.rule == "instance-previous-generation" and InstanceType.parse(priced.use.instance_type).accelerated:
        raise Unpriced("which current type would do instead of an accelerated one depends on its use")
    return _instead(basis, priced, _at_least(priced.price, 1), lambda _: True)


def oversized(basis: Basis) -> Amount:
    """A current type of the same family with at least half the vCPUs and memory."""
    priced = basis.priced
    family = InstanceType.parse(priced.use.instance_type).family
    return _instead(basis, priced, _at_least(priced.price, 0.5), lambda other: other.family == family)


def _at_least(price: Price, share: float) -> tuple[float, float]:
    """A share of the vCPUs and of the memory of a type. Raises Unpriced where the list does not tell them."""
    if not price.vcpus or not price.memory_gib:
        raise Unpriced("the price list does not tell the size of its instance type")
    return price.vcpus * share, price.memory_gib * share


def _instead(basis: Basis, now: Priced, least: tuple[float, float], fits: Callable[[InstanceType], bool]) -> Amount:
    """What the cheapest other type saves that is large enough. Raises Unpriced where none is cheaper."""
    others = [
        Priced(Use(name, now.use.component), price)
        for name, price in basis.market.types(now.use.component).items()
        if name != now.use.instance_type and _usable(name, price, least) and fits(InstanceType.parse(name))
    ]
    named = min(others, key=lambda other: (other.hourly, other.use.instance_type), default=None)
    if named is None or named.hourly >= now.hourly:
        raise Unpriced("no cheaper current type is as large")
    count, hours, words, group = _running(basis)
    monthly = (now.hourly - named.hourly) * count * hours
    text = f"if {named.use.instance_type} carries the load; test it: {count} × ({now.hourly:g} − {named.hourly:g}) USD"
    inputs = now.facts(count) | {"named_type": named.use.instance_type, "named_usd_per_hour": named.hourly}
    return Amount(monthly, f"{text} {words}", inputs, now.hourly * count * hours, group)


def _usable(name: str, price: Price, least: tuple[float, float]) -> bool:
    kind = InstanceType.parse(name)
    if kind.accelerated or kind.burstable or _ARM.match(name) or not price.current:
        return False
    return (price.vcpus or 0) >= least[0] and (price.memory_gib or 0) >= least[1]


def _running(basis: Basis) -> tuple[int, float, str, str | None]:
    """How many instances run for how many hours a month, in words, and the family where that is one of jobs."""
    subject = basis.case.subject
    if isinstance(subject, Variant):
        return subject.instance_count, MONTH_HOURS, f"for {_MONTH}", None
    if isinstance(subject, NotebookInstance) and subject.known("status") == "InService":
        return 1, MONTH_HOURS, f"for {_MONTH}", None
    if isinstance(subject, TrainingJob):
        jobs, hours = _family_hours(basis, subject)
        return 1, hours, f"for {hours:,.1f} instance-hours a month, {jobs} runs", _group(subject)
    raise Unpriced("how long it runs in a month is not told")


# ---- training


def _group(job: TrainingJob) -> str:
    return f"{job.family} on {', '.join(job.instance_types)}"


def _family_hours(basis: Basis, job: TrainingJob) -> tuple[int, float]:
    """How many runs of the job's family on its type completed on demand in the look-back window, and how many
    instance-hours they take a month. Raises Unpriced where the jobs were not all read."""
    if basis.training is None:
        raise Unpriced("how often it runs is told by a sweep alone")
    runs = basis.training.families.get((job.family, job.instance_types[0]))
    if runs is None:
        raise Unpriced("no run of its family has completed on demand")
    return runs.jobs, basis.a_month(runs.seconds / 3600)


def spot_not_used(basis: Basis) -> Amount:
    """What this account's own spot jobs saved, of what the runs of the family cost."""
    if basis.training is None:
        raise Unpriced("what spot saves here is told by a sweep alone")
    priced, (share, jobs) = basis.priced, basis.training.share(basis.market)
    subject, group = basis.case.subject, None
    if isinstance(subject, TuningJob):
        runs, hours = 1, basis.a_month(subject.child_hours or 0)
    else:
        (runs, hours), group = _family_hours(basis, basis.job), _group(basis.job)
    cost = hours * priced.hourly
    words = (
        f"this account's {jobs} spot jobs saved {100 * share:.0f} %: of {hours:,.1f} instance-hours a month of {priced}"
    )
    inputs = priced.facts(1) | {
        "spot_share": round(share, 4),
        "spot_jobs": jobs,
        "runs": runs,
        "instance_hours_a_month": round(hours, 2),
        "lookback_days": basis.lookback_days,
    }
    return Amount(share * cost, words, inputs, cost, group)


def spot_saved(basis: Basis) -> Amount:
    """What a finished spot job saved already: told in the evidence, and no saving of a fix."""
    job, priced = basis.job, basis.priced
    if not job.instances or not job.training_seconds or job.billable_seconds is None:
        raise Unpriced("what it saved is not told yet")
    saved = saved_usd(job.training_seconds, job.billable_seconds, job.instances, priced.hourly)
    inputs = priced.facts(job.instances) | {
        "training_seconds": job.training_seconds,
        "billable_seconds": job.billable_seconds,
        "spot_saved_usd": round(saved, 2),
    }
    return Amount(saved, "spot saved it already", inputs)


def warm_pool(basis: Basis) -> Amount:
    """The time for which pools of the family were kept and nobody used them."""
    priced = basis.priced
    hours = basis.a_month(basis.evidence["family_instance_hours"])
    words = f"if no pool were kept: {hours:,.1f} instance-hours a month of {priced}"
    inputs = priced.facts(basis.job.instances or 0) | {
        "instance_hours_a_month": round(hours, 2),
        "lookback_days": basis.lookback_days,
    }
    return Amount(hours * priced.hourly, words, inputs, hours * priced.hourly, _group(basis.job))


def stuck(basis: Basis) -> Amount:
    """What the job has cost since it got stuck, once."""
    job = basis.job
    if job.started is None:
        raise Unpriced("it has not begun to run, and costs nothing yet")
    since = max(job.started, _moment(job))
    return _lost(basis, (basis.now - since).total_seconds() / 3600, f"since {since:%Y-%m-%d %H:%M} UTC")


def _moment(job: TrainingJob) -> datetime:
    if job.state_since is None:
        raise Unpriced("AWS gave no time since when it is so")
    return job.state_since


def stopped_at_limit(basis: Basis) -> Amount:
    """What a job cost that its limit ended and that left neither a model nor a checkpoint, once."""
    job = basis.job
    if plain(job.known("status") or "") == "inprogress" or basis.evidence.get("time_boxed"):
        raise Unpriced("nothing is lost")
    if job.model_artifacts or job.checkpoint_s3_uri:
        raise Unpriced("it left a model or checkpoints")
    seconds = job.billable_seconds if job.billable_seconds is not None else job.run_seconds
    if not seconds:
        raise Unpriced("AWS gave no training time")
    return _lost(basis, seconds / 3600, "the whole run")


def _lost(basis: Basis, hours: float, what: str) -> Amount:
    priced, count = basis.priced, basis.job.instances
    if not count:
        raise Unpriced("AWS gave no instance count")
    cost = hours * count * priced.hourly
    words = f"lost once, not each month ({what}): {count} × {priced} for {hours:,.1f} hours"
    return Amount(cost, words, priced.facts(count) | {"lost_hours": round(hours, 2)}, cost)


# ---- what people work in


def stopped(basis: Basis) -> Amount:
    """A notebook instance or an app that runs all the time."""
    return _whole(basis, 1, "if it is stopped, and less for each hour in which it is used")


# ---- what costs more safety


def second_instance(basis: Basis) -> Amount:
    """As many instances as the rule asks for."""
    wanted = basis.evidence["min_instances"]
    return _more(basis, basis.evidence["desired_instance_count"], wanted, f"for {wanted} instances")


def higher_minimum(basis: Basis) -> Amount:
    """The minimum that the rule asks for."""
    wanted = basis.evidence["wanted_min_capacity"]
    return _more(basis, basis.evidence["min_capacity"], wanted, f"at most, for a minimum of {wanted}")


def zone_loss(basis: Basis) -> Amount:
    """The minimum with which the loss of a zone leaves enough."""
    wanted = basis.evidence["safe_minimum"]
    return _more(basis, basis.evidence["policy"]["min"], wanted, f"at most, for a minimum of {wanted}")


def _more(basis: Basis, now: int, wanted: int, what: str) -> Amount:
    """What instances cost that come to those of now."""
    priced, more = basis.priced, wanted - now
    words = f"{what} instead of {now}: {more} × {priced} for {_MONTH}"
    return Amount(more * priced.hourly * MONTH_HOURS, words, priced.facts(more))


#: The arithmetic of each rule that has one.
ARITHMETIC: Mapping[str, Arithmetic] = {
    "endpoint-idle": Arithmetic(idle),
    "endpoint-mostly-unused": Arithmetic(mostly_unused),
    "rehearsal-excess-capacity": Arithmetic(excess),
    "endpoint-gpu-underutilized": Arithmetic(fit, alternatives=True),
    "endpoint-gpu-unneeded-by-algorithm": Arithmetic(fit, alternatives=True),
    "instance-previous-generation": Arithmetic(fit, alternatives=True),
    "endpoint-cpu-oversized": Arithmetic(oversized, alternatives=True),
    "training-gpu-for-cpu-algorithm": Arithmetic(fit, alternatives=True),
    "training-spot-not-used": Arithmetic(spot_not_used),
    "training-warm-pool-unused": Arithmetic(warm_pool),
    "training-stuck": Arithmetic(stuck),
    "training-stopped-at-limit": Arithmetic(stopped_at_limit),
    **dict.fromkeys(
        (
            "training-spot-no-checkpoint",
            "training-spot-cannot-checkpoint",
            "training-spot-interrupted",
            "training-spot-wait-too-short",
            "training-spot-no-savings",
        ),
        Arithmetic(spot_saved, Means.SAVED),
    ),
    "notebook-never-stops": Arithmetic(stopped),
    "studio-app-idle": Arithmetic(stopped),
    "endpoint-single-instance": Arithmetic(second_instance, Means.COSTS),
    "autoscaling-min-below-two": Arithmetic(higher_minimum, Means.COSTS),
    "rehearsal-capacity-shortfall": Arithmetic(shortfall, Means.COSTS),
    "endpoint-az-loss-overload": Arithmetic(zone_loss, Means.COSTS),
}
