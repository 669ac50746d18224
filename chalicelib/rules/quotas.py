"""Service quotas: does the account allow what its endpoints may grow to, and the second fleet of an update?"""

from collections.abc import Iterator

from msgspec import Struct

from chalicelib.inventory.estate import Inventory
from chalicelib.inventory.facts import Unread
from chalicelib.inventory.kinds.endpoints import Variant
from chalicelib.inventory.kinds.quotas import ServiceQuota
from chalicelib.inventory.kinds.scaling import ScheduledAction
from chalicelib.inventory.parts import Part
from chalicelib.report.findings import Severity
from chalicelib.report.outcomes import Facts, Outcome, failed, not_applicable, passed
from chalicelib.rules.autoscaling import RESERVED_ONLY, TOPIC
from chalicelib.rules.registry import Params, rule


class Reach(Struct, frozen=True):
    """How many instances a variant runs, may reach, and starts beside them in an update.

    ``bounded`` is False for what may take other types in the place of this, or has instances that are reserved for it:
    whether these count is not known.
    """

    variant: Variant
    runs: int
    most: int
    update: int
    bounded: bool = True

    @property
    def name(self) -> str:
        return f"{self.variant.endpoint_name}/{self.variant.name}"


@rule(
    "autoscaling-max-above-quota",
    topic=TOPIC,
    kinds=["service-quota"],
    severity=Severity.HIGH,
    reads=[Part.ENDPOINTS, Part.CONFIGS, Part.TARGETS, Part.SCHEDULES, Part.QUOTAS],
)
def autoscaling_max_above_quota(quota: ServiceQuota, estate: Inventory, params: Params) -> Outcome:
    """What a variant may reach (the most of its desired count, the maximum of its target, now or as a live scheduled
    action sets it, and that of managed scaling) is more than the applied quota of its instance type under endpoints, or
    of all instances under endpoints. Medium where only several variants together reach beyond it, or where an update of
    an endpoint beside all that runs does (blue/green: a second fleet). Instance pools may take another type, and count
    towards the quota of all instances alone."""
    estate.gaps.demand(Part.QUOTAS, quota.name)
    reaches, doubts = _reaches(quota.instance_type, estate)
    if not reaches and not doubts:
        return not_applicable("no endpoint runs on it")
    value = quota.applied
    counted = [reach for reach in reaches if reach.bounded]
    alone = sorted(reach.name for reach in counted if reach.most > value)
    together, running = sum(reach.most for reach in counted), sum(reach.runs for reach in counted)
    updated, update = _largest_update(counted)
    facts: Facts = {
        "quota": int(value),
        "quota_code": quota.code,
        "instance_type": quota.instance_type,
        "may_reach": together,
        "running": running,
        "largest_update": update,
        "updated_endpoint": updated,
        "beyond_it_alone": alone,
        "variants": {
            reach.name: {"runs": reach.runs, "may_reach": reach.most, "update": reach.update} for reach in counted
        },
        "not_counted": sorted(reach.name for reach in reaches if not reach.bounded),
        "exceeded": together > value,
    }
    if together > value or running + update > value:
        return failed(severity=None if alone else Severity.MEDIUM, **facts)
    if doubts:
        # What is gone is a doubt here, too: nobody knows what it ran on.
        raise Unread(
            f"what else takes instances is not known: {doubts[0]}", doubts[0].operation, None, doubts[0].failure
        )
    if reserved := _beyond_with_reserved(reaches, value):
        raise Unread(f"whether the reserved instances of {reserved} count towards this quota is not known")
    return passed("the quota allows what endpoints may reach", **facts)


def schedules_beyond(quota: ServiceQuota, estate: Inventory) -> Iterator[tuple[Variant, ScheduledAction, int]]:
    """The live scheduled actions that will let variants reach beyond a quota within which all maxima lie today, each
    with its variant and what all variants may reach then. Raises Unread where the quota was not told."""
    counted = [reach for reach in _reaches(quota.instance_type, estate)[0] if reach.bounded]
    today = {reach.name: _most_today(reach, estate) for reach in counted}
    together = sum(today.values())
    if together > quota.applied:
        return
    for reach in counted:
        target = estate.target_of(reach.variant)
        for action in estate.live_schedules_of(target) if target is not None else ():
            then = together - today[reach.name] + max(today[reach.name], action.max_capacity or 0)
            if then > quota.applied:
                yield reach.variant, action, then


def _most_today(reach: Reach, estate: Inventory) -> int:
    """What a variant may reach before any scheduled action."""
    managed, target = reach.variant.managed_scaling, estate.target_of(reach.variant)
    limits = [reach.runs, (managed.max_instance_count or 0) if managed is not None else 0]
    return max(*limits, estate.bounds_of(target)[0].maximum if target is not None else 0)


def _reaches(instance_type: str | None, estate: Inventory) -> tuple[list[Reach], list[Unread]]:
    """What each variant may take of a quota, and why of others nobody knows. Shadow variants have instances as others
    have."""
    reaches: list[Reach] = []
    doubts = list(estate.types_in_use.doubts)
    for variant in estate.types_in_use.on(instance_type):
        try:
            reaches.append(_reach(variant, instance_type, estate))
        except Unread as unread:
            doubts.append(unread)
    return sorted(reaches, key=lambda reach: (-reach.most, reach.name)), doubts


def _reach(variant: Variant, instance_type: str | None, estate: Inventory) -> Reach:
    runs, most = variant.instance_count, variant.instance_count
    if (managed := variant.managed_scaling) is not None:
        most = max(most, managed.max_instance_count or 0)
    if (target := estate.target_of(variant)) is not None:
        most = max(most, *(bounds.maximum for bounds in estate.bounds_of(target)))
    alone = instance_type is None or len(variant.settings.instance_types) == 1
    bounded = alone and variant.settings.reservation_preference != RESERVED_ONLY
    return Reach(variant, runs, most, variant.instances_of_update, bounded)


def _largest_update(reaches: list[Reach]) -> tuple[str | None, int]:
    """The endpoint whose update starts the most instances beside those that run, and how many."""
    by_endpoint: dict[str, int] = {}
    for reach in reaches:
        endpoint = reach.variant.endpoint_name
        by_endpoint[endpoint] = by_endpoint.get(endpoint, 0) + reach.update
    return max(by_endpoint.items(), key=lambda item: item[1], default=(None, 0))


def _beyond_with_reserved(reaches: list[Reach], value: float) -> str | None:
    """The variants on reserved instances, where these would take what may be reached beyond the quota."""
    reserved = [reach for reach in reaches if reach.variant.settings.reservation_preference == RESERVED_ONLY]
    counted = sum(reach.most for reach in reaches if reach.bounded)
    if not reserved or counted + sum(reach.most for reach in reserved) <= value:
        return None
    return ", ".join(reach.name for reach in reserved)
