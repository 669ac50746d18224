"""The parts of the inventory: what a rule may read, and which AWS operations bring each part.

From this one table come the calls that are made (only for parts that an enabled rule reads), the permissions, the
documentation, and the rules that a failed call leaves unknown.
"""

from enum import StrEnum


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
    RECOMMENDATIONS = "recommendation-jobs"
    BENCHMARKS = "benchmark-jobs"
    TAGS = "tags"


#: Which operations may be called for each part, in botocore's names behind their IAM prefix.
OPERATIONS: dict[Part, tuple[str, ...]] = {
    Part.ENDPOINTS: ("sagemaker:Search", "sagemaker:ListEndpoints", "sagemaker:DescribeEndpoint"),
    Part.CONFIGS: ("sagemaker:ListEndpointConfigs", "sagemaker:DescribeEndpointConfig"),
    Part.UNUSED_CONFIGS: ("sagemaker:ListEndpointConfigs", "sagemaker:DescribeEndpointConfig"),
    Part.MODELS: ("sagemaker:Search", "sagemaker:ListModels", "sagemaker:DescribeModel"),
    Part.COMPONENTS: ("sagemaker:ListInferenceComponents", "sagemaker:DescribeInferenceComponent"),
    Part.TARGETS: ("application-autoscaling:DescribeScalableTargets",),
    Part.POLICIES: ("application-autoscaling:DescribeScalingPolicies",),
    Part.SCHEDULES: ("application-autoscaling:DescribeScheduledActions",),
    Part.ACTIVITIES: ("application-autoscaling:DescribeScalingActivities",),
    Part.ALARMS: ("cloudwatch:DescribeAlarms",),
    Part.MUTES: ("cloudwatch:ListAlarmMuteRules", "cloudwatch:GetAlarmMuteRule"),
    Part.SUBNETS: ("ec2:DescribeSubnets", "ec2:DescribeAvailabilityZones"),
    Part.METRICS: ("cloudwatch:GetMetricData",),
    Part.TRAINING_JOBS: ("sagemaker:Search", "sagemaker:ListTrainingJobs", "sagemaker:DescribeTrainingJob"),
    Part.TUNING_JOBS: (
        "sagemaker:Search",
        "sagemaker:ListHyperParameterTuningJobs",
        "sagemaker:DescribeHyperParameterTuningJob",
        "sagemaker:ListTrainingJobsForHyperParameterTuningJob",
        "sagemaker:DescribeTrainingJob",
    ),
    Part.TRANSFORM_JOBS: ("sagemaker:ListTransformJobs", "sagemaker:DescribeTransformJob"),
    Part.NOTEBOOKS: ("sagemaker:ListNotebookInstances", "sagemaker:DescribeNotebookInstance"),
    Part.RECOMMENDATIONS: ("sagemaker:ListInferenceRecommendationsJobs",),
    Part.BENCHMARKS: ("sagemaker:ListAIBenchmarkJobs", "sagemaker:DescribeAIBenchmarkJob"),
    Part.TAGS: ("sagemaker:Search", "sagemaker:ListTags"),
}

#: Operations that list an account, and those that rest on such a list: only a sweep makes them, never an event.
SWEEP_ONLY = frozenset(
    {
        "sagemaker:ListEndpoints",
        "sagemaker:ListEndpointConfigs",
        "sagemaker:ListModels",
        "sagemaker:ListTrainingJobs",
        "sagemaker:ListHyperParameterTuningJobs",
        "sagemaker:ListTransformJobs",
        "sagemaker:ListNotebookInstances",
        "sagemaker:ListAIBenchmarkJobs",
        "sagemaker:DescribeAIBenchmarkJob",
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
    Part.RECOMMENDATIONS: (Part.ENDPOINTS, Part.CONFIGS, Part.POLICIES),
    Part.BENCHMARKS: (Part.RECOMMENDATIONS,),
}


def closure(parts: frozenset[Part]) -> frozenset[Part]:
    """The parts together with all that they rest on."""
    found = set(parts)
    waiting = list(parts)
    while waiting:
        for below in RESTS_ON.get(waiting.pop(), ()):
            if below not in found:
                found.add(below)
                waiting.append(below)
    return frozenset(found)
