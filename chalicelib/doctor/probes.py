"""One harmless request for every operation that an audit may call, to learn whether it is allowed.

Lists ask for one item, descriptions for a name that nothing has: AWS checks the permission before it looks for the
resource, so that "not found" means allowed. Nothing is changed, and nothing that is told is kept.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from msgspec import Struct

from chalicelib.inventory.parts import NARROW_ONLY, OPERATIONS, SPARING, SWEEP_ONLY, Part, closure
from chalicelib.kinds import DESCRIBED
from chalicelib.policy.policy import RuleSetting
from chalicelib.scope import ResourceRef, Scope

#: The name that descriptions ask for.
NAME = "auditor-doctor-probe"
#: The id of a domain that nobody has.
_DOMAIN = f"d-{NAME}"

_SEARCH, _LIST_TAGS = "sagemaker:Search", "sagemaker:ListTags"
_LIST_CONFIGS, _LIST_ENDPOINTS = "sagemaker:ListEndpointConfigs", "sagemaker:ListEndpoints"
_BULK = "Asked where sagemaker:Search is denied, finds nothing or does not tell enough."
_HOSTED = "Asked only where endpoints host inference components."
_SWEEP_NOTES = {
    _SEARCH: "Lists and descriptions are read instead, with more calls.",
    _LIST_CONFIGS: "Endpoint configs that are remembered from the last audit are described anew, with more calls.",
    **{operation: _BULK for row in DESCRIBED if row.searched for operation in row.operations if operation != _SEARCH},
    _LIST_ENDPOINTS: "Without it nothing shows that an endpoint which sagemaker:Search does not find is not there.",
}
_NOTES = {
    _SEARCH: "Which endpoints use a model that is audited by its name stays unread.",
    _LIST_TAGS: "Owners, exemptions by tag and severities by tag stay unread.",
    "sagemaker:ListInferenceComponents": _HOSTED,
    "sagemaker:DescribeInferenceComponent": _HOSTED,
    "cloudwatch:ListMetrics": "Asked, by a query, where detailed observability of an endpoint is on.",
    "s3:HeadBucket": "Amazon S3 tells the region of a bucket with a refusal, too.",
    "s3:ListObjectsV2": "Amazon S3 tells anybody of a bucket that is not there: only an audit shows what is allowed.",
    "servicequotas:ListServiceQuotas": "Asked once a day; what it told is remembered.",
    "ec2:DescribeAvailabilityZones": "Asked only where a subnet lies in a Local Zone or a Wavelength Zone.",
    "ec2:DescribeInstanceTypeOfferings": "Asked once a day for the instance types that stand in subnets.",
}


class Probe(Struct, frozen=True):
    """A request that tells whether an operation is allowed. ``named``: it names a resource that does not exist."""

    parameters: Mapping[str, Any]
    named: bool = False


def probes(scope: Scope, now: datetime) -> dict[str, Probe]:
    """The probe of every operation of the inventory, by ``service:Operation``."""
    scaling = {"ServiceNamespace": "sagemaker", "MaxResults": 1}
    return {
        "sagemaker:Search": Probe({"Resource": "Endpoint", "MaxResults": 1}),
        **{f"sagemaker:{row.list_operation}": Probe({"MaxResults": 1}) for row in DESCRIBED},
        **{f"sagemaker:{row.describe_operation}": Probe({row.name_field: NAME}, named=True) for row in DESCRIBED},
        "sagemaker:ListTrainingJobsForHyperParameterTuningJob": Probe(
            {"HyperParameterTuningJobName": NAME, "MaxResults": 1}, named=True
        ),
        "sagemaker:ListInferenceRecommendationsJobs": Probe({"MaxResults": 1}),
        "sagemaker:ListAIBenchmarkJobs": Probe({"MaxResults": 1}),
        "sagemaker:DescribeAIBenchmarkJob": Probe({"AIBenchmarkJobName": NAME}, named=True),
        "sagemaker:ListTags": Probe({"ResourceArn": scope.arn(ResourceRef("endpoint", NAME))}, named=True),
        "application-autoscaling:DescribeScalableTargets": Probe(scaling),
        "application-autoscaling:DescribeScalingPolicies": Probe(scaling),
        "application-autoscaling:DescribeScheduledActions": Probe(scaling),
        "application-autoscaling:DescribeScalingActivities": Probe(scaling),
        "cloudwatch:DescribeAlarms": Probe({"MaxRecords": 1}),
        "cloudwatch:ListAlarmMuteRules": Probe({"MaxRecords": 1}),
        "cloudwatch:GetAlarmMuteRule": Probe({"AlarmMuteRuleName": NAME}, named=True),
        "cloudwatch:GetMetricData": Probe(_one_metric(now)),
        "cloudwatch:ListMetrics": Probe(
            {"Namespace": "AWS/SageMaker", "Dimensions": [{"Name": "EndpointName", "Value": NAME}]}
        ),
        "servicequotas:ListServiceQuotas": Probe({"ServiceCode": "sagemaker", "MaxResults": 1}),
        "sagemaker:ListApps": Probe({"MaxResults": 1}),
        "sagemaker:DescribeApp": Probe(
            {"DomainId": _DOMAIN, "SpaceName": NAME, "AppType": "JupyterLab", "AppName": NAME}, named=True
        ),
        "sagemaker:DescribeDomain": Probe({"DomainId": _DOMAIN}, named=True),
        "sagemaker:DescribeUserProfile": Probe({"DomainId": _DOMAIN, "UserProfileName": NAME}, named=True),
        "sagemaker:DescribeSpace": Probe({"DomainId": _DOMAIN, "SpaceName": NAME}, named=True),
        "ec2:DescribeSubnets": Probe({"DryRun": True}),
        "ec2:DescribeAvailabilityZones": Probe({"DryRun": True}),
        "ec2:DescribeInstanceTypeOfferings": Probe({"DryRun": True}),
        "ec2:DescribeSecurityGroups": Probe({"DryRun": True}),
        "iam:GetRole": Probe({"RoleName": NAME}, named=True),
        "kms:DescribeKey": Probe({"KeyId": f"alias/{NAME}"}, named=True),
        "ecr:DescribeImages": Probe({"repositoryName": NAME, "imageIds": [{"imageTag": NAME}]}, named=True),
        "s3:ListObjectsV2": Probe({"Bucket": f"{NAME}-{scope.account}", "MaxKeys": 1}, named=True),
        "s3:HeadBucket": Probe({"Bucket": f"{NAME}-{scope.account}"}, named=True),
    }


def _one_metric(now: datetime) -> dict[str, Any]:
    metric = {
        "Namespace": "AWS/SageMaker",
        "MetricName": "Invocations",
        "Dimensions": [{"Name": "EndpointName", "Value": NAME}, {"Name": "VariantName", "Value": NAME}],
    }
    query = {"Id": "probe", "MetricStat": {"Metric": metric, "Period": 60, "Stat": "Sum"}}
    return {"MetricDataQueries": [query], "StartTime": now - timedelta(minutes=1), "EndTime": now}


def needed(rules: Mapping[str, RuleSetting], *, sweep: bool) -> dict[str, list[str]]:
    """The operations that an audit by these rules may call, each with the rules that may be unknown without it.

    A sweep lists the account; else the audit of a named resource is meant, as an event causes it.
    """
    effects: dict[str, list[str]] = {_SEARCH: [], _LIST_TAGS: []}  # every audit asks these two, whatever its rules
    left_out = NARROW_ONLY if sweep else SWEEP_ONLY
    for id, setting in sorted(rules.items()):
        parts = closure(setting.rule.parts(setting.params))
        for operation in {name for part in parts for name in OPERATIONS[part]} - left_out:
            effects.setdefault(operation, [])
        needs = closure(setting.rule.rests_on(setting.params))
        read_by = {name for part in needs for name in OPERATIONS[part] if name not in SPARING.get(part, ())}
        for operation in read_by - left_out:
            effects[operation].append(id)
    if sweep:
        effects[_SEARCH] = []
        if _LIST_CONFIGS in effects:
            effects[_LIST_CONFIGS] = [id for id in effects[_LIST_CONFIGS] if _reads_unused_configs(rules[id])]
    else:
        effects[_SEARCH] = [id for id in effects[_SEARCH] if "model" in rules[id].rule.kinds]
    effects[_LIST_TAGS] = [id for id in effects[_LIST_TAGS] if _reads_tags(rules[id])]
    return dict(sorted(effects.items()))


def _reads_unused_configs(setting: RuleSetting) -> bool:
    return Part.UNUSED_CONFIGS in setting.rule.parts(setting.params)


def _reads_tags(setting: RuleSetting) -> bool:
    return setting.rule.needs_tags or Part.TAGS in setting.rule.parts(setting.params)


def note_on(operation: str, *, sweep: bool) -> str:
    """When an operation is asked, or what else is missing without it; empty where the effect says all."""
    return (_SWEEP_NOTES.get(operation) if sweep else None) or _NOTES.get(operation, "")
