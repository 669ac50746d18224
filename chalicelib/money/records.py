"""One record of AWS's price list: which use of which type it prices, and at how much.

A record is taken only where nothing about it has to be guessed. The list holds rows that mislead: fees of training
plans look like hours and name no component, free tiers cost zero, and the wording of ``usagetype`` differs by
partition. Form: https://docs.aws.amazon.com/awsaccountbilling/latest/aboutv2/using-price-list-query-api-how.html
"""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from chalicelib.money.prices import CURRENCY, ML_INSTANCE, Component, Price, Unpriced, Use, positive

PRODUCT_FAMILY = "ML Instance"
_LOCATION = "AWS Region"
_COMPONENTS = {component.value.casefold(): component for component in Component}


class Record(NamedTuple):
    """What a record prices, in which region, and its terms; ``price`` reads these."""

    use: Use
    region: str
    body: Mapping[str, Any]

    def price(self) -> Price:
        """The price. Raises Unpriced for anything but one on-demand term with one dimension, in US dollars an hour."""
        terms = _mapping(_mapping(self.body, "terms"), "OnDemand")
        if len(terms) != 1:
            raise Unpriced(f"it has {len(terms)} on-demand terms, and one would be clear")
        dimensions = _mapping(next(iter(terms.values())), "priceDimensions")
        if len(dimensions) != 1:
            raise Unpriced(f"its price has {len(dimensions)} dimensions, and one would be clear")
        dimension = next(iter(dimensions.values()))
        unit = dimension.get("unit") if isinstance(dimension, Mapping) else None
        if unit != "Hrs":
            raise Unpriced(f"its price is by {unit}, not by the hour")
        amounts = _mapping(dimension, "pricePerUnit")
        if CURRENCY not in amounts:
            raise Unpriced(f"its price is in {', '.join(map(str, amounts)) or 'no currency'}, and amounts are in USD")
        attributes = _attributes(self.body)
        return Price(
            usd_per_hour=positive(_number(amounts[CURRENCY]) or 0.0),
            published=str(self.body.get("publicationDate") or "")[:10],
            vcpus=_number(attributes.get("vCpu")),
            memory_gib=_number(str(attributes.get("memory") or "").removesuffix("GiB")),
            current={"yes": True, "no": False}.get(str(attributes.get("currentGeneration")).lower()),
        )


def record(item: Any) -> Record | None:
    """The record in an item of ``PriceList``, which is a text of JSON; None for what prices no use of an ML instance in
    a region. Raises Unpriced for what is no record at all."""
    try:
        body = json.loads(item) if isinstance(item, str) else item
    except ValueError:
        raise Unpriced("AWS's answer holds an item that is no JSON") from None
    if not isinstance(body, Mapping):
        raise Unpriced("AWS's answer holds an item that is no record")
    attributes = _attributes(body)
    component = _COMPONENTS.get(str(attributes.get("component") or "").casefold())
    name, region = attributes.get("instanceName"), attributes.get("regionCode")
    if component is None or not isinstance(name, str) or not isinstance(region, str):
        return None
    if not ML_INSTANCE.fullmatch(name):
        return None
    if attributes.get("locationType") != _LOCATION or _mapping(body, "product").get("productFamily") != PRODUCT_FAMILY:
        return None
    return Record(Use(name, component), region, body)


def _attributes(body: Mapping[str, Any]) -> Mapping[str, Any]:
    return _mapping(_mapping(body, "product"), "attributes")


def _mapping(record: Any, key: str) -> Mapping[str, Any]:
    """The mapping under a key of a record; an empty one where there is none."""
    value = record.get(key) if isinstance(record, Mapping) else None
    return value if isinstance(value, Mapping) else {}


def _number(value: Any) -> float | None:
    """A number as the list writes it, with commas between thousands; None for anything else."""
    try:
        return float(str(value).replace(",", ""))
    except ValueError:
        return None
