"""Every parameter of a rule is described, and nothing else is."""

from chalicelib.rules import RULES
from chalicelib.rules.parameters import meaning, parameter_words

PARAMETERS = {(id, name) for id, rule in RULES.items() for name in rule.params.model_fields}


def test_every_parameter_is_described_in_a_sentence() -> None:
    words = {parameter: meaning(*parameter) or "" for parameter in PARAMETERS}
    assert {parameter for parameter, sentence in words.items() if not sentence.endswith(".")} == set()


def test_no_description_is_of_a_parameter_that_no_rule_has() -> None:
    known = {name for _, name in PARAMETERS} | {f"{id}.{name}" for id, name in PARAMETERS}
    assert parameter_words().keys() - known == set()


def test_a_rule_may_mean_a_name_otherwise() -> None:
    assert meaning("rehearsal-excess-capacity", "min_instances") != meaning("endpoint-single-instance", "min_instances")
    assert meaning("a-rule-of-a-policy", "its-own") is None
