"""A layer before the emulator that counts calls, and refuses, delays or loses those that a test names.

Operations are named as botocore names them, `sagemaker:DescribeEndpoint`; `*` stands for anything
(`application-autoscaling:Describe*`).
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from threading import Lock

from emulator.wire import Application, Call, Environ, StartResponse, read_call, respond_error

Predicate = Callable[[Call], bool]

_DENIED = {
    "sns": (403, "AuthorizationError"),
    "ec2": (403, "UnauthorizedOperation"),
    "sts": (403, "AccessDenied"),
    "iam": (403, "AccessDenied"),
    "s3": (403, "AccessDenied"),
    "cloudwatch": (403, "AccessDenied"),
}
_THROTTLED = {
    "ec2": (503, "RequestLimitExceeded"),
    "sns": (429, "Throttled"),
    "sts": (400, "Throttling"),
    "cloudwatch": (400, "Throttling"),
    "iam": (400, "Throttling"),
    "s3": (503, "SlowDown"),
    "organizations": (400, "TooManyRequestsException"),
}
_DENIED_JSON = (400, "AccessDeniedException")
_THROTTLED_JSON = (400, "ThrottlingException")
_VANISHED_NAMES = (
    ("EndpointConfigName", "endpoint configuration", "endpoint-config"),
    ("InferenceComponentName", "inference component", "inference-component"),
    ("EndpointName", "endpoint", "endpoint"),
    ("ModelName", "model", "model"),
)


@dataclass(frozen=True)
class Refusal:
    """An error answer: the HTTP status, the error code and the message."""

    status: int
    code: str
    message: str


class Front:
    """Counts calls, and answers in place of AWS where a rule says so.

    Rules apply in the order in which they were made; the first that refuses a call answers it. They hold until
    `clear()`.
    """

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()
        """Calls by `service:Operation`, refused ones included."""
        self.history: list[Call] = []
        """Every call in the order of arrival."""
        self.most_at_once = 0
        """The largest number of calls that were under way at the same time."""
        self._rules: list[Callable[[Call], Refusal | None]] = []
        self._delays: list[tuple[str, float]] = []
        self._running = 0
        self._lock = Lock()

    def wrap(self, application: Application) -> Application:
        """A WSGI application that is this front before `application`."""

        def front(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
            call = read_call(environ)
            with self._lock:
                self.calls[call.name] += 1
                self.history.append(call)
                self._running += 1
                self.most_at_once = max(self.most_at_once, self._running)
            try:
                if wait := sum(seconds for pattern, seconds in self._delays if fnmatchcase(call.name, pattern)):
                    time.sleep(wait)
                refusal = self._refusal(call)
                if refusal is None:
                    return application(environ, start_response)
                return respond_error(call, refusal.status, refusal.code, refusal.message, start_response)
            finally:
                with self._lock:
                    self._running -= 1

        return front

    def deny(self, operation: str, when: Predicate | None = None) -> None:
        """Refuses access, in the words of the service; only to the calls for which `when` is true, if it is given."""

        def refuse(call: Call) -> Refusal:
            code = _DENIED.get(call.service, _DENIED_JSON)
            if call.service == "ec2":
                return Refusal(*code, "You are not authorized to perform this operation.")
            caller = f"arn:aws:sts::{call.account}:assumed-role/emulated/session"
            return Refusal(
                *code,
                f"User: {caller} is not authorized to perform: {call.name} on resource: * because no identity-based "
                f"policy allows the {call.name} action",
            )

        self._add(operation, when, refuse)

    def fail(
        self,
        operation: str,
        status: int = 500,
        code: str = "InternalFailure",
        times: int | None = None,
        message: str = "The request processing has failed because of an unknown error.",
        when: Predicate | None = None,
    ) -> None:
        """Answers with an error, the next `times` calls or all."""
        left = [times]

        def refuse(call: Call) -> Refusal | None:
            with self._lock:
                if left[0] is not None:
                    if left[0] <= 0:
                        return None
                    left[0] -= 1
            return Refusal(status, code, message)

        self._add(operation, when, refuse)

    def throttle(self, operation: str, rate: float, burst: int = 1) -> None:
        """Lets `rate` calls a second through, for each operation that the pattern names, after a burst of `burst`."""
        buckets: dict[str, _Bucket] = {}

        def refuse(call: Call) -> Refusal | None:
            with self._lock:
                bucket = buckets.setdefault(call.name, _Bucket(rate, burst, float(burst)))
                if bucket.take():
                    return None
            return Refusal(*_THROTTLED.get(call.service, _THROTTLED_JSON), "Rate exceeded")

        self._add(operation, None, refuse)

    def delay(self, seconds: float, operation: str = "*") -> None:
        """Makes each call take that much longer, as a network and a real service do."""
        self._delays.append((operation, seconds))

    def vanish(self, when: Predicate, operation: str = "sagemaker:Describe*") -> None:
        """Makes describing answer that there is no such resource, as when it was deleted since it was listed."""
        self._add(operation, when, _vanished)

    def clear(self) -> None:
        """Forgets rules, delays, counts and history."""
        with self._lock:
            self._rules.clear()
            self._delays.clear()
            self.calls.clear()
            self.history.clear()
            self.most_at_once = 0

    def _add(self, operation: str, when: Predicate | None, refuse: Callable[[Call], Refusal | None]) -> None:
        def rule(call: Call) -> Refusal | None:
            if not fnmatchcase(call.name, operation) or (when is not None and not when(call)):
                return None
            return refuse(call)

        self._rules.append(rule)

    def _refusal(self, call: Call) -> Refusal | None:
        for rule in list(self._rules):
            if refusal := rule(call):
                return refusal
        return None


@dataclass
class _Bucket:
    """A token bucket, as AWS limits the rate of an operation."""

    rate: float
    burst: int
    tokens: float
    filled: float = field(default_factory=time.monotonic)

    def take(self) -> bool:
        moment = time.monotonic()
        self.tokens = min(self.burst, self.tokens + (moment - self.filled) * self.rate)
        self.filled = moment
        if self.tokens < 1:
            return False
        self.tokens -= 1
        return True


def _vanished(call: Call) -> Refusal:
    for member, words, arn_type in _VANISHED_NAMES:
        if member in call.params:
            arn = f"arn:aws:sagemaker:{call.region}:{call.account}:{arn_type}/{call.params[member]}"
            return Refusal(400, "ValidationException", f'Could not find {words} "{arn}".')
    if "ResourceArn" in call.params:
        tagged = call.params["ResourceArn"]
        return Refusal(400, "ValidationException", f'Could not find endpoint "{tagged}".')
    return Refusal(400, "ValidationException", "Requested resource not found.")
