"""The other endpoints of the lifelike account: with a defect, or in a state of their own, and what was left behind."""

from __future__ import annotations

from emulator import seed
from emulator.account_base import Account, Scaling, error_alarm, scale
from emulator.account_endpoints import Component, Endpoint, Model, Variant, make_endpoint, make_model
from emulator.account_healthy import (
    ERRORS,
    HEALTHY,
    LARGE_MODELS,
    PYTORCH,
    SCIKIT_LEARN,
    SPARKML,
    managed,
    own,
    scaled,
)
from emulator.account_network import (
    DELETED,
    MAIN_A,
    MAIN_A_SECOND,
    MAIN_B,
    MAIN_C,
    MAIN_LOCAL,
    ONE_ZONE_1,
    ONE_ZONE_2,
    SMALL_A,
    SMALL_B,
)

OLD_EIA = "dlc/tensorflow-inference-eia:2.3.0-cpu"
NO_RECOVERY = "The rollback failed: the variant did not reach its desired number of healthy instances."
HEALTH_CHECK = "The primary container for production variant AllTraffic did not pass the ping health check."

#: Quotas that nobody raised when the maxima were: of one endpoint alone, and of several together.
SMALL_QUOTAS = {"ml.c5.4xlarge": 5, "ml.g5.2xlarge": 20}

FAULTY = (
    Endpoint(
        "recommendations-emb",
        [Variant(own("recommendations-emb-v3"), count=1, calls=45, by_minute=True)],
        owner="recommendations",
        age=120,
    ),
    Endpoint(
        "recommendations-ab",
        [
            scaled(own("recommendations-ab-v1"), name="champion", scaling=Scaling(tracking=70)),
            Variant(own("recommendations-ab-v2"), count=1, name="challenger", weight=0),
        ],
        owner="recommendations",
        age=41,
        load_tested=False,
    ),
    Endpoint(
        "sentiment-analysis",
        [scaled(Model("sentiment-analysis-v4", [PYTORCH]), type="ml.g4dn.xlarge", calls=6, gpu=(3.8, 17))],
        owner="crm",
        age=133,
    ),
    Endpoint(
        "ticket-routing",
        [scaled(Model("ticket-routing-v2", [SPARKML, SCIKIT_LEARN]), type="ml.g5.xlarge", gpu=(0, 1.5))],
        owner="support",
        age=66,
    ),
    Endpoint(
        "visual-search",
        [scaled(Model("visual-search-v9", [PYTORCH]), type="ml.p3.2xlarge", gpu=(74, 66))],
        owner="search",
        age=510,
    ),
    Endpoint(
        "speech-to-text",
        [Variant(Model("speech-to-text-v2", [PYTORCH]), "ml.g4dn.xlarge", 1, calls=4, gpu=(83, 61))],
        owner="support",
        asynchronous=True,
        age=58,
    ),
    Endpoint(  # scaled half an hour ago, as on any day
        "avatar-moderation",
        [scaled(Model("avatar-moderation-v2", [PYTORCH]), type="ml.g5.2xlarge", count=3, gpu=(9, 14))],
        owner="trust",
        age=75,
        modified_hours=0.5,
    ),
    Endpoint(  # a server of language models: its memory is full from its start on
        "support-drafts",
        [scaled(Model("support-drafts-v1", [LARGE_MODELS]), type="ml.g6e.2xlarge", calls=2, gpu=(7, 93))],
        owner="support",
        age=49,
    ),
    Endpoint(  # the model of its second pool needs no GPU
        "document-layout",
        [
            scaled(
                Model("document-layout-v3", [PYTORCH]),
                type=None,
                gpu=(64, 58),
                pools=[("ml.g5.xlarge", None), ("ml.g4dn.xlarge", Model("document-layout-rules-v1", [SCIKIT_LEARN]))],
            )
        ],
        owner="finance",
        age=36,
    ),
    Endpoint(  # its components were moved elsewhere, and nobody took the host away
        "llm-staging",
        [Variant(None, "ml.g5.2xlarge", 2, settings=managed(2, 4))],
        owner="assistants",
        env="staging",
        age=61,
    ),
    Endpoint("returns-forecast", [scaled(own("returns-forecast-v1"), calls=0)], owner="supply-chain", age=270),
    Endpoint("face-matching", [Variant(own("face-matching-v1"), "ml.g5.xlarge", 1)], owner="trust", env="dev", age=97),
    Endpoint(
        "eu-residents-churn",
        [scaled(own("eu-residents-churn-v4", subnets=(ONE_ZONE_1, ONE_ZONE_2)))],
        owner="crm",
        age=83,
    ),
    Endpoint(
        "edge-quality-check",
        [scaled(own("edge-quality-check-v2", subnets=(MAIN_A, MAIN_LOCAL)))],
        owner="manufacturing",
        age=47,
    ),
    Endpoint(
        "loan-documents",
        [scaled(own("loan-documents-v6", subnets=(MAIN_A, MAIN_B, DELETED)))],
        owner="lending",
        age=155,
    ),
    Endpoint(
        "address-matching",
        [scaled(own("address-matching-v1"), settings={"AcceleratorType": "ml.eia2.medium"})],
        owner="logistics",
        age=720,
    ),
    Endpoint(  # its instances stand in one zone, which detailed observability tells
        "kyc-checks",
        [scaled(own("kyc-checks-v5"), scaling=Scaling(2, 6, None))],
        owner="onboarding",
        age=34,
        observed=("eu-west-1b", "eu-west-1b"),
    ),
    Endpoint(
        "card-disputes",
        [scaled(own("card-disputes-v2"), scaling=Scaling(suspended=["DynamicScalingOutSuspended"]))],
        owner="payments",
        age=76,
    ),
    Endpoint("session-intent", [scaled(own("session-intent-v3"), count=3, scaling=Scaling(3, 3))], owner="search"),
    Endpoint(
        "ad-click-rate",
        [scaled(own("ad-click-rate-v15"), count=6, calls=4000)],
        owner="ads",
        age=112,
        load_tested=False,
    ),
    Endpoint(  # on working mornings it is asked for eight instances at once, and has two
        "checkout-risk",
        [scaled(own("checkout-risk-v3"), jump=2300, scaling=Scaling(2, 12, 300))],
        owner="payments",
        age=88,
    ),
    Endpoint(  # nobody has lowered the minimum since its campaign
        "campaign-targeting",
        [scaled(own("campaign-targeting-v2"), count=6, scaling=Scaling(6, 12))],
        owner="marketing",
        age=64,
    ),
    Endpoint(
        "coupon-targeting",
        [scaled(own("coupon-targeting-v2"), count=5, scaling=Scaling(scale_in=False))],
        owner="retail",
    ),
    Endpoint(
        "delivery-eta", [scaled(own("delivery-eta-v11"), scaling=Scaling(cooldowns=(60, 300)))], owner="logistics"
    ),
    Endpoint(
        "seat-pricing",
        [scaled(own("seat-pricing-v3"), scaling=Scaling(tracking=60, follows="fraud-scoring"))],
        owner="pricing",
        age=77,
    ),
    Endpoint(  # at 60 of 400 percent, as each of its four vCPUs counts 100
        "stock-alerts",
        [scaled(own("stock-alerts-v1"), scaling=Scaling(alarms=False, tracking=60, follows="stock-alerts"))],
        owner="retail",
        age=90,
    ),
    Endpoint("thumbnail-quality", [scaled(own("thumbnail-quality-v1"), type="ml.t2.large")], owner="catalog", age=38),
    Endpoint(  # asynchronous, and asleep for good
        "call-transcripts",
        [Variant(Model("call-transcripts-v1", [PYTORCH]), "ml.g5.xlarge", 1, Scaling(0, 3, 5), now_running=(0, 0))],
        owner="support",
        asynchronous=True,
        age=26,
    ),
    Endpoint(
        "fleet-routing",
        [scaled(own("fleet-routing-v5", subnets=(SMALL_A, SMALL_B)), scaling=Scaling(2, 40))],
        owner="logistics",
        age=68,
    ),
    Endpoint("photo-archive", [scaled(Model("photo-archive-v1", [OLD_EIA]), rare=True)], owner="catalog", age=900),
    Endpoint(
        "email-classifier", [scaled(own("email-classifier-v2"), scaling=Scaling(1, 4), cpu=(60, 12))], owner="support"
    ),
    Endpoint(
        "warehouse-slots",
        [scaled(own("warehouse-slots-v1"), count=1, scaling=Scaling(1, 4))],
        owner="logistics",
        age=29,
    ),
    Endpoint(
        "claims-triage",
        [Variant(own("claims-triage-v1"), count=1)],
        owner="insurance",
        age=3,
        status="Failed",
        failure=HEALTH_CHECK,
    ),
    Endpoint(
        "payment-risk",
        [scaled(own("payment-risk-v7"), count=4, calls=700, now_running=(2, 4))],
        owner="payments",
        age=160,
        modified_hours=5,
    ),
    Endpoint(  # serves on as before, and has traffic
        "insurance-quotes",
        [scaled(own("insurance-quotes-v8"))],
        owner="insurance",
        age=200,
        modified_hours=20 * 24,
        status="UpdateRollbackFailed",
        failure=NO_RECOVERY,
    ),
    Endpoint(
        "catalog-enrichment",
        [
            scaled(
                Model("catalog-enrichment-v3", [f"own/enrich-{step}:2" for step in range(1, 7)]), type="ml.c5.4xlarge"
            )
        ],
        owner="catalog",
        age=92,
    ),
    Endpoint(
        "text-cleaning",
        [scaled(Model("text-cleaning-v1", [SCIKIT_LEARN], list_of_one=True))],
        owner="platform",
        age=64,
    ),
    Endpoint(  # under inference components; the config has subnets of its own, both in one zone
        "llm-agents",
        [Variant(None, "ml.g5.12xlarge", 2, gpu=(310, 355), settings=managed(1, 4))],
        owner="assistants",
        age=27,
        subnets=(MAIN_A, MAIN_A_SECOND),
        components=[
            Component("agents-planner", Model("agents-planner-v1", [LARGE_MODELS]), 1, Scaling(1, 4, 20), calls=15),
            Component("agents-critic", Model("agents-critic-v1", [LARGE_MODELS]), 1, calls=9),
            Component("agents-critic-adapter", base="agents-critic"),
            Component(
                "agents-memory",
                Model("agents-memory-v1", [LARGE_MODELS]),
                2,
                status="Failed",
                failure="The container did not answer its health check.",
            ),
        ],
    ),
    Endpoint(
        "llm-embeddings",
        [Variant(None, "ml.g6.2xlarge", 2, calls=80, gpu=(55, 72))],
        owner="search",
        age=31,
        components=[
            Component("embed-large", Model("embed-large-v2", [PYTORCH]), 2, Scaling(2, 6, None), calls=50),
            Component("embed-small", Model("embed-small-v2", [PYTORCH]), 2, Scaling(2, 2), calls=30),
        ],
    ),
    Endpoint(  # two zones, and one of them has no such instance
        "image-captions",
        [
            scaled(
                Model("image-captions-v1", [PYTORCH], subnets=(MAIN_B, MAIN_C)), type="ml.p4d.24xlarge", gpu=(380, 410)
            )
        ],
        owner="catalog",
        age=39,
    ),
    Endpoint("loan-terms", [scaled(own("loan-terms-v1"))], owner="lending", age=210),
    Endpoint(  # runs by a role that was tidied away
        "parcel-sizes", [scaled(own("parcel-sizes-v2", role="parcel-sizes-hosting"))], owner="logistics", age=102
    ),
    Endpoint(  # sleeps at night on one instance
        "loyalty-offers",
        [scaled(own("loyalty-offers-v2"), scaling=Scaling(2, 6, night=1))],
        owner="retail",
        age=45,
    ),
    Endpoint(  # asynchronous: no policy follows its backlog, so that nothing ever wakes it
        "contract-scans",
        [
            Variant(
                Model("contract-scans-v1", [PYTORCH]),
                "ml.g5.xlarge",
                1,
                Scaling(0, 2, 60, follows="contract-scans"),
                now_running=(0, 0),
            )
        ],
        owner="lending",
        asynchronous=True,
        age=33,
    ),
    Endpoint(  # asynchronous: copied from another endpoint, with the alarm that watches that one
        "receipt-scans",
        [
            Variant(
                Model("receipt-scans-v1", [PYTORCH]),
                "ml.g5.xlarge",
                1,
                Scaling(0, 3, 5, wakes=True, watches="contract-scans"),
                now_running=(0, 0),
            )
        ],
        owner="lending",
        asynchronous=True,
        failures_kept=False,
        age=30,
    ),
    Endpoint(  # managed instance scaling, which works under inference components only
        "tariff-search",
        [Variant(own("tariff-search-v1"), calls=35, settings=managed(2, 6), by_minute=True)],
        owner="search",
        age=140,
    ),
    Endpoint(
        "voice-biometrics",
        [Variant(own("voice-biometrics-v1"), count=1)],
        owner="onboarding",
        env="dev",
        age=8 / (24 * 60),
    ),
    Endpoint(
        "basket-analysis",
        [Variant(own("basket-analysis-v1", subnets=(MAIN_A, MAIN_B)), "ml.t2.medium", calls=2)],
        owner="retail",
        age=400,
        encrypted=True,
    ),
)

IN_TRANSITION = (
    Endpoint(
        "route-optimizer",
        [scaled(own("route-optimizer-v4"), count=1, scaling=Scaling(1, 1, None))],
        owner="logistics",
        age=85,
        modified_hours=0.2,
        status="Updating",
    ),
    Endpoint(  # waits for instances since yesterday
        "warehouse-vision",
        [scaled(own("warehouse-vision-v2"), count=2)],
        owner="logistics",
        age=120,
        modified_hours=26,
        status="Updating",
    ),
)


def make(account: Account) -> None:
    """Makes every endpoint, what was left behind by endpoints that are gone, and some scaling that happened."""
    for endpoint in (*HEALTHY, *FAULTY, *IN_TRANSITION):
        make_endpoint(account, endpoint)
    error_alarm(account, ERRORS, "fare-quotes")
    _make_leftovers(account)
    for instance_type, value in SMALL_QUOTAS.items():
        seed.service_quota(account.id, account.region, f"{instance_type} for endpoint usage", value)
    account.sagemaker("DeleteModel", ModelName="loan-terms-v1")  # its endpoint serves on, and would not come back
    _make_activities(account)
    account.sagemaker(
        "CreateInferenceRecommendationsJob",
        JobName="fraud-scoring-load-test",
        JobType="Advanced",
        RoleArn=account.role,
        InputConfig={"ModelName": "fraud-scoring-v12"},
    )


def _make_leftovers(account: Account) -> None:
    """A target whose endpoint was deleted, and a model with its config that no endpoint uses any more."""
    scale(account, "endpoint/legacy-scoring/variant/AllTraffic", Scaling(), since=account.ago(days=400))
    unused = own("experiment-reranker-v1", subnets=(ONE_ZONE_1,))
    make_model(account, unused, age=230, tags={"owner": "search", "env": "dev"})
    account.sagemaker(
        "CreateEndpointConfig",
        EndpointConfigName="experiment-reranker-config",
        ProductionVariants=[Variant(unused, count=1).member],
    )
    seed.endpoint_config(account.id, account.region, "experiment-reranker-config", created=account.ago(days=230))


def _make_activities(account: Account) -> None:
    for name, hours, change in (("churn-prediction", 7, 3), ("churn-prediction", 2, 2), ("fraud-scoring", 5, 3)):
        started = account.ago(hours=hours)
        seed.scaling_activity(
            account.id,
            account.region,
            f"endpoint/{name}/variant/AllTraffic",
            started=started,
            ended=account.ago(hours=hours, minutes=-4),
            description=f"Setting desired instance count to {change}.",
        )
    seed.scaling_activity(
        account.id,
        account.region,
        "endpoint/visual-search/variant/AllTraffic",
        status="Failed",
        started=account.ago(hours=3),
        StatusMessage="Unable to provision requested ML compute capacity due to InsufficientInstanceCapacity error.",
        description="Setting desired instance count to 3.",
    )
    seed.scaling_activity(
        account.id,
        account.region,
        "endpoint/ad-click-rate/variant/AllTraffic",
        # As the sample of a not scaled activity in AWS's guide: "Scaling activities for Application Auto Scaling".
        status="Failed",
        started=account.ago(hours=1),
        not_scaled_reasons=[{"Code": "AlreadyAtMaxCapacity", "MaxCapacity": 6, "CurrentCapacity": 6}],
        description="Attempting to scale due to alarm triggered",
    )
    seed.scaling_activity(  # nothing failed: it was as large as wanted
        account.id,
        account.region,
        "endpoint/fare-quotes/variant/AllTraffic",
        status="Failed",
        started=account.ago(hours=2),
        not_scaled_reasons=[{"Code": "AlreadyAtDesiredCapacity", "CurrentCapacity": 2}],
        description="Attempting to scale due to alarm triggered",
    )
