"""Pairs of accounts that must be judged alike: by day and by night of a schedule, before and after a step of scaling,
in one partition of AWS and in another."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from chalicelib.audit.auditor import Auditor
from chalicelib.inventory.kinds.endpoints import Variant
from chalicelib.inventory.kinds.scaling import ScalableTarget
from chalicelib.report.outcomes import Outcome, Verdict
from chalicelib.scope import Scope
from tests.accounts.busy import NIGHT, NOON, busy
from tests.accounts.door import State, StateDoor
from tests.accounts.partitions import PARTITIONS, in_partition, publishes
from tests.accounts.shapes import ACCOUNT, IMAGES, NOW
from tests.examples import number
from tests.unit.test_generated_accounts import POLICY, Outcomes

pytestmark = pytest.mark.thorough

#: How many accounts each property holds over.
SEEDS = range(max(20, number(36)))
HOME = Scope(ACCOUNT, "eu-west-1")
#: The outcome of each rule for each resource, by the rule, the kind and the name.
Judged = dict[tuple[str, str, str], Outcome]

#: What a schedule may change, and why. The other rules give one answer by day and by night.
CHANGED_BY_A_SCHEDULE = {
    "endpoint-instances-in-one-zone": "one instance by night stands in one zone, as it must",
    "autoscaling-at-max": "it holds the count against the limits of the hour",
    "endpoint-az-loss-overload": "it asks what the instances of the hour would have carried",
    "inference-component-no-az-balance": "a night on one copy leaves nothing to balance",
    "model-vpc-low-free-ips": "it wants room for a second fleet of the size that runs",
}
#: What a step of scaling may change.
CHANGED_BY_A_STEP = {
    "endpoint-az-loss-overload": "it asks what the instances of the hour would have carried",
    "model-vpc-low-free-ips": "it wants room for a second fleet of the size that runs",
}
#: The rules that must know the image: where AWS does not publish it, they have nothing to say.
OF_ALGORITHMS = {
    "endpoint-gpu-unneeded-by-algorithm",
    "training-cpu-for-gpu-algorithm",
    "training-gpu-for-cpu-algorithm",
    "training-multi-instance-unsupported",
    "training-spot-cannot-checkpoint",
    "training-spot-no-checkpoint",
    "training-spot-not-used",
    "training-spot-wait-too-short",
}


def judged(state: State, now: datetime = NOW, scope: Scope = HOME) -> Judged:
    """Every outcome of an audit by all rules."""
    outcomes = Outcomes()
    Auditor(StateDoor(state, scope.region), POLICY, clock=lambda: now).audit(scope, "cli", outcomes)
    return {(rule.id, subject.kind, named(subject)): outcome for rule, subject, outcome in outcomes.all}


def named(subject: Any) -> str:
    """A name that no other resource of its kind has."""
    return subject.resource_id if isinstance(subject, Variant | ScalableTarget) else subject.name


def verdict(outcome: Outcome) -> str:
    """The answer in full: its verdict, and how severe a failure is."""
    return f"{outcome.verdict} {outcome.severity or ''}".strip()


def finding(outcome: Outcome) -> str:
    """The answer as a person sees it: a finding of some severity, nothing known, or nothing found."""
    return verdict(outcome) if outcome.verdict in (Verdict.FAIL, Verdict.UNKNOWN) else "no finding"


def differing(before: Judged, after: Judged, answer: Callable[[Outcome], str]) -> set[tuple[str, str, str]]:
    """The rules whose answers differ, with both answers."""
    assert set(before) ^ set(after) == set()
    answers = [(key[0], answer(before[key]), answer(after[key])) for key in before]
    return {(rule, first, second) for rule, first, second in answers if first != second}


@pytest.fixture(scope="module")
def by_day_and_night() -> list[tuple[Judged, Judged]]:
    """The accounts at noon and, with the schedules of the evening behind them, by night."""
    hours = timedelta(hours=3)
    pairs = []
    for seed in SEEDS:
        account = busy(seed)
        by_night = judged(account.seen(NIGHT, night=True, ago=hours), NIGHT)
        pairs.append((judged(account.seen(NOON, ago=hours), NOON), by_night))
    return pairs


def test_answers_do_not_alternate_between_day_and_night(by_day_and_night: list[tuple[Judged, Judged]]) -> None:
    differences = {answers for by_day, by_night in by_day_and_night for answers in differing(by_day, by_night, finding)}
    assert {answers for answers in differences if answers[0] not in CHANGED_BY_A_SCHEDULE} == set()


@pytest.mark.parametrize("rule", ["autoscaling-at-max", "inference-component-no-az-balance"])
def test_what_a_schedule_puts_out_of_sight_is_not_resolved(
    rule: str, by_day_and_night: list[tuple[Judged, Judged]]
) -> None:
    pairs = [(side[key], other[key]) for side, other in by_day_and_night for key in side if key[0] == rule]
    hidden = [
        after
        for before, after in (*pairs, *((after, before) for before, after in pairs))
        if before.verdict is Verdict.FAIL and after.verdict is Verdict.NOT_APPLICABLE
    ]
    assert hidden and not any(outcome.lasting for outcome in hidden)


def test_a_step_of_scaling_changes_no_answer() -> None:
    differences = set()
    for seed in SEEDS:
        account = busy(seed)
        before = judged(account.seen(NOW, ago=timedelta(days=30)))
        differences |= differing(before, judged(account.seen(NOW, steps=1, ago=timedelta(minutes=5))), verdict)
    assert {answers for answers in differences if answers[0] not in CHANGED_BY_A_STEP} == set()


@pytest.mark.parametrize("partition", PARTITIONS)
def test_answers_are_the_same_in_every_partition(partition: str) -> None:
    region = PARTITIONS[partition][0]
    amazons = [image.partition(".")[0] for image in IMAGES if "." in image and not image.startswith(ACCOUNT)]
    nameless = set() if all(publishes(account, region) for account in amazons) else OF_ALGORITHMS
    differences = set()
    for seed in SEEDS[: len(SEEDS) // 3]:
        state = busy(seed).seen(NOW, ago=timedelta(days=30))
        there = judged(in_partition(state, partition), scope=Scope(ACCOUNT, region, partition))
        differences |= differing(judged(state), there, verdict)
    assert {answers for answers in differences if answers[0] not in nameless} == set()
