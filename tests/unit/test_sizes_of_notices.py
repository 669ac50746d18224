"""What leaves is within the limits of every door, whatever the size of the account."""

import json
from binascii import b2a_qp
from typing import Any

import pytest

from chalicelib.notices import chat, email, slack, sns
from chalicelib.notices.decide import preview
from chalicelib.notices.notice import Notice
from chalicelib.policy.policy import load_policy
from chalicelib.report.findings import BlindSpot, Severity
from tests.unit.test_notices import a_finding, a_report

#: What Gmail shows of a message before it hides the rest is 102 kB.
MAIL = 90_000


def texts_of(value: Any) -> list[str]:
    """Every text of Slack's text objects, wherever in a message."""
    if isinstance(value, list):
        return [text for inner in value for text in texts_of(inner)]
    if not isinstance(value, dict):
        return []
    own = [value["text"]] if value.get("type") in ("mrkdwn", "plain_text") else []
    return own + [text for inner in value.values() for text in texts_of(inner)]


def check_sizes(notice: Notice) -> None:
    """Every form of a notice within the limits of its door."""
    plain, html = email.bodies(notice)
    assert len(b2a_qp(plain.encode())) + len(b2a_qp(html.encode())) <= MAIL
    assert len(sns.text(notice, *([] if notice.single else [10])).encode()) <= MAIL
    for message in sns.messages(notice):
        assert len(message.encode()) < 262_144
    payload = slack.payload(notice)
    blocks = [*payload["blocks"], *payload["attachments"][0]["blocks"]]
    assert len(blocks) <= 50
    assert all(len(text) <= 3_000 for text in texts_of(blocks))
    assert len(json.dumps(payload)) <= 12_000
    assert all(len(block["fields"]) <= 10 for block in blocks if "fields" in block)
    assert len(chat.chat(notice)["content"]["description"]) <= chat.CHAT_DESCRIPTION


@pytest.mark.slow
@pytest.mark.parametrize("number", [1, 60, 5000])
def test_every_form_of_an_account_of_any_size_is_within_the_limits_of_its_door(number: int) -> None:
    severities = list(Severity)
    findings = [
        a_finding(each, severity=severities[each % 5], owner=f"team-{each % 40}", why="Because. " * 100)
        for each in range(number)
    ]
    spots = [
        BlindSpot(account="1", region="r", operation=f"sagemaker:Describe{each}", error="e" * 900, effect=["r"] * 100)
        for each in range(number // 10)
    ]
    report = a_report(*findings, blind_spots=spots, complete=not spots)
    (digest,) = preview(report, load_policy(), whole=True)
    check_sizes(digest)
    for notice in preview(report, load_policy(), whole=False):
        check_sizes(notice)
