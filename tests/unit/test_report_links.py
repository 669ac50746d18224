"""The link to the report in every channel: whole, where it is signed with what people must know of it."""

import html
import json

import pytest

from chalicelib.notices import chat, email, slack, sns
from chalicelib.notices.notice import Change, Notice
from samples.notices import a_finding, a_notice
from tests.unit.test_slack import problems_of

CONSOLE = "https://eu-west-1.console.aws.amazon.com/s3/object/auditor-reports?region=eu-west-1&prefix=reports%2Fa.html"
#: As long as S3's links are with the token of a role.
SIGNED = (
    f"https://auditor-reports.s3.amazonaws.com/reports/a.html?X-Amz-Expires=43200&X-Amz-Security-Token={'x' * 1600}"
)
NOTE = f"Whoever has this link reads the report without signing in, until 2026-11-26T18:00:00Z. Afterwards: {CONSOLE}"
ONE = Change(change="new", finding=a_finding())


def notices(url: str, note: str = "") -> list[Notice]:
    """Of one finding, and of many."""
    return [
        a_notice(ONE, report_url=url, report_note=note),
        a_notice(*[ONE] * 30, kind="digest", report_url=url, report_note=note),
        a_notice(kind="digest", report_url=url, report_note=note),
    ]


@pytest.mark.parametrize("notice", notices(CONSOLE), ids=["one", "many", "none"])
def test_each_channel_links_to_the_console(notice: Notice) -> None:
    assert CONSOLE in sns.text(notice)
    assert all(CONSOLE in html.unescape(body) for body in email.bodies(notice))
    assert CONSOLE.replace("&", "&amp;") in chat.chat(notice)["content"]["description"]
    message = slack.payload(notice)
    assert problems_of(message) == []
    assert CONSOLE.replace("&", "&amp;") in json.dumps(message, ensure_ascii=False)


@pytest.mark.parametrize("notice", notices(SIGNED, NOTE), ids=["one", "many", "none"])
def test_each_channel_says_who_can_open_a_signed_link_and_until_when(notice: Notice) -> None:
    texts = [sns.text(notice), *map(html.unescape, email.bodies(notice))]
    message = slack.payload(notice)
    assert problems_of(message) == []
    texts.append(json.dumps(message, ensure_ascii=False).replace("&amp;", "&"))
    for text in texts:
        assert SIGNED in text
        assert "without signing in, until 2026-11-26T18:00:00Z" in " ".join(text.split())


def test_a_notice_for_programs_has_the_note_only_where_there_is_one() -> None:
    assert notices(SIGNED, NOTE)[0].machine()["report_note"] == NOTE
    assert "report_note" not in notices(CONSOLE)[0].machine()
    assert problems_of(slack.plain(notices(SIGNED, NOTE)[1])) == []
