"""Whether the paths of an expression name facts that there are: a misspelt one is null, which looks like an answer."""

import types
import typing
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any, NamedTuple

from chalicelib.errors import nearest
from chalicelib.inventory import estate  # noqa: F401 - imports the facts of every kind
from chalicelib.inventory.facts import Fact
from chalicelib.kinds import KINDS

Node = dict[str, Any]
#: What a value can be, as the annotations of the facts have it. Empty: nobody knows.
Shape = tuple[Any, ...]


class ListOf(NamedTuple):
    """A list that an expression makes, by what its items can be."""

    items: Shape


@cache
def models() -> dict[str, type[Fact]]:
    """The facts of each kind that rules judge."""
    by_kind = {model.kind: model for model in _below(Fact) if model.kind in KINDS and "kind" in vars(model)}
    return {row.name: by_kind[row.name] for row in KINDS.values() if row.judged}


def _below(base: type[Fact]) -> Iterator[type[Fact]]:
    for model in base.__subclasses__():
        yield model
        yield from _below(model)


def check_paths(parsed: Node, kind: str) -> None:
    """Raises ValueError for a path that names no fact of a resource of this kind, with the nearest name."""
    _Paths(kind).shape_of(parsed, (models()[kind],))


class _Paths:
    def __init__(self, kind: str) -> None:
        self._kind, self._top = kind, models()[kind]

    def shape_of(self, node: Node, shape: Shape) -> Shape:
        """What a node can give when it is applied to a value that can be ``shape``."""
        children = [child for child in node.get("children", ()) if isinstance(child, dict)]
        match node["type"]:
            case "field":
                return self._field(node["value"], shape)
            case "identity" | "current" | "slice":
                return shape
            case "index":
                return _items(shape)
            case "subexpression" | "index_expression" | "pipe":
                for child in children:
                    shape = self.shape_of(child, shape)
                return shape
            case "flatten":
                base = self.shape_of(children[0], shape)
                inner = _items(base)
                return (ListOf(_items(inner) or inner),) if inner else ()
            case "projection" | "filter_projection":
                item = _items(self.shape_of(children[0], shape))
                projected = [self.shape_of(child, item) for child in children[1:]]
                return (ListOf(projected[0]),) if projected[0] else ()
            case "value_projection":
                values = _values(self.shape_of(children[0], shape))
                projected = [self.shape_of(child, values) for child in children[1:]]
                return (ListOf(projected[0]),) if projected[0] else ()
            case "function_expression":
                self._function(children, shape)
            case _:
                for child in children:
                    self.shape_of(child, shape)
        return ()

    def _function(self, arguments: list[Node], shape: Shape) -> None:
        """``&expression`` is applied to the items of the list that the function takes beside it."""
        plain = [self.shape_of(argument, shape) for argument in arguments if argument["type"] != "expref"]
        items = next((items for operand in plain if (items := _items(operand))), ())
        for argument in arguments:
            if argument["type"] == "expref":
                self.shape_of(argument["children"][0], items)

    def _field(self, name: str, shape: Shape) -> Shape:
        if not shape:
            return ()
        accepted: dict[str, Shape] = {}
        for annotation in shape:
            if _origin(annotation) is dict:
                return _arguments(typing.get_args(annotation)[1])
            if isinstance(annotation, type) and issubclass(annotation, Fact):
                accepted |= {field: _arguments(info.annotation) for field, info in annotation.model_fields.items()}
            if annotation is self._top:
                accepted |= {"kind": (str,), "name": (str,)}
        if name not in accepted:
            raise ValueError(self._no_fact(name, accepted, many=bool(_items(shape))))
        return accepted[name]

    def _no_fact(self, name: str, accepted: Iterable[str], *, many: bool) -> str:
        names = list(accepted)
        near = nearest(name, names)
        hint = f" did you mean {near!r}?" if near else ""
        if many:
            hint = f" it stands in a list, whose items are read by `[].{name}`;"
        elif not names:
            hint = " what stands before it has no facts of its own;"
        known = f"accepted are {', '.join(sorted(names))}" if names else "accepted are the paths of docs/inventory.md"
        return f"no {self._kind} has a fact {name!r} there;{hint} {known}"


def _origin(annotation: Any) -> Any:
    return typing.get_origin(annotation)


def _arguments(annotation: Any) -> Shape:
    """The types of which a value with this annotation has one, null aside; empty where that may be any."""
    if _origin(annotation) is typing.Annotated:
        return _arguments(typing.get_args(annotation)[0])
    if _origin(annotation) in (typing.Union, types.UnionType):
        parts = [_arguments(part) for part in typing.get_args(annotation) if part is not types.NoneType]
        return tuple(argument for part in parts for argument in part) if all(parts) else ()
    return () if annotation is Any else (annotation,)


def _items(shape: Shape) -> Shape:
    """What an item of the list can be; empty for no list, and where nobody knows."""
    for annotation in shape:
        if isinstance(annotation, ListOf):
            return annotation.items
        if _origin(annotation) in (tuple, list):
            return _arguments(typing.get_args(annotation)[0])
    return ()


def _values(shape: Shape) -> Shape:
    """What a value of the mapping can be; empty for no mapping of one kind of values, and where nobody knows."""
    for annotation in shape:
        if _origin(annotation) is dict:
            return _arguments(typing.get_args(annotation)[1])
    return ()
