"""What an account would get when it asks for more: quotas, instance types by zone, reserved capacity."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chalicelib.audit.auditor import Auditor
from chalicelib.inventory.aws import Aws
from chalicelib.inventory.remembered import ProcessMemory
from chalicelib.policy.policy import load_policy
from chalicelib.report.findings import Finding, Report
from chalicelib.scope import Scope
from emulator import seed, wire
from emulator.account import build
from emulator.extension.quotas import ALL_INSTANCES
from emulator.front import Front
from emulator.server import DEFAULT_ACCOUNT as ACCOUNT
from emulator.server import DEFAULT_REGION as REGION
from emulator.server import Emulator

QUOTA = "ml.g5.xlarge for endpoint usage"
LIST = "servicequotas:ListServiceQuotas"
RULE = "autoscaling-max-above-quota"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/sagemaker-execution"


def an_endpoint(emulator: Emulator, name: str, *, count: int = 2, maximum: int | None = None) -> None:
    """An endpoint on GPUs that may scale up to a maximum."""
    sagemaker = emulator.client("sagemaker")
    sagemaker.create_model(
        ModelName=name, ExecutionRoleArn=ROLE, PrimaryContainer={"Image": f"{ACCOUNT}.dkr.ecr.{REGION}.aws/own:1"}
    )
    variant = {"VariantName": "main", "ModelName": name, "InstanceType": "ml.g5.xlarge", "InitialInstanceCount": count}
    sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
    if maximum is not None:
        emulator.client("application-autoscaling").register_scalable_target(
            ServiceNamespace="sagemaker",
            ResourceId=f"endpoint/{name}/variant/main",
            ScalableDimension="sagemaker:variant:DesiredInstanceCount",
            MinCapacity=2,
            MaxCapacity=maximum,
        )


@pytest.fixture
def front(emulator: Emulator) -> Front:
    assert emulator.front is not None
    return emulator.front


def audited(emulator: Emulator, memory: ProcessMemory | None = None, now: datetime | None = None) -> Report:
    """The account audited by the rule about quotas alone."""
    clock = (lambda: now) if now is not None else (lambda: datetime.now(UTC))
    auditor = Auditor(Aws(emulator.session(), REGION), load_policy(), memory=memory, clock=clock)
    return auditor.audit(Scope(ACCOUNT, REGION, rules=frozenset({RULE})), "cli")


def judged(emulator: Emulator, rule: str, memory: ProcessMemory | None = None) -> Report:
    """The demo account audited by one rule."""
    auditor = Auditor(Aws(emulator.session(), REGION), load_policy(), memory=memory)
    return auditor.audit(Scope(ACCOUNT, REGION, rules=frozenset({rule})), "cli")


def findings_by_quota(report: Report) -> dict[str, Finding]:
    """The findings by the quota's name."""
    return {finding.resource.name: finding for finding in report.findings}


def test_two_endpoints_of_four_against_a_quota_of_five(emulator: Emulator) -> None:
    for name in ("ranking", "search"):
        an_endpoint(emulator, name, maximum=4)
    seed.service_quota(ACCOUNT, REGION, QUOTA, 5)
    finding = findings_by_quota(audited(emulator))[QUOTA]
    assert (finding.rule, finding.severity) == (RULE, "medium")
    assert finding.evidence["quota"] == 5 and finding.evidence["may_reach"] == 8
    assert finding.evidence["variants"] == {
        "ranking/main": {"runs": 2, "may_reach": 4, "update": 2},
        "search/main": {"runs": 2, "may_reach": 4, "update": 2},
    }
    assert "request-service-quota-increase" in finding.fix.commands[1]
    assert "--desired-value 8" in finding.fix.commands[1]
    seed.service_quota(ACCOUNT, REGION, QUOTA, 8)
    assert findings_by_quota(audited(emulator)) == {}


def test_the_quota_of_all_instances_holds_over_all_types(emulator: Emulator) -> None:
    for name in ("ranking", "search"):
        an_endpoint(emulator, name, maximum=4)
    seed.service_quota(ACCOUNT, REGION, ALL_INSTANCES, 7)
    assert set(findings_by_quota(audited(emulator))) == {ALL_INSTANCES}


def test_quotas_are_read_once_a_day(emulator: Emulator, front: Front) -> None:
    an_endpoint(emulator, "ranking", maximum=4)
    memory, now = ProcessMemory(), datetime.now(UTC)
    first = audited(emulator, memory, now)
    assert first.api_calls[LIST] == 3  # a hundred a page
    seed.service_quota(ACCOUNT, REGION, QUOTA, 3)
    same_day = audited(emulator, memory, now + timedelta(hours=23))
    assert LIST not in same_day.api_calls and findings_by_quota(same_day) == {}
    assert set(findings_by_quota(audited(emulator, memory, now + timedelta(hours=24)))) == {QUOTA}


def test_a_list_without_the_type_proves_nothing(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    an_endpoint(emulator, "ranking", maximum=4)
    monkeypatch.setattr("emulator.extension.quotas.names", lambda: (ALL_INSTANCES,))
    report = audited(emulator)
    assert findings_by_quota(report) == {}
    assert report.rules[RULE].unknown == 1
    assert [spot.error for spot in report.blind_spots] == [f"ListServiceQuotas does not list {QUOTA}"]


def test_denied_quotas_are_a_blind_spot_of_their_rule_alone(emulator: Emulator, front: Front) -> None:
    an_endpoint(emulator, "ranking", maximum=4)
    front.deny(LIST)
    report = audited(emulator)
    assert findings_by_quota(report) == {}
    assert [(spot.operation, spot.effect) for spot in report.blind_spots] == [(LIST, [RULE])]


def test_pages_without_an_end_are_left(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    an_endpoint(emulator, "ranking", maximum=4)
    monkeypatch.setattr("chalicelib.inventory.kinds.quotas.MOST_PAGES", 2)
    (spot,) = audited(emulator).blind_spots
    assert (spot.operation, spot.effect) == (LIST, [RULE])
    assert "more than 2 pages" in spot.error


def test_a_policy_without_the_rule_asks_nothing(emulator: Emulator) -> None:
    an_endpoint(emulator, "ranking", maximum=4)
    auditor = Auditor(Aws(emulator.session(), REGION), load_policy("cost"))
    calls: Any = auditor.audit(Scope(ACCOUNT, REGION), "cli").api_calls
    assert LIST not in calls


OFFERINGS, AZ = "ec2:DescribeInstanceTypeOfferings", "model-vpc-az-without-instance-type"


def test_offerings_are_asked_for_once_a_day_and_for_new_types_alone(emulator: Emulator, front: Front) -> None:
    build(now=datetime.now(UTC))
    memory = ProcessMemory()
    first = judged(emulator, AZ, memory)
    assert first.api_calls[OFFERINGS] == 1
    assert [finding.resource.name for finding in first.findings] == ["image-captions/AllTraffic"]
    again = judged(emulator, AZ, memory)
    assert OFFERINGS not in again.api_calls
    assert [finding.id for finding in again.findings] == [finding.id for finding in first.findings]


@pytest.mark.parametrize(
    ("rule", "operation"),
    [
        (AZ, OFFERINGS),
        ("reservation-ends", "sagemaker:ListTrainingPlans"),
        ("reservation-ends", "sagemaker:DescribeTrainingPlan"),
    ],
)
def test_what_is_denied_is_a_blind_spot_of_its_rule_alone(
    emulator: Emulator, front: Front, rule: str, operation: str
) -> None:
    build(now=datetime.now(UTC))
    assert len(judged(emulator, rule).findings) == 1
    front.deny(operation)
    report = judged(emulator, rule)
    assert report.findings == []
    assert {(spot.operation, *spot.effect) for spot in report.blind_spots} == {(operation, rule)}


def test_a_plan_that_was_extended_no_longer_ends(emulator: Emulator) -> None:
    build(now=datetime.now(UTC))
    (finding,) = judged(emulator, "reservation-ends").findings
    assert (finding.resource.name, finding.severity) == ("research-2026", "high")
    assert finding.evidence["endpoints"] == ["translation-large"]
    sagemaker = emulator.client("sagemaker")
    offered = sagemaker.search_training_plan_offerings(TrainingPlanArn=finding.resource.arn)
    (extension,) = offered["TrainingPlanExtensionOfferings"]
    sagemaker.extend_training_plan(TrainingPlanExtensionOfferingId=extension["TrainingPlanExtensionOfferingId"])
    assert judged(emulator, "reservation-ends").findings == []


PLACED, QUERY = "endpoint-instances-in-one-zone", "cloudwatch:QueryMetrics"


def placed(emulator: Emulator) -> Report:
    """The demo account audited by the rule about proven placement, which is off in the baseline."""
    build(now=datetime.now(UTC))
    auditor = Auditor(Aws(emulator.session(), REGION), load_policy("resilience"))
    return auditor.audit(Scope(ACCOUNT, REGION, rules=frozenset({PLACED})), "cli")


def test_instances_in_one_zone_are_proven_by_a_signed_query(emulator: Emulator, front: Front) -> None:
    report = placed(emulator)
    (finding,) = report.findings
    assert (finding.resource.name, finding.severity) == ("kyc-checks/AllTraffic", "high")
    assert finding.evidence["availability_zones"] == ["eu-west-1b"]
    assert front.calls[QUERY] == 1
    proven = {endpoint.name: endpoint.variants[0].proven for endpoint in report.endpoints if endpoint.variants}
    assert proven["kyc-checks"] == {"eu-west-1b": 2}
    assert proven["churn-prediction"] == {"eu-west-1a": 1, "eu-west-1b": 1}
    assert proven["fraud-scoring"] is None


def test_a_refused_query_is_a_blind_spot_and_no_finding(emulator: Emulator, front: Front) -> None:
    front.deny(QUERY)
    report = placed(emulator)
    assert report.findings == []
    assert ("cloudwatch:GetMetricData", "denied") in {(spot.operation, spot.cause) for spot in report.blind_spots}
    assert all(variant.proven is None for endpoint in report.endpoints for variant in endpoint.variants)


def series(number: int, **labels: str) -> dict[str, Any]:
    """An answer of so many instances of one endpoint."""
    metric = {
        "aws.sagemaker.endpoint.name": "kyc-checks",
        "aws.sagemaker.variant.name": "AllTraffic",
        "@resource.cloud.availability_zone": "eu-west-1b",
    }
    result = [{"metric": {**metric, "@resource.host.id": f"i-{at}", **labels}} for at in range(number)]
    return {"status": "success", "data": {"result": result}}


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b"<html>Sign in</html>", "no JSON object"),
        (b"[]", "no JSON object"),
        (json.dumps({"status": "error", "error": "bad query"}).encode(), "none of Prometheus's"),
        (json.dumps({"status": "success", "data": {"result": ["odd"]}}).encode(), "none of Prometheus's"),
        (json.dumps(series(500)).encode(), "500 series and may be cut off"),
        (json.dumps(series(2, **{"@resource.host.id": ""})).encode(), "other labels than documented"),
    ],
)
def test_an_answer_that_proves_nothing_is_told_in_words(
    emulator: Emulator, monkeypatch: pytest.MonkeyPatch, answer: bytes, words: str
) -> None:
    def respond_so(call: wire.Call, start_response: wire.StartResponse) -> Any:
        return wire.respond(start_response, 200, answer, {"Content-Type": "text/html"})

    monkeypatch.setattr("emulator.server._answer_query", respond_so)
    report = placed(emulator)
    assert report.findings == []
    assert any(words in spot.error for spot in report.blind_spots)


def test_an_answer_just_below_the_bound_is_whole(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = json.dumps(series(499)).encode()

    def respond_so(call: wire.Call, start_response: wire.StartResponse) -> Any:
        return wire.respond(start_response, 200, answer, {})

    monkeypatch.setattr("emulator.server._answer_query", respond_so)
    (finding,) = placed(emulator).findings
    assert finding.evidence["instances"] == 499
