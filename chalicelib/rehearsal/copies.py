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
from chalicelib.rehearsal.record import proven_capacity, recorded_counts
from chalicelib.rehearsal.series import Load
from chalicelib.rehearsal.terms import Unrehearsable
from chalicelib.rehearsal.variants import enough_of, past_of, replayable_of

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
    load = enough_of(minutes[COPY_INVOCATIONS], begin, end)
    assert load.begin is not None
    answer = replayable_copies(estate, unread, target, load.begin, load.minutes)
    past = past_of(estate, unread, target, load.begin)
    current = component.known("current_copy_count")
    counts = recorded_counts(past.steps, begin, end, current if past.read else None)
    policies = estate.policies_of(target)
    start = int(counts.get(number_of(load.begin), answer.setting.minimum if current is None else current))
    failing = [minute for minute, number in minutes[COPY_FAILURES].items() if number > 0]
    known = Known(
        answer,
        f"as Application Auto Scaling has it in {estate.region}",
        target.resource_id,
        region=estate.region,
        warmup=past.warmup,
        removal=past.removal,
        proven=proven_capacity(minutes[COPY_INVOCATIONS], counts, failing),
        explained=past.explained([load.values], answer.setting, load.begin, start),
        start=start,
        notes=(*unread.values(), HOSTS),
        copies=True,
    )
    if len(policies) == 1 and policies[0].predefined_metric == _PREDEFINED:
        return load, replace(known, policy_name=policies[0].policy_name)
    return load, known
