"""Values of a template that are one of a few, and mappings that may hold more than they show."""

from collections.abc import Mapping
from typing import Any

from chalicelib.plan.loops import LOOP
from chalicelib.plan.parameters import as_text
from chalicelib.plan.unknown import LATER, Unknown


class NoValue:
    """``AWS::NoValue``: the key or item that has it is not there."""


NO_VALUE = NoValue()


class Zones:
    """What ``Fn::GetAZs`` gives: the zones of a region, whose names are not known but which are not each other."""

    def __init__(self, region: str) -> None:
        self.region = region


def choices_of(value: Any) -> set[str]:
    """All texts that a value can be; none where they cannot be listed."""
    if isinstance(value, Unknown):
        return set(value.choices)
    return set() if isinstance(value, dict | list | NoValue) or value is None else {as_text(value)}


def one_of(values: list[Any], reason: str) -> Any:
    """A value that is one of these: itself where they are the same, else unknown within their bounds."""
    if all(value == values[0] for value in values[1:]):
        return values[0]
    if all(isinstance(value, list) for value in values):
        return _one_of_lists(values, reason)
    if all(isinstance(value, dict) for value in values):
        keys = dict.fromkeys(key for value in values for key in value)
        return {key: one_of([value.get(key, NO_VALUE) for value in values], reason) for key in keys}
    optional = any(value is NO_VALUE or (isinstance(value, Unknown) and value.optional) for value in values)
    plain = [value for value in values if isinstance(value, str | int | float) and not isinstance(value, bool)]
    if len(plain) < len(values):
        return Unknown(reason, optional=optional)
    choices = tuple(as_text(value) for value in plain)
    try:
        numbers = [float(choice) for choice in choices]
    except ValueError:
        return Unknown(reason, choices=choices)
    return Unknown(reason, least=min(numbers), most=max(numbers), choices=choices)


def _one_of_lists(lists: list[list[Any]], reason: str) -> list[Any]:
    """The items that are in any case, those that differ in part with what is the same, and that there may be more."""
    if len({len(items) for items in lists}) == 1:
        return [one_of(list(items), reason) for items in zip(*lists, strict=True)]
    certain = [item for item in lists[0] if all(item in items for items in lists[1:])]
    return [*certain, Unknown(reason, optional=True)]


def hidden(node: Mapping[str, Any]) -> Unknown | None:
    """Why a mapping may hold more than it shows: a macro fills it, or a loop that could not be written out."""
    for key, inner in node.items():
        if key.startswith(LOOP) and isinstance(inner, Unknown):
            return inner
        if key == "Fn::Transform":
            return Unknown(f"what {transform_name(inner)} adds is {LATER}", optional=True)
    return None


def transform_name(transform: Any) -> str:
    """A transform in words."""
    name = transform.get("Name") if isinstance(transform, Mapping) else transform
    return f"the transform {name}" if isinstance(name, str) else "a transform"
