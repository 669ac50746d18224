"""A report of which only some findings are shown."""

from chalicelib.report.findings import Report, Severity
from chalicelib.report.savings import with_totals
from chalicelib.report.shown import Shown


def narrowed(
    report: Report,
    *,
    severity: Severity = Severity.INFO,
    status: str | None = None,
    topic: str | None = None,
    resource: str | None = None,
    limit: int | None = None,
) -> Report:
    """The report with the findings from ``severity`` on that are ``status``, on this topic and this resource (its ARN
    or name), at most ``limit`` of them; it says what it leaves out."""
    kept = [
        finding
        for finding in report.findings
        if finding.severity.rank >= severity.rank
        and status in (None, finding.status)
        and topic in (None, finding.topic)
        and resource in (None, finding.resource.arn, finding.resource.name)
    ][:limit]
    left_out = len(report.findings) - len(kept)
    asked = {
        **({"severity": severity} if severity is not Severity.INFO else {}),
        **({"topic": topic} if topic else {}),
        **({"resources": [resource]} if resource else {}),
    }
    if not asked and not left_out:
        return report
    before = report.shown or Shown()
    counted = {"findings": len(kept), "left_out": left_out + (before.left_out or 0)}
    by_status = {"status": status} if status else {}
    shown = before.model_copy(update={**asked, **by_status, **counted})
    return with_totals(report.model_copy(update={"findings": kept, "shown": shown}))
