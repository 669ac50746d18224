"""Inference pipelines: containers that a request passes through one after the other."""

from pydantic import PositiveInt

from chalicelib.findings import Facts, Outcome, Severity, failed, not_applicable, passed
from chalicelib.inventory.estate import Inventory
from chalicelib.inventory.models import Model
from chalicelib.inventory.parts import Part
from chalicelib.rules.registry import Params, rule

TOPIC = "inference-pipelines"


class ContainerCount(Params):
    max: PositiveInt = 15
    warn_above: PositiveInt = 5


@rule(
    "pipeline-container-count",
    topic=TOPIC,
    kinds=["model"],
    severity=Severity.LOW,
    params=ContainerCount,
    reads=[Part.MODELS],
)
def pipeline_container_count(model: Model, estate: Inventory, params: ContainerCount) -> Outcome:
    """A serial pipeline holds one container, or more than ``max`` (info above ``warn_above``)."""
    if not model.serial_pipeline:
        return not_applicable("not an inference pipeline")
    count = len(model.pipeline)
    facts: Facts = {"containers": count, "max": params.max, "warn_above": params.warn_above}
    if count == 1 or count > params.max:
        return failed(**facts)
    if count > params.warn_above:
        return failed(severity=Severity.INFO, **facts)
    return passed(f"a pipeline of {count} containers", **facts)
