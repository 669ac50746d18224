"""Endpoint configs remembered in the ledger's table, across cold starts: one blob an account and region, in pieces."""

import logging
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.inventory.cached import packed, unpacked
from chalicelib.inventory.remembered import Configs

log = logging.getLogger(__name__)

#: DynamoDB takes 400 kB an item.
PIECE = 350_000
KEPT_DAYS = 90


@dataclass(frozen=True, slots=True)
class TableMemory:
    """The memory in ``table``. Pieces carry the id of their writing, so that two writers never mix."""

    table: str
    client: Any

    def recall(self, account: str, region: str) -> Configs:
        """What the table holds; nothing while its pieces are of different writings."""
        pieces: list[dict[str, Any]] = []
        start: dict[str, Any] = {}
        try:
            while True:
                answer = self.client.query(
                    TableName=self.table,
                    KeyConditionExpression="pk = :pk",
                    ExpressionAttributeValues={":pk": {"S": _key(account, region)}},
                    **start,
                )
                pieces += answer["Items"]
                if "LastEvaluatedKey" not in answer:
                    break
                start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}
            if not pieces:
                return {}
            number, writing = int(pieces[0]["pieces"]["N"]), pieces[0]["writing"]
            whole = pieces[:number]
            if len(whole) < number or any(one["writing"] != writing for one in whole):
                return {}
            return unpacked(b"".join(one["body"]["B"] for one in whole))
        except (ClientError, BotoCoreError, KeyError, ValueError) as error:
            log.warning("nothing is remembered of %s in %s: %s", region, account, error)
            return {}

    def keep(self, account: str, region: str, configs: Configs) -> None:
        """Writes the pieces; those left over from a longer writing before are not looked at."""
        blob, writing = packed(configs), uuid.uuid4().hex
        pieces = [blob[start : start + PIECE] for start in range(0, len(blob), PIECE)]
        expires = int((datetime.now(UTC) + timedelta(days=KEPT_DAYS)).timestamp())
        try:
            for number, piece in enumerate(pieces):
                self.client.put_item(
                    TableName=self.table,
                    Item={
                        "pk": {"S": _key(account, region)},
                        "sk": {"S": f"{number:04}"},
                        "pieces": {"N": str(len(pieces))},
                        "writing": {"S": writing},
                        "body": {"B": piece},
                        "expires": {"N": str(expires)},
                    },
                )
        except (ClientError, BotoCoreError) as error:
            log.warning("the endpoint configs of %s in %s are not remembered: %s", region, account, error)


def _key(account: str, region: str) -> str:
    return f"remembered#{account}#{region}"
