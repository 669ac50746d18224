"""The chat notification: what people named in the account is shown as it is, and does nothing."""

import json
import re
from typing import Any

import pytest

from chalicelib.notices.chat import CHAT_DESCRIPTION, CHAT_KEYWORD, CHAT_STEP, CHAT_TITLE, chat
from chalicelib.notices.notice import Change
from chalicelib.report.findings import Exemption, Fix
from samples.notices import a_finding, a_notice, a_resource

#: What Slack and Teams would make a mention, a link or code of.
LIVE = re.compile(r"<[!@#a-z]|(?i:https?://|ftp://|mailto:(?!\u200b)|www\.(?!\u200b))|@[a-z]|\]\(|`")
HOSTILE = [
    "<!channel>",
    "<@U012AB3CD>",
    "<https://evil.example|the report>",
    "[click](https://evil.example)",
    "[click][1]",
    "![x](http://evil.example/x.png)",
    "https://evil.example",
    "HTTPS://evil.example",
    "www.evil.example",
    "mailto:a@evil.example",
    "ftp://evil.example",
    "@here",
    "@channel",
    "`rm -rf`",
    "```\n@here\n```",
    "&lt;!channel&gt;",
]


def texts(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for inner in value.values() for text in texts(inner)]
    if isinstance(value, list):
        return [text for inner in value for text in texts(inner)]
    return [value] if isinstance(value, str) else []


def a_hostile(text: str) -> Change:
    finding = a_finding(
        a_resource(name=text, arn=f"arn:aws:sagemaker:eu-west-1:123456789012:endpoint/{text}"),
        title=text,
        summary=text,
        why=text,
        owner=text,
        rule=text,
        fix=Fix(text=text, commands=[f"aws sagemaker describe-endpoint --endpoint-name '{text}'"]),
        exemption=Exemption(reason=text, owner=text),
    )
    return Change(change="new", finding=finding)


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("number", [1, 2])
def test_names_are_inert_in_the_chat_notification(text: str, number: int) -> None:
    notice = a_notice(*[a_hostile(text)] * number, account=text, region=text, audit_id="a-1", health=text)
    assert LIVE.search(text) or text in ("[click][1]", "&lt;!channel&gt;")
    for shown in texts(chat(notice)):
        assert not LIVE.search(shown), shown


def test_what_is_escaped_reads_as_it_was_written() -> None:
    shown = chat(a_notice(a_hostile("a<b> & https://example.org")))["content"]["description"]
    assert "a&lt;b&gt; &amp; https:\u200b//example.org" in shown


def test_commands_of_a_shell_stay_whole_and_can_be_pasted() -> None:
    command = "jq '.a' config.json > new.json; aws s3 cp s3://bucket/x file://new.json"
    steps = chat(a_notice(Change(change="new", finding=a_finding(fix=Fix(text="Do.", commands=[command])))))
    assert steps["content"]["nextSteps"] == ["Do.", command.replace(">", "&gt;")]


def test_commands_in_which_a_chat_would_see_a_link_are_left_out() -> None:
    steps = chat(a_notice(a_hostile("https://evil.example")))["content"]["nextSteps"]
    assert steps[1:] == ["The commands do not fit into a chat; the report has them."]


@pytest.mark.parametrize("number", [1, 2, 500])
def test_no_text_is_longer_than_the_service_takes(number: int) -> None:
    content = chat(a_notice(*[a_hostile("<&> " * 4_000)] * number))["content"]
    assert 0 < len(content["description"]) <= CHAT_DESCRIPTION
    assert len(content["title"]) <= CHAT_TITLE
    assert all(len(step) <= CHAT_STEP for step in content.get("nextSteps", ()))
    assert all(len(word) <= CHAT_KEYWORD for word in content.get("keywords", ()))
    assert not re.search(r"&(?!amp;|lt;|gt;)", json.dumps(content)), "no entity is cut in half"
