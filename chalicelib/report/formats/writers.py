"""The formats of a report by their names. Every writer takes a report and gives text; a format has a file of its own.

``docs/formats.md`` says what each holds. Exempt findings are in JSON lines, CSV and OCSF with their status, elsewhere
only open ones are told.
"""

from collections.abc import Callable

from chalicelib.input.marks import escaped
from chalicelib.report.findings import Report
from chalicelib.report.formats.asff import asff
from chalicelib.report.formats.comma_separated import comma_separated
from chalicelib.report.formats.junit import junit
from chalicelib.report.formats.markdown import markdown
from chalicelib.report.formats.ocsf import ocsf
from chalicelib.report.formats.sarif import sarif


def json(report: Report) -> str:
    """The whole report."""
    return escaped(report.model_dump_json(indent=2)) + "\n"


def jsonl(report: Report) -> str:
    """One finding a line, as JSON; the last line of a narrowed report says what it leaves out."""
    lines = [finding.model_dump_json() for finding in report.findings]
    if report.shown is not None:
        lines.append(f'{{"shown":{report.shown.model_dump_json()}}}')
    return "".join(escaped(line) + "\n" for line in lines)


def html(report: Report) -> str:
    """The report page, in one file."""
    from chalicelib.report.formats.page import page  # brings the template engine along

    return page(report)


#: The writers by the name of their format.
WRITERS: dict[str, Callable[[Report], str]] = {
    "json": json,
    "jsonl": jsonl,
    "csv": lambda report: comma_separated(report.findings, report.shown),
    "markdown": markdown,
    "junit": junit,
    "sarif": sarif,
    "asff": asff,
    "ocsf": ocsf,
    "html": html,
}
#: How a file of a format ends, where that is not the format's name.
SUFFIXES = {"asff": "asff.json", "ocsf": "ocsf.json", "markdown": "md", "junit": "xml"}
