"""How far back rules read: each metric, and each bounded part, by a parameter that the rule names."""

from typing import Any

import pytest

from chalicelib.audit.auditor import needs_of
from chalicelib.inventory.parts import Part
from chalicelib.policy.policy import RuleSetting, load_policy
from chalicelib.report.findings import Severity
from chalicelib.report.outcomes import passed
from chalicelib.rules import RULES
from chalicelib.rules.registry import Params, Window, rule


class Looking(Params):
    """Parameters of a rule that calls its window as it likes."""

    look_back: int = 9
    strict: bool = True


def registered(**declared: Any) -> None:
    rule("window-rule", topic="t", kinds=["endpoint"], severity=Severity.LOW, params=Looking, **declared)(
        lambda *_: passed("")
    )


@pytest.mark.parametrize(
    ("declared", "problem"),
    [
        ({"reads": [Part.METRICS], "metrics": [Window("Invocations", "window_days")]}, "no number 'window_days'"),
        ({"reads": [Part.METRICS], "metrics": [Window("Invocations", "strict")]}, "no number 'strict'"),
        ({"reads": [Part.METRICS], "metrics": [Window("Calls", "look_back")]}, "unknown metric 'Calls'; known are"),
        ({"reads": [], "metrics": [Window("Invocations", "look_back")]}, "must read the part of metrics"),
        ({"reads": [Part.METRICS]}, "must read the part of metrics"),
        ({"reads": [Part.RECOMMENDATIONS]}, "must say which parameter"),
        ({"reads": [Window(Part.ACTIVITIES, "hours")]}, "no number 'hours'"),
        ({"reads": [Window(Part.MODELS, "look_back")]}, "only recommendation-jobs, scaling-activities can be"),
    ],
)
def test_a_window_that_nothing_holds_fails_at_registration(declared: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        registered(**declared)
    assert "window-rule" not in RULES


def test_a_window_is_found_by_the_name_that_the_rule_gives() -> None:
    registered(
        reads=[Part.METRICS, Window(Part.ACTIVITIES, "look_back"), Window(Part.RECOMMENDATIONS, "look_back")],
        metrics=[Window("Invocations", "look_back")],
    )
    own = RULES.pop("window-rule")
    needs = needs_of({own.id: RuleSetting(own, True, Looking(look_back=11))}, 30)
    assert needs.metric_days == {"Invocations": 11}
    assert (needs.activity_hours, needs.recommendation_days) == (11, 11)


def test_the_widest_window_of_all_rules_is_read() -> None:
    days = needs_of(load_policy("baseline").enabled(), 30).metric_days
    assert days["Invocations"] == RULES["endpoint-idle"].params().model_dump()["window_days"]
    assert days["GPUUtilization"] < days["Invocations"]
