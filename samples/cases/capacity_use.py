"""Endpoints that are used, but little: CPUs that wait, hours in which nobody calls."""

from datetime import timedelta
from typing import Any

from chalicelib.inventory.metrics import Datapoint, MetricKey
from chalicelib.inventory.parts import Part
from chalicelib.report.findings import Severity
from samples.builders import (
    NOW,
    Series,
    a_component,
    a_host_of_components,
    a_series,
    a_serverless_variant,
    a_target,
    a_variant,
    ago,
)
from samples.cases.case import Case, does_not_apply, fails, is_unknown, passes
from samples.cases.instances import IN_TRANSITION, NOT_SERVING

OVERSIZED = "endpoint-cpu-oversized"
MOSTLY_UNUSED = "endpoint-mostly-unused"
CALLS = a_series("Invocations", {1: 400.0, 2: 100.0})


def p99(cpu: float, memory: float) -> tuple[Series, Series]:
    """The 99th percentiles of the window: percent of one vCPU each, and of the memory."""
    return a_series("CPUUtilizationP99", {14: cpu}), a_series("MemoryUtilizationP99", {14: memory})


def sized(instance_type: str = "ml.m5.xlarge", count: int = 2, **variant: Any) -> Any:
    """A variant on so many of these instances; four vCPUs each by default."""
    return a_variant(instance_type=instance_type, count=count, **variant)


CPU_OVERSIZED: list[Case] = [
    fails(
        OVERSIZED,
        "a hundredth below both thresholds",
        sized(),
        CALLS,
        *p99(79.99, 19.99),
        severity=Severity.LOW,
        evidence={
            "cpu_count": 4,
            "cpu_utilization": 79.99,
            "cpu_threshold": 80,
            "memory_utilization": 19.99,
            "statistic": "p99",
            "smaller_size": True,
            "instance_count": 2,
            "invocations": 500,
        },
        boundary="cpu_percent",
    ),
    passes(OVERSIZED, "its CPUs at the threshold", sized(), CALLS, *p99(80, 5), boundary="cpu_percent"),
    fails(
        OVERSIZED,
        "its memory just below",
        sized(),
        CALLS,
        *p99(5, 19.9),
        severity=Severity.LOW,
        boundary="memory_percent",
    ),
    passes(OVERSIZED, "its memory at the threshold", sized(), CALLS, *p99(5, 20), boundary="memory_percent"),
    passes(OVERSIZED, "less CPU in the policy", sized(), CALLS, *p99(50, 5), params={"cpu_percent": 10}),
    passes(OVERSIZED, "less memory in the policy", sized(), CALLS, *p99(5, 15), params={"memory_percent": 10}),
    fails(
        OVERSIZED,
        "maxima, where percentiles are not to be had",
        sized(),
        CALLS,
        a_series("CPUUtilization", {1: 40.0, 2: 3.0}),
        a_series("MemoryUtilization", {1: 10.0}),
        severity=Severity.LOW,
        evidence={"statistic": "Maximum", "cpu_utilization": 40.0},
    ),
    fails(
        OVERSIZED,
        "two instances of the smallest size",
        sized("ml.m5.large"),
        CALLS,
        *p99(5, 5),
        severity=Severity.LOW,
        evidence={"smaller_size": False, "cpu_count": 2},
    ),
    passes(OVERSIZED, "one instance of the smallest size", sized("ml.m5.large", 1), CALLS, *p99(5, 5)),
    fails(
        OVERSIZED,
        "one instance of a larger size",
        sized("ml.c4.8xlarge", 1),
        CALLS,
        *p99(5, 5),
        severity=Severity.LOW,
        evidence={"cpu_count": 36, "smaller_size": True},
    ),
    fails(
        OVERSIZED,
        "an asynchronous endpoint",
        sized(asynchronous=True),
        a_series("InvocationsProcessed", {1: 10.0}),
        *p99(5, 5),
        severity=Severity.LOW,
    ),
    fails(
        OVERSIZED,
        "used by its inference components",
        a_host_of_components(instance_type="ml.m5.4xlarge"),
        a_component(),
        a_series("ComponentInvocations", {1: 10.0}, component="churn-component"),
        *p99(5, 5),
        severity=Severity.LOW,
    ),
    passes(
        OVERSIZED,
        "deployed just before a shorter window",
        sized(created=ago(days=2), modified=ago(days=2)),
        CALLS,
        *p99(300, 5),
        params={"window_days": 2},
    ),
    does_not_apply(
        OVERSIZED,
        "deployed in the window",
        sized(created=ago(days=13), modified=ago(days=13)),
        CALLS,
        *p99(5, 5),
        boundary="window_days",
    ),
    fails(
        OVERSIZED,
        "deployed just before the window",
        sized(created=ago(days=14), modified=ago(days=14)),
        CALLS,
        *p99(5, 5),
        severity=Severity.LOW,
        boundary="window_days",
    ),
    does_not_apply(OVERSIZED, "nobody calls it", sized(), a_series("Invocations", {1: 0.0}), *p99(0, 5)),
    does_not_apply(OVERSIZED, "on GPUs", sized("ml.g5.xlarge"), CALLS, *p99(5, 5)),
    does_not_apply(OVERSIZED, "scaled to zero", sized(count=0), CALLS, *p99(5, 5)),
    does_not_apply(OVERSIZED, "serverless", a_serverless_variant()),
    does_not_apply(OVERSIZED, "a shadow", sized(shadow=True), CALLS, *p99(5, 5)),
    *[
        does_not_apply(OVERSIZED, f"the endpoint is {status}", sized(status=status), CALLS, *p99(5, 5))
        for status in (*IN_TRANSITION, *NOT_SERVING)
    ],
    is_unknown(OVERSIZED, "no datapoint of its CPUs", sized(), CALLS),
    is_unknown(OVERSIZED, "no datapoint of its memory", sized(), CALLS, a_series("CPUUtilizationP99", {14: 5.0})),
    is_unknown(OVERSIZED, "a size whose vCPUs are not known", sized("ml.m9.metal"), CALLS, *p99(5, 5)),
    is_unknown(OVERSIZED, "a family whose sizes are not known", sized("ml.m9.large", 1), CALLS, *p99(5, 5)),
    is_unknown(OVERSIZED, "metrics could not be read", sized(), unread=[Part.METRICS]),
    is_unknown(OVERSIZED, "no datapoint of an asynchronous endpoint", sized(asynchronous=True), *p99(5, 5)),
]


def by_hour(*hours_ago: int, value: float = 7.0) -> Series:
    """Invocations in these hours, by how many hours ago each began."""
    points = sorted(Datapoint(NOW - timedelta(hours=hours), value) for hours in hours_ago)
    return Series(MetricKey("InvocationsPerHour", "churn", "AllTraffic"), tuple(points))


#: Now is six in the morning, and windows begin at midnight.
HOURS = 14 * 24 + 6

ENDPOINT_MOSTLY_UNUSED: list[Case] = [
    fails(
        MOSTLY_UNUSED,
        "an hour less than a twentieth of them",
        a_variant(),
        by_hour(*range(1, 18)),
        severity=Severity.LOW,
        evidence={
            "busy_hours": 17,
            "hours": HOURS,
            "busy_percent": 4.97,
            "invocations": 119,
            "threshold": 5,
            "accelerated": False,
        },
        boundary="busy_percent",
    ),
    passes(MOSTLY_UNUSED, "an hour more", a_variant(), by_hour(*range(1, 19)), boundary="busy_percent"),
    passes(
        MOSTLY_UNUSED, "as much as the policy asks for", a_variant(), by_hour(1, 2, 3, 4), params={"busy_percent": 1}
    ),
    fails(
        MOSTLY_UNUSED,
        "on GPUs",
        a_variant(instance_type="ml.g5.xlarge"),
        by_hour(1),
        severity=Severity.LOW,
        evidence={"accelerated": True, "busy_hours": 1},
    ),
    fails(
        MOSTLY_UNUSED,
        "scaled, and changed an hour ago by that",
        a_variant(modified=ago(hours=1)),
        a_target(),
        by_hour(1),
        severity=Severity.LOW,
    ),
    does_not_apply(
        MOSTLY_UNUSED,
        "deployed in the window",
        a_variant(created=ago(days=13), modified=ago(days=13)),
        by_hour(1),
        boundary="window_days",
    ),
    fails(
        MOSTLY_UNUSED,
        "deployed just before the window",
        a_variant(created=ago(days=14), modified=ago(days=14)),
        by_hour(1),
        severity=Severity.LOW,
        boundary="window_days",
    ),
    passes(
        MOSTLY_UNUSED,
        "in use every day of a shorter window",
        a_variant(created=ago(days=2), modified=ago(days=2)),
        by_hour(*range(1, 25)),
        params={"window_days": 2},
    ),
    does_not_apply(MOSTLY_UNUSED, "nobody calls it", a_variant()),
    does_not_apply(MOSTLY_UNUSED, "hours without a call", a_variant(), by_hour(1, 2, value=0.0)),
    does_not_apply(MOSTLY_UNUSED, "an asynchronous endpoint", a_variant(asynchronous=True)),
    does_not_apply(MOSTLY_UNUSED, "a host of inference components", a_host_of_components()),
    does_not_apply(MOSTLY_UNUSED, "scaled to zero", a_variant(count=0), by_hour(1)),
    does_not_apply(MOSTLY_UNUSED, "serverless", a_serverless_variant()),
    does_not_apply(MOSTLY_UNUSED, "a shadow", a_variant(shadow=True), by_hour(1)),
    *[
        does_not_apply(MOSTLY_UNUSED, f"the endpoint is {status}", a_variant(status=status), by_hour(1))
        for status in (*IN_TRANSITION, *NOT_SERVING)
    ],
    is_unknown(MOSTLY_UNUSED, "metrics could not be read", a_variant(), unread=[Part.METRICS]),
]

CASES: list[Case] = [*CPU_OVERSIZED, *ENDPOINT_MOSTLY_UNUSED]
