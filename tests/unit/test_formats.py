"""The report in other forms: valid by their own schemas, complete, and safe against what names may hold."""

import csv
import io
import json
import re
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.report.findings import BlindSpot, Exemption, Report, RuleCounts, Severity
from chalicelib.report.formats.comma_separated import COLUMNS, comma_separated
from chalicelib.report.formats.junit import junit
from chalicelib.report.formats.markdown import markdown
from chalicelib.report.formats.sarif import sarif
from chalicelib.report.formats.writers import WRITERS
from tests.unit.test_notices import HOSTILE, a_finding, a_report


def a_full_report() -> Report:
    spot = BlindSpot(account="1", region="r", operation="o", error="AccessDenied", effect=["endpoint-idle"])
    exempt = a_finding(3, status="exempt", exemption=Exemption(reason="dev"))
    return a_report(
        a_finding(1),
        a_finding(2, severity=Severity.LOW, rule="endpoint-idle", name=HOSTILE, owner="=cmd()"),
        exempt,
        blind_spots=[spot],
        complete=False,
        rules={
            "endpoint-single-instance": RuleCounts(passed=4, fail=2),
            "endpoint-idle": RuleCounts(fail=1, unknown=2),
        },
    )


@pytest.mark.thorough
@pytest.mark.parametrize("name", WRITERS)
@given(text=st.text(max_size=60))
def test_any_text_can_be_written(name: str, text: str) -> None:
    report = a_report(a_finding(1, name=text or "x", summary=text, owner=text, why=text))
    written = WRITERS[name](report)
    if name in ("json", "sarif", "asff"):
        json.loads(written)
    elif name == "junit":
        ElementTree.fromstring(written)
    elif name == "csv":
        assert len(list(csv.reader(io.StringIO(written)))) == 2
    elif name == "jsonl":
        assert [json.loads(line)["owner"] for line in written.split("\n") if line.startswith("{")] == [text]


def test_json_lines_hold_every_finding() -> None:
    lines = WRITERS["jsonl"](a_full_report()).splitlines()
    assert [json.loads(line)["status"] for line in lines] == ["open", "open", "exempt"]


def test_csv_has_its_columns_and_no_formula() -> None:
    rows = list(csv.DictReader(io.StringIO(comma_separated(a_full_report().findings))))
    assert tuple(rows[0]) == COLUMNS
    assert [row["status"] for row in rows] == ["open", "open", "exempt"]
    assert rows[1]["owner"] == "'=cmd()"
    assert json.loads(rows[0]["evidence"]) == {"desired_instance_count": 1}


@pytest.mark.parametrize(
    "address", ["https://evil.example", "HTTP://evil.example", "www.evil.example", "mailto:a@b.example", "a@b.example"]
)
def test_github_makes_no_link_of_an_address_in_a_name(address: str) -> None:
    finding = a_full_report().findings[0]
    named = finding.model_copy(
        update={
            "resource": finding.resource.model_copy(update={"name": address}),
            "summary": f"see {address} or ({address})",
            "fix": finding.fix.model_copy(update={"text": address, "commands": []}),
        }
    )
    text = markdown(a_full_report().model_copy(update={"findings": [named]}))
    assert not re.search(r"(?i)https?://|www\.(?!\u200b)|(mailto|xmpp):(?!\u200b)|[a-z]@[a-z]", text)
    assert address.split(":")[-1].lstrip("/").split("@")[-1].removeprefix("www.") in text, "it is there to be read"


def test_markdown_tells_counts_and_breaks_no_table() -> None:
    text = markdown(a_full_report())
    assert "Findings: 1 high, 1 low." in text
    assert "<script>" not in text
    assert "@channel" not in text and "<!channel>" not in text
    rows = [line for line in text.splitlines() if line.startswith("| high") or line.startswith("| low")]
    assert len(rows) == 2
    assert "Blind spot: o: AccessDenied (1 rules unknown)" in text


def test_junit_counts_failures_and_skips_what_is_unknown() -> None:
    root = ElementTree.fromstring(junit(a_full_report()))
    assert (root.get("tests"), root.get("failures")) == ("4", "2")
    assert len(root.findall(".//failure")) == 2
    assert len(root.findall(".//skipped")) == 1


def test_sarif_names_each_rule_once_and_each_open_finding() -> None:
    run = json.loads(sarif(a_full_report()))["runs"][0]
    rules = run["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == ["endpoint-idle", "endpoint-single-instance"]
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
    assert [result["level"] for result in run["results"]] == ["error", "note"]
    assert run["invocations"][0]["executionSuccessful"] is False
    for rule in rules:
        assert rule["properties"]["tags"][0] == "security" and float(rule["properties"]["security-severity"]) > 0
        assert (
            rule["help"]["text"] in rule["help"]["markdown"]
            and f"auditor rules {rule['id']}" in rule["help"]["markdown"]
        )
