"""What was really saved: by the estimate, by the configuration, and taken off again when a finding comes back."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.inventory.facts import Fact
from chalicelib.money.prices import Component, Price, Use
from chalicelib.money.standing import realization, standing_of
from chalicelib.report.findings import Finding, Resource, Saving
from chalicelib.report.realized import Realization, realized
from samples.builders import a_component, a_notebook, a_serverless_variant, a_training_job, a_variant
from samples.notices import a_finding

MARCH, MAY, JUNE = date(2026, 3, 4), date(2026, 5, 6), date(2026, 6, 7)
MONEY = {"instance_type": "ml.g5.xlarge", "component": "Hosting", "instance_count": 2, "usd_per_hour": 1.0}


def resolved(saves: float | None = 1_000.0, money: Any = MONEY) -> Finding:
    resource = Resource(kind="endpoint-variant", arn="arn:churn", name="churn/AllTraffic")
    saving = None if saves is None else Saving(monthly_usd=saves, basis="b")
    return a_finding(resource, rule="endpoint-idle", saving=saving, evidence={"money": money} if money else {})


def price_of(use: Use) -> Price | None:
    return Price(0.25) if use == Use("ml.m5.xlarge", Component.HOSTING) else None


def saved(standing: Any, *, gone: bool = False, **finding: Any) -> tuple[float | None, str] | None:
    entry = realization(resolved(**finding), MARCH, standing, gone=gone, price_of=price_of)
    return None if entry is None else (entry.seen_usd, entry.changed)


def on(instance_type: str, count: int) -> dict[str, Any]:
    return {"instance_type": instance_type, "instance_count": count}


@pytest.mark.parametrize(
    ("standing", "seen"),
    [
        (on("ml.g5.xlarge", 1), (730.0, "2 to 1 instances")),
        (on("ml.m5.xlarge", 2), (1095.0, "ml.g5.xlarge to ml.m5.xlarge")),  # 2 × (1 − 0.25) × 730
        (on("ml.m5.xlarge", 3), (912.5, "ml.g5.xlarge to ml.m5.xlarge, 2 to 3 instances")),
        (on("ml.g5.xlarge", 2), (0.0, "nothing in the configuration")),
        (on("ml.g5.xlarge", 3), (-730.0, "2 to 3 instances")),
        (on("ml.g5.xlarge", 0), (1460.0, "2 to 0 instances")),
        (on("ml.z9.xlarge", 2), (None, "ml.g5.xlarge to ml.z9.xlarge")),
        (None, (None, "the configuration does not tell")),
    ],
)
def test_the_configuration_of_the_next_audit_proves_it(standing: Any, seen: tuple[float | None, str]) -> None:
    assert saved(standing) == seen


def test_what_is_deleted_costs_nothing_any_more() -> None:
    assert saved(None, gone=True) == (1460.0, "deleted")


def test_the_estimate_proves_nothing() -> None:
    entry = realization(resolved(9_999.0), MARCH, on("ml.g5.xlarge", 1), gone=False, price_of=price_of)
    assert entry is not None
    assert (entry.estimated_usd, entry.seen_usd) == (9_999.0, 730.0)


def test_how_a_variant_scales_is_proven_by_no_moment() -> None:
    assert saved(on("ml.g5.xlarge", 1), money={**MONEY, "window_hours": 168}) == (None, "how it scales")


@pytest.mark.parametrize("finding", [{"saves": None}, {"money": None}, {"money": "…"}])
def test_without_a_saving_nothing_is_kept(finding: dict[str, Any]) -> None:
    assert saved(on("ml.g5.xlarge", 1), **finding) is None


@pytest.mark.parametrize(
    ("subject", "standing"),
    [
        (a_variant(count=3, instance_type="ml.m5.xlarge"), on("ml.m5.xlarge", 3)),
        (a_notebook(instance_type="ml.t3.medium"), on("ml.t3.medium", 1)),
        (a_notebook(instance_type="ml.t3.medium", NotebookInstanceStatus="Stopped"), on("ml.t3.medium", 0)),
        (a_variant(count=3, config_read=False), None),
        (a_serverless_variant(), None),
        (a_component(), None),
        (a_training_job(), None),
    ],
)
def test_what_a_resource_stands_on(subject: Fact, standing: Any) -> None:
    assert standing_of(subject) == standing


# ---- sums


def an_entry(number: int = 1, day: date = MARCH, **changes: Any) -> Realization:
    facts: dict[str, Any] = {
        "id": f"f-{number:020x}",
        "rule": "endpoint-idle",
        "account": "123456789012",
        "region": "eu-west-1",
        "kind": "endpoint-variant",
        "name": f"endpoint-{number}/AllTraffic",
        "place": f"place-{number}",
        "day": day,
        "estimated_usd": 100.0,
        "seen_usd": 90.0,
        "changed": "deleted",
    }
    return Realization(**{**facts, **changes})


def test_the_sum_in_words() -> None:
    total = realized([an_entry(1), an_entry(2, MAY, estimated_usd=2_210.4, seen_usd=None)])
    assert total.words == (
        "since March 2026: 2 findings resolved, $2,310 a month (USD) less, of which $90 seen in the configuration"
    )
    assert realized([]).words == ""


def test_the_curve_rises_with_each_and_falls_with_what_comes_back() -> None:
    total = realized([an_entry(1, MARCH, back=JUNE), an_entry(2, MAY)])
    assert [(point.day, point.estimated_usd, point.seen_usd) for point in total.curve] == [
        (MARCH, 100, 90),
        (MAY, 200, 180),
        (JUNE, 100, 90),
    ]
    assert (total.findings, total.estimated_usd, total.seen_usd) == (1, 100, 90)


def test_what_comes_back_and_resolves_again_counts_once() -> None:
    total = realized([an_entry(1, MARCH, back=MAY), an_entry(1, JUNE)])
    assert [point.estimated_usd for point in total.curve] == [100, 0, 100]


def test_two_findings_that_one_change_resolved_count_once() -> None:
    entries = [an_entry(1, place="same"), an_entry(2, place="same", estimated_usd=40, seen_usd=90)]
    total = realized(entries)
    assert (total.findings, total.estimated_usd, total.seen_usd) == (2, 100, 90)
    later = realized([entries[0], an_entry(2, MAY, place="same", estimated_usd=40, seen_usd=40)])
    assert (later.estimated_usd, later.seen_usd) == (140, 130)


@given(
    st.lists(
        st.builds(
            an_entry,
            st.integers(1, 4),
            st.sampled_from([MARCH, MAY, JUNE]),
            place=st.sampled_from(["a", "b"]),
            estimated_usd=st.floats(0.01, 1_000),
            back=st.none() | st.just(date(2026, 7, 1)),
        )
    ),
    st.randoms(),
)
def test_the_order_of_entries_changes_nothing(entries: list[Realization], random: Any) -> None:
    shuffled = list(entries)
    random.shuffle(shuffled)
    total = realized(entries)
    assert realized(shuffled).curve == total.curve
    assert total.estimated_usd <= sum(entry.estimated_usd for entry in entries) + 0.01
