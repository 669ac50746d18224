"""AI benchmark jobs, which moto does not know."""

from __future__ import annotations

from typing import Any

from emulator.extension.records import BENCHMARK_JOB, add, find, now
from emulator.extension.registry import operation

Request = dict[str, Any]


@operation("sagemaker", "CreateAIBenchmarkJob")
def create_ai_benchmark_job(backend: Any, request: Request) -> Request:
    """The job is Completed at once."""
    record = add(backend, BENCHMARK_JOB, request, AIBenchmarkJobStatus="Completed", StartTime=now(), EndTime=now())
    return {"AIBenchmarkJobArn": record.arn}


@operation("sagemaker", "DescribeAIBenchmarkJob")
def describe_ai_benchmark_job(backend: Any, request: Request) -> Request:
    return find(backend, BENCHMARK_JOB, request["AIBenchmarkJobName"]).described()
