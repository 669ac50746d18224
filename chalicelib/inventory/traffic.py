"""The metrics of a variant, an asynchronous endpoint or a component by minutes: what it was asked in each, and what its
instances measured.

Minutes are kept for fifteen days; a period of 60 seconds with an older start answers nothing at all. The average of
``InvocationsPerInstance`` is 1 ÷ the active instances, as each request counts as that; of an asynchronous endpoint,
which has no such metric, each instance gives a sample of ``CPUUtilization`` a minute. Source: SageMaker developer
guide, "Monitor SageMaker AI with Amazon CloudWatch", "Alarms and logs for tracking metrics from asynchronous endpoints"
and "Troubleshooting"; CloudWatch user guide, "Metrics retention".
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Literal, NamedTuple

MOST_DAYS = 14
MINUTE = timedelta(minutes=1)
_HOSTING, _INSTANCES = "AWS/SageMaker", "/aws/sagemaker/Endpoints"


class MinuteMetric(NamedTuple):
    """A metric by minutes, and of what."""

    name: str
    namespace: str
    statistic: str
    whose: Literal["variant", "endpoint", "component"] = "variant"


INVOCATIONS = MinuteMetric("Invocations", _HOSTING, "Sum")
FAILURES = MinuteMetric("Invocation5XXErrors", _HOSTING, "Sum")
SHARES = MinuteMetric("InvocationsPerInstance", _HOSTING, "Average")
#: Of an asynchronous endpoint; the guide spells the first one both ways.
PROCESSED = MinuteMetric("InvocationsProcessed", _HOSTING, "Sum")
PROCESSSED = MinuteMetric("InvocationsProcesssed", _HOSTING, "Sum")
BACKLOG = MinuteMetric("ApproximateBacklogSize", _HOSTING, "Maximum", "endpoint")
SAMPLES = MinuteMetric("CPUUtilization", _INSTANCES, "SampleCount")
#: Of an inference component.
COPY_INVOCATIONS = MinuteMetric("Invocations", _HOSTING, "Sum", "component")
COPY_FAILURES = MinuteMetric("Invocation5XXErrors", _HOSTING, "Sum", "component")


def measured_on_instances(name: str) -> MinuteMetric:
    """An average over the instances."""
    return MinuteMetric(name, _HOSTING if name.startswith("ConcurrentRequests") else _INSTANCES, "Average")


_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)

#: The values of a metric by their minute, as a number since the beginning of 1970 (UTC): millions of them come in a
#: sweep, and times would cost more than all that is done with them.
Minutes = dict[int, float]


def number_of(moment: datetime) -> int:
    """The number of the minute in which a moment lies."""
    return (moment - _BEGINNING) // MINUTE


def instances(shares: Mapping[int, float]) -> Minutes:
    """How many instances were active in each minute, from the averages of :data:`SHARES`."""
    return {minute: float(round(1 / share)) for minute, share in shares.items() if 0 < share <= 1}
