"""What the tools for agents answer from an audit that is kept: pages of findings, what is left out, refusals."""

import sys
from threading import Event
from typing import Any

import pytest

from chalicelib.cli import run
from chalicelib.cli.agents.asked import FindingsAsked, PlanAsked, RuleAsked
from chalicelib.cli.agents.desk import KEPT, Desk, Doorway
from chalicelib.errors import InvalidInput
from chalicelib.report.findings import Report, Severity
from tests.unit.test_notices import a_finding, a_report


def desk_with(*reports: Report) -> Desk:
    desk = Desk(Doorway())
    for report in reports:
        desk._keep(report)
    return desk


def findings(desk: Desk, **asked: Any) -> Any:
    return desk.findings(FindingsAsked(**asked), Event())


def numbered(count: int, **report: Any) -> Report:
    return a_report(*(a_finding(number) for number in range(1, count + 1)), **report)


def test_pages_hold_every_finding_once_in_the_order_of_the_report() -> None:
    report = numbered(7)
    desk, ids, cursor = desk_with(report), [], None
    while True:
        page = findings(desk, limit=3, cursor=cursor)
        ids += [finding.id for finding in page.findings]
        assert (page.matching, page.left_out) == (7, 7 - len(ids))
        if (cursor := page.cursor) is None:
            break
    assert ids == [finding.id for finding in report.findings]


def test_a_cursor_goes_on_in_the_audit_that_gave_it() -> None:
    desk = desk_with(numbered(3, audit_id="a-1"))
    first = findings(desk, limit=1)
    desk._keep(numbered(1, audit_id="a-2"))
    assert findings(desk, limit=1, cursor=first.cursor).audit_id == "a-1"
    with pytest.raises(InvalidInput, match="accepted is the cursor of the page before"):
        findings(desk, audit_id="a-2", cursor=first.cursor)


@pytest.mark.parametrize("cursor", ["", "nonsense", "e30=", "eyJhdWRpdCI6ImEtMSIsImVudHJ5IjotMX0="])
def test_a_cursor_that_no_page_gave_is_refused(cursor: str) -> None:
    with pytest.raises(InvalidInput, match="cursor"):
        findings(desk_with(numbered(3, audit_id="a-1")), cursor=cursor)


def test_findings_are_chosen_by_what_is_asked() -> None:
    mild = a_finding(2, severity=Severity.LOW, rule="endpoint-idle", owner="team-b", topic="instance-fit")
    desk = desk_with(a_report(a_finding(1), mild))
    for asked in ({"rule": "endpoint-idle"}, {"owner": "team-b"}, {"topic": "instance-fit"}, {"id": mild.id}):
        assert [finding.id for finding in findings(desk, **asked).findings] == [mild.id], asked
    assert mild.id not in [finding.id for finding in findings(desk, severity="high").findings]
    assert findings(desk, status="exempt").matching == 0
    with pytest.raises(InvalidInput, match="has no open finding 'f-0'; accepted are the ids that `audit` lists"):
        findings(desk, id="f-0")


def test_the_last_audits_are_kept() -> None:
    desk = desk_with(*(numbered(1, audit_id=f"a-{number}") for number in range(KEPT + 1)))
    assert findings(desk).audit_id == f"a-{KEPT}"
    assert findings(desk, audit_id="a-1").audit_id == "a-1"
    with pytest.raises(InvalidInput, match="the audit 'a-0' is not kept; accepted are a-1"):
        findings(desk, audit_id="a-0")


def test_a_rule_is_told_as_the_policy_has_it() -> None:
    assert desk_with().rule(RuleAsked(id="endpoint-idle"), Event()).enabled
    with pytest.raises(InvalidInput, match="did you mean 'endpoint-idle'"):
        desk_with().rule(RuleAsked(id="endpoint-idel"), Event())


def test_a_template_that_is_none_is_refused() -> None:
    with pytest.raises(InvalidInput, match=r"nowhere\.yaml"):
        desk_with().plan(PlanAsked(files=("nowhere.yaml",)), Event())


def test_without_the_package_one_sentence_says_how_to_install_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "mcp", None)
    for name in [name for name in sys.modules if name.startswith("mcp.") or name.endswith("agents.server")]:
        monkeypatch.delitem(sys.modules, name)
    assert run(["mcp"]) == 1
    out, error = capsys.readouterr()
    assert out == "" and len(error.splitlines()) == 1
    assert "pip install 'sagemaker-auditor[mcp]'" in error
