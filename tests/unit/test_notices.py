"""The digest: within SNS's limits, safe against hostile names, and there even when all is clean."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from chalicelib.notices import chat as chat_form
from chalicelib.notices import slack, sns
from chalicelib.notices.decide import decide, digest
from chalicelib.notices.notice import Change, Notice
from chalicelib.policy.policy import load_policy
from chalicelib.report.findings import (
    BlindSpot,
    ExemptionNote,
    Finding,
    Fix,
    PolicyUsed,
    Report,
    Resource,
    ScopeAudited,
    Severity,
)
from chalicelib.report.known import Known, Resolution

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
    notice = a_digest(*(a_finding(index) for index in range(number)))
    message = sns.message(notice)
    assert len(message.encode()) + len(json.dumps(sns.attributes(notice)).encode()) < 262_144
    body = json.loads(message)
    assert set(body) == {"default", "email", "https", "sqs", "lambda"}
    assert all(isinstance(value, str) for value in body.values())
    machine = json.loads(body["sqs"])
    assert len(machine["told"]) + machine["omitted"] == number
    assert machine["by_severity"] == ({"high": number} if number else {})


def parts_of(notice: Notice) -> list[dict[str, Any]]:
    """The notice as programs get it, part by part."""
    bodies = [json.loads(message) for message in sns.messages(notice)]
    return [json.loads(body.get("sqs", body["default"])) for body in bodies]


@pytest.mark.slow
@pytest.mark.thorough
def test_what_does_not_fit_into_the_text_is_counted_and_programs_get_all_of_it() -> None:
    notice = a_digest(*(a_finding(number) for number in range(5000)))
    messages = sns.messages(notice)
    assert "and 4,960 more" in json.loads(messages[0])["email"]
    assert all(len(message.encode()) <= sns.MESSAGE_BYTES for message in messages)
    parts = parts_of(notice)
    assert [change["finding"]["id"] for part in parts for change in part["told"]] == [
        change.finding.id for change in notice.told
    ]
    assert [(part["part"], part["parts"]) for part in parts] == [
        (number + 1, len(parts)) for number in range(len(parts))
    ]
    for part in parts:
        assert len(part["told"]) + part["omitted"] == 5000
        assert part["by_severity"] == {"high": 5000}
        assert Notice.model_validate(part).subject == notice.subject


def test_all_blind_spots_and_exemptions_arrive_too() -> None:
    spots = [
        BlindSpot(
            account="1", region="r", operation=f"sagemaker:Describe{number}", error="e" * 3000, effect=["r"] * 500
        )
        for number in range(300)
    ]
    notes = [
        ExemptionNote(rule="*", resource=f"r{number}", reason="x" * 3000, state="unmatched", findings=0)
        for number in range(300)
    ]
    notice = a_digest(*(a_finding(number) for number in range(30)), blind_spots=spots, exemptions=notes, complete=False)
    parts = parts_of(notice)
    assert len(parts) > 1
    assert parts[0]["told"] and parts[0]["blind_spots"] and parts[0]["exemptions"], "people are shown some of each"
    assert sorted(spot["operation"] for part in parts for spot in part["blind_spots"]) == sorted(
        spot.operation for spot in spots
    )
    assert sorted(note["resource"] for part in parts for note in part["exemptions"]) == sorted(
        note.resource for note in notes
    )
    assert all(len(message.encode()) <= sns.MESSAGE_BYTES for message in sns.messages(notice))
    for part in parts:
        assert len(part["blind_spots"]) + part["omitted_blind_spots"] == 300
        assert len(part["exemptions"]) + part["omitted_exemptions"] == 300
    shown = json.dumps(slack.payload(Notice.model_validate(parts[0])))
    assert "*Blind spots* (300)" in shown and "*Exemptions to look at* (300)" in shown


class Client:
    """SNS that remembers what was published, and refuses a message by its number in time."""

    def __init__(self, refused: int | None = None) -> None:
        self.published: list[dict[str, Any]] = []
        self._refused = refused

    def publish(self, **message: Any) -> dict[str, str]:
        from botocore.exceptions import EndpointConnectionError

        if len(self.published) == self._refused:
            raise EndpointConnectionError(endpoint_url="http://127.0.0.1:1")
        self.published.append(message)
        return {"MessageId": str(len(self.published))}


def test_people_read_a_digest_once_even_if_a_part_of_it_is_refused_and_tried_again() -> None:
    notice = a_digest(*(a_finding(number) for number in range(500)))
    client, pauses = Client(refused=2), list[float]()
    with pytest.raises(sns.PublishFailed):
        sns.publish(notice, "arn:t", client, sleep=pauses.append)
    assert [message["MessageAttributes"]["part"]["StringValue"] for message in client.published].count("1") == 0
    again = Client()
    sns.publish(notice, "arn:t", again, sleep=pauses.append)
    numbers = [int(message["MessageAttributes"]["part"]["StringValue"]) for message in again.published]
    assert numbers == list(range(len(numbers), 0, -1))
    assert len(numbers) > 3 and all(pause >= 0.1 for pause in pauses), "SNS suspends mail above ten a second"


def test_the_further_parts_are_a_line_for_people() -> None:
    first, *further = map(json.loads, sns.messages(a_digest(*(a_finding(number) for number in range(300)))))
    assert {"email", "https", "sqs", "lambda"} <= first.keys()
    for number, body in enumerate(further, 2):
        assert body["email"] == f"Part {number} of {len(further) + 1} of a digest, for programs: " + (
            "SageMaker audit 123456789012 eu-west-1: 300 high"
        )


def test_a_clean_audit_still_says_that_it_was_there() -> None:
    notice = a_digest()
    assert "all clean" in notice.subject
    assert "412 resources, 0 rules, 0 blind spots" in sns.text(notice)
    assert "Nothing to report" in sns.text(notice)
    assert sns.attributes(notice)["severity"]["StringValue"] == "info"


def test_attributes_and_subject_are_what_subscribers_filter_and_read() -> None:
    notice = a_digest(a_finding(1, severity=Severity.MEDIUM), a_finding(2))
    assert attributes_of(notice) == {
        "severity": "high",
        "new_severity": "high",
        "rule": "digest",
        "status": ["new", "open"],
        "account": "123456789012",
        "region": "eu-west-1",
        "part": "1",
    }
    assert notice.subject == "SageMaker audit 123456789012 eu-west-1: 1 high, 1 medium"


def attributes_of(notice: Notice) -> dict[str, str | list[str]]:
    """The attributes as a filter policy sees them."""
    values: dict[str, str | list[str]] = {}
    for name, attribute in sns.attributes(notice).items():
        text = attribute["StringValue"]
        values[name] = json.loads(text) if attribute["DataType"] == "String.Array" else text
    return values


def next_day(notice_of: Report, *, judged: Resolution | None = None) -> Notice:
    """The digest of the same account a day after all of it was told."""
    policy = load_policy()
    known = {
        entry.finding.id: entry for entry in decide(a_report(*notice_of.findings), {}, Resolution(), policy).remember
    }
    later = notice_of.model_copy(update={"started_at": NOW + timedelta(days=1), "finished_at": NOW + timedelta(days=1)})
    return digest(decide(later, known, judged or Resolution(), policy), later, policy)


def test_e11_a_digest_with_an_open_critical_that_was_told_before_is_neither_info_nor_clean() -> None:
    notice = next_day(a_report(a_finding(1, severity=Severity.CRITICAL), a_finding(2)))
    assert notice.told == []
    attributes = attributes_of(notice)
    assert (attributes["severity"], attributes["status"], attributes["new_severity"]) == ("critical", "open", "none")
    assert notice.subject == "SageMaker audit 123456789012 eu-west-1: nothing new, still open: 1 critical, 1 high"


def test_what_was_told_and_could_not_be_seen_again_is_still_open() -> None:
    policy = load_policy()
    known = {
        entry.finding.id: entry
        for entry in decide(a_report(a_finding(severity=Severity.CRITICAL)), {}, Resolution(), policy).remember
    }
    spot = BlindSpot(account="123456789012", region="eu-west-1", operation="sagemaker:DescribeEndpoint", error="no")
    later = a_report(started_at=NOW + timedelta(days=1), blind_spots=[spot], complete=False)
    notice = digest(decide(later, known, Resolution(), policy), later, policy)
    assert notice.still_open == {"critical": 1}
    assert attributes_of(notice)["severity"] == "critical"


def test_new_and_open_are_told_apart_from_what_is_over() -> None:
    report = a_report(a_finding(1), a_finding(2, severity=Severity.MEDIUM))
    statuses = {
        "clean": a_digest(),
        "incomplete": a_digest(complete=False),
        "open": next_day(report),
        "resolved": next_day(a_report(), judged=Resolution()).model_copy(
            update={"told": [Change(change="resolved", finding=a_finding(status="resolved"))]}
        ),
    }
    assert {name: attributes_of(notice)["status"] for name, notice in statuses.items()} == {
        name: name for name in statuses
    }
    assert attributes_of(a_digest(a_finding(1)))["status"] == ["new", "open"]


REGIONS = ["eu-west-1", "eu-central-1", "us-east-1", "us-west-2", "ap-south-1", "ap-northeast-1", "ap-southeast-2"]


def test_e11_a_subject_keeps_its_counts_whatever_the_number_of_regions() -> None:
    findings = [a_finding(1, severity=Severity.CRITICAL), a_finding(2), a_finding(3)]
    assert a_digest(*findings, regions=REGIONS).subject == "SageMaker audit 123456789012 7 regions: 1 critical, 2 high"
    worst = a_digest(*findings, regions=REGIONS).model_copy(
        update={"totals": dict.fromkeys(("critical", "high", "medium", "low", "info"), 12_345), "omitted": 99_999}
    )
    assert "12345 critical, 12345 high, 12345 medium, 12345 low, 12345 info, 38277 resolved" in worst.subject


def test_a_filter_on_one_region_can_match_a_digest_of_several() -> None:
    assert sns.attributes(a_digest(regions=REGIONS))["region"] == {
        "DataType": "String.Array",
        "StringValue": json.dumps(REGIONS),
    }


def test_a_subject_is_one_short_line_of_ascii() -> None:
    for regions in (REGIONS[:1], REGIONS[:3], ["eu-west-1"] * 40):
        notice = a_digest(a_finding(), regions=regions)
        assert len(notice.subject) <= 99
        assert notice.subject.isascii() and notice.subject.isprintable()
        assert notice.subject.endswith(": 1 high")


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
    chat = chat_form.chat(a_digest(*(a_finding(number) for number in range(300))))
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


def test_what_is_over_comes_last_whatever_its_severity_and_the_worst_first() -> None:
    over = a_finding(1, severity=Severity.CRITICAL)
    known = {over.id: Known(over.model_copy(update={"last_seen": NOW - timedelta(days=1)}), NOW, Severity.CRITICAL)}
    report = a_report(a_finding(2, severity=Severity.LOW), a_finding(3, severity=Severity.HIGH))
    policy = replace(load_policy(), notify_at=Severity.LOW)
    decision = decide(report, known, Resolution({}, frozenset({over.id})), policy)
    assert [(change.change, change.finding.id) for change in decision.changes] == [
        ("new", a_finding(3).id),
        ("new", a_finding(2).id),
        ("resolved", over.id),
    ]
