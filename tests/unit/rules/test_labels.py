"""Cases name the resources of the demo account that are in their state, and the labels of the account are these."""

from collections import Counter
from dataclasses import replace

import pytest
import yaml

from chalicelib.policy.policy import load_policy
from chalicelib.report.findings import Severity
from chalicelib.report.outcomes import Verdict
from chalicelib.rules import RULES
from samples.builders import a_variant
from samples.cases.case import InDemo, fails
from samples.cases.catalogue import CASES
from tools.generate import ROOT
from tools.labels import labels, labels_file

#: Rules of the baseline for which the account has nothing, with the reason.
NOT_IN_DEMO = {
    "endpoint-config-single-instance": "a sweep judges a config in use by its endpoint, and another not at all",
}

EXPECTED = {
    resource: frozenset(rules)
    for resource, rules in yaml.safe_load((ROOT / "emulator" / "expected.yaml").read_text(encoding="utf-8")).items()
}
PLACED = [(case, place) for case in CASES for place in case.in_demo]


def test_the_labels_of_the_account_are_those_that_the_cases_name() -> None:
    assert labels() == EXPECTED


@pytest.mark.parametrize("rule", sorted(RULES))
def test_a_rule_of_the_baseline_names_a_resource_of_the_account_or_says_why_none(rule: str) -> None:
    placed = any(case.rule == rule for case, _ in PLACED)
    assert placed is (load_policy("baseline").rules[rule].enabled and rule not in NOT_IN_DEMO)


def test_only_a_case_that_fails_by_default_names_a_resource_and_one_of_its_kind() -> None:
    for case, place in PLACED:
        assert (case.verdict, case.params) == (Verdict.FAIL, {}), case.id
        assert place.resource.split()[0] == case.subject.kind, case.id


def test_no_rule_names_a_resource_twice() -> None:
    names = Counter((case.rule, place.resource) for case, place in PLACED)
    assert [name for name, number in names.items() if number > 1] == []


def test_what_is_told_with_another_merges_into_a_finding_of_the_same_thing() -> None:
    for case, place in PLACED:
        if place.told_with:
            name = place.resource.split()[1]
            hosts = {rule for resource, rules in EXPECTED.items() if resource.split()[1] == name for rule in rules}
            assert place.told_with in hosts & set(RULES[case.rule].merges_into), case.id


def test_the_file_holds_the_resources_of_every_kind_once() -> None:
    placed = fails("endpoint-idle", "a kind that no heading names", a_variant(), severity=Severity.HIGH)
    case = replace(placed, in_demo=[InDemo("thing new")])
    written = yaml.safe_load(text := labels_file([*CASES, case]))
    assert written == {resource: sorted(rules) for resource, rules in labels([*CASES, case]).items()}
    assert text.endswith("\n# Other resources\n\nthing new:\n  - endpoint-idle\n")
    assert text.count("\nvpc ") == len([resource for resource in written if resource.startswith("vpc ")])
