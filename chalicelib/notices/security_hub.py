"""AWS Security Hub: what changed as findings in the AWS Security Finding Format (ASFF), open ones and resolved ones.

Follows the operation BatchImportFindings and its guidelines: 100 findings and 6 MB a batch, 240 KB a finding. The
fields that customers work with (Workflow, Note, UserDefinedFields, VerificationState) are never sent.
"""

import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.errors import AuditorError
from chalicelib.notices.notice import Notice, Told
from chalicelib.report.findings import Finding, Severity, utc_text
from chalicelib.settings import Settings
from chalicelib.templating import clean

log = logging.getLogger(__name__)

SCHEMA_VERSION = "2018-10-08"
GENERATOR = "sagemaker-auditor"
TYPES = ("Software and Configuration Checks/AWS Security Best Practices",)
LABELS = {
    Severity.CRITICAL: "CRITICAL",
    Severity.HIGH: "HIGH",
    Severity.MEDIUM: "MEDIUM",
    Severity.LOW: "LOW",
    Severity.INFO: "INFORMATIONAL",
}

#: Limits of ASFF, in characters and pairs.
ID, TITLE, DESCRIPTION, RECOMMENDATION = 512, 256, 1024, 512
FIELDS, FIELD_KEY, FIELD_VALUE = 50, 128, 2048
#: The length of a field's value where the finding would otherwise be too large.
SHORT_VALUE = 256
#: Limits of BatchImportFindings: findings in a batch, and bytes of a finding and of a batch.
BATCH, FINDING_BYTES, BATCH_BYTES = 100, 240_000, 6_000_000


class SecurityHubFailed(AuditorError):
    """Security Hub took none of a batch; the next attempt imports its findings again under the same ids."""


@dataclass(frozen=True, slots=True)
class Delivered:
    """How many findings Security Hub took, and for each that it refused: id, error code and message."""

    imported: int = 0
    failed: list[tuple[str, str, str]] = field(default_factory=list)


def deliver(notice: Notice, settings: Settings, client: Any) -> Delivered:
    """Imports what the notice tells, where AUDITOR_SECURITY_HUB is on: open findings active, resolved ones archived.

    ``client`` is boto3's ``securityhub`` with credentials of the account that the findings are of, as the default
    product takes no others, in the region whose hub is told; the role needs ``securityhub:BatchImportFindings``. What
    Security Hub refuses is logged and given back. Raises SecurityHubFailed when a call fails as a whole.
    """
    if not settings.security_hub:
        return Delivered()
    region, partition = client.meta.region_name, client.meta.partition
    findings = [asff(one, one.finding.account, region, partition, notice.finished_at) for one in notice.told]
    imported = 0
    failed: list[tuple[str, str, str]] = []
    for batch in batches(findings):
        answer = _import(batch, client, region)
        imported += int(answer["SuccessCount"])
        failed += [(one["Id"], one["ErrorCode"], one["ErrorMessage"]) for one in answer.get("FailedFindings", [])]
    for id, code, message in failed:
        log.warning("Security Hub in %s refused the finding %s: %s: %s", region, id, code, clean(message))
    return Delivered(imported, failed)


def _import(batch: Sequence[Mapping[str, Any]], client: Any, region: str) -> dict[str, Any]:
    try:
        return dict(client.batch_import_findings(Findings=list(batch)))
    except ClientError as error:
        details = error.response.get("Error", {})
        raise SecurityHubFailed(
            f"Security Hub in {region} took none of {len(batch)} findings ({details.get('Code')}: "
            f"{clean(str(details.get('Message')))}); needed are Security Hub enabled in the region, and "
            "securityhub:BatchImportFindings in the findings' own account"
        ) from error
    except BotoCoreError as error:  # its text may hold the findings or a proxy's address
        raise SecurityHubFailed(f"Security Hub in {region} could not be asked: {type(error).__name__}") from error


def batches(findings: Sequence[Mapping[str, Any]]) -> Iterator[list[Mapping[str, Any]]]:
    """The findings in their order, in batches of at most 100 and 6 MB."""
    batch: list[Mapping[str, Any]] = []
    room = BATCH_BYTES
    for one in findings:
        size = _bytes(one)
        if batch and (len(batch) == BATCH or size > room):
            yield batch
            batch, room = [], BATCH_BYTES
        batch.append(one)
        room -= size
    if batch:
        yield batch


def asff(told: Told, account: str, region: str, partition: str, now: datetime) -> dict[str, Any]:
    """One finding in ASFF (SchemaVersion 2018-10-08), below 240 KB.

    ``account``, ``region`` and ``partition`` are those of the hub. CreatedAt stays when the finding was first seen, and
    UpdatedAt is ``now``: Security Hub takes an update only if it is later than the one before. The evidence stands in
    ProductFields, whose names begin with ``auditor/`` and ``evidence/``.
    """
    formatted = _asff(told, account, region, partition, now, FIELD_VALUE)
    if _bytes(formatted) <= FINDING_BYTES:
        return formatted
    return _asff(told, account, region, partition, now, SHORT_VALUE)


def _asff(told: Told, account: str, region: str, partition: str, now: datetime, value_length: int) -> dict[str, Any]:
    finding = told.finding
    resolved = told.change == "resolved"
    return {
        "SchemaVersion": SCHEMA_VERSION,
        "Id": finding.id,
        "ProductArn": f"arn:{partition}:securityhub:{region}:{account}:product/{account}/default",
        "GeneratorId": _clipped(f"{GENERATOR}/{finding.rule}", ID),
        "AwsAccountId": account,
        "CreatedAt": utc_text(min(finding.first_seen, now)),
        "UpdatedAt": utc_text(now),
        "FirstObservedAt": utc_text(finding.first_seen),
        "LastObservedAt": utc_text(finding.last_seen),
        "FindingProviderFields": {"Severity": {"Label": LABELS[finding.severity]}, "Types": list(TYPES)},
        "Title": _clipped(finding.title, TITLE) or _clipped(finding.rule, TITLE),
        "Description": _clipped(f"{finding.summary} {finding.why}", DESCRIPTION) or _clipped(finding.rule, DESCRIPTION),
        "Resources": [
            {
                "Type": "Other",
                "Id": _clipped(finding.resource.arn or finding.resource.name, ID),
                "Partition": partition,
                "Region": finding.region,
            }
        ],
        "ProductFields": _fields(told, value_length),
        "Compliance": {"Status": "PASSED" if resolved else "FAILED"},
        "RecordState": "ARCHIVED" if resolved else "ACTIVE",
        **_remediation(finding),
    }


def _remediation(finding: Finding) -> dict[str, Any]:
    """What to do, and where to read about it; nothing where the finding says neither."""
    recommendation = {}
    if text := _clipped(finding.fix.text, RECOMMENDATION):
        recommendation["Text"] = text
    if url := next((one for one in finding.references if one.startswith("https://")), None):
        recommendation["Url"] = url
    return {"Remediation": {"Recommendation": recommendation}} if recommendation else {}


def _fields(told: Told, value_length: int) -> dict[str, str]:
    """The facts as pairs of text, what identifies the finding first. Those beyond 50 are counted in the last one."""
    clipped = ((_clipped(name, FIELD_KEY), _clipped(text, value_length)) for name, text in _facts(told, value_length))
    pairs = {name: text for name, text in clipped if text}
    if len(pairs) <= FIELDS:
        return pairs
    kept = dict(list(pairs.items())[: FIELDS - 1])
    return kept | {"auditor/fields_omitted": str(len(pairs) - len(kept))}


def _facts(told: Told, longest: int) -> Iterator[tuple[str, str]]:
    finding = told.finding
    yield "auditor/change", told.change
    yield "auditor/rule", finding.rule
    yield "auditor/topic", finding.topic
    yield "auditor/confidence", finding.confidence.value
    yield "auditor/resource_kind", finding.resource.kind
    yield "auditor/resource_name", finding.resource.name
    yield "auditor/owner", finding.owner or ""
    yield "auditor/console_url", finding.resource.console_url or ""
    if finding.saving:
        yield "auditor/saving_monthly_usd", str(finding.saving.monthly_usd)
    if all(len(command) <= longest for command in finding.fix.commands):  # a part of them is worse than none
        for number, command in enumerate(finding.fix.commands, 1):
            yield f"auditor/command_{number}", command
    for name, value in finding.evidence.items():
        yield (
            f"evidence/{name}",
            value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str),
        )


def _clipped(text: str, length: int) -> str:
    """The text on one line, without control characters, at most ``length`` characters long."""
    tidy = clean(" ".join(text.split()))
    return tidy if len(tidy) <= length else tidy[: length - 1] + "…"


def _bytes(finding: Mapping[str, Any]) -> int:
    """The size of a finding as it is sent: JSON in which every sign beyond ASCII is escaped."""
    return len(json.dumps(finding))
