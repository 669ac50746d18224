"""What the HTTP face is asked, as models: the query of ``GET /audit`` and its Accept header, the body of ``POST``."""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from chalicelib.errors import InvalidInput
from chalicelib.input.bounds import BODY_BYTES, BODY_ITEMS, QUERY_CHARACTERS, SERIES_MINUTES, TooLarge
from chalicelib.input.reading import read_json
from chalicelib.rehearsal.bounds import LEAST, MOST, MOST_TIMES
from chalicelib.report.findings import Severity

#: What GET /audit can answer with; the first where nothing is preferred.
MEDIA_TYPES = ("application/json", "text/html", "text/csv")
MAX_RESOURCES = 20
MAX_LIMIT = 500
ACCOUNT = r"^[0-9]{12}$"


class Request(BaseModel):
    """What is asked from outside: a field that it does not know is refused."""

    model_config = ConfigDict(frozen=True, defer_build=True, extra="forbid")


T = TypeVar("T", bound=Request)


class AuditQuery(Request):
    """The query of ``GET /audit``: which of the current findings to answer."""

    account: Annotated[str | None, Field(pattern=ACCOUNT, description="Default: the auditor's own.")] = None
    region: Annotated[str | None, Field(description="Default: its own without a ledger, else all.")] = None
    severity: Annotated[Severity, Field(description="The mildest to answer.")] = Severity.INFO
    rule: Annotated[str | None, Field(description="An id that GET /rules lists.")] = None
    topic: Annotated[str | None, Field(description="A topic that GET /rules lists.")] = None
    status: Annotated[Literal["open", "exempt", "resolved"], Field(description="Only these.")] = "open"
    resource: Annotated[str | None, Field(description="The ARN or the name of a resource.")] = None
    limit: Annotated[int, Field(ge=1, le=MAX_LIMIT, description="The most; fewer where an answer is full.")] = MAX_LIMIT
    cursor: Annotated[str | None, Field(description="That of the page before; only with a ledger.")] = None

    @field_validator("limit", mode="before")
    @classmethod
    def _digits(cls, value: Any) -> Any:
        """Text that is a whole number in digits alone; ``1_0`` and ``1.0`` are none."""
        if isinstance(value, str) and not re.fullmatch("[+-]?[0-9]{1,9}", value):
            raise ValueError(f"{value[:20]!r} is no whole number; accepted are 1 to {MAX_LIMIT}")
        return value


class RunQuery(Request):
    """The query of ``GET /audit/runs/{audit_id}``: which page of the report to answer."""

    cursor: Annotated[str | None, Field(description="That of the page before.")] = None


Listed = Annotated[list[str], Field(max_length=BODY_ITEMS.most)]


class CalendarQuery(Request):
    """The query of ``GET /calendar``: whose ends to answer."""

    account: Annotated[str | None, Field(pattern=ACCOUNT, description="Default: the auditor's own.")] = None
    region: Annotated[str | None, Field(description="Default: its own without a ledger, else all.")] = None


class AuditBody(Request):
    """The body of ``POST /audit``: what to audit now; nothing named is everything."""

    resources: Annotated[
        list[str], Field(description="ARNs in one region.", json_schema_extra={"maxItems": MAX_RESOURCES})
    ] = []
    accounts: Annotated[Listed, Field(description="Ids of 12 digits. Default: the auditor's own.")] = []
    regions: Annotated[Listed, Field(description="Default: the configured ones, else its own.")] = []
    rules: Annotated[Listed, Field(description="Ids that GET /rules lists.")] = []
    notify: Annotated[bool, Field(strict=True, description="Whether the result is told.")] = False


Number = Annotated[float, Field(strict=True, ge=LEAST, le=MOST)]


Whole = Annotated[int, Field(strict=True)]


class RehearsalBody(Request):
    """The body of ``POST /rehearse``: an endpoint, whose policy and traffic are read, or a series with the policy to
    rehearse; what is named beside an endpoint takes the place of what was read."""

    endpoint: Annotated[str | None, Field(strict=True, min_length=1, max_length=63, description="Its name.")] = None
    variant: Annotated[
        str | None, Field(strict=True, min_length=1, max_length=63, description="Default: the only one that scales.")
    ] = None
    component: Annotated[
        str | None, Field(strict=True, min_length=1, max_length=63, description="An inference component of it.")
    ] = None
    region: Annotated[str | None, Field(strict=True, description="Default: the auditor's own.")] = None
    days: Annotated[Whole, Field(ge=1, le=14, description="Days of the variant's own traffic.")] = 7
    series: Annotated[
        list[Annotated[float, Field(strict=True, ge=0, le=MOST)] | None],
        Field(max_length=SERIES_MINUTES.most, description="Requests of each minute, null for a gap."),
    ] = []
    begin: Annotated[datetime | None, Field(description="When the series begins; UTC without a zone.")] = None
    minimum: Annotated[Whole | None, Field(ge=0, le=10_000, description="MinCapacity.")] = None
    maximum: Annotated[Whole | None, Field(ge=1, le=10_000, description="MaxCapacity.")] = None
    target: Annotated[Number | None, Field(description="Requests a minute by instance.")] = None
    scale_out_cooldown: Annotated[Whole | None, Field(ge=0, le=86_400, description="Seconds.")] = None
    scale_in_cooldown: Annotated[Whole | None, Field(ge=0, le=86_400, description="Seconds.")] = None
    warmup: Annotated[Whole | None, Field(ge=0, le=1_440, description="Minutes until new instances serve.")] = None
    capacity: Annotated[Number | None, Field(description="What an instance carries in a minute.")] = None
    traffic_multiplier: Annotated[float, Field(strict=True, ge=LEAST, le=MOST_TIMES, description="So many times.")] = (
        1.0
    )
    zones: Annotated[
        Whole | None, Field(ge=1, le=10, description="Tell what the loss of one of so many zones would do.")
    ] = None
    max_short: Annotated[Whole, Field(ge=0, le=1_000_000, description="Minutes that may be short.")] = 15
    asynchronous: Annotated[
        bool,
        Field(
            strict=True, description="Without an endpoint: requests wait, and the target is the backlog by instance."
        ),
    ] = False
    max_wait: Annotated[
        Whole, Field(ge=0, le=1_440, description="Minutes that a request of an asynchronous endpoint may wait.")
    ] = 15
    wake_up: Annotated[
        bool, Field(strict=True, description="With a policy that wakes an asynchronous endpoint for its first request.")
    ] = False

    @field_validator(
        "days",
        "minimum",
        "maximum",
        "scale_out_cooldown",
        "scale_in_cooldown",
        "warmup",
        "zones",
        "max_short",
        "max_wait",
        mode="before",
    )
    @classmethod
    def _whole(cls, value: Any) -> Any:
        """A whole number as JSON writes one: ``4`` and ``4.0``, not ``"4"`` or ``true``."""
        return int(value) if isinstance(value, float) and value.is_integer() else value

    @field_validator("begin", mode="before")
    @classmethod
    def _written(cls, value: Any) -> Any:
        """A time in ISO 8601; pydantic would take a number for seconds."""
        if value is not None and not (isinstance(value, str) and re.match(r"\d{4}-\d{2}-\d{2}", value)):
            raise ValueError(f"{str(value)[:20]!r} is no time; accepted is a time as 2026-03-02T08:00:00Z")
        return value


def valid(model: type[T], values: Any, what: str) -> T:
    """The values as a request; ``what`` they are called in the message. Raises InvalidInput."""
    for name, value in values.items():
        if isinstance(value, str) and len(value) > QUERY_CHARACTERS.most and name != "cursor":
            raise InvalidInput(f"{what} {name[:20]!r}: {TooLarge(QUERY_CHARACTERS)}", field=name)
    try:
        return model.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        at = ".".join(str(part) for part in first["loc"])
        if first["type"] == "extra_forbidden":
            accepted = ", ".join(model.model_fields)
            raise InvalidInput(f"unknown {what} {at[:100]!r}; accepted are {accepted}", field=at[:100]) from None
        raise InvalidInput(f"{what} {at or 'as a whole'}: {first['msg']}", field=at) from None


def body_of(raw: bytes) -> AuditBody:
    """The body of ``POST /audit``; nothing at all asks for everything. Raises InvalidInput."""
    return _body(AuditBody, raw)


def rehearsal_body_of(raw: bytes) -> RehearsalBody:
    """The body of ``POST /rehearse``. Raises InvalidInput."""
    return _body(RehearsalBody, raw)


def _body(model: type[T], raw: bytes) -> T:
    try:
        if len(raw) > BODY_BYTES.most:
            raise TooLarge(BODY_BYTES)
        values = read_json(raw) if raw.strip() else {}
    except TooLarge as error:
        raise InvalidInput(f"the body: {error}", code="bad_json") from None
    except ValueError as error:
        raise InvalidInput(f"the body is not JSON ({error}); accepted is a JSON object", code="bad_json") from None
    if not isinstance(values, dict):
        raise InvalidInput("the body is not a JSON object; accepted keys are " + ", ".join(model.model_fields))
    return valid(model, values, "field")


def preferred(accept: str, accepted: Sequence[str] = MEDIA_TYPES) -> str:
    """What of ``accepted`` an Accept header wants most (RFC 9110, 12.5.1); the first, JSON, where it does not say."""
    wanted: dict[str, float] = {}
    for choice in accept.lower().split(","):
        kind, *parameters = (part.strip() for part in choice.split(";"))
        quality = next((part[2:] for part in parameters if part.startswith("q=")), "1")
        wanted[kind] = float(quality) if re.fullmatch(r"[01](\.\d{0,3})?", quality) else 1.0

    def quality_of(media_type: str) -> float:
        ranges = (media_type, f"{media_type.split('/')[0]}/*", "*/*")
        return next((wanted[range] for range in ranges if range in wanted), 0.0)

    return max(accepted, key=quality_of)  # the first of those that are wanted as much, or not at all
