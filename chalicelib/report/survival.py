"""What an endpoint would survive, as it stands: read off its capacity, and by no rule.

So neither an exemption nor a rule that is off or set milder changes the answer. Pure.
"""

from collections.abc import Iterable, Sequence
from typing import Literal

from msgspec import Struct

from chalicelib.report.findings import EndpointCapacity, VariantCapacity

Answer = Literal["yes", "no", "unknown"]

#: States of an endpoint, lower case and without underscores: it answers nobody, or it is not there yet or any more.
DOWN, PASSING = ("failed", "outofservice"), ("creating", "deleting")


class Survival(Struct, frozen=True):
    """One endpoint: whether it is ``down``, and whether it would survive the loss of an ``instance`` and of a ``zone``.
    ``reason`` says what is the matter, empty where it survives both."""

    endpoint: EndpointCapacity
    down: bool
    instance: Answer
    zone: Answer
    reason: str = ""

    @property
    def sound(self) -> bool:
        """True where it is up and survives the loss of an Availability Zone."""
        return not self.down and self.zone == "yes"

    @property
    def known(self) -> bool:
        """True where anything is known of it."""
        return self.down or (self.instance, self.zone) != ("unknown", "unknown")


def survivals(endpoints: Iterable[EndpointCapacity]) -> list[Survival]:
    """What each endpoint would survive. Those that are only being created or deleted are left out."""
    return [survival(endpoint) for endpoint in endpoints if _state(endpoint) not in PASSING]


def survival(endpoint: EndpointCapacity) -> Survival:
    """What one endpoint would survive: as much as the weakest of its variants that take traffic."""
    if _state(endpoint) in DOWN:
        return Survival(endpoint, True, "no", "no", f"is {endpoint.status}")
    if endpoint.failed_components:
        failed = ", ".join(endpoint.failed_components[:3])
        return Survival(endpoint, True, "no", "no", f"its inference component {failed} has failed")
    parts = [_of_variant(variant) for variant in endpoint.variants if variant.mode != "shadow" and variant.weight != 0]
    reasons = [reason for _, _, reason in parts if reason]
    return Survival(
        endpoint,
        False,
        _weakest([instance for instance, _, _ in parts]),
        _weakest([zone for _, zone, _ in parts]),
        "; ".join(dict.fromkeys(reasons)),
    )


def _state(endpoint: EndpointCapacity) -> str:
    return endpoint.status.replace("_", "").lower()


def _weakest(answers: Sequence[Answer]) -> Answer:
    if "no" in answers:
        return "no"
    return "yes" if answers and "unknown" not in answers else "unknown"


def _of_variant(variant: VariantCapacity) -> tuple[Answer, Answer, str]:
    """Instance, zone and the reason. Serverless variants run on no instance of theirs. An asynchronous endpoint keeps
    its requests in a queue while a lost instance is replaced, in another zone where it may stand in one."""
    zone, reason = _room(variant)
    if variant.mode in ("serverless", "asynchronous"):
        return "yes", zone, reason
    count = variant.desired if variant.desired is not None else variant.current
    if count is None:
        return "unknown", "no" if zone == "no" else "unknown", reason or "how many instances run is unknown"
    if count == 0:
        return "yes", zone, reason  # scaled to zero: nothing runs that could be lost
    if count < 2:
        return "no", "no", "runs on one instance"
    if variant.mode == "components" and variant.copies == 1:
        return "no", "no", "an inference component runs on one copy"
    if (variant.mode == "components" and variant.copies is None) or not variant.instance_types:
        return "unknown", "no" if zone == "no" else "unknown", reason or "what it runs was not read"
    if variant.proven is not None and sum(variant.proven.values()) > 1 and len(variant.proven) == 1:
        return "yes", "no", f"all its instances run in {next(iter(variant.proven))}"
    return "yes", zone, reason


def _room(variant: VariantCapacity) -> tuple[Answer, str]:
    """Whether there is a second zone that it may use. SageMaker's own network spans the zones of the region."""
    if variant.network == "managed":
        return "yes", ""
    if variant.network == "unknown" or variant.zones is None:
        return "unknown", "its Availability Zones are unknown"
    if len(variant.zones) > 1:
        return "yes", ""
    return "no", f"its subnets lie in {variant.zones[0]} alone" if variant.zones else "its subnets lie in no zone"
