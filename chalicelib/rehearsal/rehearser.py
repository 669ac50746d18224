"""Which variants an audit rehearses, and under which terms: whoever reads their minutes asks this."""

from collections.abc import Mapping, Sequence

from msgspec import Struct

from chalicelib.inventory.estate import Inventory
from chalicelib.inventory.kinds.endpoints import Variant
from chalicelib.inventory.traffic import MinuteMetric, Minutes
from chalicelib.rehearsal.terms import Rehearsed, Terms, Unjudged


def left_out(variant: Variant) -> str:
    """Why a variant is not rehearsed, or an empty text. Raises Unread."""
    if variant.is_async:
        return "an asynchronous endpoint answers from its queue: auditor rehearse does not replay it"
    if variant.hosts_components:
        return "its inference components are called, not it"
    return "it takes no traffic" if variant.weight == 0 else ""


class Rehearser(Struct, frozen=True):
    """Rehearses each variant of an audit under all these terms, as soon as its minutes are there."""

    terms: frozenset[Terms]

    @property
    def days(self) -> int:
        return max(terms.days for terms in self.terms)

    def wanted(self, variant: Variant, estate: Inventory) -> Sequence[MinuteMetric]:
        """The metrics that a rehearsal takes: what instances have carried only where AWS has recorded a step in these
        days, as without one nothing tells of another number of them. None where it is not rehearsed. May raise Unread.
        """
        if variant.shadow or variant.serverless or not variant.settled or left_out(variant):
            return ()
        target = estate.target_of(variant)
        if target is None or not estate.policies_of(target):
            return ()
        from chalicelib.rehearsal.swept import metrics_of  # where nothing scales, nobody waits for the replay

        return metrics_of(estate, target, self.days)

    def reduced(
        self, variant: Variant, estate: Inventory, minutes: Mapping[MinuteMetric, Minutes]
    ) -> dict[Terms, Rehearsed | Unjudged]:
        """What the minutes of a variant come to, under all terms."""
        from chalicelib.rehearsal.swept import rehearsed_of

        return {terms: rehearsed_of(variant, estate, minutes, terms) for terms in self.terms}
