"""Endpoints with their variants and endpoint configs: the facts, and how they are read."""

import logging
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from itertools import islice
from typing import Annotated, Any, ClassVar

from pydantic import BeforeValidator, Field, model_validator

from chalicelib.inventory.aws import CallFailed, moment
from chalicelib.inventory.facts import Fact, Tags, Unread, VpcConfig
from chalicelib.inventory.instances import InstanceType
from chalicelib.inventory.parts import Part
from chalicelib.inventory.reader import Reader
from chalicelib.inventory.remembered import Configs

log = logging.getLogger(__name__)


#: Endpoint states without case and underscores: events write IN_SERVICE where the API writes InService.
IN_TRANSITION = frozenset({"creating", "updating", "systemupdating", "rollingback", "deleting"})
NOT_SERVING = frozenset({"failed", "outofservice"})


def plain(status: str) -> str:
    """A status without case and underscores, to compare by."""
    return status.replace("_", "").lower()


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


#: A page of the list of configs is worth its while from this many remembered configs on.
CONFIGS_A_PAGE = 20
#: The age from which a config is remembered. A younger one could be deleted and made again under the same name within
#: the resolution of its creation time.
SETTLED = timedelta(days=1)
#: Endpoints in these states serve nothing that can be judged, so their configs are not read.
_UNJUDGED = NOT_SERVING | {"deleting"}


def all_endpoints(reader: Reader) -> list[dict[str, Any]]:
    """Every endpoint of the region with its tags: by ``Search``, or else listed and described one by one."""
    try:
        records = [record for page in reader.search("Endpoint", []) for record in page if record]
        names = {record.get("EndpointName") for record in records}
        listed = [] if records else _listed_endpoints(reader)
        lacking = [str(record["EndpointName"]) for record in records if _lacks_counts(record)]
        lacking += [name for name in listed if name not in names]
        described = {one["EndpointName"]: one for one in _described(reader, lacking)}
        tags = {record.get("EndpointName"): record.get("Tags") for record in records}
        kept = [record for record in records if record.get("EndpointName") not in lacking]
        return kept + [{**one, "Tags": tags.get(name)} for name, one in described.items()]
    except CallFailed as failure:
        if failure.operation != "sagemaker:Search":
            raise
        reader.search_failed(failure)
    return _described(reader, _listed_endpoints(reader))


def _listed_endpoints(reader: Reader) -> list[str]:
    listed = reader.aws.listing("sagemaker", "ListEndpoints", "Endpoints", MaxResults=100)
    return [one["EndpointName"] for one in listed]


def _described(reader: Reader, names: Iterable[str]) -> list[dict[str, Any]]:
    return reader.describe_each(Part.ENDPOINTS, "DescribeEndpoint", "EndpointName", names)


def _lacks_counts(record: Mapping[str, Any]) -> bool:
    """True when a search record in service does not say what its variants run on."""
    if record.get("EndpointStatus") != "InService":
        return False
    keys = {"DesiredInstanceCount", "CurrentInstanceCount", "CurrentServerlessConfig", "DesiredServerlessConfig"}
    variants = record.get("ProductionVariants") or []
    return not variants or any(not keys & variant.keys() for variant in variants)


def configs_of(reader: Reader, endpoints: Iterable[Mapping[str, Any]]) -> dict[str, EndpointConfig]:
    """The endpoint configs behind endpoints that serve, each described once; in a sweep those that are remembered from
    the last one not again."""
    names = [
        one["EndpointConfigName"]
        for one in endpoints
        if plain(one.get("EndpointStatus", "")) not in _UNJUDGED and one.get("EndpointConfigName")
    ]
    if not names or not reader.scope.whole:
        return described_configs(reader, names)
    account, region = reader.scope.account, reader.scope.region
    remembered = reader.memory.recall(account, region)
    found = _still_there(reader, {name: remembered[name] for name in names if name in remembered})
    found |= described_configs(reader, [name for name in names if name not in found])
    settled = reader.now - SETTLED
    old = {name: one for name, one in found.items() if one.created is not None and one.created < settled}
    reader.memory.keep(account, region, old)
    return found


def _still_there(reader: Reader, remembered: Configs) -> dict[str, EndpointConfig]:
    """Those of the remembered configs that the list shows with the same ARN and creation time.

    The list is left when it takes more calls than a twentieth of the descriptions that it saves: its pages come one
    after the other, descriptions side by side.
    """
    moments = [one.created for one in remembered.values() if one.created is not None]
    if not moments:
        return {}
    pages = reader.aws.pages(
        "sagemaker",
        "ListEndpointConfigs",
        "EndpointConfigs",
        MaxResults=100,
        CreationTimeAfter=min(moments) - timedelta(seconds=1),
        CreationTimeBefore=max(moments) + timedelta(seconds=1),
    )
    found: dict[str, EndpointConfig] = {}
    try:
        for page in islice(pages, 1 + len(remembered) // CONFIGS_A_PAGE):
            for one in page:
                known = remembered.get(one["EndpointConfigName"])
                if known and known.arn == one["EndpointConfigArn"] and known.created == moment(one["CreationTime"]):
                    found[known.name] = known
            if len(found) == len(remembered):
                break
    except CallFailed as failure:
        log.info("remembered endpoint configs are described again: %s", failure)
    return found


def described_configs(reader: Reader, names: Iterable[str]) -> dict[str, EndpointConfig]:
    """The named endpoint configs that exist."""
    answers = reader.describe_each(Part.CONFIGS, "DescribeEndpointConfig", "EndpointConfigName", names)
    found = reader.typed(Part.CONFIGS, EndpointConfig, answers, "EndpointConfigName")
    return {one.name: one for one in found}


def unused_configs(reader: Reader, used: Iterable[str]) -> dict[str, EndpointConfig]:
    """The endpoint configs that no endpoint uses."""
    listed = reader.aws.listing("sagemaker", "ListEndpointConfigs", "EndpointConfigs", MaxResults=100)
    names = {one["EndpointConfigName"] for one in listed} - set(used)
    return described_configs(reader, sorted(names))


def assembled(
    reader: Reader, records: Iterable[Mapping[str, Any]], configs: Mapping[str, EndpointConfig]
) -> dict[str, Endpoint]:
    """Endpoints whose variants carry both how they run and how they were configured."""
    found = [one for record in records for one in _assembled(reader, record, configs)]
    return {endpoint.name: endpoint for endpoint in found}


def _assembled(reader: Reader, record: Mapping[str, Any], configs: Mapping[str, EndpointConfig]) -> list[Endpoint]:
    """The endpoint in a list of its own; none when its record cannot be understood."""
    read = reader.typed(Part.ENDPOINTS, Endpoint, [record], "EndpointName")
    if not read:
        return []
    endpoint = read[0]
    config = configs.get(endpoint.config_name or "")
    unread = reader.gaps.resources.get((Part.CONFIGS, endpoint.config_name or "")) or reader.gaps.parts.get(
        Part.CONFIGS, f"endpoint config {endpoint.config_name} was not read"
    )
    settings = {one.name: one for one in (*config.variants, *config.shadow_variants)} if config else {}
    told_async = True if record.get("AsyncInferenceConfig") else None
    pending = {
        one.get("VariantName"): one.get("AcceleratorType")
        for one in (record.get("PendingDeploymentSummary") or {}).get("ProductionVariants") or ()
    }

    def described(raw: Mapping[str, Any], *, shadow: bool) -> dict[str, Any]:
        return {
            **raw,
            "CurrentServerlessConfig": raw.get("CurrentServerlessConfig") or raw.get("DesiredServerlessConfig"),
            "endpoint_name": endpoint.name,
            "endpoint_arn": endpoint.arn,
            "endpoint_status": endpoint.status,
            "config_name": endpoint.config_name,
            "endpoint_created": endpoint.created,
            "endpoint_modified": endpoint.modified,
            "asynchronous": told_async if told_async is not None else (config.asynchronous if config else None),
            "shadow": shadow,
            "configured": settings.get(raw.get("VariantName", "")),
            "configured_unread": unread,
            "pending_accelerator_type": pending.get(raw.get("VariantName")),
            "tags": endpoint.tags,
        }

    raw = [described(one, shadow=False) for one in record.get("ProductionVariants") or ()]
    raw += [described(one, shadow=True) for one in record.get("ShadowProductionVariants") or ()]
    variants = reader.typed(Part.ENDPOINTS, Variant, raw, "endpoint_name")
    return [endpoint.model_copy(update={"variants": tuple(variants)})]
