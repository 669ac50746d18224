"""What would be sent, shown and not sent: each notice as a channel would get it."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from chalicelib.errors import InvalidInput
from chalicelib.input.bounds import EVENT_BYTES, TooLarge
from chalicelib.input.reading import read_bytes, read_json
from chalicelib.notices.channels import CHANNELS
from chalicelib.notices.notice import Notice

_TEXTS = {name: write for channel in CHANNELS for name, write in channel.texts.items()}
_DOCUMENTS = {name: write for channel in CHANNELS for name, write in channel.documents.items()}
#: The forms in which notices can be shown, as the options name them.
FORMS = "|".join(sorted({*_TEXTS, *_DOCUMENTS}))


def rendered(notices: Sequence[Notice], form: str) -> str:
    """The notices in one of :data:`FORMS`, one after the other; those of JSON as one JSON list."""
    if form in _TEXTS:
        return "\n".join(_TEXTS[form](notice).rstrip() + "\n" for notice in notices)
    documents = [document for notice in notices for document in _DOCUMENTS[form](notice)]
    return json.dumps(documents, indent=2, ensure_ascii=False) + "\n"


def event_in(file: Path) -> dict[str, Any]:
    """The event in a file. Raises InvalidInput when it cannot be read or is no JSON object."""
    try:
        event = read_json(read_bytes(file, EVENT_BYTES))
    except TooLarge as error:
        raise InvalidInput(f"{file}: {error}; accepted is an event as EventBridge delivers it") from None
    except OSError as error:
        raise InvalidInput(f"{file} cannot be read: {error.strerror}; accepted is a file with an event") from None
    except ValueError as error:
        raise InvalidInput(f"{file} is not JSON ({error}); accepted is an event as EventBridge delivers it") from None
    if not isinstance(event, dict):
        raise InvalidInput(f"{file} holds no JSON object; accepted is an event as EventBridge delivers it")
    return event
