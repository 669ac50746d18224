"""The slow way: what people write first. One list, then one describe for each thing, one call after the other.

It gathers the same knowledge as the audit. :class:`Gathered` hands what it gathered to the same judge, so that both
ways can be held against each other: it answers the auditor's questions as if ``Search`` were out of order, from lists
and descriptions alone.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
from botocore.exceptions import ClientError

from benchmarks.account import REGION, WINDOW_DAYS
from chalicelib.inventory.answers import CallFailed, Gone
from chalicelib.inventory.aws import Aws

Record = dict[str, Any]

_METRICS = (
    ("AWS/SageMaker", "Invocations", "Sum"),
    ("/aws/sagemaker/Endpoints", "GPUUtilization", "Maximum"),
    ("/aws/sagemaker/Endpoints", "GPUMemoryUtilization", "Maximum"),
)


@dataclass
class Knowledge:
    """What the loop gathered, by the name of each thing."""

    endpoints: dict[str, Record] = field(default_factory=dict)
    configs: dict[str, Record] = field(default_factory=dict)
    models: dict[str, Record] = field(default_factory=dict)
    notebooks: dict[str, Record] = field(default_factory=dict)
    jobs: dict[str, Record] = field(default_factory=dict)
    tags: dict[str, list[Record]] = field(default_factory=dict)
    targets: list[Record] = field(default_factory=list)
    policies: list[Record] = field(default_factory=list)
    activities: list[Record] = field(default_factory=list)
    alarms: list[Record] = field(default_factory=list)
    subnets: list[Record] = field(default_factory=list)
    groups: list[Record] = field(default_factory=list)
    offerings: list[Record] = field(default_factory=list)
    roles: dict[str, Record] = field(default_factory=dict)
    quotas: list[Record] = field(default_factory=list)
    points: dict[tuple[str, str], list[Record]] = field(default_factory=dict)


def gather(session: boto3.Session) -> Knowledge:
    """Everything that the default rules read, by lists and descriptions."""
    known = Knowledge()
    sagemaker = session.client("sagemaker")
    for name in _names(sagemaker, "list_endpoints", "Endpoints", "EndpointName"):
        endpoint = sagemaker.describe_endpoint(EndpointName=name)
        known.endpoints[name] = endpoint
        known.tags[endpoint["EndpointArn"]] = sagemaker.list_tags(ResourceArn=endpoint["EndpointArn"])["Tags"]
        config = endpoint["EndpointConfigName"]
        known.configs[config] = sagemaker.describe_endpoint_config(EndpointConfigName=config)
    for name in _names(sagemaker, "list_models", "Models", "ModelName"):
        known.models[name] = sagemaker.describe_model(ModelName=name)
    for name in _names(sagemaker, "list_notebook_instances", "NotebookInstances", "NotebookInstanceName"):
        known.notebooks[name] = sagemaker.describe_notebook_instance(NotebookInstanceName=name)
    since = datetime.now(UTC) - timedelta(days=WINDOW_DAYS)
    jobs = _names(
        sagemaker, "list_training_jobs", "TrainingJobSummaries", "TrainingJobName", LastModifiedTimeAfter=since
    )
    for name in jobs:
        known.jobs[name] = sagemaker.describe_training_job(TrainingJobName=name)
    known.subnets = [
        subnet
        for page in session.client("ec2").get_paginator("describe_subnets").paginate()
        for subnet in page["Subnets"]
    ]
    groups = session.client("ec2").get_paginator("describe_security_groups")
    asked = sorted({group for model in known.models.values() for group in _vpc(model).get("SecurityGroupIds", ())})
    if asked:
        known.groups = [group for page in groups.paginate(GroupIds=asked) for group in page["SecurityGroups"]]
    variants = [variant for config in known.configs.values() for variant in config["ProductionVariants"]]
    types = sorted({variant["InstanceType"].removeprefix("ml.") for variant in variants if "InstanceType" in variant})
    offerings = session.client("ec2").get_paginator("describe_instance_type_offerings")
    wanted = {"LocationType": "availability-zone-id", "Filters": [{"Name": "instance-type", "Values": types}]}
    known.offerings = [offering for page in offerings.paginate(**wanted) for offering in page["InstanceTypeOfferings"]]
    iam = session.client("iam")
    for role in sorted({model["ExecutionRoleArn"].rsplit("/", 1)[1] for model in known.models.values()}):
        known.roles[role] = iam.get_role(RoleName=role)
    quotas = session.client("service-quotas").get_paginator("list_service_quotas")
    known.quotas = [quota for page in quotas.paginate(ServiceCode="sagemaker") for quota in page["Quotas"]]
    _gather_scaling(session, known)
    return known


def _vpc(model: Record) -> Record:
    vpc: Record = model.get("VpcConfig") or {}
    return vpc


def _gather_scaling(session: boto3.Session, known: Knowledge) -> None:
    scaling, cloudwatch = session.client("application-autoscaling"), session.client("cloudwatch")
    begin = (datetime.now(UTC) - timedelta(days=14)).replace(hour=0, minute=0, second=0, microsecond=0)
    for name, endpoint in known.endpoints.items():
        for variant in known.configs[endpoint["EndpointConfigName"]]["ProductionVariants"]:
            resource = f"endpoint/{name}/variant/{variant['VariantName']}"
            targets = scaling.describe_scalable_targets(ServiceNamespace="sagemaker", ResourceIds=[resource])
            known.targets += targets["ScalableTargets"]
            policies = scaling.describe_scaling_policies(ServiceNamespace="sagemaker", ResourceId=resource)
            known.policies += policies["ScalingPolicies"]
            dimensions = [
                {"Name": "EndpointName", "Value": name},
                {"Name": "VariantName", "Value": variant["VariantName"]},
            ]
            for namespace, metric, statistic in _METRICS[: 3 if variant["InstanceType"].startswith("ml.g") else 1]:
                answer = cloudwatch.get_metric_statistics(
                    Namespace=namespace,
                    MetricName=metric,
                    Dimensions=dimensions,
                    StartTime=begin,
                    EndTime=datetime.now(UTC),
                    Period=86_400,
                    Statistics=[statistic],
                )
                known.points[name, metric] = [
                    {**datapoint, "Value": datapoint[statistic]} for datapoint in answer["Datapoints"]
                ]
    activities = scaling.get_paginator("describe_scaling_activities")
    for page in activities.paginate(ServiceNamespace="sagemaker", IncludeNotScaledActivities=True):
        known.activities += page["ScalingActivities"]
    for page in cloudwatch.get_paginator("describe_alarms").paginate():
        known.alarms += page["MetricAlarms"]


def _names(client: Any, operation: str, key: str, member: str, **arguments: Any) -> list[str]:
    paginator = client.get_paginator(operation)
    pages = paginator.paginate(**arguments, PaginationConfig={"PageSize": 100})
    return [record[member] for page in pages for record in page[key]]


class Gathered(Aws):
    """A door to AWS that knows only what the loop gathered. ``Search`` fails, so that the auditor lists."""

    def __init__(self, known: Knowledge) -> None:
        self.known = known
        self.region = REGION
        self.calls = Counter()

    def knows(self, service: str, operation: str) -> bool:
        """True, as for the client that the loop gathers with."""
        return True

    def call(self, service: str, operation: str, **asked: Any) -> Record:
        """The answer of one operation from what was gathered."""
        known = self.known
        described: dict[str, tuple[str, dict[str, Record]]] = {
            "DescribeEndpoint": ("EndpointName", known.endpoints),
            "DescribeEndpointConfig": ("EndpointConfigName", known.configs),
            "DescribeModel": ("ModelName", known.models),
            "DescribeNotebookInstance": ("NotebookInstanceName", known.notebooks),
            "DescribeTrainingJob": ("TrainingJobName", known.jobs),
            "GetRole": ("RoleName", known.roles),
        }
        if operation in described:
            member, held = described[operation]
            if asked[member] not in held:
                raise Gone(f"{service}:{operation}", "ValidationException", "Could not find it.")
            return held[asked[member]]
        if operation == "DescribeAlarms":
            return {"MetricAlarms": [alarm for alarm in known.alarms if alarm["AlarmName"] in asked["AlarmNames"]]}
        if operation == "GetMetricData":
            return {"MetricDataResults": [self._result(query) for query in asked["MetricDataQueries"]]}
        raise CallFailed(f"{service}:{operation}", "OutOfOrder", "not gathered")

    def _result(self, query: Record) -> Record:
        metric = query["MetricStat"]["Metric"]
        points = self.known.points.get((metric["Dimensions"][0]["Value"], metric["MetricName"]), [])
        return {
            "Id": query["Id"],
            "StatusCode": "Complete",
            "Timestamps": [point["Timestamp"] for point in points],
            "Values": [point["Value"] for point in points],
        }

    def pages(self, service: str, operation: str, key: str, **asked: Any) -> Iterator[list[Record]]:
        """What was gathered, as one page. Raises CallFailed for ``Search``."""
        known = self.known
        lists: dict[str, list[Record]] = {
            "Endpoints": [{"EndpointName": name} for name in known.endpoints],
            "Models": [{"ModelName": name} for name in known.models],
            "NotebookInstances": [{"NotebookInstanceName": name} for name in known.notebooks],
            "TrainingJobSummaries": [{"TrainingJobName": name} for name in known.jobs],
            "ScalableTargets": known.targets,
            "ScalingPolicies": known.policies,
            "ScalingActivities": known.activities,
            "Subnets": known.subnets,
            "SecurityGroups": known.groups,
            "InstanceTypeOfferings": known.offerings,
            "Quotas": known.quotas,
        }
        if operation == "ListTags":
            yield known.tags.get(asked["ResourceArn"]) or self._tags_now(asked["ResourceArn"])
        elif operation in ("DescribeAlarms", "GetMetricData"):
            yield self.call(service, operation, **asked)[key]
        elif key in lists:
            yield lists[key]
        elif operation == "Search":
            raise CallFailed("sagemaker:Search", "OutOfOrder", "not gathered")
        else:
            yield []

    def _tags_now(self, arn: str) -> list[Record]:
        """The tags of a thing that failed, which the loop did not ask for beforehand."""
        try:
            tags: list[Record] = boto3.client("sagemaker").list_tags(ResourceArn=arn)["Tags"]
        except ClientError as error:
            raise CallFailed("sagemaker:ListTags", error.response["Error"]["Code"], "") from error
        return tags
