"""Reports put together: those of several regions as one, and the one of what could not be audited."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from chalicelib.report.findings import BlindSpot, ExemptionNote, PolicyUsed, Report, RuleCounts, ScopeAudited

if TYPE_CHECKING:
    pass


def unread_report(
    account: str,
    region: str,
    operation: str,
    reason: str,
    *,
    audit_id: str,
    trigger: Literal["schedule", "cli"],
    policy: PolicyUsed,
    rules: Iterable[str],
    now: datetime,
) -> Report:
    """What is known of an account and region that could not be audited: nothing, and why."""
    ids = sorted(rules)
    spot = BlindSpot(account=account, region=region, operation=operation, error=reason, effect=ids)
    return Report(
        audit_id=audit_id,
        trigger=trigger,
        scope=ScopeAudited(accounts=[account], regions=[region]),
        started_at=now,
        finished_at=now,
        policy=policy,
        accounts=[account],
        regions=[region],
        resources={},
        rules={id: RuleCounts() for id in ids},
        findings=[],
        blind_spots=[spot],
        api_calls={},
        complete=False,
    )


def merged(reports: Sequence[Report]) -> Report:
    """Reports of several regions of one audit as one."""
    first = reports[0]
    if len(reports) == 1:
        return first
    counts: dict[str, Counter[str]] = {}
    for report in reports:
        for rule, one in report.rules.items():
            counts.setdefault(rule, Counter()).update(one.model_dump(by_alias=True))
    by_region: dict[tuple[str, ...], Counter[str]] = {}
    calls: Counter[str] = Counter()
    for report in reports:  # two parts of one region count the same resources
        place = (*report.accounts, *report.regions)
        by_region[place] = by_region.get(place, Counter()) | Counter(report.resources)
        calls.update(report.api_calls)
    resources: Counter[str] = sum(by_region.values(), Counter())
    scope = first.scope.model_copy(
        update={"regions": list(dict.fromkeys(region for one in reports for region in one.scope.regions))}
    )
    return first.model_copy(
        update={
            "scope": scope,
            "finished_at": max(one.finished_at for one in reports),
            "accounts": list(dict.fromkeys(account for one in reports for account in one.accounts)),
            "regions": list(dict.fromkeys(region for one in reports for region in one.regions)),
            "resources": dict(sorted(resources.items())),
            "rules": {rule: RuleCounts(**dict(one)) for rule, one in sorted(counts.items())},
            "findings": sorted((f for one in reports for f in one.findings), key=lambda f: -f.severity.rank),
            "blind_spots": [spot for one in reports for spot in one.blind_spots],
            "exemptions": merged_notes(reports),
            "catalogue": {rule: one for report in reports for rule, one in report.catalogue.items()},
            "zones": _merged_zones(reports),
            "endpoints": list({one.arn: one for report in reports for one in report.endpoints}.values()),
            "api_calls": dict(sorted(calls.items())),
            "complete": all(one.complete for one in reports),
        }
    )


def _merged_zones(reports: Sequence[Report]) -> dict[str, list[str]]:
    zones: dict[str, set[str]] = {}
    for report in reports:
        for region, ids in report.zones.items():
            zones.setdefault(region, set()).update(ids)
    return {region: sorted(ids) for region, ids in sorted(zones.items())}


def merged_notes(reports: Sequence[Report]) -> list[ExemptionNote]:
    """The notes on exemptions of several regions: one is unmatched only if it matched in none of them."""
    notes: dict[tuple[str, str], list[ExemptionNote]] = {}
    for report in reports:
        for note in report.exemptions:
            notes.setdefault((note.rule, note.resource), []).append(note)
    together = []
    for several in notes.values():
        matched = [one for one in several if one.state != "unmatched"]
        if matched:
            together.append(matched[0].model_copy(update={"findings": sum(one.findings for one in matched)}))
        elif len(several) == len(reports):
            together.append(several[0])
    return together
