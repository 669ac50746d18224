"""The probes: one for every operation, valid for AWS, harmless, and what is blind without each."""

import json
import re
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.validate import ParamValidator

from chalicelib.doctor.probes import NAME, needed, note_on, probes
from chalicelib.inventory.aws import boto3_name
from chalicelib.inventory.parts import NARROW_ONLY, OPERATIONS, SWEEP_ONLY, Part, action
from chalicelib.policy.policy import load_policy
from chalicelib.scope import Scope
from samples.builders import ACCOUNT, NOW, REGION

pytestmark = pytest.mark.thorough  # AWS's models are read from their files

EVERY_OPERATION = sorted({operation for operations in OPERATIONS.values() for operation in operations})
PROBES = probes(Scope(ACCOUNT, REGION), NOW)
SESSION = boto3.Session(region_name=REGION, aws_access_key_id="none", aws_secret_access_key="none")
#: Metrics of what there is not are no error: their answer is an empty one.
OF_METRICS = {"cloudwatch:GetMetricData", "cloudwatch:ListMetrics"}
GRANTED = Path(__file__).resolve().parents[2] / ".chalice" / "policy-api_handler.json"


def model_of(operation: str) -> Any:
    service, name = operation.split(":")
    return SESSION.client(boto3_name(service)).meta.service_model.operation_model(name)


def test_every_operation_of_the_inventory_has_a_probe_and_nothing_else_has() -> None:
    assert sorted(PROBES) == EVERY_OPERATION


@pytest.mark.parametrize("operation", EVERY_OPERATION)
def test_aws_would_take_the_parameters(operation: str) -> None:
    shape = model_of(operation).input_shape
    probe = PROBES[operation]
    problems = ParamValidator().validate(dict(probe.parameters), shape)
    assert not problems.has_errors(), problems.generate_report()
    for name, value in probe.parameters.items():
        pattern = shape.members[name].metadata.get("pattern")
        assert pattern is None or re.fullmatch(pattern, str(value)), f"{name} {value!r} does not match {pattern}"
        longest = shape.members[name].metadata.get("max")
        if isinstance(value, str) and longest is not None:
            assert len(value) <= longest


@pytest.mark.parametrize("operation", EVERY_OPERATION)
def test_a_probe_only_reads(operation: str) -> None:
    assert re.match(r"[a-z0-9-]+:(Describe|Get|Head|List|Search)", operation)


@pytest.mark.parametrize("operation", EVERY_OPERATION)
def test_a_probe_asks_for_little(operation: str) -> None:
    probe = PROBES[operation]
    shape = model_of(operation).input_shape
    bounds = {"MaxResults", "MaxRecords", "DryRun"} & probe.parameters.keys()
    assert bounds or probe.named or operation in OF_METRICS
    assert "DryRun" in probe.parameters or "DryRun" not in shape.members
    assert probe.named == (NAME in str(probe.parameters) and operation not in OF_METRICS)


def test_tags_are_asked_for_in_the_partition_of_the_region() -> None:
    china = probes(Scope(ACCOUNT, "cn-north-1", "aws-cn"), NOW)
    arn = f"arn:aws-cn:sagemaker:cn-north-1:{ACCOUNT}:endpoint/{NAME}"
    assert china["sagemaker:ListTags"].parameters == {"ResourceArn": arn}


def test_a_sweep_and_an_event_together_need_every_operation_of_the_widest_policy() -> None:
    rules = load_policy("strict").enabled()
    sweep, event = needed(rules, sweep=True), needed(rules, sweep=False)
    assert set(sweep) | set(event) == set(EVERY_OPERATION)
    assert not set(sweep) & NARROW_ONLY
    assert not set(event) & SWEEP_ONLY


def test_the_names_are_those_that_our_own_roles_grant() -> None:
    granted = {name for statement in json.loads(GRANTED.read_text())["Statement"] for name in statement["Action"]}
    assert {action(operation) for operation in EVERY_OPERATION} <= granted


def test_only_enabled_rules_cost_a_probe() -> None:
    rules = load_policy().enabled(["autoscaling-suspended"])
    assert Part.SUBNETS not in rules["autoscaling-suspended"].rule.reads
    asked = needed(rules, sweep=True)
    assert "ec2:DescribeSubnets" not in asked
    assert asked["application-autoscaling:DescribeScalableTargets"] == ["autoscaling-suspended"]


def test_what_is_made_up_for_leaves_no_rule_blind_and_says_so() -> None:
    asked = needed(load_policy().enabled(), sweep=True)
    assert asked["sagemaker:Search"] == []
    assert "read instead" in note_on("sagemaker:Search", sweep=True)
    assert "Owners" in note_on("sagemaker:ListTags", sweep=False)
