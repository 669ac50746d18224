"""Endpoint configs are described once, and again only where they could have changed; throttling loses nothing."""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from chalicelib.cli import run
from chalicelib.inventory import aws, pacing
from chalicelib.inventory.kinds import configs
from chalicelib.inventory.remembered import Memory, ProcessMemory
from chalicelib.ledger.configs import TableMemory
from chalicelib.ledger.table import TABLE
from chalicelib.report.findings import Report
from chalicelib.service import Service
from chalicelib.settings import Settings
from emulator.front import Front
from emulator.server import DEFAULT_ACCOUNT as ACCOUNT
from emulator.server import DEFAULT_REGION as REGION
from emulator.server import Emulator
from tests.service.test_audit import an_endpoint

DESCRIBE, LIST = "sagemaker:DescribeEndpointConfig", "sagemaker:ListEndpointConfigs"


@pytest.fixture(autouse=True)
def settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Configs made just now count as old."""
    monkeypatch.setattr(configs, "SETTLED", timedelta(days=-1))


@pytest.fixture
def account(emulator: Emulator) -> Emulator:
    for number in range(3):
        an_endpoint(emulator, f"service-{number}", count=1 + number)
    return emulator


def a_service(emulator: Emulator, memory: Memory | None = None, **settings: Any) -> Service:
    return Service(Settings(**settings), emulator.session(), memory=memory)


def sweep(service: Service) -> Report:
    return service.audit(service.scope(), "cli")


def contents(report: Report) -> list[Any]:
    return [finding.model_dump(exclude={"first_seen", "last_seen"}) for finding in report.findings] + [report.rules]


def test_the_second_audit_of_a_process_describes_no_config(account: Emulator) -> None:
    service = a_service(account)
    first, second = sweep(service), sweep(service)
    assert first.api_calls[DESCRIBE] == 3
    assert LIST not in first.api_calls
    assert (second.api_calls.get(DESCRIBE, 0), second.api_calls[LIST]) == (0, 1)
    assert contents(second) == contents(first)
    assert first.findings


def test_a_young_config_is_described_again(account: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(configs, "SETTLED", timedelta(hours=1))
    service = a_service(account)
    sweep(service)
    second = sweep(service)
    assert second.api_calls[DESCRIBE] == 3
    assert LIST not in second.api_calls


def test_a_config_made_again_under_its_name_is_described_again(account: Emulator) -> None:
    service = a_service(account)
    sweep(service)
    sagemaker = account.client("sagemaker")
    sagemaker.delete_endpoint_config(EndpointConfigName="service-1")
    sagemaker.create_endpoint_config(
        EndpointConfigName="service-1",
        ProductionVariants=[
            {
                "VariantName": "AllTraffic",
                "ModelName": "service-1",
                "InstanceType": "ml.p2.xlarge",
                "InitialInstanceCount": 2,
            }
        ],
    )
    report = sweep(service)
    assert report.api_calls[DESCRIBE] == 1
    assert ("instance-previous-generation", "service-1/AllTraffic") in {
        (finding.rule, finding.resource.name) for finding in report.findings
    }


def test_a_remembered_config_counts_for_its_own_creation_time_only(account: Emulator) -> None:
    service = a_service(account)
    sweep(service)
    known = service.remembered.recall(ACCOUNT, REGION)
    created = known["service-1"].created
    assert created is not None
    older = known["service-1"].model_copy(update={"created": created - timedelta(seconds=9)})
    service.remembered.keep(ACCOUNT, REGION, {**known, "service-1": older})
    assert sweep(service).api_calls[DESCRIBE] == 1


def test_a_list_that_is_denied_costs_calls_and_no_knowledge(account: Emulator, front: Front) -> None:
    service = a_service(account)
    first = sweep(service)
    front.deny(LIST)
    second = sweep(service)
    assert second.api_calls[DESCRIBE] == 3
    assert contents(second) == contents(first)
    assert second.complete


def test_an_audit_that_sees_no_endpoints_forgets_nothing(account: Emulator, front: Front) -> None:
    service = a_service(account)
    sweep(service)
    front.deny("sagemaker:Search")
    front.deny("sagemaker:ListEndpoints")
    assert not sweep(service).complete
    front.clear()
    assert DESCRIBE not in sweep(service).api_calls


def test_a_long_list_is_left_before_it_costs_more_than_it_saves(
    account: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    sagemaker = account.client("sagemaker")
    service = a_service(account)
    sweep(service)
    variant = {"VariantName": "a", "ModelName": "service-0", "InstanceType": "ml.m5.large", "InitialInstanceCount": 2}
    for number in range(230):
        sagemaker.create_endpoint_config(EndpointConfigName=f"newer-{number:03}", ProductionVariants=[variant])
    report = sweep(service)
    assert report.api_calls[LIST] == 1


def test_the_table_remembers_beyond_the_process(account: Emulator) -> None:
    account.client("dynamodb").create_table(TableName="auditor-ledger", **TABLE)
    first = sweep(a_service(account, table="auditor-ledger"))
    second = sweep(a_service(account, table="auditor-ledger"))
    assert first.api_calls[DESCRIBE] == 3
    assert DESCRIBE not in second.api_calls
    assert contents(second) == contents(first)


def test_pieces_of_different_writings_are_not_remembered(account: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chalicelib.ledger.configs.PIECE", 50)
    client = account.client("dynamodb")
    client.create_table(TableName="auditor-ledger", **TABLE)
    service = a_service(account)
    sweep(service)
    configs = service.remembered.recall(ACCOUNT, REGION)
    memory = TableMemory("auditor-ledger", client)
    memory.keep(ACCOUNT, REGION, configs)
    assert memory.recall(ACCOUNT, REGION).keys() == configs.keys()
    items = client.scan(TableName="auditor-ledger")["Items"]
    assert len(items) > 2
    client.put_item(TableName="auditor-ledger", Item={**items[1], "writing": {"S": "another"}})
    assert memory.recall(ACCOUNT, REGION) == {}


def test_a_table_that_cannot_be_used_costs_calls_alone(account: Emulator) -> None:
    memory = TableMemory("nowhere", account.client("dynamodb"))
    first, second = (sweep(a_service(account, ProcessMemory(memory))) for _ in range(2))
    assert second.api_calls[DESCRIBE] == 3
    assert contents(second) == contents(first)


@pytest.mark.parametrize(("options", "described"), [([], 3), (["--no-cache"], 6)])
def test_the_terminal_remembers_unless_told_not_to(
    account: Emulator, front: Front, cache_folder: Path, options: list[str], described: int
) -> None:
    for _ in range(2):
        assert run(["audit", "--format", "json", "--no-progress", *options]) == 0
    assert front.calls[DESCRIBE] == described
    assert cache_folder.exists() is not bool(options)


# ---- throttling and passing failures


def test_throttled_calls_are_repeated_until_they_are_let_through(
    account: Emulator, front: Front, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pacing, "PATIENCE_SECONDS", 1e9)  # how long it takes is not the matter here
    plain = sweep(a_service(account))
    for operation in plain.api_calls:
        front.fail(operation, 400, "ThrottlingException", times=2, message="Rate exceeded")
    throttled = sweep(a_service(account))
    assert throttled.complete
    assert contents(throttled) == contents(plain)
    assert throttled.api_calls == {operation: calls + 2 for operation, calls in plain.api_calls.items()}


def test_an_operation_that_is_never_let_through_leaves_unknown(
    account: Emulator, front: Front, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pacing, "PATIENCE_SECONDS", 0.2)
    plain = sweep(a_service(account))
    front.fail("application-autoscaling:DescribeScalableTargets", 400, "ThrottlingException", message="Rate exceeded")
    report = sweep(a_service(account))
    assert [spot.operation for spot in report.blind_spots] == ["application-autoscaling:DescribeScalableTargets"]
    assert plain.rules["variant-no-autoscaling"].fail == 3
    assert report.rules["variant-no-autoscaling"].unknown == 3


@pytest.mark.parametrize(("times", "attempts", "complete"), [(2, 3, True), (None, aws.ATTEMPTS, False)])
def test_what_fails_in_passing_is_tried_again(
    account: Emulator,
    front: Front,
    monkeypatch: pytest.MonkeyPatch,
    times: int | None,
    attempts: int,
    complete: bool,
) -> None:
    monkeypatch.setattr(aws, "backoff", lambda attempt: 0.0)
    front.fail("application-autoscaling:DescribeScalableTargets", 500, "InternalServiceException", times=times)
    report = sweep(a_service(account))
    assert report.api_calls["application-autoscaling:DescribeScalableTargets"] == attempts
    assert report.complete is complete


def test_a_memory_of_another_account_is_not_looked_at(account: Emulator) -> None:
    asked: list[tuple[str, str]] = []

    class Watched:
        def recall(self, account: str, region: str) -> Mapping[str, Any]:
            asked.append((account, region))
            return {}

        def keep(self, account: str, region: str, configs: Mapping[str, Any]) -> None:
            asked.append((account, region))

        def recall_answer(self, account: str, region: str, subject: str) -> None:
            asked.append((account, region))

        def keep_answer(self, account: str, region: str, subject: str, answer: Any) -> None:
            asked.append((account, region))

    sweep(a_service(account, Watched()))
    assert set(asked) == {(ACCOUNT, REGION)}
