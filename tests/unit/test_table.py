"""The table: findings by resource, the worst first, a summary at the end, and no name that breaks the layout."""

from datetime import timedelta

import pytest
from rich.cells import cell_len

from chalicelib.cli.table import Table, groups
from chalicelib.report.cause import Cause
from chalicelib.report.findings import BlindSpot, Deferral, Exemption, Finding, Report, Resource, RuleCounts, Severity
from chalicelib.report.narrowing import narrowed
from tests.golden import assert_golden
from tests.unit.test_notices import HOSTILE, NOW, a_finding, a_report

ACCOUNT, REGION = "123456789012", "eu-west-1"


def on(kind: str, name: str, number: int = 0, **differences: object) -> Finding:
    """A finding on a resource as the audit names it: variants have the ARN of their endpoint, targets their own."""
    root = name.split("/")[0]
    arn = {
        "scalable-target": f"arn:aws:application-autoscaling:{REGION}:{ACCOUNT}:scalable-target/0ec5{number}",
        "scaling-policy": f"arn:aws:autoscaling:{REGION}:{ACCOUNT}:scalingPolicy:{number}",
    }.get(kind, f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:{'endpoint' if '/' in name else kind}/{root}")
    return a_finding(
        number, resource=Resource(kind=kind, arn=arn, name=name), summary=f"{name} is not well.", **differences
    )


def shown(report: Report, width: int) -> str:
    return "".join(f"{line.plain}\n" for line in Table(report, width).lines())


def test_an_endpoint_with_its_variants_targets_and_policies_is_one_group() -> None:
    findings = [
        on("endpoint", "churn", 1),
        on("endpoint-variant", "churn/A", 2),
        on("scalable-target", "churn/A", 3),
        on("scaling-policy", "churn/A/tracking", 4),
        on("model", "churn", 5),
        on("scalable-target", "planner", 6),
    ]
    assert [(group.kind, group.name, len(group.findings)) for group in groups(findings)] == [
        ("endpoint", "churn", 4),
        ("model", "churn", 1),
        ("inference-component", "planner", 1),
    ]


def test_the_worst_resource_comes_first_and_its_worst_finding_too() -> None:
    findings = [
        on("endpoint", "many", 1, severity=Severity.LOW),
        on("endpoint", "many", 2, severity=Severity.HIGH),
        on("endpoint", "one", 3, severity=Severity.CRITICAL),
        on("endpoint", "two", 4, severity=Severity.HIGH),
    ]
    resource_groups = groups(findings)
    assert [group.name for group in resource_groups] == ["one", "many", "two"]
    assert [finding.severity for finding in resource_groups[1].findings] == [Severity.HIGH, Severity.LOW]


def a_full_report() -> Report:
    denied = (
        "cloudwatch:GetMetricData failed: AccessDenied: User: arn:aws:sts::1:assumed-role/auditor is not authorized"
    )
    spot = BlindSpot(
        account=ACCOUNT,
        region=REGION,
        operation="cloudwatch:GetMetricData",
        error=denied,
        cause=Cause.DENIED,
        effect=["endpoint-idle", "endpoint-gpu-underutilized"],
    )
    return a_report(
        on("endpoint", "churn", 1, severity=Severity.CRITICAL, rule="endpoint-degraded", owner="team-churn"),
        on("endpoint-variant", "churn/AllTraffic", 2, rule="endpoint-single-instance", owner="team-churn"),
        on("endpoint", HOSTILE, 3, severity=Severity.MEDIUM, owner="\x1b[31mred"),
        on("model", "モデル" * 30, 4, severity=Severity.LOW, rule="model-vpc-single-az"),
        on("training-job", "x" * 250, 5, severity=Severity.INFO),
        on("notebook-instance", "exploration", 6, severity=Severity.LOW),
        on("vpc", "vpc-1", 7, severity=Severity.LOW, status="exempt", exemption=Exemption(reason="dev")),
        *(on("transform-job", f"job-{number}", 10 + number, severity=Severity.MEDIUM) for number in range(4)),
        blind_spots=[spot],
        complete=False,
        rules={id: RuleCounts(passed=1) for id in ("endpoint-idle", "endpoint-degraded", "model-vpc-single-az")},
        api_calls={"sagemaker:Search": 1200},
        finished_at=NOW + timedelta(seconds=2.5),
    )


@pytest.mark.parametrize("width", [40, 80, 140, 200])
def test_any_report_looks_as_it_should(width: int) -> None:
    assert_golden(f"terminal/report-{width}.txt", shown(a_full_report(), width))


@pytest.mark.parametrize("width", [24, 40, 60, 80, 109, 110, 200])
def test_no_name_breaks_the_layout(width: int) -> None:
    commands = a_full_report().findings[0].fix.commands
    lines = [line for line in shown(a_full_report(), width).splitlines() if line.strip() not in commands]
    assert max(cell_len(line) for line in lines) <= width
    assert not any(sign in line for line in lines for sign in "\x07\x1b\u202e")
    assert not any(line.startswith("[HIGH]") for line in lines)


def test_exempt_findings_are_counted_and_not_listed() -> None:
    text = shown(a_full_report(), 120)
    assert "1 exempt, not listed." in text
    assert "vpc-1" not in text


def test_nothing_found_is_said_only_of_what_was_seen() -> None:
    spot = BlindSpot(account=ACCOUNT, region=REGION, operation="ec2:DescribeSubnets", error="AccessDenied")
    assert shown(a_report(), 80).splitlines()[1] == "No findings"
    incomplete = shown(a_report(blind_spots=[spot], complete=False), 80)
    assert "No findings in what could be read" in incomplete
    assert "ec2:DescribeSubnets: AccessDenied" in incomplete


def test_what_was_left_to_the_next_sweep_is_one_line() -> None:
    left = [
        Deferral(account=ACCOUNT, region=REGION, part="inference-components", resources=["a", "b"], reason="16 calls"),
        Deferral(account=ACCOUNT, region=REGION, part="alarms", reason="16 calls"),
    ]
    text = shown(a_report(deferred=left, complete=False), 120)
    assert "Left to the next sweep: inference components (2), alarms." in text
    assert "No findings in what could be read" in text
    assert "Left to" not in shown(a_report(), 120)


def test_several_places_are_told_apart_and_the_same_blind_spot_is_told_once() -> None:
    places = [(ACCOUNT, "eu-west-1"), (ACCOUNT, "us-east-1"), *((f"{number:012}", "eu-west-1") for number in range(8))]
    spots = [
        BlindSpot(account=account, region=region, operation="sts:AssumeRole", error=f"no role in {account}")
        for account, region in places
    ]
    report = a_report(
        on("endpoint", "a", 1),
        on("endpoint", "b", 2).model_copy(update={"region": "us-east-1"}),
        accounts=[*dict.fromkeys(account for account, _ in places)],
        regions=["eu-west-1", "us-east-1"],
        blind_spots=spots,
        complete=False,
    )
    text = shown(report, 100)
    assert f"━━ {ACCOUNT} · eu-west-1 ━" in text
    assert f"━━ {ACCOUNT} · us-east-1 ━" in text
    assert text.count("no role in") == 1
    assert "and 4 more" in text
    assert "9 accounts · 2 regions" in text


@pytest.mark.slow
@pytest.mark.thorough
def test_many_findings_are_all_shown_and_a_shorter_way_is_named() -> None:
    findings = [on("endpoint", f"endpoint-{number}", number) for number in range(5000)]
    assert "--severity high" not in shown(a_report(*findings), 120)
    text = shown(a_report(*findings[1:], on("endpoint", "endpoint-0", severity=Severity.LOW)), 120)
    assert text.count("is not well.") == 5000
    assert "--severity high" in text
    assert "5,000 findings on 5,000 resources" in text
    assert len(text[text.index("5,000 findings") :].splitlines()) < 19


def test_what_was_left_out_is_said() -> None:
    text = shown(narrowed(a_report(), severity=Severity.HIGH), 80)
    assert "Shown are findings from high on." in text and "left out." in text
