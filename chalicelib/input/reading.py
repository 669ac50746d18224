"""Bytes, JSON and YAML from outside, read within their bounds."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from chalicelib.input.bounds import ALIASES, LEVELS, Bound, TooLarge

#: What PyYAML raises for a value that its tag promises and its text does not hold, as ``!!int ''``.
UNREADABLE = (ValueError, OverflowError, LookupError, AttributeError, TypeError)


def read_bytes(file: Path, most: Bound) -> bytes:
    """The content of a file. Raises TooLarge, without having read more than the bound, and OSError."""
    with file.open("rb") as stream:
        return bytes_of(stream, most)


def bytes_of(stream: BinaryIO, most: Bound) -> bytes:
    """What a stream holds, to its end. Raises TooLarge, without having read more than the bound."""
    content = stream.read(most.most + 1)
    if len(content) > most.most:
        raise TooLarge(most)
    return content


def read_json(text: str | bytes, values: Bound | None = None) -> Any:
    """The value of a JSON text of at most :data:`LEVELS`, and of at most so many values.

    Raises TooLarge beyond these, and ValueError for what is not JSON.
    """
    try:
        data = json.loads(text)
    except RecursionError:
        raise TooLarge(LEVELS) from None
    count(data, values)
    return data


def count(data: Any, values: Bound | None = None, levels: Bound = LEVELS) -> int:
    """How many values plain data holds, lists and mappings among them. Raises TooLarge beyond the bounds."""
    number, depth, level = 0, 0, [data]
    while level:
        number += len(level)
        if values is not None and number > values.most:
            raise TooLarge(values)
        if depth == levels.most and any(isinstance(value, dict | list | tuple) for value in level):
            raise TooLarge(levels)
        level, depth = list(_inner(level)), depth + 1
    return number


def _inner(level: list[Any]) -> Iterator[Any]:
    for value in level:
        if isinstance(value, dict):
            yield from value.values()
        elif isinstance(value, list | tuple):
            yield from value


def check_yaml(text: str, loader: Any) -> None:
    """Raises TooLarge for a YAML text beyond :data:`LEVELS` or :data:`ALIASES`, and yaml's errors.

    What the parser meets is counted before anything is put together: putting together takes a frame of the C stack for
    each level, and ends the process where there are too many.
    """
    import yaml  # a packed policy is JSON: a function never needs it

    level = aliases = 0
    for event in yaml.parse(text, Loader=loader):
        line = event.start_mark.line + 1 if event.start_mark else 1
        if isinstance(event, yaml.CollectionStartEvent):
            level += 1
            if level > LEVELS.most:
                raise TooLarge(LEVELS, line)
        elif isinstance(event, yaml.CollectionEndEvent):
            level -= 1
        elif isinstance(event, yaml.AliasEvent):
            aliases += 1
            if aliases > ALIASES.most:
                raise TooLarge(ALIASES, line)
