"""The routes on the loopback interface, through Chalice's own local server."""

import os
from contextlib import ExitStack
from importlib import import_module
from typing import Any

from chalicelib.cli.demo import demo_account
from chalicelib.cli.sessions import new_service
from chalicelib.errors import AuditorError, InvalidInput
from chalicelib.ledger.table import TABLE

TABLE_NAME = "auditor-ledger"


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
        print(f"http://{host}:{bound}/audit, /health (Ctrl-C ends; IAM is not checked here)", flush=True)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            pass
        finally:
            server.server.server_close()


def _server(port: int) -> Any:
    try:
        from chalice.config import Config
        from chalice.local import create_local_server
    except ImportError:
        raise AuditorError("serving needs chalice, which `make setup` installs") from None
    routes = import_module("app").app
    try:
        return create_local_server(routes, Config(), "127.0.0.1", port)
    except OSError as error:
        raise InvalidInput(f"port {port} cannot be used: {error.strerror}", field="--port") from None
