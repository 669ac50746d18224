"""Exemptions that somebody should look at: expired, ending soon, covering nothing."""

import json
from dataclasses import replace
from datetime import date, timedelta

import pytest

from chalicelib.audit.findings import exemption_notes, findings
from chalicelib.audit.judge import Judge
from chalicelib.notices import slack, sns
from chalicelib.notices.chat import chat
from chalicelib.notices.decide import decide, digest, notices_of_event, preview
from chalicelib.notices.email import bodies
from chalicelib.policy.policy import ExemptionEntry, Policy, load_policy
from chalicelib.report.findings import ExemptionNote, Report
from chalicelib.report.known import Resolution
from chalicelib.report.merging import merged_notes, report_of, without_notes_of_others
from chalicelib.scope import Scope
from samples.builders import NOW, a_variant, an_inventory

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
    return exemption_notes(policy, found, NOW.date(), all_seen=all_seen), found[0].status


@pytest.mark.parametrize(
    ("expires", "state", "status"),
    [
        (None, None, "exempt"),
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
    notes, status = noted(None, "other/*")
    assert [(note.state, note.findings) for note in notes] == [("unmatched", 0)]
    assert status == "open"
    assert noted(None, "other/*", all_seen=False)[0] == []


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
            self.exemptions = notes

    def together(*regions: list[ExemptionNote]) -> list[str]:
        return [note.state for note in merged_notes([Region(notes) for notes in regions])]  # type: ignore[misc]

    same = [note.model_copy(update={"resource": "churn/*"}) for note in unmatched]
    assert together(matched, same) == ["expiring"]
    assert together(same, same) == ["unmatched"]
    assert together(same, []) == []


# ---- exemptions of other accounts


def notes_on(resource: str, account: str = "123456789012", region: str = "eu-west-1") -> list[str]:
    """What the audit of an account and region without findings says of an exemption of everything on ``resource``."""
    policy = replace(load_policy(), exemptions=(ExemptionEntry(rule="*", resource=resource, reason="a trial"),))
    notes = exemption_notes(policy, [], NOW.date(), all_seen=True, place=(account, region))
    return [note.state for note in notes]


@pytest.mark.parametrize(
    ("resource", "said"),
    [
        ("arn:aws:sagemaker:eu-west-1:123456789012:endpoint/dev-*", ["unmatched"]),
        ("arn:aws:sagemaker:*:*:endpoint/dev-*", ["unmatched"]),
        ("arn:aws:sagemaker:eu-*:1234*:endpoint/dev-*", ["unmatched"]),
        ("arn:*endpoint/dev", ["unmatched"]),
        ("dev-*", ["unmatched"]),
        ("arn:aws:sagemaker:eu-west-1:222222222222:endpoint/dev-*", []),
        ("arn:aws:sagemaker:us-east-1:123456789012:endpoint/dev-*", []),
        ("arn:aws:sagemaker:*:2222*:*", []),
    ],
)
def test_e9_an_exemption_for_another_account_or_region_is_not_unmatched_here(resource: str, said: list[str]) -> None:
    assert notes_on(resource) == said


def a_part(account: str, region: str, resource: str) -> Report:
    """The report of an account and region in which an exemption on ``resource`` covers nothing."""
    policy = replace(load_policy(), exemptions=(ExemptionEntry(rule="*", resource=resource, reason="a trial"),))
    notes = exemption_notes(policy, [], NOW.date(), all_seen=True, place=(account, region))
    return report_of(account, region, trigger="schedule", policy=policy.used, started=NOW, exemptions=notes)


def test_e9_what_covers_nothing_where_it_is_for_is_unmatched_whoever_else_was_audited() -> None:
    for resource in ("arn:aws:sagemaker:eu-west-1:222222222222:endpoint/x", "arn:aws:sagemaker:*:*:endpoint/x", "x"):
        parts = [a_part(account, "eu-west-1", resource) for account in ("111111111111", "222222222222", "333333333333")]
        assert [note.state for note in merged_notes(parts)] == ["unmatched"], resource


def test_e9_the_digest_of_one_account_of_several_leaves_out_what_may_be_for_the_others() -> None:
    accounts = ["111111111111", "222222222222"]
    shared = a_part(accounts[0], "eu-west-1", "arn:aws:sagemaker:*:*:endpoint/x")
    own = a_part(accounts[0], "eu-west-1", f"arn:aws:sagemaker:*:{accounts[0]}:endpoint/x")
    assert without_notes_of_others(shared, accounts).exemptions == []
    assert without_notes_of_others(own, accounts).exemptions == own.exemptions != []
    assert without_notes_of_others(shared, accounts[:1]).exemptions == shared.exemptions != []


# ---- exemptions by tag


def tagged(until: str | None, rules: str = "*") -> Report:
    """The report on a variant that is exempt by the tags of its endpoint."""
    tags = {"auditor:exempt": rules, "auditor:exempt-reason": "a trial", "owner": "ml"}
    if until is not None:
        tags["auditor:exempt-until"] = until
    policy, variant = load_policy(), a_variant(count=1)
    judge = Judge(policy.enabled([RULE]), SCOPE)
    judge.judge(variant, an_inventory(variant))
    found = findings(judge.failing, policy, SCOPE, NOW, lambda _: tags)
    notes = exemption_notes(policy, found, NOW.date(), all_seen=True, place=(SCOPE.account, SCOPE.region))
    return report_of(
        SCOPE.account,
        SCOPE.region,
        trigger="schedule",
        policy=policy.used,
        started=NOW,
        findings=found,
        exemptions=notes,
    )


@pytest.mark.parametrize(
    ("until", "state", "words"),
    [
        ("2026-11-25", "expiring", "ends on 2026-11-25 (by tag), covers 1 finding"),
        ("2026-11-19", "expired", "expired on 2026-11-19 (by tag), its findings are told again"),
        ("2027-06-01", "in_force", "covers 1 finding (by tag), until 2027-06-01"),
        (None, "in_force", "covers 1 finding (by tag), without an end"),
    ],
)
def test_e8_exemptions_by_tag_are_listed_and_their_end_is_told(until: str | None, state: str, words: str) -> None:
    report = tagged(until)
    (note,) = report.exemptions
    assert (note.state, note.source, note.rule, note.owner) == (state, "tag", RULE, "ml")
    assert note.resource == report.findings[0].resource.arn
    (notice,) = preview(report, load_policy(), whole=True)
    for text in (sns.text(notice), bodies(notice)[0], json.dumps(slack.payload(notice), ensure_ascii=False)):
        assert words.lower() in " ".join(text.lower().split())


def test_without_tags_nothing_is_listed() -> None:
    assert tagged(None, "another-rule").exemptions == []


# ---- the end of an exemption


def test_e10_the_end_of_an_exemption_is_told_even_if_the_finding_was_never_told() -> None:
    policy = load_policy()
    exempt = tagged("2026-11-25")
    first = decide(exempt, {}, Resolution(), policy)
    assert first.changes == ()
    ended = tagged("2026-11-25").model_copy(update={"started_at": NOW + timedelta(days=30)})
    ended = ended.model_copy(
        update={"findings": [finding.model_copy(update={"status": "open"}) for finding in ended.findings]}
    )
    known = {entry.finding.id: entry for entry in first.remember}
    decision = decide(ended, known, Resolution(), policy)
    assert [change.change for change in decision.changes] == ["back"]
    for notice in (*notices_of_event(decision, ended, policy), digest(decision, ended, policy)):
        texts = [sns.text(notice), *bodies(notice), json.dumps(slack.payload(notice)), json.dumps(chat(notice))]
        for text in texts:
            assert "its exemption ended on 2026-11-25 (a trial)" in " ".join(text.split()).lower()


def test_a_finding_first_seen_with_an_exemption_that_is_over_says_so() -> None:
    (notice, *_) = preview(tagged("2026-11-19"), load_policy(), whole=False)
    assert notice.only.change == "new"
    for text in (sns.text(notice), *bodies(notice), json.dumps(slack.payload(notice)), json.dumps(chat(notice))):
        assert "its exemption ended on 2026-11-19 (a trial)" in " ".join(text.split()).lower()
