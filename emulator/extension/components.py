"""Inference components, which moto does not know."""

from __future__ import annotations

import copy
from typing import Any

from emulator.extension.endpoints import deployed_image, require_endpoint
from emulator.extension.records import INFERENCE_COMPONENT, MODEL, add, find, now, remove
from emulator.extension.registry import invalid, operation

Request = dict[str, Any]


@operation("sagemaker", "CreateInferenceComponent")
def create_inference_component(backend: Any, request: Request) -> Request:
    endpoint = require_endpoint(backend, request["EndpointName"])
    specification = request.get("Specification") or {}
    base = specification.get("BaseInferenceComponentName")
    variant = request.get("VariantName")
    if base:
        # An adapter runs on the copies of its base component and has no variant of its own in the request.
        variant = variant or find(backend, INFERENCE_COMPONENT, base).fields["VariantName"]
    names = [running["VariantName"] for running in endpoint.fields["ProductionVariants"]]
    if variant not in names:
        raise invalid(f'Could not find variant "{variant}" of endpoint "{endpoint.arn}".')
    if "ModelName" in specification:
        find(backend, MODEL, specification["ModelName"])
    copies = (request.get("RuntimeConfig") or {}).get("CopyCount")
    record = add(
        backend,
        INFERENCE_COMPONENT,
        request,
        EndpointArn=endpoint.arn,
        VariantName=variant,
        Specification=_summary(specification) or None,
        InferenceComponentStatus="InService",
    )
    record.fields.pop("RuntimeConfig", None)
    if copies is not None:
        record.fields["RuntimeConfig"] = {"DesiredCopyCount": copies, "CurrentCopyCount": copies}
    record.fields["LastModifiedTime"] = record.fields["CreationTime"]
    return {"InferenceComponentArn": record.arn}


@operation("sagemaker", "DescribeInferenceComponent")
def describe_inference_component(backend: Any, request: Request) -> Request:
    return find(backend, INFERENCE_COMPONENT, request["InferenceComponentName"]).described()


@operation("sagemaker", "UpdateInferenceComponent")
def update_inference_component(backend: Any, request: Request) -> Request:
    record = find(backend, INFERENCE_COMPONENT, request["InferenceComponentName"])
    if "Specification" in request:
        record.fields["Specification"] = _summary(request["Specification"])
    if "DeploymentConfig" in request:
        record.fields["LastDeploymentConfig"] = request["DeploymentConfig"]
    if "RuntimeConfig" in request:
        _set_copies(record.fields, request["RuntimeConfig"]["CopyCount"])
    record.fields["LastModifiedTime"] = now()
    return {"InferenceComponentArn": record.arn}


@operation("sagemaker", "UpdateInferenceComponentRuntimeConfig")
def update_inference_component_runtime_config(backend: Any, request: Request) -> Request:
    record = find(backend, INFERENCE_COMPONENT, request["InferenceComponentName"])
    _set_copies(record.fields, request["DesiredRuntimeConfig"]["CopyCount"])
    record.fields["LastModifiedTime"] = now()
    return {"InferenceComponentArn": record.arn}


@operation("sagemaker", "DeleteInferenceComponent")
def delete_inference_component(backend: Any, request: Request) -> None:
    remove(backend, INFERENCE_COMPONENT, request["InferenceComponentName"])


def _set_copies(fields: Request, copies: int) -> None:
    fields["RuntimeConfig"] = {"DesiredCopyCount": copies, "CurrentCopyCount": copies}


def _summary(specification: Request) -> Request:
    """The description of a container names the deployed image where the request had an image."""
    summary = copy.deepcopy(specification)
    container = summary.get("Container") or {}
    if "Image" in container:
        container["DeployedImage"] = deployed_image(container.pop("Image"))
    return summary
