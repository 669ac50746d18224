"""Totals add up: never more than the resources cost, whatever is found beside, in whatever order."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.money.prices import Component, Price, Use
from chalicelib.report.findings import Finding, PolicyUsed, Report, Resource, Saving, Severity, finding_id
from chalicelib.report.merging import merged, report_of
from chalicelib.report.money import Money
from chalicelib.report.narrowing import narrowed
from chalicelib.report.savings import counted, in_words, merged_money, place_of, totals, with_totals
from samples.builders import ACCOUNT, NOW, REGION, a_variant
from samples.notices import a_finding as any_finding
from tests.unit.money.markets import SIZES, amount_of


def any_report(findings: Sequence[Finding], **facts: Any) -> Report:
    policy = PolicyUsed(name="baseline", digest="0")
    return report_of(ACCOUNT, REGION, trigger="cli", policy=policy, started=NOW, findings=findings, **facts)


def a_finding(
    rule: str = "endpoint-idle",
    name: str = "churn/AllTraffic",
    saves: float | None = None,
    costs: float | None = None,
    kind: str = "endpoint-variant",
    group: str | None = None,
    **changes: Any,
) -> Finding:
    arn = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:endpoint/{name.split('/')[0]}"
    facts: dict[str, Any] = {
        "id": finding_id(rule, arn, name),
        "rule": rule,
        "saving": None if saves is None else Saving(monthly_usd=saves, basis="b", group=group),
        "cost_usd": costs,
        **changes,
    }
    return any_finding(Resource(kind=kind, arn=arn, name=name), **facts)


def test_of_each_resource_the_largest_saving_counts() -> None:
    idle, oversized = a_finding("endpoint-idle", saves=300), a_finding("endpoint-cpu-oversized", saves=100)
    other = a_finding("endpoint-idle", name="fraud/AllTraffic", saves=50.5)
    sums = totals([oversized, idle, other])
    assert (sums.saving_usd, sums.places) == (350.5, 2)
    assert counted([oversized, idle, other]) == {idle.id: 300, other.id: 50.5}


def test_costs_and_savings_of_a_resource_stand_beside_each_other() -> None:
    sums = totals([a_finding(saves=300), a_finding("endpoint-single-instance", costs=100), a_finding("b", costs=40)])
    assert (sums.saving_usd, sums.cost_usd, sums.places, sums.cost_places) == (300, 100, 1, 1)


@pytest.mark.parametrize("status", ["exempt", "resolved"])
def test_only_what_is_open_counts(status: str) -> None:
    assert totals([a_finding(saves=300, status=status)]).places == 0


def test_a_target_and_its_policies_stand_for_what_they_scale() -> None:
    variant = a_finding(saves=1)
    target = a_finding("autoscaling-no-headroom", kind="scalable-target", saves=2)
    policy = a_finding("autoscaling-untested-target", kind="scaling-policy", name="churn/AllTraffic/by-load", saves=3)
    assert place_of(variant) == place_of(target) == place_of(policy)
    assert totals([variant, target, policy]).saving_usd == 3
    component = a_finding(kind="inference-component", name="churn-component")
    assert place_of(a_finding(kind="scalable-target", name="churn-component")) == place_of(component)
    assert place_of(a_finding(kind="scaling-policy", name="churn-component/by-load")) == place_of(component)


def test_runs_of_a_family_are_one_place() -> None:
    runs = [
        a_finding("training-spot-not-used", f"ranking-{day}", 30, kind="training-job", group="ranking")
        for day in (1, 2)
    ]
    assert totals(runs).saving_usd == 30


def test_the_parts_add_up_to_the_whole() -> None:
    findings = [
        a_finding(saves=300, owner="team-a"),
        a_finding("endpoint-cpu-oversized", saves=100, owner="team-b", topic="instances"),
        a_finding(name="fraud/AllTraffic", saves=50, topic="spot-training", account="210987654321", owner=None),
        a_finding("endpoint-single-instance", name="fraud/AllTraffic", costs=20),
    ]
    sums = totals(findings)
    for parts in (sums.by_owner, sums.by_topic, sums.by_account):
        assert sum(part.saving_usd for part in parts) == sums.saving_usd == 350
        assert sum(part.cost_usd for part in parts) == sums.cost_usd == 20
        assert sum(part.places for part in parts) == sums.places == 2
    assert [(part.name, part.saving_usd) for part in sums.by_owner] == [("team-a", 300), ("", 50), ("team-churn", 0)]


AMOUNTS = st.none() | st.floats(0.01, 100_000).map(lambda amount: round(amount, 2))
FINDINGS = st.lists(
    st.builds(
        a_finding,
        rule=st.sampled_from(["endpoint-idle", "endpoint-cpu-oversized", "endpoint-single-instance"]),
        name=st.sampled_from(["churn/AllTraffic", "fraud/AllTraffic", "fraud/other"]),
        saves=AMOUNTS,
        costs=AMOUNTS,
        owner=st.sampled_from([None, "team-a", "team-b"]),
    ),
    max_size=12,
    unique_by=lambda finding: finding.id,
)


@given(FINDINGS, st.randoms())
def test_the_order_changes_nothing(findings: list[Finding], random: Any) -> None:
    shuffled = list(findings)
    random.shuffle(shuffled)
    assert totals(shuffled) == totals(findings)
    assert counted(shuffled) == counted(findings)


@given(FINDINGS)
def test_one_more_finding_never_lowers_a_total(findings: list[Finding]) -> None:
    before = totals([])
    for number in range(len(findings)):
        after = totals(findings[: number + 1])
        assert after.saving_usd >= before.saving_usd
        assert after.cost_usd >= before.cost_usd
        before = after


RULES: dict[str, dict[str, Any]] = {
    "endpoint-idle": {},
    "endpoint-mostly-unused": {"busy_hours": 3, "hours": 300},
    "endpoint-gpu-underutilized": {},
    "endpoint-cpu-oversized": {},
    "instance-previous-generation": {},
}


@given(
    st.dictionaries(st.sampled_from(sorted(SIZES)), st.floats(0.001, 100), min_size=1),
    st.lists(st.tuples(st.sampled_from(sorted(SIZES)), st.integers(0, 20)), min_size=1, max_size=4),
)
def test_no_total_exceeds_what_the_resources_cost(hourly: dict[str, float], running: list[tuple[str, int]]) -> None:
    prices = {Use(name, Component.HOSTING): Price(usd, "", *SIZES[name]) for name, usd in hourly.items()}
    findings, cost = [], 0.0
    for number, (name, count) in enumerate(running):
        cost += count * hourly.get(name, 0) * 730
        for rule, evidence in RULES.items():
            appraisal = amount_of(rule, a_variant(count=count, instance_type=name), prices, **evidence)
            if appraisal is not None and appraisal.saving is not None:
                findings.append(a_finding(rule, f"endpoint-{number}/AllTraffic", appraisal.saving.monthly_usd))
    assert totals(findings).saving_usd <= cost + 0.01 * len(running)


# ---- reports


def a_report(*findings: Finding, money: Money | None = None) -> Report:
    return with_totals(any_report(list(findings), money=money or Money(sources=["AWS Price List"])))


def told_of(report: Report) -> float:
    assert report.money is not None
    return report.money.totals.saving_usd


def test_a_narrowed_report_tells_what_it_shows() -> None:
    report = a_report(
        a_finding(saves=300, severity=Severity.LOW), a_finding(name="fraud/A", saves=50, severity=Severity.HIGH)
    )
    assert (told_of(report), told_of(narrowed(report, severity=Severity.HIGH))) == (350, 50)


def test_merged_reports_count_each_resource_once() -> None:
    first = a_report(a_finding(saves=300), money=Money(sources=["a"], notes=["n"], sample=True))
    second = a_report(a_finding("endpoint-cpu-oversized", saves=100), money=Money(sources=["a", "b"], notes=["n"]))
    report = merged([first, second])
    assert told_of(report) == 300
    assert report.money is not None
    assert (report.money.sources, report.money.notes, report.money.sample) == (["a", "b"], ["n"], True)


def test_heads_without_findings_are_added_up() -> None:
    first, second = a_report(a_finding(saves=300, owner="a")), a_report(a_finding(name="fraud/A", saves=50, owner="a"))
    heads = [report.model_copy(update={"findings": []}) for report in (first, second)]
    report = merged(heads)
    assert told_of(report) == 350
    assert report.money is not None
    assert [(part.name, part.saving_usd, part.places) for part in report.money.totals.by_owner] == [("a", 350, 2)]


def test_a_report_without_prices_tells_no_money() -> None:
    report = any_report([a_finding(saves=300)])
    assert with_totals(report) is report
    assert '"money"' not in report.model_dump_json()
    assert merged_money([None, None], [a_finding(saves=300)]) is None


@pytest.mark.parametrize(
    ("findings", "words"),
    [
        ([], ""),
        ([a_finding(saves=1240.2)], "$1,240 a month (USD) in 1 place"),
        (
            [a_finding(saves=1240.2), a_finding("b", costs=310)],
            "$1,240 a month (USD) in 1 place; resilience missing costs $310",
        ),
        ([a_finding(costs=310)], "resilience missing costs $310 a month (USD)"),
    ],
)
def test_the_totals_in_words(findings: Sequence[Finding], words: str) -> None:
    assert in_words(a_report(*findings).money) == words


def test_sample_prices_are_named_with_the_totals() -> None:
    report = a_report(a_finding(saves=10), money=Money(sample=True))
    assert in_words(report.money) == "$10 a month (USD) in 1 place (sample prices)"
