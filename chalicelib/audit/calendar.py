"""Which ends an audit knows of: those of exemptions, and of what was read for the rules that look at ends."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date

from chalicelib.inventory.estate import Inventory
from chalicelib.policy.policy import Policy
from chalicelib.report.calendar import CalendarEntry, in_order
from chalicelib.report.findings import Finding
from chalicelib.scope import Scope, may_lie_in

Source = Callable[[Inventory, Scope], Iterable[CalendarEntry]]

#: Where ends are read, by the rule that has it read: a rule that is off adds nothing and asks nothing.
SOURCES: Mapping[str, Source] = {}


def calendar(
    policy: Policy, rules: Iterable[str], reported: Sequence[Finding], estate: Inventory, scope: Scope, today: date
) -> list[CalendarEntry]:
    """The ends from ``today`` on that the audit of a whole account and region knows of, the next one first.

    ``rules`` are those that judged, ``reported`` the findings of the audit.
    """
    entries = [*of_policy(policy, scope), *_of_tags(reported)]
    for rule in rules:
        if rule in SOURCES:
            entries += SOURCES[rule](estate, scope)
    return in_order(entry for entry in entries if entry.day >= today)


def of_policy(policy: Policy, scope: Scope) -> Iterator[CalendarEntry]:
    """The ends of the exemptions of the policy that may cover something in an account and region."""
    for exemption in policy.exemptions:
        if exemption.expires is not None and may_lie_in(exemption.resource, scope.account, scope.region):
            yield CalendarEntry(
                day=exemption.expires,
                kind="exemption",
                resource=exemption.resource,
                says=f"The exemption of {exemption.resource} from {exemption.rule} ends",
                rule=exemption.rule,
                owner=exemption.owner,
            )


def _of_tags(reported: Iterable[Finding]) -> Iterator[CalendarEntry]:
    for finding in reported:
        exemption = finding.exemption
        if exemption is not None and exemption.source == "tag" and exemption.expires is not None:
            yield CalendarEntry(
                day=exemption.expires,
                kind="exemption",
                resource=finding.resource.arn or finding.resource.name,
                says=f"The tag that exempts {finding.resource.name} from {finding.rule} ends",
                account=finding.account,
                region=finding.region,
                rule=finding.rule,
                owner=exemption.owner or finding.owner,
            )
