"""How the calls of a bounded reading are shared among its steps: each leaves what those after it need at least."""

from chalicelib.inventory.parts import Part
from chalicelib.inventory.reader import Reader

#: What the steps take at least, in their order. Several models are searched for by one call; three calls tell what
#: scales one target, two the subnets and those beside them in their VPCs, and one more the types of odd zones.
FOR_MODELS, FOR_TARGETS, FOR_SCALING, FOR_METRICS, FOR_ALARMS, FOR_NETWORK = 1, 1, 3, 2, 1, 2
FOR_ZONES = 1
AFTER_COMPONENTS = FOR_MODELS + FOR_TARGETS + FOR_SCALING + FOR_METRICS + FOR_ALARMS + FOR_NETWORK
AFTER_MODELS = FOR_TARGETS + FOR_SCALING + FOR_METRICS + FOR_ALARMS


def scaling(reader: Reader, ids: list[str], network_calls: int) -> list[str]:
    """The resource ids whose policies, schedules and activities can be read: of the first before metrics and subnets,
    of the others after them. What scales the rest is left to the next sweep."""
    parts = [part for part in (Part.POLICIES, Part.SCHEDULES, Part.ACTIVITIES) if part in reader.needs]
    if reader.bound is None or not parts:
        return ids
    first = reader.affords(len(parts) + FOR_ALARMS)
    room = reader.bound.calls_left - len(parts) - FOR_ALARMS - FOR_METRICS - network_calls
    number = 1 + max(0, room) // len(parts) if first else 0
    for part in parts:
        for id in ids[number:]:
            reader.left_to_sweep(part, id)
    return ids[:number]
