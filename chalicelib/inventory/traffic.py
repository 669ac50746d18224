"""The metrics of a variant by minutes: what it was asked in each, and what its instances measured.

Minutes are kept for fifteen days; a period of 60 seconds with an older start answers nothing at all. The average of
``InvocationsPerInstance`` is 1 ÷ the active instances, as each request counts as that. Source: SageMaker developer
guide, "Monitor SageMaker AI with Amazon CloudWatch"; CloudWatch user guide, "Metrics retention".
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

MOST_DAYS = 14
MINUTE = timedelta(minutes=1)
_HOSTING, _INSTANCES = "AWS/SageMaker", "/aws/sagemaker/Endpoints"


class MinuteMetric(NamedTuple):
    """A metric of a variant, by minutes."""

    name: str
    namespace: str
    statistic: str


INVOCATIONS = MinuteMetric("Invocations", _HOSTING, "Sum")
FAILURES = MinuteMetric("Invocation5XXErrors", _HOSTING, "Sum")
SHARES = MinuteMetric("InvocationsPerInstance", _HOSTING, "Average")


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
