"""Facts of an inventory in one line: builders with sound defaults, so that a test says only what differs.

The defaults describe a healthy estate: the endpoint ``churn`` has been in service for months, and its one variant runs
on two instances. Each builder hands AWS's own field names to the parser, so that every test exercises the parsing too.
Overrides in AWS's shape (``**described``, ``running``, ``settings``) replace single fields; None takes a field out of
the answer.
"""

import dataclasses
from collections import ChainMap
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from msgspec.structs import replace

from chalicelib.inventory.buckets import Checkpoints, Storage
from chalicelib.inventory.dependencies import DEEP
from chalicelib.inventory.estate import Inventory
from chalicelib.inventory.facts import Fact, Unread
from chalicelib.inventory.failures import Failure, Failures
from chalicelib.inventory.kinds.components import InferenceComponent
from chalicelib.inventory.kinds.configs import EndpointConfig, VariantSettings
from chalicelib.inventory.kinds.dependencies import EncryptionKey, Present, Standing
from chalicelib.inventory.kinds.endpoints import Endpoint, Variant
from chalicelib.inventory.kinds.load_tests import BenchmarkJob, RecommendationJob
from chalicelib.inventory.kinds.models import Model
from chalicelib.inventory.kinds.mutes import MuteRule
from chalicelib.inventory.kinds.network import Subnet, Vpc
from chalicelib.inventory.kinds.offerings import TypeOffering
from chalicelib.inventory.kinds.placements import Placement
from chalicelib.inventory.kinds.plain import PLAIN, Cluster, NotebookInstance, TransformJob
from chalicelib.inventory.kinds.plans import TrainingPlan
from chalicelib.inventory.kinds.quotas import ServiceQuota, quota_name
from chalicelib.inventory.kinds.scaling import (
    COPY_DIMENSION,
    INSTANCE_DIMENSION,
    Alarm,
    ScalableTarget,
    ScalingActivity,
    ScalingPolicy,
    ScheduledAction,
)
from chalicelib.inventory.kinds.studio import StudioApp
from chalicelib.inventory.kinds.training import TrainingJob
from chalicelib.inventory.kinds.tuning import TuningJob
from chalicelib.inventory.metrics import METRICS, Datapoint, MetricKey, Whose
from chalicelib.inventory.parts import Part
from chalicelib.inventory.supplied import Supplied
from chalicelib.inventory.traffic import FAILURES, INVOCATIONS, SHARES, MinuteMetric, Minutes, number_of
from chalicelib.kinds import KINDS
from chalicelib.rehearsal.rehearser import Rehearser
from chalicelib.rehearsal.terms import Terms

NOW = datetime(2026, 11, 22, 6, tzinfo=UTC)
ACCOUNT, REGION = "123456789012", "eu-west-1"
STEM = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}"

#: The kinds that an inventory holds by name alone.
OTHERS: dict[str, type[Fact]] = {**PLAIN, ServiceQuota.kind: ServiceQuota, StudioApp.kind: StudioApp}

#: Fields as AWS names them.
Aws = Mapping[str, Any]


def ago(**age: float) -> datetime:
    """The moment that lies so long before NOW: ``ago(days=2, seconds=1)``."""
    return NOW - timedelta(**age)


#: When things were created and last changed, where a test does not say otherwise: long ago.
CREATED, MODIFIED, AN_HOUR_AGO = ago(days=90), ago(days=60), ago(hours=1)


def an_image(repository: str, *, account: str, tag: str | None = "1") -> str:
    """The URI of an image in Amazon ECR; without a tag it is named by its digest."""
    version = f":{tag}" if tag else f"@sha256:{'0' * 64}"
    return f"{account}.dkr.ecr.{REGION}.amazonaws.com/{repository}{version}"


#: Images that AWS publishes in eu-west-1, by what their algorithm can do.
LDA = an_image("lda", account="999678624901")  # trains and infers on CPUs, on one machine, no checkpoints
RANDOM_CUT_FOREST = an_image("randomcutforest", account="438346466558")  # trains and infers on CPUs, no checkpoints
DEEPAR = an_image("forecasting-deepar", account="224300973850")  # infers on CPUs only, no checkpoints
LINEAR_LEARNER = an_image("linear-learner", account="438346466558")  # either, no checkpoints
K_MEANS = an_image("kmeans", account="438346466558")  # either; AWS does not agree with itself on several machines
BLAZINGTEXT = an_image("blazingtext", account="685385470294")  # GPUs advised, on one machine in all modes but one
NEURAL_TOPIC_MODEL = an_image("ntm", account="438346466558")  # GPUs advised
OBJECT2VEC = an_image("object2vec", account="438346466558")  # GPUs optional, on one machine
SEMANTIC_SEGMENTATION = an_image("semantic-segmentation", account="685385470294")  # GPUs only, on one machine
IMAGE_CLASSIFICATION = an_image("image-classification", account="685385470294")  # trains on GPUs only, checkpoints
XGBOOST = an_image("sagemaker-xgboost", account="141502667606", tag="1.7-1")  # either, checkpoints
XGBOOST_1_3 = an_image("sagemaker-xgboost", account="141502667606", tag="1.3-1")  # uses one GPU
IP_INSIGHTS = an_image("ipinsights", account="438346466558")  # GPUs advised, or several CPU instances
XGBOOST_WITHOUT_VERSION = an_image("sagemaker-xgboost", account="141502667606", tag=None)
OLD_XGBOOST = an_image("sagemaker-xgboost", account="141502667606", tag="1.0-1-cpu-py3")  # trains on CPUs only
SCIKIT_LEARN = an_image("sagemaker-scikit-learn", account="141502667606", tag="1.2-1-cpu-py3")
SPARKML = an_image("sagemaker-sparkml-serving", account="141502667606", tag="3.3")
DEEP_LEARNING_CONTAINER = an_image("pytorch-training", account="763104351884", tag="2.3-cpu-py311")
ELASTIC_INFERENCE = an_image("tensorflow-inference-eia", account="763104351884", tag="2.3-cpu")
#: An image of one's own, and a private copy of LDA: neither tells anything about an algorithm.
OWN_IMAGE = an_image("churn", account=ACCOUNT)
COPIED_LDA = an_image("lda", account=ACCOUNT)


# ---- endpoints and what serves on them


def a_variant(
    name: str = "AllTraffic",
    *,
    endpoint: str = "churn",
    status: str = "InService",
    created: datetime | None = CREATED,
    modified: datetime | None = MODIFIED,
    count: int | None = 2,
    weight: float | None = 1.0,
    instance_type: str | None = "ml.m5.large",
    model: str | None = "churn-model",
    asynchronous: bool | None = False,
    shadow: bool = False,
    running: Aws | None = None,
    settings: Aws | None = None,
    config_read: bool = True,
    config_created: datetime | None = None,
    tags: Mapping[str, str] | None = None,
) -> Variant:
    """A production variant as it runs. ``running`` overrides DescribeEndpoint, ``settings`` the endpoint config.

    ``count`` is the desired and the current number of instances. Without ``config_read`` the config stayed unread.
    """
    configured = {
        "VariantName": name,
        "ModelName": model,
        "InitialInstanceCount": count or 1,
        "InitialVariantWeight": 1.0,
        "InstanceType": instance_type,
        **(settings or {}),
    }
    return Variant.model_validate(
        {
            "VariantName": name,
            "DesiredInstanceCount": count,
            "CurrentInstanceCount": count,
            "DesiredWeight": weight,
            "CurrentWeight": weight,
            **(running or {}),
            "endpoint_name": endpoint,
            "endpoint_arn": f"{STEM}:endpoint/{endpoint}",
            "endpoint_status": status,
            "endpoint_created": created,
            "endpoint_modified": modified,
            "asynchronous": asynchronous if config_read else None,
            "shadow": shadow,
            "config_created": config_created,
            "tags": dict(tags) if tags is not None else None,
            "configured": VariantSettings.model_validate(configured) if config_read else None,
        }
    )


def a_serverless_variant(
    *, endpoint: str = "churn", running: Aws | None = None, settings: Aws | None = None
) -> Variant:
    """A variant without instances, as AWS describes it: no instance count and no instance type."""
    serverless = {"MemorySizeInMB": 2048, "MaxConcurrency": 5}
    return a_variant(
        endpoint=endpoint,
        count=None,
        instance_type=None,
        running={"CurrentServerlessConfig": serverless, **(running or {})},
        settings={"ServerlessConfig": serverless, "InitialInstanceCount": None, **(settings or {})},
    )


def a_host_of_components(*, count: int = 2, settings: Aws | None = None, **variant: Any) -> Variant:
    """A variant without a model of its own: inference components bring theirs."""
    return a_variant(count=count, model=None, settings=settings, **variant)


def managed_scaling(minimum: int | None, maximum: int | None = 4, *, status: str = "ENABLED") -> dict[str, Any]:
    """Managed instance scaling, to be given as ``running`` or ``settings`` of a variant."""
    return {
        "ManagedInstanceScaling": {"Status": status, "MinInstanceCount": minimum, "MaxInstanceCount": maximum},
    }


def an_endpoint(
    *variants: Variant,
    name: str = "churn",
    status: str = "InService",
    created: datetime | None = CREATED,
    modified: datetime | None = MODIFIED,
    **described: Any,
) -> Endpoint:
    """An endpoint, by default with one healthy variant; its variants carry its name, state and times."""
    endpoint = Endpoint.model_validate(
        {
            "EndpointName": name,
            "EndpointArn": f"{STEM}:endpoint/{name}",
            "EndpointConfigName": f"{name}-config",
            "EndpointStatus": status,
            "CreationTime": created,
            "LastModifiedTime": modified,
            **described,
        }
    )
    stamp = {
        "endpoint_name": name,
        "endpoint_arn": endpoint.arn,
        "endpoint_status": status,
        "endpoint_created": created,
        "endpoint_modified": modified,
        "config_name": endpoint.config_name,
    }
    own = variants or (a_variant(),)
    return endpoint.model_copy(update={"variants": tuple(variant.model_copy(update=stamp) for variant in own)})


def an_endpoint_without_variants(**endpoint: Any) -> Endpoint:
    """An endpoint whose description left its variants out."""
    return an_endpoint(**endpoint).model_copy(update={"variants": ()})


def a_config(
    *initial_counts: int | None,
    name: str = "churn-config",
    in_use: bool | None = None,
    subnets: Sequence[str] = (),
    **described: Any,
) -> EndpointConfig:
    """An endpoint config with a variant for each initial instance count (None: AWS left it out); by default one of 2.

    ``in_use`` None says that the config was named by itself, as its creation event does.
    """
    variants = [
        {
            "VariantName": f"variant-{number}",
            "ModelName": "churn-model",
            "InitialInstanceCount": count,
            "InstanceType": "ml.m5.large",
        }
        for number, count in enumerate(initial_counts or (2,), 1)
    ]
    return EndpointConfig.model_validate(
        {
            "EndpointConfigName": name,
            "EndpointConfigArn": f"{STEM}:endpoint-config/{name}",
            "CreationTime": ago(days=90),
            "ProductionVariants": variants,
            "VpcConfig": _vpc_config(subnets),
            "in_use": in_use,
            **described,
        }
    )


def a_model(
    *images: str | None,
    name: str = "churn-model",
    subnets: Sequence[str] = (),
    used_by: Sequence[str] | None = ("churn",),
    mode: str | None = None,
    **described: Any,
) -> Model:
    """A model of one container, or with several ``images`` a pipeline; None as an image is a model package's.

    ``used_by`` are the endpoints on which it serves; None says that this was not read.
    """
    containers = [
        {"Image": image} if image else {"ModelPackageName": f"{STEM}:model-package/churn/1"}
        for image in images or (OWN_IMAGE,)
    ]
    held: dict[str, Any] = {"PrimaryContainer": containers[0]} if len(containers) == 1 else {"Containers": containers}
    return Model.model_validate(
        {
            "ModelName": name,
            "ModelArn": f"{STEM}:model/{name}",
            "CreationTime": ago(days=90),
            "InferenceExecutionConfig": {"Mode": mode} if mode else None,
            "VpcConfig": _vpc_config(subnets),
            **held,
            "used_by": tuple(used_by) if used_by is not None else None,
            **described,
        }
    )


def a_pipeline(containers: int, *, mode: str | None = None) -> Model:
    """A model with ``Containers``, even if it is only one."""
    return a_model(mode=mode, PrimaryContainer=None, Containers=[{"Image": OWN_IMAGE}] * containers)


def a_component(
    name: str = "churn-component",
    *,
    endpoint: str = "churn",
    variant: str = "AllTraffic",
    status: str = "InService",
    created: datetime | None = CREATED,
    modified: datetime | None = MODIFIED,
    copies: int | None = 2,
    model: str | None = "churn-model",
    base: str | None = None,
    specification: Aws | None = None,
    specifications: Sequence[Aws] | None = None,
    runtime: Aws | None = None,
) -> InferenceComponent:
    """An inference component; ``base`` makes it an adapter of another one.

    ``copies`` is the desired and the current number of copies; ``runtime`` overrides its RuntimeConfig.
    ``specifications`` take the place of the one, as for several instance types.
    """
    return InferenceComponent.model_validate(
        {
            "InferenceComponentName": name,
            "InferenceComponentArn": f"{STEM}:inference-component/{name}",
            "EndpointName": endpoint,
            "EndpointArn": f"{STEM}:endpoint/{endpoint}",
            "VariantName": variant,
            "InferenceComponentStatus": status,
            "CreationTime": created,
            "LastModifiedTime": modified,
            "Specification": {
                "ModelName": model,
                "BaseInferenceComponentName": base,
                "SchedulingConfig": {"AvailabilityZoneBalance": {"EnforcementMode": "PERMISSIVE"}},
                **(specification or {}),
            },
            "Specifications": list(specifications) if specifications else None,
            "RuntimeConfig": {"DesiredCopyCount": copies, "CurrentCopyCount": copies, **(runtime or {})},
        }
    )


# ---- automatic scaling


class _Scaled(NamedTuple):
    resource_id: str
    dimension: str


def _scaled(of: Variant | InferenceComponent | str | None) -> _Scaled:
    if isinstance(of, InferenceComponent):
        return _Scaled(of.resource_id, COPY_DIMENSION)
    if isinstance(of, Variant):
        return _Scaled(of.resource_id, INSTANCE_DIMENSION)
    return _Scaled(of or "endpoint/churn/variant/AllTraffic", INSTANCE_DIMENSION)


def a_target(
    of: Variant | InferenceComponent | str | None = None,
    *,
    minimum: int | None = 2,
    maximum: int | None = 4,
    suspended: Sequence[str] = (),
    created: datetime | None = MODIFIED,
    **described: Any,
) -> ScalableTarget:
    """The scalable target of a variant, a component or a resource id; ``suspended`` names the flags that are on."""
    scaled = _scaled(of)
    return ScalableTarget.model_validate(
        {
            "ResourceId": scaled.resource_id,
            "ScalableDimension": scaled.dimension,
            "ScalableTargetARN": f"arn:aws:application-autoscaling:{REGION}:{ACCOUNT}:scalable-target/1234abcd",
            "MinCapacity": minimum,
            "MaxCapacity": maximum,
            "CreationTime": created,
            "SuspendedState": dict.fromkeys(suspended, True),
            "arn": f"arn:aws:application-autoscaling:{REGION}:{ACCOUNT}:scalable-target/1234abcd",
            **described,
        }
    )


def a_policy(
    of: Variant | InferenceComponent | str | None = None,
    *,
    name: str = "by-load",
    target_value: float = 120.0,
    tracking: Aws | None = None,
    alarms: Sequence[str] = ("by-load-high", "by-load-low"),
    **described: Any,
) -> ScalingPolicy:
    """A target-tracking policy on invocations per instance; ``tracking`` overrides its configuration."""
    scaled = _scaled(of)
    return ScalingPolicy.model_validate(
        {
            "PolicyName": name,
            "PolicyARN": f"arn:aws:autoscaling:{REGION}:{ACCOUNT}:scalingPolicy:1:{name}",
            "ResourceId": scaled.resource_id,
            "ScalableDimension": scaled.dimension,
            "PolicyType": "TargetTrackingScaling",
            "CreationTime": ago(days=60),
            "Alarms": [{"AlarmName": alarm} for alarm in alarms],
            "TargetTrackingScalingPolicyConfiguration": {
                "TargetValue": target_value,
                "PredefinedMetricSpecification": {
                    "PredefinedMetricType": "SageMakerVariantInvocationsPerInstance",
                },
                **(tracking or {}),
            },
            **described,
        }
    )


def a_step_policy(
    of: Variant | InferenceComponent | str | None = None,
    *,
    name: str = "wake-up",
    adjustment: int = 1,
    adjustment_type: str = "ChangeInCapacity",
    alarms: Sequence[str] = ("backlog",),
    **described: Any,
) -> ScalingPolicy:
    """A step-scaling policy that its alarms set off, and that changes the capacity by ``adjustment``."""
    return a_policy(
        of,
        name=name,
        alarms=alarms,
        PolicyType="StepScaling",
        TargetTrackingScalingPolicyConfiguration=None,
        StepScalingPolicyConfiguration={
            "AdjustmentType": adjustment_type,
            "StepAdjustments": [{"MetricIntervalLowerBound": 0.0, "ScalingAdjustment": adjustment}],
        },
        **described,
    )


def a_metric(name: str, **dimensions: str) -> dict[str, Any]:
    """A metric of SageMaker with these dimensions, in AWS's shape."""
    instances = name.endswith("Utilization") and not name.startswith("Serverless")
    return {
        "MetricName": name,
        "Namespace": "/aws/sagemaker/Endpoints" if instances else "AWS/SageMaker",
        "Dimensions": [{"Name": dimension, "Value": value} for dimension, value in dimensions.items()],
    }


def metric_math(*metrics: Aws) -> dict[str, Any]:
    """``Metrics`` of an alarm or a policy: the sum of these metrics."""
    queries = [
        {"Id": f"m{number}", "MetricStat": {"Metric": metric, "Stat": "Sum"}, "ReturnData": False}
        for number, metric in enumerate(metrics, 1)
    ]
    return {"Metrics": [*queries, {"Id": "sum", "Expression": "SUM(METRICS())", "ReturnData": True}]}


def following(metric: str, **dimensions: str) -> dict[str, Any]:
    """The ``tracking`` of a policy that follows a custom metric with these dimensions."""
    return {
        "PredefinedMetricSpecification": None,
        "CustomizedMetricSpecification": {**a_metric(metric, **dimensions), "Statistic": "Average"},
    }


def following_sum_of(*metrics: Aws) -> dict[str, Any]:
    """The ``tracking`` of a policy that follows metric math over these metrics."""
    return {"PredefinedMetricSpecification": None, "CustomizedMetricSpecification": metric_math(*metrics)}


def a_load_test(
    *, model: str | None = "churn-model", completed: datetime | None = CREATED, name: str = "churn-load"
) -> RecommendationJob:
    """A finished Inference Recommender job."""
    return RecommendationJob(name=name, model_name=model, completed=completed)


def a_benchmark(endpoint: str = "churn", *, completed: datetime | None = CREATED) -> BenchmarkJob:
    """A completed AI benchmark job of an endpoint."""
    return BenchmarkJob(name="churn-benchmark", endpoint_name=endpoint, completed=completed)


def a_schedule(
    of: Variant | InferenceComponent | str | None = None,
    *,
    name: str = "mornings",
    schedule: str = "cron(0 6 * * ? *)",
    minimum: int | None = None,
    maximum: int | None = None,
    **described: Any,
) -> ScheduledAction:
    """A scheduled action of a target, by default one that comes every morning; ``minimum`` and ``maximum`` are what it
    sets."""
    scaled = _scaled(of)
    limits = {"MinCapacity": minimum, "MaxCapacity": maximum}
    return ScheduledAction.model_validate(
        {
            "ScheduledActionName": name,
            "ResourceId": scaled.resource_id,
            "ScalableDimension": scaled.dimension,
            "Schedule": schedule,
            "ScalableTargetAction": {limit: value for limit, value in limits.items() if value is not None},
            **described,
        }
    )


def an_activity(
    of: Variant | InferenceComponent | str | None = None,
    *,
    status: str = "Successful",
    not_scaled: Sequence[str] = (),
    started: datetime | None = AN_HOUR_AGO,
    **described: Any,
) -> ScalingActivity:
    """A scaling activity; ``not_scaled`` are the codes that say why nothing was scaled."""
    scaled = _scaled(of)
    return ScalingActivity.model_validate(
        {
            "ResourceId": scaled.resource_id,
            "ScalableDimension": scaled.dimension,
            "StatusCode": status,
            "StartTime": started,
            "NotScaledReasons": [{"Code": code} for code in not_scaled],
            **described,
        }
    )


def an_alarm(
    name: str = "backlog",
    *,
    metric: str = "HasBacklogWithoutCapacity",
    dimensions: Mapping[str, str] | None = None,
    acts_on: Sequence[str] = ("by-load", "by-backlog", "wake-up"),
    **described: Any,
) -> Alarm:
    """A CloudWatch alarm on one metric, by default of the endpoint, which rings for one request within a minute and has
    these scaling policies as its actions."""
    return Alarm.model_validate(
        {
            "AlarmName": name,
            "AlarmArn": f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:{name}",
            "ActionsEnabled": True,
            "StateValue": "OK",
            "MetricName": metric,
            "Namespace": "AWS/SageMaker",
            "Dimensions": [
                {"Name": name, "Value": value} for name, value in (dimensions or {"EndpointName": "churn"}).items()
            ],
            "Statistic": "Maximum",
            "Period": 60,
            "EvaluationPeriods": 1,
            "Threshold": 1.0,
            "ComparisonOperator": "GreaterThanOrEqualToThreshold",
            "AlarmActions": [f"arn:aws:autoscaling:{REGION}:{ACCOUNT}:scalingPolicy:1:{policy}" for policy in acts_on],
            **described,
        }
    )


def a_mute(
    *alarms: str, expression: str = "cron(0 22 * * *)", duration: str = "PT10H", status: str = "SCHEDULED"
) -> MuteRule:
    """A mute rule of these alarms, by default one that mutes them every night."""
    return MuteRule.model_validate(
        {
            "Name": "quiet",
            "Status": status,
            "Rule": {"Schedule": {"Expression": expression, "Duration": duration}},
            "MuteTargets": {"AlarmNames": list(alarms)},
        }
    )


# ---- jobs and notebooks


def a_training_job(
    *,
    image: str | None = OWN_IMAGE,
    instance_type: str | None = "ml.m5.xlarge",
    instances: int | None = 1,
    spot: bool = False,
    checkpoint: str | None = None,
    max_runtime: int | None = 86_400,
    seconds: int | None = 3_600,
    billable: int | None = None,
    interruptions: int | None = 0,
    status: str = "Completed",
    secondary: str = "Completed",
    subnets: Sequence[str] = (),
    resources: Aws | None = None,
    **described: Any,
) -> TrainingJob:
    """A training job on demand that ran for an hour. ``resources`` overrides its ResourceConfig; times in seconds.

    ``interruptions`` None says that AWS left the transitions out of its answer.
    """
    name = described.get("TrainingJobName", "churn-2026-11-20")
    transitions = [{"Status": "Starting"}, {"Status": "Training"}]
    transitions += [{"Status": "Interrupted"}, {"Status": "Training"}] * (interruptions or 0)
    return TrainingJob.model_validate(
        {
            "TrainingJobName": name,
            "TrainingJobArn": f"{STEM}:training-job/{name}",
            "TrainingJobStatus": status,
            "SecondaryStatus": secondary,
            "SecondaryStatusTransitions": transitions if interruptions is not None else None,
            "CreationTime": ago(days=2),
            "LastModifiedTime": ago(days=1),
            "VpcConfig": _vpc_config(subnets),
            "TrainingTimeInSeconds": seconds,
            "BillableTimeInSeconds": billable if billable is not None else _billed(seconds, spot),
            **_trained(image, instance_type, instances, spot, checkpoint, max_runtime, resources),
            **described,
        }
    )


def _billed(seconds: int | None, spot: bool) -> int | None:
    """On demand every second is billed; spot usually saves two of three."""
    return seconds // 3 if spot and seconds is not None else seconds


def a_definition(
    *,
    name: str = "one",
    image: str | None = OWN_IMAGE,
    instance_type: str | None = "ml.m5.xlarge",
    instances: int | None = 1,
    spot: bool = False,
    checkpoint: str | None = None,
    max_runtime: int | None = 86_400,
    resources: Aws | None = None,
    **described: Any,
) -> dict[str, Any]:
    """A training definition of a tuning job, in AWS's shape."""
    return {
        "DefinitionName": name,
        **_trained(image, instance_type, instances, spot, checkpoint, max_runtime, resources),
        **described,
    }


def _trained(
    image: str | None,
    instance_type: str | None,
    instances: int | None,
    spot: bool,
    checkpoint: str | None,
    max_runtime: int | None,
    resources: Aws | None,
) -> dict[str, Any]:
    """What the descriptions of training jobs and of tuning jobs' definitions have in common."""
    resource_config = {"InstanceType": instance_type, "InstanceCount": instances, **(resources or {})}
    stopping = {"MaxRuntimeInSeconds": max_runtime, "MaxWaitTimeInSeconds": 2 * (max_runtime or 0) if spot else None}
    return {
        "AlgorithmSpecification": {"TrainingImage": image} if image else {},
        "ResourceConfig": {key: value for key, value in resource_config.items() if value is not None},
        "StoppingCondition": {key: value for key, value in stopping.items() if value is not None},
        "EnableManagedSpotTraining": spot,
        "CheckpointConfig": {"S3Uri": checkpoint} if checkpoint else None,
    }


def a_tuning_job(
    *definitions: Aws, hours: float | None = 1.0, status: str = "Completed", **described: Any
) -> TuningJob:
    """A tuning job, by default with one definition on demand; ``hours`` are its children's instance-hours."""
    records = [dict(definition) for definition in definitions or (a_definition(),)]
    held: dict[str, Any] = (
        {"TrainingJobDefinition": records[0]} if len(records) == 1 else {"TrainingJobDefinitions": records}
    )
    name = "churn-tuning"
    return TuningJob.model_validate(
        {
            "HyperParameterTuningJobName": name,
            "HyperParameterTuningJobArn": f"{STEM}:hyper-parameter-tuning-job/{name}",
            "HyperParameterTuningJobStatus": status,
            "CreationTime": ago(days=2),
            "LastModifiedTime": ago(days=1),
            **held,
            "child_hours": hours,
            "children": 4,
            **described,
        }
    )


def a_transform_job(
    *, instance_type: str | None = "ml.m5.xlarge", model: str | None = "churn-model", **described: Any
) -> TransformJob:
    """A batch transform job."""
    name = "churn-scores"
    return TransformJob.model_validate(
        {
            "TransformJobName": name,
            "TransformJobArn": f"{STEM}:transform-job/{name}",
            "TransformJobStatus": "Completed",
            "ModelName": model,
            "TransformResources": {"InstanceType": instance_type, "InstanceCount": 1},
            "CreationTime": ago(days=1),
            **described,
        }
    )


def a_notebook(
    *, instance_type: str | None = "ml.t3.medium", accelerators: Sequence[str] | None = None, **described: Any
) -> NotebookInstance:
    """A notebook instance; AWS leaves ``AcceleratorTypes`` out when there are none."""
    return NotebookInstance.model_validate(
        {
            "NotebookInstanceName": "exploring",
            "NotebookInstanceArn": f"{STEM}:notebook-instance/exploring",
            "NotebookInstanceStatus": "InService",
            "InstanceType": instance_type,
            "AcceleratorTypes": list(accelerators) if accelerators is not None else None,
            **described,
        }
    )


def an_app(*, idle_shutdown: bool = False, unread: str = "", **described: Any) -> StudioApp:
    """An app of a private space of Studio, on a type (``ResourceSpec`` says another); ``unread``: why its settings are
    not known."""
    app = StudioApp.model_validate(
        {
            "AppArn": f"{STEM}:app/d-a1b2c3d4e5f6/exploring/jupyterlab/default",
            "DomainId": "d-a1b2c3d4e5f6",
            "SpaceName": "exploring",
            "AppType": "JupyterLab",
            "AppName": "default",
            "Status": "InService",
            "ResourceSpec": {"InstanceType": "ml.t3.medium"},
            "CreationTime": ago(days=30),
            **described,
        }
    ).model_copy(update={"idle_shutdown": idle_shutdown})
    return app.with_unknown({"idle_shutdown": Unread(unread)}) if unread else app


def a_cluster(*, recovery: str | None = "Automatic", **described: Any) -> Cluster:
    """A HyperPod cluster, whose ARN ends in an id; ``recovery`` None: AWS left it out."""
    return Cluster.model_validate(
        {
            "ClusterName": "pretraining",
            "ClusterArn": f"{STEM}:cluster/k3j2h1g0f9e8",
            "ClusterStatus": "InService",
            "CreationTime": CREATED,
            "NodeRecovery": recovery,
            **described,
        }
    )


# ---- what AWS would give


def a_plan(
    *blocks: tuple[datetime | None, datetime | None], status: str = "Active", jobs: Sequence[str] = (), **described: Any
) -> TrainingPlan:
    """A training plan of eight instances with a block of capacity from each first to each second time; ``jobs`` are the
    training jobs in progress on it."""
    name = "large"
    reserved = [
        {
            "ReservedCapacityArn": f"{STEM}:reserved-capacity/{name}-{number}",
            "InstanceType": "ml.p5.48xlarge",
            "TotalInstanceCount": 8,
            "Status": "Active",
            "AvailabilityZoneId": "euw1-az1",
            "StartTime": start,
            "EndTime": end,
        }
        for number, (start, end) in enumerate(blocks, 1)
    ]
    return TrainingPlan.model_validate(
        {
            "TrainingPlanName": name,
            "TrainingPlanArn": f"{STEM}:training-plan/{name}",
            "Status": status,
            "TotalInstanceCount": 8,
            "StartTime": blocks[0][0] if blocks else None,
            "EndTime": blocks[-1][1] if blocks else None,
            "ReservedCapacitySummaries": reserved,
            "running_jobs": tuple(f"{STEM}:training-job/{job}" for job in jobs),
            **described,
        }
    )


def an_offering(instance_type: str, *zones: str) -> TypeOffering:
    """The zones in which EC2 offers a type of SageMaker's."""
    return TypeOffering(instance_type=instance_type, zones=zones)


def a_quota(instance_type: str | None, value: float | None, **listed: Any) -> ServiceQuota:
    """The applied quota of a type under endpoints, or of all instances under endpoints; None: AWS gave no value."""
    code = "L-7A3DF611" if instance_type is None else "L-1928E07B"
    return ServiceQuota.model_validate(
        {
            "QuotaName": quota_name(instance_type) if instance_type else "Number of instances across active endpoints",
            "QuotaArn": f"arn:aws:servicequotas:{REGION}:{ACCOUNT}:sagemaker/{code}",
            "QuotaCode": code,
            "Value": value,
            **listed,
        }
    )


# ---- network


def a_role(name: str = "hosting", *, account: str = ACCOUNT) -> Present:
    """An execution role that AWS says is there."""
    return Present(Part.ROLES, a_role_arn(name, account=account))


def a_role_arn(name: str = "hosting", *, account: str = ACCOUNT) -> str:
    """The ARN of an execution role, with the path that the console gives it."""
    return f"arn:aws:iam::{account}:role/service-role/{name}"


def a_security_group(id: str = "sg-1") -> Present:
    """A security group that AWS says is there."""
    return Present(Part.SECURITY_GROUPS, id)


def a_key(name: str, *, state: str = "Enabled", deletion: datetime | None = None) -> EncryptionKey:
    """A KMS key under the name by which a config knows it."""
    return EncryptionKey.model_validate({"name": name, "KeyState": state, "DeletionDate": deletion})


def _vpc_config(subnets: Sequence[str]) -> dict[str, Any] | None:
    return {"SecurityGroupIds": ["sg-1"], "Subnets": list(subnets)} if subnets else None


def a_subnet(
    id: str = "subnet-a",
    *,
    zone: str | None = "euw1-az1",
    zone_name: str | None = "eu-west-1a",
    zone_type: str | None = None,
    vpc: str = "vpc-1",
    **described: Any,
) -> Subnet:
    """A subnet in the first Availability Zone, with addresses to spare."""
    return Subnet.model_validate(
        {
            "SubnetId": id,
            "VpcId": vpc,
            "AvailabilityZoneId": zone,
            "AvailabilityZone": zone_name,
            "State": "available",
            "AvailableIpAddressCount": 250,
            "zone_type": zone_type,
            **described,
        }
    )


#: Two subnets in the same Availability Zone, one in another, and those that lie in none.
SUBNET_A = a_subnet("subnet-a")
SUBNET_A2 = a_subnet("subnet-a2")
SUBNET_B = a_subnet("subnet-b", zone="euw1-az2", zone_name="eu-west-1b")
LOCAL_SUBNET = a_subnet("subnet-l", zone="euw1-lhr1-az1", zone_name="eu-west-1-lhr-1a", zone_type="local-zone")
WAVELENGTH_SUBNET = a_subnet("subnet-w", zone="euw1-wl1", zone_name="eu-west-1-wl1-a", zone_type="wavelength-zone")
OUTPOST_SUBNET = a_subnet(
    "subnet-o",
    zone="euw1-az3",
    zone_name="eu-west-1c",
    OutpostArn=f"arn:aws:outposts:{REGION}:{ACCOUNT}:outpost/op-1",
)


def a_vpc(*subnets: Subnet, id: str = "vpc-1", used_by: Sequence[str] | None = (f"{STEM}:model/churn-model",)) -> Vpc:
    """A VPC with these subnets, on which by default a model stands; ``used_by`` None: nothing tells who uses it."""
    arn = f"arn:aws:ec2:{REGION}:{ACCOUNT}:vpc/{id}"
    return Vpc(id=id, arn=arn, subnets=subnets, used_by=tuple(used_by) if used_by is not None else None)


# ---- metrics


class Series(NamedTuple):
    """A metric of one variant and its daily datapoints."""

    key: MetricKey
    points: tuple[Datapoint, ...]


def a_series(
    metric: str,
    by_day: Mapping[int, float],
    *,
    endpoint: str = "churn",
    variant: str = "AllTraffic",
    container: str = "",
    component: str = "",
    instance_type: str = "",
) -> Series:
    """Daily datapoints of a metric: the value by how many days ago the day began (0: today, midnight UTC)."""
    today = NOW.replace(hour=0, minute=0, second=0, microsecond=0)
    points = [Datapoint(today - timedelta(days=days), value) for days, value in by_day.items()]
    own = ("", "") if component else (endpoint, "" if METRICS[metric].whose is Whose.ENDPOINT else variant)
    key = MetricKey(metric, *own, container, component, instance_type)
    return Series(key, tuple(sorted(points)))


class Traffic(NamedTuple):
    """The minutes of one variant, by metric."""

    resource_id: str
    minutes: Mapping[MinuteMetric, Minutes]


def a_traffic(
    of: Variant, load: Sequence[float], *, counts: Sequence[int] = (), failing: Iterable[int] = ()
) -> Traffic:
    """A load by minutes, the last of which ends now; ``counts`` are the instances that AWS has recorded in each, and
    ``failing`` the minutes in which it answered with errors. A minute that is no number has no datapoint."""
    begin = number_of(NOW) - len(load)
    return Traffic(
        of.resource_id,
        {
            INVOCATIONS: {begin + minute: value for minute, value in enumerate(load) if value == value},
            SHARES: {begin + minute: 1 / count for minute, count in enumerate(counts)},
            FAILURES: {begin + minute: 1.0 for minute in failing},
        },
    )


class _UnderTerms(Mapping[Terms, Any]):
    """The rehearsals of one variant, each made anew whenever it is asked for: so its facts are read each time."""

    def __init__(self, variant: Variant, estate: Inventory, traffic: Traffic) -> None:
        self._variant, self._estate, self._traffic = variant, estate, traffic

    def __getitem__(self, terms: Terms) -> Any:
        rehearser, estate = (
            Rehearser(frozenset([terms])),
            dataclasses.replace(self._estate),
        )  # nothing is worked out yet
        return rehearser.reduced(self._variant, estate, self._traffic.minutes)[terms]

    def __iter__(self) -> Iterator[Terms]:
        return iter(())

    def __len__(self) -> int:
        return 0


def _rehearsals(estate: Inventory, traffic: Iterable[Traffic]) -> dict[str, Mapping[Terms, Any]]:
    return {each.resource_id: _UnderTerms(estate.variants[each.resource_id], estate, each) for each in traffic}


# ---- everything together


#: What an inventory may be put together from.
Given = Fact | Series | Traffic | RecommendationJob | BenchmarkJob | Present

#: A part that could not be read, or one resource of it.
Unreadable = Part | tuple[Part, str]


def an_inventory(
    *facts: Given,
    unread: Iterable[Unreadable] = (),
    hints: Iterable[tuple[str, str]] = (),
    whole: bool = True,
    gone: Iterable[tuple[Part, str]] = (),
    first_seen: Mapping[tuple[str, str], datetime] | None = None,
    regions: Mapping[str, str] | None = None,
    checkpoints: Mapping[str, Checkpoints] | None = None,
    mutes_known: bool = True,
    placements: Mapping[str, Placement] | None = None,
) -> Inventory:
    """An account and region that contains these facts and nothing else.

    Variants without an endpoint of their own among the facts get one. ``unread`` are the parts, or single resources of
    them, that AWS denied; ``gone`` those of which AWS said that there are none. Training jobs are streamed and kept
    nowhere, so they are left out here too.
    """

    def those(kind: type[Any]) -> list[Any]:
        return [fact for fact in facts if isinstance(fact, kind)]

    vpcs: list[Vpc] = those(Vpc)
    subnets = [*those(Subnet), *(subnet for vpc in vpcs for subnet in vpc.subnets)]
    estate = Inventory(
        account=ACCOUNT,
        region=REGION,
        now=NOW,
        whole=whole,
        endpoints=_endpoints(those(Endpoint), those(Variant)),
        configs={endpoint_config.name: endpoint_config for endpoint_config in those(EndpointConfig)},
        models={model.name: model for model in those(Model)},
        components={inference_component.name: inference_component for inference_component in those(InferenceComponent)},
        targets=those(ScalableTarget),
        policies=those(ScalingPolicy),
        schedules=those(ScheduledAction),
        activities=those(ScalingActivity),
        alarms={alarm.name: alarm for alarm in those(Alarm)},
        all_alarms={alarm.name: alarm for alarm in those(Alarm)} if whole else None,
        rollback_alarms={alarm.name: alarm for alarm in those(Alarm)},
        mutes=those(MuteRule) if mutes_known else None,
        standing=Standing(
            frozenset(those(Present)), {encryption_key.name: encryption_key for encryption_key in those(EncryptionKey)}
        ),
        subnets={subnet.id: subnet for subnet in subnets},
        vpcs={vpc.id: vpc for vpc in vpcs},
        supplied=Supplied(
            {type_offering.instance_type: type_offering for type_offering in those(TypeOffering)},
            dict(placements or {}),
        ),
        metrics={series.key: series.points for series in those(Series)},
        tuning_jobs={tuning_job.name: tuning_job for tuning_job in those(TuningJob)},
        storage=Storage(dict(regions or {}), dict(checkpoints or {})),
        others={kind: {fact.name: fact for fact in those(model)} for kind, model in OTHERS.items()},
        recommendations=those(RecommendationJob),
        benchmarks=those(BenchmarkJob),
        hints=frozenset(hints),
        gaps=Failures(_denied(unread, gone)),
        first_seen=first_seen,
    )
    estate.rehearsals = _rehearsals(estate, those(Traffic))
    return estate


def _endpoints(endpoints: Iterable[Endpoint], loose: Iterable[Variant]) -> dict[str, Endpoint]:
    """The endpoints by name; loose variants are joined to one that says what they say."""
    by_name = {endpoint.name: endpoint for endpoint in endpoints}
    for variant in loose:
        if (endpoint := by_name.get(variant.endpoint_name)) is None:
            endpoint = an_endpoint_without_variants(
                name=variant.endpoint_name,
                status=variant.endpoint_status,
                created=variant.endpoint_created,
                modified=variant.endpoint_modified,
            )
        if variant not in endpoint.variants:
            endpoint = endpoint.model_copy(update={"variants": (*endpoint.variants, variant)})
        by_name[endpoint.name] = endpoint
    return by_name


def _denied(unread: Iterable[Unreadable], gone: Iterable[tuple[Part, str]] = ()) -> Iterator[Failure]:
    for part, name in gone:
        yield Failure(str(part), "ValidationException", f"Could not find {name}", name, part, gone=True)
    for denied in unread:
        if isinstance(denied, Part):
            yield Failure(str(denied), "AccessDenied", "", part=denied)
        else:
            part, resource = denied
            yield Failure(str(part), "AccessDenied", resource, resource, part)


def without(inventory: Inventory, part: Part) -> Inventory:
    """The same account and region, had AWS denied one part: what the part holds is missing, and noted as unread."""
    return dataclasses.replace(unasked(inventory, [part]), gaps=Failures([*inventory.gaps, *_denied([part])]))


def unasked(inventory: Inventory, parts: Iterable[Part]) -> Inventory:
    """The same account and region, had nobody asked for some parts: what they hold is missing, and no more said."""
    emptied: dict[str, Any] = {}
    for part in parts:
        emptied |= _emptied(ChainMap(emptied, vars(inventory)), part)
    return dataclasses.replace(inventory, **emptied)


def _emptied(held: Mapping[str, Any], part: Part) -> dict[str, Any]:
    """The fields of an inventory that change when a part is not asked for."""
    emptied = dict(_EMPTIED.get(part, {}))
    if part is Part.OFFERINGS:
        emptied["supplied"] = replace(held["supplied"], offerings={})
    if part is Part.PLACEMENTS:
        emptied["supplied"] = replace(held["supplied"], placements={})
    if part is Part.CHECKPOINTS:
        emptied["storage"] = dataclasses.replace(held["storage"], checkpoints={})
    if part is Part.BUCKETS:
        emptied["storage"] = dataclasses.replace(held["storage"], regions={})
    if part is Part.UNUSED_CONFIGS:
        used = {endpoint.config_name for endpoint in held["endpoints"].values()}
        emptied["configs"] = {name: config for name, config in held["configs"].items() if name in used}
    if part in _PLAIN_PARTS:
        emptied["others"] = {**held["others"], _PLAIN_PARTS[part]: {}}
    if part in _OF_VARIANTS:
        emptied["endpoints"] = _each_variant(held["endpoints"], _OF_VARIANTS[part])
    return emptied


def deprived(subject: Fact, part: Part) -> Fact:
    """The same resource, had a part not been read from which some of its facts come."""
    if part is Part.TAGS and "tags" in type(subject).model_fields:
        return subject.model_copy(update={"tags": None})
    if part is Part.CONFIGS and isinstance(subject, Variant):
        return _unconfigured(subject)
    return subject


def _untagged(variant: Variant) -> Variant:
    return variant.model_copy(update={"tags": None})


def _unconfigured(variant: Variant) -> Variant:
    return variant.model_copy(update={"configured": None, "asynchronous": None})


def _each_variant(endpoints: Mapping[str, Endpoint], change: Callable[[Variant], Variant]) -> dict[str, Endpoint]:
    return {
        name: endpoint.model_copy(update={"variants": tuple(change(variant) for variant in endpoint.variants)})
        for name, endpoint in endpoints.items()
    }


#: What an inventory holds of a part that nobody asked for.
_EMPTIED: Mapping[Part, Mapping[str, Any]] = {
    Part.ENDPOINTS: {"endpoints": {}},
    Part.CONFIGS: {"configs": {}},
    Part.MODELS: {"models": {}},
    Part.COMPONENTS: {"components": {}},
    Part.TARGETS: {"targets": ()},
    Part.POLICIES: {"policies": ()},
    Part.SCHEDULES: {"schedules": ()},
    Part.ACTIVITIES: {"activities": ()},
    Part.ALARMS: {"alarms": {}},
    Part.ALL_ALARMS: {"all_alarms": None},
    Part.ROLLBACK_ALARMS: {"rollback_alarms": {}},
    Part.MUTES: {"mutes": None},
    Part.SUBNETS: {"subnets": {}, "vpcs": {}},
    **{part: {"standing": Standing()} for part in (Part.ROLES, Part.SECURITY_GROUPS, *DEEP)},
    Part.METRICS: {"metrics": {}},
    Part.MINUTES: {"rehearsals": {}},
    Part.TUNING_JOBS: {"tuning_jobs": {}},
    Part.RECOMMENDATIONS: {"recommendations": ()},
    Part.BENCHMARKS: {"benchmarks": None},
}
_PLAIN_PARTS = {Part(KINDS[kind].part): kind for kind in OTHERS}
_OF_VARIANTS = {Part.CONFIGS: _unconfigured, Part.TAGS: _untagged}
