"""The commands of every template, for every failing case of the rules: parsed by the AWS CLI, validated by botocore.

No request leaves: what AWS would answer is made up from its service models.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from chalicelib.report.findings import Finding
from chalicelib.report.outcomes import Verdict
from chalicelib.rules import RULES
from samples.cases.case import Case
from samples.cases.catalogue import CASES
from tests.paste.aws_cli import Shell
from tools.evidence import finding_of

#: Stand where only a number or the like is taken; the other words in capitals are taken as they are.
FILLED_IN = {"TARGET-VALUE": "600", "CIDR": "10.0.9.0/24"}


def scripts(rule: str) -> dict[tuple[str, ...], Case]:
    """The commands of a rule that differ, each with a case that gives them."""
    failing = (case for case in CASES if case.rule == rule and case.verdict is Verdict.FAIL)
    return {tuple(filled_in(finding_of(case))): case for case in failing}


def filled_in(finding: Finding) -> list[str]:
    commands = []
    for command in finding.fix.commands:
        for word, value in FILLED_IN.items():
            command = re.sub(rf"\b{word}\b", value, command)
        commands.append(command)
    return commands


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    keys = {"AWS_ACCESS_KEY_ID": "none", "AWS_SECRET_ACCESS_KEY": "none", "AWS_REGION": "eu-west-1"}
    with Shell(tmp_path_factory.mktemp("shell"), keys, dry=True) as started:
        yield started


@pytest.mark.parametrize("rule", sorted(RULES))
def test_every_command_of_a_template_is_valid(rule: str, shell: Shell) -> None:
    refused = []
    assert scripts(rule)
    for commands, case in scripts(rule).items():
        _, complaints = shell.paste(commands)
        refused += [f"{case.id}: {complaints}"] if complaints else []
    assert not refused, "\n".join(refused)


@pytest.mark.parametrize(
    ("command", "complaint"),
    [
        ("aws sagemaker describe-endpoint --name x", "following arguments are required: --endpoint-name"),
        ("aws sagemaker update-everything --name x", "Invalid choice"),
        (
            "aws application-autoscaling put-scaling-policy --policy-name p --service-namespace sagemaker "
            "--resource-id r --scalable-dimension sagemaker:variant:DesiredInstanceCount "
            "--step-scaling-policy-configuration 'StepAdjustments={MetricIntervalLowerBound=0,ScalingAdjustment=1}'",
            "Invalid type for parameter StepScalingPolicyConfiguration.StepAdjustments",
        ),
        (
            "echo '{\"EndpointName\": 3}' > x.json; aws sagemaker describe-endpoint --cli-input-json file://x.json",
            "Invalid",
        ),
        ("jq .a nothing-there.json", "No such file"),
    ],
)
def test_what_aws_would_refuse_is_refused(command: str, complaint: str, shell: Shell, tmp_path: Path) -> None:
    _, complaints = shell.paste([command], tmp_path.name)
    assert complaint in complaints
    assert "command 1 failed" in complaints


def test_a_value_is_quoted_for_the_shell(shell: Shell) -> None:
    out, complaints = shell.paste(["echo 'it'\"'\"'s; $(id)'"])
    assert (out, complaints) == ("it's; $(id)\n", "")
