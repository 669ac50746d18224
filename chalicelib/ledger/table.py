"""The one door to DynamoDB: items of plain Python values, read, written and queried in one table.

An item is a mapping of text, whole numbers, bytes, booleans, sets of text, lists and mappings; how DynamoDB spells them
is boto3's matter and known in no other file. Expressions are DynamoDB's own, with ``#name`` where the name of an
attribute is a reserved word, and ``:value`` for a value.

The table: partition key ``pk``, sort key ``sk``; index ``by-status`` on ``status_pk`` and ``status_sk``; index
``by-resource`` on ``arn``; time to live ``expires``. Every method raises LedgerFailed when the table cannot be used.
"""

import json
import logging
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum
from itertools import islice
from typing import Any, NamedTuple

from boto3.dynamodb.types import Binary, TypeDeserializer, TypeSerializer
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from msgspec import Struct

from chalicelib.errors import AuditorError

log = logging.getLogger(__name__)

Item = Mapping[str, Any]

#: A table that hangs is given up long before a function's time, or the lease of whoever tells, is over.
CLIENT = Config(connect_timeout=2, read_timeout=5, retries={"mode": "standard", "total_max_attempts": 3})

BY_STATUS, BY_RESOURCE = "by-status", "by-resource"
#: DynamoDB's limits: actions of a transaction (100, with room for their size), and keys of a batch that is read.
WRITTEN_AT_ONCE, READ_AT_ONCE = 50, 100
#: How often, and after how many seconds at first, a write is made again that met a transaction on its item.
CONFLICT_ATTEMPTS, CONFLICT_PAUSE = 6, 0.05

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

_plain, _stored = TypeDeserializer().deserialize, TypeSerializer().serialize


class LedgerFailed(AuditorError):
    """The table cannot be used; nothing was told or remembered."""

    outside = "the ledger cannot be used; the log of the function says why"


class ConditionFailed(LedgerFailed):
    """The condition of a write did not hold; nothing was written. ``stored`` is the item that is there, where the write
    asked for it."""

    stored: Item | None = None


class RequestRefused(LedgerFailed):
    """DynamoDB takes the request for malformed: an item that is too large, a key to start from that is none."""


class _Conflict(LedgerFailed):
    """A transaction of somebody else is writing the item just now; nothing was written."""


#: What DynamoDB's error codes mean, where they mean more than that the table cannot be used.
_MEANT: Mapping[str, type[LedgerFailed]] = {
    "ConditionalCheckFailedException": ConditionFailed,
    "TransactionConflictException": _Conflict,
    "ValidationException": RequestRefused,
}


class Expression:
    """An expression in DynamoDB's language and the values that it names: ``Expression("pk = :pk", pk="runs")``."""

    def __init__(self, text: str, **values: Any) -> None:
        self.text = text
        self.values = values


class Write(NamedTuple):
    """An item to be written if a condition holds."""

    item: Item
    only_if: Expression


class Written(Enum):
    """How a write went: done; lost, as its condition did not hold; or refused, as the table never takes the item."""

    DONE = "done"
    LOST = "lost"
    REFUSED = "refused"


class ItemPage(NamedTuple):
    """Some items, and the key after which the next ones begin (None: these were the last)."""

    items: list[Item]
    last: Item | None


class ItemTable(Struct, frozen=True):
    """The table ``name``; ``client`` is a DynamoDB client, ``sleep`` is there to be replaced. Reads are consistent,
    those of an index excepted."""

    name: str
    client: Any
    sleep: Callable[[float], None] = time.sleep

    # ---- reading

    def get(self, pk: str, sk: str) -> Item | None:
        """The item with this key, or None."""
        answer = self._call("get_item", TableName=self.name, Key=_raw(_key(pk, sk)), ConsistentRead=True)
        return _item(answer["Item"]) if "Item" in answer else None

    def get_all(self, pk: str, sks: Iterable[str]) -> Iterator[Item]:
        """The items of one partition with these sort keys that there are, in no order."""
        wanted = [_raw(_key(pk, sk)) for sk in dict.fromkeys(sks)]
        for start in range(0, len(wanted), READ_AT_ONCE):
            keys: Any = wanted[start : start + READ_AT_ONCE]
            while keys:
                request = {self.name: {"Keys": keys, "ConsistentRead": True}}
                answer = self._call("batch_get_item", RequestItems=request)
                yield from map(_item, answer["Responses"].get(self.name, ()))
                keys = answer.get("UnprocessedKeys", {}).get(self.name, {}).get("Keys")

    def query(
        self,
        where: Expression,
        *,
        only: Expression | None = None,
        index: str | None = None,
        limit: int | None = None,
        newest_first: bool = False,
    ) -> Iterator[Item]:
        """Every item of which the key expression ``where`` and the filter ``only`` hold, in the order of the sort key.
        ``limit`` is the size of a page, not of the whole."""
        start: Item | None = None
        while True:
            items, start = self.page(where, only=only, index=index, limit=limit, newest_first=newest_first, start=start)
            yield from items
            if start is None:
                return

    def page(
        self,
        where: Expression,
        *,
        only: Expression | None = None,
        index: str | None = None,
        limit: int | None = None,
        newest_first: bool = False,
        start: Item | None = None,
    ) -> ItemPage:
        """One page of :meth:`query`, after the key ``start``. A page that leads back to its own start is a failure:
        what comes after it would be taken for absent."""
        parameters: dict[str, Any] = {
            "TableName": self.name,
            "ConsistentRead": index is None,
            "ScanIndexForward": not newest_first,
            **({"IndexName": index} if index else {}),
            **({"Limit": limit} if limit else {}),
            **({"ExclusiveStartKey": _raw(start)} if start else {}),
            **_expressions(KeyConditionExpression=where, FilterExpression=only),
        }
        answer = self._call("query", **parameters)
        last = _item(answer["LastEvaluatedKey"]) if answer.get("LastEvaluatedKey") else None
        if last is not None and last == start:
            raise LedgerFailed(self._unusable("a query gave the key of its next page twice"))
        return ItemPage([_item(item) for item in answer["Items"]], last)

    # ---- writing: each says whether its condition held; where it did not, nothing was written

    def put(self, item: Item, only_if: Expression | None = None) -> bool:
        """Writes an item in the place of the one with its key. False when the condition did not hold."""
        return self._written("put_item", **self._put(item, only_if)) is not None

    def put_all(self, writes: Iterable[Write]) -> list[Written]:
        """Writes each item of which the condition holds, many in one transaction, and says of each how it went. What a
        transaction does not take, for whatever reason, is written item by item."""
        outcomes: list[Written] = []
        left = iter(writes)
        while puts := [self._put(*write) for write in islice(left, WRITTEN_AT_ONCE)]:
            if len(puts) > 1 and self._together(puts):
                outcomes += [Written.DONE] * len(puts)
            else:
                outcomes += map(self._alone, puts)
        return outcomes

    def _together(self, puts: Sequence[dict[str, Any]]) -> bool:
        try:
            self._call("transact_write_items", TransactItems=[{"Put": put} for put in puts])
        except LedgerFailed:
            return False
        return True

    def _alone(self, put: dict[str, Any]) -> Written:
        try:
            self._patiently("put_item", **put, ReturnValuesOnConditionCheckFailure="ALL_OLD")
        except ConditionFailed as error:
            # Found as it was to be written, it is the own write, of which the answer was lost.
            return Written.DONE if error.stored == _item(put["Item"]) else Written.LOST
        except RequestRefused as error:
            log.error("an item is not written: %s", error)
            return Written.REFUSED
        return Written.DONE

    def put_pieces(self, pk: str, prefix: str, bodies: Sequence[str | bytes], **attributes: Any) -> None:
        """Writes the bodies, each with the attributes, under sort keys that begin with ``prefix``. Pieces left over
        from a longer writing before stay, and :func:`chalicelib.ledger.pieces.whole` does not look at them."""
        for number, body in enumerate(bodies):
            key = _key(pk, f"{prefix}{number:04}")
            self.put({**key, "pieces": len(bodies), "body": body, **attributes})

    def update(self, pk: str, sk: str, change: Expression, only_if: Expression | None = None) -> Item | None:
        """Changes an item, or makes it. The item as it is now, or None when the condition did not hold."""
        answer = self._written(
            "update_item",
            TableName=self.name,
            Key=_raw(_key(pk, sk)),
            ReturnValues="ALL_NEW",
            **_expressions(UpdateExpression=change, ConditionExpression=only_if),
        )
        return _item(answer.get("Attributes", {})) if answer is not None else None

    def _put(self, item: Item, only_if: Expression | None) -> dict[str, Any]:
        return {"TableName": self.name, "Item": _raw(item), **_expressions(ConditionExpression=only_if)}

    # ---- calling

    def _written(self, operation: str, **parameters: Any) -> dict[str, Any] | None:
        """The answer to a write, or None when its condition did not hold."""
        try:
            return self._patiently(operation, **parameters)
        except ConditionFailed:
            return None

    def _patiently(self, operation: str, **parameters: Any) -> dict[str, Any]:
        """The answer to a write, which waits for the transactions of others on its item."""
        for attempt in range(CONFLICT_ATTEMPTS - 1):
            try:
                return self._call(operation, **parameters)
            except _Conflict:
                self.sleep(CONFLICT_PAUSE * 2**attempt)
        return self._call(operation, **parameters)

    def _call(self, operation: str, **parameters: Any) -> dict[str, Any]:
        try:
            answer: dict[str, Any] = getattr(self.client, operation)(**parameters)
        except ClientError as error:
            failure = _failure(error.response["Error"]["Code"])(self._unusable(error))
            if isinstance(failure, ConditionFailed) and "Item" in error.response:
                failure.stored = _item(error.response["Item"])
            raise failure from error
        except (BotoCoreError, ValueError) as error:  # ValueError: what came is no answer
            raise LedgerFailed(self._unusable(error)) from error
        return answer

    def _unusable(self, reason: object) -> str:
        return f"the table {self.name} cannot be used: {reason}; AUDITOR_TABLE names it"


def client_of(session: Any, region: str) -> Any:
    """A client of DynamoDB that takes no answer for whole which is cut or something else. botocore reads such an answer
    as an empty one: an item would be absent, a write done."""
    client = session.client("dynamodb", region_name=region, config=CLIENT)
    client.meta.events.register("before-parse", _check_whole)
    return client


def _check_whole(response_dict: dict[str, Any], **_: Any) -> None:
    """Raises ValueError for the body of a success that is no JSON object. That of an error, which its status tells,
    becomes one."""
    try:
        body = json.loads(response_dict["body"])
    except ValueError:
        body = None
    if isinstance(body, dict):
        return
    if response_dict["status_code"] < 300:
        raise ValueError("the answer is no JSON object")
    response_dict["body"] = b"{}"


def _failure(code: str) -> type[LedgerFailed]:
    """What an error code of DynamoDB means."""
    return _MEANT.get(code, LedgerFailed)


def utc_now() -> datetime:
    return datetime.now(UTC)


def stamp(moment: datetime) -> str:
    """A moment that sorts as text, to the microsecond."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def parsed(text: str) -> datetime:
    """The moment of a :func:`stamp`."""
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)


def _key(pk: str, sk: str) -> dict[str, str]:
    return {"pk": pk, "sk": sk}


def _expressions(**expressions: Expression | None) -> dict[str, Any]:
    """The parameters of a call for these expressions, which share their names and values."""
    present = {parameter: expression for parameter, expression in expressions.items() if expression is not None}
    names = {f"#{name}": name for part in present.values() for name in re.findall(r"#(\w+)", part.text)}
    values = {f":{name}": value for part in present.values() for name, value in part.values.items()}
    return {
        **{parameter: expression.text for parameter, expression in present.items()},
        **({"ExpressionAttributeNames": names} if names else {}),
        **({"ExpressionAttributeValues": _raw(values)} if values else {}),
    }


def _raw(item: Item) -> dict[str, Any]:
    return {name: _stored(value) for name, value in item.items()}


def _item(raw: Item) -> dict[str, Any]:
    return {name: _native(_plain(value)) for name, value in raw.items()}


def _native(value: Any) -> Any:
    """What boto3 made of a value as Python has it: whole numbers as int, binary as bytes, and those within others."""
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else value
    if isinstance(value, Binary):
        return bytes(value)
    if isinstance(value, set | list):
        return type(value)(map(_native, value))
    if isinstance(value, dict):
        return {name: _native(inner) for name, inner in value.items()}
    return value
