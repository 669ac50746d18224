"""The one door to AWS: shared clients, adaptive retries, counted calls, and failures told apart.

Nothing else in the product imports botocore for reading an account.
"""

import threading
from collections import Counter
from collections.abc import Iterator
from functools import partial
from typing import Any

import boto3
from botocore import xform_name
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

#: Calls under way at once, and connections kept for each service.
PARALLEL_CALLS = 16

_CONFIG = Config(
    retries={"mode": "adaptive", "total_max_attempts": 6},
    max_pool_connections=PARALLEL_CALLS,
    connect_timeout=5,
    read_timeout=30,
    user_agent_extra="sagemaker-resilience-auditor",
)
_DENIED = (
    "AccessDenied",
    "AccessDeniedException",
    "UnauthorizedOperation",
    "AuthorizationError",
    "AuthorizationErrorException",
)
_GONE_CODES = ("ResourceNotFound", "ResourceNotFoundException", "NotFoundException")
_GONE_WORDS = ("could not find", "does not exist", "not found", "cannot find", "recordnotfound")


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


class Aws:
    """Clients of one session and region, shared by all threads, made when first needed.

    ``calls`` counts every request that was sent, retries included, by ``service:Operation``.
    """

    def __init__(self, session: boto3.Session, region: str, config: Config = _CONFIG) -> None:
        self.region = region
        self._config = config
        self.calls: Counter[str] = Counter()
        self._session = session
        self._clients: dict[str, Any] = {}
        self._lock = threading.RLock()

    def client(self, service: str) -> Any:
        """The shared client of a service."""
        with self._lock:
            if service not in self._clients:
                client = self._session.client(service, region_name=self.region, config=self._config)
                client.meta.events.register("before-send", partial(self._count, service))
                self._clients[service] = client
            return self._clients[service]

    def _count(self, service: str, event_name: str, **_: Any) -> None:
        with self._lock:
            self.calls[f"{service}:{event_name.rsplit('.', 1)[1]}"] += 1

    def call(self, service: str, operation: str, **parameters: Any) -> dict[str, Any]:
        """The answer of one operation, named as AWS names it (``DescribeEndpoint``).

        Raises Gone when the resource is not there, CallFailed for any other failure.
        """
        client = self.client(service)
        name = f"{service}:{operation}"
        try:
            answer: dict[str, Any] = getattr(client, xform_name(operation))(**parameters)
        except ClientError as error:
            raise _failure(name, error) from error
        except BotoCoreError as error:
            raise CallFailed(name, type(error).__name__, str(error)) from error
        return answer

    def pages(self, service: str, operation: str, key: str, **parameters: Any) -> Iterator[list[dict[str, Any]]]:
        """The lists under ``key``, page by page, following ``NextToken`` until it is absent or repeats itself."""
        token: str | None = None
        while True:
            following = {"NextToken": token} if token else {}
            answer = self.call(service, operation, **parameters, **following)
            yield answer.get(key) or []
            last, token = token, answer.get("NextToken")
            if not token or token == last:
                return

    def listing(self, service: str, operation: str, key: str, **parameters: Any) -> list[dict[str, Any]]:
        """All pages of :meth:`pages` in one list."""
        return [item for page in self.pages(service, operation, key, **parameters) for item in page]


def _failure(operation: str, error: ClientError) -> CallFailed:
    details = error.response.get("Error", {})
    code, message = str(details.get("Code", "Unknown")), str(details.get("Message", ""))
    gone = code in _GONE_CODES or (
        code in ("ValidationException", "ValidationError") and any(word in message.lower() for word in _GONE_WORDS)
    )
    return (Gone if gone else CallFailed)(operation, code, message)
