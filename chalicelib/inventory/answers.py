"""What readers of answers share with the door to AWS, without AWS's SDK: failures, and times.

Whoever judges a template needs the kinds, and no SDK.
"""

from datetime import UTC, datetime

#: Calls under way at once, and connections kept for each service.
PARALLEL_CALLS = 16

_DENIED = (
    "AccessDenied",
    "AccessDeniedException",
    "UnauthorizedOperation",
    "AuthorizationError",
    "AuthorizationErrorException",
)


class CallFailed(Exception):
    """A call that failed for good. ``operation`` is ``service:Operation``; ``code`` is AWS's error code."""

    def __init__(self, operation: str, code: str, message: str) -> None:
        super().__init__(f"{operation} failed: {code}" + (f": {message}" if message else ""))
        self.operation = operation
        self.code = code
        self.message = message

    @property
    def denied(self) -> bool:
        """True when a permission is missing."""
        return self.code in _DENIED


class Gone(CallFailed):
    """The resource named is not there (any more)."""


class Deferred(CallFailed):
    """A call that was not made, as the audit has made all that it may: it is left to the next sweep."""

    def __init__(self, operation: str) -> None:
        super().__init__(operation, "Deferred", "left to the next sweep")


def moment(value: float | str | datetime) -> datetime:
    """A time as an answer has it: seconds since the epoch in AWS's JSON, a datetime where botocore read XML, and
    ISO 8601 where an emulator writes that. Raises ValueError for anything else."""
    if isinstance(value, datetime):
        return value
    if isinstance(value, str) and not value.replace(".", "", 1).isdigit():
        instant = datetime.fromisoformat(value)
        return instant if instant.tzinfo is not None else instant.replace(tzinfo=UTC)
    return datetime.fromtimestamp(float(value), UTC)
