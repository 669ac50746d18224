"""Who owns what names no owner: the tags that AWS Organizations holds of the account."""

import logging
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from chalicelib.errors import AccessFailed
from chalicelib.fleet.accounts import tags_of_account
from chalicelib.inventory.remembered import Memory, of_the_day
from chalicelib.ledger.table import utc_now

if TYPE_CHECKING:
    import boto3

log = logging.getLogger(__name__)

#: Under which the tags of an account are remembered: Organizations lies in no region.
NOWHERE, SUBJECT = "global", "account-tags"


def account_tags(session: "boto3.Session", memory: Memory, account: str, *, ask: bool) -> Mapping[str, str]:
    """The tags of an account, read once a day with a session of the management account or a delegated administrator.

    Without ``ask`` those that are remembered, however old. None where they cannot be read, which costs no audit.
    """
    if not ask:
        known = memory.recall_answer(account, NOWHERE, SUBJECT)
        return _by_key(known.records) if known is not None else {}

    def read() -> list[Mapping[str, str]]:
        return [{"Key": key, "Value": value} for key, value in tags_of_account(session, account).items()]

    try:
        return _by_key(of_the_day(memory, account, NOWHERE, SUBJECT, utc_now(), read))
    except AccessFailed as error:
        log.info("%s", error)
        return {}


def _by_key(records: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    return {record["Key"]: record["Value"] for record in records}
