"""Every format, parsed by somebody else's parser or schema, over reports that are odd or hostile."""

import csv
import io
import json
import re
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from xml.etree import ElementTree

import botocore.session
import jsonschema
import pytest
from botocore.validate import ParamValidator
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token
from py_ocsf_models.events.findings.compliance_finding import ComplianceFinding

from chalicelib.report.findings import (
    BlindSpot,
    Declaration,
    Exemption,
    Finding,
    Fix,
    Report,
    RuleCounts,
    Saving,
    Severity,
)
from chalicelib.report.formats.asff import FINDING_BYTES
from chalicelib.report.formats.comma_separated import COLUMNS, FORMULA, comma_separated
from chalicelib.report.formats.markdown import COMMENT, markdown
from chalicelib.report.formats.sarif import RESULTS, sarif
from chalicelib.report.formats.writers import WRITERS
from tests.examples import examples
from tests.unit.test_notices import NOW, a_finding, a_report

pytestmark = pytest.mark.thorough

SCHEMAS = Path(__file__).parents[1] / "fixtures" / "schemas"
NASTY = {
    "quotes": "\"it's\" `tick` ```fence``` 'x'",
    "html": "<img src=x onerror=alert(1)></script>]]>&amp;<!--",
    "lines": "first\r\nsecond\n\n| a | b |\n# heading\u2028third\x85",
    "signs": "\x00\x07\x1b[31m\u202egnirts\u200f\ufeff\ufffe\uffff",
    "emoji": "modèle 👩‍🔬 𝔘 日本 🇩🇪",
    "mentions": "@org/team closes #12, GH-3 ![x](https://evil.example/t.png) [y](javascript:alert(1)) https://a.example",
    "formula": '=HYPERLINK("https://evil.example")',
    "path": "../../etc/./passwd//%2e%2e?x#y",
    "long": "x" * 1_000,
    "pipes": "a|b\\|c\\\\|d",
}


def hostile(text: str, **differences: Any) -> Finding:
    """A finding that says ``text`` wherever an account's owner could put it."""
    return a_finding(
        1,
        **{
            "name": text,
            "owner": text,
            "title": text,
            "summary": text,
            "why": text,
            "fix": Fix(text=text, commands=[text]),
            "evidence": {"text": text, "nothing": None, "list": [1.5, text]},
            "references": ["not a link", f"https://example.org/{text}"],
            "saving": Saving(monthly_usd=1.5, basis=text),
            **differences,
        },
    )


SPOT = BlindSpot(account="1", region="r", operation=NASTY["mentions"], error=NASTY["html"], effect=["a", "b"])
EXEMPT = hostile("exempt", status="exempt", exemption=Exemption(reason=NASTY["html"]))
GONE = hostile("gone", status="resolved", resolved_at=NOW + timedelta(hours=1))
COUNTS = {"endpoint-single-instance": RuleCounts(passed=1, fail=1, unknown=1)}
REPORTS = {
    **{name: a_report(hostile(text), rules=COUNTS, blind_spots=[SPOT]) for name, text in NASTY.items()},
    "empty": a_report(),
    "exempt alone": a_report(EXEMPT, rules=COUNTS),
    "resolved alone": a_report(GONE, rules=COUNTS),
    "blind spots alone": a_report(blind_spots=[SPOT], complete=False),
    "all": a_report(*(hostile(text) for text in NASTY.values()), EXEMPT, GONE, rules=COUNTS, blind_spots=[SPOT]),
}


@cache
def schema(name: str, draft: Any) -> Any:
    content = json.loads((SCHEMAS / name).read_text(encoding="utf-8"))
    draft.check_schema(content)
    return draft(content, format_checker=draft.FORMAT_CHECKER)


def parse_json(report: Report, text: str) -> None:
    assert Report.model_validate_json(text) == report


def parse_json_lines(report: Report, text: str) -> None:
    lines = text.split("\n")
    assert lines.pop() == ""
    assert [json.loads(line)["id"] for line in lines] == [finding.id for finding in report.findings]


def parse_csv(report: Report, text: str) -> None:
    rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    assert tuple(rows[0]) == COLUMNS
    assert [len(row) for row in rows] == [len(COLUMNS)] * (len(report.findings) + 1)
    assert not any(cell.startswith(FORMULA) for row in rows for cell in row)
    assert not any("\0" in cell for row in rows for cell in row)


def tokens(text: str) -> list[Token]:
    items = []
    for token in MarkdownIt("commonmark", {"linkify": False}).enable("table").parse(text):
        items += [token, *(token.children or [])]
    return items


def parse_markdown(report: Report, text: str) -> None:
    assert len(text) <= COMMENT
    items = tokens(text)
    finding_count = len(report.open_findings())
    rows = sum(token.type == "tr_open" for token in items)
    assert rows == (finding_count + 1 if finding_count else 0)
    html = "".join(token.content for token in items if token.type.startswith("html"))
    assert re.sub(r"\s", "", html) in ("", "<details><summary>Fixes</summary></details>")
    assert not {"image", "link_open", "em_open", "code_inline"} & {token.type for token in items}
    assert sum(token.type == "heading_open" for token in items) == 1
    shown = "".join(token.content for token in items if token.type == "text")
    assert not re.search(r"[@#][\w-]", shown)


def parse_junit(report: Report, text: str) -> None:
    root = ElementTree.fromstring(text)
    assert root.tag == "testsuites"
    for counted in (root, *root):
        cases = counted.findall(".//testcase")
        assert int(counted.attrib["tests"]) == len(cases)
        assert int(counted.attrib["failures"]) == sum(case.find("failure") is not None for case in cases)
    for suite in root:
        assert {"name", "tests", "failures", "errors", "skipped", "timestamp"} <= suite.attrib.keys()
        assert int(suite.attrib["skipped"]) == len(suite.findall("testcase/skipped"))
    for case in root.iter("testcase"):
        assert case.attrib["name"] and case.attrib["classname"]
        assert {child.tag for child in case} <= {"failure", "skipped"}


def parse_sarif(report: Report, text: str) -> None:
    log = json.loads(text)
    schema("sarif-2.1.0-rtm.5.json", jsonschema.Draft4Validator).validate(log)
    (run,) = log["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert len({rule["id"] for rule in rules}) == len(rules)
    assert len(run["results"]) == len(report.open_findings())
    for rule in rules:
        assert len(rule["properties"]["tags"]) <= 10
        assert 0 < float(rule["properties"]["security-severity"]) <= 10
        assert max(len(rule[key]["text"]) for key in ("shortDescription", "fullDescription")) <= 1024
        assert not re.search(r"[^!-~]", rule.get("helpUri", ""))
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        (location,) = result["locations"]
        uri = location["physicalLocation"]["artifactLocation"]["uri"]
        parts = urlsplit(uri)
        assert (parts.scheme, parts.netloc, parts.query, parts.fragment) == ("", "", "", "")
        assert not {".", ".."} & set(parts.path.split("/"))
        assert not re.search(r"[^!-~]", uri)
        assert location["physicalLocation"]["region"]["startLine"] == 1
        assert result["partialFingerprints"]["primaryLocationLineHash"]
    notes = run["invocations"][0]["toolExecutionNotifications"]
    assert len(notes) == len(report.blind_spots)


@cache
def batch_of_findings() -> Any:
    model = botocore.session.get_session().get_service_model("securityhub")
    return model.operation_model("BatchImportFindings").input_shape


def parse_asff(report: Report, text: str) -> None:
    findings = json.loads(text)
    if findings:
        assert ParamValidator().validate({"Findings": findings}, batch_of_findings()).generate_report() == ""
    assert len(findings) == len(report.open_findings())
    assert all(len(json.dumps(finding)) <= FINDING_BYTES for finding in findings)


def parse_ocsf(report: Report, text: str) -> None:
    events = json.loads(text)
    validator = schema("ocsf-1.5.0-compliance-finding.json", jsonschema.Draft202012Validator)
    assert [event["finding_info"]["uid"] for event in events] == [finding.id for finding in report.findings]
    for event in events:
        validator.validate(event)
        ComplianceFinding.model_validate(event)


class Page(HTMLParser):
    """The elements of a page, and every attribute that any of them has."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: Counter[str] = Counter()
        self.attributes: set[str] = set()
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements[tag] += 1
        self.attributes |= {name for name, _ in attrs}


def parse_html(report: Report, text: str) -> None:
    page, empty = Page(text), Page(WRITERS["html"](a_report()))
    assert page.elements["html"] == page.elements["body"] == 1
    assert page.elements["script"] == empty.elements["script"]
    assert page.elements["img"] == empty.elements["img"]
    assert not {name for name in page.attributes if name.startswith("on")}


PARSERS: dict[str, Callable[[Report, str], None]] = {
    "json": parse_json,
    "jsonl": parse_json_lines,
    "csv": parse_csv,
    "markdown": parse_markdown,
    "junit": parse_junit,
    "sarif": parse_sarif,
    "asff": parse_asff,
    "ocsf": parse_ocsf,
    "html": parse_html,
}


def test_every_format_has_a_parser_here() -> None:
    assert PARSERS.keys() == WRITERS.keys()


@pytest.mark.thorough
@pytest.mark.parametrize("report", REPORTS)
@pytest.mark.parametrize("name", PARSERS)
def test_an_odd_report_is_parsed(name: str, report: str) -> None:
    written = WRITERS[name](REPORTS[report])
    written.encode("utf-8")
    PARSERS[name](REPORTS[report], written)


@pytest.mark.thorough
@examples(40)
@given(text=st.text(min_size=1, max_size=80))
def test_any_text_is_parsed_in_every_format(text: str) -> None:
    report = a_report(hostile(text), rules=COUNTS)
    for name, parse in PARSERS.items():
        parse(report, WRITERS[name](report))


# ---- limits


def many(number: int) -> Report:
    return a_report(*(hostile(NASTY["pipes"] * 9, id=f"f-{index:020x}") for index in range(number)), rules=COUNTS)


@pytest.mark.thorough
def test_a_comment_that_would_be_too_long_says_what_it_leaves_out() -> None:
    text = markdown(many(2_000))
    assert COMMENT * 0.9 < len(text) <= COMMENT
    rows = sum(token.type == "tr_open" for token in tokens(text)) - 1
    assert f"\n{2_000 - rows} findings are left out here" in text
    fixes = text.count("(endpoint-single-instance)")
    assert fixes and f"\n{2_000 - fixes} fixes are left out here" in text
    assert text.count("</details>") == 1


def test_blind_spots_beyond_the_room_are_counted() -> None:
    text = markdown(a_report(blind_spots=[SPOT] * 1_000))
    assert len(text) <= COMMENT
    shown = text.count("Blind spot:")
    assert shown and f"\n{1_000 - shown} blind spots are left out here" in text


def test_sarif_holds_the_worst_results_that_github_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    assert RESULTS == 25_000
    monkeypatch.setattr("chalicelib.report.formats.sarif.RESULTS", 10)
    (run,) = json.loads(sarif(a_report(*(a_finding(number) for number in range(12)))))["runs"]
    assert [result["partialFingerprints"]["findingId/v1"] for result in run["results"]] == [
        f"f-{number:020x}" for number in range(10)
    ]
    (note,) = run["invocations"][0]["toolExecutionNotifications"]
    assert note["message"]["text"].startswith("2 results are left out")


def test_sarif_names_the_line_that_declares_a_resource() -> None:
    declared = Declaration(file="infra/main file.tf", line=12, address="Endpoint")
    finding = a_finding(1)
    finding = finding.model_copy(update={"resource": finding.resource.model_copy(update={"declared": declared})})
    report = a_report(finding)
    text = sarif(report)
    schema("sarif-2.1.0-rtm.5.json", jsonschema.Draft4Validator).validate(json.loads(text))
    (result,) = json.loads(text)["runs"][0]["results"]
    place = result["locations"][0]["physicalLocation"]
    assert (place["artifactLocation"]["uri"], place["region"]["startLine"]) == ("infra/main%20file.tf", 12)
    assert result["partialFingerprints"] == {"findingId/v1": finding.id}


# ---- what each holds


def test_csv_reads_back_as_it_was() -> None:
    text = NASTY["emoji"] + '\nnew line, comma; "quoted"'
    (row,) = csv.DictReader(io.StringIO(comma_separated([hostile(text)]), newline=""))
    assert (row["resource"], row["summary"], row["commands"]) == (text, text, text)
    assert json.loads(row["evidence"]) == {"text": text, "nothing": None, "list": [1.5, text]}
    assert (row["saving_monthly_usd"], row["first_seen"], row["resolved_at"]) == ("1.5", "2026-11-22T06:00:00Z", "")


@pytest.mark.parametrize("sign", FORMULA)
def test_no_cell_is_a_formula(sign: str) -> None:
    (row,) = csv.DictReader(io.StringIO(comma_separated([hostile(f"{sign}1+1")])))
    assert {row["resource"], row["owner"], row["fix"]} == {f"'{sign}1+1"}


def ocsf_of(finding: Finding) -> dict[str, Any]:
    (event,) = json.loads(WRITERS["ocsf"](a_report(finding)))
    return dict(event)


@pytest.mark.parametrize(
    ("finding", "activity", "status", "compliance"),
    [
        (a_finding(1), (1, "Create"), (1, "New"), (3, "Fail")),
        (a_finding(1, last_seen=NOW + timedelta(days=1)), (2, "Update"), (1, "New"), (3, "Fail")),
        (EXEMPT, (1, "Create"), (3, "Suppressed"), (3, "Fail")),
        (GONE, (3, "Close"), (4, "Resolved"), (1, "Pass")),
    ],
)
def test_an_ocsf_event_tells_what_became_of_the_finding(
    finding: Finding, activity: tuple[int, str], status: tuple[int, str], compliance: tuple[int, str]
) -> None:
    event = ocsf_of(finding)
    assert (event["activity_id"], event["activity_name"]) == activity
    assert event["type_uid"] == event["class_uid"] * 100 + activity[0]
    assert (event["status_id"], event["status"]) == status
    assert (event["compliance"]["status_id"], event["compliance"]["status"]) == compliance


def test_an_ocsf_event_holds_times_place_and_evidence() -> None:
    event = ocsf_of(hostile("x", last_seen=NOW + timedelta(days=1)))
    assert event["finding_info"]["first_seen_time"] == int(NOW.timestamp() * 1000)
    assert event["time"] == event["finding_info"]["last_seen_time"] == int(NOW.timestamp() * 1000) + 86_400_000
    assert event["cloud"]["account"]["uid"] == "123456789012"
    assert (event["cloud"]["region"], event["resources"][0]["cloud_partition"]) == ("eu-west-1", "aws")
    assert event["unmapped"]["evidence"] == {"text": "x", "nothing": None, "list": [1.5, "x"]}
    assert event["compliance"]["standards"] == ["sagemaker-auditor policy baseline"]


@pytest.mark.parametrize(
    ("severity", "number", "name"),
    [
        ("info", 1, "Informational"),
        ("low", 2, "Low"),
        ("medium", 3, "Medium"),
        ("high", 4, "High"),
        ("critical", 5, "Critical"),
    ],
)
def test_ocsf_has_its_own_numbers_for_severities(severity: str, number: int, name: str) -> None:
    event = ocsf_of(a_finding(1, severity=Severity(severity)))
    assert (event["severity_id"], event["severity"]) == (number, name)


def test_junit_keeps_letters_beyond_the_first_plane() -> None:
    root = ElementTree.fromstring(WRITERS["junit"](a_report(hostile("🇩🇪 𝔘"), rules=COUNTS)))
    assert root.findall(".//testcase")[0].attrib["name"] == "🇩🇪 𝔘"
