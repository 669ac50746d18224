"""Instances that may come to subnets: worked out once for each variant, however many models and configs ask."""

import pytest

from chalicelib.inventory import crowding
from chalicelib.inventory.crowding import Coming
from chalicelib.inventory.estate import Inventory
from chalicelib.inventory.kinds.endpoints import Variant
from samples.builders import a_model, a_variant, an_endpoint, an_inventory

NUMBER = 40


def test_the_growth_of_a_variant_is_worked_out_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def counted(variant: Variant, estate: Inventory) -> int:
        asked.append(variant.endpoint_name)
        return 3

    monkeypatch.setattr(crowding, "growth_of", counted)
    names = [f"e-{number}" for number in range(NUMBER)]
    endpoints = [an_endpoint(a_variant(count=2, model=f"{name}-model"), name=name) for name in names]
    models = [a_model("own:1", name=f"{name}-model", subnets=("subnet-a",), used_by=(name,)) for name in names]
    estate = an_inventory(*endpoints, *models)
    for _ in models:
        coming = estate.crowding.coming(estate, ["subnet-a", "subnet-b"], for_update=True)
        assert coming == Coming(growth=3 * NUMBER, update=2 * NUMBER, most=3 * NUMBER)
    assert sorted(asked) == sorted(names)
    assert estate.crowding.coming(estate, ["subnet-b"], for_update=True) == Coming()
