"""The app in Slack: what its secret may hold, and that nothing of it is told."""

import json
from typing import Any

import pytest

from chalicelib.notices.slack.app_secret import SlackApp, app_of
from chalicelib.notices.slack.delivery import SlackFailed

SECRET, TOKEN = "8f742231b10e8888abcd99yyyzzz85a5", "xoxb-1"


class Session:
    """A session whose Secrets Manager holds this."""

    def __init__(self, held: str) -> None:
        self.held, self.reads = held, 0

    def client(self, service: str, **_: Any) -> Any:
        assert service == "secretsmanager"
        return self

    def get_secret_value(self, SecretId: str) -> dict[str, str]:
        self.reads += 1
        return {"SecretString": self.held}


@pytest.mark.parametrize(
    ("held", "app"),
    [
        (SECRET, SlackApp(SECRET)),
        (json.dumps({"signing_secret": SECRET}), SlackApp(SECRET)),
        (json.dumps({"signing_secret": f" {SECRET}\n", "bot_token": TOKEN}), SlackApp(SECRET, TOKEN)),
    ],
)
def test_a_secret_is_read_once_in_five_minutes(held: str, app: SlackApp) -> None:
    session, now = Session(held), 0.0
    for now in (0.0, 299.0, 301.0):
        assert app_of("auditor/slack-app", session, lambda now=now: now) == app  # type: ignore[misc]
    assert session.reads == 2
    assert SECRET not in repr(app)


@pytest.mark.parametrize(
    "held",
    ["", " ", "{", "{}", '{"signing_secret": ""}', '{"signing_secret": 1}', "https://hooks.slack.com/services/T"],
)
def test_a_secret_that_holds_something_else_is_told_without_it(held: str) -> None:
    with pytest.raises(SlackFailed, match="holds no signing secret; accepted is the app's signing secret") as raised:
        app_of("auditor/slack-app", Session(held))
    assert "hooks" not in str(raised.value)


def test_a_name_that_is_none_is_told_by_its_setting() -> None:
    with pytest.raises(SlackFailed, match=r"^AUDITOR_SLACK_SIGNING_SECRET names no secret"):
        app_of("https://hooks.slack.com/x", Session(SECRET))
