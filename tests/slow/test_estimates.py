"""What AWS estimates itself: read where it is switched on, shown beside the own amounts, and deciding nothing."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from rich.text import Text

from chalicelib.cli.amounts import lines
from chalicelib.doctor.doctor import diagnose
from chalicelib.money.estimates import Hub
from chalicelib.report.findings import Report
from chalicelib.report.formats.page import page
from chalicelib.scope import ResourceRef, Scope
from chalicelib.service import Service
from chalicelib.settings import Settings
from emulator.account import build
from emulator.front import Front
from emulator.server import DEFAULT_ACCOUNT as ACCOUNT
from emulator.server import DEFAULT_REGION as REGION
from emulator.server import Emulator
from tests.direct import direct
from tests.price_list import PriceListServer, serving

pytestmark = pytest.mark.slow


ARN = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:endpoint/returns-forecast"
SCOPE = Scope(ACCOUNT, REGION)


def a_recommendation(**changes: Any) -> dict[str, Any]:
    """A recommendation as ``ListRecommendations`` answers it."""
    return {
        "recommendationId": "r-1",
        "accountId": ACCOUNT,
        "region": REGION,
        "resourceArn": ARN,
        "currentResourceType": "SageMakerEndpoint",
        "recommendedResourceType": "SageMakerEndpoint",
        "estimatedMonthlySavings": 321.456,
        "currencyCode": "USD",
        "actionType": "Delete",
        "currentResourceSummary": "2 ml.m5.xlarge",
        "recommendedResourceSummary": "Delete the endpoint",
        **changes,
    }


@dataclass
class HubServer(PriceListServer):
    """A server that answers ``ListRecommendations`` in pages."""

    def answer(self, request: Mapping[str, Any]) -> tuple[int, bytes]:
        """Status and body for a request."""
        self.asked.append(request.get("filter", {}))
        if self.failure is not None:
            status, code = self.failure
            return status, json.dumps({"__type": code, "message": "no"}).encode()
        if self.raw is not None:
            return 200, self.raw
        start = int(request.get("nextToken", 0))
        following = {"nextToken": str(start + self.page)} if start + self.page < len(self.records) else {}
        return 200, json.dumps({"items": self.records[start : start + self.page], **following}).encode()


@pytest.fixture(scope="module")
def front() -> Iterator[Front]:
    front = Front()
    with Emulator(front) as emulator, direct(emulator), pytest.MonkeyPatch.context() as patch:
        for name, value in emulator.environment().items():
            patch.setenv(name, value)
        build(now=datetime.now(UTC))
        yield front


@pytest.fixture
def server(front: Front, monkeypatch: pytest.MonkeyPatch) -> Iterator[HubServer]:
    with serving(HubServer([a_recommendation()])) as made:
        monkeypatch.setenv("AWS_ENDPOINT_URL_COST_OPTIMIZATION_HUB", made.url)
        monkeypatch.setattr("chalicelib.inventory.aws.time.sleep", lambda _: None)
        assert isinstance(made, HubServer)
        yield made


def audited(**settings: Any) -> Report:
    service = Service(Settings(policy="strict", **settings), boto3.Session(region_name=REGION))
    return service.audit(service.scope(), "cli")


def test_endpoints_are_asked_for_in_us_east_1(server: HubServer) -> None:
    hub_answer = Hub(server.door).of(SCOPE)
    assert server.regions == ["us-east-1"]
    assert server.asked == [{"resourceTypes": ["SageMakerEndpoint"], "accountIds": [ACCOUNT], "regions": [REGION]}]
    (estimate,) = hub_answer.estimates
    assert (estimate.arn, estimate.action, estimate.monthly_usd) == (ARN, "Delete", 321.46)
    assert estimate.summary == "2 ml.m5.xlarge → Delete the endpoint"
    assert dict(hub_answer.calls) == {"cost-optimization-hub:ListRecommendations": 1}


def test_every_page_is_read(server: HubServer) -> None:
    server.records, server.page = [a_recommendation(resourceArn=f"{ARN}-{number}") for number in range(5)], 2
    assert len(Hub(server.door).of(SCOPE).estimates) == 5
    assert len(server.asked) == 3


@pytest.mark.parametrize(
    "changes",
    [
        {"currencyCode": "EUR"},
        {"estimatedMonthlySavings": 0},
        {"estimatedMonthlySavings": -3.0},
        {"estimatedMonthlySavings": "much"},
        {"estimatedMonthlySavings": True},
        {"resourceArn": None},
        {"accountId": "210987654321"},
        {"region": "us-east-1"},
    ],
)
def test_what_is_no_amount_for_the_account_is_passed_over(server: HubServer, changes: dict[str, Any]) -> None:
    server.records = [a_recommendation(**changes)]
    hub_answer = Hub(server.door).of(SCOPE)
    assert (hub_answer.estimates, hub_answer.note) == ([], "")


@pytest.mark.parametrize(
    ("failure", "raw", "note"),
    [
        ((400, "AccessDeniedException"), None, "cost-optimization-hub:ListRecommendations: AccessDeniedException"),
        ((400, "ValidationException"), None, "cost-optimization-hub:ListRecommendations: ValidationException"),
        (None, b"<html/>", "cost-optimization-hub:ListRecommendations: UnreadableAnswer"),
    ],
)
def test_a_denial_is_one_line(server: HubServer, failure: tuple[int, str] | None, raw: bytes | None, note: str) -> None:
    server.failure, server.raw = failure, raw
    hub_answer = Hub(server.door).of(SCOPE)
    assert (hub_answer.estimates, hub_answer.note) == ([], f"AWS's own estimates unavailable: {note}")


def test_an_older_boto3_is_one_line(server: HubServer, monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(region: str) -> Any:
        door = server.door(region)
        monkeypatch.setattr(door, "client", lambda service: boto3.client("no-such-service", region_name=region))
        return door

    assert "unavailable: UnknownServiceError" in Hub(absent).of(SCOPE).note


def test_another_partition_has_no_hub(server: HubServer) -> None:
    hub_answer = Hub(server.door).of(Scope(ACCOUNT, "us-gov-west-1", "aws-us-gov"))
    assert "there is no Cost Optimization Hub in aws-us-gov" in hub_answer.note
    assert server.asked == []


# ---- in an audit


def test_off_nothing_is_asked(server: HubServer) -> None:
    report = audited()
    assert (report.money, server.asked) == (None, [])


def test_it_stands_beside_the_findings_and_decides_nothing(server: HubServer) -> None:
    silent, report = audited(), audited(estimates=True)
    assert report.money is not None
    assert [estimate.arn for estimate in report.money.estimates] == [ARN]
    assert report.money.totals.places == 0
    assert [finding.id for finding in report.findings] == [finding.id for finding in silent.findings]
    assert all(finding.saving is None for finding in report.findings)
    assert report.api_calls["cost-optimization-hub:ListRecommendations"] == 1
    shown = [line.plain for line in lines(report.money)]
    assert "AWS estimates $321.46 a month for endpoint/returns-forecast (Delete)" in shown
    assert "AWS estimates $321.46 a month (Delete)" in page(report)


def test_a_denial_leaves_no_blind_spot(server: HubServer) -> None:
    server.failure = (400, "AccessDeniedException")
    silent, report = audited(), audited(estimates=True)
    assert report.money is not None
    assert len(report.money.notes) == 1
    assert (report.blind_spots, report.complete) == (silent.blind_spots, silent.complete)
    assert any(
        isinstance(line, Text) and "AWS's own estimates unavailable" in line.plain for line in lines(report.money)
    )


def test_an_audit_of_named_resources_does_not_ask(server: HubServer) -> None:
    service = Service(Settings(estimates=True), boto3.Session(region_name=REGION))
    service.audit(service.scope(resources=[ResourceRef("endpoint", "returns-forecast")]), "event")
    assert server.asked == []


@pytest.mark.parametrize(("environment", "asked"), [({}, False), ({"AUDITOR_ESTIMATES": "on"}, True)])
def test_the_doctor_tries_the_permission_where_it_is_on(
    server: HubServer, environment: dict[str, str], asked: bool
) -> None:
    server.failure = (400, "AccessDeniedException")
    permissions = diagnose(boto3.Session(region_name=REGION), environment, datetime.now(UTC)).permissions
    tried = [permission for permission in permissions if permission.operation.startswith("cost-optimization-hub")]
    assert [(permission.state, permission.note) for permission in tried] == (
        [("denied", "Without it AWS's own estimates are not shown.")] if asked else []
    )
