"""Whose credentials are in use and where, what is said where there are none, and the sessions in other accounts."""

from collections.abc import Callable
from datetime import timedelta
from itertools import cycle
from typing import Any

import pytest
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    HTTPClientError,
    NoCredentialsError,
    PartialCredentialsError,
    ProfileNotFound,
)

from chalicelib.errors import AccessFailed, InvalidInput
from chalicelib.fleet.accounts import (
    Caller,
    NotAllowed,
    accounts_of_organization,
    answers_in,
    assumed,
    enabled_regions,
    role_arn,
    tags_of_account,
)
from chalicelib.fleet.owners import account_tags
from chalicelib.fleet.whose import Doors, Foreign
from chalicelib.inventory.remembered import ProcessMemory
from chalicelib.policy.policy import load_policy
from chalicelib.scope import ResourceRef, Scope
from chalicelib.settings import Settings
from samples.builders import NOW

ROLE = "arn:aws:iam::222222222222:role/reader"
MEMBER = {"Account": "222222222222", "Arn": "arn:aws-cn:sts::222222222222:assumed-role/reader/me"}
CREDENTIALS = {"AccessKeyId": "key", "SecretAccessKey": "secret", "SessionToken": "token"}


def refused(code: str, message: str = "no") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, "Operation")


class Sts:
    """A client of every service: answers ``answer`` to whatever is asked, or raises it."""

    def __init__(self, answer: Any) -> None:
        self._answer = answer
        self.asked: list[tuple[str, dict[str, Any]]] = []

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        def call(*_: str, **parameters: Any) -> Any:
            self.asked.append((operation, parameters))
            if isinstance(self._answer, Exception):
                raise self._answer
            return self._answer

        return call


class Session:
    """A session of boto3 with one such client. Its class is called with credentials, as boto3's is."""

    def __init__(
        self,
        answer: Any = None,
        region_name: str | None = "eu-west-1",
        botocore_session: Any = None,
        **credentials: str,
    ) -> None:
        self.region_name, self.credentials, self.sts = region_name, credentials, Sts(answer)
        self.clients: list[tuple[str, str]] = []

    def client(self, service: str, *, region_name: str, config: Any = None) -> Sts:
        self.clients.append((service, region_name))
        self.config = config
        return self.sts

    def get_available_partitions(self) -> list[str]:
        return ["aws", "aws-cn"]

    def get_available_regions(self, service: str, partition: str) -> list[str]:
        assert service == "sagemaker"
        return {"aws": ["us-east-1", "eu-west-1"], "aws-cn": ["cn-north-1"]}[partition]


def caller(answer: Any = None, function: str = "", **session: Any) -> Caller:
    return Caller(Session(answer, **session), function)


@pytest.mark.parametrize(
    ("function", "account"),
    [
        ("arn:aws:lambda:eu-west-1:111111111111:function:auditor", "111111111111"),
        ("arn:aws:lambda:eu-west-1:111111111111", "111111111111"),
        ("", "222222222222"),
        ("arn:aws:lambda:eu-west-1", "222222222222"),
        ("arn:aws:lambda:eu-west-1::function:auditor", "222222222222"),
    ],
)
def test_the_account_is_that_of_the_function_or_else_of_the_credentials(function: str, account: str) -> None:
    assert caller(MEMBER, function).account == account


def test_the_region_of_the_function_needs_no_list_and_any_other_is_looked_up() -> None:
    function = "arn:aws:lambda:xx-new-1:111111111111:function:auditor"
    assert caller(MEMBER, function, region_name="xx-new-1").region == "xx-new-1"
    with pytest.raises(InvalidInput, match="unknown region 'xx-new-2'; accepted are cn-north-1, eu-west-1, us-east-1"):
        _ = caller(MEMBER, function, region_name="xx-new-2").region


def test_without_a_region_it_is_said_how_to_name_one() -> None:
    with pytest.raises(InvalidInput, match="no AWS region is set; accepted are --region, AWS_DEFAULT_REGION") as error:
        assert caller(region_name=None).region
    assert error.value.field == "region"


def test_a_region_is_one_in_which_sagemaker_is_in_any_partition() -> None:
    assert caller().region == "eu-west-1"
    assert caller().known_region("cn-north-1") == "cn-north-1"
    with pytest.raises(InvalidInput) as error:
        assert caller(region_name="nowhere-1").region
    assert str(error.value) == "unknown region 'nowhere-1'; accepted are cn-north-1, eu-west-1, us-east-1"
    assert error.value.field == "region"


FAILURES: list[tuple[Exception, str]] = [
    (NoCredentialsError(), "no AWS credentials were found; accepted are --profile"),
    (PartialCredentialsError(provider="env", cred_var="AWS_SECRET_ACCESS_KEY"), "no AWS credentials were found"),
    (EndpointConnectionError(endpoint_url="https://sts"), 'AWS cannot be reached: .*"https://sts"; check the network'),
    (ConnectTimeoutError(endpoint_url="https://sts"), "AWS cannot be reached: Connect timeout"),
    (HTTPClientError(error="proxy"), "AWS cannot be reached: .*proxy"),
    (refused("ExpiredToken", "it expired"), r"AWS refused the credentials \(ExpiredToken: it expired\); accepted are"),
    (ClientError({}, "GetCallerIdentity"), r"AWS refused the credentials \(None: None\)"),
    (ProfileNotFound(profile="ml"), "the AWS configuration cannot be used: .*ml"),
]


@pytest.mark.parametrize(("failure", "says"), FAILURES, ids=[type(failure).__name__ for failure, _ in FAILURES])
def test_credentials_that_do_not_work_are_a_sentence(failure: Exception, says: str) -> None:
    with pytest.raises(AccessFailed, match=f"^{says}"):
        assert caller(failure).identity


def test_who_asks_is_asked_once_in_the_own_region_and_patiently_for_seconds_only() -> None:
    session = Session(MEMBER)
    asking = Caller(session)
    assert asking.identity is asking.identity
    assert (asking.identity.account, asking.identity.partition, asking.identity.arn) == (
        "222222222222",
        "aws-cn",
        MEMBER["Arn"],
    )
    assert session.clients == [("sts", "eu-west-1")]
    assert session.sts.asked == [("get_caller_identity", {})]
    assert session.config.connect_timeout + session.config.read_timeout <= 15
    assert session.config.retries["total_max_attempts"] <= 2


def test_a_scope_is_of_the_account_of_the_credentials() -> None:
    policy, churn = load_policy(), ResourceRef("endpoint", "churn")
    scope = caller(MEMBER).scope(policy, None, [churn], ["endpoint-idle"])
    assert (scope.account, scope.region, scope.partition) == ("222222222222", "eu-west-1", "aws-cn")
    assert (scope.resources, scope.rules) == ((churn,), frozenset({"endpoint-idle"}))
    assert caller(MEMBER).scope(policy, "us-east-1", [], []).region == "us-east-1"
    with pytest.raises(InvalidInput, match="unknown region"):
        caller(MEMBER).scope(policy, "nowhere-1", [], [])
    with pytest.raises(InvalidInput, match="unknown rule 'endpoint-idel'; did you mean 'endpoint-idle'") as error:
        caller(MEMBER).scope(policy, None, [], ["endpoint-idel"])
    assert error.value.field == "rules"


def test_an_organization_that_cannot_be_read_says_what_is_needed() -> None:
    session: Any = Session(refused("AccessDeniedException"))
    with pytest.raises(AccessFailed, match=r"cannot be listed: .*AccessDenied.*needed is organizations:ListAccounts"):
        accounts_of_organization(session)
    assert session.clients == [("organizations", "us-east-1")]


def test_the_tags_of_an_account_that_cannot_be_read_say_what_is_needed() -> None:
    session: Any = Session(refused("AccessDeniedException"))
    with pytest.raises(
        AccessFailed, match=r"222222222222 cannot be read: .*needed is organizations:ListTagsForResource"
    ):
        tags_of_account(session, "222222222222")
    assert account_tags(session, ProcessMemory(), "222222222222", ask=True) == {}


class Pages:
    """A session whose organization answers these pages, over and over."""

    def __init__(self, *pages: Any) -> None:
        self.pages, self.given = pages, 0

    def client(self, *_: Any, config: Any, **__: Any) -> Any:
        assert config.connect_timeout * config.retries["total_max_attempts"] <= 10
        return self

    def get_paginator(self, _: str) -> Any:
        return self

    def paginate(self, **_: Any) -> Any:
        for page in cycle(self.pages):
            self.given += 1
            yield page


@pytest.mark.parametrize("page", [None, {}, {"Tags": None}, {"Tags": ["odd"]}, {"Tags": [{"Key": "owner"}]}, "<html>"])
def test_an_odd_answer_about_the_tags_of_an_account_costs_no_audit(page: Any) -> None:
    session: Any = Pages(page)
    assert account_tags(session, ProcessMemory(), "222222222222", ask=True) == {}


def test_pages_of_tags_without_an_end_are_left() -> None:
    session: Any = Pages({"Tags": [{"Key": "owner", "Value": "platform"}]})
    assert account_tags(session, ProcessMemory(), "222222222222", ask=True) == {"owner": "platform"}
    assert session.given <= 6


def test_the_arn_of_a_role_is_in_the_partition_of_the_region() -> None:
    assert role_arn("222222222222", "reader", "eu-west-1") == ROLE
    assert role_arn("222222222222", "audit/reader", "cn-north-1") == "arn:aws-cn:iam::222222222222:role/audit/reader"


@pytest.mark.parametrize("external_id", [None, "a-secret"])
def test_a_role_is_assumed_with_its_external_id_and_gives_a_session(external_id: str | None) -> None:
    session: Any = Session({"Credentials": CREDENTIALS})
    granted: Any = assumed(session, ROLE, "us-east-1", external_id)
    assert isinstance(granted, Session) and granted.region_name == "us-east-1"
    assert granted.credentials == {
        "aws_access_key_id": "key",
        "aws_secret_access_key": "secret",
        "aws_session_token": "token",
    }
    asked = {"RoleArn": ROLE, "RoleSessionName": "sagemaker-auditor"}
    asked |= {"ExternalId": external_id} if external_id else {}
    assert session.sts.asked == [("assume_role", asked)]
    assert session.clients == [("sts", "us-east-1")]


@pytest.mark.parametrize(
    "code", ["AccessDenied", "AccessDeniedException", "InvalidClientTokenId", "RegionDisabledException"]
)
def test_a_role_that_refuses_is_not_tried_again(code: str) -> None:
    session: Any = Session(refused(code))
    with pytest.raises(NotAllowed, match=rf"the role {ROLE} cannot be assumed \({code}\)") as error:
        assumed(session, ROLE, "eu-west-1")
    assert error.value.operation == "sts:AssumeRole"


@pytest.mark.parametrize("failure", [refused("Throttling"), EndpointConnectionError(endpoint_url="https://sts")])
def test_what_may_pass_by_itself_is_raised_as_it_is(failure: Exception) -> None:
    session: Any = Session(failure)
    with pytest.raises(type(failure)):
        assumed(session, ROLE, "eu-west-1")


def test_the_regions_that_are_enabled() -> None:
    session: Any = Session({"Regions": [{"RegionName": "eu-west-1"}, {"RegionName": "us-east-1"}]})
    assert enabled_regions(session, "eu-west-1") == ["eu-west-1", "us-east-1"]
    assert session.clients == [("ec2", "eu-west-1")]
    for failure in (refused("UnauthorizedOperation", "not you"), EndpointConnectionError(endpoint_url="not you")):
        denied: Any = Session(failure)
        with pytest.raises(NotAllowed, match="not you") as error:
            enabled_regions(denied, "eu-west-1")
        assert error.value.operation == "ec2:DescribeRegions"


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (MEMBER, True),
        (refused("Throttling"), True),
        (refused("InvalidClientTokenId"), False),
        (refused("UnrecognizedClientException"), False),
        (refused("RegionDisabledException"), False),
        (refused("OptInRequired"), False),
        (EndpointConnectionError(endpoint_url="https://sts"), False),
        (BotoCoreError(), False),
    ],
)
def test_a_region_that_is_not_enabled_does_not_answer(answer: Any, expected: bool) -> None:
    session: Any = Session(answer)
    assert answers_in(session, "ap-east-1") is expected
    assert session.clients == [("sts", "ap-east-1")]


# ---- the doors to other accounts


FUNCTION = "arn:aws:lambda:eu-west-1:111111111111:function:auditor"


def doors(session: Any, **settings: Any) -> Doors:
    named = {"accounts": ("222222222222",), "role_name": "reader", "external_id": "a-secret"}
    return Doors(Settings(**{**named, **settings}), Caller(session, FUNCTION))


def test_the_door_to_another_account_is_its_role_for_45_minutes(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [NOW]
    monkeypatch.setattr("chalicelib.fleet.whose.utc_now", lambda: now[0])
    session = Session({"Credentials": CREDENTIALS})
    ways, member = doors(session), Scope("222222222222", "eu-west-1")
    door = ways.of(member)
    asked = {"RoleArn": ROLE, "RoleSessionName": "sagemaker-auditor", "ExternalId": "a-secret"}
    assert session.sts.asked == [("assume_role", asked)]
    now[0] = NOW + timedelta(minutes=45, seconds=-1)
    assert ways.of(member) is door
    now[0] = NOW + timedelta(minutes=45)
    later = ways.of(member)
    assert later is not door
    now[0] = NOW + timedelta(minutes=89)
    assert ways.of(member) is later
    assert len(session.sts.asked) == 2


def test_the_own_account_is_read_with_the_own_credentials_in_its_regions() -> None:
    session = Session()
    ways = doors(session, regions=("us-east-1",))
    own = Scope("111111111111", "us-east-1")
    assert ways.of(own) is ways.of(own)
    assert ways.of(Scope("111111111111", "eu-west-1")) is not ways.of(own)
    assert session.sts.asked == []


@pytest.mark.parametrize(
    ("account", "region", "settings", "says"),
    [
        ("111111111111", "us-east-1", {}, "the region 'us-east-1' is not audited here; accepted are eu-west-1"),
        (
            "111111111111",
            "ap-east-1",
            {"regions": ("us-east-1", "eu-central-1")},
            "the region 'ap-east-1' is not audited here; accepted are us-east-1, eu-central-1",
        ),
        ("333333333333", "eu-west-1", {}, "the account '333333333333' is not audited here; accepted are 111111111111"),
        ("222222222222", "eu-west-1", {"role_name": None}, "the account '222222222222' is not audited here"),
    ],
)
def test_what_is_not_audited_here_has_no_door(account: str, region: str, settings: Any, says: str) -> None:
    session = Session({"Credentials": CREDENTIALS})
    with pytest.raises(Foreign, match=f"^{says}"):
        doors(session, **settings).of(Scope(account, region))
    assert session.sts.asked == []


def test_a_role_that_refuses_leaves_no_door_and_an_organization_that_does_is_no_answer() -> None:
    member = Scope("222222222222", "eu-west-1")
    with pytest.raises(Foreign, match=rf"^the role {ROLE} cannot be assumed \(AccessDenied\)"):
        doors(Session(refused("AccessDenied"))).of(member)
    organization = Session(refused("AccessDeniedException"))
    with pytest.raises(AccessFailed, match=r"^the accounts of the organization cannot be listed: .*ListAccounts"):
        doors(organization, accounts=("organization",)).of(member)


def test_the_accounts_of_an_organization_are_read_once_in_45_minutes(monkeypatch: pytest.MonkeyPatch) -> None:
    now, listed = [NOW], [["222222222222"]]
    asked: list[Any] = []

    def accounts(session: Any) -> list[str]:
        asked.append(session)
        return listed[0]

    monkeypatch.setattr("chalicelib.fleet.whose.utc_now", lambda: now[0])
    monkeypatch.setattr("chalicelib.fleet.whose.accounts_of_organization", accounts)
    session = Session({"Credentials": CREDENTIALS})
    ways, later = doors(session, accounts=("organization",)), Scope("333333333333", "eu-west-1")
    assert ways.of(Scope("222222222222", "eu-west-1"))
    for minutes in (0, 44):
        now[0] = NOW + timedelta(minutes=minutes)
        listed[0] = ["222222222222", "333333333333"]
        with pytest.raises(Foreign, match="'333333333333' is none of the organization, which is audited here"):
            ways.of(later)
    now[0] = NOW + timedelta(minutes=45)
    assert ways.of(later)
    assert asked == [session, session]
    ways.expect(Scope("444444444444", "eu-west-1"))  # whether it is one of them is not asked
    assert len(asked) == 2
