"""What AWS gives and where: instance types by Availability Zone, and where the instances of variants run."""

from collections.abc import Mapping

from msgspec import Struct, field

from chalicelib.inventory.kinds.offerings import TypeOffering
from chalicelib.inventory.kinds.placements import Placement


class Supplied(Struct, frozen=True):
    """Offerings by instance type, placements by the resource id of the variant."""

    offerings: Mapping[str, TypeOffering] = field(default_factory=dict)
    placements: Mapping[str, Placement] = field(default_factory=dict)
