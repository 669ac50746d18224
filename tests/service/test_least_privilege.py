"""Each function's role allows the calls that the function makes: none is missing, none is unused."""

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from chalice.test import Client
from moto.sagemaker.models import sagemaker_backends

import app as handlers
from chalicelib.events import API_CALL, NAMED_BY, SCALING_ACTIVITY
from chalicelib.ledger.table import TABLE
from chalicelib.policy.policy import forget
from emulator.account import build
from emulator.extension.records import CLUSTER, arn_of
from emulator.front import Front
from emulator.server import DEFAULT_ACCOUNT as ACCOUNT
from emulator.server import DEFAULT_REGION as REGION
from emulator.server import Emulator
from tests.events import payload
from tests.service.test_triggers import Subscriber
from tools.generate import ROOT

MEMBER = "222222222222"
#: What IAM calls an operation where it does not call it by its name.
ACTIONS = {
    "dynamodb:TransactWriteItems": ["dynamodb:PutItem"],
    "ses:POST /v2/email/outbound-emails": ["ses:SendEmail", "ses:SendRawEmail"],
    "sqs:SendMessageBatch": ["sqs:SendMessage"],
}
#: Made by Lambda for the function, not by the function.
BY_LAMBDA = {
    "logs:CreateLogGroup",
    "logs:CreateLogStream",
    "logs:PutLogEvents",
    "sqs:ChangeMessageVisibility",
    "sqs:DeleteMessage",
    "sqs:GetQueueAttributes",
    "sqs:ReceiveMessage",
}
#: Needs no permission.
FREE = {"sts:GetCallerIdentity"}


class Recorder:
    """Calls handlers, and keeps the IAM actions that each function has needed."""

    def __init__(self, emulator: Emulator, front: Front) -> None:
        self.emulator, self.front = emulator, front
        self.used: dict[str, set[str]] = {}

    def invoke(self, function: str, event: dict[str, Any], **environment: str) -> Any:
        with self._client(environment) as client:
            self.front.calls.clear()
            answer = client.lambda_.invoke(function, event).payload
            self._note(function)
        return answer

    def request(self, method: str, path: str, body: Any = None, **environment: str) -> Any:
        with self._client(environment) as client:
            self.front.calls.clear()
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
        calls: Counter[str] = self.front.calls
        for call in calls:
            if not call.startswith(":"):  # the stand-in of Slack
                self.used.setdefault(function, set()).update(ACTIONS.get(call, [call]))


def allowed(function: str) -> set[str]:
    document = json.loads((ROOT / ".chalice" / f"policy-{function}.json").read_text())
    return {action for one in document["Statement"] for action in one["Action"]}


def an_account(emulator: Emulator) -> dict[str, str]:
    """The demo account with everything that the auditor can use, and its environment."""
    build(now=datetime.now(UTC))
    emulator.client("dynamodb").create_table(TableName="auditor-ledger", **TABLE)
    emulator.client("s3").create_bucket(
        Bucket="auditor-reports", CreateBucketConfiguration={"LocationConstraint": REGION}
    )
    emulator.client("s3").put_object(Bucket="auditor-reports", Key="own.yaml", Body=b"extends: strict\n")
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


@pytest.fixture(scope="module")
def used() -> Iterator[dict[str, set[str]]]:
    """The actions that each function needed in every situation there is."""
    with Emulator(Front()) as emulator, pytest.MonkeyPatch.context() as patch:
        for name, value in emulator.environment().items():
            patch.setenv(name, value)
        assert emulator.front is not None
        recorder = Recorder(emulator, emulator.front)
        environment = an_account(emulator)
        _record(recorder, environment)
        handlers.service.cache_clear()
        forget()
        yield recorder.used


def _record(recorder: Recorder, environment: dict[str, str]) -> None:
    front, emulator = recorder.front, recorder.emulator
    queue = emulator.client("sqs").create_queue(QueueName="auditor-parts")["QueueUrl"]
    emulator.client("organizations").create_organization(FeatureSet="ALL")
    tables = iter(range(100))

    def fresh(**more: str) -> dict[str, str]:
        """The environment with a ledger that knows nothing, so that there is everything to tell."""
        table = f"auditor-ledger-{next(tables)}"
        emulator.client("dynamodb").create_table(TableName=table, **TABLE)
        return {**environment, "AUDITOR_TABLE": table, **more}

    many = {"AUDITOR_QUEUE_URL": queue, "AUDITOR_ROLE_NAME": "auditor-member"}
    for denied in (None, "sagemaker:Search"):
        if denied:
            front.deny(denied)
        recorder.invoke("audit_on_schedule", payload("schedule"), **fresh())
        recorder.request("POST", "/audit", {"notify": True}, **fresh())
        told = fresh(**many, AUDITOR_ACCOUNTS="organization")
        run = recorder.invoke("audit_on_schedule", payload("schedule"), **told)
        recorder.invoke("audit_part", _part(run["run"], ACCOUNT), **told)
        front.clear()
    for function, events in EVENTS.items():
        told = fresh()
        for event in events():
            recorder.invoke(function, event, **told)
    _model_without_search(recorder, fresh())

    asking = fresh(AUDITOR_QUEUE_URL=queue)
    begun = recorder.request("POST", "/audit", {"notify": True}, **asking)
    recorder.request("GET", f"/audit/runs/{begun['audit_id']}", **asking)
    arns = [f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:{one}" for one in NAMED]
    recorder.request("POST", "/audit", {"notify": True, "resources": arns}, **asking)
    recorder.request("GET", "/audit", **asking)
    members = fresh(**many, AUDITOR_ACCOUNTS=f"{ACCOUNT},{MEMBER}")
    run = recorder.invoke("audit_on_schedule", payload("schedule"), **members)
    recorder.invoke("audit_part", _part(run["run"], MEMBER), **members)
    for secret in ("auditor/slack", "ssm:/auditor/slack"):
        with pytest.raises(Exception, match="Slack"):
            recorder.invoke("deliver_to_slack", _notice(), **environment, AUDITOR_SLACK_SECRET=secret)
        recorder._note("deliver_to_slack")


def _model_without_search(recorder: Recorder, environment: dict[str, str]) -> None:
    recorder.front.deny("sagemaker:Search")
    for event in _native_events():
        if "Model State" in event["detail-type"]:
            recorder.invoke("audit_on_sagemaker_event", event, **environment)
    recorder.front.clear()


def _part(run: str, account: str) -> dict[str, Any]:
    body = {"kind": "audit-part", "run": run, "account": account, "region": REGION}
    record = {"messageId": "1", "body": json.dumps(body), "attributes": {"ApproximateReceiveCount": "1"}}
    return {"Records": [record]}


def _notice() -> dict[str, Any]:
    from tests.notices_samples import SAMPLES

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
        ("sagemaker", "UpdateNotebookInstance", {"notebookInstanceName": "reporting-old"}),
        ("ec2", "DeleteSubnet", {"subnetId": "subnet-0a11a2b3c4d5e6f70"}),
        ("ec2", "CreateSubnet", {"vpcId": "vpc-0b2e6d3f8a4c05791"}),
    ):
        detail = {"eventSource": f"{source}.amazonaws.com", "eventName": name, "requestParameters": parameters}
        yield {**payload("schedule"), "detail-type": API_CALL, "detail": detail}


EVENTS = {
    "audit_on_sagemaker_event": _native_events,
    "audit_on_scaling_event": _scaling_events,
    "audit_on_api_call": _api_calls,
}
FUNCTIONS = sorted(path.stem.removeprefix("policy-") for path in (ROOT / ".chalice").glob("policy-*.json"))


@pytest.mark.parametrize("function", FUNCTIONS)
def test_no_permission_is_missing(used: dict[str, set[str]], function: str) -> None:
    assert used[function] - allowed(function) - FREE == set()


@pytest.mark.parametrize("function", FUNCTIONS)
def test_no_permission_is_unused(used: dict[str, set[str]], function: str) -> None:
    assert allowed(function) - used[function] - BY_LAMBDA == set()


@pytest.mark.parametrize("function", FUNCTIONS)
def test_nothing_is_written_to_what_is_audited(used: dict[str, set[str]], function: str) -> None:
    audited = {"sagemaker", "ec2", "application-autoscaling", "cloudwatch"}
    calls = {call for call in used[function] if call.split(":")[0] in audited}
    assert not {call for call in calls if not call.split(":")[1].startswith(("Describe", "List", "Get", "Search"))}
