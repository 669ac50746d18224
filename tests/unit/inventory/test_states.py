"""States that AWS knows, and states that nobody has heard of."""

import pytest

from chalicelib.inventory import uses
from chalicelib.inventory.facts import Fact, Unread, plain
from chalicelib.inventory.kinds.components import InferenceComponent
from chalicelib.inventory.kinds.endpoints import Endpoint, Variant
from chalicelib.inventory.kinds.network import Subnet
from chalicelib.inventory.kinds.plain import Cluster, NotebookInstance, TransformJob
from chalicelib.inventory.kinds.scaling import Alarm, ScalingActivity, ScalingPolicy
from chalicelib.inventory.kinds.training import TrainingJob
from chalicelib.inventory.kinds.tuning import TuningJob
from chalicelib.report.cause import Cause
from samples.builders import a_component, a_model, a_variant, an_endpoint, an_inventory
from tests.accounts.shapes import service

SHAPES: list[tuple[type[Fact], str, str, str]] = [
    (Endpoint, "status", "sagemaker", "EndpointStatus"),
    (Variant, "endpoint_status", "sagemaker", "EndpointStatus"),
    (InferenceComponent, "status", "sagemaker", "InferenceComponentStatus"),
    (NotebookInstance, "status", "sagemaker", "NotebookInstanceStatus"),
    (TransformJob, "status", "sagemaker", "TransformJobStatus"),
    (Cluster, "status", "sagemaker", "ClusterStatus"),
    (TrainingJob, "status", "sagemaker", "TrainingJobStatus"),
    (TuningJob, "status", "sagemaker", "HyperParameterTuningJobStatus"),
    (ScalingPolicy, "policy_type", "application-autoscaling", "PolicyType"),
    (ScalingActivity, "status", "application-autoscaling", "ScalingActivityStatusCode"),
    (Alarm, "state", "cloudwatch", "StateValue"),
    (Subnet, "state", "ec2", "SubnetState"),
]


@pytest.mark.parametrize(("fact", "field", "of", "shape"), SHAPES, ids=lambda value: str(value))
def test_the_states_of_a_fact_are_those_of_awss_model(fact: type[Fact], field: str, of: str, shape: str) -> None:
    states = fact.known_states[field]  # type: ignore[attr-defined]
    assert states == {plain(value) for value in service(of).shape_for(shape).enum}


def test_a_state_that_nobody_knows_is_unknown_and_shown_as_it_is() -> None:
    endpoint = Endpoint.model_validate({"EndpointName": "e", "EndpointStatus": "Hibernating"})
    with pytest.raises(Unread) as raised:
        _ = endpoint.status
    assert raised.value.cause is Cause.MALFORMED
    assert (endpoint.shown("status"), endpoint.spoken().status) == ("Hibernating", "Hibernating")


@pytest.mark.parametrize(("status", "used"), [("InService", ("churn",)), ("Updating", ()), ("Hibernating", None)])
def test_a_component_uses_its_model_only_where_its_endpoint_is_settled(
    status: str, used: tuple[str, ...] | None
) -> None:
    host = a_variant(status=status, settings={"ModelName": None})
    endpoint = an_endpoint(status=status).model_copy(update={"variants": (host,)})
    estate = an_inventory(endpoint, a_component(model="m"), a_model(name="m", used_by=()))
    assert uses.with_use(estate, seen=True).models["m"].used_by == used
