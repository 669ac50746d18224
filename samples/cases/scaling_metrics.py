"""The metrics that scaling policies follow."""

from typing import Any

from chalicelib.inventory.kinds.scaling import COPY_DIMENSION, INSTANCE_DIMENSION, PROVISIONED_DIMENSION, ScalingPolicy
from chalicelib.inventory.parts import Part
from chalicelib.report.findings import Severity
from samples.builders import a_metric, a_policy, a_step_policy, a_variant, an_alarm, following, following_sum_of
from samples.cases.autoscaling import COMPONENT, CONCURRENT, VARIANT, out_of_concern
from samples.cases.case import Case, InDemo, does_not_apply, fails, is_unknown, passes
from samples.cases.scaled import (
    ASYNC,
    BACKLOG,
    CONFIG_UNREAD,
    CUSTOM,
    HOSTING,
    OWN,
    UNCONFIGURED,
    a_predictive_policy,
    predefined,
)

MISMATCH = "autoscaling-metric-mismatch"

OF_VARIANTS = ("SageMakerVariantInvocationsPerInstance", "SageMakerVariantConcurrentRequestsPerModelHighResolution")
OF_COMPONENTS = (
    "SageMakerInferenceComponentInvocationsPerCopy",
    "SageMakerInferenceComponentConcurrentRequestsPerCopyHighResolution",
)


NO_BACKLOG = "the endpoint is asynchronous, and no policy follows its backlog"
NOTHING_OF_REQUESTS = "the endpoint is asynchronous, and publishes no metrics of its invocations"


def elsewhere(metric: str, namespace: str, **dimensions: str) -> dict[str, Any]:
    """The ``tracking`` of a policy that follows a custom metric in a namespace."""
    named = {**a_metric(metric, **dimensions), "Namespace": namespace, "Statistic": "Average"}
    return {"PredefinedMetricSpecification": None, "CustomizedMetricSpecification": named}


def concurrency_policy(**described: Any) -> ScalingPolicy:
    """A target-tracking policy of a serverless variant's provisioned concurrency."""
    return a_policy(VARIANT, ScalableDimension=PROVISIONED_DIMENSION, **described)


METRIC_MISMATCH: list[Case] = [
    *[
        passes(MISMATCH, f"instances by {metric}", a_policy(tracking=predefined(metric)), VARIANT)
        for metric in OF_VARIANTS
    ],
    *[
        passes(MISMATCH, f"copies by {metric}", a_policy(COMPONENT, tracking=predefined(metric)), COMPONENT)
        for metric in OF_COMPONENTS
    ],
    *[
        fails(
            MISMATCH,
            f"instances by {metric}",
            a_policy(tracking=predefined(metric)),
            VARIANT,
            severity=Severity.MEDIUM,
            evidence={"predefined_metric": metric, "scalable_dimension": INSTANCE_DIMENSION, "custom_metrics": []},
        )
        for metric in (*OF_COMPONENTS, "SageMakerVariantProvisionedConcurrencyUtilization")
    ],
    *[
        fails(
            MISMATCH,
            f"copies by {metric}",
            a_policy(COMPONENT, tracking=predefined(metric)),
            COMPONENT,
            severity=Severity.MEDIUM,
            evidence={"predefined_metric": metric, "scalable_dimension": COPY_DIMENSION},
        )
        for metric in OF_VARIANTS
    ],
    passes(
        MISMATCH,
        "a custom metric of the variant",
        a_policy(tracking=following("CPUUtilization", **OWN)),
        VARIANT,
        evidence={"custom_metrics": ["CPUUtilization"], "predefined_metric": None},
    ),
    passes(
        MISMATCH,
        "a custom metric that is no endpoint's",
        a_policy(tracking=elsewhere("QueueDepth", "AWS/SQS", QueueName="scores")),
        VARIANT,
    ),
    *[
        fails(
            MISMATCH,
            f"never has data: {mismatch}",
            a_policy(tracking=tracking),
            VARIANT,
            severity=Severity.MEDIUM,
            evidence={"mismatch": mismatch},
        )
        for mismatch, tracking in (
            (
                "CPUUtilization is published in /aws/sagemaker/Endpoints, not in AWS/SageMaker",
                elsewhere("CPUUtilization", "AWS/SageMaker", **OWN),
            ),
            (
                "Invocations is published in AWS/SageMaker, not in /aws/sagemaker/Endpoints",
                elsewhere("Invocations", "/aws/sagemaker/Endpoints", **OWN),
            ),
            (
                "CPUUtilization is published under EndpointName and VariantName",
                following("CPUUtilization", EndpointName="churn"),
            ),
            (
                "InvocationsPerInstance is published under EndpointName and VariantName",
                following("InvocationsPerInstance"),
            ),
            (
                "no metric is named GPUUtilisation; GPUUtilization is",
                elsewhere("GPUUtilisation", "/aws/sagemaker/Endpoints", **OWN),
            ),
            ("no metric is named invocations; Invocations is", following("invocations", **OWN)),
        )
    ],
    fails(
        MISMATCH,
        "another namespace inside metric math",
        a_policy(tracking=following_sum_of({**a_metric("CPUUtilization", **OWN), "Namespace": "AWS/SageMaker"})),
        VARIANT,
        severity=Severity.MEDIUM,
    ),
    is_unknown(
        MISMATCH,
        "a custom metric of SageMaker that is not known",
        a_policy(tracking=following("TokensPerSecond", **OWN)),
        VARIANT,
    ),
    *[
        fails(
            MISMATCH,
            f"instances under components by {name}",
            a_policy(tracking=tracking),
            HOSTING,
            severity=Severity.MEDIUM,
            evidence={"mismatch": "inference components publish their invocations each for itself"},
        )
        for name, tracking in (
            ("the predefined metric", {}),
            ("the custom metric", following("InvocationsPerInstance", **OWN)),
        )
    ],
    passes(MISMATCH, "instances under components by their processors", a_policy(tracking=CUSTOM), HOSTING),
    passes(
        MISMATCH,
        "provisioned concurrency by its utilization",
        concurrency_policy(tracking=predefined("SageMakerVariantProvisionedConcurrencyUtilization")),
        CONCURRENT,
    ),
    fails(
        MISMATCH,
        "provisioned concurrency by invocations per instance",
        concurrency_policy(),
        CONCURRENT,
        severity=Severity.MEDIUM,
    ),
    passes(
        MISMATCH,
        "provisioned concurrency by the custom metric of its utilization",
        concurrency_policy(tracking=following("ServerlessProvisionedConcurrencyUtilization", **OWN)),
        CONCURRENT,
    ),
    fails(
        MISMATCH,
        "a custom metric of another endpoint",
        a_policy(tracking=following("CPUUtilization", EndpointName="fraud", VariantName="AllTraffic")),
        VARIANT,
        severity=Severity.MEDIUM,
        evidence={"custom_metrics": ["CPUUtilization"], "mismatch": "the metric is that of EndpointName fraud"},
        in_demo=[InDemo("scaling-policy seat-pricing/AllTraffic/target-tracking")],
    ),
    fails(
        MISMATCH,
        "a custom metric of another variant",
        a_policy(tracking=following("CPUUtilization", EndpointName="churn", VariantName="B")),
        VARIANT,
        a_variant("B"),
        severity=Severity.MEDIUM,
        evidence={"mismatch": "the metric is that of VariantName B"},
    ),
    passes(
        MISMATCH,
        "metric math over metrics of the variant",
        a_policy(tracking=following_sum_of(a_metric("Invocations", **OWN), a_metric("CPUUtilization", **OWN))),
        VARIANT,
        evidence={"custom_metrics": ["Invocations", "CPUUtilization"]},
    ),
    fails(
        MISMATCH,
        "a metric of another variant inside metric math",
        a_policy(
            tracking=following_sum_of(
                a_metric("Invocations", **OWN), a_metric("Invocations", EndpointName="churn", VariantName="B")
            )
        ),
        VARIANT,
        severity=Severity.MEDIUM,
        evidence={"mismatch": "the metric is that of VariantName B"},
    ),
    fails(
        MISMATCH,
        "a metric of another endpoint inside metric math",
        a_policy(tracking=following_sum_of(a_metric("Invocations", EndpointName="fraud", VariantName="AllTraffic"))),
        VARIANT,
        severity=Severity.MEDIUM,
        evidence={"mismatch": "the metric is that of EndpointName fraud"},
    ),
    passes(
        MISMATCH,
        "a custom metric of the component",
        a_policy(COMPONENT, tracking=following("CPUUtilization", InferenceComponentName="churn-component")),
        COMPONENT,
    ),
    passes(
        MISMATCH,
        "a custom metric of the component on its variant",
        a_policy(COMPONENT, tracking=following("CPUUtilization", InferenceComponentName="churn-component", **OWN)),
        COMPONENT,
    ),
    *[
        fails(
            MISMATCH,
            f"a custom metric of another {what} than the component's",
            a_policy(COMPONENT, tracking=following("CPUUtilization", **dimensions)),
            COMPONENT,
            severity=Severity.MEDIUM,
        )
        for what, dimensions in (
            ("component", {"InferenceComponentName": "fraud-component"}),
            ("variant", {"InferenceComponentName": "churn-component", "EndpointName": "churn", "VariantName": "B"}),
            ("endpoint", {"InferenceComponentName": "churn-component", "EndpointName": "fraud"}),
        )
    ],
    fails(
        MISMATCH,
        "an asynchronous endpoint by its invocations",
        a_policy(),
        ASYNC,
        severity=Severity.MEDIUM,
        evidence={"mismatch": NOTHING_OF_REQUESTS, "asynchronous": True},
    ),
    fails(
        MISMATCH,
        "an asynchronous endpoint by the custom metric of its invocations",
        a_policy(name="by-load", tracking=following("InvocationsPerInstance", **OWN)),
        ASYNC,
        a_policy(name="by-backlog", tracking=BACKLOG),
        severity=Severity.MEDIUM,
        evidence={"mismatch": NOTHING_OF_REQUESTS},
    ),
    fails(
        MISMATCH,
        "an asynchronous endpoint by its invocations, while another policy follows the backlog",
        a_policy(name="by-load"),
        ASYNC,
        a_policy(name="by-backlog", tracking=BACKLOG),
        severity=Severity.MEDIUM,
        evidence={"mismatch": NOTHING_OF_REQUESTS},
    ),
    # Developer guide, "Autoscale an asynchronous endpoint": it is 1 only while no instance runs.
    fails(
        MISMATCH,
        "an asynchronous endpoint by whether it has capacity",
        a_policy(tracking=following("HasBacklogWithoutCapacity", EndpointName="churn")),
        ASYNC,
        severity=Severity.MEDIUM,
        evidence={"mismatch": "HasBacklogWithoutCapacity has no data while an instance runs"},
    ),
    fails(
        MISMATCH,
        "the backlog under the variant's name, too",
        a_policy(tracking=following("ApproximateBacklogSizePerInstance", **OWN)),
        ASYNC,
        severity=Severity.MEDIUM,
        evidence={"mismatch": "ApproximateBacklogSizePerInstance is published under EndpointName alone"},
    ),
    passes(
        MISMATCH,
        "a step policy follows the backlog beside one that follows the processors",
        a_policy(tracking=CUSTOM),
        ASYNC,
        a_step_policy(ASYNC),
        an_alarm(metric="ApproximateBacklogSize"),
    ),
    passes(
        MISMATCH,
        "a step policy wakes it beside one that follows the processors",
        a_policy(tracking=CUSTOM),
        ASYNC,
        a_step_policy(ASYNC),
        an_alarm(),
    ),
    fails(
        MISMATCH,
        "step policies alone, none of the backlog",
        a_step_policy(ASYNC),
        ASYNC,
        an_alarm(metric="CPUUtilization", dimensions=OWN),
        severity=Severity.MEDIUM,
        evidence={"mismatch": NO_BACKLOG},
    ),
    fails(
        MISMATCH,
        "a step policy follows the backlog of another endpoint",
        a_step_policy(ASYNC),
        ASYNC,
        an_alarm(metric="ApproximateBacklogSize", dimensions={"EndpointName": "fraud"}),
        severity=Severity.MEDIUM,
    ),
    passes(
        MISMATCH,
        "a step policy alone follows the backlog",
        a_step_policy(ASYNC),
        ASYNC,
        an_alarm(metric="ApproximateBacklogSize"),
    ),
    is_unknown(
        MISMATCH,
        "what the alarm of a step policy watches is not told",
        a_policy(tracking=CUSTOM),
        ASYNC,
        a_step_policy(ASYNC),
        an_alarm(MetricName=None),
    ),
    is_unknown(
        MISMATCH,
        "the alarms of a step policy could not be read",
        a_policy(tracking=CUSTOM),
        ASYNC,
        a_step_policy(ASYNC),
        unread=[Part.ALARMS],
    ),
    fails(
        MISMATCH,
        "an asynchronous endpoint by another custom metric",
        a_policy(tracking=following("CPUUtilization", **OWN)),
        ASYNC,
        severity=Severity.MEDIUM,
        in_demo=[InDemo("scaling-policy contract-scans/AllTraffic/target-tracking")],
    ),
    fails(
        MISMATCH,
        "an asynchronous endpoint by the backlog of another",
        a_policy(tracking=following("ApproximateBacklogSizePerInstance", EndpointName="fraud")),
        ASYNC,
        severity=Severity.MEDIUM,
        evidence={"mismatch": "the metric is that of EndpointName fraud"},
    ),
    fails(
        MISMATCH,
        "an asynchronous endpoint where another endpoint follows its backlog",
        a_policy(tracking=CUSTOM),
        ASYNC,
        a_policy("endpoint/fraud/variant/AllTraffic", tracking=BACKLOG),
        severity=Severity.MEDIUM,
    ),
    *[
        passes(
            MISMATCH,
            f"an asynchronous endpoint by {metric}",
            a_policy(tracking=following(metric, EndpointName="churn")),
            ASYNC,
        )
        for metric in ("ApproximateBacklogSizePerInstance", "ApproximateBacklogSize")
    ],
    passes(
        MISMATCH,
        "an asynchronous endpoint by its backlog inside metric math",
        a_policy(tracking=following_sum_of(a_metric("ApproximateBacklogSize", EndpointName="churn"))),
        ASYNC,
    ),
    passes(
        MISMATCH,
        "an asynchronous endpoint of which another policy follows the backlog",
        a_policy(name="by-load", tracking=CUSTOM),
        ASYNC,
        a_policy(name="by-backlog", tracking=BACKLOG),
    ),
    does_not_apply(MISMATCH, "a step policy", a_step_policy(VARIANT), VARIANT),
    does_not_apply(MISMATCH, "a step policy whose alarms are gone", a_step_policy(VARIANT), ASYNC),
    does_not_apply(MISMATCH, "a forecast", a_predictive_policy(VARIANT), VARIANT),
    *out_of_concern(MISMATCH, judged=a_policy, tracking=following("CPUUtilization", EndpointName="fraud")),
    is_unknown(
        MISMATCH,
        "a predefined metric that is not known",
        a_policy(tracking=predefined("SageMakerVariantTokensPerSecond")),
        VARIANT,
    ),
    is_unknown(
        MISMATCH,
        "neither a predefined nor a custom metric was told",
        a_policy(tracking={"PredefinedMetricSpecification": None}),
        VARIANT,
    ),
    is_unknown(
        MISMATCH,
        "the config could not be read, so that nobody knows whether it is asynchronous",
        a_policy(),
        UNCONFIGURED,
        unread=CONFIG_UNREAD,
    ),
    is_unknown(
        MISMATCH,
        "the endpoints could not be read",
        a_policy(tracking=predefined(OF_COMPONENTS[0])),
        unread=[Part.ENDPOINTS],
    ),
    is_unknown(
        MISMATCH,
        "the components could not be read",
        a_policy(COMPONENT, tracking=predefined(OF_VARIANTS[0])),
        unread=[Part.COMPONENTS],
    ),
]


CASES: list[Case] = [*METRIC_MISMATCH]
