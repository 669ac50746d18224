"""Why a rule fired, why it did not, why it does not apply: every outcome for one resource."""

from dataclasses import dataclass, field
from typing import Any

from msgspec import Struct

from chalicelib.audit.findings import resource_of
from chalicelib.errors import InvalidInput
from chalicelib.inventory.facts import Fact
from chalicelib.report.findings import Resource
from chalicelib.report.outcomes import Outcome
from chalicelib.rules import Rule
from chalicelib.scope import Scope


class Explained(Struct, frozen=True):
    """One rule's answer for one resource."""

    resource: Resource
    rule: Rule
    outcome: Outcome

    def as_json(self) -> dict[str, Any]:
        """The answer as JSON: resource, rule, outcome, reason, and the facts that the rule read."""
        return {
            "resource": {"kind": self.resource.kind, "name": self.resource.name, "arn": self.resource.arn},
            "rule": self.rule.id,
            "outcome": self.outcome.verdict.value,
            "reason": self.outcome.reason or None,
            "facts": dict(self.outcome.evidence),
        }


@dataclass
class Explanation:
    """Keeps every outcome that it is told of."""

    outcomes: list[tuple[Rule, Fact, Outcome]] = field(default_factory=list)

    def __call__(self, rule: Rule, subject: Fact, outcome: Outcome) -> None:
        self.outcomes.append((rule, subject, outcome))

    def about(self, asked: str, scope: Scope) -> list[Explained]:
        """The outcomes for the resource with this ARN or name, and for its parts (variants, targets, policies).

        Raises InvalidInput when nothing of that name was judged.
        """
        name = asked.rsplit("/", 1)[1] if asked.startswith("arn:") and "/" in asked else asked
        kinds = {ref.kind for ref in scope.resources}
        explained = []
        names: set[str] = set()
        for rule, subject, outcome in self.outcomes:
            resource = resource_of(subject, scope)
            names.add(resource.name)
            own = resource.arn == asked or (resource.name == name and (not kinds or resource.kind in kinds))
            part = resource.name.startswith(f"{name}/") and (not kinds or "endpoint" in kinds)
            if own or part:
                explained.append(Explained(resource, rule, outcome))
        if not explained:
            near = sorted(known for known in names if name.lower() in known.lower())[:5]
            hint = f"did you mean {', '.join(near)}?" if near else "it does not exist, or no enabled rule judges it;"
            raise InvalidInput(
                f"nothing named {asked!r} was judged: {hint} accepted are ARNs and names as the report shows them",
                field="--explain",
            )
        return explained
