"""The policies that come with the product, and the schema that editors check policy files against."""

import json
from typing import Any

import jsonschema
import pytest
import yaml

from chalicelib.policy.policy import POLICIES, load_policy, shipped
from chalicelib.rules import RULES
from tests.unit.test_policy import BROKEN
from tools.generate import ROOT

SCHEMA: dict[str, Any] = json.loads((ROOT / "docs" / "policy.schema.json").read_text())
#: What no JSON Schema can say: what other rules exist, what a file elsewhere says, how YAML is written.
BEYOND_A_SCHEMA = {
    "unknown-rule",
    "not-yaml",
    "tab",
    "key-twice",
    "impossible-date",
    "exemption-with-a-bad-date",
    "exemption-of-an-unknown-rule",
    "extends-nothing-there",
    "number-as-a-key",
    "custom-rule-bad-jmespath",
    "custom-rule-an-id-that-is-taken",
    "custom-rule-of-an-unknown-fact",
    "exemption-of-everything",
    "exemption-that-nobody-stands-for",
    "exemption-without-an-end",
}


def valid(policy: Any) -> bool:
    return not list(jsonschema.Draft202012Validator(SCHEMA).iter_errors(policy))


@pytest.mark.parametrize("name", shipped())
def test_a_shipped_policy_loads_and_fits_the_schema(name: str) -> None:
    assert load_policy(name).enabled()
    assert valid(yaml.safe_load((POLICIES / f"{name}.yaml").read_text()))


@pytest.mark.parametrize("broken", [name for name in BROKEN if name not in BEYOND_A_SCHEMA])
def test_the_schema_refuses_what_the_loader_refuses(broken: str) -> None:
    assert not valid(yaml.safe_load(BROKEN[broken].read_text()))


def test_there_are_four() -> None:
    assert shipped() == ["baseline", "cost", "resilience", "strict"]


def test_strict_turns_everything_on() -> None:
    assert set(load_policy("strict").enabled()) == set(RULES)
    assert {id for id, rule in RULES.items() if not rule.enabled} == {
        "inference-component-no-az-balance",
        "endpoint-instances-in-one-zone",
        "endpoint-update-without-rollback",
        "endpoint-without-alarms",
        "pipeline-bottleneck-container",
        "endpoint-cpu-oversized",
        "endpoint-mostly-unused",
        "notebook-never-stops",
        "studio-app-idle",
        "training-checkpoint-not-written",
        "training-data-in-other-region",
    }


def test_cost_and_resilience_have_in_common_what_costs_and_breaks() -> None:
    both = set(load_policy("cost").enabled()) & set(load_policy("resilience").enabled())
    assert both == {"training-data-in-other-region"}
    assert "endpoint-idle" in load_policy("cost").enabled()
    assert "endpoint-single-instance" in load_policy("resilience").enabled()


def test_the_schema_knows_every_rule_and_every_parameter() -> None:
    rules = SCHEMA["properties"]["rules"]["properties"]
    assert rules.keys() == RULES.keys()
    for id, rule in RULES.items():
        assert rules[id]["properties"].keys() == {"enabled", "severity", "mode", *rule.params.model_fields}
