"""What was judged and passed, resource by resource: silence alone does not say that anybody looked."""

from dataclasses import dataclass, field

from chalicelib.audit.findings import resource_of
from chalicelib.inventory.facts import Fact
from chalicelib.report.findings import Passed
from chalicelib.report.outcomes import Outcome, Verdict
from chalicelib.rules import Rule
from chalicelib.scope import Scope


@dataclass
class Passes:
    """Keeps the passes that it is told of."""

    scope: Scope
    records: list[Passed] = field(default_factory=list)

    def __call__(self, rule: Rule, subject: Fact, outcome: Outcome) -> None:
        if outcome.verdict is Verdict.PASS:
            resource = resource_of(subject, self.scope)
            self.records.append(
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
