"""Notices in Slack, through an incoming webhook: from the findings topic to the channel.

A lost alert is a fault: what Slack cannot show in blocks goes out as plain text, and what cannot go out at all raises
SlackFailed, so that Lambda tries again and the dead-letter queue keeps the notice. The webhook's address is a secret:
it stands in no log record and in no exception.

Limits and markup follow https://docs.slack.dev/reference/block-kit/ and
https://docs.slack.dev/messaging/formatting-message-text/.
"""

import logging
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple
from urllib.error import URLError
from weakref import WeakKeyDictionary

import boto3
from pydantic import ValidationError
from slack_sdk.webhook import WebhookClient, WebhookResponse

from chalicelib.errors import AuditorError
from chalicelib.notices.channels import log_delivery
from chalicelib.notices.notice import Notice
from chalicelib.notices.secrets import accepted_names, secret_of, webhook_in
from chalicelib.notices.slack.blocks import payload, plain
from chalicelib.notices.slack.pieces import Block
from chalicelib.report import telemetry
from chalicelib.settings import Settings
from chalicelib.templating import clean

log = logging.getLogger(__name__)

Sleep = Callable[[float], None]


class SlackFailed(AuditorError):
    """A notice did not reach Slack, or the webhook's address cannot be had. Never holds the address."""

    def __init__(self, message: str, *, address_refused: bool = False) -> None:
        super().__init__(message)
        #: Slack no longer knows the address: it was revoked or replaced.
        self.address_refused = address_refused


# ---- the address of the webhook


class _Known(NamedTuple):
    url: str
    until: float


#: How long an address is kept, in seconds: a replaced secret is in use five minutes later.
KEPT = 300.0
_known: WeakKeyDictionary[boto3.Session, dict[str, _Known]] = WeakKeyDictionary()

SETTING = "AUDITOR_SLACK_SECRET"
_ACCEPTED_VALUES = (
    "accepted is an https address such as https://hooks.slack.com/services/…, as it is or as JSON with the key url or "
    "webhook_url"
)


def webhook_url(secret_name: str, session: boto3.Session, now: Callable[[], float] = time.monotonic) -> str:
    """The address of the webhook, kept for five minutes in this process.

    ``secret_name`` is the name or ARN of a secret in Secrets Manager, or ``ssm:`` with the name or ARN of a parameter
    in SSM Parameter Store. An ARN is read in its own region. ``now`` gives seconds that only grow.

    Raises SlackFailed, without the address, when there is no such secret, it cannot be read or holds something else.
    """
    kept = _known.setdefault(session, {})
    if secret_name in kept and now() < kept[secret_name].until:
        return kept[secret_name].url
    secret = secret_of(secret_name, SETTING, SlackFailed)
    url = webhook_in(secret.value(session))
    if url is None:
        raise SlackFailed(f"{secret.called} holds no address of a webhook; {_ACCEPTED_VALUES}")
    kept[secret_name] = _Known(url, now() + KEPT)
    return url


def forget(secret_name: str, session: boto3.Session) -> None:
    """Has the address read anew the next time."""
    _known.get(session, {}).pop(secret_name, None)


# ---- delivery

#: Seconds for one request; tries for one message; seconds spent in all on waiting as Slack asks for.
TIMEOUT, TRIES, PATIENCE = 10, 4, 20.0

#: slack_sdk writes the address into its log.
_SILENT = logging.Logger("slack_sdk", level=logging.CRITICAL + 1)


@dataclass
class _Sender:
    """Sends to one address, and waits where Slack asks for it, within a total."""

    url: str
    timeout: int
    sleep: Sleep
    patience: float = PATIENCE

    def send(self, body: Block) -> WebhookResponse:
        """The last answer to the message. Raises SlackFailed when there is none, or Slack asks for too much time."""
        for attempt in range(1, TRIES + 1):
            answer = self._posted(body)
            if answer.status_code != 429 or attempt == TRIES:
                break
            pause = _pause(answer.headers)
            if pause > self.patience:
                raise SlackFailed(f"Slack asks to wait {pause:g} seconds (rate limit), longer than one delivery may")
            self.patience -= pause
            self.sleep(pause)
        return answer

    def _posted(self, body: Block) -> WebhookResponse:
        client = WebhookClient(self.url, timeout=self.timeout, logger=_SILENT, retry_handlers=[])
        try:
            return client.send_dict(body)
        except Exception as error:
            # Whatever it is, its text may hold the address, so that only its kind is told.
            reason = error.reason if isinstance(error, URLError) else error
            problem = type(reason).__name__
        raise SlackFailed(f"Slack cannot be reached ({problem})")


def deliver(
    notice: Notice, url: str, *, timeout: int = TIMEOUT, sleep: Sleep = time.sleep, answerable: bool = False
) -> None:
    """Posts one notice to the webhook, with buttons where it is ``answerable``.

    A rate limit is waited for, ``sleep`` given seconds, 20 in all; a message whose blocks are refused is sent again as
    plain text. ``timeout`` is in seconds for one request.

    Raises SlackFailed, without the address, when the notice did not reach Slack.
    """
    sender = _Sender(url, timeout, sleep)
    answer = sender.send(payload(notice, answerable=answerable))
    if answer.status_code == 400 and re.search(r"block|attachment|payload|too_long|no_text", answer.body):
        log.warning("Slack refused the blocks of audit %s (%s); sent as text", _logged(notice.audit_id), _said(answer))
        answer = sender.send(plain(notice))
    if not _taken(answer):
        refused = answer.status_code in (403, 404, 410)
        advice = "; the webhook was revoked or replaced: put its new address into the secret" if refused else ""
        raise SlackFailed(f"Slack did not take the notice ({_said(answer)}){advice}", address_refused=refused)


def _pause(headers: Mapping[str, Any]) -> float:
    """The seconds that Slack asks to wait; one where it does not say it in seconds."""
    asked = {name.lower(): str(value) for name, value in headers.items()}.get("retry-after", "")
    return float(asked) if re.fullmatch(r"\d{1,9}", asked) else 1.0


def _taken(answer: WebhookResponse) -> bool:
    """Whether the message was taken. A web page is none of Slack's answers: the request was sent elsewhere."""
    page = answer.body.lstrip().startswith("<")
    return 200 <= answer.status_code < 300 and not page


def _said(answer: WebhookResponse) -> str:
    """The status with Slack's word for it; any other text may repeat the address."""
    word = answer.body.strip()
    return f"{answer.status_code} {word}" if re.fullmatch(r"[a-z_]{1,40}", word) else str(answer.status_code)


def deliver_event(
    event: Mapping[str, Any],
    settings: Settings,
    session: boto3.Session,
    *,
    timeout: int = TIMEOUT,
    sleep: Sleep = time.sleep,
) -> dict[str, int]:
    """Delivers the notices of an event from SNS, and answers how many were delivered and dropped.

    A record that is no notice is logged with its message id and dropped, as it would fail for ever. Raises SlackFailed
    when a notice did not reach Slack, after all the others were tried; SNS sends one record in an event.
    """
    notices, dropped = _notices(event)
    delivered, failure = 0, None
    for notice in notices:
        try:
            _deliver_by(settings, session, notice, timeout, sleep)
            delivered += 1
            log_delivery("slack", notice)
        except SlackFailed as error:
            failure = error
            log_delivery("slack", notice, error)
    if failure is not None:
        raise failure
    return {"delivered": delivered, "dropped": dropped}


def _deliver_by(settings: Settings, session: boto3.Session, notice: Notice, timeout: int, sleep: Sleep) -> None:
    secret = settings.slack_secret
    if secret is None:
        raise SlackFailed(f"{SETTING} is not set; {accepted_names(SETTING)}")
    try:
        url, answerable = webhook_url(secret, session), settings.slack_signing_secret is not None
        deliver(notice, url, timeout=timeout, sleep=sleep, answerable=answerable)
    except SlackFailed as error:
        if error.address_refused:
            forget(secret, session)
        raise


def _notices(event: Mapping[str, Any]) -> tuple[list[Notice], int]:
    """The notices in an event that people read, and how many of its records are none."""
    records = event.get("Records")
    notices, dropped = [], 0
    for record in records if isinstance(records, list) else [event]:
        notice = _notice_in(record)
        if notice is None:
            dropped += 1
        elif notice.part == 1 and (shown := notice.for_people) is not None:  # further parts are for programs
            notices.append(shown)
    return notices, dropped


def _notice_in(record: Any) -> Notice | None:
    envelope = record.get("Sns") if isinstance(record, Mapping) else None
    sent = envelope if isinstance(envelope, Mapping) else {}
    try:
        notice = Notice.model_validate_json(str(sent.get("Message", "")))
    except ValidationError:
        notice = None
    if notice is None or (notice.single and not notice.told):
        telemetry.dropped(_logged(str(sent.get("MessageId"))), "it is no notice")
        return None
    return notice


def _logged(text: str) -> str:
    """An id on its way into the log: on one line."""
    return clean(" ".join(text.split()))[:100]
