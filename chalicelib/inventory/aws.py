"""The one door to AWS: shared clients, paced and repeated calls, counted calls, and failures told apart.

Nothing else in the product imports botocore for reading an account. Signing, endpoints, credentials and connections are
botocore's; its reading of JSON answers is not, as it takes more time than everything else of an audit: answers are
plain JSON, times as seconds since the epoch (``answers.moment``).
"""

import json
import math
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import partial
from typing import Any
from urllib.parse import urlencode

import boto3
from botocore import xform_name
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError, IncompleteReadError
from botocore.exceptions import ConnectionError as AwsConnectionError
from botocore.httpsession import URLLib3Session

from chalicelib.inventory.answers import (
    ENDLESS,
    OUT_OF_TIME,
    PARALLEL_CALLS,
    REPEATED,
    THROTTLED,
    CallFailed,
    Gone,
    unreadable,
)
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
#: Of what no audit waits for long.
_ASIDE = _CONFIG.merge(Config(connect_timeout=3, read_timeout=10))
_FORM = "application/x-www-form-urlencoded"
#: What boto3 calls a service that IAM, and with it this door, calls otherwise.
_OF_BOTO3 = {"servicequotas": "service-quotas"}
_PASSING = frozenset({"RequestTimeout", "RequestTimeoutException", "PriorRequestNotComplete"})
#: Passes with the next try: a connection that broke, or did not come about.
_BROKEN = (HTTPClientError, AwsConnectionError, IncompleteReadError)

#: What bounds the reading of one list, however many pages AWS promises: pages, bytes of their answers, and seconds
#: spent on waiting for them. One answer alone may have so many bytes.
MOST_PAGES = 2_000
MOST_BYTES = 512 * 1024 * 1024
MOST_SECONDS = 300.0
MOST_BYTES_OF_AN_ANSWER = 32 * 1024 * 1024
#: What is told of an error of AWS's, in characters.
MESSAGE = 1_000

#: Lists that AWS leaves out of an answer in pages where it has nothing to say; all others of it are always there.
_MAY_LACK = frozenset({"CompositeAlarms", "LogAlarms", "Messages", "OwningAccounts"})


def boto3_name(service: str) -> str:
    """What boto3 calls a service that this door calls by its IAM prefix."""
    return _OF_BOTO3.get(service, service)


class Aws:
    """Clients of one session and region, shared by all threads, made when first needed.

    A call that fails in passing is made ``attempts`` times; with one attempt it waits for no throttling, either.
    Once ``ended`` is set no call begins any more, as nobody waits for the answers. ``calls`` counts every request that
    was sent, retries included, by ``service:Operation``.
    """

    #: When no call begins any more, by the monotonic clock.
    deadline: float | None = None
    #: What is known of the answer of each thread's last call.
    _answered = threading.local()

    def __init__(
        self,
        session: boto3.Session,
        region: str,
        config: Config = _CONFIG,
        *,
        attempts: int = ATTEMPTS,
        ended: threading.Event | None = None,
    ) -> None:
        self.region = region
        self._ended = ended or threading.Event()
        self._attempts = attempts
        self._config = config
        self.calls: Counter[str] = Counter()
        self._session = session
        self._clients: dict[str, Any] = {}
        self._lists: dict[str, tuple[str, ...]] = {}
        self._lock = threading.RLock()
        self.begin()

    def begin(self, seconds: float | None = None) -> None:
        """Begins an audit: what was given up in the last one is asked again, and after ``seconds`` (None: never) no
        call begins any more."""
        self.deadline = None if seconds is None else time.monotonic() + seconds
        self._paces: dict[str, Pace] = {}
        self._given_up: dict[str, str] = {}

    def client(self, service: str) -> Any:
        """The shared client of a service, named as IAM names it."""
        with self._lock:
            if service not in self._clients:
                client = self._session.client(boto3_name(service), region_name=self.region, config=self._config)
                client.meta.events.register("before-send", partial(self._count, service))
                client.meta.events.register("before-parse", self._measure)
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

    def _measure(self, response_dict: Mapping[str, Any], **_: Any) -> None:
        """Notes how many bytes the answer of this thread's call has, and the region of a bucket that it tells. Raises
        ValueError for too many."""
        self._answered.region = response_dict["headers"].get("x-amz-bucket-region")
        self._answered.bytes = len(response_dict["body"] or b"")
        if self._answered.bytes > MOST_BYTES_OF_AN_ANSWER:
            raise ValueError(f"an answer of {self._answered.bytes:,} bytes; {MOST_BYTES_OF_AN_ANSWER:,} are read")

    def call(self, service: str, operation: str, **parameters: Any) -> dict[str, Any]:
        """The answer of one operation, named as AWS names it (``DescribeEndpoint``).

        An answer that cannot be parsed, or lacks a list that it must have, is asked for again like an error of AWS's
        own. Raises Gone when the resource is not there, CallFailed for any other failure.
        """
        name = f"{service}:{operation}"
        if not self.knows(service, operation):
            raise CallFailed(name, "UnknownOperation", "this version of boto3 does not know it")
        ask = getattr(self.client(service), xform_name(operation))
        lists = self._lists_of(service, operation)
        pace = self._paces.setdefault(name, Pace())
        attempt = 0
        while True:
            began = self._turn(name, pace)
            failure, passes = None, True
            try:
                answer: dict[str, Any] = ask(**parameters)
                if lacking := [key for key in lists if not isinstance(answer.get(key), list)]:
                    failure = unreadable(name, f"the answer has no list {lacking[0]}")
            except ClientError as error:
                failure, passes = _failure(name, error, parameters), _passes(error)
            except BotoCoreError as error:
                failure, passes = (
                    CallFailed(name, type(error).__name__, str(error)[:MESSAGE]),
                    isinstance(error, _BROKEN),
                )
            except Exception as error:  # whatever a parser raises on an answer that is none
                failure = unreadable(name, f"the answer cannot be parsed ({type(error).__name__}: {error})"[:MESSAGE])
            if failure is None:
                pace.answered()
                return answer
            if failure.code in THROTTLED:
                self._throttled(name, pace, began, failure)
                continue
            if not passes or attempt + 1 == self._attempts:
                raise failure
            time.sleep(min(backoff(attempt), self._left()))
            attempt += 1

    def region_of_bucket(self, bucket: str) -> str:
        """Where a bucket lies: Amazon S3 says so in the header of every answer, a refusal included. Raises Gone when
        there is no such bucket, CallFailed where no answer told it."""
        self._answered.region = None
        try:
            bucket_region = self.call("s3", "HeadBucket", Bucket=bucket).get("BucketRegion")
        except Gone:
            raise
        except CallFailed:
            bucket_region = None
            if not self._answered.region:
                raise
        region = bucket_region or self._answered.region
        if not isinstance(region, str):
            raise unreadable("s3:HeadBucket", "the answer has no region")
        return region

    def _left(self) -> float:
        """Seconds until no call begins any more."""
        if self._ended.is_set():
            return 0.0
        return math.inf if self.deadline is None else max(0.0, self.deadline - time.monotonic())

    def _turn(self, name: str, pace: Pace) -> float:
        """Waits for a call's turn, and gives the moment at which it begins. Raises CallFailed where the operation was
        given up, or the time of the audit is over."""
        began = pace.wait(self._left())
        if name in self._given_up:
            raise CallFailed(name, self._given_up[name], "not asked any more, as AWS let no call through")
        if not self._left():
            raise CallFailed(name, OUT_OF_TIME, "the time of the audit was over")
        return began

    def _throttled(self, name: str, pace: Pace, began: float, failure: CallFailed) -> None:
        """Notes a throttled call. Raises the failure, for this call and all others of the operation in this audit,
        where AWS has let none through for too long."""
        if self._attempts == 1:
            raise failure
        if not pace.throttled(began):
            self._given_up[name] = failure.code
            raise failure

    def _lists_of(self, service: str, operation: str) -> tuple[str, ...]:
        """The lists that every answer of an operation has: those that botocore's model requires, and those of an answer
        in pages, which are empty where there is nothing."""
        name = f"{service}:{operation}"
        if name not in self._lists:
            shape = self.client(service).meta.service_model.operation_model(operation).output_shape
            members = shape.members if shape is not None else {}
            paged = "NextToken" in members
            self._lists[name] = tuple(
                key
                for key, member in members.items()
                if member.type_name == "list" and (key in shape.required_members or (paged and key not in _MAY_LACK))
            )
        return self._lists[name]

    def pages(self, service: str, operation: str, key: str, **parameters: Any) -> Iterator[list[Any]]:
        """The lists under ``key``, page by page, following ``NextToken`` until it is absent.

        Raises CallFailed for a token that was there before, and for a list that has too many pages or bytes, or takes
        too long: taken for the end, it would make a list whole that is not, and what the list lacks would count as
        gone.
        """
        for answer in self.answers(service, operation, **parameters):
            page = answer.get(key)
            if not isinstance(page, list):
                raise unreadable(f"{service}:{operation}", f"the answer has no list {key}")
            yield page

    def answers(self, service: str, operation: str, **parameters: Any) -> Iterator[dict[str, Any]]:
        """The answers of :meth:`pages` as a whole, for an operation that lists several things at once."""
        name = f"{service}:{operation}"
        tokens: set[str] = set()
        following: dict[str, str] = {}
        size, seconds = 0, 0.0
        for _ in range(MOST_PAGES):
            began = time.monotonic()
            answer = self.call(service, operation, **parameters, **following)
            seconds += time.monotonic() - began
            size += getattr(self._answered, "bytes", 0)
            yield answer
            token = answer.get("NextToken")
            if not token:
                return
            if not isinstance(token, str):
                raise unreadable(name, "its NextToken is no text")
            if token in tokens:
                raise CallFailed(name, REPEATED, "the same NextToken was received twice")
            if size > MOST_BYTES:
                raise CallFailed(name, ENDLESS, f"more than {MOST_BYTES:,} bytes are not read")
            if seconds > MOST_SECONDS:
                raise CallFailed(name, ENDLESS, f"its pages took more than {MOST_SECONDS:g} seconds")
            tokens.add(token)
            following = {"NextToken": token}
        raise CallFailed(name, ENDLESS, f"more than {MOST_PAGES:,} pages are not read")

    def query(self, expression: str, moment: datetime) -> dict[str, Any]:
        """The JSON answer to a PromQL expression at a moment: CloudWatch's metrics of OpenTelemetry, which no operation
        of its API reads. Raises CallFailed for any other answer."""
        name = "cloudwatch:GetMetricData"
        endpoint = self.client("cloudwatch").meta.endpoint_url
        credentials = self._session.get_credentials()
        if credentials is None:
            raise CallFailed(name, "NoCredentialsError", "no credentials to sign the query with")
        if not (left := self._left()):
            raise CallFailed(name, OUT_OF_TIME, "the time of the audit was over")
        form = urlencode({"query": expression, "time": f"{moment.timestamp():.0f}"})
        request = AWSRequest("POST", f"{endpoint.rstrip('/')}/api/v1/query", {"Content-Type": _FORM}, form)
        SigV4Auth(credentials.get_frozen_credentials(), "monitoring", self.region).add_auth(request)
        with self._lock:
            self.calls[name] += 1
        try:
            answer = URLLib3Session(timeout=(min(5.0, left), min(30.0, left))).send(request.prepare())
            body = json.loads(answer.content[:MOST_BYTES_OF_AN_ANSWER], parse_constant=_no_number)
        except BotoCoreError as error:
            raise CallFailed(name, type(error).__name__, str(error)[:MESSAGE]) from error
        except ValueError:
            body = None
        if answer.status_code == 403:
            raise CallFailed(name, "AccessDenied", "the PromQL query was refused")
        if answer.status_code >= 300:
            raise CallFailed(name, f"HTTP{answer.status_code}", "the PromQL query failed")
        if not isinstance(body, dict):
            raise unreadable(name, "the answer to the PromQL query is no JSON object")
        return body

    def listing(self, service: str, operation: str, key: str, **parameters: Any) -> list[Any]:
        """All pages of :meth:`pages` in one list."""
        return [item for page in self.pages(service, operation, key, **parameters) for item in page]


def beside(session: boto3.Session, region: str) -> Aws:
    """A door to what an audit reads beside the account and can do without: it gives up early."""
    return Aws(session, region, _ASIDE, attempts=2)


def _read_json(response_dict: dict[str, Any], customized_response_dict: dict[str, Any], **_: Any) -> None:
    """Takes an answer as the JSON that it is, and leaves botocore nothing of it to read. Raises ValueError for what is
    no JSON object."""
    if response_dict["status_code"] < 300 and response_dict["body"]:
        answer = json.loads(response_dict["body"], parse_constant=_no_number)
        if not isinstance(answer, dict):
            raise ValueError("no JSON object")
        customized_response_dict.update(answer)
        response_dict["body"] = b""


def _no_number(constant: str) -> None:
    raise ValueError(f"{constant} is no number of JSON")


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", "Unknown"))


def _passes(error: ClientError) -> bool:
    """True for an error of AWS's own, which the next try may not meet."""
    return error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0) >= 500 or _code(error) in _PASSING


def _failure(operation: str, error: ClientError, parameters: Mapping[str, Any]) -> CallFailed:
    code, message = _code(error), str(error.response.get("Error", {}).get("Message", ""))[:MESSAGE]
    return (Gone if says_gone(operation, code, message, parameters) else CallFailed)(operation, code, message)
