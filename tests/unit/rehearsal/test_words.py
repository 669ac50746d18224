"""How long, how many: the words of a rehearsal."""

import pytest

from chalicelib.rehearsal.words import counted, duration


@pytest.mark.parametrize(
    "minutes, words",
    [
        (1, "1 minute"),
        (40, "40 minutes"),
        (60, "1 hour"),
        (90, "90 minutes"),
        (330, "5.5 hours"),
        (1440, "1 day"),
        (10080, "7 days"),
        (10200, "7.1 days"),
    ],
)
def test_a_duration_is_told_in_the_unit_that_people_take(minutes: int, words: str) -> None:
    assert duration(minutes) == words


def test_one_minute_is_no_minutes() -> None:
    assert (counted(1), counted(1200)) == ("1 minute", "1,200 minutes")
