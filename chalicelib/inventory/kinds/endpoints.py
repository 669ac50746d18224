"""Endpoints with their variants and endpoint configs: the facts, and how they are read."""

import math
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, ClassVar

from pydantic import Field

from chalicelib.inventory.answers import CallFailed, mappings, text
from chalicelib.inventory.facts import Amount, Count, Fact, Missing, Present, Stated, States, Tags, Time, Unread, at
from chalicelib.inventory.instances import InstanceType
from chalicelib.inventory.kinds.configs import (
    ENDPOINT_STATES,
    IN_TRANSITION,
    NOT_SERVING,
    EndpointConfig,
    ManagedInstanceScaling,
    VariantSettings,
    plain,
)
from chalicelib.inventory.parts import Part
from chalicelib.inventory.reader import Reader


class BatchSize(Fact):
    """``CapacitySize``: instances, or percent of them."""

    type: str = at("Type", default="")
    value: Count = at("Value", default=0)

    def of(self, count: int) -> int:
        """The instances of one batch out of ``count``, at least one."""
        return max(1, math.ceil(count * self.value / 100) if self.type == "CAPACITY_PERCENT" else self.value)


class Variant(Stated):
    """A production variant as it runs, with what its endpoint says about it.

    Counts and weights are those of ``DescribeEndpoint``; ``settings`` are those of the endpoint config, or raise
    :class:`Unread` when that could not be read.
    """

    kind: ClassVar[str] = "endpoint-variant"
    known_states: ClassVar[States] = {"endpoint_status": ENDPOINT_STATES}
    name: str = at("VariantName", required=True)
    endpoint_name: str = Field(..., description="EndpointName")
    endpoint_arn: str = Field("", description="EndpointArn")
    endpoint_status: str = Field("", description="EndpointStatus")
    config_name: str | None = Field(None, description="EndpointConfigName")
    endpoint_created: Time | None = Field(None, description="CreationTime")
    endpoint_modified: Time | None = Field(None, description="LastModifiedTime")
    current_instance_count: Count | None = at("CurrentInstanceCount")
    desired_instance_count: Count | None = at("DesiredInstanceCount")
    current_weight: Amount | None = at("CurrentWeight")
    desired_weight: Amount | None = at("DesiredWeight")
    serverless_config: Present = at("DesiredServerlessConfig", "CurrentServerlessConfig", default=False)
    managed_instance_scaling: ManagedInstanceScaling | None = at("ManagedInstanceScaling")
    asynchronous: bool | None = Field(None, description="AsyncInferenceConfig")
    shadow: bool = Field(False, description="ShadowProductionVariants")
    configured: VariantSettings | None = Field(None, description="DescribeEndpointConfig.ProductionVariants[]")
    tags: Tags | None = Field(None, description="tags of the endpoint")
    observed: bool = Field(False, description="DescribeEndpointConfig.MetricsConfig.EnableDetailedObservability")
    config_created: Time | None = Field(None, description="DescribeEndpointConfig.CreationTime")
    rolling_batch: BatchSize | None = Field(
        None, description="LastDeploymentConfig.RollingUpdatePolicy.MaximumBatchSize"
    )
    reserved_instances: Count | None = at("CapacityReservationConfig.TotalInstanceCount")
    provisioned_concurrency: Count | None = at(
        "DesiredServerlessConfig.ProvisionedConcurrency", "CurrentServerlessConfig.ProvisionedConcurrency"
    )

    @property
    def arn(self) -> str:
        return self.endpoint_arn

    @property
    def instances_of_update(self) -> int:
        """How many instances an update starts beside those that run: a whole second fleet, or the batch of the rolling
        update that the endpoint was deployed with last; raises Unread when the count is not known."""
        count = self.instance_count
        return count if self.rolling_batch is None else min(count, self.rolling_batch.of(count))

    @property
    def settings(self) -> VariantSettings:
        """The variant's settings in the endpoint config; raises Unread when they could not be read, Missing when there
        is no such config any more."""
        if self.configured is None:
            raise Unread(f"endpoint config {self.config_name} was not read")
        return self.configured

    @property
    def settled(self) -> bool:
        """True when the endpoint serves and is not in the middle of a change; raises Unread where nobody knows what its
        state means."""
        return plain(self.endpoint_status) not in IN_TRANSITION | NOT_SERVING

    @property
    def serverless(self) -> bool:
        """True when the variant has no instances of its own."""
        if self.serverless_config:
            return True
        if (configured := self.known("configured")) is not None:
            return bool(configured.serverless)
        if self.current_instance_count is not None or self.desired_instance_count is not None:
            return False
        return self.settings.serverless

    @property
    def is_async(self) -> bool:
        """True for asynchronous inference; raises Unread when neither endpoint nor config told."""
        if self.asynchronous is None:
            raise Unread(f"endpoint config {self.config_name} was not read")
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
        configured: VariantSettings | None = self.known("configured")
        return configured.initial_weight if configured else None

    @property
    def instance_types(self) -> tuple[InstanceType, ...]:
        """The configured types, parsed; raises Unread when the config is unread or names none."""
        names = self.settings.instance_types
        if not names:
            raise Unread("the endpoint config names no instance type for the variant")
        if len(names) < len(self.settings.instance_pools):
            raise Unread("the endpoint config names no instance type for one of the variant's instance pools")
        return tuple(InstanceType.parse(name) for name in names)

    @property
    def hosts_components(self) -> bool:
        """True when the variant has no model of its own: inference components bring theirs."""
        settings = self.settings
        return not settings.model_names and not settings.serverless

    @property
    def managed_scaling(self) -> ManagedInstanceScaling | None:
        """Managed instance scaling where it works: enabled, as it runs or else as configured, on a variant without a
        model of its own. Elsewhere it has no effect. Raises Unread when the config that tells is unread."""
        running = self.managed_instance_scaling
        if running is None:
            running = self.settings.managed_instance_scaling
        return running if running is not None and running.enabled and self.hosts_components else None

    @property
    def concurrency(self) -> int | None:
        """The provisioned concurrency of a serverless variant, as it runs or else as configured; None without any.
        Raises Unread when the endpoint does not tell and the config is unread."""
        if self.provisioned_concurrency is not None:
            return self.provisioned_concurrency
        return self.settings.provisioned_concurrency

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


class Endpoint(Stated):
    """``DescribeEndpoint``, or the same record from ``Search``."""

    kind: ClassVar[str] = "endpoint"
    essential: ClassVar[tuple[str, ...]] = ("EndpointStatus",)
    known_states: ClassVar[States] = {"status": ENDPOINT_STATES}
    name: str = at("EndpointName", required=True)
    arn: str = at("EndpointArn", default="")
    config_name: str | None = at("EndpointConfigName")
    status: str = at("EndpointStatus", default="")
    failure_reason: str | None = at("FailureReason")
    created: Time | None = at("CreationTime")
    modified: Time | None = at("LastModifiedTime")
    variants: tuple[Variant, ...] = Field((), description="ProductionVariants, ShadowProductionVariants")
    tags: Tags | None = at("Tags")
    deployment_started: Time | None = at("PendingDeploymentSummary.StartTime")
    deployment_seconds: Count | None = at(
        "LastDeploymentConfig.RollingUpdatePolicy.MaximumExecutionTimeoutInSeconds",
        "LastDeploymentConfig.BlueGreenUpdatePolicy.MaximumExecutionTimeoutInSeconds",
    )
    rolling_batch: BatchSize | None = at("LastDeploymentConfig.RollingUpdatePolicy.MaximumBatchSize")
    deployed_before: Present = at("LastDeploymentConfig", default=False)
    traffic_routing: str | None = at("LastDeploymentConfig.BlueGreenUpdatePolicy.TrafficRoutingConfiguration.Type")
    rollback_alarms: tuple[str, ...] = at(
        "LastDeploymentConfig.AutoRollbackConfiguration.Alarms[].AlarmName", default=()
    )

    @property
    def settled(self) -> bool:
        """True when it serves and is not in the middle of a change."""
        return plain(self.status) not in IN_TRANSITION | NOT_SERVING

    @property
    def in_transition_since(self) -> datetime | None:
        """Since when a deployment is under way; meaningful only in a state of transition."""
        return self.deployment_started or self.modified or self.created

    def with_tags(self, tags: dict[str, str] | None) -> "Endpoint":
        """The endpoint and its variants with these tags."""
        variants = tuple(variant.model_copy(update={"tags": tags}) for variant in self.variants)
        return self.model_copy(update={"tags": tags, "variants": variants})


#: What stays unread of the endpoints where only ``Search`` tells which there are.
BEYOND_SEARCH = "endpoints that Search has not heard of"


def all_endpoints(reader: Reader) -> list[dict[str, Any]]:
    """Every endpoint of the region with its tags: by ``Search``, or else listed and described one by one."""
    try:
        records = [record for page in reader.search(Part.ENDPOINTS, "Endpoint", []) for record in page]
        names = {record.get("EndpointName") for record in records}
        listed = _every_name(reader, searched=bool(records))
        lacking = [str(record["EndpointName"]) for record in records if _lacks_counts(record)]
        lacking += [name for name in listed if name not in names]
        # Search tells of no pending deployment, and so not since when an endpoint has been in transition.
        moving = [
            record["EndpointName"] for record in records if plain(text(record, "EndpointStatus")) in IN_TRANSITION
        ]
        tags = {record.get("EndpointName"): record.get("Tags") for record in records}
        if Part.DEPLOYMENTS in reader.needs:  # nor of the last one
            moving = [name for name in names if isinstance(name, str)]
        described = {text(answer, "EndpointName"): answer for answer in _described(reader, [*lacking, *moving])}
        kept = [record for record in records if record.get("EndpointName") not in {*lacking, *moving}]
        return kept + [{**answer, "Tags": tags.get(name)} for name, answer in described.items()]
    except CallFailed as failure:
        if failure.operation != "sagemaker:Search":
            raise
        reader.search_failed(failure)
    return _described(reader, _listed_endpoints(reader))


def _every_name(reader: Reader, *, searched: bool) -> list[str]:
    """The names of all endpoints by their list, as the index of ``Search`` lags: what it has not heard of is described.
    Where the list fails, nobody can say that an endpoint which ``Search`` lacks is not there."""
    try:
        return _listed_endpoints(reader)
    except CallFailed as failure:
        if not searched:
            raise
        reader.blind_to(failure, Part.ENDPOINTS, BEYOND_SEARCH)
        return []


def _listed_endpoints(reader: Reader) -> list[str]:
    return reader.names(Part.ENDPOINTS, "ListEndpoints", "Endpoints", "EndpointName", MaxResults=100)


def _described(reader: Reader, names: Iterable[str]) -> list[dict[str, Any]]:
    return reader.describe_each(Part.ENDPOINTS, "DescribeEndpoint", "EndpointName", names)


def _lacks_counts(record: Mapping[str, Any]) -> bool:
    """True when a search record in service does not say what its variants run on."""
    if record.get("EndpointStatus") != "InService":
        return False
    keys = {"DesiredInstanceCount", "CurrentInstanceCount", "DesiredServerlessConfig", "CurrentServerlessConfig"}
    variants = mappings(record.get("ProductionVariants"))
    return not variants or any(not keys & variant.keys() for variant in variants)


def assembled(
    reader: Reader, records: Iterable[Mapping[str, Any]], configs: Mapping[str, EndpointConfig]
) -> dict[str, Endpoint]:
    """Endpoints whose variants carry both how they run and how they were configured."""
    endpoints = [endpoint for record in records for endpoint in _assembled(reader, record, configs)]
    return {endpoint.name: endpoint for endpoint in endpoints}


def _assembled(reader: Reader, record: Mapping[str, Any], configs: Mapping[str, EndpointConfig]) -> list[Endpoint]:
    """The endpoint in a list of its own; none when its record cannot be understood."""
    read = reader.typed(Part.ENDPOINTS, Endpoint, [record], "EndpointName")
    if not read:
        return []
    endpoint = read[0]
    config = configs.get(endpoint.config_name or "")
    settings = {variant.name: variant for variant in (*config.variants, *config.shadow_variants)} if config else {}
    told_async = True if record.get("AsyncInferenceConfig") else None

    def described(raw: Mapping[str, Any], *, shadow: bool) -> dict[str, Any]:
        return {
            **raw,
            "endpoint_name": endpoint.name,
            "endpoint_arn": endpoint.arn,
            "endpoint_status": endpoint.shown("status"),
            "config_name": endpoint.config_name,
            "endpoint_created": endpoint.created,
            "endpoint_modified": endpoint.modified,
            "asynchronous": told_async if told_async is not None else (config.asynchronous if config else None),
            "shadow": shadow,
            "configured": settings.get(text(raw, "VariantName")),
            "tags": endpoint.tags,
            "config_created": config.created if config else None,
            "observed": bool(config and config.detailed_observability),
            "rolling_batch": endpoint.rolling_batch,
        }

    raw: list[dict[str, Any]] = []
    for key, shadow in (("ProductionVariants", False), ("ShadowProductionVariants", True)):
        written = record.get(key) or []
        raw += [described(variant, shadow=shadow) for variant in mappings(written)]
        if len(mappings(written)) < (len(written) if isinstance(written, list) else 1):
            reader.record_unread(Part.ENDPOINTS, key, endpoint.name)
    variants = reader.typed(Part.ENDPOINTS, Variant, raw, "endpoint_name")
    unread = _without_config(reader, endpoint.config_name)
    known = [variant if variant.configured else _unconfigured(variant, unread) for variant in variants]
    return [endpoint.model_copy(update={"variants": tuple(known)})]


def _without_config(reader: Reader, name: str | None) -> Unread:
    """Why nothing is known of an endpoint config."""
    failure = reader.gaps.of(Part.CONFIGS, name or "") or reader.gaps.of(Part.CONFIGS)
    if failure is not None and failure.gone:
        return Missing(f"its endpoint config {name} was deleted")
    return failure.unread if failure is not None else Unread(f"endpoint config {name} was not read")


def _unconfigured(variant: Variant, unread: Unread) -> Variant:
    """The variant of which nothing is known that only its endpoint config tells."""
    names = [name for name in ("configured", "asynchronous", "config_created") if getattr(variant, name) is None]
    return variant.with_unknown({name: unread for name in names})
