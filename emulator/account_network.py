"""The network of the lifelike account: VPCs and subnets under ids that do not change.

moto makes random ids, so the objects are made here under ids of their own.
"""

from __future__ import annotations

from moto.ec2.models import ec2_backends
from moto.ec2.models.availability_zones_and_regions import RegionsAndZonesBackend, Zone
from moto.ec2.models.subnets import Subnet
from moto.ec2.models.vpcs import VPC

from emulator.account_base import Account
from emulator.standing import make_security_group

MAIN_VPC = "vpc-0a1f5c2e7d3b94680"
ONE_ZONE_VPC = "vpc-0b2e6d3f8a4c05791"
RESEARCH_VPC = "vpc-0c3f7e409b5d16802"
UNUSED_VPC = "vpc-0d408f51ac6e27913"

MAIN_A, MAIN_B, MAIN_C = "subnet-0a11a2b3c4d5e6f70", "subnet-0a22b3c4d5e6f7081", "subnet-0a33c4d5e6f708192"
MAIN_A_SECOND = "subnet-0a44d5e6f708192a3"
MAIN_LOCAL = "subnet-0a55e6f708192a3b4"
SMALL_A, SMALL_B = "subnet-0a66f708192a3b4c5", "subnet-0a778192a3b4c5d6e"
ONE_ZONE_1, ONE_ZONE_2 = "subnet-0b11a2b3c4d5e6f70", "subnet-0b22b3c4d5e6f7081"
RESEARCH_1, RESEARCH_2 = "subnet-0c11a2b3c4d5e6f70", "subnet-0c22b3c4d5e6f7081"
UNUSED_1 = "subnet-0d11a2b3c4d5e6f70"
DELETED = "subnet-0e99f8e7d6c5b4a39"
SECURITY_GROUP = "sg-0f1e2d3c4b5a69788"

# The subnets of each VPC: id, address range, and the place of its zone among the region's (3 is the Local Zone).
_LOCAL = 3
_NETWORKS = {
    (MAIN_VPC, "10.20.0.0/16"): (
        (MAIN_A, "10.20.0.0/20", 0),
        (MAIN_B, "10.20.16.0/20", 1),
        (MAIN_C, "10.20.32.0/20", 2),
        (MAIN_A_SECOND, "10.20.48.0/20", 0),
        (MAIN_LOCAL, "10.20.64.0/24", _LOCAL),
        (SMALL_A, "10.20.65.0/28", 0),
        (SMALL_B, "10.20.65.16/28", 1),
    ),
    (ONE_ZONE_VPC, "10.30.0.0/16"): ((ONE_ZONE_1, "10.30.0.0/24", 1), (ONE_ZONE_2, "10.30.1.0/24", 1)),
    (RESEARCH_VPC, "10.40.0.0/16"): ((RESEARCH_1, "10.40.0.0/24", 2), (RESEARCH_2, "10.40.1.0/24", 2)),
    (UNUSED_VPC, "10.50.0.0/16"): ((UNUSED_1, "10.50.0.0/24", 0),),
}


def make(account: Account) -> None:
    """Makes the VPCs, their subnets, and a Local Zone of the region."""
    backend = ec2_backends[account.id][account.region]
    make_security_group(account.id, account.region, SECURITY_GROUP, MAIN_VPC)
    usual = RegionsAndZonesBackend.zones[account.region][:_LOCAL]
    local = Zone(
        name=f"{account.region}-lis-1a",
        region_name=account.region,
        zone_id=f"{usual[0].zone_id.partition('-')[0]}-lis1-az1",
        zone_type="local-zone",
    )
    zones = [*usual, local]
    # On this backend only: moto's own table is one for all accounts, and outlives a reset.
    vars(backend)["zones"] = {**RegionsAndZonesBackend.zones, account.region: zones}
    for (vpc, addresses), subnets in _NETWORKS.items():
        backend.vpcs[vpc] = VPC(backend, vpc, addresses, is_default=False)  # type: ignore[abstract]  # as in moto
        # Every VPC has a default network ACL, and a new subnet asks for it.
        backend.create_network_acl(vpc, default=True)
        for subnet, part, place in subnets:
            zone = zones[place]
            backend.subnets[zone.name][subnet] = Subnet(  # type: ignore[abstract]  # as in moto
                backend, subnet, vpc, part, None, zone, default_for_az=False, map_public_ip_on_launch=False
            )
