"""``GET /calendar``: what ends, and when, as JSON or for a calendar program."""

from collections.abc import Mapping
from datetime import UTC, datetime

from chalicelib.errors import InvalidInput
from chalicelib.ledger.history import History
from chalicelib.report.calendar import CalendarEntry, in_order
from chalicelib.report.findings import utc_text
from chalicelib.report.formats.icalendar import icalendar
from chalicelib.service import Service
from chalicelib.web.answers import CalendarAnswer
from chalicelib.web.pages import fitting
from chalicelib.web.requests import CalendarQuery, preferred, valid
from chalicelib.web.response import HttpResponse

#: What the route can answer with; the first where nothing is preferred.
MEDIA_TYPES = ("application/json", "text/calendar")
#: Bytes of the entries in an answer, as JSON; for a calendar program each takes up to twice as many.
ENTRIES_BYTES = 2_500_000


def get_calendar(service: Service, query: Mapping[str, str] | None, accept: str = "") -> HttpResponse:
    """The ends that are known of an account, those behind us left out. Raises InvalidInput."""
    asked = valid(CalendarQuery, dict(query or {}), "query parameter")
    if asked.region is not None:
        service.caller.known_region(asked.region)
    own = service.caller.identity.account
    last: datetime | None = None
    if service.history is not None:
        entries, last = _of_last_sweeps(service.history, asked.account or own, asked.region)
    elif asked.account not in (None, own):
        raise InvalidInput("only the auditor's own account can be audited from here", field="account")
    else:
        entries = service.calendar(asked.region, "http")
    shown = fitting(entries, ENTRIES_BYTES)
    if preferred(accept, MEDIA_TYPES) == "text/calendar":
        text = icalendar(shown, last or datetime.now(UTC))
        return HttpResponse(200, text, {"Content-Type": "text/calendar; charset=utf-8"})
    body = CalendarAnswer(
        account=asked.account or own,
        last_audit=utc_text(last) if last else None,
        entries=shown,
        left_out=len(entries) - len(shown),
    )
    return HttpResponse(200, body.model_dump(mode="json"))


def _of_last_sweeps(history: History, account: str, region: str | None) -> tuple[list[CalendarEntry], datetime | None]:
    """What the last sweeps of an account know of what ends from today on, and when the last of them ended."""
    reports = [report for report in history.of(account).reports if region is None or region in report.regions]
    today = datetime.now(UTC).date()
    entries = in_order(entry for report in reports for entry in report.calendar if entry.day >= today)
    return entries, max((report.finished_at for report in reports), default=None)
