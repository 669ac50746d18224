"""What an audit can say of findings that were open before it: judged again, gone, or neither."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from chalicelib.audit.findings import resource_of
from chalicelib.inventory.facts import Fact
from chalicelib.inventory.failures import Failures
from chalicelib.inventory.kinds.configs import EndpointConfig, plain
from chalicelib.inventory.kinds.endpoints import Endpoint, Variant
from chalicelib.inventory.kinds.models import Model
from chalicelib.inventory.parts import Part
from chalicelib.kinds import DESCRIBED, KINDS
from chalicelib.report.findings import Known, Outcome, Resolution, Verdict, finding_id
from chalicelib.rules import Rule
from chalicelib.scope import Scope

#: The part that a sweep reads to its end, so that a resource of the kind which it does not hold is gone. Configs that
#: nothing uses and jobs before the look-back window are not read, so that their absence proves nothing.
PROVES_GONE = {row.name: Part(row.part) for row in KINDS.values() if row.whole}
#: The part under which a single resource is described by its name.
DESCRIBED_AS = {row.name: Part(row.part) for row in DESCRIBED}

#: Kinds that a narrow scope reads together with the endpoint or component to which they belong.
_READ_WITH_OWNER = frozenset({"endpoint-variant", "scalable-target", "scaling-policy"})

Named = tuple[str, str]
#: A rule's condition as seen on a resource, by the rule's id and the ARN.
Sighting = tuple[str, str]


@dataclass
class Resolutions:
    """The outcomes that matter to what is known. ``rules`` are those that judge; ``known`` are the unresolved findings
    of a sweep, of which alone the outcomes are kept; None keeps all (a narrow scope judges few). ``stands`` collects
    the ARNs of who stands on each subnet. ``first_seen`` are the sightings of audits before, by rule and ARN; None
    where no ledger remembers them.
    """

    scope: Scope
    rules: frozenset[str]
    known: Mapping[str, Known] | None = None
    verdicts: dict[str, Verdict] = field(default_factory=dict)
    gaps: Failures = field(default_factory=Failures)
    stands: dict[str, set[str]] = field(default_factory=dict)
    first_seen: Mapping[Sighting, datetime] | None = None

    def __post_init__(self) -> None:
        self._watched: frozenset[Named] | None = None
        if self.known is not None:
            self._watched = frozenset(_named(finding) for finding in self.known.values())
        self._seen: set[Named] = set()
        self._unsettled: set[str] = set()
        self._sighted: set[Sighting] = set()
        self._past: set[Sighting] = set()

    def __call__(self, rule: Rule, subject: Fact, outcome: Outcome) -> None:
        if isinstance(subject, Model | EndpointConfig):
            self._note_subnets(subject)
        if isinstance(subject, Endpoint) and plain(subject.known("status") or "") != "inservice":
            self._unsettled.add(subject.name)
        if self.first_seen is not None:
            self._note_sighting(rule, subject, outcome)
        name = f"{subject.endpoint_name}/{subject.name}" if isinstance(subject, Variant) else subject.name  # type: ignore[attr-defined]
        if self._watched is not None and (subject.kind, name) not in self._watched:
            return
        self._seen.add((subject.kind, name))
        if outcome.verdict is Verdict.UNKNOWN or not outcome.lasting:
            return
        resource = resource_of(subject, self.scope)
        self.verdicts[finding_id(rule.id, resource.arn, resource.part)] = outcome.verdict

    def _note_sighting(self, rule: Rule, subject: Fact, outcome: Outcome) -> None:
        sighting = (rule.id, getattr(subject, "arn", ""))
        if outcome.remembered:
            self._sighted.add(sighting)
        elif outcome.verdict is not Verdict.UNKNOWN and outcome.lasting:
            self._past.add(sighting)

    def sightings(self, now: datetime) -> dict[Sighting, datetime]:
        """What to remember from now on: what was seen again with its first moment, what is new with ``now``; what was
        judged and is over is left out."""
        known = self.first_seen or {}
        kept = {sighting: first for sighting, first in known.items() if sighting not in self._past}
        return kept | {sighting: known.get(sighting, now) for sighting in self._sighted}

    def _note_subnets(self, subject: Model | EndpointConfig) -> None:
        used = subject.used_by if isinstance(subject, Model) else subject.in_use
        if used and subject.vpc_config is not None:
            for subnet in subject.vpc_config.subnets:
                self.stands.setdefault(subnet, set()).add(subject.arn)

    def finished(self, gaps: Failures) -> None:
        """Keeps what could not be read."""
        self.gaps = gaps

    def of(self, known: Mapping[str, Known]) -> Resolution:
        """What can be said of these findings."""
        gone = {id for id, entry in known.items() if entry.finding.rule in self.rules and self._gone(entry)}
        return Resolution(self.verdicts, frozenset(gone))

    def _gone(self, known: Known) -> bool:
        kind, name = resource = _named(known)
        if not self.scope.whole:
            return self._gone_from_scope(kind, name, known.finding.resource.arn)
        part = PROVES_GONE.get(kind)
        if part is None or resource in self._seen or self.gaps.of(part) is not None:
            return False
        if self.gaps.hides(part, name) or self.gaps.hides(part, name.split("/")[0]):
            return False
        return not (kind == "endpoint-variant" and name.split("/")[0] in self._unsettled)

    def _gone_from_scope(self, kind: str, name: str, arn: str) -> bool:
        """What a narrow scope proves: a resource described as gone takes its variants with it; variants, targets and
        policies of a resource that was read are read with it, so that those not seen are gone."""
        if kind in DESCRIBED_AS:
            return self._described_gone(kind, name, arn)
        owner = name.split("/")[0]
        if kind == "endpoint-variant" and self._described_gone("endpoint", owner):
            return True
        part = PROVES_GONE.get(kind)
        if kind == "scaling-policy" and self.gaps.of(Part.TARGETS) is not None:
            return False
        if kind not in _READ_WITH_OWNER or part is None or self.gaps.of(part) is not None or (kind, name) in self._seen:
            return False
        read = ("endpoint", owner) in self._seen or ("inference-component", owner) in self._seen
        return read and owner not in self._unsettled

    def _described_gone(self, kind: str, name: str, arn: str = "") -> bool:
        """True where a resource that the scope names, by name or ARN, was asked for and is not there."""
        failures = [
            self.gaps.of(DESCRIBED_AS[kind], ref.name)
            for ref in self.scope.resources
            if ref.kind == kind and ref.name in (name, arn)
        ]
        return any(failure is not None and failure.gone for failure in failures)


def _named(known: Known) -> Named:
    return known.finding.resource.kind, known.finding.resource.name
