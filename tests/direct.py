"""Calls of this process to the emulator, without the sockets between: most of what a call costs is the way."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import unquote_to_bytes, urlsplit

from botocore.awsrequest import AWSResponse
from botocore.httpsession import URLLib3Session
from urllib3 import HTTPHeaderDict, HTTPResponse

from emulator.server import Emulator
from emulator.wire import Environ


@contextmanager
def direct(emulator: Emulator) -> Iterator[None]:
    """Meanwhile botocore hands what it would send to this emulator to the application behind its server, the front
    included; other addresses are reached as ever, and other processes reach the emulator as ever.

    What concerns connections is not tested this way: they are neither opened, nor shared, nor do they break.
    """
    assert emulator._server is not None
    application, url = emulator._server.app, emulator.url
    send_through_socket = URLLib3Session.send

    def send(session: URLLib3Session, request: Any) -> AWSResponse:
        if not request.url.startswith(url):
            return send_through_socket(session, request)
        answer: dict[str, Any] = {}
        chunks: list[bytes] = []

        def start_response(status: str, headers: list[tuple[str, str]], _: Any = None) -> Any:
            answer.update(status=int(status.split()[0]), headers=headers)
            return chunks.append

        chunks.extend(application(_environ(request), start_response))
        headers = HTTPHeaderDict(answer["headers"])
        raw = HTTPResponse(io.BytesIO(b"".join(chunks)), headers, answer["status"], preload_content=False)
        return AWSResponse(request.url, answer["status"], headers, raw)

    URLLib3Session.send = send
    try:
        yield
    finally:
        URLLib3Session.send = send_through_socket


def _environ(request: Any) -> Environ:
    parts = urlsplit(request.url)
    body = request.body or b""
    content = body.encode() if isinstance(body, str) else body if isinstance(body, bytes | bytearray) else body.read()
    environ: Environ = {
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(parts.path or "/").decode("latin-1"),
        "QUERY_STRING": parts.query,
        "REQUEST_URI": parts.path + (f"?{parts.query}" if parts.query else ""),
        "RAW_URI": parts.path + (f"?{parts.query}" if parts.query else ""),
        "SERVER_NAME": parts.hostname,
        "SERVER_PORT": str(parts.port),
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_HOST": parts.netloc,
        "CONTENT_LENGTH": str(len(content)),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": parts.scheme,
        "wsgi.input": io.BytesIO(content),
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for name, value in request.headers.items():
        key = name.upper().replace("-", "_")
        if key != "CONTENT_LENGTH":
            text = value.decode("latin-1") if isinstance(value, bytes) else str(value)
            environ["CONTENT_TYPE" if key == "CONTENT_TYPE" else f"HTTP_{key}"] = text
    return environ
