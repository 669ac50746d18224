"""JMESPath as custom rules write it: parsed, held against the facts that there are, and evaluated within bounds."""

from collections.abc import Iterator
from typing import Any, ClassVar

from jmespath.exceptions import JMESPathError
from jmespath.parser import Parser
from jmespath.visitor import TreeInterpreter

from chalicelib.input.bounds import EXPRESSION_CHARACTERS, EXPRESSION_LEVELS, EXPRESSION_STEPS, TooLarge
from chalicelib.input.reading import count
from chalicelib.inventory.facts import Unread
from chalicelib.rules.fact_paths import check_paths

Node = dict[str, Any]


class _Parser(Parser):  # type: ignore[misc]  # jmespath has no types
    """JMESPath in which ``!tags.owner`` says what it looks like: that there is no ``tags.owner``.

    By the letter of the grammar ``!`` binds closer than the dot, so that the expression asks for the field ``owner`` of
    true or false, which is always null.
    """

    BINDING_POWER: ClassVar[dict[str, int]] = {**Parser.BINDING_POWER, "not": Parser.BINDING_POWER["dot"] - 1}
    _CACHE: ClassVar[dict[str, Any]] = {}


class _Interpreter(TreeInterpreter):  # type: ignore[misc]  # jmespath has no types
    """Evaluates a node of a parsed expression, and counts what that takes.

    A step is each node that is visited, and each value that is in what a node makes anew: ``[@,@][] | [@,@][]`` makes
    twice as much at every turn.
    """

    MAKES: ClassVar[frozenset[str]] = frozenset(
        {"flatten", "function_expression", "multi_select_dict", "multi_select_list", "projection", "value_projection"}
    )
    #: Characters of a text that count as a step.
    CHARACTERS = 100

    def __init__(self) -> None:
        super().__init__()
        self.steps = 0

    def visit(self, node: Node, *values: Any) -> Any:
        """The value of a node. Raises TooLarge when it takes too many steps."""
        value = super().visit(node, *values)
        self.steps += 1
        if node["type"] in self.MAKES:
            self.steps += len(value) // self.CHARACTERS if isinstance(value, str) else self._made(value)
        if self.steps > EXPRESSION_STEPS.most:
            raise TooLarge(EXPRESSION_STEPS)
        return value

    def _made(self, value: Any) -> int:
        left = EXPRESSION_STEPS._replace(most=max(0, EXPRESSION_STEPS.most - self.steps))
        try:
            return count(value, left)
        except TooLarge:
            raise TooLarge(EXPRESSION_STEPS) from None


class Expression:
    """A JMESPath expression over the JSON of a resource of one ``kind``.

    Raises ValueError for a text that is no expression, that is beyond its bounds, or that names a fact which no
    resource of the kind has, with the nearest name.
    """

    def __init__(self, text: str, kind: str) -> None:
        if len(text) > EXPRESSION_CHARACTERS.most:
            raise TooLarge(EXPRESSION_CHARACTERS)
        try:
            self._parsed: Node = _Parser().parse(text).parsed
        except JMESPathError as error:
            raise ValueError(f"{' '.join(str(error).split())}; accepted is a JMESPath expression") from None
        except RecursionError:
            raise TooLarge(EXPRESSION_LEVELS) from None
        _check_levels(self._parsed)
        check_paths(self._parsed, kind)
        self.text = text

    def value(self, facts: dict[str, Any], operation: str) -> Any:
        """What the expression gives for a resource. Raises Unread where it cannot be applied to it."""
        try:
            return _Interpreter().visit(self._parsed, facts)
        except (JMESPathError, TooLarge) as error:
            raise Unread(f"{self.text!r} cannot be applied to it: {error}", operation) from None

    def names(self, field: str) -> bool:
        """True when it reads a field of this name."""
        return any(node["type"] == "field" and node["value"] == field for node in _nodes(self._parsed))


def true(value: Any) -> bool:
    """JMESPath's truth: everything but null, false and what is empty; zero is true."""
    return value is not None and value is not False and value not in ("", [], {})


def children_of(node: Node) -> list[Node]:
    """The nodes within a node."""
    return [child for child in node.get("children", ()) if isinstance(child, dict)]


def _nodes(root: Node) -> Iterator[Node]:
    waiting = [root]
    while waiting:
        node = waiting.pop()
        yield node
        waiting += children_of(node)


def _check_levels(root: Node) -> None:
    """Raises TooLarge for nodes nested deeper than evaluation can follow."""
    level = [root]
    for _ in range(EXPRESSION_LEVELS.most):
        level = [child for node in level for child in children_of(node)]
        if not level:
            return
    raise TooLarge(EXPRESSION_LEVELS)
