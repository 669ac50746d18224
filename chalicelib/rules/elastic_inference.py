"""Elastic Inference: withdrawn by AWS. The service model says that ``AcceleratorType`` is no longer supported."""

from chalicelib.findings import Outcome, Severity, failed, passed
from chalicelib.inventory.estate import Inventory
from chalicelib.inventory.models import NotebookInstance, Variant
from chalicelib.inventory.parts import Part
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
    """The variant, or the deployment that is pending for it, asks for an Elastic Inference accelerator."""
    accelerator = variant.pending_accelerator_type or variant.settings.accelerator_type
    if accelerator:
        return failed(accelerator_type=accelerator, instance_type=", ".join(variant.settings.instance_types) or None)
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
