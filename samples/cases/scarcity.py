"""Instance types of which AWS had none left."""

from typing import Any

from chalicelib.inventory.kinds.endpoints import Endpoint
from chalicelib.inventory.parts import Part
from chalicelib.report.findings import Severity
from samples.builders import a_target, a_variant, ago, an_activity, an_endpoint
from samples.cases.case import Case, InDemo, does_not_apply, fails, is_unknown, passes

RULE = "variant-single-instance-type"
SHORT = "Unable to provision requested ML compute capacity due to InsufficientInstanceCapacity error."
TYPE = "ml.p4d.24xlarge"
POOLS = {"InstanceType": None, "InstancePools": [{"InstanceType": TYPE}, {"InstanceType": "ml.p5.48xlarge"}]}
RESERVED = {"CapacityReservationConfig": {"CapacityReservationPreference": "capacity-reservations-only"}}


def an_accelerated(instance_type: str | None = TYPE, settings: Any = None, **endpoint: Any) -> Endpoint:
    """An endpoint with one variant on GPUs."""
    return an_endpoint(a_variant(instance_type=instance_type, settings=settings), **endpoint)


SUBJECT = an_accelerated()
VARIANT = SUBJECT.variants[0]
TARGET = a_target(VARIANT)
REFUSED = an_accelerated(FailureReason=SHORT, modified=ago(days=30))
POOLED, ON_CPUS, ON_RESERVED = (
    an_accelerated(None, POOLS),
    an_accelerated("ml.m5.large"),
    an_accelerated(settings=RESERVED),
)
UNREAD = an_endpoint(a_variant(config_read=False))


def a_failed_step(days: float, message: str = SHORT) -> Any:
    """A step of scaling that failed so many days ago."""
    return an_activity(VARIANT, status="Failed", started=ago(days=days), StatusMessage=message)


CASES: list[Case] = [
    fails(
        RULE,
        "a step of scaling found no capacity",
        VARIANT,
        SUBJECT,
        TARGET,
        a_failed_step(30),
        severity=Severity.INFO,
        boundary="window_days",
        evidence={"instance_type": TYPE, "message": SHORT, "told_by": "a scaling activity", "when": "2026-10-23"},
        in_demo=[InDemo("endpoint-variant visual-search/AllTraffic")],
    ),
    fails(
        RULE,
        "an update found no capacity",
        REFUSED.variants[0],
        REFUSED,
        severity=Severity.INFO,
        evidence={"told_by": "the failure reason of its endpoint"},
    ),
    passes(
        RULE,
        "longer ago than the window",
        VARIANT,
        SUBJECT,
        TARGET,
        a_failed_step(30.01),
        boundary="window_days",
    ),
    passes(RULE, "a shorter window", VARIANT, SUBJECT, TARGET, a_failed_step(10), params={"window_days": 7}),
    passes(RULE, "another failure", VARIANT, SUBJECT, TARGET, a_failed_step(1, "Access denied")),
    passes(RULE, "nothing scales it, and it never failed", VARIANT, SUBJECT),
    does_not_apply(RULE, "no accelerator", ON_CPUS.variants[0], ON_CPUS),
    does_not_apply(RULE, "instance pools", POOLED.variants[0], POOLED),
    does_not_apply(RULE, "reserved capacity only", ON_RESERVED.variants[0], ON_RESERVED),
    is_unknown(RULE, "the config was not read", UNREAD.variants[0], UNREAD, unread=[(Part.CONFIGS, "churn-config")]),
    is_unknown(RULE, "activities were denied", VARIANT, SUBJECT, TARGET, unread=[Part.ACTIVITIES]),
]
