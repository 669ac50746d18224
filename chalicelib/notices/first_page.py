"""What a digest says before its details: the most important findings, and how many each owner has. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from pydantic import BaseModel, ConfigDict

from chalicelib.report.findings import ChangeKind, Finding, Moment, Severity

#: Findings that the first page names, and owners.
IMPORTANT, OWNERS = 10, 10
#: Characters of a title, and of a name or an owner.
TITLE, NAME = 150, 120


class _Contract(BaseModel):
    model_config = ConfigDict(frozen=True, defer_build=True, extra="ignore")


class Important(_Contract):
    """One of the most important findings that are open, in short. ``change`` says why it is told now; it is None for
    one that was told before. ``saving_usd`` is what its fix saves a month."""

    id: str
    rule: str
    severity: Severity
    title: str
    kind: str
    name: str
    region: str
    owner: str | None = None
    saving_usd: float | None = None
    since: Moment
    change: ChangeKind | None = None
    console_url: str | None = None


class OwnerCount(_Contract):
    """How many open findings are an owner's, worst first by severity; ``owner`` is None for those without one."""

    owner: str | None
    findings: int
    by_severity: dict[str, int]


def most_important(in_order: Sequence[Finding], changes: Mapping[str, ChangeKind]) -> list[Important]:
    """The first of the open findings ``in_order``, of which ``changes`` are told now, by id."""
    return [_important(finding, changes.get(finding.id)) for finding in in_order[:IMPORTANT]]


def _important(finding: Finding, change: ChangeKind | None) -> Important:
    return Important(
        id=finding.id,
        rule=finding.rule,
        severity=finding.severity,
        title=_cut(finding.title, TITLE),
        kind=finding.resource.kind,
        name=_cut(finding.resource.name, NAME),
        region=finding.region,
        owner=_cut(finding.owner, NAME) if finding.owner else None,
        saving_usd=finding.saving.monthly_usd if finding.saving else None,
        since=finding.first_seen,
        change=change,
        console_url=finding.resource.console_url,
    )


def in_words(item: Important) -> str:
    """What is said of it under its title: ``endpoint, owner team-a, saves about 1,030 USD a month, new``."""
    words = {"new": "new", "worse": "worse", "back": "back"}
    return ", ".join(
        filter(
            None,
            (
                item.kind,
                f"owner {item.owner}" if item.owner else "no owner",
                f"saves about {item.saving_usd:,.0f} USD a month" if item.saving_usd else "",
                words.get(item.change or "", f"open since {item.since:%Y-%m-%d}"),
            ),
        )
    )


def by_owner(findings: Iterable[Finding]) -> list[OwnerCount]:
    """The owners of open findings, the one with the worst first; all of them, however many."""
    severities: dict[str | None, Counter[Severity]] = {}
    for finding in findings:
        owner = _cut(finding.owner, NAME) if finding.owner else None
        severities.setdefault(owner, Counter())[finding.severity] += 1
    counts = [
        OwnerCount(owner=owner, findings=sum(of.values()), by_severity=_words(of)) for owner, of in severities.items()
    ]
    worst_first = sorted(Severity, key=lambda severity: -severity.rank)
    return sorted(
        counts,
        key=lambda count: (
            *(-count.by_severity.get(severity.value, 0) for severity in worst_first),
            count.owner is None,
            count.owner or "",
        ),
    )


def _words(numbers: Counter[Severity]) -> dict[str, int]:
    return {severity.value: numbers[severity] for severity in sorted(numbers, key=lambda severity: -severity.rank)}


def _cut(text: str, characters: int) -> str:
    return text if len(text) <= characters else f"{text[: characters - 1]}…"
