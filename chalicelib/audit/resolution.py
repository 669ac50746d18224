"""What an audit can say of findings that were open before it: judged again, gone, or neither."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from chalicelib.audit.findings import resource_of
from chalicelib.inventory.facts import Fact, Gaps
from chalicelib.inventory.kinds.endpoints import Endpoint, EndpointConfig, Variant, plain
from chalicelib.inventory.kinds.models import Model
from chalicelib.inventory.parts import Part
from chalicelib.report.findings import Judged, Known, Outcome, Verdict, finding_id
from chalicelib.rules import Rule
from chalicelib.scope import Scope

#: The part that a sweep reads to its end, so that a resource of the kind which it does not hold is gone. Configs that
#: nothing uses and jobs before the look-back window are not read, so that their absence proves nothing.
PROVES_GONE = {
    "endpoint": Part.ENDPOINTS,
    "endpoint-variant": Part.ENDPOINTS,
    "model": Part.MODELS,
    "inference-component": Part.COMPONENTS,
    "scalable-target": Part.TARGETS,
    "scaling-policy": Part.POLICIES,
    "vpc": Part.SUBNETS,
    "notebook-instance": Part.NOTEBOOKS,
}
#: The part under which a single resource is described by its name.
DESCRIBED_AS = {
    "endpoint": Part.ENDPOINTS,
    "endpoint-config": Part.CONFIGS,
    "model": Part.MODELS,
    "inference-component": Part.COMPONENTS,
    "training-job": Part.TRAINING_JOBS,
    "tuning-job": Part.TUNING_JOBS,
    "transform-job": Part.TRANSFORM_JOBS,
    "notebook-instance": Part.NOTEBOOKS,
}

#: Kinds that a narrow scope reads together with the endpoint or component to which they belong.
_READ_WITH_OWNER = frozenset({"endpoint-variant", "scalable-target", "scaling-policy"})

Named = tuple[str, str]


@dataclass
class Answers:
    """The outcomes that matter to what is known. ``rules`` are those that judge; ``known`` are the unresolved findings
    of a sweep, of which alone the outcomes are kept; None keeps all (a narrow scope judges few). ``stands`` collects
    the ARNs of who stands on each subnet.
    """

    scope: Scope
    rules: frozenset[str]
    known: Mapping[str, Known] | None = None
    verdicts: dict[str, Verdict] = field(default_factory=dict)
    gaps: Gaps = field(default_factory=Gaps)
    stands: dict[str, set[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._watched: frozenset[Named] | None = None
        if self.known is not None:
            self._watched = frozenset(_named(one) for one in self.known.values())
        self._seen: set[Named] = set()
        self._unsettled: set[str] = set()

    def __call__(self, rule: Rule, subject: Fact, outcome: Outcome) -> None:
        if isinstance(subject, Model | EndpointConfig):
            self._note_subnets(subject)
        if isinstance(subject, Endpoint) and plain(subject.status) != "inservice":
            self._unsettled.add(subject.name)
        name = f"{subject.endpoint_name}/{subject.name}" if isinstance(subject, Variant) else subject.name  # type: ignore[attr-defined]
        if self._watched is not None and (subject.kind, name) not in self._watched:
            return
        self._seen.add((subject.kind, name))
        if outcome.verdict is Verdict.UNKNOWN or not outcome.lasting:
            return
        resource = resource_of(subject, self.scope)
        self.verdicts[finding_id(rule.id, resource.arn, resource.part)] = outcome.verdict

    def _note_subnets(self, subject: Model | EndpointConfig) -> None:
        used = subject.used_by if isinstance(subject, Model) else subject.in_use
        if used and subject.vpc_config is not None:
            for subnet in subject.vpc_config.subnets:
                self.stands.setdefault(subnet, set()).add(subject.arn)

    def finished(self, gaps: Gaps) -> None:
        """Keeps what could not be read."""
        self.gaps = gaps

    def judged(self, known: Mapping[str, Known]) -> Judged:
        """What can be said of these findings."""
        gone = {id for id, one in known.items() if one.finding.rule in self.rules and self._gone(_named(one))}
        return Judged(self.verdicts, frozenset(gone))

    def _gone(self, resource: Named) -> bool:
        kind, name = resource
        if not self.scope.whole:
            return self._gone_from_scope(kind, name)
        part = PROVES_GONE.get(kind)
        if part is None or resource in self._seen or part in self.gaps.parts:
            return False
        if (part, name) in self.gaps.failed or (part, name.split("/")[0]) in self.gaps.failed:
            return False
        return not (kind == "endpoint-variant" and name.split("/")[0] in self._unsettled)

    def _gone_from_scope(self, kind: str, name: str) -> bool:
        """What a narrow scope proves: a resource described as gone takes its variants with it; variants, targets and
        policies of a resource that was read are read with it, so that those not seen are gone."""
        if kind in DESCRIBED_AS:
            return self._described_gone(kind, name)
        owner = name.split("/")[0]
        if kind == "endpoint-variant" and self._described_gone("endpoint", owner):
            return True
        part = PROVES_GONE.get(kind)
        if kind == "scaling-policy" and Part.TARGETS in self.gaps.parts:
            return False
        if kind not in _READ_WITH_OWNER or part is None or part in self.gaps.parts or (kind, name) in self._seen:
            return False
        read = ("endpoint", owner) in self._seen or ("inference-component", owner) in self._seen
        return read and owner not in self._unsettled

    def _described_gone(self, kind: str, name: str) -> bool:
        key = (DESCRIBED_AS.get(kind, Part.TAGS), name)
        named = any((ref.kind, ref.name) == (kind, name) for ref in self.scope.resources)
        return named and key in self.gaps.resources and key not in self.gaps.failed


def _named(known: Known) -> Named:
    return known.finding.resource.kind, known.finding.resource.name
