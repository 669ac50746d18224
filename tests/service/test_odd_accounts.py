"""Accounts that are not as one expects: long and hostile names, tags and reasons, other partitions, small pages."""

import json
import shlex
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest

from chalicelib.audit.auditor import Auditor
from chalicelib.audit.resolution import Resolutions
from chalicelib.inventory.aws import Aws
from chalicelib.notices import sns
from chalicelib.notices.decide import decide, digest
from chalicelib.policy.policy import load_policy
from chalicelib.report.cause import Cause
from chalicelib.report.findings import Report
from chalicelib.report.known import Known, Resolution
from chalicelib.report.outcomes import Verdict
from chalicelib.scope import Scope
from chalicelib.service import Service
from chalicelib.settings import Settings
from emulator import seed
from emulator.account import build
from emulator.front import Front
from emulator.server import DEFAULT_ACCOUNT as ACCOUNT
from emulator.server import DEFAULT_REGION as REGION
from emulator.server import Emulator
from emulator.standing import make_role
from tests.conftest import NewService
from tests.service.test_audit import an_endpoint

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("direct_calls")]

HOSTILE = "<!channel> {{ 7 * 7 }} {% raw %} \"quoted\" 'single' `ticks` $(id)\nline \x1b[31m\u202eevil 🚀"


class SmallPages(Aws):
    """A door through which every page holds one record, or a few."""

    size = 1

    def call(self, service: str, operation: str, **parameters: Any) -> dict[str, Any]:
        if "MaxResults" in parameters and service == "sagemaker":
            parameters["MaxResults"] = self.size
        return super().call(service, operation, **parameters)


class RepeatedToken(Aws):
    """A door through which the list of notebook instances never gets past its first page."""

    def call(self, service: str, operation: str, **parameters: Any) -> dict[str, Any]:
        if operation != "ListNotebookInstances":
            return super().call(service, operation, **parameters)
        parameters.pop("NextToken", None)
        return {**super().call(service, operation, **parameters), "NextToken": "again"}


def summaries(report: Report) -> list[tuple[str, str, str]]:
    return [(finding.id, finding.severity.value, finding.summary) for finding in report.findings]


@pytest.mark.parametrize("size", [3, 7])
def test_small_pages_change_nothing(emulator: Emulator, size: int) -> None:
    build(now=datetime.now(UTC))
    scope = Scope(ACCOUNT, REGION)
    moment = datetime.now(UTC)

    def audited(door: Aws) -> Report:
        return Auditor(door, load_policy(), clock=lambda: moment).audit(scope, "cli")

    small = SmallPages(boto3.Session(), REGION)
    small.size = size
    assert summaries(audited(small)) == summaries(audited(Aws(boto3.Session(), REGION)))
    assert small.calls["sagemaker:Search"] > 20


def test_a_list_whose_token_repeats_is_unread_and_not_whole(emulator: Emulator) -> None:
    build(now=datetime.now(UTC))
    scope, policy = Scope(ACCOUNT, REGION), load_policy()
    rule = "notebook-elastic-inference-retired"
    whole = Auditor(Aws(boto3.Session(), REGION), policy).audit(scope, "cli")
    known = {finding.id: Known(finding) for finding in whole.findings if finding.rule == rule}
    assert (len(known), whole.complete) == (1, True)
    resolutions = Resolutions(scope, frozenset(policy.enabled(())), known)
    report = Auditor(RepeatedToken(boto3.Session(), REGION), policy).audit(scope, "cli", resolutions=resolutions)
    (spot,) = [spot for spot in report.blind_spots if spot.cause is not Cause.NOT_TOLD]
    assert spot.operation == "sagemaker:ListNotebookInstances"
    assert spot.error.endswith("RepeatedToken: the same NextToken was received twice")
    assert rule in spot.effect
    assert not report.complete
    resolution = resolutions.resolution
    assert not known.keys() & resolution.gone
    assert not known.keys() & {id for id, verdict in resolution.verdicts.items() if verdict is not Verdict.UNKNOWN}


def test_search_and_lists_give_the_same_report(emulator: Emulator, front: Front) -> None:
    moment = datetime.now(UTC)
    build(now=moment)

    def audited() -> Report:
        door = Aws(boto3.Session(), REGION)
        return Auditor(door, load_policy(), clock=lambda: moment).audit(Scope(ACCOUNT, REGION), "cli")

    by_search = audited()
    front.deny("sagemaker:Search")
    by_lists = audited()
    assert summaries(by_lists) == summaries(by_search)
    assert (by_lists.rules, by_lists.resources) == (by_search.rules, by_search.resources)
    assert [finding.owner for finding in by_lists.findings] == [finding.owner for finding in by_search.findings]


def test_hostile_texts_stay_text(emulator: Emulator, new_service: NewService) -> None:
    name = "e" * 63
    an_endpoint(emulator, name, count=1)
    seed.endpoint(ACCOUNT, REGION, name, status="Failed", failure_reason=HOSTILE)
    an_endpoint(emulator, "tagged", count=1)
    emulator.client("sagemaker").add_tags(
        ResourceArn=f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:endpoint/tagged",
        Tags=[{"Key": "owner", "Value": "<b>{{ owner }}</b> 'x' \"y\" 🚀"}, {"Key": "{{ 1 }}", "Value": "\n"}],
    )
    service = new_service()
    report = service.audit(service.scope(), "cli")
    degraded = next(finding for finding in report.findings if finding.rule == "endpoint-degraded")
    assert "{{ 7 * 7 }} {% raw %}" in degraded.summary
    assert "49" not in degraded.summary
    assert not {"\x1b", "\u202e", "\n"} & set(degraded.summary)
    assert json.loads(report.model_dump_json())["findings"]
    policy = load_policy()
    text = sns.text(digest(decide(report, {}, Resolution(), policy), report, policy))
    assert not {"\x1b", "\u202e"} & set(text)
    assert any(finding.owner == "<b>{{ owner }}</b> 'x' \"y\" 🚀" for finding in report.findings)
    for finding in report.findings:
        for command in finding.fix.commands:
            assert shlex.split(command)
            assert "\n" not in command


@pytest.mark.parametrize(
    ("region", "partition", "console"),
    [
        ("cn-north-1", "aws-cn", "console.amazonaws.cn"),
        ("us-gov-west-1", "aws-us-gov", "console.amazonaws-us-gov.com"),
    ],
)
def test_other_partitions_have_their_own_arns_and_consoles(
    emulator: Emulator, region: str, partition: str, console: str
) -> None:
    sagemaker = boto3.Session(region_name=region).client("sagemaker")
    container = {"Image": "123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn/own:1"}
    role = f"arn:{partition}:iam::{ACCOUNT}:role/r"
    make_role(role)
    sagemaker.create_model(ModelName="m", ExecutionRoleArn=role, PrimaryContainer=container)
    variant = {"VariantName": "V", "ModelName": "m", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    sagemaker.create_endpoint_config(EndpointConfigName="c", ProductionVariants=[variant])
    sagemaker.create_endpoint(EndpointName="e", EndpointConfigName="c")
    service = Service(Settings(), boto3.Session(region_name=region))
    report = service.audit(Scope(ACCOUNT, region, partition), "cli")
    single = next(finding for finding in report.findings if finding.rule == "endpoint-single-instance")
    assert single.resource.arn == f"arn:{partition}:sagemaker:{region}:{ACCOUNT}:endpoint/e"
    assert console in str(single.resource.console_url)


def test_a_record_that_cannot_be_understood_is_a_blind_spot_and_ends_nothing(
    emulator: Emulator, new_service: NewService
) -> None:
    an_endpoint(emulator, "alone", count=1)

    class Garbled(Aws):
        def call(self, service: str, operation: str, **parameters: Any) -> dict[str, Any]:
            answer = super().call(service, operation, **parameters)
            if operation == "DescribeEndpointConfig":
                answer["ProductionVariants"] = [[]]
            if operation == "DescribeScalableTargets":
                answer["ScalableTargets"] = [{"ResourceId": ["odd"]}]
            return answer

    report = Auditor(Garbled(boto3.Session(), REGION), load_policy()).audit(Scope(ACCOUNT, REGION), "cli")
    assert {spot.operation for spot in report.blind_spots} == {
        "sagemaker:DescribeEndpointConfig",
        "application-autoscaling:DescribeScalableTargets",
    }
    assert not [finding for finding in report.findings if finding.rule == "variant-no-autoscaling"]
    assert report.rules["variant-no-autoscaling"].unknown == 1
