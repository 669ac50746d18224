"""Markets and amounts in one line."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from chalicelib.inventory.estate import Inventory
from chalicelib.inventory.facts import Fact
from chalicelib.money.appraisal import Appraised, appraised
from chalicelib.money.cases import Case
from chalicelib.money.prices import Component, Market, Price, Use
from chalicelib.money.spot import TrainingSums
from samples.builders import REGION, an_inventory

#: Types of the tests with vCPUs, GiB and whether they are current.
SIZES: Mapping[str, tuple[float, float, bool]] = {
    "ml.m5.large": (2, 8, True),
    "ml.m5.xlarge": (4, 16, True),
    "ml.m5.2xlarge": (8, 32, True),
    "ml.m4.xlarge": (4, 16, False),
    "ml.m7g.xlarge": (4, 16, True),
    "ml.t3.xlarge": (4, 16, True),
    "ml.c5.xlarge": (4, 8, True),
    "ml.r5.xlarge": (4, 32, True),
    "ml.g5.xlarge": (4, 16, True),
    "ml.g6.xlarge": (4, 16, True),
    "ml.p3.2xlarge": (8, 61, False),
}


def prices_of(component: Component = Component.HOSTING, /, **hourly: float) -> dict[Use, Price]:
    """Prices by type, written ``m5_xlarge=0.23``."""
    prices = {f"ml.{name.replace('_', '.')}": usd for name, usd in hourly.items()}
    return {Use(name, component): Price(usd, "2026-11-20", *SIZES.get(name, ())) for name, usd in prices.items()}


@dataclass(frozen=True, slots=True)
class FixedPrices:
    """Prices of a test. ``asked`` are the uses and whole components that were asked for."""

    prices: Mapping[Use, Price] = field(default_factory=dict)
    asked: list[tuple[set[Use], set[Component]]] = field(default_factory=list)

    def market(self, region: str, uses: Iterable[Use], whole: Iterable[Component] = ()) -> Market:
        wanted, components = set(uses), frozenset(whole)
        self.asked.append((wanted, set(components)))
        known = {use: price for use, price in self.prices.items() if use in wanted or use.component in components}
        return Market(region, known, whole=components)


def amount_of(
    rule: str,
    subject: Fact,
    prices: Mapping[Use, Price],
    *,
    inventory: Inventory | None = None,
    training: TrainingSums | None = None,
    lookback_days: int = 30,
    **evidence: Any,
) -> Appraised | None:
    """What a failing outcome with this evidence saves or costs; None without an amount."""
    estate = inventory if inventory is not None else an_inventory(subject)
    assert estate.region == REGION
    case = Case(rule, subject, evidence)
    appraisal = appraised({0: case}, estate, FixedPrices(prices), training=training, lookback_days=lookback_days)
    return appraisal.amounts.get(0)


def saved(appraisal: Appraised | None) -> float | None:
    """What the fix saves, to the cent."""
    return appraisal.saving.monthly_usd if appraisal is not None and appraisal.saving is not None else None
