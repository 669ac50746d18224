"""An account held in memory behind the auditor's own door to AWS: no network, no emulator.

The door answers the operations that the auditor makes from plain records in AWS's shape. It is written from botocore's
service models and shares nothing with the emulator, so that the two can be held against each other.
"""

import threading
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from chalicelib.inventory.answers import CallFailed, Gone
from chalicelib.inventory.aws import Aws
from chalicelib.kinds import PLAIN

Record = dict[str, Any]

#: What ``Search`` does not hold of a record, though ``Describe…`` does (botocore's shapes TrainingJob and Endpoint).
NOT_IN_SEARCH = {
    "TrainingJob": {"ServerlessJobConfig"},
    "Endpoint": {"PendingDeploymentSummary", "AsyncInferenceConfig"},
}


@dataclass
class State:
    """What the account contains, by list. Records are those of ``Describe…``; ``metrics`` are the datapoints by
    (metric name, the values of its dimensions in the order of their names). Roles, security groups, keys, images and
    objects are all there, but for those whose names are ``absent``. Of kinds without a list there is ``none``."""

    endpoints: list[Record] = field(default_factory=list)
    configs: list[Record] = field(default_factory=list)
    models: list[Record] = field(default_factory=list)
    components: list[Record] = field(default_factory=list)
    notebooks: list[Record] = field(default_factory=list)
    transform_jobs: list[Record] = field(default_factory=list)
    training_jobs: list[Record] = field(default_factory=list)
    tuning_jobs: list[Record] = field(default_factory=list)
    targets: list[Record] = field(default_factory=list)
    policies: list[Record] = field(default_factory=list)
    schedules: list[Record] = field(default_factory=list)
    activities: list[Record] = field(default_factory=list)
    alarms: list[Record] = field(default_factory=list)
    subnets: list[Record] = field(default_factory=list)
    zones: list[Record] = field(default_factory=list)
    plans: list[Record] = field(default_factory=list)
    recommendations: list[Record] = field(default_factory=list)
    metrics: dict[tuple[str, ...], list[tuple[datetime, float]]] = field(default_factory=dict)
    tags: dict[str, list[Record]] = field(default_factory=dict)
    absent: frozenset[str] = frozenset()
    none: list[Record] = field(default_factory=list)

    def mapped(self, change: Callable[[Record], Record]) -> "State":
        """The same account with ``change`` made to every record."""
        lists = {name: [change(dict(record)) for record in value] for name, value in self.lists()}
        return State(**lists, metrics=self.metrics, tags=self.tags, absent=self.absent)

    def lists(self) -> Iterable[tuple[str, list[Record]]]:
        """The lists of records by their name."""
        return [(name, value) for name, value in vars(self).items() if isinstance(value, list)]


#: How single resources are described and listed: operation → (list of the state, name field).
DESCRIBED = {
    "DescribeEndpoint": ("endpoints", "EndpointName"),
    "DescribeEndpointConfig": ("configs", "EndpointConfigName"),
    "DescribeModel": ("models", "ModelName"),
    "DescribeInferenceComponent": ("components", "InferenceComponentName"),
    "DescribeTrainingPlan": ("plans", "TrainingPlanName"),
    "DescribeNotebookInstance": ("notebooks", "NotebookInstanceName"),
    "DescribeTransformJob": ("transform_jobs", "TransformJobName"),
    "DescribeTrainingJob": ("training_jobs", "TrainingJobName"),
    "DescribeHyperParameterTuningJob": ("tuning_jobs", "HyperParameterTuningJobName"),
}
LISTED = {
    "ListEndpoints": ("endpoints", "Endpoints"),
    "ListEndpointConfigs": ("configs", "EndpointConfigs"),
    "ListModels": ("models", "Models"),
    "ListInferenceComponents": ("components", "InferenceComponents"),
    "ListTrainingPlans": ("plans", "TrainingPlanSummaries"),
    "ListNotebookInstances": ("notebooks", "NotebookInstances"),
    "ListTransformJobs": ("transform_jobs", "TransformJobSummaries"),
    "ListTrainingJobs": ("training_jobs", "TrainingJobSummaries"),
    "ListHyperParameterTuningJobs": ("tuning_jobs", "HyperParameterTuningJobSummaries"),
    "ListInferenceRecommendationsJobs": ("recommendations", "InferenceRecommendationsJobs"),
}
for row in PLAIN:
    DESCRIBED.setdefault(row.describe_operation, ("none", row.name_field))
    LISTED.setdefault(row.list_operation, ("none", row.listed))
SEARCHED = {
    "Endpoint": "endpoints",
    "Model": "models",
    "TrainingJob": "training_jobs",
    "HyperParameterTuningJob": "tuning_jobs",
}
SCALING = {
    "DescribeScalableTargets": ("targets", "ScalableTargets"),
    "DescribeScalingPolicies": ("policies", "ScalingPolicies"),
    "DescribeScheduledActions": ("schedules", "ScheduledActions"),
    "DescribeScalingActivities": ("activities", "ScalingActivities"),
}


class StateDoor(Aws):
    """The auditor's door, answering from a :class:`State`. ``denied`` names operations that are refused."""

    def __init__(self, state: State, region: str, *, denied: Iterable[str] = ()) -> None:
        self.region = region
        self.state = state
        self.denied = frozenset(denied)
        self.calls = Counter()
        self._lock = threading.RLock()

    def knows(self, service: str, operation: str) -> bool:
        """True for the operations that the state answers, as if boto3 were older than all others."""
        return operation in {*DESCRIBED, *LISTED, *SCALING} or hasattr(self, f"_{operation}")

    def call(self, service: str, operation: str, **parameters: Any) -> dict[str, Any]:
        """The answer of one operation, in one page."""
        name = f"{service}:{operation}"
        with self._lock:
            self.calls[name] += 1
        if name in self.denied:
            raise CallFailed(name, "AccessDeniedException", "not authorized")
        if operation in DESCRIBED:
            return self._described(name, operation, parameters)
        if operation in LISTED:
            key, answer = LISTED[operation]
            return {answer: [dict(record) for record in self._filtered(getattr(self.state, key), parameters)]}
        if operation in SCALING:
            key, answer = SCALING[operation]
            return {answer: self._scaling(getattr(self.state, key), parameters)}
        handler = getattr(self, f"_{operation}", None)
        if handler is None:
            raise CallFailed(name, "UnknownOperationException", "the state knows no such operation")
        return dict(handler(parameters))

    def _described(self, name: str, operation: str, parameters: Mapping[str, Any]) -> Record:
        key, field_name = DESCRIBED[operation]
        for record in getattr(self.state, key):
            if record.get(field_name) == parameters[field_name]:
                return dict(record)
        raise Gone(name, "ValidationException", f'Could not find "{parameters[field_name]}".')

    def _filtered(self, records: Iterable[Record], parameters: Mapping[str, Any]) -> list[Record]:
        endpoint = parameters.get("EndpointNameEquals")
        kept = [record for record in records if endpoint is None or record.get("EndpointName") == endpoint]
        for field_name in ("LastModifiedTime", "CreationTime"):
            if (after := parameters.get(f"{field_name}After")) is not None:
                kept = [record for record in kept if field_name in record and record[field_name] > after]
            if (before := parameters.get(f"{field_name}Before")) is not None:
                kept = [record for record in kept if field_name in record and record[field_name] < before]
        return kept

    def _scaling(self, records: list[Record], parameters: Mapping[str, Any]) -> list[Record]:
        ids = set(parameters.get("ResourceIds") or ([parameters["ResourceId"]] if "ResourceId" in parameters else ()))
        names = set(parameters.get("ScheduledActionNames") or parameters.get("PolicyNames") or ())
        return [
            record
            for record in records
            if (not ids or record.get("ResourceId") in ids) and (not names or record.get("PolicyName") in names)
        ]

    def _Search(self, parameters: Mapping[str, Any]) -> Record:
        kind = parameters["Resource"]
        hidden = NOT_IN_SEARCH.get(kind, set())
        records = [
            {name: value for name, value in record.items() if name not in hidden}
            | {"Tags": self.state.tags.get(str(record.get(f"{kind}Arn")), [])}
            for record in getattr(self.state, SEARCHED[kind])
        ]
        conditions = (parameters.get("SearchExpression") or {}).get("Filters") or []
        for condition in conditions:
            records = [record for record in records if _meets(record.get(condition["Name"]), condition)]
        return {"Results": [{kind: {"Model": record} if kind == "Model" else record} for record in records]}

    def _ListTags(self, parameters: Mapping[str, Any]) -> Record:
        return {"Tags": self.state.tags.get(parameters["ResourceArn"], [])}

    def _ListTrainingJobsForHyperParameterTuningJob(self, parameters: Mapping[str, Any]) -> Record:
        return {"TrainingJobSummaries": []}

    def _DescribeSubnets(self, parameters: Mapping[str, Any]) -> Record:
        keys = {"subnet-id": "SubnetId", "vpc-id": "VpcId"}
        subnets = self.state.subnets
        for condition in parameters.get("Filters") or ():
            subnets = [subnet for subnet in subnets if subnet.get(keys[condition["Name"]]) in condition["Values"]]
        return {"Subnets": subnets}

    def _DescribeSecurityGroups(self, parameters: Mapping[str, Any]) -> Record:
        named = [*parameters.get("GroupIds", ())]
        if gone := self.state.absent.intersection(named):
            raise Gone("ec2:DescribeSecurityGroups", "InvalidGroup.NotFound", f"{sorted(gone)} does not exist")
        ids = [*named, *(id for condition in parameters.get("Filters", ()) for id in condition["Values"])]
        return {"SecurityGroups": [{"GroupId": id} for id in ids if id not in self.state.absent]}

    def _GetRole(self, parameters: Mapping[str, Any]) -> Record:
        name = parameters["RoleName"]
        if name in self.state.absent:
            raise Gone("iam:GetRole", "NoSuchEntity", f"The role with name {name} cannot be found.")
        return {"Role": {"RoleName": name, "Arn": f"arn:aws:iam::123456789012:role/{name}"}}

    def _DescribeKey(self, parameters: Mapping[str, Any]) -> Record:
        if parameters["KeyId"] in self.state.absent:
            raise Gone("kms:DescribeKey", "NotFoundException", "no such key")
        return {"KeyMetadata": {"KeyId": parameters["KeyId"], "KeyState": "Enabled"}}

    def _DescribeImages(self, parameters: Mapping[str, Any]) -> Record:
        if parameters["repositoryName"] in self.state.absent:
            raise Gone("ecr:DescribeImages", "RepositoryNotFoundException", "no such repository")
        return {"imageDetails": [{"registryId": parameters["registryId"]} for _ in parameters["imageIds"]]}

    def _ListObjectsV2(self, parameters: Mapping[str, Any]) -> Record:
        if parameters["Bucket"] in self.state.absent:
            raise Gone("s3:ListObjectsV2", "NoSuchBucket", "no such bucket")
        return {"KeyCount": 1, "Contents": [{"Key": parameters["Prefix"], "LastModified": datetime.now(UTC)}]}

    def _HeadBucket(self, parameters: Mapping[str, Any]) -> Record:
        if parameters["Bucket"] in self.state.absent:
            raise Gone("s3:HeadBucket", "404", "Not Found")
        return {"BucketRegion": self.region}

    def _DescribeAvailabilityZones(self, parameters: Mapping[str, Any]) -> Record:
        return {"AvailabilityZones": self.state.zones}

    def _DescribeAlarms(self, parameters: Mapping[str, Any]) -> Record:
        names = parameters.get("AlarmNames")
        return {
            "MetricAlarms": [alarm for alarm in self.state.alarms if names is None or alarm.get("AlarmName") in names]
        }

    def _ListApps(self, parameters: Mapping[str, Any]) -> Record:
        return {"Apps": []}

    def _DescribeInstanceTypeOfferings(self, parameters: Mapping[str, Any]) -> Record:
        """Every type is offered wherever the account has a subnet."""
        zones = sorted(
            {str(subnet["AvailabilityZoneId"]) for subnet in self.state.subnets if "AvailabilityZoneId" in subnet}
        )
        (types,) = (condition["Values"] for condition in parameters["Filters"])
        return {"InstanceTypeOfferings": [{"InstanceType": name, "Location": zone} for name in types for zone in zones]}

    def _ListServiceQuotas(self, parameters: Mapping[str, Any]) -> Record:
        """A wide quota of each type that a config names, and of all instances."""
        variants = [variant for config in self.state.configs for variant in config.get("ProductionVariants") or ()]
        types = {pool.get("InstanceType") for variant in variants for pool in (variant, *_pools(variant))}
        names = {f"L-{name}": f"{name} for endpoint usage" for name in sorted(filter(None, types))}
        names["L-7A3DF611"] = "Number of instances across active endpoints"
        return {"Quotas": [{"QuotaCode": code, "QuotaName": name, "Value": 1e6} for code, name in names.items()]}

    def _GetMetricData(self, parameters: Mapping[str, Any]) -> Record:
        results = []
        for query in parameters["MetricDataQueries"]:
            metric = query["MetricStat"]["Metric"]
            dimensions = sorted(metric["Dimensions"], key=lambda dimension: str(dimension["Name"]))
            key = (metric["MetricName"], *(dimension["Value"] for dimension in dimensions))
            points = [point for point in self.state.metrics.get(key, []) if point[0] >= parameters["StartTime"]]
            results.append(
                {
                    "Id": query["Id"],
                    "StatusCode": "Complete",
                    "Timestamps": [moment for moment, _ in points],
                    "Values": [value for _, value in points],
                }
            )
        return {"MetricDataResults": results}


def _meets(value: Any, condition: Mapping[str, str]) -> bool:
    """True where a field of a record meets a condition of ``Search``; a field that is not there meets none."""
    if isinstance(value, datetime):
        bound = datetime.fromisoformat(condition["Value"]).astimezone(UTC)
        return value >= bound if condition["Operator"] == "GreaterThanOrEqualTo" else value < bound
    return condition["Operator"] == "Equals" and str(value) == condition["Value"]


def _pools(variant: Record) -> Iterable[Record]:
    return variant.get("InstancePools") or ()
