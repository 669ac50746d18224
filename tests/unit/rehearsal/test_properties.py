"""What holds of every replay, and what does not, though one would think so."""

from array import array
from itertools import pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from msgspec.structs import replace

from chalicelib.rehearsal.book import timeline
from chalicelib.rehearsal.replay import replay
from chalicelib.rehearsal.settings import (
    Alarm,
    Behaviour,
    Policy,
    Setting,
    StepScaling,
    TargetTracking,
    upward,
)
from tests.examples import examples
from tests.unit.rehearsal.random_cases import STARTS, behaviours, loads, settings_of
from tests.unit.rehearsal.test_worked_cases import case, replayed


def scaled(policy: Policy, factor: int) -> Policy:
    """The policy with so many times its target and thresholds."""

    def louder(alarm: Alarm) -> Alarm:
        return replace(alarm, threshold=alarm.threshold * factor)

    if isinstance(policy, TargetTracking):
        low = policy.low and louder(policy.low)
        return replace(policy, target=policy.target * factor, high=louder(policy.high), low=low)
    steps = tuple(
        replace(
            step,
            lower=None if step.lower is None else step.lower * factor,
            upper=None if step.upper is None else step.upper * factor,
        )
        for step in policy.steps
    )
    return replace(policy, alarm=louder(policy.alarm), steps=steps)


@examples(400)
@given(loads(gaps=True), settings_of(), behaviours(), STARTS, st.sampled_from([2, 4, 8]))
def test_a_larger_unit_changes_nothing(
    load: "array[float]", setting: Setting, behaviour: Behaviour, start: int, factor: int
) -> None:
    larger = replace(setting, policies=tuple(scaled(policy, factor) for policy in setting.policies))
    assert replay(
        [array("d", (value * factor for value in load))],
        larger,
        replace(behaviour, capacity=behaviour.capacity * factor),
        start,
    ) == replay([load], setting, behaviour, start)


@examples(400)
@given(loads(gaps=True), settings_of(), behaviours(), STARTS, st.data())
def test_what_comes_later_changes_nothing_before(
    load: "array[float]", setting: Setting, behaviour: Behaviour, start: int, data: st.DataObject
) -> None:
    minutes = data.draw(st.integers(1, len(load)))
    whole, prefix = (replay([values], setting, behaviour, start) for values in (load, load[:minutes]))
    assert [decision for decision in whole.decisions if decision.minute < minutes] == list(prefix.decisions)
    assert timeline(whole.serving, len(load))[:minutes] == timeline(prefix.serving, minutes)


@examples(400)
@given(loads(gaps=True), settings_of(scheduled=False), behaviours(), STARTS)
def test_the_counts_stay_inside_the_bounds(
    load: "array[float]", setting: Setting, behaviour: Behaviour, start: int
) -> None:
    result = replay([load], setting, behaviour, start)
    for run in (*result.serving, *result.desired):
        assert setting.minimum <= run.instances <= setting.maximum


@examples(400)
@given(loads(gaps=True), settings_of(scheduled=False), behaviours())
def test_a_minimum_that_carries_the_peak_leaves_no_minute_short(
    load: "array[float]", setting: Setting, behaviour: Behaviour
) -> None:
    peak = max((value for value in load if value == value), default=0.0)
    enough = max(1, upward(peak / behaviour.capacity))
    safe = replace(setting, minimum=enough, maximum=max(enough, setting.maximum))
    assert replay([load], safe, behaviour).minutes_short == 0


@examples(300)
@given(loads(gaps=True), settings_of(scheduled=False), behaviours(), st.integers(1, 20), st.integers(0, 5))
def test_more_of_a_fixed_number_is_never_worse(
    load: "array[float]", setting: Setting, behaviour: Behaviour, count: int, more: int
) -> None:
    fewer, rather = (
        replay([load], replace(setting, minimum=fixed, maximum=fixed), behaviour).minutes_short
        for fixed in (count, count + more)
    )
    assert rather <= fewer


@examples(400)
@given(loads(gaps=True), settings_of(scheduled=False), behaviours(), STARTS)
def test_nothing_is_decided_before_an_alarm_has_its_datapoints(
    load: "array[float]", setting: Setting, behaviour: Behaviour, start: int
) -> None:
    soonest = min(
        min(policy.high.datapoints, policy.low.datapoints if policy.low else policy.high.datapoints)
        if isinstance(policy, TargetTracking)
        else policy.alarm.datapoints
        for policy in setting.policies
    )
    decisions = replay([load], setting, behaviour, start).decisions
    assert all(decision.minute >= soonest - 1 for decision in decisions)


@examples(400)
@given(loads(gaps=True), settings_of(scheduled=False), behaviours(), STARTS)
def test_two_scale_outs_are_a_warm_up_apart(
    load: "array[float]", setting: Setting, behaviour: Behaviour, start: int
) -> None:
    outward = [decision.minute for decision in replay([load], setting, behaviour, start).decisions if decision.outward]
    assert all(later - earlier >= behaviour.warmup + 1 for earlier, later in pairwise(outward))


@examples(200)
@given(loads(gaps=True), settings_of(scheduled=False), behaviours(), STARTS)
def test_a_policy_that_never_rings_beside_it_changes_no_scale_out(
    load: "array[float]", setting: Setting, behaviour: Behaviour, start: int
) -> None:
    assume(len(setting.policies) < 3)
    deaf = StepScaling(Alarm(1, 1, 1e12, above=True), ())
    beside = replace(setting, policies=(*setting.policies, deaf))
    assert replay([load], beside, behaviour, start).decisions == replay([load], setting, behaviour, start).decisions


@pytest.mark.parametrize("less, more, worse_by", [("22a", "22b", 2), ("23a", "23b", 3)])
def test_more_caution_may_be_worse_so_that_the_search_cannot_halve_intervals(
    less: str, more: str, worse_by: int
) -> None:
    """A higher minimum (row 22) or a lower target (row 23) shifts the moment at which the alarm rings: bisection over
    either would discard settings that are enough, and an early stop at "already worse" the best one."""
    cautious, bold = replayed(case(more)), replayed(case(less))
    assert cautious.minutes_short - bold.minutes_short == worse_by
