"""Facts of which some fields are not known: whoever reads one of these is told so by :class:`Unread`.

A rule that reads an unknown field becomes unknown by that, one that does not read it is judged as ever.
"""

import functools
from collections.abc import Mapping
from typing import Any, NoReturn, TypeVar

from pydantic_core import to_jsonable_python

from chalicelib.inventory.facts import Fact, Unread
from chalicelib.plan.values import DEPLOYMENT, LATER, NEVER_IN_A_TEMPLATE, VALUES

F = TypeVar("F", bound=Fact)

_UNKNOWN, _FACES = "_unknown_fields", "_faces"


def unread(reason: str) -> Unread:
    """The error for a field that is not known."""
    return Unread(reason, DEPLOYMENT if reason in NEVER_IN_A_TEMPLATE else VALUES)


class Unresolved(str):
    """A value that is there but not known: it can be shown, and whoever compares or counts with it raises Unread."""

    reason: str

    def __new__(cls, reason: str) -> "Unresolved":
        made = super().__new__(cls, f"({LATER})")
        made.reason = reason
        return made

    def _unread(self, *_: Any) -> NoReturn:
        raise unread(self.reason)

    __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = __hash__ = _unread
    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __mod__ = _unread
    __truediv__ = __rtruediv__ = __floordiv__ = __rfloordiv__ = __int__ = __float__ = __index__ = _unread
    __contains__ = __iter__ = __getitem__ = __len__ = _unread

    def __bool__(self) -> bool:
        raise unread(self.reason)

    def __str__(self) -> str:
        return f"({LATER})"


class Spoken(str):
    """An unresolved value in words. Texts that count with it must not break: it is neither more nor less than any."""

    def _no(self, _: object) -> bool:
        return False

    __lt__ = __le__ = __gt__ = __ge__ = _no

    def lower(self) -> "Spoken":
        return self  # Jinja's max asks for it before it compares


class _Named(Unresolved):
    """An unresolved text, of which it is certain that it is not empty."""

    def __bool__(self) -> bool:
        return True


class Readable(dict[str, Any]):
    """A fact as JSON in which an unknown field raises Unread, for the expressions of custom rules.

    ``rest`` is why a key that is absent may yet be there.
    """

    def __init__(self, known: Mapping[str, Any], unknown: Mapping[str, str], rest: str = "") -> None:
        super().__init__(known)
        self.unknown, self.rest = unknown, rest

    def get(self, key: str, default: Any = None) -> Any:
        if key in self.unknown:
            raise unread(self.unknown[key])
        if self.rest and key not in self:
            raise unread(self.rest)
        return super().get(key, default)

    def values(self) -> Any:
        if self.unknown or self.rest:
            raise unread(next(iter(self.unknown.values()), self.rest))
        return super().values()


class _Partial:
    """Beside a kind of fact: raises Unread for the unknown fields of its instance."""

    def __getattr__(self, name: str) -> Any:
        unknown = self.__dict__.get(_UNKNOWN, {})
        if name in unknown:
            raise unread(unknown[name])
        raise AttributeError(f"{type(self).__name__} has no {name}")

    def model_dump(self, **_: Any) -> dict[str, Any]:
        told = {name: _plain(self.__dict__[name]) for name in type(self).model_fields if name in self.__dict__}  # type: ignore[attr-defined]
        hidden = self.__dict__[_UNKNOWN] | self.__dict__[_FACES]
        if isinstance(told.get("tags"), dict) and (rest := self.__dict__.get("_tags_rest")):
            told["tags"] = Readable(told["tags"], {}, rest)
        return Readable({name: value for name, value in told.items() if name not in hidden}, hidden)


def _plain(value: Any) -> Any:
    if isinstance(value, Fact):
        return value.model_dump(mode="json")
    if isinstance(value, tuple | list):
        return [_plain(one) for one in value]
    if isinstance(value, Unresolved):
        return str(value)
    return to_jsonable_python(value)


@functools.cache
def _partial_class(kind: type[Fact]) -> type[Fact]:
    metaclass: Any = type(kind)
    made: type[Fact] = metaclass(kind.__name__, (_Partial, kind), {"__module__": __name__})
    return made


def partial(
    fact: F,
    unknown: Mapping[str, str],
    shown: Mapping[str, str] | None = None,
    faces: Mapping[str, str] | None = None,
    tags_rest: str = "",
) -> F:
    """The fact with its ``unknown`` fields (and why each is), and with those ``shown`` that are certain to be there.

    ``faces`` are fields that only custom rules may not see: rules of the house need a stand-in.
    """
    shown = shown or {}
    values = {name: value for name, value in fact.__dict__.items() if name not in unknown}
    made: Any = _partial_class(_whole_class(type(fact))).model_construct()
    made.__dict__.clear()
    made.__dict__.update(values)
    for name, reason in shown.items():
        made.__dict__[name] = _Named(reason) if name == "instance_type" else Unresolved(reason)
    made.__dict__[_UNKNOWN] = dict(unknown)
    made.__dict__[_FACES] = {**shown, **(faces or {})}
    made.__dict__["_tags_rest"] = tags_rest
    return made  # type: ignore[no-any-return]


def _whole_class(kind: type[Fact]) -> type[Fact]:
    return next(one for one in kind.__mro__ if _Partial not in one.__mro__)


def known(fact: Any, name: str) -> Any:
    """The field of a fact, or None where it or the fact itself is not known."""
    return fact.__dict__.get(name) if isinstance(fact, Fact) else None


def hidden(fact: F, reason: str, *known: str) -> F:
    """The fact of which nothing but the fields ``known`` can be told."""
    return partial(fact, {name: reason for name in type(fact).model_fields if name not in known})


def spoken(value: Any) -> Any:
    """A fact or its evidence as texts may show it: what is unknown is None, what is unresolved says so."""
    if isinstance(value, Unresolved):
        return Spoken(str(value))
    if isinstance(value, Mapping):
        return {name: spoken(one) for name, one in value.items()}
    if isinstance(value, tuple | list):
        return type(value)(spoken(one) for one in value)
    if isinstance(value, _Partial):
        kind = _whole_class(type(value))  # type: ignore[arg-type]
        return kind.model_construct(
            **{name: spoken(value.__dict__.get(name)) for name in kind.model_fields},
        )
    return value
