"""One resource, one story: of findings that tell the same defect the one that makes the others moot is told."""

from typing import Any

import pytest

from chalicelib.audit.judge import Judge
from chalicelib.inventory.estate import Inventory
from chalicelib.policy.policy import load_policy
from chalicelib.scope import Scope
from samples.builders import (
    ACCOUNT,
    LDA,
    REGION,
    a_component,
    a_host_of_components,
    a_model,
    a_series,
    a_target,
    a_transform_job,
    a_variant,
    an_inventory,
)

CALLS = a_series("Invocations", {1: 500.0})


def stories(estate: Inventory, *rules: str) -> dict[str, set[str]]:
    """The rules whose findings stand, each with those that it took in."""
    judge = Judge(load_policy().enabled(rules), Scope(ACCOUNT, REGION))
    for subject in estate.subjects:
        judge.judge(subject, estate)
    judge.merge()
    return {failing.rule.id: set(failing.merged) for failing in judge.failing}


def test_an_idle_variant_is_told_once() -> None:
    variant = a_variant(count=1, instance_type="ml.p3.2xlarge")
    assert stories(an_inventory(variant, a_model(LDA))) == {
        "endpoint-idle": {
            "endpoint-single-instance",
            "variant-no-autoscaling",
            "endpoint-gpu-unneeded-by-algorithm",
            "instance-previous-generation",
        }
    }


def test_what_merges_into_a_merged_finding_ends_at_the_topmost() -> None:
    variant = a_variant(count=1)
    merges = stories(
        an_inventory(variant, a_model(), a_target(variant, minimum=1)),
        "endpoint-idle",
        "endpoint-single-instance",
        "autoscaling-min-below-two",
    )
    assert merges == {"endpoint-idle": {"endpoint-single-instance", "autoscaling-min-below-two"}}


def test_without_the_rule_that_takes_them_in_the_others_stand() -> None:
    merges = stories(an_inventory(a_variant(count=1), a_model()), "endpoint-single-instance", "variant-no-autoscaling")
    assert merges == {"endpoint-single-instance": set(), "variant-no-autoscaling": set()}


def test_gpus_that_the_algorithm_does_not_need_are_told_once() -> None:
    variant = a_variant(instance_type="ml.p3.2xlarge")
    use = a_series("GPUUtilization", {1: 1.0}), a_series("GPUMemoryUtilization", {1: 1.0})
    merges = stories(an_inventory(variant, a_model(LDA), a_target(variant), CALLS, *use))
    assert merges["endpoint-gpu-unneeded-by-algorithm"] == {
        "endpoint-gpu-underutilized",
        "instance-previous-generation",
    }
    assert not {"endpoint-gpu-underutilized", "instance-previous-generation"} & set(merges)


def test_so_are_those_of_a_transform_job() -> None:
    merges = stories(an_inventory(a_transform_job(instance_type="ml.p3.2xlarge"), a_model(LDA)))
    assert merges == {"endpoint-gpu-unneeded-by-algorithm": {"instance-previous-generation"}}


def test_an_idle_component_is_told_once() -> None:
    component = a_component(copies=1)
    estate = an_inventory(a_host_of_components(), component, a_model())
    rules = "endpoint-idle", "inference-component-single-copy", "variant-no-autoscaling"
    merges = stories(estate, *rules)
    assert merges["endpoint-idle"] == {"inference-component-single-copy", "variant-no-autoscaling"}


@pytest.mark.parametrize("variant", [{"asynchronous": True}, {"weight": 0}])
def test_what_is_no_idle_variant_keeps_its_own_story(variant: dict[str, Any]) -> None:
    estate = an_inventory(a_variant(count=1, **variant), a_model(), CALLS)
    assert "endpoint-idle" not in stories(estate)
