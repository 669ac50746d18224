"""Instance fit of what people work in: notebook instances that never stop, platforms that AWS mends no more."""

from datetime import timedelta

from pydantic import PositiveFloat

from chalicelib.inventory.estate import Inventory
from chalicelib.inventory.facts import Unread
from chalicelib.inventory.instances import InstanceType
from chalicelib.inventory.kinds.endpoints import Variant
from chalicelib.inventory.kinds.plain import NotebookInstance
from chalicelib.inventory.parts import Part
from chalicelib.inventory.platforms import platform_of
from chalicelib.report.concern import Concern
from chalicelib.report.findings import Severity
from chalicelib.report.outcomes import Facts, Outcome, failed, not_applicable, passed
from chalicelib.rules.guards import older_than, variant_with_instances
from chalicelib.rules.instance_fit import TOPIC
from chalicelib.rules.registry import Params, rule

#: From so many days after its end on a platform is worse.
LONG_ENDED = 90


class NeverStops(Params):
    days: PositiveFloat = 7


@rule(
    "notebook-never-stops",
    topic=TOPIC,
    kinds=["notebook-instance"],
    severity=Severity.LOW,
    concern=Concern.COSTS,
    params=NeverStops,
    reads=[Part.NOTEBOOKS],
    enabled=False,
)
def notebook_never_stops(notebook: NotebookInstance, estate: Inventory, params: NeverStops) -> Outcome:
    """The notebook instance has been in service for longer than ``days``, and has no lifecycle config that could stop
    it (medium on an accelerated type). What a lifecycle config does is not told."""
    if notebook.status != "InService":
        return not_applicable(f"the notebook instance is {notebook.status}")
    since = notebook.modified or notebook.created
    if not older_than(since, timedelta(days=params.days), estate):
        return passed(f"in service for less than {params.days:g} days")
    if notebook.lifecycle_config:
        raise Unread(f"whether its lifecycle config {notebook.lifecycle_config} stops it when nobody works is not told")
    facts: Facts = {
        "instance_type": notebook.instance_type,
        "in_service_since": f"{since:%Y-%m-%d}",
        "days": params.days,
    }
    kind = InstanceType.parse(notebook.instance_type or "")
    return failed(severity=Severity.MEDIUM if kind.accelerated else None, **facts, accelerated=kind.accelerated)


@rule(
    "platform-end-of-life",
    topic=TOPIC,
    kinds=["notebook-instance", "endpoint-variant"],
    severity=Severity.LOW,
    reads=[Part.NOTEBOOKS, Part.ENDPOINTS, Part.CONFIGS],
)
def platform_end_of_life(subject: NotebookInstance | Variant, estate: Inventory, params: Params) -> Outcome:
    """``PlatformIdentifier`` or ``InferenceAmiVersion`` names an operating system that AWS mends no more (medium from
    90 days after its end)."""
    if isinstance(subject, Variant):
        if (outcome := variant_with_instances(subject, estate)) is not None:
            return outcome
        identifier = subject.settings.inference_ami
        if identifier is None:
            return not_applicable("names no InferenceAmiVersion: AWS chooses the image")
    else:
        identifier = subject.platform
        if identifier is None:
            return not_applicable("names no PlatformIdentifier: AWS chooses the platform")
    platform = platform_of(identifier)
    if platform is None:
        raise Unread(f"the platform {identifier} is not known to this version")
    facts: Facts = {"platform": identifier, "system": platform.system, "ends": platform.ends.isoformat()}
    days = (estate.now.date() - platform.ends).days
    if days <= 0:
        return passed(f"{platform.system} is supported until {platform.ends}", **facts)
    return failed(
        severity=Severity.MEDIUM if days >= LONG_ENDED else None,
        **facts,
        days_since=days,
        successor=platform.successor,
        status=subject.status if isinstance(subject, NotebookInstance) else subject.endpoint_status,
    )
