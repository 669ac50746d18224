"""A small account in which every part of the inventory holds a defect, so that nothing can be lost unseen."""

from datetime import datetime, timedelta
from typing import Any

from tests.accounts.door import Record, State
from tests.accounts.shapes import ACCOUNT, NOW

REGION = "eu-west-1"
STEM = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}"
IMAGE = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/own:1"
RETIRED = f"763104351884.dkr.ecr.{REGION}.amazonaws.com/mxnet-inference-eia:1.7.0-cpu-py37"
LONG_AGO, LATELY = NOW - timedelta(days=60), NOW - timedelta(days=2)
TYPE = "ml.m5.large"


def _times(created: datetime = LONG_AGO) -> Record:
    return {"CreationTime": created, "LastModifiedTime": created}


def _endpoint(name: str, status: str = "InService", count: int | None = 2) -> Record:
    variant: Record = {"VariantName": "main", "CurrentWeight": 1.0, "DesiredWeight": 1.0}
    if count is not None:
        variant |= {"CurrentInstanceCount": count, "DesiredInstanceCount": count}
    return {
        "EndpointName": name,
        "EndpointArn": f"{STEM}:endpoint/{name}",
        "EndpointConfigName": name,
        "EndpointStatus": status,
        "ProductionVariants": [variant],
        **_times(),
    }


def _config(name: str, model: str | None, instance_type: str = TYPE, count: int = 2) -> Record:
    variant: Record = {"VariantName": "main", "InstanceType": instance_type, "InitialInstanceCount": count}
    if model is not None:
        variant["ModelName"] = model
    return {
        "EndpointConfigName": name,
        "EndpointConfigArn": f"{STEM}:endpoint-config/{name}",
        "ProductionVariants": [variant],
        **_times(),
    }


def _model(name: str, **more: Any) -> Record:
    return {
        "ModelName": name,
        "ModelArn": f"{STEM}:model/{name}",
        "PrimaryContainer": {"Image": IMAGE},
        **_times(),
        **more,
    }


def _component(name: str, copies: int) -> Record:
    return {
        "InferenceComponentName": name,
        "InferenceComponentArn": f"{STEM}:inference-component/{name}",
        "EndpointName": "host",
        "EndpointArn": f"{STEM}:endpoint/host",
        "VariantName": "main",
        "InferenceComponentStatus": "InService",
        "RuntimeConfig": {"DesiredCopyCount": copies, "CurrentCopyCount": copies},
        "Specification": {"ModelName": "plain"},
        **_times(),
    }


def _scaled(name: str, **more: Any) -> Record:
    return {
        "ServiceNamespace": "sagemaker",
        "ResourceId": f"endpoint/{name}/variant/main",
        "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
        "CreationTime": LONG_AGO,
        **more,
    }


def _target(name: str, minimum: int, maximum: int) -> Record:
    return _scaled(name, MinCapacity=minimum, MaxCapacity=maximum, RoleARN=f"arn:aws:iam::{ACCOUNT}:role/scaling")


def _policy(name: str) -> Record:
    arn = f"arn:aws:autoscaling:{REGION}:{ACCOUNT}:scalingPolicy:{name}"
    alarms = [
        {"AlarmName": f"{name}-{side}", "AlarmARN": f"arn:aws:cloudwatch:{name}-{side}"} for side in ("up", "down")
    ]
    return _scaled(
        name,
        PolicyName="track",
        PolicyARN=arn,
        PolicyType="TargetTrackingScaling",
        Alarms=alarms,
        TargetTrackingScalingPolicyConfiguration={
            "TargetValue": 70.0,
            "PredefinedMetricSpecification": {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"},
            "ScaleInCooldown": 0,
            "ScaleOutCooldown": 600,
        },
    )


def _alarm(name: str, *, actions: bool) -> Record:
    return {
        "AlarmName": name,
        "AlarmArn": f"arn:aws:cloudwatch:{name}",
        "ActionsEnabled": actions,
        "StateValue": "OK",
        "StateUpdatedTimestamp": LATELY,
        "MetricName": "InvocationsPerInstance",
        "Namespace": "AWS/SageMaker",
        "Dimensions": [{"Name": "EndpointName", "Value": name.split("-")[0]}, {"Name": "VariantName", "Value": "main"}],
        "AlarmActions": [f"arn:aws:autoscaling:{REGION}:{ACCOUNT}:scalingPolicy:{name.split('-')[0]}"],
        "Period": 60,
        "EvaluationPeriods": 3,
        "Threshold": 70.0,
        "ComparisonOperator": "GreaterThanThreshold",
    }


def _training(name: str, *, spot: bool, **more: Any) -> Record:
    return {
        "TrainingJobName": name,
        "TrainingJobArn": f"{STEM}:training-job/{name}",
        "TrainingJobStatus": "Completed",
        "SecondaryStatus": "Completed",
        "AlgorithmSpecification": {"TrainingImage": IMAGE, "TrainingInputMode": "File"},
        "ResourceConfig": {"InstanceType": TYPE, "InstanceCount": 1, "VolumeSizeInGB": 10},
        "StoppingCondition": {"MaxRuntimeInSeconds": 7_200, "MaxWaitTimeInSeconds": 14_400},
        "EnableManagedSpotTraining": spot,
        "TrainingTimeInSeconds": 36_000,
        "BillableTimeInSeconds": 36_000,
        "TrainingStartTime": LATELY,
        "TrainingEndTime": LATELY + timedelta(hours=10),
        **_times(LATELY),
        **more,
    }


def _subnet(id: str, vpc: str, zone: str) -> Record:
    return {
        "SubnetId": id,
        "VpcId": vpc,
        "AvailabilityZone": f"{REGION}{zone}",
        "AvailabilityZoneId": f"euw1-az{ord(zone) - 96}",
        "AvailableIpAddressCount": 4,
        "State": "available",
    }


def _points(*values: float) -> list[tuple[datetime, float]]:
    return [(NOW - timedelta(days=day), value) for day, value in enumerate(values, start=1)]


def account() -> State:
    """The account: what is idle, single, walled in, overdue or unscaled, one of each."""
    vpc = {"SecurityGroupIds": ["sg-1"], "Subnets": ["subnet-1", "subnet-2"]}
    state = State()
    state.endpoints = [
        _endpoint("alone", count=1),
        _endpoint("busy"),
        _endpoint("gpu"),
        _endpoint("walled"),
        _endpoint("broken", status="Failed"),
        _endpoint("host"),
        _endpoint("orphaned"),
    ]
    state.configs = [
        _config("alone", "plain", count=1),
        _config("busy", "plain"),
        _config("gpu", "plain", "ml.g5.xlarge"),
        _config("walled", "walled"),
        _config("broken", "plain"),
        _config("host", None, "ml.g5.2xlarge"),
        _config("orphaned", "gone"),
        _config("unused", "plain", count=1),
    ]
    state.models = [
        _model("plain"),
        _model("walled", VpcConfig=vpc),
        _model("batch", VpcConfig=vpc),
        _model(
            "retired",
            PrimaryContainer={
                "Image": f"763104351884.dkr.ecr.{REGION}.amazonaws.com/mxnet-inference-eia:1.7.0-cpu-py37"
            },
        ),
    ]
    state.components = [_component("small", 1), _component("large", 2)]
    state.targets = [_target("busy", 1, 4), _target("gpu", 2, 4), _target("walled", 2, 2), _target("host", 2, 4)]
    state.policies = [_policy("busy"), _policy("walled")]
    state.alarms = [
        _alarm("busy-up", actions=False),
        _alarm("busy-down", actions=True),
        _alarm("walled-up", actions=True),
    ]
    state.schedules = [
        _scaled(
            "busy",
            ScheduledActionName="night",
            Schedule="cron(0 20 * * ? *)",
            ScalableTargetAction={"MinCapacity": 1, "MaxCapacity": 1},
        )
    ]
    state.activities = [
        _scaled(
            "busy",
            ActivityId="1",
            StatusCode="Failed",
            StatusMessage="no capacity",
            Description="Setting desired instance count to 3.",
            Cause="alarm",
            StartTime=NOW - timedelta(minutes=20),
            EndTime=NOW - timedelta(minutes=10),
        )
    ]
    state.subnets = [
        _subnet("subnet-1", "vpc-1", "a"),
        _subnet("subnet-2", "vpc-1", "a"),
        _subnet("subnet-3", "vpc-2", "b"),
    ]
    state.zones = [{"ZoneName": f"{REGION}a", "ZoneId": "euw1-az1", "ZoneType": "availability-zone"}]
    state.notebooks = [
        {
            "NotebookInstanceName": "desk",
            "NotebookInstanceArn": f"{STEM}:notebook-instance/desk",
            "NotebookInstanceStatus": "InService",
            "InstanceType": "ml.p2.xlarge",
            "AcceleratorTypes": ["ml.eia2.medium"],
            **_times(),
        }
    ]
    state.transform_jobs = [
        {
            "TransformJobName": "score",
            "TransformJobArn": f"{STEM}:transform-job/score",
            "TransformJobStatus": "Completed",
            "ModelName": "batch",
            "TransformResources": {"InstanceType": "ml.p2.xlarge", "InstanceCount": 1},
            **_times(LATELY),
        }
    ]
    state.training_jobs = [
        _training("spot", spot=True),
        _training("demand", spot=False, VpcConfig={"SecurityGroupIds": ["sg-1"], "Subnets": ["subnet-3"]}),
        _training("child", spot=False, TuningJobArn=f"{STEM}:hyper-parameter-tuning-job/tune"),
    ]
    state.tuning_jobs = [
        {
            "HyperParameterTuningJobName": "tune",
            "HyperParameterTuningJobArn": f"{STEM}:hyper-parameter-tuning-job/tune",
            "HyperParameterTuningJobStatus": "Completed",
            "TrainingJobDefinition": {
                "AlgorithmSpecification": {"TrainingImage": IMAGE, "TrainingInputMode": "File"},
                "ResourceConfig": {"InstanceType": TYPE, "InstanceCount": 1},
                "StoppingCondition": {"MaxRuntimeInSeconds": 7_200},
                "EnableManagedSpotTraining": False,
            },
            **_times(LATELY),
        }
    ]
    state.recommendations = [
        {"JobName": "tested", "ModelName": "walled", "Status": "COMPLETED", "CompletionTime": LATELY, **_times(LATELY)}
    ]
    for name in ("busy", "walled", "gpu", "alone"):
        state.metrics["Invocations", name, "main"] = _points(*[100.0] * 20)
    for metric in ("GPUUtilization", "GPUMemoryUtilization"):
        state.metrics[metric, "gpu", "main"] = _points(*[2.0] * 20)
    return state
