"""What AWS Health says of SageMaker: a notice of its own kind, with the resources that it names.

Shapes follow "AWS Health events Amazon EventBridge schema". An event comes in pages and more than once, and again when
something changes: its ARN is its identity, so that each is told once, again when it gets worse, and when it is over.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from chalicelib.audit.auditor import utc_now
from chalicelib.errors import InvalidInput
from chalicelib.events import NotOurs, origin
from chalicelib.notices.publisher import Audited
from chalicelib.policy.policy import Policy
from chalicelib.report.bounds import narrowed
from chalicelib.report.concern import Concern
from chalicelib.report.findings import AWS_HEALTH, Finding, Fix, Resource, Severity, finding_id
from chalicelib.report.known import Resolution
from chalicelib.report.merging import report_of
from chalicelib.scope import Scope, partition_of
from chalicelib.templating import listed

#: The detail-type of its events, and what its ``service`` is for SageMaker.
HEALTH_EVENT, SERVICE = "AWS Health Event", "SAGEMAKER"
DASHBOARD = "https://health.console.aws.amazon.com/health/home"
#: What each category says, and how severe it is.
CATEGORIES = {
    "issue": ("AWS reports an issue with SageMaker", Severity.HIGH),
    "investigation": ("AWS investigates an issue with SageMaker", Severity.MEDIUM),
    "scheduledChange": ("AWS will change something in SageMaker", Severity.MEDIUM),
    "accountNotification": ("AWS has something to say about SageMaker", Severity.LOW),
}


def is_health(event: Any) -> bool:
    """True for an event of AWS Health."""
    return isinstance(event, Mapping) and event.get("detail-type") == HEALTH_EVENT


def audited(event: Mapping[str, Any], policy: Policy, account: str) -> Audited:
    """What an event of AWS Health says of the own ``account``, as an audit that found it, or that it is over: of the
    region that it is about, wherever it was delivered.

    Raises NotOurs for another service's event or another account's, InvalidInput for one that lacks its ARN.
    """
    where, detail = origin(event), event.get("detail")
    if not isinstance(detail, Mapping):
        raise InvalidInput("the event has no detail; accepted are events as EventBridge delivers them")
    if detail.get("service") != SERVICE:
        raise NotOurs(f"AWS Health of {detail.get('service')} is not told; accepted is that of {SERVICE}")
    affected = _text(detail, "affectedAccount") or where.account
    if affected != account:
        raise NotOurs(f"AWS Health of the account {affected} is not told here; accepted is that of {account}")
    arn = _text(detail, "eventArn")
    if not arn:
        raise InvalidInput("the event's detail lacks eventArn, which is its identity")
    now, region = utc_now(), _text(detail, "eventRegion") or where.region
    finding = _finding(detail, arn, account, region, now)
    over = detail.get("statusCode") == "closed"
    report = report_of(
        account, region, trigger="event", policy=policy.used, started=now, findings=[] if over else [finding]
    )
    scope = Scope(account, region, partition_of(region))
    return Audited(report, scope, Resolution(gone=frozenset([finding.id] if over else [])))


def _finding(detail: Mapping[str, Any], arn: str, account: str, region: str, now: datetime) -> Finding:
    category = _text(detail, "eventTypeCategory")
    title, severity = CATEGORIES.get(category, CATEGORIES["accountNotification"])
    code = _text(detail, "eventTypeCode") or arn.rpartition("/")[2]
    resources = _named(detail)
    words = _description(detail)
    finding = Finding(
        id=finding_id(AWS_HEALTH, arn, account),
        rule=AWS_HEALTH,
        topic="aws-health",
        title=title,
        concern=Concern.BROKEN if category == "issue" else Concern.WOULD_BREAK,
        severity=severity,
        account=account,
        region=region,
        resource=Resource(kind="aws-health-event", arn=arn, name=code, console_url=DASHBOARD),
        summary=" ".join(filter(None, (words or f"AWS Health: {code} in {region}.", _names(resources)))),
        why="AWS tells what it found or will change; until then what it names may not be patched, replaced or started.",
        fix=Fix(text="Read the event in the AWS Health Dashboard, and look at the resources that it names."),
        evidence={
            "category": category or "unknown",
            "starts": _text(detail, "startTime") or "unknown",
            "ends": _text(detail, "endTime") or "unknown",
            "resources": resources,
        },
        references=["https://docs.aws.amazon.com/health/latest/ug/aws-health-events-eventbridge-schema.html"],
        first_seen=now,
        last_seen=now,
    )
    return narrowed(finding)


def _named(detail: Mapping[str, Any]) -> list[str]:
    entities = detail.get("affectedEntities")
    named = entities if isinstance(entities, list) else []
    return [_text(entity, "entityValue") for entity in named if isinstance(entity, Mapping)]


def _names(resources: list[str]) -> str:
    return f"It names {listed(resources)}." if resources else "It names no resource."


def _description(detail: Mapping[str, Any]) -> str:
    """The description in English where there is one, else in the first language that there is."""
    texts = detail.get("eventDescription")
    spoken = [text for text in texts if isinstance(text, Mapping)] if isinstance(texts, list) else []
    spoken.sort(key=lambda text: not _text(text, "language").startswith("en"))
    return " ".join(_text(spoken[0], "latestDescription").split()) if spoken else ""


def _text(detail: Mapping[str, Any], key: str) -> str:
    value = detail.get(key)
    return value if isinstance(value, str) else ""
