"""What cannot be read never makes a defect look mended: over generated accounts, any one resource hidden."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.audit.auditor import Auditor
from chalicelib.inventory.answers import CallFailed
from chalicelib.report.outcomes import Verdict
from tests.accounts.door import DESCRIBED, Record, State, StateDoor
from tests.accounts.shapes import NOW, account
from tests.examples import examples
from tests.unit.test_generated_accounts import POLICY, SCOPE, SEEDS, Outcomes

pytestmark = pytest.mark.thorough

#: A verdict by what it is about: the rule, the kind and name of the resource.
Verdicts = dict[tuple[str, str, str], Verdict]


class Hiding(StateDoor):
    """A door that refuses to describe one resource, without ``Search`` to tell of it."""

    def __init__(self, state: State, hidden: tuple[str, str] = ("", "")) -> None:
        super().__init__(state, SCOPE.region, denied=("sagemaker:Search",))
        self.hidden = hidden

    def call(self, service: str, operation: str, **parameters: Any) -> Record:
        if operation in DESCRIBED:
            list_name, name_field = DESCRIBED[operation]
            if (list_name, parameters[name_field]) == self.hidden:
                raise CallFailed(f"{service}:{operation}", "AccessDeniedException", "not authorized")
        return super().call(service, operation, **parameters)


def verdicts(door: StateDoor) -> Verdicts:
    """What every rule says of every resource."""
    outcomes = Outcomes()
    Auditor(door, POLICY, clock=lambda: NOW).audit(SCOPE, "cli", outcomes)
    return {
        (rule.id, subject.kind, str(getattr(subject, "name", ""))): outcome.verdict
        for rule, subject, outcome in outcomes.all
    }


def mended(before: Verdicts, after: Verdicts) -> dict[tuple[str, str, str], Verdict]:
    """What failed, and does not where less is seen."""
    better = {Verdict.PASS, Verdict.NOT_APPLICABLE}
    failing = [key for key, verdict in before.items() if verdict is Verdict.FAIL]
    return {key: after[key] for key in failing if after.get(key) in better}


NAMED = {list_name: name_field for list_name, name_field in DESCRIBED.values()}


@given(SEEDS, st.integers(0, 10**6))
@examples(60)
def test_a_resource_whose_description_fails_turns_no_finding_into_a_pass(seed: int, choice: int) -> None:
    state = account(seed)
    resources = [(key, record[NAMED[key]]) for key, records in state.lists() if key in NAMED for record in records]
    if resources:
        hidden = resources[choice % len(resources)]
        assert mended(verdicts(Hiding(state)), verdicts(Hiding(state, hidden))) == {}


@given(SEEDS, st.integers(0, 10**6))
@examples(60)
def test_a_record_that_is_odd_turns_no_finding_into_a_pass(seed: int, choice: int) -> None:
    state = account(seed)
    records = [(key, place) for key, listed in state.lists() for place in range(len(listed))]
    if not records:
        return
    before = verdicts(StateDoor(state, SCOPE.region))
    key, place = records[choice % len(records)]
    # It keeps its name, so that it is found: everything else in it is no longer what it should be. AWS knows no two
    # targets of one resource, so that both are odd.
    name_field, resource = NAMED.get(key), getattr(state, key)[place].get("ResourceId")
    for number, record in enumerate(getattr(state, key)):
        if number == place or (resource is not None and record.get("ResourceId") == resource):
            odd = {field: value if field == name_field else [None] for field, value in record.items()}
            getattr(state, key)[number] = odd
    assert mended(before, verdicts(StateDoor(state, SCOPE.region))) == {}
