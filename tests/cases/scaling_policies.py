"""Scaling policies and what they hang on."""

from typing import Any

from chalicelib.inventory.kinds.scaling import PROVISIONED_DIMENSION, ScalingPolicy
from chalicelib.inventory.parts import Part
from chalicelib.report.findings import Severity
from tests.builders import (
    Given,
    a_component,
    a_host_of_components,
    a_load_test,
    a_metric,
    a_model,
    a_policy,
    a_schedule,
    a_serverless_variant,
    a_step_policy,
    a_target,
    a_variant,
    ago,
    an_activity,
    an_alarm,
    an_endpoint_without_variants,
    following,
    following_sum_of,
    managed_scaling,
    metric_math,
)
from tests.cases.autoscaling import (
    COMPONENT,
    COMPONENT_ID,
    COPY_DIMENSION,
    INSTANCE_DIMENSION,
    VARIANT,
    VARIANT_ID,
    Scaled,
    out_of_concern,
)
from tests.cases.case import Case, does_not_apply, fails, is_unknown, passes
from tests.cases.instances import IN_TRANSITION, NOT_SERVING

SCALE_IN = "autoscaling-scale-in-disabled"
COOLDOWN = "autoscaling-cooldown-inverted"
MISMATCH = "autoscaling-metric-mismatch"
ALARM = "autoscaling-alarm-broken"
ACTIVITY = "autoscaling-activity-failed"
ORPHANED = "autoscaling-orphaned-target"
BURSTABLE = "autoscaling-burstable-instance"
WAKE_UP = "autoscaling-zero-without-wakeup"
HOST = "inference-component-host-fixed"
UNTESTED = "autoscaling-untested-target"

OTHER_ID = "endpoint/churn/variant/B"
HOSTING = a_host_of_components()
ASYNC = a_variant(asynchronous=True)
UNCONFIGURED = a_variant(config_read=False)
CONFIG_UNREAD = [(Part.CONFIGS, "churn-config")]
ALARMS = an_alarm("by-load-high", metric="InvocationsPerInstance"), an_alarm("by-load-low")


def predefined(metric: str) -> dict[str, Any]:
    """The ``tracking`` of a policy that follows a predefined metric."""
    return {"PredefinedMetricSpecification": {"PredefinedMetricType": metric}}


def a_predictive_policy(of: Scaled, **described: Any) -> ScalingPolicy:
    """A policy that scales by a forecast: it tracks no target and hangs on no alarm."""
    return a_policy(
        of,
        **{
            "alarms": (),
            "PolicyType": "PredictiveScaling",
            "TargetTrackingScalingPolicyConfiguration": None,
            **described,
        },
    )


# ---- scaling in

ONLY_OUT = {"DisableScaleIn": True}

SCALE_IN_DISABLED: list[Case] = [
    fails(
        SCALE_IN,
        "its only policy never scales in",
        a_target(VARIANT),
        VARIANT,
        a_policy(VARIANT, tracking=ONLY_OUT),
        severity=Severity.LOW,
        evidence={
            "policies": ["by-load"],
            "resource_id": VARIANT_ID,
            "scalable_dimension": INSTANCE_DIMENSION,
            "max_capacity": 4,
        },
    ),
    fails(
        SCALE_IN,
        "neither of its policies scales in",
        a_target(VARIANT),
        VARIANT,
        a_policy(VARIANT, name="one", tracking=ONLY_OUT),
        a_policy(VARIANT, name="two", tracking=ONLY_OUT),
        severity=Severity.LOW,
        evidence={"policies": ["one", "two"]},
    ),
    fails(
        SCALE_IN,
        "a component's only policy never scales in",
        a_target(COMPONENT),
        COMPONENT,
        a_policy(COMPONENT, tracking=ONLY_OUT),
        severity=Severity.LOW,
        evidence={"resource_id": COMPONENT_ID, "scalable_dimension": COPY_DIMENSION},
    ),
    fails(
        SCALE_IN,
        "a policy of another variant scales in",
        a_target(VARIANT),
        VARIANT,
        a_policy(VARIANT, tracking=ONLY_OUT),
        a_policy(OTHER_ID),
        a_step_policy(OTHER_ID, adjustment=-1),
        severity=Severity.LOW,
    ),
    fails(
        SCALE_IN,
        "a step policy scales out",
        a_target(VARIANT),
        VARIANT,
        a_policy(VARIANT, tracking=ONLY_OUT),
        a_step_policy(VARIANT, adjustment=1),
        severity=Severity.LOW,
        evidence={"policies": ["by-load"]},
    ),
    passes(
        SCALE_IN,
        "a step policy scales in",
        a_target(VARIANT),
        VARIANT,
        a_policy(VARIANT, tracking=ONLY_OUT),
        a_step_policy(VARIANT, adjustment=-1),
    ),
    passes(
        SCALE_IN,
        "a step policy sets the capacity",
        a_target(VARIANT),
        VARIANT,
        a_policy(VARIANT, tracking=ONLY_OUT),
        a_step_policy(VARIANT, adjustment=2, adjustment_type="ExactCapacity"),
    ),
    passes(
        SCALE_IN,
        "one policy of two scales in",
        a_target(VARIANT),
        VARIANT,
        a_policy(VARIANT, name="one", tracking=ONLY_OUT),
        a_policy(VARIANT, name="two", tracking={"DisableScaleIn": False}),
        evidence={"policies": ["one", "two"]},
    ),
    passes(SCALE_IN, "its policy does not say", a_target(VARIANT), VARIANT, a_policy(VARIANT)),
    does_not_apply(SCALE_IN, "no policy", a_target(VARIANT), VARIANT),
    does_not_apply(SCALE_IN, "a step policy alone", a_target(VARIANT), VARIANT, a_step_policy(VARIANT)),
    does_not_apply(SCALE_IN, "a scheduled action alone", a_target(VARIANT), VARIANT, a_schedule(VARIANT)),
    does_not_apply(SCALE_IN, "a forecast alone", a_target(VARIANT), VARIANT, a_predictive_policy(VARIANT)),
    *out_of_concern(SCALE_IN, beside=lambda of: [a_policy(of, tracking=ONLY_OUT)]),
    is_unknown(SCALE_IN, "the policies could not be read", a_target(VARIANT), VARIANT, unread=[Part.POLICIES]),
    is_unknown(
        SCALE_IN,
        "the endpoints could not be read",
        a_target(VARIANT),
        a_policy(VARIANT, tracking=ONLY_OUT),
        unread=[Part.ENDPOINTS],
    ),
    is_unknown(
        SCALE_IN,
        "the components could not be read",
        a_target(COMPONENT),
        a_policy(COMPONENT, tracking=ONLY_OUT),
        unread=[Part.COMPONENTS],
    ),
]

# ---- cooldowns


def waiting(scale_in: int | None, scale_out: int | None, of: Scaled = VARIANT) -> ScalingPolicy:
    """A policy with these cooldowns in seconds; None leaves one out."""
    return a_policy(of, tracking={"ScaleInCooldown": scale_in, "ScaleOutCooldown": scale_out})


COOLDOWN_INVERTED: list[Case] = [
    fails(
        COOLDOWN,
        "takes away a second sooner than it adds",
        waiting(299, 300),
        VARIANT,
        severity=Severity.LOW,
        evidence={"scale_in_cooldown": 299, "scale_out_cooldown": 300, "max_scale_out": 900, "min_scale_in": 60},
    ),
    passes(
        COOLDOWN,
        "takes away as soon as it adds",
        waiting(300, 300),
        VARIANT,
        evidence={"scale_in_cooldown": 300, "scale_out_cooldown": 300},
    ),
    passes(COOLDOWN, "takes away later than it adds", waiting(600, 60), VARIANT),
    passes(COOLDOWN, "adds at once", waiting(300, 0), VARIANT, evidence={"scale_out_cooldown": 0}),
    passes(
        COOLDOWN,
        "no cooldown is set, which is 300 seconds both ways",
        waiting(None, None),
        VARIANT,
        evidence={"scale_in_cooldown": 300, "scale_out_cooldown": 300},
    ),
    fails(
        COOLDOWN,
        "adds a second later than it takes away by default",
        waiting(None, 301),
        VARIANT,
        severity=Severity.LOW,
        evidence={"scale_in_cooldown": 300},
    ),
    fails(
        COOLDOWN,
        "takes away a second sooner than it adds by default",
        waiting(299, None),
        VARIANT,
        severity=Severity.LOW,
        evidence={"scale_out_cooldown": 300},
    ),
    passes(
        COOLDOWN,
        "waits as long as it may to add",
        waiting(900, 900),
        VARIANT,
        boundary="max_scale_out",
    ),
    fails(
        COOLDOWN,
        "waits a second longer than it may to add",
        waiting(901, 901),
        VARIANT,
        severity=Severity.LOW,
        boundary="max_scale_out",
    ),
    passes(
        COOLDOWN,
        "waits as long to add as the policy says",
        waiting(120, 120),
        VARIANT,
        params={"max_scale_out": 120},
        boundary="max_scale_out",
    ),
    fails(
        COOLDOWN,
        "waits a second longer to add than the policy says",
        waiting(121, 121),
        VARIANT,
        params={"max_scale_out": 120},
        severity=Severity.LOW,
        evidence={"max_scale_out": 120},
        boundary="max_scale_out",
    ),
    passes(
        COOLDOWN,
        "takes away as soon as it may",
        waiting(60, 60),
        VARIANT,
        boundary="min_scale_in",
    ),
    fails(
        COOLDOWN,
        "takes away a second sooner than it may",
        waiting(59, 59),
        VARIANT,
        severity=Severity.LOW,
        boundary="min_scale_in",
    ),
    fails(
        COOLDOWN,
        "takes away at once, which is not by default",
        waiting(0, 0),
        VARIANT,
        severity=Severity.LOW,
        evidence={"scale_in_cooldown": 0, "scale_out_cooldown": 0},
    ),
    passes(
        COOLDOWN,
        "takes away at once where the policy lets it",
        waiting(0, 0),
        VARIANT,
        params={"min_scale_in": 0},
        boundary="min_scale_in",
    ),
    fails(
        COOLDOWN,
        "takes away sooner than the policy says",
        waiting(599, 60),
        VARIANT,
        params={"min_scale_in": 600},
        severity=Severity.LOW,
        evidence={"min_scale_in": 600},
        boundary="min_scale_in",
    ),
    fails(COOLDOWN, "a component", waiting(60, 300, COMPONENT), COMPONENT, severity=Severity.LOW),
    does_not_apply(COOLDOWN, "a step policy", a_step_policy(VARIANT), VARIANT),
    does_not_apply(COOLDOWN, "a forecast", a_predictive_policy(VARIANT), VARIANT),
    *out_of_concern(COOLDOWN, judged=a_policy, tracking={"ScaleInCooldown": 0, "ScaleOutCooldown": 1_000}),
    is_unknown(COOLDOWN, "the endpoints could not be read", waiting(0, 0), unread=[Part.ENDPOINTS]),
    is_unknown(COOLDOWN, "the components could not be read", waiting(0, 0, COMPONENT), unread=[Part.COMPONENTS]),
]

# ---- metrics

OF_VARIANTS = ("SageMakerVariantInvocationsPerInstance", "SageMakerVariantConcurrentRequestsPerModelHighResolution")
OF_COMPONENTS = (
    "SageMakerInferenceComponentInvocationsPerCopy",
    "SageMakerInferenceComponentConcurrentRequestsPerCopyHighResolution",
)
OWN = {"EndpointName": "churn", "VariantName": "AllTraffic"}
BACKLOG = following("ApproximateBacklogSizePerInstance", EndpointName="churn")


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
        a_policy(tracking=following("QueueDepth", QueueName="scores")),
        VARIANT,
    ),
    fails(
        MISMATCH,
        "a custom metric of another endpoint",
        a_policy(tracking=following("CPUUtilization", EndpointName="fraud", VariantName="AllTraffic")),
        VARIANT,
        severity=Severity.MEDIUM,
        evidence={"custom_metrics": ["CPUUtilization"], "mismatch": "the metric is that of EndpointName fraud"},
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
        evidence={"mismatch": "the endpoint is asynchronous, and no policy follows its backlog"},
    ),
    fails(
        MISMATCH,
        "an asynchronous endpoint by another custom metric",
        a_policy(tracking=following("CPUUtilization", **OWN)),
        ASYNC,
        severity=Severity.MEDIUM,
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
        a_policy(),
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
        a_policy(name="by-load"),
        ASYNC,
        a_policy(name="by-backlog", tracking=BACKLOG),
    ),
    does_not_apply(MISMATCH, "a step policy", a_step_policy(VARIANT), VARIANT),
    does_not_apply(MISMATCH, "a step policy of an asynchronous endpoint", a_step_policy(VARIANT), ASYNC),
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

# ---- alarms

CUSTOM = following("CPUUtilization", **OWN)
TWO_ALARMS = ["by-load-high", "by-load-low"]


def lacking_data(**age: float) -> tuple[Given, ...]:
    """The two alarms of a policy, one of which has lacked data for so long."""
    return (
        an_alarm("by-load-high", metric="CPUUtilization"),
        an_alarm(
            "by-load-low", metric="CPUUtilization", StateValue="INSUFFICIENT_DATA", StateUpdatedTimestamp=ago(**age)
        ),
    )


ALARM_BROKEN: list[Case] = [
    fails(
        ALARM,
        "no alarms",
        a_policy(alarms=[]),
        VARIANT,
        severity=Severity.MEDIUM,
        evidence={"alarms": [], "broken": {}, "no_alarms": True},
    ),
    fails(
        ALARM,
        "an alarm is gone",
        a_policy(),
        VARIANT,
        an_alarm("by-load-high"),
        severity=Severity.MEDIUM,
        evidence={"alarms": TWO_ALARMS, "broken": {"by-load-low": "does not exist"}, "no_alarms": False},
    ),
    fails(
        ALARM,
        "both alarms are gone",
        a_policy(),
        VARIANT,
        severity=Severity.MEDIUM,
        evidence={"broken": dict.fromkeys(TWO_ALARMS, "does not exist")},
    ),
    fails(
        ALARM,
        "the actions of an alarm are disabled",
        a_policy(),
        VARIANT,
        an_alarm("by-load-high"),
        an_alarm("by-load-low", ActionsEnabled=False),
        severity=Severity.MEDIUM,
        evidence={"broken": {"by-load-low": "has its actions disabled"}},
    ),
    fails(
        ALARM,
        "an alarm of a component is gone",
        a_policy(COMPONENT),
        COMPONENT,
        an_alarm("by-load-high"),
        severity=Severity.MEDIUM,
    ),
    fails(ALARM, "a step policy without an alarm", a_step_policy(alarms=[]), VARIANT, severity=Severity.MEDIUM),
    fails(
        ALARM,
        "the alarm of a step policy is gone",
        a_step_policy(),
        VARIANT,
        an_alarm("another"),
        severity=Severity.MEDIUM,
        evidence={"broken": {"backlog": "does not exist"}},
    ),
    fails(
        ALARM,
        "the actions of a step policy's alarm are disabled",
        a_step_policy(),
        VARIANT,
        an_alarm("backlog", ActionsEnabled=False),
        severity=Severity.MEDIUM,
    ),
    passes(ALARM, "both alarms act", a_policy(), VARIANT, *ALARMS, evidence={"alarms": TWO_ALARMS}),
    passes(
        ALARM,
        "an alarm that has gone off acts",
        a_policy(),
        VARIANT,
        an_alarm("by-load-high", StateValue="ALARM", StateUpdatedTimestamp=ago(days=30)),
        an_alarm("by-load-low"),
    ),
    passes(ALARM, "the alarm of a step policy acts", a_step_policy(), VARIANT, an_alarm("backlog")),
    passes(
        ALARM,
        "another alarm is disabled",
        a_policy(),
        VARIANT,
        *ALARMS,
        an_alarm("another", ActionsEnabled=False),
    ),
    fails(
        ALARM,
        "a custom metric has lacked data for a second longer than it may",
        a_policy(tracking=CUSTOM),
        VARIANT,
        *lacking_data(hours=24, seconds=1),
        severity=Severity.MEDIUM,
        evidence={"broken": {"by-load-low": "has lacked data for more than 24 hours"}},
        boundary="insufficient_data_hours",
    ),
    passes(
        ALARM,
        "a custom metric has lacked data for just as long as it may",
        a_policy(tracking=CUSTOM),
        VARIANT,
        *lacking_data(hours=24),
        boundary="insufficient_data_hours",
    ),
    passes(
        ALARM,
        "a custom metric has lacked data for a second less than it may",
        a_policy(tracking=CUSTOM),
        VARIANT,
        *lacking_data(hours=23, minutes=59, seconds=59),
        boundary="insufficient_data_hours",
    ),
    fails(
        ALARM,
        "a custom metric has lacked data for longer than the policy says",
        a_policy(tracking=CUSTOM),
        VARIANT,
        *lacking_data(hours=2),
        params={"insufficient_data_hours": 1},
        severity=Severity.MEDIUM,
        evidence={"broken": {"by-load-low": "has lacked data for more than 1 hours"}},
        boundary="insufficient_data_hours",
    ),
    passes(
        ALARM,
        "a custom metric has lacked data for less than the policy says",
        a_policy(tracking=CUSTOM),
        VARIANT,
        *lacking_data(hours=47),
        params={"insufficient_data_hours": 48},
        boundary="insufficient_data_hours",
    ),
    fails(
        ALARM,
        "metric math has lacked data for longer than it may",
        a_policy(tracking=following_sum_of(a_metric("CPUUtilization", **OWN))),
        VARIANT,
        *lacking_data(days=2),
        severity=Severity.MEDIUM,
    ),
    passes(ALARM, "a predefined metric lacks data where nobody calls", a_policy(), VARIANT, *lacking_data(days=30)),
    passes(
        ALARM,
        "the backlog of an endpoint at zero lacks data",
        a_policy(tracking=BACKLOG, alarms=["backlog"]),
        a_variant(count=0, asynchronous=True),
        an_alarm(
            metric="ApproximateBacklogSizePerInstance",
            StateValue="INSUFFICIENT_DATA",
            StateUpdatedTimestamp=ago(days=30),
        ),
    ),
    passes(
        ALARM,
        "the backlog of an endpoint at zero lacks data inside metric math",
        a_policy(tracking=BACKLOG, alarms=["backlog"]),
        a_variant(count=0, asynchronous=True),
        an_alarm(
            MetricName=None,
            Dimensions=None,
            StateValue="INSUFFICIENT_DATA",
            StateUpdatedTimestamp=ago(days=30),
            **metric_math(a_metric("ApproximateBacklogSize", EndpointName="churn"), a_metric("Invocations", **OWN)),
        ),
    ),
    passes(
        ALARM,
        "the alarm of a step policy lacks data",
        a_step_policy(),
        ASYNC,
        an_alarm("backlog", StateValue="INSUFFICIENT_DATA", StateUpdatedTimestamp=ago(days=30)),
    ),
    does_not_apply(ALARM, "a forecast hangs on no alarm", a_predictive_policy(VARIANT), VARIANT),
    *out_of_concern(ALARM, judged=a_policy, alarms=[]),
    is_unknown(ALARM, "the alarms could not be read", a_policy(), VARIANT, unread=[Part.ALARMS]),
    is_unknown(
        ALARM,
        "an alarm lacks data and AWS gave no time",
        a_policy(tracking=CUSTOM, alarms=["load"]),
        VARIANT,
        an_alarm("load", metric="CPUUtilization", StateValue="INSUFFICIENT_DATA"),
    ),
    is_unknown(ALARM, "the endpoints could not be read", a_policy(alarms=[]), unread=[Part.ENDPOINTS]),
    is_unknown(ALARM, "the components could not be read", a_policy(COMPONENT, alarms=[]), unread=[Part.COMPONENTS]),
]

# ---- activities

ACTIVITY_FAILED: list[Case] = [
    *[
        fails(
            ACTIVITY,
            f"an activity that is {status}",
            a_target(VARIANT),
            VARIANT,
            an_activity(VARIANT, status=status, StatusMessage="no capacity", Cause="alarm by-load-high"),
            severity=Severity.MEDIUM,
            evidence={
                "activities_failed": 1,
                "status": status,
                "message": "no capacity",
                "window_hours": 24,
                "resource_id": VARIANT_ID,
            },
        )
        for status in ("Failed", "Unfulfilled")
    ],
    fails(
        ACTIVITY,
        "without a message the cause is shown",
        a_target(VARIANT),
        VARIANT,
        an_activity(VARIANT, status="Failed", Cause="alarm by-load-high"),
        severity=Severity.MEDIUM,
        evidence={"message": "alarm by-load-high"},
    ),
    fails(
        ACTIVITY,
        "the newest of two is shown",
        a_target(VARIANT),
        VARIANT,
        an_activity(VARIANT, status="Failed", started=ago(hours=5), StatusMessage="old"),
        an_activity(VARIANT, status="Unfulfilled", started=ago(hours=2), StatusMessage="new"),
        severity=Severity.MEDIUM,
        evidence={"activities_failed": 2, "status": "Unfulfilled", "message": "new"},
    ),
    fails(
        ACTIVITY,
        "a later one succeeded",
        a_target(VARIANT),
        VARIANT,
        an_activity(VARIANT, status="Failed", started=ago(hours=5)),
        an_activity(VARIANT, started=ago(hours=2)),
        severity=Severity.MEDIUM,
        evidence={"activities_failed": 1, "status": "Failed"},
    ),
    fails(
        ACTIVITY,
        "an activity of a component",
        a_target(COMPONENT),
        COMPONENT,
        an_activity(COMPONENT, status="Failed"),
        severity=Severity.MEDIUM,
        evidence={"resource_id": COMPONENT_ID},
    ),
    fails(
        ACTIVITY,
        "failed when the window began",
        a_target(VARIANT),
        VARIANT,
        an_activity(VARIANT, status="Failed", started=ago(hours=24)),
        severity=Severity.MEDIUM,
        boundary="window_hours",
    ),
    passes(
        ACTIVITY,
        "failed a second before the window",
        a_target(VARIANT),
        VARIANT,
        an_activity(VARIANT, status="Failed", started=ago(hours=24, seconds=1)),
        evidence={"activities": 0, "window_hours": 24},
        boundary="window_hours",
    ),
    fails(
        ACTIVITY,
        "failed in the window of the policy",
        a_target(VARIANT),
        VARIANT,
        an_activity(VARIANT, status="Failed", started=ago(hours=25)),
        params={"window_hours": 48},
        severity=Severity.MEDIUM,
        evidence={"window_hours": 48},
        boundary="window_hours",
    ),
    fails(
        ACTIVITY,
        "failed, and AWS gave no time: only activities of the window are listed",
        a_target(VARIANT),
        VARIANT,
        an_activity(VARIANT, status="Failed", started=None),
        severity=Severity.MEDIUM,
    ),
    *[
        passes(
            ACTIVITY,
            f"an activity that is {status}",
            a_target(VARIANT),
            VARIANT,
            an_activity(VARIANT, status=status),
            evidence={"activities": 1},
        )
        for status in ("Successful", "InProgress", "Pending", "Overridden")
    ],
    passes(
        ACTIVITY,
        "an activity was not scaled",
        a_target(VARIANT),
        VARIANT,
        an_activity(VARIANT, status="NotScaled", not_scaled=["AlreadyAtMaxCapacity"]),
    ),
    passes(ACTIVITY, "no activity", a_target(VARIANT), VARIANT, evidence={"activities": 0}),
    passes(
        ACTIVITY,
        "an activity of another variant failed",
        a_target(VARIANT),
        VARIANT,
        an_activity(OTHER_ID, status="Failed"),
    ),
    *out_of_concern(ACTIVITY, beside=lambda of: [an_activity(of, status="Failed")]),
    is_unknown(ACTIVITY, "the activities could not be read", a_target(VARIANT), VARIANT, unread=[Part.ACTIVITIES]),
    is_unknown(
        ACTIVITY,
        "the endpoints could not be read",
        a_target(VARIANT),
        an_activity(VARIANT, status="Failed"),
        unread=[Part.ENDPOINTS],
    ),
    is_unknown(
        ACTIVITY,
        "the components could not be read",
        a_target(COMPONENT),
        an_activity(COMPONENT, status="Failed"),
        unread=[Part.COMPONENTS],
    ),
]

# ---- orphans

ORPHANED_TARGET: list[Case] = [
    fails(
        ORPHANED,
        "the endpoint does not exist",
        a_target(VARIANT),
        severity=Severity.LOW,
        evidence={"resource_id": VARIANT_ID, "scalable_dimension": INSTANCE_DIMENSION, "endpoint_exists": False},
    ),
    fails(
        ORPHANED,
        "the variant does not exist",
        a_target(OTHER_ID),
        VARIANT,
        severity=Severity.LOW,
        evidence={"resource_id": OTHER_ID, "endpoint_exists": True},
    ),
    fails(
        ORPHANED,
        "the component does not exist",
        a_target(COMPONENT),
        HOSTING,
        a_component("another"),
        severity=Severity.LOW,
        evidence={"resource_id": COMPONENT_ID, "scalable_dimension": COPY_DIMENSION, "endpoint_exists": False},
    ),
    fails(
        ORPHANED,
        "an endpoint of the component's name is being changed",
        a_target(COMPONENT),
        a_variant(endpoint="churn-component", status="Updating"),
        severity=Severity.LOW,
    ),
    fails(
        ORPHANED,
        "provisioned concurrency of a variant that does not exist",
        a_target(VARIANT, ScalableDimension=PROVISIONED_DIMENSION),
        severity=Severity.LOW,
        evidence={"scalable_dimension": PROVISIONED_DIMENSION},
    ),
    fails(
        ORPHANED,
        "the variant does not exist after an update that was rolled back in vain",
        a_target(OTHER_ID),
        a_variant(status="UpdateRollbackFailed"),
        severity=Severity.LOW,
        evidence={"endpoint_exists": True},
    ),
    fails(
        ORPHANED,
        "as old as the grace",
        a_target(VARIANT, created=ago(hours=1)),
        severity=Severity.LOW,
        boundary="grace_hours",
    ),
    does_not_apply(
        ORPHANED,
        "a second younger than the grace",
        a_target(VARIANT, created=ago(minutes=59, seconds=59)),
        boundary="grace_hours",
    ),
    does_not_apply(
        ORPHANED,
        "younger than the grace of the policy",
        a_target(VARIANT, created=ago(hours=23)),
        params={"grace_hours": 24},
        boundary="grace_hours",
    ),
    passes(ORPHANED, "the variant exists", a_target(VARIANT), VARIANT),
    passes(ORPHANED, "the component exists", a_target(COMPONENT), COMPONENT),
    passes(
        ORPHANED,
        "provisioned concurrency of a variant that exists",
        a_target(VARIANT, ScalableDimension=PROVISIONED_DIMENSION),
        a_serverless_variant(),
    ),
    passes(ORPHANED, "the variant is scaled to zero", a_target(VARIANT), a_variant(count=0)),
    *[
        does_not_apply(
            ORPHANED,
            f"the variant is not seen while the endpoint is {status}",
            a_target(OTHER_ID),
            a_variant(status=status),
        )
        for status in (*IN_TRANSITION, *NOT_SERVING)
    ],
    does_not_apply(
        ORPHANED,
        "the variant is not seen while the endpoint is UPDATING in the spelling of events",
        a_target(OTHER_ID),
        a_variant(status="UPDATING"),
    ),
    *[
        does_not_apply(
            ORPHANED,
            f"the endpoint is {status} and names no variants",
            a_target(VARIANT),
            an_endpoint_without_variants(status=status),
        )
        for status in ("Failed", "InService")
    ],
    is_unknown(ORPHANED, "the endpoints could not be read", a_target(VARIANT), unread=[Part.ENDPOINTS]),
    is_unknown(ORPHANED, "the endpoint could not be read", a_target(VARIANT), unread=[(Part.ENDPOINTS, "churn")]),
    is_unknown(ORPHANED, "the components could not be read", a_target(COMPONENT), unread=[Part.COMPONENTS]),
    is_unknown(
        ORPHANED,
        "the component could not be read",
        a_target(COMPONENT),
        unread=[(Part.COMPONENTS, "churn-component")],
    ),
    is_unknown(ORPHANED, "AWS gave no time, so that nobody knows its age", a_target(VARIANT, created=None)),
]

# ---- instance families

BURSTABLE_INSTANCE: list[Case] = [
    *[
        fails(
            BURSTABLE,
            instance_type,
            a_target(VARIANT),
            a_variant(instance_type=instance_type),
            severity=Severity.MEDIUM,
            evidence={"instance_type": instance_type, "families": ["t2", "t3"], "resource_id": VARIANT_ID},
        )
        for instance_type in ("ml.t2.medium", "ml.t3.xlarge")
    ],
    fails(
        BURSTABLE,
        "one of the instance pools",
        a_target(VARIANT),
        a_variant(
            instance_type=None,
            settings={"InstancePools": [{"InstanceType": "ml.m5.large"}, {"InstanceType": "ml.t3.large"}]},
        ),
        severity=Severity.MEDIUM,
        evidence={"instance_type": "ml.m5.large, ml.t3.large"},
    ),
    fails(
        BURSTABLE,
        "a family that the policy names",
        a_target(VARIANT),
        VARIANT,
        params={"families": ["m5"]},
        severity=Severity.MEDIUM,
        evidence={"families": ["m5"]},
    ),
    passes(
        BURSTABLE,
        "a family that the policy does not name",
        a_target(VARIANT),
        a_variant(instance_type="ml.t3.large"),
        params={"families": ["t2"]},
    ),
    passes(BURSTABLE, "ml.m5.large", a_target(VARIANT), VARIANT, evidence={"instance_type": "ml.m5.large"}),
    passes(
        BURSTABLE,
        "Trainium is not burstable",
        a_target(VARIANT),
        a_variant(instance_type="ml.trn1.2xlarge"),
    ),
    passes(
        BURSTABLE,
        "another variant is of a burstable family",
        a_target(VARIANT),
        VARIANT,
        a_variant("B", instance_type="ml.t2.medium"),
    ),
    does_not_apply(
        BURSTABLE,
        "copies of a component",
        a_target(COMPONENT),
        COMPONENT,
        a_host_of_components(instance_type="ml.t2.medium"),
    ),
    *out_of_concern(BURSTABLE),
    is_unknown(BURSTABLE, "the config could not be read", a_target(VARIANT), UNCONFIGURED, unread=CONFIG_UNREAD),
    is_unknown(BURSTABLE, "the instance type was not told", a_target(VARIANT), a_variant(instance_type=None)),
    is_unknown(BURSTABLE, "the endpoints could not be read", a_target(VARIANT), unread=[Part.ENDPOINTS]),
]

# ---- from zero

ASLEEP = a_variant(count=0, asynchronous=True)
SLEEPING_COMPONENT = a_component(copies=0)
FROM_ZERO, COPIES_FROM_ZERO = a_target(ASLEEP, minimum=0), a_target(SLEEPING_COMPONENT, minimum=0)
NO_CAPACITY = "NoCapacityInvocationFailures"

ZERO_WITHOUT_WAKE_UP: list[Case] = [
    fails(
        WAKE_UP,
        "an asynchronous endpoint without a policy",
        FROM_ZERO,
        ASLEEP,
        severity=Severity.MEDIUM,
        evidence={
            "min_capacity": 0,
            "wake_up_metric": "HasBacklogWithoutCapacity",
            "resource_id": VARIANT_ID,
            "scalable_dimension": INSTANCE_DIMENSION,
        },
    ),
    fails(
        WAKE_UP,
        "an asynchronous endpoint that only tracks its backlog per instance",
        FROM_ZERO,
        ASLEEP,
        a_policy(ASLEEP, tracking=BACKLOG),
        *ALARMS,
        severity=Severity.MEDIUM,
    ),
    fails(
        WAKE_UP,
        "a target-tracking policy has the alarm",
        FROM_ZERO,
        ASLEEP,
        a_policy(ASLEEP, tracking=following("HasBacklogWithoutCapacity", EndpointName="churn"), alarms=["backlog"]),
        an_alarm("backlog"),
        severity=Severity.MEDIUM,
    ),
    fails(
        WAKE_UP,
        "the alarm of the step policy is on another metric",
        FROM_ZERO,
        ASLEEP,
        a_step_policy(ASLEEP),
        an_alarm("backlog", metric="ApproximateBacklogSize"),
        severity=Severity.MEDIUM,
    ),
    fails(
        WAKE_UP,
        "the alarm of the step policy is gone",
        FROM_ZERO,
        ASLEEP,
        a_step_policy(ASLEEP),
        severity=Severity.MEDIUM,
    ),
    fails(
        WAKE_UP,
        "the step policy has no alarm",
        FROM_ZERO,
        ASLEEP,
        a_step_policy(ASLEEP, alarms=[]),
        an_alarm("backlog"),
        severity=Severity.MEDIUM,
    ),
    fails(
        WAKE_UP,
        "another variant has the step policy",
        FROM_ZERO,
        ASLEEP,
        a_step_policy(OTHER_ID),
        an_alarm("backlog"),
        severity=Severity.MEDIUM,
    ),
    passes(
        WAKE_UP,
        "a step policy with its alarm",
        FROM_ZERO,
        ASLEEP,
        a_step_policy(ASLEEP),
        an_alarm("backlog"),
        evidence={"policy": "wake-up", "wake_up_metric": "HasBacklogWithoutCapacity"},
    ),
    passes(
        WAKE_UP,
        "the second alarm of the step policy beside a tracking policy",
        FROM_ZERO,
        ASLEEP,
        a_policy(ASLEEP, tracking=BACKLOG),
        a_step_policy(ASLEEP, alarms=["load", "backlog"]),
        an_alarm("load", metric="CPUUtilization"),
        an_alarm("backlog"),
        evidence={"policy": "wake-up"},
    ),
    passes(
        WAKE_UP,
        "the alarm is on metric math",
        FROM_ZERO,
        ASLEEP,
        a_step_policy(ASLEEP),
        an_alarm(
            "backlog",
            MetricName=None,
            Dimensions=None,
            **metric_math(a_metric("HasBacklogWithoutCapacity", EndpointName="churn")),
        ),
    ),
    fails(
        WAKE_UP,
        "a component without a policy",
        COPIES_FROM_ZERO,
        SLEEPING_COMPONENT,
        HOSTING,
        severity=Severity.MEDIUM,
        evidence={"wake_up_metric": NO_CAPACITY, "resource_id": COMPONENT_ID, "scalable_dimension": COPY_DIMENSION},
    ),
    fails(
        WAKE_UP,
        "the alarm of a component is on the metric of asynchronous endpoints",
        COPIES_FROM_ZERO,
        SLEEPING_COMPONENT,
        HOSTING,
        a_step_policy(SLEEPING_COMPONENT),
        an_alarm("backlog"),
        severity=Severity.MEDIUM,
    ),
    fails(
        WAKE_UP,
        "the alarm of an asynchronous endpoint is on the metric of components",
        FROM_ZERO,
        ASLEEP,
        a_step_policy(ASLEEP),
        an_alarm("backlog", metric=NO_CAPACITY),
        severity=Severity.MEDIUM,
    ),
    passes(
        WAKE_UP,
        "a component with a step policy and its alarm",
        COPIES_FROM_ZERO,
        SLEEPING_COMPONENT,
        HOSTING,
        a_step_policy(SLEEPING_COMPONENT, alarms=["no-capacity"]),
        an_alarm("no-capacity", metric=NO_CAPACITY),
        evidence={"policy": "wake-up", "wake_up_metric": NO_CAPACITY},
    ),
    does_not_apply(WAKE_UP, "never goes below one instance", a_target(ASLEEP, minimum=1), ASLEEP),
    does_not_apply(WAKE_UP, "never goes below one copy", a_target(COMPONENT, minimum=1), COMPONENT, HOSTING),
    does_not_apply(
        WAKE_UP,
        "instances under components",
        a_target(VARIANT, minimum=0),
        a_host_of_components(count=0),
        SLEEPING_COMPONENT,
    ),
    *out_of_concern(WAKE_UP, asynchronous=True, minimum=0),
    is_unknown(WAKE_UP, "the minimum was not told", a_target(ASLEEP, minimum=None), ASLEEP),
    is_unknown(WAKE_UP, "the policies could not be read", FROM_ZERO, ASLEEP, unread=[Part.POLICIES]),
    is_unknown(WAKE_UP, "the alarms could not be read", FROM_ZERO, ASLEEP, a_step_policy(ASLEEP), unread=[Part.ALARMS]),
    is_unknown(
        WAKE_UP,
        "the config could not be read, so that nobody knows whether it is asynchronous",
        FROM_ZERO,
        a_variant(count=0, config_read=False),
        unread=CONFIG_UNREAD,
    ),
    is_unknown(WAKE_UP, "the endpoints could not be read", FROM_ZERO, unread=[Part.ENDPOINTS]),
    is_unknown(WAKE_UP, "the components could not be read", COPIES_FROM_ZERO, unread=[Part.COMPONENTS]),
]

# ---- instances under components

HOST_FIXED: list[Case] = [
    fails(
        HOST,
        "a component scales on instances that do not",
        HOSTING,
        COMPONENT,
        a_target(COMPONENT),
        severity=Severity.MEDIUM,
        evidence={"components": ["churn-component"], "desired_instance_count": 2, "resource_id": VARIANT_ID},
    ),
    fails(
        HOST,
        "one component of two scales",
        HOSTING,
        COMPONENT,
        a_component("still"),
        a_target(COMPONENT),
        severity=Severity.MEDIUM,
        evidence={"components": ["churn-component"]},
    ),
    fails(
        HOST,
        "managed instance scaling is switched off",
        a_host_of_components(running=managed_scaling(1, status="DISABLED")),
        COMPONENT,
        a_target(COMPONENT),
        severity=Severity.MEDIUM,
    ),
    fails(
        HOST,
        "another variant has the target",
        HOSTING,
        COMPONENT,
        a_target(COMPONENT),
        a_target(OTHER_ID),
        severity=Severity.MEDIUM,
    ),
    passes(
        HOST,
        "managed instance scaling as it runs",
        a_host_of_components(running=managed_scaling(1)),
        COMPONENT,
        a_target(COMPONENT),
        evidence={"components": ["churn-component"]},
    ),
    passes(
        HOST,
        "managed instance scaling as configured",
        a_host_of_components(settings=managed_scaling(1)),
        COMPONENT,
        a_target(COMPONENT),
    ),
    passes(HOST, "a target of the instances", HOSTING, COMPONENT, a_target(COMPONENT), a_target(HOSTING)),
    does_not_apply(HOST, "no component scales", HOSTING, COMPONENT),
    does_not_apply(HOST, "no component", HOSTING),
    does_not_apply(
        HOST,
        "a component of another variant scales",
        HOSTING,
        elsewhere := a_component("elsewhere", variant="B"),
        a_target(elsewhere),
    ),
    does_not_apply(HOST, "a variant with a model of its own", VARIANT, COMPONENT, a_target(COMPONENT)),
    does_not_apply(HOST, "a serverless variant", a_serverless_variant(), COMPONENT, a_target(COMPONENT)),
    does_not_apply(HOST, "a shadow variant", a_host_of_components(shadow=True), COMPONENT, a_target(COMPONENT)),
    *[
        does_not_apply(
            HOST, f"an endpoint that is {status}", a_host_of_components(status=status), COMPONENT, a_target(COMPONENT)
        )
        for status in (*IN_TRANSITION, *NOT_SERVING)
    ],
    is_unknown(HOST, "the components could not be read", HOSTING, unread=[Part.COMPONENTS]),
    is_unknown(HOST, "the targets could not be read", HOSTING, COMPONENT, unread=[Part.TARGETS]),
    is_unknown(
        HOST,
        "the config could not be read",
        UNCONFIGURED,
        COMPONENT,
        a_target(COMPONENT),
        unread=CONFIG_UNREAD,
    ),
]

# ---- load tests

UNTAGGED = a_variant(tags={})

UNTESTED_TARGET: list[Case] = [
    fails(
        UNTESTED,
        "neither a load test nor a tag",
        a_policy(target_value=120.0),
        UNTAGGED,
        a_model(),
        severity=Severity.INFO,
        evidence={"target_value": 120.0, "model": "churn-model", "tag": "load-tested", "max_age_days": 180},
    ),
    fails(
        UNTESTED,
        "the sample value of the documentation",
        a_policy(target_value=70.0),
        UNTAGGED,
        severity=Severity.LOW,
        evidence={"target_value": 70.0},
    ),
    *[
        fails(
            UNTESTED,
            f"{value} is not the sample value",
            a_policy(target_value=value),
            UNTAGGED,
            severity=Severity.INFO,
            evidence={"target_value": value},
        )
        for value in (69.0, 71.0, 700.0)
    ],
    fails(
        UNTESTED,
        "another model was load tested",
        a_policy(),
        UNTAGGED,
        a_load_test(model="fraud-model"),
        a_load_test(model=None),
        severity=Severity.INFO,
    ),
    fails(
        UNTESTED,
        "another tag",
        a_policy(),
        a_variant(tags={"team": "load-tested"}),
        severity=Severity.INFO,
    ),
    fails(
        UNTESTED,
        "load tested a second too long ago",
        a_policy(),
        UNTAGGED,
        a_load_test(completed=ago(days=180, seconds=1)),
        severity=Severity.INFO,
        boundary="max_age_days",
    ),
    passes(
        UNTESTED,
        "load tested just in time",
        a_policy(),
        UNTAGGED,
        a_load_test(completed=ago(days=180)),
        evidence={"job": "churn-load", "target_value": 120.0, "model": "churn-model"},
        boundary="max_age_days",
    ),
    fails(
        UNTESTED,
        "load tested longer ago than the policy takes",
        a_policy(),
        UNTAGGED,
        a_load_test(completed=ago(days=31)),
        params={"max_age_days": 30},
        severity=Severity.INFO,
        evidence={"max_age_days": 30},
        boundary="max_age_days",
    ),
    passes(
        UNTESTED,
        "load tested again after an old load test",
        a_policy(),
        UNTAGGED,
        a_load_test(name="old", completed=ago(days=300)),
        a_load_test(name="new", completed=ago(days=10)),
        evidence={"job": "new"},
    ),
    passes(
        UNTESTED,
        "load tested, and AWS gave no time: only jobs of the window are listed",
        a_policy(),
        UNTAGGED,
        a_load_test(completed=None),
    ),
    passes(
        UNTESTED,
        "the sample value where a load test found it",
        a_policy(target_value=70.0),
        UNTAGGED,
        a_load_test(),
    ),
    passes(UNTESTED, "a load test though the tags were not read", a_policy(), VARIANT, a_load_test()),
    passes(
        UNTESTED,
        "the tag",
        a_policy(),
        a_variant(tags={"load-tested": "2026-03-01"}),
        evidence={"tag": "load-tested"},
    ),
    passes(UNTESTED, "the tag without a value", a_policy(), a_variant(tags={"load-tested": ""})),
    passes(
        UNTESTED,
        "the tag that the policy names",
        a_policy(),
        a_variant(tags={"measured": "yes"}),
        params={"tag": "measured"},
        evidence={"tag": "measured"},
    ),
    fails(
        UNTESTED,
        "the tag that the policy no longer names",
        a_policy(),
        a_variant(tags={"load-tested": "yes"}),
        params={"tag": "measured"},
        severity=Severity.INFO,
    ),
    passes(
        UNTESTED,
        "the tag though the load tests could not be read",
        a_policy(),
        a_variant(tags={"load-tested": "yes"}),
        unread=[Part.RECOMMENDATIONS],
    ),
    does_not_apply(
        UNTESTED,
        "concurrent requests",
        a_policy(tracking=predefined("SageMakerVariantConcurrentRequestsPerModelHighResolution")),
        UNTAGGED,
    ),
    does_not_apply(UNTESTED, "a custom metric", a_policy(tracking=CUSTOM), UNTAGGED),
    does_not_apply(
        UNTESTED,
        "copies of a component",
        a_policy(COMPONENT, tracking=predefined("SageMakerInferenceComponentInvocationsPerCopy")),
        COMPONENT,
        HOSTING,
    ),
    does_not_apply(UNTESTED, "a component by the metric of instances", a_policy(COMPONENT), COMPONENT, HOSTING),
    does_not_apply(UNTESTED, "a step policy", a_step_policy(VARIANT), UNTAGGED),
    *out_of_concern(UNTESTED, judged=a_policy),
    is_unknown(UNTESTED, "the load tests could not be read", a_policy(), UNTAGGED, unread=[Part.RECOMMENDATIONS]),
    is_unknown(UNTESTED, "the tags could not be read", a_policy(), VARIANT, unread=[Part.TAGS]),
    is_unknown(
        UNTESTED,
        "the tags could not be read and the load test is too old",
        a_policy(),
        VARIANT,
        a_load_test(completed=ago(days=200)),
        unread=[Part.TAGS],
    ),
    is_unknown(
        UNTESTED,
        "the config could not be read, so that nobody knows the model",
        a_policy(),
        a_variant(config_read=False, tags={}),
        unread=CONFIG_UNREAD,
    ),
    is_unknown(UNTESTED, "the endpoints could not be read", a_policy(), unread=[Part.ENDPOINTS]),
]

CASES: list[Case] = [
    *SCALE_IN_DISABLED,
    *COOLDOWN_INVERTED,
    *METRIC_MISMATCH,
    *ALARM_BROKEN,
    *ACTIVITY_FAILED,
    *ORPHANED_TARGET,
    *BURSTABLE_INSTANCE,
    *ZERO_WITHOUT_WAKE_UP,
    *HOST_FIXED,
    *UNTESTED_TARGET,
]
