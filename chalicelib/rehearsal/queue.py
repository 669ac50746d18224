"""Replays asynchronous endpoints: requests wait in a queue, and the policies follow how many do."""

from collections import deque
from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace

from chalicelib.rehearsal.book import Replay
from chalicelib.rehearsal.control import Control
from chalicelib.rehearsal.settings import TOLERANCE, Alarm, Behaviour, Setting, Step, StepScaling

#: The numbers of the series that policies of an asynchronous endpoint follow.
BACKLOG, WITHOUT_CAPACITY = 0, 1


#: What starts the first instance as soon as a request waits for none: AWS's own example of it.
WAKE_UP = StepScaling(
    Alarm(1, 1, 1, above=True, strict=False),
    (Step(0, None, 1),),
    cooldown=60,
    per_instance=False,
    load=WITHOUT_CAPACITY,
)


def wakes(setting: Setting) -> bool:
    """Whether it starts from zero for the first request: it is never there, or a policy follows that one waits."""
    return setting.minimum > 0 or any(policy.load == WITHOUT_CAPACITY for policy in setting.policies)


def waking(setting: Setting) -> Setting:
    """The setting with a policy that starts the first instance."""
    return replace(setting, policies=(*setting.policies, WAKE_UP))


class Waiting(Struct, frozen=True):
    """What came of the queue: the replay, the largest backlog with its minute, and the minutes with a backlog."""

    replay: Replay
    largest: float
    largest_at: int
    waiting: tuple[int, ...]


def replay_queue(
    arrivals: Sequence[float], setting: Setting, behaviour: Behaviour, max_wait: int, start: int | None = None
) -> Waiting:
    """What would have happened to these requests a minute, of which an instance does ``behaviour.capacity`` a minute.

    A minute is short where a request is left at its end that has waited for more than ``max_wait`` minutes. Policies
    follow :data:`BACKLOG`, at zero instances the backlog itself, or :data:`WITHOUT_CAPACITY`, which is 1 where requests
    wait and nothing serves them.
    """
    control = Control(setting, behaviour, start)
    book, queue = control.book, deque[tuple[int, float]]()
    backlog, largest, largest_at, serving = 0.0, 0.0, 0, control.serving
    waiting: list[int] = []
    for minute, arrived in enumerate(arrivals):
        control.begin(minute)
        if control.serving != serving:
            serving = control.serving
            book.note_serving(minute, serving)
        if arrived > 0:
            queue.append((minute, arrived))
            backlog += arrived
        backlog = backlog - _serve(queue, serving * behaviour.capacity) if queue else 0.0
        if queue:
            waiting.append(minute)
            if minute - queue[0][0] > max_wait:
                book.note_short(minute)
        if backlog > largest:
            largest, largest_at = backlog, minute
        control.end(minute, _values(setting, backlog, serving))
    return Waiting(book.close(len(arrivals)), largest, largest_at, tuple(waiting))


def _serve(queue: deque[tuple[int, float]], capacity: float) -> float:
    """Takes from the queue what the instances do in a minute, the oldest first, and says how much that is."""
    done = 0.0
    while queue and done < capacity:
        minute, amount = queue.popleft()
        taken = min(amount, capacity - done)
        done += taken
        if amount - taken > TOLERANCE:
            queue.appendleft((minute, amount - taken))
    return done


def _values(setting: Setting, backlog: float, serving: int) -> Sequence[float]:
    return [
        float(backlog > 0 and not serving)
        if policy.load == WITHOUT_CAPACITY
        else backlog / (serving or 1)
        if policy.per_instance
        else backlog
        for policy in setting.policies
    ]
