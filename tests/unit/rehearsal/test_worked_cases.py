"""What the replay decides, against cases worked out on paper. The derivation stands beside each.

Target 100 a minute, capacity 200, warm-up 5 minutes, cooldowns 300 seconds, alarms 3 of 3 and 15 of 15, starting with
the minimum, unless said. ``12: 1→4`` is decided at the end of minute 12, ``begin of 5: 1→4`` by a schedule at its
beginning.
Desired is what stands at the end of each minute, serving what serves during it.
"""

import dataclasses
from dataclasses import dataclass
from typing import Any

import pytest
from msgspec.structs import replace

from chalicelib.rehearsal.book import Replay, timeline
from chalicelib.rehearsal.queue import BACKLOG, WITHOUT_CAPACITY, replay_queue
from chalicelib.rehearsal.replay import replay, replay_any
from chalicelib.rehearsal.settings import (
    Alarm,
    Behaviour,
    Policy,
    Scheduled,
    Setting,
    Step,
    StepScaling,
    TargetTracking,
    tracking,
)
from tests.unit.rehearsal.loads import load, runs

TWO_HUNDRED = Behaviour(capacity=200)
TRACKING = (tracking(100),)


@dataclass(frozen=True)
class Case:
    """A row: its number, what happens, and why."""

    number: str
    load: str
    minimum: int
    maximum: int
    decisions: str
    desired: str
    serving: str
    short: str
    instance_minutes: int
    why: str
    start: int | None = None
    policies: tuple[Policy, ...] = TRACKING
    other_load: str | None = None
    behaviour: Behaviour = TWO_HUNDRED
    scheduled: tuple[Scheduled, ...] = ()
    setting: Any = None


TWO_SPIKES = "100×10 900×3 100×9 900×3 100×15"
MISSING = Behaviour(capacity=200, gaps="missing")
TWO = (tracking(100), tracking(5, load=1))
#: From the threshold on adds one, from 100 beyond it adds three, at the first datapoint.
STEPS = StepScaling(Alarm(1, 1, 100, above=True, strict=False), (Step(0, 100, 1), Step(100, None, 3)))

CASES = [
    Case("1", "80×30", 1, 4, "", "1×30", "1×30", "", 30,
         "80 is below 90, so that the low alarm rings from 14 on; but ceil(1 × 80 ÷ 100) = 1 is what there is"),
    Case("2", "100×10 350×30", 1, 10, "12: 1→4", "1×12 4×28", "1×18 4×22", "10–17", 106,
         "10, 11 and 12 are above 100; ceil(1 × 3.5) = 4; 13 to 17 warm up; 350 ÷ 4 = 87.5 is low, but ceil(3.5) = 4"),
    Case("3", "100×10 900×2 100×28", 1, 10, "", "1×40", "1×40", "10–11", 40,
         "two datapoints do not ring an alarm of three"),
    Case("4", "100×10 900×3 100×47", 1, 10, "12: 1→9, 32: 9→1", "1×12 9×20 1×28", "1×18 9×15 1×27", "10–12", 180,
         "ceil(9) at 12, serving at 18, when nobody needs it; 18 to 32 are fifteen low ones at 11.1; ceil(1.0) = 1"),
    Case("5", "100×10 1000×30", 1, 4, "12: 1→4", "1×12 4×28", "1×18 4×22", "10–39", 106,
         "ceil(10) is cut to 4, which carry 800; from 22 on, after the cooldown, the maximum alone is in the way"),
    Case("6", "100 110 120 130 140 150 160 170 180 190 200 210 220 230 240 250 260 270 280 290 300 310 320 330 340 350 "
         "360 370 380 390 400 410 420 430 440 450 460 470 480 490 500", 1, 10,
         "3: 1→2, 13: 2→3, 23: 3→4, 33: 4→5", "1×3 2×10 3×10 4×10 5×8", "1×9 2×10 3×10 4×10 5×2", "", 109,
         "1, 2 and 3 are above 100, ceil(1.3) = 2 serve at 9 when 190 come; cooldown to 13: 230 ÷ 2 = 115, "
         "ceil(2.3) = 3; and so on, always before 200 a piece are passed"),
    Case("7", "100×10 250×8 900×22", 1, 20, "12: 1→3, 22: 3→9", "1×12 3×10 9×18", "1×18 3×10 9×12", "10–27", 156,
         "3 serve at 18; cooldown to the end of 22: from base 1, ceil(1 × 300 ÷ 100) = 3 is no more; then ceil(3 × 3)"),
    Case("7b", "100×10 250×8 900×22", 1, 20, "12: 1→3, 18: 3→9", "1×12 3×6 9×22", "1×18 3×6 9×16", "10–23", 180,
         "the same without a cooldown: at 18 at once", policies=(tracking(100, out_cooldown=0),)),
    Case("8", "100×10 250×8 1900×32", 1, 30, "12: 1→3, 18: 3→7, 24: 7→9, 30: 9→15, 40: 15→19",
         "1×12 3×6 7×6 9×6 15×10 19×10", "1×18 3×6 7×6 9×6 15×10 19×4", "10–35", 358,
         "18: base 1, 1900 ÷ 3 = 633, ceil(6.33) = 7 > 3 passes; 24: base 3, 271, ceil(8.14) = 9; 30: base 7, 211, "
         "ceil(14.8) = 15; 36: base 9, 127, ceil(11.4) = 12 < 15 waits to 40: ceil(15 × 1.27) = 19"),
    Case("9a", "895×40", 2, 20, "14: 10→9", "10×14 9×26", "10×15 9×25", "", 375,
         "89.5 is below 90 for fifteen minutes; ceil(8.95) = 9; then 99.4 is neither low nor high", start=10),
    Case("9b", "900×40", 2, 20, "", "10×40", "10×40", "", 400, "90 is not below 90", start=10),
    Case("10a", "170×40", 1, 4, "", "2×40", "2×40", "", 80, "85 is low, but ceil(1.7) = 2", start=2),
    Case("10b", "100×40", 1, 4, "14: 2→1", "2×14 1×26", "2×15 1×25", "", 55,
         "50 is low and ceil(1.0) = 1; then 100 is not above 100", start=2),
    Case("11a", "500×15 300×25", 1, 20, "14: 10→5, 19: 5→3", "10×14 5×5 3×21", "10×15 5×5 3×20", "", 235,
         "50 is low: ceil(5.0) = 5; 60 goes on being low: the second waits for the cooldown (15 + 5), not for fifteen "
         "new minutes", start=10),
    Case("11b", "500×15 300×25", 1, 20, "14: 10→5, 29: 5→3", "10×14 5×15 3×11", "10×15 5×15 3×10", "", 255,
         "the same with a cooldown of 900 seconds: 15 + 15", start=10, policies=(tracking(100, in_cooldown=900),)),
    Case("12", "0×60", 2, 8, "14: 4→2", "4×14 2×46", "4×15 2×45", "", 150, "ceil(0) is raised to the minimum", start=4),
    Case("13a", "350×10 –×30", 1, 8, "14: 4→1", "4×14 1×26", "4×15 1×25", "", 85,
         "a gap is zero: 87.5 and 0 are both low, from 0 to 14", start=4),
    Case("13b", "350×10 –×30", 1, 8, "", "4×40", "4×40", "", 160,
         "a gap is missing: ten datapoints never make fifteen, which is insufficient data", start=4, behaviour=MISSING),
    Case("14a", "100×10 900×1 –×1 900×18", 1, 10, "13: 1→9", "1×13 9×17", "1×19 9×11", "10, 12–18", 118,
         "10, 12 and 13 are the last three datapoints that there are", behaviour=MISSING),
    Case("14b", "100×10 900×1 –×1 900×18", 1, 10, "14: 1→9", "1×14 9×16", "1×20 9×10", "10, 12–19", 110,
         "the gap is a zero that breaks the row: 12, 13, 14"),
    Case("15", "100×10 900×3 100×47", 1, 10, "12: 1→9", "1×12 9×48", "1×18 9×42", "10–12", 396,
         "without scale-in nine for ever", policies=(replace(tracking(100), low=None),)),
    Case("16", "100×10 350×30", 1, 10, "", "1×40", "1×40", "10–39", 40,
         "scale-out is suspended: the alarm rings for nothing", setting={"out_suspended": True}),
    Case("17a", "100×40", 1, 8, "", "4×40", "4×40", "", 160,
         "18 ÷ 4 = 4.5 is not below 0.9 × 5: a policy that is not ready keeps everything", start=4, policies=TWO,
         other_load="18×40"),
    Case("17b", "100×40", 1, 8, "", "4×40", "4×40", "", 160,
         "both are ready; the larger of ceil(1.0) and ceil(4 × 4.25 ÷ 5 = 3.4) is 4", start=4, policies=TWO,
         other_load="17×40"),
    Case("17c", "100×40", 1, 8, "14: 4→3", "4×14 3×26", "4×15 3×25", "", 135,
         "the larger of ceil(1.0) and ceil(2.8) is 3", start=4, policies=TWO, other_load="14×40"),
    Case("18a", "100×10 700×30", 1, 10, "begin of 5: 1→4, 12: 4→7", "1×5 4×7 7×28", "1×10 4×8 7×22", "", 196,
         "starts at the beginning of 5 and serves from 10; it has no cooldown: at 12 ceil(4 × 1.75) = 7",
         scheduled=(Scheduled(5, 4, None),)),
    Case("18b", "100×10 700×30", 1, 10, "12: 1→7", "1×12 7×28", "1×18 7×22", "10–17", 172, "the same without it"),
    Case("19", "100×10 350×30", 1, 10, "12: 1→4", "1×12 4×28", "1×28 4×12", "10–27", 76,
         "row 2 with ten minutes more of warm-up", behaviour=Behaviour(capacity=200, warmup=15)),
    Case("20", "90×10 350×30", 1, 10, "10: 1→4", "1×10 4×30", "1×16 4×24", "10–15", 112,
         "one datapoint: 350 is 250 beyond the threshold, which adds three; then 87.5 is below it", policies=(STEPS,)),
    Case("22a", "100×10 290×2 800×28", 2, 20, "12: 2→8", "2×12 8×28", "2×18 8×22", "12–17", 212,
         "145, 145 and 400 ring at 12: ceil(2 × 4) = 8"),
    Case("22b", "100×10 290×2 800×28", 3, 20, "14: 3→8", "3×14 8×26", "3×20 8×20", "12–19", 220,
         "with one instance more 96.7 is calm; 267 rings two minutes later: two minutes more are short"),
    Case("23a", "50×10 95×3 1000×27", 1, 20, "15: 1→10", "1×15 10×25", "1×21 10×19", "13–20", 211,
         "95 is calm; 13, 14 and 15 ring"),
    Case("23b", "50×10 95×3 1000×27", 1, 20, "12: 1→2, 18: 2→6, 28: 6→12", "1×12 2×6 6×10 12×12", "1×18 2×6 6×10 12×6",
         "13–23", 162,
         "target 90: 95 starts a small change at 12, and the endpoint is busy to 18; base 1 × 500 ÷ 90 = 6, serving "
         "at 24; base 2 × 167 ÷ 90 = 4 waits for the cooldown to 28: ceil(11.1) = 12; three minutes more are short",
         policies=(tracking(90),)),
    Case("24", "700×30", 1, 10, "begin of 10: 8→3", "8×10 3×20", "8×10 3×20", "10–29", 140,
         "what a schedule takes away is gone at once", start=8, scheduled=(Scheduled(10, None, 3),)),
    Case("25", "1000×30", 5, 5, "", "5×30", "5×30", "", 150, "1000 is not above 5 × 200"),
    Case("26", TWO_SPIKES, 1, 10, "12: 1→9, 39: 9→1", "1×12 9×27 1×1", "1×18 9×22", "10–12", 216,
         "the second spike meets nine instances: 100 is not low and starts the fifteen anew, 25 to 39"),
    Case("27", "50×15 900×25", 1, 10, "14: 2→1, 18: 1→9", "2×14 1×4 9×22", "2×15 1×9 9×16", "15–23", 183,
         "the scale-in keeps the endpoint busy from 15 to 17; 18 decides", start=2,
         behaviour=Behaviour(capacity=200, removal=3)),
]  # fmt: skip


def replayed(case: Case) -> Replay:
    """The replay of a case."""
    setting = Setting(case.minimum, case.maximum, case.policies, case.scheduled, **(case.setting or {}))
    loads = [load(case.load), *([load(case.other_load)] if case.other_load else [])]
    result = replay_any(loads, setting, case.behaviour, case.start)
    assert replay(loads, setting, case.behaviour, case.start) == result, (
        "by the loop for the usual case, where it is one"
    )
    return result


def written(replayed: Replay) -> str:
    """The decisions, as the cases write them."""
    return ", ".join(
        f"{'begin of ' if decision.why == 'schedule' else ''}{decision.minute}: {decision.before}→{decision.after}"
        for decision in replayed.decisions
    )


def stretches(replayed: Replay) -> str:
    """The minutes short, as the cases write them."""
    return ", ".join(
        f"{stretch.begin}" if stretch.minutes == 1 else f"{stretch.begin}–{stretch.end - 1}"
        for stretch in replayed.short
    )


@pytest.mark.parametrize("case", CASES, ids=[case.number for case in CASES])
def test_a_case_worked_out_on_paper(case: Case) -> None:
    result = replayed(case)
    assert written(result) == case.decisions
    assert runs(timeline(result.desired, result.minutes)) == case.desired
    assert runs(timeline(result.serving, result.minutes)) == case.serving
    assert stretches(result) == case.short
    assert result.instance_minutes == case.instance_minutes


def case(number: str) -> Case:
    """The case of this number."""
    return next(case for case in CASES if case.number == number)


def test_minutes_held_at_the_maximum_are_counted_once_nothing_else_stands_in_the_way() -> None:
    assert replayed(case("5")).held == 18, "22 to 39"
    assert replayed(case("2")).held == 0


def test_row_21_eightfold_numbers_decide_the_same() -> None:
    seven = case("7")
    eightfold = replayed(
        dataclasses.replace(
            seven, load="800×10 2000×8 7200×22", policies=(tracking(800),), behaviour=Behaviour(capacity=1600)
        )
    )
    assert (eightfold.decisions, eightfold.short) == (replayed(seven).decisions, replayed(seven).short)


def test_after_27_without_the_busy_time_the_scale_out_is_a_minute_earlier() -> None:
    result = replayed(dataclasses.replace(case("27"), behaviour=Behaviour(capacity=200)))
    assert (written(result), result.minutes_short) == ("14: 2→1, 17: 1→9", 8)


def test_a_minimum_above_the_maximum_after_a_schedule_gives_way() -> None:
    result = replayed(dataclasses.replace(case("25"), scheduled=(Scheduled(10, None, 3),)))
    assert (written(result), result.crossed) == ("begin of 10: 5→3", (10,))


def test_a_suspended_schedule_changes_nothing() -> None:
    suspended = replayed(dataclasses.replace(case("18a"), setting={"scheduled_suspended": True}))
    assert suspended.decisions == replayed(case("18b")).decisions


def test_suspended_scale_in_keeps_what_there_is() -> None:
    assert written(replayed(dataclasses.replace(case("4"), setting={"in_suspended": True}))) == "12: 1→9"


@pytest.mark.parametrize(
    "kind, adjustment, magnitude, capacity, wanted",
    [
        ("PercentChangeInCapacity", 50, 0, 5, 7),  # 2.5 toward zero
        ("PercentChangeInCapacity", 10, 0, 5, 6),  # 0.5 is never nothing
        ("PercentChangeInCapacity", -10, 0, 5, 4),
        ("PercentChangeInCapacity", -50, 0, 5, 3),
        ("PercentChangeInCapacity", 10, 3, 5, 8),  # the least change
        ("ChangeInCapacity", -9, 0, 5, 0),
        ("ExactCapacity", 4, 0, 5, 4),
    ],
)
def test_what_a_step_makes_of_a_capacity(
    kind: Any, adjustment: int, magnitude: int, capacity: int, wanted: int
) -> None:
    policy = StepScaling(Alarm(1, 1, 100, above=True), (Step(0, None, adjustment),), kind, magnitude)
    assert policy.wanted(150, capacity) == wanted


def test_above_a_threshold_a_step_holds_its_lower_end_and_below_it_its_upper_one() -> None:
    above = StepScaling(Alarm(1, 1, 100, above=True), (Step(0, 50, 1), Step(50, None, 2)))
    assert [above.wanted(value, 1) for value in (99, 100, 149, 150)] == [1, 2, 2, 3]
    below = StepScaling(Alarm(1, 1, 100, above=False), (Step(-50, 0, -1), Step(None, -50, -2)))
    assert [below.wanted(value, 9) for value in (101, 100, 51, 50)] == [9, 8, 8, 7]


# Asynchronous: a target of 5 waiting for each instance; an instance does 10 requests a minute.
FOLLOWS = tracking(5, load=BACKLOG)
WAKES = StepScaling(
    Alarm(1, 1, 1, above=True, strict=False), (Step(0, None, 1),), per_instance=False, load=WITHOUT_CAPACITY
)
TEN = Behaviour(capacity=10)


def test_a_queue_below_its_target_never_wakes_what_has_scaled_to_zero() -> None:
    result = replay_queue(load("4 0×59"), Setting(0, 5, (FOLLOWS,)), TEN, max_wait=15)
    assert written(result.replay) == ""
    assert result.waiting == tuple(range(60))
    assert stretches(result.replay) == "16–59", "the request of minute 0 has waited longer than 15 minutes"


def test_a_step_policy_wakes_it_for_the_first_request() -> None:
    result = replay_queue(load("4 0×39"), Setting(0, 5, (FOLLOWS, WAKES)), TEN, max_wait=15)
    # 0: one datapoint; serving at 6, which does all four. 4 and 0 are below 4.5 from 0 to 14: ceil(0) = 0.
    assert written(result.replay) == "0: 0→1, 14: 1→0"
    assert result.waiting == (0, 1, 2, 3, 4, 5)


def test_at_zero_instances_the_metric_is_the_backlog_itself() -> None:
    result = replay_queue(load("6 6 6 0×37"), Setting(0, 5, (FOLLOWS,)), TEN, max_wait=15)
    # 6, 12 and 18 are above 5: ceil(18 ÷ 5) = 4, serving at 8, which do all. Low from 8 to 22.
    assert written(result.replay) == "2: 0→4, 22: 4→0"
    assert result.waiting == tuple(range(8))


def test_a_backlog_grows_until_the_new_instances_serve() -> None:
    result = replay_queue(load("30×10 0×30"), Setting(1, 5, (FOLLOWS,)), TEN, max_wait=15)
    # 20, 40 and 60 wait: ceil(60 ÷ 5) = 12 is cut to 5, serving at 8; 8 × 20 = 160 wait at the end of 7; then 140, 120,
    # 70, 20 and none at 12; 20 ÷ 5 = 4 at 11 is the first of fifteen low ones.
    assert written(result.replay) == "2: 1→5, 25: 5→1"
    assert (result.largest, result.largest_at, result.waiting[-1]) == (160, 7, 11)


def test_a_tracking_policy_may_follow_a_metric_that_more_instances_do_not_lower() -> None:
    policy = TargetTracking(100, tracking(100).high, tracking(100).low, per_instance=False)
    result = replay([load("100×10 150×30")], Setting(1, 4, (policy,)), Behaviour(capacity=200))
    # 12: ceil(1.5) = 2; 18: base 1 wants 2 in the cooldown; 22: ceil(2 × 1.5) = 3; 28: base 2 wants 3; 32: ceil(4.5) is
    # cut to 4.
    assert written(result) == "12: 1→2, 22: 2→3, 32: 3→4"
