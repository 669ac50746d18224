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
from chalicelib.rehearsal.questions import Known
from chalicelib.rehearsal.series import Load
from chalicelib.rehearsal.variants import enough_of, past_of, replayable_of

#: The metrics that a rehearsal of an asynchronous endpoint takes.
METRICS = (PROCESSED, PROCESSSED, BACKLOG, SAMPLES)
#: Of so many minutes with a backlog at least, how fast an instance is says something.
FEWEST_BUSY = 10
UNCHECKED = "how much of the recorded scaling the replay explains is not checked of a queue"


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
    load = enough_of(arrivals(processed, backlog), begin, end)
    assert load.begin is not None
    past = past_of(estate, unread, target, load.begin)
    current = scaled.known("current_instance_count")
    return load, Known(
        replayable_of(estate, unread, target, load.begin, load.minutes, queue=True),
        f"as Application Auto Scaling has it in {estate.region}",
        target.resource_id,
        region=estate.region,
        warmup=past.warmup,
        removal=past.removal,
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
