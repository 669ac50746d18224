"""The kinds of resources that rules judge, and the model of each."""

from pydantic import BaseModel

from chalicelib.inventory.jobs import TrainingJob, TransformJob, TuningJob
from chalicelib.inventory.models import (
    Endpoint,
    EndpointConfig,
    InferenceComponent,
    Model,
    NotebookInstance,
    Variant,
    Vpc,
)
from chalicelib.inventory.scaling import ScalableTarget, ScalingPolicy

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
