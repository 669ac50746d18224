"""How many calls an audit may make. One for an event has a bound, whatever it is about: what goes beyond is left to the
next sweep, and the report says so (``deferred``)."""

import threading
from datetime import datetime
from typing import Any

from chalicelib.inventory.answers import Deferred
from chalicelib.inventory.aws import Aws
from chalicelib.scope import Scope

#: The most calls for an event, by the kind of what it names; for other kinds the last one. Those of one event about
#: several resources are not added up. Repeated tries of one call count once.
MOST_CALLS = {
    "endpoint": 16,
    "vpc": 16,
    "subnet": 16,
    "inference-component": 10,
    "training-job": 4,
    "tuning-job": 4,
    "transform-job": 4,
}
MOST_CALLS_OF_OTHERS = 6


def most_calls(scope: Scope) -> int:
    """How many calls an audit for an event may make."""
    return max(MOST_CALLS.get(ref.kind, MOST_CALLS_OF_OTHERS) for ref in scope.resources)


class BoundedDoor(Aws):
    """The same door to AWS, through which ``most`` calls may be made. The last ``reserved`` ones are for what only the
    end of an audit knows to ask: the tags of what failed."""

    def __init__(self, door: Aws, most: int) -> None:
        self.__dict__.update(door.__dict__)
        self._door = door
        self._calls_left = most
        self._counting = threading.Lock()
        self.most = most
        self.reserved = 1

    @property
    def calls_left(self) -> int:
        """How many calls may be made before the reserved ones."""
        return max(0, self._calls_left - self.reserved)

    def knows(self, service: str, operation: str) -> bool:
        """True where this boto3 has the operation."""
        return self._door.knows(service, operation)

    def query(self, expression: str, moment: datetime) -> dict[str, Any]:
        """The answer to a PromQL expression. Raises Deferred when no call is left, else what the door raises."""
        self._take("cloudwatch:GetMetricData")
        return self._door.query(expression, moment)

    def call(self, service: str, operation: str, **parameters: Any) -> dict[str, Any]:
        """The answer of one operation. Raises Deferred when no call is left, else what the door raises."""
        self._take(f"{service}:{operation}")
        return self._door.call(service, operation, **parameters)

    def _take(self, operation: str) -> None:
        with self._counting:
            if self._calls_left <= self.reserved:
                raise Deferred(operation)
            self._calls_left -= 1
