"""What changed between two reports: each finding in one class, and nothing resolved that was not looked at."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.report.difference import Difference, DifferenceKind
from chalicelib.report.difference import difference as difference_of
from chalicelib.report.findings import (
    BlindSpot,
    Exemption,
    Finding,
    PolicyUsed,
    Report,
    Resource,
    RuleCounts,
    ScopeAudited,
    Severity,
    finding_id,
)
from chalicelib.rules import RULES
from chalicelib.rules.registry import may_read
from samples.builders import ACCOUNT, NOW, REGION, STEM
from tests.unit.test_notices import a_finding as any_finding
from tests.unit.test_notices import a_report as any_report

SINGLE, IDLE, MINIMUM = "endpoint-single-instance", "endpoint-idle", "autoscaling-min-below-two"
OTHER_ACCOUNT = "222222222222"


def difference(old: Report, new: Report) -> Difference:
    return difference_of(old, new, may_read)


def a_finding(name: str = "churn", rule: str = SINGLE, **differences: Any) -> Finding:
    """A finding on the variant ``AllTraffic`` of an endpoint."""
    arn = f"{STEM}:endpoint/{name}"
    facts: dict[str, Any] = {
        "id": finding_id(rule, arn, "AllTraffic"),
        "rule": rule,
        "resource": Resource(kind="endpoint-variant", arn=arn, name=f"{name}/AllTraffic"),
    }
    return any_finding(**{**facts, **differences})


def a_report(*findings: Finding, **differences: Any) -> Report:
    """A report of an audit that saw everything: every rule judged, its counts those of the findings."""
    facts: dict[str, Any] = {
        "rules": {id: RuleCounts(passed=5, fail=sum(finding.rule == id for finding in findings)) for id in RULES},
        "resources": {"endpoint": 9, "endpoint-variant": 9},
    }
    return any_report(*findings, **{**facts, **differences})


def a_spot(operation: str = "cloudwatch:GetMetricData", *effect: str, **differences: Any) -> BlindSpot:
    facts: dict[str, Any] = {"account": ACCOUNT, "region": REGION, "operation": operation, "error": "denied"}
    return BlindSpot(**{**facts, "effect": list(effect), **differences})


def classes(difference: Difference) -> dict[str, str]:
    return {change.finding.resource.name.split("/")[0]: change.change.value for change in difference.changes}


def only(difference: Difference) -> tuple[str, str]:
    (change,) = difference.changes
    return change.change.value, change.note


EXEMPT: dict[str, Any] = {"status": "exempt", "exemption": Exemption(reason="on purpose")}


@pytest.mark.parametrize(
    ("before", "after", "change"),
    [
        ({}, {}, DifferenceKind.STILL_OPEN),
        ({"severity": Severity.LOW}, {}, DifferenceKind.WORSE),
        ({}, {"severity": Severity.LOW}, DifferenceKind.BETTER),
        ({}, EXEMPT, DifferenceKind.EXEMPTED),
        (EXEMPT, {}, DifferenceKind.UNEXEMPTED),
        (EXEMPT, EXEMPT, DifferenceKind.STILL_EXEMPT),
        (EXEMPT, {**EXEMPT, "severity": Severity.CRITICAL}, DifferenceKind.STILL_EXEMPT),
    ],
)
def test_a_finding_in_both_reports(before: dict[str, Any], after: dict[str, Any], change: DifferenceKind) -> None:
    comparison = difference(a_report(a_finding(**before)), a_report(a_finding(**after)))
    (changed,) = comparison.changes
    assert changed.change is change
    differs = before.get("severity", Severity.HIGH) is not after.get("severity", Severity.HIGH)
    assert (changed.before is not None) == differs
    assert comparison.counts[change] == 1


def test_new_and_resolved() -> None:
    comparison = difference(a_report(a_finding("old")), a_report(a_finding("new")))
    assert classes(comparison) == {"new": "new", "old": "resolved"}


def test_fixed_where_the_same_resource_is_told_by_another_rule() -> None:
    comparison = difference(a_report(a_finding(), a_finding(rule=IDLE)), a_report(a_finding(rule=IDLE)))
    (resolved,) = comparison.of(DifferenceKind.RESOLVED)
    assert resolved.note == "fixed: its resource is still there"


def test_gone_where_no_resource_of_the_kind_is_left() -> None:
    comparison = difference(a_report(a_finding()), a_report(resources={"endpoint-config": 3}))
    assert only(comparison) == ("resolved", "gone: no endpoint-variant was found any more")


def test_otherwise_the_report_does_not_tell_which() -> None:
    assert only(difference(a_report(a_finding()), a_report())) == ("resolved", "fixed, or its resource is gone")


RULES_WITHOUT = {id: RuleCounts() for id in RULES if id != SINGLE}


@pytest.mark.parametrize(
    ("new", "because"),
    [
        ({"accounts": [OTHER_ACCOUNT]}, f"account {ACCOUNT} in {REGION} was not audited"),
        ({"regions": ["us-east-1"]}, f"account {ACCOUNT} in {REGION} was not audited"),
        ({"rules": RULES_WITHOUT}, "its rule was not judged"),
        ({"scope": ScopeAudited(resources=[f"{STEM}:endpoint/other"])}, "its resource was not in the scope"),
        ({"blind_spots": [a_spot("ec2:X", SINGLE)]}, "ec2:X could not be read"),
        (
            {"rules": {id: RuleCounts(unknown=int(id == SINGLE)) for id in RULES}},
            "its rule could not judge every resource",
        ),
        (
            {"blind_spots": [a_spot("sagemaker:DescribeEndpoint", resource="churn")]},
            "sagemaker:DescribeEndpoint could not be read",
        ),
        ({"rules": {SINGLE: RuleCounts(fail=1)}}, "the report leaves out findings of its rule"),
    ],
)
def test_what_the_new_audit_could_not_see_is_never_resolved(new: dict[str, Any], because: str) -> None:
    assert only(difference(a_report(a_finding()), a_report(**new))) == ("not-seen", because)


@pytest.mark.parametrize(
    "new",
    [
        {"blind_spots": [a_spot("ec2:X", IDLE)]},
        {"blind_spots": [a_spot("ec2:X", SINGLE, account=OTHER_ACCOUNT)]},
        {"blind_spots": [a_spot("ec2:X", SINGLE, region="us-east-1")]},
        {"blind_spots": [a_spot("sagemaker:Search")]},
        {"scope": ScopeAudited(resources=[f"{STEM}:endpoint/churn"])},
    ],
)
def test_what_it_could_see_is(new: dict[str, Any]) -> None:
    assert only(difference(a_report(a_finding()), a_report(**new)))[0] == "resolved"


def test_what_a_rule_of_ones_own_reads_is_not_known() -> None:
    own = "acme-notebook-has-owner"
    counts = {"rules": {own: RuleCounts(passed=5)}}
    blind = a_report(**counts, blind_spots=[a_spot("sagemaker:DescribeNotebookInstance", resource="other")])
    assert only(difference(a_report(a_finding(rule=own)), blind))[0] == "not-seen"
    assert only(difference(a_report(a_finding(rule=own)), a_report(**counts)))[0] == "resolved"


def test_a_new_finding_says_that_the_old_audit_could_not_see_it() -> None:
    old = a_report(blind_spots=[a_spot("ec2:X", SINGLE)])
    comparison = difference(old, a_report(a_finding()))
    assert only(comparison) == ("new", "the old audit could not see it: ec2:X could not be read")
    assert [spot.operation for spot in comparison.blind_spots_gone] == ["ec2:X"]
    assert comparison.blind_spots_appeared == []


def test_a_finding_that_another_one_tells_is_still_there() -> None:
    target = Resource(kind="scalable-target", arn=f"{STEM}:target", name="churn/AllTraffic")
    alone = a_report(a_finding(rule=MINIMUM, resource=target))
    host = a_report(a_finding(evidence={"merged": {MINIMUM: {}}}))
    there = difference(alone, host)
    assert {change.finding.rule: change.change.value for change in there.changes} == {
        SINGLE: "new",
        MINIMUM: "still-open",
    }
    back = difference(host, alone)
    assert {change.finding.rule: change.change.value for change in back.changes} == {
        SINGLE: "resolved",
        MINIMUM: "still-open",
    }


def test_a_blind_spot_is_the_same_whatever_aws_said() -> None:
    old, new = a_report(blind_spots=[a_spot(error="id 1")]), a_report(blind_spots=[a_spot(error="id 2")])
    comparison = difference(old, new)
    assert (comparison.blind_spots_appeared, comparison.blind_spots_gone) == ([], [])


def test_what_cannot_be_compared_is_remarked() -> None:
    new = a_report(
        accounts=[OTHER_ACCOUNT],
        regions=["us-east-1"],
        policy=PolicyUsed(name="strict", digest="e"),
        rules=RULES_WITHOUT,
        scope=ScopeAudited(resources=["arn"]),
        started_at=NOW - timedelta(days=1),
    )
    remarks = " ".join(difference(a_report(), new).remarks)
    for words in (
        f"accounts differ: {ACCOUNT} before, {OTHER_ACCOUNT} now",
        f"regions differ: {REGION} before, us-east-1 now",
        "policies differ: baseline (d) before, strict (e) now",
        f"Rules judged only before: {SINGLE}",
        "everything before, 1 named resource now",
        "wrong way round",
    ):
        assert words in remarks
    assert difference(a_report(), a_report()).remarks == []


@pytest.mark.parametrize(
    ("old", "new", "worst"),
    [
        ([], [a_finding()], Severity.HIGH),
        ([], [a_finding(**EXEMPT)], None),
        ([a_finding(severity=Severity.LOW)], [a_finding()], Severity.HIGH),
        ([a_finding(**EXEMPT)], [a_finding()], Severity.HIGH),
        ([a_finding()], [a_finding()], None),
        ([a_finding()], [a_finding(severity=Severity.LOW)], None),
        ([a_finding()], [], None),
    ],
)
def test_a_build_fails_by_what_is_new_or_worse(old: list[Finding], new: list[Finding], worst: Severity | None) -> None:
    assert difference(a_report(*old), a_report(*new)).worst() is worst


# ---- for any two reports

FINDINGS = st.lists(
    st.builds(
        lambda name, rule, severity, exempt: a_finding(name, rule, severity=severity, **(EXEMPT if exempt else {})),
        st.sampled_from(["a", "b", "c", "d"]),
        st.sampled_from([SINGLE, IDLE, MINIMUM]),
        st.sampled_from(list(Severity)),
        st.booleans(),
    ),
    unique_by=lambda finding: finding.id,
    max_size=8,
)
BLIND = st.lists(
    st.builds(
        a_spot,
        st.sampled_from(["cloudwatch:GetMetricData", "sagemaker:Search", "sagemaker:DescribeEndpoint"]),
        st.sampled_from([SINGLE, IDLE]),
    ),
    max_size=2,
)
SEEING = st.builds(lambda findings: a_report(*findings), FINDINGS)
ANY = st.builds(
    lambda findings, spots, scope, regions: a_report(*findings, blind_spots=spots, scope=scope, regions=regions),
    FINDINGS,
    BLIND,
    st.sampled_from([ScopeAudited(), ScopeAudited(resources=[f"{STEM}:endpoint/a"])]),
    st.sampled_from([[REGION], ["us-east-1"]]),
)


@pytest.mark.thorough
@given(ANY)
def test_a_report_does_not_differ_from_itself(report: Report) -> None:
    comparison = difference(report, report)
    assert {change.change for change in comparison.changes} <= {DifferenceKind.STILL_OPEN, DifferenceKind.STILL_EXEMPT}
    assert (comparison.remarks, comparison.blind_spots_appeared, comparison.blind_spots_gone, comparison.worst()) == (
        [],
        [],
        [],
        None,
    )


@pytest.mark.thorough
@given(ANY, ANY)
def test_every_finding_is_in_exactly_one_class(old: Report, new: Report) -> None:
    comparison = difference(old, new)
    assert sorted(change.finding.id for change in comparison.changes) == sorted(
        {finding.id for finding in (*old.findings, *new.findings)}
    )
    assert sum(comparison.counts.values()) == len(comparison.changes)


def ids(difference: Difference, change: DifferenceKind) -> set[str]:
    return {finding.finding.id for finding in difference.of(change)}


@pytest.mark.thorough
@given(SEEING, SEEING)
def test_new_one_way_is_resolved_the_other_way(report: Report, other: Report) -> None:
    there, back = difference(report, other), difference(other, report)
    assert ids(there, DifferenceKind.NEW) == ids(back, DifferenceKind.RESOLVED)
    assert ids(there, DifferenceKind.RESOLVED) == ids(back, DifferenceKind.NEW)
    assert ids(there, DifferenceKind.WORSE) == ids(back, DifferenceKind.BETTER)
    assert ids(there, DifferenceKind.EXEMPTED) == ids(back, DifferenceKind.UNEXEMPTED)
    assert ids(there, DifferenceKind.NOT_SEEN) == set()


@pytest.mark.thorough
@given(ANY, ANY)
def test_nothing_is_resolved_in_a_region_or_scope_that_was_not_audited(old: Report, new: Report) -> None:
    for finding in difference(old, new).of(DifferenceKind.RESOLVED):
        assert finding.finding.region in new.regions
        assert not new.scope.resources or finding.finding.resource.arn in new.scope.resources
        assert not [spot for spot in new.blind_spots if finding.finding.rule in spot.effect]
