"""What AWS answered, as frozen values named as AWS names the things.

One field for each fact that a rule or a person reads. Unknown fields are ignored, new enum values are plain strings,
and what an answer leaves out is None, never 0.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Self

from msgspec import Struct
from pydantic import AliasChoices, AliasPath, BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic.fields import FieldInfo

if TYPE_CHECKING:
    from chalicelib.inventory.failures import Failure
from chalicelib.inventory.answers import moment
from chalicelib.report.cause import Cause

#: The operation of what no call failed for: AWS answered and left it out.
INCOMPLETE = "incomplete answer"


class Unread(Exception):
    """A fact that a rule needs could not be read; the text says what stood in the way, ``operation`` which call.

    ``shown`` is what evidence says in the place of a fact that is there, but not known. ``failure`` is what failed,
    where that is known: a :class:`chalicelib.inventory.failures.Failure`. Without a ``cause`` it is the failure's;
    without either AWS has answered and did not tell, or, where an ``operation`` is named, that failed.
    """

    def __init__(
        self,
        reason: str,
        operation: str = INCOMPLETE,
        shown: str | None = None,
        failure: "Failure | None" = None,
        cause: Cause | None = None,
    ) -> None:
        super().__init__(reason)
        self.operation = operation
        self.shown = shown
        self.failure = failure
        failure_cause = failure.cause if failure is not None else None
        self.cause = cause or failure_cause or (Cause.NOT_TOLD if operation == INCOMPLETE else Cause.FAILED)

    def again(self) -> Self:
        """The same, to be raised anew."""
        return type(self)(str(self), self.operation, self.shown, self.failure, self.cause)


class Missing(Unread):
    """What a rule needs does not exist any more: AWS says so. That is knowledge, and no blind spot; the rule does not
    apply, and ``endpoint-dependency-missing`` tells it."""


class Source(Struct, frozen=True):
    """Where AWS writes a field: the paths of :func:`at`, in the order in which they are tried."""

    paths: tuple[str, ...]

    def __str__(self) -> str:
        return ", else ".join(self.paths)

    @property
    def usual(self) -> str:
        """The path that most records have: special ones stand before it."""
        return self.paths[-1]


def at(
    *paths: str,
    default: Any = None,
    required: bool = False,
    convert: Callable[[Any], Any] | None = None,
    description: str | None = None,
) -> Any:
    """A field of a fact, by where AWS writes it. Adding a field to a fact is one line with its type and its path::

        image: str | None = at("Specifications[0].Container.Image", "Specification.Container.Image")

    A path goes from the record through mappings (``A.B``), to one place of a list (``A[0].B``) or to every item of it
    (``A[].B`` gives a tuple of the ``B`` of all items that have one; once in a path). The first path that is there
    wins, so that the usual one stands last: what is null is not there, and of several paths one that begins at
    something empty is not. Without any the field is ``default``; a ``required`` one makes the record unreadable.

    A mapping or a list of mappings is a fact of its own with paths of its own: ``variants: tuple[VariantSettings, ...]
    = at("ProductionVariants", default=())``. ``convert`` makes AWS's value into what the type of the field accepts, and
    leaves alone what is none of AWS's (``many``, ``filled``; for bare presence there is the type ``Present``).
    ``description`` is for what the paths do not tell; docs/inventory.md shows it, or else the paths.
    """
    aliases = [_alias(path) for path in paths]
    made: FieldInfo = Field(
        ... if required else default,
        validation_alias=aliases[0] if len(aliases) == 1 else AliasChoices(*aliases),
        description=description,
    )
    made.metadata.append(Source(paths))
    if convert:
        made.metadata.append(BeforeValidator(convert))
    inner = {path.partition("[].")[2] for path in paths if "[]." in path}
    if inner:
        steps = inner.pop().split(".")
        made.metadata.append(BeforeValidator(lambda items: _of_each(items, steps)))  # the last one comes first
    return made


def many(value: Any) -> Any:
    """A single mapping as a tuple of one, for what AWS writes as a list in one place and alone in another."""
    return (value,) if isinstance(value, Mapping) else value


def filled(value: Any) -> Any:
    """None for what is empty, where an empty value says the same as none."""
    return value or None


def _alias(path: str) -> str | AliasPath:
    first, *inner = steps_of(path.partition("[].")[0])
    return AliasPath(str(first), *inner) if inner else str(first)


def steps_of(path: str) -> list[str | int]:
    """``A[0].B`` as the keys ``A``, ``0`` and ``B``."""
    return [int(step) if step.isdigit() else step for step in path.replace("[", ".").replace("]", "").split(".")]


def _of_each(items: Any, steps: list[str]) -> Any:
    """What stands at the path in each item of AWS's list that has it; anything but a list of mappings as it is."""
    if not isinstance(items, list) or not items or not isinstance(items[0], dict):
        return items
    values = items
    for step in steps:
        values = [item[step] for item in values if isinstance(item, dict) and item.get(step) is not None]
    return values


def is_presence(field: FieldInfo) -> bool:
    """True for a field that only says whether AWS writes anything at its path."""
    return any(isinstance(note, BeforeValidator) and note.func is bool for note in field.metadata)


def source_of(field: FieldInfo) -> Source | None:
    """Where AWS writes a field of a fact, or None for one that is worked out of others."""
    return next((note for note in field.metadata if isinstance(note, Source)), None)


def _pruned(value: Any) -> Any:
    """A mapping without the nulls in it and in its mappings; itself where there is none."""
    if not isinstance(value, dict):
        return value
    if None not in value.values() and not any(isinstance(inner, dict) for inner in value.values()):
        return value
    kept = {key: _pruned(inner) for key, inner in value.items() if inner is not None}
    same = len(kept) == len(value) and all(kept[key] is inner for key, inner in value.items())
    return value if same else kept


def _tags(listed: Any) -> Any:
    """Tags as a mapping, from AWS's list of ``{"Key", "Value"}`` or from a mapping."""
    if isinstance(listed, list):
        return {tag["Key"]: tag.get("Value") or "" for tag in listed if isinstance(tag, Mapping) and "Key" in tag}
    return listed


Tags = Annotated[dict[str, str], BeforeValidator(_tags)]


def _no_truth(value: Any) -> Any:
    """A number as AWS writes it; pydantic would take true for 1."""
    if isinstance(value, bool):
        raise ValueError("true and false are no numbers")
    return value


def _time(value: Any) -> Any:
    """A time in whatever form an answer has it; never one without a zone, which no other could be compared with."""
    return None if value is None else moment(value)


#: A number of things or seconds, or an amount: AWS knows none below zero, nor any beyond all reason.
Count = Annotated[int, Field(ge=0, le=10**12), BeforeValidator(_no_truth)]
Amount = Annotated[float, Field(ge=0, le=10**15), BeforeValidator(_no_truth)]
Time = Annotated[datetime, BeforeValidator(_time)]

#: True where AWS writes anything at all at the path, and be it a mapping of settings.
Present = Annotated[bool, BeforeValidator(bool)]


class PartlyKnown(dict[str, Any]):
    """JSON for expressions: a key that is not known raises Unread, and so does whoever wants all values.

    ``rest`` is why a key that is absent may yet be there.
    """

    def __init__(self, values: Mapping[str, Any], unknown: Mapping[str, Unread], rest: Unread | None = None) -> None:
        super().__init__(values)
        self.unknown, self.rest = unknown, rest

    def get(self, key: str, default: Any = None) -> Any:
        """The value of the key."""
        unread = self.unknown.get(key) or (self.rest if key not in self else None)
        if unread is not None:
            raise unread
        return super().get(key, default)

    def values(self) -> Any:
        """Every value."""
        self._know_all()
        return super().values()

    def items(self) -> Any:
        """Every key with its value."""
        self._know_all()
        return super().items()

    def _know_all(self) -> None:
        for unread in (*self.unknown.values(), self.rest):
            if unread is not None:
                raise unread


_UNKNOWN = "_unknown"


class Fact(BaseModel):
    """Base of everything in the inventory. Nulls count as absent; ``kind`` names the resource kind in reports.

    A field can be *unknown*: it could not be read, or a template leaves it open. Whoever reads it is told so by
    :class:`Unread`, so that a rule that needs the field becomes unknown, and one that does not is judged as ever. Such
    a field is left out of the instance, so that facts of which all is known pay nothing for it.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True, defer_build=True, allow_inf_nan=False)
    kind: ClassVar[str] = ""
    #: The fields that are null where nobody read them, and the operation that would have told.
    null_is_unread: ClassVar[Mapping[str, str]] = {"tags": "sagemaker:ListTags"}
    #: What every record of AWS's has, by AWS's names: one without is no answer.
    essential: ClassVar[tuple[str, ...]] = ()
    #: The keys of a record at which paths begin that a null or an empty value on the way would block.
    _nested: ClassVar[tuple[str, ...]] = ()
    _several: ClassVar[tuple[str, ...]] = ()

    @classmethod
    def __pydantic_init_subclass__(cls, **_: Any) -> None:
        nested: dict[str, None] = {}
        plural: dict[str, None] = {}
        for info in cls.model_fields.values():
            source = source_of(info)
            paths = [steps_of(path) for path in source.paths] if source else []
            if len(paths) > 1 or info.default is not None:
                nested |= {str(path[0]): None for path in paths if len(path) > 1}
            if len(paths) > 1:
                plural |= {str(path[0]): None for path in paths}
        cls._nested, cls._several = tuple(nested), tuple(plural)

    @model_validator(mode="before")
    @classmethod
    def _nulls_are_absent(cls, record: Any) -> Any:
        if not isinstance(record, dict):
            return record
        if None in record.values():
            record = {key: value for key, value in record.items() if value is not None}
        for key in cls._several:
            if key in record and record[key] in ({}, [], ""):
                record = {name: value for name, value in record.items() if name != key}
        for key in cls._nested:
            if key in record and (inner := _pruned(record[key])) is not record[key]:
                record = {**record, key: inner}
        return record

    if not TYPE_CHECKING:  # else every misspelt name would be taken for a field

        def __getattr__(self, name: str) -> Any:
            """Called for what is not in the instance alone."""
            unread = self.unknown.get(name)
            if unread is not None:
                raise unread.again()
            return super().__getattr__(name)

    @property
    def unknown(self) -> Mapping[str, Unread]:
        """The fields that are not known, or not for certain, and why."""
        unknown: Mapping[str, Unread] = self.__dict__.get(_UNKNOWN, {})
        return unknown

    def with_unknown(self, unknown: Mapping[str, Unread], assumed: Mapping[str, Unread] | None = None) -> Self:
        """The fact of which these fields are not known.

        Those that are ``assumed`` keep their values for rules, and are unknown in :meth:`as_json`; a mapping among them
        has the keys that it has, and may have more.
        """
        fact = self.model_copy()
        for name in unknown:
            fact.__dict__.pop(name, None)
        fact.__dict__[_UNKNOWN] = {**self.unknown, **unknown, **(assumed or {})}
        return fact

    def with_only(self, unread: Unread, *known: str) -> Self:
        """The fact of which nothing but the fields ``known`` is known."""
        return self.with_unknown({name: unread for name in type(self).model_fields if name not in known})

    def spoken(self) -> Self:
        """The fact as texts may show it: what is not known as evidence shows it, or else as None."""
        if not self.unknown:
            return self
        fact = self.model_copy()
        unknown = fact.__dict__.pop(_UNKNOWN)
        fact.__dict__.update({name: unread.shown for name, unread in unknown.items() if name not in fact.__dict__})
        return fact

    def known(self, name: str) -> Any:
        """The field, or None where it is not known."""
        return self.__dict__.get(name)

    def shown(self, name: str) -> Any:
        """A field or property for evidence that decides nothing: of what is there, but not known, words that say so."""
        try:
            return getattr(self, name)
        except Unread as unread:
            if unread.shown is None:
                raise
            return unread.shown

    def as_json(self) -> dict[str, Any]:
        """The fact as JSON, what is not known as in :class:`PartlyKnown`."""
        values = self.model_dump(mode="json")
        for name, value in self.__dict__.items():
            if isinstance(value, Fact):
                values[name] = value.as_json()
            elif isinstance(value, tuple) and value and isinstance(value[0], Fact):
                values[name] = [item.as_json() for item in value]
        unread = {name: operation for name, operation in self.null_is_unread.items() if values.get(name, "") is None}
        nulls = {name: Unread(f"{name} of the {self.kind} was not read", unread[name]) for name in unread}
        unknown = nulls | dict(self.unknown)
        for name in self.unknown:
            if isinstance(value := values.pop(name, None), dict):
                values[name] = PartlyKnown(value, {}, unknown.pop(name))
        return PartlyKnown(values, unknown) if unknown else values


#: By field, the states to compare by.
States = Mapping[str, frozenset[str]]


class Stated(Fact):
    """A fact with a state on which judgements hang.

    ``known_states`` are the values that AWS documents for a field: any other is unknown, as nobody knows what it means.
    """

    known_states: ClassVar[States] = {}

    @model_validator(mode="after")
    def _strange_states_are_unknown(self) -> Self:
        strange: dict[str, Unread] = {}
        for name, states in self.known_states.items():
            state = self.__dict__.get(name)
            if state and plain(state) not in states:
                reason = f"the {name.replace('_', ' ')} {state} is not known to this version"
                strange[name] = Unread(reason, shown=state, cause=Cause.MALFORMED)
        if strange:
            for name in strange:
                del self.__dict__[name]
            self.__dict__[_UNKNOWN] = {**self.unknown, **strange}
        return self


def plain(status: str) -> str:
    """A status without case and underscores, to compare by: events write IN_SERVICE where the API writes InService."""
    return status.replace("_", "").lower()


def states(*names: str) -> frozenset[str]:
    """The states of these names, to compare by."""
    return frozenset(plain(name) for name in names)


class VpcConfig(Fact):
    """Where containers get their network interfaces."""

    security_group_ids: tuple[str, ...] = at("SecurityGroupIds", default=())
    subnets: tuple[str, ...] = at("Subnets", default=())
