"""The List operations of SageMaker: 10 results a page unless asked for up to 100, filtered and sorted as asked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from emulator.extension.records import (
    BENCHMARK_JOB,
    CLUSTER,
    ENDPOINT,
    ENDPOINT_CONFIG,
    INFERENCE_COMPONENT,
    MODEL,
    NOTEBOOK_INSTANCE,
    RECOMMENDATIONS_JOB,
    TRAINING_JOB,
    TRAINING_PLAN,
    TRANSFORM_JOB,
    TUNING_JOB,
    Kind,
    Record,
    find,
    only,
    shape_members,
    store_of,
)
from emulator.extension.registry import epoch, invalid, operation, page
from emulator.extension.tuning import children_of

Request = dict[str, Any]
_DEFAULT_PAGE = 10
_MAXIMUM_PAGE = 100


@dataclass(frozen=True)
class Listing:
    """One List operation: the kind, the result's member, the summary's shape and the documented default order."""

    kind: Kind
    result: str
    summary: str
    sort_by: str = "CreationTime"
    order: str = "Descending"


LISTINGS = {
    "ListModels": Listing(MODEL, "Models", "ModelSummary"),
    "ListEndpoints": Listing(ENDPOINT, "Endpoints", "EndpointSummary"),
    "ListEndpointConfigs": Listing(ENDPOINT_CONFIG, "EndpointConfigs", "EndpointConfigSummary"),
    "ListInferenceComponents": Listing(INFERENCE_COMPONENT, "InferenceComponents", "InferenceComponentSummary"),
    "ListTrainingJobs": Listing(TRAINING_JOB, "TrainingJobSummaries", "TrainingJobSummary", order="Ascending"),
    "ListTransformJobs": Listing(TRANSFORM_JOB, "TransformJobSummaries", "TransformJobSummary"),
    "ListHyperParameterTuningJobs": Listing(
        TUNING_JOB, "HyperParameterTuningJobSummaries", "HyperParameterTuningJobSummary", "Name", "Ascending"
    ),
    "ListNotebookInstances": Listing(
        NOTEBOOK_INSTANCE, "NotebookInstances", "NotebookInstanceSummary", "Name", "Ascending"
    ),
    "ListClusters": Listing(CLUSTER, "ClusterSummaries", "ClusterSummary", order="Ascending"),
    "ListTrainingPlans": Listing(TRAINING_PLAN, "TrainingPlanSummaries", "TrainingPlanSummary"),
    "ListInferenceRecommendationsJobs": Listing(
        RECOMMENDATIONS_JOB, "InferenceRecommendationsJobs", "InferenceRecommendationsJob"
    ),
    "ListAIBenchmarkJobs": Listing(BENCHMARK_JOB, "AIBenchmarkJobs", "AIBenchmarkJobSummary"),
}


def _text(record: Record, member: str) -> str:
    return str(record.fields.get(member, ""))


def _model_of(record: Record) -> Any:
    return record.fields.get("InputConfig", {}).get("ModelName")


_FILTERS: dict[str, Callable[[Record, Any], bool]] = {
    "NameContains": lambda record, value: value.lower() in record.name.lower(),
    "StatusEquals": lambda record, value: record.fields.get(record.kind.status) == value,
    "CreationTimeAfter": lambda record, value: record.fields["CreationTime"] >= epoch(value),
    "CreationTimeBefore": lambda record, value: record.fields["CreationTime"] <= epoch(value),
    "LastModifiedTimeAfter": lambda record, value: _modified(record) >= epoch(value),
    "LastModifiedTimeBefore": lambda record, value: _modified(record) <= epoch(value),
    "EndpointNameEquals": lambda record, value: record.fields.get("EndpointName") == value,
    "VariantNameEquals": lambda record, value: record.fields.get("VariantName") == value,
    "WarmPoolStatusEquals": lambda record, value: record.fields.get("WarmPoolStatus", {}).get("Status") == value,
    "TrainingPlanArnEquals": lambda record, value: (
        record.fields.get("ResourceConfig", {}).get("TrainingPlanArn") == value
    ),
    "ModelNameEquals": lambda record, value: _model_of(record) == value,
    "ModelPackageVersionArnEquals": lambda record, value: (
        record.fields.get("InputConfig", {}).get("ModelPackageVersionArn") == value
    ),
    "NotebookInstanceLifecycleConfigNameContains": lambda record, value: (
        value in _text(record, "NotebookInstanceLifecycleConfigName")
    ),
    "DefaultCodeRepositoryContains": lambda record, value: value in _text(record, "DefaultCodeRepository"),
    "AdditionalCodeRepositoryEquals": lambda record, value: (
        value in record.fields.get("AdditionalCodeRepositories", [])
    ),
}


def _modified(record: Record) -> float:
    return float(record.fields.get("LastModifiedTime", record.fields["CreationTime"]))


def _order(sort_by: str) -> Callable[[Record], Any]:
    if sort_by == "Name":
        return lambda record: record.name
    if sort_by == "CreationTime":
        return lambda record: (record.fields["CreationTime"], record.name)
    if sort_by == "Status":
        return lambda record: (_text(record, record.kind.status), record.name)
    if sort_by == "FinalObjectiveMetricValue":
        return lambda record: (_objective(record), record.name)
    raise invalid(f"1 validation error detected: Value '{sort_by}' at 'sortBy' failed to satisfy constraint")


def _objective(record: Record) -> float:
    metrics = record.fields.get("FinalMetricDataList") or [{}]
    return float(metrics[0].get("Value", 0.0))


def _arranged(records: list[Record], request: Request, sort_by: str, order: str) -> list[Record]:
    for member, keeps in _FILTERS.items():
        if (value := request.get(member)) is not None:
            records = [record for record in records if keeps(record, value)]
    descending = request.get("SortOrder", order) == "Descending"
    return sorted(records, key=_order(request.get("SortBy", sort_by)), reverse=descending)


def _list(listing: Listing) -> Callable[[Any, Request], Request]:
    def handler(backend: Any, request: Request) -> Request:
        records = list(store_of(backend, listing.kind).values())
        records = _arranged(records, request, listing.sort_by, listing.order)
        shown, token = page(records, request, default=_DEFAULT_PAGE, maximum=_MAXIMUM_PAGE)
        answer: Request = {listing.result: [_summarised(record, listing.summary) for record in shown]}
        if token:
            answer["NextToken"] = token
        return answer

    return handler


def _summarised(record: Record, shape: str) -> Request:
    summary = only(record.fields, shape_members(shape))
    if record.kind is TUNING_JOB:
        config = record.fields["HyperParameterTuningJobConfig"]
        summary["Strategy"] = config["Strategy"]
        summary["ResourceLimits"] = config.get("ResourceLimits", {})
    elif record.kind is TRAINING_JOB:
        # The end is unknown while the job runs; the plan is in the resources of the job.
        if plan := record.fields.get("ResourceConfig", {}).get("TrainingPlanArn"):
            summary["TrainingPlanArn"] = plan
    elif record.kind is RECOMMENDATIONS_JOB:
        inputs = record.fields.get("InputConfig", {})
        summary.update(only(inputs, frozenset({"ModelName", "ModelPackageVersionArn"})))
    return summary


for _name, _listing in LISTINGS.items():
    operation("sagemaker", _name)(_list(_listing))


@operation("sagemaker", "ListTrainingJobsForHyperParameterTuningJob")
def list_training_jobs_for_hyper_parameter_tuning_job(backend: Any, request: Request) -> Request:
    """The training jobs that carry the tuning job's ARN."""
    job = find(backend, TUNING_JOB, request["HyperParameterTuningJobName"])
    records = _arranged(children_of(backend, job), request, "Name", "Ascending")
    shown, token = page(records, request, default=_DEFAULT_PAGE, maximum=_MAXIMUM_PAGE)
    members = shape_members("HyperParameterTrainingJobSummary")
    summaries = [
        {"TunedHyperParameters": {}, "ObjectiveStatus": "Succeeded", **only(record.fields, members)} for record in shown
    ]
    return {"TrainingJobSummaries": summaries, **({"NextToken": token} if token else {})}
