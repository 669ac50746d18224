"""Models and their containers: the facts, and how they are read."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, ClassVar

from pydantic import Field, model_validator

from chalicelib.inventory.aws import CallFailed
from chalicelib.inventory.facts import Fact, Tags, VpcConfig
from chalicelib.inventory.parts import Part
from chalicelib.inventory.reader import Reader


class Container(Fact):
    """One container of a model."""

    image: str | None = Field(None, alias="Image")
    hostname: str | None = Field(None, alias="ContainerHostname")
    mode: str | None = Field(None, alias="Mode")
    model_package: str | None = Field(None, alias="ModelPackageName")


class Model(Fact):
    """``DescribeModel``. Immutable after creation. ``used_by`` are the endpoints in which it serves (None: unread)."""

    kind: ClassVar[str] = "model"
    name: str = Field(alias="ModelName")
    arn: str = Field("", alias="ModelArn")
    created: datetime | None = Field(None, alias="CreationTime")
    primary_container: Container | None = Field(None, alias="PrimaryContainer")
    pipeline: tuple[Container, ...] = Field((), alias="Containers")
    execution_mode: str | None = Field(None, alias="InferenceExecutionConfig")
    execution_role_arn: str | None = Field(None, alias="ExecutionRoleArn")
    vpc_config: VpcConfig | None = Field(None, alias="VpcConfig")
    tags: Tags | None = Field(None, alias="Tags")
    used_by: tuple[str, ...] | None = Field(None, description="endpoints that serve it")

    @model_validator(mode="before")
    @classmethod
    def _flatten(cls, given: Any) -> Any:
        if not isinstance(given, dict):
            return given
        flat = dict(given)
        mode = flat.get("InferenceExecutionConfig")
        if isinstance(mode, Mapping):
            flat["InferenceExecutionConfig"] = mode.get("Mode")
        if not flat.get("PrimaryContainer"):
            flat.pop("PrimaryContainer", None)
        if not (flat.get("VpcConfig") or {"Subnets": ()}).get("Subnets"):
            flat.pop("VpcConfig", None)
        return flat

    @property
    def containers(self) -> tuple[Container, ...]:
        """Every container, whether the model has one or a pipeline of them."""
        return self.pipeline or ((self.primary_container,) if self.primary_container else ())

    @property
    def container_names(self) -> tuple[str, ...]:
        """The names under which the containers of a pipeline stand in logs and metrics: their host names, else their
        places."""
        return tuple(one.hostname or f"container-{place}" for place, one in enumerate(self.pipeline, start=1))

    @property
    def serial_pipeline(self) -> bool:
        """True for an inference pipeline: ``Containers`` called one after the other (absent mode means Serial)."""
        return bool(self.pipeline) and (self.execution_mode or "Serial").lower() == "serial"


def all_models(reader: Reader) -> dict[str, Model]:
    """Every model of the region: by ``Search``, or else listed and described one by one."""
    try:
        records = [record for page in reader.search("Model", []) for record in page if record.get("ModelName")]
    except CallFailed as failure:
        reader.search_failed(failure)
        records = []
    if records:
        return {one.name: one for one in reader.typed(Part.MODELS, Model, records, "ModelName")}
    listed = reader.aws.listing("sagemaker", "ListModels", "Models", MaxResults=100)
    return described_models(reader, [one["ModelName"] for one in listed])


def described_models(reader: Reader, names: Iterable[str]) -> dict[str, Model]:
    """The named models that exist."""
    answers = reader.describe_each(Part.MODELS, "DescribeModel", "ModelName", names)
    return {one.name: one for one in reader.typed(Part.MODELS, Model, answers, "ModelName")}


def searched_model(reader: Reader, name: str) -> Model | None:
    """One model with the endpoints that use it, which only ``Search`` tells; None where it does not answer."""
    try:
        filters = [{"Name": "ModelName", "Operator": "Equals", "Value": name}]
        pages = reader.aws.pages(
            "sagemaker",
            "Search",
            "Results",
            Resource="Model",
            MaxResults=10,
            SearchExpression={"Filters": filters},
        )
        for page in pages:
            for record in page:
                dashboard = record.get("Model") or {}
                if (dashboard.get("Model") or {}).get("ModelName") == name and "Endpoints" in dashboard:
                    used = tuple(one["EndpointName"] for one in dashboard["Endpoints"] or ())
                    found = reader.typed(Part.MODELS, Model, [{**dashboard["Model"], "used_by": used}], "ModelName")
                    return found[0] if found else None
    except CallFailed as failure:
        reader.search_failed(failure)
    return None
