"""The exports of stacks that are judged together, for ``Fn::ImportValue``."""

import re
from collections.abc import Sequence
from functools import cached_property
from typing import Any

from chalicelib.plan.intrinsics import Evaluator
from chalicelib.plan.unknown import Unknown

_PLACE = re.compile(r"\$\{[^}]*\}")


def _fits(text: str, parts: Sequence[str]) -> bool:
    """True for a text of these parts, in their order, with at least one character between any two of them."""
    first, *inner, last = parts
    if not text.startswith(first) or not text.endswith(last):
        return False
    place, end = len(first), len(text) - len(last)
    for part in inner:
        place = text.find(part, place + 1, end)
        if place < 0:
            return False
        place += len(part)
    return end - place > 0


class Exports:
    """Finds an exported value by its name, and by what is known of the name where one export alone fits."""

    def __init__(self, stacks: Sequence[Evaluator]) -> None:
        self._stacks = stacks

    @cached_property
    def _by_name(self) -> dict[str, tuple[Evaluator, str]]:
        """The stack and the output behind each export."""
        exports: dict[str, tuple[Evaluator, str]] = {}
        for stack in self._stacks:
            for output, written in stack.outputs.items():
                export = written.get("Export") if isinstance(written, dict) else None
                name = stack.value(export.get("Name")) if isinstance(export, dict) else None
                text = name.symbol if isinstance(name, Unknown) else name
                if isinstance(text, str) and text:
                    exports[text] = (stack, output)
        return exports

    def value(self, name: str) -> Any:
        """The value of an export, None where none of the stacks exports it. ``${…}`` is an unknown part of the name,
        mostly the name of the exporting stack."""
        fitting = [name] if name in self._by_name else []
        if not fitting and _PLACE.sub("", name) and _PLACE.search(name):
            parts = _PLACE.split(name)
            fitting = [export for export in self._by_name if _fits(export, parts)]
        if len(fitting) != 1:
            return None
        stack, output = self._by_name[fitting[0]]
        return stack.output(output)
