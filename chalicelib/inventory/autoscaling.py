"""Reading Application Auto Scaling and the alarms that its policies hang on."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any

from chalicelib.inventory.parts import Part
from chalicelib.inventory.reading import Reader
from chalicelib.inventory.scaling import Alarm, ScalableTarget, ScalingActivity, ScalingPolicy, ScheduledAction

_SERVICE = "application-autoscaling"
_NAMESPACE = {"ServiceNamespace": "sagemaker"}


def targets(reader: Reader, resource_ids: Sequence[str] = ()) -> list[ScalableTarget]:
    """The scalable targets of the region, or those of the named resources."""
    named = {"ResourceIds": list(resource_ids)} if resource_ids else {}
    raw = reader.aws.listing(_SERVICE, "DescribeScalableTargets", "ScalableTargets", **_NAMESPACE, **named)
    scope = reader.scope
    stem = f"arn:{scope.partition}:sagemaker:{scope.region}:{scope.account}"
    found = {}
    for target in reader.typed(Part.TARGETS, ScalableTarget, raw):
        parts = target.resource_id.split("/")
        arn = target.target_arn or f"{stem}:{'/'.join(parts[:2])}"
        found[target.resource_id, target.dimension] = target.model_copy(update={"arn": arn})
    return list(found.values())


def policies(reader: Reader, resource_ids: Sequence[str] = ()) -> list[ScalingPolicy]:
    """The scaling policies of the region, or those of the named resources."""
    raw = _of_each(reader, "DescribeScalingPolicies", "ScalingPolicies", resource_ids)
    return list({one.arn or one.name: one for one in reader.typed(Part.POLICIES, ScalingPolicy, raw)}.values())


def schedules(reader: Reader, resource_ids: Sequence[str] = ()) -> list[ScheduledAction]:
    """The scheduled actions of the region, or those of the named resources."""
    raw = _of_each(reader, "DescribeScheduledActions", "ScheduledActions", resource_ids)
    return reader.typed(Part.SCHEDULES, ScheduledAction, raw)


def activities(reader: Reader, resource_ids: Sequence[str] = ()) -> list[ScalingActivity]:
    """The scaling activities of the window, the refused ones too. AWS gives the newest first: older pages are left."""
    oldest = reader.now - timedelta(hours=reader.needs.activity_hours)
    found: list[ScalingActivity] = []
    for named in [{"ResourceId": one} for one in resource_ids] or [{}]:
        pages = reader.aws.pages(
            _SERVICE,
            "DescribeScalingActivities",
            "ScalingActivities",
            IncludeNotScaledActivities=True,
            **_NAMESPACE,
            **named,
        )
        for page in pages:
            parsed = reader.typed(Part.ACTIVITIES, ScalingActivity, page)
            recent = [one for one in parsed if one.started is None or one.started >= oldest]
            found += recent
            if len(recent) < len(parsed):
                break
    return found


def _of_each(reader: Reader, operation: str, key: str, resource_ids: Sequence[str]) -> Iterable[dict[str, Any]]:
    """These operations take one resource id at most, so named resources are asked one by one."""
    if not resource_ids:
        return reader.aws.listing(_SERVICE, operation, key, **_NAMESPACE)
    answers = reader.each(
        lambda one: reader.aws.listing(_SERVICE, operation, key, ResourceId=one, **_NAMESPACE), resource_ids
    )
    return [item for answer in answers for item in answer]


def alarms(reader: Reader, of: Iterable[ScalingPolicy]) -> dict[str, Alarm]:
    """The alarms that these policies name, 100 a call. A name without an answer is an alarm that is gone."""
    names = sorted({alarm.name for policy in of for alarm in policy.alarms if alarm.name})
    slices = [names[start : start + 100] for start in range(0, len(names), 100)]
    answers = reader.each(
        lambda some: reader.aws.listing(
            "cloudwatch", "DescribeAlarms", "MetricAlarms", AlarmNames=some, MaxRecords=100
        ),
        slices,
    )
    found = reader.typed(Part.ALARMS, Alarm, [one for answer in answers for one in answer])
    return {one.name: one for one in found}
