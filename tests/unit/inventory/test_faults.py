"""A sample of the faults of AWS's answers; ``tests.faults.matrix`` holds all of them."""

import logging
from random import Random

import pytest

from chalicelib.report.cause import Cause
from tests.examples import number
from tests.faults import matrix
from tests.faults.account import REGION, account
from tests.faults.matrix import FAULTS, SWEEP, Trial
from tests.faults.wire import Answers, Wire

pytestmark = pytest.mark.thorough

#: Another number tries others; this many take some seconds.
SEED, NUMBER = 14, number(36)


def sampled() -> list[Trial]:
    return Random(SEED).sample(sorted(matrix.every_trial()), NUMBER)


def test_a_bad_answer_ends_no_audit_tells_nothing_false_and_loses_nothing_unseen(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.CRITICAL)
    became = {trial: matrix.run(trial) for trial in sampled()}
    assert {trial: outcome for trial, outcome in became.items() if outcome} == {}


def spots(operation: str, fault: str) -> dict[str, Cause]:
    """The causes of the blind spots of a sweep under a fault, by operation."""
    wire = Wire(Answers(account(), REGION), operation, FAULTS[fault].answer, FAULTS[fault].body)
    report, _ = matrix.audited(wire, SWEEP, {})
    assert report.complete is all(spot.cause is Cause.NOT_TOLD for spot in report.blind_spots)
    return {spot.operation: spot.cause for spot in report.blind_spots}


@pytest.mark.parametrize(
    ("fault", "cause"),
    [
        ("denied", Cause.DENIED),
        ("expired token", Cause.DENIED),
        ("throttled for good", Cause.THROTTLED),
        ("internal failure", Cause.FAILED),
        ("connection reset", Cause.FAILED),
        ("ever new tokens", Cause.FAILED),
        ("truncated", Cause.MALFORMED),
        ("an empty object", Cause.MALFORMED),
        ("one token for ever", Cause.MALFORMED),
        ("two tokens in turn", Cause.MALFORMED),
        ("null records", Cause.MALFORMED),
    ],
)
def test_a_blind_spot_names_its_cause(fault: str, cause: Cause) -> None:
    operation = "application-autoscaling:DescribeScalingPolicies"
    assert spots(operation, fault)[operation] is cause


@pytest.mark.parametrize(
    ("fault", "cause"),
    [
        ("metrics: InternalError", Cause.FAILED),
        ("metrics: PartialData", Cause.FAILED),
        ("metrics: Forbidden", Cause.DENIED),
        ("metrics: no result", Cause.MALFORMED),
        ("negative numbers", Cause.MALFORMED),
    ],
)
def test_metrics_that_cloudwatch_did_not_finish_are_unread_and_nothing_is_idle(fault: str, cause: Cause) -> None:
    trial = Trial("cloudwatch:GetMetricData", fault)
    assert not matrix.run(trial)
    assert spots(trial.operation, fault)[trial.operation] is cause


def test_every_rule_that_meets_a_failure_is_told_with_it_also_where_another_says_it_in_its_own_words() -> None:
    assert not matrix.run(Trial("sagemaker:Search", "words for numbers"))


def test_e7_what_aws_does_not_tell_is_unknown_and_makes_no_audit_incomplete() -> None:
    state = account()
    package = "arn:aws:sagemaker:eu-west-1:123456789012:model-package/churn/1"
    for model in state.models:
        model["PrimaryContainer"] = {"ModelPackageName": package}
    report, _ = matrix.audited(Wire(Answers(state, REGION)), SWEEP, {})
    untold = [spot for spot in report.blind_spots if "model package" in spot.error]
    assert {spot.cause for spot in untold} == {Cause.NOT_TOLD}
    assert all(report.rules[rule].unknown for spot in untold for rule in spot.effect)
    assert report.complete
