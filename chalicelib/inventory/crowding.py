"""How many instances may come to subnets beside those that run there.

Variants are grouped by their subnets, and each group is summed up once: in an account whose models all stand on the
same subnets, each of them asks for the same.
"""

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, Self, TypeVar

from chalicelib.inventory.kinds.endpoints import Variant

if TYPE_CHECKING:
    from chalicelib.inventory.estate import Inventory


Thing = TypeVar("Thing")
Key = TypeVar("Key", bound=Hashable)


class Coming(NamedTuple):
    """Instances that ``growth`` to the maximum may add, those that an ``update`` may start beside the present ones, and
    the sum of the larger of both for each variant (``most``)."""

    growth: int = 0
    update: int = 0
    most: int = 0

    def __add__(self, other: "Coming") -> "Coming":  # type: ignore[override]  # instances are added, not joined
        return Coming(self.growth + other.growth, self.update + other.update, self.most + other.most)


@dataclass
class Crowding:
    """The variants in service by the subnets of their instances; those without subnets of their own are left out."""

    variants: dict[frozenset[str], list[Variant]] = field(default_factory=dict)
    _sums: dict[tuple[frozenset[str], bool], Coming] = field(default_factory=dict)

    @classmethod
    def of(cls, estate: "Inventory") -> Self:
        """Raises Unread where nobody knows whether a variant serves, or on what it runs."""
        crowding = cls()
        for variant in estate.variants.values():
            if variant.settled and (subnets := subnets_under(variant, estate)):
                crowding.variants.setdefault(subnets, []).append(variant)
        return crowding

    def coming(self, estate: "Inventory", subnets: Iterable[str], *, for_update: bool) -> Coming:
        """What may come to variants whose instances can get their addresses from these subnets alone. Raises Unread
        where a count or limit of one is unread."""
        room, total = frozenset(subnets), Coming()
        for own in self.variants:
            if own <= room:
                total += self._sum(estate, own, for_update)
        return total

    def _sum(self, estate: "Inventory", subnets: frozenset[str], for_update: bool) -> Coming:
        key = (subnets, for_update)
        if key not in self._sums:
            total = Coming()
            for variant in self.variants[subnets]:
                growth = growth_of(variant, estate)
                update = variant.instances_of_update if for_update else 0
                total += Coming(growth, update, max(growth, update))
            self._sums[key] = total
        return self._sums[key]


def subnets_under(variant: Variant, estate: "Inventory") -> frozenset[str]:
    """The subnets of a variant's instances, the config's or its model's; none for serverless ones and outside a VPC."""
    if variant.serverless:
        return frozenset()
    config = estate.configs.get(variant.config_name or "")
    if config is not None and config.vpc_config is not None:
        return frozenset(config.vpc_config.subnets)
    configured = variant.known("configured")
    model = estate.models.get((configured and configured.model_name) or "")
    return frozenset(model.vpc_config.subnets) if model is not None and model.vpc_config is not None else frozenset()


def growth_of(variant: Variant, estate: "Inventory") -> int:
    """How many instances growth to the maximum adds, now or once a scheduled action has raised it."""
    count, managed = variant.instance_count, variant.managed_scaling
    if managed is not None:
        return max(0, (managed.max_instance_count or count) - count)
    target = estate.target_of(variant)
    if target is None:
        return 0
    return max(0, max(pair.maximum for pair in estate.bounds_of(target)) - count)


def grouped(things: Iterable[Thing], key: Callable[[Thing], Key]) -> dict[Key, list[Thing]]:
    """The things by their key, in their order."""
    groups: dict[Key, list[Thing]] = {}
    for thing in things:
        groups.setdefault(key(thing), []).append(thing)
    return groups
