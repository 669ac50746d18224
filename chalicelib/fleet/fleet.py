"""Many accounts and regions: a run of parts on a queue, worked side by side, closed by whoever finishes last."""

import json
import logging
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

from msgspec import Struct, field

from chalicelib.errors import AccessFailed, AuditorError, InvalidInput
from chalicelib.fleet.accounts import NotAllowed, accounts_of_organization, assumed, role_arn
from chalicelib.fleet.closing import Closing
from chalicelib.fleet.queue import NotQueued, Queue, attempts_of
from chalicelib.ledger.results import Result, RunPart
from chalicelib.ledger.runs import Run, Runs
from chalicelib.ledger.table import utc_now
from chalicelib.notices.publisher import Audited, Publisher
from chalicelib.policy.policy import Policy
from chalicelib.report import telemetry
from chalicelib.report.known import Resolution
from chalicelib.scope import Scope, partition_of
from chalicelib.settings import Settings

if TYPE_CHECKING:
    import boto3

log = logging.getLogger(__name__)

MESSAGE_KIND = "audit-part"
#: The queue gives a message this often before it goes to the dead letters (``maxReceiveCount``).
LAST_ATTEMPT = 3
#: A region with more resources than this is split; a function of 15 minutes audits some millions.
SPLIT_ABOVE = 500_000
GROUPS = ("hosting", "jobs")
#: An attempt that neither ends nor fails has died. After so many deaths the last attempt would die as well.
DEATHS = 2


class PartDied(AuditorError):
    """The attempts at a part end without a word."""


class Fleet(Struct, frozen=True):
    """How runs are started, worked and closed.

    ``audit_part`` audits one scope with the credentials of its account; ``session`` is the auditor's own; ``publisher``
    sends the digests.
    """

    settings: Settings
    session: "boto3.Session"
    queue: Queue | None
    account: str
    region: str
    policy: Policy
    runs: Runs
    publisher: Publisher
    audit_part: Callable[[Scope, str, "boto3.Session"], Audited]
    clock: Callable[[], datetime] = field(default=utc_now)

    @property
    def closing(self) -> Closing:
        """Who ends the runs."""
        return Closing(self.runs, self.publisher, self.policy, self.account, self.region, self.clock)

    # ---- starting

    def start(
        self,
        trigger: str,
        *,
        accounts: Sequence[str] = (),
        regions: Sequence[str] = (),
        rules: Sequence[str] = (),
        notify: bool = True,
        id: str | None = None,
    ) -> Run:
        """Begins a run over these accounts and regions (default: those of the settings) and queues its parts.

        Raises InvalidInput when no queue or role is configured, or an account is none of the configured ones;
        AccessFailed when the organization cannot be read or the queue does not take the parts.
        """
        if self.queue is None:
            raise InvalidInput("several accounts or regions need AUDITOR_QUEUE_URL, the queue of the parts")
        self._check(accounts)
        wanted = list(accounts) or self._accounts()
        where = list(regions) or list(self.settings.regions) or [self.region]
        sizes = self.runs.sizes()
        places = [(account, region) for account in wanted for region in where]
        parts = [part for place in places for part in _parts_of(*place, sizes.get(place, 0))]
        if any(account != self.account for account in wanted) and not self.settings.role_name:
            raise InvalidInput("other accounts need AUDITOR_ROLE_NAME, the name of the role to assume in them")
        run_id = id or f"a-{uuid.uuid4().hex[:20]}"
        run = self.runs.start(run_id, parts, trigger, notify=notify, rules=rules)
        # A run that was begun before may lack parts on the queue; one that is queued twice changes nothing.
        self._send(self.queue, run_id, sorted(run.open))
        return run

    def _check(self, accounts: Sequence[str]) -> None:
        """Raises InvalidInput for an account that is none of the configured ones: in the account of a stranger, the
        external id would be told to it."""
        foreign = [account for account in accounts if account != self.account]
        audited = frozenset(self._accounts()) if foreign else frozenset()
        if unknown := [account for account in foreign if account not in audited]:
            raise InvalidInput(
                f"{unknown[0]} is not audited from here; accepted are {self.account} and the accounts of "
                f"AUDITOR_ACCOUNTS ({', '.join(self.settings.accounts) or 'none'})",
                field="accounts",
            )

    def _accounts(self) -> list[str]:
        if not self.settings.of_organization:
            return list(self.settings.accounts) or [self.account]
        return accounts_of_organization(self.session)

    def _send(self, queue: Queue, run: str, parts: Sequence[RunPart]) -> None:
        bodies = [{"kind": MESSAGE_KIND, "run": run, **_named(part)} for part in parts]
        try:
            for place, reason in queue.send_all(bodies):
                self._give_up(run, parts[place], "sqs:SendMessage", reason)
        except NotQueued as error:
            raise AccessFailed(f"the queue of the parts cannot be used: {error}") from error

    # ---- working

    def work(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """Works the parts of an SQS event; answers those that failed, so that the queue gives them again.

        A message that is not a part is logged with its id and dropped, as it would fail for ever.
        """
        failed = []
        records = event.get("Records") if isinstance(event, Mapping) else None
        for record in records if isinstance(records, list) else ():
            id = str(record.get("messageId", "")) if isinstance(record, Mapping) else ""
            try:
                run, part = _part_in(record)
            except InvalidInput as error:
                telemetry.dropped(id, str(error))
                continue
            attempts, began = attempts_of(record), time.monotonic()
            outcome: Literal["done", "failed"] = "done"
            try:
                self._work(run, part, last=attempts >= LAST_ATTEMPT)
            except Exception:  # the queue gives it again, or keeps it as a dead letter
                log.exception("part %s of run %s failed, attempt %s", part.key, run, attempts)
                if self.queue is not None:
                    self.queue.soon_again(record)
                failed.append({"itemIdentifier": id})
                outcome = "failed"
            telemetry.part_worked(run, _named(part), attempts, time.monotonic() - began, outcome)
        return {"batchItemFailures": failed}

    def _work(self, run_id: str, part: RunPart, *, last: bool) -> None:
        run = self.runs.get(run_id)
        if run is None:
            log.warning("part %s dropped: there is no run %s", part.key, run_id)
            return
        if part not in run.open:
            self.closing.came_back(run, part.account)  # whoever took it out may not have got to the end
            return
        # What was found is let go of here: whoever tells it reads it, and may have to read more.
        self.runs.results.keep(run_id, part, self._result(run, part, last=last))
        self._finish(run_id, part, "done")

    def _result(self, run: Run, part: RunPart, *, last: bool) -> Result:
        """What an attempt at a part finds, also where its account does not let the auditor in. An attempt that fails is
        noted, the last one as what the part comes to; raises what it fails of."""
        attempts = self.runs.begun(run.id, part)
        try:
            if last and attempts.begun - attempts.failed > DEATHS:
                raise PartDied(f"{DEATHS} attempts died without a word: their time or their memory was not enough")
            return self._audited(run, part)
        except NotAllowed as refused:
            result = self.closing.unread(run, part, refused.operation, str(refused))
            telemetry.audited(result.report)
            return result
        except Exception as fault:
            if last:
                reason = str(fault) if isinstance(fault, PartDied) else f"{type(fault).__name__}: {fault}"
                self._give_up(run.id, part, "audit", reason)
            else:
                self.runs.failed(run.id, part)
            raise

    def _audited(self, run: Run, part: RunPart) -> Result:
        scope = Scope(part.account, part.region, partition_of(part.region), rules=self.closing.rules(run, part))
        if part.group and not scope.rules:
            return self._nothing(run, part)
        audited = self.audit_part(scope, run.trigger, self._session_for(part.account))
        return Result(audited.report, audited.resolution, audited.stands)

    def _nothing(self, run: Run, part: RunPart) -> Result:
        """A part of which no rule is asked."""
        blind = self.closing.unread(run, part, "", "")
        return Result(
            blind.report.model_copy(update={"blind_spots": [], "rules": {}, "complete": True}), Resolution(), {}
        )

    def _session_for(self, account: str) -> "boto3.Session":
        """A session in another account, by the read-only role there. Raises NotAllowed when it cannot be assumed."""
        if account == self.account:
            return self.session
        role = role_arn(account, self.settings.role_name or "", self.region)
        return assumed(self.session, role, self.region, self.settings.external_id)

    def _give_up(self, run_id: str, part: RunPart, operation: str, reason: str) -> None:
        """Takes out a part that failed for good: it takes nothing from another attempt that came to its end."""
        run = self.runs.get(run_id)
        if run is not None and part in run.open:
            self.runs.results.keep(run_id, part, self.closing.unread(run, part, operation, reason))
            self._finish(run_id, part, "failed")

    def _finish(self, run_id: str, part: RunPart, outcome: Literal["done", "failed"]) -> None:
        """Takes a part out of the open ones, of which what came is kept."""
        run = self.runs.finish(run_id, part, outcome) or self.runs.get(run_id)
        if run is not None:
            self.closing.came_back(run, part.account)


def _parts_of(account: str, region: str, resources: int) -> list[RunPart]:
    """An account and region as one part; a very large one in two, by the rules that read its jobs and the others.

    Each rule is judged in one of them, with everything that it reads, so that the outcomes are the same.
    """
    if resources <= SPLIT_ABOVE:
        return [RunPart(account, region)]
    return [RunPart(account, region, group) for group in GROUPS]


def _named(part: RunPart) -> dict[str, str]:
    """The part in a message; a group only where it has one."""
    return {name: value for name, value in part._asdict().items() if value}


def _part_in(record: Mapping[str, Any]) -> tuple[str, RunPart]:
    try:
        body = json.loads(record["body"])
        run, account, region, group = body["run"], body["account"], body["region"], body.get("group", "")
    except (AttributeError, KeyError, TypeError, ValueError):
        body, run, account, region, group = {}, None, None, None, ""
    if (
        not isinstance(body, dict)
        or body.get("kind") != MESSAGE_KIND
        or not all(isinstance(name, str) and name and "#" not in name for name in (run, account, region))
        or group not in ("", *GROUPS)
    ):
        raise InvalidInput('not a part; accepted is {"kind": "audit-part", "run": …, "account": …, "region": …}')
    return str(run), RunPart(str(account), str(region), str(group))
