"""The alarms that scaling policies hang on."""

from typing import Any

from chalicelib.inventory.kinds.scaling import COPY_DIMENSION, INSTANCE_DIMENSION, PROVISIONED_DIMENSION, Alarm
from chalicelib.inventory.parts import Part
from chalicelib.report.findings import Severity
from samples.builders import (
    Given,
    a_component,
    a_host_of_components,
    a_metric,
    a_mute,
    a_policy,
    a_schedule,
    a_step_policy,
    a_target,
    a_variant,
    ago,
    an_alarm,
    following,
    following_sum_of,
    metric_math,
)
from samples.cases.autoscaling import COMPONENT, COMPONENT_ID, CONCURRENT, VARIANT, VARIANT_ID, out_of_concern
from samples.cases.case import Case, InDemo, does_not_apply, fails, is_unknown, passes
from samples.cases.scaled import ASYNC, BACKLOG, CONFIG_UNREAD, CUSTOM, HOSTING, OTHER_ID, OWN, a_predictive_policy

ALARM = "autoscaling-alarm-broken"
WAKE_UP = "autoscaling-zero-without-wakeup"

# ---- alarms

TWO_ALARMS = ["by-load-high", "by-load-low"]
ALARMS = an_alarm("by-load-high", metric="InvocationsPerInstance"), an_alarm("by-load-low")


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
        in_demo=[InDemo("scaling-policy stock-alerts/AllTraffic/target-tracking")],
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
    # CloudWatch writes :createdBy/… behind the ARN of a target-tracking policy.
    passes(
        ALARM,
        "the alarms name the policy as AWS makes them",
        a_policy(),
        VARIANT,
        *[an_alarm(name, AlarmActions=[f"{a_policy().arn}:createdBy/1234"]) for name in TWO_ALARMS],
    ),
    passes(
        ALARM,
        "an alarm sets off the policy once it is over",
        a_step_policy(),
        VARIANT,
        an_alarm("backlog", OKActions=[a_step_policy().arn], AlarmActions=[]),
    ),
    *[
        fails(
            ALARM,
            f"an alarm acts on {what}",
            a_step_policy(),
            VARIANT,
            an_alarm("backlog", AlarmActions=actions),
            severity=Severity.MEDIUM,
            evidence={"broken": {"backlog": "does not name the policy among its actions"}},
        )
        for what, actions in (
            ("nothing", []),
            ("a topic", ["arn:aws:sns:eu-west-1:123456789012:ops"]),
            ("a policy whose name begins like this", [f"{a_step_policy().arn}-2"]),
        )
    ],
    fails(
        ALARM,
        "an alarm watches another endpoint",
        a_step_policy(),
        VARIANT,
        an_alarm("backlog", dimensions={"EndpointName": "fraud"}),
        severity=Severity.MEDIUM,
        evidence={"broken": {"backlog": "watches EndpointName fraud"}},
        in_demo=[InDemo("scaling-policy receipt-scans/AllTraffic/wake-up")],
    ),
    passes(
        ALARM,
        "the policy itself follows another endpoint, which autoscaling-metric-mismatch tells",
        a_policy(tracking=following("CPUUtilization", EndpointName="fraud", VariantName="AllTraffic")),
        VARIANT,
        *[an_alarm(name, metric="CPUUtilization", dimensions={"EndpointName": "fraud"}) for name in TWO_ALARMS],
    ),
    fails(
        ALARM,
        "metric math of an alarm watches another variant",
        a_step_policy(),
        VARIANT,
        an_alarm("backlog", MetricName=None, **metric_math(a_metric("Invocations", **{**OWN, "VariantName": "B"}))),
        severity=Severity.MEDIUM,
        evidence={"broken": {"backlog": "watches VariantName B"}},
    ),
    is_unknown(
        ALARM,
        "a composite alarm",
        a_step_policy(),
        VARIANT,
        an_alarm("backlog", MetricName=None, AlarmRule="ALARM(one) OR ALARM(two)"),
    ),
    is_unknown(ALARM, "an alarm on a query", a_step_policy(), VARIANT, an_alarm("backlog", MetricName=None)),
    fails(
        ALARM,
        "an alarm on a query has its actions disabled",
        a_step_policy(),
        VARIANT,
        an_alarm("backlog", MetricName=None, ActionsEnabled=False),
        severity=Severity.MEDIUM,
    ),
    # The states and expressions of mute rules: CloudWatch API reference, PutAlarmMuteRule.
    *[
        fails(
            ALARM,
            f"muted {what}",
            a_step_policy(),
            VARIANT,
            an_alarm("backlog"),
            mute,
            severity=Severity.MEDIUM,
            evidence={"broken": {"backlog": problem}},
        )
        for what, mute, problem in (
            ("every night", a_mute("backlog"), "is muted every day by quiet"),
            (
                "for a day, now",
                a_mute("backlog", expression="at(2026-11-22T00:00)", duration="P1D", status="ACTIVE"),
                "is muted now by quiet",
            ),
            (
                "for a minute more than four hours, now",
                a_mute("backlog", expression="cron(0 4 * * SUN)", duration="PT4H1M", status="ACTIVE"),
                "is muted now by quiet",
            ),
        )
    ],
    *[
        passes(ALARM, f"muted {what}", a_step_policy(), VARIANT, an_alarm("backlog"), mute)
        for what, mute in (
            ("for four hours, now", a_mute("backlog", duration="PT4H", status="ACTIVE")),
            ("every weekend", a_mute("backlog", expression="cron(0 18 * * FRI)", duration="P2DT12H")),
            ("next week", a_mute("backlog", expression="at(2026-11-29T00:00)", duration="P7D")),
            ("by name, and it is another's", a_mute("another")),
        )
    ],
    is_unknown(
        ALARM,
        "muted for a time that is not understood",
        a_step_policy(),
        VARIANT,
        an_alarm("backlog"),
        a_mute("backlog", duration="a while"),
    ),
    passes(
        ALARM,
        "this boto3 knows no mute rules",
        a_step_policy(),
        VARIANT,
        an_alarm("backlog"),
        mutes_known=False,
        evidence={"mute_rules_read": False},
    ),
    is_unknown(
        ALARM, "the mute rules could not be read", a_step_policy(), VARIANT, an_alarm("backlog"), unread=[Part.MUTES]
    ),
    fails(
        ALARM,
        "an alarm is gone, whatever is muted",
        a_step_policy(),
        VARIANT,
        unread=[Part.MUTES],
        severity=Severity.MEDIUM,
    ),
    fails(
        ALARM,
        "a policy of provisioned concurrency without an alarm",
        a_policy(VARIANT, ScalableDimension=PROVISIONED_DIMENSION, alarms=[]),
        CONCURRENT,
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

# ---- from zero

ASLEEP = a_variant(count=0, asynchronous=True)
SLEEPING_COMPONENT = a_component(copies=0)
FROM_ZERO, COPIES_FROM_ZERO = a_target(ASLEEP, minimum=0), a_target(SLEEPING_COMPONENT, minimum=0)
NO_CAPACITY = "NoCapacityInvocationFailures"

ALARM_OF_COMPONENT = {"InferenceComponentName": "churn-component"}


def no_capacity(**described: Any) -> Alarm:
    """The alarm that wakes a component, as the developer guide makes it ("Scale an endpoint to zero instances")."""
    return an_alarm("no-capacity", metric=NO_CAPACITY, dimensions=ALARM_OF_COMPONENT, **{"Period": 30, **described})


WOKEN = a_step_policy(SLEEPING_COMPONENT, alarms=["no-capacity"])

ZERO_WITHOUT_WAKE_UP: list[Case] = [
    fails(
        WAKE_UP,
        "an asynchronous endpoint without a policy",
        FROM_ZERO,
        ASLEEP,
        severity=Severity.LOW,
        evidence={
            "min_capacity": 0,
            "wake_up_metric": "HasBacklogWithoutCapacity",
            "resource_id": VARIANT_ID,
            "scalable_dimension": INSTANCE_DIMENSION,
            "problem": "nothing wakes it",
        },
        in_demo=[InDemo("scalable-target contract-scans/AllTraffic")],
    ),
    # Developer guide, "Autoscale an asynchronous endpoint": it starts once the backlog exceeds the target value.
    fails(
        WAKE_UP,
        "an asynchronous endpoint that only tracks its backlog per instance",
        FROM_ZERO,
        ASLEEP,
        a_policy(ASLEEP, tracking=BACKLOG),
        *ALARMS,
        severity=Severity.LOW,
        evidence={"problem": "wakes late"},
        in_demo=[
            InDemo("scalable-target call-transcripts/AllTraffic"),
            InDemo("scalable-target receipt-scans/AllTraffic"),
        ],
    ),
    fails(
        WAKE_UP,
        "an asynchronous endpoint that tracks the backlog of another",
        FROM_ZERO,
        ASLEEP,
        a_policy(ASLEEP, tracking=following("ApproximateBacklogSizePerInstance", EndpointName="fraud")),
        severity=Severity.LOW,
        evidence={"problem": "nothing wakes it"},
    ),
    passes(
        WAKE_UP,
        "a target-tracking policy follows whether it has capacity",
        FROM_ZERO,
        ASLEEP,
        a_policy(ASLEEP, target_value=0.5, tracking=following("HasBacklogWithoutCapacity", EndpointName="churn")),
    ),
    fails(
        WAKE_UP,
        "a target-tracking policy follows whether it has capacity, to a value that is never exceeded",
        FROM_ZERO,
        ASLEEP,
        a_policy(ASLEEP, target_value=1, tracking=following("HasBacklogWithoutCapacity", EndpointName="churn")),
        severity=Severity.LOW,
    ),
    passes(
        WAKE_UP,
        "the alarm of the step policy is on the backlog",
        FROM_ZERO,
        ASLEEP,
        a_step_policy(ASLEEP),
        an_alarm("backlog", metric="ApproximateBacklogSize", Threshold=5.0),
    ),
    *[
        fails(
            WAKE_UP,
            f"asynchronous: {what}",
            FROM_ZERO,
            ASLEEP,
            *around,
            severity=Severity.LOW,
            evidence={"silent": silent},
        )
        for what, around, silent in (
            ("the alarm of the step policy is gone", [a_step_policy(ASLEEP)], {"backlog": "does not exist"}),
            ("the step policy has no alarm", [a_step_policy(ASLEEP, alarms=[]), an_alarm("backlog")], {}),
            ("another variant has the step policy", [a_step_policy(OTHER_ID), an_alarm("backlog")], {}),
            (
                "the step policy takes capacity away",
                [a_step_policy(ASLEEP, adjustment=-1), an_alarm("backlog")],
                {},
            ),
            (
                "the alarm of the step policy is on the metric of components",
                [a_step_policy(ASLEEP), an_alarm("backlog", metric=NO_CAPACITY)],
                {},
            ),
            (
                "the alarm rings above one, which is never exceeded",
                [a_step_policy(ASLEEP), an_alarm("backlog", ComparisonOperator="GreaterThanThreshold")],
                {"backlog": "rings at 2 only"},
            ),
        )
    ],
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
    is_unknown(
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
        "a real-time variant with a model cannot reach zero",
        a_target(VARIANT, minimum=0),
        VARIANT,
        severity=Severity.MEDIUM,
        evidence={"problem": "cannot reach zero", "wake_up_metric": None},
    ),
    *[
        fails(
            WAKE_UP,
            f"a scheduled action sends a component to zero, {when}",
            a_target(SLEEPING_COMPONENT, minimum=minimum),
            a_component(copies=minimum),
            HOSTING,
            a_schedule(SLEEPING_COMPONENT, name="night", minimum=0),
            severity=Severity.MEDIUM,
        )
        for when, minimum in (("by day", 2), ("by night", 0))
    ],
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
    *[
        fails(
            WAKE_UP,
            f"the alarm of a component {problem}",
            COPIES_FROM_ZERO,
            SLEEPING_COMPONENT,
            HOSTING,
            WOKEN,
            *around,
            severity=Severity.MEDIUM,
            evidence={"silent": {"no-capacity": problem}, "problem": "nothing wakes it"},
        )
        for problem, around in (
            ("does not exist", []),
            ("has its actions disabled", [no_capacity(ActionsEnabled=False)]),
            ("does not name the policy among its actions", [no_capacity(acts_on=["another"])]),
            (
                "watches InferenceComponentName fraud",
                [an_alarm("no-capacity", metric=NO_CAPACITY, dimensions={"InferenceComponentName": "fraud"})],
            ),
            ("rings at 3 only", [no_capacity(Threshold=3.0)]),
            ("rings after 86400 seconds only", [no_capacity(Period=86_400)]),
            ("rings after 960 seconds only", [no_capacity(Period=60, EvaluationPeriods=16)]),
            ("does not ring when its metric rises", [no_capacity(ComparisonOperator="LessThanThreshold")]),
            ("is muted every day by quiet", [no_capacity(), a_mute("no-capacity")]),
        )
    ],
    *[
        passes(
            WAKE_UP,
            f"a component with a step policy and its alarm {what}",
            COPIES_FROM_ZERO,
            SLEEPING_COMPONENT,
            HOSTING,
            WOKEN,
            alarm,
            evidence={"policy": "wake-up", "wake_up_metric": NO_CAPACITY, "failures": failures},
        )
        for what, alarm, failures in (
            ("as documented", no_capacity(), 1),
            ("above zero", no_capacity(Threshold=0.0, ComparisonOperator="GreaterThanThreshold"), 1),
            ("that needs two failures", no_capacity(ComparisonOperator="GreaterThanThreshold"), 2),
            ("of a quarter of an hour", no_capacity(Period=60, EvaluationPeriods=15), 1),
            ("of one datapoint among many", no_capacity(Period=60, EvaluationPeriods=60, DatapointsToAlarm=1), 1),
        )
    ],
    is_unknown(
        WAKE_UP,
        "the alarm does not tell when it rings",
        COPIES_FROM_ZERO,
        SLEEPING_COMPONENT,
        HOSTING,
        WOKEN,
        no_capacity(Period=None),
    ),
    is_unknown(
        WAKE_UP,
        "a composite alarm",
        COPIES_FROM_ZERO,
        SLEEPING_COMPONENT,
        HOSTING,
        WOKEN,
        no_capacity(MetricName=None, AlarmRule="ALARM(one)"),
    ),
    passes(
        WAKE_UP,
        "a composite alarm beside one that wakes it",
        COPIES_FROM_ZERO,
        SLEEPING_COMPONENT,
        HOSTING,
        a_step_policy(SLEEPING_COMPONENT, alarms=["both", "no-capacity"]),
        an_alarm("both", MetricName=None, AlarmRule="ALARM(one)"),
        no_capacity(),
    ),
    is_unknown(
        WAKE_UP,
        "the scheduled actions could not be read",
        a_target(COMPONENT),
        COMPONENT,
        HOSTING,
        unread=[Part.SCHEDULES],
    ),
    is_unknown(
        WAKE_UP,
        "the mute rules could not be read",
        COPIES_FROM_ZERO,
        SLEEPING_COMPONENT,
        HOSTING,
        WOKEN,
        no_capacity(),
        unread=[Part.MUTES],
    ),
    does_not_apply(
        WAKE_UP,
        "provisioned concurrency",
        a_target(VARIANT, minimum=0, ScalableDimension=PROVISIONED_DIMENSION),
        CONCURRENT,
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


CASES: list[Case] = [*ALARM_BROKEN, *ZERO_WITHOUT_WAKE_UP]
