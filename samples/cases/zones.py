"""What the Availability Zones under a variant offer."""

from typing import Any

from chalicelib.inventory.kinds.endpoints import Endpoint, Variant
from chalicelib.inventory.kinds.placements import Placement
from chalicelib.inventory.parts import Part
from chalicelib.report.findings import Severity
from samples.builders import (
    SUBNET_A,
    SUBNET_A2,
    SUBNET_B,
    a_config,
    a_model,
    a_serverless_variant,
    a_subnet,
    a_variant,
    ago,
    an_endpoint,
    an_offering,
)
from samples.cases.case import Case, InDemo, does_not_apply, fails, is_unknown, passes

RULE = "model-vpc-az-without-instance-type"
TYPE, OTHER = "ml.g6e.2xlarge", "ml.g5.xlarge"
SUBNET_C = a_subnet("subnet-c", zone="euw1-az3", zone_name="eu-west-1c")
MODEL = a_model(subnets=["subnet-a", "subnet-b"])
CONFIG = a_config(2)
POOLS = {"InstanceType": None, "InstancePools": [{"InstanceType": TYPE}, {"InstanceType": OTHER}]}
NAMELESS = a_subnet("subnet-n", zone=None, zone_name="eu-west-1b")


def on_gpus(**variant: Any) -> Endpoint:
    """An endpoint with one variant on GPUs."""
    return an_endpoint(a_variant(instance_type=TYPE, **variant))


SUBJECT = on_gpus()
VARIANT = SUBJECT.variants[0]
POOLED = an_endpoint(a_variant(settings=POOLS))
SERVERLESS = an_endpoint(a_serverless_variant())

PLACED = "endpoint-instances-in-one-zone"
RESERVED = {"CapacityReservationConfig": {"CapacityReservationPreference": "capacity-reservations-only"}}


def observed(**variant: Any) -> Variant:
    """A variant whose config switches detailed observability on."""
    return a_variant(**variant).model_copy(update={"observed": True})


def deployed(*, minutes: int) -> Variant:
    """An observed variant whose config was made so many minutes ago."""
    return observed(config_created=ago(minutes=minutes))


def seen(**zones: int) -> dict[str, Placement]:
    """How many instances of the variant were seen in each zone."""
    hosts = {zone: tuple(f"i-{zone}-{number}" for number in range(count)) for zone, count in zones.items()}
    return {"endpoint/churn/variant/AllTraffic": Placement(hosts=hosts)}


OBSERVED, ON_RESERVED = observed(), observed(settings=RESERVED)

CASES: list[Case] = [
    fails(
        RULE,
        "one of two zones offers the type",
        VARIANT,
        SUBJECT,
        CONFIG,
        MODEL,
        SUBNET_A,
        SUBNET_B,
        an_offering(TYPE, "euw1-az1", "euw1-az3"),
        severity=Severity.HIGH,
        boundary="min_azs",
        evidence={
            "availability_zones": ["euw1-az1", "euw1-az2"],
            "offered": {TYPE: ["euw1-az1"]},
            "offering_zones": {TYPE: ["euw1-az1", "euw1-az3"]},
        },
        in_demo=[InDemo("endpoint-variant image-captions/AllTraffic")],
    ),
    fails(
        RULE,
        "the config has subnets of its own",
        VARIANT,
        SUBJECT,
        a_config(2, subnets=["subnet-a", "subnet-b"]),
        a_model(),
        SUBNET_A,
        SUBNET_B,
        an_offering(TYPE, "euw1-az2"),
        severity=Severity.HIGH,
    ),
    fails(
        RULE,
        "the one zone under it does not offer the type at all",
        VARIANT,
        SUBJECT,
        CONFIG,
        a_model(subnets=["subnet-a"]),
        SUBNET_A,
        an_offering(TYPE, "euw1-az2"),
        severity=Severity.HIGH,
        evidence={"offered": {TYPE: []}},
    ),
    fails(
        RULE,
        "none of the pools' types is offered in two zones",
        POOLED.variants[0],
        POOLED,
        CONFIG,
        MODEL,
        SUBNET_A,
        SUBNET_B,
        an_offering(TYPE, "euw1-az1"),
        an_offering(OTHER, "euw1-az2"),
        severity=Severity.HIGH,
    ),
    fails(
        RULE,
        "two zones, and three are asked for",
        VARIANT,
        SUBJECT,
        CONFIG,
        a_model(subnets=["subnet-a", "subnet-b", "subnet-c"]),
        SUBNET_A,
        SUBNET_B,
        SUBNET_C,
        an_offering(TYPE, "euw1-az1", "euw1-az2"),
        params={"min_azs": 3},
        severity=Severity.HIGH,
    ),
    passes(
        RULE,
        "both zones offer the type",
        VARIANT,
        SUBJECT,
        CONFIG,
        MODEL,
        SUBNET_A,
        SUBNET_B,
        an_offering(TYPE, "euw1-az1", "euw1-az2"),
        boundary="min_azs",
    ),
    passes(
        RULE,
        "a pool's type is offered in both zones",
        POOLED.variants[0],
        POOLED,
        CONFIG,
        MODEL,
        SUBNET_A,
        SUBNET_B,
        an_offering(TYPE, "euw1-az1"),
        an_offering(OTHER, "euw1-az1", "euw1-az2"),
    ),
    does_not_apply(RULE, "in no VPC of the account", VARIANT, SUBJECT, CONFIG, a_model()),
    does_not_apply(RULE, "serverless", SERVERLESS.variants[0], SERVERLESS, CONFIG),
    does_not_apply(
        RULE,
        "one zone alone, which offers the type",
        VARIANT,
        SUBJECT,
        CONFIG,
        a_model(subnets=["subnet-a", "subnet-a2"]),
        SUBNET_A,
        SUBNET_A2,
        an_offering(TYPE, "euw1-az1"),
    ),
    does_not_apply(
        RULE,
        "all its subnets are gone",
        VARIANT,
        SUBJECT,
        CONFIG,
        MODEL,
        an_offering(TYPE, "euw1-az1"),
    ),
    is_unknown(
        RULE, "EC2 does not list the type", VARIANT, SUBJECT, CONFIG, MODEL, SUBNET_A, SUBNET_B, an_offering(TYPE)
    ),
    is_unknown(RULE, "offerings were not read", VARIANT, SUBJECT, CONFIG, MODEL, SUBNET_A, SUBNET_B),
    is_unknown(
        RULE,
        "a pool's type is not listed, and the other is not enough",
        POOLED.variants[0],
        POOLED,
        CONFIG,
        MODEL,
        SUBNET_A,
        SUBNET_B,
        an_offering(TYPE, "euw1-az1"),
        an_offering(OTHER),
    ),
    is_unknown(
        RULE,
        "AWS gave a zone's name and no id",
        VARIANT,
        SUBJECT,
        CONFIG,
        a_model(subnets=["subnet-a", "subnet-n"]),
        SUBNET_A,
        NAMELESS,
        an_offering(TYPE, "euw1-az1", "euw1-az2"),
    ),
    is_unknown(RULE, "subnets were denied", VARIANT, SUBJECT, CONFIG, MODEL, unread=[Part.SUBNETS]),
    fails(
        PLACED,
        "all instances of the hour in one zone",
        OBSERVED,
        severity=Severity.HIGH,
        placements=seen(**{"eu-west-1a": 3}),
        evidence={"availability_zones": ["eu-west-1a"], "instances": 3, "reserved": False},
    ),
    fails(
        PLACED,
        "on reserved capacity, which lies in one zone",
        ON_RESERVED,
        severity=Severity.MEDIUM,
        placements=seen(**{"eu-west-1a": 2}),
        evidence={"reserved": True},
    ),
    fails(
        PLACED,
        "deployed just the window ago",
        deployed(minutes=60),
        severity=Severity.HIGH,
        boundary="minutes",
        placements=seen(**{"eu-west-1a": 2}),
    ),
    fails(
        PLACED,
        "a shorter window",
        deployed(minutes=40),
        severity=Severity.HIGH,
        params={"minutes": 30},
        placements=seen(**{"eu-west-1a": 2}),
    ),
    passes(PLACED, "in two zones", OBSERVED, placements=seen(**{"eu-west-1a": 2, "eu-west-1b": 1})),
    does_not_apply(
        PLACED,
        "deployed within the window",
        deployed(minutes=59),
        boundary="minutes",
        placements=seen(**{"eu-west-1a": 2}),
    ),
    does_not_apply(PLACED, "one instance", observed(count=1), placements=seen(**{"eu-west-1a": 1})),
    does_not_apply(PLACED, "serverless instances have no zone", a_serverless_variant()),
    is_unknown(PLACED, "detailed observability is off", a_variant()),
    is_unknown(PLACED, "nothing was seen", OBSERVED),
    is_unknown(PLACED, "one instance alone was seen", OBSERVED, placements=seen(**{"eu-west-1a": 1})),
    is_unknown(PLACED, "the query was refused", OBSERVED, unread=[Part.PLACEMENTS]),
]
