"""The app in Slack that answers: its signing secret, and the token by which it opens dialogs."""

import json
import time
from collections.abc import Callable
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

from msgspec import Struct

from chalicelib.notices.secrets import secret_of
from chalicelib.notices.slack.delivery import KEPT, SlackFailed

SETTING = "AUDITOR_SLACK_SIGNING_SECRET"
ACCEPTED = (
    "accepted is the app's signing secret, as it is or as JSON with the key signing_secret and, for dialogs, bot_token"
)


class SlackApp(Struct, frozen=True):
    """What the secret holds. Without ``bot_token`` no dialog can be opened."""

    signing_secret: str
    bot_token: str = ""

    def __repr__(self) -> str:
        return "SlackApp()"  # it is secret


class _Known(NamedTuple):
    app: SlackApp
    until: float


_known: WeakKeyDictionary[Any, dict[str, _Known]] = WeakKeyDictionary()


def app_of(secret_name: str, session: Any, now: Callable[[], float] = time.monotonic) -> SlackApp:
    """The app, kept for five minutes in this process. Raises SlackFailed, without what the secret holds."""
    kept = _known.setdefault(session, {})
    if secret_name in kept and now() < kept[secret_name].until:
        return kept[secret_name].app
    secret = secret_of(secret_name, SETTING, SlackFailed)
    app = _app_in(secret.value(session))
    if app is None:
        raise SlackFailed(f"{secret.called} holds no signing secret; {ACCEPTED}")
    kept[secret_name] = _Known(app, now() + KEPT)
    return app


def _app_in(value: str) -> SlackApp | None:
    """What a secret holds, or None where that is no signing secret."""
    text = value.strip()
    if not text.startswith("{"):
        return SlackApp(text) if text and "://" not in text else None
    try:
        held = json.loads(text)
    except ValueError:
        return None
    secret, token = held.get("signing_secret"), held.get("bot_token", "")
    if not isinstance(secret, str) or not secret.strip() or not isinstance(token, str):
        return None
    return SlackApp(secret.strip(), token.strip())
