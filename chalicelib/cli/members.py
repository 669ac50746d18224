"""``auditor doctor --org``: whether the auditor gets into each account, may read all of it, and hears its events."""

import re
from datetime import UTC, datetime
from functools import partial
from json import dumps
from pathlib import Path

from rich.console import Console
from rich.text import Text

from chalicelib.cli import show
from chalicelib.cli.doctor import PROSE, state_line
from chalicelib.cli.options import DoctorFormat
from chalicelib.cli.sessions import new_service
from chalicelib.doctor.organization import Member, MemberCheck, OrganizationDiagnosis, diagnose_organization
from chalicelib.errors import InvalidInput


def run_members(
    *,
    profile: str | None,
    region: str | None,
    policy: str | None,
    role: str | None,
    external_id: str | None,
    accounts: tuple[str, ...],
    format: DoctorFormat,
    to: Path | None,
) -> OrganizationDiagnosis:
    """Looks, and shows what was found on stdout or in a file. Raises InvalidInput, AccessFailed."""
    service = new_service(profile, region, policy)
    settings = service.settings
    entered = role or settings.role_name
    if entered is None:
        raise InvalidInput("--org needs --role NAME, the role to assume in each account", field="--role")
    if entered.startswith("arn:"):
        raise InvalidInput(
            "the ARN of a role names one account; accepted with --org is the name of a role", field="--role"
        )
    for account in accounts:
        if not re.fullmatch(r"\d{12}", account):
            raise InvalidInput(f"{account!r} is no account; accepted are ids of twelve digits", field="--account")
    service.policy  # noqa: B018  (a wrong policy is told before anything is asked)
    diagnosis = diagnose_organization(
        service,
        datetime.now(UTC),
        role=entered,
        external_id=external_id or settings.external_id,
        accounts=accounts,
        regions=settings.regions,
    )
    if format is DoctorFormat.JSON:
        show.text(dumps({"ready": diagnosis.ready, **diagnosis.model_dump(mode="json")}, indent=2) + "\n", to=to)
    else:
        show.prose(partial(_print, diagnosis), to=to, width=PROSE)
    return diagnosis


def _print(diagnosis: OrganizationDiagnosis, console: Console) -> None:
    console.print(Text(f"The auditor's own account {diagnosis.account}", "bold"))
    _check(console, diagnosis.bus)
    console.print()
    for member in diagnosis.members:
        console.print(Text(f"Account {member.account}", "bold"))
        for check in member.checks:
            _check(console, check)
        console.print()
    console.print(Text(summary(diagnosis)), soft_wrap=True)


def _check(console: Console, check: MemberCheck) -> None:
    where = f" in {check.region}" if check.region else ""
    state_line(console, check.state, f"{check.topic}{where}: {check.text}")


def summary(diagnosis: OrganizationDiagnosis) -> str:
    """One line: how many accounts are as they should be."""
    wanting = [member.account for member in diagnosis.members if not _well(member)]
    number = f"{len(diagnosis.members)} {'account' if len(diagnosis.members) == 1 else 'accounts'}"
    if not wanting:
        return f"{number}: the auditor gets in everywhere, and can read everything."
    return f"{number}, of which {len(wanting)} need a hand: {', '.join(wanting)}."


def _well(member: Member) -> bool:
    return all(check.state in ("ok", "note") for check in member.checks)
