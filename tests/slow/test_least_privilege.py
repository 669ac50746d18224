"""Each function's role allows the calls that the function makes: none is missing, none is unused."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import count, tee
from typing import Any

import pytest
from chalice.test import Client
from moto.sagemaker.models import sagemaker_backends

import app as handlers
from chalicelib.events import API_CALL, NAMED_BY, SCALING_ACTIVITY
from chalicelib.inventory.aws import boto3_name
from chalicelib.ledger.table import TABLE
from chalicelib.notices.publisher import NotDelivered
from chalicelib.policy.policy import forget
from emulator.account import build
from emulator.extension.records import CLUSTER, arn_of
from emulator.front import Front
from emulator.server import DEFAULT_ACCOUNT as ACCOUNT
from emulator.server import DEFAULT_REGION as REGION
from emulator.server import Emulator
from tests.direct import direct
from tests.events import payload
from tests.service.test_triggers import Subscriber
from tools.generate import ROOT
from tools.infra import STACK, load, member_reads
from tools.service_models import operations

MEMBER = "222222222222"
MEMBER_ROLE = "member-role"
#: What IAM calls an operation where it does not call it by its name.
ACTIONS = {
    "cloudwatch:QueryMetrics": ["cloudwatch:GetMetricData", "cloudwatch:ListMetrics"],
    "dynamodb:TransactWriteItems": ["dynamodb:PutItem"],
    "ses:POST /v2/email/outbound-emails": ["ses:SendEmail", "ses:SendRawEmail"],
    "sqs:SendMessageBatch": ["sqs:SendMessage"],
    "s3:ListObjectsV2": ["s3:ListBucket"],
    "s3:HeadBucket": ["s3:ListBucket"],
}
#: Made by Lambda for the function, not by the function.
BY_LAMBDA = {
    "logs:CreateLogStream",
    "logs:PutLogEvents",
    "sqs:ChangeMessageVisibility",
    "sqs:DeleteMessage",
    "sqs:GetQueueAttributes",
    "sqs:ReceiveMessage",
}
#: The services of what is audited.
AUDITED = {"sagemaker", "ec2", "application-autoscaling", "cloudwatch", "servicequotas", "iam", "kms", "ecr"}
#: Asked without boto3, or told by its path.
BY_HAND = {"cloudwatch:QueryMetrics", "ses:POST /v2/email/outbound-emails"}
#: Needs no permission.
FREE = {"sts:GetCallerIdentity"}


class Recorder:
    """Calls handlers, and keeps the IAM actions that each function has needed: in its own account, and by the role of
    member accounts (``MEMBER_ROLE``)."""

    def __init__(self, emulator: Emulator, front: Front) -> None:
        self.emulator, self.front = emulator, front
        self.used: dict[str, set[str]] = {}
        self.operations: set[str] = set()

    def invoke(self, function: str, event: dict[str, Any], **environment: str) -> Any:
        with self._client(environment) as client:
            self.front.history.clear()
            answer = client.lambda_.invoke(function, event).payload
            self._note(function)
        return answer

    def request(self, method: str, path: str, body: Any = None, **environment: str) -> Any:
        with self._client(environment) as client:
            self.front.history.clear()
            answer = client.http.request(
                method, path, headers={"Content-Type": "application/json"}, body=json.dumps(body or {}).encode()
            )
            self._note("api_handler")
        assert answer.status_code in (200, 202), answer.body
        return answer.json_body

    @contextmanager
    def _client(self, environment: dict[str, str]) -> Iterator[Client]:
        handlers.service.cache_clear()
        forget()
        with pytest.MonkeyPatch.context() as patch:
            for name, value in environment.items():
                patch.setenv(name, value)
            with Client(handlers.app) as client:
                yield client

    def _note(self, function: str) -> None:
        for call in self.front.history:
            if call.service:  # not the stand-in of Slack
                role = function if call.account == ACCOUNT else MEMBER_ROLE
                self.used.setdefault(role, set()).update(ACTIONS.get(call.name, [call.name]))
                self.operations.add(call.name)


def allowed(function: str) -> set[str]:
    document = json.loads((ROOT / ".chalice" / f"policy-{function}.json").read_text())
    mail = load(STACK)["Resources"]["MailPolicy"]["Properties"]
    role = "".join(word.capitalize() for word in function.split("_")) + "Role"
    by_stack = mail["PolicyDocument"]["Statement"] if {"Ref": role} in mail["Roles"] else []
    return {action for statement in [*document["Statement"], *by_stack] for action in statement["Action"]}


def an_account(emulator: Emulator) -> dict[str, str]:
    """The demo account with everything that the auditor can use, and its environment."""
    build(now=datetime.now(UTC))
    emulator.client("dynamodb").create_table(TableName="auditor-ledger", **TABLE)
    emulator.client("s3").create_bucket(
        Bucket="auditor-reports", CreateBucketConfiguration={"LocationConstraint": REGION}
    )
    emulator.client("s3").put_object(Bucket="auditor-reports", Key="own.yaml", Body=b"extends: strict\n")
    cloudwatch = emulator.client("cloudwatch")
    alarms = [alarm["AlarmName"] for alarm in cloudwatch.describe_alarms()["MetricAlarms"]]
    cloudwatch.put_alarm_mute_rule(
        Name="release-window",
        Rule={"Schedule": {"Expression": "cron(0 20 * * *)", "Duration": "PT1H"}},
        MuteTargets={"AlarmNames": alarms},
    )
    emulator.client("sagemaker").create_ai_benchmark_job(
        AIBenchmarkJobName="churn-load-test",
        BenchmarkTarget={"Endpoint": {"Identifier": "churn-prediction"}},
        OutputConfig={"S3OutputLocation": "s3://auditor-reports/benchmarks/"},
        AIWorkloadConfigIdentifier="churn-workload",
        RoleArn=f"arn:aws:iam::{ACCOUNT}:role/sagemaker",
    )
    emulator.client("ses").verify_email_identity(EmailAddress="auditor@example.org")
    emulator.client("securityhub").enable_security_hub()
    emulator.client("secretsmanager").create_secret(
        Name="auditor/slack", SecretString=f"{emulator.url}/services/T0/B0/x"
    )
    emulator.client("ssm").put_parameter(
        Name="/auditor/slack", Value="https://127.0.0.1:1/services/T0/B0/x", Type="SecureString"
    )
    return {
        "AUDITOR_TOPIC_ARN": Subscriber(emulator).topic,
        "AUDITOR_TABLE": "auditor-ledger",
        "AUDITOR_BUCKET": "auditor-reports",
        "AUDITOR_EMAIL_FROM": "auditor@example.org",
        "AUDITOR_EMAIL_TO": "team@example.org",
        "AUDITOR_SECURITY_HUB": "on",
        "AUDITOR_POLICY": "s3://auditor-reports/own.yaml",
    }


class Situations:
    """Every situation in which a function needs a permission; each is played once, for whichever test asks first."""

    def __init__(self, recorder: Recorder, environment: dict[str, str]) -> None:
        self.recorder, self.environment = recorder, environment
        emulator = recorder.emulator
        queue = emulator.client("sqs").create_queue(QueueName="auditor-parts")["QueueUrl"]
        emulator.client("organizations").create_organization(FeatureSet="ALL")
        self.queued = {"AUDITOR_QUEUE_URL": queue}
        self.many = {**self.queued, "AUDITOR_ROLE_NAME": "auditor-member"}
        self._tables = count()
        self._played: set[Callable[[Situations], None]] = set()

    def used(self, function: str) -> set[str]:
        """The actions that a function needed in all of its situations."""
        for situation in SITUATIONS[function]:
            if situation not in self._played:
                self._played.add(situation)
                situation(self)
        return self.recorder.used[function]

    def fresh(self, **more: str) -> dict[str, str]:
        """The environment with a ledger that knows nothing, so that there is everything to tell."""
        table = f"auditor-ledger-{next(self._tables)}"
        self.recorder.emulator.client("dynamodb").create_table(TableName=table, **TABLE)
        return {**self.environment, "AUDITOR_TABLE": table, **more}

    def schedules(self) -> None:
        self._with_and_without_search(
            lambda: self.recorder.invoke("audit_on_schedule", payload("schedule"), **self.fresh())
        )

    def parts(self) -> None:
        self._with_and_without_search(lambda: self._run_of("organization", *self._members()))
        self._run_of(f"{ACCOUNT},{MEMBER}", MEMBER)
        self.recorder.invoke("audit_part", _again(), **self.fresh(**self.queued))

    def events_of_members(self) -> None:
        """One event of each type of the stack, of a member account: handed over, and audited by its role."""
        sqs = self.recorder.emulator.client("sqs")
        queue = sqs.create_queue(QueueName="auditor-parts-of-members")["QueueUrl"]
        more = {**self.many, "AUDITOR_QUEUE_URL": queue, "AUDITOR_ACCOUNTS": "organization"}
        environment = self.fresh(**more)
        member = self.recorder.emulator.client("organizations").create_account(AccountName="m", Email="m@example.org")
        of_member = {"account": member["CreateAccountStatus"]["AccountId"]}
        for function, events in (
            ("audit_on_sagemaker_event", _native_events()),
            ("audit_on_scaling_event", _scaling_events()),
            ("audit_on_api_call", _api_calls()),
        ):
            for event in {event["detail-type"]: event for event in events}.values():
                self.recorder.invoke(function, {**event, **of_member}, **environment)
                (message,) = sqs.receive_message(QueueUrl=queue)["Messages"]
                sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
                record = {"messageId": "1", "body": message["Body"], "attributes": {"ApproximateReceiveCount": "1"}}
                self.recorder.invoke("audit_part", {"Records": [record]}, **environment)

    def _members(self) -> list[str]:
        listed = self.recorder.emulator.client("organizations").list_accounts()["Accounts"]
        return [account["Id"] for account in listed]

    def _run_of(self, accounts: str, *parts: str) -> None:
        environment = self.fresh(**self.many, AUDITOR_ACCOUNTS=accounts)
        run = self.recorder.invoke("audit_on_schedule", payload("schedule"), **environment)
        for part in parts:
            self.recorder.invoke("audit_part", _part(run["run"], part), **environment)

    def _with_and_without_search(self, play: Callable[[], Any]) -> None:
        play()
        self.recorder.front.deny("sagemaker:Search")
        play()
        self.recorder.front.clear()

    def sagemaker_events(self) -> None:
        self._events("audit_on_sagemaker_event", _native_events())
        environment = self.fresh()
        self.recorder.front.deny("sagemaker:Search")
        for event in _native_events():
            if "Model State" in event["detail-type"]:
                self.recorder.invoke("audit_on_sagemaker_event", event, **environment)
        self.recorder.front.clear()

    def scaling_events(self) -> None:
        self._events("audit_on_scaling_event", _scaling_events())

    def api_calls(self) -> None:
        self._events("audit_on_api_call", _api_calls())

    def _events(self, function: str, events: Iterator[dict[str, Any]]) -> None:
        """Each event, and then as many as it takes to tell something that a channel does not take."""
        environment = self.fresh(**self.queued)
        events, again = tee(events)
        for event in events:
            self.recorder.invoke(function, event, **environment)
        self.recorder.front.deny("securityhub:BatchImportFindings")
        environment = self.fresh()
        with pytest.raises(NotDelivered):
            for event in again:
                self.recorder.invoke(function, event, **environment)
        self.recorder._note(function)
        self.recorder.front.clear()

    def requests(self) -> None:
        recorder = self.recorder
        self._with_and_without_search(lambda: recorder.request("POST", "/audit", {"notify": True}, **self.fresh()))
        asking = self.fresh(**self.queued)
        begun = recorder.request("POST", "/audit", {"notify": True}, **asking)
        recorder.request("GET", f"/audit/runs/{begun['audit_id']}", **asking)
        in_organization = self.fresh(**self.many, AUDITOR_ACCOUNTS="organization")
        member = recorder.emulator.client("organizations").create_account(AccountName="member", Email="m@example.org")
        recorder.request(
            "POST", "/audit", {"accounts": [member["CreateAccountStatus"]["AccountId"]]}, **in_organization
        )
        arns = [f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:{name}" for name in NAMED]
        recorder.request("POST", "/audit", {"notify": True, "resources": arns}, **asking)
        recorder.request("GET", "/audit", **asking)

    def deliveries(self) -> None:
        for secret in ("auditor/slack", "ssm:/auditor/slack"):
            with pytest.raises(Exception, match="Slack"):
                self.recorder.invoke("deliver_to_slack", _notice(), **self.environment, AUDITOR_SLACK_SECRET=secret)
            self.recorder._note("deliver_to_slack")


SITUATIONS: dict[str, list[Callable[[Situations], None]]] = {
    "api_handler": [Situations.requests],
    "audit_on_api_call": [Situations.api_calls],
    "audit_on_sagemaker_event": [Situations.sagemaker_events],
    "audit_on_scaling_event": [Situations.scaling_events],
    "audit_on_schedule": [Situations.schedules, Situations.parts],
    "audit_part": [Situations.parts, Situations.events_of_members],
    "deliver_to_slack": [Situations.deliveries],
}


@pytest.fixture(scope="module")
def situations() -> Iterator[Situations]:
    """The demo account, and all that may happen to it."""
    with Emulator(Front()) as emulator, direct(emulator), pytest.MonkeyPatch.context() as patch:
        for name, value in emulator.environment().items():
            patch.setenv(name, value)
        assert emulator.front is not None
        yield Situations(Recorder(emulator, emulator.front), an_account(emulator))
        handlers.service.cache_clear()
        forget()


@pytest.fixture
def used(situations: Situations, function: str) -> set[str]:
    """The actions that a function needed in every situation there is."""
    return situations.used(function)


def _part(run: str, account: str) -> dict[str, Any]:
    body = {"kind": "audit-part", "run": run, "account": account, "region": REGION}
    record = {"messageId": "1", "body": json.dumps(body), "attributes": {"ApproximateReceiveCount": "1"}}
    return {"Records": [record]}


def _again() -> dict[str, Any]:
    """The message that asks for an endpoint in the middle of a change again."""
    arn = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:endpoint/route-optimizer"
    body = {"kind": "audit-again", "account": ACCOUNT, "region": REGION, "resource": arn, "attempt": 1}
    record = {"messageId": "1", "body": json.dumps(body), "attributes": {"ApproximateReceiveCount": "1"}}
    return {"Records": [record]}


def _notice() -> dict[str, Any]:
    from samples.notices import SAMPLES

    message = json.dumps(SAMPLES["finding-new"].machine())
    return {"Records": [{"EventSource": "aws:sns", "Sns": {"MessageId": "1", "Message": message}}]}


NAMES = {
    "endpoint": [
        "churn-prediction",
        "kyc-checks",
        "llm-agents",
        "edge-quality-check",
        "fraud-scoring",
        "warehouse-slots",
        "basket-analysis",
        "route-optimizer",
    ],
    "endpoint-config": ["llm-agents-config"],
    "model": ["edge-quality-check-v2"],
    "training-job": ["uplift-lightgbm-gpu", "genomics-research"],
    "tuning-job": ["churn-tuning"],
    "transform-job": ["anomaly-batch-gpu"],
    "notebook-instance": ["reporting-old"],
    "cluster": [arn_of(sagemaker_backends[ACCOUNT][REGION], CLUSTER, "research-pretraining")],
}


NAMED = ["endpoint/warehouse-slots", "model/edge-quality-check-v2", "hyper-parameter-tuning-job/churn-tuning"]


def _native_events() -> Iterator[dict[str, Any]]:
    for detail_type, (key, kind) in NAMED_BY.items():
        if detail_type != "SageMaker Endpoint Deployment State Change":
            for name in NAMES[kind]:
                yield {**payload("schedule"), "detail-type": detail_type, "detail": {key: name}}


def _scaling_events() -> Iterator[dict[str, Any]]:
    for what in (
        *(f"endpoint/{name}/variant/AllTraffic" for name in NAMES["endpoint"]),
        "inference-component/embed-small",
    ):
        detail = {"resourceId": what, "serviceNamespace": "sagemaker", "scaledToMax": True}
        yield {**payload("schedule"), "detail-type": SCALING_ACTIVITY, "detail": detail}


def _api_calls() -> Iterator[dict[str, Any]]:
    for source, name, parameters in (
        *(("sagemaker", "UpdateEndpointWeightsAndCapacities", {"endpointName": name}) for name in NAMES["endpoint"]),
        ("sagemaker", "CreateInferenceComponent", {"inferenceComponentName": "agents-critic"}),
        ("sagemaker", "CreateTrainingJob", {"trainingJobName": "uplift-lightgbm-gpu"}),
        ("sagemaker", "CreateModel", {"modelName": "edge-quality-check-v2"}),
        ("sagemaker", "CreateTrainingPlan", {"trainingPlanName": "research-2026"}),
        ("sagemaker", "UpdateNotebookInstance", {"notebookInstanceName": "reporting-old"}),
        ("ec2", "DeleteSubnet", {"subnetId": "subnet-0a11a2b3c4d5e6f70"}),
        ("ec2", "CreateSubnet", {"vpcId": "vpc-0b2e6d3f8a4c05791"}),
    ):
        detail = {"eventSource": f"{source}.amazonaws.com", "eventName": name, "requestParameters": parameters}
        yield {**payload("schedule"), "detail-type": API_CALL, "detail": detail}


FUNCTIONS = sorted(path.stem.removeprefix("policy-") for path in (ROOT / ".chalice").glob("policy-*.json"))


@pytest.mark.parametrize("function", FUNCTIONS)
def test_no_permission_is_missing(used: set[str], function: str) -> None:
    assert used - allowed(function) - FREE == set()


@pytest.mark.parametrize("function", FUNCTIONS)
def test_no_permission_is_unused(used: set[str], function: str) -> None:
    assert allowed(function) - used - BY_LAMBDA == set()


def test_the_role_of_members_allows_what_parts_and_events_read_and_nothing_else(situations: Situations) -> None:
    reading = ("audit_part", "audit_on_sagemaker_event", "audit_on_scaling_event", "audit_on_api_call")
    used = {call for function in reading for call in situations.used(function)}
    own = {call for call in used if call.split(":")[0] in AUDITED or call == "s3:ListBucket"}
    by_role = situations.recorder.used[MEMBER_ROLE]
    assert by_role - set(member_reads()) - FREE == set()
    assert own == set(member_reads())


def test_what_the_functions_ask_is_in_the_models_of_the_package(situations: Situations) -> None:
    for function in FUNCTIONS:
        situations.used(function)
    packed = operations()
    asked = [name.split(":") for name in situations.recorder.operations - BY_HAND]
    lacking = {f"{service}:{name}" for service, name in asked if name not in packed.get(boto3_name(service), [name])}
    assert len(asked) > 60
    assert lacking == set()


def test_what_an_event_may_send_to_is_the_queue_of_the_parts_alone() -> None:
    for function in ("audit_on_sagemaker_event", "audit_on_scaling_event", "audit_on_api_call"):
        document = json.loads((ROOT / ".chalice" / f"policy-{function}.json").read_text())
        (sending,) = (statement for statement in document["Statement"] if "sqs:SendMessage" in statement["Action"])
        assert (sending["Action"], sending["Resource"]) == (["sqs:SendMessage"], "arn:*:sqs:*:*:auditor-parts")
        assert load(STACK)["Resources"]["PartsQueue"]["Properties"]["QueueName"] == "auditor-parts"


@pytest.mark.parametrize("function", FUNCTIONS)
def test_nothing_is_written_to_what_is_audited(used: set[str], function: str) -> None:
    calls = {call for call in used if call.split(":")[0] in AUDITED}
    assert not {call for call in calls if not call.split(":")[1].startswith(("Describe", "List", "Get", "Search"))}
