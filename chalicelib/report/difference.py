"""What changed between two reports. Pure.

A finding that the new report does not list is resolved only if the new audit looked at its resource by its rule;
otherwise it is not seen, and nothing is said about it.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from enum import StrEnum
from functools import cached_property

from pydantic import BaseModel, ConfigDict

from chalicelib.inventory.parts import OPERATIONS
from chalicelib.report.findings import BlindSpot, Finding, Moment, PolicyUsed, Report, Severity
from chalicelib.rules import RULES


class Change(StrEnum):
    """What happened to a finding. Each finding of either report is in exactly one of these."""

    NEW = "new"
    WORSE = "worse"
    UNEXEMPTED = "no-longer-exempt"
    BETTER = "better"
    EXEMPTED = "exempted"
    RESOLVED = "resolved"
    NOT_SEEN = "not-seen"
    STILL_OPEN = "still-open"
    STILL_EXEMPT = "still-exempt"


#: What a build may fail on: findings that are told now, and were not or were milder before.
ALARMING = (Change.NEW, Change.WORSE, Change.UNEXEMPTED)


class _Told(BaseModel):
    model_config = ConfigDict(frozen=True)


class Changed(_Told):
    """A finding as the newer report that lists it tells it, and what happened to it.

    ``before``: its severity in the old report, where that differs. ``note``: what is known of the reason.
    """

    change: Change
    finding: Finding
    before: Severity | None = None
    note: str = ""


class Side(_Told):
    """Which audit a report is of."""

    audit_id: str
    started_at: Moment
    accounts: list[str]
    regions: list[str]
    policy: PolicyUsed
    open_findings: int


class Difference(_Told):
    """Two reports held against each other; ``remarks`` say how far they can be compared."""

    schema_version: int = 1
    old: Side
    new: Side
    remarks: list[str]
    counts: dict[Change, int]
    changes: list[Changed]
    blind_spots_appeared: list[BlindSpot]
    blind_spots_gone: list[BlindSpot]

    def of(self, change: Change) -> list[Changed]:
        """The findings of one class, worst first."""
        return [one for one in self.changes if one.change is change]

    def worst(self) -> Severity | None:
        """The highest severity among open findings that are new, worse or no longer exempt, or None."""
        told = [one.finding for one in self.changes if one.change in ALARMING and one.finding.status == "open"]
        return max((one.severity for one in told), key=lambda one: one.rank, default=None)


def difference(old: Report, new: Report) -> Difference:
    """What changed from the old report to the new one."""
    before, after = _Seen(old), _Seen(new)
    changes = [_both(before.findings[id], one) for id, one in after.findings.items() if id in before.findings]
    changes += [_appeared(one, before) for id, one in after.findings.items() if id not in before.findings]
    changes += [_vanished(one, after) for id, one in before.findings.items() if id not in after.findings]
    changes.sort(key=_worst_first)
    counted = Counter(one.change for one in changes)
    return Difference(
        old=_side(old),
        new=_side(new),
        remarks=remarks(old, new),
        counts={change: counted[change] for change in Change},
        changes=changes,
        blind_spots_appeared=_only_in(new.blind_spots, old.blind_spots),
        blind_spots_gone=_only_in(old.blind_spots, new.blind_spots),
    )


def _worst_first(one: Changed) -> tuple[int, int, str, str, str]:
    finding = one.finding
    return (list(Change).index(one.change), -finding.severity.rank, finding.rule, finding.resource.name, finding.id)


def _side(report: Report) -> Side:
    return Side(
        audit_id=report.audit_id,
        started_at=report.started_at,
        accounts=report.accounts,
        regions=report.regions,
        policy=report.policy,
        open_findings=len(report.open_findings()),
    )


class _Seen:
    """A report asked what it saw."""

    def __init__(self, report: Report) -> None:
        self.report = report
        self.findings: Mapping[str, Finding] = {one.id: one for one in report.findings if one.status != "resolved"}

    def taken_in(self, finding: Finding) -> Finding | None:
        """The finding that tells this one's defect along with its own, on the same variant; or None."""
        return self._hosts.get((finding.account, finding.region, finding.resource.name, finding.rule))

    @cached_property
    def _hosts(self) -> Mapping[tuple[str, str, str, str], Finding]:
        return {
            (one.account, one.region, one.resource.name, rule): one
            for one in self.findings.values()
            for rule in one.evidence.get("merged") or ()
        }

    def unseen_because(self, finding: Finding) -> str | None:
        """Why this audit cannot tell whether a finding of the other one holds; None where it can."""
        report = self.report
        if finding.account not in report.accounts or finding.region not in report.regions:
            return f"account {finding.account} in {finding.region} was not audited"
        if not self._in_scope(finding):
            return "its resource was not in the scope"
        if finding.rule not in report.rules:
            return "its rule was not judged"
        for spot in report.blind_spots:
            if (spot.account, spot.region) == (finding.account, finding.region) and _blinds(spot, finding.rule):
                return f"{spot.operation} could not be read"
        if report.rules[finding.rule].fail > self._listed[finding.rule]:
            return "the report leaves out findings of its rule"
        return None

    def _in_scope(self, finding: Finding) -> bool:
        named = self.report.scope.resources
        if not named or finding.resource.arn in named:
            return True
        owner = finding.resource.name.split("/")[0]
        parts = ("endpoint-variant", "scalable-target", "scaling-policy")
        return finding.resource.kind in parts and any(
            arn.endswith((f":endpoint/{owner}", f":inference-component/{owner}")) for arn in named
        )

    @cached_property
    def _listed(self) -> Counter[str]:
        return Counter(one.rule for one in self.findings.values())

    @cached_property
    def _resources(self) -> frozenset[tuple[str, str]]:
        return frozenset((one.resource.arn, one.resource.name) for one in self.findings.values())

    def fate(self, finding: Finding) -> str:
        """What became of a finding that this audit looked for and did not find, as far as the report tells."""
        if (finding.resource.arn, finding.resource.name) in self._resources:
            return "fixed: its resource is still there"
        if not self.report.resources.get(finding.resource.kind):
            return f"gone: no {finding.resource.kind} was found any more"
        return "fixed, or its resource is gone"


def _blinds(spot: BlindSpot, rule: str) -> bool:
    """True where a blind spot may have left a rule without an answer: it names the rule, or the rule reads what the
    operation brings, as a resource that could not be described is not judged at all. What a rule of somebody's own
    reads is not known here: it may be anything."""
    if rule in spot.effect:
        return True
    if spot.operation == "sagemaker:Search":  # lists and descriptions were read instead
        return False
    return rule in _READERS.get(spot.operation, ()) or (rule not in RULES and spot.operation in _READERS)


def _readers() -> dict[str, frozenset[str]]:
    readers: dict[str, set[str]] = {}
    for id, rule in RULES.items():
        for part in (*rule.reads, *rule.reads_when.values()):
            for operation in OPERATIONS[part]:
                readers.setdefault(operation, set()).add(id)
    return {operation: frozenset(ids) for operation, ids in readers.items()}


_READERS = _readers()


def _both(old: Finding, new: Finding) -> Changed:
    if old.status != new.status:
        change = Change.EXEMPTED if new.status == "exempt" else Change.UNEXEMPTED
        told = new.exemption if new.status == "exempt" else old.exemption
        note = (
            f"exempt: {told.reason}"
            if told and new.status == "exempt"
            else f"was exempt: {told.reason}"
            if told
            else ""
        )
        return Changed(change=change, finding=new, before=_other(old, new), note=note)
    if new.status == "exempt":
        note = "its exemption changed" if old.exemption != new.exemption else ""
        return Changed(change=Change.STILL_EXEMPT, finding=new, before=_other(old, new), note=note)
    step = new.severity.rank - old.severity.rank
    change = Change.WORSE if step > 0 else Change.BETTER if step < 0 else Change.STILL_OPEN
    return Changed(change=change, finding=new, before=_other(old, new))


def _other(old: Finding, new: Finding) -> Severity | None:
    return old.severity if old.severity is not new.severity else None


def _appeared(finding: Finding, before: _Seen) -> Changed:
    if (host := before.taken_in(finding)) is not None:
        return _still(finding, f"was told with {host.rule}")
    because = before.unseen_because(finding)
    note = f"the old audit could not see it: {because}" if because else ""
    return Changed(change=Change.NEW, finding=finding, note=note)


def _vanished(finding: Finding, after: _Seen) -> Changed:
    if (host := after.taken_in(finding)) is not None:
        return _still(finding, f"is told with {host.rule}")
    because = after.unseen_because(finding)
    if because is not None:
        return Changed(change=Change.NOT_SEEN, finding=finding, note=because)
    return Changed(change=Change.RESOLVED, finding=finding, note=after.fate(finding))


def _still(finding: Finding, note: str) -> Changed:
    change = Change.STILL_EXEMPT if finding.status == "exempt" else Change.STILL_OPEN
    return Changed(change=change, finding=finding, note=note)


def _only_in(spots: Iterable[BlindSpot], others: Iterable[BlindSpot]) -> list[BlindSpot]:
    """The blind spots that the others lack. What AWS said may differ: it holds request ids."""
    known = {_spot_key(one) for one in others}
    return [one for one in spots if _spot_key(one) not in known]


def _spot_key(spot: BlindSpot) -> tuple[str, str, str, str | None]:
    return spot.account, spot.region, spot.operation, spot.resource


def remarks(old: Report, new: Report) -> list[str]:
    """In which ways the two audits are not of the same thing, a sentence each."""
    told = []
    for what, before, after in (("accounts", old.accounts, new.accounts), ("regions", old.regions, new.regions)):
        if set(before) != set(after):
            told.append(f"The {what} differ: {_listed(before)} before, {_listed(after)} now.")
    if old.policy.digest != new.policy.digest:
        told.append(
            f"The policies differ: {old.policy.name} ({old.policy.digest}) before, "
            f"{new.policy.name} ({new.policy.digest}) now."
        )
    for what, ids in (
        ("only before", old.rules.keys() - new.rules.keys()),
        ("only now", new.rules.keys() - old.rules.keys()),
    ):
        if ids:
            told.append(f"Rules judged {what}: {_listed(sorted(ids))}.")
    if sorted(old.scope.resources) != sorted(new.scope.resources):
        told.append(f"The scopes differ: {_scope(old)} before, {_scope(new)} now.")
    if new.started_at < old.started_at:
        told.append("The new report is of an earlier audit than the old one; are they given the wrong way round?")
    return told


def _scope(report: Report) -> str:
    number = len(report.scope.resources)
    return "everything" if not number else f"{number} named resource{'s' if number > 1 else ''}"


def _listed(names: Iterable[str]) -> str:
    listed = list(names)
    return ", ".join(listed[:5]) + (f" and {len(listed) - 5} more" if len(listed) > 5 else "") or "none"
