"""What to change, as commands and as properties. AWS replaces a policy and merges nothing: all of it is given."""

import json
import shlex
from typing import Any, NamedTuple

from msgspec import Struct

from chalicelib.inventory.kinds.scaling import COPY_DIMENSION, INSTANCE_DIMENSION, INVOCATIONS_PER_INSTANCE
from chalicelib.rehearsal.proposals import DAY, Proposal, tracked
from chalicelib.rehearsal.rehearsal import Question, Rehearsal
from chalicelib.rehearsal.settings import Setting, TargetTracking

_COPIES = "SageMakerInferenceComponentInvocationsPerCopy"


class Fix(Struct, frozen=True):
    """The way to a proposal. Commands are empty where nothing of an account was rehearsed, or where they would have to
    change a policy whose metric they do not hold."""

    commands: tuple[str, ...]
    cloudformation: str
    terraform: str


class Action(NamedTuple):
    """A scheduled action of every day, in UTC."""

    name: str
    schedule: str
    minimum: int


def fix(answer: Rehearsal) -> Fix | None:
    """How the proposal of a rehearsal is made true; None without a proposal."""
    proposal = answer.proposal
    if not isinstance(proposal, Proposal):
        return None
    setting, policy = proposal.setting, tracked(proposal.setting)
    changed = {"target", "out_cooldown"} & set(proposal.changed)
    wake_up = "wake_up" in proposal.changed
    actions = _actions(answer.question, setting) if "schedule" in proposal.changed else []
    return Fix(
        _commands(answer.question, setting, policy if changed else None, actions, wake_up=wake_up),
        _cloudformation(setting, policy, actions, wake_up=wake_up),
        _terraform(setting, policy, actions, wake_up=wake_up),
    )


def _actions(question: Question, setting: Setting) -> list[Action]:
    """The scheduled actions of a proposal, which come on every day; none for a load that has no time of day."""
    if question.load.begin is None:
        return []
    daily = {(question.load.minute_of_day + action.minute) % DAY: action.minimum for action in setting.scheduled}
    return [
        Action("rise" if minimum != setting.minimum else "rest", f"cron({at % 60} {at // 60} * * ? *)", minimum)
        for at, minimum in daily.items()
        if minimum is not None
    ]


def _commands(
    question: Question, setting: Setting, policy: TargetTracking | None, actions: list[Action], *, wake_up: bool
) -> tuple[str, ...]:
    if question.resource_id is None or (policy is not None and question.policy_name is None):
        return ()
    copies = question.resource_id.startswith("inference-component/")
    target = (
        f"--service-namespace sagemaker --resource-id {shlex.quote(question.resource_id)} "
        f"--scalable-dimension {COPY_DIMENSION if copies else INSTANCE_DIMENSION}"
    )
    region = f" --region {shlex.quote(question.region)}" if question.region else ""
    bounds = f"--min-capacity {setting.minimum} --max-capacity {setting.maximum}"
    commands = [f"register-scalable-target {target} {bounds}"]
    if policy is not None and question.policy_name is not None:
        configuration = json.dumps(_configuration(policy, copies))
        commands.append(
            f"put-scaling-policy {target} --policy-name {shlex.quote(question.policy_name)} "
            f"--policy-type TargetTrackingScaling --target-tracking-scaling-policy-configuration "
            f"{shlex.quote(configuration)}"
        )
    commands += [
        f"put-scheduled-action {target} --scheduled-action-name rehearsal-{action.name} "
        f"--schedule {shlex.quote(action.schedule)} --scalable-target-action MinCapacity={action.minimum}"
        for action in actions
    ]
    written = [f"aws application-autoscaling {command}{region}" for command in commands]
    return (*written, *(_waking(question.resource_id, target, region) if wake_up else ()))


def _waking(resource_id: str, target: str, region: str) -> tuple[str, str]:
    """A step policy that starts the first instance of an asynchronous endpoint, and the alarm that sets it off."""
    endpoint = shlex.quote(resource_id.split("/")[1])
    steps = (
        "AdjustmentType=ChangeInCapacity,MetricAggregationType=Maximum,Cooldown=60,"
        "StepAdjustments=[{MetricIntervalLowerBound=0,ScalingAdjustment=1}]"
    )
    arn = (
        "$(aws application-autoscaling describe-scaling-policies --service-namespace sagemaker --resource-id "
        f"{shlex.quote(resource_id)} --policy-names wake-up --query 'ScalingPolicies[0].PolicyARN' --output text"
        f"{region})"
    )
    return (
        f"aws application-autoscaling put-scaling-policy {target} --policy-name wake-up --policy-type StepScaling "
        f"--step-scaling-policy-configuration {shlex.quote(steps)}{region}",
        f"aws cloudwatch put-metric-alarm --alarm-name {endpoint}-wake-up --namespace AWS/SageMaker --metric-name "
        f"HasBacklogWithoutCapacity --dimensions Name=EndpointName,Value={endpoint} --statistic Average --period 60 "
        "--evaluation-periods 1 --threshold 1 --comparison-operator GreaterThanOrEqualToThreshold "
        f'--treat-missing-data missing --alarm-actions "{arn}"{region}',
    )


def _configuration(policy: TargetTracking, copies: bool) -> dict[str, Any]:
    return {
        "TargetValue": round(policy.target, 6),
        "PredefinedMetricSpecification": {"PredefinedMetricType": _COPIES if copies else INVOCATIONS_PER_INSTANCE},
        "ScaleOutCooldown": policy.out_cooldown,
        "ScaleInCooldown": policy.in_cooldown,
        "DisableScaleIn": policy.low is None,
    }


def _cloudformation(setting: Setting, policy: TargetTracking | None, actions: list[Action], *, wake_up: bool) -> str:
    lines = [
        "# AWS::ApplicationAutoScaling::ScalableTarget",
        f"MinCapacity: {setting.minimum}",
        f"MaxCapacity: {setting.maximum}",
    ]
    if actions:
        lines.append("ScheduledActions:")
    for action in actions:
        lines += [
            f"  - ScheduledActionName: rehearsal-{action.name}",
            f'    Schedule: "{action.schedule}"',
            "    ScalableTargetAction:",
            f"      MinCapacity: {action.minimum}",
        ]
    if policy is not None:
        lines += [
            "# AWS::ApplicationAutoScaling::ScalingPolicy",
            "TargetTrackingScalingPolicyConfiguration:",
            f"  TargetValue: {policy.target:g}",
            f"  ScaleOutCooldown: {policy.out_cooldown}",
            f"  ScaleInCooldown: {policy.in_cooldown}",
        ]
    if wake_up:
        lines += [
            "# AWS::ApplicationAutoScaling::ScalingPolicy, by an alarm on HasBacklogWithoutCapacity >= 1",
            "PolicyType: StepScaling",
            "StepScalingPolicyConfiguration:",
            "  AdjustmentType: ChangeInCapacity",
            "  MetricAggregationType: Maximum",
            "  Cooldown: 60",
            "  StepAdjustments:",
            "    - MetricIntervalLowerBound: 0",
            "      ScalingAdjustment: 1",
        ]
    return "\n".join(lines)


def _terraform(setting: Setting, policy: TargetTracking | None, actions: list[Action], *, wake_up: bool) -> str:
    lines = [
        "# aws_appautoscaling_target",
        f"min_capacity = {setting.minimum}",
        f"max_capacity = {setting.maximum}",
    ]
    if policy is not None:
        lines += [
            "# aws_appautoscaling_policy",
            "target_tracking_scaling_policy_configuration {",
            f"  target_value       = {policy.target:g}",
            f"  scale_out_cooldown = {policy.out_cooldown}",
            f"  scale_in_cooldown  = {policy.in_cooldown}",
            "}",
        ]
    if wake_up:
        lines += [
            "# aws_appautoscaling_policy, by an alarm on HasBacklogWithoutCapacity >= 1",
            'policy_type = "StepScaling"',
            "step_scaling_policy_configuration {",
            '  adjustment_type         = "ChangeInCapacity"',
            '  metric_aggregation_type = "Maximum"',
            "  cooldown                = 60",
            "  step_adjustment {",
            "    metric_interval_lower_bound = 0",
            "    scaling_adjustment          = 1",
            "  }",
            "}",
        ]
    for action in actions:
        lines += [
            "# aws_appautoscaling_scheduled_action",
            f'name     = "rehearsal-{action.name}"',
            f'schedule = "{action.schedule}"',
            "scalable_target_action {",
            f"  min_capacity = {action.minimum}",
            "}",
        ]
    return "\n".join(lines)
