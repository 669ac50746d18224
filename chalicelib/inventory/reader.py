"""Reading one account and region: which calls, in which order, side by side, and what a failed one leaves unread.

A sweep reads by bulk operations (``Search``, lists, one ``DescribeSubnets``); a narrow scope reads the named resources
and what they rest on, never a list of the account. Both fill the same :class:`Inventory`.
"""

import logging
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from msgspec import Struct, field
from pydantic import ValidationError

from chalicelib.inventory.answers import PARALLEL_CALLS, CallFailed, Deferred, Gone, text, unreadable
from chalicelib.inventory.facts import Fact
from chalicelib.inventory.failures import LEFT_TO_SWEEP, Failure, Failures
from chalicelib.inventory.parts import OPERATIONS, Part, closure
from chalicelib.inventory.remembered import Memory, ProcessMemory
from chalicelib.kinds import Kind
from chalicelib.scope import Scope

if TYPE_CHECKING:  # whoever judges a template needs no SDK
    from chalicelib.inventory.allowance import BoundedDoor
    from chalicelib.inventory.aws import Aws
    from chalicelib.inventory.minutes import Reduction

log = logging.getLogger(__name__)

#: What reading a record raises that is not as AWS's model says. A ValidationError is a ValueError.
ODD = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)

F = TypeVar("F", bound=Fact)
T = TypeVar("T")
R = TypeVar("R")


class Needs(Struct, frozen=True):
    """What the enabled rules read: parts, and for each metric how many days back. Other parts cost no call.

    ``activity_pages`` are the pages of scaling activities that are read at most; None for what the scope takes.
    ``reduction`` is what becomes of the minutes of variants."""

    parts: frozenset[Part]
    metric_days: Mapping[str, int] = field(default_factory=dict)
    lookback_days: int = 30
    activity_hours: int = 24
    activity_pages: int | None = None
    recommendation_days: int = 180
    reduction: "Reduction | None" = None

    def __contains__(self, part: Part) -> bool:
        return part in self.parts

    @classmethod
    def of(cls, parts: Iterable[Part], **rest: Any) -> "Needs":
        """The needs for these parts together with everything that they rest on."""
        return cls(closure(frozenset(parts)), **rest)


#: Told as each stage of the reading goes on: stage, items done, items in all (None: not known yet).
Progress = Callable[[str, int, int | None], None]


def no_progress(stage: str, done: int, total: int | None) -> None:
    """The default: tells nobody."""


class Reader:
    """What all readers share: the door to AWS (where the calls have a ``bound``, that one), the pool, the clock, the
    memory, and the list of what could not be read."""

    #: Records a page of ``Search``, at most.
    SEARCH_PAGE = 100

    def __init__(
        self,
        aws: "Aws",
        scope: Scope,
        needs: Needs,
        now: datetime,
        progress: Progress = no_progress,
        memory: Memory | None = None,
        bound: "BoundedDoor | None" = None,
    ) -> None:
        self.bound = bound
        self.aws = bound or aws
        self.scope = scope
        self.needs = needs
        self.now = now
        self.gaps = Failures()
        self.progress = progress
        self.memory = memory or ProcessMemory()
        self._lock = threading.Lock()
        self._pool = ThreadPoolExecutor(PARALLEL_CALLS, thread_name_prefix="call")

    def close(self) -> None:
        """Ends the pool; calls that have not begun are dropped."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    @property
    def cutoff(self) -> datetime:
        """Jobs that last changed before this are outside the look-back window."""
        return self.now - timedelta(days=self.needs.lookback_days)

    def each(self, work: Callable[[T], R], items: Iterable[T]) -> list[R]:
        """``work`` for every item, side by side on the bounded pool, answers in the order of the items."""
        waiting = list(items)
        if len(waiting) < 2:
            return [work(item) for item in waiting]
        return list(self._pool.map(work, waiting))

    def later(self, work: Callable[[T], R], item: T) -> "Future[R]":
        """``work`` for one item on the bounded pool, and its answer when it has come."""
        return self._pool.submit(work, item)

    def blind_to(self, failure: CallFailed, part: Part | None, resource: str | None = None) -> None:
        """Notes a failed call, and that the part (or one resource of it) stays unread."""
        if isinstance(failure, Deferred) and part is not None:
            self.left_to_sweep(part, resource, failure.operation)
            return
        with self._lock:
            self.gaps.note(Failure(failure.operation, failure.code, failure.message, resource, part))

    def gone(self, gone: Gone, part: Part, resource: str) -> None:
        """Notes that AWS says that there is no such resource of a part."""
        with self._lock:
            self.gaps.note(Failure(gone.operation, gone.code, gone.message, resource, part, gone=True))

    def left_to_sweep(self, part: Part, resource: str | None = None, operation: str = LEFT_TO_SWEEP) -> None:
        """Notes that the part (or one resource of it) is left to the next sweep."""
        most = self.bound.most if self.bound is not None else 0
        reason = f"{part} are left to the next sweep, as an audit for this event makes {most} calls at most"
        with self._lock:
            self.gaps.note(Failure(operation, "", reason, resource, part, deferred=True))

    def afforded(self, part: Part, names: Iterable[str], *, cost: int = 1, keep: int = 0) -> list[str]:
        """Those of these resources of a part, from the first on, that can be read by ``cost`` calls each while ``keep``
        calls stay; the others are left to the next sweep. All of them where nothing bounds the calls."""
        wanted = list(dict.fromkeys(names))
        if self.bound is None:
            return wanted
        number = max(0, self.bound.calls_left - keep) // cost
        for name in wanted[number:]:
            self.left_to_sweep(part, name)
        return wanted[:number]

    def reserve(self, calls: int) -> None:
        """Keeps so many calls more for the tags that the end of the audit asks for."""
        if self.bound is not None:
            self.bound.reserved += calls

    def affords(self, calls: int) -> bool:
        """True where so many calls may be made."""
        return self.bound is None or calls <= self.bound.calls_left

    def whole(self, part: Part, read: Callable[[], R]) -> R | None:
        """What ``read`` gives, or None with the part noted as unread when a call fails.

        An answer that is odd in a way that nobody thought of leaves its part unread, too, and no other.
        """
        try:
            return read()
        except CallFailed as failure:
            self.blind_to(failure, part)
        except ODD as error:
            log.exception("the answers about %s cannot be understood", part)
            self.blind_to(unreadable(OPERATIONS[part][-1], f"its answers ({type(error).__name__})"), part)
        return None

    def describe(self, part: Part, operation: str, parameter: str, name: str) -> dict[str, Any] | None:
        """One SageMaker description, or None: noted as unread when the call failed, quietly when it is gone."""
        try:
            return self.aws.call("sagemaker", operation, **{parameter: name})
        except Gone as gone:
            self.gone(gone, part, name)
        except CallFailed as failure:
            self.blind_to(failure, part, name)
        return None

    def describe_each(self, part: Part, operation: str, parameter: str, names: Iterable[str]) -> list[dict[str, Any]]:
        """The descriptions of all these names that are still there, read side by side."""
        wanted = list(dict.fromkeys(names))
        done = 0

        def ask(name: str) -> dict[str, Any] | None:
            nonlocal done
            answer = self.describe(part, operation, parameter, name)
            with self._lock:
                done += 1
            self.progress(str(part), done, len(wanted))
            return answer

        return [answer for answer in self.each(ask, wanted) if answer is not None]

    def typed(self, part: Part, model: type[F], records: Iterable[Mapping[str, Any]], key: str = "") -> list[F]:
        """AWS's records as facts. One that cannot be understood is noted as unread under the name in its field ``key``;
        without a name the whole part is, so that it is never taken for absent."""
        records_read = []
        for record in records:
            try:
                records_read.append(model.model_validate(record))
            except ODD as error:
                problem = error.errors()[0]["loc"] if isinstance(error, ValidationError) else (type(error).__name__,)
                self.record_unread(part, ".".join(str(step) for step in problem) or "as a whole", text(record, key))
            else:
                if lacking := [path for path in model.essential if record.get(path) in (None, "")]:
                    records_read.pop()
                    self.record_unread(part, f"no {lacking[0]}", text(record, key))
        return records_read

    def record_unread(self, part: Part, problem: str, name: str = "", operation: str = "") -> None:
        """Notes a record that cannot be understood under its name; without one the whole part is unread, so that the
        record is never taken for absent."""
        failure = unreadable(operation or OPERATIONS[part][-1], f"a record cannot be understood ({problem})")
        self.blind_to(failure, part, name or None)

    def names(self, part: Part, operation: str, key: str, name_field: str, **parameters: Any) -> list[str]:
        """What a list of SageMaker's names in this field of its records."""
        return self.named_in(part, operation, self.aws.listing("sagemaker", operation, key, **parameters), name_field)

    def named_in(self, part: Part, operation: str, records: Iterable[Any], name_field: str) -> list[str]:
        """The names in this field of listed records. The part counts as unread where one has none."""
        names = [text(record, name_field) for record in records]
        if not all(names):
            self.record_unread(part, f"no {name_field}", operation=f"sagemaker:{operation}")
        return [name for name in names if name]

    def all(self, kind: Kind, model: type[F]) -> dict[str, F]:
        """Every resource of a plain kind by name, of jobs those that changed since the cutoff."""
        window = {"LastModifiedTimeAfter": self.cutoff} if kind.passing else {}
        names = self.names(Part(kind.part), kind.list_operation, kind.listed, kind.name_field, MaxResults=100, **window)
        return self.named(kind, model, names)

    def named(self, kind: Kind, model: type[F], names: Iterable[str]) -> dict[str, F]:
        """Those of the named resources of a plain kind that exist, by name."""
        part = Part(kind.part)
        answers = self.describe_each(part, kind.describe_operation, kind.name_field, names)
        facts = self.typed(part, model, answers, kind.name_field)
        return {fact.name: fact for fact in facts}  # type: ignore[attr-defined]

    def search(self, part: Part, resource: str, filters: list[dict[str, str]]) -> Iterator[list[dict[str, Any]]]:
        """The pages of a ``Search``, unwrapped to the records themselves; each has a name, or else the part counts as
        unread."""
        expression = {"SearchExpression": {"Filters": filters}} if filters else {}
        for page in self.aws.pages(
            "sagemaker", "Search", "Results", Resource=resource, MaxResults=self.SEARCH_PAGE, **expression
        ):
            records = [_unwrapped(record, resource) for record in page]
            named = [record for record in records if text(record, f"{resource}Name")]
            if len(named) < len(records):
                self.record_unread(part, f"no {resource}Name", operation="sagemaker:Search")
            yield named

    def search_failed(self, failure: CallFailed) -> None:
        """A failed ``Search`` leaves nothing unread, as lists and descriptions follow; a missing permission is told."""
        if failure.denied:
            with self._lock:
                if any(known.operation == failure.operation for known in self.gaps if known.blinds):
                    return
                message = f"{failure.message} (read by lists and descriptions instead)"
                self.gaps.note(Failure(failure.operation, failure.code, message))

    def tags(self, arn: str) -> dict[str, str] | None:
        """The tags of one SageMaker resource, or None when they could not be read."""
        if self.bound is not None:
            self.bound.reserved = max(0, self.bound.reserved - 1)
        try:
            listed = self.aws.listing("sagemaker", "ListTags", "Tags", ResourceArn=arn, MaxResults=50)
        except Gone:
            return {}
        except CallFailed as failure:
            self.blind_to(failure, Part.TAGS, arn)
            return None
        if not all(text(tag, "Key") for tag in listed):
            self.record_unread(Part.TAGS, "no Key", arn)
            return None
        return {tag["Key"]: text(tag, "Value") for tag in listed}


def _unwrapped(record: Any, resource: str) -> Any:
    """The record in a result of ``Search``; a model lies one step deeper."""
    inner = record.get(resource) if isinstance(record, Mapping) else None
    return inner["Model"] if resource == "Model" and isinstance(inner, Mapping) and "Model" in inner else inner


def since(moment: datetime, name: str = "LastModifiedTime") -> list[dict[str, str]]:
    """The search filter for records whose time ``name`` is at or after ``moment``."""
    return [{"Name": name, "Operator": "GreaterThanOrEqualTo", "Value": moment.strftime("%Y-%m-%dT%H:%M:%SZ")}]


def before(moment: datetime, name: str = "LastModifiedTime") -> list[dict[str, str]]:
    """The search filter for records whose time ``name`` is before ``moment``."""
    return [{"Name": name, "Operator": "LessThan", "Value": moment.strftime("%Y-%m-%dT%H:%M:%SZ")}]
