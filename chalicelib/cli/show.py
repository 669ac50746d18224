"""What the terminal shows: the report as a table or in another format, and every outcome for a resource."""

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from io import StringIO
from itertools import groupby
from json import dumps
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

from chalicelib.cli import outputs
from chalicelib.cli.explain import Explained
from chalicelib.cli.outputs import save
from chalicelib.cli.table import Table
from chalicelib.policy.policy import Policy
from chalicelib.report.findings import Finding, Report
from chalicelib.report.formats.writers import WRITERS
from chalicelib.report.outcomes import Verdict
from chalicelib.templating import clean

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


def write(report: Report, *, to: Path | None, fixes: str = "") -> None:
    """Shows the report as a table on stdout, or writes it whole to a file. ``fixes`` is the command for fixes."""
    if to is not None:
        return save(to, plain(report))
    terminal = Terminal()
    for line in Table(report, terminal.width, fixes).lines():
        terminal.print(line, soft_wrap=True)
        if terminal.quiet:
            return


def give(
    report: Report,
    files: Mapping[str, Path | None],
    writers: Mapping[str, Callable[[Report], str]] = WRITERS,
    fixes: str = "",
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
            write(report, to=None, fixes=fixes)
        else:
            text(writers[format](report), to=None)
    outputs.save_all(texts, {file: format for format, file in files.items() if file is not None})


def note(sentence: str) -> None:
    """Says something on stderr, beside the result."""
    print(f"auditor: {clean(sentence)}", file=sys.stderr)


def text(content: str, *, to: Path | None) -> None:
    """Shows a text on stdout, or writes it whole to a file."""
    if to is not None:
        return save(to, content)
    try:
        print(content, end="", flush=True)
    except BrokenPipeError:
        _forget_stdout()


def prose(write: Callable[[Console], None], *, to: Path | None, width: int = PAGE) -> None:
    """Shows what is written for people on stdout, or without colours and in ``width`` columns whole in a file."""
    if to is None:
        return write(Terminal())
    content = StringIO()
    write(Console(width=width, no_color=True, highlight=False, file=content))
    save(to, content.getvalue())


def plain(report: Report) -> str:
    """The table as text, for a file."""
    return "".join(f"{line.plain}\n" for line in Table(report, PAGE).lines())


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


def explained(answers: Sequence[Explained], policy: Policy, report: Report, *, json: bool, to: Path | None) -> None:
    """Every rule's outcome for one resource and its parts, with reason and facts, of what failed also why it matters,
    its fix and references; on stdout or in a file. Of an endpoint whether it would come back, too."""
    verdicts = {
        endpoint.arn: dict(endpoint.comes_back) for endpoint in report.endpoints if endpoint.comes_back is not None
    }
    findings = {(finding.rule, finding.resource.arn, finding.resource.name): finding for finding in report.findings}

    def finding_of(answer: Explained) -> Finding | None:
        return findings.get((answer.rule.id, answer.resource.arn, answer.resource.name))

    if json:
        entries = [{**answer.as_json(), **_advice(finding_of(answer))} for answer in answers]
        for resource in {
            explanation.resource.arn: explanation.resource
            for explanation in answers
            if explanation.resource.kind == "endpoint"
        }.values():
            named = {"kind": resource.kind, "name": resource.name, "arn": resource.arn}
            asked = verdicts.get(resource.arn, {})
            entries += [{"resource": named, "question": name, **answer.model_dump()} for name, answer in asked.items()]
        return text(dumps(entries, indent=2, default=str) + "\n", to=to)
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
            if (finding := finding_of(answer)) is not None:
                for label, words in (("why", finding.why), ("fix", finding.fix.text)):
                    console.print(Text.assemble(f"                 {label}  ", clean(words)))
                for line in [*finding.fix.commands, *finding.references]:
                    console.print(Text(clean(f"                      {line}"), "cyan"))
        for id, setting in policy.rules.items():
            if resource.kind in setting.rule.kinds and id not in {answer.rule.id for answer in listed}:
                console.print(Text.assemble("  ", ("off            ", "dim"), id))
        for name, answer in verdicts.get(resource.arn, {}).items() if resource.kind == "endpoint" else ():
            console.print(Text.assemble("  ", (f"{answer.answer:<15}", ANSWERS[answer.answer]), QUESTIONS[name]))
            console.print(Text(clean(f"                 {answer.reason}")))
    if to is not None:
        save(to, out.getvalue())


def _advice(finding: Finding | None) -> dict[str, Any]:
    """What is told beside an outcome as JSON where there is a finding of it."""
    if finding is None:
        return {}
    return {
        "finding": finding.id,
        "why": finding.why,
        "fix": finding.fix.model_dump(mode="json"),
        "references": finding.references,
    }


def _fact(value: object) -> str:
    return value if isinstance(value, str) else dumps(value, default=str)
