"""The HTTP face, free of any framework: queries and bodies in, status and JSON out."""

import json
import logging
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated, Any, Literal, TypeVar
from urllib.parse import urlencode

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from chalicelib import __version__
from chalicelib.errors import AccessFailed, AuditorError, InvalidInput
from chalicelib.ledger.history import Past
from chalicelib.ledger.ledger import Page, Query
from chalicelib.policy.policy import RuleSetting, unknown_rule
from chalicelib.report.findings import PolicyUsed, Report, ScopeAudited, Severity
from chalicelib.report.formats.page import More, page
from chalicelib.report.formats.page import policy as security_policy
from chalicelib.report.formats.writers import comma_separated
from chalicelib.report.merging import merged
from chalicelib.scope import parse_resource
from chalicelib.service import Service
from chalicelib.templating import rule_references, rule_title
from chalicelib.web.answers import (
    Catalogue,
    CatalogueRule,
    FindingsPage,
    Health,
    RuleParameter,
    RunBegun,
    RunParts,
    RunState,
)

log = logging.getLogger(__name__)

#: What GET /audit can answer with; the first where nothing is preferred.
ANSWERS = ("application/json", "text/html", "text/csv")
MAX_RESOURCES = 20
MAX_LIMIT = 500
ACCOUNT = r"^[0-9]{12}$"
RUN_ID = re.compile("[A-Za-z0-9-]{1,64}")


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer."""

    status: int
    body: Any
    headers: Mapping[str, str] = field(default_factory=lambda: {"Content-Type": "application/json"})


class _Request(BaseModel):
    model_config = ConfigDict(frozen=True, defer_build=True, extra="forbid")


T = TypeVar("T", bound=_Request)


class AuditQuery(_Request):
    """The query of ``GET /audit``: which of the current findings to answer."""

    account: Annotated[str | None, Field(pattern=ACCOUNT, description="Default: the auditor's own.")] = None
    region: Annotated[str | None, Field(description="Default: its own without a ledger, else all.")] = None
    severity: Annotated[Severity, Field(description="The mildest to answer.")] = Severity.INFO
    rule: Annotated[str | None, Field(description="An id that GET /rules lists.")] = None
    topic: Annotated[str | None, Field(description="A topic that GET /rules lists.")] = None
    status: Annotated[Literal["open", "exempt", "resolved"], Field(description="Only these.")] = "open"
    resource: Annotated[str | None, Field(description="The ARN or the name of a resource.")] = None
    limit: Annotated[int, Field(ge=1, le=MAX_LIMIT, description="The most to answer.")] = MAX_LIMIT
    cursor: Annotated[str | None, Field(description="That of the page before; only with a ledger.")] = None

    @field_validator("limit", mode="before")
    @classmethod
    def _digits(cls, given: Any) -> Any:
        """Text that is a whole number in digits alone; ``1_0`` and ``1.0`` are none."""
        if isinstance(given, str) and not re.fullmatch("[+-]?[0-9]{1,9}", given):
            raise ValueError(f"{given[:20]!r} is no whole number; accepted are 1 to {MAX_LIMIT}")
        return given


class AuditBody(_Request):
    """The body of ``POST /audit``: what to audit now; nothing named is everything."""

    resources: Annotated[
        list[str], Field(description="ARNs in one region.", json_schema_extra={"maxItems": MAX_RESOURCES})
    ] = []
    accounts: Annotated[list[str], Field(description="Ids of 12 digits. Default: the auditor's own.")] = []
    regions: Annotated[list[str], Field(description="Default: the configured ones, else its own.")] = []
    rules: Annotated[list[str], Field(description="Ids that GET /rules lists.")] = []
    notify: Annotated[bool, Field(strict=True, description="Whether the result is told.")] = False


class Misconfigured(AuditorError):
    """The environment or the policy is wrong: the fault of whoever runs the auditor, not of the caller."""


def ready(make: Callable[[], Service]) -> Service:
    """The service with its policy. Raises Misconfigured where the environment or the policy is wrong."""
    try:
        service = make()
        service.policy  # noqa: B018  (what is wrong with it is told apart from the caller's mistakes)
    except InvalidInput as error:
        raise Misconfigured(str(error)) from error
    return service


def guarded(work: Callable[[], Answer]) -> Answer:
    """The answer, or the error that the caller is told: never a stack trace."""
    try:
        return work()
    except InvalidInput as error:
        return failure(400, error.code, str(error), error.field)
    except Misconfigured:
        log.exception("the auditor is misconfigured")
        return failure(500, "misconfigured", "the auditor is misconfigured; the log of its function says how")
    except AccessFailed as error:
        return failure(502, "aws_unavailable", str(error))
    except AuditorError as error:
        log.exception("request failed")
        return failure(500, "failed", str(error))
    except Exception:  # the last line of defence: the caller gets a sentence, the log gets the trace
        log.exception("request failed")
        return failure(500, "internal", "the audit failed; the log of the function says why")


def failure(status: int, code: str, message: str, at: str = "") -> Answer:
    """The contract's form of an error; ``field`` is null when no single field is to blame."""
    return Answer(status, {"error": {"code": code, "message": message, "field": at or None}})


def refused_by_chalice(status: int, message: str) -> Answer:
    """What never reached a route, as an error of the contract: ``method_not_allowed``, ``unsupported_media_type``."""
    return failure(status, HTTPStatus(status).name.lower(), message)


def _valid(model: type[T], given: Any, what: str) -> T:
    try:
        return model.model_validate(given)
    except ValidationError as error:
        first = error.errors()[0]
        at = ".".join(str(part) for part in first["loc"])
        if first["type"] == "extra_forbidden":
            accepted = ", ".join(model.model_fields)
            raise InvalidInput(f"unknown {what} {at!r}; accepted are {accepted}", field=at) from None
        raise InvalidInput(f"{what} {at or 'as a whole'}: {first['msg']}", field=at) from None


def health(service: Service) -> Answer:
    """Alive, which version, which policy; nothing about the account."""
    last = service.ledger.last_complete(service.identity.account) if service.ledger is not None else None
    told = Health(version=__version__, policy=service.policy.digest, last_audit=last)
    return Answer(200, told.model_dump(mode="json"))


def preferred(accept: str) -> str:
    """What of :data:`ANSWERS` an Accept header wants most (RFC 9110, 12.5.1); JSON where it does not say."""
    wanted: dict[str, float] = {}
    for one in accept.lower().split(","):
        kind, *parameters = (part.strip() for part in one.split(";"))
        quality = next((part[2:] for part in parameters if part.startswith("q=")), "1")
        wanted[kind] = float(quality) if re.fullmatch(r"[01](\.\d{0,3})?", quality) else 1.0

    def quality_of(answer: str) -> float:
        named = (answer, f"{answer.split('/')[0]}/*", "*/*")
        return next((wanted[one] for one in named if one in wanted), 0.0)

    best = max(ANSWERS, key=quality_of)
    return best if quality_of(best) > 0 else ANSWERS[0]


def get_audit(service: Service, query: Mapping[str, str] | None, accept: str = "") -> Answer:
    """The findings of the account as they are now, filtered: as JSON, as the report page or as CSV."""
    asked = _asked(service, query)
    kind = preferred(accept)
    ledger = service.ledger
    if ledger is None:
        report = _audited(service, asked)
        if kind == "text/html":
            return _page_of(page(report))
        body, findings = report.model_dump(mode="json"), report.findings
    else:
        found = ledger.listed(_query(service, asked), asked.limit, asked.cursor)
        if kind == "text/html":
            return _page_of(_page_of_ledger(service, asked, found))
        body, findings = _listing(service, asked, found), found.findings
    if kind == "application/json":
        return Answer(200, body)
    headers = {"Content-Type": "text/csv; charset=utf-8"}
    if body.get("cursor"):
        headers["X-Next-Cursor"] = body["cursor"]
    return Answer(200, comma_separated(findings), headers)


def _asked(service: Service, query: Mapping[str, str] | None) -> AuditQuery:
    asked = _valid(AuditQuery, dict(query or {}), "query parameter")
    rules = service.policy.rules
    if asked.rule is not None and asked.rule not in rules:
        raise InvalidInput(unknown_rule(asked.rule, rules), field="rule")
    topics = sorted({one.rule.topic for one in rules.values()})
    if asked.topic is not None and asked.topic not in topics:
        raise InvalidInput(f"unknown topic {asked.topic!r}; accepted are {', '.join(topics)}", field="topic")
    if asked.region is not None:
        service.known_region(asked.region)
    return asked


def _audited(service: Service, asked: AuditQuery) -> Report:
    """Without a ledger: an audit now."""
    if asked.cursor is not None:
        raise InvalidInput("there are no pages without a ledger; AUDITOR_TABLE names its table", field="cursor")
    _own_account(service, [asked.account] if asked.account else [], "account")
    scope = service.scope(asked.region, rules=[asked.rule] if asked.rule else [])
    return _filtered(service.audit(scope, "http"), asked)


def _page_of(html: str) -> Answer:
    """The report page, which runs nothing but its own script and asks nothing of others."""
    headers = {
        "Content-Type": "text/html; charset=utf-8",
        "Content-Security-Policy": security_policy(framed=True),
        "Cache-Control": "no-store",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
    }
    return Answer(200, html, headers)


def _page_of_ledger(service: Service, asked: AuditQuery, found: Page) -> str:
    """The page of what the ledger holds: findings as they are now, counts and map as the last sweep saw them."""
    account = asked.account or service.identity.account
    past = service.history.of(account) if service.history is not None else Past()
    report = merged(past.reports) if past.reports else _nothing_swept(service, account)
    report = report.model_copy(update={"findings": found.findings})
    narrowed = asked.model_dump(mode="json", exclude_defaults=True, exclude={"limit", "cursor"})
    more = More(urlencode({"limit": MAX_LIMIT, **narrowed}), found.cursor) if found.cursor is not None else None
    whole = more is not None and narrowed.keys() <= {"account"} and asked.cursor is None
    return page(report, trend=past.trend, counted=past.counted if whole else None, more=more)


def _nothing_swept(service: Service, account: str) -> Report:
    """The frame of a page before the first sweep."""
    now = datetime.now(UTC)
    return Report(
        audit_id="none",
        trigger="http",
        scope=ScopeAudited(accounts=[account]),
        started_at=now,
        finished_at=now,
        policy=PolicyUsed(name=service.policy.name, digest=service.policy.digest),
        accounts=[account],
        regions=[service.region],
        resources={},
        rules={},
        findings=[],
        blind_spots=[],
        api_calls={},
        complete=True,
    )


def _query(service: Service, asked: AuditQuery) -> Query:
    enabled = frozenset(service.policy.enabled())
    return Query(
        account=asked.account or service.identity.account,
        status=asked.status,
        region=asked.region,
        severity=asked.severity,
        rule=asked.rule,
        topic=asked.topic,
        resource=asked.resource,
        rules=enabled | {asked.rule} if asked.rule else enabled,
    )


def _listing(service: Service, asked: AuditQuery, found: Page) -> dict[str, Any]:
    """A page of the findings as the last audits left them, worst first."""
    account = asked.account or service.identity.account
    told = FindingsPage(
        account=account,
        policy=PolicyUsed(name=service.policy.name, digest=service.policy.digest),
        last_audit=service.ledger.last_complete(account) if service.ledger is not None else None,
        findings=found.findings,
        cursor=found.cursor,
    )
    return told.model_dump(mode="json")


def _filtered(report: Report, asked: AuditQuery) -> Report:
    kept = [
        one
        for one in report.findings
        if one.status == asked.status
        and one.severity.rank >= asked.severity.rank
        and asked.topic in (None, one.topic)
        and asked.resource in (None, one.resource.arn, one.resource.name)
    ]
    return report.model_copy(update={"findings": kept[: asked.limit]})


def post_audit(service: Service, raw: bytes) -> Answer:
    """An audit now, of the resources named or of everything."""
    try:
        given = json.loads(raw) if raw.strip() else {}
    except (ValueError, RecursionError) as error:
        raise InvalidInput(f"the body is not JSON ({error}); accepted is a JSON object", code="bad_json") from None
    if not isinstance(given, dict):
        raise InvalidInput("the body is not a JSON object; accepted keys are " + ", ".join(AuditBody.model_fields))
    body = _valid(AuditBody, given, "field")
    if service.settings.queue_url is not None and service.settings.table is not None and not body.resources:
        return _queued(service, body)
    _own_account(service, body.accounts, "accounts")
    if len(body.resources) > MAX_RESOURCES:
        raise InvalidInput(f"{len(body.resources)} resources; accepted are up to {MAX_RESOURCES}", field="resources")
    regions = list(dict.fromkeys(body.regions)) or [service.region]
    if body.resources and len(regions) > 1:
        raise InvalidInput("resources are named in one region at a time", field="regions")
    where = service.known_region(regions[0])
    refs = [
        parse_resource(arn, account=service.identity.account, region=where, field=f"resources.{index}")
        for index, arn in enumerate(body.resources)
    ]
    scopes = [service.scope(region, refs, body.rules) for region in regions]
    if not body.notify:
        return Answer(200, merged([service.audit(scope, "http") for scope in scopes]).model_dump(mode="json"))
    audited = [service.audited(scope, "http") for scope in scopes]
    report = merged([one.report for one in audited])
    if refs:
        service.teller.event(audited[0])
    else:
        service.teller.sweep(audited, report)
    return Answer(200, report.model_dump(mode="json"))


def _queued(service: Service, body: AuditBody) -> Answer:
    """A scope too large to wait for: a run is begun, and its address answered."""
    for id in body.rules:
        if id not in service.policy.rules:
            raise InvalidInput(unknown_rule(id, service.policy.rules), field="rules")
    for region in body.regions:
        service.known_region(region)
    own = service.identity.account
    allowed = {own, *service.settings.accounts}
    if "organization" not in allowed and (foreign := [one for one in body.accounts if one not in allowed]):
        raise InvalidInput(
            f"{foreign[0]} is not audited from here; accepted are {', '.join(sorted(allowed))}", field="accounts"
        )
    if malformed := [one for one in body.accounts if not re.fullmatch(r"\d{12}", one)]:
        raise InvalidInput(f"{malformed[0]!r} is no account; accepted are ids of 12 digits", field="accounts")
    accounts, regions = list(dict.fromkeys(body.accounts)) or [own], list(dict.fromkeys(body.regions))
    run = service.fleet.start("http", accounts=accounts, regions=regions, rules=body.rules, notify=body.notify)
    headers = {"Content-Type": "application/json", "Location": f"/audit/runs/{run.id}"}
    begun = RunBegun.model_validate({"audit_id": run.id, "state": run.state, "parts": run.parts})
    return Answer(202, begun.model_dump(mode="json"), headers)


def get_run(service: Service, id: str) -> Answer:
    """The state of a run, and its report when it is done."""
    missing = failure(
        404, "not_found", f"there is no run {id!r}; accepted are the ids that POST /audit answered", "audit_id"
    )
    if service.settings.table is None or not RUN_ID.fullmatch(id):
        return missing
    run = service.fleet.runs.get(id)
    if run is None:
        return missing
    report = service.fleet.report(run)
    told = RunState.model_validate(
        {
            "audit_id": run.id,
            "state": run.state,
            "trigger": run.trigger,
            "started_at": run.started_at,
            "parts": RunParts(total=run.parts, done=run.done, open=sorted(part.key for part in run.open)),
            "report": report,
        }
    )
    return Answer(200, told.model_dump(mode="json"))


def get_rules(service: Service) -> Answer:
    """The catalogue, with the policy in force."""
    policy = service.policy
    rules = [_in_force(one) for one in policy.rules.values()]
    told = Catalogue(policy=PolicyUsed(name=policy.name, digest=policy.digest), rules=rules)
    return Answer(200, told.model_dump(mode="json"))


def get_rule(service: Service, id: str) -> Answer:
    """One rule of the catalogue, with the policy in force."""
    setting = service.policy.rules.get(id)
    if setting is None:
        return failure(404, "not_found", unknown_rule(id, service.policy.rules), "id")
    return Answer(200, _in_force(setting).model_dump(mode="json"))


def _in_force(setting: RuleSetting) -> CatalogueRule:
    rule, words = setting.rule, setting.rule.words
    defaults = rule.params().model_dump(mode="json")
    return CatalogueRule(
        id=rule.id,
        title=words.title if words else rule_title(rule.id),
        topic=rule.topic,
        severity=setting.severity or rule.severity,
        default_severity=rule.severity,
        enabled=setting.enabled,
        enabled_by_default=rule.enabled,
        mode=setting.mode,
        kinds=list(rule.kinds),
        condition=rule.condition,
        parameters=[
            RuleParameter(
                name=name,
                value=value,
                default=defaults[name],
                description=rule.params.model_fields[name].description,
            )
            for name, value in setting.params.model_dump(mode="json").items()
        ],
        reads=sorted(part.value for part in rule.parts(setting.params)),
        metrics=list(rule.metrics),
        permissions=list(rule.permissions),
        references=list(words.references) if words else rule_references(rule.id),
        merges_into=rule.merges_into,
        custom=words is not None,
    )


def _own_account(service: Service, accounts: list[str], at: str) -> None:
    own = service.identity.account
    if any(account != own for account in accounts):
        raise InvalidInput(f"only the account {own} can be audited from here", field=at)
