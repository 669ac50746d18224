"""A question about a variant or a component of an account: its policy as AWS has it, its own minutes, and what AWS has
recorded."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

from msgspec.structs import replace

from chalicelib.errors import InvalidInput
from chalicelib.inventory.answers import CallFailed
from chalicelib.inventory.collect import Reading
from chalicelib.inventory.facts import Unread
from chalicelib.inventory.kinds.components import InferenceComponent
from chalicelib.inventory.kinds.endpoints import Variant
from chalicelib.inventory.kinds.scaling import ScalableTarget
from chalicelib.inventory.minutes import minutes_of_variant
from chalicelib.inventory.parts import Part
from chalicelib.inventory.reader import Needs
from chalicelib.inventory.traffic import FAILURES, INVOCATIONS, MOST_DAYS, SHARES, MinuteMetric, Minutes
from chalicelib.rehearsal import copies, queued
from chalicelib.rehearsal.copies import known_of_component, replayable_copies
from chalicelib.rehearsal.policies import Replayable
from chalicelib.rehearsal.questions import Wishes, question
from chalicelib.rehearsal.queued import known_of_queue
from chalicelib.rehearsal.rehearsal import Question
from chalicelib.rehearsal.series import Load, UnsoundSeries
from chalicelib.rehearsal.terms import LOAD_TEST_DAYS, SPARED, Unrehearsable
from chalicelib.rehearsal.variants import followed, known_of, replayable_of
from chalicelib.scope import ResourceRef, Scope

if TYPE_CHECKING:
    from chalicelib.inventory.aws import Aws
    from chalicelib.inventory.estate import Inventory

#: What is read of the endpoint beside its minutes.
PARTS = (
    Part.ENDPOINTS,
    Part.CONFIGS,
    Part.COMPONENTS,
    Part.TARGETS,
    Part.POLICIES,
    Part.SCHEDULES,
    Part.ALARMS,
    Part.ACTIVITIES,
    Part.RECOMMENDATIONS,
    Part.TAGS,
)
#: How far back Application Auto Scaling tells its activities.
ACTIVITY_HOURS, ACTIVITY_PAGES = 42 * 24, 40
_BACK = {
    "activity_hours": ACTIVITY_HOURS,
    "activity_pages": ACTIVITY_PAGES,
    "recommendation_days": LOAD_TEST_DAYS,
}


def question_of(
    aws: "Aws",
    scope: Scope,
    endpoint: str,
    variant: str | None,
    days: int,
    wishes: Wishes,
    now: datetime,
    series: tuple[Load, str] | None = None,
    component: str | None = None,
) -> Question:
    """The question about a variant or a component and its traffic of the last ``days``, or about another ``series`` and
    its name.

    Raises InvalidInput for what does not exist or cannot be asked, Unrehearsable where AWS does not tell enough.
    """
    wishes.check()
    if not 1 <= days <= MOST_DAYS:
        raise InvalidInput(
            f"a window of {days} days; accepted is a number from 1 to {MOST_DAYS}, as minutes are kept no longer",
            field="days",
        )
    estate, unread = _read(aws, scope, endpoint, now)
    if endpoint not in estate.endpoints:
        raise InvalidInput(f"there is no endpoint {endpoint} in {scope.region}", field="endpoint")
    try:
        target, scaled = _chosen(estate, endpoint, variant, component)
        return _question(aws, estate, unread, target, scaled, days, wishes, now, series)
    except Unread as unread_fact:
        raise Unrehearsable(f"what the rehearsal needs is not known: {unread_fact}") from None
    except CallFailed as failure:
        raise Unrehearsable(f"{failure.operation} failed: {failure.message}") from None
    except UnsoundSeries as problem:
        raise Unrehearsable(f"the traffic of {endpoint} cannot be replayed: {problem}") from None


def _read(aws: "Aws", scope: Scope, endpoint: str, now: datetime) -> "tuple[Inventory, dict[Part, str]]":
    """The endpoint and what scales it; of what a rehearsal can do without, why it could not be read. Raises
    Unrehearsable where any other part cannot."""
    named = replace(scope, resources=(ResourceRef("endpoint", endpoint),))
    with Reading(aws, named, Needs.of(PARTS, **_BACK), now) as reading:
        estate = reading.inventory()
        failures = reading.failures
    unread: dict[Part, str] = {}
    for failure in failures:
        reason = f"{failure.operation} failed: {failure.message}"
        if failure.part is Part.COMPONENTS:
            continue  # whoever needs them meets the gap
        if failure.part not in SPARED:
            raise Unrehearsable(reason)
        unread[failure.part] = f"{reason}; {SPARED[failure.part]}"
    return estate, unread


def _chosen(
    estate: "Inventory", endpoint: str, variant: str | None, component: str | None
) -> tuple[ScalableTarget, Variant | InferenceComponent]:
    """What is rehearsed of an endpoint: a variant, or where none of them scales, a component. Raises InvalidInput, and
    Unread."""
    variants = [
        (target, scaled)
        for scaled in estate.endpoints[endpoint].variants
        if (variant is None or scaled.name == variant) and (target := estate.target_of(scaled)) is not None
    ]
    chosen: list[tuple[ScalableTarget, Variant | InferenceComponent]] = [*variants] if component is None else []
    hosted_alone = (
        variant is None
        and not chosen
        and any(scaled.hosts_components for scaled in estate.endpoints[endpoint].variants)
    )
    if component is not None or hosted_alone:
        estate.gaps.demand_each(Part.COMPONENTS)
        chosen = [
            (target, hosted)
            for hosted in estate.components.values()
            if hosted.endpoint_name == endpoint
            and component in (None, hosted.name)
            and (target := estate.target_of(hosted)) is not None
        ]
    if len(chosen) == 1:
        return chosen[0]
    if component is not None or hosted_alone:
        names = ", ".join(hosted.name for hosted in estate.components.values()) or "none"
        raise InvalidInput(
            f"{len(chosen)} inference components of {endpoint} with a scalable target are meant; its components are "
            f"{names}",
            field="component",
        )
    names = ", ".join(scaled.name for scaled in estate.endpoints[endpoint].variants)
    raise InvalidInput(
        f"{len(chosen)} variants of {endpoint} with a scalable target are meant; its variants are {names}",
        field="variant",
    )


def _question(
    aws: "Aws",
    estate: "Inventory",
    unread: Mapping[Part, str],
    target: ScalableTarget,
    scaled: Variant | InferenceComponent,
    days: int,
    wishes: Wishes,
    now: datetime,
    series: tuple[Load, str] | None,
) -> Question:
    end = now.replace(second=0, microsecond=0)
    begin = end - timedelta(days=days)

    def minutes(metrics: Sequence[MinuteMetric]) -> dict[MinuteMetric, Minutes]:
        return minutes_of_variant(aws, scaled.endpoint_name, scaled.name, metrics, begin, end)

    replayed: Callable[..., Replayable] = replayable_of
    what = "Invocations"
    if isinstance(scaled, InferenceComponent):
        replayed = replayable_copies
        replayed(estate, unread, target, begin, days * 1440)
        load, known = known_of_component(estate, unread, target, scaled, minutes(copies.METRICS), begin, end)
    elif scaled.is_async:
        replayed, what = partial(replayable_of, queue=True), "What came into the queue"
        replayed(estate, unread, target, begin, days * 1440)
        load, known = known_of_queue(estate, unread, target, scaled, minutes(queued.METRICS), begin, end)
    else:
        answer = replayed(estate, unread, target, begin, days * 1440)
        wanted = [INVOCATIONS, FAILURES, SHARES, *followed(answer)]
        load, known = known_of(estate, unread, target, scaled, minutes(wanted), begin, end)
    if series is None:
        return question(target.name, load, f"{what} of the last {days} days, by minute", wishes, known)
    series_load, name = series
    read = replayed(estate, unread, target, series_load.begin, series_load.minutes)
    return question(target.name, series_load, name, wishes, replace(known, replayable=read, start=None, others=()))
