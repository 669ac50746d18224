"""The numbers of the page of the demo account are those of its JSON report, and what a click on them shows."""

import json
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from chalicelib.report.file import report_in
from chalicelib.report.posture import posture
from tests.browser.conftest import NewTab
from tests.browser.test_page import count, follow

SEVERITIES = ("critical", "high", "medium", "low", "info")


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The JSON report of the demo account; its page lies beside it."""
    file = tmp_path_factory.mktemp("demo") / "report.json"
    subprocess.run(
        [sys.executable, "-m", "chalicelib.cli", "demo", "--no-progress", "--output", str(file)],
        check=True,
        capture_output=True,
    )
    return file


@pytest.fixture(scope="module")
def report(written: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(written.read_text(encoding="utf-8"))
    return content


@pytest.fixture(scope="module")
def address(written: Path) -> str:
    return written.with_suffix(".html").as_uri()


def number(text: str) -> float:
    return float(re.sub(r"[$,]", "", text))


def open_findings(report: dict[str, Any]) -> list[dict[str, Any]]:
    return [finding for finding in report["findings"] if finding["status"] == "open"]


def test_coverage(report: dict[str, Any], address: str, new_tab: NewTab) -> None:
    tab = new_tab(address)
    terms = tab.locator("article:has(#coverage) dl div").all()
    shown = {term.locator("dt").inner_text(): number(term.locator("dd").inner_text()) for term in terms}
    rules = report["rules"].values()
    assert shown == {
        "Resources judged": sum(report["resources"].values()),
        "Rules": len(rules),
        "Checks passed or failed": sum(counts["pass"] + counts["fail"] for counts in rules),
        "Checks left unknown": sum(counts["unknown"] for counts in rules),
        "Blind spots": len(report["blind_spots"]),
    }


def test_topics(report: dict[str, Any], written: Path, address: str, new_tab: NewTab) -> None:
    tab = new_tab(address)
    opened = Counter(finding["topic"] for finding in open_findings(report))
    scores = {topic.name: topic.score for topic in posture(report_in(written, field="report")).topics}
    rows = tab.locator("table.topics tbody tr").all()
    assert len(rows) == len(scores)
    for row in rows:
        topic = row.locator("th").inner_text().replace(" ", "-")
        total, worst, score = row.locator("td").all_inner_texts()
        assert (number(total), number(score)) == (opened[topic], scores[topic])
        severities = {finding["severity"] for finding in open_findings(report) if finding["topic"] == topic}
        assert worst.lower() == next((severity for severity in SEVERITIES if severity in severities), "–")
        if total != "0":
            follow(tab, row.get_by_role("link"))
            assert count(tab).startswith(f"{total} finding")


def test_money(report: dict[str, Any], address: str, new_tab: NewTab) -> None:
    tab = new_tab(address)
    totals = report["money"]["totals"]
    assert tab.locator("#money .figure").inner_text().startswith(f"${totals['saving_usd']:,.0f} ")
    for title in ("owner", "topic"):
        parts = totals[f"by_{title}"]
        details = tab.locator("#money details", has_text=f"By {title}")
        details.locator("summary").click()
        rows = details.locator("tbody tr").all()
        assert len(rows) == len(parts)
        for row, part in zip(rows, parts, strict=True):
            saves, places, costs = row.locator("td").all_inner_texts()
            assert (number(saves) if saves != "–" else 0) == part["saving_usd"]
            assert (number(places) if places != "–" else 0) == part["places"]
            assert (number(costs) if costs != "–" else 0) == part["cost_usd"]


def test_where_endpoints_stand(report: dict[str, Any], address: str, new_tab: NewTab) -> None:
    tab = new_tab(address)
    variants = {
        (endpoint["name"], variant["name"] if len(endpoint["variants"]) > 1 else ""): variant
        for endpoint in report["endpoints"]
        for variant in endpoint["variants"]
    }
    more = tab.locator("#zones").get_by_role("button")
    while more.count() and more.first.is_visible():
        more.first.click()
    compared = 0
    for row in tab.locator(".map tbody tr").all():
        name, _, variant_name = row.locator("th").inner_text().partition(" / ")
        variant = variants.get((name.split()[0], variant_name.split()[0] if variant_name else ""))
        if variant is None:
            continue  # an endpoint of which AWS names no variant
        now = variant["current"] if variant["desired"] is None else variant["desired"]
        before = variant["current"] not in (None, now)
        instances = "–" if now is None else f"{variant['current']} → {now}" if before else str(now)
        assert row.locator("td[data-head=Instances]").inner_text() == instances
        if variant["maximum"] is not None:
            assert row.locator("td[data-head='Min–max']").inner_text() == f"{variant['minimum']}–{variant['maximum']}"
        compared += 1
    assert compared == len(variants)


def test_severities_and_the_list(report: dict[str, Any], address: str, new_tab: NewTab) -> None:
    tab = new_tab(address)
    counted = Counter(finding["severity"] for finding in open_findings(report))
    shown = {severity: number(tab.locator(f"[data-number=open_{severity}]").inner_text()) for severity in SEVERITIES}
    assert shown == {severity: counted[severity] for severity in SEVERITIES}
    said = re.fullmatch(r"(\d+) findings on (\d+) resources.*", count(tab))
    assert said is not None and int(said[1]) == len(open_findings(report))
    # An endpoint and its variants are one group.
    more = tab.locator(".findings").get_by_role("button", name=re.compile("more", re.IGNORECASE))
    while more.count() and more.first.is_visible():
        more.first.click()
    assert tab.locator(".group").count() == int(said[2])


def test_rehearsals(report: dict[str, Any], address: str, new_tab: NewTab) -> None:
    tab = new_tab(address)
    rehearsed = sum(
        variant.get("rehearsal") is not None for endpoint in report["endpoints"] for variant in endpoint["variants"]
    )
    said = tab.locator("#rehearsals .hint").first.inner_text()
    drawn = tab.locator("#rehearsals .replays > li").count()
    assert drawn == min(rehearsed, 60)
    if rehearsed > drawn:
        assert f"the {drawn} with the most minutes short of {rehearsed:,}" in said
