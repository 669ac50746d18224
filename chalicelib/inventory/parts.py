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
    MUTES = "alarm-mute-rules"
    SUBNETS = "subnets"
    METRICS = "metrics"
    TRAINING_JOBS = "training-jobs"
    TUNING_JOBS = "tuning-jobs"
    TRANSFORM_JOBS = "transform-jobs"
    NOTEBOOKS = "notebook-instances"
    CLUSTERS = "clusters"
    RECOMMENDATIONS = "recommendation-jobs"
    BENCHMARKS = "benchmark-jobs"
    QUOTAS = "service-quotas"
    OFFERINGS = "instance-type-offerings"
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
    Part.ALARMS: ("cloudwatch:DescribeAlarms",),
    Part.MUTES: ("cloudwatch:ListAlarmMuteRules", "cloudwatch:GetAlarmMuteRule"),
    Part.SUBNETS: ("ec2:DescribeSubnets", "ec2:DescribeAvailabilityZones"),
    Part.METRICS: ("cloudwatch:GetMetricData",),
    Part.TUNING_JOBS: (
        *_OF_KINDS[Part.TUNING_JOBS],
        "sagemaker:ListTrainingJobsForHyperParameterTuningJob",
        "sagemaker:DescribeTrainingJob",
    ),
    Part.RECOMMENDATIONS: ("sagemaker:ListInferenceRecommendationsJobs",),
    Part.BENCHMARKS: ("sagemaker:ListAIBenchmarkJobs", "sagemaker:DescribeAIBenchmarkJob"),
    Part.QUOTAS: ("servicequotas:ListServiceQuotas",),
    Part.OFFERINGS: ("ec2:DescribeInstanceTypeOfferings",),
    Part.TAGS: ("sagemaker:Search", "sagemaker:ListTags"),
}

#: Operations that list an account, and those that rest on such a list: only a sweep makes them, never an event.
SWEEP_ONLY = frozenset(
    {
        *(f"sagemaker:{row.list_operation}" for row in DESCRIBED if not row.lists_named),
        *OPERATIONS[Part.BENCHMARKS],
        *OPERATIONS[Part.QUOTAS],
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
    Part.ALARMS: (Part.POLICIES,),
    Part.MUTES: (Part.ALARMS,),
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
