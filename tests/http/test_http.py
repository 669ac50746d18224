"""The HTTP contract, through Chalice's test client and a service that audits the emulator."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from chalice.test import Client

import app as handlers
from chalicelib.errors import AccessFailed
from chalicelib.ledger.table import LedgerFailed
from chalicelib.storage import StoreFailed
from chalicelib.web import routes
from emulator.front import Front
from emulator.server import DEFAULT_ACCOUNT as ACCOUNT
from emulator.server import DEFAULT_REGION as REGION
from emulator.server import Emulator
from tests.service.test_audit import an_endpoint

ENDPOINT = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:endpoint"


@pytest.fixture
def client(emulator: Emulator) -> Iterator[Client]:
    an_endpoint(emulator, "alone", count=1)
    an_endpoint(emulator, "pair")
    handlers.service.cache_clear()
    with Client(handlers.app) as client:
        yield client
    handlers.service.cache_clear()


def asked(client: Client, method: str, path: str, body: Any = None) -> tuple[int, Any]:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode() if body is not None else b""
    answer = client.http.request(method, path, headers={"Content-Type": "application/json"}, body=raw)
    return answer.status_code, answer.json_body


def test_health_is_open_and_says_nothing_about_the_account(client: Client, front: Front) -> None:
    front.calls.clear()
    status, body = asked(client, "GET", "/health")
    assert status == 200
    assert body["status"] == "ok"
    assert ACCOUNT not in json.dumps(body)
    assert not front.calls


def test_every_route_but_health_and_what_slack_signs_is_behind_iam() -> None:
    guarded = {
        (path, method): entry.authorizer is not None
        for path, methods in handlers.app.routes.items()
        for method, entry in methods.items()
    }
    assert guarded == {
        ("/audit", "GET"): True,
        ("/audit", "POST"): True,
        ("/audit/runs/{audit_id}", "GET"): True,
        ("/calendar", "GET"): True,
        ("/rehearse", "POST"): True,
        ("/slack/actions", "POST"): False,
        ("/rules", "GET"): True,
        ("/rules/{id}", "GET"): True,
        ("/openapi.json", "GET"): True,
        ("/health", "GET"): False,
    }


def test_get_audit_answers_the_report(client: Client) -> None:
    status, report = asked(client, "GET", "/audit")
    assert status == 200
    assert report["trigger"] == "http"
    assert "endpoint-single-instance" in {finding["rule"] for finding in report["findings"]}


def test_get_audit_filters_by_severity_rule_topic_and_resource(client: Client) -> None:
    expected: list[tuple[str, Callable[[Any], bool]]] = [
        ("severity=high", lambda finding: finding["severity"] in ("high", "critical")),
        ("rule=variant-no-autoscaling", lambda finding: finding["rule"] == "variant-no-autoscaling"),
        ("topic=autoscaling", lambda finding: finding["topic"] == "autoscaling"),
        ("resource=alone/AllTraffic", lambda finding: finding["resource"]["name"] == "alone/AllTraffic"),
    ]
    for query, keeps in expected:
        status, report = asked(client, "GET", f"/audit?{query}")
        assert status == 200
        assert report["findings"], query
        assert all(keeps(finding) for finding in report["findings"]), query
    _, page = asked(client, "GET", "/audit?limit=1")
    assert len(page["findings"]) == 1


def test_post_audit_of_a_named_endpoint_audits_it_alone(client: Client, front: Front) -> None:
    status, report = asked(client, "POST", "/audit", {"resources": [f"{ENDPOINT}/pair"]})
    assert status == 200
    assert {finding["resource"]["name"] for finding in report["findings"]} == {"pair/AllTraffic"}
    assert report["scope"]["resources"] == [f"{ENDPOINT}/pair"]
    assert "sagemaker:Search" not in report["api_calls"]


def test_post_audit_without_a_body_audits_everything(client: Client) -> None:
    status, report = asked(client, "POST", "/audit")
    assert status == 200
    assert report["resources"]["endpoint"] == 2


@pytest.mark.parametrize(
    ("body", "field", "says"),
    [
        (b"{not json", None, "not JSON"),
        (b"[1]", None, "accepted keys are resources"),
        (b"\xff\xfe", None, "not JSON"),
        ({"resource": []}, "resource", "accepted are resources, accounts, regions, rules, notify"),
        ({"resources": "x"}, "resources", "list"),
        ({"resources": [3]}, "resources.0", "string"),
        ({"notify": "yes"}, "notify", "boolean"),
        ({"rules": ["nope"]}, "rules", "unknown rule"),
        ({"regions": ["mars-1"]}, "region", "eu-west-1"),
        ({"accounts": ["999999999999"]}, "accounts", "the auditor's own account"),
        ({"resources": ["arn:aws:sagemaker:eu-west-1:999999999999:endpoint/x"]}, "resources.0", "another account"),
        ({"resources": ["arn:aws:sagemaker:us-east-1:123456789012:endpoint/x"]}, "resources.0", "another account"),
        ({"resources": ["nonsense"]}, "resources.0", "accepted are ARNs"),
        ({"resources": [f"{ENDPOINT}/e{number}" for number in range(21)]}, "resources", "up to 20"),
    ],
)
def test_a_wrong_body_is_refused_before_anything_is_read(
    client: Client, front: Front, body: Any, field: str | None, says: str
) -> None:
    front.calls.clear()
    status, answer = asked(client, "POST", "/audit", body)
    assert status == 400
    assert answer["error"]["field"] == field
    assert says in answer["error"]["message"]
    assert set(front.calls) <= {"sts:GetCallerIdentity"}


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("severity=urgent", "severity"),
        ("rule=nope", "rule"),
        ("topic=nope", "topic"),
        ("status=gone", "status"),
        ("limit=501", "limit"),
        ("limit=x", "limit"),
        ("region=mars-1", "region"),
        ("account=999999999999", "account"),
        ("colour=red", "colour"),
    ],
)
def test_a_wrong_query_is_refused_with_its_field(client: Client, query: str, field: str) -> None:
    status, answer = asked(client, "GET", f"/audit?{query}")
    assert (status, answer["error"]["field"]) == (400, field)


def test_aws_out_of_reach_is_a_502_and_no_trace(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    handlers.service.cache_clear()
    status, answer = asked(client, "GET", "/audit")
    assert status == 502
    assert "cannot be reached" in answer["error"]["message"]
    assert "Traceback" not in json.dumps(answer)


def test_notify_publishes_and_without_it_nothing_leaves(
    client: Client, front: Front, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    topic = emulator.client("sns").create_topic(Name="findings")["TopicArn"]
    monkeypatch.setenv("AUDITOR_TOPIC_ARN", topic)
    handlers.service.cache_clear()
    body = {"resources": [f"{ENDPOINT}/alone"]}
    asked(client, "POST", "/audit", body)
    assert "sns:Publish" not in front.calls
    status, report = asked(client, "POST", "/audit", {**body, "notify": True})
    assert (status, front.calls["sns:Publish"]) == (200, len(report["findings"]))


def test_findings_are_answered_as_csv_where_that_is_asked_for(client: Client) -> None:
    answer = client.http.get("/audit", headers={"Accept": "text/csv"})
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/csv")
    rows = answer.body.decode().splitlines()
    assert rows[0].startswith("severity,rule,title,kind,resource")
    assert len(rows) > 1


@pytest.mark.parametrize(("name", "value"), [("AUDITOR_POLICY", "no-such-policy"), ("AUDITOR_LOOKBACK_DAYS", "never")])
def test_a_fault_of_the_configuration_is_not_the_callers(
    client: Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    handlers.service.cache_clear()
    for method, path in (("GET", "/audit"), ("POST", "/audit"), ("GET", "/rules"), ("GET", "/health")):
        status, answer = asked(client, method, path)
        assert (status, answer["error"]["code"]) == (500, "misconfigured")
        assert value not in answer["error"]["message"]
    assert value in caplog.text or name in caplog.text


# ---- what errors tell, and what is not there

SECRETS = ("auditor-ledger-of-acme", "auditor-role", "999999999999")


@pytest.mark.parametrize(
    ("raised", "status"),
    [
        (AccessFailed(f"cannot assume arn:aws:iam::{SECRETS[2]}:role/{SECRETS[1]}"), 502),
        (LedgerFailed(f"the table {SECRETS[0]} of {SECRETS[2]} cannot be used: {SECRETS[1]} is not authorized"), 500),
        (StoreFailed(f"the report cannot be stored in {SECRETS[0]}"), 500),
        (RuntimeError(SECRETS[0]), 500),
    ],
    ids=lambda value: type(value).__name__,
)
def test_an_error_never_tells_role_table_or_account(raised: Exception, status: int) -> None:
    def work() -> routes.HttpResponse:
        raise raised

    answer = routes.guarded(work)
    assert answer.status == status
    assert answer.body["error"]["message"]
    assert not [secret for secret in SECRETS if secret in json.dumps(answer.body)]


@pytest.mark.parametrize(
    "body",
    [
        {"accounts": ["999999999999"]},
        {"resources": ["arn:aws:sagemaker:eu-west-1:999999999999:endpoint/x"]},
        {"resources": ["nonsense"]},
    ],
)
def test_a_refusal_does_not_tell_the_auditors_account(client: Client, body: Any) -> None:
    status, answer = asked(client, "POST", "/audit", body)
    assert status == 400
    assert ACCOUNT not in json.dumps(answer)


@pytest.mark.parametrize("notify", [False, True])
def test_a_named_resource_that_does_not_exist_is_404(client: Client, front: Front, *, notify: bool) -> None:
    body = {"resources": [f"{ENDPOINT}/pair", f"{ENDPOINT}/nowhere"], "notify": notify}
    front.calls.clear()
    status, answer = asked(client, "POST", "/audit", body)
    assert (status, answer["error"]["code"], answer["error"]["field"]) == (404, "not_found", "resources.1")
    assert f"{ENDPOINT}/nowhere" in answer["error"]["message"]
    assert "sns:Publish" not in front.calls


def test_the_findings_of_a_resource_that_does_not_exist_are_404(client: Client) -> None:
    assert asked(client, "GET", "/audit?resource=pair/AllTraffic")[0] == 200
    status, answer = asked(client, "GET", "/audit?resource=nowhere")
    assert (status, answer["error"]["field"]) == (404, "resource")


def test_a_filtered_report_says_what_it_leaves_out(client: Client) -> None:
    _, every = asked(client, "GET", "/audit")
    _, few = asked(client, "GET", "/audit?severity=high&topic=instances")
    assert every["shown"] is None
    assert (few["shown"]["severity"], few["shown"]["topic"]) == ("high", "instances")
    assert few["shown"]["left_out"] == len(every["findings"]) - len(few["findings"]) > 0


@pytest.mark.parametrize("name", ["resource", "topic", "region", "account"])
def test_a_query_parameter_has_a_bound(client: Client, name: str) -> None:
    status, answer = asked(client, "GET", f"/audit?{name}={'x' * 2_001}")
    assert (status, answer["error"]["field"]) == (400, name)
    assert len(json.dumps(answer)) < 500


@pytest.mark.parametrize("name", ["accounts", "regions", "rules"])
def test_a_list_of_the_body_has_a_bound(client: Client, name: str) -> None:
    status, answer = asked(client, "POST", "/audit", {name: ["x"] * 1_001})
    assert (status, answer["error"]["field"]) == (400, name)
    assert "1000" in answer["error"]["message"]


def test_a_body_has_a_bound(client: Client) -> None:
    status, answer = asked(client, "POST", "/audit", b" " * 1_000_001)
    assert (status, answer["error"]["code"]) == (400, "bad_json")
    assert "1,000,000 bytes" in answer["error"]["message"]


@pytest.mark.parametrize("id", ["a" * 65, "a_b", "run#1", "a%00", "%C3%A9", "a-0"])
def test_a_run_by_any_other_id_is_404(client: Client, id: str) -> None:
    assert asked(client, "GET", f"/audit/runs/{id}")[0] == 404
