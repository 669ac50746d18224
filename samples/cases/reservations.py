"""Capacity that is reserved for a time."""

from typing import Any

from chalicelib.inventory.kinds.endpoints import Variant
from chalicelib.inventory.parts import Part
from chalicelib.report.findings import Severity
from samples.builders import (
    NOW,
    STEM,
    Aws,
    a_cluster,
    a_host_of_components,
    a_plan,
    a_schedule,
    a_target,
    a_variant,
    ago,
    managed_scaling,
)
from samples.cases.case import Case, InDemo, does_not_apply, fails, is_unknown, passes

ENDS, SMALL = "reservation-ends", "reservation-too-small"
PLAN = f"{STEM}:training-plan/large"
ON_THE_PLAN = a_cluster(
    InstanceGroups=[{"InstanceGroupName": "workers", "InstanceType": "ml.p5.48xlarge", "TrainingPlanArn": PLAN}]
)
ELSEWHERE = a_cluster(InstanceGroups=[{"InstanceGroupName": "workers", "InstanceType": "ml.p5.48xlarge"}])
BEGAN = ago(days=20)
ONLY: Aws = {"CapacityReservationPreference": "capacity-reservations-only", "MlReservationArn": PLAN}


def in_days(days: float) -> Any:
    """The moment so many days from now."""
    return ago(days=-days)


def on_reserved(total: int | None = 8, **variant: Any) -> Variant:
    """A variant on reserved capacity only; ``total`` are the instances that its endpoint tells of the reservation."""
    running = {"CapacityReservationConfig": {**ONLY, "TotalInstanceCount": total}} if total is not None else {}
    settings = {"CapacityReservationConfig": ONLY, **variant.pop("settings", {})}
    return a_variant(instance_type="ml.p5.48xlarge", running=running, settings=settings, **variant)


RESERVED, UNTOLD = on_reserved(), on_reserved(None)
MANAGED = a_host_of_components(
    running={"CapacityReservationConfig": {**ONLY, "TotalInstanceCount": 3}},
    settings={"CapacityReservationConfig": ONLY, **managed_scaling(1, 4)},
)

CASES: list[Case] = [
    fails(
        ENDS,
        "a cluster group stands on it, and it ends within the week",
        a_plan((BEGAN, in_days(7))),
        ON_THE_PLAN,
        severity=Severity.HIGH,
        boundary="high_days",
        evidence={"days_left": 7, "cluster_groups": ["pretraining/workers"], "endpoints": [], "capacity_back": None},
        in_demo=[InDemo("training-plan research-2026")],
    ),
    fails(
        ENDS,
        "a little later than within the week",
        a_plan((BEGAN, in_days(7.01))),
        ON_THE_PLAN,
        severity=Severity.MEDIUM,
        boundary="high_days",
    ),
    fails(
        ENDS,
        "an endpoint stands on it, and it ends within the month",
        a_plan((BEGAN, in_days(30))),
        RESERVED,
        severity=Severity.MEDIUM,
        boundary="medium_days",
        evidence={"endpoints": ["churn"]},
    ),
    fails(
        ENDS,
        "a job runs on it, asked for earlier",
        a_plan((BEGAN, in_days(20)), jobs=["pretraining-17"]),
        params={"high_days": 21},
        severity=Severity.HIGH,
        evidence={"training_jobs": ["pretraining-17"]},
    ),
    fails(
        ENDS,
        "a gap between two blocks is now",
        a_plan((BEGAN, ago(hours=1)), (in_days(2), in_days(90))),
        ON_THE_PLAN,
        severity=Severity.HIGH,
        evidence={"capacity_back": "2026-11-24 06:00 UTC"},
    ),
    fails(
        ENDS,
        "a second block that failed does not follow",
        a_plan((BEGAN, in_days(5)), EndTime=in_days(60)),
        ON_THE_PLAN,
        severity=Severity.HIGH,
    ),
    passes(ENDS, "it lasts", a_plan((BEGAN, in_days(30.01))), ON_THE_PLAN, boundary="medium_days"),
    passes(
        ENDS,
        "a later block follows",
        a_plan((BEGAN, in_days(5)), (in_days(5), in_days(90))),
        ON_THE_PLAN,
    ),
    passes(
        ENDS, "asked for later", a_plan((BEGAN, in_days(20))), ON_THE_PLAN, params={"high_days": 5, "medium_days": 10}
    ),
    does_not_apply(ENDS, "nothing stands on it", a_plan((BEGAN, in_days(1))), ELSEWHERE),
    does_not_apply(ENDS, "it is over", a_plan((BEGAN, NOW), status="Expired"), ON_THE_PLAN),
    does_not_apply(ENDS, "audited by its name alone", a_plan((BEGAN, in_days(1))), whole=False),
    is_unknown(ENDS, "a state that is not known", a_plan((BEGAN, in_days(1)), status="Suspended"), ON_THE_PLAN),
    is_unknown(ENDS, "AWS gave no end", a_plan(), ON_THE_PLAN),
    is_unknown(ENDS, "clusters were denied", a_plan((BEGAN, in_days(1))), unread=[Part.CLUSTERS]),
    fails(
        SMALL,
        "its target allows more",
        RESERVED,
        a_target(RESERVED, maximum=9),
        severity=Severity.MEDIUM,
        evidence={"reserved_instances": 8, "max_capacity": 9, "reservation": PLAN, "managed": False},
        in_demo=[InDemo("endpoint-variant translation-large/AllTraffic")],
    ),
    fails(
        SMALL,
        "a scheduled action will allow more",
        RESERVED,
        a_target(RESERVED, maximum=8),
        a_schedule(RESERVED, maximum=10),
        severity=Severity.MEDIUM,
    ),
    fails(SMALL, "managed scaling allows more", MANAGED, severity=Severity.MEDIUM, evidence={"managed": True}),
    fails(
        SMALL,
        "its training plan tells the instances",
        UNTOLD,
        a_target(UNTOLD, maximum=9),
        a_plan((BEGAN, in_days(90))),
        severity=Severity.MEDIUM,
        evidence={"reserved_instances": 8},
    ),
    passes(SMALL, "its reservation holds the maximum", RESERVED, a_target(RESERVED, maximum=8)),
    does_not_apply(SMALL, "on demand", a_variant()),
    does_not_apply(SMALL, "nothing scales it", RESERVED),
    is_unknown(SMALL, "nobody tells the instances", UNTOLD, a_target(UNTOLD, maximum=9)),
    is_unknown(SMALL, "training plans were denied", UNTOLD, a_target(UNTOLD, maximum=9), unread=[Part.PLANS]),
]
