"""Models and their containers: the facts, and how they are read."""

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from pydantic import Field

from chalicelib.inventory.answers import CallFailed, text
from chalicelib.inventory.facts import Fact, Tags, Time, VpcConfig, at, filled
from chalicelib.inventory.parts import Part
from chalicelib.inventory.reader import Reader


class Container(Fact):
    """One container of a model."""

    image: str | None = at("Image")
    hostname: str | None = at("ContainerHostname")
    mode: str | None = at("Mode")
    model_package: str | None = at("ModelPackageName")


def _with_subnets(config: Any) -> Any:
    """AWS's VpcConfig, or None where it names no subnet."""
    return None if isinstance(config, Mapping) and not config.get("Subnets") and not config.get("subnets") else config


class Model(Fact):
    """``DescribeModel``. Immutable after creation. ``used_by`` are the endpoints in which it serves (None: unread)."""

    kind: ClassVar[str] = "model"
    essential: ClassVar[tuple[str, ...]] = ("CreationTime",)
    name: str = at("ModelName", required=True)
    arn: str = at("ModelArn", default="")
    created: Time | None = at("CreationTime")
    primary_container: Container | None = at("PrimaryContainer", convert=filled)
    pipeline: tuple[Container, ...] = at("Containers", default=())
    execution_mode: str | None = at("InferenceExecutionConfig.Mode")
    execution_role_arn: str | None = at("ExecutionRoleArn")
    vpc_config: VpcConfig | None = at("VpcConfig", convert=_with_subnets)
    tags: Tags | None = at("Tags")
    used_by: tuple[str, ...] | None = Field(None, description="endpoints that serve it")

    @property
    def containers(self) -> tuple[Container, ...]:
        """Every container, whether the model has one or a pipeline of them."""
        return self.pipeline or ((self.primary_container,) if self.primary_container else ())

    @property
    def container_names(self) -> tuple[str, ...]:
        """The names under which the containers of a pipeline stand in logs and metrics: their host names, else their
        places."""
        return tuple(
            container.hostname or f"container-{place}" for place, container in enumerate(self.pipeline, start=1)
        )

    @property
    def serial_pipeline(self) -> bool:
        """True for an inference pipeline: ``Containers`` called one after the other (absent mode means Serial)."""
        return bool(self.pipeline) and (self.execution_mode or "Serial").lower() == "serial"


def all_models(reader: Reader) -> dict[str, Model]:
    """Every model of the region: by ``Search``, or else listed and described one by one."""
    try:
        records = [record for page in reader.search(Part.MODELS, "Model", []) for record in page]
    except CallFailed as failure:
        reader.search_failed(failure)
        records = []
    if records:
        return {model.name: model for model in reader.typed(Part.MODELS, Model, records, "ModelName")}
    return described_models(reader, reader.names(Part.MODELS, "ListModels", "Models", "ModelName", MaxResults=100))


def described_models(reader: Reader, names: Iterable[str]) -> dict[str, Model]:
    """The named models that exist."""
    answers = reader.describe_each(Part.MODELS, "DescribeModel", "ModelName", names)
    return {model.name: model for model in reader.typed(Part.MODELS, Model, answers, "ModelName")}


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
                dashboard = record.get("Model") if isinstance(record, Mapping) else None
                if not isinstance(dashboard, Mapping) or text(dashboard.get("Model"), "ModelName") != name:
                    continue
                endpoints = dashboard["Endpoints"] or () if "Endpoints" in dashboard else (None,)
                used = tuple(text(endpoint, "EndpointName") for endpoint in endpoints)
                if all(used):
                    models = reader.typed(Part.MODELS, Model, [{**dashboard["Model"], "used_by": used}], "ModelName")
                    return models[0] if models else None
    except CallFailed as failure:
        reader.search_failed(failure)
    return None
