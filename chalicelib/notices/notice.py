"""What leaves the auditor: one notice for a change, one digest for a sweep. Every channel renders this, nothing else.

A notice is also its own machine form: what ``sqs`` and ``lambda`` subscribers receive is its JSON, and a function on
the topic reads it back.
"""

from collections import Counter
from collections.abc import Iterable
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from chalicelib.report.findings import BlindSpot, ExemptionNote, Finding, Moment, Severity
from chalicelib.templating import clean

Change = Literal["new", "worse", "back", "reminder", "resolved"]

#: How each change is announced before a title.
WORDS: dict[Change, str] = {
    "new": "New",
    "worse": "Worse",
    "back": "Back",
    "reminder": "Still open",
    "resolved": "Resolved",
}


class _Contract(BaseModel):
    model_config = ConfigDict(frozen=True, defer_build=True, extra="ignore")


class Told(_Contract):
    """A finding that is told, and why now.

    ``before`` is the severity told last, where it got worse; ``away_days`` how long it was resolved, where it is back.
    """

    change: Change
    finding: Finding
    before: Severity | None = None
    away_days: float | None = None


class Notice(_Contract):
    """One message to everybody: ``finding`` or ``resolved`` for one change of an event, ``digest`` for many or a
    sweep.

    ``told`` is worst first; ``omitted`` counts what did not fit into the channel, and ``totals`` then counts all
    by severity. ``still_open`` counts what is open
    and was told before, by severity. ``report_url`` leads to everything, where there is an address for it.
    """

    schema_version: Literal[1] = 1
    kind: Literal["finding", "resolved", "digest", "health"]
    audit_id: str
    trigger: str
    account: str
    region: str
    severity: Severity
    complete: bool
    finished_at: Moment
    health: str
    told: list[Told] = []
    omitted: int = 0
    totals: dict[str, int] | None = None
    still_open: dict[str, int] = {}
    exempt: int = 0
    observed: int = 0
    blind_spots: list[BlindSpot] = []
    exemptions: list[ExemptionNote] = []
    report_url: str | None = None

    @property
    def only(self) -> Told:
        """The one change of a ``finding`` or ``resolved`` notice."""
        return self.told[0]

    @property
    def changes(self) -> list[tuple[Change, list[Told]]]:
        """What is told, grouped by why, in the order in which people want to read it; empty groups left out."""
        order: list[Change] = ["new", "worse", "back", "reminder", "resolved"]
        groups = [(change, [one for one in self.told if one.change == change]) for change in order]
        return [(change, several) for change, several in groups if several]

    @property
    def by_severity(self) -> dict[str, int]:
        """How many findings are told at each severity, worst first, without the zeros and the resolved."""
        if self.totals is not None:
            return self.totals
        return counted(one.finding.severity for one in self.told if one.change != "resolved")

    @property
    def subject(self) -> str:
        """One line of printable ASCII, at most 99 characters, as SNS takes for any e-mail subject."""
        if self.kind in ("finding", "resolved"):
            one = self.only
            severity = "" if one.change == "resolved" else f" {one.finding.severity.value}"
            return _ascii(f"[{WORDS[one.change]}{severity}] {one.finding.resource.name}: {one.finding.title}")
        what = ", ".join(f"{number} {severity}" for severity, number in self.by_severity.items())
        resolved = sum(1 for one in self.told if one.change == "resolved")
        what = ", ".join(filter(None, (what, f"{resolved} resolved" if resolved else "")))
        if not what:
            what = "nothing new" if sum(self.still_open.values()) else "all clean"
            if not self.complete:
                what = "incomplete, nothing new in what could be read"
        return _ascii(f"SageMaker audit {self.account} {self.region}: {what}")

    @property
    def rule(self) -> str:
        """The rule of the one finding, or ``digest``: what subscribers filter by."""
        return self.only.finding.rule if self.kind in ("finding", "resolved") else "digest"

    @property
    def status(self) -> str:
        """``open``, ``resolved`` or ``clean``: what subscribers filter by."""
        if self.omitted or any(one.change != "resolved" for one in self.told):
            return "open"
        return "resolved" if self.told else "clean"

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
        if self.kind in ("finding", "resolved"):
            body |= {"change": self.only.change, "finding": body["told"][0]["finding"]}
        return body


def counted(severities: Iterable[Severity]) -> dict[str, int]:
    """How often each severity occurs, worst first, without the zeros."""
    numbers = Counter(severities)
    return {one.value: numbers[one] for one in sorted(numbers, key=lambda one: -one.rank)}


def _ascii(text: str) -> str:
    return clean(" ".join(text.split())).encode("ascii", "replace").decode()[:99]
