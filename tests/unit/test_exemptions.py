"""Exemptions that somebody should look at: expired, ending soon, covering nothing."""

from datetime import date

import pytest

from chalicelib.audit.exemptions import exemption_notes
from chalicelib.audit.findings import findings
from chalicelib.audit.judge import Judge
from chalicelib.policy.entries import ExemptionEntry
from chalicelib.policy.policy import Policy, load_policy
from chalicelib.report.findings import ExemptionNote
from chalicelib.report.merging import merged_notes
from chalicelib.scope import Scope
from tests.builders import NOW, a_variant, an_inventory

SCOPE = Scope("123456789012", "eu-west-1")
RULE = "endpoint-single-instance"


def noted(expires: date | None, resource: str = "churn/*", *, all_seen: bool = True) -> tuple[list[ExemptionNote], str]:
    """The notes on one exemption, and the status of the one finding there is."""
    base = load_policy()
    entry = ExemptionEntry(rule=RULE, resource=resource, reason="a trial", owner="ml", expires=expires)
    policy = Policy(base.name, base.notify_at, base.remind_after_days, base.rules, exemptions=(entry,))
    variant = a_variant(count=1)
    judge = Judge(policy.enabled([RULE]), SCOPE)
    judge.judge(variant, an_inventory(variant))
    found = findings(judge.failing, policy, SCOPE, NOW, lambda _: {})
    assert len(found) == 1
    return exemption_notes(policy, found, SCOPE, NOW.date(), all_seen=all_seen), found[0].status


@pytest.mark.parametrize(
    ("expires", "state", "status"),
    [
        (None, "open", "exempt"),
        (date(2027, 6, 1), None, "exempt"),
        (date(2026, 12, 7), None, "exempt"),
        (date(2026, 12, 6), "expiring", "exempt"),
        (date(2026, 11, 22), "expiring", "exempt"),
        (date(2026, 11, 21), "expired", "open"),
    ],
)
def test_an_exemption_is_listed_two_weeks_before_its_end_and_after_it(
    expires: date | None, state: str | None, status: str
) -> None:
    notes, found = noted(expires)
    assert [(note.state, note.findings, note.owner) for note in notes] == ([(state, 1, "ml")] if state else [])
    assert found == status


def test_an_exemption_that_covers_nothing_is_listed_only_when_everything_was_seen() -> None:
    notes, status = noted(date(2027, 6, 1), "other/*")
    assert [(note.state, note.findings) for note in notes] == [("unmatched", 0)]
    assert status == "open"
    assert noted(date(2027, 6, 1), "other/*", all_seen=False)[0] == []


def test_an_open_finding_says_that_its_exemption_has_expired() -> None:
    base = load_policy()
    entry = ExemptionEntry(rule=RULE, resource="*", reason="a trial", expires=date(2026, 11, 1))
    policy = Policy(base.name, base.notify_at, base.remind_after_days, base.rules, exemptions=(entry,))
    variant = a_variant(count=1)
    judge = Judge(policy.enabled([RULE]), SCOPE)
    judge.judge(variant, an_inventory(variant))
    (finding,) = findings(judge.failing, policy, SCOPE, NOW, lambda _: {})
    assert finding.exemption is not None
    assert (finding.status, finding.exemption.expires) == ("open", date(2026, 11, 1))


def test_an_exemption_in_one_region_is_not_unmatched_for_another() -> None:
    matched, _ = noted(date(2026, 12, 1))
    unmatched, _ = noted(date(2026, 12, 1), "other/*")

    class Region:
        def __init__(self, notes: list[ExemptionNote]) -> None:
            self.exemptions, self.accounts, self.regions = notes, [SCOPE.account], [SCOPE.region]

    def together(*regions: list[ExemptionNote]) -> list[str]:
        return [note.state for note in merged_notes([Region(notes) for notes in regions])]  # type: ignore[misc]

    same = [note.model_copy(update={"resource": "churn/*"}) for note in unmatched]
    assert together(matched, same) == ["expiring"]
    assert together(same, same) == ["unmatched"]
    assert together(same, []) == []
