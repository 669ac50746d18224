"""The synthetic account tells the truth: AWS's page sizes, the same for the same seed, and one verdict by every way."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from benchmarks.account import REGION, Account, Sizes
from benchmarks.answers import Answers, Refused
from benchmarks.reference import unavoidable
from benchmarks.running import Running, serving
from benchmarks.table import Row, Table

NOW = 1_760_000_000


def pages(answers: Answers, operation: str, key: str, **asked: Any) -> list[int]:
    """How many records each page holds, to the last."""
    sizes: list[int] = []
    token: dict[str, str] = {}
    while True:
        answer = json.loads(answers.answer(operation, json.dumps({**asked, **token}).encode()))
        sizes.append(len(answer[key]))
        if "NextToken" not in answer:
            return sizes
        token = {"NextToken": answer["NextToken"]}


@pytest.fixture(scope="module")
def answers() -> Answers:
    return Answers(Account(Sizes.of(120, 250), NOW))


@pytest.mark.parametrize(
    ("operation", "key", "asked", "sizes"),
    [
        ("Search", "Results", {"Resource": "Endpoint", "MaxResults": 100}, [100, 20]),
        ("Search", "Results", {"Resource": "Model", "MaxResults": 500}, [100, 20]),
        ("Search", "Results", {"Resource": "TrainingJob", "MaxResults": 100}, [100, 100, 75]),
        ("ListEndpoints", "Endpoints", {}, [10] * 12),
        ("ListEndpointConfigs", "EndpointConfigs", {"MaxResults": 100}, [100, 20]),
        ("DescribeScalableTargets", "ScalableTargets", {"ServiceNamespace": "sagemaker"}, [50, 50, 20]),
        ("DescribeScalingPolicies", "ScalingPolicies", {"ServiceNamespace": "sagemaker"}, [10] * 12),
        ("DescribeScalingPolicies", "ScalingPolicies", {"ServiceNamespace": "ecs"}, [0]),
    ],
)
def test_pages_are_as_large_as_those_of_aws(
    answers: Answers, operation: str, key: str, asked: dict[str, Any], sizes: list[int]
) -> None:
    assert pages(answers, operation, key, **asked) == sizes


def test_search_keeps_to_the_window(answers: Answers) -> None:
    window = {"Name": "LastModifiedTime", "Operator": "GreaterThanOrEqualTo", "Value": "2025-09-09T08:53:20Z"}
    expression = {"Filters": [window]}
    sizes = pages(answers, "Search", "Results", Resource="TrainingJob", MaxResults=100, SearchExpression=expression)
    assert sizes == [100, 100, 50]


def test_what_is_not_part_of_the_account_is_refused(answers: Answers) -> None:
    with pytest.raises(Refused, match="DeleteEndpoint"):
        answers.answer("DeleteEndpoint", b"{}")


def test_the_same_seed_gives_the_same_account() -> None:
    account, same, other = (Account(Sizes.of(40, 40, seed=seed), NOW) for seed in (1, 1, 2))
    assert account.expected() == same.expected() != other.expected()
    assert [account.job(number) for number in range(40)] == [same.job(number) for number in range(40)]
    assert Account.from_json(account.to_json()).endpoints == account.endpoints


def test_the_unavoidable_calls_are_those_of_the_page_sizes() -> None:
    sizes = Sizes.of(500, 5_000)
    assert unavoidable(sizes) == 2 * 5 + 500 + 5 + 10 + 50 + 10 + 50 + 2 + 20
    assert unavoidable(sizes, remembered=True) == unavoidable(sizes) - 500 - 20


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    account = Account(Sizes.of(30, 120, unhealthy=0.5), int(time.time()))
    with serving(account, tmp_path_factory.mktemp("bench"), latency=0) as running:
        yield running


def test_audit_and_slow_way_tell_the_same_and_every_planted_defect(served: Running) -> None:
    audit, slow = served.measure("audit"), served.measure("naive")
    assert audit["digest"] == slow["digest"]
    assert served.account.expected() <= {(rule, name) for rule, name in audit["told"]}
    assert (audit["blind"], audit["unknown"]) == ([], 0)
    calls = sum(audit["served"]["calls"].values())
    assert calls <= 1.1 * unavoidable(served.account.sizes) + 25
    assert calls == sum(audit["calls"].values()) + 1  # whose credentials these are


def test_the_server_throttles_and_fails_as_told(served: Running) -> None:
    import boto3
    from botocore.config import Config
    from botocore.exceptions import ClientError

    client = boto3.client(
        "sagemaker",
        region_name=REGION,
        endpoint_url=served.url,
        aws_access_key_id="a",
        aws_secret_access_key="b",
        config=Config(retries={"total_max_attempts": 1}),
    )
    served.control(rate=0.01, burst=2)
    for _ in range(2):
        client.list_endpoints()
    with pytest.raises(ClientError, match="ThrottlingException"):
        client.list_endpoints()
    client.list_models()
    served.control(rate=0, fail=["ListModels"])
    with pytest.raises(ClientError, match="InternalFailure"):
        client.list_models()
    assert served.counts()["calls"] == {"sagemaker:ListModels": 1}
    served.control(fail=[])
    client.close()


def test_a_row_shows_its_spread_and_whether_its_target_is_met(tmp_path: Path) -> None:
    table = Table()
    table.row("calls", [3, 1, 2], "≤ 2", False)
    assert Row("calls", [3, 1, 2]).median == 2
    assert table.text().splitlines()[-1].split() == ["calls", "≤", "2", "1", "2", "3", "MISSED"]
    assert table.as_json()["figures"][0]["min"] == 1
