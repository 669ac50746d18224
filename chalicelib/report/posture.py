"""How well an account stands, in one number that can be worked out by hand, and by topic. Pure.

The score is the mean, over the rules that passed or failed anything, of the share of resources that pass the rule,
weighted by the rule's severity in the policy (critical 8, high 4, medium 2, low 1, info 0). Exempt findings count
neither way; what is unknown or not applicable does not count. A rule weighs the same whether it judged two endpoints or
five thousand jobs, so that many healthy jobs do not hide one endpoint.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import NamedTuple

from msgspec import Struct

from chalicelib.report.findings import Finding, Report, RuleCounts, Severity

WEIGHTS = {Severity.CRITICAL: 8, Severity.HIGH: 4, Severity.MEDIUM: 2, Severity.LOW: 1, Severity.INFO: 0}

#: How many open findings each rule has in each severity.
Tally = Mapping[str, Mapping[Severity, int]]


class Topic(Struct, frozen=True):
    """One topic: its open findings, the worst of them, and its score from 0 to 100 (None: nothing was judged)."""

    name: str
    open: int
    worst: Severity | None
    score: float | None


class Posture(Struct, frozen=True):
    """The score from 0 to 100 (None: nothing was judged), open findings by severity, and the topics, worst first."""

    score: float | None
    open: Mapping[Severity, int]
    topics: tuple[Topic, ...]

    @property
    def total(self) -> int:
        """How many findings are open."""
        return sum(self.open.values())


class Point(NamedTuple):
    """One sweep: when it ended, its score (None: nothing was judged), its open findings, and what it covered."""

    at: datetime
    score: float | None
    open: dict[Severity, int]
    resources: int
    blind_spots: int
    regions: tuple[str, ...]


def tally(findings: Iterable[Finding]) -> dict[str, Counter[Severity]]:
    """The open findings, counted by rule and severity."""
    counted: dict[str, Counter[Severity]] = {}
    for finding in findings:
        if finding.status == "open":
            counted.setdefault(finding.rule, Counter())[finding.severity] += 1
    return counted


def without_exempt(report: Report) -> Report:
    """The report with the failures that are exempt taken out of its counts."""
    exempt = Counter(finding.rule for finding in report.findings if finding.status == "exempt")
    rules = {
        id: counts.model_copy(update={"fail": max(0, counts.fail - exempt[id])}) if exempt[id] else counts
        for id, counts in report.rules.items()
    }
    return report.model_copy(update={"rules": rules})


def posture(report: Report, counted: Tally | None = None) -> Posture:
    """How well the account of a report stands. ``counted`` takes the place of its own findings."""
    counted = tally(report.findings) if counted is None else counted
    rules = without_exempt(report).rules
    weights = {id: WEIGHTS[in_force.severity] for id, in_force in report.catalogue.items()}
    by_topic: dict[str, list[str]] = {}
    for id, in_force in report.catalogue.items():
        by_topic.setdefault(in_force.topic, []).append(id)
    topics = [_topic(name, ids, rules, weights, counted) for name, ids in by_topic.items()]
    total: Counter[Severity] = Counter()
    for severities in counted.values():
        total.update(severities)
    return Posture(
        score=_score(rules, weights),
        open={severity: total[severity] for severity in reversed(Severity)},
        topics=tuple(sorted(topics, key=_worst_first)),
    )


def _worst_first(topic: Topic) -> tuple[int, int, str]:
    return (-(topic.worst.rank if topic.worst else -1), -topic.open, topic.name)


def _topic(
    name: str, ids: Iterable[str], rules: Mapping[str, RuleCounts], weights: Mapping[str, int], counted: Tally
) -> Topic:
    severities: Counter[Severity] = Counter()
    own = list(ids)
    for id in own:
        severities.update(counted.get(id, {}))
    return Topic(
        name=name,
        open=sum(severities.values()),
        worst=max(
            (severity for severity, number in severities.items() if number),
            key=lambda severity: severity.rank,
            default=None,
        ),
        score=_score({id: rules[id] for id in own if id in rules}, weights),
    )


def _score(rules: Mapping[str, RuleCounts], weights: Mapping[str, int]) -> float | None:
    passed = judged = 0.0
    for id, counts in rules.items():
        decided = counts.passed + counts.fail
        if decided:
            weight = weights.get(id, 0)
            passed += weight * counts.passed / decided
            judged += weight
    return round(100 * passed / judged, 1) if judged else None
