"""The digest: within SNS's limits, safe against hostile names, and there even when all is clean."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from chalicelib.notices import chat as chat_form
from chalicelib.notices import sns
from chalicelib.notices.decide import decide, digest
from chalicelib.notices.notice import Notice
from chalicelib.policy.policy import load_policy
from chalicelib.report.findings import (
    BlindSpot,
    Finding,
    Fix,
    PolicyUsed,
    Report,
    Resolution,
    Resource,
    ScopeAudited,
    Severity,
)

NOW = datetime(2026, 11, 22, 6, tzinfo=UTC)
HOSTILE = "<!channel> {{ 7*7 }} <script>\n[HIGH] forged\x07 \u202e"


def a_finding(number: int = 0, **differences: Any) -> Finding:
    name = differences.pop("name", f"endpoint-{number}/AllTraffic")
    return Finding(
        **{
            "id": f"f-{number:020x}",
            "rule": "endpoint-single-instance",
            "topic": "instances",
            "title": "Endpoint variant runs on one instance",
            "severity": Severity.HIGH,
            "account": "123456789012",
            "region": "eu-west-1",
            "resource": Resource(kind="endpoint-variant", arn=f"arn:{number}", name=name),
            "summary": f"{name} serves all its traffic from 1 ml.m5.large instance.",
            "why": "Because. " * 20,
            "fix": Fix(text="Raise it.", commands=["aws sagemaker list-endpoints"]),
            "evidence": {"desired_instance_count": 1},
            "first_seen": NOW,
            "last_seen": NOW,
            **differences,
        }
    )


def a_report(*findings: Finding, **differences: Any) -> Report:
    return Report(
        **{
            "audit_id": "a-1",
            "trigger": "schedule",
            "scope": ScopeAudited(),
            "started_at": NOW,
            "finished_at": NOW,
            "policy": PolicyUsed(name="baseline", digest="d"),
            "accounts": ["123456789012"],
            "regions": ["eu-west-1"],
            "resources": {"endpoint": 412},
            "rules": {},
            "findings": list(findings),
            "blind_spots": [],
            "api_calls": {},
            "complete": True,
            **differences,
        }
    )


def a_digest(*findings: Finding, **differences: Any) -> Notice:
    report, policy = a_report(*findings, **differences), load_policy()
    return digest(decide(report, {}, Resolution(), policy), report, policy)


@pytest.mark.thorough
@pytest.mark.parametrize("number", [0, 1, 41, 5000])
def test_a_message_of_any_size_fits_and_holds_every_protocol(number: int) -> None:
    notice = a_digest(*(a_finding(one) for one in range(number)))
    message = sns.message(notice)
    assert len(message.encode()) + len(json.dumps(sns.attributes(notice)).encode()) < 262_144
    body = json.loads(message)
    assert set(body) == {"default", "email", "https", "sqs", "lambda"}
    assert all(isinstance(value, str) for value in body.values())
    machine = json.loads(body["sqs"])
    assert len(machine["told"]) + machine["omitted"] == number
    assert machine["by_severity"] == ({"high": number} if number else {})


@pytest.mark.thorough
def test_what_does_not_fit_is_counted_never_dropped_in_silence() -> None:
    body = json.loads(sns.message(a_digest(*(a_finding(one) for one in range(5000)))))
    assert "and 4,960 more" in body["email"]
    assert json.loads(body["sqs"])["omitted"] > 0


def test_a_clean_audit_still_says_that_it_was_there() -> None:
    notice = a_digest()
    assert "all clean" in notice.subject
    assert "412 resources, 0 rules, 0 blind spots" in sns.text(notice)
    assert "Nothing to report" in sns.text(notice)
    assert sns.attributes(notice)["severity"]["StringValue"] == "info"


def test_attributes_and_subject_are_what_subscribers_filter_and_read() -> None:
    notice = a_digest(a_finding(1, severity=Severity.MEDIUM), a_finding(2))
    values = {name: one["StringValue"] for name, one in sns.attributes(notice).items()}
    assert values == {
        "severity": "high",
        "rule": "digest",
        "status": "open",
        "account": "123456789012",
        "region": "eu-west-1",
    }
    assert notice.subject == "SageMaker audit 123456789012 eu-west-1: 1 high, 1 medium"


def test_a_subject_is_one_short_line_of_ascii() -> None:
    notice = a_digest(a_finding(), regions=["eu-west-1"] * 40)
    assert len(notice.subject) <= 99
    assert notice.subject.isascii() and notice.subject.isprintable()


def test_hostile_names_forge_no_line_and_run_no_template() -> None:
    text = sns.text(a_digest(a_finding(name=HOSTILE)))
    assert not [line for line in text.splitlines() if line.startswith("[HIGH] forged")]
    assert "{{ 7*7 }}" in text
    assert "49" not in text
    assert "\x07" not in text and "\u202e" not in text


def test_blind_spots_are_named_with_the_rules_they_leave_unknown() -> None:
    spot = BlindSpot(
        account="1", region="r", operation="cloudwatch:GetMetricData", error="AccessDenied", effect=["endpoint-idle"]
    )
    text = sns.text(a_digest(blind_spots=[spot], complete=False))
    assert "cloudwatch:GetMetricData: AccessDenied" in text
    assert "unknown: endpoint-idle" in text


def test_the_chat_form_has_what_the_chat_service_demands() -> None:
    chat = chat_form.chat(a_digest(*(a_finding(one) for one in range(300))))
    assert (chat["version"], chat["source"]) == ("1.0", "custom")
    assert 0 < len(chat["content"]["description"]) <= 8000
    assert len(chat["content"]["title"]) <= 250
    assert "and 280 more" in chat["content"]["description"]


def test_a_topic_that_does_not_take_the_message_is_an_error() -> None:
    class Refusing:
        def publish(self, **_: Any) -> None:
            from botocore.exceptions import EndpointConnectionError

            raise EndpointConnectionError(endpoint_url="http://127.0.0.1:1")

    with pytest.raises(sns.PublishFailed, match="did not take the digest"):
        sns.publish(a_digest(), "arn:aws:sns:eu-west-1:123456789012:t", Refusing())
