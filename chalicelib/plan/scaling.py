"""Application Auto Scaling and alarms as a template declares them, tied to what they scale."""

from typing import Any

from chalicelib.inventory.facts import Fact
from chalicelib.inventory.kinds.scaling import (
    INSTANCE_DIMENSION,
    Alarm,
    AlarmRef,
    Dimension,
    MetricRef,
    ScalableTarget,
    ScalingPolicy,
    ScheduledAction,
)
from chalicelib.plan.intrinsics import ALARM, POLICY, TARGET
from chalicelib.plan.unknown import (
    ALARMS_LATER,
    LATER,
    LONG_AGO,
    UNTOLD,
    Declared,
    Place,
    Template,
    Unknown,
    at,
    items,
    lack,
    read,
    unread,
    where,
)
from chalicelib.scope import Scope

#: A scheduled action by itself, as Terraform declares it.
SCHEDULE = "AWS::ApplicationAutoScaling::ScheduledAction"
#: Stands in the place of a variant's name where only the endpoint of a resource id is known.
ANY_VARIANT = "*"
_SCALED = ("endpoint/", "inference-component/")
_TRACKING = "TargetTrackingScalingPolicyConfiguration"


class Scaling:
    """The scaling of one template. ``ids`` are the resource ids of the variants and components that it declares."""

    def __init__(self, template: Template, scope: Scope, ids: set[str]) -> None:
        self.template, self.scope, self.ids = template, scope, ids
        self.names = {part for id in ids for part in id.split("/")}
        self.loose: list[Fact] = []
        self.doubts: dict[tuple[str, str | None], str] = {}
        self.places: dict[tuple[str, str], Place] = {}
        self.schedules: list[ScheduledAction] = []
        self.targets = [fact for declared in template.of(TARGET) if (fact := self._target(declared)) is not None]
        for declared in template.of(SCHEDULE):
            self._scheduled(declared)
        self.alarms: dict[str, Alarm] = {}
        self._acting: dict[str, list[AlarmRef]] = {}
        self._alarm_doubt = template.open
        for declared in template.of(ALARM):
            self._alarm(declared)
        self.policies = [policy for declared in template.of(POLICY) if (policy := self._policy(declared)) is not None]

    def _tied(self, resource: Declared) -> tuple[Any, Any] | None:
        """The resource id and the dimension of a target, policy or action; None for another service's."""
        raw = resource.properties
        keys = ("ResourceId", "ScalableDimension", "ServiceNamespace")
        whole = at(raw, "ScalingTargetId")
        if whole is None:
            id, dimension, namespace = (at(raw, key) for key in keys)
        else:
            text = whole.symbol if isinstance(whole, Unknown) else str(whole)
            parts = text.split("|")
            if len(parts) != 3:
                return (
                    whole if isinstance(whole, Unknown) else Unknown(f"{resource.id} names no scalable target")
                ), None
            reason = whole.reason if isinstance(whole, Unknown) else ""
            id, dimension, namespace = (Unknown(reason, part) if "${" in part else part for part in parts)
        shown = id.symbol if isinstance(id, Unknown) else str(id or "")
        ours = shown.startswith(_SCALED)
        if isinstance(namespace, str) and namespace != "sagemaker":
            return None
        if namespace is None and not ours:
            return None
        if isinstance(id, Unknown):
            reached = self._reached(id)
            id = reached[0] if len(reached) == 1 and reached[0] is not None else id
        if id is None:
            id = Unknown(f"{resource.id} has no ResourceId")
        return id, dimension if dimension is not None else INSTANCE_DIMENSION

    def _reached(self, id: Any) -> list[str | None]:
        """The resource ids that an id may be, None for any."""
        if not isinstance(id, Unknown):
            return [str(id)]
        if id.symbol in self.ids:
            return [id.symbol]
        stem, _, variant = id.symbol.rpartition("/")
        return [*sorted(id for id in self.ids if id.startswith(f"{stem}/"))] if variant == ANY_VARIANT else [None]

    def _loosened(self, what: str, resource: Declared, fact: Fact, id: Any, dimension: Any) -> bool:
        """True for what may not be made, or cannot be tied to anything: it is loose, and casts its doubt."""
        reason = resource.maybe
        for value in (id, dimension):
            reason = reason or (value.reason if isinstance(value, Unknown) else "")
        if not reason:
            return False
        self.doubts |= {(what, reached): reason for reached in self._reached(id)}
        self.loose.append(
            fact.with_only(unread(reason), "resource_id", "arn", "policy_name") if resource.maybe else fact
        )
        return True

    def _arn(self, id: Any) -> str:
        if isinstance(id, Unknown):
            return ""
        stem = f"arn:{self.scope.partition}:sagemaker:{self.scope.region}:{self.scope.account}"
        return f"{stem}:{'/'.join(str(id).split('/')[:2])}"

    def _target(self, resource: Declared) -> ScalableTarget | None:
        tied = self._tied(resource)
        if tied is None:
            return None
        id, dimension = tied
        raw, place = resource.properties, where(resource)
        fact = read(
            ScalableTarget,
            raw,
            place,
            resource_id=id,
            dimension=dimension,
            arn=self._arn(id),
            created=LONG_AGO,
        )
        actions = at(raw, "ScheduledActions")
        actions = actions if isinstance(actions, Unknown) else items(actions, place, "ScheduledActions")
        if isinstance(actions, Unknown) or any(isinstance(action, Unknown) for action in actions):
            missing = lack(actions)
            reason = missing.reason if missing else LATER
            self.doubts |= {("schedule", reached): reason for reached in self._reached(id)}
        elif not lack([id, dimension]):
            self.schedules += [
                self._action(action, place, f"{resource.id}-{index}", str(id), str(dimension))
                for index, action in enumerate(actions)
            ]
        if not isinstance(id, Unknown):
            self.places[fact.kind, fact.name] = resource.place()
        return None if self._loosened("target", resource, fact, id, dimension) else fact

    def _scheduled(self, resource: Declared) -> None:
        tied = self._tied(resource)
        if tied is None:
            return
        missing = lack(list(tied))
        if resource.maybe or missing:
            reason = resource.maybe or (missing.reason if missing else "")
            self.doubts |= {("schedule", reached): reason for reached in self._reached(tied[0])}
        else:
            place = where(resource)
            self.schedules.append(self._action(resource.properties, place, resource.id, str(tied[0]), str(tied[1])))

    def _action(self, raw: Any, place: str, name: str, id: str, dimension: str) -> ScheduledAction:
        return read(ScheduledAction, raw, place, name=name, resource_id=id, dimension=dimension)

    def _policy(self, resource: Declared) -> ScalingPolicy | None:
        tied = self._tied(resource)
        if tied is None:
            return None
        id, dimension = tied
        raw, place = resource.properties, where(resource)
        fact = read(
            ScalingPolicy,
            raw,
            place,
            policy_name=_shown_name(at(raw, "PolicyName"), resource.id),
            resource_id=id,
            dimension=dimension,
            arn=resource.arn,
            created=LONG_AGO,
            alarms=self._alarms_of(resource),
            custom_metrics=self._metrics(at(raw, _TRACKING, "CustomizedMetricSpecification"), where(resource), id),
            steps_in=_steps(at(raw, "StepScalingPolicyConfiguration"), place, out=False),
            steps_out=_steps(at(raw, "StepScalingPolicyConfiguration"), place, out=True),
        )
        if not isinstance(id, Unknown):
            self.places[fact.kind, fact.name] = resource.place()
        return None if self._loosened("policy", resource, fact, id, dimension) else fact

    # ---- alarms and metrics

    def _alarms_of(self, resource: Declared) -> Any:
        """The alarms of the template that act on a step policy. Those of target tracking AWS makes later."""
        acting = self._acting.get(resource.arn, [])
        if at(resource.properties, "PolicyType") != "StepScaling" or not acting:
            return Unknown(ALARMS_LATER)
        return Unknown(self._alarm_doubt) if self._alarm_doubt else tuple(acting)

    def _alarm(self, resource: Declared) -> None:
        raw = resource.properties
        name = _shown_name(at(raw, "AlarmName"), resource.id)
        fact = read(
            Alarm,
            raw,
            where(resource),
            name=name,
            arn=resource.arn,
            state=Unknown(UNTOLD),
            state_since=Unknown(UNTOLD),
        )
        actions = at(raw, "AlarmActions")
        others = {f"${{{other.id}}}" for other in self.template.resources if other.type != POLICY}
        for action in actions if isinstance(actions, list) else [actions] if actions is not None else []:
            if isinstance(action, Unknown):
                if action.symbol not in others:
                    self._alarm_doubt = action.reason
            else:
                self._acting.setdefault(str(action), []).append(AlarmRef(name=name, arn=resource.arn))
        if resource.maybe and actions is not None:
            self._alarm_doubt = resource.maybe
        self.alarms[name] = fact

    def _metrics(self, raw: Any, place: str, id: Any) -> Any:
        """The metrics that a specification or an alarm reads, directly or in metric math."""
        if raw is None or isinstance(raw, Unknown):
            return raw
        queries = at(raw, "Metrics")
        if isinstance(queries, Unknown) or (isinstance(queries, list) and any(isinstance(q, Unknown) for q in queries)):
            return lack(queries)
        metrics = [raw] if at(raw, "MetricName") is not None else []
        if isinstance(queries, list) and queries:
            metrics = [metric for query in queries if (metric := at(query, "MetricStat", "Metric")) is not None]
        unread = next((metric for metric in metrics if isinstance(metric, Unknown)), None)
        return unread or tuple(self._metric(metric, place, id) for metric in metrics)

    def _metric(self, raw: Any, place: str, id: Any) -> MetricRef:
        declared = at(raw, "Dimensions")
        dimensions: Any = declared
        if isinstance(declared, list):
            unread = next((dimension for dimension in declared if isinstance(dimension, Unknown)), None)
            dimensions = unread or tuple(
                read(Dimension, dimension, place, value=self._own(at(dimension, "Value"), id)) for dimension in declared
            )
        return read(MetricRef, raw, place, dimensions=dimensions)

    def _own(self, value: Any, id: Any) -> Any:
        """The value of a dimension of the metric that scales ``id``: certain where it is written as a part of that id.
        Any other text may be the same as a name that is not known."""
        parts = set(str(id).split("/")) if isinstance(id, str) else set()
        if isinstance(value, Unknown):
            return value.symbol if value.symbol in parts else value
        unsure = any("${" in part for part in (parts if str(id).startswith("endpoint/") else self.names))
        if id is None or not isinstance(value, str) or value in parts or not unsure:
            return value
        return Unknown(f"whether {value} is a name of {id} is not known")


def _shown_name(value: Any, id: str) -> str:
    if isinstance(value, Unknown):
        return value.symbol or id
    return id if value is None else str(value)


def _steps(raw: Any, place: str, *, out: bool) -> Any:
    """Whether step scaling can add capacity (``out``), or take some away; unknown where an adjustment is."""
    if raw is None or isinstance(raw, Unknown):
        return raw
    if not out and at(raw, "AdjustmentType") == "ExactCapacity":
        return True
    steps = at(raw, "StepAdjustments")
    if (missing := lack([at(raw, "AdjustmentType"), steps])) is not None:
        return missing
    values = [at(step, "ScalingAdjustment") for step in items(steps, place, "StepAdjustments")]
    negative = [str(value).strip().startswith("-") for value in values]
    return not all(negative) if out else any(negative)
