"""From a rehearsal to its picture: load, capacity and minutes short in buckets."""

from chalicelib.rehearsal.figures import buckets
from chalicelib.rehearsal.rehearsal import Rehearsal
from chalicelib.report.charts import MOST_BUCKETS, STORED_BUCKETS, RehearsalChart


def stored_chart(answer: Rehearsal) -> RehearsalChart:
    """The chart as reports hold it."""
    return chart(answer, STORED_BUCKETS).model_copy(update={"desired": []})


def chart(answer: Rehearsal, most: int = MOST_BUCKETS) -> RehearsalChart:
    """The chart in at most so many buckets."""
    load, width = answer.question.load, max(1, -(-answer.replay.minutes // most))
    today = buckets(load.values, answer.replay, width)
    proposed = buckets(load.values, answer.proposed, width) if answer.proposed else []
    return RehearsalChart(
        begin=load.begin,
        minutes=answer.replay.minutes,
        bucket_minutes=width,
        unit="copy" if answer.question.copies else "instance",
        capacity=_short(answer.question.behaviour.capacity),
        load=[None if bucket.load is None else _short(bucket.load) for bucket in today],
        serving=[bucket.serving for bucket in today],
        desired=[bucket.desired for bucket in today],
        short=[bucket.short for bucket in today],
        proposed=[bucket.serving for bucket in proposed],
        proposed_short=[bucket.short for bucket in proposed],
    )


def _short(value: float) -> float:
    """A number as precise as a picture is."""
    return float(f"{value:.4g}")
