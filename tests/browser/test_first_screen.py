"""The first screen, the numbers on it, and what can be done with the list. The pictures stay in ``out/browser``."""

import csv
import json
import re
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from chalicelib.report.concern import Concern
from chalicelib.report.findings import EndpointCapacity, Finding, Report, Resource, Saving, Severity
from chalicelib.report.formats.page import page
from chalicelib.report.order import ordered
from chalicelib.report.posture import Point
from tests.browser.conftest import NewTab, Site, many
from tests.browser.test_page import count, follow, violations
from tests.unit.test_notices import NOW, a_finding, a_report
from tests.unit.test_posture import a_capacity, a_variant

PICTURES = Path(__file__).parents[2] / "out" / "browser"
SIZES = [(1280, 800), (768, 1024), (360, 740)]
CONSOLE = "https://eu-west-1.console.aws.amazon.com/sagemaker/home?region=eu-west-1#/endpoints/"


def named(endpoint: EndpointCapacity, name: str) -> EndpointCapacity:
    return endpoint.model_copy(update={"name": name})


def ranked_finding(number: int, name: str, concern: Concern, severity: Severity, **differences: Any) -> Finding:
    arn = f"arn:aws:sagemaker:eu-west-1:123456789012:endpoint/{name}"
    resource = Resource(kind="endpoint", arn=arn, name=name, console_url=CONSOLE + name)
    first = NOW - timedelta(days=number)
    return a_finding(number, concern=concern, severity=severity, resource=resource, first_seen=first, **differences)


def a_troubled_report() -> Report:
    """An account with something of everything that the first screen tells."""
    endpoints = [
        *(named(a_capacity(a_variant(minimum=2, maximum=6)), f"sound-{number:02}") for number in range(20)),
        named(a_capacity(a_variant(zones=["euw1-az1"])), "one-zone"),
        named(a_capacity(a_variant(current=1, desired=1, network="managed", zones=None)), "single"),
        named(a_capacity(status="Failed"), "gone-down").model_copy(update={"variants": []}),
        named(a_capacity(a_variant(network="unknown", zones=None)), "unread"),
    ]
    findings = [
        ranked_finding(
            1, "gone-down", Concern.BROKEN, Severity.CRITICAL, owner="team-b", summary="gone-down is Failed."
        ),
        ranked_finding(2, "single", Concern.WOULD_BREAK, Severity.HIGH, owner="team-a"),
        ranked_finding(3, "one-zone", Concern.WOULD_BREAK, Severity.HIGH, owner="team-c"),
        *(
            ranked_finding(
                number, f"idle-{number}", Concern.COSTS, Severity.MEDIUM, saving=Saving(monthly_usd=number, basis="b")
            )
            for number in range(100, 140)
        ),
        ranked_finding(200, "exempt", Concern.STYLE, Severity.LOW, status="exempt"),
    ]
    return a_report(*ordered(findings), endpoints=endpoints, zones={"eu-west-1": ["euw1-az1", "euw1-az2", "euw1-az3"]})


def a_trend() -> list[Point]:
    counts = [{Severity.CRITICAL: day % 3, Severity.HIGH: 9 - day // 5, Severity.LOW: 20} for day in range(30)]
    days = [NOW - timedelta(days=29 - day) for day in range(30)]
    return [Point(at, 40.0, open, 10, 0, ("eu-west-1",)) for at, open in zip(days, counts, strict=True)]


@pytest.fixture
def troubled(site: Site) -> str:
    return site.show("/audit", page(a_troubled_report(), trend=a_trend()))


def in_first_screen(tab: Page, selector: str) -> bool:
    box, size = tab.locator(selector).first.bounding_box(), tab.viewport_size
    assert box is not None and size is not None
    return box["y"] >= 0 and box["y"] + box["height"] <= size["height"] and box["x"] + box["width"] <= size["width"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("width", "height"), SIZES)
def test_the_first_screen_says_what_is_wrong_and_what_to_do(
    troubled: str, new_tab: NewTab, width: int, height: int, scheme: str
) -> None:
    tab = new_tab(troubled, viewport={"width": width, "height": height}, color_scheme=scheme)
    PICTURES.mkdir(parents=True, exist_ok=True)
    tab.screenshot(path=str(PICTURES / f"first-{width}x{height}-{scheme}.png"))
    assert in_first_screen(tab, "#headline")
    assert in_first_screen(tab, ".todo li")
    assert "1 endpoint is down" in tab.locator("#headline").inner_text()
    action = tab.locator(".todo li").first
    assert "gone-down" in action.inner_text() and "team-b" in action.inner_text()
    assert action.get_by_role("link", name="Open").get_attribute("href") == f"{CONSOLE}gone-down"
    assert tab.evaluate("document.documentElement.scrollWidth") == width
    assert violations(tab) == []


def test_every_number_is_that_of_the_report(troubled: str, new_tab: NewTab) -> None:
    report = json.loads(a_troubled_report().model_dump_json())
    open_findings = [finding for finding in report["findings"] if finding["status"] == "open"]
    counted = Counter(finding["severity"] for finding in open_findings)
    wanted = {
        "up": 23,
        "endpoints": len(report["endpoints"]),
        "survive_instance": 22,
        "survive_zone": 20,
        "unknown_endpoints": 1,
        "exempt": sum(finding["status"] == "exempt" for finding in report["findings"]),
        "open": len(open_findings),
        **{f"open_{severity.value}": counted[severity.value] for severity in Severity},
        # 24 endpoints, one of which is down: at most 40 × 23/24
        "score": 38.3,
    }
    tab = new_tab(troubled)
    shown = {
        element.get_attribute("data-number"): float(element.inner_text().replace(",", ""))
        for element in tab.locator("[data-number]").all()
    }
    assert shown == wanted


def test_a_click_on_a_number_shows_as_many(troubled: str, new_tab: NewTab) -> None:
    tab = new_tab(troubled)
    for link in tab.locator(".severities a:not(.none)").all():
        number = link.locator("b").inner_text()
        follow(tab, link)
        assert count(tab).startswith(f"{number} finding")
    tab.goto(troubled)
    failing = tab.locator(".map tr.failing th").all_inner_texts()
    assert [text.split()[0] for text in failing] == ["gone-down", "single", "one-zone"]
    tab.get_by_label("Only endpoints that are down").check()
    assert tab.locator(".map tbody tr").count() == len(failing)


def test_a_row_in_one_zone_looks_like_a_failing_row(troubled: str, new_tab: NewTab) -> None:
    tab = new_tab(troubled)
    row = tab.locator(".map tr", has=tab.get_by_text("one-zone"))
    assert "✕ only here" in row.inner_text() and "✕ not a zone" in row.inner_text()
    assert row.locator(".zone-yes").count() == 0


@pytest.mark.parametrize(
    ("order", "names"),
    [
        ("first", ["gone-down", "one-zone", "single", "idle-139"]),
        ("saving", ["idle-139", "idle-138", "idle-137", "idle-136"]),
        ("age", ["idle-139", "idle-138", "idle-137", "idle-136"]),
        ("owner", ["single", "gone-down", "one-zone", "idle-139"]),
        ("name", ["gone-down", "idle-100", "idle-101", "idle-102"]),
        ("severity", ["gone-down", "one-zone", "single", "idle-139"]),
    ],
)
def test_the_list_is_sorted_as_asked(troubled: str, new_tab: NewTab, order: str, names: list[str]) -> None:
    tab = new_tab(troubled)
    tab.get_by_label("Sort").select_option(order)
    shown = tab.locator(".group h3").all_inner_texts()[:4]
    assert [text.split()[0] for text in shown] == names


def test_columns_of_the_list_are_aligned(troubled: str, new_tab: NewTab) -> None:
    tab = new_tab(troubled)
    for cell in ("h3", ".what", ".owner", ".age", ".tail"):
        boxes = [locator.bounding_box() for locator in tab.locator(f".group > summary > {cell}").all()]
        assert len({round(box["x"]) for box in boxes if box is not None}) == 1, cell


def test_the_list_needs_no_scrolling_sideways_and_hides_no_column(troubled: str, new_tab: NewTab) -> None:
    tab = new_tab(troubled, viewport={"width": 360, "height": 740})
    first = tab.locator(".group > summary").first
    for cell in ("h3", ".what", ".owner", ".age", ".tail"):
        box = first.locator(cell).bounding_box()
        assert box is not None and box["x"] >= 0 and box["x"] + box["width"] <= 360 and box["height"] > 0, cell
    for column in tab.locator(".map tr").nth(1).locator("th, td").all():
        box = column.bounding_box()
        assert box is None or (box["x"] >= 0 and box["x"] + box["width"] <= 360)


def test_search_finds_evidence_and_commands(site: Site, new_tab: NewTab) -> None:
    findings = many(3)
    findings[1] = findings[1].model_copy(update={"evidence": {"subnets": ["subnet-0a11"]}})
    tab = new_tab(site.show("/audit", page(a_report(*findings))))
    tab.get_by_label("Search").fill("subnet-0a11")
    assert count(tab).startswith("1 finding on 1 resource")
    tab.get_by_label("Search").fill("describe-endpoint --endpoint-name endpoint-00001")
    assert count(tab).startswith("1 finding on 1 resource")


def test_what_is_shown_is_saved(troubled: str, new_tab: NewTab, tmp_path: Path) -> None:
    tab = new_tab(troubled)
    tab.get_by_label("Severity").select_option("only-high")
    for name in ("CSV", "JSON"):
        with tab.expect_download() as download:
            tab.get_by_role("button", name=f"Save as {name}").click()
        download.value.save_as(tmp_path / name)
    rows = list(csv.DictReader((tmp_path / "CSV").open(encoding="utf-8")))
    assert [row["resource"] for row in rows] == ["one-zone", "single"]
    saved = json.loads((tmp_path / "JSON").read_text())
    assert [finding["resource"]["name"] for finding in saved] == ["one-zone", "single"]


def test_no_cell_of_the_saved_csv_is_a_formula(site: Site, new_tab: NewTab, tmp_path: Path) -> None:
    tab = new_tab(site.show("/audit", page(a_report(a_finding(1, owner='=cmd|"x"!A1')))))
    with tab.expect_download() as download:
        tab.get_by_role("button", name="Save as CSV").click()
    download.value.save_as(tmp_path / "csv")
    (row,) = csv.DictReader((tmp_path / "csv").open(encoding="utf-8"))
    assert row["owner"] == '\'=cmd|"x"!A1'


def test_an_exemption_is_copied_as_a_piece_of_policy(troubled: str, new_tab: NewTab) -> None:
    yaml = pytest.importorskip("yaml")
    tab = new_tab(troubled, permissions=["clipboard-read", "clipboard-write"])
    tab.locator(".group > summary").first.click()
    tab.locator(".finding > summary").first.click()
    tab.get_by_role("button", name="Copy an exemption").click()
    piece = yaml.safe_load(tab.evaluate("navigator.clipboard.readText()"))
    (exemption,) = piece["exemptions"]
    assert exemption["resource"].endswith("endpoint/gone-down") and exemption["owner"] == "team-b"
    assert set(exemption) == {"rule", "resource", "reason", "owner", "expires"}


def test_paper_takes_two_pages_and_an_appendix_when_asked(troubled: str, new_tab: NewTab, tmp_path: Path) -> None:
    tab = new_tab(troubled)

    def pages() -> int:
        tab.pdf(path=str(tmp_path / "report.pdf"), format="A4")
        return len(re.findall(rb"/Type /Page\b", (tmp_path / "report.pdf").read_bytes()))

    assert pages() <= 2
    tab.get_by_label("Print with these findings").check()
    assert pages() > 3


def test_the_demo_account_is_printed_on_two_pages(served: str, new_tab: NewTab, tmp_path: Path) -> None:
    tab = new_tab(served)
    tab.pdf(path=str(tmp_path / "report.pdf"), format="A4")
    assert len(re.findall(rb"/Type /Page\b", (tmp_path / "report.pdf").read_bytes())) <= 2


def test_the_first_screen_works_by_keyboard(troubled: str, new_tab: NewTab) -> None:
    tab = new_tab(troubled)
    for _ in range(8):
        tab.keyboard.press("Tab")
        if tab.evaluate("document.activeElement.closest('.todo')") is not None:
            break
    expect(tab.locator(".todo li a").first).to_be_focused()
    tab.keyboard.press("Enter")
    expect(tab.locator(".finding .body").first).to_be_in_viewport()
