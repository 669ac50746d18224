"""The catalogue: importing this package registers every rule."""

from chalicelib.rules import (  # noqa: F401 - each registers its rules
    autoscaling,
    availability_zones,
    capacity_use,
    clusters,
    components,
    dependencies,
    elastic_inference,
    failures,
    inference_pipelines,
    instance_fit,
    instances,
    notebooks,
    off_scale,
    quotas,
    rehearsal,
    reservations,
    scaling_alarms,
    scaling_metrics,
    scaling_policies,
    scarcity,
    spot_training,
    studio,
    training_data,
    training_fit,
    training_runs,
    zones,
)
from chalicelib.rules.registry import RULES, Params, Rule

__all__ = ["RULES", "Params", "Rule"]
