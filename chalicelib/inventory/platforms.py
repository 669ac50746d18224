"""The operating systems under notebook instances and endpoints: ``policies/data/platforms.yaml``, with its sources."""

import functools
from datetime import date

from msgspec import Struct

from chalicelib.tables import read_facts


class Platform(Struct, frozen=True):
    """An operating system, by how its identifiers begin: the last day on which AWS mends it, and the identifier to move
    to, where there is one."""

    begins: str
    system: str
    ends: date
    successor: str | None


@functools.cache
def platforms() -> tuple[Platform, ...]:
    """All that are known, those with the closer beginning first."""
    rows = read_facts("platforms.yaml")["platforms"]
    return tuple(
        Platform(row["begins"], row["system"], date.fromisoformat(row["ends"]), row.get("successor")) for row in rows
    )


def platform_of(identifier: str) -> Platform | None:
    """The platform behind a ``PlatformIdentifier`` or an ``InferenceAmiVersion``; None for one that is not known."""
    return next((platform for platform in platforms() if identifier.startswith(platform.begins)), None)
