"""YAML with line numbers: plain data, and for each path in it the line where it stands."""

from pathlib import Path
from typing import Any

from chalicelib.errors import InvalidInput
from chalicelib.input.bounds import LEVELS, POLICY_BYTES, POLICY_VALUES, TooLarge
from chalicelib.input.reading import UNREADABLE, check_yaml, read_bytes

Place = tuple[str | int, ...]


class WithLines:
    """The data of a YAML document. ``line(path)`` is the line of the deepest part of the path that exists, from 1."""

    def __init__(self, source: str, text: str) -> None:
        import yaml  # a packed policy is JSON: a function never needs it

        self.source = source
        self._lines: dict[Place, int] = {}
        self._values = 0
        parser = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        loader = None
        try:
            check_yaml(text, parser)
            loader = parser(text)
            node = loader.get_single_node()
            self.data: Any = self._built(loader, node, ()) if node is not None else {}
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            line = mark.line + 1 if mark else 1
            raise InvalidInput(f"{source}:{line}: this is not YAML: {error.problem or error.context}") from None
        except yaml.YAMLError as error:
            raise InvalidInput(f"{source}:1: this is not YAML: {str(error).splitlines()[0]}") from None
        except TooLarge as error:
            raise InvalidInput(f"{source}:{error.line}: {error}") from None
        except UNREADABLE as error:
            raise InvalidInput(f"{source}:1: a value cannot be read: {error}") from None
        finally:
            if loader is not None:
                loader.dispose()

    @classmethod
    def of(cls, source: str, data: Any) -> "WithLines":
        """Data that was parsed and checked before: it has no lines."""
        made = cls.__new__(cls)
        made.source, made.data, made._lines = source, data, {}
        return made

    @classmethod
    def read(cls, path: Path, source: str) -> "WithLines":
        """The file at ``path``, called ``source`` in messages. Raises InvalidInput when it cannot be read."""
        try:
            return cls(source, read_bytes(path, POLICY_BYTES).decode("utf-8-sig"))
        except TooLarge as error:
            raise InvalidInput(f"{source}: {error}") from None
        except OSError as error:
            raise InvalidInput(f"{source}: the file cannot be read: {error.strerror}") from None
        except UnicodeDecodeError:
            raise InvalidInput(f"{source}:1: the file is not UTF-8 text") from None

    def line(self, path: Place) -> int:
        while path and path not in self._lines:
            path = path[:-1]
        return self._lines.get(path, 1)

    def wrong(self, path: Place, message: str) -> InvalidInput:
        """The error for what stands at ``path``: source, line, key and what would be accepted."""
        where = ".".join(str(part) for part in path)
        return InvalidInput(f"{self.source}:{self.line(path)}: {where + ': ' if where else ''}{message}", field=where)

    def _built(self, loader: Any, node: Any, path: Place) -> Any:
        line = node.start_mark.line + 1
        self._lines.setdefault(path, line)
        self._values += 1  # of aliases as often as they are written out
        if self._values > POLICY_VALUES.most:
            raise TooLarge(POLICY_VALUES, line)
        if len(path) > LEVELS.most:
            raise TooLarge(LEVELS, line)
        if node.id == "mapping":
            built: dict[Any, Any] = {}
            for key_node, value_node in node.value:
                if key_node.id != "scalar":
                    raise self.wrong(path, "a key must be text; put it in quotes")
                key = loader.construct_object(key_node, deep=True)
                place = (*path, key if isinstance(key, str | int) else str(key))
                self._lines[place] = key_node.start_mark.line + 1
                if not isinstance(key, str):
                    raise self.wrong(place, "a key must be text; put it in quotes")
                if key in built:
                    raise self.wrong(place, "the key stands twice; keep one of them")
                built[key] = self._built(loader, value_node, place)
            return built
        if node.id == "sequence":
            return [self._built(loader, item, (*path, index)) for index, item in enumerate(node.value)]
        return loader.construct_object(node, deep=True)
