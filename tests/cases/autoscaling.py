"""Automatic scaling."""

from collections.abc import Callable, Iterable
from typing import Any

from chalicelib.inventory.kinds.components import InferenceComponent
from chalicelib.inventory.kinds.endpoints import Variant
from chalicelib.inventory.kinds.scaling import PROVISIONED_DIMENSION, ScalableTarget, ScalingPolicy
from chalicelib.inventory.parts import Part
from chalicelib.report.findings import Severity
from tests.builders import (
    Given,
    a_component,
    a_host_of_components,
    a_policy,
    a_schedule,
    a_serverless_variant,
    a_step_policy,
    a_target,
    a_variant,
    ago,
    an_activity,
    managed_scaling,
)
from tests.cases.case import Case, does_not_apply, fails, is_unknown, passes
from tests.cases.instances import IN_TRANSITION, NOT_SERVING

NONE = "variant-no-autoscaling"
NO_POLICY = "autoscaling-target-without-policy"
MINIMUM = "autoscaling-min-below-two"
HEADROOM = "autoscaling-no-headroom"
AT_MAX = "autoscaling-at-max"
SUSPENDED = "autoscaling-suspended"

VARIANT, COMPONENT = a_variant(), a_component()
VARIANT_ID, COMPONENT_ID = VARIANT.resource_id, COMPONENT.resource_id
INSTANCE_DIMENSION, COPY_DIMENSION = a_target(VARIANT).dimension, a_target(COMPONENT).dimension


#: What a target or a policy scales: a variant, a component, or a resource id of which nothing else is known.
Scaled = Variant | InferenceComponent | str


def out_of_concern(
    rule: str,
    judged: Callable[..., ScalableTarget | ScalingPolicy] = a_target,
    beside: Callable[[Scaled], Iterable[Given]] = lambda _: (),
    asynchronous: bool = False,
    **described: Any,
) -> list[Case]:
    """The targets or policies that no rule about working ones concerns, each with the fault that ``described`` and
    what stands ``beside`` it make, of endpoints that are ``asynchronous`` or not."""

    def one(name: str, of: Scaled, *around: Given) -> Case:
        return does_not_apply(rule, name, judged(of, **described), *beside(of), *around)

    serverless = judged(VARIANT, **{**described, "ScalableDimension": PROVISIONED_DIMENSION})
    adapter = a_component("adapter", base="churn-component")
    return [
        one("the endpoint does not exist", VARIANT),
        one("the variant does not exist", "endpoint/churn/variant/Gone", VARIANT),
        one("the component does not exist", COMPONENT),
        does_not_apply(rule, "provisioned concurrency", serverless, *beside(VARIANT), a_serverless_variant()),
        one("a serverless variant", VARIANT, a_serverless_variant()),
        one("a shadow variant", VARIANT, a_variant(shadow=True, asynchronous=asynchronous)),
        one("an adapter of another component", adapter, adapter, a_host_of_components()),
        *[
            one(f"an endpoint that is {status}", VARIANT, a_variant(status=status, asynchronous=asynchronous))
            for status in (*IN_TRANSITION, *NOT_SERVING)
        ],
    ]


VARIANT_NO_AUTOSCALING: list[Case] = [
    fails(
        NONE,
        "neither a target nor managed instance scaling",
        VARIANT,
        severity=Severity.MEDIUM,
        evidence={"resource_id": VARIANT_ID, "desired_instance_count": 2},
    ),
    fails(
        NONE,
        "managed instance scaling that is switched off",
        a_variant(running=managed_scaling(1, status="DISABLED")),
        severity=Severity.MEDIUM,
    ),
    fails(
        NONE,
        "a target of another variant",
        a_variant("B"),
        a_variant("A"),
        a_target("endpoint/churn/variant/A"),
        severity=Severity.MEDIUM,
        evidence={"resource_id": "endpoint/churn/variant/B"},
    ),
    fails(
        NONE,
        "an asynchronous endpoint",
        a_variant(asynchronous=True),
        severity=Severity.MEDIUM,
    ),
    fails(
        NONE,
        "a component without a target",
        COMPONENT,
        a_host_of_components(),
        severity=Severity.MEDIUM,
        evidence={"resource_id": COMPONENT_ID, "desired_copy_count": 2},
    ),
    fails(
        NONE,
        "a component without a target on instances that scale",
        COMPONENT,
        host := a_host_of_components(running=managed_scaling(2)),
        a_target(host),
        severity=Severity.MEDIUM,
    ),
    passes(
        NONE,
        "a target",
        VARIANT,
        a_target(VARIANT, minimum=2, maximum=4),
        evidence={"min_capacity": 2, "max_capacity": 4},
    ),
    passes(NONE, "a target of a component", COMPONENT, a_target(COMPONENT)),
    passes(NONE, "managed instance scaling as it runs", a_variant(running=managed_scaling(2))),
    passes(NONE, "managed instance scaling as configured", a_variant(settings=managed_scaling(2))),
    fails(
        NONE,
        "an hour old",
        a_variant(created=ago(hours=1)),
        severity=Severity.MEDIUM,
        boundary="min_age_hours",
    ),
    does_not_apply(
        NONE,
        "a second less than an hour old",
        a_variant(created=ago(minutes=59, seconds=59)),
        boundary="min_age_hours",
    ),
    does_not_apply(
        NONE,
        "younger than the policy asks",
        a_variant(created=ago(hours=3)),
        params={"min_age_hours": 4},
    ),
    fails(
        NONE,
        "changed a minute ago and created long ago",
        a_variant(modified=ago(minutes=1)),
        severity=Severity.MEDIUM,
    ),
    does_not_apply(
        NONE, "a component a second less than an hour old", a_component(created=ago(minutes=59, seconds=59))
    ),
    fails(NONE, "a component an hour old", a_component(created=ago(hours=1)), severity=Severity.MEDIUM),
    does_not_apply(NONE, "instances under components", a_host_of_components()),
    does_not_apply(NONE, "a serverless variant", a_serverless_variant()),
    does_not_apply(NONE, "a shadow variant", a_variant(shadow=True)),
    does_not_apply(NONE, "an adapter of another component", a_component("adapter", base="churn-component")),
    *[
        does_not_apply(NONE, f"an endpoint that is {status}", a_variant(status=status))
        for status in (*IN_TRANSITION, *NOT_SERVING)
    ],
    *[
        does_not_apply(NONE, f"a component that is {status}", a_component(status=status))
        for status in ("Creating", "Updating", "Deleting", "Failed")
    ],
    does_not_apply(
        NONE,
        "a component on an endpoint that is Updating",
        COMPONENT,
        a_host_of_components(status="Updating"),
    ),
    is_unknown(NONE, "the targets could not be read", VARIANT, unread=[Part.TARGETS]),
    is_unknown(NONE, "the targets of components could not be read", COMPONENT, unread=[Part.TARGETS]),
    is_unknown(NONE, "AWS gave no time, so that nobody knows its age", a_variant(created=None)),
    is_unknown(
        NONE,
        "the config could not be read",
        a_variant(config_read=False),
        unread=[(Part.CONFIGS, "churn-config")],
    ),
]

TARGET_WITHOUT_POLICY: list[Case] = [
    fails(
        NO_POLICY,
        "neither a policy nor a scheduled action",
        a_target(VARIANT),
        VARIANT,
        severity=Severity.MEDIUM,
        evidence={
            "min_capacity": 2,
            "max_capacity": 4,
            "resource_id": VARIANT_ID,
            "scalable_dimension": INSTANCE_DIMENSION,
        },
    ),
    fails(
        NO_POLICY,
        "a policy and a scheduled action of another variant",
        a_target(VARIANT),
        VARIANT,
        a_policy("endpoint/churn/variant/B"),
        a_schedule("endpoint/churn/variant/B"),
        severity=Severity.MEDIUM,
    ),
    fails(
        NO_POLICY,
        "a component's target",
        a_target(COMPONENT),
        COMPONENT,
        severity=Severity.MEDIUM,
        evidence={"resource_id": COMPONENT_ID, "scalable_dimension": COPY_DIMENSION},
    ),
    passes(
        NO_POLICY,
        "a policy",
        a_target(VARIANT),
        VARIANT,
        a_policy(VARIANT),
        evidence={"policies": 1, "scheduled_actions": 0},
    ),
    passes(NO_POLICY, "a step policy", a_target(VARIANT), VARIANT, a_step_policy(VARIANT)),
    passes(
        NO_POLICY,
        "a scheduled action",
        a_target(VARIANT),
        VARIANT,
        a_schedule(VARIANT),
        evidence={"policies": 0, "scheduled_actions": 1},
    ),
    passes(NO_POLICY, "a policy of a component", a_target(COMPONENT), COMPONENT, a_policy(COMPONENT)),
    passes(
        NO_POLICY,
        "a policy, while the scheduled actions could not be read",
        a_target(VARIANT),
        VARIANT,
        a_policy(VARIANT),
        unread=[Part.SCHEDULES],
    ),
    *out_of_concern(NO_POLICY),
    is_unknown(NO_POLICY, "the policies could not be read", a_target(VARIANT), VARIANT, unread=[Part.POLICIES]),
    is_unknown(
        NO_POLICY, "the scheduled actions could not be read", a_target(VARIANT), VARIANT, unread=[Part.SCHEDULES]
    ),
    is_unknown(NO_POLICY, "the endpoints could not be read", a_target(VARIANT), unread=[Part.ENDPOINTS]),
    is_unknown(NO_POLICY, "the endpoint could not be read", a_target(VARIANT), unread=[(Part.ENDPOINTS, "churn")]),
    is_unknown(NO_POLICY, "the components could not be read", a_target(COMPONENT), unread=[Part.COMPONENTS]),
]

MIN_BELOW_TWO: list[Case] = [
    fails(
        MINIMUM,
        "scales down to one instance",
        a_target(VARIANT, minimum=1),
        VARIANT,
        severity=Severity.MEDIUM,
        evidence={
            "min_capacity": 1,
            "max_capacity": 4,
            "resource_id": VARIANT_ID,
            "wanted_min_capacity": 2,
            "managed": False,
        },
        boundary="min_capacity",
    ),
    passes(
        MINIMUM,
        "never scales below two instances",
        a_target(VARIANT, minimum=2),
        VARIANT,
        evidence={"min_capacity": 2},
        boundary="min_capacity",
    ),
    fails(
        MINIMUM,
        "two instances where the policy wants three",
        a_target(VARIANT, minimum=2),
        VARIANT,
        params={"min_capacity": 3},
        severity=Severity.MEDIUM,
        evidence={"wanted_min_capacity": 3},
        boundary="min_capacity",
    ),
    passes(
        MINIMUM,
        "three instances where the policy wants three",
        a_target(VARIANT, minimum=3),
        VARIANT,
        params={"min_capacity": 3},
        boundary="min_capacity",
    ),
    passes(MINIMUM, "scales to zero on purpose", a_target(VARIANT, minimum=0), VARIANT, evidence={"min_capacity": 0}),
    fails(
        MINIMUM,
        "managed instance scaling down to one instance",
        a_host_of_components(running=managed_scaling(1, 6)),
        severity=Severity.MEDIUM,
        evidence={"min_capacity": 1, "max_capacity": 6, "resource_id": VARIANT_ID, "managed": True},
    ),
    fails(
        MINIMUM,
        "managed instance scaling down to one instance, told by the config alone",
        a_host_of_components(settings=managed_scaling(1)),
        severity=Severity.MEDIUM,
    ),
    passes(
        MINIMUM,
        "managed instance scaling as it runs counts more than as configured",
        a_host_of_components(running=managed_scaling(2), settings=managed_scaling(1)),
    ),
    passes(MINIMUM, "managed instance scaling from two instances", a_host_of_components(running=managed_scaling(2))),
    passes(MINIMUM, "managed instance scaling to zero", a_host_of_components(running=managed_scaling(0))),
    does_not_apply(
        MINIMUM,
        "managed instance scaling that is switched off",
        a_variant(running=managed_scaling(1, status="DISABLED")),
    ),
    does_not_apply(
        MINIMUM, "a variant that a target scales is judged by its target", VARIANT, a_target(VARIANT, minimum=1)
    ),
    does_not_apply(
        MINIMUM,
        "an asynchronous endpoint",
        a_target(VARIANT, minimum=1),
        a_variant(asynchronous=True),
    ),
    does_not_apply(
        MINIMUM,
        "managed instance scaling of an asynchronous endpoint",
        a_variant(asynchronous=True, running=managed_scaling(1)),
    ),
    does_not_apply(MINIMUM, "copies of a component", a_target(COMPONENT, minimum=1), COMPONENT, a_host_of_components()),
    does_not_apply(
        MINIMUM,
        "a serverless variant cannot be managed",
        a_serverless_variant(running=managed_scaling(1)),
    ),
    *out_of_concern(MINIMUM, minimum=1),
    is_unknown(MINIMUM, "the minimum was not told", a_target(VARIANT, minimum=None), VARIANT),
    is_unknown(MINIMUM, "the managed minimum was not told", a_host_of_components(running=managed_scaling(None))),
    is_unknown(
        MINIMUM,
        "the config could not be read, so that nobody knows whether it is asynchronous",
        a_target(VARIANT, minimum=1),
        a_variant(config_read=False),
        unread=[(Part.CONFIGS, "churn-config")],
    ),
    is_unknown(MINIMUM, "the endpoints could not be read", a_target(VARIANT, minimum=1), unread=[Part.ENDPOINTS]),
]

NO_HEADROOM: list[Case] = [
    fails(
        HEADROOM,
        "minimum and maximum are the same",
        a_target(VARIANT, minimum=2, maximum=2),
        VARIANT,
        severity=Severity.MEDIUM,
        evidence={"min_capacity": 2, "max_capacity": 2, "resource_id": VARIANT_ID},
    ),
    fails(
        HEADROOM,
        "pinned to zero",
        a_target(VARIANT, minimum=0, maximum=0),
        a_variant(count=0, asynchronous=True),
        severity=Severity.MEDIUM,
    ),
    fails(
        HEADROOM,
        "a component's minimum and maximum are the same",
        a_target(COMPONENT, minimum=2, maximum=2),
        COMPONENT,
        severity=Severity.MEDIUM,
        evidence={"scalable_dimension": COPY_DIMENSION},
    ),
    passes(HEADROOM, "room for one instance more", a_target(VARIANT, minimum=2, maximum=3), VARIANT),
    passes(HEADROOM, "room for one copy more", a_target(COMPONENT, minimum=2, maximum=3), COMPONENT),
    *out_of_concern(HEADROOM, minimum=2, maximum=2),
    is_unknown(HEADROOM, "the maximum was not told", a_target(VARIANT, maximum=None), VARIANT),
    is_unknown(HEADROOM, "the minimum was not told", a_target(VARIANT, minimum=None), VARIANT),
    is_unknown(HEADROOM, "the endpoints could not be read", a_target(VARIANT, maximum=2), unread=[Part.ENDPOINTS]),
]

SCALED_TO_MAX = [("scaled-to-max", VARIANT_ID)]
REFUSED = an_activity(VARIANT, not_scaled=["AlreadyAtMaxCapacity"])

AUTOSCALING_AT_MAX: list[Case] = [
    fails(
        AT_MAX,
        "as many instances as allowed for a long time",
        a_target(VARIANT, maximum=4),
        a_variant(count=4),
        severity=Severity.MEDIUM,
        evidence={"desired": 4, "max_capacity": 4, "min_capacity": 2, "told_by": "desired count"},
    ),
    fails(
        AT_MAX,
        "more instances than allowed",
        a_target(VARIANT, maximum=4),
        a_variant(count=5),
        severity=Severity.MEDIUM,
        evidence={"desired": 5},
    ),
    fails(
        AT_MAX,
        "on its way to as many instances as allowed",
        a_target(VARIANT, maximum=4),
        a_variant(running={"DesiredInstanceCount": 4, "CurrentInstanceCount": 3}),
        severity=Severity.MEDIUM,
    ),
    fails(
        AT_MAX,
        "as many copies as allowed for a long time",
        a_target(COMPONENT, maximum=4),
        a_component(copies=4),
        severity=Severity.MEDIUM,
        evidence={"desired": 4, "resource_id": COMPONENT_ID},
    ),
    passes(AT_MAX, "one instance less than allowed", a_target(VARIANT, maximum=4), a_variant(count=3)),
    passes(AT_MAX, "one copy less than allowed", a_target(COMPONENT, maximum=4), a_component(copies=3)),
    fails(
        AT_MAX,
        "at its maximum for exactly as long as it may",
        a_target(VARIANT, maximum=4),
        a_variant(count=4, modified=ago(minutes=15)),
        severity=Severity.MEDIUM,
        evidence={"hold_minutes": 15},
        boundary="hold_minutes",
    ),
    passes(
        AT_MAX,
        "at its maximum for a second less than it may",
        a_target(VARIANT, maximum=4),
        a_variant(count=4, modified=ago(minutes=14, seconds=59)),
        evidence={"desired": 4},
        boundary="hold_minutes",
    ),
    passes(
        AT_MAX,
        "at its maximum for less than the policy allows",
        a_target(VARIANT, maximum=4),
        a_variant(count=4, modified=ago(minutes=59)),
        params={"hold_minutes": 60},
    ),
    passes(
        AT_MAX,
        "copies at their maximum for a second less than they may",
        a_target(COMPONENT, maximum=4),
        a_component(copies=4, modified=ago(minutes=14, seconds=59)),
    ),
    fails(
        AT_MAX,
        "an event told it",
        a_target(VARIANT, maximum=4),
        a_variant(count=4, modified=ago(seconds=1)),
        hints=SCALED_TO_MAX,
        severity=Severity.MEDIUM,
        evidence={"told_by": "scaled-to-max event"},
    ),
    fails(
        AT_MAX,
        "an event told it of a component whose copy count was not told",
        a_target(COMPONENT, maximum=4),
        a_component(copies=None),
        hints=[("scaled-to-max", COMPONENT_ID)],
        severity=Severity.MEDIUM,
        evidence={"told_by": "scaled-to-max event"},
    ),
    passes(
        AT_MAX,
        "an event told it of another variant",
        a_target(VARIANT, maximum=4),
        VARIANT,
        hints=[("scaled-to-max", "endpoint/churn/variant/B")],
    ),
    fails(
        AT_MAX,
        "the newest activity wanted to go beyond",
        a_target(VARIANT, maximum=4),
        a_variant(count=4, modified=ago(minutes=1)),
        an_activity(VARIANT, started=ago(hours=2)),
        REFUSED,
        severity=Severity.MEDIUM,
        evidence={"told_by": "scaling activity not scaled: AlreadyAtMaxCapacity"},
    ),
    passes(
        AT_MAX,
        "an activity wanted to go beyond, and a newer one scaled in",
        a_target(VARIANT, maximum=4),
        VARIANT,
        REFUSED,
        an_activity(VARIANT, started=ago(minutes=10)),
    ),
    passes(
        AT_MAX,
        "an activity was not scaled for another reason",
        a_target(VARIANT, maximum=4),
        VARIANT,
        an_activity(VARIANT, not_scaled=["AlreadyAtMinCapacity"]),
    ),
    passes(
        AT_MAX,
        "an activity of another variant wanted to go beyond",
        a_target(VARIANT, maximum=4),
        VARIANT,
        an_activity("endpoint/churn/variant/B", not_scaled=["AlreadyAtMaxCapacity"]),
    ),
    does_not_apply(AT_MAX, "no room to scale", a_target(VARIANT, minimum=2, maximum=2), VARIANT),
    *out_of_concern(AT_MAX, minimum=1, maximum=2),
    is_unknown(AT_MAX, "the maximum was not told", a_target(VARIANT, maximum=None), VARIANT),
    is_unknown(AT_MAX, "no count was told", a_target(VARIANT), a_variant(count=None)),
    is_unknown(AT_MAX, "no copy count was told", a_target(COMPONENT), a_component(copies=None)),
    is_unknown(AT_MAX, "the activities could not be read", a_target(VARIANT), VARIANT, unread=[Part.ACTIVITIES]),
    is_unknown(
        AT_MAX,
        "at its maximum, and AWS gave no time",
        a_target(VARIANT, maximum=4),
        a_variant(count=4, modified=None),
    ),
    is_unknown(AT_MAX, "the endpoints could not be read", a_target(VARIANT), unread=[Part.ENDPOINTS]),
]

FLAGS = ("DynamicScalingInSuspended", "DynamicScalingOutSuspended", "ScheduledScalingSuspended")

AUTOSCALING_SUSPENDED: list[Case] = [
    *[
        fails(
            SUSPENDED,
            f"{flag} is on",
            a_target(VARIANT, suspended=[flag]),
            VARIANT,
            severity=Severity.MEDIUM,
            evidence={"suspended": [flag], "resource_id": VARIANT_ID},
        )
        for flag in FLAGS
    ],
    fails(
        SUSPENDED,
        "everything is suspended",
        a_target(VARIANT, suspended=FLAGS),
        VARIANT,
        severity=Severity.MEDIUM,
        evidence={"suspended": list(FLAGS)},
    ),
    fails(
        SUSPENDED,
        "a component's scaling is suspended",
        a_target(COMPONENT, suspended=FLAGS[:1]),
        COMPONENT,
        severity=Severity.MEDIUM,
    ),
    passes(SUSPENDED, "every flag is off", a_target(VARIANT, SuspendedState=dict.fromkeys(FLAGS, False)), VARIANT),
    passes(SUSPENDED, "no flags", a_target(VARIANT), VARIANT),
    fails(
        SUSPENDED,
        "suspended on a target as old as the grace",
        a_target(VARIANT, suspended=FLAGS, created=ago(hours=4)),
        VARIANT,
        severity=Severity.MEDIUM,
        boundary="grace_hours",
    ),
    passes(
        SUSPENDED,
        "suspended on a target a second younger than the grace",
        a_target(VARIANT, suspended=FLAGS[:1], created=ago(hours=3, minutes=59, seconds=59)),
        VARIANT,
        evidence={"suspended": [FLAGS[0]]},
        boundary="grace_hours",
    ),
    passes(
        SUSPENDED,
        "suspended on a target younger than the grace of the policy",
        a_target(VARIANT, suspended=FLAGS, created=ago(hours=23)),
        VARIANT,
        params={"grace_hours": 24},
    ),
    *out_of_concern(SUSPENDED, suspended=FLAGS),
    is_unknown(
        SUSPENDED,
        "AWS gave no time, so that nobody knows the age of the target",
        a_target(VARIANT, suspended=FLAGS, created=None),
        VARIANT,
    ),
    is_unknown(
        SUSPENDED, "the endpoints could not be read", a_target(VARIANT, suspended=FLAGS), unread=[Part.ENDPOINTS]
    ),
]

CASES: list[Case] = [
    *VARIANT_NO_AUTOSCALING,
    *TARGET_WITHOUT_POLICY,
    *MIN_BELOW_TWO,
    *NO_HEADROOM,
    *AUTOSCALING_AT_MAX,
    *AUTOSCALING_SUSPENDED,
]
