"""``auditor plan`` as a person and a pipeline use it: exit codes, formats, bad input."""

import json
import re
import shlex
from pathlib import Path
from xml.etree import ElementTree

import pytest
import yaml

from chalicelib.cli import run
from tests.unit.plan_cases import FIXTURES

ROOT = Path(__file__).resolve().parents[2]
FRAGILE, RESILIENT = str(FIXTURES / "fragile.yaml"), str(FIXTURES / "resilient.yaml")
PLAN = str(FIXTURES / "terraform-plan.json")
Read = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def _without_aws(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AUDITOR_POLICY"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ([FRAGILE], 0),
        ([FRAGILE, "--fail-on", "high"], 3),
        ([FRAGILE, "--fail-on", "critical"], 0),
        ([RESILIENT, "--fail-on", "info"], 0),
        ([RESILIENT, "--strict"], 4),
        ([RESILIENT, "--strict", "--parameter", "Image=mine:1"], 0),
        ([RESILIENT, "--parameter", "Image=mine:1", "--parameter", "Environment=test", "--fail-on", "medium"], 3),
        ([PLAN, "--strict", "--fail-on", "low"], 0),
        ([RESILIENT, FRAGILE, "--fail-on", "high"], 3),
        ([FRAGILE, "--rule", "endpoint-idle", "--fail-on", "info", "--strict"], 0),
        ([FRAGILE, "--rule", "endpoint-iddle"], 2),
        ([FRAGILE, "--parameter", "Image"], 2),
        ([FRAGILE, "--parameter", "Image=a", "--parameter", "Image=b"], 2),
        ([FRAGILE, "--parameter", "Imag=a"], 2),
        ([PLAN, "--parameter", "a=b"], 2),
        ([], 2),
    ],
)
def test_the_exit_code_tells_a_pipeline_what_to_do(arguments: list[str], code: int, capsys: Read) -> None:
    assert run(["plan", *arguments]) == code
    assert "Traceback" not in capsys.readouterr().err


def test_every_format_of_a_report_is_written(tmp_path: Path) -> None:
    for name in ("table", "json", "jsonl", "csv", "markdown", "junit", "sarif", "asff"):
        file = tmp_path / name
        assert run(["plan", FRAGILE, "--format", name, "--output", str(file)]) == 0
        assert "endpoint-single-instance" in file.read_text()
    sarif = json.loads((tmp_path / "sarif").read_text())
    regions = [result["locations"][0]["physicalLocation"]["region"] for result in sarif["runs"][0]["results"]]
    assert all(region["startLine"] > 1 for region in regions)
    assert ElementTree.parse(tmp_path / "junit").getroot().get("failures") == "4"


def test_the_region_is_that_of_the_option_or_of_the_environment(capsys: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_REGION", "eu-central-1")
    run(["plan", FRAGILE, "--format", "json"])
    assert json.loads(capsys.readouterr().out)["regions"] == ["eu-central-1"]
    run(["plan", FRAGILE, "--format", "json", "--region", "cn-north-1"])
    finding = json.loads(capsys.readouterr().out)["findings"][0]
    assert finding["resource"]["arn"].startswith("arn:aws-cn:sagemaker:cn-north-1:000000000000:")


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.yaml", b"Resources:\n  Topic: {Type: 'AWS::SNS::Topic'}\n", "a.yaml: nothing of SageMaker is in it"),
        ("a.json", b'{"format_version": "1.2", "planned_values": {}}', "a.json: nothing of SageMaker is in it"),
    ],
)
def test_a_file_without_sagemaker_is_good_and_said_so(
    name: str, content: bytes, said: str, tmp_path: Path, capsys: Read
) -> None:
    (tmp_path / name).write_bytes(content)
    assert run(["plan", str(tmp_path / name), "--fail-on", "info", "--strict"]) == 0
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("plan.bin", b"PK\x03\x04rest", "terraform show -json"),
        ("main.tf", b'resource "aws_vpc" "main" {}', "is Terraform configuration; accepted is its plan"),
        ("a.tf.json", b'{"resource": {}}', "is Terraform configuration; accepted is its plan"),
        ("s.json", b'{"format_version": "1.0", "terraform_version": "1.9", "values": {}}', "is a Terraform state"),
        ("s.tfstate", b'{"version": 4, "serial": 1, "lineage": "x", "resources": []}', "is a Terraform state"),
        ("log.json", b'{"@level":"info"}\n{"@level":"info"}\n', "is the log of `terraform plan -json`"),
        ("image.png", b"\x89PNG\xff\xfe", "is not UTF-8 text"),
        ("broken.json", b'{"Resources": ', "neither JSON nor YAML"),
        ("list.json", b"[1, 2]", "neither a CloudFormation template"),
    ],
)
def test_what_cannot_be_judged_is_told_in_a_sentence(
    name: str, content: bytes, said: str, tmp_path: Path, capsys: Read
) -> None:
    (tmp_path / name).write_bytes(content)
    output = tmp_path / "report.json"
    assert run(["plan", str(tmp_path / name), "--format", "json", "--output", str(output)]) == 2
    text = capsys.readouterr().err
    assert said in text
    assert len(text.splitlines()) == 1
    assert not output.exists()


def test_a_missing_file_and_a_folder_are_told(tmp_path: Path, capsys: Read) -> None:
    assert run(["plan", str(tmp_path / "none.yaml")]) == 2
    assert run(["plan", str(tmp_path)]) == 2
    assert "cannot be read: No such file or directory; accepted are" in capsys.readouterr().err


def test_the_workflows_of_the_documentation_are_yaml_and_their_commands_exist(capsys: Read) -> None:
    page = (ROOT / "docs" / "ci.md").read_text()
    blocks = [yaml.safe_load(block) for block in re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)]
    assert [next(iter(block)) for block in blocks] == ["name", "sagemaker-plan", "repos"]
    hook = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())[0]
    assert blocks[2]["repos"][0]["hooks"][0]["id"] == hook["id"]
    assert run([*shlex.split(hook["entry"])[1:], *hook["args"], FRAGILE]) == 3
    capsys.readouterr()
    commands = re.findall(r"auditor (plan template.yaml [^\n>]*)", page.split("## GitHub")[1])
    assert len(commands) == 2
    for command in commands:
        arguments = [FRAGILE if argument == "template.yaml" else argument for argument in shlex.split(command)]
        if "--output" in arguments:
            arguments[arguments.index("--output") + 1] = "/dev/null/none"
        assert run(arguments) in (0, 2, 3)
        assert "No such option" not in capsys.readouterr().err
