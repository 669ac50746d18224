"""At which minutes of a window scheduled actions are done."""

from datetime import UTC, datetime
from typing import Any

import pytest

from chalicelib.inventory.kinds.scaling import ScheduledAction
from chalicelib.rehearsal.schedule import UnreadSchedule, minutes_of

#: A Monday.
BEGIN = datetime(2026, 3, 2, tzinfo=UTC)
DAY = 1440


def action(schedule: str, **other: Any) -> ScheduledAction:
    """A scheduled action of this schedule."""
    record = {"ScheduledActionName": "morning", "ResourceId": "endpoint/orders/variant/main", "Schedule": schedule}
    return ScheduledAction.model_validate({**record, **other})


@pytest.mark.parametrize(
    "schedule, minutes",
    [
        ("at(2026-03-03T06:30:00)", [DAY + 390]),
        ("at(2026-03-03T06:30)", [DAY + 390]),
        ("at(2026-02-03T06:30:00)", []),
        ("cron(30 6 * * ? *)", [390, DAY + 390, 2 * DAY + 390]),
        ("cron(0 8,20 ? * TUE-WED *)", [DAY + 480, DAY + 1200, 2 * DAY + 480, 2 * DAY + 1200]),
        ("cron(0 0 ? * 2 *)", [0]),  # 1 is Sunday
        ("cron(0 0/8 3 MAR ? 2026)", [DAY, DAY + 480, DAY + 960]),
        ("cron(0/30 12-13/1 4 3 ? 2025-2027)", [2 * DAY + 720 + step for step in (0, 30, 60, 90)]),
        ("cron(0 8 ? * MON 2025)", []),
    ],
)
def test_the_minutes_of_a_schedule(schedule: str, minutes: list[int]) -> None:
    assert minutes_of(action(schedule), BEGIN, 3 * DAY) == minutes


def test_a_time_zone_moves_it_and_its_summer_time_too() -> None:
    berlin = action("cron(0 8 * * ? *)", Timezone="Europe/Berlin")
    assert minutes_of(berlin, BEGIN, DAY) == [7 * 60]
    assert minutes_of(berlin, datetime(2026, 3, 28, tzinfo=UTC), 2 * DAY) == [7 * 60, DAY + 6 * 60]
    assert minutes_of(action("at(2026-03-02T01:00:00)", Timezone="Asia/Tokyo"), BEGIN, DAY) == []


def test_a_rate_counts_from_its_start() -> None:
    start = datetime(2026, 3, 1, 23, 50, tzinfo=UTC)
    assert minutes_of(action("rate(8 hours)", StartTime=start), BEGIN, DAY) == [470, 950, 1430]
    assert minutes_of(action("rate(1 day)", StartTime=start), BEGIN, DAY) == [1430]


def test_nothing_before_its_start_and_after_its_end() -> None:
    bounded = action(
        "cron(0 * * * ? *)",
        StartTime=datetime(2026, 3, 2, 10, tzinfo=UTC),
        EndTime=datetime(2026, 3, 2, 12, tzinfo=UTC),
    )
    assert minutes_of(bounded, BEGIN, DAY) == [600, 660]


@pytest.mark.parametrize(
    "schedule, other, reason",
    [
        ("rate(8 hours)", {}, "has no start"),
        ("rate(0 hours)", {"StartTime": BEGIN}, "never comes"),
        ("cron(0 8 L * ? *)", {}, "the field L of a cron expression is not understood"),
        ("cron(0 8 15W * ? *)", {}, "the field 15W"),
        ("cron(0 8 ? * 6#3 *)", {}, "the field 6#3"),
        ("cron(0 25 * * ? *)", {}, "the field 25"),
        ("cron(0/0 8 * * ? *)", {}, "the field 0/0"),
        ("cron(0 8 * * ?)", {}, "has 5 fields; accepted are 6"),
        ("every morning", {}, "'every morning' is not understood"),
        ("at(2026-02-31T00:00)", {}, "is no time"),
        ("cron(0 8 * * ? *)", {"Timezone": "Mars/Olympus"}, "the time zone Mars/Olympus is not known"),
    ],
)
def test_what_is_not_understood_is_told(schedule: str, other: dict[str, Any], reason: str) -> None:
    with pytest.raises(UnreadSchedule, match=reason):
        minutes_of(action(schedule, **other), BEGIN, DAY)
