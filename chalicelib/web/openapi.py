"""The description of the HTTP face in OpenAPI 3.1: routes from the app, forms from the models that make the answers.

It is built when it is asked for, in some tens of milliseconds: nothing of it is loaded by a cold start, no file is
packed, and it cannot be older than the code. ``docs/openapi.json`` is the same, written by ``make generate``.
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from msgspec import Struct, field
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from chalicelib import __version__
from chalicelib.report.findings import Report
from chalicelib.web.answers import (
    CalendarAnswer,
    Catalogue,
    CatalogueRule,
    ErrorAnswer,
    FindingsPage,
    GatewayError,
    Health,
    RehearsalAnswer,
    RunBegun,
    RunState,
)
from chalicelib.web.requests import AuditBody, AuditQuery, CalendarQuery, RehearsalBody, RunQuery

REF = "#/components/schemas/{model}"
JSON, CSV, HTML, ICS = "application/json", "text/csv", "text/html", "text/calendar"
FORM = "application/x-www-form-urlencoded"
ARN = "arn:aws:sagemaker:eu-west-1:123456789012:endpoint/churn"
#: Security by IAM: a request is signed with AWS Signature Version 4 for the service ``execute-api``.
SIGNED = {"type": "apiKey", "name": "Authorization", "in": "header", "x-amazon-apigateway-authtype": "awsSigv4"}

Model = type[BaseModel]
Object = dict[str, Any]


class Answered(Struct, frozen=True):
    """One answer of an operation: what it means, its models (any of them) and other media types, its headers."""

    meaning: str
    models: tuple[Model, ...] = ()
    others: tuple[str, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    example: Object | None = None


class Operation(Struct, frozen=True):
    """What a route takes and answers. ``path`` describes its path parameter, ``form`` the fields of a form."""

    id: str
    answers: Mapping[int, Answered]
    query: Model | None = None
    body: Model | None = None
    path: str = ""
    form: Mapping[str, str] = field(default_factory=dict)
    example: Object | None = None


def _error(meaning: str, code: str, message: str, at: str | None = None) -> Answered:
    return Answered(meaning, (ErrorAnswer,), example={"error": {"code": code, "message": message, "field": at}})


BAD_QUERY = _error("A parameter is wrong.", "invalid_input", "unknown query parameter 'colour'", "colour")
BAD_CURSOR = _error(
    "The cursor is wrong.", "invalid_input", "the cursor is none that a page of this query gave", "cursor"
)
BAD_BODY = _error("The body is wrong.", "bad_json", "the body is not JSON; accepted is a JSON object")
BAD_REHEARSAL = _error(
    "The body is wrong, or what it names cannot be rehearsed.",
    "unrehearsable",
    "churn/AllTraffic cannot be rehearsed: no scaling policy",
)
NO_RUN = _error("There is no such run.", "not_found", "there is no run 'a-1'", "audit_id")
NO_RESOURCE = _error(
    "There is no such resource.", "not_found", "there is no resource 'arn:aws:sagemaker:…'", "resources.0"
)
NO_RULE = _error("There is no such rule.", "not_found", "unknown rule 'endpoint-single'", "id")
FAILED = _error("The auditor failed; its log says why.", "internal", "the audit failed")
NO_MEDIA = _error("The body is of another media type.", "unsupported_media_type", "Unsupported media type: text/plain")
#: What every route behind IAM may answer besides.
GUARDED = {
    403: Answered("The signature is missing or wrong, or IAM does not allow it.", (GatewayError,)),
    429: Answered("Too many requests.", (GatewayError,)),
    500: FAILED,
    502: Answered("AWS cannot be reached or refuses the credentials.", (ErrorAnswer, GatewayError)),
    504: Answered("The audit takes longer than API Gateway waits.", (GatewayError,)),
}
REPORT = Answered(
    "The report of the audit; of one that is too large for an answer the first page.",
    (Report,),
    headers={
        "X-Next-Cursor": "With Location: asks that run for the next page; absent where the report is whole.",
        "Location": "The address of the run under which a report is kept that is too large for an answer.",
    },
)
FOUND = Answered(
    "The findings, below 6 MB: a page from the ledger, which ends earlier where an answer is full, or without a ledger "
    "the report of an audit made now, of which `shown` counts what is left out.",
    (FindingsPage, Report),
    (CSV, HTML),
    {"X-Next-Cursor": "With text/csv: asks for the next page; absent on the last one."},
)
BEGUN = Answered(
    "A run has begun over more than can be waited for.",
    (RunBegun,),
    headers={"Location": "The address of the run, from the root of the stage."},
    example={"audit_id": "a-3b1c0e5d9a7f4e21c0de", "state": "queued", "parts": 4},
)

OPERATIONS: dict[tuple[str, str], Operation] = {
    ("GET", "/audit"): Operation(
        "getAudit", {200: FOUND, 400: BAD_QUERY, 404: NO_RESOURCE, **GUARDED}, query=AuditQuery
    ),
    ("POST", "/audit"): Operation(
        "postAudit",
        {200: REPORT, 202: BEGUN, 400: BAD_BODY, 404: NO_RESOURCE, 415: NO_MEDIA, **GUARDED},
        body=AuditBody,
        example={"resources": [ARN], "notify": False},
    ),
    ("GET", "/audit/runs/{audit_id}"): Operation(
        "getRun",
        {200: Answered("The run.", (RunState,)), 400: BAD_CURSOR, 404: NO_RUN, **GUARDED},
        query=RunQuery,
        path="The id that POST /audit answered.",
    ),
    ("GET", "/calendar"): Operation(
        "getCalendar",
        {200: Answered("What ends, and when.", (CalendarAnswer,), (ICS,)), 400: BAD_QUERY, **GUARDED},
        query=CalendarQuery,
    ),
    ("POST", "/rehearse"): Operation(
        "postRehearse",
        {
            200: Answered("The rehearsal.", (RehearsalAnswer,)),
            400: BAD_REHEARSAL,
            415: NO_MEDIA,
            **GUARDED,
        },
        body=RehearsalBody,
        example={"endpoint": "churn", "days": 7, "traffic_multiplier": 1.5},
    ),
    ("GET", "/rules"): Operation("getRules", {200: Answered("The catalogue.", (Catalogue,)), **GUARDED}),
    ("GET", "/rules/{id}"): Operation(
        "getRule", {200: Answered("The rule.", (CatalogueRule,)), 404: NO_RULE, **GUARDED}, path="The id of a rule."
    ),
    ("GET", "/health"): Operation(
        "getHealth",
        {200: Answered("Alive.", (Health,)), 429: GUARDED[429], 500: FAILED, 502: GUARDED[502], 504: GUARDED[504]},
    ),
    ("POST", "/slack/actions"): Operation(
        "postSlackAction",
        {
            200: Answered("What Slack shows: nothing more, or what is wrong with a dialog."),
            400: _error("The request is none of Slack's.", "invalid_input", "the request has no payload", "payload"),
            401: _error("Slack did not sign it just now.", "unauthorized", "the request is not signed by Slack"),
            403: _error("It came before.", "forbidden", "the request was answered before"),
            404: _error("No signing secret is configured.", "not_found", "nothing is answered in Slack here"),
            415: NO_MEDIA,
            429: GUARDED[429],
            500: FAILED,
            502: GUARDED[502],
            504: GUARDED[504],
        },
        form={"payload": "What happened in Slack, as JSON."},
    ),
    ("GET", "/openapi.json"): Operation("getOpenapi", {200: Answered("This description."), **GUARDED}),
}


def document(routes: Mapping[str, Mapping[str, Any]]) -> Object:
    """The description of ``routes``, the app's own (``app.routes``). Raises KeyError for a route not known here."""
    paths: Object = {}
    for path, methods in sorted(routes.items()):
        for method, route in methods.items():
            described = _operation(OPERATIONS[method, path], path, route)
            paths.setdefault(path, {})[method.lower()] = described
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "SageMaker auditor",
            "version": __version__,
            "summary": "Resilience and scaling of Amazon SageMaker: findings, audits, rules.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": ".", "description": "The stage that serves this description."}],
        "paths": paths,
        "components": {"schemas": _schemas(), "securitySchemes": {"sigv4": SIGNED}},
    }


def _schemas() -> Object:
    models = {
        model for operation in OPERATIONS.values() for answer in operation.answers.values() for model in answer.models
    }
    answered = [(model, "serialization") for model in sorted(models, key=lambda model: model.__name__)]
    bodies = [(operation.body, "validation") for operation in OPERATIONS.values() if operation.body is not None]
    _, schema = models_json_schema([*answered, *bodies], ref_template=REF)  # type: ignore[list-item]
    return dict(schema["$defs"])


def _operation(operation: Operation, path: str, route: Any) -> Object:
    summary, _, description = (route.view_function.__doc__ or "").strip().partition("\n")
    described: Object = {"operationId": operation.id, "summary": summary}
    if description.strip():
        described["description"] = " ".join(description.split())
    described["security"] = [{"sigv4": []}] if route.authorizer is not None else []
    if parameters := [*_in_path(operation, path), *_in_query(operation.query)]:
        described["parameters"] = parameters
    if operation.body is not None:
        content = {"schema": {"$ref": REF.format(model=operation.body.__name__)}, "example": operation.example}
        described["requestBody"] = {"required": False, "content": {JSON: content}}
    if operation.form:
        fields = {name: {"type": "string", "description": text} for name, text in operation.form.items()}
        schema = {"type": "object", "properties": fields, "required": list(fields)}
        described["requestBody"] = {"required": True, "content": {FORM: {"schema": schema}}}
    described["responses"] = {
        str(status): _answer(status, answer) for status, answer in sorted(operation.answers.items())
    }
    return described


def _in_path(operation: Operation, path: str) -> list[Object]:
    names = [part[1:-1] for part in path.split("/") if part.startswith("{")]
    return [
        {
            "name": name,
            "in": "path",
            "required": True,
            "description": operation.path,
            "schema": {"type": "string", "minLength": 1},
        }
        for name in names
    ]


def _in_query(model: Model | None) -> list[Object]:
    """A query parameter for each field. Absent stands for null, which a query cannot say."""
    if model is None:
        return []
    properties = model.model_json_schema(ref_template=REF)["properties"]
    return [_parameter(name, dict(schema)) for name, schema in properties.items()]


def _parameter(name: str, schema: Object) -> Object:
    description = schema.pop("description", None)
    schema.pop("title", None)
    if schema["default"] is None:  # as each parameter may be left out, each has one
        del schema["default"]
    if "anyOf" in schema:
        (form,) = [choice for choice in schema.pop("anyOf") if choice.get("type") != "null"]
        schema |= form
    described = {"name": name, "in": "query", "required": False, "schema": schema}
    return {**described, **({"description": description} if description else {})}


def _answer(status: int, answered: Answered) -> Object:
    described: Object = {"description": answered.meaning or HTTPStatus(status).phrase}
    if answered.headers:
        described["headers"] = {
            name: {"description": text, "schema": {"type": "string"}, "required": status == HTTPStatus.ACCEPTED}
            for name, text in answered.headers.items()
        }
    refs = [{"$ref": REF.format(model=model.__name__)} for model in answered.models]
    schema: Object = {"type": "object"} if not refs else refs[0] if len(refs) == 1 else {"anyOf": refs}
    content: Object = {JSON: {"schema": schema, **({"example": answered.example} if answered.example else {})}}
    content |= {media: {"schema": {"type": "string"}} for media in answered.others}
    described["content"] = content
    return described
