"""A narrowed report says in every format that it is one, and how much it leaves out."""

import csv
import io
import json
from typing import Any
from xml.etree import ElementTree

import pytest

from chalicelib.cli.table import Table
from chalicelib.report.findings import Exemption, Passed, Report, RuleCounts, Severity
from chalicelib.report.formats.junit import junit
from chalicelib.report.formats.writers import WRITERS
from chalicelib.report.merging import merged
from chalicelib.report.narrowing import narrowed
from chalicelib.report.shown import Shown
from tests.unit.test_notices import a_finding, a_report

MILD = Severity.LOW


def a_narrowed_report(*, high: int = 1) -> Report:
    """One finding from high on, three milder ones that are left out, one of them exempt."""
    exempt = a_finding(9, severity=MILD, status="exempt", exemption=Exemption(reason="dev"))
    worst = [a_finding(number) for number in range(high)]
    mild = [a_finding(number, severity=MILD) for number in (7, 8)]
    report = a_report(*worst, *mild, exempt, rules={"endpoint-single-instance": RuleCounts(fail=high + 3)})
    return narrowed(report, severity=Severity.HIGH)


WORDS = "Shown are findings from high on. 3 findings left out."


def said(name: str, text: str) -> list[str]:
    """Where a format says what is left out."""
    readers: dict[str, Any] = {
        "json": lambda: [json.loads(text)["shown"]["left_out"]],
        "jsonl": lambda: [line["shown"]["left_out"] for line in map(json.loads, text.splitlines()) if "shown" in line],
        "csv": lambda: [row["summary"] for row in csv.DictReader(io.StringIO(text)) if row["status"] == "narrowed"],
        "junit": lambda: [each.get("value") for each in ElementTree.fromstring(text).iter("property")],
        "sarif": lambda: [
            json.loads(text)["runs"][0]["properties"]["shown"]["left_out"],
            *(
                note["message"]["text"]
                for note in json.loads(text)["runs"][0]["invocations"][0]["toolExecutionNotifications"]
            ),
        ],
        "asff": lambda: [finding["ProductFields"]["auditor/shown"] for finding in json.loads(text)],
        "ocsf": lambda: [event["unmapped"]["shown"]["left_out"] for event in json.loads(text)],
        "markdown": lambda: [line.strip("*") for line in text.splitlines() if line.startswith("**Shown")],
        "html": lambda: [WORDS] if f"This report is narrowed.</strong> {WORDS}" in text else [],
    }
    return [str(value) for value in readers[name]()]


@pytest.mark.parametrize("name", WRITERS)
def test_every_format_says_what_it_leaves_out(name: str) -> None:
    texts = said(name, WRITERS[name](a_narrowed_report()))
    assert texts
    assert set(texts) <= {"3", WORDS}


@pytest.mark.parametrize("name", WRITERS)
def test_no_format_of_a_whole_report_speaks_of_it(name: str) -> None:
    text = WRITERS[name](narrowed(a_report(a_finding(1)), severity=Severity.INFO))
    assert WORDS[:17] not in text and "left_out" not in text


def test_the_table_says_it_and_never_that_nothing_was_found() -> None:
    text = "\n".join(line.plain for line in Table(a_narrowed_report(high=0), 120).lines())
    assert WORDS in text
    assert "No findings in what is shown" in text


def test_a_page_without_a_finding_does_not_say_that_nothing_is_open() -> None:
    page = WRITERS["html"](a_narrowed_report(high=0))
    assert "Nothing is open in what is shown." in page


NAMED = Shown(resources=["a", "b"], only_named=True)
ON_TOPIC = Shown(topic="instances", region="eu-west-1", left_out=None)


@pytest.mark.parametrize(
    ("shown", "words"),
    [
        (
            Shown(rules=["endpoint-idle"], rules_left_out=44),
            "by the rule endpoint-idle. 0 findings left out, 44 rules not judged.",
        ),
        (
            Shown(tags=["a=b", "team"], left_out=1),
            "with the tag a=b and with the tag team. 1 finding left out.",
        ),
        (
            Shown(resources=["a", "b"], only_named=True),
            "on 2 resources. 0 findings left out, other resources not looked at.",
        ),
        (
            Shown(topic="instances", region="eu-west-1", left_out=None),
            "on instances and in eu-west-1. Others are left out.",
        ),
    ],
)
def test_what_was_narrowed_is_told_in_words(shown: Shown, words: str) -> None:
    assert shown.words == f"Shown are findings {words}"


def test_narrowing_twice_counts_all_that_is_left_out() -> None:
    report = narrowed(a_narrowed_report(high=2), limit=1)
    assert report.shown is not None
    assert (report.shown.severity, report.shown.findings, report.shown.left_out) == (Severity.HIGH, 1, 4)


def test_regions_together_leave_out_what_each_of_them_does() -> None:
    report = merged([a_narrowed_report(), a_report(a_finding(5)), a_narrowed_report()])
    assert report.shown is not None
    assert (report.shown.findings, report.shown.left_out) == (3, 6)


# ---- what passed


def test_junit_names_what_passed_where_the_report_lists_it() -> None:
    passed = Passed(rule="endpoint-single-instance", account="1", region="r", kind="endpoint", name="good", arn="arn")
    counts = {"endpoint-single-instance": RuleCounts(passed=1, fail=1)}
    report = a_report(a_finding(1), rules=counts).model_copy(update={"passes": [passed]})
    suites = ElementTree.fromstring(junit(report)).iter("testsuite")
    (suite,) = [suite for suite in suites if suite.get("name") == "endpoint-single-instance"]
    fine = [case.get("name") for case in suite.iter("testcase") if case.find("failure") is None]
    assert fine == ["good"]


def test_the_table_lists_what_passed_by_rule() -> None:
    passed = [
        Passed(rule="endpoint-idle", account="1", region="r", kind="endpoint", name=name, arn="") for name in "ba"
    ]
    report = a_report().model_copy(update={"passes": passed})
    lines = [line.plain.rstrip() for line in Table(report, 120).lines()]
    start = lines.index("Passed")
    assert lines[start : start + 4] == ["Passed", "  endpoint-idle  2", "    a", "    b"]
