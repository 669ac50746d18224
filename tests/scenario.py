"""A ledger, channels that keep what they are given, and a clock that a test moves: scenarios over time."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from chalicelib.ledger.ledger import Ledger
from chalicelib.ledger.table import TABLE
from chalicelib.notices.notice import Notice
from chalicelib.notices.publisher import Audited, Publisher
from chalicelib.notices.sns import PublishFailed
from chalicelib.policy.policy import Policy, load_policy
from chalicelib.report.findings import Finding, Report, Severity
from chalicelib.report.known import Resolution
from chalicelib.report.outcomes import Verdict
from chalicelib.scope import ResourceRef, Scope
from tests.unit.test_notices import NOW, a_finding, a_report

ACCOUNT, REGION = "123456789012", "eu-west-1"
ENDPOINT = ResourceRef("endpoint", "churn")


@dataclass
class Ear:
    """A channel that keeps what it is given, and takes nothing while it is ``broken``."""

    broken: bool = False
    heard: list[Notice] = field(default_factory=list)

    def __call__(self, notice: Notice, report: Report) -> None:
        if self.broken:
            raise PublishFailed("nobody listens")
        self.heard.append(notice)

    @property
    def changes(self) -> list[tuple[str, str]]:
        """The changes that were heard, with the finding's id."""
        return [(change.change, change.finding.id) for notice in self.heard for change in notice.told]


@dataclass
class Story:
    """One account through time. ``sent`` holds every notice that left."""

    client: Any
    table: str = "ledger"
    policy: Policy = field(default_factory=load_policy)
    now: datetime = NOW
    sent: list[Notice] = field(default_factory=list)
    failures: int = 0
    others: dict[str, Ear] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.client.create_table(TableName=self.table, **TABLE)
        self.ledger = Ledger(self.table, self.client, clock=lambda: self.now, sleep=lambda _: None)

    def channel(self, notice: Notice, report: Report | None = None) -> None:
        """Keeps the notice, or fails as often as ``failures`` says."""
        if self.failures:
            self.failures -= 1
            raise PublishFailed("the topic did not take it")
        self.sent.append(notice)

    @property
    def publisher(self) -> Publisher:
        """Who tells: the topic, and after it the ``others``."""
        return Publisher(self.policy, {"sns": self.channel, **self.others}, self.ledger)

    def later(self, **time: float) -> "Story":
        """Moves the clock."""
        self.now += timedelta(**time)
        return self

    def report(self, *findings: Finding, **differences: Any) -> Report:
        """What an audit finds now."""
        dated = [finding.model_copy(update={"first_seen": self.now, "last_seen": self.now}) for finding in findings]
        differences = {
            "audit_id": f"a-{self.now:%Y%m%d%H%M%S}",
            "started_at": self.now,
            "finished_at": self.now,
            "trigger": "event",
            **differences,
        }
        return a_report(*dated, **differences)

    def event(
        self, *findings: Finding, passed: tuple[Finding, ...] = (), answered: Verdict = Verdict.PASS, **report: Any
    ) -> list[Notice]:
        """An event about the endpoint: what is found, and what was judged to hold no more. Gives what left."""
        scope = Scope(ACCOUNT, REGION, resources=(ENDPOINT,))
        proof = Resolution(verdicts={finding.id: answered for finding in passed})
        before = len(self.sent)
        self.publisher.event(Audited(self.report(*findings, **report), scope, proof))
        return self.sent[before:]

    def sweep(
        self, *findings: Finding, passed: tuple[Finding, ...] = (), gone: tuple[Finding, ...] = (), **report: Any
    ) -> Notice:
        """A sweep of everything: what is found, what was judged to hold no more, and what AWS says is gone. Gives its
        digest."""
        proof = Resolution(
            verdicts={finding.id: Verdict.PASS for finding in passed}, gone=frozenset(finding.id for finding in gone)
        )
        audited = self.report(*findings, **{"trigger": "schedule", **report})
        self.publisher.sweep([Audited(audited, Scope(ACCOUNT, REGION), proof)], audited)
        return self.sent[-1]


def on_churn(severity: Severity = Severity.HIGH, **differences: Any) -> Finding:
    """A finding on the one variant of the endpoint ``churn``."""
    return a_finding(7, name="churn/AllTraffic", severity=severity, **differences)
