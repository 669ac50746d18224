"""How much of what AWS recorded the replay explains: measured against an AWS that shares no code with it."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.inventory.kinds.scaling import ScalingActivity
from chalicelib.rehearsal.record import (
    Explained,
    explained,
    minutes_taken,
    proven_capacity,
    recorded_steps,
)
from chalicelib.rehearsal.settings import Behaviour, Setting, tracking
from tests.unit.rehearsal.synthetic import BEGIN, SyntheticAws, climbs, week

pytestmark = pytest.mark.thorough

SEEDS = [1, 2, 3]
THRESHOLD = 0.6


def explanation(aws: SyntheticAws, load: list[float], warmup: int = 5) -> Explained:
    """What the replay, which believes in a target of 100 and this warm-up, explains of what this AWS did."""
    aws.run(load)
    setting = Setting(aws.minimum, aws.maximum, (tracking(100),))
    behaviour = Behaviour(capacity=200, warmup=warmup)
    return explained([load], setting, behaviour, recorded_steps(aws.activities), BEGIN, aws.counts[0])


@pytest.mark.parametrize("load", [week, climbs], ids=["days and weekends", "climbs"])
@pytest.mark.parametrize("seed", SEEDS)
def test_the_replay_explains_an_aws_that_behaves_as_documented(seed: int, load: Callable[[int], list[float]]) -> None:
    result = explanation(SyntheticAws(), load(seed))
    assert result.recorded >= 30
    assert result.share is not None and result.share >= 0.95
    assert str(result) == (
        f"the replay explains {result.explained} of the {result.recorded} scaling steps that AWS recorded"
    )


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("parameters", [{"delay": 6}, {"target": 70.0}], ids=["late metrics", "another target"])
def test_it_does_not_explain_one_that_behaves_otherwise(parameters: dict[str, Any], seed: int) -> None:
    result = explanation(SyntheticAws(**parameters), week(seed))
    assert result.share is not None and result.share < THRESHOLD


@pytest.mark.parametrize("seed", SEEDS)
def test_nor_one_with_another_warm_up_where_scale_outs_follow_each_other(seed: int) -> None:
    aws = SyntheticAws(warmup=1190)
    result = explanation(aws, climbs(seed))
    assert result.share is not None and result.share < THRESHOLD
    measured = minutes_taken(recorded_steps(aws.activities), outward=True)
    assert measured == 20
    again = explanation(SyntheticAws(warmup=1190), climbs(seed), measured)
    assert again.share is not None and again.share >= 0.95, "with the warm-up that the record tells it does"


def activity(minute: float, count: int, ended: float | None = None, **other: Any) -> ScalingActivity:
    """A scaling activity that began in this minute, and was over in that one."""
    record = {
        "ResourceId": "endpoint/orders/variant/main",
        "StatusCode": "Successful",
        "Description": f"Setting desired instance count to {count}.",
        "Cause": "monitor alarm TargetTracking-AlarmHigh-1 in state ALARM triggered policy orders",
        "StartTime": BEGIN + timedelta(minutes=minute),
        "EndTime": None if ended is None else BEGIN + timedelta(minutes=ended),
    }
    return ScalingActivity.model_validate({**record, **other})


def test_steps_are_read_oldest_first_and_only_those_that_came_about() -> None:
    steps = recorded_steps(
        [
            activity(60, 2, 61, Cause="monitor alarm TargetTracking-AlarmLow-1 in state ALARM triggered policy orders"),
            activity(50, 9, StatusCode="Failed"),
            activity(40, 9, StatusCode="Unfulfilled"),
            activity(35, 9, StatusCode="InProgress"),
            activity(34, 9, StatusCode="SomethingNew"),
            activity(33, 9, Description="Attempting to scale due to alarm triggered"),
            activity(30, 4, 36, Cause="scheduled action name morning was triggered"),
            activity(10, 3, 17),
        ]
    )
    assert [(step.before, step.after, step.outward, step.by_policy) for step in steps] == [
        (None, 3, True, True),
        (3, 4, True, False),
        (4, 2, False, True),
    ]


def test_the_copies_of_a_component_are_steps_too() -> None:
    steps = recorded_steps([activity(1, 3, Description="Setting desired copy count to 3.")])
    assert [step.after for step in steps] == [3]


def test_the_warm_up_is_the_ninetieth_percentile_in_whole_minutes_upward() -> None:
    outward = [activity(100 * number, number + 2, 100 * number + 4 + number / 10) for number in range(10)]
    assert minutes_taken(recorded_steps(outward), outward=True) == 5, "4.0 to 4.9: the ninth of ten is 4.8"
    assert minutes_taken(recorded_steps(outward), outward=False) is None
    assert minutes_taken(recorded_steps(outward[:2]), outward=True) is None, "of two changes nothing is known"


def test_too_few_steps_say_nothing() -> None:
    result = Explained(4, 4, 0)
    assert result.share is None
    assert str(result) == "too few steps to check (4)"


def test_nothing_recorded_explains_nothing() -> None:
    setting = Setting(1, 4, (tracking(100),))
    assert explained([[0.0] * 60], setting, Behaviour(200), [], BEGIN) == Explained(0, 0, 0)


def test_what_the_replay_would_have_done_alone_is_counted_apart() -> None:
    load = [100.0] * 10 + [350.0] * 200
    result = explained(
        [load], Setting(1, 10, (tracking(100),)), Behaviour(200), recorded_steps([activity(150, 3)]), BEGIN
    )
    assert result == Explained(0, 1, 2), "at 12 a change to 4 that AWS never made; after 150 one from 3 to 4"


def test_a_step_that_the_replay_makes_a_little_later_is_explained() -> None:
    load = [100.0] * 10 + [350.0] * 200
    steps = recorded_steps([activity(10, 4), activity(0, 1, Cause="scheduled action")])
    result = explained([load], Setting(1, 10, (tracking(100),)), Behaviour(200), steps, BEGIN, 1)
    assert result == Explained(1, 1, 0), "the replay makes it at 12"


def test_proven_is_what_an_instance_has_carried_without_failing() -> None:
    load = {minute: 100.0 + minute for minute in range(100)}
    counts = dict.fromkeys(load, 2.0)
    assert proven_capacity(load, counts, []) == 99.0, "the 99th of 100 is (100 + 98) ÷ 2"
    assert proven_capacity(load, counts, range(50, 100)) == 74.5
    assert proven_capacity(load, {}, []) is None


def test_steps_outside_the_window_are_left_out() -> None:
    steps = recorded_steps([activity(-30, 4), activity(500, 5)])
    setting = Setting(1, 10, (tracking(100),))
    assert explained([[100.0] * 60], setting, Behaviour(200), steps, BEGIN) == Explained(0, 0, 0)
