"""Which alarms are read: those that policies and deployments name, or in a sweep all there are."""

from chalicelib.inventory.estate import Inventory
from chalicelib.inventory.kinds import scaling
from chalicelib.inventory.kinds.scaling import Alarm
from chalicelib.inventory.parts import Part
from chalicelib.inventory.reader import Reader


def read_alarms(reader: Reader, estate: Inventory) -> None:
    """The alarms of the region where a rule wants all of them, and out of these, or by their names, those of policies
    and of deployments."""
    if Part.ALL_ALARMS in reader.needs and reader.scope.whole:
        estate.all_alarms = reader.whole(Part.ALL_ALARMS, lambda: scaling.all_alarms(reader))
    if Part.ALARMS in reader.needs:
        estate.alarms = _named(reader, Part.ALARMS, scaling.alarms_named_by(estate.policies), estate)
    if Part.ROLLBACK_ALARMS in reader.needs:
        names = {name for endpoint in estate.endpoints.values() for name in endpoint.rollback_alarms}
        estate.rollback_alarms = _named(reader, Part.ROLLBACK_ALARMS, names, estate)


def _named(reader: Reader, part: Part, names: set[str], estate: Inventory) -> dict[str, Alarm]:
    every = estate.all_alarms
    if every is not None and reader.gaps.hidden(Part.ALL_ALARMS) is None:
        return {name: every[name] for name in names if name in every}
    return reader.whole(part, lambda: scaling.named_alarms(reader, part, names)) or {}
