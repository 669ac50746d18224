"""The command line as a person uses it: output, exit codes, and one clear sentence for every mistake."""

import json
import os
from pathlib import Path

import pytest

from chalicelib.cli import run
from chalicelib.rules import RULES
from emulator.front import Front
from emulator.server import DEFAULT_ACCOUNT as ACCOUNT
from emulator.server import DEFAULT_REGION as REGION
from emulator.server import Emulator
from tests.service.test_audit import an_endpoint

Captured = pytest.CaptureFixture[str]


@pytest.fixture
def account(emulator: Emulator) -> Emulator:
    an_endpoint(emulator, "alone", count=1)
    return emulator


def test_json_goes_to_stdout_and_nothing_else(account: Emulator, capsys: Captured) -> None:
    assert run(["audit", "--format", "json"]) == 0
    output = capsys.readouterr()
    assert json.loads(output.out)["trigger"] == "cli"
    assert output.err == ""


def test_the_table_names_resource_rule_and_what(
    account: Emulator, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "160")
    assert run(["audit"]) == 0
    output = capsys.readouterr().out
    assert "alone/AllTraffic" in output
    assert "endpoint-single-instance" in output
    assert output.splitlines()[0] == "endpoint alone"
    assert "2 findings on 1 resource" in output
    assert output.splitlines()[-1].startswith(f"account {ACCOUNT} · {REGION} · ")


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (["--fail-on", "high"], 3),
        (["--fail-on", "critical"], 0),
        (["--rule", "endpoint-idle", "--fail-on", "high"], 0),
        (["--strict"], 0),
    ],
)
def test_the_exit_code_tells_what_was_found(account: Emulator, options: list[str], code: int) -> None:
    assert run(["audit", "--format", "json", *options]) == code


def test_blind_spots_fail_a_strict_audit(account: Emulator, front: Front) -> None:
    front.deny("cloudwatch:GetMetricData")
    assert run(["audit", "--format", "json"]) == 0
    assert run(["audit", "--format", "json", "--strict"]) == 4


def test_a_named_resource_is_audited_alone(account: Emulator, capsys: Captured) -> None:
    assert run(["audit", "--format", "json", "--resource", f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:endpoint/alone"]) == 0
    assert json.loads(capsys.readouterr().out)["resources"]["endpoint"] == 1


def test_a_report_is_written_whole_to_a_file(account: Emulator, capsys: Captured, tmp_path: Path) -> None:
    path = tmp_path / "new" / "report.json"
    assert run(["audit", "--format", "json", "--output", str(path)]) == 0
    assert json.loads(path.read_text())["accounts"] == [ACCOUNT]
    assert capsys.readouterr().out == ""
    assert [entry.name for entry in path.parent.iterdir()] == ["report.json"]


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["audit", "--rule", "nope"], 2, "unknown rule 'nope'"),
        (["audit", "--region", "mars-1"], 2, "accepted are af-south-1"),
        (["audit", "--policy", "nope"], 2, "accepted are baseline"),
        (["audit", "--resource", "nope"], 2, "accepted are ARNs"),
        (["audit", "--format", "yaml"], 2, "accepted are table, json"),
        (["audit", "--severity", "urgent"], 2, "'critical'"),
        (["audit", "--profile", "nope"], 2, "there is no AWS profile 'nope'"),
        (["audit", "--output", "/proc/nope/report.json", "--format", "json"], 2, "cannot be written"),
        (["audit", "--colour"], 2, "No such option"),
        (["dance"], 2, "No such command"),
        (["rules", "nope"], 2, "unknown rule"),
        (["policy", "check", "nope"], 2, "accepted are baseline"),
    ],
)
def test_a_mistake_is_one_clear_sentence(
    account: Emulator, capsys: Captured, arguments: list[str], code: int, says: str
) -> None:
    assert run(arguments) == code
    output = capsys.readouterr()
    assert output.out == ""
    assert says in output.err
    assert output.err.count("\n") == 1
    assert "Traceback" not in output.err


@pytest.mark.parametrize(
    ("name", "value", "code", "says"),
    [
        ("AWS_PROFILE", "nope", 2, "there is no AWS profile 'nope', which AWS_PROFILE names; accepted are "),
        ("AWS_ENDPOINT_URL", "nowhere", 1, "the AWS configuration cannot be used: Invalid endpoint: nowhere"),
    ],
)
def test_a_mistake_in_a_variable_of_aws_is_one_clear_sentence(
    account: Emulator, capsys: Captured, monkeypatch: pytest.MonkeyPatch, name: str, value: str, code: int, says: str
) -> None:
    monkeypatch.setenv(name, value)
    assert run(["audit"]) == code
    output = capsys.readouterr()
    assert (output.out, says in output.err, output.err.count("\n")) == ("", True, 1)


def test_a_malformed_policy_stops_the_audit_with_file_and_line(
    account: Emulator, capsys: Captured, front: Front, tmp_path: Path
) -> None:
    path = tmp_path / "own.yaml"
    path.write_text("rules:\n  endpoint-idle: {window: 3}\n")
    front.calls.clear()
    assert run(["audit", "--policy", str(path)]) == 2
    assert f"{path}:2: rules.endpoint-idle.window" in capsys.readouterr().err
    assert not front.calls


def test_no_credentials_is_a_sentence(account: Emulator, capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    assert run(["audit"]) == 1
    assert "no AWS credentials were found; accepted are" in capsys.readouterr().err


def test_an_endpoint_out_of_reach_is_a_sentence(
    account: Emulator, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    assert run(["audit"]) == 1
    assert "AWS cannot be reached" in capsys.readouterr().err


def test_no_region_is_a_sentence(account: Emulator, capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    assert run(["audit"]) == 2
    assert "no AWS region is set; accepted are" in capsys.readouterr().err


def test_the_catalogue_lists_every_rule(capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    assert run(["rules"]) == 0
    output = capsys.readouterr().out
    assert all(id in output for id in RULES)


@pytest.mark.parametrize("id", RULES)
def test_every_rule_can_be_told_in_full(capsys: Captured, id: str) -> None:
    assert run(["rules", id]) == 0
    output = capsys.readouterr().out
    assert " ".join(RULES[id].condition.split()) in " ".join(output.split())
    assert "sagemaker:" in output


def test_a_narrow_terminal_shows_the_rule_after_the_sentence(
    account: Emulator, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    assert run(["audit"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[:3] == [
        "endpoint alone",
        "  high      alone/AllTraffic serves all its traffic from 1",
        "            ml.m5.large instance.  endpoint-single-instance",
    ]
    assert max(len(line) for line in lines if not line.startswith("    aws ")) <= 60


def test_a_pipe_is_as_wide_as_a_page(account: Emulator, capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    assert run(["audit"]) == 0
    first = capsys.readouterr().out.splitlines()[1]
    assert first.startswith("  high      endpoint-single-instance  alone/AllTraffic serves all its traffic from 1")


def test_several_formats_are_written_at_once(account: Emulator, capsys: Captured, tmp_path: Path) -> None:
    output = tmp_path / "out"
    assert run(["audit", "--format", "json", "--format", "sarif,table", "--output", str(output)]) == 0
    assert capsys.readouterr().out == ""
    assert sorted(path.name for path in output.iterdir()) == ["report.json", "report.sarif", "report.txt"]
    report, sarif = (json.loads((output / name).read_text()) for name in ("report.json", "report.sarif"))
    ids = {result["partialFingerprints"]["findingId/v1"] for result in sarif["runs"][0]["results"]}
    assert ids == {finding["id"] for finding in report["findings"]}
    assert "2 findings on 1 resource" in (output / "report.txt").read_text()


def test_a_place_that_cannot_be_written_is_told_before_the_audit(
    account: Emulator, capsys: Captured, front: Front
) -> None:
    front.calls.clear()
    assert run(["audit", "--format", "json,csv", "--output", "/proc/nope"]) == 2
    assert "cannot be written" in capsys.readouterr().err
    assert not front.calls


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_gets_a_script_for_completion(capsys: Captured, shell: str) -> None:
    with pytest.raises(SystemExit) as ended:
        run(["completion", shell])
    assert ended.value.code == 0
    script = capsys.readouterr().out
    assert f"_AUDITOR_COMPLETE=complete_{shell}" in script
    assert "--install-completion" not in script


def test_a_named_resource_that_does_not_exist_ends_with_2(account: Emulator, capsys: Captured) -> None:
    arn = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:endpoint/nowhere"
    assert run(["audit", "--format", "json", "--resource", arn]) == 2
    output = capsys.readouterr()
    assert output.out == ""
    assert f"there is no resource '{arn}'" in output.err


@pytest.mark.parametrize("kind", ["model", "endpoint-config", "training-job", "notebook-instance", "vpc"])
def test_a_resource_of_any_kind_that_does_not_exist_ends_with_2(account: Emulator, capsys: Captured, kind: str) -> None:
    service, name = ("ec2", "vpc-0123456789abcdef0") if kind == "vpc" else ("sagemaker", "nowhere")
    assert run(["audit", "--format", "json", "--resource", f"arn:aws:{service}:{REGION}:{ACCOUNT}:{kind}/{name}"]) == 2
    assert "there is no resource" in capsys.readouterr().err


def test_a_resource_that_could_not_be_asked_for_is_not_taken_for_absent(
    account: Emulator, capsys: Captured, front: Front
) -> None:
    front.deny("sagemaker:DescribeEndpoint")
    arn = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:endpoint/alone"
    assert run(["audit", "--format", "json", "--resource", arn]) == 0
    assert json.loads(capsys.readouterr().out)["complete"] is False


def test_passes_are_listed_where_they_are_asked_for(account: Emulator, capsys: Captured) -> None:
    assert run(["audit", "--format", "json"]) == 0
    plain = json.loads(capsys.readouterr().out)
    assert "passes" not in plain
    assert run(["audit", "--format", "json", "--passes"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert len(report["passes"]) == sum(counts["pass"] for counts in report["rules"].values()) > 0
    assert {passed["name"] for passed in report["passes"]} >= {"alone/AllTraffic"}
    assert run(["audit", "--format", "csv", "--passes"]) == 2
    assert "accepted are table, json, junit" in capsys.readouterr().err


def test_a_narrowed_report_says_so_on_stderr_beside_any_format(account: Emulator, capsys: Captured) -> None:
    assert run(["audit", "--format", "asff", "--severity", "critical"]) == 0
    output = capsys.readouterr()
    assert json.loads(output.out) == []
    assert output.err == "auditor: Shown are findings from critical on. 2 findings left out.\n"


def test_what_a_sentence_repeats_of_an_argument_steers_no_terminal(capsys: Captured) -> None:
    assert run(["policy", "check", "\x1b[2Knope\u202e"]) == 2
    error = capsys.readouterr().err
    assert "\x1b" not in error and "\u202e" not in error
