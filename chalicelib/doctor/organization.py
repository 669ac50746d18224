"""Whether each account of an organization lets the auditor in, lets it read everything, and sends it its events.

Reads only. The role of each account is assumed as the auditor does, and once without its external id, which it has to
refuse.
"""

import json
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any, Literal

import boto3
from botocore.exceptions import BotoCoreError, ClientError
from pydantic import BaseModel, ConfigDict

from chalicelib.doctor.doctor import QUICK, tried
from chalicelib.events import API_CALL, NAMED_BY, SCALING_ACTIVITY
from chalicelib.fleet.accounts import NotAllowed, accounts_of_organization, assumed, role_arn
from chalicelib.inventory.answers import CallFailed, Gone
from chalicelib.inventory.aws import Aws
from chalicelib.scope import Scope, partition_of
from chalicelib.service import Service

#: Accounts that are looked at side by side, each with calls of its own side by side.
ACCOUNTS_AT_ONCE = 4
#: Operations that a sentence names.
NAMED = 5
#: What the rules of infra/member-events.yaml send.
SENT = frozenset({*NAMED_BY, SCALING_ACTIVITY, API_CALL})
ROLE, EVENTS = "infra/member-role.yaml", "infra/member-events.yaml"

Topic = Literal["bus", "role", "external id", "permissions", "events"]
State = Literal["ok", "note", "wrong", "unclear"]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True)


class MemberCheck(_Model):
    """One thing looked at in an account; ``region`` is None for what is the same in all of them."""

    topic: Topic
    region: str | None = None
    state: State
    text: str


class Member(_Model):
    """An account and what was looked at there."""

    account: str
    checks: list[MemberCheck]


class OrganizationDiagnosis(_Model):
    """Every account, and the bus of the auditor's own that takes their events."""

    account: str
    region: str
    bus: MemberCheck
    members: list[Member]

    @property
    def ready(self) -> bool:
        """True where each account can be read in whole, and none that should send its events does not."""
        checks = [self.bus, *(check for member in self.members for check in member.checks)]
        return all(check.state in ("ok", "note") for check in checks)


def diagnose_organization(
    service: Service,
    now: datetime,
    *,
    role: str,
    external_id: str | None,
    accounts: Sequence[str] = (),
    regions: Sequence[str] = (),
) -> OrganizationDiagnosis:
    """Looks at these accounts (default: those of the organization) in these regions (default: the own one).

    Raises AccessFailed where the organization cannot be listed or the own credentials do not work.
    """
    caller = service.caller
    own, region = caller.identity.account, caller.region
    wanted = [account for account in accounts or accounts_of_organization(service.session) if account != own]
    bus, lets_in = _bus(Aws(service.session, region, QUICK, attempts=1))
    looking = _Looking(service, now, role, external_id, tuple(regions) or (region,), lets_in)
    with ThreadPoolExecutor(ACCOUNTS_AT_ONCE, thread_name_prefix="member") as pool:
        members = list(pool.map(looking.at, dict.fromkeys(wanted)))
    return OrganizationDiagnosis(account=own, region=region, bus=bus, members=members)


class _Looking:
    """What is asked of each account."""

    def __init__(
        self,
        service: Service,
        now: datetime,
        role: str,
        external_id: str | None,
        regions: tuple[str, ...],
        lets_in: Callable[[str], bool],
    ) -> None:
        self._service, self._now, self._role, self._external_id = service, now, role, external_id
        self._regions, self._lets_in = regions, lets_in

    def at(self, account: str) -> Member:
        """An account, with whatever can be told of it."""
        arn = role_arn(account, self._role, self._service.caller.region)
        try:
            session = assumed(self._service.session, arn, self._service.caller.region, self._external_id)
        except (NotAllowed, ClientError, BotoCoreError) as refused:
            text = f"{refused}; deploy {ROLE} there, with this external id, and trust the role that asks"
            state: State = "wrong" if isinstance(refused, NotAllowed) else "unclear"
            return Member(account=account, checks=[MemberCheck(topic="role", state=state, text=text)])
        checks = [MemberCheck(topic="role", state="ok", text=f"{arn} lets the auditor in"), self._asks_for_id(arn)]
        checks.append(self._permissions(session, account))
        checks += [self._events(session, account, region) for region in self._regions]
        return Member(account=account, checks=checks)

    def _asks_for_id(self, arn: str) -> MemberCheck:
        if not self._external_id:
            text = "was not given, so that it was not asked for; accepted is --external-id"
            return MemberCheck(topic="external id", state="note", text=text)
        try:
            assumed(self._service.session, arn, self._service.caller.region)
        except NotAllowed:
            return MemberCheck(topic="external id", state="ok", text="without it the role lets nobody in")
        except (ClientError, BotoCoreError) as error:
            return MemberCheck(topic="external id", state="unclear", text=f"cannot be told: {error}")
        text = f"the role lets in without it: whoever gets into the auditor's role needs no secret; deploy {ROLE} again"
        return MemberCheck(topic="external id", state="wrong", text=text)

    def _permissions(self, session: boto3.Session, account: str) -> MemberCheck:
        region = self._regions[0]
        scope = Scope(account, region, partition_of(region))
        aws = Aws(session, region, QUICK, attempts=1)
        answers = {
            answer.operation: answer
            for sweep in (True, False)
            for answer in tried(aws, scope, self._service.policy, self._now, sweep=sweep)
        }
        lacking = [answer for answer in answers.values() if answer.state == "denied"]
        unclear = [answer for answer in answers.values() if answer.state == "unclear"]
        if lacking:
            text = f"{len(lacking)} of {len(answers)} are denied: {_named(answer.operation for answer in lacking)}"
            mended = "a deny there has to go" if any(answer.explicit for answer in lacking) else f"deploy {ROLE} again"
            return MemberCheck(topic="permissions", state="wrong", text=f"{text}; {mended}")
        if unclear:
            text = f"{len(unclear)} of {len(answers)} cannot be told: {_named(answer.operation for answer in unclear)}"
            return MemberCheck(topic="permissions", state="unclear", text=text)
        return MemberCheck(topic="permissions", state="ok", text=f"all {len(answers)} are there")

    def _events(self, session: boto3.Session, account: str, region: str) -> MemberCheck:
        """Whether the rules of the account in a region send what the auditor listens to."""
        if not self._lets_in(account):
            text = "the auditor's bus takes none of this account: it is audited daily alone"
            return MemberCheck(topic="events", region=region, state="note", text=text)
        own, home = self._service.caller.identity.account, self._service.caller.region
        bus = f"arn:{partition_of(home)}:events:{home}:{own}:event-bus/default"
        aws = Aws(session, region, QUICK, attempts=1)
        try:
            names = aws.call("events", "ListRuleNamesByTarget", TargetArn=bus)["RuleNames"]
            rules = [aws.call("events", "DescribeRule", Name=name) for name in names]
        except (CallFailed, Gone) as failure:
            text = f"cannot be told ({failure}); the role of today's {ROLE} may tell"
            return MemberCheck(topic="events", region=region, state="unclear", text=text)
        lacking = SENT - {word for rule in rules if rule.get("State") == "ENABLED" for word in _detail_types(rule)}
        if lacking:
            text = f"{len(lacking)} of {len(SENT)} kinds are not sent: {_named(sorted(lacking))}; deploy {EVENTS} there"
            return MemberCheck(topic="events", region=region, state="wrong", text=text)
        return MemberCheck(topic="events", region=region, state="ok", text=f"all {len(SENT)} kinds are sent here")


def _bus(aws: Aws) -> tuple[MemberCheck, Callable[[str], bool]]:
    """The auditor's own bus, and which accounts it lets in."""
    try:
        policy = json.loads(aws.call("events", "DescribeEventBus", Name="default").get("Policy") or "{}")
        statements = [statement for statement in policy.get("Statement", ()) if _lets_put(statement)]
    except (CallFailed, Gone) as failure:
        check = MemberCheck(topic="bus", region=aws.region, state="unclear", text=f"cannot be told: {failure}")
        return check, lambda account: True
    except (ValueError, AttributeError):
        check = MemberCheck(topic="bus", region=aws.region, state="unclear", text="its policy cannot be understood")
        return check, lambda account: True
    principals = {principal for statement in statements for principal in _principals(statement)}
    if not principals:
        text = "takes no events of other accounts; accepted are OrganizationId or a list in Accounts of the stack"
        return MemberCheck(topic="bus", region=aws.region, state="note", text=text), lambda account: False
    everybody = "*" in principals
    whom = "the accounts of an organization" if everybody else f"{len(principals)} listed accounts"
    check = MemberCheck(topic="bus", region=aws.region, state="ok", text=f"takes events of {whom}")
    return check, lambda account: everybody or account in principals


def _lets_put(statement: dict[str, Any]) -> bool:
    actions = statement.get("Action") or []
    return statement.get("Effect") == "Allow" and "events:PutEvents" in (
        [actions] if isinstance(actions, str) else actions
    )


def _principals(statement: dict[str, Any]) -> Iterable[str]:
    """The ids of accounts, or a star, that a statement names."""
    principal = statement.get("Principal", {})
    named = principal.get("AWS", []) if isinstance(principal, dict) else principal
    for name in [named] if isinstance(named, str) else named:
        yield name.split(":")[4] if name.startswith("arn:") else name


def _detail_types(rule: dict[str, Any]) -> list[str]:
    try:
        types = json.loads(rule.get("EventPattern") or "{}").get("detail-type", [])
    except ValueError:
        return []
    return [word for word in types if isinstance(word, str)]


def _named(names: Iterable[str]) -> str:
    """The first names, and how many more there are."""
    listed = list(names)
    more = f" and {len(listed) - NAMED} more" if len(listed) > NAMED else ""
    return ", ".join(listed[:NAMED]) + more
