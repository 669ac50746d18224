"""Reserved capacity of the lifelike account: two training plans, one at its end, and an endpoint on each."""

from __future__ import annotations

from datetime import timedelta

from emulator import seed
from emulator.account_base import Account, Scaling
from emulator.account_endpoints import Endpoint, Model, Variant, make_endpoint
from emulator.account_healthy import LARGE_MODELS, scaled

TYPE = "ml.p5.48xlarge"
#: By endpoint: the plan that it stands on, the days until that ends, and its instances. Both may scale to six.
RESERVED = {"translation-large": ("research-2026", 5, 4), "speech-large": ("speech-2027", 200, 8)}


def make(account: Account) -> None:
    """Makes the plans and the endpoints."""
    for endpoint, (plan, days, instances) in RESERVED.items():
        arn = seed.training_plan(
            account.id,
            account.region,
            plan,
            instance_type=TYPE,
            instances=instances,
            blocks=[(account.ago(days=55), account.now + timedelta(days=days))],
            zone_id="euw1-az2",
            TargetResources=["endpoint"],
        )
        make_endpoint(account, Endpoint(endpoint, [_on(arn, f"{endpoint}-v1")], owner="search", age=50))


def _on(plan: str, model: str) -> Variant:
    reservation = {"CapacityReservationPreference": "capacity-reservations-only", "MlReservationArn": plan}
    return scaled(
        Model(model, [LARGE_MODELS]),
        type=TYPE,
        scaling=Scaling(2, 6),
        gpu=(620, 590),
        settings={"CapacityReservationConfig": reservation},
    )
