"""Rehearsals in an audit: what a sweep finds by the minutes of a variant, what it asks for that, and what it can do
without."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from chalicelib.cli import run
from chalicelib.inventory.allowance import most_calls
from chalicelib.report.findings import Finding, Report
from chalicelib.rules import RULES
from chalicelib.scope import ResourceRef, Scope
from emulator import seed
from emulator.extension.cloudwatch import metrics_of
from emulator.extension.registry import backend_of
from emulator.front import Front
from emulator.server import DEFAULT_ACCOUNT as ACCOUNT
from emulator.server import DEFAULT_REGION as REGION
from emulator.server import Emulator
from tests.conftest import NewService
from tests.service.test_audit import an_endpoint

DAYS = 2
REHEARSALS = {id for id, rule in RULES.items() if rule.topic == "autoscaling-rehearsal"}
SHORTFALL = "rehearsal-capacity-shortfall"


def scaled(emulator: Emulator, name: str, jumps: Sequence[int], minimum: int = 2) -> None:
    """An endpoint that aims at 120 calls a minute by instance: 100 come in each of two days, and 1,000 for twenty
    minutes from each of these on."""
    begin = datetime.now(UTC).replace(second=0, microsecond=0) - timedelta(days=DAYS)
    an_endpoint(emulator, name, count=minimum, called=False)
    resource = f"endpoint/{name}/variant/AllTraffic"
    seed.scalable_target(ACCOUNT, REGION, resource, minimum=minimum, maximum=20, created=begin)
    seed.scaling_policy(
        ACCOUNT,
        REGION,
        "follow",
        resource,
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration={
            "TargetValue": 120,
            "PredefinedMetricSpecification": {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"},
        },
        CreationTime=begin,
    )
    load = [100.0] * DAYS * 1440
    for minute in jumps:
        load[minute : minute + 20] = [1000.0] * 20
    points = [(begin + timedelta(minutes=minute), value) for minute, value in enumerate(load)]
    seed.metric(ACCOUNT, REGION, "Invocations", dimensions(name), points)


def dimensions(endpoint: str) -> dict[str, str]:
    """Under which the metrics of its variant stand."""
    return {"EndpointName": endpoint, "VariantName": "AllTraffic"}


def rehearsed(report: Report) -> dict[tuple[str, str], Finding]:
    """The findings of rehearsals, by rule and resource."""
    return {(finding.rule, finding.resource.name): finding for finding in report.findings if finding.rule in REHEARSALS}


def test_a_sweep_rehearses_what_has_a_policy(emulator: Emulator, new_service: NewService) -> None:
    scaled(emulator, "late", [300, 600, 900])
    scaled(emulator, "large", [], minimum=6)
    scaled(emulator, "right", [])
    an_endpoint(emulator, "fixed")
    service = new_service()
    findings = rehearsed(service.audit(service.scope(), "cli"))
    assert set(findings) == {
        (SHORTFALL, "late/AllTraffic"),
        ("endpoint-az-loss-overload", "late/AllTraffic"),
        ("rehearsal-excess-capacity", "large/AllTraffic"),
    }
    late = findings[SHORTFALL, "late/AllTraffic"]
    assert (late.evidence["minutes_short"], late.evidence["longest_short_minutes"]) == (24, 8)
    assert late.evidence["proposal"]["minutes_short"] <= 15
    assert any("--resource-id endpoint/late/variant/AllTraffic" in command for command in late.fix.commands)
    assert late.chart is not None and late.chart.minutes_short == 24
    assert sum(late.chart.proposed_short) == late.evidence["proposal"]["minutes_short"]
    assert findings["endpoint-az-loss-overload", "late/AllTraffic"].chart is None, "it is about what a zone would leave"
    large = findings["rehearsal-excess-capacity", "large/AllTraffic"]
    assert large.evidence["proposal"]["min"] == 2
    assert "--min-capacity 2" in large.fix.commands[0]


def test_the_report_holds_the_chart_of_each_variant_that_was_rehearsed(
    emulator: Emulator, new_service: NewService
) -> None:
    scaled(emulator, "late", [300, 600, 900])
    scaled(emulator, "right", [])
    an_endpoint(emulator, "fixed")
    service = new_service()
    report = service.audit(service.scope(), "cli")
    charts = {endpoint.name: endpoint.variants[0].rehearsal for endpoint in report.endpoints}
    late, right = charts["late"], charts["right"]
    assert late is not None and right is not None and charts["fixed"] is None
    assert (late.minutes_short, late.peak, late.capacity) == (24, 1000, 240)
    assert (right.minutes_short, right.proposed, set(right.serving)) == (0, [], {2})
    assert len(late.load) == len(late.serving) == 160, "two days in buckets of eighteen minutes"
    assert late.desired == []


def test_ten_variants_cost_one_call(emulator: Emulator, new_service: NewService, front: Front) -> None:
    for number in range(11):
        scaled(emulator, f"right-{number}", [])
    service = new_service()
    rules = sorted(REHEARSALS)
    front.calls.clear()
    report = service.audit(service.scope(rules=rules), "cli")
    assert front.calls["cloudwatch:GetMetricData"] == 2
    assert {id: counts.passed for id, counts in report.rules.items()} == dict.fromkeys(REHEARSALS, 11)


def test_without_the_permission_rehearsals_are_not_known_and_what_needs_no_metric_is(
    emulator: Emulator, new_service: NewService, front: Front
) -> None:
    scaled(emulator, "late", [300, 600, 900])
    service = new_service()
    before = service.audit(service.scope(), "cli")
    front.deny("cloudwatch:GetMetricData")
    after = new_service().audit(service.scope(), "cli")
    assert rehearsed(after) == {}
    unknown = {id for id, counts in after.rules.items() if counts.unknown}
    assert unknown > REHEARSALS
    (spot,) = after.blind_spots
    assert spot.operation == "cloudwatch:GetMetricData" and set(spot.effect) >= unknown
    others = {finding.id for finding in before.findings if finding.rule not in unknown}
    assert others and {finding.id for finding in after.findings} == others


def test_an_event_rehearses_its_variant_alone(emulator: Emulator, new_service: NewService, front: Front) -> None:
    scaled(emulator, "late", [300, 600, 900])
    scaled(emulator, "later", [300, 600, 900])
    service = new_service()
    named = Scope(ACCOUNT, REGION, resources=(ResourceRef("endpoint", "late"),))
    front.calls.clear()
    report = service.audit(named, "event")
    assert (SHORTFALL, "late/AllTraffic") in rehearsed(report)
    assert {name for _, name in rehearsed(report)} == {"late/AllTraffic"}
    assert sum(report.api_calls.values()) <= most_calls(named)


def test_what_cannot_be_replayed_is_counted_and_told_to_who_asks_and_is_no_blind_spot(
    emulator: Emulator, new_service: NewService, capsys: pytest.CaptureFixture[str]
) -> None:
    scaled(emulator, "right", [])
    scaled(emulator, "idle", [])
    cloudwatch = backend_of("cloudwatch", ACCOUNT, REGION)
    del metrics_of(cloudwatch)["AWS/SageMaker", "Invocations", frozenset(dimensions("idle").items())]
    scaled(emulator, "gone", [])
    del cloudwatch.alarms[next(name for name in cloudwatch.alarms if "endpoint/gone/" in name and "High" in name)]
    service = new_service()
    report = service.audit(service.scope(), "cli")
    assert report.blind_spots == []
    for id in REHEARSALS:
        counts = report.rules[id]
        assert (counts.passed, counts.not_applicable, counts.unknown) == (1, 1, 1)
    assert run(["audit", "--explain", "gone/AllTraffic"]) == 0
    text = " ".join(capsys.readouterr().out.split())
    assert "gone/AllTraffic cannot be rehearsed: the alarm" in text


def test_no_rehearsal_judges_by_the_other_rules(
    emulator: Emulator, front: Front, capsys: pytest.CaptureFixture[str]
) -> None:
    scaled(emulator, "late", [300, 600, 900])
    assert run(["audit", "--format", "json"]) == 0
    every = json.loads(capsys.readouterr().out)
    asked = front.calls["cloudwatch:GetMetricData"]
    front.calls.clear()
    assert run(["audit", "--no-rehearsal", "--format", "json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert front.calls["cloudwatch:GetMetricData"] == asked - 1
    assert set(every["rules"]) - set(report["rules"]) == REHEARSALS
    assert report["shown"]["rules_left_out"] == len(REHEARSALS)


def test_no_rehearsal_leaves_a_rule_to_judge_by(emulator: Emulator, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["audit", "--no-rehearsal", "--rule", SHORTFALL]) == 2
    assert "none of these rules is left" in capsys.readouterr().err
