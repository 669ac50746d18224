"""What an event finds in the middle of a change is asked about again, by a delayed message on the queue of the parts.

No native event tells when an inference component has been made, and an endpoint's next one may be hours away. So that
the answer is told in minutes, and not by the next sweep, the message names the resource, and whoever receives it audits
it as an event would. Where a table remembers it, one message is under way for a resource at a time, however many events
there were and however often each was delivered.
"""

import json
import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.errors import InvalidInput
from chalicelib.inventory.facts import Fact
from chalicelib.inventory.kinds.components import InferenceComponent
from chalicelib.inventory.kinds.configs import IN_TRANSITION, plain
from chalicelib.inventory.kinds.endpoints import Endpoint
from chalicelib.ledger.again import Pending
from chalicelib.ledger.table import CLIENT, LedgerFailed, utc_now
from chalicelib.report import telemetry
from chalicelib.report.outcomes import Outcome
from chalicelib.rules import Rule
from chalicelib.scope import ResourceRef, Scope, parse_resource, partition_of

log = logging.getLogger(__name__)

MESSAGE_KIND = "audit-again"
#: How often an event's resource is asked about again.
MOST_ATTEMPTS = 6
_ACCEPTED = '{"kind": "audit-again", "account": …, "region": …, "resource": ARN, "attempt": 1 to 6}'


@dataclass(frozen=True, slots=True)
class Again:
    """A resource to be asked about again, for the ``attempt``-th time."""

    scope: Scope
    attempt: int


def told_apart(event: Any) -> tuple[list[Mapping[str, Any]], dict[str, Any]]:
    """The messages of an SQS event that ask for a resource to be audited again, and an event with the others."""
    records = event.get("Records") if isinstance(event, Mapping) else None
    listed = records if isinstance(records, list) else []
    asked = [record for record in listed if _body(record).get("kind") == MESSAGE_KIND]
    return asked, {"Records": [record for record in listed if record not in asked]}


def failures(records: Iterable[Mapping[str, Any]], audit: Callable[[Again], None]) -> list[dict[str, str]]:
    """Has each resource audited. Answers the messages for which that failed, so that the queue gives them again; one
    that cannot be understood, or names what is not audited here, is logged, counted and dropped."""
    failed = []
    for record in records:
        id = str(record.get("messageId", ""))
        try:
            audit(again_in(record))
        except InvalidInput as error:
            telemetry.dropped(id, str(error))
        except Exception:  # the queue gives it again, or keeps it as a dead letter
            log.exception("asking again failed, message %s", id)
            failed.append({"itemIdentifier": id})
    return failed


def again_in(record: Any) -> Again:
    """What a message asks for. Raises InvalidInput where it cannot be understood."""
    body = _body(record)
    account, region, arn, attempt = (body.get(key) for key in ("account", "region", "resource", "attempt"))
    if not (isinstance(account, str) and isinstance(region, str) and isinstance(arn, str)):
        raise InvalidInput(f"the message names no resource; accepted is {_ACCEPTED}")
    if isinstance(attempt, bool) or not isinstance(attempt, int) or not 1 <= attempt <= MOST_ATTEMPTS:
        raise InvalidInput(f"the message tells no attempt; accepted is {_ACCEPTED}")
    resource = parse_resource(arn, account=account, region=region)
    return Again(Scope(account, region, partition_of(region), resources=(resource,)), attempt)


def _body(record: Any) -> Mapping[str, Any]:
    try:
        body = json.loads(record["body"])
    except (KeyError, TypeError, ValueError):
        return {}
    return body if isinstance(body, Mapping) else {}


@dataclass
class Moving:
    """The witness of an audit for an event: keeps which of the named resources are in the middle of a change."""

    scope: Scope
    found: set[ResourceRef] = field(default_factory=set)

    def __call__(self, rule: Rule, subject: Fact, outcome: Outcome) -> None:
        if not isinstance(subject, Endpoint | InferenceComponent):
            return
        resource = ResourceRef(subject.kind, subject.name)
        if resource in self.scope.resources and plain(subject.known("status") or "") in IN_TRANSITION:
            self.found.add(resource)


@dataclass(frozen=True, slots=True)
class AskingAgain:
    """Who sends the messages: to this queue, for so many minutes later; ``pending`` is None where nothing remembers
    them."""

    session: boto3.Session
    region: str
    queue_url: str
    minutes: int
    pending: Pending | None = None
    clock: Callable[[], datetime] = utc_now

    def ask(self, scope: Scope, resources: Iterable[ResourceRef], attempt: int) -> int:
        """Has the resources audited again, for the ``attempt``-th time. How many messages were sent: none beyond the
        last attempt, nor where one is under way. A message that cannot be sent is logged, and fails nothing."""
        if attempt > MOST_ATTEMPTS:
            return 0
        return sum(self._ask(scope, scope.arn(resource), attempt) for resource in resources)

    def _ask(self, scope: Scope, arn: str, attempt: int) -> bool:
        until = self.clock() + timedelta(minutes=self.minutes)
        try:
            if self.pending is not None and not self.pending.claim(arn, until):
                return False
        except LedgerFailed as error:
            log.warning("%s is not asked about again: %s", arn, error)
            return False
        body = {
            "kind": MESSAGE_KIND,
            "account": scope.account,
            "region": scope.region,
            "resource": arn,
            "attempt": attempt,
        }
        sqs = self.session.client("sqs", region_name=self.region, config=CLIENT)
        try:
            sqs.send_message(QueueUrl=self.queue_url, MessageBody=json.dumps(body), DelaySeconds=self.minutes * 60)
        except (ClientError, BotoCoreError) as error:
            log.warning("%s is not asked about again: %s", arn, error)
            self._give_up(arn, until)
            return False
        return True

    def _give_up(self, arn: str, until: datetime) -> None:
        """Lets the next event ask, as no message is under way."""
        try:
            if self.pending is not None:
                self.pending.release(arn, until)
        except LedgerFailed as error:
            log.warning("the next event about %s asks in %s minutes at the earliest: %s", arn, self.minutes, error)
