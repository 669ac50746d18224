"""The endpoints of the lifelike account that are well: no rule of the baseline has a word to say on them."""

from __future__ import annotations

from typing import Any

from emulator.account_base import Scaling
from emulator.account_endpoints import SERVERLESS, Component, Endpoint, Model, Variant
from emulator.account_network import MAIN_A, MAIN_B, MAIN_C

XGBOOST = "E/sagemaker-xgboost:1.7-1"
SCIKIT_LEARN = "E/sagemaker-scikit-learn:1.2-1-cpu-py3"
SPARKML = "E/sagemaker-sparkml-serving:3.3"
PYTORCH = "dlc/pytorch-inference:2.3.0-gpu-py311-cu121-ubuntu20.04-sagemaker"
NEURON = "dlc/pytorch-inference-neuronx:2.1.2-neuronx-py310-sdk2.20.0-ubuntu20.04"
TEXT_GENERATION = "dlc/huggingface-pytorch-tgi-inference:2.3.0-tgi2.2.0-gpu-py310-cu121-ubuntu22.04-v2.0"
LARGE_MODELS = "dlc/djl-inference:0.29.0-lmi11.0.0-cu124"

THREE_ZONES = (MAIN_A, MAIN_B, MAIN_C)
LLAMA = {"sagemaker-sdk:jumpstart-model-id": "meta-textgeneration-llama-3-8b-instruct"}


def scaled(model: Model | None, **rest: Any) -> Variant:
    """A variant that two to six instances serve, with traffic."""
    return Variant(model, **{"scaling": Scaling(), "calls": 120, **rest})


def own(name: str, **rest: Any) -> Model:
    """A model in an image of the account's own."""
    return Model(name, [f"own/{name.rpartition('-v')[0]}:1.4.0"], **rest)


def managed(minimum: int, maximum: int) -> dict[str, Any]:
    limits = {"MinInstanceCount": minimum, "MaxInstanceCount": maximum}
    return {"ManagedInstanceScaling": {"Status": "ENABLED", **limits}}


#: The alarm on the errors of the endpoint fare-quotes.
ERRORS = "fare-quotes-errors"


def deployed(routing: str, *alarms: str) -> dict[str, Any]:
    """The configuration of an update that moves the traffic so, and that these alarms take back."""
    return {
        "BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": {"Type": routing, "WaitIntervalInSeconds": 600}},
        **({"AutoRollbackConfiguration": {"Alarms": [{"AlarmName": name} for name in alarms]}} if alarms else {}),
    }


HEALTHY = (
    Endpoint(
        "churn-prediction",
        [scaled(Model("churn-prediction-v7", [XGBOOST], THREE_ZONES))],
        owner="crm",
        age=210,
        observed=("eu-west-1a", "eu-west-1b"),
    ),
    Endpoint(
        "fraud-scoring",
        [scaled(own("fraud-scoring-v12", subnets=THREE_ZONES), type="ml.c5.2xlarge", count=3, calls=900)],
        owner="payments",
        age=140,
        load_tested=False,  # a job of Inference Recommender measured it
    ),
    Endpoint(  # something beside its policy moves it to and fro: what the policy is worth is not known
        "quote-ranking",
        [scaled(own("quote-ranking-v4"), steps=[(10 + 12 * half_days, 2 + half_days % 2) for half_days in range(8)])],
        owner="pricing",
        age=52,
    ),
    Endpoint(
        "credit-risk",
        [scaled(own("credit-risk-v3", subnets=(MAIN_A, MAIN_B)), type="ml.c7g.xlarge", calls=60)],
        owner="payments",
        age=33,
    ),
    Endpoint(
        "llm-chat",
        [scaled(Model("llm-chat-v2", [LARGE_MODELS]), type="ml.g5.12xlarge", calls=40, gpu=(342, 371))],
        owner="assistants",
        age=45,
    ),
    Endpoint(
        "support-assistant",
        [scaled(Model("support-assistant-v1", [TEXT_GENERATION], tags=LLAMA), type="ml.g5.2xlarge", gpu=(78, 88))],
        owner="assistants",
        age=28,
    ),
    Endpoint(
        "search-ranking",
        [
            scaled(own("search-ranking-v8"), name="champion", weight=9, calls=540),
            scaled(own("search-ranking-v9"), name="challenger", weight=1, calls=60),
        ],
        owner="search",
        age=24,
    ),
    Endpoint(
        "product-categories",
        [Variant(own("product-categories-v2"), None, None, calls=3, settings=SERVERLESS)],
        owner="catalog",
        env="staging",
    ),
    Endpoint(
        "faq-search",
        [
            Variant(
                own("faq-search-v5"),
                None,
                None,
                calls=12,
                settings={"ServerlessConfig": {**SERVERLESS["ServerlessConfig"], "ProvisionedConcurrency": 2}},
                concurrency=Scaling(1, 10, tracking=0.7),
            )
        ],
        owner="search",
    ),
    Endpoint(  # asynchronous, above zero and busy: it publishes no Invocations
        "contract-analysis",
        [
            Variant(
                Model("contract-analysis-v2", [PYTORCH]), "ml.g5.2xlarge", 2, Scaling(2, 6, 5), calls=8, gpu=(66, 71)
            )
        ],
        owner="legal",
        asynchronous=True,
        age=44,
    ),
    Endpoint(  # was updated by a canary that an alarm would have taken back
        "fare-quotes",
        [scaled(own("fare-quotes-v8"))],
        owner="travel",
        age=150,
        deployment=deployed("CANARY", ERRORS),
    ),
    Endpoint(  # was updated all at once: the strict policy alone minds
        "delivery-slots",
        [scaled(own("delivery-slots-v4"))],
        owner="logistics",
        age=64,
        deployment=deployed("ALL_AT_ONCE"),
    ),
    Endpoint(  # whichever pool has capacity; the second brings a model of its own
        "product-images",
        [
            scaled(
                Model("product-images-v4", [PYTORCH]),
                type=None,
                gpu=(58, 61),
                pools=[("ml.g6.xlarge", None), ("ml.g5.xlarge", Model("product-images-v4-a10g", [PYTORCH]))],
            )
        ],
        owner="catalog",
        age=40,
    ),
    Endpoint(  # asynchronous, and at zero until somebody sends a document
        "invoice-ocr",
        [
            Variant(
                Model("invoice-ocr-v4", [PYTORCH]),
                "ml.g4dn.xlarge",
                1,
                Scaling(0, 4, tracking=5, wakes=True),
                now_running=(0, 0),
            )
        ],
        owner="finance",
        asynchronous=True,
        age=95,
    ),
    Endpoint(
        "document-summaries",
        [Variant(None, "ml.g5.2xlarge", 2, calls=30, gpu=(71, 83), settings=managed(2, 10))],
        owner="assistants",
        age=52,
        components=[
            Component(
                "summaries-base", Model("summaries-base-v1", [LARGE_MODELS]), 2, Scaling(2, 8, tracking=30), calls=30
            ),
            Component(
                "summaries-archive",
                Model("summaries-archive-v1", [LARGE_MODELS]),
                1,
                Scaling(0, 2, tracking=30, wakes=True),
                asleep=True,
            ),
            Component("summaries-legal-adapter", base="summaries-base"),
            Component("summaries-medical-adapter", base="summaries-base"),
        ],
    ),
    Endpoint(
        "pricing-pipeline",
        [scaled(Model("pricing-pipeline-v6", [SCIKIT_LEARN, XGBOOST]), latencies={"step-1": 61, "step-2": 4})],
        owner="pricing",
        age=71,
    ),
    Endpoint(
        "store-models",
        [scaled(own("store-models-v1", multi_model=True), type="ml.m5.2xlarge", calls=200)],
        owner="retail",
        age=300,
    ),
    Endpoint(
        "translation", [scaled(Model("translation-v3", [NEURON]), type="ml.inf2.xlarge")], owner="platform", age=39
    ),
    Endpoint(  # a scheduled action in place of a policy
        "demand-forecast",
        [scaled(Model("demand-forecast-v5", ["C/forecasting-deepar:1"]), scaling=Scaling(2, 4, None, scheduled=True))],
        owner="supply-chain",
        age=180,
    ),
    Endpoint(
        "image-moderation",
        [scaled(Model("image-moderation-v3", [PYTORCH]), type="ml.g4dn.xlarge", gpu=(64, 52))],
        shadows=[Variant(Model("image-moderation-v4", [PYTORCH]), "ml.g4dn.xlarge", 1, name="candidate")],
        owner="trust",
        age=61,
    ),
    Endpoint(
        "lead-scoring",
        [
            scaled(
                Model("lead-scoring-v2", ["own/lead-a:3", "own/lead-b:3", SCIKIT_LEARN], direct=True),
                type="ml.m6i.large",
            )
        ],
        owner="crm",
        age=19,
    ),
    Endpoint("store-hours", [scaled(own("store-hours-v3"))], owner="retail", age=87),
    Endpoint("spare-parts", [scaled(own("spare-parts-v4"), type="ml.m7i.large")], owner="logistics", age=104),
    Endpoint("weather-impact", [scaled(own("weather-impact-v2"), calls=20)], owner="supply-chain", age=55),
    Endpoint(  # its config says one instance, and it has scaled between two and six ever since
        "meter-readings",
        [scaled(own("meter-readings-v6"), type="ml.c6i.xlarge", count=1, now_running=(2, 2))],
        owner="energy",
        age=49,
    ),
    Endpoint(  # a built-in algorithm for which a GPU is of use
        "photo-tagging",
        [scaled(Model("photo-tagging-v2", ["A/image-classification:1"]), type="ml.g4dn.2xlarge", gpu=(57, 41))],
        owner="catalog",
        age=88,
    ),
)
