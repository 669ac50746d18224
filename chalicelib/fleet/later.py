"""Audits of named resources that another invocation makes: later, while something changes, or with the role of a
member, which the functions of events may not assume. They travel as messages on the queue of parts.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from chalicelib.inventory.facts import Fact
from chalicelib.inventory.kinds.components import InferenceComponent
from chalicelib.inventory.kinds.configs import plain
from chalicelib.inventory.kinds.endpoints import Endpoint, Variant
from chalicelib.kinds import KINDS
from chalicelib.report.outcomes import Outcome
from chalicelib.rules import Rule
from chalicelib.scope import ResourceRef, Scope, partition_of

MESSAGE_KIND = "audit-event"
#: How often what is in the middle of a change is looked at again.
MOST_TRIES = 6
#: The longest that SQS keeps a message back, in seconds.
LONGEST_DELAY = 900
#: States that end by themselves, as :func:`plain` writes them.
TRANSITIONS = frozenset({"creating", "updating", "systemupdating", "rollingback", "deleting"})


@dataclass
class Transitions:
    """The witness of an audit: what it found in the middle of a change."""

    found: set[ResourceRef] = field(default_factory=set)

    def __call__(self, rule: Rule, subject: Fact, outcome: Outcome) -> None:
        if isinstance(subject, Endpoint | InferenceComponent):
            status, ref = subject.shown("status"), ResourceRef(subject.kind, subject.name)
        elif isinstance(subject, Variant):
            status, ref = subject.shown("endpoint_status"), ResourceRef("endpoint", subject.endpoint_name)
        else:
            return
        if plain(str(status or "")) in TRANSITIONS:
            self.found.add(ref)


@dataclass(frozen=True, slots=True)
class Asked:
    """A scope about named resources, and how often it was looked at for their change."""

    scope: Scope
    tries: int = 0

    def message(self) -> str:
        """The body of its message."""
        scope = self.scope
        return json.dumps(
            {
                "kind": MESSAGE_KIND,
                "account": scope.account,
                "region": scope.region,
                "resources": [[ref.kind, ref.name] for ref in scope.resources],
                "hints": sorted(map(list, scope.hints)),
                "tries": self.tries,
            }
        )


def asked_in(record: Any) -> Asked | None:
    """What a record of SQS asks to be audited; None for one that asks for something else, such as a part of a run."""
    try:
        body = json.loads(record["body"])
        if body["kind"] != MESSAGE_KIND:
            return None
        account, region = str(body["account"]), str(body["region"])
        resources = tuple(ResourceRef(str(kind), str(name)) for kind, name in body["resources"])
        hints = frozenset((str(kind), str(name)) for kind, name in body["hints"])
        scope = Scope(account, region, partition_of(region), resources=resources, hints=hints)
        return Asked(scope, int(body["tries"])) if resources and _known(resources) else None
    except (KeyError, TypeError, ValueError):
        return None


def told_apart(event: Any) -> tuple[list[Any], list[tuple[str, Asked]]]:
    """The records of an SQS event that are parts of runs, or nothing; and what the others ask, by the message's id."""
    records = event.get("Records") if isinstance(event, Mapping) else None
    parts, named = [], []
    for record in records if isinstance(records, list) else ():
        asked = asked_in(record)
        if asked is None:
            parts.append(record)
        else:
            named.append((str(record.get("messageId", "")), asked))
    return parts, named


def _known(resources: tuple[ResourceRef, ...]) -> bool:
    return all(ref.kind in KINDS or ref.kind == "alarm" for ref in resources)


@dataclass(frozen=True, slots=True)
class Later:
    """The queue (AUDITOR_QUEUE_URL); ``client`` is boto3's ``sqs`` in its region."""

    url: str
    client: Any

    def put(self, asked: Asked, seconds: int = 0) -> None:
        """Has it audited in so many seconds, at most :data:`LONGEST_DELAY`."""
        delay = min(seconds, LONGEST_DELAY)
        self.client.send_message(QueueUrl=self.url, MessageBody=asked.message(), DelaySeconds=delay)
