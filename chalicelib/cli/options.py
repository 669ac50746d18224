"""What the options of the commands share. Nothing here is costly to import: ``--version`` and ``--help`` load it."""

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from chalicelib.cli import completion
from chalicelib.errors import InvalidInput
from chalicelib.report.formats.writers import WRITERS

FINDINGS_CODE, BLIND_CODE = 3, 4
#: What ``--format`` of a report accepts, the one for people first.
REPORT_FORMATS = ("table", *WRITERS)

#: The option that may stand alone.
PRICES = "--prices"

#: The formats that have a place for what passed.
PASSES_IN = ("table", "json", "junit")

#: What ``--render`` accepts.
NOTICE_FORMS = "bus|chat|email|html|security-hub|slack|teams"


def known_form(form: str | None) -> str | None:
    """The form of notices that an option names, or None. Raises InvalidInput."""
    forms = NOTICE_FORMS.split("|")
    if form is not None and form not in forms:
        raise InvalidInput(f"unknown channel {form!r}; accepted are {', '.join(forms)}", field="--render")
    return form


def with_values(arguments: Sequence[str]) -> list[str]:
    """The command line with ``on`` behind each ``--prices`` that stands alone: typer knows no option that may have a
    value and need not."""
    following = [*arguments[1:], "-"]
    pairs = zip(arguments, following, strict=True) if arguments else ()
    return [
        word
        for argument, after in pairs
        for word in ((argument, "on") if argument == PRICES and after.startswith("-") else (argument,))
    ]


class DiffFormat(StrEnum):
    """How a difference can be shown."""

    TABLE = "table"
    JSON = "json"
    MARKDOWN = "markdown"


class RulesFormat(StrEnum):
    """How the catalogue can be shown."""

    TABLE = "table"
    JSON = "json"
    MARKDOWN = "markdown"


class CalendarFormat(StrEnum):
    """How a calendar can be shown."""

    TABLE = "table"
    JSON = "json"
    ICS = "ics"


class RehearsalFormat(StrEnum):
    """How a rehearsal can be shown."""

    TABLE = "table"
    JSON = "json"
    HTML = "html"


class DoctorFormat(StrEnum):
    """How a diagnosis can be shown."""

    TABLE = "table"
    JSON = "json"


Several = list[str] | None
Profile = Annotated[str | None, typer.Option(metavar="NAME", help="AWS profile.", autocompletion=completion.profiles)]
PolicyName = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="Policy: a name in policies/ or a path.", autocompletion=completion.policies),
]
PricesFrom = Annotated[
    str | None,
    typer.Option(
        PRICES,
        metavar="[FILE]",
        help="Tell savings in money: by the AWS Price List (needs pricing:GetProducts), or by a price file.",
    ),
]
NoProgress = Annotated[bool, typer.Option("--no-progress", help="No progress on stderr.")]
Region = Annotated[str | None, typer.Option(help="AWS region.", autocompletion=completion.regions)]
Output = Annotated[Path | None, typer.Option(help="Write the result to this file instead of stdout.")]
ReportFormat = Annotated[
    Several,
    typer.Option(
        metavar="FORMAT",
        help=f"How to show the report: {', '.join(REPORT_FORMATS)}. Repeat, or separate by commas, for more "
        "(with --output DIR).",
        autocompletion=completion.format_names,
    ),
]
