"""Whether an audit could see everything with these credentials and settings, and what it would be blind to.

Reads only. Each permission is tried by one harmless request (:mod:`chalicelib.doctor.probes`), all side by side.
"""

import re
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any, Literal

import boto3
from botocore.config import Config
from pydantic import BaseModel, ConfigDict

from chalicelib.doctor.probes import Probe, needed, note_on, probes
from chalicelib.errors import AccessFailed, AuditorError, InvalidInput, nearest
from chalicelib.inventory.answers import PARALLEL_CALLS, CallFailed, Gone
from chalicelib.inventory.aws import Aws
from chalicelib.inventory.parts import action
from chalicelib.money import estimates
from chalicelib.money.catalogue import ENDPOINT_REGIONS, SERVICE_CODE
from chalicelib.money.catalogue import OPERATION as PRICE_OPERATION
from chalicelib.notices.channels import CHANNELS, Lookup
from chalicelib.policy.policy import Policy
from chalicelib.report.findings import utc_text
from chalicelib.scope import Scope
from chalicelib.service import Service
from chalicelib.settings import PREFIX, Settings
from chalicelib.templating import use_templates

#: A probe is not worth waiting for: what does not answer soon is told as unclear.
QUICK = Config(
    connect_timeout=3,
    read_timeout=10,
    retries={"mode": "standard", "total_max_attempts": 2},
    max_pool_connections=PARALLEL_CALLS,
    user_agent_extra="sagemaker-resilience-auditor",
)
#: Read beside the settings: by the command line, and when the functions are packed.
_OTHER_VARIABLES = {
    f"{PREFIX}{name}" for name in ("DEBUG", "SAGEMAKER_SOURCE", "SCALING_SOURCE", "AUTOSCALING_SOURCE", "EC2_SOURCE")
}
_WITHOUT_PRICES = "Without it savings are told without amounts."
_WITHOUT_ESTIMATES = "Without it AWS's own estimates are not shown."
_EXPLICIT = re.compile(
    r"with an explicit deny in an? (?P<where>[a-z -]+?(?:policy|boundary))(?:: (?P<arn>arn:\S+))?", re.IGNORECASE
)
_IMPLICIT = re.compile(r"because no (?P<where>[a-z -]+?(?:policy|boundary)) allows", re.IGNORECASE)
_THROTTLED = ("Throttling", "ThrottlingException", "RequestLimitExceeded", "TooManyRequestsException", "Throttled")
_ABSENT = (
    "404",
    "AWS.SimpleQueueService.NonExistentQueue",
    "InvalidAccessException",  # Security Hub that is not enabled
    "NoSuchBucket",
    "NotFoundException",
    "ResourceNotFoundException",
    "NotFound",
    "QueueDoesNotExist",
)
_SOURCES = {
    "env": "environment variables",
    "shared-credentials-file": "the shared credentials file",
    "config-file": "the AWS config file",
    "assume-role": "a role that the profile assumes",
    "assume-role-with-web-identity": "a role assumed with a web identity",
    "sso": "IAM Identity Center",
    "custom-process": "the credential process of the profile",
    "container-role": "the role of the container",
    "iam-role": "the role of the instance",
}


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True)


class Check(_Model):
    """One thing looked at. ``wrong`` stands in the way; ``note`` deserves a look; ``unclear`` could not be told."""

    topic: Literal["credentials", "region", "settings", "policy", "deployed"]
    state: Literal["ok", "note", "wrong", "unclear"]
    subject: str
    text: str


class Permission(_Model):
    """Whether an operation is allowed, and which rules may be unknown where it is not.

    ``denied_by`` is the kind of policy that denies it, in AWS's words, where AWS tells; ``explicit``: it denies in so
    many words, so that allowing it elsewhere does not help. ``named``: asked of a name that nothing has.
    """

    operation: str
    state: Literal["allowed", "denied", "unclear"]
    reason: str = ""
    denied_by: str | None = None
    explicit: bool = False
    named: bool = False
    effect: list[str] = []
    note: str = ""


class Diagnosis(_Model):
    """What the doctor found. ``rules`` counts the enabled ones; ``policy_to_add`` is an IAM policy, or None."""

    audit: Literal["sweep", "event"]
    checks: list[Check]
    permissions: list[Permission] = []
    rules: int = 0
    blind: list[str] = []
    policy_to_add: dict[str, Any] | None = None

    @property
    def missing(self) -> list[Permission]:
        """The permissions that are denied or unclear."""
        return [permission for permission in self.permissions if permission.state != "allowed"]

    def wrong(self, *topics: str) -> bool:
        """True when something under one of these topics stands in the way of an audit."""
        return any(check.state == "wrong" and check.topic in topics for check in self.checks)


def diagnose(
    session: boto3.Session,
    environment: Mapping[str, str],
    now: datetime,
    *,
    policy: str | None = None,
    event: bool = False,
) -> Diagnosis:
    """Looks at settings, policy, region, credentials, each permission, and what the settings name."""
    checks = settings_checks(environment)
    service = Service(_settings(environment, policy), session)
    loaded = _policy(service, checks)
    scope = _scope(service, checks, now)
    audit: Literal["sweep", "event"] = "event" if event else "sweep"
    if scope is None or loaded is None:
        return Diagnosis(audit=audit, checks=checks)
    aws = Aws(session, scope.region, QUICK, attempts=1)
    permissions = tried(aws, scope, loaded, now, sweep=not event)
    if service.settings.prices:
        permissions += price_permission(session, scope, checks)
    if service.settings.estimates and (region := estimates.ENDPOINT_REGIONS.get(scope.partition)) is not None:
        permissions.append(_beside(session, region, estimates.OPERATION, {"maxResults": 1}, _WITHOUT_ESTIMATES))
    checks += deployed_checks(service.settings, session, scope)
    return Diagnosis(
        audit=audit,
        checks=checks,
        permissions=permissions,
        rules=len(loaded.enabled()),
        blind=sorted({id for permission in permissions if permission.state != "allowed" for id in permission.effect}),
        policy_to_add=policy_to_add(permissions),
    )


# ---- settings, policy, region, credentials


def settings_checks(environment: Mapping[str, str]) -> list[Check]:
    """Every variable of the auditor that is set, without what is secret, and what is wrong among them."""
    known = {f"{PREFIX}{name.upper()}": field for name, field in Settings.model_fields.items()}
    accepted = sorted({*known, *_OTHER_VARIABLES})
    checks = []
    for name in sorted(variable for variable in environment if variable.startswith(PREFIX)):
        value = environment[name]
        if name not in accepted:
            near = nearest(name, accepted)
            hint = f"; did you mean {near}?" if near else ""
            checks.append(_check("settings", "note", name, f"is no setting and changes nothing{hint}"))
        elif name in known and (known[name].repr is False or _is_address(name, value)):
            checks.append(_check("settings", "ok", name, "is set; its value is not shown"))
        else:
            checks.append(_check("settings", "ok", name, value or "is empty, as if it were not set"))
    try:
        settings = Settings.from_environment(environment)
        use_templates(settings.templates)
    except InvalidInput as error:
        checks.append(_check("settings", "wrong", "settings", str(error)))
        return checks
    if settings.slack_secret and "://" in settings.slack_secret:
        text = "holds an address; accepted is the name of the secret that holds it"
        checks.append(_check("settings", "wrong", f"{PREFIX}SLACK_SECRET", text))
    return checks


def _is_address(name: str, value: str) -> bool:
    """True for a webhook's address where its secret's name belongs."""
    return name == f"{PREFIX}SLACK_SECRET" and "://" in value


def _settings(environment: Mapping[str, str], policy: str | None) -> Settings:
    """The settings, or the defaults where they are wrong: the rest can still be looked at."""
    try:
        settings = Settings.from_environment(environment)
    except InvalidInput:
        settings = Settings(policy=environment.get(f"{PREFIX}POLICY") or Settings().policy)
    return settings.model_copy(update={"templates": None, **({"policy": policy} if policy else {})})


def _policy(service: Service, checks: list[Check]) -> Policy | None:
    try:
        policy = service.policy
    except AuditorError as error:
        checks.append(_check("policy", "wrong", service.settings.policy, str(error)))
        return None
    text = f"{len(policy.enabled())} of {len(policy.rules)} rules enabled, digest {policy.digest}"
    checks.append(_check("policy", "ok", policy.name, text))
    return policy


def _scope(service: Service, checks: list[Check], now: datetime) -> Scope | None:
    try:
        region = service.caller.region
    except InvalidInput as error:
        checks.append(_check("region", "wrong", service.session.region_name or "no region", str(error)))
        return None
    checks.append(_check("region", "ok", region, "SageMaker is there"))
    try:
        identity = service.caller.identity
    except AccessFailed as error:
        checks.append(_check("credentials", "wrong", "credentials", str(error)))
        return None
    checks.append(_check("credentials", "ok", "account", identity.account))
    checks.append(_check("credentials", "ok", "who", identity.arn))
    if identity.arn.endswith(":root"):
        text = "is the root user, which nobody should work as; accepted is any role that may read"
        checks.append(_check("credentials", "note", "root", text))
    credentials = service.session.get_credentials()
    method = str(getattr(credentials, "method", None) or "an unknown place")
    checks.append(_check("credentials", "ok", "from", _SOURCES.get(method, method)))
    expires = getattr(credentials, "_expiry_time", None)  # botocore has no public name for it
    if expires is not None:
        soon = (expires - now).total_seconds() < 900
        text = f"{utc_text(expires)}; the SDK renews them where it can"
        checks.append(_check("credentials", "note" if soon else "ok", "expire", text))
    elif getattr(credentials, "token", None):
        checks.append(_check("credentials", "ok", "expire", "they are temporary; when they end is not told"))
    return Scope(identity.account, region, identity.partition)


def _check(topic: Any, state: Any, subject: str, text: str) -> Check:
    return Check(topic=topic, state=state, subject=subject, text=text)


# ---- permissions


def tried(aws: Aws, scope: Scope, policy: Policy, now: datetime, *, sweep: bool) -> list[Permission]:
    """Each operation that an audit by the policy's rules may call, with the answer to its probe."""
    asked = probes(scope, now)
    effects = needed(policy.enabled(), sweep=sweep)
    with ThreadPoolExecutor(PARALLEL_CALLS, thread_name_prefix="probe") as pool:
        answers = list(pool.map(lambda operation: _tried(aws, operation, asked[operation]), effects))
    return [
        answer.model_copy(update={"effect": effects[answer.operation], "note": note_on(answer.operation, sweep=sweep)})
        for answer in answers
    ]


def _tried(aws: Aws, operation: str, probe: Probe) -> Permission:
    service, name = operation.split(":")
    try:
        aws.call(service, name, **probe.parameters)
    except Gone:
        pass
    except CallFailed as failure:
        return judged(operation, failure, named=probe.named)
    return Permission(operation=operation, state="allowed", named=probe.named)


def price_permission(session: boto3.Session, scope: Scope, checks: list[Check]) -> list[Permission]:
    """Whether prices may be asked for; nothing but a note where AWS has no price list. No rule is unknown without."""
    region = ENDPOINT_REGIONS.get(scope.partition)
    if region is None:
        text = f"AWS has no price list in {scope.partition}: savings are told without amounts"
        checks.append(_check("settings", "note", f"{PREFIX}PRICES", text))
        return []
    return [_beside(session, region, PRICE_OPERATION, {"ServiceCode": SERVICE_CODE, "MaxResults": 1}, _WITHOUT_PRICES)]


def _beside(
    session: boto3.Session, region: str, operation: str, parameters: Mapping[str, Any], without: str
) -> Permission:
    """Whether what an audit can do without may be read in a region."""
    answer = _tried(Aws(session, region, QUICK, attempts=1), operation, Probe(parameters))
    return answer.model_copy(update={"note": without})


def judged(operation: str, failure: CallFailed, *, named: bool) -> Permission:
    """What a failed probe says of the permission."""
    if failure.code == "DryRunOperation":
        return Permission(operation=operation, state="allowed", named=named)
    if not failure.denied:
        reason = "AWS throttled the request" if failure.code in _THROTTLED else f"{failure.code}: {failure.message}"
        return Permission(operation=operation, state="unclear", reason=_short(reason), named=named)
    explicit, implicit = _EXPLICIT.search(failure.message), _IMPLICIT.search(failure.message)
    if explicit is not None:
        where = explicit["where"].lower()
        arn = f" ({explicit['arn']})" if explicit["arn"] else ""
        reason = f"an explicit deny in {_article(where)} {where}{arn}"
    elif implicit is not None:
        where = implicit["where"].lower()
        reason = f"no {where} allows it"
    else:
        where, reason = None, "AWS does not say which policy denies it"
    return Permission(
        operation=operation,
        state="denied",
        reason=reason,
        denied_by=where,
        explicit=explicit is not None,
        named=named,
    )


def _article(word: str) -> str:
    return "an" if word[0] in "aeio" else "a"


def _short(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= 200 else f"{flat[:199]}…"


def policy_to_add(permissions: Sequence[Permission]) -> dict[str, Any] | None:
    """The IAM policy that allows what is denied; None where nothing is, or only in so many words."""
    actions = sorted(
        {
            action(permission.operation)
            for permission in permissions
            if permission.state == "denied" and not permission.explicit
        }
    )
    if not actions:
        return None
    statement = {"Sid": "LetTheAuditorRead", "Effect": "Allow", "Action": actions, "Resource": "*"}
    return {"Version": "2012-10-17", "Statement": [statement]}


# ---- what the deployed stack uses


def deployed_checks(settings: Settings, session: boto3.Session, scope: Scope) -> list[Check]:
    """Whether what the settings name is there. The audit does not need it; the deployed stack does."""
    lookups = _outputs(settings)
    if not lookups:
        return []
    regions = {lookup.region for lookup in lookups}
    doors = {region: Aws(session, region or scope.region, QUICK, attempts=1) for region in regions}
    with ThreadPoolExecutor(len(lookups), thread_name_prefix="output") as pool:
        return list(pool.map(lambda lookup: _output(doors[lookup.region], lookup), lookups))


def _outputs(settings: Settings) -> list[Lookup]:
    """What is named: table, queue, bucket, and what the channels use."""
    lookups: list[Lookup] = []
    if table := settings.table:
        lookups.append(Lookup(f"table {table}", "dynamodb", "DescribeTable", {"TableName": table}))
    if queue := settings.queue_url:
        parameters = {"QueueUrl": queue, "AttributeNames": ["QueueArn"]}
        lookups.append(Lookup(f"queue {queue}", "sqs", "GetQueueAttributes", parameters))
    if bucket := settings.bucket:
        lookups.append(Lookup(f"bucket {bucket}", "s3", "HeadBucket", {"Bucket": bucket}))
    of_channels = [channel.lookup(settings) for channel in CHANNELS]
    return lookups + [lookup for lookup in of_channels if lookup is not None]


def _output(aws: Aws, lookup: Lookup) -> Check:
    subject, service, operation = lookup.subject, lookup.service, lookup.operation
    try:
        aws.call(service, operation, **lookup.parameters)
    except Gone:
        return _check("deployed", "note", subject, "does not exist")
    except CallFailed as failure:
        if failure.code in _ABSENT:
            return _check("deployed", "note", subject, "does not exist")
        if failure.denied or failure.code == "403":
            text = f"cannot be told: {service}:{operation} is denied to these credentials, and no audit needs it"
            return _check("deployed", "unclear", subject, text)
        return _check("deployed", "unclear", subject, _short(f"cannot be told: {failure.code}: {failure.message}"))
    return _check("deployed", "ok", subject, "is there")
