"""What the terminal says in money: beside each finding, and in the summary."""

from collections.abc import Iterator

from rich.text import Text

from chalicelib.report.findings import Finding
from chalicelib.report.money import Amount, Money
from chalicelib.report.savings import in_words

#: Owners and topics that the summary names.
MOST = 5
SAVES, COSTS = "green", "yellow"


def beside(finding: Finding) -> Text:
    """The amount of a finding, behind its words; empty without one."""
    if finding.saving is not None:
        return Text(f"  saves ${finding.saving.monthly_usd:,.2f} a month", SAVES)
    if finding.cost_usd is not None:
        return Text(f"  costs ${finding.cost_usd:,.2f} a month more", COSTS)
    return Text()


def lines(money: Money | None) -> Iterator[Text]:
    """The totals with their parts, what spot training saved, what AWS estimates, and where prices are from."""
    if money is None:
        return
    yield Text(in_words(money) or "No amounts are known", "bold")
    for title, parts in (("owner", money.totals.by_owner), ("topic", money.totals.by_topic)):
        if shown := [_part(part) for part in parts[:MOST]]:
            more = f" and {len(parts) - MOST} more" if len(parts) > MOST else ""
            yield Text(f"by {title}: {', '.join(shown)}{more}")
    if len(money.totals.by_account) > 1:
        yield Text(f"by account: {', '.join(_part(part) for part in money.totals.by_account[:MOST])}")
    if money.spot:
        saved = sum(month.saved_usd or 0 for month in money.spot)
        jobs, interruptions = (sum(getattr(month, name) for month in money.spot) for name in ("jobs", "interruptions"))
        waited = sum(month.waiting_hours for month in money.spot)
        yield Text(
            f"spot training saved ${saved:,.2f}: {jobs} jobs, {interruptions} interruptions, {waited:,.1f} h waited"
        )
    for estimate in money.estimates[:MOST]:
        where = estimate.arn.rpartition(":")[2]
        yield Text(f"AWS estimates ${estimate.monthly_usd:,.2f} a month for {where} ({estimate.action})")
    source = "; ".join(money.sources)
    if source:
        yield Text(f"on-demand list prices, compute only: {source}{', sample prices' if money.sample else ''}", "dim")
    for note in money.notes:
        yield Text(note, "dim")


def _part(part: Amount) -> str:
    missing = f"resilience missing: ${part.cost_usd:,.0f}" if part.cost_places else ""
    if not part.places:
        return f"{part.name or 'nobody'} {missing}"
    return f"{part.name or 'nobody'} ${part.saving_usd:,.0f}" + (f" ({missing})" if missing else "")
