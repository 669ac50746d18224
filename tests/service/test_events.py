"""Every event that leads to an audit: what it asks of AWS and how much, what it tells, what it resolves."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from chalice.test import Client

import app as handlers
from chalicelib.ledger.table import TABLE
from emulator import seed
from emulator.front import Front
from emulator.server import DEFAULT_ACCOUNT as ACCOUNT
from emulator.server import DEFAULT_REGION as REGION
from emulator.server import Emulator
from tests.events import payload
from tests.service.test_audit import a_target, an_endpoint
from tests.service.test_triggers import Subscriber, sent

OWN = ("sns:", "sqs:", "dynamodb:", "sts:")
SCALING = {"eventSource": "autoscaling.amazonaws.com", "additionalEventData": {"service": "application-autoscaling"}}


@pytest.fixture
def subscriber(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> Subscriber:
    subscriber = Subscriber(emulator)
    emulator.client("dynamodb").create_table(TableName="auditor-ledger", **TABLE)
    monkeypatch.setenv("AUDITOR_TOPIC_ARN", subscriber.topic)
    monkeypatch.setenv("AUDITOR_TABLE", "auditor-ledger")
    return subscriber


@pytest.fixture
def client(subscriber: Subscriber, emulator: Emulator) -> Iterator[Client]:
    handlers.service.cache_clear()
    with Client(handlers.app) as client:
        yield client
    handlers.service.cache_clear()


def changes(subscriber: Subscriber) -> list[tuple[str, str, str]]:
    """What left since the last look: change, rule and resource."""
    bodies = [json.loads(notice["Message"]) for notice in subscriber.received()]
    return sorted(
        (change["change"], change["finding"]["rule"], change["finding"]["resource"]["name"])
        for body in bodies
        for change in body["told"]
    )


def asked(front: Front) -> int:
    """The calls about the account since the last look, without the auditor's own channels."""
    number = sum(count for name, count in front.calls.items() if not name.startswith(OWN))
    front.calls.clear()
    return number


def an_api_call(source: str, name: str, parameters: dict[str, Any], **differences: Any) -> dict[str, Any]:
    detail = {"eventSource": source, "eventName": name, "requestParameters": parameters, **differences}
    return {**payload("schedule"), "detail-type": "AWS API Call via CloudTrail", "detail": detail}


def endpoint_event(name: str) -> dict[str, Any]:
    event = payload("endpoint-in-service")
    return {**event, "detail": {**event["detail"], "EndpointName": name}}


def test_an_endpoint_through_its_life(client: Client, subscriber: Subscriber, emulator: Emulator, front: Front) -> None:
    an_endpoint(emulator, "alone", count=1)
    front.calls.clear()
    sent(client, "audit_on_sagemaker_event", endpoint_event("alone"))
    assert asked(front) <= 12
    first = changes(subscriber)
    assert ("new", "endpoint-single-instance", "alone/AllTraffic") in first
    sent(client, "audit_on_sagemaker_event", endpoint_event("alone"))
    assert changes(subscriber) == []
    seed.endpoint(ACCOUNT, REGION, "alone", status="Updating", modified=datetime.now(UTC))
    sent(client, "audit_on_sagemaker_event", endpoint_event("alone"))
    assert changes(subscriber) == []
    seed.endpoint(ACCOUNT, REGION, "alone", status="InService", counts={"AllTraffic": (2, 2)})
    sent(client, "audit_on_sagemaker_event", endpoint_event("alone"))
    assert changes(subscriber) == [("resolved", "endpoint-single-instance", "alone/AllTraffic")]
    emulator.client("sagemaker").delete_endpoint(EndpointName="alone")
    front.calls.clear()
    answer = sent(client, "audit_on_sagemaker_event", endpoint_event("alone"))
    assert asked(front) <= 3
    left = {(rule, name) for change, rule, name in first if rule != "endpoint-single-instance"}
    assert {(rule, name) for change, rule, name in changes(subscriber) if change == "resolved"} == left
    assert answer["findings"] == 0


@pytest.mark.parametrize("size", [0, 40])
def test_an_endpoint_event_costs_the_same_in_any_account(
    client: Client, emulator: Emulator, front: Front, size: int
) -> None:
    an_endpoint(emulator, "alone", count=1)
    a_target("alone", minimum=1)
    for number in range(size):
        an_endpoint(emulator, f"other-{number}")
        a_target(f"other-{number}")
    front.calls.clear()
    sent(client, "audit_on_sagemaker_event", endpoint_event("alone"))
    assert asked(front) <= 12


def test_a_training_job_costs_three_calls_at_most(client: Client, subscriber: Subscriber, front: Front) -> None:
    seed.training_job(ACCOUNT, REGION, "nightly", EnableManagedSpotTraining=True)
    front.calls.clear()
    sent(client, "audit_on_sagemaker_event", payload("training-job-completed"))
    assert asked(front) <= 3
    assert ("new", "training-spot-no-checkpoint", "nightly") in changes(subscriber)


def test_a_config_costs_four_calls_at_most(
    client: Client, subscriber: Subscriber, emulator: Emulator, front: Front
) -> None:
    an_endpoint(emulator, "alone", count=1)
    front.calls.clear()
    event = {**payload("schedule"), "detail-type": "SageMaker Endpoint Config State Change"}
    sent(
        client, "audit_on_sagemaker_event", {**event, "detail": {"EndpointConfigName": "alone", "Tags": [{"key": "a"}]}}
    )
    assert asked(front) <= 4
    assert ("new", "endpoint-config-single-instance", "alone") in changes(subscriber)


def test_scaled_to_max_is_told(client: Client, subscriber: Subscriber, emulator: Emulator, front: Front) -> None:
    an_endpoint(emulator, "busy")
    a_target("busy", minimum=2, maximum=6)
    event = {**payload("schedule"), "detail-type": "Application Auto Scaling Scaling Activity State Change"}
    detail = {
        "resourceId": "endpoint/busy/variant/AllTraffic",
        "scalableDimension": "sagemaker:variant:DesiredInstanceCount",
        "serviceNamespace": "sagemaker",
        "newDesiredCapacity": "6",
        "maxCapacity": "6",
        "scaledToMax": True,
        "statusCode": "Successful",
    }
    front.calls.clear()
    sent(client, "audit_on_scaling_event", {**event, "detail": detail})
    assert asked(front) <= 12
    assert ("new", "autoscaling-at-max", "busy/AllTraffic") in changes(subscriber)
    answer = sent(client, "audit_on_scaling_event", {**event, "detail": {**detail, "serviceNamespace": "ecs"}})
    assert "ecs is not audited" in answer["dropped"]


def test_scaling_that_is_taken_away_and_put_back(client: Client, subscriber: Subscriber, emulator: Emulator) -> None:
    an_endpoint(emulator, "busy")
    a_target("busy", minimum=2, maximum=2)
    parameters = {"serviceNamespace": "sagemaker", "resourceId": "endpoint/busy/variant/AllTraffic"}
    registered = an_api_call("autoscaling.amazonaws.com", "RegisterScalableTarget", parameters)
    sent(client, "audit_on_api_call", registered)
    assert ("new", "autoscaling-no-headroom", "busy/AllTraffic") in changes(subscriber)
    scaling = emulator.client("application-autoscaling")
    dimension = "sagemaker:variant:DesiredInstanceCount"
    scaling.deregister_scalable_target(
        ServiceNamespace="sagemaker", ResourceId=parameters["resourceId"], ScalableDimension=dimension
    )
    sent(client, "audit_on_api_call", an_api_call("autoscaling.amazonaws.com", "DeregisterScalableTarget", parameters))
    after = changes(subscriber)
    assert ("resolved", "autoscaling-no-headroom", "busy/AllTraffic") in after
    assert ("new", "variant-no-autoscaling", "busy/AllTraffic") in after


def test_a_call_that_failed_audits_nothing(client: Client, subscriber: Subscriber, front: Front) -> None:
    event = an_api_call(
        "sagemaker.amazonaws.com", "DeleteEndpoint", {"endpointName": "alone"}, errorCode="AccessDenied"
    )
    front.calls.clear()
    assert "changed nothing" in sent(client, "audit_on_api_call", event)["dropped"]
    assert asked(front) == 0


def test_a_subnet_that_is_deleted_audits_what_stands_on_it(
    client: Client, subscriber: Subscriber, emulator: Emulator, front: Front
) -> None:
    ec2 = emulator.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{number}.0/24", AvailabilityZone=f"{REGION}{zone}")["Subnet"][
            "SubnetId"
        ]
        for number, zone in enumerate("ab")
    ]
    an_endpoint(emulator, "inside", VpcConfig={"SecurityGroupIds": ["sg-1"], "Subnets": subnets})
    an_endpoint(emulator, "outside")
    sent(client, "audit_on_schedule", payload("schedule"))
    changes(subscriber)
    ec2.delete_subnet(SubnetId=subnets[0])
    front.calls.clear()
    sent(client, "audit_on_api_call", an_api_call("ec2.amazonaws.com", "DeleteSubnet", {"subnetId": subnets[0]}))
    assert asked(front) <= 12
    assert {(rule, name) for _, rule, name in changes(subscriber)} >= {
        ("model-vpc-single-az", "inside"),
        ("model-vpc-subnet-missing", "inside"),
    }
    answer = sent(
        client, "audit_on_api_call", an_api_call("ec2.amazonaws.com", "DeleteSubnet", {"subnetId": "subnet-none"})
    )
    assert answer == {"dropped": "nothing that is known stands on it"}


def test_a_scaling_alarm_that_is_deleted_is_told_at_once(
    client: Client, emulator: Emulator, subscriber: Subscriber
) -> None:
    an_endpoint(emulator, "scaled")
    a_target("scaled")
    scaling, cloudwatch = emulator.client("application-autoscaling"), emulator.client("cloudwatch")
    arn = scaling.put_scaling_policy(
        PolicyName="up",
        ServiceNamespace="sagemaker",
        ResourceId="endpoint/scaled/variant/AllTraffic",
        ScalableDimension="sagemaker:variant:DesiredInstanceCount",
        PolicyType="StepScaling",
        StepScalingPolicyConfiguration={
            "AdjustmentType": "ChangeInCapacity",
            "StepAdjustments": [{"MetricIntervalLowerBound": 0, "ScalingAdjustment": 1}],
        },
    )["PolicyARN"]
    alarm = "busy"
    cloudwatch.put_metric_alarm(
        AlarmName=alarm,
        Namespace="AWS/SageMaker",
        MetricName="InvocationsPerInstance",
        Dimensions=[{"Name": "EndpointName", "Value": "scaled"}, {"Name": "VariantName", "Value": "AllTraffic"}],
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=3,
        Threshold=100,
        ComparisonOperator="GreaterThanThreshold",
        AlarmActions=[arn],
    )
    seed.scaling_policy(
        ACCOUNT,
        REGION,
        "up",
        "endpoint/scaled/variant/AllTraffic",
        Alarms=[{"AlarmName": alarm, "AlarmARN": f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:{alarm}"}],
    )
    sent(client, "audit_on_schedule", payload("schedule"))
    changes(subscriber)
    cloudwatch.delete_alarms(AlarmNames=[alarm])
    event = an_api_call("monitoring.amazonaws.com", "DeleteAlarms", {"alarmNames": [alarm]})
    sent(client, "audit_on_api_call", event)
    assert ("new", "autoscaling-alarm-broken", "scaled/AllTraffic/up") in changes(subscriber)
    others = an_api_call("monitoring.amazonaws.com", "DeleteAlarms", {"alarmNames": ["of-a-table"]})
    assert sent(client, "audit_on_api_call", others) == {"dropped": "nothing that is known stands on it"}


def health_event(**detail: Any) -> dict[str, Any]:
    event = payload("health")
    return {**event, "detail": {**event["detail"], **detail}}


def test_what_aws_health_says_is_told_once_and_when_it_is_over(client: Client, subscriber: Subscriber) -> None:
    name = "AWS_SAGEMAKER_PLANNED_LIFECYCLE_EVENT"
    sent(client, "audit_on_sagemaker_event", health_event())
    (message,) = [json.loads(notice["Message"]) for notice in subscriber.received()]
    assert (message["kind"], message["finding"]["severity"]) == ("health", "medium")
    assert message["finding"]["evidence"]["resources"] == [
        "arn:aws:sagemaker:eu-west-1:123456789012:endpoint/churn-prediction"
    ]
    sent(client, "audit_on_sagemaker_event", health_event(page="2", totalPages="2"))
    sent(client, "audit_on_schedule", payload("schedule"))
    assert [change for change in changes(subscriber) if change[1] == "aws-health"] == []
    sent(client, "audit_on_sagemaker_event", health_event(statusCode="closed"))
    assert changes(subscriber) == [("resolved", "aws-health", name)]


@pytest.mark.parametrize(
    "detail", [{"service": "EC2"}, {"affectedAccount": "999999999999"}, {"eventArn": ""}, {"eventArn": None}]
)
def test_what_aws_health_says_of_others_is_dropped(
    client: Client, subscriber: Subscriber, detail: dict[str, Any]
) -> None:
    assert "dropped" in sent(client, "audit_on_sagemaker_event", health_event(**detail))
    assert changes(subscriber) == []


def test_get_audit_answers_from_the_ledger(client: Client, emulator: Emulator, front: Front) -> None:
    for number in range(3):
        an_endpoint(emulator, f"alone-{number}", count=1)
    sent(client, "audit_on_schedule", payload("schedule"))
    front.calls.clear()
    answer = client.http.get("/audit?limit=2&severity=high")
    page = answer.json_body
    assert answer.status_code == 200
    assert not [name for name in front.calls if name.startswith("sagemaker:")]
    assert [finding["severity"] for finding in page["findings"]] == ["high", "high"]
    assert page["last_audit"] is not None
    following = client.http.get(f"/audit?limit=2&severity=high&cursor={page['cursor']}").json_body
    assert len(following["findings"]) == 1
    assert following["cursor"] is None
    assert client.http.get("/audit?cursor=nonsense").status_code == 400
    assert client.http.get("/health").json_body["last_audit"] == page["last_audit"]


def test_a_report_is_stored_only_when_there_is_something_to_tell(
    client: Client, emulator: Emulator, front: Front, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket = {"LocationConstraint": REGION}
    emulator.client("s3").create_bucket(Bucket="auditor-reports", CreateBucketConfiguration=bucket)
    monkeypatch.setenv("AUDITOR_BUCKET", "auditor-reports")
    handlers.service.cache_clear()
    an_endpoint(emulator, "alone", count=1)
    sent(client, "audit_on_sagemaker_event", endpoint_event("alone"))
    sent(client, "audit_on_sagemaker_event", endpoint_event("alone"))
    stored = emulator.client("s3").list_objects_v2(Bucket="auditor-reports")["Contents"]
    assert [object["Key"].rsplit(".")[-1] for object in stored] == ["html", "json"]


def test_a_bucket_that_is_not_there_silences_nothing(
    client: Client, subscriber: Subscriber, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUDITOR_BUCKET", "auditor-reports")
    handlers.service.cache_clear()
    an_endpoint(emulator, "alone", count=1)
    sent(client, "audit_on_sagemaker_event", endpoint_event("alone"))
    bodies = [json.loads(notice["Message"]) for notice in subscriber.received()]
    assert bodies
    for body in bodies:
        assert body["report_url"] is None
        assert [spot["operation"] for spot in body["blind_spots"]] == ["s3:PutObject"]
        assert "NoSuchBucket" in body["blind_spots"][0]["error"]


def test_the_schedule_delivered_twice_is_one_digest(client: Client, subscriber: Subscriber) -> None:
    first = sent(client, "audit_on_schedule", payload("schedule"))
    second = sent(client, "audit_on_schedule", payload("schedule"))
    sent(client, "audit_on_schedule", {**payload("schedule"), "id": "that-of-the-next-day"})
    digests = [json.loads(notice["Message"])["audit_id"] for notice in subscriber.received()]
    assert len(digests) == 2
    assert first["audit_id"] == second["audit_id"] == digests[0] != digests[1]
