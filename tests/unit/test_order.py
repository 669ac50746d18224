"""One order everywhere: broken now, would break, costs, style."""

import csv
import json
import random
import re
from datetime import timedelta
from io import StringIO

import pytest

from chalicelib.cli.table import Table
from chalicelib.ledger.items import item_of
from chalicelib.notices.decide import decide, digest
from chalicelib.policy.policy import load_policy
from chalicelib.report.concern import Concern
from chalicelib.report.difference import difference
from chalicelib.report.findings import Finding, Resource, Saving, Severity
from chalicelib.report.formats.comma_separated import comma_separated
from chalicelib.report.formats.markdown import markdown
from chalicelib.report.formats.page import page
from chalicelib.report.known import Known, Resolution
from chalicelib.report.merging import merged
from chalicelib.report.order import ordered, sort_key
from chalicelib.rules import RULES
from tests.unit.test_notices import NOW, a_finding, a_report


def ranked_finding(
    name: str, concern: Concern, severity: Severity, usd: float | None = None, *, status: str = "open"
) -> Finding:
    arn = f"arn:aws:sagemaker:eu-west-1:123456789012:endpoint/{name}"
    return a_finding(
        int.from_bytes(name.encode()[:8]),
        concern=concern,
        severity=severity,
        status=status,
        saving=Saving(monthly_usd=usd, basis="b") if usd is not None else None,
        resource=Resource(kind="endpoint", arn=arn, name=name),
        summary=f"summary of {name}.",
    )


#: As a person at three in the morning would read them.
FINDINGS = [
    ranked_finding("aa-down", Concern.BROKEN, Severity.CRITICAL),
    ranked_finding("bb-degraded", Concern.BROKEN, Severity.MEDIUM),
    ranked_finding("cc-single", Concern.WOULD_BREAK, Severity.HIGH),
    ranked_finding("dd-single", Concern.WOULD_BREAK, Severity.HIGH),
    ranked_finding("ee-slow", Concern.WOULD_BREAK, Severity.MEDIUM),
    ranked_finding("zz-dear", Concern.COSTS, Severity.MEDIUM, 2000),
    ranked_finding("ff-cheap", Concern.COSTS, Severity.MEDIUM, 300.5),
    ranked_finding("gg-unpriced", Concern.COSTS, Severity.MEDIUM),
    ranked_finding("hh-dear", Concern.COSTS, Severity.LOW, 9000),
    ranked_finding("ii-style", Concern.STYLE, Severity.HIGH),
]
NAMES = [finding.resource.name for finding in FINDINGS]
SHUFFLED = random.Random(7).sample(FINDINGS, len(FINDINGS))
REPORT = a_report(*ordered(SHUFFLED))


def names_in(text: str) -> list[str]:
    """The names in the order in which a text tells them first."""
    return list(dict.fromkeys(name for name in re.findall(r"[a-z]{2}-[a-z]+", text) if name in NAMES))


def test_the_order_is_that_of_concern_severity_saving_and_name() -> None:
    assert [finding.resource.name for finding in ordered(SHUFFLED)] == NAMES


def test_open_findings_stand_before_exempt_and_resolved_ones() -> None:
    exempt = ranked_finding("aa-exempt", Concern.BROKEN, Severity.CRITICAL, status="exempt")
    over = ranked_finding("aa-over", Concern.BROKEN, Severity.CRITICAL, status="resolved")
    assert ordered([over, exempt, *SHUFFLED])[-2:] == [exempt, over]


def test_reports_of_regions_come_together_in_order() -> None:
    halves = [a_report(*ordered(SHUFFLED[half::2]), regions=[region]) for half, region in enumerate(("a", "b"))]
    assert [finding.resource.name for finding in merged(halves).findings] == NAMES


def test_the_terminal_tells_them_in_order() -> None:
    lines = [line.plain for line in Table(REPORT, 120).findings()]
    assert names_in("\n".join(lines)) == NAMES


def test_the_csv_and_the_markdown_tell_them_in_order() -> None:
    rows = csv.DictReader(StringIO(comma_separated(REPORT.findings)))
    assert [row["resource"] for row in rows] == NAMES
    assert names_in(markdown(REPORT)) == NAMES


def test_the_page_holds_them_in_order() -> None:
    match = re.search(r'<script type="application/json" id="data">(.*?)</script>', page(REPORT), re.DOTALL)
    assert match is not None
    assert [finding["resource"]["name"] for finding in json.loads(match[1])["findings"]] == NAMES


def test_mail_and_slack_tell_them_in_order() -> None:
    policy = load_policy()
    decision = decide(a_report(*SHUFFLED), {}, Resolution(), policy)
    notice = digest(decision, REPORT, policy)
    noticed = [name for name in NAMES if name != "hh-dear"]  # below notify_at
    assert [change.finding.resource.name for change in notice.told] == noticed


def test_a_difference_tells_each_kind_of_change_in_order() -> None:
    changed = difference(a_report(), a_report(*SHUFFLED), lambda rule, operation: True)
    assert [entry.finding.resource.name for entry in changed.changes] == NAMES


def test_the_table_of_the_ledger_sorts_them_likewise() -> None:
    keys = {finding.resource.name: item_of(Known(finding), 30)["status_sk"] for finding in SHUFFLED}
    assert sorted(keys, key=lambda name: keys[name].encode()) == NAMES


@pytest.mark.parametrize(
    ("rule", "concern"),
    [
        ("endpoint-degraded", Concern.BROKEN),
        ("endpoint-single-instance", Concern.WOULD_BREAK),
        ("endpoint-idle", Concern.COSTS),
        ("autoscaling-orphaned-target", Concern.STYLE),
    ],
)
def test_the_concern_is_in_the_row_of_the_rule(rule: str, concern: Concern) -> None:
    assert RULES[rule].concern is concern


def test_an_amount_of_any_size_has_its_place() -> None:
    amounts = [1e12, 5e6, 0.01, 0.0]
    places = [sort_key(ranked_finding("ff-cheap", Concern.COSTS, Severity.LOW, usd)) for usd in amounts]
    assert places == sorted(places) and len(set(places)) == len(places)
    older = ranked_finding("ff-cheap", Concern.COSTS, Severity.LOW).model_copy(
        update={"last_seen": NOW + timedelta(days=9)}
    )
    assert sort_key(older) == places[-1]
