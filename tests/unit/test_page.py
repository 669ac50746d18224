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
    Resource,
    Saving,
    Severity,
    VariantCapacity,
)
from chalicelib.report.formats.first import actions
from chalicelib.report.formats.page import REHEARSALS, More, page, policy
from chalicelib.report.formats.trend import stacked
from chalicelib.report.headline import headline
from chalicelib.report.posture import Point
from tests.unit.test_charts import PROPOSED, a_chart
from tests.unit.test_notices import NOW, a_finding, a_report
from tests.unit.test_posture import DOWN, SINGLE

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
    finding = a_finding(1, name=hostile, summary=hostile, why=hostile, owner=hostile, evidence={hostile: hostile})
    spot = BlindSpot(account="1", region="r", operation=hostile, error=hostile)
    html = Reader(page(a_report(finding, blind_spots=[spot], complete=False)))
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
    for words in ("This audit is incomplete", "ec2:DescribeSubnets", "AccessDenied", "vpc-single-az"):
        assert words in text
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


@pytest.mark.parametrize("days", [0, 1])
def test_the_trend_begins_with_the_second_sweep(days: int) -> None:
    html = Reader(page(a_report(), trend=[a_point(day, 50.0) for day in range(days)]))
    assert "The trend begins with the second sweep" in html.text
    assert not [tag for tag, attributes in html.tags if "area" in (attributes.get("class") or "")]


def test_the_trend_is_a_stack_of_severities_with_dates_and_values() -> None:
    points = [a_point(day, None if day == 0 else 50.0) for day in (0, 1, 2)]
    worse = points[2]._replace(open={**points[2].open, Severity.LOW: 2})
    drawn = stacked([*points[:2], worse])
    assert drawn is not None and drawn.most == 4
    # high 0, 1, 2 of 4 at the bottom; low 0, 0, 2 upon it
    assert [(layer.severity, layer.path) for layer in drawn.layers] == [
        (Severity.HIGH, "M0.0 120.0L320.0 90.0L640.0 60.0L640.0 120.0L320.0 120.0L0.0 120.0Z"),
        (Severity.LOW, "M0.0 120.0L320.0 90.0L640.0 0.0L640.0 60.0L320.0 90.0L0.0 120.0Z"),
    ]
    text = " ".join(Reader(page(a_report(), trend=[*points[:2], worse])).text.split())
    assert "2026-11-22: 0" in text and "2026-11-24: 4" in text and "3 sweeps as a table" in text
    assert "2026-11-24 06:0002020450.00" in text  # critical to info, open, score, blind spots


def test_what_to_do_first_names_resource_owner_amount_and_console() -> None:
    hostile = Resource(kind="endpoint", arn="arn:x", name="x", console_url="javascript:alert(1)")
    assert "javascript:" not in page(a_report(a_finding(1, resource=hostile))).partition('id="data"')[0]
    console = "https://eu-west-1.console.aws.amazon.com/sagemaker/home?region=eu-west-1#/endpoints/churn"
    churn = Resource(
        kind="endpoint", arn="arn:aws:sagemaker:eu-west-1:1:endpoint/churn", name="churn", console_url=console
    )
    saving = Saving(monthly_usd=1240.4, basis="b")
    findings = [
        a_finding(
            1, resource=churn, owner="team-a", saving=saving, severity=Severity.CRITICAL, summary="churn is Failed."
        ),
        a_finding(2, resource=churn, severity=Severity.LOW),
        *(a_finding(number) for number in range(3, 12)),
    ]
    first, *others = actions(findings)
    assert (first.says, first.others, len(others)) == ("is Failed.", 1, 4)
    html = Reader(page(a_report(*findings)))
    text = " ".join(html.text.split())
    assert "Do this first critical churn is Failed. team-a · saves $1,240 a month · 1 more finding Open" in text
    assert console in [attributes.get("href") for tag, attributes in html.tags if tag == "a"]


def test_the_page_begins_with_the_headline() -> None:
    report = a_report(a_finding(1), endpoints=[DOWN, SINGLE])
    text = " ".join(Reader(page(report)).text.split())
    assert headline(report) in text and text.index(headline(report)) < text.index("Do this first")


def test_a_page_of_some_findings_says_where_the_others_are() -> None:
    html = page(a_report(a_finding(1)), more=More("limit=500", "next"), counted={"x": {Severity.LOW: 7}})
    read = Reader(html)
    assert read.data["more"] == {"query": "limit=500", "cursor": "next"}
    assert re.search(r"Open findings:\s+7", read.text)
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
