"""What the queue of the parts knows of a message, and when it gives one again."""

import logging
from collections.abc import Mapping
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.ledger.table import CLIENT

log = logging.getLogger(__name__)

#: What failed is given again after this many seconds, and twice as many.
AGAIN_SECONDS = 15


def attempts_of(record: Mapping[str, Any]) -> int:
    """How often the queue has given a message, this time included."""
    try:
        return int(record["attributes"]["ApproximateReceiveCount"])
    except (KeyError, TypeError, ValueError):
        return 1


def soon_again(session: boto3.Session, region: str, queue_url: str | None, record: Mapping[str, Any]) -> None:
    """Lets the queue give a message that failed again soon; left alone it waits for the timeout of the function."""
    handle = record.get("receiptHandle")
    if not isinstance(handle, str) or queue_url is None:
        return
    sqs = session.client("sqs", region_name=region, config=CLIENT)
    seconds = AGAIN_SECONDS * attempts_of(record)
    try:
        sqs.change_message_visibility(QueueUrl=queue_url, ReceiptHandle=handle, VisibilityTimeout=seconds)
    except (ClientError, BotoCoreError) as error:
        log.warning("a message that failed waits for its full timeout: %s", error)
