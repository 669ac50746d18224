"""What people see of a replay."""

from datetime import timedelta

import pytest

from chalicelib.rehearsal.book import Replay
from chalicelib.rehearsal.figures import Bucket, Worst, buckets, figures, overloaded_without_a_zone
from chalicelib.rehearsal.replay import replay
from chalicelib.rehearsal.settings import Behaviour, Setting, tracking
from tests.unit.rehearsal.loads import load

TWO_HUNDRED = Behaviour(capacity=200)
STEP = load("100×10 350×30")


def step() -> Replay:
    """Row 2 of the worked cases: one instance up to minute 17, then four."""
    return replay([STEP], Setting(1, 10, (tracking(100),)), TWO_HUNDRED)


def test_the_figures_of_a_step() -> None:
    shown = figures(STEP, step(), TWO_HUNDRED, target=100, lowest=2)
    assert (shown.minutes, shown.gap_minutes, shown.held_minutes) == (40, 0, 0)
    assert (shown.minutes_short, shown.longest_short_minutes) == (8, 8)
    assert shown.worst == Worst(10, 350, 200)
    assert shown.mean_shortfall_percent == pytest.approx(100 * (1 - 200 / 350))
    assert shown.instance_hours == pytest.approx(106 / 60)
    assert shown.needed_instance_hours == pytest.approx((10 * 2 + 30 * 4) / 60), "never fewer than two; 350 takes four"
    assert shown.fixed_at_peak_hours == pytest.approx(2 * 40 / 60), "two carry 350"
    assert shown.changes_per_day == pytest.approx(1440 / 40)
    assert shown.reversals == 0


def test_opposite_changes_soon_after_each_other_are_reversals() -> None:
    values = load("100×10 900×3 100×47")
    result = replay([values], Setting(1, 10, (tracking(100),)), TWO_HUNDRED)
    assert figures(values, result, TWO_HUNDRED, 100, 2).reversals == 1, "12: 1→9 and 32: 9→1"


def test_a_gap_is_counted_and_takes_the_lowest_number() -> None:
    values = load("–×60")
    result = replay([values], Setting(3, 10, (tracking(100),)), TWO_HUNDRED)
    shown = figures(values, result, TWO_HUNDRED, 100, 2)
    assert (shown.gap_minutes, shown.minutes_short, shown.needed_instance_hours) == (60, 0, 2)
    assert shown.worst is None and shown.mean_shortfall_percent == 0


def test_without_a_target_nobody_knows_what_was_needed() -> None:
    assert figures(STEP, step(), TWO_HUNDRED, None, 2).needed_instance_hours is None


def test_a_lost_zone_takes_its_share_of_the_instances_of_each_minute() -> None:
    # One of one is lost up to 17: any load is too much. Two of four are left from 18 on, and carry 400.
    assert overloaded_without_a_zone(STEP, step(), TWO_HUNDRED, zones=2) == 18
    more = load("100×10 350×8 401×22")
    assert overloaded_without_a_zone(more, step(), TWO_HUNDRED, zones=2) == 40
    assert overloaded_without_a_zone(more, step(), TWO_HUNDRED, zones=4) == 18, "three of four carry 600"


def test_a_bucket_has_the_largest_load_and_the_smallest_counts() -> None:
    shown = buckets(STEP, step(), width=15)
    assert shown == [
        Bucket(0, 350, 1, 1, 5),
        Bucket(15, 350, 1, 4, 3),
        Bucket(30, 350, 4, 4, 0),
    ]


def test_a_bucket_without_a_datapoint_has_no_load() -> None:
    values = load("–×15 100×15")
    result = replay([values], Setting(1, 10, (tracking(100),)), TWO_HUNDRED)
    assert [bucket.load for bucket in buckets(values, result, 15)] == [None, 100]


def test_no_shortage_is_averaged_away() -> None:
    values = load("100×7000 900×1 100×3079")
    result = replay([values], Setting(1, 10, (tracking(100),)), TWO_HUNDRED)
    shown = buckets(values, result, 15)
    assert sum(bucket.short for bucket in shown) == result.minutes_short == 1
    assert max(bucket.load or 0 for bucket in shown) == 900
    assert len(shown) == timedelta(days=7) / timedelta(minutes=15)
