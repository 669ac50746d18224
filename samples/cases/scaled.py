"""What the tables of scaling policies, their metrics and their alarms share."""

from typing import Any

from chalicelib.inventory.kinds.scaling import ScalingPolicy
from chalicelib.inventory.parts import Part
from samples.builders import a_host_of_components, a_policy, a_variant, following
from samples.cases.autoscaling import Scaled

OTHER_ID = "endpoint/churn/variant/B"
HOSTING = a_host_of_components()
ASYNC = a_variant(asynchronous=True)
UNCONFIGURED = a_variant(config_read=False)
CONFIG_UNREAD = [(Part.CONFIGS, "churn-config")]
OWN = {"EndpointName": "churn", "VariantName": "AllTraffic"}
CUSTOM = following("CPUUtilization", **OWN)
BACKLOG = following("ApproximateBacklogSizePerInstance", EndpointName="churn")


def predefined(metric: str) -> dict[str, Any]:
    """The ``tracking`` of a policy that follows a predefined metric."""
    return {"PredefinedMetricSpecification": {"PredefinedMetricType": metric}}


def a_predictive_policy(of: Scaled, **described: Any) -> ScalingPolicy:
    """A policy that scales by a forecast: it tracks no target and hangs on no alarm."""
    return a_policy(
        of,
        **{
            "alarms": (),
            "PolicyType": "PredictiveScaling",
            "TargetTrackingScalingPolicyConfiguration": None,
            **described,
        },
    )
