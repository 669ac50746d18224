"""Inference pipelines: containers that a request passes through one after the other."""

from pydantic import Field, PositiveFloat, PositiveInt

from chalicelib.inventory.estate import Inventory
from chalicelib.inventory.kinds.endpoints import Variant
from chalicelib.inventory.kinds.models import Model
from chalicelib.inventory.metrics import no_datapoints
from chalicelib.inventory.parts import Part
from chalicelib.report.concern import Concern
from chalicelib.report.findings import Severity
from chalicelib.report.outcomes import Facts, Outcome, failed, not_applicable, passed
from chalicelib.rules.guards import variant_with_instances
from chalicelib.rules.registry import Params, Window, rule

TOPIC = "inference-pipelines"


class ContainerCount(Params):
    max: PositiveInt = 15
    warn_above: PositiveInt = 5


@rule(
    "pipeline-container-count",
    topic=TOPIC,
    kinds=["model"],
    severity=Severity.LOW,
    concern=Concern.STYLE,
    params=ContainerCount,
    reads=[Part.MODELS],
)
def pipeline_container_count(model: Model, estate: Inventory, params: ContainerCount) -> Outcome:
    """A serial pipeline holds one container with an image of its own, or more than ``max`` (info above ``warn_above``).
    A single model package may hold several containers itself."""
    if not model.serial_pipeline:
        return not_applicable("not an inference pipeline")
    count = len(model.pipeline)
    if count == 1 and not model.pipeline[0].image:
        return not_applicable("what it names is no image: a model package may hold a whole pipeline")
    facts: Facts = {"containers": count, "max": params.max, "warn_above": params.warn_above}
    if count == 1 or count > params.max:
        return failed(**facts)
    if count > params.warn_above:
        return failed(severity=Severity.INFO, **facts)
    return passed(f"a pipeline of {count} containers", **facts)


class Share(Params):
    share: PositiveFloat = Field(0.8, le=1)
    window_days: PositiveInt = 7


@rule(
    "pipeline-bottleneck-container",
    topic=TOPIC,
    kinds=["endpoint-variant"],
    severity=Severity.INFO,
    concern=Concern.STYLE,
    params=Share,
    reads=[Part.ENDPOINTS, Part.CONFIGS, Part.MODELS, Part.METRICS],
    metrics=[Window("ContainerLatency", "window_days")],
    guards=[variant_with_instances],
    enabled=False,
)
def pipeline_bottleneck_container(variant: Variant, estate: Inventory, params: Share) -> Outcome:
    """One container of an inference pipeline takes more than ``share`` of the latency of all its containers."""
    if variant.hosts_components:
        return not_applicable("inference components are no pipeline")
    model = estate.model(variant.settings.model_name)
    if not model.serial_pipeline or len(model.pipeline) < 2:
        return not_applicable("not an inference pipeline of several containers")
    if variant.instance_count == 0:
        return not_applicable("scaled to zero")
    spent: dict[str, float] = {}
    for name in model.container_names:
        points = estate.metric("ContainerLatency", variant, days=params.window_days, container=name)
        spent[name] = sum(point.value for point in points)
        if not points:
            raise no_datapoints(f"CloudWatch has no ContainerLatency datapoints of {name}")
    whole = sum(spent.values())
    if not whole:
        return passed("its containers take no time that can be measured", window_days=params.window_days)
    slowest = max(spent, key=lambda name: spent[name])
    facts: Facts = {
        "container": slowest,
        "share": round(spent[slowest] / whole, 3),
        "max_share": params.share,
        "shares": {name: round(value / whole, 3) for name, value in spent.items()},
        "window_days": params.window_days,
    }
    if spent[slowest] / whole > params.share:
        return failed(**facts)
    return passed("no container takes most of the time", **facts)
