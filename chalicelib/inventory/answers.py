"""What readers of answers share with the door to AWS, without AWS's SDK: failures, times, and texts of a record.

Whoever judges a template needs the kinds, and no SDK.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from chalicelib.report.cause import Cause

#: Calls under way at once, and connections kept for each service.
PARALLEL_CALLS = 16

#: The code of an answer that cannot be understood.
UNREADABLE = "UnreadableAnswer"
#: The code of a list whose pages come again.
REPEATED = "RepeatedToken"
#: The code of a list whose pages never end, and of what the audit had no time for.
ENDLESS, OUT_OF_TIME = "EndlessList", "OutOfTime"

_DENIED = frozenset(
    {
        "AccessDenied",
        "AccessDeniedException",
        "UnauthorizedOperation",
        "AuthorizationError",
        "AuthorizationErrorException",
        "Forbidden",
        "403",  # an answer without a body
    }
)
#: AWS takes the credentials for none: nothing is permitted with them.
_REFUSED_CREDENTIALS = frozenset(
    {
        "AuthFailure",
        "ExpiredToken",
        "ExpiredTokenException",
        "IncompleteSignature",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "MissingAuthenticationToken",
        "MissingAuthenticationTokenException",
        "OptInRequired",
        "RequestExpired",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)
THROTTLED = frozenset(
    {
        "Throttling",
        "ThrottlingException",
        "ThrottledException",
        "RequestThrottled",
        "RequestThrottledException",
        "RequestLimitExceeded",
        "TooManyRequestsException",
        "EC2ThrottledException",
        "SlowDown",
        "BandwidthLimitExceeded",
        "LimitExceededException",
    }
)
_MALFORMED = frozenset({UNREADABLE, REPEATED})


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


def cause_of(code: str) -> Cause:
    """Why a call failed, by its error code."""
    if code in _DENIED or code in _REFUSED_CREDENTIALS:
        return Cause.DENIED
    if code in THROTTLED:
        return Cause.THROTTLED
    return Cause.MALFORMED if code in _MALFORMED else Cause.FAILED


def unreadable(operation: str, problem: str) -> CallFailed:
    """The failure of an answer that came and cannot be understood."""
    return CallFailed(operation, UNREADABLE, problem)


#: Nothing of AWS is older.
_FIRST_YEAR = 2000


def moment(value: Any) -> datetime:
    """A time as an answer has it: seconds since the epoch in AWS's JSON, a datetime where botocore read XML or CBOR,
    and ISO 8601 where an emulator writes that. Raises ValueError for anything else, and for a time before AWS."""
    instant = _moment(value)
    if instant.year < _FIRST_YEAR:
        raise ValueError(f"{instant} is before AWS")
    return instant


def _moment(value: Any) -> datetime:
    if isinstance(value, datetime):
        return value if value.tzinfo is not None else value.replace(tzinfo=UTC)
    if isinstance(value, str) and not value.replace(".", "", 1).isdigit():
        instant = datetime.fromisoformat(value)
        return instant if instant.tzinfo is not None else instant.replace(tzinfo=UTC)
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError(f"no time: {value!r}")
    try:
        return datetime.fromtimestamp(float(value), UTC)
    except (OverflowError, OSError) as error:
        raise ValueError(f"no time: {value!r}") from error


def text(record: Any, key: str) -> str:
    """The text under ``key`` of a record; empty where the record is none, or holds anything else there."""
    value = record.get(key) if isinstance(record, Mapping) else None
    return value if isinstance(value, str) else ""


def mappings(value: Any) -> list[Mapping[str, Any]]:
    """The records in a list of an answer; none where it is no list."""
    return [record for record in value if isinstance(record, Mapping)] if isinstance(value, list | tuple) else []
