"""Which charts of rehearsals a report holds: those of its findings, and of each variant that was rehearsed."""

from collections.abc import Mapping

from chalicelib.inventory.estate import Inventory
from chalicelib.inventory.kinds.endpoints import Variant
from chalicelib.policy.policy import RuleSetting
from chalicelib.rehearsal.terms import Rehearsed
from chalicelib.report.charts import RehearsalChart
from chalicelib.rules.rehearsal import Excess, Shortfall

#: Variants of an account and region whose charts a report holds: two kilobytes each.
CHARTED = 200


def chart_of(subject: object, setting: RuleSetting, estate: Inventory) -> RehearsalChart | None:
    """The chart of a finding: of a rule that tells of too little or too much, the rehearsal by which it judged."""
    if not isinstance(setting.params, Shortfall | Excess) or not isinstance(subject, Variant):
        return None
    kept = estate.rehearsals.get(subject.resource_id, {}).get(setting.params.terms)
    return kept.chart if isinstance(kept, Rehearsed) else None


def charts_of(estate: Inventory) -> Mapping[str, RehearsalChart]:
    """The charts of the variants that were rehearsed, by resource id; where there are many, of those with the most
    minutes short. Of a variant that was rehearsed under several terms, those that leave the most minutes short."""
    rehearsed = {
        id: max(judged, key=lambda kept: (kept.minutes_short, kept.used)).chart
        for id, by_terms in estate.rehearsals.items()
        if (judged := [kept for kept in by_terms.values() if isinstance(kept, Rehearsed)])
    }
    worst = sorted(rehearsed, key=lambda id: (-rehearsed[id].minutes_short, id))
    return {id: rehearsed[id] for id in worst[:CHARTED]}
