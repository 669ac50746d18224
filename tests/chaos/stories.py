"""What happens around an invocation that comes to harm, and what must hold in the end."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta

from emulator.server import Emulator
from tests.chaos.outcome import Outcome
from tests.chaos.world import (
    RETRY,
    UNHARMED,
    Harm,
    Trigger,
    World,
    on_event,
    on_part,
    on_request,
    on_schedule,
    run_of,
)

#: How many channels there are: the topic, or Security Hub, e-mail and a bus as well.
CHANNELS = (1, 4)
DAYS, REQUESTED = (1, 2, 3), "of the request"
DAY = timedelta(days=1)
FIRST, SECOND = on_schedule(1), on_schedule(2)
#: Whoever works the parts of a run until none is left: two parts, each given three times at most.
PARTS = ((RETRY, on_part),) * 6
Step = tuple[timedelta, Trigger]


def nothing(world: World) -> None:
    """An empty account."""


def an_endpoint(world: World) -> None:
    """An endpoint with findings, of which nobody knows."""
    world.endpoint()


def a_known_endpoint(world: World) -> None:
    """An endpoint whose findings are told."""
    world.endpoint()
    world.run(on_event)
    world.deliveries.clear()
    world.digests.clear()


def gone(world: World) -> None:
    """An endpoint whose findings are told, and which is deleted since."""
    a_known_endpoint(world)
    world.gone()


def begun(world: World) -> None:
    """A run whose first part is worked."""
    world.endpoint()
    world.run(FIRST)
    world.run(on_part)


def lost_parts(world: World) -> None:
    """A run of which one part never came."""
    world.endpoint()
    world.run(FIRST)
    world.messages().popleft()


@dataclass(frozen=True, slots=True)
class Story:
    """The invocation that comes to harm (``harmed``), given ``again`` at these times as long as it does not come to its
    end, and what comes ``later`` whatever happened.

    ``change`` is what every channel is to hear of each finding of the endpoint; nothing where they have heard all.
    ``again_always``: it is given again though it came to its end, as twice is possible.
    """

    name: str
    prepared: Callable[[World], None]
    harmed: Trigger
    again: tuple[timedelta, ...]
    later: tuple[Step, ...]
    change: str = "new"
    fleet: bool = False
    again_always: bool = False

    @property
    def endpoint_is_there(self) -> bool:
        """True where nothing may resolve."""
        return self.change != "resolved"


TWICE = (RETRY, 2 * RETRY)
STORIES = (
    Story("event, new", an_endpoint, on_event, TWICE, ((DAY, FIRST),)),
    Story("event, new, never again", an_endpoint, on_event, (), ((DAY, FIRST), (DAY, SECOND))),
    Story("event, known", a_known_endpoint, on_event, TWICE, ((DAY, FIRST),), ""),
    Story("event, resolved", gone, on_event, TWICE, ((DAY, FIRST),), "resolved"),
    Story("event, resolved, never again", gone, on_event, (), ((DAY, FIRST), (DAY, SECOND)), "resolved"),
    Story("sweep, new", an_endpoint, FIRST, TWICE, ((DAY, SECOND),)),
    Story("sweep, new, never again", an_endpoint, FIRST, (), ((DAY, SECOND),)),
    Story("sweep, known", a_known_endpoint, FIRST, TWICE, ((DAY, SECOND),), ""),
    Story("sweep, resolved", gone, FIRST, TWICE, ((DAY, SECOND),), "resolved"),
    Story("sweep, clean", nothing, FIRST, TWICE, ((DAY, SECOND),), ""),
    Story("sweep, clean, never again", nothing, FIRST, (), ((DAY, SECOND),), ""),
    Story("schedule twice", an_endpoint, FIRST, (timedelta(), RETRY), ((DAY, SECOND),), again_always=True),
    Story("request", an_endpoint, on_request, (RETRY,), ((DAY, FIRST),)),
    Story("run", an_endpoint, FIRST, TWICE, (*PARTS, (DAY, SECOND), *PARTS), fleet=True),
    Story("run, never again", an_endpoint, FIRST, (), (*PARTS, (DAY, SECOND), *PARTS), fleet=True),
    Story("part", begun, on_part, TWICE, ((DAY, SECOND), *PARTS), fleet=True),
    Story("stale run", lost_parts, SECOND, TWICE, (*PARTS, (DAY, on_schedule(3)), *PARTS), fleet=True),
)


@dataclass(frozen=True, slots=True)
class Told:
    """A story to its end: how the world is, and what the invocation that was to come to harm had called."""

    world: World
    calls: int
    table_calls: dict[str, int]
    finished: bool


def lived(emulator: Emulator, story: Story, channels: int, harm: Harm = UNHARMED, *, lasting: bool = False) -> Told:
    """A story as it goes when its invocation comes to this harm; ``lasting``: each time that it is given again, too."""
    world = World(emulator, channels, story.fleet)
    story.prepared(world)
    if story.fleet and story.harmed is SECOND:
        world.late += DAY
    world.failed = 0
    done = world.run(story.harmed, harm)
    calls, table_calls = world.calls, dict(world.table_calls)
    for later in story.again:
        if done and not story.again_always:
            break
        world.late += later
        done = world.run(story.harmed, harm if lasting else UNHARMED)
    for later, trigger in story.later:
        world.late += later
        world.run(trigger)
    return Told(world, calls, table_calls, done)


def judged(story: Story, life: Told, sound: Told) -> Outcome:
    """What does not hold of: every finding is told to every channel, not more often than invocations failed and once
    more, nothing resolves that is there, and nothing is owed in the end. ``sound`` is the story without harm."""
    world = life.world
    most = world.failed + 1
    return Outcome(
        list(world.ended),
        list(_too_often(world, most)),
        list(_falsely_resolved(story, world)),
        list(_lost(story, world, sound.world, life.finished)),
    )


def _too_often(world: World, most: int) -> Iterator[str]:
    for (channel, id, change), times in world.deliveries.items():
        if times > most:
            yield f"{channel} heard {times} times that {id} is {change}"
    for (channel, audit), times in world.digests.items():
        if times > most:
            yield f"{channel} got the digest {audit} {times} times"


def _falsely_resolved(story: Story, world: World) -> Iterator[str]:
    if not story.endpoint_is_there:
        return
    for channel, id, change in world.deliveries:
        if change in ("resolved", "back"):
            yield f"{channel} heard that {id} is {change}"
    for item in world.items():
        if item["status"] == "resolved":
            yield f"{item['sk']} is resolved in the ledger"


def _lost(story: Story, world: World, sound: World, finished: bool) -> Iterator[str]:
    expected = {id for _, id, change in sound.deliveries if change == story.change}
    if story.change and not expected:
        yield "nothing was told at all"
    for channel in world.channel_names:
        for id in expected:
            if not world.deliveries[channel, id, story.change]:
                yield f"{channel} never heard that {id} is {story.change}"
        for digest in _certain(story, finished):
            if not any(world.digests[channel, audit] for audit in _audits(world, digest)):
                yield f"{channel} never got the digest {digest}"
    open_still = {item["sk"] for item in world.items() if item["status"] == "open"}
    if not story.endpoint_is_there and open_still:
        yield f"open in the ledger, though gone: {sorted(open_still)}"
    if debts := world.debts():
        yield f"the ledger is not settled: {debts}"


def _certain(story: Story, finished: bool) -> set[str]:
    """The digests that must have come: of audits that came to their end. Nobody knows the id of a request before."""
    triggers = [trigger for _, trigger in story.later] + ([story.harmed] if finished else [])
    certain = {run_of(day) for day in DAYS if on_schedule(day) in triggers}
    return certain | {REQUESTED} if on_request in triggers else certain


def _audits(world: World, digest: str) -> set[str]:
    """The ids of the audits of which this may be the digest."""
    return {audit for _, audit in world.digests} - {run_of(day) for day in DAYS} if digest == REQUESTED else {digest}
