"""Rules that a policy brings along: a JMESPath expression over the inventory's own JSON of one resource."""

from typing import Any, ClassVar

from jmespath.exceptions import JMESPathError
from jmespath.parser import Parser

from chalicelib.inventory.estate import Inventory
from chalicelib.inventory.facts import Fact, Unread
from chalicelib.inventory.parts import Part
from chalicelib.kinds import KINDS
from chalicelib.report.findings import Severity
from chalicelib.report.outcomes import Outcome, failed, passed
from chalicelib.rules.registry import OwnWords, Params, Rule

TOPIC = "custom"

#: The kinds of resources that rules judge, and what must be read for each.
READS: dict[str, tuple[Part, ...]] = {
    row.name: tuple(Part(part) for part in row.reads or (row.part,)) for row in KINDS.values() if row.judged
}


class _Parser(Parser):  # type: ignore[misc]  # jmespath has no types
    """JMESPath in which ``!tags.owner`` says what it looks like: that there is no ``tags.owner``.

    By the letter of the grammar ``!`` binds closer than the dot, so that the expression asks for the field ``owner`` of
    true or false, which is always null.
    """

    BINDING_POWER: ClassVar[dict[str, int]] = {**Parser.BINDING_POWER, "not": Parser.BINDING_POWER["dot"] - 1}
    _CACHE: ClassVar[dict[str, Any]] = {}


def facts_of(subject: Fact) -> dict[str, Any]:
    """A resource as JSON: what custom rules look at, and what ``docs/inventory.md`` lists."""
    facts = subject.as_json()
    facts.update(kind=subject.kind, name=subject.name)  # type: ignore[attr-defined]
    return facts


def custom_rule(id: str, kind: str, severity: Severity, words: OwnWords, fails_when: str) -> Rule:
    """The rule that fails where ``fails_when`` is true in the sense of JMESPath.

    Raises ValueError for an expression that cannot be parsed, and says where.
    """
    try:
        expression = _Parser().parse(fails_when)
    except JMESPathError as error:
        raise ValueError(" ".join(str(error).split())) from None
    needs_tags = _names(expression.parsed, "tags")

    def judgement(subject: Fact, estate: Inventory, params: Params) -> Outcome:
        facts = facts_of(subject)
        try:
            value = expression.search(facts)
        except JMESPathError as error:
            raise Unread(f"{fails_when!r} cannot be applied to this {kind}: {error}", f"rule:{id}") from None
        if _true(value):
            return failed(fails_when=fails_when, value=value)
        return passed("the condition does not hold", fails_when=fails_when)

    judgement.__doc__ = f"The expression ``{fails_when}`` is true of the {kind}."
    return Rule(
        id=id,
        topic=TOPIC,
        kinds=(kind,),
        severity=severity,
        params=Params,
        reads=frozenset((*READS[kind], *((Part.TAGS,) if needs_tags else ()))),
        reads_when={},
        metrics=(),
        guards=(),
        merges_into=(),
        enabled=True,
        judgement=judgement,
        words=words,
        needs_tags=needs_tags,
    )


def _true(value: Any) -> bool:
    """JMESPath's truth: everything but null, false and what is empty; zero is true."""
    return value is not None and value is not False and value not in ("", [], {})


def _names(node: Any, field: str) -> bool:
    """True when the parsed expression reads a field of this name."""
    if not isinstance(node, dict):
        return False
    if node.get("type") == "field" and node.get("value") == field:
        return True
    children = node.get("children")
    inner = list(children) if isinstance(children, list | tuple) else []
    if isinstance(node.get("value"), dict):
        inner.append(node["value"])
    return any(_names(child, field) for child in inner)
