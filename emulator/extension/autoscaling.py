"""Application Auto Scaling for SageMaker: all three dimensions, pages that end, alarms for target tracking.

Other service namespaces stay with moto.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import Any

from moto.utilities.utils import get_partition

from emulator.extension.records import ENDPOINT, INFERENCE_COMPONENT, now, store_of
from emulator.extension.registry import AwsError, NotHandled, backend_of, epoch, invalid, operation, page

Request = dict[str, Any]
Key = tuple[str, str]
SERVICE = "application-autoscaling"
VARIANT = "sagemaker:variant:DesiredInstanceCount"
COMPONENT = "sagemaker:inference-component:DesiredCopyCount"
CONCURRENCY = "sagemaker:variant:DesiredProvisionedConcurrency"
_DIMENSIONS = (VARIANT, COMPONENT, CONCURRENCY)
_PAGE = 50
_POLICY_PAGE = 10
_LOW_ALARM_SHARE = 0.9
_PREDEFINED = {
    "SageMakerVariantInvocationsPerInstance": ("AWS/SageMaker", "InvocationsPerInstance", "Sum"),
    "SageMakerInferenceComponentInvocationsPerCopy": ("AWS/SageMaker", "InvocationsPerCopy", "Sum"),
    "SageMakerVariantProvisionedConcurrencyUtilization": (
        "AWS/SageMaker",
        "ServerlessProvisionedConcurrencyUtilization",
        "Maximum",
    ),
    "SageMakerVariantConcurrentRequestsPerModelHighResolution": (
        "AWS/SageMaker",
        "ConcurrentRequestsPerModel",
        "Maximum",
    ),
    "SageMakerInferenceComponentConcurrentRequestsPerCopyHighResolution": (
        "AWS/SageMaker",
        "ConcurrentRequestsPerCopy",
        "Maximum",
    ),
}


@dataclass
class Scaling:
    """What Application Auto Scaling keeps for SageMaker in one account and region, as its API describes it."""

    targets: dict[Key, Request] = field(default_factory=dict)
    policies: dict[tuple[str, str, str], Request] = field(default_factory=dict)
    actions: dict[tuple[str, str, str], Request] = field(default_factory=dict)
    activities: list[Request] = field(default_factory=list)
    tags: dict[str, dict[str, str]] = field(default_factory=dict)


def scaling_of(backend: Any) -> Scaling:
    """The store of a backend; a reset of the backend drops it."""
    store: Scaling = vars(backend).setdefault("_sagemaker_scaling", Scaling())
    return store


def _sagemaker(request: Request) -> None:
    if request.get("ServiceNamespace") != "sagemaker":
        raise NotHandled(str(request.get("ServiceNamespace")))
    dimension = request.get("ScalableDimension")
    if dimension is not None and dimension not in _DIMENSIONS:
        raise invalid("Unsupported service namespace, resource type or scalable dimension")


def _key(request: Request) -> Key:
    return request["ResourceId"], request["ScalableDimension"]


def _words(request: Request) -> str:
    return (
        f"service namespace: sagemaker, resource ID: {request['ResourceId']}, "
        f"scalable dimension: {request['ScalableDimension']}"
    )


def _existing_target(backend: Any, request: Request) -> Request:
    target = scaling_of(backend).targets.get(_key(request))
    if target is None:
        raise AwsError("ObjectNotFoundException", f"No scalable target registered for {_words(request)}")
    return target


@operation(SERVICE, "RegisterScalableTarget")
def register_scalable_target(backend: Any, request: Request) -> Request:
    """Raises ValidationException for a resource that SageMaker has not, as AWS does."""
    _sagemaker(request)
    key = _key(request)
    store = scaling_of(backend)
    if key not in store.targets:
        _require_resource(backend, *key)
        if "MinCapacity" not in request or "MaxCapacity" not in request:
            raise invalid("MinCapacity and MaxCapacity must be specified when registering a new scalable target")
    capacities = {**store.targets.get(key, {}), **request}
    if capacities["MinCapacity"] > capacities["MaxCapacity"]:
        raise invalid("Maximum capacity cannot be less than minimum capacity")
    target = put_target(backend, request)
    if tags := request.get("Tags"):
        store.tags[target["ScalableTargetARN"]] = tags
    return {"ScalableTargetARN": target["ScalableTargetARN"]}


def put_target(backend: Any, request: Request) -> Request:
    """Keeps a scalable target without asking whether its resource exists."""
    targets = scaling_of(backend).targets
    account, region = backend.account_id, backend.region_name
    partition = get_partition(region)
    target = targets.setdefault(
        _key(request),
        {
            "ServiceNamespace": "sagemaker",
            "ResourceId": request["ResourceId"],
            "ScalableDimension": request["ScalableDimension"],
            "RoleARN": f"arn:{partition}:iam::{account}:role/aws-service-role/sagemaker.application-autoscaling."
            "amazonaws.com/AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint",
            "CreationTime": now(),
            "SuspendedState": {
                "DynamicScalingInSuspended": False,
                "DynamicScalingOutSuspended": False,
                "ScheduledScalingSuspended": False,
            },
            "ScalableTargetARN": f"arn:{partition}:application-autoscaling:{region}:{account}:scalable-target/"
            f"{uuid.uuid4().hex}0000",
        },
    )
    target["SuspendedState"].update(request.get("SuspendedState") or {})
    for member in ("MinCapacity", "MaxCapacity", "CreationTime"):
        if member in request:
            target[member] = request[member]
    return target


def _require_resource(backend: Any, resource_id: str, dimension: str) -> None:
    sagemaker = backend_of("sagemaker", backend.account_id, backend.region_name)
    parts = resource_id.split("/")
    if dimension == COMPONENT:
        exists = len(parts) == 2 and parts[1] in store_of(sagemaker, INFERENCE_COMPONENT)
    else:
        endpoint = store_of(sagemaker, ENDPOINT).get(parts[1]) if len(parts) == 4 else None
        variants = endpoint.fields.get("ProductionVariants", []) if endpoint else []
        exists = any(variant["VariantName"] == parts[3] for variant in variants)
    if not exists:
        raise invalid(f"SageMaker resource doesn't exist: {resource_id}")


@operation(SERVICE, "DeregisterScalableTarget")
def deregister_scalable_target(backend: Any, request: Request) -> None:
    """The policies and scheduled actions of the target go with it."""
    _sagemaker(request)
    store, key = scaling_of(backend), _key(request)
    if key not in store.targets:
        raise AwsError("ObjectNotFoundException", f"No scalable target found for {_words(request)}")
    del store.targets[key]
    for name in [name for name in store.policies if name[1:] == key]:
        _delete_alarms(backend, store.policies.pop(name))
    for name in [name for name in store.actions if name[1:] == key]:
        del store.actions[name]


@operation(SERVICE, "DescribeScalableTargets")
def describe_scalable_targets(backend: Any, request: Request) -> Request:
    _sagemaker(request)
    wanted = request.get("ResourceIds")
    targets = [
        target
        for target in _in_dimension(scaling_of(backend).targets.values(), request)
        if not wanted or target["ResourceId"] in wanted
    ]
    return _page("ScalableTargets", targets, request, _PAGE)


def _in_dimension(items: Any, request: Request) -> list[Request]:
    resource_id, dimension = request.get("ResourceId"), request.get("ScalableDimension")
    return [
        item
        for item in items
        if (resource_id is None or item["ResourceId"] == resource_id)
        and (dimension is None or item["ScalableDimension"] == dimension)
    ]


def _page(result: str, items: list[Request], request: Request, size: int) -> Request:
    shown, token = page(items, request, default=size, maximum=size, invalid_token="InvalidNextTokenException")
    return {result: shown, **({"NextToken": token} if token else {})}


@operation(SERVICE, "PutScalingPolicy")
def put_scaling_policy(backend: Any, request: Request) -> Request:
    _sagemaker(request)
    _existing_target(backend, request)
    policy = put_policy(backend, request)
    return {"PolicyARN": policy["PolicyARN"], "Alarms": policy["Alarms"]}


def put_policy(backend: Any, request: Request) -> Request:
    """Keeps a policy. A target-tracking policy gets its two alarms anew, as AWS makes them."""
    policies = scaling_of(backend).policies
    name = (request["PolicyName"], *_key(request))
    old = policies.get(name)
    kind = request.get("PolicyType") or (old["PolicyType"] if old else "StepScaling")
    region, account = backend.region_name, backend.account_id
    resource = f"resource/sagemaker/{request['ResourceId']}:policyName/{request['PolicyName']}"
    arn = f"arn:{get_partition(region)}:autoscaling:{region}:{account}:scalingPolicy:{uuid.uuid4()}:{resource}"
    policy: Request = {
        "PolicyARN": old["PolicyARN"] if old else arn,
        "PolicyName": request["PolicyName"],
        "ServiceNamespace": "sagemaker",
        "ResourceId": request["ResourceId"],
        "ScalableDimension": request["ScalableDimension"],
        "PolicyType": kind,
        "Alarms": [],
        "CreationTime": old["CreationTime"] if old else now(),
    }
    body = "StepScalingPolicyConfiguration" if kind == "StepScaling" else f"{kind}PolicyConfiguration"
    configuration = request.get(body) or (old or {}).get(body)
    if not configuration:
        raise invalid(f"{body} is required for the policy type {kind}")
    policy[body] = configuration
    if old:
        _delete_alarms(backend, old)
    policies[name] = policy
    if kind == "TargetTrackingScaling":
        policy["Alarms"] = [_put_alarm(backend, policy, configuration, direction) for direction in ("High", "Low")]
    return policy


def _put_alarm(backend: Any, policy: Request, configuration: Request, direction: str) -> Request:
    high = direction == "High"
    metric = _tracked_metric(policy["ResourceId"], configuration)
    alarm = backend_of("cloudwatch", backend.account_id, backend.region_name).put_metric_alarm(
        name=f"TargetTracking-{policy['ResourceId']}-Alarm{direction}-{uuid.uuid4()}",
        comparison_operator="GreaterThanThreshold" if high else "LessThanThreshold",
        evaluation_periods=3 if high else 15,
        threshold=configuration["TargetValue"] * (1 if high else _LOW_ALARM_SHARE),
        description=f"DO NOT EDIT OR DELETE. For TargetTrackingScaling policy {policy['PolicyARN']}.",
        alarm_actions=[policy["PolicyARN"]],
        actions_enabled=True,
        **metric,
    )
    return {"AlarmName": alarm.name, "AlarmARN": alarm.alarm_arn}


def _tracked_metric(resource_id: str, configuration: Request) -> Request:
    """The alarm's metric in the words of moto's put_metric_alarm."""
    custom = configuration.get("CustomizedMetricSpecification") or {}
    if custom:
        return {
            "namespace": custom.get("Namespace"),
            "metric_name": custom.get("MetricName"),
            "dimensions": custom.get("Dimensions") or [],
            "statistic": custom.get("Statistic"),
            "unit": custom.get("Unit"),
            "period": 60,
        }
    predefined = (configuration.get("PredefinedMetricSpecification") or {}).get("PredefinedMetricType")
    if predefined not in _PREDEFINED:
        raise invalid(f"Invalid predefined metric type for service namespace: sagemaker: {predefined}")
    namespace, name, statistic = _PREDEFINED[predefined]
    parts = resource_id.split("/")
    names = ("InferenceComponentName",) if parts[0] == "inference-component" else ("EndpointName", "VariantName")
    dimensions = [{"Name": key, "Value": value} for key, value in zip(names, parts[1::2], strict=True)]
    period = 10 if predefined.endswith("HighResolution") else 60
    return {
        "namespace": namespace,
        "metric_name": name,
        "dimensions": dimensions,
        "statistic": statistic,
        "period": period,
    }


def _delete_alarms(backend: Any, policy: Request) -> None:
    if policy["PolicyType"] == "TargetTrackingScaling":
        names = [alarm["AlarmName"] for alarm in policy["Alarms"]]
        backend_of("cloudwatch", backend.account_id, backend.region_name).delete_alarms(names)


@operation(SERVICE, "DescribeScalingPolicies")
def describe_scaling_policies(backend: Any, request: Request) -> Request:
    _sagemaker(request)
    names = request.get("PolicyNames")
    policies = _in_dimension(scaling_of(backend).policies.values(), request)
    policies = [policy for policy in policies if not names or policy["PolicyName"] in names]
    answer = _page("ScalingPolicies", policies, request, _POLICY_PAGE)
    answer["ScalingPolicies"] = [_with_step_alarms(backend, policy) for policy in answer["ScalingPolicies"]]
    return answer


def _with_step_alarms(backend: Any, policy: Request) -> Request:
    """The alarms of a step policy are those that somebody made with the policy as their action."""
    if policy["PolicyType"] != "StepScaling":
        return policy
    alarms = backend_of("cloudwatch", backend.account_id, backend.region_name).alarms.values()
    own = [
        {"AlarmName": alarm.name, "AlarmARN": alarm.alarm_arn}
        for alarm in alarms
        if policy["PolicyARN"] in (alarm.alarm_actions or [])
    ]
    return {**policy, "Alarms": own}


@operation(SERVICE, "DeleteScalingPolicy")
def delete_scaling_policy(backend: Any, request: Request) -> None:
    _sagemaker(request)
    policy = scaling_of(backend).policies.pop((request["PolicyName"], *_key(request)), None)
    if policy is None:
        raise AwsError("ObjectNotFoundException", f"No scaling policy found for {_words(request)}")
    _delete_alarms(backend, policy)


@operation(SERVICE, "PutScheduledAction")
def put_scheduled_action(backend: Any, request: Request) -> None:
    _sagemaker(request)
    _existing_target(backend, request)
    name = request["ScheduledActionName"]
    region, account = backend.region_name, backend.account_id
    resource = f"resource/sagemaker/{request['ResourceId']}:scheduledActionName/{name}"
    actions = scaling_of(backend).actions
    action = actions.setdefault(
        (name, *_key(request)),
        {
            "ScheduledActionARN": f"arn:{get_partition(region)}:autoscaling:{region}:{account}:scheduledAction:"
            f"{uuid.uuid4()}:{resource}",
            "CreationTime": now(),
        },
    )
    action.update({member: value for member, value in request.items() if value is not None})
    action.update({member: epoch(action[member]) for member in ("StartTime", "EndTime") if member in action})


@operation(SERVICE, "DescribeScheduledActions")
def describe_scheduled_actions(backend: Any, request: Request) -> Request:
    _sagemaker(request)
    names = request.get("ScheduledActionNames")
    actions = _in_dimension(scaling_of(backend).actions.values(), request)
    actions = [action for action in actions if not names or action["ScheduledActionName"] in names]
    return _page("ScheduledActions", actions, request, _PAGE)


@operation(SERVICE, "DeleteScheduledAction")
def delete_scheduled_action(backend: Any, request: Request) -> None:
    _sagemaker(request)
    if scaling_of(backend).actions.pop((request["ScheduledActionName"], *_key(request)), None) is None:
        raise AwsError("ObjectNotFoundException", f"No scheduled action found for {_words(request)}")


@operation(SERVICE, "DescribeScalingActivities")
def describe_scaling_activities(backend: Any, request: Request) -> Request:
    """Newest first; those that did not scale come only when they are asked for."""
    _sagemaker(request)
    activities = _in_dimension(scaling_of(backend).activities, request)
    if not request.get("IncludeNotScaledActivities"):
        activities = [activity for activity in activities if not activity.get("NotScaledReasons")]
    activities.sort(key=lambda activity: activity["StartTime"], reverse=True)
    return _page("ScalingActivities", activities, request, _PAGE)


@operation(SERVICE, "ListTagsForResource")
def list_tags_for_resource(backend: Any, request: Request) -> Request:
    return {"Tags": scaling_of(backend).tags.get(request["ResourceARN"], {})}
