"""What a failing endpoint tells, and whether a failing update goes back."""

from typing import Any

from chalicelib.inventory.kinds.scaling import Alarm
from chalicelib.inventory.parts import Part
from chalicelib.report.findings import Severity
from chalicelib.report.outcomes import Confidence
from samples.builders import (
    ACCOUNT,
    REGION,
    Given,
    a_component,
    a_config,
    a_host_of_components,
    a_model,
    a_policy,
    a_series,
    a_variant,
    ago,
    an_alarm,
    an_endpoint,
)
from samples.cases.case import Case, InDemo, does_not_apply, fails, is_unknown, passes

ALARMS, ROLLBACK, UNTOLD = "endpoint-without-alarms", "endpoint-update-without-rollback", "async-failures-untold"
OF_VARIANT = {"EndpointName": "churn", "VariantName": "AllTraffic"}
OF_COMPONENT = {"InferenceComponentName": "churn-component"}
TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:on-call"
ASYNC, HOST = a_variant(asynchronous=True), a_host_of_components()


def heard(metric: str = "Invocation5XXErrors", **described: Any) -> Alarm:
    """An alarm on errors of the variant that tells a topic."""
    return an_alarm("errors", **{"metric": metric, "dimensions": OF_VARIANT, "AlarmActions": [TOPIC], **described})


def composite(rule: str, **described: Any) -> Alarm:
    """A composite alarm that tells a topic."""
    record = {"AlarmName": "either", "AlarmRule": rule, "ActionsEnabled": True, "AlarmActions": [TOPIC], **described}
    return Alarm.model_validate(record)


def measured_by(**query: Any) -> Alarm:
    """An alarm that tells a topic and names no metric."""
    return Alarm.model_validate({"AlarmName": "by-query", "ActionsEnabled": True, "AlarmActions": [TOPIC], **query})


SILENT = heard(AlarmActions=[])
INSIGHTS = 'SELECT MAX(Invocation5XXErrors) FROM SCHEMA("AWS/SageMaker", EndpointName, VariantName)'

ENDPOINT_WITHOUT_ALARMS: list[Case] = [
    fails(
        ALARMS,
        "no alarm at all",
        a_variant(),
        severity=Severity.LOW,
        evidence={"components": [], "metrics": ["Invocation5XXErrors", "ModelLatency", "OverheadLatency"]},
    ),
    fails(ALARMS, "an alarm without an action", a_variant(), SILENT, severity=Severity.LOW),
    fails(ALARMS, "an alarm whose actions are off", a_variant(), heard(ActionsEnabled=False), severity=Severity.LOW),
    fails(ALARMS, "an alarm on calls, not on errors", a_variant(), heard("Invocations"), severity=Severity.LOW),
    fails(
        ALARMS,
        "an alarm on another variant",
        a_variant(),
        heard(dimensions={"EndpointName": "churn", "VariantName": "B"}),
        severity=Severity.LOW,
    ),
    fails(
        ALARMS,
        "an alarm on the endpoint alone, under which errors do not stand",
        a_variant(),
        heard(dimensions={"EndpointName": "churn"}),
        severity=Severity.LOW,
    ),
    fails(
        ALARMS,
        "an alarm that target tracking keeps for itself",
        a_variant(),
        a_policy(alarms=["errors"]),
        heard("ModelLatency"),
        severity=Severity.LOW,
    ),
    fails(
        ALARMS, "an asynchronous endpoint with an alarm on latency", ASYNC, heard("ModelLatency"), severity=Severity.LOW
    ),
    fails(
        ALARMS,
        "one of two inference components without an alarm",
        HOST,
        a_component(),
        a_component("second"),
        heard(dimensions=OF_COMPONENT),
        severity=Severity.LOW,
        evidence={"components": ["second"]},
    ),
    fails(
        ALARMS,
        "a composite alarm over one that watches another endpoint",
        a_variant(),
        heard(AlarmActions=[], dimensions={"EndpointName": "other", "VariantName": "AllTraffic"}),
        composite("ALARM(errors)"),
        severity=Severity.LOW,
    ),
    fails(
        ALARMS,
        "composite alarms that name each other",
        a_variant(),
        composite('ALARM("again")'),
        composite('ALARM("either")', AlarmName="again"),
        severity=Severity.LOW,
    ),
    *[
        passes(ALARMS, f"an alarm on {metric}", a_variant(), heard(metric), evidence={"alarms": ["errors"]})
        for metric in ("Invocation5XXErrors", "ModelLatency", "OverheadLatency")
    ],
    *[
        passes(
            ALARMS, f"an asynchronous endpoint with an alarm on {metric}", ASYNC, heard(metric, dimensions=dimensions)
        )
        for metric, dimensions in (
            ("ApproximateAgeOfOldestRequest", {"EndpointName": "churn"}),
            ("InvocationFailures", OF_VARIANT),
            ("ExpiredRequests", OF_VARIANT),
        )
    ],
    *[
        passes(ALARMS, f"a composite alarm that says {rule}", a_variant(), SILENT, composite(rule))
        for rule in (
            "ALARM(errors)",
            'ALARM("errors") OR ALARM("others")',
            f"NOT OK(arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:errors)",
        )
    ],
    passes(
        ALARMS,
        "every inference component has an alarm, and an adapter needs none",
        HOST,
        a_component(),
        a_component("adapter", base="churn-component"),
        heard(dimensions=OF_COMPONENT),
    ),
    passes(
        ALARMS,
        "metric math over errors",
        a_variant(),
        measured_by(
            Metrics=[
                {
                    "MetricStat": {
                        "Metric": {
                            "Namespace": "AWS/SageMaker",
                            "MetricName": "Invocation5XXErrors",
                            "Dimensions": [{"Name": name, "Value": value} for name, value in OF_VARIANT.items()],
                        }
                    }
                }
            ]
        ),
    ),
    does_not_apply(ALARMS, "a shadow variant", a_variant(shadow=True)),
    does_not_apply(ALARMS, "the audit of a named resource lists no alarms", a_variant(), whole=False),
    is_unknown(ALARMS, "the alarms could not be read", a_variant(), unread=[Part.ALL_ALARMS]),
    is_unknown(ALARMS, "the components of a host could not be read", HOST, unread=[Part.COMPONENTS]),
    is_unknown(
        ALARMS,
        "an alarm by a query over all endpoints",
        a_variant(),
        measured_by(Metrics=[{"Expression": INSIGHTS}]),
    ),
    is_unknown(
        ALARMS,
        "an alarm by PromQL that speaks of errors",
        a_variant(),
        measured_by(EvaluationCriteria={"PromQLCriteria": {"Query": "sum(Invocation5XXErrors)"}}),
    ),
]


def deployed(routing: str = "ALL_AT_ONCE", *alarms: str) -> dict[str, Any]:
    """The configuration of the last deployment, to be given to an endpoint."""
    config: dict[str, Any] = {"BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": {"Type": routing}}}
    if alarms:
        config["AutoRollbackConfiguration"] = {"Alarms": [{"AlarmName": name} for name in alarms]}
    return {"LastDeploymentConfig": config}


WATCHED = an_endpoint(**deployed("ALL_AT_ONCE", "errors"))
AROUND: tuple[Given, ...] = (a_config(), a_model())

ENDPOINT_UPDATE_WITHOUT_ROLLBACK: list[Case] = [
    fails(
        ROLLBACK,
        "all at once, without alarms",
        an_endpoint(**deployed()),
        *AROUND,
        severity=Severity.LOW,
        evidence={"traffic_routing": "ALL_AT_ONCE", "rollback_alarms": [], "broken": {}},
    ),
    fails(
        ROLLBACK,
        "its alarm is gone",
        WATCHED,
        *AROUND,
        severity=Severity.LOW,
        evidence={"broken": {"errors": "does not exist"}},
    ),
    fails(
        ROLLBACK,
        "its alarm watches another endpoint",
        an_endpoint(**deployed("CANARY", "errors")),
        *AROUND,
        heard(dimensions={"EndpointName": "fraud", "VariantName": "AllTraffic"}),
        severity=Severity.LOW,
        evidence={"broken": {"errors": "watches fraud"}},
    ),
    fails(
        ROLLBACK,
        "its alarm has lacked data for more than a day",
        WATCHED,
        *AROUND,
        heard(StateValue="INSUFFICIENT_DATA", StateUpdatedTimestamp=ago(hours=24, seconds=1)),
        severity=Severity.LOW,
        evidence={"broken": {"errors": "has lacked data for more than 24 hours"}},
    ),
    passes(
        ROLLBACK,
        "its alarm has lacked data for a day",
        WATCHED,
        *AROUND,
        heard(StateValue="INSUFFICIENT_DATA", StateUpdatedTimestamp=ago(hours=24)),
    ),
    passes(ROLLBACK, "all at once, with an alarm that rings", WATCHED, *AROUND, heard()),
    passes(ROLLBACK, "a canary without alarms", an_endpoint(**deployed("CANARY")), *AROUND),
    does_not_apply(ROLLBACK, "it was never updated", an_endpoint(), *AROUND),
    does_not_apply(ROLLBACK, "it is being updated", an_endpoint(status="Updating", **deployed()), *AROUND),
    does_not_apply(
        ROLLBACK,
        "on Inf1 instances",
        an_endpoint(a_variant(instance_type="ml.inf1.xlarge"), **deployed()),
        *AROUND,
    ),
    does_not_apply(
        ROLLBACK,
        "a container of AWS Marketplace",
        an_endpoint(**deployed()),
        a_config(),
        a_model(PrimaryContainer={"ModelPackageName": f"arn:aws:sagemaker:{REGION}:985815980388:model-package/vendor"}),
    ),
    is_unknown(ROLLBACK, "its alarms could not be read", WATCHED, *AROUND, unread=[Part.ROLLBACK_ALARMS]),
    is_unknown(ROLLBACK, "a composite alarm", an_endpoint(**deployed("CANARY", "either")), *AROUND, composite("OK(a)")),
    is_unknown(ROLLBACK, "its model could not be read", an_endpoint(**deployed()), a_config(), unread=[Part.MODELS]),
]


def asynchronous(**output: Any) -> Given:
    """The endpoint config of an asynchronous endpoint."""
    return a_config(AsyncInferenceConfig={"OutputConfig": {"S3OutputPath": "s3://answers/churn/", **output}})


ASYNC_ENDPOINT = an_endpoint(ASYNC)
(ASYNC_VARIANT,) = ASYNC_ENDPOINT.variants

ASYNC_FAILURES_UNTOLD: list[Case] = [
    fails(
        UNTOLD,
        "neither kept nor told, and nothing failed",
        ASYNC_VARIANT,
        ASYNC_ENDPOINT,
        asynchronous(),
        severity=Severity.LOW,
        evidence={"s3_failure_path": None, "error_topic": None, "failed_or_expired": 0, "window_days": 7},
        in_demo=[InDemo("endpoint-variant receipt-scans/AllTraffic")],
    ),
    *[
        fails(
            UNTOLD,
            f"neither kept nor told, and {metric} on the first day of the window",
            ASYNC_VARIANT,
            ASYNC_ENDPOINT,
            asynchronous(),
            a_series(metric, {7: 3.0}),
            severity=Severity.MEDIUM,
            evidence={"failed_or_expired": 3},
            boundary="window_days",
        )
        for metric in ("InvocationFailures", "ExpiredRequests")
    ],
    fails(
        UNTOLD,
        "neither kept nor told, and what failed did so before the window",
        ASYNC_VARIANT,
        ASYNC_ENDPOINT,
        asynchronous(),
        a_series("InvocationFailures", {8: 3.0}),
        severity=Severity.LOW,
        boundary="window_days",
    ),
    fails(
        UNTOLD,
        "neither kept nor told, and what failed did so before a shorter window",
        ASYNC_VARIANT,
        ASYNC_ENDPOINT,
        asynchronous(),
        a_series("ExpiredRequests", {5: 3.0}),
        severity=Severity.LOW,
        params={"window_days": 4},
        boundary="window_days",
    ),
    fails(
        UNTOLD,
        "neither kept nor told, and the metrics could not be read",
        ASYNC_VARIANT,
        ASYNC_ENDPOINT,
        asynchronous(),
        severity=Severity.LOW,
        confidence=Confidence.MEDIUM,
        unread=[Part.METRICS],
        evidence={"failed_or_expired": None},
    ),
    passes(UNTOLD, "failures are kept", ASYNC_VARIANT, ASYNC_ENDPOINT, asynchronous(S3FailurePath="s3://failures/")),
    passes(
        UNTOLD,
        "errors are told",
        ASYNC_VARIANT,
        ASYNC_ENDPOINT,
        asynchronous(NotificationConfig={"ErrorTopic": TOPIC}),
    ),
    does_not_apply(UNTOLD, "a real-time endpoint", a_variant(), a_config()),
    is_unknown(
        UNTOLD, "the config could not be read", ASYNC_VARIANT, ASYNC_ENDPOINT, unread=[(Part.CONFIGS, "churn-config")]
    ),
]

CASES = [*ENDPOINT_WITHOUT_ALARMS, *ENDPOINT_UPDATE_WITHOUT_ROLLBACK, *ASYNC_FAILURES_UNTOLD]
