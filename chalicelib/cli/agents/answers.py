"""What each tool answers, as models over those of the report: their JSON Schemas are the output schemas of the tools.

Every list is bounded, and beside it stands how much it leaves out.
"""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from chalicelib.report.concern import Concern
from chalicelib.report.findings import (
    BlindSpot,
    ComesBack,
    EndpointCapacity,
    Finding,
    Moment,
    PolicyUsed,
    Resource,
    ScopeAudited,
)
from chalicelib.report.outcomes import Verdict
from chalicelib.report.severity import Severity
from chalicelib.web.answers import RehearsalAnswer

LeftOut = Annotated[int, Field(ge=0, description="How many more there are.")]


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True, defer_build=True, extra="forbid")


class FindingHead(_Answer):
    """A finding in a line; the tool `findings` tells it whole by its id."""

    id: str
    rule: str
    concern: Concern
    severity: Severity
    title: str
    account: str
    region: str
    kind: str
    resource: Annotated[str, Field(description="The name of the resource.")]
    arn: str
    owner: str | None
    saving_usd: Annotated[float | None, Field(description="What the fix saves a month; null where not known.")]


class AuditSummary(_Answer):
    """What an audit found. ``complete``: all that was asked for could be read; ``blind_spots`` is what could not, and
    no rule that depends on it may be taken for passed."""

    headline: Annotated[str, Field(description="What it comes to, in a sentence.")]
    audit_id: Annotated[str, Field(description="For the tool `findings`.")]
    scope: ScopeAudited
    started_at: Moment
    finished_at: Moment
    policy: PolicyUsed
    complete: bool
    resources: Annotated[dict[str, int], Field(description="How many were read, by kind.")]
    open: Annotated[dict[Severity, int], Field(description="How many open findings there are, by severity.")]
    exempt: Annotated[int, Field(ge=0, description="Findings for which somebody stands.")]
    findings: Annotated[list[FindingHead], Field(description="The open ones, the first to mend first.")]
    findings_left_out: LeftOut
    blind_spots: list[BlindSpot]
    blind_spots_left_out: LeftOut


class PlanSummary(AuditSummary):
    """What would be found after the deployment, without asking AWS."""

    skipped: Annotated[list[str], Field(description="Files that are no template, with the reason.")]
    empty: Annotated[list[str], Field(description="Files in which nothing of SageMaker is.")]


class FindingsTold(_Answer):
    """A page of findings, whole: why each matters, what to do, and the facts it rests on."""

    audit_id: str
    finished_at: Moment
    complete: bool
    matching: Annotated[int, Field(ge=0, description="Findings that match, on all pages.")]
    findings: list[Finding]
    left_out: Annotated[int, Field(ge=0, description="Findings on later pages.")]
    cursor: Annotated[str | None, Field(description="Asks for the next page; null on the last one.")]


class RuleOutcome(_Answer):
    """One rule's outcome for a resource or a part of it, the reason, and the facts that it read."""

    kind: str
    resource: str
    arn: str
    rule: str
    outcome: Verdict
    reason: str | None
    facts: dict[str, Any]


class Explained(_Answer):
    """Every outcome for a resource and its parts, those that fail first. A rule that is not listed did not judge it."""

    outcomes: list[RuleOutcome]
    outcomes_left_out: LeftOut
    comes_back: Annotated[ComesBack | None, Field(description="Of an endpoint; null for anything else.")]


class EndpointsComingBack(_Answer):
    """Would each endpoint come back: is a lost instance replaced, does an update go through, can the maximum be
    reached? Those come first of which one answer is no."""

    complete: bool
    endpoints: list[EndpointCapacity]
    endpoints_left_out: LeftOut
    blind_spots: list[BlindSpot]
    blind_spots_left_out: LeftOut


class Rehearsed(RehearsalAnswer):
    """What would have happened to the traffic, and the smallest change that would have done; of its stretches and
    decisions the first ones."""

    short_left_out: LeftOut
    decisions_left_out: LeftOut


def head_of(finding: Finding) -> FindingHead:
    """A finding in a line."""
    return FindingHead(
        id=finding.id,
        rule=finding.rule,
        concern=finding.concern,
        severity=finding.severity,
        title=finding.title,
        account=finding.account,
        region=finding.region,
        kind=finding.resource.kind,
        resource=finding.resource.name,
        arn=finding.resource.arn,
        owner=finding.owner,
        saving_usd=finding.saving.monthly_usd if finding.saving is not None else None,
    )


def outcome_of(resource: Resource, rule: str, verdict: Verdict, reason: str, facts: dict[str, Any]) -> RuleOutcome:
    """An outcome as it is told."""
    return RuleOutcome(
        kind=resource.kind,
        resource=resource.name,
        arn=resource.arn,
        rule=rule,
        outcome=verdict,
        reason=reason or None,
        facts=facts,
    )
