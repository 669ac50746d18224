"""What one audit has to say, shaped once for every channel: counts, findings worst first, blind spots, health line."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from chalicelib.findings import Finding, Report, Severity
from chalicelib.texts import clean, render

#: Findings that the text names one by one; the rest are counted.
NAMED_FINDINGS = 40


@dataclass(frozen=True, slots=True)
class Digest:
    """A report on its way to people: told findings are open, at or above ``notify_at``, and of rules that notify."""

    report: Report
    told: Sequence[Finding]

    @property
    def account(self) -> str:
        return ",".join(self.report.accounts)

    @property
    def region(self) -> str:
        return ",".join(self.report.regions)

    @property
    def severity(self) -> str:
        """The highest severity among what is told; info when there is nothing."""
        return max((one.severity for one in self.told), key=lambda one: one.rank, default=Severity.INFO).value

    @property
    def by_severity(self) -> dict[str, int]:
        """How many findings are told at each severity, worst first, without the zeros."""
        counted = Counter(one.severity for one in self.told)
        return {one.value: counted[one] for one in sorted(counted, key=lambda one: -one.rank)}

    @property
    def health(self) -> str:
        """One line that shows the auditor alive: ``412 resources, 47 rules, 0 blind spots``."""
        report = self.report
        counts = (
            (sum(report.resources.values()), "resource"),
            (len(report.rules), "rule"),
            (len(report.blind_spots), "blind spot"),
        )
        return ", ".join(f"{number} {word}{'' if number == 1 else 's'}" for number, word in counts)

    @property
    def subject(self) -> str:
        """One line of printable ASCII, at most 99 characters, as SNS takes for any e-mail subject."""
        what = ", ".join(f"{number} {severity}" for severity, number in self.by_severity.items()) or "all clean"
        text = f"SageMaker audit {self.account} {self.region}: {what}"
        return clean(text).encode("ascii", "replace").decode()[:99]

    def text(self, named: int = NAMED_FINDINGS) -> str:
        """The digest as plain text, naming at most ``named`` findings."""
        return render(
            "notices/digest.txt.j2",
            {
                "digest": self,
                "report": self.report,
                "findings": list(self.told[:named]),
                "omitted": max(0, len(self.told) - named),
                "exempt": sum(1 for one in self.report.findings if one.status == "exempt"),
            },
        )

    def machine(self, named: int) -> dict[str, Any]:
        """The digest for programs; findings beyond ``named`` are counted in ``findings_omitted``."""
        report = self.report
        return {
            "kind": "digest",
            "schema_version": report.schema_version,
            "audit_id": report.audit_id,
            "trigger": report.trigger,
            "account": self.account,
            "region": self.region,
            "severity": self.severity,
            "by_severity": self.by_severity,
            "health": self.health,
            "complete": report.complete,
            "findings": [one.model_dump(mode="json") for one in self.told[:named]],
            "findings_omitted": max(0, len(self.told) - named),
            "blind_spots": [one.model_dump(mode="json") for one in report.blind_spots[:50]],
        }
