"""The text of a CloudFormation template, JSON or YAML, as data with the line of each path."""

import re
from dataclasses import dataclass
from typing import Any

import yaml

from chalicelib.errors import InvalidInput
from chalicelib.input.bounds import LEVELS, TEMPLATE_VALUES, Bound, TooLarge
from chalicelib.input.reading import UNREADABLE, check_yaml

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

#: Tags of YAML that stand for an intrinsic function without ``Fn::``.
_BARE = {"Ref", "Condition"}

Path = tuple[str | int, ...]


@dataclass
class Document:
    """Parsed YAML or JSON with short-form intrinsics written out, and the line of each path."""

    source: str
    data: Any
    lines: dict[Path, int]

    @property
    def file_name(self) -> str:
        return self.source.replace("\\", "/").rsplit("/", 1)[-1]

    @property
    def stack_name(self) -> str:
        """A name for the stack of the template, made of the name of its file."""
        return re.sub(r"[^A-Za-z0-9-]+", "-", self.file_name.split(".")[0]) or "stack"

    def line(self, *path: str | int) -> int:
        """The line of the deepest part of the path that exists, from 1."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)

    def wrong(self, message: str, *path: str | int) -> InvalidInput:
        return InvalidInput(f"{self.source}:{self.line(*path)}: {message}", field="TEMPLATE")


def document(source: str, text: str) -> Document:
    """The document in a text. Raises InvalidInput with the line for what cannot be read."""
    made = Document(source, None, {})
    loader = None
    try:
        check_yaml(text, _Loader)
        loader = _Loader(text)
        node = loader.get_single_node()
        made.data = _Built(made, loader).of(node, ()) if node is not None else None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        problem = error.problem or error.context
        raise _no_template(source, mark.line + 1 if mark else 1, str(problem)) from None
    except yaml.YAMLError as error:
        raise _no_template(source, 1, str(error).splitlines()[0]) from None
    except TooLarge as error:
        raise InvalidInput(f"{source}:{error.line}: {error}", field="TEMPLATE") from None
    except UNREADABLE as error:
        raise _no_template(source, 1, str(error)) from None
    finally:
        if loader is not None:
            loader.dispose()
    return made


def too_large(made: Document, bound: Bound, *path: str | int) -> InvalidInput:
    """The error for a document beyond a bound."""
    return made.wrong(str(TooLarge(bound)), *path)


def _no_template(source: str, line: int, problem: str) -> InvalidInput:
    return InvalidInput(
        f"{source}:{line}: this is neither JSON nor YAML ({problem}); accepted are a CloudFormation template and the "
        "JSON of a Terraform plan",
        field="TEMPLATE",
    )


class _Built:
    """Nodes of YAML as plain data; counts them, as aliases can make a small file into a huge one."""

    def __init__(self, made: Document, loader: Any) -> None:
        self._made, self._loader, self._count = made, loader, 0

    def of(self, node: Any, path: Path) -> Any:
        self._count += 1
        self._made.lines.setdefault(path, node.start_mark.line + 1)
        if self._count > TEMPLATE_VALUES.most:
            raise too_large(self._made, TEMPLATE_VALUES, *path)
        if len(path) > LEVELS.most:
            raise too_large(self._made, LEVELS, *path)
        tag = node.tag
        if tag.startswith("!") and len(tag) > 1:
            return self._intrinsic(node, tag[1:], path)
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self.of(item, (*path, index)) for index, item in enumerate(node.value)]
        return self._loader.construct_object(node, deep=True)

    def _mapping(self, node: Any, path: Path) -> dict[str, Any]:
        built: dict[str, Any] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                raise self._made.wrong("a key must be text", *path)
            key = key_node.value
            place = (*path, key)
            if key_node.tag == "tag:yaml.org,2002:merge":
                raise self._made.wrong("CloudFormation reads no merge keys (<<); write the keys out", *path)
            if key in built:
                self._made.lines[place] = key_node.start_mark.line + 1
                raise self._made.wrong(f"the key {key} stands twice; keep one of them", *place)
            self._made.lines[place] = key_node.start_mark.line + 1
            built[key] = self.of(value_node, place)
        return built

    def _intrinsic(self, node: Any, name: str, path: Path) -> dict[str, Any]:
        key = name if name in _BARE else f"Fn::{name}"
        if isinstance(node, yaml.ScalarNode):
            return {key: node.value}
        node.tag = "tag:yaml.org,2002:map" if isinstance(node, yaml.MappingNode) else "tag:yaml.org,2002:seq"
        built = self.of(node, (*path, key))
        node.tag = f"!{name}"
        return {key: built}
