"""Where reports come from: the one of an audit, the one of what could not be audited, and several as one."""

import uuid
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from chalicelib.report.findings import (
    BlindSpot,
    Deferral,
    EndpointCapacity,
    ExemptionNote,
    Finding,
    PolicyUsed,
    Report,
    RuleCounts,
    RuleInForce,
    ScopeAudited,
    Trigger,
)
from chalicelib.scope import may_match


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
    catalogue: Mapping[str, RuleInForce] | None = None,
    zones: Mapping[str, list[str]] | None = None,
    endpoints: Iterable[EndpointCapacity] = (),
    api_calls: Mapping[str, int] | None = None,
    complete: bool | None = None,
) -> Report:
    """The report on one account and region, of which nothing is known but what is handed in.

    ``scope`` is the whole region and ``finished`` the start unless given; without ``complete`` a report is complete if
    it has no blind spot and nothing was left to the next sweep.
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
        blind_spots=spots,
        deferred=left,
        exemptions=list(exemptions),
        catalogue=dict(catalogue or {}),
        zones=dict(zones or {}),
        endpoints=list(endpoints),
        api_calls=dict(sorted((api_calls or {}).items())),
        complete=not spots and not left if complete is None else complete,
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
            "blind_spots": [spot for report in reports for spot in report.blind_spots],
            "deferred": [deferral for report in reports for deferral in report.deferred],
            "exemptions": merged_notes(reports),
            "catalogue": {rule: in_force for report in reports for rule, in_force in report.catalogue.items()},
            "zones": _merged_zones(reports),
            "endpoints": list({endpoint.arn: endpoint for report in reports for endpoint in report.endpoints}.values()),
            "api_calls": dict(sorted(calls.items())),
            "complete": all(report.complete for report in reports),
        }
    )


def _merged_zones(reports: Sequence[Report]) -> dict[str, list[str]]:
    zones: dict[str, set[str]] = {}
    for report in reports:
        for region, ids in report.zones.items():
            zones.setdefault(region, set()).update(ids)
    return {region: sorted(ids) for region, ids in sorted(zones.items())}


def merged_notes(reports: Sequence[Report]) -> list[ExemptionNote]:
    """The notes on exemptions of several accounts and regions: one is unmatched only if it matched in none of those
    that it may be for, and all of these say so."""
    notes: dict[tuple[str, str, str], list[ExemptionNote]] = {}
    for report in reports:
        for note in report.exemptions:
            notes.setdefault((note.source, note.rule, note.resource), []).append(note)
    together = []
    for of_places in notes.values():
        matched = [note for note in of_places if note.state != "unmatched"]
        if matched:
            together.append(matched[0].model_copy(update={"findings": sum(note.findings for note in matched)}))
        elif len(of_places) == sum(_may_concern(of_places[0], report) for report in reports):
            together.append(of_places[0])
    return together


def _may_concern(note: ExemptionNote, report: Report) -> bool:
    if not note.resource.startswith("arn:"):
        return True  # names say nothing of where they are
    return any(may_match(note.resource, account, region) for account in report.accounts for region in report.regions)


def without_notes_of_others(report: Report, accounts: Iterable[str]) -> Report:
    """The report of one account among ``accounts``, without the notes that an exemption covers nothing where it may
    be for another of these: only all of them together can say so."""
    others = set(accounts) - set(report.accounts)
    notes = [
        note
        for note in report.exemptions
        if note.state != "unmatched"
        or not any(may_match(note.resource, account, region) for account in others for region in report.regions)
    ]
    return report.model_copy(update={"exemptions": notes})
