"""What the terminal shows: the report as a table or as JSON, the catalogue, one rule."""

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from io import StringIO
from itertools import groupby
from json import dumps
from pathlib import Path

from rich import table
from rich.console import Console
from rich.text import Text

from chalicelib.cli import outputs
from chalicelib.cli.explain import Explained
from chalicelib.cli.outputs import save
from chalicelib.cli.table import STYLES, Table
from chalicelib.policy.policy import Policy
from chalicelib.report.findings import EndpointCapacity, Report
from chalicelib.report.formats.writers import WRITERS
from chalicelib.report.outcomes import Verdict
from chalicelib.rules import Rule
from chalicelib.rules.parameters import meaning
from chalicelib.rules.well_architected import best_practices, titles
from chalicelib.templating import clean, rule_title

#: Columns where nobody says how many there are: in a file, in a pipe.
PAGE = 140


class Terminal(Console):
    """stdout: a terminal as wide as it is, a pipe as wide as a page. Once its reader has gone it takes no more."""

    def __init__(self) -> None:
        super().__init__(highlight=False)
        if not self.is_terminal and "COLUMNS" not in os.environ:
            self.width = PAGE

    def on_broken_pipe(self) -> None:
        """The reader has seen enough, which is no failure."""
        self.quiet = True
        _forget_stdout()


def _forget_stdout() -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def write(report: Report, *, to: Path | None) -> None:
    """Shows the report as a table on stdout, or writes it whole to a file."""
    if to is not None:
        return save(to, plain(report))
    terminal = Terminal()
    for line in Table(report, terminal.width).lines():
        terminal.print(line, soft_wrap=True)
        if terminal.quiet:
            return


def give(
    report: Report,
    files: Mapping[str, Path | None],
    writers: Mapping[str, Callable[[Report], str]] = WRITERS,
) -> None:
    """Shows the report, or writes all of its files: by format, None for stdout.

    What a narrowed one leaves out is told on stderr as well, as some formats have no place for it without a finding.
    """
    if report.shown is not None and files != {outputs.TABLE: None}:
        print(f"auditor: {clean(report.shown.words)}", file=sys.stderr)
    texts: dict[Path, str] = {}
    for format, file in files.items():
        if file is not None:
            texts[file] = plain(report) if format == outputs.TABLE else writers[format](report)
        elif format == outputs.TABLE:
            write(report, to=None)
        else:
            text(writers[format](report), to=None)
    outputs.save_all(texts, {file: format for format, file in files.items() if file is not None})


def text(content: str, *, to: Path | None) -> None:
    """Shows a text on stdout, or writes it whole to a file."""
    if to is not None:
        return save(to, content)
    try:
        print(content, end="", flush=True)
    except BrokenPipeError:
        _forget_stdout()


def plain(report: Report) -> str:
    """The table as text, for a file."""
    return "".join(f"{line.plain}\n" for line in Table(report, PAGE).lines())


def catalogue(policy: Policy) -> None:
    """Every rule with its severity, and whether the policy enables it."""
    rows = table.Table(box=None, pad_edge=False, header_style="bold")
    for name in ("RULE", "SEVERITY", "ON", "TITLE"):
        rows.add_column(name, overflow="fold", no_wrap=name in ("SEVERITY", "ON"))
    for id, setting in policy.rules.items():
        rule = setting.rule
        severity = setting.severity or rule.severity
        state = ("observe" if setting.mode == "observe" else "yes") if setting.enabled else "no"
        rows.add_row(Text(id), Text(severity.value, STYLES[severity]), Text(state), Text(title_of(rule)))
    Terminal().print(rows)


def rule(shown_rule: Rule, policy: Policy) -> None:
    """One rule in full: condition, parameters in force, what it reads and which permissions that needs."""
    setting = policy.rules[shown_rule.id]
    lines = [
        f"{shown_rule.id}: {title_of(shown_rule)}",
        "",
        shown_rule.condition,
        "",
        f"topic       {shown_rule.topic}",
        f"judges      {', '.join(shown_rule.kinds)}",
        f"severity    {(setting.severity or shown_rule.severity).value}",
        f"enabled     {'yes' if setting.enabled else 'no'} by the policy {policy.name}",
        f"reads       {', '.join(sorted(shown_rule.reads))}",
        f"metrics     {', '.join(shown_rule.metric_names) or '–'}",
    ]
    lines += ["parameters  " + ("\n            ".join(_parameters(shown_rule, policy)) or "–")]
    lines += ["permissions " + "\n            ".join(shown_rule.permissions)]
    practices = [f"{practice} {titles()[practice]}" for practice in best_practices(shown_rule.id)]
    lines += ["practices   " + ("\n            ".join(practices) or "–")]
    print("\n".join(lines))


VERDICTS = {
    Verdict.FAIL: ("fail", "bold red"),
    Verdict.PASS: ("pass", "green"),
    Verdict.NOT_APPLICABLE: ("not applicable", "dim"),
    Verdict.UNKNOWN: ("unknown", "magenta"),
}


ANSWERS = {"yes": "green", "no": "bold red", "unknown": "magenta"}
#: How the questions about an endpoint are asked of people.
QUESTIONS = {
    "lost_instance_replaced": "would a lost instance be replaced?",
    "update_goes_through": "would an update go through?",
    "maximum_reached": "could it reach its maximum?",
}


def explained(
    answers: Sequence[Explained], policy: Policy, endpoints: Sequence[EndpointCapacity], *, json: bool, to: Path | None
) -> None:
    """Every rule's outcome for one resource and its parts, with reason and facts, on stdout or in a file; of an
    endpoint whether it would come back, too."""
    verdicts = {endpoint.arn: dict(endpoint.comes_back) for endpoint in endpoints if endpoint.comes_back is not None}
    if json:
        told = [answer.as_json() for answer in answers]
        for resource in {one.resource.arn: one.resource for one in answers if one.resource.kind == "endpoint"}.values():
            named = {"kind": resource.kind, "name": resource.name, "arn": resource.arn}
            asked = verdicts.get(resource.arn, {})
            told += [{"resource": named, "question": name, **answer.model_dump()} for name, answer in asked.items()]
        text = dumps(told, indent=2, default=str) + "\n"
        return save(to, text) if to is not None else print(text, end="")
    out = StringIO()
    console = Console(highlight=False, soft_wrap=True) if to is None else Console(width=140, no_color=True, file=out)
    for resource, group in groupby(answers, key=lambda answer: answer.resource):
        console.print(Text(clean(f"{resource.kind} {resource.name}"), "bold"))
        listed = list(group)
        for answer in sorted(listed, key=lambda answer: (list(VERDICTS).index(answer.outcome.verdict), answer.rule.id)):
            word, style = VERDICTS[answer.outcome.verdict]
            console.print(Text.assemble("  ", (f"{word:<15}", style), answer.rule.id))
            if answer.outcome.reason:
                console.print(Text(clean(f"                 {answer.outcome.reason}")))
            if answer.outcome.evidence:
                facts = ", ".join(f"{name} {_fact(value)}" for name, value in answer.outcome.evidence.items())
                console.print(Text(clean(f"                 {facts}"), "dim"))
        for id, setting in policy.rules.items():
            if resource.kind in setting.rule.kinds and id not in {answer.rule.id for answer in listed}:
                console.print(Text.assemble("  ", ("off            ", "dim"), id))
        for name, answer in verdicts.get(resource.arn, {}).items() if resource.kind == "endpoint" else ():
            console.print(Text.assemble("  ", (f"{answer.answer:<15}", ANSWERS[answer.answer]), QUESTIONS[name]))
            console.print(Text(clean(f"                 {answer.reason}")))
    if to is not None:
        save(to, out.getvalue())


def _fact(value: object) -> str:
    return value if isinstance(value, str) else dumps(value, default=str)


def title_of(named_rule: Rule) -> str:
    """The title that all findings of a rule share."""
    return named_rule.words.title if named_rule.words else rule_title(named_rule.id)


def _parameters(named_rule: Rule, policy: Policy) -> list[str]:
    chosen = policy.rules[named_rule.id].params.model_dump(mode="json")
    defaults = named_rule.params().model_dump(mode="json")
    return [
        f"{name} {value}"
        + ("" if value == defaults[name] else f" (default {defaults[name]})")
        + (f": {words}" if (words := meaning(named_rule.id, name)) else "")
        for name, value in chosen.items()
    ]
