"""Findings in the AWS Security Finding Format (ASFF), as AWS Security Hub takes them. Pure.

Follows the guidelines of the operation BatchImportFindings: at most 240 KB a finding. The fields that customers work
with (Workflow, Note, UserDefinedFields, VerificationState) are never written, as the operation cannot change them
later: what is exempt is suppressed by its record, which is archived while the exemption lasts.
"""

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from chalicelib.input.marks import escaped
from chalicelib.report.findings import Finding, Report, Severity, utc_text
from chalicelib.report.shown import Shown
from chalicelib.scope import partition_of
from chalicelib.templating import clean

SCHEMA_VERSION = "2018-10-08"
GENERATOR = "sagemaker-auditor"
TYPES = ("Software and Configuration Checks/AWS Security Best Practices",)
LABELS = {
    Severity.CRITICAL: "CRITICAL",
    Severity.HIGH: "HIGH",
    Severity.MEDIUM: "MEDIUM",
    Severity.LOW: "LOW",
    Severity.INFO: "INFORMATIONAL",
}

#: Limits of ASFF, in characters and pairs.
ID, TITLE, DESCRIPTION, RECOMMENDATION = 512, 256, 1024, 512
FIELDS, FIELD_KEY, FIELD_VALUE = 50, 128, 2048
#: The length of a field's value where the finding would otherwise be too large.
SHORT_VALUE = 256
#: How large Security Hub takes a finding.
FINDING_BYTES = 240_000


def asff(report: Report) -> str:
    """The open findings in the format of AWS Security Hub, as a JSON list."""
    findings = [
        security_hub_finding(
            finding, "new", finding.account, finding.region, partition_of(finding.region), report.finished_at
        )
        for finding in report.open_findings()
    ]
    if report.shown is not None:
        for formatted in findings:
            formatted["ProductFields"] = _narrowed(formatted["ProductFields"], report.shown)
    return escaped(json.dumps(findings, indent=2, ensure_ascii=False)) + "\n"


def _narrowed(fields: Mapping[str, str], shown: Shown) -> dict[str, str]:
    """The fields with one that says what a narrowed report leaves out, in the place of the last where there is none."""
    return {**dict(list(fields.items())[: FIELDS - 1]), "auditor/shown": _clipped(shown.words, FIELD_VALUE)}


def security_hub_finding(
    finding: Finding, change: str, account: str, region: str, partition: str, now: datetime
) -> dict[str, Any]:
    """One finding in ASFF (SchemaVersion 2018-10-08), below 240 KB, after the change named: one of a notice, or
    ``exempt``.

    ``account``, ``region`` and ``partition`` are those of the hub. CreatedAt stays when the finding was first seen, and
    UpdatedAt is ``now``: Security Hub takes an update only if it is later than the one before. The evidence stands in
    ProductFields, whose names begin with ``auditor/`` and ``evidence/``.
    """
    formatted = _asff(finding, change, account, region, partition, now, FIELD_VALUE)
    if size(formatted) <= FINDING_BYTES:
        return formatted
    return _asff(finding, change, account, region, partition, now, SHORT_VALUE)


def _asff(
    finding: Finding, change: str, account: str, region: str, partition: str, now: datetime, value_length: int
) -> dict[str, Any]:
    resolved = change == "resolved"
    return {
        "SchemaVersion": SCHEMA_VERSION,
        "Id": finding.id,
        "ProductArn": f"arn:{partition}:securityhub:{region}:{account}:product/{account}/default",
        "GeneratorId": _clipped(f"{GENERATOR}/{finding.rule}", ID),
        "AwsAccountId": account,
        "CreatedAt": utc_text(min(finding.first_seen, now)),
        "UpdatedAt": utc_text(now),
        "FirstObservedAt": utc_text(finding.first_seen),
        "LastObservedAt": utc_text(finding.last_seen),
        "FindingProviderFields": {"Severity": {"Label": LABELS[finding.severity]}, "Types": list(TYPES)},
        "Title": _clipped(finding.title, TITLE) or _clipped(finding.rule, TITLE),
        "Description": _clipped(f"{finding.summary} {finding.why}", DESCRIPTION) or _clipped(finding.rule, DESCRIPTION),
        "Resources": [
            {
                "Type": "Other",
                "Id": _clipped(finding.resource.arn or finding.resource.name, ID),
                "Partition": partition,
                "Region": finding.region,
            }
        ],
        "ProductFields": _fields(finding, change, value_length),
        "Compliance": {"Status": "PASSED" if resolved else "FAILED"}
        | ({"RelatedRequirements": finding.well_architected} if finding.well_architected else {}),
        "RecordState": "ARCHIVED" if resolved or finding.status == "exempt" else "ACTIVE",
        **_remediation(finding),
    }


def _remediation(finding: Finding) -> dict[str, Any]:
    """What to do, and where to read about it; nothing where the finding says neither."""
    recommendation = {}
    if text := _clipped(finding.fix.text, RECOMMENDATION):
        recommendation["Text"] = text
    if url := next((url for url in finding.references if url.startswith("https://")), None):
        recommendation["Url"] = url
    return {"Remediation": {"Recommendation": recommendation}} if recommendation else {}


def _fields(finding: Finding, change: str, value_length: int) -> dict[str, str]:
    """The facts as pairs of text, what identifies the finding first. Those beyond 50 are counted in the last one."""
    clipped = (
        (_clipped(name, FIELD_KEY), _clipped(text, value_length))
        for name, text in _facts(finding, change, value_length)
    )
    pairs = {name: text for name, text in clipped if text}
    if len(pairs) <= FIELDS:
        return pairs
    kept = dict(list(pairs.items())[: FIELDS - 1])
    return kept | {"auditor/fields_omitted": str(len(pairs) - len(kept))}


def _facts(finding: Finding, change: str, longest: int) -> Iterator[tuple[str, str]]:
    yield "auditor/change", change
    yield "auditor/rule", finding.rule
    yield "auditor/topic", finding.topic
    yield "auditor/confidence", finding.confidence.value
    yield "auditor/resource_kind", finding.resource.kind
    yield "auditor/resource_name", finding.resource.name
    yield "auditor/owner", finding.owner or ""
    yield "auditor/console_url", finding.resource.console_url or ""
    yield "auditor/declared_in", str(finding.resource.declared or "")
    if finding.exemption:
        yield "auditor/exemption_reason", finding.exemption.reason
        yield "auditor/exemption_owner", finding.exemption.owner or ""
        yield "auditor/exemption_ends", str(finding.exemption.expires or "")
    if finding.saving:
        yield "auditor/saving_monthly_usd", str(finding.saving.monthly_usd)
    if all(len(command) <= longest for command in finding.fix.commands):  # a part of them is worse than none
        for number, command in enumerate(finding.fix.commands, 1):
            yield f"auditor/command_{number}", command
    for name, value in finding.evidence.items():
        yield (
            f"evidence/{name}",
            value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str),
        )


def _clipped(text: str, length: int) -> str:
    """The text on one line, without control characters, at most ``length`` characters long."""
    tidy = clean(" ".join(text.split()))
    return tidy if len(tidy) <= length else tidy[: length - 1] + "…"


def size(finding: Mapping[str, Any]) -> int:
    """The bytes of a finding as it is sent: JSON in which every sign beyond ASCII is escaped."""
    return len(json.dumps(finding))
