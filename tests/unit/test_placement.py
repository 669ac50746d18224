"""Where endpoints stand, as the report tells it."""

from typing import Any

import pytest

from chalicelib.audit import capacity
from chalicelib.inventory.estate import Inventory
from chalicelib.inventory.parts import Part
from chalicelib.report.findings import VariantCapacity
from samples.builders import (
    LOCAL_SUBNET,
    SUBNET_A,
    SUBNET_A2,
    SUBNET_B,
    a_component,
    a_config,
    a_host_of_components,
    a_model,
    a_series,
    a_serverless_variant,
    a_target,
    a_variant,
    an_endpoint,
    an_inventory,
    managed_scaling,
    without,
)


def capacity_of(*facts: Any) -> VariantCapacity:
    (endpoint,) = capacity.endpoints(_with_config(*facts), {}, {})
    (variant,) = endpoint.variants
    return variant


def _with_config(*facts: Any) -> Inventory:
    return an_inventory(*facts, a_config(name="churn-config"))


@pytest.mark.parametrize(
    ("variant", "mode"),
    [
        (a_variant(), "instances"),
        (a_variant(asynchronous=True), "asynchronous"),
        (a_variant(shadow=True), "shadow"),
        (a_serverless_variant(), "serverless"),
        (a_host_of_components(), "components"),
    ],
)
def test_the_mode_says_what_the_counts_mean(variant: Any, mode: str) -> None:
    assert capacity_of(an_endpoint(variant), a_model()).mode == mode


def test_bounds_are_those_of_automatic_scaling() -> None:
    variant = a_variant(count=3)
    alone, scaled = (
        capacity_of(an_endpoint(variant), a_model()),
        capacity_of(an_endpoint(variant), a_model(), a_target(variant)),
    )
    assert (alone.minimum, alone.maximum) == (None, None)
    assert (scaled.desired, scaled.minimum, scaled.maximum) == (3, 2, 4)
    managed = capacity_of(an_endpoint(a_host_of_components(settings=managed_scaling(1, 9))))
    assert (managed.minimum, managed.maximum) == (1, 9)


@pytest.mark.parametrize(
    ("subnets", "network", "zones"),
    [
        ((), "managed", None),
        (("subnet-a", "subnet-a2"), "vpc", ["euw1-az1"]),
        (("subnet-a", "subnet-b"), "vpc", ["euw1-az1", "euw1-az2"]),
        (("subnet-a", "subnet-gone"), "vpc", ["euw1-az1"]),
        (("subnet-l",), "vpc", []),
    ],
)
def test_zones_are_those_of_the_models_subnets(subnets: tuple[str, ...], network: str, zones: list[str] | None) -> None:
    room = capacity_of(an_endpoint(), a_model(subnets=subnets), SUBNET_A, SUBNET_A2, SUBNET_B, LOCAL_SUBNET)
    assert (room.network, room.zones) == (network, zones)


@pytest.mark.parametrize("part", [Part.MODELS, Part.SUBNETS, Part.CONFIGS])
def test_what_was_not_read_is_unknown_and_never_managed(part: Part) -> None:
    estate = without(_with_config(an_endpoint(), a_model(subnets=("subnet-a",)), SUBNET_A), part)
    (endpoint,) = capacity.endpoints(estate, {}, {})
    assert endpoint.variants[0].network == "unknown"
    assert endpoint.variants[0].zones is None


def test_the_zones_of_the_region_are_those_of_its_subnets() -> None:
    assert capacity.zones(an_inventory(SUBNET_A, SUBNET_B, LOCAL_SUBNET)) == {"eu-west-1": ["euw1-az1", "euw1-az2"]}
    assert capacity.zones(an_inventory()) == {}


def test_a_variant_has_its_weight_and_the_traffic_of_a_week() -> None:
    variant = a_variant()
    calls = a_series("Invocations", {0: 50.0, **dict.fromkeys(range(1, 8), 700.0), 8: 9_000.0})
    capacity = capacity_of(an_endpoint(variant), a_model(), calls)
    assert (capacity.weight, capacity.requests_per_day) == (variant.weight, 700.0)  # the seven days before today
    assert capacity_of(an_endpoint(variant), a_model()).requests_per_day is None


@pytest.mark.parametrize(
    ("components", "copies"),
    [
        ([], 0),
        ([a_component(copies=3), a_component("other", copies=2)], 2),
        ([a_component(copies=3), a_component("adapter", copies=None, base="churn-component")], 3),
        ([a_component(copies=0)], 0),
        ([a_component(copies=3), a_component("other", copies=None)], None),
    ],
)
def test_a_host_has_the_fewest_copies_of_its_components(components: list[Any], copies: int | None) -> None:
    assert capacity_of(an_endpoint(a_host_of_components()), a_model(), *components).copies == copies


def test_unread_components_leave_the_copies_unknown() -> None:
    estate = an_inventory(an_endpoint(a_host_of_components()), a_config(name="churn-config"), unread=[Part.COMPONENTS])
    (endpoint,) = capacity.endpoints(estate, {}, {})
    assert endpoint.variants[0].copies is None


def test_failed_components_are_named_by_their_endpoint() -> None:
    failed, well = a_component("b", status="Failed"), a_component("a")
    (endpoint,) = capacity.endpoints(_with_config(an_endpoint(a_host_of_components()), failed, well), {}, {})
    assert endpoint.failed_components == ["b"]
