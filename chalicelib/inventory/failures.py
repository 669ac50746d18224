"""What could not be read: every call that failed, with the part or the resource that stays unread because of it."""

from collections.abc import Iterable, Iterator

from msgspec import Struct

from chalicelib.inventory.answers import cause_of
from chalicelib.inventory.facts import Missing, Unread
from chalicelib.inventory.parts import Part
from chalicelib.report.cause import Cause

#: The operation of a part that nobody asked for, and of what is left to the next sweep.
NOT_READ, LEFT_TO_SWEEP = "not read", "left to the next sweep"


class Failure(Struct, frozen=True):
    """Something that was not read, and what stood in the way.

    ``operation`` is ``service:Operation`` and ``code`` AWS's error code; empty where no call failed, as nothing was
    asked. ``part`` stays unread as a whole, or ``resource`` of it alone; without a part nothing does. ``gone``: the
    resource is not there (any more). ``deferred``: it is left to the next sweep.
    """

    operation: str
    code: str
    message: str
    resource: str | None = None
    part: Part | None = None
    gone: bool = False
    deferred: bool = False

    @property
    def reason(self) -> str:
        """The failure in words."""
        if not self.code:
            return self.message
        return f"{self.operation} failed: {self.code}" + (f": {self.message}" if self.message else "")

    @property
    def unread(self) -> Unread:
        """What is raised where something needs this."""
        return Unread(self.reason, self.operation, failure=self)

    @property
    def cause(self) -> Cause:
        """Why it was not read."""
        return cause_of(self.code)

    @property
    def blinds(self) -> bool:
        """True for a failed call, which reports tell: neither a resource that is gone nor a part that nobody asked
        for."""
        return bool(self.code) and not self.gone


class Failures:
    """All failures of one reading, in order, found by part and resource."""

    def __init__(self, failures: Iterable[Failure] = ()) -> None:
        self._all: list[Failure] = []
        self._by_place: dict[tuple[Part, str | None], Failure] = {}
        for failure in failures:
            self.note(failure)

    def __iter__(self) -> Iterator[Failure]:
        return iter(self._all)

    def note(self, failure: Failure) -> None:
        """Adds a failure. A resource whose description failed is not taken for gone by what comes later."""
        self._all.append(failure)
        if failure.part is None:
            return
        known = self._by_place.get((failure.part, failure.resource))
        if known is None or not failure.gone:
            self._by_place[failure.part, failure.resource] = failure

    def of(self, part: Part, resource: str | None = None) -> Failure | None:
        """Why a part as a whole, or a single resource of it, was not read; None when it was."""
        return self._by_place.get((part, resource))

    def hides(self, part: Part, resource: str) -> bool:
        """True for a resource whose description failed, so that it may well be there."""
        failure = self.of(part, resource)
        return failure is not None and not failure.gone

    @property
    def deferred(self) -> list[Failure]:
        """What is left to the next sweep."""
        return [failure for failure in self._all if failure.deferred]

    def gone(self, part: Part, resource: str) -> bool:
        """True where AWS said that there is no resource of this name."""
        failure = self.of(part, resource)
        return failure is not None and failure.gone

    def demand(self, part: Part, resource: str | None = None) -> None:
        """Raise Unread when the part, or the named resource of it, could not be read; Missing when AWS said that there
        is none of this name."""
        failure = self.of(part) or self.of(part, resource)
        if failure is None:
            return
        if failure.gone:
            raise Missing(f"{resource} of {part} was deleted; endpoint-dependency-missing tells it")
        raise failure.unread

    def demand_each(self, part: Part) -> None:
        """Raise Unread when the part, or the description of any resource of it, could not be read."""
        self.demand(part)
        for failed, resource in list(self._by_place):
            if failed is part and resource is not None and self.hides(part, resource):
                self.demand(part, resource)

    def hidden(self, part: Part) -> Unread | None:
        """Why the part, or any resource of it, could not be read; None where all of it was."""
        try:
            self.demand_each(part)
        except Unread as unread:
            return unread
        return None
