"""Events of member accounts: handed over by one message, audited with the role of the account, told once."""

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from typing import Any

import pytest
from chalice.test import Client
from moto.events.models import EventPattern

import app as handlers
from chalicelib.events import scope_of
from chalicelib.fleet.asked import asked_in
from chalicelib.ledger.ledger import Ledger
from emulator import seed
from emulator.front import Front
from emulator.server import DEFAULT_ACCOUNT as ACCOUNT
from emulator.server import DEFAULT_REGION as REGION
from tests.service.test_audit import NOW, an_endpoint
from tests.service.test_events import endpoint_event
from tests.service.test_fleet import MEMBERS, Account, a_record
from tests.service.test_triggers import sent
from tests.service.test_whose import of
from tests.unit.test_events import an_event
from tools.infra import STACK, load
from tools.member_events import MEMBER_EVENTS

MEMBER, STRANGER = MEMBERS[0], "999999999999"
NATIVE, PARTS = "audit_on_sagemaker_event", "audit_part"
CHANGED = of(endpoint_event("endpoint-1"), MEMBER)
LATELY = NOW - timedelta(days=3)
#: The most calls that an event of an endpoint costs.
MOST_CALLS = 16

Invoke = Callable[[str, dict[str, Any]], Any]


@pytest.fixture
def account(emulator: Any, monkeypatch: pytest.MonkeyPatch) -> Account:
    account = Account(emulator)
    for name, value in {
        "TOPIC_ARN": account.subscriber.topic,
        "TABLE": "auditor-ledger",
        "QUEUE_URL": account.queue,
        "ACCOUNTS": ",".join([ACCOUNT, *MEMBERS]),
        "ROLE_NAME": "auditor-member",
    }.items():
        monkeypatch.setenv(f"AUDITOR_{name}", value)
    return account


@pytest.fixture
def invoke(account: Account) -> Iterator[Invoke]:
    """Invokes a function by its name."""
    handlers.service.cache_clear()
    with Client(handlers.app) as client:
        yield lambda function, event: sent(client, function, event)
    handlers.service.cache_clear()


def reads(front: Front) -> list[tuple[str, str]]:
    """What was read, and with whose credentials."""
    own = ("sns", "sqs", "dynamodb", "sts", "organizations")
    return [(call.account, call.name) for call in front.history if call.service not in own]


def changes(account: Account) -> list[tuple[str, str, str]]:
    """The account, rule and change of everything that was told since the last look."""
    return [
        (notice["account"], change["finding"]["rule"], change["change"])
        for notice in account.notices()
        for change in notice["told"]
    ]


def test_an_event_of_a_member_is_handed_over_and_audited_with_its_role(
    invoke: Invoke, account: Account, front: Front
) -> None:
    front.history.clear()
    assert invoke(NATIVE, CHANGED) == {"handed_over": MEMBER}
    assert reads(front) == []
    assert "sts:AssumeRole" not in {call.name for call in front.history}
    (record,) = account.queued()
    assert invoke(PARTS, {"Records": [record]}) == {"batchItemFailures": []}
    assert {owner for owner, _ in reads(front)} == {MEMBER}
    assert len(reads(front)) <= MOST_CALLS
    assert {owner for owner, _, _ in changes(account)} == {MEMBER}


def test_it_is_judged_as_an_event_of_the_own_account(invoke: Invoke, account: Account) -> None:
    an_endpoint(account.emulator, "endpoint-1", count=1, called=False)
    for owner in (ACCOUNT, MEMBER):
        seed.endpoint(owner, REGION, "endpoint-1", created=LATELY, modified=LATELY)
    invoke(NATIVE, CHANGED)
    invoke(PARTS, {"Records": account.queued()})
    of_member = [(rule, change) for _, rule, change in changes(account)]
    invoke(NATIVE, of(endpoint_event("endpoint-1")))
    assert {("endpoint-single-instance", "new"), ("variant-no-autoscaling", "new")} <= set(of_member)
    assert [(rule, change) for _, rule, change in changes(account)] == of_member


def test_what_is_delivered_twice_is_told_once(invoke: Invoke, account: Account) -> None:
    for _ in range(2):
        invoke(NATIVE, CHANGED)
    records = account.queued()
    assert len(records) == 2
    invoke(PARTS, {"Records": records})
    rules = [rule for _, rule, _ in changes(account)]
    assert rules
    assert len(rules) == len(set(rules))
    invoke(PARTS, {"Records": records})
    assert changes(account) == []


def test_what_is_gone_in_the_account_of_the_member_resolves_its_findings_alone(
    invoke: Invoke, account: Account
) -> None:
    an_endpoint(account.emulator, "endpoint-1", count=1)
    invoke(NATIVE, of(endpoint_event("endpoint-1")))
    invoke(NATIVE, CHANGED)
    invoke(PARTS, {"Records": account.queued()})
    account.notices()
    account.client_in(MEMBER, "sagemaker").delete_endpoint(EndpointName="endpoint-1")
    invoke(NATIVE, CHANGED)
    invoke(PARTS, {"Records": account.queued()})
    assert (MEMBER, "endpoint-single-instance", "resolved") in changes(account)
    ledger = Ledger("auditor-ledger", account.emulator.client("dynamodb"))
    assert ledger.unresolved(MEMBER, REGION) == {}
    assert ledger.unresolved(ACCOUNT, REGION) != {}


def test_what_is_in_the_middle_of_a_change_is_asked_about_again(invoke: Invoke, account: Account, front: Front) -> None:
    seed.endpoint(MEMBER, REGION, "endpoint-1", status="Updating")
    invoke(NATIVE, CHANGED)
    invoke(PARTS, {"Records": account.queued()})
    message = next(call.params for call in reversed(front.history) if call.name == "sqs:SendMessage")
    body = json.loads(message["MessageBody"])
    assert (body["kind"], body["account"], body["attempt"], message["DelaySeconds"]) == ("audit-again", MEMBER, 1, 600)
    seed.endpoint(MEMBER, REGION, "endpoint-1", status="InService")
    account.notices()
    front.history.clear()
    assert invoke(PARTS, {"Records": [a_record(body)]}) == {"batchItemFailures": []}
    assert {owner for owner, _ in reads(front)} == {MEMBER}
    assert ("endpoint-single-instance", "new") in [(rule, change) for _, rule, change in changes(account)]


SCALED = {"resourceId": "endpoint/endpoint-1/variant/V", "serviceNamespace": "sagemaker", "scaledToMax": True}
AT_MAXIMUM = an_event("Application Auto Scaling Scaling Activity State Change", SCALED, account=MEMBER)
SUBNET = {"eventSource": "ec2.amazonaws.com", "requestParameters": {"subnetId": "subnet-1", "vpcId": "vpc-1"}}
WITHOUT_SUBNET = an_event("AWS API Call via CloudTrail", {**SUBNET, "eventName": "DeleteSubnet"}, account=MEMBER)


@pytest.mark.parametrize("event", [CHANGED, AT_MAXIMUM])
def test_a_message_asks_for_what_the_event_did(invoke: Invoke, account: Account, event: dict[str, Any]) -> None:
    invoke(NATIVE, event)
    (record,) = account.queued()
    asked = asked_in(record)
    assert (asked.scope, asked.attempt, asked.event) == (scope_of(event), 0, event["id"])


def test_what_stands_on_a_subnet_of_the_member_is_asked_for(invoke: Invoke, account: Account) -> None:
    ledger = Ledger("auditor-ledger", account.emulator.client("dynamodb"))
    for owner, name in ((MEMBER, "theirs"), (ACCOUNT, "own")):
        ledger.stands(owner, REGION, {"subnet-1": [f"arn:aws:sagemaker:{REGION}:{owner}:model/{name}"]})
    invoke(NATIVE, WITHOUT_SUBNET)
    (record,) = account.queued()
    assert [(resource.kind, resource.name) for resource in asked_in(record).scope.resources] == [
        ("vpc", "vpc-1"),
        ("model", "theirs"),
    ]


def test_an_alarm_that_nothing_is_known_of_is_not_handed_over(invoke: Invoke, account: Account) -> None:
    detail = {"eventSource": "monitoring.amazonaws.com", "requestParameters": {"alarmNames": ["a"]}}
    event = an_event("AWS API Call via CloudTrail", {**detail, "eventName": "DeleteAlarms"}, account=MEMBER)
    assert "stands on it" in invoke(NATIVE, event)["dropped"]
    assert account.queued() == []


@pytest.mark.parametrize("place", [(STRANGER, REGION), (MEMBER, "us-east-1"), ("*", REGION)])
def test_an_account_without_a_role_or_another_region_is_dropped_with_its_id(
    invoke: Invoke, account: Account, front: Front, caplog: pytest.LogCaptureFixture, place: tuple[str, str]
) -> None:
    front.history.clear()
    answer = invoke(NATIVE, of(endpoint_event("endpoint-1"), *place))
    assert "is not audited here" in answer["dropped"]
    assert f"event dropped, id {CHANGED['id']}: " in caplog.text
    assert account.queued() == []
    assert reads(front) == []


def test_of_an_organization_an_account_that_is_none_of_it_is_dropped_where_it_is_known(
    invoke: Invoke, account: Account, front: Front, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUDITOR_ACCOUNTS", "organization")
    account.emulator.client("organizations").create_organization(FeatureSet="ALL")
    invoke(NATIVE, of(endpoint_event("endpoint-1"), STRANGER))
    front.history.clear()
    assert invoke(PARTS, {"Records": account.queued()}) == {"batchItemFailures": []}
    assert "sts:AssumeRole" not in {call.name for call in front.history}
    assert f"event dropped, id {CHANGED['id']}: the account '{STRANGER}' is none of the organization" in caplog.text
    listed = account.emulator.client("organizations").create_account(AccountName="m", Email="m@example.org")
    member = listed["CreateAccountStatus"]["AccountId"]
    handlers.service.cache_clear()
    invoke(NATIVE, of(endpoint_event("endpoint-1"), member))
    front.history.clear()
    assert invoke(PARTS, {"Records": account.queued()}) == {"batchItemFailures": []}
    assert {owner for owner, _ in reads(front)} == {member}


def test_an_organization_that_cannot_be_listed_loses_nothing(
    invoke: Invoke, account: Account, front: Front, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUDITOR_ACCOUNTS", "organization")
    invoke(NATIVE, CHANGED)
    front.fail("organizations:ListAccounts", 400, "TooManyRequestsException")
    (record,) = account.queued()
    assert invoke(PARTS, {"Records": [record]}) == {"batchItemFailures": [{"itemIdentifier": record["messageId"]}]}


def test_a_role_that_refuses_drops_the_event_with_its_id(
    invoke: Invoke, account: Account, front: Front, caplog: pytest.LogCaptureFixture
) -> None:
    front.fail("sts:AssumeRole", 403, "AccessDenied")
    invoke(NATIVE, CHANGED)
    assert invoke(PARTS, {"Records": account.queued()}) == {"batchItemFailures": []}
    assert f"event dropped, id {CHANGED['id']}: " in caplog.text
    assert "cannot be assumed" in caplog.text


def test_what_passes_by_itself_is_given_again_soon(invoke: Invoke, account: Account, front: Front) -> None:
    front.fail("sts:AssumeRole", 400, "Throttling")
    invoke(NATIVE, CHANGED)
    (message,) = account.sqs.receive_message(QueueUrl=account.queue)["Messages"]
    record = {**a_record(json.loads(message["Body"]), id="m", attempt=2), "receiptHandle": message["ReceiptHandle"]}
    front.history.clear()
    assert invoke(PARTS, {"Records": [record]}) == {"batchItemFailures": [{"itemIdentifier": "m"}]}
    (change,) = (call.params for call in front.history if call.name == "sqs:ChangeMessageVisibility")
    assert change["VisibilityTimeout"] == 30
    assert changes(account) == []
    front.clear()
    assert invoke(PARTS, {"Records": [record]}) == {"batchItemFailures": []}
    assert changes(account) != []


def test_a_queue_that_does_not_take_the_event_has_lambda_try_it_again(
    invoke: Invoke, account: Account, front: Front
) -> None:
    front.deny("sqs:SendMessage")
    with pytest.raises(Exception, match="cannot be handed over"):
        invoke(NATIVE, CHANGED)


GOOD = {
    "kind": "audit-event",
    "event": "e-7",
    "account": MEMBER,
    "region": REGION,
    "resources": [["endpoint", "endpoint-1"]],
    "hints": [],
}


@pytest.mark.parametrize(
    "wrong",
    [
        {"account": None},
        {"account": STRANGER},
        {"region": 3},
        {"region": "nowhere-1"},
        {"event": None},
        {"resources": None},
        {"resources": []},
        {"resources": [["endpoint"]]},
        {"resources": [["endpoint", ""]]},
        {"resources": [["bucket", "b"]]},
        {"resources": [{"endpoint": "e"}]},
        {"resources": [["endpoint", "endpoint-1"], 3]},
        {"hints": None},
        {"hints": [["scaled-to-max", 3]]},
    ],
)
def test_a_poisoned_message_is_dropped_for_good_and_counted(
    invoke: Invoke, account: Account, front: Front, caplog: pytest.LogCaptureFixture, wrong: dict[str, Any]
) -> None:
    front.history.clear()
    assert invoke(PARTS, {"Records": [a_record({**GOOD, **wrong})]}) == {"batchItemFailures": []}
    assert "event dropped, id " in caplog.text
    assert reads(front) == []
    assert changes(account) == []


def test_the_message_that_is_poisoned_above_is_good_otherwise(invoke: Invoke, account: Account) -> None:
    assert invoke(PARTS, {"Records": [a_record(GOOD)]}) == {"batchItemFailures": []}
    assert changes(account) != []


# ---- the whole way: the rule of the member's template, the bus of the stack's, the function's own rule

CALL = an_event(
    "AWS API Call via CloudTrail",
    {
        "eventSource": "sagemaker.amazonaws.com",
        "eventName": "UpdateEndpointWeightsAndCapacities",
        "requestParameters": {"endpointName": "endpoint-1"},
    },
    account=MEMBER,
)
SCALED_OUT = an_event(
    "Application Auto Scaling Scaling Activity State Change",
    {
        "serviceNamespace": "sagemaker",
        "resourceId": "endpoint/endpoint-1/variant/V",
        "scalableDimension": "sagemaker:variant:DesiredInstanceCount",
        "startTime": "2026-11-22T06:00:00Z",
        "endTime": "2026-11-22T06:05:00Z",
        "newDesiredCapacity": "2",
        "oldDesiredCapacity": "1",
        "minCapacity": "1",
        "maxCapacity": "2",
        "direction": "scale-out",
        "statusCode": "Successful",
        "scaledToMax": True,
    },
    account=MEMBER,
    source="aws.application-autoscaling",
)


def takers(patterns: Mapping[str, Any], event: Any) -> list[str]:
    """The names of the patterns that EventBridge finds in an event."""
    return [name for name, pattern in patterns.items() if EventPattern.load(json.dumps(pattern)).matches_event(event)]


def sent_by_members() -> dict[str, Any]:
    """The patterns of the rules in member accounts, by the function that each is for."""
    names = {name.title().replace("_", ""): name for name in listened_to()}
    rules = load(MEMBER_EVENTS)["Resources"]
    return {
        names[name]: rule["Properties"]["EventPattern"]
        for name, rule in rules.items()
        if rule["Type"] == "AWS::Events::Rule"
    }


def listened_to() -> dict[str, Any]:
    """The patterns that the functions listen to, by their names."""
    sources = {source.name: getattr(source, "event_pattern", None) for source in handlers.app.event_sources}
    return {name: pattern for name, pattern in sources.items() if pattern is not None}


def on_the_bus(event: Mapping[str, Any], accounts: list[str]) -> bool:
    """Whether the bus of a stack with these accounts lets an event in."""
    statement = load(STACK)["Resources"]["EventsOfListedAccounts"]["Properties"]["Statement"]
    assert statement["Principal"] == {"AWS": {"Fn::Split": [",", {"Ref": "Accounts"}]}}
    return (
        event["account"] in accounts
        and event["source"] in statement["Condition"]["ForAllValues:StringEquals"]["events:source"]
    )


@pytest.mark.parametrize(
    ("event", "function"),
    [(CHANGED, NATIVE), (CALL, "audit_on_api_call"), (SCALED_OUT, "audit_on_scaling_event")],
    ids=["native", "call", "scaling"],
)
def test_what_happens_in_a_member_comes_all_the_way_and_is_audited_with_its_role(
    invoke: Invoke, account: Account, front: Front, event: dict[str, Any], function: str
) -> None:
    assert takers(sent_by_members(), event) == [function]
    assert on_the_bus(event, MEMBERS)
    assert takers(listened_to(), event) == [function]
    front.history.clear()
    assert invoke(function, event) == {"handed_over": MEMBER}
    assert invoke(PARTS, {"Records": account.queued()}) == {"batchItemFailures": []}
    assert {owner for owner, _ in reads(front)} == {MEMBER}
    strange = {**event, "account": STRANGER}
    assert not on_the_bus(strange, MEMBERS)
    assert "is not audited here" in invoke(function, strange)["dropped"]  # should a bus of another hand let it in
    assert account.queued() == []


def test_what_asks_for_nothing_or_comes_from_elsewhere_is_not_sent() -> None:
    failed = {**CALL, "detail": {**CALL["detail"], "errorCode": "AccessDenied"}}
    forged = {**CHANGED, "source": "own.sagemaker"}
    other = {**SCALED_OUT, "detail": {**SCALED_OUT["detail"], "serviceNamespace": "ecs"}}
    for event in (failed, forged, other):
        assert takers(sent_by_members(), event) == [], event
    assert not on_the_bus(forged, MEMBERS)
