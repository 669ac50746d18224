"""The catalogue: importing this package registers every rule."""

from chalicelib.rules import (
    autoscaling,
    availability_zones,
    clusters,
    components,
    elastic_inference,
    inference_pipelines,
    instance_fit,
    instances,
    quotas,
    scaling_alarms,
    scaling_metrics,
    scaling_policies,
    spot_training,
    training_fit,
    training_runs,
)
from chalicelib.rules.registry import RULES, Params, Rule

__all__ = [
    "RULES",
    "Params",
    "Rule",
    "autoscaling",
    "availability_zones",
    "clusters",
    "components",
    "elastic_inference",
    "inference_pipelines",
    "instance_fit",
    "instances",
    "quotas",
    "scaling_alarms",
    "scaling_metrics",
    "scaling_policies",
    "spot_training",
    "training_fit",
    "training_runs",
]
