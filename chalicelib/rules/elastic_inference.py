"""Elastic Inference: withdrawn by AWS. The service model says that ``AcceleratorType`` is no longer supported."""

from chalicelib.inventory.estate import Inventory
from chalicelib.inventory.images import Image
from chalicelib.inventory.kinds.endpoints import Variant
from chalicelib.inventory.kinds.models import Model
from chalicelib.inventory.kinds.plain import NotebookInstance
from chalicelib.inventory.parts import Part
from chalicelib.report.concern import Concern
from chalicelib.report.findings import Severity
from chalicelib.report.outcomes import Outcome, failed, passed
from chalicelib.rules.guards import variant_in_service
from chalicelib.rules.registry import Params, rule

TOPIC = "elastic-inference"


@rule(
    "endpoint-elastic-inference-retired",
    topic=TOPIC,
    kinds=["endpoint-variant"],
    severity=Severity.HIGH,
    reads=[Part.ENDPOINTS, Part.CONFIGS],
    guards=[variant_in_service],
)
def endpoint_elastic_inference_retired(variant: Variant, estate: Inventory, params: Params) -> Outcome:
    """The variant asks for an Elastic Inference accelerator."""
    settings = variant.settings
    if settings.accelerator_type:
        return failed(accelerator_type=settings.accelerator_type, instance_type=settings.shown("type_names"))
    return passed("asks for no accelerator")


@rule(
    "notebook-elastic-inference-retired",
    topic=TOPIC,
    kinds=["notebook-instance"],
    severity=Severity.MEDIUM,
    reads=[Part.NOTEBOOKS],
)
def notebook_elastic_inference_retired(notebook: NotebookInstance, estate: Inventory, params: Params) -> Outcome:
    """The notebook instance has Elastic Inference accelerators attached."""
    if notebook.accelerator_types:
        return failed(accelerator_types=list(notebook.accelerator_types), status=notebook.status)
    return passed("has no accelerator attached")


@rule(
    "model-elastic-inference-image",
    topic=TOPIC,
    kinds=["model"],
    severity=Severity.LOW,
    concern=Concern.STYLE,
    reads=[Part.ENDPOINTS, Part.CONFIGS, Part.MODELS, Part.COMPONENTS],
)
def model_elastic_inference_image(model: Model, estate: Inventory, params: Params) -> Outcome:
    """A container image of the model was made for Elastic Inference (medium where an endpoint uses the model)."""
    images = [container.image for container in model.containers if container.image]
    retired = [image for image in images if Image.parse(image).elastic_inference]
    if retired:
        users = list(model.used_by or ())
        return failed(severity=Severity.MEDIUM if users else None, images=retired, endpoints=users)
    return passed("no image was made for Elastic Inference", images=estate.images_of_model(model))
