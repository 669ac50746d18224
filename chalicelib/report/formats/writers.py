"""The formats of a report by their names. Every writer takes a report and gives text; a long one has its own file.

``docs/formats.md`` says what each holds. Exempt findings are in JSON lines, CSV and OCSF with their status, elsewhere
only open ones are told. Rows import their module when they are used: the names are needed for ``--help``, too.
"""

from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING

from chalicelib.input.marks import escaped

if TYPE_CHECKING:
    from chalicelib.report.findings import Report

Writer = Callable[["Report"], str]


def json(report: "Report") -> str:
    """The report as ``docs/report.schema.json`` has it."""
    return escaped(report.model_dump_json(indent=2)) + "\n"


def jsonl(report: "Report") -> str:
    """One finding a line, as JSON; the last line of a narrowed report says what it leaves out."""
    lines = [finding.model_dump_json() for finding in report.findings]
    if report.shown is not None:
        lines.append(f'{{"shown":{report.shown.model_dump_json()}}}')
    return "".join(escaped(line) + "\n" for line in lines)


def csv(report: "Report") -> str:
    """A row for each finding."""
    from chalicelib.report.formats.comma_separated import comma_separated

    return comma_separated(report.findings, report.shown)


def html(report: "Report") -> str:
    """The report page, in one file."""
    from chalicelib.report.formats.page import page  # brings the template engine along

    return page(report)


def _in_its_module(name: str) -> Writer:
    """The function of this name in the module of this name."""

    def write(report: "Report") -> str:
        writer: Writer = getattr(import_module(f"chalicelib.report.formats.{name}"), name)
        return writer(report)

    return write


#: The writers by the name of their format.
WRITERS: dict[str, Writer] = {
    "json": json,
    "jsonl": jsonl,
    "csv": csv,
    "markdown": _in_its_module("markdown"),
    "junit": _in_its_module("junit"),
    "sarif": _in_its_module("sarif"),
    "asff": _in_its_module("asff"),
    "ocsf": _in_its_module("ocsf"),
    "html": html,
}
#: How a file of a format ends, where that is not the format's name.
SUFFIXES = {"asff": "asff.json", "ocsf": "ocsf.json", "markdown": "md", "junit": "xml"}
