"""The load: what is taken from datapoints and files, and what is refused."""

import math
from datetime import UTC, datetime, timedelta

import pytest

from chalicelib.inventory.traffic import number_of
from chalicelib.rehearsal.series import Load, UnsoundSeries, of_file, of_points, per_instance

BEGIN = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
FIRST = number_of(BEGIN)


def written(load: Load) -> list[float | None]:
    """The values, None for a gap."""
    return [None if math.isnan(value) else value for value in load.values]


def test_a_window_begins_with_its_first_datapoint() -> None:
    points = {FIRST + 2: 5.0, FIRST + 4: 7.0}
    load = of_points(points, BEGIN, BEGIN + 6 * MINUTE)
    assert written(load) == [5, None, 7, None]
    assert (load.begin, load.asked, load.gaps, load.peak) == (BEGIN + 2 * MINUTE, 6, 2, 7)
    assert load.minute_of_day == 9 * 60 + 32
    assert load.at(1) == BEGIN + 3 * MINUTE


@pytest.mark.parametrize("value", [-1.0, math.inf, math.nan])
def test_a_datapoint_that_is_no_load_is_a_counted_gap(value: float) -> None:
    points = {FIRST + minute: 1.0 for minute in range(200)} | {FIRST + 50: value}
    load = of_points(points, BEGIN, BEGIN + 200 * MINUTE)
    assert (load.unsound, load.gaps) == (1, 1)


def test_more_than_a_hundredth_of_them_is_not_trusted() -> None:
    points = {FIRST + minute: -1.0 if minute < 3 else 1.0 for minute in range(200)}
    with pytest.raises(UnsoundSeries, match="3 datapoints of 200 minutes are negative, infinite or no numbers"):
        of_points(points, BEGIN, BEGIN + 200 * MINUTE)


def test_a_window_without_a_datapoint_is_refused() -> None:
    with pytest.raises(UnsoundSeries, match="no datapoint in the window"):
        of_points({}, BEGIN, BEGIN + 6 * MINUTE)


def test_a_file_of_numbered_minutes() -> None:
    load = of_file(["minute,value", "0,10", "1,11.5", "", "# a rest", "4,12", "5,"])
    assert written(load) == [10, 11.5, None, None, 12]
    assert load.begin is None and load.minute_of_day == 0


def test_a_file_of_times_in_any_order_and_zone() -> None:
    load = of_file(["2026-03-02T10:32:30+01:00,7", "2026-03-02 09:30,5"])
    assert written(load) == [5, None, 7]
    assert load.begin == BEGIN


@pytest.mark.parametrize(
    "lines, reason",
    [
        (["minute,value"], "the file holds no minute with a value"),
        ([], "the file holds no minute with a value"),
        (["0,1", "one,2"], "line 2: 'one,2'; accepted is a minute, a comma and a value"),
        (["0,1", "5"], "line 2: '5'; accepted is a minute, a comma and a value"),
        (["0,1", "1,many"], "line 2: 'many' is no number"),
        (["0,1", "0,2"], "line 2: the minute of line 1 a second time"),
        (["0,1", "2026-03-02T09:30,2"], "line 2: a number of a minute among times, or the other way round"),
        (["1700000000,1"], "line 1|the file holds no minute with a value"),
        (["2020-01-01,1", "2026-01-01,1"], "the file spans .* minutes; accepted are 1,054,080 at most"),
        (["0,1", "1,-5"], "1 datapoints of 2 minutes are negative, infinite or no numbers"),
    ],
)
def test_a_file_that_is_refused_says_why(lines: list[str], reason: str) -> None:
    with pytest.raises(UnsoundSeries, match=reason):
        of_file(lines)


def test_more_traffic_is_a_factor_of_every_minute() -> None:
    load = of_file(["0,10", "2,20"]).times(1.5)
    assert written(load) == [15, None, 30]


@pytest.mark.parametrize("factor", [0, -1, math.inf, math.nan])
def test_a_factor_that_is_none_is_refused(factor: float) -> None:
    with pytest.raises(ValueError, match="accepted is a number above 0"):
        of_file(["0,10"]).times(factor)


def test_a_metric_of_each_instance_times_its_count_is_the_load_of_all() -> None:
    values = dict(enumerate([50.0, 60.0, 70.0, 80.0]))
    counts = {1: 2.0, 3: 3.0}
    assert list(per_instance(values, counts).values()) == [120, 140, 240], "before the first count nothing is known"
