"""The report page as text: what it holds, and that nothing in it can break out. The browser tests look at it."""

import base64
import hashlib
import json
import re
from datetime import timedelta
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.report.findings import (
    BlindSpot,
    Deferral,
    EndpointCapacity,
    Report,
    Saving,
    Severity,
    VariantCapacity,
)
from chalicelib.report.formats.page import REHEARSALS, More, page, policy
from chalicelib.report.posture import Point
from tests.unit.test_charts import PROPOSED, a_chart
from tests.unit.test_notices import NOW, a_finding, a_report

pytestmark = pytest.mark.thorough


class Reader(HTMLParser):
    """What a browser would run, load, and show as text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.held: dict[str, str] = {}
        self.text = ""
        self._inside = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._inside = dict(attrs).get("id") or tag if tag in ("script", "style") else ""

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.held[self._inside] = self.held.get(self._inside, "") + data
        else:
            self.text += data

    @property
    def data(self) -> Any:
        return json.loads(self.held["data"])


def test_the_page_is_one_file_that_loads_nothing() -> None:
    html = Reader(page(a_report(a_finding(1))))
    assert [tag for tag, _ in html.tags if tag in ("link", "img", "iframe", "object", "embed")] == []
    assert [attributes for _, attributes in html.tags if "src" in attributes or "style" in attributes] == []
    assert all(not name.startswith("on") for _, attributes in html.tags for name in attributes)


def test_style_and_script_are_allowed_by_their_hash_alone() -> None:
    html = Reader(page(a_report(a_finding(1))))
    for name, directive in (("style", "style-src"), ("script", "script-src")):
        digest = base64.b64encode(hashlib.sha256(html.held[name].encode()).digest()).decode()
        assert f"{directive} 'sha256-{digest}'" in policy(framed=True)
        assert any(
            tag == "meta" and f"{directive} 'sha256-{digest}'" in (a.get("content") or "") for tag, a in html.tags
        )
    assert "unsafe" not in policy() and "default-src 'none'" in policy()


@given(st.text(max_size=60))
def test_no_text_breaks_out_of_the_page(text: str) -> None:
    hostile = f"{text}</script><img src=x onerror=alert(1)><!--script-->"
    one = a_finding(1, name=hostile, summary=hostile, why=hostile, owner=hostile, evidence={hostile: hostile})
    spot = BlindSpot(account="1", region="r", operation=hostile, error=hostile)
    html = Reader(page(a_report(one, blind_spots=[spot], complete=False)))
    assert [tag for tag, _ in html.tags if tag == "img"] == []
    assert [tag for tag, _ in html.tags].count("script") == 2
    assert html.data["findings"][0]["summary"].endswith("</script><img src=x onerror=alert(1)><!--script-->")


def test_all_findings_travel_and_shared_texts_stand_once() -> None:
    findings = [a_finding(number) for number in range(50)]
    html = page(a_report(*findings))
    data = Reader(html).data
    assert [finding["id"] for finding in data["findings"]] == [finding.id for finding in findings]
    assert [data["texts"][finding["why"]] for finding in data["findings"]] == [finding.why for finding in findings]
    assert Reader(html).held["data"].count(findings[0].why.strip()) == 1


def test_references_that_are_no_web_address_are_left_out() -> None:
    data = Reader(page(a_report(a_finding(1, references=["javascript:alert(1)", "https://a.example/"])))).data
    assert [data["texts"][reference] for reference in data["findings"][0]["references"]] == ["https://a.example/"]


def test_blind_spots_are_named() -> None:
    spot = BlindSpot(
        account="1", region="r", operation="ec2:DescribeSubnets", error="AccessDenied", effect=["vpc-single-az"]
    )
    text = Reader(page(a_report(blind_spots=[spot], complete=False))).text
    for told in ("This audit is incomplete", "ec2:DescribeSubnets", "AccessDenied", "vpc-single-az"):
        assert told in text
    assert "incomplete" not in Reader(page(a_report())).text


def test_what_was_left_to_the_next_sweep_is_one_line() -> None:
    left = Deferral(account="1", region="r", part="scaling-policies", resources=["a", "b"], reason="16 calls")
    assert "Left to the next sweep: scaling policies (2)." in Reader(page(a_report(deferred=[left]))).text
    assert "Left to" not in Reader(page(a_report())).text


def test_known_savings_are_summed() -> None:
    findings = [a_finding(number, saving=Saving(monthly_usd=600.4, basis="b")) for number in range(2)]
    assert "Known savings: $1,201 a month." in Reader(page(a_report(*findings))).text
    assert "savings" not in Reader(page(a_report(a_finding(1)))).text


def a_point(day: int, score: float | None) -> Point:
    counts = {severity: 0 for severity in Severity} | {Severity.HIGH: day}
    return Point(NOW + timedelta(days=day), score, counts, 10, 0, ("eu-west-1",))


@pytest.mark.parametrize(("scores", "points"), [([], 0), ([50.0], 0), ([50.0, 75.0], 2), ([None, 50.0, None, 75.0], 2)])
def test_the_trend_is_a_line_through_the_scores(scores: list[float | None], points: int) -> None:
    html = Reader(page(a_report(), trend=[a_point(day, one) for day, one in enumerate(scores)]))
    lines = [attributes["points"] or "" for tag, attributes in html.tags if tag == "polyline"]
    assert [len(line.split()) for line in lines] == ([points] if points else [])
    if scores == [50.0, 75.0]:
        assert lines == ["4.0,32.0 316.0,18.0"]


def test_a_page_of_some_findings_says_where_the_others_are() -> None:
    html = page(a_report(a_finding(1)), more=More("limit=500", "next"), counted={"x": {Severity.LOW: 7}})
    read = Reader(html)
    assert read.data["more"] == {"query": "limit=500", "cursor": "next"}
    assert re.search(r"Open findings\s+7", read.text)
    assert "As the last sweep counted them" in read.text


def test_an_empty_report_says_so() -> None:
    text = Reader(page(a_report())).text
    assert "Nothing is open." in text and "Nothing was judged." in text


def rehearsed(**charts: Any) -> Report:
    """A report on endpoints whose variant was rehearsed, with these charts."""
    return a_report(
        endpoints=[
            EndpointCapacity(
                account="123456789012",
                region="eu-west-1",
                name=name,
                arn=f"arn:aws:sagemaker:eu-west-1:123456789012:endpoint/{name}",
                status="InService",
                variants=[VariantCapacity(name="main", mode="instances", network="managed", rehearsal=chart)],
            )
            for name, chart in charts.items()
        ]
    )


CALM = {"short": [0] * 6, "serving": [4] * 6}


def test_rehearsals_are_drawn_without_a_script_and_told_as_a_table() -> None:
    html = Reader(page(rehearsed(calm=a_chart(**CALM), late=a_chart(**PROPOSED), unrehearsed=None)))
    drawn = [attributes for tag, attributes in html.tags if tag == "svg" and attributes.get("role") == "img"]
    assert [attributes["aria-label"] for attributes in drawn] == [
        "late/main: load up to 800 a minute, 1 to 4 instances, 60 minutes short",
        "late/main with the proposal: load up to 800 a minute, 2 to 4 instances, 5 minutes short",
        "calm/main: load up to 800 a minute, 4 instances, 0 minutes short",
    ]
    text = " ".join(html.text.split())
    assert "Short for 60 minutes on 1 to 4 instances; with the proposal for 5 minutes, on 2 to 4 instances." in text
    assert "1 variant had enough, and not too much" in text
    assert "Tue 38001 to 4602 to 45" in html.text, "day, load, instances, short; proposal, short"
    assert html.data["endpoints"][1]["variants"][0].keys().isdisjoint({"rehearsal"}), "it is drawn already"


def test_of_many_rehearsals_those_are_shown_that_were_short_the_longest() -> None:
    charts = {f"e{number:03}": a_chart(short=[number, *[0] * 5]) for number in range(REHEARSALS + 20)}
    html = page(rehearsed(**charts))
    assert html.count('<li class="replay">') == REHEARSALS
    assert f"the {REHEARSALS} with the most minutes short of {REHEARSALS + 20}" in html
    drawn = html.split('id="data"')[0]
    assert f"e{REHEARSALS + 19:03}/main" in drawn and "e000/main" not in drawn


def test_without_rehearsals_nothing_is_said_of_them() -> None:
    assert "Would it have been enough?" not in page(a_report(a_finding(1)))
