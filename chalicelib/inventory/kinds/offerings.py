"""In which Availability Zones EC2 offers instance types: the facts, and how they are read."""

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from pydantic import Field

from chalicelib.inventory.answers import text
from chalicelib.inventory.facts import Fact
from chalicelib.inventory.parts import Part
from chalicelib.inventory.reader import Reader
from chalicelib.inventory.remembered import KEPT, Answer, Records

_SERVICE, _LIST, _MEMBER = "ec2", "DescribeInstanceTypeOfferings", "InstanceTypeOfferings"
#: ``ec2:DescribeInstanceTypeOfferings`` takes this many values in one filter.
FILTER_VALUES = 200
_PREFIX = "ml."


class TypeOffering(Fact):
    """Where EC2 offers an instance type of SageMaker's; ``zones`` are the ids, none where it does not list the type in
    the region."""

    instance_type: str = Field(..., description="InstanceType with the prefix of SageMaker")
    zones: tuple[str, ...] = Field((), description="DescribeInstanceTypeOfferings.Location")


def offerings(reader: Reader, instance_types: Iterable[str]) -> dict[str, TypeOffering]:
    """What EC2 offers of these types, by type; what it told is remembered for a day. Raises CallFailed."""
    scope = reader.scope
    wanted = sorted({name.removeprefix(_PREFIX) for name in instance_types})
    known = reader.memory.recall_answer(scope.account, scope.region, Part.OFFERINGS)
    if known is None or not known.read_at <= reader.now < known.read_at + KEPT:
        known = Answer(reader.now, [])
    zones = {text(record, "type"): record.get("zones") for record in known.records}
    if lacking := [name for name in wanted if name not in zones]:
        zones |= _asked(reader, lacking)
        records: Records = [{"type": name, "zones": ids} for name, ids in sorted(zones.items())]
        reader.memory.keep_answer(scope.account, scope.region, Part.OFFERINGS, Answer(known.read_at, records))
    return {f"{_PREFIX}{name}": TypeOffering(instance_type=name, zones=tuple(zones[name] or ())) for name in wanted}


def _asked(reader: Reader, names: Sequence[str]) -> Mapping[str, list[str]]:
    """The ids of the zones that offer each of these types of EC2's."""
    slices = [names[start : start + FILTER_VALUES] for start in range(0, len(names), FILTER_VALUES)]
    zones: dict[str, list[str]] = {name: [] for name in names}
    for page in reader.each(partial(_listed, reader), slices):
        for record in page:
            name, zone = text(record, "InstanceType"), text(record, "Location")
            if not name or not zone:
                reader.record_unread(Part.OFFERINGS, "no InstanceType or Location")
            zones.setdefault(name, []).append(zone)
    return zones


def _listed(reader: Reader, names: Sequence[str]) -> list[Any]:
    types = {"Name": "instance-type", "Values": list(names)}
    return reader.aws.listing(_SERVICE, _LIST, _MEMBER, LocationType="availability-zone-id", Filters=[types])
