"""The JSON of a Terraform plan (``terraform show -json``) in CloudFormation's words.

Follows "JSON Output Format" of Terraform's internals: ``planned_values`` hold what is known, ``after_unknown`` of the
``resource_changes`` says what is not, ``configuration`` which resources an unknown value refers to.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from chalicelib.errors import InvalidInput
from chalicelib.plan.intrinsics import ALARM, NAMES, POLICY, SUBNET, TARGET, VPC
from chalicelib.plan.scaling import SCHEDULE
from chalicelib.plan.unknown import Declared, Template, Unknown
from chalicelib.scope import Scope

#: How attributes are called in CloudFormation: a name, one block (a mapping) or several (a mapping in a list).
_Spec = Mapping[str, Any]

_SERVERLESS = {"memory_size_in_mb": "MemorySizeInMB", "provisioned_concurrency": "ProvisionedConcurrency"}
_MANAGED = {"status": "Status", "min_instance_count": "MinInstanceCount", "max_instance_count": "MaxInstanceCount"}
_VARIANT: _Spec = {
    "variant_name": "VariantName",
    "model_name": "ModelName",
    "initial_instance_count": "InitialInstanceCount",
    "initial_variant_weight": "InitialVariantWeight",
    "instance_type": "InstanceType",
    "accelerator_type": "AcceleratorType",
    "serverless_config": ("ServerlessConfig", _SERVERLESS),
    "managed_instance_scaling": ("ManagedInstanceScaling", _MANAGED),
}
_CONTAINER: _Spec = {
    "image": "Image",
    "container_hostname": "ContainerHostname",
    "mode": "Mode",
    "model_package_name": "ModelPackageName",
}
_VPC: _Spec = {"subnets": "Subnets", "security_group_ids": "SecurityGroupIds"}
_DIMENSIONS = ("Dimensions", [{"name": "Name", "value": "Value"}])
_METRIC: _Spec = {"metric_name": "MetricName", "namespace": "Namespace", "dimensions": _DIMENSIONS}
_QUERY: _Spec = {"metric_stat": ("MetricStat", {"metric": ("Metric", _METRIC)})}
_SPECIFICATION: _Spec = {
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
_TRACKING: _Spec = {
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
_STEPS: _Spec = {
    "adjustment_type": "AdjustmentType",
    "step_adjustment": ("StepAdjustments", [{"scaling_adjustment": "ScalingAdjustment"}]),
}
_SUBNET: _Spec = {
    "availability_zone": "AvailabilityZone",
    "availability_zone_id": "AvailabilityZoneId",
    "vpc_id": "VpcId",
    "outpost_arn": "OutpostArn",
}
#: The resources that are judged, by Terraform's type: CloudFormation's type and its properties.
TYPES: dict[str, tuple[str, _Spec]] = {
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
_REFERENCE = re.compile(r"(?P<base>[a-z0-9_]+\.[A-Za-z0-9_-]+(?:\[[^\]]*\])?)(?P<attribute>\.[a-z_]+)?")
_INDEX = re.compile(r"\[[^\]]*\]")


@dataclass(frozen=True, slots=True)
class _Planned:
    """One resource of the plan: where it stands, what of it is known, what is not, and how it is configured."""

    address: str
    type: str
    values: Mapping[str, Any]
    unknown: Mapping[str, Any]
    expressions: Mapping[str, Any]
    module: str


def is_plan(data: Any) -> bool:
    return isinstance(data, Mapping) and "planned_values" in data


def declared(source: str, data: Mapping[str, Any], scope: Scope) -> Template:
    """The resources of a plan that are there after it is applied.

    Raises InvalidInput for a plan of another major version, and for one that is not as Terraform writes it.
    """
    version = str(data.get("format_version", ""))
    if version.split(".")[0] not in ("0", "1"):
        raise InvalidInput(
            f"{source}: the Terraform plan has format version {version or 'none'}; accepted are 0 and 1",
            field="TEMPLATE",
        )
    try:
        return Template(source, _Plan(data, scope).resources(), language="terraform")
    except (AttributeError, TypeError, KeyError, IndexError) as error:
        raise InvalidInput(
            f"{source}: the plan is not as `terraform show -json` writes it ({type(error).__name__}: {error})",
            field="TEMPLATE",
        ) from None


class _Plan:
    def __init__(self, data: Mapping[str, Any], scope: Scope) -> None:
        self._scope = scope
        self._unknown = {one["address"]: _after_unknown(one) for one in data.get("resource_changes") or ()}
        configuration = (data.get("configuration") or {}).get("root_module") or {}
        self._expressions = dict(_expressions(configuration, ""))
        found = list(self._planned((data.get("planned_values") or {}).get("root_module") or {}, ""))
        before = ((data.get("prior_state") or {}).get("values") or {}).get("root_module") or {}
        read = [one for one in self._planned(before, "", mode="data") if one.type == "aws_subnet"]
        self._by_address = {one.address: one for one in [*read, *found]}

    def _planned(self, module: Mapping[str, Any], path: str, mode: str = "managed") -> Iterator[_Planned]:
        for one in module.get("resources") or ():
            if one.get("mode", "managed") == mode and one.get("type") in TYPES:
                address = one["address"]
                plain = _INDEX.sub("", address)
                unknown = self._unknown.get(address) or {}
                yield _Planned(
                    address, one["type"], one.get("values") or {}, unknown, self._expressions.get(plain, {}), path
                )
        for child in module.get("child_modules") or ():
            yield from self._planned(child, f"{child['address']}.", mode)

    def resources(self) -> list[Declared]:
        return [self._declared(one) for one in self._by_address.values()]

    def _declared(self, one: _Planned) -> Declared:
        type, spec = TYPES[one.type]
        properties = self._block(one, spec, one.values, one.unknown, one.expressions, one.address)
        known = one.values.get("dimensions")
        if type == ALARM and isinstance(known, Mapping):
            properties["Dimensions"] = [{"Name": name, "Value": value} for name, value in known.items()]
        properties |= _tags(one)
        name = self._name(one)
        unnamed = one.unknown.get("name") is True and "name" in one.expressions
        return Declared(type, self._id(one), properties, name, self._arn(one, type, name), unnamed)

    def _name(self, one: _Planned) -> str:
        return str(one.values.get("name") or one.address)

    def _id(self, one: _Planned) -> str:
        return str(one.values.get("id") or one.address) if TYPES[one.type][0] in (SUBNET, VPC) else one.address

    def _arn(self, one: _Planned, type: str, name: str) -> str:
        if type in NAMES:
            stem = f"arn:{self._scope.partition}:sagemaker:{self._scope.region}:{self._scope.account}"
            return f"{stem}:{NAMES[type][1]}/{name}"
        return str(one.values.get("arn") or f"arn:{self._scope.partition}:{one.address}")

    # ---- values

    def _block(
        self, one: _Planned, spec: _Spec, values: Any, unknown: Any, expressions: Any, where: str
    ) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, target in spec.items():
            value = values.get(key) if isinstance(values, Mapping) else None
            lacking = unknown.get(key) if isinstance(unknown, Mapping) else None
            expression = expressions.get(key) if isinstance(expressions, Mapping) else None
            place = f"{where}.{key}"
            if isinstance(target, str):
                result = self._scalar(one, value, lacking, expression, place)
                name = target
            else:
                name, inner = target
                several = isinstance(inner, list)
                result = self._blocks(one, inner[0] if several else inner, value, lacking, expression, place)
                if not several and isinstance(result, list):
                    result = result[0] if result else None
            if result not in (None, ""):
                found[name] = result
        return found

    def _blocks(
        self, one: _Planned, spec: _Spec, values: Any, unknown: Any, expressions: Any, where: str
    ) -> list[Any] | Unknown | None:
        if unknown is True:
            return Unknown(f"{where} is known after apply only", optional=True)
        if not isinstance(values, list):
            values = [values] if isinstance(values, Mapping) else []
        made: list[Any] = []
        for index, value in enumerate(values):
            lacking = unknown[index] if isinstance(unknown, list) and index < len(unknown) else unknown
            written = expressions[index] if isinstance(expressions, list) and len(expressions) == len(values) else {}
            made.append(self._block(one, spec, value, lacking, written, where))
        return made

    def _scalar(self, one: _Planned, value: Any, unknown: Any, expression: Any, where: str) -> Any:
        if unknown is True or (isinstance(unknown, list) and any(unknown)):
            lacking = Unknown(f"{where} is known after apply only", optional=expression is None)
            return self._referred(one, expression, where.rsplit(".", 1)[-1], lacking)
        return value

    def _referred(self, one: _Planned, expression: Any, key: str, lacking: Unknown) -> Any:
        """What an unknown value refers to, where that is certain: resources of the same module."""
        references = expression.get("references") if isinstance(expression, Mapping) else None
        if not references:
            return lacking
        several = key in ("subnets", "alarm_actions")
        found: list[Any] = []
        narrowed = False
        for reference in references:
            if any(other != reference and other.startswith((f"{reference}.", f"{reference}[")) for other in references):
                continue
            match = _REFERENCE.fullmatch(reference)
            targets = self._instances(one.module + match["base"]) if match else []
            if not match or not targets or (len(targets) > 1 and not several):
                return lacking
            narrowed = narrowed or match["attribute"] is None
            found += [self._value_of(target, match["attribute"] or ".id") for target in targets]
        if not several:
            return found[0] if len(found) == 1 and not narrowed else lacking
        if narrowed and len({self._zone(id) for id in found}) != 1:
            return lacking
        return found

    def _instances(self, address: str) -> list[_Planned]:
        if address in self._by_address:
            return [self._by_address[address]]
        return [one for one in self._by_address.values() if one.address.startswith(f"{address}[")]

    def _value_of(self, target: _Planned, attribute: str) -> str:
        type = TYPES[target.type][0]
        if type in (SUBNET, VPC):
            return self._id(target)
        return self._arn(target, type, self._name(target)) if attribute == ".arn" else self._name(target)

    def _zone(self, id: str) -> str | None:
        """The zone of a subnet; one that is not known equals no other."""
        subnet = next((one for one in self._by_address.values() if self._id(one) == id), None)
        zone = subnet.values.get("availability_zone") if subnet else None
        return str(zone) if zone else f"that of {id}"


def _tags(one: _Planned) -> dict[str, Any]:
    for key in ("tags_all", "tags"):
        if one.unknown.get(key) is True:
            continue
        if isinstance(tags := one.values.get(key), Mapping):
            listed = [{"Key": name, "Value": value} for name, value in tags.items() if value is not None]
            return {"Tags": listed, "own_tags": key == "tags_all"}
    return {}


def _after_unknown(change: Mapping[str, Any]) -> Mapping[str, Any]:
    unknown = (change.get("change") or {}).get("after_unknown")
    return unknown if isinstance(unknown, Mapping) else {}


def _expressions(module: Mapping[str, Any], path: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The expressions of every resource, by its address without indices."""
    for one in module.get("resources") or ():
        yield f"{path}{one['address']}", one.get("expressions") or {}
    for name, call in (module.get("module_calls") or {}).items():
        yield from _expressions(call.get("module") or {}, f"{path}module.{name}.")
