"""What to change, as commands and as properties. AWS replaces a policy and merges nothing: all of it is given."""

import json
import shlex
from typing import NamedTuple

from msgspec import Struct

from chalicelib.inventory.kinds.scaling import COPY_DIMENSION, INSTANCE_DIMENSION, INVOCATIONS_PER_INSTANCE
from chalicelib.rehearsal.proposals import DAY, Proposal, tracked
from chalicelib.rehearsal.rehearsal import Question, Rehearsal
from chalicelib.rehearsal.settings import Setting, TargetTracking

_COPIES = "SageMakerInferenceComponentInvocationsPerCopy"


class Fix(Struct, frozen=True):
    """The way to a proposal: commands for what changes, and all properties of target and policy. Commands are empty
    where nothing of an account was rehearsed, or where they would have to change a policy whose metric they do not
    hold."""

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
    question, setting, policy = answer.question, proposal.setting, tracked(proposal.setting)
    replaced = policy if {"target", "out_cooldown"} & set(proposal.changed) else None
    wake_up = "wake_up" in proposal.changed
    actions = _actions(question, setting) if "schedule" in proposal.changed else []
    return Fix(
        _commands(question, setting, replaced, actions, wake_up=wake_up),
        _cloudformation(question, setting, policy, actions, wake_up=wake_up),
        _terraform(question, setting, policy, actions, wake_up=wake_up),
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
    target = (
        f"--service-namespace sagemaker --resource-id {shlex.quote(question.resource_id)} "
        f"--scalable-dimension {_dimension(question)}"
    )
    region = f" --region {shlex.quote(question.region)}" if question.region else ""
    bounds = f"--min-capacity {setting.minimum} --max-capacity {setting.maximum}"
    commands = [f"register-scalable-target {target} {bounds}"]
    if policy is not None and question.policy_name is not None:
        configuration = json.dumps(
            {
                "TargetValue": _number(policy.target),
                "PredefinedMetricSpecification": {"PredefinedMetricType": _metric(question)},
                "ScaleOutCooldown": policy.out_cooldown,
                "ScaleInCooldown": policy.in_cooldown,
                "DisableScaleIn": policy.low is None,
            }
        )
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


def _copies(question: Question) -> bool:
    return (question.resource_id or "").startswith("inference-component/")


def _dimension(question: Question) -> str:
    return COPY_DIMENSION if _copies(question) else INSTANCE_DIMENSION


def _metric(question: Question) -> str:
    return _COPIES if _copies(question) else INVOCATIONS_PER_INSTANCE


def _number(target: float) -> float:
    """A target value without the noise of its arithmetic."""
    return round(target, 6)


def _cloudformation(
    question: Question, setting: Setting, policy: TargetTracking | None, actions: list[Action], *, wake_up: bool
) -> str:
    lines = [
        "# AWS::ApplicationAutoScaling::ScalableTarget",
        "ServiceNamespace: sagemaker",
        f"ScalableDimension: {_dimension(question)}",
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
            "PolicyType: TargetTrackingScaling",
            "TargetTrackingScalingPolicyConfiguration:",
            f"  TargetValue: {_number(policy.target):.12g}",
            *(
                ["  PredefinedMetricSpecification:", f"    PredefinedMetricType: {_metric(question)}"]
                if question.policy_name is not None
                else ["  # its metric specification as it is"]
            ),
            f"  ScaleOutCooldown: {policy.out_cooldown}",
            f"  ScaleInCooldown: {policy.in_cooldown}",
            f"  DisableScaleIn: {_written(policy.low is None)}",
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


def _terraform(
    question: Question, setting: Setting, policy: TargetTracking | None, actions: list[Action], *, wake_up: bool
) -> str:
    lines = [
        "# aws_appautoscaling_target",
        'service_namespace  = "sagemaker"',
        f'scalable_dimension = "{_dimension(question)}"',
        f"min_capacity       = {setting.minimum}",
        f"max_capacity       = {setting.maximum}",
    ]
    if policy is not None:
        lines += [
            "# aws_appautoscaling_policy",
            'policy_type = "TargetTrackingScaling"',
            "target_tracking_scaling_policy_configuration {",
            f"  target_value       = {_number(policy.target):.12g}",
            f"  scale_out_cooldown = {policy.out_cooldown}",
            f"  scale_in_cooldown  = {policy.in_cooldown}",
            f"  disable_scale_in   = {_written(policy.low is None)}",
            *(
                [
                    "  predefined_metric_specification {",
                    f'    predefined_metric_type = "{_metric(question)}"',
                    "  }",
                ]
                if question.policy_name is not None
                else ["  # its metric specification as it is"]
            ),
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


def _written(truth: bool) -> str:
    return "true" if truth else "false"
