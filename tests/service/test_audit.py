"""The audit against the emulator over HTTP: what is read, with how many calls, and what a refusal leaves unknown."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chalicelib.inventory.kinds import training
from chalicelib.report.findings import Report
from chalicelib.scope import ResourceRef
from emulator import seed
from emulator.account import build
from emulator.front import Front
from emulator.server import DEFAULT_ACCOUNT as ACCOUNT
from emulator.server import DEFAULT_REGION as REGION
from emulator.server import Emulator
from emulator.standing import make_role, make_security_group
from tests.conftest import NewService

NOW = datetime.now(UTC)
ROLE = f"arn:aws:iam::{ACCOUNT}:role/sagemaker"
IMAGE = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/own:1"


def an_endpoint(
    emulator: Emulator,
    name: str,
    *,
    instance_type: str = "ml.m5.large",
    count: int = 2,
    called: bool = True,
    **model: Any,
) -> None:
    """An endpoint in service for a month, with a config and a model of its own; ``called`` yesterday, at least."""
    sagemaker = emulator.client("sagemaker")
    make_role(ROLE)
    for group in model.get("VpcConfig", {}).get("SecurityGroupIds", ()):
        make_security_group(ACCOUNT, REGION, group, "vpc-1")
    sagemaker.create_model(ModelName=name, ExecutionRoleArn=ROLE, PrimaryContainer={"Image": IMAGE}, **model)
    variant = {
        "VariantName": "AllTraffic",
        "ModelName": name,
        "InstanceType": instance_type,
        "InitialInstanceCount": count,
    }
    sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
    month_ago = NOW - timedelta(days=30)
    seed.endpoint(ACCOUNT, REGION, name, created=month_ago, modified=month_ago)
    if called:
        dimensions = {"EndpointName": name, "VariantName": "AllTraffic"}
        seed.metric(ACCOUNT, REGION, "Invocations", dimensions, [(NOW - timedelta(days=1), 20.0)])


def a_target(name: str, *, minimum: int = 2, maximum: int = 4) -> None:
    seed.scalable_target(
        ACCOUNT,
        REGION,
        f"endpoint/{name}/variant/AllTraffic",
        minimum=minimum,
        maximum=maximum,
        created=NOW - timedelta(days=20),
    )


def calls_of(emulator: Emulator, name: str, *, days: int = 16, gpu: float | None = None) -> None:
    """Traffic on every one of the last days, and the use of the GPU in percent."""
    dimensions = {"EndpointName": name, "VariantName": "AllTraffic"}
    hours = [NOW - timedelta(hours=hour) for hour in range(1, days * 24)]
    seed.metric(ACCOUNT, REGION, "Invocations", dimensions, [(hour, 7.0) for hour in hours])
    if gpu is not None:
        for metric in ("GPUUtilization", "GPUMemoryUtilization"):
            points = [(hour, gpu) for hour in hours]
            seed.metric(ACCOUNT, REGION, metric, dimensions, points, namespace="/aws/sagemaker/Endpoints")


@pytest.fixture
def account(emulator: Emulator) -> Emulator:
    """A small account with one defect of each part of the inventory."""
    ec2 = emulator.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{number}.0/24", AvailabilityZone=f"{REGION}a")["Subnet"][
            "SubnetId"
        ]
        for number in (1, 2)
    ]
    an_endpoint(emulator, "alone", count=1)
    an_endpoint(emulator, "walled-in", VpcConfig={"SecurityGroupIds": ["sg-1"], "Subnets": subnets})
    an_endpoint(emulator, "idle-gpu", instance_type="ml.g5.xlarge", called=False)
    an_endpoint(emulator, "lazy-gpu", instance_type="ml.g5.xlarge")
    for name in ("walled-in", "idle-gpu", "lazy-gpu"):
        a_target(name)
    for name in ("alone", "walled-in"):
        calls_of(emulator, name)
    calls_of(emulator, "lazy-gpu", gpu=3.0)
    emulator.client("sagemaker").add_tags(
        ResourceArn=f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:endpoint/alone", Tags=[{"Key": "owner", "Value": "team-a"}]
    )
    seed.training_job(
        ACCOUNT,
        REGION,
        "spot",
        created=NOW - timedelta(days=2),
        EnableManagedSpotTraining=True,
        TrainingTimeInSeconds=3600,
        BillableTimeInSeconds=900,
        StoppingCondition={"MaxRuntimeInSeconds": 7200, "MaxWaitTimeInSeconds": 14400},
    )
    return emulator


def rules_and_names(report: Report) -> set[tuple[str, str]]:
    return {(finding.rule, finding.resource.name) for finding in report.findings}


EXPECTED = {
    ("endpoint-single-instance", "alone/AllTraffic"),
    ("variant-no-autoscaling", "alone/AllTraffic"),
    ("model-vpc-single-az", "walled-in"),
    ("autoscaling-target-without-policy", "walled-in/AllTraffic"),
    ("autoscaling-target-without-policy", "idle-gpu/AllTraffic"),
    ("autoscaling-target-without-policy", "lazy-gpu/AllTraffic"),
    ("endpoint-idle", "idle-gpu/AllTraffic"),
    ("endpoint-gpu-underutilized", "lazy-gpu/AllTraffic"),
    ("training-spot-no-checkpoint", "spot"),
}


def test_a_sweep_finds_every_defect_and_nothing_else(account: Emulator, new_service: NewService) -> None:
    service = new_service()
    report = service.audit(service.scope(), "cli")
    assert {pair for pair in rules_and_names(report) if pair[0] != "vpc-single-az"} == EXPECTED
    assert report.complete
    assert {finding.owner for finding in report.findings if finding.resource.name == "alone/AllTraffic"} == {"team-a"}


def test_counted_calls_are_those_that_were_sent(account: Emulator, front: Front, new_service: NewService) -> None:
    service = new_service()
    scope = service.scope()
    front.calls.clear()
    report = service.audit(scope, "cli")
    assert report.api_calls == dict(sorted(front.calls.items()))


@pytest.mark.parametrize(
    ("operation", "left_unknown", "lost"),
    [
        (
            "application-autoscaling:DescribeScalableTargets",
            "variant-no-autoscaling",
            {"variant-no-autoscaling", "autoscaling-target-without-policy"},
        ),
        ("ec2:DescribeSubnets", "model-vpc-single-az", {"model-vpc-single-az", "vpc-single-az"}),
        ("cloudwatch:GetMetricData", "endpoint-idle", {"endpoint-idle", "endpoint-gpu-underutilized"}),
    ],
)
def test_a_denied_operation_is_a_blind_spot_and_never_an_absence(
    account: Emulator, front: Front, new_service: NewService, operation: str, left_unknown: str, lost: set[str]
) -> None:
    front.deny(operation)
    service = new_service()
    report = service.audit(service.scope(), "cli")
    assert [spot.operation for spot in report.blind_spots] == [operation]
    assert left_unknown in report.blind_spots[0].effect
    assert "AccessDenied" in report.blind_spots[0].error or "Unauthorized" in report.blind_spots[0].error
    assert report.rules[left_unknown].unknown > 0
    assert not report.complete
    assert {pair for pair in rules_and_names(report) if pair[0] != "vpc-single-az"} == {
        finding for finding in EXPECTED if finding[0] not in lost
    }


def test_without_search_lists_and_descriptions_give_the_same_findings(
    account: Emulator, front: Front, new_service: NewService
) -> None:
    service = new_service()
    searched = service.audit(service.scope(), "cli")
    front.deny("sagemaker:Search")
    listed = new_service().audit(service.scope(), "cli")
    assert rules_and_names(listed) == rules_and_names(searched)
    assert {finding.owner for finding in listed.findings} == {finding.owner for finding in searched.findings}
    assert listed.rules == searched.rules
    assert [(spot.operation, spot.effect) for spot in listed.blind_spots] == [("sagemaker:Search", [])]


def test_an_endpoint_that_disappears_between_list_and_describe_is_skipped_quietly(
    account: Emulator, front: Front, new_service: NewService
) -> None:
    front.fail("sagemaker:Search", 400, "ValidationException", times=1000, message="Search is not here")
    front.vanish(lambda call: call.params.get("EndpointName") == "alone", operation="sagemaker:DescribeEndpoint")
    service = new_service()
    report = service.audit(service.scope(), "cli")
    assert report.blind_spots == []
    assert report.resources["endpoint"] == 3
    assert not [finding for finding in report.findings if finding.resource.name.startswith("alone")]


def test_one_denied_description_leaves_only_its_resource_unknown(
    account: Emulator, front: Front, new_service: NewService
) -> None:
    front.deny("sagemaker:DescribeEndpointConfig", when=lambda call: call.params["EndpointConfigName"] == "lazy-gpu")
    service = new_service()
    report = service.audit(service.scope(), "cli")
    assert ("endpoint-gpu-underutilized", "lazy-gpu/AllTraffic") not in rules_and_names(report)
    assert ("endpoint-idle", "idle-gpu/AllTraffic") in rules_and_names(report)
    assert report.rules["endpoint-gpu-underutilized"].unknown == 1
    spot = next(spot for spot in report.blind_spots if spot.operation == "sagemaker:DescribeEndpointConfig")
    assert spot.resource == "lazy-gpu"
    assert "endpoint-gpu-underutilized" in spot.effect


@pytest.mark.slow
@pytest.mark.parametrize("search", [True, False], ids=["by search", "by lists"])
def test_every_page_is_read(emulator: Emulator, front: Front, new_service: NewService, search: bool) -> None:
    for number in range(150):
        an_endpoint(emulator, f"endpoint-{number:03}")
        a_target(f"endpoint-{number:03}")
    for number in range(1200):
        seed.training_job(ACCOUNT, REGION, f"job-{number:04}", created=NOW - timedelta(minutes=number))
    if not search:
        front.deny("sagemaker:Search")
    service = new_service()
    report = service.audit(service.scope(), "cli")
    assert report.resources["endpoint-variant"] == 150
    assert report.resources["training-job"] == 1200
    assert report.resources["scalable-target"] == 150
    if search:
        assert report.api_calls["sagemaker:DescribeEndpointConfig"] == 150
        assert report.api_calls["sagemaker:Search"] <= 2 + 2 + 12 + 1 + training.MOST_CHAINS
        assert report.api_calls["application-autoscaling:DescribeScalableTargets"] == 3


def test_chains_of_pages_side_by_side_read_every_job_once(
    emulator: Emulator, new_service: NewService, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two jobs in each second, at the edges of the windows too, and some before all of them."""
    monkeypatch.setattr(training, "JOBS_A_CHAIN", 50)
    for number in range(420):
        moment = (NOW - timedelta(minutes=100 * (number // 2))).replace(microsecond=500_000 * (number % 2))
        seed.training_job(
            ACCOUNT, REGION, f"job-{number}", created=moment, started=moment, ended=moment, modified=moment
        )
    seed.training_job(ACCOUNT, REGION, "old", created=NOW - timedelta(days=40), modified=NOW - timedelta(days=40))
    service = new_service()
    report = service.audit(service.scope(), "cli")
    assert report.resources["training-job"] == 420
    assert report.complete
    assert report.api_calls["sagemaker:Search"] > 5 + 4  # no single chain


def test_jobs_before_the_look_back_window_are_not_read(emulator: Emulator, new_service: NewService) -> None:
    for days in (1, 20, 40):
        moment = NOW - timedelta(days=days)
        seed.training_job(ACCOUNT, REGION, f"job-{days}", created=moment, started=moment, ended=moment, modified=moment)
    service = new_service(lookback_days=30)
    assert service.audit(service.scope(), "cli").resources["training-job"] == 2


def test_a_named_endpoint_is_audited_with_what_it_rests_on_and_nothing_else(
    account: Emulator, front: Front, new_service: NewService
) -> None:
    service = new_service()
    scope = service.scope(resources=[ResourceRef("endpoint", "walled-in")])
    front.calls.clear()
    report = service.audit(scope, "event")
    assert {pair for pair in rules_and_names(report) if pair[0] != "vpc-single-az"} == {
        finding for finding in EXPECTED if finding[1].startswith("walled-in")
    }
    assert report.resources["endpoint"] == 1
    assert sum(front.calls.values()) <= 15
    assert not [name for name in front.calls if ":List" in name and name != "sagemaker:ListTags"]
    assert "sagemaker:Search" not in front.calls


def test_a_named_endpoint_that_only_a_schedule_scales_is_seen_to_scale(
    emulator: Emulator, front: Front, new_service: NewService
) -> None:
    an_endpoint(emulator, "nightly")
    a_target("nightly")
    dimension = {"ServiceNamespace": "sagemaker", "ScalableDimension": "sagemaker:variant:DesiredInstanceCount"}
    emulator.client("application-autoscaling").put_scheduled_action(
        **dimension,
        ResourceId="endpoint/nightly/variant/AllTraffic",
        ScheduledActionName="off",
        Schedule="cron(0 20 * * ? *)",
        ScalableTargetAction={"MinCapacity": 2},
    )
    service = new_service()
    report = service.audit(service.scope(resources=[ResourceRef("endpoint", "nightly")]), "event")
    assert report.rules["autoscaling-target-without-policy"].passed == 1
    assert front.calls["application-autoscaling:DescribeScheduledActions"] == 1


def test_a_named_endpoint_that_a_policy_and_a_schedule_scale_costs_at_most_sixteen_calls(
    emulator: Emulator, front: Front, new_service: NewService
) -> None:
    an_endpoint(emulator, "nightly")
    a_target("nightly")
    scaling = emulator.client("application-autoscaling")
    named: dict[str, Any] = {
        "ServiceNamespace": "sagemaker",
        "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
        "ResourceId": "endpoint/nightly/variant/AllTraffic",
    }
    metric = {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"}
    scaling.put_scaling_policy(
        PolicyName="by-load",
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration={"TargetValue": 100.0, "PredefinedMetricSpecification": metric},
        **named,
    )
    scaling.put_scheduled_action(
        ScheduledActionName="night",
        Schedule="cron(0 20 * * ? *)",
        Timezone="Mars/Olympus",
        ScalableTargetAction={"MinCapacity": 1},
        **named,
    )
    alarms = scaling.describe_scaling_policies(ServiceNamespace="sagemaker")["ScalingPolicies"][0]["Alarms"]
    emulator.client("cloudwatch").put_alarm_mute_rule(
        Name="nights",
        Rule={"Schedule": {"Expression": "cron(0 20 * * *)", "Duration": "PT10H"}},
        MuteTargets={"AlarmNames": [alarms[0]["AlarmName"]]},
    )
    service = new_service()
    front.calls.clear()
    report = service.audit(service.scope(resources=[ResourceRef("endpoint", "nightly")]), "event")
    fired = {rule for rule, _ in rules_and_names(report)}
    assert {"autoscaling-min-below-two", "autoscaling-alarm-broken"} <= fired
    assert sum(front.calls.values()) <= 16
    asked_by_name = {
        "sagemaker:ListTags",
        "sagemaker:ListInferenceRecommendationsJobs",
        "cloudwatch:ListAlarmMuteRules",
    }
    assert not {name for name in front.calls if ":List" in name} - asked_by_name


def test_a_sweep_reads_every_mute_rule_that_is_not_over(
    emulator: Emulator, front: Front, new_service: NewService
) -> None:
    an_endpoint(emulator, "nightly")
    a_target("nightly")
    metric = {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"}
    emulator.client("application-autoscaling").put_scaling_policy(
        PolicyName="by-load",
        PolicyType="TargetTrackingScaling",
        ServiceNamespace="sagemaker",
        ScalableDimension="sagemaker:variant:DesiredInstanceCount",
        ResourceId="endpoint/nightly/variant/AllTraffic",
        TargetTrackingScalingPolicyConfiguration={"TargetValue": 100.0, "PredefinedMetricSpecification": metric},
    )
    rule = {"Schedule": {"Expression": "cron(0 20 * * SUN)", "Duration": "PT10H"}}
    cloudwatch = emulator.client("cloudwatch")
    cloudwatch.put_alarm_mute_rule(Name="weekly", Rule=rule, MuteTargets={"AlarmNames": ["another"]})
    cloudwatch.put_alarm_mute_rule(Name="over", Rule=rule, ExpireDate=datetime(2026, 1, 1, tzinfo=UTC))
    service = new_service()
    report = service.audit(service.scope(), "schedule")
    assert report.rules["autoscaling-alarm-broken"].passed == 1
    assert (front.calls["cloudwatch:ListAlarmMuteRules"], front.calls["cloudwatch:GetAlarmMuteRule"]) == (1, 1)


def test_a_named_training_job_costs_at_most_three_calls(
    account: Emulator, front: Front, new_service: NewService
) -> None:
    service = new_service()
    scope = service.scope(resources=[ResourceRef("training-job", "spot")])
    front.calls.clear()
    report = service.audit(scope, "event")
    assert rules_and_names(report) == {("training-spot-no-checkpoint", "spot")}
    assert sum(front.calls.values()) <= 3
    assert set(front.calls) <= {"sagemaker:DescribeTrainingJob", "sagemaker:ListTags", "ec2:DescribeSubnets"}


def test_a_named_resource_that_is_gone_gives_an_empty_report(account: Emulator, new_service: NewService) -> None:
    service = new_service()
    report = service.audit(service.scope(resources=[ResourceRef("endpoint", "never-there")]), "event")
    assert (report.findings, report.blind_spots, report.resources) == ([], [], {})


def test_only_what_the_named_rule_reads_is_asked_of_aws(
    account: Emulator, front: Front, new_service: NewService
) -> None:
    service = new_service()
    scope = service.scope(rules=["notebook-elastic-inference-retired"])
    front.calls.clear()
    service.audit(scope, "cli")
    assert set(front.calls) == {"sagemaker:ListNotebookInstances"}


def test_inference_components_are_asked_for_only_where_there_are_some(
    account: Emulator, front: Front, new_service: NewService
) -> None:
    service = new_service()
    service.audit(service.scope(), "cli")
    assert "sagemaker:ListInferenceComponents" not in front.calls


@pytest.mark.parametrize(
    ("endpoint", "silent"),
    [
        ("contract-analysis", {"endpoint-idle", "endpoint-gpu-underutilized"}),  # asynchronous
        ("product-images", {"endpoint-gpu-unneeded-by-algorithm", "endpoint-gpu-underutilized"}),  # instance pools
    ],
)
def test_an_event_about_an_endpoint_reads_the_metrics_of_its_kind_with_few_calls(
    emulator: Emulator, front: Front, new_service: NewService, endpoint: str, silent: set[str]
) -> None:
    build(now=NOW)
    service = new_service()
    scope = service.scope(resources=[ResourceRef("endpoint", endpoint)])  # whose account it is, a process asks once
    front.calls.clear()
    report = service.audit(scope, "event")
    assert sum(front.calls.values()) <= 16, front.calls
    assert not {finding.rule for finding in report.findings} & silent
    assert all(report.rules[rule].unknown == 0 for rule in silent)
    assert all(report.rules[rule].passed for rule in silent)


def test_an_event_about_a_host_of_components_leaves_most_of_them_to_the_sweep(
    emulator: Emulator, front: Front, new_service: NewService
) -> None:
    build(now=NOW)
    service = new_service()
    scope = service.scope(resources=[ResourceRef("endpoint", "llm-agents")])
    front.calls.clear()
    report = service.audit(scope, "event")
    assert sum(front.calls.values()) <= 16, front.calls
    left = {deferral.part: deferral for deferral in report.deferred}
    every = service.audit(scope, "cli").resources["inference-component"]
    assert report.resources["inference-component"] + len(left["inference-components"].resources) == every
    assert "endpoint-idle" in left["inference-components"].effect
    assert not report.complete and report.blind_spots == []


def test_a_serverless_job_is_no_blind_spot(emulator: Emulator, new_service: NewService) -> None:
    seed.training_job(ACCOUNT, REGION, "tuned", created=NOW - timedelta(days=2), ResourceConfig=None)
    service = new_service()
    report = service.audit(service.scope(), "cli")
    assert report.blind_spots == []
    assert report.rules["training-spot-not-used"].not_applicable == 1
