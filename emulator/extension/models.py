"""Models: only what was given comes back, network isolation and the execution mode of containers included."""

from __future__ import annotations

from typing import Any

from emulator.extension.records import MODEL, add, find, remove
from emulator.extension.registry import invalid, operation

Request = dict[str, Any]


@operation("sagemaker", "CreateModel")
def create_model(backend: Any, request: Request) -> Request:
    if request.get("PrimaryContainer") and request.get("Containers"):
        raise invalid("Request cannot contain both a primary container and containers.")
    isolation = bool(request.get("EnableNetworkIsolation", False))
    containers = request.get("Containers") or None
    primary = _with_mode(request.get("PrimaryContainer"))
    record = add(backend, MODEL, request, EnableNetworkIsolation=isolation, Containers=containers)
    if primary:
        record.fields["PrimaryContainer"] = primary
    for absent in ("PrimaryContainer", "VpcConfig", "Containers", "InferenceExecutionConfig"):
        if not record.fields.get(absent):
            record.fields.pop(absent, None)
    return {"ModelArn": record.arn}


@operation("sagemaker", "DescribeModel")
def describe_model(backend: Any, request: Request) -> Request:
    return find(backend, MODEL, request["ModelName"]).described()


@operation("sagemaker", "DeleteModel")
def delete_model(backend: Any, request: Request) -> None:
    remove(backend, MODEL, request["ModelName"])


def _with_mode(container: Request | None) -> Request | None:
    """SageMaker fills in that a container hosts a single model."""
    return {"Mode": "SingleModel", **container} if container else None
