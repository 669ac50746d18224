"""What leaves the auditor: one notice for a change, one digest for a sweep. Every channel renders this, nothing else.

A notice is also its own machine form: what ``sqs`` and ``lambda`` subscribers receive is its JSON, and a function on
the topic reads it back.
"""

from collections import Counter
from collections.abc import Iterable
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from chalicelib.report.findings import BlindSpot, ExemptionNote, Finding, Moment, Severity
from chalicelib.report.findings import ChangeKind as ChangeKind
from chalicelib.templating import clean

#: How each change is announced before a title.
WORDS: dict[ChangeKind, str] = {
    "new": "New",
    "worse": "Worse",
    "back": "Back",
    "reminder": "Still open",
    "resolved": "Resolved",
}


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
    told: list[Change] = []
    omitted: int = 0
    totals: dict[str, int] | None = None
    still_open: dict[str, int] = {}
    exempt: int = 0
    observed: int = 0
    blind_spots: list[BlindSpot] = []
    exemptions: list[ExemptionNote] = []
    report_url: str | None = None

    @property
    def only(self) -> Change:
        """The one change of a ``finding`` or ``resolved`` notice."""
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
        """One line of printable ASCII, at most 99 characters, as SNS takes for any e-mail subject."""
        if self.kind in ("finding", "resolved"):
            kind, finding = self.only.change, self.only.finding
            severity = "" if kind == "resolved" else f" {finding.severity.value}"
            return _ascii(f"[{WORDS[kind]}{severity}] {finding.resource.name}: {finding.title}")
        what = ", ".join(f"{number} {severity}" for severity, number in self.by_severity.items())
        resolved = sum(1 for change in self.told if change.change == "resolved")
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
        if self.omitted or any(change.change != "resolved" for change in self.told):
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
    return {severity.value: numbers[severity] for severity in sorted(numbers, key=lambda severity: -severity.rank)}


def _ascii(text: str) -> str:
    return clean(" ".join(text.split())).encode("ascii", "replace").decode()[:99]
