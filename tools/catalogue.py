"""``docs/rules.md`` and ``docs/inventory.md``: the catalogue and the facts that it rests on, from the code."""

import json
import types
import typing
from collections.abc import Iterator
from itertools import groupby
from typing import Any

from pydantic import BaseModel

from chalicelib.inventory.facts import source_of
from chalicelib.report.concern import Concern
from chalicelib.rules import RULES, Rule
from chalicelib.rules.custom import READS
from chalicelib.rules.parameters import meaning
from chalicelib.rules.well_architected import best_practices, titles
from chalicelib.templating import rule_title
from tools.evidence import fields_read, sample
from tools.kinds import KINDS

#: The titles of the topics, in the order of the catalogue; any other stands behind them under its own name.
TOPICS = {
    "instances": "Endpoints and their instances",
    "availability-zones": "Availability Zones",
    "autoscaling": "Automatic scaling",
    "autoscaling-rehearsal": "Rehearsal",
    "instance-fit": "Instance fit",
    "spot-training": "Managed spot training",
    "elastic-inference": "Elastic Inference",
    "inference-pipelines": "Inference pipelines",
    "reservations": "Reserved capacity",
    "clusters": "HyperPod clusters",
}


def ordered() -> list[Rule]:
    """The rules by topic, in the order of the catalogue."""
    others = sorted({rule.topic for rule in RULES.values()} - TOPICS.keys())
    topics = [*TOPICS, *others]
    return sorted(RULES.values(), key=lambda rule: topics.index(rule.topic))


def rules_page() -> str:
    """The catalogue: each rule with its condition, parameters, facts, permissions, and a finding."""
    return "\n".join(_rules_page()).rstrip() + "\n"


def _rules_page() -> Iterator[str]:
    yield "<!-- Generated from the code by `make generate`. -->"
    yield "# The rules"
    yield ""
    yield f"{len(RULES)} rules. Each answers for every resource of its kinds with one of four outcomes: fail, pass, not"
    yield "applicable, unknown ([outcomes.md](outcomes.md)). `auditor rules ID` shows the same in the terminal."
    yield ""
    yield "| rule | severity | concern | judges | says |"
    yield "|---|---|---|---|---|"
    for rule in ordered():
        off = "" if rule.enabled else " (off)"
        kinds = ", ".join(rule.kinds)
        severity, concern = f"{rule.severity.value}{off}", _words(rule.concern)
        yield f"| [`{rule.id}`](#{rule.id}) | {severity} | {concern} | {kinds} | {rule_title(rule.id)} |"
    for topic, rules in groupby(ordered(), key=lambda rule: rule.topic):
        yield ""
        yield f"## {TOPICS.get(topic, topic.replace('-', ' ').capitalize())}"
        for rule in rules:
            yield ""
            yield from _rule(rule)


def examples() -> str:
    """A finding of each rule as JSON, by its id: what the terminal tells of a rule."""
    sample_of = {rule.id: sample(rule.id) for rule in ordered()}
    content = {
        id: {"summary": finding.summary, "why": finding.why, "fix": finding.fix.text, "commands": finding.fix.commands}
        for id, finding in sorted(sample_of.items())
    }
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def _rule(rule: Rule) -> Iterator[str]:
    finding = sample(rule.id)
    yield f"### {rule.id}"
    yield ""
    yield f"**{rule_title(rule.id)}.** {rule.condition}"
    yield ""
    yield f"Why: {finding.why}"
    yield ""
    yield f"- Judges: {', '.join(rule.kinds)}. Severity: {rule.severity.value}. Concern: {_words(rule.concern)}."
    if not rule.enabled:
        yield "- Off in the baseline policy, on in the strict one."
    if rule.merges_into:
        hosts = " or ".join(f"`{id}`" for id in rule.merges_into)
        yield f"- Where {hosts} fails on the same variant or component, it is told there."
    for name, value in rule.params().model_dump(mode="json").items():
        yield f"- Parameter `{name}`: {json.dumps(value)}. {meaning(rule.id, name) or ''}".rstrip()
    for answer, fields in fields_read(rule.id).items():
        yield f"- Reads of `{answer}`: {', '.join(fields)}"
    if rule.metrics:
        yield f"- Metrics: {', '.join(rule.metric_names)}"
    for practice in best_practices(rule.id):
        yield f"- Well-Architected {practice}: {titles()[practice]}."
    yield f"- Permissions: {', '.join(f'`{action}`' for action in rule.permissions)}"
    yield ""
    yield "A finding, as it is told:"
    yield ""
    yield f"> **{finding.title}** ({finding.severity.value}): {finding.summary}"
    yield ">"
    yield f"> {finding.fix.text}"
    yield ""
    yield "```"
    yield from finding.fix.commands
    yield "```"
    yield ""
    yield from (f"- <{reference}>" for reference in finding.references)


def _words(concern: Concern) -> str:
    return concern.value.replace("_", " ")


def inventory_page() -> str:
    """The facts of each kind of resource, as custom rules see them."""
    return "\n".join(_inventory_page()).rstrip() + "\n"


def _inventory_page() -> Iterator[str]:
    yield "<!-- Generated from the code by `make generate`. -->"
    yield "# The inventory"
    yield ""
    yield "What is known of each kind of resource, as JSON: the facts that a rule of your own can look at with JMESPath"
    yield "(`custom_rules` in a [policy](policies.md)). What AWS leaves out is null. Every resource also has `kind` and"
    yield "`name`."
    for kind, model in KINDS.items():
        yield ""
        yield f"## {kind}"
        yield ""
        yield f"Read by: {', '.join(part.value for part in READS[kind])}."
        yield ""
        yield from _fields(model, "")


def _fields(model: type[BaseModel], prefix: str) -> Iterator[str]:
    for name, field in model.model_fields.items():
        inner = _model_in(field.annotation)
        source = field.description or source_of(field)
        yield f"- `{prefix}{name}`: {_named(field.annotation)}{f' ({source})' if source else ''}"
        if inner is not None and prefix.count(".") < 2:
            below = f"{prefix}{name}[]." if _many(field.annotation) else f"{prefix}{name}."
            yield from (f"  {line}" for line in _fields(inner, below))


def _arguments(annotation: Any) -> list[Any]:
    if typing.get_origin(annotation) is typing.Annotated:
        return _arguments(typing.get_args(annotation)[0])
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        return [argument for part in typing.get_args(annotation) for argument in _arguments(part)]
    return [annotation]


def _many(annotation: Any) -> bool:
    return any(typing.get_origin(argument) in (tuple, list) for argument in _arguments(annotation))


def _model_in(annotation: Any) -> type[BaseModel] | None:
    for argument in _arguments(annotation):
        inside = typing.get_args(argument)[0] if typing.get_origin(argument) in (tuple, list) else argument
        if isinstance(inside, type) and issubclass(inside, BaseModel):
            return inside
    return None


WORDS = {str: "text", bool: "true or false", int: "number", float: "number", dict: "mapping", type(None): "null"}


def _named(annotation: Any) -> str:
    names = []
    for argument in _arguments(annotation):
        origin = typing.get_origin(argument)
        if origin in (tuple, list):
            names.append(f"list of {_named(typing.get_args(argument)[0])}")
        elif origin is dict:
            names.append("mapping")
        elif isinstance(argument, type) and issubclass(argument, BaseModel):
            names.append("object")
        else:
            names.append(
                WORDS.get(argument, "time" if getattr(argument, "__name__", "") == "datetime" else str(argument))
            )
    return " or ".join(dict.fromkeys(names))
