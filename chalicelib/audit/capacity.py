"""Where each endpoint stands: its Availability Zones, and its instances against what it may scale to."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Literal

from chalicelib.inventory.estate import Inventory
from chalicelib.inventory.facts import Unread, VpcConfig, plain
from chalicelib.inventory.kinds.endpoints import Endpoint, Variant
from chalicelib.report.charts import RehearsalChart
from chalicelib.report.findings import ComesBack, EndpointCapacity, VariantCapacity
from chalicelib.rules.instance_fit import calls_of, total

#: Days of traffic by which an endpoint weighs.
TRAFFIC_DAYS = 7

Mode = Literal["instances", "asynchronous", "components", "serverless", "shadow"]


def zones(estate: Inventory) -> dict[str, list[str]]:
    """The Availability Zones, by id, in which the region has subnets; empty where subnets were not read."""
    zones = {_known(partial(getattr, subnet, "zone"), None) for subnet in estate.subnets.values()} - {None}
    return {estate.region: sorted(zones)} if zones else {}


def endpoints(
    estate: Inventory, comes_back: Mapping[str, ComesBack], charts: Mapping[str, RehearsalChart]
) -> list[EndpointCapacity]:
    """Every endpoint with its variants, their charts by resource id, and the answers about it, by name."""
    failed = _failed_components(estate)
    return [
        EndpointCapacity(
            account=estate.account,
            region=estate.region,
            name=endpoint.name,
            arn=endpoint.arn,
            status=endpoint.shown("status"),
            variants=[
                _variant(variant, endpoint, estate, charts.get(variant.resource_id)) for variant in endpoint.variants
            ],
            comes_back=comes_back.get(endpoint.name),
            failed_components=sorted(failed.get(endpoint.name, ())),
        )
        for endpoint in sorted(estate.endpoints.values(), key=lambda endpoint: endpoint.name)
    ]


def _variant(variant: Variant, endpoint: Endpoint, estate: Inventory, chart: RehearsalChart | None) -> VariantCapacity:
    target = _known(lambda: estate.target_of(variant), None)
    managed = _known(lambda: variant.managed_scaling, None)
    bounds = (target.min_capacity, target.max_capacity) if target is not None else (None, None)
    if target is None and managed is not None:
        bounds = (managed.min_instance_count, managed.max_instance_count)
    network, stands = _network(variant, endpoint, estate)
    types: tuple[str, ...] = _known(lambda: variant.settings.instance_types, ())
    return VariantCapacity(
        name=variant.name,
        mode=_mode(variant),
        instance_types=list(types),
        current=variant.current_instance_count,
        desired=variant.desired_instance_count,
        minimum=bounds[0],
        maximum=bounds[1],
        network=network,
        zones=stands,
        proven=_proven(variant, estate),
        weight=variant.weight,
        copies=_known(partial(_copies, variant, estate), None),
        requests_per_day=_known(partial(_requests_per_day, variant, estate), None),
        rehearsal=chart,
    )


def _failed_components(estate: Inventory) -> dict[str, list[str]]:
    """The inference components that have failed, by endpoint, as far as they were read."""
    failed: dict[str, list[str]] = {}
    for component in estate.components.values():
        if plain(component.known("status") or "") == "failed":
            failed.setdefault(component.endpoint_name, []).append(component.name)
    return failed


def _copies(variant: Variant, estate: Inventory) -> int | None:
    """The fewest copies that an inference component on a variant wants; those scaled to zero and adapters, which ride
    on the copies of others, do not count."""
    if not variant.hosts_components:
        return None
    components = [component for component in estate.components_of(variant) if not component.base_component]
    if any(component.desired_copy_count is None for component in components):
        return None
    return min((copies for component in components if (copies := component.desired_copy_count)), default=0)


def _requests_per_day(variant: Variant, estate: Inventory) -> float | None:
    """How often a variant was called on a day of the seven before today; None where CloudWatch has no datapoint."""
    today = estate.now.replace(hour=0, minute=0, second=0, microsecond=0)
    points = [point for point in calls_of(variant, estate, TRAFFIC_DAYS) if point.start < today]
    return round(total(points) / TRAFFIC_DAYS, 1) if points else None


def _proven(variant: Variant, estate: Inventory) -> dict[str, int] | None:
    """How many instances were seen in each Availability Zone; None where nothing told."""
    placement = estate.supplied.placements.get(variant.resource_id)
    return {zone: len(hosts) for zone, hosts in placement.hosts.items()} if placement is not None else None


def _mode(variant: Variant) -> Mode:
    if variant.shadow:
        return "shadow"
    if _known(lambda: variant.serverless, False):
        return "serverless"
    if _known(lambda: variant.is_async, False):
        return "asynchronous"
    return "components" if _known(lambda: variant.hosts_components, False) else "instances"


def _network(
    variant: Variant, endpoint: Endpoint, estate: Inventory
) -> tuple[Literal["managed", "vpc", "unknown"], list[str] | None]:
    """The zones of the subnets that the variant's model or its endpoint config names."""
    try:
        vpc = _vpc_config(variant, endpoint, estate)
        if vpc is None:
            return "managed", None
        return "vpc", list(estate.zones_of(vpc.subnets))
    except Unread:
        return "unknown", None


def _vpc_config(variant: Variant, endpoint: Endpoint, estate: Inventory) -> VpcConfig | None:
    config = estate.config(endpoint.config_name).vpc_config
    name = variant.settings.model_name
    return config or (estate.model(name).vpc_config if name is not None else None)


def _known(ask: Callable[[], Any], otherwise: Any) -> Any:
    """The answer, or ``otherwise`` where it was not read."""
    try:
        return ask()
    except Unread:
        return otherwise
