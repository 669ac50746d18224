"""Endpoints and their instances."""

from dataclasses import fields, replace
from typing import Any

from chalicelib.inventory.parts import Part
from chalicelib.plan.inventory import Planned
from chalicelib.report.findings import Severity
from chalicelib.report.outcomes import Confidence
from samples.builders import (
    a_config,
    a_host_of_components,
    a_serverless_variant,
    a_variant,
    ago,
    an_endpoint,
    an_endpoint_without_variants,
    managed_scaling,
)
from samples.cases.case import Case, InDemo, does_not_apply, fails, is_unknown, passes

SINGLE = "endpoint-single-instance"
CONFIG = "endpoint-config-single-instance"
DEGRADED = "endpoint-degraded"

STUCK = "endpoint-stuck-in-transition"
EIGHT_HOURS = {"RollingUpdatePolicy": {"MaximumExecutionTimeoutInSeconds": 8 * 3600}}
POOL = {"InstanceType": "ml.g5.xlarge", "ModelNameOverride": "s"}
SHORT = an_endpoint(a_variant(running={"CurrentInstanceCount": 1}))

IN_TRANSITION = ("Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting")
NOT_SERVING = ("Failed", "OutOfService")


def hosting(initial: int, *, managed: int) -> dict[str, Any]:
    """A configured variant without a model of its own, with managed instance scaling from ``managed`` instances."""
    scaling = {"Status": "ENABLED", "MinInstanceCount": managed, "MaxInstanceCount": 4}
    return {
        "VariantName": "AllTraffic",
        "InitialInstanceCount": initial,
        "InstanceType": "ml.g5.xlarge",
        "ManagedInstanceScaling": scaling,
    }


def deployed(case: Case) -> Case:
    """The case as a template declares it: yet to be deployed."""
    known = {field.name: getattr(case.inventory, field.name) for field in fields(case.inventory)}
    return replace(case, inventory=Planned(**known))


ENDPOINT_SINGLE_INSTANCE: list[Case] = [
    fails(
        SINGLE,
        "one instance behind all traffic",
        a_variant(count=1),
        severity=Severity.HIGH,
        evidence={
            "desired_instance_count": 1,
            "min_instances": 2,
            "instance_type": "ml.m5.large",
            "asynchronous": False,
        },
        boundary="min_instances",
        in_demo=[
            InDemo("endpoint-variant recommendations-emb/AllTraffic"),
            InDemo("endpoint-variant warehouse-slots/AllTraffic", remark="Its target's minimum of 1 merges into this."),
            InDemo(
                "endpoint-variant voice-biometrics/AllTraffic",
                remark="Too young for variant-no-autoscaling, which waits an hour.",
            ),
            InDemo("endpoint-variant face-matching/AllTraffic", told_with="endpoint-idle"),
        ],
    ),
    deployed(
        fails(
            SINGLE,
            "a template whose config starts it on one instance, which automatic scaling raises to three",
            a_variant(count=3, settings={"InitialInstanceCount": 1}),
            severity=Severity.LOW,
            evidence={"desired_instance_count": 3, "starts_on": 1},
        )
    ),
    deployed(passes(SINGLE, "a template that starts it on two", a_variant(count=2))),
    fails(
        SINGLE,
        "one instance under inference components that may release it",
        a_host_of_components(count=1, running=managed_scaling(0)),
        severity=Severity.LOW,
        evidence={"scales_to_zero": True},
    ),
    fails(
        SINGLE,
        "one instance under inference components that keep it",
        a_host_of_components(count=1, running=managed_scaling(1)),
        severity=Severity.HIGH,
        evidence={"scales_to_zero": False},
    ),
    passes(
        SINGLE,
        "two instances",
        a_variant(count=2),
        evidence={"desired_instance_count": 2},
        boundary="min_instances",
    ),
    fails(
        SINGLE,
        "two instances where the policy wants three",
        a_variant(count=2),
        params={"min_instances": 3},
        severity=Severity.HIGH,
        evidence={"desired_instance_count": 2, "min_instances": 3},
        boundary="min_instances",
    ),
    passes(
        SINGLE,
        "three instances where the policy wants three",
        a_variant(count=3),
        params={"min_instances": 3},
        boundary="min_instances",
    ),
    passes(
        SINGLE,
        "one instance configured and two running",
        a_variant(count=2, settings={"InitialInstanceCount": 1}),
    ),
    fails(
        SINGLE,
        "two instances configured and one running",
        a_variant(count=1, settings={"InitialInstanceCount": 2}),
        severity=Severity.HIGH,
    ),
    fails(
        SINGLE,
        "scaling in from two instances to one",
        a_variant(running={"DesiredInstanceCount": 1, "CurrentInstanceCount": 2}),
        severity=Severity.HIGH,
        evidence={"desired_instance_count": 1},
    ),
    passes(
        SINGLE,
        "scaling out from one instance to two",
        a_variant(running={"DesiredInstanceCount": 2, "CurrentInstanceCount": 1}),
    ),
    fails(
        SINGLE,
        "only the current count is told and it is one",
        a_variant(running={"DesiredInstanceCount": None, "CurrentInstanceCount": 1}),
        severity=Severity.HIGH,
        evidence={"desired_instance_count": 1},
    ),
    passes(
        SINGLE,
        "only the current count is told and it is two",
        a_variant(running={"DesiredInstanceCount": None, "CurrentInstanceCount": 2}),
    ),
    # "Monitor asynchronous endpoint": it publishes no Invocations, of which endpoint-idle would miss the datapoints.
    fails(
        SINGLE,
        "an asynchronous endpoint on one instance",
        a_variant(count=1, asynchronous=True),
        severity=Severity.LOW,
        evidence={"asynchronous": True},
        in_demo=[InDemo("endpoint-variant speech-to-text/AllTraffic")],
    ),
    fails(
        SINGLE,
        "an asynchronous endpoint under a stricter policy",
        a_variant(count=1, asynchronous=True),
        params={"async_severity": "medium"},
        severity=Severity.MEDIUM,
    ),
    fails(
        SINGLE,
        "the types of instance pools are shown",
        a_variant(
            count=1,
            instance_type=None,
            settings={"InstancePools": [{"InstanceType": "ml.m5.large"}, {"InstanceType": "ml.m6i.large"}]},
        ),
        severity=Severity.HIGH,
        evidence={"instance_type": "ml.m5.large, ml.m6i.large"},
    ),
    fails(
        SINGLE,
        "no instance type is told",
        a_variant(count=1, instance_type=None),
        severity=Severity.HIGH,
        evidence={"instance_type": None},
    ),
    fails(
        SINGLE,
        "one instance under inference components",
        a_host_of_components(count=1),
        severity=Severity.HIGH,
    ),
    fails(
        SINGLE,
        "an endpoint whose update was rolled back in vain still serves",
        a_variant(count=1, status="UpdateRollbackFailed"),
        severity=Severity.HIGH,
    ),
    does_not_apply(SINGLE, "scaled to zero", a_variant(count=0)),
    does_not_apply(SINGLE, "an asynchronous endpoint scaled to zero", a_variant(count=0, asynchronous=True)),
    does_not_apply(
        SINGLE,
        "going to zero from one instance",
        a_variant(running={"DesiredInstanceCount": 0, "CurrentInstanceCount": 1}),
    ),
    does_not_apply(SINGLE, "no traffic", a_variant(count=1, weight=0)),
    does_not_apply(
        SINGLE,
        "traffic is being taken away",
        a_variant(count=1, running={"DesiredWeight": 0.0, "CurrentWeight": 1.0}),
    ),
    fails(
        SINGLE,
        "traffic is being given back",
        a_variant(count=1, running={"DesiredWeight": 1.0, "CurrentWeight": 0.0}),
        severity=Severity.HIGH,
    ),
    does_not_apply(
        SINGLE,
        "only the config tells that there is no traffic",
        a_variant(count=1, weight=None, settings={"InitialVariantWeight": 0.0}),
    ),
    fails(
        SINGLE,
        "a hundredth of the traffic",
        a_variant(count=1, weight=0.01),
        severity=Severity.HIGH,
    ),
    fails(
        SINGLE,
        "no traffic where the policy includes zero weight",
        a_variant(count=1, weight=0),
        params={"include_zero_weight": True},
        severity=Severity.HIGH,
    ),
    passes(
        SINGLE,
        "no traffic and two instances where the policy includes zero weight",
        a_variant(count=2, weight=0),
        params={"include_zero_weight": True},
    ),
    does_not_apply(SINGLE, "a serverless variant", a_serverless_variant()),
    does_not_apply(
        SINGLE,
        "a serverless variant whose endpoint config alone says so",
        a_serverless_variant(running={"CurrentServerlessConfig": None}),
    ),
    does_not_apply(
        SINGLE,
        "a serverless variant whose endpoint alone says so",
        a_variant(count=None, config_read=False, running={"CurrentServerlessConfig": {"MaxConcurrency": 5}}),
    ),
    does_not_apply(SINGLE, "a shadow variant", a_variant(count=1, shadow=True)),
    *[
        does_not_apply(SINGLE, f"an endpoint that is {status}", a_variant(count=1, status=status))
        for status in (*IN_TRANSITION, *NOT_SERVING)
    ],
    does_not_apply(SINGLE, "a state in the spelling of events", a_variant(count=1, status="SYSTEM_UPDATING")),
    passes(SINGLE, "two instances though the config could not be read", a_variant(count=2, config_read=False)),
    is_unknown(SINGLE, "no count was told", a_variant(count=None)),
    is_unknown(
        SINGLE,
        "the config could not be read, so that nobody knows how bad one instance is",
        a_variant(count=1, config_read=False),
        unread=[(Part.CONFIGS, "churn-config")],
    ),
]

ENDPOINT_CONFIG_SINGLE_INSTANCE: list[Case] = [
    fails(
        CONFIG,
        "a new config of asynchronous inference with one instance",
        a_config(1, AsyncInferenceConfig={"OutputConfig": {}}),
        severity=Severity.LOW,
        evidence={"asynchronous": True},
    ),
    passes(
        CONFIG,
        "one instance to begin with, of which managed scaling makes two under inference components",
        a_config(ProductionVariants=[hosting(1, managed=2)]),
    ),
    fails(
        CONFIG,
        "managed scaling that is content with one",
        a_config(ProductionVariants=[hosting(1, managed=1)]),
        severity=Severity.MEDIUM,
    ),
    # "only supported for inference component endpoints" (hashicorp/terraform-provider-aws#45926)
    fails(
        CONFIG,
        "managed scaling on a variant with a model of its own, where it has no effect",
        a_config(ProductionVariants=[{**hosting(1, managed=2), "ModelName": "churn-model"}]),
        severity=Severity.MEDIUM,
    ),
    fails(
        CONFIG,
        "a new config starts on one instance",
        a_config(1),
        severity=Severity.MEDIUM,
        evidence={"variants": ["variant-1"], "initial_instance_counts": {"variant-1": 1}},
    ),
    fails(
        CONFIG,
        "a new config needs no endpoints to be judged",
        a_config(1),
        unread=[Part.ENDPOINTS],
        severity=Severity.MEDIUM,
    ),
    passes(
        CONFIG,
        "a new config starts on two instances",
        a_config(2),
        evidence={"initial_instance_counts": {"variant-1": 2}},
    ),
    fails(
        CONFIG,
        "one variant of two starts on one instance",
        a_config(2, 1),
        severity=Severity.MEDIUM,
        evidence={"variants": ["variant-2"], "initial_instance_counts": {"variant-1": 2, "variant-2": 1}},
    ),
    fails(
        CONFIG,
        "a serverless variant beside one on one instance",
        a_config(
            ProductionVariants=[
                {"VariantName": "serverless", "ServerlessConfig": {"MaxConcurrency": 5}},
                {"VariantName": "lonely", "InitialInstanceCount": 1, "InstanceType": "ml.m5.large"},
            ]
        ),
        severity=Severity.MEDIUM,
        evidence={"variants": ["lonely"], "initial_instance_counts": {"lonely": 1}},
    ),
    fails(
        CONFIG,
        "an unused config where the policy judges those",
        a_config(1, in_use=False),
        params={"judge_unused": True},
        severity=Severity.MEDIUM,
    ),
    passes(
        CONFIG,
        "an unused config on two instances where the policy judges those",
        a_config(2, in_use=False),
        params={"judge_unused": True},
    ),
    does_not_apply(CONFIG, "an unused config", a_config(1, in_use=False)),
    does_not_apply(CONFIG, "a config in use", a_config(1, in_use=True)),
    does_not_apply(
        CONFIG,
        "a config in use where the policy judges unused ones",
        a_config(1, in_use=True),
        params={"judge_unused": True},
    ),
    does_not_apply(
        CONFIG,
        "serverless variants only",
        a_config(ProductionVariants=[{"VariantName": "serverless", "ServerlessConfig": {"MaxConcurrency": 5}}]),
    ),
    passes(
        CONFIG,
        "a shadow variant on one instance",
        a_config(
            2,
            ShadowProductionVariants=[
                {"VariantName": "shadow", "InitialInstanceCount": 1, "InstanceType": "ml.m5.large"},
            ],
        ),
    ),
    is_unknown(CONFIG, "the initial count was not told", a_config(None)),
    is_unknown(
        CONFIG,
        "the endpoints could not be read, so that nobody knows whether it is in use",
        a_config(1, in_use=False),
        params={"judge_unused": True},
        unread=[Part.ENDPOINTS],
    ),
]

ENDPOINT_DEGRADED: list[Case] = [
    *[
        fails(
            DEGRADED,
            f"an endpoint that is {status}",
            an_endpoint(status=status, FailureReason="no capacity"),
            severity=severity,
            evidence={"endpoint_status": status, "failure_reason": "no capacity"},
            in_demo=in_demo,
        )
        for status, severity, in_demo in (
            ("Failed", Severity.CRITICAL, [InDemo("endpoint claims-triage")]),
            ("OutOfService", Severity.CRITICAL, []),
            ("UpdateRollbackFailed", Severity.HIGH, [InDemo("endpoint insurance-quotes")]),
        )
    ],
    fails(
        DEGRADED,
        "failed without a reason",
        an_endpoint_without_variants(status="Failed"),
        severity=Severity.CRITICAL,
        evidence={"failure_reason": None},
    ),
    fails(
        DEGRADED,
        "a state in the spelling of events",
        an_endpoint(status="UPDATE_ROLLBACK_FAILED"),
        severity=Severity.HIGH,
    ),
    passes(DEGRADED, "in service with all instances", an_endpoint(), evidence={"endpoint_status": "InService"}),
    *[
        passes(
            DEGRADED,
            f"an endpoint that is {status}",
            an_endpoint(a_variant(running={"CurrentInstanceCount": 1}), status=status),
        )
        for status in IN_TRANSITION
    ],
    fails(
        DEGRADED,
        "short of an instance just longer than the grace",
        an_endpoint(a_variant(running={"CurrentInstanceCount": 1}), modified=ago(minutes=30, seconds=1)),
        severity=Severity.MEDIUM,
        confidence=Confidence.LOW,
        evidence={"variants": {"AllTraffic": {"current": 1, "desired": 2}}, "grace_minutes": 30},
        boundary="grace_minutes",
        in_demo=[InDemo("endpoint payment-risk")],
    ),
    fails(
        DEGRADED,
        "short of an instance, seen so by an audit longer ago than the grace",
        SHORT,
        severity=Severity.MEDIUM,
        first_seen={(DEGRADED, SHORT.arn): ago(minutes=30, seconds=1)},
    ),
    passes(
        DEGRADED,
        "an instance lost minutes ago on an endpoint that nobody has changed for months",
        SHORT,
        first_seen={(DEGRADED, SHORT.arn): ago(minutes=30)},
    ),
    passes(DEGRADED, "short of an instance, which no audit has seen before", SHORT, first_seen={}),
    # DescribeEndpoint.FailureReason stays with an endpoint in service whose last update failed and went back.
    fails(
        DEGRADED,
        "in service with the reason of an update that failed",
        an_endpoint(FailureReason="The image could not be pulled."),
        severity=Severity.MEDIUM,
        confidence=Confidence.LOW,
        evidence={"endpoint_status": "InService", "failure_reason": "The image could not be pulled."},
    ),
    passes(
        DEGRADED,
        "short of an instance for exactly the grace",
        an_endpoint(a_variant(running={"CurrentInstanceCount": 1}), modified=ago(minutes=30)),
        boundary="grace_minutes",
    ),
    passes(
        DEGRADED,
        "short of an instance just within the grace",
        an_endpoint(a_variant(running={"CurrentInstanceCount": 1}), modified=ago(minutes=29, seconds=59)),
        evidence={"variants": {"AllTraffic": {"current": 1, "desired": 2}}},
        boundary="grace_minutes",
    ),
    fails(
        DEGRADED,
        "short of an instance longer than the grace of the policy",
        an_endpoint(a_variant(running={"CurrentInstanceCount": 1}), modified=ago(minutes=6)),
        params={"grace_minutes": 5},
        severity=Severity.MEDIUM,
        confidence=Confidence.LOW,
        evidence={"grace_minutes": 5},
    ),
    fails(
        DEGRADED,
        "one variant of two has no instance at all",
        an_endpoint(a_variant("A"), a_variant("B", running={"CurrentInstanceCount": 0})),
        severity=Severity.MEDIUM,
        confidence=Confidence.LOW,
        evidence={"variants": {"B": {"current": 0, "desired": 2}}},
    ),
    passes(
        DEGRADED,
        "more instances than desired",
        an_endpoint(a_variant(running={"DesiredInstanceCount": 1, "CurrentInstanceCount": 2})),
    ),
    passes(
        DEGRADED,
        "only the current count is told",
        an_endpoint(a_variant(running={"DesiredInstanceCount": None})),
    ),
    passes(DEGRADED, "scaled to zero", an_endpoint(a_variant(count=0))),
    passes(DEGRADED, "serverless", an_endpoint(a_serverless_variant())),
    is_unknown(DEGRADED, "in service and no variants were told", an_endpoint_without_variants()),
    is_unknown(DEGRADED, "in service and no count was told", an_endpoint(a_variant(count=None))),
    is_unknown(
        DEGRADED,
        "only the desired count is told",
        an_endpoint(a_variant(running={"CurrentInstanceCount": None})),
    ),
    is_unknown(
        DEGRADED,
        "short of an instance and AWS gave no time",
        an_endpoint(a_variant(running={"CurrentInstanceCount": 1}), modified=None),
    ),
]

ENDPOINT_STUCK: list[Case] = [
    # https://github.com/aws/amazon-sagemaker-examples/issues/3432: an endpoint 26 hours in Creating.
    fails(
        STUCK,
        "a day in Creating",
        an_endpoint(status="Creating", created=ago(hours=26), modified=ago(hours=26)),
        severity=Severity.HIGH,
        evidence={"endpoint_status": "Creating", "since": "2026-11-21T04:00:00Z", "max_hours": 2},
    ),
    *[
        fails(
            STUCK,
            f"{status} for just longer than two hours",
            an_endpoint(status=status, modified=ago(hours=2, seconds=1)),
            severity=Severity.HIGH,
            boundary="max_hours",
            in_demo=[InDemo("endpoint warehouse-vision")] if status == "Updating" else [],
        )
        for status in ("Creating", "Updating", "RollingBack", "Deleting", "ROLLING_BACK")
    ],
    passes(
        STUCK, "Updating for two hours", an_endpoint(status="Updating", modified=ago(hours=2)), boundary="max_hours"
    ),
    passes(
        STUCK,
        "Updating for as long as the policy allows",
        an_endpoint(status="Updating", modified=ago(hours=3)),
        params={"max_hours": 3},
        boundary="max_hours",
    ),
    fails(
        STUCK,
        "a deployment that began long ago, though the endpoint was modified just now",
        an_endpoint(status="Updating", modified=ago(minutes=1), PendingDeploymentSummary={"StartTime": ago(hours=9)}),
        severity=Severity.HIGH,
        evidence={"since": "2026-11-21T21:00:00Z"},
    ),
    passes(
        STUCK,
        "a rolling update that may take eight hours, after seven",
        an_endpoint(status="Updating", modified=ago(hours=7), LastDeploymentConfig=EIGHT_HOURS),
        evidence={"max_hours": 8},
    ),
    fails(
        STUCK,
        "a rolling update that may take eight hours, after nine",
        an_endpoint(status="Updating", modified=ago(hours=9), LastDeploymentConfig=EIGHT_HOURS),
        severity=Severity.HIGH,
        evidence={"max_hours": 8},
    ),
    fails(
        STUCK,
        "SystemUpdating for longer than a day",
        an_endpoint(status="SystemUpdating", modified=ago(hours=24, seconds=1)),
        severity=Severity.MEDIUM,
        boundary="system_hours",
    ),
    passes(
        STUCK,
        "SystemUpdating for a day",
        an_endpoint(status="SystemUpdating", modified=ago(hours=24)),
        boundary="system_hours",
    ),
    passes(
        STUCK,
        "SystemUpdating for as long as the policy allows",
        an_endpoint(status="SystemUpdating", modified=ago(hours=30)),
        params={"system_hours": 30},
        boundary="system_hours",
    ),
    *[
        passes(STUCK, f"{status or 'an unknown state'} is no transition", an_endpoint(status=status))
        for status in ("InService", "Failed", "")
    ],
    is_unknown(STUCK, "AWS gave no time", an_endpoint(status="Updating", created=None, modified=None)),
]

CASES: list[Case] = [
    *ENDPOINT_SINGLE_INSTANCE,
    *ENDPOINT_CONFIG_SINGLE_INSTANCE,
    *ENDPOINT_DEGRADED,
    *ENDPOINT_STUCK,
]
