"""The channels that take notices: one table for delivery, previews, the doctor and the roles of the functions.

A channel is a module of its own and a row here. Rows import their module when they are used, so that a process pays for
the channels that are switched on alone.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from botocore.config import Config
from msgspec import Struct, field

from chalicelib.report import telemetry
from chalicelib.scope import partition_of
from chalicelib.settings import Settings

if TYPE_CHECKING:
    import boto3

    from chalicelib.notices.notice import Notice
    from chalicelib.report.findings import Report

#: A channel that hangs must not use up the time of the others.
CLIENT = Config(connect_timeout=2, read_timeout=5, retries={"mode": "standard", "total_max_attempts": 3})
#: Of a publish whose answer is lost nobody knows whether it was taken: few tries, so that few copies come.
TOPIC_CLIENT = Config(connect_timeout=2, read_timeout=5, retries={"mode": "standard", "total_max_attempts": 2})

#: Takes a notice, and the report of which it tells. Raises an AuditorError when the channel does not take it.
Deliver = Callable[["Notice", "Report"], object]


class Sender(NamedTuple):
    """Who delivers: the settings, the auditor's own session, and its account and region, asked when they are needed."""

    settings: Settings
    session: "boto3.Session"
    account: Callable[[], str]
    region: Callable[[], str]


class Permission(NamedTuple):
    """What delivering needs in the role of a function: a statement's id, its actions, and the ARNs.

    ``in_account``: only what lies in the auditor's own account. ``in_stack``: the stack grants it, as it alone knows
    whose mail is sent.
    """

    sid: str
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    in_account: bool = False
    in_stack: bool = False


class Lookup(NamedTuple):
    """A read that tells whether what the settings name is there; ``region`` is empty where it is the audit's own."""

    subject: str
    service: str
    operation: str
    parameters: Mapping[str, Any]
    region: str = ""


class Channel(Struct, frozen=True):
    """One way to people. ``opened`` gives its delivery, None where the settings do not switch it on, and is None for a
    channel that listens to the findings topic. ``texts`` and ``documents`` show a notice as the channel gets it, by the
    name of the form: as text, or as a list of JSON values.
    """

    name: str
    permission: Permission
    lookup: Callable[[Settings], Lookup | None]
    opened: Callable[[Sender], Deliver | None] | None = None
    texts: Mapping[str, Callable[["Notice"], str]] = field(default_factory=dict)
    documents: Mapping[str, Callable[["Notice"], list[Any]]] = field(default_factory=dict)
    #: Whether people alone read it: what changed on one resource is one message then.
    people: bool = False


def operation_of(name: str) -> str:
    """What a channel calls, as its permission has it: ``sns:Publish``."""
    return next((channel.permission.actions[0] for channel in CHANNELS if channel.name == name), name)


def channels_of(sender: Sender) -> dict[str, Deliver]:
    """The deliveries that the settings switch on, by the channel's name, in the order of the table."""
    deliveries: dict[str, Deliver] = {}
    for channel in CHANNELS:
        deliver = channel.opened(sender) if channel.opened is not None else None
        if deliver is not None:
            delivery = logged(channel.name, deliver)
            deliveries[channel.name] = _as_people_read(delivery) if channel.people else delivery
    return deliveries


def _as_people_read(deliver: Deliver) -> Deliver:
    """The same delivery of what people are told: nothing of what another notice tells them."""

    def delivered(notice: "Notice", report: "Report") -> object:
        shown = notice.for_people
        return deliver(shown, report) if shown is not None else None

    return delivered


def logged(channel: str, deliver: Deliver) -> Deliver:
    """The same delivery, with a line in the log for each notice that the channel took or refused."""

    def delivered(notice: "Notice", report: "Report") -> object:
        try:
            answer = deliver(notice, report)
        except Exception as error:
            log_delivery(channel, notice, error)
            raise
        log_delivery(channel, notice)
        return answer

    return delivered


def log_delivery(channel: str, notice: "Notice", error: Exception | None = None) -> None:
    """One line in the log: a channel took a notice, or failed with this error."""
    telemetry.noticed(channel, notice.kind, notice.audit_id, notice.account, len(notice.told), error)


# ---- AWS Security Hub


def _security_hub(sender: Sender) -> Deliver | None:
    if not sender.settings.security_hub:
        return None
    from chalicelib.notices.security_hub import SecurityHub

    return SecurityHub(
        sender.account, sender.session.client("securityhub", region_name=sender.region(), config=CLIENT)
    ).deliver


def _as_security_hub_findings(notice: "Notice") -> list[Any]:
    from chalicelib.report.formats.asff import security_hub_finding

    return [
        security_hub_finding(
            change.finding,
            change.change,
            change.finding.account,
            change.finding.region,
            partition_of(change.finding.region),
            notice.finished_at,
        )
        for change in notice.told
    ]


# ---- e-mail through Amazon SES


def _email(sender: Sender) -> Deliver | None:
    settings = sender.settings
    if not settings.email_from or not settings.email_to:
        return None
    from chalicelib.notices.email import Email

    client = sender.session.client("sesv2", region_name=sender.region(), config=CLIENT)
    return Email(settings.email_from, settings.email_to, client).deliver


def _as_html(notice: "Notice") -> str:
    from chalicelib.notices.email import bodies

    return bodies(notice)[1]


def _sender_identity(settings: Settings) -> Lookup | None:
    if not settings.email_from:
        return None
    address = settings.email_from
    return Lookup(f"sender {address}", "sesv2", "GetEmailIdentity", {"EmailIdentity": address})


# ---- an EventBridge bus


def _bus_region(bus: str) -> str:
    """The region of a bus; empty for the auditor's own."""
    return bus.split(":")[3] if bus.startswith("arn:") else ""


def _bus(sender: Sender) -> Deliver | None:
    name = sender.settings.bus
    if name is None:
        return None
    from chalicelib.notices.bus import Bus

    region = _bus_region(name) or sender.region()
    return Bus(name, sender.session.client("events", region_name=region, config=CLIENT)).deliver


def _as_events(notice: "Notice") -> list[Any]:
    import json

    from chalicelib.notices.bus import entries

    return [
        {
            "source": entry["Source"],
            "detail-type": entry["DetailType"],
            "resources": entry["Resources"],
            "detail": json.loads(entry["Detail"]),
        }
        for entry in entries(notice, "")
    ]


def _bus_of(settings: Settings) -> Lookup | None:
    if not (bus := settings.bus):
        return None
    return Lookup(f"event bus {bus}", "events", "DescribeEventBus", {"Name": bus}, _bus_region(bus))


# ---- Microsoft Teams


def _teams(sender: Sender) -> Deliver | None:
    secret = sender.settings.teams_secret
    if secret is None:
        return None
    from chalicelib.notices.teams import Teams

    return Teams(secret, sender.session).deliver


def _as_teams_message(notice: "Notice") -> list[Any]:
    from chalicelib.notices import teams

    return [teams.message(notice)]


# ---- the findings topic


def _topic(sender: Sender) -> Deliver | None:
    arn = sender.settings.topic_arn
    if arn is None:
        return None
    from chalicelib.notices.sns import Topic

    return Topic(arn, sender.session.client("sns", region_name=arn.split(":")[3], config=TOPIC_CLIENT)).deliver


def _as_mail(notice: "Notice") -> str:
    from chalicelib.notices import sns

    return f"Subject: {notice.subject}\n\n{sns.text(notice)}"


def _as_chat(notice: "Notice") -> list[Any]:
    from chalicelib.notices.chat import chat

    return [chat(notice)]


def _topic_of(settings: Settings) -> Lookup | None:
    if not (arn := settings.topic_arn):
        return None
    return Lookup(f"topic {arn}", "sns", "GetTopicAttributes", {"TopicArn": arn}, arn.split(":")[3])


# ---- Slack, which listens to the topic


def _as_slack_message(notice: "Notice") -> list[Any]:
    from chalicelib.notices import slack

    return [slack.payload(notice)]


def _secret(secret: str | None) -> Lookup | None:
    """The look-up of a secret of Secrets Manager; None for what is none."""
    if not secret or secret.startswith("ssm:") or "://" in secret:
        return None
    region = secret.split(":")[3] if secret.startswith("arn:") else ""
    return Lookup(f"secret {secret}", "secretsmanager", "DescribeSecret", {"SecretId": secret}, region)


#: In the order of their delivery: the topic, to which others listen, comes first.
CHANNELS = (
    Channel(
        name="sns",
        permission=Permission("TellTheTopic", ("sns:Publish",), ("arn:*:sns:*:*:*auditor*",), in_account=True),
        lookup=_topic_of,
        opened=_topic,
        texts={"email": _as_mail},
        documents={"chat": _as_chat},
    ),
    Channel(
        name="security-hub",
        permission=Permission(
            "ImportFindings",
            ("securityhub:BatchImportFindings",),
            ("arn:*:securityhub:*:*:product/${aws:PrincipalAccount}/default",),
        ),
        lookup=lambda settings: (
            Lookup("Security Hub", "securityhub", "DescribeHub", {}) if settings.security_hub else None
        ),
        opened=_security_hub,
        documents={"security-hub": _as_security_hub_findings},
    ),
    Channel(
        name="email",
        people=True,
        permission=Permission(
            "SendMail", ("ses:SendEmail", "ses:SendRawEmail"), ("arn:*:ses:*:*:identity/*",), in_stack=True
        ),
        lookup=_sender_identity,
        opened=_email,
        texts={"html": _as_html},
    ),
    Channel(
        name="bus",
        permission=Permission(
            "PutEvents",
            ("events:PutEvents", "events:DescribeEventBus"),
            ("arn:*:events:*:*:event-bus/*",),
            in_stack=True,
        ),
        lookup=_bus_of,
        opened=_bus,
        documents={"bus": _as_events},
    ),
    Channel(
        name="teams",
        people=True,
        permission=Permission(
            "ReadTheTeamsWebhook",
            ("secretsmanager:GetSecretValue", "ssm:GetParameter"),
            ("arn:*:secretsmanager:*:*:secret:*auditor*", "arn:*:ssm:*:*:parameter/*auditor*"),
            in_stack=True,
        ),
        lookup=lambda settings: _secret(settings.teams_secret),
        opened=_teams,
        documents={"teams": _as_teams_message},
    ),
    Channel(
        name="slack",
        permission=Permission(
            "ReadTheWebhook",
            ("secretsmanager:GetSecretValue", "ssm:GetParameter"),
            ("arn:*:secretsmanager:*:*:secret:*auditor*", "arn:*:ssm:*:*:parameter/*auditor*"),
        ),
        lookup=lambda settings: _secret(settings.slack_secret),
        documents={"slack": _as_slack_message},
    ),
)
