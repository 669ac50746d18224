"""Endpoint configs: the facts, and how they are read. They cannot be changed after creation."""

import logging
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, ClassVar

from pydantic import Field

from chalicelib.inventory.answers import CallFailed, moment, text
from chalicelib.inventory.facts import Amount, Count, Fact, Present, Tags, Time, VpcConfig, at
from chalicelib.inventory.facts import plain as plain
from chalicelib.inventory.parts import Part
from chalicelib.inventory.reader import Reader
from chalicelib.inventory.remembered import Configs

log = logging.getLogger(__name__)


#: Endpoint states, to compare by.
IN_TRANSITION = frozenset({"creating", "updating", "systemupdating", "rollingback", "deleting"})
NOT_SERVING = frozenset({"failed", "outofservice"})
ENDPOINT_STATES = IN_TRANSITION | NOT_SERVING | {"inservice", "updaterollbackfailed"}


class ManagedInstanceScaling(Fact):
    """SageMaker's own scaling of the instances under inference components."""

    status: str = at("Status", default="")
    min_instance_count: Count | None = at("MinInstanceCount")
    max_instance_count: Count | None = at("MaxInstanceCount")

    @property
    def enabled(self) -> bool:
        return self.status.upper() == "ENABLED"


class InstancePool(Fact):
    """One of the instance types on which a variant may run, with the model that it serves there instead."""

    instance_type: str | None = at("InstanceType")
    model_name_override: str | None = at("ModelNameOverride")


class VariantSettings(Fact):
    """A variant as configured: ``DescribeEndpointConfig.ProductionVariants[]``."""

    name: str = at("VariantName", required=True)
    model_name: str | None = at("ModelName")
    initial_instance_count: Count | None = at("InitialInstanceCount")
    initial_weight: Amount | None = at("InitialVariantWeight")
    instance_type: str | None = at("InstanceType")
    instance_pools: tuple[InstancePool, ...] = at("InstancePools", default=())
    accelerator_type: str | None = at("AcceleratorType")
    serverless: Present = at("ServerlessConfig", default=False)
    inference_ami: str | None = at("InferenceAmiVersion")
    managed_instance_scaling: ManagedInstanceScaling | None = at("ManagedInstanceScaling")
    reservation_preference: str | None = at("CapacityReservationConfig.CapacityReservationPreference")
    reservation_arn: str | None = at("CapacityReservationConfig.MlReservationArn")
    provisioned_concurrency: Count | None = at("ServerlessConfig.ProvisionedConcurrency")

    @property
    def instance_types(self) -> tuple[str, ...]:
        """The type, or with instance pools the types of the pools; empty when serverless."""
        if self.instance_type:
            return (self.instance_type,)
        return tuple(pool.instance_type for pool in self.instance_pools if pool.instance_type)

    @property
    def model_names(self) -> tuple[str, ...]:
        """The models that it serves, its own and those of its instance pools, each once."""
        names = (self.model_name, *(pool.model_name_override for pool in self.instance_pools))
        return tuple(dict.fromkeys(name for name in names if name))

    @property
    def models_by_type(self) -> dict[str, str | None]:
        """The model that serves on each instance type: a pool's own, else the variant's."""
        if self.instance_type:
            return {self.instance_type: self.model_name}
        named = [pool for pool in self.instance_pools if pool.instance_type]
        return {str(pool.instance_type): pool.model_name_override or self.model_name for pool in named}

    @property
    def type_names(self) -> str | None:
        """The types in words; None when serverless."""
        return ", ".join(self.instance_types) or None


class EndpointConfig(Fact):
    """``DescribeEndpointConfig``. Immutable after creation."""

    kind: ClassVar[str] = "endpoint-config"
    null_is_unread: ClassVar[Mapping[str, str]] = {**Fact.null_is_unread, "in_use": "sagemaker:ListEndpoints"}
    essential: ClassVar[tuple[str, ...]] = ("CreationTime",)
    name: str = at("EndpointConfigName", required=True)
    arn: str = at("EndpointConfigArn", default="")
    created: Time | None = at("CreationTime")
    variants: tuple[VariantSettings, ...] = at("ProductionVariants", default=())
    shadow_variants: tuple[VariantSettings, ...] = at("ShadowProductionVariants", default=())
    asynchronous: Present = at("AsyncInferenceConfig", default=False)
    vpc_config: VpcConfig | None = at("VpcConfig")
    detailed_observability: bool | None = at("MetricsConfig.EnableDetailedObservability")
    execution_role_arn: str | None = at("ExecutionRoleArn")
    kms_key_id: str | None = at("KmsKeyId")
    async_failure_path: str | None = at("AsyncInferenceConfig.OutputConfig.S3FailurePath")
    async_error_topic: str | None = at("AsyncInferenceConfig.OutputConfig.NotificationConfig.ErrorTopic")
    tags: Tags | None = at("Tags")
    in_use: bool | None = Field(None, description="named by an endpoint")


#: A page of the list of configs is worth its while from this many remembered configs on.
CONFIGS_A_PAGE = 20
#: The age from which a config is remembered. A younger one could be deleted and made again under the same name within
#: the resolution of its creation time.
SETTLED = timedelta(days=1)
#: What an endpoint on its way out runs on decides nothing any more.
_LEAVING = "deleting"


def configs_of(reader: Reader, endpoints: Iterable[Mapping[str, Any]]) -> dict[str, EndpointConfig]:
    """The endpoint configs behind endpoints that are to stay, each described once; in a sweep those that are remembered
    from the last one not again."""
    names = [
        name
        for endpoint in endpoints
        if plain(text(endpoint, "EndpointStatus")) != _LEAVING and (name := text(endpoint, "EndpointConfigName"))
    ]
    if not names or not reader.scope.whole:
        return described_configs(reader, names)
    account, region = reader.scope.account, reader.scope.region
    remembered = reader.memory.recall(account, region)
    configs = _still_there(reader, {name: remembered[name] for name in names if name in remembered})
    configs |= described_configs(reader, [name for name in names if name not in configs])
    settled = reader.now - SETTLED
    old = {name: config for name, config in configs.items() if config.created is not None and config.created < settled}
    reader.memory.keep(account, region, old)
    return configs


def _still_there(reader: Reader, remembered: Configs) -> dict[str, EndpointConfig]:
    """Those of the remembered configs that the list shows with the same ARN and creation time.

    The list is left when it takes more calls than a twentieth of the descriptions that it saves: its pages come one
    after the other, descriptions side by side.
    """
    moments = [config.created for config in remembered.values() if config.created is not None]
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
    confirmed: dict[str, EndpointConfig] = {}
    try:
        for page in islice(pages, 1 + len(remembered) // CONFIGS_A_PAGE):
            for record in page:
                known = remembered.get(text(record, "EndpointConfigName"))
                if known and known.arn == text(record, "EndpointConfigArn") and known.created == _created(record):
                    confirmed[known.name] = known
            if len(confirmed) == len(remembered):
                break
    except CallFailed as failure:
        log.info("remembered endpoint configs are described again: %s", failure)
    return confirmed


def _created(record: Mapping[str, Any]) -> datetime | None:
    try:
        return moment(record.get("CreationTime"))
    except ValueError:
        return None


def described_configs(reader: Reader, names: Iterable[str]) -> dict[str, EndpointConfig]:
    """The named endpoint configs that exist."""
    answers = reader.describe_each(Part.CONFIGS, "DescribeEndpointConfig", "EndpointConfigName", names)
    configs = reader.typed(Part.CONFIGS, EndpointConfig, answers, "EndpointConfigName")
    return {config.name: config for config in configs}


def unused_configs(reader: Reader, used: Iterable[str]) -> dict[str, EndpointConfig]:
    """The endpoint configs that no endpoint uses."""
    names = reader.names(
        Part.UNUSED_CONFIGS, "ListEndpointConfigs", "EndpointConfigs", "EndpointConfigName", MaxResults=100
    )
    return described_configs(reader, sorted(set(names) - set(used)))
