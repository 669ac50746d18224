"""The page of a rehearsal, and rehearsals on the report page, in Chromium: readable at any width, in the dark and on
paper, for everybody, without a script."""

from pathlib import Path

import pytest

from chalicelib.report.formats.page import page
from tests.browser.conftest import NewTab
from tests.browser.test_page import violations
from tests.unit.test_charts import PROPOSED, a_chart
from tests.unit.test_page import CALM, rehearsed
from tools.pictures import rehearsal_page


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The page as a file."""
    file: Path = tmp_path_factory.mktemp("rehearsal") / "page.html"
    file.write_text(rehearsal_page(), encoding="utf-8")
    return file.as_uri()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_everybody_can_read_it(address: str, new_tab: NewTab, width: int, scheme: str) -> None:
    tab = new_tab(
        address, viewport={"width": width, "height": 900}, color_scheme=scheme, bypass_csp=True, reduced_motion="reduce"
    )
    assert violations(tab) == []
    assert tab.evaluate("document.documentElement.scrollWidth") <= width
    assert tab.locator("svg.chart").first.bounding_box()


def test_it_tells_all_without_scripts_and_styles_by_its_hash(address: str, new_tab: NewTab) -> None:
    tab = new_tab(address, java_script_enabled=False)
    assert "would have been short for" in (tab.locator("p.first").text_content() or "")
    assert tab.locator("table").count() == 3
    assert tab.locator("script").count() == 0


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The report page with a variant that was short, and one that was not, as a file."""
    file: Path = tmp_path_factory.mktemp("report") / "page.html"
    file.write_text(page(rehearsed(late=a_chart(**PROPOSED), calm=a_chart(**CALM))), encoding="utf-8")
    return file.as_uri()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_rehearsals_on_the_report_page_are_for_everybody(report: str, new_tab: NewTab, width: int, scheme: str) -> None:
    tab = new_tab(
        report, viewport={"width": width, "height": 900}, color_scheme=scheme, bypass_csp=True, reduced_motion="reduce"
    )
    for folded in tab.locator("#rehearsals details > summary").all():
        folded.click()
    assert violations(tab) == []
    assert tab.evaluate("document.documentElement.scrollWidth") <= width
    assert tab.locator("#rehearsals svg.chart").count() == 3


def test_rehearsals_are_shown_without_scripts_and_on_paper(report: str, new_tab: NewTab) -> None:
    tab = new_tab(report, java_script_enabled=False)
    tab.emulate_media(media="print")
    drawn = tab.locator("#rehearsals svg.chart").first
    box = drawn.bounding_box()
    assert box is not None and box["width"] > 200 and box["height"] > 50
    assert drawn.get_attribute("aria-label") == "late/main: load up to 800 a minute, 1 to 4 instances, 60 minutes short"
