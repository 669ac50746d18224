"""The pace of an operation, on a clock that only moves when somebody waits."""

import pytest

from chalicelib.inventory import pacing
from chalicelib.inventory.pacing import Pace, backoff


class Clock:
    """Time that passes by sleeping, and by ``pass_by``."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now

    def pass_by(self, seconds: float) -> None:
        self.now += seconds


def a_pace(clock: Clock) -> Pace:
    return Pace(clock, clock.pass_by)


def test_nothing_waits_before_the_first_throttling() -> None:
    clock = Clock()
    pace = a_pace(clock)
    for _ in range(1_000):
        pace.wait()
        pace.answered()
    assert clock.now == 1_000.0


def test_it_finds_the_limit_that_aws_sets_and_wastes_few_calls() -> None:
    """500 calls through a bucket of 40 with 20 a second: the limit allows them in 23 seconds."""
    clock = Clock()
    pace = a_pace(clock)
    tokens, filled, done, refused = 40.0, clock.now, 0, 0
    while done < 500:
        began = pace.wait()
        clock.pass_by(0.001)
        tokens = min(40.0, tokens + (clock.now - filled) * 20)
        filled = clock.now
        if tokens >= 1:
            tokens -= 1
            done += 1
            pace.answered()
        else:
            refused += 1
            assert pace.throttled(began)
    assert clock.now - 1_000 < 1.3 * 460 / 20
    assert refused < 60


def test_calls_that_met_the_same_empty_bucket_slow_it_once() -> None:
    clock = Clock()
    pace = a_pace(clock)
    pace.throttled(pace.wait())
    begun = [pace.wait() for _ in range(5)]
    clock.pass_by(0.3)
    before = clock.now
    for call in begun:
        pace.throttled(call)
    pace.wait()
    first = pace.wait()
    assert pace.wait() - first == pytest.approx(1 / (pacing.FIRST_RATE * pacing.DOWN))
    assert clock.now > before


def test_an_operation_that_is_never_let_through_is_given_up() -> None:
    clock = Clock()
    pace = a_pace(clock)
    assert pace.throttled(pace.wait())
    clock.pass_by(pacing.PATIENCE_SECONDS + 1)
    assert not pace.throttled(pace.wait())


def test_an_answer_renews_the_patience() -> None:
    clock = Clock()
    pace = a_pace(clock)
    pace.throttled(pace.wait())
    clock.pass_by(pacing.PATIENCE_SECONDS + 1)
    pace.answered()
    assert pace.throttled(pace.wait())


def test_the_waiting_after_a_passing_failure_doubles() -> None:
    for attempt in range(5):
        assert 0.1 * 2**attempt <= backoff(attempt) <= 0.2 * 2**attempt
