"""Apps of SageMaker Studio that nobody uses."""

from datetime import datetime
from typing import Any

from chalicelib.report.findings import Severity
from samples.builders import ago, an_app
from samples.cases.case import Case, does_not_apply, fails, is_unknown, passes

RULE = "studio-app-idle"
CONFIG = "arn:aws:sagemaker:eu-west-1:123456789012:studio-lifecycle-config/auto-stop"
#: An app of Studio Classic, which belongs to a user profile.
CLASSIC = {"AppType": "KernelGateway", "SpaceName": None, "UserProfileName": "ada"}


def used(moment: datetime | None, instance_type: str | None = "ml.t3.medium", **app: Any) -> Any:
    """An app whose user was last active then."""
    app = {"LastUserActivityTimestamp": moment, "ResourceSpec": {"InstanceType": instance_type}, **app}
    return an_app(**app)


CASES: list[Case] = [
    fails(
        RULE,
        "a second more than a day without activity",
        used(ago(hours=24, seconds=1)),
        severity=Severity.LOW,
        evidence={"app_type": "JupyterLab", "space": "exploring", "idle_hours": 24, "can_be_shut_down": True},
        boundary="hours",
    ),
    passes(RULE, "just a day without activity", used(ago(hours=24)), boundary="hours"),
    passes(RULE, "as long as the policy lets it", used(ago(hours=47)), params={"hours": 48}),
    passes(RULE, "half an hour, as the policy lets a whole one", used(ago(minutes=30)), params={"hours": 1}),
    fails(
        RULE,
        "on a GPU",
        used(ago(days=3), "ml.g5.xlarge"),
        severity=Severity.MEDIUM,
        evidence={"accelerated": True, "idle_hours": 72},
    ),
    fails(
        RULE,
        "Code Editor",
        used(ago(days=2), AppType="CodeEditor"),
        severity=Severity.LOW,
        evidence={"can_be_shut_down": True},
    ),
    fails(
        RULE,
        "a kernel of Studio Classic, for which AWS has no idle shutdown",
        used(ago(days=2), **CLASSIC),
        severity=Severity.LOW,
        evidence={"user_profile": "ada", "space": None, "can_be_shut_down": False},
    ),
    fails(
        RULE,
        "on the type that AWS chooses where nobody names one",
        used(ago(days=2), None),
        severity=Severity.LOW,
        evidence={"instance_type": None},
    ),
    fails(
        RULE,
        "a health check of today moves no activity of last week",
        used(ago(days=7), LastHealthCheckTimestamp=ago(minutes=1)),
        severity=Severity.LOW,
    ),
    passes(RULE, "idle shutdown is on", used(ago(days=2), idle_shutdown=True)),
    passes(
        RULE,
        "idle shutdown is on, and its image is new enough",
        used(
            ago(days=2),
            idle_shutdown=True,
            ResourceSpec={"InstanceType": "ml.t3.medium", "SageMakerImageVersionAlias": "2.4.1"},
        ),
    ),
    passes(RULE, "active, whatever its settings say", used(ago(hours=1), unread="DescribeDomain failed")),
    passes(RULE, "made today, and AWS told no activity", used(None, CreationTime=ago(hours=2))),
    does_not_apply(
        RULE, "AWS's own app of Studio Classic", used(ago(days=9), "system", **{**CLASSIC, "AppType": "JupyterServer"})
    ),
    does_not_apply(RULE, "an app that AWS runs on its own instances", used(ago(days=9), "system", AppType="Canvas")),
    does_not_apply(RULE, "the RStudio of a domain", used(ago(days=9), "ml.c5.4xlarge", AppType="RStudioServerPro")),
    *[
        does_not_apply(RULE, f"it is {status}", used(ago(days=9), Status=status))
        for status in ("Pending", "Deleting", "Failed")
    ],
    is_unknown(RULE, "AWS told no activity", used(None)),
    is_unknown(RULE, "AWS told neither activity nor age", used(None, CreationTime=None)),
    is_unknown(RULE, "the settings were not read", used(ago(days=2), unread="DescribeUserProfile failed")),
    is_unknown(
        RULE,
        "a lifecycle config may stop it",
        used(ago(days=2), ResourceSpec={"InstanceType": "ml.t3.medium", "LifecycleConfigArn": CONFIG}),
    ),
    is_unknown(RULE, "a lifecycle config of AWS's may stop it", used(ago(days=2), BuiltInLifecycleConfigArn=CONFIG)),
    is_unknown(
        RULE,
        "idle shutdown is on, and its image is too old for it",
        used(
            ago(days=2),
            idle_shutdown=True,
            ResourceSpec={"InstanceType": "ml.t3.medium", "SageMakerImageVersionAlias": "1.9.0"},
        ),
    ),
    is_unknown(RULE, "a kernel of a type that was not told", used(ago(days=2), None, **CLASSIC)),
    is_unknown(RULE, "in a state that is not known", used(ago(days=2), Status="Hibernating")),
]
