"""Audits of named resources that another invocation makes, by messages on the queue of the parts: of what is in the
middle of a change, some minutes later, and of what an event of a member account names, with the role of that account.

The functions of events may assume no role. What they cannot read themselves they hand over to the function that may, as
a message that names the resources; whoever receives it audits them as the event would have.
"""

import json
import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from msgspec import Struct

from chalicelib.errors import AccessFailed, InvalidInput
from chalicelib.fleet.queue import NotQueued, Queue
from chalicelib.kinds import KINDS
from chalicelib.report import telemetry
from chalicelib.scope import ResourceRef, Scope, parse_resource, partition_of

log = logging.getLogger(__name__)

#: A resource to be asked about again, and what an event of a member account names.
AGAIN_KIND, EVENT_KIND = "audit-again", "audit-event"
#: How often an event's resource is asked about again.
MOST_ATTEMPTS = 6
_AGAIN_ACCEPTED = '{"kind": "audit-again", "account": …, "region": …, "resource": ARN, "attempt": 1 to 6}'
_EVENT_ACCEPTED = (
    '{"kind": "audit-event", "event": …, "account": …, "region": …, "resources": [[KIND, NAME], …], '
    '"hints": [[HINT, RESOURCE ID], …]}'
)


class Asked(Struct, frozen=True):
    """Resources to be audited as for an event: the event itself (``attempt`` 0), or the ``attempt``-th time that it is
    asked about. ``event`` is the id of an event of a member account."""

    scope: Scope
    attempt: int = 0
    event: str = ""


def told_apart(event: Any) -> tuple[list[Mapping[str, Any]], dict[str, Any]]:
    """The messages of an SQS event that ask for named resources to be audited, and an event with the others."""
    records = event.get("Records") if isinstance(event, Mapping) else None
    listed = records if isinstance(records, list) else []
    asked = [record for record in listed if _body(record).get("kind") in (AGAIN_KIND, EVENT_KIND)]
    return asked, {"Records": [record for record in listed if record not in asked]}


def failures(
    records: Iterable[Mapping[str, Any]],
    audit: Callable[[Asked], None],
    soon_again: Callable[[Mapping[str, Any]], None] | None,
) -> list[dict[str, str]]:
    """Has each message's resources audited. Answers the messages for which that failed, so that the queue gives them
    ``soon_again``, and keeps those that fail for good as dead letters; one that cannot be understood, or names what is
    not audited here, is logged, counted and dropped."""
    failed = []
    for record in records:
        id = str(record.get("messageId", ""))
        try:
            audit(asked_in(record))
        except InvalidInput as error:
            telemetry.dropped(_body(record).get("event") or id, str(error))
        except Exception:
            log.exception("what was asked is not audited, message %s", id)
            if soon_again is not None:
                soon_again(record)
            failed.append({"itemIdentifier": id})
    return failed


def asked_in(record: Any) -> Asked:
    """What a message asks for. Raises InvalidInput where it cannot be understood."""
    body = _body(record)
    return _event_in(body) if body.get("kind") == EVENT_KIND else _again_in(body)


def _again_in(body: Mapping[str, Any]) -> Asked:
    account, region, arn, attempt = (body.get(key) for key in ("account", "region", "resource", "attempt"))
    if not (isinstance(account, str) and isinstance(region, str) and isinstance(arn, str)):
        raise InvalidInput(f"the message names no resource; accepted is {_AGAIN_ACCEPTED}")
    if isinstance(attempt, bool) or not isinstance(attempt, int) or not 1 <= attempt <= MOST_ATTEMPTS:
        raise InvalidInput(f"the message tells no attempt; accepted is {_AGAIN_ACCEPTED}")
    resource = parse_resource(arn, account=account, region=region)
    return Asked(Scope(account, region, partition_of(region), resources=(resource,)), attempt)


def _event_in(body: Mapping[str, Any]) -> Asked:
    account, region, event = (body.get(key) for key in ("account", "region", "event"))
    if not (isinstance(account, str) and isinstance(region, str) and isinstance(event, str)):
        raise InvalidInput(f"the message names no account; accepted is {_EVENT_ACCEPTED}")
    resources = tuple(ResourceRef(kind, name) for kind, name in _pairs(body.get("resources")))
    if not resources or any(resource.kind not in KINDS for resource in resources):
        raise InvalidInput(f"the message names no resource that can be audited; accepted is {_EVENT_ACCEPTED}")
    hints = frozenset(_pairs(body.get("hints")))
    return Asked(Scope(account, region, partition_of(region), resources=resources, hints=hints), event=event)


def _pairs(listed: Any) -> list[tuple[str, str]]:
    """The pairs of texts in a list of such. Raises InvalidInput for anything else."""
    pairs: list[Any] = listed if isinstance(listed, list) else [None]
    if not all(isinstance(pair, list) and len(pair) == 2 and all(map(_is_text, pair)) for pair in pairs):
        raise InvalidInput(f"the message holds no list of pairs; accepted is {_EVENT_ACCEPTED}")
    return [(first, second) for first, second in pairs]


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and value != ""


def _body(record: Any) -> Mapping[str, Any]:
    try:
        body = json.loads(record["body"])
    except (KeyError, TypeError, ValueError):
        return {}
    return body if isinstance(body, Mapping) else {}


def hand_over(queue: Queue, event: str, scope: Scope) -> None:
    """Has the resources of a scope audited by whoever may enter its account, as for the event with this id: by one
    message on this queue.

    Raises AccessFailed when the queue does not take the message, so that the event is delivered again.
    """
    body = {
        "kind": EVENT_KIND,
        "event": event,
        "account": scope.account,
        "region": scope.region,
        "resources": [[resource.kind, resource.name] for resource in scope.resources],
        "hints": sorted(list(hint) for hint in scope.hints),
    }
    try:
        queue.send(body)
    except NotQueued as error:
        raise AccessFailed(f"an event of {scope.account} cannot be handed over: {error}") from error
