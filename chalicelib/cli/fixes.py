"""``auditor fix FINDING-OR-RESOURCE``: what to do about findings of a report, as text, commands and snippets."""

import difflib
import logging
import os
import tempfile
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.text import Text

from chalicelib.cli import show
from chalicelib.cli.kept import kept_report
from chalicelib.cli.table import STYLES, flat
from chalicelib.cli.wrapping import wrapped
from chalicelib.errors import InvalidInput
from chalicelib.inventory.cached import cache_folder
from chalicelib.report.file import report_in
from chalicelib.report.findings import Finding, Report, utc_text
from chalicelib.templating import LANGUAGES, clean

log = logging.getLogger(__name__)

#: Columns that a line of prose takes at most.
PROSE = 100
#: Names that are told where nothing matches.
NEAR = 5
#: Characters from which the beginning of a finding's id is enough.
SHORT_ID = 6


def run_fix(asked: str, *, report: str | None, profile: str | None, to: Path | None) -> None:
    """Tells how to fix what matches, on stdout or in a file. Raises InvalidInput where nothing does."""
    chosen = matching(_report(report, profile), asked)
    show.prose(partial(_print, chosen), to=to, width=PROSE)


def _print(findings: Sequence[Finding], console: Console) -> None:
    for number, finding in enumerate(findings):
        if number:
            console.print()
        for line in finding_lines(finding, min(console.width, PROSE)):
            console.print(line, soft_wrap=True)


def finding_lines(finding: Finding, width: int) -> Iterator[Text]:
    """A finding with all that helps to end it; commands and snippets on lines of their own, whole, to be copied."""
    severity = (finding.severity.value, STYLES[finding.severity])
    kind, name = finding.resource.kind, flat(finding.resource.name)
    yield Text.assemble(severity, "  ", (finding.rule, "bold"), f"  {kind} {name}")
    place = f"{finding.account} in {finding.region}" + (f", owned by {flat(finding.owner)}" if finding.owner else "")
    yield Text(f"{finding.id}  {flat(place)}", "dim")
    yield from _paragraph("", finding.summary, width)
    yield from _paragraph("Why", finding.why, width)
    yield from _paragraph("Fix", finding.fix.text, width)
    if finding.fix.commands:
        yield from (Text(), Text("Commands", "bold"))
        yield from (Text(clean(f"  {command}")) for command in finding.fix.commands)
    for language, snippet in finding.fix.snippets.items():
        yield from (Text(), Text(f"In {LANGUAGES[language]}", "bold"))
        yield from (Text(clean(f"  {line}")) for line in snippet.splitlines())
    if finding.references:
        yield from (Text(), Text("References", "bold"))
        yield from (Text(clean(f"  {reference}")) for reference in finding.references)


def _paragraph(title: str, words: str, width: int) -> Iterator[Text]:
    if not words:
        return
    yield Text()
    if title:
        yield Text(title, "bold")
    yield from wrapped(Text(flat(words)), width)


# ---- which findings


def matching(report: Report, asked: str) -> list[Finding]:
    """The open findings with this id (or the beginning of it), on this resource or a part of it (name or ARN), or of
    this rule. Raises InvalidInput, which names what is near, where there is none."""
    name = asked.rsplit("/", 1)[1] if asked.startswith("arn:") and "/" in asked else asked
    findings = report.open_findings()
    for chosen in (
        [finding for finding in findings if finding.id == asked],
        [finding for finding in findings if asked in (finding.resource.arn, finding.resource.name)],
        [finding for finding in findings if f"{finding.resource.name}/".startswith(f"{name}/")],
        [finding for finding in findings if finding.rule == asked],
        [finding for finding in findings if len(asked) >= SHORT_ID and finding.id.startswith(asked)],
    ):
        if chosen:
            return chosen
    raise InvalidInput(
        f"no open finding has the id, the resource or the rule {asked!r}; {_near(name, findings)}",
        field="FINDING-OR-RESOURCE",
    )


def _near(name: str, findings: Sequence[Finding]) -> str:
    known = sorted({text for finding in findings for text in (finding.resource.name, finding.rule)})
    if not known:
        return "the report has no open finding"
    near = [text for text in known if name.lower() in text.lower()]
    near += difflib.get_close_matches(name, known, NEAR)
    if near:
        return f"near is {', '.join(dict.fromkeys(near[:NEAR]))}"
    return "accepted are ids, names, ARNs and rules as the report shows them"


# ---- of which report


def _report(report: str | None, profile: str | None) -> Report:
    """The report that is named, or that of the last audit, which is said on stderr."""
    if report is not None:
        return kept_report(report, profile, "--report")
    last = _last_file()
    if not last.is_file():
        raise InvalidInput(
            "no audit is remembered here; accepted are `auditor audit` before, and --report FILE", field="--report"
        )
    kept = report_in(last, field="--report")
    places = f"{', '.join(kept.accounts)} in {', '.join(kept.regions)}"
    show.note(f"from the audit of {places} at {utc_text(kept.finished_at)}; `auditor audit` reads it anew")
    return kept


def _last_file() -> Path:
    return cache_folder() / "last-report.json"


def remember(report: Report) -> None:
    """Keeps the report of an audit for `auditor fix`, for its user alone. What cannot be kept costs no audit."""
    file = _last_file()
    try:
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle, draft = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
        with os.fdopen(handle, "w", encoding="utf-8") as written:
            written.write(report.model_dump_json())
        Path(draft).replace(file)
    except OSError as error:
        log.info("the report is not remembered: %s", error)
