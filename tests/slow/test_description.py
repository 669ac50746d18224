"""The catalogue over HTTP, the description of the routes, and the errors that no route gives."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from botocore.exceptions import ClientError
from chalice.test import Client
from openapi_spec_validator import OpenAPIV31SpecValidator

import app as handlers
from chalicelib.ledger.table import TABLE
from chalicelib.report.findings import Severity
from chalicelib.rules import RULES
from chalicelib.web.openapi import OPERATIONS, document
from emulator.server import DEFAULT_ACCOUNT as ACCOUNT
from emulator.server import DEFAULT_REGION as REGION
from emulator.server import Emulator
from tests.http.test_http import asked
from tests.service.test_audit import an_endpoint

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
POLICY = """
extends: baseline
rules:
  endpoint-idle: {severity: critical, mode: observe}
  endpoint-single-instance: {enabled: false, min_instances: 3}
custom_rules:
  - {id: acme-endpoint-has-owner, kind: endpoint, severity: low, title: No owner, fails_when: "!tags.owner"}
"""


@pytest.fixture
def client(emulator: Emulator) -> Iterator[Client]:
    handlers.service.cache_clear()
    with Client(handlers.app) as client:
        yield client
    handlers.service.cache_clear()


@pytest.fixture
def with_ledger(emulator: Emulator, client: Client, monkeypatch: pytest.MonkeyPatch) -> Client:
    """A client over an account that has been audited, with its ledger and queue."""
    an_endpoint(emulator, "alone", count=1)
    emulator.client("dynamodb").create_table(TableName="auditor", **TABLE)
    monkeypatch.setenv("AUDITOR_TABLE", "auditor")
    monkeypatch.setenv("AUDITOR_QUEUE_URL", emulator.client("sqs").create_queue(QueueName="parts")["QueueUrl"])
    handlers.service.cache_clear()
    handlers.service().on_schedule({})
    return client


# ---- the catalogue


def test_the_catalogue_lists_every_rule_with_the_policy_in_force(client: Client) -> None:
    status, answer = asked(client, "GET", "/rules")
    assert status == 200
    assert answer["policy"]["name"] == "baseline"
    assert {rule["id"] for rule in answer["rules"]} == RULES.keys()
    for entry in answer["rules"]:
        rule = RULES[entry["id"]]
        assert (entry["topic"], entry["default_severity"], entry["kinds"]) == (
            rule.topic,
            rule.severity,
            list(rule.kinds),
        )
        assert entry["title"] and entry["condition"] and entry["reads"] and entry["permissions"]
        assert all(link.startswith("https://") for link in entry["references"]) and entry["references"]


def test_a_rule_is_told_as_the_policy_applies_it(
    client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "own.yaml").write_text(POLICY)
    monkeypatch.setenv("AUDITOR_POLICY", str(tmp_path / "own.yaml"))
    handlers.service.cache_clear()
    _, idle = asked(client, "GET", "/rules/endpoint-idle")
    assert (idle["severity"], idle["default_severity"], idle["mode"]) == ("critical", "medium", "observe")
    _, single = asked(client, "GET", "/rules/endpoint-single-instance")
    (parameter,) = [parameter for parameter in single["parameters"] if parameter["name"] == "min_instances"]
    assert (single["enabled"], single["enabled_by_default"], single["custom"]) == (False, True, False)
    assert (parameter["value"], parameter["default"]) == (3, 2)
    _, custom = asked(client, "GET", "/rules/acme-endpoint-has-owner")
    assert (custom["title"], custom["custom"], custom["severity"]) == ("No owner", True, Severity.LOW)
    assert "tags" in custom["reads"] and "sagemaker:ListTags" in custom["permissions"]


def test_an_unknown_rule_is_not_found_and_the_nearest_is_named(client: Client) -> None:
    status, answer = asked(client, "GET", "/rules/endpoint-idel")
    assert (status, answer["error"]["code"], answer["error"]["field"]) == (404, "not_found", "id")
    assert "did you mean 'endpoint-idle'" in answer["error"]["message"]


# ---- the description


def test_every_route_is_described_and_nothing_else() -> None:
    routes = {(method, path) for path, methods in handlers.app.routes.items() for method in methods}
    assert OPERATIONS.keys() == routes
    paths = document(handlers.app.routes)["paths"]
    assert {(method.upper(), path) for path, methods in paths.items() for method in methods} == routes


def test_the_description_is_openapi_31_and_what_the_repository_holds(client: Client) -> None:
    status, described = asked(client, "GET", "/openapi.json")
    assert status == 200
    assert described["openapi"].startswith("3.1.")
    OpenAPIV31SpecValidator(described).validate()
    assert described == json.loads((ROOT / "docs" / "openapi.json").read_text())
    assert ACCOUNT not in json.dumps({**described, "paths": {**described["paths"], "/audit": None}})


def test_what_is_behind_iam_says_so() -> None:
    described = document(handlers.app.routes)
    assert described["components"]["securitySchemes"]["sigv4"]["x-amazon-apigateway-authtype"] == "awsSigv4"
    for path, methods in described["paths"].items():
        for operation in methods.values():
            assert operation["security"] == ([] if path in ("/health", "/slack/actions") else [{"sigv4": []}])
            assert ("403" in operation["responses"]) is (path != "/health")


def examples(described: dict[str, Any]) -> Iterator[tuple[Any, Any]]:
    for methods in described["paths"].values():
        for operation in methods.values():
            for holder in [*operation["responses"].values(), operation.get("requestBody", {})]:
                for content in holder.get("content", {}).values():
                    if "example" in content:
                        yield content["schema"], content["example"]


def test_every_example_fits_its_schema() -> None:
    described = document(handlers.app.routes)
    schema_examples = list(examples(described))
    assert len(schema_examples) > 10
    for schema, example in schema_examples:
        jsonschema.Draft202012Validator({**schema, "components": described["components"]}).validate(example)


@pytest.mark.parametrize("media", ["application/json", "text/csv", "text/html"])
def test_each_form_of_the_findings_is_described(with_ledger: Client, media: str) -> None:
    described = document(handlers.app.routes)["paths"]["/audit"]["get"]["responses"]["200"]["content"]
    answer = with_ledger.http.get("/audit", headers={"Accept": media})
    assert (answer.status_code, answer.headers["Content-Type"].split(";")[0]) == (200, media)
    assert media in described and len(described) == 3


# ---- what no description can say


@pytest.mark.parametrize(
    ("method", "path", "media", "status", "code"),
    [
        ("POST", "/audit", "text/plain", 415, "unsupported_media_type"),
        ("PUT", "/audit", "application/json", 405, "method_not_allowed"),
        ("DELETE", "/rules/endpoint-idle", "application/json", 405, "method_not_allowed"),
    ],
)
def test_what_chalice_refuses_has_the_form_of_every_error(
    client: Client, method: str, path: str, media: str, status: int, code: str
) -> None:
    answer = client.http.request(method, path, headers={"Content-Type": media}, body=b"{}")
    assert (answer.status_code, answer.json_body["error"]["code"]) == (status, code)
    assert status != 405 or answer.headers["Allow"]


@pytest.mark.parametrize("body", [b"[" * 100_000, b'{"resources":' + b"[" * 100_000])
def test_a_body_nested_without_end_is_bad_json(client: Client, body: bytes) -> None:
    status, answer = asked(client, "POST", "/audit", body)
    assert (status, answer["error"]["code"]) == (400, "bad_json")


@pytest.mark.parametrize("limit", ["1_0", "%201", "1.0", "0x1", "%D9%A1", "9" * 5000])
def test_a_limit_is_digits_alone(client: Client, limit: str) -> None:
    status, answer = asked(client, "GET", f"/audit?limit={limit}")
    assert (status, answer["error"]["field"]) == (400, "limit")


def test_a_region_named_twice_is_audited_once(client: Client, emulator: Emulator) -> None:
    an_endpoint(emulator, "alone", count=1)
    _, once = asked(client, "POST", "/audit", {"regions": [REGION]})
    _, twice = asked(client, "POST", "/audit", {"regions": [REGION, REGION], "accounts": [ACCOUNT, ACCOUNT]})
    assert once["findings"]
    assert [finding["id"] for finding in twice["findings"]] == [finding["id"] for finding in once["findings"]]


def test_a_run_over_regions_named_twice_has_each_part_once(with_ledger: Client) -> None:
    body = {"regions": [REGION, REGION], "accounts": [ACCOUNT, ACCOUNT]}
    status, begun = asked(with_ledger, "POST", "/audit", body)
    assert (status, begun["parts"]) == (202, 1)
    status, run = asked(with_ledger, "GET", f"/audit/runs/{begun['audit_id']}")
    assert (status, run["parts"]) == (
        200,
        {"total": 1, "done": 0, "open": [f"{ACCOUNT}#{REGION}"], "failed": [], "lost": []},
    )


def test_pages_follow_their_cursor_and_no_other(with_ledger: Client) -> None:
    _, every = asked(with_ledger, "GET", "/audit")
    seen, cursor = [], ""
    while cursor is not None:
        _, page = asked(with_ledger, "GET", f"/audit?limit=1{f'&cursor={cursor}' if cursor else ''}")
        seen += [finding["id"] for finding in page["findings"]]
        cursor = page["cursor"]
        if cursor:
            assert asked(with_ledger, "GET", f"/audit?status=exempt&cursor={cursor}")[0] == 400
    assert seen == [finding["id"] for finding in every["findings"]]
    assert len(seen) > 1


@pytest.mark.parametrize("key", [{}, [1], {"pk": 1}, {"pk": {"S": "x"}}, "x", None])
def test_a_cursor_of_nobody_is_refused(with_ledger: Client, key: Any) -> None:
    cursor = base64.urlsafe_b64encode(json.dumps(key).encode()).decode()
    for text in (cursor, cursor[:-2], "%00", "é"):
        status, answer = asked(with_ledger, "GET", f"/audit?cursor={text}")
        assert (status, answer["error"]["field"]) == (400, "cursor")


@pytest.mark.parametrize("id", ["x" * 3000, "%00", "%C3%A9", "a%2Fb", "a-00000000000000000000"])
def test_a_run_that_never_was_is_not_found(with_ledger: Client, id: str) -> None:
    status, answer = asked(with_ledger, "GET", f"/audit/runs/{id}")
    assert (status, answer["error"]["code"]) == (404, "not_found")


NESTED = b"[" * 3_000 + b"]" * 3_000


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        base64.urlsafe_b64encode(NESTED).decode(),
        "x" * 5_000,
        base64.urlsafe_b64encode(b'{"pk":NaN}').decode(),
        base64.urlsafe_b64encode(b"\xff").decode(),
        base64.urlsafe_b64encode(b"9" * 3_000).decode(),
    ],
    ids=["nothing", "nested", "long", "not a number", "not text", "a long number"],
)
def test_a_cursor_of_any_kind_is_400(with_ledger: Client, cursor: str) -> None:
    status, answer = asked(with_ledger, "GET", f"/audit?cursor={cursor}")
    assert (status, answer["error"]["field"]) == (400, "cursor")


@pytest.mark.parametrize(
    "changed",
    [
        {"pk": f"999999999999#{REGION}"},
        {"pk": ""},
        {"sk": ""},
        {"status_sk": ""},
        {"status_pk": f"{ACCOUNT}#exempt"},
        {"status_pk": "999999999999#open"},
        {"sk": 1},
    ],
)
def test_a_cursor_that_was_changed_is_400(with_ledger: Client, changed: dict[str, Any]) -> None:
    _, page = asked(with_ledger, "GET", "/audit?limit=1")
    key = json.loads(base64.urlsafe_b64decode(page["cursor"]))
    cursor = base64.urlsafe_b64encode(json.dumps({**key, **changed}).encode()).decode()
    status, answer = asked(with_ledger, "GET", f"/audit?cursor={cursor}")
    assert (status, answer["error"]["field"]) == (400, "cursor")


def test_a_key_that_dynamodb_refuses_is_a_cursor_of_nobody(
    with_ledger: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, page = asked(with_ledger, "GET", "/audit?limit=1")
    refusal = {"Error": {"Code": "ValidationException", "Message": "The provided starting key is invalid"}}

    def refuse(*_: Any, **__: Any) -> None:
        raise ClientError(refusal, "Query")

    monkeypatch.setattr(handlers.service().ledger._table.client, "query", refuse)  # type: ignore[union-attr]
    status, answer = asked(with_ledger, "GET", f"/audit?cursor={page['cursor']}")
    assert (status, answer["error"]["field"]) == (400, "cursor")
    status, answer = asked(with_ledger, "GET", "/audit")
    assert (status, answer["error"]["code"]) == (500, "failed")
    assert "ledger cannot be used" in answer["error"]["message"]
    assert "table" not in answer["error"]["message"]


def test_the_findings_of_another_account_are_not_those_of_the_own(with_ledger: Client) -> None:
    _, own = asked(with_ledger, "GET", f"/audit?account={ACCOUNT}")
    status, other = asked(with_ledger, "GET", "/audit?account=999999999999")
    assert own["findings"]
    assert (status, other["account"], other["findings"]) == (200, "999999999999", [])


def test_findings_of_a_rule_that_the_policy_disables_are_listed_only_when_asked_for(
    with_ledger: Client, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    _, every = asked(with_ledger, "GET", "/audit")
    rule = every["findings"][0]["rule"]
    path = tmp_path / "own.yaml"
    path.write_text(f"rules:\n  {rule}: {{enabled: false}}\n")
    monkeypatch.setenv("AUDITOR_POLICY", str(path))
    handlers.service.cache_clear()
    _, without = asked(with_ledger, "GET", "/audit")
    assert {finding["rule"] for finding in without["findings"]} == {each["rule"] for each in every["findings"]} - {rule}
    _, named = asked(with_ledger, "GET", f"/audit?rule={rule}")
    assert {finding["rule"] for finding in named["findings"]} == {rule}


def test_a_queue_without_a_table_begins_no_run(
    client: Client, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUDITOR_QUEUE_URL", emulator.client("sqs").create_queue(QueueName="parts")["QueueUrl"])
    handlers.service.cache_clear()
    status, report = asked(client, "POST", "/audit")
    assert (status, report["trigger"]) == (200, "http")


def test_a_page_of_the_ledger_says_how_it_is_narrowed(with_ledger: Client) -> None:
    _, every = asked(with_ledger, "GET", "/audit")
    _, page = asked(with_ledger, "GET", f"/audit?severity=high&region={REGION}")
    assert every["shown"] is None
    assert (page["shown"]["severity"], page["shown"]["region"], page["shown"]["left_out"]) == ("high", REGION, None)
