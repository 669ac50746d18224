"""From audits to notices: what changed is told once, in every channel, and then remembered."""

import hashlib
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field

from chalicelib.audit.resolution import Answers
from chalicelib.ledger.history import History
from chalicelib.ledger.ledger import Ledger
from chalicelib.notices.decide import Changes, decide, digest, notices_of_event
from chalicelib.notices.notice import Notice
from chalicelib.policy.policy import Policy
from chalicelib.report.findings import Judged, Known, Report
from chalicelib.scope import Scope

log = logging.getLogger(__name__)

#: Takes a notice, and the report of which it tells.
Channel = Callable[[Notice, Report], object]


@dataclass(frozen=True, slots=True)
class Audited:
    """The report of one account and region, and what it can say of findings that it does not hold: ``judged`` answers
    for those that are known, ``ids`` names what to ask the ledger for after an audit of named resources."""

    report: Report
    scope: Scope
    judged: Callable[[Mapping[str, Known]], Judged]
    ids: Sequence[str] = ()
    stands: Mapping[str, Iterable[str]] = field(default_factory=dict)

    @classmethod
    def by(cls, report: Report, answers: Answers) -> "Audited":
        """What was audited just now."""
        ids = [] if answers.scope.whole else list(answers.verdicts)
        return cls(report, answers.scope, answers.judged, ids, answers.stands)


@dataclass(frozen=True, slots=True)
class Teller:
    """Tells through ``channels``, by name, in their order; without a ledger everything that is open counts as new.

    ``url`` gives the address under which a report can be read, or None; ``history`` keeps the posture of sweeps.
    """

    policy: Policy
    channels: Mapping[str, Channel]
    ledger: Ledger | None = None
    url: Callable[[Report], str | None] = field(default=lambda report: None)
    history: History | None = None

    def sweep(self, audited: Sequence[Audited], merged: Report) -> Notice:
        """Sends the one digest of an account's sweep, and remembers. Raises what a channel raises, with nothing
        remembered."""

        def tell(several: Sequence[Changes]) -> list[Notice]:
            told = [one for changes in several for one in changes.told]
            ordered = sorted(told, key=lambda one: (one.change == "resolved", -one.finding.severity.rank))
            return [digest(Changes(tuple(ordered), ()), merged, self.policy, self.url(merged))]

        (notice,) = self._told(audited, tell, merged)
        for account in merged.accounts if merged.complete else ():
            log.info("complete audit of %s", account)  # the stack counts these lines
        if self.ledger is not None:
            for one in audited:
                self.ledger.stands(one.scope.account, one.scope.region, one.stands)
            for account in merged.accounts if merged.complete else ():
                self.ledger.completed(account, merged.finished_at)
        if self.history is not None:
            self.history.note([one.report for one in audited], merged)
        return notice

    def event(self, audited: Audited) -> list[Notice]:
        """Sends what an event changed, and remembers. Raises what a channel raises, with nothing remembered."""

        def tell(several: Sequence[Changes]) -> list[Notice]:
            url = self.url(audited.report) if several[0].told else None  # a report may be stored to have one
            return notices_of_event(several[0], audited.report, self.policy, url)

        return self._told([audited], tell, audited.report)

    def preview(self, audited: Audited) -> list[Notice]:
        """What an event would send, without sending or remembering it."""
        changes = self._decided(audited)
        return notices_of_event(changes, audited.report, self.policy)

    def _told(
        self, audited: Sequence[Audited], tell: Callable[[Sequence[Changes]], list[Notice]], report: Report
    ) -> list[Notice]:
        with ExitStack() as leases:
            if self.ledger is not None:
                for account, region in sorted({(one.scope.account, one.scope.region) for one in audited}):
                    leases.enter_context(self.ledger.telling(account, region))
            changes = [self._decided(one) for one in audited]
            notices = tell(changes)
            for notice in notices:
                self._deliver(notice, report)
            if self.ledger is not None:
                for several in changes:
                    self.ledger.remember(several.remember)
        return notices

    def _decided(self, audited: Audited) -> Changes:
        known = self._known(audited)
        return decide(audited.report, known, audited.judged(known), self.policy)

    def _known(self, audited: Audited) -> dict[str, Known]:
        if self.ledger is None:
            return {}
        scope, reported = audited.scope, [one.id for one in audited.report.findings]
        if scope.whole:
            known = self.ledger.unresolved(scope.account, scope.region)
            lacking = [id for id in reported if id not in known]
            return known | self.ledger.known(scope.account, scope.region, lacking)
        known = self.ledger.known(scope.account, scope.region, [*reported, *audited.ids])
        for ref in scope.resources:
            for id, one in self.ledger.of_resource(scope.arn(ref)).items():
                known.setdefault(id, one)
        return known

    def _deliver(self, notice: Notice, report: Report) -> None:
        """Hands a notice to every channel. After a failure the next attempt leaves out those that took it."""
        if not self.channels:
            log.info("nothing published: AUDITOR_TOPIC_ARN is not set")
            return
        key = _key(notice)
        done = self.ledger.delivered(key) if self.ledger is not None else frozenset()
        for name, channel in self.channels.items():
            if name in done:
                continue
            channel(notice, report)
            if self.ledger is not None and len(self.channels) > 1:
                self.ledger.deliver(key, name)
        if self.ledger is not None and (done or len(self.channels) > 1):
            self.ledger.settled(key)


def _key(notice: Notice) -> str:
    """The same for a notice and for what a retry of its audit makes of it."""
    told = sorted(f"{one.finding.id} {one.change} {one.finding.severity}" for one in notice.told)
    content = "\n".join((notice.kind, notice.trigger, notice.account, notice.region, *told))
    return hashlib.sha256(content.encode()).hexdigest()[:32]
