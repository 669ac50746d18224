"""``auditor rules``: the catalogue with the policy in force, and one rule in full."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TypedDict

from rich.cells import cell_len
from rich.text import Text

from chalicelib.cli import outputs, show
from chalicelib.cli.options import RulesFormat
from chalicelib.cli.table import STYLES
from chalicelib.cli.wrapping import wrapped
from chalicelib.errors import InvalidInput
from chalicelib.policy.policy import Policy, RuleSetting, unknown_rule
from chalicelib.report.formats.markdown import table_cell
from chalicelib.rules import Rule
from chalicelib.rules.parameters import meaning
from chalicelib.rules.well_architected import best_practices, titles
from chalicelib.templating import TEMPLATES, rule_references, rule_title

#: Columns that a title needs to stand beside its rule; with fewer it stands below.
TITLE = 30
PROSE = 100


class Example(TypedDict):
    """What a finding of a rule says."""

    summary: str
    why: str
    fix: str
    commands: list[str]


def run_rules(id: str | None, policy: Policy, *, topic: str | None, format: RulesFormat, to: Path | None) -> None:
    """Shows the catalogue, the rules of a topic or one rule, on stdout or in a file. Raises InvalidInput for a rule or
    topic that does not exist."""
    if id is not None and id not in policy.rules:
        raise InvalidInput(unknown_rule(id, policy.rules))
    settings = [policy.rules[id]] if id is not None else _of_topic(policy, topic)
    if format is RulesFormat.JSON:
        from chalicelib.web.routes import rule_in_force

        shown = [rule_in_force(setting).model_dump(mode="json") for setting in settings]
        return show.text(json.dumps(shown[0] if id is not None else shown, indent=2) + "\n", to=to)
    if format is RulesFormat.MARKDOWN:
        return show.text(_markdown(settings), to=to)
    terminal = show.Terminal()
    lines = _rule(settings[0], policy, terminal.width) if id is not None else _catalogue(settings, terminal.width)
    if to is not None:
        return outputs.save(to, "".join(f"{line.plain}\n" for line in lines))
    for line in lines:
        terminal.print(line, soft_wrap=True)


def _of_topic(policy: Policy, topic: str | None) -> list[RuleSetting]:
    settings = list(policy.rules.values())
    topics = sorted({setting.rule.topic for setting in settings})
    if topic is not None and topic not in topics:
        raise InvalidInput(f"there is no topic {topic!r}; accepted are {', '.join(topics)}", field="--topic")
    return [setting for setting in settings if topic in (None, setting.rule.topic)]


def _state(setting: RuleSetting) -> str:
    return ("observe" if setting.mode == "observe" else "yes") if setting.enabled else "no"


def _catalogue(settings: Sequence[RuleSetting], width: int) -> Iterator[Text]:
    """A line for each rule; where titles find no room beside the ids, they stand below."""
    longest = max(cell_len(setting.rule.id) for setting in settings)
    room = width - longest - 21
    head = f"{'RULE':<{longest}}  {'SEVERITY':<8}  {'ON':<7}"
    yield Text(f"{head}  TITLE" if room >= TITLE else head.rstrip(), "bold")
    for setting in settings:
        severity = setting.severity or setting.rule.severity
        title = Text(title_of(setting.rule))
        line = Text.assemble(f"{setting.rule.id:<{longest}}  ", (f"{severity.value:<8}", STYLES[severity]))
        line.append(f"  {_state(setting):<7}")
        if room < TITLE:
            line.rstrip()
            yield line
            yield from (Text.assemble("  ", below) for below in wrapped(title, max(width - 2, 10)))
            continue
        first, *rest = wrapped(title, room)
        yield Text.assemble(line, "  ", first)
        yield from (Text.assemble(" " * (width - room), below) for below in rest)


def _rule(setting: RuleSetting, policy: Policy, width: int) -> Iterator[Text]:
    """One rule in full: condition, why and fix by an example, parameters in force, what it reads and which permissions
    that needs, references."""
    rule, words = setting.rule, setting.rule.words
    practices = [f"{practice} {titles()[practice]}" for practice in best_practices(rule.id)]
    yield from (Text(f"{rule.id}: {title_of(rule)}", "bold"), Text())
    yield from wrapped(Text(rule.condition), min(width, PROSE))
    yield Text()
    for label, values in (
        ("topic", [rule.topic]),
        ("judges", [", ".join(rule.kinds)]),
        ("severity", [(setting.severity or rule.severity).value]),
        ("enabled", [f"{'yes' if setting.enabled else 'no'} by the policy {policy.name}"]),
        ("reads", [", ".join(sorted(rule.reads))]),
        ("metrics", [", ".join(rule.metric_names)]),
        ("parameters", list(_parameters(rule, policy))),
        ("permissions", list(rule.permissions)),
        ("practices", practices),
    ):
        lines = [line for value in values for line in wrapped(Text(value or "–"), max(width - 12, 10))] or [Text("–")]
        for number, line in enumerate(lines):
            yield Text.assemble((f"{label if number == 0 else '':<12}", "dim"), line)
    example = Example(summary="", why=words.why, fix=words.fix, commands=[]) if words else _examples().get(rule.id)
    if example is not None:
        yield from _example(example, min(width, PROSE))
    if references := list(words.references) if words else rule_references(rule.id):
        yield from (Text(), Text("References", "bold"))
        yield from (Text(f"  {reference}") for reference in references)


def _example(example: Example, width: int) -> Iterator[Text]:
    paragraphs = {"A finding, for example": example["summary"], "Why": example["why"], "Fix": example["fix"]}
    for title, text in paragraphs.items():
        if text:
            yield from (Text(), Text(title, "bold"))
            yield from (Text.assemble("  ", line) for line in wrapped(Text(text), width - 2))
    if example["commands"]:
        yield from (Text(), Text("Commands of the example", "bold"))
        yield from (Text(f"  {command}", "cyan") for command in example["commands"])


def _examples() -> dict[str, Example]:
    """A finding of each shipped rule, by its id: `make generate` writes them from the rules' cases."""
    examples: dict[str, Example] = json.loads((TEMPLATES / "examples.json").read_text(encoding="utf-8"))
    return examples


def _markdown(settings: Sequence[RuleSetting]) -> str:
    lines = ["| rule | topic | severity | on | title |", "|---|---|---|---|---|"]
    for setting in settings:
        rule, severity = setting.rule, (setting.severity or setting.rule.severity).value
        cells = (rule.id, rule.topic, severity, _state(setting), title_of(rule))
        lines.append("| " + " | ".join(table_cell(cell) for cell in cells) + " |")
    return "\n".join(lines) + "\n"


def title_of(rule: Rule) -> str:
    """The title that all findings of a rule share."""
    return rule.words.title if rule.words else rule_title(rule.id)


def _parameters(rule: Rule, policy: Policy) -> Iterator[str]:
    chosen = policy.rules[rule.id].params.model_dump(mode="json")
    defaults = rule.params().model_dump(mode="json")
    for name, value in chosen.items():
        default = "" if value == defaults[name] else f" (default {defaults[name]})"
        words = meaning(rule.id, name)
        yield f"{name} {value}{default}" + (f": {words}" if words else "")
