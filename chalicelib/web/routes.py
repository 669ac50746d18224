"""The HTTP face, free of any framework: queries and bodies in, status and JSON out."""

import logging
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

from chalicelib import __version__
from chalicelib.audit.named import Sighted, no_such_resource
from chalicelib.errors import AccessFailed, AuditorError, InvalidInput
from chalicelib.ledger.history import Past
from chalicelib.ledger.ledger import Page, Query
from chalicelib.policy.policy import RuleSetting, unknown_rule
from chalicelib.report.findings import Report, ScopeAudited
from chalicelib.report.formats.comma_separated import comma_separated
from chalicelib.report.formats.page import More, page
from chalicelib.report.formats.page import policy as security_policy
from chalicelib.report.merging import merged, report_of
from chalicelib.report.narrowing import narrowed
from chalicelib.report.shown import Shown
from chalicelib.rules.parameters import meaning
from chalicelib.rules.well_architected import best_practices
from chalicelib.scope import Scope, parse_resource
from chalicelib.service import Service
from chalicelib.templating import rule_references, rule_title
from chalicelib.web import runs
from chalicelib.web.answers import (
    Catalogue,
    CatalogueRule,
    FindingsPage,
    Health,
    RuleParameter,
)
from chalicelib.web.pages import ANSWER_BYTES, size_of
from chalicelib.web.requests import MAX_LIMIT, MAX_RESOURCES, AuditQuery, body_of, preferred, valid
from chalicelib.web.response import HttpResponse as HttpResponse
from chalicelib.web.response import failure as failure

log = logging.getLogger(__name__)

CSV = "text/csv; charset=utf-8"


class Misconfigured(AuditorError):
    """The environment or the policy is wrong: the fault of whoever runs the auditor, not of the caller."""


class NoSuchResource(InvalidInput):
    """A resource that the caller names is not there."""


def ready(make: Callable[[], Service]) -> Service:
    """The service with its policy. Raises Misconfigured where the environment or the policy is wrong."""
    try:
        service = make()
        service.begin()  # what is wrong with the policy is told apart from the caller's mistakes
    except InvalidInput as error:
        raise Misconfigured(str(error)) from error
    return service


def guarded(work: Callable[[], HttpResponse]) -> HttpResponse:
    """The answer, or the error that the caller is told: never a stack trace."""
    try:
        return work()
    except NoSuchResource as error:
        return failure(404, "not_found", str(error), error.field)
    except InvalidInput as error:
        return failure(400, error.code, str(error), error.field)
    except Misconfigured:
        log.exception("the auditor is misconfigured")
        return failure(500, "misconfigured", "the auditor is misconfigured; the log of its function says how")
    except AccessFailed as error:
        log.exception("AWS cannot be asked")
        return failure(502, "aws_unavailable", error.outside)
    except AuditorError as error:
        log.exception("request failed")
        return failure(500, "failed", error.outside)
    except Exception:  # the last line of defence: the caller gets a sentence, the log gets the trace
        log.exception("request failed")
        return failure(500, "internal", "the audit failed; the log of the function says why")


def refused_by_chalice(status: int, message: str) -> HttpResponse:
    """What never reached a route, as an error of the contract: ``method_not_allowed``, ``unsupported_media_type``."""
    return failure(status, HTTPStatus(status).name.lower(), message)


def health(service: Service) -> HttpResponse:
    """Alive, which version, which policy; nothing about the account."""
    last = service.ledger.last_complete(service.caller.identity.account) if service.ledger is not None else None
    body = Health(version=__version__, policy=service.policy.digest, last_audit=last)
    return HttpResponse(200, body.model_dump(mode="json"))


def get_audit(service: Service, query: Mapping[str, str] | None, accept: str = "") -> HttpResponse:
    """The findings of the account as they are now, filtered: as JSON, as the report page or as CSV."""
    asked = _asked(service, query)
    kind = preferred(accept)
    ledger = service.ledger
    if ledger is None:
        return runs.first_page(_audited(service, asked), lambda report: _answer_of(report, kind))
    listed = ledger.listed(_query(service, asked), asked.limit, asked.cursor)
    while (taken := size_of((answer := _answer(service, asked, listed, kind)).body)) > ANSWER_BYTES:
        if len(listed.findings) == 1:
            break
        listed = listed.first(max(1, len(listed.findings) * ANSWER_BYTES * 9 // 10 // taken))
    return answer


def _answer_of(report: Report, kind: str) -> HttpResponse:
    """The report of an audit made now as this media type."""
    if kind == "text/html":
        return _page_of(page(report))
    if kind == "application/json":
        return HttpResponse(200, report.model_dump(mode="json"))
    return HttpResponse(200, comma_separated(report.findings, report.shown), {"Content-Type": CSV})


def _answer(service: Service, asked: AuditQuery, listed: Page, kind: str) -> HttpResponse:
    """A page of the ledger as this media type."""
    if kind == "text/html":
        return _page_of(_page_of_ledger(service, asked, listed))
    if kind == "application/json":
        return HttpResponse(200, _listing(service, asked, listed))
    headers = {"Content-Type": CSV} | ({"X-Next-Cursor": listed.cursor} if listed.cursor else {})
    return HttpResponse(200, comma_separated(listed.findings, _shown(asked, listed)), headers)


def _asked(service: Service, query: Mapping[str, str] | None) -> AuditQuery:
    asked = valid(AuditQuery, dict(query or {}), "query parameter")
    rules = service.policy.rules
    if asked.rule is not None and asked.rule not in rules:
        raise InvalidInput(unknown_rule(asked.rule, rules), field="rule")
    topics = sorted({setting.rule.topic for setting in rules.values()})
    if asked.topic is not None and asked.topic not in topics:
        raise InvalidInput(f"unknown topic {asked.topic!r}; accepted are {', '.join(topics)}", field="topic")
    if asked.region is not None:
        service.caller.known_region(asked.region)
    return asked


def _audited(service: Service, asked: AuditQuery) -> Report:
    """Without a ledger: an audit now."""
    if asked.cursor is not None:
        raise InvalidInput("there are no pages without a ledger; AUDITOR_TABLE names its table", field="cursor")
    _own_account(service, [asked.account] if asked.account else [], "account")
    scope = service.scope(asked.region, rules=[asked.rule] if asked.rule else [])
    sighted = Sighted(scope)
    report = service.audit(scope, "http", sighted)
    if asked.resource is not None and asked.resource not in sighted.seen and report.complete:
        raise NoSuchResource(no_such_resource(asked.resource), field="resource")
    return narrowed(
        report,
        severity=asked.severity,
        status=asked.status,
        topic=asked.topic,
        resource=asked.resource,
        limit=asked.limit,
    )


def _page_of(html: str) -> HttpResponse:
    """The report page, which runs nothing but its own script and asks nothing of others."""
    headers = {
        "Content-Type": "text/html; charset=utf-8",
        "Content-Security-Policy": security_policy(framed=True),
        "Cache-Control": "no-store",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
    }
    return HttpResponse(200, html, headers)


def _page_of_ledger(service: Service, asked: AuditQuery, listed: Page) -> str:
    """The page of what the ledger holds: findings as they are now, counts and map as the last sweep saw them."""
    account = asked.account or service.caller.identity.account
    past = service.history.of(account) if service.history is not None else Past()
    report = merged(past.reports) if past.reports else _nothing_swept(service, account)
    report = report.model_copy(update={"findings": listed.findings, "shown": _shown(asked, listed)})
    query = asked.model_dump(mode="json", exclude_defaults=True, exclude={"limit", "cursor"})
    more = More(urlencode({"limit": MAX_LIMIT, **query}), listed.cursor) if listed.cursor is not None else None
    whole = more is not None and query.keys() <= {"account"} and asked.cursor is None
    saved = service.savings.of(account) if service.savings is not None else None
    counted, exempt = (past.counted if whole else None), (past.exempt if past.reports else None)
    return page(report, trend=past.trend, counted=counted, exempt=exempt, more=more, realized=saved)


def _nothing_swept(service: Service, account: str) -> Report:
    """The frame of a page before the first sweep."""
    return report_of(
        account,
        service.caller.region,
        audit_id="none",
        trigger="http",
        policy=service.policy.used,
        started=datetime.now(UTC),
        scope=ScopeAudited(accounts=[account]),
    )


def _query(service: Service, asked: AuditQuery) -> Query:
    enabled = frozenset(service.policy.enabled())
    return Query(
        account=asked.account or service.caller.identity.account,
        status=asked.status,
        region=asked.region,
        severity=asked.severity,
        rule=asked.rule,
        topic=asked.topic,
        resource=asked.resource,
        rules=enabled | {asked.rule} if asked.rule else enabled,
    )


def _listing(service: Service, asked: AuditQuery, listed: Page) -> dict[str, Any]:
    """A page of the findings as the last audits left them, worst first."""
    account = asked.account or service.caller.identity.account
    body = FindingsPage(
        account=account,
        policy=service.policy.used,
        last_audit=service.ledger.last_complete(account) if service.ledger is not None else None,
        findings=listed.findings,
        shown=_shown(asked, listed),
        realized=service.savings.of(account) if service.savings is not None else None,
        cursor=listed.cursor,
    )
    return body.model_dump(mode="json")


def _shown(asked: AuditQuery, listed: Page) -> Shown | None:
    """How a page of the ledger is narrowed; None for one of all that is open. What else there is nobody counted."""
    asks = asked.model_dump(exclude_defaults=True, include={"severity", "status", "topic", "region"})
    lists = {"rules": asked.rule, "resources": asked.resource}
    asks |= {name: [value] for name, value in lists.items() if value is not None}
    if not asks:
        return None
    return Shown(**asks, findings=len(listed.findings), left_out=None)


def post_audit(service: Service, raw: bytes) -> HttpResponse:
    """An audit now, of the resources named or of everything."""
    body = body_of(raw)
    if service.settings.queue_url is not None and service.settings.table is not None and not body.resources:
        return runs.queued(service, body)
    _own_account(service, body.accounts, "accounts")
    if len(body.resources) > MAX_RESOURCES:
        raise InvalidInput(f"{len(body.resources)} resources; accepted are up to {MAX_RESOURCES}", field="resources")
    regions = list(dict.fromkeys(body.regions)) or [service.caller.region]
    if body.resources and len(regions) > 1:
        raise InvalidInput("resources are named in one region at a time", field="regions")
    where = service.caller.known_region(regions[0])
    refs = [
        parse_resource(
            arn,
            account=service.caller.identity.account,
            region=where,
            field=f"resources.{index}",
            owner="the auditor's own account",
        )
        for index, arn in enumerate(body.resources)
    ]
    scopes = [service.scope(region, refs, body.rules) for region in regions]
    if not body.notify:
        return runs.answered(service, [_existing(service, scope) for scope in scopes])
    audits = []
    for scope in scopes:
        sighted = Sighted(scope)
        audits.append(service.audited(scope, "http", sighted))
        _check_there(sighted)
    report = merged([audited.report for audited in audits])
    if refs:
        service.publisher.event(audits[0])
    else:
        service.publisher.sweep(audits, report)
    return runs.answered(service, [audited.report for audited in audits])


def _existing(service: Service, scope: Scope) -> Report:
    """The report on a scope. Raises NoSuchResource where one that it names is not there."""
    sighted = Sighted(scope)
    report = service.audit(scope, "http", sighted)
    _check_there(sighted)
    return report


def _check_there(sighted: Sighted) -> None:
    named = [sighted.scope.arn(ref) for ref in sighted.scope.resources]
    for arn in sighted.missing:
        raise NoSuchResource(no_such_resource(arn), field=f"resources.{named.index(arn)}")


def get_rules(service: Service) -> HttpResponse:
    """The catalogue, with the policy in force."""
    policy = service.policy
    rules = [rule_in_force(setting) for setting in policy.rules.values()]
    body = Catalogue(policy=policy.used, rules=rules)
    return HttpResponse(200, body.model_dump(mode="json"))


def get_rule(service: Service, id: str) -> HttpResponse:
    """One rule of the catalogue, with the policy in force."""
    setting = service.policy.rules.get(id)
    if setting is None:
        return failure(404, "not_found", unknown_rule(id, service.policy.rules), "id")
    return HttpResponse(200, rule_in_force(setting).model_dump(mode="json"))


def rule_in_force(setting: RuleSetting) -> CatalogueRule:
    """A rule of the catalogue as the policy in force applies it."""
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
                description=meaning(rule.id, name),
            )
            for name, value in setting.params.model_dump(mode="json").items()
        ],
        reads=sorted(part.value for part in rule.parts(setting.params)),
        metrics=list(rule.metric_names),
        permissions=list(rule.permissions),
        references=list(words.references) if words else rule_references(rule.id),
        well_architected=best_practices(rule.id),
        merges_into=list(rule.merges_into),
        custom=words is not None,
    )


def _own_account(service: Service, accounts: list[str], at: str) -> None:
    own = service.caller.identity.account
    if any(account != own for account in accounts):
        raise InvalidInput("only the auditor's own account can be audited from here", field=at)
