"""Findings as CSV (RFC 4180), for spreadsheets. Pure."""

import csv
import json
from collections.abc import Sequence
from io import StringIO

from chalicelib.report.findings import Finding, utc_text
from chalicelib.report.savings import counted
from chalicelib.report.shown import Shown
from chalicelib.templating import clean

#: The columns of the CSV, in their order. Times are ISO 8601 in UTC; ``evidence`` is JSON; commands stand on lines.
#: ``saving_counted_usd`` is what of a saving adds up: the sum of the column is the total.
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
    "declared_in",
    "well_architected",
    "cost_monthly_usd",
    "saving_counted_usd",
    "concern",
)
#: What spreadsheets take for the start of a formula, also in its full-width forms.
FORMULA = ("=", "+", "-", "@", "\t", "＝", "＋", "－", "＠")


def comma_separated(findings: Sequence[Finding], shown: Shown | None = None) -> str:
    """A row for each finding under :data:`COLUMNS` (RFC 4180). Cells that a spreadsheet would run are made text.

    The last row of a narrowed report, of the status ``narrowed``, says in ``summary`` what is left out.
    """
    text, adding_up = StringIO(), counted(findings)
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    for finding in findings:
        row = {
            "severity": finding.severity.value,
            "kind": finding.resource.kind,
            "resource": finding.resource.name,
            "arn": finding.resource.arn,
            "owner": finding.owner or "",
            "confidence": finding.confidence.value,
            "fix": finding.fix.text,
            "commands": "\n".join(finding.fix.commands),
            "evidence": json.dumps(finding.evidence, default=str, ensure_ascii=False),
            "first_seen": utc_text(finding.first_seen),
            "last_seen": utc_text(finding.last_seen),
            "saving_monthly_usd": finding.saving.monthly_usd if finding.saving else "",
            "exemption": finding.exemption.reason if finding.exemption else "",
            "references": "\n".join(finding.references),
            "resolved_at": utc_text(finding.resolved_at) if finding.resolved_at else "",
            "declared_in": finding.resource.declared or "",
            "well_architected": "\n".join(finding.well_architected),
            "cost_monthly_usd": "" if finding.cost_usd is None else finding.cost_usd,
            "concern": finding.concern.value,
            "saving_counted_usd": adding_up.get(finding.id, ""),
        }
        writer.writerow([_cell(str(row.get(name, getattr(finding, name, "")))) for name in COLUMNS])
    if shown is not None:
        last = {"status": "narrowed", "summary": shown.words}
        writer.writerow([_cell(last.get(name, "")) for name in COLUMNS])
    return text.getvalue()


def _cell(text: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    text = clean(text)
    return f"'{text}" if text.startswith(FORMULA) else text
