"""What the triggers do: a session, an identity, a policy and a scope become a report, and the report a notice."""

import hashlib
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    HTTPClientError,
    NoCredentialsError,
    PartialCredentialsError,
)
from botocore.exceptions import (
    ConnectionError as AwsConnectionError,
)

from chalicelib import events
from chalicelib.audit.auditor import Auditor, Trigger
from chalicelib.audit.judge import Witness
from chalicelib.audit.resolution import Answers
from chalicelib.errors import AccessFailed, InvalidInput
from chalicelib.fleet.fleet import Fleet
from chalicelib.inventory.aws import Aws
from chalicelib.inventory.reader import Progress, no_progress
from chalicelib.inventory.remembered import Memory, ProcessMemory
from chalicelib.ledger.configs import TableMemory
from chalicelib.ledger.history import History
from chalicelib.ledger.ledger import Ledger
from chalicelib.ledger.runs import Runs
from chalicelib.notices import sns
from chalicelib.notices.decide import decide, digest, notices_of_event
from chalicelib.notices.notice import Notice
from chalicelib.notices.publisher import Audited, Channel, Teller
from chalicelib.policy.policy import Policy, load_policy, unknown_rule
from chalicelib.report.findings import Judged, Report
from chalicelib.scope import ResourceRef, Scope, parse_resource, partition_of
from chalicelib.settings import Settings
from chalicelib.storage import store_text
from chalicelib.templating import use_templates

if TYPE_CHECKING:
    from chalicelib.notices.email import Attachment

from chalicelib.report.merging import merged

log = logging.getLogger(__name__)


#: An event about a subnet audits at most this many of the resources that stand on it; the next sweep sees all.
MAX_USERS = 20


@dataclass(frozen=True, slots=True)
class Identity:
    """Whose credentials are in use."""

    account: str
    partition: str
    arn: str


@dataclass
class Service:
    """One process's worth of auditing: clients, policy and identity are made once and kept.

    ``memory`` remembers endpoint configs beyond the life of the process; without one the ledger's table does, if any.
    """

    settings: Settings
    session: boto3.Session
    progress: Progress = no_progress
    memory: Memory | None = None

    def __post_init__(self) -> None:
        use_templates(self.settings.templates)
        self._doors: dict[str, Aws] = {}

    @cached_property
    def policy(self) -> Policy:
        """The policy in force."""
        return load_policy(self.settings.policy)

    @cached_property
    def region(self) -> str:
        """The region of the process. Raises InvalidInput when nothing names one, or it does not exist."""
        region = self.session.region_name
        if not region:
            raise InvalidInput(
                "no AWS region is set; accepted are --region, AWS_DEFAULT_REGION or a profile that names a region",
                field="region",
            )
        return self.known_region(region)

    def known_region(self, region: str) -> str:
        """The region, if SageMaker is there. Raises InvalidInput that lists the regions which would be accepted."""
        partitions = self.session.get_available_partitions()
        known = {one for name in partitions for one in self.session.get_available_regions("sagemaker", name)}
        if region not in known:
            raise InvalidInput(f"unknown region {region!r}; accepted are {', '.join(sorted(known))}", field="region")
        return region

    @cached_property
    def identity(self) -> Identity:
        """The account of the credentials. Raises AccessFailed when there are none, or AWS refuses them or is away."""
        config = Config(connect_timeout=5, read_timeout=10, retries={"mode": "standard", "total_max_attempts": 2})
        try:
            answer = self.session.client("sts", region_name=self.region, config=config).get_caller_identity()
        except (NoCredentialsError, PartialCredentialsError):
            raise AccessFailed(
                "no AWS credentials were found; accepted are --profile, AWS_PROFILE, AWS_ACCESS_KEY_ID with "
                "AWS_SECRET_ACCESS_KEY, or the role of the machine"
            ) from None
        except (AwsConnectionError, HTTPClientError) as error:
            raise AccessFailed(f"AWS cannot be reached: {error}; check the network and AWS_ENDPOINT_URL") from None
        except ClientError as error:
            details = error.response.get("Error", {})
            raise AccessFailed(
                f"AWS refused the credentials ({details.get('Code')}: {details.get('Message')}); "
                "accepted are credentials that sts get-caller-identity takes"
            ) from None
        except BotoCoreError as error:
            raise AccessFailed(f"the AWS configuration cannot be used: {error}") from None
        return Identity(account=answer["Account"], partition=answer["Arn"].split(":")[1], arn=answer["Arn"])

    def audit(self, scope: Scope, trigger: Trigger, witness: Witness | None = None) -> Report:
        """One scope read, judged and reported; ``witness`` is told of every outcome."""
        door = self._doors.setdefault(scope.region, Aws(self.session, scope.region))
        return self._auditor(door).audit(scope, trigger, witness)

    def _auditor(self, door: Aws) -> Auditor:
        lookback = self.settings.lookback_days
        return Auditor(door, self.policy, lookback, progress=self.progress, memory=self.remembered)

    @cached_property
    def _dynamodb(self) -> Any:
        """The one client of the table: making a client takes longer than a call."""
        return self.session.client("dynamodb", region_name=self.region)

    @cached_property
    def remembered(self) -> ProcessMemory:
        """What audits remember of each other: in the process, and beyond it where there is a place."""
        if self.memory is None and self.settings.table is not None:
            return ProcessMemory(TableMemory(self.settings.table, self._dynamodb))
        return ProcessMemory(self.memory)

    def scope(
        self, region: str | None = None, resources: Sequence[ResourceRef] = (), rules: Sequence[str] = ()
    ) -> Scope:
        """A scope in the account of the credentials. Raises InvalidInput for a rule that does not exist."""
        for id in rules:
            if id not in self.policy.rules:
                raise InvalidInput(unknown_rule(id, self.policy.rules), field="rules")
        where = self.region if region is None else self.known_region(region)
        return Scope(
            account=self.identity.account,
            region=where,
            partition=self.identity.partition,
            resources=tuple(resources),
            rules=frozenset(rules),
        )

    # ---- triggers

    def on_schedule(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """A sweep of every configured region, and one digest for the account, even when all is clean."""
        if self.settings.accounts:
            run = self.fleet.start("schedule", id=_run_id(event))
            self.fleet.close_stale()
            return {"run": run.id, "parts": run.parts}
        account = event.get("account") or self.identity.account
        regions = self.settings.regions or (event.get("region") or self.region,)
        scopes = [Scope(account, self.known_region(region), partition_of(region)) for region in regions]
        audited = [self.audited(scope, "schedule") for scope in scopes]
        report = merged([one.report for one in audited])
        self.teller.sweep(audited, report)
        return summary(report)

    def on_event(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """The resource that a native event names, and a notice when there is something to tell.

        An event that cannot be understood is logged and dropped, as it would fail for ever.
        """
        try:
            scope = events.scope_of(event)
        except InvalidInput as error:
            log.warning("event %s dropped: %s", event.get("id"), error)
            return {"dropped": str(error)}
        scope = self._with_users(scope)
        if not scope.resources:
            log.info("event %s: nothing that is known stands on it", event.get("id"))
            return {"dropped": "nothing that is known stands on it"}
        audited = self.audited(scope, "event")
        notices = self.teller.event(audited)
        return {**summary(audited.report), "notices": len(notices)}

    def _with_users(self, scope: Scope) -> Scope:
        """A scope about subnets, with the models and configs that stand on them as the last sweep saw them."""
        subnets = [ref.name for ref in scope.resources if ref.kind == "subnet"]
        if not subnets:
            return scope
        users = self.ledger.users_of(scope.account, scope.region, subnets) if self.ledger is not None else []
        found = [parse_resource(arn, account=scope.account, region=scope.region) for arn in users[:MAX_USERS]]
        kept = [ref for ref in scope.resources if ref.kind != "subnet"]
        return replace(scope, resources=tuple(dict.fromkeys([*kept, *found])))

    def on_parts(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """Parts of a run that SQS hands over; answers those that failed."""
        return self.fleet.work(event)

    @cached_property
    def fleet(self) -> Fleet:
        """Runs over many accounts and regions. Raises InvalidInput when no table is configured."""
        if self.settings.table is None:
            raise InvalidInput("runs need AUDITOR_TABLE, the table that keeps their state")
        return Fleet(
            settings=self.settings,
            session=self.session,
            account=self.identity.account,
            region=self.region,
            policy=self.policy,
            runs=Runs(self.settings.table, self._dynamodb),
            teller=self.teller,
            audit_part=self._audit_part,
            merged=merged,
        )

    def _audit_part(self, scope: Scope, trigger: str, session: boto3.Session) -> Audited:
        """A part of a run, read with the credentials of its account."""
        answers = self._answers(scope)
        door = Aws(session, scope.region)
        return Audited.by(self._auditor(door).audit(scope, _trigger(trigger), answers), answers)

    def replay(self, scope: Scope) -> tuple[Report, list[Notice]]:
        """What an event about this scope would find, and the notices that it would send; none is sent or remembered."""
        audited = self.audited(self._with_users(scope), "event")
        return audited.report, self.teller.preview(audited)

    def preview(self, report: Report, scope: Scope) -> list[Notice]:
        """The notices of a report as if nothing had been told before: one digest, or those of named resources."""
        changes = decide(report, {}, Judged(), self.policy)
        if scope.whole:
            return [digest(changes, report, self.policy)]
        return notices_of_event(changes, report, self.policy)

    def audited(self, scope: Scope, trigger: Trigger) -> Audited:
        """One scope read, judged and reported, with what that says of findings known before."""
        answers = self._answers(scope)
        return Audited.by(self.audit(scope, trigger, answers), answers)

    def _answers(self, scope: Scope) -> Answers:
        known = None
        if scope.whole and self.ledger is not None:
            known = self.ledger.unresolved(scope.account, scope.region)
        return Answers(scope, frozenset(self.policy.enabled(scope.rules)), known)

    def on_notice(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """Notices that SNS hands over, in Slack. Raises SlackFailed, so that Lambda tries again."""
        from chalicelib.notices import slack  # only this function speaks to Slack

        return slack.deliver_event(event, self.settings, self.session)

    # ---- telling and remembering

    @cached_property
    def ledger(self) -> Ledger | None:
        """What was known before; None where no table is configured."""
        if self.settings.table is None:
            return None
        return Ledger(self.settings.table, self._dynamodb, self.settings.lookback_days)

    @cached_property
    def history(self) -> History | None:
        """The posture of past sweeps; None where no table is configured."""
        if self.settings.table is None:
            return None
        return History(self.settings.table, self._dynamodb)

    @cached_property
    def teller(self) -> Teller:
        """Who is told, by which channels."""
        return Teller(self.policy, self._channels(), self.ledger, self._report_url, self.history)

    def _channels(self) -> dict[str, Channel]:
        channels: dict[str, Channel] = {}
        settings = self.settings
        if settings.security_hub:
            hub = self.session.client("securityhub", region_name=self.region)
            channels["security-hub"] = lambda notice, _: self._in_hub(notice, hub)
        if settings.email_from and settings.email_to:
            from chalicelib.notices import email

            ses = self.session.client("sesv2", region_name=self.region)
            channels["email"] = lambda notice, report: email.deliver(notice, settings, ses, _pages(notice, report))
        topic = settings.topic_arn
        if topic is not None:
            client = self.session.client("sns", region_name=topic.split(":")[3])
            channels["sns"] = lambda notice, _: sns.publish(notice, topic, client)
        return channels

    def _in_hub(self, notice: Notice, hub: Any) -> None:
        """Imports a notice of the own account: the default product takes no findings of others."""
        from chalicelib.notices import security_hub

        if notice.account == self.identity.account:
            security_hub.deliver(notice, self.settings, hub)
        else:
            log.info("findings of %s are not imported: its own Security Hub alone takes them", notice.account)

    def _report_url(self, report: Report) -> str | None:
        """Where the whole report can be read: in the bucket, else at ``GET /audit``, else nowhere."""
        if self.settings.bucket is not None:
            key = f"reports/{report.started_at:%Y/%m/%d}/{report.audit_id}.json"
            return store_text(self.session, self.settings.bucket, key, report.model_dump_json())
        return f"{self.settings.url.rstrip('/')}/audit" if self.settings.url else None


def _pages(notice: Notice, report: Report) -> "list[Attachment]":
    """The report page that travels with a digest."""
    if notice.kind != "digest":
        return []
    from chalicelib.notices.email import Attachment
    from chalicelib.report.formats.page import page

    name = f"sagemaker-audit-{notice.account}-{report.finished_at:%Y-%m-%d}.html"
    return [Attachment(name, page(report).encode(), "text/html")]


def _trigger(given: str) -> Trigger:
    return "http" if given == "http" else "schedule"


def _run_id(event: Mapping[str, Any]) -> str | None:
    """The same id for an event delivered twice, so that it begins one run."""
    id = event.get("id")
    return f"a-{hashlib.sha256(id.encode()).hexdigest()[:20]}" if isinstance(id, str) and id else None


def summary(report: Report) -> dict[str, Any]:
    """What a function answers to its trigger: enough to find the audit again."""
    return {
        "audit_id": report.audit_id,
        "findings": len(report.open_findings()),
        "blind_spots": len(report.blind_spots),
        "complete": report.complete,
    }
