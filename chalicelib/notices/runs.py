"""What is told of an audit itself: a run that did not come to its end as it should."""

from collections.abc import Sequence

from chalicelib.notices.notice import Notice
from chalicelib.report.bounds import short_spot
from chalicelib.report.findings import BlindSpot, Report, Severity

#: Parts that a notice names one by one; the rest are counted.
NAMED = 20


def notice_of_run(
    report: Report, sentence: str, spots: Sequence[BlindSpot], unread: int, account: str, region: str
) -> Notice:
    """The notice that a run is over and ``unread`` of its parts were not read, of which ``spots`` name the first;
    ``account`` and ``region`` are the auditor's own, and ``report`` is the run's."""
    return Notice(
        kind="run",
        audit_id=report.audit_id,
        trigger=report.trigger,
        account=account,
        region=region,
        severity=Severity.HIGH,
        complete=False,
        finished_at=report.finished_at,
        health=sentence,
        blind_spots=[short_spot(spot) for spot in spots],
        omitted_blind_spots=unread - len(spots),
    )
