"""What AWS answered, as frozen values named as AWS names the things.

One field for each fact that a rule or a person reads. Unknown fields are ignored, new enum values are plain strings,
and what an answer leaves out is None, never 0.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from chalicelib.inventory.instances import InstanceType


class Unread(Exception):
    """A fact that a rule needs could not be read; the text says what stood in the way, ``operation`` which call."""

    def __init__(self, reason: str, operation: str = "incomplete answer") -> None:
        super().__init__(reason)
        self.operation = operation


def _tags(given: Any) -> Any:
    """Tags as a mapping, from AWS's list of ``{"Key", "Value"}`` or from a mapping."""
    if isinstance(given, list):
        return {tag["Key"]: tag.get("Value") or "" for tag in given if isinstance(tag, Mapping) and "Key" in tag}
    return given


Tags = Annotated[dict[str, str], BeforeValidator(_tags)]


#: Endpoint states without case and underscores: events write IN_SERVICE where the API writes InService.
IN_TRANSITION = frozenset({"creating", "updating", "systemupdating", "rollingback", "deleting"})
NOT_SERVING = frozenset({"failed", "outofservice"})


def plain(status: str) -> str:
    """A status without case and underscores, to compare by."""
    return status.replace("_", "").lower()


class Fact(BaseModel):
    """Base of everything in the inventory. Nulls count as absent; ``kind`` names the resource kind in reports."""

    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True, defer_build=True)
    kind: ClassVar[str] = ""

    @model_validator(mode="before")
    @classmethod
    def _nulls_are_absent(cls, given: Any) -> Any:
        if isinstance(given, dict) and None in given.values():
            return {key: value for key, value in given.items() if value is not None}
        return given


class VpcConfig(Fact):
    """Where containers get their network interfaces."""

    security_group_ids: tuple[str, ...] = Field((), alias="SecurityGroupIds")
    subnets: tuple[str, ...] = Field((), alias="Subnets")


class ManagedInstanceScaling(Fact):
    """SageMaker's own scaling of the instances under inference components."""

    status: str = Field("", alias="Status")
    min_instance_count: int | None = Field(None, alias="MinInstanceCount")
    max_instance_count: int | None = Field(None, alias="MaxInstanceCount")

    @property
    def enabled(self) -> bool:
        return self.status.upper() == "ENABLED"


class VariantSettings(Fact):
    """A variant as configured: ``DescribeEndpointConfig.ProductionVariants[]``."""

    name: str = Field(alias="VariantName")
    model_name: str | None = Field(None, alias="ModelName")
    initial_instance_count: int | None = Field(None, alias="InitialInstanceCount")
    initial_weight: float | None = Field(None, alias="InitialVariantWeight")
    instance_type: str | None = Field(None, alias="InstanceType")
    instance_pools: tuple[str, ...] = Field((), alias="InstancePools")
    accelerator_type: str | None = Field(None, alias="AcceleratorType")
    serverless: Annotated[bool, BeforeValidator(bool)] = Field(False, alias="ServerlessConfig")
    managed_instance_scaling: ManagedInstanceScaling | None = Field(None, alias="ManagedInstanceScaling")

    @model_validator(mode="before")
    @classmethod
    def _pool_types(cls, given: Any) -> Any:
        pools = given.get("InstancePools") if isinstance(given, dict) else None
        if pools:
            return {**given, "InstancePools": tuple(pool["InstanceType"] for pool in pools if "InstanceType" in pool)}
        return given

    @property
    def instance_types(self) -> tuple[str, ...]:
        """The type, or with instance pools the types of the pools; empty when serverless."""
        return (self.instance_type,) if self.instance_type else self.instance_pools


class EndpointConfig(Fact):
    """``DescribeEndpointConfig``. Immutable after creation."""

    kind: ClassVar[str] = "endpoint-config"
    name: str = Field(alias="EndpointConfigName")
    arn: str = Field("", alias="EndpointConfigArn")
    created: datetime | None = Field(None, alias="CreationTime")
    variants: tuple[VariantSettings, ...] = Field((), alias="ProductionVariants")
    shadow_variants: tuple[VariantSettings, ...] = Field((), alias="ShadowProductionVariants")
    asynchronous: Annotated[bool, BeforeValidator(bool)] = Field(False, alias="AsyncInferenceConfig")
    vpc_config: VpcConfig | None = Field(None, alias="VpcConfig")
    tags: Tags | None = Field(None, alias="Tags")
    in_use: bool | None = Field(None, description="named by an endpoint")


class Variant(Fact):
    """A production variant as it runs, with what its endpoint says about it.

    Counts and weights are those of ``DescribeEndpoint``; ``settings`` are those of the endpoint config, or raise
    :class:`Unread` when that could not be read.
    """

    kind: ClassVar[str] = "endpoint-variant"
    name: str = Field(alias="VariantName")
    endpoint_name: str = Field(..., description="EndpointName")
    endpoint_arn: str = Field("", description="EndpointArn")
    endpoint_status: str = Field("", description="EndpointStatus")
    config_name: str | None = Field(None, description="EndpointConfigName")
    endpoint_created: datetime | None = Field(None, description="CreationTime")
    endpoint_modified: datetime | None = Field(None, description="LastModifiedTime")
    current_instance_count: int | None = Field(None, alias="CurrentInstanceCount")
    desired_instance_count: int | None = Field(None, alias="DesiredInstanceCount")
    current_weight: float | None = Field(None, alias="CurrentWeight")
    desired_weight: float | None = Field(None, alias="DesiredWeight")
    serverless_config: Annotated[bool, BeforeValidator(bool)] = Field(False, alias="CurrentServerlessConfig")
    managed_instance_scaling: ManagedInstanceScaling | None = Field(None, alias="ManagedInstanceScaling")
    pending_accelerator_type: str | None = Field(
        None, description="PendingDeploymentSummary.ProductionVariants[].AcceleratorType"
    )
    asynchronous: bool | None = Field(None, description="AsyncInferenceConfig")
    shadow: bool = Field(False, description="ShadowProductionVariants")
    configured: VariantSettings | None = Field(None, description="DescribeEndpointConfig.ProductionVariants[]")
    configured_unread: str = Field(
        "the endpoint config was not read", description="why the endpoint config was not read"
    )
    tags: Tags | None = Field(None, description="tags of the endpoint")

    @property
    def arn(self) -> str:
        return self.endpoint_arn

    @property
    def settings(self) -> VariantSettings:
        """The variant's settings in the endpoint config; raises Unread when they could not be read."""
        if self.configured is None:
            raise Unread(self.configured_unread)
        return self.configured

    @property
    def settled(self) -> bool:
        """True when the endpoint serves and is not in the middle of a change."""
        return plain(self.endpoint_status) not in IN_TRANSITION | NOT_SERVING

    @property
    def serverless(self) -> bool:
        """True when the variant has no instances of its own."""
        if self.serverless_config:
            return True
        if self.configured is not None:
            return self.configured.serverless
        if self.current_instance_count is not None or self.desired_instance_count is not None:
            return False
        raise Unread(self.configured_unread)

    @property
    def is_async(self) -> bool:
        """True for asynchronous inference; raises Unread when neither endpoint nor config told."""
        if self.asynchronous is None:
            raise Unread(self.configured_unread)
        return self.asynchronous

    @property
    def instance_count(self) -> int:
        """The desired count, else the current one; raises Unread when the answer held neither."""
        count = self.desired_instance_count if self.desired_instance_count is not None else self.current_instance_count
        if count is None:
            raise Unread("DescribeEndpoint gave no instance count for the variant")
        return count

    @property
    def weight(self) -> float | None:
        """The traffic weight that is wanted: desired, else current, else the config's initial weight."""
        for weight in (self.desired_weight, self.current_weight):
            if weight is not None:
                return weight
        return self.configured.initial_weight if self.configured else None

    @property
    def instance_types(self) -> tuple[InstanceType, ...]:
        """The configured types, parsed; raises Unread when the config is unread or names none."""
        names = self.settings.instance_types
        if not names:
            raise Unread("the endpoint config names no instance type for the variant")
        return tuple(InstanceType.parse(name) for name in names)

    @property
    def hosts_components(self) -> bool:
        """True when the variant has no model of its own: inference components bring theirs."""
        settings = self.settings
        return settings.model_name is None and not settings.serverless

    @property
    def managed_scaling(self) -> ManagedInstanceScaling | None:
        """Managed instance scaling where it is enabled, as it runs or else as configured; raises Unread when the
        endpoint does not tell and the config is unread."""
        running = self.managed_instance_scaling
        if running is None:
            running = self.settings.managed_instance_scaling
        return running if running is not None and running.enabled else None

    @property
    def scaled_by_sagemaker(self) -> bool:
        """True where managed instance scaling is known to hold the count: which fix is told hangs on it, no outcome."""
        try:
            return self.managed_scaling is not None
        except Unread:
            return False

    @property
    def resource_id(self) -> str:
        """The id under which Application Auto Scaling knows it."""
        return f"endpoint/{self.endpoint_name}/variant/{self.name}"


class Endpoint(Fact):
    """``DescribeEndpoint``, or the same record from ``Search``."""

    kind: ClassVar[str] = "endpoint"
    name: str = Field(alias="EndpointName")
    arn: str = Field("", alias="EndpointArn")
    config_name: str | None = Field(None, alias="EndpointConfigName")
    status: str = Field("", alias="EndpointStatus")
    failure_reason: str | None = Field(None, alias="FailureReason")
    created: datetime | None = Field(None, alias="CreationTime")
    modified: datetime | None = Field(None, alias="LastModifiedTime")
    variants: tuple[Variant, ...] = Field((), description="ProductionVariants, ShadowProductionVariants")
    tags: Tags | None = Field(None, alias="Tags")

    def with_tags(self, tags: dict[str, str] | None) -> "Endpoint":
        """The endpoint and its variants with these tags."""
        variants = tuple(one.model_copy(update={"tags": tags}) for one in self.variants)
        return self.model_copy(update={"tags": tags, "variants": variants})


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


class InferenceComponent(Fact):
    """``DescribeInferenceComponent``."""

    kind: ClassVar[str] = "inference-component"
    name: str = Field(alias="InferenceComponentName")
    arn: str = Field("", alias="InferenceComponentArn")
    endpoint_name: str = Field("", alias="EndpointName")
    endpoint_arn: str = Field("", alias="EndpointArn")
    variant_name: str | None = Field(None, alias="VariantName")
    status: str = Field("", alias="InferenceComponentStatus")
    created: datetime | None = Field(None, alias="CreationTime")
    modified: datetime | None = Field(None, alias="LastModifiedTime")
    desired_copy_count: int | None = Field(None, description="RuntimeConfig.DesiredCopyCount")
    current_copy_count: int | None = Field(None, description="RuntimeConfig.CurrentCopyCount")
    model_name: str | None = Field(None, description="Specification.ModelName")
    image: str | None = Field(None, description="Specification.Container.Image")
    base_component: str | None = Field(None, description="Specification.BaseInferenceComponentName")
    az_balance: bool = Field(False, description="Specification.SchedulingConfig.AvailabilityZoneBalance")
    tags: Tags | None = Field(None, alias="Tags")

    @model_validator(mode="before")
    @classmethod
    def _flatten(cls, given: Any) -> Any:
        if not isinstance(given, dict) or not ({"Specification", "Specifications", "RuntimeConfig"} & given.keys()):
            return given
        several = given.get("Specifications") or [{}]
        specification = given.get("Specification") or several[0]
        runtime = given.get("RuntimeConfig") or {}
        container = specification.get("Container") or {}
        image = container.get("Image") or (container.get("DeployedImage") or {}).get("SpecifiedImage")
        scheduling = specification.get("SchedulingConfig") or {}
        return {
            **given,
            "desired_copy_count": runtime.get("DesiredCopyCount"),
            "current_copy_count": runtime.get("CurrentCopyCount"),
            "model_name": specification.get("ModelName"),
            "image": image,
            "base_component": specification.get("BaseInferenceComponentName"),
            "az_balance": bool(scheduling.get("AvailabilityZoneBalance")),
        }

    @property
    def resource_id(self) -> str:
        """The id under which Application Auto Scaling knows it."""
        return f"inference-component/{self.name}"


class Subnet(Fact):
    """``DescribeSubnets``. ``zone_type`` is None where the zone's name already shows an Availability Zone."""

    id: str = Field(alias="SubnetId")
    vpc_id: str = Field("", alias="VpcId")
    zone_id: str | None = Field(None, alias="AvailabilityZoneId")
    zone_name: str | None = Field(None, alias="AvailabilityZone")
    state: str | None = Field(None, alias="State")
    free_addresses: int | None = Field(None, alias="AvailableIpAddressCount")
    outpost_arn: str | None = Field(None, alias="OutpostArn")
    zone_type: str | None = Field(None, description="DescribeAvailabilityZones.ZoneType")

    @property
    def zone(self) -> str | None:
        """The Availability Zone, by id (names differ between accounts); None in a Local Zone, Wavelength or Outpost."""
        if self.zone_type == "unknown":
            raise Unread(f"the type of the zone {self.zone_name} could not be read", "ec2:DescribeAvailabilityZones")
        if self.outpost_arn or self.zone_type not in (None, "availability-zone"):
            return None
        zone = self.zone_id or self.zone_name
        if zone is None:
            raise Unread(f"DescribeSubnets gave no Availability Zone for {self.id}")
        return zone


class Vpc(Fact):
    """A VPC with all its subnets and what of SageMaker uses it (None: nobody looked)."""

    kind: ClassVar[str] = "vpc"
    id: str = Field(..., description="VpcId")
    arn: str = Field("", description="built from VpcId")
    subnets: tuple[Subnet, ...] = Field((), description="DescribeSubnets")
    used_by: tuple[str, ...] | None = Field(
        None, description="models, configs and training jobs with a VpcConfig in it"
    )
    tags: Tags | None = Field(None, description="not read")

    @property
    def name(self) -> str:
        return self.id


class NotebookInstance(Fact):
    """``DescribeNotebookInstance``."""

    kind: ClassVar[str] = "notebook-instance"
    name: str = Field(alias="NotebookInstanceName")
    arn: str = Field("", alias="NotebookInstanceArn")
    status: str = Field("", alias="NotebookInstanceStatus")
    instance_type: str | None = Field(None, alias="InstanceType")
    accelerator_types: tuple[str, ...] = Field((), alias="AcceleratorTypes")
    tags: Tags | None = Field(None, alias="Tags")
