"""Templates for the tests of ``auditor plan``: one base that passes, and what is judged of a change to it."""

import copy
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from chalicelib.plan.judged import ACCOUNT, Judged, judged
from chalicelib.plan.template import declared, document
from chalicelib.policy.policy import load_policy
from chalicelib.report.outcomes import Verdict
from chalicelib.scope import Scope
from samples.builders import LDA

FIXTURES = Path(__file__).resolve().parents[1] / "fixtures" / "plan"
NOW = datetime(2026, 11, 24, tzinfo=UTC)
SCOPE = Scope(ACCOUNT, "eu-west-1")
STRICT = load_policy("strict")
EVERY_RULE = replace(STRICT, rules={id: replace(setting, enabled=True) for id, setting in STRICT.rules.items()})
DIMENSION = "sagemaker:variant:DesiredInstanceCount"

#: Everything that is read of a template, without a defect that its values alone show.
SOUND: dict[str, Any] = {
    "Parameters": {f"Nowhere{suffix}": {"Type": "String"} for suffix in ("", "2", "3", "4")},
    "Resources": {
        "Vpc": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.0.0.0/16"}},
        "SubnetA": {
            "Type": "AWS::EC2::Subnet",
            "Properties": {"VpcId": {"Ref": "Vpc"}, "AvailabilityZone": "eu-west-1a"},
        },
        "SubnetB": {
            "Type": "AWS::EC2::Subnet",
            "Properties": {"VpcId": {"Ref": "Vpc"}, "AvailabilityZone": "eu-west-1b"},
        },
        "Model": {
            "Type": "AWS::SageMaker::Model",
            "Properties": {
                "ModelName": "churn-model",
                "PrimaryContainer": {"Image": LDA},
                "VpcConfig": {"Subnets": [{"Ref": "SubnetA"}, {"Ref": "SubnetB"}], "SecurityGroupIds": ["sg-1"]},
            },
        },
        "Config": {
            "Type": "AWS::SageMaker::EndpointConfig",
            "Properties": {
                "EndpointConfigName": "churn-config",
                "ProductionVariants": [
                    {
                        "VariantName": "AllTraffic",
                        "ModelName": "churn-model",
                        "InitialInstanceCount": 2,
                        "InitialVariantWeight": 1,
                        "InstanceType": "ml.m5.large",
                    }
                ],
            },
        },
        "Endpoint": {
            "Type": "AWS::SageMaker::Endpoint",
            "Properties": {"EndpointName": "churn", "EndpointConfigName": "churn-config"},
        },
        "Target": {
            "Type": "AWS::ApplicationAutoScaling::ScalableTarget",
            "Properties": {
                "ServiceNamespace": "sagemaker",
                "ScalableDimension": DIMENSION,
                "ResourceId": "endpoint/churn/variant/AllTraffic",
                "MinCapacity": 2,
                "MaxCapacity": 6,
                "SuspendedState": {"DynamicScalingInSuspended": False},
                "ScheduledActions": [{"ScheduledActionName": "night", "Schedule": "cron(0 20 * * ? *)"}],
            },
        },
        "Policy": {
            "Type": "AWS::ApplicationAutoScaling::ScalingPolicy",
            "Properties": {
                "PolicyName": "invocations",
                "PolicyType": "TargetTrackingScaling",
                "ServiceNamespace": "sagemaker",
                "ScalableDimension": DIMENSION,
                "ResourceId": "endpoint/churn/variant/AllTraffic",
                "TargetTrackingScalingPolicyConfiguration": {
                    "TargetValue": 450,
                    "ScaleInCooldown": 600,
                    "ScaleOutCooldown": 60,
                    "DisableScaleIn": False,
                    "CustomizedMetricSpecification": {
                        "MetricName": "CPUUtilization",
                        "Namespace": "/aws/sagemaker/Endpoints",
                        "Statistic": "Average",
                        "Dimensions": [
                            {"Name": "EndpointName", "Value": "churn"},
                            {"Name": "VariantName", "Value": "AllTraffic"},
                        ],
                    },
                },
            },
        },
        "LlmConfig": {
            "Type": "AWS::SageMaker::EndpointConfig",
            "Properties": {
                "EndpointConfigName": "llm-config",
                "ProductionVariants": [
                    {
                        "VariantName": "hosts",
                        "InitialInstanceCount": 2,
                        "InstanceType": "ml.g5.xlarge",
                        "ManagedInstanceScaling": {"Status": "ENABLED", "MinInstanceCount": 2, "MaxInstanceCount": 4},
                    }
                ],
            },
        },
        "Llm": {
            "Type": "AWS::SageMaker::Endpoint",
            "Properties": {"EndpointName": "llm", "EndpointConfigName": "llm-config"},
        },
        "Component": {
            "Type": "AWS::SageMaker::InferenceComponent",
            "Properties": {
                "InferenceComponentName": "chat",
                "EndpointName": "llm",
                "VariantName": "hosts",
                "Specification": {"Container": {"Image": "000000000000.dkr.ecr.eu-west-1.amazonaws.com/chat:1"}},
                "RuntimeConfig": {"CopyCount": 2},
            },
        },
        "ComponentTarget": {
            "Type": "AWS::ApplicationAutoScaling::ScalableTarget",
            "Properties": {
                "ServiceNamespace": "sagemaker",
                "ScalableDimension": "sagemaker:inference-component:DesiredCopyCount",
                "ResourceId": "inference-component/chat",
                "MinCapacity": 2,
                "MaxCapacity": 4,
                "ScheduledActions": [{"ScheduledActionName": "day", "Schedule": "cron(0 6 * * ? *)"}],
            },
        },
        "QueueConfig": {
            "Type": "AWS::SageMaker::EndpointConfig",
            "Properties": {
                "EndpointConfigName": "queue-config",
                "AsyncInferenceConfig": {"OutputConfig": {"S3OutputPath": "s3://out"}},
                "ProductionVariants": [
                    {
                        "VariantName": "AllTraffic",
                        "ModelName": "churn-model",
                        "InitialInstanceCount": 2,
                        "InstanceType": "ml.m5.large",
                    }
                ],
            },
        },
        "Queue": {
            "Type": "AWS::SageMaker::Endpoint",
            "Properties": {"EndpointName": "queue", "EndpointConfigName": "queue-config"},
        },
        "QueueTarget": {
            "Type": "AWS::ApplicationAutoScaling::ScalableTarget",
            "Properties": {
                "ServiceNamespace": "sagemaker",
                "ScalableDimension": DIMENSION,
                "ResourceId": "endpoint/queue/variant/AllTraffic",
                "MinCapacity": 0,
                "MaxCapacity": 4,
            },
        },
        "WakeUp": {
            "Type": "AWS::ApplicationAutoScaling::ScalingPolicy",
            "Properties": {
                "PolicyName": "wake-up",
                "PolicyType": "StepScaling",
                "ScalingTargetId": {"Ref": "QueueTarget"},
                "StepScalingPolicyConfiguration": {
                    "AdjustmentType": "ChangeInCapacity",
                    "StepAdjustments": [{"MetricIntervalLowerBound": 0, "ScalingAdjustment": 1}],
                },
            },
        },
        "WakeUpAlarm": {
            "Type": "AWS::CloudWatch::Alarm",
            "Properties": {
                "MetricName": "HasBacklogWithoutCapacity",
                "Namespace": "AWS/SageMaker",
                "ActionsEnabled": True,
                "AlarmActions": [{"Ref": "WakeUp"}],
                "Dimensions": [{"Name": "EndpointName", "Value": "queue"}],
                "Period": 60,
                "EvaluationPeriods": 1,
                "Threshold": 1,
                "ComparisonOperator": "GreaterThanOrEqualToThreshold",
            },
        },
        "Notebook": {
            "Type": "AWS::SageMaker::NotebookInstance",
            "Properties": {"NotebookInstanceName": "lab", "InstanceType": "ml.t3.medium", "AcceleratorTypes": []},
        },
    },
}


def changed(*changes: tuple[str, Any], base: Mapping[str, Any] = SOUND) -> dict[str, Any]:
    """The base with values at dotted paths below Resources replaced; None takes a value away."""
    made: dict[str, Any] = copy.deepcopy(dict(base))
    for path, value in changes:
        keys: list[Any] = [int(key) if key.isdigit() else key for key in path.split(".")]
        inner = made["Resources"]
        for key in keys[:-1]:
            inner = inner[key]
        if value is None:
            del inner[keys[-1]]
        else:
            inner[keys[-1]] = value
    return made


def judgement(
    template: Mapping[str, Any] | str, parameters: Mapping[str, str] | None = None, policy: Any = EVERY_RULE
) -> Judged:
    """What is judged of a template, given as data or as text."""
    text = template if isinstance(template, str) else json.dumps(template)
    made = declared(document("template.yaml", text), SCOPE, parameters or {})
    return judged([made], policy, SCOPE, NOW)


def verdicts(judged: Judged) -> dict[tuple[str, str], Verdict]:
    """Each verdict by rule and name of the resource."""
    return {(rule, name): outcome.verdict for (rule, _, name), outcome in judged.outcomes.items()}


def failing(judged: Judged) -> set[tuple[str, str, str]]:
    return {key for key, outcome in judged.outcomes.items() if outcome.verdict is Verdict.FAIL}
