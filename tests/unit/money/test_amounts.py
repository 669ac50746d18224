"""What each rule's fix saves or costs: worked on paper, to the cent."""

from typing import Any

import pytest

from chalicelib.inventory.facts import Fact
from chalicelib.money.amounts import ARITHMETIC, of_hours
from chalicelib.money.appraisal import appraised
from chalicelib.money.cases import Case
from chalicelib.money.prices import Component, Price, Use
from chalicelib.money.spot import TrainingSums, saved_usd
from chalicelib.report.outcomes import Verdict
from chalicelib.rules import RULES
from samples.builders import (
    STEM,
    a_component,
    a_notebook,
    a_serverless_variant,
    a_target,
    a_training_job,
    a_transform_job,
    a_variant,
    ago,
    an_endpoint,
    an_inventory,
)
from samples.cases.catalogue import cases_of_rule
from tests.unit.money.markets import FixedPrices, amount_of, prices_of, saved

M5 = prices_of(m5_xlarge=0.23)
TRAINING = prices_of(Component.TRAINING, m5_xlarge=0.23, g5_xlarge=1.41)
#: The replay of the design: ten hours in which six instances used 60 instance-hours, and 20 would have done.
REPLAY: dict[str, Any] = {"instance_hours": 60.0, "covered_minutes": 600, "proposal": {"instance_hours": 20.0}}


def variant(count: int = 2, instance_type: str = "ml.m5.xlarge", **changes: Any) -> Fact:
    return a_variant(count=count, instance_type=instance_type, **changes)


# ---- worked amounts of the design


def test_excess_capacity_is_worth_what_the_proposal_does_not_use() -> None:
    appraisal = amount_of("rehearsal-excess-capacity", variant(6), M5, **REPLAY)
    assert saved(appraisal) == 671.60  # 40 hours of 10, × 730 × 0.23
    assert appraisal is not None
    assert appraisal.facts == {
        "instance_type": "ml.m5.xlarge",
        "component": "Hosting",
        "instance_count": 6,
        "usd_per_hour": 0.23,
        "price_published": "2026-11-20",
        "instance_hours": 60.0,
        "proposed_hours": 20.0,
        "window_hours": 10.0,
        "monthly_cost_usd": 1007.40,
    }


def test_a_shortfall_costs_what_the_proposal_uses_more() -> None:
    evidence: dict[str, Any] = {**REPLAY, "instance_hours": 20.0, "proposal": {"instance_hours": 60.0}}
    appraisal = amount_of("rehearsal-capacity-shortfall", variant(2), M5, **evidence)
    assert appraisal is not None
    assert (appraisal.cost_usd, appraisal.saving) == (671.60, None)


@pytest.mark.parametrize("proposal", [None, {"instance_hours": 60.0}, {"instance_hours": 70.0}])
def test_a_proposal_that_saves_nothing_has_no_amount(proposal: Any) -> None:
    assert amount_of("rehearsal-excess-capacity", variant(6), M5, **{**REPLAY, "proposal": proposal}) is None


def test_a_spot_job_saved_what_was_not_billed() -> None:
    assert round(saved_usd(10_800, 3_600, 2, 1.634), 2) == 6.54
    job = a_training_job(spot=True, instances=2, seconds=10_800, billable=3_600, TrainingEndTime=ago(days=1))
    assert round(job.saving_percent or 0, 1) == 66.7


def test_an_idle_endpoint_saves_all_that_it_costs() -> None:
    appraisal = amount_of("endpoint-idle", variant(2), M5)
    assert saved(appraisal) == 335.80  # 2 × 0.23 × 730
    assert appraisal is not None
    assert appraisal.facts["monthly_cost_usd"] == 335.80
    assert appraisal.amount.basis == "if it is deleted: 2 × ml.m5.xlarge at 0.23 USD an hour for 730 hours a month"


def test_amounts_are_rounded_at_the_end_only() -> None:
    assert saved(amount_of("endpoint-idle", variant(3), prices_of(m5_xlarge=0.0001))) == 0.22  # 0.219, not 3 × 0.07
    assert of_hours(1, 3, 0.1) == pytest.approx(24.3333333)


# ---- another type


def test_a_gpu_that_is_not_needed_saves_the_difference_to_the_cheapest_type_as_large() -> None:
    prices = prices_of(g5_xlarge=1.41, g6_xlarge=0.5, m5_xlarge=0.23, r5_xlarge=0.3, m5_2xlarge=0.46)
    appraisal = amount_of("endpoint-gpu-unneeded-by-algorithm", variant(2, "ml.g5.xlarge"), prices)
    assert saved(appraisal) == 1722.80  # (1.41 − 0.23) × 2 × 730
    assert appraisal is not None
    assert appraisal.facts["named_type"] == "ml.m5.xlarge"
    assert appraisal.amount.basis.startswith("if ml.m5.xlarge carries the load; test it")


@pytest.mark.parametrize(
    "name", ["c5_xlarge", "m5_large", "m4_xlarge", "m7g_xlarge", "t3_xlarge", "g6_xlarge", "p3_2xlarge"]
)
def test_a_type_that_would_not_do_is_not_named(name: str) -> None:
    """Too little memory, too small, of a previous generation, another processor, credits, an accelerator."""
    prices = prices_of(g5_xlarge=1.41, m5_xlarge=0.23, **{name: 0.01})
    appraisal = amount_of("endpoint-gpu-underutilized", variant(2, "ml.g5.xlarge"), prices)
    assert appraisal is not None
    assert appraisal.facts["named_type"] == "ml.m5.xlarge"
    assert (
        amount_of("endpoint-gpu-underutilized", variant(2, "ml.g5.xlarge"), prices_of(g5_xlarge=1.41, **{name: 0.01}))
        is None
    )


def test_a_type_that_costs_no_less_is_not_named() -> None:
    assert (
        amount_of("endpoint-gpu-underutilized", variant(2, "ml.g5.xlarge"), prices_of(g5_xlarge=0.2, m5_xlarge=0.2))
        is None
    )


def test_a_type_whose_size_is_not_told_is_not_compared() -> None:
    use = Use("ml.g5.xlarge", Component.HOSTING)
    prices = {**prices_of(m5_xlarge=0.23), use: Price(1.41)}
    assert amount_of("endpoint-gpu-underutilized", variant(2, "ml.g5.xlarge"), prices) is None


def test_a_previous_generation_saves_the_difference_too() -> None:
    prices = prices_of(m4_xlarge=0.24, m5_xlarge=0.23)
    assert saved(amount_of("instance-previous-generation", variant(2, "ml.m4.xlarge"), prices)) == 14.60


def test_what_takes_the_place_of_an_old_accelerator_is_not_guessed() -> None:
    prices = prices_of(p3_2xlarge=4.13, m5_xlarge=0.23, r5_xlarge=0.3, m5_2xlarge=0.4)
    assert amount_of("instance-previous-generation", variant(1, "ml.p3.2xlarge"), prices) is None


def test_a_cpu_that_waits_is_halved_within_its_family() -> None:
    prices = prices_of(m5_2xlarge=0.46, m5_xlarge=0.23, m5_large=0.115, c5_xlarge=0.2)
    appraisal = amount_of("endpoint-cpu-oversized", variant(3, "ml.m5.2xlarge"), prices)
    assert saved(appraisal) == 503.70  # 3 × 0.23 × 730
    assert appraisal is not None
    assert appraisal.facts["named_type"] == "ml.m5.xlarge"


def test_hours_without_calls_are_saved() -> None:
    appraisal = amount_of("endpoint-mostly-unused", variant(2), M5, busy_hours=12, hours=336)
    assert saved(appraisal) == 323.81  # 335.80 × (1 − 12 ÷ 336)


# ---- training


def sums(*jobs: Any) -> TrainingSums:
    total = TrainingSums()
    for job in jobs:
        total.take(job)
    return total


def spot_jobs(number: int = 3, **changes: Any) -> list[Any]:
    """Finished spot jobs that saved 60 %."""
    facts = {"spot": True, "seconds": 1_000, "billable": 400, "TrainingEndTime": ago(days=1), **changes}
    return [a_training_job(**facts) for _ in range(number)]


def on_demand(number: int = 1, **changes: Any) -> Any:
    facts = {"seconds": 14_400, "instances": 2, "TrainingJobName": f"ranking-2026-11-{number:02}", **changes}
    return a_training_job(**facts)


def test_spot_would_save_what_the_accounts_own_spot_jobs_saved() -> None:
    jobs = [on_demand(number) for number in (1, 2, 3)]
    appraisal = amount_of("training-spot-not-used", jobs[0], TRAINING, training=sums(*spot_jobs(), *jobs))
    # 3 runs × 4 h × 2 instances in 30 days are 24.33 instance-hours a month; 60 % of them at 0.23
    assert saved(appraisal) == 3.36
    assert appraisal is not None
    assert appraisal.saving is not None
    assert appraisal.saving.group == "ranking on ml.m5.xlarge"
    assert "this account's 3 spot jobs saved 60 %" in appraisal.saving.basis


def test_the_own_saving_is_weighted_by_cost() -> None:
    spot = [*spot_jobs(2), *spot_jobs(1, instance_type="ml.g5.xlarge", billable=900)]
    appraisal = amount_of("training-spot-not-used", on_demand(), TRAINING, training=sums(*spot, on_demand()))
    assert appraisal is not None
    # (2 × 600 × 0.23 + 100 × 1.41) ÷ (2 × 1000 × 0.23 + 1000 × 1.41)
    assert appraisal.facts["spot_share"] == 0.223


@pytest.mark.parametrize(
    "spot",
    [
        [],
        spot_jobs(2),
        spot_jobs(3, billable=1_000),
        spot_jobs(3, instance_type="ml.c5.xlarge"),
        spot_jobs(3, TrainingEndTime=None),
    ],
    ids=["none", "two", "saved nothing", "without a price", "not finished"],
)
def test_without_an_own_saving_there_is_no_amount(spot: list[Any]) -> None:
    assert amount_of("training-spot-not-used", on_demand(), TRAINING, training=sums(*spot, on_demand())) is None


def test_an_event_does_not_know_how_often_a_job_runs() -> None:
    assert amount_of("training-spot-not-used", on_demand(), TRAINING, training=None) is None


def test_a_warm_pool_is_worth_the_hours_that_nobody_used() -> None:
    appraisal = amount_of("training-warm-pool-unused", on_demand(), TRAINING, family_instance_hours=12.0)
    assert saved(appraisal) == 2.80  # 12 h in 30 days, × 730 ÷ 720 × 0.23


@pytest.mark.parametrize(("started", "amount"), [(ago(days=3), 11.04), (ago(hours=20), 9.20), (None, None)])
def test_a_stuck_job_lost_what_was_billed_since(started: Any, amount: float | None) -> None:
    job = on_demand(
        status="InProgress",
        secondary="Uploading",
        TrainingStartTime=started,
        LastModifiedTime=ago(hours=24),
        SecondaryStatusTransitions=[{"Status": "Uploading", "StartTime": ago(hours=24)}],
    )
    appraisal = amount_of("training-stuck", job, TRAINING)
    assert saved(appraisal) == amount  # 24 h × 2 × 0.23; billed from its start on
    assert appraisal is None or appraisal.amount.basis.startswith("lost once, not each month")


@pytest.mark.parametrize(
    ("changes", "amount"),
    [
        ({}, 1.84),  # 4 h × 2 × 0.23
        ({"spot": True, "billable": 3_600}, 0.46),
        ({"checkpoint": "s3://checkpoints/ranking"}, None),
        ({"ModelArtifacts": {"S3ModelArtifacts": "s3://models/ranking"}}, None),
        ({"status": "InProgress"}, None),
    ],
)
def test_a_job_that_its_limit_ended_is_lost_without_a_model_and_checkpoints(
    changes: dict[str, Any], amount: float | None
) -> None:
    job = on_demand(**{"status": "Stopped", "secondary": "MaxRuntimeExceeded", **changes})
    assert saved(amount_of("training-stopped-at-limit", job, TRAINING)) == amount


def test_what_a_spot_job_saved_is_evidence_and_no_saving() -> None:
    job = on_demand(spot=True, seconds=10_800, billable=3_600, instance_type="ml.g5.xlarge")
    prices = prices_of(Component.TRAINING, g5_xlarge=1.634)
    appraisal = amount_of("training-spot-interrupted", job, prices)
    assert appraisal is not None
    assert (appraisal.saving, appraisal.cost_usd) == (None, None)
    assert appraisal.facts == {
        "instance_type": "ml.g5.xlarge",
        "component": "Training",
        "instance_count": 2,
        "usd_per_hour": 1.634,
        "price_published": "2026-11-20",
        "training_seconds": 10_800,
        "billable_seconds": 3_600,
        "spot_saved_usd": 6.54,
    }
    dearer = amount_of("training-spot-no-savings", on_demand(spot=True, seconds=3_600, billable=7_200), TRAINING)
    assert dearer is not None
    assert dearer.facts["spot_saved_usd"] == -0.46


# ---- what costs more safety


def test_a_second_instance_has_its_price() -> None:
    evidence: dict[str, Any] = {"desired_instance_count": 1, "min_instances": 2}
    appraisal = amount_of("endpoint-single-instance", variant(1), M5, **evidence)
    assert appraisal is not None
    assert (appraisal.cost_usd, appraisal.saving) == (167.90, None)
    assert appraisal.facts["basis"].startswith("for 2 instances instead of 1: 1 × ml.m5.xlarge")


def test_an_asynchronous_endpoint_has_another_price() -> None:
    prices = M5 | prices_of(Component.ASYNCHRONOUS, m5_xlarge=0.5)
    evidence: dict[str, Any] = {"desired_instance_count": 1, "min_instances": 2}
    appraisal = amount_of("endpoint-single-instance", variant(1, asynchronous=True), prices, **evidence)
    assert appraisal is not None
    assert appraisal.cost_usd == 365.00


def test_a_higher_minimum_has_its_price() -> None:
    running = a_variant(count=3, instance_type="ml.m5.xlarge")
    target = a_target(running, minimum=1)
    evidence: dict[str, Any] = {"min_capacity": 1, "wanted_min_capacity": 3}
    appraisal = amount_of(
        "autoscaling-min-below-two", target, M5, inventory=an_inventory(an_endpoint(running), target), **evidence
    )
    assert appraisal is not None
    assert appraisal.cost_usd == 335.80


def test_a_minimum_that_survives_a_zone_has_its_price() -> None:
    evidence: dict[str, Any] = {"safe_minimum": 4, "policy": {"min": 2}}
    appraisal = amount_of("endpoint-az-loss-overload", variant(2), M5, **evidence)
    assert appraisal is not None
    assert appraisal.cost_usd == 335.80
    assert amount_of("endpoint-az-loss-overload", variant(2), M5, safe_minimum=4, policy={"min": 4}) is None


# ---- no amount where the arithmetic would not be honest


@pytest.mark.parametrize(
    "subject",
    [
        a_component(),
        a_serverless_variant(),
        variant(
            settings={
                "InstanceType": None,
                "InstancePools": [{"InstanceType": "ml.m5.xlarge"}, {"InstanceType": "ml.m5.large"}],
            }
        ),
        variant(running={"CapacityReservationConfig": {"TotalInstanceCount": 2}}),
        variant(settings={"CapacityReservationConfig": {"MlReservationArn": f"{STEM}:training-plan/reserved"}}),
        variant(instance_type="ml.z9.xlarge"),
        variant(count=None),  # type: ignore[arg-type]
        variant(config_read=False),
    ],
    ids=[
        "component",
        "serverless",
        "pools",
        "reserved",
        "reserved by config",
        "unpriced",
        "count unread",
        "config unread",
    ],
)
def test_an_idle_resource_without_a_price_of_its_own(subject: Fact) -> None:
    assert amount_of("endpoint-idle", subject, prices_of(m5_xlarge=0.23, m5_large=0.115)) is None


def test_a_transform_job_tells_no_time() -> None:
    prices = prices_of(Component.TRANSFORM, g5_xlarge=1.41, m5_xlarge=0.23)
    job = a_transform_job(instance_type="ml.g5.xlarge")
    assert amount_of("endpoint-gpu-unneeded-by-algorithm", job, prices) is None


def test_a_training_plan_is_paid_for_otherwise() -> None:
    job = on_demand(
        status="Stopped",
        secondary="MaxRuntimeExceeded",
        resources={"TrainingPlanArn": f"{STEM}:training-plan/reserved"},
    )
    assert amount_of("training-stopped-at-limit", job, TRAINING) is None


def test_a_notebook_has_the_price_of_notebooks() -> None:
    prices = prices_of(Component.NOTEBOOK, t3_xlarge=0.2) | prices_of(t3_xlarge=9.9)
    assert saved(amount_of("notebook-never-stops", a_notebook(instance_type="ml.t3.xlarge"), prices)) == 146.00


def test_a_fault_of_the_arithmetic_leaves_the_finding_without_an_amount() -> None:
    assert amount_of("endpoint-mostly-unused", variant(2), M5) is None  # the evidence that it needs is not there


def test_prices_are_asked_for_what_has_arithmetic_alone() -> None:
    prices, subject = FixedPrices(M5), a_variant(count=2, instance_type="ml.m5.xlarge")
    case = Case("endpoint-without-alarms", subject, {})
    appraisal = appraised({0: case}, an_inventory(subject), prices, training=None, lookback_days=30)
    assert appraisal.amounts == {}
    assert prices.asked == [(set(), set())]


def test_every_type_is_asked_only_where_types_are_compared() -> None:
    prices, subject = FixedPrices(M5), a_variant(count=2, instance_type="ml.g5.xlarge")
    cases = {0: Case("endpoint-gpu-underutilized", subject, {}), 1: Case("endpoint-idle", subject, {})}
    appraised(cases, an_inventory(subject), prices, training=None, lookback_days=30)
    assert prices.asked == [({Use("ml.g5.xlarge", Component.HOSTING)}, {Component.HOSTING})]


# ---- against the rules themselves


@pytest.mark.parametrize("rule", sorted(ARITHMETIC.keys() & RULES.keys()))
def test_the_evidence_of_each_rule_holds_what_its_arithmetic_takes(rule: str, caplog: pytest.LogCaptureFixture) -> None:
    """Every failing case of the rule's own table: an amount or a reason, and no fault."""
    failing = [case for case in cases_of_rule(rule) if case.verdict is Verdict.FAIL]
    assert failing
    for case in failing:
        uses = {use: Price(1.0, "2026-11-20", 4, 16, True) for use in _uses(case.subject)}
        amount_of(
            rule, case.subject, uses, inventory=case.inventory, training=TrainingSums(), **case.outcome().evidence
        )
    assert [record.message for record in caplog.records if record.levelname == "ERROR"] == []


def _uses(subject: Fact) -> set[Use]:
    names = ["ml.m5.large", "ml.m5.xlarge", "ml.g5.xlarge", "ml.g5.12xlarge", "ml.t3.medium"]
    return {Use(name, component) for name in names for component in Component}
