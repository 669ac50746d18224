"""The one sentence that every report begins with."""

from datetime import timedelta
from typing import Any

import pytest

from chalicelib.report.findings import Saving
from chalicelib.report.headline import clauses, headline
from chalicelib.report.money import Money, Totals
from chalicelib.report.shown import Shown
from tests.unit.test_notices import NOW, a_finding, a_report
from tests.unit.test_posture import DOWN, ONE_ZONE, SINGLE, SOUND, UNKNOWN


@pytest.mark.parametrize(
    ("report", "sentence"),
    [
        ({}, "Nothing is open."),
        ({"complete": False}, "Nothing is open in what could be read."),
        ({"shown": Shown()}, "Nothing is open in what is shown."),
        ({"endpoints": [SOUND]}, "The endpoint is up and would survive the loss of a zone."),
        ({"endpoints": [SOUND] * 1200}, "All 1,200 endpoints are up and would survive the loss of a zone."),
        ({"endpoints": [DOWN]}, "1 endpoint is down."),
        ({"endpoints": [SOUND, ONE_ZONE]}, "1 endpoint would not survive the loss of a zone."),
        (
            {"endpoints": [DOWN, DOWN, SINGLE, ONE_ZONE, SOUND]},
            "2 endpoints are down, 2 would not survive the loss of a zone.",
        ),
        ({"endpoints": [SOUND, UNKNOWN]}, "Of 1 endpoint it is unknown what they survive."),
        (
            {"endpoints": [SOUND], "money": Money(totals=Totals(saving_usd=1240.4, places=2), sample=True)},
            "The endpoint is up and would survive the loss of a zone, $1,240 a month could be saved by sample prices.",
        ),
    ],
)
def test_the_headline_says_what_a_report_comes_to(report: dict[str, Any], sentence: str) -> None:
    assert headline(a_report(**report)) == sentence


def test_what_changed_is_counted_since_the_sweep_before() -> None:
    fresh, old = (a_finding(number, first_seen=NOW - timedelta(hours=hours)) for number, hours in ((1, 1), (2, 99)))
    over = a_finding(3, first_seen=NOW - timedelta(days=9), status="resolved", resolved_at=NOW - timedelta(hours=2))
    report = a_report(fresh, old, over)
    assert headline(report, NOW - timedelta(days=1)) == "2 things changed since yesterday."
    assert headline(report, NOW - timedelta(hours=1)) == "Nothing changed since 05:00 UTC."
    assert headline(report, NOW - timedelta(days=3)) == f"2 things changed since {NOW - timedelta(days=3):%Y-%m-%d}."
    assert headline(report) == "2 findings are open."


def test_savings_of_findings_are_those_of_the_total() -> None:
    saving = Saving(monthly_usd=300.0, basis="list price")
    report = a_report(a_finding(1, saving=saving), a_finding(2, saving=saving, status="exempt"))
    (clause,) = clauses(report)
    assert (clause.words, clause.number, clause.about) == ("$300 a month could be saved", 300.0, "money")
