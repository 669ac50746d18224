"""The words that everybody shares: severity, outcome, finding, blind spot, report.

The JSON forms are contracts (schema version 1); ``docs/report.schema.json`` is generated from :class:`Report`.
"""

import hashlib
from datetime import UTC, date, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer

from chalicelib.report.calendar import CalendarEntry
from chalicelib.report.cause import Cause
from chalicelib.report.charts import RehearsalChart
from chalicelib.report.concern import Concern as Concern
from chalicelib.report.money import Money
from chalicelib.report.notes import ExemptionNote as ExemptionNote
from chalicelib.report.notes import ExemptionState as ExemptionState
from chalicelib.report.notes import Passed as Passed
from chalicelib.report.outcomes import Confidence
from chalicelib.report.severity import Severity as Severity
from chalicelib.report.shown import Shown
from chalicelib.scope import partition_of, scaled_id

SCHEMA_VERSION = 1

#: The rule of what AWS Health says, which no policy holds: it is told, not judged.
AWS_HEALTH = "aws-health"

#: Why a finding is told: it is seen for the first time, more severe, here again, still here, or over.
ChangeKind = Literal["new", "worse", "back", "reminder", "resolved"]

#: What made an audit begin.
Trigger = Literal["schedule", "event", "http", "cli"]


def utc_text(moment: datetime) -> str:
    """A moment as ISO 8601 in UTC to the second: ``2026-11-22T06:00:00Z``."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


Moment = Annotated[datetime, PlainSerializer(utc_text, return_type=str, when_used="json")]


class _Contract(BaseModel):
    model_config = ConfigDict(frozen=True, defer_build=True, extra="forbid")


class Declaration(_Contract):
    """Where a template declares a resource: the file, the line (None where a file has no lines of its source, as a
    Terraform plan), and the logical id or address."""

    file: str
    line: int | None = None
    address: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" if self.line else f"{self.file}: {self.address}"


class Resource(_Contract):
    """What a finding is about. ``part`` tells apart the pieces that share one ARN; it enters the id only. ``declared``
    is there in reports of ``auditor plan`` alone."""

    kind: str
    arn: str
    name: str
    console_url: str | None = None
    declared: Declaration | None = Field(default=None, exclude_if=lambda place: place is None)
    part: str = Field(default="", exclude=True)


class Fix(_Contract):
    """What to do: text, commands that can be pasted into a shell, and the properties to set (``snippets``) by
    ``cloudformation`` and ``terraform`` where the resource is managed by a stack or by Terraform, or not deployed yet.
    """

    text: str
    commands: list[str] = []
    snippets: dict[Literal["cloudformation", "terraform"], str] = {}


class Saving(_Contract):
    """Money that the fix would save each month, and how it was worked out. ``group``: the family of jobs whose runs it
    is about, where it is about more than the resource."""

    monthly_usd: float
    basis: str
    group: str | None = Field(default=None, exclude_if=lambda group: group is None)


class Exemption(_Contract):
    """Why a finding is not told, who stands for that, and until when; ``by``: who answered so in Slack."""

    reason: str
    owner: str | None = None
    expires: date | None = None
    source: Literal["policy", "tag", "slack"] = "policy"
    by: str | None = Field(default=None, exclude_if=lambda person: person is None)


class Finding(_Contract):
    """A failing outcome with its identity, evidence and fix. An open finding with an ``exemption`` is back, as that has
    expired. ``concern`` says what it is about, and is the first of what findings are ordered by. ``saving`` is what the
    fix saves, ``cost_usd`` what it costs a month more where it buys safety; the inputs of both stand in the evidence,
    under ``money``. ``chart`` is there in findings of rehearsals that tell of too little or too much."""

    schema_version: Literal[1] = 1
    id: Annotated[str, Field(pattern=r"^f-[0-9a-f]{20}$")]
    rule: str
    topic: str
    title: str
    concern: Concern = Concern.WOULD_BREAK
    severity: Severity
    confidence: Confidence = Confidence.HIGH
    status: Literal["open", "exempt", "resolved"] = "open"
    account: str
    region: str
    resource: Resource
    summary: str
    why: str
    fix: Fix
    evidence: dict[str, Any]
    chart: RehearsalChart | None = Field(default=None, exclude_if=lambda chart: chart is None)
    references: list[str] = []
    well_architected: list[str] = []
    owner: str | None = None
    saving: Saving | None = None
    cost_usd: float | None = Field(default=None, exclude_if=lambda cost: cost is None)
    exemption: Exemption | None = None
    first_seen: Moment
    last_seen: Moment
    resolved_at: Moment | None = None


def finding_id(rule: str, arn: str, part: str = "") -> str:
    """The identity that survives from audit to audit: rule, ARN and part, whatever the wording or the severity.

    >>> finding_id("endpoint-degraded", "arn:aws:sagemaker:eu-west-1:123456789012:endpoint/churn")
    'f-15db2cd34d5c1bd9b4b1'
    """
    digest = hashlib.sha256("\n".join((rule, arn, part)).encode()).hexdigest()
    return f"f-{digest[:20]}"


def root_arn(finding: Finding) -> str:
    """The ARN of the endpoint or component to which a finding belongs, else of the resource itself."""
    return root_of(finding.resource, finding.account, finding.region)


def root_of(resource: Resource, account: str, region: str) -> str:
    """The ARN of the endpoint or component to which a resource belongs, else its own."""
    if resource.kind not in ("scalable-target", "scaling-policy"):
        return resource.arn
    owner = scaled_id(resource.name, resource.arn, policy=resource.kind == "scaling-policy").split("/")[:2]
    return f"arn:{partition_of(region)}:sagemaker:{region}:{account}:{'/'.join(owner)}"


class BlindSpot(_Contract):
    """Something that the audit could not read. ``effect`` lists the rules that it leaves unknown. ``cause``: AWS
    ``denied`` it, the call ``failed`` or was ``throttled`` to the end, the answer was ``malformed``, or AWS answered
    and did not tell (``not_told``), which no permission would change."""

    account: str
    region: str
    operation: str
    error: str
    cause: Cause = Cause.FAILED
    effect: list[str] = []
    resource: str | None = None


class Deferral(_Contract):
    """What the audit for an event left to the next sweep, as its calls are bounded: of a ``part`` of what is read the
    ``resources`` by name, or all of it where none is named. ``effect`` lists the rules that it leaves unknown, or whose
    findings are not told; nothing resolves by what was left."""

    account: str
    region: str
    part: str
    resources: list[str] = []
    reason: str
    effect: list[str] = []


class RuleCounts(_Contract):
    """How often one rule gave each outcome."""

    passed: Annotated[int, Field(alias="pass")] = 0
    fail: int = 0
    not_applicable: int = 0
    unknown: int = 0

    model_config = ConfigDict(
        frozen=True, defer_build=True, extra="forbid", populate_by_name=True, serialize_by_alias=True
    )


class RuleInForce(_Contract):
    """What the policy makes of a rule: the severity and topic under which its outcomes count."""

    severity: Severity
    topic: str


class VariantCapacity(_Contract):
    """What one variant runs on, and where it can. Counts are None where nobody told them.

    ``mode``: ``instances``, ``asynchronous``, ``components`` (instances that host inference components),
    ``serverless``, ``shadow``. ``minimum`` and ``maximum`` are those of automatic scaling of its instances, None
    without any. ``zones`` are the Availability Zones of its subnets, by id; None where it stands in SageMaker's own
    network (``network`` ``managed``, which spans the region) or the subnets could not be read (``unknown``).
    ``proven`` are the instances that detailed observability showed within the last hour, by the Availability Zone as it
    names it; None where that is off, was not asked for or told nothing. ``rehearsal`` is the chart of its rehearsal,
    where it was rehearsed; of 200 variants of an account and region at most, those with the most minutes short.
    ``weight`` is its share of the traffic as wanted, 0 for one that takes none; ``copies`` the fewest copies that an
    inference component on it wants, 0 where none runs, None where it hosts none or that was not read.
    ``requests_per_day`` is the mean of the last seven days, None where CloudWatch has no datapoint.
    """

    name: str
    mode: Literal["instances", "asynchronous", "components", "serverless", "shadow"]
    instance_types: list[str] = []
    current: int | None = None
    desired: int | None = None
    minimum: int | None = None
    maximum: int | None = None
    network: Literal["managed", "vpc", "unknown"]
    zones: list[str] | None = None
    proven: dict[str, int] | None = None
    weight: float | None = None
    copies: int | None = None
    requests_per_day: float | None = None
    rehearsal: RehearsalChart | None = Field(default=None, exclude_if=lambda chart: chart is None)


class Answer(_Contract):
    """The answer to a question about an endpoint. ``rules`` are those whose findings say no, or whose judgement the
    answer waits for."""

    answer: Literal["yes", "no", "unknown"]
    reason: str
    rules: list[str] = []


class ComesBack(_Contract):
    """Would an endpoint come back? Whether a lost instance would be replaced, an update would go through, and the
    maximum could be reached, as far as the rules that judged tell."""

    lost_instance_replaced: Answer
    update_goes_through: Answer
    maximum_reached: Answer


class EndpointCapacity(_Contract):
    """An endpoint as it runs: what it stands on, against what it may scale to. ``comes_back`` is None where no audit of
    the account answered it. ``failed_components`` are the inference components on it that have failed."""

    account: str
    region: str
    name: str
    arn: str
    status: str
    variants: list[VariantCapacity]
    comes_back: ComesBack | None = None
    failed_components: list[str] = []

    @property
    def lost(self) -> bool:
        """True where a lost instance would not be replaced."""
        return self.comes_back is not None and self.comes_back.lost_instance_replaced.answer == "no"


class PolicyUsed(_Contract):
    """Which policy was in force; the digest changes with any change of its content."""

    name: str
    digest: str


class ScopeAudited(_Contract):
    """What was asked for: empty lists mean everything."""

    accounts: list[str] = []
    regions: list[str] = []
    resources: list[str] = []
    rules: list[str] = []


class Report(_Contract):
    """What one audit saw, judged, could not see (``blind_spots``) and left to the next sweep (``deferred``); it is
    ``complete`` without either.

    ``complete``: everything that was asked for could be read; what AWS itself does not tell (blind spots ``not_told``)
    leaves rules unknown, and a report complete. ``catalogue`` holds the rules that judged; ``zones`` the Availability
    Zones (ids) in which each region has subnets; ``endpoints`` where each of them stands.
    ``shown`` says how the report was narrowed, and how much that leaves out. ``passes`` lists what was judged and
    passed, where that was asked for.
    ``calendar`` lists the ends that are known, of what is read for the rules that judged and of exemptions, the next
    one first; an audit of named resources has none. ``money`` is there where prices are on.
    """

    schema_version: Literal[1] = 1
    audit_id: str
    trigger: Trigger
    scope: ScopeAudited
    started_at: Moment
    finished_at: Moment
    policy: PolicyUsed
    accounts: list[str]
    regions: list[str]
    resources: dict[str, int]
    rules: dict[str, RuleCounts]
    findings: list[Finding]
    shown: Shown | None = None
    passes: list[Passed] | None = Field(default=None, exclude_if=lambda listed: listed is None)
    blind_spots: list[BlindSpot]
    deferred: list[Deferral] = []
    exemptions: list[ExemptionNote] = []
    calendar: list[CalendarEntry] = []
    catalogue: dict[str, RuleInForce] = {}
    zones: dict[str, list[str]] = {}
    endpoints: list[EndpointCapacity] = []
    money: Money | None = Field(default=None, exclude_if=lambda money: money is None)
    api_calls: dict[str, int]
    complete: bool

    @property
    def whole(self) -> bool:
        """True for a complete audit of all that there is: neither of some resources nor by some rules only."""
        return self.complete and not self.scope.resources and not self.scope.rules

    def open_findings(self) -> list[Finding]:
        """The findings that are told: open ones, worst first."""
        return [finding for finding in self.findings if finding.status == "open"]

    def worst(self) -> Severity | None:
        """The highest severity among the open findings, or None without any."""
        return max(
            (finding.severity for finding in self.open_findings()), key=lambda severity: severity.rank, default=None
        )
