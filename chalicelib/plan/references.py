"""What the expressions of a Terraform configuration refer to, through variables and outputs of modules.

A plan holds of an expression no more than its references: ``configuration`` of ``terraform show -json``. What locals
stand for is not in it.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct

_INDEX = re.compile(r"\[[^\]]*\]")
_LAST_INDEX = re.compile(r"(\[[^\]]*\])\.?$")
_RESOURCE = re.compile(
    r"(?P<base>(?!each\.|count\.|local\.|var\.|module\.|path\.|terraform\.|self\.|data\.)[a-z0-9_]+\.[A-Za-z0-9_-]+)"
    r"(?P<index>\[[^\]]*\])?(?:\.(?P<attribute>[a-z_]+))?(?P<rest>.*)"
)
_MODULE = re.compile(r"module\.(?P<name>[\w-]+)(?P<index>\[[^\]]*\])?\.(?P<output>[\w-]+)")
_VARIABLE = re.compile(r"var\.(?P<name>[\w-]+)")
_KEYS = ("each.", "count.")
_DEEPEST = 20


class Link(Struct, frozen=True):
    """A resource that an expression refers to: its address, perhaps without the index, and the attribute wanted of it.

    ``rest`` is what follows the attribute.
    """

    address: str
    attribute: str | None
    rest: str


class Links(Struct, frozen=True):
    """All that an expression refers to. ``keyed``: by the key or index of the resource itself. ``inputs``: to variables
    of the root, whose values are known. ``opaque``: to something of which the plan does not tell what it is."""

    resources: tuple[Link, ...] = ()
    keyed: bool = False
    inputs: bool = False
    opaque: bool = False

    def __add__(self, other: "Links") -> "Links":
        return Links(
            tuple(dict.fromkeys((*self.resources, *other.resources))),
            self.keyed or other.keyed,
            self.inputs or other.inputs,
            self.opaque or other.opaque,
        )


class References:
    """The configuration of a plan, by module."""

    def __init__(self, root: Mapping[str, Any]) -> None:
        self._modules = dict(_modules(root, ""))
        self._resources = {
            f"{path}{resource['address']}": resource
            for path, module in self._modules.items()
            for resource in module.get("resources") or ()
        }

    def expressions(self, address: str) -> Mapping[str, Any]:
        """The expressions of a resource, by its address with or without indices."""
        expressions: Mapping[str, Any] = self._resources.get(plain(address), {}).get("expressions") or {}
        return expressions

    def links(self, address: str, module: str, expression: Any) -> Links:
        """What an expression of a resource in a module (``module.a[0].``, empty for the root) refers to."""
        names = expression.get("references") if isinstance(expression, Mapping) else None
        if not isinstance(names, list) or not names:
            return Links(opaque=True)
        return self._all(names, module, address, 0)

    def _all(self, names: Sequence[str], module: str, address: str, depth: int) -> Links:
        links = Links(opaque=depth > _DEEPEST)
        if links.opaque:
            return links
        for name in names:
            longer = any(other != name and other.startswith((f"{name}.", f"{name}[")) for other in names)
            if not longer:
                links += self._link(name, module, address, depth)
        return links

    def _link(self, name: str, module: str, address: str, depth: int) -> Links:
        if name.startswith("each.value"):
            repeated = self._resources.get(plain(address), {}).get("for_each_expression")
            names = repeated.get("references") if isinstance(repeated, Mapping) else None
            return Links(keyed=True) + (self._all(names, module, "", depth + 1) if names else Links(opaque=True))
        if name.startswith(_KEYS):
            return Links(keyed=True)
        if match := _VARIABLE.match(name):
            return self._variable(match["name"], module, depth)
        if match := _MODULE.match(name):
            inner = f"{module}module.{match['name']}{match['index'] or ''}."
            outputs = self._modules.get(plain(inner), {}).get("outputs") or {}
            names = (outputs.get(match["output"], {}).get("expression") or {}).get("references")
            return self._all(names, inner, "", depth + 1) if names else Links(opaque=True)
        if match := _RESOURCE.fullmatch(name):
            link = Link(f"{module}{match['base']}{match['index'] or ''}", match["attribute"], match["rest"])
            return Links((link,))
        return Links(opaque=True)

    def _variable(self, name: str, module: str, depth: int) -> Links:
        if not module:
            return Links(inputs=True)
        outer, _, call = plain(module).removesuffix(".").rpartition("module.")
        written = (self._modules.get(outer, {}).get("module_calls") or {}).get(call, {}).get("expressions") or {}
        expression = written.get(name)
        names = expression.get("references") if isinstance(expression, Mapping) else None
        around = _LAST_INDEX.sub("", module).rpartition("module.")[0]
        return self._all(names, around, "", depth + 1) if names else Links(inputs=True)


def plain(address: str) -> str:
    """An address without the indices of ``count`` and ``for_each``."""
    return _INDEX.sub("", address)


def index_of(address: str) -> str:
    """The index of a resource, or of the innermost module around it that has one; empty without any."""
    indices = _INDEX.findall(address)
    return indices[-1] if indices else ""


def _modules(module: Mapping[str, Any], path: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    yield path, module
    for name, call in (module.get("module_calls") or {}).items():
        yield from _modules(call.get("module") or {}, f"{path}module.{name}.")
