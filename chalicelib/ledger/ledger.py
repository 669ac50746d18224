"""What was known before: the findings through time, in one DynamoDB table.

An item for each finding under its account and region, with what its channels are still owed. It is written in the
place of the item that was read, never of one that somebody else has written since: whoever writes that it is owed, and
is being told, has the right to tell it (``claims.py``).

Of a finding ``pk`` is ``account#region`` and ``sk`` its id; in the index ``by-status`` ``status_pk`` is
``account#status`` and ``status_sk`` puts the worst first; the index ``by-resource`` is on ``arn``.
"""

import time
import uuid
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from chalicelib.ledger.cursors import decoded, encoded, foreign_cursor
from chalicelib.ledger.digests import Digest, digest_item
from chalicelib.ledger.items import by_id, item_of, known_of, partition
from chalicelib.ledger.table import (
    BY_RESOURCE,
    BY_STATUS,
    Expression,
    Item,
    ItemTable,
    LedgerFailed,
    RequestRefused,
    Write,
    Written,
    parsed,
    stamp,
    utc_now,
)
from chalicelib.report.findings import Finding, Severity, utc_text
from chalicelib.report.known import Known, Resolution

if TYPE_CHECKING:
    from chalicelib.ledger.answers import Answers

#: Findings read at once for a page that is asked for, at least: those not asked for are passed over.
READ_A_PAGE = 100
#: Digests, and channels that failed, are remembered for longer than a failed invocation waits to be run again.
DIGEST_DAYS = 30
#: The partition of the channels that did not take a notice, and what is kept of their reason.
CHANNELS, REASON_LENGTH = "channels", 500
#: Marks of what was judged outlive every audit that may have begun before.
MARKED_DAYS = 1
#: Sightings that one audit adds, at most.
SIGHTINGS = 1_000
#: Users of a subnet that one item of the table holds; ARNs may have 2,048 characters, those of SageMaker have some 130.
USERS = 1_000
#: What a cursor holds: the key of a finding in the index by status.
CURSOR_KEY = ("pk", "sk", "status_pk", "status_sk")


#: What is told, and what its channels are owed.
Entry = Known | Digest
#: A rule's condition as seen on a resource, by the rule's id and the ARN.
Sighting = tuple[str, str]


class Broken(NamedTuple):
    """A channel that did not take a notice: when for the first and the last time, and why."""

    since: datetime
    last: datetime
    reason: str


class Page(Struct, frozen=True):
    """Some findings, and the cursor for those after them (None: these were the last). ``keys`` are those of the items
    that they stand in."""

    findings: list[Finding]
    cursor: str | None
    keys: Sequence[Mapping[str, str]] = ()

    def first(self, number: int) -> "Page":
        """The page with so many of its findings, at least one, and the cursor for the others."""
        if number >= len(self.findings):
            return self
        return Page(self.findings[:number], encoded(self.keys[number - 1]), self.keys[:number])


class Query(Struct, frozen=True):
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


#: The versions of writes of which no answer came, by the key of their item.
Unanswered = dict[tuple[str, str], set[str]]


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

    @property
    def answers(self) -> "Answers":
        """What people answered in Slack."""
        from chalicelib.ledger.answers import Answers  # read where that is switched on alone

        return Answers(self.table, self.client, self.clock)

    # ---- reading

    def unresolved(self, account: str, region: str) -> dict[str, Known]:
        """Every open or exempt finding of an account and region, by id."""
        current = self.current(account, region)
        return {id: known for id, known in current.items() if known.finding.status != "resolved"}

    def current(self, account: str, region: str) -> dict[str, Known]:
        """Every finding of an account and region of which something may have to be told, by id: those that are open or
        exempt, and those of which a channel is owed something."""
        where = Expression("pk = :pk", pk=partition(account, region))
        current = Expression("#status <> :resolved OR attribute_exists(owed)", resolved="resolved")
        return by_id(self._table.query(where, only=current))

    def known(self, account: str, region: str, ids: Iterable[str]) -> dict[str, Known]:
        """What is known of the findings with these ids, whatever their status."""
        return by_id(self._table.get_all(partition(account, region), ids))

    def of_resource(self, arn: str) -> dict[str, Known]:
        """What is known of the findings on one resource and its parts, by the ARN of the endpoint, component or other
        resource to which they belong."""
        return by_id(self._table.query(Expression("arn = :arn", arn=arn), index=BY_RESOURCE))

    def current_of(self, arns: Iterable[str]) -> dict[str, Known]:
        """Every finding on these resources and their parts of which something may have to be told: those that are open
        or exempt, and those of which a channel is owed something."""
        known = [entry for arn in arns for entry in self.of_resource(arn).items()]
        return {id: entry for id, entry in known if entry.finding.status != "resolved" or entry.owed}

    def listed(self, query: Query, limit: int, cursor: str | None = None) -> Page:
        """Findings worst first, at most ``limit``. Reads the index by page, never the table.

        Raises InvalidInput for a cursor that no page gave.
        """
        partition = f"{query.account}#{query.status}"
        findings: list[Finding] = []
        keys: list[dict[str, str]] = []
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
                raise foreign_cursor() from None
            for item in items:
                finding = known_of(item).finding
                if query.keeps(finding):
                    findings.append(finding)
                    keys.append({name: item[name] for name in CURSOR_KEY})
                if len(findings) == limit:
                    more = start is not None or item is not items[-1]
                    return Page(findings, encoded(keys[-1]) if more else None, keys)
            if start is None:
                return Page(findings, None, keys)

    # ---- writing

    def write(self, entries: Sequence[Entry], unanswered: Unanswered | None = None) -> list[tuple[Entry, Written]]:
        """Writes each finding or digest in the place of the one that was read, or of a write before that was
        ``unanswered``. Gives it as it is now, and how that went: it is lost where somebody else has written it since.
        Raises LedgerFailed; what was sent then is among the ``unanswered``, as it may be in the table."""
        sent = {} if unanswered is None else unanswered
        fresh = [replace(entry, version=uuid.uuid4().hex) for entry in entries]
        writes = []
        for before, entry in zip(entries, fresh, strict=True):
            item = self._item(entry)
            writes.append(Write(item, _as_read(before.version, sorted(sent.get(_key(item), ())))))
        try:
            written = self._table.put_all(writes)
        except LedgerFailed:
            for write in writes:
                sent.setdefault(_key(write.item), set()).add(write.item["version"])
            raise
        return list(zip(fresh, written, strict=True))

    def _item(self, entry: Entry) -> Item:
        if isinstance(entry, Digest):
            return digest_item(entry, self.clock() + timedelta(days=DIGEST_DAYS))
        return item_of(entry, self.lookback_days)

    # ---- digests, one for each account and run

    def digest(self, account: str, run: str, channels: Iterable[str]) -> Digest:
        """The digest of a run: those of the channels to which it is owed still."""
        digest = Digest(account, run, frozenset(channels))
        item = self._table.get(*digest.key)
        return digest if item is None else digest.as_in(item)

    # ---- channels that did not take a notice

    def broken(self, channel: str, reason: str) -> datetime:
        """Notes that a channel did not take a notice. Gives the moment at which that began."""
        now = self.clock()
        failed = Expression(
            "SET #since = if_not_exists(#since, :now), #last = :now, #reason = :reason, expires = :until",
            now=stamp(now),
            reason=reason[:REASON_LENGTH],
            until=int((now + timedelta(days=DIGEST_DAYS)).timestamp()),
        )
        item = self._table.update(CHANNELS, channel, failed)
        return parsed(item["since"]) if item else now

    def mended(self, channel: str) -> None:
        """Forgets that a channel did not take notices."""
        self._table.update(CHANNELS, channel, Expression("REMOVE #since"))

    def broken_channels(self) -> dict[str, Broken]:
        """The channels that have not taken a notice, by name."""
        return {
            item["sk"]: Broken(parsed(item["since"]), parsed(item["last"]), item["reason"])
            for item in self._table.query(Expression("pk = :pk", pk=CHANNELS))
            if "since" in item
        }

    # ---- what audits of named resources have judged lately

    def note_judged(self, account: str, region: str, resolution: Resolution, moment: datetime) -> None:
        """Leaves a mark on each resource that an audit begun at ``moment`` settled: also where nothing was found, so
        that an audit which began earlier and ends later tells nothing of it that is over by now."""
        expires = int((self.clock() + timedelta(days=MARKED_DAYS)).timestamp())
        marks = {"undecided": set(resolution.undecided)} if resolution.undecided else {}
        for arn in sorted(resolution.settled):
            key = {"pk": f"judged#{account}#{region}", "sk": f"{stamp(moment)}#{arn}"}
            self._table.put({**key, "arn_judged": arn, "expires": expires, **marks})

    def judged_since(self, account: str, region: str, moment: datetime) -> dict[str, frozenset[str]]:
        """The resources that audits begun after ``moment`` have settled, by ARN, each with the rules that stayed
        undecided. Marks of a clock that goes ahead of the own one are left out."""
        where = Expression("pk = :pk AND sk > :moment", pk=f"judged#{account}#{region}", moment=f"{stamp(moment)}$")
        now = f"{stamp(self.clock())}$"
        judged: dict[str, frozenset[str]] = {}
        for item in self._table.query(where):
            if item["sk"] > now:
                break
            undecided = frozenset(item.get("undecided", ()))
            judged[item["arn_judged"]] = judged.get(item["arn_judged"], undecided) & undecided
        return judged

    # ---- what stands on a subnet, and what an alarm scales

    def stands(self, account: str, region: str, users: Mapping[str, Iterable[str]]) -> None:
        """Remembers who stands on each subnet, by its id, and what each alarm scales, by ``alarm:NAME``: what an event
        about it asks for. Of many the first thousand, far more than an event audits."""
        expires = int((self.clock() + timedelta(days=self.lookback_days)).timestamp())
        for subnet, arns in users.items():
            key = {"pk": f"subnet#{account}#{region}", "sk": subnet}
            self._table.put({**key, "users": set(sorted(arns)[:USERS]), "expires": expires})

    def users_of(self, account: str, region: str, names: Iterable[str]) -> list[str]:
        """The ARNs of the models and configs that stood on these subnets, and of what these alarms scaled, when a sweep
        saw them last."""
        items = self._table.get_all(f"subnet#{account}#{region}", names)
        return sorted({arn for item in items for arn in item["users"]})

    # ---- since when something has been seen: an item each, so that audits side by side take nothing from each other

    def sightings(self, account: str, region: str) -> dict[Sighting, datetime]:
        """Since when audits have seen a rule's condition on a resource, by the rule and the ARN."""
        items = self._table.query(Expression("pk = :pk", pk=f"sightings#{account}#{region}"))
        return {(item["rule"], item["seen_on"]): parsed(item["since"]) for item in items if "since" in item}

    def note_sightings(
        self, account: str, region: str, sightings: Mapping[Sighting, datetime], before: Collection[Sighting] = ()
    ) -> None:
        """Remembers what has been seen since when, and forgets what was known ``before`` and is over. What another
        audit has noted meanwhile stays. Of very many new ones the first thousand."""
        pk = f"sightings#{account}#{region}"
        expires = int((self.clock() + timedelta(days=self.lookback_days)).timestamp())
        for rule, arn in sorted(set(before) - sightings.keys()):
            self._table.update(pk, f"{rule}#{arn}", Expression("REMOVE #since"))
        fresh = sorted(sightings.keys() - set(before))[:SIGHTINGS]
        self._table.put_all(
            [
                Write(
                    {
                        "pk": pk,
                        "sk": f"{rule}#{arn}",
                        "rule": rule,
                        "seen_on": arn,
                        "since": stamp(sightings[rule, arn]),
                        "expires": expires,
                    },
                    Expression("attribute_not_exists(#since)"),
                )
                for rule, arn in fresh
            ]
        )

    # ---- the last complete audit

    def completed(self, account: str, moment: datetime) -> None:
        """Notes the time of a complete audit of an account."""
        self._table.put({"pk": f"complete#{account}", "sk": "audit", "at": utc_text(moment)})

    def last_complete(self, account: str) -> str | None:
        """The time of the last complete audit of an account as text, or None before the first."""
        item = self._table.get(f"complete#{account}", "audit")
        return str(item["at"]) if item else None


def _as_read(version: str | None, unanswered: Sequence[str]) -> Expression:
    """Holds while an item is the one that was read, is still absent, or is the own write of one of these versions;
    items written before had no version."""
    held = "attribute_not_exists(#version)" if version is None else "#version = :version"
    own = {f"own{number}": sent for number, sent in enumerate(unanswered)}
    text = " OR ".join([held, *(f"#version = :{name}" for name in own)])
    return Expression(text, **own) if version is None else Expression(text, version=version, **own)


def _key(item: Item) -> tuple[str, str]:
    return item["pk"], item["sk"]


def _decoded(cursor: str, account: str, partition: str) -> dict[str, str]:
    """The key in a cursor. Raises InvalidInput for any text that no page of this account and status gave."""
    key = decoded(cursor, CURSOR_KEY)
    if (
        not all(isinstance(value, str) and value for value in key.values())
        or key["status_pk"] != partition
        or not key["pk"].startswith(f"{account}#")
    ):
        raise foreign_cursor()
    return key
