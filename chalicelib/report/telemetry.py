"""What the auditor says of itself: one line for each audit, part of a run, notice and dropped event.

In Lambda each is a line of JSON, and its figures are metrics: CloudWatch reads them out of the line itself (embedded
metric format, https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html).
Elsewhere the same lines are plain text. Lines hold ids, ARNs, counts and kinds of errors: no findings, and no settings.
"""

import logging
import time
from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

from chalicelib.report.cause import Cause
from chalicelib.report.severity import Severity

if TYPE_CHECKING:
    from chalicelib.report.findings import Report

log = logging.getLogger(__name__)

NAMESPACE = "SageMakerAuditor"
#: The one dimension of every metric: a metric for each account or rule would cost more than the audits.
DIMENSION, SERVICE = "service", "sagemaker-auditor"

#: The metric of the blind spots of each cause, such as ``BlindSpotsNotTold``.
_BY_CAUSE = {cause: f"BlindSpots{cause.value.title().replace('_', '')}" for cause in Cause}
#: The topics that have a metric of their own, which costs money and a line of the dashboard; findings of others, as of
#: rules of a policy's own, are counted together.
TOPICS = (
    *("autoscaling", "autoscaling-rehearsal", "availability-zones", "clusters", "elastic-inference"),
    *("inference-pipelines", "instance-fit", "instances", "reservations", "spot-training"),
)
OTHER_TOPICS = "OpenOtherTopics"
#: The metric of each topic, such as ``OpenAvailabilityZones``.
_BY_TOPIC = {topic: f"Open{topic.title().replace('-', '')}" for topic in TOPICS}
#: Every metric, and its unit in CloudWatch.
METRICS = {
    **{f"Open{severity.capitalize()}": "Count" for severity in Severity},
    **{name: "Count" for name in _BY_TOPIC.values()},
    OTHER_TOPICS: "Count",
    "SavingMonthly": "None",
    "Score": "None",
    "Duration": "Seconds",
    "ApiCalls": "Count",
    "BlindSpots": "Count",
    **{name: "Count" for name in _BY_CAUSE.values()},
    "CompleteAudits": "Count",
    "NoticesSent": "Count",
    "NoticesFailed": "Count",
    "EventsDropped": "Count",
    "BrokenChannels": "Count",
    "RunsFailed": "Count",
}


def to_cloudwatch() -> Any:
    """Turns every line that the auditor logs in this process into JSON on standard output; answers the logger."""
    from aws_lambda_powertools.logging.logger import Logger  # Lambda alone pays for it

    logger = Logger(service=SERVICE, utc=True, use_rfc3339=True)
    package = logging.getLogger("chalicelib")
    package.addHandler(logger.registered_handler)
    package.setLevel(logging.INFO)
    log.setLevel(logging.INFO)  # the figures of its lines are metrics, on which alarms hang, whatever the others log
    package.propagate = False  # Lambda's own handler would write it a second time, as text
    return logger


def audited(report: "Report") -> None:
    """An audit has ended. The daily one tells what is open, which others would count again."""
    if not log.isEnabledFor(logging.INFO):
        return
    open_findings = Counter(finding.severity for finding in report.open_findings())
    operations = Counter(spot.operation for spot in report.blind_spots)
    causes = Counter(spot.cause for spot in report.blind_spots)
    metrics: dict[str, float] = {
        "Duration": round((report.finished_at - report.started_at).total_seconds(), 3),
        "ApiCalls": sum(report.api_calls.values()),
        "BlindSpots": len(report.blind_spots),
        **{name: causes[cause] for cause, name in _BY_CAUSE.items()},
    }
    if report.trigger == "schedule" and not report.scope.resources:
        metrics |= {f"Open{severity.capitalize()}": open_findings[severity] for severity in Severity}
        topics = Counter(_BY_TOPIC.get(finding.topic, OTHER_TOPICS) for finding in report.open_findings())
        metrics |= {name: topics[name] for name in (*_BY_TOPIC.values(), OTHER_TOPICS)}
        if report.money is not None:
            metrics["SavingMonthly"] = report.money.totals.saving_usd
        if (score := _score(report)) is not None:
            metrics["Score"] = score
    where = f"{', '.join(report.accounts)} in {', '.join(report.regions)}"
    _line(
        "audit",
        f"audit {report.audit_id} of {where}: {open_findings.total()} open, {len(report.blind_spots)} blind spots",
        metrics,
        audit_id=report.audit_id,
        trigger=report.trigger,
        accounts=report.accounts,
        regions=report.regions,
        resources=report.scope.resources,
        complete=report.complete,
        open={str(severity): count for severity, count in open_findings.items()},
        blind_spots=dict(operations),
        policy=report.policy.digest,
    )


def completed(account: str, audit_id: str) -> None:
    """A sweep of an account has been told, and nothing was left unread: an alarm waits for this."""
    _line(
        "complete",
        f"complete audit of {account}",
        {"CompleteAudits": 1},
        audit_id=audit_id,
        accounts=[account],
    )


def part_worked(
    run: str, part: Mapping[str, str], attempt: int, seconds: float, outcome: Literal["done", "failed"]
) -> None:
    """A part of a run was worked: ``part`` names its account, region and group."""
    message = f"part of run {run}, attempt {attempt}: {outcome}"
    where: dict[str, Any] = dict(part)
    _line("part", message, {}, run=run, **where, attempt=attempt, seconds=round(seconds, 3), outcome=outcome)


def run_ended(run: str, state: str, parts: int, failed: int, lost: int) -> None:
    """A run is over: how, and how many of its parts failed for good or did not come back."""
    unread = failed + lost
    message = f"run {run} is {state}: {unread} of {parts} parts were not read"
    metrics = {} if state == "done" else {"RunsFailed": 1}
    level = logging.ERROR if unread else logging.INFO
    _line("run", message, metrics, level, run=run, state=state, parts=parts, failed=failed, lost=lost)


def dropped(id: object, reason: str) -> None:
    """An event or message that cannot be understood was given up, as it would fail for ever."""
    _line("dropped", f"event dropped, id {id}: {reason}", {"EventsDropped": 1}, logging.WARNING, id=id, reason=reason)


def broken(channel: str, since: str, reason: str) -> None:
    """A channel refused a notice, and has taken none for long: an alarm hangs on this."""
    message = f"broken channel {channel}, since {since}: {reason}"
    _line("broken", message, {"BrokenChannels": 1}, logging.ERROR, channel=channel, since=since, reason=reason)


def noticed(
    channel: str, notice: str, audit_id: str, account: str, finding_count: int, error: Exception | None = None
) -> None:
    """A channel took a notice of this kind, which told so many findings, or failed with this error, of which the kind
    alone is logged: its text may hold an address."""
    failed = {} if error is None else {"error": type(error).__name__}
    _line(
        "notice",
        f"{channel} {'refused' if failed else 'took'} a {notice} of audit {audit_id}",
        {"NoticesFailed" if failed else "NoticesSent": 1},
        logging.WARNING if failed else logging.INFO,
        channel=channel,
        notice=notice,
        audit_id=audit_id,
        accounts=[account],
        told=finding_count,
        **failed,
    )


def _score(report: "Report") -> float | None:
    from chalicelib.report.posture import posture

    return posture(report).score


def _line(kind: str, message: str, metrics: Mapping[str, float], level: int = logging.INFO, **fields: object) -> None:
    """One line; fields whose value is None stay out."""
    known = {name: value for name, value in fields.items() if value is not None}
    members = {DIMENSION: SERVICE, "kind": kind, **known, **_embedded(metrics)}
    log.log(level, message, extra=members, stacklevel=2)


def _embedded(metrics: Mapping[str, float]) -> dict[str, Any]:
    """The metrics as members of a line, with what CloudWatch needs to find them there."""
    if not metrics:
        return {}
    directive = {
        "Namespace": NAMESPACE,
        "Dimensions": [[DIMENSION]],
        "Metrics": [{"Name": name, "Unit": METRICS[name]} for name in metrics],
    }
    return {**metrics, "_aws": {"Timestamp": int(time.time() * 1000), "CloudWatchMetrics": [directive]}}
