"""The kinds of resources that rules judge, and the model of each."""

from pydantic import BaseModel

from chalicelib.inventory.kinds.components import InferenceComponent
from chalicelib.inventory.kinds.endpoints import Endpoint, EndpointConfig, Variant
from chalicelib.inventory.kinds.models import Model
from chalicelib.inventory.kinds.network import Vpc
from chalicelib.inventory.kinds.plain import NotebookInstance, TransformJob
from chalicelib.inventory.kinds.scaling import ScalableTarget, ScalingPolicy
from chalicelib.inventory.kinds.training import TrainingJob
from chalicelib.inventory.kinds.tuning import TuningJob

KINDS: dict[str, type[BaseModel]] = {
    model.kind: model
    for model in (
        Endpoint,
        Variant,
        EndpointConfig,
        Model,
        InferenceComponent,
        ScalableTarget,
        ScalingPolicy,
        Vpc,
        TrainingJob,
        TuningJob,
        TransformJob,
        NotebookInstance,
    )
}
