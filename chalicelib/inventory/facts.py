"""What AWS answered, as frozen values named as AWS names the things.

One field for each fact that a rule or a person reads. Unknown fields are ignored, new enum values are plain strings,
and what an answer leaves out is None, never 0.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar

from pydantic import AliasChoices, AliasPath, BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic.fields import FieldInfo

from chalicelib.inventory.parts import Part


class Unread(Exception):
    """A fact that a rule needs could not be read; the text says what stood in the way, ``operation`` which call."""

    def __init__(self, reason: str, operation: str = "incomplete answer") -> None:
        super().__init__(reason)
        self.operation = operation


@dataclass(frozen=True, slots=True)
class Source:
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
    first, *inner = _steps(path.partition("[].")[0])
    return AliasPath(str(first), *inner) if inner else str(first)


def _steps(path: str) -> list[str | int]:
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

#: True where AWS writes anything at all at the path, and be it a mapping of settings.
Present = Annotated[bool, BeforeValidator(bool)]


class Fact(BaseModel):
    """Base of everything in the inventory. Nulls count as absent; ``kind`` names the resource kind in reports."""

    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True, defer_build=True)
    kind: ClassVar[str] = ""
    #: The keys of a record at which paths begin that a null or an empty value on the way would block.
    _nested: ClassVar[tuple[str, ...]] = ()
    _several: ClassVar[tuple[str, ...]] = ()

    @classmethod
    def __pydantic_init_subclass__(cls, **_: Any) -> None:
        nested: dict[str, None] = {}
        several: dict[str, None] = {}
        for info in cls.model_fields.values():
            source = source_of(info)
            paths = [_steps(path) for path in source.paths] if source else []
            if len(paths) > 1 or info.default is not None:
                nested |= {str(path[0]): None for path in paths if len(path) > 1}
            if len(paths) > 1:
                several |= {str(path[0]): None for path in paths}
        cls._nested, cls._several = tuple(nested), tuple(several)

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


class VpcConfig(Fact):
    """Where containers get their network interfaces."""

    security_group_ids: tuple[str, ...] = at("SecurityGroupIds", default=())
    subnets: tuple[str, ...] = at("Subnets", default=())


@dataclass(slots=True)
class Gaps:
    """What could not be read: whole parts, and single resources within a part, each with the reason.

    ``failed`` are those of the resources that are there, but whose description failed.
    """

    parts: dict[Part, str] = field(default_factory=dict)
    resources: dict[tuple[Part, str], str] = field(default_factory=dict)
    failed: set[tuple[Part, str]] = field(default_factory=set)

    def demand_each(self, part: Part) -> None:
        """Raise Unread when the part, or the description of any resource of it, could not be read."""
        self.demand(part)
        for failed, name in self.failed:
            if failed is part:
                self.demand(part, name)

    def demand(self, part: Part, name: str | None = None) -> None:
        """Raise Unread when the part, or the named resource of it, could not be read."""
        reason = self.parts.get(part) or (self.resources.get((part, name)) if name is not None else None)
        if reason is not None:
            raise Unread(reason, reason.split(" failed: ")[0] if " failed: " in reason else "not read")
