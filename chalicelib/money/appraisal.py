"""From failing outcomes and prices to amounts: which prices are asked for, and what is told of those that lack."""

import logging
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct, field
from msgspec.structs import replace

from chalicelib.inventory.estate import Inventory
from chalicelib.inventory.facts import Missing, Unread
from chalicelib.money.amounts import ARITHMETIC, Amount, Means
from chalicelib.money.cases import Basis, Case, uses_of
from chalicelib.money.estimates import HubAnswer
from chalicelib.money.prices import Component, Market, Prices, Unpriced, Use
from chalicelib.money.spot import TrainingSums
from chalicelib.report.findings import Finding, Saving
from chalicelib.report.money import Money
from chalicelib.report.savings import totals

log = logging.getLogger(__name__)


class Appraised(Struct, frozen=True):
    """An amount, and what it means."""

    amount: Amount
    means: Means

    @property
    def saving(self) -> Saving | None:
        """What the fix saves, to the cent; None where it does not."""
        if self.means is not Means.SAVES:
            return None
        amount = self.amount
        return Saving(monthly_usd=round(amount.monthly_usd, 2), basis=amount.basis, group=amount.group)

    @property
    def cost_usd(self) -> float | None:
        """What the fix costs a month more, to the cent; None where it does not."""
        return round(self.amount.monthly_usd, 2) if self.means is Means.COSTS else None

    @property
    def facts(self) -> dict[str, Any]:
        """The inputs of the amount, as evidence holds them."""
        cost = self.amount.monthly_cost_usd
        return {
            **self.amount.inputs,
            **({"monthly_cost_usd": round(cost, 2)} if cost is not None and self.means is Means.SAVES else {}),
            **({"basis": self.amount.basis} if self.means is Means.COSTS else {}),
        }


class Appraisal(Struct, frozen=True):
    """The amounts of an audit's outcomes, by the key under which each was given, and the market that they are of."""

    market: Market
    amounts: Mapping[int, Appraised] = field(default_factory=dict)
    training: TrainingSums | None = None


def appraised(
    cases: Mapping[int, Case],
    estate: Inventory,
    prices: Prices,
    *,
    training: TrainingSums | None,
    lookback_days: int,
) -> Appraisal:
    """The amounts of these cases. ``training`` are the sums of all training jobs; None where not all were read.

    Never raises: what cannot be worked out has no amount.
    """
    priced_cases = {key: case for key, case in cases.items() if case.rule in ARITHMETIC}
    uses, whole = _wanted(priced_cases.values(), estate)
    if training is not None:
        uses |= training.uses
    market = prices.market(estate.region, uses, whole)
    amounts = {}
    for key, case in priced_cases.items():
        amount = _amount(Basis(case, estate, market, training, lookback_days))
        if amount is not None:
            amounts[key] = Appraised(amount, ARITHMETIC[case.rule].means)
    return Appraisal(market, amounts, training)


def _wanted(cases: Iterable[Case], estate: Inventory) -> tuple[set[Use], set[Component]]:
    """The prices that these cases take, and the uses of which they take every type."""
    uses: set[Use] = set()
    whole: set[Component] = set()
    for case in cases:
        case_uses = set(_uses(case, estate))
        uses |= case_uses
        if ARITHMETIC[case.rule].alternatives:
            whole |= {use.component for use in case_uses}
    return uses, whole


def _uses(case: Case, estate: Inventory) -> Iterator[Use]:
    try:
        yield from uses_of(case.subject, estate)
    except (Unread, Missing):
        return  # what could not be read is a blind spot already


def _amount(basis: Basis) -> Amount | None:
    """The amount of a case, to the cent; None where there is none, or it is none of what the rule is about."""
    rule = basis.case.rule
    try:
        amount = ARITHMETIC[rule].work_out(basis)
    except (Unpriced, Unread, Missing) as reason:
        log.info("no amount for %s of a %s: %s", rule, basis.case.subject.kind, reason)
        return None
    except Exception:  # a fault of the arithmetic must not end the audit
        log.exception("the amount for %s of a %s cannot be worked out", rule, basis.case.subject.kind)
        return None
    if ARITHMETIC[rule].means is Means.SAVED:
        return amount
    if not round(amount.monthly_usd, 2) > 0:
        return None
    most = amount.monthly_cost_usd
    if ARITHMETIC[rule].means is Means.SAVES and most is not None and amount.monthly_usd > most:
        amount = replace(amount, monthly_usd=most)
    return amount


def money_of(
    account: str, findings: Sequence[Finding], appraisal: Appraisal | None, hub_answer: HubAnswer | None
) -> Money | None:
    """What a report of these findings says in money: the amounts of the audit, and what AWS estimates; None where
    neither was asked for."""
    if appraisal is None and hub_answer is None:
        return None
    market = appraisal.market if appraisal is not None else Market("")
    training = appraisal.training if appraisal is not None else None
    return Money(
        totals=totals(findings),
        sources=[market.source] if market.source else [],
        sample=market.sample,
        notes=[*market.notes, *([hub_answer.note] if hub_answer is not None and hub_answer.note else [])],
        spot=training.months(account, market.region, market) if training is not None else [],
        estimates=hub_answer.estimates if hub_answer is not None else [],
    )


def calls_of(appraisal: Appraisal | None, hub_answer: HubAnswer | None) -> Counter[str]:
    """The calls that were made for it."""
    calls = Counter[str](appraisal.market.calls if appraisal is not None else {})
    calls.update(hub_answer.calls if hub_answer is not None else {})
    return calls
