"""Findings as events of the Open Cybersecurity Schema Framework: class Compliance Finding (2003), version 1.5.0. Pure.

A rule checks how a resource is configured, which is what this class is for; Detection Finding (2004) tells of something
that happened. The standard named is the policy in force: the auditor claims conformity with no other.
"""

import json
from datetime import datetime
from typing import Any

from chalicelib import __version__
from chalicelib.input.marks import escaped
from chalicelib.report.findings import Finding, Report, Severity
from chalicelib.report.outcomes import Confidence
from chalicelib.scope import partition_of
from chalicelib.templating import clean

VERSION = "1.5.0"
PRODUCT = "sagemaker-auditor"
CATEGORY, CLASS = 2, 2003
SEVERITIES = {
    Severity.INFO: (1, "Informational"),
    Severity.LOW: (2, "Low"),
    Severity.MEDIUM: (3, "Medium"),
    Severity.HIGH: (4, "High"),
    Severity.CRITICAL: (5, "Critical"),
}
CONFIDENCES = {Confidence.LOW: (1, "Low"), Confidence.MEDIUM: (2, "Medium"), Confidence.HIGH: (3, "High")}
STATUSES = {"open": (1, "New"), "exempt": (3, "Suppressed"), "resolved": (4, "Resolved")}
CREATE, UPDATE, CLOSE = (1, "Create"), (2, "Update"), (3, "Close")
FAIL, PASS = (3, "Fail"), (1, "Pass")
#: ``type_id`` of an analytic that is a rule, and of an account of AWS.
RULE, AWS_ACCOUNT = 1, 10


def ocsf(report: Report) -> str:
    """Every finding as an OCSF 1.5.0 Compliance Finding, as a JSON list."""
    events = [event(finding, report) for finding in report.findings]
    return escaped(json.dumps(events, indent=2, ensure_ascii=False, default=str)) + "\n"


def event(finding: Finding, report: Report) -> dict[str, Any]:
    """One finding as an event. Times are milliseconds since 1970-01-01 UTC.

    What has no attribute in the class (evidence, topic, commands, saving, exemption) stands in ``unmapped``.
    """
    activity = _activity(finding)
    severity, status = SEVERITIES[finding.severity], STATUSES[finding.status]
    confidence = CONFIDENCES[finding.confidence]
    changed = _milliseconds(finding.resolved_at or finding.last_seen)
    return {
        "activity_id": activity[0],
        "activity_name": activity[1],
        "category_uid": CATEGORY,
        "category_name": "Findings",
        "class_uid": CLASS,
        "class_name": "Compliance Finding",
        "type_uid": CLASS * 100 + activity[0],
        "type_name": f"Compliance Finding: {activity[1]}",
        "time": changed,
        "severity_id": severity[0],
        "severity": severity[1],
        "status_id": status[0],
        "status": status[1],
        **({"status_detail": clean(finding.exemption.reason)} if finding.exemption else {}),
        "confidence_id": confidence[0],
        "confidence": confidence[1],
        "message": clean(finding.summary),
        "metadata": {
            "version": VERSION,
            "profiles": ["cloud"],
            "product": {"name": PRODUCT, "vendor_name": PRODUCT, "version": __version__},
            "event_code": finding.rule,
            "uid": f"{report.audit_id}/{finding.id}",
            "correlation_uid": report.audit_id,
        },
        "cloud": {
            "provider": "AWS",
            "region": finding.region,
            "account": {
                "uid": finding.account,
                "name": finding.account,
                "type_id": AWS_ACCOUNT,
                "type": "AWS Account",
            },
        },
        "finding_info": {
            "uid": finding.id,
            "title": clean(finding.title),
            "desc": clean(finding.why),
            "types": [finding.topic],
            "analytic": {"uid": finding.rule, "name": finding.rule, "type_id": RULE, "type": "Rule"},
            "created_time": _milliseconds(finding.first_seen),
            "first_seen_time": _milliseconds(finding.first_seen),
            "last_seen_time": _milliseconds(finding.last_seen),
            "modified_time": changed,
        },
        "compliance": _compliance(finding, report),
        "remediation": _remediation(finding),
        "resources": [_resource(finding)],
        "unmapped": _unmapped(finding)
        | ({"shown": report.shown.model_dump(mode="json")} if report.shown is not None else {}),
    }


def _activity(finding: Finding) -> tuple[int, str]:
    if finding.status == "resolved":
        return CLOSE
    return CREATE if finding.first_seen == finding.last_seen else UPDATE


def _compliance(finding: Finding, report: Report) -> dict[str, Any]:
    status = PASS if finding.status == "resolved" else FAIL
    policy = {"name": report.policy.name, "uid": report.policy.digest}
    return {
        "standards": [f"{PRODUCT} policy {report.policy.name}"],
        "requirements": [finding.rule, *finding.well_architected],
        "control": finding.rule,
        "desc": clean(finding.title),
        "status_id": status[0],
        "status": status[1],
        "assessments": [{"uid": finding.rule, "meets_criteria": status == PASS, "policy": policy}],
    }


def _remediation(finding: Finding) -> dict[str, Any]:
    text = "\n".join(clean(line) for line in (finding.fix.text, *finding.fix.commands) if line)
    return {"desc": text, **({"references": finding.references} if finding.references else {})}


def _resource(finding: Finding) -> dict[str, Any]:
    about = finding.resource
    return {
        "uid": clean(about.arn or about.name),
        "name": clean(about.name),
        "type": about.kind,
        "region": finding.region,
        "cloud_partition": partition_of(finding.region),
        **({"labels": [f"owner: {clean(finding.owner)}"]} if finding.owner else {}),
    }


def _unmapped(finding: Finding) -> dict[str, Any]:
    return {
        "evidence": finding.evidence,
        "topic": finding.topic,
        "commands": finding.fix.commands,
        "snippets": finding.fix.snippets,
        "console_url": finding.resource.console_url,
        **({"declared_in": str(finding.resource.declared)} if finding.resource.declared else {}),
        "saving": finding.saving.model_dump(mode="json") if finding.saving else None,
        **({"cost_usd": finding.cost_usd} if finding.cost_usd is not None else {}),
        "exemption": finding.exemption.model_dump(mode="json") if finding.exemption else None,
    }


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
