"""``auditor show REPORT``: a report that was kept, in any format."""

from collections.abc import Sequence
from shlex import quote
from typing import TYPE_CHECKING

from chalicelib.cli import outputs, show
from chalicelib.report.file import STDIN, report_in
from chalicelib.report.narrowing import narrowed
from chalicelib.report.severity import Severity

if TYPE_CHECKING:
    from chalicelib.report.findings import Report


def run_show(
    report: str, *, formats: Sequence[str], output: str | None, severity: Severity, profile: str | None
) -> None:
    """Shows a stored report as the audit would have, or writes it to files. Raises InvalidInput."""
    files = outputs.planned(outputs.chosen_formats(formats), output)
    fixes = f"auditor fix --report {quote(report)}" if report != STDIN else ""
    show.give(narrowed(kept_report(report, profile), severity=severity), files, fixes=fixes)


def kept_report(report: str, profile: str | None, field: str = "REPORT") -> "Report":
    """The report in a file, on stdin (``-``) or in a bucket, which is read with the caller's credentials."""
    if not report.startswith("s3://"):
        return report_in(report, field=field)
    from chalicelib.cli.sessions import new_session

    return report_in(report, session=new_session(profile, anywhere=True), field=field)
