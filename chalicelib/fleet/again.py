"""What an event finds in the middle of a change is asked about again, by a delayed message on the queue of the parts.

No native event tells when an inference component has been made, and an endpoint's next one may be hours away. So that
the answer is told in minutes, and not by the next sweep, the message names the resource, and whoever receives it audits
it as an event would. Where a table remembers it, one message is under way for a resource at a time, however many events
there were and however often each was delivered.
"""

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from msgspec import Struct

from chalicelib.fleet.asked import AGAIN_KIND, MOST_ATTEMPTS
from chalicelib.fleet.queue import NotQueued, Queue
from chalicelib.inventory.facts import Fact
from chalicelib.inventory.kinds.components import InferenceComponent
from chalicelib.inventory.kinds.configs import IN_TRANSITION, plain
from chalicelib.inventory.kinds.endpoints import Endpoint
from chalicelib.ledger.again import Pending
from chalicelib.ledger.table import LedgerFailed, utc_now
from chalicelib.report.outcomes import Outcome
from chalicelib.rules import Rule
from chalicelib.scope import ResourceRef, Scope

log = logging.getLogger(__name__)


@dataclass
class Moving:
    """The witness of an audit for an event: keeps which of the named resources are in the middle of a change."""

    scope: Scope
    resources: set[ResourceRef] = field(default_factory=set)

    def __call__(self, rule: Rule, subject: Fact, outcome: Outcome) -> None:
        if not isinstance(subject, Endpoint | InferenceComponent):
            return
        resource = ResourceRef(subject.kind, subject.name)
        if resource in self.scope.resources and plain(subject.known("status") or "") in IN_TRANSITION:
            self.resources.add(resource)


class AskingAgain(Struct, frozen=True):
    """Who sends the messages: to this queue, for so many minutes later; ``pending`` is None where nothing remembers
    them."""

    queue: Queue
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
            "kind": AGAIN_KIND,
            "account": scope.account,
            "region": scope.region,
            "resource": arn,
            "attempt": attempt,
        }
        try:
            self.queue.send(body, self.minutes)
        except NotQueued as error:
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
