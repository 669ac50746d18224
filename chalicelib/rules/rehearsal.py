"""Rehearsal: would the policy have had enough instances for the traffic of the last days, and how many too many?

Source of the conditions: the auditor's own replay, which docs/rehearsal.md describes.
"""

import math
from collections.abc import Iterable
from typing import Annotated, Any

from msgspec.structs import replace
from pydantic import Field, NonNegativeInt, PositiveFloat, PositiveInt

from chalicelib.inventory.estate import Inventory
from chalicelib.inventory.facts import Unread
from chalicelib.inventory.kinds.endpoints import Variant
from chalicelib.inventory.metrics import no_datapoints
from chalicelib.inventory.parts import Part
from chalicelib.inventory.traffic import MOST_DAYS
from chalicelib.rehearsal.rehearser import Rehearser, left_out
from chalicelib.rehearsal.terms import (
    LOAD_TEST_DAYS,
    SPARED,
    Assumptions,
    Rehearsed,
    Terms,
    Unjudged,
    Unrehearsable,
)
from chalicelib.report.cause import Cause
from chalicelib.report.concern import Concern
from chalicelib.report.findings import Severity
from chalicelib.report.outcomes import Confidence, Facts, Outcome, failed, not_applicable, passed, unknown
from chalicelib.rules.guards import variant_with_instances
from chalicelib.rules.registry import Params, Window, rule

TOPIC = "autoscaling-rehearsal"
_CONFIDENCE = (Confidence.LOW, Confidence.MEDIUM, Confidence.HIGH)
_READS: list[Part | Window] = [
    Part.ENDPOINTS,
    Part.CONFIGS,
    Part.TARGETS,
    Part.POLICIES,
    Part.SCHEDULES,
    Part.ALARMS,
    Window(Part.ACTIVITIES, "window_days", hours=24),
    Window(Part.RECOMMENDATIONS, "load_test_days"),
    Part.TAGS,
    Part.MINUTES,
]
Days = Annotated[int, Field(ge=1, le=MOST_DAYS)]
Share = Annotated[float, Field(gt=0, le=1)]


class Rehearsing(Params):
    """What the rules of rehearsals have in common: how far back, and on which terms."""

    window_days: Days = 7
    load_test_days: PositiveInt = LOAD_TEST_DAYS

    @property
    def terms(self) -> Terms:
        return Terms(self.window_days, assumed=self.assumptions)

    @property
    def assumptions(self) -> Assumptions:
        """What is assumed; the rules have numbers of their own in it."""
        return Assumptions(load_test_days=self.load_test_days)


def rehearser(params: Iterable[Any]) -> Rehearser | None:
    """What rehearses for rules with these parameters; None where none of them is a rule of rehearsals."""
    terms = frozenset(own.terms for own in params if isinstance(own, Rehearsing))
    return Rehearser(terms) if terms else None


def rehearsed(variant: Variant, estate: Inventory, terms: Terms) -> Rehearsed | Outcome:
    """The rehearsal of a variant, or why there is none. Raises Unread where something could not be read, or the replay
    does not explain the record. What the policy itself or too short a life leaves unknown is no blind spot of the
    report: no permission and no other try would bring it."""
    if reason := left_out(variant):
        return not_applicable(reason)
    target = estate.target_of(variant)
    if target is None:
        return not_applicable("no scalable target: its number of instances never changes")
    if not estate.policies_of(target):
        return not_applicable("no policy to rehearse; autoscaling-target-without-policy tells it")
    from chalicelib.rehearsal.swept import replayable_in_window  # where nothing scales, nobody waits for the replay

    try:
        replayable_in_window(estate, target, terms.days)
    except Unrehearsable as refusal:
        return unknown(str(refusal))
    estate.gaps.demand(Part.MINUTES, variant.resource_id)
    kept: Rehearsed | Unjudged | None = estate.rehearsals.get(variant.resource_id, {}).get(terms)
    if kept is None:
        raise no_datapoints("its traffic was not rehearsed")
    if isinstance(kept, Unjudged) and kept.idle:
        return not_applicable("no traffic to rehearse; endpoint-idle tells it")
    if isinstance(kept, Unjudged):
        return unknown(f"its traffic cannot be rehearsed: {kept.reason}")
    if kept.doubt:
        raise Unread(f"{target.name} is not judged: {kept.doubt}", "rehearsal", cause=Cause.NOT_TOLD)
    return kept


class Shortfall(Rehearsing):
    max_short_minutes: NonNegativeInt = 15
    warmup_minutes: Annotated[int, Field(ge=0, le=1440)] = 5
    safety_factor: Share = 0.5
    min_explained: Share = 0.6

    @property
    def terms(self) -> Terms:
        assumed = replace(
            self.assumptions,
            warmup=self.warmup_minutes,
            safety_factor=self.safety_factor,
            min_explained=self.min_explained,
        )
        return Terms(self.window_days, self.max_short_minutes, assumed=assumed)


@rule(
    "rehearsal-capacity-shortfall",
    topic=TOPIC,
    kinds=["endpoint-variant"],
    severity=Severity.MEDIUM,
    params=Shortfall,
    reads=_READS,
    spares=SPARED,
    guards=[variant_with_instances],
)
def rehearsal_capacity_shortfall(variant: Variant, estate: Inventory, params: Shortfall) -> Outcome:
    """With the traffic of the last ``window_days`` days, replayed minute by minute through the variant's policies, more
    than ``max_short_minutes`` minutes would have brought more than the instances carry that would have served."""
    answer = rehearsed(variant, estate, params.terms)
    if isinstance(answer, Outcome):
        return answer
    facts = {**answer.evidence, "max_short_minutes": params.max_short_minutes}
    if answer.minutes_short > params.max_short_minutes:
        return failed(**facts, confidence=_CONFIDENCE[answer.grounds])
    return passed(f"{answer.minutes_short} minutes would have been short", **facts)


class Excess(Rehearsing):
    max_excess: PositiveFloat = 2.0
    min_instances: PositiveInt = 2
    min_explained: Share = 0.6

    @property
    def terms(self) -> Terms:
        assumed = replace(
            self.assumptions,
            min_explained=self.min_explained,
            lowest=self.min_instances,
            max_excess=self.max_excess,
        )
        return Terms(self.window_days, assumed=assumed)


@rule(
    "rehearsal-excess-capacity",
    topic=TOPIC,
    kinds=["endpoint-variant"],
    severity=Severity.LOW,
    concern=Concern.COSTS,
    params=Excess,
    reads=_READS,
    spares=SPARED,
    guards=[variant_with_instances],
)
def rehearsal_excess_capacity(variant: Variant, estate: Inventory, params: Excess) -> Outcome:
    """With the traffic of the last ``window_days`` days, replayed minute by minute through the variant's policies, it
    would have used more than ``max_excess`` times the instance-hours that would do with every instance at the target
    and never fewer than ``min_instances`` of them, and would have been short for no more minutes than may be."""
    answer = rehearsed(variant, estate, params.terms)
    if isinstance(answer, Outcome):
        return answer
    ratio = answer.used / answer.needed
    facts = {**answer.evidence, "excess": round(ratio, 2), "max_excess": params.max_excess}
    if answer.minutes_short > params.terms.max_short:
        return passed("it would have been short; rehearsal-capacity-shortfall tells it", **facts)
    if ratio > params.max_excess:
        return failed(**facts, confidence=_CONFIDENCE[answer.grounds])
    return passed(f"{ratio:.1f} times the instance-hours that would do", **facts)


class ZoneLoss(Rehearsing):
    assumed_azs: Annotated[int, Field(ge=2, le=10)] = 2
    max_short_minutes: NonNegativeInt = 15

    @property
    def terms(self) -> Terms:
        return Terms(self.window_days, self.max_short_minutes, self.assumed_azs, self.assumptions)


@rule(
    "endpoint-az-loss-overload",
    topic=TOPIC,
    kinds=["endpoint-variant"],
    severity=Severity.INFO,
    params=ZoneLoss,
    reads=_READS,
    spares=SPARED,
    guards=[variant_with_instances],
)
def endpoint_az_loss_overload(variant: Variant, estate: Inventory, params: ZoneLoss) -> Outcome:
    """With the traffic of the last ``window_days`` days, replayed minute by minute through the variant's policies, more
    than ``max_short_minutes`` minutes would have brought more than the instances carry that the loss of the fullest of
    ``assumed_azs`` Availability Zones leaves of those serving in that minute."""
    answer = rehearsed(variant, estate, params.terms)
    if isinstance(answer, Outcome):
        return answer
    if answer.fewest < 2:
        return not_applicable("the loss of a zone may leave no instance; autoscaling-min-below-two tells it")
    capacity = answer.evidence["capacity_per_instance"]
    facts: Facts = {
        **{name: fact for name, fact in answer.evidence.items() if "propos" not in name},
        "zone_loss_minutes": answer.zone_minutes,
        "peak_invocations_per_minute": answer.peak,
        "safe_minimum": _safe_minimum(answer.peak / capacity, params.assumed_azs),
        "safe_target": round(capacity * _least_left(answer.evidence["policy"]["max"], params.assumed_azs), 2),
        "assumed_azs": params.assumed_azs,
        "max_short_minutes": params.max_short_minutes,
    }
    if answer.zone_minutes > params.max_short_minutes:
        return failed(**facts, confidence=_CONFIDENCE[answer.grounds])
    return passed(f"{answer.zone_minutes} minutes would have been short without a zone", **facts)


def _least_left(most: int, zones: int) -> float:
    """The smallest share of two to ``most`` instances that is left when the fullest of so many zones is lost: with each
    instance at this share of what it carries, those that are left carry the load of all."""
    return min((count - math.ceil(count / zones)) / count for count in range(2, max(most, 2) + 1))


def _safe_minimum(needed: float, zones: int) -> int:
    """How many instances leave as many as are needed when the fullest of so many zones is lost."""
    count = math.ceil(needed) + 1
    while count - math.ceil(count / zones) < needed:
        count += 1
    return count
