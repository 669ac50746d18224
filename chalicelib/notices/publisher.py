"""From audits to notices: what changed is claimed, told in every channel by itself, and remembered as told."""

import logging
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from msgspec import Struct, field
from msgspec.structs import replace

from chalicelib.audit.resolution import Resolutions
from chalicelib.errors import AuditorError
from chalicelib.ledger.claims import Claim
from chalicelib.ledger.history import History
from chalicelib.ledger.ledger import Broken, Ledger
from chalicelib.ledger.table import LedgerFailed, Written
from chalicelib.notices.channels import Deliver, operation_of
from chalicelib.notices.decide import Decision, decide, digest, notices_of_event, together
from chalicelib.notices.notice import NOWHERE, Change, Kept, Notice
from chalicelib.notices.owing import Owing, owings
from chalicelib.policy.policy import Policy
from chalicelib.report import telemetry
from chalicelib.report.findings import BlindSpot, Report, utc_text
from chalicelib.report.known import Known, Resolution
from chalicelib.scope import Scope
from chalicelib.storage import StoreFailed

if TYPE_CHECKING:
    from chalicelib.ledger.realized import RealizedSavings

log = logging.getLogger(__name__)

#: A channel that has failed for longer than this fails no invocation any more: an alarm and the digests tell it.
BROKEN_AFTER = timedelta(hours=1)
#: How often what somebody else has just written is read and decided anew, before it is left to them.
ROUNDS = 5


class NotDelivered(AuditorError):
    """Some channels did not take everything; the next attempt asks them alone."""


class Audited(Struct, frozen=True):
    """The report of one account and region, and what it proves about findings that it does not hold.

    ``stands`` are the ARNs of who stands on each subnet, and of what each alarm scales. ``current`` are the ids of
    all findings on named resources of which something may have to be told; None where they were not looked for.
    """

    report: Report
    scope: Scope
    resolution: Resolution = field(default_factory=Resolution)
    stands: Mapping[str, Iterable[str]] = field(default_factory=dict)
    current: frozenset[str] | None = None

    @classmethod
    def by(cls, report: Report, resolutions: Resolutions) -> "Audited":
        """What was audited just now."""
        return cls(report, resolutions.scope, resolutions.resolution, resolutions.stands, resolutions.current)

    @property
    def ids(self) -> list[str]:
        """The findings to ask the ledger for after an audit of named resources."""
        reported = [finding.id for finding in self.report.findings]
        if self.scope.whole:
            return reported
        return [*reported, *self.resolution.verdicts, *self.resolution.gone, *(self.current or ())]


#: Makes notices of what one channel is to hear.
NoticesOf = Callable[[Sequence[Change]], list[Notice]]


class Claimed(NamedTuple):
    """What was decided of an audit, what of it is ours to tell, and the ids of what somebody else has claimed."""

    decision: Decision
    owing: Mapping[str, Owing]
    lost: list[str]


class Delivery(NamedTuple):
    """The notices that were made, and the channels that did not take all of them, with the reason."""

    notices: list[Notice]
    failures: Mapping[str, str]


class Publisher(Struct, frozen=True):
    """Tells through ``channels``, by name, in their order; without a ledger everything that is open counts as new.

    ``keep`` keeps a report and says where it can be read; ``history`` keeps the posture of sweeps;
    ``regions`` are those that an audit of an account reads; ``savings`` keeps what resolved findings saved, where
    prices are told.
    """

    policy: Policy
    channels: Mapping[str, Deliver]
    ledger: Ledger | None = None
    keep: Callable[[Report], Kept] = field(default=lambda report: NOWHERE)
    history: History | None = None
    regions: frozenset[str] = frozenset()
    savings: "RealizedSavings | None" = None

    def sweep(self, audited: Sequence[Audited], merged: Report) -> list[Notice]:
        """Sends the one digest of an account's sweep, and remembers; a channel that has taken the digest of the same
        ``audit_id`` gets none. Gives the digest, more where the channels are to hear different things.

        Raises NotDelivered when a channel did not take it.
        """
        claim = self._claim()
        waiting = self._claimed_digest(claim, ",".join(merged.accounts), merged.audit_id)
        if not waiting and self.channels:
            return []
        self._note_judged(audited)
        claimed = [self._claimed(part, claim) for part in audited]  # whoever was quicker tells what was lost
        owing = {id: owed for part in claimed for id, owed in part.owing.items()}
        decision = together(part.decision for part in claimed)
        broken = self._broken()
        report, kept = self._kept(_with_broken(merged, broken))

        def digests(changes: Sequence[Change]) -> list[Notice]:
            return [digest(replace(decision, changes=tuple(changes)), report, self.policy, kept)]

        delivery = self._delivered(owing, claim, digests, report, waiting)
        for part, ours in zip(audited, claimed, strict=True):
            self._realized(part, ours)
        self._mended(broken.keys() - delivery.failures.keys())
        self._follow(audited, merged)
        self._answer_for(delivery.failures)
        return delivery.notices

    def event(self, audited: Audited, only: Collection[str] | None = None) -> list[Notice]:
        """Sends what an event changed, and remembers; with ``only`` of the findings with these ids, which are all that
        the ledger is asked for. Raises NotDelivered when a channel did not take all of it."""
        self._note_judged([audited])
        claim = self._claim()
        notices: list[Notice] = []
        failures: dict[str, str] = {}
        ids = only
        while ids is None or ids:
            claimed = self._claimed(audited, claim, ids)
            owing, ids = claimed.owing, claimed.lost
            report, kept = audited.report, NOWHERE
            if any(owed.changes for owed in owing.values()):
                report, kept = self._kept(report)  # it is stored only when there is something to tell
            self._realized(audited, claimed)
            notices_of = self._of_event(claimed.decision, report, kept)
            delivery = self._delivered(owing, claim, notices_of, report, list(self.channels))
            late = {name for owed in owing.values() for name in owed.late & owed.changes.keys()}
            self._mended(late - delivery.failures.keys())
            notices += delivery.notices
            failures |= delivery.failures
            if ids and claim is not None:
                claim.wait(_what_is_told(audited))
        self._answer_for(failures)
        return notices

    def _of_event(self, decision: Decision, report: Report, kept: Kept) -> NoticesOf:
        return lambda changes: notices_of_event(replace(decision, changes=tuple(changes)), report, self.policy, kept)

    def run(self, notice: Notice, report: Report) -> None:
        """Sends a notice about a run itself, once for each ``audit_id``: a channel that has taken it gets none.

        Raises NotDelivered when a channel did not take it.
        """
        claim = self._claim()
        waiting = self._claimed_digest(claim, notice.account, f"{notice.audit_id}/run")
        delivery = self._delivered({}, claim, lambda changes: [notice], report, waiting)
        self._answer_for(delivery.failures)

    def preview(self, audited: Audited) -> list[Notice]:
        """What an event would send, without sending or remembering it."""
        return notices_of_event(self._decided(audited, self._known(audited)), audited.report, self.policy)

    # ---- claiming

    def _claim(self) -> Claim | None:
        return Claim(self.ledger) if self.ledger is not None else None

    def _note_judged(self, audited: Iterable[Audited]) -> None:
        """Marks what was settled before anything is decided: an audit that began earlier either sees the mark, or has
        claimed what it tells, and is waited for."""
        for part in audited:
            if self.ledger is not None:
                moment = part.report.started_at
                _quietly(self.ledger.note_judged, part.scope.account, part.scope.region, part.resolution, moment)

    def _claimed_digest(self, claim: Claim | None, account: str, audit: str) -> list[str]:
        """The channels that have not taken the digest of this account and audit, which is claimed for them."""
        if claim is None or not self.channels:
            return list(self.channels)
        while True:
            known = claim.ledger.digest(account, audit, self.channels)
            if not known.owed or (not claim.held([known]) and claim.of_digest(known)):
                return [name for name in self.channels if name in known.owed]
            claim.wait(f"the digest of {account}")

    def _claimed(self, audited: Audited, claim: Claim | None, ids: Collection[str] | None = None) -> Claimed:
        """What is ours to tell of an audit, or of these findings of it, written and claimed. What the table refuses for
        good is told all the same.

        Nothing is claimed while somebody else tells a part of it: two that wait for each other would wait for ever.
        """
        known = self._known(audited, ids)
        while claim is not None and (held := claim.held(known.values())):
            claim.wait(_what_is_told(audited))
            known |= self._known(audited, [entry.finding.id for entry in held])
        decision = self._decided(audited, known, ids)
        owing = owings(decision, known, self.channels, self.policy)
        if claim is None:
            return Claimed(decision, owing, [])
        ours: dict[str, Owing] = {}
        lost: list[str] = []
        for _ in range(ROUNDS):
            outcomes = claim.of_findings([owed.known for owed in owing.values()])
            ours |= {id: owing[id] for id, outcome in outcomes.items() if outcome is not Written.LOST}
            lost = [id for id, outcome in outcomes.items() if outcome is Written.LOST]
            known = self._known(audited, lost)
            if not lost or claim.held(known.values()):
                break
            owing = owings(self._decided(audited, known, lost), known, self.channels, self.policy)
            owing = {id: owed for id, owed in owing.items() if owed.differs(known.get(id))}
        return Claimed(decision, ours, lost)

    def _decided(self, audited: Audited, known: Mapping[str, Known], ids: Collection[str] | None = None) -> Decision:
        report = audited.report
        if ids is not None:
            findings = [finding for finding in report.findings if finding.id in ids]
            report = report.model_copy(update={"findings": findings})
        scope, ledger = audited.scope, self.ledger
        if ledger is None:
            return decide(report, known, audited.resolution, self.policy)
        later = ledger.judged_since(scope.account, scope.region, report.started_at)
        return decide(report, known, audited.resolution, self.policy, later, ledger.clock())

    def _known(self, audited: Audited, ids: Collection[str] | None = None) -> dict[str, Known]:
        if self.ledger is None:
            return {}
        scope = audited.scope
        if ids is not None:
            return self.ledger.known(scope.account, scope.region, ids)
        if scope.whole:
            known = self.ledger.current(scope.account, scope.region)
            lacking = [id for id in audited.ids if id not in known]
            return known | self.ledger.known(scope.account, scope.region, lacking)
        known = self.ledger.known(scope.account, scope.region, audited.ids)
        # What was decided on is read by its id; the index, which lags, was asked when the audit began.
        for ref in scope.resources if audited.current is None else ():
            for id, entry in self.ledger.of_resource(scope.arn(ref)).items():
                known.setdefault(id, entry)
        return known

    # ---- telling

    def _delivered(
        self,
        owing: Mapping[str, Owing],
        claim: Claim | None,
        notices_of: NoticesOf,
        report: Report,
        channels: Sequence[str],
    ) -> Delivery:
        """Hands each of these channels what it is to hear, and notes what it took."""
        if not self.channels:
            log.info("nothing published: AUDITOR_TOPIC_ARN is not set")
        made: dict[tuple[tuple[str, str], ...], list[Notice]] = {}
        failures: dict[str, str] = {}
        for name in channels:
            heard = [owed.changes[name] for owed in owing.values() if name in owed.changes]
            changes = together([Decision(tuple(heard), ())]).changes
            same = tuple((change.finding.id, change.change) for change in changes)
            if same not in made:
                made[same] = notices_of(changes)
            refused: set[str] = set()
            for notice in made[same]:
                if notice.told_with in refused:  # what was to tell it, too, did not leave: it is told by itself
                    notice = notice.model_copy(update={"told_with": ""})
                try:
                    self.channels[name](notice, report)
                except Exception as error:  # whatever a channel raises, the others are tried
                    failures[name] = str(error) if isinstance(error, AuditorError) else repr(error)
                    log.warning("%s did not take a %s: %s", name, notice.kind, failures[name])
                    refused.update(change.finding.id for change in notice.told)
                    continue
                if claim is not None:
                    claim.taken(name, [change.finding.id for change in notice.told])
        if claim is not None:
            _quietly(claim.release)
        return Delivery([notice for notices in made.values() for notice in notices], failures)

    def _kept(self, report: Report) -> tuple[Report, Kept]:
        """The report, and where it can be read. One that cannot be stored is told without its address."""
        try:
            kept = self.keep(report)
        except StoreFailed as error:
            log.warning("%s", error)
            kept = Kept(lost=str(error))
        return _with_blind_spot(report, "s3:PutObject", kept.lost) if kept.lost else report, kept

    # ---- what follows: nothing of it brings the telling back

    def _follow(self, audited: Sequence[Audited], merged: Report) -> None:
        """What is remembered of a sweep beside its findings. It is told already, so that nothing here may raise."""
        complete = merged.accounts if merged.whole and self.regions <= set(merged.regions) else []
        for account in complete:
            telemetry.completed(account, merged.audit_id)
        if self.ledger is not None:
            for part in audited:
                _quietly(self.ledger.stands, part.scope.account, part.scope.region, part.stands)
            for account in complete:
                _quietly(self.ledger.completed, account, merged.finished_at)
        if self.history is not None:
            _quietly(self.history.note, [part.report for part in audited], merged)

    def _realized(self, audited: Audited, claimed: Claimed) -> None:
        """Keeps what the findings saved that this audit found resolved, and takes off what is there again."""
        if self.savings is None:
            return
        moment, judged = audited.report.started_at, audited.resolution
        findings = [owed.known.finding for owed in claimed.owing.values()]
        resolved = [finding for finding in findings if finding.status == "resolved" and finding.resolved_at == moment]
        reported = audited.report.findings
        account = audited.scope.account
        _quietly(self.savings.note, account, moment, resolved, reported, judged.standing, judged.gone)

    def _broken(self) -> dict[str, Broken]:
        """The channels that did not take a notice when they were tried last."""
        if self.ledger is None or not self.channels:
            return {}
        try:
            broken = self.ledger.broken_channels()
        except LedgerFailed as error:
            log.warning("%s", error)
            return {}
        return {name: state for name, state in broken.items() if name in self.channels}

    def _mended(self, channels: Iterable[str]) -> None:
        for name in channels:
            if self.ledger is not None:
                _quietly(self.ledger.mended, name)

    def _answer_for(self, failures: Mapping[str, str]) -> None:
        """Raises NotDelivered for channels that failed lately. One that is broken for longer is told by an alarm and in
        the digests, and asked again with every notice."""
        lately = [f"{name}: {reason}" for name, reason in failures.items() if not self._long_broken(name, reason)]
        if lately:
            raise NotDelivered(f"not delivered; the next attempt asks these channels alone: {'; '.join(lately)}")

    def _long_broken(self, name: str, reason: str) -> bool:
        if self.ledger is None:
            return False
        try:
            since = self.ledger.broken(name, reason)
        except LedgerFailed as error:
            log.warning("%s", error)
            return False
        if self.ledger.clock() - since < BROKEN_AFTER:
            return False
        telemetry.broken(name, utc_text(since), reason)
        return True


def _what_is_told(audited: Audited) -> str:
    return f"findings of {audited.scope.account} in {audited.scope.region}"


def _quietly(call: Callable[..., object], *arguments: object) -> None:
    """Calls what may fail and must not bring back what has been told."""
    try:
        call(*arguments)
    except Exception as error:
        log.warning("not remembered: %s", error)


def _with_broken(report: Report, broken: Mapping[str, Broken]) -> Report:
    """The report, with the channels that did not take notices as blind spots, for the others to tell."""
    for name, state in sorted(broken.items()):
        error = f"{name} did not take notices since {utc_text(state.since)}, last at {utc_text(state.last)}"
        report = _with_blind_spot(report, operation_of(name), f"{error}: {state.reason}")
    return report


def _with_blind_spot(report: Report, operation: str, error: str) -> Report:
    spot = BlindSpot(account=report.accounts[0], region=report.regions[0], operation=operation, error=error)
    return report.model_copy(update={"blind_spots": [*report.blind_spots, spot]})
