"""CloudWatch alarm mute rules: the facts, and how they are read."""

import re
from collections.abc import Iterable, Sequence
from datetime import timedelta
from functools import partial
from typing import ClassVar

from chalicelib.inventory.answers import text
from chalicelib.inventory.facts import Fact, Unread, at
from chalicelib.inventory.kinds.scaling import Alarm
from chalicelib.inventory.parts import Part
from chalicelib.inventory.reader import Reader
from chalicelib.inventory.schedules import CRON

_SERVICE, _LIST = "cloudwatch", "ListAlarmMuteRules"
_DURATION = re.compile(r"P(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?")
_EVERY_DAY = re.compile(r"\*|\?|SUN-SAT|0-6|1-7", re.IGNORECASE)


class MuteRule(Fact):
    """``GetAlarmMuteRule``: when the actions of which alarms are held back."""

    kind: ClassVar[str] = "alarm-mute-rule"
    name: str = at("Name", required=True)
    status: str = at("Status", default="")
    expression: str = at("Rule.Schedule.Expression", default="")
    duration: str = at("Rule.Schedule.Duration", default="")
    alarm_names: tuple[str, ...] = at("MuteTargets.AlarmNames", default=())

    @property
    def length(self) -> timedelta:
        """How long it mutes each time; raises Unread where it is not understood."""
        match = _DURATION.fullmatch(self.duration)
        if match is None or not any(match.groups()):
            raise Unread(f"the duration {self.duration!r} of the mute rule {self.name} is not understood")
        weeks, days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
        return timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds)

    @property
    def active(self) -> bool:
        return self.status.upper() == "ACTIVE"

    @property
    def daily(self) -> bool:
        """True for ``cron(minutes hours day-of-month month day-of-week)`` that comes every day."""
        cron = CRON.fullmatch(self.expression.strip())
        fields = cron.group(1).split() if cron is not None else []
        return len(fields) == 5 and all(_EVERY_DAY.fullmatch(field) for field in fields[2:])


def mute_rules(reader: Reader, alarms: Sequence[Alarm], keep: int = 0) -> list[MuteRule] | None:
    """The mute rules that are not over: all of them, in a narrow scope those of its alarms, each by a call of its own
    while ``keep`` calls stay. None where this boto3 does not know them yet, or no call is left."""
    if not reader.aws.knows(_SERVICE, _LIST):
        return None
    if not alarms:
        return []
    if not reader.scope.whole and not reader.affords(len(alarms) + keep):
        reader.left_to_sweep(Part.MUTES)
        return None
    asked = [{}] if reader.scope.whole else [{"AlarmName": alarm.name} for alarm in alarms]
    answers = reader.each(partial(_listed, reader), asked)
    names = dict.fromkeys(name for answer in answers for name in answer)
    if not reader.affords(len(names) + keep):
        reader.left_to_sweep(Part.MUTES)
        return None
    described = reader.each(lambda name: reader.aws.call(_SERVICE, "GetAlarmMuteRule", AlarmMuteRuleName=name), names)
    return reader.typed(Part.MUTES, MuteRule, described)


def _listed(reader: Reader, named: dict[str, str]) -> Iterable[str]:
    """The names of mute rules, which their list shows in their ARNs only."""
    listed = reader.aws.listing(
        _SERVICE, _LIST, "AlarmMuteRuleSummaries", Statuses=["SCHEDULED", "ACTIVE"], MaxRecords=100, **named
    )
    arns = [text(summary, "AlarmMuteRuleArn") for summary in listed]
    if not all(arns):
        reader.record_unread(Part.MUTES, "no AlarmMuteRuleArn", operation=f"{_SERVICE}:{_LIST}")
    return [arn.rsplit(":", 1)[-1] for arn in arns if arn]
