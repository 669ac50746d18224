"""Every registered rule has a table that covers it, a text, and a line in the baseline policy."""

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from chalicelib.policy.policy import load_policy
from chalicelib.report.findings import Severity
from chalicelib.report.outcomes import Verdict
from chalicelib.rules import RULES
from samples.cases.case import Case
from samples.cases.catalogue import CASES, TOPICS, cases_of, cases_of_rule
from tests.each import check_each
from tests.golden import assert_golden

ROOT = Path(__file__).resolve().parents[3]

#: Answers that a rule cannot give, with the reason. Every entry is a case that need not be written: keep them few.
IMPOSSIBLE = {
    ("endpoint-degraded", Verdict.NOT_APPLICABLE): "it is the one rule that concerns endpoints in every state",
    ("endpoint-stuck-in-transition", Verdict.NOT_APPLICABLE): "it concerns endpoints in every state",
    ("notebook-elastic-inference-retired", Verdict.NOT_APPLICABLE): "it concerns every notebook instance",
    ("notebook-elastic-inference-retired", Verdict.UNKNOWN): "AWS leaves AcceleratorTypes out where there are none",
    ("model-elastic-inference-image", Verdict.NOT_APPLICABLE): "it concerns every model",
    ("pipeline-container-count", Verdict.UNKNOWN): "the containers are part of the model that is judged",
}


def answer(case: Case) -> tuple[bool, Severity | None]:
    """What a threshold decides: whether the case fails, and how bad that is."""
    return case.verdict is Verdict.FAIL, case.severity


def numeric_parameters() -> list[tuple[str, str]]:
    """Every parameter of every rule that is a number, as rule and name."""

    def number(value: Any) -> bool:
        return isinstance(value, int | float) and not isinstance(value, bool)

    return [(id, name) for id, rule in sorted(RULES.items()) for name, value in rule.params() if number(value)]


def parameters() -> list[tuple[str, str]]:
    return [(id, name) for id, rule in sorted(RULES.items()) for name in rule.params.model_fields]


def test_every_module_of_rules_has_a_table() -> None:
    assert [topic for topic in TOPICS if not cases_of(topic)] == [], "write samples/cases/TOPIC.py"


def test_a_table_holds_registered_rules_only_and_no_name_twice() -> None:
    assert {case.rule for case in CASES} <= set(RULES)
    assert [id for id, number in Counter(case.id for case in CASES).items() if number > 1] == []


def test_every_rule_has_a_case_of_every_answer() -> None:
    lacking = {(rule, verdict) for rule in RULES for verdict in Verdict if not cases_of_rule(rule, verdict)}
    assert lacking == IMPOSSIBLE.keys()


def test_what_is_impossible_is_said_of_registered_rules_and_never_of_failing() -> None:
    assert {rule for rule, _ in IMPOSSIBLE} <= set(RULES)
    assert not {Verdict.FAIL, Verdict.PASS} & {verdict for _, verdict in IMPOSSIBLE}


def test_every_kind_that_a_rule_judges_has_a_case_that_fails_and_one_that_does_not() -> None:
    wanted = {(id, kind, fails) for id, rule in RULES.items() for kind in rule.kinds for fails in (True, False)}
    assert {(case.rule, case.subject.kind, case.verdict is Verdict.FAIL) for case in CASES} == wanted


def test_every_threshold_has_cases_on_both_sides() -> None:
    """A threshold must decide: the case fails on one side only, or fails with another severity."""
    answers = {
        (rule, parameter): {answer(case) for case in cases_of_rule(rule) if case.boundary == parameter}
        for rule, parameter in numeric_parameters()
    }
    assert [threshold for threshold, sides in answers.items() if len(sides) < 2] == []


def test_boundaries_name_parameters_of_their_rule() -> None:
    named = {(case.rule, case.boundary) for case in CASES if case.boundary}
    assert named <= set(numeric_parameters())


def test_every_parameter_decides_a_case() -> None:
    """Taking the parameter back to its default must change how at least one case is answered."""
    check_each(parameters(), decides_a_case)


def decides_a_case(parameter_of_rule: tuple[str, str]) -> None:
    rule, parameter = parameter_of_rule
    setting = [case for case in cases_of_rule(rule) if parameter in case.params]
    changed = [case for case in setting if _without(case, parameter).outcome() != case.outcome()]
    assert changed, f"no case of {rule} depends on {parameter}"


def _without(case: Case, parameter: str) -> Case:
    return replace(case, params={name: value for name, value in case.params.items() if name != parameter})


def test_the_catalogue_is_golden() -> None:
    """Policies, dashboards and exemptions of others rest on it: a change here is a change for everybody who uses it."""
    catalogue = {
        id: {
            "topic": rule.topic,
            "severity": rule.severity.value,
            "kinds": sorted(rule.kinds),
            "params": rule.params().model_dump(mode="json"),
            "enabled": rule.enabled,
        }
        for id, rule in sorted(RULES.items())
    }
    assert_golden("catalogue.json", json.dumps(catalogue, indent=2) + "\n")


def test_every_rule_has_a_text() -> None:
    texts = {path.name.removesuffix(".md.j2") for path in (ROOT / "templates" / "findings").glob("*.md.j2")}
    assert RULES.keys() - texts == set()


def test_every_rule_says_its_condition() -> None:
    assert [id for id, rule in RULES.items() if not rule.condition.rstrip(")").endswith(".")] == []


def test_every_rule_has_a_line_in_the_baseline_that_names_all_its_parameters() -> None:
    baseline = yaml.safe_load((ROOT / "policies" / "baseline.yaml").read_text(encoding="utf-8"))["rules"]
    named = {id: set(baseline[id]) - {"enabled", "severity", "mode"} for id in RULES}
    assert named == {id: set(rule.params.model_fields) for id, rule in RULES.items()}


def test_the_baseline_holds_every_rule_to_its_defaults() -> None:
    settings = load_policy("baseline").rules
    assert {id: (settings[id].params, settings[id].enabled, settings[id].severity) for id in RULES} == {
        id: (rule.params(), rule.enabled, None) for id, rule in RULES.items()
    }


def test_a_rule_merges_into_one_that_is_registered() -> None:
    merging = {id: rule.merges_into for id, rule in RULES.items() if rule.merges_into}
    assert merging["autoscaling-min-below-two"] == ("endpoint-single-instance", "inference-component-single-copy")
    assert {host for hosts in merging.values() for host in hosts} <= set(RULES)


def test_a_rule_never_merges_into_itself_by_way_of_others() -> None:
    check_each(RULES, never_merges_into_itself)


def never_merges_into_itself(rule: str) -> None:
    reached: set[str] = set()
    waiting = list(RULES[rule].merges_into)
    while waiting:
        host = waiting.pop()
        if host not in reached:
            reached.add(host)
            waiting += RULES[host].merges_into
    assert rule not in reached
