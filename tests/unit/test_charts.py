"""The picture of a rehearsal: every form shows the same numbers, and no shortage is averaged away."""

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.report.charts import (
    MOST_BUCKETS,
    RehearsalChart,
    axis,
    drawing,
    lines,
    outcome,
    regrouped,
    rows,
)

BEGIN = datetime(2026, 3, 2, 18, tzinfo=UTC)


def a_chart(**changes: Any) -> RehearsalChart:
    """Six buckets of two hours from Monday evening on: one instance, then four after an hour's shortage."""
    facts: dict[str, Any] = {
        "begin": BEGIN,
        "minutes": 720,
        "bucket_minutes": 120,
        "capacity": 200,
        "load": [100.0, 100.0, None, 800.0, 400.0, 0.0],
        "serving": [1, 1, 1, 1, 4, 1],
        "short": [0, 0, 0, 60, 0, 0],
    }
    return RehearsalChart(**{**facts, **changes})


PROPOSED = {"proposed": [2, 2, 2, 4, 4, 2], "proposed_short": [0, 0, 0, 5, 0, 0]}


def points(path: str) -> list[tuple[float, float]]:
    """The corners of a path of horizontal and vertical lines."""
    x = y = 0.0
    corners = []
    for command, numbers in re.findall(r"([MVHZ])([\d. -]*)", path):
        if command == "M":
            x, y = map(float, numbers.split())
        elif command == "V":
            y = float(numbers)
        elif command == "H":
            x = float(numbers)
        corners.append((x, y))
    return corners


def test_the_shapes_stand_on_one_scale() -> None:
    drawn = drawing(a_chart(), 600, 80)
    assert drawn.highest == 800, "the peak, which is what four instances carry"
    assert drawn.proposal is None
    assert points(drawn.today.capacity) == [(0, 60), (400, 60), (400, 0), (500, 0), (500, 60), (600, 60)]
    assert points(drawn.today.load)[:5] == [(0, 80), (0, 70), (200, 70), (200, 80), (300, 80)], "a gap is no traffic"
    assert drawn.today.short == [(300, 100)]
    assert drawn.today.says == "load up to 800 a minute, 1 to 4 instances, 60 minutes short"


def test_the_proposal_stands_beside_it_on_the_same_scale() -> None:
    drawn = drawing(a_chart(**{**PROPOSED, "proposed": [8] * 6}), 600, 80)
    assert drawn.highest == 1600
    assert drawn.proposal is not None
    assert points(drawn.proposal.capacity) == [(0, 0), (600, 0)]
    assert points(drawn.today.capacity)[0] == (0, 70)
    assert drawn.proposal.load == drawn.today.load
    assert drawn.proposal.desired == ""


def test_days_are_named_where_they_begin_and_have_room() -> None:
    assert [tuple(mark) for mark in drawing(a_chart(), 600, 80).days] == [(300, "Tue 3")]
    assert [tuple(mark) for mark in drawing(a_chart(), 60, 80).days] == [(30, "")]
    week = a_chart(begin=None, minutes=7 * 1440, bucket_minutes=1440, load=[1.0] * 7, serving=[1] * 7, short=[0] * 7)
    assert [mark.text for mark in drawing(week, 420, 80).days] == [f"day {number}" for number in range(1, 8)]
    assert [mark.text for mark in drawing(week, 150, 80).days] == ["day 1", "day 3", "day 5", ""]


def test_a_last_bucket_that_is_shorter_ends_at_the_edge() -> None:
    drawn = drawing(a_chart(minutes=660), 550, 80)
    assert points(drawn.today.capacity)[-1] == (550, 60)


def test_the_table_tells_each_day() -> None:
    monday, tuesday = rows(a_chart(**PROPOSED))
    assert tuple(monday) == ("Mon 2", 100, "1", 0, "2", 0)
    assert tuple(tuesday) == ("Tue 3", 800, "1 to 4", 60, "2 to 4", 5)
    assert rows(a_chart(load=[None] * 6))[0].load is None


@pytest.mark.parametrize(
    "changes, sentence",
    [
        ({}, "Short for 60 minutes on 1 to 4 instances."),
        (PROPOSED, "Short for 60 minutes on 1 to 4 instances; with the proposal for 5 minutes, on 2 to 4 instances."),
        (
            {**PROPOSED, "proposed_short": [0] * 6},
            "Short for 60 minutes on 1 to 4 instances; with the proposal never, on 2 to 4 instances.",
        ),
        ({"short": [0] * 6, "serving": [1] * 6}, "Never short on 1 instance."),
        (
            {"short": [0] * 6, "serving": [6] * 6, "proposed": [2] * 6, "proposed_short": [0] * 6},
            "Never short on 6 instances; nor with the proposal, on 2 instances.",
        ),
    ],
)
def test_the_outcome_in_a_sentence(changes: dict[str, Any], sentence: str) -> None:
    assert outcome(a_chart(**changes)) == sentence


def test_block_characters_stand_for_heights() -> None:
    chart_lines = lines(a_chart(**PROPOSED), 40)
    assert [line.name for line in chart_lines] == ["load", "capacity", "short", "proposal", "short"]
    assert [line.text for line in chart_lines] == ["▁▁▁█▄▁", "▂▂▂▂█▂", "▁▁▁█▁▁", "▄▄▄██▄", "▁▁▁█▁▁"]
    assert chart_lines[2].says == "short: 60 minutes"
    assert chart_lines[4].says == "short with the proposal: 5 minutes"
    assert [line.text for line in lines(a_chart(), 40, monospaced=True)] == ["▁▁ █▄ ", "▂▂▂▂█▂", "···█··"]


def test_the_axis_names_days_below_their_columns() -> None:
    week = a_chart(begin=BEGIN, minutes=3 * 1440, bucket_minutes=60, load=[1.0] * 72, serving=[1] * 72, short=[0] * 72)
    assert axis(week, 72) == "      Tue 3                   Wed 4                   Thu 5"
    assert axis(week, 12) == " Tue 3", "Wed 4 and Thu 5 have no room"


COUNTS = st.lists(st.tuples(st.one_of(st.none(), st.floats(0, 1e6)), st.integers(0, 50), st.integers(0, 9)), min_size=1)


@given(COUNTS, st.integers(1, 60))
def test_fewer_buckets_lose_no_shortage_and_no_peak(buckets: list[tuple[float | None, int, int]], most: int) -> None:
    chart = a_chart(
        minutes=len(buckets) * 10,
        bucket_minutes=10,
        load=[load for load, _, _ in buckets],
        serving=[count for _, count, _ in buckets],
        short=[minutes for _, _, minutes in buckets],
    )
    fewer = regrouped(chart, most)
    assert len(fewer.load) <= most
    assert (fewer.minutes_short, fewer.peak, fewer.minutes) == (chart.minutes_short, chart.peak, chart.minutes)
    assert min(fewer.serving) == min(chart.serving)
    assert all(len(line.text) == len(fewer.load) for line in lines(chart, most))
    assert ("█" in lines(chart, most)[2].text) is (chart.minutes_short > 0)


def test_a_chart_is_bounded() -> None:
    many = MOST_BUCKETS + 1
    with pytest.raises(ValueError, match="at most 672"):
        a_chart(load=[1.0] * many)


def test_what_is_empty_is_left_out_of_the_json() -> None:
    content = a_chart().model_dump(mode="json")
    assert sorted(content) == ["begin", "bucket_minutes", "capacity", "load", "minutes", "serving", "short"]
    assert RehearsalChart.model_validate(a_chart(**PROPOSED).model_dump(mode="json")) == a_chart(**PROPOSED)
