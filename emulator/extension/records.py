"""SageMaker resources as the API describes them: kept in moto's own dictionaries, one record each."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import botocore.session
from moto.utilities.utils import get_partition

from emulator.extension.registry import AwsError


@dataclass(frozen=True)
class Kind:
    """A kind of SageMaker resource.

    store is the attribute of moto's backend, describe the operation whose output shape the record follows,
    missing the text of the answer for a resource that is not there; `{arn}` and `{name}` are filled in. Without
    arn_is_name the ARN ends in an id of 12 letters and digits, and the resource can be named by its ARN, too.
    """

    arn_type: str
    store: str
    prefix: str
    describe: str
    status: str
    missing: str
    missing_code: str = "ValidationException"
    arn_is_name: bool = True

    @property
    def name_member(self) -> str:
        return f"{self.prefix}Name"

    @property
    def arn_member(self) -> str:
        return f"{self.prefix}Arn"


MODEL = Kind("model", "_models", "Model", "DescribeModel", "", 'Could not find model "{arn}".')
ENDPOINT_CONFIG = Kind(
    "endpoint-config", "endpoint_configs", "EndpointConfig", "DescribeEndpointConfig", "",
    'Could not find endpoint configuration "{arn}".',
)  # fmt: skip
ENDPOINT = Kind(
    "endpoint", "endpoints", "Endpoint", "DescribeEndpoint", "EndpointStatus", 'Could not find endpoint "{arn}".'
)
INFERENCE_COMPONENT = Kind(
    "inference-component", "inference_components", "InferenceComponent", "DescribeInferenceComponent",
    "InferenceComponentStatus", 'Could not find inference component "{arn}".',
)  # fmt: skip
TRAINING_JOB = Kind(
    "training-job", "training_jobs", "TrainingJob", "DescribeTrainingJob", "TrainingJobStatus",
    "Requested resource not found.",
)  # fmt: skip
TUNING_JOB = Kind(
    "hyper-parameter-tuning-job", "hyper_parameter_tuning_jobs", "HyperParameterTuningJob",
    "DescribeHyperParameterTuningJob", "HyperParameterTuningJobStatus",
    "Amazon SageMaker can't find a tuning job with the name {name}.", "ResourceNotFound",
)  # fmt: skip
TRANSFORM_JOB = Kind(
    "transform-job", "transform_jobs", "TransformJob", "DescribeTransformJob", "TransformJobStatus",
    "Could not find requested job with name: {name}", "ResourceNotFound",
)  # fmt: skip
NOTEBOOK_INSTANCE = Kind(
    "notebook-instance", "notebook_instances", "NotebookInstance", "DescribeNotebookInstance",
    "NotebookInstanceStatus", "RecordNotFound",
)  # fmt: skip
RECOMMENDATIONS_JOB = Kind(
    "inference-recommendations-job", "inference_recommendations_jobs", "Job",
    "DescribeInferenceRecommendationsJob", "Status",
    "Could not find requested job with name: {name}", "ResourceNotFound",
)  # fmt: skip
BENCHMARK_JOB = Kind(
    "ai-benchmark-job", "ai_benchmark_jobs", "AIBenchmarkJob", "DescribeAIBenchmarkJob", "AIBenchmarkJobStatus",
    "Could not find requested job with name: {name}", "ResourceNotFound",
)  # fmt: skip
CLUSTER = Kind(
    "cluster", "clusters", "Cluster", "DescribeCluster", "ClusterStatus", "Cluster {name} not found.",
    "ResourceNotFound", arn_is_name=False,
)  # fmt: skip
TRAINING_PLAN = Kind(
    "training-plan", "training_plans", "TrainingPlan", "DescribeTrainingPlan", "Status",
    "Training plan {name} not found.", "ResourceNotFound",
)  # fmt: skip

KINDS = (
    MODEL, ENDPOINT_CONFIG, ENDPOINT, INFERENCE_COMPONENT, TRAINING_JOB, TUNING_JOB, TRANSFORM_JOB,
    NOTEBOOK_INSTANCE, RECOMMENDATIONS_JOB, BENCHMARK_JOB, CLUSTER, TRAINING_PLAN,
)  # fmt: skip


class Record:
    """One resource: `fields` are the members that AWS answers, timestamps in seconds since the epoch."""

    def __init__(self, kind: Kind, fields: dict[str, Any], tags: list[dict[str, str]] | None = None) -> None:
        self.kind = kind
        self.fields = fields
        self.tags = list(tags or [])

    @property
    def name(self) -> str:
        return str(self.fields[self.kind.name_member])

    @property
    def arn(self) -> str:
        return str(self.fields[self.kind.arn_member])

    def described(self) -> dict[str, Any]:
        """The members that the describe operation has; a record may hold more, for Search."""
        return only(self.fields, output_members(self.kind.describe))


def now() -> float:
    """Seconds since the epoch with the milliseconds that SageMaker keeps."""
    return round(time.time(), 3)


def only(fields: Mapping[str, Any], members: frozenset[str]) -> dict[str, Any]:
    """The given members that are set."""
    return {name: value for name, value in fields.items() if name in members and value is not None}


@cache
def _service_model() -> Any:
    return botocore.session.get_session().get_service_model("sagemaker")


@cache
def output_members(operation: str) -> frozenset[str]:
    """The members of an operation's output, from botocore's service model."""
    return frozenset(_service_model().operation_model(operation).output_shape.members)


@cache
def shape_members(shape: str) -> frozenset[str]:
    """The members of a structure of botocore's service model."""
    return frozenset(_service_model().shape_for(shape).members)


@cache
def timestamp_members(shape: str) -> frozenset[str]:
    """The members of a structure that are timestamps."""
    members = _service_model().shape_for(shape).members
    return frozenset(name for name, member in members.items() if member.type_name == "timestamp")


def store_of(backend: Any, kind: Kind) -> dict[str, Record]:
    """The records of a kind, by name."""
    store: dict[str, Record] = vars(backend).setdefault(kind.store, {})
    return store


def arn_of(backend: Any, kind: Kind, name: str) -> str:
    partition = get_partition(backend.region_name)
    end = name if kind.arn_is_name else hashlib.sha256(name.encode()).hexdigest()[:12]
    return f"arn:{partition}:sagemaker:{backend.region_name}:{backend.account_id}:{kind.arn_type}/{end}"


def find(backend: Any, kind: Kind, name: str) -> Record:
    """The record of that name. Raises the error with which AWS says that there is none."""
    store = store_of(backend, kind)
    record = store.get(name)
    if record is None and not kind.arn_is_name:
        record = next((known for known in store.values() if known.arn == name), None)
    if record is None:
        arn = arn_of(backend, kind, name)
        raise AwsError(kind.missing_code, kind.missing.format(arn=arn, name=name))
    return record


def add(backend: Any, kind: Kind, request: Mapping[str, Any], **fields: Any) -> Record:
    """A new record of what the request says and the describe operation gives back, plus `fields`.

    Raises ValidationException (ResourceInUse for jobs) when the name is taken.
    """
    store = store_of(backend, kind)
    name = request[kind.name_member]
    arn = arn_of(backend, kind, name)
    if name in store:
        if kind in (TRAINING_JOB, TUNING_JOB, TRANSFORM_JOB, RECOMMENDATIONS_JOB, BENCHMARK_JOB):
            raise AwsError("ResourceInUse", f"Job name must be unique within an AWS account and region: {arn}")
        raise AwsError("ValidationException", f'Cannot create already existing {kind.arn_type} "{arn}".')
    members = only(request, output_members(kind.describe))
    members.update({kind.arn_member: arn, "CreationTime": now()})
    members.update({member: value for member, value in fields.items() if value is not None})
    store[name] = record = Record(kind, members, request.get("Tags"))
    return record


def remove(backend: Any, kind: Kind, name: str) -> None:
    find(backend, kind, name)
    del store_of(backend, kind)[name]
