"""Instance fit of apps of SageMaker Studio that nobody uses."""

from datetime import timedelta

from pydantic import PositiveFloat

from chalicelib.inventory.estate import Inventory
from chalicelib.inventory.facts import Unread
from chalicelib.inventory.instances import InstanceType
from chalicelib.inventory.kinds.studio import STOPPABLE, SYSTEM, StudioApp
from chalicelib.inventory.parts import Part
from chalicelib.report.concern import Concern
from chalicelib.report.findings import Severity
from chalicelib.report.outcomes import Facts, Outcome, failed, not_applicable, not_now, passed
from chalicelib.rules.guards import older_than
from chalicelib.rules.instance_fit import TOPIC
from chalicelib.rules.registry import Params, rule

#: AWS's own, or of a whole domain: nobody opens or closes these.
_NOT_OF_A_USER = frozenset({"JupyterServer", "RStudioServerPro"})
#: Versions of SageMaker Distribution whose apps tell AWS nothing of whether they are idle.
_TOO_OLD = ("0.", "1.")


class AppIdle(Params):
    hours: PositiveFloat = 24


@rule(
    "studio-app-idle",
    topic=TOPIC,
    kinds=["studio-app"],
    severity=Severity.LOW,
    concern=Concern.COSTS,
    params=AppIdle,
    reads=[Part.STUDIO_APPS, Part.STUDIO_SETTINGS],
    enabled=False,
)
def studio_app_idle(app: StudioApp, estate: Inventory, params: AppIdle) -> Outcome:
    """The app is in service, its ``LastUserActivityTimestamp`` is older than ``hours``, and no idle shutdown is in
    force (medium on an accelerated type). AWS moves that time with health checks, too: a recent one proves no activity,
    an old one that there was none. What a lifecycle config does is not told."""
    if app.instance_type == SYSTEM or app.type in _NOT_OF_A_USER:
        return not_applicable(f"AWS runs {app.type} apps on instances of its own, or for a whole domain")
    if app.status == "Pending":
        return not_now("the app is Pending")
    if app.status != "InService":
        return not_applicable(f"the app is {app.status}")
    if app.instance_type is None and app.type not in STOPPABLE:
        raise Unread("DescribeApp gave no instance type: whether the app is AWS's own is not told")
    age = timedelta(hours=params.hours)
    if app.last_activity is None:
        if app.created is not None and not older_than(app.created, age, estate):
            return passed(f"made less than {params.hours:g} hours ago")
        raise Unread("DescribeApp gave no LastUserActivityTimestamp")
    if not older_than(app.last_activity, age, estate):
        return passed(f"activity, or a health check, less than {params.hours:g} hours ago")
    if app.type in STOPPABLE and app.idle_shutdown:
        if (app.image_version or "").startswith(_TOO_OLD):
            version = app.image_version
            raise Unread(f"idle shutdown is on, and whether it works with the image version {version} is not told")
        return passed("AWS shuts it down when it is idle for as long as its settings say")
    if app.lifecycle_config:
        raise Unread(f"whether its lifecycle config {app.lifecycle_config} stops it when nobody works is not told")
    facts: Facts = {
        "app_type": app.type,
        "app_name": app.app_name,
        "domain_id": app.domain_id,
        "space": app.space,
        "user_profile": app.user_profile,
        "instance_type": app.instance_type,
        "last_activity": f"{app.last_activity:%Y-%m-%d %H:%M} UTC",
        "idle_hours": int((estate.now - app.last_activity) / timedelta(hours=1)),
        "hours": params.hours,
        "can_be_shut_down": app.type in STOPPABLE,
    }
    kind = InstanceType.parse(app.instance_type or "")
    return failed(severity=Severity.MEDIUM if kind.accelerated else None, **facts, accelerated=kind.accelerated)
