"""The emulator answers as AWS does, over real HTTP and through boto3."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from moto import mock_aws

from emulator import cbor, seed
from emulator.extension import records, series
from emulator.front import Front
from emulator.server import DEFAULT_ACCOUNT as ACCOUNT
from emulator.server import DEFAULT_REGION as REGION
from emulator.server import Emulator

ROLE = f"arn:aws:iam::{ACCOUNT}:role/sagemaker"
VARIANT = "sagemaker:variant:DesiredInstanceCount"
COMPONENT = "sagemaker:inference-component:DesiredCopyCount"
CONCURRENCY = "sagemaker:variant:DesiredProvisionedConcurrency"
NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def running() -> Iterator[Emulator]:
    with Emulator(Front()) as emulator:
        yield emulator


@pytest.fixture
def emulator(running: Emulator) -> Emulator:
    running.reset()
    return running


@pytest.fixture
def front(emulator: Emulator) -> Front:
    assert emulator.front is not None
    return emulator.front


@pytest.fixture
def sagemaker(emulator: Emulator) -> Any:
    return emulator.client("sagemaker")


@pytest.fixture
def scaling(emulator: Emulator) -> Any:
    return emulator.client("application-autoscaling")


@pytest.fixture
def cloudwatch(emulator: Emulator) -> Any:
    return emulator.client("cloudwatch")


def a_model(sagemaker: Any, name: str = "model", **fields: Any) -> str:
    container = {} if "Containers" in fields else {"PrimaryContainer": {"Image": "registry/image:1"}}
    sagemaker.create_model(**{"ModelName": name, "ExecutionRoleArn": ROLE, **container, **fields})
    return name


def a_variant(**fields: Any) -> dict[str, Any]:
    plain = {"VariantName": "blue", "ModelName": "model", "InstanceType": "ml.g6e.xlarge", "InitialInstanceCount": 1}
    return {name: value for name, value in {**plain, **fields}.items() if value is not None}


def an_endpoint(sagemaker: Any, name: str = "endpoint", *variants: dict[str, Any], **config: Any) -> str:
    if not sagemaker.list_models()["Models"]:
        a_model(sagemaker)
    variants = variants or (a_variant(),)
    sagemaker.create_endpoint_config(EndpointConfigName=f"{name}-config", ProductionVariants=list(variants), **config)
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=f"{name}-config")
    return name


def a_target(scaling: Any, resource: str = "endpoint/endpoint/variant/blue", dimension: str = VARIANT) -> None:
    scaling.register_scalable_target(
        ServiceNamespace="sagemaker", ResourceId=resource, ScalableDimension=dimension, MinCapacity=1, MaxCapacity=4
    )


def a_policy(scaling: Any, resource: str = "endpoint/endpoint/variant/blue", name: str = "policy") -> dict[str, Any]:
    answer: dict[str, Any] = scaling.put_scaling_policy(
        ServiceNamespace="sagemaker",
        ResourceId=resource,
        ScalableDimension=VARIANT,
        PolicyName=name,
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration={
            "TargetValue": 70.0,
            "PredefinedMetricSpecification": {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"},
        },
    )
    return answer


def a_query(identifier: str = "q", stat: str = "Sum", period: int = 60, variant: str = "blue") -> dict[str, Any]:
    dimensions = [{"Name": "EndpointName", "Value": "endpoint"}, {"Name": "VariantName", "Value": variant}]
    metric = {"Namespace": "AWS/SageMaker", "MetricName": "Invocations", "Dimensions": dimensions}
    return {"Id": identifier, "MetricStat": {"Metric": metric, "Period": period, "Stat": stat}}


def invocations(points: list[tuple[datetime, float]], variant: str = "blue") -> None:
    seed.metric(ACCOUNT, REGION, "Invocations", {"EndpointName": "endpoint", "VariantName": variant}, points)


def refused(call: Callable[..., Any], **arguments: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def assert_complete(client: Any, operation: str, answer: dict[str, Any]) -> None:
    """All members that botocore's model requires are there, at every depth."""
    missing: list[str] = []

    def look(shape: Any, value: Any, path: str) -> None:
        if shape.type_name == "structure":
            missing.extend(f"{path}.{name}" for name in shape.required_members if name not in value)
            for name, member in shape.members.items():
                if name in value:
                    look(member, value[name], f"{path}.{name}")
        elif shape.type_name == "list":
            for element in value:
                look(shape.member, element, f"{path}[]")

    look(client.meta.service_model.operation_model(operation).output_shape, answer, operation)
    assert missing == []


def names(client: Any, operation: str, result: str, member: str, **arguments: Any) -> list[str]:
    answer = getattr(client, operation)(**arguments)
    return [entry[member] for entry in answer[result]]


# The server


def test_a_connection_is_kept_and_nothing_is_left_behind() -> None:
    before = set(threading.enumerate())
    with Emulator() as emulator:
        url, client = emulator.url, emulator.client("sagemaker")
        for _ in range(5):
            client.list_endpoints()
        assert len(set(threading.enumerate()) - before) == 2  # one listens, one serves the one connection
    assert set(threading.enumerate()) == before
    client = boto3.client(
        "sagemaker",
        REGION,
        endpoint_url=url,
        aws_access_key_id="a",
        aws_secret_access_key="b",
        config=Config(retries={"total_max_attempts": 1}),
    )
    with pytest.raises(Exception, match="Could not connect"):
        client.list_endpoints()
    with pytest.raises(RuntimeError, match="does not run"):
        _ = emulator.url


def test_accounts_and_regions_are_apart(emulator: Emulator, sagemaker: Any) -> None:
    an_endpoint(sagemaker)
    assert emulator.client("sts", account="210987654321").get_caller_identity()["Account"] == "210987654321"
    assert emulator.client("sagemaker", account="210987654321").list_endpoints()["Endpoints"] == []
    assert emulator.client("sagemaker", region="us-east-1").list_endpoints()["Endpoints"] == []
    credentials = emulator.client("sts").assume_role(
        RoleArn="arn:aws:iam::210987654321:role/audit", RoleSessionName="audit"
    )["Credentials"]
    other = boto3.client(
        "sagemaker",
        REGION,
        endpoint_url=emulator.url,
        aws_access_key_id=credentials["AccessKeyId"],
        aws_secret_access_key=credentials["SecretAccessKey"],
        aws_session_token=credentials["SessionToken"],
    )
    a_model(other, "theirs")
    theirs = emulator.client("sagemaker", account="210987654321").list_models()["Models"]
    assert [model["ModelName"] for model in theirs] == ["theirs"]


def test_the_environment_points_a_plain_session_at_the_emulator(
    emulator: Emulator, sagemaker: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    an_endpoint(sagemaker)
    for name, value in emulator.environment().items():
        monkeypatch.setenv(name, value)
    assert len(boto3.Session().client("sagemaker").list_endpoints()["Endpoints"]) == 1


def test_a_reset_forgets_everything_more_than_once(emulator: Emulator) -> None:
    for _ in range(3):
        client = emulator.client("sagemaker")
        an_endpoint(client)
        seed.scalable_target(ACCOUNT, REGION, "endpoint/endpoint/variant/blue")
        invocations([(NOON, 1.0)])
        emulator.reset()
        assert client.list_endpoints()["Endpoints"] == []
        targets = emulator.client("application-autoscaling").describe_scalable_targets(ServiceNamespace="sagemaker")
        assert targets["ScalableTargets"] == []
        assert emulator.client("cloudwatch").list_metrics()["Metrics"] == []


def test_the_extension_serves_motos_decorator_too() -> None:
    with mock_aws():
        session = boto3.Session("a", "b", region_name=REGION)
        client = session.client("sagemaker")
        an_endpoint(client)
        assert_complete(client, "DescribeEndpoint", client.describe_endpoint(EndpointName="endpoint"))
        assert refused(client.describe_endpoint, EndpointName="gone")[0] == "ValidationException"
        cloudwatch = session.client("cloudwatch")
        cloudwatch.put_metric_data(Namespace="N", MetricData=[{"MetricName": "M", "Value": 3.0, "Timestamp": NOON}])
        query = {
            "Id": "q",
            "MetricStat": {"Metric": {"Namespace": "N", "MetricName": "M"}, "Period": 60, "Stat": "Sum"},
        }
        answer = cloudwatch.get_metric_data(
            MetricDataQueries=[query], StartTime=NOON - timedelta(hours=1), EndTime=NOON + timedelta(hours=1)
        )
        assert answer["MetricDataResults"][0]["Values"] == [3.0]
        assert answer["MetricDataResults"][0]["Timestamps"] == [NOON]


# SageMaker: models, endpoint configs, endpoints


def test_a_model_has_what_was_given_and_nothing_empty(sagemaker: Any) -> None:
    a_model(sagemaker, "plain", EnableNetworkIsolation=True)
    plain = sagemaker.describe_model(ModelName="plain")
    assert_complete(sagemaker, "DescribeModel", plain)
    assert plain["EnableNetworkIsolation"] is True
    assert not {"VpcConfig", "Containers", "InferenceExecutionConfig"} & set(plain)
    vpc = {"SecurityGroupIds": ["sg-1"], "Subnets": ["subnet-1"]}
    containers = [{"Image": "a"}, {"Image": "b"}]
    a_model(sagemaker, "pipe", Containers=containers, VpcConfig=vpc, InferenceExecutionConfig={"Mode": "Direct"})
    pipe = sagemaker.describe_model(ModelName="pipe")
    assert pipe["InferenceExecutionConfig"] == {"Mode": "Direct"}
    assert pipe["VpcConfig"] == vpc
    assert [container["Image"] for container in pipe["Containers"]] == ["a", "b"]
    assert "PrimaryContainer" not in pipe
    assert pipe["EnableNetworkIsolation"] is False


def test_an_endpoint_config_keeps_every_member(sagemaker: Any) -> None:
    a_model(sagemaker)
    members = {
        "ShadowProductionVariants": [a_variant(VariantName="shadow")],
        "VpcConfig": {"SecurityGroupIds": ["sg-1"], "Subnets": ["subnet-1"]},
        "ExecutionRoleArn": ROLE,
        "EnableNetworkIsolation": True,
        "AsyncInferenceConfig": {"OutputConfig": {"S3OutputPath": "s3://bucket/"}},
        "ProductionVariants": [
            a_variant(
                InitialInstanceCount=None,
                ManagedInstanceScaling={"Status": "ENABLED", "MinInstanceCount": 2, "MaxInstanceCount": 4},
                RoutingConfig={"RoutingStrategy": "LEAST_OUTSTANDING_REQUESTS"},
                ModelName=None,
            ),
            a_variant(
                VariantName="pools",
                InstanceType=None,
                InstancePools=[{"InstanceType": "ml.g5.xlarge", "Priority": 1}],
            ),
        ],
    }
    sagemaker.create_endpoint_config(EndpointConfigName="config", **members)
    config = sagemaker.describe_endpoint_config(EndpointConfigName="config")
    assert_complete(sagemaker, "DescribeEndpointConfig", config)
    for member in ("VpcConfig", "ExecutionRoleArn", "EnableNetworkIsolation", "AsyncInferenceConfig"):
        assert config[member] == members[member]
    assert config["ShadowProductionVariants"][0]["VariantName"] == "shadow"
    assert config["ProductionVariants"][0]["ManagedInstanceScaling"]["MinInstanceCount"] == 2
    assert config["ProductionVariants"][1]["InstancePools"][0]["InstanceType"] == "ml.g5.xlarge"
    assert "DataCaptureConfig" not in config
    sagemaker.create_endpoint(EndpointName="endpoint", EndpointConfigName="config")
    endpoint = sagemaker.describe_endpoint(EndpointName="endpoint")
    assert_complete(sagemaker, "DescribeEndpoint", endpoint)
    managed = endpoint["ProductionVariants"][0]
    assert (managed["CurrentInstanceCount"], managed["DesiredInstanceCount"]) == (2, 2)
    assert managed["RoutingConfig"] == {"RoutingStrategy": "LEAST_OUTSTANDING_REQUESTS"}
    assert endpoint["AsyncInferenceConfig"] == members["AsyncInferenceConfig"]
    assert endpoint["ShadowProductionVariants"][0]["DesiredInstanceCount"] == 1


def test_an_endpoint_shows_its_variants_as_they_run(sagemaker: Any) -> None:
    serverless = {"MemorySizeInMB": 2048, "MaxConcurrency": 5}
    an_endpoint(
        sagemaker,
        "endpoint",
        a_variant(InitialInstanceCount=3),
        a_variant(VariantName="light", InitialInstanceCount=None, InstanceType=None, ServerlessConfig=serverless),
        a_variant(VariantName="idle", InitialVariantWeight=0.0),
    )
    endpoint = sagemaker.describe_endpoint(EndpointName="endpoint")
    blue, light, idle = endpoint["ProductionVariants"]
    assert (blue["CurrentInstanceCount"], blue["DesiredInstanceCount"]) == (3, 3)
    assert (blue["CurrentWeight"], blue["DesiredWeight"]) == (1.0, 1.0)
    assert blue["DeployedImages"][0]["SpecifiedImage"] == "registry/image:1"
    assert blue["DeployedImages"][0]["ResolvedImage"].startswith("registry/image@sha256:")
    assert "InstanceType" not in blue
    assert "CurrentInstanceCount" not in light
    assert light["CurrentServerlessConfig"] == light["DesiredServerlessConfig"] == serverless
    assert idle["DesiredWeight"] == 0.0
    assert not {"DataCaptureConfig", "AsyncInferenceConfig", "FailureReason", "VpcConfig"} & set(endpoint)


def test_updating_an_endpoint_replaces_its_config(sagemaker: Any) -> None:
    an_endpoint(sagemaker)
    weights = [{"VariantName": "blue", "DesiredInstanceCount": 5, "DesiredWeight": 2.0}]
    sagemaker.update_endpoint_weights_and_capacities(EndpointName="endpoint", DesiredWeightsAndCapacities=weights)
    blue = sagemaker.describe_endpoint(EndpointName="endpoint")["ProductionVariants"][0]
    assert (blue["CurrentInstanceCount"], blue["CurrentWeight"]) == (5, 2.0)
    variants = [a_variant(InitialInstanceCount=2)]
    sagemaker.create_endpoint_config(EndpointConfigName="second", ProductionVariants=variants)
    sagemaker.update_endpoint(
        EndpointName="endpoint",
        EndpointConfigName="second",
        RetainAllVariantProperties=True,
        ExcludeRetainedVariantProperties=[{"VariantPropertyType": "DesiredWeight"}],
    )
    endpoint = sagemaker.describe_endpoint(EndpointName="endpoint")
    assert endpoint["EndpointConfigName"] == "second"
    assert endpoint["ProductionVariants"][0]["DesiredInstanceCount"] == 5
    assert endpoint["ProductionVariants"][0]["DesiredWeight"] == 1.0
    sagemaker.update_endpoint(EndpointName="endpoint", EndpointConfigName="second")
    endpoint = sagemaker.describe_endpoint(EndpointName="endpoint")
    assert endpoint["ProductionVariants"][0]["DesiredInstanceCount"] == 2
    unknown = [{"VariantName": "red", "DesiredInstanceCount": 5}]
    code, message = refused(
        sagemaker.update_endpoint_weights_and_capacities,
        EndpointName="endpoint",
        DesiredWeightsAndCapacities=unknown,
    )
    assert code == "ValidationException"
    assert "red" in message


def test_what_is_gone_could_not_be_found(sagemaker: Any) -> None:
    arn = sagemaker.describe_endpoint(EndpointName=an_endpoint(sagemaker))["EndpointArn"]
    sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": "team", "Value": "a"}])
    sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": "team", "Value": "b"}])
    assert sagemaker.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "team", "Value": "b"}]
    sagemaker.delete_endpoint(EndpointName="endpoint")
    sagemaker.delete_endpoint_config(EndpointConfigName="endpoint-config")
    gone = [
        refused(sagemaker.describe_endpoint, EndpointName="endpoint"),
        refused(sagemaker.list_tags, ResourceArn=arn),
        refused(sagemaker.delete_endpoint, EndpointName="endpoint"),
    ]
    assert gone == [("ValidationException", f'Could not find endpoint "{arn}".')] * 3
    code, message = refused(sagemaker.describe_endpoint_config, EndpointConfigName="endpoint-config")
    assert code == "ValidationException"
    assert message.startswith("Could not find endpoint configuration")
    assert refused(sagemaker.describe_model, ModelName="none")[0] == "ValidationException"
    assert refused(sagemaker.describe_training_job, TrainingJobName="none")[0] == "ValidationException"
    assert refused(sagemaker.describe_transform_job, TransformJobName="none")[0] == "ResourceNotFound"


# SageMaker: lists


def test_lists_page_by_ten_and_by_a_hundred_at_most(sagemaker: Any) -> None:
    for number in range(25):
        a_model(sagemaker, f"model-{number:02}")
    assert len(sagemaker.list_models()["Models"]) == 10
    assert refused(sagemaker.list_models, MaxResults=101)[0] == "ValidationException"
    assert refused(sagemaker.list_models, NextToken="forged")[0] == "ValidationException"
    pages = list(sagemaker.get_paginator("list_models").paginate(PaginationConfig={"PageSize": 20}))
    assert [len(answer["Models"]) for answer in pages] == [20, 5]
    listed_names = [model["ModelName"] for answer in pages for model in answer["Models"]]
    assert sorted(listed_names) == [f"model-{number:02}" for number in range(25)]
    assert names(
        sagemaker, "list_models", "Models", "ModelName", SortBy="Name", SortOrder="Ascending", MaxResults=2
    ) == ["model-00", "model-01"]
    assert names(sagemaker, "list_models", "Models", "ModelName", NameContains="L-07") == ["model-07"]


@pytest.mark.parametrize(
    ("operation", "result", "member"),
    [
        ("list_endpoints", "Endpoints", "EndpointName"),
        ("list_training_jobs", "TrainingJobSummaries", "TrainingJobName"),
    ],
)
def test_lists_filter_by_time_and_status(sagemaker: Any, operation: str, result: str, member: str) -> None:
    for number, status in enumerate(["InService", "Failed", "InService"]):
        moment = NOON + timedelta(hours=number)
        seed.training_job(
            ACCOUNT, REGION, f"r{number}", created=moment, status="Failed" if status == "Failed" else "Completed"
        )
        an_endpoint(sagemaker, f"r{number}")
        seed.endpoint(ACCOUNT, REGION, f"r{number}", status=status, created=moment)
    ascending = {"SortBy": "CreationTime", "SortOrder": "Ascending"}
    after = {"CreationTimeAfter": NOON + timedelta(minutes=30)}
    before = {"LastModifiedTimeBefore": NOON + timedelta(minutes=90)}
    assert names(sagemaker, operation, result, member, **ascending) == ["r0", "r1", "r2"]
    assert names(sagemaker, operation, result, member, **ascending, **after) == ["r1", "r2"]
    assert names(sagemaker, operation, result, member, **ascending, **before) == ["r0", "r1"]
    assert names(sagemaker, operation, result, member, **ascending, **before, **after) == ["r1"]
    assert names(sagemaker, operation, result, member, StatusEquals="Failed") == ["r1"]
    assert names(sagemaker, operation, result, member, SortBy="Name", SortOrder="Descending") == ["r2", "r1", "r0"]
    assert_complete(sagemaker, "".join(map(str.title, operation.split("_"))), getattr(sagemaker, operation)())


def test_notebook_instances_of_any_type(sagemaker: Any) -> None:
    sagemaker.create_notebook_instance(
        NotebookInstanceName="book",
        InstanceType="ml.g6.xlarge",
        RoleArn=ROLE,
        SubnetId="subnet-1",
        SecurityGroupIds=["sg-1"],
        AcceleratorTypes=["ml.eia2.medium"],
    )
    book = sagemaker.describe_notebook_instance(NotebookInstanceName="book")
    assert book["AcceleratorTypes"] == ["ml.eia2.medium"]
    assert book["SecurityGroups"] == ["sg-1"]
    assert "PlatformIdentifier" in book
    assert names(sagemaker, "list_notebook_instances", "NotebookInstances", "InstanceType") == ["ml.g6.xlarge"]
    update = {"NotebookInstanceName": "book", "DisassociateAcceleratorTypes": True}
    assert refused(sagemaker.update_notebook_instance, **update)[0] == "ValidationException"
    sagemaker.stop_notebook_instance(NotebookInstanceName="book")
    sagemaker.update_notebook_instance(**update)
    assert "AcceleratorTypes" not in sagemaker.describe_notebook_instance(NotebookInstanceName="book")


# SageMaker: inference components, jobs


def test_inference_components(sagemaker: Any) -> None:
    an_endpoint(sagemaker, "endpoint", a_variant(ModelName=None), ExecutionRoleArn=ROLE)
    specification = {"ModelName": "model", "ComputeResourceRequirements": {"MinMemoryRequiredInMb": 128}}
    for number in range(12):
        sagemaker.create_inference_component(
            InferenceComponentName=f"part-{number:02}",
            EndpointName="endpoint",
            VariantName="blue",
            Specification=specification,
            RuntimeConfig={"CopyCount": 2},
        )
    sagemaker.create_inference_component(
        InferenceComponentName="adapter",
        EndpointName="endpoint",
        Specification={
            "BaseInferenceComponentName": "part-00",
            "Container": {"Image": "x:1", "ArtifactUrl": "s3://b/a"},
        },
    )
    part = sagemaker.describe_inference_component(InferenceComponentName="part-00")
    assert_complete(sagemaker, "DescribeInferenceComponent", part)
    assert part["RuntimeConfig"] == {"DesiredCopyCount": 2, "CurrentCopyCount": 2}
    adapter = sagemaker.describe_inference_component(InferenceComponentName="adapter")
    assert adapter["VariantName"] == "blue"
    assert adapter["Specification"]["Container"]["DeployedImage"]["SpecifiedImage"] == "x:1"
    sagemaker.update_inference_component_runtime_config(
        InferenceComponentName="part-00", DesiredRuntimeConfig={"CopyCount": 4}
    )
    seed.inference_component(ACCOUNT, REGION, "part-01", copies=(1, 3), status="Updating", created=NOON)
    changed = [sagemaker.describe_inference_component(InferenceComponentName=f"part-0{n}") for n in (0, 1)]
    assert changed[0]["RuntimeConfig"]["DesiredCopyCount"] == 4
    assert changed[1]["RuntimeConfig"] == {"DesiredCopyCount": 3, "CurrentCopyCount": 1}
    answer = sagemaker.list_inference_components(EndpointNameEquals="endpoint", VariantNameEquals="blue")
    assert_complete(sagemaker, "ListInferenceComponents", answer)
    assert len(answer["InferenceComponents"]) == 10
    assert sagemaker.list_inference_components(EndpointNameEquals="other")["InferenceComponents"] == []
    sagemaker.delete_inference_component(InferenceComponentName="part-00")
    code, message = refused(sagemaker.describe_inference_component, InferenceComponentName="part-00")
    assert (code, message[:34]) == ("ValidationException", "Could not find inference component")


def test_a_training_job_keeps_its_request(sagemaker: Any) -> None:
    request = {
        "TrainingJobName": "job",
        "AlgorithmSpecification": {"TrainingImage": "image", "TrainingInputMode": "File"},
        "RoleArn": ROLE,
        "OutputDataConfig": {"S3OutputPath": "s3://bucket/out"},
        "ResourceConfig": {"InstanceType": "ml.p5.48xlarge", "InstanceCount": 1, "VolumeSizeInGB": 30},
        "StoppingCondition": {"MaxRuntimeInSeconds": 600, "MaxWaitTimeInSeconds": 1200},
        "EnableManagedSpotTraining": True,
        "CheckpointConfig": {"S3Uri": "s3://bucket/checkpoints"},
        "Environment": {"A": "b"},
        "RetryStrategy": {"MaximumRetryAttempts": 2},
        "ProfilerConfig": {"DisableProfiler": True},
        "Tags": [{"Key": "team", "Value": "a"}],
    }
    sagemaker.create_training_job(**request)
    job = sagemaker.describe_training_job(TrainingJobName="job")
    assert_complete(sagemaker, "DescribeTrainingJob", job)
    assert {member: job[member] for member in request if member != "Tags"} == {
        member: value for member, value in request.items() if member != "Tags"
    }
    assert job["TrainingTimeInSeconds"] == job["BillableTimeInSeconds"] == 1
    assert sagemaker.list_tags(ResourceArn=job["TrainingJobArn"])["Tags"] == request["Tags"]
    code, message = refused(sagemaker.stop_training_job, TrainingJobName="job")
    assert (code, "Completed" in message) == ("ValidationException", True)
    assert refused(sagemaker.create_training_job, **request)[0] == "ResourceInUse"


def test_a_seeded_training_job_looks_as_if_it_had_run(sagemaker: Any) -> None:
    ended = NOON + timedelta(hours=2)
    seed.training_job(
        ACCOUNT,
        REGION,
        "spot",
        created=NOON - timedelta(minutes=5),
        started=NOON,
        ended=ended,
        BillableTimeInSeconds=1800,
        EnableManagedSpotTraining=True,
        WarmPoolStatus={"Status": "Available"},
        AutoMLJobArn=f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:automl-job/a",
        tags={"team": "a"},
    )
    spot = sagemaker.describe_training_job(TrainingJobName="spot")
    assert_complete(sagemaker, "DescribeTrainingJob", spot)
    assert (spot["TrainingTimeInSeconds"], spot["BillableTimeInSeconds"]) == (7200, 1800)
    assert (spot["TrainingStartTime"], spot["TrainingEndTime"], spot["LastModifiedTime"]) == (NOON, ended, ended)
    assert [step["Status"] for step in spot["SecondaryStatusTransitions"]][-1] == "Completed"
    assert names(
        sagemaker, "list_training_jobs", "TrainingJobSummaries", "TrainingJobName", WarmPoolStatusEquals="Available"
    ) == ["spot"]
    seed.training_job(ACCOUNT, REGION, "now", status="InProgress", created=NOON)
    now = sagemaker.describe_training_job(TrainingJobName="now")
    assert not {"TrainingEndTime", "BillableTimeInSeconds", "TrainingTimeInSeconds"} & set(now)
    sagemaker.stop_training_job(TrainingJobName="now")
    assert sagemaker.describe_training_job(TrainingJobName="now")["TrainingJobStatus"] == "Stopped"


def test_a_tuning_job_has_training_jobs(sagemaker: Any) -> None:
    seed.tuning_job(ACCOUNT, REGION, "tune", children=3, created=NOON, definition={"EnableManagedSpotTraining": True})
    seed.training_job(ACCOUNT, REGION, "alone", created=NOON)
    job = sagemaker.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName="tune")
    assert_complete(sagemaker, "DescribeHyperParameterTuningJob", job)
    assert job["TrainingJobStatusCounters"]["Completed"] == 3
    assert not {"BestTrainingJob", "FailureReason", "Autotune"} & set(job)
    seed.training_job(
        ACCOUNT, REGION, "late", status="Failed", created=NOON, TuningJobArn=job["HyperParameterTuningJobArn"]
    )
    children = sagemaker.list_training_jobs_for_hyper_parameter_tuning_job(HyperParameterTuningJobName="tune")
    assert_complete(sagemaker, "ListTrainingJobsForHyperParameterTuningJob", children)
    assert len(children["TrainingJobSummaries"]) == 4
    child = children["TrainingJobSummaries"][-1]["TrainingJobName"]
    described = sagemaker.describe_training_job(TrainingJobName=child)
    assert described["TuningJobArn"] == job["HyperParameterTuningJobArn"]
    assert described["EnableManagedSpotTraining"] is True
    listed = sagemaker.list_hyper_parameter_tuning_jobs()
    assert_complete(sagemaker, "ListHyperParameterTuningJobs", listed)
    assert listed["HyperParameterTuningJobSummaries"][0]["TrainingJobStatusCounters"]["NonRetryableError"] == 1


def test_transform_and_recommendations_jobs(sagemaker: Any) -> None:
    a_model(sagemaker)
    sagemaker.create_transform_job(
        TransformJobName="batch",
        ModelName="model",
        TransformInput={"DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://b/in"}}},
        TransformOutput={"S3OutputPath": "s3://b/out"},
        TransformResources={"InstanceType": "ml.g5.xlarge", "InstanceCount": 1},
    )
    batch = sagemaker.describe_transform_job(TransformJobName="batch")
    assert_complete(sagemaker, "DescribeTransformJob", batch)
    assert not {"FailureReason", "LabelingJobArn", "AutoMLJobArn"} & set(batch)
    seed.transform_job(ACCOUNT, REGION, "batch", status="Failed", FailureReason="out of memory")
    assert sagemaker.list_transform_jobs(StatusEquals="Failed")["TransformJobSummaries"][0]["FailureReason"]
    sagemaker.create_inference_recommendations_job(
        JobName="load", JobType="Advanced", RoleArn=ROLE, InputConfig={"ModelName": "model"}
    )
    seed.recommendations_job(ACCOUNT, REGION, "load", CompletionTime=NOON)
    load = sagemaker.describe_inference_recommendations_job(JobName="load")
    assert_complete(sagemaker, "DescribeInferenceRecommendationsJob", load)
    assert load["CompletionTime"] == NOON
    jobs = sagemaker.list_inference_recommendations_jobs(ModelNameEquals="model", StatusEquals="COMPLETED")
    assert_complete(sagemaker, "ListInferenceRecommendationsJobs", jobs)
    assert jobs["InferenceRecommendationsJobs"][0]["ModelName"] == "model"
    assert sagemaker.list_inference_recommendations_jobs(ModelNameEquals="m")["InferenceRecommendationsJobs"] == []


# SageMaker: Search


def matches(sagemaker: Any, *filters: tuple[str, ...], resource: str = "TrainingJob", **expression: Any) -> list[str]:
    conditions = [dict(zip(("Name", "Operator", "Value"), condition, strict=False)) for condition in filters]
    expression = {**({"Filters": conditions} if conditions else {}), **expression}
    answer = sagemaker.search(
        Resource=resource, SearchExpression=expression, SortBy="CreationTime", SortOrder="Ascending", MaxResults=100
    )
    assert_complete(sagemaker, "Search", answer)
    return [result[resource][f"{resource}Name"] for result in answer["Results"]]


@pytest.fixture
def three_jobs(sagemaker: Any) -> None:
    s3 = [{"ChannelName": "train", "DataSource": {"S3DataSource": {"S3Uri": "s3://b/x", "S3DataType": "S3Prefix"}}}]
    checkpoint = {"S3Uri": "s3://b/c"}
    common: dict[str, Any] = {"HyperParameters": {"max.depth": "6"}}
    seed.training_job(ACCOUNT, REGION, "a", created=NOON, tags={"team": "red"}, **common)
    seed.training_job(ACCOUNT, REGION, "b", created=NOON + timedelta(days=1), EnableManagedSpotTraining=True)
    seed.training_job(
        ACCOUNT,
        REGION,
        "c",
        created=NOON + timedelta(days=2),
        EnableManagedSpotTraining=True,
        status="Failed",
        CheckpointConfig=checkpoint,
        InputDataConfig=s3,
        ResourceConfig={"InstanceType": "ml.g5.xlarge", "InstanceCount": 4},
    )


@pytest.mark.usefixtures("three_jobs")
@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ([], ["a", "b", "c"]),
        ([("EnableManagedSpotTraining", "Equals", "true")], ["b", "c"]),
        ([("EnableManagedSpotTraining", "Equals", "false")], ["a"]),
        ([("EnableManagedSpotTraining", "Equals", "true"), ("CheckpointConfig.S3Uri", "NotExists")], ["b"]),
        ([("CheckpointConfig.S3Uri", "Exists")], ["c"]),
        ([("TrainingJobStatus", "NotEquals", "Failed")], ["a", "b"]),
        ([("TrainingJobStatus", "In", "Failed,Stopped")], ["c"]),
        ([("ResourceConfig.InstanceType", "Contains", "g5")], ["c"]),
        ([("ResourceConfig.InstanceCount", "GreaterThan", "1")], ["c"]),
        ([("ResourceConfig.InstanceCount", "LessThanOrEqualTo", "1")], ["a", "b"]),
        ([("CreationTime", "GreaterThanOrEqualTo", "2026-03-11T12:00:00Z")], ["b", "c"]),
        ([("CreationTime", "LessThan", str(int((NOON + timedelta(days=1)).timestamp())))], ["a"]),
        ([("Tags.team", "Equals", "red")], ["a"]),
        ([("Tags.team", "NotExists")], ["b", "c"]),
        ([("HyperParameters.max.depth", "GreaterThan", "5")], ["a"]),
        ([("InputDataConfig.DataSource.S3DataSource.S3Uri", "Contains", "s3://b")], ["c"]),
        ([("TuningJobArn", "NotExists")], ["a", "b", "c"]),
    ],
)
def test_search_filters(sagemaker: Any, filters: list[tuple[str, ...]], expected: list[str]) -> None:
    assert matches(sagemaker, *filters) == expected


@pytest.mark.usefixtures("three_jobs")
def test_search_combines_filters(sagemaker: Any) -> None:
    failed, red = ("TrainingJobStatus", "Equals", "Failed"), ("Tags.team", "Equals", "red")
    assert matches(sagemaker, failed, red) == []
    assert matches(sagemaker, failed, red, Operator="Or") == ["a", "c"]
    spot = {"Filters": [{"Name": "EnableManagedSpotTraining", "Operator": "Equals", "Value": "true"}]}
    assert matches(sagemaker, failed, SubExpressions=[spot]) == ["c"]
    uri = {"Name": "InputDataConfig.DataSource.S3DataSource.S3Uri", "Operator": "Equals", "Value": "s3://b/x"}
    channel = {"Name": "InputDataConfig.ChannelName", "Operator": "Equals", "Value": "train"}
    nested = {"NestedPropertyName": "InputDataConfig", "Filters": [uri, channel]}
    assert matches(sagemaker, NestedFilters=[nested]) == ["c"]
    unknown = {"Filters": [{"Name": "Colour", "Operator": "Equals", "Value": "x"}]}
    code, message = refused(sagemaker.search, Resource="TrainingJob", SearchExpression=unknown)
    assert (code, message) == ("ValidationException", "Unknown property name: Colour")


def test_search_pages_newest_first(sagemaker: Any) -> None:
    for number in range(230):
        seed.training_job(ACCOUNT, REGION, f"job-{number:03}", created=NOON + timedelta(minutes=number))
    first = sagemaker.search(Resource="TrainingJob")
    assert len(first["Results"]) == 10
    assert first["TotalHits"] == {"Value": 230, "Relation": "EqualTo"}
    assert first["Results"][0]["TrainingJob"]["TrainingJobName"] == "job-229"
    pages = list(sagemaker.get_paginator("search").paginate(Resource="TrainingJob", PaginationConfig={"PageSize": 100}))
    assert [len(answer["Results"]) for answer in pages] == [100, 100, 30]
    assert refused(sagemaker.search, Resource="TrainingJob", MaxResults=101)[0] == "ValidationException"


def test_search_knows_endpoints_models_and_tuning_jobs(sagemaker: Any) -> None:
    an_endpoint(sagemaker, "endpoint", a_variant(), ShadowProductionVariants=[a_variant(VariantName="shadow")])
    vpc = {"SecurityGroupIds": ["sg-1"], "Subnets": ["subnet-1", "subnet-2"]}
    a_model(sagemaker, "private", VpcConfig=vpc, Tags=[{"Key": "team", "Value": "red"}])
    seed.tuning_job(ACCOUNT, REGION, "tune", tags={"team": "red"})
    assert matches(sagemaker, ("EndpointStatus", "Equals", "InService"), resource="Endpoint") == ["endpoint"]
    endpoint = sagemaker.search(Resource="Endpoint")["Results"][0]["Endpoint"]
    assert endpoint["ProductionVariants"][0]["DesiredInstanceCount"] == 1
    assert endpoint["ShadowProductionVariants"][0]["VariantName"] == "shadow"
    private = {"Filters": [{"Name": "VpcConfig.Subnets", "Operator": "Contains", "Value": "subnet-2"}]}
    models = sagemaker.search(Resource="Model", SearchExpression=private)["Results"]
    assert [entry["Model"]["Model"]["ModelName"] for entry in models] == ["private"]
    assert models[0]["Model"]["Model"]["Tags"] == [{"Key": "team", "Value": "red"}]
    used = {"Filters": [{"Name": "ModelName", "Operator": "Equals", "Value": "model"}]}
    dashboard = sagemaker.search(Resource="Model", SearchExpression=used)["Results"][0]["Model"]
    assert [entry["EndpointName"] for entry in dashboard["Endpoints"]] == ["endpoint"]
    tags = ("Tags.team", "Equals", "red")
    assert matches(sagemaker, tags, resource="HyperParameterTuningJob") == ["tune"]


def test_a_seeded_endpoint_shows_what_time_and_chance_made_of_it(sagemaker: Any) -> None:
    an_endpoint(sagemaker)
    pending = {
        "EndpointConfigName": "next",
        "StartTime": NOON,
        "ProductionVariants": [
            {"VariantName": "blue", "InstanceType": "ml.m5.large", "AcceleratorType": "ml.eia2.medium"}
        ],
    }
    seed.endpoint(
        ACCOUNT,
        REGION,
        "endpoint",
        status="UpdateRollbackFailed",
        created=NOON - timedelta(days=9),
        modified=NOON,
        counts={"blue": (1, 3)},
        failure_reason="no capacity",
        tags={"load-tested": "yes"},
        PendingDeploymentSummary=pending,
    )
    endpoint = sagemaker.describe_endpoint(EndpointName="endpoint")
    assert_complete(sagemaker, "DescribeEndpoint", endpoint)
    assert endpoint["EndpointStatus"] == "UpdateRollbackFailed"
    assert endpoint["FailureReason"] == "no capacity"
    assert (endpoint["CreationTime"], endpoint["LastModifiedTime"]) == (NOON - timedelta(days=9), NOON)
    blue = endpoint["ProductionVariants"][0]
    assert (blue["CurrentInstanceCount"], blue["DesiredInstanceCount"]) == (1, 3)
    assert endpoint["PendingDeploymentSummary"] == pending
    assert sagemaker.list_tags(ResourceArn=endpoint["EndpointArn"])["Tags"] == [{"Key": "load-tested", "Value": "yes"}]
    seed.record(ACCOUNT, REGION, records.ENDPOINT, "endpoint", FailureReason=None)
    assert "FailureReason" not in sagemaker.describe_endpoint(EndpointName="endpoint")


# Application Auto Scaling


def test_all_sagemaker_dimensions_can_scale(sagemaker: Any, scaling: Any) -> None:
    an_endpoint(sagemaker)
    sagemaker.create_inference_component(
        InferenceComponentName="part",
        EndpointName="endpoint",
        VariantName="blue",
        Specification={"ModelName": "model"},
        RuntimeConfig={"CopyCount": 1},
    )
    variant = "endpoint/endpoint/variant/blue"
    for resource, dimension in ((variant, VARIANT), ("inference-component/part", COMPONENT), (variant, CONCURRENCY)):
        a_target(scaling, resource, dimension)
    answer = scaling.describe_scalable_targets(ServiceNamespace="sagemaker")
    assert_complete(scaling, "DescribeScalableTargets", answer)
    assert [target["ScalableDimension"] for target in answer["ScalableTargets"]] == [VARIANT, COMPONENT, CONCURRENCY]
    target = answer["ScalableTargets"][0]
    assert ":scalable-target/" in target["ScalableTargetARN"]
    assert target["RoleARN"].endswith("AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint")
    assert target["SuspendedState"] == dict.fromkeys(target["SuspendedState"], False)
    assert len(target["SuspendedState"]) == 3
    only = scaling.describe_scalable_targets(ServiceNamespace="sagemaker", ScalableDimension=COMPONENT)
    assert len(only["ScalableTargets"]) == 1
    missing = {
        "ServiceNamespace": "sagemaker",
        "ResourceId": "endpoint/none/variant/blue",
        "ScalableDimension": VARIANT,
        "MinCapacity": 1,
        "MaxCapacity": 2,
    }
    assert refused(scaling.register_scalable_target, **missing)[0] == "ValidationException"


def test_targets_page_by_fifty_and_end(scaling: Any) -> None:
    for number in range(120):
        seed.scalable_target(ACCOUNT, REGION, f"endpoint/e{number}/variant/blue", minimum=2)
    pages = list(scaling.get_paginator("describe_scalable_targets").paginate(ServiceNamespace="sagemaker"))
    assert [len(answer["ScalableTargets"]) for answer in pages] == [50, 50, 20]
    wanted = ["endpoint/e7/variant/blue", "endpoint/e99/variant/blue", "endpoint/none/variant/blue"]
    some = scaling.describe_scalable_targets(ServiceNamespace="sagemaker", ResourceIds=wanted)["ScalableTargets"]
    assert [target["ResourceId"] for target in some] == wanted[:2]
    code, _ = refused(scaling.describe_scalable_targets, ServiceNamespace="sagemaker", MaxResults=51)
    assert code == "ValidationException"
    code, _ = refused(scaling.describe_scalable_targets, ServiceNamespace="sagemaker", NextToken="x")
    assert code == "InvalidNextTokenException"


def test_target_tracking_makes_its_alarms(sagemaker: Any, scaling: Any, cloudwatch: Any) -> None:
    an_endpoint(sagemaker)
    a_target(scaling)
    answer = a_policy(scaling)
    assert_complete(scaling, "PutScalingPolicy", answer)
    high, low = [alarm["AlarmName"] for alarm in answer["Alarms"]]
    assert high.startswith("TargetTracking-endpoint/endpoint/variant/blue-AlarmHigh-")
    assert low.startswith("TargetTracking-endpoint/endpoint/variant/blue-AlarmLow-")
    alarms = cloudwatch.describe_alarms(AlarmNames=[high, low])["MetricAlarms"]
    assert [alarm["ActionsEnabled"] for alarm in alarms] == [True, True]
    assert alarms[0]["AlarmActions"] == [answer["PolicyARN"]]
    assert (alarms[0]["Threshold"], alarms[0]["EvaluationPeriods"]) == (70.0, 3)
    assert alarms[0]["StateValue"] == "INSUFFICIENT_DATA"
    assert {own["Name"]: own["Value"] for own in alarms[0]["Dimensions"]} == {
        "EndpointName": "endpoint",
        "VariantName": "blue",
    }
    policies = scaling.describe_scaling_policies(ServiceNamespace="sagemaker")
    assert_complete(scaling, "DescribeScalingPolicies", policies)
    assert policies["ScalingPolicies"][0]["Alarms"] == answer["Alarms"]
    again = a_policy(scaling)
    assert again["PolicyARN"] == answer["PolicyARN"]
    assert len(cloudwatch.describe_alarms()["MetricAlarms"]) == 2
    cloudwatch.delete_alarms(AlarmNames=[alarm["AlarmName"] for alarm in again["Alarms"]])
    listed = scaling.describe_scaling_policies(ServiceNamespace="sagemaker")["ScalingPolicies"][0]
    assert len(listed["Alarms"]) == 2


def test_the_alarms_of_a_step_policy_are_those_that_call_it(sagemaker: Any, scaling: Any, cloudwatch: Any) -> None:
    an_endpoint(sagemaker)
    a_target(scaling)
    arn = scaling.put_scaling_policy(
        ServiceNamespace="sagemaker",
        ResourceId="endpoint/endpoint/variant/blue",
        ScalableDimension=VARIANT,
        PolicyName="wake",
        PolicyType="StepScaling",
        StepScalingPolicyConfiguration={
            "AdjustmentType": "ChangeInCapacity",
            "StepAdjustments": [{"MetricIntervalLowerBound": 0.0, "ScalingAdjustment": 1}],
        },
    )["PolicyARN"]
    listed = scaling.describe_scaling_policies(ServiceNamespace="sagemaker")["ScalingPolicies"]
    assert listed[0]["Alarms"] == []
    cloudwatch.put_metric_alarm(
        AlarmName="wake",
        Namespace="AWS/SageMaker",
        MetricName="HasBacklogWithoutCapacity",
        Statistic="Average",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1.0,
        ComparisonOperator="GreaterThanOrEqualToThreshold",
        AlarmActions=[arn],
    )
    listed = scaling.describe_scaling_policies(ServiceNamespace="sagemaker")["ScalingPolicies"]
    assert [alarm["AlarmName"] for alarm in listed[0]["Alarms"]] == ["wake"]


def test_policies_page_by_ten_and_go_with_their_target(sagemaker: Any, scaling: Any, cloudwatch: Any) -> None:
    an_endpoint(sagemaker)
    resource = "endpoint/endpoint/variant/blue"
    named = {"ServiceNamespace": "sagemaker", "ResourceId": resource, "ScalableDimension": VARIANT}
    policy = {"PolicyName": "p", "PolicyType": "StepScaling", "StepScalingPolicyConfiguration": {}}
    assert refused(scaling.put_scaling_policy, **named, **policy)[0] == "ObjectNotFoundException"
    a_target(scaling)
    for number in range(12):
        a_policy(scaling, name=f"policy-{number}")
    scaling.put_scheduled_action(
        **named,
        ScheduledActionName="morning",
        Schedule="cron(0 6 * * ? *)",
        StartTime=NOON,
        ScalableTargetAction={"MinCapacity": 2},
    )
    actions = scaling.describe_scheduled_actions(ServiceNamespace="sagemaker")
    assert_complete(scaling, "DescribeScheduledActions", actions)
    assert actions["ScheduledActions"][0]["StartTime"] == NOON
    pages = list(scaling.get_paginator("describe_scaling_policies").paginate(ServiceNamespace="sagemaker"))
    assert [len(answer["ScalingPolicies"]) for answer in pages] == [10, 2]
    scaling.deregister_scalable_target(**named)
    assert scaling.describe_scaling_policies(ServiceNamespace="sagemaker")["ScalingPolicies"] == []
    assert scaling.describe_scheduled_actions(ServiceNamespace="sagemaker")["ScheduledActions"] == []
    assert cloudwatch.describe_alarms()["MetricAlarms"] == []
    assert refused(scaling.deregister_scalable_target, **named)[0] == "ObjectNotFoundException"


def test_scaling_activities_are_seeded(scaling: Any) -> None:
    resource = "endpoint/endpoint/variant/blue"
    for number in range(60):
        seed.scaling_activity(ACCOUNT, REGION, resource, started=NOON + timedelta(minutes=number))
    seed.scaling_activity(
        ACCOUNT, REGION, resource, status="Failed", started=NOON + timedelta(days=1), message="no capacity"
    )
    seed.scaling_activity(
        ACCOUNT,
        REGION,
        resource,
        started=NOON + timedelta(days=2),
        not_scaled_reasons=[{"Code": "AlreadyAtMaxCapacity", "MaxCapacity": 4}],
    )
    pages = list(scaling.get_paginator("describe_scaling_activities").paginate(ServiceNamespace="sagemaker"))
    assert_complete(scaling, "DescribeScalingActivities", pages[0])
    assert [len(answer["ScalingActivities"]) for answer in pages] == [50, 11]
    assert pages[0]["ScalingActivities"][0]["StatusMessage"] == "no capacity"
    every = scaling.describe_scaling_activities(ServiceNamespace="sagemaker", IncludeNotScaledActivities=True)
    assert every["ScalingActivities"][0]["NotScaledReasons"][0]["Code"] == "AlreadyAtMaxCapacity"


def test_other_namespaces_stay_with_moto(scaling: Any) -> None:
    named = {
        "ServiceNamespace": "dynamodb",
        "ResourceId": "table/t",
        "ScalableDimension": "dynamodb:table:ReadCapacityUnits",
    }
    scaling.register_scalable_target(**named, MinCapacity=1, MaxCapacity=2)
    assert len(scaling.describe_scalable_targets(ServiceNamespace="dynamodb")["ScalableTargets"]) == 1
    assert scaling.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"] == []


# CloudWatch


@pytest.mark.parametrize(
    ("stat", "expected"),
    [
        ("Sum", [60.0, 15.0]),
        ("Average", [20.0, 5.0]),
        ("Maximum", [30.0, 9.0]),
        ("Minimum", [10.0, 1.0]),
        ("SampleCount", [3.0, 3.0]),
        ("p50", [20.0, 5.0]),
        ("p100", [30.0, 9.0]),
        ("p75", [25.0, 7.0]),
    ],
)
def test_statistics_by_the_hour(cloudwatch: Any, stat: str, expected: list[float]) -> None:
    hours = {0: (30.0, 10.0, 20.0), 5: (1.0, 5.0, 9.0)}
    invocations(
        [(NOON + timedelta(hours=h, minutes=m), value) for h, values in hours.items() for m, value in enumerate(values)]
    )
    invocations([(NOON, 1000.0)], variant="green")
    answer = cloudwatch.get_metric_data(
        MetricDataQueries=[a_query(stat=stat, period=3600)],
        ScanBy="TimestampAscending",
        StartTime=NOON - timedelta(hours=1),
        EndTime=NOON + timedelta(hours=12),
    )
    result = answer["MetricDataResults"][0]
    assert result["Values"] == expected
    assert result["Timestamps"] == [NOON, NOON + timedelta(hours=5)]
    assert (result["Id"], result["StatusCode"]) == ("q", "Complete")


def test_days_begin_at_midnight_wherever_the_window_begins(cloudwatch: Any) -> None:
    invocations([(NOON + timedelta(hours=hour), 1.0) for hour in range(48)])
    answer = cloudwatch.get_metric_data(
        MetricDataQueries=[a_query(period=86_400)], StartTime=NOON, EndTime=NOON + timedelta(hours=40)
    )
    result = answer["MetricDataResults"][0]
    midnight = NOON.replace(hour=0)
    assert result["Timestamps"] == [midnight + timedelta(days=day) for day in (2, 1, 0)]
    assert result["Values"] == [4.0, 24.0, 12.0]


def test_datapoints_put_through_the_api(cloudwatch: Any) -> None:
    dimensions = [{"Name": "EndpointName", "Value": "endpoint"}, {"Name": "VariantName", "Value": "blue"}]
    datum = {"MetricName": "Invocations", "Dimensions": dimensions, "Timestamp": NOON}
    statistics = {"SampleCount": 10.0, "Sum": 50.0, "Minimum": 1.0, "Maximum": 20.0}
    cloudwatch.put_metric_data(
        Namespace="AWS/SageMaker",
        MetricData=[
            {**datum, "Value": 5.0},
            {**datum, "Values": [1.0, 2.0], "Counts": [2.0, 1.0]},
            {**datum, "StatisticValues": statistics},
            *[{**datum, "Timestamp": NOON + timedelta(minutes=minute), "Value": 1.0} for minute in range(1, 200)],
        ],
    )
    window = {"StartTime": NOON, "EndTime": NOON + timedelta(hours=1)}
    queries = [a_query("sum", "Sum"), a_query("count", "SampleCount"), a_query("max", "Maximum")]
    results = cloudwatch.get_metric_data(MetricDataQueries=queries, **window)["MetricDataResults"]
    assert [result["Values"][-1] for result in results] == [59.0, 14.0, 20.0]
    statistics = cloudwatch.get_metric_statistics(
        Namespace="AWS/SageMaker",
        MetricName="Invocations",
        Dimensions=dimensions,
        Period=60,
        **window,
        Statistics=["Sum"],
        ExtendedStatistics=["p90"],
    )
    assert statistics["Datapoints"][0]["Sum"] == 59.0
    assert len(cloudwatch.list_metrics(Namespace="AWS/SageMaker")["Metrics"]) == 1


def test_metric_data_pages_by_datapoints(cloudwatch: Any) -> None:
    for variant in ("blue", "green"):
        invocations([(NOON + timedelta(minutes=minute), float(minute)) for minute in range(100)], variant)
    window = {"StartTime": NOON, "EndTime": NOON + timedelta(minutes=100), "ScanBy": "TimestampAscending"}
    queries = [a_query(variant, variant=variant) for variant in ("blue", "none", "green")]
    pages, token = [], None
    while True:
        more: dict[str, str] = {"NextToken": token} if token else {}
        pages.append(cloudwatch.get_metric_data(MetricDataQueries=queries, MaxDatapoints=60, **window, **more))
        token = pages[-1].get("NextToken")
        if token is None:
            break
    assert [sum(len(result["Values"]) for result in answer["MetricDataResults"]) for answer in pages] == [
        60,
        60,
        60,
        20,
    ]
    assert pages[0]["MetricDataResults"][0]["StatusCode"] == "PartialData"
    merged: dict[str, list[float]] = {}
    for answer in pages:
        for result in answer["MetricDataResults"]:
            merged.setdefault(result["Id"], []).extend(result["Values"])
    assert merged == {"blue": [float(n) for n in range(100)], "none": [], "green": [float(n) for n in range(100)]}


def test_a_query_goes_through_the_datapoints_of_its_own_series_and_once_only(
    cloudwatch: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its cost grows neither with what else is stored nor with how often it is asked."""
    lengths: list[int] = []

    def counting(points: list[series.Point], period: int) -> list[series.Point]:
        lengths.append(len(points))
        return merge(points, period)

    merge = series._merge
    monkeypatch.setattr(series, "_merge", counting)
    for number in range(30):
        invocations([(NOON + timedelta(minutes=minute), 1.0) for minute in range(1440)], f"v{number}")
    queries = [a_query(f"v{number}", variant=f"v{number}", period=3600) for number in range(10)]
    for _ in range(2):
        answer = cloudwatch.get_metric_data(MetricDataQueries=queries, StartTime=NOON, EndTime=NOON + timedelta(days=1))
        assert [len(result["Values"]) for result in answer["MetricDataResults"]] == [24] * len(queries)
    assert lengths == [1440] * len(queries)


def test_an_expression_is_refused_rather_than_empty(cloudwatch: Any) -> None:
    window = {"StartTime": NOON, "EndTime": NOON + timedelta(hours=1)}
    query = {"Id": "e", "Expression": "SUM(METRICS())", "Period": 60}
    assert refused(cloudwatch.get_metric_data, MetricDataQueries=[query], **window)[0] == "ValidationError"


def test_alarms_page_and_can_be_seeded(cloudwatch: Any) -> None:
    for number in range(60):
        cloudwatch.put_metric_alarm(
            AlarmName=f"alarm-{number:02}",
            Namespace="N",
            MetricName="M",
            Statistic="Sum",
            Period=60,
            EvaluationPeriods=1,
            Threshold=1.0,
            ComparisonOperator="GreaterThanThreshold",
        )
    pages = list(cloudwatch.get_paginator("describe_alarms").paginate())
    assert [len(answer["MetricAlarms"]) for answer in pages] == [50, 10]
    seed.alarm(ACCOUNT, REGION, "alarm-03", state="ALARM", actions_enabled=False, updated=NOON)
    alarm = cloudwatch.describe_alarms(StateValue="ALARM")["MetricAlarms"][0]
    assert (alarm["AlarmName"], alarm["ActionsEnabled"]) == ("alarm-03", False)
    assert alarm["StateUpdatedTimestamp"] == NOON


def test_cbor_round_trip() -> None:
    value = {
        "text": "ü" * 30,
        "small": 5,
        "large": 2**40,
        "negative": -7,
        "double": 1.5,
        "yes": True,
        "no": False,
        "list": [1, "two"],
        "time": cbor.Timestamp(1.5e9),
        "times": cbor.Timestamps([1.0, 2.0]),
        "doubles": cbor.Doubles([0.5, 2.5]),
    }
    decoded = cbor.decode(cbor.encode({**value, "absent": None}))
    assert decoded == value
    assert isinstance(decoded["time"], cbor.Timestamp)
    with pytest.raises(ValueError, match="malformed"):
        cbor.decode(b"\xa1\x61")


# EC2


def test_subnets_filter_and_page(emulator: Emulator) -> None:
    ec2 = emulator.client("ec2")
    zones = {zone["ZoneName"]: zone["ZoneId"] for zone in ec2.describe_availability_zones()["AvailabilityZones"]}
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    made = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{number}.0/24", AvailabilityZone=zone)["Subnet"]["SubnetId"]
        for number, zone in enumerate([*zones, *zones])
    ]
    by_vpc = ec2.describe_subnets(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["Subnets"]
    assert sorted(subnet["SubnetId"] for subnet in by_vpc) == sorted(made)
    assert all(subnet["AvailabilityZoneId"] == zones[subnet["AvailabilityZone"]] for subnet in by_vpc)
    asked = [*made[:2], "subnet-00000000"]
    some = ec2.describe_subnets(Filters=[{"Name": "subnet-id", "Values": asked}])["Subnets"]
    assert sorted(subnet["SubnetId"] for subnet in some) == sorted(made[:2])
    paginator = ec2.get_paginator("describe_subnets")
    pages = list(paginator.paginate(Filters=[{"Name": "vpc-id", "Values": [vpc]}], PaginationConfig={"PageSize": 5}))
    assert [len(answer["Subnets"]) for answer in pages] == [5, len(made) - 5]
    assert refused(ec2.describe_subnets, SubnetIds=["subnet-00000000"])[0] == "InvalidSubnetID.NotFound"


# The front


def test_the_front_counts_calls_of_every_protocol(emulator: Emulator, front: Front, sagemaker: Any) -> None:
    an_endpoint(sagemaker)
    front.clear()
    sagemaker.describe_endpoint(EndpointName="endpoint")
    emulator.client("application-autoscaling").describe_scalable_targets(ServiceNamespace="sagemaker")
    emulator.client("ec2").describe_subnets()
    emulator.client("cloudwatch").list_metrics()
    topic = emulator.client("sns").create_topic(Name="topic")["TopicArn"]
    emulator.client("sns").publish(TopicArn=topic, Message="m")
    emulator.client("sts").get_caller_identity()
    emulator.client("sagemaker-runtime").invoke_endpoint(EndpointName="endpoint", Body=b"{}")
    emulator.client("s3").list_buckets()
    assert front.calls == {
        "sagemaker:DescribeEndpoint": 1,
        "application-autoscaling:DescribeScalableTargets": 1,
        "ec2:DescribeSubnets": 1,
        "cloudwatch:ListMetrics": 1,
        "sns:CreateTopic": 1,
        "sns:Publish": 1,
        "sts:GetCallerIdentity": 1,
        "sagemaker-runtime:InvokeEndpoint": 1,
        "s3:ListBuckets": 1,
    }
    assert front.history[0].params == {"EndpointName": "endpoint"}
    assert (front.history[0].account, front.history[0].region) == (ACCOUNT, REGION)


@pytest.mark.parametrize(
    ("service", "operation", "arguments", "code"),
    [
        ("sagemaker", "Search", {"Resource": "Model"}, "AccessDeniedException"),
        (
            "application-autoscaling",
            "DescribeScalableTargets",
            {"ServiceNamespace": "sagemaker"},
            "AccessDeniedException",
        ),
        ("ec2", "DescribeSubnets", {}, "UnauthorizedOperation"),
        ("sts", "GetCallerIdentity", {}, "AccessDenied"),
        ("sns", "ListTopics", {}, "AuthorizationError"),
        ("cloudwatch", "ListMetrics", {}, "AccessDenied"),
    ],
)
def test_denied(
    emulator: Emulator, front: Front, service: str, operation: str, arguments: dict[str, str], code: str
) -> None:
    front.deny(f"{service}:{operation}")
    client = emulator.client(service)
    method = next(name for name, own in client.meta.method_to_api_mapping.items() if own == operation)
    answered, message = refused(getattr(client, method), **arguments)
    assert answered == code
    assert "not authorized" in message
    front.clear()
    getattr(client, method)(**arguments)


def test_denied_for_one_resource_or_one_region(emulator: Emulator, front: Front, sagemaker: Any) -> None:
    an_endpoint(sagemaker, "open")
    an_endpoint(sagemaker, "closed")
    front.deny("sagemaker:DescribeEndpoint", when=lambda call: call.params["EndpointName"] == "closed")
    front.deny("sagemaker:*", when=lambda call: call.region == "us-east-1")
    assert sagemaker.describe_endpoint(EndpointName="open")["EndpointName"] == "open"
    assert refused(sagemaker.describe_endpoint, EndpointName="closed")[0] == "AccessDeniedException"
    assert refused(emulator.client("sagemaker", "us-east-1").list_models)[0] == "AccessDeniedException"


def test_failing_a_few_times(front: Front, sagemaker: Any) -> None:
    front.fail("sagemaker:ListModels", status=503, code="ServiceUnavailable", times=1)
    assert sagemaker.list_models()["Models"] == []  # botocore tries again
    assert front.calls["sagemaker:ListModels"] == 2
    front.fail("sagemaker:ListModels", status=400, code="ValidationException", message="no")
    assert refused(sagemaker.list_models) == ("ValidationException", "no")


@pytest.mark.parametrize(
    ("service", "operation", "code"),
    [
        ("sagemaker", "list_models", "ThrottlingException"),
        ("ec2", "describe_vpcs", "RequestLimitExceeded"),
        ("cloudwatch", "list_metrics", "Throttling"),
    ],
)
def test_throttled_after_a_burst(emulator: Emulator, front: Front, service: str, operation: str, code: str) -> None:
    front.throttle(f"{service}:*", rate=0.01, burst=3)
    once = Config(retries={"total_max_attempts": 1})
    client = emulator.session().client(service, config=once)
    for _ in range(3):
        getattr(client, operation)()
    assert refused(getattr(client, operation))[0] == code


def test_delays_run_at_the_same_time(front: Front, sagemaker: Any) -> None:
    front.delay(1)  # long enough for eight threads to begin on a busy machine
    started = time.perf_counter()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: sagemaker.list_models(), range(8)))
    assert time.perf_counter() - started >= 1
    assert front.most_at_once == 8


def test_vanished_between_list_and_describe(front: Front, sagemaker: Any) -> None:
    an_endpoint(sagemaker)
    front.vanish(lambda call: call.params.get("EndpointName") == "endpoint")
    arn = sagemaker.list_endpoints()["Endpoints"][0]["EndpointArn"]
    expected = ("ValidationException", f'Could not find endpoint "{arn}".')
    assert refused(sagemaker.describe_endpoint, EndpointName="endpoint") == expected
    assert sagemaker.describe_endpoint_config(EndpointConfigName="endpoint-config")["ProductionVariants"]
