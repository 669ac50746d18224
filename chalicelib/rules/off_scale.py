"""Target values of scaling policies against the scale of their metric: can they be reached, and do they mean it?"""

from chalicelib.inventory.estate import Inventory
from chalicelib.inventory.facts import Unread
from chalicelib.inventory.instances import InstanceType
from chalicelib.inventory.kinds.endpoints import Variant
from chalicelib.inventory.kinds.scaling import COPY_DIMENSION, INSTANCE_DIMENSION, ScalingPolicy
from chalicelib.inventory.parts import Part
from chalicelib.report.findings import Severity
from chalicelib.report.outcomes import Facts, Outcome, failed, not_applicable, passed
from chalicelib.rules.autoscaling import HOSTING, TOPIC
from chalicelib.rules.guards import scaled
from chalicelib.rules.registry import Params, rule
from chalicelib.rules.scaling_metrics import PREDEFINED, mismatch_of

NAMESPACE = "/aws/sagemaker/Endpoints"
#: Percentages of all vCPUs or GPUs together: 100 for each.
OF_CPUS, OF_GPUS = frozenset({"CPUUtilization"}), frozenset({"GPUUtilization", "GPUMemoryUtilization"})
#: The same brought to a scale of 100.
NORMALIZED = frozenset(f"{name}Normalized" for name in OF_CPUS | OF_GPUS)
#: Predefined metrics that count invocations, a minute.
INVOCATIONS = frozenset({PREDEFINED[INSTANCE_DIMENSION][0], PREDEFINED[COPY_DIMENSION][0]})
PERCENT = 100
#: From how many vCPUs or GPUs on a target of at most 100 rings at a fraction of what it says.
MANY_CPUS, MANY_GPUS = 4, 2


def tracks_a_target(policy: ScalingPolicy, estate: Inventory) -> Outcome | None:
    """A target-tracking policy in service."""
    return scaled(policy, estate) if policy.target_tracking else not_applicable("tracks no target value")


@rule(
    "autoscaling-target-off-scale",
    topic=TOPIC,
    kinds=["scaling-policy"],
    severity=Severity.MEDIUM,
    reads=[*HOSTING, Part.POLICIES],
    guards=[tracks_a_target],
)
def autoscaling_target_off_scale(policy: ScalingPolicy, estate: Inventory, params: Params) -> Outcome:
    """The target value does not fit the scale of its metric. CPUUtilization and the GPU metrics run to 100 for each
    vCPU or GPU: more than that is never reached, and 100 or less on a type with 4 vCPUs (2 GPUs) or more rings at a
    fraction of what it seems to say; normalized metrics run to 100; a target below one invocation a minute always
    rings."""
    if policy.target_value is None:
        raise Unread("DescribeScalingPolicies gave no target value")
    facts: Facts = {"target_value": policy.target_value, "metric": policy.predefined_metric}
    if policy.predefined_metric is not None:
        if policy.predefined_metric not in INVOCATIONS:
            return not_applicable("follows no invocations and no percentage", **facts)
        if policy.target_value >= 1:
            return passed("one invocation a minute or more", **facts)
        return failed(**facts, problem="too low", units=None, scale=None, suggested=None)
    scaling = estate.scaled_by(policy)
    if not isinstance(scaling, Variant):
        return not_applicable("the share of the host that a component has sets the scale of its metrics")
    return _of_percentage(policy, scaling, facts)


def _of_percentage(policy: ScalingPolicy, variant: Variant, facts: Facts) -> Outcome:
    if len(policy.custom_metrics) != 1 or policy.metric_math:
        return not_applicable("metric math has a scale of its own")
    (metric,) = policy.custom_metrics
    name = metric.name or ""
    if metric.namespace != NAMESPACE or name not in OF_CPUS | OF_GPUS | NORMALIZED:
        return not_applicable("follows no percentage of CPUs or GPUs")
    if policy.custom_statistic in ("Sum", "SampleCount"):
        return not_applicable(f"the {policy.custom_statistic} of a percentage is none")
    if variant.is_async or mismatch_of(metric, variant) is not None:
        return not_applicable("the metric is not that of its load; autoscaling-metric-mismatch tells it")
    facts |= {"metric": name, "instance_type": variant.settings.type_names}
    problems = [_problem(policy.target_value or 0, name, kind) for kind in variant.instance_types]
    if any(problem is None for problem, _ in problems):
        return passed("fits the scale of its metric", **facts)
    problem, units = problems[0]
    scale = PERCENT * (units or 1)
    target = policy.target_value or 0
    suggested = min(target * (units or 1), scale) if problem == "a fraction" else round(scale * 0.7)
    return failed(**facts, problem=problem, units=units, scale=scale, suggested=suggested)


def _problem(target: float, name: str, kind: InstanceType) -> tuple[str | None, int | None]:
    """What is wrong with a target on an instance type, and how many vCPUs or GPUs that has. Raises Unread where the
    number decides and is not known."""
    if name in NORMALIZED:
        return ("unreachable" if target > PERCENT else None), 1
    units, many = (kind.cpu_count, MANY_CPUS) if name in OF_CPUS else (kind.gpu_count, MANY_GPUS)
    if units is None and name in OF_CPUS and kind.accelerated and target <= PERCENT:
        units = MANY_CPUS  # no accelerated type that SageMaker hosts on has fewer
    if units is None:
        raise Unread(f"how many {'vCPUs' if name in OF_CPUS else 'GPUs'} {kind.name} has is not known")
    if target > PERCENT * units:
        return "unreachable", units
    return ("a fraction" if target <= PERCENT and units >= many else None), units
