"""How the ledger's table may fail: refused, broken, or done though the answer does not come."""

from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from botocore.awsrequest import AWSResponse
from botocore.exceptions import ConnectTimeoutError, ReadTimeoutError

READS = frozenset({"GetItem", "BatchGetItem", "Query"})
Send = Callable[[Any], AWSResponse]


@dataclass(frozen=True, slots=True)
class TableFault:
    """One way in which a call goes wrong: ``answer`` is the answer in its place, from whoever sends requests.

    ``writes``: only a write can fail this way.
    """

    name: str
    answer: Callable[[Send, Any], AWSResponse]
    writes: bool = False

    def fits(self, operation: str) -> bool:
        """True where an operation can fail this way."""
        return not (self.writes and operation in READS)


class _Body(BytesIO):
    def stream(self, **_: Any) -> Any:
        yield self.read()


def _response(request: Any, status: int, body: bytes) -> AWSResponse:
    return AWSResponse(request.url, status, {"content-length": str(len(body))}, _Body(body))


def _refused(code: str, status: int = 400, *, sent: bool = False, more: str = "") -> Callable[[Send, Any], AWSResponse]:
    body = f'{{"__type": "com.amazonaws.dynamodb.v20120810#{code}", "message": "no"{more}}}'.encode()

    def answer(send: Send, request: Any) -> AWSResponse:
        if sent:
            send(request)
        return _response(request, status, body)

    return answer


def _replaced(status: int, body: bytes) -> Callable[[Send, Any], AWSResponse]:
    return lambda send, request: _response(request, status, body)


def _cut(send: Send, request: Any) -> AWSResponse:
    response = send(request)
    return _response(request, response.status_code, response.content[: len(response.content) // 2])


def _raising(error: Exception, *, sent: bool = False) -> Callable[[Send, Any], AWSResponse]:
    def answer(send: Send, request: Any) -> AWSResponse:
        if sent:
            send(request)
        raise error

    return answer


URL = "https://dynamodb/"
CANCELLED = ', "CancellationReasons": [{"Code": "ThrottlingError"}]'
FAULTS = (
    TableFault("throttled", _refused("ProvisionedThroughputExceededException")),
    TableFault("throttled by the account", _refused("ThrottlingException")),
    TableFault("the condition failed", _refused("ConditionalCheckFailedException"), writes=True),
    TableFault("a transaction conflicts", _refused("TransactionConflictException"), writes=True),
    TableFault("the transaction is cancelled", _refused("TransactionCanceledException", more=CANCELLED), writes=True),
    TableFault("no such table", _refused("ResourceNotFoundException")),
    TableFault("denied", _refused("AccessDeniedException")),
    TableFault("malformed", _refused("ValidationException")),
    TableFault("internal failure", _refused("InternalServerError", 500)),
    TableFault("HTML with 503", _replaced(503, b"<html>Service unavailable</html>")),
    TableFault("no connection", _raising(ConnectTimeoutError(endpoint_url=URL))),
    TableFault("truncated", _cut),
    TableFault("HTML with 200", _replaced(200, b"<html>welcome</html>")),
    TableFault("done, then an internal failure", _refused("InternalServerError", 500, sent=True), writes=True),
    TableFault("done, then silence", _raising(ReadTimeoutError(endpoint_url=URL), sent=True), writes=True),
)


class _Faulty:
    """A session of HTTP that answers for the table where a call goes wrong."""

    def __init__(self, session: Any, fault_now: Callable[[], TableFault | None]) -> None:
        self._session, self._fault_now = session, fault_now

    def send(self, request: Any) -> AWSResponse:
        fault = self._fault_now()
        return self._session.send(request) if fault is None else fault.answer(self._session.send, request)

    def close(self) -> None:
        self._session.close()


def faulty(session: Any, fault_now: Callable[[], TableFault | None]) -> Any:
    """The session, with the faults that ``fault_now`` tells of the call that is being made."""
    return _Faulty(session, fault_now)
