"""The state of runs over many accounts and regions, in the ledger's table.

One item for each run holds its open parts as a set: taking a part out is idempotent, so that a part done twice changes
nothing, and whoever takes out the last one closes the run. Beside it lie what its parts found (``results.py``), an item
for each part that was begun, and one for each account that was told.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, NamedTuple

from msgspec import Struct

from chalicelib.ledger.results import Head, Result, Results, RunPart, partition_of_run
from chalicelib.ledger.table import Expression, Item, ItemTable, LedgerFailed, utc_now
from chalicelib.report.findings import Trigger, utc_text

KEPT_DAYS = 30
#: The time of a run: what is open of one that began longer ago does not come back any more.
STALE_HOURS = 6

#: ``done``: every part came to its end. ``failed``: some parts failed for good. ``stuck``: some parts did not
#: come back within the run's time.
RunState = Literal["queued", "running", "done", "failed", "stuck"]


class Attempts(NamedTuple):
    """How often a part was begun, and how often it said that it failed; every other attempt has died, but for the one
    that is under way."""

    begun: int
    failed: int


class Run(Struct, frozen=True):
    """A run as it is now, and whether it is over (``closed``). Of its ``parts`` some are ``open``, not back; some have
    ``failed`` for good, or were ``lost``: not back when the run's time was over. ``notify``: its digests are sent."""

    id: str
    state: RunState
    trigger: Trigger
    parts: int
    open: frozenset[RunPart]
    accounts: tuple[str, ...]
    started_at: str
    failed: frozenset[RunPart] = frozenset()
    lost: frozenset[RunPart] = frozenset()
    notify: bool = True
    rules: tuple[str, ...] = ()
    closed: bool = False

    @property
    def done(self) -> int:
        """How many parts are done."""
        return self.parts - len(self.open)

    def awaits(self, account: str) -> bool:
        """True while a part of this account is not back."""
        return any(part.account == account for part in self.open)


@dataclass
class Runs:
    """The runs in ``table``. Every method raises LedgerFailed when the table cannot be used."""

    table: str
    client: Any
    clock: Callable[[], datetime] = utc_now

    def __post_init__(self) -> None:
        self._table = ItemTable(self.table, self.client)

    @property
    def results(self) -> Results:
        """What the parts of runs found."""
        return Results(self._table, self._expiry())

    # ---- a run and its parts

    def start(
        self, id: str, parts: Iterable[RunPart], trigger: str, *, notify: bool = True, rules: Iterable[str] = ()
    ) -> Run:
        """Begins a run and gives it. One that has been begun already, as by an event delivered twice or by the own
        write of which the answer was lost, is given as it is."""
        keys = {part.key for part in parts}
        item = {
            "pk": partition_of_run(id),
            "sk": "run",
            "state": "queued",
            "trigger": trigger,
            "number": len(keys),
            "open": keys,
            "accounts": {RunPart.of(key).account for key in keys},
            "started": utc_text(self.clock()),
            "notify": notify,
            "rules": ",".join(sorted(rules)),
            "expires": self._expiry(),
        }
        self._table.put(item, only_if=Expression("attribute_not_exists(pk)"))
        run = self.get(id)
        if run is None:
            raise LedgerFailed(f"the table {self.table} says that it holds the run {id}, and does not give it")
        if not run.closed:
            self._table.update("runs", "open", Expression("ADD ids :id", id={id}))
        return run

    def get(self, id: str) -> Run | None:
        """The run with this id, or None. One whose time is over is stuck, also before anybody has closed it."""
        item = self._table.get(partition_of_run(id), "run")
        return self._run(id, item) if item else None

    def begun(self, id: str, part: RunPart) -> Attempts:
        """Counts an attempt at a part that begins now. Gives the attempts so far, this one included."""
        return self._counted(id, part, "ADD begun :one SET expires = :until")

    def failed(self, id: str, part: RunPart) -> Attempts:
        """Counts an attempt at a part that ended with an error."""
        return self._counted(id, part, "ADD failed :one SET expires = :until")

    def _counted(self, id: str, part: RunPart, text: str) -> Attempts:
        counted = Expression(text, one=1, until=self._expiry())
        item = self._table.update(partition_of_run(id), f"attempts#{part.key}", counted) or {}
        return Attempts(item.get("begun", 0), item.get("failed", 0))

    def finish(self, id: str, part: RunPart, outcome: Literal["done", "failed", "lost"] = "done") -> Run | None:
        """Takes a part out of the open ones. Gives the run; None when it is not open any more, or there is no run."""
        noted = "" if outcome == "done" else f" ADD #{outcome} :part"
        taken_out = Expression(
            f"DELETE #open :part SET #state = if_not_exists(closed, :running){noted}",
            part={part.key},
            running="running",
        )
        still_open = Expression("contains(#open, :key)", key=part.key)
        item = self._table.update(partition_of_run(id), "run", taken_out, only_if=still_open)
        return self._run(id, item) if item else None

    def close(self, id: str, state: RunState) -> None:
        """Marks a run as over. A run closed twice stays as it is."""
        closed = Expression(
            "SET #state = :state, closed = :state, finished = :now", state=state, now=utc_text(self.clock())
        )
        self._table.update(partition_of_run(id), "run", closed)
        self._forget([id])

    def keep_ended(self, id: str, results: Mapping[RunPart, Result], trigger: str, head: Head) -> None:
        """Keeps what an audit found that was made at once, as a run that is over and told nobody."""
        for part, result in results.items():
            self.results.keep(id, part, result)
        self.results.keep_whole(id, head)
        now = utc_text(self.clock())
        self._table.put(
            {
                "pk": partition_of_run(id),
                "sk": "run",
                "state": "done",
                "closed": "done",
                "trigger": trigger,
                "number": len(results),
                "accounts": {part.account for part in results},
                "started": now,
                "finished": now,
                "notify": False,
                "rules": ",".join(sorted(head.report.scope.rules)),
                "expires": self._expiry(),
            }
        )

    # ---- the accounts that were told

    def note_informed(self, id: str, account: str) -> None:
        """Notes that the digest of an account has been sent."""
        self._table.put({"pk": partition_of_run(id), "sk": f"told#{account}", "expires": self._expiry()})

    def informed_accounts(self, id: str) -> set[str]:
        """The accounts whose digest has been sent."""
        where = Expression("pk = :pk AND begins_with(sk, :told)", pk=partition_of_run(id), told="told#")
        return {item["sk"].removeprefix("told#") for item in self._table.query(where)}

    # ---- how large accounts and regions are

    def grown(self, account: str, region: str, resources: int) -> None:
        """Remembers how many resources an account and region had at its last audit."""
        key = {"pk": "sizes", "sk": f"{account}#{region}"}
        self._table.put({**key, "resources": resources, "expires": self._expiry()})

    def sizes(self) -> dict[tuple[str, str], int]:
        """How many resources each account and region had at its last audit."""
        sizes: dict[tuple[str, str], int] = {}
        for item in self._table.query(Expression("pk = :pk", pk="sizes")):
            account, _, region = item["sk"].partition("#")
            sizes[account, region] = item["resources"]
        return sizes

    # ---- runs that do not end by themselves

    def stale(self) -> list[Run]:
        """Open runs whose time is over."""
        item = self._table.get("runs", "open") or {}
        runs = {id: self.get(id) for id in sorted(item.get("ids", ()))}
        self._forget([id for id, run in runs.items() if run is None or run.closed])
        return [run for run in runs.values() if run is not None and run.state == "stuck" and not run.closed]

    def _forget(self, ids: Iterable[str]) -> None:
        """Takes runs off the list of the open ones."""
        if gone := set(ids):
            self._table.update("runs", "open", Expression("DELETE ids :gone", gone=gone))

    def _run(self, id: str, item: Item) -> Run:
        late = "closed" not in item and item["started"] < utc_text(self.clock() - timedelta(hours=STALE_HOURS))
        return Run(
            id=id,
            state="stuck" if late else item["state"],
            trigger=item["trigger"],
            parts=item["number"],
            open=_parts_in(item, "open"),
            accounts=tuple(sorted(item["accounts"])),
            started_at=item["started"],
            failed=_parts_in(item, "failed"),
            lost=_parts_in(item, "lost"),
            notify=item["notify"],
            rules=tuple(rule for rule in item["rules"].split(",") if rule),
            closed="closed" in item,
        )

    def _expiry(self) -> int:
        return int((self.clock() + timedelta(days=KEPT_DAYS)).timestamp())


def _parts_in(item: Item, name: str) -> frozenset[RunPart]:
    return frozenset(map(RunPart.of, item.get(name, ())))
