"""Inference components: the facts, and how they are read."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, ClassVar

from pydantic import Field, model_validator

from chalicelib.inventory.facts import Fact, Tags
from chalicelib.inventory.parts import Part
from chalicelib.inventory.reader import Reader


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


def components(reader: Reader, **filters: str) -> dict[str, InferenceComponent]:
    """The inference components of the region, or those of one endpoint (``EndpointNameEquals``)."""
    listed = reader.aws.listing(
        "sagemaker", "ListInferenceComponents", "InferenceComponents", MaxResults=100, **filters
    )
    return described_components(reader, [one["InferenceComponentName"] for one in listed])


def described_components(reader: Reader, names: Iterable[str]) -> dict[str, InferenceComponent]:
    """The named inference components that exist."""
    answers = reader.describe_each(Part.COMPONENTS, "DescribeInferenceComponent", "InferenceComponentName", names)
    found = reader.typed(Part.COMPONENTS, InferenceComponent, answers)
    return {one.name: one for one in found}
