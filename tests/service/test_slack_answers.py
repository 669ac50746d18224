"""Answers in Slack: signed by Slack or refused, kept in the ledger, and read by every audit after."""

import hashlib
import hmac
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlencode

import pytest
from chalice.test import Client

import app as handlers
from chalicelib.ledger.answers import Answers
from chalicelib.ledger.ledger import Ledger
from chalicelib.ledger.table import TABLE
from chalicelib.notices.decide import decide
from chalicelib.notices.slack.app_secret import SlackApp
from chalicelib.notices.slack.buttons import DIALOG, EXEMPT, SNOOZE, WHY, Asked
from chalicelib.policy.policy import load_policy
from chalicelib.report.findings import Exemption, Finding
from chalicelib.report.known import Known, Resolution
from chalicelib.web.response import HttpResponse
from chalicelib.web.slack_answers import FORGED, REPLAYED, Desk, answered
from emulator.server import DEFAULT_ACCOUNT, DEFAULT_REGION, Emulator
from tests.conftest import NewService
from tests.loopback import Quiet, serving
from tests.service.test_audit import an_endpoint
from tests.unit.test_notices import a_finding, a_report

SECRET, TOKEN = "8f742231b10e8888abcd99yyyzzz85a5", "xoxb-not-a-token"
NOW = datetime(2026, 11, 22, 6, tzinfo=UTC)
FINDING = a_finding(1, account=DEFAULT_ACCOUNT, region=DEFAULT_REGION, owner="team-churn")
ASKED = Asked(DEFAULT_ACCOUNT, DEFAULT_REGION, FINDING.id)
TABLE_NAME = "auditor-ledger"


class Slack:
    """Slack on loopback: the response_url, and views.open; ``heard`` is what was said, ``views`` what was opened."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.views: list[dict[str, Any]] = []
        self.error = ""
        slack = self

        class Handler(Quiet):
            def do_POST(self) -> None:
                body = self.body()
                answer = "ok"
                if self.path.endswith("views.open"):
                    assert self.headers["Authorization"] == f"Bearer {TOKEN}"
                    if slack.error:
                        answer = json.dumps({"ok": False, "error": slack.error})
                    else:
                        slack.views.append(json.loads(body)["view"])
                        answer = json.dumps({"ok": True})
                else:
                    slack.heard.append(json.loads(body)["text"])
                self.answer(200, answer, {"Content-Type": "application/json"})

        self.handler = Handler
        self.place = ""

    @property
    def response_url(self) -> str:
        return f"http://{self.place}/actions/T1/2/3"


@pytest.fixture
def slack() -> Iterator[Slack]:
    slack = Slack()
    with serving(slack.handler) as address:
        slack.place = address.removeprefix("http://")
        yield slack


@pytest.fixture
def desk(emulator: Emulator, slack: Slack) -> Desk:
    """Who answers, with a ledger that knows one finding."""
    client = emulator.client("dynamodb")
    client.create_table(TableName=TABLE_NAME, **TABLE)
    ledger = Ledger(TABLE_NAME, client)
    ledger.write([Known(FINDING)])
    return Desk(
        ledger,
        Answers(TABLE_NAME, client, lambda: NOW),
        SlackApp(SECRET, TOKEN),
        90,
        lambda: NOW,
        f"http://{slack.place}/api/",
        slack.place,
    )


def signed(body: bytes, moment: datetime = NOW, secret: str = SECRET) -> dict[str, str]:
    """The headers of a request, signed as Slack signs."""
    timestamp = str(int(moment.timestamp()))
    digest = hmac.new(secret.encode(), f"v0:{timestamp}:".encode() + body, hashlib.sha256).hexdigest()
    return {"X-Slack-Request-Timestamp": timestamp, "X-Slack-Signature": f"v0={digest}"}


def form(payload: dict[str, Any]) -> bytes:
    return urlencode({"payload": json.dumps(payload)}).encode()


def pressed(slack: Slack, action: str, value: str = ASKED.value) -> bytes:
    """The press of a button."""
    return form(
        {
            "type": "block_actions",
            "user": {"id": "U1", "username": "jane"},
            "trigger_id": "1.2.3",
            "response_url": slack.response_url,
            "actions": [{"action_id": action, "value": value}],
        }
    )


def sent(slack: Slack, until: str, owner: str = "team-churn", reason: str = "a trial", asked: Asked = ASKED) -> bytes:
    """The dialog, filled in."""
    values = {
        "owner": {"owner": {"value": owner}},
        "reason": {"reason": {"value": reason}},
        "until": {"until": {"selected_date": until}},
    }
    metadata = json.dumps({"asked": asked.value, "response_url": slack.response_url})
    view = {"callback_id": DIALOG, "private_metadata": metadata, "state": {"values": values}}
    return form({"type": "view_submission", "user": {"id": "U1", "username": "jane"}, "view": view})


def ask(desk: Desk, body: bytes) -> HttpResponse:
    return answered(desk, body, signed(body))


def kept(desk: Desk) -> dict[str, Exemption]:
    return dict(desk.answers.of(DEFAULT_ACCOUNT, DEFAULT_REGION))


# ---- whose request it is


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-Slack-Signature": "v0=00"},
        {"X-Slack-Request-Timestamp": "soon", "X-Slack-Signature": "v0=00"},
        {"X-Slack-Request-Timestamp": str(int(NOW.timestamp())), "X-Slack-Signature": "v0=é"},
        signed(b"another body"),
        "another secret",
        "six minutes ago",
        "in six minutes",
    ],
)
def test_what_slack_did_not_sign_just_now_is_refused_and_does_nothing(desk: Desk, slack: Slack, headers: Any) -> None:
    body = pressed(slack, SNOOZE)
    moments = {"six minutes ago": -6, "in six minutes": 6}
    if isinstance(headers, str):
        late = NOW + timedelta(minutes=moments.get(headers, 0))
        headers = signed(body, late, "other" if headers not in moments else SECRET)
    answer = answered(desk, body, headers)
    assert (answer.status, answer.body["error"]["message"]) == (401, FORGED)
    assert kept(desk) == {} and slack.heard == []


def test_a_request_that_is_replayed_is_refused(desk: Desk, slack: Slack) -> None:
    body = pressed(slack, SNOOZE)
    assert ask(desk, body).status == 200
    again = ask(desk, body)
    assert (again.status, again.body["error"]["message"]) == (403, REPLAYED)
    assert len(slack.heard) == 1


def test_a_request_that_is_too_large_is_refused(desk: Desk) -> None:
    assert ask(desk, b"x" * 100_001).status == 400


# ---- the buttons


def test_why_says_why_and_the_fix_and_keeps_nothing(desk: Desk, slack: Slack) -> None:
    assert ask(desk, pressed(slack, WHY)).status == 200
    (said,) = slack.heard
    assert FINDING.title in said and "Because." in said and "*Fix:* Raise it." in said
    assert kept(desk) == {}


def test_a_snooze_is_an_exemption_for_a_week_by_who_pressed(desk: Desk, slack: Slack) -> None:
    ask(desk, pressed(slack, SNOOZE))
    exemption = kept(desk)[FINDING.id]
    assert exemption.model_dump(mode="json") == {
        "reason": "snoozed for 7 days",
        "owner": "team-churn",
        "expires": "2026-11-29",
        "source": "slack",
        "by": "jane (U1)",
    }
    assert "is exempt until 2026-11-29" in slack.heard[0]


def test_a_dialog_asks_who_why_and_until_when(desk: Desk, slack: Slack) -> None:
    ask(desk, pressed(slack, EXEMPT))
    (view,) = slack.views
    assert [block.get("block_id") for block in view["blocks"][1:]] == ["owner", "reason", "until"]
    assert len(view["private_metadata"]) <= 3_000 and len(view["title"]["text"]) <= 24
    assert slack.heard == [] and kept(desk) == {}


def test_a_dialog_that_slack_does_not_open_is_said(desk: Desk, slack: Slack) -> None:
    slack.error = "expired_trigger_id"
    ask(desk, pressed(slack, EXEMPT))
    assert slack.heard == ["Slack did not open the dialog (expired_trigger_id): press the button again."]


def test_a_finding_that_is_gone_is_said(desk: Desk, slack: Slack) -> None:
    known = desk.ledger.known(DEFAULT_ACCOUNT, DEFAULT_REGION, [FINDING.id])[FINDING.id]
    resolved = FINDING.model_copy(update={"status": "resolved", "resolved_at": NOW})
    desk.ledger.write([Known(resolved, version=known.version)])
    nowhere = Asked(DEFAULT_ACCOUNT, DEFAULT_REGION, "f-" + "0" * 20)
    for body in (pressed(slack, SNOOZE), pressed(slack, EXEMPT), pressed(slack, WHY, nowhere.value)):
        assert ask(desk, body).status == 200
    assert slack.heard == ["This finding is gone: there is nothing to answer any more."] * 3
    answer = ask(desk, sent(slack, "2026-12-24"))
    assert answer.body["response_action"] == "errors"
    assert "is gone" in answer.body["errors"]["until"]
    assert kept(desk) == {} and slack.views == []


@pytest.mark.parametrize("value", ["", "[]", "{}", '["1", "2", "3"]', "null", '[1, "eu-west-1", "f-1"]', "é" * 100])
def test_a_button_of_somebody_else_does_nothing(desk: Desk, slack: Slack, value: str) -> None:
    assert ask(desk, pressed(slack, SNOOZE, value)).status == 200
    assert slack.heard == ["This button is none of the auditor's: nothing was done."]


# ---- the dialog


def test_the_dialog_exempts_until_the_day_and_says_so(desk: Desk, slack: Slack) -> None:
    assert ask(desk, sent(slack, "2026-12-24")).body == {"response_action": "clear"}
    exemption = kept(desk)[FINDING.id]
    assert (exemption.reason, str(exemption.expires), exemption.by) == ("a trial", "2026-12-24", "jane (U1)")
    assert "is exempt until 2026-12-24 (owner team-churn, by jane (U1))" in slack.heard[0]


@pytest.mark.parametrize(
    ("wrong", "field", "says"),
    [
        ({"until": "2026-11-21"}, "until", "2026-11-21 is past: choose a day from 2026-11-22 on."),
        ({"until": "2027-02-21"}, "until", "2027-02-21 is more than 90 days ahead: choose an earlier day."),
        ({"until": "soon"}, "until", "Choose a day."),
        ({"until": "2026-12-24", "owner": " "}, "owner", "Accepted are 1 to 120 characters."),
        ({"until": "2026-12-24", "reason": "x" * 501}, "reason", "Accepted are 1 to 500 characters."),
    ],
)
def test_what_is_wrong_is_said_at_its_input(
    desk: Desk, slack: Slack, wrong: dict[str, Any], field: str, says: str
) -> None:
    answer = ask(desk, sent(slack, **wrong))
    assert answer.body == {"response_action": "errors", "errors": {field: says}}
    assert kept(desk) == {} and slack.heard == []


def test_nothing_is_sent_to_another_place(desk: Desk, slack: Slack) -> None:
    payload = json.loads(parse_qs(pressed(slack, SNOOZE).decode())["payload"][0])
    for url in ("http://169.254.169.254/", "https://evil.example/", "https://hooks.slack.com@evil.example/", None):
        assert ask(desk, form({**payload, "response_url": url})).status == 200
    assert slack.heard == []
    assert FINDING.id in kept(desk), "what was asked for is done all the same"


# ---- the route, and the audits after


def test_the_route_is_off_without_a_signing_secret(emulator: Emulator, direct_calls: None) -> None:
    handlers.service.cache_clear()
    with Client(handlers.app) as client:
        body = b"payload=%7B%7D"
        answer = client.http.post(
            "/slack/actions", body=body, headers={"Content-Type": "application/x-www-form-urlencoded", **signed(body)}
        )
    assert answer.status_code == 404


def test_an_answer_is_read_by_the_next_audit_and_ends_with_its_day(
    emulator: Emulator, new_service: NewService, slack: Slack, monkeypatch: pytest.MonkeyPatch
) -> None:
    an_endpoint(emulator, "alone", count=1)
    emulator.client("dynamodb").create_table(TableName=TABLE_NAME, **TABLE)
    secret = json.dumps({"signing_secret": SECRET, "bot_token": TOKEN})
    emulator.client("secretsmanager").create_secret(Name="auditor/slack-app", SecretString=secret)
    settings = {"table": TABLE_NAME, "slack_signing_secret": "auditor/slack-app"}
    new_service(**settings).on_schedule({})
    ledger = Ledger(TABLE_NAME, emulator.client("dynamodb"))
    open_ones = ledger.unresolved(DEFAULT_ACCOUNT, DEFAULT_REGION)
    chosen = next(id for id, known in open_ones.items() if known.finding.rule == "endpoint-single-instance")
    for name, value in settings.items():
        monkeypatch.setenv(f"AUDITOR_{name.upper()}", value)
    handlers.service.cache_clear()
    body = pressed(slack, SNOOZE, Asked(DEFAULT_ACCOUNT, DEFAULT_REGION, chosen).value)
    with Client(handlers.app) as client:
        headers = {"Content-Type": "application/x-www-form-urlencoded", **signed(body, datetime.now(UTC))}
        assert client.http.post("/slack/actions", body=body, headers=headers).status_code == 200
        forged = client.http.post("/slack/actions", body=body + b"x", headers=headers)
    assert forged.status_code == 401
    handlers.service.cache_clear()

    def audited() -> Finding:
        service = new_service(**settings)
        report = service.audit(service.scope(), "cli")
        (finding,) = [finding for finding in report.findings if finding.id == chosen]
        notes = [note for note in report.exemptions if note.source == "slack"]
        assert [note.by for note in notes] == ["jane (U1)"]
        assert notes[0].state == ("expiring" if finding.status == "exempt" else "expired")
        return finding

    finding = audited()
    assert (finding.status, finding.exemption and finding.exemption.source) == ("exempt", "slack")
    answers = Answers(TABLE_NAME, emulator.client("dynamodb"))
    assert finding.exemption is not None
    over = finding.exemption.model_copy(update={"expires": (datetime.now(UTC) - timedelta(days=1)).date()})
    answers.keep(DEFAULT_ACCOUNT, DEFAULT_REGION, chosen, over)
    assert audited().status == "open"


def test_its_end_is_told() -> None:
    over = Exemption(reason="a trial", owner="o", expires=NOW.date() - timedelta(days=1), source="slack", by="jane")
    was = FINDING.model_copy(update={"status": "exempt", "exemption": over, "last_seen": NOW - timedelta(days=2)})
    report = a_report(FINDING.model_copy(update={"exemption": over}))
    (change,) = decide(report, {FINDING.id: Known(was)}, Resolution(), load_policy()).changes
    assert change.change == "back"
