"""Events as EventBridge delivers them, from ``tests/fixtures/events``."""

import json
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "fixtures" / "events"


def payload(name: str) -> dict[str, Any]:
    """The named event."""
    event: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    return event
