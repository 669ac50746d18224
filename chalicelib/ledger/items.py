"""A finding as an item of the table, and back."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from chalicelib.kinds import PASSING
from chalicelib.ledger.table import Item, parsed, stamp
from chalicelib.report.findings import Finding, Severity, root_arn
from chalicelib.report.known import Known
from chalicelib.report.order import sort_key

RESOLVED_DAYS = 400


def partition(account: str, region: str) -> str:
    """The key of the findings of an account and region."""
    return f"{account}#{region}"


def item_of(known: Known, lookback_days: int) -> Item:
    """The item; what passes and is not seen again expires some days after ``lookback_days``."""
    finding = known.finding
    resource = finding.resource
    item: dict[str, Any] = {
        "pk": partition(finding.account, finding.region),
        "sk": finding.id,
        "status_pk": f"{finding.account}#{finding.status}",
        "status_sk": sort_key(finding)[:1000],
        "status": finding.status,
        "last_seen": stamp(known.judged_at),
        "body": finding.model_dump_json(),
        "part": resource.part,
        "seen": stamp(finding.last_seen),
    }
    if root := root_arn(finding):
        item["arn"] = root
    if known.last_told is not None:
        item["last_told"] = stamp(known.last_told)
    if known.severity_told is not None:
        item["severity_told"] = known.severity_told.value
    if known.version is not None:
        item["version"] = known.version
    if known.owed:
        item["owed"] = dict(known.owed)
    if known.claimed_until is not None:
        item["claimed"] = stamp(known.claimed_until)
    days: int | None = None
    if finding.status == "resolved":
        days = RESOLVED_DAYS
    elif resource.kind in PASSING:
        days = lookback_days + 2
    if days is not None:
        item["expires"] = int((known.judged_at + timedelta(days=days)).timestamp())
    return item


def known_of(item: Item) -> Known:
    """What an item says."""
    finding = Finding.model_validate_json(item["body"])
    resource = finding.resource.model_copy(update={"part": item["part"]})
    exact = {"resource": resource, "last_seen": parsed(item["seen"])}
    last_told, severity, claimed = item.get("last_told"), item.get("severity_told"), item.get("claimed")
    return Known(
        finding.model_copy(update=exact),
        parsed(last_told) if last_told else None,
        Severity(severity) if severity else None,
        item.get("owed", {}),
        parsed(claimed) if claimed else None,
        item.get("version"),
    )


def by_id(items: Iterable[Item]) -> dict[str, Known]:
    """What items say, by the id of the finding."""
    return {known.finding.id: known for known in map(known_of, items)}
