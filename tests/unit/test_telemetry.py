"""The lines by which the auditor tells of itself, and the metrics in them."""

import json
import logging
import subprocess
import sys
from typing import Any

import pytest

from chalicelib.errors import AuditorError
from chalicelib.notices.channels import logged
from chalicelib.report import telemetry
from chalicelib.report.findings import BlindSpot, Report
from chalicelib.report.money import Money, Totals
from chalicelib.report.severity import Severity
from chalicelib.rules import RULES
from samples.notices import SAMPLES
from tests.unit.test_notices import a_finding, a_report
from tests.unit.test_posture import a_judged

Line = dict[str, Any]

#: Runs in a process of its own, as handlers are for the life of a process.
IN_LAMBDA = """
import os, logging, sys
os.environ.update(AWS_LAMBDA_FUNCTION_NAME="audit-part", AWS_DEFAULT_REGION="eu-west-1")
import app
from chalicelib.report import telemetry
telemetry.dropped("e-1", "not an event\\n of ours")
telemetry.completed("123456789012", "a-1")
logging.getLogger("chalicelib.service").warning("plain words of %s", "a module")
app.app.log.error("words of Chalice")
"""


def lines_of(caplog: pytest.LogCaptureFixture) -> list[Line]:
    records = [vars(record) for record in caplog.records if record.name == telemetry.log.name]
    return [{**record, "level": record["levelname"], "message": record["msg"]} for record in records]


def embedded(line: Line) -> dict[str, float]:
    """The metrics of a line, read as CloudWatch reads them: by name, from the members beside ``_aws``."""
    metadata = line["_aws"]
    assert isinstance(metadata["Timestamp"], int)
    (directive,) = metadata["CloudWatchMetrics"]
    assert directive["Namespace"] == "SageMakerAuditor"
    for dimensions in directive["Dimensions"]:
        assert dimensions and all(isinstance(line[name], str) for name in dimensions)
    metrics = {metric["Name"]: line[metric["Name"]] for metric in directive["Metrics"]}
    assert all(isinstance(value, int | float) and not isinstance(value, bool) for value in metrics.values())
    return metrics


@pytest.fixture
def kept_log(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.INFO, "chalicelib")
    return caplog


@pytest.fixture
def report() -> Report:
    """A daily audit with two open findings, a judged rule and something that could not be read."""
    spot = BlindSpot(account="1", region="r", operation="sagemaker:ListTags", error="AccessDenied: by a policy")
    return a_report(
        a_finding(1, rule="a", severity=Severity.HIGH),
        a_finding(2, rule="a", severity=Severity.LOW),
        trigger="schedule",
        blind_spots=[spot],
        **a_judged(a=(Severity.HIGH, 2, 2)),
    )


def test_an_audit_tells_its_figures(kept_log: pytest.LogCaptureFixture, report: Report) -> None:
    telemetry.audited(report)
    (line,) = lines_of(kept_log)
    metrics = embedded(line)
    assert line["kind"] == "audit"
    assert line["audit_id"] == report.audit_id
    assert metrics["ApiCalls"] == sum(report.api_calls.values())
    assert metrics["BlindSpots"] == len(report.blind_spots) == sum(line["blind_spots"].values())
    assert metrics["Duration"] == (report.finished_at - report.started_at).total_seconds()
    assert 0 <= metrics["Score"] <= 100
    opened = {severity: metrics[f"Open{severity.capitalize()}"] for severity in Severity}
    assert sum(opened.values()) == len(report.open_findings()) > 0
    assert opened[Severity.HIGH] == sum(finding.severity is Severity.HIGH for finding in report.open_findings())


def test_what_is_open_is_counted_by_topic_too(kept_log: pytest.LogCaptureFixture, report: Report) -> None:
    own = a_finding(3, rule="acme-endpoint-has-owner", topic="acme")
    telemetry.audited(report.model_copy(update={"findings": [*report.findings, own]}))
    metrics = embedded(lines_of(kept_log)[0])
    assert (metrics["OpenInstances"], metrics["OpenClusters"], metrics["OpenOtherTopics"]) == (2, 0, 1)
    assert "SavingMonthly" not in metrics


def test_no_metric_is_of_a_topic_that_the_catalogue_does_not_have() -> None:
    assert set(telemetry.TOPICS) <= {rule.topic for rule in RULES.values()}


def test_savings_are_told_where_prices_are(kept_log: pytest.LogCaptureFixture, report: Report) -> None:
    money = Money.model_construct(totals=Totals.model_construct(saving_usd=1240.5))
    telemetry.audited(report.model_copy(update={"money": money}))
    assert embedded(lines_of(kept_log)[0])["SavingMonthly"] == 1240.5


@pytest.mark.parametrize("change", [{"trigger": "event"}, {"trigger": "http"}])
def test_only_the_daily_audit_tells_what_is_open(
    kept_log: pytest.LogCaptureFixture, report: Report, change: dict[str, str]
) -> None:
    telemetry.audited(report.model_copy(update=change))
    (line,) = lines_of(kept_log)
    by_cause = {"Denied", "Failed", "Throttled", "Malformed", "NotTold"}
    spots = {"BlindSpots", *(f"BlindSpots{cause}" for cause in by_cause)}
    assert embedded(line).keys() == {"Duration", "ApiCalls", *spots}


def test_a_line_of_an_audit_holds_no_text_of_findings(kept_log: pytest.LogCaptureFixture, report: Report) -> None:
    telemetry.audited(report)
    (line,) = lines_of(kept_log)
    text = json.dumps(line, default=str)
    for finding in report.findings:
        assert finding.summary not in text
    for spot in report.blind_spots:
        assert spot.error not in text


def test_each_notice_is_a_line_whether_it_was_taken_or_not(kept_log: pytest.LogCaptureFixture, report: Report) -> None:
    notice = SAMPLES["finding-new"]

    def refusing(*_: object) -> None:
        raise AuditorError("https://hooks.example.org/secret refused")

    logged("sns", lambda *_: None)(notice, report)
    with pytest.raises(AuditorError):
        logged("email", refusing)(notice, report)
    taken, refused = lines_of(kept_log)
    assert embedded(taken) == {"NoticesSent": 1}
    assert embedded(refused) == {"NoticesFailed": 1}
    assert (taken["channel"], refused["channel"], refused["error"]) == ("sns", "email", "AuditorError")
    assert refused["level"] == "WARNING"
    assert "hooks.example.org" not in json.dumps(refused, default=str)


def test_a_part_tells_where_and_how_it_ended(kept_log: pytest.LogCaptureFixture) -> None:
    telemetry.part_worked("a-1", {"account": "123456789012", "region": "eu-west-1"}, 2, 1.23456, "failed")
    (line,) = lines_of(kept_log)
    values = {name: line[name] for name in ("kind", "run", "account", "region", "attempt", "seconds", "outcome")}
    assert values == {
        "kind": "part",
        "run": "a-1",
        "account": "123456789012",
        "region": "eu-west-1",
        "attempt": 2,
        "seconds": 1.235,
        "outcome": "failed",
    }
    assert "_aws" not in line


@pytest.mark.thorough
def test_in_lambda_every_line_is_one_of_json() -> None:
    done = subprocess.run([sys.executable, "-c", IN_LAMBDA], capture_output=True, text=True, check=True)
    dropped, complete, plain, chalice = [json.loads(line) for line in done.stdout.splitlines()]
    assert embedded(dropped) == {"EventsDropped": 1}
    assert (dropped["id"], dropped["level"]) == ("e-1", "WARNING")
    assert embedded(complete) == {"CompleteAudits": 1}
    assert plain["message"] == "plain words of a module"
    assert chalice["message"] == "words of Chalice"
    assert done.stderr == ""
