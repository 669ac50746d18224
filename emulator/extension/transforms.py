"""Batch transform jobs: what is not set is absent, as in AWS, not an empty string."""

from __future__ import annotations

from typing import Any

from emulator.extension.records import MODEL, TRANSFORM_JOB, add, find, now
from emulator.extension.registry import invalid, operation

Request = dict[str, Any]


@operation("sagemaker", "CreateTransformJob")
def create_transform_job(backend: Any, request: Request) -> Request:
    """The job is Completed at once: a seed says otherwise."""
    find(backend, MODEL, request["ModelName"])
    moment = now()
    record = add(
        backend,
        TRANSFORM_JOB,
        request,
        TransformJobStatus="Completed",
        TransformStartTime=moment,
        TransformEndTime=moment,
        LastModifiedTime=moment,
    )
    return {"TransformJobArn": record.arn}


@operation("sagemaker", "DescribeTransformJob")
def describe_transform_job(backend: Any, request: Request) -> Request:
    return find(backend, TRANSFORM_JOB, request["TransformJobName"]).described()


@operation("sagemaker", "StopTransformJob")
def stop_transform_job(backend: Any, request: Request) -> None:
    fields = find(backend, TRANSFORM_JOB, request["TransformJobName"]).fields
    if fields["TransformJobStatus"] != "InProgress":
        status = fields["TransformJobStatus"]
        raise invalid(f"The request was rejected because the transform job is in status {status}.")
    fields.update(TransformJobStatus="Stopped", LastModifiedTime=now())
