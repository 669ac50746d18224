"""An event → what it asks to be audited. Pure: no call is made here."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from chalicelib.errors import InvalidInput
from chalicelib.scope import ResourceRef, Scope

#: The detail field that names the resource, and its kind, by the event's detail-type.
NAMED_BY = {
    "SageMaker Endpoint State Change": ("EndpointName", "endpoint"),
    "SageMaker Endpoint Deployment State Change": ("EndpointName", "endpoint"),
    "SageMaker Endpoint Config State Change": ("EndpointConfigName", "endpoint-config"),
    "SageMaker Model State Change": ("ModelName", "model"),
    "SageMaker Training Job State Change": ("TrainingJobName", "training-job"),
    "SageMaker HyperParameter Tuning Job State Change": ("HyperParameterTuningJobName", "tuning-job"),
    "SageMaker Transform Job State Change": ("TransformJobName", "transform-job"),
    "SageMaker Notebook Instance State Change": ("NotebookInstanceName", "notebook-instance"),
}


@dataclass(frozen=True, slots=True)
class Origin:
    """Where an event came from."""

    id: str
    account: str
    region: str


def origin(event: Mapping[str, Any]) -> Origin:
    """Id, account and region of any EventBridge event. Raises InvalidInput when one is missing."""
    missing = [key for key in ("account", "region") if not isinstance(event.get(key), str) or not event[key]]
    if missing:
        raise InvalidInput(f"the event lacks {' and '.join(missing)}; accepted are events as EventBridge delivers them")
    return Origin(id=str(event.get("id", "")), account=event["account"], region=event["region"])


def partition_of(region: str) -> str:
    """The partition that a region lies in."""
    if region.startswith("cn-"):
        return "aws-cn"
    return "aws-us-gov" if region.startswith("us-gov-") else "aws"


def scope_of(event: Mapping[str, Any]) -> Scope:
    """The scope of a native SageMaker event: the one resource that it names.

    Raises InvalidInput for an event of another type, or one that names no resource.
    """
    where = origin(event)
    kind_of_event = str(event.get("detail-type", ""))
    if kind_of_event not in NAMED_BY:
        raise InvalidInput(f"unknown detail-type {kind_of_event!r}; accepted are {', '.join(sorted(NAMED_BY))}")
    key, kind = NAMED_BY[kind_of_event]
    detail = event.get("detail")
    name = detail.get(key) if isinstance(detail, Mapping) else None
    if not isinstance(name, str) or not name:
        raise InvalidInput(f"the event's detail lacks {key}, which names the resource to audit")
    return Scope(
        account=where.account,
        region=where.region,
        partition=partition_of(where.region),
        resources=(ResourceRef(kind, name),),
    )
