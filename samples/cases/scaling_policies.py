"""Scaling policies and what they hang on."""

from chalicelib.inventory.kinds.scaling import COPY_DIMENSION, INSTANCE_DIMENSION, PROVISIONED_DIMENSION, ScalingPolicy
from chalicelib.inventory.parts import Part
from chalicelib.report.findings import Severity
from samples.builders import (
    Given,
    a_benchmark,
    a_component,
    a_host_of_components,
    a_load_test,
    a_model,
    a_policy,
    a_schedule,
    a_serverless_variant,
    a_step_policy,
    a_target,
    a_variant,
    ago,
    an_activity,
    an_endpoint_without_variants,
    managed_scaling,
)
from samples.cases.autoscaling import (
    COMPONENT,
    COMPONENT_ID,
    CONCURRENT,
    VARIANT,
    VARIANT_ID,
    Scaled,
    concurrency_target,
    out_of_concern,
)
from samples.cases.case import Case, InDemo, does_not_apply, fails, is_unknown, passes
from samples.cases.instances import IN_TRANSITION, NOT_SERVING
from samples.cases.scaled import CONFIG_UNREAD, CUSTOM, HOSTING, OTHER_ID, UNCONFIGURED, a_predictive_policy, predefined

SCALE_IN = "autoscaling-scale-in-disabled"
COOLDOWN = "autoscaling-cooldown-inverted"
ACTIVITY = "autoscaling-activity-failed"
ORPHANED = "autoscaling-orphaned-target"
BURSTABLE = "autoscaling-burstable-instance"
HOST = "inference-component-host-fixed"
UNTESTED = "autoscaling-untested-target"

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
        in_demo=[InDemo("scalable-target coupon-targeting/AllTraffic")],
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
    *[
        passes(
            SCALE_IN,
            f"a scheduled action lowers the maximum, {when}",
            a_target(VARIANT, maximum=maximum),
            VARIANT,
            a_policy(VARIANT, tracking=ONLY_OUT),
            a_schedule(VARIANT, name="night", minimum=2, maximum=2),
            a_schedule(VARIANT, name="day", minimum=2, maximum=6),
            evidence={"scheduled_actions": ["night"]},
        )
        for when, maximum in (("by day", 6), ("by night", 2))
    ],
    *[
        fails(
            SCALE_IN,
            f"a scheduled action {what}",
            a_target(VARIANT),
            VARIANT,
            a_policy(VARIANT, tracking=ONLY_OUT),
            a_schedule(VARIANT, **described),
            severity=Severity.LOW,
        )
        for what, described in (
            ("lowers the minimum alone", {"minimum": 1}),
            ("keeps the maximum", {"maximum": 4}),
            ("lowered the maximum and is over", {"maximum": 2, "EndTime": ago(days=1)}),
        )
    ],
    is_unknown(
        SCALE_IN,
        "the scheduled actions could not be read",
        a_target(VARIANT),
        VARIANT,
        a_policy(VARIANT, tracking=ONLY_OUT),
        unread=[Part.SCHEDULES],
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


def stepping(adjustment: int, cooldown: int) -> ScalingPolicy:
    """A step policy with this cooldown in seconds."""
    steps = {
        "AdjustmentType": "ChangeInCapacity",
        "Cooldown": cooldown,
        "StepAdjustments": [{"MetricIntervalLowerBound": 0.0, "ScalingAdjustment": adjustment}],
    }
    return a_policy(
        VARIANT,
        PolicyType="StepScaling",
        TargetTrackingScalingPolicyConfiguration=None,
        StepScalingPolicyConfiguration=steps,
    )


COOLDOWN_INVERTED: list[Case] = [
    fails(
        COOLDOWN,
        "takes away a second sooner than it adds",
        waiting(299, 300),
        VARIANT,
        severity=Severity.LOW,
        evidence={"scale_in_cooldown": 299, "scale_out_cooldown": 300, "max_scale_out": 900, "min_scale_in": 60},
        in_demo=[InDemo("scaling-policy delivery-eta/AllTraffic/target-tracking")],
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
    passes(COOLDOWN, "a step policy that adds waits by default", a_step_policy(VARIANT), VARIANT),
    passes(COOLDOWN, "a step policy that adds at once", stepping(1, 0), VARIANT),
    fails(COOLDOWN, "a step policy waits too long to add", stepping(1, 901), VARIANT, severity=Severity.LOW),
    passes(COOLDOWN, "a step policy waits long to take away", stepping(-1, 901), VARIANT),
    fails(
        COOLDOWN,
        "a step policy takes away sooner than it may",
        stepping(-1, 59),
        VARIANT,
        severity=Severity.LOW,
        evidence={"scale_in_cooldown": 59, "scale_out_cooldown": None},
    ),
    does_not_apply(COOLDOWN, "a forecast", a_predictive_policy(VARIANT), VARIANT),
    *out_of_concern(COOLDOWN, judged=a_policy, tracking={"ScaleInCooldown": 0, "ScaleOutCooldown": 1_000}),
    is_unknown(COOLDOWN, "the endpoints could not be read", waiting(0, 0), unread=[Part.ENDPOINTS]),
    is_unknown(COOLDOWN, "the components could not be read", waiting(0, 0, COMPONENT), unread=[Part.COMPONENTS]),
]

# ---- activities


def failing(number: int) -> list[Given]:
    """So many activities that failed one after the other, the last of them three hours ago."""
    return [an_activity(VARIANT, status="Failed", started=ago(hours=3 + back)) for back in range(number)]


NOT_WANTED = ["AutoScalingAnticipatedFlapping", "AlreadyAtMinCapacity", "AlreadyAtDesiredCapacity"]

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
    *[
        passes(
            ACTIVITY,
            f"{failures} in a row failed, and a later one succeeded",
            a_target(VARIANT),
            VARIANT,
            *failing(failures),
            an_activity(VARIANT, started=ago(hours=2)),
        )
        for failures in (1, 2)
    ],
    fails(
        ACTIVITY,
        "three in a row failed, and a later one succeeded",
        a_target(VARIANT),
        VARIANT,
        *failing(3),
        an_activity(VARIANT, started=ago(hours=2)),
        severity=Severity.MEDIUM,
        evidence={"activities_failed": 3, "status": "Failed"},
    ),
    passes(
        ACTIVITY,
        "three failed, but not in a row",
        a_target(VARIANT),
        VARIANT,
        *failing(2),
        an_activity(VARIANT, started=ago(hours=9)),
        an_activity(VARIANT, status="Failed", started=ago(hours=10)),
        an_activity(VARIANT, started=ago(hours=2)),
    ),
    *[
        passes(
            ACTIVITY,
            f"the endpoint was in the middle of a change: {message}",
            a_target(VARIANT),
            VARIANT,
            an_activity(VARIANT, status="Failed", StatusMessage=message),
            an_activity(VARIANT, started=ago(hours=2)),
        )
        for message in (
            "Failed to set desired instance count to 4. Reason: the endpoint is Updating",
            "Cannot update in-progress endpoint",
        )
    ],
    *[
        fails(
            ACTIVITY,
            f"AWS had no capacity: {message}",
            a_target(VARIANT),
            VARIANT,
            an_activity(VARIANT, status="Failed", StatusMessage=message),
            severity=Severity.MEDIUM,
            evidence={"lacks_capacity": True},
            in_demo=in_demo,
        )
        for message, in_demo in (
            (
                "Unable to provision requested ML compute capacity due to InsufficientInstanceCapacity error",
                [InDemo("scalable-target visual-search/AllTraffic")],
            ),
            ("insufficient capacity (ICE)", []),
        )
    ],
    fails(
        ACTIVITY,
        "a quota is no lack of capacity",
        a_target(VARIANT),
        VARIANT,
        an_activity(VARIANT, status="Failed", StatusMessage="ResourceLimitExceeded: the account-level service limit"),
        severity=Severity.MEDIUM,
        evidence={"lacks_capacity": False},
    ),
    fails(
        ACTIVITY,
        "of provisioned concurrency",
        concurrency_target(),
        CONCURRENT,
        an_activity(VARIANT, status="Failed", ScalableDimension=PROVISIONED_DIMENSION),
        severity=Severity.MEDIUM,
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
        "an activity was not scaled for a reason",
        a_target(VARIANT),
        VARIANT,
        an_activity(VARIANT, status="Unfulfilled", not_scaled=["AlreadyAtMaxCapacity"]),
    ),
    # "Scaling activities for Application Auto Scaling": what was not scaled stands there with the status Failed
    passes(
        ACTIVITY,
        "three activities in a row that AWS calls Failed, as it did not want to scale",
        a_target(VARIANT),
        VARIANT,
        *[
            an_activity(VARIANT, status="Failed", not_scaled=[code], started=ago(hours=hour))
            for hour, code in enumerate(NOT_WANTED, 1)
        ],
        evidence={"activities": 0},
    ),
    fails(
        ACTIVITY,
        "a failure among activities that were not wanted",
        a_target(VARIANT),
        VARIANT,
        an_activity(VARIANT, status="Failed", not_scaled=NOT_WANTED[:1], started=ago(hours=1)),
        an_activity(VARIANT, status="Failed", started=ago(hours=2)),
        severity=Severity.MEDIUM,
        evidence={"activities_failed": 1},
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
        in_demo=[InDemo("scalable-target legacy-scoring/AllTraffic")],
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

BURSTABLE_IN_DEMO = [
    InDemo(
        "scalable-target thumbnail-quality/AllTraffic",
        # "Configure model auto scaling with the console": registration checks that the type is not burstable. What was
        # registered stays when the endpoint is deleted by somebody who may not deregister it ("Automatic scaling
        # considerations"), and is there when the endpoint is made again.
        remark="Left by an endpoint of the same name: AWS registers none on a burstable type.",
    )
]
BURSTABLE_INSTANCE: list[Case] = [
    *[
        fails(
            BURSTABLE,
            instance_type,
            a_target(VARIANT),
            a_variant(instance_type=instance_type),
            severity=Severity.MEDIUM,
            evidence={"instance_type": instance_type, "families": ["t2"], "resource_id": VARIANT_ID},
            in_demo=in_demo,
        )
        for instance_type, in_demo in (
            ("ml.t2.medium", BURSTABLE_IN_DEMO),
            ("ml.t2.2xlarge", []),
        )
    ],
    fails(
        BURSTABLE,
        "one of the instance pools",
        a_target(VARIANT),
        a_variant(
            instance_type=None,
            settings={"InstancePools": [{"InstanceType": "ml.m5.large"}, {"InstanceType": "ml.t2.large"}]},
        ),
        severity=Severity.MEDIUM,
        evidence={"instance_type": "ml.m5.large, ml.t2.large"},
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
        a_variant(instance_type="ml.t2.large"),
        params={"families": ["t3"]},
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

# ---- instances under components

ON_ONE = {"ComputeResourceRequirements": {"NumberOfAcceleratorDevicesRequired": 1.0, "MinMemoryRequiredInMb": 1024}}
COMPONENT_OF_ONE = a_component(specification=ON_ONE)
#: Four GPUs on each of at most two instances.
TWO_OF_FOUR = a_host_of_components(instance_type="ml.g5.12xlarge", running=managed_scaling(1, 2))

HOST_FIXED: list[Case] = [
    fails(
        HOST,
        "a component scales on instances that do not",
        HOSTING,
        COMPONENT,
        a_target(COMPONENT),
        severity=Severity.MEDIUM,
        evidence={
            "components": ["churn-component"],
            "desired_instance_count": 2,
            "resource_id": VARIANT_ID,
            "problem": "fixed",
        },
        in_demo=[InDemo("endpoint-variant llm-embeddings/AllTraffic")],
    ),
    fails(
        HOST,
        "managed instance scaling between the same numbers",
        a_host_of_components(running=managed_scaling(2, 2)),
        COMPONENT,
        a_target(COMPONENT),
        severity=Severity.MEDIUM,
        evidence={"problem": "pinned", "min_capacity": 2, "max_capacity": 2, "managed": True},
    ),
    fails(
        HOST,
        "a target of the instances between the same numbers",
        HOSTING,
        COMPONENT,
        a_target(COMPONENT),
        a_target(HOSTING, minimum=2, maximum=2),
        severity=Severity.MEDIUM,
        evidence={"problem": "pinned", "managed": False},
    ),
    passes(
        HOST,
        "a scheduled action gives the instances room",
        HOSTING,
        COMPONENT,
        a_target(COMPONENT),
        a_target(HOSTING, minimum=2, maximum=2),
        a_schedule(HOSTING, maximum=4),
    ),
    passes(
        HOST,
        "room for eight accelerators, and the components want eight",
        TWO_OF_FOUR,
        COMPONENT_OF_ONE,
        a_component("still", copies=2, specification=ON_ONE),
        a_target(COMPONENT_OF_ONE, minimum=1, maximum=6),
    ),
    fails(
        HOST,
        "room for eight accelerators, and the components want nine",
        TWO_OF_FOUR,
        COMPONENT_OF_ONE,
        a_component("still", copies=3, specification=ON_ONE),
        a_target(COMPONENT_OF_ONE, minimum=1, maximum=6),
        severity=Severity.MEDIUM,
        evidence={"problem": "too small", "accelerators_needed": 9.0, "accelerators_at_most": 8},
    ),
    fails(
        HOST,
        "a scheduled action raises the copies above what has room",
        TWO_OF_FOUR,
        COMPONENT_OF_ONE,
        a_target(COMPONENT_OF_ONE, minimum=1, maximum=8),
        a_schedule(COMPONENT_OF_ONE, maximum=9),
        severity=Severity.MEDIUM,
        evidence={"problem": "too small"},
    ),
    is_unknown(
        HOST,
        "how many accelerators an instance has is not known",
        a_host_of_components(instance_type="ml.inf2.48xlarge", running=managed_scaling(1, 2)),
        COMPONENT_OF_ONE,
        a_target(COMPONENT_OF_ONE, minimum=1),
    ),
    fails(
        HOST,
        "every component may reach zero, and the instances may not",
        a_host_of_components(running=managed_scaling(1)),
        COMPONENT,
        a_target(COMPONENT, minimum=0),
        severity=Severity.LOW,
        evidence={"problem": "never at zero", "min_capacity": 1},
    ),
    passes(
        HOST,
        "one component of two may reach zero",
        a_host_of_components(running=managed_scaling(1)),
        COMPONENT,
        a_component("still"),
        a_target(COMPONENT, minimum=0),
    ),
    # The documentation's own way to scale an endpoint to zero: nothing is wrong with it.
    passes(
        HOST,
        "component and instances between zero and one",
        a_host_of_components(count=1, running=managed_scaling(0, 1), instance_type="ml.g5.xlarge"),
        awake := a_component(copies=1, specification=ON_ONE),
        a_target(awake, minimum=0, maximum=1),
    ),
    is_unknown(
        HOST,
        "the managed maximum was not told",
        a_host_of_components(running=managed_scaling(1, None)),
        COMPONENT,
        a_target(COMPONENT),
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
        in_demo=[InDemo("scaling-policy ad-click-rate/AllTraffic/target-tracking")],
    ),
    fails(
        UNTESTED,
        "the sample value of the documentation",
        a_policy(target_value=70.0),
        UNTAGGED,
        severity=Severity.LOW,
        evidence={"target_value": 70.0},
        in_demo=[InDemo("scaling-policy recommendations-ab/champion/target-tracking")],
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
    passes(
        UNTESTED,
        "a benchmark of the endpoint",
        a_policy(),
        UNTAGGED,
        a_benchmark(),
        evidence={"job": "churn-benchmark"},
    ),
    fails(
        UNTESTED, "a benchmark of another endpoint", a_policy(), UNTAGGED, a_benchmark("fraud"), severity=Severity.INFO
    ),
    fails(
        UNTESTED,
        "a benchmark a second too long ago",
        a_policy(),
        UNTAGGED,
        a_benchmark(completed=ago(days=180, seconds=1)),
        severity=Severity.INFO,
    ),
    does_not_apply(UNTESTED, "an event cannot tell of benchmarks", a_policy(), UNTAGGED, whole=False),
    is_unknown(UNTESTED, "the benchmarks could not be read", a_policy(), UNTAGGED, unread=[Part.BENCHMARKS]),
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
    *ACTIVITY_FAILED,
    *ORPHANED_TARGET,
    *BURSTABLE_INSTANCE,
    *HOST_FIXED,
    *UNTESTED_TARGET,
]
