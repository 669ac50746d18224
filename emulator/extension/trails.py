"""CloudTrail: moto keeps no events, so that a look-up finds none, as for what happened more than 90 days ago."""

from __future__ import annotations

from typing import Any

from emulator.extension.registry import operation


@operation("cloudtrail", "LookupEvents")
def lookup_events(backend: Any, request: dict[str, Any]) -> dict[str, Any]:
    return {"Events": []}
