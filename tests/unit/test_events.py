"""Events → scopes: pure, and clear about what cannot be understood."""

from typing import Any

import pytest

from chalicelib.errors import InvalidInput
from chalicelib.events import NAMED_BY, scope_of
from chalicelib.scope import ResourceRef

CLUSTER = "arn:aws:sagemaker:eu-west-1:123456789012:cluster/4bvu81wlsvpo"


def an_event(detail_type: str, detail: Any, **differences: Any) -> dict[str, Any]:
    return {
        "id": "1",
        "account": "123456789012",
        "region": "eu-west-1",
        "source": "aws.sagemaker",
        "detail-type": detail_type,
        "detail": detail,
        **differences,
    }


@pytest.mark.parametrize("detail_type", NAMED_BY)
def test_a_native_event_names_one_resource(detail_type: str) -> None:
    key, kind = NAMED_BY[detail_type]
    scope = scope_of(an_event(detail_type, {key: "thing"}))
    assert scope.resources == (ResourceRef(kind, "thing"),)
    assert (scope.account, scope.region, scope.partition) == ("123456789012", "eu-west-1", "aws")


def test_the_record_of_a_cluster_event_names_the_cluster() -> None:
    record = {"EventDetails": {"ClusterArn": CLUSTER, "InstanceId": "i-0391f86fa0fe0d465", "EventLevel": "Error"}}
    assert scope_of(an_event("SageMaker HyperPod Cluster Event", record)).resources == (
        ResourceRef("cluster", CLUSTER),
    )


TRACKING = "TargetTracking-endpoint/churn/variant/blue-AlarmHigh-3b1c0e5d"
SCALED = "inference-component/embed"
POLICY = f"arn:aws:autoscaling:eu-west-1:123456789012:scalingPolicy:1:resource/sagemaker/{SCALED}:policyName/up"


@pytest.mark.parametrize(
    ("call", "parameters", "named"),
    [
        ("DeleteAlarms", {"alarmNames": [TRACKING, "own"]}, {("endpoint", "churn"), ("alarm", "own")}),
        ("DisableAlarmActions", {"alarmNames": ["own"]}, {("alarm", "own")}),
        (
            "PutMetricAlarm",
            {"alarmName": "own", "alarmActions": [POLICY, "arn:aws:sns:eu-west-1:123456789012:ops"]},
            {("inference-component", "embed"), ("alarm", "own")},
        ),
        (
            "PutAlarmMuteRule",
            {"name": "r", "muteTargets": {"alarmNames": ["a", "b"]}},
            {("alarm", "a"), ("alarm", "b")},
        ),
    ],
)
def test_a_call_about_alarms_names_what_they_scale_and_the_alarms(
    call: str, parameters: dict[str, Any], named: set[tuple[str, str]]
) -> None:
    detail = {"eventSource": "monitoring.amazonaws.com", "eventName": call, "requestParameters": parameters}
    scope = scope_of(an_event("AWS API Call via CloudTrail", detail))
    assert {(ref.kind, ref.name) for ref in scope.resources} == named


def test_a_call_about_no_alarm_is_refused() -> None:
    detail = {"eventSource": "monitoring.amazonaws.com", "eventName": "DeleteAlarms", "requestParameters": {}}
    with pytest.raises(InvalidInput, match="names no alarm"):
        scope_of(an_event("AWS API Call via CloudTrail", detail))


@pytest.mark.parametrize(("region", "partition"), [("cn-north-1", "aws-cn"), ("us-gov-west-1", "aws-us-gov")])
def test_the_partition_follows_from_the_region(region: str, partition: str) -> None:
    event = an_event("SageMaker Endpoint State Change", {"EndpointName": "e"}, region=region)
    assert scope_of(event).arn(ResourceRef("endpoint", "e")).startswith(f"arn:{partition}:sagemaker:{region}:")


@pytest.mark.parametrize(
    ("event", "says"),
    [
        (an_event("SageMaker Endpoint State Change", {}), "EndpointName"),
        (an_event("SageMaker Endpoint State Change", None), "no detail"),
        (an_event("SageMaker Endpoint State Change", {"EndpointName": 3}), "EndpointName"),
        (an_event("Tea Is Ready", {}), "accepted are"),
        (an_event("SageMaker Endpoint State Change", {"EndpointName": "e"}, account=""), "account"),
        ({}, "account and region"),
        (None, "no JSON object"),
        (["an", "event"], "no JSON object"),
    ],
)
def test_an_event_that_cannot_be_understood_says_why(event: dict[str, Any], says: str) -> None:
    with pytest.raises(InvalidInput, match=says):
        scope_of(event)


@pytest.mark.parametrize(
    ("written", "hinted"), [(True, True), ("true", True), (False, False), ("false", False), (None, False)]
)
def test_that_scaling_reached_the_maximum_is_read_however_it_is_written(written: Any, hinted: bool) -> None:
    detail = {"resourceId": "endpoint/e/variant/v", "serviceNamespace": "sagemaker", "scaledToMax": written}
    scope = scope_of(an_event("Application Auto Scaling Scaling Activity State Change", detail))
    assert scope.hints == (frozenset({("scaled-to-max", "endpoint/e/variant/v")}) if hinted else frozenset())
