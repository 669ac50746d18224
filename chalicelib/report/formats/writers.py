"""The report in forms that others read: JSON lines, CSV, Markdown, JUnit, SARIF 2.1.0, ASFF, OCSF 1.5.0. Pure.

Every writer takes a report and gives text; ``docs/formats.md`` says what each holds. Exempt findings are in JSON lines,
CSV and OCSF with their status, elsewhere only open ones are told.
"""

import csv
import json
import re
from collections.abc import Callable, Mapping, Sequence
from io import StringIO
from typing import Any
from urllib.parse import quote
from xml.etree import ElementTree

from chalicelib import __version__
from chalicelib.report.findings import BlindSpot, Finding, Report, Severity, utc_text
from chalicelib.report.formats.ocsf import event
from chalicelib.scope import partition_of
from chalicelib.templating import clean

#: The columns of the CSV, in their order. Times are ISO 8601 in UTC; ``evidence`` is JSON; commands stand on lines.
COLUMNS = (
    "severity",
    "rule",
    "title",
    "kind",
    "resource",
    "arn",
    "account",
    "region",
    "owner",
    "status",
    "confidence",
    "summary",
    "fix",
    "commands",
    "evidence",
    "id",
    "first_seen",
    "last_seen",
    "topic",
    "saving_monthly_usd",
    "exemption",
    "references",
    "resolved_at",
)
#: What spreadsheets take for the start of a formula, also in its full-width forms.
FORMULA = ("=", "+", "-", "@", "\t", "＝", "＋", "－", "＠")
SARIF_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
#: What a comment on GitHub may hold in characters, what is kept free for headings and sentences, and how much of one
#: text and how many accounts or regions are shown.
COMMENT, MARGIN, LONGEST, NAMED = 65_536, 1_000, 500, 5
#: The signs that Markdown reads, as entities; a space without width behind those that make mentions.
MARKUP = str.maketrans({sign: f"&#{ord(sign)};" for sign in "&<>`*_[]|\\~"} | {"@": "&#64;\u200b", "#": "&#35;\u200b"})
#: GitHub refuses more results in a run, and shows the worst 5,000 of them; and longer descriptions.
RESULTS, DESCRIPTION = 25_000, 1_024
HOME = "https://docs.aws.amazon.com/sagemaker/latest/dg/deployment-best-practices.html"
NOT_IN_XML = re.compile("[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
URL_SIGNS = ":/?#[]@!$&'()*+,;=%~"
#: How bad SARIF's three levels, and GitHub's security severity, call each of ours.
LEVELS = {
    Severity.CRITICAL: ("error", "9.5"),
    Severity.HIGH: ("error", "8.0"),
    Severity.MEDIUM: ("warning", "5.0"),
    Severity.LOW: ("note", "3.0"),
    Severity.INFO: ("note", "1.0"),
}


def jsonl(report: Report) -> str:
    """One finding a line, as JSON."""
    return "".join(one.model_dump_json() + "\n" for one in report.findings)


def comma_separated(findings: Sequence[Finding]) -> str:
    """A row for each finding under :data:`COLUMNS` (RFC 4180). Cells that a spreadsheet would run are made text."""
    text = StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    for one in findings:
        row = {
            "severity": one.severity.value,
            "kind": one.resource.kind,
            "resource": one.resource.name,
            "arn": one.resource.arn,
            "owner": one.owner or "",
            "confidence": one.confidence.value,
            "fix": one.fix.text,
            "commands": "\n".join(one.fix.commands),
            "evidence": json.dumps(one.evidence, default=str, ensure_ascii=False),
            "first_seen": utc_text(one.first_seen),
            "last_seen": utc_text(one.last_seen),
            "saving_monthly_usd": one.saving.monthly_usd if one.saving else "",
            "exemption": one.exemption.reason if one.exemption else "",
            "references": "\n".join(one.references),
            "resolved_at": utc_text(one.resolved_at) if one.resolved_at else "",
        }
        writer.writerow([_cell(str(row.get(name, getattr(one, name, "")))) for name in COLUMNS])
    return text.getvalue()


def _cell(text: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    text = clean(text)
    return f"'{text}" if text.startswith(FORMULA) else text


def markdown(report: Report) -> str:
    """A summary for a pull request: counts, a table, and the fix of each finding folded away.

    At most :data:`COMMENT` characters: what does not fit is counted in a sentence, the mildest findings first.
    """
    told = report.open_findings()
    counts = {severity: sum(one.severity is severity for one in told) for severity in reversed(Severity)}
    found = ", ".join(f"{number} {severity.value}" for severity, number in counts.items() if number) or "none"
    places = f"{_some(report.accounts, 'accounts')} in {_some(report.regions, 'regions')}"
    head = (
        f"## SageMaker audit of {places}\n\nFindings: {found}. {sum(report.resources.values())} resources, "
        f"{len(report.rules)} rules, {len(report.blind_spots)} blind spots.\n"
    )
    room = COMMENT - len(head) - MARGIN
    spots, room = _fitting([_blind_spot(spot) for spot in report.blind_spots], room, room // 8)
    rows, room = _fitting([_row(one) for one in told], room, room // 2)
    fixes, room = _fitting([_fix(one) for one in told], room, room)
    text = head
    if told:
        text += "\n| severity | resource | finding |\n|---|---|---|\n" + "".join(rows)
        text += _left_out(len(told) - len(rows), "findings")
        text += "\n<details><summary>Fixes</summary>\n\n" + "".join(fixes)
        text += _left_out(len(told) - len(fixes), "fixes") + "</details>\n"
    return text + "".join(spots) + _left_out(len(report.blind_spots) - len(spots), "blind spots")


def _fitting(blocks: Sequence[str], room: int, share: int) -> tuple[list[str], int]:
    """The first blocks that fit into their share of the room, and the room that is left."""
    kept: list[str] = []
    for block in blocks:
        if len(block) > share:
            break
        kept.append(block)
        share -= len(block)
        room -= len(block)
    return kept, room


def _left_out(number: int, what: str) -> str:
    return f"\n{number} {what} are left out here: the JSON of the report holds them all.\n" if number else ""


def _some(names: Sequence[str], what: str) -> str:
    """The names, or how many there are of them."""
    return ", ".join(_flat(one) for one in names) if len(names) <= NAMED else f"{len(names)} {what}"


def _row(one: Finding) -> str:
    return f"| {one.severity.value} | {table_cell(_short(one.resource.name))} | {table_cell(_short(one.summary))} |\n"


#: What Markdown calls the languages of snippets.
HIGHLIGHTED = {"cloudformation": "yaml", "terraform": "hcl"}


def _fix(one: Finding) -> str:
    lines = [f"**{_flat(_short(one.resource.name))}** ({one.rule}): {_flat(one.fix.text)}", ""]
    if one.fix.commands:
        lines += ["```", *(_command(command) for command in one.fix.commands), "```", ""]
    for language, snippet in one.fix.snippets.items():
        lines += [f"```{HIGHLIGHTED[language]}", clean(snippet).replace("```", "'''"), "```", ""]
    return "\n".join(lines) + "\n"


def _blind_spot(spot: BlindSpot) -> str:
    told = f"{_flat(spot.operation)}: {_flat(_short(spot.error))}"
    return f"\nBlind spot: {told} ({len(spot.effect)} rules unknown)\n"


def _short(text: str) -> str:
    """The text, cut after :data:`LONGEST` characters."""
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def _flat(text: str) -> str:
    """Text on one line that Markdown shows as it is: no markup, no HTML, no mention of a person or an issue."""
    return clean(" ".join(text.split())).translate(MARKUP)


def table_cell(text: str) -> str:
    """Any text as one cell of a Markdown table, without markup of its own."""
    return _flat(text)


def _command(text: str) -> str:
    """A command on one line of a fenced block, which it cannot close."""
    return clean(" ".join(text.split())).replace("```", "'''")


def junit(report: Report) -> str:
    """A test suite for each rule: a failed case for each open finding, one passed case for all that passed."""
    root = ElementTree.Element("testsuites", name="sagemaker-auditor", tests="0", failures="0")
    tests = failures = 0
    for rule, counts in report.rules.items():
        found = [one for one in report.open_findings() if one.rule == rule]
        suite = ElementTree.SubElement(root, "testsuite", name=rule)
        passed = counts.passed
        for one in found:
            case = ElementTree.SubElement(suite, "testcase", classname=rule, name=_xml(one.resource.name) or rule)
            message = ElementTree.SubElement(case, "failure", type=one.severity.value, message=_xml(one.summary))
            message.text = _xml("\n".join([one.why, one.fix.text, *one.fix.commands]))
        if passed:
            ElementTree.SubElement(suite, "testcase", classname=rule, name=f"{passed} resources pass")
        if counts.unknown:
            case = ElementTree.SubElement(suite, "testcase", classname=rule, name=f"{counts.unknown} resources unknown")
            ElementTree.SubElement(case, "skipped", message="something needed could not be read")
        number = len(suite)
        suite.set("tests", str(number))
        suite.set("failures", str(len(found)))
        suite.set("errors", "0")
        suite.set("skipped", str(int(counts.unknown > 0)))
        suite.set("timestamp", report.started_at.strftime("%Y-%m-%dT%H:%M:%S"))
        tests, failures = tests + number, failures + len(found)
    root.set("tests", str(tests))
    root.set("failures", str(failures))
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


def _xml(text: str) -> str:
    """Text without what XML 1.0 cannot hold."""
    return NOT_IN_XML.sub("", clean(text))


def sarif(report: Report, locations: Mapping[str, tuple[str, int]] | None = None) -> str:
    """SARIF 2.1.0: a result for each open finding, its resource as a logical location. ``locations`` are the file and
    the line where a finding's resource is declared, by the finding's id.

    Each result carries what GitHub's code scanning needs: a relative path, a region and a fingerprint. Blind spots, and
    how many results are left out beyond :data:`RESULTS`, are notifications of the tool.
    """
    told = report.open_findings()
    first = {one.rule: one for one in reversed(told)}
    rules = sorted(first)
    notes = [f"Blind spot: {spot.operation}: {spot.error}" for spot in report.blind_spots]
    if len(told) > RESULTS:
        notes.append(f"{len(told) - RESULTS} results are left out: the JSON of the report holds them all.")
    log = {
        "$schema": SARIF_SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "sagemaker-auditor",
                        "version": __version__,
                        "informationUri": HOME,
                        "rules": [_sarif_rule(first[rule]) for rule in rules],
                    }
                },
                "invocations": [
                    {
                        "executionSuccessful": report.complete,
                        "startTimeUtc": utc_text(report.started_at),
                        "endTimeUtc": utc_text(report.finished_at),
                        "toolExecutionNotifications": [
                            {"level": "warning", "message": {"text": clean(note)}} for note in notes
                        ],
                    }
                ],
                "results": [
                    _sarif_result(one, rules.index(one.rule), (locations or {}).get(one.id)) for one in told[:RESULTS]
                ],
            }
        ],
    }
    return json.dumps(log, indent=2, ensure_ascii=False, default=str) + "\n"


def _sarif_rule(one: Finding) -> dict[str, Any]:
    link = next((quote(url, safe=URL_SIGNS) for url in one.references if url.startswith("https://")), None)
    return {
        "id": one.rule,
        "shortDescription": {"text": clean(one.title)[:DESCRIPTION]},
        "fullDescription": {"text": clean(one.why)[:DESCRIPTION]},
        "help": {"text": clean(one.fix.text)},
        **({"helpUri": link} if link else {}),
        "properties": {"tags": [one.topic], "security-severity": LEVELS[one.severity][1]},
    }


def _sarif_result(one: Finding, index: int, declared: tuple[str, int] | None) -> dict[str, Any]:
    path, line = declared or (f"{one.account}/{one.region}/{one.resource.kind}/{_path(one)}", 1)
    # GitHub takes this fingerprint from the line of a real file; a resource has no line but its id.
    fingerprint = {"primaryLocationLineHash": one.id} if declared is None else {}
    return {
        "ruleId": one.rule,
        "ruleIndex": index,
        "level": LEVELS[one.severity][0],
        "message": {"text": clean(f"{one.summary} {one.fix.text}")},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": path if declared is None else quote(path, safe="/")},
                    "region": {"startLine": line, "startColumn": 1, "endLine": line, "endColumn": 1},
                },
                "logicalLocations": [
                    {
                        "name": clean(one.resource.name),
                        "fullyQualifiedName": clean(one.resource.arn),
                        "kind": "resource",
                    }
                ],
            }
        ],
        "partialFingerprints": {"findingId/v1": one.id, **fingerprint},
        "properties": {"severity": one.severity.value, "evidence": one.evidence},
    }


def _path(one: Finding) -> str:
    """The name as a relative path that leads nowhere else."""
    parts = [part if part.strip(".") else "_" for part in one.resource.name.split("/")]
    return quote("/".join(parts), safe="/")


def ocsf(report: Report) -> str:
    """Every finding as an OCSF 1.5.0 Compliance Finding, as a JSON list."""
    events = [event(one, report) for one in report.findings]
    return json.dumps(events, indent=2, ensure_ascii=False, default=str) + "\n"


def asff(report: Report) -> str:
    """The open findings in the format of AWS Security Hub, as a JSON list."""
    from chalicelib.notices import security_hub
    from chalicelib.notices.notice import Told

    findings = [
        security_hub.asff(
            Told(change="new", finding=one), one.account, one.region, partition_of(one.region), report.finished_at
        )
        for one in report.open_findings()
    ]
    return json.dumps(findings, indent=2, ensure_ascii=False) + "\n"


def html(report: Report) -> str:
    """The report page, in one file."""
    from chalicelib.report.formats.page import page

    return page(report)


#: The writers by the name of their format.
WRITERS: dict[str, Callable[[Report], str]] = {
    "json": lambda report: report.model_dump_json(indent=2) + "\n",
    "jsonl": jsonl,
    "csv": lambda report: comma_separated(report.findings),
    "markdown": markdown,
    "junit": junit,
    "sarif": sarif,
    "asff": asff,
    "ocsf": ocsf,
    "html": html,
}
#: How a file of a format ends, where that is not the format's name.
SUFFIXES = {"asff": "asff.json", "ocsf": "ocsf.json", "markdown": "md", "junit": "xml"}
