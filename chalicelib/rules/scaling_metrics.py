"""The metrics that scaling policies follow: can they ever have data, and are they those of what is scaled?"""

import functools
from collections.abc import Mapping

from chalicelib.errors import nearest
from chalicelib.inventory.estate import Inventory
from chalicelib.inventory.facts import Unread
from chalicelib.inventory.kinds.components import InferenceComponent
from chalicelib.inventory.kinds.endpoints import Variant
from chalicelib.inventory.kinds.scaling import (
    COPY_DIMENSION,
    INSTANCE_DIMENSION,
    INVOCATIONS_PER_INSTANCE,
    PROVISIONED_DIMENSION,
    MetricRef,
    ScalingPolicy,
)
from chalicelib.inventory.parts import Part
from chalicelib.report.findings import Severity
from chalicelib.report.outcomes import Facts, Outcome, failed, not_applicable, passed
from chalicelib.rules.autoscaling import HOSTING, TOPIC
from chalicelib.rules.guards import scaled
from chalicelib.rules.registry import Params, rule
from chalicelib.tables import read_facts

Scaled = Variant | InferenceComponent

#: The predefined metrics that fit each dimension.
PREDEFINED = {
    INSTANCE_DIMENSION: (INVOCATIONS_PER_INSTANCE, "SageMakerVariantConcurrentRequestsPerModelHighResolution"),
    COPY_DIMENSION: (
        "SageMakerInferenceComponentInvocationsPerCopy",
        "SageMakerInferenceComponentConcurrentRequestsPerCopyHighResolution",
    ),
    PROVISIONED_DIMENSION: ("SageMakerVariantProvisionedConcurrencyUtilization",),
}
WAKE_UP_ASYNC = "HasBacklogWithoutCapacity"
#: What an asynchronous endpoint tells of the requests that wait while instances run.
BACKLOG = frozenset({"ApproximateBacklogSize", "ApproximateBacklogSizePerInstance", "ApproximateAgeOfOldestRequest"})
#: What exists under EndpointName alone.
OF_THE_ENDPOINT = BACKLOG | {WAKE_UP_ASYNC}


@functools.cache
def published() -> Mapping[str, frozenset[str]]:
    """The names of the metrics that endpoints publish, by namespace."""
    facts = read_facts("endpoint_metrics.yaml")
    return {space: frozenset(name for group in groups.values() for name in group) for space, groups in facts.items()}


@functools.cache
def of_requests() -> frozenset[str]:
    """The metrics of invocations, which asynchronous endpoints do not publish."""
    return frozenset(read_facts("endpoint_metrics.yaml")["AWS/SageMaker"]["invocations"])


def follows_something(policy: ScalingPolicy, estate: Inventory) -> Outcome | None:
    """A policy in service that tracks a target, or a step policy of an asynchronous endpoint."""
    if not policy.target_tracking and not policy.step_scaling:
        return not_applicable("neither a target-tracking nor a step policy")
    if (outcome := scaled(policy, estate)) is not None or policy.target_tracking:
        return outcome
    scaling = estate.scaled_by(policy)
    if isinstance(scaling, Variant) and scaling.is_async:
        return None
    return not_applicable("a step policy follows an alarm; autoscaling-alarm-broken judges it")


@rule(
    "autoscaling-metric-mismatch",
    topic=TOPIC,
    kinds=["scaling-policy"],
    severity=Severity.MEDIUM,
    reads=[*HOSTING, Part.POLICIES, Part.ALARMS],
    guards=[follows_something],
)
def autoscaling_metric_mismatch(policy: ScalingPolicy, estate: Inventory, params: Params) -> Outcome:
    """A policy follows a metric that never has data for what it scales: a predefined one of another dimension, a custom
    one that is spelled otherwise, lies in another namespace, under other dimensions or belongs to another resource; or
    none of the policies of an asynchronous endpoint follows its backlog."""
    scaling = estate.scaled_by(policy)
    assert scaling is not None, "the guard leaves out policies of what does not exist"
    if policy.step_scaling and not any(estate.alarm(named.name) for named in policy.alarms):
        return not_applicable("none of its alarms is there; autoscaling-alarm-broken tells it")
    facts: Facts = {
        "predefined_metric": policy.predefined_metric,
        "custom_metrics": [metric.name for metric in policy.custom_metrics if metric.name],
        "scalable_dimension": policy.dimension,
    }
    mismatch = _tracking_mismatch(policy, scaling) if policy.target_tracking else None
    if mismatch is None and isinstance(scaling, Variant) and scaling.is_async:
        mismatch = _without_backlog(policy, scaling, estate)
    if mismatch is not None:
        return failed(**facts, mismatch=mismatch, asynchronous=isinstance(scaling, Variant) and scaling.is_async)
    return passed("follows a metric of what it scales", **facts)


def _tracking_mismatch(policy: ScalingPolicy, scaling: Scaled) -> str | None:
    if policy.predefined_metric:
        return _predefined_mismatch(policy, scaling)
    if not policy.custom_metrics:
        raise Unread("DescribeScalingPolicies gave no metric of the policy")
    if any(metric.name == WAKE_UP_ASYNC for metric in policy.custom_metrics):
        return f"{WAKE_UP_ASYNC} has no data while an instance runs"
    problems = (mismatch_of(metric, scaling) for metric in policy.custom_metrics)
    return next((problem for problem in problems if problem is not None), None)


def _predefined_mismatch(policy: ScalingPolicy, scaling: Scaled) -> str | None:
    if policy.predefined_metric not in PREDEFINED.get(policy.dimension, ()):
        if any(policy.predefined_metric in names for names in PREDEFINED.values()):
            return "the metric belongs to another scalable dimension"
        raise Unread(f"the metric {policy.predefined_metric} is not known")
    return _unpublished(scaling) if policy.dimension == INSTANCE_DIMENSION else None


def _unpublished(scaling: Scaled) -> str | None:
    """Why the invocations of a variant's instances are not published, or None where they are."""
    if not isinstance(scaling, Variant):
        return None
    if scaling.is_async:
        return "the endpoint is asynchronous, and publishes no metrics of its invocations"
    if scaling.hosts_components:
        return "inference components publish their invocations each for itself"
    return None


def mismatch_of(metric: MetricRef, scaling: Scaled) -> str | None:
    """Why a custom metric can have no data of what is scaled, or None. Raises Unread for a metric of SageMaker's
    namespaces that is not known here."""
    if (other := foreign(metric, scaling)) is not None:
        return f"the metric is that of {other}"
    name, namespace = metric.name, metric.namespace
    if name is None or namespace is None or namespace not in published():
        return None
    if name not in published()[namespace]:
        return _unknown_name(namespace, name)
    if name in of_requests() and (reason := _unpublished(scaling)) is not None:
        return reason
    return _wrong_dimensions(metric, scaling)


def _unknown_name(namespace: str, name: str) -> str:
    for other, names in published().items():
        if name in names:
            return f"{name} is published in {other}, not in {namespace}"
    every = {known.lower(): known for names in published().values() for known in names}
    if near := nearest(name.lower(), every, alike=0.85):
        return f"no metric is named {name}; {every[near]} is"
    raise Unread(f"the metric {name} in {namespace} is not known")


def _wrong_dimensions(metric: MetricRef, scaling: Scaled) -> str | None:
    endpoint, variant = metric.dimension("EndpointName"), metric.dimension("VariantName")
    if metric.name in OF_THE_ENDPOINT:
        if endpoint is None or variant is not None:
            return f"{metric.name} is published under EndpointName alone"
        return None
    if endpoint is not None and variant is not None:
        return None
    if isinstance(scaling, InferenceComponent) and metric.dimension("InferenceComponentName") is not None:
        return None
    return f"{metric.name} is published under EndpointName and VariantName"


def foreign(metric: MetricRef, scaling: Scaled) -> str | None:
    """The endpoint, variant or component of a metric when it is another's, else None."""
    own = {"EndpointName": scaling.endpoint_name}
    if isinstance(scaling, Variant):
        own["VariantName"] = scaling.name
    else:
        own |= {"InferenceComponentName": scaling.name, "VariantName": scaling.variant_name or ""}
    for dimension, name in own.items():
        other = metric.dimension(dimension)
        if other is not None and name and other != name:
            return f"{dimension} {other}"
    return None


def _without_backlog(policy: ScalingPolicy, variant: Variant, estate: Inventory) -> str | None:
    """Why no policy beside this one (itself among them) follows the backlog of an asynchronous endpoint, or None."""
    unread: list[str] = []
    for beside in estate.policies_beside(policy):
        if any(metric.name in BACKLOG and foreign(metric, variant) is None for metric in beside.custom_metrics):
            return None
        for alarm in [estate.alarm(named.name) for named in beside.alarms] if beside.step_scaling else []:
            if alarm is None:
                continue
            if any(metric.name in OF_THE_ENDPOINT and foreign(metric, variant) is None for metric in alarm.metrics):
                return None  # one that only wakes it follows no other load, either
            if alarm.unclear:
                unread.append(f"{alarm.name} {alarm.unclear}")
    if unread:
        raise Unread(f"whether a policy follows the backlog is not known: {unread[0]}")
    return "the endpoint is asynchronous, and no policy follows its backlog"
