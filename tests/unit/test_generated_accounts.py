"""What must hold for any account that AWS's own models allow, though nobody thought of it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from chalicelib.audit.auditor import Auditor
from chalicelib.inventory.facts import Fact
from chalicelib.inventory.kinds.endpoints import Variant
from chalicelib.policy.policy import Policy, load_policy
from chalicelib.report.findings import Report
from chalicelib.report.outcomes import Outcome, Verdict
from chalicelib.rules import Rule
from chalicelib.scope import Scope
from tests.accounts.door import Record, State, StateDoor
from tests.accounts.shapes import ACCOUNT, NOW, account
from tests.examples import examples

pytestmark = pytest.mark.thorough

SCOPE = Scope(ACCOUNT, "eu-west-1")
#: Topics whose defects only instances can have.
OF_INSTANCES = {"instances", "availability-zones", "instance-fit"}
#: Calls fail on serverless variants and in the queue of one that is asleep, too: somebody has to be told of it.
OF_CALLS = {"endpoint-without-alarms"}


def every_rule() -> Policy:
    """The strict policy with every rule switched on."""
    policy = load_policy("strict")
    return replace(policy, rules={id: replace(setting, enabled=True) for id, setting in policy.rules.items()})


POLICY = every_rule()
SEEDS = st.integers(0, 2**32 - 1)


class Outcomes:
    """Every outcome of an audit, in the order in which it was judged."""

    def __init__(self) -> None:
        self.all: list[tuple[Rule, Fact, Outcome]] = []

    def __call__(self, rule: Rule, subject: Fact, outcome: Outcome) -> None:
        self.all.append((rule, subject, outcome))


def audited(state: State, *, denied: tuple[str, ...] = ()) -> tuple[Report, Outcomes]:
    """The account audited by every rule."""
    outcomes = Outcomes()
    auditor = Auditor(StateDoor(state, SCOPE.region, denied=denied), POLICY, clock=lambda: NOW)
    return auditor.audit(SCOPE, "cli", outcomes), outcomes


def said(report: Report) -> list[tuple[str, str, str]]:
    """The findings without what differs from audit to audit."""
    return sorted((finding.rule, finding.resource.name, finding.severity.value) for finding in report.findings)


@given(SEEDS)
@examples(150)
def test_no_account_makes_a_rule_crash_and_every_outcome_has_a_reason(seed: int) -> None:
    state = account(seed)
    report, outcomes = audited(state)
    crashed = [spot for spot in report.blind_spots if spot.operation.startswith("rule:")]
    assert crashed == []
    unexplained = {
        rule.id for rule, _, outcome in outcomes.all if outcome.verdict is not Verdict.FAIL and not outcome.reason
    }
    assert unexplained == set()
    assert all(finding.evidence for finding in report.findings)


@given(SEEDS)
@examples(100)
def test_no_rule_of_instances_fails_on_what_has_none(seed: int) -> None:
    state = account(seed)
    _, outcomes = audited(state)
    wrong = {
        (rule.id, subject.name)
        for rule, subject, outcome in outcomes.all
        if outcome.verdict is Verdict.FAIL
        and rule.topic in OF_INSTANCES
        and isinstance(subject, Variant)
        and (subject.shadow or rule.id not in OF_CALLS)
        and (subject.shadow or subject.serverless or subject.desired_instance_count == 0)
    }
    assert wrong == set()


def with_news(record: Record) -> Record:
    """A record with a field that AWS may add some day."""
    return {**record, "FieldOfTheFuture": {"Nested": [{"Status": "Failed"}]}, "NewCount": 1}


@given(SEEDS)
@examples(80)
def test_a_field_that_no_rule_reads_changes_nothing(seed: int) -> None:
    state = account(seed)
    before, _ = audited(state)
    after, _ = audited(state.mapped(with_news))
    assert said(after) == said(before)
    assert after.blind_spots == before.blind_spots


@given(SEEDS)
@examples(80)
def test_lists_and_descriptions_give_the_findings_that_search_gives(seed: int) -> None:
    state = account(seed)
    searched, _ = audited(state)
    listed, _ = audited(state, denied=("sagemaker:Search",))
    tagged = {name for name, value in searched.rules.items() if value.unknown}
    differing = {
        entry[0] for entry in set(said(searched)) ^ set(said(listed)) if entry[0] not in tagged | unknown_in(listed)
    }
    assert differing == set()


def unknown_in(report: Report) -> set[str]:
    """The rules that could not judge everything."""
    return {name for name, counts in report.rules.items() if counts.unknown}
