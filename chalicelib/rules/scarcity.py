"""Instance types of which AWS had none left: is there another to fall back to?"""

from datetime import datetime, timedelta

from pydantic import PositiveInt

from chalicelib.inventory.estate import Inventory
from chalicelib.inventory.kinds.endpoints import Variant
from chalicelib.inventory.parts import Part
from chalicelib.report.findings import Severity
from chalicelib.report.outcomes import Facts, Outcome, failed, not_applicable, passed
from chalicelib.rules.autoscaling import RESERVED_ONLY, TOPIC
from chalicelib.rules.guards import variant_with_instances
from chalicelib.rules.registry import Params, Window, rule
from chalicelib.rules.scaling_policies import LACK_OF_CAPACITY


class Days(Params):
    window_days: PositiveInt = 30


@rule(
    "variant-single-instance-type",
    topic=TOPIC,
    kinds=["endpoint-variant"],
    severity=Severity.INFO,
    params=Days,
    reads=[Part.ENDPOINTS, Part.CONFIGS, Part.TARGETS, Window(Part.ACTIVITIES, "window_days", hours=24)],
    guards=[variant_with_instances],
)
def variant_single_instance_type(variant: Variant, estate: Inventory, params: Days) -> Outcome:
    """A variant on one accelerated instance type, without instance pools, met a lack of capacity within
    ``window_days``: among its scaling activities (of those further back than a day the newest pages are read), or in
    the failure reason of its endpoint."""
    if not any(kind.accelerated for kind in variant.instance_types):
        return not_applicable("no accelerated instance type")
    if variant.settings.instance_pools:
        return not_applicable("instance pools name what it may fall back to")
    if variant.settings.reservation_preference == RESERVED_ONLY:
        return not_applicable("runs on reserved capacity only")
    facts: Facts = {"instance_type": variant.settings.type_names, "window_days": params.window_days}
    told_by = _of_endpoint(variant, estate, params) or _of_activities(variant, estate, params)
    if told_by is None:
        return passed("met no lack of capacity", **facts)
    return failed(**facts, **told_by)


def _of_endpoint(variant: Variant, estate: Inventory, params: Days) -> Facts | None:
    endpoint = estate.endpoints.get(variant.endpoint_name)
    reason = endpoint.failure_reason if endpoint is not None else None
    if endpoint is None or not reason or not LACK_OF_CAPACITY.search(reason):
        return None
    if endpoint.modified is not None and estate.now - endpoint.modified > timedelta(days=params.window_days):
        return None
    return {"told_by": "the failure reason of its endpoint", "message": reason, "when": _day(endpoint.modified)}


def _of_activities(variant: Variant, estate: Inventory, params: Days) -> Facts | None:
    target = estate.target_of(variant)
    for activity in estate.activities_of(target) if target is not None else ():
        text = activity.message or activity.cause
        recent = activity.started is None or estate.now - activity.started <= timedelta(days=params.window_days)
        if recent and text and LACK_OF_CAPACITY.search(text):
            return {"told_by": "a scaling activity", "message": text, "when": _day(activity.started)}
    return None


def _day(moment: datetime | None) -> str | None:
    return f"{moment:%Y-%m-%d}" if moment is not None else None
