"""What the triggers do: a session, a policy and a scope become a report, and the report a notice."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

from chalicelib import events
from chalicelib.audit.auditor import Auditor, reading_seconds, utc_now
from chalicelib.audit.calendar import SOURCES, of_policy
from chalicelib.audit.judge import Witness
from chalicelib.audit.resolution import Resolutions
from chalicelib.errors import InvalidInput
from chalicelib.fleet.accounts import Caller
from chalicelib.fleet.again import AskingAgain, Moving
from chalicelib.fleet.asked import Asked, failures, hand_over, told_apart
from chalicelib.fleet.fleet import Fleet
from chalicelib.fleet.queue import Queue
from chalicelib.fleet.whose import Doors, with_users
from chalicelib.inventory.aws import Aws, beside
from chalicelib.inventory.reader import Progress, no_progress
from chalicelib.inventory.remembered import Memory, ProcessMemory
from chalicelib.ledger.again import Pending
from chalicelib.ledger.configs import TableMemory
from chalicelib.ledger.history import History
from chalicelib.ledger.ledger import Ledger
from chalicelib.ledger.runs import Runs
from chalicelib.ledger.table import client_of
from chalicelib.notices import health
from chalicelib.notices.channels import Sender, channels_of
from chalicelib.notices.notice import Notice
from chalicelib.notices.publisher import Audited, Publisher
from chalicelib.notices.stored import keep
from chalicelib.policy.policy import Policy, load_policy
from chalicelib.report import telemetry
from chalicelib.report.calendar import CalendarEntry, in_order
from chalicelib.report.findings import Report, Trigger
from chalicelib.report.known import Known
from chalicelib.report.merging import merged
from chalicelib.report.summary import summary
from chalicelib.scope import ResourceRef, Scope, partition_of
from chalicelib.settings import Settings
from chalicelib.templating import use_templates

if TYPE_CHECKING:
    import boto3

    from chalicelib.ledger.realized import RealizedSavings
    from chalicelib.money.estimates import Hub
    from chalicelib.money.prices import Prices

log = logging.getLogger(__name__)


@dataclass
class Service:
    """One process's worth of auditing: clients, policy and identity are made once and kept.

    ``memory`` remembers endpoint configs beyond the life of the process; without one the ledger's table does, if any.
    """

    settings: Settings
    session: "boto3.Session"
    progress: Progress = no_progress
    memory: Memory | None = None
    #: Prices in the place of those that the settings say.
    priced_by: "Prices | None" = None
    #: How many seconds the process has left for what it does now; None where nothing ends it.
    time_left: Callable[[], float] | None = None

    def __post_init__(self) -> None:
        use_templates(self.settings.templates)

    # ---- triggers

    def on_schedule(self, event: Any) -> dict[str, Any]:
        """A sweep of every configured region, and one digest for the account, even when all is clean. A schedule of
        another account is logged, counted and dropped."""
        self.begin()
        account = event.get("account") if isinstance(event, Mapping) else None
        if account not in (None, "", self.caller.account):
            return events.dropped(event, f"the account {account!r} is not audited here")
        try:
            return self._scheduled(event)
        finally:
            self._close_stale()

    def _scheduled(self, event: Any) -> dict[str, Any]:
        if self.settings.accounts:
            run = self.fleet.start("schedule", id=events.run_id(event))
            return {"run": run.id, "parts": run.parts}
        regions = self.settings.regions or (self.caller.region,)
        scopes = [Scope(self.caller.account, self.caller.known_region(name), partition_of(name)) for name in regions]
        id = events.run_id(event)  # delivered twice, it is one digest
        audits = [self._audited(scope, "schedule", self._door(scope), id=id) for scope in scopes]
        report = merged([audited.report for audited in audits])
        report = report.model_copy(update={"audit_id": id or report.audit_id})
        self.publisher.sweep(audits, report)
        return summary(report)

    def _close_stale(self) -> None:
        """Ends runs whose time is over, whoever began them: no schedule fails by that."""
        if self.settings.table is None:
            return
        try:
            self.fleet.closing.close_stale()
        except Exception:
            log.exception("runs whose time is over are not ended")

    def on_event(self, event: Any) -> dict[str, Any]:
        """The resource that a native event names, and a notice when there is something to tell.

        An event that cannot be understood, or is of an account or region that is not audited here, is logged, counted
        and dropped, as it would fail for ever. One of a member account is handed over, where there is a queue.
        """
        self.begin()
        if health.is_health(event):
            return self._on_health(event)
        try:
            scope = events.scope_of(event)
            self.doors.expect(scope)
            scope = with_users(scope, self.ledger)
            if not scope.resources:
                return events.asks_nothing(event, "nothing that is known stands on it")
            if scope.account != self.caller.account and self.queue is not None:
                hand_over(self.queue, events.id_of(event), scope)
                return {"handed_over": scope.account}
            door = self.doors.of(scope)
        except events.NotOurs as reason:
            return events.asks_nothing(event, str(reason))
        except InvalidInput as error:
            return events.dropped(event, str(error))
        return self._on_named(scope, door, attempt=0)

    def _on_named(self, scope: Scope, door: Aws, attempt: int) -> dict[str, Any]:
        """The named resources, and notices. What is in the middle of a change is asked about again later; this is the
        ``attempt``-th time (0: the event itself)."""
        moving = Moving(scope)
        audited = self._audited(scope, "event", door, moving)
        notices = self.publisher.event(audited)
        again = self.asking_again.ask(scope, moving.resources, attempt + 1) if self.asking_again is not None else 0
        return {**summary(audited.report), "notices": len(notices), "again": again}

    def _on_health(self, event: Any) -> dict[str, Any]:
        """What AWS Health says of SageMaker in the own account, as a notice of its own kind. Nothing is read for it."""
        try:
            audited = health.audited(event, self.policy, self.caller.account)
        except events.NotOurs as reason:
            return events.asks_nothing(event, str(reason))
        except InvalidInput as error:
            return events.dropped(event, str(error))
        return {"notices": len(self.publisher.event(audited, [*audited.ids, *audited.resolution.gone]))}

    def on_parts(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """Parts of a run that SQS hands over, events of member accounts, and resources to be asked about again; answers
        those that failed."""
        self.begin()
        asked, parts = told_apart(event)
        again = self.queue.soon_again if self.queue is not None else None
        failed = failures(asked, self._on_asked, again)
        worked = self.fleet.work(parts) if not asked or parts["Records"] else {"batchItemFailures": []}
        return {"batchItemFailures": [*failed, *worked["batchItemFailures"]]}

    def _on_asked(self, asked: Asked) -> None:
        self._on_named(asked.scope, self.doors.of(asked.scope), asked.attempt)

    def on_notice(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """Notices that SNS hands over, in Slack. Raises SlackFailed, so that Lambda tries again."""
        from chalicelib.notices import slack  # only this function speaks to Slack

        return slack.deliver_event(event, self.settings, self.session)

    def replay(self, scope: Scope) -> tuple[Report, list[Notice]]:
        """What an event about this scope would find, and the notices that it would send; none is sent or remembered.

        Raises Foreign for an account or region that is not audited here.
        """
        audited = self._audited(with_users(scope, self.ledger), "event", self.doors.of(scope), noted=False)
        return audited.report, self.publisher.preview(audited)

    # ---- auditing

    def begin(self) -> None:
        """Has the policy in force for what begins now: one that lies in S3 is read anew after five minutes.

        Raises InvalidInput for a policy that does not load, which stops the audit.
        """
        policy = load_policy(self.settings.policy, self.session)
        if self.__dict__.get("policy") is not policy:
            for name in ("policy", "publisher", "fleet"):
                self.__dict__.pop(name, None)

    def audit(self, scope: Scope, trigger: Trigger, witness: Witness | None = None) -> Report:
        """One scope read, judged and reported; ``witness`` is told of every outcome."""
        report = self._auditor(self._door(scope), scope).audit(scope, trigger, witness)
        telemetry.audited(report)
        return report

    def calendar(self, region: str | None, trigger: Trigger) -> list[CalendarEntry]:
        """What ends in a region, and when: read for the rules that look at ends alone. Raises InvalidInput for a region
        that does not exist."""
        rules = sorted(SOURCES.keys() & self.policy.enabled().keys())
        scope = self.scope(region, rules=rules)
        if rules:
            return self.audit(scope, trigger).calendar
        today = utc_now().date()
        return in_order(entry for entry in of_policy(self.policy, scope) if entry.day >= today)

    def audited(self, scope: Scope, trigger: Trigger, witness: Witness | None = None) -> Audited:
        """One scope read, judged and reported, with what that says of findings known before."""
        return self._audited(scope, trigger, self._door(scope), witness, noted=False)

    def _door(self, scope: Scope) -> Aws:
        return self.doors.own.setdefault(scope.region, Aws(self.session, scope.region))

    def _audited(
        self,
        scope: Scope,
        trigger: Trigger,
        door: Aws,
        witness: Witness | None = None,
        *,
        noted: bool = True,
        id: str | None = None,
    ) -> Audited:
        """The same through this door; ``noted``: since when something has been seen is kept for the next audit."""
        resolutions = self._resolutions(scope)
        report = self._auditor(door, scope).audit(scope, trigger, witness, resolutions)
        if id is not None:
            report = report.model_copy(update={"audit_id": id})
        telemetry.audited(report)
        if self.ledger is not None and noted:
            sightings = resolutions.sightings(report.started_at)
            if sightings != (before := resolutions.first_seen or {}):
                self.ledger.note_sightings(scope.account, scope.region, sightings, before)
        return Audited.by(report, resolutions)

    def scope(
        self, region: str | None = None, resources: Sequence[ResourceRef] = (), rules: Sequence[str] = ()
    ) -> Scope:
        """A scope in the account of the credentials. Raises InvalidInput for a rule that does not exist."""
        return self.caller.scope(self.policy, region, resources, rules)

    def _auditor(self, door: Aws, scope: Scope) -> Auditor:
        policy, lookback = self.policy, self.settings.lookback_days
        if self.ledger is not None and self.settings.slack_signing_secret:
            policy = policy.with_answers(self.ledger.answers.of(scope.account, scope.region))
        if self.settings.of_organization:
            from chalicelib.fleet.owners import account_tags  # read where an organization is audited alone

            policy = policy.in_account(account_tags(self.session, self.remembered, scope.account, ask=scope.whole))
        return Auditor(
            door,
            policy,
            lookback,
            progress=self.progress,
            memory=self.remembered,
            reading_seconds=reading_seconds(self.time_left()) if self.time_left is not None else None,
            prices=self.prices,
            hub=self.hub,
        )

    def _audit_part(self, scope: Scope, trigger: str, session: "boto3.Session") -> Audited:
        """A part of a run, read with the credentials of its account."""
        begun_by: Trigger = "http" if trigger == "http" else "schedule"
        return self._audited(scope, begun_by, Aws(session, scope.region))

    def _resolutions(self, scope: Scope) -> Resolutions:
        rules = frozenset(self.policy.enabled(scope.rules))
        if self.ledger is None:
            return Resolutions(scope, rules)
        current: Mapping[str, Known] = {}
        if scope.whole:
            known = self.ledger.unresolved(scope.account, scope.region)
        else:
            current = self.ledger.current_of(scope.arn(ref) for ref in scope.resources)
            known = {id: entry for id, entry in current.items() if entry.finding.status != "resolved"}
        seen = self.ledger.sightings(scope.account, scope.region)
        return Resolutions(scope, rules, known, first_seen=seen, current=frozenset(current))

    # ---- what is kept for the life of the process

    @cached_property
    def caller(self) -> Caller:
        """Whose credentials are in use, and where."""
        return Caller(self.session)

    @cached_property
    def doors(self) -> Doors:
        """The doors to what events may be of."""
        return Doors(self.settings, self.caller)

    @cached_property
    def policy(self) -> Policy:
        """The policy in force."""
        return load_policy(self.settings.policy, self.session)

    @cached_property
    def _dynamodb(self) -> Any:
        """The one client of the table: making a client takes longer than a call."""
        return client_of(self.session, self.caller.region)

    @cached_property
    def remembered(self) -> ProcessMemory:
        """What audits remember of each other: in the process, and beyond it where there is a place."""
        if self.memory is None and self.settings.table is not None:
            return ProcessMemory(TableMemory(self.settings.table, self._dynamodb))
        return ProcessMemory(self.memory)

    @cached_property
    def prices(self) -> "Prices | None":
        """Where prices are from; None where they are off."""
        if self.priced_by is not None or not self.settings.prices:
            return self.priced_by
        from chalicelib.money.catalogue import PriceList  # read where prices are switched on alone

        return PriceList(partial(beside, self.session), self.remembered, utc_now)

    @cached_property
    def ledger(self) -> Ledger | None:
        """What was known before; None where no table is configured."""
        table = self.settings.table
        return Ledger(table, self._dynamodb, self.settings.lookback_days) if table is not None else None

    @cached_property
    def hub(self) -> "Hub | None":
        """Where AWS's own estimates are from; None where they are off."""
        if not self.settings.estimates:
            return None
        from chalicelib.money.estimates import Hub

        return Hub(partial(beside, self.session))

    @cached_property
    def savings(self) -> "RealizedSavings | None":
        """What resolved findings saved; None where no prices are told, or no table is configured."""
        table, prices = self.settings.table, self.prices
        if table is None or prices is None:
            return None
        from chalicelib.ledger.realized import RealizedSavings

        return RealizedSavings(table, self._dynamodb, prices)

    @cached_property
    def history(self) -> History | None:
        """The posture of past sweeps; None where no table is configured."""
        table = self.settings.table
        return History(table, self._dynamodb) if table is not None else None

    @cached_property
    def asking_again(self) -> AskingAgain | None:
        """Who has what is in the middle of a change audited again; None without a queue, or where that is off."""
        if self.queue is None or not self.settings.recheck_minutes:
            return None
        table = self.settings.table
        pending = Pending(table, self._dynamodb) if table is not None else None
        return AskingAgain(self.queue, self.settings.recheck_minutes, pending)

    @cached_property
    def queue(self) -> Queue | None:
        """The queue of the parts; None where none is configured."""
        url = self.settings.queue_url
        return Queue(self.session, self.caller.region, url) if url is not None else None

    @cached_property
    def publisher(self) -> Publisher:
        """Who is told, by which channels."""
        sender = Sender(self.settings, self.session, lambda: self.caller.identity.account, lambda: self.caller.region)
        return Publisher(
            self.policy,
            channels_of(sender),
            self.ledger,
            lambda report: keep(report, self.settings, self.session, self.history),
            self.history,
            frozenset(self.settings.regions or (self.caller.region,)),
            self.savings,
        )

    @cached_property
    def runs(self) -> Runs:
        """The state of runs. Raises InvalidInput when no table is configured."""
        if self.settings.table is None:
            raise InvalidInput("runs need AUDITOR_TABLE, the table that keeps their state")
        return Runs(self.settings.table, self._dynamodb)

    @cached_property
    def fleet(self) -> Fleet:
        """Runs over many accounts and regions. Raises InvalidInput when no table is configured."""
        return Fleet(
            settings=self.settings,
            session=self.session,
            queue=self.queue,
            account=self.caller.account,
            region=self.caller.region,
            policy=self.policy,
            runs=self.runs,
            publisher=self.publisher,
            audit_part=self._audit_part,
        )
