"""What the terminal shows: the report as a table or as JSON, the catalogue, one rule."""

import os
import tempfile
from collections.abc import Sequence
from io import StringIO
from itertools import groupby
from json import dumps
from pathlib import Path

from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from chalicelib.cli.explain import Explained
from chalicelib.errors import InvalidInput
from chalicelib.findings import Report, Severity, Verdict
from chalicelib.policy import Policy
from chalicelib.rules import Rule
from chalicelib.texts import clean, rule_title

STYLES = {
    Severity.CRITICAL: "bold white on red",
    Severity.HIGH: "bold red",
    Severity.MEDIUM: "yellow",
    Severity.LOW: "cyan",
    Severity.INFO: "dim",
}


def write(report: Report, *, to: Path | None) -> None:
    """Shows the report as a table on stdout, or writes it whole to a file."""
    if to is not None:
        save(to, _plain(report))
    else:
        console = _console()
        console.print(table(report, narrow=console.width < NARROW))


def text(told: str, *, to: Path | None) -> None:
    """Shows a text on stdout, or writes it whole to a file."""
    if to is not None:
        save(to, told)
    else:
        print(told, end="")


def save(to: Path, text: str) -> None:
    """Writes a file whole or not at all. Raises InvalidInput when the place cannot be written."""
    try:
        to.parent.mkdir(parents=True, exist_ok=True)
        handle, draft = tempfile.mkstemp(dir=to.parent, prefix=f".{to.name}.")
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        Path(draft).replace(to)
    except OSError as error:
        raise InvalidInput(f"{to} cannot be written: {error.strerror}", field="--output") from None


#: Columns from which a table with four columns can be read.
NARROW = 110
#: Columns where nobody says how many there are: in a file, in a pipe.
PAGE = 140


def _console() -> Console:
    """The terminal as wide as it is; a pipe as wide as a page."""
    console = Console(highlight=False)
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console.width = PAGE
    return console


def _plain(report: Report) -> str:
    text = StringIO()
    Console(width=PAGE, no_color=True, highlight=False, file=text).print(table(report))
    return text.getvalue()


def table(report: Report, *, narrow: bool = False) -> Group:
    """The findings worst first, then what was counted and what could not be seen. Narrow: one below the other."""
    parts: list[Table | Text] = []
    told = report.open_findings()
    if told and narrow:
        for one in told:
            parts.append(Text.assemble((f"{one.severity.value:<9}", STYLES[one.severity]), one.rule))
            parts.append(Text(clean(f"{one.resource.kind} {one.resource.name}")))
            parts.append(Text(clean(f"{one.summary}\n")))
    elif told:
        rows = Table(box=None, pad_edge=False, header_style="bold")
        rows.add_column("SEVERITY", no_wrap=True)
        rows.add_column("RESOURCE", overflow="fold", ratio=2)
        rows.add_column("RULE", overflow="fold", ratio=2)
        rows.add_column("WHAT", overflow="fold", ratio=4)
        for one in told:
            rows.add_row(
                Text(one.severity.value, STYLES[one.severity]),
                Text(clean(f"{one.resource.name}\n{one.resource.kind}")),
                Text(one.rule),
                Text(clean(one.summary)),
            )
        parts.append(rows)
        parts.append(Text())
    for spot in report.blind_spots:
        effect = f" — unknown: {', '.join(spot.effect)}" if spot.effect else ""
        parts.append(Text.assemble(("blind spot ", "magenta"), clean(f"{spot.operation}: {spot.error}{effect}")))
    parts.append(Text(summary(report)))
    return Group(*parts)


def summary(report: Report) -> str:
    """One line that a person can take in at once."""
    counted = {severity: 0 for severity in reversed(Severity)}
    for one in report.open_findings():
        counted[one.severity] += 1
    found = ", ".join(f"{number} {severity.value}" for severity, number in counted.items() if number)
    exempt = sum(1 for one in report.findings if one.status == "exempt")
    seconds = (report.finished_at - report.started_at).total_seconds()
    parts = [
        f"{len(report.open_findings())} findings" + (f" ({found})" if found else ""),
        *([f"{exempt} exempt"] if exempt else []),
        f"{sum(report.resources.values())} resources",
        f"{len(report.rules)} rules",
        f"{len(report.blind_spots)} blind spots",
        f"{sum(report.api_calls.values())} calls in {seconds:.1f} s",
    ]
    return f"account {', '.join(report.accounts)} in {', '.join(report.regions)}: " + ", ".join(parts)


def catalogue(policy: Policy) -> None:
    """Every rule with its severity, and whether the policy enables it."""
    rows = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("RULE", "SEVERITY", "ON", "TITLE"):
        rows.add_column(name, overflow="fold", no_wrap=name in ("SEVERITY", "ON"))
    for id, setting in policy.rules.items():
        one = setting.rule
        severity = setting.severity or one.severity
        state = ("observe" if setting.mode == "observe" else "yes") if setting.enabled else "no"
        rows.add_row(Text(id), Text(severity.value, STYLES[severity]), Text(state), Text(title_of(one)))
    Console(highlight=False).print(rows)


def rule(one: Rule, policy: Policy) -> None:
    """One rule in full: condition, parameters in force, what it reads and which permissions that needs."""
    setting = policy.rules[one.id]
    lines = [
        f"{one.id}: {title_of(one)}",
        "",
        one.condition,
        "",
        f"topic       {one.topic}",
        f"judges      {', '.join(one.kinds)}",
        f"severity    {(setting.severity or one.severity).value}",
        f"enabled     {'yes' if setting.enabled else 'no'} by the policy {policy.name}",
        f"reads       {', '.join(sorted(one.reads))}",
        f"metrics     {', '.join(one.metrics) or '–'}",
    ]
    lines += ["parameters  " + (", ".join(_parameters(one, policy)) or "–")]
    lines += ["permissions " + "\n            ".join(one.permissions)]
    print("\n".join(lines))


VERDICTS = {
    Verdict.FAIL: ("fail", "bold red"),
    Verdict.PASS: ("pass", "green"),
    Verdict.NOT_APPLICABLE: ("not applicable", "dim"),
    Verdict.UNKNOWN: ("unknown", "magenta"),
}


def explained(answers: Sequence[Explained], policy: Policy, *, json: bool, to: Path | None) -> None:
    """Every rule's outcome for one resource and its parts, with reason and facts, on stdout or in a file."""
    if json:
        text = dumps([one.as_json() for one in answers], indent=2, default=str) + "\n"
        return save(to, text) if to is not None else print(text, end="")
    out = StringIO()
    console = Console(highlight=False, soft_wrap=True) if to is None else Console(width=140, no_color=True, file=out)
    for resource, several in groupby(answers, key=lambda one: one.resource):
        console.print(Text(clean(f"{resource.kind} {resource.name}"), "bold"))
        listed = list(several)
        for one in sorted(listed, key=lambda one: (list(VERDICTS).index(one.outcome.verdict), one.rule.id)):
            word, style = VERDICTS[one.outcome.verdict]
            console.print(Text.assemble("  ", (f"{word:<15}", style), one.rule.id))
            if one.outcome.reason:
                console.print(Text(clean(f"                 {one.outcome.reason}")))
            if one.outcome.evidence:
                facts = ", ".join(f"{name} {_fact(value)}" for name, value in one.outcome.evidence.items())
                console.print(Text(clean(f"                 {facts}"), "dim"))
        for id, setting in policy.rules.items():
            if resource.kind in setting.rule.kinds and id not in {one.rule.id for one in listed}:
                console.print(Text.assemble("  ", ("off            ", "dim"), id))
    if to is not None:
        save(to, out.getvalue())


def _fact(value: object) -> str:
    return value if isinstance(value, str) else dumps(value, default=str)


def title_of(one: Rule) -> str:
    """The title that all findings of a rule share."""
    return one.words.title if one.words else rule_title(one.id)


def _parameters(one: Rule, policy: Policy) -> list[str]:
    chosen = policy.rules[one.id].params.model_dump(mode="json")
    defaults = one.params().model_dump(mode="json")
    return [
        f"{name} {value}" + ("" if value == defaults[name] else f" (default {defaults[name]})")
        for name, value in chosen.items()
    ]
