"""The sentence that a report begins with: what is down, what would not survive, what is spent, what changed. Pure."""

from datetime import datetime
from typing import Literal

from msgspec import Struct

from chalicelib.report.findings import Report
from chalicelib.report.posture import standing
from chalicelib.report.savings import totals

About = Literal["endpoints", "money", "changes", "findings"]


class Clause(Struct, frozen=True):
    """A part of the headline: its words, its number where it holds one, and the part of a page that shows more."""

    words: str
    about: About
    number: float | None = None


def headline(report: Report, since: datetime | None = None) -> str:
    """The sentence of :func:`clauses`, with its full stop."""
    words = ", ".join(clause.words for clause in clauses(report, since))
    return f"{words[0].upper()}{words[1:]}."


def clauses(report: Report, since: datetime | None = None) -> list[Clause]:
    """What a report comes to. ``since`` is the end of the sweep before, None where nothing is known of one."""
    parts = [*_endpoints(report), *_money(report), *_changes(report, since)]
    if parts:
        return parts
    number = len(report.open_findings())
    if number:
        return [Clause(f"{_counted(number, 'finding')} {'is' if number == 1 else 'are'} open", "findings", number)]
    narrowed = report.shown is not None
    where = " in what is shown" if narrowed else "" if report.complete else " in what could be read"
    return [Clause(f"nothing is open{where}", "findings", 0)]


def _endpoints(report: Report) -> list[Clause]:
    stands = standing(report.endpoints)
    down, lost, unknown = len(stands.down), len(stands.in_one_zone), len(stands.unknown)
    if not stands.endpoints or report.scope.rules:
        return []
    parts: list[Clause] = []
    if down:
        parts.append(Clause(f"{_counted(down, 'endpoint')} {'is' if down == 1 else 'are'} down", "endpoints", down))
    if lost:
        what = f"{lost:,}" if parts else _counted(lost, "endpoint")
        parts.append(Clause(f"{what} would not survive the loss of a zone", "endpoints", lost))
    if parts or unknown:
        return parts or [Clause(f"of {_counted(unknown, 'endpoint')} it is unknown what they survive", "endpoints")]
    number = len(stands.endpoints)
    which = "the endpoint is" if number == 1 else f"all {number:,} endpoints are"
    return [Clause(f"{which} up and would survive the loss of a zone", "endpoints", number)]


def _money(report: Report) -> list[Clause]:
    saving = report.money.totals.saving_usd if report.money is not None else totals(report.findings).saving_usd
    if saving < 1:
        return []
    made_up = " by sample prices" if report.money is not None and report.money.sample else ""
    return [Clause(f"${saving:,.0f} a month could be saved{made_up}", "money", saving)]


def _changes(report: Report, since: datetime | None) -> list[Clause]:
    if since is None:
        return []
    moments = [finding.resolved_at or finding.first_seen for finding in report.findings]
    number = sum(moment > since for moment in moments)
    days = (report.finished_at.date() - since.date()).days
    when = "yesterday" if days == 1 else f"{since:%H:%M} UTC" if days == 0 else f"{since:%Y-%m-%d}"
    return [Clause(f"{_counted(number, 'thing') if number else 'nothing'} changed since {when}", "changes", number)]


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what}" + ("" if number == 1 else "s")
