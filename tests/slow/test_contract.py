"""The HTTP contract against its own description: schemathesis asks Chalice's local server, which audits the emulator.

The description is narrowed to what this account accepts (its id, its region, rules that exist), so that every request
that fits it must be answered, and every other one refused.
"""

import copy
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from chalice.config import Config
from chalice.local import ChaliceRequestHandler, LocalDevServer
from hypothesis import HealthCheck, Phase, settings

import app as handlers
from chalicelib.ledger.table import TABLE
from chalicelib.rules import RULES
from chalicelib.web.openapi import document
from emulator.front import Front
from emulator.server import DEFAULT_ACCOUNT as ACCOUNT
from emulator.server import DEFAULT_REGION as REGION
from emulator.server import Emulator
from tests.examples import number
from tests.service.test_audit import an_endpoint

pytestmark = pytest.mark.slow

ARNS = [f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:endpoint/{name}" for name in ("alone", "gone")]
RULE = "endpoint-single-instance"
TOPICS = sorted({rule.topic for rule in RULES.values()})


class Handler(ChaliceRequestHandler):
    """Chalice's own, that says nothing and leaves every method to the app."""

    do_TRACE = do_QUERY = ChaliceRequestHandler._generic_handle

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture(scope="module", params=["without a ledger", "with a ledger"])
def base_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """A server on loopback over an account with one endpoint, with its ledger or without."""
    with pytest.MonkeyPatch.context() as patch, Emulator(Front()) as emulator:
        for name, value in emulator.environment().items():
            patch.setenv(name, value)
        an_endpoint(emulator, "alone", count=1)
        if request.param == "with a ledger":
            emulator.client("dynamodb").create_table(TableName="auditor", **TABLE)
            queue = emulator.client("sqs").create_queue(QueueName="auditor-parts")["QueueUrl"]
            patch.setenv("AUDITOR_TABLE", "auditor")
            patch.setenv("AUDITOR_QUEUE_URL", queue)
        handlers.service.cache_clear()
        handlers.service().on_schedule({})
        server = LocalDevServer(handlers.app, Config(), "127.0.0.1", 0, handler_cls=Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server.server_address[1]}"
        server.shutdown()
        server.server.server_close()
        handlers.service.cache_clear()


def narrowed() -> dict[str, Any]:
    """The description for this account. IAM is API Gateway's part, which no local server plays."""
    described: dict[str, Any] = copy.deepcopy(document(handlers.app.routes))
    for methods in described["paths"].values():
        for operation in methods.values():
            operation["security"] = []
    chosen = {"account": [ACCOUNT], "region": [REGION], "rule": [RULE], "topic": TOPICS}
    query = described["paths"]["/audit"]["get"]["parameters"]
    query[:] = [entry for entry in query if entry["name"] != "cursor"]
    for parameter in (*query, *described["paths"]["/calendar"]["get"]["parameters"]):
        if parameter["name"] in chosen:
            parameter["schema"] = {"type": "string", "enum": chosen[parameter["name"]]}
    body = described["components"]["schemas"]["AuditBody"]["properties"]
    for name, accepted in {"resources": ARNS, "accounts": [ACCOUNT], "regions": [REGION], "rules": [RULE]}.items():
        body[name]["items"] = {"type": "string", "enum": accepted}
    # A series with all of its policy: whether an endpoint can be rehearsed hangs on what the account holds, and what an
    # asynchronous endpoint may be asked on whether it is one (tests/unit/rehearsal/test_queues.py).
    rehearsal = described["components"]["schemas"]["RehearsalBody"]
    wanted = ("series", "target", "maximum", "capacity")
    for name in ("endpoint", "variant", "region", "days", "begin", "asynchronous", "wake_up"):
        del rehearsal["properties"][name]
    for name in ("target", "maximum", "capacity"):
        (form,) = [choice for choice in rehearsal["properties"][name]["anyOf"] if choice["type"] != "null"]
        rehearsal["properties"][name] = form
    rehearsal["properties"]["series"] |= {"minItems": 1, "maxItems": 50}
    rehearsal["properties"]["minimum"] = {"anyOf": [{"type": "integer", "minimum": 0, "maximum": 1}, {"type": "null"}]}
    rehearsal["required"] = list(wanted)
    described["paths"]["/rehearse"]["post"]["requestBody"]["required"] = True
    del described["paths"]["/rehearse"]["post"]["requestBody"]["content"]["application/json"]["example"]
    return described


schema = schemathesis.openapi.from_dict(narrowed())


@schema.parametrize()
@settings(
    max_examples=number(20),
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow],  # it looks at the clock, and would tell of the machine
)
def test_a_route_keeps_to_its_description(case: Any, base_url: str) -> None:
    case.call_and_validate(base_url=base_url)
