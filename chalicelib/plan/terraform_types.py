"""The resources of Terraform's AWS provider that are judged, in CloudFormation's words."""

from collections.abc import Mapping
from typing import Any

from chalicelib.plan.intrinsics import ALARM, POLICY, SUBNET, TARGET, VPC
from chalicelib.plan.scaling import SCHEDULE

#: How attributes are called in CloudFormation: a name, one block (a mapping) or several (a mapping in a list).
Spec = Mapping[str, Any]

_SERVERLESS = {"memory_size_in_mb": "MemorySizeInMB", "provisioned_concurrency": "ProvisionedConcurrency"}
_MANAGED = {"status": "Status", "min_instance_count": "MinInstanceCount", "max_instance_count": "MaxInstanceCount"}
_VARIANT: Spec = {
    "variant_name": "VariantName",
    "model_name": "ModelName",
    "initial_instance_count": "InitialInstanceCount",
    "initial_variant_weight": "InitialVariantWeight",
    "instance_type": "InstanceType",
    "accelerator_type": "AcceleratorType",
    "serverless_config": ("ServerlessConfig", _SERVERLESS),
    "managed_instance_scaling": ("ManagedInstanceScaling", _MANAGED),
}
_CONTAINER: Spec = {
    "image": "Image",
    "container_hostname": "ContainerHostname",
    "mode": "Mode",
    "model_package_name": "ModelPackageName",
}
_VPC: Spec = {"subnets": "Subnets", "security_group_ids": "SecurityGroupIds"}
_DIMENSIONS = ("Dimensions", [{"name": "Name", "value": "Value"}])
_METRIC: Spec = {"metric_name": "MetricName", "namespace": "Namespace", "dimensions": _DIMENSIONS}
_QUERY: Spec = {"metric_stat": ("MetricStat", {"metric": ("Metric", _METRIC)})}
_SPECIFICATION: Spec = {
    "model_name": "ModelName",
    "base_inference_component_name": "BaseInferenceComponentName",
    "container": ("Container", {"image": "Image"}),
    "scheduling_config": (
        "SchedulingConfig",
        {"availability_zone_balance": ("AvailabilityZoneBalance", {"enforcement_mode": "EnforcementMode"})},
    ),
}
_SCALES = {
    "resource_id": "ResourceId",
    "scalable_dimension": "ScalableDimension",
    "service_namespace": "ServiceNamespace",
}
_TRACKING: Spec = {
    "target_value": "TargetValue",
    "disable_scale_in": "DisableScaleIn",
    "scale_in_cooldown": "ScaleInCooldown",
    "scale_out_cooldown": "ScaleOutCooldown",
    "predefined_metric_specification": (
        "PredefinedMetricSpecification",
        {"predefined_metric_type": "PredefinedMetricType"},
    ),
    "customized_metric_specification": (
        "CustomizedMetricSpecification",
        {**_METRIC, "metrics": ("Metrics", [_QUERY])},
    ),
}
_STEPS: Spec = {
    "adjustment_type": "AdjustmentType",
    "step_adjustment": ("StepAdjustments", [{"scaling_adjustment": "ScalingAdjustment"}]),
}
_SUBNET: Spec = {
    "availability_zone": "AvailabilityZone",
    "availability_zone_id": "AvailabilityZoneId",
    "vpc_id": "VpcId",
    "outpost_arn": "OutpostArn",
}
#: The resources that are judged, by Terraform's type: CloudFormation's type and its properties.
TYPES: dict[str, tuple[str, Spec]] = {
    "aws_sagemaker_endpoint": ("AWS::SageMaker::Endpoint", {"endpoint_config_name": "EndpointConfigName"}),
    "aws_sagemaker_endpoint_configuration": (
        "AWS::SageMaker::EndpointConfig",
        {
            "production_variants": ("ProductionVariants", [_VARIANT]),
            "shadow_production_variants": ("ShadowProductionVariants", [_VARIANT]),
            "async_inference_config": ("AsyncInferenceConfig", {"output_config": ("OutputConfig", {})}),
        },
    ),
    "aws_sagemaker_model": (
        "AWS::SageMaker::Model",
        {
            "primary_container": ("PrimaryContainer", _CONTAINER),
            "container": ("Containers", [_CONTAINER]),
            "inference_execution_config": ("InferenceExecutionConfig", {"mode": "Mode"}),
            "vpc_config": ("VpcConfig", _VPC),
        },
    ),
    "aws_sagemaker_inference_component": (
        "AWS::SageMaker::InferenceComponent",
        {
            "endpoint_name": "EndpointName",
            "variant_name": "VariantName",
            "runtime_config": ("RuntimeConfig", {"copy_count": "CopyCount"}),
            "specification": ("Specification", _SPECIFICATION),
            "specifications": ("Specifications", [_SPECIFICATION]),
        },
    ),
    "aws_sagemaker_notebook_instance": (
        "AWS::SageMaker::NotebookInstance",
        {"instance_type": "InstanceType", "accelerator_types": "AcceleratorTypes"},
    ),
    "aws_appautoscaling_target": (
        TARGET,
        {
            **_SCALES,
            "min_capacity": "MinCapacity",
            "max_capacity": "MaxCapacity",
            "suspended_state": (
                "SuspendedState",
                {
                    "dynamic_scaling_in_suspended": "DynamicScalingInSuspended",
                    "dynamic_scaling_out_suspended": "DynamicScalingOutSuspended",
                    "scheduled_scaling_suspended": "ScheduledScalingSuspended",
                },
            ),
        },
    ),
    "aws_appautoscaling_policy": (
        POLICY,
        {
            **_SCALES,
            "name": "PolicyName",
            "policy_type": "PolicyType",
            "target_tracking_scaling_policy_configuration": ("TargetTrackingScalingPolicyConfiguration", _TRACKING),
            "step_scaling_policy_configuration": ("StepScalingPolicyConfiguration", _STEPS),
        },
    ),
    "aws_appautoscaling_scheduled_action": (
        SCHEDULE,
        {
            **_SCALES,
            "schedule": "Schedule",
            "timezone": "Timezone",
            "start_time": "StartTime",
            "end_time": "EndTime",
            "scalable_target_action": (
                "ScalableTargetAction",
                {"min_capacity": "MinCapacity", "max_capacity": "MaxCapacity"},
            ),
        },
    ),
    "aws_cloudwatch_metric_alarm": (
        ALARM,
        {
            "alarm_name": "AlarmName",
            "actions_enabled": "ActionsEnabled",
            "alarm_actions": "AlarmActions",
            "ok_actions": "OKActions",
            "insufficient_data_actions": "InsufficientDataActions",
            "period": "Period",
            "evaluation_periods": "EvaluationPeriods",
            "datapoints_to_alarm": "DatapointsToAlarm",
            "threshold": "Threshold",
            "comparison_operator": "ComparisonOperator",
            "metric_name": "MetricName",
            "namespace": "Namespace",
            "metric_query": ("Metrics", [{"metric": ("MetricStat", {})}]),
        },
    ),
    "aws_subnet": (SUBNET, _SUBNET),
    "aws_vpc": (VPC, {}),
}
