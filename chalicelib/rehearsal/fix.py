"""What to change, as commands and as properties. AWS replaces a policy and merges nothing: all of it is given."""

import json
import shlex
from dataclasses import dataclass
from typing import Any

from chalicelib.inventory.kinds.scaling import COPY_DIMENSION, INSTANCE_DIMENSION, INVOCATIONS_PER_INSTANCE
from chalicelib.rehearsal.proposals import Proposal, tracked
from chalicelib.rehearsal.rehearsal import Rehearsal
from chalicelib.rehearsal.settings import Setting, TargetTracking

_COPIES = "SageMakerInferenceComponentInvocationsPerCopy"


@dataclass(frozen=True, slots=True)
class Fix:
    """The way to a proposal. Commands are empty where nobody said what they would change."""

    commands: tuple[str, ...]
    cloudformation: str
    terraform: str


def fix(answer: Rehearsal) -> Fix | None:
    """How the proposal of a rehearsal is made true; None without a proposal. A schedule is left to its owner: when the
    rise comes is the business's to say."""
    proposal = answer.proposal
    if not isinstance(proposal, Proposal):
        return None
    setting, policy = proposal.setting, tracked(proposal.setting)
    changed = {"target", "out_cooldown"} & set(proposal.changed)
    return Fix(
        _commands(answer, setting, policy if changed else None),
        _cloudformation(setting, policy),
        _terraform(setting, policy),
    )


def _commands(answer: Rehearsal, setting: Setting, policy: TargetTracking | None) -> tuple[str, ...]:
    question = answer.question
    if question.resource_id is None:
        return ()
    copies = question.resource_id.startswith("inference-component/")
    target = (
        f"--service-namespace sagemaker --resource-id {shlex.quote(question.resource_id)} "
        f"--scalable-dimension {COPY_DIMENSION if copies else INSTANCE_DIMENSION}"
    )
    bounds = f"--min-capacity {setting.minimum} --max-capacity {setting.maximum}"
    commands = [f"aws application-autoscaling register-scalable-target {target} {bounds}"]
    if policy is not None and question.policy_name is not None:
        configuration = json.dumps(_configuration(policy, copies))
        commands.append(
            f"aws application-autoscaling put-scaling-policy {target} --policy-name "
            f"{shlex.quote(question.policy_name)} --policy-type TargetTrackingScaling "
            f"--target-tracking-scaling-policy-configuration {shlex.quote(configuration)}"
        )
    return tuple(commands)


def _configuration(policy: TargetTracking, copies: bool) -> dict[str, Any]:
    return {
        "TargetValue": round(policy.target, 6),
        "PredefinedMetricSpecification": {"PredefinedMetricType": _COPIES if copies else INVOCATIONS_PER_INSTANCE},
        "ScaleOutCooldown": policy.out_cooldown,
        "ScaleInCooldown": policy.in_cooldown,
        "DisableScaleIn": policy.low is None,
    }


def _cloudformation(setting: Setting, policy: TargetTracking | None) -> str:
    lines = [
        "# AWS::ApplicationAutoScaling::ScalableTarget",
        f"MinCapacity: {setting.minimum}",
        f"MaxCapacity: {setting.maximum}",
    ]
    if policy is not None:
        lines += [
            "# AWS::ApplicationAutoScaling::ScalingPolicy",
            "TargetTrackingScalingPolicyConfiguration:",
            f"  TargetValue: {policy.target:g}",
            f"  ScaleOutCooldown: {policy.out_cooldown}",
            f"  ScaleInCooldown: {policy.in_cooldown}",
        ]
    return "\n".join(lines)


def _terraform(setting: Setting, policy: TargetTracking | None) -> str:
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
    return "\n".join(lines)
