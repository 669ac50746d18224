"""AWS Security Hub: what changed as findings in the AWS Security Finding Format (ASFF): open, resolved and exempt ones.

Follows the operation BatchImportFindings and its guidelines: 100 findings and 6 MB a batch, 240 KB a finding. The
fields that customers work with (Workflow, Note, UserDefinedFields, VerificationState) are never sent.
"""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from msgspec import Struct, field

from chalicelib.errors import AuditorError
from chalicelib.notices.notice import Notice
from chalicelib.report.findings import AWS_HEALTH, Finding, Report
from chalicelib.report.formats.asff import security_hub_finding, size
from chalicelib.templating import clean

log = logging.getLogger(__name__)

#: Limits of BatchImportFindings: findings in a batch, and bytes of a batch.
BATCH, BATCH_BYTES = 100, 6_000_000


class SecurityHubFailed(AuditorError):
    """Security Hub took none of a batch; the next attempt imports its findings again under the same ids."""


class Delivered(Struct, frozen=True):
    """How many findings Security Hub took, and for each that it refused: id, error code and message."""

    imported: int = 0
    failed: list[tuple[str, str, str]] = field(default_factory=list)


class SecurityHub(Struct, frozen=True):
    """The hub of one account and region: the default product takes no findings of other accounts."""

    account: Callable[[], str]
    client: Any

    def deliver(self, notice: Notice, report: Report) -> None:
        """Imports a notice of the own account, and with a digest all that is exempt. Raises SecurityHubFailed when a
        call fails as a whole."""
        if notice.account == self.account():
            sweep = notice.kind == "digest"
            exempt = [finding for finding in report.findings if finding.status == "exempt"] if sweep else []
            import_findings(notice, self.client, exempt)
        else:
            log.info("findings of %s are not imported: its own Security Hub alone takes them", notice.account)


def import_findings(notice: Notice, client: Any, exempt: Sequence[Finding] = ()) -> Delivered:
    """Imports what the notice tells: open findings active, resolved ones archived; and ``exempt`` findings archived,
    until their exemption ends and they are told.

    ``client`` is boto3's ``securityhub`` with credentials of the account that the findings are of, as the default
    product takes no others, in the region whose hub is told; the role needs ``securityhub:BatchImportFindings``. What
    Security Hub refuses is logged and given back. Raises SecurityHubFailed when a call fails as a whole.
    """
    region, partition = client.meta.region_name, client.meta.partition
    # What AWS Health says is no finding about a resource of the account, and has its own way to a hub.
    changes = [(change.finding, str(change.change)) for change in notice.told if change.finding.rule != AWS_HEALTH]
    changes += [(finding, "exempt") for finding in exempt]
    findings = [
        security_hub_finding(finding, change, finding.account, region, partition, notice.finished_at)
        for finding, change in changes
    ]
    imported = 0
    failed: list[tuple[str, str, str]] = []
    for batch in batches(findings):
        answer = _import(batch, client, region)
        imported += int(answer["SuccessCount"])
        failed += [
            (refused["Id"], refused["ErrorCode"], refused["ErrorMessage"])
            for refused in answer.get("FailedFindings", [])
        ]
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
    for finding in findings:
        needed = size(finding)
        if batch and (len(batch) == BATCH or needed > room):
            yield batch
            batch, room = [], BATCH_BYTES
        batch.append(finding)
        room -= needed
    if batch:
        yield batch
