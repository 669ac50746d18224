"""Packs the auditor and deploys its stack: ``python -m tools.deploy --stage prod --bucket B``.

Everything that could stop the deployment is looked at first, and nothing is changed when something does (exit code 2).
Then the zip goes to the bucket under the hash of its content, and the stack is created or updated through a change
set. Progress goes to stderr, the outputs of the stack to stdout. ``--dry-run`` shows what the change set would do, and
takes it away again. ``--upload-only`` stops before the stack and gives the
address of its template, for those who deploy by other means.
"""

import argparse
import hashlib
import json
import math
import os
import re
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.errors import InvalidInput
from tools.changes import preview
from tools.infra import stack_template
from tools.package import ROOT, PackageFailed, package

STACK = "sagemaker-auditor"
#: Where the uploads lie in the bucket.
PREFIX = "sagemaker-auditor"
CAPABILITIES = ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"]
POLL_SECONDS = 5
#: Of the fifty tags of a stack one is its own.
MOST_TAGS = 49
SLACK_SECRET = "AUDITOR_SLACK_SECRET"
FUNCTION = "AWS::Serverless::Function"
NOTHING_TO_DO = ("didn't contain changes", "No updates are to be performed")

Say = Callable[[str], None]
Sleep = Callable[[float], None]


class NotReady(Exception):
    """A precondition that is not met; the text says which, and what to do. Nothing has been changed."""


class DeployFailed(Exception):
    """CloudFormation did not get there; the text says why."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a stack is: the session with its region, the account of the credentials, and the name of the stack."""

    session: Any
    region: str
    account: str
    stack: str

    def client(self, service: str) -> Any:
        """A client in the stack's region."""
        return self.session.client(service, region_name=self.region)


@dataclass(frozen=True, slots=True)
class Uploaded:
    """What lies in the bucket: the zip's key and the address of the template."""

    code: str
    template_url: str


# ---- preconditions


def stages() -> list[str]:
    """The stages that Chalice knows."""
    return sorted(json.loads((ROOT / ".chalice" / "config.json").read_text(encoding="utf-8"))["stages"])


def stack_name(stage: str, stack: str | None) -> str:
    """The name of the stage's stack, the same for each processor.

    Raises NotReady for one from which AWS would make names that no role allows.
    """
    stage = stage.removesuffix("-arm64")
    name = stack or (STACK if stage == "prod" else f"{STACK}-{stage}")
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9-]{0,40}", name) or "auditor" not in name:
        raise NotReady(
            f"{name!r} cannot be the name of the stack; accepted are up to 41 letters, digits and dashes with the word "
            "auditor among them, as the roles allow only what carries it"
        )
    return name


def place(session: Any, stage: str, stack: str | None = None) -> Place:
    """Where the stage's stack is. Raises NotReady without a region, without credentials that work, and for a name
    that the stack cannot have."""
    name = stack_name(stage, stack)
    if not session.region_name:
        raise NotReady("no region is set; accepted are --region, AWS_DEFAULT_REGION or a profile that names one")
    try:
        identity = session.client("sts", region_name=session.region_name).get_caller_identity()
    except (ClientError, BotoCoreError) as error:
        raise NotReady(f"the AWS credentials do not work: {error}") from None
    return Place(session, session.region_name, identity["Account"], name)


def check_bucket(where: Place, bucket: str) -> None:
    """Raises NotReady unless the bucket exists, belongs to the account and lies in the region."""
    try:
        answer = where.client("s3").get_bucket_location(Bucket=bucket, ExpectedBucketOwner=where.account)
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code == "NoSuchBucket":
            raise NotReady(
                f"there is no bucket {bucket}; make one: aws s3 mb s3://{bucket} --region {where.region}"
            ) from None
        raise NotReady(f"the bucket {bucket} cannot be used by account {where.account}: {error}") from None
    except BotoCoreError as error:
        raise NotReady(f"the bucket {bucket} cannot be used: {error}") from None
    constraint = answer.get("LocationConstraint")
    region = {None: "us-east-1", "": "us-east-1", "EU": "eu-west-1"}.get(constraint, constraint)
    if region != where.region:
        raise NotReady(
            f"the bucket {bucket} is in {region} and the stack goes to {where.region}; Lambda takes its code from a "
            "bucket in its own region"
        )


def check_tree(root: Path) -> None:
    """Raises NotReady unless everything under ``root`` is committed, so that what runs can be found again."""
    done = subprocess.run(["git", "status", "--porcelain"], cwd=root, text=True, capture_output=True, check=False)
    if done.returncode:
        raise NotReady(f"git does not know {root}: {done.stderr.strip()}; --dirty deploys all the same")
    changed = done.stdout.splitlines()
    if changed:
        raise NotReady(
            f"{len(changed)} files are not committed, the first is {changed[0][3:]}; --dirty deploys them all the same"
        )


def check_python(template: Mapping[str, Any], running: tuple[int, int]) -> None:
    """Raises NotReady unless the functions run on the Python for which the wheels were chosen."""
    here = f"python{running[0]}.{running[1]}"
    for name, resource in functions(template):
        runtime = resource["Properties"]["Runtime"]
        if runtime != here:
            raise NotReady(
                f"{name} runs on {runtime} and was packed with {here}, whose wheels do not fit it; pack with {runtime}"
            )


def functions(template: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The functions of a template by their logical names."""
    for name, resource in template["Resources"].items():
        if resource["Type"] == FUNCTION:
            yield name, resource


def check_environment(template: Mapping[str, Any], environment: Mapping[str, str]) -> None:
    """Raises NotReady for a setting of the shell that would be packed in the place of the stack's own."""
    own = template["Globals"]["Function"]["Environment"]["Variables"]
    for name in own:
        if environment.get(name):
            raise NotReady(f"{name} is set here and would take the place of the stack's own; unset it, use --parameter")


def check_parameters(template: Mapping[str, Any], parameters: Mapping[str, str]) -> None:
    """Raises NotReady for a parameter that the stack does not have, or a value that it does not take."""
    accepted = template.get("Parameters", {})
    for name, value in parameters.items():
        if name not in accepted:
            raise NotReady(f"the stack has no parameter {name}; accepted are {', '.join(sorted(accepted))}")
        _check_value(name, value, accepted[name])


def _check_value(name: str, value: str, declared: Mapping[str, Any]) -> None:
    """Raises NotReady for what CloudFormation would refuse in the middle of the deployment, in the template's words."""
    values = value.split(",") if declared["Type"] == "CommaDelimitedList" else [value]
    pattern, allowed = declared.get("AllowedPattern"), [str(word) for word in declared.get("AllowedValues", ())]
    shown = "what is given" if declared.get("NoEcho") else repr(value)
    if pattern is not None and not all(re.fullmatch(pattern, part) for part in values):
        raise NotReady(f"the parameter {name} does not take {shown}; {declared.get('ConstraintDescription', pattern)}")
    if allowed and value not in allowed:
        raise NotReady(f"the parameter {name} does not take {shown}; accepted are {', '.join(allowed)}")
    if declared["Type"] == "Number":
        least, most = declared.get("MinValue", -math.inf), declared.get("MaxValue", math.inf)
        if not re.fullmatch(r"-?\d+", value) or not least <= int(value) <= most:
            bounds = f"from {least}" + ("" if most == math.inf else f" to {most}")
            raise NotReady(f"the parameter {name} does not take {shown}; accepted are whole numbers {bounds}")


def check_subnets(values: Mapping[str, str]) -> None:
    """Raises NotReady for subnets without a security group, or the other way round: the rules of a template know no
    lists."""
    if bool(values.get("SubnetIds")) != bool(values.get("SecurityGroupIds")):
        raise NotReady("SubnetIds and SecurityGroupIds go together; accepted are both, or neither")


def check_tags(tags: Mapping[str, str]) -> None:
    """Raises NotReady for tags that CloudFormation does not take."""
    for key, value in tags.items():
        if not re.fullmatch(r"(?!aws:)[\w .:/=+@-]{1,128}", key) or not re.fullmatch(r"[\w .:/=+@-]{0,256}", value):
            raise NotReady(
                f"the tag {key}={value} is none; accepted are up to 128 letters, digits, spaces and _.:/=+@- as the "
                "key, not beginning with aws:, and up to 256 of them as the value"
            )
    if len(tags) > MOST_TAGS:
        raise NotReady(f"{len(tags)} tags; accepted are up to {MOST_TAGS}, as one is the stack's own")


# ---- packing


Packer = Callable[[Path, str], Path]


@contextmanager
def _environment(name: str, value: str) -> Iterator[None]:
    before = os.environ.get(name)
    if value:
        os.environ[name] = value
    else:
        os.environ.pop(name, None)
    try:
        yield
    finally:
        if before is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = before


def packed_template(target: Path, stage: str, slack_secret: str, pack: Packer) -> tuple[Path, dict[str, Any]]:
    """The zip, and the template with ``infra/`` merged into it. Raises NotReady when the package is not fit."""
    try:
        with _environment(SLACK_SECRET, slack_secret):
            code = pack(target, stage)
    except (PackageFailed, InvalidInput) as failed:
        raise NotReady(str(failed)) from None
    template = json.loads((target / "sam.json").read_text(encoding="utf-8"))
    return code, stack_template(template, slack=bool(slack_secret))


# ---- uploading


def upload(where: Place, bucket: str, code: Path, template: Mapping[str, Any], say: Say) -> Uploaded:
    """Puts the zip and the template into the bucket, each under the hash of its content."""
    s3 = where.client("s3")
    key = _put(s3, where, bucket, code.read_bytes(), "zip", say)
    resources = dict(template["Resources"])
    for name, resource in functions(template):
        code_uri = {"Bucket": bucket, "Key": key}
        resources[name] = {**resource, "Properties": {**resource["Properties"], "CodeUri": code_uri}}
    text = json.dumps({**template, "Resources": resources}, separators=(",", ":"), sort_keys=True)
    template_key = _put(s3, where, bucket, text.encode(), "json", say)
    return Uploaded(key, f"{s3.meta.endpoint_url}/{bucket}/{template_key}")


def _put(s3: Any, where: Place, bucket: str, content: bytes, suffix: str, say: Say) -> str:
    key = f"{PREFIX}/{hashlib.sha256(content).hexdigest()}.{suffix}"
    at = {"Bucket": bucket, "Key": key, "ExpectedBucketOwner": where.account}
    try:
        s3.head_object(**at)
    except ClientError as error:
        if error.response["Error"]["Code"] not in ("404", "NoSuchKey", "NotFound", "403"):
            raise
        s3.put_object(**at, Body=content)
        say(f"uploaded s3://{bucket}/{key} ({len(content):,} bytes)")
    return key


# ---- the stack


def existing(where: Place) -> dict[str, Any] | None:
    """The stack as it is, or None when there is none, or one of which there is only an unfinished change set."""
    try:
        stack: dict[str, Any] = where.client("cloudformation").describe_stacks(StackName=where.stack)["Stacks"][0]
    except ClientError as error:
        if "does not exist" in str(error):
            return None
        raise
    return None if stack["StackStatus"] == "REVIEW_IN_PROGRESS" else stack


def check_stack(where: Place, stack: Mapping[str, Any] | None) -> None:
    """Raises NotReady when the stack is in the middle of something, or in a state from which nothing leads on."""
    status = stack["StackStatus"] if stack else ""
    if status.endswith("_IN_PROGRESS"):
        raise NotReady(f"the stack {where.stack} is being changed ({status}); wait until that has come to its end")
    if status in ("ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "DELETE_FAILED", "CREATE_FAILED"):
        raise NotReady(
            f"the stack {where.stack} was never finished ({status}); remove it first: aws cloudformation delete-stack "
            f"--region {where.region} --stack-name {where.stack}"
        )


def outlived(where: Place, template: Mapping[str, Any]) -> list[str]:
    """The names of tables that outlived an earlier stack and are taken into the new one."""
    dynamodb = where.client("dynamodb")
    names = []
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::DynamoDB::Table":
            name = resource["Properties"]["TableName"]
            try:
                dynamodb.describe_table(TableName=name)
            except dynamodb.exceptions.ResourceNotFoundException:
                continue
            names.append(name)
    return names


def change(
    where: Place,
    template: Mapping[str, Any],
    template_url: str,
    parameters: Mapping[str, str],
    stack: Mapping[str, Any] | None,
    say: Say,
    sleep: Sleep,
    tags: Mapping[str, str] | None = None,
) -> bool:
    """Creates or updates the stack through a change set, and waits for it; False when there was nothing to change.

    Raises DeployFailed.
    """
    cloudformation = where.client("cloudformation")
    named = proposed(where, template, template_url, parameters, stack, say, sleep, tags)
    if named is None:
        return False
    seen = {event["EventId"] for event in events(cloudformation, where.stack)}
    cloudformation.execute_change_set(**named)
    wait(where, where.stack, seen, say, sleep)
    return True


def proposed(
    where: Place,
    template: Mapping[str, Any],
    template_url: str,
    parameters: Mapping[str, str],
    stack: Mapping[str, Any] | None,
    say: Say,
    sleep: Sleep,
    tags: Mapping[str, str] | None = None,
) -> dict[str, str] | None:
    """The names of a change set that is ready, and of its stack; None when there is nothing to change. Tags of the
    stack that are not given stay. Raises DeployFailed."""
    cloudformation = where.client("cloudformation")
    named = {"StackName": where.stack, "ChangeSetName": f"deploy-{uuid.uuid4().hex}"}
    before = {parameter["ParameterKey"] for parameter in (stack or {}).get("Parameters", ())}
    kept = [name for name in template.get("Parameters", {}) if name in before and name not in parameters]
    extra: dict[str, Any] = {}
    if stack is None and (tables := outlived(where, template)):
        say(f"taking in what an earlier stack left: {', '.join(tables)}")
        extra["ImportExistingResources"] = True
    say(f"{'updating' if stack else 'creating'} the stack {where.stack} in {where.region}")
    cloudformation.create_change_set(
        **named,
        **extra,
        ChangeSetType="UPDATE" if stack else "CREATE",
        TemplateURL=template_url,
        Capabilities=CAPABILITIES,
        Parameters=[
            *({"ParameterKey": name, "ParameterValue": value} for name, value in parameters.items()),
            *({"ParameterKey": name, "UsePreviousValue": True} for name in kept),
        ],
        Tags=[{"Key": key, "Value": value} for key, value in {**_tags_of(stack), "app": STACK, **(tags or {})}.items()],
    )
    made = cloudformation.describe_change_set(**named)
    while made["Status"] in ("CREATE_PENDING", "CREATE_IN_PROGRESS"):
        sleep(POLL_SECONDS)
        made = cloudformation.describe_change_set(**named)
    if made["Status"] != "CREATE_COMPLETE":
        reason = made.get("StatusReason", made["Status"])
        if any(words in reason for words in NOTHING_TO_DO):
            cloudformation.delete_change_set(**named)
            return None
        raise DeployFailed(f"the change set was refused: {reason}")
    return named


def _tags_of(stack: Mapping[str, Any] | None) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in (stack or {}).get("Tags", ())}


def wait(where: Place, stack_id: str, seen: set[str], say: Say, sleep: Sleep) -> None:
    """Tells what happens to the stack's resources until it is at rest. Raises DeployFailed unless it got there."""
    cloudformation = where.client("cloudformation")
    failures: list[str] = []
    while True:
        stack = cloudformation.describe_stacks(StackName=stack_id)["Stacks"][0]
        for event in reversed(events(cloudformation, stack_id, seen)):
            seen.add(event["EventId"])
            status, name = event["ResourceStatus"], event["LogicalResourceId"]
            reason = event.get("ResourceStatusReason", "")
            if status.endswith("_FAILED"):
                failures.append(f"{name}: {reason}")
            if not status.endswith("_IN_PROGRESS"):
                say(f"  {status:<20} {event['ResourceType']:<34} {name}{' – ' if reason else ''}{reason}")
        if not stack["StackStatus"].endswith("_IN_PROGRESS"):
            break
        sleep(POLL_SECONDS)
    status = stack["StackStatus"]
    if status not in ("CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE", "DELETE_COMPLETE"):
        why = failures[0] if failures else stack.get("StackStatusReason", "no reason was given")
        raise DeployFailed(f"the stack {where.stack} ended as {status}; it began with {why}")


def events(cloudformation: Any, stack_id: str, seen: frozenset[str] | set[str] = frozenset()) -> list[dict[str, Any]]:
    """The stack's events, newest first, back to those that were seen; none when there is no stack yet."""
    stack_events: list[dict[str, Any]] = []
    try:
        for page in cloudformation.get_paginator("describe_stack_events").paginate(StackName=stack_id):
            for event in page["StackEvents"]:
                if event["EventId"] in seen:
                    return stack_events
                stack_events.append(event)
    except ClientError as error:
        if "does not exist" not in str(error):
            raise
    return stack_events


# ---- the command


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be deployed, and how."""

    stage: str
    bucket: str
    stack: str | None = None
    parameters: Mapping[str, str] | None = None
    dirty: bool = False
    upload_only: bool = False
    dry_run: bool = False
    tags: Mapping[str, str] | None = None


def deploy(
    session: Any,
    wish: Wish,
    *,
    say: Say,
    sleep: Sleep = time.sleep,
    pack: Packer = package,
    root: Path = ROOT,
    running: tuple[int, int] = sys.version_info[:2],
) -> dict[str, str]:
    """Deploys, and gives the stack's outputs; after an upload alone the address of the template, and of a dry run the
    changes by resource.

    Raises NotReady with nothing changed, and DeployFailed.
    """
    if not wish.dirty:
        check_tree(root)
    where = place(session, wish.stage, wish.stack)
    check_bucket(where, wish.bucket)
    stack = existing(where)
    if not wish.upload_only:
        check_stack(where, stack)
    parameters = dict(wish.parameters or {})
    before = {
        parameter["ParameterKey"]: parameter.get("ParameterValue", "")
        for parameter in (stack or {}).get("Parameters", ())
    }
    slack_secret = parameters.get("SlackSecret", before.get("SlackSecret", ""))
    if not slack_secret:
        parameters.pop("SlackSecret", None)
    check_tags(wish.tags or {})
    infra = stack_template({}, slack=bool(slack_secret))
    check_environment(infra, os.environ)
    check_parameters(infra, parameters)
    check_subnets({**before, **parameters})
    say("packing")
    code, template = packed_template(root / "out" / "package", wish.stage, slack_secret, pack)
    check_python(template, running)
    uploaded = upload(where, wish.bucket, code, template, say)
    if wish.upload_only:
        return {"TemplateUrl": uploaded.template_url}
    if wish.dry_run:
        named = proposed(where, template, uploaded.template_url, parameters, stack, say, sleep, wish.tags)
        return preview(where, named, say) if named is not None else {}
    if not change(where, template, uploaded.template_url, parameters, stack, say, sleep, wish.tags):
        say("nothing to change")
    stack = existing(where) or {}
    return {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", ())}


def session_of(region: str | None, profile: str | None) -> Any:
    """A session of boto3. Raises NotReady for a profile that does not exist."""
    try:
        return boto3.Session(region_name=region, profile_name=profile)
    except BotoCoreError as error:
        raise NotReady(f"{error}; accepted is a profile of ~/.aws/config") from None


def say_to_stderr(text: str) -> None:
    """Progress."""
    print(text, file=sys.stderr, flush=True)


def _parameter(argument: str) -> tuple[str, str]:
    name, separator, value = argument.partition("=")
    if not separator or not name:
        raise argparse.ArgumentTypeError(f"{argument!r} is no parameter; accepted is NAME=VALUE")
    return name, value


def main(arguments: Sequence[str] | None = None, session: Any = None) -> int:
    """Exit codes: 0 deployed, 1 it failed on the way, 2 a precondition is not met and nothing was changed."""
    parser = argparse.ArgumentParser(prog="python -m tools.deploy", description="Packs and deploys the auditor.")
    parser.add_argument("--stage", required=True, choices=stages())
    parser.add_argument("--bucket", required=True, help="where the code is uploaded; in the region of the stack")
    parser.add_argument("--region")
    parser.add_argument("--profile")
    parser.add_argument("--stack", help=f"the stack's name (default: {STACK}, for dev {STACK}-dev)")
    parser.add_argument(
        "--parameter",
        type=_parameter,
        nargs="+",
        action="extend",
        default=[],
        metavar="NAME=VALUE",
        help="parameters of the stack (docs/deploy.md); those that are not given stay as they are",
    )
    parser.add_argument(
        "--tag",
        type=_parameter,
        nargs="+",
        action="extend",
        default=[],
        metavar="KEY=VALUE",
        help="tags of the stack and of all that it makes; those that are not given stay as they are",
    )
    parser.add_argument("--dry-run", action="store_true", help="show what would change, and change nothing")
    parser.add_argument("--dirty", action="store_true", help="deploy although something is not committed")
    parser.add_argument(
        "--upload-only", action="store_true", help="leave the stack alone, print its template's address"
    )
    options = parser.parse_args(arguments)
    wish = Wish(
        options.stage,
        options.bucket,
        options.stack,
        dict(options.parameter),
        options.dirty,
        options.upload_only,
        options.dry_run,
        dict(options.tag),
    )
    try:
        outputs = deploy(session or session_of(options.region, options.profile), wish, say=say_to_stderr)
    except NotReady as problem:
        print(f"not deployed: {problem}", file=sys.stderr)
        return 2
    except (DeployFailed, ClientError, BotoCoreError) as failed:
        print(f"failed: {failed}", file=sys.stderr)
        return 1
    width = max((len(name) for name in outputs), default=0)
    for name, value in sorted(outputs.items()):
        print(f"{name:<{width}}  {value}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
