"""Findings of any width: bounded where they are made, and through every channel, every format and the table."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from chalicelib.audit.findings import Failing, findings
from chalicelib.ledger.items import item_of
from chalicelib.ledger.table import _raw
from chalicelib.notices import email, slack, sns
from chalicelib.notices.chat import CHAT_DESCRIPTION, CHAT_STEP, chat
from chalicelib.notices.decide import decide, preview
from chalicelib.notices.notice import Change, Notice
from chalicelib.policy.policy import load_policy
from chalicelib.report import bounds
from chalicelib.report.findings import Finding, Fix, Report, RuleCounts
from chalicelib.report.formats.asff import FINDING_BYTES, security_hub_finding, size
from chalicelib.report.formats.page import page
from chalicelib.report.formats.writers import WRITERS
from chalicelib.report.known import Known, Resolution
from chalicelib.report.merging import report_of
from chalicelib.report.outcomes import Verdict
from chalicelib.rules import RULES
from chalicelib.scope import Scope
from samples.cases.catalogue import CASES
from samples.notices import ACCOUNT, NOW, REGION, a_finding, a_notice
from tests.examples import examples

pytestmark = pytest.mark.thorough

SCOPE = Scope(ACCOUNT, REGION)
NAMES = [f"churn-{number:05}-of-a-team-with-a-long-name" for number in range(6_000)]
#: Rules whose evidence names who is behind a resource, however many there are.
WIDE = sorted({case.rule for case in CASES if case.verdict is Verdict.FAIL and "endpoints" in case.outcome().evidence})


def wide(rule: str = "model-vpc-single-az", names: list[str] = NAMES) -> Finding:
    """The finding of a model behind all of these endpoints."""
    case = next(
        case
        for case in CASES
        if case.rule == rule and case.verdict is Verdict.FAIL and case.outcome().evidence.get("endpoints")
    )
    outcome = replace(case.outcome(), evidence={**case.outcome().evidence, "endpoints": names})
    moment = datetime(2026, 11, 22, 6, tzinfo=UTC)
    (finding,) = findings([Failing(RULES[rule], case.subject, outcome)], load_policy(), SCOPE, moment, lambda _: {})
    return finding


def reported(*findings: Finding) -> Report:
    counts = {finding.rule: RuleCounts(fail=1) for finding in findings}
    return report_of(
        ACCOUNT, REGION, trigger="event", policy=load_policy().used, started=NOW, findings=findings, rules=counts
    )


@pytest.mark.parametrize("rule", WIDE)
def test_a_list_in_evidence_ends_in_a_count(rule: str) -> None:
    finding = wide(rule)
    assert finding.evidence["endpoints"] == [*NAMES[:20], "and 5,980 more"]
    assert bounds.size(finding) <= bounds.FINDING_BYTES


@pytest.mark.parametrize("rule", sorted(set(WIDE) - {"reservation-ends"}))  # whose commands are about the plan
def test_commands_go_as_far_along_a_list_as_they_fit_and_the_fix_says_how_far(rule: str) -> None:
    finding = wide(rule)
    commands = "\n".join(finding.fix.commands)
    assert 0 < len(commands) <= bounds.COMMANDS
    named = [name for name in NAMES if name in commands]
    assert named == NAMES[: len(named)]
    assert f"The commands name the first {len(named)} of 6,000 endpoints" in finding.fix.text
    assert "more" not in commands.split(), "a count is no name"


def test_a_list_that_is_not_long_stays_as_it_was() -> None:
    finding = wide(names=NAMES[:2])
    assert finding.evidence["endpoints"] == NAMES[:2]
    assert "The commands name" not in finding.fix.text
    assert all(name in "\n".join(finding.fix.commands) for name in NAMES[:2])


def test_a_summary_names_some_and_counts_the_others() -> None:
    finding = wide()
    assert f"{NAMES[19]}, and 5,980 more" in finding.summary
    assert NAMES[20] not in finding.summary


def test_a_wide_finding_passes_through_every_channel() -> None:
    finding = wide()
    (notice,) = preview(reported(finding), load_policy(), whole=False)
    (message,) = sns.messages(notice)
    assert len(message.encode()) <= sns.MESSAGE_BYTES
    machine = json.loads(json.loads(message)["sqs"])
    assert machine["finding"]["evidence"]["endpoints"][-1] == "and 5,980 more"
    shown = chat(notice)["content"]
    assert len(shown["description"]) <= CHAT_DESCRIPTION
    assert all(len(step) <= CHAT_STEP for step in shown["nextSteps"])
    assert len(json.dumps(slack.payload(notice))) <= 12_000
    assert email.email(notice, "a@example.org", ["b@example.org"]).as_bytes()
    formatted = security_hub_finding(finding, "new", ACCOUNT, REGION, "aws", NOW)
    assert size(formatted) <= FINDING_BYTES


@pytest.mark.parametrize("form", WRITERS)
def test_a_wide_finding_is_in_every_format(form: str) -> None:
    text = WRITERS[form](reported(wide()))
    assert len(text) < 100_000 + len(WRITERS[form](reported()))
    assert wide().rule in text


def test_a_wide_finding_is_in_the_page_of_the_report() -> None:
    assert "and 5,980 more" in page(reported(wide()))


def test_a_wide_finding_fits_into_the_table() -> None:
    assert len(json.dumps(_raw(item_of(Known(wide()), 30)), default=str)) < 400_000


def test_what_was_remembered_too_large_is_told_as_resolved_all_the_same() -> None:
    old = a_finding(evidence={"endpoints": NAMES}, first_seen=NOW, last_seen=NOW)
    later = reported().model_copy(update={"started_at": NOW.replace(hour=7)})
    decision = decide(later, {old.id: Known(old, NOW, old.severity)}, Resolution({old.id: Verdict.PASS}), load_policy())
    (change,) = decision.changes
    (message,) = sns.messages(a_notice(change))
    assert len(message.encode()) <= sns.MESSAGE_BYTES
    assert len(decision.remember[0].finding.model_dump_json()) < 40_000


TEXTS = st.text(max_size=60).map(lambda text: text * 400)
FACTS = st.dictionaries(
    st.text(min_size=1, max_size=20),
    st.recursive(
        st.none() | st.integers() | TEXTS,
        lambda inner: st.lists(inner, max_size=40) | st.dictionaries(st.text(max_size=9), inner, max_size=40),
        max_leaves=80,
    ),
    max_size=80,
)


@pytest.mark.thorough
@examples(60)
@given(evidence=FACTS, text=TEXTS, commands=st.lists(TEXTS, max_size=20))
def test_no_finding_is_too_large_for_a_message(evidence: dict[str, Any], text: str, commands: list[str]) -> None:
    finding = bounds.narrowed(
        a_finding(
            evidence=evidence,
            title=text,
            summary=text,
            why=text,
            fix=Fix(text=text, commands=commands),
            references=[f"https://example.org/{text}"] * 30,
        )
    )
    assert bounds.size(finding) <= bounds.FINDING_BYTES
    (message,) = sns.messages(a_notice(Change(change="new", finding=finding)))
    assert len(message.encode()) <= sns.MESSAGE_BYTES
    assert Notice.model_validate_json(json.loads(message)["lambda"]).only.finding.id == finding.id
