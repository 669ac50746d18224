"""An HTTP answer, and the contract's form of an error."""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct, field


class HttpResponse(Struct, frozen=True):
    """An HTTP answer."""

    status: int
    body: Any
    headers: Mapping[str, str] = field(default_factory=lambda: {"Content-Type": "application/json"})


def failure(status: int, code: str, message: str, at: str = "") -> HttpResponse:
    """The contract's form of an error; ``field`` is null when no single field is to blame."""
    return HttpResponse(status, {"error": {"code": code, "message": message, "field": at or None}})
