"""What a failing endpoint tells: does anybody hear of it, and does a failing update go back?"""

from datetime import timedelta

from pydantic import PositiveInt

from chalicelib.inventory.estate import Inventory
from chalicelib.inventory.facts import Unread
from chalicelib.inventory.kinds.endpoints import Endpoint, Variant
from chalicelib.inventory.kinds.scaling import Alarm
from chalicelib.inventory.parts import Part
from chalicelib.inventory.watching import OF_CALLS, OF_QUEUES, Watch, Watched
from chalicelib.report.concern import Concern
from chalicelib.report.findings import Severity
from chalicelib.report.outcomes import Confidence, Facts, Outcome, failed, not_applicable, not_now, passed
from chalicelib.rules import autoscaling
from chalicelib.rules.dependencies import endpoint_in_service
from chalicelib.rules.guards import older_than, variant_in_service
from chalicelib.rules.instances import TOPIC
from chalicelib.rules.registry import Params, Window, rule

#: A rollback alarm that has lacked data for so long does not ring.
DEAF_AFTER = timedelta(hours=24)
_ALL_AT_ONCE = "ALL_AT_ONCE"


@rule(
    "endpoint-without-alarms",
    topic=TOPIC,
    kinds=["endpoint-variant"],
    severity=Severity.LOW,
    concern=Concern.STYLE,
    reads=[Part.ENDPOINTS, Part.CONFIGS, Part.COMPONENTS, Part.POLICIES, Part.ALL_ALARMS],
    guards=[variant_in_service],
    enabled=False,
)
def endpoint_without_alarms(variant: Variant, estate: Inventory, params: Params) -> Outcome:
    """No alarm with an action, itself or through a composite alarm, watches the errors or the latency of the variant
    (asynchronous: the age of its oldest request, its failures or its expired requests) or of each inference component
    that it hosts. Alarms of target tracking do not count."""
    estate.gaps.demand(Part.ALL_ALARMS)
    if estate.all_alarms is None:
        return not_now("only a sweep lists the alarms of the account")
    estate.gaps.demand_each(Part.POLICIES)
    tracking = {alarm.name for policy in estate.policies if policy.target_tracking for alarm in policy.alarms}
    wanted = OF_QUEUES if variant.is_async else OF_CALLS
    watch = Watch(estate.all_alarms, frozenset(tracking), wanted)
    facts: Facts = {"metrics": sorted(wanted)}
    if alarms := watch.alarms_on(variant):
        return passed("an alarm tells of its errors or its latency", alarms=alarms, **facts)
    hosted = estate.components_of(variant) if variant.hosts_components else []
    components = [component for component in hosted if not component.base_component]
    silent = [component for component in components if not watch.alarms_on(component)]
    if components and not silent:
        return passed("alarms tell of the errors or the latency of its inference components", **facts)
    subjects: list[Watched] = [variant, *silent]
    for subject in subjects:
        if unclear := watch.unclear_on(subject):
            raise Unread(f"whether the alarm {unclear} watches {subject.name} is not known: its query is not read")
    return failed(**facts, components=sorted(component.name for component in silent))


@rule(
    "endpoint-update-without-rollback",
    topic=TOPIC,
    kinds=["endpoint"],
    severity=Severity.LOW,
    reads=[Part.ENDPOINTS, Part.CONFIGS, Part.MODELS, Part.DEPLOYMENTS, Part.ROLLBACK_ALARMS],
    guards=[endpoint_in_service],
    enabled=False,
)
def endpoint_update_without_rollback(endpoint: Endpoint, estate: Inventory, params: Params) -> Outcome:
    """The last update of the endpoint moved all traffic at once and no alarm would have taken it back; or one of the
    alarms that would is gone, has lacked data for 24 hours, or watches another endpoint."""
    if not endpoint.deployed_before:
        return not_applicable("it was never updated: nothing tells how an update would go")
    if reason := _excluded(endpoint, estate):
        return not_applicable(reason)
    names = endpoint.rollback_alarms
    facts: Facts = {"traffic_routing": endpoint.traffic_routing, "rollback_alarms": list(names)}
    if not names:
        if endpoint.traffic_routing == _ALL_AT_ONCE:
            return failed(**facts, broken={})
        return passed("its traffic moves step by step", **facts)
    estate.gaps.demand(Part.ROLLBACK_ALARMS)
    alarms = {name: estate.rollback_alarms.get(name) for name in names}
    problems = {name: _problem(alarm, endpoint, estate) for name, alarm in alarms.items()}
    if broken := {name: problem for name, problem in problems.items() if problem is not None}:
        return failed(**facts, broken=broken)
    for alarm in alarms.values():
        if alarm is not None and alarm.unclear:
            raise Unread(f"the alarm {alarm.name} {alarm.unclear}")
    return passed("alarms take a failing update back", **facts)


def _excluded(endpoint: Endpoint, estate: Inventory) -> str | None:
    """Why AWS offers the endpoint no guarded update, or None."""
    variants = [variant for variant in endpoint.variants if not variant.serverless]
    if any(instance.family == "inf1" for variant in variants for instance in variant.instance_types):
        return "AWS guards no update of endpoints on Inf1 instances"
    for name in (name for variant in variants for name in variant.settings.model_names):
        packages = (container.model_package or "" for container in estate.model(name).containers)
        if any(package.count(":") >= 5 and package.split(":")[4] != estate.account for package in packages):
            return "AWS guards no update of endpoints with containers of AWS Marketplace"
    return None


def _problem(alarm: Alarm | None, endpoint: Endpoint, estate: Inventory) -> str | None:
    """Why an alarm does not take a failing update back, or None."""
    if alarm is None:
        return "does not exist"
    watched = {name for metric in alarm.metrics if (name := metric.dimension("EndpointName")) is not None}
    if watched and endpoint.name not in watched:
        return f"watches {', '.join(sorted(watched))}"
    if alarm.state == "INSUFFICIENT_DATA" and older_than(alarm.state_since, DEAF_AFTER, estate):
        return f"has lacked data for more than {DEAF_AFTER.total_seconds() / 3600:g} hours"
    return None


class FailureWindow(Params):
    window_days: PositiveInt = 7


@rule(
    "async-failures-untold",
    topic=autoscaling.TOPIC,
    kinds=["endpoint-variant"],
    severity=Severity.LOW,
    params=FailureWindow,
    reads=[Part.ENDPOINTS, Part.CONFIGS, Part.METRICS],
    metrics=[Window("InvocationFailures", "window_days"), Window("ExpiredRequests", "window_days")],
    guards=[variant_in_service],
)
def async_failures_untold(variant: Variant, estate: Inventory, params: FailureWindow) -> Outcome:
    """An asynchronous endpoint keeps no record of the requests that fail (``S3FailurePath``) and notifies nobody of
    them (``ErrorTopic``); medium where requests failed or expired in the window."""
    if not variant.is_async:
        return not_applicable("callers of a real-time endpoint are told at once")
    config = estate.config(variant.config_name)
    facts: Facts = {"s3_failure_path": config.async_failure_path, "error_topic": config.async_error_topic}
    if config.async_failure_path or config.async_error_topic:
        return passed("what fails is kept or told", **facts)
    lost, read = 0.0, True
    for name in ("InvocationFailures", "ExpiredRequests"):
        try:
            lost += sum(point.value for point in estate.metric(name, variant, days=params.window_days))
        except Unread as unread:
            if unread.failure is not None and unread.failure.deferred:
                raise
            read = False
    return failed(
        **facts,
        failed_or_expired=round(lost) if read or lost else None,
        window_days=params.window_days,
        severity=Severity.MEDIUM if lost else None,
        confidence=Confidence.HIGH if read or lost else Confidence.MEDIUM,
    )
