"""The one order in which every format tells findings: broken now, would break, costs, style. Pure."""

from collections.abc import Iterable

from chalicelib.report.findings import Finding

_STATUSES = ("open", "exempt", "resolved")
#: Amounts are compared up to this many cents a month, and have as many digits.
_MOST_CENTS = 10**12 - 1


def ordered(findings: Iterable[Finding]) -> list[Finding]:
    """The findings as every format tells them: open ones first, each status by :func:`sort_key`."""
    return sorted(findings, key=lambda finding: (_STATUSES.index(finding.status), sort_key(finding)))


def sort_key(finding: Finding) -> str:
    """Where a finding stands among those of its status, as a text that sorts (also as a key of the ledger's table): by
    concern, then the more severe, then the larger saving, then by name."""
    cents = round(finding.saving.monthly_usd * 100) if finding.saving is not None else 0
    parts = (
        f"{finding.concern.rank}{9 - finding.severity.rank}",
        f"{_MOST_CENTS - max(0, min(cents, _MOST_CENTS)):012d}",
        finding.resource.name,
        finding.rule,
        finding.region,
        finding.id,
    )
    return "#".join(parts)
