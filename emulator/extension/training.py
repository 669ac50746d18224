"""Training jobs: every member of the request comes back, and finished jobs carry their times."""

from __future__ import annotations

from typing import Any

from emulator.extension.records import TRAINING_JOB, Record, add, find, now
from emulator.extension.registry import invalid, operation

Request = dict[str, Any]
_DEFAULT_RUNTIME_SECONDS = 86_400


@operation("sagemaker", "CreateTrainingJob")
def create_training_job(backend: Any, request: Request) -> Request:
    """The job is Completed at once, after one second of training: a seed says otherwise."""
    if request.get("EnableManagedSpotTraining"):
        stopping = request.get("StoppingCondition") or {}
        if stopping.get("MaxWaitTimeInSeconds", 0) < stopping.get("MaxRuntimeInSeconds", 1):
            raise invalid(
                "Invalid MaxWaitTimeInSeconds. It must be present and be greater than or equal to MaxRuntimeInSeconds"
            )
    return {"TrainingJobArn": add_training_job(backend, request).arn}


def add_training_job(backend: Any, request: Request, **fields: Any) -> Record:
    """A completed job of what the request says; `fields` are further members of its description."""
    moment = now()
    output = request["OutputDataConfig"]["S3OutputPath"].rstrip("/")
    stopping = {"MaxRuntimeInSeconds": _DEFAULT_RUNTIME_SECONDS, **(request.get("StoppingCondition") or {})}
    defaults: Request = {
        "ModelArtifacts": {"S3ModelArtifacts": f"{output}/{request['TrainingJobName']}/output/model.tar.gz"},
        "StoppingCondition": stopping,
        "EnableNetworkIsolation": request.get("EnableNetworkIsolation", False),
        "EnableInterContainerTrafficEncryption": request.get("EnableInterContainerTrafficEncryption", False),
        "EnableManagedSpotTraining": request.get("EnableManagedSpotTraining", False),
        "TrainingJobStatus": "Completed",
        "SecondaryStatus": "Completed",
        "TrainingStartTime": moment,
        "TrainingEndTime": moment,
        "LastModifiedTime": moment,
        "TrainingTimeInSeconds": 1,
        "BillableTimeInSeconds": 1,
        "SecondaryStatusTransitions": transitions(moment, moment, moment, "Completed"),
        "ProfilingStatus": "Disabled",
    }
    return add(backend, TRAINING_JOB, request, **{**defaults, **fields})


def transitions(created: float, started: float, ended: float, last: str) -> list[Request]:
    """The secondary statuses of a job that ran once; times in seconds since the epoch."""
    steps = (
        ("Starting", created, started, "Preparing the instances for training"),
        ("Downloading", started, started, "Downloading input data"),
        ("Training", started, ended, "Training image download completed. Training in progress."),
        ("Uploading", ended, ended, "Uploading generated training model"),
        (last, ended, ended, f"Training job {last.lower()}"),
    )
    return [
        {"Status": status, "StartTime": start, "EndTime": end, "StatusMessage": message}
        for status, start, end, message in steps
    ]


@operation("sagemaker", "DescribeTrainingJob")
def describe_training_job(backend: Any, request: Request) -> Request:
    return find(backend, TRAINING_JOB, request["TrainingJobName"]).described()


@operation("sagemaker", "StopTrainingJob")
def stop_training_job(backend: Any, request: Request) -> None:
    fields = find(backend, TRAINING_JOB, request["TrainingJobName"]).fields
    if fields["TrainingJobStatus"] not in ("InProgress", "Stopping"):
        status = fields["TrainingJobStatus"]
        raise invalid(f"The request was rejected because the training job is in status {status}.")
    fields.update(TrainingJobStatus="Stopped", SecondaryStatus="Stopped", TrainingEndTime=now(), LastModifiedTime=now())


@operation("sagemaker", "UpdateTrainingJob")
def update_training_job(backend: Any, request: Request) -> Request:
    record = find(backend, TRAINING_JOB, request["TrainingJobName"])
    for member in ("ProfilerConfig", "ProfilerRuleConfigurations", "RemoteDebugConfig"):
        if member in request:
            record.fields[member] = request[member]
    if "ResourceConfig" in request:
        record.fields["ResourceConfig"] = {**record.fields.get("ResourceConfig", {}), **request["ResourceConfig"]}
    record.fields["LastModifiedTime"] = now()
    return {"TrainingJobArn": record.arn}
