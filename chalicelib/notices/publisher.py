"""From audits to notices: what changed is told once, in every channel, and then remembered."""

import hashlib
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

from chalicelib.audit.resolution import Resolutions
from chalicelib.ledger.history import History
from chalicelib.ledger.ledger import Ledger
from chalicelib.notices.channels import Deliver
from chalicelib.notices.decide import Decision, decide, digest, notices_of_event
from chalicelib.notices.notice import Notice
from chalicelib.policy.policy import Policy
from chalicelib.report import telemetry
from chalicelib.report.findings import Known, Report, Resolution
from chalicelib.scope import Scope
from chalicelib.settings import Settings
from chalicelib.storage import store_text

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Audited:
    """The report of one account and region, and what it can say of findings that it does not hold.

    ``resolutions`` are those of the audit itself, or the resolution that was worked out when a part of a run was
    audited. ``stands`` are the ARNs of who stands on each subnet.
    """

    report: Report
    scope: Scope
    resolutions: Resolutions | Resolution
    stands: Mapping[str, Iterable[str]] = field(default_factory=dict)

    @classmethod
    def by(cls, report: Report, resolutions: Resolutions) -> "Audited":
        """What was audited just now."""
        return cls(report, resolutions.scope, resolutions, resolutions.stands)

    @property
    def ids(self) -> list[str]:
        """The findings to ask the ledger for after an audit of named resources."""
        return [] if self.scope.whole else list(self.resolutions.verdicts)

    def resolution(self, known: Mapping[str, Known]) -> Resolution:
        """What can be said of these findings."""
        if isinstance(self.resolutions, Resolution):
            return self.resolutions
        return self.resolutions.of(known)


@dataclass(frozen=True, slots=True)
class Publisher:
    """Tells through ``channels``, by name, in their order; without a ledger everything that is open counts as new.

    ``url`` gives the address under which a report can be read, or None; ``history`` keeps the posture of sweeps.
    """

    policy: Policy
    channels: Mapping[str, Deliver]
    ledger: Ledger | None = None
    url: Callable[[Report], str | None] = field(default=lambda report: None)
    history: History | None = None

    def sweep(self, audited: Sequence[Audited], merged: Report) -> Notice:
        """Sends the one digest of an account's sweep, and remembers. Raises what a channel raises, with nothing
        remembered."""

        def digests(decisions: Sequence[Decision]) -> list[Notice]:
            changes = [change for decision in decisions for change in decision.changes]
            ordered = sorted(changes, key=lambda change: (change.change == "resolved", -change.finding.severity.rank))
            return [digest(Decision(tuple(ordered), ()), merged, self.policy, self.url(merged))]

        (notice,) = self._published(audited, digests, merged)
        for account in merged.accounts if merged.complete else ():
            telemetry.completed(account, merged.audit_id)
        if self.ledger is not None:
            for part in audited:
                self.ledger.stands(part.scope.account, part.scope.region, part.stands)
            for account in merged.accounts if merged.complete else ():
                self.ledger.completed(account, merged.finished_at)
        if self.history is not None:
            self.history.note([part.report for part in audited], merged)
        return notice

    def event(self, audited: Audited) -> list[Notice]:
        """Sends what an event changed, and remembers. Raises what a channel raises, with nothing remembered."""

        def notices(decisions: Sequence[Decision]) -> list[Notice]:
            (decision,) = decisions
            url = self.url(audited.report) if decision.changes else None  # a report may be stored to have one
            return notices_of_event(decision, audited.report, self.policy, url)

        return self._published([audited], notices, audited.report)

    def preview(self, audited: Audited) -> list[Notice]:
        """What an event would send, without sending or remembering it."""
        return notices_of_event(self._decided(audited), audited.report, self.policy)

    def _published(
        self,
        audited: Sequence[Audited],
        notices_of: Callable[[Sequence[Decision]], list[Notice]],
        report: Report,
    ) -> list[Notice]:
        with ExitStack() as leases:
            if self.ledger is not None:
                for account, region in sorted({(part.scope.account, part.scope.region) for part in audited}):
                    leases.enter_context(self.ledger.telling(account, region))
            decisions = [self._decided(part) for part in audited]
            notices = notices_of(decisions)
            for notice in notices:
                self._deliver(notice, report)
            if self.ledger is not None:
                for decision in decisions:
                    self.ledger.remember(decision.remember)
        return notices

    def _decided(self, audited: Audited) -> Decision:
        known = self._known(audited)
        return decide(audited.report, known, audited.resolution(known), self.policy)

    def _known(self, audited: Audited) -> dict[str, Known]:
        if self.ledger is None:
            return {}
        scope, reported = audited.scope, [finding.id for finding in audited.report.findings]
        if scope.whole:
            known = self.ledger.unresolved(scope.account, scope.region)
            lacking = [id for id in reported if id not in known]
            return known | self.ledger.known(scope.account, scope.region, lacking)
        known = self.ledger.known(scope.account, scope.region, [*reported, *audited.ids])
        for ref in scope.resources:
            for id, entry in self.ledger.of_resource(scope.arn(ref)).items():
                known.setdefault(id, entry)
        return known

    def _deliver(self, notice: Notice, report: Report) -> None:
        """Hands a notice to every channel. After a failure the next attempt leaves out those that took it."""
        if not self.channels:
            log.info("nothing published: AUDITOR_TOPIC_ARN is not set")
            return
        key = _key(notice)
        done = self.ledger.delivered(key) if self.ledger is not None else frozenset()
        for name, deliver in self.channels.items():
            if name in done:
                continue
            deliver(notice, report)
            if self.ledger is not None and len(self.channels) > 1:
                self.ledger.deliver(key, name)
        if self.ledger is not None and (done or len(self.channels) > 1):
            self.ledger.settled(key)


def _key(notice: Notice) -> str:
    """The same for a notice and for what a retry of its audit makes of it."""
    changes = sorted(f"{change.finding.id} {change.change} {change.finding.severity}" for change in notice.told)
    content = "\n".join((notice.kind, notice.trigger, notice.account, notice.region, *changes))
    return hashlib.sha256(content.encode()).hexdigest()[:32]


def report_address(report: Report, settings: Settings, session: Any) -> str | None:
    """Where the whole report can be read: in the bucket, where it is put now, else at ``GET /audit``, else nowhere."""
    if settings.bucket is not None:
        key = f"reports/{report.started_at:%Y/%m/%d}/{report.audit_id}.json"
        return store_text(session, settings.bucket, key, report.model_dump_json())
    return f"{settings.url.rstrip('/')}/audit" if settings.url else None
