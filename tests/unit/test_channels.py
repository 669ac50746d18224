"""The table of channels: which of them the settings switch on, and that everybody who reads it sees the same."""

from typing import Any

import pytest

from chalicelib.cli.render import FORMS, rendered
from chalicelib.doctor.doctor import _outputs
from chalicelib.errors import InvalidInput
from chalicelib.ledger.claims import CLAIM_SECONDS
from chalicelib.notices.channels import CHANNELS, Sender, channels_of
from chalicelib.settings import Settings
from samples.notices import ACCOUNT, NOW, REGION, SAMPLES
from tests.unit.test_notices import a_report
from tools.permissions import FUNCTIONS

TOPIC = f"arn:aws:sns:us-east-1:{ACCOUNT}:auditor-findings"
ENDS = {"email_from": "auditor@example.org", "email_to": "ops@example.org"}


class Clients:
    """A session that notes the clients that are made, and what they are asked."""

    def __init__(self) -> None:
        self.made: list[tuple[str, str]] = []
        self.asked: list[str] = []
        self.configs: dict[str, Any] = {}

    def client(self, service: str, *, region_name: str, config: Any) -> Any:
        self.made.append((service, region_name))
        self.configs[service] = config
        return self

    def publish(self, **_: Any) -> dict[str, str]:
        self.asked.append("publish")
        return {"MessageId": "m-1"}

    def send_email(self, **_: Any) -> dict[str, str]:
        self.asked.append("send_email")
        return {"MessageId": "m-2"}


def opened(clients: Clients, **settings: Any) -> dict[str, Any]:
    sender = Sender(Settings(**settings), clients, lambda: ACCOUNT, lambda: REGION)
    return channels_of(sender)


@pytest.mark.parametrize(
    ("settings", "names"),
    [
        ({}, []),
        ({"email_from": "auditor@example.org"}, []),
        ({"email_to": "ops@example.org"}, []),
        (ENDS, ["email"]),
        ({"topic_arn": TOPIC}, ["sns"]),
        ({"security_hub": True}, ["security-hub"]),
        ({"slack_secret": "auditor/slack"}, []),
        ({"bus": "findings"}, ["bus"]),
        ({"bus": "findings", "teams_secret": "auditor/teams"}, ["bus", "teams"]),
        ({"topic_arn": TOPIC, "security_hub": True, **ENDS}, ["sns", "security-hub", "email"]),
    ],
)
def test_a_channel_is_opened_where_it_is_switched_on(settings: dict[str, Any], names: list[str]) -> None:
    clients = Clients()
    assert list(opened(clients, **settings)) == names
    assert len(clients.made) == len([name for name in names if name != "teams"]), "its secret is read when needed"


def test_the_topic_is_published_to_in_its_own_region() -> None:
    clients = Clients()
    opened(clients, topic_arn=TOPIC)
    assert clients.made == [("sns", "us-east-1")]


def test_events_are_put_in_the_region_of_their_bus() -> None:
    clients = Clients()
    opened(clients, bus=f"arn:aws:events:eu-north-1:{ACCOUNT}:event-bus/findings")
    opened(clients, bus="findings")
    assert clients.made == [("events", "eu-north-1"), ("events", REGION)]


def test_no_channel_is_waited_for_as_long_as_a_claim_holds() -> None:
    clients = Clients()
    opened(clients, topic_arn=TOPIC, security_hub=True, bus="findings", **ENDS)
    assert clients.configs.keys() == {"sns", "securityhub", "sesv2", "events"}
    for config in clients.configs.values():
        attempts = config.retries["total_max_attempts"]
        assert 3 * attempts * (config.connect_timeout + config.read_timeout) < CLAIM_SECONDS
    assert clients.configs["sns"].retries["total_max_attempts"] == 2


def test_every_channel_takes_a_notice_and_its_report() -> None:
    clients = Clients()
    notice = SAMPLES["finding-new"]
    report = a_report(started_at=NOW, finished_at=NOW)
    for deliver in opened(clients, topic_arn=TOPIC, **ENDS).values():
        deliver(notice, report)
    assert clients.asked == ["publish", "send_email"]


def test_a_hub_takes_no_notices_of_other_accounts(caplog: pytest.LogCaptureFixture) -> None:
    (deliver,) = opened(Clients(), security_hub=True).values()
    with caplog.at_level("INFO", "chalicelib"):
        deliver(SAMPLES["finding-new"].model_copy(update={"account": "210987654321"}), a_report())
    assert "its own Security Hub alone takes them" in caplog.text


def test_every_form_of_every_channel_can_be_shown() -> None:
    forms = FORMS.split("|")
    assert forms == sorted({form for channel in CHANNELS for form in (*channel.texts, *channel.documents)})
    for form in forms:
        assert SAMPLES["finding-new"].only.finding.title in rendered([SAMPLES["finding-new"]], form)


def test_a_form_that_is_none_is_refused_before_anything_is_audited() -> None:
    from chalicelib.cli.options import known_form

    with pytest.raises(InvalidInput, match="accepted are bus, chat, email, html, security-hub, slack, teams"):
        known_form("fax")


def test_the_roles_allow_what_each_channel_needs() -> None:
    for channel in CHANNELS:
        role = "audit_on_schedule" if channel.opened is not None else "deliver_to_slack"
        if channel.permission.in_stack:
            continue  # its resources follow from a parameter: test_infra reads the stack
        allowed = {statement["Sid"]: statement["Action"] for statement in FUNCTIONS[role]}
        assert allowed[channel.permission.sid] == sorted(channel.permission.actions), channel.name


def test_the_doctor_looks_up_what_each_channel_names() -> None:
    settings = Settings(
        topic_arn=TOPIC,
        security_hub=True,
        slack_secret="auditor/slack",
        teams_secret="auditor/t",
        bus="findings",
        **ENDS,
    )
    subjects = [lookup.subject for lookup in _outputs(settings)]
    assert subjects == [
        f"topic {TOPIC}",
        "Security Hub",
        "sender auditor@example.org",
        "event bus findings",
        "secret auditor/t",
        "secret auditor/slack",
    ]
    assert _outputs(Settings()) == []
