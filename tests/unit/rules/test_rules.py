"""The tables of the rules: each case is judged and must be answered as its row says."""

import json

import pytest

from chalicelib.inventory.parts import Part, closure
from chalicelib.kinds import KINDS
from chalicelib.report.outcomes import Confidence, Verdict
from chalicelib.rules import RULES
from samples.builders import deprived, unasked, without
from samples.cases.case import Case, judged
from samples.cases.catalogue import TOPICS, cases_of
from tests.each import check_each

#: The parts that bring the resources of a kind: had they not been read, there would be nothing to judge.
BROUGHT_BY = {row.name: {Part(row.part)} for row in KINDS.values()} | {
    "endpoint-config": {Part.CONFIGS, Part.UNUSED_CONFIGS},
    "vpc": set[Part](),  # it is put together from the subnets, and what stands on them
}


def marks(topic: str) -> list[pytest.MarkDecorator]:
    """What replays days of minutes takes as long as a property does."""
    return [pytest.mark.thorough] if any(Part.MINUTES in RULES[case.rule].reads for case in cases_of(topic)) else []


every_topic = pytest.mark.parametrize("topic", [pytest.param(topic, marks=marks(topic)) for topic in TOPICS])


@every_topic
def test_a_rule_answers_as_its_table_says(topic: str) -> None:
    check_each(cases_of(topic), answers_as_its_table_says, lambda case: case.id)


@every_topic
def test_a_rule_takes_nothing_unread_for_absent(topic: str) -> None:
    check_each(cases_of(topic), takes_nothing_unread_for_absent, lambda case: case.id)


@every_topic
def test_a_rule_needs_nothing_but_what_it_says_that_it_reads(topic: str) -> None:
    check_each(cases_of(topic), needs_nothing_but_what_it_says_that_it_reads, lambda case: case.id)


def answers_as_its_table_says(case: Case) -> None:
    outcome = case.outcome()
    assert outcome.verdict is case.verdict, outcome
    assert {key: outcome.evidence.get(key, "(absent)") for key in case.evidence} == case.evidence
    if case.verdict is Verdict.FAIL:
        assert (outcome.severity or RULES[case.rule].severity) is case.severity
        assert outcome.confidence is (case.confidence or Confidence.HIGH)
        assert outcome.evidence, "a finding shows the facts that it rests on"
        assert json.loads(json.dumps(outcome.evidence)) == outcome.evidence, "evidence is ready for JSON"
    else:
        assert outcome.reason
        assert outcome.severity is None


def lost(case: Case, part: Part) -> Verdict:
    """How the case is answered had AWS denied one part."""
    return judged(case.rule, deprived(case.subject, part), without(case.inventory, part), case.params).verdict


def losable(case: Case) -> list[Part]:
    """The parts that the rule reads beside the one that brought the resource."""
    return sorted(RULES[case.rule].reads - BROUGHT_BY[case.subject.kind])


def takes_nothing_unread_for_absent(case: Case) -> None:
    if case.verdict is Verdict.UNKNOWN:
        return  # more that is unread may leave nothing to judge
    answers = {part: lost(case, part) for part in losable(case)}
    accepted = (case.verdict, Verdict.UNKNOWN)
    assert {part: verdict for part, verdict in answers.items() if verdict not in accepted} == {}


def test_a_rule_reads_what_brings_the_resources_that_it_judges() -> None:
    check_each(RULES, reads_what_brings_the_resources_that_it_judges)


def reads_what_brings_the_resources_that_it_judges(rule: str) -> None:
    for kind in RULES[rule].kinds:
        assert not BROUGHT_BY[kind] or BROUGHT_BY[kind] & closure(RULES[rule].reads), kind


def needs_nothing_but_what_it_says_that_it_reads(case: Case) -> None:
    """Only the parts that an enabled rule names are asked for: without all others it must answer the same."""
    rule, subject, inventory = RULES[case.rule], case.subject, case.inventory
    read = closure(rule.parts(rule.params(**case.params)) | BROUGHT_BY[case.subject.kind])
    unread = sorted(set(Part) - read)
    for part in unread:
        subject = deprived(subject, part)
    assert judged(case.rule, subject, unasked(inventory, unread), case.params) == case.outcome()
