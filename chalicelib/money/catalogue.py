"""Prices from the AWS Price List API, remembered for a week.

The API has an endpoint in few regions, and none in some partitions; it needs ``pricing:GetProducts``. One call tells
all uses of a type. Where many types are asked for, a use is read whole instead, page by page.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from chalicelib.inventory.answers import CallFailed
from chalicelib.inventory.remembered import Memory
from chalicelib.money.kept import Kept, Shelf
from chalicelib.money.prices import Component, Market, Unpriced, Use, agreed
from chalicelib.money.records import PRODUCT_FAMILY, Record, record
from chalicelib.scope import partition_of

if TYPE_CHECKING:
    from chalicelib.inventory.aws import Aws

SERVICE_CODE = "AmazonSageMaker"
OPERATION = "pricing:GetProducts"
#: Where the API is asked, by partition. In China it tells CNY; in other partitions there is none.
ENDPOINT_REGIONS = {"aws": "us-east-1", "aws-cn": "cn-northwest-1"}
#: From so many types in a region on, uses are read whole.
MANY_TYPES = 7
PAGE = 100
#: For how long all calls of an audit for prices may begin: they are worth no more waiting.
SECONDS = 20.0
_SOURCE, _UNLISTED = "AWS Price List", "AWS lists none"


@dataclass
class PriceList:
    """Prices of AWS. ``door`` makes a door to a region, with the credentials of the auditor itself."""

    door: Callable[[str], "Aws"]
    memory: Memory
    clock: Callable[[], datetime]

    def market(self, region: str, uses: Iterable[Use], whole: Iterable[Component] = ()) -> Market:
        """The prices of these uses, from memory where it has them, else from AWS."""
        wanted, components = sorted(set(uses)), frozenset(whole)
        if not wanted and not components:
            return Market(region)
        endpoint = ENDPOINT_REGIONS.get(partition_of(region))
        if endpoint is None:
            reason = f"AWS has no price list in {partition_of(region)}; a price file can tell them"
            return Market(region, notes=(f"prices unavailable: {reason}",))
        shelf = Shelf.of(self.memory, region, self.clock())
        failure, calls = None, Counter[str]()
        if lacking := shelf.lacking(wanted, components):
            aws = self.door(endpoint)
            aws.begin(SECONDS)
            failure, calls = _read(aws, shelf, *lacking), aws.calls
            shelf.keep(self.memory)
        return Market(
            region,
            prices=shelf.prices(wanted, components),
            notes=((f"prices unavailable: {failure}",) if failure else ()) + shelf.notes(wanted),
            source=_SOURCE,
            whole=shelf.whole & components,
            calls=calls,
        )


def _read(aws: "Aws", shelf: Shelf, uses: list[Use], components: frozenset[Component]) -> str | None:
    """Puts on the shelf what AWS tells; the reason why not all of it could be read, or None."""
    region, none = shelf.region, {use: Kept(reason=_UNLISTED) for use in uses}
    if len({use.instance_type for use in uses if use.component not in components}) >= MANY_TYPES:
        components |= {use.component for use in uses}
    try:
        for component in sorted(components):
            priced = _priced(_records(aws, region, {"component": component.value}), region, component=component)
            shelf.put_whole(component, {use: kept for use, kept in none.items() if use.component is component} | priced)
        for name in sorted({use.instance_type for use in uses if use.component not in components}):
            priced = _priced(_records(aws, region, {"instanceName": name}), region, name=name)
            shelf.put({use: kept for use, kept in none.items() if use.instance_type == name} | priced)
    except CallFailed as failure:
        return f"{failure.operation}: {failure.code}"
    except Unpriced as unpriced:
        return str(unpriced)
    return None


def _records(aws: "Aws", region: str, narrowed: Mapping[str, str]) -> Iterator[Record]:
    """The records of a region that AWS lists under these attributes. Raises CallFailed, and Unpriced for an answer that
    holds what is no record."""
    fields = {"productFamily": PRODUCT_FAMILY, "regionCode": region, **narrowed}
    filters = [{"Type": "TERM_MATCH", "Field": name, "Value": value} for name, value in fields.items()]
    pages = aws.pages("pricing", "GetProducts", "PriceList", ServiceCode=SERVICE_CODE, Filters=filters, MaxResults=PAGE)
    for page in pages:
        for item in page:
            if (row := record(item)) is not None:
                yield row


def _priced(
    rows: Iterable[Record], region: str, *, name: str | None = None, component: Component | None = None
) -> dict[Use, Kept]:
    """What rows tell of each use of ``region``, of a type (``name``) or a ``component``. A server may answer more than
    it was asked for."""
    by_use: dict[Use, list[Record]] = {}
    for row in rows:
        if row.region == region and name in (None, row.use.instance_type) and component in (None, row.use.component):
            by_use.setdefault(row.use, []).append(row)
    return {use: _of(group) for use, group in by_use.items()}


def _of(rows: list[Record]) -> Kept:
    """The price of a use, or why there is none."""
    prices, reason = [], ""
    for row in rows:
        try:
            prices.append(row.price())
        except Unpriced as unpriced:
            reason = str(unpriced)
    try:
        return Kept(agreed(prices))
    except Unpriced as unpriced:
        return Kept(reason=str(unpriced) if prices else reason)
