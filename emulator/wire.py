"""What an HTTP request asks of AWS, and how an answer or an error looks in the protocol of that request."""

from __future__ import annotations

import gzip
import io
import json
import re
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import parse_qsl
from xml.sax.saxutils import escape

from emulator import cbor

Environ = dict[str, Any]
StartResponse = Callable[..., Any]
Application = Callable[[Environ, StartResponse], Iterable[bytes]]

_SCOPE = re.compile(r"Credential=([^/,\s]+)/\d+/([^/]+)/([^/]+)/aws4_request")
_RPC_PATH = re.compile(r"^/service/[^/]+/operation/([^/]+)$")
#: Where CloudWatch answers queries in PromQL; no operation of botocore's.
PROMQL = "/api/v1/query"
_SERVICE_BY_SIGNING_NAME = {
    "monitoring": "cloudwatch",
    "email": "ses",
    "elasticloadbalancing": "elbv2",
    "tagging": "resourcegroupstaggingapi",
    "execute-api": "apigateway",
}
_REASONS = {200: "OK", 400: "Bad Request", 403: "Forbidden", 404: "Not Found", 429: "Too Many Requests"}


@dataclass
class Call:
    """One call of an AWS operation.

    service and operation are botocore's names; protocol is json, cbor, query, ec2 or rest.
    """

    service: str
    operation: str
    region: str
    access_key: str
    protocol: str
    body: bytes = field(repr=False)

    @property
    def name(self) -> str:
        """`service:Operation`, for example `sagemaker:DescribeEndpoint`."""
        return f"{self.service}:{self.operation}"

    @cached_property
    def params(self) -> dict[str, Any]:
        """The request's parameters: nested for json and cbor, flat (`SubnetId.1`) for query and ec2."""
        if self.protocol == "json":
            return dict(json.loads(self.body or b"{}"))
        if self.protocol == "cbor":
            return dict(cbor.decode(self.body)) if self.body else {}
        if self.protocol in ("query", "ec2"):
            return dict(parse_qsl(self.body.decode(), keep_blank_values=True))
        return {}

    @property
    def account(self) -> str:
        """The account that the caller's credentials belong to."""
        from moto.iam.models import get_account_id_from

        return str(get_account_id_from(self.access_key))


def read_call(environ: Environ) -> Call:
    """The call in a WSGI request. The body stays readable for the application behind."""
    body = _read_body(environ)
    access_key, region, signing_name = "", "us-east-1", ""
    if scope := _SCOPE.search(environ.get("HTTP_AUTHORIZATION", "")):
        access_key, region, signing_name = scope.groups()
    service = _SERVICE_BY_SIGNING_NAME.get(signing_name, signing_name)
    path = environ.get("PATH_INFO", "")
    if target := environ.get("HTTP_X_AMZ_TARGET"):
        if target.startswith("DynamoDBStreams_"):
            service = "dynamodbstreams"
        return Call(service, target.rpartition(".")[2], region, access_key, "json", body)
    if rpc := _RPC_PATH.match(path):
        return Call(service, rpc.group(1), region, access_key, "cbor", body)
    form = environ.get("CONTENT_TYPE", "").startswith("application/x-www-form-urlencoded")
    if form and (action := re.search(rb"(?:^|&)Action=(\w+)", body)):
        protocol = "ec2" if service == "ec2" else "query"
        return Call(service, action.group(1).decode(), region, access_key, protocol, body)
    if service == "cloudwatch" and path == PROMQL:
        return Call(service, "QueryMetrics", region, access_key, "rest", body)
    if service == "sagemaker" and path.endswith("/invocations"):
        return Call("sagemaker-runtime", "InvokeEndpoint", region, access_key, "rest", body)
    return Call(service, _rest_operation(service, environ), region, access_key, "rest", body)


def _read_body(environ: Environ) -> bytes:
    length = int(environ.get("CONTENT_LENGTH") or 0)
    body: bytes = environ["wsgi.input"].read(length) if length else b""
    environ["wsgi.input"] = io.BytesIO(body)
    # botocore compresses large PutMetricData requests.
    return gzip.decompress(body) if environ.get("HTTP_CONTENT_ENCODING") == "gzip" else body


def _rest_operation(service: str, environ: Environ) -> str:
    """REST protocols name no operation: find it by method and path in the service model."""
    from moto.core.request import Request
    from moto.core.routing import get_service_router

    try:
        operation, _ = get_service_router(service).match(Request(dict(environ)))
    except Exception:  # moto raises many kinds here; a call without a known operation is named by its path
        return f"{environ.get('REQUEST_METHOD', 'GET')} {environ.get('PATH_INFO', '')}"
    return str(operation.name)


def respond(start_response: StartResponse, status: int, body: bytes, headers: dict[str, str]) -> Iterable[bytes]:
    """A complete answer, with the request id that AWS gives to each call."""
    request_id = str(uuid.uuid4())
    start_response(
        f"{status} {_REASONS.get(status, 'Error')}",
        [("x-amzn-RequestId", request_id), ("Content-Length", str(len(body))), *headers.items()],
    )
    return [body]


def respond_result(call: Call, result: Any, start_response: StartResponse) -> Iterable[bytes]:
    """A successful answer to a json or cbor call."""
    if call.protocol == "cbor":
        headers = {"Content-Type": "application/cbor", "smithy-protocol": "rpc-v2-cbor"}
        return respond(start_response, 200, cbor.encode(result or {}), headers)
    body = json.dumps(result or {}, separators=(",", ":")).encode()
    return respond(start_response, 200, body, {"Content-Type": "application/x-amz-json-1.1"})


def respond_error(call: Call, status: int, code: str, message: str, start_response: StartResponse) -> Iterable[bytes]:
    """An error answer in the protocol of the call."""
    kind = "Sender" if status < 500 else "Receiver"
    if call.protocol == "cbor":
        headers = {
            "Content-Type": "application/cbor",
            "smithy-protocol": "rpc-v2-cbor",
            "x-amzn-query-error": f"{code};{kind}",
        }
        return respond(start_response, status, cbor.encode({"__type": code, "message": message}), headers)
    if call.protocol in ("query", "ec2") or call.service == "s3":
        return respond(start_response, status, _xml_error(call, kind, code, message), {"Content-Type": "text/xml"})
    headers = {"Content-Type": "application/x-amz-json-1.1", "x-amzn-ErrorType": code}
    return respond(start_response, status, json.dumps({"__type": code, "message": message}).encode(), headers)


def _xml_error(call: Call, kind: str, code: str, message: str) -> bytes:
    error = f"<Code>{escape(code)}</Code><Message>{escape(message)}</Message>"
    if call.protocol == "ec2":
        text = f"<Response><Errors><Error>{error}</Error></Errors><RequestID>{uuid.uuid4()}</RequestID></Response>"
    elif call.service == "s3":
        text = f"<Error>{error}<RequestId>{uuid.uuid4()}</RequestId></Error>"
    else:
        text = (
            f"<ErrorResponse><Error><Type>{kind}</Type>{error}</Error>"
            f"<RequestId>{uuid.uuid4()}</RequestId></ErrorResponse>"
        )
    return b'<?xml version="1.0" encoding="UTF-8"?>' + text.encode()
