"""The report page in a real browser."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, expect

from chalicelib.report.findings import Finding, Severity
from chalicelib.report.formats.page import More, page
from emulator.account import EXPECTED
from tests.browser.conftest import NewTab, Seen, Site, a_page, many
from tests.unit.test_notices import a_report

FINDINGS = sum(len(rules) for rules in EXPECTED.values())
HOSTILE = "<img src=x onerror=\"document.title='taken'\">"
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def count(tab: Page) -> str:
    return tab.locator(".count span").inner_text()


def follow(tab: Page, link: Locator) -> None:
    """Clicks on a link to a part of the list, and waits for it: the browser tells the page of its new address in a task
    of its own, which comes after the click; the last that the page does then is to move the focus from the link."""
    link.click()
    expect(tab.locator("#findings")).to_be_focused()


def violations(tab: Page) -> list[str]:
    answer = Axe().run(tab, options={"runOnly": {"type": "tag", "values": WCAG}}).response
    return [
        f"{violation['id']}: {node['html'][:120]}" for violation in answer["violations"] for node in violation["nodes"]
    ]


def opened(tab: Page) -> None:
    """Opens the first group and its first finding."""
    tab.locator(".group > summary").first.click()
    tab.locator(".finding > summary").first.click()
    expect(tab.locator(".body").first).to_be_visible()


def test_the_demo_account_is_shown_whole(served: str, new_tab: NewTab, request: pytest.FixtureRequest) -> None:
    tab = new_tab(served)
    expect(tab.get_by_role("heading", name="SageMaker audit")).to_be_visible()
    # Where a ledger remembers, the first audit only notes the endpoint and the cluster that lack instances.
    noted = 2 if "ledger" in request.node.name else 0
    assert count(tab).startswith(f"{FINDINGS - noted} findings")
    assert re.fullmatch(r"\d+\.\d of 100, in danger", tab.locator(".score .figure").inner_text())
    assert tab.locator(".map tbody tr").count() == 15
    assert "are down" in tab.locator("#headline").inner_text()


def test_the_page_runs_nothing_but_its_own_script(served: str, new_tab: NewTab) -> None:
    tab = new_tab("about:blank")
    answer = tab.goto(served)
    assert answer is not None
    allowed = answer.headers["content-security-policy"]
    assert "default-src 'none'" in allowed and "unsafe" not in allowed and "frame-ancestors 'none'" in allowed
    assert tab.locator("meta[http-equiv=Content-Security-Policy]").count() == 1


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 360])
def test_the_page_is_accessible(served: str, new_tab: NewTab, scheme: str, width: int) -> None:
    tab = new_tab(served, color_scheme=scheme, viewport={"width": width, "height": 800})
    opened(tab)
    for details in tab.locator("main details:not([open])").all()[:3]:
        details.evaluate("one => one.open = true")
    assert violations(tab) == []


def test_a_narrow_page_needs_no_scrolling_sideways(served: str, new_tab: NewTab) -> None:
    tab = new_tab(served, viewport={"width": 360, "height": 740})
    opened(tab)
    assert tab.evaluate("document.documentElement.scrollWidth") == 360


def test_the_text_is_light_on_dark_where_that_is_wanted(served: str, new_tab: NewTab) -> None:
    def colours(scheme: str) -> tuple[int, int]:
        tab = new_tab(served, color_scheme=scheme)
        styles = tab.evaluate(
            "(() => { const s = getComputedStyle(document.body); return [s.color, s.backgroundColor] })()"
        )
        text, paper = (sum(map(int, re.findall(r"\d+", change)[:3])) for change in styles)
        return text, paper

    assert colours("light")[0] < colours("light")[1]
    assert colours("dark")[0] > colours("dark")[1]


@pytest.mark.parametrize(
    ("name", "value", "left"),
    [
        ("severity", "high", lambda finding: finding.severity.rank >= Severity.HIGH.rank),
        ("severity", "only-low", lambda finding: finding.severity is Severity.LOW),
        ("topic", "instance-fit", lambda finding: finding.topic == "instance-fit"),
        ("rule", "endpoint-idle", lambda finding: finding.rule == "endpoint-idle"),
        ("account", "123456789012", lambda finding: finding.account == "123456789012"),
        ("region", "us-east-1", lambda finding: finding.region == "us-east-1"),
        ("owner", "team-3", lambda finding: finding.owner == "team-3"),
    ],
)
def test_each_filter_leaves_what_it_says(
    site: Site, new_tab: NewTab, name: str, value: str, left: Callable[[Finding], bool]
) -> None:
    findings = many(240)
    tab = new_tab(site.show("/audit", a_page(findings)))
    tab.locator(f"#filter-{name}").select_option(value)
    wanted = sum(1 for finding in findings if left(finding))
    assert 0 < wanted < 240
    assert count(tab).startswith(f"{wanted} findings") and count(tab).endswith("of 240")
    assert f"{name}={value}" in tab.url
    tab.get_by_role("button", name="Clear").click()
    assert count(tab).startswith("240 findings")


def test_search_looks_for_every_word(site: Site, new_tab: NewTab) -> None:
    tab = new_tab(site.show("/audit", a_page(many(240))))
    tab.get_by_label("Search").fill("ENDPOINT-00007 instance-fit")
    assert count(tab) == "1 finding on 1 resource of 240"
    tab.get_by_label("Search").fill("nowhere")
    assert count(tab) == "No finding matches."


def test_findings_are_grouped_by_resource_or_by_rule(site: Site, new_tab: NewTab) -> None:
    tab = new_tab(site.show("/audit", a_page(many(240))))
    assert "on 240 resources" in count(tab)  # two findings of one name stand in different regions
    tab.get_by_label("Group").select_option("rule")
    assert "on 4 rules" in count(tab)
    assert tab.locator(".group").count() == 4
    assert "group=rule" in tab.url


def test_a_link_shows_the_same_to_somebody_else(site: Site, new_tab: NewTab) -> None:
    address = site.show("/audit", a_page(many(240)))
    tab = new_tab(address)
    tab.get_by_label("Severity").select_option("high")
    tab.get_by_label("Owner").select_option("team-3")
    other = new_tab(tab.url)
    assert count(other) == count(tab)
    assert other.get_by_label("Owner").input_value() == "team-3"


def test_a_finding_has_an_address_of_its_own(site: Site, new_tab: NewTab) -> None:
    address = site.show("/audit", a_page(many(2400)))
    tab = new_tab(f"{address}#finding=f-{2377:020x}")
    finding = tab.locator(f"#f-{2377:020x}")
    expect(finding.locator(".body")).to_be_in_viewport()
    expect(finding.locator("summary")).to_be_focused()


def test_a_finding_opens_to_all_that_is_known(site: Site, new_tab: NewTab) -> None:
    tab = new_tab(site.show("/audit", a_page(many(2))))
    opened(tab)
    text = tab.locator(".body").first.inner_text()
    for words in (
        "Why",
        "A single instance is lost",
        "Fix",
        "Run two.",
        "Evidence",
        "ml.m5.large",
        "History",
        "First seen",
    ):
        assert words.lower() in text.lower()
    assert tab.locator(".body a[href^='https://docs.aws']").count() == 1


def test_a_command_is_copied(site: Site, new_tab: NewTab) -> None:
    tab = new_tab(site.show("/audit", a_page(many(1))), permissions=["clipboard-read", "clipboard-write"])
    opened(tab)
    tab.get_by_role("button", name="Copy", exact=True).click()
    expect(tab.get_by_role("button", name="Copied", exact=True)).to_be_visible()
    copied = tab.evaluate("navigator.clipboard.readText()")
    assert copied == "aws sagemaker describe-endpoint --endpoint-name endpoint-00000"


def test_the_keyboard_alone_is_enough(site: Site, new_tab: NewTab) -> None:
    tab = new_tab(site.show("/audit", a_page(many(6))))
    tab.keyboard.press("Tab")
    expect(tab.get_by_text("Skip to the findings")).to_be_focused()
    tab.keyboard.press("Enter")
    tab.wait_for_url("**/audit#findings")
    tab.keyboard.press("Tab")
    expect(tab.get_by_label("Search")).to_be_focused()
    tab.keyboard.type("endpoint-00001")
    for _ in range(30):
        tab.keyboard.press("Tab")
        if tab.evaluate("document.activeElement.parentElement.className") == "group":
            break
    tab.keyboard.press("Enter")
    tab.keyboard.press("Tab")
    tab.keyboard.press("Enter")
    expect(tab.locator(".finding .body").first).to_be_visible()
    tab.keyboard.press("Tab")
    expect(tab.get_by_role("button", name="Copy").first).to_be_focused()


def test_names_are_text_whatever_they_hold(site: Site, new_tab: NewTab) -> None:
    finding = many(1)[0]
    hostile = finding.model_copy(
        update={
            "summary": f"{HOSTILE} fails",
            "title": HOSTILE,
            "why": f"</script>{HOSTILE}<!--script-->",
            "owner": HOSTILE,
            "resource": finding.resource.model_copy(update={"name": HOSTILE, "console_url": "javascript:alert(1)"}),
            "fix": finding.fix.model_copy(update={"text": HOSTILE, "commands": [f"echo {HOSTILE}"]}),
            "evidence": {"failure_reason": HOSTILE, HOSTILE: [HOSTILE, {"a": HOSTILE}]},
            "references": ["javascript:alert(1)", "https://docs.aws.amazon.com/"],
        }
    )
    tab = new_tab(site.show("/audit", a_page([hostile])))
    opened(tab)
    assert tab.locator("img").count() == 0
    assert tab.title() != "taken"
    assert tab.get_by_role("heading", name=HOSTILE).is_visible()
    assert tab.locator("a[href^=javascript]").count() == 0
    assert f"{HOSTILE} fails" in tab.locator(".body").inner_text()


def test_the_rest_is_loaded_when_it_is_wanted(site: Site, new_tab: NewTab, seen: Seen) -> None:
    records = [finding.model_dump(mode="json") for finding in many(700)]
    report = a_report(*many(700)[:300])
    address = site.show("/audit", page(report, more=More("limit=500", "first page")))
    site.tell("/audit?limit=500&cursor=first%20page", {"findings": records[300:500], "cursor": "second"})
    site.tell("/audit?limit=500&cursor=second", {"findings": records[500:], "cursor": None})
    tab = new_tab(address)
    assert count(tab).startswith("300 findings")
    assert not any("cursor" in path for path in seen.asked)
    tab.get_by_role("button", name="Load the rest").click()
    expect(tab.locator(".count span")).to_contain_text("700 findings")
    expect(tab.get_by_role("button", name="Load the rest")).to_be_hidden()
    tab.get_by_label("Search").fill("endpoint-00349")
    assert count(tab).startswith("2 findings")
    opened(tab)
    assert "Run two." in tab.locator(".body").inner_text()


def test_what_cannot_be_loaded_is_said_and_can_be_tried_again(site: Site, new_tab: NewTab, seen: Seen) -> None:
    address = site.show("/audit", page(a_report(*many(10)), more=More("limit=500", "gone")))
    tab = new_tab(address)
    tab.get_by_role("button", name="Load the rest").click()
    expect(tab.get_by_role("button", name="try again")).to_be_visible()
    expect(tab.get_by_role("status")).to_contain_text("the server answered 404")
    assert count(tab).startswith("10 findings")
    seen.errors.clear()  # the browser tells of the 404 itself


def test_five_thousand_findings_stay_few_elements(
    site: Site, new_tab: NewTab, capsys: pytest.CaptureFixture[str]
) -> None:
    tab = new_tab(site.show("/audit", a_page(many(5000))))
    assert count(tab).startswith("5,000 findings")
    assert tab.locator(".group").count() == 100
    assert tab.evaluate("document.querySelectorAll('*').length") < 3000
    paint = tab.evaluate("performance.getEntriesByName('first-contentful-paint')[0]?.startTime")
    filtered = tab.evaluate(
        """() => ["team-3", "endpoint-01", "idle", ""].map((text) => {
          const field = document.getElementById("filter-q"), start = performance.now();
          field.value = text;
          field.dispatchEvent(new Event("input"));
          document.body.offsetHeight;
          return Math.round(performance.now() - start);
        })"""
    )
    with capsys.disabled():
        print(f"\n5,000 findings: first paint {paint or 0:.0f} ms, filtering {filtered} ms")


def test_a_group_of_many_is_drawn_as_far_as_it_is_looked_at(site: Site, new_tab: NewTab) -> None:
    tab = new_tab(site.show("/audit", a_page(many(1000))) + "#group=rule")
    tab.locator(".group > summary").first.click()
    expect(tab.locator(".finding")).to_have_count(100)
    tab.get_by_role("button", name="Show 100 more").first.click()
    expect(tab.locator(".finding")).to_have_count(200)


def test_printing_with_the_appendix_shows_everything(site: Site, new_tab: NewTab, tmp_path: Path) -> None:
    tab = new_tab(site.show("/audit", a_page(many(150))))
    tab.get_by_label("Print with these findings").check()
    tab.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert tab.locator(".finding[open] .body").count() == 150
    tab.emulate_media(media="print")
    assert not tab.get_by_label("Search").is_visible()
    tab.pdf(path=str(tmp_path / "report.pdf"))
    assert (tmp_path / "report.pdf").read_bytes().count(b"/Type /Page") > 10


def test_the_page_tells_the_worst_without_scripts(site: Site, new_tab: NewTab) -> None:
    tab = new_tab(site.show("/audit", a_page(many(20))), java_script_enabled=False)
    assert tab.locator(".plain li").count() == 20
    assert "Run two." in tab.locator(".plain").inner_text()
