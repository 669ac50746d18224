"""The loop for all settings and the fast one for the usual setting decide the same."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.rehearsal.replay import replay, replay_any
from chalicelib.rehearsal.scan import scan, scannable
from chalicelib.rehearsal.settings import Behaviour, Scheduled, Setting, tracking
from tests.examples import examples
from tests.unit.rehearsal.random_cases import STARTS, behaviours, loads, settings_of


@pytest.mark.slow
@examples(2_000)
@given(loads(gaps=True), settings_of(plain=True), behaviours(gapless=True), STARTS)
def test_both_loops_count_the_same(load: list[float], setting: Setting, behaviour: Behaviour, start: int) -> None:
    assert scannable(setting, behaviour)
    result = replay_any([load], setting, behaviour, start)
    totals = scan(load, setting, behaviour, start)
    assert replay([load], setting, behaviour, start) == result
    assert (totals.minutes_short, totals.instance_minutes) == (result.minutes_short, result.instance_minutes)
    if not totals.capped:
        higher = Setting(setting.minimum, setting.maximum + 5, setting.policies)
        assert (start is not None and start > setting.maximum) or scan(load, higher, behaviour, start) == totals


@examples(1_000)
@given(loads(), settings_of(plain=True), behaviours(gapless=True), STARTS, st.integers(0, 60), st.floats(0.2, 1.5))
def test_an_early_end_only_leaves_out_what_passes_a_limit(
    load: list[float], setting: Setting, behaviour: Behaviour, start: int, max_short: int, share: float
) -> None:
    totals = scan(load, setting, behaviour, start)
    max_used = math.floor(totals.instance_minutes * share)
    within = totals.minutes_short <= max_short and totals.instance_minutes <= max_used
    limited = scan(load, setting, behaviour, start, max_short, max_used)
    assert limited.within is within
    assert limited == totals or not within


def test_what_is_not_the_usual_case_is_not_scanned() -> None:
    usual = Setting(1, 4, (tracking(100),))
    behaviour = Behaviour(200)
    assert scannable(usual, behaviour)
    assert not scannable(usual, Behaviour(200, gaps="missing"))
    assert not scannable(Setting(0, 4, (tracking(100),)), behaviour)
    assert not scannable(Setting(1, 4, (tracking(100), tracking(5))), behaviour)
    assert not scannable(Setting(1, 4, (tracking(100),), (Scheduled(5, 2, None),)), behaviour)
    assert not scannable(Setting(1, 4, (tracking(100),), out_suspended=True), behaviour)
    assert not scannable(Setting(1, 4, (tracking(100, load=1),)), behaviour)
