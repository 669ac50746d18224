"""Answers that hold for the moment only: they resolve nothing, the next event or sweep tells."""

from typing import Any

import pytest

from chalicelib.inventory import uses
from chalicelib.inventory.facts import Fact
from chalicelib.report.outcomes import Outcome
from chalicelib.rules import RULES
from chalicelib.rules.guards import component_in_service, scaled, serving, variant_with_instances
from samples.builders import a_component, a_model, a_target, a_variant, ago, an_inventory

MOVING = ["Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting", "Failed", "OutOfService"]


def passing(outcome: Outcome | None) -> bool:
    return outcome is not None and outcome.verdict == "not_applicable" and not outcome.lasting


@pytest.mark.parametrize("status", MOVING)
def test_an_endpoint_that_does_not_serve(status: str) -> None:
    variant = a_variant(status=status)
    assert passing(serving(status))
    assert passing(variant_with_instances(variant, an_inventory(variant)))


@pytest.mark.parametrize("status", ["Creating", "Updating", "Failed", "Deleting"])
def test_a_component_that_does_not_serve(status: str) -> None:
    variant, component = a_variant(), a_component(status=status)
    assert passing(component_in_service(component, an_inventory(variant, component)))


@pytest.mark.parametrize("status", MOVING)
def test_a_component_and_a_target_on_an_endpoint_that_does_not_serve(status: str) -> None:
    variant, component = a_variant(status=status), a_component()
    of_component, of_variant = a_target(component), a_target(variant)
    estate = an_inventory(variant, component, of_component, of_variant)
    assert passing(component_in_service(component, estate))
    assert passing(scaled(of_component, estate))
    assert passing(scaled(of_variant, estate))


@pytest.mark.parametrize("status", MOVING)
def test_a_target_of_a_variant_that_an_endpoint_in_the_middle_of_a_change_does_not_name(status: str) -> None:
    target = a_target("endpoint/churn/variant/Other")
    assert passing(scaled(target, an_inventory(a_variant(status=status), target)))


@pytest.mark.parametrize("status", MOVING)
def test_components_of_an_endpoint_that_does_not_serve_use_no_model_and_leave_its_use_open(status: str) -> None:
    variant, component = a_variant(status=status), a_component(model="tree")
    model = a_model("own:1", name="tree", subnets=["subnet-a"], used_by=None)
    estate = uses.with_use(an_inventory(variant, component, model), seen=True)
    assert estate.models["tree"].used_by == ()
    assert estate.waiting.may_run("tree")
    rule = RULES["model-vpc-single-az"]
    assert passing(rule.judge(estate.models["tree"], estate, rule.params()))


GRACES: list[tuple[str, Fact, tuple[Any, ...]]] = [
    ("variant-no-autoscaling", a_variant(created=ago(minutes=5)), ()),
    ("endpoint-idle", a_variant(created=ago(hours=1)), ()),
    ("autoscaling-orphaned-target", a_target("endpoint/gone/variant/A", created=ago(minutes=5)), ()),
    ("autoscaling-suspended", a_target(a_variant(), suspended=["dynamic_in"], created=ago(minutes=5)), (a_variant(),)),
    (
        "inference-component-degraded",
        a_component(status="Updating", created=ago(minutes=5), modified=ago(minutes=5)),
        (a_variant(),),
    ),
]


@pytest.mark.parametrize(("rule", "subject", "beside"), GRACES, ids=[grace[0] for grace in GRACES])
def test_a_grace(rule: str, subject: Fact, beside: tuple[Any, ...]) -> None:
    outcome = RULES[rule].judge(subject, an_inventory(*beside, subject), RULES[rule].params())
    assert outcome.verdict in ("pass", "not_applicable")
    assert not outcome.lasting
