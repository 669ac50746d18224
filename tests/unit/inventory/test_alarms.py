"""Which alarms are read: by name where few are wanted, all of them once where a rule wants all."""

from typing import Any

import pytest

from chalicelib.inventory.alarms import read_alarms
from chalicelib.inventory.estate import Inventory
from chalicelib.inventory.parts import Part
from chalicelib.inventory.reader import Needs, Reader
from chalicelib.inventory.watching import named_in
from chalicelib.scope import ResourceRef, Scope
from samples.builders import NOW, a_policy, an_endpoint, an_inventory
from tests.accounts.door import State, StateDoor
from tests.accounts.shapes import ACCOUNT

EVERY = frozenset({Part.ALARMS, Part.ALL_ALARMS, Part.ROLLBACK_ALARMS})
DEPLOYED = {"AutoRollbackConfiguration": {"Alarms": [{"AlarmName": "errors"}, {"AlarmName": "gone"}]}}


class Pages(StateDoor):
    """A door that lists alarms one a page."""

    def _DescribeAlarms(self, parameters: Any) -> dict[str, Any]:
        if "AlarmNames" in parameters:
            return super()._DescribeAlarms(parameters)
        place = int(parameters.get("NextToken", "0"))
        more = {"NextToken": str(place + 1)} if place + 1 < len(self.state.alarms) else {}
        alarm = self.state.alarms[place]
        listed = "CompositeAlarms" if "AlarmRule" in alarm else "MetricAlarms"
        return {"MetricAlarms": [], listed: [alarm], **more}


def read(parts: frozenset[Part], *, denied: bool = False, whole: bool = True) -> tuple[Inventory, Reader, StateDoor]:
    names = ("by-load-high", "by-load-low", "errors", "other")
    alarms = [{"AlarmName": name, "ActionsEnabled": True} for name in names]
    alarms.append({"AlarmName": "either", "AlarmRule": "ALARM(errors)"})
    door = Pages(State(alarms=alarms), "eu-west-1", denied={"cloudwatch:DescribeAlarms"} if denied else ())
    refs = () if whole else (ResourceRef("endpoint", "churn"),)
    reader = Reader(door, Scope(ACCOUNT, "eu-west-1", resources=refs), Needs(parts), NOW)
    estate = an_inventory(an_endpoint(LastDeploymentConfig=DEPLOYED), a_policy())
    estate.alarms, estate.all_alarms, estate.rollback_alarms = {}, None, {}
    try:
        read_alarms(reader, estate)
    finally:
        reader.close()
    return estate, reader, door


def test_all_of_them_are_listed_once_and_the_others_taken_out_of_these() -> None:
    estate, reader, door = read(EVERY)
    assert set(estate.all_alarms or ()) == {"by-load-high", "by-load-low", "errors", "other", "either"}
    assert set(estate.alarms) == {"by-load-high", "by-load-low"}
    assert set(estate.rollback_alarms) == {"errors"}
    assert (door.calls["cloudwatch:DescribeAlarms"], list(reader.gaps)) == (5, [])


def test_without_a_rule_that_wants_all_they_are_asked_for_by_name() -> None:
    estate, _, door = read(EVERY - {Part.ALL_ALARMS})
    assert estate.all_alarms is None
    assert (set(estate.alarms), set(estate.rollback_alarms)) == ({"by-load-high", "by-load-low"}, {"errors"})
    assert door.calls["cloudwatch:DescribeAlarms"] == 2


def test_the_audit_of_a_named_resource_lists_none() -> None:
    estate, _, door = read(EVERY, whole=False)
    assert (estate.all_alarms, door.calls["cloudwatch:DescribeAlarms"]) == (None, 2)


def test_what_is_denied_leaves_each_part_unread() -> None:
    estate, reader, _ = read(EVERY, denied=True)
    assert estate.all_alarms is None
    assert {part for part in EVERY if reader.gaps.of(part) is not None} == EVERY


@pytest.mark.parametrize(
    ("rule", "names"),
    [
        ("ALARM(errors)", ["errors"]),
        ('ALARM("errors of churn") OR OK ( latency )', ["errors of churn", "latency"]),
        ("NOT INSUFFICIENT_DATA('x') AND ALARM(arn:aws:cloudwatch:eu-west-1:123456789012:alarm:y)", ["x", "y"]),
        ("TRUE", []),
    ],
)
def test_a_composite_alarm_names_others_by_name_or_arn(rule: str, names: list[str]) -> None:
    assert named_in(rule) == names
