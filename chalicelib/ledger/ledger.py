"""What was known before: the findings through time, in one DynamoDB table.

An item for each finding under its account and region, written with a condition on ``last_seen``, so that an audit
that saw less recent things changes nothing. Telling is serialised for each account and region by a lease in the same
table: whoever holds it reads, tells and writes, so that two audits at once tell a thing once.

Table: partition key ``pk`` (``account#region``), sort key ``sk`` (the finding's id); index ``by-status`` on
``status_pk`` (``account#status``) and ``status_sk`` (worst first); index ``by-resource`` on ``arn``; time to live
``expires``.
"""

import base64
import json
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.errors import AuditorError, InvalidInput
from chalicelib.report.findings import Finding, Known, Severity, root_arn, utc_text

BY_STATUS, BY_RESOURCE = "by-status", "by-resource"
RESOLVED_DAYS = 400
LEASE_SECONDS = 120
WRITTEN_AT_ONCE = 50
READ_AT_ONCE = 100
#: Kinds that leave the look-back window by themselves: their findings expire when no audit sees them any more.
PASSING_KINDS = frozenset({"training-job", "tuning-job", "transform-job"})


class LedgerFailed(AuditorError):
    """The table cannot be used; nothing was told or remembered."""


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


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass
class Ledger:
    """The ledger in ``table``. ``client`` is a DynamoDB client; ``clock`` and ``sleep`` are there to be replaced."""

    table: str
    client: Any
    lookback_days: int = 30
    clock: Callable[[], datetime] = utc_now
    sleep: Callable[[float], None] = time.sleep

    # ---- reading

    def unresolved(self, account: str, region: str) -> dict[str, Known]:
        """Every open or exempt finding of an account and region, by id."""
        names = {"#status": "status"}
        items = self._queried(
            KeyConditionExpression="pk = :pk",
            FilterExpression="#status <> :resolved",
            ExpressionAttributeNames=names,
            ExpressionAttributeValues={":pk": {"S": f"{account}#{region}"}, ":resolved": {"S": "resolved"}},
        )
        return {known.finding.id: known for known in map(_known, items)}

    def known(self, account: str, region: str, ids: Iterable[str]) -> dict[str, Known]:
        """What is known of the findings with these ids, whatever their status."""
        wanted = [{"pk": {"S": f"{account}#{region}"}, "sk": {"S": id}} for id in dict.fromkeys(ids)]
        found: dict[str, Known] = {}
        for start in range(0, len(wanted), READ_AT_ONCE):
            keys: Any = wanted[start : start + READ_AT_ONCE]
            while keys:
                asked = {self.table: {"Keys": keys, "ConsistentRead": True}}
                answer = self._call("batch_get_item", RequestItems=asked)
                for item in answer["Responses"].get(self.table, ()):
                    known = _known(item)
                    found[known.finding.id] = known
                keys = answer.get("UnprocessedKeys", {}).get(self.table, {}).get("Keys")
        return found

    def of_resource(self, arn: str) -> dict[str, Known]:
        """What is known of the findings on one resource and its parts, by the ARN of the endpoint, component or other
        resource to which they belong."""
        items = self._queried(
            IndexName=BY_RESOURCE,
            KeyConditionExpression="arn = :arn",
            ExpressionAttributeValues={":arn": {"S": arn}},
            consistent=False,
        )
        return {known.finding.id: known for known in map(_known, items)}

    def listed(self, query: Query, limit: int, cursor: str | None = None) -> Page:
        """Findings worst first, at most ``limit``. Reads the index by page, never the table.

        Raises InvalidInput for a cursor that no page gave.
        """
        found: list[Finding] = []
        start = _decoded(cursor, f"{query.account}#{query.status}") if cursor else None
        while True:
            following = {"ExclusiveStartKey": start} if start else {}
            answer = self._call(
                "query",
                TableName=self.table,
                IndexName=BY_STATUS,
                KeyConditionExpression="status_pk = :pk",
                ExpressionAttributeValues={":pk": {"S": f"{query.account}#{query.status}"}},
                Limit=max(limit, 100),
                **following,
            )
            for item in answer["Items"]:
                finding = _known(item).finding
                if query.keeps(finding):
                    found.append(finding)
                if len(found) == limit:
                    last = {key: item[key] for key in ("pk", "sk", "status_pk", "status_sk")}
                    more = "LastEvaluatedKey" in answer or item is not answer["Items"][-1]
                    return Page(found, _encoded(last) if more else None)
            start = answer.get("LastEvaluatedKey")
            if start is None:
                return Page(found, None)

    # ---- writing

    def remember(self, entries: Sequence[Known]) -> None:
        """Writes these findings, those excepted of which something more recent is known."""
        puts = [self._put(one) for one in entries]
        for start in range(0, len(puts), WRITTEN_AT_ONCE):
            several = puts[start : start + WRITTEN_AT_ONCE]
            try:
                self.client.transact_write_items(TransactItems=[{"Put": put} for put in several])
            except ClientError as error:
                if error.response["Error"]["Code"] != "TransactionCanceledException":
                    raise _failed(self.table, error) from error
                for put in several:
                    self._put_alone(put)
            except BotoCoreError as error:
                raise _failed(self.table, error) from error

    def _put_alone(self, put: dict[str, Any]) -> None:
        try:
            self.client.put_item(**put)
        except ClientError as error:
            if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                raise _failed(self.table, error) from error
        except BotoCoreError as error:
            raise _failed(self.table, error) from error

    def _put(self, known: Known) -> dict[str, Any]:
        return {
            "TableName": self.table,
            "Item": _item(known, self.lookback_days),
            "ConditionExpression": "attribute_not_exists(pk) OR last_seen <= :seen",
            "ExpressionAttributeValues": {":seen": {"S": _stamp(known.judged_at)}},
        }

    @contextmanager
    def telling(self, account: str, region: str, *, patience: float = 60) -> Iterator[None]:
        """Holds the right to tell about an account and region, for at most two minutes.

        Raises LedgerBusy when another audit holds it for longer than ``patience`` seconds.
        """
        key = {"pk": {"S": f"lease#{account}#{region}"}, "sk": {"S": "telling"}}
        owner = uuid.uuid4().hex
        waited, pause = 0.0, 0.1
        while not self._taken(key, owner):
            if waited >= patience:
                raise LedgerBusy(f"another audit of {account} in {region} is telling; the next try will find it done")
            self.sleep(pause)
            waited, pause = waited + pause, min(pause * 2, 2.0)
        try:
            yield
        finally:
            self._released(key, owner)

    def _taken(self, key: Mapping[str, Any], owner: str) -> bool:
        now = self.clock()
        until = now + timedelta(seconds=LEASE_SECONDS)
        try:
            self.client.put_item(
                TableName=self.table,
                Item={
                    **key,
                    "owner": {"S": owner},
                    "until": {"S": _stamp(until)},
                    "expires": {"N": str(int(until.timestamp()) + 3600)},
                },
                ConditionExpression="attribute_not_exists(pk) OR #until < :now",
                ExpressionAttributeNames={"#until": "until"},
                ExpressionAttributeValues={":now": {"S": _stamp(now)}},
            )
        except ClientError as error:
            if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
                return False
            raise _failed(self.table, error) from error
        except BotoCoreError as error:
            raise _failed(self.table, error) from error
        return True

    def _released(self, key: Mapping[str, Any], owner: str) -> None:
        try:
            self.client.delete_item(
                TableName=self.table,
                Key=dict(key),
                ConditionExpression="#owner = :me",
                ExpressionAttributeNames={"#owner": "owner"},
                ExpressionAttributeValues={":me": {"S": owner}},
            )
        except (ClientError, BotoCoreError):
            return  # a lease that cannot be given back runs out by itself

    # ---- channels that have taken a notice whose telling did not get to its end

    def delivered(self, key: str) -> frozenset[str]:
        """The channels that took the notice with this key."""
        item = self._call(
            "get_item",
            TableName=self.table,
            Key={"pk": {"S": f"sent#{key}"}, "sk": {"S": "channels"}},
            ConsistentRead=True,
        ).get("Item")
        return frozenset(item["channels"]["SS"]) if item else frozenset()

    def deliver(self, key: str, channel: str) -> None:
        """Notes that a channel took the notice; forgotten after six hours."""
        until = int(self.clock().timestamp()) + 6 * 3600
        self._call(
            "update_item",
            TableName=self.table,
            Key={"pk": {"S": f"sent#{key}"}, "sk": {"S": "channels"}},
            UpdateExpression="ADD channels :one SET expires = :until",
            ExpressionAttributeValues={":one": {"SS": [channel]}, ":until": {"N": str(until)}},
        )

    def settled(self, key: str) -> None:
        """Forgets the channels of a notice that all of them have taken."""
        self._call("delete_item", TableName=self.table, Key={"pk": {"S": f"sent#{key}"}, "sk": {"S": "channels"}})

    # ---- what stands on a subnet

    def stands(self, account: str, region: str, users: Mapping[str, Iterable[str]]) -> None:
        """Remembers who stands on each subnet, by the subnet's id: what an event about the subnet asks for."""
        until = int((self.clock() + timedelta(days=self.lookback_days)).timestamp())
        for subnet, arns in users.items():
            self._call(
                "put_item",
                TableName=self.table,
                Item={
                    "pk": {"S": f"subnet#{account}#{region}"},
                    "sk": {"S": subnet},
                    "users": {"SS": sorted(arns)},
                    "expires": {"N": str(until)},
                },
            )

    def users_of(self, account: str, region: str, subnets: Iterable[str]) -> list[str]:
        """The ARNs of the models and configs that stood on these subnets when a sweep saw them last."""
        found: dict[str, None] = {}
        for subnet in subnets:
            key = {"pk": {"S": f"subnet#{account}#{region}"}, "sk": {"S": subnet}}
            item = self._call("get_item", TableName=self.table, Key=key).get("Item", {})
            found |= dict.fromkeys(item.get("users", {}).get("SS", ()))
        return sorted(found)

    # ---- the last complete audit

    def completed(self, account: str, moment: datetime) -> None:
        """Notes the time of a complete audit of an account."""
        item = {"pk": {"S": f"complete#{account}"}, "sk": {"S": "audit"}, "at": {"S": utc_text(moment)}}
        self._call("put_item", TableName=self.table, Item=item)

    def last_complete(self, account: str) -> str | None:
        """The time of the last complete audit of an account as text, or None before the first."""
        key = {"pk": {"S": f"complete#{account}"}, "sk": {"S": "audit"}}
        item = self._call("get_item", TableName=self.table, Key=key).get("Item")
        return str(item["at"]["S"]) if item else None

    # ---- DynamoDB

    def _queried(self, *, consistent: bool = True, **asked: Any) -> Iterator[dict[str, Any]]:
        start: Any = None
        while True:
            following = {"ExclusiveStartKey": start} if start else {}
            answer = self._call("query", TableName=self.table, ConsistentRead=consistent, **asked, **following)
            yield from answer["Items"]
            start = answer.get("LastEvaluatedKey")
            if start is None:
                return

    def _call(self, operation: str, **asked: Any) -> dict[str, Any]:
        try:
            answer: dict[str, Any] = getattr(self.client, operation)(**asked)
        except (ClientError, BotoCoreError) as error:
            raise _failed(self.table, error) from error
        return answer


def _failed(table: str, error: Exception) -> LedgerFailed:
    return LedgerFailed(f"the table {table} cannot be used: {error}; AUDITOR_TABLE names it")


def _stamp(moment: datetime) -> str:
    """A moment that sorts as text, to the microsecond."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _item(known: Known, lookback_days: int) -> dict[str, Any]:
    finding = known.finding
    resource = finding.resource
    order = 9 - finding.severity.rank
    item: dict[str, Any] = {
        "pk": {"S": f"{finding.account}#{finding.region}"},
        "sk": {"S": finding.id},
        "status_pk": {"S": f"{finding.account}#{finding.status}"},
        "status_sk": {"S": f"{order}#{finding.region}#{finding.rule}#{resource.name}#{finding.id}"[:1000]},
        "status": {"S": finding.status},
        "last_seen": {"S": _stamp(known.judged_at)},
        "body": {"S": finding.model_dump_json()},
        "part": {"S": resource.part},
        "seen": {"S": _stamp(finding.last_seen)},
    }
    if root := root_arn(finding):
        item["arn"] = {"S": root}
    if known.last_told is not None:
        item["last_told"] = {"S": _stamp(known.last_told)}
    if known.severity_told is not None:
        item["severity_told"] = {"S": known.severity_told.value}
    days: int | None = None
    if finding.status == "resolved":
        days = RESOLVED_DAYS
    elif resource.kind in PASSING_KINDS:
        days = lookback_days + 2
    if days is not None:
        item["expires"] = {"N": str(int((known.judged_at + timedelta(days=days)).timestamp()))}
    return item


def _known(item: Mapping[str, Any]) -> Known:
    finding = Finding.model_validate_json(item["body"]["S"])
    resource = finding.resource.model_copy(update={"part": item["part"]["S"]})
    exact = {"resource": resource, "last_seen": _parsed(item["seen"]["S"])}
    told, severity = item.get("last_told"), item.get("severity_told")
    return Known(
        finding.model_copy(update=exact),
        _parsed(told["S"]) if told else None,
        Severity(severity["S"]) if severity else None,
    )


def _parsed(stamp: str) -> datetime:
    return datetime.strptime(stamp, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)


def _encoded(key: Mapping[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(key, separators=(",", ":")).encode()).decode()


def _decoded(cursor: str, partition: str) -> dict[str, Any]:
    try:
        key = json.loads(base64.urlsafe_b64decode(cursor.encode()))
    except ValueError:
        key = None
    keys = {"pk", "sk", "status_pk", "status_sk"}
    if (
        not isinstance(key, dict)
        or key.keys() != keys
        or not all(isinstance(one, dict) and isinstance(one.get("S"), str) for one in key.values())
        or key["status_pk"] != {"S": partition}
    ):
        raise InvalidInput(
            "the cursor is none that a page of this query gave; accepted is the cursor of the page before",
            field="cursor",
        )
    return key


#: How the table is made, for tests and for the stack.
TABLE: dict[str, Any] = {
    "AttributeDefinitions": [
        {"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk", "status_pk", "status_sk", "arn")
    ],
    "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
    "GlobalSecondaryIndexes": [
        {
            "IndexName": BY_STATUS,
            "KeySchema": [
                {"AttributeName": "status_pk", "KeyType": "HASH"},
                {"AttributeName": "status_sk", "KeyType": "RANGE"},
            ],
            "Projection": {"ProjectionType": "ALL"},
        },
        {
            "IndexName": BY_RESOURCE,
            "KeySchema": [{"AttributeName": "arn", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
            "Projection": {"ProjectionType": "ALL"},
        },
    ],
    "BillingMode": "PAY_PER_REQUEST",
}
