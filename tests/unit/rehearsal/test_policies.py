"""From what AWS says of automatic scaling to a setting, or the reason why there is none."""

from datetime import UTC, datetime
from typing import Any

import pytest

from chalicelib.inventory.kinds import scaling
from chalicelib.inventory.kinds.scaling import ScalableTarget, ScalingPolicy, ScheduledAction
from chalicelib.rehearsal import queue
from chalicelib.rehearsal.policies import Replayable, Signal, Unreplayable, replayable
from chalicelib.rehearsal.settings import (
    Alarm,
    Scheduled,
    Step,
    StepScaling,
    TargetTracking,
    high,
    low,
    tracking,
)

RESOURCE = {"ResourceId": "endpoint/orders/variant/main", "ScalableDimension": "sagemaker:variant:DesiredInstanceCount"}
PREDEFINED = {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"}
BEGIN = datetime(2026, 3, 2, tzinfo=UTC)
DAY = 1440


def target(**other: Any) -> ScalableTarget:
    """A scalable target from 1 to 8 instances."""
    return ScalableTarget.model_validate({**RESOURCE, "MinCapacity": 1, "MaxCapacity": 8, **other})


def tracks(**configuration: Any) -> ScalingPolicy:
    """A target tracking policy with a target of 100."""
    return ScalingPolicy.model_validate(
        {
            **RESOURCE,
            "PolicyName": "follow",
            "PolicyType": "TargetTrackingScaling",
            "Alarms": [{"AlarmName": "high"}, {"AlarmName": "low"}],
            "TargetTrackingScalingPolicyConfiguration": {
                "TargetValue": 100.0,
                **(
                    {}
                    if "CustomizedMetricSpecification" in configuration
                    else {"PredefinedMetricSpecification": PREDEFINED}
                ),
                **configuration,
            },
        }
    )


def steps(alarm: str = "late", **configuration: Any) -> ScalingPolicy:
    """A step policy that adds one instance."""
    return ScalingPolicy.model_validate(
        {
            **RESOURCE,
            "PolicyName": "climb",
            "PolicyType": "StepScaling",
            "Alarms": [{"AlarmName": alarm}],
            "StepScalingPolicyConfiguration": {
                "AdjustmentType": "ChangeInCapacity",
                "StepAdjustments": [{"MetricIntervalLowerBound": 0.0, "ScalingAdjustment": 1}],
                **configuration,
            },
        }
    )


def alarm(name: str, **other: Any) -> scaling.Alarm:
    """An alarm above 100 in three minutes."""
    return scaling.Alarm.model_validate(
        {
            "AlarmName": name,
            "MetricName": "InvocationsPerInstance",
            "Namespace": "AWS/SageMaker",
            "Period": 60,
            "EvaluationPeriods": 3,
            "Threshold": 100.0,
            "ComparisonOperator": "GreaterThanThreshold",
            **other,
        }
    )


def custom(name: str, **other: Any) -> dict[str, Any]:
    """The specification of a custom metric."""
    return {"CustomizedMetricSpecification": {"MetricName": name, "Namespace": "AWS/SageMaker", **other}}


def made(*policies: ScalingPolicy, alarms: Any = (), asynchronous: bool = False) -> Replayable:
    """What is made of the policies, which must be replayable."""
    result = replayable(
        target(), policies, {alarm.name: alarm for alarm in alarms}, [], BEGIN, DAY, asynchronous=asynchronous
    )
    assert isinstance(result, Replayable), result
    return result


def refused(*policies: ScalingPolicy, alarms: Any = (), asynchronous: bool = False, **other: Any) -> str:
    """The reason why the policies cannot be replayed."""
    result = replayable(
        target(**other), policies, {alarm.name: alarm for alarm in alarms}, [], BEGIN, DAY, asynchronous=asynchronous
    )
    assert isinstance(result, Unreplayable), result
    return result.reason


def test_target_tracking_with_the_alarms_that_aws_makes() -> None:
    answer = made(tracks())
    assert answer.setting.policies == (tracking(100),)
    assert (answer.setting.minimum, answer.setting.maximum, answer.signals) == (1, 8, (Signal.INVOCATIONS,))
    assert answer.assumed_alarms


def test_the_alarms_own_numbers_go_first() -> None:
    quiet = {"ComparisonOperator": "LessThanThreshold", "Threshold": 80.0, "EvaluationPeriods": 10}
    answer = made(
        tracks(ScaleOutCooldown=0, ScaleInCooldown=900),
        alarms=[alarm("high", EvaluationPeriods=5, DatapointsToAlarm=2), alarm("low", **quiet)],
    )
    assert answer.setting.policies == (
        TargetTracking(100, Alarm(2, 5, 100, above=True), Alarm(10, 10, 80, above=False), 0, 900),
    )
    assert not answer.assumed_alarms


def test_an_alarm_of_ten_seconds_is_one_datapoint_of_a_minute() -> None:
    metric = {"PredefinedMetricType": "SageMakerVariantConcurrentRequestsPerModelHighResolution"}
    answer = made(tracks(PredefinedMetricSpecification=metric), alarms=[alarm("high", Period=10)])
    policy = answer.setting.policies[0]
    assert isinstance(policy, TargetTracking)
    assert (policy.high, policy.low, policy.load) == (high(100, 1, 1), low(100), 1)
    assert answer.signals == (Signal.INVOCATIONS, Signal.CONCURRENT_BY_MODEL)
    assert answer.high_resolution


def test_scale_in_may_be_disabled() -> None:
    policy = made(tracks(DisableScaleIn=True)).setting.policies[0]
    assert isinstance(policy, TargetTracking) and policy.low is None


@pytest.mark.parametrize(
    "name, statistic, signals, load, per_instance",
    [
        ("InvocationsPerInstance", "Sum", (Signal.INVOCATIONS,), 0, True),
        ("Invocations", "Sum", (Signal.INVOCATIONS,), 0, False),
        ("CPUUtilization", "Average", (Signal.INVOCATIONS, Signal.CPU), 1, True),
        ("GPUMemoryUtilization", None, (Signal.INVOCATIONS, Signal.GPU_MEMORY), 1, True),
    ],
)
def test_custom_metrics_become_series(
    name: str, statistic: str | None, signals: tuple[Signal, ...], load: int, per_instance: bool
) -> None:
    answer = made(tracks(**custom(name, **({"Statistic": statistic} if statistic else {}))))
    policy = answer.setting.policies[0]
    assert answer.signals == signals
    assert (policy.load, policy.per_instance) == (load, per_instance)


def in_math(expression: str) -> ScalingPolicy:
    """A policy that follows metric math."""
    metric = {"Id": "m1", "MetricStat": {"Metric": {"MetricName": "InvocationsPerInstance"}, "Stat": "Sum"}}
    return tracks(CustomizedMetricSpecification={"Metrics": [metric, {"Id": "e1", "Expression": expression}]})


def test_fill_of_a_single_metric_is_understood() -> None:
    assert made(in_math("FILL(m1, 0)")).setting.policies == (tracking(100),)
    assert "metric math" in refused(in_math("m1 / 2"))


def test_several_policies_share_their_series() -> None:
    answer = made(tracks(), tracks(**custom("CPUUtilization")), tracks(**custom("CPUUtilization")))
    assert [policy.load for policy in answer.setting.policies] == [0, 1, 1]


def test_step_scaling_by_its_alarm() -> None:
    policy = steps(
        AdjustmentType="PercentChangeInCapacity",
        MinAdjustmentMagnitude=2,
        Cooldown=60,
        StepAdjustments=[
            {"MetricIntervalLowerBound": 0.0, "MetricIntervalUpperBound": 50.0, "ScalingAdjustment": 10},
            {"MetricIntervalLowerBound": 50.0, "ScalingAdjustment": 30},
        ],
    )
    answer = made(policy, alarms=[alarm("late", ComparisonOperator="GreaterThanOrEqualToThreshold")])
    assert answer.setting.policies == (
        StepScaling(
            Alarm(3, 3, 100, above=True, strict=False),
            (Step(0, 50, 10), Step(50, None, 30)),
            "PercentChangeInCapacity",
            2,
            60,
        ),
    )


def test_an_asynchronous_endpoint_follows_its_queue() -> None:
    waits = steps(alarm="waits")
    answer = made(
        tracks(**custom("ApproximateBacklogSizePerInstance")),
        waits,
        alarms=[alarm("waits", MetricName="HasBacklogWithoutCapacity", Threshold=1.0)],
        asynchronous=True,
    )
    assert [policy.load for policy in answer.setting.policies] == [queue.BACKLOG, queue.WITHOUT_CAPACITY]
    assert answer.signals[queue.BACKLOG] is Signal.BACKLOG
    assert answer.signals[queue.WITHOUT_CAPACITY] is Signal.WITHOUT_CAPACITY


@pytest.mark.parametrize(
    "configuration, reason",
    [
        ({"TargetValue": None}, "TargetValue of follow is missing"),
        ({"TargetValue": 0}, "TargetValue of follow is 0; accepted is a number above 0"),
        (custom("ModelLatency", Statistic="Average"), "follow follows ModelLatency, which is not replayed"),
        (
            custom("CPUUtilization", Statistic="Maximum"),
            "follows the Maximum of CPUUtilization; accepted is the Average",
        ),
        (custom("Invocations", Statistic="Average"), "follows the Average of Invocations; accepted is the Sum"),
        (
            {
                "PredefinedMetricSpecification": {
                    "PredefinedMetricType": "SageMakerVariantProvisionedConcurrencyUtilization"
                }
            },
            "follow follows SageMakerVariantProvisionedConcurrencyUtilization, which is not replayed",
        ),
    ],
)
def test_a_policy_that_is_not_replayed_says_why(configuration: dict[str, Any], reason: str) -> None:
    assert reason in refused(tracks(**configuration))


@pytest.mark.parametrize(
    "alarms, reason",
    [
        ([], "climb hangs on 0 alarms that are known"),
        ([alarm("late", Period=300)], "looks at periods of 300 seconds; accepted are 60"),
        ([alarm("late", MetricName="ModelLatency")], "climb follows ModelLatency"),
        ([alarm("late", Threshold=None)], "when the alarm late rings is not known"),
    ],
)
def test_a_step_policy_without_a_usable_alarm_says_why(alarms: list[scaling.Alarm], reason: str) -> None:
    assert reason in refused(steps(), alarms=alarms)


def test_what_else_is_not_replayed() -> None:
    assert refused() == "no scaling policy"
    assert "MinCapacity or MaxCapacity is missing" in refused(tracks(), MaxCapacity=None)
    assert "is not replayed" in refused(tracks(), ScalableDimension="sagemaker:variant:DesiredProvisionedConcurrency")
    predictive = ScalingPolicy.model_validate({**RESOURCE, "PolicyName": "guess", "PolicyType": "PredictiveScaling"})
    assert refused(predictive) == "guess is of the type PredictiveScaling, which is not replayed"
    assert "is not replayed" in refused(tracks(), asynchronous=True)
    assert "AdjustmentType Doubling" in refused(steps(AdjustmentType="Doubling"), alarms=[alarm("late")])


def scheduled(schedule: str, **bounds: int) -> ScheduledAction:
    """A scheduled action that sets bounds."""
    return ScheduledAction.model_validate(
        {**RESOURCE, "ScheduledActionName": schedule, "Schedule": schedule, "ScalableTargetAction": bounds}
    )


def test_schedules_set_bounds_in_the_window_and_before_it() -> None:
    actions = [scheduled("cron(0 8 * * ? *)", MinCapacity=4), scheduled("cron(0 20 * * ? *)", MinCapacity=2)]
    answer = replayable(target(), [tracks()], {}, actions, BEGIN, DAY)
    assert isinstance(answer, Replayable)
    assert answer.setting.minimum == 2, "that of the evening before, whatever stands there now"
    assert answer.setting.scheduled == (Scheduled(480, 4, None), Scheduled(1200, 2, None))


def test_a_schedule_that_cannot_be_placed_leaves_the_variant_unknown() -> None:
    answer = replayable(target(), [tracks()], {}, [scheduled("cron(0 8 L * ? *)", MinCapacity=4)], BEGIN, DAY)
    assert isinstance(answer, Unreplayable)
    assert answer.reason.startswith("the scheduled action cron(0 8 L * ? *) cannot be placed")
    answer = replayable(target(), [tracks()], {}, [scheduled("cron(0 8 * * ? *)", MinCapacity=4)], None, DAY)
    assert isinstance(answer, Unreplayable)
    assert "of a load without dates" in answer.reason


def test_one_without_bounds_changes_nothing() -> None:
    answer = replayable(target(), [tracks()], {}, [scheduled("cron(0 8 L * ? *)")], BEGIN, DAY)
    assert isinstance(answer, Replayable) and answer.setting.scheduled == ()


def test_suspended_states_are_kept() -> None:
    suspended = {"DynamicScalingOutSuspended": True, "ScheduledScalingSuspended": True}
    answer = replayable(target(SuspendedState=suspended), [tracks()], {}, [], BEGIN, DAY)
    assert isinstance(answer, Replayable)
    setting = answer.setting
    assert (setting.out_suspended, setting.in_suspended, setting.scheduled_suspended) == (True, False, True)


def test_an_alarm_that_is_gone_or_does_not_act_sets_nothing_off() -> None:
    gone = replayable(target(), [tracks()], {"high": None}, [], BEGIN, DAY)
    assert gone == Unreplayable("the alarm high of follow does not exist")
    quiet = refused(tracks(), alarms=[alarm("high", ActionsEnabled=False)])
    assert quiet == "the alarm high of follow has its actions disabled"
