"""An inference component of an account as it is rehearsed: copies in place of instances.

Their number in the past is told by the recorded steps, as no metric does. What hosts there are is not replayed: where a
copy waits for a host, the recorded steps take longer, and so does the warm-up that is measured of them.
"""

from collections.abc import Mapping
from datetime import datetime

from msgspec.structs import replace

from chalicelib.inventory.estate import Inventory
from chalicelib.inventory.kinds.components import InferenceComponent
from chalicelib.inventory.kinds.scaling import ScalableTarget
from chalicelib.inventory.parts import Part
from chalicelib.inventory.traffic import COPY_FAILURES, COPY_INVOCATIONS, MinuteMetric, Minutes, number_of
from chalicelib.rehearsal.policies import Replayable
from chalicelib.rehearsal.questions import Known
from chalicelib.rehearsal.record import explained, minutes_taken, proven_capacity, recorded_counts, recorded_steps
from chalicelib.rehearsal.series import Load, UnsoundSeries, of_points
from chalicelib.rehearsal.settings import Behaviour
from chalicelib.rehearsal.terms import WARMUP, Unrehearsable
from chalicelib.rehearsal.variants import FEWEST_MINUTES, replayable_of

#: The metrics that a rehearsal of a component takes.
METRICS = (COPY_INVOCATIONS, COPY_FAILURES)
_PREDEFINED = "SageMakerInferenceComponentInvocationsPerCopy"
HOSTS = "copies are replayed, not the instances that host them: one that waits for a new host takes longer"


def replayable_copies(
    estate: Inventory, unread: Mapping[Part, str], target: ScalableTarget, begin: datetime | None, minutes: int
) -> Replayable:
    """The setting of a component. Raises Unrehearsable, and Unread."""
    answer = replayable_of(estate, unread, target, begin, minutes)
    if len(answer.signals) > 1:
        followed = ", ".join(answer.signals[1:])
        raise Unrehearsable(f"{target.name} follows {followed}, which is not replayed of an inference component")
    return answer


def known_of_component(
    estate: Inventory,
    unread: Mapping[Part, str],
    target: ScalableTarget,
    component: InferenceComponent,
    minutes: Mapping[MinuteMetric, Minutes],
    begin: datetime,
    end: datetime,
) -> tuple[Load, Known]:
    """The load of a component in a window, and what is known of its scaling. Raises UnsoundSeries for too little or
    unsound traffic, Unrehearsable, and Unread."""
    load = of_points(minutes[COPY_INVOCATIONS], begin, end)
    if load.minutes < FEWEST_MINUTES:
        raise UnsoundSeries(f"{load.minutes} minutes are there; accepted is a day at least")
    assert load.begin is not None
    answer = replayable_copies(estate, unread, target, load.begin, load.minutes)
    steps = [] if Part.ACTIVITIES in unread else recorded_steps(estate.activities_of(target))
    current = component.known("current_copy_count")
    counts = recorded_counts(steps, begin, end, None if Part.ACTIVITIES in unread else current)
    policies = estate.policies_of(target)
    since = max((policy.created for policy in policies if policy.created), default=load.begin)
    warmup, removal = minutes_taken(steps, outward=True), minutes_taken(steps, outward=False)
    start = int(counts.get(number_of(load.begin), answer.setting.minimum if current is None else current))
    behaviour = Behaviour(1.0, WARMUP if warmup is None else warmup, removal or 0)
    inside = [step for step in steps if step.started >= since]
    failing = [minute for minute, number in minutes[COPY_FAILURES].items() if number > 0]
    known = Known(
        answer,
        f"as Application Auto Scaling has it in {estate.region}",
        target.resource_id,
        region=estate.region,
        warmup=warmup,
        removal=removal,
        proven=proven_capacity(minutes[COPY_INVOCATIONS], counts, failing),
        explained=None
        if Part.ACTIVITIES in unread
        else explained([load.values], answer.setting, behaviour, inside, load.begin, start),
        start=start,
        notes=(*unread.values(), HOSTS),
        copies=True,
    )
    if len(policies) == 1 and policies[0].predefined_metric == _PREDEFINED:
        return load, replace(known, policy_name=policies[0].policy_name)
    return load, known
