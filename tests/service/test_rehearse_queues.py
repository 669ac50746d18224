"""``auditor rehearse`` of an account's asynchronous endpoints, by what came into their queue, and of its inference
components, by copies."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from chalice.test import Client

from chalicelib.cli import run
from emulator import seed
from emulator.front import Front
from emulator.server import DEFAULT_ACCOUNT as ACCOUNT
from emulator.server import DEFAULT_REGION as REGION
from emulator.server import Emulator
from emulator.standing import make_role
from tests.http.test_rehearse import client as client
from tests.http.test_rehearse import rehearsed
from tests.service.test_audit import IMAGE, ROLE
from tests.service.test_rehearse import answer
from tests.unit.rehearsal.synthetic import SyntheticAws, week

Read = pytest.CaptureFixture[str]
DAYS = 2
NAME, COMPONENT = "orders", "ranker"

pytestmark = pytest.mark.usefixtures("direct_calls")


def begin() -> datetime:
    return datetime.now(UTC).replace(second=0, microsecond=0) - timedelta(days=DAYS)


def an_asynchronous_endpoint(emulator: Emulator) -> None:
    """An endpoint that scales from zero by its backlog alone. Each day 300 requests come in ten minutes, of which one
    instance does ten a minute; two came once, for which it has not woken."""
    sagemaker, start = emulator.client("sagemaker"), begin()
    make_role(ROLE)
    sagemaker.create_model(ModelName=NAME, ExecutionRoleArn=ROLE, PrimaryContainer={"Image": IMAGE})
    variant = {"VariantName": "AllTraffic", "ModelName": NAME, "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    sagemaker.create_endpoint_config(
        EndpointConfigName=NAME,
        ProductionVariants=[variant],
        AsyncInferenceConfig={"OutputConfig": {"S3OutputPath": "s3://results/"}},
    )
    sagemaker.create_endpoint(EndpointName=NAME, EndpointConfigName=NAME)
    seed.endpoint(ACCOUNT, REGION, NAME, created=start - timedelta(days=9), counts={"AllTraffic": (0, 0)})
    resource = f"endpoint/{NAME}/variant/AllTraffic"
    seed.scalable_target(ACCOUNT, REGION, resource, minimum=0, maximum=5, created=start)
    metric = {
        "Namespace": "AWS/SageMaker",
        "MetricName": "ApproximateBacklogSizePerInstance",
        "Statistic": "Average",
        "Dimensions": [{"Name": "EndpointName", "Value": NAME}],
    }
    seed.scaling_policy(
        ACCOUNT,
        REGION,
        "backlog",
        resource,
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration={"TargetValue": 5, "CustomizedMetricSpecification": metric},
        CreationTime=start,
    )
    backlog, processed, counts = [0.0] * DAYS * 1440, [0.0] * DAYS * 1440, [0] * DAYS * 1440
    for first in (600, 2040):
        waiting = 0.0
        for minute in range(first, first + 50):
            waiting += 30 if minute < first + 10 else 0
            counts[minute] = 1 if minute >= first + 8 else 0
            processed[minute] = min(waiting, 10.0 * counts[minute])
            waiting -= processed[minute]
            backlog[minute] = waiting
    backlog[1000:1100] = [2.0] * 100
    minutes = [start + timedelta(minutes=minute) for minute in range(DAYS * 1440)]
    of_endpoint, of_variant = {"EndpointName": NAME}, {"EndpointName": NAME, "VariantName": "AllTraffic"}
    seed.metric(ACCOUNT, REGION, "ApproximateBacklogSize", of_endpoint, zip(minutes, backlog, strict=True))
    seed.metric(ACCOUNT, REGION, "InvocationsProcessed", of_variant, zip(minutes, processed, strict=True))
    seed.metric_statistics(
        ACCOUNT,
        REGION,
        "CPUUtilization",
        of_variant,
        [(minute, 50.0 * count, count, 50.0, 50.0) for minute, count in zip(minutes, counts, strict=True) if count],
        namespace="/aws/sagemaker/Endpoints",
    )


def test_an_asynchronous_endpoint_is_rehearsed_by_what_came(emulator: Emulator, capsys: Read) -> None:
    an_asynchronous_endpoint(emulator)
    rehearsal = answer(["--max-short", "0"], capsys)
    assert (rehearsal["name"], rehearsal["unit"], rehearsal["max_wait_minutes"]) == (
        "orders/AllTraffic",
        "instance",
        15,
    )
    assert rehearsal["behaviour"]["capacity_per_instance"] == 10
    assert rehearsal["basis"]["capacity"] == (
        "10 a minute by instance, measured: the 95th percentile of what an instance did while requests waited"
    )
    assert rehearsal["basis"]["load"] == f"What came into the queue of the last {DAYS} days, by minute"
    assert rehearsal["minutes_short"] > 500, "the two of minute 1,000 wait until minute 2,040"
    assert "wake_up" in rehearsal["proposal"]["changed"]
    waking, alarm = rehearsal["fix"]["commands"][-2:]
    assert "--policy-name wake-up --policy-type StepScaling" in waking
    assert "--metric-name HasBacklogWithoutCapacity --dimensions Name=EndpointName,Value=orders" in alarm
    awake = answer(["--wake-up", "--max-wait", "60"], capsys)
    assert awake["minutes_short"] == 0
    assert awake["decisions"][0]["before"] == 0


def test_without_a_backlog_nothing_tells_how_fast_an_instance_is(emulator: Emulator, capsys: Read) -> None:
    an_asynchronous_endpoint(emulator)
    assert run(["rehearse", NAME, "--days", "1", "--capacity", "10"]) == 0
    assert "10 a minute by instance, as given" in capsys.readouterr().out


def test_the_same_over_http(emulator: Emulator, client: Client) -> None:
    an_asynchronous_endpoint(emulator)
    status, rehearsal = rehearsed(client, {"endpoint": NAME, "days": DAYS, "wake_up": True, "max_wait": 60})
    assert (status, rehearsal["minutes_short"], rehearsal["largest_backlog"]["requests"]) == (200, 0, 260), (
        "30 × 10 − 10 × 4"
    )
    series = [4.0, *[0.0] * 59]
    policy = {"target": 5.0, "maximum": 5, "capacity": 10.0, "asynchronous": True, "max_short": 0}
    status, rehearsal = rehearsed(client, {"series": series, **policy})
    assert (status, rehearsal["minutes_short"], rehearsal["proposal"]["changed"]) == (200, 44, ["wake_up"])


def a_component(emulator: Emulator, maximum: int = 30) -> SyntheticAws:
    """An inference component with two days of traffic and the record of an AWS that tracked a target of 100 a copy."""
    sagemaker, start = emulator.client("sagemaker"), begin()
    lived = SyntheticAws(begin=start, minimum=2, maximum=maximum)
    lived.run(load := week(1, DAYS))
    make_role(ROLE)
    sagemaker.create_endpoint_config(
        EndpointConfigName=NAME,
        ExecutionRoleArn=ROLE,
        ProductionVariants=[{"VariantName": "AllTraffic", "InstanceType": "ml.m5.large", "InitialInstanceCount": 2}],
    )
    sagemaker.create_endpoint(EndpointName=NAME, EndpointConfigName=NAME)
    sagemaker.create_inference_component(
        InferenceComponentName=COMPONENT,
        EndpointName=NAME,
        VariantName="AllTraffic",
        Specification={"Container": {"Image": IMAGE}, "ComputeResourceRequirements": {"MinMemoryRequiredInMb": 1024}},
        RuntimeConfig={"CopyCount": lived.counts[-1]},
    )
    copies = (lived.counts[-1], lived.counts[-1])
    seed.inference_component(ACCOUNT, REGION, COMPONENT, copies=copies, status="InService")
    resource = f"inference-component/{COMPONENT}"
    seed.scalable_target(ACCOUNT, REGION, resource, minimum=2, maximum=maximum, created=start)
    seed.scaling_policy(
        ACCOUNT,
        REGION,
        "follow",
        resource,
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration={
            "TargetValue": 100,
            "PredefinedMetricSpecification": {"PredefinedMetricType": "SageMakerInferenceComponentInvocationsPerCopy"},
        },
        CreationTime=start,
    )
    minutes = [start + timedelta(minutes=minute) for minute in range(len(load))]
    seed.metric(ACCOUNT, REGION, "Invocations", {"InferenceComponentName": COMPONENT}, zip(minutes, load, strict=True))
    for activity in lived.activities:
        assert activity.started is not None
        seed.scaling_activity(
            ACCOUNT,
            REGION,
            resource,
            started=activity.started,
            ended=activity.ended,
            cause=activity.cause or "",
            description=(activity.description or "").replace("instance count", "copy count"),
        )
    return lived


def explained(rehearsal: dict[str, Any]) -> tuple[int, int]:
    """Of the steps that AWS recorded, how many the replay explains, and how many there are."""
    words = next(note for note in rehearsal["basis"]["notes"] if note.startswith("the replay explains"))
    first, last = (int(word) for word in words.split() if word.isdigit())
    return first, last


def test_a_component_is_rehearsed_by_its_copies(emulator: Emulator, capsys: Read) -> None:
    a_component(emulator)
    rehearsal = answer(["--max-short", "0", "--capacity", "150"], capsys)
    assert (rehearsal["name"], rehearsal["unit"]) == (COMPONENT, "copy")
    first, last = explained(rehearsal)
    assert first >= 0.95 * last > 20
    assert rehearsal["behaviour"]["warmup_minutes"] == 5
    assert rehearsal["basis"]["warmup"] == "5 minutes, measured: nine of ten recorded scale-outs took no longer"
    assert any("not the instances that host them" in note for note in rehearsal["basis"]["notes"])
    assert rehearsal["proposal"] is not None
    command = rehearsal["fix"]["commands"][0]
    assert "--resource-id inference-component/ranker --scalable-dimension sagemaker:inference-component:" in command


def test_what_a_copy_has_carried_is_its_capacity(emulator: Emulator, capsys: Read) -> None:
    a_component(emulator, maximum=3)
    rehearsal = answer(["--component", COMPONENT], capsys)
    assert rehearsal["behaviour"]["capacity_per_instance"] > 200, "the days met three copies"
    assert rehearsal["basis"]["capacity"].endswith(
        "by copy, measured: the 99th percentile of what a copy carried without failing"
    )


def test_a_component_over_http(emulator: Emulator, client: Client) -> None:
    a_component(emulator)
    status, rehearsal = rehearsed(client, {"endpoint": NAME, "component": COMPONENT, "days": DAYS})
    assert (status, rehearsal["unit"], rehearsal["name"]) == (200, "copy", COMPONENT)
    status, rehearsal = rehearsed(client, {"endpoint": NAME, "component": "other", "days": DAYS})
    assert (status, rehearsal["error"]["field"]) == (400, "component")
    assert rehearsal["error"]["message"].endswith("its components are ranker")


def test_a_component_that_follows_what_is_not_replayed_is_told(emulator: Emulator, capsys: Read) -> None:
    a_component(emulator)
    metric = {"PredefinedMetricType": "SageMakerInferenceComponentConcurrentRequestsPerCopyHighResolution"}
    seed.scaling_policy(
        ACCOUNT,
        REGION,
        "follow",
        f"inference-component/{COMPONENT}",
        TargetTrackingScalingPolicyConfiguration={"TargetValue": 4, "PredefinedMetricSpecification": metric},
    )
    assert run(["rehearse", NAME]) == 1
    assert "ConcurrentRequestsPerCopy, which is not replayed of an inference component" in capsys.readouterr().err


def test_components_that_may_not_be_read_are_told(emulator: Emulator, front: Front, capsys: Read) -> None:
    a_component(emulator)
    front.deny("sagemaker:ListInferenceComponents")
    assert run(["rehearse", NAME]) == 1
    assert "ListInferenceComponents" in capsys.readouterr().err
