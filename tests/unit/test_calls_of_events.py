"""What an event costs is bounded whatever it is about; what goes beyond is left to the next sweep, in words."""

from collections.abc import Iterator

import pytest

from chalicelib.audit.auditor import Auditor
from chalicelib.inventory.allowance import most_calls
from chalicelib.inventory.parts import Part
from chalicelib.report.cause import Cause
from chalicelib.report.findings import Report, Trigger
from chalicelib.report.outcomes import Verdict
from chalicelib.rules import RULES
from chalicelib.scope import ResourceRef, Scope
from tests.accounts.door import StateDoor
from tests.accounts.large import large
from tests.accounts.shapes import ACCOUNT, NOW
from tests.examples import number
from tests.unit.test_generated_accounts import POLICY, Outcomes
from tests.unit.test_generated_pairs import named

pytestmark = pytest.mark.thorough

#: How many endpoints.
SEEDS = range(number(30))
#: As many configs, and all models, stand on a subnet.
USERS = 25


def scope(*refs: ResourceRef) -> Scope:
    """A scope of these resources."""
    return Scope(ACCOUNT, "eu-west-1", resources=refs)


def scopes(door: StateDoor) -> Iterator[Scope]:
    """What events may be about: the endpoint, a component, the config, a model, a job, a subnet under many."""
    models = [ResourceRef("model", model["ModelName"]) for model in door.state.models]
    components = [
        ResourceRef("inference-component", component["InferenceComponentName"]) for component in door.state.components
    ]
    alone = [
        ResourceRef("endpoint", "big"),
        ResourceRef("endpoint-config", "big-1"),
        ResourceRef("training-job", "fit"),
    ]
    for ref in (*alone, *components[:1], *models[:1]):
        yield scope(ref)
    users = [ResourceRef("endpoint-config", f"big-{number}") for number in range(1, USERS + 1)]
    yield scope(ResourceRef("vpc", "vpc-1"), *users, *models)


def audited(door: StateDoor, about: Scope, trigger: Trigger) -> tuple[Report, Outcomes]:
    """The scope audited by every rule."""
    outcomes = Outcomes()
    return Auditor(door, POLICY, clock=lambda: NOW).audit(about, trigger, outcomes), outcomes


def blind(report: Report) -> set[tuple[str, str]]:
    """What could not be read."""
    return {(spot.operation, spot.error) for spot in report.blind_spots}


@pytest.mark.parametrize("seed", SEEDS)
def test_an_event_costs_no_more_than_promised_and_says_what_it_left(seed: int) -> None:
    _, door = large(seed)
    for about in scopes(door):
        report, outcomes = audited(door, about, "event")
        whole, every = audited(door, about, "cli")
        assert sum(report.api_calls.values()) <= most_calls(about)
        assert blind(report) <= blind(whole)
        kept = [spot for spot in report.blind_spots if spot.cause is not Cause.NOT_TOLD]
        assert report.complete == (not report.deferred and not kept)

        left = {rule for deferral in report.deferred for rule in deferral.effect}
        event_findings = {finding.id: finding.rule for finding in report.findings}
        findings = {finding.id: finding.rule for finding in whole.findings}
        assert {rule for id, rule in findings.items() if id not in event_findings} <= left
        # what one reading tells by a finding that merges others, the other tells by these
        assert all(set(RULES[rule].merges_into) & left for id, rule in event_findings.items() if id not in findings)

        failing = {
            (rule.id, subject.kind, named(subject))
            for rule, subject, outcome in every.all
            if outcome.verdict is Verdict.FAIL
        }
        resolved = {
            (rule.id, subject.kind, named(subject))
            for rule, subject, outcome in outcomes.all
            if outcome.lasting and outcome.verdict in (Verdict.PASS, Verdict.NOT_APPLICABLE)
        }
        assert failing & resolved == set()


def test_the_reading_of_all_would_cost_more_than_is_promised() -> None:
    costs: dict[str, int] = {}
    for seed in SEEDS:
        _, door = large(seed)
        for about in scopes(door):
            report, _ = audited(door, about, "cli")
            kind = about.resources[0].kind
            costs[kind] = max(costs.get(kind, 0), sum(report.api_calls.values()))
    assert costs["endpoint"] > 200 and costs["vpc"] > 16 and costs["inference-component"] > 10


def test_the_users_of_a_subnet_beyond_the_bound_are_named() -> None:
    _, door = large(0)
    door.state.configs = [{**door.state.configs[0], "EndpointConfigName": f"big-{n}"} for n in range(1, USERS + 1)]
    users = [ResourceRef("endpoint-config", f"big-{number}") for number in range(1, USERS + 1)]
    report, _ = audited(door, scope(ResourceRef("vpc", "vpc-1"), *users), "event")
    left = next(deferral for deferral in report.deferred if deferral.part == "endpoint-configs")
    assert report.resources["endpoint-config"] + len(left.resources) == USERS
    assert "model-vpc-single-az" in left.effect and "16 calls" in left.reason


def test_what_is_not_rehearsed_for_an_event_is_left_to_the_sweep_in_words() -> None:
    _, door = large(0)
    report, _ = audited(door, scope(ResourceRef("endpoint", "big")), "event")
    rehearsals = {id for id, rule in RULES.items() if Part.MINUTES in rule.reads}
    effects = [set(deferral.effect) for deferral in report.deferred if rehearsals <= set(deferral.effect)]
    assert effects
    assert all("left to the next sweep" in deferral.reason for deferral in report.deferred)
