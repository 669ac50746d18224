"""The accounts and regions of one command: which they are, audited side by side, and put together in one report."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from threading import Event
from typing import TypeVar

from msgspec import Struct, field

from chalicelib.audit.auditor import Auditor, utc_now
from chalicelib.audit.judge import Witness
from chalicelib.audit.named import Sighted, no_such_resource
from chalicelib.cli.progress import shown_parts, shown_progress
from chalicelib.cli.sessions import SharedSession
from chalicelib.errors import AccessFailed, InvalidInput
from chalicelib.fleet.accounts import (
    NotAllowed,
    accounts_of_organization,
    answers_in,
    assumed,
    enabled_regions,
    role_arn,
)
from chalicelib.inventory.aws import Aws
from chalicelib.inventory.reader import Progress
from chalicelib.report.findings import Report
from chalicelib.report.merging import merged, report_id, unread_report
from chalicelib.scope import ResourceRef, Scope, parse_resource, partition_of
from chalicelib.service import Service

#: Accounts and regions audited at once; each has its own connections.
PLACES_AT_ONCE = 4
#: How often the main thread sees to signals while it waits.
LOOK_UP_SECONDS = 0.2
_ROLE_ARN = re.compile(r"arn:aws[a-z-]*:iam::(?P<account>\d{12}):role/[\w+=,.@/-]+")
_ROLE_NAME = re.compile(r"[\w+=,.@/-]{1,512}")

T = TypeVar("T")
R = TypeVar("R")


def side_by_side(work: Callable[[T], R], items: Iterable[T]) -> list[R]:
    """``work`` for every item on threads of their own; an interrupt does not wait for those under way.

    The main thread looks up again and again: a signal that comes while it lies down to wait would not wake it.
    """
    pool = ThreadPoolExecutor(PLACES_AT_ONCE, thread_name_prefix="place")
    try:
        begun = [pool.submit(work, item) for item in items]
        left = set(begun)
        while left:
            done, left = wait(left, timeout=LOOK_UP_SECONDS, return_when=FIRST_EXCEPTION)
            for task in done:
                task.result()
        return [task.result() for task in begun]
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


class Asked(Struct, frozen=True):
    """Which accounts and regions an audit is about, as the options say; empty: those of the credentials."""

    regions: Sequence[str] = ()
    all_regions: bool = False
    accounts: Sequence[str] = ()
    organization: bool = False
    role: str | None = None
    external_id: str | None = None

    def __post_init__(self) -> None:
        """Raises InvalidInput for options that contradict each other."""
        if self.regions and self.all_regions:
            raise InvalidInput("give either --region or --all-regions", field="--all-regions")
        if self.accounts and self.organization:
            raise InvalidInput("give either --account or --org", field="--org")
        for account in self.accounts:
            if not re.fullmatch(r"\d{12}", account):
                raise InvalidInput(f"{account!r} is no account; accepted are ids of twelve digits", field="--account")
        role = self.role
        if role is not None and not (_ROLE_ARN if role.startswith("arn:") else _ROLE_NAME).fullmatch(role):
            raise InvalidInput(f"{role!r} is no role; accepted are the name or the ARN of a role", field="--role")
        if role is not None and role.startswith("arn:") and self.several_accounts:
            raise InvalidInput(
                "the ARN of a role names one account; accepted with --account and --org is the name of a role",
                field="--role",
            )
        if self.organization and role is None:
            raise InvalidInput("--org needs --role NAME, the role to assume in each account", field="--org")
        if self.external_id is not None and role is None:
            raise InvalidInput("--external-id needs --role", field="--external-id")

    @property
    def several_accounts(self) -> bool:
        """True when the accounts are named, or are those of the organization."""
        return self.organization or bool(self.accounts)


class Place(Struct, frozen=True):
    """One account and region with the session to read it; without one ``refused`` says why."""

    account: str
    region: str
    session: SharedSession | None
    refused: NotAllowed | None = None
    resources: tuple[ResourceRef, ...] = ()

    def __str__(self) -> str:
        return f"{self.account} {self.region}"


def places(asked: Asked, service: Service, tell: Callable[[str], None]) -> list[Place]:
    """Where to audit. ``tell`` is given a sentence on each region that is left out.

    Raises InvalidInput for a region that does not exist, AccessFailed when the role or the organization is refused.
    """
    regions = tuple(dict.fromkeys(service.caller.known_region(region) for region in asked.regions)) or (
        service.caller.region,
    )
    own = service.caller.identity.account
    if not asked.several_accounts:
        account, session = _one_account(asked, service)
        return _in_regions(asked, account, session, regions, service, tell)
    if asked.organization:  # as the setting says of a deployed auditor
        service.settings = service.settings.model_copy(update={"accounts": ("organization",)})
    accounts = accounts_of_organization(service.session) if asked.organization else list(dict.fromkeys(asked.accounts))
    if asked.role is None and set(accounts) != {own}:
        raise InvalidInput(
            f"other accounts than {own}, that of the credentials, need --role NAME, the role to assume there",
            field="--account",
        )

    def of_account(account: str) -> list[Place]:
        try:
            session = service.session if account == own else _assumed(asked, account, service)
            return _in_regions(asked, account, session, regions, service, tell)
        except Exception as fault:  # one account must not end the audit of the others; it is told as a blind spot
            unexpected = NotAllowed("sts:AssumeRole", f"{type(fault).__name__}: {fault}")
            why = fault if isinstance(fault, NotAllowed) else unexpected
            return [Place(account, region, None, why) for region in regions]

    return [place for group in side_by_side(of_account, accounts) for place in group]


def _one_account(asked: Asked, service: Service) -> tuple[str, SharedSession]:
    """The account of the credentials, or that of the role."""
    if asked.role is None:
        return service.caller.identity.account, service.session
    arn = _ROLE_ARN.fullmatch(asked.role)
    account = arn["account"] if arn else service.caller.identity.account
    try:
        return account, _assumed(asked, account, service)
    except NotAllowed as refused:
        raise AccessFailed(f"{refused}; accepted is a role that trusts {service.caller.identity.account}") from None


def _assumed(asked: Asked, account: str, service: Service) -> SharedSession:
    role = asked.role or ""
    arn = role if role.startswith("arn:") else role_arn(account, role, service.caller.region)
    session: SharedSession = assumed(service.session, arn, service.caller.region, asked.external_id)
    return session


def _in_regions(
    asked: Asked,
    account: str,
    session: SharedSession,
    regions: Sequence[str],
    service: Service,
    tell: Callable[[str], None],
) -> list[Place]:
    if asked.all_regions:
        regions = _all_regions(session, account, service, tell)
    return [Place(account, region, session) for region in regions]


def _all_regions(session: SharedSession, account: str, service: Service, tell: Callable[[str], None]) -> list[str]:
    """The enabled regions of the account where SageMaker is; where they may not be listed, those that answer."""
    known = session.get_available_regions("sagemaker", partition_of(service.caller.region))
    try:
        enabled = set(enabled_regions(session, service.caller.region))
        return [region for region in known if region in enabled]
    except NotAllowed as refused:
        tell(f"{account}: the regions cannot be listed ({refused.operation} is refused); each is asked instead")
    answers = dict(zip(known, side_by_side(lambda region: answers_in(session, region), known), strict=True))
    if silent := [region for region in known if not answers[region]]:
        tell(f"{account}: not enabled, and left out: {', '.join(silent)}")
    return [region for region in known if answers[region]]


def with_resources(places: Sequence[Place], arns: Sequence[str]) -> list[Place]:
    """The places of these resources; all of them when none is named. Raises InvalidInput for one that lies nowhere."""
    if not arns:
        return list(places)
    refs: dict[Place, list[ResourceRef]] = {}
    for arn in arns:
        match = [place for place in places if arn.split(":")[3:5] == [place.region, place.account]]
        place = match[0] if match else places[0]
        ref = parse_resource(arn, account=place.account, region=place.region, field="--resource")
        refs.setdefault(place, []).append(ref)
    return [
        Place(place.account, place.region, place.session, place.refused, tuple(regions))
        for place, regions in refs.items()
    ]


class Survey(Struct, frozen=True):
    """One audit over places. ``rules`` and ``tags`` narrow it; ``progress`` is shown where somebody watches;
    ``passes`` are listed where they are asked for; once ``ended`` is set AWS is asked nothing more."""

    service: Service
    rules: frozenset[str] = frozenset()
    tags: Mapping[str, str | None] = field(default_factory=dict)
    progress: bool = True
    passes: bool = False
    ended: Event = field(default_factory=Event)

    def scope(self, place: Place) -> Scope:
        """What is audited in a place."""
        return Scope(
            account=place.account,
            region=place.region,
            partition=partition_of(place.region),
            resources=place.resources,
            rules=self.rules,
        )

    def report_of(self, place: Place, witness: Witness | None = None) -> Report:
        """The report of one place; ``witness`` is told of every outcome."""
        with shown_progress(enabled=self.progress) as progress:
            return side_by_side(lambda place: self._read(place, progress, witness), [place])[0]

    def all(self, places: Sequence[Place]) -> Report:
        """The report of all places; one that cannot be audited is a blind spot.

        Raises AccessFailed when none of them can be.
        """
        failures: list[str] = []

        def work(place: Place) -> Report:
            progress, finished = begun(str(place))
            try:
                if place.refused is not None:
                    raise place.refused
                return self._read(place, progress)
            except InvalidInput:
                raise
            except Exception as fault:  # one place must not end the audit of the others; it is told as a blind spot
                refused = isinstance(fault, NotAllowed)
                operation = fault.operation if isinstance(fault, NotAllowed) else "audit"
                reason = str(fault) if refused else f"{type(fault).__name__}: {fault}"
                failures.append(f"{place}: {reason}")
                return self._unread(place, operation, reason)
            finally:
                finished()

        with shown_parts(len(places), enabled=self.progress) as begun:
            reports = side_by_side(work, places)
        if len(failures) == len(places):
            raise AccessFailed(f"none of {len(places)} accounts and regions can be audited; the first: {failures[0]}")
        return _together(reports)

    def _read(self, place: Place, progress: Progress, witness: Witness | None = None) -> Report:
        service = self.service
        assert place.session is not None
        auditor = Auditor(
            Aws(place.session, place.region, ended=self.ended),
            service.policy,
            service.settings.lookback_days,
            progress=progress,
            tags=self.tags,
            memory=service.remembered,
            passes=self.passes,
            prices=service.prices,
            hub=service.hub,
        )
        sighted = Sighted(self.scope(place), witness)
        report = auditor.audit(sighted.scope, "cli", sighted)
        if sighted.missing:
            raise InvalidInput(no_such_resource(sighted.missing[0]), field="--resource")
        return report

    def _unread(self, place: Place, operation: str, reason: str) -> Report:
        policy = self.service.policy
        return unread_report(
            place.account,
            place.region,
            operation,
            reason,
            audit_id=report_id(),
            trigger="cli",
            policy=policy.used,
            rules=policy.enabled(self.rules),
            now=utc_now(),
        )


def _together(reports: Sequence[Report]) -> Report:
    report = merged(reports)
    scope = report.scope.model_copy(
        update={
            "accounts": report.accounts,
            "resources": [arn for report in reports for arn in report.scope.resources],
        }
    )
    return report.model_copy(update={"scope": scope, "started_at": min(report.started_at for report in reports)})
