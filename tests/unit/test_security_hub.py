"""Findings for Security Hub: valid by AWS's own model, within every limit, and never touching what customers set."""

import json
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from types import SimpleNamespace
from typing import Any

import botocore.session
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from botocore.validate import ParamValidator

from chalicelib.notices import security_hub
from chalicelib.notices.notice import Change, Notice
from chalicelib.notices.security_hub import Delivered, SecurityHubFailed, batches, import_findings
from chalicelib.report.findings import Exemption, Finding, Fix, Severity
from chalicelib.report.formats.asff import LABELS, security_hub_finding
from samples.notices import (
    ACCOUNT,
    IDLE,
    NEW,
    NOW,
    REGION,
    RESOLVED,
    SAMPLES,
    WORSE,
    a_finding,
    a_notice,
    a_resource,
)
from tests.golden import assert_golden

TOLD = {f"{name}-{number}": change for name, notice in SAMPLES.items() for number, change in enumerate(notice.told)}
HOSTILE = "<script>{{ 7*7 }}\r\nforged\x07 \u202e" + "x" * 10_000


def formatted(change: Change) -> dict[str, Any]:
    return security_hub_finding(change.finding, change.change, ACCOUNT, REGION, "aws", NOW)


def complaints(*findings: Mapping[str, Any]) -> str:
    """What the service model of the installed botocore has against these findings."""
    model = botocore.session.get_session().get_service_model("securityhub").operation_model("BatchImportFindings")
    report = ParamValidator().validate({"Findings": list(findings)}, model.input_shape)
    return str(report.generate_report())


def a_told(**changes: Any) -> Change:
    return Change(change="new", finding=a_finding(**changes))


def strings(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for item in value.values() for text in strings(item)]
    if isinstance(value, list):
        return [text for item in value for text in strings(item)]
    return [value] if isinstance(value, str) else []


class Hub:
    """A Security Hub that remembers its batches and refuses the ids named."""

    def __init__(self, *refused: str, error: Exception | None = None) -> None:
        self.meta = SimpleNamespace(region_name=REGION, partition="aws")
        self.batches: list[Sequence[Mapping[str, Any]]] = []
        self._refused, self._error = refused, error

    def batch_import_findings(self, *, Findings: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        self.batches.append(Findings)
        if self._error is not None:
            raise self._error
        failed = [
            {"Id": finding["Id"], "ErrorCode": "InvalidInput", "ErrorMessage": "no"}
            for finding in Findings
            if finding["Id"] in self._refused
        ]
        return {
            "SuccessCount": len(Findings) - len(failed),
            "FailedCount": len(failed),
            "FailedFindings": failed,
        }


# ---- one finding


@pytest.mark.parametrize("name", TOLD)
def test_every_sample_is_valid_by_the_service_model(name: str) -> None:
    record = formatted(TOLD[name])
    assert complaints(record) == ""
    assert all(text.strip() for text in strings(record)), "ASFF takes no blank text"


@pytest.mark.parametrize(("name", "change"), [("new", NEW), ("worse", WORSE), ("resolved", RESOLVED)])
def test_a_finding_looks_as_reviewed(name: str, change: Change) -> None:
    assert_golden(f"asff/{name}.json", json.dumps(formatted(change), indent=2))


def test_a_saving_and_an_uncertain_finding_look_as_reviewed() -> None:
    assert_golden("asff/saving.json", json.dumps(formatted(Change(change="new", finding=IDLE)), indent=2))


def test_an_open_finding_is_active_and_failed() -> None:
    record = formatted(NEW)
    assert (record["RecordState"], record["Compliance"]) == ("ACTIVE", {"Status": "FAILED"})
    assert record["Id"] == NEW.finding.id
    assert record["GeneratorId"] == "sagemaker-auditor/endpoint-single-instance"
    assert record["ProductArn"] == f"arn:aws:securityhub:{REGION}:{ACCOUNT}:product/{ACCOUNT}/default"


def test_a_resolved_finding_is_archived_and_passed_under_the_same_id() -> None:
    record = formatted(RESOLVED)
    assert (record["RecordState"], record["Compliance"]) == ("ARCHIVED", {"Status": "PASSED"})
    assert record["Id"] == formatted(NEW)["Id"]


def test_the_time_of_creation_is_kept_and_the_update_is_now() -> None:
    record = formatted(WORSE)
    assert record["CreatedAt"] == record["FirstObservedAt"] == "2026-11-19T06:00:00Z"
    assert record["UpdatedAt"] == "2026-11-22T06:00:00Z"


def test_a_finding_is_never_created_after_its_update() -> None:
    record = formatted(a_told(first_seen=NOW + timedelta(minutes=1)))
    assert record["CreatedAt"] == record["UpdatedAt"]


@pytest.mark.parametrize(
    ("severity", "label"),
    [
        ("critical", "CRITICAL"),
        ("high", "HIGH"),
        ("medium", "MEDIUM"),
        ("low", "LOW"),
        ("info", "INFORMATIONAL"),
    ],
)
def test_severity_and_types_are_the_providers(severity: str, label: str) -> None:
    record = formatted(a_told(severity=Severity(severity)))
    assert record["FindingProviderFields"]["Severity"] == {"Label": label}
    assert record["FindingProviderFields"]["Types"] == ["Software and Configuration Checks/AWS Security Best Practices"]
    assert "Severity" not in record and "Types" not in record


@pytest.mark.parametrize("name", TOLD)
def test_what_customers_set_is_never_sent(name: str) -> None:
    assert (
        formatted(TOLD[name])
        .keys()
        .isdisjoint(
            {"Workflow", "WorkflowState", "Note", "UserDefinedFields", "VerificationState", "Confidence", "Criticality"}
        )
    )


def test_another_partition_names_its_own_product_and_resource() -> None:
    record = security_hub_finding(NEW.finding, NEW.change, ACCOUNT, "us-gov-west-1", "aws-us-gov", NOW)
    assert record["ProductArn"].startswith("arn:aws-us-gov:securityhub:us-gov-west-1:")
    assert record["Resources"][0]["Partition"] == "aws-us-gov"


def test_the_resource_is_the_finding_s_own() -> None:
    assert formatted(NEW)["Resources"] == [
        {
            "Type": "Other",
            "Id": f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:endpoint/churn",
            "Partition": "aws",
            "Region": REGION,
        }
    ]


def test_a_resource_without_an_arn_is_named_by_its_name() -> None:
    change = a_told(resource=a_resource(arn=""))
    assert formatted(change)["Resources"][0]["Id"] == "churn/AllTraffic"
    assert complaints(formatted(change)) == ""


def test_the_evidence_stands_in_the_product_fields() -> None:
    evidence = {"count": 1, "zones": ["a", "b"], "none": None, "text": "ml.m5.large", "blank": "  ", "flag": True}
    fields = formatted(a_told(evidence=evidence))["ProductFields"]
    assert {name: text for name, text in fields.items() if name.startswith("evidence/")} == {
        "evidence/count": "1",
        "evidence/zones": '["a", "b"]',
        "evidence/none": "null",
        "evidence/text": "ml.m5.large",
        "evidence/flag": "true",
    }


def test_a_finding_without_fix_and_references_has_no_remediation() -> None:
    assert "Remediation" not in formatted(a_told(fix=Fix(text=""), references=["javascript:alert(1)"]))


EXEMPT = a_finding(
    status="exempt", exemption=Exemption(reason="a trial", owner="ml", expires=date(2026, 12, 1), source="policy")
)


def test_an_exempt_finding_is_archived_and_says_why() -> None:
    record = security_hub_finding(EXEMPT, "exempt", ACCOUNT, REGION, "aws", NOW)
    assert complaints(record) == ""
    assert (record["RecordState"], record["Compliance"]) == ("ARCHIVED", {"Status": "FAILED"})
    assert_golden("asff/exempt.json", json.dumps(record, indent=2))


# ---- limits


def a_huge_finding(evidence: int = 500) -> Finding:
    # U+0001F600 takes twelve bytes in JSON, more than any other sign.
    long = "\U0001f600" * 10_000
    return a_finding(
        a_resource(name=HOSTILE, arn="arn:" + "x" * 3000),
        title=long,
        summary=long,
        why=long,
        fix=Fix(text=long, commands=[f"aws {long}", "aws sagemaker list-endpoints"]),
        evidence={f"{number}{'k' * 200}": long for number in range(evidence)},
    )


def test_everything_too_long_is_cut_to_its_limit() -> None:
    record = formatted(Change(change="new", finding=a_huge_finding()))
    assert complaints(record) == ""
    assert len(record["Title"]) == 256
    assert len(record["Description"]) == 1024
    assert len(record["Remediation"]["Recommendation"]["Text"]) == 512
    assert len(record["Resources"][0]["Id"]) == 512
    assert len(record["ProductFields"]) == 50
    assert max(len(name) for name in record["ProductFields"]) == 128
    assert max(len(text) for text in record["ProductFields"].values()) <= 2048
    assert len(json.dumps(record).encode()) <= 240_000


def test_evidence_beyond_the_fields_is_counted() -> None:
    fields = formatted(a_told(evidence={f"fact_{number}": number for number in range(100)}))["ProductFields"]
    shown = [name for name in fields if name.startswith("evidence/")]
    assert len(fields) == 50
    assert int(fields["auditor/fields_omitted"]) == 100 - len(shown)


@pytest.mark.parametrize(("length", "sent"), [(10, 2), (3000, 0)])
def test_a_part_of_the_commands_is_never_sent(length: int, sent: int) -> None:
    change = a_told(fix=Fix(text="Do.", commands=["aws " + "x" * length, "aws sagemaker list-endpoints"]))
    fields = formatted(change)["ProductFields"]
    assert len([name for name in fields if "command" in name]) == sent


def test_hostile_names_forge_no_line() -> None:
    change = a_told(resource=a_resource(name=HOSTILE), title=HOSTILE, summary=HOSTILE, owner=HOSTILE)
    record = formatted(change)
    assert complaints(record) == ""
    assert all(text.isprintable() for text in strings(record))
    assert record["ProductFields"]["auditor/resource_name"].startswith("<script>{{ 7*7 }} forged␇ ⟨U+202E⟩x")
    assert HOSTILE not in json.dumps(record, ensure_ascii=False)


def test_texts_of_control_signs_alone_are_shown_as_marks() -> None:
    change = a_told(owner="\x07", evidence={"odd": "\x00\u202e"}, summary="\x07", why="", title="\x07")
    record = formatted(change)
    assert complaints(record) == ""
    assert (record["ProductFields"]["evidence/odd"], record["ProductFields"]["auditor/owner"]) == ("␀⟨U+202E⟩", "␇")
    assert (record["Title"], record["Description"]) == ("␇", "␇")


# ---- batches


@pytest.mark.parametrize(("number", "sizes"), [(0, []), (1, [1]), (100, [100]), (101, [100, 1]), (250, [100, 100, 50])])
def test_a_batch_has_at_most_a_hundred_findings(number: int, sizes: list[int]) -> None:
    findings = [{"Id": str(index)} for index in range(number)]
    made = list(batches(findings))
    assert [len(finding) for finding in made] == sizes
    assert [finding for batch in made for finding in batch] == findings


@pytest.mark.slow
@pytest.mark.thorough
def test_a_batch_has_at_most_six_megabytes() -> None:
    large = [formatted(Change(change="new", finding=a_huge_finding(40))) for _ in range(100)]
    # As large as findings may be: the batch of them would have 24 MB.
    large = [{**record, "Filler": "x" * (239_000 - len(json.dumps(record)))} for record in large]
    made = list(batches(large))
    assert sum(len(finding) for finding in made) == 100
    assert len(made) > 1
    assert all(len(json.dumps(finding)) <= 6_000_000 + 2 * len(finding) for finding in made)


# ---- delivery


def five_thousand() -> Notice:
    return a_notice(
        *(Change(change="new", finding=a_finding(a_resource(name=f"e{number}/v"))) for number in range(5000))
    )


@pytest.mark.slow
@pytest.mark.thorough
def test_five_thousand_findings_go_out_in_fifty_batches() -> None:
    hub = Hub()
    assert import_findings(five_thousand(), hub) == Delivered(imported=5000)
    assert [len(batch) for batch in hub.batches] == [100] * 50
    assert len({finding["Id"] for batch in hub.batches for finding in batch}) == 5000


@pytest.mark.parametrize("name", ["digest-clean", "health"])
def test_a_notice_without_changes_asks_nothing(name: str) -> None:
    hub = Hub()
    assert import_findings(SAMPLES[name], hub) == Delivered()
    assert hub.batches == []


def test_only_what_the_notice_tells_is_imported() -> None:
    hub = Hub()
    notice = SAMPLES["digest-full"]
    import_findings(notice, hub)
    (batch,) = hub.batches
    states = {finding["Id"]: finding["RecordState"] for finding in batch}
    assert states == {
        change.finding.id: "ARCHIVED" if change.change == "resolved" else "ACTIVE" for change in notice.told
    }


def test_what_is_refused_is_logged_and_given_back(caplog: pytest.LogCaptureFixture) -> None:
    notice = SAMPLES["digest-full"]
    refused = notice.told[1].finding.id
    delivered = import_findings(notice, Hub(refused))
    assert delivered == Delivered(imported=len(notice.told) - 1, failed=[(refused, "InvalidInput", "no")])
    assert f"refused the finding {refused}: InvalidInput: no" in caplog.text


def test_a_call_that_fails_is_an_error_that_says_what_is_needed() -> None:
    denied = ClientError({"Error": {"Code": "InvalidAccessException", "Message": "not subscribed"}}, "X")
    with pytest.raises(SecurityHubFailed, match=r"InvalidAccessException: not subscribed.*enabled in the region"):
        import_findings(SAMPLES["finding-new"], Hub(error=denied))


def test_an_error_of_the_network_tells_no_addresses() -> None:
    away = EndpointConnectionError(endpoint_url="https://user:secret@proxy.example.org")
    with pytest.raises(SecurityHubFailed) as raised:
        import_findings(SAMPLES["finding-new"], Hub(error=away))
    assert "EndpointConnectionError" in str(raised.value)
    assert "secret" not in str(raised.value)


def test_the_limits_are_those_of_the_service_model() -> None:
    model = botocore.session.get_session().get_service_model("securityhub")
    findings = model.operation_model("BatchImportFindings").input_shape.members["Findings"]
    assert findings.metadata["max"] == security_hub.BATCH
    labels = model.shape_for("SeverityLabel").enum
    assert set(LABELS.values()) == set(labels)
