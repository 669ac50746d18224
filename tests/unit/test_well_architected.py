"""The table of best practices: of rules and practices that there are, in identifiers as AWS writes them."""

import re

from chalicelib.rules import RULES
from chalicelib.rules.well_architected import best_practices, practices_by_rule, titles

IDENTIFIER = re.compile(r"(ML)?(OPS|SEC|REL|PERF|COST|SUS)\d\d-BP\d\d")


def test_only_rules_that_there_are_stand_for_a_practice() -> None:
    assert set(practices_by_rule()) <= set(RULES)


def test_each_practice_has_a_title_and_each_title_a_rule() -> None:
    named = {practice for practices in practices_by_rule().values() for practice in practices}
    assert named == set(titles())
    assert all(IDENTIFIER.fullmatch(practice) for practice in named)


def test_a_rule_names_each_practice_once() -> None:
    assert all(len(set(practices)) == len(practices) > 0 for practices in practices_by_rule().values())


def test_the_practice_that_the_lens_names_for_scaling() -> None:
    """Machine Learning Lens, MLREL05-BP01: allow automatic scaling of the model endpoint."""
    assert best_practices("variant-no-autoscaling") == ["MLREL05-BP01"]


def test_a_rule_of_a_policy_stands_for_none() -> None:
    assert best_practices("custom-names-of-endpoints") == []
