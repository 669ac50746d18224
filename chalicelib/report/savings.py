"""Totals that add up: per resource the largest saving only, whatever the order of the findings. Pure."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence

from chalicelib.report.findings import Finding, Report
from chalicelib.report.money import Amount, Money, Totals

#: Kinds that are about the variant or component which they scale.
_SCALING = ("scalable-target", "scaling-policy")


def place_of(finding: Finding) -> tuple[str, ...]:
    """What a finding's saving is on: amounts of the same place exclude each other. A target and its policies stand for
    the variant or component that they scale, and jobs of one family for all of them."""
    where = (finding.account, finding.region)
    if finding.saving is not None and finding.saving.group:
        return (*where, "group", finding.saving.group)
    kind, name = finding.resource.kind, finding.resource.name
    if kind not in _SCALING:
        return (*where, kind, name)
    parts = name.split("/")
    if kind == "scaling-policy":
        parts = parts[:-1]
    return (*where, "endpoint-variant" if len(parts) > 1 else "inference-component", "/".join(parts))


def counted(findings: Iterable[Finding]) -> dict[str, float]:
    """The savings that a total adds up, by the id of the finding: the largest of each place. Of equal ones the one of
    the smaller id counts."""
    return _largest(findings, lambda finding: finding.saving.monthly_usd if finding.saving else None)


def counted_costs(findings: Iterable[Finding]) -> dict[str, float]:
    """The costs of more safety that a total adds up, likewise."""
    return _largest(findings, lambda finding: finding.cost_usd)


def _largest(findings: Iterable[Finding], amount: Callable[[Finding], float | None]) -> dict[str, float]:
    best: dict[tuple[str, ...], tuple[float, str]] = {}
    for finding in findings:
        value = amount(finding)
        if finding.status != "open" or value is None or not value > 0:
            continue
        place = place_of(finding)
        known = best.get(place)
        if known is None or (-value, finding.id) < (-known[0], known[1]):
            best[place] = (value, finding.id)
    return {id: value for value, id in best.values()}


def totals(findings: Sequence[Finding]) -> Totals:
    """What the open findings come to."""
    savings, costs = counted(findings), counted_costs(findings)

    def by(name_of: Callable[[Finding], str]) -> list[Amount]:
        names = sorted({name_of(finding) for finding in findings if finding.id in savings or finding.id in costs})
        amounts = [
            Amount(name=name, **_sums([finding for finding in findings if name_of(finding) == name], savings, costs))
            for name in names
        ]
        return sorted(amounts, key=lambda part: (-part.saving_usd, -part.cost_usd, part.name))

    return Totals(
        **_sums(findings, savings, costs),
        by_owner=by(lambda finding: finding.owner or ""),
        by_topic=by(lambda finding: finding.topic),
        by_account=by(lambda finding: finding.account),
    )


def _sums(findings: Iterable[Finding], savings: Mapping[str, float], costs: Mapping[str, float]) -> dict[str, float]:
    ids = {finding.id for finding in findings}
    saved = [amount for id, amount in savings.items() if id in ids]
    spent = [amount for id, amount in costs.items() if id in ids]
    # fsum does not depend on the order.
    return {
        "saving_usd": round(math.fsum(saved), 2),
        "places": len(saved),
        "cost_usd": round(math.fsum(spent), 2),
        "cost_places": len(spent),
    }


def with_totals(report: Report) -> Report:
    """The report with the totals of the findings that it holds; unchanged where it tells no money."""
    if report.money is None:
        return report
    return report.model_copy(update={"money": report.money.model_copy(update={"totals": totals(report.findings)})})


def merged_money(parts: Iterable[Money | None], findings: Sequence[Finding]) -> Money | None:
    """What several reports say in money as one, with the totals of all their findings; None where none does. Of reports
    that come without their findings the totals are added up."""
    known_parts = [part for part in parts if part is not None]
    if not known_parts:
        return None
    return Money(
        totals=totals(findings) if findings else _added([part.totals for part in known_parts]),
        sources=list(dict.fromkeys(source for part in known_parts for source in part.sources)),
        sample=any(part.sample for part in known_parts),
        notes=list(dict.fromkeys(note for part in known_parts for note in part.notes)),
        spot=[month for part in known_parts for month in part.spot],
        estimates=[estimate for part in known_parts for estimate in part.estimates],
    )


def _added(parts: Sequence[Totals]) -> Totals:
    """Totals of different resources as one."""

    def by(lists: Iterable[Sequence[Amount]]) -> list[Amount]:
        groups: dict[str, list[Amount]] = {}
        for amount in (amount for amounts in lists for amount in amounts):
            groups.setdefault(amount.name, []).append(amount)
        amounts = [Amount(name=name, **_sum(group)) for name, group in groups.items()]
        return sorted(amounts, key=lambda part: (-part.saving_usd, -part.cost_usd, part.name))

    return Totals(
        **_sum(parts),
        by_owner=by(part.by_owner for part in parts),
        by_topic=by(part.by_topic for part in parts),
        by_account=by(part.by_account for part in parts),
    )


def _sum(parts: Sequence[Totals] | Sequence[Amount]) -> dict[str, float]:
    return {
        "saving_usd": round(math.fsum(part.saving_usd for part in parts), 2),
        "places": sum(part.places for part in parts),
        "cost_usd": round(math.fsum(part.cost_usd for part in parts), 2),
        "cost_places": sum(part.cost_places for part in parts),
    }


def in_words(money: Money | None) -> str:
    """The totals in a sentence: ``$1,240 a month (USD) in 9 places; resilience missing costs $310``; empty where there
    are none."""
    if money is None:
        return ""
    sums, parts = money.totals, []
    if sums.places:
        parts.append(f"${sums.saving_usd:,.0f} a month (USD) in {sums.places:,} place{'' if sums.places == 1 else 's'}")
    if sums.cost_places:
        end = "" if parts else " a month (USD)"
        parts.append(f"resilience missing costs ${sums.cost_usd:,.0f}{end}")
    return "; ".join(parts) + (" (sample prices)" if parts and money.sample else "")
