"""Findings in Security Hub, as its own API gives them back: imported, updated in place, archived."""

from datetime import timedelta
from typing import Any

import pytest

from chalicelib.notices.notice import Change, Notice
from chalicelib.notices.security_hub import Delivered, SecurityHub, SecurityHubFailed, import_findings
from chalicelib.policy.policy import load_policy
from chalicelib.report.findings import Exemption, Finding, Report
from chalicelib.report.merging import report_of
from emulator.front import Front
from emulator.server import DEFAULT_ACCOUNT, DEFAULT_REGION, Emulator
from samples.notices import NEW, NOW, RESOLVED, SAMPLES, a_finding, a_notice, a_resource


@pytest.fixture
def hub(emulator: Emulator) -> Any:
    client = emulator.client("securityhub")
    client.enable_security_hub()
    return client


def held(hub: Any) -> dict[str, dict[str, Any]]:
    """What Security Hub holds, by id."""
    pages = hub.get_paginator("get_findings").paginate()
    return {finding["Id"]: finding for page in pages for finding in page["Findings"]}


def test_a_digest_arrives_with_open_and_resolved_findings(hub: Any) -> None:
    notice = SAMPLES["digest-full"]
    assert import_findings(notice, hub) == Delivered(imported=len(notice.told))
    states = {id: record["RecordState"] for id, record in held(hub).items()}
    assert states == {
        change.finding.id: "ARCHIVED" if change.change == "resolved" else "ACTIVE" for change in notice.told
    }


def test_a_finding_is_imported_into_the_hub_of_the_client(hub: Any) -> None:
    import_findings(SAMPLES["finding-new"], hub)
    (record,) = held(hub).values()
    assert record["AwsAccountId"] == DEFAULT_ACCOUNT
    assert record["ProductArn"].split(":")[3] == DEFAULT_REGION
    assert record["FindingProviderFields"]["Severity"]["Label"] == "HIGH"


def test_a_resolved_finding_updates_the_one_that_was_open(hub: Any) -> None:
    import_findings(a_notice(NEW), hub)
    later = a_notice(RESOLVED, finished_at=NOW + timedelta(days=1))
    assert import_findings(later, hub) == Delivered(imported=1)
    (record,) = held(hub).values()
    assert (record["RecordState"], record["Compliance"]["Status"]) == ("ARCHIVED", "PASSED")
    assert record["UpdatedAt"] == "2026-11-23T06:00:00Z"


def test_more_than_a_batch_arrives_whole(hub: Any) -> None:
    changes = [Change(change="new", finding=a_finding(a_resource(name=f"e{number}/v"))) for number in range(230)]
    assert import_findings(a_notice(*changes), hub) == Delivered(imported=230)
    assert held(hub).keys() == {change.finding.id for change in changes}


def test_a_denied_call_is_an_error_that_names_the_permission(hub: Any, front: Front) -> None:
    front.deny("securityhub:*")
    with pytest.raises(SecurityHubFailed, match=r"AccessDeniedException.*securityhub:BatchImportFindings"):
        import_findings(SAMPLES["finding-new"], hub)


def test_a_failed_delivery_can_be_repeated(hub: Any, front: Front) -> None:
    notice: Notice = SAMPLES["digest-full"]
    front.deny("securityhub:*")
    with pytest.raises(SecurityHubFailed):
        import_findings(notice, hub)
    front.clear()
    for _ in range(2):
        assert import_findings(notice, hub) == Delivered(imported=len(notice.told))
    assert len(held(hub)) == len(notice.told)


def a_report(*findings: Finding) -> Report:
    return report_of(
        DEFAULT_ACCOUNT, DEFAULT_REGION, trigger="schedule", policy=load_policy().used, started=NOW, findings=findings
    )


def test_e8b_what_becomes_exempt_is_archived_by_the_next_digest_and_active_again_when_that_ends(hub: Any) -> None:
    channel = SecurityHub(lambda: DEFAULT_ACCOUNT, hub)
    channel.deliver(a_notice(NEW, kind="digest"), a_report(NEW.finding))
    exempt = NEW.finding.model_copy(update={"status": "exempt", "exemption": Exemption(reason="a trial")})
    channel.deliver(a_notice(finished_at=NOW + timedelta(days=1)), a_report(exempt))
    (suppressed,) = held(hub).values()
    assert (suppressed["RecordState"], suppressed["Compliance"]["Status"]) == ("ARCHIVED", "FAILED")
    assert suppressed["ProductFields"]["auditor/exemption_reason"] == "a trial"
    back = a_notice(Change(change="back", finding=NEW.finding), kind="digest", finished_at=NOW + timedelta(days=2))
    channel.deliver(back, a_report(NEW.finding))
    assert [finding["RecordState"] for finding in held(hub).values()] == ["ACTIVE"]


def test_all_exempt_findings_are_archived_however_many_they_are(hub: Any) -> None:
    exempt = [a_finding(a_resource(name=f"e{number}/v"), status="exempt") for number in range(230)]
    assert import_findings(a_notice(), hub, exempt) == Delivered(imported=230)
    assert {finding["RecordState"] for finding in held(hub).values()} == {"ARCHIVED"}
