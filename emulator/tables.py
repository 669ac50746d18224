"""Tables of DynamoDB whose calls cost what they touch. moto copies the whole table, deeply, for each item of a
transaction, and sorts all of it for each query, so that a ledger of some thousand items takes seconds a call.
"""

import copy
from collections import defaultdict
from typing import Any

from moto.dynamodb.models.table import Table

#: Where moto hands ``index_name`` to a query, counted from what follows the partition key.
INDEX_NAME = 6

_query = Table.query


def install() -> None:
    """Has tables copied and queried in this way from now on."""
    Table.__deepcopy__ = _copied  # type: ignore[attr-defined]
    Table.query = _queried  # type: ignore[method-assign, assignment]


def _copied(table: Table, memo: dict[int, Any]) -> Table:
    """What a transaction that fails goes back to. Puts and deletions put items in each other's places and change none,
    so that a copy of where the items stand is enough; only an update within a failing transaction would stay."""
    return _with(table, {key: _of(items) for key, items in table.items.items()})


def _queried(table: Table, hash_key: Any, *others: Any, **named: Any) -> Any:
    """The same answer, out of the items of the partition alone; an index is searched as moto does."""
    if hash_key is not None and len(others) > INDEX_NAME and others[INDEX_NAME] is None:
        partition = {hash_key: table.items[hash_key]} if hash_key in table.items else {}
        table = _with(table, partition)
    return _query(table, hash_key, *others, **named)


def _with(table: Table, items: dict[Any, Any]) -> Table:
    copied = copy.copy(table)
    copied.items = defaultdict(dict, items)
    return copied


def _of(items: Any) -> Any:
    """The items under a partition key by their sort key, or the one item of a table without sort keys."""
    return dict(items) if isinstance(items, dict) else items
