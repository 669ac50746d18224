"""The report in forms that others read: JSON lines, CSV, Markdown, JUnit, SARIF 2.1.0, ASFF. Pure.

Every writer takes a report and gives text. Exempt findings are in JSON lines and CSV with their status, elsewhere only
open ones are told.
"""

import csv
import json
from collections.abc import Callable, Mapping, Sequence
from io import StringIO
from typing import Any
from urllib.parse import quote
from xml.etree import ElementTree

from chalicelib import __version__
from chalicelib.findings import Finding, Report, Severity, utc_text
from chalicelib.scope import partition_of
from chalicelib.texts import clean

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
)
SARIF_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
HOME = "https://docs.aws.amazon.com/sagemaker/latest/dg/deployment-best-practices.html"
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
        }
        writer.writerow([_cell(str(row.get(name, getattr(one, name, "")))) for name in COLUMNS])
    return text.getvalue()


def _cell(text: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    text = clean(text)
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t")) else text


def markdown(report: Report) -> str:
    """A summary for a pull request: counts, a table, and the fix of each finding folded away."""
    told = report.open_findings()
    counts = {severity: sum(one.severity is severity for one in told) for severity in reversed(Severity)}
    found = ", ".join(f"{number} {severity.value}" for severity, number in counts.items() if number) or "none"
    lines = [
        f"## SageMaker audit of {', '.join(report.accounts)} in {', '.join(report.regions)}",
        "",
        f"Findings: {found}. {sum(report.resources.values())} resources, {len(report.rules)} rules, "
        f"{len(report.blind_spots)} blind spots.",
    ]
    if told:
        lines += ["", "| severity | resource | finding |", "|---|---|---|"]
        for one in told:
            lines.append(
                f"| {one.severity.value} | {_cell_of_table(one.resource.name)} | {_cell_of_table(one.summary)} |"
            )
        lines += ["", "<details><summary>Fixes</summary>", ""]
        for one in told:
            lines += [f"**{_flat(one.resource.name)}** (`{one.rule}`): {_flat(one.fix.text)}", ""]
            if one.fix.commands:
                lines += ["```", *(_flat(command, code=True) for command in one.fix.commands), "```", ""]
        lines.append("</details>")
    for spot in report.blind_spots:
        lines += ["", f"Blind spot: {_flat(spot.operation)}: {_flat(spot.error)} ({len(spot.effect)} rules unknown)"]
    return "\n".join(lines) + "\n"


def _flat(text: str, *, code: bool = False) -> str:
    flat = clean(" ".join(text.split()))
    if code:
        return flat.replace("```", "'''")
    for sign, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ("`", "&#96;"), ("@", "&#64;")):
        flat = flat.replace(sign, entity)
    return flat


def _cell_of_table(text: str) -> str:
    return _flat(text).replace("|", "\\|")


def junit(report: Report) -> str:
    """A test suite for each rule: a failed case for each open finding, one passed case for all that passed."""
    root = ElementTree.Element("testsuites", name="sagemaker-auditor", tests="0", failures="0")
    tests = failures = 0
    for rule, counts in report.rules.items():
        found = [one for one in report.open_findings() if one.rule == rule]
        suite = ElementTree.SubElement(root, "testsuite", name=rule)
        passed = counts.passed
        for one in found:
            case = ElementTree.SubElement(suite, "testcase", classname=rule, name=_xml(one.resource.name))
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
        tests, failures = tests + number, failures + len(found)
    root.set("tests", str(tests))
    root.set("failures", str(failures))
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


def _xml(text: str) -> str:
    """Text without what XML 1.0 cannot hold."""
    return "".join(sign for sign in clean(text) if sign in "\n\t" or 0x20 <= ord(sign) < 0xFFFE)


def sarif(report: Report, locations: Mapping[str, tuple[str, int]] | None = None) -> str:
    """SARIF 2.1.0: a result for each open finding, its resource as a logical location. ``locations`` are the file and
    the line where a finding's resource is declared, by the finding's id."""
    told = report.open_findings()
    first = {one.rule: one for one in reversed(told)}
    rules = sorted(first)
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
                "invocations": [{"executionSuccessful": report.complete, "endTimeUtc": utc_text(report.finished_at)}],
                "results": [_sarif_result(one, rules.index(one.rule), (locations or {}).get(one.id)) for one in told],
            }
        ],
    }
    return json.dumps(log, indent=2, ensure_ascii=False, default=str) + "\n"


def _sarif_rule(one: Finding) -> dict[str, Any]:
    return {
        "id": one.rule,
        "shortDescription": {"text": one.title},
        "fullDescription": {"text": one.why},
        "help": {"text": one.fix.text},
        **({"helpUri": one.references[0]} if one.references else {}),
        "properties": {"tags": [one.topic], "security-severity": LEVELS[one.severity][1]},
    }


def _sarif_result(one: Finding, index: int, declared: tuple[str, int] | None) -> dict[str, Any]:
    text = f"{one.summary} {one.fix.text}"
    place: dict[str, Any] = {
        "artifactLocation": {"uri": f"{one.account}/{one.region}/{one.resource.kind}/{_path(one)}"}
    }
    if declared is not None:
        place = {"artifactLocation": {"uri": quote(declared[0], safe="/")}, "region": {"startLine": declared[1]}}
    return {
        "ruleId": one.rule,
        "ruleIndex": index,
        "level": LEVELS[one.severity][0],
        "message": {"text": clean(text)},
        "locations": [
            {
                "physicalLocation": place,
                "logicalLocations": [
                    {"name": one.resource.name, "fullyQualifiedName": one.resource.arn, "kind": "resource"}
                ],
            }
        ],
        "partialFingerprints": {"findingId/v1": one.id},
        "properties": {"severity": one.severity.value, "evidence": one.evidence},
    }


def _path(one: Finding) -> str:
    return quote(one.resource.name, safe="/")


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


#: The writers by the name of their format.
WRITERS: dict[str, Callable[[Report], str]] = {
    "json": lambda report: report.model_dump_json(indent=2) + "\n",
    "jsonl": jsonl,
    "csv": lambda report: comma_separated(report.findings),
    "markdown": markdown,
    "junit": junit,
    "sarif": sarif,
    "asff": asff,
}
