"""What AWS would give when more is asked for, and where what runs stands."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from typing import Any, Protocol

from msgspec.structs import replace

from chalicelib.inventory import uses
from chalicelib.inventory.estate import Inventory
from chalicelib.inventory.facts import Fact
from chalicelib.inventory.kinds import offerings, placements, quotas
from chalicelib.inventory.kinds.endpoints import Variant
from chalicelib.inventory.kinds.plans import TrainingPlan
from chalicelib.inventory.kinds.quotas import ServiceQuota
from chalicelib.inventory.parts import Part
from chalicelib.inventory.reader import Reader


class Start(Protocol):
    """Begins the reading of a part beside all others; what comes is None where it is not needed or a call fails."""

    def __call__(self, part: Part, read: Callable[[], Any], /) -> "Future[Any]": ...


def begin(reader: Reader, start: Start) -> Callable[[Inventory], None]:
    """Begins to read what the sweep of an account reads of it; what comes back puts that, and what rests on endpoints,
    into an inventory in which endpoints and models stand already."""
    quotas_read = start(Part.QUOTAS, lambda: quotas.endpoint_quotas(reader))

    def finish(estate: Inventory) -> None:
        listed: dict[str, Fact] | None = quotas_read.result()
        if listed is not None:
            types = {type for variant in uses.variants(estate) for type in uses.types_of(variant)}
            estate.others = {**estate.others, ServiceQuota.kind: quotas.with_unlisted(listed, types)}
        read_offerings(reader, estate)
        read_placements(reader, estate)

    return finish


def read_offerings(reader: Reader, estate: Inventory) -> None:
    """Where EC2 offers the instance types of variants that stand in subnets of the account."""
    types = {type for variant in uses.variants(estate) for type in _types_in_subnets(variant, estate)}
    if types and Part.OFFERINGS in reader.needs:
        offered = reader.whole(Part.OFFERINGS, lambda: offerings.offerings(reader, types)) or {}
        estate.supplied = replace(estate.supplied, offerings=offered)


def read_placements(reader: Reader, estate: Inventory) -> None:
    """Where the instances of endpoints run whose detailed observability is on, and that have two or more."""
    asked = [
        endpoint
        for endpoint in estate.endpoints.values()
        if any(variant.observed and (variant.desired_instance_count or 0) > 1 for variant in endpoint.variants)
    ]
    if asked and Part.PLACEMENTS in reader.needs:
        placed = reader.whole(Part.PLACEMENTS, lambda: placements.observed(asked, reader)) or {}
        estate.supplied = replace(estate.supplied, placements=placed)


def _types_in_subnets(variant: Variant, estate: Inventory) -> tuple[str, ...]:
    config = estate.configs.get(variant.config_name or "")
    models = (estate.models.get(name) for name in uses.models_of(variant))
    stands = (config is not None and config.vpc_config) or any(model and model.vpc_config for model in models)
    return uses.types_of(variant) if stands else ()


def with_running_jobs(
    others: Mapping[str, Mapping[str, Fact]], jobs: Mapping[str, Sequence[str]]
) -> Mapping[str, Mapping[str, Fact]]:
    """The plain kinds, training plans with the training jobs in progress (by the plan's ARN) that run on them."""
    plans = others.get(TrainingPlan.kind, {})
    running = {
        name: plan.model_copy(update={"running_jobs": tuple(jobs.get(plan.arn, ()))})
        for name, plan in plans.items()
        if isinstance(plan, TrainingPlan)
    }
    return {**others, TrainingPlan.kind: running} if plans else others
