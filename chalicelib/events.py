"""An event → what it asks to be audited. Pure: no call is made here.

Shapes follow the EventBridge reference of each service; names of statuses and times are not looked at, as their
spelling differs between events and API: what is the matter is read anew.
"""

import hashlib
import logging
import re
from collections.abc import Iterable, Mapping
from typing import Any

from msgspec import Struct

from chalicelib.errors import InvalidInput
from chalicelib.kinds import DESCRIBED
from chalicelib.report import telemetry
from chalicelib.scope import ResourceRef, Scope, partition_of

log = logging.getLogger(__name__)

#: Native SageMaker events: the detail field that names the resource, and its kind, by the event's detail-type.
NAMED_BY = {f"SageMaker {word} State Change": (row.event_field, row.name) for row in DESCRIBED for word in row.events}
#: What tells of the nodes and groups of a cluster; the latter holds the fields of its record in ``EventDetails``.
CLUSTER_EVENTS = ("SageMaker HyperPod Cluster Node Health Event", "SageMaker HyperPod Cluster Event")
NAMED_BY |= dict.fromkeys(CLUSTER_EVENTS, ("ClusterArn", "cluster"))
SCALING_ACTIVITY = "Application Auto Scaling Scaling Activity State Change"
API_CALL = "AWS API Call via CloudTrail"

#: Calls that no native event tells of: the request parameter that names the resource, and its kind, by source and call.
#: CloudTrail writes Application Auto Scaling's calls under the source of EC2 Auto Scaling.
SAGEMAKER_CALLS = {call: (row.request_field, row.name) for row in DESCRIBED for call in row.calls}
SCALING_CALLS = (
    "RegisterScalableTarget",
    "DeregisterScalableTarget",
    "PutScalingPolicy",
    "DeleteScalingPolicy",
    "PutScheduledAction",
    "DeleteScheduledAction",
)
SUBNET_CALLS = ("CreateSubnet", "CreateDefaultSubnet", "DeleteSubnet", "ModifySubnetAttribute")
#: Calls of CloudWatch that may take a scaling policy its alarm. A sweep knows whose alarm it is.
ALARM_CALLS = (
    "PutMetricAlarm",
    "DeleteAlarms",
    "DisableAlarmActions",
    "EnableAlarmActions",
    "PutAlarmMuteRule",
    "DeleteAlarmMuteRule",
)
#: The kind of a reference to an alarm by its name, which stands for whoever is scaled by it.
ALARM = "alarm"
_POLICY_ARN = re.compile(r"arn:aws[a-z-]*:autoscaling:[^:]*:\d*:scalingPolicy:[^:]*:resource/sagemaker/([^:]+):")
#: How Application Auto Scaling names the alarms of target tracking, its resource id and an id around.
_TRACKING_ALARM = re.compile(r"TargetTracking-((?:endpoint/[^/]+/variant/[^/]+|inference-component/[^/]+?))-Alarm")
SCALED_TO_MAX = "scaled-to-max"


class NotOurs(InvalidInput):
    """An event that is understood and asks for nothing: a call that failed, or another service's scaling."""


class Origin(Struct, frozen=True):
    """Where an event came from."""

    id: str
    account: str
    region: str


def id_of(event: Any) -> str:
    """The id of an event, whatever was delivered as one; empty without any."""
    return str(event.get("id") or "") if isinstance(event, Mapping) else ""


def run_id(event: Any) -> str | None:
    """The same id for an event delivered twice, so that it begins one run."""
    id = id_of(event)
    return f"a-{hashlib.sha256(id.encode()).hexdigest()[:20]}" if id else None


def origin(event: Any) -> Origin:
    """Id, account and region of any EventBridge event. Raises InvalidInput when one is missing."""
    if not isinstance(event, Mapping):
        raise InvalidInput("the event is no JSON object; accepted are events as EventBridge delivers them")
    missing = [key for key in ("account", "region") if not isinstance(event.get(key), str) or not event[key]]
    if missing:
        raise InvalidInput(f"the event lacks {' and '.join(missing)}; accepted are events as EventBridge delivers them")
    return Origin(id=id_of(event), account=event["account"], region=event["region"])


def scope_of(event: Any) -> Scope:
    """The scope of an event: the resources that it names.

    Raises InvalidInput for an event of another type or one that names no resource, NotOurs for one that asks for
    nothing.
    """
    where = origin(event)
    detail = event.get("detail")
    if not isinstance(detail, Mapping):
        raise InvalidInput("the event has no detail; accepted are events as EventBridge delivers them")
    resources, hints = _asked(str(event.get("detail-type", "")), detail)
    return Scope(
        account=where.account,
        region=where.region,
        partition=partition_of(where.region),
        resources=resources,
        hints=hints,
    )


Asked = tuple[tuple[ResourceRef, ...], frozenset[tuple[str, str]]]


def _asked(kind_of_event: str, detail: Mapping[str, Any]) -> Asked:
    if kind_of_event in NAMED_BY:
        key, kind = NAMED_BY[kind_of_event]
        record = detail.get("EventDetails") if kind_of_event in CLUSTER_EVENTS else None
        return (ResourceRef(kind, _text(record if isinstance(record, Mapping) else detail, key)),), frozenset()
    if kind_of_event == SCALING_ACTIVITY:
        if detail.get("serviceNamespace", "sagemaker") != "sagemaker":
            raise NotOurs(f"scaling of {detail.get('serviceNamespace')} is not audited; accepted is that of sagemaker")
        resource_id = _text(detail, "resourceId")
        at_maximum = detail.get("scaledToMax") in (True, "true")
        hints = frozenset({(SCALED_TO_MAX, resource_id)}) if at_maximum else frozenset()
        return (_scaled(resource_id),), hints
    if kind_of_event == API_CALL:
        return _called(detail), frozenset()
    accepted = ", ".join(sorted((*NAMED_BY, SCALING_ACTIVITY, API_CALL)))
    raise InvalidInput(f"unknown detail-type {kind_of_event!r}; accepted are {accepted}")


def _called(detail: Mapping[str, Any]) -> tuple[ResourceRef, ...]:
    call, source = str(detail.get("eventName", "")), str(detail.get("eventSource", ""))
    if detail.get("errorCode"):
        raise NotOurs(f"{call} failed ({detail['errorCode']}): it changed nothing")
    asked = detail.get("requestParameters")
    parameters: Mapping[str, Any] = asked if isinstance(asked, Mapping) else {}
    if source == "sagemaker.amazonaws.com" and call in SAGEMAKER_CALLS:
        key, kind = SAGEMAKER_CALLS[call]
        return (ResourceRef(kind, _text(parameters, key)),)
    if source in ("autoscaling.amazonaws.com", "application-autoscaling.amazonaws.com") and call in SCALING_CALLS:
        if parameters.get("serviceNamespace") != "sagemaker":
            raise NotOurs(
                f"scaling of {parameters.get('serviceNamespace')} is not audited; accepted is that of sagemaker"
            )
        return (_scaled(_text(parameters, "resourceId")),)
    if source == "ec2.amazonaws.com" and call in SUBNET_CALLS:
        return _network(parameters, detail.get("responseElements"))
    if source == "monitoring.amazonaws.com" and call in ALARM_CALLS:
        return _scaled_by_alarms(call, parameters)
    accepted = ", ".join((*SAGEMAKER_CALLS, *SCALING_CALLS, *SUBNET_CALLS, *ALARM_CALLS))
    raise InvalidInput(f"unknown call {call!r} of {source!r}; accepted are {accepted}")


def _network(parameters: Mapping[str, Any], response: Any) -> tuple[ResourceRef, ...]:
    """The subnet and, where the event tells it, its VPC. A subnet that was made tells its id in the response."""
    made = response.get("subnet") if isinstance(response, Mapping) else None
    answered: Mapping[str, Any] = made if isinstance(made, Mapping) else {}
    subnet = parameters.get("subnetId") or answered.get("subnetId")
    vpc = parameters.get("vpcId") or answered.get("vpcId")
    refs = [
        ResourceRef(kind, name) for kind, name in (("subnet", subnet), ("vpc", vpc)) if isinstance(name, str) and name
    ]
    if not refs:
        raise InvalidInput("the event's detail names neither subnetId nor vpcId, of which one names what to audit")
    return tuple(refs)


def _scaled_by_alarms(call: str, parameters: Mapping[str, Any]) -> tuple[ResourceRef, ...]:
    """What these alarms scale, as their actions and the names of target tracking tell; any other alarm by its name."""
    muted = parameters.get("muteTargets")
    names = [*_texts(parameters.get("alarmNames")), *_texts([parameters.get("alarmName")])]
    names += _texts(muted.get("alarmNames")) if isinstance(muted, Mapping) else []
    if not names and call != "DeleteAlarmMuteRule":
        raise InvalidInput(f"the event's detail names no alarm that {call} was about")
    if not names:
        raise NotOurs("a mute rule that is gone names no alarm; the next sweep sees what it muted")
    actions = [arn for key in ("alarmActions", "oKActions") for arn in _texts(parameters.get(key))]
    acting = [_scaled(match[1]) for arn in actions if (match := _POLICY_ARN.match(arn)) is not None]
    named = [
        _scaled(match[1]) if (match := _TRACKING_ALARM.match(name)) is not None else ResourceRef(ALARM, name)
        for name in names
    ]
    return tuple(dict.fromkeys([*acting, *named]))


def _texts(values: Any) -> list[str]:
    listed: Iterable[Any] = values if isinstance(values, list) else ()
    return [value for value in listed if isinstance(value, str) and value]


def _scaled(resource_id: str) -> ResourceRef:
    """What Application Auto Scaling scales: ``endpoint/E/variant/V`` or ``inference-component/C``."""
    parts = resource_id.split("/")
    if (len(parts), parts[0]) in ((4, "endpoint"), (2, "inference-component")) and parts[1]:
        return ResourceRef(parts[0], parts[1])
    raise InvalidInput(
        f"unknown resourceId {resource_id!r}; accepted are endpoint/NAME/variant/NAME and inference-component/NAME"
    )


def _text(detail: Mapping[str, Any], key: str) -> str:
    value = detail.get(key)
    if not isinstance(value, str) or not value:
        raise InvalidInput(f"the event's detail lacks {key}, which names the resource to audit")
    return value


def asks_nothing(event: Any, reason: str) -> dict[str, Any]:
    """The answer to an event that is understood and asks for nothing."""
    log.info("event %s asks for nothing: %s", id_of(event), reason)
    return {"dropped": reason}


def dropped(event: Any, reason: str) -> dict[str, Any]:
    """The answer to an event that nothing can be made of; it is counted."""
    telemetry.dropped(id_of(event), reason)
    return {"dropped": reason}
