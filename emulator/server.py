"""The emulator in this process, on a free port of the loopback interface."""

from __future__ import annotations

import io
import json
import logging
import os
import socket
import sys
import traceback
from collections.abc import Iterable
from threading import Lock, Thread, current_thread
from types import TracebackType
from typing import Any, Self

import boto3
import botocore.session
from botocore.config import Config
from moto.core.exceptions import ServiceException
from moto.moto_api._internal.models import moto_api_backend
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import ThreadedWSGIServer
from werkzeug.wsgi import get_input_stream

from emulator import extension, once, tables, wire
from emulator.extension import promql, registry
from emulator.front import Front

DEFAULT_ACCOUNT = "123456789012"
DEFAULT_REGION = "eu-west-1"
_SECRET_KEY = "emulated"


class Emulator:
    """AWS on loopback, for as long as the `with` block runs.

    The state is moto's, which is one for the whole process: it is cleared on entry and on exit, and two emulators at
    the same time would share it.

    >>> with Emulator() as emulator:
    ...     emulator.client("sagemaker").list_endpoints()["Endpoints"]
    []
    """

    def __init__(self, front: Front | None = None) -> None:
        extension.install()
        tables.install()
        once.install()
        self.front = front
        self._server: _Server | None = None
        self._thread: Thread | None = None
        self._sessions: dict[tuple[str, str], boto3.Session] = {}
        self._clients: dict[tuple[str, str, str], Any] = {}
        self._clients_lock = Lock()

    def start(self) -> Self:
        """Starts to listen; calls from then on are answered."""
        if self._server is not None:
            raise RuntimeError("this emulator runs already")
        os.environ.setdefault("MOTO_EC2_LOAD_DEFAULT_AMIS", "false")  # a fifth of a second for each reset, for nothing
        reset_state()
        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        application: wire.Application = _Dispatcher()
        if self.front is not None:
            application = self.front.wrap(application)
        self._server = _Server("127.0.0.1", 0, application, handler=_Handler)
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()
        return self

    def stop(self) -> None:
        """Closes every connection and waits for the threads behind them. Further calls do nothing."""
        if self._server is None or self._thread is None:
            return
        for client in self._clients.values():
            client.close()
        self._clients.clear()
        self._sessions.clear()
        self._server.stop()
        self._thread.join()
        self._server = self._thread = None
        reset_state()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """The endpoint URL of all services. Raises RuntimeError when the emulator does not run."""
        if self._server is None:
            raise RuntimeError("this emulator does not run: use it in a with statement, or call start()")
        return f"http://127.0.0.1:{self._server.server_port}"

    def session(self, region: str = DEFAULT_REGION, account: str = DEFAULT_ACCOUNT) -> boto3.Session:
        """A session with fake credentials of `account` whose clients all talk to this emulator."""
        core = _Session(self.url)
        core.set_credentials(registry.access_key_of(account), _SECRET_KEY)
        core.set_config_variable("region", region)
        return boto3.Session(botocore_session=core, region_name=region)

    def client(self, service: str, region: str = DEFAULT_REGION, account: str = DEFAULT_ACCOUNT) -> Any:
        """A boto3 client, the same one for the same arguments."""
        key = service, region, account
        with self._clients_lock:
            if key not in self._clients:
                if (region, account) not in self._sessions:
                    self._sessions[region, account] = self.session(region, account)
                config = Config(max_pool_connections=32)
                self._clients[key] = self._sessions[region, account].client(service, config=config)
            return self._clients[key]

    def environment(self, region: str = DEFAULT_REGION, account: str = DEFAULT_ACCOUNT) -> dict[str, str]:
        """Environment variables that point any AWS SDK in another process, or a new session, at this emulator."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": registry.access_key_of(account),
            "AWS_SECRET_ACCESS_KEY": _SECRET_KEY,
            "AWS_DEFAULT_REGION": region,
            "AWS_REGION": region,
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def reset(self) -> None:
        """Forgets all resources of all accounts, and the front's rules and counts."""
        reset_state()
        if self.front is not None:
            self.front.clear()


def reset_state() -> None:
    """Forgets all of moto's resources in this process."""
    with registry.LOCK:
        moto_api_backend.reset()


class _Session(botocore.session.Session):  # type: ignore[misc]  # botocore has no types
    """A botocore session whose clients have the emulator's URL unless they are given another."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self._url = url

    def create_client(self, *args: Any, **kwargs: Any) -> Any:
        # boto3 passes every argument by keyword, and None for what is not given.
        if kwargs.get("endpoint_url") is None:
            kwargs["endpoint_url"] = self._url
        return super().create_client(*args, **kwargs)


class _Dispatcher:
    """Answers the extension's operations directly, and leaves the others to moto's server.

    moto's way through Flask costs 4 ms a call, which would be most of what a benchmark measures.
    """

    def __init__(self) -> None:
        self._moto: wire.Application = DomainDispatcherApplication(create_backend_app)
        self._one_at_a_time = Lock()

    def __call__(self, environ: wire.Environ, start_response: wire.StartResponse) -> Iterable[bytes]:
        call = wire.read_call(environ)
        if call.service == "cloudwatch" and call.operation == "QueryMetrics":
            return _answer_query(call, start_response)
        if call.service == "dynamodb":
            with self._one_at_a_time:  # conditions and transactions hold for one writer at a time, as DynamoDB's do
                return self._moto(environ, start_response)
        if call.protocol not in ("json", "cbor"):
            return self._moto(environ, start_response)
        try:
            result = registry.handle(call.service, call.operation, call.account, call.region, call.params)
        except registry.NotHandled:
            return self._moto(environ, start_response)
        except ServiceException as error:
            status = getattr(error, "status", 400)
            return wire.respond_error(call, status, error.code, error.message, start_response)
        except Exception as error:
            traceback.print_exc(file=sys.stderr)
            return wire.respond_error(call, 500, "InternalFailure", repr(error), start_response)
        return wire.respond_result(call, result, start_response)


def _answer_query(call: wire.Call, start_response: wire.StartResponse) -> Iterable[bytes]:
    try:
        answer = promql.answer(call.account, call.region, call.body)
    except ServiceException as error:
        return wire.respond_error(call, 400, error.code, error.message, start_response)
    return wire.respond(start_response, 200, json.dumps(answer).encode(), {"Content-Type": "application/json"})


class _Handler(MotoRequestHandler):
    """Keeps connections open between requests, which werkzeug's handler never does.

    It takes in the whole request and gives out the whole answer, so that the next request starts where this one ends.
    """

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def setup(self) -> None:
        super().setup()
        self.server.opened(self.connection)

    def finish(self) -> None:
        self.server.closed(self.connection)
        super().finish()

    def run_wsgi(self) -> None:
        if self.headers.get("Expect", "").lower().strip() == "100-continue":
            self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        environ = self.make_environ()
        body = get_input_stream(environ).read()
        environ["wsgi.input"] = io.BytesIO(body)
        environ["CONTENT_LENGTH"] = str(len(body))
        environ.pop("HTTP_TRANSFER_ENCODING", None)
        status, headers = "500 Internal Server Error", list[tuple[str, str]]()

        def start_response(new_status: str, new_headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            nonlocal status, headers
            status, headers = new_status, new_headers
            return chunks.append

        chunks: list[bytes] = []
        try:
            iterable = self.server.app(environ, start_response)
            chunks.extend(iterable)
            if hasattr(iterable, "close"):
                iterable.close()
        except Exception as error:
            # moto raises for what it does not know. Clients do not repeat a call that is answered with 501.
            status, headers = "501 Not Implemented", [("Content-Type", "text/plain")]
            chunks = [repr(error).encode()]
        self._send(status, headers, b"".join(chunks))

    def _send(self, status: str, headers: list[tuple[str, str]], body: bytes) -> None:
        head = [f"HTTP/1.1 {status}\r\n"]
        head += [f"{name}: {value}\r\n" for name, value in headers if name.lower() not in ("content-length", "date")]
        head.append(f"Content-Length: {len(body)}\r\nDate: {self.date_time_string()}\r\n\r\n")
        payload = b"" if self.command == "HEAD" else body
        self.wfile.write("".join(head).encode("latin-1") + payload)

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Nothing: requests are not logged."""

    def log_error(self, format: str, *args: Any) -> None:
        """Nothing: a client that goes away is no error here."""


class _Server(ThreadedWSGIServer):
    """A threaded server that knows its open connections, so that it can end them."""

    request_queue_size = 128

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._connections: set[socket.socket] = set()
        self._workers: set[Thread] = set()
        self._lock = Lock()

    def opened(self, connection: socket.socket) -> None:
        with self._lock:
            self._connections.add(connection)

    def closed(self, connection: socket.socket) -> None:
        with self._lock:
            self._connections.discard(connection)

    def process_request(self, request: Any, client_address: Any) -> None:
        worker = Thread(target=self._work, args=(request, client_address), daemon=True)
        with self._lock:
            self._workers.add(worker)
        worker.start()

    def _work(self, request: Any, client_address: Any) -> None:
        try:
            self.process_request_thread(request, client_address)
        finally:
            with self._lock:
                self._workers.discard(current_thread())

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Nothing: a connection that breaks concerns only its client."""

    def stop(self) -> None:
        """Ends the listening, every connection and their threads."""
        self.shutdown()
        self.server_close()
        with self._lock:
            connections, workers = list(self._connections), list(self._workers)
        for connection in connections:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue  # the client was faster
        for worker in workers:
            worker.join(timeout=5)
