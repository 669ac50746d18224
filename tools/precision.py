"""Precision and recall of the rules over the labelled account: what was told against what had to be told."""

import os
import sys
from collections import defaultdict
from datetime import UTC, datetime
from typing import NamedTuple

from chalicelib.report.findings import Report
from chalicelib.service import Service
from chalicelib.settings import Settings
from emulator.account import EXPECTED, build
from emulator.server import Emulator


class Score(NamedTuple):
    """Findings told that had to be, told that had not to be, and not told that had to be, as (resource, rule)."""

    right: set[tuple[str, str]]
    false_alarms: set[tuple[str, str]]
    missed: set[tuple[str, str]]
    resources: int

    @property
    def precision(self) -> float:
        """The share of what was told that had to be told."""
        return len(self.right) / max(1, len(self.right) + len(self.false_alarms))

    @property
    def recall(self) -> float:
        """The share of what had to be told that was told."""
        return len(self.right) / max(1, len(self.right) + len(self.missed))


def score(report: Report) -> Score:
    """How the report compares with the labels of the account."""
    rules_of: dict[str, set[str]] = defaultdict(set)
    for finding in report.findings:
        rules_of[f"{finding.resource.kind} {finding.resource.name}"].add(finding.rule)
    findings = {(resource, rule) for resource, rules in rules_of.items() for rule in rules}
    wanted = {(resource, rule) for resource, rules in EXPECTED.items() for rule in rules}
    return Score(findings & wanted, findings - wanted, wanted - findings, sum(report.resources.values()))


def main() -> int:
    """Prints the score; exit code 1 unless both are 1.0."""
    with Emulator() as emulator:
        os.environ |= emulator.environment()
        build(now=datetime.now(UTC))
        service = Service(Settings(), emulator.session())
        result = score(service.audit(service.scope(), "cli"))
    for resource, rule in sorted(result.false_alarms):
        print(f"false alarm: {resource}: {rule}")
    for resource, rule in sorted(result.missed):
        print(f"missed:      {resource}: {rule}")
    labels = len(result.right) + len(result.missed)
    print(f"{result.resources} resources, {labels} labels: ", end="")
    print(f"precision {result.precision:.3f}, recall {result.recall:.3f}")
    return 0 if result.precision == result.recall == 1 else 1


if __name__ == "__main__":
    sys.exit(main())
