"""From evaluated properties to facts: what is known validated, what is not marked with its reason."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar

from pydantic import ValidationError

from chalicelib.errors import InvalidInput
from chalicelib.inventory.facts import Fact
from chalicelib.plan.partial import partial
from chalicelib.plan.values import TAGS_LATER, UNTOLD, Unknown, at, lack

F = TypeVar("F", bound=Fact)

#: What is planned is judged as it will stand when every time of grace is over.
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
_MOVING = {"created": UNTOLD, "status": UNTOLD, "endpoint_created": UNTOLD, "endpoint_status": UNTOLD}
#: Fields in which an unresolved value is certain to be there, and may be shown as evidence.
_SHOWN = {"instance_type", "initial_instance_count", "desired_instance_count", "desired_copy_count"}
_SHOWN |= {"min_capacity", "max_capacity"}
#: Fields that say no more than that something is configured.
_PRESENCE = {"serverless", "serverless_config", "asynchronous", "az_balance"}


def read(kind: type[F], raw: Any, fields: Mapping[str, tuple[str, ...]], where: str, **known: Any) -> F:
    """A fact whose ``fields`` are read from the paths given; those without a known value are unknown.

    ``known`` fields are as given, or unknown where an :class:`Unknown` is given. Raises InvalidInput for a value of the
    wrong kind, with ``where`` it stands.
    """
    values: dict[str, Any] = {}
    unknown: dict[str, str] = {}
    shown: dict[str, str] = {}
    told = {name: at(raw, *path) for name, path in fields.items()} | known
    for name, value in told.items():
        missing = lack(value)
        if name in _PRESENCE and not isinstance(value, Unknown):
            values[name] = value not in (None, False, {}, [])
        elif missing is None:
            values |= {name: value} if value is not None else {}
        elif name in _SHOWN and isinstance(value, Unknown) and not value.optional:
            shown[name] = missing.reason
        else:
            unknown[name] = missing.reason
    rest = ""
    if "tags" in kind.model_fields:
        values["tags"], rest = _tags(at(raw, "Tags"), own=bool(at(raw, "own_tags")))
    try:
        fact = kind.model_validate({**{name: STAND_IN for name in _required(kind) - set(values)}, **values})
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(one) for one in first["loc"])
        path = ".".join(fields.get(field, (field,)))
        raise InvalidInput(f"{where}: {path}: {first['msg'][0].lower()}{first['msg'][1:]}", field="TEMPLATE") from None
    faces = {name: reason for name, reason in _MOVING.items() if name in kind.model_fields}
    return partial(fact, unknown, shown, faces, rest)


STAND_IN = "unknown"


def _required(kind: type[Fact]) -> set[str]:
    return {name for name, field in kind.model_fields.items() if field.is_required()}


def _tags(given: Any, *, own: bool) -> tuple[dict[str, str], str]:
    """The tags that are known, and why there may be more: those of the stack go to its resources, too."""
    pairs = {at(one, "Key"): at(one, "Value") for one in given} if isinstance(given, list) else {}
    known = {str(key): str(value) for key, value in pairs.items() if not lack([key, value])}
    missing = lack(given)
    if missing is not None:
        return known, missing.reason
    return known, "" if own else TAGS_LATER


def resolved_name(value: Any, names: Iterable[str]) -> str | Unknown | None:
    """The name that a reference means: of an ARN its last part; what has no certain text is unknown."""
    if isinstance(value, Unknown):
        return value.symbol if value.symbol and value.symbol in set(names) else value
    return None if value is None else str(value).rsplit("/", 1)[-1] if str(value).startswith("arn:") else str(value)


def items(value: Any, place: str, name: str) -> list[Any]:
    """A list of the template, empty where there is none. Raises InvalidInput for anything else."""
    if value is None:
        return []
    if not isinstance(value, list):
        raise InvalidInput(f"{place}: {name} must be a list", field="TEMPLATE")
    return value
