"""What an instance costs an hour, where it is known, and why not where it is not.

Prices are on-demand list prices of compute alone, in US dollars. Pure: where they come from is the matter of
:mod:`chalicelib.money.catalogue` and :mod:`chalicelib.money.price_file`.
"""

import math
import re
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import NamedTuple, Protocol

from msgspec import Struct, field

#: The only currency in which amounts are told.
CURRENCY = "USD"
#: How SageMaker names an instance type.
ML_INSTANCE = re.compile(r"ml\.[a-z0-9-]+\.[a-z0-9-]+")
#: Hours of a month, as AWS's own calculators take it.
MONTH_HOURS = 730


class Component(StrEnum):
    """What an instance is used for, in the words of AWS's price list (attribute ``component``): the same type costs
    more or less by its use."""

    HOSTING = "Hosting"
    ASYNCHRONOUS = "AsyncInf"
    TRAINING = "Training"
    PROCESSING = "Processing"
    TRANSFORM = "BatchTransform"
    NOTEBOOK = "Notebook"
    CLUSTER = "Cluster"
    JUPYTER_LAB = "Studio-JupyterLab"
    CODE_EDITOR = "studio-codeeditor"
    STUDIO_NOTEBOOK = "Studio-Notebook"


class Use(NamedTuple):
    """An instance type in one use: what a price is of, within a region."""

    instance_type: str
    component: Component

    def __str__(self) -> str:
        return f"{self.instance_type} ({self.component.value})"


class Price(Struct, frozen=True):
    """What one instance costs an hour. ``published`` is the day of the price list (ISO 8601; empty where not told);
    vCPUs, memory (GiB) and whether the type is of a current generation stand in the list too, None where they do not.
    """

    usd_per_hour: float
    published: str = ""
    vcpus: float | None = None
    memory_gib: float | None = None
    current: bool | None = None


class Unpriced(Exception):
    """There is no price to be told. The text says why."""


class Market(Struct, frozen=True):
    """The prices of one region that an audit asked for. ``source`` names where they are from; ``sample``: they are made
    up, to show how it looks. ``notes`` say, a line each, which prices are not known and why. ``whole`` are the
    components of which every type is here; ``calls`` were made for them, by ``service:Operation``."""

    region: str
    prices: Mapping[Use, Price] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    source: str = ""
    sample: bool = False
    whole: frozenset[Component] = frozenset()
    calls: Mapping[str, int] = field(default_factory=dict)

    def price(self, instance_type: str, component: Component) -> Price:
        """The price of a type in a use. Raises Unpriced where it is not known."""
        use = Use(instance_type, component)
        if use not in self.prices:
            raise Unpriced(f"no price of {use} in {self.region}")
        return self.prices[use]

    def types(self, component: Component) -> dict[str, Price]:
        """The price of every type in a use. Raises Unpriced where they were not all read."""
        if component not in self.whole:
            raise Unpriced(f"the prices of {component.value} in {self.region} are not all known")
        return {use.instance_type: price for use, price in self.prices.items() if use.component is component}


class Prices(Protocol):
    """Where prices are from."""

    def market(self, region: str, uses: Iterable[Use], whole: Iterable[Component] = ()) -> Market:
        """The prices of these uses, and of every type in the uses of ``whole``, in a region; never raises."""
        ...


def agreed(prices: Iterable[Price]) -> Price:
    """The one price of several rows. Raises Unpriced where there is none, or they contradict each other."""
    rows = list(prices)
    if not rows:
        raise Unpriced("it has no price")
    amounts = sorted({row.usd_per_hour for row in rows})
    if len(amounts) > 1:
        raise Unpriced(f"its prices contradict each other: {' and '.join(f'{amount:g}' for amount in amounts)} USD")
    return rows[0]


def positive(amount: float) -> float:
    """The amount. Raises Unpriced for one that no hour costs: zero, negative, or no number."""
    if not math.isfinite(amount) or amount <= 0:
        raise Unpriced(f"its price is {amount:g} {CURRENCY} an hour")
    return amount
