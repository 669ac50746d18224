"""Answers of people in Slack: ``POST /slack/actions``, signed by Slack.

A button is pressed or a dialog sent; the answer is written to the ledger as an exemption of that one finding, which
later audits read. Nothing in an audited account is written. What is wrong is said to the person in one sentence, in
Slack; to a request that Slack did not sign nothing is said but that. Follows
https://docs.slack.dev/authentication/verifying-requests-from-slack/ and
https://docs.slack.dev/reference/interaction-payloads/.
"""

import json
import logging
import re
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

from msgspec import Struct
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.signature import SignatureVerifier
from slack_sdk.webhook import WebhookClient

from chalicelib.errors import AuditorError, InvalidInput
from chalicelib.ledger.answers import Answers
from chalicelib.ledger.ledger import Ledger
from chalicelib.ledger.table import utc_now
from chalicelib.notices.mrkdwn import words
from chalicelib.notices.slack import buttons
from chalicelib.notices.slack.app_secret import SlackApp, app_of
from chalicelib.notices.slack.buttons import Asked
from chalicelib.report.findings import Exemption, Finding
from chalicelib.service import Service
from chalicelib.web.response import HttpResponse, failure

log = logging.getLogger(__name__)

#: Bytes of a request of Slack, and seconds that Slack is waited for: it waits three for its answer.
REQUEST_BYTES, SECONDS = 100_000, 1
#: slack_sdk writes addresses and tokens into its log.
_SILENT = logging.Logger("slack_sdk", level=logging.CRITICAL + 1)
#: Where answers may be sent.
_HOSTS = ("hooks.slack.com", "hooks.slack-gov.com")
FORGED = "the request is not signed by Slack, or is older than five minutes"
REPLAYED = "the request was answered before"


class Refused(AuditorError):
    """What the person asked for is not done; the message says why. ``field`` is the input of the dialog to blame."""

    def __init__(self, message: str, field: str = buttons.UNTIL) -> None:
        super().__init__(message)
        self.field = field


class _Clock:
    """The time as slack_sdk asks for it."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock

    def now(self) -> float:
        return self._clock().timestamp()


class Desk(Struct, frozen=True):
    """Who answers: the findings, the answers, the app in Slack, the longest exemption in days, and the time. ``slack``
    is the address of Slack's API, ``stand_in`` a place of tests beside Slack's own hosts."""

    ledger: Ledger
    answers: Answers
    app: SlackApp
    max_days: int
    clock: Callable[[], datetime] = utc_now
    slack: str = WebClient.BASE_URL
    stand_in: str = ""

    @property
    def today(self) -> date:
        return self.clock().date()


def post_action(service: Service, raw: bytes, headers: Mapping[str, str]) -> HttpResponse:
    """The answer to a request of Slack; 404 where no signing secret is configured."""
    secret, ledger = service.settings.slack_signing_secret, service.ledger
    if secret is None or ledger is None:
        return failure(
            404, "not_found", "nothing is answered in Slack here; AUDITOR_SLACK_SIGNING_SECRET switches it on"
        )
    app = app_of(secret, service.session)
    return answered(Desk(ledger, ledger.answers, app, service.policy.tag_exemptions.max_days), raw, headers)


def answered(desk: Desk, raw: bytes, headers: Mapping[str, str]) -> HttpResponse:
    """The answer to a request: 401 for one that Slack did not sign just now, 403 for one that came before."""
    if len(raw) > REQUEST_BYTES:
        return failure(400, "invalid_input", f"the request is too large; accepted are up to {REQUEST_BYTES:,} bytes")
    if not _signed(desk, raw, headers):
        return failure(401, "unauthorized", FORGED)
    lowered = {name.lower(): value for name, value in headers.items()}
    if not desk.answers.first_time(lowered["x-slack-signature"]):
        return failure(403, "forbidden", REPLAYED)
    payload = _payload(raw)
    if payload.get("type") == "block_actions":
        return _pressed(desk, payload)
    if payload.get("type") == "view_submission":
        return _submitted(desk, payload)
    raise InvalidInput("the request is no press of a button and no dialog; accepted are those", field="payload")


def _signed(desk: Desk, raw: bytes, headers: Mapping[str, str]) -> bool:
    verifier = SignatureVerifier(desk.app.signing_secret, _Clock(desk.clock))  # type: ignore[arg-type]
    try:
        return verifier.is_valid_request(raw, dict(headers))
    except (ValueError, TypeError):  # a time that is none, bytes that are no text
        return False


def _payload(raw: bytes) -> Mapping[str, Any]:
    try:
        payload = json.loads(parse_qs(raw.decode(), max_num_fields=10)["payload"][0])
    except (KeyError, ValueError, RecursionError):
        payload = None
    if not isinstance(payload, dict):
        raise InvalidInput("the request has no payload; accepted is what Slack sends", field="payload")
    return payload


# ---- a button


def _pressed(desk: Desk, payload: Mapping[str, Any]) -> HttpResponse:
    """Does what a button says, and tells the person in Slack how that went."""
    actions = payload.get("actions")
    action = actions[0] if isinstance(actions, list) and actions and isinstance(actions[0], dict) else {}
    url = _address(payload.get("response_url"), desk.stand_in)
    try:
        said = _done(desk, str(action.get("action_id")), Asked.of(action.get("value")), payload, url)
    except AuditorError as error:
        said = error.outside if not isinstance(error, Refused) else str(error)
        log.warning("an answer in Slack is not taken: %s", error)
    if said:
        _tell(url, said)
    return HttpResponse(200, {})


def _done(desk: Desk, action: str, asked: Asked | None, payload: Mapping[str, Any], url: str) -> str:
    """Does what a button says. Gives what to tell the person; empty where a dialog has opened."""
    if asked is None or action not in (buttons.WHY, buttons.SNOOZE, buttons.EXEMPT):
        raise Refused("This button is none of the auditor's: nothing was done.")
    finding = _finding(desk, asked)
    if action == buttons.WHY:
        return f"*{words(finding.title, 200)}*\n{words(finding.why, 1_200)}\n*Fix:* {words(finding.fix.text, 1_200)}"
    if action == buttons.SNOOZE:
        until = desk.today + timedelta(days=buttons.SNOOZE_DAYS)
        reason = f"snoozed for {buttons.SNOOZE_DAYS} days"
        return _exempted(desk, asked, finding, reason, finding.owner or _person(payload), until, _person(payload))
    _open(desk, asked, finding, payload, url)
    return ""


def _open(desk: Desk, asked: Asked, finding: Finding, payload: Mapping[str, Any], url: str) -> None:
    if not desk.app.bot_token:
        raise Refused("No dialog can be opened: the secret holds no bot_token. Exempt the finding in the policy.")
    view = buttons.dialog(asked, finding, url, desk.today, desk.max_days)
    client = WebClient(desk.app.bot_token, base_url=desk.slack, timeout=SECONDS, logger=_SILENT, retry_handlers=[])
    try:
        client.views_open(trigger_id=str(payload.get("trigger_id")), view=view)
    except SlackApiError as error:
        word = str(error.response.get("error", "unknown"))
        raise Refused(f"Slack did not open the dialog ({words(word, 60)}): press the button again.") from None
    except Exception as error:  # whatever it is, its text may hold the token
        raise Refused(f"Slack did not open the dialog ({type(error).__name__}): press the button again.") from None


# ---- the dialog


def _submitted(desk: Desk, payload: Mapping[str, Any]) -> HttpResponse:
    """Keeps the exemption that a dialog asks for; what is wrong with it is said at its input."""
    view = payload.get("view")
    sent: Mapping[str, Any] = view if isinstance(view, dict) else {}
    try:
        kept = json.loads(sent.get("private_metadata", ""))
        asked, url = Asked.of(kept["asked"]), _address(kept["response_url"], desk.stand_in)
    except (TypeError, KeyError, ValueError):
        asked, url = None, ""
    try:
        if sent.get("callback_id") != buttons.DIALOG or asked is None:
            raise Refused("This dialog is none of the auditor's: nothing was done.")
        owner, reason = _entered(sent, buttons.OWNER, "value"), _entered(sent, buttons.REASON, "value")
        for field, text, most in (
            (buttons.OWNER, owner, buttons.OWNER_LENGTH),
            (buttons.REASON, reason, buttons.REASON_LENGTH),
        ):
            if not text or len(text) > most:
                raise Refused(f"Accepted are 1 to {most} characters.", field)
        until = _day(desk, _entered(sent, buttons.UNTIL, "selected_date"))
        said = _exempted(desk, asked, _finding(desk, asked), reason, owner, until, _person(payload))
    except AuditorError as error:
        field, text = (error.field, str(error)) if isinstance(error, Refused) else (buttons.UNTIL, error.outside)
        log.warning("an answer in Slack is not taken: %s", error)
        return HttpResponse(200, {"response_action": "errors", "errors": {field: text}})
    _tell(url, said)
    return HttpResponse(200, {"response_action": "clear"})


def _entered(view: Mapping[str, Any], name: str, key: str) -> str:
    """What was entered into an input; empty for nothing."""
    value: Any = view.get("state")
    for step in ("values", name, name, key):
        value = value.get(step) if isinstance(value, dict) else None
    return value.strip() if isinstance(value, str) else ""


def _day(desk: Desk, text: str) -> date:
    """The last day of the exemption. Raises Refused for one that is past or too far ahead."""
    try:
        until = date.fromisoformat(text)
    except ValueError:
        raise Refused("Choose a day.") from None
    if until < desk.today:
        raise Refused(f"{until} is past: choose a day from {desk.today} on.")
    if until > desk.today + timedelta(days=desk.max_days):
        raise Refused(f"{until} is more than {desk.max_days} days ahead: choose an earlier day.")
    return until


# ---- what both do


def _finding(desk: Desk, asked: Asked) -> Finding:
    """The finding as the ledger has it. Raises Refused for one that is gone."""
    known = desk.ledger.known(asked.account, asked.region, [asked.id]).get(asked.id)
    if known is None or known.finding.status == "resolved":
        raise Refused("This finding is gone: there is nothing to answer any more.")
    return known.finding


def _exempted(desk: Desk, asked: Asked, finding: Finding, reason: str, owner: str, until: date, by: str) -> str:
    """Keeps an exemption. Gives what to tell the person."""
    exemption = Exemption(reason=reason, owner=owner, expires=until, source="slack", by=by)
    desk.answers.keep(asked.account, asked.region, asked.id, exemption)
    log.info("%s is exempt until %s by an answer in Slack", asked.id, until)
    return (
        f"{words(finding.resource.name, 100)}: {words(finding.title, 200)} is exempt until {until} "
        f"(owner {words(owner, 100)}, by {words(by, 100)}). Audits from now on count it as exempt."
    )


def _person(payload: Mapping[str, Any]) -> str:
    """Who pressed: the name and the id in Slack."""
    user = payload.get("user")
    known: Mapping[str, Any] = user if isinstance(user, dict) else {}
    name, id = str(known.get("username") or known.get("name") or ""), str(known.get("id", ""))
    return f"{name} ({id})"[:120] if name else (id or "somebody in Slack")[:120]


def _address(url: Any, stand_in: str) -> str:
    """The address to which Slack wants the answer; empty for any other place, to which nothing is sent."""
    if not isinstance(url, str) or not re.fullmatch(r"[\x21-\x7e]{1,2000}", url):
        return ""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    ours = parts.scheme == "https" and parts.netloc in _HOSTS
    return url if ours or (stand_in and parts.netloc == stand_in) else ""


def _tell(url: str, text: str) -> None:
    """Tells the person alone. What was done stays done where Slack does not take it."""
    if not url:
        return
    body = {"response_type": "ephemeral", "replace_original": False, "text": text}
    try:
        WebhookClient(url, timeout=SECONDS, logger=_SILENT, retry_handlers=[]).send_dict(body)
    except Exception as error:  # its text may hold the address, which is a secret
        log.warning("an answer in Slack is done, and could not be said: %s", type(error).__name__)
