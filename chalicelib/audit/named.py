"""Whether the resources that somebody named are there: a report on a misspelt one has no finding, and looks clean."""

from dataclasses import dataclass, field

from chalicelib.audit.findings import resource_of
from chalicelib.audit.judge import Listener, Witness
from chalicelib.inventory.facts import Fact
from chalicelib.inventory.failures import Failures
from chalicelib.inventory.parts import Part
from chalicelib.kinds import KINDS
from chalicelib.report.outcomes import Outcome
from chalicelib.rules import Rule
from chalicelib.scope import ResourceRef, Scope


@dataclass
class Sighted:
    """Keeps the names and ARNs of what was judged, and tells ``other`` of every outcome."""

    scope: Scope
    other: Witness | None = None
    seen: set[str] = field(default_factory=set)
    gaps: Failures = field(default_factory=Failures)

    def __call__(self, rule: Rule, subject: Fact, outcome: Outcome) -> None:
        resource = resource_of(subject, self.scope)
        self.seen |= {resource.arn, resource.name}
        if self.other is not None:
            self.other(rule, subject, outcome)

    def finished(self, gaps: Failures) -> None:
        """Keeps what could not be read."""
        self.gaps = gaps
        if isinstance(self.other, Listener):
            self.other.finished(gaps)

    @property
    def missing(self) -> list[str]:
        """The ARNs of the named resources of which AWS says that there is none."""
        return [self.scope.arn(ref) for ref in self.scope.resources if self._is_missing(ref)]

    def _is_missing(self, ref: ResourceRef) -> bool:
        kind = KINDS[ref.kind]
        if kind.word:
            return self.gaps.gone(Part(kind.part), ref.name)
        # A VPC is known by its subnets alone, which a list brings.
        return ref.kind == "vpc" and self.gaps.of(Part.SUBNETS) is None and ref.name not in self.seen


def no_such_resource(name: str) -> str:
    """The sentence for a resource that does not exist."""
    return f"there is no resource {name!r}; accepted are ARNs and names as AWS and the report show them"
