"""The report page: one HTML file that asks nothing of the outside, for a browser, an attachment or a printer.

The head (posture, trend, coverage) is rendered here; the findings and the map of zones travel as JSON inside the page
and are drawn by its own script, so that thousands of them cost little on either side. Style and script are allowed by
their hash (Content-Security-Policy), nothing else runs.
"""

import base64
import hashlib
import json
from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple

from chalicelib import __version__
from chalicelib.report.calendar import SOON_DAYS, soon
from chalicelib.report.charts import Drawing, RehearsalChart, Row, drawing, outcome, rows
from chalicelib.report.findings import EndpointCapacity, Finding, Report, Severity, utc_text
from chalicelib.report.formats.first import actions, web
from chalicelib.report.formats.trend import stacked
from chalicelib.report.headline import clauses
from chalicelib.report.left import left_in_words
from chalicelib.report.posture import POINTS, Point, Tally, posture
from chalicelib.report.realized import Realized
from chalicelib.report.savings import in_words, totals
from chalicelib.report.survival import survival
from chalicelib.templating import TEMPLATES, clean, render

#: Findings that the page tells a reader whose browser runs no scripts.
PLAIN_FINDINGS = 200
#: Endpoints that the map holds at most; those with open findings go first.
MAPPED = 2_000
#: The size of the chart of the trend, in its own units.
CHART = (320, 64)
#: Rehearsals that the page shows at most, those with the most minutes short first; and the size of their charts.
REHEARSALS, REHEARSAL = 60, (300, 84)


class More(NamedTuple):
    """Findings that are not in the page: the query of ``GET /audit`` that gives them, and the cursor to begin with."""

    query: str
    cursor: str


#: What of an endpoint is drawn before the page travels.
DRAWN = {"variants": {"__all__": {"rehearsal"}}}


class Rehearsed(NamedTuple):
    """A variant with its rehearsal: its name and where it stands, what came of it in words, in a chart and by days."""

    name: str
    place: str
    says: str
    drawn: Drawing
    rows: list[Row]


class Rehearsals(NamedTuple):
    """The rehearsals that the page shows: those to look at, which were short or have a proposal, and the others."""

    notable: list[Rehearsed]
    calm: list[Rehearsed]

    @property
    def shown(self) -> int:
        return len(self.notable) + len(self.calm)


def policy(*, framed: bool = False) -> str:
    """The Content-Security-Policy of the page. ``framed``: as a header, which alone can forbid frames."""
    style, script = _hash("report.css"), _hash("report.js")
    allowed = f"default-src 'none'; style-src '{style}'; script-src '{script}'; connect-src 'self'; "
    allowed += "base-uri 'none'; form-action 'none'"
    return f"{allowed}; frame-ancestors 'none'" if framed else allowed


def page(
    report: Report,
    *,
    trend: Sequence[Point] = (),
    counted: Tally | None = None,
    exempt: int | None = None,
    more: More | None = None,
    realized: Realized | None = None,
) -> str:
    """The page of a report. ``trend`` are past sweeps, oldest first; ``counted`` and ``exempt`` take the place of
    the findings' own numbers where the page holds only some of them, and ``more`` says where the others are.
    ``realized`` is what resolved findings saved."""
    findings = report.open_findings()
    charts = _charts(report)
    context = {
        "report": report,
        "stands": posture(report, counted, exempt),
        "points": POINTS,
        "clauses": clauses(report, trend[-2].at if len(trend) > 1 else None),
        "trend": trend,
        "stacked": stacked(trend),
        "severities": list(reversed(Severity)),
        "chart_size": CHART,
        "partial": more is not None,
        "counted": counted is not None,
        "resources": sum(report.resources.values()),
        "unknown": sum(counts.unknown for counts in report.rules.values()),
        "judged": sum(counts.passed + counts.fail for counts in report.rules.values()),
        "saving": totals(findings).saving_usd,
        "money": report.money,
        "savings": in_words(report.money),
        "realized": realized,
        "saved": _curve(realized),
        "first": actions(findings),
        "plain": findings[:PLAIN_FINDINGS],
        "total": len(findings),
        "mapped": min(len(report.endpoints), MAPPED),
        "soon": len(soon(report.calendar, report.finished_at.date())),
        "soon_days": SOON_DAYS,
        "rehearsals": _rehearsals(charts),
        "rehearsed": len(charts),
        "left": left_in_words(report.deferred),
        "finished": utc_text(report.finished_at),
        "version": __version__,
        "policy": policy(),
    }
    html = render("report/page.html.j2", context)
    for mark, content in (
        ("<!--style-->", f"<style>{_file('report.css')}</style>"),
        ("<!--data-->", f'<script type="application/json" id="data">{_data(report, more)}</script>'),
        ("<!--script-->", f"<script>{_file('report.js')}</script>"),
    ):
        before, _, after = html.partition(mark)
        html = f"{before}{content}{after}"
    return html


@cache
def _file(name: str) -> str:
    return (TEMPLATES / "report" / name).read_text(encoding="utf-8")


def _hash(name: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(_file(name).encode()).digest()).decode()}"


def _data(report: Report, more: More | None) -> str:
    """The JSON of the page. No value can end the element that holds it."""
    texts: dict[str, int] = {}
    data = {
        "findings": [_finding(finding, texts) for finding in report.findings],
        "titles": {finding.rule: clean(finding.title) for finding in report.findings},
        "endpoints": [_endpoint(endpoint) for endpoint in _mapped(report)],
        "zones": report.zones,
        "more": more._asdict() if more else None,
        "texts": list(texts),
    }
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), default=str)
    return clean(text).replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def _endpoint(endpoint: EndpointCapacity) -> dict[str, Any]:
    """An endpoint of the map, with what it would survive."""
    answer = survival(endpoint)
    survives = {"down": answer.down, "instance": answer.instance, "zone": answer.zone, "reason": answer.reason}
    return {**endpoint.model_dump(mode="json", exclude=DRAWN), "survives": survives}


def _finding(finding: Finding, texts: dict[str, int]) -> dict[str, Any]:
    """A finding as the contract has it; texts that many share stand once, by their number."""

    def shared(text: str) -> int:
        return texts.setdefault(text, len(texts))

    place = finding.resource.declared
    return {
        "id": finding.id,
        "rule": finding.rule,
        "topic": finding.topic,
        "concern": finding.concern,
        "severity": finding.severity,
        "confidence": finding.confidence,
        "status": finding.status,
        "account": finding.account,
        "region": finding.region,
        "resource": {
            "kind": finding.resource.kind,
            "arn": finding.resource.arn,
            "name": finding.resource.name,
            "console_url": finding.resource.console_url,
        },
        "summary": f"{finding.summary} Declared in {place}." if place else finding.summary,
        "why": shared(finding.why),
        "fix": {"text": shared(finding.fix.text), "commands": finding.fix.commands, "snippets": finding.fix.snippets},
        "evidence": finding.evidence,
        "references": [shared(link) for link in finding.references if web(link)],
        "well_architected": finding.well_architected,
        "owner": finding.owner,
        "saving": finding.saving.model_dump() if finding.saving else None,
        "cost_usd": finding.cost_usd,
        "exemption": finding.exemption.model_dump(mode="json") if finding.exemption else None,
        "first_seen": utc_text(finding.first_seen),
        "last_seen": utc_text(finding.last_seen),
        "resolved_at": utc_text(finding.resolved_at) if finding.resolved_at else None,
    }


def _mapped(report: Report) -> list[EndpointCapacity]:
    """The endpoints of the map: those that would survive least and those with open findings first, where there are too
    many."""
    if len(report.endpoints) <= MAPPED:
        return report.endpoints
    failing = {finding.resource.name.split("/")[0] for finding in report.open_findings()}
    return sorted(report.endpoints, key=lambda endpoint: (survival(endpoint).sound, endpoint.name not in failing))[
        :MAPPED
    ]


def _charts(report: Report) -> list[tuple[str, str, RehearsalChart]]:
    """The rehearsed variants by name, place and chart, those with the most minutes short first."""
    charts = [
        (f"{endpoint.name}/{variant.name}", f"{endpoint.account}, {endpoint.region}", variant.rehearsal)
        for endpoint in report.endpoints
        for variant in endpoint.variants
        if variant.rehearsal is not None
    ]
    return sorted(charts, key=lambda named: (-named[2].minutes_short, not named[2].proposed))


def _rehearsals(charts: list[tuple[str, str, RehearsalChart]]) -> Rehearsals:
    shown = Rehearsals([], [])
    for name, place, chart in charts[:REHEARSALS]:
        of = shown.notable if chart.minutes_short or chart.proposed else shown.calm
        of.append(Rehearsed(name, place, outcome(chart), drawing(chart, *REHEARSAL), rows(chart)))
    return shown


def _curve(realized: Realized | None) -> str:
    """What was saved a month, as the points of an SVG line in steps; empty before the second day."""
    points = realized.curve if realized is not None else []
    if len(points) < 2:
        return ""
    width, height = CHART
    most = max(max(point.estimated_usd for point in points), 0.01)
    days = (points[-1].day - points[0].day).days or 1
    lines: list[str] = []
    before = height - 4.0
    for point in points:
        x = 4 + (width - 8) * (point.day - points[0].day).days / days
        y = 4 + (height - 8) * (1 - point.estimated_usd / most)
        lines += [f"{x:.1f},{before:.1f}", f"{x:.1f},{y:.1f}"]
        before = y
    return " ".join(lines)
