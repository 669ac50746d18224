"""Models and their containers: the facts, and how they are read."""

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from pydantic import Field

from chalicelib.inventory.answers import CallFailed
from chalicelib.inventory.facts import Fact, Tags, Time, VpcConfig, at, filled
from chalicelib.inventory.parts import Part
from chalicelib.inventory.reader import Reader


class Container(Fact):
    """One container of a model."""

    image: str | None = at("Image")
    hostname: str | None = at("ContainerHostname")
    mode: str | None = at("Mode")
    model_package: str | None = at("ModelPackageName")
    model_data: str | None = at("ModelDataSource.S3DataSource.S3Uri", "ModelDataUrl")


def _with_subnets(config: Any) -> Any:
    """AWS's VpcConfig, or None where it names no subnet."""
    return None if isinstance(config, Mapping) and not config.get("Subnets") and not config.get("subnets") else config


class Model(Fact):
    """``DescribeModel``. Immutable after creation. ``used_by`` are the endpoints in which it serves (None: unread)."""

    kind: ClassVar[str] = "model"
    null_is_unread: ClassVar[Mapping[str, str]] = {**Fact.null_is_unread, "used_by": "sagemaker:Search"}
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
    components: tuple[str, ...] = Field((), description="inference components that run it")
    hosts: tuple[str, ...] = Field((), description="endpoints that serve it by inference components alone")

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


#: ``Search`` takes this many filters; a search is worth its call from this many models on.
SEARCH_FILTERS, WORTH_A_SEARCH = 20, 2


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


def searched_models(reader: Reader, names: Iterable[str]) -> dict[str, Model]:
    """Those of the named models that ``Search`` knows, with their tags and the endpoints that use them, which it alone
    tells."""
    wanted = list(dict.fromkeys(names))
    slices = [wanted[start : start + SEARCH_FILTERS] for start in range(0, len(wanted), SEARCH_FILTERS)]
    return {name: model for some in slices for name, model in _searched(reader, some).items()}


def _searched(reader: Reader, names: list[str]) -> dict[str, Model]:
    filters = [{"Name": "ModelName", "Operator": "Equals", "Value": name} for name in names]
    expression: dict[str, Any] = {"Filters": filters} | ({"Operator": "Or"} if len(filters) > 1 else {})
    try:
        results = reader.aws.listing(
            "sagemaker", "Search", "Results", Resource="Model", MaxResults=100, SearchExpression=expression
        )
    except CallFailed as failure:
        reader.search_failed(failure)
        return {}
    records = []
    for result in results:
        dashboard = result.get("Model") or {}
        model = dashboard.get("Model") or {}
        if model.get("ModelName") in names and "Endpoints" in dashboard:
            used = tuple(endpoint["EndpointName"] for endpoint in dashboard["Endpoints"] or ())
            records.append({**model, "used_by": used})
    return {model.name: model for model in reader.typed(Part.MODELS, Model, records, "ModelName")}


def named_models(reader: Reader, names: Iterable[str], *, keep: int = 0) -> dict[str, Model]:
    """The named models that exist, described one by one. In an audit whose calls are bounded several are searched for
    at once, and those that ``Search`` does not know yet described while ``keep`` calls stay."""
    wanted = list(dict.fromkeys(names))
    by_search = reader.bound is not None and len(wanted) >= WORTH_A_SEARCH
    searched = searched_models(reader, wanted) if by_search else {}
    lacking = reader.afforded(Part.MODELS, [name for name in wanted if name not in searched], keep=keep)
    return searched | described_models(reader, lacking)
