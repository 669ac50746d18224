"""The report as a person reads it: findings by resource, worst first, and in the end all that counts at a glance.

Every line is cut or folded to the width, so that no name can break the layout.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

from msgspec import Struct
from rich.cells import cell_len
from rich.text import Text

from chalicelib.cli import amounts
from chalicelib.cli.wrapping import wrapped
from chalicelib.report.findings import BlindSpot, Finding, Report, Severity, root_arn
from chalicelib.report.formats.writers import WRITERS
from chalicelib.report.headline import clauses, headline
from chalicelib.report.left import left_in_words
from chalicelib.report.order import ordered, sort_key
from chalicelib.scope import ARN, KINDS_BY_ARN
from chalicelib.templating import clean

STYLES = {
    Severity.CRITICAL: "bold white on red",
    Severity.HIGH: "bold red",
    Severity.MEDIUM: "yellow",
    Severity.LOW: "cyan",
    Severity.INFO: "dim",
}
BLIND = "magenta"
#: Columns from which the rule stands before what it says; below, under it.
WIDE = 110
#: Columns of the rule under the summary and of the bars in it.
RULER, BAR = 100, 40
#: Where the words of a finding begin, after its severity.
INDENT = 12
#: From so many findings on, a shorter way to look at them is named.
MANY = 200
#: Commands of the first fix that the summary shows; of more it says how they are told.
COMMANDS = 3
#: Resources named in the summary as the most affected, and rules and places named of a blind spot.
MOST, SOME = 5, 6

Worst = tuple[int, ...]
T = TypeVar("T")


def flat(text: str) -> str:
    """A text on one line, without control characters."""
    return " ".join(clean(text).split())


class Group(Struct, frozen=True):
    """The findings of one resource with its parts, worst first."""

    kind: str
    name: str
    account: str
    region: str
    findings: Sequence[Finding]

    @property
    def worst(self) -> Worst:
        """How bad it is: the number of findings of each severity, from critical on. More is worse."""
        return _worst(self.findings)

    @property
    def owner(self) -> str:
        """Who owns it, when that is told."""
        return next((finding.owner for finding in self.findings if finding.owner), "")


def _worst(findings: Iterable[Finding]) -> Worst:
    counts = Counter(finding.severity for finding in findings)
    return tuple(counts[severity] for severity in reversed(Severity))


def groups(findings: Iterable[Finding]) -> list[Group]:
    """The findings by resource, those of an endpoint's variants, targets and policies with it; in the order of their
    first findings."""
    together: dict[tuple[str, ...], list[Finding]] = {}
    for finding in findings:
        together.setdefault((finding.account, finding.region, *_root(finding)), []).append(finding)
    groups = [
        Group(kind, name, account, region, ordered(members))
        for (account, region, kind, name), members in together.items()
    ]
    return sorted(groups, key=lambda group: sort_key(group.findings[0]))


def _root(finding: Finding) -> tuple[str, str]:
    match = ARN.match(root_arn(finding))
    if match is not None and "/" in match["rest"]:
        prefix, name = match["rest"].split("/", 1)
        if prefix in KINDS_BY_ARN:
            return KINDS_BY_ARN[prefix], name
    return finding.resource.kind, finding.resource.name


class Table:
    """A report in lines of at most ``width`` columns."""

    def __init__(self, report: Report, width: int, fixes: str = "") -> None:
        """``fixes`` is the command that tells the fix of a finding, up to what is asked for; empty where there is
        none."""
        self.report, self.fixes = report, fixes
        self.width = max(width, 24)
        self.open = report.open_findings()
        self.groups = groups(self.open)
        self.many_places = len(report.accounts) > 1 or len(report.regions) > 1
        self._rules = max((cell_len(finding.rule) for finding in self.open), default=0)

    def lines(self) -> Iterator[Text]:
        """The whole: findings, then the summary."""
        yield from self.findings()
        yield from self.summary()

    # ---- findings

    def findings(self) -> Iterator[Text]:
        """A heading for each resource with its findings below; a heading for each place where there are several."""
        for place, groups in self._by_place():
            if self.many_places:
                title = f"━━ {flat(place[0])} · {flat(place[1])} "
                yield from self._folded(Text(title + "━" * (min(self.width - 3, RULER) - cell_len(title)), "bold"), 3)
                yield Text()
            for group in groups:
                yield from self._group(group)
                yield Text()

    def _by_place(self) -> list[tuple[tuple[str, str], list[Group]]]:
        by_place: dict[tuple[str, str], list[Group]] = {}
        for group in self.groups:
            by_place.setdefault((group.account, group.region), []).append(group)
        return list(by_place.items())

    def _group(self, group: Group) -> Iterator[Text]:
        heading = Text.assemble((group.kind, "dim"), " ", (flat(group.name), "bold"))
        places = {str(finding.resource.declared) for finding in group.findings if finding.resource.declared}
        if len(places) == 1:
            heading.append(f"  {flat(min(places))}", "dim")
        if group.owner:
            heading.append(f"  {flat(group.owner)}", "dim")
        yield from self._folded(heading, 2)
        for finding in group.findings:
            severity = Text.assemble("  ", (finding.severity.value, STYLES[finding.severity]))
            severity.append(" " * (INDENT - severity.cell_len))
            summary = Text(flat(finding.summary))
            if self.width >= WIDE:
                severity.append(f"{finding.rule:<{self._rules}}  ", "dim")
            else:
                summary.append(f"  {finding.rule}", "dim")
            if len(places) > 1 and finding.resource.declared:
                summary.append(f"  {flat(str(finding.resource.declared))}", "dim")
            summary.append_text(amounts.beside(finding))
            yield from self._beside(severity, summary)

    def _beside(self, left: Text, right: Text) -> Iterator[Text]:
        """A text beside another, folded below itself."""
        indent = left.cell_len
        for number, line in enumerate(self._wrapped(right, self.width - indent)):
            yield Text.assemble(left if number == 0 else " " * indent, line)

    def _folded(self, text: Text, indent: int) -> Iterator[Text]:
        for number, line in enumerate(self._wrapped(text, self.width - indent)):
            yield line if number == 0 else Text.assemble(" " * indent, line)

    def _listed(self, items: Iterable[str]) -> Iterator[Text]:
        """Items with dots between them, as many on a line as it holds."""
        line = ""
        for item in items:
            if line and cell_len(f"{line} · {item}") > self.width:
                yield Text(line, "dim")
                line = "  " + item
            else:
                line = f"{line} · {item}" if line else item
        yield Text(line, "dim")

    def _wrapped(self, text: Text, width: int) -> list[Text]:
        return wrapped(text, max(width, 10))

    # ---- summary

    def summary(self) -> Iterator[Text]:
        """Counts by severity, the most affected resources, what could not be seen, and what was looked at."""
        yield Text("─" * min(self.width, RULER), "dim")
        if any(clause.about != "findings" for clause in clauses(self.report)):
            yield from self._folded(Text(headline(self.report), "bold"), 2)
        yield from self._counts()
        yield from self._first()
        if len(self.groups) > MOST:
            most = self.groups[:MOST]
            names = max(cell_len(self._named(group).plain) for group in most)
            yield from self._section("Most affected", most, lambda entry: self._affected(entry, names))
        yield from self._section("Money", list(amounts.lines(self.report.money)), self._money)
        yield from self._passed()
        yield from self._section("Blind spots", self._blind_spots(), self._blind_spot)
        yield Text()
        narrowed = flat(self.report.shown.words) if self.report.shown is not None else ""
        for line in (left_in_words(self.report.deferred), self._exempt(), narrowed, self._hint(), self._empty()):
            if line:
                yield from self._folded(Text(line), 2)
        yield from self._listed(self._looked_at())

    def _counts(self) -> Iterator[Text]:
        counts = Counter(finding.severity for finding in self.open)
        if not self.open:
            whole = self.report.complete and self.report.shown is None
            read = "in what could be read" if not self.report.complete else "in what is shown"
            yield Text("No findings", "bold green") if whole else Text(f"No findings {read}", "bold")
            return
        count = Text(_number(len(self.open), "finding"), "bold")
        yield from self._folded(Text.assemble(count, f" on {_number(len(self.groups), 'resource')}"), 2)
        digits = len(str(max(counts.values())))
        longest = max(1, min(BAR, self.width - INDENT - 2 - digits))
        for severity in reversed(Severity):
            if number := counts[severity]:
                bar = "█" * max(1, round(longest * number / max(counts.values())))
                style = "red" if severity is Severity.CRITICAL else STYLES[severity].removeprefix("bold ")
                label = Text.assemble((severity.value, STYLES[severity]))
                yield Text.assemble("  ", label, " " * (10 - label.cell_len), f"{number:>{digits}}  ", (bar, style))

    def _section(self, title: str, items: Sequence[T], line: Callable[[T], Iterator[Text]]) -> Iterator[Text]:
        if items:
            yield Text()
            yield Text(title, "bold")
            for item in items:
                yield from line(item)

    def _named(self, group: Group) -> Text:
        place = f"  {group.account} {group.region}" if self.many_places else ""
        return Text.assemble("  ", (group.kind, "dim"), " ", flat(group.name), (place, "dim"))

    def _affected(self, group: Group, names: int) -> Iterator[Text]:
        counts = [
            Text(f"{number} {severity.value}", STYLES[severity])
            for severity, number in zip(reversed(Severity), group.worst, strict=True)
            if number
        ]
        name = self._named(group)
        gap = " " * (max(0, min(names, self.width // 2) - name.cell_len) + 2)
        yield from self._folded(Text.assemble(name, gap, Text(", ").join(counts)), 4)

    def _first(self) -> Iterator[Text]:
        """The fix of the first finding, and where those of the others are. Commands stay whole, to be copied."""
        if not self.open:
            return
        finding = self.open[0]
        fix = finding.fix
        yield from (Text(), Text("To do first", "bold"))
        about = Text.assemble("  ", (finding.severity.value, STYLES[finding.severity]), f"  {finding.rule}  ")
        yield from self._folded(about.append(flat(finding.resource.name)), 4)
        yield from self._folded(Text(f"  {flat(fix.text)}"), 2)
        if len(fix.commands) <= COMMANDS:
            yield from (Text(clean(f"    {command}"), "cyan") for command in fix.commands)
        if self.fixes:
            left = (
                f"its {len(fix.commands)} commands: {self.fixes} {finding.id}" if len(fix.commands) > COMMANDS else ""
            )
            others = f"every other fix: {self.fixes} FINDING-OR-RESOURCE" if len(self.open) > 1 else ""
            for line in filter(None, (left, others)):
                yield from self._folded(Text(f"  {line}", "dim"), 4)

    def _passed(self) -> Iterator[Text]:
        """What passed, a line for each rule with the resources under it, where the report lists it."""
        by_rule: dict[str, list[str]] = {}
        for passed in self.report.passes or ():
            by_rule.setdefault(passed.rule, []).append(passed.name)

        def line(entry: tuple[str, list[str]]) -> Iterator[Text]:
            rule, names = entry
            yield from self._folded(Text.assemble("  ", (rule, "green"), f"  {len(names):,}"), 4)
            for name in sorted(names):
                yield from self._folded(Text(f"    {flat(name)}", "dim"), 6)

        if self.report.passes == []:
            yield from (Text(), Text("Nothing passed", "bold"))
        yield from self._section("Passed", sorted(by_rule.items()), line)

    def _blind_spots(self) -> list[list[BlindSpot]]:
        """The blind spots, those that differ by their place alone together."""
        same: dict[tuple[str, ...], list[BlindSpot]] = {}
        for spot in self.report.blind_spots:
            error = spot.error.replace(spot.account, "").replace(spot.region, "")
            same.setdefault((spot.operation, error, *spot.effect), []).append(spot)
        return list(same.values())

    def _blind_spot(self, spots: list[BlindSpot]) -> Iterator[Text]:
        spot = spots[0]
        error = flat(spot.error)
        named = error if spot.operation in error else f"{spot.operation}: {error}"
        yield from self._folded(Text.assemble("  ", (named, BLIND)), 4)
        if self.many_places:
            places = dict.fromkeys(f"{spot.account} {spot.region}" for spot in spots)
            yield from self._folded(Text(f"    in {_some(list(places))}"), 4)
        every = len(spot.effect) > 1 and len(spot.effect) == len(self.report.rules)
        rules = f"all {len(spot.effect)} rules" if every else _some(spot.effect)
        effect = f"; unknown: {rules}" if spot.effect else ""
        yield from self._folded(Text(f"    {spot.cause.words}{effect}", "dim"), 4)

    def _money(self, line: Text) -> Iterator[Text]:
        line = Text.assemble("  ", (flat(line.plain), line.style))
        yield from self._folded(line, 4)

    def _exempt(self) -> str:
        number = sum(1 for finding in self.report.findings if finding.status == "exempt")
        return f"{number} exempt, not listed." if number else ""

    def _hint(self) -> str:
        ways = []
        if any(finding.severity.rank < Severity.HIGH.rank for finding in self.open):
            ways.append("--severity high shows the worst alone")
        if "html" in WRITERS:
            ways.append("--format html --output report.html writes a page to filter")
        return f"Much to read: {', '.join(ways)}." if ways and len(self.open) >= MANY else ""

    def _empty(self) -> str:
        """Asks whether it is the right place, where there is nothing in it although everything could be read."""
        report = self.report
        if not report.whole or any(report.resources.values()):
            return ""
        regions, accounts = ", ".join(report.regions), ", ".join(report.accounts)
        return (
            f"Nothing of SageMaker is in {regions} of account {accounts}. Is it the right one? --region NAME and "
            "--profile NAME choose another, --all-regions looks everywhere."
        )

    def _looked_at(self) -> list[str]:
        report = self.report
        accounts = f"account {report.accounts[0]}" if len(report.accounts) == 1 else f"{len(report.accounts)} accounts"
        regions = report.regions[0] if len(report.regions) == 1 else f"{len(report.regions)} regions"
        return [
            accounts,
            regions,
            _number(sum(report.resources.values()), "resource"),
            _number(len(report.rules), "rule"),
            _number(len(report.blind_spots), "blind spot"),
            _number(sum(report.api_calls.values()), "call"),
            f"{(report.finished_at - report.started_at).total_seconds():.1f} s",
        ]


def _number(number: int, word: str) -> str:
    return f"{number:,} {word}" + ("" if number == 1 else "s")


def _some(names: Sequence[str]) -> str:
    more = len(names) - SOME
    return ", ".join(names[:SOME]) + (f" and {more} more" if more > 0 else "")
