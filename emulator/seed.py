"""What AWS would have produced by time and chance, set directly: ages, statuses, real counts, activities, metrics.

For code in the process of the emulator. Times are datetimes (UTC when naive) or seconds since the epoch; the API
gives them back as AWS does. Resources that the API can make are best made through boto3 and then seeded here with
what boto3 cannot say; `training_job`, `tuning_job`, `scalable_target` and `scaling_policy` also make what is missing.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from emulator import extension
from emulator.extension import autoscaling, cloudwatch, promql, quotas, records, studio, training, tuning
from emulator.extension.registry import LOCK, backend_of, epoch
from emulator.extension.series import Point

extension.install()

Time = datetime | float | int
Counts = Mapping[str, tuple[int, int]]
_TIME_SUFFIXES = ("Time", "Timestamp")


def record(
    account: str,
    region: str,
    kind: records.Kind,
    name: str,
    *,
    created: Time | None = None,
    modified: Time | None = None,
    tags: Mapping[str, str] | None = None,
    **fields: Any,
) -> None:
    """Sets members of a stored SageMaker resource, whatever its kind; None removes a member.

    Kinds are in `emulator.extension.records`. Raises AwsError when there is no such resource.
    """
    with LOCK:
        item = records.find(backend_of("sagemaker", account, region), kind, name)
        times = {"CreationTime": created, "LastModifiedTime": modified}
        fields |= {member: value for member, value in times.items() if value is not None}
        for member, value in fields.items():
            if value is None:
                item.fields.pop(member, None)
            else:
                item.fields[member] = _as_stored(value)
        if tags is not None:
            item.tags = _tags(tags)


def endpoint(
    account: str,
    region: str,
    name: str,
    *,
    status: str | None = None,
    created: Time | None = None,
    modified: Time | None = None,
    counts: Counts | None = None,
    failure_reason: str | None = None,
    tags: Mapping[str, str] | None = None,
    **fields: Any,
) -> None:
    """Sets what happened to an endpoint. counts are (current, desired) instances by variant.

    A variant of unequal counts can be had, which the API never leaves behind. An endpoint whose status is Failed or
    OutOfService keeps its variants; pass ProductionVariants=None for one that never came up.
    """
    with LOCK:
        item = records.find(backend_of("sagemaker", account, region), records.ENDPOINT, name)
        for variant in item.fields.get("ProductionVariants", []):
            if counts and variant["VariantName"] in counts:
                current, desired = counts[variant["VariantName"]]
                variant.update(CurrentInstanceCount=current, DesiredInstanceCount=desired)
        if status is not None:
            fields["EndpointStatus"] = status
        if failure_reason is not None:
            fields["FailureReason"] = failure_reason
    if created is not None and modified is None:
        modified = created
    record(account, region, records.ENDPOINT, name, created=created, modified=modified, tags=tags, **fields)


def model(account: str, region: str, name: str, *, created: Time | None = None, **fields: Any) -> None:
    """Sets members of a model."""
    record(account, region, records.MODEL, name, created=created, **fields)


def endpoint_config(account: str, region: str, name: str, *, created: Time | None = None, **fields: Any) -> None:
    """Sets members of an endpoint config, such as those that AWS no longer accepts in requests."""
    record(account, region, records.ENDPOINT_CONFIG, name, created=created, **fields)


def service_quota(account: str, region: str, name: str, value: float) -> None:
    """Sets the applied value of a quota of SageMaker's endpoints, by its name."""
    with LOCK:
        quotas.values_of(backend_of("servicequotas", account, region))[name] = value


def studio_domain(account: str, region: str, domain_id: str, **fields: Any) -> None:
    """Makes a domain of SageMaker Studio; `fields` are members of its description."""
    with LOCK:
        studio.add_domain(backend_of("sagemaker", account, region), domain_id, **fields)


def studio_app(
    account: str,
    region: str,
    key: str,
    *,
    active: Time | None = None,
    checked: Time | None = None,
    created: Time | None = None,
    **fields: Any,
) -> None:
    """Sets when the user of a Studio app was last active and AWS last checked it; `key` is what its ARN ends in."""
    times = {"LastUserActivityTimestamp": active, "LastHealthCheckTimestamp": checked}
    fields |= {member: value for member, value in times.items() if value is not None}
    record(account, region, records.APP, key, created=created, **fields)


def inference_component(
    account: str,
    region: str,
    name: str,
    *,
    copies: tuple[int, int] | None = None,
    status: str | None = None,
    created: Time | None = None,
    modified: Time | None = None,
    **fields: Any,
) -> None:
    """Sets what happened to an inference component. copies are (current, desired)."""
    if copies is not None:
        fields["RuntimeConfig"] = {"CurrentCopyCount": copies[0], "DesiredCopyCount": copies[1]}
    if status is not None:
        fields["InferenceComponentStatus"] = status
    record(account, region, records.INFERENCE_COMPONENT, name, created=created, modified=modified, **fields)


def notebook_instance(
    account: str, region: str, name: str, *, status: str | None = None, created: Time | None = None, **fields: Any
) -> None:
    """Sets members of a notebook instance, such as its retired AcceleratorTypes."""
    if status is not None:
        fields["NotebookInstanceStatus"] = status
    record(account, region, records.NOTEBOOK_INSTANCE, name, created=created, **fields)


def transform_job(
    account: str, region: str, name: str, *, status: str | None = None, created: Time | None = None, **fields: Any
) -> None:
    """Sets what happened to a batch transform job."""
    if status is not None:
        fields["TransformJobStatus"] = status
    record(account, region, records.TRANSFORM_JOB, name, created=created, **fields)


def recommendations_job(
    account: str, region: str, name: str, *, status: str | None = None, created: Time | None = None, **fields: Any
) -> None:
    """Sets what happened to an Inference Recommender job."""
    if status is not None:
        fields["Status"] = status
    record(account, region, records.RECOMMENDATIONS_JOB, name, created=created, **fields)


def training_plan(
    account: str,
    region: str,
    name: str,
    *,
    instance_type: str,
    instances: int,
    blocks: Sequence[tuple[Time, Time]],
    zone_id: str,
    status: str = "Active",
    **fields: Any,
) -> str:
    """Makes a training plan as it was bought, a block of its capacity for each pair of times. Gives its ARN."""
    with LOCK:
        backend = backend_of("sagemaker", account, region)
        arn = records.arn_of(backend, records.TRAINING_PLAN, name)
        reserved = [
            {
                "ReservedCapacityArn": f"{arn.replace('training-plan', 'reserved-capacity')}-{number}",
                "InstanceType": instance_type,
                "TotalInstanceCount": instances,
                "Status": "Active" if epoch(start) <= records.now() < epoch(end) else "Scheduled",
                "AvailabilityZoneId": zone_id,
                "StartTime": epoch(start),
                "EndTime": epoch(end),
            }
            for number, (start, end) in enumerate(blocks, 1)
        ]
        times = {"StartTime": epoch(blocks[0][0]), "EndTime": epoch(blocks[-1][1])}
        members = {"TrainingPlanArn": arn, "TrainingPlanName": name, "Status": status, "TotalInstanceCount": instances}
        members |= {**times, "ReservedCapacitySummaries": reserved, "CreationTime": times["StartTime"], **fields}
        records.store_of(backend, records.TRAINING_PLAN)[name] = records.Record(records.TRAINING_PLAN, members)
        return arn


def observed_hosts(account: str, region: str, endpoint: str, zones: Sequence[str], variant: str = "AllTraffic") -> None:
    """An instance in each of these zones, as detailed observability of the endpoint tells it."""
    with LOCK:
        hosts = promql.hosts_of(account, region)
        hosts += [(endpoint, variant, zone, f"i-{endpoint}-{number}") for number, zone in enumerate(zones)]


def training_job(
    account: str,
    region: str,
    name: str,
    *,
    status: str | None = None,
    created: Time | None = None,
    modified: Time | None = None,
    started: Time | None = None,
    ended: Time | None = None,
    tags: Mapping[str, str] | None = None,
    **fields: Any,
) -> None:
    """Makes or changes a training job; `fields` are any members of its description, None removes one.

    From `started` and `ended` follow TrainingTimeInSeconds, BillableTimeInSeconds and SecondaryStatusTransitions
    unless they are given. A job InProgress has no end. Without an end time a new job ends as it starts.
    """
    with LOCK:
        backend = backend_of("sagemaker", account, region)
        store = records.store_of(backend, records.TRAINING_JOB)
        if name not in store:
            training.add_training_job(backend, {**_plain_training_job(account, name), **_given(fields)})
        moments = _training_times(created, started, ended, modified, store[name].fields)
        members: dict[str, Any] = dict(moments)
        if started is not None or ended is not None or created is not None:
            seconds = max(1, round(moments["TrainingEndTime"] - moments["TrainingStartTime"]))
            members.update(TrainingTimeInSeconds=seconds, BillableTimeInSeconds=seconds)
            members["SecondaryStatusTransitions"] = training.transitions(
                moments["CreationTime"], moments["TrainingStartTime"], moments["TrainingEndTime"], status or "Completed"
            )
        if status is not None:
            members.update(TrainingJobStatus=status, SecondaryStatus=_secondary(status))
        if status == "InProgress":
            members.update(TrainingEndTime=None, BillableTimeInSeconds=None, TrainingTimeInSeconds=None)
            members["SecondaryStatusTransitions"] = training.transitions(
                moments["CreationTime"], moments["TrainingStartTime"], moments["TrainingStartTime"], "Training"
            )[:2]
        record(account, region, records.TRAINING_JOB, name, tags=tags, **{**members, **fields})
        if parent := store[name].fields.get("TuningJobArn"):
            _count_parent(backend, parent)


def tuning_job(
    account: str,
    region: str,
    name: str,
    *,
    children: int = 1,
    status: str | None = None,
    created: Time | None = None,
    modified: Time | None = None,
    definition: Mapping[str, Any] | None = None,
    tags: Mapping[str, str] | None = None,
    **fields: Any,
) -> None:
    """Makes or changes a tuning job; a new one gets `children` training jobs of `definition`.

    definition holds members of TrainingJobDefinition over a plain default.
    """
    with LOCK:
        backend = backend_of("sagemaker", account, region)
        if name not in records.store_of(backend, records.TUNING_JOB):
            plain = _plain_training_job(account, name)
            del plain["TrainingJobName"]
            request = {
                "HyperParameterTuningJobName": name,
                "HyperParameterTuningJobConfig": {
                    "Strategy": "Bayesian",
                    "ResourceLimits": {"MaxNumberOfTrainingJobs": children, "MaxParallelTrainingJobs": 1},
                },
                "TrainingJobDefinition": {**plain, **(definition or {})},
            }
            tuning.add_tuning_job(backend, request, children)
        if status is not None:
            fields["HyperParameterTuningJobStatus"] = status
        record(account, region, records.TUNING_JOB, name, created=created, modified=modified, tags=tags, **fields)


def scalable_target(
    account: str,
    region: str,
    resource_id: str,
    *,
    minimum: int = 1,
    maximum: int = 4,
    dimension: str | None = None,
    suspended: Sequence[str] = (),
    created: Time | None = None,
) -> None:
    """Makes or changes a scalable target, even of an endpoint that is gone.

    suspended names members of SuspendedState, for example `DynamicScalingOutSuspended`.
    """
    request: dict[str, Any] = {
        "ResourceId": resource_id,
        "ScalableDimension": dimension or _dimension(resource_id),
        "MinCapacity": minimum,
        "MaxCapacity": maximum,
        "SuspendedState": dict.fromkeys(suspended, True),
    }
    if created is not None:
        request["CreationTime"] = epoch(created)
    with LOCK:
        autoscaling.put_target(backend_of(autoscaling.SERVICE, account, region), request)


def scaling_policy(
    account: str, region: str, name: str, resource_id: str, *, dimension: str | None = None, **fields: Any
) -> None:
    """Makes a scaling policy, or changes members of one: for example Alarms=[] for one whose alarms were never made."""
    key = name, resource_id, dimension or _dimension(resource_id)
    with LOCK:
        backend = backend_of(autoscaling.SERVICE, account, region)
        policies = autoscaling.scaling_of(backend).policies
        if key not in policies:
            request = {"PolicyName": name, "ResourceId": resource_id, "ScalableDimension": key[2], **fields}
            autoscaling.put_policy(backend, request)
        policies[key].update({member: _as_stored(value) for member, value in fields.items()})


def scaling_activity(
    account: str,
    region: str,
    resource_id: str,
    *,
    status: str = "Successful",
    started: Time,
    ended: Time | None = None,
    cause: str = "monitor alarm was triggered",
    description: str = "Setting desired instance count.",
    message: str | None = None,
    not_scaled_reasons: Sequence[Mapping[str, Any]] = (),
    dimension: str | None = None,
    **fields: Any,
) -> None:
    """Adds a scaling activity; not_scaled_reasons are members such as {"Code": "AlreadyAtMaxCapacity"}."""
    activity: dict[str, Any] = {
        "ActivityId": str(uuid.uuid4()),
        "ServiceNamespace": "sagemaker",
        "ResourceId": resource_id,
        "ScalableDimension": dimension or _dimension(resource_id),
        "Description": description,
        "Cause": cause,
        "StartTime": started,
        "EndTime": ended,
        "StatusCode": status,
        "StatusMessage": message,
        "NotScaledReasons": [dict(reason) for reason in not_scaled_reasons] or None,
        **fields,
    }
    stored = {member: _as_stored(value) for member, value in activity.items() if value is not None}
    with LOCK:
        autoscaling.scaling_of(backend_of(autoscaling.SERVICE, account, region)).activities.append(stored)


def metric(
    account: str,
    region: str,
    name: str,
    dimensions: Mapping[str, str],
    points: Iterable[tuple[Time, float]],
    *,
    namespace: str = "AWS/SageMaker",
    unit: str | None = None,
) -> None:
    """Adds datapoints (time, value) of one sample each. Half a million take about a second."""
    rows = [(epoch(moment), float(value)) for moment, value in points]
    with LOCK:
        series = cloudwatch.series_of(backend_of("cloudwatch", account, region), namespace, name, dimensions)
        series.unit = unit or series.unit
        series.add([(moment, value, 1.0, value, value) for moment, value in rows])


def metric_statistics(
    account: str,
    region: str,
    name: str,
    dimensions: Mapping[str, str],
    points: Iterable[tuple[Time, float, float, float, float]],
    *,
    namespace: str = "AWS/SageMaker",
    unit: str | None = None,
) -> None:
    """Adds datapoints that sum up many samples: (time, sum, sample count, minimum, maximum)."""
    rows = [
        (moment if type(moment) is float else epoch(moment), float(total), float(samples), float(least), float(most))
        for moment, total, samples, least, most in points
    ]
    metric_points(account, region, name, dimensions, rows, namespace=namespace, unit=unit)


def metric_points(
    account: str,
    region: str,
    name: str,
    dimensions: Mapping[str, str],
    points: Iterable[Point],
    *,
    namespace: str = "AWS/SageMaker",
    unit: str | None = None,
) -> None:
    """The same of datapoints that are as the emulator keeps them."""
    with LOCK:
        series = cloudwatch.series_of(backend_of("cloudwatch", account, region), namespace, name, dimensions)
        series.unit = unit or series.unit
        series.add(points)


def alarm(
    account: str,
    region: str,
    name: str,
    *,
    state: str | None = None,
    actions_enabled: bool | None = None,
    updated: Time | None = None,
) -> None:
    """Sets the state of an alarm: OK, ALARM or INSUFFICIENT_DATA. Raises KeyError when there is no such alarm."""
    with LOCK:
        stored = backend_of("cloudwatch", account, region).alarms[name]
        if state is not None:
            stored.state_value = state
        if actions_enabled is not None:
            stored.actions_enabled = actions_enabled
        if updated is not None:
            stored.state_updated_timestamp = updated


def _dimension(resource_id: str) -> str:
    return autoscaling.COMPONENT if resource_id.startswith("inference-component/") else autoscaling.VARIANT


def _as_stored(value: Any) -> Any:
    """datetimes as seconds since the epoch, wherever they stand in the value."""
    if isinstance(value, datetime):
        return round(epoch(value), 3)
    if isinstance(value, Mapping):
        return {key: _as_stored(member) for key, member in value.items()}
    if isinstance(value, (list, tuple)):
        return [_as_stored(member) for member in value]
    return value


def _tags(tags: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def _given(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {member: _as_stored(value) for member, value in fields.items() if value is not None}


def _plain_training_job(account: str, name: str) -> dict[str, Any]:
    return {
        "TrainingJobName": name,
        "AlgorithmSpecification": {
            "TrainingImage": f"{account}.dkr.ecr.eu-west-1.amazonaws.com/training:latest",
            "TrainingInputMode": "File",
        },
        "RoleArn": f"arn:aws:iam::{account}:role/training",
        "OutputDataConfig": {"S3OutputPath": "s3://training-output/"},
        "ResourceConfig": {"InstanceType": "ml.m5.xlarge", "InstanceCount": 1, "VolumeSizeInGB": 30},
        "StoppingCondition": {"MaxRuntimeInSeconds": 86_400},
    }


def _training_times(
    created: Time | None, started: Time | None, ended: Time | None, modified: Time | None, old: Mapping[str, Any]
) -> dict[str, float]:
    """The four times of a job; what is not given follows from its neighbour, and from the old times last."""
    first = created if created is not None else started
    creation = epoch(first) if first is not None else old["CreationTime"]
    start = epoch(started) if started is not None else (creation if created is not None else old["TrainingStartTime"])
    unchanged = start if first is not None else old.get("TrainingEndTime", start)
    end = epoch(ended) if ended is not None else unchanged
    change = epoch(modified) if modified is not None else end
    times = {"CreationTime": creation, "TrainingStartTime": start, "TrainingEndTime": end, "LastModifiedTime": change}
    return {member: round(moment, 3) for member, moment in times.items()}


def _secondary(status: str) -> str:
    return {"InProgress": "Training"}.get(status, status)


def _count_parent(backend: Any, arn: str) -> None:
    parent = records.store_of(backend, records.TUNING_JOB).get(arn.rpartition("/")[2])
    if parent is not None:
        tuning.count_children(backend, parent)
