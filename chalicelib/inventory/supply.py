"""What AWS would give when more is asked for: quotas of instances."""

from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, Protocol

from chalicelib.inventory import uses
from chalicelib.inventory.estate import Inventory
from chalicelib.inventory.facts import Fact
from chalicelib.inventory.kinds import quotas
from chalicelib.inventory.kinds.quotas import ServiceQuota
from chalicelib.inventory.parts import Part
from chalicelib.inventory.reader import Reader


class Start(Protocol):
    """Begins the reading of a part beside all others; what comes is None where it is not needed or a call fails."""

    def __call__(self, part: Part, read: Callable[[], Any], /) -> "Future[Any]": ...


def begin(reader: Reader, start: Start) -> Callable[[Inventory], None]:
    """Begins to read what the sweep of an account reads of it; what comes back puts that into an inventory in which
    endpoints stand already."""
    quotas_read = start(Part.QUOTAS, lambda: quotas.endpoint_quotas(reader))

    def finish(estate: Inventory) -> None:
        listed: dict[str, Fact] | None = quotas_read.result()
        if listed is not None:
            types = {type for variant in uses.variants(estate) for type in uses.types_of(variant)}
            estate.others = {**estate.others, ServiceQuota.kind: quotas.with_unlisted(listed, types)}

    return finish
