"""What a template leaves open: values that nobody can know before deployment, and facts of which some are such.

A fact is read from a template by the paths at which AWS writes its fields, as CloudFormation's words are those of the
API. What stands there is validated, what is not known is an unknown field of the fact, with its reason.
"""

import math
import typing
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple, TypeVar

from msgspec import Struct
from pydantic import ValidationError
from pydantic.fields import FieldInfo

from chalicelib.errors import InvalidInput
from chalicelib.inventory.facts import Fact, Unread, is_presence, source_of, steps_of
from chalicelib.plan.bounds import Between, InWords, bounded

F = TypeVar("F", bound=Fact)

#: The operation of a blind spot that a value of the template causes, and of the one that no template can avoid.
VALUES, DEPLOYMENT = "plan:values", "plan:deployment"
LATER = "not known before deployment"
#: Reasons that no template can do anything about.
UNTOLD = f"it is {LATER}"
ALARMS_LATER = f"which alarms act on it is {LATER}"
TAGS_LATER = f"which tags the stack adds is {LATER}"
USERS_LATER = f"no endpoint of the template is certain to use it, and which other does is {LATER}"
NEVER_IN_A_TEMPLATE = frozenset({UNTOLD, ALARMS_LATER, TAGS_LATER, USERS_LATER})


class Unknown(Struct, frozen=True):
    """A value that cannot be told, and why. Two with the same ``symbol`` are the same text, whatever it will be.

    ``optional``: it may be that there will be no value at all. ``least`` and ``most`` bound a number, ``choices`` are
    all texts that it can be.
    """

    reason: str
    symbol: str = ""
    optional: bool = False
    least: float | None = None
    most: float | None = None
    choices: tuple[str, ...] = ()


def no_line(*path: str | int) -> int:
    return 0


class Place(NamedTuple):
    """Where something is declared: the file, its line (0 where there is none), and the logical id or address."""

    file: str
    line: int
    address: str


class Declared(Struct, frozen=True):
    """A resource of a template, in CloudFormation's words. ``name`` and ``arn`` are what others refer to it by.

    ``maybe`` says why it may not be made; ``unnamed`` that its real name is not known. ``source`` is its file, ``line``
    the line of a path within it, 0 where the file has none.
    """

    type: str
    id: str
    properties: Any
    name: str
    arn: str = ""
    unnamed: bool = False
    maybe: str = ""
    source: str = ""
    line: Callable[..., int] = no_line

    def place(self, *path: str | int) -> Place:
        """Where the resource, or what stands at a path within it, is declared."""
        return Place(self.source, self.line(*path), self.id)


class Template(Struct, frozen=True):
    """What files declare that are deployed together. ``more`` says why a file brings more resources than these;
    ``plans`` are the files of Terraform."""

    sources: Sequence[str]
    resources: Sequence[Declared]
    more: Mapping[str, str] = {}
    plans: frozenset[str] = frozenset()

    @property
    def open(self) -> str:
        """Why there may be more resources than these, or an empty text."""
        return "; ".join(dict.fromkeys(self.more.values()))

    def of(self, type: str) -> list[Declared]:
        """The resources of one type."""
        return [resource for resource in self.resources if resource.type == type]


def where(resource: Declared) -> str:
    """Where a resource stands, for messages."""
    file, line, id = resource.place()
    return f"{file}:{line}: {id}" if line else f"{file}: {id}"


def at(value: Any, *path: str | int) -> Any:
    """What stands at the path; None where nothing does, the Unknown on the way where there is one."""
    for key in path:
        if isinstance(value, Unknown):
            return value
        if isinstance(key, int):
            value = value[key] if isinstance(value, list) and key < len(value) else None
        else:
            value = value.get(key) if isinstance(value, Mapping) else None
    return value


def lack(value: Any) -> Unknown | None:
    """The first unknown value anywhere within."""
    if isinstance(value, Unknown):
        return value
    inner: Sequence[Any] = ()
    if isinstance(value, Mapping):
        inner = list(value.values())
    elif isinstance(value, list | tuple):
        inner = value
    return next((reason for member in inner if (reason := lack(member)) is not None), None)


# ---- facts of which not all is known

#: What is planned is judged as it will stand when every time of grace is over.
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
_MOVING = {"created": UNTOLD, "status": UNTOLD, "endpoint_created": UNTOLD, "endpoint_status": UNTOLD}
#: Fields of which evidence may say that the value is there.
_SHOWN = {"instance_type", "initial_instance_count", "desired_instance_count", "desired_copy_count"}
_SHOWN |= {"min_capacity", "max_capacity"}
#: Counts of which bounds decide something, and the least that AWS accepts of each.
_COUNTS = {"initial_instance_count": 1, "desired_instance_count": 1, "desired_copy_count": 0}
_COUNTS |= {"min_capacity": 0, "max_capacity": 0, "min_instance_count": 0, "max_instance_count": 1}


def unread(reason: str, *, shown: bool = False) -> Unread:
    """The error for a field that is not known; ``shown`` where it is certain to be there."""
    operation = DEPLOYMENT if reason in NEVER_IN_A_TEMPLATE else VALUES
    return Unread(reason, operation, f"({LATER})" if shown else None)


def read(kind: type[F], raw: Any, place: str, **values: Any) -> F:
    """A fact from a resource of the template: each field as in ``values``, or else what stands at its paths.

    A field is unknown where an :class:`Unknown` stands, or is given. Raises InvalidInput for a value of the wrong
    kind, with the ``place`` of the resource.
    """
    known: dict[str, Any] = {}
    unknown: dict[str, Unread] = {}
    between: dict[str, Between] = {}
    for name, field in kind.model_fields.items():
        value = values[name] if name in values else _written(raw, field, place)
        missing = lack(value)
        if is_presence(field) and not isinstance(value, Unknown):
            known[name] = value not in (None, False, {}, [])
        elif missing is not None:
            certain = name in _SHOWN and isinstance(value, Unknown) and not value.optional
            count = _bounded(value, _COUNTS[name]) if certain and name in _COUNTS else None
            if isinstance(count, Between):
                between[name] = count
            elif count is not None:
                known[name] = count
            else:
                unknown[name] = unread(missing.reason, shown=certain)
        elif value is not None:
            known[name] = value
    assumed = {name: unread(reason) for name, reason in _MOVING.items() if name in kind.model_fields}
    if "tags" in kind.model_fields:
        unknown.pop("tags", None)
        known["tags"], rest = _tags(at(raw, "Tags"), own=bool(at(raw, "own_tags")))
        if rest:
            assumed["tags"] = unread(rest)
    required = {name for name, field in kind.model_fields.items() if field.is_required()}
    try:
        fact = kind.model_validate({**dict.fromkeys(required, "unknown"), **known})
    except ValidationError as error:
        first = error.errors()[0]
        source = source_of(kind.model_fields[str(first["loc"][0])]) if first["loc"] else None
        path = source.usual if source else ".".join(map(str, first["loc"]))
        raise InvalidInput(f"{place}: {path}: {first['msg'][0].lower()}{first['msg'][1:]}", field="TEMPLATE") from None
    return with_counts(fact.with_unknown(unknown, assumed), between)


def with_counts(fact: F, counts: Mapping[str, int | Unread | None]) -> F:
    """The fact with these counts, of which each may be unknown or lie between bounds."""
    unknown = {name: count for name, count in counts.items() if isinstance(count, Unread)}
    assumed = {name: count.unread for name, count in counts.items() if isinstance(count, Between)}
    known = {name: count for name, count in counts.items() if isinstance(count, int)}
    return fact.model_copy(update=known).with_unknown(unknown, assumed) if counts else fact


def _bounded(value: Any, least: int) -> int | None:
    """A number of which bounds are known; None where there are no bounds."""
    if not isinstance(value, Unknown) or (value.least is None and value.most is None):
        return None
    low = max(least, math.ceil(value.least)) if value.least is not None else least
    high = None if value.most is None else math.floor(value.most)
    if high is not None and high < low:
        return None
    return bounded(low, high, unread(value.reason, shown=True))


def _written(raw: Any, field: FieldInfo, place: str) -> Any:
    """What a template writes for a field: mappings that are facts of their own are read as such."""
    source = source_of(field)
    for path in source.paths if source else ():
        head, _, inner = path.partition("[].")
        value = at(raw, *steps_of(head))
        if inner and isinstance(value, list):
            values = [at(item, *steps_of(inner)) for item in value]
            value = [value for value in values if value is not None]
        if value is not None:
            return _nested(value, field, place, head)
    return None


def _nested(value: Any, field: FieldInfo, place: str, name: str) -> Any:
    kind, many = _fact_in(field.annotation)
    if kind is None or isinstance(value, Unknown):
        return value
    if not many or isinstance(value, Mapping):
        fact = read(kind, value, place) if isinstance(value, Mapping) else value
        return (fact,) if many else fact
    return each(value, place, name, lambda item, _: read(kind, item, place))


def _fact_in(annotation: Any, many: bool = False) -> tuple[type[Fact] | None, bool]:
    """The kind of fact that a field holds, if any, and whether it holds many."""
    if isinstance(annotation, type) and issubclass(annotation, Fact):
        return annotation, many
    many = many or typing.get_origin(annotation) is tuple
    inner = (_fact_in(argument, many) for argument in typing.get_args(annotation))
    return next((reading for reading in inner if reading[0] is not None), (None, many))


def each(listed: Any, place: str, name: str, make: Callable[[Any, int], Any]) -> Any:
    """A list of the template as a tuple of what ``make`` makes of its mappings; unknown where its length is."""
    if listed is None or isinstance(listed, Unknown):
        return listed
    for item in items(listed, place, name):
        if isinstance(item, Unknown):
            return item
        if not isinstance(item, Mapping):
            raise InvalidInput(f"{place}: each of {name} must be a mapping", field="TEMPLATE")
    return tuple(make(item, index) for index, item in enumerate(listed))


def _tags(listed: Any, *, own: bool) -> tuple[dict[str, str], str]:
    """The tags that are known, and why there may be more: those of the stack go to its resources, too."""
    pairs = {at(tag, "Key"): at(tag, "Value") for tag in listed} if isinstance(listed, list) else {}
    known = {str(key): str(value) for key, value in pairs.items() if not lack([key, value])}
    missing = lack(listed)
    if missing is not None:
        return known, missing.reason
    return known, "" if own else TAGS_LATER


def spoken(value: Any) -> Any:
    """A fact as texts may show it: what is not known is None."""
    if isinstance(value, Mapping):
        return {name: spoken(inner) for name, inner in value.items()}
    if isinstance(value, tuple | list):
        return type(value)(spoken(inner) for inner in value)
    if isinstance(value, Between):
        return InWords(value)
    if isinstance(value, Fact):
        fields = type(value).model_fields
        return type(value).model_construct(**{name: spoken(value.known(name)) for name in fields})
    return value


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
