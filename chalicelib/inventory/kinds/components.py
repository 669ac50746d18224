"""Inference components: the facts, and how they are read."""

from collections.abc import Iterable
from typing import ClassVar

from chalicelib.inventory.facts import Amount, Count, Fact, Present, Stated, States, Tags, Time, at, many, states
from chalicelib.inventory.parts import Part
from chalicelib.inventory.reader import Reader


class Specification(Fact):
    """What an inference component serves, and on which instance type where it names one."""

    instance_type: str | None = at("InstanceType")
    model_name: str | None = at("ModelName")
    image: str | None = at("Container.DeployedImage.SpecifiedImage", "Container.Image")
    artifact: str | None = at("Container.ArtifactUrl")
    base_component: str | None = at("BaseInferenceComponentName")
    az_balance: Present = at("SchedulingConfig.AvailabilityZoneBalance", default=False)
    placement_strategy: str | None = at("SchedulingConfig.PlacementStrategy")
    accelerators: Amount | None = at("ComputeResourceRequirements.NumberOfAcceleratorDevicesRequired")


class InferenceComponent(Stated):
    """``DescribeInferenceComponent``."""

    kind: ClassVar[str] = "inference-component"
    essential: ClassVar[tuple[str, ...]] = ("EndpointName",)
    known_states: ClassVar[States] = {"status": states("InService", "Creating", "Updating", "Failed", "Deleting")}
    name: str = at("InferenceComponentName", required=True)
    arn: str = at("InferenceComponentArn", default="")
    endpoint_name: str = at("EndpointName", default="")
    endpoint_arn: str = at("EndpointArn", default="")
    variant_name: str | None = at("VariantName")
    status: str = at("InferenceComponentStatus", default="")
    created: Time | None = at("CreationTime")
    modified: Time | None = at("LastModifiedTime")
    desired_copy_count: Count | None = at("RuntimeConfig.DesiredCopyCount")
    current_copy_count: Count | None = at("RuntimeConfig.CurrentCopyCount")
    model_name: str | None = at("Specifications[0].ModelName", "Specification.ModelName")
    image: str | None = at(
        "Specifications[0].Container.Image",
        "Specifications[0].Container.DeployedImage.SpecifiedImage",
        "Specification.Container.DeployedImage.SpecifiedImage",
        "Specification.Container.Image",
    )
    base_component: str | None = at(
        "Specifications[0].BaseInferenceComponentName", "Specification.BaseInferenceComponentName"
    )
    az_balance: Present = at(
        "Specifications[0].SchedulingConfig.AvailabilityZoneBalance",
        "Specification.SchedulingConfig.AvailabilityZoneBalance",
        default=False,
    )
    failure_reason: str | None = at("FailureReason")
    specifications: tuple[Specification, ...] = at("Specifications", "Specification", default=(), convert=many)
    tags: Tags | None = at("Tags")

    @property
    def accelerators(self) -> float:
        """The accelerators that a copy needs, on the instance type on which it needs most."""
        return max((specification.accelerators or 0.0 for specification in self.specifications), default=0.0)

    @property
    def resource_id(self) -> str:
        """The id under which Application Auto Scaling knows it."""
        return f"inference-component/{self.name}"


def components(reader: Reader, *, keep: int = 0, **filters: str) -> dict[str, InferenceComponent]:
    """The inference components of the region, or those of one endpoint (``EndpointNameEquals``): of a bounded audit
    the first, each with a call for its tags to come, while ``keep`` calls stay."""
    names = reader.names(
        Part.COMPONENTS,
        "ListInferenceComponents",
        "InferenceComponents",
        "InferenceComponentName",
        MaxResults=100,
        **filters,
    )
    afforded = reader.afforded(Part.COMPONENTS, names, cost=2, keep=keep)
    reader.reserve(len(afforded))
    return described_components(reader, afforded)


def described_components(reader: Reader, names: Iterable[str]) -> dict[str, InferenceComponent]:
    """The named inference components that exist."""
    answers = reader.describe_each(Part.COMPONENTS, "DescribeInferenceComponent", "InferenceComponentName", names)
    components = reader.typed(Part.COMPONENTS, InferenceComponent, answers, "InferenceComponentName")
    return {component.name: component for component in components}
