"""What the HTTP face answers, as models: the answers are made from them, and so is ``docs/openapi.json``."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from chalicelib.ledger.runs import RunState as RunStatus
from chalicelib.report.calendar import CalendarEntry
from chalicelib.report.findings import Finding, PolicyUsed, Report, Severity
from chalicelib.report.realized import Realized
from chalicelib.report.shown import Shown

Account = Annotated[str, Field(pattern=r"^[0-9]{12}$")]


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True, defer_build=True, extra="forbid")


class Problem(_Answer):
    """What was wrong. ``field`` is null when no single field is to blame."""

    code: str
    message: Annotated[str, Field(description="What is wrong, and what would be accepted.")]
    field: str | None = None


class ErrorAnswer(_Answer):
    """The form of every error that the auditor itself answers."""

    error: Problem


class GatewayError(_Answer):
    """The form of an error of API Gateway, which answers before the auditor is asked, or in its place."""

    message: str | None = None


class Health(_Answer):
    """Alive; nothing about the account."""

    status: Literal["ok"] = "ok"
    version: str
    policy: Annotated[str, Field(description="The digest of the policy in force.")]
    last_audit: Annotated[str | None, Field(description="When the last complete audit ended; null before any.")]


class CalendarAnswer(_Answer):
    """What ends, and when, the next end first: as the last sweep of each region saw it, or read now without a
    ledger."""

    schema_version: Literal[1] = 1
    account: Account
    last_audit: Annotated[str | None, Field(description="When the last sweep ended; null where it was read now.")]
    entries: list[CalendarEntry]
    left_out: Annotated[int, Field(ge=0, description="How many later ends do not fit into an answer.")]


class FindingsPage(_Answer):
    """A page of the findings as the ledger holds them, worst first."""

    schema_version: Literal[1] = 1
    account: Account
    policy: PolicyUsed
    last_audit: str | None
    findings: list[Finding]
    shown: Annotated[Shown | None, Field(description="How the page is narrowed; null for all that is open.")]
    realized: Annotated[
        Realized | None,
        Field(
            description="What resolved findings saved; only where prices are on.",
            exclude_if=lambda amount: amount is None,
        ),
    ] = None
    cursor: Annotated[str | None, Field(description="Asks for the next page; null on the last one.")]


class RunBegun(_Answer):
    """A run over more than can be waited for."""

    audit_id: str
    state: RunStatus
    parts: Annotated[int, Field(ge=0, description="How many accounts and regions it has.")]


class RunParts(_Answer):
    """The accounts and regions of a run, named ``account#region``: ``open`` ones are not back; ``failed`` ones failed
    for good, and ``lost`` ones were not back when the time of the run was over: both count as done, and are blind spots
    of the report."""

    total: Annotated[int, Field(ge=0)]
    done: Annotated[int, Field(ge=0)]
    open: list[str]
    failed: list[str]
    lost: list[str]


class RunState(_Answer):
    """How far a run has come and, when it is over, a page of its report: head and counts are the whole run's, the lists
    hold a stretch of it, and ``report.shown`` counts the findings on other pages.

    ``state``: ``done``: every part came to its end; ``failed``: some parts failed for good; ``stuck``: some parts did
    not come back within six hours.
    """

    audit_id: str
    state: RunStatus
    trigger: str
    started_at: str
    parts: RunParts
    report: Annotated[Report | None, Field(description="Null until the run is over.")]
    cursor: Annotated[str | None, Field(description="Asks for the next page of the report; null on the last one.")]


class RehearsedWindow(_Answer):
    """The traffic that was replayed."""

    begin: str | None
    minutes: Annotated[int, Field(ge=0)]
    gap_minutes: Annotated[int, Field(ge=0)]
    unsound_datapoints: Annotated[int, Field(ge=0)]


class RehearsedPolicy(_Answer):
    """A scaling policy. Cooldowns are in seconds; a step policy has a threshold and one cooldown."""

    type: Literal["TargetTracking", "StepScaling"]
    target: float | None = None
    scale_out_cooldown: int | None = None
    scale_in_cooldown: int | None = None
    scale_in_disabled: bool | None = None
    threshold: float | None = None
    cooldown: int | None = None


class RehearsedSetting(_Answer):
    """All that decides how many instances there are. ``scheduled`` are the minutes at which scheduled actions come."""

    minimum: int
    maximum: int
    policies: list[RehearsedPolicy]
    scheduled: list[int]


class RehearsedBehaviour(_Answer):
    """How instances and service were taken to behave."""

    capacity_per_instance: float
    warmup_minutes: int
    removal_minutes: int


class RehearsalBasis(_Answer):
    """Where the numbers come from: given, read, measured or assumed."""

    load: str
    setting: str
    capacity: str
    warmup: str
    notes: list[str]


class RehearsedMinute(_Answer):
    """A minute of the window, with its time where the window has one."""

    minute: int
    at: str | None
    load: float
    capacity: float


class LargestBacklog(_Answer):
    """The minute at whose end the most requests waited in the queue of an asynchronous endpoint."""

    minute: int
    at: str | None
    requests: float


class ShortStretch(_Answer):
    """Minutes in a row in which the load was more than the instances carry, or requests waited for too long."""

    minute: int
    at: str | None
    minutes: int
    peak: float


class ScalingDecision(_Answer):
    """A change of the number of instances."""

    minute: int
    before: int
    after: int
    why: str


class RehearsalProposal(_Answer):
    """The cheapest setting that would have been enough."""

    changed: list[str]
    setting: RehearsedSetting
    minutes_short: int
    instance_hours: float


class RehearsalFix(_Answer):
    """How the proposal is made true. Commands are empty where nothing of an account was rehearsed."""

    commands: list[str]
    cloudformation: str
    terraform: str


class RehearsalAnswer(_Answer):
    """What would have happened to the traffic, and the smallest change that would have done."""

    schema_version: Literal[1] = 1
    name: str
    summary: list[str]
    enough: Annotated[bool, Field(description="Whether no more minutes are short than may be.")]
    unit: Annotated[
        Literal["instance", "copy"], Field(description="What is counted: copies of an inference component.")
    ]
    window: RehearsedWindow
    setting: RehearsedSetting
    behaviour: RehearsedBehaviour
    basis: RehearsalBasis
    minutes_short: int
    longest_short_minutes: int
    worst_minute: RehearsedMinute | None
    mean_shortfall_percent: float
    minutes_held_at_maximum: int
    instance_hours: float
    needed_instance_hours: float | None
    fixed_at_peak_hours: float
    changes_per_day: float
    reversals: int
    minutes_short_without_a_zone: int | None
    max_wait_minutes: Annotated[int | None, Field(description="Of an asynchronous endpoint: how long one may wait.")]
    largest_backlog: LargestBacklog | None
    short: list[ShortStretch]
    decisions: list[ScalingDecision]
    proposal: RehearsalProposal | None
    no_proposal: str | None
    fix: RehearsalFix | None


class RuleParameter(_Answer):
    """A parameter of a rule: its value by the policy in force, and the one that it has without a policy."""

    name: str
    value: Any
    default: Any
    description: str | None = None


class CatalogueRule(_Answer):
    """A rule of the catalogue as the policy in force applies it.

    ``severity`` is the policy's, else the rule's own, ``default_severity``; a finding may differ by its facts and tags.
    ``mode`` ``observe`` is judged and counted, not told.
    """

    id: str
    title: str
    topic: str
    severity: Severity
    default_severity: Severity
    enabled: bool
    enabled_by_default: bool
    mode: Literal["notify", "observe"]
    kinds: list[str]
    condition: str
    parameters: list[RuleParameter]
    reads: Annotated[list[str], Field(description="The parts of the inventory that it looks at.")]
    metrics: Annotated[list[str], Field(description="The metrics of CloudWatch that it looks at.")]
    permissions: Annotated[list[str], Field(description="The IAM actions that reading for it may need.")]
    references: list[str]
    well_architected: Annotated[list[str], Field(description="Best practices of AWS's Well-Architected Framework.")]
    merges_into: Annotated[list[str], Field(description="The rules that tell this defect too, where both fail.")]
    custom: Annotated[bool, Field(description="Whether the policy brought it along.")]


class Catalogue(_Answer):
    """Every rule, with the policy in force."""

    policy: PolicyUsed
    rules: list[CatalogueRule]
