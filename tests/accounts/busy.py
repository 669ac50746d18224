"""Accounts that serve: endpoints in service whose configs fit them, whose variants and components scale by target, by
schedule or by SageMaker itself, and whose metrics CloudWatch knows. What is not said here is drawn from botocore's
shapes as in :mod:`tests.accounts.shapes`.

The same account is seen at noon or by night, before or after a step of scaling: :meth:`Busy.seen`.
"""

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any, NamedTuple

from tests.accounts.door import Record, State
from tests.accounts.shapes import ACCOUNT, COMPONENTS, IMAGES, MODELS, NOW, TYPES, VARIANTS, Maker, account

INSTANCES, COPIES = "sagemaker:variant:DesiredInstanceCount", "sagemaker:inference-component:DesiredCopyCount"
#: Two moments of one day, between which the schedules of the evening have run.
NOON, NIGHT = NOW.replace(hour=12), NOW.replace(hour=23)
MORNING, EVENING = "cron(0 7 * * ? *)", "cron(0 20 * * ? *)"
#: The metrics of instances and endpoints: name, and the values that they may have every day.
MEASURED: Mapping[str, list[float]] = {
    "Invocations": [0.0, 900.0],
    "InvocationsProcessed": [0.0, 40.0],
    "ApproximateBacklogSize": [0.0, 3.0],
    "GPUUtilization": [0.0, 5.0, 90.0],
    "GPUMemoryUtilization": [0.0, 10.0, 95.0],
    "ContainerLatency": [1_000.0, 90_000.0],
}


class Limits(NamedTuple):
    """Between which counts something scales."""

    minimum: int
    maximum: int

    def hold(self, wish: int) -> int:
        """The count that load wishes, within the limits."""
        return min(max(wish, self.minimum), self.maximum)


@dataclass(frozen=True)
class Scaling:
    """What a variant or component scales between by day and by night, and the count that its load wishes for.
    ``target`` is False where SageMaker itself scales the instances."""

    resource_id: str
    by_day: Limits
    by_night: Limits
    wish: int
    target: bool = True


@dataclass
class Busy:
    """An account that serves, with all that scales in it."""

    state: State
    scaling: list[Scaling] = field(default_factory=list)

    def seen(self, now: datetime, *, night: bool = False, steps: int = 0, ago: timedelta) -> State:
        """The account at ``now``: limits as the last schedule left them, counts as load wishes plus ``steps``, changed
        ``ago`` where a step changes them. What is not on a clock of its own is as old as ever."""
        state = copy.deepcopy(self.state)
        for name, records in state.lists():
            if name != "schedules":
                setattr(state, name, [_moved(record, now - NOW) for record in records])
        for scaling in self.scaling:
            limits = scaling.by_night if night else scaling.by_day
            count = limits.hold(scaling.wish + steps)
            for target in state.targets:
                if target["ResourceId"] == scaling.resource_id:
                    target |= {"MinCapacity": limits.minimum, "MaxCapacity": limits.maximum}
            stays = steps and count == limits.hold(scaling.wish)
            _set_count(state, scaling.resource_id, count, now - (timedelta(days=30) if stays else ago))
        return state


def busy(seed: int) -> Busy:
    """An account that serves; the same seed makes the same account."""
    made, random = Busy(account(seed)), Random(seed + 1)
    maker = Maker(random, random.choice([0.1, 0.3]))
    state = made.state
    state.activities = []
    for target in state.targets:
        target["CreationTime"] = NOW - timedelta(days=40)
    for model in state.models:
        model.pop("Containers", None)
        model["PrimaryContainer"] = {"Image": random.choice(IMAGES)}
    for job in state.training_jobs:
        _train(job, random)
    for endpoint in state.endpoints:
        _serve(state, endpoint, maker)
    for component in state.components:
        component |= {"InferenceComponentStatus": "InService", "EndpointName": random.choice(["churn", "fraud"])}
        component |= {"VariantName": random.choice(VARIANTS), "RuntimeConfig": {}}
        component.pop("FailureReason", None)
    for number, policy in enumerate(state.policies):
        policy["PolicyName"] = f"drawn-{number}"
    made.scaling = [scaling for scaling in (_scaling(state, id, random) for id in _countable(state)) if scaling]
    for scaling in made.scaling:
        _register(state, scaling, maker)
    for endpoint in state.endpoints:
        _measure(state, endpoint, random)
    return made


def _train(job: Record, random: Random) -> None:
    """A job of its own that ran for six hours, on spot instances or not."""
    for name in ("TuningJobArn", "AutoMLJobArn", "LabelingJobArn", "ServerlessJobConfig", "CheckpointConfig"):
        job.pop(name, None)
    job |= {"TrainingJobStatus": "Completed", "EnableManagedSpotTraining": random.random() < 0.5}
    job["AlgorithmSpecification"] = {"TrainingImage": random.choice(IMAGES), "TrainingInputMode": "File"}
    job["ResourceConfig"] = {"InstanceType": random.choice(TYPES), "InstanceCount": random.choice([1, 2])}
    job["StoppingCondition"] = {"MaxRuntimeInSeconds": 86_400, "MaxWaitTimeInSeconds": 86_400}
    job |= {"CreationTime": NOW - timedelta(days=2), "LastModifiedTime": NOW - timedelta(days=1)}
    job |= {"TrainingTimeInSeconds": 21_600, "BillableTimeInSeconds": random.choice([9_000, 21_600])}


def _serve(state: State, endpoint: Record, maker: Maker) -> None:
    """The endpoint in service, with variants as its config has them."""
    random = maker.random
    endpoint |= {"EndpointStatus": "InService", "CreationTime": NOW - timedelta(days=40)}
    endpoint["LastModifiedTime"] = NOW - timedelta(days=30)
    for field_name in ("ShadowProductionVariants", "FailureReason", "PendingDeploymentSummary"):
        endpoint.pop(field_name, None)
    name = f"{endpoint['EndpointName']}-1"
    config = maker.described("DescribeEndpointConfig", EndpointConfigName=name)
    config["EndpointConfigArn"] = f"arn:aws:sagemaker:eu-west-1:{ACCOUNT}:endpoint-config/{name}"
    config |= {"CreationTime": NOW - timedelta(days=40), "ProductionVariants": []}
    config.pop("ShadowProductionVariants", None)
    endpoint |= {"EndpointConfigName": config["EndpointConfigName"], "ProductionVariants": []}
    if "AsyncInferenceConfig" not in config:
        endpoint.pop("AsyncInferenceConfig", None)
    for variant_name in VARIANTS[: random.choice([1, 2])]:
        kept: dict[str, Any] = {
            "VariantName": variant_name,
            "InstanceType": random.choice(TYPES),
            "InitialInstanceCount": 2,
        }
        variant = maker.listed("ProductionVariant", of="sagemaker", **kept)
        variant.pop("InstancePools", None)
        if random.random() < 0.6:
            variant["ModelName"] = random.choice(MODELS)
        summary = maker.listed("ProductionVariantSummary", of="sagemaker", VariantName=variant_name)
        serverless = "ServerlessConfig" in variant
        for key in ("CurrentServerlessConfig", "DesiredServerlessConfig", "ManagedInstanceScaling"):
            summary.pop(key, None)
        if serverless:
            variant.pop("InstanceType")
            summary["CurrentServerlessConfig"] = variant["ServerlessConfig"]
        counts = {} if serverless else {"CurrentInstanceCount": 2, "DesiredInstanceCount": 2}
        summary = {key: value for key, value in summary.items() if not key.endswith("InstanceCount")} | counts
        config["ProductionVariants"].append(variant)
        endpoint["ProductionVariants"].append(summary)
    state.configs = [other for other in state.configs if other["EndpointConfigName"] != name]
    state.configs.append(config)


def _countable(state: State) -> list[str]:
    """The resource ids of what has instances or copies."""
    ids = [
        f"endpoint/{endpoint['EndpointName']}/variant/{variant['VariantName']}"
        for endpoint in state.endpoints
        for variant in endpoint["ProductionVariants"]
        if "DesiredInstanceCount" in variant
    ]
    return ids + [f"inference-component/{component['InferenceComponentName']}" for component in state.components]


def _scaling(state: State, resource_id: str, random: Random) -> Scaling | None:
    """How one of them scales, or None where nothing scales it."""
    variant = _configured(state, resource_id)
    by_day = Limits(*random.choice([(2, 8), (1, 6), (1, 6), (4, 4), (0, 6)]))
    if variant is not None and not variant.get("ModelName") and random.random() < 0.5:
        variant["ManagedInstanceScaling"] = {"Status": "ENABLED"}
        variant["ManagedInstanceScaling"] |= {"MinInstanceCount": by_day.minimum, "MaxInstanceCount": by_day.maximum}
        return Scaling(resource_id, by_day, by_day, random.choice([2, 3, 4, 9]), target=False)
    if random.random() < 0.4:
        return None
    by_night = Limits(*random.choice([by_day, (1, 1), (1, 1), (0, 6), (2, 2), (1, by_day.maximum)]))
    return Scaling(resource_id, by_day, by_night, random.choice([2, 3, 4, 9]))


def _configured(state: State, resource_id: str) -> Record | None:
    """A variant as its endpoint config has it; None for a component."""
    kind, owner, *rest = resource_id.split("/")
    if kind != "endpoint":
        return None
    config = next(config for config in state.configs if config["EndpointConfigName"] == f"{owner}-1")
    variants: list[Record] = config["ProductionVariants"]
    return next(variant for variant in variants if variant["VariantName"] == rest[-1])


def _register(state: State, scaling: Scaling, maker: Maker) -> None:
    """Target, policies and schedules in place of those that chance has drawn."""
    for name in ("targets", "policies", "schedules"):
        kept = [record for record in getattr(state, name) if record["ResourceId"] != scaling.resource_id]
        setattr(state, name, kept)
    if not scaling.target:
        return
    random = maker.random
    dimension = COPIES if scaling.resource_id.startswith("inference-component/") else INSTANCES
    ids = {"ServiceNamespace": "sagemaker", "ResourceId": scaling.resource_id, "ScalableDimension": dimension}
    state.targets.append({**ids, "CreationTime": NOW - timedelta(days=40), "RoleARN": "role"})
    if scaling.by_day != scaling.by_night:
        for name, schedule, limits in (("wake", MORNING, scaling.by_day), ("sleep", EVENING, scaling.by_night)):
            action = {"MinCapacity": limits.minimum, "MaxCapacity": limits.maximum}
            state.schedules.append(
                {**ids, "ScheduledActionName": name, "Schedule": schedule, "ScalableTargetAction": action}
            )
    over = {"ScheduledActionName": "last-year", "Schedule": "at(2025-01-01T00:00:00)"}
    state.schedules.append({**ids, **over, "ScalableTargetAction": {"MinCapacity": 1, "MaxCapacity": 9}})
    for name in ["out", "in"][: random.choice([0, 1, 1, 2])]:
        state.policies.append(_policy(state, ids, name, maker))
    state.activities.append(
        {**ids, "ActivityId": scaling.resource_id, "StatusCode": "Successful", "StartTime": NOW - timedelta(minutes=6)}
    )


def _policy(state: State, ids: Record, name: str, maker: Maker) -> Record:
    """A policy under this name, mostly with an alarm that has it as its action."""
    random = maker.random
    arn = f"arn:aws:autoscaling:eu-west-1:{ACCOUNT}:scalingPolicy:1:resource/sagemaker/{ids['ResourceId']}:{name}"
    policy = maker.listed("ScalingPolicy", of="application-autoscaling", **ids)
    policy |= {"PolicyName": name, "PolicyARN": arn}
    policy["PolicyType"] = random.choice(["TargetTrackingScaling", "StepScaling"])
    if random.random() < 0.5:
        predefined = {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"}
        tracking = {"TargetValue": 70.0, "PredefinedMetricSpecification": predefined}
        policy["TargetTrackingScalingPolicyConfiguration"] = tracking
    alarm = f"{ids['ResourceId']}/{name}"
    policy["Alarms"] = [{"AlarmName": alarm, "AlarmARN": f"arn:aws:cloudwatch:eu-west-1:{ACCOUNT}:alarm:{alarm}"}]
    if random.random() < 0.8:
        watched = {"AlarmName": alarm, "AlarmActions": [arn], "ActionsEnabled": random.random() < 0.8}
        state.alarms.append(maker.listed("MetricAlarm", of="cloudwatch", **watched))
    return policy


def _measure(state: State, endpoint: Record, random: Random) -> None:
    """Twenty days of each metric, by day, or none of it."""
    days = [NOW.replace(hour=0) - timedelta(days=day) for day in range(20, -1, -1)]
    name = endpoint["EndpointName"]
    subjects = [(name,), *((name, variant["VariantName"]) for variant in endpoint["ProductionVariants"])]
    subjects += [(component,) for component in COMPONENTS]
    for subject in subjects:
        for metric, values in MEASURED.items():
            if random.random() < 0.7:
                value = random.choice(values)
                state.metrics[(metric, *subject)] = [(day, value) for day in days]


def _set_count(state: State, resource_id: str, count: int, changed: datetime) -> None:
    """The variant or component at ``count``, changed at this moment as every step of scaling does."""
    kind, owner, *rest = resource_id.split("/")
    for component in state.components if kind == "inference-component" else ():
        if component["InferenceComponentName"] == owner:
            component["RuntimeConfig"] = {"DesiredCopyCount": count, "CurrentCopyCount": count}
            component["LastModifiedTime"] = changed
    for endpoint in state.endpoints if kind == "endpoint" else ():
        for variant in endpoint["ProductionVariants"]:
            if (endpoint["EndpointName"], variant["VariantName"]) == (owner, rest[-1]):
                variant |= {"CurrentInstanceCount": count, "DesiredInstanceCount": count}
                endpoint["LastModifiedTime"] = changed


def _moved(value: Any, by: timedelta) -> Any:
    """A record with all its moments moved."""
    if isinstance(value, datetime):
        return value + by
    if isinstance(value, dict):
        return {key: _moved(inner, by) for key, inner in value.items()}
    return [_moved(inner, by) for inner in value] if isinstance(value, list) else value
