"""Where reports come from: the one of an audit, the one of what could not be audited, and several as one."""

import uuid
from collections import Counter
from collections.abc import Iterable, Mapping
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
from chalicelib.report.money import Money
from chalicelib.report.order import ordered
from chalicelib.report.savings import merged_money
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
    money: Money | None = None,
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
        money=money,
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


def merged(reports: Iterable[Report]) -> Report:
    """Reports of several regions of one audit as one; there is at least one."""
    merging = Merging()
    for report in reports:
        merging.add(report)
    return merging.report()


class Merging:
    """Reports that become one, added one after the other: of a report that was added, only what the whole says of it is
    kept, so that a thousand without findings need no more memory than one."""

    def __init__(self) -> None:
        self._first: Report | None = None
        self._number = 0
        self._finished: datetime | None = None
        self._complete = True
        self._scoped: dict[str, None] = {}
        self._accounts: dict[str, None] = {}
        self._regions: dict[str, None] = {}
        self._by_place: dict[tuple[str, ...], Counter[str]] = {}
        self._rules: dict[str, Counter[str]] = {}
        self._calls: Counter[str] = Counter()
        self._catalogue: dict[str, RuleInForce] = {}
        self._zones: dict[str, set[str]] = {}
        self._notes = Notes()
        self._shown: list[Shown] = []
        self._passes: list[Passed] | None = None
        self._findings: list[Finding] = []
        self._spots: list[BlindSpot] = []
        self._deferred: list[Deferral] = []
        self._endpoints: dict[str, EndpointCapacity] = {}
        self._calendar: dict[CalendarEntry, None] = {}
        self._money: list[Money] = []

    def add(self, report: Report) -> None:
        """Takes one more report."""
        self._first = self._first or report
        self._number += 1
        self._finished = max(self._finished or report.finished_at, report.finished_at)
        self._complete = self._complete and report.complete
        self._scoped |= dict.fromkeys(report.scope.regions)
        self._accounts |= dict.fromkeys(report.accounts)
        self._regions |= dict.fromkeys(report.regions)
        place = (*report.accounts, *report.regions)  # two parts of one region count the same resources
        self._by_place[place] = self._by_place.get(place, Counter()) | Counter(report.resources)
        for rule, outcomes in report.rules.items():
            self._rules.setdefault(rule, Counter()).update(outcomes.model_dump(by_alias=True))
        self._calls.update(report.api_calls)
        self._catalogue |= report.catalogue
        for region, ids in report.zones.items():
            self._zones.setdefault(region, set()).update(ids)
        self._notes.add(report)
        self._shown += [report.shown] if report.shown is not None else []
        if report.passes is not None:
            self._passes = [*(self._passes or ()), *report.passes]
        self._findings += report.findings
        self._spots += report.blind_spots
        self._deferred += report.deferred
        self._endpoints |= {endpoint.arn: endpoint for endpoint in report.endpoints}
        self._calendar |= dict.fromkeys(report.calendar)
        self._money += [report.money] if report.money is not None else []

    def report(self) -> Report:
        """The whole. A single report is what it was."""
        first = self._first
        assert first is not None, "there is nothing to merge"
        if self._number == 1:
            return first
        resources: Counter[str] = sum(self._by_place.values(), Counter())
        return first.model_copy(
            update={
                "scope": first.scope.model_copy(update={"regions": list(self._scoped)}),
                "finished_at": self._finished,
                "accounts": list(self._accounts),
                "regions": list(self._regions),
                "resources": dict(sorted(resources.items())),
                "rules": {rule: RuleCounts(**dict(outcomes)) for rule, outcomes in sorted(self._rules.items())},
                "findings": ordered(self._findings),
                "shown": together(self._shown, len(self._findings)),
                "passes": self._passes,
                "blind_spots": self._spots,
                "deferred": self._deferred,
                "exemptions": self._notes.listed(),
                "calendar": in_order(self._calendar),
                "catalogue": self._catalogue,
                "zones": {region: sorted(ids) for region, ids in sorted(self._zones.items())},
                "endpoints": list(self._endpoints.values()),
                "money": merged_money(self._money, self._findings),
                "api_calls": dict(sorted(self._calls.items())),
                "complete": self._complete,
            }
        )


class Notes:
    """The notes on exemptions of several accounts and regions: one is unmatched only if it matched in none of those
    that it may be about."""

    def __init__(self) -> None:
        self._notes: dict[tuple[str, str, str], ExemptionNote] = {}
        self._unmatched: Counter[tuple[str, str, str]] = Counter()
        self._places: Counter[tuple[tuple[str, ...], tuple[str, ...]]] = Counter()

    def add(self, report: Report) -> None:
        """Takes the notes of one more report."""
        self._places[tuple(report.accounts), tuple(report.regions)] += 1
        for note in report.exemptions:
            key = (note.rule, note.resource, note.source)
            before = self._notes.setdefault(key, note)
            if note.state == "unmatched":
                self._unmatched[key] += 1
            elif before.state == "unmatched":
                self._notes[key] = note
            elif before is not note:
                self._notes[key] = before.model_copy(update={"findings": before.findings + note.findings})

    def listed(self) -> list[ExemptionNote]:
        """All of them, those without owner or end first."""
        notes = [
            note
            for key, note in self._notes.items()
            if note.state != "unmatched" or self._unmatched[key] == self._concerned(note.resource)
        ]
        return sorted(notes, key=lambda note: note.state != "open")

    def _concerned(self, resource: str) -> int:
        """The number of reports on an account and region in which an exemption may cover something."""
        return sum(
            number
            for (accounts, regions), number in self._places.items()
            if any(may_lie_in(resource, account, region) for account in accounts for region in regions)
        )


def merged_notes(reports: Iterable[Report]) -> list[ExemptionNote]:
    """The notes on exemptions of several accounts and regions."""
    notes = Notes()
    for report in reports:
        notes.add(report)
    return notes.listed()


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
