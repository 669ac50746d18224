"""When a finding resolves. There are two proofs, and nothing else is one:

- **judged**: its resource was read in this audit, and its rule answered on it *pass*, or *not applicable* for good. An
  answer that is unknown, or holds for the moment only (an endpoint in the middle of a change), proves nothing;
- **gone**: AWS, asked in this audit for the resource by its name, said that there is none
  (:mod:`chalicelib.inventory.absence`). That the resource was not among what was read is only the reason to ask.

Only rules that judge in an audit resolve by it. A rule that fails on the resource, while the report holds no finding of
it, is told by another finding now: the one that was known ends without a word. Every other finding stays as it is.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Any

from chalicelib.audit.findings import place_of
from chalicelib.events import ALARM
from chalicelib.inventory.absence import Lacking
from chalicelib.inventory.facts import Fact
from chalicelib.inventory.failures import Failures
from chalicelib.inventory.kinds.configs import EndpointConfig
from chalicelib.inventory.kinds.endpoints import Variant
from chalicelib.inventory.kinds.models import Model
from chalicelib.inventory.kinds.scaling import ScalingPolicy
from chalicelib.inventory.parts import Part
from chalicelib.kinds import KINDS
from chalicelib.report.findings import finding_id
from chalicelib.report.known import Known, Resolution
from chalicelib.report.outcomes import Outcome, Verdict
from chalicelib.rules import Rule
from chalicelib.scope import ResourceRef, Scope

#: Verdicts from the one that resolves least.
_BY_PROOF = (Verdict.FAIL, Verdict.UNKNOWN, Verdict.NOT_APPLICABLE, Verdict.PASS)
#: A rule's condition as seen on a resource, by the rule's id and the ARN.
Sighting = tuple[str, str]


class Ending(Enum):
    """How a finding ends that was known before and that the audit does not report."""

    RESOLVED = "resolved"
    TOLD_BY_ANOTHER = "told by another"


def ending(id: str, resolution: Resolution) -> Ending | None:
    """How the finding with this id ends by what an audit proves; None where it stays as it is."""
    if id in resolution.gone:
        return Ending.RESOLVED
    verdict = resolution.verdicts.get(id)
    if verdict in (Verdict.PASS, Verdict.NOT_APPLICABLE):
        return Ending.RESOLVED
    return Ending.TOLD_BY_ANOTHER if verdict is Verdict.FAIL else None


def proves(outcome: Outcome) -> bool:
    """True for an answer that says how things stand, and not for the moment only."""
    return outcome.verdict is not Verdict.UNKNOWN and outcome.lasting


@dataclass
class Resolutions:
    """The witness of an audit: collects what it proves about findings that were ``known`` before it.

    ``rules`` are those that judge. ``known`` are the unresolved findings, of a whole account and region or of the named
    resources; of a sweep, outcomes on other resources are not kept. ``stands`` collects the ARNs of who stands on each
    subnet, and of what each alarm (``alarm:NAME``) scales.
    ``first_seen`` are the sightings of audits before, by rule and ARN; None where no ledger remembers them.
    ``current`` are the ids of all findings on the named resources of which something may have to be told.
    """

    scope: Scope
    rules: frozenset[str]
    known: Mapping[str, Known] = field(default_factory=dict)
    stands: dict[str, set[str]] = field(default_factory=dict)
    first_seen: Mapping[Sighting, datetime] | None = None
    current: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        self._watched = frozenset((place.kind, place.name) for place in map(_place, self.known.values()))
        self._verdicts: dict[str, Verdict] = {}
        self._read: set[tuple[str, str, str]] = set()
        self._gone: frozenset[Lacking] = frozenset()
        self._gaps = Failures()
        self._undecided: set[str] = set()
        self._sighted: set[Sighting] = set()
        self._past: set[Sighting] = set()
        self._standing: dict[str, Mapping[str, Any]] = {}

    # ---- what the audit tells

    def __call__(self, rule: Rule, subject: Fact, outcome: Outcome) -> None:
        if isinstance(subject, Model | EndpointConfig):
            self._note_subnets(subject)
        elif isinstance(subject, ScalingPolicy):
            self._note_alarms(subject)
        if self.first_seen is not None:
            self._note_sighting(rule, subject, outcome)
        if not proves(outcome) or outcome.verdict is Verdict.FAIL:
            self._undecided.add(rule.id)
        if not self._watches(subject):
            return
        place = place_of(subject, self.scope)
        self._read.add((subject.kind, place.arn, place.part))
        id = finding_id(rule.id, place.arn, place.part)
        saves = id in self.known and self.known[id].finding.saving is not None
        if saves:
            self._note_standing(id, subject)
        # Of answers under one id (a variant in service and its shadow of the same name) the one that resolves least.
        verdict = outcome.verdict if proves(outcome) else Verdict.UNKNOWN
        self._verdicts[id] = min(verdict, self._verdicts.get(id, verdict), key=_BY_PROOF.index)

    def _watches(self, subject: Fact) -> bool:
        if not self.scope.whole:
            return True
        name = f"{subject.endpoint_name}/{subject.name}" if isinstance(subject, Variant) else subject.name  # type: ignore[attr-defined]
        return (subject.kind, name) in self._watched

    def lacking(self) -> list[Lacking]:
        """The resources of known findings that were not among what was read: AWS is asked whether they are gone."""
        resources = {_place(known) for known in self.known.values() if known.finding.rule in self.rules}
        return sorted(place for place in resources if (place.kind, place.arn, place.part) not in self._read)

    def conclude(self, gone: frozenset[Lacking], gaps: Failures) -> None:
        """Keeps which of the lacking resources are gone, and what could not be read."""
        self._gone, self._gaps = gone, gaps

    # ---- what follows from it

    @property
    def resolution(self) -> Resolution:
        """What this audit proves."""
        gone = {
            id for id, known in self.known.items() if known.finding.rule in self.rules and _place(known) in self._gone
        }
        settled, undecided = frozenset(self._settled()), frozenset(self._undecided)
        return Resolution(self._verdicts, frozenset(gone), settled, undecided, self._standing)

    def _settled(self) -> Iterator[str]:
        """The ARNs of the named resources that were read or are gone, where all rules judged."""
        for ref in self.scope.resources if not self.scope.rules else ():
            arn = self.scope.arn(ref)
            if (ref.kind, arn, "") in self._read or self._gaps.gone(Part(KINDS[ref.kind].part), ref.name):
                yield arn

    def sightings(self, now: datetime) -> dict[Sighting, datetime]:
        """What to remember from now on: what was seen again with its first moment, what is new with ``now``; what was
        judged and is over is left out."""
        known = self.first_seen or {}
        kept = {sighting: first for sighting, first in known.items() if sighting not in self._past}
        return kept | {sighting: known.get(sighting, now) for sighting in self._sighted}

    def _note_standing(self, id: str, subject: Fact) -> None:
        from chalicelib.money.standing import standing_of  # read where a finding told of money before

        if (standing := standing_of(subject)) is not None:
            self._standing[id] = standing

    def _note_sighting(self, rule: Rule, subject: Fact, outcome: Outcome) -> None:
        sighting = (rule.id, subject.arn)  # type: ignore[attr-defined]  # what rules judge has one
        if outcome.remembered:
            self._sighted.add(sighting)
        elif proves(outcome):
            self._past.add(sighting)

    def _note_subnets(self, subject: Model | EndpointConfig) -> None:
        used = subject.used_by if isinstance(subject, Model) else subject.in_use
        if used and subject.vpc_config is not None:
            for subnet in subject.vpc_config.subnets:
                self.stands.setdefault(subnet, set()).add(subject.arn)

    def _note_alarms(self, policy: ScalingPolicy) -> None:
        kind, name = policy.resource_id.split("/")[:2]
        for alarm in policy.alarms:
            self.stands.setdefault(f"{ALARM}:{alarm.name}", set()).add(self.scope.arn(ResourceRef(kind, name)))


def _place(known: Known) -> Lacking:
    resource = known.finding.resource
    return Lacking(resource.kind, resource.name, resource.arn, resource.part)
