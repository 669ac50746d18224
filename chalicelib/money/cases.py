"""A failing outcome as the arithmetic of money sees it: what runs, how many of it, and at which price."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from msgspec import Struct

from chalicelib.inventory.estate import Inventory
from chalicelib.inventory.facts import Fact
from chalicelib.inventory.kinds.endpoints import Variant
from chalicelib.inventory.kinds.plain import NotebookInstance, TransformJob
from chalicelib.inventory.kinds.scaling import ScalableTarget
from chalicelib.inventory.kinds.studio import StudioApp
from chalicelib.inventory.kinds.training import TrainingJob
from chalicelib.inventory.kinds.tuning import TuningJob
from chalicelib.money.prices import MONTH_HOURS, Component, Market, Price, Unpriced, Use
from chalicelib.money.spot import TrainingSums

#: What the list calls the apps of Studio.
_APPS = {
    "JupyterLab": Component.JUPYTER_LAB,
    "CodeEditor": Component.CODE_EDITOR,
    "KernelGateway": Component.STUDIO_NOTEBOOK,
}


class Case(Struct, frozen=True):
    """A failing outcome: the rule, what it is about, and the facts that it read."""

    rule: str
    subject: Fact
    evidence: Mapping[str, Any]


class Basis(Struct, frozen=True):
    """What the amount of a case rests on. ``lookback_days`` bounds the jobs of ``training``; None where not all of them
    were read."""

    case: Case
    estate: Inventory
    market: Market
    training: TrainingSums | None
    lookback_days: int

    @property
    def now(self) -> datetime:
        return self.estate.now

    @property
    def evidence(self) -> Mapping[str, Any]:
        return self.case.evidence

    @property
    def variant(self) -> Variant:
        """The variant that the case is about, itself or what scales it. Raises Unpriced for anything else."""
        subject = self.case.subject
        scaled = self.estate.scaled_by(subject) if isinstance(subject, ScalableTarget) else subject
        if not isinstance(scaled, Variant):
            raise Unpriced("what it runs on is not its own")
        return scaled

    @property
    def job(self) -> TrainingJob:
        """The training job that the case is about. Raises Unpriced for anything else."""
        if not isinstance(self.case.subject, TrainingJob):
            raise Unpriced("it is no training job")
        return self.case.subject

    @property
    def priced(self) -> "Priced":
        """The one type that the case runs on, with its price. Raises Unpriced where there are several, or it has none,
        and Unread."""
        uses = uses_of(self.case.subject, self.estate)
        if len(uses) != 1:
            raise Unpriced(f"it runs on {len(uses)} instance types" if uses else "no instance type of its own is told")
        (use,) = uses
        return Priced(use, self.market.price(*use))

    def a_month(self, seen: float) -> float:
        """What was seen in the look-back window, as a month has it."""
        return seen * MONTH_HOURS / (24 * self.lookback_days)


class Priced(Struct, frozen=True):
    """An instance type in a use, with its price."""

    use: Use
    price: Price

    @property
    def hourly(self) -> float:
        return self.price.usd_per_hour

    def __str__(self) -> str:
        return f"{self.use.instance_type} at {self.hourly:g} USD an hour"

    def facts(self, count: int) -> dict[str, Any]:
        """The inputs of an amount, for the evidence."""
        return {
            "instance_type": self.use.instance_type,
            "component": self.use.component.value,
            "instance_count": count,
            "usd_per_hour": self.hourly,
            **({"price_published": self.price.published} if self.price.published else {}),
        }


def uses_of(subject: Fact, estate: Inventory) -> set[Use]:
    """The instance types that a resource runs on, in its use; none where it has no instances of its own, or runs on
    capacity that is paid for otherwise. May raise Unread."""
    if isinstance(subject, ScalableTarget):
        scaled = estate.scaled_by(subject)
        return uses_of(scaled, estate) if isinstance(scaled, Variant) else set()
    if isinstance(subject, Variant):
        settings = subject.settings
        reserved = subject.reserved_instances or settings.reservation_arn
        if subject.serverless or reserved:
            return set()
        component = Component.ASYNCHRONOUS if subject.is_async else Component.HOSTING
        return {Use(name, component) for name in settings.instance_types}
    if isinstance(subject, TrainingJob):
        return (
            set() if subject.training_plan_arn else {Use(name, Component.TRAINING) for name in subject.instance_types}
        )
    if isinstance(subject, TuningJob):
        names = {name for definition in subject.definitions for name in definition.instance_types}
        return {Use(name, Component.TRAINING) for name in names}
    if isinstance(subject, TransformJob):
        return _one(subject.instance_type, Component.TRANSFORM)
    if isinstance(subject, NotebookInstance):
        return _one(subject.instance_type, Component.NOTEBOOK)
    if isinstance(subject, StudioApp) and subject.type in _APPS:
        return _one(subject.instance_type, _APPS[subject.type])
    return set()


def _one(name: str | None, component: Component) -> set[Use]:
    return {Use(name, component)} if name else set()
