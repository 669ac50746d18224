"""CloudTrail's record of calls, which moto does not keep: it is asked for, and holds nothing."""

from __future__ import annotations

from typing import Any

from emulator.extension.registry import operation


@operation("cloudtrail", "LookupEvents")
def lookup_events(backend: Any, request: dict[str, Any]) -> dict[str, Any]:
    return {"Events": []}
