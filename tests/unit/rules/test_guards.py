"""What holds for many rules: whom they do not concern and why, when a deployment began, and what counts as scaling."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from chalicelib.inventory.facts import Unread
from chalicelib.inventory.failures import Failure
from chalicelib.inventory.kinds.components import InferenceComponent
from chalicelib.inventory.kinds.endpoints import Variant
from chalicelib.inventory.kinds.scaling import PROVISIONED_DIMENSION
from chalicelib.inventory.parts import Part
from chalicelib.report.outcomes import Outcome
from chalicelib.rules.guards import (
    component_in_service,
    deployed,
    held_by_schedule,
    own_job,
    own_training_job,
    scaled,
    scales,
    serving,
    variant_in_service,
    variant_with_instances,
)
from samples.builders import (
    a_component,
    a_host_of_components,
    a_schedule,
    a_serverless_variant,
    a_target,
    a_training_job,
    a_transform_job,
    a_variant,
    ago,
    an_inventory,
    managed_scaling,
)

AGE = timedelta(days=7)
ADAPTER = a_component("adapter", base="churn-component")
ORPHAN = a_target("endpoint/churn/variant/Other")
PROVISIONED: dict[str, Any] = {"ScalableDimension": PROVISIONED_DIMENSION}

#: A guard, its subject, what is beside it, and the reason for which the rule does not concern it; "": it does.
REASONS: list[tuple[Callable[..., Outcome | None], Any, tuple[Any, ...], str]] = [
    (variant_in_service, a_variant(shadow=True), (), "a shadow variant serves no caller"),
    (variant_in_service, a_variant(status="Failed"), (), "the endpoint is Failed; endpoint-degraded tells it"),
    (variant_in_service, a_serverless_variant(), (), ""),
    (variant_with_instances, a_variant(), (), ""),
    (variant_with_instances, a_variant(shadow=True), (), "a shadow variant serves no caller"),
    (variant_with_instances, a_serverless_variant(), (), "a serverless variant has no instances"),
    (component_in_service, ADAPTER, (), "an adapter is served by the copies of its base component"),
    (
        component_in_service,
        a_component(status="Failed"),
        (),
        "the inference component is Failed; inference-component-degraded tells it",
    ),
    (component_in_service, a_component(status="Updating"), (), "the inference component is Updating"),
    (component_in_service, a_component(status=""), (a_variant(),), ""),
    (component_in_service, a_component(), (a_variant(),), ""),
    (component_in_service, a_component(), (), ""),
    (scaled, a_target(a_variant()), (a_variant(),), ""),
    (scaled, a_target(a_variant(shadow=True)), (a_variant(shadow=True),), "a shadow variant serves no caller"),
    (scaled, ORPHAN, (), "what it scales does not exist; autoscaling-orphaned-target tells it"),
    (scaled, ORPHAN, (a_variant(),), "what it scales does not exist; autoscaling-orphaned-target tells it"),
    (scaled, ORPHAN, (a_variant(status="Updating"),), "the endpoint is Updating and does not name it"),
    (scaled, a_target(ADAPTER), (ADAPTER,), "an adapter is served by the copies of its base component"),
    (scaled, a_target(a_component()), (a_component(), a_variant()), ""),
    (
        scaled,
        a_target(a_variant(), **PROVISIONED),
        (a_variant(),),
        "a variant with instances has no provisioned concurrency",
    ),
    (scaled, a_target(a_serverless_variant(), **PROVISIONED), (a_serverless_variant(),), ""),
    (
        scaled,
        a_target(a_variant(shadow=True), **PROVISIONED),
        (a_variant(shadow=True),),
        "a shadow variant serves no caller",
    ),
    (own_training_job, a_training_job(), (), ""),
    (
        own_training_job,
        a_training_job(TuningJobArn="arn:t"),
        (),
        "a child of a tuning job is told with the tuning job",
    ),
    (
        own_training_job,
        a_training_job(AutoMLJobArn="arn:a"),
        (),
        "AutoML and Ground Truth choose how their own jobs run",
    ),
    (own_job, a_transform_job(LabelingJobArn="arn:l"), (), "AutoML and Ground Truth choose how their own jobs run"),
    (own_job, a_transform_job(AutoMLJobArn="arn:a"), (), "AutoML and Ground Truth choose how their own jobs run"),
    (own_job, a_transform_job(), (), ""),
]


@pytest.mark.parametrize(("guard", "subject", "beside", "reason"), REASONS)
def test_a_guard_says_why_a_rule_does_not_concern_something(
    guard: Callable[..., Outcome | None], subject: Any, beside: tuple[Any, ...], reason: str
) -> None:
    outcome = guard(subject, an_inventory(*beside))
    assert (outcome.reason if outcome is not None else "") == reason


def test_an_endpoint_in_a_change_is_left_to_the_rule_of_those_that_are_stuck() -> None:
    outcome = serving("Updating")
    assert outcome is not None
    assert outcome.reason == "the endpoint is Updating; endpoint-stuck-in-transition tells it where that lasts"
    assert serving("InService") is None


def test_a_component_is_not_judged_where_its_endpoint_was_not_read() -> None:
    with pytest.raises(Unread):
        component_in_service(a_component(), an_inventory(unread=[Part.ENDPOINTS]))
    with pytest.raises(Unread):
        component_in_service(a_component(), an_inventory(unread=[(Part.ENDPOINTS, "churn")]))


# ---- when a deployment began


@pytest.mark.parametrize(
    ("variant", "scaled_beside", "began"),
    [
        ({"created": ago(days=90), "modified": ago(days=60)}, False, ago(days=90)),
        ({"created": ago(days=90), "modified": ago(days=7)}, False, ago(days=7)),
        ({"created": ago(days=90), "modified": ago(days=7, seconds=1)}, False, ago(days=90)),
        ({"created": ago(days=90), "modified": ago(days=2)}, True, ago(days=90)),
        ({"created": ago(days=90), "modified": ago(days=60), "config_created": ago(days=61)}, False, ago(days=61)),
        ({"created": ago(days=90), "modified": ago(days=60), "config_created": ago(days=60)}, False, ago(days=60)),
        ({"created": ago(days=90), "modified": ago(days=60), "config_created": ago(days=1)}, False, ago(days=90)),
        ({"created": ago(days=90), "modified": None, "config_created": ago(days=1)}, False, ago(days=1)),
        ({"created": None, "modified": None}, False, None),
        ({"created": None, "modified": ago(days=1)}, False, ago(days=1)),
    ],
)
def test_a_deployment_began_with_the_last_change_that_is_no_step_of_scaling(
    variant: dict[str, Any], scaled_beside: bool, began: datetime | None
) -> None:
    subject, beside = a_variant(**variant), a_variant("Beside", **variant)
    targets = [a_target(beside)] if scaled_beside else []
    assert deployed(subject, an_inventory(subject, beside, *targets), AGE) == began


MANAGED = managed_scaling(1)


@pytest.mark.parametrize(
    ("variant", "targets", "expected"),
    [
        (a_variant(), (), False),
        (a_variant(), (a_target(a_variant()),), True),
        (a_host_of_components(), (), False),
        (a_host_of_components(running=MANAGED), (), True),
        (a_variant(running=MANAGED), (), False),
    ],
)
def test_a_target_scales_a_variant_and_managed_scaling_one_without_a_model(
    variant: Variant, targets: tuple[Any, ...], expected: bool
) -> None:
    assert scales(variant, an_inventory(variant, *targets)) is expected


# ---- held low by a schedule


@pytest.mark.parametrize("subject", [a_variant(), a_component()])
def test_what_a_schedule_holds_low_is_so_for_the_time_being(subject: Variant | InferenceComponent) -> None:
    low = a_target(subject, minimum=1)
    assert held_by_schedule(subject, 1, an_inventory(subject, low, a_schedule(subject, minimum=1))) is True
    assert held_by_schedule(subject, 1, an_inventory(subject, low)) is False


def test_what_denies_the_schedules_leaves_open_whether_one_holds_it_low() -> None:
    variant = a_variant()
    for part in (Part.TARGETS, Part.SCHEDULES):
        estate = an_inventory(variant, a_target(variant, minimum=1), unread=[part])
        assert held_by_schedule(variant, 1, estate) is None


def test_schedules_that_are_left_to_the_next_sweep_are_waited_for() -> None:
    variant = a_variant()
    estate = an_inventory(variant, a_target(variant, minimum=1))
    estate.gaps.note(Failure("", "", "left to the next sweep", part=Part.SCHEDULES, deferred=True))
    with pytest.raises(Unread, match="left to the next sweep"):
        held_by_schedule(variant, 1, estate)
