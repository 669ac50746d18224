"""``auditor prices``: what the AWS Price List tells of regions, as a price file."""

import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from chalicelib.cli import outputs, show
from chalicelib.cli.sessions import new_service
from chalicelib.errors import AccessFailed
from chalicelib.inventory.aws import beside
from chalicelib.inventory.remembered import ProcessMemory
from chalicelib.money.catalogue import PriceList
from chalicelib.money.price_file import file_of
from chalicelib.money.prices import Component, Price, Use

#: Why there is no file, where AWS gave no reason of its own.
_TOO_LITTLE = "no price was told"


def run_prices(*, regions: Sequence[str], to: Path | None, profile: str | None) -> None:
    """Reads every use of every type in the regions, and writes the file (``to``) or shows it on stdout.

    Raises InvalidInput for a region that does not exist, and AccessFailed where AWS tells no price of one.
    """
    outputs.check(to)
    service = new_service(profile, regions[0])
    known: dict[str, dict[Use, Price]] = {}
    price_list = PriceList(
        lambda endpoint: beside(service.session, endpoint), ProcessMemory(), lambda: datetime.now(UTC)
    )
    for name in dict.fromkeys(regions):
        region = service.caller.known_region(name)
        market = price_list.market(region, (), Component)
        if not market.prices:
            raise AccessFailed(f"{'; '.join(market.notes) or _TOO_LITTLE}: {region}; nothing was written")
        for note in market.notes:
            print(f"auditor: {note}", file=sys.stderr)
        known[region] = dict(market.prices)
    file = file_of(known)
    show.text(file.model_dump_json(indent=2, exclude_none=True) + "\n", to=to)
    if to is not None:
        print(f"{len(file.prices)} prices of {', '.join(known)} are in {to}", file=sys.stderr)
