"""Availability Zones."""

from typing import Any

from chalicelib.inventory.kinds.models import Model
from chalicelib.inventory.kinds.network import Subnet
from chalicelib.inventory.kinds.training import TrainingJob
from chalicelib.inventory.parts import Part
from chalicelib.report.findings import Severity
from chalicelib.report.outcomes import Confidence
from samples.builders import (
    LOCAL_SUBNET,
    OUTPOST_SUBNET,
    SUBNET_A,
    SUBNET_A2,
    SUBNET_B,
    WAVELENGTH_SUBNET,
    a_config,
    a_model,
    a_schedule,
    a_subnet,
    a_target,
    a_training_job,
    a_transform_job,
    a_variant,
    a_vpc,
    an_endpoint,
)
from samples.cases.case import Case, InDemo, does_not_apply, fails, is_unknown, passes
from samples.cases.instance_fit import NOT_OWN_JOBS

SINGLE = "model-vpc-single-az"
MISSING = "model-vpc-subnet-missing"
VPC = "vpc-single-az"
LOW_IPS = "model-vpc-low-free-ips"
TRAINING = "training-vpc-single-az"

SUBNET_C = a_subnet("subnet-c", zone="euw1-az3", zone_name="eu-west-1c")
#: A zone whose name is none of an Availability Zone, and whose type could not be asked for.
DOUBTFUL_SUBNET = a_subnet("subnet-d", zone="euw1-x1-az1", zone_name="eu-west-1-x-1a", zone_type="unknown")


def file_system(kind: str) -> list[dict[str, Any]]:
    """An input channel from a file system of this type."""
    source = {"FileSystemType": kind, "FileSystemId": "fs-0123456789a", "FileSystemAccessMode": "ro"}
    return [{"ChannelName": "train", "DataSource": {"FileSystemDataSource": source}}]


LUSTRE, EFS = file_system("FSxLustre"), file_system("EFS")

MODEL_VPC_SINGLE_AZ: list[Case] = [
    fails(
        SINGLE,
        "one zone under a model that inference components run",
        a_model(subnets=["subnet-a", "subnet-a2"], components=("adapter", "base"), hosts=("churn",)),
        SUBNET_A,
        SUBNET_A2,
        severity=Severity.HIGH,
        evidence={"endpoints": ["churn"]},
    ),
    fails(
        SINGLE,
        "one zone under a model that only batch transform runs",
        a_model(subnets=["subnet-a", "subnet-a2"], used_by=[]),
        a_transform_job(),
        SUBNET_A,
        SUBNET_A2,
        severity=Severity.MEDIUM,
        evidence={"endpoints": [], "transform_jobs": ["churn-scores"]},
    ),
    fails(
        SINGLE,
        "batch transform in one zone, where the policy thinks little of it",
        a_model(subnets=["subnet-a", "subnet-a2"], used_by=[]),
        a_transform_job(),
        SUBNET_A,
        SUBNET_A2,
        params={"transform_severity": "low"},
        severity=Severity.LOW,
    ),
    fails(
        SINGLE,
        "one zone under a model that an endpoint serves and batch transform runs",
        a_model(subnets=["subnet-a", "subnet-a2"]),
        a_transform_job(),
        SUBNET_A,
        SUBNET_A2,
        severity=Severity.HIGH,
    ),
    does_not_apply(
        SINGLE,
        "batch transform runs another model",
        a_model(subnets=["subnet-a", "subnet-a2"], used_by=[]),
        a_transform_job(model="other-model"),
        SUBNET_A,
        SUBNET_A2,
    ),
    fails(
        SINGLE,
        "two subnets in one zone",
        a_model(subnets=["subnet-a", "subnet-a2"], used_by=["churn", "fraud"]),
        SUBNET_A,
        SUBNET_A2,
        severity=Severity.HIGH,
        evidence={
            "availability_zones": ["euw1-az1"],
            "subnets": ["subnet-a", "subnet-a2"],
            "min_azs": 2,
            "endpoints": ["churn", "fraud"],
            "security_groups": ["sg-1"],
            "vpc": "vpc-1",
        },
        boundary="min_azs",
        in_demo=[InDemo("model eu-residents-churn-v4"), InDemo("model edge-quality-check-v2")],
    ),
    fails(
        SINGLE,
        "one subnet, though its VPC has more",
        a_model(subnets=["subnet-a"]),
        a_vpc(SUBNET_A, SUBNET_B),
        severity=Severity.HIGH,
        evidence={"availability_zones": ["euw1-az1"]},
    ),
    passes(
        SINGLE,
        "two subnets in two zones",
        a_model(subnets=["subnet-a", "subnet-b"]),
        SUBNET_A,
        SUBNET_B,
        evidence={"availability_zones": ["euw1-az1", "euw1-az2"]},
        boundary="min_azs",
    ),
    fails(
        SINGLE,
        "two zones where the policy wants three",
        a_model(subnets=["subnet-a", "subnet-b"]),
        SUBNET_A,
        SUBNET_B,
        params={"min_azs": 3},
        severity=Severity.HIGH,
        evidence={"min_azs": 3},
        boundary="min_azs",
    ),
    passes(
        SINGLE,
        "three zones where the policy wants three",
        a_model(subnets=["subnet-a", "subnet-b", "subnet-c"]),
        SUBNET_A,
        SUBNET_B,
        SUBNET_C,
        params={"min_azs": 3},
        boundary="min_azs",
    ),
    fails(
        SINGLE,
        "zones are compared by id and not by name",
        a_model(subnets=["subnet-a", "subnet-x"]),
        SUBNET_A,
        a_subnet("subnet-x", zone="euw1-az1", zone_name="eu-west-1b"),
        severity=Severity.HIGH,
        evidence={"availability_zones": ["euw1-az1"]},
    ),
    passes(
        SINGLE,
        "one name may stand for two zones",
        a_model(subnets=["subnet-a", "subnet-x"]),
        SUBNET_A,
        a_subnet("subnet-x", zone="euw1-az2", zone_name="eu-west-1a"),
    ),
    *[
        fails(
            SINGLE,
            f"a {where} does not count as a zone",
            a_model(subnets=["subnet-a", subnet.id]),
            SUBNET_A,
            subnet,
            severity=Severity.HIGH,
            evidence={"availability_zones": ["euw1-az1"]},
        )
        for where, subnet in (
            ("Local Zone", LOCAL_SUBNET),
            ("Wavelength Zone", WAVELENGTH_SUBNET),
            ("subnet on an Outpost", OUTPOST_SUBNET),
        )
    ],
    passes(
        SINGLE,
        "an Availability Zone that AWS says is one counts",
        a_model(subnets=["subnet-a", "subnet-x"]),
        SUBNET_A,
        a_subnet("subnet-x", zone="euw1-az9", zone_name="eu-west-1-new", zone_type="availability-zone"),
    ),
    fails(
        SINGLE,
        "a subnet that is gone does not count",
        a_model(subnets=["subnet-a", "subnet-b"]),
        SUBNET_A,
        severity=Severity.HIGH,
        evidence={"availability_zones": ["euw1-az1"]},
    ),
    fails(
        SINGLE,
        "an unused model where the policy judges those",
        a_model(subnets=["subnet-a"], used_by=[]),
        SUBNET_A,
        params={"only_in_use": False},
        severity=Severity.HIGH,
        evidence={"endpoints": []},
    ),
    fails(
        SINGLE,
        "a model whose use is unread where the policy judges all",
        a_model(subnets=["subnet-a"], used_by=None),
        SUBNET_A,
        params={"only_in_use": False},
        severity=Severity.HIGH,
    ),
    fails(
        SINGLE,
        "a config with its own VPC",
        a_config(2, subnets=["subnet-a"], in_use=True),
        an_endpoint(a_variant()),
        SUBNET_A,
        severity=Severity.HIGH,
        evidence={"availability_zones": ["euw1-az1"], "endpoints": ["churn"]},
        in_demo=[InDemo("endpoint-config llm-agents-config")],
    ),
    fails(
        SINGLE,
        "a new config with its own VPC",
        a_config(2, subnets=["subnet-a"]),
        SUBNET_A,
        severity=Severity.HIGH,
        evidence={"endpoints": []},
    ),
    passes(
        SINGLE,
        "a config with its own VPC in two zones",
        a_config(2, subnets=["subnet-a", "subnet-b"], in_use=True),
        SUBNET_A,
        SUBNET_B,
    ),
    fails(
        SINGLE,
        "an unused config where the policy judges those",
        a_config(2, subnets=["subnet-a"], in_use=False),
        SUBNET_A,
        params={"only_in_use": False},
        severity=Severity.HIGH,
    ),
    does_not_apply(SINGLE, "an unused config", a_config(2, subnets=["subnet-a"], in_use=False), SUBNET_A),
    does_not_apply(SINGLE, "a config without a VPC", a_config(2, in_use=True)),
    does_not_apply(SINGLE, "a model without a VPC", a_model()),
    does_not_apply(SINGLE, "a model with an empty VpcConfig", a_model(VpcConfig={"Subnets": []})),
    does_not_apply(SINGLE, "an unused model", a_model(subnets=["subnet-a"], used_by=[]), SUBNET_A),
    does_not_apply(SINGLE, "a model all of whose subnets are gone", a_model(subnets=["subnet-a", "subnet-b"])),
    is_unknown(SINGLE, "which endpoints use it was not read", a_model(subnets=["subnet-a"], used_by=None), SUBNET_A),
    is_unknown(
        SINGLE,
        "no endpoint is seen to use it and components could not be read",
        a_model(subnets=["subnet-a"], used_by=[]),
        SUBNET_A,
        unread=[Part.COMPONENTS],
    ),
    is_unknown(
        SINGLE,
        "no endpoint is seen to use it and one could not be described",
        a_model(subnets=["subnet-a"], used_by=[]),
        SUBNET_A,
        unread=[(Part.ENDPOINTS, "fraud")],
    ),
    is_unknown(SINGLE, "the subnets could not be read", a_model(subnets=["subnet-a"]), unread=[Part.SUBNETS]),
    is_unknown(
        SINGLE,
        "a subnet of which no zone was told",
        a_model(subnets=["subnet-a", "subnet-x"]),
        SUBNET_A,
        a_subnet("subnet-x", zone=None, zone_name=None),
    ),
    is_unknown(
        SINGLE,
        "a subnet in a zone whose type could not be read",
        a_model(subnets=["subnet-a", "subnet-d"]),
        SUBNET_A,
        DOUBTFUL_SUBNET,
        unread=[(Part.SUBNETS, "zone types")],
    ),
    passes(
        SINGLE,
        "two zones without the one whose type could not be read",
        a_model(subnets=["subnet-a", "subnet-b", "subnet-d"]),
        SUBNET_A,
        SUBNET_B,
        DOUBTFUL_SUBNET,
        unread=[(Part.SUBNETS, "zone types")],
    ),
]

MODEL_VPC_SUBNET_MISSING: list[Case] = [
    fails(
        MISSING,
        "the config of a component endpoint, whose components' models have no VPC",
        a_config(subnets=["subnet-a", "subnet-b"], in_use=True),
        SUBNET_A,
        severity=Severity.HIGH,
        evidence={"missing_subnets": ["subnet-b"]},
    ),
    passes(MISSING, "a config whose subnets stand", a_config(subnets=["subnet-a"], in_use=True), SUBNET_A),
    does_not_apply(MISSING, "a config that no endpoint uses", a_config(subnets=["subnet-b"], in_use=False)),
    does_not_apply(MISSING, "a config without a VPC of its own", a_config(in_use=True)),
    fails(
        MISSING,
        "one subnet of two is gone",
        a_model(subnets=["subnet-a", "subnet-b"]),
        SUBNET_A,
        severity=Severity.HIGH,
        evidence={
            "missing_subnets": ["subnet-b"],
            "unavailable_subnets": [],
            "subnets": ["subnet-a", "subnet-b"],
            "endpoints": ["churn"],
            "security_groups": ["sg-1"],
        },
        in_demo=[InDemo("model loan-documents-v6")],
    ),
    fails(
        MISSING,
        "all subnets are gone",
        a_model(subnets=["subnet-a", "subnet-b"]),
        severity=Severity.HIGH,
        evidence={"missing_subnets": ["subnet-a", "subnet-b"]},
    ),
    *[
        fails(
            MISSING,
            f"a subnet is {state}",
            a_model(subnets=["subnet-a", "subnet-x"]),
            SUBNET_A,
            a_subnet("subnet-x", State=state),
            severity=Severity.HIGH,
            evidence={"missing_subnets": [], "unavailable_subnets": ["subnet-x"]},
        )
        for state in ("pending", "unavailable", "failed", "failed-insufficient-capacity")
    ],
    passes(MISSING, "all subnets are available", a_model(subnets=["subnet-a", "subnet-b"]), SUBNET_A, SUBNET_B),
    does_not_apply(MISSING, "a model without a VPC", a_model()),
    does_not_apply(MISSING, "an unused model", a_model(subnets=["subnet-a"], used_by=[])),
    is_unknown(MISSING, "which endpoints use it was not read", a_model(subnets=["subnet-a"], used_by=None)),
    is_unknown(MISSING, "the subnets could not be read", a_model(subnets=["subnet-a"]), unread=[Part.SUBNETS]),
    is_unknown(
        MISSING,
        "the state of a subnet was not told",
        a_model(subnets=["subnet-x"]),
        a_subnet("subnet-x", State=None),
    ),
]

VPC_SINGLE_AZ: list[Case] = [
    fails(
        VPC,
        "all subnets in one zone",
        a_vpc(SUBNET_A, SUBNET_A2, used_by=["arn:model"]),
        severity=Severity.MEDIUM,
        evidence={
            "availability_zones": ["euw1-az1"],
            "subnets": ["subnet-a", "subnet-a2"],
            "used_by": ["arn:model"],
        },
        in_demo=[
            InDemo(
                "vpc vpc-0b2e6d3f8a4c05791",
                remark="The model eu-residents-churn-v4 stands on it, and all of its subnets lie in one zone.",
            ),
            InDemo("vpc vpc-0c3f7e409b5d16802", remark="Only training stands on this one."),
        ],
    ),
    fails(
        VPC,
        "a Local Zone, a Wavelength Zone and an Outpost beside one zone",
        a_vpc(SUBNET_A, LOCAL_SUBNET, WAVELENGTH_SUBNET, OUTPOST_SUBNET),
        severity=Severity.MEDIUM,
        evidence={"availability_zones": ["euw1-az1"]},
    ),
    fails(
        VPC,
        "twenty of its users are shown",
        a_vpc(SUBNET_A, used_by=[f"arn:model-{number:02}" for number in range(21)]),
        severity=Severity.MEDIUM,
        evidence={"used_by": [f"arn:model-{number:02}" for number in range(20)]},
    ),
    fails(
        VPC,
        "an unused VPC where the policy judges those",
        a_vpc(SUBNET_A, used_by=[]),
        params={"used_only": False},
        severity=Severity.MEDIUM,
    ),
    fails(
        VPC,
        "a used VPC in a narrow scope",
        a_vpc(SUBNET_A),
        whole=False,
        severity=Severity.MEDIUM,
    ),
    passes(
        VPC,
        "subnets in two zones",
        a_vpc(SUBNET_A, SUBNET_B),
        evidence={"availability_zones": ["euw1-az1", "euw1-az2"]},
    ),
    fails(
        VPC,
        "a VPC that was named, and nothing tells who uses it",
        a_vpc(SUBNET_A, used_by=None),
        whole=False,
        severity=Severity.MEDIUM,
        confidence=Confidence.MEDIUM,
        evidence={"used_by": None},
    ),
    passes(VPC, "a VPC that was named with subnets in two zones", a_vpc(SUBNET_A, SUBNET_B, used_by=None), whole=False),
    does_not_apply(VPC, "a VPC on which nothing stands", a_vpc(SUBNET_A, used_by=[])),
    does_not_apply(
        VPC,
        "a VPC on which nothing stands that is in a narrow scope",
        a_vpc(SUBNET_A, used_by=[]),
        whole=False,
    ),
    does_not_apply(VPC, "no subnet lies in an Availability Zone", a_vpc(LOCAL_SUBNET)),
    *[
        is_unknown(
            VPC,
            f"nothing is seen to stand on it and {part} could not be read",
            a_vpc(SUBNET_A, used_by=[]),
            unread=[part],
        )
        for part in (Part.ENDPOINTS, Part.CONFIGS, Part.MODELS, Part.COMPONENTS, Part.TRAINING_JOBS)
    ],
    is_unknown(VPC, "the subnets could not be read", a_vpc(SUBNET_A), unread=[Part.SUBNETS]),
    is_unknown(
        VPC,
        "a subnet of which no zone was told",
        a_vpc(SUBNET_A, a_subnet("subnet-x", zone=None, zone_name=None)),
    ),
]


def with_room(a: int | None, b: int | None) -> tuple[Subnet, Subnet]:
    """Two subnets in two zones that have so many free addresses."""
    return (
        a_subnet("subnet-a", AvailableIpAddressCount=a),
        a_subnet("subnet-b", zone="euw1-az2", zone_name="eu-west-1b", AvailableIpAddressCount=b),
    )


def spread(**model: Any) -> Model:
    """A model in two subnets of two zones."""
    return a_model(subnets=["subnet-a", "subnet-b"], **model)


#: A variant on two instances that serves the model, and one of another endpoint that is being changed.
SERVING, CHANGING, SETTLED = (
    a_variant(count=2),
    a_variant(endpoint="fraud", status="Updating"),
    a_variant(endpoint="fraud"),
)

MODEL_VPC_LOW_FREE_IPS: list[Case] = [
    fails(
        LOW_IPS,
        "one zone of two is almost full",
        spread(),
        *with_room(250, 1),
        severity=Severity.MEDIUM,
        evidence={
            "free_addresses": {"subnet-a": 250, "subnet-b": 1},
            "availability_zones_with_room": ["euw1-az1"],
            "ips_per_instance": 2,
            "instances_to_grow": 0,
            "endpoints": ["churn"],
        },
        boundary="ips_per_instance",
    ),
    passes(
        LOW_IPS,
        "both zones have room for one instance",
        spread(),
        *with_room(2, 2),
        evidence={"availability_zones_with_room": ["euw1-az1", "euw1-az2"]},
        boundary="ips_per_instance",
    ),
    fails(
        LOW_IPS,
        "no room for an instance of as many addresses as the policy says",
        spread(),
        *with_room(3, 3),
        params={"ips_per_instance": 4},
        severity=Severity.MEDIUM,
        evidence={"availability_zones_with_room": [], "ips_per_instance": 4},
        boundary="ips_per_instance",
    ),
    passes(
        LOW_IPS,
        "room for an instance of as many addresses as the policy says",
        spread(),
        *with_room(4, 4),
        params={"ips_per_instance": 4},
        boundary="ips_per_instance",
    ),
    fails(
        LOW_IPS,
        "one zone has no address at all, where the policy needs one",
        spread(),
        *with_room(250, 0),
        params={"ips_per_instance": 1},
        severity=Severity.MEDIUM,
        boundary="ips_per_instance",
    ),
    passes(
        LOW_IPS,
        "both zones have an address, where the policy needs one",
        spread(),
        *with_room(1, 1),
        params={"ips_per_instance": 1},
        boundary="ips_per_instance",
    ),
    passes(
        LOW_IPS,
        "two zones of three have room",
        a_model(subnets=["subnet-a", "subnet-b", "subnet-c"]),
        *with_room(250, 250),
        a_subnet("subnet-c", zone="euw1-az3", zone_name="eu-west-1c", AvailableIpAddressCount=0),
        evidence={"availability_zones_with_room": ["euw1-az1", "euw1-az2"]},
    ),
    fails(
        LOW_IPS,
        "both zones are full",
        spread(),
        *with_room(0, 0),
        severity=Severity.MEDIUM,
        evidence={"availability_zones_with_room": []},
    ),
    fails(
        LOW_IPS,
        "one address less than the instances up to the maximum need",
        spread(),
        SERVING,
        a_target(SERVING, maximum=5),
        *with_room(3, 2),
        severity=Severity.MEDIUM,
        evidence={
            "availability_zones_with_room": ["euw1-az1", "euw1-az2"],
            "instances_to_grow": 3,
            "addresses_needed": 6,
        },
        in_demo=[InDemo("model fleet-routing-v5")],
    ),
    passes(
        LOW_IPS,
        "as many addresses as the instances up to the maximum need",
        spread(),
        SERVING,
        a_target(SERVING, maximum=5),
        *with_room(3, 3),
        evidence={"instances_to_grow": 3, "addresses_needed": 6},
    ),
    fails(
        LOW_IPS,
        "no room for the maximum that a schedule sets by day",
        spread(),
        SERVING,
        a_target(SERVING, maximum=2),
        a_schedule(SERVING, minimum=2, maximum=5),
        *with_room(3, 2),
        severity=Severity.MEDIUM,
        evidence={"instances_to_grow": 3, "addresses_needed": 6},
    ),
    passes(
        LOW_IPS,
        "a schedule that set a higher maximum is over",
        spread(),
        SERVING,
        a_target(SERVING, maximum=2),
        a_schedule(SERVING, schedule="at(2025-01-01T00:00:00)", minimum=2, maximum=5),
        *with_room(3, 2),
    ),
    fails(
        LOW_IPS,
        "the endpoints of a model share the addresses",
        spread(used_by=["churn", "fraud"]),
        SERVING,
        a_target(SERVING, maximum=5),
        SETTLED,
        a_target(SETTLED, maximum=3),
        *with_room(3, 3),
        severity=Severity.MEDIUM,
        evidence={
            "instances_to_grow": 4,
            "instances_of_update": 4,
            "addresses_needed": 10,
            "endpoints": ["churn", "fraud"],
            "short_of": ["growth to the maximum", "an update beside the present instances"],
        },
    ),
    passes(
        LOW_IPS,
        "an endpoint in the middle of a change is left to its next event",
        spread(),
        SERVING,
        a_target(SERVING, maximum=5),
        CHANGING,
        a_target(CHANGING, maximum=100),
        *with_room(3, 3),
        evidence={"instances_to_grow": 3},
    ),
    passes(
        LOW_IPS,
        "the target of a variant that serves another model",
        spread(),
        SERVING,
        other := a_variant("B", model="other-model"),
        a_target(other, maximum=100),
        *with_room(2, 2),
        evidence={"instances_to_grow": 0},
    ),
    passes(
        LOW_IPS,
        "more instances than the maximum need no more",
        spread(),
        SERVING,
        a_target(SERVING, minimum=1, maximum=1),
        *with_room(2, 2),
        evidence={"instances_to_grow": 0, "instances_of_update": 2, "addresses_needed": 4},
    ),
    passes(
        LOW_IPS,
        "a full subnet beside one with room in the same zone",
        a_model(subnets=["subnet-a", "subnet-a2", "subnet-b"]),
        *with_room(2, 2),
        a_subnet("subnet-a2", AvailableIpAddressCount=0),
    ),
    passes(
        LOW_IPS,
        "a model in one zone that has room",
        a_model(subnets=["subnet-a"]),
        a_subnet("subnet-a", AvailableIpAddressCount=2),
        evidence={"availability_zones_with_room": ["euw1-az1"]},
    ),
    fails(
        LOW_IPS,
        "a model in one zone that is full",
        a_model(subnets=["subnet-a"]),
        a_subnet("subnet-a", AvailableIpAddressCount=1),
        severity=Severity.MEDIUM,
        evidence={"availability_zones_with_room": []},
    ),
    fails(
        LOW_IPS,
        "a model in one zone that has no room to grow",
        a_model(subnets=["subnet-a"]),
        SERVING,
        a_target(SERVING, maximum=4),
        a_subnet("subnet-a", AvailableIpAddressCount=3),
        severity=Severity.MEDIUM,
        evidence={"addresses_needed": 4},
    ),
    fails(
        LOW_IPS,
        "room in a Local Zone is room in no Availability Zone",
        a_model(subnets=["subnet-a", "subnet-b", LOCAL_SUBNET.id]),
        *with_room(250, 0),
        LOCAL_SUBNET,
        severity=Severity.MEDIUM,
        evidence={"availability_zones_with_room": ["euw1-az1"]},
    ),
    # UpdateEndpoint is blue/green by default: "creates a new fleet ... while maintaining the old fleet" (API reference,
    # BlueGreenUpdatePolicy); ten instances want twenty addresses beside those that they have.
    fails(
        LOW_IPS,
        "no room for the second fleet of a blue/green update",
        spread(),
        a_variant(count=10),
        *with_room(10, 9),
        severity=Severity.MEDIUM,
        evidence={
            "instances_of_update": 10,
            "addresses_needed": 20,
            "short_of": ["an update beside the present instances"],
        },
    ),
    passes(
        LOW_IPS, "room for the second fleet of a blue/green update", spread(), a_variant(count=10), *with_room(10, 10)
    ),
    passes(
        LOW_IPS,
        "no room for a second fleet, and the policy does not ask for it",
        spread(),
        a_variant(count=10),
        *with_room(10, 9),
        params={"for_update": False},
        evidence={"instances_of_update": 0},
    ),
    passes(
        LOW_IPS,
        "a rolling update starts its batch only",
        spread(),
        a_variant(count=10, running={"rolling_batch": {"Type": "INSTANCE_COUNT", "Value": 2}}),
        *with_room(2, 2),
        evidence={"instances_of_update": 2, "addresses_needed": 4},
    ),
    fails(
        LOW_IPS,
        "a rolling update of a part of the fleet finds too little room",
        spread(),
        a_variant(count=10, running={"rolling_batch": {"Type": "CAPACITY_PERCENT", "Value": 25}}),
        *with_room(3, 2),
        severity=Severity.MEDIUM,
        evidence={"instances_of_update": 3, "addresses_needed": 6},
    ),
    fails(
        LOW_IPS,
        "the variants of another model on the same subnets want their own",
        spread(),
        a_variant(count=2),
        a_model(name="other-model", subnets=["subnet-a", "subnet-b"]),
        a_variant(endpoint="fraud", count=3, model="other-model"),
        *with_room(5, 4),
        severity=Severity.MEDIUM,
        evidence={"instances_of_update": 5, "addresses_needed": 10},
    ),
    fails(
        LOW_IPS,
        "some variants grow while others are updated",
        spread(),
        a_variant(count=4),
        a_target(a_variant(count=4), maximum=4),
        grows := a_variant("B", count=1),
        a_target(grows, minimum=1, maximum=5),
        *with_room(7, 7),
        severity=Severity.MEDIUM,
        evidence={
            "instances_to_grow": 4,
            "instances_of_update": 5,
            "addresses_needed": 16,
            "short_of": ["growth of some variants and an update of the others"],
        },
    ),
    fails(
        LOW_IPS,
        "the config of a component endpoint without room",
        a_config(subnets=["subnet-a", "subnet-b"], in_use=True),
        *with_room(0, 0),
        severity=Severity.MEDIUM,
    ),
    passes(
        LOW_IPS,
        "the config of a component endpoint with room",
        a_config(subnets=["subnet-a", "subnet-b"], in_use=True),
        *with_room(9, 9),
    ),
    does_not_apply(LOW_IPS, "an unused config", a_config(subnets=["subnet-a"], in_use=False), *with_room(0, 0)),
    does_not_apply(
        LOW_IPS,
        "enough for what an audit of named resources sees, which is not all that stands there",
        spread(),
        *with_room(9, 9),
        whole=False,
    ),
    does_not_apply(LOW_IPS, "a model without a VPC", a_model()),
    does_not_apply(LOW_IPS, "an unused model", spread(used_by=[]), *with_room(0, 0)),
    does_not_apply(LOW_IPS, "a model all of whose subnets are gone", spread()),
    is_unknown(LOW_IPS, "which endpoints use it was not read", spread(used_by=None), *with_room(0, 0)),
    is_unknown(
        LOW_IPS,
        "no endpoint is seen to use it and one could not be described",
        spread(used_by=[]),
        *with_room(0, 0),
        unread=[(Part.ENDPOINTS, "fraud")],
    ),
    is_unknown(LOW_IPS, "the subnets could not be read", spread(), unread=[Part.SUBNETS]),
    is_unknown(LOW_IPS, "the number of free addresses was not told", spread(), *with_room(250, None)),
    is_unknown(
        LOW_IPS,
        "a subnet in a zone whose type could not be read",
        a_model(subnets=["subnet-a", "subnet-d"]),
        SUBNET_A,
        DOUBTFUL_SUBNET,
        unread=[(Part.SUBNETS, "zone types")],
    ),
    is_unknown(
        LOW_IPS, "the targets could not be read", spread(), SERVING, *with_room(250, 250), unread=[Part.TARGETS]
    ),
    is_unknown(
        LOW_IPS,
        "the maximum was not told",
        spread(),
        SERVING,
        a_target(SERVING, maximum=None),
        *with_room(250, 250),
    ),
    is_unknown(
        LOW_IPS,
        "the instance count was not told",
        spread(),
        untold := a_variant(count=None),
        a_target(untold),
        *with_room(250, 250),
    ),
]


def a_job_in(*subnets: str, **job: Any) -> TrainingJob:
    """A training job in these subnets."""
    return a_training_job(subnets=subnets, **job)


TRAINING_VPC_SINGLE_AZ: list[Case] = [
    # "Reserved capacity ... in the specified Availability Zone" (training plans); FSx for Lustre is single-AZ (its user
    # guide); EFA "isn't supported over different Availability Zones" (ParallelCluster user guide).
    does_not_apply(
        TRAINING,
        "a training plan reserves its capacity in one zone",
        a_training_job(
            subnets=["subnet-a"], resources={"TrainingPlanArn": "arn:aws:sagemaker:eu-west-1:1:training-plan/p"}
        ),
        SUBNET_A,
    ),
    does_not_apply(
        TRAINING, "a Lustre file system", a_training_job(subnets=["subnet-a"], InputDataConfig=LUSTRE), SUBNET_A
    ),
    is_unknown(
        TRAINING,
        "an EFS file system, in one zone or in all",
        a_training_job(subnets=["subnet-a"], InputDataConfig=EFS),
        SUBNET_A,
    ),
    passes(
        TRAINING,
        "an EFS file system and two zones",
        a_training_job(subnets=["subnet-a", "subnet-b"], InputDataConfig=EFS),
        SUBNET_A,
        SUBNET_B,
    ),
    does_not_apply(
        TRAINING,
        "two instances that speak EFA",
        a_training_job(subnets=["subnet-a"], instance_type="ml.p4d.24xlarge", instances=2),
        SUBNET_A,
    ),
    fails(
        TRAINING,
        "one instance that could speak EFA",
        a_training_job(subnets=["subnet-a"], instance_type="ml.p4d.24xlarge", instances=1),
        SUBNET_A,
        severity=Severity.LOW,
    ),
    fails(
        TRAINING,
        "two instances without EFA",
        a_training_job(subnets=["subnet-a"], instances=2),
        SUBNET_A,
        severity=Severity.LOW,
    ),
    fails(
        TRAINING,
        "two subnets in one zone",
        a_job_in("subnet-a", "subnet-a2"),
        SUBNET_A,
        SUBNET_A2,
        severity=Severity.LOW,
        evidence={"availability_zones": ["euw1-az1"], "subnets": ["subnet-a", "subnet-a2"], "spot": False},
        in_demo=[InDemo("training-job genomics-research")],
    ),
    fails(
        TRAINING,
        "one zone on spot instances",
        a_job_in("subnet-a", spot=True),
        SUBNET_A,
        severity=Severity.MEDIUM,
        evidence={"spot": True},
    ),
    fails(
        TRAINING,
        "one zone on spot instances under a stricter policy",
        a_job_in("subnet-a", spot=True),
        SUBNET_A,
        params={"spot_severity": "high"},
        severity=Severity.HIGH,
    ),
    fails(
        TRAINING,
        "one zone on demand under a policy that is stricter with spot instances",
        a_job_in("subnet-a"),
        SUBNET_A,
        params={"spot_severity": "high"},
        severity=Severity.LOW,
    ),
    passes(
        TRAINING,
        "two subnets in two zones",
        a_job_in("subnet-a", "subnet-b"),
        SUBNET_A,
        SUBNET_B,
        evidence={"availability_zones": ["euw1-az1", "euw1-az2"]},
    ),
    passes(TRAINING, "two zones on spot instances", a_job_in("subnet-a", "subnet-b", spot=True), SUBNET_A, SUBNET_B),
    fails(
        TRAINING,
        "zones are compared by id and not by name",
        a_job_in("subnet-a", "subnet-x"),
        SUBNET_A,
        a_subnet("subnet-x", zone="euw1-az1", zone_name="eu-west-1b"),
        severity=Severity.LOW,
    ),
    *[
        fails(
            TRAINING,
            f"a {where} does not count as a zone",
            a_job_in("subnet-a", subnet.id),
            SUBNET_A,
            subnet,
            severity=Severity.LOW,
            evidence={"availability_zones": ["euw1-az1"]},
        )
        for where, subnet in (
            ("Local Zone", LOCAL_SUBNET),
            ("Wavelength Zone", WAVELENGTH_SUBNET),
            ("subnet on an Outpost", OUTPOST_SUBNET),
        )
    ],
    passes(
        TRAINING,
        "two zones beside a subnet that is gone",
        a_job_in("subnet-a", "subnet-b", "subnet-c"),
        SUBNET_A,
        SUBNET_B,
    ),
    does_not_apply(TRAINING, "one zone beside a subnet that is gone", a_job_in("subnet-a", "subnet-b"), SUBNET_A),
    does_not_apply(TRAINING, "all its subnets are gone", a_job_in("subnet-a", "subnet-b")),
    does_not_apply(TRAINING, "no VPC of the account", a_training_job()),
    does_not_apply(TRAINING, "an empty VpcConfig", a_training_job(VpcConfig={"SecurityGroupIds": [], "Subnets": []})),
    *[
        does_not_apply(TRAINING, name, a_job_in("subnet-a", **started_by), SUBNET_A)
        for name, started_by in NOT_OWN_JOBS
    ],
    is_unknown(TRAINING, "the subnets could not be read", a_job_in("subnet-a"), unread=[Part.SUBNETS]),
    is_unknown(
        TRAINING,
        "a subnet of which no zone was told",
        a_job_in("subnet-a", "subnet-x"),
        SUBNET_A,
        a_subnet("subnet-x", zone=None, zone_name=None),
    ),
    is_unknown(
        TRAINING,
        "a subnet in a zone whose type could not be read",
        a_job_in("subnet-a", "subnet-d"),
        SUBNET_A,
        DOUBTFUL_SUBNET,
        unread=[(Part.SUBNETS, "zone types")],
    ),
]

CASES: list[Case] = [
    *MODEL_VPC_SINGLE_AZ,
    *MODEL_VPC_SUBNET_MISSING,
    *MODEL_VPC_LOW_FREE_IPS,
    *VPC_SINGLE_AZ,
    *TRAINING_VPC_SINGLE_AZ,
]
