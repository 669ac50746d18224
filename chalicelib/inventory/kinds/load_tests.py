"""Load tests, by which targets of automatic scaling are chosen: the facts, and how they are read."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from chalicelib.inventory.facts import Fact, Time, at
from chalicelib.inventory.parts import Part
from chalicelib.inventory.reader import Reader


class RecommendationJob(Fact):
    """A finished Inference Recommender job, the model that it measured, and when it completed."""

    name: str = at("JobName", required=True)
    model_name: str | None = at("ModelName")
    completed: Time | None = at("CompletionTime")


def _last_part(identifier: Any) -> Any:
    """The name of an endpoint that is named by its ARN."""
    return identifier.rsplit("/", 1)[-1] if isinstance(identifier, str) else identifier


class BenchmarkJob(Fact):
    """A completed AI benchmark job, the name of the endpoint that it measured, and when it ended."""

    name: str = at("AIBenchmarkJobName", required=True)
    endpoint_name: str = at("BenchmarkTarget.Endpoint.Identifier", default="", convert=_last_part)
    completed: Time | None = at("EndTime")


def benchmark_jobs(reader: Reader) -> list[BenchmarkJob] | None:
    """The AI benchmark jobs that completed in the window; None where this boto3 does not know them yet."""
    if not reader.aws.knows("sagemaker", "ListAIBenchmarkJobs"):
        return None
    names = reader.names(
        Part.BENCHMARKS,
        "ListAIBenchmarkJobs",
        "AIBenchmarkJobs",
        "AIBenchmarkJobName",
        StatusEquals="Completed",
        CreationTimeAfter=reader.now - timedelta(days=reader.needs.recommendation_days),
        MaxResults=100,
    )
    described = reader.describe_each(
        Part.BENCHMARKS,
        "DescribeAIBenchmarkJob",
        "AIBenchmarkJobName",
        names,
    )
    return reader.typed(Part.BENCHMARKS, BenchmarkJob, described, "AIBenchmarkJobName")


def recommendation_jobs(reader: Reader, models: Sequence[str] | None, keep: int = 0) -> list[RecommendationJob]:
    """The Inference Recommender jobs that completed in the window, all of them or those of the named models, asked for
    one by one while ``keep`` calls stay."""
    if models is not None:
        models = reader.afforded(Part.RECOMMENDATIONS, models, keep=keep)
    after = reader.now - timedelta(days=reader.needs.recommendation_days)
    jobs: list[RecommendationJob] = []
    for named in [{}] if models is None else [{"ModelNameEquals": name} for name in models]:
        listed = reader.aws.listing(
            "sagemaker",
            "ListInferenceRecommendationsJobs",
            "InferenceRecommendationsJobs",
            StatusEquals="COMPLETED",
            LastModifiedTimeAfter=after,
            MaxResults=100,
            **named,
        )
        jobs += reader.typed(Part.RECOMMENDATIONS, RecommendationJob, listed)
    return jobs
