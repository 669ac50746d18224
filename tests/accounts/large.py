"""Endpoints that are much to read: many variants, twenty components, own networks, alarms, schedules, load tests, and
models that ``Search`` does not know yet."""

from collections.abc import Mapping
from datetime import timedelta
from random import Random
from typing import Any

from tests.accounts.busy import COPIES, INSTANCES
from tests.accounts.door import Record, State, StateDoor
from tests.accounts.shapes import ACCOUNT, NOW

STEM = f"arn:aws:sagemaker:eu-west-1:{ACCOUNT}"
OLD = NOW - timedelta(days=40)


class LargeDoor(StateDoor):
    """The door to a large endpoint: each alarm is muted by a rule of its own, and of the models ``Search`` knows those
    that are not among ``unknown_to_search``."""

    unknown_to_search: frozenset[str] = frozenset()

    def _ListAlarmMuteRules(self, parameters: Record) -> Record:
        return {"AlarmMuteRuleSummaries": [{"AlarmMuteRuleArn": f"arn:mute:{parameters.get('AlarmName', 'all')}"}]}

    def _GetAlarmMuteRule(self, parameters: Record) -> Record:
        schedule = {"Expression": "cron(0 2 * * *)", "Duration": "PT1H"}
        targets = {"AlarmNames": [parameters["AlarmMuteRuleName"]]}
        return {"Name": parameters["AlarmMuteRuleName"], "Rule": {"Schedule": schedule}, "MuteTargets": targets}

    def _Search(self, parameters: Mapping[str, Any]) -> Record:
        expression = parameters.get("SearchExpression") or {}
        if expression.get("Operator") != "Or":
            answer = super()._Search(parameters)
        else:
            names = {condition["Value"] for condition in expression["Filters"]}
            models = [model for model in self.state.models if model["ModelName"] in names]
            answer = {"Results": [{"Model": {"Model": {**model, "Tags": []}}} for model in models]}
        if parameters["Resource"] == "Model":
            kept = []
            for result in answer["Results"]:
                dashboard = {**result["Model"], "Endpoints": [{"EndpointName": "big"}]}
                if dashboard["Model"]["ModelName"] not in self.unknown_to_search:
                    kept.append({"Model": dashboard})
            answer = {"Results": kept}
        return answer


def large(seed: int) -> tuple[State, LargeDoor]:
    """A large endpoint named ``big``, and the door to it; the same seed makes the same."""
    random = Random(seed)
    state = State()
    variants = random.choice([1, 2, 4, 10])
    components = random.choice([0, 0, 1, 3, 20])
    hosts = components > 0
    config: Record = {
        "EndpointConfigName": "big-1",
        "EndpointConfigArn": f"{STEM}:endpoint-config/big-1",
        "CreationTime": OLD,
        "ProductionVariants": [],
    }
    endpoint: Record = {
        "EndpointName": "big",
        "EndpointArn": f"{STEM}:endpoint/big",
        "EndpointConfigName": "big-1",
        "EndpointStatus": "InService",
        "CreationTime": OLD,
        "LastModifiedTime": OLD,
        "ProductionVariants": [],
    }
    if not hosts and random.random() < 0.3:
        config["AsyncInferenceConfig"] = {"OutputConfig": {"S3OutputPath": "s3://out"}}
    if random.random() < 0.3:
        config["VpcConfig"] = {"Subnets": ["subnet-a", "subnet-l"], "SecurityGroupIds": ["sg-1"]}
    for number in range(variants):
        name = f"v{number}"
        variant = {"VariantName": name, "InitialInstanceCount": 1, "InitialVariantWeight": 1.0}
        variant["InstanceType"] = random.choice(["ml.g5.xlarge", "ml.m5.large", "ml.p3.2xlarge"])
        if not hosts or number:
            variant["ModelName"] = _model(state, f"m{number}", random)
        config["ProductionVariants"].append(variant)
        counts = {"CurrentInstanceCount": 1, "DesiredInstanceCount": 1, "CurrentWeight": 1.0, "DesiredWeight": 1.0}
        endpoint["ProductionVariants"].append({"VariantName": name, **counts})
        if random.random() < 0.8:
            _scale(state, f"endpoint/big/variant/{name}", INSTANCES, random)
    for number in range(components):
        _component(state, number, random)
    state.configs, state.endpoints = [config], [endpoint]
    state.subnets = [_subnet("subnet-a", "euw1-az1", "eu-west-1a"), _subnet("subnet-l", "euw1-x", "eu-west-1-x-1a")]
    state.zones = [{"ZoneName": "eu-west-1-x-1a", "ZoneType": "local-zone"}]
    vpc = {"Subnets": ["subnet-a"], "SecurityGroupIds": ["sg-1"]}
    state.training_jobs = [_job(vpc)]
    door = LargeDoor(state, "eu-west-1")
    if random.random() < 0.3:
        door.unknown_to_search = frozenset(model["ModelName"] for model in state.models[::2])
    return state, door


def _model(state: State, name: str, random: Random) -> str:
    model: Record = {"ModelName": name, "ModelArn": f"{STEM}:model/{name}", "CreationTime": OLD}
    model["PrimaryContainer"] = {"Image": f"685385470294.dkr.ecr.eu-west-1.amazonaws.com/{name}:1"}
    if random.random() < 0.6:
        model["VpcConfig"] = {"Subnets": ["subnet-a"], "SecurityGroupIds": ["sg-1"]}
    state.models.append(model)
    return name


def _component(state: State, number: int, random: Random) -> None:
    name = f"c{number}"
    specification = {"ModelName": _model(state, f"cm{number}", random)}
    state.components.append(
        {
            "InferenceComponentName": name,
            "InferenceComponentArn": f"{STEM}:inference-component/{name}",
            "EndpointName": "big",
            "VariantName": "v0",
            "InferenceComponentStatus": "InService",
            "CreationTime": OLD,
            "LastModifiedTime": OLD,
            "RuntimeConfig": {"DesiredCopyCount": 1, "CurrentCopyCount": 1},
            "Specifications": [specification],
        }
    )
    if random.random() < 0.8:
        _scale(state, f"inference-component/{name}", COPIES, random)


def _scale(state: State, resource_id: str, dimension: str, random: Random) -> None:
    ids: dict[str, Any] = {"ServiceNamespace": "sagemaker", "ResourceId": resource_id, "ScalableDimension": dimension}
    state.targets.append({**ids, "MinCapacity": 1, "MaxCapacity": random.choice([1, 4]), "CreationTime": OLD})
    arn = f"arn:aws:autoscaling:eu-west-1:{ACCOUNT}:scalingPolicy:1:resource/sagemaker/{resource_id}:load"
    alarms = [f"{resource_id}-{end}" for end in ("high", "low")]
    predefined = {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"}
    tracking = {"TargetValue": 70.0, "PredefinedMetricSpecification": predefined}
    policy: Record = {"PolicyName": "load", "PolicyARN": arn, "PolicyType": "TargetTrackingScaling"}
    policy["TargetTrackingScalingPolicyConfiguration"] = tracking
    policy["Alarms"] = [{"AlarmName": alarm, "AlarmARN": alarm} for alarm in alarms]
    state.policies.append({**ids, **policy})
    watched = {"MetricName": "InvocationsPerInstance", "Namespace": "AWS/SageMaker", "Dimensions": []}
    state.alarms += [{"AlarmName": alarm, "AlarmActions": [arn], **watched} for alarm in alarms]
    if random.random() < 0.5:
        action = {"ScheduledActionName": "night", "Schedule": "cron(0 20 * * ? *)"}
        state.schedules.append({**ids, **action, "ScalableTargetAction": {"MinCapacity": 1, "MaxCapacity": 1}})
    if random.random() < 0.5:
        state.activities.append({**ids, "ActivityId": "1", "StatusCode": "Failed", "StartTime": NOW})


def _subnet(id: str, zone: str, name: str) -> Record:
    subnet = {"SubnetId": id, "VpcId": "vpc-1", "AvailabilityZone": name, "AvailabilityZoneId": zone}
    return {**subnet, "AvailableIpAddressCount": 3, "State": "available"}


def _job(vpc: Record) -> Record:
    algorithm = {"TrainingImage": "763104351884.dkr.ecr.eu-west-1.amazonaws.com/pytorch-training:2.3-gpu"}
    return {
        "TrainingJobName": "fit",
        "TrainingJobArn": f"{STEM}:training-job/fit",
        "TrainingJobStatus": "Completed",
        "AlgorithmSpecification": algorithm,
        "ResourceConfig": {"InstanceType": "ml.g5.xlarge", "InstanceCount": 1},
        "StoppingCondition": {"MaxRuntimeInSeconds": 86_400},
        "CreationTime": OLD,
        "LastModifiedTime": NOW,
        "VpcConfig": vpc,
    }
