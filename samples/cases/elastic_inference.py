"""Elastic Inference, which AWS has withdrawn."""

from chalicelib.inventory.parts import Part
from chalicelib.report.findings import Severity
from samples.builders import ACCOUNT, ELASTIC_INFERENCE, OWN_IMAGE, a_model, a_notebook, a_variant, an_image
from samples.cases.case import Case, InDemo, does_not_apply, fails, is_unknown, passes
from samples.cases.instances import IN_TRANSITION, NOT_SERVING

ENDPOINT = "endpoint-elastic-inference-retired"
NOTEBOOK = "notebook-elastic-inference-retired"
MODEL = "model-elastic-inference-image"
ACCELERATED = {"AcceleratorType": "ml.eia2.medium"}

OWN_RETIRED_IMAGE = an_image("churn-eia", account=ACCOUNT)

CASES: list[Case] = [
    fails(
        ENDPOINT,
        "an accelerator is attached",
        a_variant(settings=ACCELERATED),
        severity=Severity.HIGH,
        evidence={"accelerator_type": "ml.eia2.medium", "instance_type": "ml.m5.large"},
        in_demo=[InDemo("endpoint-variant address-matching/AllTraffic")],
    ),
    fails(
        ENDPOINT,
        "an accelerator on a variant that takes no traffic",
        a_variant(settings=ACCELERATED, weight=0),
        severity=Severity.HIGH,
    ),
    passes(ENDPOINT, "no accelerator", a_variant()),
    passes(ENDPOINT, "a GPU is no Elastic Inference accelerator", a_variant(instance_type="ml.g5.xlarge")),
    does_not_apply(ENDPOINT, "a shadow variant", a_variant(settings=ACCELERATED, shadow=True)),
    *[
        does_not_apply(ENDPOINT, f"an endpoint that is {status}", a_variant(settings=ACCELERATED, status=status))
        for status in (*IN_TRANSITION, *NOT_SERVING)
    ],
    is_unknown(
        ENDPOINT,
        "the config could not be read",
        a_variant(config_read=False),
        unread=[(Part.CONFIGS, "churn-config")],
    ),
    fails(
        NOTEBOOK,
        "an accelerator is attached",
        a_notebook(accelerators=["ml.eia2.medium"]),
        severity=Severity.MEDIUM,
        evidence={"accelerator_types": ["ml.eia2.medium"], "status": "InService"},
        in_demo=[InDemo("notebook-instance exploration-accelerated")],
    ),
    fails(
        NOTEBOOK,
        "an accelerator is attached to a stopped notebook",
        a_notebook(accelerators=["ml.eia1.medium"], NotebookInstanceStatus="Stopped"),
        severity=Severity.MEDIUM,
        evidence={"status": "Stopped"},
    ),
    passes(NOTEBOOK, "AWS names no accelerators", a_notebook()),
    passes(NOTEBOOK, "an empty list of accelerators", a_notebook(accelerators=[])),
    fails(
        MODEL,
        "an image for Elastic Inference in use",
        a_model(ELASTIC_INFERENCE, used_by=["churn", "fraud"]),
        severity=Severity.MEDIUM,
        evidence={"images": [ELASTIC_INFERENCE], "endpoints": ["churn", "fraud"]},
        in_demo=[InDemo("model photo-archive-v1")],
    ),
    fails(
        MODEL,
        "an image for Elastic Inference that no endpoint uses",
        a_model(ELASTIC_INFERENCE, used_by=[]),
        severity=Severity.LOW,
        evidence={"endpoints": []},
    ),
    fails(
        MODEL,
        "an image for Elastic Inference of which nobody knows whether an endpoint uses it",
        a_model(ELASTIC_INFERENCE, used_by=None),
        severity=Severity.LOW,
    ),
    fails(
        MODEL,
        "one container of a pipeline",
        a_model(OWN_IMAGE, ELASTIC_INFERENCE),
        severity=Severity.MEDIUM,
        evidence={"images": [ELASTIC_INFERENCE]},
    ),
    fails(
        MODEL,
        "an image of one's own for Elastic Inference",
        a_model(OWN_RETIRED_IMAGE),
        severity=Severity.MEDIUM,
        evidence={"images": [OWN_RETIRED_IMAGE]},
    ),
    fails(
        MODEL,
        "an image of another registry for Elastic Inference",
        a_model("registry.example.com:5000/serving/mxnet-eia:1.7"),
        severity=Severity.MEDIUM,
    ),
    fails(
        MODEL,
        "an image for Elastic Inference named by its digest",
        a_model(an_image("pytorch-inference-eia", account="763104351884", tag=None)),
        severity=Severity.MEDIUM,
    ),
    fails(
        MODEL,
        "beside a container that a model package hides",
        a_model(ELASTIC_INFERENCE, None),
        severity=Severity.MEDIUM,
        evidence={"images": [ELASTIC_INFERENCE]},
    ),
    passes(MODEL, "an image of one's own", a_model(), evidence={"images": [OWN_IMAGE]}),
    passes(MODEL, "an image that no endpoint uses", a_model(used_by=[])),
    passes(MODEL, "a tag that sounds like Elastic Inference", a_model(an_image("churn", account=ACCOUNT, tag="1-eia"))),
    passes(MODEL, "a repository that begins like Elastic Inference", a_model(an_image("eiamodel", account=ACCOUNT))),
    is_unknown(MODEL, "a model package hides the image", a_model(None)),
    is_unknown(MODEL, "a model package hides one image of a pipeline", a_model(OWN_IMAGE, None)),
]
