"""What changed between two reports. Pure.

A finding that the new report does not list is resolved only if the new audit looked at its resource by its rule;
otherwise it is not seen, and nothing is said about it.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from functools import cached_property

from pydantic import BaseModel, ConfigDict

from chalicelib.report.findings import BlindSpot, Finding, Moment, PolicyUsed, Report, Severity
from chalicelib.report.order import sort_key


class DifferenceKind(StrEnum):
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


#: Whether a rule may need what an operation brings; the operation as ``sagemaker:ListModels``.
MayRead = Callable[[str, str], bool]

#: What a build may fail on: findings that are told now, and were not or were milder before.
ALARMING = (DifferenceKind.NEW, DifferenceKind.WORSE, DifferenceKind.UNEXEMPTED)


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True)


class Changed(_Model):
    """A finding as the newer report that lists it tells it, and what happened to it.

    ``before``: its severity in the old report, where that differs. ``note``: what is known of the reason.
    """

    change: DifferenceKind
    finding: Finding
    before: Severity | None = None
    note: str = ""


class Side(_Model):
    """Which audit a report is of."""

    audit_id: str
    started_at: Moment
    accounts: list[str]
    regions: list[str]
    policy: PolicyUsed
    open_findings: int


class Difference(_Model):
    """Two reports held against each other; ``remarks`` say how far they can be compared."""

    schema_version: int = 1
    old: Side
    new: Side
    remarks: list[str]
    counts: dict[DifferenceKind, int]
    changes: list[Changed]
    blind_spots_appeared: list[BlindSpot]
    blind_spots_gone: list[BlindSpot]

    def of(self, change: DifferenceKind) -> list[Changed]:
        """The findings of one class, worst first."""
        return [changed for changed in self.changes if changed.change is change]

    def worst(self) -> Severity | None:
        """The highest severity among open findings that are new, worse or no longer exempt, or None."""
        alarming = [changed.finding for changed in self.changes if changed.change in ALARMING]
        severities = [finding.severity for finding in alarming if finding.status == "open"]
        return max(severities, key=lambda severity: severity.rank, default=None)


def difference(old: Report, new: Report, may_read: MayRead) -> Difference:
    """What changed from the old report to the new one. ``may_read`` knows what the rules read, which tells what a blind
    spot may have hidden."""
    before, after = _Seen(old, may_read), _Seen(new, may_read)
    changes = [_both(before.findings[id], now) for id, now in after.findings.items() if id in before.findings]
    changes += [_appeared(now, before) for id, now in after.findings.items() if id not in before.findings]
    changes += [_vanished(then, after) for id, then in before.findings.items() if id not in after.findings]
    changes.sort(key=_in_order)
    counted = Counter(changed.change for changed in changes)
    return Difference(
        old=_side(old),
        new=_side(new),
        remarks=remarks(old, new),
        counts={change: counted[change] for change in DifferenceKind},
        changes=changes,
        blind_spots_appeared=_only_in(new.blind_spots, old.blind_spots),
        blind_spots_gone=_only_in(old.blind_spots, new.blind_spots),
    )


def _in_order(changed: Changed) -> tuple[int, str]:
    return list(DifferenceKind).index(changed.change), sort_key(changed.finding)


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

    def __init__(self, report: Report, may_read: MayRead) -> None:
        self.report = report
        self.may_read = may_read
        self.findings: Mapping[str, Finding] = {
            finding.id: finding for finding in report.findings if finding.status != "resolved"
        }

    def taken_in(self, finding: Finding) -> Finding | None:
        """The finding that tells the defect of this finding along with its own, on the same variant; or None."""
        return self._hosts.get((finding.account, finding.region, finding.resource.name, finding.rule))

    @cached_property
    def _hosts(self) -> Mapping[tuple[str, str, str, str], Finding]:
        return {
            (finding.account, finding.region, finding.resource.name, rule): finding
            for finding in self.findings.values()
            for rule in finding.evidence.get("merged") or ()
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
            if (spot.account, spot.region) == (finding.account, finding.region) and self._blinds(spot, finding.rule):
                return f"{spot.operation} could not be read"
        if report.rules[finding.rule].unknown:
            return "its rule could not judge every resource"
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
        return Counter(finding.rule for finding in self.findings.values())

    @cached_property
    def _resources(self) -> frozenset[tuple[str, str]]:
        return frozenset((finding.resource.arn, finding.resource.name) for finding in self.findings.values())

    def _blinds(self, spot: BlindSpot, rule: str) -> bool:
        """True where a blind spot may have left a rule without an answer: it names the rule, or the rule reads what the
        operation brings, as a resource that could not be described is not judged at all."""
        if rule in spot.effect:
            return True
        if spot.operation == "sagemaker:Search":  # lists and descriptions were read instead
            return False
        return self.may_read(rule, spot.operation)

    def fate(self, finding: Finding) -> str:
        """What became of a finding that this audit looked for and did not find, as far as the report tells."""
        if (finding.resource.arn, finding.resource.name) in self._resources:
            return "fixed: its resource is still there"
        if not self.report.resources.get(finding.resource.kind):
            return f"gone: no {finding.resource.kind} was found any more"
        return "fixed, or its resource is gone"


def _both(old: Finding, new: Finding) -> Changed:
    if old.status != new.status:
        change = DifferenceKind.EXEMPTED if new.status == "exempt" else DifferenceKind.UNEXEMPTED
        exemption, word = (new.exemption, "exempt") if new.status == "exempt" else (old.exemption, "was exempt")
        note = f"{word}: {exemption.reason}" if exemption else ""
        return Changed(change=change, finding=new, before=_other(old, new), note=note)
    if new.status == "exempt":
        note = "its exemption changed" if old.exemption != new.exemption else ""
        return Changed(change=DifferenceKind.STILL_EXEMPT, finding=new, before=_other(old, new), note=note)
    step = new.severity.rank - old.severity.rank
    change = DifferenceKind.WORSE if step > 0 else DifferenceKind.BETTER if step < 0 else DifferenceKind.STILL_OPEN
    return Changed(change=change, finding=new, before=_other(old, new))


def _other(old: Finding, new: Finding) -> Severity | None:
    return old.severity if old.severity is not new.severity else None


def _appeared(finding: Finding, before: _Seen) -> Changed:
    if (host := before.taken_in(finding)) is not None:
        return _still(finding, f"was told with {host.rule}")
    because = before.unseen_because(finding)
    note = f"the old audit could not see it: {because}" if because else ""
    return Changed(change=DifferenceKind.NEW, finding=finding, note=note)


def _vanished(finding: Finding, after: _Seen) -> Changed:
    if (host := after.taken_in(finding)) is not None:
        return _still(finding, f"is told with {host.rule}")
    because = after.unseen_because(finding)
    if because is not None:
        return Changed(change=DifferenceKind.NOT_SEEN, finding=finding, note=because)
    return Changed(change=DifferenceKind.RESOLVED, finding=finding, note=after.fate(finding))


def _still(finding: Finding, note: str) -> Changed:
    change = DifferenceKind.STILL_EXEMPT if finding.status == "exempt" else DifferenceKind.STILL_OPEN
    return Changed(change=change, finding=finding, note=note)


def _only_in(spots: Iterable[BlindSpot], others: Iterable[BlindSpot]) -> list[BlindSpot]:
    """The blind spots that the others lack. What AWS said may differ: it holds request ids."""
    known = {_spot_key(spot) for spot in others}
    return [spot for spot in spots if _spot_key(spot) not in known]


def _spot_key(spot: BlindSpot) -> tuple[str, str, str, str | None]:
    return spot.account, spot.region, spot.operation, spot.resource


def remarks(old: Report, new: Report) -> list[str]:
    """In which ways the two audits are not of the same thing, a sentence each."""
    sentences = []
    for what, before, after in (("accounts", old.accounts, new.accounts), ("regions", old.regions, new.regions)):
        if set(before) != set(after):
            sentences.append(f"The {what} differ: {_listed(before)} before, {_listed(after)} now.")
    if old.policy.digest != new.policy.digest:
        sentences.append(
            f"The policies differ: {old.policy.name} ({old.policy.digest}) before, "
            f"{new.policy.name} ({new.policy.digest}) now."
        )
    for what, ids in (
        ("only before", old.rules.keys() - new.rules.keys()),
        ("only now", new.rules.keys() - old.rules.keys()),
    ):
        if ids:
            sentences.append(f"Rules judged {what}: {_listed(sorted(ids))}.")
    if sorted(old.scope.resources) != sorted(new.scope.resources):
        sentences.append(f"The scopes differ: {_scope(old)} before, {_scope(new)} now.")
    if new.started_at < old.started_at:
        sentences.append("The new report is of an earlier audit than the old one; are they given the wrong way round?")
    return sentences


def _scope(report: Report) -> str:
    number = len(report.scope.resources)
    return "everything" if not number else f"{number} named resource{'s' if number > 1 else ''}"


def _listed(names: Iterable[str]) -> str:
    listed = list(names)
    return ", ".join(listed[:5]) + (f" and {len(listed) - 5} more" if len(listed) > 5 else "") or "none"
