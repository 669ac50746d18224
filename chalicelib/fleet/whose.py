"""Whose account an event is of, and with which credentials that is read."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property

import boto3

from chalicelib.errors import AccessFailed, InvalidInput
from chalicelib.fleet.accounts import Caller, NotAllowed, accounts_of_organization, assumed, role_arn
from chalicelib.inventory.aws import Aws
from chalicelib.ledger.table import utc_now
from chalicelib.scope import Scope
from chalicelib.settings import Settings

#: An assumed role is good for an hour; a session is used for less.
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

    def of(self, scope: Scope) -> Aws:
        """The door to the account and region of a scope. Raises Foreign without one, and where its role refuses."""
        regions = self.settings.regions or (self.caller.region,)
        if scope.region not in (*regions, self.caller.region):
            raise Foreign(f"the region {scope.region!r} is not audited here; accepted are {', '.join(regions)}")
        if scope.account == self.caller.account:
            return self.own.setdefault(scope.region, Aws(self.caller.session, scope.region))
        if not self._audited(scope.account):
            raise Foreign(
                f"the account {scope.account!r} is not audited here; accepted are {self.caller.account} and, where "
                "AUDITOR_ROLE_NAME is set, those of AUDITOR_ACCOUNTS"
            )
        return self._assumed(scope.account, scope.region)

    def _audited(self, account: str) -> bool:
        if not self.settings.role_name:
            return False
        named = self.settings.accounts
        return account in (self._organization if named == ("organization",) else named)

    @cached_property
    def _organization(self) -> frozenset[str]:
        try:
            return frozenset(accounts_of_organization(self.caller.session))
        except AccessFailed as refused:
            raise Foreign(f"whether the account is one of the organization cannot be told: {refused}") from refused

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
