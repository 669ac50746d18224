"""How runs end: the digest of each account as its last part comes back, and the end of the run with the last of all.

    part ── part ── part ──▶ the account's digest
                    part ── part ──▶ the account's digest
                                     └▶ the run's report, its state, and a notice where parts were not read

Whoever takes out the last part of an account tells it, and whoever takes out the last of the run ends it. Each step is
written down after it was done, and done again by whoever finds that it was not: digests and notices are claimed in the
ledger, so that each leaves once.
"""

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime

from msgspec import Struct, field

from chalicelib.inventory.parts import Part
from chalicelib.kinds import KINDS, PASSING
from chalicelib.ledger.results import Head, Result, RunPart
from chalicelib.ledger.runs import STALE_HOURS, Run, Runs, RunState
from chalicelib.ledger.table import utc_now
from chalicelib.notices.publisher import Audited, Publisher
from chalicelib.notices.runs import NAMED, notice_of_run
from chalicelib.policy.policy import Policy
from chalicelib.report import telemetry
from chalicelib.report.findings import BlindSpot, Report
from chalicelib.report.known import Resolution
from chalicelib.report.merging import Merging, merged, unread_report, without_notes_of_others
from chalicelib.scope import Scope, partition_of

log = logging.getLogger(__name__)

JOB_PARTS = frozenset(Part(KINDS[kind].part) for kind in PASSING)
NEVER_CAME = "the part never came to its end"


class Closing(Struct, frozen=True):
    """Ends the runs in ``runs``, of which ``publisher`` tells; ``account`` and ``region`` are the auditor's own."""

    runs: Runs
    publisher: Publisher
    policy: Policy
    account: str
    region: str
    clock: Callable[[], datetime] = field(default=utc_now)

    # ---- what a part leads to

    def came_back(self, run: Run, account: str) -> None:
        """Tells the account whose last part this was, and ends the run whose last part it was.

        Raises what a channel raises; the run then stays open, and the next attempt sends what has not been sent.
        """
        if run.closed:
            return
        if not run.open:
            self.close(run)
        elif run.notify and not run.awaits(account):
            self._tell(run, account)

    def close(self, run: Run) -> None:
        """Sends the digests that have not been sent, and marks the run as over. Parts that never came are blind spots.

        Raises what a channel raised, after every account was tried.
        """
        for part in sorted(run.open):
            self.runs.results.keep(run.id, part, self.unread(run, part, "audit", NEVER_CAME))
            self.runs.finish(run.id, part, "lost")
        run = self.runs.get(run.id) or run
        self._tell_all(run)
        head = self._merged(run)
        self.runs.results.keep_whole(run.id, head)
        state: RunState = "stuck" if run.lost else "failed" if run.failed else "done"
        if state != "done" and run.notify:
            self._tell_of(run, state, head.report)
        self.runs.close(run.id, state)
        telemetry.run_ended(run.id, state, run.parts, len(run.failed), len(run.lost))

    def close_stale(self) -> None:
        """Ends the runs whose time is over. One that cannot be ended now is left to the next schedule: it keeps neither
        the others nor the schedule from their work."""
        for run in self.runs.stale():
            log.warning("run %s is ended with %s parts that never came", run.id, len(run.open))
            try:
                self.close(run)
            except Exception:
                log.exception("run %s is not ended", run.id)

    # ---- telling

    def _tell_all(self, run: Run) -> None:
        """Tells every account that was not told: one after the other, whatever becomes of the others."""
        informed_accounts = self.runs.informed_accounts(run.id) if run.notify else set(run.accounts)
        failures: list[Exception] = []
        for account in run.accounts:
            if account in informed_accounts:
                continue
            try:
                self._tell(run, account)
            except Exception as error:
                log.warning("the digest of %s in run %s was not sent: %s", account, run.id, error)
                failures.append(error)
        if failures:
            raise failures[0]

    def _tell(self, run: Run, account: str) -> None:
        """The digest of one account; channels that have taken it for this run do not get it again."""
        results = self.runs.results.of_account(run.id, account)
        audited = [
            Audited(
                result.report,
                Scope(part.account, part.region, partition_of(part.region), rules=self.rules(run, part)),
                result.judged,
                result.stands,
            )
            for part, result in sorted(results.items())
        ]
        report = without_notes_of_others(merged(part.report for part in audited), run.accounts)
        self._remember_sizes(results)
        self.publisher.sweep(audited, _of_run(report, run))
        self.runs.note_informed(run.id, account)

    def _tell_of(self, run: Run, state: RunState, report: Report) -> None:
        """The notice that parts of the run were not read."""
        unread = sorted(run.lost | run.failed)
        if state == "stuck":
            sentence = (
                f"run {run.id} is stuck: {len(run.lost):,} of {run.parts:,} parts not back in {STALE_HOURS} hours"
            )
        else:
            sentence = f"run {run.id} failed: {len(run.failed):,} of {run.parts:,} parts failed for good"
        spots = list(self._spots(run, unread[:NAMED]))
        self.publisher.run(notice_of_run(report, sentence, spots, len(unread), self.account, self.region), report)

    def _spots(self, run: Run, parts: Iterable[RunPart]) -> Iterator[BlindSpot]:
        for part in parts:
            _, result = next(self.runs.results.after(run.id, part.key))
            for spot in result.report.blind_spots[:1]:
                where = f"{part.account} in {part.region}"
                yield spot.model_copy(update={"error": f"{where}: {spot.error}", "effect": []})

    def _remember_sizes(self, results: Mapping[RunPart, Result]) -> None:
        """Keeps how large each region is, for the next run to split it."""
        sizes: dict[tuple[str, str], int] = {}
        for part, result in results.items():
            if result.report.resources:
                key = (part.account, part.region)
                sizes[key] = max(sizes.get(key, 0), sum(result.report.resources.values()))
        for (account, region), size in sizes.items():
            self.runs.grown(account, region, size)

    # ---- what is known of a part, and of the whole

    def whole(self, run: Run) -> Head:
        """The head of the report of a run that is over. A run that ended before there were heads has none kept."""
        return self.runs.results.whole(run.id) or self._merged(run)

    def _merged(self, run: Run) -> Head:
        """The head of the run's report, out of those of its parts, one after the other."""
        merging, findings = Merging(), 0
        for head in self.runs.results.heads(run.id):
            merging.add(head.report)
            findings += head.findings
        return Head(_of_run(merging.report(), run), findings)

    def rules(self, run: Run, part: RunPart) -> frozenset[str]:
        """The rules of a part: those of the run, and of these the ones of its group."""
        asked = frozenset(self.policy.enabled(run.rules))
        if not part.group:
            return frozenset(run.rules)
        settings = self.policy.rules
        jobs = {id for id in asked if settings[id].rule.parts(settings[id].params) & JOB_PARTS}
        return asked & jobs if part.group == "jobs" else asked - jobs

    def unread(self, run: Run, part: RunPart, operation: str, reason: str) -> Result:
        """What is known of a part that could not be audited: nothing, and why."""
        report = unread_report(
            part.account,
            part.region,
            operation,
            reason,
            audit_id=run.id,
            trigger=run.trigger,
            policy=self.policy.used,
            rules=self.policy.enabled(),
            now=self.clock(),
        )
        return Result(report, Resolution(), {})


def _of_run(report: Report, run: Run) -> Report:
    """The report of parts as that of their run: its id, and the rules that it was asked for."""
    scope = report.scope.model_copy(update={"rules": sorted(run.rules)})
    return report.model_copy(update={"audit_id": run.id, "scope": scope})
