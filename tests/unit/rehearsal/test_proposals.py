"""The cheapest setting that would have been enough."""

from array import array
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from chalicelib.rehearsal.proposals import (
    MOST_SETTINGS,
    Limits,
    NoProposal,
    Proposal,
    candidates,
    cheapest,
    retargeted,
)
from chalicelib.rehearsal.replay import replay, replay_any
from chalicelib.rehearsal.settings import (
    Alarm,
    Behaviour,
    Policy,
    Setting,
    Step,
    StepScaling,
    TargetTracking,
    tracking,
)
from tests.examples import examples
from tests.unit.rehearsal.loads import load
from tests.unit.rehearsal.random_cases import behaviours, loads, settings_of

TWO_HUNDRED = Behaviour(capacity=200)
NONE_SHORT = Limits(max_short=0)
PRESENT = Setting(1, 10, (tracking(100),))


def proposal_of(
    values: "array[float]", present: Setting, limits: Limits = NONE_SHORT, start: int | None = None
) -> Proposal:
    """The proposal, which must be there; downward where it starts with so many instances."""
    proposal = cheapest([values], present, TWO_HUNDRED, limits, start, downward=start is not None)
    assert isinstance(proposal, Proposal), proposal
    return proposal


def target(setting: Setting) -> float:
    """The target of its first policy."""
    policy = setting.policies[0]
    assert isinstance(policy, TargetTracking)
    return policy.target


def test_a_lower_target_may_be_cheaper_than_a_higher_minimum() -> None:
    proposal = proposal_of(load("100×10 350×30"), PRESENT)
    # Target 90: 0, 1 and 2 ring at 100, and two serve from 8 on: ceil(3.9) = 4 … Minimum 2 costs 124, target 50 182.
    assert (proposal.changed, target(proposal.setting), proposal.instance_minutes) == (("target",), 90, 116)
    assert proposal.minutes_short == 0


def test_a_steep_step_takes_a_higher_minimum() -> None:
    proposal = proposal_of(load("100×10 700×30"), PRESENT)
    assert (proposal.changed, proposal.setting.minimum, proposal.instance_minutes) == (("minimum",), 4, 226)


def test_a_maximum_below_what_the_peak_takes_is_raised() -> None:
    present = Setting(1, 4, (tracking(100),))
    proposal = proposal_of(load("100×10 1000×30"), present, Limits(0, margin=1.0))
    assert proposal.changed == ("minimum", "maximum")
    # 5 × 18 until ten serve, then 10 × 22.
    assert (proposal.setting.minimum, proposal.setting.maximum, proposal.instance_minutes) == (5, 10, 310)
    # Five carry 1000, and not a tenth more; six do: 6 × 18 + 10 × 22.
    proposal = proposal_of(load("100×10 1000×30"), present)
    assert (proposal.setting.minimum, proposal.setting.maximum, proposal.instance_minutes) == (6, 10, 328)


def test_a_wasteful_minimum_is_lowered_to_two() -> None:
    proposal = proposal_of(load("150×600"), Setting(6, 10, (tracking(100),)), start=2)
    assert (proposal.changed, proposal.setting.minimum, proposal.instance_minutes) == (("minimum",), 2, 1200)


def test_minutes_that_may_be_short_save_instances() -> None:
    assert proposal_of(load("100×10 700×30"), PRESENT, Limits(max_short=8)).instance_minutes == 172
    assert proposal_of(load("100×10 700×30"), PRESENT, Limits(max_short=8)).changed == ()


def test_what_is_tuned_to_last_weeks_numbers_does_not_win() -> None:
    # One instance carries 195, and not a tenth more, 214.5.
    tuned = Setting(1, 10, (tracking(195),))
    values = load("195×60")
    assert replay([values], tuned, TWO_HUNDRED).minutes_short == 0
    assert proposal_of(values, tuned, Limits(0, margin=1.0)).changed == ()
    assert proposal_of(values, tuned).changed == ("minimum",)


def test_a_peak_beyond_what_the_account_allows_has_no_proposal() -> None:
    values = load("100×10 41000×5")
    proposal = cheapest([values], PRESENT, TWO_HUNDRED, Limits(0, highest=200))
    assert proposal == NoProposal("peak of 41,000 a minute needs 205 instances of 200, and 200 are allowed")


def test_no_target_above_the_present_one_without_a_load_test() -> None:
    values = load("950×600")
    present = Setting(2, 20, (tracking(100),))
    assert target(proposal_of(values, present, start=10).setting) <= 100
    proposal = proposal_of(values, present, Limits(0, tested=True), start=10)
    assert target(proposal.setting) == pytest.approx(120)


def test_the_same_half_hour_of_several_days_gets_a_schedule() -> None:
    day = load("100×540 1500×120 100×780")
    values = array("d", [*day, *day, *day, *day])
    # An alarm that rings after an hour: no minimum below nine is enough, and a schedule takes it for a few hours alone.
    late = replace(tracking(100), high=Alarm(60, 60, 100, above=True))
    present = Setting(1, 10, (late,))
    proposal = proposal_of(values, present)
    assert proposal.changed == ("schedule",)
    first, second = proposal.setting.scheduled[:2]
    assert (first.minute, first.minimum) == (480, 9), "an hour before the half hour of 09:00, for 1,650 ÷ 200"
    assert (second.minute, second.minimum) == (570, 1)
    assert replay([values], proposal.setting, TWO_HUNDRED).minutes_short == 0


def test_none_of_the_settings_may_be_enough() -> None:
    # Four instances carry 780, and the account has no fifth for a tenth more.
    present = Setting(1, 4, (tracking(100),))
    proposal = cheapest([load("780×60")], present, TWO_HUNDRED, Limits(0, highest=4))
    assert isinstance(proposal, NoProposal)
    assert proposal.reason == "none of the 48 settings tried leaves at most 0 minutes short"


def test_bounds_of_a_step_policy_are_proposed_too() -> None:
    present = Setting(1, 8, (StepScaling(Alarm(1, 1, 100, above=True), (Step(0, None, 1),)),))
    proposal = proposal_of(load("100×10 700×30"), present)
    assert (proposal.changed, proposal.setting.minimum) == (("minimum",), 4)


def exhaustive(values: "array[float]", present: Setting, behaviour: Behaviour, limits: Limits) -> int | None:
    """The instance-minutes of the cheapest setting of the whole grid, by the loop for all settings."""
    more = array("d", (value * limits.margin for value in values))
    best = None
    for candidate in candidates([values], present, behaviour, limits):
        result, harder = (replay_any([series], candidate.setting, behaviour) for series in (values, more))
        if max(result.minutes_short, harder.minutes_short) <= limits.max_short:
            best = min(best or result.instance_minutes, result.instance_minutes)
    return best


@examples(60)
@given(loads(most=6), settings_of(plain=True), behaviours(gapless=True), st.integers(0, 30))
def test_the_search_finds_what_trying_everything_finds(
    values: "array[float]", present: Setting, behaviour: Behaviour, max_short: int
) -> None:
    limits = Limits(max_short)
    proposal = cheapest([values], present, behaviour, limits)
    best = exhaustive(values, present, behaviour, limits)
    if isinstance(proposal, NoProposal):
        assert best is None
        return
    assert proposal.instance_minutes == best
    again = replay([values], proposal.setting, behaviour)
    assert (again.minutes_short, again.instance_minutes) == (proposal.minutes_short, proposal.instance_minutes)
    assert proposal.setting.minimum >= present.minimum and proposal.setting.maximum >= present.maximum


def test_the_grid_has_an_end() -> None:
    present = Setting(1, 10, (tracking(100),))
    values = load("100×10 19000×30")
    settings = [candidate.setting for candidate in candidates([values], present, TWO_HUNDRED, NONE_SHORT)]
    assert len(settings) == len(set(settings)) <= MOST_SETTINGS
    assert {setting.minimum for setting in settings} == {*range(1, 10), 95, 100}


def test_a_changed_target_takes_its_alarms_along() -> None:
    policy = retargeted(tracking(100), 0.5, 60)
    assert isinstance(policy, TargetTracking) and policy.low is not None
    assert (policy.target, policy.high.threshold, policy.low.threshold, policy.out_cooldown) == (50, 50, 45, 60)
    assert [retargeted(tracking(100), share, None) for share, _ in product([1.0], [1])] == [tracking(100)]


@pytest.mark.parametrize(("policies", "most"), [((tracking(100),), 115), ((tracking(100), tracking(5)), 41)])
def test_a_long_load_is_tried_with_fewer_settings_evenly_chosen(policies: tuple[Policy, ...], most: int) -> None:
    present = Setting(20, 40, policies)
    year = array("d", [100.0]) * 525_600
    tried = [candidate.setting for candidate in candidates([year], present, TWO_HUNDRED, NONE_SHORT, downward=True)]
    assert 20 <= len(tried) <= most
    assert {setting.minimum for setting in tried} >= {2, 20}


def test_a_replay_for_the_search_ends_when_it_is_short_for_too_long() -> None:
    result = replay_any([load("100×10 900×500")], Setting(1, 4, (tracking(100),)), TWO_HUNDRED, None, 5)
    assert (result.minutes, result.minutes_short) == (16, 6)
