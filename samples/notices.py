"""Sample notices, one for each kind and change, as audits make them: ``SAMPLES`` by name."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from chalicelib.notices.first_page import by_owner, most_important
from chalicelib.notices.notice import Change, Notice, counted
from chalicelib.report.charts import RehearsalChart
from chalicelib.report.findings import (
    BlindSpot,
    Exemption,
    ExemptionNote,
    Finding,
    Fix,
    Resource,
    Saving,
    Severity,
    finding_id,
)
from chalicelib.report.outcomes import Confidence

ACCOUNT, REGION = "123456789012", "eu-west-1"
NOW = datetime(2026, 11, 22, 6, tzinfo=UTC)
STEM = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}"
CONSOLE = f"https://{REGION}.console.aws.amazon.com/sagemaker/home?region={REGION}#"
REPORT_URL = "https://example.org/audit/runs/a-20261122T060000Z-7f3c?format=html&audience=team"


def a_resource(kind: str = "endpoint-variant", name: str = "churn/AllTraffic", **changes: Any) -> Resource:
    """A resource of an endpoint, or of another kind by its own name."""
    kind_in_arn = "endpoint" if kind == "endpoint-variant" else kind
    first, _, part = name.partition("/")
    facts: dict[str, Any] = {
        "kind": kind,
        "name": name,
        "arn": f"{STEM}:{kind_in_arn}/{first}",
        "part": part,
        "console_url": f"{CONSOLE}/{kind_in_arn}s/{first}",
    }
    return Resource(**{**facts, **changes})


def a_finding(resource: Resource | None = None, **changes: Any) -> Finding:
    """An open finding of the rule endpoint-single-instance; ``changes`` replace single fields."""
    about = resource or a_resource()
    facts: dict[str, Any] = {
        "rule": "endpoint-single-instance",
        "topic": "instances",
        "title": "Endpoint variant runs on one instance",
        "severity": Severity.HIGH,
        "account": ACCOUNT,
        "region": REGION,
        "resource": about,
        "summary": f"{about.name} serves all its traffic from 1 ml.m5.large instance.",
        "why": (
            "An instance stands in one Availability Zone. When it or its zone fails, the variant answers no request "
            "until a replacement is in service, which takes minutes."
        ),
        "fix": Fix(
            text="Run 2 instances or more, now and as the lower limit of automatic scaling.",
            commands=[
                f"aws sagemaker update-endpoint-weights-and-capacities --endpoint-name {about.name.partition('/')[0]} "
                f"--desired-weights-and-capacities VariantName=AllTraffic,DesiredInstanceCount=2 --region {REGION}",
                "aws application-autoscaling register-scalable-target --service-namespace sagemaker "
                f"--resource-id endpoint/{about.name.partition('/')[0]}/variant/AllTraffic "
                "--scalable-dimension sagemaker:variant:DesiredInstanceCount --min-capacity 2 --max-capacity 4 "
                f"--region {REGION}",
            ],
        ),
        "evidence": {"desired_instance_count": 1, "instance_type": "ml.m5.large", "min_instances": 2},
        "references": [
            "https://docs.aws.amazon.com/sagemaker/latest/dg/deployment-best-practices.html",
            "https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_UpdateEndpointWeightsAndCapacities.html",
        ],
        "owner": "team-churn",
        "first_seen": NOW,
        "last_seen": NOW,
    }
    facts |= changes
    facts.setdefault("id", finding_id(facts["rule"], about.arn, about.part))
    return Finding(**facts)


def a_notice(*items: Change, **changes: Any) -> Notice:
    """A notice that tells these changes: of one change by default for itself, of none or several a digest."""
    severities = [change.finding.severity for change in items if change.change != "resolved"]
    kind = "digest" if len(items) != 1 else "resolved" if items[0].change == "resolved" else "finding"
    facts: dict[str, Any] = {
        "kind": kind,
        "audit_id": "a-20261122T060000Z-7f3c",
        "trigger": "schedule" if kind == "digest" else "event",
        "account": ACCOUNT,
        "region": REGION,
        "severity": max(severities, key=lambda severity: severity.rank, default=Severity.INFO),
        "complete": True,
        "finished_at": NOW,
        "health": "412 resources, 47 rules, 0 blind spots",
        "told": list(items),
    }
    return Notice(**{**facts, **changes})


ANNOUNCED = a_finding(
    a_resource(
        "aws-health-event",
        "AWS_SAGEMAKER_PLANNED_LIFECYCLE_EVENT",
        console_url="https://health.console.aws.amazon.com/health/home",
    ),
    rule="aws-health",
    topic="aws-health",
    title="AWS will change something in SageMaker",
    severity=Severity.MEDIUM,
    summary="The execution role of these endpoints is gone: they cannot be patched. "
    f"It names arn:aws:sagemaker:{REGION}:{ACCOUNT}:endpoint/churn-prediction.",
    why="AWS tells what it found or will change; until then what it names may not be patched, replaced or started.",
    fix=Fix(text="Read the event in the AWS Health Dashboard, and look at the resources that it names."),
    evidence={
        "category": "scheduledChange",
        "starts": "Sun, 20 Dec 2026 06:27:57 GMT",
        "ends": "unknown",
        "resources": [f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:endpoint/churn-prediction"],
    },
    owner=None,
    references=[],
)
IDLE = a_finding(
    a_resource("endpoint", "ranker-old"),
    rule="endpoint-idle",
    topic="instances",
    title="Endpoint receives no traffic",
    severity=Severity.MEDIUM,
    confidence=Confidence.MEDIUM,
    summary="ranker-old answered no request in 14 days and runs 1 ml.g5.xlarge instance.",
    why="An endpoint costs by the hour, whether or not it is called.",
    fix=Fix(
        text="Delete the endpoint when nobody needs it; its config and model stay.",
        commands=[f"aws sagemaker delete-endpoint --endpoint-name ranker-old --region {REGION}"],
    ),
    evidence={"invocations": 0, "idle_days": 14},
    references=["https://docs.aws.amazon.com/sagemaker/latest/dg/realtime-endpoints-delete-resources.html"],
    owner=None,
    saving=Saving(monthly_usd=1030.5, basis="1 ml.g5.xlarge at 1.41 USD an hour for 730 hours"),
)

DEGRADED = a_finding(
    a_resource("endpoint", "search"),
    rule="endpoint-degraded",
    title="Endpoint is not in service",
    severity=Severity.CRITICAL,
    summary="search is Failed: the container of variant blue did not answer the ping & stopped.",
    why="The endpoint answers no request.",
    fix=Fix(text="Read the container's log, then move the endpoint back to its last config.", commands=[]),
    evidence={"status": "Failed"},
    references=[],
    owner="search <search@example.org>",
)

SPOT = a_finding(
    a_resource("training-job", "nightly-2026-11-21"),
    rule="training-spot-no-checkpoint",
    topic="spot training",
    title="Spot training without checkpoints",
    severity=Severity.MEDIUM,
    summary="nightly-2026-11-21 trains on spot instances and writes no checkpoints.",
    why="An interruption loses all that was computed.",
    fix=Fix(text="Set CheckpointConfig.S3Uri.", commands=[]),
    evidence={"checkpoint": None},
    references=["https://docs.aws.amazon.com/sagemaker/latest/dg/model-checkpoints.html"],
    owner="ml-platform",
    first_seen=NOW - timedelta(days=30),
)

SHORT = a_finding(
    rule="rehearsal-capacity-shortfall",
    topic="autoscaling-rehearsal",
    title="SageMaker endpoint variant that scales too late for its traffic",
    severity=Severity.MEDIUM,
    confidence=Confidence.MEDIUM,
    summary="With the traffic of the last 2 days, churn/AllTraffic would have been short for 24 minutes.",
    why="What comes in such a minute is answered late or not at all.",
    fix=Fix(text="Set minimum 4 instead of 1: with the same traffic that leaves 0 minutes short.", commands=[]),
    evidence={"minutes_short": 24, "window_days": 2},
    references=[],
    owner=None,
    chart=RehearsalChart(
        begin=NOW - timedelta(days=2),
        minutes=2880,
        bucket_minutes=60,
        capacity=200,
        load=[*[120.0] * 3, 700.0, 640.0, 310.0, *[120.0] * 18] * 2,
        serving=[*[1] * 4, 4, 4, 2, *[1] * 17] * 2,
        short=[*[0] * 3, 12, *[0] * 20] * 2,
        proposed=[4] * 48,
        proposed_short=[0] * 48,
    ),
)

ONE_ZONE = a_finding(
    a_resource("vpc", "vpc-0a1b2c3d4e5f60718", arn=f"arn:aws:ec2:{REGION}:{ACCOUNT}:vpc/vpc-0a1b2c3d4e5f60718"),
    rule="vpc-single-az",
    topic="availability zones",
    title="VPC has subnets in one Availability Zone",
    severity=Severity.LOW,
    summary="All 3 subnets of vpc-0a1b2c3d4e5f60718 that SageMaker uses lie in eu-west-1a.",
    why="When the zone fails, everything in the VPC fails with it.",
    fix=Fix(text="Create a subnet in a second Availability Zone.", commands=[]),
    evidence={"zones": ["eu-west-1a"]},
    references=[],
    owner=None,
    first_seen=NOW - timedelta(days=8),
)

NEW = Change(change="new", finding=a_finding())
WORSE = Change(
    change="worse", finding=a_finding(severity=Severity.CRITICAL, first_seen=NOW - timedelta(days=3)), before="high"
)
BACK = Change(change="back", finding=a_finding(first_seen=NOW - timedelta(days=40)), away_days=12.5)
EXPIRED = Change(
    change="back",
    finding=SPOT.model_copy(
        update={
            "exemption": Exemption(
                reason="short jobs only", owner="ml-platform", expires=date(2026, 11, 21), source="policy"
            )
        }
    ),
)
NEVER_TOLD = Change(
    change="back",
    finding=a_finding(exemption=Exemption(reason="a trial", expires=date(2026, 11, 20), source="tag")),
)
REMINDER = Change(change="reminder", finding=a_finding(first_seen=NOW - timedelta(days=7)))
RESOLVED = Change(
    change="resolved",
    finding=a_finding(
        status="resolved",
        first_seen=NOW - timedelta(days=3, hours=4),
        last_seen=NOW - timedelta(days=1),
        resolved_at=NOW,
    ),
)

BLIND_SPOTS = [
    BlindSpot(
        account=ACCOUNT,
        region=REGION,
        operation="application-autoscaling:DescribeScalingPolicies",
        error="AccessDeniedException: not authorized to perform application-autoscaling:DescribeScalingPolicies",
        effect=["autoscaling-target-without-policy", "variant-no-autoscaling"],
    ),
    BlindSpot(
        account=ACCOUNT,
        region=REGION,
        operation="sagemaker:DescribeModel",
        error="ThrottlingException: Rate exceeded",
        effect=["model-vpc-single-az"],
        resource=f"{STEM}:model/churn-2026",
    ),
]

EXEMPTIONS = [
    ExemptionNote(
        rule="training-spot-no-checkpoint",
        resource=f"{STEM}:training-job/nightly-*",
        reason="short jobs only",
        owner="ml-platform",
        expires=date(2026, 11, 21),
        state="expired",
        findings=1,
    ),
    ExemptionNote(
        rule="endpoint-single-instance",
        resource="arn:aws:sagemaker:*:*:endpoint/dev-*",
        reason="development endpoints run on one instance on purpose",
        owner="ml-platform",
        expires=date(2026, 12, 1),
        state="expiring",
        findings=3,
    ),
    ExemptionNote(
        rule="endpoint-idle",
        resource="arn:aws:sagemaker:*:*:endpoint/demo",
        reason="kept for demonstrations",
        state="unmatched",
        findings=0,
    ),
    ExemptionNote(
        rule="endpoint-idle",
        resource=f"{STEM}:endpoint/ranker-old",
        reason="kept for a customer's review",
        owner="team-ranker",
        expires=date(2027, 1, 15),
        state="in-force",
        findings=1,
        source="tag",
    ),
]

#: Every kind of notice and every change, by name.
SAMPLES: dict[str, Notice] = {
    "finding-new": a_notice(NEW),
    "finding-rehearsal": a_notice(Change(change="new", finding=SHORT)),
    "finding-worse": a_notice(WORSE),
    "finding-back": a_notice(BACK),
    "finding-back-after-exemption": a_notice(EXPIRED, exemptions=EXEMPTIONS[:1]),
    "finding-back-never-told": a_notice(NEVER_TOLD),
    "finding-reminder": a_notice(REMINDER),
    "resolved": a_notice(RESOLVED),
    "digest-full": a_notice(
        Change(change="new", finding=DEGRADED),
        WORSE,
        Change(change="new", finding=IDLE),
        EXPIRED,
        Change(change="reminder", finding=ONE_ZONE),
        Change(
            change="resolved",
            finding=a_finding(
                a_resource(name="fraud/AllTraffic"),
                status="resolved",
                first_seen=NOW - timedelta(hours=5),
                last_seen=NOW - timedelta(hours=1),
                resolved_at=NOW - timedelta(minutes=10),
            ),
        ),
        complete=False,
        health="412 resources, 47 rules, 2 blind spots",
        headline="1 endpoint is down, 310 would not survive the loss of an instance, 1,031 USD a month is idle.",
        most_important=most_important([DEGRADED, WORSE.finding, IDLE, ONE_ZONE], {DEGRADED.id: "new", IDLE.id: "new"}),
        by_owner=by_owner([DEGRADED, WORSE.finding, IDLE, IDLE, ONE_ZONE]),
        omitted_owners=3,
        omitted=4812,
        totals={"critical": 2, "high": 310, "medium": 4400, "low": 105},
        still_open=counted([Severity.HIGH] * 3 + [Severity.MEDIUM] * 1250 + [Severity.LOW]),
        exempt=4,
        observed=2,
        blind_spots=BLIND_SPOTS,
        exemptions=EXEMPTIONS,
        report_url=REPORT_URL,
    ),
    "digest-resource": a_notice(
        NEW,
        Change(
            change="new",
            finding=a_finding(
                a_resource("endpoint", "churn"),
                rule="endpoint-no-alarm",
                title="Endpoint has no alarm",
                severity=Severity.MEDIUM,
                summary="No alarm watches churn.",
            ),
        ),
        about="churn",
        trigger="event",
    ),
    "digest-clean": a_notice(),
    "digest-still-open": a_notice(still_open={"critical": 1, "high": 3}, severity=Severity.CRITICAL),
    "health": a_notice(Change(change="new", finding=ANNOUNCED), kind="health", trigger="event"),
    "run": a_notice(
        kind="run",
        severity=Severity.HIGH,
        complete=False,
        health="run a-3b1c0e5d9a7f4e21c0de is stuck: 21 of 300 parts not back in 6 hours",
        blind_spots=[
            BlindSpot(
                account=ACCOUNT,
                region=region,
                operation="audit",
                error=f"{ACCOUNT} in {region}: the part never came to its end",
            )
            for region in ("eu-central-1", "eu-west-1")
        ],
        omitted_blind_spots=19,
    ),
}
