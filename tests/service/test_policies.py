"""Policies in a whole audit: tags for rules of one's own, a policy in a bucket, the explanation of a resource."""

import json
from pathlib import Path

import pytest

from chalicelib.cli import run
from chalicelib.errors import InvalidInput
from chalicelib.policy.policy import KEPT, forget, load_policy
from emulator.front import Front
from emulator.server import DEFAULT_ACCOUNT as ACCOUNT
from emulator.server import DEFAULT_REGION as REGION
from emulator.server import Emulator
from tests.conftest import NewService
from tests.events import payload
from tests.service.test_audit import an_endpoint

OWNER = """
extends: none
custom_rules:
  - {id: acme-has-owner, kind: endpoint, title: No owner, fails_when: "!tags.owner"}
  - {id: acme-config-has-owner, kind: endpoint-config, title: No owner, fails_when: "!tags.owner"}
"""
ADDRESS = "s3://policies/ml/team.yaml"
Captured = pytest.CaptureFixture[str]


@pytest.fixture
def account(emulator: Emulator) -> Emulator:
    forget()
    an_endpoint(emulator, "alone", count=1)
    an_endpoint(emulator, "pair")
    for kind in ("endpoint", "endpoint-config"):
        emulator.client("sagemaker").add_tags(
            ResourceArn=f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:{kind}/pair", Tags=[{"Key": "owner", "Value": "team"}]
        )
    return emulator


@pytest.fixture
def policy(tmp_path: Path) -> str:
    path = tmp_path / "own.yaml"
    path.write_text(OWNER)
    return str(path)


@pytest.mark.parametrize("search", [True, False])
def test_rules_over_tags_read_the_tags(
    account: Emulator, front: Front, new_service: NewService, policy: str, search: bool
) -> None:
    if not search:
        front.deny("sagemaker:Search")
    service = new_service(policy=policy)
    report = service.audit(service.scope(), "cli")
    assert {(finding.rule, finding.resource.name) for finding in report.findings} == {
        ("acme-has-owner", "alone"),
        ("acme-config-has-owner", "alone"),
    }
    assert report.complete is search


def test_tags_that_are_denied_leave_the_rule_unknown(
    account: Emulator, front: Front, new_service: NewService, policy: str
) -> None:
    front.deny("sagemaker:ListTags")
    service = new_service(policy=policy)
    report = service.audit(service.scope(), "cli")
    assert report.rules["acme-config-has-owner"].unknown == 2
    assert not [finding for finding in report.findings if finding.rule == "acme-config-has-owner"]
    assert any("acme-config-has-owner" in spot.effect for spot in report.blind_spots)


def test_a_policy_in_a_bucket(account: Emulator, new_service: NewService) -> None:
    s3 = account.client("s3")
    s3.create_bucket(Bucket="policies", CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_object(Bucket="policies", Key="ml/team.yaml", Body=b"notify_at: high\n")
    s3.put_object(Bucket="policies", Key="ml/own.yaml", Body=b"extends: team.yaml\nremind_after_days: 2\n")
    loaded = new_service(policy="s3://policies/ml/own.yaml").policy
    assert (loaded.notify_at.value, loaded.remind_after_days) == ("high", 2)
    assert "endpoint-idle" in loaded.enabled()


def test_a_policy_in_a_bucket_is_read_with_the_credentials_of_the_caller(
    account: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_bucket(account, b"notify_at: high\n")
    session = account.session()
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("boto3.client", None)  # nobody but the session may be asked
    assert load_policy(ADDRESS, session).notify_at.value == "high"


def test_a_policy_in_a_bucket_that_changed_is_in_force_five_minutes_later(account: Emulator) -> None:
    session, now = account.session(), [0.0]
    in_bucket(account, b"notify_at: high\n")
    first = load_policy(ADDRESS, session, lambda: now[0])
    in_bucket(account, b"notify_at: low\n")
    now[0] = KEPT - 1
    assert load_policy(ADDRESS, session, lambda: now[0]) is first
    now[0] = KEPT
    assert load_policy(ADDRESS, session, lambda: now[0]).notify_at.value == "low"


def test_a_policy_that_no_longer_loads_stops_the_next_audit(
    account: Emulator, new_service: NewService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chalicelib.policy.policy.KEPT", 0.0)
    in_bucket(account, b"notify_at: high\n")
    service = new_service(policy=ADDRESS)
    event = payload("endpoint-in-service")
    assert "audit_id" in service.on_event(event)
    in_bucket(account, b"notify_at: sometimes\n")
    with pytest.raises(InvalidInput, match=r"policies/ml/team\.yaml:1"):
        service.on_event(event)


def in_bucket(account: Emulator, text: bytes) -> None:
    s3 = account.client("s3")
    if "policies" not in {bucket["Name"] for bucket in s3.list_buckets()["Buckets"]}:
        s3.create_bucket(Bucket="policies", CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_object(Bucket="policies", Key="ml/team.yaml", Body=text)


@pytest.mark.parametrize(
    ("address", "says"),
    [("s3://policies/none.yaml", "s3:GetObject"), ("s3://", "accepted is s3://BUCKET/KEY")],
)
def test_a_policy_that_is_not_in_the_bucket(account: Emulator, address: str, says: str) -> None:
    with pytest.raises(InvalidInput, match=says):
        load_policy(address)


def test_explain_tells_every_rule_of_one_resource(account: Emulator, capsys: Captured) -> None:
    arn = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:endpoint/alone"
    assert run(["audit", "--explain", arn, "--format", "json"]) == 0
    outcomes = json.loads(capsys.readouterr().out)
    variant = {change["rule"]: change for change in outcomes if change["resource"]["name"] == "alone/AllTraffic"}
    assert variant["endpoint-single-instance"]["outcome"] == "fail"
    assert variant["endpoint-single-instance"]["facts"]["desired_instance_count"] == 1
    assert variant["endpoint-gpu-underutilized"]["outcome"] == "not_applicable"
    assert variant["endpoint-gpu-underutilized"]["reason"] == "runs on CPU instances"
    assert not [change for change in outcomes if change["resource"]["name"].startswith("pair")]


def test_explain_of_an_endpoint_answers_whether_it_would_come_back(account: Emulator, capsys: Captured) -> None:
    assert run(["audit", "--explain", "pair", "--rule", "endpoint-degraded"]) == 0
    lines = [line.strip() for line in capsys.readouterr().out.splitlines()]
    at = next(number for number, line in enumerate(lines) if line.endswith("would a lost instance be replaced?"))
    assert lines[at].startswith("unknown")
    assert lines[at + 1] == "not judged: endpoint-dependency-missing is off"
    assert run(["audit", "--explain", "pair", "--rule", "endpoint-degraded", "--format", "json"]) == 0
    asked = {load["question"]: load["answer"] for load in json.loads(capsys.readouterr().out) if "question" in load}
    assert asked == dict.fromkeys(("lost_instance_replaced", "update_goes_through", "maximum_reached"), "unknown")


def test_explain_takes_a_name_and_says_which_rules_are_off(account: Emulator, capsys: Captured) -> None:
    assert run(["audit", "--explain", "pair/AllTraffic"]) == 0
    shown = capsys.readouterr().out
    assert "endpoint-variant pair/AllTraffic" in shown
    assert "pass           endpoint-single-instance" in shown
    assert "off            endpoint-cpu-oversized" in shown
    assert "alone" not in shown


def test_explain_of_something_that_is_not_there_is_a_sentence(account: Emulator, capsys: Captured) -> None:
    assert run(["audit", "--explain", "lone"]) == 2
    assert "did you mean alone" in capsys.readouterr().err
