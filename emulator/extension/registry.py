"""Operations that the extension answers, and how they are put in place of moto's own."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from threading import RLock
from typing import Any

import moto.iam.models as iam_models
from botocore import xform_name
from moto.applicationautoscaling.models import applicationautoscaling_backends
from moto.applicationautoscaling.responses import ApplicationAutoScalingResponse
from moto.cloudtrail.models import cloudtrail_backends
from moto.cloudtrail.responses import CloudTrailResponse
from moto.cloudwatch.models import cloudwatch_backends
from moto.cloudwatch.responses import CloudWatchResponse
from moto.core.exceptions import ServiceException
from moto.core.responses import ActionResult
from moto.sagemaker.models import sagemaker_backends
from moto.sagemaker.responses import SageMakerResponse
from moto.servicequotas.models import servicequotas_backends
from moto.servicequotas.responses import ServiceQuotasResponse

from emulator.cbor import Timestamp, Timestamps

Handler = Callable[[Any, dict[str, Any]], dict[str, Any] | None]

HANDLERS: dict[tuple[str, str], Handler] = {}
"""By service and operation, in botocore's names: a function of moto's backend and the request's parameters."""

LOCK = RLock()
"""Held by every handler and by seeding: requests arrive on several threads."""

_BACKENDS: dict[str, Any] = {
    "sagemaker": sagemaker_backends,
    "application-autoscaling": applicationautoscaling_backends,
    "cloudtrail": cloudtrail_backends,
    "cloudwatch": cloudwatch_backends,
    "servicequotas": servicequotas_backends,
}
_RESPONSES: dict[str, Any] = {
    "sagemaker": SageMakerResponse,
    "application-autoscaling": ApplicationAutoScalingResponse,
    "cloudtrail": CloudTrailResponse,
    "cloudwatch": CloudWatchResponse,
    "servicequotas": ServiceQuotasResponse,
}
_ACCESS_KEY_PREFIX = "AKIAEMUL"


class NotHandled(Exception):
    """The extension leaves this call to moto."""


class AwsError(ServiceException):
    """An error answer; status is the HTTP status."""

    status = 400

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(code, message)
        self.status = status


def invalid(message: str) -> AwsError:
    """The ValidationException with which SageMaker and Application Auto Scaling refuse a request."""
    return AwsError("ValidationException", message)


def operation(service: str, *names: str) -> Callable[[Handler], Handler]:
    """Registers a handler for operations of `service`."""

    def register(handler: Handler) -> Handler:
        for name in names:
            HANDLERS[service, name] = handler
        return handler

    return register


def access_key_of(account: str) -> str:
    """An access key id that belongs to `account` (12 digits), and still does after a reset."""
    if len(account) != 12 or not account.isdigit():
        raise ValueError(f"an AWS account id has 12 digits, not {account!r}")
    return _ACCESS_KEY_PREFIX + account


def backend_of(service: str, account: str, region: str) -> Any:
    """moto's backend for a service, made when it is not there yet."""
    return _BACKENDS[service][account][region]


def handle(service: str, name: str, account: str, region: str, params: dict[str, Any]) -> dict[str, Any] | None:
    """Runs a handler. Raises NotHandled where moto answers, AwsError where AWS refuses."""
    handler = HANDLERS.get((service, name))
    if handler is None:
        raise NotHandled(f"{service}:{name}")
    with LOCK:
        return handler(backend_of(service, account, region), params)


def page(
    items: Sequence[Any],
    request: Mapping[str, Any],
    default: int,
    maximum: int,
    size_member: str = "MaxResults",
    invalid_token: str = "ValidationException",
) -> tuple[list[Any], str | None]:
    """One page of `items` and the token of the next one, which is None on the last page.

    Raises ValidationException when the page size is not within 1 and `maximum`, as AWS does.
    """
    size = request.get(size_member)
    if size is None:
        size = default
    if not 1 <= size <= maximum:
        bound, relation = (1, "greater than or equal to") if size < 1 else (maximum, "less than or equal to")
        raise invalid(
            f"1 validation error detected: Value '{size}' at '{size_member[0].lower()}{size_member[1:]}' failed to "
            f"satisfy constraint: Member must have value {relation} {bound}"
        )
    start = _read_token(request.get("NextToken"), invalid_token)
    end = start + size
    return list(items[start:end]), (write_token(end) if end < len(items) else None)


def write_token(state: Any) -> str:
    """An opaque NextToken that carries `state`."""
    return base64.urlsafe_b64encode(json.dumps(["page", state]).encode()).decode()


def read_token(token: str | None, error_code: str) -> Any:
    """The state in a NextToken, None without one. Raises an error of `error_code` for a foreign token."""
    if not token:
        return None
    try:
        marker, state = json.loads(base64.urlsafe_b64decode(token.encode()))
    except (ValueError, TypeError):
        marker = state = None
    if marker != "page":
        raise AwsError(error_code, "Invalid pagination token")
    return state


def _read_token(token: str | None, error_code: str) -> int:
    state = read_token(token, error_code) or 0
    if not isinstance(state, int):
        raise AwsError(error_code, "Invalid pagination token")
    return state


def epoch(value: Any) -> float:
    """Seconds since the epoch of a datetime (UTC when naive), an ISO string or a number."""
    if isinstance(value, datetime):
        return (value if value.tzinfo else value.replace(tzinfo=UTC)).timestamp()
    if isinstance(value, str):
        try:
            return float(value)
        except ValueError:
            return epoch(datetime.fromisoformat(value))
    return float(value)


def install() -> None:
    """Puts the handlers in place of moto's response methods, and lets access keys name their account."""
    for service, name in HANDLERS:
        response = _RESPONSES[service]
        method_name = xform_name(name)
        setattr(response, method_name, _method(service, name, getattr(response, method_name, None)))
    _let_access_keys_name_their_account()


def _method(service: str, name: str, original: Any) -> Any:
    def method(self: Any) -> Any:
        params = self.params if service == "cloudwatch" else json.loads(self.body or "{}")
        try:
            result = handle(service, name, self.current_account, self.region, dict(params))
        except NotHandled:
            if original is None:
                raise
            return original(self)
        if service == "cloudwatch":
            return ActionResult(_with_datetimes(result or {}))
        return json.dumps(result or {})

    method.__name__ = xform_name(name)
    return method


def _with_datetimes(value: Any) -> Any:
    """moto's serializers want datetimes where the extension has `Timestamp`."""
    if isinstance(value, Timestamp):
        return datetime.fromtimestamp(value, UTC)
    if isinstance(value, Timestamps):
        return [datetime.fromtimestamp(moment, UTC) for moment in value]
    if isinstance(value, dict):
        return {key: _with_datetimes(member) for key, member in value.items() if member is not None}
    if isinstance(value, list):
        return [_with_datetimes(member) for member in value]
    return value


def _let_access_keys_name_their_account() -> None:
    original = iam_models.get_account_id_from

    def get_account_id_from(access_key: str) -> str:
        if access_key.startswith(_ACCESS_KEY_PREFIX):
            return access_key.removeprefix(_ACCESS_KEY_PREFIX)
        return str(original(access_key))

    iam_models.get_account_id_from = get_account_id_from
