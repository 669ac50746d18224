"""The one door to AWS: shared clients, paced and repeated calls, counted calls, and failures told apart.

Nothing else in the product imports botocore for reading an account. Signing, endpoints, credentials and connections are
botocore's; its reading of JSON answers is not, as it takes more time than everything else of an audit: answers are
plain JSON, times as seconds since the epoch (``answers.moment``).
"""

import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from functools import partial
from typing import Any

import boto3
from botocore import xform_name
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as AwsConnectionError

from chalicelib.inventory.answers import PARALLEL_CALLS, CallFailed, Gone
from chalicelib.inventory.pacing import Pace, backoff
from chalicelib.kinds import says_gone

#: How often a call is made that fails in passing; one that is throttled waits for its turn instead.
ATTEMPTS = 5

_CONFIG = Config(
    retries={"mode": "standard", "total_max_attempts": 1},
    parameter_validation=False,
    max_pool_connections=PARALLEL_CALLS,
    connect_timeout=5,
    read_timeout=30,
    user_agent_extra="sagemaker-resilience-auditor",
)
_THROTTLED = frozenset(
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
_PASSING = frozenset({"RequestTimeout", "RequestTimeoutException", "PriorRequestNotComplete"})


class Aws:
    """Clients of one session and region, shared by all threads, made when first needed.

    A call that fails in passing is made ``attempts`` times; with one attempt it waits for no throttling, either.
    ``calls`` counts every request that was sent, retries included, by ``service:Operation``.
    """

    def __init__(
        self, session: boto3.Session, region: str, config: Config = _CONFIG, *, attempts: int = ATTEMPTS
    ) -> None:
        self.region = region
        self._attempts = attempts
        self._config = config
        self.calls: Counter[str] = Counter()
        self._session = session
        self._clients: dict[str, Any] = {}
        self._paces: dict[str, Pace] = {}
        self._lock = threading.RLock()

    def client(self, service: str) -> Any:
        """The shared client of a service."""
        with self._lock:
            if service not in self._clients:
                client = self._session.client(service, region_name=self.region, config=self._config)
                client.meta.events.register("before-send", partial(self._count, service))
                if client.meta.service_model.resolved_protocol == "json":
                    client.meta.events.register("before-parse", _read_json)
                self._clients[service] = client
            return self._clients[service]

    def knows(self, service: str, operation: str) -> bool:
        """True where this boto3 has the operation; the one of a Lambda runtime may be older than it."""
        return operation in self.client(service).meta.service_model.operation_names

    def _count(self, service: str, event_name: str, **_: Any) -> None:
        with self._lock:
            self.calls[f"{service}:{event_name.rsplit('.', 1)[1]}"] += 1

    def call(self, service: str, operation: str, **parameters: Any) -> dict[str, Any]:
        """The answer of one operation, named as AWS names it (``DescribeEndpoint``).

        Raises Gone when the resource is not there, CallFailed for any other failure.
        """
        name = f"{service}:{operation}"
        if not self.knows(service, operation):
            raise CallFailed(name, "UnknownOperation", "this version of boto3 does not know it")
        ask = getattr(self.client(service), xform_name(operation))
        pace = self._paces.setdefault(name, Pace())
        attempt = 0
        while True:
            began = pace.wait()
            try:
                answer: dict[str, Any] = ask(**parameters)
            except ClientError as error:
                if _code(error) in _THROTTLED:
                    if self._attempts > 1 and pace.throttled(began):
                        continue
                    raise _failure(name, error) from error
                if attempt + 1 == self._attempts or not _passes(error):
                    raise _failure(name, error) from error
            except BotoCoreError as error:
                if attempt + 1 == self._attempts or not isinstance(error, HTTPClientError | AwsConnectionError):
                    raise CallFailed(name, type(error).__name__, str(error)) from error
            else:
                pace.answered()
                return answer
            time.sleep(backoff(attempt))
            attempt += 1

    def pages(self, service: str, operation: str, key: str, **parameters: Any) -> Iterator[list[dict[str, Any]]]:
        """The lists under ``key``, page by page, following ``NextToken`` until it is absent.

        Raises CallFailed for a token that comes twice in a row, as botocore's paginators raise: taken for the end, it
        would make a list whole that is not, and what the list lacks would count as gone.
        """
        token: str | None = None
        while True:
            following = {"NextToken": token} if token else {}
            answer = self.call(service, operation, **parameters, **following)
            yield answer.get(key) or []
            last, token = token, answer.get("NextToken")
            if not token:
                return
            if token == last:
                raise CallFailed(f"{service}:{operation}", "RepeatedToken", "the same NextToken was received twice")

    def listing(self, service: str, operation: str, key: str, **parameters: Any) -> list[dict[str, Any]]:
        """All pages of :meth:`pages` in one list."""
        return [item for page in self.pages(service, operation, key, **parameters) for item in page]


def _read_json(response_dict: dict[str, Any], customized_response_dict: dict[str, Any], **_: Any) -> None:
    """Takes an answer as the JSON that it is, and leaves botocore nothing of it to read."""
    if response_dict["status_code"] < 300 and response_dict["body"]:
        customized_response_dict.update(json.loads(response_dict["body"]))
        response_dict["body"] = b""


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", "Unknown"))


def _passes(error: ClientError) -> bool:
    """True for an error of AWS's own, which the next try may not meet."""
    return error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0) >= 500 or _code(error) in _PASSING


def _failure(operation: str, error: ClientError) -> CallFailed:
    code, message = _code(error), str(error.response.get("Error", {}).get("Message", ""))
    return (Gone if says_gone(operation, code, message) else CallFailed)(operation, code, message)
