"""``Fn::ForEach`` written out: what stands in a loop stands there once for each item, as CloudFormation does it.

Follows "Fn::ForEach" of the CloudFormation user guide. A loop over what is not known stays, with the reason.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from chalicelib.input.bounds import TEMPLATE_VALUES
from chalicelib.plan.document import Document, Path, too_large
from chalicelib.plan.unknown import LATER, Unknown, lack

LOOP = "Fn::ForEach::"
_PARTS = "an identifier, a collection and a mapping"
_STRIPPED = re.compile(r"[^A-Za-z0-9]")


def expanded(made: Document, value: Callable[[Any], Any]) -> Document:
    """The document without loops, each line that of the loop's body; ``value`` evaluates the collections.

    A loop whose collection is not known keeps its key, with an :class:`Unknown`. Raises InvalidInput for one that is
    not as CloudFormation reads it, and for more values than a document may have.
    """
    if not any(path and isinstance(path[-1], str) and path[-1].startswith(LOOP) for path in made.lines):
        return made
    return _Expansion(made, value).document()


class _Expansion:
    def __init__(self, made: Document, value: Callable[[Any], Any]) -> None:
        self._made, self._value = made, value
        self._lines: dict[Path, int] = {}
        self._made_so_far = 0

    def document(self) -> Document:
        data = self._of(self._made.data, (), (), {})
        return Document(self._made.source, data, self._lines)

    def _of(self, node: Any, origin: Path, path: Path, items: Mapping[str, str]) -> Any:
        """A node of the document at ``origin``, which will stand at ``path``, with the items of the loops around it."""
        self._lines[path] = self._made.line(*origin)
        self._count(origin)
        if isinstance(node, dict):
            if node.keys() == {"Ref"} and node["Ref"] in items:
                return items[node["Ref"]]
            return self._mapping(node, origin, path, items)
        if isinstance(node, list):
            return [self._of(item, (*origin, index), (*path, index), items) for index, item in enumerate(node)]
        return _put(node, items) if isinstance(node, str) else node

    def _count(self, origin: Path) -> None:
        """Counts a value, or the turn of a loop, which may make none."""
        self._made_so_far += 1
        if self._made_so_far > TEMPLATE_VALUES.most:
            raise too_large(self._made, TEMPLATE_VALUES, *origin)

    def _mapping(self, node: dict[str, Any], origin: Path, path: Path, items: Mapping[str, str]) -> dict[str, Any]:
        built: dict[str, Any] = {}
        for key, inner in node.items():
            if key.startswith(LOOP):
                entries = self._loop(key, inner, (*origin, key), path, items)
            else:
                name = _put(key, items)
                entries = {name: self._of(inner, (*origin, key), (*path, name), items)}
            for name, entry in entries.items():
                if name in built:
                    raise self._made.wrong(f"the key {name} stands twice once loops are written out", *origin, key)
                built[name] = entry
        return built

    def _loop(self, key: str, loop: Any, origin: Path, path: Path, items: Mapping[str, str]) -> dict[str, Any]:
        whole = isinstance(loop, list) and len(loop) == 3 and isinstance(loop[0], str) and isinstance(loop[2], dict)
        if not whole:
            raise self._made.wrong(f"{key} must be a list of {_PARTS}", *origin)
        identifier, collection, body = loop
        listed = self._value(self._of(collection, (*origin, 1), (*path, key), items))
        unknown = lack(listed)
        if unknown or not isinstance(listed, list):
            reason = unknown.reason if unknown else f"its items are {LATER}"
            return {key: Unknown(f"what {key} makes is {LATER}: {reason}", optional=True)}
        built: dict[str, Any] = {}
        for item in listed:
            self._count(origin)
            entries = self._mapping(body, (*origin, 2), path, {**items, identifier: str(item)})
            if twice := built.keys() & entries.keys():
                raise self._made.wrong(f"{key} makes {min(twice)} twice; its keys must hold ${{{identifier}}}", *origin)
            built |= entries
        return built


def _put(text: str, items: Mapping[str, str]) -> str:
    """The text with the items of loops in the place of their identifiers; ``&{…}`` takes letters and digits only."""
    for identifier, item in items.items():
        text = text.replace(f"${{{identifier}}}", item).replace(f"&{{{identifier}}}", _STRIPPED.sub("", item))
    return text
