"""DynamoDB: transactions of puts without a copy of the whole table, which moto makes to be able to go back."""

from __future__ import annotations

from typing import Any

from moto.dynamodb.comparisons import get_filter_expression
from moto.dynamodb.exceptions import ConditionalCheckFailed, TransactionCanceledException
from moto.dynamodb.models import DynamoDBBackend

_in_motos_way = DynamoDBBackend.transact_write_items


def _key(backend: DynamoDBBackend, put: dict[str, Any]) -> dict[str, Any]:
    table = backend.get_table(put["TableName"])
    names = [table.hash_key_attr, *([table.range_key_attr] if table.range_key_attr else [])]
    return {name: put["Item"][name] for name in names}


def _lost(backend: DynamoDBBackend, put: dict[str, Any]) -> bool:
    if (condition := put.get("ConditionExpression")) is None:
        return False
    names, values = put.get("ExpressionAttributeNames"), put.get("ExpressionAttributeValues")
    current = backend.get_item(put["TableName"], _key(backend, put))
    return not get_filter_expression(condition, names, values).expr(current)


def transact_write_items(backend: DynamoDBBackend, transact_items: list[dict[str, Any]]) -> None:
    """All puts or none. Other transactions, and those that put one item twice, are moto's."""
    puts = [item["Put"] for item in transact_items if item.keys() == {"Put"}]
    keys = {(put["TableName"], str(_key(backend, put))) for put in puts}
    if len(keys) != len(transact_items):
        _in_motos_way(backend, transact_items)
        return
    lost = [_lost(backend, put) for put in puts]
    if any(lost):
        refused = ("ConditionalCheckFailed", str(ConditionalCheckFailed().message), None)
        raise TransactionCanceledException([refused if failed else (None, None, None) for failed in lost])
    before = [backend.get_item(put["TableName"], _key(backend, put)) for put in puts]
    for number, put in enumerate(puts):
        try:
            backend.put_item(put["TableName"], put["Item"])
        except Exception:
            for written, item in zip(puts[:number], before, strict=False):
                if item is None:
                    backend.delete_item(written["TableName"], _key(backend, written), None, None, None)
                else:
                    backend.put_item(written["TableName"], item.to_json()["Attributes"])
            raise


def install() -> None:
    """Puts the operation in the place of moto's."""
    DynamoDBBackend.transact_write_items = transact_write_items  # type: ignore[assignment, method-assign]
