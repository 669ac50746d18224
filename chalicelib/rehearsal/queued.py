"""An asynchronous endpoint of an account as it is rehearsed: what came into its queue, and how fast it was served.

Nothing tells what came: it is what was processed, and by how much the backlog grew. Requests that expired unanswered
are missing in it.
"""

import math
from collections.abc import Mapping
from datetime import datetime

from chalicelib.inventory.estate import Inventory
from chalicelib.inventory.kinds.endpoints import Variant
from chalicelib.inventory.kinds.scaling import ScalableTarget
from chalicelib.inventory.parts import Part
from chalicelib.inventory.traffic import BACKLOG, PROCESSED, PROCESSSED, SAMPLES, MinuteMetric, Minutes, number_of
from chalicelib.rehearsal.policies import Replayable, Unreplayable, replayable
from chalicelib.rehearsal.questions import Known
from chalicelib.rehearsal.record import minutes_taken, recorded_steps
from chalicelib.rehearsal.series import Load, UnsoundSeries, of_points
from chalicelib.rehearsal.terms import Unrehearsable
from chalicelib.rehearsal.variants import FEWEST_MINUTES

#: The metrics that a rehearsal of an asynchronous endpoint takes.
METRICS = (PROCESSED, PROCESSSED, BACKLOG, SAMPLES)
#: Of so many minutes with a backlog at least, how fast an instance is says something.
FEWEST_BUSY = 10
UNCHECKED = "how much of the recorded scaling the replay explains is not checked of a queue"


def replayable_queue(
    estate: Inventory, unread: Mapping[Part, str], target: ScalableTarget, begin: datetime | None, minutes: int
) -> Replayable:
    """The setting of an asynchronous endpoint. Raises Unrehearsable, and Unread."""
    policies = estate.policies_of(target)
    names = {alarm.name for policy in policies for alarm in policy.alarms}
    alarms = {} if Part.ALARMS in unread else {name: estate.alarm(name) for name in names}
    schedules = estate.schedules_of(target)
    answer = replayable(target, policies, alarms, schedules, begin, minutes, asynchronous=True)
    if isinstance(answer, Unreplayable):
        raise Unrehearsable(f"{target.name} cannot be rehearsed: {answer.reason}")
    return answer


def known_of_queue(
    estate: Inventory,
    unread: Mapping[Part, str],
    target: ScalableTarget,
    scaled: Variant,
    minutes: Mapping[MinuteMetric, Minutes],
    begin: datetime,
    end: datetime,
) -> tuple[Load, Known]:
    """The requests that came in a window, and what is known of the scaling. Raises UnsoundSeries for too little or
    unsound traffic, Unrehearsable, and Unread."""
    processed = {**minutes[PROCESSSED], **minutes[PROCESSED]}
    backlog, counts = minutes[BACKLOG], minutes[SAMPLES]
    load = of_points(arrivals(processed, backlog), begin, end)
    if load.minutes < FEWEST_MINUTES:
        raise UnsoundSeries(f"{load.minutes} minutes are there; accepted is a day at least")
    assert load.begin is not None
    steps = [] if Part.ACTIVITIES in unread else recorded_steps(estate.activities_of(target))
    current = scaled.known("current_instance_count")
    return load, Known(
        replayable_queue(estate, unread, target, load.begin, load.minutes),
        f"as Application Auto Scaling has it in {estate.region}",
        target.resource_id,
        region=estate.region,
        warmup=minutes_taken(steps, outward=True),
        removal=minutes_taken(steps, outward=False),
        proven=rate(processed, backlog, counts),
        start=int(counts.get(number_of(load.begin), 0 if counts else current or 0)),
        notes=(*unread.values(), UNCHECKED),
        queued=True,
    )


def arrivals(processed: Minutes, backlog: Minutes) -> Minutes:
    """The requests that came in each minute: those processed, and by how much the backlog grew since the minute before
    of which it is known. Where both together are below zero, requests have expired, and none is counted."""
    came: Minutes = {}
    before = 0.0
    for minute in sorted({*processed, *backlog}):
        waiting = backlog.get(minute, before)
        came[minute] = max(0.0, processed.get(minute, 0.0) + waiting - before)
        before = waiting
    return came


def rate(processed: Minutes, backlog: Minutes, counts: Minutes) -> float | None:
    """What an instance does in a minute: the 95th percentile of what each did while requests waited, at the beginning
    and at the end of a minute; None of fewer than ten such minutes."""
    done = sorted(
        number / counts[minute]
        for minute, number in processed.items()
        if counts.get(minute, 0) > 0 and backlog.get(minute, 0) > 0 and backlog.get(minute - 1, 0) > 0
    )
    if len(done) < FEWEST_BUSY:
        return None
    return done[math.ceil(0.95 * len(done)) - 1] or None
