"""The deployment: nothing is changed while a precondition is not met, and what goes wrong is told."""

import json
import os
import re
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber
from moto import mock_aws

from tools import deploy as deploying
from tools import destroy as destroying
from tools.changes import preview
from tools.deploy import DeployFailed, NotReady, Place, Wish, deploy, stack_name
from tools.destroy import destroy
from tools.infra import stack_template
from tools.package import PackageFailed

pytestmark = pytest.mark.slow

REGION = "eu-west-1"
BUCKET = "artifacts"
HERE = sys.version_info[:2]
#: What is deployed here: small, without SAM, which moto does not know, and with a table that outlives its stack.
SMALL: dict[str, Any] = {
    "AWSTemplateFormatVersion": "2010-09-09",
    "Globals": {"Function": {"Environment": {"Variables": {"AUDITOR_TABLE": {"Ref": "Ledger"}}}}},
    "Parameters": {
        "Policy": {"Type": "String", "Default": "baseline"},
        "SlackSecret": {"Type": "String", "Default": ""},
    },
    "Resources": {
        "Parts": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": {"Fn::Sub": "auditor-${Policy}"}}},
        "Ledger": {
            "Type": "AWS::DynamoDB::Table",
            "DeletionPolicy": "Retain",
            "Properties": {
                "TableName": "auditor-ledger",
                "BillingMode": "PAY_PER_REQUEST",
                "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
                "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
            },
        },
    },
    "Outputs": {"PartsQueueUrl": {"Value": {"Ref": "Parts"}}},
}


@pytest.fixture(autouse=True)
def account(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An empty account with a bucket."""
    for name in [name for name in os.environ if name.startswith(("AWS_", "AUDITOR_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    with mock_aws():
        boto3.client("s3", region_name=REGION).create_bucket(
            Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION}
        )
        yield


@pytest.fixture
def session() -> Any:
    return boto3.Session(region_name=REGION)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The small template in the place of the merged one; tests may change it."""
    template: dict[str, Any] = json.loads(json.dumps(SMALL))
    monkeypatch.setattr(deploying, "stack_template", lambda packed, *, slack: template)
    return template


class Packing:
    """Packs nothing, and remembers how it was asked."""

    def __init__(self, problem: str | None = None) -> None:
        self.problem = problem
        self.stages: list[str] = []
        self.slack_secrets: list[str | None] = []

    def __call__(self, target: Path, stage: str) -> Path:
        self.stages.append(stage)
        self.slack_secrets.append(os.environ.get("AUDITOR_SLACK_SECRET"))
        if self.problem:
            raise PackageFailed(self.problem)
        target.mkdir(parents=True, exist_ok=True)
        (target / "sam.json").write_text(json.dumps({"Resources": {}}))
        (target / "deployment.zip").write_bytes(b"code")
        return target / "deployment.zip"


class Saying:
    """Keeps the progress."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def __call__(self, text: str) -> None:
        self.lines.append(text)


def deployed(session: Any, root: Path, pack: Packing | None = None, **wish: Any) -> tuple[dict[str, str], list[str]]:
    """Deploys without git and without waiting: the outputs and the progress."""
    say = Saying()
    outputs = deploy(
        session,
        Wish(**{"stage": "prod", "bucket": BUCKET, "dirty": True, **wish}),
        say=say,
        sleep=lambda _: None,
        pack=pack or Packing(),
        root=root,
    )
    return outputs, say.lines


def stacks() -> list[str]:
    cloudformation = boto3.client("cloudformation", region_name=REGION)
    return [stack["StackName"] for stack in cloudformation.describe_stacks()["Stacks"]]


def a_place(session: Any) -> Place:
    return Place(session, REGION, "123456789012", "sagemaker-auditor")


# ---- preconditions


def test_the_stack_is_named_after_its_stage() -> None:
    assert stack_name("prod", None) == "sagemaker-auditor"
    assert stack_name("prod-arm64", None) == "sagemaker-auditor"
    assert stack_name("dev", None) == "sagemaker-auditor-dev"
    assert stack_name("prod", "my-auditor") == "my-auditor"


@pytest.mark.parametrize("name", ["sagemaker", "auditor_1", "1-auditor", "auditor" + "x" * 40])
def test_a_stack_name_that_no_role_allows_is_refused(name: str) -> None:
    with pytest.raises(NotReady, match="cannot be the name of the stack; accepted are"):
        stack_name("prod", name)


def test_a_region_is_needed(tmp_path: Path) -> None:
    with pytest.raises(NotReady, match="no region is set; accepted are --region"):
        deployed(boto3.Session(), tmp_path)


def test_credentials_are_needed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, session: Any) -> None:
    sts = session.client("sts")
    with Stubber(sts) as stub:
        stub.add_client_error("get_caller_identity", "ExpiredToken", "The security token has expired")
        monkeypatch.setattr(session, "client", lambda *_, **__: sts)
        with pytest.raises(NotReady, match=r"the AWS credentials do not work: .*expired"):
            deployed(session, tmp_path)
        stub.assert_no_pending_responses()


def test_the_bucket_must_exist(session: Any, tmp_path: Path) -> None:
    with pytest.raises(NotReady, match="there is no bucket nowhere; make one: aws s3 mb s3://nowhere"):
        deployed(session, tmp_path, bucket="nowhere")


def test_the_bucket_must_be_the_accounts_own(monkeypatch: pytest.MonkeyPatch, session: Any) -> None:
    s3 = session.client("s3")
    with Stubber(s3) as stub:
        expected = {"Bucket": BUCKET, "ExpectedBucketOwner": "123456789012"}
        stub.add_client_error("get_bucket_location", "AccessDenied", expected_params=expected)
        monkeypatch.setattr(session, "client", lambda *_, **__: s3)
        with pytest.raises(NotReady, match="cannot be used by account 123456789012"):
            deploying.check_bucket(a_place(session), BUCKET)


@pytest.mark.parametrize(
    ("location", "region"), [(None, "us-east-1"), ("EU", "eu-west-1"), ("ap-south-1", "ap-south-1")]
)
def test_the_bucket_must_be_in_the_region_of_the_stack(
    location: str | None, region: str, monkeypatch: pytest.MonkeyPatch, session: Any
) -> None:
    s3 = session.client("s3")
    monkeypatch.setattr(session, "client", lambda *_, **__: s3)
    monkeypatch.setattr(s3, "get_bucket_location", lambda **_: {"LocationConstraint": location})
    deploying.check_bucket(Place(session, region, "123456789012", "auditor"), BUCKET)
    with pytest.raises(NotReady, match=f"is in {region} and the stack goes to eu-north-1"):
        deploying.check_bucket(Place(session, "eu-north-1", "123456789012", "auditor"), BUCKET)


def test_everything_must_be_committed(session: Any, tmp_path: Path) -> None:
    subprocess.run(["git", "init", "--quiet"], cwd=tmp_path, check=True)
    deploying.check_tree(tmp_path)
    (tmp_path / "new.py").write_text("")
    with pytest.raises(NotReady, match=r"1 files are not committed, the first is new\.py; --dirty"):
        deployed(session, tmp_path, dirty=False)


def test_a_folder_outside_git_is_not_clean(tmp_path: Path) -> None:
    with pytest.raises(NotReady, match="git does not know"):
        deploying.check_tree(tmp_path)


def test_a_package_that_is_not_fit_is_not_deployed(session: Any, tmp_path: Path, small: dict[str, Any]) -> None:
    with pytest.raises(NotReady, match="no fitting wheel"):
        deployed(session, tmp_path, Packing("a dependency has no fitting wheel: pydantic_core"))
    assert stacks() == []


def test_the_functions_run_on_the_python_that_packed_them(session: Any, tmp_path: Path, small: dict[str, Any]) -> None:
    small["Resources"]["Audit"] = {"Type": "AWS::Serverless::Function", "Properties": {"Runtime": "python3.2"}}
    with pytest.raises(NotReady, match=rf"Audit runs on python3\.2 and was packed with python3\.{HERE[1]}"):
        deployed(session, tmp_path)
    assert stacks() == []


def test_an_unknown_parameter_is_refused_before_packing(session: Any, tmp_path: Path) -> None:
    pack = Packing()
    with pytest.raises(NotReady, match="the stack has no parameter Emial; accepted are Accounts, AlarmEmail"):
        deployed(session, tmp_path, pack, parameters={"Emial": "ops@example.com"})
    assert pack.stages == []


def test_a_setting_of_the_shell_does_not_take_the_place_of_the_stacks_own(
    session: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUDITOR_TOPIC_ARN", "arn:aws:sns:eu-west-1:123456789012:auditor-other")
    pack = Packing()
    with pytest.raises(NotReady, match="AUDITOR_TOPIC_ARN is set here and would take the place of the stack's own"):
        deployed(session, tmp_path, pack)
    assert pack.stages == []


@pytest.mark.parametrize("status", ["UPDATE_IN_PROGRESS", "ROLLBACK_COMPLETE"])
def test_a_stack_that_cannot_be_changed_now_is_left_alone(status: str, session: Any) -> None:
    with pytest.raises(NotReady, match=status):
        deploying.check_stack(a_place(session), {"StackStatus": status})


def test_the_command_answers_2_when_a_precondition_is_not_met(session: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert deploying.main(["--stage", "prod", "--bucket", "nowhere", "--dirty"], session) == 2
    output = capsys.readouterr()
    assert output.out == ""
    assert output.err.startswith("not deployed: there is no bucket nowhere;")
    assert len(output.err.splitlines()) == 1


def test_the_command_names_what_it_takes_for_a_parameter(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        deploying.main(["--stage", "prod", "--bucket", BUCKET, "--parameter", "Regions"])
    assert stopped.value.code == 2
    assert "accepted is NAME=VALUE" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("Schedule", "rate(1 days)", "Schedule does not take 'rate(1 days)'; accepted are rate(1 day), rate(12 hours)"),
        ("Schedule", "rate(5 minutes)", "accepted are rate(1 day)"),
        ("Schedule", "cron(0 4 * * *)", "a cron expression of EventBridge with six fields"),
        ("MemorySize", "256", "MemorySize does not take '256'; accepted are whole numbers from 512 to 10240"),
        ("MemorySize", "much", "accepted are whole numbers"),
        ("LogLevel", "debug", "LogLevel does not take 'debug'; accepted are DEBUG, INFO, WARNING, ERROR"),
        ("PermissionsBoundary", "boundary", "accepted is the ARN of a managed policy"),
        ("KmsKeyArn", "alias/own", "accepted is the ARN of a key of AWS KMS"),
        ("SubnetIds", "subnet-0a1b2c3d,vpc-1", "accepted are ids of subnets separated by commas"),
        ("ExternalId", "?", "ExternalId does not take what is given; accepted are 2 to 1224"),
    ],
)
def test_a_value_that_cloudformation_would_refuse_is_refused_before_packing(
    session: Any, tmp_path: Path, name: str, value: str, words: str
) -> None:
    pack = Packing()
    with pytest.raises(NotReady, match=re.escape(words)):
        deployed(session, tmp_path, pack, parameters={name: value})
    assert pack.stages == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Schedule", "rate(12 hours)"),
        ("Schedule", "cron(0 4 ? * MON-FRI *)"),
        ("Schedule", "cron(15 6 L * ? *)"),
        ("SubnetIds", "subnet-0a1b2c3d,subnet-0123456789abcdef0"),
        ("SubnetIds", ""),
        ("PermissionsBoundary", "arn:aws:iam::123456789012:policy/org/boundary"),
    ],
)
def test_a_value_that_the_stack_takes_is_taken(name: str, value: str) -> None:
    deploying.check_parameters(stack_template({}, slack=False), {name: value})


def test_subnets_need_a_security_group(session: Any, tmp_path: Path) -> None:
    pack = Packing()
    with pytest.raises(NotReady, match="SubnetIds and SecurityGroupIds go together"):
        deployed(session, tmp_path, pack, parameters={"SubnetIds": "subnet-0a1b2c3d"})
    assert pack.stages == []


@pytest.mark.parametrize("tags", [{"aws:team": "ml"}, {"": "ml"}, {"team": "m" * 257}, {"a{b": ""}])
def test_tags_that_cloudformation_does_not_take_are_refused(tags: dict[str, str]) -> None:
    with pytest.raises(NotReady, match="accepted are up to 128 letters"):
        deploying.check_tags(tags)


# ---- deploying


def queues() -> list[str]:
    return [url.rsplit("/", 1)[1] for url in boto3.client("sqs", region_name=REGION).list_queues()["QueueUrls"]]


def test_a_stack_is_created(session: Any, tmp_path: Path, small: dict[str, Any]) -> None:
    _, said = deployed(session, tmp_path)
    assert stacks() == ["sagemaker-auditor"]
    assert queues() == ["auditor-baseline"]
    assert f"creating the stack sagemaker-auditor in {REGION}" in said


def test_the_outputs_of_the_stack_are_printed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(deploying, "deploy", lambda *_, **__: {"PartsQueueUrl": "https://…", "Api": "https://api"})
    assert deploying.main(["--stage", "prod", "--bucket", BUCKET], session=object()) == 0
    assert capsys.readouterr().out == "Api            https://api\nPartsQueueUrl  https://…\n"


def test_the_code_lies_in_the_bucket_under_the_hash_of_its_content(
    session: Any, tmp_path: Path, small: dict[str, Any]
) -> None:
    deployed(session, tmp_path)
    _, said = deployed(session, tmp_path)
    keys = [content["Key"] for content in boto3.client("s3").list_objects_v2(Bucket=BUCKET)["Contents"]]
    code = "sagemaker-auditor/5694d08a2e53ffcae0c3103e5ad6f6076abd960eb1f8a56577040bc1028f702b.zip"
    assert code in keys
    assert len(keys) == 2
    assert not any(line.startswith("uploaded") for line in said)


def test_an_upload_alone_leaves_the_stack_alone(session: Any, tmp_path: Path, small: dict[str, Any]) -> None:
    outputs, _ = deployed(session, tmp_path, upload_only=True)
    assert stacks() == []
    assert outputs["TemplateUrl"].startswith(f"https://s3.{REGION}.amazonaws.com/{BUCKET}/sagemaker-auditor/")


def test_a_dry_run_of_a_new_stack_shows_it_and_leaves_nothing_behind(
    session: Any, tmp_path: Path, small: dict[str, Any]
) -> None:
    outputs, said = deployed(session, tmp_path, dry_run=True)
    assert outputs == {"Ledger": "add AWS::DynamoDB::Table", "Parts": "add AWS::SQS::Queue"}
    assert said[-1].startswith("2 to add, 0 of them by replacement; nothing was executed")
    assert stacks() == [] and boto3.client("sqs", region_name=REGION).list_queues().get("QueueUrls") is None


def test_a_dry_run_of_a_stack_that_is_there_changes_nothing_of_it(
    session: Any, tmp_path: Path, small: dict[str, Any]
) -> None:
    deployed(session, tmp_path)
    small["Resources"]["More"] = {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "auditor-more"}}
    outputs, _ = deployed(session, tmp_path, dry_run=True)
    assert outputs == {"More": "add AWS::SQS::Queue"}
    assert (stacks(), queues()) == (["sagemaker-auditor"], ["auditor-baseline"])
    left = boto3.client("cloudformation", region_name=REGION).list_change_sets(StackName="sagemaker-auditor")
    assert [summary for summary in left["Summaries"] if summary.get("ExecutionStatus") == "AVAILABLE"] == []


def test_functions_take_their_code_from_the_bucket(session: Any, tmp_path: Path) -> None:
    code = tmp_path / "deployment.zip"
    code.write_bytes(b"code")
    function = {"Type": "AWS::Serverless::Function", "Properties": {"CodeUri": "./deployment.zip", "Handler": "app.a"}}
    uploaded = deploying.upload(a_place(session), BUCKET, code, {"Resources": {"Audit": function}}, Saying())
    key = uploaded.template_url.split(f"/{BUCKET}/")[1]
    template = json.loads(boto3.client("s3").get_object(Bucket=BUCKET, Key=key)["Body"].read())
    assert template["Resources"]["Audit"]["Properties"] == {
        "CodeUri": {"Bucket": BUCKET, "Key": uploaded.code},
        "Handler": "app.a",
    }
    assert function["Properties"]["CodeUri"] == "./deployment.zip"  # type: ignore[index]


def test_parameters_that_are_not_given_stay_as_they_are(session: Any, tmp_path: Path, small: dict[str, Any]) -> None:
    deployed(session, tmp_path, parameters={"Policy": "strict"})
    small["Resources"]["DeadLetters"] = {
        "Type": "AWS::SQS::Queue",
        "Properties": {"QueueName": {"Fn::Sub": "auditor-${Policy}-dead-letters"}},
    }
    _, said = deployed(session, tmp_path)
    assert queues() == ["auditor-strict", "auditor-strict-dead-letters"]
    assert f"updating the stack sagemaker-auditor in {REGION}" in said


def test_slack_is_packed_where_its_secret_is_named_and_stays_until_it_is_taken_out(
    session: Any, tmp_path: Path, small: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUDITOR_SLACK_SECRET", "auditor/of-the-shell")
    pack = Packing()
    deployed(session, tmp_path, pack)
    deployed(session, tmp_path, pack, parameters={"SlackSecret": "auditor/slack"})
    deployed(session, tmp_path, pack)
    deployed(session, tmp_path, pack, parameters={"SlackSecret": ""})
    assert pack.slack_secrets == [None, "auditor/slack", "auditor/slack", None]
    assert os.environ["AUDITOR_SLACK_SECRET"] == "auditor/of-the-shell"


def test_a_table_that_outlived_its_stack_is_taken_in(session: Any, small: dict[str, Any], tmp_path: Path) -> None:
    deployed(session, tmp_path)
    assert deploying.outlived(a_place(session), small) == ["auditor-ledger"]
    assert deploying.outlived(a_place(session), {"Resources": {}}) == []


# ---- what CloudFormation answers


NAMED = {"StackName": "sagemaker-auditor"}
ID = f"arn:aws:cloudformation:{REGION}:123456789012:stack/sagemaker-auditor/1"
URL = f"https://s3.{REGION}.amazonaws.com/{BUCKET}/template.json"


def a_stack(status: str) -> dict[str, Any]:
    return {"Stacks": [{"StackName": "sagemaker-auditor", "StackStatus": status, "CreationTime": "2026-11-22"}]}


def an_event(id: str, name: str, status: str, reason: str = "") -> dict[str, Any]:
    cause = {"ResourceStatusReason": reason} if reason else {}
    return {
        "StackId": ID,
        "StackName": "sagemaker-auditor",
        "EventId": id,
        "Timestamp": "2026-11-22",
        "LogicalResourceId": name,
        "ResourceType": "AWS::SQS::Queue",
        "ResourceStatus": status,
        **cause,
    }


@pytest.fixture
def cloudformation(session: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stubber]:
    """CloudFormation's answers, in their order; every one of them must be asked for."""
    client = session.client("cloudformation")
    monkeypatch.setattr(session, "client", lambda *_, **__: client)
    monkeypatch.setattr(uuid, "uuid4", lambda: type("Fixed", (), {"hex": "1"}))
    with Stubber(client) as stub:
        yield stub
        stub.assert_no_pending_responses()


def an_update(session: Any, say: Saying) -> bool:
    return deploying.change(
        a_place(session), {"Resources": {}, "Parameters": {}}, URL, {}, {"Parameters": []}, say, lambda _: None
    )


def test_nothing_to_change_is_no_failure(session: Any, cloudformation: Stubber) -> None:
    change_set = {**NAMED, "ChangeSetName": "deploy-1"}
    expected = {
        **change_set,
        "ChangeSetType": "UPDATE",
        "TemplateURL": URL,
        "Capabilities": ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
        "Parameters": [],
        "Tags": [{"Key": "app", "Value": "sagemaker-auditor"}],
    }
    cloudformation.add_response("create_change_set", {}, expected)
    cloudformation.add_response("describe_change_set", {"Status": "CREATE_IN_PROGRESS"}, change_set)
    refused = {"Status": "FAILED", "StatusReason": "The submitted information didn't contain changes."}
    cloudformation.add_response("describe_change_set", refused, change_set)
    cloudformation.add_response("delete_change_set", {}, change_set)
    assert an_update(session, Saying()) is False


def test_tags_of_the_stack_stay_unless_they_are_given(session: Any, cloudformation: Stubber) -> None:
    before = {"Parameters": [], "Tags": [{"Key": "team", "Value": "ml"}, {"Key": "cost-center", "Value": "42"}]}
    tags = {"team": "platform", "cost-center": "42", "app": "sagemaker-auditor"}
    expected = {
        **NAMED,
        "ChangeSetName": "deploy-1",
        "ChangeSetType": "UPDATE",
        "TemplateURL": URL,
        "Capabilities": ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
        "Parameters": [],
        "Tags": [{"Key": key, "Value": value} for key, value in tags.items()],
    }
    cloudformation.add_response("create_change_set", {}, expected)
    cloudformation.add_response("describe_change_set", {"Status": "CREATE_COMPLETE"})
    template: dict[str, Any] = {"Resources": {}, "Parameters": {}}
    stack_tags = {"team": "platform"}
    assert deploying.proposed(a_place(session), template, URL, {}, before, Saying(), lambda _: None, stack_tags) == {
        **NAMED,
        "ChangeSetName": "deploy-1",
    }


def test_a_dry_run_names_properties_and_replacements_on_all_pages(session: Any, cloudformation: Stubber) -> None:
    named = {**NAMED, "ChangeSetName": "deploy-1"}
    queue = {"LogicalResourceId": "Parts", "ResourceType": "AWS::SQS::Queue", "Action": "Modify"}
    details = [{"Target": {"Attribute": "Properties", "Name": "QueueName"}}, {"Target": {"Attribute": "Tags"}}]
    role = {"LogicalResourceId": "Role", "ResourceType": "AWS::IAM::Role", "Action": "Remove"}
    first = {"ResourceChange": {**queue, "Replacement": "True", "Details": details}}
    cloudformation.add_response("describe_change_set", {"Changes": [first], "NextToken": "2"}, named)
    second = {"Changes": [{"ResourceChange": role}]}
    cloudformation.add_response("describe_change_set", second, {**named, "NextToken": "2"})
    cloudformation.add_response("delete_change_set", {}, named)
    cloudformation.add_response("describe_stacks", a_stack("UPDATE_COMPLETE"), NAMED)
    say = Saying()
    assert preview(a_place(session), named, say) == {
        "Parts": "change AWS::SQS::Queue (QueueName, Tags) by REPLACEMENT",
        "Role": "remove AWS::IAM::Role",
    }
    assert say.lines == [
        "1 to change, 1 to remove, 1 of them by replacement; nothing was executed, and the change set is gone"
    ]


def test_a_change_set_that_is_refused_says_why(session: Any, cloudformation: Stubber) -> None:
    cloudformation.add_response("create_change_set", {})
    refused = {"Status": "FAILED", "StatusReason": "Accounts needs ExternalId"}
    cloudformation.add_response("describe_change_set", refused)
    with pytest.raises(DeployFailed, match="the change set was refused: Accounts needs ExternalId"):
        an_update(session, Saying())


def test_a_rollback_tells_with_what_it_began(session: Any, cloudformation: Stubber) -> None:
    old = an_event("0", "Parts", "CREATE_FAILED", "an old story")
    failed = an_event("1", "Parts", "UPDATE_FAILED", "the name is taken")
    cancelled = an_event("2", "DeadLetters", "UPDATE_FAILED", "Resource update cancelled")
    rolled_back = an_event("3", "Parts", "UPDATE_COMPLETE")
    cloudformation.add_response("create_change_set", {})
    cloudformation.add_response("describe_change_set", {"Status": "CREATE_COMPLETE"})
    cloudformation.add_response("describe_stack_events", {"StackEvents": [old]})
    cloudformation.add_response("execute_change_set", {})
    cloudformation.add_response("describe_stacks", a_stack("UPDATE_ROLLBACK_IN_PROGRESS"))
    cloudformation.add_response("describe_stack_events", {"StackEvents": [cancelled, failed, old]})
    cloudformation.add_response("describe_stacks", a_stack("UPDATE_ROLLBACK_COMPLETE"))
    cloudformation.add_response("describe_stack_events", {"StackEvents": [rolled_back, cancelled, failed, old]})
    say = Saying()
    with pytest.raises(DeployFailed, match="ended as UPDATE_ROLLBACK_COMPLETE; it began with Parts: the name is taken"):
        an_update(session, say)
    statuses = [line.split()[0] for line in say.lines if line.startswith("  ")]
    assert statuses == ["UPDATE_FAILED", "UPDATE_FAILED", "UPDATE_COMPLETE"]


def test_what_an_earlier_stack_left_is_taken_into_the_new_one(
    session: Any, cloudformation: Stubber, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deploying, "outlived", lambda *_: ["auditor-ledger"])
    expected = {
        **NAMED,
        "ChangeSetName": "deploy-1",
        "ChangeSetType": "CREATE",
        "ImportExistingResources": True,
        "TemplateURL": URL,
        "Capabilities": ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
        "Parameters": [{"ParameterKey": "Regions", "ParameterValue": "eu-west-1"}],
        "Tags": [{"Key": "app", "Value": "sagemaker-auditor"}],
    }
    cloudformation.add_response("create_change_set", {}, expected)
    cloudformation.add_response("describe_change_set", {"Status": "CREATE_COMPLETE"})
    cloudformation.add_client_error("describe_stack_events", "ValidationError", "Stack does not exist")
    cloudformation.add_response("execute_change_set", {})
    cloudformation.add_response("describe_stacks", a_stack("CREATE_COMPLETE"))
    cloudformation.add_response("describe_stack_events", {"StackEvents": []})
    template: dict[str, Any] = {"Resources": {}, "Parameters": {"Regions": {}}}
    parameters = {"Regions": "eu-west-1"}
    say = Saying()
    assert deploying.change(a_place(session), template, URL, parameters, None, say, lambda _: None) is True
    assert say.lines[0] == "taking in what an earlier stack left: auditor-ledger"


# ---- removing


def test_removing_needs_a_yes(session: Any, tmp_path: Path, small: dict[str, Any]) -> None:
    deployed(session, tmp_path)
    say = Saying()
    with pytest.raises(NotReady, match="--yes deletes the stack sagemaker-auditor in eu-west-1"):
        destroy(session, "prod", None, yes=False, say=say)
    assert stacks() == ["sagemaker-auditor"]
    assert say.lines[0].startswith("the table auditor-ledger stays; to remove it: aws dynamodb update-table")


def test_removing_keeps_the_table_and_the_uploads_and_says_so(
    session: Any, tmp_path: Path, small: dict[str, Any]
) -> None:
    deployed(session, tmp_path)
    say = Saying()
    destroy(session, "prod", None, yes=True, say=say, sleep=lambda _: None)
    assert stacks() == []
    assert any(line.startswith("the table auditor-ledger stays") for line in say.lines)
    assert boto3.client("dynamodb", region_name=REGION).list_tables()["TableNames"] == ["auditor-ledger"]
    assert boto3.client("s3").list_objects_v2(Bucket=BUCKET)["KeyCount"] == 2


def test_there_must_be_a_stack_to_remove(session: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert destroying.main(["--stage", "dev", "--yes"], session) == 2
    assert "there is no stack sagemaker-auditor-dev in eu-west-1" in capsys.readouterr().err
