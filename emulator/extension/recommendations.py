"""Inference Recommender jobs, which moto does not know."""

from __future__ import annotations

from typing import Any

from emulator.extension.records import RECOMMENDATIONS_JOB, add, find, now
from emulator.extension.registry import operation

Request = dict[str, Any]


@operation("sagemaker", "CreateInferenceRecommendationsJob")
def create_inference_recommendations_job(backend: Any, request: Request) -> Request:
    """The job is COMPLETED at once, without recommendations: a seed says otherwise."""
    moment = now()
    record = add(
        backend,
        RECOMMENDATIONS_JOB,
        request,
        Status="COMPLETED",
        CompletionTime=moment,
        LastModifiedTime=moment,
        JobDescription=request.get("JobDescription", ""),
    )
    return {"JobArn": record.arn}


@operation("sagemaker", "DescribeInferenceRecommendationsJob")
def describe_inference_recommendations_job(backend: Any, request: Request) -> Request:
    return find(backend, RECOMMENDATIONS_JOB, request["JobName"]).described()
