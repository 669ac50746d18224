"""What to change, as commands that hold all of it and as properties."""

import json
import shlex
from array import array
from datetime import UTC, datetime

import yaml
from msgspec.structs import replace

from chalicelib.rehearsal.fix import Fix, fix
from chalicelib.rehearsal.proposals import Limits
from chalicelib.rehearsal.rehearsal import Basis, Question, Rehearsal, rehearse
from chalicelib.rehearsal.series import Load
from chalicelib.rehearsal.settings import Alarm, Behaviour, Setting, tracking
from tests.unit.rehearsal.loads import load

RESOURCE = "endpoint/orders/variant/main"
STEP = load("100×10 350×30")
DAY = load("100×540 1500×120 100×780")
LATE = replace(tracking(100), high=Alarm(60, 60, 100, above=True))


def rehearsed(values: "array[float]", setting: Setting, **other: object) -> Rehearsal:
    """The rehearsal of a load that begins at midnight."""
    question = Question(
        "orders/main",
        Load(values, datetime(2026, 3, 2, tzinfo=UTC)),
        setting,
        Behaviour(200),
        Basis("a file", "as given", "as given", "assumed"),
        Limits(max_short=0),
        resource_id=RESOURCE,
        policy_name="follow",
        region="eu-west-1",
    )
    return rehearse(replace(question, **other))


def mended(answer: Rehearsal) -> Fix:
    """The fix, which must be there."""
    remedy = fix(answer)
    assert remedy is not None
    return remedy


def test_a_changed_target_comes_with_the_whole_policy() -> None:
    bounds, policy = mended(rehearsed(STEP, Setting(1, 10, (tracking(100, out_cooldown=120),)))).commands
    words = shlex.split(bounds)
    assert words[:3] == ["aws", "application-autoscaling", "register-scalable-target"]
    assert words[-6:] == ["--min-capacity", "1", "--max-capacity", "10", "--region", "eu-west-1"]
    words = shlex.split(policy)
    assert words[words.index("--policy-name") + 1] == "follow"
    assert words[words.index("--resource-id") + 1] == RESOURCE
    assert json.loads(words[words.index("--target-tracking-scaling-policy-configuration") + 1]) == {
        "TargetValue": 90,
        "PredefinedMetricSpecification": {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"},
        "ScaleOutCooldown": 120,
        "ScaleInCooldown": 300,
        "DisableScaleIn": False,
    }


def test_changed_bounds_leave_the_policy_alone() -> None:
    (command,) = mended(rehearsed(load("100×10 700×30"), Setting(1, 10, (tracking(100),)))).commands
    assert "--min-capacity 4 --max-capacity 10" in command


def test_a_policy_whose_metric_is_not_held_is_told_by_its_properties_alone() -> None:
    remedy = mended(rehearsed(STEP, Setting(1, 10, (tracking(100),)), policy_name=None))
    assert remedy.commands == ()
    assert "TargetValue: 90" in remedy.cloudformation and "target_value       = 90" in remedy.terraform
    assert "PredefinedMetric" not in remedy.cloudformation and "predefined_metric" not in remedy.terraform


def test_properties_hold_all_of_target_and_policy() -> None:
    remedy = mended(rehearsed(STEP, Setting(1, 10, (tracking(100, out_cooldown=120),))))
    target, policy = remedy.cloudformation.split("# AWS::ApplicationAutoScaling::ScalingPolicy\n")
    assert yaml.safe_load(target) == {
        "ServiceNamespace": "sagemaker",
        "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
        "MinCapacity": 1,
        "MaxCapacity": 10,
    }
    assert yaml.safe_load(policy) == {
        "PolicyType": "TargetTrackingScaling",
        "TargetTrackingScalingPolicyConfiguration": {
            "TargetValue": 90,
            "PredefinedMetricSpecification": {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"},
            "ScaleOutCooldown": 120,
            "ScaleInCooldown": 300,
            "DisableScaleIn": False,
        },
    }
    assert [" ".join(line.split()) for line in remedy.terraform.splitlines()] == [
        "# aws_appautoscaling_target",
        'service_namespace = "sagemaker"',
        'scalable_dimension = "sagemaker:variant:DesiredInstanceCount"',
        "min_capacity = 1",
        "max_capacity = 10",
        "# aws_appautoscaling_policy",
        'policy_type = "TargetTrackingScaling"',
        "target_tracking_scaling_policy_configuration {",
        "target_value = 90",
        "scale_out_cooldown = 120",
        "scale_in_cooldown = 300",
        "disable_scale_in = false",
        "predefined_metric_specification {",
        'predefined_metric_type = "SageMakerVariantInvocationsPerInstance"',
        "}",
        "}",
    ]


def test_a_daily_rise_becomes_two_scheduled_actions() -> None:
    remedy = mended(rehearsed(array("d", [*DAY] * 4), Setting(1, 10, (LATE,))))
    _, rise, rest = (shlex.split(command) for command in remedy.commands)
    assert rise[2] == "put-scheduled-action"
    assert rise[rise.index("--schedule") + 1] == "cron(0 8 * * ? *)", "an hour before the half hour of 09:00"
    assert rise[rise.index("--scalable-target-action") + 1] == "MinCapacity=9"
    assert rest[rest.index("--schedule") + 1] == "cron(30 9 * * ? *)"
    assert rest[rest.index("--scalable-target-action") + 1] == "MinCapacity=1"
    assert 'Schedule: "cron(0 8 * * ? *)"' in remedy.cloudformation
    assert 'schedule = "cron(30 9 * * ? *)"' in remedy.terraform


def test_without_a_proposal_there_is_nothing_to_mend() -> None:
    assert fix(rehearsed(load("80×30"), Setting(1, 4, (tracking(100),)))) is None
