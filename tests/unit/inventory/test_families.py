"""Training jobs of one family: the same job, run again under another name."""

import pytest

from samples.builders import a_training_job


@pytest.mark.parametrize(
    ("name", "family"),
    [
        ("churn", "churn"),
        ("churn-2026-11-20-06-00-00-123", "churn"),  # SageMaker Python SDK
        ("churn-weekly-20261120", "churn-weekly"),
        ("churn-17", "churn"),
        ("churn-0e6f2a34-7c1d-4b6e-9f00-aa11bb22cc33", "churn"),  # Step Functions: a UUID
        ("pipelines-ab12cd34ef56-TrainChurn-Ab3dEf6hIj", "TrainChurn"),  # SageMaker Pipelines
        ("resnet50-2026-11-20", "resnet50"),
        ("churn-v2-2026-11-20", "churn-v2"),
        ("2026-11-20", "2026"),
    ],
)
def test_the_family_is_the_name_without_what_a_run_adds(name: str, family: str) -> None:
    assert a_training_job(TrainingJobName=name).family == family
