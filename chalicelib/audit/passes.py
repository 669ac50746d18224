"""What was judged and passed, resource by resource: silence alone does not say that anybody looked."""

from dataclasses import dataclass, field

from chalicelib.audit.findings import resource_of
from chalicelib.audit.judge import Witness
from chalicelib.inventory.facts import Fact
from chalicelib.inventory.failures import Failures
from chalicelib.report.findings import Outcome, Passed, Verdict
from chalicelib.rules import Rule
from chalicelib.scope import Scope


@dataclass
class Passes:
    """Keeps the passes that it is told of, and tells ``other`` of every outcome."""

    scope: Scope
    other: Witness | None = None
    found: list[Passed] = field(default_factory=list)

    def __call__(self, rule: Rule, subject: Fact, outcome: Outcome) -> None:
        if outcome.verdict is Verdict.PASS:
            resource = resource_of(subject, self.scope)
            self.found.append(
                Passed(
                    rule=rule.id,
                    account=self.scope.account,
                    region=self.scope.region,
                    kind=resource.kind,
                    name=resource.name,
                    arn=resource.arn,
                    reason=outcome.reason,
                )
            )
        if self.other is not None:
            self.other(rule, subject, outcome)

    def finished(self, gaps: Failures) -> None:
        """Hands on what could not be read."""
        if self.other is not None:
            self.other.finished(gaps)
