"""Teams: the card within its limits, and delivery to a server on loopback that answers as Teams and others do."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from chalicelib.notices.decide import preview
from chalicelib.notices.notice import Change
from chalicelib.notices.teams import MESSAGE_BYTES, Teams, TeamsFailed, message
from chalicelib.policy.policy import load_policy
from chalicelib.report.findings import Severity
from samples.notices import SAMPLES, a_notice, a_resource
from samples.notices import a_finding as of_resource
from tests.loopback import Quiet, serving
from tests.unit.test_notices import a_finding, a_report

Answer = tuple[int, dict[str, str], str]


class Workflow:
    """A workflow's webhook, which gives its answers one after the other, the last for ever."""

    def __init__(self) -> None:
        self.answers: list[Answer] = [(202, {}, "")]
        self.got: list[dict[str, Any]] = []
        workflow = self

        class Handler(Quiet):
            def do_POST(self) -> None:
                workflow.got.append(json.loads(self.body()))
                status, headers, body = workflow.answers.pop(0) if len(workflow.answers) > 1 else workflow.answers[0]
                self.answer(status, body, headers)

            do_GET = do_POST

        self.handler = Handler
        self.url = ""


@pytest.fixture
def workflow() -> Iterator[Workflow]:
    workflow = Workflow()
    with serving(workflow.handler) as address:
        workflow.url = f"{address}/workflows/SECRETPATH?sig=SECRETSIG"
        yield workflow


class Secrets:
    """A session whose Secrets Manager holds this."""

    def __init__(self, held: str) -> None:
        self.held, self.reads = held, 0

    def client(self, service: str, **_: Any) -> Any:
        return self

    def get_secret_value(self, SecretId: str) -> dict[str, str]:
        self.reads += 1
        return {"SecretString": self.held}


def pauses_of(workflow: Workflow, name: str = "finding-new") -> list[float]:
    """Delivers a notice. Gives the pauses that were made."""
    pauses: list[float] = []
    Teams("auditor/teams", Secrets(workflow.url), pauses.append).deliver(SAMPLES[name], a_report())
    return pauses


def card(made: dict[str, Any]) -> dict[str, Any]:
    (attachment,) = made["attachments"]
    assert (made["type"], attachment["contentType"]) == ("message", "application/vnd.microsoft.card.adaptive")
    content: dict[str, Any] = attachment["content"]
    assert (content["type"], content["version"]) == ("AdaptiveCard", "1.4")
    return content


def texts(value: Any) -> str:
    return json.dumps(card(value), ensure_ascii=False)


# ---- the card


@pytest.mark.parametrize("name", SAMPLES)
def test_every_notice_is_a_card_within_its_size(name: str) -> None:
    made = message(SAMPLES[name])
    assert len(json.dumps(made).encode()) <= MESSAGE_BYTES
    body = card(made)["body"]
    assert {element["type"] for element in body} <= {"TextBlock", "FactSet"}
    assert all(element["text"] for element in body if element["type"] == "TextBlock")
    assert body[0]["text"].startswith(SAMPLES[name].subject.partition("<")[0][:40])


def test_a_card_says_what_the_notice_says() -> None:
    finding = SAMPLES["finding-new"].only.finding
    shown = texts(message(SAMPLES["finding-new"]))
    for said in (finding.title, finding.summary, finding.why, finding.fix.text, finding.rule, "team-churn"):
        assert said in shown
    digest = SAMPLES["digest-full"]
    shown = texts(message(digest))
    for said in (digest.headline, "What matters most (4 of 6,071 open)", "and 4,812 more", "4 exempt"[:1]):
        assert said in shown
    assert card(message(digest))["actions"] == [
        {"type": "Action.OpenUrl", "title": "Open the report", "url": digest.report_url}
    ]


@pytest.mark.slow
@pytest.mark.parametrize("number", [60, 5000])
def test_a_card_of_any_account_is_within_its_size(number: int) -> None:
    severities = list(Severity)
    findings = [
        a_finding(each, severity=severities[each % 5], title="é" * 300, owner=f"team-{each % 40}")
        for each in range(number)
    ]
    report = a_report(*findings)
    (digest,) = preview(report, load_policy(), whole=True)
    assert len(json.dumps(message(digest)).encode()) <= MESSAGE_BYTES
    assert "more" in texts(message(digest))


def test_a_name_makes_no_link_and_no_mention() -> None:
    name = "[click](https://evil.example) <at>all</at> `x` @all"
    finding = of_resource(a_resource(name=name, console_url="javascript:alert(1)"), owner=name)
    made = message(a_notice(Change(change="new", finding=finding)))
    shown = texts(made)
    assert "](https" not in shown and "https://evil" not in shown and "<at>" not in shown
    assert "actions" not in card(made)


# ---- delivery


def test_a_notice_is_posted_once(workflow: Workflow) -> None:
    assert pauses_of(workflow) == []
    (got,) = workflow.got
    assert got == message(SAMPLES["finding-new"])


def test_a_rate_limit_is_waited_for_as_long_as_teams_asks(workflow: Workflow) -> None:
    workflow.answers = [(429, {"Retry-After": "7"}, ""), (429, {}, ""), (202, {}, "")]
    assert pauses_of(workflow) == [7.0, 1.0]
    assert len(workflow.got) == 3


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ((429, {"Retry-After": "3600"}, ""), r"^Teams asks to wait 3600 seconds \(rate limit\)"),
        ((429, {"Retry-After": "soon"}, ""), r"^Teams did not take the notice \(429\)$"),
        ((200, {"Content-Type": "text/html"}, "\n<!DOCTYPE html>"), r"^a web page answered in the place of Teams"),
        ((302, {"Location": "http://127.0.0.1:1/"}, ""), r"^Teams did not take the notice \(302\)$"),
        ((404, {}, "gone"), r"^Teams did not take the notice \(404\); the workflow was removed"),
        ((500, {}, "SECRETSIG"), r"^Teams did not take the notice \(500\)$"),
    ],
)
def test_what_teams_does_not_take_is_one_sentence_without_the_address(
    workflow: Workflow, answer: Answer, says: str
) -> None:
    workflow.answers = [answer]
    with pytest.raises(TeamsFailed, match=says) as raised:
        pauses_of(workflow)
    assert "SECRET" not in str(raised.value)
    assert len(workflow.got) == (3 if answer[1].get("Retry-After") == "soon" else 1)


def test_teams_that_is_away_is_one_sentence_without_the_address() -> None:
    with pytest.raises(TeamsFailed, match=r"^Teams cannot be reached \(ConnectionRefusedError\)$"):
        Teams("auditor/teams", Secrets("http://127.0.0.1:9/SECRET")).deliver(SAMPLES["finding-new"], a_report())


@pytest.mark.parametrize(
    "held", ["", "{", "{}", "ftp://x", "http://example.org/", "https://u:p@example.org/", "https:///x"]
)
def test_a_secret_that_holds_no_address_is_told_without_it(held: str) -> None:
    with pytest.raises(TeamsFailed, match="holds no address of a webhook") as raised:
        Teams("auditor/teams", Secrets(held)).deliver(SAMPLES["finding-new"], a_report())
    assert "example" not in str(raised.value)


def test_the_address_is_read_anew_after_five_minutes_and_when_it_is_refused(workflow: Workflow) -> None:
    secrets, moment = Secrets(json.dumps({"url": workflow.url})), [0.0]
    teams = Teams("auditor/teams", secrets, now=lambda: moment[0])
    for moment[0] in (1.0, 299.0, 302.0):
        teams.deliver(SAMPLES["finding-new"], a_report())
    assert secrets.reads == 2
    workflow.answers = [(410, {}, "")]
    for _ in range(2):
        with pytest.raises(TeamsFailed):
            teams.deliver(SAMPLES["finding-new"], a_report())
    assert secrets.reads == 3
