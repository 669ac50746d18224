"""What was left to the next sweep, in one line for people."""

from collections.abc import Iterable

from chalicelib.report.findings import Deferral


def left_in_words(deferred: Iterable[Deferral]) -> str:
    """``Left to the next sweep: inference components (19), alarms.``, or nothing where nothing was left."""
    parts: dict[str, int | None] = {}
    for deferral in deferred:
        known = parts.get(deferral.part, 0)
        whole = known is None or not deferral.resources
        parts[deferral.part] = None if whole else (known or 0) + len(deferral.resources)
    named = [part.replace("-", " ") + ("" if number is None else f" ({number:,})") for part, number in parts.items()]
    return f"Left to the next sweep: {', '.join(named)}." if named else ""
