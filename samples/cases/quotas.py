"""Service quotas of the instances under endpoints."""

from typing import Any

from chalicelib.inventory.kinds.endpoints import BatchSize, Variant
from chalicelib.inventory.parts import Part
from chalicelib.report.findings import Severity
from samples.builders import (
    a_host_of_components,
    a_quota,
    a_schedule,
    a_serverless_variant,
    a_target,
    a_variant,
    managed_scaling,
)
from samples.cases.case import Case, InDemo, does_not_apply, fails, is_unknown, passes

RULE = "autoscaling-max-above-quota"
TYPE = "ml.g5.xlarge"
RESERVED = {"CapacityReservationConfig": {"CapacityReservationPreference": "capacity-reservations-only"}}
POOLS = {"InstanceType": None, "InstancePools": [{"InstanceType": TYPE}, {"InstanceType": "ml.g4dn.xlarge"}]}


def on_gpus(endpoint: str = "churn", count: int | None = 1, **variant: Any) -> Variant:
    """A variant of an endpoint on the type of the quota."""
    return a_variant(endpoint=endpoint, count=count, instance_type=TYPE, **variant)


ONE, OTHER = on_gpus("ranking", count=2), on_gpus("search", count=2)
ALONE = on_gpus(count=2)

CASES: list[Case] = [
    fails(
        RULE,
        "one variant alone may reach beyond it",
        a_quota(TYPE, 5),
        ALONE,
        a_target(ALONE, maximum=6),
        severity=Severity.HIGH,
        evidence={
            "quota": 5,
            "may_reach": 6,
            "running": 2,
            "beyond_it_alone": ["churn/AllTraffic"],
            "variants": {"churn/AllTraffic": {"runs": 2, "may_reach": 6, "update": 2}},
        },
        in_demo=[InDemo("service-quota ml.c5.4xlarge for endpoint usage")],
    ),
    fails(
        RULE,
        "two variants may reach beyond it together",
        a_quota(TYPE, 5),
        ONE,
        OTHER,
        a_target(ONE, maximum=4),
        a_target(OTHER, maximum=4),
        severity=Severity.MEDIUM,
        evidence={"quota": 5, "may_reach": 8, "running": 4, "beyond_it_alone": [], "exceeded": True},
        in_demo=[InDemo("service-quota ml.g5.2xlarge for endpoint usage")],
    ),
    fails(
        RULE,
        "all types together may reach beyond the quota of all instances",
        a_quota(None, 7),
        ONE,
        a_variant(endpoint="search", count=2),
        a_target(ONE, maximum=6),
        severity=Severity.MEDIUM,
        evidence={"quota": 7, "may_reach": 8, "instance_type": None},
    ),
    fails(
        RULE,
        "a scheduled action will set the maximum beyond it",
        a_quota(TYPE, 5),
        ALONE,
        a_target(ALONE, maximum=4),
        a_schedule(ALONE, maximum=6),
        severity=Severity.HIGH,
        evidence={"may_reach": 6},
    ),
    fails(
        RULE,
        "managed scaling may reach beyond it",
        a_quota(TYPE, 3),
        a_host_of_components(instance_type=TYPE, settings=managed_scaling(1, 4)),
        severity=Severity.HIGH,
        evidence={"may_reach": 4},
    ),
    fails(
        RULE,
        "nothing scales, and the second fleet of an update has no room",
        a_quota(TYPE, 5),
        on_gpus(count=3),
        severity=Severity.MEDIUM,
        evidence={"running": 3, "largest_update": 3, "updated_endpoint": "churn", "exceeded": False},
    ),
    fails(
        RULE,
        "more run than it allows today, as it was lowered",
        a_quota(TYPE, 0),
        on_gpus(count=1),
        severity=Severity.HIGH,
        evidence={"quota": 0, "may_reach": 1},
    ),
    fails(
        RULE,
        "what is known is beyond it already",
        a_quota(TYPE, 5),
        ALONE,
        a_target(ALONE, maximum=6),
        a_variant(endpoint="search", config_read=False),
        unread=[(Part.CONFIGS, "search-config")],
        severity=Severity.HIGH,
    ),
    fails(
        RULE,
        "a shadow variant has instances as others have",
        a_quota(TYPE, 1),
        on_gpus(count=2, shadow=True),
        severity=Severity.HIGH,
    ),
    passes(
        RULE,
        "just enough for what may be reached and for the update",
        a_quota(TYPE, 6),
        ALONE,
        a_target(ALONE, maximum=6),
        evidence={"quota": 6, "may_reach": 6, "largest_update": 2},
    ),
    passes(
        RULE,
        "a rolling update starts a batch alone",
        a_quota(TYPE, 5),
        on_gpus(count=4).model_copy(update={"rolling_batch": BatchSize(type="INSTANCE_COUNT", value=1)}),
        evidence={"largest_update": 1},
    ),
    passes(RULE, "just enough for the second fleet", a_quota(TYPE, 6), on_gpus(count=3)),
    passes(
        RULE,
        "pools may take another type",
        a_quota(TYPE, 2),
        on_gpus(count=4, settings=POOLS),
        evidence={"not_counted": ["churn/AllTraffic"], "may_reach": 0},
    ),
    passes(
        RULE,
        "a schedule that is over",
        a_quota(TYPE, 5),
        ALONE,
        a_target(ALONE, maximum=4),
        a_schedule(ALONE, maximum=6, schedule="at(2026-01-01T00:00:00)"),
    ),
    passes(RULE, "another type is beyond its own", a_quota(TYPE, 5), ALONE, a_variant(endpoint="search", count=9)),
    does_not_apply(RULE, "no endpoint runs on it", a_quota(TYPE, 0), a_variant()),
    does_not_apply(RULE, "a serverless variant has no instances", a_quota(None, 0), a_serverless_variant()),
    does_not_apply(RULE, "its endpoint is being deleted", a_quota(TYPE, 0), on_gpus(status="Deleting")),
    is_unknown(RULE, "the list of quotas does not hold the type", a_quota(TYPE, None), ALONE),
    is_unknown(
        RULE,
        "Service Quotas could not tell the value",
        a_quota(TYPE, None, ErrorReason={"ErrorCode": "DEPENDENCY_THROTTLING_ERROR"}),
        ALONE,
    ),
    is_unknown(
        RULE,
        "a config could not be read",
        a_quota(TYPE, 5),
        a_variant(config_read=False),
        unread=[(Part.CONFIGS, "churn-config")],
    ),
    is_unknown(RULE, "the targets could not be read", a_quota(TYPE, 9), ALONE, unread=[Part.TARGETS]),
    is_unknown(
        RULE,
        "whether reserved instances count is not known",
        a_quota(TYPE, 5),
        on_gpus(count=6, settings=RESERVED),
    ),
]
