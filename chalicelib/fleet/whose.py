"""Whose account an event is of, and with which credentials that is read."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from msgspec.structs import replace

from chalicelib.errors import InvalidInput
from chalicelib.events import ALARM
from chalicelib.fleet.accounts import Caller, NotAllowed, accounts_of_organization, assumed, role_arn
from chalicelib.inventory.aws import Aws
from chalicelib.ledger.ledger import Ledger
from chalicelib.ledger.table import utc_now
from chalicelib.scope import Scope, parse_resource
from chalicelib.settings import Settings

if TYPE_CHECKING:
    import boto3

#: An assumed role is good for an hour; a session is used for less. So long an organization is taken to stay as it is.
SESSION_MINUTES = 45


class Foreign(InvalidInput):
    """An event of an account or region that is not audited here."""


@dataclass
class Doors:
    """The doors to the accounts and regions that events may be of: the own account, in its own region and those of the
    settings, and the accounts of the settings by the role that stands there.

    Nothing of another account is read with credentials of the own one, so that neither findings of its own account nor
    of the other one are touched by what an event claims.
    """

    settings: Settings
    caller: Caller
    own: dict[str, Aws] = field(default_factory=dict)
    _others: dict[tuple[str, str], tuple[Aws, datetime]] = field(default_factory=dict)
    _listed: tuple[frozenset[str], datetime] = (frozenset(), datetime.min.replace(tzinfo=UTC))

    def of(self, scope: Scope) -> Aws:
        """The door to the account and region of a scope. Raises Foreign without one, and where its role refuses;
        AccessFailed where the organization cannot be read."""
        self.expect(scope)
        if scope.account == self.caller.account:
            return self.own.setdefault(scope.region, Aws(self.caller.session, scope.region))
        if self.settings.accounts == ("organization",) and scope.account not in self._organization():
            raise Foreign(f"the account {scope.account!r} is none of the organization, which is audited here")
        return self._assumed(scope.account, scope.region)

    def expect(self, scope: Scope) -> None:
        """Raises Foreign for an account or region that is none of those audited here, without asking AWS: which
        accounts an organization has is not looked at."""
        regions = self.settings.regions or (self.caller.region,)
        if scope.region not in (*regions, self.caller.region):
            raise Foreign(f"the region {scope.region!r} is not audited here; accepted are {', '.join(regions)}")
        named = self.settings.accounts
        member = named == ("organization",) or scope.account in named
        if scope.account != self.caller.account and not (member and self.settings.role_name):
            raise Foreign(
                f"the account {scope.account!r} is not audited here; accepted are {self.caller.account} and, where "
                "AUDITOR_ROLE_NAME is set, those of AUDITOR_ACCOUNTS"
            )

    def _organization(self) -> frozenset[str]:
        """The accounts of the organization, as they were within the last minutes."""
        accounts, until = self._listed
        if utc_now() >= until:
            accounts = frozenset(accounts_of_organization(self.caller.session))
            self._listed = accounts, utc_now() + timedelta(minutes=SESSION_MINUTES)
        return accounts

    def _assumed(self, account: str, region: str) -> Aws:
        door, until = self._others.get((account, region), (None, utc_now()))
        if door is not None and utc_now() < until:
            return door
        role = role_arn(account, self.settings.role_name or "", region)
        try:
            session: boto3.Session = assumed(self.caller.session, role, region, self.settings.external_id)
        except NotAllowed as refused:
            raise Foreign(str(refused)) from refused
        door = Aws(session, region)
        self._others[account, region] = door, utc_now() + timedelta(minutes=SESSION_MINUTES)
        return door


def with_users(scope: Scope, ledger: Ledger | None) -> Scope:
    """A scope about subnets or alarms, with the models and configs that stand on them, and what they scale, as the last
    sweep saw it."""
    names = {
        "subnet": [ref.name for ref in scope.resources if ref.kind == "subnet"],
        ALARM: [f"{ALARM}:{ref.name}" for ref in scope.resources if ref.kind == ALARM],
    }
    if not any(names.values()):
        return scope
    of_both = [*names["subnet"], *names[ALARM]]
    users = ledger.users_of(scope.account, scope.region, of_both) if ledger is not None else []
    standing = [parse_resource(arn, account=scope.account, region=scope.region) for arn in users]
    kept = [ref for ref in scope.resources if ref.kind not in names]
    return replace(scope, resources=tuple(dict.fromkeys([*kept, *standing])))
