"""Many accounts and regions from the command line: roles, organizations, regions, and what one that fails leaves."""

import json
from typing import Any

import pytest

from chalicelib.cli import run
from emulator.front import Front
from emulator.server import DEFAULT_ACCOUNT as ACCOUNT
from emulator.server import DEFAULT_REGION as REGION
from emulator.server import Emulator
from emulator.standing import make_role
from emulator.wire import Call
from tests.service.test_audit import an_endpoint

MEMBER, OTHER = "222222222222", "333333333333"
ROLE = "sagemaker-auditor-member"
Captured = pytest.CaptureFixture[str]


def endpoint_in(emulator: Emulator, account: str, region: str, name: str) -> None:
    """An endpoint of one instance, which is a finding."""
    sagemaker = emulator.client("sagemaker", region=region, account=account)
    role = f"arn:aws:iam::{account}:role/r"
    make_role(role)
    sagemaker.create_model(ModelName=name, PrimaryContainer={"Image": "own:1"}, ExecutionRoleArn=role)
    variant = {"VariantName": "V", "ModelName": name, "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)


@pytest.fixture
def accounts(emulator: Emulator) -> Emulator:
    """An endpoint in the own account, and one in each of two others; the own has one in another region, too."""
    endpoint_in(emulator, ACCOUNT, REGION, "own")
    endpoint_in(emulator, ACCOUNT, "us-east-1", "own-far")
    endpoint_in(emulator, MEMBER, REGION, "member")
    endpoint_in(emulator, OTHER, REGION, "other")
    return emulator


def audited(capsys: Captured, *options: str, code: int = 0) -> dict[str, Any]:
    assert run(["audit", "--format", "json", *options]) == code
    report: dict[str, Any] = json.loads(capsys.readouterr().out)
    return report


def where(report: dict[str, Any]) -> set[tuple[str, str, str]]:
    return {
        (finding["account"], finding["region"], finding["resource"]["name"].split("/")[0])
        for finding in report["findings"]
        if finding["resource"]["kind"] == "endpoint-variant"
    }


def test_several_regions_are_one_report(accounts: Emulator, capsys: Captured) -> None:
    report = audited(capsys, "--region", REGION, "--region", "us-east-1")
    assert where(report) == {(ACCOUNT, REGION, "own"), (ACCOUNT, "us-east-1", "own-far")}
    assert report["regions"] == report["scope"]["regions"] == [REGION, "us-east-1"]
    assert report["complete"]


def test_a_role_is_assumed_by_arn_or_by_name(accounts: Emulator, capsys: Captured, front: Front) -> None:
    report = audited(capsys, "--role", f"arn:aws:iam::{MEMBER}:role/{ROLE}", "--external-id", "a-secret")
    assert where(report) == {(MEMBER, REGION, "member")}
    assert audited(capsys, "--role", ROLE)["accounts"] == [ACCOUNT]
    asked = [call.params for call in front.history if call.name == "sts:AssumeRole"]
    assert [params["RoleArn"] for params in asked] == [
        f"arn:aws:iam::{account}:role/{ROLE}" for account in (MEMBER, ACCOUNT)
    ]
    assert [params.get("ExternalId") for params in asked] == ["a-secret", None]


def test_named_accounts_are_audited_by_the_role_and_the_own_without(
    accounts: Emulator, capsys: Captured, front: Front
) -> None:
    report = audited(capsys, "--account", ACCOUNT, "--account", MEMBER, "--role", ROLE)
    assert where(report) == {(ACCOUNT, REGION, "own"), (MEMBER, REGION, "member")}
    assert report["accounts"] == report["scope"]["accounts"] == [ACCOUNT, MEMBER]
    assert front.calls["sts:AssumeRole"] == 1


def test_role_and_external_id_are_those_of_the_environment_by_default(
    accounts: Emulator, capsys: Captured, front: Front, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUDITOR_ROLE_NAME", ROLE)
    monkeypatch.setenv("AUDITOR_EXTERNAL_ID", "a-secret")
    assert where(audited(capsys, "--account", MEMBER)) == {(MEMBER, REGION, "member")}
    [asked] = [call.params for call in front.history if call.name == "sts:AssumeRole"]
    assert (asked["RoleArn"], asked["ExternalId"]) == (f"arn:aws:iam::{MEMBER}:role/{ROLE}", "a-secret")


def test_the_organization_is_audited_in_every_active_account(accounts: Emulator, capsys: Captured) -> None:
    organizations = accounts.client("organizations")
    organizations.create_organization(FeatureSet="ALL")
    made = organizations.create_account(AccountName="a", Email="a@example.org")["CreateAccountStatus"]["AccountId"]
    endpoint_in(accounts, made, REGION, "made")
    report = audited(capsys, "--org", "--role", ROLE)
    assert where(report) == {(ACCOUNT, REGION, "own"), (made, REGION, "made")}


def test_an_account_that_lets_nobody_in_is_a_blind_spot(accounts: Emulator, capsys: Captured, front: Front) -> None:
    front.deny("sts:AssumeRole", lambda call: MEMBER in call.params["RoleArn"])
    options = ("--account", ACCOUNT, "--account", MEMBER, "--account", OTHER, "--role", ROLE)
    report = audited(capsys, *options, "--strict", code=4)
    assert where(report) == {(ACCOUNT, REGION, "own"), (OTHER, REGION, "other")}
    [spot] = report["blind_spots"]
    assert (spot["account"], spot["operation"]) == (MEMBER, "sts:AssumeRole")
    assert spot["error"] == f"the role arn:aws:iam::{MEMBER}:role/{ROLE} cannot be assumed (AccessDenied)"
    assert "endpoint-single-instance" in spot["effect"]
    assert run(["audit", *options]) == 0
    table = capsys.readouterr().out
    assert f"━━ {OTHER} · {REGION} ━" in table
    assert f"in {MEMBER} {REGION}" in table


def test_when_no_account_lets_anybody_in_the_audit_fails(accounts: Emulator, capsys: Captured, front: Front) -> None:
    front.deny("sts:AssumeRole")
    assert run(["audit", "--account", MEMBER, "--account", OTHER, "--role", ROLE]) == 1
    output = capsys.readouterr()
    assert output.out == ""
    assert "none of 2 accounts and regions can be audited; the first" in output.err
    assert run(["audit", "--role", ROLE]) == 1
    assert "cannot be assumed (AccessDenied); accepted is a role that trusts" in capsys.readouterr().err


def enabled(monkeypatch: pytest.MonkeyPatch, *regions: str) -> None:
    """Makes a botocore that knows these regions alone, so that an audit of all is small."""
    monkeypatch.setattr("boto3.Session.get_available_regions", lambda *_, **__: list(regions))


def test_all_regions_are_those_that_are_enabled(
    accounts: Emulator, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    enabled(monkeypatch, REGION, "us-east-1", "mars-north-1")
    report = audited(capsys, "--all-regions")
    assert report["regions"] == [REGION, "us-east-1"]
    assert where(report) == {(ACCOUNT, REGION, "own"), (ACCOUNT, "us-east-1", "own-far")}


def test_regions_that_may_not_be_listed_are_asked_one_by_one(
    accounts: Emulator, capsys: Captured, front: Front, monkeypatch: pytest.MonkeyPatch
) -> None:
    enabled(monkeypatch, REGION, "us-east-1", "me-south-1")

    def of_bahrain(call: Call) -> bool:
        return call.region == "me-south-1"

    front.deny("ec2:DescribeRegions")
    front.fail("sts:GetCallerIdentity", 403, "InvalidClientTokenId", message="The token is invalid.", when=of_bahrain)
    assert run(["audit", "--all-regions", "--format", "json"]) == 0
    output = capsys.readouterr()
    assert json.loads(output.out)["regions"] == [REGION, "us-east-1"]
    assert output.err.splitlines() == [
        f"auditor: {ACCOUNT}: the regions cannot be listed (ec2:DescribeRegions is refused); each is asked instead",
        f"auditor: {ACCOUNT}: not enabled, and left out: me-south-1",
    ]


def test_all_regions_need_no_region(accounts: Emulator, capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name)
    enabled(monkeypatch, "us-east-1")
    assert audited(capsys, "--all-regions")["regions"] == ["us-east-1"]


def test_a_resource_is_audited_where_it_lies(accounts: Emulator, capsys: Captured) -> None:
    arn = f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:endpoint/own-far"
    report = audited(capsys, "--region", REGION, "--region", "us-east-1", "--resource", arn)
    assert report["regions"] == ["us-east-1"]
    assert report["scope"]["resources"] == [arn]
    assert where(report) == {(ACCOUNT, "us-east-1", "own-far")}


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--region", REGION, "--all-regions"], "either --region or --all-regions"),
        (["--account", MEMBER, "--org", "--role", "r"], "either --account or --org"),
        (["--account", "12"], "ids of twelve digits"),
        (["--account", MEMBER], "need --role NAME"),
        (["--org"], "--org needs --role NAME"),
        (["--org", "--role", f"arn:aws:iam::{MEMBER}:role/r"], "is the name of a role"),
        (["--role", "a role"], "the name or the ARN of a role"),
        (["--role", "arn:aws:iam::1:user/x"], "the name or the ARN of a role"),
        (["--external-id", "x"], "--external-id needs --role"),
        (["--region", REGION, "--region", "mars-1"], "unknown region 'mars-1'"),
        (["--region", REGION, "--region", "us-east-1", "--explain", "own"], "look at one account and region"),
        (["--tag", "=x"], "accepted are KEY=VALUE and KEY"),
        (["--tag", "a=1", "--tag", "a=2"], "two values of the tag 'a'"),
        (["--format", "json,yaml"], "unknown format 'yaml'; accepted are table, json"),
        (["--format", "json", "--format", "csv"], "several formats need --output DIR"),
    ],
)
def test_options_that_make_no_sense_are_told(
    emulator: Emulator, capsys: Captured, options: list[str], says: str
) -> None:
    assert run(["audit", *options]) == 2
    output = capsys.readouterr()
    assert output.out == ""
    assert says in output.err
    assert output.err.count("\n") == 1


def test_a_tag_narrows_what_is_shown_and_what_counts(emulator: Emulator, capsys: Captured, front: Front) -> None:
    for name, tags in (("a", {"team": "ml", "stage": "prod"}), ("b", {"team": "ml"}), ("c", {})):
        an_endpoint(emulator, name, count=1)
        emulator.client("sagemaker").add_tags(
            ResourceArn=f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:endpoint/{name}",
            Tags=[{"Key": key, "Value": value} for key, value in tags.items()],
        )
    front.calls.clear()
    every = where(audited(capsys, "--no-cache"))
    plain = front.calls.copy()
    front.calls.clear()
    assert {name for *_, name in every} == {"a", "b", "c"}
    assert {name for *_, name in where(audited(capsys, "--no-cache", "--tag", "team=ml"))} == {"a", "b"}
    assert front.calls == plain
    assert {name for *_, name in where(audited(capsys, "--tag", "team", "--tag", "stage=prod"))} == {"a"}
    assert where(audited(capsys, "--tag", "team=ops", "--fail-on", "info")) == set()
    assert run(["audit", "--tag", "stage", "--severity", "high"]) == 0
    assert "Shown are findings from high on and with the tag stage. " in capsys.readouterr().out


def test_a_resource_whose_tags_cannot_be_read_is_never_hidden(
    emulator: Emulator, capsys: Captured, front: Front
) -> None:
    an_endpoint(emulator, "a", count=1)
    front.deny("sagemaker:ListTags")
    front.deny("sagemaker:Search")
    report = audited(capsys, "--tag", "team=ml")
    assert {name for *_, name in where(report)} == {"a"}
    assert any(spot["operation"] == "sagemaker:ListTags" for spot in report["blind_spots"])
