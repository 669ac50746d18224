"""What must hold for any template: a value that is not known never makes a rule fail, and is never taken for good."""

import contextlib
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.errors import InvalidInput
from chalicelib.report.outcomes import Verdict
from tests.examples import examples, sampled
from tests.unit.plan_cases import SOUND, changed, failing, judgement

pytestmark = pytest.mark.thorough

UNSURE = {"Odd": {"Fn::Equals": [{"Ref": "Nowhere"}, "x"]}}
CERTAIN = {Verdict.PASS, Verdict.FAIL}


def nodes(node: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The paths of a value's parts, those of references as a whole."""
    if len(path) > 2:
        yield path
    if isinstance(node, dict) and "Ref" not in node:
        for key, inner in node.items():
            yield from nodes(inner, (*path, key))
    elif isinstance(node, list):
        for index, inner in enumerate(node):
            yield from nodes(inner, (*path, str(index)))


def value_at(path: str) -> Any:
    value: Any = SOUND["Resources"]
    for key in path.split("."):
        value = value[int(key)] if isinstance(value, list) else value[key]
    return value


PATHS = [".".join(path) for path in nodes(SOUND["Resources"]) if "Properties" in path]
SCALARS = [path for path in PATHS if not isinstance(value_at(path), dict | list)]
#: Without the namespace, which the resource id tells as well, and without names: two of one name cannot be.
FREE = [path for path in SCALARS if not path.endswith(("ServiceNamespace", ".EndpointName", ".EndpointConfigName"))]
SOME: dict[type, list[Any]] = {
    int: [0, 1, 5],
    bool: [True, False],
    str: ["ml.p3.2xlarge", "eu-west-1b", "queue", "DISABLED"],
}
BASE = failing(judgement(SOUND))


def more_failing(template: dict[str, Any]) -> Counter[tuple[str, str]]:
    """How many more findings of a rule there are than in the base, by rule and kind."""
    plan = judgement({**template, "Conditions": UNSURE})
    faults = [spot.error for spot in plan.report.blind_spots if spot.operation.startswith(("rule:", "incomplete"))]
    assert faults == []
    return Counter(key[:2] for key in failing(plan)) - Counter(key[:2] for key in BASE)


def test_the_base_is_sound_and_judged_by_many_rules() -> None:
    outcomes = judgement(SOUND).outcomes.values()
    # Its queue tells nobody of failures, and 450 % is beyond the scale of two vCPUs.
    assert {key[0] for key in BASE} == {
        "async-failures-untold",
        "autoscaling-target-off-scale",
        "inference-component-no-az-balance",
    }
    assert sum(outcome.verdict is Verdict.PASS for outcome in outcomes) > 40


@pytest.mark.parametrize("path", sampled(PATHS))
def test_a_value_that_is_not_known_adds_no_finding(path: str) -> None:
    assert not more_failing(changed((path, {"Ref": "Nowhere"})))
    assert not more_failing(changed((path, {"Fn::If": ["Odd", {"Ref": "AWS::NoValue"}, value_at(path)]})))


@pytest.mark.parametrize("id", sorted(SOUND["Resources"]))
def test_a_resource_that_may_not_be_made_adds_no_finding_and_none_of_its_own(id: str) -> None:
    template = changed((f"{id}.Condition", "Odd"))
    assert not more_failing(template)


@examples(40)
@given(st.lists(st.sampled_from(SCALARS), min_size=2, max_size=4, unique=True))
def test_several_values_that_are_not_known_add_no_finding(paths: list[str]) -> None:
    names = ["Nowhere", "Nowhere2", "Nowhere3", "Nowhere4"]
    assert not more_failing(changed(*((path, {"Ref": name}) for path, name in zip(paths, names, strict=False))))


METRIC = "Policy.Properties.TargetTrackingScalingPolicyConfiguration.CustomizedMetricSpecification.Dimensions.0.Value"


@pytest.mark.parametrize(
    ("path", "other"),
    [
        ("Endpoint.Properties.EndpointName", "Target.Properties.ScalableDimension"),
        ("Component.Properties.InferenceComponentName", "ComponentTarget.Properties.ScalableDimension"),
        (METRIC, "Queue.Properties.EndpointName"),
        (METRIC, "QueueConfig.Properties.ProductionVariants.0.VariantName"),
    ],
)
def test_two_values_that_may_be_the_same_add_no_finding(path: str, other: str) -> None:
    assert not more_failing(changed((path, {"Ref": "Nowhere"}), (other, {"Ref": "Nowhere"})))


@pytest.mark.parametrize("path", sampled(FREE))
def test_an_answer_that_is_certain_without_a_value_holds_for_every_value(path: str) -> None:
    without = judgement(changed((path, {"Ref": "Nowhere"}))).outcomes
    for value in SOME[type(value_at(path))]:
        for key, outcome in judgement(changed((path, value))).outcomes.items():
            before = without.get(key)
            if before is not None and before.verdict in CERTAIN and outcome.verdict in CERTAIN:
                assert (value, key, outcome.verdict) == (value, key, before.verdict)


ODD = ["x", 7, True, [], {}, [1], ["x"], [{}], [[1]], {"a": 1}, {"Fn::Sub": []}, {"Ref": []}, {"Fn::GetAtt": 1}]


@pytest.mark.parametrize("odd", ODD, ids=str)
def test_a_value_of_an_odd_shape_is_refused_by_a_sentence_or_judged(odd: Any) -> None:
    for path in sampled(PATHS[ODD.index(odd) % 3 :: 3]):
        with contextlib.suppress(InvalidInput):
            spots = judgement(changed((path, odd))).report.blind_spots
            assert (path, [spot.error for spot in spots if spot.operation.startswith("rule:")]) == (path, [])
