"""The doctor against the emulator: each permission denied one at a time, and held against what an audit says."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import boto3
import pytest

from chalicelib.cli import run
from chalicelib.doctor.doctor import diagnose
from chalicelib.doctor.probes import needed
from chalicelib.inventory.parts import NARROW_ONLY, OPERATIONS, action
from chalicelib.policy.policy import load_policy
from chalicelib.report.difference import DifferenceKind, difference
from chalicelib.report.findings import Report
from chalicelib.rules.registry import may_read
from chalicelib.service import Service
from chalicelib.settings import Settings
from emulator.account import build
from emulator.front import Front
from emulator.server import DEFAULT_ACCOUNT as ACCOUNT
from emulator.server import DEFAULT_REGION as REGION
from emulator.server import Emulator
from emulator.wire import Call
from tests.direct import direct
from tests.examples import sampled

Captured = pytest.CaptureFixture[str]
NOW = datetime.now(UTC)
EVERY_OPERATION = sorted({operation for operations in OPERATIONS.values() for operation in operations})
SWEEP = sorted(needed(load_policy("strict").enabled(), sweep=True))
SEARCH = "sagemaker:Search"
#: What these bring, the demo account has of every kind: all that may be unknown is unknown there.
EXACT = {
    "application-autoscaling:DescribeScalableTargets",
    "application-autoscaling:DescribeScalingActivities",
    "application-autoscaling:DescribeScalingPolicies",
    "application-autoscaling:DescribeScheduledActions",
    "cloudwatch:DescribeAlarms",
    "ec2:DescribeSubnets",
    "sagemaker:ListEndpointConfigs",
    "sagemaker:ListHyperParameterTuningJobs",
    "sagemaker:ListInferenceComponents",
    "sagemaker:ListInferenceRecommendationsJobs",
    "sagemaker:ListModels",
    "sagemaker:ListNotebookInstances",
    "sagemaker:ListTrainingJobs",
    "sagemaker:ListTransformJobs",
    "sagemaker:Search",
}


@pytest.fixture(scope="module")
def demo() -> Iterator[Front]:
    """The demo account, built once: nothing here changes it."""
    front = Front()
    with Emulator(front) as emulator, direct(emulator), pytest.MonkeyPatch.context() as patch:
        for name, value in emulator.environment().items():
            patch.setenv(name, value)
        build(now=NOW)
        yield front


@pytest.fixture
def front(demo: Front) -> Front:
    demo.clear()
    return demo


@pytest.fixture(scope="module")
def session(demo: Front) -> boto3.Session:
    """One session for all, as loading AWS's models is what takes time."""
    return boto3.Session(region_name=REGION)


Audit = Callable[[], Report]


@pytest.fixture(scope="module")
def audit(session: boto3.Session) -> Audit:
    service = Service(Settings(policy="strict"), session)
    return lambda: service.audit(service.scope(), "cli")


@pytest.fixture(scope="module")
def undisturbed(demo: Front, audit: Audit) -> Report:
    demo.clear()
    return audit()


def effects(report: Report) -> set[str]:
    return {id for spot in report.blind_spots for id in spot.effect}


def test_nothing_is_missing_where_nothing_is_denied(front: Front, session: boto3.Session) -> None:
    diagnosis = diagnose(session, {}, NOW, policy="strict")
    assert {permission.state for permission in diagnosis.permissions} == {"allowed"}
    assert (diagnosis.missing, diagnosis.blind, diagnosis.policy_to_add) == ([], [], None)
    assert not [check for check in diagnosis.checks if check.state != "ok"]
    assert sorted(permission.operation for permission in diagnosis.permissions) == SWEEP


def test_each_operation_is_asked_once_and_nothing_is_written(front: Front, session: boto3.Session) -> None:
    diagnose(session, {}, NOW, policy="strict")
    assert dict(front.calls) == {**dict.fromkeys(SWEEP, 1), "sts:GetCallerIdentity": 1}


@pytest.mark.thorough
@pytest.mark.parametrize("operation", sampled(EVERY_OPERATION))
def test_the_doctor_names_exactly_what_is_denied(front: Front, session: boto3.Session, operation: str) -> None:
    front.deny(operation)
    event = operation in NARROW_ONLY
    diagnosis = diagnose(session, {}, NOW, policy="strict", event=event)
    assert [permission.operation for permission in diagnosis.missing] == [operation]
    assert diagnosis.policy_to_add is not None
    assert diagnosis.policy_to_add["Statement"][0]["Action"] == [action(operation)]
    assert diagnosis.blind == needed(load_policy("strict").enabled(), sweep=not event)[operation]


def test_an_audit_tells_its_findings_where_endpoint_configs_are_unread(front: Front, audit: Audit) -> None:
    front.deny("sagemaker:DescribeEndpointConfig")
    front.deny(SEARCH)
    assert "endpoint-single-instance" in {finding.rule for finding in audit().findings}


@pytest.mark.slow
@pytest.mark.parametrize("operation", SWEEP)
def test_what_an_audit_leaves_unknown_the_doctor_has_foretold(
    front: Front, audit: Audit, undisturbed: Report, operation: str
) -> None:
    front.deny(operation)
    if operation.startswith("sagemaker:"):
        front.deny(SEARCH)  # lists and descriptions are asked in its place
    report = audit()
    unknown = effects(report) - effects(undisturbed)
    unknown |= {id for id, counts in report.rules.items() if counts.unknown > undisturbed.rules[id].unknown}
    unknown |= {finding.rule for finding in undisturbed.findings} - {finding.rule for finding in report.findings}
    foretold = set(needed(load_policy("strict").enabled(), sweep=True)[operation])
    assert unknown <= foretold
    if operation in EXACT:
        assert unknown == foretold
    assert not difference(undisturbed, report, may_read).of(DifferenceKind.RESOLVED), (
        "nothing in the account has changed"
    )


@pytest.mark.slow
@pytest.mark.parametrize("operation", ["sagemaker:DescribeEndpoint", "sagemaker:DescribeNotebookInstance"])
def test_what_fails_for_one_resource_alone_is_not_taken_for_resolved(
    front: Front, audit: Audit, undisturbed: Report, operation: str
) -> None:
    failed: set[bytes] = set()

    def one_of_them(call: Call) -> bool:
        if not failed:
            failed.add(call.body)
        return call.body in failed

    front.deny(operation, one_of_them)
    front.deny(SEARCH)
    assert not difference(undisturbed, audit(), may_read).of(DifferenceKind.RESOLVED)
    assert failed


# ---- the command


DENIED = ("cloudwatch:GetMetricData", "ec2:DescribeSubnets")


def test_the_command_shows_what_is_denied_and_the_policy_to_add(
    front: Front, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("AUDITOR_EXTERNAL_ID", "not-to-be-shown")
    for operation in DENIED:
        front.deny(operation)
    assert run(["doctor"]) == 0
    output = capsys.readouterr()
    assert "denied    cloudwatch:GetMetricData" in output.out
    text = " ".join(output.out.split())  # a line of eighty columns is too short for all three
    assert "May be unknown: async-failures-untold, endpoint-az-loss-overload, endpoint-gpu-underutilized, " in text
    assert "not-to-be-shown" not in output.out
    assert output.err == ""
    assert max(map(len, output.out.splitlines())) <= 80
    policy = output.out[output.out.index("{\n") : output.out.rindex("}\n") + 1]
    assert json.loads(policy)["Statement"][0]["Action"] == sorted(DENIED)


def test_json_is_for_programs(front: Front, capsys: Captured) -> None:
    front.deny("ec2:DescribeSubnets")
    assert run(["doctor", "--format", "json", "--strict"]) == 4
    diagnosis = json.loads(capsys.readouterr().out)
    assert (diagnosis["ready"], diagnosis["audit"]) == (False, "sweep")
    denied = [permission for permission in diagnosis["permissions"] if permission["state"] == "denied"]
    assert [permission["operation"] for permission in denied] == ["ec2:DescribeSubnets"]
    assert denied[0]["effect"] == diagnosis["blind"]


def test_an_event_lists_nothing(front: Front, capsys: Captured) -> None:
    front.deny("sagemaker:ListEndpoints")
    assert run(["doctor", "--event", "--strict", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["ready"] is True
    assert not front.calls["sagemaker:ListEndpoints"]


@pytest.mark.parametrize(
    ("code", "status", "says"),
    [("ThrottlingException", 400, "AWS throttled the request"), ("InternalFailure", 500, "InternalFailure")],
)
def test_what_could_not_be_told_is_neither_allowed_nor_denied(
    front: Front, session: boto3.Session, code: str, status: int, says: str
) -> None:
    front.fail("sagemaker:ListModels", status=status, code=code)
    diagnosis = diagnose(session, {}, NOW)
    (missing,) = diagnosis.missing
    assert (missing.operation, missing.state, diagnosis.policy_to_add) == ("sagemaker:ListModels", "unclear", None)
    assert says in missing.reason
    assert "model-vpc-single-az" in diagnosis.blind


def test_what_the_deployed_stack_uses_is_looked_at_and_changes_no_exit_code(
    front: Front, session: boto3.Session, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    topic: str = session.client("sns").create_topic(Name="auditor-findings")["TopicArn"]
    session.client("s3").create_bucket(
        Bucket="auditor-reports", CreateBucketConfiguration={"LocationConstraint": REGION}
    )
    queue = f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/auditor-parts"
    for name, value in {"TOPIC_ARN": topic, "BUCKET": "auditor-reports", "TABLE": "gone", "QUEUE_URL": queue}.items():
        monkeypatch.setenv(f"AUDITOR_{name}", value)
    front.deny("sqs:*")
    assert run(["doctor", "--strict", "--format", "json"]) == 0
    checks = json.loads(capsys.readouterr().out)["checks"]
    states = {check["subject"]: check["state"] for check in checks if check["topic"] == "deployed"}
    assert states == {
        f"topic {topic}": "ok",
        "bucket auditor-reports": "ok",
        "table gone": "note",
        f"queue {queue}": "unclear",
    }
    assert {call.split(":")[1][:4] for call in front.calls if call.split(":")[0] in ("dynamodb", "sqs")} <= {
        "Desc",
        "GetQ",
    }


def test_without_credentials_nothing_is_asked(
    front: Front, monkeypatch: pytest.MonkeyPatch, capsys: Captured, tmp_path: Path
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    assert run(["doctor"]) == 1
    output = capsys.readouterr().out
    assert "no AWS credentials were found" in output
    assert "Nothing can be audited" in output
    assert not front.calls


@pytest.mark.parametrize(
    ("arguments", "environment", "says"),
    [
        (["--region", "mars-1"], {}, "unknown region 'mars-1'"),
        (["--policy", "nope"], {}, "there is no policy 'nope'"),
        ([], {"AUDITOR_LOOKBACK_DAYS": "many"}, "AUDITOR_LOOKBACK_DAYS"),
    ],
)
def test_wrong_usage_is_told_with_everything_else(
    front: Front,
    monkeypatch: pytest.MonkeyPatch,
    capsys: Captured,
    arguments: list[str],
    environment: dict[str, str],
    says: str,
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert run(["doctor", *arguments]) == 2
    output = capsys.readouterr().out
    assert says in " ".join(output.split())
    assert "Credentials" in output or "Region" in output


def test_a_profile_that_does_not_exist_is_one_sentence(front: Front, capsys: Captured) -> None:
    assert run(["doctor", "--profile", "nope"]) == 2
    output = capsys.readouterr()
    assert (output.out, output.err.count("\n")) == ("", 1)
    assert "there is no AWS profile 'nope'" in output.err
