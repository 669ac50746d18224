"""Rules × resources → outcomes → findings: counting, merging double findings, severity, exemptions and words."""

import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol, runtime_checkable

from msgspec.structs import replace

from chalicelib.audit.findings import Failing
from chalicelib.inventory.estate import Inventory
from chalicelib.inventory.facts import Fact, Unread
from chalicelib.inventory.failures import Failure, Failures
from chalicelib.inventory.kinds.components import InferenceComponent
from chalicelib.inventory.kinds.endpoints import Variant
from chalicelib.inventory.kinds.scaling import ScalableTarget
from chalicelib.kinds import KINDS
from chalicelib.policy.policy import RuleSetting
from chalicelib.report.cause import Cause
from chalicelib.report.findings import RuleCounts
from chalicelib.report.outcomes import Outcome, Verdict, unknown
from chalicelib.rules import Rule
from chalicelib.scope import Scope

log = logging.getLogger(__name__)


#: Told of every outcome as it is judged.
Witness = Callable[[Rule, Fact, Outcome], None]


@runtime_checkable
class Listener(Protocol):
    """A witness that wants to know in the end what could not be read."""

    def finished(self, gaps: Failures) -> None: ...


class Obstacle(NamedTuple):
    """What kept rules from judging: an operation and why it told nothing, and the call itself where one failed."""

    operation: str
    reason: str
    cause: Cause
    failure: Failure | None = None


@dataclass
class Judge:
    """Judges resources one after the other by the enabled rules of a policy, and keeps what failed."""

    rules: Mapping[str, RuleSetting]
    scope: Scope
    counts: dict[str, Counter[Verdict]] = field(default_factory=dict)
    resources: Counter[str] = field(default_factory=Counter)
    failing: list[Failing] = field(default_factory=list)
    unread: dict[Obstacle, set[str]] = field(default_factory=dict)
    witnesses: Sequence[Witness] = ()

    def __post_init__(self) -> None:
        self._by_kind: dict[str, list[tuple[Rule, RuleSetting]]] = {}
        for id, setting in self.rules.items():
            self.counts[id] = Counter()
            for kind in setting.rule.kinds:
                self._by_kind.setdefault(kind, []).append((setting.rule, setting))

    def judge(self, subject: Fact, estate: Inventory) -> None:
        """Judges one resource by every rule of its kind."""
        if KINDS[subject.kind].counted:
            self.resources[subject.kind] += 1
        for rule, setting in self._by_kind.get(subject.kind, ()):
            outcome = self.outcome(rule, setting, subject, estate)
            self.counts[rule.id][outcome.verdict] += 1
            for witness in self.witnesses:
                witness(rule, subject, outcome)
            if outcome.verdict is Verdict.FAIL:
                self.failing.append(Failing(rule, subject, outcome))

    def outcome(self, rule: Rule, setting: RuleSetting, subject: Fact, estate: Inventory) -> Outcome:
        """One rule's answer for one resource; what could not be read, and a fault of the rule itself, is unknown."""
        try:
            return rule.judge(subject, estate, setting.params)
        except Unread as unread:
            obstacle = Obstacle(unread.operation, str(unread), unread.cause, unread.failure)
        except Exception as fault:  # a fault of one rule must not silence the others; it is told as a blind spot
            log.exception("rule %s failed on a %s", rule.id, subject.kind)
            reason = f"the rule failed on a {subject.kind}: {type(fault).__name__}"
            obstacle = Obstacle(f"rule:{rule.id}", reason, Cause.FAILED)
        self.unread.setdefault(obstacle, set()).add(rule.id)
        return unknown(obstacle.reason)

    def merge(self) -> None:
        """One defect, one finding: a finding is taken into the first one that stands, of those into which its rule
        merges, on what it is about."""
        standing = {(failing.rule.id, _judged(failing.subject)): failing for failing in self.failing}
        hosts: dict[int, Failing] = {}
        for failing in self.failing:
            keys = [(id, _judged(failing.subject)) for id in failing.rule.merges_into]
            if (host := next((standing[key] for key in keys if key in standing), None)) is not None:
                hosts[id(failing)] = host
        merged: dict[int, dict[str, Mapping[str, Any]]] = {}
        for failing in self.failing:
            if id(failing) not in hosts:
                continue
            host = hosts[id(failing)]
            while id(host) in hosts:
                host = hosts[id(host)]
            merged.setdefault(id(host), {})[failing.rule.id] = failing.outcome.evidence
            self.counts[failing.rule.id][Verdict.FAIL] -= 1
            self.counts[failing.rule.id][Verdict.NOT_APPLICABLE] += 1
        self.failing = [
            replace(failing, merged=merged.get(id(failing), {})) for failing in self.failing if id(failing) not in hosts
        ]

    def rule_counts(self) -> dict[str, RuleCounts]:
        """How often each rule gave each outcome."""
        return {
            id: RuleCounts(**{verdict.value: number for verdict, number in counts.items()})
            for id, counts in sorted(self.counts.items())
        }


def _judged(subject: Fact) -> str:
    """The resource id of the variant or component that a finding is about, or a text that equals no other's."""
    if isinstance(subject, Variant | InferenceComponent | ScalableTarget):
        return subject.resource_id
    return f"#{id(subject)}"
