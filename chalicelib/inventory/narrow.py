"""What named resources rest on: what scales them, and their network. Never a list of the account."""

from collections.abc import Iterable, Mapping, Sequence

from chalicelib.inventory import shares, supply, uses
from chalicelib.inventory.estate import Inventory
from chalicelib.inventory.kinds import network, scaling
from chalicelib.inventory.kinds.plain import Cluster
from chalicelib.inventory.kinds.training import TrainingJob
from chalicelib.inventory.parts import Part
from chalicelib.inventory.reader import Reader


def read_scaling(reader: Reader, estate: Inventory, jobs: Iterable[TrainingJob]) -> None:
    """The targets of the variants and components, and what scales each."""
    needs = reader.needs
    scaled = [variant.resource_id for variant in uses.variants(estate) if uses.may_scale(variant)]
    scaled += [component.resource_id for component in estate.components.values()]
    if not scaled or Part.TARGETS not in needs:
        return
    estate.targets = reader.whole(Part.TARGETS, lambda: scaling.targets(reader, scaled)) or []
    ids = list(dict.fromkeys(target.resource_id for target in estate.targets))
    ids = shares.scaling(reader, ids, network_calls(estate, jobs))
    if not ids:
        return
    if Part.POLICIES in needs:
        estate.policies = reader.whole(Part.POLICIES, lambda: scaling.policies(reader, ids)) or []
    if Part.SCHEDULES in needs:
        estate.schedules = reader.whole(Part.SCHEDULES, lambda: scaling.schedules(reader, ids)) or []
    if Part.ACTIVITIES in needs:
        estate.activities = reader.whole(Part.ACTIVITIES, lambda: scaling.activities(reader, ids)) or []


def network_calls(estate: Inventory, jobs: Iterable[TrainingJob]) -> int:
    """What reading the subnets may take."""
    return shares.FOR_NETWORK + shares.FOR_ZONES if _subnets(estate, jobs) else 0


def read_network(
    reader: Reader, estate: Inventory, jobs: Iterable[TrainingJob], named: Mapping[str, Sequence[str]]
) -> None:
    """The subnets under models, configs, training jobs and clusters, and those that the scope names by themselves or by
    VPC; and where EC2 offers what stands there."""
    ids = _subnets(estate, jobs) | set(named.get("subnet", ()))
    if Part.SUBNETS not in reader.needs:
        return
    if ids:
        named_ones = reader.whole(Part.SUBNETS, lambda: network.named_subnets(reader, ids)) or {}
        estate.subnets = {**estate.subnets, **named_ones}
    if vpcs := named.get("vpc"):
        theirs = reader.whole(Part.SUBNETS, lambda: network.subnets_in(reader, vpcs)) or {}
        estate.subnets = {**estate.subnets, **theirs}
    supply.read_offerings(reader, estate)
    supply.read_placements(reader, estate)


def _subnets(estate: Inventory, jobs: Iterable[TrainingJob]) -> set[str]:
    """The ids of the subnets on which what was read stands."""
    stands = [model.vpc_config for model in estate.models.values()]
    stands += [config.vpc_config for config in estate.configs.values()]
    stands += [job.vpc_config for job in jobs]
    ids = {subnet for config in stands if config for subnet in config.subnets}
    return ids | {subnet for cluster in estate.plain(Cluster).values() for subnet in cluster.subnets}
