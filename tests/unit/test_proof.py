"""When a finding resolves: whatever fails, lags or changes under way, only by proof.

Generated accounts are audited twice. What was found first is open; the second audit reads the same account, or
another, with reads that fail, an index that lags or endpoints in the middle of a change.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from random import Random
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from msgspec.structs import replace

from chalicelib.audit.auditor import Auditor
from chalicelib.audit.findings import place_of
from chalicelib.audit.resolution import Ending, Resolutions, ending
from chalicelib.inventory.answers import CallFailed, Gone
from chalicelib.inventory.facts import Fact
from chalicelib.policy.policy import Policy, load_policy
from chalicelib.report.findings import Finding, Report
from chalicelib.report.known import Known
from chalicelib.report.outcomes import Outcome, Verdict
from chalicelib.rules import Rule
from chalicelib.scope import Scope
from tests.accounts.door import DESCRIBED, State, StateDoor
from tests.accounts.shapes import ACCOUNT, NOW, account
from tests.examples import examples

SCOPE = Scope(ACCOUNT, "eu-west-1")
SEEDS = st.integers(0, 2**32 - 1)
TRANSITIONS = ["Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting", "Failed", "OutOfService"]


def every_rule() -> Policy:
    """The strict policy with every rule switched on."""
    policy = load_policy("strict")
    return replace(policy, rules={id: replace(setting, enabled=True) for id, setting in policy.rules.items()})


POLICY = every_rule()
RULES = frozenset(POLICY.enabled(()))

Fails = Callable[[str, Mapping[str, Any]], str]


def nothing_fails(operation: str, parameters: Mapping[str, Any]) -> str:
    return ""


class FaultyDoor(StateDoor):
    """The door of an account where ``fails`` names the error of a call, if any. ``hidden`` says what ``Search`` has not
    heard of yet. ``denials`` are the questions to which AWS answered that there is none."""

    def __init__(
        self, state: State, fails: Fails = nothing_fails, hidden: Callable[[Mapping[str, Any]], bool] = lambda _: False
    ) -> None:
        super().__init__(state, SCOPE.region)
        self.fails = fails
        self.hidden = hidden
        self.denials: set[tuple[str, str]] = set()

    def call(self, service: str, operation: str, **parameters: Any) -> dict[str, Any]:
        if code := self.fails(operation, parameters):
            raise CallFailed(f"{service}:{operation}", code, "as the test says")
        try:
            answer = super().call(service, operation, **parameters)
        except Gone:
            self.denials.add((operation, parameters[DESCRIBED[operation][1]]))
            raise
        if operation == "Search":
            kind = parameters["Resource"]
            records = [record for record in answer["Results"] if not self.hidden(_inner(record[kind]))]
            return {**answer, "Results": records}
        return answer


def _inner(record: Mapping[str, Any]) -> Mapping[str, Any]:
    inner = record.get("Model")
    return inner if isinstance(inner, Mapping) else record


class Judged:
    """What an audit judged, as one who only listens hears it: lasting answers and everything that was read."""

    def __init__(self) -> None:
        self.read: set[tuple[str, str, str]] = set()
        self.holds_no_more: set[tuple[str, str, str]] = set()

    def __call__(self, rule: Rule, subject: Fact, outcome: Outcome) -> None:
        place = place_of(subject, SCOPE)
        self.read.add((subject.kind, place.arn, place.part))
        if outcome.verdict in (Verdict.PASS, Verdict.NOT_APPLICABLE) and outcome.lasting:
            self.holds_no_more.add((rule.id, place.arn, place.part))


def audited(
    door: StateDoor, known: Mapping[str, Known] | None = None, *, now: datetime = NOW, scope: Scope = SCOPE
) -> tuple[Report, Resolutions, Judged]:
    judged = Judged()
    resolutions = Resolutions(scope, RULES, known or {})
    report = Auditor(door, POLICY, clock=lambda: now).audit(scope, "cli", judged, resolutions)
    return report, resolutions, judged


def open_in(state: State) -> dict[str, Known]:
    """Every finding of an account, as a ledger would know it."""
    report, _, _ = audited(StateDoor(state, SCOPE.region))
    return {finding.id: Known(finding) for finding in report.findings}


def resolved(known: Mapping[str, Known], resolutions: Resolutions) -> list[tuple[str, str]]:
    """The rules and resources of the known findings that are resolved."""
    ends = {id: ending(id, resolutions.resolution) for id in known}
    return sorted(
        (known[id].finding.rule, known[id].finding.resource.name) for id, end in ends.items() if end is Ending.RESOLVED
    )


def failing_at_random(seed: int, share: float) -> Fails:
    """Some operations fail for every resource, others for some."""

    def fails(operation: str, parameters: Mapping[str, Any]) -> str:
        if Random(f"{seed} {operation}").random() < share / 2:
            return "AccessDeniedException"
        draw = Random(f"{seed} {operation} {sorted(map(str, parameters.items()))}").random()
        return "ThrottlingException" if draw < share else ""

    return fails


@pytest.mark.thorough
@given(SEEDS, SEEDS, st.sampled_from([0.05, 0.3, 0.8]))
@examples(150)
def test_nothing_resolves_in_an_account_that_did_not_change_whatever_fails(seed: int, fault: int, share: float) -> None:
    state = account(seed)
    known = open_in(state)
    _, resolutions, _ = audited(FaultyDoor(state, failing_at_random(fault, share)), known)
    assert resolved(known, resolutions) == []


@pytest.mark.thorough
@given(SEEDS, SEEDS, SEEDS, st.sampled_from([0.0, 0.1, 0.5]))
@examples(150)
def test_a_finding_resolves_only_where_its_resource_was_judged_or_aws_says_that_it_is_gone(
    seed: int, later: int, fault: int, share: float
) -> None:
    known = open_in(account(seed))
    door = FaultyDoor(account(later), failing_at_random(fault, share))
    _, resolutions, judged = audited(door, known)
    for id, entry in known.items():
        if ending(id, resolutions.resolution) is not Ending.RESOLVED:
            continue
        resource = entry.finding.resource
        where = (resource.arn, resource.part)
        assert (entry.finding.rule, *where) in judged.holds_no_more or (
            (resource.kind, *where) not in judged.read and denied(door, entry.finding)
        )


def denied(door: FaultyDoor, finding: Finding) -> bool:
    """Whether AWS itself said that the resource is not there: by an error about its name, or an answer without it."""
    resource, state = finding.resource, door.state
    owner = resource.name.split("/")[0]
    if resource.kind == "scalable-target":
        asked = door.calls["application-autoscaling:DescribeScalableTargets"]
        of_its_id = [record for record in state.targets if record["ResourceId"] == resource.part]
        return asked > 0 and resource.arn not in {record.get("ScalableTargetARN") for record in of_its_id}
    if resource.kind == "scaling-policy":
        asked = door.calls["application-autoscaling:DescribeScalingPolicies"]
        return asked > 0 and resource.arn not in {record.get("PolicyARN") for record in state.policies}
    if resource.kind == "vpc":
        return not state.subnets
    if resource.kind == "endpoint-variant" and ("DescribeEndpoint", owner) not in door.denials:
        (endpoint,) = [record for record in state.endpoints if record["EndpointName"] == owner]
        variants = [*endpoint.get("ProductionVariants", ()), *endpoint.get("ShadowProductionVariants", ())]
        names = {variant["VariantName"] for variant in variants}
        return endpoint["EndpointStatus"] == "InService" and resource.part not in names
    return any(name == owner for _, name in door.denials)


@pytest.mark.thorough
@given(SEEDS, st.sampled_from(TRANSITIONS))
# An endpoint without variants or a config, and a component on it that alone says which model it will run.
@example(318141, "Creating")
@examples(150)
def test_e1_nothing_resolves_by_endpoints_and_components_in_the_middle_of_a_change(seed: int, status: str) -> None:
    state = account(seed)
    known = open_in(state)
    of_component = status if status in ("Creating", "Failed", "Deleting") else "Updating"

    def moving(record: dict[str, Any]) -> dict[str, Any]:
        if "EndpointStatus" in record:
            return {**record, "EndpointStatus": status}
        return {**record, "InferenceComponentStatus": of_component} if "InferenceComponentStatus" in record else record

    _, resolutions, _ = audited(FaultyDoor(state.mapped(moving)), known)
    # A transition that lasted too long is over once it ends, in whatever state.
    assert [entry for entry in resolved(known, resolutions) if entry[0] != "endpoint-stuck-in-transition"] == []


@pytest.mark.thorough
@given(SEEDS, SEEDS)
@examples(100)
def test_e13_nothing_resolves_by_an_index_that_lags(seed: int, lag: int) -> None:
    state = account(seed)
    known = open_in(state)
    door = FaultyDoor(state, hidden=lambda record: Random(f"{lag} {sorted(map(str, record.values()))}").random() < 0.5)
    _, resolutions, _ = audited(door, known)
    # Which training jobs stood in a VPC, Search alone tells: no list does.
    assert [entry for entry in resolved(known, resolutions) if entry[0] != "vpc-single-az"] == []


@pytest.mark.thorough
@pytest.mark.parametrize("status", TRANSITIONS)
def test_e1_a_degraded_endpoint_stays_degraded_while_it_is_updating(status: str) -> None:
    broken = an_endpoint("UpdateRollbackFailed")
    known = open_in(State(endpoints=[broken]))
    assert [entry.finding.rule for entry in known.values()] == ["endpoint-degraded"]
    _, resolutions, _ = audited(FaultyDoor(State(endpoints=[an_endpoint(status)])), known)
    assert resolved(known, resolutions) == []
    _, resolutions, _ = audited(FaultyDoor(State(endpoints=[an_endpoint("InService")])), known)
    assert resolved(known, resolutions) == [("endpoint-degraded", "churn")]


def an_endpoint(status: str) -> dict[str, Any]:
    """An endpoint that has the instances it wants."""
    return {
        "EndpointName": "churn",
        "EndpointArn": f"arn:aws:sagemaker:eu-west-1:{ACCOUNT}:endpoint/churn",
        "EndpointStatus": status,
        "CreationTime": NOW,
        "LastModifiedTime": NOW,
        "ProductionVariants": [{"VariantName": "A", "CurrentInstanceCount": 2, "DesiredInstanceCount": 2}],
    }
