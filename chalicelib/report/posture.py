"""How well an account stands, in one number that can be worked out by hand, and by topic. Pure.

Of 100 points, endpoints give 90: 20 by the share that is up, 35 by the share that would survive the loss of an
instance, 35 by the share that would survive the loss of an Availability Zone. The rules give the other 10: the mean,
over those that judged anything, of the share of resources that pass, weighted by severity. While an endpoint is down
the score is at most 40 times the share of endpoints that are up.

An endpoint weighs half by its share of the known traffic and half as much as every other, so that neither a busy one
hides the others, nor an idle one counts as much as a busy one. What is exempt counts as it stands, and what is unknown
does not count as good: neither can raise the score.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from msgspec import Struct

from chalicelib.report.findings import EndpointCapacity, Finding, Report, RuleCounts, Severity
from chalicelib.report.survival import Survival, survivals


class Points(NamedTuple):
    """The points of the score: by endpoints that are ``up``, survive an ``instance``, survive a ``zone``, and by the
    ``rules``; ``cap`` is what it is at most while an endpoint is down, times the share of endpoints that are up."""

    up: int = 20
    instance: int = 35
    zone: int = 35
    rules: int = 10
    cap: int = 40


POINTS = Points()
WEIGHTS = {Severity.CRITICAL: 8, Severity.HIGH: 4, Severity.MEDIUM: 2, Severity.LOW: 1, Severity.INFO: 0}

#: How many open findings each rule has in each severity.
Tally = Mapping[str, Mapping[Severity, int]]


class Topic(Struct, frozen=True):
    """One topic: its open findings, the worst of them, and its score from 0 to 100 (None: nothing was judged)."""

    name: str
    open: int
    worst: Severity | None
    score: float | None


class Level(Struct, frozen=True):
    """What a score means: the least score, the word, and the colour that every format shows."""

    least: float
    word: str
    colour: str


#: Every level, the best first; below the last but one everything is red.
LEVELS = (Level(80, "sound", "green"), Level(50, "at risk", "amber"), Level(0, "in danger", "red"))


class Standing(Struct, frozen=True):
    """The endpoints that the score counts, and what of it they give: ``share_up`` and its like are weighted by
    traffic, from 0 to 1; the numbers are endpoints. ``unknown`` are those of which one answer is not known."""

    endpoints: tuple[Survival, ...] = ()
    share_up: float = 0.0
    share_instance: float = 0.0
    share_zone: float = 0.0

    @property
    def down(self) -> list[EndpointCapacity]:
        return [survival.endpoint for survival in self.endpoints if survival.down]

    @property
    def on_one_instance(self) -> list[EndpointCapacity]:
        """Those that are up and would not survive the loss of an instance."""
        return [survival.endpoint for survival in self.endpoints if not survival.down and survival.instance == "no"]

    @property
    def in_one_zone(self) -> list[EndpointCapacity]:
        """Those that are up and would not survive the loss of an Availability Zone."""
        return [survival.endpoint for survival in self.endpoints if not survival.down and survival.zone == "no"]

    @property
    def unknown(self) -> list[EndpointCapacity]:
        return [survival.endpoint for survival in self.endpoints if "unknown" in (survival.instance, survival.zone)]


class Posture(Struct, frozen=True):
    """The score from 0 to 100 (None: nothing was judged), open findings by severity, the topics, worst first, how the
    endpoints stand, and the ``exempt`` findings, which count as they stand. ``rules`` is the share of 0 to 1 that the
    rules give."""

    score: float | None
    open: Mapping[Severity, int]
    topics: tuple[Topic, ...]
    standing: Standing = Standing()
    exempt: int = 0
    rules: float | None = None

    @property
    def level(self) -> Level | None:
        """What the score means; None without one."""
        return None if self.score is None else level(self.score)

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


def level(score: float) -> Level:
    """The word and the colour of a score."""
    return next(level for level in LEVELS if score >= level.least)


def posture(report: Report, counted: Tally | None = None, exempt: int | None = None) -> Posture:
    """How well the account of a report stands. ``counted`` and ``exempt`` take the place of its own findings."""
    if exempt is None:
        exempt = sum(finding.status == "exempt" for finding in report.findings)
    counted = tally(report.findings) if counted is None else counted
    weights = {id: WEIGHTS[in_force.severity] for id, in_force in report.catalogue.items()}
    by_topic: dict[str, list[str]] = {}
    for id, in_force in report.catalogue.items():
        by_topic.setdefault(in_force.topic, []).append(id)
    topics = [_topic(name, ids, report.rules, weights, counted) for name, ids in by_topic.items()]
    total: Counter[Severity] = Counter()
    for severities in counted.values():
        total.update(severities)
    # By some rules only, less is read than an answer about an endpoint needs.
    stands = standing(report.endpoints if not report.scope.rules else ())
    rules = _passing(report.rules, weights)
    return Posture(
        score=_score(stands, rules),
        open={severity: total[severity] for severity in reversed(Severity)},
        topics=tuple(sorted(topics, key=_worst_first)),
        standing=stands,
        exempt=exempt,
        rules=rules,
    )


def standing(endpoints: Iterable[EndpointCapacity]) -> Standing:
    """How these endpoints stand, weighted by traffic where it is known."""
    judged = survivals(endpoints)
    if not judged:
        return Standing()
    weights = _weights([survival.endpoint for survival in judged])

    def share(holds: Iterable[bool]) -> float:
        return math.fsum(weight for weight, held in zip(weights, holds, strict=True) if held)

    return Standing(
        endpoints=tuple(judged),
        share_up=share(not survival.down for survival in judged),
        share_instance=share(survival.instance == "yes" for survival in judged),
        share_zone=share(survival.zone == "yes" for survival in judged),
    )


def _weights(endpoints: Sequence[EndpointCapacity]) -> list[float]:
    """The weights of endpoints, one in sum: half of it equal, half by traffic. One whose traffic is unknown has the
    mean of the others."""
    calls = [_requests(endpoint) for endpoint in endpoints]
    known = [number for number in calls if number is not None]
    whole = math.fsum(known)
    if not whole:
        return [1 / len(endpoints)] * len(endpoints)
    filled = [whole / len(known) if number is None else number for number in calls]
    sum_of = math.fsum(filled)
    return [0.5 / len(endpoints) + 0.5 * number / sum_of for number in filled]


def _requests(endpoint: EndpointCapacity) -> float | None:
    """The requests of an endpoint in a day; None where those of no variant are known."""
    known = [variant.requests_per_day for variant in endpoint.variants if variant.requests_per_day is not None]
    return math.fsum(known) if known else None


def _score(stands: Standing, rules: float | None) -> float | None:
    """The points of the score, capped while an endpoint is down."""
    judged = any(survival.known for survival in stands.endpoints)
    if not judged:
        return None if rules is None or stands.endpoints else _rounded(100 * rules)
    points = POINTS.up * stands.share_up + POINTS.instance * stands.share_instance + POINTS.zone * stands.share_zone
    points = points + POINTS.rules * rules if rules is not None else points * 100 / (100 - POINTS.rules)
    if down := len(stands.down):
        points = min(points, POINTS.cap * (1 - down / len(stands.endpoints)))
    return _rounded(points)


def _rounded(points: float) -> float:
    return round(min(100.0, max(0.0, points)), 1)


def _worst_first(topic: Topic) -> tuple[int, int, str]:
    return (-(topic.worst.rank if topic.worst else -1), -topic.open, topic.name)


def _topic(
    name: str, ids: Iterable[str], rules: Mapping[str, RuleCounts], weights: Mapping[str, int], counted: Tally
) -> Topic:
    severities: Counter[Severity] = Counter()
    own = list(ids)
    share = _passing({id: rules[id] for id in own if id in rules}, weights)
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
        score=_rounded(100 * share) if share is not None else None,
    )


def _passing(rules: Mapping[str, RuleCounts], weights: Mapping[str, int]) -> float | None:
    """The mean share of resources that pass, from 0 to 1; None where nothing was judged. What is unknown is no pass."""
    passed = judged = 0.0
    for id, counts in rules.items():
        asked = counts.passed + counts.fail + counts.unknown
        if asked:
            weight = weights.get(id, 0)
            passed += weight * counts.passed / asked
            judged += weight
    return passed / judged if judged else None
