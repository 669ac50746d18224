"""What was known before: the findings through time, in one DynamoDB table.

An item for each finding under its account and region, written with a condition on ``last_seen``, so that an audit
that saw less recent things changes nothing. Telling is serialised for each account and region by a lease in the same
table: whoever holds it reads, tells and writes, so that two audits at once tell a thing once.

Of a finding ``pk`` is ``account#region`` and ``sk`` its id; in the index ``by-status`` ``status_pk`` is
``account#status`` and ``status_sk`` puts the worst first; the index ``by-resource`` is on ``arn``.
"""

import base64
import json
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from chalicelib.errors import InvalidInput
from chalicelib.input.bounds import CURSOR_CHARACTERS
from chalicelib.input.reading import read_json
from chalicelib.kinds import PASSING
from chalicelib.ledger.table import (
    BY_RESOURCE,
    BY_STATUS,
    Expression,
    Item,
    ItemTable,
    LedgerFailed,
    RequestRefused,
    Write,
    utc_now,
)
from chalicelib.report.findings import Finding, Known, Severity, root_arn, utc_text

RESOLVED_DAYS = 400
LEASE_SECONDS = 120
#: Findings read at once for a page that is asked for, at least: those not asked for are passed over.
READ_A_PAGE = 100
SENT_HOURS = 6
#: Sightings kept of an account and region, at most: one item of the table holds them.
SIGHTINGS = 1_000
#: Users of a subnet that one item of the table holds; ARNs may have 2,048 characters, those of SageMaker have some 130.
USERS = 1_000
#: What a cursor holds: the key of a finding in the index by status.
CURSOR_KEY = ("pk", "sk", "status_pk", "status_sk")


class LedgerBusy(LedgerFailed):
    """Another audit of the same account and region is telling; the next try will find it done."""


@dataclass(frozen=True, slots=True)
class Page:
    """Some findings, and the cursor for those after them (None: these were the last)."""

    findings: list[Finding]
    cursor: str | None


@dataclass(frozen=True, slots=True)
class Query:
    """Which findings to list: those of ``account`` in ``status``, narrowed by everything else that is set."""

    account: str
    status: str = "open"
    region: str | None = None
    severity: Severity = Severity.INFO
    rule: str | None = None
    topic: str | None = None
    resource: str | None = None
    rules: frozenset[str] = frozenset()

    def keeps(self, finding: Finding) -> bool:
        """True for a finding that is asked for."""
        return (
            self.region in (None, finding.region)
            and finding.severity.rank >= self.severity.rank
            and self.rule in (None, finding.rule)
            and self.topic in (None, finding.topic)
            and self.resource in (None, finding.resource.arn, finding.resource.name)
            and (not self.rules or finding.rule in self.rules)
        )


@dataclass
class Ledger:
    """The ledger in ``table``. ``client`` is a DynamoDB client; ``clock`` and ``sleep`` are there to be replaced."""

    table: str
    client: Any
    lookback_days: int = 30
    clock: Callable[[], datetime] = utc_now
    sleep: Callable[[float], None] = time.sleep

    def __post_init__(self) -> None:
        self._table = ItemTable(self.table, self.client)

    # ---- reading

    def unresolved(self, account: str, region: str) -> dict[str, Known]:
        """Every open or exempt finding of an account and region, by id."""
        where = Expression("pk = :pk", pk=_partition(account, region))
        return _by_id(self._table.query(where, only=Expression("#status <> :resolved", resolved="resolved")))

    def known(self, account: str, region: str, ids: Iterable[str]) -> dict[str, Known]:
        """What is known of the findings with these ids, whatever their status."""
        return _by_id(self._table.get_all(_partition(account, region), ids))

    def of_resource(self, arn: str) -> dict[str, Known]:
        """What is known of the findings on one resource and its parts, by the ARN of the endpoint, component or other
        resource to which they belong."""
        return _by_id(self._table.query(Expression("arn = :arn", arn=arn), index=BY_RESOURCE))

    def listed(self, query: Query, limit: int, cursor: str | None = None) -> Page:
        """Findings worst first, at most ``limit``. Reads the index by page, never the table.

        Raises InvalidInput for a cursor that no page gave.
        """
        partition = f"{query.account}#{query.status}"
        findings: list[Finding] = []
        start: Item | None = None if cursor is None else _decoded(cursor, query.account, partition)
        while True:
            try:
                items, start = self._table.page(
                    Expression("status_pk = :pk", pk=partition),
                    index=BY_STATUS,
                    limit=max(limit, READ_A_PAGE),
                    start=start,
                )
            except RequestRefused:
                if cursor is None:
                    raise
                raise _foreign_cursor() from None
            for item in items:
                finding = _known(item).finding
                if query.keeps(finding):
                    findings.append(finding)
                if len(findings) == limit:
                    more = start is not None or item is not items[-1]
                    return Page(findings, _encoded({name: item[name] for name in CURSOR_KEY}) if more else None)
            if start is None:
                return Page(findings, None)

    # ---- writing

    def remember(self, entries: Sequence[Known]) -> None:
        """Writes these findings, those excepted of which something more recent is known."""
        newer = "attribute_not_exists(pk) OR last_seen <= :seen"
        self._table.put_all(
            [
                Write(_item(known, self.lookback_days), Expression(newer, seen=_stamp(known.judged_at)))
                for known in entries
            ]
        )

    @contextmanager
    def telling(self, account: str, region: str, *, patience: float = 60) -> Iterator[None]:
        """Holds the right to tell about an account and region, for at most two minutes.

        Raises LedgerBusy when another audit holds it for longer than ``patience`` seconds.
        """
        pk, owner = f"lease#{account}#{region}", uuid.uuid4().hex
        waited, pause = 0.0, 0.1
        while not self._taken(pk, owner):
            if waited >= patience:
                raise LedgerBusy(f"another audit of {account} in {region} is telling; the next try will find it done")
            self.sleep(pause)
            waited, pause = waited + pause, min(pause * 2, 2.0)
        try:
            yield
        finally:
            with suppress(LedgerFailed):  # a lease that cannot be given back runs out by itself
                self._table.delete(pk, "telling", only_if=Expression("#owner = :me", me=owner))

    def _taken(self, pk: str, owner: str) -> bool:
        now = self.clock()
        until = now + timedelta(seconds=LEASE_SECONDS)
        lease = {
            "pk": pk,
            "sk": "telling",
            "owner": owner,
            "until": _stamp(until),
            "expires": int(until.timestamp()) + 3600,
        }
        free = Expression("attribute_not_exists(pk) OR #until < :now", now=_stamp(now))
        return self._table.put(lease, only_if=free)

    # ---- channels that have taken a notice whose telling did not get to its end

    def delivered(self, key: str) -> frozenset[str]:
        """The channels that took the notice with this key."""
        item = self._table.get(f"sent#{key}", "channels")
        return frozenset(item["channels"]) if item else frozenset()

    def deliver(self, key: str, channel: str) -> None:
        """Notes that a channel took the notice; forgotten after six hours."""
        until = int((self.clock() + timedelta(hours=SENT_HOURS)).timestamp())
        noted = Expression("ADD channels :channel SET expires = :until", channel={channel}, until=until)
        self._table.update(f"sent#{key}", "channels", noted)

    def settled(self, key: str) -> None:
        """Forgets the channels of a notice that all of them have taken."""
        self._table.delete(f"sent#{key}", "channels")

    # ---- what stands on a subnet

    def stands(self, account: str, region: str, users: Mapping[str, Iterable[str]]) -> None:
        """Remembers who stands on each subnet, by the subnet's id: what an event about the subnet asks for. Of many the
        first thousand, far more than an event audits."""
        expires = int((self.clock() + timedelta(days=self.lookback_days)).timestamp())
        for subnet, arns in users.items():
            key = {"pk": f"subnet#{account}#{region}", "sk": subnet}
            self._table.put({**key, "users": set(sorted(arns)[:USERS]), "expires": expires})

    def users_of(self, account: str, region: str, subnets: Iterable[str]) -> list[str]:
        """The ARNs of the models and configs that stood on these subnets when a sweep saw them last."""
        items = [self._table.get(f"subnet#{account}#{region}", subnet) for subnet in subnets]
        return sorted({arn for item in items if item is not None for arn in item["users"]})

    # ---- since when something has been seen

    def sightings(self, account: str, region: str) -> dict[tuple[str, str], datetime]:
        """Since when audits have seen a rule's condition on a resource, by the rule and the ARN."""
        item = self._table.get(f"sightings#{account}#{region}", "all")
        seen = json.loads(item["body"]) if item else []
        return {(rule, arn): datetime.fromisoformat(first) for rule, arn, first in seen}

    def note_sightings(self, account: str, region: str, sightings: Mapping[tuple[str, str], datetime]) -> None:
        """Takes the place of the sightings of an account and region."""
        seen = [[rule, arn, _stamp(first)] for (rule, arn), first in sorted(sightings.items())][:SIGHTINGS]
        key = {"pk": f"sightings#{account}#{region}", "sk": "all"}
        expires = int((self.clock() + timedelta(days=self.lookback_days)).timestamp())
        self._table.put({**key, "body": json.dumps(seen), "expires": expires})

    # ---- the last complete audit

    def completed(self, account: str, moment: datetime) -> None:
        """Notes the time of a complete audit of an account."""
        self._table.put({"pk": f"complete#{account}", "sk": "audit", "at": utc_text(moment)})

    def last_complete(self, account: str) -> str | None:
        """The time of the last complete audit of an account as text, or None before the first."""
        item = self._table.get(f"complete#{account}", "audit")
        return str(item["at"]) if item else None


def _partition(account: str, region: str) -> str:
    return f"{account}#{region}"


def _stamp(moment: datetime) -> str:
    """A moment that sorts as text, to the microsecond."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _item(known: Known, lookback_days: int) -> Item:
    finding = known.finding
    resource = finding.resource
    order = 9 - finding.severity.rank
    item: dict[str, Any] = {
        "pk": _partition(finding.account, finding.region),
        "sk": finding.id,
        "status_pk": f"{finding.account}#{finding.status}",
        "status_sk": f"{order}#{finding.region}#{finding.rule}#{resource.name}#{finding.id}"[:1000],
        "status": finding.status,
        "last_seen": _stamp(known.judged_at),
        "body": finding.model_dump_json(),
        "part": resource.part,
        "seen": _stamp(finding.last_seen),
    }
    if root := root_arn(finding):
        item["arn"] = root
    if known.last_told is not None:
        item["last_told"] = _stamp(known.last_told)
    if known.severity_told is not None:
        item["severity_told"] = known.severity_told.value
    days: int | None = None
    if finding.status == "resolved":
        days = RESOLVED_DAYS
    elif resource.kind in PASSING:
        days = lookback_days + 2
    if days is not None:
        item["expires"] = int((known.judged_at + timedelta(days=days)).timestamp())
    return item


def _known(item: Item) -> Known:
    finding = Finding.model_validate_json(item["body"])
    resource = finding.resource.model_copy(update={"part": item["part"]})
    exact = {"resource": resource, "last_seen": _parsed(item["seen"])}
    last_told, severity = item.get("last_told"), item.get("severity_told")
    return Known(
        finding.model_copy(update=exact),
        _parsed(last_told) if last_told else None,
        Severity(severity) if severity else None,
    )


def _by_id(items: Iterable[Item]) -> dict[str, Known]:
    return {known.finding.id: known for known in map(_known, items)}


def _parsed(stamp: str) -> datetime:
    return datetime.strptime(stamp, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)


def _encoded(key: Mapping[str, str]) -> str:
    return base64.urlsafe_b64encode(json.dumps(key, separators=(",", ":")).encode()).decode()


def _decoded(cursor: str, account: str, partition: str) -> dict[str, str]:
    """The key in a cursor. Raises InvalidInput for any text that no page of this account and status gave."""
    try:
        key = read_json(base64.urlsafe_b64decode(cursor.encode())) if len(cursor) <= CURSOR_CHARACTERS.most else None
    except ValueError:  # TooLarge among them
        key = None
    if (
        not isinstance(key, dict)
        or key.keys() != set(CURSOR_KEY)
        or not all(isinstance(value, str) and value for value in key.values())
        or key["status_pk"] != partition
        or not key["pk"].startswith(f"{account}#")
    ):
        raise _foreign_cursor()
    return key


def _foreign_cursor() -> InvalidInput:
    return InvalidInput(
        "the cursor is none that a page of this query gave; accepted is the cursor of the page before", field="cursor"
    )
