"""The synthetic account as a server of its own: adds latency, counts calls, and can throttle and fail.

    python -m benchmarks.server ACCOUNT.json

It prints its URL and serves until its standard input ends. Written on the bare transport, as it shares two cores with
the client that is measured: a call costs it some 50 µs. Latency is a timer and costs nothing.

``POST /bench`` with JSON sets ``latency`` (seconds), ``rate`` and ``burst`` (calls a second for each operation; 0: no
limit), ``fail`` (operations that always answer 500), and clears the counts; ``GET /bench`` answers the counts.
"""

import asyncio
import json
import re
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from benchmarks.account import Account
from benchmarks.answers import Answers, Refused, xml_answer

_SCOPE = re.compile(rb"Credential=[^/]+/\d+/([^/]+)/([^/]+)/aws4_request")
_SERVICES = {"monitoring": "cloudwatch"}
_THROTTLED = {"ec2": "RequestLimitExceeded", "sts": "Throttling", "cloudwatch": "Throttling"}


@dataclass(slots=True)
class Bucket:
    """A token bucket, as AWS limits the rate of each operation."""

    rate: float
    burst: float
    tokens: float
    filled: float

    def take(self, now: float) -> bool:
        self.tokens = min(self.burst, self.tokens + (now - self.filled) * self.rate)
        self.filled = now
        if self.tokens < 1:
            return False
        self.tokens -= 1
        return True


@dataclass
class Front:
    """What lies between the client and the account."""

    account: Account
    latency: float = 0.04
    rate: float = 0.0
    burst: float = 40.0
    fail: frozenset[str] = frozenset()
    calls: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.answers = Answers(self.account)
        self._buckets: dict[str, Bucket] = {}

    def control(self, settings: dict[str, Any]) -> None:
        """Sets what is named, and begins to count anew."""
        self.latency = settings.get("latency", self.latency)
        self.rate, self.burst = settings.get("rate", self.rate), settings.get("burst", self.burst)
        self.fail = frozenset(settings.get("fail", self.fail))
        self.calls.clear()
        self.refused.clear()
        self._buckets.clear()

    def answer(self, head: bytes, body: bytes) -> bytes:
        """The whole HTTP answer to one AWS request."""
        scope = _SCOPE.search(head)
        signing = scope.group(2).decode() if scope else "unsigned"
        service = _SERVICES.get(signing, signing)
        target = _header(head, b"x-amz-target")
        if target is not None:
            operation = target.rpartition(b".")[2].decode()
            return self._counted(service, operation, body, xml=False)
        form = dict(parse_qsl(body.decode(errors="replace"), keep_blank_values=True))
        operation = form.get("Action", head.split(b" ", 2)[1].decode(errors="replace"))
        return self._counted(service, operation, body, xml=True, form=form)

    def _counted(
        self, service: str, operation: str, body: bytes, *, xml: bool, form: dict[str, str] | None = None
    ) -> bytes:
        name = f"{service}:{operation}"
        self.calls[name] += 1
        now = time.monotonic()
        if self.rate:
            bucket = self._buckets.setdefault(name, Bucket(self.rate, self.burst, self.burst, now))
            if not bucket.take(now):
                self.refused[name] += 1
                return _error(service, 400, _THROTTLED.get(service, "ThrottlingException"), "Rate exceeded", xml=xml)
        if operation in self.fail:
            return _error(service, 500, "InternalFailure", "an unknown error", xml=xml)
        try:
            if xml:
                return _http(200, xml_answer(self.account, operation, form or {}), b"text/xml")
            return _http(200, self.answers.answer(operation, body), b"application/x-amz-json-1.1")
        except Refused as refused:
            return _error(service, 400, refused.code, str(refused), xml=xml)


def _http(status: int, body: bytes, kind: bytes, more: bytes = b"") -> bytes:
    return (
        b"HTTP/1.1 %d .\r\nx-amzn-RequestId: 00000000-0000-4000-8000-000000000000\r\n%sContent-Type: %s\r\n"
        b"Content-Length: %d\r\n\r\n" % (status, more, kind, len(body))
    ) + body


def _error(service: str, status: int, code: str, message: str, *, xml: bool) -> bytes:
    if xml and service == "ec2":
        text = f"<Response><Errors><Error><Code>{code}</Code><Message>{message}</Message></Error></Errors></Response>"
        return _http(status, text.encode(), b"text/xml")
    if xml:
        text = f"<ErrorResponse><Error><Code>{code}</Code><Message>{message}</Message></Error></ErrorResponse>"
        return _http(status, text.encode(), b"text/xml")
    body = json.dumps({"__type": code, "message": message}).encode()
    return _http(status, body, b"application/x-amz-json-1.1", b"x-amzn-ErrorType: %s\r\n" % code.encode())


def _header(head: bytes, name: bytes) -> bytes | None:
    """The value of a header, whatever the case of its name."""
    match = re.search(rb"\r\n" + name + rb": *([^\r]*)", head, re.IGNORECASE)
    return match.group(1) if match else None


class Connection(asyncio.Protocol):
    """One connection that is kept open: request, answer, request."""

    def __init__(self, front: Front) -> None:
        self.front = front
        self._waiting = b""
        self._loop = asyncio.get_running_loop()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._waiting += data
        end = self._waiting.find(b"\r\n\r\n")
        if end < 0:
            return
        head = self._waiting[:end]
        length = int(_header(head, b"content-length") or 0)
        if len(self._waiting) < end + 4 + length:
            return
        body = self._waiting[end + 4 : end + 4 + length]
        self._waiting = self._waiting[end + 4 + length :]
        if head.split(b" ", 2)[1] == b"/bench":
            self._transport.write(self._control(head, body))
        else:
            answer = self.front.answer(head, body)
            self._loop.call_later(self.front.latency, self._send, answer)

    def _send(self, answer: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.write(answer)

    def _control(self, head: bytes, body: bytes) -> bytes:
        if head.startswith(b"POST"):
            self.front.control(json.loads(body))
        counts = {"calls": self.front.calls, "refused": self.front.refused, "cpu": time.process_time()}
        return _http(200, json.dumps(counts).encode(), b"application/json")


async def serve(front: Front) -> None:
    """Serves on a free port of the loopback interface until standard input ends."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(front), "127.0.0.1", 0, backlog=256)
    port = server.sockets[0].getsockname()[1]
    print(f"http://127.0.0.1:{port}", flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    server.close()


def main() -> None:
    """Serves the account in the file named."""
    front = Front(Account.from_json(Path(sys.argv[1]).read_text(encoding="utf-8")))
    asyncio.run(serve(front))


if __name__ == "__main__":
    main()
