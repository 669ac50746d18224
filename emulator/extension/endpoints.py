"""Endpoint configs and endpoints: every member is kept, any instance type is taken, updates replace the config."""

from __future__ import annotations

import copy
import hashlib
from typing import Any

from emulator.extension.records import (
    ENDPOINT,
    ENDPOINT_CONFIG,
    MODEL,
    TRAINING_PLAN,
    Record,
    add,
    find,
    now,
    remove,
    store_of,
)
from emulator.extension.registry import AwsError, invalid, operation

Request = dict[str, Any]
_VARIANTS = ("ProductionVariants", "ShadowProductionVariants")
_KEPT_IN_SUMMARY = ("ManagedInstanceScaling", "RoutingConfig", "CapacityReservationConfig", "InstancePools")


@operation("sagemaker", "CreateEndpointConfig")
def create_endpoint_config(backend: Any, request: Request) -> Request:
    variants = [variant for member in _VARIANTS for variant in request.get(member) or []]
    if not request.get("ProductionVariants"):
        raise invalid("One or more production variants are required.")
    for variant in variants:
        if "ModelName" in variant:
            find(backend, MODEL, variant["ModelName"])
        elif not request.get("ExecutionRoleArn"):
            # Inference components name the models; the role then belongs to the endpoint config.
            raise invalid("ExecutionRoleArn is required when a production variant has no ModelName.")
        # AWS gives back the default weight.
        variant.setdefault("InitialVariantWeight", 1.0)
    record = add(backend, ENDPOINT_CONFIG, request, EnableNetworkIsolation=request.get("EnableNetworkIsolation", False))
    return {"EndpointConfigArn": record.arn}


@operation("sagemaker", "DescribeEndpointConfig")
def describe_endpoint_config(backend: Any, request: Request) -> Request:
    return find(backend, ENDPOINT_CONFIG, request["EndpointConfigName"]).described()


@operation("sagemaker", "DeleteEndpointConfig")
def delete_endpoint_config(backend: Any, request: Request) -> None:
    remove(backend, ENDPOINT_CONFIG, request["EndpointConfigName"])


@operation("sagemaker", "CreateEndpoint")
def create_endpoint(backend: Any, request: Request) -> Request:
    config = find(backend, ENDPOINT_CONFIG, request["EndpointConfigName"])
    record = add(backend, ENDPOINT, request, EndpointStatus="InService")
    record.fields["LastModifiedTime"] = record.fields["CreationTime"]
    if "DeploymentConfig" in request:
        record.fields["LastDeploymentConfig"] = request["DeploymentConfig"]
    _deploy(backend, record, config)
    return {"EndpointArn": record.arn}


@operation("sagemaker", "DescribeEndpoint")
def describe_endpoint(backend: Any, request: Request) -> Request:
    return find(backend, ENDPOINT, request["EndpointName"]).described()


@operation("sagemaker", "DeleteEndpoint")
def delete_endpoint(backend: Any, request: Request) -> None:
    remove(backend, ENDPOINT, request["EndpointName"])


@operation("sagemaker", "UpdateEndpoint")
def update_endpoint(backend: Any, request: Request) -> Request:
    """The new config is in service at once; counts and weights stay when the request retains them."""
    record = find(backend, ENDPOINT, request["EndpointName"])
    config = find(backend, ENDPOINT_CONFIG, request["EndpointConfigName"])
    if record.fields["EndpointStatus"] == "Failed":
        raise invalid(f'Cannot update endpoint "{record.arn}" in status Failed: it can only be deleted.')
    if record.fields["EndpointStatus"] not in ("InService", "OutOfService", "UpdateRollbackFailed"):
        raise invalid(f'Cannot update in-progress endpoint "{record.arn}".')
    before = {variant["VariantName"]: variant for variant in record.fields.get("ProductionVariants", [])}
    _deploy(backend, record, config)
    if request.get("RetainAllVariantProperties"):
        _retain(record, before, request.get("ExcludeRetainedVariantProperties") or [])
    if "DeploymentConfig" in request:
        record.fields["LastDeploymentConfig"] = request["DeploymentConfig"]
    elif not request.get("RetainDeploymentConfig"):
        record.fields.pop("LastDeploymentConfig", None)
    record.fields.update(EndpointStatus="InService", LastModifiedTime=now())
    record.fields.pop("FailureReason", None)
    return {"EndpointArn": record.arn}


@operation("sagemaker", "UpdateEndpointWeightsAndCapacities")
def update_endpoint_weights_and_capacities(backend: Any, request: Request) -> Request:
    record = find(backend, ENDPOINT, request["EndpointName"])
    variants = {variant["VariantName"]: variant for variant in record.fields["ProductionVariants"]}
    wanted = request["DesiredWeightsAndCapacities"]
    names = [change["VariantName"] for change in wanted]
    if len(set(names)) < len(names):
        raise invalid("The variant names were non-unique within the request.")
    if unknown := [name for name in names if name not in variants]:
        config = record.fields["EndpointConfigName"]
        listed = ", ".join(unknown)
        raise invalid(f'The variant name(s) "{listed}" is/are not present within endpoint configuration "{config}".')
    for change in wanted:
        variant = variants[change["VariantName"]]
        if "DesiredWeight" in change:
            variant["CurrentWeight"] = variant["DesiredWeight"] = change["DesiredWeight"]
        if "DesiredInstanceCount" in change:
            variant["CurrentInstanceCount"] = variant["DesiredInstanceCount"] = change["DesiredInstanceCount"]
        if "ServerlessUpdateConfig" in change:
            serverless = {**variant.get("CurrentServerlessConfig", {}), **change["ServerlessUpdateConfig"]}
            variant["CurrentServerlessConfig"] = variant["DesiredServerlessConfig"] = serverless
    record.fields["LastModifiedTime"] = now()
    return {"EndpointArn": record.arn}


def _deploy(backend: Any, endpoint: Record, config: Record) -> None:
    fields = endpoint.fields
    fields["EndpointConfigName"] = config.name
    for member in _VARIANTS:
        fields.pop(member, None)
        if variants := config.fields.get(member):
            fields[member] = [_running(backend, variant) for variant in variants]
    for member in ("AsyncInferenceConfig", "ExplainerConfig", "MetricsConfig", "CrossRegionTrafficConfig"):
        fields.pop(member, None)
        if member in config.fields:
            fields[member] = copy.deepcopy(config.fields[member])
    fields.pop("DataCaptureConfig", None)
    if capture := config.fields.get("DataCaptureConfig"):
        enabled = capture.get("EnableCapture", False)
        fields["DataCaptureConfig"] = {
            "EnableCapture": enabled,
            "CaptureStatus": "Started" if enabled else "Stopped",
            "CurrentSamplingPercentage": capture["InitialSamplingPercentage"],
            "DestinationS3Uri": capture["DestinationS3Uri"],
            "KmsKeyId": capture.get("KmsKeyId", ""),
        }


def _running(backend: Any, variant: Request) -> Request:
    """What DescribeEndpoint says of a variant: a serverless one has no instance counts, none has an instance type."""
    weight = variant.get("InitialVariantWeight", 1.0)
    running: Request = {
        "VariantName": variant["VariantName"],
        "DeployedImages": _images(backend, variant),
        "CurrentWeight": weight,
        "DesiredWeight": weight,
    }
    if not running["DeployedImages"]:
        del running["DeployedImages"]
    if serverless := variant.get("ServerlessConfig"):
        running["CurrentServerlessConfig"] = running["DesiredServerlessConfig"] = dict(serverless)
    else:
        managed = variant.get("ManagedInstanceScaling") or {}
        count = variant.get("InitialInstanceCount", managed.get("MinInstanceCount", 1))
        running["CurrentInstanceCount"] = running["DesiredInstanceCount"] = count
    running.update({member: copy.deepcopy(variant[member]) for member in _KEPT_IN_SUMMARY if member in variant})
    if reservation := running.get("CapacityReservationConfig"):
        for plan in store_of(backend, TRAINING_PLAN).values():
            if plan.arn == reservation.get("MlReservationArn"):
                reservation["TotalInstanceCount"] = plan.fields["TotalInstanceCount"]
    for number, pool in enumerate(running.get("InstancePools", [])):
        pool.pop("ModelNameOverride", None)
        # The pool of the first priority has capacity here, so it serves the whole variant.
        pool["CurrentInstanceCount"] = 0 if number else running["CurrentInstanceCount"]
    return running


def _images(backend: Any, variant: Request) -> list[Request]:
    record = store_of(backend, MODEL).get(variant.get("ModelName", ""))
    if record is None:
        return []
    containers = record.fields.get("Containers") or [record.fields.get("PrimaryContainer", {})]
    images = [container["Image"] for container in containers if "Image" in container]
    return [deployed_image(image) for image in images]


def deployed_image(image: str) -> Request:
    """A DeployedImage: AWS resolves the tag to the digest of the image that runs."""
    repository = image.partition("@")[0]
    head, slash, tail = repository.rpartition("/")
    digest = hashlib.sha256(image.encode()).hexdigest()
    resolved = f"{head}{slash}{tail.partition(':')[0]}@sha256:{digest}"
    return {"SpecifiedImage": image, "ResolvedImage": resolved, "ResolutionTime": now()}


def _retain(record: Record, before: dict[str, Request], excluded: list[Request]) -> None:
    dropped = {entry["VariantPropertyType"] for entry in excluded}
    members = {"DesiredInstanceCount": "CurrentInstanceCount", "DesiredWeight": "CurrentWeight"}
    for variant in record.fields["ProductionVariants"]:
        old = before.get(variant["VariantName"], {})
        for desired, current in members.items():
            if desired in old and desired in variant and desired not in dropped:
                variant[desired] = variant[current] = old[desired]


def require_endpoint(backend: Any, name: str) -> Record:
    """The endpoint's record, for what lives on an endpoint. Raises ValidationException without it."""
    try:
        return find(backend, ENDPOINT, name)
    except AwsError as error:
        raise invalid(error.message) from None
