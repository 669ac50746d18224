"""Every parameter of a rule is described, and nothing else is."""

import json

from chalicelib.policy.policy import unchanged
from chalicelib.rules import RULES, Params
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


CLASSES = sorted({rule.params for rule in RULES.values()}, key=lambda params: params.__name__)


def written(params: Params) -> str:
    """As evidence has it: 20 and 20.0 are equal, and are written differently."""
    return json.dumps(dict(params))


def test_defaults_are_as_validation_would_have_them() -> None:
    for params in CLASSES:
        defaults = params.by_default()
        validated = params.model_validate(params().model_dump(mode="json"))
        assert defaults == validated and written(defaults) == written(validated), params


def test_what_is_taken_for_unchanged_is_what_validation_would_make_of_it() -> None:
    for params in CLASSES:
        before = params.by_default()
        for name, value in before.model_dump(mode="json").items():
            assert unchanged({name: value}, before), (params, name)
            for odd in (str(value), [value], True, False, 1, 1.0, None, "", [], ["", 1]):
                if unchanged({name: odd}, before):
                    assert written(params.model_validate({name: odd})) == written(before), (params, name, odd)
