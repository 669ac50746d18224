"""Rules × resources → outcomes → findings: counting, merging double findings, severity, exemptions and words."""

import logging
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from chalicelib.audit.findings import Failing
from chalicelib.inventory.estate import Inventory
from chalicelib.inventory.facts import Fact, Gaps, Unread
from chalicelib.inventory.kinds.endpoints import Variant
from chalicelib.inventory.kinds.scaling import ScalableTarget
from chalicelib.policy.policy import RuleSetting
from chalicelib.report.findings import (
    Outcome,
    RuleCounts,
    Verdict,
    unknown,
)
from chalicelib.rules import Rule
from chalicelib.scope import Scope

log = logging.getLogger(__name__)


class Witness(Protocol):
    """Told of every outcome as it is judged, and in the end of what could not be read."""

    def __call__(self, rule: Rule, subject: Fact, outcome: Outcome) -> None: ...

    def finished(self, gaps: Gaps) -> None: ...


@dataclass
class Judge:
    """Judges resources one after the other by the enabled rules of a policy, and keeps what failed."""

    rules: Mapping[str, RuleSetting]
    scope: Scope
    counts: dict[str, Counter[Verdict]] = field(default_factory=dict)
    resources: Counter[str] = field(default_factory=Counter)
    failing: list[Failing] = field(default_factory=list)
    unread: dict[tuple[str, str], set[str]] = field(default_factory=dict)
    witness: Witness | None = None

    def __post_init__(self) -> None:
        self._by_kind: dict[str, list[tuple[Rule, RuleSetting]]] = {}
        for id, setting in self.rules.items():
            self.counts[id] = Counter()
            for kind in setting.rule.kinds:
                self._by_kind.setdefault(kind, []).append((setting.rule, setting))

    def judge(self, subject: Fact, estate: Inventory) -> None:
        """Judges one resource by every rule of its kind."""
        self.resources[subject.kind] += 1
        for rule, setting in self._by_kind.get(subject.kind, ()):
            outcome = self.outcome(rule, setting, subject, estate)
            self.counts[rule.id][outcome.verdict] += 1
            if self.witness is not None:
                self.witness(rule, subject, outcome)
            if outcome.verdict is Verdict.FAIL:
                self.failing.append(Failing(rule, subject, outcome))

    def outcome(self, rule: Rule, setting: RuleSetting, subject: Fact, estate: Inventory) -> Outcome:
        """One rule's answer for one resource; what could not be read, and a fault of the rule itself, is unknown."""
        try:
            return rule.judge(subject, estate, setting.params)
        except Unread as unread:
            operation, reason = unread.operation, str(unread)
        except Exception as fault:  # a fault of one rule must not silence the others; it is told as a blind spot
            log.exception("rule %s failed on a %s", rule.id, subject.kind)
            operation, reason = f"rule:{rule.id}", f"the rule failed on a {subject.kind}: {type(fault).__name__}"
        self.unread.setdefault((operation, reason), set()).add(rule.id)
        return unknown(reason)

    def merge(self) -> None:
        """One defect, one finding: a finding that another rule's finding on the same variant tells is taken into it."""
        told = {(one.rule.id, _variant_of(one.subject)): one for one in self.failing}
        kept: dict[int, Failing] = {id(one): one for one in self.failing}
        for one in self.failing:
            host = told.get((one.rule.merges_into or "", _variant_of(one.subject)))
            if host is None:
                continue
            self.counts[one.rule.id][Verdict.FAIL] -= 1
            self.counts[one.rule.id][Verdict.NOT_APPLICABLE] += 1
            del kept[id(one)]
            current = kept[id(host)]
            merged = {**current.merged, one.rule.id: one.outcome.evidence}
            kept[id(host)] = Failing(host.rule, host.subject, host.outcome, merged)
        self.failing = list(kept.values())

    def rule_counts(self) -> dict[str, RuleCounts]:
        """How often each rule gave each outcome."""
        return {
            id: RuleCounts(**{verdict.value: number for verdict, number in counts.items()})
            for id, counts in sorted(self.counts.items())
        }


def _variant_of(subject: Fact) -> str:
    """The resource id of the variant that a finding is about, or a text that equals no other's."""
    if isinstance(subject, Variant | ScalableTarget):
        return subject.resource_id
    return f"#{id(subject)}"
