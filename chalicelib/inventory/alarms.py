"""Which alarms are read: those that policies and deployments name, or in a sweep all there are."""

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

from chalicelib.inventory.answers import unreadable
from chalicelib.inventory.estate import Inventory
from chalicelib.inventory.kinds.scaling import Alarm, ScalingPolicy
from chalicelib.inventory.parts import Part
from chalicelib.inventory.reader import Reader


def read_alarms(reader: Reader, estate: Inventory) -> None:
    """The alarms of the region where a rule wants all of them, and out of these, or by their names, those of policies
    and of deployments."""
    if Part.ALL_ALARMS in reader.needs and reader.scope.whole:
        estate.all_alarms = reader.whole(Part.ALL_ALARMS, lambda: all_alarms(reader))
    if Part.ALARMS in reader.needs:
        estate.alarms = _named(reader, Part.ALARMS, alarms_named_by(estate.policies), estate)
    if Part.ROLLBACK_ALARMS in reader.needs:
        names = {name for endpoint in estate.endpoints.values() for name in endpoint.rollback_alarms}
        estate.rollback_alarms = _named(reader, Part.ROLLBACK_ALARMS, names, estate)


def _named(reader: Reader, part: Part, names: set[str], estate: Inventory) -> dict[str, Alarm]:
    every = estate.all_alarms
    if every is not None and reader.gaps.hidden(Part.ALL_ALARMS) is None:
        return {name: every[name] for name in names if name in every}
    return reader.whole(part, lambda: named_alarms(reader, part, names)) or {}


def alarms_named_by(policies: Iterable[ScalingPolicy]) -> set[str]:
    """The names of the alarms that policies hang on."""
    return {alarm.name for policy in policies for alarm in policy.alarms if alarm.name}


def named_alarms(reader: Reader, part: Part, named: Iterable[str]) -> dict[str, Alarm]:
    """The alarms of these names, 100 a call. A name without an answer is an alarm that is gone."""
    names = sorted(named)
    slices = [names[start : start + 100] for start in range(0, len(names), 100)]
    answers = reader.each(partial(_alarms_named, reader), slices)
    return _by_name(reader, part, [alarm for answer in answers for alarm in answer])


def all_alarms(reader: Reader) -> dict[str, Alarm]:
    """Every alarm of the region, composite ones among them."""
    answers = reader.aws.answers(
        "cloudwatch", "DescribeAlarms", AlarmTypes=["MetricAlarm", "CompositeAlarm"], MaxRecords=100
    )
    return _by_name(reader, Part.ALL_ALARMS, [alarm for answer in answers for alarm in _listed(answer)])


def _by_name(reader: Reader, part: Part, records: list[dict[str, Any]]) -> dict[str, Alarm]:
    return {alarm.name: alarm for alarm in reader.typed(part, Alarm, records, "AlarmName")}


def _listed(answer: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [*(answer.get("MetricAlarms") or ()), *(answer.get("CompositeAlarms") or ())]


def _alarms_named(reader: Reader, names: list[str]) -> list[dict[str, Any]]:
    """The alarms of these names, composite ones among them: at most 100, which is one page."""
    answer = reader.aws.call(
        "cloudwatch", "DescribeAlarms", AlarmNames=names, AlarmTypes=["MetricAlarm", "CompositeAlarm"], MaxRecords=100
    )
    if answer.get("NextToken"):
        raise unreadable("cloudwatch:DescribeAlarms", "the alarms of so many names come in pages")
    return _listed(answer)
