"""The commands of every finding of the demo account, pasted into a shell with the real AWS CLI: accepted, mending."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest

from chalicelib.report.findings import Finding, Report
from chalicelib.service import Service
from chalicelib.settings import Settings
from emulator.account import build
from emulator.account_network import MAIN_B, MAIN_C, MAIN_LOCAL
from emulator.server import Emulator
from tests.paste.aws_cli import Shell

#: Findings that stay after their commands, and why.
STAYS = {
    "autoscaling-activity-failed": "only the next attempt of Application Auto Scaling tells",
    "autoscaling-at-max": "the newest activity says so until there is another",
    "autoscaling-untested-target": "somebody has to run a load test",
    "autoscaling-max-above-quota": "AWS grants a quota in days, and it is read once a day",
    "cluster-degraded": "SageMaker replaces the nodes, when there is capacity",
    "cluster-single-az": "somebody has to choose another zone",
    "endpoint-az-loss-overload": "somebody has to weigh what it costs to be ready",
    "endpoint-dependency-missing": "what is missing has to be made again by those who know it",
    "endpoint-stuck-in-transition": "AWS ends the change",
    "inference-component-degraded": "it needs room, or a specification that works",
    "model-vpc-az-without-instance-type": "somebody has to make a subnet in a zone that offers the type",
    "model-elastic-inference-image": "the old model stays until somebody deletes it",
    "pipeline-container-count": "the old model stays until somebody deletes it, or several containers become one",
}
JOBS = {"training-job", "tuning-job", "transform-job"}


def stays(finding: Finding) -> bool:
    """True where the fix is for the next job, or asks for something that no command does."""
    short_of_instances = finding.rule == "endpoint-degraded" and "variants" in finding.evidence
    return finding.resource.kind in JOBS or finding.rule in STAYS or short_of_instances


def label(finding: Finding) -> str:
    """A finding by rule and name: a target that was registered again has another ARN, and its findings another id."""
    return f"{finding.rule} {finding.resource.name}"


def filled_in(command: str, finding: Finding, emulator: Emulator) -> str:
    """The command with what the reader puts in the place of the words in capitals."""
    values = {
        "TARGET-VALUE": "600",
        "INSTANCE-TYPE": "ml.c5.2xlarge",
        "NEXT-JOB": finding.resource.name,
        "NEW-MODEL": finding.resource.name,
        "NEW-IMAGE": "123456789012.dkr.ecr.eu-west-1.amazonaws.com/own:2",
        "SUBNET-WITH-ADDRESSES": MAIN_B,
        "OTHER-SUBNET": MAIN_C,
        "ZONE-ID": "euw1-az3",
    }
    ec2 = emulator.client("ec2")
    for word, value in values.items():
        command = re.sub(rf"\b{word}\b", value, command)
    if "CIDR" in command:
        network = ec2.describe_vpcs(VpcIds=[finding.resource.name])["Vpcs"][0]["CidrBlock"]
        command = command.replace("CIDR", network.replace(".0.0/16", ".9.0/24"))
    if "SUBNET-IN-ANOTHER-ZONE" in command:
        command = command.replace("SUBNET-IN-ANOTHER-ZONE", another_subnet(finding, ec2))
    if "SUBNET-IN-AN-OFFERING-ZONE" in command:
        command = command.replace("SUBNET-IN-AN-OFFERING-ZONE", offering_subnet(finding, ec2))
    if "EXTENSION-OFFERING" in command:
        offered = emulator.client("sagemaker").search_training_plan_offerings(TrainingPlanArn=finding.resource.arn)
        extension = offered["TrainingPlanExtensionOfferings"][0]["TrainingPlanExtensionOfferingId"]
        command = command.replace("EXTENSION-OFFERING", extension)
    return command


def offering_subnet(finding: Finding, ec2: Any) -> str:
    """A subnet of the VPC in which the variant does not stand yet, first one in a zone that offers the type; the demo
    account has none such, so that the finding stays."""
    offering = {zone for zones in finding.evidence["offering_zones"].values() for zone in zones}
    others = [
        subnet
        for subnet in ec2.describe_subnets()["Subnets"]
        if subnet["VpcId"] == finding.evidence["vpc"]
        and subnet["SubnetId"] not in (*finding.evidence["subnets"], MAIN_LOCAL)
    ]
    return str(max(others, key=lambda subnet: subnet["AvailabilityZoneId"] in offering)["SubnetId"])


def another_subnet(finding: Finding, ec2: Any) -> str:
    """A subnet of the VPC of a model, in a zone that the model does not use yet."""
    everything = ec2.describe_subnets()["Subnets"]
    mine = [subnet for subnet in everything if subnet["SubnetId"] in finding.evidence["subnets"]]
    zones = {subnet["AvailabilityZoneId"] for subnet in mine}
    return next(
        str(subnet["SubnetId"])
        for subnet in everything
        if subnet["VpcId"] == mine[0]["VpcId"]
        and subnet["AvailabilityZoneId"] not in zones
        and subnet["SubnetId"] != MAIN_LOCAL
    )


@dataclass(frozen=True)
class Pasted:
    """The report before, what each finding's commands complained about, and the report after."""

    before: Report
    complaints: Mapping[str, str]
    after: Report
    emulator: Emulator


def order(finding: Finding) -> tuple[bool, bool]:
    """A new subnet before all that wants one; what deletes, last."""
    return finding.rule == "endpoint-idle", finding.rule != "vpc-single-az"


@pytest.fixture(scope="module")
def pasted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pasted]:
    """Every finding's commands pasted, one finding after the other; then those of what is left."""
    with Emulator() as emulator, pytest.MonkeyPatch.context() as environment:
        for name, value in emulator.environment().items():
            environment.setenv(name, value)
        build(now=datetime.now(UTC))
        service = Service(Settings.from_environment({}), emulator.session())
        before = service.audit(service.scope(), "cli")
        complaints: dict[str, str] = {}
        with Shell(tmp_path_factory.mktemp("shell"), emulator.environment()) as shell:

            def paste(findings: Sequence[Finding]) -> None:
                for finding in sorted(findings, key=order):
                    commands = [filled_in(command, finding, emulator) for command in finding.fix.commands]
                    complaints[finding.id] = shell.paste(commands)[1]

            paste(before.findings)
            # One fix may change what another rests on: a higher maximum of copies asks for more instances.
            paste([finding for finding in service.audit(service.scope(), "cli").findings if not stays(finding)])
        yield Pasted(before, complaints, service.audit(service.scope(), "cli"), emulator)


def test_every_command_is_accepted(pasted: Pasted) -> None:
    refused = [
        f"{label(finding)}: {pasted.complaints[finding.id]}"
        for finding in pasted.before.findings
        if pasted.complaints[finding.id]
    ]
    assert not refused, "\n".join(refused)


def test_what_a_fix_claims_to_mend_is_mended(pasted: Pasted) -> None:
    left = {label(finding) for finding in pasted.after.findings}
    lasting = [label(finding) for finding in pasted.before.findings if label(finding) in left and not stays(finding)]
    assert not lasting, "\n".join(lasting)


def test_nothing_new_is_wrong_afterwards(pasted: Pasted) -> None:
    known = {label(finding) for finding in pasted.before.findings}
    # What did not serve was not judged by any other rule.
    serving_again = {finding.resource.name for finding in pasted.before.findings if finding.rule == "endpoint-degraded"}
    new = [
        f"{label(finding)}: {finding.summary}"
        for finding in pasted.after.findings
        if label(finding) not in known and finding.resource.name.partition("/")[0] not in serving_again
    ]
    assert not new, "\n".join(new)
