"""Rehearsal: loads of minutes against policies. An instance carries 240 a minute, twice the target of 120; it serves
five minutes after the decision.

A jump at minute t to 1,000 on two instances: t, t+1 and t+2 are above the target, so that at the end of t+2 nine are
wanted (ceil(2 × 500 ÷ 120)), which serve from t+8: minutes t to t+7 are short, eight of them, and no more than the jump
lasts. When it is over, the low alarm takes them back after fifteen minutes.
"""

import math
from collections.abc import Iterable, Sequence
from typing import Any

from chalicelib.inventory.kinds.endpoints import Variant
from chalicelib.inventory.kinds.scaling import ScalingActivity
from chalicelib.inventory.parts import Part
from chalicelib.report.findings import Severity
from chalicelib.report.outcomes import Confidence
from samples.builders import (
    Given,
    a_host_of_components,
    a_load_test,
    a_policy,
    a_quota,
    a_serverless_variant,
    a_target,
    a_traffic,
    a_variant,
    ago,
    an_activity,
    an_alarm,
    following,
)
from samples.cases.case import Case, InDemo, does_not_apply, fails, is_unknown, passes
from samples.cases.instances import IN_TRANSITION, NOT_SERVING

SHORTFALL = "rehearsal-capacity-shortfall"
EXCESS = "rehearsal-excess-capacity"
ZONE_LOSS = "endpoint-az-loss-overload"
DAY = 1440
HUNDREDTH = 7 * DAY // 100
CALM, JUMP, PUSH = 100.0, 1000.0, 300.0
VARIANT = a_variant()


def a_load(jumps: dict[int, int], *, height: float = JUMP, calm: float = CALM, minutes: int = DAY) -> list[float]:
    """A calm load with jumps, each from a minute on for so many minutes."""
    load = [calm] * minutes
    for minute, length in jumps.items():
        load[minute : minute + length] = [height] * length
    return load


def scaled(of: Variant = VARIANT, *, minimum: int = 2, maximum: int = 20, **policy: Any) -> tuple[Given, ...]:
    """A scalable target with one policy, whose alarms are those that AWS makes."""
    return a_target(of, minimum=minimum, maximum=maximum), a_policy(of, **{"alarms": (), **policy})


def loaded(load: list[float], of: Variant = VARIANT, **traffic: Any) -> Given:
    return a_traffic(of, load, **traffic)


#: Eight minutes short, and eight; or one less.
SIXTEEN, FIFTEEN = {200: 20, 400: 20}, {200: 20, 400: 7}
#: Sixteen minutes that two instances carry, and one does not; too few in a row for an alarm. Or one less.
PUSHES = {minute: 2 for minute in range(100, 900, 100)}
FEWER_PUSHES = {**PUSHES, 800: 1}

#: What AWS recorded: a step outward in the third minute of each jump, and one inward when it was over for fifteen.
THREE_JUMPS = {200: 20, 400: 20, 600: 20}


def steps(wrong: int = 0, lowest: int = 2) -> list[ScalingActivity]:
    """Six steps as the policy makes them for three jumps from ``lowest`` instances, and so many that nothing in the
    load explains."""
    made = [(minute + 3, 9) for minute in THREE_JUMPS] + [(minute + 35, lowest) for minute in THREE_JUMPS]
    made += [(800 + 100 * number, lowest + (number + 1) % 2) for number in range(wrong)]
    return [_step(minute, count) for minute, count in made]


def _step(minute: int, count: int) -> ScalingActivity:
    begin = ago(minutes=DAY - minute)
    return an_activity(
        VARIANT,
        started=begin,
        EndTime=ago(minutes=DAY - minute - 5),
        Description=f"Setting desired instance count to {count}.",
        Cause="monitor alarm TargetTracking in state ALARM triggered policy by-load",
    )


def left_alone(rule: str, load: list[float]) -> Iterable[Case]:
    """What no rule of rehearsals judges, and what none can."""
    asynchronous, host, shadow = a_variant(asynchronous=True), a_host_of_components(), a_variant(shadow=True)
    weightless, serverless = a_variant(weight=0), a_serverless_variant()
    for name, variant in {
        "an asynchronous endpoint": asynchronous,
        "a host of inference components": host,
        "a shadow": shadow,
        "a variant without traffic by its weight": weightless,
        "serverless": serverless,
    }.items():
        yield does_not_apply(rule, name, variant, *scaled(variant), loaded(load, variant))
    yield does_not_apply(rule, "no scalable target", VARIANT, loaded(load))
    yield does_not_apply(rule, "no policy", VARIANT, a_target(VARIANT), loaded(load))
    for status in (*IN_TRANSITION, *NOT_SERVING):
        variant = a_variant(status=status)
        yield does_not_apply(rule, f"the endpoint is {status}", variant, *scaled(variant), loaded(load, variant))
    yield is_unknown(rule, "one minute less than a day", VARIANT, *scaled(), loaded(load[1:]))
    unsound = [-1.0] * (HUNDREDTH + 1) + load[HUNDREDTH + 1 :]
    yield is_unknown(rule, "more than a hundredth of the window is unsound", VARIANT, *scaled(), loaded(unsound))
    yield does_not_apply(rule, "no datapoint at all", VARIANT, *scaled(), loaded([]))
    yield is_unknown(
        rule,
        "its minutes could not be read",
        VARIANT,
        *scaled(),
        unread=[(Part.MINUTES, VARIANT.resource_id)],
    )
    yield is_unknown(rule, "minutes that nobody read", VARIANT, *scaled())
    yield is_unknown(rule, "policies could not be read", VARIANT, *scaled(), loaded(load), unread=[Part.POLICIES])
    yield is_unknown(
        rule,
        "a policy on a metric that is not replayed",
        VARIANT,
        *scaled(tracking=following("ModelLatency", EndpointName="churn", VariantName="AllTraffic")),
        loaded(load),
    )
    yield is_unknown(rule, "an alarm of the policy is gone", VARIANT, *scaled(alarms=["by-load-high"]), loaded(load))
    yield is_unknown(
        rule,
        "an alarm that does not act",
        VARIANT,
        *scaled(alarms=["by-load-high"]),
        an_alarm("by-load-high", ActionsEnabled=False),
        loaded(load),
    )


#: A job of the last moment at which it counts, and one that came a minute earlier.
IN_TIME, TOO_EARLY = (a_load_test(completed=ago(days=180, minutes=more)) for more in (0, 1))
MEASURED = "a job measured the model in time: what instances seem to have carried does not count"
UNMEASURED = "a job measured the model too long ago: what instances have carried counts"


def tested(
    rule: str,
    severity: Severity,
    load: list[float],
    of: Variant = VARIANT,
    minimum: int = 2,
    in_demo: Sequence[InDemo] = (),
) -> Iterable[Case]:
    """What tells that the target rests on a load test, which makes what fails surer; and what is no such word."""
    facts = [*scaled(of, minimum=minimum), loaded(load, of)]
    yield fails(
        rule,
        "a job measured the model",
        of,
        *facts,
        a_load_test(),
        severity=severity,
        confidence=Confidence.MEDIUM,
        evidence={
            "capacity_basis": "240 a minute by instance, load-tested: the target of 120 ÷ 0.5, and the Inference "
            "Recommender job churn-load measured the model"
        },
    )
    yield fails(
        rule,
        "a job older than the policy takes",
        of,
        *facts,
        IN_TIME,
        params={"load_test_days": 179},
        severity=severity,
        confidence=Confidence.LOW,
        boundary="load_test_days",
    )
    yield fails(
        rule,
        "another model was measured",
        of,
        *facts,
        a_load_test(model="another"),
        severity=severity,
        confidence=Confidence.LOW,
    )
    tagged = a_tagged(of, "load-tested", "2026-09-01")
    yield fails(
        rule,
        "the endpoint is tagged as load-tested",
        tagged,
        *facts,
        severity=severity,
        confidence=Confidence.MEDIUM,
        evidence={
            "capacity_basis": "240 a minute by instance, load-tested: the target of 120 ÷ 0.5, and the endpoint is "
            "tagged load-tested"
        },
        in_demo=in_demo,
    )
    for written in ("many", "0", "-1", "nan", "inf", ""):
        untold = a_tagged(of, "invocations-per-instance", written)
        yield is_unknown(rule, f"a tag that says {written!r} of what an instance carries", untold, *facts)


def a_tagged(of: Variant, key: str, value: str) -> Variant:
    """The variant of an endpoint with this tag."""
    return of.model_copy(update={"tags": {key: value}})


CAPACITY_SHORTFALL: list[Case] = [
    fails(
        SHORTFALL,
        "no more than a hundredth of the window is unsound: these minutes are gaps",
        VARIANT,
        *scaled(),
        loaded([-1.0] * HUNDREDTH + a_load(SIXTEEN)[HUNDREDTH:]),
        severity=Severity.MEDIUM,
        confidence=Confidence.LOW,
        evidence={"gap_minutes": HUNDREDTH, "covered_minutes": DAY},
    ),
    passes(
        SHORTFALL,
        "nothing but zeros",
        VARIANT,
        *scaled(),
        loaded([0.0] * DAY),
        evidence={"minutes_short": 0, "gap_minutes": 0},
    ),
    fails(
        SHORTFALL,
        "younger than the window: judged from its first datapoint",
        VARIANT,
        *scaled(),
        loaded([math.nan] * 300 + a_load(SIXTEEN)),
        severity=Severity.MEDIUM,
        confidence=Confidence.LOW,
        evidence={"covered_minutes": DAY, "gap_minutes": 0},
    ),
    fails(
        SHORTFALL,
        "one minute more than may be",
        VARIANT,
        *scaled(),
        loaded(a_load(SIXTEEN)),
        severity=Severity.MEDIUM,
        confidence=Confidence.LOW,
        evidence={
            "window_days": 7,
            "covered_minutes": DAY,
            "gap_minutes": 0,
            "minutes_short": 16,
            "longest_short_minutes": 8,
            "worst_minute": {"at": ago(minutes=DAY - 200).isoformat(), "load": 1000.0, "capacity": 480.0},
            "mean_shortfall_percent": 52.0,
            "capacity_per_instance": 240.0,
            "warmup_minutes": 5,
            "explained_steps": 0,
            "recorded_steps": 0,
            "policy": {
                "min": 2,
                "max": 20,
                "target": 120.0,
                "scale_out_cooldown": 300,
                "scale_in_cooldown": 300,
                "scale_in_disabled": False,
            },
            "max_short_minutes": 15,
        },
        boundary="max_short_minutes",
    ),
    passes(
        SHORTFALL,
        "as many minutes as may be",
        VARIANT,
        *scaled(),
        loaded(a_load(FIFTEEN)),
        evidence={"minutes_short": 15},
        boundary="max_short_minutes",
    ),
    passes(
        SHORTFALL,
        "more minutes may be by the policy",
        VARIANT,
        *scaled(),
        loaded(a_load(SIXTEEN)),
        params={"max_short_minutes": 16},
        boundary="max_short_minutes",
    ),
    passes(
        SHORTFALL,
        "instances that serve a minute earlier",
        VARIANT,
        *scaled(),
        loaded(a_load(SIXTEEN)),
        params={"warmup_minutes": 4},
        evidence={"minutes_short": 14, "warmup_minutes": 4},
        boundary="warmup_minutes",
    ),
    fails(
        SHORTFALL,
        "instances that serve when they are expected",
        VARIANT,
        *scaled(),
        loaded(a_load(SIXTEEN)),
        severity=Severity.MEDIUM,
        confidence=Confidence.LOW,
        evidence={"warmup_minutes": 5},
        boundary="warmup_minutes",
    ),
    passes(
        SHORTFALL,
        "a target that leaves more to each instance: two carry the jump",
        VARIANT,
        *scaled(),
        loaded(a_load(SIXTEEN)),
        params={"safety_factor": 0.24},
        evidence={"capacity_per_instance": 500.0, "minutes_short": 0},
        boundary="safety_factor",
    ),
    fails(
        SHORTFALL,
        "a little less to each instance",
        VARIANT,
        *scaled(),
        loaded(a_load(SIXTEEN)),
        params={"safety_factor": 0.25},
        severity=Severity.MEDIUM,
        confidence=Confidence.LOW,
        evidence={"capacity_per_instance": 480.0, "minutes_short": 16},
        boundary="safety_factor",
    ),
    fails(
        SHORTFALL,
        "jumps of the day before yesterday",
        VARIANT,
        *scaled(),
        loaded(a_load(SIXTEEN, minutes=2 * DAY)),
        severity=Severity.MEDIUM,
        confidence=Confidence.LOW,
        evidence={"covered_minutes": 2 * DAY},
        boundary="window_days",
    ),
    passes(
        SHORTFALL,
        "jumps before the window",
        VARIANT,
        *scaled(),
        loaded(a_load(SIXTEEN, minutes=2 * DAY)),
        params={"window_days": 1},
        evidence={"covered_minutes": DAY, "minutes_short": 0, "window_days": 1},
        boundary="window_days",
    ),
    fails(
        SHORTFALL,
        "the whole record is explained",
        VARIANT,
        *scaled(),
        *steps(),
        loaded(a_load(THREE_JUMPS)),
        severity=Severity.MEDIUM,
        confidence=Confidence.MEDIUM,
        evidence={"explained_steps": 6, "recorded_steps": 6, "minutes_short": 24},
    ),
    fails(
        SHORTFALL,
        "six of ten steps are explained",
        VARIANT,
        *scaled(),
        *steps(wrong=4),
        loaded(a_load(THREE_JUMPS)),
        severity=Severity.MEDIUM,
        confidence=Confidence.LOW,
        evidence={"explained_steps": 6, "recorded_steps": 10},
        boundary="min_explained",
    ),
    is_unknown(
        SHORTFALL,
        "six of eleven steps are explained",
        VARIANT,
        *scaled(),
        *steps(wrong=5),
        loaded(a_load(THREE_JUMPS)),
        boundary="min_explained",
    ),
    fails(
        SHORTFALL,
        "six of eleven steps are enough for the policy",
        VARIANT,
        *scaled(),
        *steps(wrong=5),
        loaded(a_load(THREE_JUMPS)),
        params={"min_explained": 0.5},
        severity=Severity.MEDIUM,
        confidence=Confidence.LOW,
        evidence={"explained_steps": 6, "recorded_steps": 11},
        boundary="min_explained",
    ),
    *tested(
        SHORTFALL,
        Severity.MEDIUM,
        a_load(SIXTEEN),
        in_demo=[InDemo("endpoint-variant checkout-risk/AllTraffic", remark="Too slow for its mornings.")],
    ),
    fails(
        SHORTFALL,
        MEASURED,
        VARIANT,
        *scaled(),
        loaded(a_load(SIXTEEN), counts=[2] * DAY),
        IN_TIME,
        severity=Severity.MEDIUM,
        confidence=Confidence.MEDIUM,
        boundary="load_test_days",
    ),
    passes(
        SHORTFALL,
        UNMEASURED,
        VARIANT,
        *scaled(),
        loaded(a_load(SIXTEEN), counts=[2] * DAY),
        TOO_EARLY,
        evidence={"capacity_per_instance": 500.0},
        boundary="load_test_days",
    ),
    passes(
        SHORTFALL,
        "a tag says that two instances carry the jump",
        a_tagged(VARIANT, "invocations-per-instance", "500"),
        *scaled(),
        loaded(a_load(SIXTEEN)),
        evidence={
            "capacity_per_instance": 500.0,
            "capacity_basis": "500 a minute by instance, as the tag invocations-per-instance says",
        },
    ),
    fails(
        SHORTFALL,
        "the quota of the account is less than the jump takes",
        VARIANT,
        *scaled(),
        loaded(a_load(SIXTEEN)),
        a_quota("ml.m5.large", 4),
        severity=Severity.MEDIUM,
        confidence=Confidence.LOW,
        evidence={
            "proposal": None,
            "no_proposal": "peak of 1,000 a minute needs 5 instances of 240, and 4 are allowed",
        },
    ),
    fails(
        SHORTFALL,
        "the quota of the account is what the jump takes",
        VARIANT,
        *scaled(),
        loaded(a_load(SIXTEEN)),
        a_quota("ml.m5.large", 5),
        severity=Severity.MEDIUM,
        confidence=Confidence.LOW,
        evidence={"no_proposal": None},
    ),
    *left_alone(SHORTFALL, a_load(SIXTEEN)),
    is_unknown(SHORTFALL, "of what is not known", VARIANT, *scaled(target_value=0), loaded(a_load(SIXTEEN))),
]

SIX, FOUR, THREE = a_variant(count=6), a_variant(count=4), a_variant(count=3)

EXCESS_CAPACITY: list[Case] = [
    fails(
        EXCESS,
        "three times what would do",
        SIX,
        *scaled(SIX, minimum=6),
        loaded(a_load({}), SIX),
        severity=Severity.LOW,
        confidence=Confidence.LOW,
        evidence={
            "instance_hours": 144.0,
            "needed_instance_hours": 48.0,
            "excess": 3.0,
            "max_excess": 2.0,
            "minutes_short": 0,
        },
        boundary="max_excess",
    ),
    passes(
        EXCESS,
        "twice what would do",
        FOUR,
        *scaled(FOUR, minimum=4),
        loaded(a_load({}), FOUR),
        evidence={"excess": 2.0},
        boundary="max_excess",
    ),
    passes(
        EXCESS,
        "more may be by the policy",
        SIX,
        *scaled(SIX, minimum=6),
        loaded(a_load({}), SIX),
        params={"max_excess": 3.0},
        boundary="max_excess",
    ),
    passes(
        EXCESS,
        "three instances are wanted at least",
        SIX,
        *scaled(SIX, minimum=6),
        loaded(a_load({}), SIX),
        params={"min_instances": 3},
        evidence={"needed_instance_hours": 72.0, "excess": 2.0},
        boundary="min_instances",
    ),
    fails(
        EXCESS,
        "two instances are wanted at least",
        SIX,
        *scaled(SIX, minimum=6),
        loaded(a_load({}, calm=0.0), SIX),
        severity=Severity.LOW,
        confidence=Confidence.LOW,
        evidence={"needed_instance_hours": 48.0},
        boundary="min_instances",
    ),
    passes(
        EXCESS,
        "a day on which all were needed, and one without",
        SIX,
        *scaled(SIX, minimum=6),
        loaded([700.0] * DAY + a_load({}), SIX),
        evidence={"excess": 1.5},
        boundary="window_days",
    ),
    fails(
        EXCESS,
        "the day on which all were needed lies before the window",
        SIX,
        *scaled(SIX, minimum=6),
        loaded([700.0] * DAY + a_load({}), SIX),
        params={"window_days": 1},
        severity=Severity.LOW,
        confidence=Confidence.LOW,
        evidence={"excess": 3.0},
        boundary="window_days",
    ),
    passes(
        EXCESS,
        "short, which another rule tells, and then too many, as nothing scales in",
        VARIANT,
        *scaled(tracking={"DisableScaleIn": True}),
        loaded([*a_load({200: 20}, minutes=300), *a_load({0: 20}, height=4000.0, minutes=DAY - 300)]),
        evidence={"minutes_short": 16},
    ),
    fails(
        EXCESS,
        "six of ten steps are explained",
        SIX,
        *scaled(SIX, minimum=6),
        *steps(wrong=4, lowest=6),
        loaded(a_load(THREE_JUMPS), SIX),
        severity=Severity.LOW,
        confidence=Confidence.LOW,
        evidence={"explained_steps": 6, "recorded_steps": 10},
        boundary="min_explained",
    ),
    is_unknown(
        EXCESS,
        "six of eleven steps are explained",
        SIX,
        *scaled(SIX, minimum=6),
        *steps(wrong=5, lowest=6),
        loaded(a_load(THREE_JUMPS), SIX),
        boundary="min_explained",
    ),
    fails(
        EXCESS,
        "six of eleven steps are enough for the policy",
        SIX,
        *scaled(SIX, minimum=6),
        *steps(wrong=5, lowest=6),
        loaded(a_load(THREE_JUMPS), SIX),
        params={"min_explained": 0.5},
        severity=Severity.LOW,
        confidence=Confidence.LOW,
    ),
    fails(
        EXCESS,
        "the whole record is explained",
        SIX,
        *scaled(SIX, minimum=6),
        *steps(lowest=6),
        loaded(a_load(THREE_JUMPS), SIX),
        severity=Severity.LOW,
        confidence=Confidence.MEDIUM,
    ),
    *tested(
        EXCESS,
        Severity.LOW,
        a_load({}),
        SIX,
        minimum=6,
        in_demo=[
            InDemo(
                "endpoint-variant campaign-targeting/AllTraffic", remark="Its campaign is over; its minimum is not."
            ),
            InDemo("endpoint-variant coupon-targeting/AllTraffic", remark="Nothing scales in what was added once."),
        ],
    ),
    passes(
        EXCESS,
        f"short, as {MEASURED}",
        SIX,
        *scaled(SIX, minimum=6),
        loaded(a_load(SIXTEEN, height=2000.0), SIX, counts=[4] * DAY),
        IN_TIME,
        boundary="load_test_days",
    ),
    fails(
        EXCESS,
        UNMEASURED,
        SIX,
        *scaled(SIX, minimum=6),
        loaded(a_load(SIXTEEN, height=2000.0), SIX, counts=[4] * DAY),
        TOO_EARLY,
        severity=Severity.LOW,
        confidence=Confidence.MEDIUM,
        evidence={"capacity_per_instance": 500.0, "minutes_short": 0},
        boundary="load_test_days",
    ),
    *left_alone(EXCESS, a_load({})),
]

ZONE_LOSS_OVERLOAD: list[Case] = [
    fails(
        ZONE_LOSS,
        "one minute more than may be",
        VARIANT,
        *scaled(),
        loaded(a_load(PUSHES, height=PUSH)),
        severity=Severity.INFO,
        confidence=Confidence.LOW,
        evidence={
            "zone_loss_minutes": 16,
            "assumed_azs": 2,
            "minutes_short": 0,
            "safe_minimum": 4,
            "safe_target": 80.0,
        },
        in_demo=[InDemo("endpoint-variant ad-click-rate/AllTraffic")],
        boundary="max_short_minutes",
    ),
    passes(
        ZONE_LOSS,
        "as many minutes as may be",
        VARIANT,
        *scaled(),
        loaded(a_load(FEWER_PUSHES, height=PUSH)),
        evidence={"zone_loss_minutes": 15},
        boundary="max_short_minutes",
    ),
    passes(
        ZONE_LOSS,
        "more minutes may be by the policy",
        VARIANT,
        *scaled(),
        loaded(a_load(PUSHES, height=PUSH)),
        params={"max_short_minutes": 16},
        boundary="max_short_minutes",
    ),
    fails(
        ZONE_LOSS,
        "three instances in two zones may lose two",
        THREE,
        *scaled(THREE, minimum=3),
        loaded(a_load(PUSHES, height=PUSH), THREE),
        severity=Severity.INFO,
        confidence=Confidence.LOW,
        boundary="assumed_azs",
    ),
    passes(
        ZONE_LOSS,
        "three instances in three zones may lose one",
        THREE,
        *scaled(THREE, minimum=3),
        loaded(a_load(PUSHES, height=PUSH), THREE),
        params={"assumed_azs": 3},
        evidence={"zone_loss_minutes": 0},
        boundary="assumed_azs",
    ),
    fails(
        ZONE_LOSS,
        "on the day before yesterday",
        VARIANT,
        *scaled(),
        loaded(a_load(PUSHES, height=PUSH, minutes=2 * DAY)),
        severity=Severity.INFO,
        confidence=Confidence.LOW,
        boundary="window_days",
    ),
    passes(
        ZONE_LOSS,
        "before the window",
        VARIANT,
        *scaled(),
        loaded(a_load(PUSHES, height=PUSH, minutes=2 * DAY)),
        params={"window_days": 1},
        boundary="window_days",
    ),
    does_not_apply(
        ZONE_LOSS,
        "one instance by night, which another rule tells",
        VARIANT,
        *scaled(minimum=1),
        loaded(a_load(PUSHES, height=PUSH)),
    ),
    *tested(
        ZONE_LOSS,
        Severity.INFO,
        a_load(PUSHES, height=PUSH),
        in_demo=[InDemo("endpoint-variant checkout-risk/AllTraffic")],
    ),
    fails(
        ZONE_LOSS,
        MEASURED,
        VARIANT,
        *scaled(),
        loaded(a_load(PUSHES, height=PUSH), counts=[1] * DAY),
        IN_TIME,
        severity=Severity.INFO,
        confidence=Confidence.MEDIUM,
        boundary="load_test_days",
    ),
    passes(
        ZONE_LOSS,
        UNMEASURED,
        VARIANT,
        *scaled(),
        loaded(a_load(PUSHES, height=PUSH), counts=[1] * DAY),
        TOO_EARLY,
        evidence={"capacity_per_instance": 300.0},
        boundary="load_test_days",
    ),
    *left_alone(ZONE_LOSS, a_load(PUSHES, height=PUSH)),
]

CASES: list[Case] = [*CAPACITY_SHORTFALL, *EXCESS_CAPACITY, *ZONE_LOSS_OVERLOAD]
