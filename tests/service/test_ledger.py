"""The ledger and who is told when: scenarios over time against DynamoDB, checking each notice that left."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from chalicelib.audit.resolution import Resolutions
from chalicelib.errors import InvalidInput
from chalicelib.ledger.claims import Claim
from chalicelib.ledger.cursors import encoded
from chalicelib.ledger.ledger import CURSOR_KEY, Ledger, Query
from chalicelib.ledger.table import LedgerFailed
from chalicelib.notices.publisher import Audited, NotDelivered
from chalicelib.policy.policy import load_policy
from chalicelib.report.findings import Exemption, ScopeAudited, Severity
from chalicelib.report.known import Known
from chalicelib.report.outcomes import Verdict
from chalicelib.scope import Scope
from emulator.server import Emulator
from tests.scenario import ACCOUNT, REGION, Story, on_churn
from tests.unit.test_notices import NOW, a_finding


@pytest.fixture
def story(emulator: Emulator) -> Story:
    return Story(emulator.client("dynamodb"))


def words(notices: Any) -> list[tuple[str, str]]:
    return [(notice.kind, change.change) for notice in notices for change in notice.told]


def test_a_finding_through_its_life(story: Story) -> None:
    finding = on_churn(Severity.MEDIUM)
    assert words(story.event(finding)) == [("finding", "new")]
    assert words(story.later(hours=1).event(finding)) == []
    (worse,) = story.later(hours=1).event(on_churn(Severity.HIGH))
    assert words([worse]) == [("finding", "worse")]
    assert worse.only.before is Severity.MEDIUM
    assert worse.only.finding.first_seen == NOW
    assert words(story.later(hours=1).event(on_churn(Severity.HIGH))) == []
    assert words(story.later(days=6, hours=22).event(on_churn(Severity.HIGH))) == []
    assert words(story.later(hours=1).event(on_churn(Severity.HIGH))) == [("finding", "reminder")]
    exemption = Exemption(reason="a trial", expires=date(2026, 12, 31))
    assert words(story.later(hours=1).event(on_churn(status="exempt", exemption=exemption))) == []
    assert words(story.later(days=40).event(on_churn(exemption=exemption))) == [("finding", "back")]
    (resolved,) = story.later(hours=2).event(passed=(finding,))
    assert words([resolved]) == [("resolved", "resolved")]
    assert resolved.only.finding.resolved_at == story.now
    assert words(story.later(hours=2).event(passed=(finding,))) == []
    (back,) = story.later(days=3).event(on_churn())
    assert words([back]) == [("finding", "back")]
    assert back.only.away_days == 3.1
    assert back.only.finding.first_seen == NOW
    assert {message.only.finding.id for message in story.sent} == {finding.id}


def test_a_severity_that_fell_and_rises_again_is_told(story: Story) -> None:
    assert words(story.event(on_churn(Severity.HIGH))) == [("finding", "new")]
    assert words(story.later(hours=1).event(on_churn(Severity.MEDIUM))) == []
    assert words(story.later(hours=1).event(on_churn(Severity.HIGH))) == [("finding", "worse")]


def test_what_is_below_the_bar_is_remembered_and_told_as_new_when_it_rises(story: Story) -> None:
    assert words(story.event(on_churn(Severity.LOW))) == []
    assert list(story.ledger.unresolved(ACCOUNT, REGION)) == [on_churn().id]
    assert words(story.later(days=2).event(on_churn(Severity.HIGH))) == [("finding", "new")]


def test_what_was_never_told_is_not_told_as_resolved(story: Story) -> None:
    story.event(on_churn(Severity.LOW))
    assert words(story.later(hours=1).event(passed=(on_churn(),))) == []
    assert story.ledger.unresolved(ACCOUNT, REGION) == {}


@pytest.mark.parametrize("verdict", [Verdict.UNKNOWN, None])
def test_a_finding_that_was_not_judged_again_stays_open(story: Story, verdict: Verdict | None) -> None:
    story.event(on_churn())
    passed = (on_churn(),) if verdict else ()
    assert words(story.later(hours=1).event(passed=passed, answered=verdict or Verdict.PASS)) == []
    assert len(story.ledger.unresolved(ACCOUNT, REGION)) == 1


def test_a_finding_that_another_tells_now_goes_without_a_word(story: Story) -> None:
    story.event(on_churn())
    assert words(story.later(hours=1).event(passed=(on_churn(),), answered=Verdict.FAIL)) == []
    assert story.ledger.unresolved(ACCOUNT, REGION) == {}


def test_an_audit_that_saw_older_things_changes_nothing(story: Story) -> None:
    story.event(on_churn())
    late = story.later(hours=2)
    late.event(passed=(on_churn(),))
    assert words(story.event(on_churn(), started_at=story.now - timedelta(hours=1))) == []
    assert story.ledger.unresolved(ACCOUNT, REGION) == {}
    story.later(hours=2).event(on_churn())
    assert words(story.event(passed=(on_churn(),), started_at=story.now - timedelta(hours=1))) == []
    assert len(story.ledger.unresolved(ACCOUNT, REGION)) == 1


def test_a_failed_publish_is_told_by_the_next_attempt_and_by_it_alone(story: Story) -> None:
    story.failures = 3
    for _ in range(3):
        with pytest.raises(NotDelivered):
            story.later(minutes=1).event(on_churn())
    assert story.sent == []
    assert words(story.later(minutes=1).event(on_churn())) == [("finding", "new")]
    assert words(story.later(minutes=1).event(on_churn())) == []


def test_a_crash_between_publish_and_ledger_repeats_once_and_loses_nothing(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(Claim, "taken", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt()))
        with pytest.raises(KeyboardInterrupt):
            story.event(on_churn())
    assert words(story.later(minutes=3).event(on_churn())) == [("finding", "new")]
    assert words(story.later(minutes=3).event(on_churn())) == []
    assert len(story.sent) == 2


def test_the_same_event_twenty_times_at_once_is_one_notice(story: Story) -> None:
    story.ledger.sleep = lambda seconds: time.sleep(seconds / 5)
    with ThreadPoolExecutor(20) as pool:
        list(pool.map(lambda _: story.event(on_churn()), range(20)))
    assert words(story.sent) == [("finding", "new")]


def test_an_event_with_many_changes_sends_one_digest(story: Story) -> None:
    many = [a_finding(number) for number in range(6)]
    assert [notice.kind for notice in story.event(*many)] == ["digest"]
    few = [a_finding(number) for number in range(10, 15)]
    assert [notice.kind for notice in story.event(*few)] == ["finding"] * 5


def test_a_sweep_sends_one_digest_even_when_all_is_clean(story: Story) -> None:
    clean = story.sweep()
    assert (clean.kind, clean.status, clean.told) == ("digest", ["clean"], [])
    assert "412 resources" in clean.health
    assert len(story.sent) == 1
    assert story.ledger.last_complete(ACCOUNT) == "2026-11-22T06:00:00Z"


def test_a_digest_tells_what_changed_and_counts_the_rest(story: Story) -> None:
    first, second, third = (a_finding(number) for number in (1, 2, 3))
    story.sweep(first, second)
    digest = story.later(days=1).sweep(first, third, passed=(second,))
    changes = {change: [entry.finding.id for entry in entries] for change, entries in digest.changes}
    assert changes == {"new": [third.id], "resolved": [second.id]}
    assert digest.still_open == {"high": 1}
    assert digest.by_severity == {"high": 1}


def test_a_sweep_resolves_what_is_gone_and_nothing_that_it_only_did_not_see(story: Story) -> None:
    gone, unseen = on_churn(), a_finding(8, name="unseen/AllTraffic")
    story.sweep(gone, unseen)
    digest = story.later(days=1).sweep(complete=False)
    assert digest.told == []
    assert len(story.ledger.unresolved(ACCOUNT, REGION)) == 2
    digest = story.later(days=1).sweep(gone=(gone,))
    assert [(change.change, change.finding.id) for change in digest.told] == [("resolved", gone.id)]
    assert list(story.ledger.unresolved(ACCOUNT, REGION)) == [unseen.id]


def test_observed_rules_are_counted_and_not_told(story: Story, tmp_path: Any) -> None:
    path = tmp_path / "own.yaml"
    path.write_text("rules:\n  endpoint-single-instance: {mode: observe}\n")
    story.policy = load_policy(str(path))
    digest = story.sweep(on_churn())
    assert (digest.told, digest.observed) == ([], 1)


def test_that_something_is_over_is_not_told_of_rules_that_are_only_observed(story: Story, tmp_path: Any) -> None:
    story.event(on_churn())
    path = tmp_path / "own.yaml"
    path.write_text("rules:\n  endpoint-single-instance: {mode: observe}\n")
    story.policy = load_policy(str(path))
    assert words(story.later(hours=1).event(passed=(on_churn(),))) == []
    assert story.ledger.unresolved(ACCOUNT, REGION) == {}


def test_that_something_is_over_is_not_told_of_what_was_exempt(story: Story) -> None:
    story.event(on_churn())
    story.later(hours=1).event(on_churn(status="exempt", exemption=Exemption(reason="a trial")))
    assert words(story.later(hours=1).event(passed=(on_churn(),))) == []
    assert story.ledger.unresolved(ACCOUNT, REGION) == {}


def test_resolved_findings_and_findings_of_jobs_expire(story: Story) -> None:
    from chalicelib.report.findings import Resource

    job = Resource(kind="training-job", arn="arn:aws:sagemaker:eu-west-1:123456789012:training-job/j", name="j")
    story.event(on_churn(), a_finding(9, resource=job))
    story.later(hours=1).event(passed=(on_churn(),))
    items = story.client.scan(TableName=story.table)["Items"]
    expires = {item["sk"]["S"]: int(item["expires"]["N"]) for item in items if item["sk"]["S"].startswith("f-")}
    assert expires[on_churn().id] == int((story.now + timedelta(days=400)).timestamp())
    assert expires[a_finding(9).id] == int((NOW + timedelta(days=32)).timestamp())


@pytest.mark.slow
def test_findings_are_listed_worst_first_by_page_without_a_scan(story: Story) -> None:
    severities = [Severity.MEDIUM, Severity.HIGH, Severity.LOW]
    story.ledger.write([Known(a_finding(number, severity=severities[number % 3])) for number in range(250)])
    cursor, seen, pages = None, [], 0
    while True:
        page = story.ledger.listed(Query(ACCOUNT), 60, cursor)
        seen += page.findings
        pages += 1
        cursor = page.cursor
        if cursor is None:
            break
    assert pages == 5
    assert len({finding.id for finding in seen}) == 250
    ranks = [finding.severity.rank for finding in seen]
    assert ranks == sorted(ranks, reverse=True)
    high = story.ledger.listed(Query(ACCOUNT, severity=Severity.HIGH), 500)
    assert {finding.severity for finding in high.findings} == {Severity.HIGH}
    assert story.ledger.listed(Query(ACCOUNT, status="resolved"), 10).findings == []
    assert len(story.ledger.listed(Query(ACCOUNT, resource="endpoint-7/AllTraffic"), 10).findings) == 1
    assert story.ledger.listed(Query(ACCOUNT, region="us-east-1"), 10).findings == []


def test_there_is_no_cursor_after_the_last_page(story: Story) -> None:
    story.ledger.write([Known(a_finding(number)) for number in range(2)])
    assert story.ledger.listed(Query(ACCOUNT), 2).cursor is None
    first = story.ledger.listed(Query(ACCOUNT), 1)
    assert first.cursor is not None
    second = story.ledger.listed(Query(ACCOUNT), 1, first.cursor)
    assert second.cursor is None
    assert {first.findings[0].id, second.findings[0].id} == {a_finding(0).id, a_finding(1).id}


@pytest.mark.parametrize("cursor", ["nonsense", "e30=", "eyJwayI6MX0="])
def test_a_cursor_that_no_page_gave_is_refused(story: Story, cursor: str) -> None:
    with pytest.raises(InvalidInput, match="accepted is the cursor of the page before"):
        story.ledger.listed(Query(ACCOUNT), 10, cursor)


@pytest.mark.parametrize("value", [7, "", None, ["x"]])
@pytest.mark.parametrize("name", CURSOR_KEY)
def test_a_cursor_of_which_a_part_is_no_text_is_refused_before_the_table_is_asked(name: str, value: Any) -> None:
    ledger = Ledger("ledger", client=None)
    place: dict[str, Any] = dict.fromkeys(CURSOR_KEY, "x") | {
        "pk": f"{ACCOUNT}#{REGION}",
        "status_pk": f"{ACCOUNT}#open",
        name: value,
    }
    with pytest.raises(InvalidInput, match="accepted is the cursor of the page before"):
        ledger.listed(Query(ACCOUNT), 10, encoded(place))


def test_what_is_read_back_is_what_was_written(story: Story) -> None:
    finding = on_churn(owner="team", evidence={"a": [1, {"b": None}]}, last_seen=NOW + timedelta(microseconds=7))
    story.ledger.write([Known(finding, NOW, Severity.HIGH)])
    read = story.ledger.known(ACCOUNT, REGION, [finding.id])
    version = read[finding.id].version
    assert version
    assert read == {finding.id: Known(finding, NOW, Severity.HIGH, version=version)}
    assert list(story.ledger.of_resource(finding.resource.arn)) == [finding.id]


def test_a_table_that_does_not_exist_is_a_sentence(emulator: Emulator) -> None:
    ledger = Ledger("nowhere", emulator.client("dynamodb"))
    with pytest.raises(LedgerFailed, match="the table nowhere cannot be used"):
        ledger.unresolved(ACCOUNT, REGION)
    with pytest.raises(LedgerFailed, match="the table nowhere cannot be used"):
        ledger.write([Known(on_churn())])


@pytest.mark.parametrize(
    "narrowed",
    [
        {"scope": ScopeAudited(accounts=[ACCOUNT], regions=[REGION], rules=["endpoint-idle"])},
        {"scope": ScopeAudited(accounts=[ACCOUNT], regions=[REGION], resources=["arn:aws:sagemaker:::endpoint/churn"])},
        {"complete": False},
    ],
)
def test_e7b_a_narrowed_audit_is_not_the_complete_audit_of_an_account(story: Story, narrowed: dict[str, Any]) -> None:
    story.sweep(**{"complete": True, **narrowed})
    assert story.ledger.last_complete(ACCOUNT) is None
    story.later(days=1).sweep(complete=True)
    assert story.ledger.last_complete(ACCOUNT) is not None


def test_an_audit_of_fewer_regions_is_not_the_complete_audit_of_an_account(story: Story) -> None:
    report = story.report(trigger="schedule", complete=True)
    audited = Audited.by(report, Resolutions(Scope(ACCOUNT, REGION), frozenset()))
    replace(story.publisher, regions=frozenset({REGION, "us-east-1"})).sweep([audited], report)
    assert story.ledger.last_complete(ACCOUNT) is None
