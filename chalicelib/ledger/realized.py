"""What resolved findings saved, in the ledger's table: an item for each finding and the day on which it resolved."""

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pydantic import ValidationError

from chalicelib.kinds import PASSING
from chalicelib.ledger.table import Expression, ItemTable, utc_now
from chalicelib.money.prices import Price, Prices, Use
from chalicelib.money.standing import Standing, realization
from chalicelib.report.findings import Finding
from chalicelib.report.realized import Realization, Realized, realized

log = logging.getLogger(__name__)

KEPT_DAYS = 400


@dataclass
class RealizedSavings:
    """The realized savings in ``table``; ``prices`` tell what a new instance type costs. Every method raises
    LedgerFailed when the table cannot be used."""

    table: str
    client: Any
    prices: Prices
    clock: Callable[[], datetime] = utc_now

    def __post_init__(self) -> None:
        self._table = ItemTable(self.table, self.client)

    def note(
        self,
        account: str,
        moment: datetime,
        resolved: Iterable[Finding],
        reported: Iterable[Finding],
        standing: Mapping[str, Standing],
        gone: frozenset[str],
    ) -> None:
        """Keeps what these resolved findings saved, and takes off what findings had saved that are ``reported`` again.
        Jobs pass by themselves, and save nothing by that."""
        day = moment.date()
        active = {entry.id: entry for entry in self._entries(account) if entry.back is None}
        for finding in reported:
            if finding.id in active and finding.status != "resolved":
                self._put(active[finding.id].model_copy(update={"back": day}))
        for finding in resolved:
            if finding.resource.kind in PASSING:
                continue
            saved = realization(
                finding,
                day,
                standing.get(finding.id),
                gone=finding.id in gone,
                price_of=lambda use, region=finding.region: self._price(region, use),  # type: ignore[misc]
            )
            if saved is not None:
                self._put(saved)

    def of(self, account: str) -> Realized:
        """What the account has saved."""
        return realized(self._entries(account))

    def _price(self, region: str, use: Use) -> Price | None:
        return self.prices.market(region, [use]).prices.get(use)

    def _entries(self, account: str) -> list[Realization]:
        entries = []
        for item in self._table.query(Expression("pk = :pk", pk=f"realized#{account}")):
            try:
                entries.append(Realization.model_validate_json(item["body"]))
            except (KeyError, ValidationError) as error:
                log.warning("a realized saving cannot be read: %s", error)
        return entries

    def _put(self, entry: Realization) -> None:
        expires = int((self.clock() + timedelta(days=KEPT_DAYS)).timestamp())
        key = {"pk": f"realized#{entry.account}", "sk": f"{entry.id}#{entry.day.isoformat()}"}
        self._table.put({**key, "body": entry.model_dump_json(), "expires": expires})
