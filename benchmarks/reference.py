"""The limit: only the calls that nobody can avoid, over 16 connections through plain boto3, judging nothing.

``remembered``: endpoint configs and quotas are known from before, so that none is read.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from math import ceil
from typing import Any

import boto3
from botocore.config import Config

from benchmarks.account import WINDOW_DAYS, Sizes

CONNECTIONS = 16
QUERIES_A_CALL = 500
ALARMS_OF_A_POLICY = 2


def unavoidable(sizes: Sizes, *, remembered: bool = False) -> int:
    """How many calls the API's page sizes make unavoidable."""
    return (
        2 * ceil(sizes.endpoints / 100)  # by Search, and by the list that says which there are
        + (0 if remembered else sizes.endpoints)
        + ceil((sizes.endpoints + sizes.unused_models) / 100)
        + ceil(sizes.targets / 50)
        + ceil(sizes.policies / 10)
        + ceil(ALARMS_OF_A_POLICY * sizes.policies / 100)
        + ceil(sizes.jobs / 100)
        + ceil(metric_queries(sizes) / QUERIES_A_CALL)
        + (0 if remembered else ceil(sizes.quotas / 100))
    )


def metric_queries(sizes: Sizes) -> int:
    """Invocations of every variant, and two GPU metrics of every fourth."""
    return sizes.endpoints + 2 * ceil(sizes.endpoints / 4)


def read(session: boto3.Session, sizes: Sizes, *, remembered: bool) -> int:
    """Makes the calls; gives how many records came."""
    config = Config(max_pool_connections=CONNECTIONS, retries={"mode": "adaptive", "total_max_attempts": 6})
    sagemaker, scaling, cloudwatch, quotas = (
        session.client(name, config=config)
        for name in ("sagemaker", "application-autoscaling", "cloudwatch", "service-quotas")
    )
    since = datetime.now(UTC) - timedelta(days=WINDOW_DAYS)
    window = {
        "Filters": [
            {
                "Name": "LastModifiedTime",
                "Operator": "GreaterThanOrEqualTo",
                "Value": since.strftime("%Y-%m-%dT%H:%M:%SZ"),
            }
        ]
    }

    def pages(call: Any, key: str, **arguments: Any) -> Iterator[list[dict[str, Any]]]:
        token: dict[str, str] = {}
        while True:
            answer = call(**arguments, **token)
            yield answer[key]
            if "NextToken" not in answer:
                return
            token = {"NextToken": answer["NextToken"]}

    def count(call: Any, key: str, **arguments: Any) -> int:
        return sum(len(page) for page in pages(call, key, **arguments))

    def hosting() -> int:
        endpoint_count = 0
        waiting = []
        names = []
        for page in pages(sagemaker.search, "Results", Resource="Endpoint", MaxResults=100):
            endpoint_count += len(page)
            names += [record["Endpoint"]["EndpointName"] for record in page]
            if not remembered:
                waiting += [
                    pool.submit(
                        sagemaker.describe_endpoint_config, EndpointConfigName=record["Endpoint"]["EndpointConfigName"]
                    )
                    for record in page
                ]
        metrics = _queries(names, sizes)
        for start in range(0, len(metrics), QUERIES_A_CALL):
            some = metrics[start : start + QUERIES_A_CALL]
            begin = datetime.now(UTC) - timedelta(days=14)
            waiting.append(
                pool.submit(
                    cloudwatch.get_metric_data, MetricDataQueries=some, StartTime=begin, EndTime=datetime.now(UTC)
                )
            )
        return endpoint_count + sum(1 for future in waiting if future.result())

    scaled = {"ServiceNamespace": "sagemaker"}
    with ThreadPoolExecutor(CONNECTIONS) as pool, ThreadPoolExecutor(6) as chains:
        running = [
            chains.submit(hosting),
            chains.submit(count, sagemaker.search, "Results", Resource="Model", MaxResults=100),
            chains.submit(count, sagemaker.list_endpoints, "Endpoints", MaxResults=100),
            chains.submit(count, cloudwatch.describe_alarms, "MetricAlarms", MaxRecords=100),
            chains.submit(count, scaling.describe_scalable_targets, "ScalableTargets", **scaled),
            chains.submit(count, scaling.describe_scaling_policies, "ScalingPolicies", **scaled),
            chains.submit(
                count, sagemaker.search, "Results", Resource="TrainingJob", MaxResults=100, SearchExpression=window
            ),
        ]
        if not remembered:
            of_sagemaker = {"ServiceCode": "sagemaker", "MaxResults": 100}
            running.append(chains.submit(count, quotas.list_service_quotas, "Quotas", **of_sagemaker))
        return sum(future.result() for future in running)


def _queries(names: list[str], sizes: Sizes) -> list[dict[str, Any]]:
    asked = [("AWS/SageMaker", "Invocations", name) for name in names]
    for metric in ("GPUUtilization", "GPUMemoryUtilization"):
        asked += [("/aws/sagemaker/Endpoints", metric, name) for name in names[: ceil(sizes.endpoints / 4)]]
    return [
        {
            "Id": f"m{number}",
            "MetricStat": {
                "Metric": {
                    "Namespace": namespace,
                    "MetricName": metric,
                    "Dimensions": [
                        {"Name": "EndpointName", "Value": name},
                        {"Name": "VariantName", "Value": "main"},
                    ],
                },
                "Period": 86_400,
                "Stat": "Sum",
            },
        }
        for number, (namespace, metric, name) in enumerate(asked)
    ]
