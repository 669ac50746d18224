"""Deaths of the process at each AWS call, for every trigger: nothing is lost, and nothing is told more than twice.

A trial audits an account of the emulator, and the process dies before its n-th call; the next attempt is a new process,
which knows only what the table holds. ``python -m tests.crashes`` tries all of them and prints a line of figures; a
part, drawn by a seed, is in the suite.
"""

import argparse
import os
import random
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import boto3

from chalicelib.ledger.table import TABLE, Expression, ItemTable, utc_now
from chalicelib.notices.channels import Deliver
from chalicelib.notices.notice import Notice
from chalicelib.report.findings import Report
from chalicelib.service import Service, run_id
from chalicelib.settings import Settings
from emulator.server import DEFAULT_ACCOUNT as ACCOUNT
from emulator.server import DEFAULT_REGION as REGION
from emulator.server import Emulator
from tests import once
from tests.service.test_audit import an_endpoint
from tests.unit.test_events import an_event

TABLE_NAME, NAME = "auditor-ledger", "alone"
SENDER = "auditor@example.org"
CHANGED = an_event("SageMaker Endpoint State Change", {"EndpointName": NAME, "EndpointStatus": "IN_SERVICE"})
#: Lambda gives an event whose invocation died again after this time.
RETRY = timedelta(seconds=60)
DAY = timedelta(days=1)

Trigger = Callable[[Service], object]


class Death(BaseException):
    """The process ends; nothing catches it."""


def on_event(service: Service) -> None:
    """An event about the endpoint."""
    service.on_event(CHANGED)


def scheduled(day: int) -> dict[str, str]:
    """The event of the daily audit."""
    return {"id": f"schedule-{day}", "account": ACCOUNT, "region": REGION}


def on_schedule(day: int) -> Trigger:
    """The daily audit of a day."""
    return lambda service: service.on_schedule(scheduled(day))


def run_of(day: int) -> str:
    """The id of the audit of a day."""
    return str(run_id(scheduled(day)))


@dataclass
class World:
    """An account with a ledger, and what its subscribers got: ``told`` by channel, finding and change, ``digests`` by
    channel and the id of their audit. The clock of the ledger moves when somebody waits."""

    emulator: Emulator
    channels: int
    late: timedelta = timedelta()
    told: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    digests: Counter[tuple[str, str]] = field(default_factory=Counter)
    calls: int = 0
    dies_at: int | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.emulator.reset()
        self.emulator.client("dynamodb").create_table(TableName=TABLE_NAME, **TABLE)
        topic = self.emulator.client("sns").create_topic(Name="auditor-findings")["TopicArn"]
        others = {"security_hub": True, "email_from": SENDER, "email_to": SENDER} if self.channels > 1 else {}
        self.settings = Settings(topic_arn=topic, table=TABLE_NAME, **others)
        if self.channels > 1:
            self.emulator.client("sesv2").create_email_identity(EmailIdentity=SENDER)
            self.emulator.client("securityhub").enable_security_hub()

    # ---- what happens in the account

    def endpoint(self) -> None:
        """An endpoint with findings, in service."""
        an_endpoint(self.emulator, NAME, count=1)

    def gone(self) -> None:
        """The endpoint is deleted."""
        self.emulator.client("sagemaker").delete_endpoint(EndpointName=NAME)

    # ---- processes

    def process(self) -> Service:
        """A new process of the auditor."""
        session = boto3.Session(region_name=REGION)
        session.events.register("before-call", self._before_call)
        service = Service(self.settings, session)
        ledger = service.ledger
        assert ledger is not None
        ledger.clock, ledger.sleep = self.now, self._sleep
        publisher = service.publisher
        recorded = {name: self._recorded(name, deliver) for name, deliver in publisher.channels.items()}
        service.__dict__["publisher"] = replace(publisher, channels=recorded)
        return service

    def run(self, trigger: Trigger, dies_at: int | None = None) -> int:
        """One invocation in a new process, which dies before its call with this number. Gives how many it made."""
        service = self.process()
        self.calls, self.dies_at = 0, dies_at
        try:
            trigger(service)
        except Death:
            pass
        finally:
            self.dies_at = None
        return self.calls

    def now(self) -> datetime:
        """The clock of the ledger."""
        return utc_now() + self.late

    def _sleep(self, seconds: float) -> None:
        self.late += timedelta(seconds=seconds)

    def _before_call(self, **_: Any) -> None:
        with self._lock:
            self.calls += 1
            if self.dies_at is not None and self.calls >= self.dies_at:
                raise Death

    def _recorded(self, name: str, deliver: Deliver) -> Deliver:
        def delivered(notice: Notice, report: Report) -> None:
            deliver(notice, report)
            if notice.kind == "digest":
                self.digests[name, notice.audit_id] += 1
            for change in notice.told:
                self.told[name, change.finding.id, change.change] += 1

        return delivered

    # ---- what must hold

    def debts(self) -> list[str]:
        """The findings that the ledger still owes to a channel, or of which it says that somebody is telling them."""
        table = ItemTable(TABLE_NAME, self.emulator.client("dynamodb"))
        items = table.query(Expression("pk = :pk", pk=f"{ACCOUNT}#{REGION}"))
        return [item["sk"] for item in items if "owed" in item or "claimed" in item]

    @property
    def channel_names(self) -> list[str]:
        """The channels that are switched on, in the order in which they are told."""
        return ["sns", "security-hub", "email"][: self.channels]


@dataclass(frozen=True, slots=True)
class Story:
    """The invocation that dies (``dying``), and those that come ``after`` it, each so much later.

    ``change`` is what every channel is to hear of each finding of the endpoint; with ``resolved`` an event has told
    them, and the endpoint is deleted, before; with no change there is no endpoint. ``digests`` are the days of which
    every channel is to get the digest: those whose last invocation does not die.
    """

    name: str
    dying: Trigger
    after: tuple[tuple[timedelta, Trigger], ...]
    digests: tuple[int, ...]
    change: str = "new"


#: How many channels there are: the topic, or Security Hub and e-mail as well.
CHANNELS = (1, 3)
FIRST, SECOND = on_schedule(1), on_schedule(2)
STORIES = (
    Story("event, new", on_event, ((RETRY, on_event), (2 * RETRY, on_event), (DAY, FIRST)), (1,)),
    Story("event, new, never again", on_event, ((DAY, FIRST), (DAY, SECOND)), (1, 2)),
    Story("event, resolved", on_event, ((RETRY, on_event), (DAY, FIRST)), (1,), "resolved"),
    Story("event, resolved, never again", on_event, ((DAY, FIRST), (DAY, SECOND)), (1, 2), "resolved"),
    Story("sweep", FIRST, ((RETRY, FIRST), (DAY, SECOND)), (1, 2)),
    Story("sweep, never again", FIRST, ((DAY, SECOND),), (2,)),
    Story("sweep, clean", FIRST, ((RETRY, FIRST), (DAY, SECOND)), (1, 2), ""),
    Story("sweep, clean, never again", FIRST, ((DAY, SECOND),), (2,), ""),
    Story("schedule twice", FIRST, ((timedelta(), FIRST), (RETRY, FIRST)), (1,)),
)


def trial(emulator: Emulator, story: Story, channels: int, dies_at: int | None) -> tuple[int, list[str]]:
    """The calls of the invocation that was to die, and what did not hold."""
    world = World(emulator, channels)
    if story.change:
        world.endpoint()
    if story.change == "resolved":
        world.run(on_event)
        world.gone()
    calls = world.run(story.dying, dies_at)
    for later, trigger in story.after:
        world.late += later
        world.run(trigger)
    return calls, list(_faults(world, story, most=1 if dies_at is None else 2))


def _faults(world: World, story: Story, most: int) -> Iterator[str]:
    """What does not hold of: everything is told to every channel, nothing more than ``most`` times, and nothing is
    owed in the end."""
    ids = {id for _, id, _ in world.told}
    if story.change and not ids:
        yield "nothing was told at all"
    for channel in world.channel_names:
        for id in ids:
            if not 1 <= (times := world.told[channel, id, story.change]) <= most:
                yield f"{channel} heard {times} times that {id} is {story.change}"
        for day in story.digests:
            if not 1 <= (times := world.digests[channel, run_of(day)]) <= most:
                yield f"{channel} got the digest of day {day} {times} times"
    for (channel, id, change), times in world.told.items():
        if times > most:
            yield f"{channel} heard {times} times that {id} is {change}"
    for (channel, audit), times in world.digests.items():
        if times > most:
            yield f"{channel} got the digest {audit} {times} times"
    if debts := world.debts():
        yield f"the ledger is not settled: {debts}"


#: A trial: a story, the number of its channels, and the call before which it dies (None: it does not).
Trial = tuple[Story, int, int | None]


def drawn(emulator: Emulator, seed: int, number: int) -> Iterator[tuple[Trial, list[str]]]:
    """So many stories without a death, each then with one while it tells, and what did not hold."""
    draw = random.Random(seed)
    for story, channels in draw.sample([(story, channels) for story in STORIES for channels in CHANNELS], number):
        calls, faults = trial(emulator, story, channels, None)
        yield (story, channels, None), faults
        dies_at = draw.randint(calls // 2, calls)  # the first half reads the account
        yield (story, channels, dies_at), trial(emulator, story, channels, dies_at)[1]


def main() -> int:
    """Tries all deaths of the stories that are asked for; prints what did not hold, and a line of figures for each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--story", help="only those with this in their name")
    options = parser.parse_args()
    once.share()
    failed = 0
    with Emulator() as emulator:
        os.environ.update(emulator.environment())
        for story in STORIES:
            for channels in CHANNELS if (options.story or "") in story.name else ():
                failed += _all_of(emulator, story, channels)
    return 1 if failed else 0


def _all_of(emulator: Emulator, story: Story, channels: int) -> int:
    """How often something did not hold when a story dies at each of its calls, and when it does not die."""
    calls, faults = trial(emulator, story, channels, None)
    found = {None: faults} | {dies_at: trial(emulator, story, channels, dies_at)[1] for dies_at in range(1, calls + 1)}
    for dies_at, faults in found.items():
        for fault in faults:
            print(f"{story.name}, {channels} channels, death at call {dies_at}: {fault}")
    failed = sum(1 for faults in found.values() if faults)
    print(f"{story.name}, {channels} channels: {calls} deaths, {failed} after which something did not hold", flush=True)
    return failed


if __name__ == "__main__":
    sys.exit(main())
