"""The score by hand, and what moves it and what does not."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.report.findings import Exemption, RuleCounts, RuleInForce, Severity
from chalicelib.report.posture import posture
from tests.unit.test_notices import a_finding, a_report


def a_judged(**rules: tuple[Severity, int, int]) -> dict[str, Any]:
    """Rules with severity, passes and failures, as a report holds them."""
    return {
        "rules": {id: RuleCounts(passed=passes, fail=fails) for id, (_, passes, fails) in rules.items()},
        "catalogue": {id: RuleInForce(severity=severity, topic=id[0]) for id, (severity, _, _) in rules.items()},
    }


def test_the_score_is_the_weighted_mean_of_the_shares_that_pass() -> None:
    report = a_report(**a_judged(a=(Severity.HIGH, 3, 1), b=(Severity.LOW, 0, 7), c=(Severity.MEDIUM, 0, 0)))
    # high 4 × 3/4 + low 1 × 0, of 4 + 1; the rule that judged nothing does not count
    assert posture(report).score == 60.0


def test_many_healthy_jobs_do_not_hide_one_endpoint() -> None:
    few = a_report(**a_judged(a=(Severity.HIGH, 0, 1), b=(Severity.HIGH, 1, 0)))
    many = a_report(**a_judged(a=(Severity.HIGH, 0, 1), b=(Severity.HIGH, 5000, 0)))
    assert posture(few).score == posture(many).score == 50.0


def test_without_judgements_there_is_no_score() -> None:
    assert posture(a_report()).score is None
    assert posture(a_report(**a_judged(a=(Severity.HIGH, 0, 0)))).score is None
    assert posture(a_report(**a_judged(a=(Severity.INFO, 0, 3)))).score is None


def test_exempt_findings_count_neither_way() -> None:
    exempt = a_finding(1, rule="a", status="exempt", exemption=Exemption(reason="on purpose"))
    report = a_report(exempt, a_finding(2, rule="a"), **a_judged(a=(Severity.HIGH, 1, 2)))
    stands = posture(report)
    assert stands.score == 50.0
    assert stands.total == 1


def test_open_findings_are_counted_by_their_own_severity() -> None:
    report = a_report(
        a_finding(1, rule="a", severity=Severity.LOW),
        a_finding(2, rule="b", severity=Severity.CRITICAL),
        **a_judged(a=(Severity.HIGH, 1, 1), b=(Severity.HIGH, 1, 1), c=(Severity.HIGH, 1, 0)),
    )
    stands = posture(report)
    assert stands.open == {"critical": 1, "high": 0, "medium": 0, "low": 1, "info": 0}
    assert [(topic.name, topic.open, topic.worst, topic.score) for topic in stands.topics] == [
        ("b", 1, Severity.CRITICAL, 50.0),
        ("a", 1, Severity.LOW, 50.0),
        ("c", 0, None, 100.0),
    ]


def test_counts_of_a_sweep_take_the_place_of_those_of_the_findings() -> None:
    report = a_report(a_finding(1, rule="a"), **a_judged(a=(Severity.HIGH, 1, 9)))
    stands = posture(report, {"a": {Severity.HIGH: 7, Severity.LOW: 2}})
    assert (stands.total, stands.topics[0].open) == (9, 9)


@given(st.lists(st.tuples(st.sampled_from(list(Severity)), st.integers(0, 50), st.integers(0, 50)), max_size=8))
def test_the_score_is_a_share_and_never_falls_when_one_more_passes(rules: list[tuple[Severity, int, int]]) -> None:
    given = {f"r{index}": one for index, one in enumerate(rules)}
    before = posture(a_report(**a_judged(**given))).score
    assert before is None or 0 <= before <= 100
    for id, (severity, passes, fails) in given.items():
        if fails:
            after = posture(a_report(**a_judged(**{**given, id: (severity, passes + 1, fails - 1)}))).score
            assert after is not None or severity is Severity.INFO
            assert after is None or before is None or after >= before
            return


@pytest.mark.parametrize("severity", [Severity.CRITICAL, Severity.HIGH, Severity.MEDIUM, Severity.LOW])
def test_every_severity_but_info_weighs(severity: Severity) -> None:
    assert posture(a_report(**a_judged(a=(severity, 0, 1)))).score == 0.0
