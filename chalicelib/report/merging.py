"""Where reports come from: the one of an audit, the one of what could not be audited, and several as one."""

import uuid
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from chalicelib.report.calendar import CalendarEntry, in_order
from chalicelib.report.cause import Cause
from chalicelib.report.findings import (
    BlindSpot,
    Deferral,
    EndpointCapacity,
    ExemptionNote,
    Finding,
    Passed,
    PolicyUsed,
    Report,
    RuleCounts,
    RuleInForce,
    ScopeAudited,
    Trigger,
)
from chalicelib.report.shown import Shown, together
from chalicelib.scope import may_lie_in


def report_id() -> str:
    """The id of a new audit."""
    return f"a-{uuid.uuid4().hex[:20]}"


def report_of(
    account: str,
    region: str,
    *,
    trigger: Trigger,
    policy: PolicyUsed,
    started: datetime,
    finished: datetime | None = None,
    audit_id: str | None = None,
    scope: ScopeAudited | None = None,
    resources: Mapping[str, int] | None = None,
    rules: Mapping[str, RuleCounts] | None = None,
    findings: Iterable[Finding] = (),
    blind_spots: Iterable[BlindSpot] = (),
    deferred: Iterable[Deferral] = (),
    exemptions: Iterable[ExemptionNote] = (),
    calendar: Iterable[CalendarEntry] = (),
    catalogue: Mapping[str, RuleInForce] | None = None,
    zones: Mapping[str, list[str]] | None = None,
    endpoints: Iterable[EndpointCapacity] = (),
    api_calls: Mapping[str, int] | None = None,
    complete: bool | None = None,
    shown: Shown | None = None,
    passes: Iterable[Passed] | None = None,
) -> Report:
    """The report on one account and region, of which nothing is known but what is handed in.

    ``scope`` is the whole region and ``finished`` the start unless given; without ``complete`` a report is complete if
    nothing kept it from reading, and nothing was left to the next sweep: what AWS does not tell is nothing that could
    have been read.
    """
    spots, left = list(blind_spots), list(deferred)
    return Report(
        audit_id=audit_id or report_id(),
        trigger=trigger,
        scope=scope or ScopeAudited(accounts=[account], regions=[region]),
        started_at=started,
        finished_at=finished or started,
        policy=policy,
        accounts=[account],
        regions=[region],
        resources=dict(sorted((resources or {}).items())),
        rules=dict(rules or {}),
        findings=list(findings),
        shown=shown,
        passes=None if passes is None else list(passes),
        blind_spots=spots,
        deferred=left,
        exemptions=list(exemptions),
        calendar=list(calendar),
        catalogue=dict(catalogue or {}),
        zones=dict(zones or {}),
        endpoints=list(endpoints),
        api_calls=dict(sorted((api_calls or {}).items())),
        complete=(not left and all(spot.cause is Cause.NOT_TOLD for spot in spots)) if complete is None else complete,
    )


def unread_report(
    account: str,
    region: str,
    operation: str,
    reason: str,
    *,
    audit_id: str,
    trigger: Trigger,
    policy: PolicyUsed,
    rules: Iterable[str],
    now: datetime,
) -> Report:
    """What is known of an account and region that could not be audited: nothing, and why."""
    ids = sorted(rules)
    spot = BlindSpot(account=account, region=region, operation=operation, error=reason, effect=ids)
    return report_of(
        account,
        region,
        audit_id=audit_id,
        trigger=trigger,
        policy=policy,
        started=now,
        rules={id: RuleCounts() for id in ids},
        blind_spots=[spot],
    )


def merged(reports: Sequence[Report]) -> Report:
    """Reports of several regions of one audit as one."""
    first = reports[0]
    if len(reports) == 1:
        return first
    counts: dict[str, Counter[str]] = {}
    for report in reports:
        for rule, outcomes in report.rules.items():
            counts.setdefault(rule, Counter()).update(outcomes.model_dump(by_alias=True))
    by_region: dict[tuple[str, ...], Counter[str]] = {}
    calls: Counter[str] = Counter()
    for report in reports:  # two parts of one region count the same resources
        place = (*report.accounts, *report.regions)
        by_region[place] = by_region.get(place, Counter()) | Counter(report.resources)
        calls.update(report.api_calls)
    resources: Counter[str] = sum(by_region.values(), Counter())
    scope = first.scope.model_copy(
        update={"regions": list(dict.fromkeys(region for report in reports for region in report.scope.regions))}
    )
    findings = [finding for report in reports for finding in report.findings]
    return first.model_copy(
        update={
            "scope": scope,
            "finished_at": max(report.finished_at for report in reports),
            "accounts": list(dict.fromkeys(account for report in reports for account in report.accounts)),
            "regions": list(dict.fromkeys(region for report in reports for region in report.regions)),
            "resources": dict(sorted(resources.items())),
            "rules": {rule: RuleCounts(**dict(outcomes)) for rule, outcomes in sorted(counts.items())},
            "findings": sorted(findings, key=lambda finding: -finding.severity.rank),
            "shown": together([report.shown for report in reports], len(findings)),
            "passes": _merged_passes(reports),
            "blind_spots": [spot for report in reports for spot in report.blind_spots],
            "deferred": [deferral for report in reports for deferral in report.deferred],
            "exemptions": merged_notes(reports),
            "calendar": in_order(entry for report in reports for entry in report.calendar),
            "catalogue": {rule: in_force for report in reports for rule, in_force in report.catalogue.items()},
            "zones": _merged_zones(reports),
            "endpoints": list({endpoint.arn: endpoint for report in reports for endpoint in report.endpoints}.values()),
            "api_calls": dict(sorted(calls.items())),
            "complete": all(report.complete for report in reports),
        }
    )


def _merged_passes(reports: Sequence[Report]) -> list[Passed] | None:
    if all(report.passes is None for report in reports):
        return None
    return [passed for report in reports for passed in report.passes or ()]


def _merged_zones(reports: Sequence[Report]) -> dict[str, list[str]]:
    zones: dict[str, set[str]] = {}
    for report in reports:
        for region, ids in report.zones.items():
            zones.setdefault(region, set()).update(ids)
    return {region: sorted(ids) for region, ids in sorted(zones.items())}


def merged_notes(reports: Sequence[Report]) -> list[ExemptionNote]:
    """The notes on exemptions of several accounts and regions, those without owner or end first: one is unmatched only
    if it matched in none of those that it may be about."""
    notes: dict[tuple[str, str, str], list[ExemptionNote]] = {}
    for report in reports:
        for note in report.exemptions:
            notes.setdefault((note.rule, note.resource, note.source), []).append(note)
    listed = []
    for (_, resource, _), of_regions in notes.items():
        matched = [note for note in of_regions if note.state != "unmatched"]
        if matched:
            listed.append(matched[0].model_copy(update={"findings": sum(note.findings for note in matched)}))
        elif len(of_regions) == sum(_concerned(report, resource) for report in reports):
            listed.append(of_regions[0])
    return sorted(listed, key=lambda note: note.state != "open")


def _concerned(report: Report, resource: str) -> bool:
    """True for a report on an account and region in which an exemption may cover something."""
    return any(may_lie_in(resource, account, region) for account in report.accounts for region in report.regions)


def without_notes_of_others(report: Report, accounts: Iterable[str]) -> Report:
    """The report of one account among ``accounts``, without the notes that an exemption covers nothing where it may
    be for another of these: only all of them together can say so."""
    others = set(accounts) - set(report.accounts)
    notes = [
        note
        for note in report.exemptions
        if note.state != "unmatched"
        or not any(may_lie_in(note.resource, account, region) for account in others for region in report.regions)
    ]
    return report.model_copy(update={"exemptions": notes})
