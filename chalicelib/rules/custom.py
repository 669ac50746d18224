"""Rules that a policy brings along: a JMESPath expression over the inventory's own JSON of one resource."""

from typing import Any

from chalicelib.inventory.estate import Inventory
from chalicelib.inventory.facts import Fact
from chalicelib.inventory.parts import Part
from chalicelib.kinds import KINDS
from chalicelib.report.findings import Severity
from chalicelib.report.outcomes import Outcome, failed, passed
from chalicelib.rules.expressions import Expression, true
from chalicelib.rules.registry import OwnWords, Params, Rule

TOPIC = "custom"

#: The kinds of resources that rules judge, and what must be read for each.
READS: dict[str, tuple[Part, ...]] = {
    row.name: tuple(Part(part) for part in row.reads or (row.part,)) for row in KINDS.values() if row.judged
}


def facts_of(subject: Fact) -> dict[str, Any]:
    """A resource as JSON: what custom rules look at, and what ``docs/inventory.md`` lists."""
    facts = subject.as_json()
    facts.update(kind=subject.kind, name=subject.name)  # type: ignore[attr-defined]
    return facts


def custom_rule(id: str, kind: str, severity: Severity, words: OwnWords, fails_when: str) -> Rule:
    """The rule that fails where ``fails_when`` is true in the sense of JMESPath.

    Raises ValueError for an expression that cannot be parsed, is too large, or reads what is no fact of the kind.
    """
    expression = Expression(fails_when, kind)
    needs_tags = expression.names("tags")

    def judgement(subject: Fact, estate: Inventory, params: Params) -> Outcome:
        facts = facts_of(subject)
        value = expression.value(facts, f"rule:{id}")
        if true(value):
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
