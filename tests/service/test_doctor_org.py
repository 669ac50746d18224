"""``auditor doctor --org``: each member account looked at with its role, through the emulator."""

import json
from pathlib import Path
from typing import Any

import boto3
import pytest

from chalicelib.cli import run
from chalicelib.doctor.organization import SENT
from emulator.front import Front
from emulator.server import DEFAULT_ACCOUNT as ACCOUNT
from emulator.server import DEFAULT_REGION as REGION
from emulator.server import Emulator
from emulator.wire import Call
from tests.service.test_fleet import MEMBERS, Account
from tools.member_events import patterns

BUS = f"arn:aws:events:{REGION}:{ACCOUNT}:event-bus/default"
ARGUMENTS = ["doctor", "--role", "auditor-member", "--external-id", "a-secret", "--format", "json"]


@pytest.fixture
def account(emulator: Emulator, front: Front) -> Account:
    """Two members whose roles ask for the external id, and whose events the bus takes and their rules send."""
    account = Account(emulator)
    front.deny("sts:AssumeRole", lambda call: "ExternalId" not in call.params)
    hub = emulator.client("events")
    for member in MEMBERS:
        hub.put_permission(Action="events:PutEvents", Principal=member, StatementId=f"auditor-{member}")
        forward(account, member)
    return account


def forward(account: Account, member: str) -> None:
    """The rules of infra/member-events.yaml in an account."""
    events = member_client(account, member)
    for name, pattern in patterns():
        events.put_rule(Name=name, EventPattern=json.dumps(pattern), State="ENABLED")
        events.put_targets(Rule=name, Targets=[{"Id": "auditor", "Arn": BUS}])


def member_client(account: Account, member: str) -> Any:
    sts = account.emulator.client("sts")
    granted = sts.assume_role(
        RoleArn=f"arn:aws:iam::{member}:role/setup", RoleSessionName="setup", ExternalId="a-secret"
    )["Credentials"]
    return boto3.client(
        "events",
        region_name=REGION,
        aws_access_key_id=granted["AccessKeyId"],
        aws_secret_access_key=granted["SecretAccessKey"],
        aws_session_token=granted["SessionToken"],
    )


def diagnosed(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> dict[str, Any]:
    named = [word for member in MEMBERS for word in ("--account", member)]
    assert run([*ARGUMENTS, *named, *arguments]) == code
    diagnosis: dict[str, Any] = json.loads(capsys.readouterr().out)
    return diagnosis


def states(diagnosis: dict[str, Any], member: str) -> dict[str, str]:
    (entry,) = [listed for listed in diagnosis["members"] if listed["account"] == member]
    return {check["topic"]: check["state"] for check in entry["checks"]}


def text_of(diagnosis: dict[str, Any], member: str, topic: str) -> str:
    (entry,) = [listed for listed in diagnosis["members"] if listed["account"] == member]
    text: str = next(check["text"] for check in entry["checks"] if check["topic"] == topic)
    return text


@pytest.mark.slow
def test_accounts_that_are_as_they_should_be_are_ready(
    account: Account, front: Front, capsys: pytest.CaptureFixture[str]
) -> None:
    front.calls.clear()
    diagnosis = diagnosed(capsys, "--strict")
    assert diagnosis["ready"] and diagnosis["bus"]["state"] == "ok"
    for member in MEMBERS:
        assert set(states(diagnosis, member).values()) == {"ok"}, diagnosis
    changing = [name for name in front.calls if name.split(":")[1].startswith(("Create", "Put", "Delete", "Update"))]
    assert changing == [], "a doctor changes nothing"


@pytest.mark.slow
def test_what_is_wrong_is_told_with_what_to_do(
    account: Account, front: Front, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = MEMBERS
    front.clear()  # no role asks for its external id any more

    def of_second(call: Call) -> bool:
        return f":{second}:" in call.params.get("RoleArn", "")

    front.deny("sts:AssumeRole", of_second)
    front.deny("sagemaker:ListTrainingPlans")
    member_client(account, first).disable_rule(Name=next(patterns())[0])
    diagnosis = diagnosed(capsys, "--strict", code=4)
    assert not diagnosis["ready"]
    assert states(diagnosis, second) == {"role": "wrong"}
    assert "deploy infra/member-role.yaml there" in text_of(diagnosis, second, "role")
    assert states(diagnosis, first) == {"role": "ok", "external id": "wrong", "permissions": "wrong", "events": "wrong"}
    assert "sagemaker:ListTrainingPlans" in text_of(diagnosis, first, "permissions")
    assert f"of {len(SENT)} kinds are not sent" in text_of(diagnosis, first, "events")


@pytest.mark.slow
def test_a_bus_that_takes_nothing_makes_events_a_note(
    emulator: Emulator, front: Front, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    Account(emulator)
    front.deny("sts:AssumeRole", lambda call: "ExternalId" not in call.params)
    diagnosis = diagnosed(capsys)
    assert diagnosis["ready"] and diagnosis["bus"]["state"] == "note"
    assert states(diagnosis, MEMBERS[0])["events"] == "note"
    page = tmp_path / "members.txt"
    arguments = [*ARGUMENTS[:-1], "table", "--account", MEMBERS[0], "--output", str(page)]
    assert run(arguments) == 0
    assert (
        f"Account {MEMBERS[0]}" in page.read_text() and "1 account: the auditor gets in everywhere" in page.read_text()
    )


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--org"], "--org needs --role NAME"),
        (["--org", "--role", "arn:aws:iam::123456789012:role/r"], "accepted with --org is the name of a role"),
        (["--role", "auditor-member"], "--role goes with --org and --account"),
        (["--account", "12", "--role", "auditor-member"], "accepted are ids of twelve digits"),
        (["--org", "--event", "--role", "auditor-member"], "--event looks at one account"),
    ],
)
def test_options_that_do_not_fit_are_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    assert run(["doctor", *arguments]) == 2
    assert words in capsys.readouterr().err
