"""CloudWatch alarm mute rules, which moto does not know."""

from __future__ import annotations

from typing import Any

from moto.utilities.utils import get_partition

from emulator.cbor import Timestamp
from emulator.extension.records import now
from emulator.extension.registry import AwsError, epoch, operation, page

Request = dict[str, Any]
SERVICE = "cloudwatch"
_DEFAULT_PAGE, _MAXIMUM_PAGE = 50, 100


def rules_of(backend: Any) -> dict[str, Request]:
    """All mute rules of a backend, by name; a reset of the backend drops them."""
    store: dict[str, Request] = vars(backend).setdefault("_mute_rules", {})
    return store


@operation(SERVICE, "PutAlarmMuteRule")
def put_alarm_mute_rule(backend: Any, request: Request) -> None:
    """The rule is SCHEDULED, or EXPIRED where its end is past: a seed says whether it is ACTIVE."""
    expires = request.get("ExpireDate")
    over = expires is not None and epoch(expires) <= now()
    region, account = backend.region_name, backend.account_id
    rules_of(backend)[request["Name"]] = {
        **{member: request[member] for member in ("Name", "Description", "Rule", "MuteTargets") if member in request},
        "AlarmMuteRuleArn": f"arn:{get_partition(region)}:cloudwatch:{region}:{account}:alarm-mute-rule:"
        f"{request['Name']}",
        "Status": "EXPIRED" if over else "SCHEDULED",
        "MuteType": "ONE_TIME" if request["Rule"]["Schedule"]["Expression"].startswith("at(") else "RECURRING",
        "LastUpdatedTimestamp": Timestamp(now()),
        **({"ExpireDate": Timestamp(epoch(expires))} if expires is not None else {}),
    }


@operation(SERVICE, "GetAlarmMuteRule")
def get_alarm_mute_rule(backend: Any, request: Request) -> Request:
    return _found(backend, request)


@operation(SERVICE, "DeleteAlarmMuteRule")
def delete_alarm_mute_rule(backend: Any, request: Request) -> None:
    rules_of(backend).pop(request["AlarmMuteRuleName"], None)


def _found(backend: Any, request: Request) -> Request:
    rule = rules_of(backend).get(request["AlarmMuteRuleName"])
    if rule is None:
        raise AwsError("ResourceNotFoundException", f"Mute rule {request['AlarmMuteRuleName']} does not exist")
    return rule


@operation(SERVICE, "ListAlarmMuteRules")
def list_alarm_mute_rules(backend: Any, request: Request) -> Request:
    """Summaries, which name the rule in its ARN only, of the rules of one alarm or of all, in the states asked for."""
    alarm, states = request.get("AlarmName"), request.get("Statuses")
    rules = [
        rule
        for _, rule in sorted(rules_of(backend).items())
        if (alarm is None or alarm in (rule.get("MuteTargets") or {}).get("AlarmNames", []))
        and (not states or rule["Status"] in states)
    ]
    shown, token = page(rules, request, _DEFAULT_PAGE, _MAXIMUM_PAGE, size_member="MaxRecords")
    members = ("AlarmMuteRuleArn", "ExpireDate", "Status", "MuteType", "LastUpdatedTimestamp")
    summaries = [{member: rule[member] for member in members if member in rule} for rule in shown]
    return {"AlarmMuteRuleSummaries": summaries, **({"NextToken": token} if token else {})}
