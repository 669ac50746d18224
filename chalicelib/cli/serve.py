"""The routes on the loopback interface, through Chalice's own local server."""

import json
import os
from collections.abc import Mapping
from contextlib import ExitStack
from html import escape
from importlib import import_module
from typing import Any

from chalicelib.cli.demo import demo_account
from chalicelib.cli.sessions import new_service
from chalicelib.errors import AuditorError, InvalidInput
from chalicelib.ledger.table import TABLE
from chalicelib.storage import HTML
from chalicelib.web import routes
from chalicelib.web.response import HttpResponse

ADDRESS = "127.0.0.1"
TABLE_NAME = "auditor-ledger"
#: A shield with a tick.
ICON = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">'
    '<path fill="#1f4fa3" d="M16 2 4 6v9c0 7 5 12 12 15 7-3 12-8 12-15V6z"/>'
    '<path fill="none" stroke="#fff" stroke-width="3" d="m10 16 4 4 8-9"/></svg>'
)
_REFUSED = """\
<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Refused</title>
<h1>The auditor answers its own pages alone</h1>
<p>This server reads an AWS account with the credentials of whoever started it, so it refuses what other sites send:
{because}.</p>
<p>Type <code>http://127.0.0.1:{port}/</code> into the address bar; a link from another page is refused.</p>
</html>
"""


def run_server(
    port: int, *, profile: str | None, region: str | None, policy: str | None, demo: bool, ledger: bool = False
) -> None:
    """Serves until interrupted. ``ledger``: the demo account is swept before, and its findings kept. Raises
    InvalidInput when the port is taken."""
    if ledger and not demo:
        raise InvalidInput("--ledger goes with --demo; elsewhere AUDITOR_TABLE names the ledger", field="--ledger")
    with ExitStack() as stack:
        if demo:
            session = stack.enter_context(demo_account())
            os.environ["AWS_DEFAULT_REGION"] = session.region_name
            if ledger:
                session.client("dynamodb").create_table(TableName=TABLE_NAME, **TABLE)
                os.environ["AUDITOR_TABLE"] = TABLE_NAME
        os.environ |= {
            name: value
            for name, value in (("AWS_PROFILE", profile), ("AWS_DEFAULT_REGION", region), ("AUDITOR_POLICY", policy))
            if value is not None
        }
        service = new_service(profile, region)
        service.policy  # noqa: B018  (what is wrong is told before the server listens)
        service.caller.region  # noqa: B018
        if ledger:
            service.on_schedule({})
        server = _server(port)
        host, bound = server.server.server_address[:2]
        paths = "/audit, /calendar, /rules, /health"
        print(f"http://{host}:{bound}/ (the page), {paths} (Ctrl-C ends; IAM is not checked here)", flush=True)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            pass
        finally:
            server.server.server_close()


def _server(port: int) -> Any:
    try:
        from chalice.config import Config
        from chalice.local import ChaliceRequestHandler, LocalDevServer
    except ImportError:
        raise AuditorError(
            "serving needs chalice: accepted are `make setup` in a checkout, and an installation with the extra serve, "
            "as pipx install '.[serve]'"
        ) from None

    class OwnPagesOnly(ChaliceRequestHandler):
        """Refuses what the page of another origin sends before any route sees it; answers what only a browser asks."""

        path: str

        def parse_request(self) -> bool:
            """False where the request is answered already: refused, malformed, or for the icon."""
            if not super().parse_request():
                return False
            because = foreign(self.headers, self.server.server_address[1])
            if because is not None:
                self.close_connection = True
                self._answer(refusal(because, self.headers, self.server.server_address[1]))
                return False
            route, mark, query = self.path.partition("?")
            if route == "/favicon.ico":
                self._answer(
                    HttpResponse(200, ICON, {"Content-Type": "image/svg+xml", "Cache-Control": "max-age=86400"})
                )
                return False
            if route == "/":  # the page, which asks for the rest of its findings where it was read itself
                self.path = f"/audit{mark}{query}"
            return True

        def _answer(self, answer: HttpResponse) -> None:
            text = answer.body if isinstance(answer.body, str) else json.dumps(answer.body)
            self._send_http_response(answer.status, dict(answer.headers), text)

    app = import_module("app").app
    try:
        return LocalDevServer(app, Config(), ADDRESS, port, OwnPagesOnly)
    except OSError as error:
        raise InvalidInput(f"port {port} cannot be used: {error.strerror}", field="--port") from None


def refusal(because: str, headers: Mapping[str, str], port: int) -> HttpResponse:
    """The answer to what comes from elsewhere: in HTML where a browser asks, with what to do instead."""
    if "text/html" not in headers.get("Accept", ""):
        return routes.failure(403, "foreign_origin", because)
    return HttpResponse(403, _REFUSED.format(because=escape(because), port=port), {"Content-Type": HTML})


def foreign(headers: Mapping[str, str], port: int) -> str | None:
    """Why a request comes from elsewhere than the server's own pages or a tool of this machine; None where it does not.

    A name that was made to point here (DNS rebinding) shows in ``Host``, and the page of another site in ``Origin`` or
    ``Sec-Fetch-Site``, which a browser always sends. The server reads with the credentials of whoever started it.
    """
    hosts = [f"{name}:{port}" for name in (ADDRESS, "localhost")]
    if headers.get("Host", "").lower() not in hosts:
        return f"the Host is another; accepted are {' and '.join(hosts)}"
    origin = headers.get("Origin")
    if origin is not None and origin.lower() not in [f"http://{host}" for host in hosts]:
        return "the Origin is another; accepted are the server's own pages"
    if headers.get("Sec-Fetch-Site", "none").lower() not in ("none", "same-origin"):
        return "a page of another site sent it; accepted are the server's own pages"
    return None
