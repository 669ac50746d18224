"""The JSON of Terraform plans: what is known, what is known after apply only, and what refers to what."""

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest

from chalicelib.errors import InvalidInput
from chalicelib.plan.judged import Judged, judged
from chalicelib.plan.terraform import declared
from chalicelib.report.outcomes import Verdict
from tests.unit.plan_cases import EVERY_RULE, FIXTURES, NOW, SCOPE, verdicts

pytestmark = pytest.mark.thorough

PLAN: dict[str, Any] = json.loads((FIXTURES / "terraform-plan.json").read_text())
FAIL, PASS, UNKNOWN = Verdict.FAIL, Verdict.PASS, Verdict.UNKNOWN
Change = Callable[["Edit"], None]


class Edit:
    """A copy of the plan to be changed."""

    def __init__(self) -> None:
        self.plan = copy.deepcopy(PLAN)
        self.modules = [self.plan["planned_values"]["root_module"]]
        self.modules += self.modules[0]["child_modules"]

    def values(self, address: str) -> dict[str, Any]:
        resources = (
            resource for module in self.modules for resource in module["resources"] if resource["address"] == address
        )
        values: dict[str, Any] = next(resources)["values"]
        return values

    def unknown(self, address: str) -> dict[str, Any]:
        change = next(change for change in self.plan["resource_changes"] if change["address"] == address)
        unknown: dict[str, Any] = change["change"]["after_unknown"]
        return unknown

    def expressions(self, address: str) -> dict[str, Any]:
        listed = self.plan["configuration"]["root_module"]["resources"]
        expressions: dict[str, Any] = next(name for name in listed if name["address"] == address)["expressions"]
        return expressions

    def without(self, address: str) -> None:
        for module in self.modules:
            module["resources"] = [resource for resource in module["resources"] if resource["address"] != address]


def judgement(change: Change | None = None) -> Judged:
    edit = Edit()
    if change is not None:
        change(edit)
    return judged([declared("plan.json", edit.plan, SCOPE)], EVERY_RULE, SCOPE, NOW)


TARGET = "module.scaling.aws_appautoscaling_target.churn[0]"
CONFIG = "aws_sagemaker_endpoint_configuration.churn"
MODEL = "aws_sagemaker_model.churn"


def one_instance(edit: Edit) -> None:
    edit.values(CONFIG)["production_variants"][0]["initial_instance_count"] = 1


def unknown_count(edit: Edit) -> None:
    edit.values(CONFIG)["production_variants"][0]["initial_instance_count"] = None
    edit.unknown(CONFIG)["production_variants"][0]["initial_instance_count"] = True


def without_target(edit: Edit) -> None:
    edit.without(TARGET)


def unknown_target(edit: Edit) -> None:
    del edit.values(TARGET)["resource_id"]
    edit.unknown(TARGET)["resource_id"] = True


def one_zone(edit: Edit) -> None:
    edit.values("aws_subnet.b")["availability_zone"] = "eu-west-1a"


def unknown_zone(edit: Edit) -> None:
    del edit.values("aws_subnet.b")["availability_zone"]
    edit.unknown("aws_subnet.b")["availability_zone"] = True


def subnets_of_a_module(edit: Edit) -> None:
    edit.expressions(MODEL)["vpc_config"][0]["subnets"] = {"references": ["module.vpc.private_subnets", "module.vpc"]}


def subnets_by_choice(edit: Edit) -> None:
    references = edit.expressions(MODEL)["vpc_config"][0]["subnets"]["references"]
    references.insert(0, "var.highly_available")


def some_subnets_of_a_list(edit: Edit) -> None:
    edit.expressions(MODEL)["vpc_config"][0]["subnets"] = {"references": ["aws_subnet.a", "aws_subnet.b"]}


def some_subnets_in_one_zone(edit: Edit) -> None:
    some_subnets_of_a_list(edit)
    one_zone(edit)


def config_elsewhere(edit: Edit) -> None:
    edit.expressions("aws_sagemaker_endpoint.churn")["endpoint_config_name"] = {"references": ["var.config"]}


@pytest.mark.parametrize(
    ("rule", "name", "verdict", "change"),
    [
        ("endpoint-single-instance", "churn/AllTraffic", PASS, None),
        ("endpoint-single-instance", "churn/AllTraffic", FAIL, one_instance),
        ("endpoint-single-instance", "churn/AllTraffic", UNKNOWN, unknown_count),
        ("variant-no-autoscaling", "churn/AllTraffic", PASS, None),
        ("variant-no-autoscaling", "churn/AllTraffic", FAIL, without_target),
        ("variant-no-autoscaling", "churn/AllTraffic", UNKNOWN, unknown_target),
        ("model-vpc-single-az", "churn", PASS, None),
        ("model-vpc-single-az", "churn", FAIL, one_zone),
        ("model-vpc-single-az", "churn", UNKNOWN, unknown_zone),
        ("model-vpc-single-az", "churn", UNKNOWN, subnets_of_a_module),
        ("model-vpc-single-az", "churn", UNKNOWN, subnets_by_choice),
        ("model-vpc-single-az", "churn", UNKNOWN, some_subnets_of_a_list),
        ("model-vpc-single-az", "churn", FAIL, some_subnets_in_one_zone),
        ("vpc-single-az", "aws_vpc.main", PASS, None),
        ("vpc-single-az", "aws_vpc.main", FAIL, one_zone),
        ("endpoint-degraded", "churn", UNKNOWN, config_elsewhere),
    ],
)
def test_a_rule_judges_a_plan(rule: str, name: str, verdict: Verdict, change: Change | None) -> None:
    assert verdicts(judgement(change))[rule, name] is verdict


def test_what_the_plan_deletes_is_not_judged() -> None:
    assert "old" not in {name for _, _, name in judgement().outcomes}


def test_an_inference_component_and_managed_scaling_are_read() -> None:
    def with_component(edit: Edit) -> None:
        variant = edit.values(CONFIG)["production_variants"][0]
        variant["model_name"] = None
        variant["managed_instance_scaling"] = [{"status": "ENABLED", "min_instance_count": 1, "max_instance_count": 2}]
        values = {
            "name": "chat",
            "endpoint_name": "churn",
            "variant_name": "AllTraffic",
            "runtime_config": [{"copy_count": 1}],
            "specification": [{"container": [{"image": "mine"}], "base_inference_component_name": None}],
        }
        component = {"address": "aws_sagemaker_inference_component.chat", "type": "aws_sagemaker_inference_component"}
        edit.modules[0]["resources"].append({**component, "mode": "managed", "values": values})

    outcomes = verdicts(judgement(with_component))
    assert outcomes["inference-component-single-copy", "churn/chat"] is FAIL
    assert outcomes["autoscaling-min-below-two", "churn/AllTraffic"] is FAIL


def test_a_value_known_after_apply_only_adds_no_finding() -> None:
    before = {key for key, verdict in verdicts(judgement()).items() if verdict is FAIL}
    for change in PLAN["resource_changes"]:
        address = change["address"]
        values = change["change"]["after"] or {}
        for key in values:

            def unknown(edit: Edit, address: str = address, key: str = key) -> None:
                del edit.values(address)[key]
                edit.unknown(address)[key] = True

            outcomes = verdicts(judgement(unknown))
            assert (address, key, {pair for pair, verdict in outcomes.items() if verdict is FAIL} - before) == (
                address,
                key,
                set(),
            )


@pytest.mark.parametrize(
    ("plan", "message"),
    [
        ({"planned_values": {}, "format_version": "2.0"}, "format version 2.0; accepted are 0 and 1"),
        (
            {"planned_values": {"root_module": {"resources": [{"type": "aws_vpc"}]}}, "format_version": "1.0"},
            "KeyError",
        ),
        ({"planned_values": [], "resource_changes": [1], "format_version": "1.0"}, "not as `terraform show -json`"),
    ],
)
def test_what_is_no_plan_is_told(plan: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        declared("plan.json", plan, SCOPE)
