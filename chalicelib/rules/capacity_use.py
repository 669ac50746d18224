"""Instance fit of endpoints that are used, but little: CPUs that wait, hours in which nobody calls."""

from datetime import timedelta

from pydantic import NonNegativeFloat, PositiveFloat, PositiveInt

from chalicelib.inventory.estate import Inventory
from chalicelib.inventory.facts import Unread
from chalicelib.inventory.kinds.endpoints import Variant
from chalicelib.inventory.metrics import no_datapoints
from chalicelib.inventory.parts import Part
from chalicelib.report.concern import Concern
from chalicelib.report.findings import Severity
from chalicelib.report.outcomes import Facts, Outcome, failed, not_applicable, passed
from chalicelib.rules.guards import deployed, variant_with_instances, younger_than
from chalicelib.rules.instance_fit import TOPIC, calls_in_window, total, utilization
from chalicelib.rules.registry import Params, Window, rule


def running(variant: Variant, estate: Inventory) -> Outcome | None:
    """A variant on instances in service of which at least one runs."""
    if (outcome := variant_with_instances(variant, estate)) is not None:
        return outcome
    return not_applicable("scaled to zero") if variant.instance_count == 0 else None


class CpuUse(Params):
    cpu_percent: NonNegativeFloat = 20
    memory_percent: NonNegativeFloat = 20
    window_days: PositiveInt = 14


@rule(
    "endpoint-cpu-oversized",
    topic=TOPIC,
    kinds=["endpoint-variant"],
    severity=Severity.LOW,
    concern=Concern.COSTS,
    params=CpuUse,
    reads=[Part.ENDPOINTS, Part.CONFIGS, Part.COMPONENTS, Part.TARGETS, Part.METRICS],
    metrics=[
        Window("Invocations", "window_days"),
        Window("InvocationsProcessed", "window_days"),
        Window("InvocationsProcesssed", "window_days"),
        Window("ComponentInvocations", "window_days"),
        Window("CPUUtilization", "window_days"),
        Window("MemoryUtilization", "window_days"),
        Window("CPUUtilizationP99", "window_days"),
        Window("MemoryUtilizationP99", "window_days"),
    ],
    guards=[running],
    merges_into=["endpoint-idle"],
    enabled=False,
)
def endpoint_cpu_oversized(variant: Variant, estate: Inventory, params: CpuUse) -> Outcome:
    """A variant on CPU instances, deployed before the window, was used in it, and the 99th percentiles (else the
    maxima) of the use of its vCPUs (percent of all of one instance) and of its memory stayed below the thresholds, with
    more than one instance, or a smaller size of the family to move to."""
    types = variant.instance_types
    if any(instance.accelerated for instance in types):
        return not_applicable("runs on accelerated instances")
    age = timedelta(days=params.window_days)
    if younger_than(deployed(variant, estate, age), age, estate):
        return not_applicable(f"deployed in the last {params.window_days} days").passing()
    if not (calls := calls_in_window(variant, estate, params.window_days)):
        return not_applicable("not called in the window; endpoint-idle tells it")
    cpus = _cpus(variant)
    busiest = utilization("CPUUtilization", variant, estate, params.window_days)
    memory = utilization("MemoryUtilization", variant, estate, params.window_days)
    if busiest is None:
        raise no_datapoints("CloudWatch has no CPUUtilization datapoints for it")
    facts: Facts = {
        "instance_type": ", ".join(instance.name for instance in types),
        "instance_count": variant.instance_count,
        "cpu_count": cpus,
        "statistic": busiest.statistic,
        "cpu_utilization": round(busiest.value, 2),
        "memory_utilization": None if memory is None else round(memory.value, 2),
        "cpu_threshold": params.cpu_percent * cpus,
        "memory_threshold": params.memory_percent,
        "invocations": int(calls),
        "window_days": params.window_days,
    }
    if busiest.value >= params.cpu_percent * cpus:
        return passed("its CPUs are used", **facts)
    if memory is None:
        raise no_datapoints("CloudWatch has no MemoryUtilization datapoints for it")
    if memory.value >= params.memory_percent:
        return passed("its memory is used", **facts)
    smaller = [instance.smallest for instance in types]
    if variant.instance_count > 1:
        return failed(**facts, smaller_size=False in smaller)
    if False in smaller:
        return failed(**facts, smaller_size=True)
    if None in smaller:
        raise Unread(f"whether SageMaker hosts on a smaller size than {facts['instance_type']} is not known")
    return passed("one instance of the smallest size of its family", **facts)


def _cpus(variant: Variant) -> int:
    """The fewest vCPUs of the types on which a variant may run. Raises Unread for a type that is not known."""
    counts = [instance.cpu_count for instance in variant.instance_types]
    known = [count for count in counts if count is not None]
    if not known or len(known) < len(counts):
        raise Unread(f"the number of vCPUs of {variant.settings.type_names or 'its instance type'} is not known")
    return min(known)


class BusyHours(Params):
    busy_percent: PositiveFloat = 5
    window_days: PositiveInt = 14


@rule(
    "endpoint-mostly-unused",
    topic=TOPIC,
    kinds=["endpoint-variant"],
    severity=Severity.LOW,
    concern=Concern.COSTS,
    params=BusyHours,
    reads=[Part.ENDPOINTS, Part.CONFIGS, Part.TARGETS, Part.METRICS],
    metrics=[Window("InvocationsPerHour", "window_days")],
    guards=[running],
    enabled=False,
)
def endpoint_mostly_unused(variant: Variant, estate: Inventory, params: BusyHours) -> Outcome:
    """A variant for real-time inference, deployed before the window, was called in it, but in fewer than
    ``busy_percent`` of its hours."""
    if variant.hosts_components:
        return not_applicable("its inference components are called, not it")
    if variant.is_async:
        return not_applicable("asynchronous inference is not called by the hour")
    age = timedelta(days=params.window_days)
    if younger_than(deployed(variant, estate, age), age, estate):
        return not_applicable(f"deployed in the last {params.window_days} days").passing()
    points = estate.metric("InvocationsPerHour", variant, days=params.window_days)
    busy = {point.start for point in points if point.value > 0}
    if not busy:
        return not_applicable("not called in the window; endpoint-idle tells it")
    begin = (estate.now - age).replace(hour=0, minute=0, second=0, microsecond=0)
    hours = int((estate.now - begin).total_seconds() // 3_600)
    percent = 100 * len(busy) / hours
    types = variant.instance_types
    facts: Facts = {
        "busy_hours": len(busy),
        "hours": hours,
        "busy_percent": round(percent, 2),
        "threshold": params.busy_percent,
        "invocations": int(total(points)),
        "window_days": params.window_days,
        "instance_type": ", ".join(instance.name for instance in types),
        "instance_count": variant.instance_count,
        "accelerated": any(instance.accelerated for instance in types),
    }
    if percent < params.busy_percent:
        return failed(**facts)
    return passed(f"called in {percent:.1f} % of the hours", **facts)
