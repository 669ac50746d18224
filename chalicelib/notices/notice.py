"""What leaves the auditor: one notice for a change, one digest for a sweep. Every channel renders this, nothing else.

A notice is also its own machine form: what ``sqs`` and ``lambda`` subscribers receive is its JSON, and a function on
the topic reads it back.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal

from msgspec import Struct
from pydantic import BaseModel, ConfigDict, Field

from chalicelib.notices.first_page import Important, OwnerCount
from chalicelib.notices.mrkdwn import number_of
from chalicelib.report.calendar import CalendarEntry
from chalicelib.report.findings import BlindSpot, ExemptionNote, Finding, Moment, Severity, root_arn
from chalicelib.report.findings import ChangeKind as ChangeKind
from chalicelib.report.money import Totals
from chalicelib.templating import clean

#: Changes that are news: what was not open, or not so bad, when it was told last.
NEWS = ("new", "worse", "back")
#: Characters of a subject.
SUBJECT = 99

#: How each change is announced before a title.
WORDS: dict[ChangeKind, str] = {
    "new": "New",
    "worse": "Worse",
    "back": "Back",
    "reminder": "Still open",
    "resolved": "Resolved",
}


class Kept(Struct, frozen=True):
    """Where a report can be read. ``url`` opens it, None without an address for it; ``note`` is what a person must know
    of the link; ``lost`` says why there is no page of it, empty where there is."""

    url: str | None = None
    note: str = ""
    lost: str = ""


#: A report that is kept nowhere.
NOWHERE = Kept()


class _Contract(BaseModel):
    model_config = ConfigDict(frozen=True, defer_build=True, extra="ignore")


class Change(_Contract):
    """A finding that is told, and why now.

    ``before`` is the severity told last, where it got worse; ``away_days`` how long it was resolved, where it is back.
    """

    change: ChangeKind
    finding: Finding
    before: Severity | None = None
    away_days: float | None = None


class Notice(_Contract):
    """One message to everybody: ``finding`` or ``resolved`` for one change of an event, ``health`` for what
    AWS Health says, ``digest`` for many changes or a sweep, ``run`` for a run of which some parts
    were not read.

    ``severity`` is the highest that is still open, told now or before (of a single change, its finding's). ``told`` is
    worst first; ``omitted`` counts the changes that this notice does not hold, and ``totals`` then counts all by
    severity; ``omitted_blind_spots``, ``omitted_exemptions`` and ``omitted_calendar`` count those that it does not
    hold. ``savings`` says in a digest what the findings of the audit come to in money, ``money`` in numbers, without
    their parts; where prices are on. ``calendar`` lists what ends within 30 days. A digest for
    programs comes in ``parts`` that together hold everything; this is number ``part`` of them. ``still_open``
    counts what is open and was told before, by severity. ``report_url`` leads to everything, where there is an address
    for it, and ``report_note`` says what to know of that link: who can open it, and for how long. Of a sweep's digest
    ``headline`` says all of it in a sentence, ``most_important`` names the first ten of all that is open, told now or
    before, and ``by_owner`` counts that for the first ten owners (``omitted_owners`` counts the others). Where an
    event changed several findings of one resource, the first notice of them holds the other changes (``together``), and
    the others name the finding that it tells (``told_with``); ``about`` is that resource's name where people read them
    as one.
    """

    schema_version: Literal[1] = 1
    kind: Literal["finding", "resolved", "digest", "health", "run"]
    audit_id: str
    trigger: str
    account: str
    region: str
    severity: Severity
    complete: bool
    finished_at: Moment
    health: str
    headline: str = Field(default="", exclude_if=lambda words: not words)
    most_important: list[Important] = Field(default=[], exclude_if=lambda listed: not listed)
    by_owner: list[OwnerCount] = Field(default=[], exclude_if=lambda counts: not counts)
    omitted_owners: int = Field(default=0, exclude_if=lambda number: not number)
    about: str = Field(default="", exclude_if=lambda name: not name)
    savings: str = Field(default="", exclude_if=lambda words: not words)
    money: Totals | None = Field(default=None, exclude_if=lambda totals: totals is None)
    told: list[Change] = []
    together: list[Change] = Field(default=[], exclude_if=lambda changes: not changes)
    told_with: str = Field(default="", exclude_if=lambda finding: not finding)
    part: int = 1
    parts: int = 1
    omitted: int = 0
    totals: dict[str, int] | None = None
    still_open: dict[str, int] = {}
    exempt: int = 0
    observed: int = 0
    blind_spots: list[BlindSpot] = []
    omitted_blind_spots: int = 0
    exemptions: list[ExemptionNote] = []
    omitted_exemptions: int = 0
    calendar: list[CalendarEntry] = []
    omitted_calendar: int = 0
    report_url: str | None = None
    report_note: str = Field(default="", exclude_if=lambda words: not words)

    @property
    def single(self) -> bool:
        """True where it tells one change."""
        return self.kind not in ("digest", "run")

    @property
    def for_people(self) -> "Notice | None":
        """As people read it: the first notice of what changed on a resource tells all of it, and the others nothing."""
        if self.told_with:
            return None
        if not self.together:
            return self
        changes = [*self.told, *self.together]
        names = {change.finding.resource.name for change in changes}
        about = names.pop() if len(names) == 1 else root_arn(changes[0].finding).rpartition("/")[2]
        severities = [change.finding.severity for change in changes if change.change != "resolved"]
        worst = max(severities, key=lambda severity: severity.rank, default=Severity.INFO)
        made = {"kind": "digest", "told": changes, "together": [], "about": about, "severity": worst}
        return self.model_copy(update=made)

    @property
    def only(self) -> Change:
        """The one change of a notice that tells one."""
        return self.told[0]

    @property
    def changes(self) -> list[tuple[ChangeKind, list[Change]]]:
        """What is told, grouped by why, in the order in which people want to read it; empty groups left out."""
        order: list[ChangeKind] = ["new", "worse", "back", "reminder", "resolved"]
        groups = [(kind, [change for change in self.told if change.change == kind]) for kind in order]
        return [(kind, changes) for kind, changes in groups if changes]

    @property
    def by_severity(self) -> dict[str, int]:
        """How many findings are told at each severity, worst first, without the zeros and the resolved."""
        if self.totals is not None:
            return self.totals
        return counted(change.finding.severity for change in self.told if change.change != "resolved")

    @property
    def subject(self) -> str:
        """One line of printable ASCII, at most 99 characters, as SNS takes for any e-mail subject. A digest's keeps its
        counts, wherever it is from."""
        if self.single:
            kind, finding = self.only.change, self.only.finding
            severity = "" if kind == "resolved" else f" {finding.severity.value}"
            return _ascii(f"[{WORDS[kind]}{severity}] {finding.resource.name}: {finding.title}")
        if self.kind == "run":
            return _ascii(f"SageMaker auditor: {self.health}")
        return _ascii(next(line for line in self._subjects() if len(line) <= SUBJECT))

    def _subjects(self) -> Iterator[str]:
        """The subject of a digest with less and less of where it is from: the counts always stay."""
        if self.about:
            yield f"[{len(self.told) + self.omitted} changes] {self.about}: {self._news}"
        regions = self.region.split(",")
        account = self.account if len(self.account) <= 12 else number_of(self.account.count(",") + 1, "account")
        if len(regions) <= 3:
            yield f"SageMaker audit {account} {self.region}: {self._news}"
        yield f"SageMaker audit {account} {number_of(len(regions), 'region')}: {self._news}"
        yield f"SageMaker {account}: {self._news}"
        yield self._news
        yield self._news[:SUBJECT]

    @property
    def _news(self) -> str:
        """What a digest tells, in counts."""
        resolved = self.resolved
        counts = [*_counts(self.by_severity), f"{resolved} resolved" if resolved else ""]
        if any(counts):
            return ", ".join(filter(None, counts))
        if sum(self.still_open.values()):
            return f"nothing new, still open: {', '.join(_counts(self.still_open))}"
        return "all clean" if self.complete else "incomplete, nothing found in what could be read"

    @property
    def resolved(self) -> int:
        """How many findings are told as resolved, those counted in ``omitted`` included."""
        if self.totals is not None:
            return max(0, len(self.told) + self.omitted - sum(self.totals.values()))
        return sum(1 for change in self.told if change.change == "resolved")

    @property
    def rule(self) -> str:
        """The rule of the one finding, or ``digest`` or ``run``: what subscribers filter by."""
        return self.only.finding.rule if self.single else self.kind

    @property
    def open_in_all(self) -> int:
        """How many findings are open, told now or before."""
        return sum(self.by_severity.values()) + sum(self.still_open.values())

    @property
    def changed(self) -> str:
        """What changed, in counts: ``12 new, 1 worse, 2 resolved``; empty where nothing did."""
        words = {"new": "new", "worse": "worse", "back": "back", "reminder": "told again"}
        if self.omitted:
            counts = [f"{sum(self.by_severity.values()):,} {', '.join(words.values())}"]
        else:
            counts = [f"{len(changes):,} {words[kind]}" for kind, changes in self.changes if kind != "resolved"]
        return ", ".join([*counts, *([f"{self.resolved:,} resolved"] if self.resolved else [])])

    @property
    def tells_open(self) -> bool:
        """True where it tells of findings that are open, new or not."""
        return sum(self.by_severity.values()) > 0 or (self.omitted > 0 and self.totals is None)

    @property
    def status(self) -> list[str]:
        """What subscribers filter by, all that holds: ``new`` (something is new, worse or back), ``open`` (something is
        open, told now or before), ``resolved`` (something is told as resolved); where nothing does, ``clean``, or
        ``incomplete`` where not everything could be read."""
        news = self.new_severity is not None
        still_open = self.tells_open or sum(self.still_open.values()) > 0
        held = {"new": news, "open": still_open, "resolved": self.resolved > 0}
        return [name for name, holds in held.items() if holds] or ["clean" if self.complete else "incomplete"]

    @property
    def new_severity(self) -> Severity | None:
        """The highest severity among what is told as new, worse or back; None without any."""
        severities = [change.finding.severity for change in self.told if change.change in NEWS]
        return max(severities, key=lambda severity: severity.rank, default=None)

    def shortened(self, named: int) -> "Notice":
        """The notice with at most ``named`` changes; the others are counted."""
        if len(self.told) <= named:
            return self
        omitted = self.omitted + len(self.told) - named
        return self.model_copy(update={"told": self.told[:named], "omitted": omitted, "totals": self.by_severity})

    def machine(self) -> dict[str, Any]:
        """The notice for programs. The finding of a single change stands at the top as well."""
        body = self.model_dump(mode="json")
        body["by_severity"] = self.by_severity
        if self.single:
            body |= {"change": self.only.change, "finding": body["told"][0]["finding"]}
        return body


def counted(severities: Iterable[Severity]) -> dict[str, int]:
    """How often each severity occurs, worst first, without the zeros."""
    numbers = Counter(severities)
    return {severity.value: numbers[severity] for severity in sorted(numbers, key=lambda severity: -severity.rank)}


def _counts(numbers: Mapping[str, int]) -> list[str]:
    return [f"{number} {severity}" for severity, number in numbers.items() if number]


def _ascii(text: str) -> str:
    return clean(" ".join(text.split())).encode("ascii", "replace").decode()[:SUBJECT]
