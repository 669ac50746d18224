"""Notices in Slack: what they say, that Slack takes them, and that no name breaks out of its place."""

import json
import logging
import re
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import boto3
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.notices import slack
from chalicelib.notices.notice import Change, Notice
from chalicelib.report import telemetry
from chalicelib.report.findings import BlindSpot, Exemption, ExemptionNote, Finding, Fix, Saving, Severity
from chalicelib.settings import Settings
from chalicelib.templating import clean
from samples.notices import ACCOUNT, NOW, REGION, REPORT_URL, SAMPLES, a_finding, a_notice, a_resource
from tests.examples import examples
from tests.golden import assert_golden

HOSTILE = [
    "<!channel>",
    "<@U012AB3CD>",
    "<https://evil.example|click here>",
    "<script>alert(1)</script>",
    "{{ 7*7 }}",
    "</pre>",
    "```\n<!here>",
    "` `` ``` ````",
    "\u202eright to left\u2066",
    "line\nbreak\r\x00\x1b[31m",
    "& &amp; &lt;!channel&gt;",
    "😀" * 200,
    "x" * 10_240,
    "&" * 10_240,
    "<" * 10_240,
    "é|" * 5_120,
    "*_~>",
    "",
]

LINK = re.compile(r"<https?://[^<>|\s]+(\|[^<>\n]+)?>")
ENTITY = re.compile(r"&(?!amp;|lt;|gt;)")


def units(text: str) -> int:
    """The length in UTF-16 units, the largest that Slack may count."""
    return len(text.encode("utf-16-le")) // 2


def texts_in(message: Any) -> Iterator[dict[str, Any]]:
    """Every text object of a message."""
    if isinstance(message, dict):
        if message.get("type") in ("mrkdwn", "plain_text"):
            yield message
        for value in message.values():
            yield from texts_in(value)
    elif isinstance(message, list):
        for value in message:
            yield from texts_in(value)


def all_blocks(message: dict[str, Any]) -> list[dict[str, Any]]:
    return [*message.get("blocks", []), *(block for each in message.get("attachments", []) for block in each["blocks"])]


def problems_of_text(text: str, limit: int) -> Iterator[str]:
    """Why Slack would refuse a text, or read something into it."""
    if not 1 <= units(text) <= limit:
        yield f"{units(text)} characters of {limit}: {text[:60]}"
    if clean(text) != text:
        yield f"control characters or direction marks: {text[:60]!r}"
    if ENTITY.search(text):
        yield f"a bare or broken entity: {text[:60]}"
    if set("<>") & set(LINK.sub("", text)):
        yield f"markup that is no link: {LINK.sub('', text)[:60]}"
    if text.startswith("```\n") and text.endswith("\n```"):
        text = text[4:-4]
        if "`" in text:
            yield "code that ends too soon"
    if "```" in text or text.count("`") % 2:
        yield f"code that is left open: {text[:60]}"


def problems_of_block(block: dict[str, Any]) -> Iterator[str]:
    kind = block["type"]
    if kind == "header":
        assert block["text"]["type"] == "plain_text"
        yield from problems_of_text(block["text"]["text"], 150)
    elif kind == "section" and "text" in block:
        yield from problems_of_text(block["text"]["text"], 3_000)
    elif kind in ("section", "context"):
        texts = block["fields" if kind == "section" else "elements"]
        if not 1 <= len(texts) <= 10:
            yield f"{len(texts)} texts in a {kind}"
        for text in texts:
            yield from problems_of_text(text["text"], 2_000)
    else:
        yield f"an unknown block {kind}"


def problems_of(message: dict[str, Any]) -> list[str]:
    """Everything for which Slack would refuse a message or show it otherwise than meant."""
    problems = list(problems_of_text(message["text"], 4_000))
    if all_blocks(message) and len(json.dumps(message)) > 12_000:
        problems.append(f"{len(json.dumps(message))} characters in all")
    if len(all_blocks(message)) > 20:
        problems.append(f"{len(all_blocks(message))} blocks")
    for block in all_blocks(message):
        problems += problems_of_block(block)
    problems += [
        f"parsed by Slack: {text['text'][:60]}"
        for text in texts_in(message)
        if text["type"] == "mrkdwn" and not text["verbatim"]
    ]
    return problems


def shown(notice: Notice) -> str:
    """All that a reader sees, in the order of the blocks."""
    return "\n".join(text["text"] for text in texts_in(all_blocks(slack.payload(notice))))


def a_hostile_finding(text: str, **changes: Any) -> Finding:
    """A finding with the same text wherever a stranger's could stand."""
    facts: dict[str, Any] = {
        "title": text,
        "severity": Severity.CRITICAL,
        "account": text,
        "region": text,
        "rule": text,
        "summary": text,
        "why": text,
        "fix": Fix(text=text, commands=[text, text, text]),
        "references": [text, f"https://example.org/{text}"],
        "owner": text,
        "saving": Saving(monthly_usd=1.5, basis=text),
        "exemption": Exemption(reason=text, owner=text, expires=date(2026, 11, 21)),
        "first_seen": NOW - timedelta(days=2),
    }
    return a_finding(a_resource(text, text, console_url=f"https://example.org/{text}"), **{**facts, **changes})


def a_hostile_notice(*items: Change, text: str, **changes: Any) -> Notice:
    facts: dict[str, Any] = {
        "audit_id": text,
        "account": text,
        "region": text,
        "health": text,
        "complete": False,
        "blind_spots": [
            BlindSpot(account=text, region=text, operation=text, error=text, effect=[text] * 9, resource=text)
        ]
        * 30,
        "exemptions": [
            ExemptionNote(rule=text, resource=text, reason=text, owner=text, state=state, findings=2)
            for state in ("expired", "expiring", "unmatched") * 10
        ],
        "still_open": {text: 3},
        "report_url": f"https://example.org/{text}",
    }
    return a_notice(*items, **{**facts, **changes})


def hostile_notices(text: str) -> Iterator[Notice]:
    """Every kind of notice and change, with the text in every place."""
    finding = a_hostile_finding(text)
    yield a_hostile_notice(Change(change="new", finding=finding), text=text)
    yield a_hostile_notice(Change(change="worse", finding=finding, before=Severity.LOW), text=text)
    yield a_hostile_notice(Change(change="back", finding=finding, away_days=3), text=text)
    yield a_hostile_notice(Change(change="reminder", finding=finding), text=text)
    yield a_hostile_notice(Change(change="resolved", finding=a_hostile_finding(text, resolved_at=NOW)), text=text)
    yield a_hostile_notice(text=text)
    changes: list[Any] = ["new", "worse", "back", "reminder", "resolved"]
    yield a_hostile_notice(*(Change(change=kind, finding=finding) for kind in changes * 10), text=text, omitted=4812)


# ---- buttons


def pressable(message: dict[str, Any]) -> list[str]:
    """What the buttons of a message are, in their order."""
    blocks = message["attachments"][0]["blocks"]
    rows = [block["elements"] for block in blocks if block["type"] == "actions"]
    for element in (element for row in rows for element in row):
        assert len(element["text"]["text"]) <= 75 and len(element["value"]) <= 2_000
    assert len(blocks) <= 20 and len({block.get("block_id", number) for number, block in enumerate(blocks)}) == len(
        blocks
    )
    return [element["action_id"].removeprefix("auditor_") for row in rows for element in row]


@pytest.mark.parametrize(
    ("name", "rows"),
    [("finding-new", 1), ("digest-resource", 2), ("resolved", 0), ("digest-full", 0), ("health", 0), ("run", 0)],
)
def test_findings_have_buttons_where_they_can_be_answered(name: str, rows: int) -> None:
    assert pressable(slack.payload(SAMPLES[name], answerable=True)) == ["why", "snooze", "exempt"] * rows
    assert pressable(slack.payload(SAMPLES[name])) == []


def test_a_message_with_buttons_is_no_longer_than_one_without() -> None:
    items = [
        Change(change="new", finding=a_finding(a_resource(name=f"x/{each}"), summary="y" * 5_000)) for each in range(9)
    ]
    for notice in (a_notice(items[0]), a_notice(*items, about="x")):
        message = slack.payload(notice, answerable=True)
        assert len(json.dumps(message)) <= 12_000
        assert pressable(message) == ["why", "snooze", "exempt"] * min(4, len(notice.told))


# ---- what it says


@pytest.mark.parametrize("name", SAMPLES)
def test_each_kind_and_change_looks_as_agreed(name: str) -> None:
    message = slack.payload(SAMPLES[name])
    assert problems_of(message) == []
    assert_golden(f"slack/{name}.json", json.dumps(message, indent=2, ensure_ascii=False))


@pytest.mark.parametrize("name", SAMPLES)
def test_each_kind_and_change_has_a_plain_text(name: str) -> None:
    message = slack.plain(SAMPLES[name])
    assert problems_of(message) == []
    assert_golden(f"slack/{name}-plain.json", json.dumps(message, indent=2, ensure_ascii=False))


def test_the_resource_is_a_link_to_its_console_page() -> None:
    finding = a_finding(a_resource(console_url="https://example.org/?region=eu&name=churn"))
    text = shown(a_notice(Change(change="new", finding=finding)))
    assert "*<https://example.org/?region=eu&amp;name=churn|churn/AllTraffic>*" in text


@pytest.mark.parametrize("url", [None, "", "javascript:alert(1)", "s3://bucket/report", "https://e.org/" + "x" * 500])
def test_without_an_address_that_can_be_followed_the_resource_is_named_only(url: str | None) -> None:
    text = shown(a_notice(Change(change="new", finding=a_finding(a_resource(console_url=url), references=[]))))
    assert "*churn/AllTraffic*" in text
    assert "<" not in text


def test_an_address_cannot_end_its_link() -> None:
    finding = a_finding(a_resource(console_url="https://e.org/a|b> <!channel> `"))
    text = shown(a_notice(Change(change="new", finding=finding)))
    assert "<https://e.org/a%7Cb%3E%3C!channel%3E%60|churn/AllTraffic>" in text


def test_what_has_no_name_and_no_address_is_a_dash() -> None:
    finding = a_finding(a_resource(name="", console_url=None), summary="", references=[""], account="", region="")
    notice = a_notice(Change(change="new", finding=finding), account="", region="", audit_id="", health="")
    assert problems_of(slack.payload(notice)) == []
    assert "*–* · endpoint-variant" in shown(notice)


@pytest.mark.parametrize("severity", Severity)
def test_the_bar_and_the_emoji_show_the_severity(severity: Severity) -> None:
    message = slack.payload(a_notice(Change(change="new", finding=a_finding(severity=severity))))
    assert message["attachments"][0]["color"] == slack.COLOURS[severity]
    assert message["text"].startswith(slack.EMOJI[severity])


def test_severities_look_different_from_each_other() -> None:
    assert len(set(slack.COLOURS.values())) == len(set(slack.EMOJI.values())) == len(Severity)


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        (timedelta(seconds=0), timedelta(seconds=20), "was open for less than a minute"),
        (timedelta(0), timedelta(minutes=1), "was open for 1 minute"),
        (timedelta(minutes=0), timedelta(minutes=119), "was open for 1 hour"),
        (timedelta(days=0), timedelta(days=1, hours=23), "was open for 1 day"),
        (timedelta(days=0), timedelta(days=1500), "was open for 1,500 days"),
    ],
)
def test_a_resolved_finding_says_how_long_it_was_open(before: timedelta, after: timedelta, words: str) -> None:
    finding = a_finding(status="resolved", first_seen=NOW + before, resolved_at=NOW + after)
    assert words in shown(a_notice(Change(change="resolved", finding=finding)))


def test_a_resolved_finding_gives_no_advice() -> None:
    text = shown(SAMPLES["resolved"])
    assert "```" not in text
    assert "*Fix*" not in text


def test_a_digest_without_news_but_with_blind_spots_does_not_look_clean() -> None:
    message = slack.payload(a_notice(complete=False))
    assert "clean" not in json.dumps(message)
    assert message["attachments"][0]["color"] != slack.WELL_COLOUR
    assert message["text"].startswith(slack.BLIND)


def test_a_digest_that_lost_all_its_findings_on_the_way_does_not_look_clean() -> None:
    message = slack.payload(a_notice(severity=Severity.HIGH, omitted=5000))
    assert "clean" not in json.dumps(message)
    assert "5,000 changes" in message["text"]
    assert message["attachments"][0]["color"] == slack.COLOURS[Severity.HIGH]


def test_totals_count_what_did_not_fit_into_the_message() -> None:
    items = [Change(change="new", finding=a_finding()), Change(change="resolved", finding=a_finding(resolved_at=NOW))]
    message = slack.payload(a_notice(*items, omitted=3000, totals={"high": 2500}))
    assert "SageMaker audit: 2,500 high, 502 resolved" in message["text"]


def test_a_blind_spot_of_another_account_says_where_it_is() -> None:
    spot = BlindSpot(account="210987654321", region="eu-central-1", operation="sagemaker:ListEndpoints", error="denied")
    assert "(210987654321 eu-central-1): denied" in shown(a_notice(blind_spots=[spot], complete=False))


@pytest.mark.thorough
def test_more_than_fits_is_counted_with_a_link_to_the_report() -> None:
    items = [
        Change(change="new", finding=a_finding(a_resource(name=f"endpoint-{number}/AllTraffic")))
        for number in range(5_000)
    ]
    notice = a_notice(*items, report_url=REPORT_URL)
    text = shown(notice)
    assert problems_of(slack.payload(notice)) == []
    named = len(re.findall(r"endpoint-\d+/AllTraffic", text))
    assert named > 10
    assert f"and {5_000 - named:,} more in <{REPORT_URL.replace('&', '&amp;')}|the report>" in text
    assert "*New* (5,000)" in text


@pytest.mark.thorough
def test_more_than_fits_is_counted_without_a_report_too() -> None:
    items = [
        Change(change="new", finding=a_finding(a_resource(name=f"endpoint-{number}/A"))) for number in range(5_000)
    ]
    text = shown(a_notice(*items))
    named = len(re.findall(r"endpoint-\d+/A>", text))
    assert f"\nand {5_000 - named:,} more\n" in text


@pytest.mark.thorough
def test_each_group_of_a_full_digest_is_shown() -> None:
    changes: list[Any] = ["new", "worse", "back", "reminder", "resolved"]
    items = [Change(change=change, finding=a_finding()) for change in changes for _ in range(1_000)]
    notice = a_notice(*items)
    text = shown(notice)
    assert problems_of(slack.payload(notice)) == []
    for word in ("New", "Worse", "Back", "Still open", "Resolved"):
        assert f"*{word}* (1,000)\n• " in text


# ---- commands


def test_commands_are_code_and_stay_as_they_are() -> None:
    command = "aws sagemaker list-endpoints --name-contains 'a b' --query \"x[?y=='z']\""
    text = shown(a_notice(Change(change="new", finding=a_finding(fix=Fix(text="", commands=[command])))))
    assert f"```\n{command}\n```" in text


def test_commands_are_all_there_or_absent() -> None:
    commands = ["aws one", "aws two " + "x" * 3_000, "aws three"]
    finding = a_finding(fix=Fix(text="", commands=commands))
    text = shown(a_notice(Change(change="new", finding=finding)))
    assert "aws one" not in text
    assert "aws two" not in text
    assert "aws three" not in text
    assert "and 3 more commands" in text


def test_many_commands_take_several_blocks_of_code() -> None:
    commands = [f"aws sagemaker describe-endpoint --endpoint-name {'n' * 400}-{number}" for number in range(12)]
    notice = a_notice(Change(change="new", finding=a_finding(fix=Fix(text="", commands=commands))))
    text = shown(notice)
    assert problems_of(slack.payload(notice)) == []
    assert text.count("```\naws") == 2
    assert all(command in text for command in commands)


def test_a_backtick_does_not_end_the_code() -> None:
    finding = a_finding(fix=Fix(text="", commands=["aws --name '```'", "echo `reboot`"]))
    notice = a_notice(Change(change="new", finding=finding))
    assert problems_of(slack.payload(notice)) == []
    assert "`reboot`" not in shown(notice)


def test_the_plain_text_holds_no_half_of_a_command() -> None:
    commands = ["aws --first " + "x" * 1_500, "aws --second " + "y" * 2_500]
    finding = a_finding(fix=Fix(text="", commands=commands))
    message = slack.plain(a_notice(Change(change="new", finding=finding)))
    assert problems_of(message) == []
    assert "aws --" not in message["text"]
    assert "and 2 more commands" in message["text"]


def test_the_plain_text_of_a_long_finding_still_leads_to_the_console() -> None:
    long = "&" * 2_000
    message = slack.plain(a_notice(Change(change="new", finding=a_finding(summary=long, why=long))))
    assert problems_of(message) == []
    assert message["text"].endswith("#/endpoints/churn>")


# ---- strangers' texts


@pytest.mark.thorough
@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: repr(text[:12]))
def test_no_text_breaks_out_of_its_place(text: str) -> None:
    for notice in hostile_notices(text):
        assert problems_of(slack.payload(notice)) == []
        assert problems_of(slack.plain(notice)) == []


@pytest.mark.thorough
@examples(25)
@given(st.lists(st.one_of(st.sampled_from(HOSTILE), st.text(max_size=50)), max_size=3).map("".join))
def test_no_mixture_of_texts_breaks_out_of_its_place(text: str) -> None:
    for notice in hostile_notices(text):
        assert problems_of(slack.payload(notice)) == []
        assert problems_of(slack.plain(notice)) == []


def test_mentions_and_templates_stay_text() -> None:
    text = shown(a_notice(Change(change="new", finding=a_finding(summary="<!channel> {{ 7*7 }} <script>"))))
    assert "&lt;!channel&gt; {{ 7*7 }} &lt;script&gt;" in text


@given(st.text(), st.integers(min_value=0, max_value=60))
def test_a_shortened_text_is_as_long_as_it_may_be_and_no_entity_is_cut(text: str, limit: int) -> None:
    cut = slack.shortened(text, limit)
    assert units(cut) <= limit
    assert not ENTITY.search(cut)
    if units(slack.escape(text)) <= limit:
        assert cut == slack.escape(text)


@pytest.mark.parametrize(
    ("limit", "cut"),
    [
        (16, "a&lt;&amp;&gt;b"),
        (15, "a&lt;&amp;&gt;b"),
        (14, "a&lt;&amp;…"),
        (11, "a&lt;&amp;…"),
        (10, "a&lt;…"),
        (6, "a&lt;…"),
        (5, "a…"),
        (1, "…"),
        (0, ""),
    ],
)
def test_a_text_is_cut_between_entities(limit: int, cut: str) -> None:
    assert slack.shortened("a<&>b", limit) == cut


def test_the_ampersand_is_escaped_first() -> None:
    assert slack.escape("<&lt;>") == "&lt;&amp;lt;&gt;"


# ---- addresses of webhooks, and events


@pytest.mark.parametrize(
    "secret",
    [
        "https://hooks.slack.com/services/T0/B0/s3cr3t",
        "ssm:https://hooks.slack.com/services/T0/B0/s3cr3t",
        "hooks.slack.com/services/T0/B0/s3cr3t",
        "Hooks.Slack.com/services/T0/B0/s3cr3t",
        "services/T0/B0/s3cr3t with spaces",
        "",
    ],
)
def test_an_address_in_the_place_of_a_secrets_name_is_not_repeated(secret: str) -> None:
    with pytest.raises(slack.SlackFailed) as caught:
        slack.webhook_url(secret, boto3.Session(region_name=REGION))
    assert "s3cr3t" not in str(caught.value)
    assert "accepted for AUDITOR_SLACK_SECRET are" in str(caught.value)


def an_event(*messages: str) -> dict[str, Any]:
    """An event as SNS hands it to a function."""
    return {
        "Records": [
            {
                "EventSource": "aws:sns",
                "EventVersion": "1.0",
                "EventSubscriptionArn": f"arn:aws:sns:{REGION}:{ACCOUNT}:findings:1",
                "Sns": {"Type": "Notification", "MessageId": f"message-{number}", "Message": message},
            }
            for number, message in enumerate(messages)
        ]
    }


@pytest.mark.parametrize(
    "event",
    [
        {},
        {"Records": [None]},
        {"Records": ["text"]},
        {"Records": [{}]},
        {"Records": [{"Sns": None}]},
        {"Records": [{"Sns": {}}]},
        {"Records": [{"Sns": {"MessageId": "m", "Message": None}}]},
        an_event("no JSON"),
        an_event("[]"),
        an_event("[" * 100_000),
        an_event('{"kind": "digest"}'),
        an_event(json.dumps(SAMPLES["finding-new"].machine() | {"told": []})),
        an_event(json.dumps(SAMPLES["digest-full"].machine() | {"schema_version": 2})),
    ],
    ids=lambda event: json.dumps(event)[:40],
)
def test_a_record_that_is_no_notice_is_dropped(event: dict[str, Any]) -> None:
    session = boto3.Session(region_name=REGION)
    assert slack.deliver_event(event, Settings(slack_secret="slack"), session) == {"delivered": 0, "dropped": 1}


def test_a_dropped_record_is_logged_by_its_message_id_alone(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    event = an_event("forged words")
    event["Records"][0]["Sns"]["MessageId"] = "id-1\n[ERROR] forged\u202e"
    slack.deliver_event(event, Settings(), boto3.Session(region_name=REGION))
    (record,) = [record for record in caplog.records if record.name == telemetry.log.name]
    assert "id-1" in record.getMessage()
    assert "forged words" not in caplog.text
    assert "\n" not in record.getMessage()


def test_an_event_without_records_of_sns_is_no_failure_but_an_empty_one_has_nothing_to_drop() -> None:
    session = boto3.Session(region_name=REGION)
    assert slack.deliver_event({"Records": []}, Settings(), session) == {"delivered": 0, "dropped": 0}


def test_a_notice_without_a_configured_secret_fails_with_what_would_be_accepted() -> None:
    event = an_event(json.dumps(SAMPLES["finding-new"].machine()))
    with pytest.raises(slack.SlackFailed, match="AUDITOR_SLACK_SECRET is not set; accepted"):
        slack.deliver_event(event, Settings(), boto3.Session(region_name=REGION))
