"""Findings as CSV (RFC 4180), for spreadsheets. Pure."""

import csv
import json
from collections.abc import Sequence
from io import StringIO

from chalicelib.report.findings import Finding, utc_text
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
