"""Where a whole report is kept and read: as JSON and as a page in the bucket, and by which link a person opens it."""

import logging
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from chalicelib.ledger.history import History
from chalicelib.ledger.table import LedgerFailed
from chalicelib.notices.notice import Kept
from chalicelib.report.findings import Report, utc_text
from chalicelib.report.posture import Point, posture
from chalicelib.settings import Settings
from chalicelib.storage import HTML, StoreFailed, console_page, signed, store_text

log = logging.getLogger(__name__)

#: How long the signature of a presigned link is good for.
PRESIGNED = timedelta(hours=12)
#: Characters of a report as JSON beyond which no page is made of it: some 12,000 findings, whose page would take a
#: function of 1,024 MB four seconds and 170 MB.
PAGE_CHARACTERS = 50_000_000


def keep(report: Report, settings: Settings, session: Any, history: History | None = None) -> Kept:
    """Keeps the whole report in the bucket, as JSON and as a page of the same name, and says where it is read; without
    a bucket at ``GET /audit``, else nowhere. The page of a sweep has the trend of its history.

    A page that cannot be made or stored costs neither the JSON nor the notice. Raises StoreFailed for the JSON.
    """
    if settings.bucket is None:
        return Kept(f"{settings.url.rstrip('/')}/audit" if settings.url else None)
    name = f"reports/{report.started_at:%Y/%m/%d}/{'-'.join(report.accounts[:1])}/{report.audit_id}"
    text = report.model_dump_json()
    store_text(session, settings.bucket, f"{name}.json", text)
    key, lost = f"{name}.html", ""
    try:
        store_text(session, settings.bucket, key, _page(report, len(text), history), HTML)
    except Exception as error:  # whatever the page fails by, the JSON is kept and the notice is sent
        lost = str(error) if isinstance(error, StoreFailed) else f"the page cannot be made: {error!r}"
        log.warning("%s", lost)
        key = f"{name}.json"
    return _reached(key, lost, settings, session)


def _page(report: Report, characters: int, history: History | None) -> str:
    if characters > PAGE_CHARACTERS:
        raise StoreFailed(
            f"no page is made of a report of {characters:,} characters (up to {PAGE_CHARACTERS:,}): "
            "`auditor show` makes it of the JSON beside it"
        )
    from chalicelib.report.formats.page import page  # read where a report is kept alone

    return page(report, trend=_trend(report, history))


def _trend(report: Report, history: History | None) -> Sequence[Point]:
    """The sweeps up to this one, which the history learns of once it is told, oldest first; none where they cannot be
    read, which costs no page."""
    if history is None or report.scope.resources or report.scope.rules:
        return ()
    try:
        before = history.trend(report.accounts[0])
    except LedgerFailed as error:
        log.warning("the page has no trend: %s", error)
        return ()
    stands = posture(report)
    this = Point(
        at=report.finished_at,
        score=stands.score,
        open=dict(stands.open),
        resources=sum(report.resources.values()),
        blind_spots=len(report.blind_spots),
        regions=tuple(sorted(report.regions)),
    )
    return [*(point for point in before if point.at < this.at), this]


def _reached(key: str, lost: str, settings: Settings, session: Any) -> Kept:
    """By which link a person opens what is kept under this key."""
    bucket = str(settings.bucket)
    console = console_page(bucket, key, session.region_name or "us-east-1")
    if settings.report_links == "console":
        return Kept(console or f"s3://{bucket}/{key}", lost=lost)
    try:
        link = signed(session, bucket, key, PRESIGNED)
    except StoreFailed as error:
        log.warning("%s", error)
        return Kept(console or f"s3://{bucket}/{key}", lost=lost or str(error))
    until = f"until {utc_text(link.until)}"
    if not link.certain:
        until += " at the latest: it ends sooner with the keys that signed it, which do not tell when"
    later = f" Afterwards: {console}" if console else ""
    return Kept(link.url, f"Whoever has this link reads the report without signing in, {until}.{later}", lost)
