"""Accounts made from botocore's own service models: every optional field there or not, every enumerated value and one
that nobody knows yet, numbers at their bounds. References between records (an endpoint's config, its model, its
subnets) mostly hold, and now and then lead nowhere.

A seed makes an account, always the same: drawing every field by a property-testing library's own means took 0.2 s each.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from random import Random
from typing import Any

import botocore.session
from botocore.model import ServiceModel

from tests.accounts.door import Record, State

NOW = datetime(2026, 11, 22, 6, tzinfo=UTC)
ACCOUNT = "123456789012"

#: The moments that matter to rules: just now, within a grace, within a window, long ago.
MOMENTS = [NOW - timedelta(**age) for age in ({"minutes": 1}, {"hours": 3}, {"days": 2}, {"days": 20}, {"days": 400})]
ENDPOINTS, CONFIGS, MODELS, VARIANTS = ["churn", "fraud"], ["churn-1", "fraud-1"], ["tree", "llm"], ["blue", "green"]
COMPONENTS, SUBNETS, VPCS = ["adapter", "base"], ["subnet-a", "subnet-b", "subnet-c"], ["vpc-1"]
IMAGES = [
    f"{ACCOUNT}.dkr.ecr.eu-west-1.amazonaws.com/own:1",
    "141502667606.dkr.ecr.eu-west-1.amazonaws.com/sagemaker-xgboost:1.3-1",
    "685385470294.dkr.ecr.eu-west-1.amazonaws.com/blazingtext:1",
    "763104351884.dkr.ecr.eu-west-1.amazonaws.com/pytorch-inference:2.3-gpu",
    "no-registry",
]
TYPES = ["ml.m5.large", "ml.g5.xlarge", "ml.p3.2xlarge", "ml.t2.medium", "ml.inf1.xlarge", "ml.new9.huge"]
#: What stands under these names is drawn from here, so that records refer to each other.
NAMES: Mapping[str, list[Any]] = {
    "EndpointName": ENDPOINTS,
    "EndpointConfigName": CONFIGS,
    "ModelName": MODELS,
    "ModelNameOverride": MODELS,
    "VariantName": VARIANTS,
    "InferenceComponentName": COMPONENTS,
    "BaseInferenceComponentName": COMPONENTS,
    "Subnets": [SUBNETS[:1], SUBNETS[:2], SUBNETS],
    "SecurityGroupIds": [["sg-1"]],
    "Image": IMAGES,
    "TrainingImage": IMAGES,
    "InstanceType": TYPES,
    "TuningJobArn": [f"arn:aws:sagemaker:eu-west-1:{ACCOUNT}:hyper-parameter-tuning-job/tune"],
}
#: Nothing that a rule reads lies deeper than this.
DEPTH = 5


@cache
def service(name: str) -> ServiceModel:
    """botocore's model of a service."""
    return botocore.session.get_session().get_service_model(name)


class Maker:
    """Makes records in the shapes of botocore's models. ``often`` is how likely an optional field is there."""

    def __init__(self, random: Random, often: float) -> None:
        self.random = random
        self.often = often

    def described(self, operation: str, **fixed: Any) -> Record:
        """A record in the shape of a SageMaker operation's answer; ``fixed`` fields stand as given."""
        shape = service("sagemaker").operation_model(operation).output_shape
        return {**self._structure(shape, DEPTH), **fixed}

    def listed(self, shape: str, *, of: str, **fixed: Any) -> Record:
        """A record in the shape of this name; ``fixed`` fields stand as given."""
        return {**self._structure(service(of).shape_for(shape), DEPTH), **fixed}

    def some(self, names: list[str]) -> list[str]:
        """These names, each there or not."""
        return [name for name in names if self.random.random() < 0.8]

    def _structure(self, shape: Any, depth: int) -> Record:
        kept = [
            name
            for name in shape.members
            if name in shape.required_members or (depth > 0 and self.random.random() < self.often)
        ]
        return {name: self._value(name, shape.members[name], depth - 1) for name in kept}

    def _value(self, name: str, shape: Any, depth: int) -> Any:
        pick = self.random.choice
        if name in NAMES:
            return pick(NAMES[name])
        if shape.type_name == "structure":
            return self._structure(shape, depth)
        if shape.type_name == "list":
            return [self._value("", shape.member, depth) for _ in range(pick([0, 1, 1, 2]))]
        if shape.type_name == "map":
            return {"mode": "supervised"} if self.random.random() < self.often else {}
        if shape.type_name == "timestamp":
            return pick(MOMENTS)
        if shape.type_name == "boolean":
            return pick([True, False])
        if shape.type_name in ("integer", "long"):
            return pick(_bounds(shape.metadata))
        if shape.type_name in ("float", "double"):
            return pick([0.0, 0.5, 1.0, 70.0])
        if getattr(shape, "enum", None):
            return pick([*shape.enum, "NotYetKnown"])
        return pick(["text", f"arn:aws:s3:::bucket/{name or 'item'}"])


def _bounds(metadata: Mapping[str, Any]) -> list[int]:
    low, high = int(metadata.get("min", 0)), int(metadata.get("max", 10_000))
    return sorted({low, min(low + 1, high), min(low + 2, high), high})


#: Kinds of SageMaker: the list of the state, the operation that describes one, its name field, names, the ARN's stem.
KINDS = [
    ("endpoints", "DescribeEndpoint", "EndpointName", ENDPOINTS, "endpoint"),
    ("configs", "DescribeEndpointConfig", "EndpointConfigName", CONFIGS, "endpoint-config"),
    ("models", "DescribeModel", "ModelName", MODELS, "model"),
    ("components", "DescribeInferenceComponent", "InferenceComponentName", COMPONENTS, "inference-component"),
    ("notebooks", "DescribeNotebookInstance", "NotebookInstanceName", ["desk"], "notebook-instance"),
    ("transform_jobs", "DescribeTransformJob", "TransformJobName", ["batch"], "transform-job"),
    ("training_jobs", "DescribeTrainingJob", "TrainingJobName", ["fit", "fit-2"], "training-job"),
    (
        "tuning_jobs",
        "DescribeHyperParameterTuningJob",
        "HyperParameterTuningJobName",
        ["tune"],
        "hyper-parameter-tuning-job",
    ),
]
SCALING = {
    "targets": "ScalableTarget",
    "policies": "ScalingPolicy",
    "schedules": "ScheduledAction",
    "activities": "ScalingActivity",
}
DIMENSIONS = [
    "sagemaker:variant:DesiredInstanceCount",
    "sagemaker:variant:DesiredProvisionedConcurrency",
    "sagemaker:inference-component:DesiredCopyCount",
]
SCALED = [f"endpoint/{endpoint}/variant/{variant}" for endpoint in ENDPOINTS for variant in VARIANTS]
SCALED += [f"inference-component/{name}" for name in COMPONENTS] + ["endpoint/gone/variant/blue"]


def account(seed: int) -> State:
    """An account and region, as its records; the same seed makes the same account."""
    random = Random(seed)
    maker = Maker(random, random.choice([0.15, 0.5, 0.85]))
    state = State()
    for list_name, operation, field, names, stem in KINDS:
        for name in maker.some(names):
            arn = f"arn:aws:sagemaker:eu-west-1:{ACCOUNT}:{stem}/{name}"
            record = maker.described(operation, **{field: name, f"{field.removesuffix('Name')}Arn": arn})
            if "ServerlessJobConfig" in record:
                record.pop("ResourceConfig", None)  # a job has instances of its own or is serverless, never both
            getattr(state, list_name).append(record)
    asynchronous = {config["EndpointConfigName"] for config in state.configs if "AsyncInferenceConfig" in config}
    for endpoint in state.endpoints:
        if endpoint.get("EndpointConfigName") not in asynchronous:
            endpoint.pop("AsyncInferenceConfig", None)  # it is the config's
    for list_name, shape in SCALING.items():
        for number in range(random.randint(0, 3)):
            ids = {"ResourceId": random.choice(SCALED), "ScalableDimension": random.choice(DIMENSIONS)}
            record = maker.listed(shape, of="application-autoscaling", ServiceNamespace="sagemaker", **ids)
            getattr(state, list_name).append(record | _own_arn(record, number))
    state.alarms = [maker.listed("MetricAlarm", of="cloudwatch") for _ in range(random.randint(0, 2))]
    state.subnets = [_subnet(id, zone) for id, zone in zip(SUBNETS, _ZONES, strict=True) if random.random() < 0.8]
    state.zones = [
        {"ZoneId": zone, "ZoneName": f"eu-west-1{zone[-1]}", "ZoneType": "availability-zone"}
        for zone in sorted(set(_ZONES))
    ]
    return state


_ZONES = ["euw1-az1", "euw1-az2", "euw1-az2"]


def _own_arn(record: Record, number: int) -> Record:
    """The ARN of a target or policy, which is its own and names what it scales."""
    stem = f"arn:aws:autoscaling:eu-west-1:{ACCOUNT}:scalingPolicy:{number}:resource/sagemaker/{record['ResourceId']}"
    arns = {
        "PolicyARN": f"{stem}:policyName/{record.get('PolicyName')}",
        "ScalableTargetARN": f"arn:aws:application-autoscaling:eu-west-1:{ACCOUNT}:scalable-target/{number}",
    }
    return {name: arn for name, arn in arns.items() if name in record}


def _subnet(id: str, zone: str) -> Record:
    return {
        "SubnetId": id,
        "VpcId": VPCS[0],
        "AvailabilityZone": f"eu-west-1{zone[-1]}",
        "AvailabilityZoneId": zone,
        "AvailableIpAddressCount": 3,
        "State": "available",
        "SubnetArn": f"arn:aws:ec2:eu-west-1:{ACCOUNT}:subnet/{id}",
    }
