"""Runs over HTTP: one that is begun, how far it has come, and what it has found, page by page."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence

from chalicelib.errors import InvalidInput
from chalicelib.ledger.cursors import foreign_cursor
from chalicelib.ledger.results import Result, RunPart, head_of
from chalicelib.ledger.runs import Run
from chalicelib.policy.policy import unknown_rule
from chalicelib.report.findings import Report
from chalicelib.report.known import Resolution
from chalicelib.report.merging import merged
from chalicelib.service import Service
from chalicelib.web.answers import RunBegun, RunParts, RunState
from chalicelib.web.pages import ANSWER_BYTES, REPORT_BYTES, RunPage, page_of, size, size_of
from chalicelib.web.requests import AuditBody, RunQuery, valid
from chalicelib.web.response import HttpResponse, failure

RUN_ID = re.compile("[A-Za-z0-9-]{1,64}")


def queued(service: Service, body: AuditBody) -> HttpResponse:
    """A scope too large to wait for: a run is begun, and its address answered."""
    for id in body.rules:
        if id not in service.policy.rules:
            raise InvalidInput(unknown_rule(id, service.policy.rules), field="rules")
    for region in body.regions:
        service.caller.known_region(region)
    own = service.caller.identity.account
    allowed = {own, *service.settings.accounts}
    if "organization" not in allowed and (foreign := [account for account in body.accounts if account not in allowed]):
        raise InvalidInput(
            f"{foreign[0]!r} is not audited from here; accepted are the auditor's own account and those that it is "
            "configured to audit",
            field="accounts",
        )
    if malformed := [account for account in body.accounts if not re.fullmatch(r"[0-9]{12}", account)]:
        raise InvalidInput(f"{malformed[0]!r} is no account; accepted are ids of 12 digits", field="accounts")
    accounts, regions = list(dict.fromkeys(body.accounts)) or [own], list(dict.fromkeys(body.regions))
    run = service.fleet.start("http", accounts=accounts, regions=regions, rules=body.rules, notify=body.notify)
    headers = {"Content-Type": "application/json", "Location": _address(run.id)}
    begun = RunBegun(audit_id=run.id, state=run.state, parts=run.parts)
    return HttpResponse(202, begun.model_dump(mode="json"), headers)


def get_run(service: Service, id: str, query: Mapping[str, str] | None = None) -> HttpResponse:
    """The state of a run and, when it is over, a page of its report."""
    cursor = valid(RunQuery, dict(query or {}), "query parameter").cursor
    missing = failure(
        404, "not_found", f"there is no run {id!r}; accepted are the ids that POST /audit answered", "audit_id"
    )
    if service.settings.table is None or not RUN_ID.fullmatch(id):
        return missing
    run = service.runs.get(id)
    if run is None:
        return missing
    if cursor is not None and not run.closed:
        raise foreign_cursor()
    page = _page(service, run, cursor) if run.closed else None
    body = RunState(
        audit_id=run.id,
        state=run.state,
        trigger=run.trigger,
        started_at=run.started_at,
        parts=RunParts(
            total=run.parts, done=run.done, open=_keys(run.open), failed=_keys(run.failed), lost=_keys(run.lost)
        ),
        report=page.report if page is not None else None,
        cursor=page.cursor if page is not None else None,
    )
    return HttpResponse(200, body.model_dump(mode="json"))


def answered(service: Service, reports: Sequence[Report]) -> HttpResponse:
    """The report of an audit made now. Of one that is too large for an answer the first page, and where there is a
    table the cursor for the next: the report is kept there as a run that is over."""
    report = merged(reports)
    if size(report) <= REPORT_BYTES:
        return HttpResponse(200, report.model_dump(mode="json"))
    parts = _parts(reports)
    head = head_of(report)
    page = page_of(lambda _: iter(sorted(parts.items())), head, report.audit_id)
    headers = {"Content-Type": "application/json"}
    if service.settings.table is not None and page.cursor is not None:
        results = {part: Result(part_report, Resolution(), {}) for part, part_report in parts.items()}
        service.runs.keep_ended(report.audit_id, results, report.trigger, head)
        headers |= {"Location": _address(report.audit_id), "X-Next-Cursor": page.cursor}
    return HttpResponse(200, page.report.model_dump(mode="json"), headers)


def first_page(report: Report, make: Callable[[Report], HttpResponse]) -> HttpResponse:
    """What is made of a report on one account and region, or of as much of it as an answer holds: ``shown`` then counts
    the findings that are left out."""
    answer, most = make(report), REPORT_BYTES
    while size_of(answer.body) > ANSWER_BYTES and most > 1:
        part = page_of(lambda _: iter(_parts([report]).items()), head_of(report), report.audit_id, most=most).report
        answer, most = make(part), most // 2
    return answer


def _parts(reports: Sequence[Report]) -> dict[RunPart, Report]:
    return {RunPart(report.accounts[0], report.regions[0]): report for report in reports}


def _page(service: Service, run: Run, cursor: str | None) -> RunPage:
    results = service.runs.results

    def parts(key: str) -> Iterator[tuple[RunPart, Report]]:
        return ((part, result.report) for part, result in results.after(run.id, key))

    return page_of(parts, service.fleet.closing.whole(run), run.id, cursor)


def _address(id: str) -> str:
    """The address of a run, from the root of the stage."""
    return f"/audit/runs/{id}"


def _keys(parts: frozenset[RunPart]) -> list[str]:
    return sorted(part.key for part in parts)
