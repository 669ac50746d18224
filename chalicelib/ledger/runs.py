"""The state of runs over many accounts and regions, in the ledger's table.

One item for each run holds its open parts as a set: taking a part out is idempotent, so that a part done twice changes
nothing, and whoever takes out the last one closes the run. What a part found lies beside it, compressed and in pieces
small enough for DynamoDB, until the run is closed.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from chalicelib.ledger.table import Expression, Item, ItemTable, LedgerFailed, joined, pieces, utc_now, whole
from chalicelib.report.findings import Report, utc_text
from chalicelib.report.known import Resolution

KEPT_DAYS = 30
#: A run older than this is closed, and its open parts are blind spots.
STALE_HOURS = 6


class RunPart(NamedTuple):
    """One account and region of a run; of a very large one the rules of one ``group`` only (``hosting``, ``jobs``)."""

    account: str
    region: str
    group: str = ""

    @property
    def key(self) -> str:
        return f"{self.account}#{self.region}" + (f"/{self.group}" if self.group else "")

    @classmethod
    def of(cls, key: str) -> "RunPart":
        account, where = key.split("#", 1)
        region, _, group = where.partition("/")
        return cls(account, region, group)


@dataclass(frozen=True, slots=True)
class Run:
    """A run as it is now. ``state``: queued, running, done, failed; ``notify``: whether its digests are sent."""

    id: str
    state: str
    trigger: str
    parts: int
    open: frozenset[RunPart]
    started_at: str
    notify: bool = True
    rules: tuple[str, ...] = ()

    @property
    def done(self) -> int:
        """How many parts are done."""
        return self.parts - len(self.open)


@dataclass(frozen=True, slots=True)
class Result:
    """What one part found: its report, what it says of findings known before, and who stands on which subnet."""

    report: Report
    judged: Resolution
    stands: Mapping[str, Iterable[str]]


@dataclass
class Runs:
    """The runs in ``table``. Every method raises LedgerFailed when the table cannot be used."""

    table: str
    client: Any
    clock: Callable[[], datetime] = utc_now

    def __post_init__(self) -> None:
        self._table = ItemTable(self.table, self.client)

    def start(
        self, id: str, parts: Iterable[RunPart], trigger: str, *, notify: bool = True, rules: Iterable[str] = ()
    ) -> bool:
        """Begins a run; False when it has been begun already, as an event delivered twice does."""
        keys = {part.key for part in parts}
        item = {
            "pk": _partition(id),
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
        if not self._table.put(item, only_if=Expression("attribute_not_exists(pk)")):
            return False
        self._table.update("runs", "open", Expression("ADD ids :id", id={id}))
        return True

    def get(self, id: str) -> Run | None:
        """The run with this id, or None."""
        item = self._table.get(_partition(id), "run")
        return _run(id, item) if item else None

    def keep(self, id: str, part: RunPart, result: Result) -> None:
        """Keeps what a part found; a second time it takes the place of the first."""
        content = {
            "report": result.report.model_dump(mode="json"),
            "parts": [finding.resource.part for finding in result.report.findings],
            "verdicts": dict(result.judged.verdicts),
            "gone": sorted(result.judged.gone),
            "stands": {subnet: sorted(arns) for subnet, arns in result.stands.items()},
        }
        self._table.put_pieces(_partition(id), f"part#{part.key}#", pieces(content), expires=self._expiry())

    def results(self, id: str, account: str) -> dict[RunPart, Result]:
        """What the parts of one account found, by part."""
        where = Expression("pk = :pk AND begins_with(sk, :part)", pk=_partition(id), part=f"part#{account}#")
        items: dict[RunPart, list[Item]] = {}
        for item in self._table.query(where):
            key = item["sk"].removeprefix("part#").rsplit("#", 1)[0]
            items.setdefault(RunPart.of(key), []).append(item)
        return {part: _result(id, part, group) for part, group in items.items()}

    def finish(self, id: str, part: RunPart) -> Run | None:
        """Takes a part out of the open ones. Gives the run, or None when there is no such run."""
        taken_out = Expression(
            "DELETE #open :part SET #state = if_not_exists(closed, :running)", part={part.key}, running="running"
        )
        item = self._table.update(_partition(id), "run", taken_out, only_if=Expression("attribute_exists(pk)"))
        return _run(id, item) if item else None

    def close(self, id: str, state: str = "done") -> None:
        """Marks a run as done or failed. A run closed twice stays as it is."""
        closed = Expression(
            "SET #state = :state, closed = :state, finished = :now", state=state, now=utc_text(self.clock())
        )
        self._table.update(_partition(id), "run", closed)
        self._table.update("runs", "open", Expression("DELETE ids :id", id={id}))

    def accounts(self, id: str) -> list[str]:
        """The accounts of a run."""
        item = self._table.get(_partition(id), "run")
        return sorted(item["accounts"]) if item else []

    def grown(self, account: str, region: str, resources: int) -> None:
        """Remembers how many resources an account and region had at its last audit."""
        key = {"pk": "sizes", "sk": f"{account}#{region}"}
        self._table.put({**key, "resources": resources, "expires": self._expiry()})

    def size(self, account: str, region: str) -> int:
        """How many resources an account and region had at its last audit; 0 before the first."""
        item = self._table.get("sizes", f"{account}#{region}")
        return int(item["resources"]) if item else 0

    def stale(self) -> list[Run]:
        """Open runs that began more than six hours ago: their last parts will not come any more."""
        item = self._table.get("runs", "open") or {}
        before = utc_text(self.clock() - timedelta(hours=STALE_HOURS))
        runs = [self.get(id) for id in sorted(item.get("ids", ()))]
        return [run for run in runs if run is not None and run.started_at < before]

    def _expiry(self) -> int:
        return int((self.clock() + timedelta(days=KEPT_DAYS)).timestamp())


def _partition(id: str) -> str:
    return f"run#{id}"


def _run(id: str, item: Item) -> Run:
    return Run(
        id=id,
        state=item["state"],
        trigger=item["trigger"],
        parts=item["number"],
        open=frozenset(RunPart.of(key) for key in item.get("open", ())),
        started_at=item["started"],
        notify=item["notify"],
        rules=tuple(rule for rule in item["rules"].split(",") if rule),
    )


def _result(id: str, part: RunPart, items: list[Item]) -> Result:
    """The result from its pieces; pieces left over from a longer one before are not looked at.

    Raises LedgerFailed while another attempt at the part is writing them.
    """
    bodies = whole(items)
    if bodies is None:
        raise LedgerFailed(f"what the part {part.key} of the run {id} found is being written; the next try finds it")
    content = joined(bodies)
    report = Report.model_validate(content["report"])
    findings = [
        finding.model_copy(update={"resource": finding.resource.model_copy(update={"part": piece})})
        for finding, piece in zip(report.findings, content["parts"], strict=True)
    ]
    return Result(
        report.model_copy(update={"findings": findings}),
        Resolution(content["verdicts"], frozenset(content["gone"])),
        content["stands"],
    )
