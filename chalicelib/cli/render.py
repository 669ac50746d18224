"""What would be sent, shown and not sent: each notice as a channel would get it."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from chalicelib.cli.options import Channel
from chalicelib.errors import InvalidInput
from chalicelib.notices import sns
from chalicelib.notices.notice import Notice
from chalicelib.scope import partition_of


def rendered(notices: Sequence[Notice], channel: Channel) -> str:
    """The notices as the channel would get them, one after the other; JSON channels as a JSON list."""
    write = _RENDERERS[channel]
    if channel in (Channel.EMAIL, Channel.HTML):
        return "\n".join(str(write(notice)).rstrip() + "\n" for notice in notices)
    several: list[Any] = [write(notice) for notice in notices]
    if channel is Channel.SECURITY_HUB:
        several = [finding for one in several for finding in one]
    return json.dumps(several, indent=2, ensure_ascii=False) + "\n"


def _slack(notice: Notice) -> Any:
    from chalicelib.notices import slack

    return slack.payload(notice)


def _html(notice: Notice) -> Any:
    from chalicelib.notices import email

    return email.bodies(notice)[1]


def _text(notice: Notice) -> Any:
    return f"Subject: {notice.subject}\n\n{sns.text(notice)}"


def _security_hub(notice: Notice) -> Any:
    from chalicelib.notices import security_hub

    return [
        security_hub.asff(
            one, one.finding.account, one.finding.region, partition_of(one.finding.region), notice.finished_at
        )
        for one in notice.told
    ]


_RENDERERS: dict[Channel, Callable[[Notice], Any]] = {
    Channel.SLACK: _slack,
    Channel.EMAIL: _text,
    Channel.HTML: _html,
    Channel.CHAT: sns.chat,
    Channel.SECURITY_HUB: _security_hub,
}


def event_in(file: Path) -> dict[str, Any]:
    """The event in a file. Raises InvalidInput when it cannot be read or is no JSON object."""
    try:
        event = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise InvalidInput(f"{file} cannot be read: {error.strerror}; accepted is a file with an event") from None
    except ValueError as error:
        raise InvalidInput(f"{file} is not JSON ({error}); accepted is an event as EventBridge delivers it") from None
    if not isinstance(event, dict):
        raise InvalidInput(f"{file} holds no JSON object; accepted is an event as EventBridge delivers it")
    return event
