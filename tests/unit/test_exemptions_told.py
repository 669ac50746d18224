"""What is told of exemptions: those by tag, those of other accounts, and that one has ended, in every channel."""

import json
from datetime import date, timedelta

import pytest
from msgspec.structs import replace

from chalicelib.audit.exemptions import exemption_notes
from chalicelib.audit.findings import findings
from chalicelib.audit.judge import Judge
from chalicelib.notices import slack, sns
from chalicelib.notices.chat import chat
from chalicelib.notices.decide import decide, digest, notices_of_event, preview
from chalicelib.notices.email import bodies
from chalicelib.policy.entries import ExemptionEntry
from chalicelib.policy.policy import load_policy
from chalicelib.report.findings import Report
from chalicelib.report.known import Resolution
from chalicelib.report.merging import merged_notes, report_of, without_notes_of_others
from chalicelib.scope import Scope
from samples.builders import NOW, a_variant, an_inventory

SCOPE = Scope("123456789012", "eu-west-1")
RULE = "endpoint-single-instance"


def an_entry(resource: str) -> ExemptionEntry:
    return ExemptionEntry(rule="*", resource=resource, reason="a trial", owner="ml", expires=date(2027, 6, 1))


def a_part(account: str, region: str, resource: str) -> Report:
    """The report of an account and region in which an exemption on ``resource`` covers nothing."""
    policy = replace(load_policy(), exemptions=(an_entry(resource),))
    notes = exemption_notes(policy, [], Scope(account, region), NOW.date(), all_seen=True)
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


def tagged(until: str, rules: str = "*") -> Report:
    """The report on a variant that is exempt by the tags of its endpoint."""
    tags = {"auditor:exempt": rules, "auditor:exempt-reason": "a trial", "owner": "ml", "auditor:exempt-until": until}
    policy, variant = load_policy(), a_variant(count=1)
    judge = Judge(policy.enabled([RULE]), SCOPE)
    judge.judge(variant, an_inventory(variant))
    result = findings(judge.failing, policy, SCOPE, NOW, lambda _: tags)
    notes = exemption_notes(policy, result, SCOPE, NOW.date(), all_seen=True)
    return report_of(
        SCOPE.account,
        SCOPE.region,
        trigger="schedule",
        policy=policy.used,
        started=NOW,
        findings=result,
        exemptions=notes,
    )


@pytest.mark.parametrize(
    ("until", "state", "words"),
    [
        ("2026-11-25", "expiring", "ends on 2026-11-25 (by a tag), covers 1 finding"),
        ("2026-11-19", "expired", "expired on 2026-11-19, its findings are told again (by a tag)"),
        ("2027-01-15", "in-force", "exempt by a tag, ends on 2027-01-15, covers 1 finding"),
    ],
)
def test_e8_exemptions_by_tag_are_listed_and_their_end_is_told(until: str, state: str, words: str) -> None:
    report = tagged(until)
    (note,) = report.exemptions
    assert (note.state, note.source, note.rule, note.owner) == (state, "tag", RULE, "ml")
    assert note.resource == report.findings[0].resource.arn
    (notice,) = preview(report, load_policy(), whole=True)
    for text in (sns.text(notice), bodies(notice)[0], json.dumps(slack.payload(notice), ensure_ascii=False)):
        assert words.lower() in " ".join(text.lower().split())


def test_without_tags_nothing_is_listed() -> None:
    assert tagged("2026-12-20", "another-rule").exemptions == []


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
            assert "its exemption ended on 2026-11-25 (a trial, ml)" in " ".join(text.split()).lower()


def test_a_finding_first_seen_with_an_exemption_that_is_over_says_so() -> None:
    (notice, *_) = preview(tagged("2026-11-19"), load_policy(), whole=False)
    assert notice.only.change == "new"
    for text in (sns.text(notice), *bodies(notice), json.dumps(slack.payload(notice)), json.dumps(chat(notice))):
        assert "its exemption ended on 2026-11-19 (a trial, ml)" in " ".join(text.split()).lower()
