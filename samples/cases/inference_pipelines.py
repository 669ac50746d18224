"""Inference pipelines."""

from chalicelib.inventory.parts import Part
from chalicelib.report.findings import Severity
from samples.builders import (
    OWN_IMAGE,
    STEM,
    XGBOOST,
    Series,
    a_component,
    a_host_of_components,
    a_model,
    a_pipeline,
    a_series,
    a_serverless_variant,
    a_variant,
)
from samples.cases.case import Case, InDemo, does_not_apply, fails, is_unknown, passes
from samples.cases.instances import IN_TRANSITION, NOT_SERVING

COUNT = "pipeline-container-count"
BOTTLENECK = "pipeline-bottleneck-container"

CONTAINER_COUNT: list[Case] = [
    fails(
        COUNT,
        "a pipeline of one container",
        a_pipeline(1),
        severity=Severity.LOW,
        evidence={"containers": 1},
        in_demo=[InDemo("model text-cleaning-v1")],
    ),
    fails(
        COUNT,
        "a pipeline of one container that says Serial",
        a_pipeline(1, mode="Serial"),
        severity=Severity.LOW,
    ),
    passes(COUNT, "two containers", a_pipeline(2), evidence={"containers": 2, "max": 15, "warn_above": 5}),
    passes(COUNT, "two containers of different images", a_model(XGBOOST, OWN_IMAGE, mode="Serial")),
    passes(COUNT, "five containers", a_pipeline(5), boundary="warn_above"),
    fails(
        COUNT,
        "six containers",
        a_pipeline(6),
        severity=Severity.INFO,
        evidence={"containers": 6, "warn_above": 5},
        boundary="warn_above",
        in_demo=[InDemo("model catalog-enrichment-v3")],
    ),
    fails(
        COUNT,
        "as many containers as AWS takes",
        a_pipeline(15),
        severity=Severity.INFO,
        boundary="max",
    ),
    fails(
        COUNT,
        "one container more than AWS takes",
        a_pipeline(16),
        severity=Severity.LOW,
        evidence={"containers": 16, "max": 15},
        boundary="max",
    ),
    passes(
        COUNT,
        "as many containers as the policy takes",
        a_pipeline(6),
        params={"max": 6, "warn_above": 6},
        boundary="max",
    ),
    fails(
        COUNT,
        "one container more than the policy takes",
        a_pipeline(7),
        params={"max": 6, "warn_above": 6},
        severity=Severity.LOW,
        evidence={"containers": 7, "max": 6},
        boundary="max",
    ),
    does_not_apply(COUNT, "a model of one container", a_model()),
    # "Deploy a model from the registry": Containers with one ModelPackageName
    does_not_apply(
        COUNT,
        "a single model package, as models are deployed from the registry",
        a_model(PrimaryContainer=None, Containers=[{"ModelPackageName": f"{STEM}:model-package/churn/1"}]),
    ),
    fails(
        COUNT,
        "a pipeline of one container that names an image beside its package",
        a_model(
            PrimaryContainer=None,
            Containers=[{"Image": OWN_IMAGE, "ModelPackageName": f"{STEM}:model-package/churn/1"}],
        ),
        severity=Severity.LOW,
    ),
    does_not_apply(COUNT, "containers that are called one by one", a_pipeline(16, mode="Direct")),
    does_not_apply(COUNT, "a single container that is called directly", a_pipeline(1, mode="Direct")),
]


#: The names of containers without a host name, in the order in which a request passes through them.
NAMES = ("container-1", "container-2", "container-3")


def latency(*of_each: float) -> list[Series]:
    """Yesterday's summed latency of each container of a pipeline, in microseconds."""
    return [
        a_series("ContainerLatency", {1: spent}, container=name) for name, spent in zip(NAMES, of_each, strict=False)
    ]


VARIANT, PIPELINE = a_variant(), a_pipeline(2)
SLOW = latency(950.0, 50.0)
NAMED_PIPELINE = a_model(
    PrimaryContainer=None,
    Containers=[
        {"Image": OWN_IMAGE, "ContainerHostname": "features"},
        {"Image": XGBOOST, "ContainerHostname": "scores"},
    ],
)

BOTTLENECK_CONTAINER: list[Case] = [
    fails(
        BOTTLENECK,
        "one container takes a little more than its share",
        VARIANT,
        PIPELINE,
        *latency(190.0, 810.0),
        severity=Severity.INFO,
        evidence={
            "container": "container-2",
            "share": 0.81,
            "max_share": 0.8,
            "shares": {"container-1": 0.19, "container-2": 0.81},
            "window_days": 7,
        },
        boundary="share",
    ),
    passes(
        BOTTLENECK,
        "one container takes just its share",
        VARIANT,
        PIPELINE,
        *latency(800.0, 200.0),
        evidence={"container": "container-1", "share": 0.8},
        boundary="share",
    ),
    fails(
        BOTTLENECK,
        "one container takes more than the share of the policy",
        VARIANT,
        PIPELINE,
        *latency(490.0, 510.0),
        params={"share": 0.5},
        severity=Severity.INFO,
        evidence={"max_share": 0.5},
        boundary="share",
    ),
    passes(
        BOTTLENECK,
        "both containers take just the share of the policy",
        VARIANT,
        PIPELINE,
        *latency(500.0, 500.0),
        params={"share": 0.5},
        boundary="share",
    ),
    fails(
        BOTTLENECK,
        "one container of three",
        VARIANT,
        a_pipeline(3, mode="Serial"),
        *latency(50.0, 900.0, 50.0),
        severity=Severity.INFO,
        evidence={"container": "container-2", "share": 0.9},
    ),
    passes(
        BOTTLENECK,
        "three containers that share the work",
        VARIANT,
        a_pipeline(3),
        *latency(100.0, 400.0, 100.0),
        evidence={"share": 0.667, "shares": {"container-1": 0.167, "container-2": 0.667, "container-3": 0.167}},
    ),
    fails(
        BOTTLENECK,
        "a container is known by its host name",
        VARIANT,
        NAMED_PIPELINE,
        a_series("ContainerLatency", {1: 100.0}, container="features"),
        a_series("ContainerLatency", {1: 900.0}, container="scores"),
        severity=Severity.INFO,
        evidence={"container": "scores", "shares": {"features": 0.1, "scores": 0.9}},
    ),
    passes(
        BOTTLENECK,
        "the days of the window are added up",
        VARIANT,
        PIPELINE,
        a_series("ContainerLatency", {1: 900.0, 2: 100.0}, container="container-1"),
        a_series("ContainerLatency", {1: 100.0, 2: 900.0}, container="container-2"),
        evidence={"share": 0.5},
    ),
    fails(
        BOTTLENECK,
        "the first day of the window counts",
        VARIANT,
        PIPELINE,
        a_series("ContainerLatency", {1: 500.0, 7: 9_000.0}, container="container-1"),
        a_series("ContainerLatency", {1: 500.0}, container="container-2"),
        severity=Severity.INFO,
        boundary="window_days",
    ),
    passes(
        BOTTLENECK,
        "the day before the window does not count",
        VARIANT,
        PIPELINE,
        a_series("ContainerLatency", {1: 500.0, 8: 9_000.0}, container="container-1"),
        a_series("ContainerLatency", {1: 500.0}, container="container-2"),
        evidence={"share": 0.5},
        boundary="window_days",
    ),
    passes(
        BOTTLENECK,
        "the day before the window of the policy does not count",
        VARIANT,
        PIPELINE,
        a_series("ContainerLatency", {1: 500.0, 4: 9_000.0}, container="container-1"),
        a_series("ContainerLatency", {1: 500.0}, container="container-2"),
        params={"window_days": 3},
        evidence={"window_days": 3},
        boundary="window_days",
    ),
    passes(
        BOTTLENECK,
        "the containers of another variant",
        VARIANT,
        PIPELINE,
        *latency(500.0, 500.0),
        a_series("ContainerLatency", {1: 9_000.0}, variant="B", container="container-1"),
        a_series("ContainerLatency", {1: 9_000.0}, endpoint="fraud", container="container-1"),
    ),
    passes(BOTTLENECK, "no container takes any time", VARIANT, PIPELINE, *latency(0.0, 0.0)),
    fails(
        BOTTLENECK,
        "one container takes no time, which was measured",
        VARIANT,
        PIPELINE,
        *latency(1_000.0, 0.0),
        severity=Severity.INFO,
        evidence={"container": "container-1", "share": 1.0},
    ),
    does_not_apply(BOTTLENECK, "a model of one container", VARIANT, a_model(), *SLOW),
    does_not_apply(BOTTLENECK, "a pipeline of one container", VARIANT, a_pipeline(1), *latency(1_000.0)),
    does_not_apply(BOTTLENECK, "containers that are called one by one", VARIANT, a_pipeline(2, mode="Direct"), *SLOW),
    does_not_apply(BOTTLENECK, "inference components", a_host_of_components(), a_component(), PIPELINE, *SLOW),
    does_not_apply(BOTTLENECK, "scaled to zero", a_variant(count=0), PIPELINE, *SLOW),
    does_not_apply(BOTTLENECK, "a serverless variant", a_serverless_variant(), PIPELINE, *SLOW),
    does_not_apply(BOTTLENECK, "a shadow variant", a_variant(shadow=True), PIPELINE, *SLOW),
    *[
        does_not_apply(BOTTLENECK, f"an endpoint that is {status}", a_variant(status=status), PIPELINE, *SLOW)
        for status in (*IN_TRANSITION, *NOT_SERVING)
    ],
    is_unknown(BOTTLENECK, "no container has datapoints", VARIANT, PIPELINE),
    is_unknown(BOTTLENECK, "one container has no datapoints", VARIANT, PIPELINE, *latency(1_000.0)),
    is_unknown(BOTTLENECK, "the metrics could not be read", VARIANT, PIPELINE, unread=[Part.METRICS]),
    is_unknown(BOTTLENECK, "the models could not be read", VARIANT, *SLOW, unread=[Part.MODELS]),
    is_unknown(BOTTLENECK, "the model could not be read", VARIANT, *SLOW, unread=[(Part.MODELS, "churn-model")]),
    is_unknown(BOTTLENECK, "the instance count was not told", a_variant(count=None), PIPELINE, *SLOW),
    is_unknown(
        BOTTLENECK,
        "the config could not be read",
        a_variant(config_read=False),
        PIPELINE,
        *SLOW,
        unread=[(Part.CONFIGS, "churn-config")],
    ),
]

CASES: list[Case] = [*CONTAINER_COUNT, *BOTTLENECK_CONTAINER]
