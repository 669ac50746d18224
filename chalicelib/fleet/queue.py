"""The one door to the queue of the parts: what is sent, what it knows of a message, and when it gives one again."""

import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError
from msgspec import Struct

from chalicelib.errors import AuditorError
from chalicelib.ledger.table import CLIENT

log = logging.getLogger(__name__)

#: What failed is given again after this many seconds, and twice as many.
AGAIN_SECONDS = 15
#: SQS takes this many messages a call.
MESSAGES_A_CALL = 10


class NotQueued(AuditorError):
    """The queue takes no message: it is not there, AWS refuses it, or cannot be reached."""


def attempts_of(record: Mapping[str, Any]) -> int:
    """How often the queue has given a message, this time included."""
    try:
        return int(record["attributes"]["ApproximateReceiveCount"])
    except (KeyError, TypeError, ValueError):
        return 1


class Queue(Struct, frozen=True):
    """The queue with this address, which lies in ``region``; its messages are JSON."""

    session: boto3.Session
    region: str
    url: str

    def send(self, body: Mapping[str, Any], minutes: int = 0) -> None:
        """Sends a message, to be given after so many ``minutes``. Raises NotQueued."""
        later = {"DelaySeconds": minutes * 60} if minutes else {}
        try:
            self._client.send_message(QueueUrl=self.url, MessageBody=json.dumps(body), **later)
        except (ClientError, BotoCoreError) as error:
            raise NotQueued(str(error)) from error

    def send_all(self, bodies: Sequence[Mapping[str, Any]]) -> Iterator[tuple[int, str]]:
        """Sends messages, ten a call, while the places of those that the queue refuses are read, each with its reason.
        Raises NotQueued where it takes none of a call."""
        client = self._client
        for start in range(0, len(bodies), MESSAGES_A_CALL):
            batch = enumerate(bodies[start : start + MESSAGES_A_CALL], start)
            entries = [{"Id": str(place), "MessageBody": json.dumps(body)} for place, body in batch]
            try:
                answer = client.send_message_batch(QueueUrl=self.url, Entries=entries)
            except (ClientError, BotoCoreError) as error:
                raise NotQueued(str(error)) from error
            for refused in answer.get("Failed", ()):
                yield int(refused["Id"]), str(refused.get("Message"))

    def soon_again(self, record: Mapping[str, Any]) -> None:
        """Lets the queue give a message that failed again soon; left alone it waits for the timeout of the function."""
        handle = record.get("receiptHandle")
        if not isinstance(handle, str):
            return
        seconds = AGAIN_SECONDS * attempts_of(record)
        try:
            self._client.change_message_visibility(QueueUrl=self.url, ReceiptHandle=handle, VisibilityTimeout=seconds)
        except (ClientError, BotoCoreError) as error:
            log.warning("a message that failed waits for its full timeout: %s", error)

    @property
    def _client(self) -> Any:
        return self.session.client("sqs", region_name=self.region, config=CLIENT)
