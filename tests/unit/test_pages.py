"""The pages of a run's report, from parts in memory: together they hold everything once, in an order that stays."""

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest

from chalicelib.errors import InvalidInput
from chalicelib.ledger.cursors import encoded
from chalicelib.ledger.results import RunPart, head_of
from chalicelib.report.calendar import CalendarEntry
from chalicelib.report.findings import BlindSpot, EndpointCapacity, Report
from chalicelib.report.merging import merged
from chalicelib.report.notes import ExemptionNote
from chalicelib.report.shown import Shown
from chalicelib.web import pages
from chalicelib.web.pages import RunPage, page_of, size
from tests.unit.test_notices import a_finding, a_report

ACCOUNT, RUN = "123456789012", "a-1"
EVERYWHERE = CalendarEntry(day=date(2027, 1, 1), kind="exemption", resource="dev-*", says="an exemption ends")
HERE = EVERYWHERE.model_copy(update={"account": ACCOUNT, "resource": "mine"})
NOTE = ExemptionNote(rule="endpoint-idle", resource="dev-*", reason="trial", state="open", findings=1)
SPOT = BlindSpot(account=ACCOUNT, region="eu-west-1", operation="ec2:DescribeSubnets", error="AccessDenied")
CHURN = EndpointCapacity(account=ACCOUNT, region="eu-west-1", name="churn", arn="arn", status="InService", variants=[])
PARTS = {
    RunPart(ACCOUNT, "eu-west-1", "hosting"): a_report(
        *(a_finding(number) for number in range(3)),
        blind_spots=[SPOT],
        calendar=[EVERYWHERE, HERE],
        endpoints=[CHURN],
        exemptions=[NOTE],
    ),
    RunPart(ACCOUNT, "eu-west-1", "jobs"): a_report(a_finding(7), calendar=[EVERYWHERE], endpoints=[CHURN]),
    RunPart(ACCOUNT, "us-east-1"): a_report(a_finding(8), a_finding(9)),
}
FINDINGS = [a_finding(number).id for number in (0, 1, 2, 7, 8, 9)]


def parts(key: str) -> Iterator[tuple[RunPart, Report]]:
    return ((part, report) for part, report in PARTS.items() if part.key >= key)


def page(cursor: str | None = None, **shown: Any) -> RunPage:
    whole = merged(PARTS.values()).model_copy(update={"exemptions": [NOTE], "calendar": [EVERYWHERE]})
    if shown:
        whole = whole.model_copy(update={"shown": Shown(**shown)})
    return page_of(parts, head_of(whole), RUN, cursor)


def walked() -> list[Report]:
    cursor, walk = None, []
    while True:
        report, cursor = page(cursor)
        walk.append(report)
        if cursor is None:
            return walk


def frame() -> int:
    """The bytes of a page that holds nothing."""
    whole = head_of(merged(PARTS.values())).report
    return size(whole.model_copy(update={"exemptions": [], "calendar": []}))


def test_what_fits_is_one_page_that_leaves_nothing_out() -> None:
    report, cursor = page()
    assert (cursor, report.shown) == (None, None)
    assert [finding.id for finding in report.findings] == FINDINGS
    assert (report.blind_spots, report.exemptions, report.calendar) == ([SPOT], [NOTE], [EVERYWHERE, HERE])
    assert report.endpoints == [CHURN]  # the rules on jobs have read it, too, and do not tell it again


@pytest.mark.parametrize("room", [1, 1_500, 3_000])
def test_pages_hold_everything_once_and_in_order(room: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "REPORT_BYTES", frame() + room)
    walk = walked()
    assert len(walk) > 1
    for field, whole in {
        "blind_spots": [SPOT],
        "exemptions": [NOTE],
        "calendar": [EVERYWHERE, HERE],
        "endpoints": [CHURN],
    }.items():
        held = [entry for report in walk for entry in getattr(report, field)]
        assert held == whole, field
    assert [finding.id for report in walk for finding in report.findings] == FINDINGS
    for report in walk:
        assert report.shown is not None
        listed = len(report.findings)
        assert (report.shown.findings, report.shown.left_out) == (listed, len(FINDINGS) - listed)
    if room == 1:
        assert len(walk) == len(FINDINGS) + 5  # an entry that fits nowhere has a page of its own


def test_a_page_takes_what_fits_to_the_last_byte(monkeypatch: pytest.MonkeyPatch) -> None:
    first = size(NOTE) + size(EVERYWHERE)
    monkeypatch.setattr(pages, "REPORT_BYTES", frame() + first)
    report, cursor = page()
    assert (report.exemptions, report.calendar, report.findings) == ([NOTE], [EVERYWHERE], [])
    assert cursor == encoded({"run": RUN, "part": f"{ACCOUNT}#eu-west-1/hosting", "entry": 0})
    monkeypatch.setattr(pages, "REPORT_BYTES", frame() + first - 1)
    report, cursor = page()
    assert (report.exemptions, report.calendar) == ([NOTE], [])
    assert cursor == encoded({"run": RUN, "part": "", "entry": 1})


def test_the_bytes_are_those_of_json_in_a_text_of_json() -> None:
    assert size(Shown()) < size(Shown(status="open")) < size(Shown(status='"ü"'))


def test_a_run_by_some_rules_stays_so_on_every_page(monkeypatch: pytest.MonkeyPatch) -> None:
    report, _ = page(rules=["endpoint-idle"], findings=6)
    assert report.shown == Shown(rules=["endpoint-idle"], findings=6)
    monkeypatch.setattr(pages, "REPORT_BYTES", frame() + 1)
    report, _ = page(rules=["endpoint-idle"], findings=6, left_out=4)
    assert report.shown == Shown(rules=["endpoint-idle"], findings=0, left_out=10)
    report, _ = page(rules=["endpoint-idle"], left_out=None)
    assert report.shown is not None and report.shown.left_out is None


@pytest.mark.parametrize(
    "place",
    [
        {"run": "a-2", "part": "", "entry": 0},
        {"run": RUN, "part": "", "entry": 2},
        {"run": RUN, "part": "", "entry": -1},
        {"run": RUN, "part": "", "entry": True},
        {"run": RUN, "part": "", "entry": "0"},
        {"run": RUN, "part": None, "entry": 0},
        {"run": RUN, "part": f"{ACCOUNT}#us-east-1", "entry": 2},
        {"run": RUN, "part": f"{ACCOUNT}#us-east-2", "entry": 0},
        {"run": RUN, "part": f"{ACCOUNT}#eu-west-1", "entry": 0},
        {"run": RUN, "part": "x" * 20, "entry": 0},
        {"run": RUN, "part": f"{ACCOUNT}#us-east-1 ", "entry": 0},
    ],
)
def test_a_place_that_no_page_named_is_refused(place: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput, match="the cursor is none that a page of this query gave") as error:
        page(encoded(place))
    assert error.value.field == "cursor"


def test_a_page_begins_where_its_cursor_says() -> None:
    report, cursor = page(encoded({"run": RUN, "part": f"{ACCOUNT}#us-east-1", "entry": 1}))
    assert (cursor, [finding.id for finding in report.findings]) == (None, FINDINGS[-1:])
    report, _ = page(encoded({"run": RUN, "part": "", "entry": 1}))
    assert (report.exemptions, report.calendar) == ([], [EVERYWHERE, HERE])
