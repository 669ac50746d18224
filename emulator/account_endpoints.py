"""How one endpoint of the lifelike account is described, and how it is made with all that belongs to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from moto.logs.models import logs_backends

from emulator import account_storage, seed
from emulator.account_base import Account, Scaling, backlog, calls, cpu_use, gpu_use, latency, scale
from emulator.account_network import SECURITY_GROUP
from emulator.extension import autoscaling

SERVERLESS: Mapping[str, Any] = {"ServerlessConfig": {"MemorySizeInMB": 4096, "MaxConcurrency": 20}}


@dataclass(frozen=True)
class Model:
    """A model. images are named as `Account.image` takes them; several make a pipeline unless direct.

    list_of_one puts a single image into `Containers`, as a pipeline of one. role is the name of a role of its own,
    which nobody makes.
    """

    name: str
    images: Sequence[str]
    subnets: Sequence[str] = ()
    direct: bool = False
    multi_model: bool = False
    list_of_one: bool = False
    role: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Variant:
    """A variant on instances, or on what `settings` say. calls is the peak of Invocations a minute.

    model is None under inference components; pools are the instance pools in place of a type, each a type and the model
    that it brings, or None for the variant's. gpu holds the highest GPUUtilization and GPUMemoryUtilization, cpu
    those of CPUs and memory where there is no gpu.
    now_running holds (current, desired) instances where they differ from count. concurrency scales a serverless one.
    by_minute: there is every minute of its calls, as of those that are scaled.
    rare: it is called in one hour of three days only. jump is what is asked in every minute of working mornings. steps
    are those that automatic scaling has recorded: how many hours ago, and to which count. latencies are the
    milliseconds that a call takes in each container of a pipeline.
    """

    model: Model | None
    type: str | None = "ml.m5.xlarge"
    count: int | None = 2
    scaling: Scaling | None = None
    calls: float = 0
    gpu: tuple[float, float] | None = None
    cpu: tuple[float, float] = (260, 55)
    name: str = "AllTraffic"
    weight: float = 1
    settings: Mapping[str, Any] = field(default_factory=dict)
    now_running: tuple[int, int] | None = None
    concurrency: Scaling | None = None
    by_minute: bool = False
    rare: bool = False
    latencies: Mapping[str, float] = field(default_factory=dict)
    pools: Sequence[tuple[str, Model | None]] = ()
    jump: float = 0
    steps: Sequence[tuple[float, int]] = ()

    @property
    def models(self) -> list[Model]:
        """Its own model and those of its instance pools."""
        return [model for model in (self.model, *(model for _, model in self.pools)) if model is not None]

    @property
    def member(self) -> dict[str, Any]:
        """The variant as CreateEndpointConfig takes it."""
        members = {
            "VariantName": self.name,
            "ModelName": self.model.name if self.model else None,
            "InstanceType": self.type,
            "InitialInstanceCount": self.count,
            "InitialVariantWeight": self.weight if self.model else None,
            "InstancePools": [
                {"InstanceType": type, "Priority": priority, **({"ModelNameOverride": model.name} if model else {})}
                for priority, (type, model) in enumerate(self.pools, 1)
            ]
            or None,
        }
        return {name: value for name, value in members.items() if value is not None} | dict(self.settings)


@dataclass(frozen=True)
class Component:
    """An inference component; base makes it an adapter of that component, asleep one that has scaled to no copy."""

    name: str
    model: Model | None = None
    copies: int = 1
    scaling: Scaling | None = None
    base: str | None = None
    calls: float = 0
    status: str = "InService"
    failure: str | None = None
    asleep: bool = False


@dataclass(frozen=True)
class Endpoint:
    """An endpoint with everything under it. age is in days; modified_hours ago it last changed (None: never).

    load_tested says whether a tag tells of a load test behind its target values; encrypted, whether a KMS key is named;
    failures_kept, whether an asynchronous one has a place for failures; deployment is the configuration of its last
    update; observed are the zones of its instances as detailed observability tells them, none where that is off.
    """

    name: str
    variants: Sequence[Variant]
    owner: str
    env: str = "prod"
    age: float = 60
    modified_hours: float | None = None
    status: str = "InService"
    failure: str | None = None
    asynchronous: bool = False
    shadows: Sequence[Variant] = ()
    components: Sequence[Component] = ()
    subnets: Sequence[str] = ()
    load_tested: bool = True
    observed: Sequence[str] = ()
    encrypted: bool = False
    failures_kept: bool = True
    deployment: Mapping[str, Any] | None = None

    @property
    def models(self) -> list[Model]:
        """The models of its variants and inference components."""
        models = [model for variant in (*self.variants, *self.shadows) for model in variant.models]
        return models + [component.model for component in self.components if component.model is not None]


def make_model(account: Account, model: Model, *, age: float, tags: Mapping[str, str]) -> None:
    """Makes a model of one container or of several."""
    containers = [
        {"Image": account.image(image), "ModelDataUrl": f"s3://models-{account.id}/{model.name}/model.tar.gz"}
        for image in model.images
    ]
    members: dict[str, Any] = {}
    if len(containers) > 1 or model.list_of_one:
        hostnames = [f"step-{number}" for number in range(1, len(containers) + 1)]
        members["Containers"] = [
            {**container, "ContainerHostname": hostname}
            for container, hostname in zip(containers, hostnames, strict=True)
        ]
    else:
        mode = {"Mode": "MultiModel"} if model.multi_model else {}
        members["PrimaryContainer"] = {**containers[0], **mode}
    if model.direct:
        members["InferenceExecutionConfig"] = {"Mode": "Direct"}
    if model.subnets:
        members["VpcConfig"] = {"SecurityGroupIds": [SECURITY_GROUP], "Subnets": list(model.subnets)}
    account.sagemaker(
        "CreateModel",
        ModelName=model.name,
        ExecutionRoleArn=account.role_of(model.role) if model.role else account.role,
        Tags=_tags({**tags, **model.tags}),
        **members,
    )
    seed.model(account.id, account.region, model.name, created=account.ago(days=age))
    account_storage.keep(account, containers)


def make_endpoint(account: Account, endpoint: Endpoint) -> None:
    """Makes the models, the config, the endpoint, its inference components, its scaling and its traffic."""
    tags = {"owner": endpoint.owner, "env": endpoint.env}
    if endpoint.load_tested:
        tags["load-tested"] = f"{account.ago(days=min(endpoint.age, 90)):%Y-%m-%d}"
    for model in endpoint.models:
        make_model(account, model, age=endpoint.age, tags=tags)
    _make_config(account, endpoint, tags)
    account.sagemaker(
        "CreateEndpoint", EndpointName=endpoint.name, EndpointConfigName=_config_name(endpoint), Tags=_tags(tags)
    )
    logs = logs_backends[account.id][account.region]
    logs.create_log_group(f"/aws/sagemaker/Endpoints/{endpoint.name}", tags={})
    created = account.ago(days=endpoint.age)
    changed = created if endpoint.modified_hours is None else account.ago(hours=endpoint.modified_hours)
    more: dict[str, Any] = {"ProductionVariants": None} if endpoint.status == "Failed" else {}
    if endpoint.deployment is not None:
        more["LastDeploymentConfig"] = dict(endpoint.deployment)
    seed.endpoint(
        account.id,
        account.region,
        endpoint.name,
        status=endpoint.status,
        failure_reason=endpoint.failure,
        created=created,
        modified=changed,
        counts={
            counted_variant.name: counted_variant.now_running
            for counted_variant in (*endpoint.variants, *endpoint.shadows)
            if counted_variant.now_running
        },
        **more,
    )
    for variant in endpoint.variants:
        _scale_and_call(account, endpoint, variant)
    for component in endpoint.components:
        _make_component(account, endpoint, component)


def _config_name(endpoint: Endpoint) -> str:
    return f"{endpoint.name}-config"


def _make_config(account: Account, endpoint: Endpoint, tags: Mapping[str, str]) -> None:
    members: dict[str, Any] = {"ProductionVariants": [variant.member for variant in endpoint.variants]}
    if endpoint.shadows:
        members["ShadowProductionVariants"] = [shadow.member for shadow in endpoint.shadows]
    if endpoint.asynchronous:
        place = f"s3://async-results-{account.id}/{endpoint.name}/"
        failures = {"S3FailurePath": f"{place}failures/"} if endpoint.failures_kept else {}
        members["AsyncInferenceConfig"] = {"OutputConfig": {"S3OutputPath": place, **failures}}
    if any(variant.model is None for variant in endpoint.variants):
        members["ExecutionRoleArn"] = account.role
    if endpoint.encrypted:
        members["KmsKeyId"] = account_storage.KEY_ALIAS
    if endpoint.subnets:
        members["VpcConfig"] = {"SecurityGroupIds": [SECURITY_GROUP], "Subnets": list(endpoint.subnets)}
    if endpoint.observed:
        members["MetricsConfig"] = {"EnableDetailedObservability": True}
        seed.observed_hosts(account.id, account.region, endpoint.name, endpoint.observed)
    name = _config_name(endpoint)
    account.sagemaker("CreateEndpointConfig", EndpointConfigName=name, Tags=_tags(tags), **members)
    seed.endpoint_config(account.id, account.region, name, created=account.ago(days=endpoint.age))


def _scale_and_call(account: Account, endpoint: Endpoint, variant: Variant) -> None:
    resource_id = f"endpoint/{endpoint.name}/variant/{variant.name}"
    since = account.ago(days=endpoint.age - 0.1) if endpoint.age > 1 else account.now
    if variant.scaling:
        backlog_of = endpoint.name if endpoint.asynchronous else None
        scale(account, resource_id, variant.scaling, since=since, backlog_of=backlog_of)
    if variant.concurrency:
        scale(account, resource_id, variant.concurrency, since=since, dimension=autoscaling.CONCURRENCY)
    dimensions = {"EndpointName": endpoint.name, "VariantName": variant.name}
    if variant.calls and endpoint.asynchronous:
        calls(account, dimensions, variant.calls, "InvocationsProcessed")
        backlog(account, endpoint.name, variant.calls)
    elif variant.calls:
        replayed = variant.by_minute or variant.scaling is not None
        calls(account, dimensions, variant.calls, rare=variant.rare, by_minute=replayed, jump=variant.jump)
    for hours, count in variant.steps:
        _recorded_step(account, resource_id, hours, count)
    for container, milliseconds in variant.latencies.items():
        latency(account, {**dimensions, "ContainerName": container}, variant.calls, milliseconds)
    if variant.gpu:
        gpu_use(account, dimensions, *variant.gpu)
    else:
        cpu_use(account, dimensions, *variant.cpu)


def _recorded_step(account: Account, resource_id: str, hours: float, count: int) -> None:
    """A step that automatic scaling has recorded, which took four minutes."""
    begin = account.ago(hours=hours)
    seed.scaling_activity(
        account.id,
        account.region,
        resource_id,
        started=begin,
        ended=begin + timedelta(minutes=4),
        cause="monitor alarm TargetTracking in state ALARM triggered policy target-tracking",
        description=f"Setting desired instance count to {count}.",
    )


def _make_component(account: Account, endpoint: Endpoint, component: Component) -> None:
    name = component.name
    if component.base:
        artifact = f"s3://models-{account.id}/adapters/{name}.tar.gz"
        account_storage.keep_data(account, artifact)
        specification: dict[str, Any] = {
            "BaseInferenceComponentName": component.base,
            "Container": {"ArtifactUrl": artifact},
        }
        members: dict[str, Any] = {"Specification": specification}
    else:
        assert component.model is not None, "only an adapter goes without a model"
        specification = {
            "ModelName": component.model.name,
            "ComputeResourceRequirements": {"NumberOfAcceleratorDevicesRequired": 1, "MinMemoryRequiredInMb": 8192},
        }
        members = {
            "VariantName": endpoint.variants[0].name,
            "Specification": specification,
            "RuntimeConfig": {"CopyCount": component.copies},
        }
    account.sagemaker("CreateInferenceComponent", InferenceComponentName=name, EndpointName=endpoint.name, **members)
    created = account.ago(days=endpoint.age - 0.1)
    seed.inference_component(
        account.id,
        account.region,
        name,
        status=component.status,
        created=created,
        modified=created,
        copies=(0, 0) if component.asleep else None,
        **({"FailureReason": component.failure} if component.failure else {}),
    )
    if component.scaling:
        resource_id = f"inference-component/{name}"
        scale(account, resource_id, component.scaling, since=created, dimension=autoscaling.COMPONENT)
    if component.calls:
        calls(account, {"InferenceComponentName": name}, component.calls)


def _tags(tags: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]
