"""Which alarms somebody hears that watch a variant or an inference component, themselves or through composite ones."""

import re
from collections.abc import Iterator, Mapping

from msgspec import Struct

from chalicelib.inventory.kinds.components import InferenceComponent
from chalicelib.inventory.kinds.endpoints import Variant
from chalicelib.inventory.kinds.scaling import Alarm, MetricRef

NAMESPACE = "AWS/SageMaker"
#: The metrics by which callers notice that something is wrong, and those by which it shows at asynchronous endpoints.
OF_CALLS = frozenset({"Invocation5XXErrors", "ModelLatency", "OverheadLatency"})
OF_QUEUES = frozenset({"ApproximateAgeOfOldestRequest", "InvocationFailures", "ExpiredRequests"})
#: The alarms in the rule of a composite one, by name or ARN: ``ALARM("errors") OR ALARM(latency)``.
_NAMED = re.compile(r"\b(?:ALARM|OK|INSUFFICIENT_DATA)\s*\(\s*(?:\"([^\"]+)\"|'([^']+)'|([^\s)\"']+))\s*\)")

Watched = Variant | InferenceComponent


class Watch(Struct, frozen=True):
    """The alarms of a region, of which those that target tracking keeps for itself do not count, and the metrics of
    interest."""

    alarms: Mapping[str, Alarm]
    tracking: frozenset[str]
    metrics: frozenset[str]

    def alarms_on(self, watched: Watched) -> list[str]:
        """The names of the alarms with an action that watch it, sorted."""
        return sorted(name for name, alarm in self._heard() if self._watches(alarm, watched, frozenset({name})))

    def unclear_on(self, watched: Watched) -> str | None:
        """The name of an alarm with an action whose query speaks of one of the metrics, and may speak of it."""
        for name, alarm in self._heard():
            texts = [text for text in (*alarm.expressions, alarm.query) if text]
            if any(metric in text for metric in self.metrics for text in texts):
                return name
        return None

    def _heard(self) -> Iterator[tuple[str, Alarm]]:
        for name, alarm in self.alarms.items():
            if alarm.actions_enabled and alarm.alarm_actions and name not in self.tracking:
                yield name, alarm

    def _watches(self, alarm: Alarm, watched: Watched, seen: frozenset[str]) -> bool:
        """Whether an alarm watches it; of a composite one, whether one of those that it names does."""
        if any(self._of(metric, watched) for metric in alarm.metrics):
            return True
        for name in named_in(alarm.rule or ""):
            inner = self.alarms.get(name)
            if inner is not None and name not in seen and self._watches(inner, watched, seen | {name}):
                return True
        return False

    def _of(self, metric: MetricRef, watched: Watched) -> bool:
        if metric.namespace != NAMESPACE or metric.name not in self.metrics:
            return False
        if isinstance(watched, InferenceComponent):
            return metric.dimension("InferenceComponentName") == watched.name
        # Of asynchronous endpoints some stand under EndpointName alone.
        variants = {watched.name, None} if self.metrics <= OF_QUEUES else {watched.name}
        return metric.dimension("EndpointName") == watched.endpoint_name and metric.dimension("VariantName") in variants


def named_in(rule: str) -> list[str]:
    """The names of the alarms in the rule of a composite alarm, which may name them by ARN."""
    names = ("".join(groups) for groups in _NAMED.findall(rule))
    return [name.partition(":alarm:")[2] or name for name in names]
