"""The rehearsals of an audit: each variant under the terms of the rules, kept as the few facts that they judge by."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from chalicelib.errors import InvalidInput
from chalicelib.inventory.estate import Inventory
from chalicelib.inventory.facts import Unread
from chalicelib.inventory.kinds.endpoints import Variant
from chalicelib.inventory.kinds.scaling import ScalableTarget
from chalicelib.inventory.parts import Part
from chalicelib.inventory.traffic import FAILURES, INVOCATIONS, SHARES, MinuteMetric, Minutes
from chalicelib.rehearsal.chart import stored_chart
from chalicelib.rehearsal.fix import fix
from chalicelib.rehearsal.policies import Replayable
from chalicelib.rehearsal.proposals import NoProposal, Proposal, tracked
from chalicelib.rehearsal.questions import Known, Wishes, question
from chalicelib.rehearsal.record import recorded_steps
from chalicelib.rehearsal.rehearsal import Rehearsal, rehearse
from chalicelib.rehearsal.series import NoTraffic, UnsoundSeries
from chalicelib.rehearsal.settings import Setting
from chalicelib.rehearsal.terms import Rehearsed, Terms, Unjudged, Unrehearsable
from chalicelib.rehearsal.variants import followed, known_of, replayable_of, spared
from chalicelib.rehearsal.words import changes

#: A share of explained steps from which a rehearsal is trusted most.
WELL_EXPLAINED = 0.8


def replayable_in_window(estate: Inventory, target: ScalableTarget, days: int) -> Replayable:
    """What would be replayed of the last days. Raises Unrehearsable, and Unread."""
    begin = estate.now - timedelta(days=days)
    answer = replayable_of(estate, spared(estate, target), target, begin, days * 1440)
    if tracked(answer.setting) is None:
        raise Unrehearsable(
            f"{target.name} cannot be rehearsed: no policy tracks requests by instance, so that nothing tells "
            "what an instance carries"
        )
    return answer


def metrics_of(estate: Inventory, target: ScalableTarget, days: int) -> Sequence[MinuteMetric]:
    """The metrics that a rehearsal of the last days takes; none where it cannot be. Raises Unread."""
    try:
        metrics = followed(replayable_in_window(estate, target, days))
    except Unrehearsable:
        return ()
    begin = estate.now - timedelta(days=days)
    known = () if Part.ACTIVITIES in spared(estate, target) else recorded_steps(estate.activities_of(target))
    changed = any(step.started >= begin for step in known)
    return [INVOCATIONS, *([FAILURES, SHARES] if changed or metrics else []), *metrics]


def rehearsed_of(
    variant: Variant, estate: Inventory, minutes: Mapping[MinuteMetric, Minutes], terms: Terms
) -> Rehearsed | Unjudged:
    """What the minutes of a variant come to under these terms."""
    end = estate.now.replace(second=0, microsecond=0)
    begin, days = end - timedelta(days=terms.days), terms.assumed.load_test_days
    wishes = Wishes(max_short=terms.max_short, zones=terms.zones)
    try:
        target = estate.target_of(variant)
        assert target is not None, "who has no target is not asked about"
        load, known = known_of(estate, spared(estate, target), target, variant, minutes, begin, end, days)
        where = f"Invocations of the last {terms.days} days, by minute"
        answer = rehearse(question(target.name, load, where, wishes, known, terms.assumed))
    except NoTraffic as problem:
        return Unjudged(str(problem), idle=True)
    except (InvalidInput, UnsoundSeries, Unrehearsable, Unread) as problem:
        return Unjudged(str(problem))
    tested = known.stated is not None or bool(known.load_test)
    measured = tested or (known.proven is not None and answer.question.behaviour.capacity == known.proven)
    share = known.explained.share if known.explained else None
    return Rehearsed(
        evidence=_evidence(answer, known, terms),
        minutes_short=answer.figures.minutes_short,
        zone_minutes=answer.zone_minutes or 0,
        used=answer.figures.instance_hours,
        needed=answer.figures.needed_instance_hours or 0.0,
        peak=load.peak,
        fewest=min(run.instances for run in answer.replay.serving),
        grounds=measured + (share is not None and share >= WELL_EXPLAINED),
        chart=stored_chart(answer),
        doubt=answer.question.doubt,
    )


def _evidence(answer: Rehearsal, known: Known, terms: Terms) -> dict[str, Any]:
    numbers, asked = answer.figures, answer.question
    worst = numbers.worst
    at = asked.load.at(worst.minute) if worst else None
    return {
        "window_days": terms.days,
        "covered_minutes": numbers.minutes,
        "gap_minutes": numbers.gap_minutes,
        "minutes_short": numbers.minutes_short,
        "longest_short_minutes": numbers.longest_short_minutes,
        "worst_minute": worst and {"at": at and at.isoformat(), "load": worst.load, "capacity": worst.capacity},
        "mean_shortfall_percent": round(numbers.mean_shortfall_percent, 1),
        "instance_hours": round(numbers.instance_hours, 2),
        "needed_instance_hours": numbers.needed_instance_hours and round(numbers.needed_instance_hours, 2),
        "fixed_at_peak_hours": round(numbers.fixed_at_peak_hours, 2),
        "changes_per_day": round(numbers.changes_per_day, 2),
        "reversals": numbers.reversals,
        "capacity_per_instance": round(asked.behaviour.capacity, 2),
        "capacity_basis": asked.basis.capacity,
        "warmup_minutes": asked.behaviour.warmup,
        "warmup_basis": asked.basis.warmup,
        "explained_steps": known.explained.explained if known.explained else None,
        "recorded_steps": known.explained.recorded if known.explained else None,
        "policy": _setting(asked.setting),
        **_proposal(answer),
    }


def _setting(setting: Setting) -> dict[str, Any]:
    """The setting as evidence holds it; without a single target tracking policy only the bounds are told."""
    policy = tracked(setting)
    return {
        "min": setting.minimum,
        "max": setting.maximum,
        "target": policy.target if policy else None,
        "scale_out_cooldown": policy.out_cooldown if policy else None,
        "scale_in_cooldown": policy.in_cooldown if policy else None,
        "scale_in_disabled": policy.low is None if policy else None,
    }


def _proposal(answer: Rehearsal) -> dict[str, Any]:
    """The proposal with the way to it, or why there is none."""
    proposal, mended = answer.proposal, fix(answer)
    if not isinstance(proposal, Proposal) or mended is None:
        reason = proposal.reason if isinstance(proposal, NoProposal) else None
        return {"proposal": None, "no_proposal": reason}
    return {
        "proposal": {
            **_setting(proposal.setting),
            "minutes_short": proposal.minutes_short,
            "instance_hours": round(proposal.instance_minutes / 60, 2),
            "changes": changes(answer.question.setting, proposal),
        },
        "no_proposal": None,
        "proposed_commands": list(mended.commands),
        "proposed_cloudformation": mended.cloudformation,
        "proposed_terraform": mended.terraform,
    }
