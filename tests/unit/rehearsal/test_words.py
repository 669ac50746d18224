"""How long, how many: the words of a rehearsal."""

from array import array
from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from chalicelib.rehearsal.proposals import Limits
from chalicelib.rehearsal.rehearsal import Basis, Question, rehearse
from chalicelib.rehearsal.series import Load
from chalicelib.rehearsal.settings import Behaviour, Scheduled, Setting, tracking
from chalicelib.rehearsal.words import counted, duration, sentences


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


def test_bounds_that_cross_are_said() -> None:
    setting = Setting(1, 4, (tracking(100),), (Scheduled(30, 5, None), Scheduled(60, 6, None)))
    load = Load(array("d", [50.0] * 90), datetime(2026, 3, 2, 9, tzinfo=UTC))
    basis = Basis("a file", "as given", "as given", "assumed")
    asked = Question("orders/main", load, setting, Behaviour(200), basis, Limits(max_short=0))
    said = sentences(rehearse(asked))
    (crossed,) = [sentence for sentence in said if "above the maximum" in sentence]
    assert crossed.endswith("above the maximum 2 times, first on Mon 2 Mar 09:30 UTC: the maximum counts.")
    once = sentences(rehearse(replace(asked, setting=replace(setting, scheduled=setting.scheduled[:1]))))
    assert any("above the maximum once, first on" in sentence for sentence in once)
    never = sentences(rehearse(replace(asked, setting=replace(setting, scheduled=()))))
    assert not any("above the maximum" in sentence for sentence in never)


def test_one_minute_is_no_minutes() -> None:
    assert (counted(1), counted(1200)) == ("1 minute", "1,200 minutes")
