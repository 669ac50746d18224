"""Inference components."""

from chalicelib.inventory.parts import Part
from chalicelib.report.findings import Severity
from samples.builders import (
    a_component,
    a_host_of_components,
    a_schedule,
    a_target,
    ago,
)
from samples.cases.case import Case, InDemo, does_not_apply, fails, is_unknown, passes

SINGLE_COPY = "inference-component-single-copy"
NO_BALANCE = "inference-component-no-az-balance"
COMPONENT = "inference-component-degraded"
BALANCE = {"AvailabilityZoneBalance": {"EnforcementMode": "PERMISSIVE"}}
BALANCED = {"ModelName": "churn-model", "SchedulingConfig": {"PlacementStrategy": "SPREAD", **BALANCE}}
PACKED = {"SchedulingConfig": {"PlacementStrategy": "BINPACK", **BALANCE}}
COMPONENT_NOT_IN_SERVICE = ("Creating", "Updating", "Deleting", "Failed")
UNBALANCED = {"SchedulingConfig": None}
IN_TRANSITION = ("Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting")
NOT_SERVING = ("Failed", "OutOfService")

COMPONENT_DEGRADED: list[Case] = [
    fails(
        COMPONENT,
        "a component that failed",
        a_component(status="Failed"),
        a_host_of_components(),
        severity=Severity.CRITICAL,
        evidence={"status": "Failed", "endpoint": "churn"},
        in_demo=[InDemo("inference-component agents-memory")],
    ),
    fails(
        COMPONENT,
        "short of a copy just longer than the grace",
        a_component(runtime={"CurrentCopyCount": 1}, modified=ago(minutes=30, seconds=1)),
        a_host_of_components(),
        severity=Severity.MEDIUM,
        evidence={"current_copies": 1, "desired_copies": 2},
        boundary="grace_minutes",
    ),
    passes(
        COMPONENT,
        "short of a copy for exactly the grace",
        a_component(runtime={"CurrentCopyCount": 1}, modified=ago(minutes=30)),
        a_host_of_components(),
        boundary="grace_minutes",
    ),
    passes(
        COMPONENT,
        "short of a copy for less than the grace of the policy",
        a_component(runtime={"CurrentCopyCount": 1}, modified=ago(minutes=40)),
        a_host_of_components(),
        params={"grace_minutes": 60},
        boundary="grace_minutes",
    ),
    *[
        fails(
            COMPONENT,
            f"{status} for just longer than an hour",
            a_component(status=status, modified=ago(hours=1, seconds=1)),
            a_host_of_components(),
            severity=Severity.MEDIUM,
            boundary="max_hours",
        )
        for status in ("Creating", "Updating")
    ],
    passes(
        COMPONENT,
        "Creating for an hour",
        a_component(status="Creating", modified=ago(hours=1)),
        a_host_of_components(),
        boundary="max_hours",
    ),
    passes(
        COMPONENT,
        "Creating for as long as the policy allows",
        a_component(status="Creating", modified=ago(hours=2)),
        a_host_of_components(),
        params={"max_hours": 2},
        boundary="max_hours",
    ),
    passes(COMPONENT, "as many copies as wanted", a_component(), a_host_of_components()),
    passes(COMPONENT, "asleep, as wanted", a_component(copies=0), a_host_of_components()),
    does_not_apply(
        COMPONENT, "a component that is being deleted", a_component(status="Deleting"), a_host_of_components()
    ),
    is_unknown(COMPONENT, "no copy counts were told", a_component(copies=None), a_host_of_components()),
    is_unknown(
        COMPONENT,
        "AWS gave no time",
        a_component(status="Creating", created=None, modified=None),
        a_host_of_components(),
    ),
]

COMPONENT_SINGLE_COPY: list[Case] = [
    fails(
        SINGLE_COPY,
        "one copy of a component that scales to zero on purpose",
        sleepy := a_component(copies=1),
        a_host_of_components(),
        a_target(sleepy, minimum=0),
        severity=Severity.LOW,
        evidence={"scales_to_zero": True},
    ),
    fails(
        SINGLE_COPY,
        "one copy of a component that scales down to one",
        drowsy := a_component(copies=1),
        a_host_of_components(),
        a_target(drowsy, minimum=1),
        severity=Severity.HIGH,
        evidence={"scales_to_zero": False},
        in_demo=[InDemo("inference-component agents-planner"), InDemo("inference-component agents-critic")],
    ),
    is_unknown(
        SINGLE_COPY,
        "one copy, and the targets could not be read",
        a_component(copies=1),
        a_host_of_components(),
        unread=[Part.TARGETS],
    ),
    fails(
        SINGLE_COPY,
        "one copy",
        a_component(copies=1),
        a_host_of_components(),
        severity=Severity.HIGH,
        evidence={"desired_copy_count": 1, "min_copies": 2, "endpoint": "churn", "variant": "AllTraffic"},
        boundary="min_copies",
    ),
    passes(
        SINGLE_COPY,
        "two copies",
        a_component(copies=2),
        a_host_of_components(),
        evidence={"desired_copy_count": 2, "min_copies": 2},
        boundary="min_copies",
    ),
    fails(
        SINGLE_COPY,
        "two copies where the policy wants three",
        a_component(copies=2),
        a_host_of_components(),
        params={"min_copies": 3},
        severity=Severity.HIGH,
        evidence={"min_copies": 3},
        boundary="min_copies",
    ),
    passes(
        SINGLE_COPY,
        "three copies where the policy wants three",
        a_component(copies=3),
        a_host_of_components(),
        params={"min_copies": 3},
        boundary="min_copies",
    ),
    fails(
        SINGLE_COPY,
        "scaling in from two copies to one",
        a_component(runtime={"DesiredCopyCount": 1, "CurrentCopyCount": 2}),
        a_host_of_components(),
        severity=Severity.HIGH,
    ),
    passes(
        SINGLE_COPY,
        "scaling out from one copy to two",
        a_component(runtime={"DesiredCopyCount": 2, "CurrentCopyCount": 1}),
        a_host_of_components(),
    ),
    fails(
        SINGLE_COPY,
        "one copy on several instances",
        a_component(copies=1),
        a_host_of_components(count=4),
        severity=Severity.HIGH,
    ),
    fails(
        SINGLE_COPY,
        "the component on which an adapter stands",
        a_component(copies=1),
        a_component("adapter", base="churn-component"),
        a_host_of_components(),
        severity=Severity.HIGH,
    ),
    does_not_apply(
        SINGLE_COPY,
        "an adapter of another component",
        a_component("adapter", copies=1, base="churn-component"),
        a_host_of_components(),
    ),
    does_not_apply(SINGLE_COPY, "scaled to zero", a_component(copies=0), a_host_of_components()),
    *[
        does_not_apply(
            SINGLE_COPY, f"a component that is {status}", a_component(copies=1, status=status), a_host_of_components()
        )
        for status in COMPONENT_NOT_IN_SERVICE
    ],
    *[
        does_not_apply(
            SINGLE_COPY, f"an endpoint that is {status}", a_component(copies=1), a_host_of_components(status=status)
        )
        for status in (*IN_TRANSITION, *NOT_SERVING)
    ],
    is_unknown(SINGLE_COPY, "no copy count was told", a_component(copies=None), a_host_of_components()),
    is_unknown(SINGLE_COPY, "the endpoints could not be read", a_component(copies=1), unread=[Part.ENDPOINTS]),
    is_unknown(
        SINGLE_COPY, "its endpoint could not be read", a_component(copies=1), unread=[(Part.ENDPOINTS, "churn")]
    ),
]

COMPONENT_NO_AZ_BALANCE: list[Case] = [
    fails(
        NO_BALANCE,
        "copies packed onto as few instances as possible",
        a_component(specification=PACKED),
        a_host_of_components(),
        severity=Severity.LOW,
        evidence={"packed": True},
    ),
    fails(
        NO_BALANCE,
        "the second of two specifications asks for no balance",
        a_component(specifications=[BALANCED, {"InstanceType": "ml.g6.xlarge"}]),
        a_host_of_components(),
        severity=Severity.LOW,
        evidence={"packed": False},
    ),
    passes(
        NO_BALANCE,
        "both specifications ask for a balance",
        a_component(specifications=[BALANCED, BALANCED]),
        a_host_of_components(),
    ),
    fails(
        NO_BALANCE,
        "two copies without a scheduling configuration",
        a_component(copies=2, specification=UNBALANCED),
        a_host_of_components(),
        severity=Severity.LOW,
        evidence={"desired_copy_count": 2, "endpoint": "churn"},
    ),
    fails(
        NO_BALANCE,
        "a scheduling configuration that tells only where copies are placed",
        a_component(copies=3, specification={"SchedulingConfig": {"PlacementStrategy": "SPREAD"}}),
        a_host_of_components(),
        severity=Severity.LOW,
        evidence={"desired_copy_count": 3},
    ),
    *[
        passes(
            NO_BALANCE,
            f"a balance that is {mode}",
            a_component(specification={"SchedulingConfig": {"AvailabilityZoneBalance": {"EnforcementMode": mode}}}),
            a_host_of_components(),
            evidence={"desired_copy_count": 2},
        )
        for mode in ("PERMISSIVE", "STRICT")
    ],
    does_not_apply(NO_BALANCE, "one copy", a_component(copies=1, specification=UNBALANCED), a_host_of_components()),
    fails(
        NO_BALANCE,
        "one copy by night, two once the schedule of the morning has come",
        a_component(copies=1, specification=UNBALANCED),
        a_host_of_components(),
        a_target(a_component(), minimum=1, maximum=1),
        a_schedule(a_component(), minimum=2, maximum=4),
        severity=Severity.LOW,
        evidence={"desired_copy_count": 2},
    ),
    does_not_apply(
        NO_BALANCE,
        "one copy, and a schedule that is over",
        a_component(copies=1, specification=UNBALANCED),
        a_host_of_components(),
        a_target(a_component(), minimum=1, maximum=1),
        a_schedule(a_component(), schedule="at(2025-01-01T00:00:00)", minimum=2, maximum=4),
    ),
    does_not_apply(
        NO_BALANCE, "scaled to zero", a_component(copies=0, specification=UNBALANCED), a_host_of_components()
    ),
    does_not_apply(
        NO_BALANCE,
        "an adapter of another component",
        a_component("adapter", base="churn-component", specification=UNBALANCED),
        a_host_of_components(),
    ),
    *[
        does_not_apply(
            NO_BALANCE,
            f"a component that is {status}",
            a_component(status=status, specification=UNBALANCED),
            a_host_of_components(),
        )
        for status in COMPONENT_NOT_IN_SERVICE
    ],
    *[
        does_not_apply(
            NO_BALANCE,
            f"an endpoint that is {status}",
            a_component(specification=UNBALANCED),
            a_host_of_components(status=status),
        )
        for status in (*IN_TRANSITION, *NOT_SERVING)
    ],
    is_unknown(
        NO_BALANCE,
        "no copy count was told",
        a_component(copies=None, specification=UNBALANCED),
        a_host_of_components(),
    ),
    is_unknown(
        NO_BALANCE,
        "the endpoints could not be read",
        a_component(specification=UNBALANCED),
        unread=[Part.ENDPOINTS],
    ),
]

CASES: list[Case] = [*COMPONENT_SINGLE_COPY, *COMPONENT_DEGRADED, *COMPONENT_NO_AZ_BALANCE]
