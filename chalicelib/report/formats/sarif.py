"""The open findings as SARIF 2.1.0, for GitHub's code scanning and its like. Pure."""

import json
from typing import Any
from urllib.parse import quote

from chalicelib import __version__
from chalicelib.input.marks import escaped
from chalicelib.report.findings import Finding, Report, Severity, utc_text
from chalicelib.report.formats.markdown import flat
from chalicelib.templating import clean

SARIF_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
#: GitHub refuses more results in a run, and shows the worst 5,000 of them; and longer descriptions.
RESULTS, DESCRIPTION = 25_000, 1_024
HOME = "https://docs.aws.amazon.com/sagemaker/latest/dg/deployment-best-practices.html"
URL_SIGNS = ":/?#[]@!$&'()*+,;=%~"
#: The tag by which GitHub shows an alert among those of security, by its ``security-severity``.
SECURITY = "security"
#: How bad SARIF's three levels, and GitHub's security severity, call each of ours.
LEVELS = {
    Severity.CRITICAL: ("error", "9.5"),
    Severity.HIGH: ("error", "8.0"),
    Severity.MEDIUM: ("warning", "5.0"),
    Severity.LOW: ("note", "3.0"),
    Severity.INFO: ("note", "1.0"),
}


def sarif(report: Report) -> str:
    """SARIF 2.1.0: a result for each open finding, its resource as a logical location, and the file and line where a
    template declares it.

    Each result carries what GitHub's code scanning needs: a relative path, a region and a fingerprint. Blind spots, and
    how many results are left out beyond :data:`RESULTS`, are notifications of the tool.
    """
    findings = report.open_findings()
    first = {finding.rule: finding for finding in reversed(findings)}
    rules = sorted(first)
    notes = [f"Blind spot: {spot.operation}: {spot.error}" for spot in report.blind_spots]
    if report.shown is not None:
        notes.append(report.shown.words)
    if len(findings) > RESULTS:
        notes.append(f"{len(findings) - RESULTS} results are left out: the JSON of the report holds them all.")
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
                **({"properties": {"shown": report.shown.model_dump(mode="json")}} if report.shown else {}),
                "results": [_sarif_result(finding, rules.index(finding.rule)) for finding in findings[:RESULTS]],
            }
        ],
    }
    return escaped(json.dumps(log, indent=2, ensure_ascii=False, default=str)) + "\n"


def _sarif_rule(finding: Finding) -> dict[str, Any]:
    link = next((quote(url, safe=URL_SIGNS) for url in finding.references if url.startswith("https://")), None)
    return {
        "id": finding.rule,
        "shortDescription": {"text": clean(finding.title)[:DESCRIPTION]},
        "fullDescription": {"text": clean(finding.why)[:DESCRIPTION]},
        "help": {"text": clean(finding.fix.text), "markdown": _help(finding)},
        **({"helpUri": link} if link else {}),
        "properties": {
            "tags": [SECURITY, finding.topic, *finding.well_architected],
            "security-severity": LEVELS[finding.severity][1],
        },
    }


def _help(finding: Finding) -> str:
    """The rule in Markdown, of which GitHub shows this in the place of the plain text: why, fix, what to read."""
    links = [quote(url, safe=URL_SIGNS) for url in finding.references if url.startswith("https://")]
    parts = [
        f"**{flat(finding.title)}** (`{finding.rule}`)",
        f"**Why**: {flat(finding.why)}",
        f"**Fix**: {flat(finding.fix.text)}",
        *(f"- <{link}>" for link in links),
        f"What fires it, its parameters and how it is exempted: `auditor rules {finding.rule}`.",
    ]
    return "\n\n".join(parts)


def _sarif_result(finding: Finding, index: int) -> dict[str, Any]:
    declared = finding.resource.declared
    path = declared.file if declared else f"{finding.account}/{finding.region}/{finding.resource.kind}/{_path(finding)}"
    line = (declared.line if declared else None) or 1
    # GitHub takes this fingerprint from the line of a real file; a resource has no line but its id.
    fingerprint = {"primaryLocationLineHash": finding.id} if declared is None else {}
    return {
        "ruleId": finding.rule,
        "ruleIndex": index,
        "level": LEVELS[finding.severity][0],
        "message": {"text": clean(f"{finding.summary} {finding.fix.text}")},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": path if declared is None else quote(path, safe="/")},
                    "region": {"startLine": line, "startColumn": 1, "endLine": line, "endColumn": 1},
                },
                "logicalLocations": [
                    {
                        "name": clean(finding.resource.name),
                        "fullyQualifiedName": clean(finding.resource.arn),
                        "kind": "resource",
                    },
                    *([{"name": clean(declared.address), "kind": "declaration"}] if declared else []),
                ],
            }
        ],
        "partialFingerprints": {"findingId/v1": finding.id, **fingerprint},
        "properties": {"severity": finding.severity.value, "evidence": finding.evidence},
    }


def _path(finding: Finding) -> str:
    """The name as a relative path that leads nowhere else."""
    parts = [part if part.strip(".") else "_" for part in finding.resource.name.split("/")]
    return quote("/".join(parts), safe="/")
