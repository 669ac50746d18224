"""How fast an operation may be called: as fast as can be until AWS throttles it, then as AWS lets calls through.

AWS limits each operation of an account by itself. A limiter for a whole client would slow every operation down for the
sake of one, and blind retries run out while others use up the allowance; so each operation has a pace of its own.
"""

import math
import random
import threading
import time
from collections.abc import Callable
from typing import Any

#: Calls a second after the first throttling; from there the pace finds the limit.
FIRST_RATE = 20.0
LOWEST_RATE = 0.5
#: What a throttled call does to the rate, and what each second without one does.
DOWN, UP = 0.85, 1.1
#: Calls begun within this many seconds of each other meet the same empty bucket: they slow the pace once.
TOGETHER_SECONDS = 0.25
#: An operation that is throttled this long without a single answer is given up.
PATIENCE_SECONDS = 60.0


class Pace:
    """The pace of one operation, shared by all threads. ``clock`` and ``sleep`` are there to be replaced."""

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, sleep: Callable[[float], Any] | None = None
    ) -> None:
        self._clock = clock
        self._given_up = threading.Event()
        self._sleep = sleep or self._given_up.wait
        self._lock = threading.Lock()
        self._rate = 0.0
        self._changed = 0.0
        self._next = 0.0
        self._throttled_since: float | None = None

    def wait(self, most: float = math.inf) -> float:
        """Waits for this call's turn, ``most`` seconds at the longest, and gives the moment at which it begins. Nobody
        waits any more for an operation that was given up."""
        if not self._rate or self._given_up.is_set():
            return self._clock()
        with self._lock:
            now = self._clock()
            if now - self._changed >= 1:
                self._rate *= UP
                self._changed = now
            begin = max(now, self._next)
            self._next = begin + 1 / self._rate
        if begin > now:
            self._sleep(min(begin - now, most))
        return begin

    def answered(self) -> None:
        """Notes that AWS let a call through."""
        self._throttled_since = None

    def throttled(self, began: float) -> bool:
        """Notes that the call that ``began`` then was throttled; False when trying again is of no more use."""
        with self._lock:
            now = self._clock()
            if not self._rate:
                self._rate, self._changed, self._next = FIRST_RATE, now, now
            elif began >= self._changed and now - self._changed >= TOGETHER_SECONDS:
                self._rate, self._changed = max(LOWEST_RATE, self._rate * DOWN), now
            if self._throttled_since is None:
                self._throttled_since = now
            patient = now - self._throttled_since < PATIENCE_SECONDS
            if not patient:
                self._given_up.set()
            return patient


def backoff(attempt: int) -> float:
    """Seconds to wait before trying a call again that failed in passing: 0.2 after the first, doubling, with jitter."""
    return 0.2 * 2.0**attempt * random.uniform(0.5, 1)
