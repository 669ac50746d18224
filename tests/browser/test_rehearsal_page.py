"""The page of a rehearsal in Chromium: readable at any width and in the dark, for everybody, without a script."""

from pathlib import Path

import pytest

from tests.browser.conftest import NewTab
from tests.browser.test_page import violations
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
    assert tab.locator("svg.chart").bounding_box()


def test_it_tells_all_without_scripts_and_styles_by_its_hash(address: str, new_tab: NewTab) -> None:
    tab = new_tab(address, java_script_enabled=False)
    assert "would have been short for" in (tab.locator("p.first").text_content() or "")
    assert tab.locator("table").count() == 3
    assert tab.locator("script").count() == 0
