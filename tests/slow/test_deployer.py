"""The policy of whoever deploys: it allows what the tools ask and CloudFormation does for the stack, and no more."""

import copy
import json
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import boto3
import pytest

from tests.service.test_deploy import account, deployed, small  # noqa: F401
from tests.service.test_infra import functions, packed  # noqa: F401
from tools.destroy import destroy
from tools.infra import ROOT, stack_template

pytestmark = pytest.mark.slow

POLICY = json.loads((ROOT / "infra" / "deployer-policy.json").read_text(encoding="utf-8"))
#: What IAM lets a managed policy have, whitespace aside.
MOST_CHARACTERS = 6_144
#: What IAM calls a call where it does not call it by its name.
ACTIONS = {"s3:HeadObject": "s3:GetObject", "s3:HeadBucket": "s3:ListBucket"}
#: Needs no permission.
FREE = {"sts:GetCallerIdentity"}
#: What the handlers of CloudFormation do only for properties that the stack does not have, or to data that it keeps.
UNUSED = [
    "apigateway:UpdateRestApiPolicy",
    "dynamodb:*Import*",
    "dynamodb:*Item",
    "dynamodb:*Kinesis*",
    "dynamodb:*Replica",
    "dynamodb:*ResourcePolicy",
    "dynamodb:DeleteTable",
    "dynamodb:Query",
    "dynamodb:Scan",
    "dynamodb:UpdateContributorInsights",
    "elasticfilesystem:*",
    "firehose:*",
    "kinesis:*",
    "s3files:*",
    "s3tables:*",
    "iam:*GroupPolicy",
    "iam:*UserPolicy",
    "iam:AttachRolePolicy",
    "iam:CreateServiceLinkedRole",
    "iam:DetachRolePolicy",
    "iam:UpdateRoleDescription",
    "lambda:*CapacityProvider*",
    "lambda:*CodeSigning*",
    "lambda:*ScalingConfig",
    "lambda:AssociateRuntimeAlias",
    "lambda:GetLayerVersion",
    "lambda:PublishVersion",
    "lambda:PutFunctionRecursionConfig",
    "lambda:PutRuntimeManagementConfig",
    "logs:*DataProtectionPolicy",
    "logs:*IndexPolic*",
    "logs:*LogDelivery",
    "logs:*ResourcePolic*",
    "logs:CreateLogStream",
    "logs:DescribeLogStreams",
    "logs:PutBearerTokenAuthentication",
    "logs:PutLogEvents",
    "logs:PutLogGroupDeletionProtection",
    "s3:*Abac",
    "s3:*Accelerate*",
    "s3:*Acl",
    "s3:*Analytics*",
    "s3:*CORS",
    "s3:*Cors",
    "s3:*IntelligentTiering*",
    "s3:*Inventory*",
    "s3:*Logging",
    "s3:*Metadata*",
    "s3:*Metrics*",
    "s3:*Notification",
    "s3:*ObjectLock*",
    "s3:*Replication*",
    "s3:*Website",
    "s3:DeleteBucket",
    "s3:DeleteBucketEncryption",
    "s3:DeleteBucketLifecycle",
    "s3:DeleteObject",
    "s3:ListTagsForResource",
    "s3:REST.PUT.OBJECT",
    "s3:TagResource",
    "s3:UntagResource",
    "sns:*DataProtectionPolicy",
]


def allowed() -> set[str]:
    return {action for statement in POLICY["Statement"] for action in statement["Action"]}


@pytest.fixture(scope="module")
def by_cloudformation(packed: dict[str, Any]) -> set[str]:  # noqa: F811
    """The actions of the handlers for every type of resource of the stack, as AWS publishes them."""
    translator = pytest.importorskip("samtranslator.translator.translator")
    parser = pytest.importorskip("samtranslator.parser.parser")
    schemas = pytest.importorskip("cfnlint.schema").PROVIDER_SCHEMA_MANAGER
    template = copy.deepcopy(stack_template(packed, slack=True))
    for function in functions(template).values():
        function["CodeUri"] = {"Bucket": "artifacts", "Key": "code.zip"}
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("AWS_DEFAULT_REGION", "eu-west-1")
        translated = translator.Translator({}, parser.Parser()).translate(template, parameter_values={})
    kinds = {resource["Type"] for resource in translated["Resources"].values()}
    assert len(kinds) > 15
    needed: set[str] = set()
    for kind in kinds:
        handlers = schemas.get_resource_schema("eu-west-1", kind).schema["handlers"]
        for handler in ("create", "read", "update", "delete"):
            needed |= set(handlers.get(handler, {}).get("permissions", ()))
    return {action for action in needed if not any(fnmatchcase(action, pattern) for pattern in UNUSED)}


@pytest.fixture
def called() -> Iterator[set[str]]:
    """The actions of every call that is made through any session."""
    actions: set[str] = set()

    def note(model: Any, **_: Any) -> None:
        name = f"{model.service_model.service_name}:{model.name}"
        actions.add(ACTIONS.get(name, name))

    with pytest.MonkeyPatch.context() as patched:
        make = boto3.Session.client

        def client(session: boto3.Session, *arguments: Any, **options: Any) -> Any:
            made = make(session, *arguments, **options)
            made.meta.events.register("before-call", note)
            return made

        patched.setattr(boto3.Session, "client", client)
        yield actions


def by_the_tools(root: Path, template: dict[str, Any], called: set[str]) -> set[str]:
    """The actions of a deployment, a dry run, an update and a removal."""
    session = boto3.Session(region_name="eu-west-1")
    deployed(session, root, dry_run=True)
    deployed(session, root)
    template["Resources"]["More"] = {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "auditor-more"}}
    deployed(session, root, dry_run=True)
    deployed(session, root)
    deployed(session, root)
    destroy(session, "prod", None, yes=True, say=lambda _: None, sleep=lambda _: None)
    return called - FREE


def test_it_allows_what_is_needed_and_no_more(
    tmp_path: Path,
    small: dict[str, Any],  # noqa: F811
    called: set[str],
    by_cloudformation: set[str],
) -> None:
    by_tools = by_the_tools(tmp_path, small, called)
    assert {"cloudformation:CreateChangeSet", "cloudformation:DeleteStack", "s3:PutObject"} <= by_tools
    assert (by_tools | by_cloudformation) - allowed() == set()
    # The versions of the code are read by Lambda; a stack that takes tables in asks for them.
    assert allowed() - by_tools - by_cloudformation == set()


def test_it_fits_into_a_managed_policy_and_names_what_can_be_named() -> None:
    assert len(json.dumps(POLICY, separators=(",", ":"))) <= MOST_CHARACTERS
    open_statements = [statement["Sid"] for statement in POLICY["Statement"] if statement["Resource"] == "*"]
    assert open_statements == ["OwnKey", "Nameless"]
    assert not [action for action in allowed() if "*" in action]
    passing = next(statement for statement in POLICY["Statement"] if statement["Action"] == ["iam:PassRole"])
    assert passing["Condition"] == {"StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}}
