"""What the HTTP face is asked: queries, bodies and Accept headers, and what is said of those that are wrong."""

from typing import Any

import pytest

from chalicelib.errors import AccessFailed, AuditorError, InvalidInput
from chalicelib.input.bounds import BODY_BYTES, QUERY_CHARACTERS
from chalicelib.report.findings import Severity
from chalicelib.web import routes
from chalicelib.web.requests import AuditBody, AuditQuery, body_of, preferred, valid
from chalicelib.web.response import HttpResponse, failure


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("", "application/json"),
        ("*/*", "application/json"),
        ("text/html", "text/html"),
        ("TEXT/HTML", "text/html"),
        ("text/csv, text/html;q=0.9", "text/csv"),
        ("text/csv;q=0.8, text/html;q=0.9", "text/html"),
        ("text/csv; q=0.8 , text/html ; q=0.9", "text/html"),
        ("text/csv;charset=utf-8;q=0.8, text/html;q=0.9", "text/html"),
        ("text/html;charset=utf-8", "text/html"),
        ("text/*", "text/html"),
        ("text/*, text/html;q=0.1", "text/csv"),
        ("text/*;q=0.5, application/json;q=0.4", "text/html"),
        ("application/json;q=0, */*;q=0.1", "text/html"),
        ("*/*;q=0.2, text/csv;q=0.1", "application/json"),
        ("text/html;q=0", "application/json"),
        ("image/png", "application/json"),
        ("text/csv;q=nonsense, text/html;q=0.9", "text/csv"),
        ("text/csv;q=2, text/html;q=0.9", "text/csv"),
        ("text/csv;q=0.999, text/html;q=1.000", "text/html"),
        ("text/csv;q=0.9999, text/html;q=0.9", "text/csv"),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "text/html"),
    ],
)
def test_the_answer_is_what_the_caller_prefers_or_else_json(accept: str, kind: str) -> None:
    assert preferred(accept) == kind


def test_a_route_that_answers_with_something_else_says_so() -> None:
    accepted = ("application/json", "text/calendar")
    assert preferred("text/calendar", accepted) == "text/calendar"
    assert preferred("text/html", accepted) == "application/json"


def said(model: Any, values: Any, what: str = "query parameter") -> tuple[str, str]:
    """The complaint, and the field that it is of."""
    with pytest.raises(InvalidInput) as error:
        valid(model, values, what)
    assert error.value.code == "invalid_input"
    return str(error.value), error.value.field


def test_what_a_query_asks_for_is_read() -> None:
    asked = valid(AuditQuery, {"severity": "high", "limit": "+7", "account": "1" * 12}, "query parameter")
    assert (asked.severity, asked.limit, asked.account, asked.status) == (Severity.HIGH, 7, "1" * 12, "open")
    assert valid(AuditQuery, {"limit": 7}, "query parameter").limit == 7


def test_a_parameter_that_does_not_exist_names_those_that_do() -> None:
    accepted = "account, region, severity, rule, topic, status, resource, limit, cursor"
    assert said(AuditQuery, {"sort": "x"}) == (f"unknown query parameter 'sort'; accepted are {accepted}", "sort")
    message, field = said(AuditQuery, {"x" * 200: "y"})
    assert message.startswith(f"unknown query parameter {'x' * 100!r}; accepted")
    assert field == "x" * 100


@pytest.mark.parametrize(("limit", "shown"), [("1_0", "1_0"), ("1.0", "1.0"), ("", ""), ("9" * 30, "9" * 20)])
def test_a_limit_is_a_whole_number_in_digits(limit: str, shown: str) -> None:
    message, field = said(AuditQuery, {"limit": limit})
    assert message.endswith(f"{shown!r} is no whole number; accepted are 1 to 500")
    assert field == "limit"


def test_a_value_that_is_not_accepted_names_its_parameter() -> None:
    message, field = said(AuditQuery, {"limit": "501"})
    assert message.startswith("query parameter limit: ") and "500" in message
    assert field == "limit"
    message, field = said(AuditBody, {"resources": ["a", 7]}, "field")
    assert message.startswith("field resources.1: ")
    assert field == "resources.1"
    message, field = said(AuditBody, {"notify": "yes"}, "field")
    assert field == "notify"


def test_a_long_value_is_refused_and_a_long_cursor_left_to_whoever_reads_it() -> None:
    most = QUERY_CHARACTERS.most
    assert valid(AuditQuery, {"resource": "x" * most}, "query parameter").resource == "x" * most
    message, field = said(AuditQuery, {"resource": "x" * (most + 1)})
    assert message.startswith(f"query parameter 'resource': it is too large; accepted are up to {QUERY_CHARACTERS}")
    assert field == "resource"
    message, _ = said(AuditQuery, {"y" * 30: "x" * (most + 1)})
    assert message.startswith(f"query parameter {'y' * 20!r}: ")
    assert valid(AuditQuery, {"cursor": "x" * (most + 1)}, "query parameter").cursor is not None


@pytest.mark.parametrize("raw", [b"", b" \n", b"{}"])
def test_a_body_that_names_nothing_asks_for_everything(raw: bytes) -> None:
    assert body_of(raw) == AuditBody()


def test_a_body_is_read_whole() -> None:
    body = body_of(b'{"resources": ["arn:1"], "rules": ["endpoint-idle"], "notify": true}')
    assert (body.resources, body.rules, body.notify) == (["arn:1"], ["endpoint-idle"], True)
    assert body_of(b"{}".ljust(BODY_BYTES.most)) == AuditBody()


@pytest.mark.parametrize(
    ("raw", "code", "says"),
    [
        (b"{", "bad_json", r"the body is not JSON \(.+\); accepted is a JSON object"),
        (b"{}".ljust(BODY_BYTES.most + 1), "bad_json", "the body: it is too large; accepted are up to"),
        (b"[" * 50_000, "bad_json", "the body: it is too large; accepted are up to 100 levels"),
        (b"[]", "invalid_input", "not a JSON object; accepted keys are resources, accounts, regions, rules, notify"),
        (b'{"x": 1}', "invalid_input", "unknown field 'x'; accepted are resources, accounts"),
    ],
)
def test_a_body_that_is_wrong_says_what_would_be_accepted(raw: bytes, code: str, says: str) -> None:
    with pytest.raises(InvalidInput, match=says) as error:
        body_of(raw)
    assert error.value.code == code


def test_an_error_names_its_field_where_one_is_to_blame() -> None:
    answer = failure(404, "not_found", "there is none", "id")
    assert (answer.status, answer.headers) == (404, {"Content-Type": "application/json"})
    assert answer.body == {"error": {"code": "not_found", "message": "there is none", "field": "id"}}
    assert failure(500, "failed", "no").body["error"]["field"] is None


FAULTS: list[tuple[Exception, int, str, str, str | None]] = [
    (routes.NoSuchResource("there is no churn", field="resource"), 404, "not_found", "there is no churn", "resource"),
    (InvalidInput("unknown rule", field="rule"), 400, "invalid_input", "unknown rule", "rule"),
    (InvalidInput("no JSON", code="bad_json"), 400, "bad_json", "no JSON", None),
    (
        routes.Misconfigured("role arn:1"),
        500,
        "misconfigured",
        "the auditor is misconfigured; the log of its function says how",
        None,
    ),
    (AccessFailed("role arn:1"), 502, "aws_unavailable", AccessFailed.outside, None),
    (AuditorError("table t"), 500, "failed", AuditorError.outside, None),
    (RuntimeError("key k"), 500, "internal", "the audit failed; the log of the function says why", None),
]


@pytest.mark.parametrize(("raised", "status", "code", "message", "field"), FAULTS, ids=[fault[2] for fault in FAULTS])
def test_whatever_is_raised_is_an_error_of_the_contract_and_its_trace_is_in_the_log(
    raised: Exception, status: int, code: str, message: str, field: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    def work() -> HttpResponse:
        raise raised

    answer = routes.guarded(work)
    assert (answer.status, answer.body) == (status, {"error": {"code": code, "message": message, "field": field}})
    assert [record.exc_info is not None for record in caplog.records] == ([True] if status >= 500 else [])


def test_what_is_answered_is_handed_on() -> None:
    assert routes.guarded(lambda: HttpResponse(200, {"a": 1})).body == {"a": 1}


def test_what_never_reached_a_route_is_named_by_its_status() -> None:
    answer = routes.refused_by_chalice(405, "no such method")
    assert (answer.status, answer.body["error"]["code"]) == (405, "method_not_allowed")
    assert answer.body["error"]["message"] == "no such method"


def test_a_service_that_cannot_begin_is_misconfigured() -> None:
    def wrong() -> Any:
        raise InvalidInput("AUDITOR_TABLE is wrong")

    with pytest.raises(routes.Misconfigured, match="AUDITOR_TABLE is wrong"):
        routes.ready(wrong)
