"""Delivery to Slack: a server on loopback stands in for Slack, the emulator for the stores of secrets."""

import json
import logging
import socket
import traceback
from collections.abc import Iterator
from dataclasses import dataclass, field
from threading import Event
from typing import Any

import boto3
import pytest

from chalicelib.notices import slack
from chalicelib.notices.notice import Change
from chalicelib.settings import Settings
from emulator.front import Front
from emulator.server import DEFAULT_ACCOUNT, DEFAULT_REGION, Emulator
from samples.notices import SAMPLES, a_finding, a_notice
from tests.loopback import Quiet, serving

PATH = "/services/T00000000/B00000000/s3cr3tS3cr3tS3cr3tS3cr3t"
ADDRESS = "https://hooks.slack.com" + PATH
NOTICE = SAMPLES["finding-new"]


@dataclass
class Answer:
    """What the stand-in says to one request; ``hangs`` keeps it waiting until the test is over."""

    status: int = 200
    body: str = "ok"
    headers: dict[str, str] = field(default_factory=dict)
    hangs: bool = False


OK = Answer()
INVALID_BLOCKS = Answer(400, "invalid_blocks")


def rate_limited(seconds: str | None) -> Answer:
    return Answer(429, "rate_limited", {} if seconds is None else {"Retry-After": seconds})


class StandIn:
    """A server that answers as told, one answer for each request and ``ok`` for all others, and keeps what it got."""

    def __init__(self) -> None:
        self.answers: list[Answer] = []
        self.received: list[dict[str, Any]] = []
        self.paths: list[str] = []
        self.over = Event()
        stand_in = self

        class Handler(Quiet):
            def do_POST(self) -> None:
                stand_in.received.append(json.loads(self.body()))
                stand_in.paths.append(self.path)
                answer = stand_in.answers.pop(0) if stand_in.answers else OK
                if answer.hangs:
                    stand_in.over.wait()
                    return
                self.answer(answer.status, answer.body, answer.headers)

            def do_GET(self) -> None:
                stand_in.paths.append(self.path)
                self.answer(200, "<!DOCTYPE html><html></html>")

        self.handler = Handler
        self.url = ""


@pytest.fixture
def stand_in(monkeypatch: pytest.MonkeyPatch) -> Iterator[StandIn]:
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "127.0.0.1")
    running = StandIn()
    with serving(running.handler) as address:
        running.url = address + PATH
        yield running
        running.over.set()


class Slept:
    """A sleep that only counts."""

    def __init__(self) -> None:
        self.pauses: list[float] = []

    def __call__(self, seconds: float) -> None:
        self.pauses.append(seconds)


def a_refusing_url() -> str:
    """An address at which nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    return f"http://127.0.0.1:{port}{PATH}"


# ---- one notice


def test_a_notice_is_posted_with_its_blocks(stand_in: StandIn) -> None:
    slack.deliver(NOTICE, stand_in.url)
    assert stand_in.received == [slack.payload(NOTICE)]
    assert stand_in.paths == [PATH]


@pytest.mark.parametrize("name", SAMPLES)
def test_every_kind_of_notice_is_posted(stand_in: StandIn, name: str) -> None:
    slack.deliver(SAMPLES[name], stand_in.url)
    assert stand_in.received == [slack.payload(SAMPLES[name])]


def test_a_rate_limit_is_waited_for_as_slack_asks(stand_in: StandIn) -> None:
    stand_in.answers = [rate_limited("3"), rate_limited("1"), OK]
    slept = Slept()
    slack.deliver(NOTICE, stand_in.url, sleep=slept)
    assert slept.pauses == [3, 1]
    assert len(stand_in.received) == 3


@pytest.mark.parametrize("said", [None, "", "soon", "-5", "Wed, 21 Oct 2026 07:28:00 GMT", "1.5"])
def test_a_rate_limit_without_seconds_waits_for_one(stand_in: StandIn, said: str | None) -> None:
    stand_in.answers = [rate_limited(said), OK]
    slept = Slept()
    slack.deliver(NOTICE, stand_in.url, sleep=slept)
    assert slept.pauses == [1]


def test_a_rate_limit_that_lasts_too_long_fails_without_waiting_for_it(stand_in: StandIn) -> None:
    stand_in.answers = [rate_limited("7"), rate_limited("14"), OK]
    slept = Slept()
    with pytest.raises(slack.SlackFailed, match="asks to wait 14 seconds"):
        slack.deliver(NOTICE, stand_in.url, sleep=slept)
    assert slept.pauses == [7]


def test_a_rate_limit_that_does_not_end_fails_after_four_tries(stand_in: StandIn) -> None:
    stand_in.answers = [rate_limited("1")] * 9
    slept = Slept()
    with pytest.raises(slack.SlackFailed, match=r"\(429 rate_limited\)"):
        slack.deliver(NOTICE, stand_in.url, sleep=slept)
    assert len(stand_in.received) == 4
    assert slept.pauses == [1, 1, 1]


@pytest.mark.parametrize(
    "refusal", ["invalid_blocks", "invalid_blocks_format", "invalid_attachments", "msg_blocks_too_long", "no_text"]
)
def test_refused_blocks_are_sent_again_as_text(
    stand_in: StandIn, refusal: str, caplog: pytest.LogCaptureFixture
) -> None:
    stand_in.answers = [Answer(400, refusal), OK]
    slack.deliver(NOTICE, stand_in.url)
    blocks, text = stand_in.received
    assert "blocks" in blocks
    assert text == slack.plain(NOTICE)
    assert "churn/AllTraffic serves all its traffic" in text["text"]
    assert f"refused the blocks of audit {NOTICE.audit_id} (400 {refusal})" in caplog.text


def test_a_rate_limit_before_and_after_refused_blocks_shares_one_patience(stand_in: StandIn) -> None:
    stand_in.answers = [rate_limited("11"), INVALID_BLOCKS, rate_limited("11")]
    slept = Slept()
    with pytest.raises(slack.SlackFailed, match="asks to wait 11 seconds"):
        slack.deliver(NOTICE, stand_in.url, sleep=slept)
    assert slept.pauses == [11]


def test_text_that_is_refused_as_well_fails(stand_in: StandIn) -> None:
    stand_in.answers = [INVALID_BLOCKS, INVALID_BLOCKS]
    with pytest.raises(slack.SlackFailed, match="400 invalid_blocks"):
        slack.deliver(NOTICE, stand_in.url)
    assert len(stand_in.received) == 2


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (Answer(500, "internal_error"), r"\(500 internal_error\)"),
        (Answer(503, "Service Unavailable: " + ADDRESS), r"\(503\)"),
        (Answer(400, "user_not_found"), r"\(400 user_not_found\)"),
        (Answer(403, "action_prohibited"), r"403 action_prohibited.*put its new address into the secret"),
        (Answer(404, "no_service"), r"404 no_service.*put its new address into the secret"),
        (Answer(410, "channel_is_archived"), r"410 channel_is_archived"),
        (Answer(200, "<html>a page</html>"), r"\(200\)"),
    ],
    ids=lambda answer: str(answer.status) if isinstance(answer, Answer) else "",
)
def test_any_other_answer_fails_at_once(stand_in: StandIn, answer: Answer, said: str) -> None:
    stand_in.answers = [answer]
    with pytest.raises(slack.SlackFailed, match=said):
        slack.deliver(NOTICE, stand_in.url, sleep=Slept())
    assert len(stand_in.received) == 1


def test_a_redirect_to_a_page_is_no_delivery(stand_in: StandIn) -> None:
    stand_in.answers = [Answer(302, "", {"Location": "/docs"})]
    with pytest.raises(slack.SlackFailed, match=r"did not take the notice \(200\)"):
        slack.deliver(NOTICE, stand_in.url)
    assert stand_in.paths == [PATH, "/docs"]


def test_a_server_that_does_not_answer_in_time_fails(stand_in: StandIn) -> None:
    stand_in.answers = [Answer(hangs=True)]
    with pytest.raises(slack.SlackFailed, match=r"cannot be reached \(TimeoutError\)"):
        slack.deliver(NOTICE, stand_in.url, timeout=1)
    assert len(stand_in.received) == 1


def test_a_refused_connection_fails() -> None:
    with pytest.raises(slack.SlackFailed, match=r"cannot be reached \(ConnectionRefusedError\)"):
        slack.deliver(NOTICE, a_refusing_url())


# ---- the secret


@pytest.fixture
def session(emulator: Emulator) -> boto3.Session:
    return emulator.session()


def keep_secret(emulator: Emulator, value: str, name: str = "auditor/slack", region: str = DEFAULT_REGION) -> str:
    """Keeps a secret in Secrets Manager; gives its ARN."""
    return str(emulator.client("secretsmanager", region).create_secret(Name=name, SecretString=value)["ARN"])


def keep_parameter(emulator: Emulator, value: str, name: str = "/auditor/slack") -> None:
    emulator.client("ssm").put_parameter(Name=name, Value=value, Type="SecureString")


@pytest.mark.parametrize(
    "value",
    [
        ADDRESS,
        f"  {ADDRESS}\n",
        json.dumps({"url": ADDRESS}),
        json.dumps({"webhook_url": ADDRESS, "channel": "#ml"}),
        json.dumps({"url": "", "webhook_url": f" {ADDRESS} "}, indent=2),
    ],
)
def test_the_address_stands_in_the_secret_as_it_is_or_as_json(
    emulator: Emulator, session: boto3.Session, value: str
) -> None:
    arn = keep_secret(emulator, value)
    keep_parameter(emulator, value)
    parameter_arn = f"arn:aws:ssm:{DEFAULT_REGION}:{DEFAULT_ACCOUNT}:parameter/auditor/slack"
    for name in ("auditor/slack", arn, "ssm:/auditor/slack", f"ssm:{parameter_arn}"):
        assert slack.webhook_url(name, session) == ADDRESS


def test_a_secret_of_another_region_is_read_there_by_its_arn(emulator: Emulator, session: boto3.Session) -> None:
    arn = keep_secret(emulator, ADDRESS, region="eu-central-1")
    assert slack.webhook_url(arn, session) == ADDRESS


@pytest.mark.parametrize(
    "url", ["https://chat.example.org/hooks/abc", "https://hooks.slack-gov.com" + PATH, "http://127.0.0.1:8080/x"]
)
def test_any_https_address_is_accepted_and_http_on_this_machine(
    emulator: Emulator, session: boto3.Session, url: str
) -> None:
    keep_secret(emulator, url)
    assert slack.webhook_url("auditor/slack", session) == url


@pytest.mark.parametrize(
    "value",
    [
        "xoxb-s3cr3t",
        "hooks.slack.com" + PATH,
        "http://hooks.slack.com" + PATH,
        "http://127.0.0.1@evil.example/s3cr3t",
        "http://127.0.0.1.evil.example/s3cr3t",
        "https://user:s3cr3t@hooks.slack.com/",
        "https:///s3cr3t",
        "https://hooks.slack.com:s3cr3t/",
        "https://[s3cr3t/",
        "ftp://hooks.slack.com/s3cr3t",
        f"{ADDRESS} {ADDRESS}",
        f"{ADDRESS}\n\n{ADDRESS}",
        "https://hooks.slack.com/é/s3cr3t",
        '{"url": ',
        '{"address": "s3cr3t"}',
        '{"url": ["s3cr3t"]}',
        '{"url": {"url": "s3cr3t"}}',
        '{"webhook_url": 5}',
    ],
)
def test_a_secret_that_holds_something_else_is_refused_without_repeating_it(
    emulator: Emulator, session: boto3.Session, value: str
) -> None:
    keep_secret(emulator, value)
    keep_parameter(emulator, value)
    for name in ("auditor/slack", "ssm:/auditor/slack"):
        with pytest.raises(slack.SlackFailed) as caught:
            slack.webhook_url(name, session)
        assert "holds no address of a webhook; accepted is an https address" in str(caught.value)
        assert "s3cr3t" not in text_of(caught.value)


def test_a_binary_secret_is_refused(emulator: Emulator, session: boto3.Session) -> None:
    emulator.client("secretsmanager").create_secret(Name="binary", SecretBinary=ADDRESS.encode())
    with pytest.raises(slack.SlackFailed, match="the secret binary of Secrets Manager holds no address"):
        slack.webhook_url("binary", session)


@pytest.mark.parametrize(
    ("name", "called"),
    [
        ("nowhere", "the secret nowhere of Secrets Manager"),
        ("ssm:/nowhere", "the parameter /nowhere of SSM Parameter Store"),
    ],
)
def test_a_missing_secret_says_what_would_be_accepted(session: boto3.Session, name: str, called: str) -> None:
    with pytest.raises(slack.SlackFailed) as caught:
        slack.webhook_url(name, session)
    assert f"{called} does not exist; accepted for AUDITOR_SLACK_SECRET are" in str(caught.value)


@pytest.mark.parametrize(
    ("name", "action"),
    [("auditor/slack", "secretsmanager:GetSecretValue"), ("ssm:/auditor/slack", "ssm:GetParameter")],
)
def test_a_secret_that_may_not_be_read_names_the_permission(
    front: Front, session: boto3.Session, name: str, action: str
) -> None:
    front.deny(action)
    with pytest.raises(slack.SlackFailed, match=rf"cannot be read \(AccessDeniedException\); needed are {action}"):
        slack.webhook_url(name, session)


def test_without_a_region_the_secret_cannot_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")
    with pytest.raises(slack.SlackFailed, match=r"cannot be read \(NoRegionError\)"):
        slack.webhook_url("auditor/slack", boto3.Session())


def test_the_address_is_kept_for_five_minutes(emulator: Emulator, front: Front, session: boto3.Session) -> None:
    keep_secret(emulator, ADDRESS)
    assert slack.webhook_url("auditor/slack", session, now=lambda: 1_000.0) == ADDRESS
    emulator.client("secretsmanager").put_secret_value(SecretId="auditor/slack", SecretString=ADDRESS + "2")
    assert slack.webhook_url("auditor/slack", session, now=lambda: 1_299.0) == ADDRESS
    assert front.calls["secretsmanager:GetSecretValue"] == 1
    assert slack.webhook_url("auditor/slack", session, now=lambda: 1_300.0) == ADDRESS + "2"


def test_a_failure_is_not_kept(emulator: Emulator, session: boto3.Session) -> None:
    with pytest.raises(slack.SlackFailed):
        slack.webhook_url("auditor/slack", session)
    keep_secret(emulator, ADDRESS)
    assert slack.webhook_url("auditor/slack", session) == ADDRESS


# ---- events of SNS


def an_event(*messages: str) -> dict[str, Any]:
    """An event as SNS hands it to a function."""
    return {
        "Records": [
            {"EventSource": "aws:sns", "Sns": {"MessageId": f"message-{number}", "Message": message}}
            for number, message in enumerate(messages)
        ]
    }


def machine(name: str) -> str:
    return json.dumps(SAMPLES[name].machine())


SLACK = Settings(slack_secret="auditor/slack")


@pytest.mark.parametrize("name", SAMPLES)
def test_each_kind_of_notice_arrives_from_the_topic(
    emulator: Emulator, session: boto3.Session, stand_in: StandIn, name: str
) -> None:
    keep_secret(emulator, stand_in.url)
    assert slack.deliver_event(an_event(machine(name)), SLACK, session) == {"delivered": 1, "dropped": 0}
    assert stand_in.received == [slack.payload(SAMPLES[name])]


def test_what_changed_on_one_resource_is_one_message(
    emulator: Emulator, session: boto3.Session, stand_in: StandIn
) -> None:
    keep_secret(emulator, stand_in.url)
    changes = [Change(change="new", finding=a_finding(rule=rule)) for rule in ("endpoint-idle", "endpoint-degraded")]
    carrier = a_notice(changes[0]).model_copy(update={"together": changes[1:]})
    carried = a_notice(changes[1]).model_copy(update={"told_with": changes[0].finding.id})
    messages = [json.dumps(notice.machine()) for notice in (carrier, carried)]
    assert slack.deliver_event(an_event(*messages), SLACK, session) == {"delivered": 1, "dropped": 0}
    assert stand_in.received == [slack.payload(a_notice(*changes, kind="digest", about="churn/AllTraffic"))]


def test_what_is_no_notice_is_dropped_and_the_others_are_delivered(
    emulator: Emulator, session: boto3.Session, stand_in: StandIn, caplog: pytest.LogCaptureFixture
) -> None:
    keep_secret(emulator, stand_in.url)
    event = an_event("SUBSCRIBE", machine("resolved"), "{}", machine("digest-clean"))
    assert slack.deliver_event(event, SLACK, session) == {"delivered": 2, "dropped": 2}
    assert stand_in.received == [slack.payload(SAMPLES["resolved"]), slack.payload(SAMPLES["digest-clean"])]
    assert "event dropped, id message-0: it is no notice" in caplog.text
    assert "event dropped, id message-2: it is no notice" in caplog.text
    assert "SUBSCRIBE" not in caplog.text


def test_a_notice_that_fails_fails_the_event_after_the_others_were_delivered(
    emulator: Emulator, session: boto3.Session, stand_in: StandIn
) -> None:
    keep_secret(emulator, stand_in.url)
    stand_in.answers = [Answer(500, "internal_error"), OK]
    with pytest.raises(slack.SlackFailed, match="500 internal_error"):
        slack.deliver_event(an_event(machine("finding-new"), machine("resolved")), SLACK, session)
    assert stand_in.received[1] == slack.payload(SAMPLES["resolved"])


def test_nothing_but_notices_has_the_secret_read(front: Front, session: boto3.Session) -> None:
    slack.deliver_event(an_event("no notice"), SLACK, session)
    assert front.calls["secretsmanager:GetSecretValue"] == 0


def test_several_events_read_the_secret_once(
    emulator: Emulator, front: Front, session: boto3.Session, stand_in: StandIn
) -> None:
    keep_secret(emulator, stand_in.url)
    for _ in range(3):
        slack.deliver_event(an_event(machine("resolved")), SLACK, session)
    assert front.calls["secretsmanager:GetSecretValue"] == 1


def test_an_address_that_was_replaced_is_read_anew(
    emulator: Emulator, session: boto3.Session, stand_in: StandIn
) -> None:
    keep_secret(emulator, stand_in.url + "-old")
    stand_in.answers = [OK, Answer(404, "no_service"), OK]
    event = an_event(machine("resolved"))
    slack.deliver_event(event, SLACK, session)
    emulator.client("secretsmanager").put_secret_value(SecretId="auditor/slack", SecretString=stand_in.url)
    with pytest.raises(slack.SlackFailed, match="no_service"):
        slack.deliver_event(event, SLACK, session)
    assert slack.deliver_event(event, SLACK, session) == {"delivered": 1, "dropped": 0}
    assert stand_in.paths == [PATH + "-old", PATH + "-old", PATH]


# ---- the address stays secret


def text_of(error: BaseException) -> str:
    """All that could be read of an exception, those before it included."""
    texts = ["".join(traceback.format_exception(error)), repr(error), str(error.args)]
    texts += [text_of(cause) for cause in (error.__cause__, error.__context__) if cause is not None]
    return "\n".join(texts)


@pytest.mark.parametrize(
    "answers",
    [
        [OK],
        [rate_limited("1"), OK],
        [rate_limited("100")],
        [INVALID_BLOCKS, OK],
        [INVALID_BLOCKS, Answer(500, f"no {PATH}")],
        [Answer(500, PATH)],
        [Answer(500, "ok", {"X-Address": PATH})],
        [Answer(404, PATH.lower())],
        [Answer(302, "", {"Location": PATH})],
        [Answer(302, "", {"Location": f"ftp://127.0.0.1{PATH}"})],
        [Answer(307, "", {"Location": PATH})],
        [Answer(hangs=True)],
    ],
)
def test_no_log_record_and_no_exception_holds_the_address(
    emulator: Emulator,
    session: boto3.Session,
    stand_in: StandIn,
    caplog: pytest.LogCaptureFixture,
    answers: list[Answer],
) -> None:
    keep_secret(emulator, stand_in.url)
    stand_in.answers = answers
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.INFO, "botocore")  # at its lowest level it writes down whatever AWS answers
    failure = ""
    try:
        slack.deliver_event(an_event(machine("finding-new")), SLACK, session, timeout=1, sleep=Slept())
    except slack.SlackFailed as error:
        failure = text_of(error)
    records = "\n".join(
        f"{record.getMessage()} {record.args} {record.exc_text} {record.exc_info}" for record in caplog.records
    )
    for part in (PATH, PATH.lower(), "s3cr3t", stand_in.url.removesuffix(PATH).rpartition(":")[2]):
        assert part not in failure
        assert part not in records


@pytest.mark.parametrize("url", [a_refusing_url(), "http://127.0.0.1:99999" + PATH], ids=["refused", "no port"])
def test_an_address_that_leads_nowhere_stays_secret_too(url: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with pytest.raises(slack.SlackFailed) as caught:
        slack.deliver(NOTICE, url, timeout=1)
    assert PATH not in text_of(caught.value)
    assert PATH not in caplog.text
