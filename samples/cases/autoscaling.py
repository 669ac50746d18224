"""Automatic scaling."""

from collections.abc import Callable, Iterable
from typing import Any

from chalicelib.inventory.kinds.components import InferenceComponent
from chalicelib.inventory.kinds.endpoints import Variant
from chalicelib.inventory.kinds.scaling import PROVISIONED_DIMENSION, ScalableTarget, ScalingActivity, ScalingPolicy
from chalicelib.inventory.parts import Part
from chalicelib.report.findings import Severity
from samples.builders import (
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
from samples.cases.case import Case, InDemo, does_not_apply, fails, is_unknown, passes
from samples.cases.instances import IN_TRANSITION, NOT_SERVING

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

    def case(name: str, of: Scaled, *around: Given) -> Case:
        return does_not_apply(rule, name, judged(of, **described), *beside(of), *around)

    concurrency = judged(VARIANT, **{**described, "ScalableDimension": PROVISIONED_DIMENSION})
    adapter = a_component("adapter", base="churn-component")
    return [
        case("the endpoint does not exist", VARIANT),
        case("the variant does not exist", "endpoint/churn/variant/Gone", VARIANT),
        case("the component does not exist", COMPONENT),
        does_not_apply(rule, "provisioned concurrency of instances", concurrency, *beside(VARIANT), VARIANT),
        case("a serverless variant", VARIANT, a_serverless_variant()),
        case("a shadow variant", VARIANT, a_variant(shadow=True, asynchronous=asynchronous)),
        case("an adapter of another component", adapter, adapter, a_host_of_components()),
        *[
            case(f"an endpoint that is {status}", VARIANT, a_variant(status=status, asynchronous=asynchronous))
            for status in (*IN_TRANSITION, *NOT_SERVING)
        ],
    ]


CONCURRENCY = {"ServerlessConfig": {"MemorySizeInMB": 2048, "MaxConcurrency": 20, "ProvisionedConcurrency": 4}}
CONCURRENT = a_serverless_variant(running={"CurrentServerlessConfig": CONCURRENCY["ServerlessConfig"]})


def concurrency_target(minimum: int = 1, maximum: int = 8, **described: Any) -> ScalableTarget:
    """The target of a serverless variant's provisioned concurrency."""
    return a_target(VARIANT, minimum=minimum, maximum=maximum, ScalableDimension=PROVISIONED_DIMENSION, **described)


def reserved(preference: str) -> dict[str, Any]:
    """Settings of a variant that stands on a capacity reservation."""
    return {"CapacityReservationConfig": {"CapacityReservationPreference": preference}}


#: Scheduled actions that are over: past EndTime, past its one moment, past its last year.
OVER: dict[str, dict[str, Any]] = {
    "ended": {"EndTime": ago(seconds=1)},
    "came once": {"schedule": "at(2026-11-22T05:59:59)"},
    "came once in Auckland": {"schedule": "at(2026-11-22T18:59:00)", "Timezone": "Pacific/Auckland"},
    "had its last year": {"schedule": "cron(0 6 * * ? 2024-2025)"},
    "came once in a zone that is not known": {"schedule": "at(2026-11-21T17:59:00)", "Timezone": "Mars/Olympus"},
}
LIVE: dict[str, dict[str, Any]] = {
    "comes every morning": {},
    "begins next year": {"StartTime": ago(days=-60)},
    "ends in a second": {"EndTime": ago(seconds=-1)},
    "will come once": {"schedule": "at(2026-11-22T06:00:01)"},
    "will come once in New York": {"schedule": "at(2026-11-22T01:01:00)", "Timezone": "America/New_York"},
    "comes every hour": {"schedule": "rate(1 hour)"},
    "has a year left": {"schedule": "cron(0 6 * * ? 2026)"},
    "comes every day in a zone that is not known": {"Timezone": "Mars/Olympus"},
    "will come once in a zone that is not known": {"schedule": "at(2026-11-22T20:01:00)", "Timezone": "Mars/Olympus"},
    "is not understood": {"schedule": "whenever"},
}
#: Close enough for the time zone to decide, which is not known.
IN_DOUBT: dict[str, Any] = {"schedule": "at(2026-11-22T06:00:00)", "Timezone": "Mars/Olympus"}

VARIANT_NO_AUTOSCALING: list[Case] = [
    fails(
        NONE,
        "neither a target nor managed instance scaling",
        VARIANT,
        severity=Severity.MEDIUM,
        evidence={"resource_id": VARIANT_ID, "desired_instance_count": 2},
        in_demo=[
            InDemo("endpoint-variant recommendations-emb/AllTraffic"),
            InDemo("endpoint-variant face-matching/AllTraffic", told_with="endpoint-idle"),
            InDemo("endpoint-variant recommendations-ab/challenger", told_with="endpoint-idle"),
        ],
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
        evidence={"asynchronous": True},
        in_demo=[InDemo("endpoint-variant speech-to-text/AllTraffic")],
    ),
    fails(
        NONE,
        "a component without a target",
        COMPONENT,
        a_host_of_components(),
        severity=Severity.MEDIUM,
        evidence={"resource_id": COMPONENT_ID, "desired_copy_count": 2},
        in_demo=[InDemo("inference-component agents-critic")],
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
    # AWS takes it on endpoints of inference components only; older ones have it without effect.
    fails(
        NONE,
        "managed instance scaling of a variant with a model, as it runs",
        a_variant(running=managed_scaling(2)),
        severity=Severity.MEDIUM,
        evidence={"managed_without_effect": True},
        in_demo=[
            InDemo(
                "endpoint-variant tariff-search/AllTraffic",
                remark="Managed instance scaling has no effect on a variant with a model.",
            )
        ],
    ),
    fails(
        NONE,
        "managed instance scaling of a variant with a model, as configured",
        a_variant(settings=managed_scaling(2, 6)),
        severity=Severity.MEDIUM,
        evidence={"managed_without_effect": True},
    ),
    fails(
        NONE,
        "provisioned concurrency",
        CONCURRENT,
        severity=Severity.LOW,
        evidence={"provisioned_concurrency": 4, "resource_id": VARIANT_ID},
    ),
    fails(
        NONE,
        "provisioned concurrency, told by the config alone",
        a_serverless_variant(settings=CONCURRENCY),
        severity=Severity.LOW,
    ),
    passes(NONE, "a target of provisioned concurrency", CONCURRENT, concurrency_target()),
    fails(
        NONE,
        "a target of instances says nothing of provisioned concurrency",
        CONCURRENT,
        a_target(VARIANT),
        severity=Severity.LOW,
    ),
    # "You can't register a variant with a burstable instance": developer guide, add a scaling policy in the console.
    does_not_apply(NONE, "burstable instances cannot be registered", a_variant(instance_type="ml.t2.medium")),
    passes(NONE, "burstable instances with a target", a_variant(instance_type="ml.t2.medium"), a_target(VARIANT)),
    does_not_apply(NONE, "reserved capacity only", a_variant(settings=reserved("capacity-reservations-only"))),
    fails(
        NONE,
        "reserved capacity first",
        a_variant(settings=reserved("capacity-reservations-first")),
        severity=Severity.MEDIUM,
    ),
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
    does_not_apply(NONE, "a serverless variant without provisioned concurrency", a_serverless_variant()),
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
            "asynchronous": False,
        },
        in_demo=[InDemo("scalable-target kyc-checks/AllTraffic")],
    ),
    fails(
        NO_POLICY,
        "neither, of an asynchronous endpoint, which is scaled by its queue",
        a_target(VARIANT),
        a_variant(asynchronous=True),
        severity=Severity.MEDIUM,
        evidence={"asynchronous": True},
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
        in_demo=[InDemo("scalable-target embed-large")],
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
    *[
        passes(NO_POLICY, f"a scheduled action {name}", a_target(VARIANT), VARIANT, a_schedule(VARIANT, **described))
        for name, described in LIVE.items()
    ],
    *[
        fails(
            NO_POLICY,
            f"a scheduled action {name}",
            a_target(VARIANT),
            VARIANT,
            a_schedule(VARIANT, name="over", **described),
            severity=Severity.MEDIUM,
            evidence={"scheduled_actions_over": ["over"]},
        )
        for name, described in OVER.items()
    ],
    is_unknown(NO_POLICY, "a time zone that decides", a_target(VARIANT), VARIANT, a_schedule(VARIANT, **IN_DOUBT)),
    fails(NO_POLICY, "provisioned concurrency", concurrency_target(), CONCURRENT, severity=Severity.MEDIUM),
    *out_of_concern(NO_POLICY),
    is_unknown(NO_POLICY, "the policies could not be read", a_target(VARIANT), VARIANT, unread=[Part.POLICIES]),
    is_unknown(
        NO_POLICY, "the scheduled actions could not be read", a_target(VARIANT), VARIANT, unread=[Part.SCHEDULES]
    ),
    is_unknown(NO_POLICY, "the endpoints could not be read", a_target(VARIANT), unread=[Part.ENDPOINTS]),
    is_unknown(NO_POLICY, "the endpoint could not be read", a_target(VARIANT), unread=[(Part.ENDPOINTS, "churn")]),
    is_unknown(NO_POLICY, "the components could not be read", a_target(COMPONENT), unread=[Part.COMPONENTS]),
]

AT_NIGHT = [
    InDemo("scalable-target loyalty-offers/AllTraffic", remark="One instance at night, whatever the hour of the audit.")
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
        in_demo=[
            InDemo("scalable-target email-classifier/AllTraffic"),
            InDemo("scalable-target warehouse-slots/AllTraffic", told_with="endpoint-single-instance"),
        ],
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
        in_demo=[InDemo("endpoint-variant llm-agents/AllTraffic")],
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
        "managed instance scaling of a variant with a model, which has no effect",
        a_variant(running=managed_scaling(1)),
    ),
    fails(
        MINIMUM,
        "a component scales down to one copy",
        a_target(COMPONENT, minimum=1),
        COMPONENT,
        a_host_of_components(),
        severity=Severity.MEDIUM,
        evidence={"min_capacity": 1, "resource_id": COMPONENT_ID},
        in_demo=[InDemo("scalable-target agents-planner", told_with="inference-component-single-copy")],
    ),
    passes(MINIMUM, "a component never scales below two copies", a_target(COMPONENT), COMPONENT),
    passes(MINIMUM, "a component scales to zero on purpose", a_target(COMPONENT, minimum=0), COMPONENT),
    does_not_apply(MINIMUM, "provisioned concurrency", concurrency_target(), CONCURRENT),
    *[
        fails(
            MINIMUM,
            f"a scheduled action leaves one instance {when}",
            a_target(VARIANT, minimum=minimum),
            a_variant(count=minimum),
            a_schedule(VARIANT, name="night", minimum=1),
            a_schedule(VARIANT, name="day", minimum=2),
            severity=Severity.MEDIUM,
            evidence={"min_capacity": 1, "scheduled_actions": ["night", "day"]},
            in_demo=in_demo,
        )
        for when, minimum, in_demo in (("by day", 2, []), ("by night", 1, AT_NIGHT))
    ],
    *[
        passes(
            MINIMUM,
            f"a scheduled action that {name} left one instance",
            a_target(VARIANT, minimum=2),
            VARIANT,
            a_schedule(VARIANT, minimum=1, **described),
        )
        for name, described in OVER.items()
    ],
    passes(
        MINIMUM,
        "a scheduled action goes to zero on purpose",
        a_target(COMPONENT, minimum=2),
        COMPONENT,
        a_schedule(COMPONENT, minimum=0, maximum=0),
        evidence={"min_capacity": 0},
    ),
    passes(
        MINIMUM,
        "a scheduled action of another variant leaves one instance",
        a_target(VARIANT, minimum=2),
        VARIANT,
        a_schedule("endpoint/churn/variant/B", minimum=1),
    ),
    is_unknown(
        MINIMUM,
        "a time zone that decides",
        a_target(VARIANT, minimum=2),
        VARIANT,
        a_schedule(VARIANT, minimum=1, **IN_DOUBT),
    ),
    is_unknown(MINIMUM, "the scheduled actions could not be read", a_target(VARIANT), VARIANT, unread=[Part.SCHEDULES]),
    is_unknown(MINIMUM, "the managed maximum was not told", a_host_of_components(running=managed_scaling(1, None))),
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

#: What a scheduled action sets of a target between two and two.
ROOM: dict[str, dict[str, Any]] = {
    "both limits": {"minimum": 2, "maximum": 6},
    "a higher maximum": {"maximum": 6},
    "a lower minimum": {"minimum": 1},
}

NO_HEADROOM: list[Case] = [
    fails(
        HEADROOM,
        "minimum and maximum are the same",
        a_target(VARIANT, minimum=2, maximum=2),
        VARIANT,
        severity=Severity.MEDIUM,
        evidence={"min_capacity": 2, "max_capacity": 2, "resource_id": VARIANT_ID},
        in_demo=[InDemo("scalable-target session-intent/AllTraffic")],
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
        in_demo=[InDemo("scalable-target embed-small")],
    ),
    fails(
        HEADROOM,
        "a scheduled action changes the capacity, and no load does",
        a_target(VARIANT, minimum=2, maximum=2),
        VARIANT,
        a_schedule(VARIANT, name="day", minimum=4, maximum=4),
        severity=Severity.MEDIUM,
        evidence={"scheduled_actions": ["day"]},
    ),
    *[
        passes(
            HEADROOM,
            f"a scheduled action gives it room by {what}",
            a_target(VARIANT, minimum=2, maximum=2),
            VARIANT,
            a_schedule(VARIANT, **limits),
        )
        for what, limits in ROOM.items()
    ],
    fails(
        HEADROOM,
        "a scheduled action that is over gave it room",
        a_target(VARIANT, minimum=2, maximum=2),
        VARIANT,
        a_schedule(VARIANT, maximum=6, EndTime=ago(days=1)),
        severity=Severity.MEDIUM,
    ),
    fails(
        HEADROOM,
        "managed instance scaling between the same numbers",
        a_host_of_components(running=managed_scaling(2, 2)),
        severity=Severity.MEDIUM,
        evidence={"min_capacity": 2, "max_capacity": 2, "managed": True, "resource_id": VARIANT_ID},
    ),
    passes(HEADROOM, "managed instance scaling with room", a_host_of_components(running=managed_scaling(2, 3))),
    does_not_apply(HEADROOM, "a variant that a target scales", VARIANT, a_target(VARIANT, minimum=2, maximum=2)),
    does_not_apply(HEADROOM, "managed instance scaling without effect", a_variant(running=managed_scaling(2, 2))),
    is_unknown(HEADROOM, "the managed maximum was not told", a_host_of_components(running=managed_scaling(2, None))),
    is_unknown(
        HEADROOM,
        "the scheduled actions could not be read",
        a_target(VARIANT, minimum=2, maximum=2),
        VARIANT,
        unread=[Part.SCHEDULES],
    ),
    fails(HEADROOM, "provisioned concurrency", concurrency_target(4, 4), CONCURRENT, severity=Severity.MEDIUM),
    passes(HEADROOM, "room for one instance more", a_target(VARIANT, minimum=2, maximum=3), VARIANT),
    passes(HEADROOM, "room for one copy more", a_target(COMPONENT, minimum=2, maximum=3), COMPONENT),
    *out_of_concern(HEADROOM, minimum=2, maximum=2),
    is_unknown(HEADROOM, "the maximum was not told", a_target(VARIANT, maximum=None), VARIANT),
    is_unknown(HEADROOM, "the minimum was not told", a_target(VARIANT, minimum=None), VARIANT),
    is_unknown(HEADROOM, "the endpoints could not be read", a_target(VARIANT, maximum=2), unread=[Part.ENDPOINTS]),
]

SCALED_TO_MAX = [("scaled-to-max", VARIANT_ID)]
REFUSED = an_activity(VARIANT, not_scaled=["AlreadyAtMaxCapacity"])


def refused_at(maximum: int) -> ScalingActivity:
    """An activity that wanted to go beyond this maximum."""
    reason = {"Code": "AlreadyAtMaxCapacity", "MaxCapacity": maximum, "MinCapacity": 1, "CurrentCapacity": maximum}
    return an_activity(VARIANT, NotScaledReasons=[reason])


AUTOSCALING_AT_MAX: list[Case] = [
    fails(
        AT_MAX,
        "as many instances as allowed for a long time",
        a_target(VARIANT, maximum=4),
        a_variant(count=4),
        severity=Severity.MEDIUM,
        evidence={"desired": 4, "max_capacity": 4, "min_capacity": 2, "told_by": "desired count"},
        in_demo=[
            InDemo(
                "scalable-target ad-click-rate/AllTraffic",
                # "Scaling activities for Application Auto Scaling": its StatusCode is Failed all the same.
                remark="Its newest activity was not scaled for a reason, which is no failure.",
            )
        ],
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
    *[
        fails(
            AT_MAX,
            f"an activity wanted to go beyond {count}, and the maximum is four",
            a_target(VARIANT, maximum=4),
            VARIANT,
            refused_at(count),
            severity=Severity.MEDIUM,
            evidence={"told_by": "scaling activity not scaled: AlreadyAtMaxCapacity"},
        )
        for count in (4, 5)
    ],
    passes(
        AT_MAX,
        "an activity wanted to go beyond, and the maximum was raised since",
        a_target(VARIANT, maximum=4),
        VARIANT,
        refused_at(3),
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
    fails(
        AT_MAX,
        "awake at its maximum of one",
        a_target(COMPONENT, minimum=0, maximum=1),
        a_component(copies=1),
        severity=Severity.LOW,
        evidence={"told_by": "desired count"},
    ),
    fails(
        AT_MAX,
        "zero to two is not asleep or awake",
        a_target(COMPONENT, minimum=0, maximum=2),
        a_component(copies=2),
        severity=Severity.MEDIUM,
    ),
    fails(
        AT_MAX,
        "managed instance scaling at its maximum",
        a_host_of_components(count=4, running=managed_scaling(1, 4)),
        severity=Severity.MEDIUM,
        evidence={"desired": 4, "max_capacity": 4, "managed": True},
    ),
    fails(
        AT_MAX,
        "managed instance scaling awake at its maximum of one",
        a_host_of_components(count=1, running=managed_scaling(0, 1)),
        severity=Severity.LOW,
    ),
    passes(
        AT_MAX, "managed instance scaling below its maximum", a_host_of_components(count=3, running=managed_scaling(1))
    ),
    does_not_apply(
        AT_MAX, "managed instance scaling without room", a_host_of_components(running=managed_scaling(2, 2))
    ),
    does_not_apply(AT_MAX, "a variant that a target scales", a_variant(count=4), a_target(VARIANT, maximum=4)),
    fails(
        AT_MAX,
        "provisioned concurrency at its maximum",
        concurrency_target(1, 4),
        CONCURRENT,
        severity=Severity.MEDIUM,
        evidence={"desired": 4},
    ),
    passes(AT_MAX, "provisioned concurrency below its maximum", concurrency_target(1, 8), CONCURRENT),
    is_unknown(AT_MAX, "no provisioned concurrency was told", concurrency_target(1, 8), a_serverless_variant()),
    does_not_apply(
        AT_MAX,
        "a scheduled action has set the minimum to the maximum",
        a_target(VARIANT, minimum=4, maximum=4),
        a_variant(count=4),
        a_schedule(VARIANT, minimum=4, maximum=4),
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
        in_demo=[InDemo("scalable-target card-disputes/AllTraffic")],
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
