"""The parts of the inventory: what a rule may read, and which AWS operations bring each part.

From this one table come the calls that are made (only for parts that an enabled rule reads), the permissions, the
documentation, and the rules that a failed call leaves unknown.
"""

from enum import StrEnum

from chalicelib.kinds import DESCRIBED


class Part(StrEnum):
    """One thing to read about an account and region."""

    ENDPOINTS = "endpoints"
    CONFIGS = "endpoint-configs"
    UNUSED_CONFIGS = "unused-endpoint-configs"
    MODELS = "models"
    COMPONENTS = "inference-components"
    TARGETS = "scalable-targets"
    POLICIES = "scaling-policies"
    SCHEDULES = "scheduled-actions"
    ACTIVITIES = "scaling-activities"
    ALARMS = "alarms"
    ALL_ALARMS = "all-alarms"
    ROLLBACK_ALARMS = "rollback-alarms"
    DEPLOYMENTS = "deployments"
    MUTES = "alarm-mute-rules"
    SUBNETS = "subnets"
    ROLES = "execution-roles"
    SECURITY_GROUPS = "security-groups"
    KEYS = "encryption-keys"
    REGISTRY_IMAGES = "registry-images"
    MODEL_DATA = "model-data"
    CHECKPOINTS = "checkpoints"
    BUCKETS = "bucket-regions"
    METRICS = "metrics"
    MINUTES = "minutes-of-traffic"
    TRAINING_JOBS = "training-jobs"
    TUNING_JOBS = "tuning-jobs"
    TRANSFORM_JOBS = "transform-jobs"
    NOTEBOOKS = "notebook-instances"
    CLUSTERS = "clusters"
    STUDIO_APPS = "studio-apps"
    STUDIO_SETTINGS = "studio-settings"
    RECOMMENDATIONS = "recommendation-jobs"
    BENCHMARKS = "benchmark-jobs"
    QUOTAS = "service-quotas"
    OFFERINGS = "instance-type-offerings"
    PLACEMENTS = "instance-placements"
    PLANS = "training-plans"
    TAGS = "tags"


_OF_KINDS = {Part(row.part): row.operations for row in DESCRIBED}

#: Which operations may be called for each part, in botocore's names behind their IAM prefix. The last one describes.
OPERATIONS: dict[Part, tuple[str, ...]] = {
    **_OF_KINDS,
    Part.UNUSED_CONFIGS: _OF_KINDS[Part.CONFIGS],
    Part.TARGETS: ("application-autoscaling:DescribeScalableTargets",),
    Part.POLICIES: ("application-autoscaling:DescribeScalingPolicies",),
    Part.SCHEDULES: ("application-autoscaling:DescribeScheduledActions",),
    Part.ACTIVITIES: ("application-autoscaling:DescribeScalingActivities",),
    **dict.fromkeys((Part.ALARMS, Part.ALL_ALARMS, Part.ROLLBACK_ALARMS), ("cloudwatch:DescribeAlarms",)),
    Part.DEPLOYMENTS: ("sagemaker:DescribeEndpoint",),
    Part.MUTES: ("cloudwatch:ListAlarmMuteRules", "cloudwatch:GetAlarmMuteRule"),
    Part.SUBNETS: ("ec2:DescribeSubnets", "ec2:DescribeAvailabilityZones"),
    Part.ROLES: ("iam:GetRole",),
    Part.SECURITY_GROUPS: ("ec2:DescribeSecurityGroups",),
    Part.KEYS: ("kms:DescribeKey",),
    Part.REGISTRY_IMAGES: ("ecr:DescribeImages",),
    Part.MODEL_DATA: ("s3:ListObjectsV2",),
    Part.CHECKPOINTS: ("s3:ListObjectsV2",),
    Part.BUCKETS: ("s3:HeadBucket",),
    Part.METRICS: ("cloudwatch:GetMetricData",),
    Part.MINUTES: ("cloudwatch:GetMetricData",),
    Part.TUNING_JOBS: (
        *_OF_KINDS[Part.TUNING_JOBS],
        "sagemaker:ListTrainingJobsForHyperParameterTuningJob",
        "sagemaker:DescribeTrainingJob",
    ),
    Part.RECOMMENDATIONS: ("sagemaker:ListInferenceRecommendationsJobs",),
    Part.BENCHMARKS: ("sagemaker:ListAIBenchmarkJobs", "sagemaker:DescribeAIBenchmarkJob"),
    Part.QUOTAS: ("servicequotas:ListServiceQuotas",),
    Part.STUDIO_APPS: ("sagemaker:ListApps", "sagemaker:DescribeApp"),
    Part.STUDIO_SETTINGS: ("sagemaker:DescribeDomain", "sagemaker:DescribeUserProfile", "sagemaker:DescribeSpace"),
    Part.OFFERINGS: ("ec2:DescribeInstanceTypeOfferings",),
    # The query in PromQL is no operation: it takes both of these permissions.
    Part.PLACEMENTS: ("cloudwatch:GetMetricData", "cloudwatch:ListMetrics"),
    Part.TAGS: ("sagemaker:Search", "sagemaker:ListTags"),
}

#: What IAM calls an operation where it does not call it by its name.
ACTIONS = {"s3:ListObjectsV2": "s3:ListBucket", "s3:HeadBucket": "s3:ListBucket"}

#: Operations that list an account, and those that rest on such a list: only a sweep makes them, never an event.
SWEEP_ONLY = frozenset(
    {
        *(f"sagemaker:{row.list_operation}" for row in DESCRIBED if not row.lists_named),
        *(f"sagemaker:{row.describe_operation}" for row in DESCRIBED if not row.events and not row.calls),
        *OPERATIONS[Part.BENCHMARKS],
        *OPERATIONS[Part.QUOTAS],
        *OPERATIONS[Part.STUDIO_APPS],
        *OPERATIONS[Part.STUDIO_SETTINGS],
    }
)

#: Operations that only the audit of a named resource makes.
NARROW_ONLY = frozenset({"sagemaker:ListTrainingJobsForHyperParameterTuningJob"})

#: Operations that only spare others in a part: without them it is read all the same.
SPARING = {Part.CONFIGS: frozenset({"sagemaker:ListEndpointConfigs"})}

#: What must have been read before a part can be: rules name what they read, this adds what that rests on.
RESTS_ON: dict[Part, tuple[Part, ...]] = {
    Part.CONFIGS: (Part.ENDPOINTS,),
    Part.UNUSED_CONFIGS: (Part.ENDPOINTS, Part.CONFIGS),
    Part.COMPONENTS: (Part.ENDPOINTS, Part.CONFIGS),
    Part.METRICS: (Part.ENDPOINTS, Part.CONFIGS),
    Part.MINUTES: (
        Part.ENDPOINTS,
        Part.CONFIGS,
        Part.TARGETS,
        Part.POLICIES,
        Part.SCHEDULES,
    ),
    Part.ALARMS: (Part.POLICIES,),
    Part.ROLLBACK_ALARMS: (Part.ENDPOINTS, Part.DEPLOYMENTS),
    Part.DEPLOYMENTS: (Part.ENDPOINTS,),
    **dict.fromkeys(
        (Part.ROLES, Part.SECURITY_GROUPS, Part.KEYS, Part.REGISTRY_IMAGES, Part.MODEL_DATA),
        (Part.ENDPOINTS, Part.CONFIGS, Part.MODELS, Part.COMPONENTS),
    ),
    Part.CHECKPOINTS: (Part.TRAINING_JOBS,),
    Part.BUCKETS: (Part.TRAINING_JOBS,),
    Part.MUTES: (Part.ALARMS,),
    Part.STUDIO_SETTINGS: (Part.STUDIO_APPS,),
    Part.PLACEMENTS: (Part.ENDPOINTS, Part.CONFIGS),
    Part.OFFERINGS: (Part.ENDPOINTS, Part.CONFIGS, Part.MODELS),
    Part.RECOMMENDATIONS: (Part.ENDPOINTS, Part.CONFIGS, Part.POLICIES),
    Part.BENCHMARKS: (Part.RECOMMENDATIONS,),
}


def closure(parts: frozenset[Part]) -> frozenset[Part]:
    """The parts together with all that they rest on."""
    needed = set(parts)
    waiting = list(parts)
    while waiting:
        for below in RESTS_ON.get(waiting.pop(), ()):
            if below not in needed:
                needed.add(below)
                waiting.append(below)
    return frozenset(needed)


def action(operation: str) -> str:
    """The IAM action that allows an operation."""
    return ACTIONS.get(operation, operation)
