"""Notebook instances that never stop, and platforms that AWS mends no more."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from chalicelib.inventory.kinds.endpoints import Variant
from chalicelib.report.findings import Severity
from samples.builders import a_notebook, a_serverless_variant, a_variant, ago
from samples.cases.case import Case, InDemo, does_not_apply, fails, is_unknown, passes
from samples.cases.instances import IN_TRANSITION, NOT_SERVING

NEVER_STOPS = "notebook-never-stops"
ENDED = "platform-end-of-life"


def since(moment: datetime | None, **notebook: Any) -> Any:
    """A notebook instance in service since then."""
    return a_notebook(LastModifiedTime=moment, CreationTime=ago(days=400), **notebook)


NOTEBOOK_NEVER_STOPS: list[Case] = [
    fails(
        NEVER_STOPS,
        "a second more than a week in service",
        since(ago(days=7, seconds=1)),
        severity=Severity.LOW,
        evidence={"instance_type": "ml.t3.medium", "days": 7, "accelerated": False},
        boundary="days",
    ),
    passes(NEVER_STOPS, "just a week in service", since(ago(days=7)), boundary="days"),
    passes(NEVER_STOPS, "as long as the policy lets it", since(ago(days=29)), params={"days": 30}),
    fails(
        NEVER_STOPS,
        "on a GPU",
        since(ago(days=8), instance_type="ml.g5.xlarge"),
        severity=Severity.MEDIUM,
        evidence={"accelerated": True},
    ),
    fails(
        NEVER_STOPS,
        "AWS told when it was made, and no change since",
        a_notebook(CreationTime=ago(days=20)),
        severity=Severity.LOW,
    ),
    fails(NEVER_STOPS, "of a type that was not told", since(ago(days=8), instance_type=None), severity=Severity.LOW),
    *[
        does_not_apply(NEVER_STOPS, f"it is {status}", since(ago(days=90), NotebookInstanceStatus=status))
        for status in ("Stopped", "Stopping", "Pending", "Failed", "Updating", "Deleting")
    ],
    passes(
        NEVER_STOPS,
        "young, with a lifecycle config",
        since(ago(days=2), NotebookInstanceLifecycleConfigName="auto-stop"),
    ),
    is_unknown(
        NEVER_STOPS,
        "a lifecycle config may stop it",
        since(ago(days=90), NotebookInstanceLifecycleConfigName="auto-stop"),
    ),
    is_unknown(NEVER_STOPS, "AWS gave no time", a_notebook()),
]


def on(platform: str | None, **notebook: Any) -> Any:
    """A notebook instance on a platform."""
    return a_notebook(PlatformIdentifier=platform, **notebook)


def of_image(version: str | None, **variant: Any) -> Variant:
    """A variant that names the image of its instances."""
    return a_variant(settings={"InferenceAmiVersion": version}, **variant)


def at(case: Case, moment: datetime) -> Case:
    """The same case had it been judged then."""
    return replace(case, inventory=replace(case.inventory, now=moment))


AMAZON_LINUX_2 = {"system": "Amazon Linux 2", "ends": "2026-06-30"}

PLATFORM_END_OF_LIFE: list[Case] = [
    fails(
        ENDED,
        "Amazon Linux 2 under a notebook instance, long after its end",
        on("notebook-al2-v2"),
        severity=Severity.MEDIUM,
        evidence={**AMAZON_LINUX_2, "days_since": 145, "successor": "notebook-al2023-v1"},
        in_demo=[InDemo("notebook-instance reporting-old")],
    ),
    fails(
        ENDED,
        "the first Amazon Linux",
        on("notebook-al1-v1", NotebookInstanceStatus="Stopped"),
        severity=Severity.MEDIUM,
        evidence={"ends": "2023-12-31"},
    ),
    at(
        fails(ENDED, "on the ninetieth day after its end", on("notebook-al2-v3"), severity=Severity.MEDIUM),
        datetime(2026, 9, 28, 12, tzinfo=UTC),
    ),
    at(
        fails(ENDED, "on the day before it", on("notebook-al2-v3"), severity=Severity.LOW),
        datetime(2026, 9, 27, 12, tzinfo=UTC),
    ),
    at(
        fails(ENDED, "on the day after its end", on("notebook-al2-v1"), severity=Severity.LOW),
        datetime(2026, 7, 1, 1, tzinfo=UTC),
    ),
    at(passes(ENDED, "on its last day", on("notebook-al2-v1")), datetime(2026, 6, 30, 23, tzinfo=UTC)),
    passes(ENDED, "Amazon Linux 2023", on("notebook-al2023-v1"), evidence={"ends": "2029-06-30"}),
    passes(ENDED, "a later Amazon Linux 2023", on("notebook-al2023-v2")),
    fails(
        ENDED,
        "an endpoint with GPUs on Amazon Linux 2",
        of_image("al2-ami-sagemaker-inference-gpu-2-1", instance_type="ml.g5.xlarge"),
        severity=Severity.MEDIUM,
        evidence={**AMAZON_LINUX_2, "successor": "al2023-ami-sagemaker-inference-gpu-4-1"},
    ),
    fails(
        ENDED,
        "an endpoint with Inferentia, for which no later image has a name",
        of_image("al2-ami-sagemaker-inference-neuron-2", instance_type="ml.inf2.xlarge"),
        severity=Severity.MEDIUM,
        evidence={"successor": None},
    ),
    passes(ENDED, "an endpoint on Amazon Linux 2023", of_image("al2023-ami-sagemaker-inference-gpu-4-1")),
    does_not_apply(ENDED, "an endpoint for which AWS chooses the image", a_variant()),
    does_not_apply(ENDED, "a serverless endpoint", a_serverless_variant()),
    *[
        does_not_apply(
            ENDED, f"an endpoint that is {status}", of_image("al2-ami-sagemaker-inference-gpu-2", status=status)
        )
        for status in (*IN_TRANSITION, *NOT_SERVING)
    ],
    does_not_apply(ENDED, "no platform was named", on(None)),
    is_unknown(ENDED, "a platform that is not known", on("notebook-al2035-v1")),
    is_unknown(ENDED, "an image that is not known", of_image("next-ami")),
    is_unknown(ENDED, "the config was not read", a_variant(config_read=False)),
]

CASES: list[Case] = [*NOTEBOOK_NEVER_STOPS, *PLATFORM_END_OF_LIFE]
