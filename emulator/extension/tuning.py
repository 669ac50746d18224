"""Hyperparameter tuning jobs, with the training jobs that they start."""

from __future__ import annotations

import uuid
from typing import Any

from emulator.extension.records import TRAINING_JOB, TUNING_JOB, Record, add, find, now, store_of
from emulator.extension.registry import invalid, operation
from emulator.extension.training import add_training_job

Request = dict[str, Any]
_COPIED = (
    "AlgorithmSpecification", "RoleArn", "InputDataConfig", "VpcConfig", "OutputDataConfig", "ResourceConfig",
    "StoppingCondition", "EnableNetworkIsolation", "EnableInterContainerTrafficEncryption",
    "EnableManagedSpotTraining", "CheckpointConfig", "RetryStrategy", "Environment",
)  # fmt: skip


@operation("sagemaker", "CreateHyperParameterTuningJob")
def create_hyper_parameter_tuning_job(backend: Any, request: Request) -> Request:
    """The job is Completed at once, with as many training jobs as it may run in parallel."""
    limits = request["HyperParameterTuningJobConfig"].get("ResourceLimits") or {}
    record = add_tuning_job(backend, request, children=limits.get("MaxParallelTrainingJobs", 1))
    return {"HyperParameterTuningJobArn": record.arn}


def add_tuning_job(backend: Any, request: Request, children: int) -> Record:
    """A completed tuning job with `children` completed training jobs."""
    definitions = request.get("TrainingJobDefinitions") or [request.get("TrainingJobDefinition")]
    if not definitions[0]:
        raise invalid("A tuning job needs a TrainingJobDefinition or TrainingJobDefinitions.")
    moment = now()
    record = add(
        backend,
        TUNING_JOB,
        request,
        HyperParameterTuningJobStatus="Completed",
        HyperParameterTuningEndTime=moment,
        LastModifiedTime=moment,
        ObjectiveStatusCounters={"Succeeded": children, "Pending": 0, "Failed": 0},
    )
    for number in range(children):
        _add_child(backend, record, definitions[number % len(definitions)], number + 1)
    count_children(backend, record)
    return record


def count_children(backend: Any, record: Record) -> None:
    """Sets the counters to the statuses of the training jobs that belong to the tuning job."""
    statuses = [child.fields["TrainingJobStatus"] for child in children_of(backend, record)]
    record.fields["TrainingJobStatusCounters"] = {
        "Completed": statuses.count("Completed"),
        "InProgress": statuses.count("InProgress"),
        "RetryableError": 0,
        "NonRetryableError": statuses.count("Failed"),
        "Stopped": statuses.count("Stopped"),
    }


def children_of(backend: Any, record: Record) -> list[Record]:
    jobs = store_of(backend, TRAINING_JOB).values()
    return [job for job in jobs if job.fields.get("TuningJobArn") == record.arn]


def _add_child(backend: Any, record: Record, definition: Request, number: int) -> None:
    request = {member: definition[member] for member in _COPIED if member in definition}
    request["TrainingJobName"] = f"{record.name}-{number:03}-{uuid.uuid4().hex[:8]}"
    request["HyperParameters"] = dict(definition.get("StaticHyperParameters") or {})
    add_training_job(backend, request, TuningJobArn=record.arn)


@operation("sagemaker", "DescribeHyperParameterTuningJob")
def describe_hyper_parameter_tuning_job(backend: Any, request: Request) -> Request:
    record = find(backend, TUNING_JOB, request["HyperParameterTuningJobName"])
    return record.described()


@operation("sagemaker", "StopHyperParameterTuningJob")
def stop_hyper_parameter_tuning_job(backend: Any, request: Request) -> None:
    fields = find(backend, TUNING_JOB, request["HyperParameterTuningJobName"]).fields
    fields.update(HyperParameterTuningJobStatus="Stopped", LastModifiedTime=now())


@operation("sagemaker", "DeleteHyperParameterTuningJob")
def delete_hyper_parameter_tuning_job(backend: Any, request: Request) -> None:
    store_of(backend, TUNING_JOB).pop(request["HyperParameterTuningJobName"], None)
